"""One function of one submission: what its answers say of every claim, what that earns, and what its trainee is told."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from autograder.checker import words
from autograder.checker.diagnosis import idea
from autograder.checker.evidence import Evidence, against, of_call
from autograder.checker.laws import Lawless
from autograder.checker.live import Live
from autograder.checker.plan import Example, Plan, weight
from autograder.checker.replay import Replay, taken
from autograder.checker.subject import Subject
from autograder.codec import CodecError
from autograder.comparison import difference
from autograder.course import Topic
from autograder.sandbox import Answer, Reply
from autograder.verdict import ClaimVerdict, FunctionVerdict, Idea, Status, Text

FORM, UNCHANGED, TWICE = "answers_have_the_right_form", "inputs_stay_as_they_were", "answers_are_the_same_twice"
UNIVERSAL = {FORM: words.FORM, UNCHANGED: words.UNCHANGED, TWICE: words.TWICE}


class Judged(NamedTuple):
    """A function's verdict, and the rules that were applied to get there."""

    verdict: FunctionVerdict
    rules: tuple[Text, ...] = ()


class Broken(NamedTuple):
    """What does not hold: of any function, with the call that shows it; and of this one, with the example that does."""

    universal: dict[str, tuple[Text, int]]
    laws: dict[str, tuple[Text, Example]]
    undecided: frozenset[str]  # laws that could be decided by live calls alone, where nothing hangs on them any more
    malformed: bool

    @property
    def names(self) -> list[str]:
        return [*self.universal, *self.laws]

    @property
    def lead(self) -> str:
        """What feedback is about: a wrong form, then a law that a wrong idea's small input breaks, then any."""
        if self.malformed or not self.laws:
            return self.names[0]
        return next((name for name, (_, example) in self.laws.items() if example.number < 0), next(iter(self.laws)))


def weighed(topic: Topic, subject: Subject, plan: Plan, reply: Reply, live: Live) -> Judged:
    """The verdict on a reply that came back whole."""
    weighing = _Weighing(topic, subject, plan, live)
    if plan.faults:
        return fault(topic, subject.name, plan.faults[0].claim)
    try:
        answers = reply.answers()
        if len(answers) != len(plan.calls):
            raise CodecError("another number of answers than of calls")
        unsteady = next(_unsteady(plan, reply), None)
    except CodecError:
        return Judged(weighing.verdict(Status.CRASHED, 0.0, why=words.CRASHED))
    if all(answer.raised.split(":")[0] == "NotImplementedError" for answer in answers):
        return Judged(weighing.verdict(Status.MISSING, 0.0, why=words.STUB))
    try:
        return weighing.judged(Replay.of(subject, plan, answers, live), answers, unsteady)
    except Lawless as e:
        return fault(topic, subject.name, str(e))


def fault(topic: Topic, function: str, what: str) -> Judged:
    """Ours: no score, and nothing lost."""
    why = Text(f"{words.GRADER.ja}({what})", f"{words.GRADER.en} ({what})")
    return Judged(FunctionVerdict(function, Status.GRADER_ERROR, None, float(topic.points[function]), why=why))


class _Weighing:
    """A function's subject and plan, and the way to ask the submission more."""

    def __init__(self, topic: Topic, subject: Subject, plan: Plan, live: Live) -> None:
        self.topic, self.subject, self.plan, self.live = topic, subject, plan, live

    def judged(self, replay: Replay, answers: Sequence[Answer], unsteady: int | None) -> Judged:
        broken = self._broken(replay, answers, unsteady)
        single = not self.subject.tensors and any(answer.single for answer in replay.taken)
        rules = (words.filled(words.SINGLE, self.subject.name),) if single else ()
        if not broken.names:
            return Judged(self.verdict(Status.PASSED, self._out_of, tuple(self._claims(broken))), rules)
        points = self._points(broken.names)
        raised = _least(self.plan, (i for i, each in enumerate(replay.taken) if each.raised))
        # An exception is best seen where it was raised: no search for a smaller input.
        evidence = self._evidence(replay, broken, self.live if raised is None else None)
        claims = tuple(self._claims(broken, evidence))
        if raised is None:
            return Judged(self.verdict(Status.FAILED, points, claims, idea=self._idea(replay, broken)), rules)
        why = words.filled(words.RAISED, answers[raised].raised)
        return Judged(self.verdict(Status.RAISED, points, claims, why, answers[raised].traceback), rules)

    def _broken(self, replay: Replay, answers: Sequence[Answer], unsteady: int | None) -> Broken:
        """Every claim, first by what lies ready. A live call is made only for a claim that may still decide about points."""
        universal = dict(_universal(replay, answers, unsteady))
        laws: dict[str, tuple[Text, Example]] = {}
        open_laws = list(self.subject.claims)
        for ask in (False, True):
            undecided = []
            for claim in open_laws:
                if found := next(replay.failing(claim, ask), None):
                    laws[claim.name] = found[1], found[0]
                elif replay.undecided:
                    undecided.append(claim)
            open_laws = undecided
            if not open_laws or self._points([*universal, *laws]) == 0:
                break
        laws = {claim.name: laws[claim.name] for claim in self.subject.claims if claim.name in laws}
        malformed = FORM in universal and any(each.why and each.finite and not each.raised for each in replay.taken)
        return Broken(universal, laws, frozenset(claim.name for claim in open_laws), malformed)

    def verdict(
        self, status: Status, points: float, claims: tuple[ClaimVerdict, ...] = (), why: Text | None = None,
        traceback: str = "", idea: Idea | None = None,
    ) -> FunctionVerdict:  # fmt: skip
        return FunctionVerdict(self.subject.name, status, points, self._out_of, claims, why, traceback, idea)

    @property
    def _out_of(self) -> float:
        return float(self.topic.points[self.subject.name])

    def _points(self, broken: Sequence[str]) -> float:
        """Whole, or what is left where no other claim fails than some that cost a part: the dearest of them is lost."""
        costs = [self.topic.partial.get(name) for name in broken]
        lost = [float(cost) for cost in costs if cost is not None]
        return max(0.0, self._out_of - max(lost, default=0.0)) if len(lost) == len(costs) else 0.0

    def _evidence(self, replay: Replay, broken: Broken, live: Live | None) -> Evidence:
        lead = broken.lead
        if lead in broken.universal:
            why, call = broken.universal[lead]
            return of_call(replay, call, why)
        return against(replay, self.subject.claim(lead), broken.laws[lead][1], live)

    def _claims(self, broken: Broken, evidence: Evidence | None = None) -> Iterator[ClaimVerdict]:
        """In the author's order; only what feedback leads with goes before all others that do not hold."""
        texts = UNIVERSAL | {claim.name: claim.text for claim in self.subject.claims}
        order, lead = list(texts), ""
        if evidence is not None:
            lead = broken.lead
            order.remove(lead)
            order.insert(next((i for i, name in enumerate(order) if name in broken.names), len(order)), lead)
        for name in order:
            if name in broken.undecided:
                continue
            if name not in broken.names:
                yield ClaimVerdict(name, texts[name], True)
            elif name == lead and evidence is not None:
                yield ClaimVerdict(name, texts[name], False, evidence.why, evidence.counterexample)
            else:
                why = broken.universal[name][0] if name in broken.universal else broken.laws[name][0]
                yield ClaimVerdict(name, texts[name], False, why)

    def _idea(self, replay: Replay, broken: Broken) -> Idea | None:
        lead_first = sorted(broken.laws, key=lambda name: name != broken.lead)
        return idea(replay, map(self.subject.claim, lead_first))


def _universal(
    replay: Replay, answers: Sequence[Answer], unsteady: int | None
) -> Iterator[tuple[str, tuple[Text, int]]]:
    """Laws of every function that do not hold, each with what was seen and the call that shows it."""
    plan = replay.plan
    unusable = [i for i, each in enumerate(replay.taken) if each.why and not each.raised]
    malformed = _least(plan, [i for i in unusable if replay.taken[i].finite] or unusable)
    if malformed is not None:
        yield FORM, (replay.taken[malformed].why or words.FORM, malformed)
    changed = _least(plan, (i for i, each in enumerate(answers) if each.changed))
    if changed is not None:
        yield UNCHANGED, (words.CHANGED_WHY, changed)
    if unsteady is not None:
        yield TWICE, (words.TWICE_WHY, unsteady)


def _unsteady(plan: Plan, reply: Reply) -> Iterator[int]:
    """Calls that were not answered alike when asked again; the last bit may differ."""
    for call, first, later, _ in reply.differences():
        one, other = (taken(answer, plan.expected[call]) for answer in (first, later))
        if one.why is None and other.why is None:
            if difference(other.value, one.value):
                yield call
        elif (one.why is None) != (other.why is None) or one.raised != other.raised:
            yield call


def _least(plan: Plan, calls: Iterable[int]) -> int | None:
    """The call with the least to read."""
    return min(calls, key=lambda i: (weight(plan.calls[i].arguments), i), default=None)
