"""A course of one topic with short limits, for cohorts in which many run out of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Content
from autograder.standalone import source_of

ROOT = Path(__file__).resolve().parents[2]
TOPIC = "mcts"

Notebook = dict[str, Any]


class Course:
    """An instructor's folder, driven by the command line alone."""

    def __init__(self, folder: Path, content: Path) -> None:
        self.folder, self.content = folder, content
        self.ecert("init", str(folder), "--content", str(content), cwd=folder.parent)
        self.ecert("release", TOPIC)
        book = json.loads((folder / "release" / TOPIC / f"{TOPIC}.ipynb").read_text(encoding="utf-8"))
        for cell in book["cells"]:
            cell["source"] = "".join(cell["source"])
        self.released = json.dumps(book)
        self.topic = Content.at(ROOT).topic(TOPIC)  # a process can hold the references of one course only

    def ecert(
        self, *words: str, cwd: Path | None = None, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, **more, "PYTHONPATH": str(ROOT), "SECRET_OF_THE_HOST": "1", "HOME_OF_THE_HOST": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "autograder", *words],
            cwd=cwd or self.folder,
            env=env,
            text=True,
            capture_output=True,
        )
        if check:
            assert done.returncode == 0, done.stderr[-3000:]
        return done

    def right(self) -> Notebook:
        """The released notebook with every function solved."""
        book = json.loads(self.released)
        sources = {f: source_of(self.topic.reference(f), f) for f in self.topic.functions}
        for cell in book["cells"]:
            if (found := cell["metadata"].get("nbgrader", {}).get("grade_id")) in sources:
                cell["source"] = sources[found]
        return book

    def hand_in(self, student: str, book: Notebook | bytes, files: Mapping[str, str] = {}) -> Path:
        place = self.folder / "submitted" / student / TOPIC
        place.mkdir(parents=True)
        raw = book if isinstance(book, bytes) else json.dumps(book, ensure_ascii=False).encode()
        (place / f"{TOPIC}.ipynb").write_bytes(raw)
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="utf-8")
        return place

    def scores(self) -> dict[str, float | None]:
        """What the gradebook holds; None for what is left ungraded."""
        from nbgrader.api import Gradebook

        found: dict[str, float | None] = {}
        with Gradebook(f"sqlite:///{self.folder / 'gradebook.db'}") as book:
            for submission in book.assignment_submissions(TOPIC):
                grades = [g for notebook in submission.notebooks for g in notebook.grades]
                ungraded = any(g.auto_score is None and g.manual_score is None for g in grades)
                found[submission.student.id] = None if ungraded else submission.score
        return found


@pytest.fixture(scope="session")
def short_limits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's content cut down to one topic, with limits that a test can wait for."""
    root = tmp_path_factory.mktemp("content")
    shutil.copytree(ROOT / "reference", root / "reference", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(
        ROOT / "assignments" / TOPIC, root / "assignments" / TOPIC, ignore=shutil.ignore_patterns("__pycache__")
    )
    (root / "assignments" / "course.toml").write_text(
        f'format = 1\nname = "short"\ntopics = ["{TOPIC}"]\n[policy]\nexamples = 10\n[limits]\n'
        "call_seconds = 0.4\nfunction_seconds = 1.5\ncell_seconds = 1.0\nmemory_mb = 512\n",
        encoding="utf-8",
    )
    return root


@pytest.fixture(scope="session")
def make_course(short_limits: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Course]:
    """A fresh course folder."""
    return lambda name: Course(tmp_path_factory.mktemp(name) / "course", short_limits)
