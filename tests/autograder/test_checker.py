"""Plans, replays and verdicts, on functions of a real topic answered in this process."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder import checker
from autograder.checker import Memo, Rehearsal, Round, cache, judge
from autograder.checker.plan import Example, Fault
from autograder.course import Content
from autograder.sandbox import Answer, Call, Lost
from autograder.verdict import Status, SubmissionVerdict

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("rnn_forward", "rnn_backward", "hidden_jacobian")
SEED = b"a secret of the round"


@pytest.fixture(scope="session")
def topic():
    whole = Content.at(ROOT).topic("rnn_bptt")
    return replace(whole, points={name: whole.points[name] for name in FUNCTIONS})


@pytest.fixture(scope="session")
def plans(tmp_path_factory):
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(scope="session")
def round_(topic, plans):
    return Round.prepare(topic, SEED, 12, plans)


@pytest.fixture(scope="session")
def right(topic):
    return {name: topic.reference(name) for name in FUNCTIONS}


@pytest.fixture
def graded(round_, right):
    """The verdict on functions that replace the right ones."""

    def grade(memo=None, **functions) -> SubmissionVerdict:
        worker = Rehearsal({name: f for name, f in (right | functions).items() if f is not None})
        worker.load(round_.key, round_.works)
        return judge(round_, worker, (), "digest", "none", memo)

    return grade


def test_the_reference_earns_all(graded, topic):
    verdict = graded()
    assert verdict.points == verdict.out_of == topic.out_of
    assert all(claim.passed for function in verdict.functions for claim in function.claims)


def test_every_wrong_idea_fails_on_an_input_that_fits_a_line_and_is_named(graded, topic):
    for name in FUNCTIONS:
        for mutant in topic.mutants(name):
            verdict = graded(**{name: mutant.act}).function(name)
            assert verdict.status is Status.FAILED, mutant.name
            assert verdict.idea is not None, mutant.name
            assert verdict.idea.name == mutant.name
            assert verdict.idea.hint == mutant.hint
            assert verdict.failed.counterexample is not None
            assert len(str(verdict.failed.counterexample.inputs)) < 1500


def test_what_a_wrong_idea_answers_needs_no_live_call(graded, topic):
    memo = Memo()
    acts = [(name, mutant.act) for name in FUNCTIONS for mutant in topic.mutants(name)]
    first = [graded(memo, **{name: act}) for name, act in acts]
    hits = memo.hits
    assert [graded(memo, **{name: act}) for name, act in acts] == first
    assert memo.hits - hits == len(acts) * len(FUNCTIONS)


def test_one_claim_that_goes_further_costs_a_part(graded, topic):
    (mutant,) = (m for m in topic.mutants("rnn_backward") if m.name == "chunks_counted_from_the_end")
    assert graded(rnn_backward=mutant.act).function("rnn_backward").points == 4


def test_a_function_that_raises_shows_where(graded):
    def rnn_forward(x, h0, Wx, Wh, b):
        raise IndexError("list index out of range")

    verdict = graded(rnn_forward=rnn_forward).function("rnn_forward")
    assert (verdict.status, verdict.points) == (Status.RAISED, 0)
    assert "IndexError: list index out of range" in verdict.why.ja
    assert verdict.traceback
    assert verdict.idea is None


def test_what_is_missing_costs_itself_alone(graded):
    verdict = graded(rnn_forward=None)
    assert verdict.function("rnn_forward").status is Status.MISSING
    assert verdict.points == verdict.out_of - 3


def test_a_stub_is_missing(graded):
    def stub(*args):
        raise NotImplementedError

    verdict = graded(rnn_forward=stub).function("rnn_forward")
    assert (verdict.status, verdict.points) == (Status.MISSING, 0)
    assert "NotImplementedError" in verdict.why.en


def test_a_wrong_form_is_said_in_words(graded, right):
    verdict = graded(rnn_forward=lambda *a: right["rnn_forward"](*a).swapaxes(0, 1)[..., None]).function("rnn_forward")
    assert (verdict.status, verdict.points) == (Status.FAILED, 0)
    assert verdict.failed.name == "answers_have_the_right_form"
    assert verdict.failed.why.en.startswith("expected an array of shape")
    assert verdict.failed.counterexample.got["shape"]
    assert verdict.failed.counterexample.expected is None


def test_changing_the_inputs_is_named(graded, right):
    def rnn_forward(x, h0, Wx, Wh, b):
        h = right["rnn_forward"](x, h0, Wx, Wh, b)
        h0 *= 0
        return h

    verdict = graded(rnn_forward=rnn_forward).function("rnn_forward")
    assert (verdict.status, verdict.points) == (Status.FAILED, 0)
    assert [claim.name for claim in verdict.claims if not claim.passed] == ["inputs_stay_as_they_were"]


def test_an_answer_that_depends_on_what_was_asked_before_is_named(graded, right, round_):
    calls, planned = itertools.count(), len(round_.plans["rnn_forward"].calls)
    verdict = graded(rnn_forward=lambda *a: right["rnn_forward"](*a) + (next(calls) >= planned)).function("rnn_forward")
    assert verdict.points == 0
    assert "answers_are_the_same_twice" in [claim.name for claim in verdict.claims if not claim.passed]


def test_the_last_bit_is_nobodys_fault(graded, right):
    flip = itertools.cycle([1.0, 1 + 2e-16])
    assert graded(rnn_forward=lambda *a: right["rnn_forward"](*a) * next(flip)).function("rnn_forward").points == 3


def test_float32_earns_all_and_the_rule_is_said(graded, right):
    verdict = graded(rnn_forward=lambda *a: np.float32(right["rnn_forward"](*a)))
    assert verdict.points == verdict.out_of
    assert "float32" in verdict.notes[0].ja


def test_an_idea_of_nobodys_is_shrunk_live(graded, right):
    memo = Memo()

    def rnn_forward(x, h0, Wx, Wh, b):  # the middle of three units is half dead
        h = right["rnn_forward"](x, h0, Wx, Wh, b)
        if h.shape[-1] == 3:
            h[..., 1] *= 0.5
        return h

    verdict = graded(memo, rnn_forward=rnn_forward).function("rnn_forward")
    assert verdict.status is Status.FAILED
    assert verdict.idea is None
    shapes = {
        name: value["shape"] for name, value in verdict.failed.counterexample.inputs.items() if isinstance(value, dict)
    }
    assert shapes["x"] == [1, 1, 1]
    assert shapes["Wh"] == [3, 3]
    before = memo.hits
    graded(memo, rnn_forward=rnn_forward)
    assert memo.hits - before == 2  # the two right functions; this one was asked live


def test_the_expected_answer_is_shown_where_the_claim_says_what_it_is(graded, topic):
    (mutant,) = (m for m in topic.mutants("rnn_forward") if m.name == "bias_forgotten")
    example = graded(rnn_forward=mutant.act).function("rnn_forward").failed.counterexample
    assert example.got["shape"] == example.expected["shape"]
    assert example.got != example.expected


def test_equal_submissions_have_equal_bytes(graded, topic):
    for name in FUNCTIONS:
        act = topic.mutants(name)[0].act
        assert graded(**{name: act}).to_json() == graded(**{name: act}).to_json()


def test_a_law_that_fails_itself_is_the_graders_error_and_costs_nothing(graded, right, round_, monkeypatch):
    claim = round_.subjects["rnn_forward"].claims[0]

    def law(f, net):
        """二行の。
        Two lines."""
        h = f(*net)
        return [][int(h.ravel()[0] * 0)]

    law.__name__ = claim.name
    monkeypatch.setitem(claim.__dict__, "law", law)
    verdict = graded(rnn_forward=lambda *a: right["rnn_forward"](*a) + 1)
    assert verdict.function("rnn_forward").status is Status.GRADER_ERROR
    assert verdict.function("rnn_forward").points is None
    assert verdict.points is None


def test_a_claim_that_the_reference_breaks_is_the_graders_error(graded, round_, monkeypatch):
    monkeypatch.setattr(round_.plans["rnn_forward"], "faults", [Fault("a_claim", "the reference breaks it")])
    assert graded().function("rnn_forward").status is Status.GRADER_ERROR


def test_a_child_that_dies_during_live_calls_fails_the_claim_alone(round_, right):
    class Dying(Rehearsal):
        def session(self, *where):
            raise Lost(Status.TIMEOUT, "late")

    worker = Dying(right | {"rnn_forward": lambda *a: np.float32(right["rnn_forward"](*a))})
    worker.load(round_.key, round_.works)
    verdict = judge(round_, worker, (), "digest", "none").function("rnn_forward")
    assert verdict.status is Status.FAILED
    assert [claim.name for claim in verdict.claims if not claim.passed] == ["forward_can_be_resumed"]
    assert "timeout" in next(claim.why.en for claim in verdict.claims if not claim.passed)


def test_a_round_read_from_disk_is_the_round_that_was_drawn(topic, plans, round_):
    again = Round.prepare(topic, SEED, 12, plans)
    assert again.key == round_.key
    for name in FUNCTIONS:
        assert again.plans[name].keys == round_.plans[name].keys
        for one, other in zip(again.plans[name].examples.values(), round_.plans[name].examples.values(), strict=True):
            assert [(str(e.values), e[1:]) for e in one] == [(str(e.values), e[1:]) for e in other]


def test_another_seed_asks_something_else_and_its_fingerprint_tells_nothing(topic, plans, round_):
    other = Round.prepare(topic, b"another", 2, plans)
    assert not set(other.plans["rnn_backward"].keys[:20]) & set(round_.plans["rnn_backward"].keys[:20])
    assert SEED.hex() not in round_.provenance("digest", "none").seed
    assert other.provenance("d", "none").seed != round_.provenance("d", "none").seed


def test_a_damaged_or_forged_file_is_made_again(topic, tmp_path):
    cache.store(tmp_path, "t-round-0.plan", {"a": Example({"x": np.ones(2)}, frozenset([1]), (1, 2), 3)})
    assert cache.load(tmp_path, "t-round-0.plan", topic)["a"].number == 3
    path = tmp_path / "t-round-0.plan"
    whole = path.read_bytes()
    for cut in (0, 10, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert cache.load(tmp_path, "t-round-0.plan", topic) is None
    cache.store(tmp_path, "t-round-0.plan", print)  # a function of the standard library is no plain value
    assert cache.load(tmp_path, "t-round-0.plan", topic) is None


def test_few_rounds_are_kept(topic, tmp_path):
    for number in range(9):
        cache.store(tmp_path, f"t-round-{number}.plan", number)
    assert len(list(tmp_path.iterdir())) == cache.KEPT


def test_what_goes_to_the_sandbox_are_calls_alone(round_):
    for work in round_.works:
        assert {type(call) for call in work.calls} == {Call}
        assert work.reply_bytes & (work.reply_bytes - 1) == 0  # rounded: it tells nothing of the answers


def test_calls_are_shared_by_claims_on_the_same_inputs(round_):
    plan = round_.plans["rnn_backward"]
    asked = sum(len(example.calls) for examples in plan.examples.values() for example in examples)
    assert len(plan.calls) < asked


def test_an_answer_of_another_length_is_a_crash(round_, right):
    class Short(Rehearsal):
        def reply(self, work):
            reply = super().reply(work)
            return replace(
                reply,
                each=reply.each[1:] if work.function == "rnn_forward" else reply.each,
                repeated=(),
                asked_again=(),
            )

    worker = Short(right)
    worker.load(round_.key, round_.works)
    assert judge(round_, worker, (), "d", "none").function("rnn_forward").status is Status.CRASHED


def test_the_public_face_is_small():
    assert all(getattr(checker, name) is not None for name in checker.__all__)
    assert Answer().value is None
