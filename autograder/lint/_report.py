"""What a check found: plain data, for a terminal and for machines."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import autograder

_ENGINE = Path(autograder.__file__).parent
LEAST_RATE = 0.2  # of its examples that a wrong idea's best claim must catch: 0.8 ** 25 is one round in 260


class Fault(NamedTuple):
    """Something that the author must mend."""

    place: str  # a file, with a line where one is known
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}; {self.remedy}"


@dataclass
class MutantReport:
    """How one wrong idea fared, over all rounds."""

    place: str
    earned: float = 0.0  # the most in any round
    breaks: Counter[str] = field(default_factory=Counter)  # examples by claim
    examples: Counter[str] = field(default_factory=Counter)
    ideas: Counter[str] = field(default_factory=Counter)  # what it was diagnosed as

    @property
    def rates(self) -> dict[str, float]:
        """The share of its examples on which each claim tells the idea, the best first."""
        shares = {claim: self.breaks[claim] / total for claim, total in self.examples.items() if self.breaks[claim]}
        return dict(sorted(shares.items(), key=lambda pair: -pair[1]))


@dataclass
class FunctionReport:
    """One function, over all rounds."""

    calls: int = 0
    claim_ms: dict[str, float] = field(default_factory=dict)  # one evaluation of the law on the right answers
    accepted: dict[str, int] = field(default_factory=dict)  # right answers, and the live calls that they needed at most
    mutants: dict[str, MutantReport] = field(default_factory=dict)

    @property
    def idle(self) -> list[str]:
        """Claims that told no wrong idea."""
        return [name for name in self.claim_ms if not any(mutant.breaks[name] for mutant in self.mutants.values())]


@dataclass
class Report:
    """A topic's."""

    topic: str
    rounds: int = 0
    texts: int = 0
    seconds: float = 0.0
    functions: dict[str, FunctionReport] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, place: str, what: str, remedy: str) -> None:
        """One more, unless it is known."""
        if (found := Fault(place, what, remedy)) not in self.faults:
            self.faults.append(found)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "topic": self.topic, "ok": not self.faults, "rounds": self.rounds, "texts": self.texts,
            "seconds": round(self.seconds, 2), "functions": {name: _function(each) for name, each in self.functions.items()},
            "faults": [fault._asdict() for fault in self.faults], "notes": self.notes,
        }  # fmt: skip


def _function(each: FunctionReport) -> dict[str, Any]:
    mutants = {
        name: {"place": found.place, "earned": found.earned, "rates": found.rates, "diagnosed_as": dict(found.ideas)}
        for name, found in each.mutants.items()
    }
    return {
        "calls": each.calls,
        "claim_ms": each.claim_ms,
        "accepted": each.accepted,
        "idle": each.idle,
        "mutants": mutants,
    }


def place_of(function: Callable[..., Any], fallback: Path) -> str:
    """Where a law, a wrong idea or an alternative is written."""
    code = getattr(function, "__code__", None)
    if code is None or Path(code.co_filename).is_relative_to(_ENGINE):
        return str(fallback)  # the engine's own law, made for the author's twin
    return f"{code.co_filename}:{code.co_firstlineno}"
