"""Plain values as bytes and back: what crosses between a trainee's process and ours, and nothing else.

None, bool, int, float, complex, str, bytes, list, tuple, dict (keys str or int), numpy arrays and scalars of a number or bool dtype. Types are
exact: a subclass is no plain value. Equal bytes are equal values, and any bytes at all give a value or a `CodecError`; a decoded value
takes at most some twenty times the memory of its bytes (the worst are empty arrays), so a limit on bytes bounds memory.

Layout: one tag byte, then fixed little-endian fields; containers carry their count, arrays their dtype, dimensions and C-ordered items.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_DEPTH = 32
MAX_INT_BYTES = 1024  # fewer than 4300 digits: beyond, Python refuses to print an int
MAX_SPAN = 1 << 24  # items of an empty array, were its empty dimensions 1: what one takes that is made "like" it

Reduce = Callable[[Any], Any]


class CodecError(ValueError):
    """No plain value, or no bytes of one. The message is short and says which."""


_DTYPES = tuple(
    map(np.dtype, ("?", "<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16"))
)
_CODES = {dtype: code for code, dtype in enumerate(_DTYPES)}
_SCALARS = {
    np.dtype(char).type: _CODES[np.dtype(char)] for char in "?bhilqBHILQefdFD"
}  # C has two names for one of them
_SIZES = tuple(dtype.itemsize for dtype in _DTYPES)
_BOOL = 0
_PLAIN = {type(None), bool, int, float, complex, str, bytes, list, tuple, dict, np.ndarray, *_SCALARS}

_NONE, _TRUE, _FALSE, _INT, _LONG, _FLOAT, _COMPLEX, _STR, _BYTES, _LIST, _TUPLE, _DICT, _ARRAY, _SCALAR = (
    b"NTFiIDCSBltdAG"
)
_HEADS = tuple(struct.Struct(f"<3B{ndim}I") for ndim in range(33))  # tag, dtype, ndim, dimensions
_SHAPES = tuple(struct.Struct(f"<{ndim}I") for ndim in range(33))
_SMALL, _REAL, _PAIR = struct.Struct("<Bq"), struct.Struct("<Bd"), struct.Struct("<Bdd")
_COUNT = struct.Struct("<BI")
_I64, _F64, _C128, _U32 = struct.Struct("<q"), struct.Struct("<d"), struct.Struct("<dd"), struct.Struct("<I")
_ndarray = np.ndarray
_heads: dict[tuple[np.dtype[Any], tuple[int, ...]], tuple[bytes, int]] = {}
_MOST_HEADS = 4096
_FAULTS = (struct.error, IndexError, UnicodeError, ValueError, TypeError, OverflowError)


def encode(value: Any, limit: int) -> bytes:
    """The bytes of a plain value.

    Raises:
        CodecError: if it is none, is nested too deep, or takes more than `limit` bytes.
    """
    out = bytearray()
    append(out, value, limit)
    return bytes(out)


def append(out: bytearray, value: Any, limit: int, reduce: Reduce | None = None) -> None:
    """Write a value behind what `out` holds; `limit` is on all of `out`, which is left as it was where the value is refused.

    Args:
        reduce: makes a plain value (its parts need not be) of one that is not, or raises CodecError. For use where the value came
            into being, never on what was received.
    """
    start = len(out)
    try:
        _write(out, value, limit, MAX_DEPTH, reduce)
        if len(out) > limit:
            raise CodecError("too large")
    except CodecError:
        del out[start:]
        raise
    except _FAULTS as e:
        del out[start:]
        raise CodecError(f"cannot be written: {type(e).__name__}") from None


def decode(data: bytes | bytearray | memoryview, limit: int) -> Any:
    """The value of some bytes. Arrays are writable copies.

    Raises:
        CodecError: for anything that `encode` would not write, or more than `limit` bytes.
    """
    if len(data) > limit:
        raise CodecError("too large")
    try:
        value, end = _read(bytes(data), 0, MAX_DEPTH)
    except CodecError:
        raise
    except _FAULTS as e:
        raise CodecError(f"malformed: {type(e).__name__}") from None
    if end != len(data):
        raise CodecError("malformed: something follows the value")
    return value


def _write(out: bytearray, value: Any, limit: int, depth: int, reduce: Reduce | None) -> None:
    kind = type(value)
    if kind is _ndarray:
        _write_array(out, value, limit)
    elif kind is float:
        out += _REAL.pack(_FLOAT, value)
    elif kind is int:
        _write_int(out, value)
    elif kind is tuple or kind is list:
        if depth == 0:
            raise CodecError("nested too deep")
        out += _COUNT.pack(_TUPLE if kind is tuple else _LIST, len(value))
        for part in value:
            _write(out, part, limit, depth - 1, reduce)
            if len(out) > limit:  # here, not at the end: a list of itself twice, thirty deep, is a gigabyte
                raise CodecError("too large")
    elif value is None or kind is bool:
        out.append(_NONE if value is None else _TRUE if value else _FALSE)
    elif (code := _SCALARS.get(kind)) is not None:
        out += bytes((_SCALAR, code)) + value.tobytes()
    elif kind is str or kind is bytes:
        if len(value) > limit:
            raise CodecError("too large")
        raw = value.encode() if kind is str else value
        out += _COUNT.pack(_STR if kind is str else _BYTES, len(raw)) + raw
    elif kind is complex:
        out += _PAIR.pack(_COMPLEX, value.real, value.imag)
    elif kind is dict:
        _write_dict(out, value, limit, depth, reduce)
    elif reduce is not None and type(plain := reduce(value)) in _PLAIN:
        _write(out, plain, limit, depth, reduce)
    else:
        raise CodecError("not plain data")


def _write_array(out: bytearray, value: np.ndarray[Any, Any], limit: int) -> None:
    known = _heads.get((value.dtype, value.shape))
    if known is None:
        value, known = _plain_array(value, limit)
    head, size = known
    if size > limit - len(out):
        raise CodecError("too large")
    out += head
    out += value.tobytes()


def _plain_array(value: np.ndarray[Any, Any], limit: int) -> tuple[np.ndarray[Any, Any], tuple[bytes, int]]:
    """The array in a dtype that is written, and its (head, bytes); remembered, as plans ask for few shapes many times."""
    dtype = value.dtype if value.dtype.isnative else value.dtype.newbyteorder("<")
    code = _CODES.get(dtype)
    if code is None:
        raise CodecError("an array of a dtype that is no number")
    size = value.size * _SIZES[code]
    if size > limit or (size == 0 and _span(value.shape) > MAX_SPAN):
        raise CodecError("too large")
    value = value.astype(_DTYPES[code], copy=False)
    known = _HEADS[value.ndim].pack(_ARRAY, code, value.ndim, *value.shape), size
    if len(_heads) < _MOST_HEADS:
        _heads[value.dtype, value.shape] = known
    return value, known


def _write_int(out: bytearray, value: int) -> None:
    if -0x8000000000000000 <= value <= 0x7FFFFFFFFFFFFFFF:
        out += _SMALL.pack(_INT, value)
        return
    size = value.bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise CodecError("an int of thousands of digits")
    out += _COUNT.pack(_LONG, size) + value.to_bytes(size, "little", signed=True)


def _write_dict(out: bytearray, value: dict[Any, Any], limit: int, depth: int, reduce: Reduce | None) -> None:
    if depth == 0:
        raise CodecError("nested too deep")
    out += _COUNT.pack(_DICT, len(value))
    for key, part in value.items():
        if type(key) is not str and type(key) is not int:
            if reduce is None or not isinstance(key, np.integer):
                raise CodecError("a dict with keys that are neither text nor integers")
            key = int(key)
        _write(out, key, limit, depth, None)
        _write(out, part, limit, depth - 1, reduce)
        if len(out) > limit:
            raise CodecError("too large")


def _span(shape: tuple[int, ...]) -> int:
    """Items of an array, as if its empty dimensions were 1."""
    items = 1
    for length in shape:
        items *= length or 1
    return items


def _read(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    tag = data[at]
    at += 1
    if tag == _ARRAY:
        return _read_array(data, at)
    if tag == _FLOAT:
        return _F64.unpack_from(data, at)[0], at + 8
    if tag == _INT:
        return _I64.unpack_from(data, at)[0], at + 8
    if tag in (_TUPLE, _LIST):
        return _read_sequence(data, at, depth, tag == _TUPLE)
    if tag == _NONE:
        return None, at
    if tag in (_TRUE, _FALSE):
        return tag == _TRUE, at
    if tag == _SCALAR:
        value, end = _items(data, at + 1, data[at], ())
        return value[()], end
    if tag == _COMPLEX:
        return complex(*_C128.unpack_from(data, at)), at + 16
    if tag == _DICT:
        return _read_dict(data, at, depth)
    if tag in (_STR, _BYTES, _LONG):
        end = at + 4 + _U32.unpack_from(data, at)[0]
        raw = data[at + 4 : end]
        if end > len(data):
            raise CodecError("malformed: too short")
        return (raw if tag == _BYTES else raw.decode() if tag == _STR else _long(raw)), end
    raise CodecError("malformed: unknown tag")


def _read_array(data: bytes, at: int) -> tuple[Any, int]:
    code, ndim = data[at], data[at + 1]
    shape = _SHAPES[ndim].unpack_from(data, at + 2)
    value, end = _items(data, at + 2 + 4 * ndim, code, shape)
    return value.copy(), end


def _items(data: bytes, at: int, code: int, shape: tuple[int, ...]) -> tuple[np.ndarray[Any, Any], int]:
    """A view of items; the sizes are compared in Python's integers, before numpy sees them."""
    count = 1
    for length in shape:
        count *= length
    end = at + count * _SIZES[code]
    if end > len(data) or (count == 0 and _span(shape) > MAX_SPAN):
        raise CodecError("malformed: an array larger than its bytes")
    if code == _BOOL and data[at:end].translate(None, b"\0\1"):
        raise CodecError("malformed: a bool that is neither")
    return np.ndarray(shape, _DTYPES[code], data, at), end


def _read_sequence(data: bytes, at: int, depth: int, as_tuple: bool) -> tuple[Any, int]:
    at, count = _enter(data, at, depth)
    parts = []
    for _ in range(count):
        part, at = _read(data, at, depth - 1)
        parts.append(part)
    return (tuple(parts) if as_tuple else parts), at


def _read_dict(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    at, count = _enter(data, at, depth)
    found: dict[Any, Any] = {}
    for _ in range(count):
        if data[at] not in (_STR, _INT, _LONG):
            raise CodecError("malformed: a key that is neither text nor integer")
        key, at = _read(data, at, depth)
        found[key], at = _read(data, at, depth - 1)
    if len(found) != count:
        raise CodecError("malformed: a key twice")
    return found, at


def _enter(data: bytes, at: int, depth: int) -> tuple[int, int]:
    count = _U32.unpack_from(data, at)[0]
    at += 4
    if depth == 0 or count > len(data) - at:  # every part takes a byte at least
        raise CodecError("malformed: nested too deep, or longer than its bytes")
    return at, count


def _long(raw: bytes) -> int:
    value = int.from_bytes(raw, "little", signed=True)
    if len(raw) > MAX_INT_BYTES or len(raw) != value.bit_length() // 8 + 1 or len(raw) <= 8:
        raise CodecError("malformed: an int")
    return value
