"""The cells of an assignment: an author's source and the reference, put together in one language."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder import notebook
from autograder.build._percent import Cell, parse
from autograder.course import Topic
from autograder.errors import Finding

FORMAT = 1  # of the metadata `ecert` in a notebook
_SOLUTION = [
    "### BEGIN SOLUTION",
    "### END SOLUTION",
]  # without them nbgrader empties the whole cell, signature and all
_WIDE = 88


def parse_source(path: Path) -> list[Cell]:
    """The cells of a notebook's source.

    Raises:
        Finding: for the first fault, with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise Finding(f"{path}: {e}") from e
    cells, wrong = parse(text, path)
    if wrong:
        raise wrong[0]
    return cells


def book(topic: Topic, lang: str) -> notebook.Book:
    """The instructor's notebook in one language: stubs from the reference, graded cells with points, ids that editing keeps.

    Raises:
        Finding: where source and reference do not fit.
    """
    cells = [cell for cell in parse_source(topic.source) if cell.kind != "markdown" or cell.name == lang]
    made: list[notebook.Book] = []
    count = 0
    for n, cell in enumerate(cells):
        count = 0 if cell.kind in ("given", "stub") else count + (cell.kind != "graded")
        # A text is named after the function that it leads to: editing it keeps its id, and both languages share it.
        ahead = next((later.name for later in cells[n:] if later.kind in ("given", "stub")), "end")
        ids = {"given": cell.name, "stub": cell.name, "graded": cell.name + notebook.GRADED}
        name = ids.get(cell.kind, f"{ahead}-{count}")
        role = role_of(cell, topic)
        metadata = {"nbgrader": {"grade_id": name, "schema_version": 3, "task": False, **role}} if role else {}
        kind = "markdown" if cell.kind == "markdown" else "code"
        outputs: notebook.Book = {} if kind == "markdown" else {"execution_count": None, "outputs": []}
        made.append(
            {"cell_type": kind, "id": name, "metadata": metadata, "source": source_of(cell, topic, lang), **outputs}
        )
    about: notebook.Book = {
        "ecert": {"format": FORMAT, "lang": lang, "topic": topic.name},
        "kernelspec": notebook.KERNEL,
        "language_info": {"name": "python"},
        "title": topic.title[lang],
    }
    return {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def role_of(cell: Cell, topic: Topic) -> dict[str, Any]:
    """What nbgrader is told of a cell."""
    if cell.kind == "graded":
        if cell.name not in topic.points:
            raise Finding(f"{topic.source}:{cell.line}: {cell.name} has no points in {topic.folder / 'topic.toml'}")
        return {"grade": True, "solution": False, "locked": True, "points": float(topic.points[cell.name])}
    if cell.kind in ("given", "stub"):
        given = cell.kind == "given"
        return {"grade": False, "solution": not given, "locked": given}
    return {}


def source_of(cell: Cell, topic: Topic, lang: str) -> str:
    if cell.kind == "graded":
        return f'check("{cell.name}")'
    if cell.kind not in ("given", "stub"):
        return cell.body
    function = topic.reference(cell.name)
    docstrings = {"ja": inspect.cleandoc(cell.body), "en": inspect.getdoc(function) or ""}
    if difference := _difference(docstrings["ja"], docstrings["en"]):
        raise Finding(
            f"{topic.source}:{cell.line}: the docstring of {cell.name} and that of the reference differ: {difference}"
        )
    return _written(function, docstrings[lang], _code(function) if cell.kind == "given" else _SOLUTION)


def _difference(ja: str, en: str) -> str:
    """Names in order, and shapes: what a docstring says in any language."""
    names = [re.findall(r"^ +(\w+):", text, re.M) for text in (ja, en)]
    shapes = [re.findall(r"\((?:[A-Z]\w*,? ?)+\)", text) for text in (ja, en)]
    return next((f"{ours} here, {theirs} there" for ours, theirs in (names, shapes) if ours != theirs), "")


def _definition(function: Callable[..., Any]) -> tuple[ast.FunctionDef, list[str]]:
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    node = ast.parse("\n".join(lines)).body[0]
    if not isinstance(node, ast.FunctionDef) or not ast.get_docstring(node):
        raise Finding(
            f"{inspect.getsourcefile(function)}: {function.__name__} must be a plain function with a docstring"
        )
    return node, lines


def _code(function: Callable[..., Any]) -> list[str]:
    """What follows the docstring, without the checks of arguments: these call what a trainee has not."""
    node, lines = _definition(function)
    checks = [step for step in node.body if _is_check(step)]
    dropped = {n for step in checks for n in range(step.lineno, (step.end_lineno or 0) + 1)}
    first, last = (node.body[0].end_lineno or 0) + 1, node.end_lineno or 0
    return textwrap.dedent("\n".join(lines[n - 1] for n in range(first, last + 1) if n not in dropped)).splitlines()


def _is_check(step: ast.stmt) -> bool:
    called = step.value.func if isinstance(step, ast.Expr) and isinstance(step.value, ast.Call) else None
    return isinstance(called, ast.Name) and called.id.lstrip("_").startswith("check")


def _written(function: Callable[..., Any], docstring: str, code: list[str]) -> str:
    """The function without annotations, with a docstring in the language of the reader."""
    arguments = _definition(function)[0].args
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    head = f"def {function.__name__}({ast.unparse(arguments)}):"
    if len(head) > _WIDE:
        wrapped = textwrap.wrap(ast.unparse(arguments), _WIDE - 4)
        head = "\n".join([f"def {function.__name__}(", *("    " + line for line in wrapped), "):"])
    first, *rest = docstring.splitlines()
    quotes = 'r"""' if "\\" in docstring else '"""'
    text = [f"{quotes}{first}", *rest, '"""'] if rest else [f'{quotes}{first}"""']
    return "\n".join([head, *("    " + line if line else "" for line in [*text, *code])])
