"""Verdicts on cells of source text, through the real sandbox: every word that a verdict can be."""

from dataclasses import replace
from pathlib import Path

import pytest

from autograder import sandbox
from autograder.checker import Memo, Round, judge
from autograder.course import Content
from autograder.standalone import source_of
from autograder.verdict import Status, SubmissionVerdict

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("conv_cost", "separable_cost")

pytestmark = pytest.mark.skipif(sandbox.usable() is not None, reason=f"no sandbox: {sandbox.usable()}")


@pytest.fixture(scope="module")
def topic():
    whole = Content.at(ROOT).topic("mobilenet")
    limits = replace(whole.limits, call_seconds=0.5, function_seconds=2.0, cell_seconds=1.0)
    return replace(whole, points={name: whole.points[name] for name in FUNCTIONS}, limits=limits)


@pytest.fixture(scope="module")
def round_(topic):
    return Round.prepare(topic, b"a secret of the round", 8)


@pytest.fixture(scope="module")
def right(topic):
    return {name: source_of(topic.reference(name), name) for name in FUNCTIONS}


@pytest.fixture(scope="module")
def worker(round_):
    with sandbox.Worker() as ready:
        ready.load(round_.key, round_.works)
        yield ready


@pytest.fixture
def graded(worker, round_, right):
    """The verdict on a notebook whose first cell is the right one of `separable_cost`."""

    def grade(*cells, memo=None) -> SubmissionVerdict:
        return judge(round_, worker, (right["separable_cost"], *cells), "digest", "bwrap", memo)

    return grade


def test_the_reference_earns_all_and_the_second_time_from_memory(graded, right):
    memo = Memo()
    first = graded(right["conv_cost"], memo=memo)
    assert first.points == first.out_of
    assert graded(right["conv_cost"], memo=memo).to_json() == first.to_json()
    assert memo.hits == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return 0, 0", Status.FAILED),
        ("return {}[h]", Status.RAISED),
        ("while True: pass", Status.TIMEOUT),
        ("return bytearray(1 << 40)", Status.MEMORY),
        ("import os; os._exit(0)", Status.CRASHED),
        ("raise NotImplementedError", Status.MISSING),
        ("import sys; sys.exit(0)", Status.RAISED),
        ("return object()", Status.FAILED),
    ],
)
def test_each_word_costs_that_function_alone(graded, body, status):
    verdict = graded(f"def conv_cost(h, *more, **others):\n    {body}\n")
    own = verdict.function("conv_cost")
    assert (own.status, own.points) == (status, 0)
    assert own.why or own.failed.why
    assert verdict.function("separable_cost").points == 3


def test_a_name_that_is_not_there_is_missing(graded):
    own = graded("x = 1").function("conv_cost")
    assert own.status is Status.MISSING
    assert "not" in own.why.en


def test_a_traceback_names_her_cell_and_nothing_of_ours(graded):
    own = graded("y = 0", "def conv_cost(*args, **options):\n    return 1 // y\n").function("conv_cost")
    assert own.status is Status.RAISED
    assert "cell 3" in own.traceback
    assert "autograder" not in own.traceback
    assert "ZeroDivisionError" in own.why.ja


def test_a_cell_that_raises_is_named_and_costs_nothing(graded, right):
    verdict = graded("1 / 0", right["conv_cost"])
    assert verdict.points == verdict.out_of
    assert any("2" in note.ja and "ZeroDivisionError" in note.ja for note in verdict.notes)


def test_shrinking_goes_live_and_ends_at_the_same_bytes(graded, right):
    wrong = right["conv_cost"] + (
        "_right = conv_cost\n"
        "def conv_cost(h, w, *more, **others):\n"
        "    params, macs = _right(h, w, *more, **others)\n"
        "    return params, macs + (h > 4)\n"
    )
    first = graded(wrong)
    assert first.function("conv_cost").status is Status.FAILED
    assert first.function("conv_cost").failed.counterexample.inputs["h"] == 5
    assert graded(wrong).to_json() == first.to_json()
