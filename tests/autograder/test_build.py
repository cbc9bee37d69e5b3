"""From a topic's source to the notebooks that trainees get: strict about the source, the same bytes each time, nothing hidden in them."""

import ast
import json
import shutil
import tomllib
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from autograder import build, examples, releasing
from autograder.build._percent import parse
from autograder.cli import main
from autograder.course import Content, Topic
from autograder.errors import Finding, Usage
from autograder.workspace import Workspace, create, unusable_name
from tests.autograder import course_folder as made

TOPICS = ["rnn_bptt", "mobilenet"]
SOURCES = sorted(made.CONTENT.root.glob("assignments/*/notebook.py"))
LINE = "assert_close(f(*s._replace(Wy=0 * s.Wy, by=0 * s.by)), ignorance)"


@cache
def built(name: str, lang: str) -> dict[str, bytes]:
    return build.files(made.CONTENT.topic(name), lang)


@pytest.fixture(params=TOPICS)
def topic(request: pytest.FixtureRequest) -> Topic:
    return made.CONTENT.topic(request.param)


@pytest.fixture
def own(tmp_path: Path) -> Topic:
    """A topic that may be changed."""
    for name in ("assignments", "reference"):
        shutil.copytree(made.CONTENT.root / name, tmp_path / name)
    # Modules of one course are loaded in a process: the reference stays the one that is.
    topic = Content.at(tmp_path).topic("rnn_bptt")
    topic.__dict__["modules"] = made.CONTENT.topic("rnn_bptt").modules
    return topic


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.parent.name)
def test_jupytext_sees_the_same_cells(path: Path) -> None:
    text = path.read_text()
    theirs = [(cell.cell_type, cell.source) for cell in jupytext.reads(text, fmt="py:percent").cells]
    cells, wrong = parse(text, path)
    assert not wrong
    ours = [
        ("markdown" if c.kind == "markdown" else "code", c.body if c.kind in ("markdown", "code", "graded") else None)
        for c in cells
    ]
    assert len(ours) == len(theirs)
    for (kind, body), (other, source) in zip(ours, theirs, strict=True):
        assert kind == other
        assert body is None or body == source


WRONG = {
    "x = 1\n# %%\n": (1, "text before the first cell"),
    "# %%\n# %% stup f\n": (2, "unknown marker"),
    '# %% [markdown] lang="fr"\n': (1, "unknown marker"),
    "# %% [markdown]\n# text\n": (1, "unknown marker"),
    '# %% [markdown] lang="ja"\n# あ\nx\n# %% [markdown] lang="en"\n# a\n': (3, "begins with '# '"),
    '# %% [markdown] lang="ja"\n# あ\n# %%\n': (1, "English text"),
    '# %%\n# %% [markdown] lang="en"\n# a\n': (2, "Japanese text"),
    "# %%\ndef f(:\n": (2, "not Python"),
    "# %%\nx = 1\n# 日本語\n": (3, "Japanese in a code cell"),
    "# %% stub f\n'a' + g()\n": (2, "docstring"),
    "# %% graded f\ncheck('f')\n": (2, "holds nothing"),
}


@pytest.mark.parametrize(("source", "fault"), WRONG.items(), ids=[what for _, what in WRONG.values()])
def test_a_fault_is_named_with_its_line(source: str, fault: tuple[int, str]) -> None:
    line, what = fault
    _, wrong = parse(source, Path("notebook.py"))
    assert [str(w) for w in wrong if str(w).startswith(f"notebook.py:{line}: ") and what in str(w)]


def test_all_faults_are_named_at_once() -> None:
    assert (
        len(parse("".join(WRONG), Path("notebook.py"))[1]) >= len(WRONG) - 2
    )  # the first text and a neighbour differ when joined


@given(st.text(st.sampled_from('# %[]markdown lang="ja"en\nstub f\'given"""x=1')))
@settings(max_examples=200, deadline=None)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    cells, wrong = parse(text, Path("notebook.py"))
    assert cells or wrong or not text.strip()


def test_two_builds_are_one(topic: Topic) -> None:
    assert build.files(topic, "ja") == built(topic.name, "ja")


def test_a_notebook_is_valid_and_written_as_nbformat_would(topic: Topic) -> None:
    for lang in ("ja", "en"):
        text = built(topic.name, lang)[f"{topic.name}.ipynb"].decode()
        book = nbformat.reads(text, as_version=4)
        nbformat.validate(book)
        assert nbformat.writes(book, version=4) + "\n" == text
        assert book.metadata["ecert"] == {"format": 1, "lang": lang, "topic": topic.name}


def test_both_languages_have_the_same_ids_and_code(topic: Topic) -> None:
    ja, en = (build.book(topic, lang)["cells"] for lang in ("ja", "en"))
    assert [(c["id"], c["metadata"]) for c in ja] == [(c["id"], c["metadata"]) for c in en]
    free = lambda cells: [c["source"] for c in cells if c["cell_type"] == "code" and '"""' not in c["source"]]
    assert free(ja) == free(en)
    assert all(c["source"].isascii() for c in ja if c["metadata"].get("nbgrader", {}).get("grade"))


def test_points_stubs_and_given_functions_come_from_the_topic(topic: Topic) -> None:
    cells = build.book(topic, "en")["cells"]
    points = {
        c["source"][len('check("') : -2]: c["metadata"]["nbgrader"]["points"]
        for c in cells
        if c["metadata"].get("nbgrader", {}).get("grade")
    }
    assert points == dict(topic.points)
    namespace: dict[str, object] = {}
    for cell in cells:
        said = cell["metadata"].get("nbgrader", {})
        if (
            cell["source"].startswith("import numpy")
            or said.get("solution")
            or (said.get("locked") and not said.get("grade"))
        ):
            exec(cell["source"].replace("from autograder import check", ""), namespace)
    for name in topic.functions:
        tree = ast.parse(next(c["source"] for c in cells if c["id"] == name)).body[0]
        assert isinstance(tree, ast.FunctionDef)
        assert len(tree.body) == 1  # the docstring: no answer
    if topic.name == "mobilenet":
        assert namespace["conv_out_size"](5, 3, 2, 1) == 3  # type: ignore[operator]


def test_a_stub_may_be_written_in_any_language(topic: Topic) -> None:
    for lang in ("ja", "en"):
        docstrings = [
            c["source"].split('"""')[1]
            for c in build.book(topic, lang)["cells"]
            if c["metadata"].get("nbgrader", {}).get("solution")
        ]
        assert all(text.isascii() == False or lang == "en" for text in docstrings)  # noqa: E712


def test_public_examples_are_right_small_and_of_no_round(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(built(topic.name, "ja")[examples.file_name(topic.name)])
    found = examples.load(path)
    assert tuple(found) == topic.functions
    assert path.stat().st_size < 150_000
    for name, each in found.items():
        assert 1 <= len(each) <= 8
        assert [len(examples.line(e)) for e in each] == sorted(len(examples.line(e)) for e in each)
        for example in each if not topic.on_tensors(name) else ():
            answer = examples.plain(topic.reference(name)(*example.arguments))
            assert json.dumps(examples._to_json(answer)) == json.dumps(examples._to_json(example.expected))
    assert not set(json.loads(path.read_text())) - {"format", "topic", "functions"}


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)
arrays = st.sampled_from(["float64", "float32", "int64", "bool", "complex128"]).flatmap(
    lambda kind: st.lists(st.integers(0, 1), max_size=6).map(
        lambda values: np.array(values, kind).reshape(1, -1) / (3 if kind[0] in "fc" else 1)
    )
)


@given(plain | arrays | st.tuples(arrays, plain))
@settings(deadline=None)
def test_values_of_examples_survive_the_file(value: object) -> None:
    again = examples.plain(value)
    np.testing.assert_equal(again, value)
    assert type(again) is type(value)
    assert getattr(again, "dtype", None) == getattr(value, "dtype", None)


def test_a_broken_examples_file_is_one_line(tmp_path: Path) -> None:
    for content in (None, "", "[]", '{"format": 9}', '{"format": 1, "functions": {"f": [{}]}}', "[" * 100_000):
        path = tmp_path / "x.examples.json"
        if content is not None:
            path.write_text(content)
        with pytest.raises(Usage, match="fetch the assignment again"):
            examples.load(path)


def test_the_models_have_no_fault_and_no_leak(topic: Topic) -> None:
    assert build.faults(topic) == []
    assert build.leaks(topic, built(topic.name, "ja") | built(topic.name, "en")) == []


CHANGES = {
    "no cell `# %% graded rnn_loss`": ("# %% graded rnn_loss\n", ""),
    "no cell `# %% stub rnn_loss` before": ("# %% stub rnn_loss\n", "# %% given rnn_loss\n"),
    "another order": ("# %% graded rnn_forward\n", "# %% graded rnn_loss\n"),
    "not defined in reference": ("# %% given softmax", "# %% given softmux"),
    "differ": (
        "    h0: 最初の入力より前の状態、(N, H)。\n    Wx: 入力の重み、(D, H)。",
        "    h0: 最初の入力より前の状態、(N, K)。\n    Wx: 入力の重み、(D, H)。",
    ),
    "a second cell for softmax": ("# %% given log_softmax", "# %% given softmax"),
    "has no points": ("# %% graded rnn_loss\n", "# %% graded softmax\n"),
    "the figure lost.svg is not made": ("# # RNN と BPTT\n", "# # RNN と BPTT\n# ![図](lost.svg)\n"),
}


@pytest.mark.parametrize(("what", "change"), CHANGES.items(), ids=CHANGES.keys())
def test_what_does_not_fit_the_reference_is_named(own: Topic, what: str, change: tuple[str, str]) -> None:
    text = own.source.read_text()
    assert change[0] in text
    text = text.replace(*change, 1)
    if what == "another order":
        text = text[::-1].replace("# %% graded rnn_loss\n"[::-1], "# %% graded rnn_forward\n"[::-1], 1)[::-1]
    own.source.write_text(text)
    assert [fault for fault in map(str, build.faults(own)) if what in fault and str(own.source) in fault]


def test_given_code_that_needs_the_reference_is_named(own: Topic) -> None:
    own.source.write_text(
        own.source.read_text().replace("# %% given softmax", '# %% given rnn_forward\n"""x"""\n\n# %% given softmax', 1)
    )
    assert any("check_shapes" in str(fault) or "differ" in str(fault) for fault in build.faults(own))


LEAKS = {
    "an answer": lambda topic: _body(topic.root / "reference/rnn_bptt.py", "rnn_backward"),
    "a private helper": lambda topic: _body(topic.root / "reference/rnn_bptt.py", "_check_labels"),
    "a law": lambda topic: _body(topic.folder / "hidden/properties.py", "loss_backward_is_probability_minus_one_hot"),
    "another layout": lambda topic: (
        _body(topic.root / "reference/rnn_bptt.py", "rnn_loss").replace("\n", "\n\n").replace(" + ", "+")
    ),
}


def _body(path: Path, name: str) -> str:
    node = next(n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef) and n.name == name)
    return "\n".join(path.read_text().splitlines()[node.body[0].end_lineno or 0 : node.end_lineno])


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS.keys())
@pytest.mark.parametrize("where", ["notes.txt", "x.ipynb"])
def test_hidden_code_is_found_wherever_it_lies(text: object, where: str) -> None:
    topic = made.CONTENT.topic("rnn_bptt")
    code = text(topic)  # type: ignore[operator]
    content = code
    if where.endswith("ipynb"):
        content = json.dumps({"cells": [{"cell_type": "code", "source": "def mine():\n" + code}]})
    assert build.leaks(topic, {where: content.encode()})


def test_hidden_sentences_are_found() -> None:
    topic = made.CONTENT.topic("rnn_bptt")
    for text in (topic.claims("rnn_forward")[0].text, topic.mutants("rnn_forward")[0].hint):
        for sentence in text:
            assert build.leaks(topic, {"a.md": f"see: {sentence}".encode()})


def test_a_release_with_a_leak_is_refused_and_the_old_one_stays(own: Topic, tmp_path: Path) -> None:
    workspace = create(tmp_path / "course", Content.at(own.root), "ja", "c")
    releasing.release(workspace, own)
    before = workspace.released("rnn_bptt").read_bytes()
    (own.folder / "files").mkdir()
    (own.folder / "files" / "extra.py").write_text(LEAKS["an answer"](own))
    with pytest.raises(Finding, match=r"not released.*extra\.py holds hidden text of reference/rnn_bptt\.py"):
        releasing.release(workspace, own)
    assert workspace.released("rnn_bptt").read_bytes() == before
    assert [p.name for p in workspace.release.iterdir()] == ["rnn_bptt"]


def test_the_commands_make_a_course_that_nbgrader_knows(tmp_path: Path) -> None:
    folder = tmp_path / "私の コース"
    run = CliRunner().invoke
    assert (
        run(
            main, ["init", str(folder), "--lang", "en", "--content", str(made.CONTENT.root)], standalone_mode=False
        ).exception
        is None
    )
    assert tomllib.loads((folder / "ecert.toml").read_text())["lang"] == "en"
    assert (folder / ".ecert").stat().st_mode & 0o777 == 0o700
    done = run(main, ["release", "mobilenet", "--course", str(folder), "--json"], standalone_mode=False)
    assert done.exception is None, done.output
    workspace = Workspace.at(folder)
    book = nbformat.read(workspace.released("mobilenet"), as_version=4)
    stub = next(c for c in book.cells if c.id == "conv_cost")
    assert stub.source.endswith("# Write your answer here\n    raise NotImplementedError")
    names = {p.name for p in workspace.released("mobilenet").parent.iterdir()}
    assert names == set(built("mobilenet", "en"))
    with Gradebook(workspace.db_url) as gradebook:
        assert gradebook.find_assignment("mobilenet").max_score == made.CONTENT.topic("mobilenet").out_of
    assert isinstance(
        run(main, ["release", "no_topic", "--course", str(folder)], standalone_mode=False).exception, Usage
    )
    assert isinstance(run(main, ["build", "--course", str(tmp_path)], standalone_mode=False).exception, Usage)


def test_released_twice_the_bytes_are_the_same(tmp_path: Path) -> None:
    workspace = made.course(tmp_path / "c", "mobilenet")
    first = {p.name: p.read_bytes() for p in workspace.released("mobilenet").parent.iterdir()}
    releasing.release(workspace, made.CONTENT.topic("mobilenet"))
    assert {p.name: p.read_bytes() for p in workspace.released("mobilenet").parent.iterdir()} == first


def test_a_round_has_one_secret_and_students_are_data(tmp_path: Path) -> None:
    workspace = create(tmp_path / "c", made.CONTENT, "ja", "c")
    seed = workspace.round_seed("mobilenet")
    assert len(seed) == 32
    assert seed == Workspace.at(workspace.root).round_seed("mobilenet") != workspace.round_seed("rnn_bptt")
    assert (workspace.private / "rounds/mobilenet.seed").stat().st_mode & 0o777 == 0o600
    hostile = ["-rf", "*", "[a]", "a+b", "名前", "a\nb", "$(x)", "{student_id}", "x" * 200]
    for name in (*hostile, ".hidden"):
        made.hand_in(workspace, name, "mobilenet", "{}")
    (tmp_path / "elsewhere" / "mobilenet").mkdir(parents=True)
    (workspace.submitted / "linked").symlink_to(tmp_path / "elsewhere")
    assert {student for student, _ in workspace.submissions("mobilenet")} == set(hostile)
    assert {name for name in hostile if unusable_name(name)} == {"a\nb", "x" * 200}
