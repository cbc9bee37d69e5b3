"""References, alternatives and wrong ideas of the course as source that runs without it."""

import sys

import numpy as np
import pytest

from autograder.course import find_content
from autograder.standalone import source_of

CONTENT = find_content()
FUNCTIONS = [
    pytest.param(what, function, id=f"{topic.name}-{function}-{getattr(what, 'name', 'reference')}")
    for topic in CONTENT.topics()
    for function in topic.functions
    for what in (topic.reference(function), *topic.alternatives(function), *topic.mutants(function))
]


@pytest.mark.parametrize(("what", "function"), FUNCTIONS)
def test_it_defines_the_function_and_imports_nothing_of_ours(what, function, monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] in {"reference", "autograder", "_hidden"}]:
        monkeypatch.setitem(sys.modules, name, None)  # importing it raises
    space: dict[str, object] = {}
    exec(compile(source_of_before(what, function), "cell", "exec"), space)
    assert callable(space[function])
    assert {name for name in space if not name.startswith("_")} == {function}


SOURCES = {id(p.values[0]): source_of(p.values[0], p.values[1]) for p in FUNCTIONS}


def source_of_before(what, function):
    """Made while our modules can still be imported."""
    return SOURCES[id(what)]


def test_a_wrong_idea_acts_as_the_author_wrote_it():
    topic = CONTENT.topic("mobilenet")
    arguments = (7, 5, 4, 6, 3, 2, 1)
    for mutant in topic.mutants("conv_cost"):
        space: dict[str, object] = {}
        exec(source_of(mutant, "conv_cost"), space)
        assert np.array_equal(space["conv_cost"](*arguments), mutant(*arguments))  # type: ignore[operator]
