"""Values as verdicts carry them."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autograder.shown import shown


def test_plain_values_stand_for_themselves():
    assert shown([None, True, 3, 1.5, "x"]) == [None, True, 3, 1.5, "x"]


def test_what_json_lacks_is_named():
    assert shown(float("nan")) == {"float": "nan"}
    assert shown(-np.inf) == {"float": "-inf"}
    assert shown((1, 2.5)) == {"tuple": [1, 2.5]}
    assert shown({1: "a"}) == {"dict": [[1, "a"]]}
    assert shown(object()) == {"text": "object"}


def test_an_array_carries_its_dtype_and_shape():
    assert shown(np.array([[1.0, np.nan]])) == {"array": [[1.0, {"float": "nan"}]], "dtype": "float64", "shape": [1, 2]}
    assert shown(np.zeros((0, 3))) == {"array": [], "dtype": "float64", "shape": [0, 3]}
    assert shown(np.array(True)) == {"array": True, "dtype": "bool", "shape": []}


def test_what_is_too_long_is_said_by_its_size():
    assert shown(np.zeros((30, 30)))["array"] is None
    assert shown([0] * 1000) == {"text": "list (1000)"}
    assert len(shown("x" * 10_000)) < 1000


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers()
    | arrays(st.sampled_from([np.float64, np.float32, np.int64, np.bool_, np.complex128]), st.sampled_from([(), (2,), (2, 0), (1, 2, 3)])),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(plain)
def test_every_plain_value_is_strict_json_and_the_same_each_time(value):
    with np.errstate(all="ignore"):
        text = json.dumps(shown(value), allow_nan=False)
    assert text == json.dumps(shown(value), allow_nan=False)
