"""What Hypothesis is asked for: one example of a claim, the same for the same seed; and the least like a failing one.

Each example is a draw of its own (within one run Hypothesis varies what it drew before: 25 examples of a run have the variety
of ten), fed with bytes of the seed through Hypothesis' documented entry for fuzzers: a third of the cost of a run.
"""

import os
import random
import time
from collections.abc import Callable
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import InMemoryExampleDatabase

from autograder.errors import Finding
from autograder.forms import freeze
from autograder.properties import Claim

Values = dict[str, Any]

BYTES = 2048  # more than an example takes; where one takes more, it is drawn again from four times as many
ATTEMPTS = 40

# Hypothesis keeps caches in a folder even without a database of examples; where none can be made, it does without.
set_hypothesis_home_dir(os.devnull + "/none")


class Draws:
    """The examples of one claim."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._drawn: list[Values] = []
        self._fuzz = _test(claim, self._drawn.append).hypothesis.fuzz_one_input

    def example(self, seed: str, index: int) -> Values:
        """The example of this number. Claims on the same strategies meet the same inputs: the name is no part of the seed.

        Raises:
            Finding: where the strategies give none.
        """
        for attempt in range(ATTEMPTS):
            self._drawn.clear()
            if self._fuzz(_bytes(seed, index, attempt)) is not None and self._drawn:
                freeze(values := self._drawn[-1])
                return values
        raise Finding(
            f"claim {self.claim.name}: its strategies gave no example in {ATTEMPTS} attempts (a filter that refuses too much?)"
        )


def shrunk(
    claim: Claim, seed: str, index: int, broken: Callable[[Values], bool], evaluations: int = 300, seconds: float = 5.0
) -> Values | None:
    """The smallest example that Hypothesis makes of one that breaks the claim; None where this one does not.

    Args:
        broken: does the claim fail for these values?
        evaluations: asked at most that often, so that the result does not depend on the machine …
        seconds: … unless it is so slow.
    """
    least: list[Values] = []
    stop, deadline = [evaluations], time.monotonic() + seconds

    def visit(values: Values) -> None:
        stop[0] -= 1
        if stop[0] < 0 or (least and time.monotonic() > deadline):
            raise _Enough
        freeze(values)
        if broken(values):
            least[:] = [values]
            raise AssertionError

    test = _test(claim, visit, Phase.reuse, Phase.shrink)
    try:
        for attempt in range(ATTEMPTS):
            test.hypothesis.fuzz_one_input(_bytes(seed, index, attempt))
    except AssertionError:
        try:
            test()
        except _Enough:
            pass
        except Exception:  # the failure itself, or that it is flaky: the least that failed is what we have
            pass
    except _Enough:
        pass
    return least[0] if least else None


class _Enough(BaseException):
    """Not an Exception: Hypothesis would take one for a failure of the test."""


def _bytes(seed: str, index: int, attempt: int) -> bytes:
    return random.Random(f"{seed}/{index}/{attempt // 2}").randbytes(BYTES << 2 * (attempt % 2))


def _test(claim: Claim, visit: Callable[[Values], Any], *phases: Phase) -> Any:
    settings = hypothesis.settings(
        max_examples=1, phases=phases or (Phase.generate,), deadline=None, report_multiple_bugs=False, print_blob=False,
        database=InMemoryExampleDatabase() if phases else None, suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )  # fmt: skip

    def test(values: Values) -> None:
        visit(values)

    # The seed goes on first: on top it would take the database of examples away, and with it what is to be shrunk.
    return settings(hypothesis.given(claim.inputs())(hypothesis.seed(0)(test)))
