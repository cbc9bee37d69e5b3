"""Does anything that is released hold hidden text? Code by runs of tokens, sentences as a whole."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

from autograder.build._cells import parse_source, source_of
from autograder.course import Topic
from autograder.errors import Finding

RUN = 20  # tokens, about two lines: shorter ones are formulas that a notebook teaches, or turns of phrase of Python
NAMED = 3  # of a run: rows of numbers are data, and the same in many places
SHORTEST = 12  # characters of a sentence, or of the whole body of a graded function
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_TOKEN = re.compile(r"\w+|[^\w\s]")


def leaks(topic: Topic, files: Mapping[str, bytes]) -> list[Finding]:
    """Places of a release where code of the reference, laws, wrong ideas or other answers shows; given functions may.

    Args:
        topic: whose hidden text is looked for.
        files: contents by name; notebooks are searched cell by cell.
    """
    functions = [cell for cell in parse_source(topic.source) if cell.kind in ("given", "stub")]
    given = {cell.name for cell in functions if cell.kind == "given"}
    runs: dict[tuple[str, ...], str] = {}
    sentences: dict[str, str] = {}
    for path in topic.what_grades():
        if path.suffix == ".py":
            hidden = path.parent.name == "hidden"
            for name, line, code, said in _texts(path, hidden, set() if hidden else given):
                where = f"{path.relative_to(topic.root)}:{line} ({name})"
                runs |= dict.fromkeys(_runs(code), where)
                whole = [code] if name in topic.functions else []
                sentences |= {short: where for s in (*said, *whole) if len(short := _squeezed(s)) >= SHORTEST}
    for cell in functions:  # a wrong idea may be a call that repeats the signature
        for run in _runs(source_of(cell, topic, "en")):
            runs.pop(run, None)
    found = []
    for name, content in files.items():
        for where, text in _released(name, content):
            flat = _squeezed(text)
            by_run = (runs[run] for run in _runs(text) if run in runs)
            by_sentence = (sentences[sentence] for sentence in sentences if sentence in flat)
            if place := next(chain(by_run, by_sentence), None):
                found.append(
                    Finding(f"{where} holds hidden text of {place}; take it out of the notebook's source or of files/")
                )
    return found


def _texts(path: Path, hidden: bool, given: set[str]) -> Iterator[tuple[str, int, str, list[str]]]:
    """Secrets of a file: name, line, code without signature and docstring, and sentences that only hidden files hold."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, _Function) or node.name in given:
            continue
        docstring = ast.get_docstring(node)
        body = node.body[1:] if docstring is not None else node.body
        said = docstring.splitlines() if docstring and hidden else []
        yield node.name, node.lineno, "\n".join(map(ast.unparse, body)), said


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    tokens = _TOKEN.findall(text)
    runs = zip(*(tokens[i:] for i in range(RUN)), strict=False)
    return (run for run in runs if sum(not token[0].isdigit() and token[0].isalnum() for token in run) >= NAMED)


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _released(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Texts of a file, each with its place. Code of a notebook's cell is written as `ast` would, so that layout hides nothing."""
    text = content.decode("utf-8", "replace")
    if not name.endswith(".ipynb"):
        yield name, text
        return
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            with suppress(SyntaxError):
                source = ast.unparse(ast.parse(source))
        yield f"{name}, cell {cell.get('id', '?')}", source
