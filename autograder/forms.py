"""Plainly equal forms made one: what a trainee may return where the reference returns an array, a number or a tuple."""

import math
from typing import Any

import numpy as np

from autograder.verdict import Text

SNAP = 1e-10  # of the largest entry: an answer that near is the reference's own, in another order of summation
LONG = 1 << 63  # counts stay below; numpy, which laws are written in, knows no larger integers
FLOOR = 1e-14  # … where the largest entry is 0

_KINDS = {
    "b": Text("真偽値", "booleans"),
    "i": Text("整数", "integers"),
    "f": Text("実数", "floats"),
    "c": Text("複素数", "complex numbers"),
}
_ONE = {
    bool: Text("真偽値", "a boolean"),
    int: Text("整数", "an integer"),
    float: Text("実数", "a float"),
    complex: Text("複素数", "a complex number"),
    str: Text("文字列", "a string"),
    bytes: Text("バイト列", "bytes"),
    type(None): Text("None", "None"),
}


class Malformed(Exception):
    """The answer has not the form of the reference's; `text` says what was expected and what came."""

    def __init__(self, text: Text, finite: bool = True) -> None:
        super().__init__(text.en)
        self.text, self.finite = text, finite  # not finite: the form is right, a number in it is none


def canonical(value: Any) -> Any:
    """An answer of our own as the form that others are held to: named tuples are tuples, arrays without axes numbers."""
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(canonical, value))
    if isinstance(value, dict):
        return {key: canonical(part) for key, part in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        return value if value.dtype == np.float32 else value.item()
    if isinstance(value, np.ndarray):
        return frozen(value)
    return value


def frozen(value: Any) -> Any:
    """A copy that nobody can change, made of plain containers."""
    if isinstance(value, np.ndarray):
        copy = np.array(value, order="C", subok=False)
        copy.setflags(write=False)
        return copy
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(frozen, value))
    if isinstance(value, dict):
        return {key: frozen(part) for key, part in value.items()}
    return value


def freeze(value: Any) -> None:
    """Make the arrays in what was drawn read-only: a law that writes into its inputs would spoil later ones."""
    if isinstance(value, np.ndarray):
        value.setflags(write=False)
    elif isinstance(value, tuple | list):
        for part in value:
            freeze(part)
    elif isinstance(value, dict):
        freeze(list(value.values()))


def fitted(value: Any, like: Any) -> Any:
    """The answer in the form of the reference's, where the two are plainly the same.

    Raises:
        Malformed: where they are not, or where a number is not finite and the reference's is.
    """
    if isinstance(like, tuple | list):
        return _parts(value, like)
    if isinstance(like, dict):
        if not isinstance(value, dict) or value.keys() != like.keys():
            raise Malformed(_mismatch(value, like))
        return {key: fitted(value[key], part) for key, part in like.items()}
    if isinstance(like, np.ndarray):
        return _array(value, like)
    if like is None or isinstance(like, str | bytes):
        if type(value) is not type(like):
            raise Malformed(_mismatch(value, like))
        return value
    return _number(value, like)


def _parts(value: Any, like: tuple[Any, ...] | list[Any]) -> Any:
    if isinstance(value, np.ndarray) and value.ndim:
        value = tuple(value)
    if not isinstance(value, tuple | list) or len(value) != len(like):
        raise Malformed(_mismatch(value, like))
    found = []
    for i, (part, of) in enumerate(zip(value, like, strict=True), 1):
        try:
            found.append(fitted(part, of))
        except Malformed as e:
            raise Malformed(Text(f"{i} 番目の値: {e.text.ja}", f"part {i}: {e.text.en}"), e.finite) from None
    return type(like)(found)


def _array(value: Any, like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    made = _as_array(value)
    if made is not None and made.size == 0 and not isinstance(value, np.ndarray):
        made = made.astype(like.dtype)  # a list without numbers has no kind
    if made is None or made.shape != like.shape or not _kind_fits(made.dtype.kind, like.dtype.kind):
        raise Malformed(_mismatch(value, like))
    if like.dtype.kind == "f" and made.dtype != np.float64:
        made = made.astype(np.float32 if made.dtype in (np.float16, np.float32) else np.float64)
    if made.dtype.kind in "fc" and not (fine := np.isfinite(made)).all():
        bad = ~fine & np.isfinite(like)
        if bad.any():
            raise Malformed(_not_finite(made, tuple(map(int, np.argwhere(bad)[0]))), finite=False)
    return made


def _number(value: Any, like: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    kind = _kind(value)
    asked = np.asarray(like).dtype.kind
    if kind is None or not _kind_fits(kind, asked):
        raise Malformed(_mismatch(value, like))
    if kind in "fc" and not np.isfinite(value) and np.isfinite(like):
        raise Malformed(_not_finite(value, ()), finite=False)
    if isinstance(value, np.float16 | np.float32):
        return np.float32(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if asked == "i" and not -LONG <= plain < LONG:
        raise Malformed(Text("64 ビットに収まらない整数が返りました", "got an integer of more than 64 bits"))
    try:
        return float(plain) if asked == "f" else complex(plain) if asked == "c" else plain
    except OverflowError:
        raise Malformed(_not_finite(np.inf, ()), finite=False) from None


def _as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """An array, or what sequences of numbers make one; None for anything else."""
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, tuple | list):
        return None
    try:
        made = np.array(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return made if made.dtype.kind in "biufc" else None


def _kind(value: Any) -> str | None:
    if isinstance(value, np.generic):
        return value.dtype.kind
    return {bool: "b", int: "i", float: "f", complex: "c"}.get(type(value))


def _kind_fits(kind: str, asked: str) -> bool:
    """Booleans and integers are floats where floats are asked; a float is no count, and neither is a boolean."""
    if kind == asked or {kind, asked} == {"i", "u"}:
        return True
    return asked in "fc" and kind in "biuf"


def _not_finite(value: Any, at: tuple[int, ...]) -> Text:
    entry = np.asarray(value)[at]
    place = Text(f"添字 {list(at)} が", f" at {list(at)}") if at else Text("", "")
    return Text(
        f"{place.ja} {entry} です(有限の数のはずです)".strip(),
        f"got {entry}{place.en} where a finite number is expected",
    )


def _mismatch(value: Any, like: Any) -> Text:
    precise = _precision(value, like)
    asked, got = words(like, precise), words(value, precise)
    return Text(f"{asked.ja}を返すはずですが、{got.ja}が返りました", f"expected {asked.en}, got {got.en}")


def _precision(value: Any, like: Any) -> bool:
    """Must the kind of the entries be said to tell the two apart?"""
    made = _as_array(value)
    return isinstance(like, np.ndarray) and made is not None and made.shape == like.shape


def words(value: Any, precise: bool = False) -> Text:
    """The form of a value: what it is and how large."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.ndarray):
        kind = _KINDS.get(value.dtype.kind.replace("u", "i"), Text("", "")) if precise else Text("", "")
        of = Text(f"{kind.ja}の" if kind.ja else "", f" of {kind.en}" if kind.en else "")
        return Text(f"形 {value.shape} の{of.ja}配列", f"an array{of.en} of shape {value.shape}")
    if isinstance(value, tuple):
        return Text(f"{len(value)} 個の値の組", f"a tuple of {len(value)}")
    if isinstance(value, list):
        return _list_words(value, precise)
    if isinstance(value, dict):
        keys = ", ".join(map(repr, list(value)[:8]))
        return Text(f"キーが {keys} の辞書", f"a dict with the keys {keys}")
    if isinstance(value, np.generic):
        value = value.item()
    return _ONE.get(type(value), Text(type(value).__name__, type(value).__name__))


def _list_words(value: list[Any], precise: bool) -> Text:
    if (made := _as_array(value)) is not None:
        kind = (
            _KINDS.get(made.dtype.kind.replace("u", "i"), Text("数", "numbers")) if precise else Text("数", "numbers")
        )
        return Text(f"形 {made.shape} の{kind.ja}のリスト", f"a list of {kind.en} of shape {made.shape}")
    lengths = {len(part) for part in value if isinstance(part, list | tuple)}
    if len(lengths) > 1:
        return Text(
            f"長さのそろわない {len(value)} 個のリストのリスト", f"a list of {len(value)} lists of different lengths"
        )
    return Text(f"{len(value)} 個の値のリスト", f"a list of {len(value)}")


def same(value: Any, like: Any) -> bool:
    """Is an answer, in the reference's form, the reference's own but for rounding?"""
    if isinstance(like, tuple | list):
        return all(map(same, value, like))
    if isinstance(like, dict):
        return all(same(value[key], part) for key, part in like.items())
    if isinstance(like, np.ndarray):
        return _same_array(value, like)
    if type(value) is float and type(like) is float:
        near = math.isfinite(like) and abs(value - like) <= (SNAP * abs(like) or FLOOR)
        return near or value == like or (value != value and like != like)
    return type(value) is type(like) and bool(value == like)


def _same_array(value: np.ndarray[Any, Any], like: np.ndarray[Any, Any]) -> bool:
    if value.dtype != np.float64 or like.dtype != np.float64:
        if value.dtype.kind == "f" and value.dtype != like.dtype:
            return False
        return value.tobytes() == like.tobytes() or bool(np.array_equal(value, like))
    if value.tobytes() == like.tobytes():
        return True
    apart = np.abs(value - like)
    largest = np.abs(like).max(initial=0.0)
    if np.isfinite(largest) and bool((apart <= (SNAP * largest or FLOOR)).all()):
        return True
    # Infinite entries: equal where they stand, and the others measured by the largest of themselves.
    odd = ~np.isfinite(like)
    if not odd.any():
        return False
    rest = np.where(odd, 0.0, like)
    return bool(np.array_equal(value[odd], like[odd], equal_nan=True)) and _same_array(np.where(odd, 0.0, value), rest)
