"""`check("FUNCTION")` in a trainee's notebook: her function against the public examples, in a process of its own.

The graded cell holds this call and nothing else: run by the trainee it shows a verdict, under nbgrader's Validate its exception speaks, and at
grading the engine puts its own verdict there. No claim and no answer code is on her machine, only the examples beside the notebook.
"""

import contextlib
import inspect
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder import codec, examples, forms, rendering
from autograder.comparison import GRADIENT, difference
from autograder.errors import Usage
from autograder.shown import shown
from autograder.verdict import ClaimVerdict, Counterexample, FunctionVerdict, Status, Text

CALL_SECONDS = 5.0  # longer than at grading: a laptop may be slow, and nothing is decided here
MEMORY = 2 << 30  # bytes of address space on top of what the kernel uses
_MOST = 1 << 26  # bytes of all answers
_NAME = "public_examples"
_SENTENCE = Text("公開されている例と同じ答えになる。", "The answers to the public examples are right.")
_ANSWER, _RAISED, _UNUSABLE = range(3)


class NotRight(Exception):
    """The function is not right yet, or not there. Shown as one line, without the traceback of our own code."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Shown:
    """A verdict as JupyterLab, a terminal and feedback display it."""

    def __init__(self, verdict: FunctionVerdict, lang: str) -> None:
        self.verdict, self.lang = verdict, lang

    def __repr__(self) -> str:
        return rendering.function_text(self.verdict, self.lang)

    def _repr_html_(self) -> str:
        return rendering.function_html(self.verdict, self.lang)


def check(function: str, lang: str | None = None) -> None:
    """Compare a function of this notebook with its public examples, the smallest first, and show what was found.

    Args:
        function: its name; what is bound to it now, in the caller's module, is asked.
        lang: "ja" or "en"; as the notebook's own texts where it is not given.

    Raises:
        NotRight: where an answer is not right, or there is none yet.
    """
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    found = frame.f_back.f_globals.get(function)
    lang = lang or _language(found)
    try:
        verdict = judge(function, found, _examples_of(function, Path.cwd()))
    except Usage as e:
        raise NotRight(str(e)) from None
    _display(Shown(verdict, lang))
    if verdict.status is not Status.PASSED:
        raise NotRight(f"{function}: {rendering.STATUS[verdict.status][lang]}") from None


def judge(name: str, function: Any, each: Sequence[examples.Example]) -> FunctionVerdict:
    """What the public examples say of a function."""
    if not callable(function):
        return _without_answer(name, Status.MISSING, Text(
            f"関数 {name} がまだ定義されていません。上のセルを実行してください。", f"{name} is not defined yet: run the cell above",
        ))  # fmt: skip
    status, answers, told = _asked(name, function, each)
    if status is not Status.PASSED:
        return _without_answer(name, status, told)
    for example, (kind, value) in zip(each, answers, strict=True):
        if kind == _RAISED:
            if value[0].startswith("NotImplementedError"):
                return _without_answer(name, Status.MISSING, Text("まだ実装されていません。", "it is not written yet"))
            why = Text("関数が例外を出しました。", "the function raised an exception")
            return FunctionVerdict(
                name, Status.RAISED, 0.0, 0.0, (_broken(function, example, None, None),), why, value[1]
            )
        if kind == _UNUSABLE:
            return _failed(
                name,
                function,
                example,
                None,
                Text(f"答えを受け取れません: {value}", f"the answer cannot be taken: {value}"),
            )
        try:
            fitted = forms.fitted(value, forms.canonical(example.expected))
        except forms.Malformed as e:
            return _failed(name, function, example, value, e.text)
        if why_not := difference(fitted, example.expected, GRADIENT if example.gradients else _TOLERANCE):
            return _failed(name, function, example, value, why_not)
    return FunctionVerdict(name, Status.PASSED, 0.0, 0.0, (ClaimVerdict(_NAME, _SENTENCE, True),))


_TOLERANCE = GRADIENT._replace(rtol=1e-6, atol=1e-8)  # looser than at grading: never stricter


def _examples_of(function: str, folder: Path) -> tuple[examples.Example, ...]:
    for path in sorted(folder.glob("*.examples.json")):
        known = examples.load(path)
        if function in known:
            return known[function]
    raise Usage(
        f"no public examples of {function} beside this notebook (…examples.json): open it in the folder of its assignment"
    )


def _asked(name: str, function: Any, each: Sequence[examples.Example]) -> tuple[Status, list[Any], Text]:
    """The answers, or how the process that was to give them ended."""
    ask = _on_tensors(function) if name.endswith("_torch") else lambda e: function(*e.arguments)
    if not hasattr(os, "fork"):
        return Status.PASSED, [_answer(ask, e) for e in each], Text("", "")
    read, write = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _child(ask, each, read, write)
    os.close(write)
    answers, late = _heard(read, len(each))
    os.close(read)
    if len(answers) < len(each):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, ended = os.waitpid(pid, 0)
    if len(answers) == len(each):
        return Status.PASSED, answers, Text("", "")
    if late:
        return (
            Status.TIMEOUT,
            [],
            Text(
                f"1 回の呼び出しに {CALL_SECONDS:g} 秒より長くかかりました。終わらないループがないか確かめましょう。",
                f"one call took longer than {CALL_SECONDS:g} s: look for a loop that does not end",
            ),
        )
    how = f"signal {os.WTERMSIG(ended)}" if os.WIFSIGNALED(ended) else f"exit code {os.WEXITSTATUS(ended)}"
    return (
        Status.CRASHED,
        [],
        Text(f"関数の途中でプロセスが終了しました({how})。", f"the process ended inside the function ({how})"),
    )


def _child(ask: Callable[[examples.Example], Any], each: Sequence[examples.Example], read: int, write: int) -> None:
    """Answer, one frame an example. Nothing of the notebook's own process is touched: it leaves by _exit."""
    try:
        os.close(read)
        _limit()
        sys.stdin = open(os.devnull)  # noqa: SIM115
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        for example in each:
            frame = codec.encode(_answer(ask, example), _MOST)
            data = len(frame).to_bytes(4, "little") + frame
            while data:
                data = data[os.write(write, data) :]
    finally:
        os._exit(0)


def _limit() -> None:
    import resource

    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    if "torch" in sys.modules:  # threads do not cross a fork, and the pools that were theirs would wait for ever
        sys.modules["torch"].set_num_threads(1)


def _heard(read: int, count: int) -> tuple[list[Any], bool]:
    """Frames as they come, and whether the next one was late."""
    answers: list[Any] = []
    buffer, deadline = bytearray(), time.monotonic() + CALL_SECONDS
    while len(answers) < count:
        if not select.select([read], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return answers, True
        part = os.read(read, 1 << 20)
        if not part:
            return answers, False
        buffer += part
        while len(buffer) >= 4 and len(buffer) - 4 >= (size := int.from_bytes(buffer[:4], "little")):
            try:
                kind, value = codec.decode(bytes(buffer[4 : 4 + size]), _MOST)
            except (codec.CodecError, TypeError, ValueError):
                return answers, False
            answers.append((kind, value))
            del buffer[: 4 + size]
            deadline = time.monotonic() + CALL_SECONDS
    return answers, False


def _answer(ask: Callable[[examples.Example], Any], example: examples.Example) -> tuple[int, Any]:
    from autograder.inside import plain

    own = example._replace(arguments=examples.plain(example.arguments))
    try:
        with np.errstate(all="ignore"):
            value = ask(own)
        out = bytearray()
        codec.append(out, value, _MOST, plain.reduce)
        return _ANSWER, codec.decode(out, _MOST)
    except codec.CodecError as e:
        return _UNUSABLE, str(e)
    except BaseException as e:
        return _RAISED, (plain.said(e), _hers(e))


def _hers(error: BaseException) -> str:
    """The lines of the traceback that are not ours."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f"{os.sep}autograder{os.sep}" not in f.filename]
    lines = [f"line {f.lineno}, in {f.name}: {f.line}" for f in frames[-8:]]
    return "\n".join([*lines, f"{type(error).__name__}: {str(error)[:500]}"])


def _on_tensors(function: Any) -> Callable[[examples.Example], Any]:
    from autograder.inside import tensors

    return lambda e: tensors.ask(function, e.arguments, e.gradients)


def _without_answer(name: str, status: Status, why: Text) -> FunctionVerdict:
    return FunctionVerdict(name, status, 0.0, 0.0, why=why)


def _failed(name: str, function: Any, example: examples.Example, got: Any, why: Text) -> FunctionVerdict:
    return FunctionVerdict(name, Status.FAILED, 0.0, 0.0, (_broken(function, example, got, why),))


def _broken(function: Any, example: examples.Example, got: Any, why: Text | None) -> ClaimVerdict:
    try:
        names = [p.name for p in inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):
        names = []
    names += [f"#{i + 1}" for i in range(len(names), len(example.arguments))]
    call = {name: shown(value) for name, value in zip(names, example.arguments, strict=False)}
    expected = shown(example.expected)
    return ClaimVerdict(
        _NAME, _SENTENCE, False, why, Counterexample({}, None if got is None else shown(got), expected, call)
    )


def _language(function: Any) -> str:
    """That of the stub's docstring, which the notebook was built in; else that of the machine."""
    documented = getattr(function, "__doc__", None) or ""
    if documented:
        return "ja" if any("\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff" for c in documented) else "en"
    return "ja" if os.environ.get("LANG", "").startswith("ja") else "en"


def _display(verdict: Shown) -> None:
    """In a notebook richly, elsewhere as text."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(verdict)
        return
    if get_ipython() is None:
        print(verdict)
    else:
        display(verdict)  # type: ignore[no-untyped-call]
