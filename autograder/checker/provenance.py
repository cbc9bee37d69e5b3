"""What a grade depends on: hashes of sources, a fingerprint of the seed, versions."""

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import autograder
from autograder.course import Topic
from autograder.verdict import Provenance


@cache
def engine() -> str:
    """sha256 over names and bytes of the engine's sources."""
    root = Path(autograder.__file__).resolve().parent
    return _digest(root, sorted(root.rglob("*.py")))


@cache
def planning() -> str:
    """The same over what a plan depends on alone: a change to a report's words need not draw the examples again."""
    root = Path(autograder.__file__).resolve().parent
    parts = ["checker/*.py", "properties/*.py", "comparison.py", "codec.py", "course.py", "inside/tensors.py"]
    return _digest(root, sorted(path for part in parts for path in root.glob(part)))


@cache
def versions(torch: bool) -> Mapping[str, str]:
    """Of everything whose release may change an answer."""
    packages = ("numpy", "hypothesis", "torch") if torch else ("numpy", "hypothesis")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def fingerprint(seed: bytes) -> str:
    """Tells rounds apart, and nothing of the seed."""
    return hashlib.sha256(b"ecert round\0" + seed).hexdigest()[:16]


def grading(topic: Topic, examples: int) -> str:
    """sha256 of all of the course that a verdict of this topic depends on: its files, its limits, the number of examples."""
    return hashlib.sha256(f"{topic.digest}\0{topic.limits}\0{examples}".encode()).hexdigest()


def provenance(topic: Topic, examples: int, seed: bytes, submission: str, device: str, sandbox: str) -> Provenance:
    """Of one submission's grade, known before it is graded."""
    return Provenance(
        submission, grading(topic, examples), engine(), fingerprint(seed), versions(topic.needs_torch), device, sandbox
    )


def _digest(root: Path, paths: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()
