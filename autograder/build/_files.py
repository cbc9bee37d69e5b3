"""The files of an assignment, by name; nothing else of a topic is ever released."""

import importlib.util
import inspect
import os
from collections.abc import Mapping
from pathlib import Path

from autograder import notebook
from autograder.build import _public
from autograder.build._cells import book
from autograder.course import Topic
from autograder.errors import Finding
from autograder.examples import file_name


def figures(topic: Topic) -> dict[str, str]:
    """SVG files by name: one for each public function of the topic's `figures.py`, if it has one.

    Raises:
        Finding: for one that cannot be drawn.
    """
    path = topic.folder / "figures.py"
    if not path.is_file():
        return {}
    spec = importlib.util.spec_from_file_location(f"_figures.{topic.name}", path)
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        own = {
            n: f
            for n, f in vars(module).items()
            if inspect.isfunction(f) and f.__module__ == module.__name__ and n[0] != "_"
        }
        drawn = {f"{name}.svg": draw() for name, draw in own.items()}
    except Exception as e:  # an author's code may raise anything
        raise Finding(f"{path}: {type(e).__name__}: {e}") from e
    if wrong := next(
        (name for name, text in drawn.items() if not isinstance(text, str) or not text.startswith("<svg")), None
    ):
        raise Finding(
            f"{path}: {wrong.removesuffix('.svg')} must return SVG text, as Drawing.svg() does; hide a helper behind an underscore"
        )
    return drawn


def files(topic: Topic, lang: str) -> dict[str, bytes]:
    """Everything that is released, by path below the assignment's folder; nothing else of the topic ever is.

    Raises:
        Finding: where source and reference do not fit.
    """
    made = {f"{topic.name}.ipynb": notebook.dumps(book(topic, lang)).encode()}
    made |= {name: text.encode() for name, text in figures(topic).items()}
    own = topic.folder / "files"
    made |= {str(p.relative_to(own)): p.read_bytes() for p in sorted(own.rglob("*")) if p.is_file()}
    made[file_name(topic.name)] = _public.text(topic).encode()
    return made


def write(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write an assignment into nbgrader's source folder; a file that has not changed is left as it is.

    Returns:
        What was written.
    """
    written = []
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.write_bytes(content)
            draft.replace(path)
            written.append(path)
    return written
