"""Notebooks as files: the text that nbformat would write for a book of plain data, without importing it (it takes a second)."""

from collections.abc import Mapping
from json.encoder import encode_basestring as _quoted
from typing import Any

Book = dict[str, Any]

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
GRADED = "-graded"  # what the id of a graded cell adds to the name of its function


def dumps(book: Mapping[str, Any]) -> str:
    """A notebook of format 4.5, byte for byte as `nbformat.writes` has it: texts by lines, keys sorted, indented by one."""
    return _json({**book, "cells": [_cell(cell) for cell in book["cells"]]}, "\n") + "\n"


def _cell(cell: Mapping[str, Any]) -> Book:
    split = {**cell, "source": cell["source"].splitlines(True)}
    if outputs := cell.get("outputs"):
        split["outputs"] = [{**out, "data": {k: v.splitlines(True) for k, v in out["data"].items()}} for out in outputs]
    return split


def _json(value: Any, line: str) -> str:
    """As `json.dumps(…, indent=1, sort_keys=True)`, whose own indenting encoder is ten times as slow."""
    if isinstance(value, str):
        return _quoted(value)
    inner = line + " "
    if isinstance(value, dict):
        entries = [f"{_quoted(key)}: {_json(value[key], inner)}" for key in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(entries)}{line}}}" if entries else "{}"
    if isinstance(value, list):
        parts = [_quoted(v) if type(v) is str else _json(v, inner) for v in value]
        return f"[{inner}{f',{inner}'.join(parts)}{line}]" if parts else "[]"
    return "null" if value is None else "true" if value is True else "false" if value is False else repr(value)
