"""One submission from its cells to its answers: which children it takes, and what is known of each function in the end."""

import os
import select
from dataclasses import dataclass, field
from typing import Any

from autograder.inside import cells, wire
from autograder.inside.child import LINE, STAGE, Job
from autograder.inside.keeper import Child, End, Keeper, Limits
from autograder.inside.memory import Heard, Letter, Part, Scratch
from autograder.inside.plans import Plan

_MOST_DEATHS = 12  # children that the cells of one submission may bring down
_MOST_CODE = 16 << 20  # bytes of compiled cells
_MOST_NOTICES = 1 << 18  # bytes
_REST = 1 << 12


@dataclass
class Result:
    """What is known of one function."""

    status: str = ""  # a word of `verdict.Status`
    detail: str = ""
    frame: Part | None = None
    again: Part | None = None
    second: Part | None = None
    seconds: float = 0.0
    memory_mb: float = 0.0

    def parts(self) -> tuple[Part | None, Part | None, Part | None]:
        return self.frame, self.again, self.second


@dataclass
class Notebook:
    """The cells of one submission, and what its children taught us about them."""

    keeper: Keeper
    letter: Letter
    cells: int
    limits: Limits
    cuts: dict[int, int] = field(default_factory=dict)
    deadly: dict[int, tuple[int, str, str]] = field(default_factory=dict)  # cell, kind, our own words
    told: list[tuple[int, Part]] | None = None  # cell, and what the first child that got through all of them said
    deaths: int = 0
    cell_seconds: float = 0.0
    said: list[Heard] = field(default_factory=list)

    def child(
        self, plans: list[Plan], repeat: bool = False, live: int | None = None, lean: bool = False
    ) -> tuple[Child, list[wire.Message]]:
        """A child that has defined the cells, with what it has said since; or one that has ended before. Cells that bring it down are left out."""
        while True:
            job = Job(
                self.letter, plans, self.limits.cell_seconds, self.limits.memory_mb, repeat, dict(self.cuts), live, lean
            )
            most = sum(2 * wire.most_of_frame(len(p.calls) + len(p.again), p.reply_bytes) for p in plans)
            child = self.keeper.fork(job, self.limits, most + _MOST_CODE + _MOST_NOTICES + _REST)
            self.said.append(child.said)
            rest = self._hear_cells(child)
            if child.end is None or child.end.status == "" or rest:
                return child, rest
            if not self._learn(child):
                return child, []

    def _hear_cells(self, child: Child) -> list[wire.Message]:
        """Listen until the cells are defined; gives what was said from there on, with DEFINED in front."""
        notes: list[tuple[int, Part]] = []
        while messages := child.listen():
            for at, message in enumerate(messages):
                if message.kind == wire.DEFINED:
                    child.lap(message.at)
                    self.told = notes if self.told is None else self.told
                    return messages[at:]
                if message.kind == wire.CODE:
                    self.letter.keep_code(child.said, message.start, message.stop)
                elif 0 < message.about <= self.cells and len(notes) < cells.MOST_NOTICES:
                    if message.kind == wire.LATE:
                        line = int.from_bytes(child.said.read(message.start, message.stop)[:4], "little")
                        self.cuts[message.about] = max(cells.WHOLLY, line)  # no later child waits for it
                        self.deadly[message.about] = message.about, "timeout", ""
                    elif message.kind == wire.NOTICE:
                        notes.append((message.about, Part(child.said, message)))
        return []

    def _learn(self, child: Child) -> bool:
        """From a child that the cells brought down: leave out what did it. False where that leads nowhere."""
        assert child.end is not None
        self.deaths += 1
        self.cell_seconds += child.seconds
        stage, line = self.keeper.page[STAGE], self.keeper.page[LINE]
        if (
            not 0 < stage <= self.cells
            or self.deaths > _MOST_DEATHS
            or self.cell_seconds > 6 * self.limits.cell_seconds
        ):
            return False
        before = self.cuts.get(stage)
        if before == cells.WHOLLY:
            return False
        if before is None:
            self.letter.forget_code()
        self.cuts[stage] = line if line > 0 and line != before else cells.STEPWISE if before is None else cells.WHOLLY
        late = child.end.status == "timeout"
        self.deadly[stage] = stage, "timeout" if late else "crashed", "" if late else child.end.detail
        return True

    def close(self) -> None:
        """Forget it."""
        for said in self.said:
            said.close()
        self.letter.close()


class Grading:
    """All functions of one submission: in one child, and each in its own where that one died; then asked again in another."""

    def __init__(self, notebook: Notebook, plans: list[Plan]) -> None:
        self._notebook = notebook
        self._plans = plans
        self._results = [Result() for _ in plans]

    def run(self) -> None:
        """Ask all, and those that were answered again."""
        self._pass([at for at, _ in enumerate(self._plans)], repeat=False)
        answered = [at for at, r in enumerate(self._results) if r.status == "passed" and self._plans[at].again]
        self._pass(self._unconfirmed(answered), repeat=True)

    def summary(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Of each function what is known and how many bytes of answers follow; our notices; those of the child, with their sizes."""
        replies = [
            (r.status, r.detail, r.seconds, r.memory_mb, [0 if part is None else len(part) for part in r.parts()])
            for r in self._results
        ]
        told = [(cell, len(part)) for cell, part in self._notebook.told or []]
        return replies, list(self._notebook.deadly.values()), told

    def pass_on(self, fd: int) -> None:
        """All that the summary announces, in its order."""
        for part in [
            *(part for result in self._results for part in result.parts()),
            *(part for _, part in self._notebook.told or []),
        ]:
            if part is not None:
                part.pass_on(fd)

    def close(self) -> None:
        self._notebook.close()

    def _unconfirmed(self, todo: list[int]) -> list[int]:
        """Those that a second child did not answer with the bytes of the first. It runs only the cells that they seem to need: where that
        makes a difference, the functions concerned are asked in a child that runs them all.
        """
        if not todo:
            return []
        child, messages = self._notebook.child([self._plans[at] for at in todo], repeat=True, lean=True)
        due = 0
        while messages and due < len(todo):
            for message in messages:
                if message.kind in (wire.AGAIN, wire.MISSING, wire.MEMORY) and message.about == due < len(todo):
                    result, part = self._results[todo[due]], Part(child.said, message)
                    if message.kind == wire.AGAIN and result.again is not None and part.same_as(result.again):
                        result.second = part
                    due += 1
            messages = child.listen() if due < len(todo) else []
        child.finish(End(""))
        return [at for at in todo if self._results[at].second is None]

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
            result.status, result.frame = "missing", None
        elif message.kind == wire.MEMORY:
            result.status, result.frame, result.detail = "memory", None, f"{self._notebook.limits.memory_mb} MB"
        elif message.kind == wire.ANSWERS:
            result.frame = Part(child.said, message)
            if plan.again:
                return False
            result.status = "passed"
        elif repeat:
            result.second = Part(child.said, message)
        else:
            result.again, result.status = Part(child.said, message), "passed"
        return True

    def _fail(self, at: int, end: End, repeat: bool) -> None:
        detail = f"{end.detail} (asked again in a second process)" if repeat else end.detail
        self._results[at] = Result(
            end.status or "crashed",
            detail or "it ended before it had answered",
            seconds=self._results[at].seconds,
            memory_mb=self._results[at].memory_mb,
        )


def _first_due(repeat: bool) -> tuple[object, ...]:
    """What a child may say first of a function; a forged message of another kind ends it."""
    return (wire.AGAIN if repeat else wire.ANSWERS), wire.MISSING, wire.MEMORY


class Session:
    """Live calls of one function in one child."""

    def __init__(self, notebook: Notebook, plan: Plan) -> None:
        self._notebook = notebook
        self._plan = plan
        self._child: Child | None = None
        self._pipe: tuple[int, int] | None = None
        self._messages: list[wire.Message] = []
        self._answer: Part | None = None

    @property
    def open_for_calls(self) -> bool:
        return self._child is not None and self._child.end is None

    def open(self) -> tuple[Any, ...]:
        """Define the cells: ("open",), or ("lost", status, detail)."""
        self._pipe = os.pipe()
        os.set_blocking(self._pipe[1], False)
        self._child, messages = self._notebook.child([self._plan], live=self._pipe[0])
        self._messages = [m for m in messages if m.kind != wire.DEFINED]
        return ("open",) if self._child.end is None and not self._messages else self._lost()

    def call(self, requests: int, size: int) -> tuple[Any, ...]:
        """One call, read from the supervisor and handed over: ("answer", bytes that follow), or ("lost", status, detail)."""
        assert self._child is not None
        self._child.watch.begin_call()
        self._child.said.forget()
        self._hand_over(requests, size)
        self._messages = self._child.listen()
        if len(self._messages) == 1 and self._messages[0].kind == wire.LIVE:
            self._answer = Part(self._child.said, self._messages.pop())
            return ("answer", len(self._answer))
        return self._lost()

    def pass_on(self, fd: int) -> None:
        """The answer announced last."""
        if self._answer is not None:
            self._answer.pass_on(fd)
            self._answer = None

    def _hand_over(self, requests: int, size: int) -> None:
        """Write the call into the child's pipe; a child that does not read it is late."""
        assert self._child is not None
        assert self._pipe is not None
        request = Scratch(size, inherited=False)
        try:
            request.fill_wholly(requests, size)
            wire.write(self._pipe[1], size.to_bytes(4, "little"))
            at = 0
            while at < size and self._child.end is None:
                try:
                    at += request.write_once(self._pipe[1], at, size)
                except BlockingIOError:
                    select.select([], [self._pipe[1]], [], 0.1)
                    if late := self._child.watch.late():
                        self._child.finish(End("timeout", late))
        except OSError:
            return  # it is gone, or did not read what it was asked before
        finally:
            request.close()

    def _lost(self) -> tuple[Any, ...]:
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
        self._notebook.close()
