"""A course folder with released assignments, submissions made from them, and verdicts about them."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.course import find_content
from autograder.gradebook import Template
from autograder.releasing import release
from autograder.submission import Submission
from autograder.verdict import (
    ClaimVerdict,
    Counterexample,
    FunctionVerdict,
    Idea,
    Provenance,
    Status,
    SubmissionVerdict,
    Text,
)
from autograder.workspace import Workspace, create

CONTENT = find_content(Path(__file__))


def course(folder: Path, *topics: str, lang: str = "ja") -> Workspace:
    made = create(folder, CONTENT, lang, "test-course")
    for topic in topics:
        release(made, CONTENT.topic(topic))
    return made


def released(workspace: Workspace, topic: str) -> dict[str, Any]:
    return json.loads(workspace.released(topic).read_text(encoding="utf-8"))


def cell(book: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def answered(book: dict[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook with these sources in place of the stubs."""
    for name, source in answers.items():
        cell(book, name)["source"] = source
    return book


def hand_in(
    workspace: Workspace, student: str, topic: str, content: dict[str, Any] | bytes | str, timestamp: str = ""
) -> Path:
    folder = workspace.submitted / student / topic
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{topic}.ipynb"
    data = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    path.write_bytes(data)
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)
    return path


def verdict(template: Template, submitted: Submission, broken: bool = False) -> SubmissionVerdict:
    """One of every status, chosen by what was handed in; `broken` makes the first function a fault of the grader."""
    functions = [c for c in template.release.values() if c.grade and not c.solution]
    return SubmissionVerdict(
        template.topic,
        tuple(
            _function(
                c.function,
                float(c.points or 0),
                zlib.crc32(f"{submitted.digest}{c.function}".encode()),
                broken and n == 0,
            )
            for n, c in enumerate(functions)
        ),
        Provenance(submitted.digest, "t" * 64, "e" * 64, "s" * 16, {"python": "3.11", "numpy": "2"}),
        (Text("セル 3 は例外で終わりました。", "Cell 3 raised an exception."),),
    )


def _function(name: str, out_of: float, chance: int, broken: bool) -> FunctionVerdict:
    if broken:
        return FunctionVerdict(
            name, Status.GRADER_ERROR, None, out_of, why=Text("性質が壊れています", "the law is broken")
        )
    hostile = Text("<script>alert(1)</script> は \x1b[31m", "<img src=x onerror=alert(1)> & \u202e")
    example = Counterexample(
        {"x": {"array": [[1.0, 0.25]], "dtype": "float64", "shape": [1, 2]}}, {"float": "nan"}, 1.5
    )
    claims = (
        ClaimVerdict("holds", Text("成り立つ", "holds"), True),
        ClaimVerdict("a_law", hostile, False, hostile, example),
    )
    return [
        FunctionVerdict(name, Status.PASSED, out_of, out_of, claims[:1]),
        FunctionVerdict(name, Status.FAILED, 0.0, out_of, claims, idea=Idea("an_idea", hostile)),
        FunctionVerdict(name, Status.FAILED, out_of / 3, out_of, claims),
        FunctionVerdict(name, Status.RAISED, 0.0, out_of, why=hostile, traceback="cell 3, line 2: <b>x</b>\nline 3"),
        FunctionVerdict(name, Status.TIMEOUT, 0.0, out_of, why=Text("時間切れ", "too late")),
        FunctionVerdict(name, Status.MISSING, 0.0, out_of, why=Text("まだありません", "not there yet")),
    ][chance % 6]
