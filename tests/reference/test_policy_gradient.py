"""Policies and their losses against enumeration, differences, autograd, other formulas, and golden values."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from reference.mdp_planning_torch import policy_evaluation_torch
from reference.policy_gradient import (
    a2c_loss,
    exact_gradient,
    gae,
    ppo_clip_loss,
    reinforce_gradient,
    rewards_to_go,
    softmax_policy,
)
from reference.policy_gradient_torch import a2c_loss_torch, ppo_clip_loss_torch
from reference.td_learning import n_step_targets

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
units = st.floats(0, 1, allow_subnormal=False)
thorough = settings(max_examples=40, deadline=None, derandomize=True)


def tensors(*arguments, dtype=torch.float64):
    """Arrays of floats as leaves with a gradient, other arrays as they are."""
    made = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            tensor = torch.from_numpy(argument)
            argument = tensor.to(dtype).requires_grad_() if tensor.is_floating_point() else tensor
        made.append(argument)
    return made


def enumerated(P, R, pi, gamma, start, ends, horizon):
    """Return and discounted visits by walking every path of the chain, until nothing is left of γᵗ."""
    J, visits, at = 0.0, np.zeros(len(R)), np.where(ends, 0.0, start)
    for t in range(horizon):
        visits += gamma**t * at
        J += gamma**t * sum(at[s] * pi[s, a] * R[s, a] for s, a in product(*map(range, R.shape)))
        at = np.where(ends, 0.0, sum(at[s] * pi[s, a] * P[s, a] for s, a in product(*map(range, R.shape))))
    return J, visits


@thorough
@given(seeds, st.integers(1, 4))
def test_the_score_is_what_autograd_makes_of_log_pi(rng, A):
    logits, actions = 3 * rng.normal(size=(5, A)), rng.integers(A, size=5)
    logp, score = softmax_policy(logits, actions)
    (leaf,) = tensors(logits)
    policy = torch.distributions.Categorical(logits=leaf)
    policy.log_prob(torch.from_numpy(actions)).sum().backward()
    assert_allclose(logp, torch.log_softmax(leaf, 1).detach(), atol=1e-12)
    assert_allclose(score, leaf.grad, atol=1e-12)


def test_logits_of_any_size_leave_the_policy_finite():
    logp, score = softmax_policy(np.array([[1000.0, -1000, 0]]), np.array([1]))
    assert_array_equal(logp, [[0, -2000, -1000]])
    assert_array_equal(score, [[-1, 1, 0]])


@thorough
@given(seeds, units, st.integers(1, 8))
def test_rewards_to_go_of_one_episode_are_its_longest_n_step_returns(rng, gamma, T):
    rewards, last = rng.normal(size=T), rng.normal()
    values = np.append(rng.normal(size=T), last)
    expected = n_step_targets(rewards, values, gamma, T)
    assert_allclose(rewards_to_go(rewards, np.zeros(T, bool), gamma, last), expected, atol=1e-12)


@thorough
@given(seeds, units, units, st.integers(2, 9), st.data())
def test_several_episodes_in_a_row_are_the_episodes_one_by_one(rng, gamma, lam, T, data):
    cut = data.draw(st.integers(1, T - 1))
    rewards, values, dones = rng.normal(size=T), rng.normal(size=T + 1), np.arange(T) == cut - 1
    one, two = slice(0, cut), slice(cut, T)
    returns = rewards_to_go(rewards, dones, gamma, 5.0)
    assert_allclose(returns[one], rewards_to_go(rewards[one], dones[one], gamma, -7.0), atol=1e-12)
    assert_allclose(returns[two], rewards_to_go(rewards[two], dones[two], gamma, 5.0), atol=1e-12)
    whole = gae(rewards, values, dones, gamma, lam)
    first = gae(rewards[one], values[: cut + 1], dones[one], gamma, lam)
    second = gae(rewards[two], values[cut:], dones[two], gamma, lam)
    assert_allclose(whole, np.concatenate((first, second), axis=1), atol=1e-12)


@thorough
@given(seeds, units, units, st.integers(1, 8))
def test_the_targets_of_gae_are_mixtures_of_n_step_returns(rng, gamma, lam, T):
    rewards, values = rng.normal(size=T), rng.normal(size=T + 1)
    returns = [n_step_targets(rewards, values, gamma, n) for n in range(1, T + 1)]
    mixed = np.zeros(T)
    for t in range(T):
        m = T - t
        weights = [(1 - lam) * lam ** (n - 1) for n in range(1, m)] + [lam ** (m - 1)]
        mixed[t] = sum(weight * returns[n][t] for n, weight in enumerate(weights))
    advantages, targets = gae(rewards, values, np.zeros(T, bool), gamma, lam)
    assert_allclose(targets, mixed, atol=1e-12)
    assert_allclose(advantages, mixed - values[:-1], atol=1e-12)


def world(rng, S, A, ends):
    terminal = np.arange(S) >= S - ends
    return rng.dirichlet(np.ones(S), size=(S, A)), rng.normal(size=(S, A)), rng.dirichlet(np.ones(S)), terminal


@thorough
@given(seeds, st.integers(2, 4), st.integers(1, 3), st.integers(0, 1), st.floats(0, 0.9))
def test_the_exact_gradient_is_what_autograd_makes_of_the_linear_solve(rng, S, A, ends, gamma):
    P, R, start, terminal = world(rng, S, A, ends)
    logits = rng.normal(size=(S, A))
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    p, r, leaf, weights = tensors(P, R, logits, start)
    V = policy_evaluation_torch(p, r, leaf.softmax(1), gamma, torch.from_numpy(terminal))
    total = (weights * V).sum()
    total.backward()
    assert_allclose(J, total.item(), rtol=1e-10, atol=1e-12)
    assert_allclose(grad, leaf.grad, atol=1e-10)
    # The reward of (s, a) enters J with the weight visits(s) π(a|s).
    assert_allclose(visits, r.grad.sum(1), atol=1e-10)


@thorough
@given(seeds, st.integers(2, 4), st.integers(0, 1), st.floats(0, 0.7))
def test_return_and_visits_are_those_of_walking_every_path(rng, S, ends, gamma):
    P, R, start, terminal = world(rng, S, 2, ends)
    logits = rng.normal(size=(S, 2))
    pi = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    J, visits = enumerated(P, R, pi, gamma, start, terminal, 80)
    found = exact_gradient(P, R, logits, gamma, start, terminal)
    assert_allclose(found[0], J, atol=1e-10)
    assert_allclose(found[2], visits, atol=1e-10)


def test_without_discount_a_world_that_ends_still_has_a_gradient():
    P = np.array([[[0.5, 0.5], [0, 1.0]], [[1, 0], [1, 0]]])  # action 0 stays with probability ½, action 1 ends
    R, start, ends = np.array([[1.0, 0], [9, 9]]), np.array([1.0, 0]), np.array([False, True])
    logits = np.zeros((2, 2))
    J, grad, visits = exact_gradient(P, R, logits, 1.0, start, ends)
    assert_allclose(J, 2 / 3)  # V = ½(1 + ½V)
    assert_allclose(visits, [4 / 3, 0])
    assert_allclose(grad, [[4 / 3 * 0.5 * 2 / 3, -4 / 3 * 0.5 * 2 / 3], [0, 0]])


@thorough
@given(seeds, st.floats(0, 1), st.booleans())
def test_reinforce_has_the_exact_gradient_as_its_mean_over_all_episodes(rng, gamma, has_baseline):
    """A tree of two steps: 0, then 1 or 2 by chance, then the end 3."""
    logits, R = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    P = np.zeros((4, 2, 4))
    P[0, :, 1] = rng.random(2)
    P[0, :, 2] = 1 - P[0, :, 1]
    P[1:, :, 3] = 1
    baseline = rng.normal(size=4) if has_baseline else None
    pi = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    mean = np.zeros((4, 2))
    for a, s, b in product((0, 1), (1, 2), (0, 1)):
        states, actions = np.array([0, s]), np.array([a, b])
        chance = pi[0, a] * P[0, a, s] * pi[s, b]
        mean += chance * reinforce_gradient(logits, states, actions, R[states, actions], gamma, baseline)
    expected = exact_gradient(P, R, logits, gamma, np.eye(4)[0], np.arange(4) == 3)[1]
    assert_allclose(mean, expected, atol=1e-12)


@thorough
@given(seeds, units, st.booleans())
def test_reinforce_is_what_autograd_makes_of_weighted_log_likelihoods(rng, gamma, discount):
    logits, baseline = rng.normal(size=(3, 2)), rng.normal(size=3)
    states, actions, rewards = rng.integers(3, size=6), rng.integers(2, size=6), rng.normal(size=6)
    returns = [sum(gamma**k * r for k, r in enumerate(rewards[t:])) for t in range(6)]
    (leaf,) = tensors(logits)
    logp = leaf.log_softmax(1)
    total = sum(
        (gamma**t if discount else 1) * (G - baseline[s]) * logp[s, a]
        for t, (s, a, G) in enumerate(zip(states, actions, returns, strict=True))
    )
    total.backward()
    found = reinforce_gradient(logits, states, actions, rewards, gamma, baseline, discount)
    assert_allclose(found, leaf.grad, atol=1e-12)


def test_a_baseline_changes_the_variance_and_not_the_mean():
    variances = []
    for b in range(5):  # one state, two equally likely actions, returns 3 and 1
        each = [
            reinforce_gradient(np.zeros((1, 2)), np.array([0]), np.array([a]), np.array([r]), 1.0, np.array([b * 1.0]))
            for a, r in ((0, 3.0), (1, 1.0))
        ]
        first = np.array(each)[:, 0, 0]
        assert first.mean() == 0.5
        variances.append(first.var())
    assert_array_equal(variances, [1, 0.25, 0, 0.25, 1])


def test_an_empty_log_gives_empty_returns_and_no_gradient():
    nothing, none, no_flags = np.zeros(0), np.zeros(0, int), np.zeros(0, bool)
    assert rewards_to_go(nothing, no_flags, 0.9, 3.0).shape == (0,)
    assert [part.shape for part in gae(nothing, np.ones(1), no_flags, 0.9, 0.5)] == [(0,), (0,)]
    assert_array_equal(reinforce_gradient(np.ones((2, 3)), none, none, nothing, 0.9), np.zeros((2, 3)))


def test_a_single_action_leaves_nothing_to_learn():
    assert_array_equal(softmax_policy(np.array([[5.0]]), np.array([0])), [[[0]], [[0]]])
    loss, dlogits, _ = a2c_loss(np.ones((2, 1)), np.ones(2), np.zeros(2, int), np.ones(2), np.ones(2))
    assert loss == 0
    assert_array_equal(dlogits, np.zeros((2, 1)))


def judged(rng, N=5, A=3):
    """The arguments of `a2c_loss`."""
    logits, values, actions = 2 * rng.normal(size=(N, A)), rng.normal(size=N), rng.integers(A, size=N)
    return logits, values, actions, rng.normal(size=N), rng.normal(size=N)


@thorough
@given(seeds, st.floats(0, 1), st.floats(0, 1))
def test_the_loss_of_actor_and_critic_is_that_of_torch_with_its_gradients(rng, value_coef, entropy_coef):
    batch = judged(rng)
    loss, dlogits, dvalues = a2c_loss(*batch, value_coef, entropy_coef)
    logits, values, actions, advantages, returns = tensors(*batch)
    policy = torch.distributions.Categorical(logits=logits)
    actor = -(policy.log_prob(actions) * advantages.detach()).mean()
    critic = torch.nn.functional.mse_loss(values, returns.detach())
    expected = actor + value_coef * critic - entropy_coef * policy.entropy().mean()
    expected.backward()
    assert_allclose(loss, expected.item(), rtol=1e-10, atol=1e-12)
    assert_allclose(dlogits, logits.grad, atol=1e-10)
    assert_allclose(dvalues, values.grad, atol=1e-10)


def near(rng, N=6, A=3):
    """The arguments of `ppo_clip_loss` but the range: old policies not far from the new one."""
    logits, actions = rng.normal(size=(N, A)), rng.integers(A, size=N)
    old = softmax_policy(logits + 0.5 * rng.normal(size=(N, A)), actions)[0][np.arange(N), actions]
    return logits, actions, old, rng.normal(size=N)


@thorough
@given(seeds, st.floats(0.05, 0.5))
def test_the_clipped_loss_is_that_of_torch_with_its_gradient(rng, clip_range):
    batch = near(rng)
    loss, dlogits, ratio = ppo_clip_loss(*batch, clip_range)
    logits, actions, old, advantages = tensors(*batch)
    r = (torch.distributions.Categorical(logits=logits).log_prob(actions) - old.detach()).exp()
    clipped = torch.clamp(r, 1 - clip_range, 1 + clip_range) * advantages.detach()
    expected = -torch.min(r * advantages.detach(), clipped).mean()
    expected.backward()
    assert_allclose(loss, expected.item(), rtol=1e-10, atol=1e-12)
    assert_allclose(dlogits, logits.grad, atol=1e-10)
    assert_allclose(ratio, r.detach(), rtol=1e-10)


def test_before_the_first_step_the_gradient_of_ppo_is_that_of_the_actor():
    rng = np.random.default_rng(0)
    logits, values, actions, advantages, returns = judged(rng)
    own = softmax_policy(logits, actions)[0][np.arange(5), actions]
    _, dlogits, ratio = ppo_clip_loss(logits, actions, own, advantages)
    assert_allclose(ratio, 1)
    assert_allclose(dlogits, a2c_loss(logits, values, actions, advantages, returns, 0.0, 0.0)[1], atol=1e-14)


@thorough
@given(seeds, st.sampled_from([torch.float64, torch.float32]))
def test_losses_on_tensors_are_those_on_arrays_and_leave_constants_alone(rng, dtype):
    exact = dtype == torch.float64
    for array_loss, tensor_loss, batch, moved in (
        (a2c_loss, a2c_loss_torch, (*judged(rng), 0.25, 0.1), 2),
        (ppo_clip_loss, ppo_clip_loss_torch, (*near(rng), 0.2), 1),
    ):
        expected, *parts = array_loss(*batch)
        arguments = tensors(*batch, dtype=dtype)
        found = tensor_loss(*arguments)
        assert found.dtype == dtype
        assert found.shape == ()
        found.backward()
        assert_allclose(found.item(), expected, rtol=1e-10 if exact else 1e-4, atol=1e-12 if exact else 1e-5)
        leaves = [t for t in arguments if isinstance(t, torch.Tensor) and t.requires_grad]
        for leaf, gradient in zip(leaves[:moved], parts[:moved], strict=True):
            assert_allclose(leaf.grad, gradient, atol=1e-10 if exact else 1e-4)
        assert all(leaf.grad is None for leaf in leaves[moved:])


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_twins_stay_on_the_device():
    rng = np.random.default_rng(0)
    assert a2c_loss_torch(*(t.cuda() for t in tensors(*judged(rng)))).is_cuda
    assert ppo_clip_loss_torch(*(t.cuda() for t in tensors(*near(rng)))).is_cuda


REWARDS, VALUES = np.array([1.0, 0, -2, 3]), np.array([0.5, 1, -1, 2, 4])
DONES = np.array([False, True, False, False])


def assert_golden(found, expected):
    for part, right in zip(found, expected, strict=True):
        assert_allclose(part, right, rtol=1e-14, atol=1e-16)


def test_policies_and_returns_have_their_golden_values():
    half = -0.6931471805599453
    logp = [[half, half], [-2.1269280110429727, -0.1269280110429727]]
    score = [[0.5, -0.5], [-0.11920292202211753, 0.11920292202211769]]
    assert_golden(softmax_policy(np.array([[0.0, 0], [1, 3]]), np.array([0, 1])), (logp, score))
    assert_golden(rewards_to_go(REWARDS, DONES, 0.9), [1.0, 0.0, 0.7000000000000002, 3.0])
    assert_golden(rewards_to_go(REWARDS, DONES, 0.9, 4.0), [1.0, 0.0, 3.9399999999999995, 6.6])


@pytest.mark.parametrize(
    ("lam", "advantages", "targets"),
    [
        (0.8, [0.6799999999999998, -1, 4.112, 4.6], [1.1799999999999997, 0, 3.112, 6.6]),
        (0.0, [1.4, -1, 0.8, 4.6], [1.9, 0, -0.19999999999999996, 6.6]),
        (1.0, [0.4999999999999999, -1, 4.9399999999999995, 4.6], [0.9999999999999999, 0, 3.9399999999999995, 6.6]),
    ],
)
def test_advantages_have_their_golden_values(lam, advantages, targets):
    assert_golden(gae(REWARDS, VALUES, DONES, 0.9, lam), (advantages, targets))


def test_gradients_of_the_return_have_their_golden_values():
    P = np.array([[[0.5, 0.5, 0], [0, 1, 0]], [[0, 0.75, 0.25], [0.25, 0, 0.75]], [[0, 0, 1], [0, 0, 1]]])
    R, logits = np.array([[1.0, 0], [-1, 4], [0, 0]]), np.array([[0, 0], [0, np.log(3)], [0, 0]])
    found = exact_gradient(P, R, logits, 0.5, np.array([1.0, 0, 0]), np.array([False, False, True]))
    grad = [[0.2034222552874905, -0.20342225528749078], [-0.37400361356148365, 0.3740036135614837], [0, 0]]
    assert_golden(found, (1.9587628865979383, grad, [1.1958762886597938, 0.49484536082474223, 0]))
    path = np.array([0, 1, 0]), np.array([1, 0, 0]), np.array([1.0, 0, 2])
    assert_array_equal(reinforce_gradient(np.zeros((2, 2)), *path, 0.5), [[-0.5, 0.5], [0.25, -0.25]])
    found = reinforce_gradient(np.zeros((2, 2)), *path, 0.5, np.array([0.5, 1]), False)
    assert_array_equal(found, [[0.25, -0.25], [0, 0]])


def test_losses_have_their_golden_values():
    logits, values = np.array([[0.0, 0], [1, 3]]), np.array([0.5, 1])
    found = a2c_loss(logits, values, np.array([0, 0]), np.array([1.0, -2]), np.array([1.5, -1]), 0.5, 0.01)
    dlogits = [[-0.25, 0.25], [0.8797471421238474, -0.8797471421238473]]
    assert_golden(found, (-0.5356468259412358, dlogits, [-0.5, 1]))
    old, gains = np.log([0.4, 0.25, 0.8, 0.5]), np.array([1.0, 2, -1, -2])
    found = ppo_clip_loss(np.zeros((4, 2)), np.array([0, 0, 1, 1]), old, gains, 0.2)
    still = [0, 0]
    assert_golden(found, (-0.19999999999999996, [still, still, still, [-0.25, 0.25]], [1.25, 2, 0.625, 1]))
    found = ppo_clip_loss(np.zeros((2, 2)), np.array([0, 0]), np.log([0.25, 0.8]), np.array([-1.0, 1]), 0.2)
    assert_golden(found, (0.6875, [[0.5, -0.5], [-0.15625, 0.15625]], [2, 0.625]))


L, ACT, ONE, NO = np.zeros((1, 2)), np.array([0]), np.ones(1), np.array([False])
WORLD = {
    "P": np.full((2, 2, 2), 0.5),
    "R": np.ones((2, 2)),
    "logits": np.zeros((2, 2)),
    "gamma": 0.9,
    "start": np.array([1.0, 0]),
    "terminal": np.zeros(2, bool),
}


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("actions", lambda: softmax_policy(L, np.array([2]))),
        ("actions", lambda: softmax_policy(L, np.array([-1]))),
        ("actions", lambda: softmax_policy(L, np.array([0, 1]))),
        ("logits", lambda: softmax_policy(np.zeros((0, 2)), np.zeros(0, int))),
        ("rewards", lambda: rewards_to_go(np.ones((1, 1)), NO, 0.9)),
        ("dones", lambda: rewards_to_go(np.ones(2), NO, 0.9)),
        ("gamma", lambda: rewards_to_go(ONE, NO, 1.1)),
        ("values", lambda: gae(ONE, ONE, NO, 0.9, 0.5)),
        ("dones", lambda: gae(ONE, np.ones(2), np.zeros(2, bool), 0.9, 0.5)),
        ("gamma", lambda: gae(ONE, np.ones(2), NO, -0.1, 0.5)),
        ("lam", lambda: gae(ONE, np.ones(2), NO, 0.9, 1.5)),
        ("start", lambda: exact_gradient(**(WORLD | {"start": np.ones(2)}))),
        ("start", lambda: exact_gradient(**(WORLD | {"start": np.array([2.0, -1])}))),
        ("P", lambda: exact_gradient(**(WORLD | {"P": np.ones((2, 2, 2))}))),
        ("gamma", lambda: exact_gradient(**(WORLD | {"gamma": 1.5}))),
        ("gamma", lambda: exact_gradient(**(WORLD | {"gamma": 1.0}))),
        ("logits", lambda: exact_gradient(**(WORLD | {"logits": L}))),
        ("states", lambda: reinforce_gradient(L, np.array([1]), ACT, ONE, 0.9)),
        ("actions", lambda: reinforce_gradient(L, ACT, np.array([2]), ONE, 0.9)),
        ("actions", lambda: reinforce_gradient(L, ACT, np.array([0, 0]), ONE, 0.9)),
        ("gamma", lambda: reinforce_gradient(L, ACT, ACT, ONE, 2.0)),
        ("baseline", lambda: reinforce_gradient(L, ACT, ACT, ONE, 0.9, np.ones(2))),
        ("value_coef", lambda: a2c_loss(L, ONE, ACT, ONE, ONE, -0.5)),
        ("entropy_coef", lambda: a2c_loss(L, ONE, ACT, ONE, ONE, 0.5, -0.01)),
        ("returns", lambda: a2c_loss(L, ONE, ACT, ONE, np.ones(2))),
        ("actions", lambda: a2c_loss(L, ONE, np.array([2]), ONE, ONE)),
        ("old_logp", lambda: ppo_clip_loss(L, ACT, np.ones(2), ONE)),
        ("clip_range", lambda: ppo_clip_loss(L, ACT, ONE, ONE, 0.0)),
        ("clip_range", lambda: ppo_clip_loss(L, ACT, ONE, ONE, 1.0)),
        ("clip_range", lambda: ppo_clip_loss_torch(*tensors(L, ACT, ONE, ONE), 1.0)),
    ],
)
def test_a_refusal_names_the_argument(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} "):
        call()
