"""`demo`: the whole, from an author's topics to the cohort's report, on submissions whose scores are known."""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from autograder import cohort, feedback, grading, releasing
from autograder.cli import lang_option, language, option, verb
from autograder.cli.cohort import write_whole
from autograder.cli.progress import watching
from autograder.course import Content, Topic, find_content
from autograder.demo import Handed
from autograder.demo import cohort as made_cohort
from autograder.errors import Fault, Usage
from autograder.journal import Journal
from autograder.judging import Conditions, refuse_without_sandbox
from autograder.records import records
from autograder.report import page
from autograder.verdict import SubmissionVerdict, Text
from autograder.workspace import Workspace, create

MARKER = "demo"  # in .ecert/: the folder is ours to make anew
SAMPLE = "endo"  # whose feedback shows wrong ideas

Verdicts = Mapping[tuple[str, str], SubmissionVerdict | None]


@verb()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"))
@option(
    "--workers",
    type=click.IntRange(1, 256),
    default=os.cpu_count() or 1,
    metavar="N",
    help="並列のプロセス数。\nProcesses at a time.",
)
@option(
    "--topic",
    "names",
    multiple=True,
    metavar="TOPIC",
    help="使う課題(既定: 最初の5つ)。\nAssignments to use (default: the first five).",
)
@lang_option
def demo(folder: Path, workers: int, names: tuple[str, ...], lang: str | None) -> None:
    """全体の実演: コースを作り、40件の提出物を作って採点し、フィードバックと報告を作る。
    The whole in one go: build the course, make a cohort of 40 submissions, grade it, write feedback and report."""
    lang = language()
    refuse_without_sandbox(Conditions())
    content = find_content()
    topics = content.topics(names or content.demo)
    workspace = _fresh(folder, content, lang)
    step = _Steps(lang).step
    with step(Text(f"{len(topics)} 課題を作り、配布用に書き出す", f"Build and release {len(topics)} assignments")):
        released = {t.name: releasing.release(workspace, t).read_text(encoding="utf-8") for t in topics}
    with step(Text("受講者の提出物を作る", "Make the trainees' submissions")):
        handed = list(made_cohort(topics, released))
        _hand_in(workspace, handed)
    grades = Text(f"{len(handed)} 件を採点する", f"Grade {len(handed)} submissions")
    with step(grades, bars=True), watching(lang) as watcher:
        grading.grade(workspace, topics, Conditions(), workers, watcher)
    with Journal(workspace.journal) as journal:
        with step(Text("受講者へのフィードバックを作る", "Write the trainees' feedback"), bars=True):
            _write_feedback(workspace, topics, journal, workers, lang)
        with step(Text("クラス全体の報告を書く", "Write the cohort's report")):
            sums = [cohort.sums(t, journal.entries(t.name)) for t in topics]
            write_whole(_report(workspace), page(content.name, sums, lang))
        verdicts = {(t.name, e.student): e.verdict for t in topics for e in journal.entries(t.name)}
    wrong = _scores(workspace, topics, handed, verdicts, lang)
    _where_to_look(workspace, handed, lang)
    if wrong:
        raise Fault(
            f"{len(wrong)} of {len(handed)} submissions have another score than their making says: {', '.join(wrong)}"
        )


def _write_feedback(workspace: Workspace, topics: Sequence[Topic], journal: Journal, workers: int, lang: str) -> None:
    with watching(lang) as watcher:
        for topic in topics:
            watcher.begins(topic.name, feedback.count(workspace, topic.name))
        feedback.generate(workspace, [t.name for t in topics], journal, workers, done=watcher.advances)


class _Steps:
    """Says what is being done, and how long it took."""

    def __init__(self, lang: str) -> None:
        self._console, self._lang, self._number = Console(stderr=True), lang, 0

    @contextmanager
    def step(self, what: Text, bars: bool = False) -> Iterator[None]:
        self._number += 1
        said, began = f"{self._number}. {what[self._lang]}", time.monotonic()
        if bars:  # they show how it goes on
            self._console.print(said, markup=False, highlight=False)
            yield
        else:
            with self._console.status(said):
                yield
        self._console.print(f"{said}: {time.monotonic() - began:.1f} s", markup=False, highlight=False)


def _fresh(folder: Path, content: Content, lang: str) -> Workspace:
    """A course folder of the demo's own; what an earlier demo left there goes, but for the rounds that it drew.

    Raises:
        Usage: for a folder that holds anything else.
    """
    private = folder / ".ecert"
    if folder.exists() and any(folder.iterdir()):
        if not (private / MARKER).is_file():
            raise Usage(f"{folder} holds something that is no demo: name another folder, `ecert demo DIR`")
        for entry in (*folder.iterdir(), *private.glob("journal.db*")):
            if entry.is_dir() and entry != private:
                shutil.rmtree(entry)
            elif entry.is_file():
                entry.unlink()
    workspace = create(folder, content, lang, "ecert-demo")
    (workspace.private / MARKER).touch()
    return workspace


def _hand_in(workspace: Workspace, handed: Sequence[Handed]) -> None:
    for h in handed:
        path = workspace.submitted / h.student / h.topic / f"{h.topic}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(h.content)


def _report(workspace: Workspace) -> Path:
    return workspace.root / "report.html"


def _scores(
    workspace: Workspace, topics: Sequence[Topic], handed: Sequence[Handed], verdicts: Verdicts, lang: str
) -> list[str]:
    """Print every score beside the one that its making says; gives the submissions where they differ."""
    in_gradebook = {(t.name, r.student): r.score for t in topics for r in records(workspace.db_url, t.name)}
    head = Text("課題,受講者,提出物,作りの点,採点", "assignment,student,submission,made for,graded")[lang].split(",")
    table = Table(*head, "", title=Text("採点の結果", "Scores")[lang])
    wrong = []
    for h in handed:
        verdict = verdicts.get((h.topic, h.student))
        by_function = {f.function: f.points for f in verdict.functions} if verdict else None
        got = in_gradebook.get((h.topic, h.student))
        right = by_function == h.expected and got == h.points
        if not right:
            wrong.append(f"{h.topic}/{h.student}")
        table.add_row(
            h.topic, h.student, h.making[lang], _points(h.points, lang), _points(got, lang), "✓" if right else "✗"
        )
    Console().print(table)
    good = len(handed) - len(wrong)
    said = Text(
        f"{len(handed)} 件のうち {good} 件が、作ったとおりの点になりました。",
        f"{good} of {len(handed)} submissions have exactly the score that their making says.",
    )
    click.echo(said[lang])
    return wrong


def _points(points: float | None, lang: str) -> str:
    return Text("読めない", "unreadable")[lang] if points is None else f"{points:g}"


def _where_to_look(workspace: Workspace, handed: Sequence[Handed], lang: str) -> None:
    sample = next((h for h in handed if h.student == SAMPLE), handed[0])
    course = f"--course '{workspace.root}'"
    click.echo(Text("\nご覧ください:", "\nWhere to look:")[lang])
    for name, value in (
        (Text("クラス全体の報告", "the cohort's report"), _report(workspace)),
        (Text("フィードバックの例", "a sample of feedback"), feedback.page(workspace, sample.student, sample.topic)),
        (Text("配布するノートブック", "what trainees get"), workspace.released(sample.topic)),
        (Text("成績簿(nbgrader)", "the gradebook (nbgrader)"), workspace.db_url.removeprefix("sqlite:///")),
        (Text("この点の理由", "why a score"), f"ecert show {sample.student} {sample.topic} {course}"),
        (Text("成績の一覧", "all scores"), f"ecert export {course}"),
    ):
        click.echo(f"  {name[lang]}: {value}")
