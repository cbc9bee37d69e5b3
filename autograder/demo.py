"""A cohort to try the grader on: forty notebooks as trainees leave them, each with the points that its making says.

Everything is made from the topics' own files (references, other right answers, wrong ideas), so it is right for every course.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.course import Topic
from autograder.errors import Fault
from autograder.standalone import source_of
from autograder.verdict import Text

Book = dict[str, Any]
Made = tuple[bytes, Mapping[str, float] | None]


@dataclass(frozen=True)
class Handed:
    """One notebook of the cohort."""

    student: str
    topic: str
    making: Text  # how it was made, for a newcomer to read
    content: bytes
    expected: Mapping[str, float] | None  # points of each function; None where it cannot be graded at all

    @property
    def points(self) -> float | None:
        return None if self.expected is None else sum(self.expected.values())


@dataclass(frozen=True)
class Making:
    """A way in which a trainee leaves a notebook."""

    text: Text
    make: Callable[[Topic, Book], Made]


def cohort(topics: Sequence[Topic], released: Mapping[str, str]) -> Iterator[Handed]:
    """Eight trainees' notebooks of every topic.

    Args:
        topics: of the course.
        released: the text of each topic's released notebook.
    """
    for number, topic in enumerate(topics):
        last = (BROKEN[number % len(BROKEN)], HOSTILE[number % len(HOSTILE)])
        for student, making in zip(STUDENTS, (*EVERYWHERE, *last), strict=True):
            content, expected = making.make(topic, json.loads(released[topic.name]))
            yield Handed(student, topic.name, making.text, content, expected)


STUDENTS = ("aoki", "ito", "ueno", "endo", "okada", "kato", "木村", "mallory")


# Solutions


def _reference(topic: Topic) -> dict[str, str]:
    return {f: source_of(topic.reference(f), f) for f in topic.functions}


def _alternatives(topic: Topic, which: int) -> dict[str, str]:
    """For each function one of its other right answers, the reference where it has none."""
    return {f: source_of((topic.alternatives(f) or (topic.reference(f),))[which], f) for f in topic.functions}


def _full(topic: Topic, but: Mapping[str, float] | None = None) -> dict[str, float]:
    return {**topic.points, **(but or {})}


def _nothing(topic: Topic) -> dict[str, float]:
    return dict.fromkeys(topic.functions, 0.0)


def _filled(topic: Topic, book: Book, sources: Mapping[str, str]) -> Book:
    """The notebook with these functions written into their cells."""
    for function, source in sources.items():
        _cell(topic, book, function)["source"] = source
    return book


def _cell(topic: Topic, book: Book, function: str) -> Book:
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == function:
            return cell  # type: ignore[no-any-return]
    raise Fault(f"the released notebook of {topic.name} has no cell for {function}")


def _code(source: str, number: int) -> Book:
    return {
        "cell_type": "code",
        "id": f"own-{number}",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _text(book: Book) -> bytes:
    return json.dumps(book, ensure_ascii=False, indent=1).encode()


# Makings


def _right(topic: Topic, book: Book) -> Made:
    return _text(_filled(topic, book, _reference(topic))), _full(topic)


def _right_otherwise(topic: Topic, book: Book) -> Made:
    return _text(_filled(topic, book, _alternatives(topic, 0))), _full(topic)


def _right_but_untidy(topic: Topic, book: Book) -> Made:
    """Magics, scratch cells that fail, `input`, printing, CRLF: none of it costs anything."""
    _filled(topic, book, {f: source.replace("\n", "\r\n") for f, source in _alternatives(topic, -1).items()})
    scratch = (
        "%matplotlib inline\n!pip install numpy\nprint('準備 ' * 1000)",
        "名前 = input('あなたの名前: ')",
        "1 / 0  # 後で直す",
        "def 書きかけ(:\n    return",
        "exit()",
    )
    book["cells"][1:1] = [_code(source, number) for number, source in enumerate(scratch)]
    return _text(book), _full(topic)


def _ideas(topic: Topic, book: Book, start: int, which: int) -> Made:
    """Every other function follows a wrong idea; the rest is right."""
    sources, wrong = _reference(topic), {}
    for function in topic.functions[start::2]:
        # Where a claim costs only part, what a wrong idea earns depends on which claims it breaks: not for this cohort.
        partial = any(claim.name in topic.partial for claim in topic.claims(function))
        mutants = topic.mutants(function)
        if mutants and not partial:
            sources[function], wrong[function] = source_of(mutants[which], function), 0.0
    return _text(_filled(topic, book, sources)), _full(topic, wrong)


def _half(topic: Topic, book: Book) -> Made:
    """The first half is written, the rest still the stub."""
    written = topic.functions[: -(-len(topic.functions) // 2)]
    sources = {f: source for f, source in _reference(topic).items() if f in written}
    return _text(_filled(topic, book, sources)), {**_nothing(topic), **{f: topic.points[f] for f in written}}


def _untouched(topic: Topic, book: Book) -> Made:
    return _text(book), _nothing(topic)


def _cut_short(topic: Topic, book: Book) -> Made:
    """The disk was full: half of the file is missing."""
    whole = _right(topic, book)[0]
    return whole[: len(whole) // 2], None


def _does_not_parse(topic: Topic, book: Book) -> Made:
    """A bracket is missing in the last function."""
    last = topic.functions[-1]
    _filled(topic, book, {**_reference(topic), last: f"def {last}(:\n    return 0"})
    return _text(book), _full(topic, {last: 0.0})


def _metadata_lost(topic: Topic, book: Book) -> Made:
    """Through another tool and back: an old format, no ids, no metadata, copies of cells."""
    _filled(topic, book, _reference(topic))
    for cell in book["cells"]:
        cell["metadata"] = {}
        cell.pop("id")
    book["cells"].append(dict(book["cells"][-1]))
    book |= {
        "nbformat_minor": 2,
        "metadata": {"kernelspec": {"name": "conda-dl", "display_name": "深層学習", "language": "python"}},
    }
    return _text(book), _full(topic)


def _cell_deleted(topic: Topic, book: Book) -> Made:
    """The cell of the first function is gone."""
    first = topic.functions[0]
    _filled(topic, book, _reference(topic))
    book["cells"].remove(_cell(topic, book, first))
    return _text(book), _full(topic, {first: 0.0})


LIAR = """
class Liar:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __abs__ = __sub__
    def __le__(self, other): return True
    def __getattr__(self, name): return Liar()
    def __array__(self, *args, **kwargs): return __import__("numpy").zeros(1)
    def __call__(self, *args, **kwargs): return Liar()

for _name in FUNCTIONS:
    globals()[_name] = Liar()
"""

SPY = """
import os, socket, sys

def _spy(*args, **kwargs):
    for _folder, _, _files in os.walk("/"):
        for _file in _files:
            if "reference" in _folder or "hidden" in _folder:
                exec(open(os.path.join(_folder, _file)).read(), globals())
    socket.create_connection(("198.51.100.1", 80), timeout=1)

for _name in FUNCTIONS:
    globals()[_name] = _spy
"""


def _for_all(attack: str) -> Callable[[Topic, Book], Made]:
    def make(topic: Topic, book: Book) -> Made:
        book["cells"].append(_code(f"FUNCTIONS = {list(topic.functions)!r}\n{attack}", 0))
        return _text(book), _nothing(topic)

    return make


def _in_one(body: str) -> Callable[[Topic, Book], Made]:
    """One function is hostile, the rest is right: it costs itself alone."""

    def make(topic: Topic, book: Book) -> Made:
        worst = topic.functions[len(topic.functions) // 2]
        attack = f"def {worst}(*args, **kwargs):\n    {body}\n"
        return _text(_filled(topic, book, {**_reference(topic), worst: attack})), _full(topic, {worst: 0.0})

    return make


def _forged(topic: Topic, book: Book) -> Made:
    """Points, locks, checksums and outputs rewritten; the functions are still stubs."""
    for cell in book["cells"]:
        about = cell["metadata"].get("nbgrader")
        if about and about["grade"]:
            about |= {"points": 1000, "locked": False, "checksum": "0" * 32}
            cell["source"] = "1000.0"
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "1000.0"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]
    return _text(book), _nothing(topic)


EVERYWHERE = (
    Making(Text("正解", "right"), _right),
    Making(Text("正解(別の書き方)", "right, written differently"), _right_otherwise),
    Making(Text("正解(散らかったノートブック)", "right, in an untidy notebook"), _right_but_untidy),
    Making(
        Text("半分に誤解がある", "wrong ideas in every other function"), lambda topic, book: _ideas(topic, book, 0, 0)
    ),
    Making(Text("別の誤解がある", "other wrong ideas"), lambda topic, book: _ideas(topic, book, 1, -1)),
    Making(Text("前半だけ書いた", "the first half written"), _half),
)
BROKEN = (
    Making(Text("手つかず", "untouched"), _untouched),
    Making(Text("ファイルが途中で切れている", "a file cut short"), _cut_short),
    Making(Text("最後の関数が構文エラー", "the last function does not parse"), _does_not_parse),
    Making(Text("正解(古い形式、メタデータなし)", "right, in an old format without metadata"), _metadata_lost),
    Making(Text("最初の関数のセルを消した", "the first function's cell deleted"), _cell_deleted),
)
HOSTILE = (
    Making(Text("攻撃: 何とでも等しい物を返す", "attack: returns what equals everything"), _for_all(LIAR)),
    Making(
        Text("攻撃: 一つの関数がプロセスを終える", "attack: one function ends the process"),
        _in_one("import os; os._exit(0)"),
    ),
    Making(Text("攻撃: 終わらない関数が一つ", "attack: one function never ends"), _in_one("while True: pass")),
    Making(Text("攻撃: 正解を盗み見ようとする", "attack: looks for the answers"), _for_all(SPY)),
    Making(Text("攻撃: 得点を書き換える", "attack: rewrites its points"), _forged),
)
