"""The arrows of the house: a module imports from floors below its own, never from its neighbours or from above."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "autograder"

# From the ground up. A package counts as one room.
FLOORS = (
    {"verdict", "errors", "codec", "stats", "drawing", "shown", "untrusted", "notebook", "__version__"},  # values
    {"comparison", "forms", "examples", "records", "rendering", "standalone", "inside", "submission", "journal"},
    {"properties", "box", "gradebook", "jupyter"},  # mechanisms
    {"course", "draws", "__init__"},  # what an author wrote
    {"sandbox", "workspace", "build", "cohort", "demo"},  # one course, one submission's process
    {"checker", "autograded", "feedback", "releasing", "report"},  # one submission
    {"judging", "lint"},
    {"grading"},  # a cohort
    {"cli", "nbgrader_plugin"},  # the terminal, nbgrader
    {"__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
ALONE = {
    "nbgrader": {"nbgrader_plugin", "gradebook", "autograded", "feedback", "releasing", "workspace", "grading", "cli"}
}


def _room(path):
    inner = path.relative_to(PACKAGE).with_suffix("").parts
    return inner[0]


def _imports(path):
    """(line, room) of our own, and (line, top-level name) of everything."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "autograder":
                names = [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
                yield from ((node.lineno, "autograder", name) for name in names)
            else:
                yield node.lineno, parts[0], ""
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top, _, rest = alias.name.partition(".")
                yield node.lineno, top, rest.split(".")[0]


def _sources():
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def test_every_room_has_a_floor():
    assert {_room(path) for path in _sources()} == set(LEVEL) - {"__version__"}


def test_imports_lead_downwards_only():
    wrong = []
    for path in _sources():
        room = _room(path)
        for line, top, name in _imports(path):
            if (
                top != "autograder"
                or name in (room, "", "check")
                or (path.name == "__init__.py" and room == "__init__")
            ):
                continue
            if name not in LEVEL:
                wrong.append(f"{path}:{line} imports {name}, which has no floor")
            elif LEVEL[name] >= LEVEL[room]:
                wrong.append(f"{path}:{line}: {room} (floor {LEVEL[room]}) imports {name} (floor {LEVEL[name]})")
    assert wrong == []


def test_what_runs_in_the_sandbox_imports_nothing_of_ours_but_the_codec():
    for path in (PACKAGE / "inside").glob("*.py"):
        ours = {name for _, top, name in _imports(path) if top == "autograder"}
        assert ours <= {"codec", "inside"}, path


def test_nbgrader_and_torch_are_met_where_they_belong():
    for path in _sources():
        room = _room(path)
        for line, top, _ in _imports(path):
            assert top != "nbgrader" or room in ALONE["nbgrader"], f"{path}:{line} imports nbgrader"
            assert top != "torch" or room in ("inside", "checker", "judging", "lint", "cli"), (
                f"{path}:{line} imports torch"
            )


def test_the_engine_knows_no_topic():
    topics = {path.parent.name for path in (PACKAGE.parent / "assignments").glob("*/topic.toml")}
    for path in _sources():
        named = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert named.isdisjoint(topics), f"{path} names {named & topics}"
