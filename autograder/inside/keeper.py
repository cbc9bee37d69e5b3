"""Forks a child, reads what it says, ends it when it is late or says too much, and knows how it ended."""

import contextlib
import fcntl
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from autograder.inside import wire
from autograder.inside.child import CALL, IN_FUNCTION, STAGE, Job
from autograder.inside.clocks import cpu_of, worked
from autograder.inside.confine import Confinement, fork
from autograder.inside.memory import Heard
from autograder.inside.state import CleanState

_PIPE = 1 << 20
PAGE = 4096
_CLEAN_PAGE = memoryview(bytes(PAGE)).cast("q")
_SIGNALS = {int(number): number.name for number in signal.Signals}
_FIRST_SLICE, _SLICE = 0.01, 0.25  # seconds between two looks at the clocks, at first and later
_FAREWELL = 0.5  # seconds that a child without a pipe may take to end by itself
OURS = 70  # exit code of a child that did not get as far as a trainee's code, or that says so
_MOST_FILES = 500  # left behind in the writable folder; beyond, a new sandbox is cheaper than tidying


class Limits(NamedTuple):
    """What crosses the wire of `course.Limits`."""

    call_seconds: float
    function_seconds: float
    cell_seconds: float
    memory_mb: int


class End(NamedTuple):
    """How a child ended. `status` is a word of `verdict.Status`, "" for one that said all it had to say."""

    status: str
    detail: str = ""


class Keeper:
    """What all children of this zygote are made with."""

    def __init__(
        self,
        confinement: Confinement,
        clean: CleanState,
        page: Any,
        private: tuple[int, ...],
        alive: Callable[[], None],
    ) -> None:
        self.confinement, self.clean, self.page, self.private, self.alive = confinement, clean, page, private, alive

    def fork(self, job: Job, limits: Limits, most: int) -> "Child":
        """A child at work, in an empty folder. `most` bounds all that it may say."""
        self.wipe()
        return Child(self, job, limits, most)

    def wipe(self) -> bool:
        """Remove what children wrote; False where that is too much, or does not want to go."""
        try:
            return _remove_within(self.clean.writable, _MOST_FILES) >= 0
        except OSError:
            return False


def _remove_within(folder: str, most: int) -> int:
    """Empty a folder of not more than so many entries; gives how many more it might have had, less than 0 where it had more."""
    with os.scandir(folder) as entries:
        for entry in entries:
            most -= 1
            if most < 0:
                break
            if entry.is_dir(follow_symlinks=False):
                most = _remove_within(entry.path, most)
                if most >= 0:
                    os.rmdir(entry.path)
            else:
                os.unlink(entry.path)
    return most


class Child:
    """One forked process, seen from the zygote."""

    def __init__(self, keeper: Keeper, job: Job, limits: Limits, most: int) -> None:
        self._keeper = keeper
        self.said = Heard(most)
        keeper.page[:] = _CLEAN_PAGE  # all of it: what one child leaves there the next would read
        self._read, write = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, _PIPE)
        self.pid = fork()
        if self.pid == 0:
            _become(keeper, job, write, self._read)
        os.close(write)
        os.set_blocking(self._read, False)
        self.watch = Watch(keeper.page, self.pid, limits, len(job.plans))
        self._poll = select.poll()
        # Answers wait in the pipe until the child has ended or a moment has passed: to wake for each costs both processes more than reading it.
        self._poll.register(self._read, 0 if job.live is None else select.POLLIN)
        self.end: End | None = None
        self.seconds = self.memory_mb = 0.0
        self._begun = self._lap = time.monotonic()

    def listen(self) -> list[wire.Message]:
        """What it says next; nothing once it has ended."""
        longest = min(_SLICE, self.watch.shortest / 4)
        step = _FIRST_SLICE
        while self.end is None:
            ready = self._poll.poll(step * 1000)
            if messages := self._hear():
                return messages
            if not ready and step == longest:
                self._keeper.alive()
            if self.end is None and (late := self.watch.late()):
                self.finish(End("timeout", late))
            step = min(2 * step, longest)
        return []

    def lap(self, at: float) -> float:
        """Seconds from the last lap to this one, which the child says: never more than there were."""
        now = time.monotonic()
        before, self._lap = self._lap, at if self._lap <= at <= now else now
        return self._lap - before

    def _hear(self) -> list[wire.Message]:
        before = self.said.end
        still_open = self.said.listen(self._read)
        if self.said.end - before > _PIPE // 4:
            self._poll.modify(self._read, select.POLLIN)  # much is to come, and the pipe is soon full
        messages = self.said.messages()
        if messages is None:
            self.finish(End("crashed", "it wrote more than its answers may take"))
            return []
        if messages and messages[-1].kind == wire.DONE:
            self.finish(End(""))
        elif not still_open:
            self._reap()
        return messages

    def _reap(self) -> None:
        """It closed its pipe: most likely it is dead, and says how."""
        deadline = time.monotonic() + _FAREWELL
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._ended(_end_of(status), usage)
                return
            time.sleep(0.001)
        self.finish(End("crashed", "it closed the pipe it was asked through"))

    def finish(self, end: End) -> None:
        """End it now, whatever it does."""
        if self.end is not None:
            return
        os.kill(self.pid, signal.SIGKILL)
        _, _, usage = os.wait4(self.pid, 0)
        self._ended(end, usage)

    def _ended(self, end: End, usage: Any) -> None:
        os.close(self._read)
        self.end = end
        self.seconds, self.memory_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _become(keeper: Keeper, job: Job, write: int, read: int) -> None:
    """The child's life. Nothing of the zygote's loop is ever reached again."""
    try:
        for fd in (*keeper.private, read):
            os.close(fd)
        job.run(keeper.confinement, keeper.clean, keeper.page, write)
        os._exit(0)
    finally:
        os._exit(OURS)


def _end_of(status: int) -> End:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:  # not from us, and no child can send one: the machine had no memory left
            return End("memory", "the machine ran out of memory")
        return End("crashed", f"signal {_SIGNALS.get(number, number)}")
    return End("crashed", f"exit code {os.WEXITSTATUS(status)}")


class Watch:
    """A child's deadlines. It says itself where it is; a lie there gains it no more than the sum of all its limits."""

    def __init__(self, page: Any, pid: int, limits: Limits, functions: int) -> None:
        self._page, self._pid, self._limits = page, pid, limits
        self._at = (0, 0)
        self._child = self._stage = self._call = (time.monotonic(), 0.0)
        cells = 4 * limits.cell_seconds + 2
        self._cell_limit, self._cells_limit = 1.25 * limits.cell_seconds + 1, cells
        self._altogether = cells + functions * limits.function_seconds * 1.5 + 1
        self.shortest = min(limits.call_seconds, limits.cell_seconds, limits.function_seconds)

    def begin_call(self) -> None:
        """A live call starts now, and so do the deadlines of its function."""
        self._child = self._stage = self._call = time.monotonic(), cpu_of(self._pid) or 0.0

    def late(self) -> str:
        """Which limit it is over; "" while it is over none."""
        cpu = cpu_of(self._pid)
        now = time.monotonic(), cpu or 0.0
        at = self._page[STAGE], self._page[CALL]
        if at[0] != self._at[0]:
            self._stage = now
        if at != self._at:
            self._call, self._at = now, at

        def over(since: tuple[float, float], limit: float) -> bool:
            return worked(now[0] - since[0], None if cpu is None else now[1] - since[1]) >= limit

        if over(self._child, self._altogether):
            return "all its functions together"
        if at[0] < IN_FUNCTION:
            return (
                "a cell"
                if over(self._stage, self._cell_limit)
                else "all cells"
                if over(self._child, self._cells_limit)
                else ""
            )
        if over(self._call, self._limits.call_seconds):
            return f"call {at[1]}"
        return "the function" if over(self._stage, self._limits.function_seconds) else ""
