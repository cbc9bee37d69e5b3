"""Feedback as trainees get it: nbgrader's own HTML of the autograded notebooks, made again only where something in it has changed.

The converter is nbgrader's, so a page is what `nbgrader generate_feedback` would write, byte for byte. What differs is the way to it:
submissions are named, never found by a pattern that a student's name could steer; one exporter serves many; several processes share the work.
"""

import hashlib
import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import chdir, contextmanager
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from autograder.journal import Journal
from autograder.records import shown_on_pages
from autograder.workspace import NBGRADER_CONFIG, Workspace

BATCH = 8  # submissions a task: a second or two of work


class Outcome(NamedTuple):
    """What became of one topic's feedback."""

    written: tuple[str, ...]  # students
    unchanged: tuple[str, ...]
    refused: dict[str, str]  # student -> what nbgrader said


def generate(
    workspace: Workspace,
    topic: str,
    journal: Journal,
    workers: int = 1,
    force: bool = False,
    done: Callable[[int], None] = lambda n: None,
) -> Outcome:
    """Write `feedback/<student>/<topic>/<topic>.html` for every autograded submission whose page would be another one now.

    Args:
        workspace: the course folder.
        topic: whose feedback.
        journal: remembers from what each page was made.
        workers: processes.
        force: make every page again.
        done: is told how many pages have come to their end since it was last called.
    """
    marks = dict(_marks(workspace, topic))
    had = {} if force else journal.pages(topic)
    wanted = [s for s, mark in marks.items() if had.get(s) != mark or not page(workspace, s, topic).is_file()]
    unchanged = tuple(s for s in marks if s not in set(wanted))
    done(len(unchanged))
    refused: dict[str, str] = {}
    for students, failed in _converted(workspace, topic, wanted, workers):
        refused.update(failed)
        journal.note_pages(topic, {s: marks[s] for s in students if s not in failed})
        done(len(students))
    return Outcome(tuple(s for s in wanted if s not in refused), unchanged, refused)


def count(workspace: Workspace, topic: str) -> int:
    """How many submissions of a topic can have a page."""
    return sum(1 for _ in _autograded(workspace, topic))


def page(workspace: Workspace, student: str, topic: str) -> Path:
    """Where a trainee's feedback lies."""
    return workspace.feedback / student / topic / f"{topic}.html"


def _converted(
    workspace: Workspace, topic: str, students: Sequence[str], workers: int
) -> Iterator[tuple[Sequence[str], dict[str, str]]]:
    """Batches of students as they come to their end, with what was refused."""
    size = max(1, min(BATCH, -(-len(students) // max(1, workers))))
    batches = [students[i : i + size] for i in range(0, len(students), size)]
    if len(batches) <= 1 or workers <= 1:
        for batch in batches:
            yield batch, _convert(workspace.root, topic, batch)
        return
    # Not a fork: this process has threads by now (a progress bar), and may hold a gradebook open.
    with _spawning(min(workers, len(batches))) as pool:
        tasks = {pool.submit(_convert, workspace.root, topic, batch): batch for batch in batches}
        for task in as_completed(tasks):
            yield tasks[task], task.result()


@contextmanager
def _spawning(workers: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _convert(root: Path, topic: str, students: Iterable[str]) -> dict[str, str]:
    """Have nbgrader make the pages of some students; gives what it refused."""
    from nbgrader.converters.base import NbGraderException

    workspace = Workspace.at(root)
    converter, said = _converter(workspace, topic)
    refused: dict[str, str] = {}
    with chdir(root):  # where nbgrader converts
        for student in students:
            notebook = workspace.autograded_notebook(student, topic)
            converter.assignments = {str(notebook.parent): [str(notebook)]}
            try:
                converter.convert_notebooks()
            except NbGraderException as e:
                refused[student] = said.last or str(e)
    return refused


def _converter(workspace: Workspace, topic: str) -> "tuple[Any, _LastError]":
    """nbgrader's GenerateFeedback, started with nothing to convert: ready to be given one submission after another."""
    from nbgrader.converters import GenerateFeedback  # late: nbgrader takes more than a second
    from nbgrader.coursedir import CourseDirectory

    class NamedFeedback(GenerateFeedback):  # type: ignore[misc]
        def init_notebooks(self) -> None:
            """Nothing is looked for."""

    config, said = deepcopy(workspace.nbgrader_config), _LastError()
    coursedir = CourseDirectory(config=config, root=str(workspace.root), assignment_id=topic)
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
