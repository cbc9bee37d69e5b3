"""Targets and the loss of DQN on tensors: the formulas of `reference.td_learning`, where autograd replaces the gradient.

A target is a constant. It is computed without a graph, so that the loss moves Q(s, a) towards it and not it towards
Q(s, a): the update is a semi-gradient (Sutton & Barto 2018, §9.3).

Every result stays on the device and in the dtype of the arguments.

Letters: A actions, N transitions of a batch.
"""

import torch
from torch import Tensor


def td_target_torch(
    rule: str,
    rewards: Tensor,
    dones: Tensor,
    q_next: Tensor,
    gamma: float,
    next_actions: Tensor | None = None,
    epsilon: float = 0.0,
    q_select: Tensor | None = None,
) -> Tensor:
    """What Q(s, a) is moved towards after one step; nothing flows back through it.

    Args:
        rule: "sarsa", "q_learning", "expected_sarsa" or "double_q".
        rewards: (N,).
        dones: boolean, True where the next state is terminal, (N,).
        q_next: Q(s', ·), which gives the values, (N, A).
        gamma: discount, 0 … 1.
        next_actions: a', for "sarsa", (N,).
        epsilon: of the policy, for "expected_sarsa".
        q_select: Q(s', ·) of the table that chooses the action, for "double_q", (N, A).

    Returns:
        (N,): r + γ · (the value of s' under the rule), and r alone where dones; without a gradient.
    """
    with torch.no_grad():
        if rule == "sarsa":
            value = _of(q_next, _given(next_actions, "next_actions", rule))
        elif rule == "q_learning":
            value = q_next.amax(dim=1)
        elif rule == "expected_sarsa":
            # Σ_a π(a)Q(a): the greedy action has ε/A as every other one, and 1 - ε on top.
            value = epsilon * q_next.mean(dim=1) + (1 - epsilon) * q_next.amax(dim=1)
        elif rule == "double_q":
            value = _of(q_next, _given(q_select, "q_select", rule).argmax(dim=1))
        else:
            raise ValueError(f"rule must be sarsa, q_learning, expected_sarsa or double_q, not {rule!r}")
        return rewards + gamma * value.masked_fill(dones, 0)


def dqn_loss_torch(
    q: Tensor,
    actions: Tensor,
    rewards: Tensor,
    dones: Tensor,
    q_next: Tensor,
    gamma: float,
    delta: float = 1.0,
    q_next_online: Tensor | None = None,
) -> Tensor:
    """The loss of a deep Q-network with a target network; only q receives a gradient.

    Args:
        q: Q(s, ·; θ) of the network that learns, (N, A).
        actions: a, the actions taken, (N,).
        rewards: (N,).
        dones: boolean, True where the next state is terminal, (N,).
        q_next: Q(s', ·; θ⁻) of the target network, (N, A).
        gamma: discount, 0 … 1.
        delta: where the Huber loss turns from square to line, above 0.
        q_next_online: Q(s', ·; θ), (N, A); if given, it chooses the action that q_next values (double DQN).

    Returns:
        loss: mean over the batch, a tensor with no axes.
    """
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    rule = "q_learning" if q_next_online is None else "double_q"
    target = td_target_torch(rule, rewards, dones, q_next, gamma, q_select=q_next_online)
    error = (target - _of(q, actions)).abs()
    clipped = error.clamp(max=delta)
    return (clipped * (error - 0.5 * clipped)).mean()


def _of(q: Tensor, actions: Tensor) -> Tensor:
    """The value of one action a row."""
    return q.gather(1, actions[:, None])[:, 0]


def _given(argument: Tensor | None, name: str, rule: str) -> Tensor:
    if argument is None:
        raise ValueError(f"{name} must be given for the rule {rule}")
    return argument
