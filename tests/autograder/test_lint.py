"""`ecert new`, `ecert check` and `ecert solve` on a topic of their own: what is whole passes, and every fault is said at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import sandbox
from autograder.course import Content
from autograder.errors import Usage
from autograder.lint import Fault, new_topic
from autograder.lint._report import MutantReport, Report, place_of

ROOT = Path(__file__).resolve().parents[2]
COURSE = """
format = 1
name = "own"
topics = ["fresh"]
[policy]
examples = 25
"""


@pytest.fixture
def content(tmp_path):
    """A course of one new topic, in a path that is not plain."""
    root = tmp_path / "コース 1"
    (root / "assignments").mkdir(parents=True)
    (root / "assignments" / "course.toml").write_text(COURSE)
    (root / "reference").mkdir()
    for name in ("__init__.py", "_shapes.py"):
        (root / "reference" / name).write_text((ROOT / "reference" / name).read_text())
    new_topic(Content.at(root), "fresh")
    return root


def ecert(content, *args):
    """The command in a process of its own: `reference` is another package there."""
    environment = os.environ | {
        "PYTHONPATH": str(content.parent),
        "XDG_CACHE_HOME": str(content.parent / "cache"),
        "ECERT_LANG": "en",
    }
    link = content.parent / "autograder"
    if not link.exists():
        link.symlink_to(ROOT / "autograder")
    return subprocess.run(
        [sys.executable, "-m", "autograder", *args],
        cwd=content,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def faults(content):
    done = ecert(content, "check", "fresh", "--json", "--no-sandbox")
    assert done.returncode == 1, done.stderr
    (report,) = json.loads(done.stdout)
    return [f"{fault['place']}: {fault['what']}" for fault in report["faults"]]


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_topic_passes_its_check(content):
    done = ecert(content, "check", "fresh", "--json", "--seeds", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout)
    assert report["ok"]
    assert report["rounds"] == 2
    (function,) = report["functions"].values()
    assert function["idle"] == []
    assert len(function["accepted"]) == 7
    assert all(
        max(mutant["rates"].values()) >= 0.2 and mutant["earned"] == 0 for mutant in function["mutants"].values()
    )


def test_what_a_person_reads_names_the_claims_that_tell_each_idea(content):
    done = ecert(content, "check", "fresh", "--no-sandbox", "-v")
    assert "weights_ignored" in done.stdout
    assert "mean_is_the_weighted_sum_over_the_weights 8" in done.stdout
    assert "ok" in done.stdout
    assert "採点" in ecert(content, "check", "fresh", "--no-sandbox", "--lang", "ja").stdout


def test_every_fault_is_said_at_once_with_its_place(content):
    hidden = content / "assignments" / "fresh" / "hidden"
    change(hidden / "mutants.py", "    Which sample does the n-th weight belong to?", "    どのサンプルですか。")
    change(hidden / "alternatives.py", "@alternative(weighted_mean)\ndef one_number", "def one_number")
    change(hidden / "alternatives.py", "return np.average(x, axis=0, weights=weights)", "return np.average(x, axis=0)")
    change(
        content / "assignments/fresh/topic.toml",
        "weighted_mean = 2",
        "weighted_mean = 2\n\n[partial]\nno_such_claim = 1",
    )
    change(content / "assignments/fresh/coverage.toml", '"weighted_mean", ', '"no_such_name", ')
    change(
        content / "reference/fresh.py",
        "def weighted_mean",
        "def extra(x: Array) -> Array:\n    return x\n\n\ndef weighted_mean",
    )
    found = "\n".join(faults(content))
    for said in (
        "mutants.py:23: weights_in_reverse: the English text is not in English",
        "fresh has no second set of answers",
        "numpy_average is refused",
        "[partial] names no_such_claim",
        "fresh-01: no_such_name is neither",
        "reference/fresh.py defines extra",
    ):
        assert said in found, found


def test_claims_that_let_ideas_through_are_refused(content):
    properties = content / "assignments" / "fresh" / "hidden" / "properties.py"
    start = properties.read_text().index("@claim(ref.weighted_mean, s=samples())")
    stop = properties.read_text().index("@claim(ref.weighted_mean, s=samples(N=(2, 4))")
    properties.write_text(properties.read_text()[:start] + properties.read_text()[stop:])
    change(content / "assignments/fresh/coverage.toml", ', "mean_is_the_weighted_sum_over_the_weights"', "")
    found = "\n".join(faults(content))
    assert "zeros earns 2" in found
    assert "no claim tells divided_by_the_number_of_samples" in found


def test_a_law_that_is_wrong_or_fails_itself_is_refused(content):
    properties = content / "assignments" / "fresh" / "hidden" / "properties.py"
    change(properties, "assert_close(f(*s), total / sum(s.weights))", "assert_close(f(*s), total)")
    assert "mean_is_the_weighted_sum_over_the_weights: the reference breaks it" in "\n".join(faults(content))
    change(
        properties,
        "assert_close(f(*s), total)",
        "assert_close(f(*s), total / sum(s.weights) + [][:1 if f(*s) is s else 0])",
    )
    assert "ValueError" in "\n".join(faults(content))


def test_a_file_that_cannot_be_loaded_is_one_fault(content):
    (content / "assignments/fresh/hidden/mutants.py").write_text("import no_such_module\n")
    assert any("mutants.py" in fault and "no_such_module" in fault for fault in faults(content))


def test_an_unknown_topic_is_one_line_and_exit_code_2(content):
    done = ecert(content, "check", "nothing_here")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "nothing_here" in done.stderr


def test_new_refuses_a_name_that_is_taken_or_none(content):
    for name in ("fresh", "Not-A-Name", "../up", "日本"):
        with pytest.raises(Usage):
            new_topic(Content.at(content), name)


def test_the_new_topics_own_tests_pass(content):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], cwd=content, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(content)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(sandbox.usable() is not None, reason="no sandbox")
def test_solve_grades_a_file(content, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text("# %% a scratch cell\n1 / 0\n# %%\ndef weighted_mean(x, w):\n    return (w @ x) / w.sum()\n")
    done = ecert(content, "solve", str(mine), "--topic", "fresh")
    assert done.returncode == 0, done.stderr
    assert "2 / 2" in done.stdout
    mine.write_text("def weighted_mean(x, w):\n    return w @ x / len(x)\n")
    done = ecert(content, "solve", str(mine), "--topic", "fresh", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["functions"][0]["idea"]["name"] == "divided_by_the_number_of_samples"


def test_a_fault_is_named_once_and_a_rate_is_over_all_rounds():
    report = Report("t")
    for _ in range(2):
        report.fault("a.py:1", "is wrong", "mend it")
    assert report.faults == [Fault("a.py:1", "is wrong", "mend it")]
    mutant = MutantReport("a.py:1")
    mutant.breaks.update(rare=1, often=30)
    mutant.examples.update(rare=50, often=50)
    assert mutant.rates == {"often": 0.6, "rare": 0.02}
    assert place_of(change, Path("x.py")).startswith(__file__)
