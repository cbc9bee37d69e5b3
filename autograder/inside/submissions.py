"""One submission from its cells to its answers: which children it takes, and what is known of each function in the end."""

import os
import select
from dataclasses import dataclass, field
from typing import Any

from autograder.inside import cells, wire
from autograder.inside.child import LINE, STAGE, Job
from autograder.inside.keeper import Child, End, Keeper, Limits
from autograder.inside.plans import Plan

_MOST_DEATHS = 12  # children that the cells of one submission may bring down
_MOST_CODE = 16 << 20  # bytes of compiled cells
_MOST_NOTICES = 1 << 18  # bytes
_REST = 1 << 12
_MOST_TEXT = 400  # characters of one

Note = tuple[int, str, str]  # cell, kind, text


@dataclass
class Result:
    """What is known of one function."""

    status: str = ""  # a word of `verdict.Status`
    detail: str = ""
    frame: bytes = b""
    again: bytes = b""
    second: bytes = b""
    seconds: float = 0.0
    memory_mb: float = 0.0


@dataclass
class Notebook:
    """The cells of one submission, and what its children taught us about them."""

    keeper: Keeper
    sources: list[str]
    limits: Limits
    code: bytes = b""
    cuts: dict[int, int] = field(default_factory=dict)
    deadly: dict[int, Note] = field(default_factory=dict)
    told: list[Note] | None = None  # by the first child that got through the cells
    deaths: int = 0
    cell_seconds: float = 0.0

    def child(self, plans: list[Plan], repeat: bool = False, live: int | None = None) -> tuple[Child, list[wire.Message]]:
        """A child that has defined the cells, with what it has said since; or one that has ended before. Cells that bring it down are left out."""
        while True:
            job = Job(
                self.sources, plans, self.limits.cell_seconds, self.limits.memory_mb, repeat, self.code, dict(self.cuts), live
            )
            most = sum(2 * wire.most_of_frame(len(p.calls) + len(p.again), p.reply_bytes) for p in plans)
            child = self.keeper.fork(job, self.limits, most + _MOST_CODE + _MOST_NOTICES + _REST)
            rest = self._hear_cells(child)
            if child.end is None or child.end.status == "" or rest:
                return child, rest
            if not self._learn(child):
                return child, []

    def _hear_cells(self, child: Child) -> list[wire.Message]:
        """Listen until the cells are defined; gives what was said from there on, with DEFINED in front."""
        notes: list[Note] = []
        while messages := child.listen():
            for at, message in enumerate(messages):
                if message.kind == wire.DEFINED:
                    child.lap(message.at)
                    self.told = notes if self.told is None else self.told
                    return messages[at:]
                if message.kind == wire.CODE and not self.code:
                    self.code = message.payload
                elif message.kind == wire.NOTICE:
                    self._note(message, notes)
        return []

    def notices(self) -> list[Note]:
        """About the cells, in their order."""
        return sorted([*self.deadly.values(), *(note for note in self.told or [] if note[0] not in self.deadly)], key=lambda note: note[0])

    def _note(self, message: wire.Message, notes: list[Note]) -> None:
        kind, _, text = message.payload.decode("utf-8", "replace").partition("\0")
        if kind not in cells.KINDS or not 0 < message.about <= len(self.sources) or len(notes) == cells.MOST_NOTICES:
            return
        if kind == "timeout":
            self.cuts[message.about] = max(cells.WHOLLY, int(text) if text.isdecimal() else 0)  # no later child waits for it
            text = ""
        notes.append((message.about, kind, text[:_MOST_TEXT]))

    def _learn(self, child: Child) -> bool:
        """From a child that the cells brought down: leave out what did it. False where that leads nowhere."""
        assert child.end is not None
        self.deaths += 1
        self.cell_seconds += child.seconds
        stage, line = self.keeper.page[STAGE], self.keeper.page[LINE]
        if not 0 < stage <= len(self.sources) or self.deaths > _MOST_DEATHS or self.cell_seconds > 6 * self.limits.cell_seconds:
            return False
        before = self.cuts.get(stage)
        if before == cells.WHOLLY:
            return False
        self.code = b"" if before is None else self.code
        self.cuts[stage] = line if line > 0 and line != before else cells.STEPWISE if before is None else cells.WHOLLY
        late = child.end.status == "timeout"
        self.deadly[stage] = stage, "timeout" if late else "crashed", "" if late else child.end.detail
        return True


class Grading:
    """All functions of one submission: in one child, and each in its own where that one died; then asked again in another."""

    def __init__(self, keeper: Keeper, sources: list[str], plans: list[Plan], limits: Limits) -> None:
        self._notebook = Notebook(keeper, sources, limits)
        self._plans = plans
        self._results = [Result() for _ in plans]

    def run(self) -> tuple[list[Any], list[Any]]:
        """Replies in the order of the plans, and notices: as plain tuples."""
        self._pass([at for at, _ in enumerate(self._plans)], repeat=False)
        self._pass([at for at, r in enumerate(self._results) if r.status == "passed" and self._plans[at].again], repeat=True)
        replies = [
            (plan.function, r.status, r.frame, r.detail, r.seconds, r.memory_mb, r.again, r.second)
            for plan, r in zip(self._plans, self._results)
        ]
        return replies, self._notebook.notices()

    def _pass(self, todo: list[int], repeat: bool) -> None:
        if not todo:
            return
        end, left = self._ask(todo, repeat)
        if len(todo) > 1:
            for at in left:
                end, still_left = self._ask([at], repeat)
                if still_left:
                    self._fail(at, end, repeat)
        elif left:
            self._fail(left[0], end, repeat)

    def _ask(self, todo: list[int], repeat: bool) -> tuple[End, list[int]]:
        """Ask some functions in one child: how it ended, and those that it left without an answer."""
        child, messages = self._notebook.child([self._plans[at] for at in todo], repeat)
        answered, due = 0, _first_due(repeat)
        while messages and answered < len(todo):
            for message in messages:
                if message.kind in (wire.DEFINED, wire.DONE):
                    continue
                if message.about != answered or answered == len(todo) or message.kind not in due:
                    child.finish(End("crashed", "it answered what it was not asked"))
                    break
                whole = self._take(todo[answered], message, child, repeat)
                answered += whole
                due = _first_due(repeat) if whole else (wire.AGAIN, wire.MEMORY)
            messages = child.listen() if answered < len(todo) else []
        child.finish(End(""))
        for at in todo:
            self._results[at].memory_mb = max(self._results[at].memory_mb, child.memory_mb)
        assert child.end is not None
        return child.end, todo[answered:]

    def _take(self, at: int, message: wire.Message, child: Child, repeat: bool) -> bool:
        """Keep what one message says of a function; True where that completes it."""
        result, plan = self._results[at], self._plans[at]
        result.seconds += child.lap(message.at)
        if message.kind == wire.MISSING:
            result.status, result.frame = "missing", b""
        elif message.kind == wire.MEMORY:
            result.status, result.frame, result.detail = "memory", b"", f"{self._notebook.limits.memory_mb} MB"
        elif message.kind == wire.ANSWERS:
            result.frame = message.payload
            if plan.again:
                return False
            result.status = "passed"
        elif repeat:
            result.second = message.payload
        else:
            result.again, result.status = message.payload, "passed"
        return True

    def _fail(self, at: int, end: End, repeat: bool) -> None:
        detail = f"{end.detail} (asked again in a second process)" if repeat else end.detail
        self._results[at] = Result(
            end.status or "crashed", detail or "it ended before it had answered",
            seconds=self._results[at].seconds, memory_mb=self._results[at].memory_mb,
        )


def _first_due(repeat: bool) -> tuple[object, ...]:
    """What a child may say first of a function; a forged message of another kind ends it."""
    return (wire.AGAIN if repeat else wire.ANSWERS), wire.MISSING, wire.MEMORY


class Session:
    """Live calls of one function in one child."""

    def __init__(self, keeper: Keeper, sources: list[str], plan: Plan, limits: Limits) -> None:
        self._notebook = Notebook(keeper, sources, limits)
        self._plan = plan
        self._child: Child | None = None
        self._pipe: tuple[int, int] | None = None
        self._messages: list[wire.Message] = []

    @property
    def open_for_calls(self) -> bool:
        return self._child is not None and self._child.end is None

    def open(self) -> Any:
        """Define the cells: ("open",), or ("lost", status, detail)."""
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        self._child, messages = self._notebook.child([self._plan], live=self._pipe[0])
        self._messages = [m for m in messages if m.kind != wire.DEFINED]
        return ("open",) if self._child.end is None and not self._messages else self._lost()

    def call(self, request: bytes) -> Any:
        """One call: ("answer", frame), or ("lost", status, detail)."""
        assert self._child is not None
        self._child.watch.begin_call()
        self._child.allow(wire.most_of_frame(1, self._plan.reply_bytes) + _REST)
        self._hand_over(request)
        self._messages = self._child.listen()
        if len(self._messages) == 1 and self._messages[0].kind == wire.LIVE:
            return ("answer", self._messages.pop().payload)
        return self._lost()

    def _hand_over(self, request: bytes) -> None:
        """Write the call into the child's pipe; a child that does not read it is late."""
        assert self._child is not None
        assert self._pipe is not None
        left = memoryview(len(request).to_bytes(4, "little") + request)
        while left and self._child.end is None:
            try:
                left = left[os.write(self._pipe[1], left) :]
            except BlockingIOError:
                select.select([], [self._pipe[1]], [], 0.1)
                if late := self._child.watch.late():
                    self._child.finish(End("timeout", late))
            except BrokenPipeError:
                return

    def _lost(self) -> Any:
        """What became of the child, which is ended now: it said so, or it said what it was not asked."""
        assert self._child is not None
        self._child.finish(End("crashed", "it answered what it was not asked"))
        assert self._child.end is not None
        said = {message.kind for message in self._messages}
        if wire.MISSING in said:
            return ("lost", "missing", "")
        if wire.MEMORY in said:
            return ("lost", "memory", f"{self._notebook.limits.memory_mb} MB")
        return ("lost", self._child.end.status or "crashed", self._child.end.detail)

    def close(self) -> None:
        if self._child is not None:
            self._child.finish(End(""))
        for fd in self._pipe or ():
            os.close(fd)
        self._pipe = None
