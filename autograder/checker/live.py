"""Calls of the trainee's function made while claims are evaluated: its child starts when the first is made."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from autograder.sandbox import Answer, Call, Lost
from autograder.verdict import Status

Ask = Callable[[Call], Answer]

MOST_CALLS = 2000  # of one function of one submission; ten times what its laws and shrinking need


class Live:
    """One function of one submission, asked call by call. Once its child is gone, or it was asked too often, it stays silent."""

    def __init__(self, open_session: Callable[[], AbstractContextManager[Ask]]) -> None:
        self._open, self._stack = open_session, ExitStack()
        self._ask: Ask | None = None
        self._lost: Lost | None = None
        self.calls = 0

    def __call__(self, call: Call) -> Answer:
        """The answer.

        Raises:
            Lost: where there is none any more.
        """
        self.calls += 1
        if self._lost is None and self.calls > MOST_CALLS:
            self._lost = Lost(Status.TIMEOUT, "asked too often")
        if self._lost is not None:
            raise self._lost
        try:
            if self._ask is None:
                self._ask = self._stack.enter_context(self._open())
            return self._ask(call)
        except Lost as e:
            self._lost = e
            raise

    @property
    def gone(self) -> bool:
        return self._lost is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
