"""The demo on one assignment, from a folder whose name holds what shells and URLs trip over. `make demo` runs all of it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.journal import Journal
from autograder.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "ECERT_LANG": "ja", "COLUMNS": "160"}
    command = [sys.executable, "-m", "autograder", "demo", *words, "--topic", "mobilenet", "--workers", "2"]
    return subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo") / "コース の実演 & 100%"


@pytest.mark.slow
@pytest.mark.parametrize("time", ["first", "second"])
def test_every_submission_has_the_score_of_its_making(folder, time):
    done = run(str(folder))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "8 件のうち 8 件" in done.stdout


@pytest.mark.slow
def test_what_it_says_to_look_at_is_there(folder):
    said = run(str(folder)).stdout
    paths = [Path(p) for p in re.findall(r": (/.*\.(?:html|db|ipynb))$", said, flags=re.M)]
    assert len(paths) == 4
    assert all(p.is_file() for p in paths)
    assert len(list((folder / "feedback").rglob("*.html"))) == 8


@pytest.mark.slow
def test_wrong_ideas_are_named_as_they_were_made(folder):
    """Every function that acts out a wrong idea alone is diagnosed as that idea."""
    workspace = Workspace.at(folder)
    topic = workspace.content.topic("mobilenet")
    with Journal(workspace.journal) as journal:
        entries = {e.student: e.verdict for e in journal.entries("mobilenet")}
    for student, start, which in (("endo", 0, 0), ("okada", 1, -1)):
        for function in topic.functions[start::2]:
            idea = entries[student].function(function).idea
            assert idea is not None
            assert idea.name == topic.mutants(function)[which].name


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run(str(tmp_path))
    assert done.returncode == 2
    assert "no demo" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
