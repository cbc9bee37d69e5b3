"""The smallest input on which a claim does not hold, and how much of the right answer it may show."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograder.checker.laws import BROKEN, Lawless
from autograder.checker.live import Live
from autograder.checker.plan import Example
from autograder.checker.replay import Met, Replay, Taken
from autograder.checker.subject import key
from autograder.draws import Values, shrunk
from autograder.forms import freeze
from autograder.properties import Claim
from autograder.sandbox import Answer
from autograder.shown import shown
from autograder.verdict import Counterexample, Text

EVALUATIONS = 200  # of the law while Hypothesis shrinks: a bound that does not depend on the machine
SECONDS = 4.0  # … and one that does, for functions that are slow
PROBED = 12  # entries of an answer that are touched to see whether the claim fixes them


class Evidence(NamedTuple):
    """An example that breaks a claim, and what was seen there."""

    counterexample: Counterexample
    why: Text


def against(replay: Replay, claim: Claim, least: Example, live: Live | None) -> Evidence:
    """The smallest failing input: a wrong idea's smallest if one fails, else the smallest that Hypothesis makes of the plan's.

    Args:
        least: the first example of the plan on which the claim fails.
        live: where calls that are not in the plan can be made; None to stay with the plan.
    """
    values = least.values
    if live is not None and least.number >= 0:
        values = (
            shrunk(claim, replay.plan.seed, least.number, partial(_fails, replay, claim, live), EVALUATIONS, SECONDS)
            or values
        )
    why = replay.breaks(claim, values)
    if why is None:  # another answer than a moment ago: what lies recorded is certain
        values = least.values
        why = replay.breaks(claim, values)
    return Evidence(_as_seen(replay, claim, values, replay.wrong_call()), why or BROKEN)


def of_call(replay: Replay, index: int, why: Text) -> Evidence:
    """A call of the plan that breaks a law which holds of every function."""
    arguments = replay.subject.named(replay.plan.calls[index])
    got = _got(replay.taken[index])
    return Evidence(Counterexample(_shown(arguments), None if got is None else shown(got)), why)


def _fails(replay: Replay, claim: Claim, live: Live, values: Values) -> bool:
    return not live.gone and replay.breaks(claim, values) is not None and not live.gone


def _got(answer: Taken) -> Any:
    return answer.raw if answer.why else answer.value


def _as_seen(replay: Replay, claim: Claim, values: Values, met: Met | None) -> Counterexample:
    drawn = _parts(values)
    if met is None:
        return Counterexample(_shown(drawn))
    arguments = replay.subject.named(met.call)
    got = _got(met.taken)
    expected = None
    if met.taken.why is None and _fixes(replay, claim, values, met):
        expected = shown(met.expected)
    same = all(name in drawn and _equal(drawn[name], value) for name, value in arguments.items())
    return Counterexample(
        _shown(drawn), None if got is None else shown(got), expected, None if same else _shown(arguments)
    )


def _fixes(replay: Replay, claim: Claim, values: Values, met: Met) -> bool:
    """Does the claim, all other answers being right, say what this answer is? Then showing it gives nothing away.

    Seen by touching the reference's own answer, entry by entry: every touch must break the claim.
    """

    subject, plan, found = replay.subject, replay.plan, key(met.call)
    at = plan.at.get(found)
    own = [Taken(value, same=True) for value in plan.expected]
    for touched in _touched(met.expected):
        freeze(touched)
        answers = own if at is None else [*own[:at], Taken(touched), *own[at + 1 :]]
        other = Replay(subject, plan, answers, lambda call: Answer(subject.right(call)))
        if at is None:
            other.live[found] = Met(met.call, Taken(touched), met.expected)
        try:
            if other.breaks(claim, values) is None:
                return False
        except Lawless:
            return False
    return True


def _touched(value: Any) -> list[Any]:
    """The same with one entry moved, for some entries from all over it."""
    places = _places(value)
    chosen = places[:: -(-len(places) // PROBED)] if places else []
    return [_moved(value, place) for place in chosen]


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, tuple | list):
        return [place for i, part in enumerate(value) for place in _places(part, (*at, i))]
    if isinstance(value, np.ndarray):
        return [(*at, index) for index in np.ndindex(*value.shape)]
    return [at] if isinstance(value, bool | int | float | np.generic) else []


def _moved(value: Any, place: tuple[Any, ...]) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_moved(part, place[1:]) if i == place[0] else part for i, part in enumerate(value))
    if isinstance(value, np.ndarray):
        copy = value.copy()
        copy[place[0]] = _other(value[place[0]])
        return copy
    return _other(value)


def _other(entry: Any) -> Any:
    """Another number of the same kind, as near as one that every tolerance tells apart."""
    if isinstance(entry, bool | np.bool_):
        return not entry
    if isinstance(entry, int | np.integer):
        return entry + 1
    return entry + 0.125 + abs(entry) / 8 if np.isfinite(entry) else 0.0


def _parts(values: Values) -> dict[str, Any]:
    """What was drawn, by name: the parts of named tuples have names of their own."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        fields = getattr(value, "_fields", None)
        if fields and not set(fields) & (found.keys() | (values.keys() - {name})):
            found |= dict(zip(fields, value, strict=True))
        else:
            found[name] = value
    return found


def _shown(named: dict[str, Any]) -> dict[str, Any]:
    return {name: shown(value) for name, value in named.items()}


def _equal(a: Any, b: Any) -> bool:
    return bool(shown(a) == shown(b))
