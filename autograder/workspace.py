"""An instructor's course folder: nbgrader's own layout, `ecert.toml` beside it, and `.ecert/` for what nobody else may read."""

import os
import secrets
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course import Content
from autograder.errors import Fault, Usage
from autograder.verdict import Text

SETTINGS, NBGRADER_CONFIG = "ecert.toml", "nbgrader_config.py"
LANGUAGES = ("ja", "en")
SEED_BYTES = 32
LONGEST_NAME = 128  # nbgrader's column `student.id`


@dataclass(frozen=True)
class Workspace:
    """One course folder. Paths below it are made of topics and students; a student's name is data, never a path of ours."""

    root: Path
    content: Content
    lang: str

    @classmethod
    def at(cls, start: Path | None = None) -> "Workspace":
        """The course folder that is `start` or lies above it.

        Raises:
            Usage: where there is none, or its settings cannot be understood.
        """
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / SETTINGS).is_file():
                return cls._read(folder)
        raise Usage(
            f"{here} is no course folder: stand in one, name it with --course, or make one with `ecert init DIR`"
        )

    @classmethod
    def _read(cls, folder: Path) -> "Workspace":
        path = folder / SETTINGS
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8"))
            content, lang = raw["content"], raw.get("lang", "ja")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
            raise Usage(f"{path}: {e}") from e
        except KeyError as e:
            raise Usage(f"{path}: `content` is missing: the folder that holds assignments/ and reference/") from e
        if unknown := set(raw) - {"content", "lang", "format"}:
            raise Usage(f"{path}: unknown key {', '.join(sorted(unknown))}")
        if lang not in LANGUAGES or not isinstance(content, str):
            raise Usage(f'{path}: lang is "ja" or "en", content a folder')
        return cls(folder, Content.at(folder / os.path.expanduser(content)), lang)

    # Folders

    @property
    def source(self) -> Path:
        return self._step("source")

    @property
    def release(self) -> Path:
        return self._step("release")

    @property
    def submitted(self) -> Path:
        return self._step("submitted")

    @property
    def autograded(self) -> Path:
        return self._step("autograded")

    @property
    def feedback(self) -> Path:
        return self._step("feedback")

    @property
    def private(self) -> Path:
        """Seeds, plans and the journal; nobody but the owner may look into it."""
        folder = self.root / ".ecert"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @property
    def plans(self) -> Path:
        return self.private / "plans"

    @property
    def journal(self) -> Path:
        return self.private / "journal.db"

    def released(self, topic: str) -> Path:
        """The notebook that trainees are given."""
        return self.release / topic / f"{topic}.ipynb"

    def autograded_notebook(self, student: str, topic: str) -> Path:
        return self.autograded / student / topic / f"{topic}.ipynb"

    # nbgrader

    @cached_property
    def nbgrader_config(self) -> Any:
        """The course's `nbgrader_config.py`, as traitlets reads it.

        Raises:
            Usage: where it cannot be run, or moves folders about in a way that we do not follow.
        """
        from traitlets.config.loader import PyFileConfigLoader

        try:
            config = PyFileConfigLoader(NBGRADER_CONFIG, path=str(self.root)).load_config()
        except Exception as e:  # whatever an instructor's own code may raise
            raise Usage(f"{self.root / NBGRADER_CONFIG}: {type(e).__name__}: {e}") from e
        layout = os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}")
        if config.CourseDirectory.get("directory_structure", layout) != layout:
            raise Usage(
                f"{self.root / NBGRADER_CONFIG}: CourseDirectory.directory_structure must be nbgrader's default, {layout}"
            )
        root = config.CourseDirectory.get("root", "")
        if root and Path(root).resolve() != self.root:
            raise Usage(
                f"{self.root / NBGRADER_CONFIG}: CourseDirectory.root is {root}, not this folder; take the line out"
            )
        return config

    @property
    def db_url(self) -> str:
        """The gradebook's, by nbgrader's own rule."""
        return str(self.nbgrader_config.CourseDirectory.get("db_url", "") or f"sqlite:///{self.root / 'gradebook.db'}")

    @property
    def course_id(self) -> str:
        return str(self.nbgrader_config.CourseDirectory.get("course_id", "")).strip()

    def _step(self, name: str) -> Path:
        return self.root / str(self.nbgrader_config.CourseDirectory.get(f"{name}_directory", name))

    # A round

    def round_seed(self, topic: str) -> bytes:
        """The secret from which this round's inputs are drawn, made when it is first asked for.

        Raises:
            Fault: where the file that holds it was damaged.
        """
        path = self.private / "rounds" / f"{topic}.seed"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        if not path.exists():
            draft = path.with_name(f".{topic}.{os.getpid()}")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(secrets.token_bytes(SEED_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)  # never over a seed that another process made meanwhile
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        seed = path.read_bytes()
        if len(seed) != SEED_BYTES:
            raise Fault(
                f"{path}: holds {len(seed)} bytes, not {SEED_BYTES}; restore it, or delete it to begin a new round (scores may change)"
            )
        return seed

    def submissions(self, topic: str) -> Iterator[tuple[str, Path]]:
        """Students who handed something in for a topic, by name, and where their notebook should lie.

        Links are not followed, and hidden folders are nobody's. The notebook itself may be missing or anything else:
        reading it says so.
        """
        try:
            students = sorted(entry.name for entry in os.scandir(self.submitted) if entry.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return
        for student in students:
            folder = self.submitted / student / topic
            if not student.startswith(".") and folder.is_dir() and not folder.is_symlink():
                yield student, folder / f"{topic}.ipynb"


def unusable_name(student: str) -> Text | None:
    """Why the gradebook cannot hold this student's name (that of a folder), if it cannot."""
    if len(student) > LONGEST_NAME:
        return Text(
            f"学生の名前が {LONGEST_NAME} 文字を超えています",
            f"the student's name is longer than {LONGEST_NAME} characters",
        )
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in student):
        return Text(
            "学生の名前に表示できない文字があります", "the student's name holds characters that cannot be shown"
        )
    if student != student.strip():
        return Text("学生の名前の前後に空白があります", "the student's name begins or ends with a space")
    return None


def create(folder: Path, content: Content, lang: str, course_id: str) -> Workspace:
    """Make a course folder, or complete one; files that are there stay as they are.

    Raises:
        Usage: where `folder` is a course folder of other content or another language.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    settings = f'format = 1\ncontent = {_quoted(str(content.root))}\nlang = "{lang}"  # of notebooks and feedback\n'
    _write_new(folder / SETTINGS, settings)
    _write_new(folder / NBGRADER_CONFIG, _nbgrader_config(course_id, lang))
    made = Workspace.at(folder)
    if made.content.root != content.root or made.lang != lang:
        raise Usage(
            f"{folder / SETTINGS} already says content = {made.content.root}, lang = {made.lang}; edit it, or take another folder"
        )
    for each in (made.source, made.release, made.submitted, made.autograded, made.feedback, made.private):
        each.mkdir(exist_ok=True)
    return made


def _nbgrader_config(course_id: str, lang: str) -> str:
    hint = {"ja": "# ここに解答を書いてください", "en": "# Write your answer here"}[lang]
    return (
        "c = get_config()  # noqa: F821\n"
        f"c.CourseDirectory.course_id = {_quoted(course_id)}\n"
        f'c.ClearSolutions.code_stub = {{"python": "{hint}\\nraise NotImplementedError"}}\n'
        f"c.ClearSolutions.text_stub = {_quoted(hint.removeprefix('# '))}\n"
        "c.HTMLExporter.embed_images = True  # feedback is a file of its own: figures go into it\n"
        "\n"
        "# Grade by the engine instead of running notebooks in a kernel.\n"
        f"c.Autograde.sanitize_preprocessors = {_listed('RestoreRelease', SANITIZE)}\n"
        f"c.Autograde.autograde_preprocessors = {_listed('GradeByVerdict', AUTOGRADE)}\n"
    )


SANITIZE = ("ClearOutput", "DeduplicateIds", "OverwriteKernelspec", "OverwriteCells", "CheckCellMetadata")
AUTOGRADE = ("IgnorePattern", "LimitOutput", "SaveAutoGrades", "AssignLatePenalties", "CheckCellMetadata")


def _listed(ours: str, theirs: tuple[str, ...]) -> str:
    names = [f"autograder.nbgrader_plugin.{ours}", *(f"nbgrader.preprocessors.{name}" for name in theirs)]
    return "[\n" + "".join(f'    "{name}",\n' for name in names) + "]"


def _quoted(text: str) -> str:
    """A string as Python and TOML both write it."""
    return (
        '"'
        + "".join(f"\\u{ord(c):04x}" if c in '"\\' or (not c.isprintable() and ord(c) < 0x10000) else c for c in text)
        + '"'
    )


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
