"""From a submission to its verdict: one batch of calls, and a verdict a function, from memory where these answers were judged before."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from autograder.checker import words
from autograder.checker.laws import quiet
from autograder.checker.live import Ask, Live
from autograder.checker.round import Round
from autograder.checker.weigh import Judged, fault, weighed
from autograder.course import Limits
from autograder.sandbox import Notice, Reply
from autograder.verdict import FunctionVerdict, Status, SubmissionVerdict


class Answering(Protocol):
    """What judging needs of a worker: the sandbox's, or one that rehearses functions of our own."""

    def run(
        self, key: str, cells: Sequence[str], functions: Sequence[str] | None, limits: Limits
    ) -> tuple[list[Reply], list[Notice]]: ...

    def session(self, key: str, cells: Sequence[str], function: str, limits: Limits) -> AbstractContextManager[Ask]: ...


@dataclass
class Memo:
    """Verdicts by the bytes of the answers, within a process: claims are pure functions of them.

    What needed a live call or shrinking depends on more than the bytes, and is kept out.
    """

    known: dict[tuple[str, str, bytes], Judged] = field(default_factory=dict)
    hits: int = 0


def judge(
    round: Round,
    worker: Answering,
    cells: Sequence[str],
    submission: str,
    sandbox: str = "bwrap",
    memo: Memo | None = None,
) -> SubmissionVerdict:
    """Grade one submission.

    Args:
        round: what is asked and expected; `worker` has loaded its works under its key.
        cells: source texts of the code cells, in the order in which they are run.
        submission: their sha256.
        sandbox: how the worker is confined, for the provenance.
        memo: shared by the submissions of one process.
    """
    limits = round.topic.limits
    replies, notices = worker.run(round.key, cells, None, limits)
    judged = []
    for reply in replies:
        with Live(partial(worker.session, round.key, cells, reply.function, limits)) as live:
            judged.append(judge_function(round, reply, live, memo))
    notes = (*words.notes(notices, limits), *(rule for each in judged for rule in each.rules))
    functions = tuple(each.verdict for each in judged)
    return SubmissionVerdict(round.topic.name, functions, round.provenance(submission, sandbox), notes)


def judge_function(round: Round, reply: Reply, live: Live, memo: Memo | None = None) -> Judged:
    """The verdict on what one function answered."""
    topic, name = round.topic, reply.function
    if reply.status is not Status.PASSED:
        why = words.died(reply.status, topic.limits)
        return Judged(FunctionVerdict(name, reply.status, 0.0, float(topic.points[name]), why=why))
    known = round.key, name, _digest(reply)
    if memo is not None and (found := memo.known.get(known)) is not None:
        memo.hits += 1
        return found
    try:
        with quiet():
            judged = weighed(topic, round.subjects[name], round.plans[name], reply, live)
    except Exception as e:  # a fault of ours leaves this function ungraded, and no other
        if os.environ.get("ECERT_DEBUG"):
            raise
        return fault(topic, name, type(e).__name__)
    if memo is not None and live.calls == 0:
        memo.known[known] = judged
    return judged


def _digest(reply: Reply) -> bytes:
    whole = hashlib.sha256(f"{len(reply.frame)} {len(reply.again)} ".encode())
    for frame in (reply.frame, reply.again, reply.second):
        whole.update(frame)
    return whole.digest()
