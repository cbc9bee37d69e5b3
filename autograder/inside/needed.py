"""Which cells of a notebook its functions need, as far as their code tells: the others try, show and plot.

A guess, and used as one: a second child that ran these cells alone and gave the same answers has confirmed them; where its answers differ,
all cells are run again.
"""

import re
from collections.abc import Iterable
from dis import opmap
from types import CodeType

from autograder.inside.cells import Cell


def _any_of(*names: str) -> re.Pattern[bytes]:
    return re.compile(b"[" + b"".join(re.escape(bytes((opmap[name],))) for name in names if name in opmap) + b"]")


_BINDS = _any_of("STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL")
# what these change has no name here; "from … import *" binds what it does not tell
_CHANGES = _any_of(
    "STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR", "STORE_SLICE", "IMPORT_STAR", "CALL_INTRINSIC_1"
)
_EXTENDED = opmap["EXTENDED_ARG"]


def needed(made: list[Cell], functions: Iterable[str]) -> list[Cell]:
    """The cells that bind what the functions use, and what these cells use in turn, and all that change something by a statement."""
    names = set(functions)
    left = [(cell, _bound(cell.code)) for cell in made if cell.code is not None]
    found: set[int] = set()
    while more := [
        (cell, bound)
        for cell, bound in left
        if cell.number not in found and (bound is None or not names.isdisjoint(bound))
    ]:
        for cell, _ in more:
            found.add(cell.number)
            names |= _used(cell.code)
    return [cell for cell in made if cell.number in found]


def _bound(code: CodeType | None) -> set[str] | None:
    """The names that a cell binds on its top level; None where it changes something without a name."""
    if code is None:
        return set()
    operations, arguments = code.co_code[::2], code.co_code[1::2]
    if _CHANGES.search(operations):
        return None
    bound = set()
    for at in (step.start() for step in _BINDS.finditer(operations)):
        above = arguments[at - 1] << 8 if at and operations[at - 1] == _EXTENDED else 0
        bound.add(code.co_names[above + arguments[at]])
    return bound


def _used(code: CodeType | None) -> set[str]:
    """All names in a cell and in the functions and classes that it defines."""
    if code is None:
        return set()
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _used(constant)
    return names
