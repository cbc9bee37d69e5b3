"""A forged submission earns nothing, harms no other, and leaves nothing behind."""

import json
import sqlite3
import subprocess
import time

import pytest

from tests.end_to_end.hostile import CELLS, EDITS, FILES, FORGE, PLACES, POISON, STUDENTS

WITNESSES = 12


@pytest.fixture(scope="module")
def graded(make_course, tmp_path_factory):
    """One cohort of all attacks, with honest witnesses among them."""
    course, scratch = make_course("hostile"), tmp_path_factory.mktemp("scratch")
    functions = f"FUNCTIONS = {list(course.topic.functions)!r}\n"
    attacks = []
    for name, cell in CELLS.items():
        book = json.loads(course.released)
        own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
        book["cells"].append({**own, "source": functions + FORGE + cell})
        attacks.append((name, book, {}))
    for edit in EDITS:
        book = json.loads(course.released)
        edit(book)
        attacks.append((edit.__name__, book, {}))
    attacks += [(f"file_{name}", content, {}) for name, content in FILES.items()]
    attacks.append(("poisoned_folder", json.loads(course.released), POISON))
    step = max(1, len(attacks) // WITNESSES)
    for number, (name, book, files) in enumerate(attacks):
        course.hand_in(name, book, files)
        if number % step == 0:
            course.hand_in(f"witness_{number}", course.right(), POISON)
    for place in PLACES:
        folder = course.hand_in(place.__name__, b"")
        (folder / f"{course.topic.name}.ipynb").unlink()
        place(folder / f"{course.topic.name}.ipynb")
    for student in STUDENTS:
        course.hand_in(student, course.right())
    done = course.ecert("grade", "--json", "--workers", "2", check=False, TMPDIR=str(scratch))
    time.sleep(0.5)
    return course, course.scores(), done, (set(scratch.iterdir()), _processes(course))


def _processes(course):
    """What still runs of this course's grading."""
    listed = subprocess.run(["ps", "-eo", "pid,args"], text=True, capture_output=True, check=True).stdout.splitlines()
    return {line for line in listed if str(course.folder) in line}


def _verdicts(course):
    """The text of every verdict, as the journal holds it."""
    with sqlite3.connect(course.folder / ".ecert" / "journal.db") as journal:
        return [body for (body,) in journal.execute("select body from verdicts")]


ATTACKS = [
    *CELLS,
    *(e.__name__ for e in EDITS),
    *(f"file_{n}" for n in FILES),
    "poisoned_folder",
    *(p.__name__ for p in PLACES),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_it_earns_nothing(graded, name):
    course, scores, *_ = graded
    assert not scores.get(name), course.ecert("show", name, course.topic.name, check=False).stdout[-2000:]


@pytest.mark.slow
def test_witnesses_and_trainees_of_odd_names_earn_all_points(graded):
    course, scores, *_ = graded
    honest = {s: score for s, score in scores.items() if s.startswith("witness_") or s in STUDENTS}
    assert len(honest) >= WITNESSES
    assert {s: score for s, score in honest.items() if score != course.topic.out_of} == {}


@pytest.mark.slow
def test_every_attack_that_ran_is_graded_and_none_is_a_fault_of_the_grader(graded):
    _, scores, *_ = graded
    ran = [*CELLS, *(e.__name__ for e in EDITS), "poisoned_folder"]
    assert [name for name in ran if scores.get(name) is None] == []


@pytest.mark.slow
def test_nothing_was_seen_of_the_course_or_the_machine(graded):
    assert [text for text in _verdicts(graded[0]) if "SIGHT:" in text] == []


@pytest.mark.slow
def test_nothing_is_left_behind(graded):
    files, processes = graded[3]
    assert files == set()
    assert processes == set()
    course = graded[0]
    assert not list(course.folder.rglob("owned"))
    assert {path.name for path in course.folder.iterdir()} <= {
        ".ecert",
        "autograded",
        "ecert.toml",
        "feedback",
        "gradebook.db",
        "nbgrader_config.py",
        "release",
        "source",
        "submitted",
    }


@pytest.mark.slow
def test_no_markup_or_escape_of_theirs_reaches_notebook_feedback_or_terminal(graded):
    course, *_ = graded
    course.ecert("feedback", check=False)
    for name in ("raises_markup", "script_in_markdown", "script_in_outputs"):
        for page in (course.folder / "feedback" / name).rglob("*.html"):
            text = page.read_text(encoding="utf-8")
            assert "<script>alert(1)" not in text
            assert "<script>document.title" not in text
            assert "<img src=x" not in text
        shown = course.ecert("show", name, course.topic.name, check=False)
        assert "\x1b]0;" not in shown.stdout + shown.stderr
        assert "\x1b[2J" not in shown.stdout + shown.stderr


@pytest.mark.slow
def test_every_word_of_a_verdict_occurs(graded):
    words = {f["status"] for body in _verdicts(graded[0]) for f in json.loads(body)["functions"]}
    assert words >= {"passed", "failed", "raised", "timeout", "memory", "crashed"}
