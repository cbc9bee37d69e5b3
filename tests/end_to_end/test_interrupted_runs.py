"""Killed at any moment, and run again: the same gradebook, the same notebooks, nothing left behind."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.journal import Journal
from autograder.records import records
from autograder.standalone import source_of
from autograder.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = 24
KILLS = 6


@pytest.fixture(scope="module")
def undisturbed(make_course):
    """A cohort graded in one go, and a copy of it from before."""
    course = make_course("undisturbed")
    topic = course.topic
    chance = random.Random(3)
    for n in range(STUDENTS):
        book = course.right()
        for function in chance.sample(topic.functions, n % 3):
            mutant = chance.choice(topic.mutants(function))
            _cell(book, function)["source"] = source_of(mutant, function) + f"\n# {n % 20}\n"
        course.hand_in(f"s{n:02d}", book)
    course.hand_in("unreadable", b"{")
    Workspace.at(course.folder).round_seed(topic.name)
    before = course.folder.with_name("before")
    shutil.copytree(course.folder, before)
    began = time.monotonic()
    done = course.ecert("grade", "--workers", "2", check=False)
    assert done.returncode == 1  # the unreadable one
    return course, before, time.monotonic() - began


def _cell(book, name):
    return next(c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def _state(folder: Path, topic: str):
    """Everything that grading leaves, but for row ids and times."""
    workspace = Workspace.at(folder)
    books = {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(workspace.autograded.rglob("*"))
        if p.is_file()
    }
    with Journal(workspace.journal) as journal:
        entries = {
            e.student: (e.verdict and e.verdict.to_json(), e.trouble, e.filed is not None)
            for e in journal.entries(topic)
        }
    return records(workspace.db_url, topic), books, entries


def _grade(folder: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "--workers", "2"], cwd=folder, env=env, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def _inside(folder: Path) -> list[str]:
    """Processes that work for this course folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == folder.resolve():
                found.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("luck", range(2))
def test_killed_runs_end_with_the_gradebook_of_an_undisturbed_one(undisturbed, luck, tmp_path):
    course, before, seconds = undisturbed
    folder = tmp_path / "killed"
    shutil.copytree(before, folder)
    chance = random.Random(luck)
    for _ in range(KILLS):
        run = _grade(folder)
        time.sleep(chance.uniform(0, 1.1) * seconds)
        run.send_signal(signal.SIGKILL)
        run.wait()
        gone = time.monotonic() + 5
        while _inside(folder) and time.monotonic() < gone:
            time.sleep(0.05)
        assert _inside(folder) == []
    last = _grade(folder)
    _, said = last.communicate()
    assert last.returncode == 1, said
    assert _state(folder, course.topic.name) == _state(course.folder, course.topic.name)
    assert [p for p in folder.rglob(".*") if p.name not in {".ecert"} and not p.is_relative_to(folder / ".ecert")] == []


@pytest.mark.slow
def test_a_second_run_writes_nothing(undisturbed):
    course, _, _ = undisturbed
    stamps = {p: p.stat().st_mtime_ns for p in course.folder.rglob("*") if p.is_file() and ".ecert" not in p.parts}
    done = course.ecert("grade", "--json", check=False)
    (outcome,) = json.loads(done.stdout)
    assert (outcome["judged"], outcome["written"]) == (0, [])
    assert {p: p.stat().st_mtime_ns for p in stamps} == stamps


@pytest.mark.slow
def test_what_was_lost_from_the_gradebook_or_the_folder_is_put_back(undisturbed, tmp_path):
    """An older copy of the gradebook is restored, and a notebook deleted: the journal knows what belongs there."""
    course, before, _ = undisturbed
    folder = tmp_path / "restored"
    shutil.copytree(course.folder, folder)
    shutil.copy(before / "gradebook.db", folder / "gradebook.db")
    shutil.rmtree(folder / "autograded" / "s01")
    run = _grade(folder)
    run.communicate()
    assert _state(folder, course.topic.name) == _state(course.folder, course.topic.name)


@pytest.mark.slow
def test_two_runs_at_once_are_refused(undisturbed, tmp_path):
    _, before, _ = undisturbed
    folder = tmp_path / "twice"
    shutil.copytree(before, folder)
    first = _grade(folder)
    lock = folder / ".ecert" / "grading.lock"
    while not lock.exists():
        time.sleep(0.02)
    time.sleep(0.2)
    second = _grade(folder)
    _, said = second.communicate()
    assert second.returncode == 2
    assert "another `ecert grade`" in said
    first.communicate()


@pytest.mark.slow
def test_feedback_is_what_nbgrader_would_write(undisturbed, tmp_path):
    course, _, _ = undisturbed
    course.ecert("feedback", "--workers", "2")
    ours = {p.parent.parent.name: p.read_bytes() for p in (course.folder / "feedback").rglob("*.html")}
    folder = tmp_path / "stock"
    shutil.copytree(course.folder, folder)
    shutil.rmtree(folder / "feedback")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for student in ("s01", "s02"):
        command = [sys.executable, "-m", "nbgrader", "generate_feedback", course.topic.name, "--student", student]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
        page = folder / "feedback" / student / course.topic.name / f"{course.topic.name}.html"
        assert page.read_bytes().replace(str(folder).encode(), str(course.folder).encode()) == ours[student]
    assert len(ours) == STUDENTS
    assert json.loads(course.ecert("feedback", "--json").stdout)[course.topic.name]["written"] == []


@pytest.mark.slow
def test_a_changed_comment_makes_that_page_anew(undisturbed):
    course, _, _ = undisturbed
    from nbgrader.api import Gradebook

    course.ecert("feedback", "--workers", "2")
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as book:
        notebook = book.find_submission_notebook(course.topic.name, course.topic.name, "s05")
        notebook.comments[0].manual_comment = "よくできました"
        book.db.commit()
    assert json.loads(course.ecert("feedback", "--json").stdout)[course.topic.name]["written"] == ["s05"]
    page = course.folder / "feedback" / "s05" / course.topic.name / f"{course.topic.name}.html"
    assert "よくできました" in page.read_text(encoding="utf-8")
