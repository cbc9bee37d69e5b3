"""`grade`, `regrade`, `feedback`, `report`, `show`, `export`: what an instructor does with a cohort."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from autograder import rendering
from autograder.cli import course_option, json_option, lang_option, language, option, verb
from autograder.course import Topic
from autograder.errors import Finding, Usage
from autograder.journal import Entry, Journal
from autograder.records import Record, records
from autograder.untrusted import inert, spreadsheet
from autograder.verdict import FunctionVerdict, SubmissionVerdict, Text
from autograder.workspace import Workspace

if TYPE_CHECKING:
    from autograder.grading import Outcome  # numpy and hypothesis with it: not for `ecert show`

topics_argument = click.argument("topics", nargs=-1, metavar="[TOPIC]...")
workers_option = option(
    "--workers",
    type=click.IntRange(1, 256),
    default=os.cpu_count() or 1,
    metavar="N",
    help="並列のプロセス数(既定: CPU の数)。\nProcesses at a time (default: CPUs).",
)
output_option = option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="書き出す先。\nWhere to write it.",
)
sandbox_option = option(
    "--sandbox", type=click.Choice(["bwrap", "none"]), default="bwrap",
    help="none は自分のコードだけに。隔離なしで実行し、成績にそう記す。\nnone is for your own code only: it runs unconfined, and every grade says so.",
)  # fmt: skip


def open_topics(workspace: Workspace, names: Sequence[str]) -> tuple[Topic, ...]:
    """The topics named, else all that have been released.

    Raises:
        Usage: for an unknown name, or where nothing has been released.
    """
    topics = workspace.content.topics(tuple(names))
    if not names:
        topics = tuple(t for t in topics if workspace.released(t.name).is_file())
        if not topics:
            raise Usage(f"nothing has been released in {workspace.root}: `ecert release TOPIC`")
    return topics


@verb()
@topics_argument
@workers_option
@sandbox_option
@course_option
@json_option
@lang_option
def grade(topics: tuple[str, ...], workers: int, sandbox: str, course: Path, as_json: bool, lang: str | None) -> None:
    """集めた提出物をまとめて採点する(省略時は配布済みのすべて)。何度実行しても、済んだものはやり直さない。
    Grade the submissions of a cohort (all released topics unless named). What is done is never done twice."""
    outcomes = _grade(Workspace.at(course), topics, workers, sandbox)
    if as_json:
        click.echo(json.dumps([_outcome(o) for o in outcomes], ensure_ascii=False, sort_keys=True))
    else:
        _print_outcomes(outcomes)
    _refuse_ungraded(outcomes)


@verb()
@topics_argument
@workers_option
@sandbox_option
@option("--anew", is_flag=True, help="条件が同じでも判定し直す。\nJudge again even under equal conditions.")
@course_option
@json_option
@lang_option
def regrade(
    topics: tuple[str, ...], workers: int, sandbox: str, anew: bool, course: Path, as_json: bool, lang: str | None
) -> None:
    """課題の性質などを変えた後に採点し直し、誰の点がどう変わったかを示す。
    Grade again after a change to a topic, and show what it did to whose score."""
    workspace = Workspace.at(course)
    chosen = open_topics(workspace, topics)
    before = {t.name: _verdicts(workspace, t.name) for t in chosen}
    outcomes = _grade(workspace, topics, workers, sandbox, anew)
    changes = [change for t in chosen for change in _changes(before[t.name], _verdicts(workspace, t.name))]
    if as_json:
        click.echo(json.dumps(changes, ensure_ascii=False, sort_keys=True))
    else:
        _print_changes(changes)
    _refuse_ungraded(outcomes)


@verb()
@topics_argument
@workers_option
@option("--force", is_flag=True, help="変わっていないページも作り直す。\nMake unchanged pages again, too.")
@course_option
@json_option
@lang_option
def feedback(topics: tuple[str, ...], workers: int, force: bool, course: Path, as_json: bool, lang: str | None) -> None:
    """採点済みの提出物から、受講者に返す HTML を作る。
    Make the HTML that trainees get back, from what has been graded."""
    from autograder import feedback as pages
    from autograder.cli.progress import watching

    workspace = Workspace.at(course)
    names = [topic.name for topic in open_topics(workspace, topics)]
    with Journal(workspace.journal) as journal, watching(language()) as watcher:
        for name in names:
            watcher.begins(name, pages.count(workspace, name))
        outcomes = pages.generate(workspace, names, journal, workers, force, watcher.advances)
    if as_json:
        click.echo(json.dumps({t: o._asdict() for t, o in outcomes.items()}, ensure_ascii=False, sort_keys=True))
    else:
        for name, o in outcomes.items():
            say = Text(
                f"{name}: {len(o.written)} 件を作成、{len(o.unchanged)} 件は変わらず",
                f"{name}: {len(o.written)} written, {len(o.unchanged)} unchanged",
            )
            click.echo(say[language()])
    refused = [f"{name}/{inert(student)}: {why}" for name, o in outcomes.items() for student, why in o.refused.items()]
    if refused:
        raise Finding(f"{len(refused)} pages could not be made: " + "; ".join(refused[:5]))


@verb()
@topics_argument
@output_option
@course_option
@json_option
@lang_option
def report(topics: tuple[str, ...], output: Path | None, course: Path, as_json: bool, lang: str | None) -> None:
    """クラス全体の報告を、1つの HTML に書き出す。
    Write the cohort's report, one self-contained HTML page."""
    from autograder import cohort
    from autograder.report import page

    workspace = Workspace.at(course)
    with Journal(workspace.journal) as journal:
        sums = [cohort.sums(topic, journal.entries(topic.name)) for topic in open_topics(workspace, topics)]
    if as_json:
        click.echo(json.dumps([each.as_json() for each in sums], ensure_ascii=False, sort_keys=True))
        return
    path = output or workspace.root / "report.html"
    write_whole(path, page(workspace.content.name, sums, language()))
    click.echo(str(path))


@verb()
@click.argument("student")
@click.argument("topic")
@course_option
@json_option
@lang_option
def show(student: str, topic: str, course: Path, as_json: bool, lang: str | None) -> None:
    """ある提出物がなぜその点なのかを示す。
    Show why a submission has its grade."""
    workspace = Workspace.at(course)
    workspace.content.topic(topic)  # refuses an unknown one
    with Journal(workspace.journal) as journal:
        entry = next(journal.entries(topic, [student]), None)
    if entry is None:
        raise Usage(f"{inert(student)} has nothing graded for {topic}: `ecert grade {topic}` first, or check the name")
    if as_json:
        verdict = json.loads(entry.verdict.to_json()) if entry.verdict else None
        click.echo(
            json.dumps(
                {"student": student, "topic": topic, "verdict": verdict, "trouble": entry.trouble},
                ensure_ascii=False,
                sort_keys=True,
            )
        )
        return
    if entry.trouble:
        click.echo(inert(entry.trouble[language()]))
    if entry.verdict:
        click.echo(rendering.submission_text(entry.verdict, language(), sys.stdout.isatty()))
        click.echo("\n".join(_record_lines(workspace, entry)))


@verb()
@topics_argument
@option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", help="形式。\nIts form.")
@output_option
@course_option
@json_option
@lang_option
def export(
    topics: tuple[str, ...], form: str, output: Path | None, course: Path, as_json: bool, lang: str | None
) -> None:
    """成績簿の点(手動採点と遅延の減点を含む)を CSV か JSON で書き出す。未採点は空欄で、0 点とは区別する。
    Export the gradebook's scores (marks by hand and late penalties included). What is ungraded stays empty: it is no 0."""
    workspace = Workspace.at(course)
    chosen = open_topics(workspace, topics)
    rows = [row for topic in chosen for row in _exported(workspace, topic)]
    text = (
        json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        if as_json or form == "json"
        else _csv(rows)
    )
    if output:
        write_whole(output, text)
    else:
        click.echo(text, nl=False)


def write_whole(path: Path, text: str) -> None:
    """The file is there whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _grade(
    workspace: Workspace, names: Sequence[str], workers: int, sandbox: str, anew: bool = False
) -> "list[Outcome]":
    from autograder import grading
    from autograder.cli.progress import watching
    from autograder.judging import Conditions

    topics = open_topics(workspace, names)
    if sandbox == "none":
        warning = Text(
            "警告: 提出物のコードを隔離せずに実行します。自分のコードだけに使ってください。",
            "warning: code runs unconfined; use this for your own code only.",
        )
        click.echo(f"ecert: {warning[language()]}", err=True)
    with watching(language()) as watcher:
        return grading.grade(workspace, topics, Conditions(sandbox), workers, watcher, anew)


def _refuse_ungraded(outcomes: "Iterable[Outcome]") -> None:
    if ungraded := sum(len(o.ungraded) for o in outcomes):
        raise Finding(f"{ungraded} submissions are not graded; nobody got a 0 for it. `ecert report` lists them")


def _print_changes(changes: Sequence[Mapping[str, Any]]) -> None:
    if not changes:
        click.echo(Text("点の変わった提出物はありません。", "No score has changed.")[language()])
        return
    table = Table(title=Text("点の変化", "Changed scores")[language()], show_header=False)
    for c in changes:
        table.add_row(
            inert(c["student"]), c["topic"], c["function"], f"{_points(c['before'])} → {_points(c['after'])}", c["why"]
        )
    _console().print(table)


def _print_outcomes(outcomes: "Iterable[Outcome]") -> None:
    lang = language()
    head = Text("課題,提出,新しく判定,書き込み,未採点", "assignment,submissions,judged now,written,not graded")[
        lang
    ].split(",")
    table = Table(*head)
    for o in outcomes:
        table.add_row(o.topic, str(o.total), str(o.judged), str(len(o.filed)), str(len(o.ungraded)))
    console = _console()
    console.print(table)
    for o in outcomes:
        for student, why in o.ungraded.items():
            console.print(f"  {o.topic} / {inert(student, 80)}: {inert(why[lang], 300)}", markup=False, highlight=False)


def _outcome(o: "Outcome") -> dict[str, Any]:
    ungraded = {student: why._asdict() for student, why in o.ungraded.items()}
    return {"topic": o.topic, "submissions": o.total, "judged": o.judged, "written": o.filed, "ungraded": ungraded}


def _verdicts(workspace: Workspace, topic: str) -> dict[str, SubmissionVerdict | None]:
    with Journal(workspace.journal) as journal:
        return {e.student: e.verdict for e in journal.entries(topic)}


def _changes(
    before: Mapping[str, SubmissionVerdict | None], after: Mapping[str, SubmissionVerdict | None]
) -> Iterable[dict[str, Any]]:
    """Functions of those graded before whose points are others now, and by which claim."""
    for student, new in after.items():
        old = before.get(student)
        if old is None or new is None:
            continue
        had = {f.function: f for f in old.functions}
        for function in new.functions:
            was = had.get(function.function)
            if was is None or was.points != function.points:
                yield {
                    "student": student, "topic": new.topic, "function": function.function, "before": was and was.points,
                    "after": function.points, "why": _because(function),
                }  # fmt: skip


def _because(function: FunctionVerdict) -> str:
    return function.failed.name if function.failed else str(function.status)


def _record_lines(workspace: Workspace, entry: Entry) -> Iterable[str]:
    """What the gradebook adds to the verdict, and what the verdict rests on."""
    lang = language()
    found = next((r for r in records(workspace.db_url, entry.topic) if r.student == entry.student), None)
    if found and (found.penalty or any(cell.manual is not None for cell in found.cells)):
        score = _points(found.score)
        yield Text(
            f"成績簿の点: {score} / {found.out_of:g}(手動採点を含む。遅延の減点 {found.penalty:g})",
            f"In the gradebook: {score} / {found.out_of:g} (marks by hand included, late penalty {found.penalty:g})",
        )[lang]
    assert entry.verdict is not None
    p = entry.verdict.provenance
    versions = ", ".join(f"{name} {number}" for name, number in p.versions.items())
    if p.sandbox == "none":
        yield Text("注意: 隔離せずに採点された。", "Note: graded without a sandbox.")[lang]
    yield Text("根拠", "Rests on")[lang] + (
        f": submission {p.submission[:12]}, topic {p.topic[:12]}, engine {p.engine[:12]}, round {p.seed[:12]}, {versions}, {p.device}, {p.sandbox}"
    )


def _exported(workspace: Workspace, topic: Topic) -> list[dict[str, Any]]:
    """One row a submission: those in the gradebook, and those that could not be read."""
    with Journal(workspace.journal) as journal:
        entries = {e.student: e for e in journal.entries(topic.name)}
    known = {r.student: r for r in records(workspace.db_url, topic.name)}
    return [
        _row(topic, student, known.get(student), entries.get(student))
        for student in sorted(known.keys() | entries.keys())
    ]


def _row(topic: Topic, student: str, record: Record | None, entry: Entry | None) -> dict[str, Any]:
    statuses = {f.function: str(f.status) for f in entry.verdict.functions} if entry and entry.verdict else {}
    return {
        "student": student,
        "topic": topic.name,
        "score": record.score if record else None,
        "out_of": record.out_of if record else topic.out_of,
        "late_penalty": record.penalty if record else 0.0,
        "needs_manual_grade": record.needs_manual if record else False,
        "submitted": str(record.timestamp) if record and record.timestamp else None,
        "trouble": dict(entry.trouble) if entry and entry.trouble else None,
        "functions": {c.name.removesuffix("-graded"): {"score": c.score, "out_of": c.out_of} for c in record.cells}
        if record
        else {},
        "statuses": statuses,
    }


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """One line a submission; the functions of all topics as columns would be a wide, empty table, so they are in the JSON."""
    columns = ("student", "topic", "score", "out_of", "late_penalty", "needs_manual_grade", "submitted", "trouble")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        trouble = row["trouble"][language()] if row["trouble"] else None
        writer.writerow([_cell(value) for value in ({**row, "trouble": trouble}[c] for c in columns)])
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return spreadsheet(value)
    return (
        ""
        if value is None
        else f"{value:g}"
        if isinstance(value, float)
        else int(value)
        if isinstance(value, bool)
        else value
    )


def _points(value: float | None) -> str:
    return Text("未採点", "not graded")[language()] if value is None else f"{value:g}"


def _console() -> Console:
    return Console(soft_wrap=False)
