"""The learning rules against enumeration, other formulas, long runs, torch, and golden values."""

from collections import deque
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from reference.td_learning import (
    RULES,
    dqn_loss,
    epsilon_greedy_probs,
    n_step_targets,
    replay_sample,
    tabular_control,
    td_lambda,
    td_target,
)
from reference.td_learning_torch import dqn_loss_torch, td_target_torch

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
units = st.floats(0, 1, allow_subnormal=False)
thorough = settings(max_examples=60, deadline=None, derandomize=True)


def chain(rng, states, steps):
    """A log of random transitions between states with two actions."""
    return {
        "states": rng.integers(states, size=steps),
        "actions": rng.integers(2, size=steps),
        "rewards": rng.normal(size=steps),
        "next_states": rng.integers(states, size=steps),
        "next_actions": rng.integers(2, size=steps),
        "dones": rng.random(steps) < 0.3,
    }


@thorough
@given(seeds, st.integers(1, 8), st.integers(1, 10), units)
def test_n_step_returns_are_discounted_sums_by_a_matrix(rng, steps, n, gamma):
    rewards, values = rng.normal(size=steps), rng.normal(size=steps + 1)
    reach = np.minimum(np.arange(steps) + n, steps)
    ahead = np.arange(steps) - np.arange(steps)[:, None]
    weights = np.where((ahead >= 0) & (np.arange(steps) < reach[:, None]), gamma ** np.maximum(ahead, 0), 0)
    expected = weights @ rewards + gamma ** (reach - np.arange(steps)) * values[reach]
    assert_allclose(n_step_targets(rewards, values, gamma, n), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, [1.9, -0.9, -0.19999999999999996, 6.6]),
        (2, [0.18999999999999995, -0.17999999999999994, 3.9400000000000004, 6.6]),
        (9, [4.1914, 3.5460000000000003, 3.9400000000000004, 6.6]),
    ],
)
def test_n_step_returns_have_their_golden_values(n, expected):
    rewards, values = np.array([1.0, 0, -2, 3]), np.array([0.5, 1, -1, 2, 4])
    assert_allclose(n_step_targets(rewards, values, 0.9, n), expected, rtol=1e-15)


def test_an_empty_log_changes_nothing():
    nothing, no_rewards, no_flags = np.zeros(0, int), np.zeros(0), np.zeros(0, bool)
    assert n_step_targets(no_rewards, np.ones(1), 0.9, 3).shape == (0,)
    Q, deltas = tabular_control(
        "sarsa", np.ones((2, 2)), nothing, nothing, no_rewards, nothing, nothing, no_flags, 1, 1
    )
    assert_array_equal(Q, np.ones((2, 2)))
    assert deltas.shape == (0,)
    V, traces = td_lambda(np.ones(3), nothing, no_rewards, nothing, no_flags, 1, 1, 1)
    assert_array_equal(V, np.ones(3))
    assert traces.shape == (0, 3)


@thorough
@given(seeds, st.integers(1, 5), units)
def test_epsilon_greedy_probabilities_are_the_frequencies_of_the_two_stage_draw(rng, actions, epsilon):
    q = rng.integers(3, size=(2, 3, actions)).astype(float)
    probs = epsilon_greedy_probs(q, epsilon)
    for place in np.ndindex(2, 3):
        counted = np.zeros(actions)
        for explores, uniform in product((True, False), range(actions)):
            taken = uniform if explores else list(q[place]).index(max(q[place]))
            counted[taken] += (epsilon if explores else 1 - epsilon) / actions
        assert_allclose(probs[place], counted, atol=1e-12)


def test_epsilon_greedy_takes_the_first_of_equal_maxima():
    assert_allclose(epsilon_greedy_probs(np.array([1.0, 3, 3, 0]), 0.1), [0.025, 0.925, 0.025, 0.025], rtol=1e-15)


def test_targets_have_their_golden_values():
    r, going, q = np.array([1.0]), np.array([False]), np.array([[2.0, 5, -1]])
    both = td_target("sarsa", np.ones(2), np.array([False, True]), np.tile(q, (2, 1)), 0.9, np.zeros(2, int))
    assert_allclose(both, [2.8, 1.0], rtol=1e-15)
    assert_allclose(td_target("q_learning", r, going, q, 0.9), [5.5], rtol=1e-15)
    assert_allclose(td_target("expected_sarsa", r, going, q, 0.9, epsilon=0.1), [5.23], rtol=1e-15)
    assert_allclose(td_target("double_q", r, going, q, 0.9, q_select=np.array([[4.0, 3, 0]])), [2.8], rtol=1e-15)


@thorough
@given(seeds, st.sampled_from(RULES))
def test_with_one_action_all_rules_agree_and_without_discount_only_the_reward_counts(rng, rule):
    rewards, dones, q = rng.normal(size=4), rng.random(4) < 0.5, rng.normal(size=(4, 1))
    others = {"next_actions": np.zeros(4, int), "epsilon": 0.3, "q_select": rng.normal(size=(4, 1))}
    assert_allclose(td_target(rule, rewards, dones, q, 0.9, **others), rewards + 0.9 * ~dones * q[:, 0], atol=1e-12)
    assert_array_equal(td_target(rule, rewards, dones, q, 0.0, **others), rewards)


def test_double_q_curbs_the_overestimation_of_q_learning():
    rng = np.random.default_rng(0)
    first, second = rng.choice([-1.0, 1.0], size=(2, 20000, 4))  # two estimates of values that are all 0
    nothing, going = np.zeros(20000), np.zeros(20000, bool)
    assert abs(td_target("q_learning", nothing, going, first, 1.0).mean() - (1 - 2.0**-3)) < 0.02
    assert abs(td_target("double_q", nothing, going, first, 1.0, q_select=second).mean()) < 0.03


def test_tables_have_their_golden_values():
    Q = np.array([[0.0, 1], [2, 0.5]])
    log = np.array([0, 1]), np.array([0, 1]), np.array([1.0, -1]), np.array([1, 0])
    going = np.zeros(2, bool)
    new, deltas = tabular_control("q_learning", Q, *log, np.array([1, 0]), going, 0.5, 0.9)
    assert_allclose(new, [[1.4, 1.0], [2.0, 0.38]], rtol=1e-15)
    assert_allclose(deltas, [2.8, -0.24], rtol=1e-15)
    new, deltas = tabular_control("sarsa", Q, *log, np.array([1, 0]), going, 0.5, 0.9)
    assert_allclose(new, [[0.725, 1.0], [2.0, 0.07624999999999998]], rtol=1e-15)
    assert_allclose(deltas, [1.45, -0.8475], rtol=1e-15)
    two = np.array([[[0.0, 1], [2, 0.5]], [[1, 0], [0, 3]]])
    new, deltas = tabular_control("double_q", two, *log, np.array([0, 0]), going, 0.5, 0.9, which=np.array([0, 1]))
    assert_allclose(new, [[[0.5, 1.0], [2.0, 0.5]], [[1.0, 0.0], [0.0, 1.225]]], rtol=1e-15)
    assert_allclose(deltas, [1.0, -3.55], rtol=1e-15)


def world(rng, states, actions):
    to = rng.integers(states, size=(states, actions))
    rewards, ends = rng.normal(size=(states, actions)), rng.random((states, actions)) < 0.2
    return to, rewards, ends


def sweeps(to, rewards, ends, gamma, value):
    Q = np.zeros(rewards.shape)
    for _ in range(300):
        Q = rewards + gamma * np.where(ends, 0, value(Q)[to])
    return Q


@pytest.mark.parametrize("rule", RULES)
def test_control_finds_the_fixed_point_of_its_rule_from_random_behaviour(rule):
    """α = 1 in a deterministic world is asynchronous value iteration; SARSA is fed with a policy that does not move."""
    rng, gamma, epsilon = np.random.default_rng(3), 0.7, 0.4
    to, rewards, ends = world(rng, 3, 2)
    policy = np.array([1, 0, 1])
    values = {
        "sarsa": lambda Q: Q[np.arange(3), policy],
        "expected_sarsa": lambda Q: (1 - epsilon) * Q.max(1) + epsilon * Q.mean(1),
    }
    expected = sweeps(to, rewards, ends, gamma, values.get(rule, lambda Q: Q.max(1)))
    s, a = rng.integers(3, size=4000), rng.integers(2, size=4000)
    log = s, a, rewards[s, a], to[s, a], policy[to[s, a]], ends[s, a]
    start = np.zeros((2, 3, 2)) if rule == "double_q" else np.zeros((3, 2))
    Q, deltas = tabular_control(rule, start, *log, 1.0, gamma, epsilon, rng.integers(2, size=4000))
    assert_allclose(Q, np.broadcast_to(expected, Q.shape), atol=1e-9)
    assert_allclose(deltas[-100:], 0, atol=1e-9)


@thorough
@given(seeds, units, units)
def test_td_zero_is_sarsa_in_a_world_with_one_action(rng, alpha, gamma):
    log, V = chain(rng, states=3, steps=7), rng.normal(size=3)
    one = {name: column for name, column in log.items() if name not in ("actions", "next_actions")}
    still = {"actions": np.zeros(7, int), "next_actions": np.zeros(7, int)}
    Q, _ = tabular_control("sarsa", V[:, None], **one, **still, alpha=alpha, gamma=gamma)
    for kind in ("accumulating", "replacing"):
        new, traces = td_lambda(V, **one, alpha=alpha, gamma=gamma, lam=0.0, trace=kind)
        assert_allclose(new, Q[:, 0], atol=1e-12)
        assert_array_equal(traces, np.eye(3)[log["states"]])


@thorough
@given(seeds, units, units, st.integers(1, 6))
def test_td_lambda_is_a_mixture_of_n_step_returns_where_no_state_is_seen_twice(rng, lam, gamma, steps):
    """G^λ = (1-λ) Σ λⁿ⁻¹ G⁽ⁿ⁾ + λ^{T-t-1} G (S&B eq. 12.3), by the n-step returns themselves."""
    V, rewards = rng.normal(size=steps + 1), rng.normal(size=steps)
    closed = np.append(V[:-1], 0.0)
    returns = np.zeros(steps)
    for t in range(steps):
        left = steps - t
        each = [n_step_targets(rewards, closed, gamma, n)[t] for n in range(1, left + 1)]
        weights = [(1 - lam) * lam ** (n - 1) for n in range(1, left)] + [lam ** (left - 1)]
        returns[t] = np.dot(weights, each)
    path = np.arange(steps + 1)
    new, _ = td_lambda(V, path[:-1], rewards, path[1:], path[1:] == steps, 0.3, gamma, lam)
    assert_allclose(new[:-1], V[:-1] + 0.3 * (returns - V[:-1]), atol=1e-12)
    assert new[-1] == V[-1]


def test_td_lambda_has_its_golden_values():
    walk = np.array([0, 1, 0]), np.array([1.0, 0, 2]), np.array([1, 0, 2]), np.array([False, False, True])
    V, traces = td_lambda(np.array([0, 0.5, 1]), *walk, 0.1, 0.9, 0.8)
    assert_allclose(V, [0.40409875136000006, 0.598525488, 1.0], rtol=1e-15)
    assert_allclose(traces, [[1, 0, 0], [0.7200000000000001, 1, 0], [1.5184000000000002, 0.7200000000000001, 0]])
    V, traces = td_lambda(np.array([0, 0.5, 1]), *walk, 0.1, 0.9, 0.8, "replacing")
    assert_allclose(V, [0.3065564, 0.598525488, 1.0], rtol=1e-15)
    assert_allclose(traces, [[1, 0, 0], [0.7200000000000001, 1, 0], [1, 0.7200000000000001, 0]])


def replayed(rng, count=4, actions=3):
    """Arguments of `dqn_loss` up to q_next."""
    q, q_next = rng.normal(size=(2, count, actions)) * 2
    return q, rng.integers(actions, size=count), rng.normal(size=count), rng.random(count) < 0.3, q_next


def tensors(arguments):
    return [torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arguments]


@thorough
@given(seeds, st.floats(0.2, 3), units, st.booleans())
def test_dqn_loss_and_gradient_are_those_of_torch(rng, delta, gamma, double):
    batch = replayed(rng)
    online = rng.normal(size=(4, 3)) if double else None
    loss, dq = dqn_loss(*batch, gamma, delta, online)
    q, actions, rewards, dones, q_next = tensors(batch)
    q.requires_grad_()
    best = (q_next if online is None else torch.from_numpy(online)).argmax(1)
    y = rewards + gamma * (q_next[torch.arange(4), best] * ~dones)
    expected = torch.nn.functional.huber_loss(q[torch.arange(4), actions], y, delta=delta)
    expected.backward()
    assert_allclose(loss, expected.item(), rtol=1e-12, atol=1e-12)
    assert_allclose(dq, q.grad, atol=1e-12)


def test_dqn_loss_has_its_golden_values():
    batch = np.array([[1.0, 2], [0, -1]]), np.array([0, 1]), np.array([1.0, 0]), np.array([False, True])
    q_next = np.array([[3.0, 4], [5, 6]])
    loss, dq = dqn_loss(*batch, q_next, 0.5)
    assert loss == 1.0
    assert_array_equal(dq, [[-0.5, 0], [0, -0.5]])
    loss, dq = dqn_loss(*batch, q_next, 0.5, np.inf, np.array([[9.0, 0], [0, 0]]))
    assert loss == 0.8125
    assert_array_equal(dq, [[-0.75, 0], [0, -0.5]])


@thorough
@given(seeds, st.sampled_from(RULES), st.sampled_from([torch.float64, torch.float32]))
def test_targets_on_tensors_are_those_on_arrays_in_their_dtype_and_carry_no_gradient(rng, rule, dtype):
    _, actions, rewards, dones, q_next = replayed(rng)
    select = rng.normal(size=(4, 3))
    expected = td_target(rule, rewards, dones, q_next, 0.9, actions, 0.3, select)
    floats = [torch.tensor(a, dtype=dtype, requires_grad=True) for a in (rewards, q_next, select)]
    flags, taken = tensors((dones, actions))
    found = td_target_torch(rule, floats[0], flags, floats[1], 0.9, taken, 0.3, floats[2])
    assert found.dtype == dtype
    assert not found.requires_grad
    assert_allclose(
        found, expected, rtol=1e-12 if dtype == torch.float64 else 1e-4, atol=1e-5 if dtype == torch.float32 else 0
    )


@thorough
@given(seeds, st.sampled_from([0.5, 1.0, np.inf]), st.booleans())
def test_dqn_loss_on_tensors_sends_the_gradient_to_q_alone(rng, delta, double):
    batch = replayed(rng)
    online = rng.normal(size=(4, 3)) if double else None
    loss, dq = dqn_loss(*batch, 0.9, delta, online)
    q, actions, rewards, dones, q_next = tensors(batch)
    chooser = None if online is None else torch.from_numpy(online)
    for tensor in (q, q_next, *(() if chooser is None else (chooser,))):
        tensor.requires_grad_()
    found = dqn_loss_torch(q, actions, rewards, dones, q_next, 0.9, delta, chooser)
    found.backward()
    assert_allclose(found.item(), loss, rtol=1e-12)
    assert_allclose(q.grad, dq, atol=1e-12)
    assert q_next.grad is None
    assert chooser is None or chooser.grad is None


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_twins_stay_on_the_device():
    q, actions, rewards, dones, q_next = (t.cuda() for t in tensors(replayed(np.random.default_rng(0))))
    assert td_target_torch("q_learning", rewards, dones, q_next, 0.9).is_cuda
    assert dqn_loss_torch(q, actions, rewards, dones, q_next, 0.9).is_cuda


@thorough
@given(st.integers(1, 60), st.integers(1, 12))
def test_a_replay_buffer_holds_what_a_bounded_queue_holds(total, capacity):
    size = min(total, capacity)
    drawn = replay_sample(total, capacity, (np.arange(size) + 0.5) / size)
    assert sorted(drawn) == list(deque(range(total), maxlen=capacity))
    assert_array_equal(drawn % capacity, np.arange(size))


def test_replay_has_its_golden_values():
    assert_array_equal(replay_sample(10, 4, np.array([0, 0.25, 0.5, 0.75, 0.99])), [8, 9, 6, 7, 7])
    assert_array_equal(replay_sample(3, 4, np.array([0, 0.5, 0.99])), [0, 1, 2])


STEP = np.array([0]), np.array([0]), np.ones(1), np.array([0]), np.array([0]), np.array([False])
WALK = np.ones(2), np.array([0]), np.ones(1), np.array([1]), np.array([False])
BATCH = np.ones(1), np.array([False]), np.ones((1, 2))


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("values", lambda: n_step_targets(np.ones(2), np.ones(2), 0.9, 1)),
        ("n", lambda: n_step_targets(np.ones(2), np.ones(3), 0.9, 0)),
        ("gamma", lambda: n_step_targets(np.ones(2), np.ones(3), 1.1, 1)),
        ("epsilon", lambda: epsilon_greedy_probs(np.ones(2), -0.1)),
        ("q", lambda: epsilon_greedy_probs(np.ones((2, 0)), 0.1)),
        ("rule", lambda: td_target("td", *BATCH, 0.9)),
        ("gamma", lambda: td_target("q_learning", *BATCH, -1)),
        ("epsilon", lambda: td_target("expected_sarsa", *BATCH, 0.9, epsilon=2)),
        ("next_actions", lambda: td_target("sarsa", *BATCH, 0.9)),
        ("q_select", lambda: td_target("double_q", *BATCH, 0.9)),
        ("q_select", lambda: td_target("double_q", *BATCH, 0.9, q_select=np.ones((1, 3)))),
        ("q_next", lambda: td_target("q_learning", np.ones(1), np.array([False]), np.ones(2), 0.9)),
        ("rule", lambda: tabular_control("td", np.ones((1, 1)), *STEP, 0.5, 0.9)),
        ("alpha", lambda: tabular_control("sarsa", np.ones((1, 1)), *STEP, 1.5, 0.9)),
        ("which", lambda: tabular_control("double_q", np.ones((2, 1, 1)), *STEP, 0.5, 0.9)),
        ("which", lambda: tabular_control("double_q", np.ones((2, 1, 1)), *STEP, 0.5, 0.9, which=np.array([2]))),
        ("Q", lambda: tabular_control("double_q", np.ones((3, 1, 1)), *STEP, 0.5, 0.9, which=np.array([0]))),
        ("dones", lambda: tabular_control("sarsa", np.ones((1, 1)), *STEP[:5], np.zeros(2, bool), 0.5, 0.9)),
        ("lam", lambda: td_lambda(*WALK, 0.5, 0.9, 1.1)),
        ("alpha", lambda: td_lambda(*WALK, -0.5, 0.9, 1)),
        ("trace", lambda: td_lambda(*WALK, 0.5, 0.9, 1, "dutch")),
        ("delta", lambda: dqn_loss(np.ones((1, 2)), np.array([0]), *BATCH, 0.9, 0)),
        ("actions", lambda: dqn_loss(np.ones((1, 2)), np.array([0, 1]), *BATCH, 0.9)),
        ("q_next_online", lambda: dqn_loss(np.ones((1, 2)), np.array([0]), *BATCH, 0.9, 1.0, np.ones((1, 3)))),
        ("total", lambda: replay_sample(0, 4, np.zeros(1))),
        ("capacity", lambda: replay_sample(4, 0, np.zeros(1))),
        ("u", lambda: replay_sample(4, 4, np.ones(1))),
    ],
)
def test_a_refusal_names_the_argument(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} "):
        call()
