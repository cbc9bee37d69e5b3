"""What a cohort's verdicts say together: scores, success of each function, wrong ideas by frequency, and who needs a look."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograder.course import Topic
from autograder.journal import Entry
from autograder.stats import Interval, quantile, wilson
from autograder.verdict import FunctionVerdict, Status, SubmissionVerdict, Text

LOW = 0.4  # of the points: below it a person should look
DIED = (Status.TIMEOUT, Status.MEMORY, Status.CRASHED)


class Mistake(NamedTuple):
    """Something that went wrong in the same way for some students."""

    name: str  # of the wrong idea, or of the claim
    text: Text  # its hint, or the claim's sentence
    students: tuple[str, ...]


@dataclass(frozen=True)
class FunctionSums:
    """One function over all who were graded in it."""

    name: str
    out_of: float
    statuses: Mapping[Status, int]
    ideas: tuple[Mistake, ...]  # named wrong ideas, most frequent first
    unnamed: tuple[Mistake, ...]  # claims that failed first where no idea was found

    @property
    def judged(self) -> int:
        return sum(n for status, n in self.statuses.items() if status is not Status.GRADER_ERROR)

    @property
    def passed(self) -> int:
        return self.statuses.get(Status.PASSED, 0)

    @property
    def success(self) -> Interval:
        return wilson(self.passed, self.judged)


class Look(NamedTuple):
    """A submission that a person should see, and why."""

    student: str
    topic: str
    reasons: tuple[Text, ...]


class GraderError(NamedTuple):
    """A fault of ours: nobody loses points by it, and somebody must mend it."""

    topic: str
    function: str
    why: Text
    students: tuple[str, ...]


@dataclass(frozen=True)
class TopicSums:
    """One topic over a cohort."""

    name: str
    title: Text
    out_of: float
    scores: Mapping[str, float]  # of those who are graded
    ungraded: tuple[str, ...]
    functions: tuple[FunctionSums, ...]
    errors: tuple[GraderError, ...]
    looks: tuple[Look, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines: the same numbers."""
        values = list(self.scores.values())
        return {
            "topic": self.name,
            "out_of": self.out_of,
            "graded": len(values),
            "ungraded": list(self.ungraded),
            "quartiles": [quantile(values, q) for q in (0.25, 0.5, 0.75)] if values else None,
            "functions": [
                {
                    "function": f.name,
                    "passed": f.passed,
                    "judged": f.judged,
                    "success_95": list(f.success),
                    "statuses": {str(status): n for status, n in sorted(f.statuses.items())},
                    "ideas": {m.name: list(m.students) for m in f.ideas},
                    "claims_without_idea": {m.name: list(m.students) for m in f.unnamed},
                }
                for f in self.functions
            ],
            "grader_errors": [
                {"function": e.function, "why": e.why._asdict(), "students": list(e.students)} for e in self.errors
            ],
            "needs_a_look": [{"student": x.student, "reasons": [r._asdict() for r in x.reasons]} for x in self.looks],
        }


def sums(topic: Topic, entries: Iterable[Entry]) -> TopicSums:
    """The sums of one topic over what the journal holds of it."""
    known = list(entries)
    graded = {e.student: e.verdict for e in known if e.verdict is not None}
    scores = {student: points for student, verdict in graded.items() if (points := verdict.points) is not None}
    return TopicSums(
        topic.name,
        topic.title,
        topic.out_of,
        scores,
        tuple(e.student for e in known if e.student not in scores),
        tuple(_function(name, points, graded) for name, points in topic.points.items()),
        tuple(_errors(topic.name, graded)),
        tuple(Look(e.student, topic.name, reasons) for e in known if (reasons := tuple(_reasons(e)))),
    )


def _function(name: str, out_of: float, graded: Mapping[str, SubmissionVerdict]) -> FunctionSums:
    each = {student: v for student, verdict in graded.items() for v in verdict.functions if v.function == name}
    ideas: dict[tuple[str, Text], list[str]] = defaultdict(list)
    unnamed: dict[tuple[str, Text], list[str]] = defaultdict(list)
    for student, verdict in each.items():
        if verdict.idea:
            ideas[verdict.idea.name, verdict.idea.hint].append(student)
        elif verdict.status is Status.FAILED and verdict.failed:
            unnamed[verdict.failed.name, verdict.failed.text].append(student)
    return FunctionSums(
        name, out_of, Counter(v.status for v in each.values()), _by_frequency(ideas), _by_frequency(unnamed)
    )


def _by_frequency(found: Mapping[tuple[str, Text], Sequence[str]]) -> tuple[Mistake, ...]:
    each = (Mistake(name, text, tuple(students)) for (name, text), students in found.items())
    return tuple(sorted(each, key=lambda m: (-len(m.students), m.name)))


def _errors(topic: str, graded: Mapping[str, SubmissionVerdict]) -> Iterator[GraderError]:
    found: dict[tuple[str, Text], list[str]] = defaultdict(list)
    for student, verdict in graded.items():
        for v in verdict.functions:
            if v.status is Status.GRADER_ERROR:
                found[v.function, v.why or Text("原因不明", "for a reason unknown")].append(student)
    for (function, why), students in found.items():
        yield GraderError(topic, function, why, tuple(students))


def _reasons(entry: Entry) -> Iterator[Text]:
    """Why a person should look at this submission; nothing where all is in order."""
    if entry.trouble:
        yield Text(f"採点できません: {entry.trouble['ja']}", f"could not be graded: {entry.trouble['en']}")
    if entry.verdict is None:
        return
    functions = entry.verdict.functions
    died = [f for f in functions if f.status in DIED]
    if died:
        names = ", ".join(f"{f.function} ({f.status})" for f in died)
        yield Text(f"実行が打ち切られました: {names}", f"was stopped while running: {names}")
    if functions and all(f.status is Status.MISSING for f in functions):
        yield Text("まだ何も書かれていません", "nothing has been written yet")
    elif (points := entry.verdict.points) is not None and points < LOW * entry.verdict.out_of and not died:
        yield Text(
            f"得点が {LOW:.0%} 未満です({_stuck(functions, 'ja')})",
            f"below {LOW:.0%} of the points ({_stuck(functions, 'en')})",
        )


def _stuck(functions: Sequence[FunctionVerdict], lang: str) -> str:
    """Where to begin the conversation: the first function that is not right."""
    first = next(f for f in functions if f.status is not Status.PASSED)
    return {"ja": f"まず {first.function}", "en": f"begin with {first.function}"}[lang]
