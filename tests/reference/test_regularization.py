"""The reference of regularization against torch, laws and numbers worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.regularization import clip_by_global_norm

rounds = settings(max_examples=50, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def gradients(seed):
    """Arrays of one to three axes, and a bound that binds in about half of the cases."""
    rng = np.random.default_rng(seed)
    grads = [rng.normal(size=rng.integers(1, 4, axes)) for axes in rng.integers(1, 4, rng.integers(1, 5))]
    return grads, float(np.sqrt(sum(g.size for g in grads)) * rng.uniform(0.2, 2))


def test_clipping_matches_the_worked_example():
    clipped, norm = clip_by_global_norm([np.array([3.0, 0.0]), np.array([[4.0]])], 1.0)
    assert norm == 5.0
    assert [g.tolist() for g in clipped] == [[0.6000000000000001, 0.0], [[0.8]]]


@rounds
@given(seeds)
def test_clipping_agrees_with_torch(seed):
    grads, bound = gradients(seed)
    clipped, norm = clip_by_global_norm(grads, bound)
    parameters = [torch.zeros(g.shape, dtype=torch.float64) for g in grads]
    for parameter, g in zip(parameters, grads):
        parameter.grad = torch.tensor(g)
    assert float(torch.nn.utils.clip_grad_norm_(parameters, bound)) == pytest.approx(norm, rel=1e-12)
    for parameter, g in zip(parameters, clipped):
        np.testing.assert_allclose(parameter.grad.numpy(), g, rtol=1e-4)  # torch adds 1e-6 to the norm


@rounds
@given(seeds)
def test_clipping_keeps_the_direction_and_never_lengthens(seed):
    grads, bound = gradients(seed)
    clipped, norm = clip_by_global_norm(grads, bound)
    before, after = (np.concatenate([g.ravel() for g in each]) for each in (grads, clipped))
    assert np.linalg.norm(after) == pytest.approx(min(norm, bound), rel=1e-12)
    np.testing.assert_allclose(after * norm, before * np.linalg.norm(after), rtol=1e-12)


def test_gradients_of_zero_stay_zero():
    clipped, norm = clip_by_global_norm([np.zeros((2, 2)), np.zeros(3)], 0.5)
    assert norm == 0.0
    assert not any(g.any() for g in clipped)


def test_clipping_leaves_its_arguments_alone():
    grads = [np.array([3.0, 4.0])]
    clip_by_global_norm(grads, 1.0)
    assert grads[0].tolist() == [3.0, 4.0]


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_a_bound_that_is_not_above_zero_is_refused_by_name(bound):
    with pytest.raises(ValueError, match="max_norm"):
        clip_by_global_norm([np.ones(2)], bound)
