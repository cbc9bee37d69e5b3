"""Where trainees' code runs: a warm process in a sandbox that answers calls with plain data.

The supervisor here never sees an object of a trainee's, only frames of bytes. What decides — who was late, who died, who used too much —
comes from the clock of the zygote, which no trainee's code can touch, and from the kernel. `inside/` is the other end of the pipe.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from autograder import box, codec
from autograder.course import Limits
from autograder.inside import wire
from autograder.inside.cells import KINDS
from autograder.verdict import Status, Text

TEXT_MOST, NOTICE_MOST = 2000, 400  # characters of any text in an answer, in a notice


class Call(NamedTuple):
    """What is asked of a function once."""

    arguments: tuple[Any, ...]  # plain data, by position
    gradients: bool = False  # of a function on tensors: ask for those of Σ cotangent · value


@dataclass(frozen=True)
class Work:
    """One function's plan."""

    function: str
    calls: tuple[Call, ...]
    again: tuple[
        int, ...
    ] = ()  # asked once more, in this order: after all calls in the same child, and in a second child
    tensors: bool = False
    reply_bytes: int = 1 << 20  # what all answers to the calls may take together


@dataclass(frozen=True)
class Answer:
    """What came back from one call. Every text in it is the trainee's: capped, not yet escaped for any place."""

    value: Any = None
    raised: str = ""  # "ValueError: what it said"
    traceback: str = ""  # lines "cell 3, line 2: x = y"
    unusable: str = ""  # why the value could not cross the wire
    changed: bool = False  # the call changed its inputs


class Difference(NamedTuple):
    """A call that was not answered with the same bytes when asked again."""

    call: int
    first: Answer
    later: Answer
    second_child: bool


@dataclass(frozen=True)
class Reply:
    """What became of one `Work`."""

    function: str
    status: Status  # PASSED: answered, rightly or not; else TIMEOUT, MEMORY, CRASHED, MISSING
    frame: bytes = b""  # the answers; equal bytes are equal answers
    detail: str = ""  # the call that was late, the signal, the limit
    seconds: float = 0.0
    memory_mb: float = 0.0
    again: bytes = b""  # answers to `Work.again` in the same child
    second: bytes = b""  # … and in a second one
    asked_again: tuple[int, ...] = ()

    calls: int = 0

    def answers(self) -> list[Answer]:
        """Decoded.

        Raises:
            CodecError: where the child sent what is no frame of answers.
        """
        return [_answer(raw) for raw in _split(self.frame, self.calls)]

    @property
    def steady(self) -> bool:
        """Was every repeated call answered with the same bytes?"""
        return not any(True for _ in self._differing())

    def differences(self) -> Iterator[Difference]:
        """Repeated calls whose answers differ in any byte: the last bit may, in honest arithmetic. In the order asked.

        Raises:
            CodecError: where the child sent what is no frame of answers.
        """
        for call, first, later, second_child in self._differing():
            yield Difference(call, _answer(first), _answer(later), second_child)

    def _differing(self) -> Iterator[tuple[int, bytes, bytes, bool]]:
        if not self.asked_again or self.status is not Status.PASSED:
            return
        first = _split(self.frame, self.calls)
        for repeated, second_child in ((self.again, False), (self.second, True)):
            for call, later in zip(self.asked_again, _split(repeated, len(self.asked_again)), strict=True):
                if later != first[call]:
                    yield call, first[call], later, second_child


@dataclass(frozen=True)
class Notice:
    """Something about one cell that the trainee should know; costs nothing."""

    cell: int  # from 1
    kind: str  # "raised", "syntax", "timeout", "exit", "crashed", "skipped_line", "missing_module"
    text: str = ""  # untrusted


class Lost(Exception):
    """The child of a session is gone: it took too long, used too much, or died."""

    def __init__(self, status: Status, detail: str = "") -> None:
        super().__init__(f"{status}: {detail}")
        self.status, self.detail = status, detail


class Worker:
    """One warm process that grades one submission after another, each in children of its own.

    It ends with the thread that made it (`bwrap --die-with-parent`), and is not to be used by two threads at once.
    """

    def __init__(
        self, mode: str = "bwrap", tensors: bool = False, memory_mb: int = 0, python: str = sys.executable
    ) -> None:
        """Start it.

        Args:
            mode: "bwrap", or "none" for one's own code: the same process without walls.
            tensors: with torch imported, for functions on tensors.
            memory_mb: the most that a submission may use, where its limits do not ask for less; 0 for theirs.
            python: the interpreter inside.

        Raises:
            Usage: where this machine has no such sandbox.
            Fault: where it does not come up.
        """
        self._mode, self._tensors, self._memory_mb, self._python = mode, tensors, memory_mb, python
        self._rounds: dict[str, tuple[Work, ...]] = {}
        self._frames: dict[str, bytes] = {}
        self._box: box.Box | None = box.Box(mode, tensors, python)

    def load(self, key: str, work: Sequence[Work]) -> None:
        """Take the inputs of a round; replaces what `key` held. The process itself holds one round at a time."""
        plans = [
            (w.function, [(c.arguments, c.gradients) for c in w.calls], list(w.again), w.tensors, w.reply_bytes)
            for w in work
        ]
        self._rounds[key], self._frames[key] = tuple(work), codec.encode(("load", plans), box.MOST)
        if self._box is not None and self._box.holds == key:
            self._box.holds = ""

    def run(
        self, key: str, cells: Sequence[str], functions: Sequence[str] | None, limits: Limits
    ) -> tuple[list[Reply], list[Notice]]:
        """Grade one submission: replies in the order of the work loaded under `key` (those named, or all)."""
        works = [w for w in self._rounds[key] if functions is None or w.function in functions]
        texts, names, most = list(map(_clean, cells)), [w.function for w in works], self._limits(limits)

        def graded(ready: box.Box) -> Any:
            answer = ready.run(texts, names, most)
            if any(detail == box.OURS for _, detail, *_ in answer[0]):
                ready.check()  # a child that did not come up: ours, unless others do
            return answer

        try:
            replies, ours, told, rest, clean = self._once_more(key, graded)
        except box.Dead:
            return [Reply(w.function, Status.CRASHED, detail="the worker died with it, twice") for w in works], []
        if not clean:
            self._stop()
        data = _Bytes(rest)
        found = [_reply(work, reply, data) for work, reply in zip(works, replies, strict=True)]
        return found, _notices(ours, [(cell, data.take(size)) for cell, size in told])

    @contextmanager
    def session(
        self, key: str, cells: Sequence[str], function: str, limits: Limits
    ) -> Iterator[Callable[[Call], Answer]]:
        """Live calls of one function in one fresh child. Calling raises `Lost` once the child is gone."""
        texts, most = list(map(_clean, cells)), self._limits(limits)
        try:
            state = self._once_more(key, lambda ready: ready.open_session(texts, function, most))
        except box.Dead:
            state = ("lost", "crashed", "the worker died with it, twice")
        live = self._box

        def call(asked: Call) -> Answer:
            nonlocal state
            if state[0] == "lost" or live is None:
                raise Lost(Status(state[1]), state[2])
            try:
                state = live.ask(codec.encode((asked.arguments, asked.gradients), box.MOST))
                if state[0] == "answer":
                    return _answer(_split(live.take(state[1]), 1)[0])
            except box.Dead:
                self._stop()
                state = ("lost", "crashed", "the worker died with it")
            return call(asked)

        try:
            yield call
        finally:
            self._end_session(live, state[0] == "lost")

    def _end_session(self, live: box.Box | None, lost: bool) -> None:
        if live is None or live is not self._box:
            return
        try:
            _, clean = live.hear() if lost else live.ask(b"")
        except box.Dead:
            clean = False
        if not clean:
            self._stop()

    def _limits(self, limits: Limits) -> tuple[float, float, float, int]:
        memory = min(limits.memory_mb, self._memory_mb or limits.memory_mb)
        return float(limits.call_seconds), float(limits.function_seconds), float(limits.cell_seconds), memory

    def _once_more(self, key: str, do: Callable[[box.Box], Any]) -> Any:
        """Do it with a worker that holds the round, and once more with a new one should this one die of it.

        Raises:
            Dead: when it dies again.
        """
        with suppress(box.Dead):
            return do(self._holding(key))
        self._stop()
        try:
            return do(self._holding(key))
        except box.Dead:
            self._stop()
            raise

    def _holding(self, key: str) -> box.Box:
        ready = self._ready()
        ready.load(key, self._frames[key])
        return ready

    def _ready(self) -> box.Box:
        if self._box is None:
            self._box = box.Box(self._mode, self._tensors, self._python)
        return self._box

    def restart(self) -> None:
        """A new process, with all that was loaded."""
        self._stop()
        self._ready()

    def _stop(self) -> None:
        if self._box is not None:
            self._box.close()
            self._box = None

    def close(self) -> None:
        """End it and everything in it."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def usable() -> Text | None:
    """Why trainees' code cannot be confined on this machine and what to do about it; None if it can. Tries it."""
    return box.obstacle()


def _clean(source: str) -> str:
    """A lone surrogate is no text that could cross the wire, and no Python."""
    return source.encode("utf-8", "replace").decode()


def _split(frame: bytes, count: int) -> list[bytes]:
    parts = wire.split_answers(frame, count)
    if parts is None:
        raise codec.CodecError("malformed: no frame of so many answers")
    return parts


class _Bytes:
    """What follows a summary, taken part by part."""

    def __init__(self, whole: bytes) -> None:
        self._whole, self._at = whole, 0

    def take(self, size: int) -> bytes:
        self._at += size
        return self._whole[self._at - size : self._at]


def _reply(work: Work, known: tuple[Any, ...], data: _Bytes) -> Reply:
    status, detail, seconds, memory, sizes = known
    frame, again, second = map(data.take, sizes)
    return Reply(
        work.function, Status(status), frame, detail, seconds, memory, again, second, work.again, len(work.calls)
    )


def _notices(ours: list[tuple[int, str, str]], told: list[tuple[int, bytes]]) -> list[Notice]:
    """In the order of the cells. What the zygote saw of a cell goes before what was said of it."""
    found = {cell: Notice(cell, kind, text) for cell, kind, text in ours}
    said = []
    for cell, raw in told:
        kind, _, text = raw.decode("utf-8", "replace").partition("\0")
        if cell not in found and kind in KINDS:
            said.append(Notice(cell, kind, text[:NOTICE_MOST]))
    return sorted([*found.values(), *said], key=lambda notice: notice.cell)


def _answer(raw: bytes) -> Answer:
    """One answer, as the child put it.

    Raises:
        CodecError: where it is none.
    """
    kind = raw[0] if raw else -1
    value = codec.decode(memoryview(raw)[1:], len(raw))
    if kind in (wire.PLAIN, wire.CHANGED):
        return Answer(value, changed=kind == wire.CHANGED)
    match kind, value:
        case wire.RAISED, (str(raised), str(traceback), bool(changed)):
            return Answer(raised=raised[:TEXT_MOST] or "?", traceback=traceback[:TEXT_MOST], changed=changed)
        case wire.UNUSABLE, (str(why), bool(changed)):
            return Answer(unusable=why[:TEXT_MOST] or "?", changed=changed)
    raise codec.CodecError("malformed: no answer")
