"""Which wrong idea gives these answers? The one that agrees wherever they are wrong, and goes wrong least elsewhere."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from autograder.checker.plan import Wrong
from autograder.checker.replay import Replay, Taken
from autograder.comparison import difference
from autograder.forms import same
from autograder.properties import Claim, Mutant
from autograder.verdict import Idea


def idea(replay: Replay, claims: Iterable[Claim]) -> Idea | None:
    """The idea behind all wrong answers or, where two ideas meet in one function, behind those that one claim met.

    Args:
        claims: that fail; the one that feedback leads with first.
    """
    if found := _agreeing(replay, replay.wrong):
        return Idea(found.name, found.hint)
    for claim in claims:
        calls = frozenset[int]().union(*(example.calls for example, _ in replay.failing(claim, ask=False)))
        if found := _agreeing(replay, replay.wrong & calls):
            return Idea(found.name, found.hint)
    return None


def _agreeing(replay: Replay, calls: Collection[int]) -> Mutant | None:
    if not calls:
        return None
    acted = replay.plan.mutants
    agreeing = [m for m in replay.subject.mutants if _agrees(replay.taken, acted[m.name], calls)]
    fewest = min((len(acted[m.name]) for m in agreeing), default=0)
    least = [m for m in agreeing if len(acted[m.name]) == fewest]
    return least[0] if len(least) == 1 else None  # of two that cannot be told apart, neither is named


def _agrees(taken: Sequence[Taken], acted: Mapping[int, Wrong], calls: Collection[int]) -> bool:
    return all((other := acted.get(call)) is not None and _alike(taken[call], other) for call in sorted(calls))


def _alike(answer: Taken, other: Wrong) -> bool:
    if (answer.why is not None) != other.malformed or other.raised:
        return False
    if not other.malformed and same(answer.value, other.value):  # the common case, and a tenth of the cost
        return True
    try:
        return difference(answer.raw if other.malformed else answer.value, other.value) is None
    except (TypeError, ValueError):  # two answers of no form at all
        return False
