import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import Fault
from autograder.journal import Journal, key_of
from autograder.verdict import Status
from tests.autograder.verdicts import PROVENANCE, failed, function, submission

RIGHT, WRONG = submission(function("f")), submission(failed("f", "an_idea"))
ERROR = submission(function("f", Status.GRADER_ERROR))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_verdict_comes_back_as_it_was(path):
    with Journal(path) as journal:
        journal.keep({"k": WRONG.to_json()})
        journal.record("topic", {"太郎": "k"})
    with Journal(path) as journal:
        (entry,) = journal.entries("topic")
        assert (entry.student, entry.verdict) == ("太郎", WRONG)
        assert journal.known(["k", "other"]) == {"k": WRONG.to_json()}


def test_every_part_of_the_provenance_is_in_the_key():
    others = [
        replace(PROVENANCE, **{name: "x"}) for name in ("submission", "topic", "engine", "seed", "device", "sandbox")
    ]
    keys = {key_of(p) for p in (PROVENANCE, replace(PROVENANCE, versions={"python": "3.12"}), *others)}
    assert len(keys) == 8


def test_a_verdict_with_a_fault_of_ours_is_shown_but_not_used_again(path):
    with Journal(path) as journal:
        journal.record("topic", {"a": "k"}, {"k": ERROR.to_json()})
        assert journal.known(["k"]) == {}
        assert next(journal.entries("topic")).verdict == ERROR


def test_a_trainees_text_cannot_pass_for_a_fault_of_ours(path):
    body = submission(function("f", Status.RAISED, traceback='"status":"grader_error"')).to_json()
    with Journal(path) as journal:
        journal.keep({"k": body})
        assert journal.known(["k"]) == {"k": body}


def test_what_is_filed_is_known_until_the_submission_cannot_be_graded(path):
    with Journal(path) as journal:
        journal.record("topic", {"a": "k"}, {"k": RIGHT.to_json()})
        journal.file("topic", {"a": "mark"})
        assert journal.filed("topic") == {"a": ("k", "mark")}
        journal.record_trouble("topic", "a", {"ja": "読めない", "en": "unreadable"})
        assert journal.filed("topic") == {"a": (None, None)}
        (entry,) = journal.entries("topic")
        assert entry.verdict is None
        assert entry.trouble == {"ja": "読めない", "en": "unreadable"}
        journal.record("topic", {"a": "k"})
        assert next(journal.entries("topic")).trouble is None


def test_the_verdict_before_is_remembered(path):
    with Journal(path) as journal:
        journal.record("topic", {"a": "k"}, {"k": WRONG.to_json()})
        assert journal.before("topic", "a") is None
        journal.record("topic", {"a": "k"})
        journal.record("topic", {"a": "l"}, {"l": RIGHT.to_json()})
        assert journal.before("topic", "a") == WRONG


def test_a_failed_write_leaves_nothing_half_done(path):
    with Journal(path) as journal:
        with pytest.raises(Fault):
            journal.record("topic", {"a": "k", "b": None}, {"k": RIGHT.to_json()})  # type: ignore[dict-item]
        assert journal.known(["k"]) == {}
        journal.record("topic", {"a": "k"}, {"k": RIGHT.to_json()})
        assert [e.student for e in journal.entries("topic")] == ["a"]


def test_no_committed_verdict_is_lost_when_the_process_is_killed(path):
    """The writer says each key after it is committed, and is killed while it writes on."""
    code = f"""
        from pathlib import Path
        from autograder.journal import Journal
        journal = Journal(Path({str(path)!r}))
        for n in range(10**6):
            journal.record("topic", {{f"s{{n}}": f"k{{n}}"}}, {{f"k{{n}}": "{{}}"}})
            print(f"k{{n}}", flush=True)
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    assert writer.stdout
    said = [writer.stdout.readline().strip() for _ in range(20)]
    os.kill(writer.pid, signal.SIGKILL)
    said += writer.stdout.read().split()
    writer.wait()
    with Journal(path) as journal:
        assert set(said) <= set(journal.known(said))


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_one_clear_line_and_stays_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(Fault, match=r"journal\.db"):
        Journal(path)
    assert path.read_bytes() == content


def test_a_file_of_another_version_is_refused(path):
    with sqlite3.connect(path) as other:
        other.execute("pragma user_version = 99")
    with pytest.raises(Fault, match="another version"):
        Journal(path)


def test_marks_of_pages_are_kept(path):
    with Journal(path) as journal:
        journal.note_pages("topic", {"a": "1", "b": "2"})
        journal.note_pages("topic", {"a": "3"})
        assert journal.pages("topic") == {"a": "3", "b": "2"}
