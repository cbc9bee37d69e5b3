"""`ecert new`, `ecert check`, `ecert solve`: what an author calls, and who wants to grade functions of her own."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.cli import json_option, lang_option, language, option, verb
from autograder.course import find_content
from autograder.verdict import Text

if TYPE_CHECKING:  # hypothesis and the checker take a moment, and only these verbs need them
    from autograder.lint import FunctionReport, Report

TITLES = {
    "idea": Text("誤った考え", "wrong idea"),
    "points": Text("得点", "earns"),
    "told": Text("見破る性質(例の割合)", "told by (share of examples)"),
    "accepted": Text("受け入れた解答(追加の呼び出し)", "accepted (live calls)"),
    "idle": Text("どの誤りも見破らない性質", "claims that tell no wrong idea"),
    "none": Text("なし", "none"),
    "ok": Text("問題ありません", "ok"),
    "faults": Text("直すべきところ", "to be mended"),
    "time": Text("性質の 1 回の評価", "one evaluation of a claim"),
}


@verb()
@click.argument("topics", nargs=-1)
@option(
    "--seeds",
    "rounds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="試す採点回(乱数の種)の数。\nHow many rounds (seeds) to try.",
)
@option("--no-sandbox", is_flag=True, help="サンドボックスでの確認を省く。\nLeave the pass through the sandbox out.")
@option(
    "-v",
    "--verbose",
    is_flag=True,
    help="受け入れた解答と、性質ごとの時間も示す。\nAlso show the answers accepted, and each claim's time.",
)
@json_option
@lang_option
def check(
    topics: tuple[str, ...], rounds: int, no_sandbox: bool, verbose: bool, as_json: bool, lang: str | None
) -> int:
    """トピックの誤りを、場所と直し方つきですべて挙げます。
    Lists every fault of a topic, each with its place and remedy."""
    from autograder import lint

    content, console = find_content(), _console()
    reports = []
    for name in topics or content.order:
        with _status(console, name, quiet=as_json) as step:
            reports.append(lint.check(content, name, rounds, not no_sandbox, step))
        if not as_json:
            _show(console, reports[-1], language(), verbose)
    if as_json:
        click.echo(json.dumps([report.as_json() for report in reports], ensure_ascii=False, indent=1))
    return int(any(report.faults for report in reports))


def _console() -> Console:
    """As wide as the terminal; a file or a pipe takes long lines."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


@contextmanager
def _status(console: Console, name: str, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Says on the terminal what is being done."""
    if quiet or not console.is_terminal:
        yield lambda step: None
        return
    with console.status(name) as status:
        yield lambda step: status.update(f"{name}: {step}")


def _show(console: Console, report: "Report", lang: str, verbose: bool) -> None:
    claims = sum(len(each.claim_ms) for each in report.functions.values())
    ideas = sum(len(each.mutants) for each in report.functions.values())
    calls = sum(each.calls for each in report.functions.values())
    head = Text(
        f"{report.topic}: 性質 {claims}、誤った考え {ideas}、文 {report.texts}、呼び出し {calls}; {report.rounds} 回の採点、{report.seconds:.1f} 秒",
        f"{report.topic}: {claims} claims, {ideas} wrong ideas, {report.texts} texts, {calls} calls; {report.rounds} rounds in {report.seconds:.1f} s",
    )
    console.print(f"[bold]{escape(head[lang])}[/bold]", highlight=False)
    if report.functions:
        console.print(_kills(report, lang))
    if verbose:
        for name, each in report.functions.items():
            _details(console, name, each, lang)
    idle = [claim for each in report.functions.values() for claim in each.idle]
    if report.rounds:
        console.print(f"{TITLES['idle'][lang]}: {escape(', '.join(idle)) or TITLES['none'][lang]}", highlight=False)
    for note in report.notes:
        console.print(escape(note), highlight=False)
    if not report.faults:
        console.print(f"[green]✓ {TITLES['ok'][lang]}[/green]")
        return
    console.print(f"[red]✗ {TITLES['faults'][lang]}: {len(report.faults)}[/red]")
    for fault in report.faults:
        console.print(
            f"  {escape(str(fault.place))}: {escape(fault.what)}\n    → {escape(fault.remedy)}",
            highlight=False,
            soft_wrap=True,
        )


def _kills(report: "Report", lang: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column(TITLES["idea"][lang], no_wrap=True)
    table.add_column(TITLES["points"][lang], justify="right")
    table.add_column(TITLES["told"][lang], overflow="fold")
    for name, each in report.functions.items():
        table.add_row(f"[bold]{name}[/bold]", "", "")
        for idea, found in each.mutants.items():
            told = ", ".join(f"{claim} {rate:.0%}" for claim, rate in found.rates.items())
            table.add_row(f"  {idea}", f"{found.earned:g}", told or "[red]—[/red]")
    return table


def _details(console: Console, name: str, each: "FunctionReport", lang: str) -> None:
    accepted = ", ".join(f"{right} ({live})" for right, live in each.accepted.items())
    times = ", ".join(f"{claim} {ms:g} ms" for claim, ms in sorted(each.claim_ms.items(), key=lambda pair: -pair[1]))
    console.print(f"[bold]{name}[/bold]\n  {TITLES['accepted'][lang]}: {escape(accepted)}", highlight=False)
    console.print(f"  {TITLES['time'][lang]}: {escape(times)}", highlight=False)


@verb()
@click.argument("topic")
@lang_option
def new(topic: str, lang: str | None) -> None:
    """新しいトピックの、そのまま検査に通る雛形を作ります。
    Makes the skeleton of a new topic, complete and passing its check."""
    from autograder import lint

    content = find_content()
    for path in lint.new_topic(content, topic):
        click.echo(str(path.relative_to(content.root)))
    said = Text(
        f"次に: 各ファイルを書き換え、assignments/course.toml の topics に {topic} を加え、`ecert check {topic}` で確かめます。",
        f"Next: change each file, add {topic} to topics in assignments/course.toml, and run `ecert check {topic}`.",
    )
    click.echo(said[language()])


@verb()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@option("--topic", required=True, metavar="TOPIC", help="どのトピックの関数か。\nWhich topic's functions they are.")
@option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="問われる入力を決める数。\nDecides the inputs that are asked.",
)
@option(
    "--sandbox", type=click.Choice(["bwrap", "none"]), default="bwrap", show_default=True,
    help="none: 自分のコードを、隔離せずに実行する。\nnone: run code of your own without walls.",
)  # fmt: skip
@json_option
@lang_option
def solve(file: Path, topic: str, seed: int, sandbox: str, as_json: bool, lang: str | None) -> int:
    """自分で書いた関数を、ノートブックなしで採点します。
    Grades functions of your own, without a notebook."""
    from autograder import lint
    from autograder.rendering import submission_text

    if sandbox == "none" and not as_json:
        warned = Text(
            "注意: 隔離せずに実行します。自分で書いたコードだけに使ってください。",
            "Note: this runs without walls. Use it for code of your own only.",
        )
        click.echo(warned[language()], err=True)
    console = _console()
    with _status(console, topic, quiet=as_json) as step:
        step(str(file))
        verdict = lint.solve(find_content().topic(topic), file, seed, sandbox)
    click.echo(verdict.to_json() if as_json else submission_text(verdict, language(), color=console.is_terminal))
    return 0 if verdict.points == verdict.out_of else 1


def main() -> None:
    """Run one of these commands while standing alone: `python -m autograder.cli.author check TOPIC`."""
    from autograder.cli import main as ecert

    ecert(prog_name="ecert")


if __name__ == "__main__":
    main()
