"""What counts as the right form: docs/grading.md's table, line by line."""

import contextlib
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.forms import Malformed, canonical, fitted, same

ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        (ARRAY.tolist(), ARRAY),
        (tuple(map(tuple, ARRAY.tolist())), ARRAY),
        (list(ARRAY), ARRAY),
        (ARRAY.astype(int), ARRAY),
        (np.array([True, False]), np.array([1.0, 0.0])),
        (np.asfortranarray(ARRAY), ARRAY),
        (ARRAY[::-1][::-1], ARRAY),
        (ARRAY.astype(">f8"), ARRAY),
        (np.array([1.5, 2.5]), (1.5, 2.5)),
        ([1.5, ARRAY.tolist()], (1.5, ARRAY)),
        (np.float64(1.5), 1.5),
        (np.array(1.5), 1.5),
        (3, 3.0),
        (True, 1.0),
        (np.int32(7), 7),
        (np.uint8(7), 7),
        (np.array([1, 2], np.int8), np.array([1, 2])),
        ([], np.zeros(0, int)),
        ({"a": [1.0]}, {"a": np.array([1.0])}),
        (None, None),
        ("tanh", "tanh"),
    ],
)
def test_plainly_equal_forms_are_the_answer(answer, asked):
    assert same(fitted(answer, asked), canonical(asked))


@pytest.mark.parametrize(
    ("answer", "asked", "said"),
    [
        ([[1.0], [2.0, 3.0]], ARRAY, "expected an array of shape (2, 3), got a list of 2 lists of different lengths"),
        (ARRAY.T, ARRAY, "expected an array of shape (2, 3), got an array of shape (3, 2)"),
        (ARRAY[None], ARRAY, "got an array of shape (1, 2, 3)"),
        (7.0, 7, "expected an integer, got a float"),
        (True, 7, "expected an integer, got a boolean"),
        (np.array([1.0, 2.0]), np.array([1, 2]), "expected an array of integers of shape (2,), got an array of floats"),
        (np.array([1, 0]), np.array([True, False]), "expected an array of booleans"),
        ((1.0, 2.0, 3.0), (1.0, 2.0), "expected a tuple of 2, got a tuple of 3"),
        ((1.0, ARRAY.T), (1.0, ARRAY), "part 2: expected an array of shape (2, 3)"),
        (None, ARRAY, "expected an array of shape (2, 3), got None"),
        ("1.5", 1.5, "expected a float, got a string"),
        (np.array(["a"]).tolist(), np.array([1.0]), "expected an array"),
        (np.nan, 1.5, "got nan where a finite number is expected"),
        (np.array([1.0, np.inf]), np.array([1.0, 2.0]), "got inf at [1]"),
        (10**400, 1.5, "got inf"),
        (10**400, 7, "an integer of more than 64 bits"),
        ([10**400, 1], np.array([1, 2]), "expected an array"),
        ({"b": 1.0}, {"a": 1.0}, "expected a dict with the keys 'a'"),
    ],
)
def test_any_other_form_is_refused_in_words(answer, asked, said):
    with pytest.raises(Malformed) as e:
        fitted(answer, asked)
    assert said in e.value.text.en
    assert not e.value.text.ja.isascii()


def test_a_number_may_be_infinite_where_the_reference_is():
    assert same(fitted(np.array([np.inf, 1.0]), np.array([np.inf, 1.0])), np.array([np.inf, 1.0]))


def test_float32_stays_float32_and_is_never_taken_for_the_reference():
    answer = fitted(ARRAY.astype(np.float32), ARRAY)
    assert answer.dtype == np.float32
    assert not same(answer, ARRAY)
    assert type(fitted(np.float32(1.5), 1.5)) is np.float32


def test_a_named_tuple_of_our_own_is_a_tuple():
    Pair = namedtuple("Pair", "a b")
    assert type(canonical(Pair(1.0, np.float64(2.0)))) is tuple


@given(st.integers(0, 2**32 - 1), st.floats(-1, 1))
def test_an_answer_within_ten_digits_is_the_references_own(seed, share):
    right = np.random.default_rng(seed).normal(size=(3, 2)) + 5
    near, far = right + share * 1e-11 * abs(right).max(), right + 1e-8
    assert same(near, right)
    assert not same(far, right)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)  # fmt: skip


@given(plain, st.sampled_from([ARRAY, 1.5, 7, True, (1.5, ARRAY), {"a": ARRAY}, [1, 2], "x", None, 1j]))
def test_no_plain_value_at_all_gets_past_the_two_outcomes(answer, asked):
    with np.errstate(all="ignore"), contextlib.suppress(Malformed):
        same(fitted(answer, asked), asked)
