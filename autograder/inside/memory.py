"""What one submission says and is told, kept where the next one's children cannot find it.

A child is a copy of the zygote, and may search all of its own memory. So nothing of a submission — its source, its answers, its messages —
ever becomes an object of the zygote: it lies in mappings that are unmapped before the next submission comes, and what children say lies in
such as no child inherits.
"""

import mmap
import os
import sys

from autograder import codec
from autograder.inside import cells, wire

_MOST_CODE = 4 << 20  # bytes of compiled cells; what takes more is compiled again


class Scratch:
    """Some private memory, read into from a pipe and written from to another."""

    def __init__(self, size: int, inherited: bool) -> None:
        self._memory = mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if not inherited and sys.platform == "linux":
            self._memory.madvise(mmap.MADV_DONTFORK)
        self.size = size

    def fill(self, fd: int, start: int, stop: int) -> int:
        """Read once from a pipe: how many bytes came, 0 at its end."""
        with memoryview(self._memory) as whole, whole[start:stop] as part:
            return os.readv(fd, [part])

    def fill_wholly(self, fd: int, size: int) -> None:
        """Read so many bytes.

        Raises:
            EOFError: where the pipe ends before.
        """
        at = 0
        while at < size:
            came = self.fill(fd, at, size)
            if not came:
                raise EOFError("the other end is closed")
            at += came

    def write(self, fd: int, start: int, stop: int) -> None:
        with memoryview(self._memory) as whole, whole[start:stop] as part:
            wire.write(fd, part)

    def write_once(self, fd: int, start: int, stop: int) -> int:
        with memoryview(self._memory) as whole, whole[start:stop] as part:
            return os.write(fd, part)

    def read(self, start: int, stop: int) -> bytes:
        """A copy, for who may keep one."""
        return self._memory[start:stop]

    def copy(self, at: int, other: "Scratch", start: int, stop: int) -> None:
        with memoryview(self._memory) as mine, memoryview(other._memory) as theirs:
            mine[at : at + stop - start] = theirs[start:stop]

    def equal(self, start: int, stop: int, other: "Scratch", at: int) -> bool:
        with memoryview(self._memory) as mine, memoryview(other._memory) as theirs:
            return mine[start:stop] == theirs[at : at + stop - start]

    def close(self) -> None:
        self._memory.close()


class Letter(Scratch):
    """The cells of one submission, as its children read them: the sources and, once a child has made it, their code."""

    def __init__(self, fd: int, size: int) -> None:
        super().__init__(size + _MOST_CODE, inherited=True)
        self._sources, self._code = size, 0
        self.fill_wholly(fd, size)

    def keep_code(self, said: "Heard", start: int, stop: int) -> None:
        if not self._code and stop - start <= _MOST_CODE:
            self.copy(self._sources, said, start, stop)
            self._code = stop - start

    def forget_code(self) -> None:
        self._code = 0

    def sources(self) -> list[str]:
        """In a child: the texts of the cells."""
        found: list[str] = codec.decode(self.read(0, self._sources), self._sources)
        return found

    def code(self) -> list[cells.Cell] | None:
        """In a child: what a child before made of them."""
        return cells.load(self.read(self._sources, self._sources + self._code)) if self._code else None


class Heard(Scratch):
    """What a child has said so far."""

    def __init__(self, most: int) -> None:
        super().__init__(most, inherited=False)
        self._most, self.end, self._understood = most, 0, 0

    def listen(self, fd: int) -> bool:
        """Take what is there to read; False once the child has closed its end."""
        while self.end < self._most:
            try:
                came = self.fill(fd, self.end, self._most)
            except BlockingIOError:
                return True
            if not came:
                return False
            self.end += came
        return True

    def messages(self) -> list[wire.Message] | None:
        """Those that came since; None where it has said, or announces, more than it may."""
        found, at = [], self._understood
        while self.end - at >= wire.HEAD.size:
            kind, about, length, when = wire.HEAD.unpack_from(self._memory, at)
            start = at + wire.HEAD.size
            if length > self._most - start:
                return None
            if start + length > self.end:
                break
            at = start + length
            found.append(wire.Message(kind, about, start, at, when))
        self._understood = at
        return None if self.end == self._most else found

    def forget(self) -> None:
        """Make room: all that was said has been passed on."""
        self.end = self._understood = 0


class Part:
    """Some bytes of what a child said, to be passed on."""

    def __init__(self, said: Heard, message: wire.Message) -> None:
        self._said, self._start, self._stop = said, message.start, message.stop

    def __len__(self) -> int:
        return self._stop - self._start

    def same_as(self, other: "Part") -> bool:
        return len(self) == len(other) and self._said.equal(self._start, self._stop, other._said, other._start)

    def pass_on(self, fd: int) -> None:
        self._said.write(fd, self._start, self._stop)
