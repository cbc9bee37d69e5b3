"""The codec: plain values come back as they were, and no bytes do anything but give a value or a CodecError."""

import contextlib
import math
import tracemalloc
from collections import OrderedDict, namedtuple
from enum import IntEnum

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from autograder import codec
from autograder.inside import plain

LIMIT = 1 << 20

dtypes = st.sampled_from([np.dtype(c) for c in "?bhilBHILefdFD"])
arrays = dtypes.flatmap(
    lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
texts = st.text(st.characters(exclude_categories=("Cs",)))
scalars = (
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats() | st.complex_numbers() | texts | st.binary()
    | dtypes.flatmap(lambda dtype: npst.from_dtype(dtype).map(dtype.type))
)  # fmt: skip
values = st.recursive(
    scalars | arrays,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(texts | st.integers(), inner),
    max_leaves=12,
)


def same(a, b):
    """Equal in kind and value, NaN being itself and 0.0 not -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    return a == b


@given(values)
def test_a_value_comes_back_as_it_was(value):
    assert same(codec.decode(codec.encode(value, LIMIT), LIMIT), value)


@given(values)
def test_equal_bytes_are_equal_values_and_the_other_way_round(value):
    data = codec.encode(value, LIMIT)
    assert codec.encode(codec.decode(data, LIMIT), LIMIT) == data


@given(st.binary(max_size=200))
@example(b"")
@example(b"l\xff\xff\xff\xff")
@example(b"A\x0b\x20" + b"\xff" * 128)
@example(b"A\x0b\x02\x00\x00\x00\x00\xff\xff\xff\xff")
@example(b"t\x01\x00\x00\x00" * 40 + b"N")
@example(b"d\x02\x00\x00\x00" + (b"S\x00\x00\x00\x00N" * 2))
@settings(max_examples=500)
def test_any_bytes_give_a_value_or_a_codec_error(data):
    with contextlib.suppress(codec.CodecError):
        codec.encode(codec.decode(data, LIMIT), LIMIT)


@given(values, st.data())
@settings(max_examples=300)
def test_a_damaged_stream_is_total_too(value, data):
    raw = bytearray(codec.encode(value, LIMIT))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        match data.draw(st.sampled_from(["set", "cut", "add"])):
            case "set" if at < len(raw):
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at:]
            case _:
                raw.insert(at, data.draw(st.integers(0, 255)))
    with contextlib.suppress(codec.CodecError):
        codec.decode(bytes(raw), LIMIT)


def test_arrays_are_copies_that_may_be_written():
    data = codec.encode(np.arange(3.0), LIMIT)
    value = codec.decode(data, LIMIT)
    value[0] = 7
    assert value.flags.owndata
    assert codec.decode(data, LIMIT)[0] == 0


@pytest.mark.parametrize(
    "array",
    [np.arange(12.0).reshape(3, 4).T, np.arange(12.0)[::-2], np.arange(4, dtype=">f8"), np.asfortranarray(np.eye(3))],
)
def test_any_stride_and_byte_order_becomes_the_plain_array(array):
    back = codec.decode(codec.encode(array, LIMIT), LIMIT)
    assert np.array_equal(back, array)
    assert back.flags.c_contiguous
    assert back.dtype.isnative


def repr_type(value):
    return type(value).__name__


@pytest.mark.parametrize(
    "value",
    [
        {1, 2}, range(3), object(), np.array([{}], dtype=object), np.array(["a"]), np.array([(1, 2.0)], dtype="i4,f8"),
        np.datetime64("2020"), np.float128(1) if hasattr(np, "float128") else b"".join, bytearray(b"a"), {1.5: 2}, {True: 1}, {(1, 2): 3},
        namedtuple("P", "x")(1), np.eye(1).view(np.recarray), IntEnum("E", "A").A, 1 << 9000, "\ud800", [lambda: 1],
    ],
    ids=repr_type,
)  # fmt: skip
def test_what_is_no_plain_value_is_refused(value):
    with pytest.raises(codec.CodecError):
        codec.encode(value, LIMIT)


@pytest.mark.parametrize("kind", [np.longlong, np.ulonglong])
def test_integers_of_another_name_are_of_the_same_dtype(kind):
    assert type(codec.decode(codec.encode(kind(3), LIMIT), LIMIT)) in (np.int64, np.uint64)
    assert codec.decode(codec.encode(np.array([3], dtype=kind), LIMIT), LIMIT).dtype in (np.int64, np.uint64)


def test_a_refused_value_leaves_the_buffer_as_it_was():
    out = bytearray(b"before")
    with pytest.raises(codec.CodecError):
        codec.append(out, [1, 2, object()], LIMIT)
    assert out == b"before"


def test_depth_is_bounded_on_both_sides():
    value = None
    for _ in range(codec.MAX_DEPTH):
        value = [value]
    assert codec.decode(codec.encode(value, LIMIT), LIMIT) == value
    with pytest.raises(codec.CodecError, match="deep"):
        codec.encode([value], LIMIT)
    cycle: list = []
    cycle.append(cycle)
    with pytest.raises(codec.CodecError, match="deep"):
        codec.encode(cycle, LIMIT)


def test_sizes_are_known_before_bytes_are_made():
    tracemalloc.start()
    try:
        doubling: list = []
        for _ in range(30):
            doubling = [doubling, doubling]
        for huge in (np.broadcast_to(1.0, (1 << 20, 1 << 20)), doubling, "é" * (1 << 19) + "x", np.empty((0, 1 << 30))):
            with pytest.raises(codec.CodecError, match="too large"):
                codec.encode(huge, LIMIT)
        for forged in (
            b"l" + b"\xff\xff\xff\x7f" + b"N" * 9,
            b"B\xff\xff\xff\x7f",
            b"A\x0b\x03" + b"\xff\xff\xff\x7f" * 3,
        ):
            with pytest.raises(codec.CodecError):
                codec.decode(forged, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_by_the_bytes():
    worst = b"l" + (20000).to_bytes(4, "little") + b"A\x0b\x01\x00\x00\x00\x00" * 20000
    tracemalloc.start()
    value = codec.decode(worst, LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(value) == 20000
    assert peak < 32 * len(worst)


def test_a_bool_that_is_neither_is_refused():
    with pytest.raises(codec.CodecError, match="bool"):
        codec.decode(b"A\x00\x01\x01\x00\x00\x00\x02", LIMIT)


def test_more_than_the_limit_is_refused_on_both_sides():
    data = codec.encode(np.zeros(100), LIMIT)
    with pytest.raises(codec.CodecError, match="too large"):
        codec.encode(np.zeros(100), len(data) - 1)
    with pytest.raises(codec.CodecError, match="too large"):
        codec.decode(data, len(data) - 1)
    assert codec.encode(np.zeros(100), len(data)) == data


class Liar(float):
    def __float__(self):
        raise AssertionError("called")

    __repr__ = __eq__ = __hash__ = __format__ = __float__  # type: ignore[assignment]


class LyingList(list):
    def __iter__(self):
        raise AssertionError("called")

    __len__ = __getitem__ = __iter__  # type: ignore[assignment]


class LyingArray(np.ndarray):
    def tobytes(self, *_):
        raise AssertionError("called")

    __array__ = __getitem__ = tobytes
    shape = dtype = property(tobytes)  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (namedtuple("P", "x y")(1, 2.0), (1, 2.0)), (OrderedDict(a=1), {"a": 1}), (IntEnum("E", "A").A, 1), (np.eye(1).view(type('M', (np.ndarray,), {})), np.eye(1)),
        (Liar(1.5), 1.5), (LyingList([1, [2]]), [1, [2]]), (np.arange(3.0).view(LyingArray), np.arange(3.0)), ({np.int64(3): 1}, {3: 1}),
        (type("S", (str,), {"encode": None})("a"), "a"), ([namedtuple("Q", "a")(namedtuple("R", "b")(1))], [((1,),)]),
    ],
    ids=repr_type,
)  # fmt: skip
def test_in_the_child_a_subclass_becomes_its_plain_type_without_calling_what_it_overrides(value, expected):
    out = bytearray()
    codec.append(out, value, LIMIT, plain.reduce)
    assert same(codec.decode(out, LIMIT), expected)


@pytest.mark.parametrize(
    "value",
    [object(), {1}, np.ma.masked_array([1.0], [True]), lambda: 1, type("F", (np.float64,), {})(1.0), np.array([None])],
    ids=repr_type,
)
def test_in_the_child_everything_else_is_refused_with_a_word(value):
    with pytest.raises(codec.CodecError):
        codec.append(bytearray(), value, LIMIT, plain.reduce)
