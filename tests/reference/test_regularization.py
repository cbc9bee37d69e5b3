"""The reference of regularization against torch, laws and numbers worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import regularization as ref
from reference.regularization import clip_by_global_norm

rounds = settings(max_examples=50, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)

W = np.array([1.0, -2.0, 0.0, 0.5])
G = np.array([0.1, 0.2, -0.3, 0.0])


def assert_all_close(actual, expected, rtol=1e-12, atol=1e-15):
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=rtol, atol=atol)


# Penalties


def test_penalties_match_the_worked_example():
    assert_all_close(ref.l1_penalty(W, 0.1), (0.35, [0.1, -0.1, 0.0, 0.1]))
    assert_all_close(ref.l2_penalty(W, 0.1), (0.2625, [0.1, -0.2, 0.0, 0.05]))


@pytest.mark.parametrize("penalty", [ref.l1_penalty, ref.l2_penalty])
@rounds
@given(seeds)
def test_the_gradient_of_a_penalty_is_its_slope(penalty, seed):
    rng = np.random.default_rng(seed)
    w, strength = rng.uniform(0.1, 2, (3, 2)) * rng.choice([-1, 1], (3, 2)), rng.uniform(0.01, 1)
    direction, h = rng.normal(size=w.shape), 1e-5
    slope = (penalty(w + h * direction, strength)[0] - penalty(w - h * direction, strength)[0]) / (2 * h)
    assert np.sum(penalty(w, strength)[1] * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_autograd_differentiates_the_penalties_alike():
    w = torch.tensor([0.3, -1.5, 0.0], dtype=torch.float64, requires_grad=True)
    for penalty, value in ((ref.l1_penalty, 0.2 * w.abs().sum()), (ref.l2_penalty, 0.1 * (w**2).sum())):
        (grad,) = torch.autograd.grad(value, w)
        assert_all_close(penalty(w.detach().numpy(), 0.2), (value.item(), grad.numpy()))


def test_a_proximal_l1_pull_reaches_zero_and_l2_never_does():
    small, lr, strength = np.array([0.03]), 0.1, 0.5
    assert abs(small[0]) < lr * ref.l1_penalty(small, strength)[1][0]
    for _ in range(100):
        small = small - lr * ref.l2_penalty(small, strength)[1]
    assert 0 < small[0] < 1e-3


# AdamW


def test_adamw_matches_the_worked_examples():
    zeros = np.zeros(4)
    coupled = ref.adamw_step(W, G, zeros, zeros, 1, 0.01, weight_decay=0.1, decoupled=False)
    expected = (
        [0.9900000004999999, -2.0, 0.00999999966666668, 0.4900000019999996],
        [0.019999999999999997, 0.0, -0.029999999999999992, 0.004999999999999999],
        [4.0000000000000044e-05, 0.0, 9.000000000000007e-05, 2.5000000000000027e-06],
    )
    assert_all_close(coupled, expected)
    decoupled = ref.adamw_step(W, G, zeros, zeros, 1, 0.01, weight_decay=0.1)
    expected = (
        [0.9890000009999999, -2.0079999995000004, 0.00999999966666668, 0.4995],
        [0.009999999999999998, 0.019999999999999997, -0.029999999999999992, 0.0],
        [1.0000000000000011e-05, 4.0000000000000044e-05, 9.000000000000007e-05, 0.0],
    )
    assert_all_close(decoupled, expected)
    later = ref.adamw_step(W, G, np.full(4, 0.05), np.full(4, 0.01), 3, 0.01, weight_decay=0.0)
    expected = (
        [0.9988889417201682, -2.001311103693419, -0.0003018110551640437, 0.49909049745148476],
        [0.05500000000000001, 0.065, 0.015000000000000013, 0.045000000000000005],
        [0.01, 0.01003, 0.01008, 0.00999],
    )
    assert_all_close(later, expected)


@pytest.mark.parametrize(("decoupled", "optimiser"), [(True, torch.optim.AdamW), (False, torch.optim.Adam)])
@pytest.mark.parametrize("seed", range(20))
def test_five_steps_are_those_of_torch(decoupled, optimiser, seed):
    rng = np.random.default_rng(seed)
    w = rng.normal(size=(2, 3))
    lr, decay, betas = rng.uniform(1e-3, 0.1), rng.uniform(0, 0.5), (rng.uniform(0.5, 0.95), rng.uniform(0.8, 0.999))
    parameter = torch.nn.Parameter(torch.tensor(w))
    theirs = optimiser([parameter], lr=lr, betas=betas, weight_decay=decay)
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, 6):
        grad = rng.normal(size=w.shape)
        parameter.grad = torch.tensor(grad)
        theirs.step()
        w, m, v = ref.adamw_step(w, grad, m, v, t, lr, *betas, 1e-8, decay, decoupled)
        np.testing.assert_allclose(w, parameter.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_without_decay_the_two_ways_are_one():
    state = G, 0.1 * G, G**2 + 0.01, 4
    assert_all_close(*(ref.adamw_step(W, *state, weight_decay=0.0, decoupled=way) for way in (True, False)))


# Dropout


def test_dropout_matches_the_worked_examples():
    u = np.array([0.1, 0.25, 0.9, 0.3])
    assert_all_close(ref.dropout(W, 0.25, u, True), ([0, -8 / 3, 0, 2 / 3], [0, 4 / 3, 4 / 3, 4 / 3]))
    assert_all_close(ref.dropout(W, 0.25, u, True, False), ([0, -2, 0, 0.5], [0, 1, 1, 1]))
    assert_all_close(ref.dropout(W, 0.25, 0 * u, False, False), ([0.75, -1.5, 0, 0.375], [0.75] * 4))
    assert_all_close(ref.dropout(W, 0.25, u, False), (W, np.ones(4)))


@pytest.mark.parametrize("inverted", [True, False])
@rounds
@given(seeds)
def test_training_agrees_with_test_time_on_average(inverted, seed):
    rng = np.random.default_rng(seed)
    x, p = rng.normal(size=5), rng.uniform(0, 0.9)
    many = ref.dropout(np.tile(x, (20000, 1)), p, rng.random((20000, 5)), True, inverted)[0]
    at_test = ref.dropout(x, p, rng.random(5), False, inverted)[0]
    spread = np.abs(many).max(axis=0) / 2
    assert np.all(np.abs(many.mean(axis=0) - at_test) < 6 * spread / np.sqrt(20000) + 1e-12)


def test_nonzero_entries_are_scaled_as_in_torch():
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64)
    theirs = torch.nn.functional.dropout(x, 0.3, training=True)
    u = np.where(theirs.numpy() != 0, 0.9, 0.0)
    np.testing.assert_allclose(ref.dropout(x.numpy(), 0.3, u, True)[0], theirs.numpy(), rtol=1e-12)


# Early stopping


@pytest.mark.parametrize(
    ("losses", "patience", "expected"),
    [
        ([1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71], 2, (5, 3)),
        ([1.0, 0.8, 0.9, 0.85, 0.82], 3, (4, 1)),
        ([1.0, np.nan, np.nan], 2, (2, 0)),
        ([1.0, 1.0, 1.0], 2, (2, 0)),
        ([3.0, 2.0, 1.0], 1, (2, 2)),
        ([1.0], 1, (0, 0)),
    ],
)
def test_early_stopping_matches_the_worked_examples(losses, patience, expected):
    assert ref.early_stopping(losses, patience) == expected
    assert ref.early_stopping(np.array(losses), patience) == expected


@rounds
@given(st.lists(st.integers(0, 7).map(lambda q: q / 4), min_size=1, max_size=15), st.integers(1, 4))
def test_the_best_epoch_is_the_first_minimum_of_what_was_run(losses, patience):
    stop, best = ref.early_stopping(losses, patience)
    assert best == int(np.argmin(losses[: stop + 1]))
    assert stop == len(losses) - 1 or stop - best == patience
    assert all(min(losses[:e]) > min(losses[: e + patience]) for e in range(1, stop - patience + 1))


def test_a_small_fall_is_no_improvement_but_several_together_are():
    losses = [1.0, 0.9, 0.8, 0.7, 0.6]
    assert ref.early_stopping(losses, 2, min_delta=0.25) == (2, 0)
    assert ref.early_stopping(losses, 3, min_delta=0.25) == (4, 3)


# Labels and mixtures


def test_smoothing_matches_the_worked_example():
    expected = [[0.025, 0.025, 0.925, 0.025], [0.925, 0.025, 0.025, 0.025]]
    assert_all_close(ref.smooth_labels(np.array([2, 0]), 4, 0.1), expected)


@rounds
@given(seeds)
def test_cross_entropy_with_smoothed_labels_is_that_of_torch(seed):
    rng = np.random.default_rng(seed)
    n, k, s = rng.integers(1, 5), rng.integers(2, 6), rng.uniform(0, 1)
    logits, labels = torch.tensor(rng.normal(size=(n, k))), rng.integers(k, size=n)
    theirs = torch.nn.functional.cross_entropy(logits, torch.tensor(labels), label_smoothing=s)
    soft = torch.tensor(ref.smooth_labels(labels, int(k), s))
    assert -(soft * logits.log_softmax(dim=1)).sum(dim=1).mean().item() == pytest.approx(theirs.item(), rel=1e-12)


def test_mixup_matches_the_worked_example():
    mixed = ref.mixup(np.array([[0.0, 2.0], [4.0, 6.0]]), np.eye(2), 0.25, np.array([1, 0]))
    assert_all_close(mixed, ([[3, 5], [1, 3]], [[0.25, 0.75], [0.75, 0.25]]))


@rounds
@given(seeds)
def test_mixtures_lie_between_and_keep_the_means(seed):
    rng = np.random.default_rng(seed)
    n, mix = rng.integers(1, 6), rng.uniform(0, 1)
    x, targets, perm = rng.normal(size=(n, 2, 2)), rng.dirichlet(np.ones(3), n), rng.permutation(n)
    mixed, soft = ref.mixup(x, targets, mix, perm)
    np.testing.assert_allclose(mixed.mean(axis=0), x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(soft.sum(axis=1), 1)
    assert np.all((mixed - x) * (mixed - x[perm]) <= 1e-12)


# Clipping


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


# Arguments


def test_no_function_changes_its_arguments():
    w, u, x, eye = W.copy(), np.full(4, 0.5), np.arange(6.0).reshape(3, 2), np.eye(3)
    grads, m, v, losses = [np.array([3.0, 4.0])], np.full(4, 0.1), np.ones(4), np.array([1.0, np.nan])
    kept = [a.copy() for a in (w, u, x, eye, grads[0], m, v, losses)]
    ref.l1_penalty(w, 1.0), ref.l2_penalty(w, 1.0), ref.dropout(w, 0.5, u, True), ref.early_stopping(losses, 1)
    ref.adamw_step(w, u, m, v, 1), ref.adamw_step(w, u, m, v, 1, decoupled=False)
    ref.mixup(x, eye, 0.3, np.array([2, 0, 1])), clip_by_global_norm(grads, 1.0)
    for before, after in zip(kept, (w, u, x, eye, grads[0], m, v, losses), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_a_bound_that_is_not_above_zero_is_refused_by_name(bound):
    with pytest.raises(ValueError, match="max_norm"):
        clip_by_global_norm([np.ones(2)], bound)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("strength", lambda: ref.l1_penalty(W, -0.1)),
        ("strength", lambda: ref.l2_penalty(W, -0.1)),
        ("weight_decay", lambda: ref.adamw_step(W, G, G, G, 1, weight_decay=-1.0)),
        ("^t ", lambda: ref.adamw_step(W, G, G, G, 0)),
        ("grad", lambda: ref.adamw_step(W, G[:1], G, G, 1, decoupled=False)),
        ("^m ", lambda: ref.adamw_step(W, G, G[:1], G, 1)),
        ("^p ", lambda: ref.dropout(W, 1.0, W, True)),
        ("^p ", lambda: ref.dropout(W, -0.1, W, False)),
        ("^u ", lambda: ref.dropout(W, 0.5, W[:1], True)),
        ("losses", lambda: ref.early_stopping([], 1)),
        ("patience", lambda: ref.early_stopping([1.0], 0)),
        ("smoothing", lambda: ref.smooth_labels(np.array([0]), 2, 1.5)),
        ("labels", lambda: ref.smooth_labels(np.array([2]), 2, 0.1)),
        ("labels", lambda: ref.smooth_labels(np.array([-1]), 2, 0.1)),
        ("labels", lambda: ref.smooth_labels(np.array([0.5]), 2, 0.1)),
        ("mix", lambda: ref.mixup(np.ones((2, 1)), np.eye(2), 1.5, np.array([1, 0]))),
        ("^x ", lambda: ref.mixup(np.ones((3, 1)), np.eye(2), 0.5, np.array([1, 0]))),
        ("perm", lambda: ref.mixup(np.ones((2, 1)), np.eye(2), 0.5, np.array([0]))),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name, call):
    with pytest.raises(ValueError, match=name):
        call()
