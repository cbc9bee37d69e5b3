"""Plan once: the examples of a function's claims, the calls that these make of it, and what answers them rightly and wrongly."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from autograder import codec
from autograder.checker.laws import Lawless, broken, quiet
from autograder.checker.subject import MOST, Subject, key, rehearse
from autograder.draws import Draws, Values
from autograder.forms import Malformed, fitted, freeze, frozen, same
from autograder.sandbox import Answer, Call, Work
from autograder.shown import shown

AGAIN = 6  # calls that are repeated, in another order and in a second child
LEAST_REPLY = 1 << 20


class Example(NamedTuple):
    """What a claim was drawn for, and what it asks then."""

    values: Values
    calls: frozenset[int]  # of the plan; where the reference's own answers come back, the claim holds
    weight: tuple[int, int]  # the smaller, the easier to follow
    number: int  # of the draw; -1 for a wrong idea's smallest counterexample


class Small(NamedTuple):
    """The smallest input that tells a wrong idea, by its best claim."""

    mutant: str
    claim: str
    values: Values


class Wrong(NamedTuple):
    """An answer of a wrong idea's that is not the reference's."""

    value: Any
    malformed: bool
    raised: bool


class Fault(NamedTuple):
    """What the author must mend before this function can be graded."""

    claim: str
    what: str


@dataclass
class Plan:
    """One function's plan in a round. Plain data; what the author wrote about the function comes from `subject`."""

    function: str
    seed: str
    calls: list[Call] = field(default_factory=list)
    keys: list[bytes] = field(default_factory=list)
    expected: list[Any] = field(default_factory=list)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    mutants: dict[str, dict[int, Wrong]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @cached_property
    def at(self) -> dict[bytes, int]:
        """Where a call stands in the plan."""
        return {found: i for i, found in enumerate(self.keys)}

    @property
    def again(self) -> tuple[int, ...]:
        """From the last to the first: both are among them, so that an answer that hangs on the number of calls is seen."""
        last = len(self.calls) - 1
        return tuple(dict.fromkeys(round(last * i / (AGAIN - 1)) for i in reversed(range(AGAIN)))) if last >= 0 else ()

    def work(self, tensors: bool) -> Work:
        """What goes to the sandbox: calls alone."""
        size = sum(len(codec.encode(value, MOST)) for value in self.expected)
        room = 16 * size + 4096 * len(self.calls)  # lists take more than arrays, and an exception has a traceback
        return Work(self.function, tuple(self.calls), self.again, tensors, max(LEAST_REPLY, 1 << room.bit_length()))


def make(subject: Subject, seed: str, count: int, small: Iterable[Small] = ()) -> Plan:
    """Draw the claims' examples, record what they ask of the reference, and let every wrong idea answer the same."""
    plan = Plan(subject.name, seed)
    recorder = Recorder(subject, plan)
    with quiet():
        for claim in subject.claims:
            plan.examples[claim.name] = []
            draws = Draws(claim)
            for i in range(count if claim.given else 1):
                recorder.add(claim.name, draws.example(seed, i), i)
        seen: set[tuple[str, str]] = set()
        for _, name, values in small:
            if (once := (name, _identity(values))) not in seen:
                seen.add(once)
                recorder.add(name, values, -1)
        for mutant in subject.mutants:
            answers = [rehearse(mutant.act, call, subject.tensors) for call in plan.calls]
            plan.mutants[mutant.name] = dict(_wrong(answers, plan.expected))
    for examples in plan.examples.values():
        examples.sort(
            key=lambda example: (example.number >= 0, example.weight)
        )  # the first that fails is then the best to show
    return plan


class Recorder:
    """`f` while a plan is made: the reference, and every call that is made of it."""

    def __init__(self, subject: Subject, plan: Plan) -> None:
        self._subject, self._plan = subject, plan
        self._met: set[int] = set()

    def add(self, claim: str, values: Values, index: int) -> None:
        """One more example of a claim, of which the reference must not be a counterexample."""
        self._met = set()
        try:
            if why := broken(self._subject.claim(claim), self, values):
                self._plan.faults.append(Fault(claim, f"the reference breaks it: {why.en}"))
        except Lawless as e:
            self._plan.faults.append(Fault(claim, str(e)))
        self._plan.examples[claim].append(Example(values, frozenset(self._met), weight(values), index))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer(self._subject.call(args, kwargs))

    def vjp(self, args: Sequence[Any]) -> Any:
        return self._answer(self._subject.call(tuple(args), {}, gradients=True))

    @property
    def expected(self) -> "Expected":
        return Expected(self._subject, self._plan)

    def _answer(self, call: Call) -> Any:
        plan, found = self._plan, key(call)
        at = plan.at.get(found)
        if at is None:
            at = plan.at[found] = len(plan.calls)
            call = Call(frozen(call.arguments), call.gradients)
            right = self._subject.right(call)
            codec.encode(right, MOST)  # an answer that could not cross is the author's fault: here, not in a cohort
            plan.calls.append(call)
            plan.keys.append(found)
            plan.expected.append(right)
        self._met.add(at)
        return plan.expected[at]


class Expected:
    """`f.expected` in a law: the reference on the trusted side."""

    def __init__(self, subject: Subject, plan: Plan) -> None:
        self._subject, self._plan = subject, plan

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer(self._subject.call(args, kwargs))

    def vjp(self, args: Sequence[Any]) -> Any:
        return self._answer(self._subject.call(tuple(args), {}, gradients=True))

    def _answer(self, call: Call) -> Any:
        at = self._plan.at.get(key(call))
        return self._subject.right(call) if at is None else self._plan.expected[at]


def weight(values: Any) -> tuple[int, int]:
    """How much there is to read: the number of entries, then how long they are."""
    entries, letters = 0, 0
    if isinstance(values, np.ndarray):
        return values.size + values.ndim, 4 * int(np.count_nonzero(values)) + int(min(np.nansum(np.abs(values)), 1e9))
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        for part in values:
            more, longer = weight(part)
            entries, letters = entries + more, letters + longer
        return entries, letters
    return 1, len(str(values))


def _identity(values: Values) -> str:
    return json.dumps(shown(list(values.values())), sort_keys=True)


def _wrong(answers: Sequence[Answer], expected: Sequence[Any]) -> Iterable[tuple[int, Wrong]]:
    for i, (answer, right) in enumerate(zip(answers, expected, strict=True)):
        if answer.raised or answer.unusable:
            yield i, Wrong(None, True, bool(answer.raised))
            continue
        try:
            value = fitted(answer.value, right)
        except Malformed:
            yield i, Wrong(frozen(answer.value), True, False)
            continue
        if not same(value, right):
            freeze(value)
            yield i, Wrong(value, False, False)
