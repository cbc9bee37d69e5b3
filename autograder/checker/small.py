"""For every wrong idea a smallest counterexample: found once a topic, whatever the round, and part of every round's plan.

Whoever holds the idea then fails on an input that can be worked by hand, and neither a live call nor shrinking is needed to tell her.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from autograder.checker.laws import Lawless, quiet
from autograder.checker.plan import Example, Plan, Small, make
from autograder.checker.replay import Replay
from autograder.checker.subject import Function, Subject, rehearse
from autograder.draws import Values, shrunk
from autograder.properties import Claim
from autograder.sandbox import Answer, Call

SEED = "smallest counterexamples"  # no round's: these are the same in all of them
EVALUATIONS = 80  # of a law while one is shrunk: most need fewer
COUNTS = (10, 50)  # examples of each claim: few for most ideas, more where one of them goes wrong rarely


class _Told(NamedTuple):
    """A wrong idea, and the claim that tells it best."""

    mutant: str
    replay: Replay
    claim: Claim
    failing: Sequence[Example]
    share: float


def find(subject: Subject) -> list[Small]:
    """A wrong idea that breaks no claim here has none; the author's check refuses it."""
    found: dict[str, Small] = {}
    for count in COUNTS:
        scout = make(subject, SEED, count)
        with quiet():
            missed = [m for m in subject.mutants if m.name not in found]
            told = [best for m in missed if (best := _told(subject, scout, m.name, m.act)) is not None]
            # What is told most often has the smallest counterexample, and that tells many others as well.
            for each in sorted(told, key=lambda best: -best.share):
                found[each.mutant] = _known(subject, each, found.values()) or _shrunk(each)
        if len(found) == len(subject.mutants):
            break
    return [found[m.name] for m in subject.mutants if m.name in found]


def replay_of(subject: Subject, plan: Plan, function: Function) -> Replay:
    """The answers of one of our own functions to a plan."""

    def ask(call: Call) -> Answer:
        return rehearse(function, call, subject.tensors)

    return Replay.of(subject, plan, [ask(call) for call in plan.calls], ask)


def _told(subject: Subject, scout: Plan, name: str, act: Function) -> _Told | None:
    replay = replay_of(subject, scout, act)
    try:
        broken = {claim: [example for example, _ in replay.failing(claim)] for claim in subject.claims}
    except Lawless:
        return None  # named by the author's check, and a fault of the grader for whoever gives such answers
    shares = {claim: len(failing) / len(scout.examples[claim.name]) for claim, failing in broken.items()}
    best = max(shares, key=lambda claim: shares[claim])
    return _Told(name, replay, best, broken[best], shares[best]) if broken[best] else None


def _known(subject: Subject, told: _Told, found: Iterable[Small]) -> Small | None:
    """Another idea's counterexample that tells this one too."""
    for small in found:
        try:
            if told.replay.breaks(subject.claim(small.claim), small.values) is not None:
                return small._replace(mutant=told.mutant)
        except Lawless:
            continue
    return None


def _shrunk(told: _Told) -> Small:
    first = min(told.failing, key=lambda example: example.weight)
    least = shrunk(told.claim, SEED, first.number, partial(_breaks, told.replay, told.claim), EVALUATIONS)
    return Small(told.mutant, told.claim.name, least or first.values)


def _breaks(replay: Replay, claim: Claim, values: Values) -> bool:
    return replay.breaks(claim, values) is not None
