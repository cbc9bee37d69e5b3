"""Feedback as trainees get it: nbgrader's own HTML of the autograded notebooks, made again only where something in it has changed.

The converter is nbgrader's, so a page is what `nbgrader generate_feedback` would write, byte for byte. What differs is the way to it:
submissions are named, never found by a pattern that a student's name could steer; one exporter serves many; several processes share the work.
"""

import hashlib
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import chdir
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from autograder.journal import Journal
from autograder.records import shown_on_pages
from autograder.workspace import NBGRADER_CONFIG, Workspace

AT_ONCE = 4  # submissions a task: a second or two of work


class Outcome(NamedTuple):
    """What became of one topic's feedback."""

    written: list[str]  # students
    unchanged: list[str]
    refused: dict[str, str]  # student -> what nbgrader said


class Batch(NamedTuple):
    """Pages that one process makes."""

    topic: str
    students: list[str]


def generate(
    workspace: Workspace,
    topics: Sequence[str],
    journal: Journal,
    workers: int = 1,
    force: bool = False,
    done: Callable[[str, int], None] = lambda topic, count: None,
) -> dict[str, Outcome]:
    """Write `feedback/<student>/<topic>/<topic>.html` for every autograded submission whose page would be another one now.

    Args:
        workspace: the course folder.
        topics: whose feedback.
        journal: remembers from what each page was made.
        workers: processes.
        force: make every page again.
        done: is told of which topic how many pages more have come to their end.
    """
    marks = {topic: dict(_marks(workspace, topic)) for topic in topics}
    outcomes: dict[str, Outcome] = {}
    batches: list[Batch] = []
    for topic, of_topic in marks.items():
        had = {} if force else journal.pages(topic)
        wanted = [s for s, mark in of_topic.items() if had.get(s) != mark or not page(workspace, s, topic).is_file()]
        outcomes[topic] = Outcome([], sorted(of_topic.keys() - set(wanted)), {})
        done(topic, len(outcomes[topic].unchanged))
        batches += [Batch(topic, wanted[i : i + AT_ONCE]) for i in range(0, len(wanted), AT_ONCE)]
    for batch, refused in _converted(workspace, batches, workers):
        written = [s for s in batch.students if s not in refused]
        journal.note_pages(batch.topic, {s: marks[batch.topic][s] for s in written})
        outcomes[batch.topic].written.extend(written)
        outcomes[batch.topic].refused.update(refused)
        done(batch.topic, len(batch.students))
    return outcomes


def count(workspace: Workspace, topic: str) -> int:
    """How many submissions of a topic can have a page."""
    return sum(1 for _ in _autograded(workspace, topic))


def page(workspace: Workspace, student: str, topic: str) -> Path:
    """Where a trainee's feedback lies."""
    return workspace.feedback / student / topic / f"{topic}.html"


def _converted(workspace: Workspace, batches: Sequence[Batch], workers: int) -> Iterator[tuple[Batch, dict[str, str]]]:
    """Batches as they come to their end, with what was refused of each."""
    if len(batches) <= 1 or workers <= 1:
        for batch in batches:
            yield batch, _convert(workspace.root, batch)
        return
    import nbgrader.converters  # noqa: F401  here, so that every process forked below has it

    pool = ProcessPoolExecutor(min(workers, len(batches)), multiprocessing.get_context("fork"))
    try:
        tasks = {pool.submit(_convert, workspace.root, batch): batch for batch in batches}
        for task in as_completed(tasks):
            yield tasks[task], task.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _convert(root: Path, batch: Batch) -> dict[str, str]:
    """Have nbgrader make the pages of some students; gives what it refused."""
    from nbgrader.converters.base import NbGraderException

    workspace, (converter, said) = Workspace.at(root), _converter(root, batch.topic)
    refused: dict[str, str] = {}
    with chdir(root):  # where nbgrader converts
        for student in batch.students:
            notebook = workspace.autograded_notebook(student, batch.topic)
            converter.assignments = {str(notebook.parent): [str(notebook)]}
            try:
                converter.convert_notebooks()
            except NbGraderException as e:
                refused[student] = said.last or str(e)
    return refused


@cache
def _converter(root: Path, topic: str) -> "tuple[Any, _LastError]":
    """nbgrader's GenerateFeedback, started with nothing to convert: ready to be given one submission after another."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory

    class NamedFeedback(GenerateFeedback):  # type: ignore[misc]
        def init_notebooks(self) -> None:
            """Nothing is looked for."""

    config, said = deepcopy(Workspace.at(root).nbgrader_config), _LastError()
    coursedir = CourseDirectory(config=config, root=str(root), assignment_id=topic)
    converter = NamedFeedback(coursedir=coursedir, config=config)
    converter.force = True
    converter.log = logging.Logger("nbgrader")  # of its own: what it has to say is not for the terminal
    converter.log.addHandler(said)
    converter.start()
    return converter, said


class _LastError(logging.Handler):
    """The last line of the last traceback that nbgrader logged: what went wrong, in one line."""

    last = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage().strip()
        if "Traceback" in message:
            self.last = message.splitlines()[-1][:500]


def _marks(workspace: Workspace, topic: str) -> Iterator[tuple[str, str]]:
    """For each autograded submission a digest of everything that its page is made from."""
    config = workspace.root / NBGRADER_CONFIG
    common = hashlib.sha256(config.read_bytes() + f"{version('nbgrader')} {version('nbconvert')}".encode())
    rows = shown_on_pages(workspace.db_url, topic)
    for student in _autograded(workspace, topic):
        whole = common.copy()
        notebook = workspace.autograded_notebook(student, topic).read_bytes()
        for part in (notebook, *(repr(row).encode() for row in rows.get(student, ()))):
            whole.update(hashlib.sha256(part).digest())
        yield student, whole.hexdigest()


def _autograded(workspace: Workspace, topic: str) -> Iterator[str]:
    for student in sorted(os.listdir(workspace.autograded)) if workspace.autograded.is_dir() else []:
        if workspace.autograded_notebook(student, topic).is_file():
            yield student
