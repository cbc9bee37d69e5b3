"""Replay each: claims are evaluated over answers that lie ready, as if they were calling the trainee's function."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograder.checker.laws import NotRecorded, Unanswered, broken
from autograder.checker.plan import Example, Expected, Plan
from autograder.checker.subject import Subject, key
from autograder.comparison import SINGLE, in_float32
from autograder.draws import Values
from autograder.forms import Malformed, fitted, freeze, frozen, same
from autograder.properties import Claim
from autograder.sandbox import Answer, Call, Lost
from autograder.verdict import Text

Ask = Callable[[Call], Answer]

ASTRAY = Text(
    "この性質は、返された値をもう一度関数に渡します。その値では計算を続けられませんでした",
    "this law feeds an answer back into the function, and with that value it could not go on",
)


@dataclass(slots=True)
class Taken:
    """One answer as claims see it."""

    value: Any  # in the reference's form; the reference's own where the two agree
    why: Text | None = None  # why it cannot be used
    same: bool = False
    raised: bool = False
    finite: bool = True
    raw: Any = None  # what came, where it has not the form

    @property
    def single(self) -> bool:
        return not self.same and self.why is None and in_float32(self.value)


class Met(NamedTuple):
    """A call that a law made, and its answers."""

    call: Call
    taken: Taken
    expected: Any


def taken(answer: Answer, right: Any) -> Taken:
    """An answer in the reference's form, or why it is none."""
    if why := no_answer(answer):
        return Taken(None, why, raised=bool(answer.raised))
    try:
        value = fitted(answer.value, right)
    except Malformed as e:
        return Taken(None, e.text, finite=e.finite, raw=answer.value)
    if same(value, right):
        return Taken(right, same=True)
    freeze(value)
    return Taken(value)


def no_answer(answer: Answer) -> Text | None:
    """Why there is no value to judge."""
    if answer.raised:
        return Text(f"例外が発生しました: {answer.raised}", f"raised {answer.raised}")
    if answer.unusable:
        return Text(
            f"答えを受け取れませんでした: {answer.unusable}", f"the answer could not be taken: {answer.unusable}"
        )
    return None


class Replay:
    """`f` in a law, over the answers of one submission; what does not lie ready is asked live."""

    def __init__(self, subject: Subject, plan: Plan, answers: Sequence[Taken], ask: Ask) -> None:
        self.subject, self.plan, self.taken, self._ask = subject, plan, answers, ask
        self.wrong = frozenset(i for i, each in enumerate(answers) if not each.same)  # not the reference's own
        self.live: dict[bytes, Met] = {}
        self._trace: list[Met] = []
        self._may_ask = True
        self.undecided = False

    @classmethod
    def of(cls, subject: Subject, plan: Plan, answers: Iterable[Answer], ask: Ask) -> "Replay":
        """Of answers as they came from the sandbox."""
        return cls(
            subject, plan, [taken(answer, right) for answer, right in zip(answers, plan.expected, strict=True)], ask
        )

    def failing(self, claim: Claim, ask: bool = True) -> Iterator[tuple[Example, Text]]:
        """The examples of the plan on which the claim does not hold, the best to show first.

        Where only the reference's own answers are met, it holds.

        Args:
            ask: make calls that do not lie ready; otherwise examples that need one are left out, and `undecided` says so.
        """
        self.undecided, self._may_ask = False, ask
        try:
            for example in self.plan.examples[claim.name]:
                if example.calls.isdisjoint(self.wrong):
                    continue
                try:
                    why = self.breaks(claim, example.values)
                except NotRecorded:
                    self.undecided = True
                    continue
                if why is not None:
                    yield example, why
        finally:
            self._may_ask = True

    def breaks(self, claim: Claim, values: Values) -> Text | None:
        """Why the claim does not hold of the answers, if so.

        Raises:
            Lawless: where the law itself fails.
        """
        self._trace = []
        return broken(claim, self, values)

    def wrong_call(self) -> Met | None:
        """Of the law that was evaluated last: the first call that was not answered as the reference does."""
        return next((met for met in self._trace if not met.taken.same), None)

    # What a law sees of a function.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._answer(self.subject.call(args, kwargs))

    def vjp(self, args: Sequence[Any]) -> Any:
        return self._answer(self.subject.call(tuple(args), {}, gradients=True))

    @property
    def expected(self) -> Expected:
        return Expected(self.subject, self.plan)

    def _answer(self, call: Call) -> Any:
        found = key(call)
        at = self.plan.at.get(found)
        if at is not None:
            met = Met(self.plan.calls[at], self.taken[at], self.plan.expected[at])
        else:
            met = self.live.get(found) or self._live(call, found)
        self._trace.append(met)
        if met.taken.why:
            raise Unanswered(met.taken.why)
        if met.taken.single:
            SINGLE.set(True)  # for this law: `breaks` gives each a context of its own
        return met.taken.value

    def _live(self, call: Call, found: bytes) -> Met:
        """Only an answer that is not the reference's leads to a call that is not in the plan."""
        if not self._may_ask:
            raise NotRecorded
        call = Call(frozen(call.arguments), call.gradients)
        try:
            right = self.subject.right(call)
        except Exception:  # whatever the reference says of arguments that a wrong answer led to
            met = Met(call, Taken(None, ASTRAY), None)
        else:
            try:
                met = Met(call, taken(self._ask(call), right), right)
            except Lost as e:
                met = Met(call, Taken(None, lost(e)), right)
        self.live[found] = met
        return met


def lost(e: Lost) -> Text:
    """The child of the live calls is gone."""
    return Text(
        f"この呼び出しの途中で実行が止まりました({e.status})", f"this call did not come to its end ({e.status})"
    )
