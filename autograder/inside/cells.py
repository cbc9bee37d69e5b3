"""A notebook's code cells: made into code once, then run one at a time in a child, each with a limit of its own.

What a cell defined before it failed stands, and the next one still runs. Lines that are IPython's and not Python's are left out.
"""

import ast
import marshal
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from autograder.inside import plain
from autograder.inside.clocks import worked

# a magic, a shell line, a question for help; also as the value of an assignment
_IPYTHON = re.compile(r"^(\s*)(?:[%!?]|[\w.,\s]*=\s*[%!]|[\w.]+\?{1,2}\s*$)")
_RUN_BODY = ("%%time", "%%timeit", "%%capture", "%%prun")
KINDS = {"raised", "syntax", "timeout", "exit", "crashed", "skipped_line", "missing_module"}  # of notices
MOST_NOTICES = 60
STEPWISE, WHOLLY = (
    0,
    1,
)  # how much of a cell to leave out: perhaps nothing, but watch it; all of it. Else: from that line on
_MOST_LEFT_OUT = 40  # lines of a cell that may be left out before it counts as no Python
_CELLS_ALTOGETHER = 3  # × the limit of one
_LINE = 2  # slot of the page: the line at which a late cell stood
_AGAIN = 0.2  # seconds after which a cell that swallowed its interruption is interrupted once more

Notify = Callable[[int, str, str], None]  # cell, kind, text


class Cell(NamedTuple):
    """One cell ready to run."""

    number: int  # from 1
    code: CodeType | None
    source: str  # as compiled


class TooLong(BaseException):
    """Interrupts a cell that is over its limit."""


def compile_all(sources: list[str], cuts: dict[int, int], notify: Notify, enter: Callable[[int], None]) -> list[Cell]:
    """Make code of all cells; `enter` is told of each, as a compiler can be brought down by what it reads."""
    made = []
    for number, source in enumerate(sources, 1):
        enter(number)
        made.append(Cell(number, None, "") if cuts.get(number) == WHOLLY else _compile(number, source, notify))
    return made


def dump(made: list[Cell]) -> bytes:
    """As bytes that `load` understands: a second child of the same notebook need not compile it again."""
    return marshal.dumps([tuple(cell) for cell in made])


def load(raw: bytes) -> list[Cell]:
    return [Cell(*cell) for cell in marshal.loads(raw)]


def define(
    made: list[Cell], cuts: dict[int, int], seconds: float, notify: Notify, enter: Callable[[int], None], page: Any
) -> dict[str, Any]:
    """Run the cells in one namespace, as a notebook does, and give it back.

    Args:
        cuts: lines from which on a cell is not run, as it was late or died there before; or STEPWISE.
        seconds: the limit of one cell.
        page: shared with the zygote, which reads there at which line a cell stood.
    """
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace = vars(module)
    watch = _Alarm(page)
    spent = 0.0
    for number, code, source in made:
        enter(number)
        if cuts.get(number, 0) > 0:
            code = _compiled(number, _statements(source, below=cuts[number]))
        if code is None:
            continue
        begun = time.monotonic()
        watch.start(number, max(0.5, min(seconds, _CELLS_ALTOGETHER * seconds - spent)))
        try:
            for part in _stepwise(code, source, number, page) if cuts.get(number) == STEPWISE else [code]:
                _run(part, source, number, namespace, notify)
        except TooLong:
            notify(number, "timeout", "")
        finally:
            watch.stop()
        spent += time.monotonic() - begun
    return namespace


def _stepwise(code: CodeType, source: str, number: int, page: Any) -> Iterator[CodeType]:
    """The cell statement by statement, so that the zygote sees at which one it dies."""
    tree = _statements(source, below=sys.maxsize)
    if tree is None:
        yield code
        return
    for statement in tree.body:
        page[_LINE] = statement.lineno
        step = _compiled(number, ast.Module([statement], []))
        assert step is not None
        yield step


def _run(code: CodeType, source: str, number: int, namespace: dict[str, Any], notify: Notify) -> None:
    try:
        while True:
            try:
                _execute(code, namespace)
                return
            except ImportError as e:
                # What is not installed here may be a leftover that nothing graded needs: the rest of the cell still runs.
                line = _line_in_cell(e, number)
                rest = _statements(source, after_import_at=line)
                if rest is None:
                    raise
                notify(number, "missing_module", plain.said(e))
                code = _compiled(number, rest) or code
    except TooLong:
        raise
    except SystemExit:
        notify(number, "exit", "")
    except BaseException as e:
        notify(number, "raised", plain.said(e))


def _execute(code: CodeType, namespace: dict[str, Any]) -> None:
    if code.co_flags & 0x80:  # CO_COROUTINE: a cell with `await` on its top level
        import asyncio

        asyncio.run(eval(code, namespace))
    else:
        exec(code, namespace)


def _compile(number: int, source: str, notify: Notify) -> Cell:
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if source.lstrip().startswith("%%"):
        source = _without_cell_magic(source)
        notify(number, "skipped_line", "%%")
    for _ in range(_MOST_LEFT_OUT):
        try:
            return Cell(number, _compiled(number, source), source)
        except SyntaxError as e:
            without = _without_line(source, e.lineno)
            if without is None:
                notify(number, "syntax", f"{plain.clean(e.msg or '')} (line {e.lineno})")
                return Cell(number, None, source)
            notify(number, "skipped_line", plain.clean(source.split("\n")[(e.lineno or 1) - 1].strip(), 80))
            source = without
        except (ValueError, RecursionError, MemoryError, OverflowError) as e:
            notify(number, "syntax", plain.said(e))
            return Cell(number, None, source)
    notify(number, "syntax", "")
    return Cell(number, None, source)


def _compiled(number: int, source: "str | ast.Module | None") -> CodeType | None:
    if source is None:
        return None
    name = f"<cell {number}>"
    try:
        return compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as e:
        if "await" not in (e.msg or "") and "async" not in (e.msg or ""):
            raise
        return compile(source, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)  # type: ignore[no-any-return]


def _without_cell_magic(source: str) -> str:
    head, _, body = source.lstrip().partition("\n")
    lines_above = source[: len(source) - len(source.lstrip())].count("\n")
    return "\n" * (lines_above + 1) + body if head.split()[0] in _RUN_BODY else ""


def _without_line(source: str, number: int | None) -> str | None:
    """The source with one line made `pass`, where that line is IPython's; lines keep their numbers."""
    lines = source.split("\n")
    if number is None or not 0 < number <= len(lines):
        return None
    found = _IPYTHON.match(lines[number - 1])
    if found is None:
        return None
    continued = lines[number - 1].rstrip().endswith("\\")
    lines[number - 1] = f"{found[1]}pass"
    while continued and number < len(lines):
        continued = lines[number].rstrip().endswith("\\")
        lines[number] = ""
        number += 1
    return "\n".join(lines)


def _statements(source: str, below: int | None = None, after_import_at: int | None = None) -> ast.Module | None:
    """The statements that end before a line, or those after the import that stands at one; None where no import does."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # `await` on the top level
        return None
    if below is not None:
        tree.body = [s for s in tree.body if (s.end_lineno or s.lineno) < below]
        return tree
    for at, statement in enumerate(tree.body):
        if after_import_at is not None and statement.lineno <= after_import_at <= (statement.end_lineno or 0):
            tree.body = tree.body[at + 1 :]
            return tree if isinstance(statement, ast.Import | ast.ImportFrom) else None
    return None


def _line_in_cell(error: BaseException, number: int) -> int | None:
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if code.co_filename == f"<cell {number}>" and code.co_name == "<module>":
            return step.tb_lineno
        step = step.tb_next
    return None


class _Alarm:
    """Interrupts the cell that is over its limit, and remembers at which of its lines it stood.

    A cell that catches everything is interrupted again and again; one that is in C for ever is left to the zygote, which ends the process.
    """

    def __init__(self, page: Any) -> None:
        self._page, self._cell = page, 0
        self._begun = self._cpu = self._seconds = 0.0
        signal.signal(signal.SIGALRM, self._ring)

    def start(self, cell: int, seconds: float) -> None:
        self._cell, self._seconds, self._page[_LINE] = cell, seconds, 0
        self._begun, self._cpu = time.monotonic(), time.process_time()
        signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)

    def stop(self) -> None:
        self._cell = 0
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, _: int, frame: FrameType | None) -> None:
        wall = time.monotonic() - self._begun
        if not self._cell or worked(wall, time.process_time() - self._cpu) < self._seconds:
            return
        name = f"<cell {self._cell}>"
        while frame is not None:
            if frame.f_code.co_filename == name and frame.f_code.co_name == "<module>":
                self._page[_LINE] = self._page[_LINE] or frame.f_lineno
            frame = frame.f_back
        raise TooLong
