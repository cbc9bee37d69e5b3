"""What grading says: a closed set of words, and the values that carry them. Plain data, the same bytes for the same grade."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Self


class Text(NamedTuple):
    """One sentence in both languages."""

    ja: str
    en: str

    def __getitem__(self, key: Any) -> Any:
        """By language (`text["ja"]`) or by position."""
        return getattr(self, key) if isinstance(key, str) else tuple.__getitem__(self, key)


class Status(StrEnum):
    """How a function ended. `GRADER_ERROR` is ours: it earns no score and costs none."""

    PASSED = "passed"
    FAILED = "failed"
    RAISED = "raised"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    MISSING = "missing"
    GRADER_ERROR = "grader_error"


@dataclass(frozen=True)
class Counterexample:
    """The smallest input on which a claim does not hold. Values are in the form that `shown` gives."""

    inputs: Mapping[str, Any]  # what the claim was drawn for, or the arguments of the call, by name
    got: Any = None
    expected: Any = None  # None where showing it would give away more than the claim says
    call: Mapping[str, Any] | None = None  # the arguments of the call that was answered wrongly, where it is one


@dataclass(frozen=True)
class Idea:
    """A wrong idea whose answers are the trainee's, wherever those are wrong."""

    name: str
    hint: Text


@dataclass(frozen=True)
class ClaimVerdict:
    """Does one claim hold of the answers?"""

    name: str
    text: Text
    passed: bool
    why: Text | None = None  # what was seen where it does not hold
    counterexample: Counterexample | None = None


@dataclass(frozen=True)
class FunctionVerdict:
    """One function of one submission."""

    function: str
    status: Status
    points: float | None  # None for a grader_error: ungraded, not 0
    out_of: float
    claims: tuple[ClaimVerdict, ...] = ()
    why: Text | None = None  # what happened, in a sentence, and what to do
    traceback: str = ""  # the trainee's own, trimmed to her cells; untrusted text
    idea: Idea | None = None

    @property
    def failed(self) -> ClaimVerdict | None:
        """The claim that feedback leads with: the first that does not hold."""
        return next((claim for claim in self.claims if not claim.passed), None)


@dataclass(frozen=True)
class Provenance:
    """Everything that a grade depends on. Equal provenance, equal bytes."""

    submission: str  # sha256 of the source texts of the code cells
    topic: str  # sha256 of properties, mutants, topic.toml and the reference
    engine: str  # sha256 of the engine's own sources
    seed: str  # a fingerprint of the round's seed, never the seed
    versions: Mapping[str, str]  # python, numpy, hypothesis, torch where it is used
    device: str = "cpu"
    sandbox: str = "bwrap"


@dataclass(frozen=True)
class SubmissionVerdict:
    """One submission: its functions in the order of the topic, and what the trainee should know besides."""

    topic: str
    functions: tuple[FunctionVerdict, ...]
    provenance: Provenance
    notes: tuple[Text, ...] = field(default=())  # cells skipped, cells that raised, rules applied

    @property
    def points(self) -> float | None:
        """The sum, or None while one function is ungraded."""
        each = [f.points for f in self.functions]
        return None if None in each else float(sum(p for p in each if p is not None))

    @property
    def out_of(self) -> float:
        return float(sum(f.out_of for f in self.functions))

    def function(self, name: str) -> FunctionVerdict:
        return next(f for f in self.functions if f.function == name)

    def to_json(self) -> str:
        """Canonical: keys sorted, no spaces, UTF-8; equal verdicts give equal bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        raw = json.loads(text)
        return cls(
            raw["topic"],
            tuple(map(_function, raw["functions"])),
            Provenance(**raw["provenance"]),
            tuple(Text(*note) for note in raw["notes"]),
        )


def _function(raw: dict[str, Any]) -> FunctionVerdict:
    idea = raw["idea"] and Idea(raw["idea"]["name"], Text(*raw["idea"]["hint"]))
    claims = tuple(
        ClaimVerdict(
            c["name"],
            Text(*c["text"]),
            c["passed"],
            c["why"] and Text(*c["why"]),
            c["counterexample"] and Counterexample(**c["counterexample"]),
        )
        for c in raw["claims"]
    )
    why = raw["why"] and Text(*raw["why"])
    return FunctionVerdict(
        raw["function"], Status(raw["status"]), raw["points"], raw["out_of"], claims, why, raw["traceback"], idea
    )
