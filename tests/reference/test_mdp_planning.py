"""Planning against enumeration, series, the exact card game, and values worked out beforehand."""

from itertools import product
from math import comb

import numpy as np
import pytest
import torch

from reference import mdp_planning as ref
from reference.mdp_planning_torch import policy_evaluation_torch

rng = np.random.default_rng(40)


def random_model(S, A, ends=1):
    P = rng.dirichlet(np.ones(S), (S, A))
    terminal = np.arange(S) >= S - ends
    return P, rng.standard_normal((S, A)), terminal


def grid(side, gamma):
    """A gridworld: every step costs 1, the last corner is the end; its values in closed form."""
    S = side * side
    P, R = np.zeros((S, 4, S)), np.full((S, 4), -1.0)
    for (i, j), (a, (di, dj)) in product(product(range(side), repeat=2), enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)])):
        y, x = min(max(i + di, 0), side - 1), min(max(j + dj, 0), side - 1)
        P[i * side + j, a, y * side + x] = 1
    distance = np.array([2 * (side - 1) - i - j for i, j in product(range(side), repeat=2)])
    values = -(1 - gamma**distance) / (1 - gamma) if gamma < 1 else -distance
    return P, R, np.arange(S) == S - 1, values


@pytest.mark.parametrize("gamma", [0.5, 0.9, 1.0])
def test_both_planners_find_the_distances_in_a_gridworld(gamma):
    P, R, terminal, values = grid(4, gamma)
    V, actions, _ = ref.value_iteration(P, R, gamma, terminal, 1e-12)
    np.testing.assert_allclose(V, values, atol=1e-9)
    if gamma < 1:
        V, same, _ = ref.policy_iteration(P, R, gamma, terminal)
        np.testing.assert_allclose(V, values, atol=1e-9)
        np.testing.assert_array_equal(same, actions)


def test_policy_iteration_is_the_best_of_all_policies():
    for _ in range(20):
        P, R, terminal = random_model(4, 2)
        every = [ref.policy_evaluation(P, R, np.eye(2)[list(a)], 0.9, terminal) for a in product(range(2), repeat=4)]
        np.testing.assert_allclose(ref.policy_iteration(P, R, 0.9, terminal)[0], np.max(every, axis=0), rtol=1e-9)


def test_evaluation_is_the_sum_of_discounted_rewards():
    for _ in range(20):
        P, R, terminal = random_model(5, 3)
        pi = rng.dirichlet(np.ones(3), 5)
        live = ~terminal
        step, term, total = 0.9 * np.einsum("sa,sat->st", pi, P) * live[:, None] * live, (pi * R).sum(1) * live, 0
        for _ in range(600):
            total, term = total + term, step @ term
        np.testing.assert_allclose(ref.policy_evaluation(P, R, pi, 0.9, terminal), total, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("in_place", [False, True])
def test_sweeps_converge_to_the_exact_value_in_place_sooner(in_place):
    P, R, terminal = random_model(6, 2)
    pi = np.full((6, 2), 0.5)
    V, deltas = ref.iterative_evaluation(P, R, pi, 0.9, terminal, 400, None, in_place)
    np.testing.assert_allclose(V, ref.policy_evaluation(P, R, pi, 0.9, terminal), rtol=1e-9)
    assert deltas[-1] < 1e-9


@pytest.mark.parametrize("k", range(1, 6))
def test_a_redraw_of_a_hand_of_five_from_thirty_has_the_exact_chance(k):
    q = comb(30 - k, 5) / comb(30, 5)
    P = np.array([[[0, q, 1 - q]], [[0, 0, 1]], [[0, 0, 1]]])
    R = np.array([[1 - q], [1 - q], [0]])
    V = ref.policy_evaluation(P, R, np.ones((3, 1)), 1.0, np.array([False, False, True]))
    assert V[0] == pytest.approx(1 - q**2)
    assert round(V[0], 6) == [0.305556, 0.524376, 0.679075, 0.786930, 0.861000][k - 1]


def test_sampled_returns_agree_with_the_value_within_their_error():
    P, R, terminal = random_model(4, 2)
    pi = rng.dirichlet(np.ones(2), 4)
    V = ref.policy_evaluation(P, R, pi, 0.7, terminal)
    mean, error, _ = ref.rollout_estimate(P, R, pi, 0.7, terminal, 0, rng.random((20000, 60, 2)))
    assert abs(mean - V[0]) < 5 * error


def test_the_standard_error_is_the_spread_of_means():
    means, errors = zip(*(ref.mean_and_error(rng.standard_normal(50)) for _ in range(4000)), strict=True)
    assert np.std(means) == pytest.approx(np.mean(errors), rel=0.05)


def test_the_large_case_takes_273_sweeps_and_agrees_with_policy_iteration():
    model = np.random.default_rng(0)
    P, R = model.dirichlet(np.ones(200), (200, 4)), model.random((200, 4))
    ends = np.zeros(200, bool)
    V, actions, sweeps = ref.value_iteration(P, R, 0.95, ends, 1e-6)
    exact, best, rounds = ref.policy_iteration(P, R, 0.95, ends)
    assert 250 < sweeps < 300
    assert rounds < 10
    np.testing.assert_allclose(V, exact, atol=1e-6 * 0.95 / 0.05)
    np.testing.assert_array_equal(actions, best)


def test_the_twin_has_the_values_and_its_gradient_counts_visits():
    for _ in range(20):
        P, R, terminal = random_model(4, 2)
        pi = rng.dirichlet(np.ones(2), 4)
        V = ref.policy_evaluation(P, R, pi, 0.8, terminal)
        r = torch.tensor(R, requires_grad=True)
        p = torch.tensor(pi, requires_grad=True)
        value = policy_evaluation_torch(torch.tensor(P), r, p, 0.8, torch.tensor(terminal))
        np.testing.assert_allclose(value.detach(), V, rtol=1e-9, atol=1e-12)
        v = rng.standard_normal(4)
        (torch.tensor(v) @ value).backward()
        live = 1.0 - terminal
        P_pi = np.einsum("sa,sat->st", pi, P) * live[:, None] * live
        visits = np.linalg.solve((np.eye(4) - 0.8 * P_pi).T, v * live) * live
        np.testing.assert_allclose(r.grad, visits[:, None] * pi, rtol=1e-9, atol=1e-12)
        Q = ref.action_values(P, R, V, 0.8, terminal)
        np.testing.assert_allclose(p.grad, visits[:, None] * Q, rtol=1e-9, atol=1e-12)


P3 = np.array([[[0.5, 0.5, 0], [0, 1, 0]], [[0, 0.75, 0.25], [0.25, 0, 0.75]], [[1.0, 0, 0], [0, 1, 0]]])
R3, END = np.array([[1.0, 0], [-1, 4], [9, 9]]), np.array([False, False, True])


def test_values_worked_out_beforehand():
    V = np.array([2.0, 4, 8])
    assert ref.action_values(P3, R3, V, 0.5, END).tolist() == [[2.5, 2.0], [0.5, 4.25], [0, 0]]
    pi = np.array([[0.5, 0.5], [1, 0], [1, 0]])
    np.testing.assert_allclose(
        ref.policy_evaluation(P3, R3, pi, 0.9, END), [-2.0347394540942934, -3.0769230769230775, 0]
    )
    mixed = np.array([[0.5, 0.5], [0.25, 0.75], [1, 0]])
    V, deltas = ref.iterative_evaluation(P3, R3, mixed, 0.5, END, 2, in_place=True)
    assert (V.tolist(), deltas.tolist()) == ([1.611328125, 3.16326904296875, 0], [2.796875, 1.111328125])
    V, actions, rounds = ref.policy_iteration(P3, R3, 0.9, END)
    np.testing.assert_allclose(V, [6.2395543175487465, 5.403899721448468, 0])
    assert (actions.tolist(), rounds) == ([0, 1, 0], 2)
    V, actions, sweeps = ref.value_iteration(P3, R3, 0.9, END, 0.5)
    np.testing.assert_allclose(V, [5.5973546875, 5.1697890625, 0])
    assert (actions.tolist(), sweeps) == ([0, 1, 0], 5)
    assert ref.value_iteration(np.ones((1, 1, 1)), np.ones((1, 1)), 0.9, np.array([False]), 1e-3)[2] == 67
    assert ref.mean_and_error(np.array([0.0, 1, 1, 1])) == (0.75, 0.25)
    u = np.array([[[0.2, 0.2], [0.2, 0.9]], [[0.2, 0.7], [0.9, 0.3]], [[0.7, 0.5], [0.5, 0.8]]])
    mean, error, returns = ref.rollout_estimate(P3, R3, pi, 0.5, END, 0, u)
    assert (mean, returns.tolist()) == (0.5, [1.5, 0.5, -0.5])
    assert error == pytest.approx(0.5773502691896258)
    assert ref.greedy_policy(np.array([[1.0, 3, 3], [2, 2, 2]]), "split").tolist() == [[0, 0.5, 0.5], [1 / 3] * 3]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.action_values(P3 * 0.9, R3, np.zeros(3), 0.5, END), "P must"),
        (lambda: ref.action_values(P3, R3, np.zeros(3), 1.5, END), "gamma"),
        (lambda: ref.greedy_policy(R3, "last"), "ties"),
        (lambda: ref.policy_evaluation(P3, R3, np.ones((3, 2)), 0.5, END), "pi must"),
        (
            lambda: ref.policy_evaluation(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones((1, 1)), 1.0, np.array([False])),
            "gamma",
        ),
        (lambda: ref.iterative_evaluation(P3, R3, np.eye(3)[:, :2] * 0 + 0.5, 0.5, END, -1), "sweeps"),
        (lambda: ref.policy_iteration(P3, R3, 0.5, END, 0), "max_rounds"),
        (lambda: ref.value_iteration(P3, R3, 0.5, END, 0.0), "theta"),
        (lambda: ref.mean_and_error(np.ones(1)), "samples"),
        (lambda: ref.rollout_estimate(P3, R3, np.full((3, 2), 0.5), 0.5, END, 7, np.zeros((2, 1, 2))), "start"),
        (lambda: ref.rollout_estimate(P3, R3, np.full((3, 2), 0.5), 0.5, END, 0, np.ones((2, 1, 2))), "u must"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
