"""The checker: plans made once, answers replayed, verdicts."""

from autograder.checker.judge import Answering, Memo, judge, judge_function
from autograder.checker.provenance import provenance
from autograder.checker.rehearsal import Rehearsal
from autograder.checker.round import Round
from autograder.checker.weigh import Judged

__all__ = ["Answering", "Judged", "Memo", "Rehearsal", "Round", "judge", "judge_function", "provenance"]
