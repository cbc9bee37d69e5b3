"""A worker for functions of our own: mutants, alternatives and trivial answers are judged as submissions are, without a sandbox."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from autograder import codec
from autograder.checker.laws import quiet
from autograder.checker.subject import MOST, Function, rehearse
from autograder.course import Limits
from autograder.sandbox import Answer, Call, Difference, Notice, Reply, Work
from autograder.verdict import Status


@dataclass(frozen=True)
class Rehearsed(Reply):
    """A reply whose answers lie ready."""

    each: tuple[Answer, ...] = ()
    repeated: tuple[Answer, ...] = ()

    def answers(self) -> list[Answer]:
        return list(self.each)

    @property
    def steady(self) -> bool:
        return not any(self.differences())

    def differences(self) -> Iterator[Difference]:
        for call, later in zip(self.asked_again, self.repeated, strict=True):
            if _bytes([later]) != _bytes([self.each[call]]):
                yield Difference(call, self.each[call], later, False)


class Rehearsal:
    """Functions by name, answering in this process as they would from the sandbox, through the codec and back."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions
        self._works: dict[str, tuple[Work, ...]] = {}

    def load(self, key: str, work: Sequence[Work]) -> None:
        """Take the works of a round."""
        self._works[key] = tuple(work)

    def run(
        self, key: str, cells: Sequence[str], functions: Sequence[str] | None, limits: Limits
    ) -> tuple[list[Reply], list[Notice]]:
        """The replies; the cells do not matter."""
        asked = [work for work in self._works[key] if functions is None or work.function in functions]
        return [self.reply(work) for work in asked], []

    def reply(self, work: Work) -> Reply:
        """What one function answers."""
        function = self.functions.get(work.function)
        if function is None:
            return Reply(work.function, Status.MISSING)
        with quiet():
            each = tuple(rehearse(function, call, work.tensors) for call in work.calls)
            again = tuple(rehearse(function, work.calls[i], work.tensors) for i in work.again)
        return Rehearsed(
            work.function,
            Status.PASSED,
            _bytes(each),
            again=_bytes(again),
            asked_again=work.again,
            each=each,
            repeated=again,
        )

    @contextmanager
    def session(
        self, key: str, cells: Sequence[str], function: str, limits: Limits
    ) -> Iterator[Callable[[Call], Answer]]:
        """Live calls."""
        work = next(work for work in self._works[key] if work.function == function)
        yield lambda call: rehearse(self.functions[function], call, work.tensors)


def _bytes(answers: Sequence[Answer]) -> bytes:
    return codec.encode([(a.value, a.raised, a.traceback, a.unusable, a.changed) for a in answers], 2 * MOST)
