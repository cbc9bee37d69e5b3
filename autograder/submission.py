"""A trainee's notebook, read without trusting it: source texts of code cells come from her, everything else from the release."""

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from autograder import notebook
from autograder.errors import Finding
from autograder.verdict import Text

MOST_BYTES = 16 << 20  # a notebook with a few dozen plots
MOST_VALUES = 2_000_000  # each takes up to 64 bytes once parsed, however short it is in the file
MOST_CELLS = 2_000
MOST_SOURCE = 4 << 20  # characters of all cells together

Book = notebook.Book


class Unreadable(Finding):
    """What was handed in is no notebook that can be graded; says why in both languages."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Released(NamedTuple):
    """A cell of the release that nbgrader knows, as the gradebook holds it."""

    grade_id: str
    cell_type: str  # code or markdown
    grade: bool
    solution: bool
    locked: bool
    task: bool
    points: float | None
    source: str
    checksum: str

    @property
    def function(self) -> str:
        """The function that a graded cell stands for."""
        return self.grade_id.removesuffix(notebook.GRADED)

    def metadata(self) -> dict[str, Any]:
        """As `nbgrader generate_assignment` left it in the release."""
        said: dict[str, Any] = {
            "cell_type": self.cell_type,
            "checksum": self.checksum,
            "grade": self.grade,
            "grade_id": self.grade_id,
            "locked": self.locked,
            "schema_version": 3,
            "solution": self.solution,
            "task": self.task,
        }
        if self.points is not None:
            said["points"] = self.points
        return {"nbgrader": said}


Release = Mapping[str, Released]  # by grade_id, in the order of the notebook


@dataclass(frozen=True)
class Submission:
    """One notebook as it is graded."""

    cells: tuple[str, ...]  # what runs in the sandbox, in order; given cells are the release's
    digest: str  # sha256 of `cells`: equal code, equal verdict
    file_digest: str  # sha256 of the file: where it is equal too, the autograded notebook is
    notes: tuple[Text, ...] = ()  # what the trainee should know about how it was read
    book: Book = field(
        default_factory=dict, repr=False, compare=False
    )  # restored: locks, points, ids, types are the release's


def read(path: Path, release: Release) -> Submission:
    """Read a notebook defensively and put back what the release says.

    Raises:
        Unreadable: whatever is wrong with it; no other exception comes from what is in the file.
    """
    found = _bytes(path)
    book = _parsed(found)
    notes = list(_topic_notes(book, release))
    cells = restored(book, release)
    return Submission(cells, _digest(cells), hashlib.sha256(found).hexdigest(), tuple(notes), book)


def contents(path: Path, most: int) -> bytes:
    """At most so many bytes of a regular file: never through a link, never waiting for a pipe.

    Raises:
        OSError: for anything else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no regular file")
        found = b""
        while len(found) < most and (part := os.read(descriptor, most - len(found))):
            found += part
        return found
    finally:
        os.close(descriptor)


def _bytes(path: Path) -> bytes:
    try:
        found = contents(path, MOST_BYTES + 1)
    except FileNotFoundError as e:
        raise Unreadable(Text(f"{path.name} が提出されていません", f"{path.name} was not handed in")) from e
    except OSError as e:
        why = "a link" if e.errno == errno.ELOOP else e.strerror
        raise Unreadable(Text(f"{path.name} を読めません({why})", f"{path.name} cannot be read ({why})")) from e
    if len(found) > MOST_BYTES:
        most = MOST_BYTES >> 20
        raise Unreadable(
            Text(
                f"{path.name} が {most} MiB を超えています。出力を消してください",
                f"{path.name} is larger than {most} MiB; clear its outputs",
            )
        )
    return found


BROKEN = Text(
    "ノートブックの形式ではありません。JupyterLab で開いて保存し直してください",
    "it is not in the format of a notebook; open and save it in JupyterLab",
)


def _parsed(content: bytes) -> Book:
    """JSON within bounded memory and depth, as a notebook of format 4 with a list of cells."""
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise Unreadable(
            Text(
                "ノートブックの値が多すぎます。出力を消してください",
                "the notebook holds too many values; clear its outputs",
            )
        )
    try:
        text = content.decode("utf-8-sig")
        book = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise Unreadable(
            Text(f"{BROKEN.ja}({type(e).__name__})", f"the notebook cannot be read: {BROKEN.en} ({type(e).__name__})")
        ) from e
    if b"\\ud" in content.lower():
        book = _well_formed(book)
    cells = list(_cells(book))
    if len(cells) > MOST_CELLS or sum(len(cell["source"]) for cell in cells) > MOST_SOURCE:
        raise Unreadable(Text("セルが多すぎるか、長すぎます", "the notebook has too many cells, or too long ones"))
    return {"cells": cells, "metadata": book.get("metadata"), "nbformat": 4, "nbformat_minor": 5}


def _well_formed(value: Any) -> Any:
    """The same without halves of surrogate pairs, which no file and no pipe can carry."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_well_formed(v) for v in value]
    if isinstance(value, dict):
        return {_well_formed(k): _well_formed(v) for k, v in value.items()}
    return value


def _cells(book: Any) -> Iterator[Book]:
    """The cells of a notebook of format 2, 3 or 4, each with what we use of it and nothing else."""
    if not isinstance(book, dict):
        raise Unreadable(BROKEN)
    sheets = book.get("worksheets")
    found = book.get("cells")
    if found is None and isinstance(sheets, list):
        found = [cell for sheet in sheets if isinstance(sheet, dict) for cell in _listed(sheet.get("cells"))]
    if not isinstance(found, list):
        raise Unreadable(BROKEN)
    for cell in found:
        if not isinstance(cell, dict):
            raise Unreadable(BROKEN)
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            raise Unreadable(BROKEN)
        kind = cell.get("cell_type")
        if kind == "heading":  # of format 3
            source, kind = f"## {source}", "markdown"
        yield {
            "cell_type": kind if kind in ("code", "markdown", "raw") else "raw",
            "id": cell.get("id"),
            "metadata": cell.get("metadata"),
            "source": source,
            **_attachments(cell),
        }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _attachments(cell: Book) -> Book:
    """Pictures that a trainee pasted into a text: kept where they are what they should be."""
    found = cell.get("attachments")
    if cell.get("cell_type") != "markdown" or not isinstance(found, dict) or not found:
        return {}
    bundles = {name: bundle for name, bundle in found.items() if isinstance(bundle, dict)}
    return {"attachments": {name: dict(_pictures(bundle)) for name, bundle in bundles.items()}}


def _pictures(bundle: Book) -> Iterator[tuple[str, str]]:
    for kind in PICTURES:
        data = bundle.get(kind)
        if isinstance(data, list) and all(isinstance(part, str) for part in data):
            data = "".join(data)
        if isinstance(data, str) and BASE64.fullmatch(data):
            yield kind, data


PICTURES = ("image/png", "image/jpeg", "image/gif")  # no SVG: it may hold script
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def restored(book: Book, release: Release) -> tuple[str, ...]:
    """Put back into a notebook what is the release's, in place; gives the code that is to run.

    Locked cells come back where they were lost, cells of the release that were copied are the release's once (the last
    one), and whatever a trainee's text could do to the page that shows it is made harmless.
    """
    cells: list[Book] = book["cells"]
    known = _recognised(cells, release)
    for cell, mine in zip(cells, known, strict=True):
        _restore(cell, mine)
    at = {mine.grade_id: cell for cell, mine in zip(cells, known, strict=True) if mine}
    for mine in _missing(release, at):
        cell = {"id": mine.grade_id, "source": mine.source}
        _restore(cell, mine)
        before = [at[name] for name in list(release)[: list(release).index(mine.grade_id)] if name in at]
        place = next((i + 1 for i, c in enumerate(cells) if before and c is before[-1]), 0)
        cells.insert(place, cell)
        at[mine.grade_id] = cell
    _name(cells)
    book["metadata"] = {"kernelspec": dict(notebook.KERNEL), "language_info": {"name": "python"}}
    graded = {id(at[name]) for name, mine in release.items() if mine.grade and mine.locked}
    return tuple(_unix(cell["source"]) for cell in cells if cell["cell_type"] == "code" and id(cell) not in graded)


def _recognised(cells: list[Book], release: Release) -> list[Released | None]:
    """Which cell of the release each one is: by its grade_id, the last copy of each."""
    found: list[Released | None] = []
    seen: set[str] = set()
    for cell in reversed(cells):
        metadata = cell["metadata"] if isinstance(cell["metadata"], dict) else {}
        said = metadata.get("nbgrader")
        name = said.get("grade_id") if isinstance(said, dict) else None
        mine = release.get(name) if isinstance(name, str) and name not in seen else None
        if mine:
            seen.add(mine.grade_id)
        found.append(mine)
    return found[::-1]


def _missing(release: Release, at: Mapping[str, Book]) -> list[Released]:
    """Locked cells that are gone. A lost answer in words stays lost: a person looks at it."""
    return [mine for name, mine in release.items() if mine.locked and name not in at]


def _restore(cell: Book, mine: Released | None) -> None:
    """One cell: type, metadata and, where it is locked, source of the release; no output, nothing that acts in a page."""
    cell["metadata"] = mine.metadata() if mine else {}
    if mine:
        cell["cell_type"] = mine.cell_type
        if mine.locked:
            cell["source"] = mine.source
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
        cell.pop("attachments", None)
    elif not (mine and mine.locked):
        cell["source"] = inert_markdown(cell["source"])


# A destination that stays one whatever a renderer makes of escapes and entities in it: of the web, pasted, or a file beside.
_LINK = re.compile(r"\]\((?!https?://|attachment:|[\w./#-]+\))")


def inert_markdown(text: str) -> str:
    """Text of a trainee without what her instructor's browser would obey: raw HTML, links to script, links in formulas."""
    without_tags = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)
    without_links = _LINK.sub("] (", without_tags.replace("]:", "] :"))
    return re.sub(r"\\href(?![A-Za-z])", r"\\text", without_links)


def _name(cells: list[Book]) -> None:
    """Every cell has an id that nbformat accepts, once; a new one depends on nothing but its place."""
    taken: set[str] = set()
    for place, cell in enumerate(cells):
        wanted = cell["id"]
        if not isinstance(wanted, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wanted) or wanted in taken:
            wanted = next(
                name for n in range(len(cells) + 1) if (name := f"cell-{place}" + (f"-{n}" if n else "")) not in taken
            )
        cell["id"] = wanted
        taken.add(wanted)


def _topic_notes(book: Book, release: Release) -> Iterator[Text]:
    """Is this the notebook of another topic?"""
    metadata = book["metadata"] if isinstance(book["metadata"], dict) else {}
    said = metadata.get("ecert")
    other = said.get("topic") if isinstance(said, dict) else None
    graded = {mine.grade_id for mine in release.values() if mine.grade}
    if (
        isinstance(other, str)
        and other.isidentifier()
        and len(other) < 80
        and graded
        and not any(_recognised(book["cells"], release))
    ):
        yield Text(f"これは課題 {other} のノートブックのようです", f"this seems to be the notebook of {other}")


def _unix(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _digest(cells: tuple[str, ...]) -> str:
    whole = hashlib.sha256()
    for cell in cells:
        data = cell.encode()
        whole.update(f"{len(data)}\0".encode() + data)
    return whole.hexdigest()
