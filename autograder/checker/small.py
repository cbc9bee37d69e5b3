"""For every wrong idea its smallest counterexample: found once a topic, whatever the round, and part of every round's plan.

Whoever holds the idea then fails on an input that can be worked by hand, and neither a live call nor shrinking is needed to tell her.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from autograder.checker.draws import Values, shrunk
from autograder.checker.laws import Lawless, quiet
from autograder.checker.plan import Example, Plan, Small, make
from autograder.checker.replay import Replay
from autograder.checker.subject import Function, Subject, rehearse
from autograder.properties import Claim
from autograder.sandbox import Answer, Call

SEED = "smallest counterexamples"  # no round's: these are the same in all of them
COUNTS = (10, 50)  # examples of each claim: few for most ideas, more where one of them goes wrong rarely


def find(subject: Subject) -> list[Small]:
    """A wrong idea that breaks no claim here has none; the author's check refuses it."""
    found: list[Small] = []
    for count in COUNTS:
        scout = make(subject, SEED, count)
        missed = [m for m in subject.mutants if m.name not in {small.mutant for small in found}]
        found += [small for mutant in missed for small in _of(subject, scout, mutant.name, mutant.act)]
        if len(found) == len(subject.mutants):
            break
    return found


def replay_of(subject: Subject, plan: Plan, function: Function) -> Replay:
    """The answers of one of our own functions to a plan."""

    def ask(call: Call) -> Answer:
        return rehearse(function, call, subject.tensors)

    return Replay.of(subject, plan, [ask(call) for call in plan.calls], ask)


def _of(subject: Subject, scout: Plan, name: str, act: Function) -> Iterator[Small]:
    with quiet():
        replay = replay_of(subject, scout, act)
        try:
            broken = {claim: [example for example, _ in replay.failing(claim)] for claim in subject.claims}
            best = max(subject.claims, key=lambda claim: len(broken[claim]) / len(scout.examples[claim.name]))
            if broken[best]:
                yield Small(name, best.name, _smallest(replay, best, broken[best]))
        except Lawless:
            return  # named by the author's check, and a fault of the grader for whoever gives such answers


def _smallest(replay: Replay, claim: Claim, failing: Sequence[Example]) -> Values:
    first = min(failing, key=lambda example: example.weight)
    return shrunk(claim, SEED, first.number, partial(_breaks, replay, claim)) or first.values


def _breaks(replay: Replay, claim: Claim, values: Values) -> bool:
    return replay.breaks(claim, values) is not None
