"""What inputs are made of. Numbers lie on a grid of quarters: exact in binary, and short to read in a counterexample."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray[Any, Any]


def reals(*shape: int, low: float = -2, high: float = 2, zero: bool = True) -> st.SearchStrategy[Array]:
    """Arrays of quarters in [low, high]; without 0 where `zero` is False."""
    values = np.arange(4 * low, 4 * high + 1) / 4
    return _chosen(shape, values if zero else values[values != 0])


def integers(*shape: int, low: int, high: int) -> st.SearchStrategy[Array]:
    """Arrays of whole numbers, low … high."""
    return _chosen(shape, np.arange(low, high + 1))


def alike(*arrays: Array) -> st.SearchStrategy[tuple[Array, ...]]:
    """One array of reals for each, of the same shape."""
    return st.tuples(*(reals(*a.shape) for a in arrays))


@st.composite
def shaped(
    draw: st.DrawFn,
    /,
    make: Callable[..., Any] = lambda **arrays: tuple(arrays.values()),
    sizes: Mapping[str, tuple[int, int]] = {},
    numbers: Mapping[str, Callable[..., st.SearchStrategy[Any]]] = {},
    **axes: str,
) -> Any:
    """Arrays whose axes are named as in the docstrings (`x="N T D"`), put together by `make`.

    Axes with one name have one size, 1 … 3 unless `sizes` says otherwise; numbers are `reals` unless `numbers` does.
    """
    size = {a: draw(st.integers(*sizes.get(a, (1, 3)))) for a in dict.fromkeys(" ".join(axes.values()).split())}
    arrays = {name: draw(numbers.get(name, reals)(*(size[a] for a in spec.split()))) for name, spec in axes.items()}
    return make(**arrays)


def _chosen(shape: tuple[int, ...], values: Array) -> st.SearchStrategy[Array]:
    """Arrays of these values: a byte or two each, ten times as fast as one draw each; a zero byte is the value nearest 0."""
    by_size = values[np.lexsort((-values, abs(values)))]
    word = np.dtype("<u1" if len(values) <= 1 << 8 else "<u2" if len(values) <= 1 << 16 else "<u4")
    size = math.prod(shape) * word.itemsize
    return st.binary(min_size=size, max_size=size).map(
        lambda drawn: by_size[np.frombuffer(drawn, word).astype(np.int64) % len(by_size)].reshape(shape)
    )
