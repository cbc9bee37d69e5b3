"""Comparison of an answer with what is expected: structure before values, and what was seen in both languages."""

from contextvars import ContextVar
from typing import Any, NamedTuple, Self

import numpy as np

from autograder.verdict import Text


class Tolerance(NamedTuple):
    """How far an answer may lie from what is expected; `single` is the least where it was computed in float32."""

    rtol: float
    atol: float
    single: tuple[float, float, float] = (1e-4, 1e-4, 0)  # rtol, atol, and a share of the largest entry

    def scaled(self, by: float) -> Self:
        """The same with the absolute parts in units of `by`."""
        rtol, atol, share = self.single
        return self._replace(atol=self.atol * by, single=(rtol, atol * by, share))


FORWARD = Tolerance(1e-7, 1e-9)
SLOPE = Tolerance(1e-5, 1e-7)  # against central differences
GRADIENT = FORWARD._replace(single=(1e-3, 0, 1e-4))
EXACT = Tolerance(0, 0)

# Has the law at hand met an answer in float32? Laws mix answers with float64, and the dtype is gone by then.
SINGLE: ContextVar[bool] = ContextVar("SINGLE", default=False)


def in_float32(value: Any) -> bool:
    return (
        any(map(in_float32, value)) if isinstance(value, tuple | list) else getattr(value, "dtype", None) == np.float32
    )


def difference(actual: Any, expected: Any, within: Tolerance = FORWARD) -> Text | None:
    """What tells `actual` from `expected`, structure before values; None where nothing does.

    A plain number expected stands for every entry of an array.
    """
    rtol, atol, (r, a, share) = within
    if within != EXACT and (SINGLE.get() or in_float32(actual)):
        rtol, atol = max(rtol, r), max(atol, a, share * _largest(expected))
    return _difference(actual, expected, rtol, atol)


def _largest(value: Any) -> float:
    if isinstance(value, tuple | list):
        return max(map(_largest, value), default=0)
    sizes = np.abs(np.asarray(value, dtype=complex))
    return float(np.max(sizes, initial=0, where=np.isfinite(sizes)))


def _difference(actual: Any, expected: Any, rtol: float, atol: float) -> Text | None:
    if isinstance(expected, tuple | list):
        if not isinstance(actual, tuple | list) or len(actual) != len(expected):
            return Text(f"{len(expected)} 個の値の組を返すはずです", f"expected {len(expected)} parts")
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            if why := _difference(a, e, rtol, atol):
                return Text(f"{i + 1} 番目の値: {why.ja}", f"part {i + 1}: {why.en}")
        return None
    if isinstance(expected, str | bytes | None) or isinstance(actual, str | bytes | None):
        same = type(actual) is type(expected) and actual == expected
        return (
            None if same else Text(f"{expected!r} のはずが {actual!r} です", f"expected {expected!r}, got {actual!r}")
        )
    if isinstance(expected, dict):
        if not isinstance(actual, dict) or actual.keys() != expected.keys():
            return Text(f"キーは {sorted(expected)} のはずです", f"expected the keys {sorted(expected)}")
        return _difference([actual[k] for k in expected], list(expected.values()), rtol, atol)
    a, e = np.asarray(actual), np.asarray(expected)
    if a.shape != e.shape and not isinstance(expected, int | float):
        return Text(f"形は {e.shape} のはずが {a.shape} です", f"expected the shape {e.shape}, got {a.shape}")
    far = ~np.isclose(a, e, rtol=rtol, atol=atol, equal_nan=True)
    if not far.any():
        return None
    at = tuple(map(int, np.argwhere(far)[0]))
    right, got = np.broadcast_to(e, a.shape)[at], a[at]
    place = Text(f"添字 {list(at)} で", f" at {list(at)}") if at else Text("", "")
    return Text(
        f"{place.ja} {right:.6g} のはずが {got:.6g} です".strip(), f"expected {right:.6g}, got {got:.6g}{place.en}"
    )
