"""What an instructor asks about a graded cohort, and what the commands answer to bad input: one line, an exit code, and nothing lost."""

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.standalone import source_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def course(make_course):
    """Three trainees: right, a wrong idea in the first function, unreadable."""
    made = make_course("commands")
    first = made.topic.functions[0]
    made.hand_in("right", made.right())
    book = made.right()
    cell = next(c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == first)
    cell["source"] = source_of(made.topic.mutants(first)[0], first)
    made.hand_in("=wrong", book)
    made.hand_in("unreadable", b"no notebook")
    made.graded = made.ecert("grade", "--workers", "1", "--lang", "en", check=False)
    return made


@pytest.fixture
def copy(course, tmp_path):
    """The graded course, to be spoilt."""
    folder = tmp_path / "course"
    shutil.copytree(course.folder, folder)
    return folder


def ecert(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    said = {**os.environ, "PYTHONPATH": str(ROOT), "ECERT_LANG": "en", "COLUMNS": "200", **env}
    return subprocess.run(
        [sys.executable, "-m", "autograder", *words], cwd=folder, env=said, text=True, capture_output=True, check=False
    )


def refused(done, code: int) -> str:
    assert done.returncode == code, (done.stdout, done.stderr)
    (line,) = [x for x in done.stderr.splitlines() if x]
    assert line.startswith("ecert: ")
    return line


def test_an_unreadable_submission_is_named_and_is_no_0(course):
    assert course.graded.returncode == 1
    assert "unreadable" in course.graded.stdout
    assert "unreadable" not in course.scores()
    assert course.scores()["right"] == course.topic.out_of


def test_show_says_why(course):
    first = course.topic.functions[0]
    said = ecert(course.folder, "show", "=wrong", course.topic.name).stdout
    mutant = course.topic.mutants(first)[0]
    assert mutant.hint.en in said
    assert "Rests on" in said
    assert mutant.hint.ja in ecert(course.folder, "show", "=wrong", course.topic.name, "--lang", "ja").stdout
    told = json.loads(ecert(course.folder, "show", "=wrong", course.topic.name, "--json").stdout)
    assert told["verdict"]["functions"][0]["idea"]["name"] == mutant.name


def test_show_explains_what_could_not_be_graded(course):
    assert "format of a notebook" in ecert(course.folder, "show", "unreadable", course.topic.name).stdout


def test_export_tells_ungraded_from_0_and_holds_no_formula(course):
    rows = {r["student"]: r for r in csv.DictReader(io.StringIO(ecert(course.folder, "export").stdout))}
    assert float(rows["right"]["score"]) == course.topic.out_of
    assert rows["unreadable"]["score"] == ""
    assert "'=wrong" in rows
    told = {r["student"]: r for r in json.loads(ecert(course.folder, "export", "--json").stdout)}
    assert told["unreadable"]["score"] is None
    assert told["=wrong"]["statuses"][course.topic.functions[0]] in {"failed", "raised"}


def test_the_report_is_written_whole(course):
    path = Path(ecert(course.folder, "report").stdout.strip())
    text = path.read_text(encoding="utf-8")
    assert text.endswith("</html>\n")
    assert "=wrong" in text
    told = json.loads(ecert(course.folder, "report", "--json").stdout)
    assert told[0]["graded"] == 2


def test_regrade_shows_what_a_changed_claim_does_to_whose_score(copy, course, tmp_path):
    """An author adds a claim that nobody fulfils, and takes it back."""
    content = tmp_path / "content"
    shutil.copytree(course.content, content)
    settings = copy / "ecert.toml"
    settings.write_text(settings.read_text().replace(str(course.content), str(content)))
    hidden = content / "assignments" / course.topic.name / "hidden"
    text = (hidden / "properties.py").read_text()
    first = course.topic.functions[0]
    name = course.topic.claims(first)[0].name
    assert f"def {name}(" in text
    spoilt = (
        text
        + f'\n\n@claim(ref.{first})\ndef nobody_is_right(f):\n    """誰も正しくない。\n    Nobody is right."""\n    assert False\n'
    )
    (hidden / "properties.py").write_text(spoilt)
    done = ecert(copy, "regrade", "--json")
    # The reference breaks it, too: a fault of the author's, so everybody is left ungraded in this function, and nobody gets a 0.
    assert done.returncode == 1
    changes = json.loads(done.stdout)
    assert {(c["student"], c["function"], c["after"]) for c in changes} == {
        ("right", first, None),
        ("=wrong", first, None),
    }
    (hidden / "properties.py").write_text(text)
    ecert(copy, "regrade")
    told = {r["student"]: r["score"] for r in json.loads(ecert(copy, "export", "--json").stdout)}
    assert told["right"] == course.topic.out_of


def test_unconfined_grading_warns_and_is_marked(copy, course):
    done = ecert(copy, "grade", "--sandbox", "none", "--workers", "1")
    assert "unconfined" in done.stderr
    assert "without a sandbox" in ecert(copy, "show", "right", course.topic.name).stdout


def test_without_a_sandbox_nobodys_code_runs(copy, course, tmp_path):
    (copy / ".ecert" / "journal.db").unlink()
    line = refused(ecert(copy, "grade", PATH=str(tmp_path)), 2)
    assert "bubblewrap" in line
    assert ecert(copy, "grade").returncode == 1
    told = {r["student"]: r["score"] for r in json.loads(ecert(copy, "export", "--json").stdout)}
    assert told["right"] == course.topic.out_of


def test_an_unknown_student_is_wrong_usage(course):
    assert "nobody" in refused(ecert(course.folder, "show", "nobody", course.topic.name), 2)


def test_a_locked_gradebook_is_a_fault_and_nothing_is_lost(copy, course, monkeypatch):
    (copy / "submitted" / "new" / course.topic.name).mkdir(parents=True)
    shutil.copy(
        copy / "submitted" / "right" / course.topic.name / f"{course.topic.name}.ipynb",
        copy / "submitted" / "new" / course.topic.name,
    )
    lock = sqlite3.connect(copy / "gradebook.db", isolation_level=None)
    lock.execute("begin exclusive")
    try:
        assert "locked" in refused(ecert(copy, "grade"), 3)
    finally:
        lock.execute("rollback")
        lock.close()
    assert ecert(copy, "grade").returncode == 1
    told = {r["student"]: r["score"] for r in json.loads(ecert(copy, "export", "--json").stdout)}
    assert told["new"] == told["right"] == course.topic.out_of


@pytest.mark.parametrize("verb", ["grade", "export"])
def test_a_damaged_gradebook_is_a_fault_and_stays_as_it_is(copy, verb):
    path = copy / "gradebook.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)
    before = path.read_bytes()
    assert "gradebook" in refused(ecert(copy, verb), 3)
    assert path.read_bytes() == before


def test_a_damaged_journal_is_a_fault_and_can_be_moved_away(copy, course):
    journal = copy / ".ecert" / "journal.db"
    journal.write_bytes(b"\xff" * 10_000)
    assert "move it away" in refused(ecert(copy, "grade"), 3)
    journal.unlink()
    assert ecert(copy, "grade").returncode == 1
    told = {r["student"]: r["score"] for r in json.loads(ecert(copy, "export", "--json").stdout)}
    assert told["right"] == course.topic.out_of


def test_a_notebook_of_another_course_earns_nothing_and_harms_nobody(copy, course):
    place = copy / "submitted" / "stranger" / course.topic.name
    place.mkdir(parents=True)
    cells = [
        {"cell_type": "code", "id": "a", "metadata": {}, "source": "x = 1", "outputs": [], "execution_count": None}
    ]
    (place / f"{course.topic.name}.ipynb").write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    assert ecert(copy, "grade").returncode == 1
    told = {r["student"]: r["score"] for r in json.loads(ecert(copy, "export", "--json").stdout)}
    assert told["stranger"] == 0
    assert told["right"] == course.topic.out_of


def test_settings_that_cannot_be_understood_are_one_line(copy):
    (copy / "ecert.toml").write_text("content = ")
    assert "ecert.toml" in refused(ecert(copy, "grade"), 2)
    (copy / "ecert.toml").write_text('content = "/nowhere"')
    assert "/nowhere" in refused(ecert(copy, "grade"), 2)


def test_a_course_without_gradebook_says_what_makes_one(copy):
    (copy / "gradebook.db").unlink()
    assert "ecert release" in refused(ecert(copy, "grade"), 2)
