"""What trainees' code gives back or raises, as plain data: done in the child, where her objects may do to us what they like."""

import dis
import re
import sys
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from autograder.codec import CodecError

_TEXT = 300  # characters of a message
_LINES = 8  # of a traceback
_FRAMES = 2000  # walked in search of hers: a recursion without an end has a thousand
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
_CELL = re.compile(r"<cell (\d+)>")
_RAISE = dis.opmap["RAISE_VARARGS"]

_traceback: Any = vars(BaseException)["__traceback__"].__get__  # hers may be a property
_slots: list[tuple[type, Any]] = [
    (tuple, lambda v: tuple.__getitem__(v, slice(None))),
    (list, lambda v: list.__getitem__(v, slice(None))),
    (dict, lambda v: dict(dict.items(v))),
    (float, float.__float__),
    (int, int.__int__),
    (str, str.__str__),
    (bytes, lambda v: bytes.__getitem__(v, slice(None))),
    (complex, complex.__complex__),
]


def reduce(value: Any) -> Any:
    """The plain value that one of a subclass is by its base: a named tuple is a tuple, a matrix an array. Calls nothing that she overrode.

    Raises:
        CodecError: where it is none.
    """
    kind = type(value)
    bases = type.__getattribute__(kind, "__mro__")
    if np.ndarray in bases:
        return _array(value, bases)
    if kind.__module__.startswith("torch"):
        return _tensor(value)
    if np.generic not in bases:
        for base, plain in _slots:
            if base in bases:
                return plain(value)
    raise CodecError(f"a value of type {type_name(value)}")


def _array(value: Any, bases: tuple[type, ...]) -> Any:
    masked = sys.modules.get("numpy.ma")
    if masked is not None and masked.MaskedArray in bases:
        raise CodecError("a masked array")
    shape, dtype = np.ndarray.shape.__get__(value), np.ndarray.dtype.__get__(value)
    if dtype.hasobject:
        raise CodecError("an array of objects")
    items = 1
    for length in shape:
        items *= length
    if items > 1 << 27:  # np.broadcast_to makes a terabyte of nothing
        raise CodecError("too large")
    return np.ndarray(shape, dtype, np.ndarray.tobytes(value))


def _tensor(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is None or type(value) is not torch.Tensor:
        raise CodecError(f"a value of type {type_name(value)}")
    if value.requires_grad or value.device.type != "cpu":
        raise CodecError("a tensor that is not detached, or not on the CPU")
    return value.numpy()


def type_name(value: Any) -> str:
    """The name of its class, as its metaclass may not tell."""
    name = type.__dict__["__name__"].__get__(type(value))
    return clean(str.__str__(name), 60)


def clean(text: str, most: int = _TEXT) -> str:
    """Cut to length, as valid Unicode, without addresses: these differ from run to run."""
    text = str.__getitem__(text, slice(most + 1))
    text = _ADDRESS.sub("0x…", text.encode("utf-8", "replace").decode())
    return text if len(text) <= most else text[:most] + "…"


def said(error: BaseException) -> str:
    """ "ValueError: what it said". Her __str__ may do anything, and runs under the deadline of the call."""
    name = type_name(error)
    try:
        text = str(error)
        text = clean(text) if type(text) is str else ""
    except BaseException:
        text = ""
    return f"{name}: {text}" if text else name


def traceback_lines(error: BaseException, sources: dict[str, list[str]]) -> str:
    """Where it was raised, in her cells alone: "cell 3, line 2: y = x / 0", the innermost last."""
    lines: list[str] = []
    step: TracebackType | None = _traceback(error)
    for _ in range(_FRAMES):
        if step is None:
            break
        name = step.tb_frame.f_code.co_filename
        source = sources.get(name)
        if source is not None:
            number = step.tb_lineno or 0
            code = source[number - 1].strip() if 0 < number <= len(source) else ""
            lines.append(f"cell {_number(name)}, line {number}: {clean(code, 120)}")
        step = step.tb_next
    if len(lines) > _LINES:
        lines = [*lines[:2], "…", *lines[3 - _LINES :]]
    return "\n".join(lines)


def _number(name: str) -> str:
    found = _CELL.fullmatch(name)
    return found[1] if found else "?"


def ran_out_of_memory(error: BaseException) -> bool:
    """Is this a MemoryError of the machine's, not one that somebody raised by name?"""
    if MemoryError not in type.__getattribute__(type(error), "__mro__"):  # her __class__ may be a property
        return False
    step = _traceback(error)
    for _ in range(_FRAMES):
        if step is None or step.tb_next is None:
            break
        step = step.tb_next
    return step is None or not _raises(step.tb_frame, step.tb_lasti)


def _raises(frame: FrameType, at: int) -> bool:
    code = frame.f_code.co_code
    return 0 <= at < len(code) and code[at] == _RAISE
