"""Bytes through pipes: frames between supervisor and zygote, messages from a child to the zygote."""

import os
import struct
import time
from typing import NamedTuple

_LENGTH = struct.Struct("<I")
HEAD = struct.Struct("<cIId")  # of a message
_MOST_TEXTS = 8192  # bytes that the texts of one answer may take besides its value

HEARTBEAT = b""  # from the zygote while a child is running: an empty frame


def write(fd: int, data: bytes | bytearray | memoryview) -> None:
    """All of it.

    Raises:
        OSError: where the other end is closed.
    """
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def send(fd: int, payload: bytes) -> None:
    """One frame."""
    write(fd, _LENGTH.pack(len(payload)) + payload)


def receive(fd: int, most: int = 1 << 30) -> bytes:
    """The next frame.

    Raises:
        EOFError: where the other end is closed, or claims more than `most` bytes.
    """
    length = receive_length(fd)
    if length > most:
        raise EOFError("a frame longer than can be")
    return _exactly(fd, length)


def receive_length(fd: int) -> int:
    """How long the next frame is, where its bytes are to go elsewhere."""
    (length,) = _LENGTH.unpack(_exactly(fd, _LENGTH.size))
    return int(length)


def _exactly(fd: int, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = os.read(fd, min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("the other end is closed")
        data += part
    return bytes(data)


class Message(NamedTuple):
    """From a child. What it says may be forged by the trainee's code, which shares the process: values, never verdicts."""

    kind: bytes
    about: int  # which function, or which cell
    start: int  # of its payload, in what was heard
    stop: int
    at: float  # when, by its monotonic clock


CODE, NOTICE, LATE, DEFINED, ANSWERS, AGAIN, MISSING, MEMORY, LIVE, DONE = (
    bytes((letter,)) for letter in b"CNTLFAXMVE"
)

PLAIN, CHANGED, RAISED, UNUSABLE = range(4)  # first byte of an answer


def tell(fd: int, kind: bytes, about: int = 0, payload: bytes | bytearray = b"") -> None:
    write(fd, HEAD.pack(kind, about, len(payload), time.monotonic()) + payload)


def answers_frame(answers: bytearray, ends: list[int]) -> bytes:
    """Answers in one frame: their count, their sizes, their bytes."""
    sizes = [end - start for start, end in zip([0, *ends], ends)]
    return struct.pack(f"<I{len(sizes)}I", len(sizes), *sizes) + answers


def split_answers(frame: bytes, count: int) -> list[bytes] | None:
    """The bytes of each answer; None where the frame is not one of so many answers."""
    head = 4 + 4 * count
    if len(frame) < head:
        return None
    said, *sizes = struct.unpack_from(f"<I{count}I", frame)
    if said != count or head + sum(sizes) != len(frame):
        return None
    parts, at = [], head
    for size in sizes:
        parts.append(frame[at : at + size])
        at += size
    return parts


def most_of_frame(calls: int, reply_bytes: int) -> int:
    """What a frame of answers may take, with what says why there are none."""
    return reply_bytes + (4 + _MOST_TEXTS) * calls + 64
