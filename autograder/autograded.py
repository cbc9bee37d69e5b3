"""What `nbgrader autograde` leaves beside the rows: the folder `autograded/STUDENT/TOPIC`, and penalties for what came late."""

import fnmatch
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.submission import contents
from autograder.workspace import Workspace

# Of what a trainee handed in besides her notebook, only what cannot act goes where an instructor opens notebooks:
# Python would import a `numpy.py` from there, Jupyter would read a configuration.
HARMLESS = (".csv", ".gif", ".jpeg", ".jpg", ".md", ".pdf", ".png", ".tsv", ".txt")
MOST_FILES, MOST_BYTES = 50, 20 << 20
LONGEST_TIMESTAMP = 64
READ_ONLY = 0o444
_IGNORED = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"]  # nbgrader's default of CourseDirectory.ignore


def write(workspace: Workspace, student: str, topic: str, text: str | None) -> None:
    """Put one student's folder in place of the one that is there; without a text (a function is ungraded) there is none.

    Whoever looks meanwhile, or after a crash, sees the old notebook, the new one, or none, never half of one.
    """
    folder = workspace.autograded_notebook(student, topic).parent
    if text is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    handed_in = workspace.submitted / student / topic
    folder.mkdir(parents=True, exist_ok=True)
    kept = {f"{topic}.ipynb"}
    for name, path in (*_harmless(handed_in), *_source_files(workspace, topic)):
        kept.add(name)
        _copy(path, folder / name)
    _replace(folder / f"{topic}.ipynb", text.encode())
    for path in [p for p in folder.rglob("*") if not p.is_dir() and str(p.relative_to(folder)) not in kept]:
        path.unlink()


def _copy(source: Path, path: Path) -> None:
    """A file of the assignment; one whose size and time are the source's already is taken for a copy of it."""
    facts = source.stat()
    with suppress(OSError):
        there = path.stat()
        if (there.st_size, there.st_mtime_ns) == (facts.st_size, facts.st_mtime_ns):
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{os.getpid()}.draft")
    shutil.copyfile(source, draft, follow_symlinks=False)
    os.utime(draft, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    draft.chmod(READ_ONLY)
    draft.replace(path)


def _replace(path: Path, content: bytes) -> None:
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    draft = path.with_name(f".{os.getpid()}.draft")
    with open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fchmod(file.fileno(), READ_ONLY)
        os.fsync(file.fileno())
    draft.replace(path)


def _source_files(workspace: Workspace, topic: str) -> Iterator[tuple[str, Path]]:
    """The assignment's own files come back as they are in `source/`, whatever the trainee's copies hold."""
    folder = workspace.source / topic
    ignored = workspace.nbgrader_config.CourseDirectory.get("ignore", _IGNORED)
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if (
            path.is_file()
            and path.suffix != ".ipynb"
            and not any(fnmatch.fnmatch(part, glob) for part in parts for glob in ignored)
        ):
            yield str(path.relative_to(folder)), path


def _harmless(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files beside a notebook that was handed in, without links, a few and small ones."""
    count = size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or os.path.splitext(entry.name)[1].lower() not in HARMLESS:
                continue
            facts = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode) and count < MOST_FILES and size + facts.st_size <= MOST_BYTES:
                count, size = count + 1, size + facts.st_size
                yield entry.name, Path(entry.path)


def timestamp(folder: Path) -> datetime | None:
    """When it was handed in, in UTC, as the exchange wrote it into `timestamp.txt`; None where nothing there says so."""
    try:
        said = contents(folder / "timestamp.txt", LONGEST_TIMESTAMP + 1).decode().strip()
    except (OSError, UnicodeDecodeError):
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC", said):  # as nbgrader writes it
        try:
            return datetime.fromisoformat(said.removesuffix(" UTC"))
        except ValueError:
            return None
    if not said or len(said) > LONGEST_TIMESTAMP:
        return None
    from nbgrader.utils import parse_utc

    try:
        parsed = parse_utc(said)
    except (ValueError, OverflowError):
        return None
    return parsed if isinstance(parsed, datetime) else None


def penalties(workspace: Workspace, topic: str) -> Callable[[str], None] | None:
    """Gives one late student the penalty that the course's configuration asks for; None where it asks for none."""
    config = workspace.nbgrader_config
    if (
        not config.get("AssignLatePenalties")
        and config.get("LateSubmissionPlugin", {}).get("penalty_method", "none") == "none"
    ):
        return None

    def assign(student: str) -> None:
        from nbformat import NotebookNode
        from nbgrader.preprocessors import AssignLatePenalties

        about: dict[str, Any] = {"notebook": topic, "assignment": topic, "student": student, "db_url": workspace.db_url}
        AssignLatePenalties(config=config).preprocess(NotebookNode(cells=[]), {"nbgrader": about})  # type: ignore[no-untyped-call]

    return assign
