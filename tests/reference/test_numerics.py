"""Stable formulas against torch, exact arithmetic and the plain formulas where these do not overflow."""

import math
from decimal import Decimal, getcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from reference.numerics import log_sigmoid, log_softmax, logsumexp, one_hot, sigmoid, softmax, softplus

rounds = settings(max_examples=60, deadline=None, database=None)
scores = arrays(float, array_shapes(min_dims=1, max_dims=3, max_side=4), elements=st.floats(-1000, 1000))
shift = st.floats(-1000, 1000)
ENTRYWISE = {
    sigmoid: torch.sigmoid,
    softplus: torch.nn.functional.softplus,
    log_sigmoid: torch.nn.functional.logsigmoid,
}
ALONG_AXIS = {softmax: torch.softmax, log_softmax: torch.log_softmax, logsumexp: torch.logsumexp}


def close(actual, expected, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=atol)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("function", ENTRYWISE, ids=lambda f: f.__name__)
@rounds
@given(x=scores)
def test_entrywise_functions_agree_with_torch_without_a_warning(function, x):
    # torch's softplus turns linear above 20, where it is within e^-20 of the curve
    close(function(x), ENTRYWISE[function](torch.tensor(x)).numpy(), atol=3e-9 if function is softplus else 1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("function", ALONG_AXIS, ids=lambda f: f.__name__)
@rounds
@given(x=scores, data=st.data())
def test_functions_along_an_axis_agree_with_torch_without_a_warning(function, x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    close(function(x, axis), ALONG_AXIS[function](torch.tensor(x), dim=axis).numpy())


@pytest.mark.parametrize("x", [-700.5, -40.0, -1e-9, 0.0, 0.3, 36.0, 700.5])
def test_every_digit_of_the_sigmoid_family_is_right(x):
    getcontext().prec = 700
    e = Decimal(x).exp()
    for function, exact in ((sigmoid, e / (1 + e)), (softplus, (1 + e).ln()), (log_sigmoid, (e / (1 + e)).ln())):
        assert math.isclose(function(np.array(x)), float(exact), rel_tol=1e-15), function.__name__


@rounds
@given(x=scores)
def test_the_last_axis_is_the_default(x):
    for function in ALONG_AXIS:
        close(function(x), function(x, -1))


@rounds
@given(x=scores)
def test_probabilities_sum_to_one_and_log_softmax_is_their_logarithm(x):
    p = softmax(x)
    close(p.sum(axis=-1), 1)
    close(np.exp(log_softmax(x)), p)


@rounds
@given(x=scores, c=shift)
def test_a_common_shift_changes_no_probability_and_moves_logsumexp_along(x, c):
    np.testing.assert_allclose(softmax(x + c), softmax(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(logsumexp(x + c), logsumexp(x) + c, rtol=1e-12, atol=1e-9)


@rounds
@given(x=scores)
def test_two_classes_give_the_sigmoid_of_the_difference(x):
    close(softmax(np.stack([x, 0 * x], axis=-1))[..., 0], sigmoid(x))
    close(logsumexp(np.stack([x, 0 * x], axis=-1)), softplus(x))
    close(sigmoid(x) + sigmoid(-x), 1)


def test_scores_far_apart_keep_finite_logarithms():
    far = np.array([0.0, 800.0])
    assert log_softmax(far).tolist() == [-800.0, 0.0]
    assert log_sigmoid(np.array(-800.0)) == -800.0
    assert softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]


@pytest.mark.filterwarnings("error")
def test_minus_infinity_is_a_probability_of_zero():
    x = np.array([[0.0, -np.inf], [-np.inf, -np.inf]])
    assert softmax(x[:1]).tolist() == [[1.0, 0.0]]
    assert logsumexp(x).tolist() == [0.0, -np.inf]


@pytest.mark.parametrize("function", [*ENTRYWISE, *ALONG_AXIS], ids=lambda f: f.__name__)
def test_float32_stays_float32(function):
    assert function(np.float32([[0.5, -2.0]])).dtype == np.float32


@rounds
@given(labels=arrays(int, array_shapes(min_dims=0, max_dims=3, max_side=4), elements=st.integers(0, 4)))
def test_one_hot_is_one_at_the_label_and_zero_elsewhere(labels):
    hot = one_hot(labels, 5)
    assert hot.shape == (*labels.shape, 5)
    assert (hot == (labels[..., None] == np.arange(5))).all()
