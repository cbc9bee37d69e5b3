"""One round of a topic, tried: what is right must be accepted, what is wrong told apart, and what is nothing earn nothing."""

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from autograder.checker import Rehearsal, Round, judge_function
from autograder.checker.laws import Lawless, broken, quiet
from autograder.checker.live import Live
from autograder.checker.replay import Replay
from autograder.checker.subject import Subject, rehearse
from autograder.lint._report import FunctionReport, MutantReport, Report, place_of
from autograder.properties import Mutant
from autograder.verdict import FunctionVerdict, Status

Function = Callable[..., Any]


def try_round(round: Round, report: Report, timed: bool) -> None:
    """Put every function of our own to a round's plan."""
    for name, subject in round.subjects.items():
        each = report.functions.setdefault(name, FunctionReport())
        trial = _Trial(round, subject, each, report)
        each.calls = max(each.calls, len(trial.plan.calls))
        for claim, what in trial.plan.faults:
            place = place_of(subject.claim(claim).law, trial.properties)
            report.fault(place, f"{claim}: {what}", "mend the law, what is drawn for it, or the reference")
        if trial.plan.faults:
            continue
        if timed:
            trial.time()
        trial.accept()
        trial.refuse()
        for mutant in subject.mutants:
            trial.tell(mutant)


class _Trial:
    """One function in one round."""

    def __init__(self, round: Round, subject: Subject, into: FunctionReport, report: Report) -> None:
        self.round, self.subject, self.into, self.report = round, subject, into, report
        self.plan = round.plans[subject.name]
        self.work = next(work for work in round.works if work.function == subject.name)
        hidden = round.topic.folder / "hidden"
        self.properties, self.mutants, self.alternatives = (
            hidden / f"{n}.py" for n in ("properties", "mutants", "alternatives")
        )

    def time(self) -> None:
        """What one evaluation of each law costs."""
        with quiet():
            replay = self._replay(self.subject.of)
            for claim in self.subject.claims:
                start, examples = perf_counter(), self.plan.examples[claim.name]
                for example in examples:
                    broken(claim, replay, example.values)
                self.into.claim_ms[claim.name] = round(1e3 * (perf_counter() - start) / len(examples), 2)

    def accept(self) -> None:
        """Every right answer earns all."""
        for name, function, place in self._right():
            verdict, live = self._judged(function)
            self.into.accepted[name] = max(live, self.into.accepted.get(name, 0))
            if verdict.status is not Status.PASSED:
                what = f"{self.subject.name}: {name} is refused: {_said(verdict)}"
                self.report.fault(place, what, "mend the answer or, where it is right, the claim or its tolerance")

    def refuse(self) -> None:
        """Trivial answers earn nothing."""
        for name, function in _trivial(self.subject):
            verdict, _ = self._judged(function)
            if verdict.points:
                what = f"{self.subject.name}: {name} earns {verdict.points:g}"
                self.report.fault(str(self.properties), what, "add a claim that compares the whole result")

    def tell(self, mutant: Mutant) -> None:
        """A wrong idea is told by some claim, and recognised."""
        found = self.into.mutants.setdefault(mutant.name, MutantReport(place=place_of(mutant.act, self.mutants)))
        verdict, _ = self._judged(mutant.act)
        if verdict.status is Status.GRADER_ERROR:
            what = f"{mutant.name}: {_said(verdict)}"
            self.report.fault(found.place, what, "a law must fail by an assertion, whatever a well-formed answer holds")
            return
        found.earned = max(found.earned, verdict.points or 0.0)
        found.ideas[verdict.idea.name if verdict.idea else ""] += 1
        self._count(mutant.act, found)

    def _count(self, function: Function, found: MutantReport) -> None:
        """On how many examples of the round each claim tells it."""
        with quiet():
            replay = self._replay(function)
            for claim in self.subject.claims:
                found.examples[claim.name] += sum(example.number >= 0 for example in self.plan.examples[claim.name])
                try:
                    found.breaks[claim.name] += sum(example.number >= 0 for example, _ in replay.failing(claim))
                except Lawless as e:
                    self.report.fault(place_of(claim.law, self.properties), str(e), "a law must fail by an assertion")

    def _replay(self, function: Function) -> Replay:
        reply = Rehearsal({self.subject.name: function}).reply(self.work)
        return Replay.of(
            self.subject, self.plan, reply.answers(), lambda call: rehearse(function, call, self.work.tensors)
        )

    def _right(self) -> Iterator[tuple[str, Function, str]]:
        """Right answers: name, function, where it is written."""
        of, settings = self.subject.of, str(self.properties)
        yield "the reference", of, settings
        written = [
            (a.name, a.act, place_of(a.act, self.alternatives))
            for a in self.round.topic.alternatives(self.subject.name)
        ]
        yield from written
        if self.subject.tensors:
            return
        yield "the reference in lists", lambda *args: _lists(of(*args)), settings
        for name, function, place in (("the reference", of, settings), *written):
            yield f"{name} in float32", _in_single(function), place

    def _judged(self, function: Function) -> tuple[FunctionVerdict, int]:
        """The verdict as a submission would have it, and the live calls that it took."""
        name, topic = self.subject.name, self.round.topic
        worker = Rehearsal({name: function})
        worker.load(self.round.key, self.round.works)
        with Live(partial(worker.session, self.round.key, (), name, topic.limits)) as live:
            return judge_function(self.round, worker.reply(self.work), live).verdict, live.calls


def _trivial(subject: Subject) -> Iterator[tuple[str, Function]]:
    """Answers that know nothing: in the form of the right ones, which is the most that they can have."""

    def stub(*_: Any) -> Any:
        raise NotImplementedError

    yield "the stub", stub
    yield "the first argument", lambda *args: args[0]
    if subject.tensors:
        import torch

        yield "zeros", lambda *args: _on_each(subject.of(*args), torch.Tensor, torch.zeros_like)
        yield "random numbers", lambda *args: _on_each(subject.of(*args), torch.Tensor, _random_tensor)
    else:
        kinds = (np.ndarray, np.generic, bool, int, float)
        yield "zeros", lambda *args: _on_each(subject.of(*args), kinds, lambda part: np.zeros_like(part)[()])
        yield "random numbers", lambda *args: _on_each(subject.of(*args), kinds, _random)


def _random(part: Any) -> Any:
    drawn = np.random.default_rng(7).uniform(-2, 2, np.shape(part))
    dtype = np.asarray(part).dtype
    return (drawn > 0 if dtype.kind == "b" else drawn.round() if dtype.kind in "iu" else drawn).astype(dtype)[()]


def _random_tensor(part: Any) -> Any:
    import torch

    return torch.as_tensor(_random(part.detach().numpy()), dtype=part.dtype)


def _on_each(value: Any, kinds: Any, make: Function) -> Any:
    """The same structure with other leaves."""
    if isinstance(value, kinds):
        return make(value)
    if isinstance(value, dict):
        return {key: _on_each(part, kinds, make) for key, part in value.items()}
    return tuple(_on_each(part, kinds, make) for part in value) if isinstance(value, tuple | list) else value


def _lists(value: Any) -> Any:
    """Tuples stay, for what they hold is not of one kind; arrays are lists."""
    if isinstance(value, tuple | list):
        return type(value)(map(_lists, value)) if type(value) in (tuple, list) else tuple(map(_lists, value))
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _in_single(function: Function) -> Function:
    """The same in float32: arrays in, arrays and numbers out; floats among the arguments are settings, and remain."""
    return lambda *args: _single(
        function(*(_single(a) if isinstance(a, np.ndarray | tuple | list) else a for a in args))
    )


def _single(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [*map(_single, value)] if isinstance(value, list) else tuple(map(_single, value))
    is_float = isinstance(value, float | np.floating) or (isinstance(value, np.ndarray) and value.dtype == np.float64)
    return np.float32(value) if is_float else value


def _said(verdict: FunctionVerdict) -> str:
    """Why a verdict is what it is, in one line."""
    if verdict.failed is None:
        return f"{verdict.status}: {verdict.why.en if verdict.why else ''}"
    return f"{verdict.failed.name}: {verdict.failed.why.en if verdict.failed.why else 'does not hold'}"
