"""`ecert`: one command, its verbs loaded when they are called for, its errors one line and an exit code.

Exit codes: 0 done, 1 a finding, 2 wrong usage, 3 a fault of ours, 130 interrupted.
"""

import locale
import os
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click

from autograder import __version__
from autograder.errors import EcertError, Fault
from autograder.verdict import Text

# verb -> the module of this package that holds it, and what it does
VERBS: dict[str, tuple[str, Text]] = {
    "init": ("course", Text("教員用のコースフォルダを作る", "make an instructor's course folder")),
    "build": ("course", Text("課題のノートブックを作る", "build the assignments' notebooks")),
    "release": ("course", Text("課題を配布用に書き出す", "release assignments to trainees")),
    "grade": ("cohort", Text("集めた提出物をまとめて採点する", "grade a cohort's submissions")),
    "regrade": (
        "cohort",
        Text("採点し直し、誰の点がどう変わったかを示す", "grade again, and show whose score changed"),
    ),
    "feedback": ("cohort", Text("フィードバックの HTML を作る", "generate the feedback's HTML")),
    "report": ("cohort", Text("クラス全体の報告を HTML 1ページで作る", "write the cohort's report, one HTML page")),
    "show": ("cohort", Text("一人の点の理由を示す", "show why a submission has its grade")),
    "export": ("cohort", Text("成績を CSV か JSON で書き出す", "export the grades as CSV or JSON")),
    "new": ("author", Text("新しいトピックの雛形を作る", "make the skeleton of a new topic")),
    "check": ("author", Text("トピックの誤りをすべて挙げる", "list every fault of a topic")),
    "solve": ("author", Text("自分の関数をその場で採点する", "grade one's own functions directly")),
    "doctor": ("machine", Text("この計算機でできることを調べる", "say what this machine can do")),
    "demo": ("demo", Text("40人分の提出物で全体を実演する", "run the whole on a cohort of 40 submissions")),
}

F = TypeVar("F", bound=Callable[..., Any])


def default_language() -> str:
    """`$ECERT_LANG`, else the locale's where it is English, else Japanese."""
    if (asked := os.environ.get("ECERT_LANG", "")) in ("ja", "en"):
        return asked
    # The variables themselves: a locale that is not installed on the machine still says what its user reads.
    named = next(
        (value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))),
        locale.getlocale()[0] or "",
    )
    return "en" if named.lower().startswith("en") else "ja"


def language(ctx: click.Context | None = None) -> str:
    """The language of the command at work: its own --lang, the one before the verb, the environment's."""
    at = ctx or click.get_current_context(silent=True)
    while at is not None:
        if asked := at.params.get("lang"):
            return str(asked)
        at = at.parent
    return default_language()


def bilingual(text: str | None, lang: str) -> str | None:
    """The line of `text` in this language, where it has two: Japanese, then English, as claims have."""
    lines = [line.strip() for line in (text or "").strip().splitlines() if line.strip()]
    return lines[lang == "en"] if len(lines) == 2 and not lines[0].isascii() else text


class Option(click.Option):
    """An option whose help has two lines: Japanese, then English."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        whole, self.help = self.help, bilingual(self.help, language(ctx))
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = whole


class Verb(click.Command):
    """A command whose docstring has two lines: Japanese, then English."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        whole, self.help = self.help, bilingual(self.help, language(ctx))
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = whole


class Verbs(click.Group):
    """The group: lists its verbs without loading them, and turns every error into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        found = getattr(import_module(f"autograder.cli.{VERBS[name][0]}"), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lang = language(ctx)
        with formatter.section(Text("コマンド", "Commands")[lang]):
            formatter.write_dl([(name, does[lang]) for name, (_, does) in VERBS.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(bilingual(self.help, language(ctx)) or "")

    def main(self, *args: Any, **settings: Any) -> Any:
        if settings.get("standalone_mode") is False:
            return super().main(*args, **settings)
        sys.exit(self._run(*args, **settings))

    def _run(self, *args: Any, **settings: Any) -> int:
        """The exit code of one call; what went wrong stands on stderr, in one line."""
        try:
            with _sentences():
                done = super().main(*args, **{"prog_name": "ecert", **settings, "standalone_mode": False})
            sys.stdout.flush()
            return done if isinstance(done, int) else 0
        except click.exceptions.NoArgsIsHelpError as e:
            e.show()
            return 2
        except click.ClickException as e:
            return _refuse(e.format_message(), e.exit_code)
        except EcertError as e:
            return _refuse(str(e), e.exit_code)
        except (KeyboardInterrupt, click.Abort):
            return _refuse("interrupted; the same command goes on where it stopped", 130)
        except BrokenPipeError:
            # The reader has gone (`ecert show … | head`): nobody is left to be told, and Python must not try at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as e:
            if os.environ.get("ECERT_DEBUG"):
                raise
            return _refuse(
                f"{type(e).__name__}: {e} (a fault of ecert's own; ECERT_DEBUG=1 shows where)", Fault.exit_code
            )


class _sentences:
    """What the machine refuses, as a Fault that says what to do."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError) and error.strerror:
            at = f"{error.filename}: " if error.filename else ""
            raise Fault(
                f"{at}{error.strerror}; nothing was lost, run the same command again when it is mended"
            ) from error
        if isinstance(error, sqlite3.Error) or (error is not None and type(error).__module__.startswith("sqlalchemy")):
            raise Fault(f"the gradebook or the journal cannot be used: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _refuse(message: str, code: int) -> int:
    line = " ".join(message.split())  # a message may quote a file name; one line it stays
    click.echo("ecert: " + "".join(c if c.isprintable() else "�" for c in line), err=True)
    return code


option = partial(click.option, cls=Option)
verb = partial(click.command, cls=Verb)

lang_option: Callable[[F], F] = option(
    "--lang", is_eager=True, type=click.Choice(["ja", "en"]), help="表示の言語。\nThe language to speak."
)
json_option: Callable[[F], F] = option(
    "--json", "as_json", is_flag=True, help="機械が読む JSON で答える。\nAnswer in JSON, for machines to read."
)
course_option: Callable[[F], F] = option(
    "--course", type=click.Path(path_type=Path), default=Path("."), metavar="DIR",
    help="コースのフォルダ(既定: 今いるフォルダか、その上)。\nThe course folder (default: the one you stand in, or one above).",
)  # fmt: skip


@click.group(
    cls=Verbs, no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@lang_option
@click.version_option(__version__, message="ecert %(version)s")
def main(lang: str | None) -> None:
    """E資格の演習を、性質にもとづいて採点します。
    Grades the E資格 course's notebooks by their properties."""
