"""An honest submission, however odd, loses nothing."""

import hashlib

import pytest

from tests.end_to_end.honest import EDITS, WRITERS


@pytest.fixture(scope="module")
def graded(make_course):
    course = make_course("honest")
    students = {}
    for name, edit in EDITS.items():
        book = course.right()
        edit(book)
        students[name] = course.hand_in(name, book).parent.name
    for name, write in WRITERS.items():
        students[name] = course.hand_in(name, write(course.right())).parent.name
    done = course.ecert("grade", "--json", "--workers", "2", check=False)
    return course, course.scores(), done


@pytest.mark.slow
@pytest.mark.parametrize("name", [*EDITS, *WRITERS])
def test_it_earns_all_points(graded, name):
    course, scores, _ = graded
    said = (
        ""
        if scores.get(name) == course.topic.out_of
        else course.ecert("show", name, course.topic.name, check=False).stdout
    )
    assert scores.get(name) == course.topic.out_of, said[-3000:]


@pytest.mark.slow
def test_the_run_says_that_all_went_well(graded):
    assert graded[2].returncode == 0, graded[2].stderr[-2000:]


@pytest.mark.slow
def test_grading_again_changes_nothing(graded):
    course, scores, _ = graded
    before = _files(course)
    course.ecert("grade", "--workers", "2")
    assert course.scores() == scores
    assert _files(course) == before


def _files(course):
    found = sorted((course.folder / "autograded").rglob("*.ipynb"))
    return {path: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in found}
