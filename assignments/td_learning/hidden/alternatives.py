"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.td_learning import (
    dqn_loss, epsilon_greedy_probs, n_step_targets, replay_sample, tabular_control, td_lambda, td_target,
)
from reference.td_learning_torch import dqn_loss_torch, td_target_torch


@alternative(n_step_targets)
def one_step_more_n_times(rewards, values, gamma, n):
    """From V, every target is made of its right neighbour, n times; at the end the last value stays."""
    targets = list(values)
    for _ in range(min(n, len(rewards))):
        targets = [r + gamma * g for r, g in zip(rewards, targets[1:])] + [values[-1]]
    return targets[:-1]


@alternative(n_step_targets)
def value_plus_td_errors(rewards, values, gamma, n):
    """V(s_t) and the discounted TD errors of n steps, as one banded matrix."""
    errors = rewards + gamma * values[1:] - values[:-1]
    ahead = np.arange(len(rewards))[None] - np.arange(len(rewards))[:, None]
    return values[:-1] + np.where((ahead >= 0) & (ahead < n), gamma ** np.maximum(ahead, 0.0), 0) @ errors


@alternative(epsilon_greedy_probs)
def mixture_of_two_policies(q, epsilon):
    """(1-ε) one-hot + ε uniform."""
    actions = q.shape[-1]
    return (1 - epsilon) * np.eye(actions)[np.argmax(q, axis=-1)] + epsilon * np.full(actions, 1 / actions)


@alternative(epsilon_greedy_probs)
def row_by_row(q, epsilon):
    """Recursion over the axes; a list comes back."""
    if q.ndim > 1:
        return [row_by_row(row, epsilon) for row in q]
    probs = [epsilon / len(q)] * len(q)
    probs[list(q).index(max(q))] += 1 - epsilon
    return probs


@alternative(td_target)
def weights_of_the_actions(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """Every rule is a matrix of probabilities of the next action."""
    eye = np.eye(q_next.shape[1])
    if rule == "expected_sarsa":
        weights = (1 - epsilon) * eye[q_next.argmax(1)] + epsilon / len(eye)
    elif rule == "sarsa":
        weights = eye[next_actions]
    else:
        weights = eye[(q_next if rule == "q_learning" else q_select).argmax(1)]
    return rewards + (1 - dones) * gamma * np.einsum("na,na->n", weights, q_next)


@alternative(td_target)
def one_transition_at_a_time(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """Plain loops; a list comes back."""
    targets = []
    for n, q in enumerate(q_next):
        if dones[n]:
            targets.append(rewards[n])
        elif rule == "sarsa":
            targets.append(rewards[n] + gamma * q[next_actions[n]])
        elif rule == "q_learning":
            targets.append(rewards[n] + gamma * max(q))
        elif rule == "expected_sarsa":
            targets.append(rewards[n] + gamma * (epsilon * sum(q) / len(q) + (1 - epsilon) * max(q)))
        else:
            targets.append(rewards[n] + gamma * q[np.argmax(q_select[n])])
    return targets


@alternative(tabular_control)
def tables_as_nested_lists(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """Nested lists, and (1-α)Q + αy."""
    tables, deltas = (Q if rule == "double_q" else Q[None]).tolist(), []
    for t, (s, a, r) in enumerate(zip(states, actions, rewards)):
        mine = tables[which[t] if rule == "double_q" else 0]
        other = tables[1 - which[t]] if rule == "double_q" else mine
        row, chooser = other[next_states[t]], mine[next_states[t]]
        if rule == "sarsa":
            value = row[next_actions[t]]
        elif rule == "q_learning":
            value = max(row)
        elif rule == "expected_sarsa":
            value = epsilon * sum(row) / len(row) + (1 - epsilon) * max(row)
        else:
            value = row[chooser.index(max(chooser))]
        target = float(r) if dones[t] else float(r) + gamma * value
        deltas.append(target - mine[s][a])
        mine[s][a] = (1 - alpha) * mine[s][a] + alpha * target
    return np.array(tables if rule == "double_q" else tables[0]), deltas


@alternative(tabular_control)
def step_by_step_with_numpy(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """The table moved by a one-hot matrix; every rule is a row of weights."""
    tables, deltas = np.array(Q, ndmin=3), np.zeros(len(states))
    for t in range(len(states)):
        i = which[t] if rule == "double_q" else 0
        q, chooser = tables[i - 1 if rule == "double_q" else 0][next_states[t]], tables[i][next_states[t]]
        greedy = np.eye(len(q))[np.argmax(chooser)]
        weights = {
            "sarsa": np.eye(len(q))[next_actions[t]],
            "expected_sarsa": (1 - epsilon) * greedy + epsilon / len(q),
        }.get(rule, greedy)
        deltas[t] = rewards[t] + gamma * (not dones[t]) * (weights @ q) - tables[i, states[t], actions[t]]
        at = np.zeros_like(tables)
        at[i, states[t], actions[t]] = 1
        tables = tables + alpha * deltas[t] * at
    return tables.reshape(Q.shape), deltas


@alternative(td_lambda)
def state_by_state(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """Plain lists, one state at a time."""
    V, e, traces = V.tolist(), [0.0] * len(V), []
    for t, s in enumerate(states):
        target = rewards[t] + (0.0 if dones[t] else gamma * V[next_states[t]])
        delta = float(target) - V[s]
        for x in range(len(V)):
            e[x] *= gamma * lam
            if x == s:
                e[x] = 1.0 if trace == "replacing" else e[x] + 1.0
            V[x] += alpha * delta * e[x]
        traces.append(list(e))
        if dones[t]:
            e = [0.0] * len(V)
    return V, traces


@alternative(td_lambda)
def traces_first(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """All traces before any value: they do not depend on V."""
    visits, e, traces = np.eye(len(V))[states], np.zeros(len(V)), []
    for visit, done in zip(visits, np.append(False, dones)):
        e = gamma * lam * e * (not done)
        e = np.maximum(e, visit) if trace == "replacing" else e + visit
        traces.append(e)
    for t, e in enumerate(traces):
        ahead = gamma * (1 - dones[t]) * V[next_states[t]]
        V = V + alpha * (rewards[t] + ahead - V[states[t]]) * e
    return V, np.array(traces)


@alternative(dqn_loss)
def huber_in_two_branches(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """One-hot actions; square and line chosen by a mask."""
    select = q_next if q_next_online is None else q_next_online
    value = np.take_along_axis(q_next, select.argmax(1)[:, None], 1)[:, 0]
    taken = np.eye(q.shape[1])[actions]
    error = (q * taken).sum(1) - (rewards + gamma * (1 - dones) * value)
    small = np.abs(error) <= delta
    bound = min(delta, 1e9)
    loss = np.where(small, error**2 / 2, bound * (np.abs(error) - bound / 2))
    return loss.mean(), taken * np.where(small, error, np.sign(error) * bound)[:, None] / len(error)


@alternative(dqn_loss)
def sample_by_sample(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """Plain loops; the gradient is a nested list."""
    loss, dq = 0.0, [[0.0] * q.shape[1] for _ in q]
    for n, a in enumerate(actions):
        chooser = list(q_next[n] if q_next_online is None else q_next_online[n])
        target = rewards[n] if dones[n] else rewards[n] + gamma * q_next[n][chooser.index(max(chooser))]
        error = q[n][a] - target
        if abs(error) <= delta:
            loss, dq[n][a] = loss + error**2 / 2, error / len(q)
        else:
            loss, dq[n][a] = loss + delta * (abs(error) - delta / 2), (delta if error > 0 else -delta) / len(q)
    return loss / len(q), dq


@alternative(replay_sample)
def ring_filled(total, capacity, u):
    """A list that is filled; a list comes back."""
    ring = [0] * min(total, capacity)
    for k in range(total):
        ring[k % capacity] = k
    return [ring[int(x * len(ring))] for x in u]


@alternative(replay_sample)
def rounds_of_the_ring(total, capacity, u):
    """slot + capacity · (how often the ring was passed)."""
    slot = (u * min(total, capacity)).astype(int)
    return slot + (total - 1 - slot) // capacity * capacity


@alternative(td_target_torch)
def detached_at_the_end(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """Indexing with rows, and `detach` of the finished target."""
    rows = torch.arange(len(rewards), device=rewards.device)
    if rule == "expected_sarsa":
        probs = torch.full_like(q_next, epsilon / q_next.shape[1])
        probs[rows, q_next.argmax(1)] += 1 - epsilon
        value = (probs * q_next).sum(1)
    elif rule == "sarsa":
        value = q_next[rows, next_actions]
    else:
        value = q_next[rows, (q_next if rule == "q_learning" else q_select).argmax(1)]
    return (rewards + gamma * (value * ~dones)).detach()


@alternative(td_target_torch)
def targets_one_by_one(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """A loop over the batch, stacked at the end."""

    def worth(n):
        row = q_next[n].detach()
        if rule == "sarsa":
            return row[next_actions[n]]
        if rule == "expected_sarsa":
            return epsilon * row.mean() + (1 - epsilon) * row.max()
        return row.max() if rule == "q_learning" else row[q_select[n].argmax()]

    return torch.stack([r.detach() if dones[n] else r.detach() + gamma * worth(n) for n, r in enumerate(rewards)])


@alternative(dqn_loss_torch)
def torch_huber_loss(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """torch's own Huber loss."""
    with torch.no_grad():
        best = (q_next if q_next_online is None else q_next_online).argmax(1, keepdim=True)
        y = rewards + gamma * (1 - dones.to(q.dtype)) * q_next.gather(1, best).squeeze(1)
    return torch.nn.functional.huber_loss(q.gather(1, actions.unsqueeze(1)).squeeze(1), y, delta=delta)


@alternative(dqn_loss_torch)
def torch_two_branches(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """One-hot actions and `where`."""
    chooser = q_next if q_next_online is None else q_next_online
    picked = torch.nn.functional.one_hot(chooser.argmax(1), q.shape[1]) * q_next
    y = (rewards + gamma * torch.where(dones, torch.zeros_like(rewards), picked.sum(1))).detach()
    error = (torch.nn.functional.one_hot(actions, q.shape[1]) * q).sum(1) - y
    return torch.where(error.abs() <= delta, error**2 / 2, delta * (error.abs() - delta / 2)).mean()
