"""`nbgrader autograde` grades by the engine through the course's configuration alone, and nothing of a trainee's acts in a page."""

import copy
import inspect
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory

from autograder import grading, sandbox
from autograder.checker import Round
from autograder.course import Topic
from autograder.judging import Conditions
from autograder.workspace import Workspace
from tests.autograder import course_folder as made
from tests.autograder.test_gradebook import by_us, files, rows

TOPIC = "mobilenet"
needs_sandbox = pytest.mark.skipif(sandbox.usable() is not None, reason=str(sandbox.usable()))


def right_answers(topic: Topic) -> dict[str, str]:
    """The reference's own code, as a trainee would have written it: whole, in its cell."""
    found = {}
    for name in topic.functions:
        function = topic.reference(name)
        module = inspect.getsource(inspect.getmodule(function) or function)
        private = re.findall(r"^def _\w+\(.*?(?=^\S|\Z)", module, re.M | re.S)
        imports = "\n".join(
            line for line in re.findall(r"^(?:import|from) .*$", module, re.M) if "reference" not in line
        )
        head = f"from __future__ import annotations\n{imports}\ndef check_shapes(*a, **k): pass\n"
        found[name] = head + "\n".join(private) + "\n" + inspect.getsource(function)
    return found


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = made.course(tmp_path_factory.mktemp("plugin") / "コース", TOPIC)
    book = made.released(workspace, TOPIC)
    right = right_answers(made.CONTENT.topic(TOPIC))
    made.hand_in(workspace, "right", TOPIC, made.answered(copy.deepcopy(book), right))
    made.hand_in(workspace, "stub", TOPIC, book)
    escapes = (
        f"open({str(workspace.root / 'escaped')!r}, 'w')\nimport os\nos.system('touch {workspace.root}/escaped')\n"
    )
    made.hand_in(
        workspace,
        "escapes",
        TOPIC,
        made.answered(copy.deepcopy(book), {**right, "conv_cost": escapes + right["conv_cost"]}),
    )
    made.hand_in(workspace, "broken", TOPIC, "{")
    if sandbox.usable() is None:  # draw the round's inputs once; copies of the course find them
        Round.prepare(made.CONTENT.topic(TOPIC), workspace.round_seed(TOPIC), made.CONTENT.examples, workspace.plans)
    return workspace


def nbgrader(workspace: Workspace, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(made.CONTENT.root)}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@needs_sandbox
def test_the_command_and_ours_leave_the_same(course: Workspace, tmp_path: Path) -> None:
    theirs, ours = (Workspace.at(shutil.copytree(course.root, tmp_path / name)) for name in ("theirs", "ours"))
    done = nbgrader(theirs, "autograde", TOPIC)
    assert "error processing assignment 'mobilenet' for student 'broken'" in done.stderr  # and nobody else's
    assert done.stderr.count("error processing assignment 'mobilenet'") == 1
    grading.grade(ours, [made.CONTENT.topic(TOPIC)], Conditions(), 1)
    known = {kind: [row for row in found if row[0] != "broken"] for kind, found in rows(theirs).items()}
    assert known == rows(ours)
    assert {name: content for name, content in files(theirs).items() if not name.startswith("broken")} == files(ours)
    points = {
        student: sum(r[2] for r in known["grades"] if r[0] == student) for student in ("right", "stub", "escapes")
    }
    assert points["right"] == made.CONTENT.topic(TOPIC).out_of
    assert points["stub"] == 0
    assert not (theirs.root / "escaped").exists()
    assert not (ours.root / "escaped").exists()


@pytest.mark.slow
@needs_sandbox
def test_formgraders_button_grades_too(course: Workspace, tmp_path: Path) -> None:
    workspace = Workspace.at(shutil.copytree(course.root, tmp_path / "c"))
    config = copy.deepcopy(workspace.nbgrader_config)
    config.CourseDirectory.root = str(workspace.root)
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    assert api.autograde(TOPIC, "right")["success"]
    assert api.get_submission(TOPIC, "right")["score"] == made.CONTENT.topic(TOPIC).out_of


class _Acting(HTMLParser):
    """Collects what would run, or lead elsewhere, in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._script = tag == "script"
        for name, value in attrs:
            if name.startswith("on") or re.match(r"\s*(java|vb)script:", value or "", re.I):
                self.found.append(f"{tag} {name}={value}")
        if tag in ("iframe", "object", "embed", "form", "base"):
            self.found.append(tag)

    def handle_data(self, data: str) -> None:
        if self._script and "alert" in data:
            self.found.append(data)


ATTACKS = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>", "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "![x](javascript:alert(1))", "<javascript:alert(1)>", "[a]: javascript:alert(1)\n\n[a]",
    "<iframe src='data:text/html,<script>alert(1)</script>'>", "```html\n<script>alert(1)</script>\n```", "$$</script><script>alert(1)</script>$$",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "<!--><script>alert(1)</script>", "$\\href{javascript:alert(1)}{x}$", "<<script>script>alert(1)<</script>/script>",
]  # fmt: skip


def test_nothing_of_a_trainee_acts_in_feedback(course: Workspace, tmp_path: Path) -> None:
    workspace = Workspace.at(shutil.copytree(course.root, tmp_path / "c"))
    shutil.rmtree(workspace.submitted)
    book = made.released(workspace, TOPIC)
    for kind in ("markdown", "raw", "code"):
        for n, attack in enumerate(ATTACKS):
            extra = {
                "outputs": [{"output_type": "display_data", "data": {"text/html": attack}, "metadata": {}}],
                "execution_count": 1,
            }
            book["cells"].append(
                {
                    "cell_type": kind,
                    "id": f"{kind}-{n}",
                    "metadata": {"format": "text/html"},
                    "source": attack,
                    **(extra if kind == "code" else {}),
                }
            )
    book["metadata"] |= {
        "title": ATTACKS[0],
        "authors": [{"name": ATTACKS[1]}],
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": ATTACKS[0]}},
    }
    for n in range(6):  # so that each status is met
        made.hand_in(workspace, f"s{n}", TOPIC, made.answered(copy.deepcopy(book), {"conv_cost": f"x = {n}"}))
    by_us(workspace, TOPIC)
    config = copy.deepcopy(workspace.nbgrader_config)
    config.CourseDirectory.root, config.CourseDirectory.assignment_id = str(workspace.root), TOPIC
    GenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
    pages = list(workspace.feedback.rglob("*.html"))
    assert len(pages) == 6
    for page in pages:
        parser = _Acting()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.found == []
        assert "alert(1)" in page.read_text(encoding="utf-8")  # it can still be read
