"""The direct path leaves what `nbgrader autograde` leaves: the real one grades the same notebooks, with the same verdicts."""

import copy
import sqlite3
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader import utils
from nbgrader.api import Gradebook as Stock
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory

from autograder import autograded, nbgrader_plugin, submission
from autograder.errors import Fault, Finding, Usage
from autograder.gradebook import Gradebook, checksum, fill, graded
from autograder.notebook import dumps
from autograder.workspace import Workspace
from tests.autograder import course_folder as made

TOPIC = "rnn_bptt"
BROKEN = "grader-broke"  # the student on whom the grader fails
ROWS = {
    "grades": """select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade from grade g
        join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id
        join base_cell c on g.cell_id = c.id order by 1, 2""",
    "comments": """select s.student_id, c.name, g.auto_comment, g.manual_comment from comment g
        join submitted_notebook n on g.notebook_id = n.id join submitted_assignment s on n.assignment_id = s.id
        join base_cell c on g.cell_id = c.id order by 1, 2""",
    "students": "select * from student order by id",
    "submissions": "select student_id, assignment_id, timestamp, extension from submitted_assignment order by 1, 2",
    "notebooks": """select s.student_id, n.notebook_id, n.flagged, n.late_submission_penalty from submitted_notebook n
        join submitted_assignment s on n.assignment_id = s.id order by 1, 2""",
}


class _Fed(nbgrader_plugin.GradeByVerdict):
    """The plugin, with verdicts at hand."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        self._student = resources["nbgrader"]["student"]
        return super().preprocess(nb, resources)

    def verdict(self, workspace: Workspace, topic: str, submitted: submission.Submission) -> Any:
        with Gradebook(workspace.db_url) as gradebook:
            return made.verdict(gradebook.template(topic), submitted, self._student == BROKEN)


def by_nbgrader(workspace: Workspace, topic: str = TOPIC) -> None:
    """`nbgrader autograde`, as the command runs it with the course's configuration."""
    config = copy.deepcopy(workspace.nbgrader_config)
    config.CourseDirectory.root = str(workspace.root)
    config.CourseDirectory.assignment_id = topic
    config.Autograde.force = True
    config.Autograde.autograde_preprocessors = [_Fed, *config.Autograde.autograde_preprocessors[1:]]
    try:
        Autograde(coursedir=CourseDirectory(config=config), config=config).start()
    except NbGraderException:
        if not (workspace.submitted / BROKEN).exists():
            raise


def by_us(workspace: Workspace, topic: str = TOPIC) -> None:
    with Gradebook(workspace.db_url) as gradebook:
        template = gradebook.template(topic)
        marks = {}
        for student, path in workspace.submissions(topic):
            read = submission.read(path, template.release)
            done = graded(
                template,
                read,
                made.verdict(template, read, student == BROKEN),
                workspace.lang,
                autograded.timestamp(path.parent),
            )
            autograded.write(workspace, student, topic, done.text)
            marks[student] = done.marks
        gradebook.write(template, marks, autograded.penalties(workspace, topic))


def rows(workspace: Workspace) -> dict[str, list[Any]]:
    with sqlite3.connect(workspace.root / "gradebook.db") as connection:
        return {name: connection.execute(query).fetchall() for name, query in ROWS.items()}


def files(workspace: Workspace) -> dict[str, tuple[bytes, int]]:
    found = (p for p in workspace.autograded.rglob("*") if p.is_file())
    return {str(p.relative_to(workspace.autograded)): (p.read_bytes(), p.stat().st_mode) for p in found}


@pytest.fixture(scope="module")
def template_course(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Released once, with a question answered in words that an instructor added by hand."""
    workspace = made.course(tmp_path_factory.mktemp("course") / "コース 1", TOPIC)
    source = workspace.source / TOPIC / f"{TOPIC}.ipynb"
    book = nbformat.read(source, as_version=4)
    metadata = {
        "nbgrader": {
            "grade_id": "essay",
            "grade": True,
            "solution": True,
            "locked": False,
            "task": False,
            "points": 2,
            "schema_version": 3,
        }
    }
    book.cells.append(nbformat.v4.new_markdown_cell("?", id="essay", metadata=metadata))
    nbformat.write(book, source)
    from autograder import releasing

    releasing._generate(workspace, TOPIC, workspace.release)
    return workspace


@pytest.fixture
def two(template_course: Workspace, tmp_path: Path) -> tuple[Workspace, Workspace]:
    """Two copies of the course: one for nbgrader, one for us."""
    import shutil

    pair = []
    for name in ("theirs", "ours"):
        shutil.copytree(template_course.root, tmp_path / name)
        pair.append(Workspace.at(tmp_path / name))
    return pair[0], pair[1]


def cohort(workspace: Workspace) -> None:
    """Usual and unusual submissions of a class."""
    book = lambda: made.released(workspace, TOPIC)
    for n in range(6):
        made.hand_in(
            workspace,
            f"s{n}",
            TOPIC,
            made.answered(book(), {"rnn_forward": f"def rnn_forward(*a):\n    return {n}", "essay": f"because {n}"}),
        )
    made.hand_in(workspace, "stub", TOPIC, book())
    made.hand_in(workspace, "late", TOPIC, made.answered(book(), {"essay": "I was late"}), "2026-12-02 00:00:01.5 UTC")
    made.hand_in(workspace, "in-time", TOPIC, made.answered(book(), {"essay": "not I"}), "2026-11-30 12:00:00 UTC")

    hostile = book()
    for each in hostile["cells"]:
        if each["cell_type"] == "markdown":
            each["source"] = "<script>alert(1)</script> $\\href{javascript:alert(1)}{x}$ a < b <!-- -->"
            each["metadata"]["jupyter"] = {"source_hidden": True}
        else:
            each["outputs"] = [
                {"output_type": "display_data", "data": {"text/html": "<script>alert(2)</script>"}, "metadata": {}}
            ]
            each["execution_count"] = 7
    hostile["metadata"]["widgets"] = {"x": "</script>"}
    made.hand_in(workspace, "hostile", TOPIC, hostile)

    forged = book()
    for each in forged["cells"]:
        if said := each["metadata"].get("nbgrader"):
            said |= {"grade": False, "locked": False, "points": 1e9, "checksum": "0" * 32}
    made.hand_in(workspace, "forged", TOPIC, forged)

    copied = book()
    copied["cells"] += [
        copy.deepcopy(made.cell(copied, n)) | {"id": f"copy-{n}"}
        for n in ("rnn_forward", "rnn_forward-graded", "softmax")
    ]
    made.hand_in(workspace, "copied", TOPIC, copied)

    lost = book()
    lost["cells"] = [c for c in lost["cells"] if not c["metadata"].get("nbgrader", {}).get("locked")]
    made.hand_in(workspace, "lost", TOPIC, lost)

    turned = book()
    made.cell(turned, "rnn_forward")["cell_type"] = "markdown"  # a slip of the key m
    made.cell(turned, "rnn_loss-graded")["source"] = "check = print"
    del made.cell(turned, "rnn_forward")["outputs"], made.cell(turned, "rnn_forward")["execution_count"]
    made.hand_in(workspace, "turned", TOPIC, turned)

    foreign = book()
    for each in foreign["cells"]:
        if said := each["metadata"].get("nbgrader"):
            said["grade_id"] += "-of-another"
    made.hand_in(workspace, "foreign", TOPIC, foreign)

    older = book()
    older["nbformat_minor"] = 2
    for each in older["cells"]:
        del each["id"]
    made.hand_in(workspace, "older", TOPIC, older)


def test_both_paths_leave_the_same_rows_and_the_same_bytes(two: tuple[Workspace, Workspace]) -> None:
    for workspace in two:
        cohort(workspace)
    theirs, ours = two
    for grade_again in (False, True):  # rows are made, then updated
        by_nbgrader(theirs)
        by_us(ours)
        assert rows(ours) == rows(theirs), grade_again
        assert files(ours) == files(theirs), grade_again
    assert len(rows(ours)["students"]) == 16
    with Stock(ours.db_url) as stock:
        earned = {s.student.id: s.score for s in stock.assignment_submissions(TOPIC)}
    assert earned["forged"] == earned["stub"] <= made.CONTENT.topic(TOPIC).out_of


def test_what_a_person_gave_survives_on_both_paths(two: tuple[Workspace, Workspace]) -> None:
    for workspace, grade in zip(two, (by_nbgrader, by_us), strict=True):
        made.hand_in(workspace, "s", TOPIC, made.answered(made.released(workspace, TOPIC), {"essay": "because"}))
        grade(workspace)
        with Stock(workspace.db_url) as stock:
            assert stock.find_grade("essay", TOPIC, TOPIC, "s").needs_manual_grade
            stock.find_grade("essay", TOPIC, TOPIC, "s").manual_score = 1.5
            stock.find_grade("rnn_forward-graded", TOPIC, TOPIC, "s").extra_credit = 0.5
            stock.find_comment("essay", TOPIC, TOPIC, "s").manual_comment = "good"
            stock.db.commit()
        grade(workspace)
    theirs, ours = two
    assert rows(ours) == rows(theirs)
    assert ("s", "essay", None, 1.5, None, 1) in rows(ours)["grades"]
    assert ("s", "essay", None, "good") in rows(ours)["comments"]


@pytest.mark.parametrize("method", ["none", "zero"])
def test_late_penalties_are_nbgraders(two: tuple[Workspace, Workspace], method: str) -> None:
    for workspace, grade in zip(two, (by_nbgrader, by_us), strict=True):
        config = workspace.root / "nbgrader_config.py"
        config.write_text(config.read_text() + f'c.LateSubmissionPlugin.penalty_method = "{method}"\n')
        with Stock(workspace.db_url) as stock:
            stock.update_or_create_assignment(TOPIC, duedate="2026-12-01 00:00:00 UTC")
        cohort(workspace)
        grade(Workspace.at(workspace.root))
    theirs, ours = two
    assert rows(ours) == rows(theirs)
    penalties = {row[0]: row[3] for row in rows(ours)["notebooks"]}
    assert penalties["in-time"] is None
    assert (penalties["late"] is not None) == (method == "zero")


def test_a_fault_of_the_grader_leaves_the_submission_ungraded_on_both_paths(two: tuple[Workspace, Workspace]) -> None:
    for workspace, grade in zip(two, (by_nbgrader, by_us), strict=True):
        book = made.released(workspace, TOPIC)
        made.hand_in(workspace, "fine", TOPIC, book)
        made.hand_in(workspace, BROKEN, TOPIC, book)
        grade(workspace)
    theirs, ours = two
    assert rows(ours) == rows(theirs)
    assert files(ours) == files(theirs)
    assert all(row[2] is None and row[5] == 1 for row in rows(ours)["grades"] if row[0] == BROKEN)
    assert not ours.autograded_notebook(BROKEN, TOPIC).exists()
    assert ours.autograded_notebook("fine", TOPIC).exists()


def test_formgrader_reads_the_same(two: tuple[Workspace, Workspace]) -> None:
    answers = []
    for workspace, grade in zip(two, (by_nbgrader, by_us), strict=True):
        cohort(workspace)
        grade(workspace)
        config = copy.deepcopy(workspace.nbgrader_config)
        config.CourseDirectory.root = str(workspace.root)
        api = NbGraderAPI(CourseDirectory(config=config), config=config)
        found = [
            api.get_submissions(TOPIC),
            api.get_notebook_submissions(TOPIC, TOPIC),
            api.get_student_submissions("s1"),
        ]
        answers.append([[_without_ids(part) for part in found], api.get_autograded_students(TOPIC)])
    assert answers[0] == answers[1]


def _without_ids(part: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ids are random, and the order is theirs."""
    known = [{k: v for k, v in each.items() if k not in ("id", "index")} for each in part]
    return sorted(known, key=lambda each: (each["student"], each["name"]))


def test_checksums_are_nbgraders(template_course: Workspace) -> None:
    book = made.released(template_course, TOPIC)
    for each in book["cells"]:
        if "nbgrader" in each["metadata"]:
            each["source"] = "".join(each["source"])
            assert (
                checksum(each)
                == utils.compute_checksum(nbformat.from_dict(each))
                == each["metadata"]["nbgrader"]["checksum"]
            )


def test_scores_are_what_nbgrader_reads_from_the_notebook(template_course: Workspace) -> None:
    with Gradebook(template_course.db_url) as gradebook:
        template = gradebook.template(TOPIC)
    read = submission.read(template_course.released(TOPIC), template.release)
    done = graded(template, read, made.verdict(template, read), "en")
    for each in nbformat.reads(done.text, as_version=4).cells:
        if utils.is_grade(each):
            assert done.marks.grades[each.metadata.nbgrader.grade_id] == utils.determine_grade(each)[0]


texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(st.sampled_from(["code", "markdown", "raw"]), texts, texts), max_size=4))
@settings(max_examples=50, deadline=None)
def test_a_notebook_is_written_as_nbformat_writes_it(cells: list[tuple[str, str, str]]) -> None:
    make = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }
    book = nbformat.v4.new_notebook(
        cells=[make[kind](source) for kind, source, _ in cells], metadata={"a": {"b": [1, 2.5, None, True, []]}}
    )
    for each, (kind, _, shown) in zip(book.cells, cells, strict=True):
        if kind == "code":
            each.outputs = [nbformat.v4.new_output("execute_result", {"text/html": shown, "text/plain": "1.0"})]
    assert dumps(book) == nbformat.writes(book, version=4) + "\n"


def test_a_topic_that_changed_since_its_release_is_refused(template_course: Workspace) -> None:
    with Gradebook(template_course.db_url) as gradebook:
        template = gradebook.template(TOPIC)
    read = submission.read(template_course.released(TOPIC), template.release)
    said = made.verdict(template, read)
    from dataclasses import replace

    with pytest.raises(Finding, match="release the topic again"):
        fill(template, read, replace(said, functions=said.functions[1:]), "ja")
    dearer = replace(said.functions[0], out_of=99.0)
    with pytest.raises(Finding, match="release the topic again"):
        fill(template, read, replace(said, functions=(dearer, *said.functions[1:])), "ja")


def test_a_missing_locked_or_damaged_gradebook_is_one_line(
    two: tuple[Workspace, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = two[1]
    with pytest.raises(Usage, match="no gradebook"):
        Gradebook(f"sqlite:///{workspace.root}/nowhere.db")
    with Gradebook(workspace.db_url) as gradebook, pytest.raises(Usage, match="not been released"):
        gradebook.template("attention")
    monkeypatch.setattr("autograder.gradebook.PATIENCE", 0.1)
    with (
        sqlite3.connect(workspace.root / "gradebook.db", isolation_level=None) as other,
        Gradebook(workspace.db_url) as gradebook,
    ):
        other.execute("begin exclusive")
        with pytest.raises(Fault, match="locked"):
            gradebook.template(TOPIC)
        other.execute("rollback")
    (workspace.root / "gradebook.db").write_bytes(b"no database" * 1000)
    with Gradebook(workspace.db_url) as gradebook, pytest.raises(Fault, match="damaged"):
        gradebook.template(TOPIC)
