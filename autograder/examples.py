"""Public examples: what travels beside a notebook so that a trainee can check her functions. Values only, in JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograder.errors import Usage

FORMAT = 1


class Example(NamedTuple):
    """One call of a function, and the right answer."""

    arguments: tuple[Any, ...]  # by position
    expected: Any
    gradients: bool = False  # of a function on tensors: the gradients are asked for, not the value


def file_name(topic: str) -> str:
    return f"{topic}.examples.json"


def dumps(topic: str, examples: Mapping[str, Sequence[Example]]) -> str:
    """The file's text: one example a line, so that a person can look at it."""
    blocks = []
    for function, each in examples.items():
        lines = ",\n".join(f"   {line(e)}" for e in each)
        blocks.append(f"  {json.dumps(function)}: [\n{lines}\n  ]")
    functions = ",\n".join(blocks)
    return f'{{\n "format": {FORMAT},\n "topic": {json.dumps(topic)},\n "functions": {{\n{functions}\n }}\n}}\n'


def line(example: Example) -> str:
    """One example as JSON, the same for the same example."""
    values = {name: _to_json(value) for name, value in zip(example._fields, example, strict=True)}
    return json.dumps(values, ensure_ascii=False, sort_keys=True, allow_nan=False)


def load(path: Path) -> dict[str, tuple[Example, ...]]:
    """The examples of a file that `dumps` wrote.

    Raises:
        Usage: where it is missing or something else.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise ValueError(f"format {raw['format']}")
        return {
            function: tuple(Example(*(_from_json(e[name]) for name in Example._fields)) for e in each)
            for function, each in raw["functions"].items()
        }
    except FileNotFoundError as e:
        raise Usage(f"{path.name} is missing: it belongs beside the notebook; fetch the assignment again") from e
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as e:
        raise Usage(f"{path.name} cannot be read ({type(e).__name__}: {e}); fetch the assignment again") from e


def plain(value: Any) -> Any:
    """The same as plain data, sharing nothing with it.

    Raises:
        TypeError: for what no file can hold.
    """
    return _from_json(_to_json(value))


# The form is that of `shown`, without its cap: JSON for what JSON has, a tagged object for the rest.


def _to_json(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return {"array": _numbers(value.tolist()), "dtype": str(value.dtype), "shape": list(value.shape)}
    if isinstance(value, int | float | complex):
        return _numbers(value)
    if isinstance(value, tuple):
        return {"tuple": [_to_json(v) for v in value]}
    if isinstance(value, list):
        return [_to_json(v) for v in value]
    if isinstance(value, dict):
        return {"dict": [[_to_json(k), _to_json(v)] for k, v in value.items()]}
    raise TypeError(f"{type(value).__name__} is no plain data")


def _numbers(value: Any) -> Any:
    """Numbers as JSON has them; what it has no word for as a tagged text."""
    if isinstance(value, list):
        return [_numbers(v) for v in value]
    if isinstance(value, complex):
        return {"complex": [_numbers(value.real), _numbers(value.imag)]}
    return value if isinstance(value, bool | int) or math.isfinite(value) else {"float": repr(value)}


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = np.array(_from_json(value["array"]), dtype=np.dtype(value["dtype"])).reshape(value["shape"])
        return array if value["shape"] else array[()]
    if "tuple" in value:
        return tuple(map(_from_json, value["tuple"]))
    if "dict" in value:
        return {_from_json(k): _from_json(v) for k, v in value["dict"]}
    if "complex" in value:
        return complex(*map(_from_json, value["complex"]))
    return float(value["float"])
