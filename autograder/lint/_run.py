"""A whole check: files, then rounds, then once through the real sandbox."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from autograder import standalone
from autograder.checker import Round, judge
from autograder.course import Content, Topic
from autograder.errors import EcertError, Usage
from autograder.lint._report import LEAST_RATE, Report
from autograder.lint._sources import check_sources
from autograder.lint._trials import try_round
from autograder.sandbox import Worker, usable
from autograder.verdict import Status

Progress = Callable[[str], None]


def check(
    content: Content, name: str, rounds: int = 1, sandbox: bool = True, progress: Progress = lambda step: None
) -> Report:
    """Everything that is wrong with a topic.

    Args:
        rounds: how many rounds are drawn and tried, each from a seed of its own; the same at every check.
        sandbox: also grade the reference and the stubs through the real sandbox, where this machine has one.
        progress: told what is done next.
    """
    report, start = Report(name), perf_counter()
    try:
        topic = content.topic(name)
    except Usage:
        raise
    except EcertError as e:
        place, _, what = str(e).partition(": ")
        report.fault(place, what or place, "mend topic.toml")
        return report
    progress("files")
    if check_sources(topic, report):
        with TemporaryDirectory(prefix="ecert-check-") as folder:
            _try(content, topic, rounds, sandbox, report, Path(folder), progress)
    report.seconds = perf_counter() - start
    return report


def _try(
    content: Content, topic: Topic, rounds: int, sandbox: bool, report: Report, folder: Path, progress: Progress
) -> None:
    for number in range(rounds):
        progress(f"round {number + 1} of {rounds}")
        try:
            round = Round.prepare(topic, _seed(number), content.examples, folder)
        except EcertError as e:
            report.fault(str(topic.folder / "hidden" / "properties.py"), str(e), "mend what is drawn")
            return
        try_round(round, report, timed=number == 0)
        report.rounds += 1
        if number == 0 and sandbox and not report.faults:
            progress("sandbox")
            _confined(round, report)
    _rates(report)


def _seed(number: int) -> bytes:
    return hashlib.sha256(b"ecert check %d" % number).digest()


def _rates(report: Report) -> None:
    """Wrong ideas that some round would not tell, or take for another."""
    for function in report.functions.values():
        for name, found in function.mutants.items():
            best = max(found.rates.values(), default=0.0)
            if found.ideas and not found.rates:
                report.fault(
                    found.place,
                    f"no claim tells {name} from the right answer",
                    "add a claim, or draw inputs on which it goes wrong",
                )
            elif found.ideas and best < LEAST_RATE:
                claim = next(iter(found.rates))
                what = f"{name} is told by its best claim, {claim}, on {best:.0%} of the examples only: some round would let it pass"
                report.fault(
                    found.place, what, f"draw the inputs on which it goes wrong more often (at least {LEAST_RATE:.0%})"
                )
            if others := {idea or "nobody": count for idea, count in found.ideas.items() if idea != name}:
                said = ", ".join(f"{idea} ({count} of {found.ideas.total()} rounds)" for idea, count in others.items())
                report.fault(
                    found.place,
                    f"{name} is diagnosed as {said}",
                    "make the two differ where either is wrong, or keep one of them",
                )


def _confined(round: Round, report: Report) -> None:
    """The reference and the stubs, as cells of a notebook, through the real sandbox."""
    topic = round.topic
    if why := usable():
        report.notes.append(f"not tried in the sandbox: {why.en}")
        return
    right = [standalone.source_of(topic.reference(name), name) for name in topic.functions]
    stubs = [f"def {name}(*args):\n    raise NotImplementedError\n" for name in topic.functions]
    with Worker(tensors=topic.needs_torch, memory_mb=topic.limits.memory_mb) as worker:
        worker.load(round.key, round.works)
        for verdict in judge(round, worker, right, "reference").functions:
            if verdict.status is not Status.PASSED:
                why_not = verdict.why.en if verdict.why else verdict.failed and verdict.failed.name
                report.fault(
                    f"{topic.root}/reference/{topic.name}.py",
                    f"{verdict.function} in the sandbox: {verdict.status} ({why_not})",
                    "see that it needs nothing that is not there, and less than the limits",
                )
        for verdict in judge(round, worker, stubs, "stubs").functions:
            if verdict.points or verdict.status is Status.PASSED:
                report.fault(
                    str(topic.folder),
                    f"the stub of {verdict.function} earns {verdict.points:g}",
                    "add a claim that compares the whole result",
                )
