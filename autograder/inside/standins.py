"""What a notebook uses besides arithmetic, made harmless: plots, widgets, progress bars and leftovers of Colab do nothing.

They are replaced even where they are installed: nothing of them is graded, importing a plotting library takes longer than grading does,
and a cell that plots should neither fail nor wait for fonts.
"""

import builtins
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Sequence
from dis import opmap
from types import ModuleType
from typing import Any, Never

_INERT = {
    "matplotlib",
    "matplotlib_inline",
    "seaborn",
    "plotly",
    "japanize_matplotlib",
    "bokeh",
    "IPython",
    "ipywidgets",
    "graphviz",
    "google.colab",
}
_PASSING = {"tqdm"}
_UNPACK = opmap["UNPACK_SEQUENCE"]


class Inert:
    """Takes whatever is done with it and gives itself back."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and callable(args[0]) and not isinstance(args[0], Inert):
            return args[0]  # used as a decorator: what it decorates may be graded
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        return

    def __setattr__(self, name: str, value: Any) -> None:
        return

    def __iter__(self) -> Iterator[Any]:
        frame = sys._getframe(1)  # `figure, axes = plt.subplots()` wants as many as it has names
        code, at = frame.f_code.co_code, frame.f_lasti
        return iter([self] * code[at + 1] if 0 <= at < len(code) and code[at] == _UNPACK else [])

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        return

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<not available while grading>"


_inert = Inert()


class _Bar:
    """A progress bar: what it goes over, without the bar."""

    def __init__(self, over: Any = None, *_: Any, **__: Any) -> None:
        self._over = over if over is not None else ()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._over)

    def __len__(self) -> int:
        return len(self._over)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: Any) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        return _inert


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _inert


class _Finder:
    """Finds the modules above before anything on the disk does."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        root = name.partition(".")[0]
        if root in _INERT or root in _PASSING or any(name == inert or name.startswith(inert + ".") for inert in _INERT):
            return importlib.machinery.ModuleSpec(name, _Loader, is_package=True)  # type: ignore[arg-type]
        return None


class _Loader:
    @staticmethod
    def create_module(spec: Any) -> ModuleType:
        made = _Module(spec.name)
        if spec.name.partition(".")[0] in _PASSING:
            vars(made).update(tqdm=_Bar, trange=lambda *args, **_: range(*args), tqdm_notebook=_Bar)
        return made

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        return


def _no_input(prompt: Any = "", /) -> Never:
    raise EOFError("input() has nobody to answer while grading")


def _leave(code: Any = None) -> Never:
    raise SystemExit(code)


def install() -> None:
    """Put all of it where notebooks look for it."""
    sys.meta_path.insert(0, _Finder)
    if "google" not in sys.modules:
        sys.modules["google"] = _Module("google")
        sys.modules["google"].__path__ = []
    harmless: dict[str, Callable[..., Any]] = {
        "input": _no_input,
        "exit": _leave,
        "quit": _leave,
        "get_ipython": lambda: _inert,
        "display": lambda *_, **__: None,
    }
    vars(builtins).update(harmless)
    sys.breakpointhook = lambda *_, **__: None
    autograder = sys.modules.get("autograder") or ModuleType("autograder")
    vars(autograder).update(check=lambda *_, **__: None, __path__=[])
    sys.modules["autograder"] = autograder
