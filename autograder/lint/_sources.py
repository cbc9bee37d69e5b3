"""What can be seen in a topic's files without running a claim."""

import inspect
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from autograder import build
from autograder.course import Topic
from autograder.errors import EcertError
from autograder.lint._report import Fault, Report, place_of
from autograder.properties import Alternative, Claim, Mutant, Twin

LEAST_ALTERNATIVES = 1  # of each function; and of a topic's functions, one has two

_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
_LATIN = re.compile("[A-Za-z]")


def check_sources(topic: Topic, report: Report) -> bool:
    """Add every fault that is found; True where the topic can be tried."""
    steps: list[Callable[[Topic, Report], Iterator[Fault]]] = [
        _functions, _claims, _mutants, _alternatives, _partial, _title, _coverage, _notebook, _leaks,
    ]  # fmt: skip
    for step in steps:
        try:
            for fault in step(topic, report):
                report.fault(*fault)
        except EcertError as e:
            place, _, what = str(e).partition(": ")
            report.fault(place, what or place, "mend it")
        except Exception as e:  # one file that cannot be read at all must not hide the faults of the others
            report.fault(str(topic.folder), f"{step.__name__[1:]}: {type(e).__name__}: {e}", "mend it")
    return _can_be_tried(topic)


def _can_be_tried(topic: Topic) -> bool:
    try:
        return all(topic.claims(name) for name in topic.functions) and topic.hidden("mutants") is not None
    except EcertError:
        return False


def _functions(topic: Topic, report: Report) -> Iterator[Fault]:
    settings = topic.folder / "topic.toml"
    for name in topic.functions:
        topic.reference(name)
        if not topic.claims(name):
            yield Fault(
                str(topic.folder / "hidden" / "properties.py"),
                f"no claim is about {name}",
                "write one that compares its whole result",
            )
    module = topic.modules[0]
    own = [
        n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__ and n[0] != "_"
    ]
    for name in own:
        if name not in topic.functions:
            yield Fault(
                str(settings),
                f"reference/{topic.name}.py defines {name}, and [points] do not name it",
                "give it points, or begin its name with _",
            )
    for name in ("figures.py", "coverage.toml"):
        if not (topic.folder / name).is_file():
            yield Fault(str(topic.folder / name), "not found", "`ecert new` shows what it holds")


def _claims(topic: Topic, report: Report) -> Iterator[Fault]:
    path = topic.folder / "hidden" / "properties.py"
    graded = [topic.reference(name) for name in topic.functions]
    for name, value in vars(topic.hidden("properties")).items():
        for claim in [value] if type(value) is Claim else value.claims if type(value) is Twin else []:
            if claim.of not in graded:
                yield Fault(
                    place_of(claim.law, path),
                    f"{name} is about {claim.of.__name__}, which has no points",
                    "name it in [points] of topic.toml",
                )
            yield from _two_lines(claim, "text", place_of(claim.law, path), report)


def _mutants(topic: Topic, report: Report) -> Iterator[Fault]:
    path = topic.folder / "hidden" / "mutants.py"
    graded = [topic.reference(name) for name in topic.functions]
    for name, value in vars(topic.hidden("mutants")).items():
        if type(value) is Mutant:
            if value.of not in graded:
                yield Fault(
                    place_of(value.act, path),
                    f"{name} is about {value.of.__name__}, which has no points",
                    "name it in [points] of topic.toml",
                )
            yield from _two_lines(value, "hint", place_of(value.act, path), report)
    for name in topic.functions:
        if not topic.mutants(name):
            yield Fault(str(path), f"no wrong idea is about {name}", "write the mistake that trainees make most")


def _two_lines(declared: Any, text: str, place: str, report: Report) -> Iterator[Fault]:
    try:
        found = getattr(declared, text)
    except EcertError as e:
        yield Fault(place, f"{declared.name}: {str(e).partition(': ')[2]}", "write both lines")
        return
    report.texts += 1
    yield from _languages(found.ja, found.en, place, declared.name)


def _languages(ja: str, en: str, place: str, name: str) -> Iterator[Fault]:
    """Kana and kanji tell; an English sentence may quote a word."""
    if not _JAPANESE.search(ja):
        yield Fault(place, f"{name}: the Japanese text is not in Japanese", "write it")
    if len(_JAPANESE.findall(en)) >= len(_LATIN.findall(en)):
        yield Fault(place, f"{name}: the English text is not in English", "write it")


def _alternatives(topic: Topic, report: Report) -> Iterator[Fault]:
    path = topic.folder / "hidden" / "alternatives.py"
    for name in topic.functions:
        if (count := len(topic.alternatives(name))) < LEAST_ALTERNATIVES:
            yield Fault(
                str(path),
                f"{name} has {count} alternative answer{'s' * (count != 1)}",
                "write another: vectorised, or in plain loops",
            )
    if max((len(topic.alternatives(name)) for name in topic.functions), default=0) < 2:
        yield Fault(str(path), f"{topic.name} has no second set of answers", "write one more for a function or two")
    for name, value in vars(topic.hidden("alternatives")).items():
        if type(value) is Alternative and not (value.act.__doc__ or "").strip():
            yield Fault(
                place_of(value.act, path), f"{name} does not say how it differs", "give it a docstring of one line"
            )


def _partial(topic: Topic, report: Report) -> Iterator[Fault]:
    of = {claim.name: name for name in topic.functions for claim in topic.claims(name)}
    for claim, cost in topic.partial.items():
        settings = str(topic.folder / "topic.toml")
        if claim not in of:
            yield Fault(
                settings, f"[partial] names {claim}, which is no claim", "name a claim about a function with points"
            )
        elif not 0 < cost < topic.points[of[claim]]:
            yield Fault(
                settings,
                f"[partial] {claim} costs {cost:g} of {topic.points[of[claim]]:g}",
                "a part is more than nothing and less than the whole",
            )


def _title(topic: Topic, report: Report) -> Iterator[Fault]:
    settings = str(topic.folder / "topic.toml")
    if not topic.title.ja.strip() or not topic.title.en.strip():  # "MobileNet" is a title in both languages
        yield Fault(settings, "the title is missing in a language", "write title = { ja = …, en = … }")
    for name, points in topic.points.items():
        if points <= 0:
            yield Fault(settings, f"{name} has {points:g} points", "give it more than 0")


def _coverage(topic: Topic, report: Report) -> Iterator[Fault]:
    path = topic.folder / "coverage.toml"
    if not path.is_file():
        return
    known = set(topic.functions) | {claim.name for name in topic.functions for claim in topic.claims(name)}
    for module in (topic.hidden("properties"), topic.hidden("mutants"), *topic.modules):
        known |= set(vars(module))
    try:
        concepts = tomllib.loads(path.read_text(encoding="utf-8")).get("concept", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        yield Fault(str(path), str(e), "mend the file")
        return
    for concept in concepts:
        name = concept.get("id", "a concept without id")
        yield from _languages(concept.get("ja", ""), concept.get("en", ""), str(path), name)
        for by in sorted(set(concept.get("by", ())) - known):
            yield Fault(
                str(path),
                f"{name}: {by} is neither a function, nor a claim, nor a wrong idea",
                "name what exercises it",
            )
        if not concept.get("by") and not concept.get("question"):
            yield Fault(str(path), f"{name} is exercised by nothing", "name what does, or say question = true")
    report.texts += len(concepts)


def _notebook(topic: Topic, report: Report) -> Iterator[Fault]:
    for found in build.faults(topic):
        place, _, what = str(found).partition(": ")
        yield Fault(place, what or place, "mend the cell")


def _leaks(topic: Topic, report: Report) -> Iterator[Fault]:
    for lang in ("ja", "en"):
        for found in build.leaks(topic, build.files(topic, lang)):
            place, _, what = str(found).partition(": ")
            yield Fault(place, what or place, "take it out of what is released")
