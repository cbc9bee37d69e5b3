"""`init`, `build` and `release`: from an author's topics to what trainees are given."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console

from autograder.cli import course_option, json_option, lang_option, language, option, verb
from autograder.course import Content, Topic, find_content
from autograder.errors import EcertError, Finding
from autograder.verdict import Text
from autograder.workspace import Workspace, create


@verb()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@option(
    "--content",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="assignments/ と reference/ のあるフォルダ。\nThe folder that holds assignments/ and reference/.",
)
@option(
    "--course-id",
    metavar="NAME",
    help="nbgrader での名前(既定: 教材の名前)。\nIts name in nbgrader (default: the content's).",
)
@lang_option
def init(folder: Path, content: Path | None, course_id: str | None, lang: str | None) -> None:
    """教員用のコースフォルダを作る(nbgrader の標準の配置)。
    Make an instructor's course folder (nbgrader's standard layout)."""
    found = Content.at(content) if content else find_content()
    name = course_id or re.sub(r"[^\w-]", "-", found.name)
    made = create(folder, found, language(), name)
    say = Text(
        f"{made.root} を作りました。次は: cd {made.root} && ecert release {found.order[0]}",
        f"Made {made.root}. Next: cd {made.root} && ecert release {found.order[0]}",
    )
    click.echo(say[language()])


@verb()
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@course_option
@json_option
@lang_option
def build(topics: tuple[str, ...], course: Path, as_json: bool, lang: str | None) -> None:
    """課題のノートブックを source/ に作る(省略時はすべて)。--lang でノートブックの言語を選ぶ。
    Build assignments into source/ (all unless named). --lang chooses the notebooks' language."""
    from autograder import build as builder

    workspace = Workspace.at(course)
    written_in = lang or workspace.lang

    def one(topic: Topic) -> Path:
        if wrong := builder.faults(topic):
            raise Finding("; ".join(map(str, wrong)))
        folder = workspace.source / topic.name
        builder.write(builder.files(topic, written_in), folder)
        return folder / f"{topic.name}.ipynb"

    _each(workspace.content.topics(topics), one, as_json, Text("作成", "Built"))


@verb()
@click.argument("topics", nargs=-1, required=True, metavar="TOPIC...")
@course_option
@json_option
@lang_option
def release(topics: tuple[str, ...], course: Path, as_json: bool, lang: str | None) -> None:
    """課題を release/TOPIC/TOPIC.ipynb に書き出し、成績簿に登録する。隠された内容が混ざっていれば止める。
    Write release/TOPIC/TOPIC.ipynb and register the assignment; refused where hidden text would get out."""
    from autograder import releasing

    workspace = Workspace.at(course)
    _each(
        workspace.content.topics(topics),
        lambda topic: releasing.release(workspace, topic),
        as_json,
        Text("配布用に書き出し", "Released"),
    )


def _each(topics: tuple[Topic, ...], work: Callable[[Topic], Path], as_json: bool, done: Text) -> None:
    """Do it for every topic, those after a refused one too; the first refusal decides the exit code."""
    console = Console(stderr=True)
    made: dict[str, str] = {}
    refused: dict[str, EcertError] = {}
    for topic in topics:
        with console.status(topic.name):
            try:
                made[topic.name] = str(work(topic))
            except EcertError as e:
                refused[topic.name] = e
    if as_json:
        click.echo(
            json.dumps(
                {"made": made, "refused": {t: str(e) for t, e in refused.items()}}, ensure_ascii=False, sort_keys=True
            )
        )
    else:
        for path in made.values():
            click.echo(f"{done[language()]}: {path}")
    if refused:
        first = next(iter(refused.values()))
        raise type(first)(" | ".join(map(str, refused.values())))
