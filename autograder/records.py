"""What nbgrader's gradebook says, read without nbgrader, whose import takes longer than the answer."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from autograder.errors import Fault

_SUBMISSION = """
from submitted_assignment s
join assignment a on a.id = s.assignment_id
join submitted_notebook n on n.assignment_id = s.id
"""
_SCORES = f"""
select s.student_id, c.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade, gc.max_score, tc.max_score,
    n.late_submission_penalty, s.timestamp
{_SUBMISSION}
join grade g on g.notebook_id = n.id
join base_cell c on c.id = g.cell_id
left join grade_cells gc on gc.id = c.id
left join task_cells tc on tc.id = c.id
where a.name = :topic order by s.student_id, c.name
"""
_COMMENTS = f"""
select s.student_id, c.name, m.auto_comment, m.manual_comment
{_SUBMISSION}
join comment m on m.notebook_id = n.id
join base_cell c on c.id = m.cell_id
where a.name = :topic order by s.student_id, c.name
"""


class Cell(NamedTuple):
    """One graded cell of one submission."""

    name: str
    auto: float | None
    manual: float | None
    extra: float | None
    needs_manual: bool
    out_of: float

    @property
    def score(self) -> float | None:
        """By nbgrader's rule, but None where nobody has graded it yet (nbgrader would say 0)."""
        given = self.manual if self.manual is not None else self.auto
        return None if given is None else given + (self.extra or 0.0)


class Record(NamedTuple):
    """One submission in the gradebook."""

    student: str
    topic: str
    cells: tuple[Cell, ...]
    penalty: float
    timestamp: datetime | str | None

    @property
    def score(self) -> float | None:
        """The sum less the penalty, never below 0; None while a cell is ungraded."""
        each = [cell.score for cell in self.cells]
        return None if None in each else max(0.0, sum(s for s in each if s is not None) - self.penalty)

    @property
    def out_of(self) -> float:
        return sum(cell.out_of for cell in self.cells)

    @property
    def needs_manual(self) -> bool:
        return any(cell.needs_manual for cell in self.cells)


def records(url: str, topic: str) -> list[Record]:
    """Every submission of a topic that the gradebook holds, by student.

    Raises:
        Fault: where the gradebook cannot be read.
    """
    cells: dict[str, list[Cell]] = defaultdict(list)
    about: dict[str, tuple[float, datetime | str | None]] = {}
    for student, name, auto, manual, extra, needs, of_grade, of_task, penalty, at in _ask(url, _SCORES, topic):
        most = of_grade if of_grade is not None else of_task
        cells[student].append(Cell(name, auto, manual, extra, bool(needs), float(most or 0)))
        about[student] = (float(penalty or 0), at)
    return [Record(student, topic, tuple(each), *about[student]) for student, each in cells.items()]


def shown_on_pages(url: str, topic: str) -> Mapping[str, list[tuple[Any, ...]]]:
    """All of the gradebook that a page of feedback on this topic shows, by student: scores, penalties, comments."""
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for query in (_SCORES, _COMMENTS):
        for student, *row in _ask(url, query, topic):
            found[student].append(tuple(row))
    return found


def _ask(url: str, query: str, topic: str) -> Sequence[Sequence[Any]]:
    with _connected(url) as connection:
        return connection.execute(sa.text(query), {"topic": topic}).all()


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as e:
        where = engine.url.render_as_string(hide_password=True)
        raise Fault(
            f"the gradebook {where} cannot be read ({e.orig}); if it is damaged, restore it and grade again"
        ) from e
    finally:
        engine.dispose()
