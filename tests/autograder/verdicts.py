"""Verdicts for tests of what stores and shows them."""

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

PROVENANCE = Provenance("s" * 64, "t" * 64, "e" * 64, "seed", {"python": "3.11"})
HOSTILE = "<script>alert(1)</script>\x1b[31m‮&\"'"


def function(name: str, status: Status = Status.PASSED, out_of: float = 2, **more) -> FunctionVerdict:
    points = {Status.PASSED: out_of, Status.GRADER_ERROR: None}.get(status, 0.0)
    return FunctionVerdict(name, status, points, out_of, **more)


def failed(name: str, idea: str | None = None, out_of: float = 2) -> FunctionVerdict:
    claim = ClaimVerdict("a_law", Text("法則", "a law"), False, None, Counterexample({"x": 1}, 2, 3))
    found = Idea(idea, Text("ヒント", "a hint")) if idea else None
    return function(name, Status.FAILED, out_of, claims=(claim,), idea=found)


def submission(
    *functions: FunctionVerdict, topic: str = "topic", provenance: Provenance = PROVENANCE
) -> SubmissionVerdict:
    return SubmissionVerdict(topic, functions, provenance)
