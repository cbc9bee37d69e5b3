"""nbgrader's records without nbgrader: its gradebook's rows in one transaction for many students, its autograded notebooks as text.

`nbgrader autograde` opens nine sessions and commits twenty times a submission, and importing it takes longer than grading a class. What is
written here is what it would have written, row for row and byte for byte; a test grades the same notebooks both ways.
"""

import hashlib
import json
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar

import sqlalchemy as sa

from autograder import notebook, rendering
from autograder.errors import Fault, Finding, Usage
from autograder.submission import Release, Released, Submission
from autograder.verdict import FunctionVerdict, SubmissionVerdict, Text

AT_ONCE = 200  # students a transaction: a tenth of a second during which nobody else can write
PATIENCE = 30  # seconds to wait for formgrader, or for another run

T = TypeVar("T")


class Marks(NamedTuple):
    """What the gradebook holds of one submission, by grade_id."""

    grades: Mapping[str, float | None]  # None: a person must look
    comments: Mapping[str, str | None]
    timestamp: datetime | None = None  # when it was handed in, in UTC


class Graded(NamedTuple):
    """One submission, ready to be written."""

    text: str | None  # of the autograded notebook; None where a function is ungraded
    marks: Marks


@dataclass(frozen=True)
class Template:
    """What nbgrader knows of a released assignment, read once for a cohort."""

    topic: str
    assignment_id: str
    notebook_id: str
    kernelspec: Mapping[str, Any] | None
    due: datetime | None
    release: Release
    ids: Mapping[str, str]  # of the row of each cell that has a grade
    commented: Mapping[str, str]  # likewise of each that has a comment


def graded(
    template: Template, submission: Submission, verdict: SubmissionVerdict, lang: str, timestamp: datetime | None = None
) -> Graded:
    """The autograded notebook, and what goes into the gradebook.

    Raises:
        Finding: where the topic is no longer what was released.
    """
    manual = {name for name, cell in template.release.items() if (cell.grade or cell.task) and not _ours(cell)}
    comments: dict[str, str | None] = dict.fromkeys(template.commented)
    grades: dict[str, float | None] = dict.fromkeys(template.ids)
    if verdict.points is None:
        return Graded(None, Marks(grades, comments, timestamp))
    filled = fill(template, submission, verdict, lang)
    for cell in filled["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name is None:
            continue
        untouched = template.release[name].solution and checksum(cell) == template.release[name].checksum
        if name in comments and untouched:
            comments[name] = "No response."
        if name in grades:
            grades[name] = (
                (0.0 if untouched else None) if name in manual else float(cell["outputs"][0]["data"]["text/plain"])
            )
    return Graded(notebook.dumps(filled), Marks(grades, comments, timestamp))


def fill(template: Template, submission: Submission, verdict: SubmissionVerdict, lang: str) -> notebook.Book:
    """The submission with every verdict below its graded cell.

    nbgrader gives full points to a graded cell without output, with an output that is no number, or with a negative one:
    each gets exactly one, checked here.
    """
    said = {function.function: function for function in verdict.functions}
    notes: Sequence[Text] = tuple(dict.fromkeys((*submission.notes, *verdict.notes)))
    cells = []
    for cell in submission.book["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        mine = template.release.get(name) if name else None
        if mine and _ours(mine):
            cell = {**cell, "outputs": [_output(mine, said.get(mine.function), lang, notes)]}
            notes = ()
        cells.append(cell)
    about = {"format": 1, "lang": lang, "provenance": asdict(verdict.provenance), "topic": verdict.topic}
    kernel = {"kernelspec": dict(template.kernelspec)} if template.kernelspec else {}
    return {**submission.book, "cells": cells, "metadata": {**submission.book["metadata"], **kernel, "ecert": about}}


def _ours(cell: Released) -> bool:
    """Is this a cell that the engine gives points to?"""
    return cell.grade and not cell.solution and cell.cell_type == "code"


def _output(cell: Released, verdict: FunctionVerdict | None, lang: str, notes: Sequence[Text]) -> notebook.Book:
    """The one output of a graded cell: nbgrader reads its plain text, people see its HTML."""
    if verdict is None:
        raise Finding(
            f"the release has a graded cell {cell.grade_id}, but the topic no function {cell.function}: release the topic again"
        )
    if (
        verdict.out_of != cell.points
        or verdict.points is None
        or not 0 <= verdict.points <= verdict.out_of
        or not math.isfinite(verdict.points)
    ):
        raise Finding(
            f"{cell.function} earned {verdict.points} of {verdict.out_of:g} points, but was released with {cell.points}: release the topic again"
        )
    return {
        "data": {"text/html": rendering.function_html(verdict, lang, notes), "text/plain": repr(float(verdict.points))},
        "execution_count": None,
        "metadata": {"ecert": {"function": verdict.function, "status": str(verdict.status)}},
        "output_type": "execute_result",
    }


def checksum(cell: Mapping[str, Any]) -> str:
    """As `nbgrader.utils.compute_checksum`."""
    said = cell["metadata"]["nbgrader"]
    parts = [cell["source"], cell["cell_type"], str(said["grade"]), str(said["solution"])]
    locked = not said["solution"] and (said["grade"] or said["locked"])
    parts += [str(locked), said["grade_id"], *([str(float(said["points"]))] if said["grade"] else [])]
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


def _table(name: str, /, **columns: Any) -> sa.TableClause:
    return sa.table(
        name, *(sa.column(column, kind() if isinstance(kind, type) else kind) for column, kind in columns.items())
    )


_ASSIGNMENT = _table("assignment", id=sa.String, name=sa.String, duedate=sa.DateTime)
_NOTEBOOK = _table("notebook", id=sa.String, name=sa.String, assignment_id=sa.String, kernelspec=sa.String)
_CELL = _table("base_cell", id=sa.String, name=sa.String, notebook_id=sa.String, type=sa.String)
_GRADE_CELL = _table("grade_cells", id=sa.String, max_score=sa.Float)
_TASK_CELL = _table("task_cells", id=sa.String, max_score=sa.Float)
_SOURCE = _table(
    "source_cell",
    name=sa.String,
    cell_type=sa.String,
    locked=sa.Boolean,
    source=sa.Text,
    checksum=sa.String,
    notebook_id=sa.String,
)
_STUDENT = _table("student", id=sa.String)
_SUBMITTED = _table(
    "submitted_assignment",
    id=sa.String,
    assignment_id=sa.String,
    student_id=sa.String,
    timestamp=sa.DateTime,
    extension=sa.Interval,
)
_SUBMITTED_NOTEBOOK = _table(
    "submitted_notebook",
    id=sa.String,
    assignment_id=sa.String,
    notebook_id=sa.String,
    flagged=sa.Boolean,
    late_submission_penalty=sa.Float,
)
_GRADE = _table(
    "grade",
    id=sa.String,
    notebook_id=sa.String,
    cell_id=sa.String,
    auto_score=sa.Float,
    manual_score=sa.Float,
    extra_credit=sa.Float,
    needs_manual_grade=sa.Boolean,
)
_COMMENT = _table(
    "comment", id=sa.String, notebook_id=sa.String, cell_id=sa.String, auto_comment=sa.Text, manual_comment=sa.Text
)


class Gradebook:
    """nbgrader's database, whichever SQLAlchemy reaches."""

    def __init__(self, url: str) -> None:
        """Connect.

        Raises:
            Usage: where there is no gradebook yet, or no driver for its URL.
        """
        try:
            parsed = sa.make_url(url)
            self._sqlite = parsed.get_backend_name() == "sqlite"
            if self._sqlite and parsed.database and not Path(parsed.database).is_file():
                raise Usage(f"no gradebook at {parsed.database}: `ecert release TOPIC` makes it")
            self._engine = sa.create_engine(parsed, connect_args={"timeout": PATIENCE} if self._sqlite else {})
        except (sa.exc.ArgumentError, ImportError) as e:
            raise Usage(f"the gradebook's URL cannot be used: {e}") from e
        if self._sqlite:
            # The driver's own transactions begin with the first write, after what it rests on was read.
            sa.event.listen(self._engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
            sa.event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as e:
            where = self._engine.url.render_as_string(hide_password=True)
            raise Fault(
                f"the gradebook {where} cannot be used ({e.orig}); nothing was written. If it is locked, close what uses it; "
                "if it is damaged, restore it and grade again"
            ) from e

    def template(self, topic: str) -> Template:
        """What was released.

        Raises:
            Usage: where it was not.
        """
        with self._transaction() as connection:
            found = connection.execute(
                sa.select(
                    _ASSIGNMENT.c.id, _ASSIGNMENT.c.duedate, _NOTEBOOK.c.id, _NOTEBOOK.c.name, _NOTEBOOK.c.kernelspec
                )
                .join(_NOTEBOOK, _NOTEBOOK.c.assignment_id == _ASSIGNMENT.c.id)
                .where(_ASSIGNMENT.c.name == topic)
            ).all()
            if [row[3] for row in found] != [topic]:
                raise Usage(
                    f"{topic} has not been released: `ecert release {topic}`"
                    if not found
                    else f"the assignment {topic} holds other notebooks than {topic}.ipynb: grade it by `nbgrader autograde {topic}`"
                )
            assignment_id, due, notebook_id, _, kernelspec = found[0]
            of_notebook = _CELL.c.notebook_id == notebook_id
            cells = connection.execute(sa.select(_CELL.c.type, _CELL.c.name, _CELL.c.id).where(of_notebook)).all()
            points: dict[str, float] = {}
            for graded_cell in (_GRADE_CELL, _TASK_CELL):
                rows = connection.execute(
                    sa.select(_CELL.c.name, graded_cell.c.max_score)
                    .join(graded_cell, graded_cell.c.id == _CELL.c.id)
                    .where(of_notebook)
                )
                points |= {name: float(most) for name, most in rows}
            sources = (
                connection.execute(sa.select(_SOURCE).where(_SOURCE.c.notebook_id == notebook_id)).mappings().all()
            )
        kinds = {(row[0], row[1]) for row in cells}
        release = {
            s["name"]: Released(
                s["name"],
                s["cell_type"],
                ("GradeCell", s["name"]) in kinds,
                ("SolutionCell", s["name"]) in kinds,
                bool(s["locked"]),
                ("TaskCell", s["name"]) in kinds,
                points.get(s["name"]),
                s["source"],
                s["checksum"],
            )
            for s in sources
        }
        return Template(
            topic,
            assignment_id,
            notebook_id,
            json.loads(kernelspec) if kernelspec else None,
            due,
            release,
            {name: row for kind, name, row in cells if kind in ("GradeCell", "TaskCell")},
            {name: row for kind, name, row in cells if kind in ("SolutionCell", "TaskCell")},
        )

    def write(
        self, template: Template, marks: Mapping[str, Marks], penalties: Callable[[str], None] | None = None
    ) -> None:
        """Rows of these students: made where they are new, else what grading says is put in their place.

        Scores and comments that a person gave stay, and ask to be looked at again, as after `nbgrader autograde`.

        Args:
            template: of the assignment.
            marks: by student.
            penalties: called for each student who was late, after her rows are there.

        Raises:
            Fault: where the gradebook is locked or damaged; a transaction is written whole or not at all.
        """
        late: list[str] = []
        for students in _parts(marks, AT_ONCE):
            part = {student: marks[student] for student in students}
            with self._transaction() as connection:
                had = self._known(connection, template, part)
                self._insert(connection, template, {s: m for s, m in part.items() if s not in had})
                self._update(connection, template, {had[s]: m for s, m in part.items() if s in had})
                late += [
                    s
                    for s, m in part.items()
                    if set(m.grades.values()) != {None} and _is_late(template.due, m.timestamp, had.get(s))
                ]
        for student in late if penalties else ():
            penalties(student)  # type: ignore[misc]

    def _known(self, connection: sa.Connection, template: Template, marks: Mapping[str, Marks]) -> dict[str, "_Row"]:
        rows = connection.execute(
            sa.select(
                _SUBMITTED.c.student_id,
                _SUBMITTED.c.id,
                _SUBMITTED_NOTEBOOK.c.id,
                _SUBMITTED.c.timestamp,
                _SUBMITTED.c.extension,
            )
            .join(_SUBMITTED_NOTEBOOK, _SUBMITTED_NOTEBOOK.c.assignment_id == _SUBMITTED.c.id)
            .where(
                _SUBMITTED.c.assignment_id == template.assignment_id,
                _SUBMITTED_NOTEBOOK.c.notebook_id == template.notebook_id,
                _SUBMITTED.c.student_id.in_(list(marks)),
            )
        )
        return {student: _Row(*rest) for student, *rest in rows}

    def _insert(self, connection: sa.Connection, template: Template, marks: Mapping[str, Marks]) -> None:
        if not marks:
            return
        known = {row[0] for row in connection.execute(sa.select(_STUDENT.c.id).where(_STUDENT.c.id.in_(list(marks))))}
        assignments = {student: _new_id() for student in marks}
        notebooks = {student: _new_id() for student in marks}
        for table, rows in (
            (_STUDENT, [{"id": s} for s in marks if s not in known]),
            (
                _SUBMITTED,
                [
                    {
                        "id": assignments[s],
                        "assignment_id": template.assignment_id,
                        "student_id": s,
                        "timestamp": m.timestamp,
                        "extension": None,
                    }
                    for s, m in marks.items()
                ],
            ),
            (
                _SUBMITTED_NOTEBOOK,
                [
                    {
                        "id": notebooks[s],
                        "assignment_id": assignments[s],
                        "notebook_id": template.notebook_id,
                        "flagged": False,
                        "late_submission_penalty": None,
                    }
                    for s in marks
                ],
            ),
            (
                _GRADE,
                [
                    {
                        "id": _new_id(),
                        "notebook_id": notebooks[s],
                        "cell_id": template.ids[name],
                        "auto_score": score,
                        "manual_score": None,
                        "extra_credit": None,
                        "needs_manual_grade": score is None,
                    }
                    for s, m in marks.items()
                    for name, score in m.grades.items()
                ],
            ),
            (
                _COMMENT,
                [
                    {
                        "id": _new_id(),
                        "notebook_id": notebooks[s],
                        "cell_id": template.commented[name],
                        "auto_comment": said,
                        "manual_comment": None,
                    }
                    for s, m in marks.items()
                    for name, said in m.comments.items()
                ],
            ),
        ):
            if rows:
                connection.execute(sa.insert(table), rows)

    def _update(self, connection: sa.Connection, template: Template, marks: Mapping["_Row", Marks]) -> None:
        if not marks:
            return
        tasks = {name for name, cell in template.release.items() if cell.task}
        score = sa.bindparam("score", type_=sa.Float)
        for statement, rows in (
            (
                sa.update(_SUBMITTED)
                .where(_SUBMITTED.c.id == sa.bindparam("row"))
                .values(timestamp=sa.bindparam("at", type_=sa.DateTime)),
                [{"row": row.assignment, "at": m.timestamp} for row, m in marks.items() if m.timestamp],
            ),
            (
                sa.update(_SUBMITTED_NOTEBOOK)
                .where(_SUBMITTED_NOTEBOOK.c.id == sa.bindparam("row"))
                .values(late_submission_penalty=None),
                [{"row": row.notebook} for row in marks],
            ),
            (
                sa.update(_GRADE)
                .where(*_of_cell(_GRADE))
                .values(
                    auto_score=score, needs_manual_grade=sa.or_(_GRADE.c.manual_score.is_not(None), score.is_(None))
                ),
                [
                    {"book": row.notebook, "cell": template.ids[name], "score": value}
                    for row, m in marks.items()
                    for name, value in m.grades.items()
                    if name not in tasks
                ],
            ),
            (
                sa.update(_COMMENT).where(*_of_cell(_COMMENT)).values(auto_comment=sa.bindparam("said", type_=sa.Text)),
                [
                    {"book": row.notebook, "cell": template.commented[name], "said": said}
                    for row, m in marks.items()
                    for name, said in m.comments.items()
                ],
            ),
        ):
            if rows:
                connection.execute(statement, rows)


class _Row(NamedTuple):
    """A submission that the gradebook already has."""

    assignment: str
    notebook: str
    timestamp: datetime | None
    extension: timedelta | None


def _of_cell(table: sa.TableClause) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.notebook_id == sa.bindparam("book"), table.c.cell_id == sa.bindparam("cell")


def _is_late(due: datetime | None, timestamp: datetime | None, row: _Row | None) -> bool:
    handed_in = timestamp or (row.timestamp if row else None)
    return bool(due and handed_in and handed_in > due + ((row.extension if row else None) or timedelta()))


def _new_id() -> str:
    return uuid.uuid4().hex


def _parts(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
