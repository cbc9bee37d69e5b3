"""What has been graded, and what of it has reached the gradebook: one SQLite file, safe against being killed at any moment.

A verdict is kept by its provenance: equal provenance, equal verdict, so nothing is judged twice. For each submission the journal says which
verdict is its latest and under which mark it was filed; whatever lacks its mark is filed again, so a run that died goes on where it was.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from autograder.errors import Fault
from autograder.verdict import Provenance, Status, SubmissionVerdict

FORMAT = 1  # of the tables below; another one is refused
SCHEMA = """
create table verdicts (key text primary key, body text not null) strict, without rowid;
create table submissions (
    topic text not null, student text not null,
    key text,       -- of its latest verdict; null where there is none
    trouble text,   -- why it could not be graded: {"ja": …, "en": …}
    filed text,     -- the mark under which notebook and rows were written
    primary key (topic, student)
) strict, without rowid;
create table pages (  -- of feedback: the mark of what each was made from
    topic text not null, student text not null, mark text not null, primary key (topic, student)
) strict, without rowid;
create table changes (  -- every verdict that a submission ever had, in order
    id integer primary key, topic text not null, student text not null, key text not null, at text not null default current_timestamp
) strict;
create index changes_of on changes (topic, student, id);
"""


class Entry(NamedTuple):
    """One submission as the journal knows it."""

    topic: str
    student: str
    verdict: SubmissionVerdict | None
    trouble: Mapping[str, str] | None = None  # in both languages, where it could not be graded
    filed: str | None = None


def key_of(provenance: Provenance) -> str:
    """The name under which a verdict of this provenance is kept."""
    canonical = json.dumps(asdict(provenance), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class Journal:
    """The journal of a course folder. Every method that writes has committed when it returns."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            Fault: where it is locked, corrupt, of another format, or the disk will not take it.
        """
        self.path = path
        with self._faults():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            with self._writing():
                found = self._db.execute("pragma user_version").fetchone()[0]
                if found == 0:
                    for statement in SCHEMA.split(";\n"):
                        self._db.execute(statement)
                    self._db.execute(f"pragma user_version = {FORMAT}")
        if found not in (0, FORMAT):
            raise Fault(
                f"{path} was written by another version of ecert (format {found}); move it away to grade everything anew"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def known(self, keys: Iterable[str]) -> dict[str, str]:
        """The verdicts, as JSON, of those provenances that were judged before; one with a grader_error is not used again."""
        found: dict[str, str] = {}
        asked = list(keys)
        with self._faults():
            for start in range(0, len(asked), 500):
                some = asked[start : start + 500]
                marks = ",".join("?" * len(some))
                found.update(
                    self._db.execute(
                        f"select key, body from verdicts where key in ({marks}) and not instr(body, ?)", (*some, _FAULT)
                    )
                )
        return found

    def keep(self, verdicts: Mapping[str, str]) -> None:
        """Verdicts, as JSON, by the key of their provenance."""
        with self._faults(), self._writing():
            self._db.executemany("insert or replace into verdicts values (?, ?)", verdicts.items())

    def record(self, topic: str, keys: Mapping[str, str], verdicts: Mapping[str, str] = MappingProxyType({})) -> None:
        """These students' latest verdicts are those of these keys; new ones are kept in the same transaction."""
        with self._faults(), self._writing():
            self._db.executemany("insert or replace into verdicts values (?, ?)", verdicts.items())
            for student, key in keys.items():
                self._point(topic, student, key)

    def record_trouble(self, topic: str, student: str, trouble: Mapping[str, str]) -> None:
        """Note that a submission could not be graded, and why. What it had before no longer counts as filed."""
        with self._faults(), self._writing():
            self._db.execute(
                "insert into submissions values (?, ?, null, ?, null) on conflict do update set key = null, trouble = excluded.trouble, filed = null",
                (topic, student, json.dumps(dict(trouble), ensure_ascii=False, sort_keys=True)),
            )

    def file(self, topic: str, marks: Mapping[str, str]) -> None:
        """Notebook and rows of these students stand under these marks."""
        with self._faults(), self._writing():
            self._db.executemany(
                "update submissions set filed = ? where topic = ? and student = ?",
                [(mark, topic, student) for student, mark in marks.items()],
            )

    def filed(self, topic: str) -> dict[str, tuple[str | None, str | None]]:
        """For each student of a topic: the key of the latest verdict and the mark under which it was filed."""
        with self._faults():
            rows = self._db.execute("select student, key, filed from submissions where topic = ?", (topic,))
            return {student: (key, mark) for student, key, mark in rows}

    def entries(self, topic: str, students: Iterable[str] | None = None) -> Iterator[Entry]:
        """What is known of a topic's submissions, by student."""
        wanted = None if students is None else set(students)
        with self._faults():
            rows = self._db.execute(
                "select student, body, trouble, filed from submissions left join verdicts using (key) where topic = ? order by student",
                (topic,),
            ).fetchall()
        for student, body, trouble, filed in rows:
            if wanted is None or student in wanted:
                verdict = SubmissionVerdict.from_json(body) if body else None
                yield Entry(topic, student, verdict, json.loads(trouble) if trouble else None, filed)

    def before(self, topic: str, student: str) -> SubmissionVerdict | None:
        """The verdict that a submission had before its latest."""
        with self._faults():
            row = self._db.execute(
                "select body from changes join verdicts using (key) where topic = ? and student = ? order by id desc limit 1 offset 1",
                (topic, student),
            ).fetchone()
        return SubmissionVerdict.from_json(row[0]) if row else None

    def pages(self, topic: str) -> dict[str, str]:
        """For each student of a topic, the mark of what the page of feedback was made from."""
        with self._faults():
            return dict(self._db.execute("select student, mark from pages where topic = ?", (topic,)))

    def note_pages(self, topic: str, marks: Mapping[str, str]) -> None:
        """These students' pages stand, made from what these marks name."""
        with self._faults(), self._writing():
            self._db.executemany(
                "insert or replace into pages values (?, ?, ?)", [(topic, s, m) for s, m in marks.items()]
            )

    def _point(self, topic: str, student: str, key: str) -> None:
        row = self._db.execute(
            "select key from submissions where topic = ? and student = ?", (topic, student)
        ).fetchone()
        if row is None or row[0] != key:
            self._db.execute("insert into changes (topic, student, key) values (?, ?, ?)", (topic, student, key))
        self._db.execute(
            "insert into submissions values (?, ?, ?, null, null) on conflict do update set key = excluded.key, trouble = null",
            (topic, student, key),
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that holds the write lock from its first statement on, so that it cannot fail half way for want of it."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as e:
            raise Fault(
                f"{self.path}: {e}; free the disk or end what holds the file, and run the same command again"
            ) from e
        except sqlite3.DatabaseError as e:
            raise Fault(
                f"{self.path} is no journal or is damaged ({e}); move it away: the gradebook is untouched, and grading starts anew"
            ) from e


# As canonical JSON writes it: a trainee's text cannot hold these bytes, for its quotes are escaped.
_FAULT = f'"status":"{Status.GRADER_ERROR}"'
