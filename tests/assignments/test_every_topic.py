"""Every topic of the course is whole: what `ecert check` says of it, in one round."""

from pathlib import Path

import pytest

from autograder import lint
from autograder.course import Content

CONTENT = Content.at(Path(__file__).resolve().parents[2])


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTENT.order)
def test_a_topic_has_no_fault(name):
    report = lint.check(CONTENT, name)
    assert report.rounds == 1
    assert not report.faults, "\n".join(map(str, report.faults))
