"""Judging by many processes: self-contained jobs go out, verdicts come back. Each process keeps a warm sandbox and the rounds it has met.

A job holds all that it needs, so that any `concurrent.futures` executor can take it, also one on other machines.
"""

import ctypes
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing.util import Finalize
from pathlib import Path
from typing import NamedTuple, Self

from autograder.checker import Memo, Round
from autograder.checker import judge as judge_one
from autograder.checker.provenance import provenance as provenance_of
from autograder.course import Content, Topic
from autograder.errors import EcertError, Usage
from autograder.sandbox import Worker, usable
from autograder.verdict import FunctionVerdict, Provenance, Status, SubmissionVerdict, Text

_PR_SET_PDEATHSIG = 1


class Conditions(NamedTuple):
    """What a verdict depends on besides the topic and the submission."""

    sandbox: str = "bwrap"  # "none": unconfined, for one's own code
    device: str = "cpu"


class Job(NamedTuple):
    """Some submissions of one topic, to be judged by one process."""

    content: Path
    topic: str
    seed: bytes
    examples: int
    plans: Path  # where rounds lie, or are put
    conditions: Conditions
    submissions: tuple[tuple[str, str, tuple[str, ...]], ...]  # key, digest, cells

    def singles(self) -> "Iterator[Job]":
        """The same work, one submission at a time."""
        return (self._replace(submissions=(each,)) for each in self.submissions)


def provenance(topic: Topic, examples: int, seed: bytes, conditions: Conditions, submission: str) -> Provenance:
    """What the verdict on a submission of this digest will depend on, known before it is made."""
    return provenance_of(topic, examples, seed, submission, conditions.device, conditions.sandbox)


def refuse_without_sandbox(conditions: Conditions) -> None:
    """Nobody's code runs unconfined unless that was asked for by name.

    Raises:
        Usage: saying what to install.
    """
    if conditions.sandbox != "none" and (why := usable()):
        raise Usage(f"{why.en} / {why.ja}")


def prepare(job: Job) -> Round:
    """The round of a job: made once, kept by this process and on disk, where others find it."""
    name = job.content, job.topic, job.seed, job.examples, job.conditions.device
    if name not in _rounds:
        topic = Content.at(job.content).topic(job.topic)
        _rounds[name] = Round.prepare(topic, job.seed, job.examples, job.plans, job.conditions.device)
    return _rounds[name]


def judge(job: Job) -> dict[str, str]:
    """The verdicts of a job, as JSON by key. A fault of ours is one submission's, and becomes a grader_error.

    Raises:
        Usage: where this machine cannot confine trainees' code.
    """
    round = prepare(job)
    if not job.submissions:  # the round alone was asked for
        return {}
    worker = _worker(job, round)
    return {key: _verdict(job, round, worker, digest, cells).to_json() for key, digest, cells in job.submissions}


def _verdict(job: Job, round: Round, worker: Worker, digest: str, cells: tuple[str, ...]) -> SubmissionVerdict:
    try:
        return judge_one(round, worker, cells, digest, job.conditions.sandbox, _memo)
    except Exception as e:  # whatever it is, the run goes on
        if os.environ.get("ECERT_DEBUG"):
            raise
        why = Text(f"採点器の例外 {type(e).__name__}: {e}", f"an exception in the grader, {type(e).__name__}: {e}")
        return _fault(job, round.topic, digest, why)


def _fault(job: Job, topic: Topic, digest: str, why: Text) -> SubmissionVerdict:
    """Every function ungraded."""
    each = (FunctionVerdict(f, Status.GRADER_ERROR, None, points, why=why) for f, points in topic.points.items())
    made = provenance(topic, job.examples, job.seed, job.conditions, digest)
    return SubmissionVerdict(topic.name, tuple(each), made)


# Of this process. A forked one inherits rounds and verdicts, but starts sandboxes of its own.
_rounds: dict[tuple[Path, str, bytes, int, str], Round] = {}
_memo = Memo()
_workers: dict[tuple[int, str, bool], tuple[Worker, set[str]]] = {}


def _worker(job: Job, round: Round) -> Worker:
    """This process's sandbox for such a job, holding the inputs of the round."""
    name = os.getpid(), job.conditions.sandbox, round.topic.needs_torch
    if name not in _workers:
        try:
            made = Worker(job.conditions.sandbox, round.topic.needs_torch)
        except EcertError:
            refuse_without_sandbox(job.conditions)  # says more, where that is the reason
            raise
        Finalize(made, made.close, exitpriority=10)  # a pool's process ends without running atexit's list
        _workers[name] = made, set()
    worker, loaded = _workers[name]
    if round.key not in loaded:
        worker.load(round.key, round.works)
        loaded.add(round.key)
    return worker


class Crew:
    """The processes that judge, begun when there is work, and begun anew where one of them died."""

    def __init__(self, workers: int, torch: bool = False) -> None:
        """Nothing is begun yet.

        Args:
            workers: processes.
            torch: will any topic need it? Then it is imported once, before the processes part.
        """
        self.workers = max(1, workers)
        self._torch = torch
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # nobody waits for what they were doing
            for process in multiprocessing.active_children():
                process.terminate()
        self.renew()

    def submit(self, job: Job) -> Future[dict[str, str]]:
        if self._pool is None:
            if self._torch:
                import torch  # noqa: F401
            # A fork has everything at once; what threads there are (of the executor, of those who write files) hold nothing that it needs.
            self._pool = ProcessPoolExecutor(self.workers, multiprocessing.get_context("fork"), _begin, (os.getpid(),))
        return self._pool.submit(judge, job)

    def alone(self, job: Job) -> dict[str, str]:
        """Judge a job while nothing else runs, after a process died. If one dies again, it was over this job, and is our fault."""
        try:
            return self.submit(job).result()
        except BrokenExecutor:
            self.renew()
            topic = Content.at(job.content).topic(job.topic)
            why = Text("採点プロセスが二度終了しました", "the process that judged it died twice")
            return {key: _fault(job, topic, digest, why).to_json() for key, digest, _ in job.submissions}

    def renew(self) -> None:
        """Give up the processes that there are."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _begin(parent: int) -> None:
    """At the start of a process: it ends with its parent, however that ends, and leaves the keyboard to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # processes enough work side by side
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it could be tied to
        os._exit(1)
