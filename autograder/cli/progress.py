"""Progress of long work on the terminal, and nothing where nobody watches."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from autograder.grading import Watcher
from autograder.verdict import Text

_EVERY = 0.1  # seconds between two pictures


class Bars(Watcher):
    """A bar for each topic. It draws when it is told something: a thread that draws would be lost, locks and all, in a fork."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._progress = Progress(
            TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("[dim]{task.fields[at]}"),
            console=Console(stderr=True), auto_refresh=False, transient=False,
        )  # fmt: skip
        self._bars: dict[str, TaskID] = {}
        self._drawn = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._draw(now=True)
        self._progress.stop()

    def begins(self, topic: str, total: int) -> None:
        self._bars[topic] = self._progress.add_task(topic, total=total, at="")
        self._draw(now=True)

    def prepares(self, topic: str) -> None:
        self._say(topic, Text("問題を準備中", "preparing the round"))

    def advances(self, topic: str, count: int) -> None:
        self._say(topic, Text("", ""))
        self._progress.advance(self._bars[topic], count)
        self._draw()

    def _say(self, topic: str, what: Text) -> None:
        self._progress.update(self._bars[topic], at=what[self._lang])
        self._draw(now=True)

    def _draw(self, now: bool = False) -> None:
        if now or time.monotonic() - self._drawn > _EVERY:
            self._progress.refresh()
            self._drawn = time.monotonic()


@contextmanager
def watching(lang: str) -> Iterator[Watcher]:
    """Bars on a terminal; elsewhere (a log, a pipe) silence."""
    if Console(stderr=True).is_terminal:
        with Bars(lang) as bars:
            yield bars
    else:
        yield Watcher()
