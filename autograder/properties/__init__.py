"""What an author writes about a topic: claims, wrong ideas, other right answers; and what inputs and laws are made of."""

from autograder.comparison import EXACT, FORWARD, GRADIENT, SINGLE, SLOPE, Tolerance, difference, in_float32
from autograder.properties._declared import (
    Alternative,
    Claim,
    Function,
    Mutant,
    Twin,
    alternative,
    bilingual,
    claim,
    mutant,
    twin,
)
from autograder.properties._inputs import alike, integers, reals, shaped
from autograder.properties._laws import (
    Broken,
    assert_at_most,
    assert_close,
    assert_equal,
    assert_slope,
    derivative,
)

__all__ = [
    "EXACT",
    "FORWARD",
    "GRADIENT",
    "SINGLE",
    "SLOPE",
    "Alternative",
    "Broken",
    "Claim",
    "Function",
    "Mutant",
    "Tolerance",
    "Twin",
    "alike",
    "alternative",
    "assert_at_most",
    "assert_close",
    "assert_equal",
    "assert_slope",
    "bilingual",
    "claim",
    "derivative",
    "difference",
    "in_float32",
    "integers",
    "mutant",
    "reals",
    "shaped",
    "twin",
]
