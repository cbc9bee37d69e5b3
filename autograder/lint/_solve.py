"""Functions graded without a notebook."""

import hashlib
import os
import re
from pathlib import Path

from autograder.checker import Round, judge
from autograder.course import Topic, find_content
from autograder.errors import Usage
from autograder.sandbox import Worker
from autograder.verdict import SubmissionVerdict

_CELL = re.compile(r"^# %%.*$", re.MULTILINE)


def solve(topic: Topic, file: Path, seed: int = 0, sandbox: str = "bwrap") -> SubmissionVerdict:
    """Grade the functions that a Python file defines; `# %%` starts a new cell in it.

    Raises:
        Usage: where the file cannot be read, or the sandbox is not there.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise Usage(f"{file}: {e}") from e
    cells = tuple(cell for cell in _CELL.split(text) if cell.strip())
    secret = hashlib.sha256(b"ecert solve %d" % seed).digest()
    round = Round.prepare(topic, secret, find_content(topic.root).examples, plans())
    digest = hashlib.sha256(text.encode()).hexdigest()
    with Worker(sandbox, tensors=topic.needs_torch) as worker:
        worker.load(round.key, round.works)
        return judge(round, worker, cells, digest, sandbox)


def plans() -> Path:
    """Where the plans of rounds that belong to no course are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ecert" / "plans"
