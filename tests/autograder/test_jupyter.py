"""`check` on a trainee's machine: what she sees, in a real kernel and through nbgrader's Validate; and what it does not need."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder import build, examples, jupyter
from autograder.course import find_content
from autograder.standalone import source_of
from autograder.verdict import Status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def topic():
    return find_content(ROOT).topic("mcts")


@pytest.fixture
def folder(topic, tmp_path):
    """An assignment as a trainee has it."""
    for name, content in build.files(topic, "ja").items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def public(topic, folder):
    return examples.load(folder / examples.file_name(topic.name))


def test_right_answers_pass_and_any_alternative_does(topic, public):
    for name in topic.functions:
        for function in (topic.reference(name), *topic.alternatives(name)):
            assert jupyter.judge(name, function, public[name]).status is Status.PASSED


def test_most_wrong_ideas_are_seen_already_here(topic, public):
    ideas = [(name, idea) for name in topic.functions for idea in topic.mutants(name)]
    seen = [jupyter.judge(name, idea, public[name]).status is not Status.PASSED for name, idea in ideas]
    assert sum(seen) > len(seen) / 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("raise NotImplementedError", Status.MISSING),
        ("return 1 / 0", Status.RAISED),
        ("return object()", Status.FAILED),
        ("import os; os._exit(0)", Status.CRASHED),
        ("import ctypes; ctypes.string_at(0)", Status.CRASHED),
    ],
)
def test_every_end_has_its_word(public, body, status):
    space: dict = {}
    exec(f"def most_visited_move(N, W):\n    {body}", space)
    verdict = jupyter.judge("most_visited_move", space["most_visited_move"], public["most_visited_move"])
    assert verdict.status is status


def test_a_loop_without_end_is_cut_off(public, monkeypatch):
    monkeypatch.setattr(jupyter, "CALL_SECONDS", 0.3)
    space: dict = {}
    exec("def most_visited_move(N, W):\n    while True: pass", space)
    verdict = jupyter.judge("most_visited_move", space["most_visited_move"], public["most_visited_move"])
    assert verdict.status is Status.TIMEOUT


def test_the_wrong_entry_is_shown_beside_the_right_one(public):
    verdict = jupyter.judge("most_visited_move", lambda N, W: len(N), public["most_visited_move"])
    assert verdict.failed is not None
    example = verdict.failed.counterexample
    assert example is not None
    assert example.call is not None
    assert list(example.call) == ["N", "W"]
    assert example.got != example.expected


def test_her_own_arrays_stay_hers(public):
    def spoils(N, W):
        N[:] = 0
        return 0

    jupyter.judge("most_visited_move", spoils, public["most_visited_move"])
    assert any(example.arguments[0].any() for example in public["most_visited_move"])


def _validated(folder, sources):
    """nbgrader's Validate over the notebook with these functions written in."""
    path = folder / "mcts.ipynb"
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        cell.source = re.sub(r"### BEGIN SOLUTION\s+### END SOLUTION", "raise NotImplementedError", cell.source)
        if cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") in sources:
            cell.source = sources[cell.metadata.nbgrader.grade_id]
    nbformat.write(book, path)
    code = (
        "import json, sys; from nbgrader.validator import Validator; v = Validator(); "
        "print(json.dumps(v.validate(sys.argv[1]), default=str))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=folder, env=env, text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_validate_says_not_yet_of_stubs_and_nothing_of_right_answers(topic, folder):
    untouched = _validated(folder, {})
    said = "\n".join(cell["error"] for cell in untouched["failed"])
    assert said.count("未解答") == len(topic.functions)
    assert "Traceback" not in said
    right = _validated(folder, {name: source_of(topic.reference(name), name) for name in topic.functions})
    assert "failed" not in right


def test_neither_nbgrader_nor_hypothesis_nor_torch_is_needed(folder):
    code = (
        "import sys\n"
        "from autograder import check\n"
        "def most_visited_move(N, W):\n    return int(N.argmax())\n"
        "check('most_visited_move')\n"
        "print(sorted({'nbgrader', 'hypothesis', 'torch', 'jupyterlab', 'sqlalchemy'} & set(sys.modules)))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stdout.startswith("✓ most_visited_move")
