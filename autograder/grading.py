"""A cohort: each submission read, judged once, journalled, and filed as an autograded notebook with its rows in the gradebook.

A submission passes three stages, and a run may be killed between any two: its verdict stands in the journal; notebook and rows are written;
the journal notes the mark under which they were. The next run does what is missing, and nothing else.
"""

import errno
import fcntl
import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from autograder import autograded, judging, submission
from autograder.course import Topic
from autograder.errors import EcertError, Usage
from autograder.gradebook import Gradebook, Template, graded
from autograder.journal import Journal, key_of
from autograder.judging import Conditions, Crew, Job
from autograder.notebook import GRADED
from autograder.records import records
from autograder.submission import Submission
from autograder.verdict import SubmissionVerdict, Text
from autograder.workspace import Workspace, unusable_name

AT_ONCE = 64  # submissions read and looked up together
BATCH = 8  # most submissions in one task of a worker: while the next is judged, these are filed
SCRIBES = 8  # files written at a time
AHEAD = 3  # tasks for each worker that wait or run at a time: enough to keep it busy, few enough for memory

T = TypeVar("T")


class Watcher:
    """Is told how a run goes on. This one does not care."""

    def begins(self, topic: str, total: int) -> None:
        """So many submissions of a topic are to be looked at."""

    def prepares(self, topic: str) -> None:
        """The round is made ready; the first time takes a while."""

    def advances(self, topic: str, count: int) -> None:
        """So many more have come to their end."""


@dataclass
class Outcome:
    """What a run did for one topic."""

    topic: str
    total: int = 0
    judged: int = 0  # verdicts that were made now; students with equal code share one
    filed: list[str] = field(default_factory=list)  # students whose notebook and rows were written
    ungraded: dict[str, Text] = field(default_factory=dict)  # student -> why


def grade(
    workspace: Workspace,
    topics: Sequence[Topic],
    conditions: Conditions,
    workers: int,
    watcher: Watcher | None = None,
    anew: bool = False,
) -> list[Outcome]:
    """Grade all submissions of these topics; what is graded already, under equal conditions, is left alone.

    Args:
        workspace: the course folder.
        topics: in order.
        conditions: under which code is judged.
        workers: processes that judge.
        watcher: is told how it goes on.
        anew: judge again even what was judged under equal conditions.

    Raises:
        Usage: without a usable sandbox, without a release, or while another run is at work here.
        Fault: where journal or gradebook cannot be used; what was done stays done.
    """
    with (
        _alone(workspace),
        Journal(workspace.journal) as journal,
        Gradebook(workspace.db_url) as book,
        Crew(workers, any(topic.needs_torch for topic in topics)) as crew,
        ThreadPoolExecutor(SCRIBES) as scribes,
    ):
        desk = _Desk(workspace, journal, book, crew, scribes, conditions, watcher or Watcher(), anew)
        runs = [_Run(desk, topic, book.template(topic.name)) for topic in topics]  # all, before work on any begins
        _go(runs, crew)
    return [run.outcome for run in runs]


def _go(runs: "Sequence[_Run]", crew: Crew) -> None:
    """Keep the workers busy: topics in their order, and the next one's round made ready while this one is judged."""
    for run in runs:
        run.begin()
    while True:
        for run in runs:
            while sum(len(each.flying) for each in runs) < AHEAD * crew.workers and run.feed():
                pass
        flying = {task: run for run in runs for task in run.flying}
        if not flying:
            return
        try:
            for task in wait(flying, return_when=FIRST_COMPLETED).done:
                flying[task].land(task)
        except BrokenExecutor:  # and with one worker all that was in flight
            crew.renew()
            for run in runs:
                run.recover()


def verdict_of(
    workspace: Workspace, topic: Topic, submitted: Submission, conditions: Conditions | None = None
) -> SubmissionVerdict:
    """The verdict on one submission: from the journal, else judged now, in this process, and kept.

    Raises:
        Usage: without a usable sandbox.
    """
    conditions = conditions or Conditions()
    seed = workspace.round_seed(topic.name)
    key = key_of(judging.provenance(topic, workspace.content.examples, seed, conditions, submitted.digest))
    with Journal(workspace.journal) as journal:
        if not (body := journal.known([key]).get(key)):
            job = _job(workspace, topic, seed, conditions, {key: submitted})
            body = judging.judge(job)[key]
            journal.keep({key: body})
    return SubmissionVerdict.from_json(body)


class _Handed(NamedTuple):
    """A submission on its way."""

    student: str
    submission: Submission
    key: str
    timestamp: datetime | None


class _Desk(NamedTuple):
    """What every run of a topic works with."""

    workspace: Workspace
    journal: Journal
    book: Gradebook
    crew: Crew
    scribes: Executor  # threads: a file is on the disk only after a while, and several need hardly longer than one
    conditions: Conditions
    watcher: Watcher
    anew: bool


_UNKNOWN, _MAKING, _READY = "unknown", "making", "ready"  # the round of a topic
_EVERYBODYS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


class _Run:
    """One topic: submissions stream through reading, judging and filing, a few at a time."""

    def __init__(self, desk: _Desk, topic: Topic, template: Template) -> None:
        self._desk, self._topic, self._template = desk, topic, template
        self._seed = desk.workspace.round_seed(topic.name)
        self._lang = desk.workspace.lang
        self._penalties = autograded.penalties(desk.workspace, topic.name)
        self._filed = desk.journal.filed(topic.name)
        self._held = {r.student: {c.name: c.auto for c in r.cells} for r in records(desk.workspace.db_url, topic.name)}
        self._waiting: dict[str, list[_Handed]] = defaultdict(list)  # for a verdict, by its key
        self._unread: Iterator[list[tuple[str, Path]]] = iter(())
        self._round = _UNKNOWN
        self._unflown: list[Job] = []  # until the round is ready
        self.flying: dict[Future[dict[str, str]], Job] = {}
        self._made: set[str] = set()  # keys judged in this run
        self._faulty: set[str] = set()  # students whose files could not be written
        self._template_digest = hashlib.sha256(repr(template).encode()).hexdigest()
        self.outcome = Outcome(topic.name)

    def begin(self) -> None:
        """See what was handed in."""
        handed_in = list(self._desk.workspace.submissions(self._topic.name))
        self.outcome.total = len(handed_in)
        self._desk.watcher.begins(self._topic.name, len(handed_in))
        self._size = max(1, min(BATCH, -(-len(handed_in) // (2 * self._desk.crew.workers))))
        self._unread = _parts(handed_in, AT_ONCE)

    def feed(self) -> bool:
        """Take up some more submissions; tells whether there were any."""
        if self._round == _MAKING or (some := next(self._unread, None)) is None:
            return False
        self._take(list(self._read(some)))
        return True

    def land(self, task: Future[dict[str, str]]) -> None:
        """A task has come to its end.

        Raises:
            BrokenExecutor: where its process died.
        """
        verdicts = task.result()
        if not self.flying.pop(task).submissions:  # it made the round
            self._round = _READY
            self._desk.watcher.advances(self._topic.name, 0)
            for job in self._unflown:
                self._fly(job)
            self._unflown = []
        else:
            self._receive(verdicts)

    def recover(self) -> None:
        """A worker died: each submission that was under way once more, alone."""
        jobs = [*self.flying.values(), *self._unflown]
        self.flying, self._unflown, self._round = {}, [], _UNKNOWN
        for job in jobs:
            for single in job.singles():
                self._receive(self._desk.crew.alone(single))

    def _read(self, handed_in: Iterable[tuple[str, Path]]) -> Iterator[_Handed]:
        for student, path in handed_in:
            try:
                if why := unusable_name(student):
                    raise submission.Unreadable(why)
                found = submission.read(path, self._template.release)
            except submission.Unreadable as e:
                self._refuse(student, e.text)
                continue
            except Exception as e:  # ours, and one submission's: the run goes on
                self._refuse(
                    student,
                    Text(
                        f"読み取り中の不具合({type(e).__name__}: {e})",
                        f"a fault while reading it ({type(e).__name__}: {e})",
                    ),
                )
                continue
            key = self._key(found)
            yield _Handed(student, found, key, autograded.timestamp(path.parent))

    def _key(self, found: Submission) -> str:
        examples = self._desk.workspace.content.examples
        return key_of(judging.provenance(self._topic, examples, self._seed, self._desk.conditions, found.digest))

    def _refuse(self, student: str, why: Text) -> None:
        """Nothing of it can be graded. What the gradebook held stays, as after nbgrader's own failure."""
        self._desk.journal.record_trouble(self._topic.name, student, why._asdict())
        self.outcome.ungraded[student] = why
        self._desk.watcher.advances(self._topic.name, 1)

    def _take(self, handed: Sequence[_Handed]) -> None:
        """File what has a verdict; let the rest be judged, equal code once."""
        known = self._desk.journal.known({h.key for h in handed if not self._desk.anew or h.key in self._made})
        new: dict[str, Submission] = {}
        for h in handed:
            if h.key not in known:
                if h.key not in self._waiting:
                    new[h.key] = h.submission
                self._waiting[h.key].append(h)
        for keys in _parts(new, self._size):
            self._fly(self._job({key: new[key] for key in keys}))
        self._settle([h for h in handed if h.key in known], known)

    def _job(self, submissions: Mapping[str, Submission]) -> Job:
        return _job(self._desk.workspace, self._topic, self._seed, self._desk.conditions, submissions)

    def _fly(self, job: Job) -> None:
        """Off to a worker; the first of a topic waits until one of them has made the round, which the others find on disk."""
        if self._round == _READY:
            self.flying[self._desk.crew.submit(job)] = job
            return
        self._unflown.append(job)
        if self._round == _UNKNOWN:
            self._round = _MAKING
            self._desk.watcher.prepares(self._topic.name)
            makes = self._job({})
            self.flying[self._desk.crew.submit(makes)] = makes

    def _receive(self, verdicts: Mapping[str, str]) -> None:
        handed = [h for key in verdicts for h in self._waiting.pop(key)]
        self._desk.journal.keep(verdicts)
        self._made.update(verdicts)
        self.outcome.judged += len(verdicts)
        self._settle(handed, verdicts)

    def _settle(self, handed: Sequence[_Handed], verdicts: Mapping[str, str]) -> None:
        """Write notebooks and rows of those whose verdict is there and not yet filed under its present mark."""
        topic, journal, workspace = self._topic.name, self._desk.journal, self._desk.workspace
        moved = {h.student: h.key for h in handed if self._filed.get(h.student, (None, None))[0] != h.key}
        if moved:
            journal.record(topic, moved)
        rows, marks, writing = {}, {}, {}
        for h in handed:
            verdict = SubmissionVerdict.from_json(verdicts[h.key])
            if verdict.points is None:
                self.outcome.ungraded[h.student] = _fault(verdict)
            mark = self._mark(h, verdicts[h.key])
            filed = self._filed.get(h.student, (None, None))[1]
            if not self._desk.anew and filed == mark and self._stands(h.student, verdict):
                continue
            with self._one_alone(h.student):
                ready = graded(self._template, h.submission, verdict, self._lang, h.timestamp)
                written = self._desk.scribes.submit(autograded.write, workspace, h.student, topic, ready.text)
                writing[h.student], rows[h.student], marks[h.student] = written, ready.marks, mark
        for student, file in writing.items():  # all of them, before any row says so
            with self._one_alone(student):
                file.result()
        filed_now = {student: each for student, each in rows.items() if student not in self._faulty}
        if filed_now:
            self._desk.book.write(self._template, filed_now, self._penalties)
            journal.file(topic, {student: marks[student] for student in filed_now})
            self.outcome.filed += filed_now
        self._desk.watcher.advances(topic, len(handed))

    @contextmanager
    def _one_alone(self, student: str) -> Iterator[None]:
        """An exception over one submission is that one's, unless it is one that the next would meet as well."""
        try:
            yield
        except EcertError:
            raise
        except OSError as e:
            if e.errno in _EVERYBODYS:
                raise
            self._misfile(student, e)
        except Exception as e:
            self._misfile(student, e)

    def _misfile(self, student: str, e: Exception) -> None:
        why = Text(f"書き込み中の不具合({type(e).__name__}: {e})", f"a fault while filing it ({type(e).__name__}: {e})")
        self._desk.journal.record_trouble(self._topic.name, student, why._asdict())
        self.outcome.ungraded[student] = why
        self._faulty.add(student)

    def _stands(self, student: str, verdict: SubmissionVerdict) -> bool:
        """Do folder and gradebook still hold what was filed? Somebody may have restored an older copy of either."""
        ungraded = verdict.points is None
        held = self._held.get(student, {})
        wanted = {f.function + GRADED: None if ungraded else f.points for f in verdict.functions}
        lies = self._desk.workspace.autograded_notebook(student, self._topic.name).exists()
        return lies is not ungraded and all(name in held and held[name] == points for name, points in wanted.items())

    def _mark(self, handed: _Handed, verdict: str) -> str:
        """A digest of everything that notebook and rows are made from."""
        parts = (verdict, handed.submission.file_digest, self._template_digest, self._lang, str(handed.timestamp))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _job(
    workspace: Workspace, topic: Topic, seed: bytes, conditions: Conditions, submissions: Mapping[str, Submission]
) -> Job:
    content = workspace.content
    each = tuple((key, s.digest, s.cells) for key, s in submissions.items())
    return Job(content.root, topic.name, seed, content.examples, workspace.plans, conditions, each)


def _fault(verdict: SubmissionVerdict) -> Text:
    """Why a submission is left ungraded, by its first fault of ours."""
    function = next(f for f in verdict.functions if f.points is None)
    why = function.why or Text("原因不明", "for a reason unknown")
    return Text(
        f"採点側の不具合({function.function}): {why.ja}", f"a fault of the grader ({function.function}): {why.en}"
    )


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Two runs over one course folder would do the same work twice."""
    descriptor = os.open(workspace.private / "grading.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        os.close(descriptor)
        raise Usage(f"another `ecert grade` is at work in {workspace.root}: wait for it, or end it") from e
    try:
        yield
    finally:
        os.close(descriptor)  # and with it the lock; killed, the kernel does it


def _parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
