"""A round: one topic at one secret seed. What is asked of every submission, and what is expected."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.checker import cache, small
from autograder.checker.plan import Plan, Small, make
from autograder.checker.provenance import grading, planning, provenance, versions
from autograder.checker.subject import Subject
from autograder.course import Topic
from autograder.sandbox import Work
from autograder.verdict import Provenance

Progress = Callable[[str, int, int], None]  # a function's name, how many are ready, of how many


@dataclass(frozen=True, eq=False)
class Round:
    """Made once, or read from disk, and shared by all submissions of a cohort."""

    topic: Topic
    seed: bytes
    examples: int
    device: str
    key: str  # names the round's inputs to a worker; equal keys, equal inputs
    subjects: Mapping[str, Subject]
    plans: Mapping[str, Plan]
    works: tuple[Work, ...]

    @classmethod
    def prepare(
        cls, topic: Topic, seed: bytes, examples: int, folder: Path | None = None, device: str = "cpu",
        progress: Progress | None = None,
    ) -> "Round":  # fmt: skip
        """Draw a round, or read it where it lies in `folder`, whose reader must be trusted: it holds what the round asks.

        Raises:
            Finding: where the topic's files cannot grade.
        """
        subjects = {name: Subject.find(topic, name) for name in topic.functions}
        key = _key(topic, examples, seed.hex(), device)
        name = f"{topic.name}-round-{key[:24]}.plan"
        plans = cache.load(folder, name, topic)
        if not isinstance(plans, dict) or plans.keys() != subjects.keys():
            known = _smallest(topic, subjects, folder)
            plans = {}
            for done, (function, subject) in enumerate(subjects.items()):
                if progress:
                    progress(function, done, len(subjects))
                plans[function] = make(subject, seed.hex(), examples, known[function])
            cache.store(folder, name, plans)
        works = tuple(plan.work(subjects[function].tensors) for function, plan in plans.items())
        return cls(topic, seed, examples, device, key, subjects, plans, works)

    def provenance(self, submission: str, sandbox: str) -> Provenance:
        """Of the grade that a submission of this digest will have."""
        return provenance(self.topic, self.examples, self.seed, submission, self.device, sandbox)


def _smallest(topic: Topic, subjects: Mapping[str, Subject], folder: Path | None) -> Mapping[str, list[Small]]:
    """The wrong ideas' smallest counterexamples: the same in every round, and so drawn once for all of them."""
    name = f"{topic.name}-small-{_key(topic, max(small.COUNTS), small.SEED, 'cpu')[:24]}.plan"
    found = cache.load(folder, name, topic)
    if not isinstance(found, dict) or found.keys() != subjects.keys():
        found = {function: small.find(subject) for function, subject in subjects.items()}
        cache.store(folder, name, found)
    return found


def _key(topic: Topic, examples: int, seed: str, device: str) -> str:
    depends = (
        planning(),
        grading(topic, examples),
        topic.functions,
        sorted(versions(topic.needs_torch).items()),
        seed,
        device,
    )
    return hashlib.sha256(repr(depends).encode()).hexdigest()
