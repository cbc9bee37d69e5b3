"""Reading what a trainee handed in: honest oddities cost nothing, and hostile ones end in one sentence."""

import copy
import json
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import submission
from autograder.notebook import dumps
from autograder.submission import Released, Unreadable, inert_markdown, read, restored


def released(name: str, kind: str = "code", source: str = "", **roles: Any) -> Released:
    flags = {"grade": False, "solution": False, "locked": False, "task": False, "points": None, **roles}
    return Released(name, kind, source=source, checksum="c" * 32, **flags)


RELEASE = {
    "softmax": released("softmax", source="def softmax(x): ...", locked=True),
    "f": released("f", source="def f(x):\n    raise NotImplementedError", solution=True),
    "f-graded": released("f-graded", source='check("f")', grade=True, locked=True, points=3.0),
    "essay": released("essay", "markdown", "Your answer", grade=True, solution=True, points=2.0),
}


def book(f: str = "def f(x):\n    return x") -> dict[str, Any]:
    """The release with the trainee's answer."""
    sources = {**{name: cell.source for name, cell in RELEASE.items()}, "f": f}
    cells: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": "start",
            "metadata": {},
            "source": "import numpy as np",
            "outputs": [],
            "execution_count": 1,
        }
    ]
    for name, cell in RELEASE.items():
        extra = {"outputs": [], "execution_count": None} if cell.cell_type == "code" else {}
        cells.append(
            {"cell_type": cell.cell_type, "id": name, "metadata": cell.metadata(), "source": sources[name], **extra}
        )
    return {"cells": cells, "metadata": {"kernelspec": {"name": "colab"}}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "f.ipynb"


def handed_in(path: Path, content: Any) -> submission.Submission:
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read(path, RELEASE)


USUAL = ("import numpy as np", "def softmax(x): ...", "def f(x):\n    return x")


def test_only_sources_of_code_cells_are_taken_and_given_ones_are_the_releases(path: Path) -> None:
    changed = book()
    changed["cells"][1]["source"] = "def softmax(x): return 0"
    changed["cells"][3]["source"] = 'print("mine")'
    assert handed_in(path, changed).cells == USUAL


def _older(minor: int) -> bytes:
    old = book()
    old["nbformat_minor"] = minor
    for cell in old["cells"]:
        del cell["id"]
    return json.dumps(old).encode()


def _format_3() -> bytes:
    cells = [{**cell, "input": cell.pop("source")} if cell["cell_type"] == "code" else cell for cell in book()["cells"]]
    return json.dumps(
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells, "metadata": {}}]}
    ).encode()


def _lines() -> bytes:
    lines = book()
    for cell in lines["cells"]:
        cell["source"] = cell["source"].splitlines(True)
    return json.dumps(lines, ensure_ascii=False, indent=1).encode()


def _crlf() -> bytes:
    return json.dumps(
        {**book(), "cells": [{**c, "source": c["source"].replace("\n", "\r\n")} for c in book()["cells"]]}
    ).encode()


def _bare() -> dict[str, Any]:
    """As some editors leave it: no metadata, no ids, saved outputs."""
    cells = [
        {"cell_type": c["cell_type"], "source": c["source"], "outputs": [{"output_type": "stream", "text": "x"}]}
        for c in book()["cells"]
    ]
    return {
        "cells": cells,
        "nbformat": 4,
        "nbformat_minor": 2,
        "metadata": {"colab": {"provenance": []}, "x": float("nan")},
    }


@pytest.mark.parametrize(
    "content",
    [_older(2), _older(4), _format_3(), _lines(), _crlf(), b"\xef\xbb\xbf" + _lines()],
    ids=["4.2", "4.4", "3", "lines", "CRLF", "BOM"],
)
def test_formats_and_line_ends_make_no_difference(path: Path, content: bytes) -> None:
    assert handed_in(path, content).digest == handed_in(path, book()).digest


def test_lost_metadata_loses_nothing(path: Path) -> None:
    found = handed_in(path, _bare())
    assert found.cells[-3:] == ("def softmax(x): ...", "def f(x):\n    return x", 'check("f")')
    names = [cell["metadata"]["nbgrader"]["grade_id"] for cell in found.book["cells"] if cell["metadata"]]
    assert names == ["softmax", "f-graded"]  # so that the verdict has a place


def test_an_answer_turned_into_text_by_a_slip_is_still_code(path: Path) -> None:
    slipped = book()
    slipped["cells"][2] = {k: v for k, v in slipped["cells"][2].items() if k not in ("outputs", "execution_count")} | {
        "cell_type": "markdown"
    }
    assert handed_in(path, slipped).cells == USUAL


def test_copies_run_and_the_last_is_the_releases(path: Path) -> None:
    copied = book()
    copied["cells"].append(copy.deepcopy(copied["cells"][2]) | {"source": "def f(x):\n    return 2"})
    found = handed_in(path, copied)
    assert found.cells == (*USUAL, "def f(x):\n    return 2")
    assert [c["source"] for c in found.book["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "f"] == [
        "def f(x):\n    return 2"
    ]
    assert len({c["id"] for c in found.book["cells"]}) == len(found.book["cells"])


def test_a_notebook_of_another_topic_is_named(path: Path) -> None:
    other = {**book(), "metadata": {"ecert": {"topic": "attention"}}, "cells": book()["cells"][:1]}
    assert "attention" in handed_in(path, other).notes[0].en
    assert not handed_in(path, book()).notes


def test_reading_is_repeatable_and_restoring_twice_changes_nothing(path: Path) -> None:
    first = handed_in(path, book())
    assert read(path, RELEASE) == first
    again = copy.deepcopy(first.book)
    assert restored(again, RELEASE) == first.cells
    assert again == first.book


HOSTILE = {
    "empty": b"",
    "no JSON": b"PK\x03\x04 a zip",
    "no notebook": b"[1, 2]",
    "text for cells": b'{"cells": "x", "nbformat": 4}',
    "no cells": b'{"nbformat": 4}',
    "a number for a cell": b'{"cells": [1]}',
    "a number for a source": b'{"cells": [{"cell_type": "code", "source": 1}]}',
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "many small values": b'{"cells": [' + b"[]," * 3_000_000 + b"[]]}",
    "many cells": json.dumps({"cells": [{"cell_type": "code", "source": ""}] * 5_000}).encode(),
    "a long number": b'{"cells": ' + b"9" * 100_000 + b"}",
    "a long text": json.dumps({"cells": [{"cell_type": "code", "source": "x" * (5 << 20)}]}).encode(),
    "huge": b" " * (submission.MOST_BYTES + 1),
    "UTF-16": json.dumps(book()).encode("utf-16"),
    "half a character": b'{"cells": "\xe3\x81"}',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_notebook_is_refused_in_both_languages_and_soon(path: Path, content: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(Unreadable) as refused:
        handed_in(path, content)
    assert time.process_time() - begun < 2
    assert not refused.value.text.ja.isascii()
    assert refused.value.text.en.isascii()


def test_links_pipes_folders_and_nothing_are_refused_without_waiting(path: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="was not handed in"):
        read(path, RELEASE)
    (tmp_path / "secret").write_text(json.dumps(book()))
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(Unreadable, match="link"):
        read(path, RELEASE)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Unreadable, match="no regular file"):
        read(path, RELEASE)
    path.unlink()
    path.mkdir()
    with pytest.raises(Unreadable):
        read(path, RELEASE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(["cell_type", "id", "metadata", "source", "outputs", "attachments", "execution_count", "input"])
odd_cells = st.dictionaries(keys, json_values | st.sampled_from(["code", "markdown", "raw", "heading"]), max_size=6)
known = st.builds(
    lambda name, more: {"metadata": {"nbgrader": {"grade_id": name, **more}}, "cell_type": "code", "source": "x"},
    st.sampled_from([*RELEASE, "other"]),
    st.dictionaries(st.sampled_from(["grade", "locked", "points"]), json_values, max_size=2),
)


@given(
    st.fixed_dictionaries(
        {"cells": st.lists(odd_cells | known, max_size=6)},
        optional={"metadata": json_values, "worksheets": json_values},
    )
)
@settings(max_examples=300, deadline=None)
def test_any_json_is_a_valid_notebook_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    try:
        found = handed_in(tmp_path_factory.getbasetemp() / "any.ipynb", content)
    except Unreadable:
        return
    text = dumps(found.book)
    assert text.encode()  # no half of a surrogate pair
    nbformat.validate(nbformat.reads(text, as_version=4))
    graded = [c for c in found.book["cells"] if c["metadata"].get("nbgrader", {}).get("grade")]
    assert {(c["metadata"]["nbgrader"]["grade_id"], c["metadata"]["nbgrader"]["points"]) for c in graded} >= {
        ("f-graded", 3.0)
    }
    assert all(cell["metadata"] in ({}, *(r.metadata() for r in RELEASE.values())) for cell in found.book["cells"])


@given(
    st.text()
    | st.lists(st.sampled_from(["<", "script>", "&lt;", "\\href", "{", "img onerror=", "/", "!--", "?"])).map("".join)
)
def test_no_markup_of_a_trainee_reaches_a_page(text: str) -> None:
    shown = inert_markdown(text)
    assert not any(a == "<" and ((b.isascii() and b.isalpha()) or b in "/!?") for a, b in pairwise(shown))
    assert "\\href{" not in shown
    assert inert_markdown(shown) == shown
