"""Releases an assignment by nbgrader's own `generate_assignment`, and lets nothing hidden out with it."""

import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from copy import deepcopy
from io import StringIO
from pathlib import Path

from autograder import build
from autograder.course import Topic
from autograder.errors import Fault, Finding
from autograder.workspace import Workspace


def release(workspace: Workspace, topic: Topic) -> Path:
    """Build the assignment, let nbgrader make the trainees' version and its rows, scan it, and only then put it in place.

    Returns:
        The released notebook, `release/TOPIC/TOPIC.ipynb`.

    Raises:
        Finding: where the topic does not fit together, hidden text would get out, or nbgrader refuses.
    """
    if wrong := build.faults(topic):
        raise Finding("; ".join(map(str, wrong)))
    files = build.files(topic, workspace.lang)
    _refuse_leaks(topic, files)
    build.write(files, workspace.source / topic.name)
    published = workspace.released(topic.name).parent
    draft = published.parent / f".release-{os.getpid()}" / topic.name
    try:
        _generate(workspace, topic.name, draft.parent)
        _refuse_leaks(
            topic, {str(p.relative_to(draft)): p.read_bytes() for p in sorted(draft.rglob("*")) if p.is_file()}
        )
        if published.exists():
            shutil.rmtree(published)
        draft.replace(published)
    finally:
        shutil.rmtree(draft.parent, ignore_errors=True)
    return workspace.released(topic.name)


def _refuse_leaks(topic: Topic, files: dict[str, bytes]) -> None:
    if found := build.leaks(topic, files):
        raise Finding(f"{topic.name} is not released: " + "; ".join(map(str, found)))


def _generate(workspace: Workspace, assignment: str, step: Path) -> None:
    """nbgrader's `generate_assignment` into another folder than `release/`, which keeps what it holds until all is well."""
    with _nbgrader_ready() as log:
        from nbgrader.converters import GenerateAssignment
        from nbgrader.converters.base import NbGraderException
        from nbgrader.coursedir import CourseDirectory

        config = deepcopy(workspace.nbgrader_config)  # its own copy() shares the sections
        config.CourseDirectory.root = str(workspace.root)
        config.CourseDirectory.release_directory = str(step.relative_to(workspace.root))
        config.CourseDirectory.assignment_id = assignment
        config.GenerateAssignment.force = True
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.log = logging.getLogger("autograder.nbgrader")
        try:
            converter.start()
        except NbGraderException as e:
            raise Finding(f"nbgrader does not release {assignment}: {_reason(log.getvalue()) or e}") from e
        except Exception as e:
            raise Fault(f"nbgrader could not release {assignment}: {type(e).__name__}: {e}") from e


def _reason(log: str) -> str:
    """The last exception or message that nbgrader logged."""
    said = [line for line in log.splitlines() if re.match(r"\w+(Error|Exception): |\[ERROR\] ", line)]
    return said[0].removeprefix("[ERROR] ") if said else ""


@contextmanager
def _nbgrader_ready() -> Iterator[StringIO]:
    """nbgrader runs the program `alembic`, which lies beside this interpreter; what it says is kept, not printed."""
    before, log = os.environ.get("PATH", ""), StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
    logger = logging.getLogger("autograder.nbgrader")
    logger.addHandler(handler)
    logger.propagate = False
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before])
    try:
        with redirect_stdout(log), redirect_stderr(log):
            yield log
    finally:
        os.environ["PATH"] = before
        logger.removeHandler(handler)
