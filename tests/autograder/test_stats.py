import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.stats import histogram, quantile, wilson

counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_the_interval_holds_the_share_and_lies_within_0_and_1(count):
    successes, trials = count
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1


@given(counts)
def test_failures_mirror_successes(count):
    successes, trials = count
    low, high = wilson(successes, trials)
    mirrored = wilson(trials - successes, trials)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((low, high), abs=1e-12)


@given(counts)
def test_the_ends_are_where_the_score_test_just_rejects(count):
    successes, trials = count
    share = successes / trials
    for end in wilson(successes, trials):
        if 0 < end < 1:
            assert abs(share - end) / math.sqrt(end * (1 - end) / trials) == pytest.approx(1.959964, abs=1e-4)


def test_wilson_agrees_with_published_values():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_without_trials_nothing_is_known():
    assert wilson(0, 0) == (0, 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.floats(0, 1))
def test_quantiles_agree_with_numpy(values, q):
    import numpy as np

    assert quantile(values, q) == pytest.approx(float(np.quantile(values, q)), rel=1e-9, abs=1e-6)


@given(st.lists(st.floats(0, 20), max_size=200), st.integers(1, 30))
def test_a_histogram_counts_each_value_once(values, bins):
    assert sum(histogram(values, 20, bins)) == len(values)


def test_full_marks_lie_in_the_last_part():
    assert histogram([20, 0, 9.99, 10], 20, 2) == (2, 2)


@pytest.mark.parametrize("wrong", [lambda: wilson(3, 2), lambda: quantile([], 0.5), lambda: histogram([21], 20)])
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValueError):
        wrong()
