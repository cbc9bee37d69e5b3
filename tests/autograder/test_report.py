import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.cohort import sums
from autograder.course import Topic
from autograder.journal import Entry
from autograder.report import page
from autograder.verdict import Status, Text
from tests.autograder.verdicts import HOSTILE, failed, function, submission

TOPIC = Topic(Path(), "topic", Text("課題", "The topic"), "", {"f": 2.0, "g": 2.0})


def entry(student: str, *functions, trouble=None) -> Entry:
    return Entry("topic", student, submission(*functions) if functions else None, trouble)


COHORT = [
    entry("right", function("f"), function("g")),
    entry("one", failed("f", "an_idea"), function("g")),
    entry("two", failed("f", "an_idea"), failed("g")),
    entry("three", failed("f", "rarer"), function("g")),
    entry("stub", function("f", Status.MISSING), function("g", Status.MISSING)),
    entry("late", function("f", Status.TIMEOUT), function("g")),
    entry("ours", function("f", Status.GRADER_ERROR, why=Text("壊れた", "it broke")), function("g")),
    entry(HOSTILE, trouble={"ja": HOSTILE, "en": HOSTILE}),
]


@pytest.fixture(scope="module")
def summed():
    return sums(TOPIC, COHORT)


def test_scores_are_those_of_graded_submissions(summed):
    assert summed.scores == {"right": 4, "one": 2, "two": 0, "three": 2, "stub": 0, "late": 2}
    assert set(summed.ungraded) == {"ours", HOSTILE}


def test_a_fault_of_ours_lowers_nobodys_success(summed):
    f = summed.functions[0]
    assert (f.passed, f.judged) == (1, 6)


def test_wrong_ideas_come_by_frequency(summed):
    assert [(m.name, m.students) for m in summed.functions[0].ideas] == [
        ("an_idea", ("one", "two")),
        ("rarer", ("three",)),
    ]
    assert [(m.name, m.students) for m in summed.functions[1].unnamed] == [("a_law", ("two",))]


def test_who_needs_a_look_is_named_with_the_reason(summed):
    reasons = {look.student: look.reasons[0].en for look in summed.looks}
    assert set(reasons) == {"two", "stub", "late", HOSTILE}
    assert "nothing has been written" in reasons["stub"]
    assert "timeout" in reasons["late"]


def test_the_numbers_are_there_for_machines(summed):
    told = json.loads(json.dumps(summed.as_json()))
    assert told["graded"] == 6
    assert told["functions"][0]["ideas"] == {"an_idea": ["one", "two"], "rarer": ["three"]}


class Strict(HTMLParser):
    """What is open at the end, and everything that acts or loads."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.bad: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br", "rect", "circle", "path", "polyline", "line"}:
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (name in {"src", "href"} and not str(value).startswith("#")):
                self.bad.append(f"{tag} {name}={value}")
        if tag in {"script", "iframe", "object", "link", "img", "form"}:
            self.bad.append(tag)

    def handle_endtag(self, tag):
        if tag in {"rect", "circle", "path", "polyline", "line"}:
            return
        assert self.open.pop() == tag


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_the_page_is_whole_loads_nothing_and_runs_nothing(summed, lang):
    text = page(HOSTILE, [summed], lang)
    parser = Strict()
    parser.feed(text)
    assert (parser.open, parser.bad) == ([], [])
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert "\x1b" not in text
    assert "‮" not in text


def test_faults_of_ours_come_first(summed):
    text = page("course", [summed], "en")
    assert text.index("it broke") < text.index("Overview") < text.index("an_idea")


def test_both_languages_say_the_same_numbers(summed):
    numbers = [re.findall(r"\d+ / \d+|>\d+<", page("c", [summed], lang)) for lang in ("ja", "en")]
    assert sorted(numbers[0]) == sorted(numbers[1])


def test_an_empty_cohort_has_a_page():
    assert "<h1>" in page("c", [sums(TOPIC, [])], "ja")
