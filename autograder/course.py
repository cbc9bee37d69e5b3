"""A course on disk: its topics, what each of them asks and what grades it. One topic name is the key to everything."""

import ast
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.errors import Finding, Usage
from autograder.verdict import Text


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Seconds are wall time."""

    call_seconds: float = 2.0
    function_seconds: float = 10.0
    cell_seconds: float = 10.0
    memory_mb: int = 1024


@dataclass(frozen=True)
class Topic:
    """One folder of `assignments/` with its module of `reference/`."""

    root: Path  # of the content: holds assignments/ and reference/
    name: str
    title: Text
    syllabus: str
    points: Mapping[str, float]  # of each graded function, in the order of the notebook
    partial: Mapping[str, float] = field(default_factory=dict)  # claims that cost only this much where no other fails
    limits: Limits = field(default_factory=Limits)
    requires: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.root / "assignments" / self.name

    @property
    def source(self) -> Path:
        return self.folder / "notebook.py"

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the graded functions, in the order of the notebook."""
        return tuple(self.points)

    @property
    def out_of(self) -> float:
        return float(sum(self.points.values()))

    def reference(self, function: str) -> Callable[..., Any]:
        """The right answer, of `reference/<topic>.py` or, for a function on tensors, of `reference/<topic>_torch.py`."""
        for module in self.modules:
            if (found := getattr(module, function, None)) is not None:
                return found  # type: ignore[no-any-return]
        raise Finding(f"{self.folder / 'topic.toml'}: {function} is not defined in reference/{self.name}.py")

    def on_tensors(self, function: str) -> bool:
        """Does this function take and return tensors?"""
        return function.endswith("_torch")

    @property
    def needs_torch(self) -> bool:
        return any(map(self.on_tensors, self.functions))

    @cached_property
    def modules(self) -> tuple[ModuleType, ...]:
        """The reference, and its twin on tensors where a graded function needs it."""
        with_twin = [f"{self.name}_torch"] if self.needs_torch else []
        return tuple(_reference(self.root, name) for name in (self.name, *with_twin))

    def claims(self, function: str) -> tuple[Any, ...]:
        """The claims about one function, in the order of the author's file."""
        from autograder.properties import Claim, Twin  # the trainee's side needs courses without hypothesis

        found: list[Any] = []
        for value in vars(self.hidden("properties")).values():
            each = value.claims if type(value) is Twin else [value] if type(value) is Claim else []
            found += [claim for claim in each if claim.of is self.reference(function)]
        return tuple(found)

    def mutants(self, function: str) -> tuple[Any, ...]:
        """The wrong ideas about one function."""
        from autograder.properties import Mutant

        return tuple(
            m for m in vars(self.hidden("mutants")).values() if type(m) is Mutant and m.of is self.reference(function)
        )

    def alternatives(self, function: str) -> tuple[Any, ...]:
        """Other right answers to one function."""
        from autograder.properties import Alternative

        of = self.reference(function)
        return tuple(a for a in vars(self.hidden("alternatives")).values() if type(a) is Alternative and a.of is of)

    def hidden(self, name: str) -> ModuleType:
        """`hidden/<name>.py`, loaded by its path under a name that no other topic has."""
        path, module_name = self.folder / "hidden" / f"{name}.py", f"_hidden.{self.name}.{name}"
        if (loaded := sys.modules.get(module_name)) is not None and loaded.__file__ == str(path):
            return loaded
        if not path.is_file():
            raise Finding(f"{path}: not found; `ecert new {self.name}` shows what a topic holds")
        _make_importable(self.root)
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None and spec.loader is not None  # noqa: PT018
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except Finding as e:
            del sys.modules[module_name]
            raise Finding(f"{path}: {e}") from e
        except Exception as e:
            del sys.modules[module_name]
            raise Finding(f"{path}: {type(e).__name__}: {e}") from e
        return module

    def what_grades(self) -> Iterator[Path]:
        """Every file that a verdict depends on: settings, hidden sources, and the reference with all that it imports."""
        yield self.folder / "topic.toml"
        yield from sorted((self.folder / "hidden").glob("*.py"))
        seen: set[Path] = set()
        queue = [self.root / "reference" / f"{self.name}{end}.py" for end in ("", "_torch")]
        while queue:
            path = queue.pop()
            if path in seen or not path.is_file():
                continue
            seen.add(path)
            queue += [path.parent / f"{module}.py" for module in _imported(path)]
        yield from sorted(seen)

    @cached_property
    def digest(self) -> str:
        """sha256 over names and bytes of what grades."""
        whole = hashlib.sha256()
        for path in self.what_grades():
            content = path.read_bytes()
            whole.update(f"{path.relative_to(self.root)}\0{len(content)}\0".encode() + content)
        return whole.hexdigest()


@dataclass(frozen=True)
class Content:
    """What authors write: `assignments/` with `course.toml`, and `reference/`."""

    root: Path
    name: str
    order: tuple[str, ...]
    examples: int
    limits: Limits
    demo: tuple[str, ...]  # the topics that `ecert demo` shows

    @classmethod
    def at(cls, root: Path) -> "Content":
        """Read `assignments/course.toml` below `root`.

        Raises:
            Usage: where there is none.
            Finding: where it cannot be understood.
        """
        path = root / "assignments" / "course.toml"
        if not path.is_file():
            raise Usage(f"{root} holds no course: {path} not found")
        raw = _toml(path)
        limits = _limits(Limits(), raw.get("limits", {}), path)
        order = tuple(raw["topics"])
        return cls(
            root.resolve(),
            raw["name"],
            order,
            int(raw["policy"]["examples"]),
            limits,
            tuple(raw.get("demo", order[:5])),
        )

    def topic(self, name: str) -> Topic:
        """One topic by its name, whether or not the course lists it yet.

        Raises:
            Usage: for a name that no folder has.
        """
        folder = self.root / "assignments" / name
        if not name.isidentifier() or not (folder / "topic.toml").is_file():
            raise Usage(f"no topic {name!r}; there are: {', '.join(self.order)}")
        path = folder / "topic.toml"
        raw = _toml(path)
        unknown = set(raw) - {"title", "syllabus", "points", "partial", "limits", "requires"}
        if unknown:
            raise Finding(f"{path}: unknown key {', '.join(sorted(unknown))}")
        try:
            title = Text(raw["title"]["ja"], raw["title"]["en"])
            points = {str(f): float(p) for f, p in raw["points"].items()}
        except (KeyError, TypeError, ValueError) as e:
            raise Finding(f"{path}: title needs ja and en, points a number for each function ({e})") from e
        return Topic(
            self.root,
            name,
            title,
            str(raw.get("syllabus", "")),
            points,
            raw.get("partial", {}),
            _limits(self.limits, raw.get("limits", {}), path),
            tuple(raw.get("requires", ())),
        )

    def topics(self, names: tuple[str, ...] = ()) -> tuple[Topic, ...]:
        """The topics named, or all of the course in teaching order."""
        return tuple(map(self.topic, names or self.order))


def find_content(start: Path | None = None) -> Content:
    """The content to work with: `$ECERT_CONTENT`, else the nearest folder upwards from `start`, else where the engine lies.

    Raises:
        Usage: where none of them holds one.
    """
    if named := os.environ.get("ECERT_CONTENT"):
        return Content.at(Path(named))
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parent.parent):
        if (folder / "assignments" / "course.toml").is_file():
            return Content.at(folder)
    raise Usage(
        "no course content found: stand in its folder, or set ECERT_CONTENT to the folder that holds assignments/ and reference/"
    )


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise Finding(f"{path}: {e}") from e


def _limits(above: Limits, own: Mapping[str, Any], path: Path) -> Limits:
    try:
        return replace(above, **own)
    except TypeError as e:
        raise Finding(f"{path}: [limits] knows {', '.join(Limits.__dataclass_fields__)} ({e})") from e


def _make_importable(root: Path) -> None:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))


def _reference(root: Path, name: str) -> ModuleType:
    _make_importable(root)
    module = importlib.import_module(f"reference.{name}")
    if Path(module.__file__ or "").resolve().parent != (root / "reference").resolve():
        raise Usage(f"reference.{name} was loaded from {module.__file__}, not from {root}: grade one course at a time")
    return module


def _imported(path: Path) -> Iterator[str]:
    """Names of the modules of reference/ that this one imports."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reference":
            _, _, inner = (node.module or "").partition(".")
            yield from [inner] if inner else [alias.name for alias in node.names]
