"""The few sums that reports need, exact and without tables."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Where a share lies, with the confidence asked for."""

    low: float
    high: float


def wilson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share (JASA 22, 1927): never outside [0, 1], sound for few trials and for shares near 0 or 1.

    Args:
        successes: how often it happened, 0 … trials.
        trials: how often it could have; with none, nothing is known: (0, 1).
        confidence: of a two-sided interval.

    Raises:
        ValueError: for successes outside of 0 … trials, or confidence outside of (0, 1).
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes must lie in 0 … {trials}, not {successes}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), not {confidence}")
    if trials == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = successes / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    # At the ends the formula gives 0 and 1 exactly; rounding must not take them away.
    return Interval(0.0 if successes == 0 else middle - half, 1.0 if successes == trials else middle + half)


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile, linear between neighbours (Hyndman and Fan's type 7).

    Raises:
        ValueError: where there is no value, or q lies outside of [0, 1].
    """
    if not values or not 0 <= q <= 1:
        raise ValueError("quantile needs a value and q in [0, 1]")
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])


def histogram(values: Sequence[float], top: float, bins: int = 10) -> tuple[int, ...]:
    """How many values lie in each of `bins` equal parts of [0, top]; the last part holds `top` itself.

    Raises:
        ValueError: for a value outside of [0, top], or no part to put it in.
    """
    if top <= 0 or bins < 1:
        raise ValueError("histogram needs top > 0 and at least one bin")
    counts = [0] * bins
    for value in values:
        if not 0 <= value <= top:
            raise ValueError(f"{value} lies outside of [0, {top}]")
        counts[min(int(value / top * bins), bins - 1)] += 1
    return tuple(counts)
