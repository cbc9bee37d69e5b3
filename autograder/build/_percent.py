"""The source of a notebook: jupytext's percent format, with four markers of ours. Editors show its cells; we read it strictly.

# %% [markdown] lang="ja"      text, directly followed by its neighbour with lang="en"; each line begins with `# `
# %%                           code, the same in both languages
# %% given f                   the reference's `f`, to be used; below it its docstring in Japanese
# %% stub f                    what the trainee writes; below it its docstring in Japanese
# %% graded f                  the locked cell that checks `f`
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autograder.errors import Finding

_HEAD = re.compile(r'# %%( (?P<kind>given|stub|graded) (?P<name>\w+)| \[markdown\] lang="(?P<lang>ja|en)")?')
_MARKERS = "'# %%', '# %% given f', '# %% stub f', '# %% graded f' or '# %% [markdown] lang=\"ja\"'"


class Cell(NamedTuple):
    kind: str  # code, given, stub, graded or markdown
    name: str  # of the function, or the language of markdown
    body: str  # of given and stub: the docstring itself
    line: int


def parse(text: str, path: Path) -> tuple[list[Cell], list[Finding]]:
    """The cells, and everything that is wrong, each with its line."""
    cells: list[Cell] = []
    faults: list[Finding] = []
    lines = text.splitlines()
    heads = [n for n, line in enumerate(lines) if line.startswith("# %%")]

    def fault(line: int, what: str) -> None:
        faults.append(Finding(f"{path}:{line}: {what}"))

    if before := next((n for n, line in enumerate(lines[: heads[0] if heads else None], 1) if line.strip()), None):
        fault(before, f"text before the first cell; a cell begins with {_MARKERS}")
    for at, end in zip(heads, [*heads[1:], len(lines)], strict=False):
        if not (head := _HEAD.fullmatch(lines[at].rstrip())):
            fault(at + 1, f"unknown marker {lines[at]!r}; a cell begins with {_MARKERS}")
            continue
        cell = Cell(
            head["kind"] or ("markdown" if head["lang"] else "code"), head["name"] or head["lang"] or "", "", at + 1
        )
        try:
            cells.append(cell._replace(body=_body(cell, lines[at + 1 : end])))
        except _At as wrong:
            fault(at + 1 + wrong.line, wrong.what)
    faults += [Finding(f"{path}:{line}: {what}") for line, what in _neighbours(cells)]
    return cells, faults


class _At(Exception):
    """A fault, with its line within the cell."""

    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what


def _body(cell: Cell, lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    if cell.kind == "markdown":
        if prose := next((n for n, line in enumerate(lines, 1) if line and not re.match("#( |$)", line)), None):
            raise _At(prose, "a line of markdown begins with '# '")
        return "\n".join(re.sub("^# ?", "", line) for line in lines).strip("\n")
    if cell.kind == "graded" and text:
        raise _At(1, f"the cell `graded {cell.name}` holds nothing: the build writes it")
    if cell.kind in ("code", "graded"):
        _python(text)
        return text
    try:
        docstring = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        docstring = None
    if not isinstance(docstring, str):
        raise _At(
            1, f"the cell `{cell.kind} {cell.name}` holds its docstring in Japanese, in triple quotes, and nothing else"
        )
    return docstring


def _python(text: str) -> None:
    """Code must be Python, and free of language: one cell serves both notebooks."""
    try:
        ast.parse(text)
    except SyntaxError as e:
        raise _At(e.lineno or 1, f"not Python: {e.msg}") from e
    if foreign := next(
        (n for n, line in enumerate(text.splitlines(), 1) if re.search("[\u3040-\u30ff\u4e00-\u9fff]", line)), None
    ):
        raise _At(foreign, "Japanese in a code cell, which is the same in both languages; say it in the text beside it")


def _neighbours(cells: list[Cell]) -> Iterator[tuple[int, str]]:
    """Each Japanese text stands directly before its English one."""
    nothing = Cell("", "", "", 0)
    for before, cell, after in zip([nothing, *cells], cells, [*cells[1:], nothing], strict=False):
        if cell[:2] == ("markdown", "ja") and after[:2] != ("markdown", "en"):
            yield cell.line, "the English text that belongs to this one must follow directly"
        if cell[:2] == ("markdown", "en") and before[:2] != ("markdown", "ja"):
            yield cell.line, "the Japanese text that belongs to this one must stand directly before it"
