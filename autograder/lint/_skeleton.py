"""A new topic: a complete one that passes its check, to be turned into another file by file."""

from importlib.resources import files
from pathlib import Path

from autograder.course import Content
from autograder.errors import Usage

PARTS = {
    "reference.py": "reference/{topic}.py",
    "test.py": "tests/reference/test_{topic}.py",
    "topic.toml": "assignments/{topic}/topic.toml",
    "notebook.py": "assignments/{topic}/notebook.py",
    "figures.py": "assignments/{topic}/figures.py",
    "coverage.toml": "assignments/{topic}/coverage.toml",
    "properties.py": "assignments/{topic}/hidden/properties.py",
    "mutants.py": "assignments/{topic}/hidden/mutants.py",
    "alternatives.py": "assignments/{topic}/hidden/alternatives.py",
}


def new_topic(content: Content, name: str) -> list[Path]:
    """Write the files of a new topic.

    Returns:
        What was written.

    Raises:
        Usage: where the name cannot be one, or something of it is there already.
    """
    if not (name.isidentifier() and name.isascii() and name == name.lower()) or name.startswith("_"):
        raise Usage(f"a topic's name is lower case letters, digits and _, as in rnn_bptt; not {name!r}")
    paths = {part: content.root / where.format(topic=name) for part, where in PARTS.items()}
    if there := [str(path) for path in paths.values() if path.exists()]:
        raise Usage(f"{', '.join(there)} exists already; choose another name, or move it away")
    for part, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        text = files("autograder").joinpath("skeleton", f"{part}.txt").read_text(encoding="utf-8")
        with path.open("x", encoding="utf-8") as file:
            file.write(text.replace("TOPIC", name))
    return list(paths.values())
