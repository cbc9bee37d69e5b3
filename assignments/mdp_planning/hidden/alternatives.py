"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.mdp_planning import (
    action_values, greedy_policy, iterative_evaluation, mean_and_error, policy_evaluation, policy_iteration, rollout_estimate,
    value_iteration,
)
from reference.mdp_planning_torch import policy_evaluation_torch


@alternative(action_values)
def one_entry_at_a_time(P, R, V, gamma, terminal):
    """Loops over states and actions."""
    S, A = R.shape
    Q = [[0.0] * A for _ in range(S)]
    for s in range(S):
        for a in range(A):
            if not terminal[s]:
                Q[s][a] = R[s, a] + gamma * sum(P[s, a, t] * V[t] for t in range(S) if not terminal[t])
    return Q


@alternative(action_values)
def one_sum_over_successors(P, R, V, gamma, terminal):
    """Ends multiplied away on both sides."""
    live = 1.0 - terminal
    return (R + gamma * np.tensordot(P, V * live, axes=1)) * live[:, None]


@alternative(greedy_policy)
def best_by_row(Q, ties="first", tol=1e-9):
    """Row by row, a list of the best."""
    pi = np.zeros(np.shape(Q))
    for s, row in enumerate(Q):
        best = [a for a in range(len(row)) if max(row) - row[a] <= tol]
        for a in best[:1] if ties == "first" else best:
            pi[s, a] = 1.0 / (1 if ties == "first" else len(best))
    return pi


@alternative(policy_evaluation)
def ends_as_rows_of_the_identity(P, R, pi, gamma, terminal):
    """One system over all states, inverted."""
    S = len(R)
    M, b = np.eye(S), np.zeros(S)
    for s in range(S):
        if not terminal[s]:
            M[s] -= gamma * np.where(terminal, 0, pi[s] @ P[s])
            b[s] = pi[s] @ R[s]
    return np.linalg.inv(M) @ b


@alternative(iterative_evaluation)
def sweeps_over_lists(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """Plain lists; lists come back."""
    S = len(R)
    V = [0.0 if terminal[s] or V0 is None else V0[s] for s in range(S)]
    deltas = []
    for _ in range(sweeps):
        new, change = list(V), 0.0
        for s in range(S):
            if not terminal[s]:
                read = new if in_place else V
                new[s] = sum(pi[s, a] * (R[s, a] + gamma * np.dot(P[s, a], read)) for a in range(R.shape[1]))
                change = max(change, abs(new[s] - V[s]))
        V = new
        deltas.append(change)
    return V, deltas


@alternative(policy_iteration)
def ends_that_absorb(P, R, gamma, terminal, max_rounds=100):
    """On a copy in which ends absorb and pay nothing."""
    P, R = P.copy(), np.where(terminal[:, None], 0.0, R)
    P[terminal] = 0.0
    S, A = R.shape
    actions, rounds = [0] * S, 0
    while rounds < max_rounds:
        rounds += 1
        P_pi = np.array([P[s, a] for s, a in enumerate(actions)])
        V = np.linalg.solve(np.eye(S) - gamma * P_pi, np.array([R[s, a] for s, a in enumerate(actions)]))
        Q = R + gamma * np.einsum("sat,t->sa", P, V)
        better = [next(a for a in range(A) if Q[s, a] >= Q[s].max() - 1e-9) for s in range(S)]
        if better == actions:
            break
        actions = better
    return V, actions, rounds


@alternative(value_iteration)
def masked_by_life(P, R, gamma, terminal, theta, max_sweeps=10000):
    """A while loop; ends multiplied away."""
    live = 1.0 - terminal
    V, sweeps, change = np.zeros(len(R)), 0, np.inf
    while change >= theta and sweeps < max_sweeps:
        new = live * np.max(R + gamma * np.tensordot(P, live * V, 1), axis=1)
        change, V, sweeps = np.max(np.abs(new - V)), new, sweeps + 1
    Q = live[:, None] * (R + gamma * np.tensordot(P, live * V, 1))
    return V, [int(np.flatnonzero(q >= q.max() - 1e-9)[0]) for q in Q], sweeps


@alternative(mean_and_error)
def error_from_the_squares(samples):
    """Sums in plain Python."""
    n = len(samples)
    mean = sum(samples) / n
    return mean, (sum((x - mean) ** 2 for x in samples) / (n * (n - 1))) ** 0.5


@alternative(mean_and_error)
def error_by_covariance(samples):
    """numpy's own estimate of the variance."""
    return np.mean(samples), np.sqrt(np.cov(samples) / len(samples))


@alternative(rollout_estimate)
def episode_by_episode(P, R, pi, gamma, terminal, start, u):
    """One episode after the other, by searchsorted."""
    returns = []
    for draws in u:
        s, total, weight = start, 0.0, 1.0
        for x, y in draws:
            if terminal[s]:
                break
            a = min(np.searchsorted(np.cumsum(pi[s]), x, side="right"), len(pi[s]) - 1)
            total, weight = total + weight * R[s, a], weight * gamma
            s = min(np.searchsorted(np.cumsum(P[s, a]), y, side="right"), len(P) - 1)
        returns.append(total)
    returns = np.array(returns)
    return returns.mean(), returns.std(ddof=1) / len(returns) ** 0.5, returns


@alternative(policy_evaluation_torch)
def inverse_of_the_system(P, R, pi, gamma, terminal):
    """Ends cut out by where, the system inverted."""
    zero = torch.zeros((), dtype=R.dtype, device=R.device)
    P_pi = torch.where(terminal[:, None] | terminal, zero, (pi[:, :, None] * P).sum(1))
    r_pi = torch.where(terminal, zero, (pi * R).sum(1))
    return torch.linalg.inv(torch.eye(len(R), dtype=R.dtype, device=R.device) - gamma * P_pi) @ r_pi
