"""Values as verdicts carry them: plain JSON that a person can be shown, capped, the same for the same value."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

ENTRIES = 400  # of one array, list, tuple or dict; beyond, its size is said
LETTERS = 400  # of one text
DEPTH = 6


def shown(value: Any, depth: int = DEPTH) -> Any:
    """The JSON-able form of a plain value.

    None, bool, int, finite float and str stand for themselves; other floats are {"float": "nan"}, arrays
    {"array": nested lists, "dtype": …, "shape": …} (null for the lists where they are too long), tuples {"tuple": […]},
    lists are lists, dicts {"dict": [[key, value], …]}, and what remains is {"text": …}.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, np.generic):
        return shown(value.item(), depth)
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else {"text": f"{value:.6e}" if value.bit_length() < 1000 else "…"}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, str):
        return _capped(value)
    if isinstance(value, complex | bytes):
        return {"text": _capped(repr(value[:LETTERS] if isinstance(value, bytes) else value))}
    if isinstance(value, list | tuple | Mapping):
        if depth == 0 or len(value) > ENTRIES:
            return {"text": f"{type(value).__name__} ({len(value)})"}
        if isinstance(value, Mapping):
            return {"dict": [[shown(k, depth - 1), shown(v, depth - 1)] for k, v in value.items()]}
        parts = [shown(part, depth - 1) for part in value]
        return {"tuple": parts} if isinstance(value, tuple) else parts
    return {"text": _capped(type(value).__name__)}


def _array(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    nested = None
    if value.size <= ENTRIES:
        nested = value.tolist()
        if value.dtype.kind in "fc" and (value.dtype.kind == "c" or not np.isfinite(value).all()):
            nested = _each(nested)
    return {"array": nested, "dtype": str(value.dtype), "shape": list(value.shape)}


def _each(nested: Any) -> Any:
    return list(map(_each, nested)) if isinstance(nested, list) else shown(nested)


def _capped(text: str) -> str:
    return text if len(text) <= LETTERS else text[:LETTERS] + "…"
