"""A child: it defines one notebook's cells and answers calls. From `Job.run` on nothing that this process says is believed, only carried."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from autograder import codec
from autograder.inside import cells, plain, wire
from autograder.inside.confine import Confinement
from autograder.inside.memory import Letter
from autograder.inside.needed import needed
from autograder.inside.plans import Asked, Plan
from autograder.inside.state import CleanState

STAGE, CALL, LINE = (
    0,
    1,
    2,
)  # slots of the page: where the child is, how many calls of a function it has begun, a late cell's line
IN_FUNCTION = 1 << 20  # STAGE while a function is asked; below, the number of the cell


@dataclass
class Job:
    """What one child is forked for."""

    letter: Letter
    plans: list[Plan]
    seconds: float  # the limit of a cell
    memory_mb: int
    repeat: bool = False  # only the calls to be asked again
    cuts: dict[int, int] = field(default_factory=dict)
    live: int | None = None  # descriptor from which calls come one at a time
    lean: bool = False  # leave out cells that the functions seem not to need

    def run(self, confinement: Confinement, clean: CleanState, page: Any, out: int) -> None:
        """All that a child does; `out` is where its messages go."""
        confinement.put_on(self.memory_mb)
        sources = self.letter.sources()
        restores = clean.needed(sources)
        namespace = self._define(sources, page, out)
        page[STAGE] = IN_FUNCTION
        wire.tell(out, wire.DEFINED)
        for index, plan in enumerate(self.plans):
            page[STAGE], page[CALL] = IN_FUNCTION + index, 0
            for restore in restores:
                restore()
            self._answer(index, plan, namespace, page, out)
        wire.tell(out, wire.DONE)

    def _define(self, sources: list[str], page: Any, out: int) -> dict[str, Any]:
        told = 0

        def notify(cell: int, kind: str, text: str) -> None:
            nonlocal told
            told += 1
            if kind == "timeout":
                wire.tell(out, wire.LATE, cell, int(page[LINE]).to_bytes(4, "little"))
            elif told <= cells.MOST_NOTICES:
                wire.tell(out, wire.NOTICE, cell, f"{kind}\0{text}".encode("utf-8", "replace"))

        def enter(number: int) -> None:
            page[STAGE] = number

        made = self.letter.code()
        if made is None:
            made = cells.compile_all(sources, self.cuts, notify, enter)
            with contextlib.suppress(ValueError):
                wire.tell(out, wire.CODE, 0, cells.dump(made))
        if self.lean:
            made = needed(made, [plan.function for plan in self.plans])
        self._lines = {f"<cell {cell.number}>": cell.source.split("\n") for cell in made}
        return cells.define(made, self.cuts, self.seconds, notify, enter, page)

    def _answer(self, index: int, plan: Plan, namespace: dict[str, Any], page: Any, out: int) -> None:
        function = namespace.get(plan.function)
        if not callable(function):
            wire.tell(out, wire.MISSING, index)
            return
        asked = _on_tensors(function) if plan.tensors else _on_arrays(function)
        try:
            if self.live is not None:
                self._answer_live(asked, plan, page, out)
            if not self.repeat:
                wire.tell(out, wire.ANSWERS, index, self._ask(asked, plan.calls, plan.reply_bytes, page))
            if plan.again:
                once_more = [plan.calls[at] for at in plan.again]
                wire.tell(out, wire.AGAIN, index, self._ask(asked, once_more, plan.reply_bytes, page))
        except _OutOfMemory:
            wire.tell(out, wire.MEMORY, index)

    def _answer_live(self, asked: "Ask", plan: Plan, page: Any, out: int) -> None:
        assert self.live is not None
        while True:
            arguments, gradients = codec.decode(wire.receive(self.live), 1 << 30)
            frame = self._ask(asked, [Asked(arguments, gradients)], plan.reply_bytes, page)
            wire.tell(out, wire.LIVE, 0, frame)

    def _ask(self, asked: "Ask", calls: Iterable[Asked], limit: int, page: Any) -> bytes:
        """The answers to some calls, in a frame."""
        out, ends = bytearray(), []
        room = limit
        for call in calls:
            page[CALL] += 1
            start = len(out)
            try:
                value, error, changed = asked(call)
                if error is None:
                    _append_value(out, value, changed, room)
            except BaseException as e:  # ours, with no memory left, or of her objects while they were written
                error, changed = e, False
            if error is not None:
                del out[start:]
                self._append_error(out, error, changed)
            if out[start] >= wire.RAISED:
                room += len(out) - start  # texts are not what the limit is for; each has its own
            ends.append(len(out))
        return wire.answers_frame(out, ends)

    def _append_error(self, out: bytearray, error: BaseException, changed: bool) -> None:
        if plain.ran_out_of_memory(error):
            raise _OutOfMemory from None
        text = plain.said(error), plain.traceback_lines(error, self._lines), changed
        out.append(wire.RAISED)
        codec.append(out, text, len(out) + (1 << 16))


class _OutOfMemory(Exception):
    """The machine's MemoryError met in a call."""


Ask = Callable[
    [Asked], tuple[Any, BaseException | None, bool]
]  # value, what was raised instead, were the inputs changed


def _append_value(out: bytearray, value: Any, changed: bool, limit: int) -> None:
    start = len(out)
    out.append(wire.CHANGED if changed else wire.PLAIN)
    try:
        codec.append(out, value, limit, plain.reduce)
    except codec.CodecError as e:
        out[start:] = bytes((wire.UNUSABLE,))
        codec.append(out, (str(e), changed), len(out) + (1 << 16))


def _on_arrays(function: Callable[..., Any]) -> Ask:
    def ask(call: Asked) -> tuple[Any, BaseException | None, bool]:
        inputs = call.inputs()
        value, error = None, None
        try:
            value = function(*inputs)
        except BaseException as e:
            error = e
        return value, error, call.changed(inputs)

    return ask


def _on_tensors(function: Callable[..., Any]) -> Ask:
    from autograder.inside import tensors

    def ask(call: Asked) -> tuple[Any, BaseException | None, bool]:
        given: list[Any] = []

        def seen(*inputs: Any) -> Any:
            given.extend(inputs)
            return function(*inputs)

        value, error = None, None
        try:
            value = tensors.ask(seen, tuple(call.inputs()), call.gradients)
        except BaseException as e:
            error = e
        return value, error, bool(given) and call.changed([_array(each) for each in given])

    return ask


def _array(given: Any) -> Any:
    """An input as it is after the call, in the form it had before."""
    if isinstance(given, tuple | list):
        return type(given)(map(_array, given))
    return given.detach().numpy() if type(given).__module__ == "torch" else given
