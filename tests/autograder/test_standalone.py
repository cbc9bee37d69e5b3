"""References, alternatives and wrong ideas of the course as source that runs without it."""

import sys

import numpy as np
import pytest

from autograder.course import find_content
from autograder.standalone import source_of

CONTENT = find_content()


@pytest.mark.parametrize("name", CONTENT.order)
def test_every_function_stands_alone_and_imports_nothing_of_ours(name, monkeypatch):
    topic = CONTENT.topic(name)
    made = [
        (function, source_of(what, function))
        for function in topic.functions
        for what in (topic.reference(function), *topic.alternatives(function), *topic.mutants(function))
    ]
    for ours in [m for m in sys.modules if m.split(".")[0] in {"reference", "autograder", "_hidden"}]:
        monkeypatch.setitem(sys.modules, ours, None)  # importing it raises
    for function, source in made:
        space: dict[str, object] = {}
        exec(compile(source, "cell", "exec"), space)
        assert callable(space[function])
        assert {n for n in space if not n.startswith("_")} == {function}


def test_a_wrong_idea_acts_as_the_author_wrote_it():
    topic = CONTENT.topic("mobilenet")
    arguments = (7, 5, 4, 6, 3, 2, 1)
    for mutant in topic.mutants("conv_cost"):
        space: dict[str, object] = {}
        exec(source_of(mutant, "conv_cost"), space)
        assert np.array_equal(space["conv_cost"](*arguments), mutant(*arguments))  # type: ignore[operator]
