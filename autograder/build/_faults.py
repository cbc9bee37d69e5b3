"""What is wrong with a notebook's source, all at once."""

import builtins
import re
import symtable
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autograder.build._cells import role_of, source_of
from autograder.build._files import figures
from autograder.build._percent import Cell, parse
from autograder.course import Topic
from autograder.errors import EcertError, Finding


def faults(topic: Topic) -> list[Finding]:
    """Everything that is wrong with the notebook's source, each with its place."""
    try:
        text = topic.source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        return [Finding(f"{topic.source}: {e}")]
    cells, found = parse(text, topic.source)
    return found + [Finding(f"{topic.source}:{line}: {what}") for line, what in _misfits(cells, topic)]


class _Misfit(NamedTuple):
    line: int
    what: str


def _misfits(cells: list[Cell], topic: Topic) -> Iterator[_Misfit]:
    yield from _cells_of_functions(cells, topic)
    yield from _unknown_names(cells, topic)
    yield from _lost_figures(cells, topic)


def _cells_of_functions(cells: list[Cell], topic: Topic) -> Iterator[_Misfit]:
    """One stub for each function with points, before its graded cell, in the order of topic.toml."""
    graded = [cell.name for cell in cells if cell.kind == "graded"]
    if sorted(graded) == sorted(topic.functions) and graded != list(topic.functions):
        yield _Misfit(1, f"graded cells come in another order than [points] of topic.toml: {', '.join(graded)}")
    for missing in [name for name in topic.functions if name not in graded]:
        yield _Misfit(1, f"no cell `# %% graded {missing}`, though topic.toml gives it points")
    seen: set[tuple[str, str]] = set()
    for cell in cells:
        if cell.kind not in ("given", "stub", "graded"):
            continue
        if (cell.kind, cell.name) in seen or (cell.kind == "stub" and ("given", cell.name) in seen):
            yield _Misfit(cell.line, f"a second cell for {cell.name}")
        if cell.kind == "graded" and ("stub", cell.name) not in seen:
            yield _Misfit(cell.line, f"no cell `# %% stub {cell.name}` before this one")
        if cell.kind == "stub" and cell.name not in graded:
            yield _Misfit(cell.line, f"no cell `# %% graded {cell.name}` after this one")
        seen.add((cell.kind, cell.name))
        try:
            role_of(cell, topic)
            source_of(cell, topic, "ja")
        except EcertError as e:
            yield _Misfit(cell.line, str(e).removeprefix(f"{topic.source}:{cell.line}: "))


def _unknown_names(cells: list[Cell], topic: Topic) -> Iterator[_Misfit]:
    """Given code must run in the notebook, where nothing of the reference is but what was given before or is imported."""
    known = {*dir(builtins), *(cell.name for cell in cells if cell.kind in ("given", "stub"))}
    for cell in cells:
        if cell.kind == "code":
            known |= {
                s.get_name()
                for s in symtable.symtable(cell.body, "", "exec").get_symbols()
                if s.is_assigned() or s.is_imported()
            }
        elif cell.kind == "given":
            try:
                table = symtable.symtable(source_of(cell, topic, "en"), "", "exec")
            except EcertError:
                continue
            used = {s.get_name() for child in table.get_children() for s in child.get_symbols() if s.is_global()}
            if lost := sorted(used - known):
                yield _Misfit(
                    cell.line, f"the given {cell.name} needs {', '.join(lost)}, which the notebook does not have"
                )


def _lost_figures(cells: list[Cell], topic: Topic) -> Iterator[_Misfit]:
    try:
        there = {
            *figures(topic),
            *(str(p.relative_to(topic.folder / "files")) for p in (topic.folder / "files").rglob("*")),
        }
    except Finding as e:
        yield _Misfit(1, str(e))
        return
    for cell in cells:
        for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", cell.body) if cell.kind == "markdown" else ():
            if ":" not in name and name not in there:
                yield _Misfit(
                    cell.line,
                    f"the figure {name} is not made: write figures.py:{Path(name).stem}, or put it into files/",
                )
