"""What laws are made of: assertions that say in both languages what they saw."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.comparison import EXACT, FORWARD, SLOPE, Tolerance, difference
from autograder.verdict import Text

Array = np.ndarray[Any, Any]


class Broken(AssertionError):
    """A law does not hold; `text` says what was seen."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


def assert_close(actual: Any, expected: Any, within: Tolerance = FORWARD) -> None:
    """`actual` has the structure and shape of `expected`, and its numbers up to the tolerance."""
    if why := difference(actual, expected, within):
        raise Broken(why)


def assert_equal(actual: Any, expected: Any) -> None:
    """For counts and labels: equal, whatever the integer type. Floats take `assert_close`, even where 0 is expected."""
    assert_close(actual, expected, EXACT)


def assert_at_most(actual: Any, bound: Any) -> None:
    """No entry exceeds its bound, up to the forward tolerance."""
    assert_close(np.maximum(actual, bound), np.broadcast_to(bound, np.shape(actual)) * 1.0)


def assert_slope(gradients: Sequence[Array], direction: Sequence[Array], slope: float) -> None:
    """The inner product of the gradients with a direction is the slope along it."""
    terms = np.concatenate([np.ravel(np.asarray(g) * d) for g, d in zip(gradients, direction, strict=True)])
    assert_close(float(terms.sum()), float(slope), SLOPE._replace(single=(0, 1e-3 * float(abs(terms).sum()), 0)))


def derivative(function: Callable[..., Any], point: Sequence[Array], along: Sequence[Array], step: float = 1e-5) -> Any:
    """Directional derivative by central difference."""
    ahead, behind = ([p + way * d for p, d in zip(point, along, strict=True)] for way in (step, -step))
    return (function(*ahead) - function(*behind)) / (2 * step)
