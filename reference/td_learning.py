"""Values learned from experience: n-step returns, temporal differences, SARSA, Q-learning, traces, and the loss of DQN.

    G_{t:t+n} = R_{t+1} + γR_{t+2} + … + γⁿ⁻¹R_{t+n} + γⁿV(S_{t+n})      n-step return           S&B eq. 7.1
    δ_t = R_{t+1} + γV(S_{t+1}) - V(S_t)                               TD error               eq. 6.5
    V(S_t) ← V(S_t) + αδ_t                                             TD(0)                  eq. 6.2
    Q(S,A) ← Q(S,A) + α[y - Q(S,A)]                                    control; the target y is
        y = R + γQ(S',A')                                              SARSA                  eq. 6.7
        y = R + γ max_a Q(S',a)                                        Q-learning             eq. 6.8
        y = R + γ Σ_a π(a|S')Q(S',a)                                   expected SARSA         eq. 6.9
        y = R + γQ₂(S', argmax_a Q₁(S',a))                             double Q-learning      eq. 6.10

Sutton & Barto (S&B), "Reinforcement Learning: An Introduction", 2nd ed., 2018, chapters 6, 7 and 12.
Sutton, "Learning to predict by the methods of temporal differences", Machine Learning 3:9-44, 1988 (traces).
Lin, "Self-improving reactive agents based on reinforcement learning, planning and teaching", 1992 (experience replay).
Mnih et al., "Human-level control through deep reinforcement learning", Nature 518, 2015 (DQN).
van Hasselt, Guez & Silver, "Deep reinforcement learning with double Q-learning", 2016, arXiv:1509.06461.

`rewards[t]` is R_{t+1}, the reward that follows the action in s_t. `dones[t]` says that this action ended the episode:
the state after it is terminal and its value 0. Ties of a maximum go to the lowest index.

Letters: S states, A actions, T steps of a log, N transitions of a batch, B draws.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

RULES = ("sarsa", "q_learning", "expected_sarsa", "double_q")


def n_step_targets(rewards: Array, values: Array, gamma: float, n: int) -> Array:
    """Returns over n steps, closed with a value (S&B eq. 7.1).

    Args:
        rewards: R_1, …, R_T, (T,).
        values: V(s_0), …, V(s_T), one more than rewards; the last is 0 if s_T is terminal.
        gamma: discount, 0 … 1.
        n: steps that are looked ahead, at least 1.

    Returns:
        (T,): G_t = Σ_{k<h} γᵏ rewards[t+k] + γʰ values[t+h], h = min(n, T-t).
    """
    steps = len(rewards)
    if len(values) != steps + 1:
        raise ValueError(f"values must hold {steps + 1} numbers, one more than rewards, not {len(values)}")
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    _check_unit(gamma=gamma)
    targets = np.zeros(steps)
    for t in range(steps):
        h = min(n, steps - t)
        seen = sum(gamma**k * rewards[t + k] for k in range(h))
        targets[t] = seen + gamma**h * values[t + h]
    return targets


def epsilon_greedy_probs(q: Array, epsilon: float) -> Array:
    """Probabilities of an ε-greedy policy: with probability ε any action, the best one included, else the best.

    Args:
        q: action values; the last axis is the action, (A,) or with axes before it.
        epsilon: share of exploration, 0 … 1.

    Returns:
        As q: 1 - ε + ε/A for the greedy action, ε/A for the others.
    """
    if q.ndim < 1 or q.size == 0:
        raise ValueError(f"q must have at least one action, not the shape {q.shape}")
    _check_unit(epsilon=epsilon)
    actions = q.shape[-1]
    probs = np.full(q.shape, epsilon / actions)
    greedy = q.argmax(axis=-1)[..., None]
    np.put_along_axis(probs, greedy, 1 - epsilon + epsilon / actions, axis=-1)
    return probs


def td_target(
    rule: str,
    rewards: Array,
    dones: Flags,
    q_next: Array,
    gamma: float,
    next_actions: Indices | None = None,
    epsilon: float = 0.0,
    q_select: Array | None = None,
) -> Array:
    """What Q(s, a) is moved towards after one step (S&B eqs. 6.7 to 6.10).

    Args:
        rule: "sarsa", "q_learning", "expected_sarsa" or "double_q".
        rewards: (N,).
        dones: True where the next state is terminal, (N,).
        q_next: Q(s', ·), which gives the values, (N, A).
        gamma: discount, 0 … 1.
        next_actions: a', for "sarsa", (N,).
        epsilon: of the policy, for "expected_sarsa".
        q_select: Q(s', ·) of the table that chooses the action, for "double_q", (N, A).

    Returns:
        (N,): r + γ · (the value of s' under the rule), and r alone where dones.
    """
    check_shapes(locals(), rewards="N", dones="N", q_next="N A")
    _check_choice(rule=rule, among=RULES)
    _check_unit(gamma=gamma)
    rows = np.arange(len(rewards))
    if rule == "sarsa":
        value = q_next[rows, _given(next_actions, rewards.shape, "next_actions", rule)]
    elif rule == "q_learning":
        value = q_next.max(axis=1)
    elif rule == "expected_sarsa":
        value = (epsilon_greedy_probs(q_next, epsilon) * q_next).sum(axis=1)
    else:
        value = q_next[rows, _given(q_select, q_next.shape, "q_select", rule).argmax(axis=1)]
    return rewards + gamma * np.where(dones, 0.0, value)


def tabular_control(
    rule: str,
    Q: Array,
    states: Indices,
    actions: Indices,
    rewards: Array,
    next_states: Indices,
    next_actions: Indices,
    dones: Flags,
    alpha: float,
    gamma: float,
    epsilon: float = 0.0,
    which: Indices | None = None,
) -> tuple[Array, Array]:
    """A table of action values after a log of transitions, worked through in order.

        δ_t = y_t - Q(s_t, a_t),   Q(s_t, a_t) ← Q(s_t, a_t) + αδ_t      each step reads the table left by the one before

    Args:
        rule: "sarsa", "q_learning", "expected_sarsa" or "double_q".
        Q: action values, (S, A); for "double_q" two tables, (2, S, A).
        states: s, (T,).
        actions: a, (T,).
        rewards: r, (T,).
        next_states: s', (T,).
        next_actions: a', (T,); without effect where dones.
        dones: True where s' is terminal, (T,).
        alpha: step size, 0 … 1.
        gamma: discount, 0 … 1.
        epsilon: of the policy, for "expected_sarsa".
        which: the table that is updated, 0 or 1, for "double_q", (T,).

    Returns:
        Q: the new table or tables, of the shape given.
        deltas: target minus old value, (T,).
    """
    _check_choice(rule=rule, among=RULES)
    _check_unit(alpha=alpha, gamma=gamma)
    _check_log(states, actions=actions, rewards=rewards, next_states=next_states, next_actions=next_actions)
    _check_log(states, dones=dones)
    two = rule == "double_q"
    check_shapes(locals(), Q="tables S A" if two else "S A")
    if two and len(Q) != 2:
        raise ValueError(f"Q must hold two tables for the rule double_q, not {len(Q)}")
    coins = _given(which, states.shape, "which", rule) if two else np.zeros_like(states)
    if not np.isin(coins, (0, 1)).all():
        raise ValueError("which must hold 0 or 1 for each step")
    Q, deltas = Q.copy(), np.zeros(len(states))
    for t, (s, a, s_next) in enumerate(zip(states, actions, next_states)):
        # Double Q: the table that is updated chooses the action, the other one says what it is worth.
        table, other = (Q[coins[t]], Q[1 - coins[t]]) if two else (Q, Q)
        now = slice(t, t + 1)
        target = td_target(
            rule, rewards[now], dones[now], other[[s_next]], gamma, next_actions[now], epsilon, table[[s_next]]
        )
        deltas[t] = target[0] - table[s, a]
        table[s, a] += alpha * deltas[t]
    return Q, deltas


def td_lambda(
    V: Array,
    states: Indices,
    rewards: Array,
    next_states: Indices,
    dones: Flags,
    alpha: float,
    gamma: float,
    lam: float,
    trace: str = "accumulating",
) -> tuple[Array, Array]:
    """State values after a log of transitions, by TD(λ) with eligibility traces (Sutton 1988; S&B ch. 12).

        e ← γλe,   e(s_t) ← e(s_t) + 1  (accumulating)  or  1  (replacing),   V ← V + αδ_t e

    Args:
        V: state values, (S,).
        states: s, (T,).
        rewards: r, (T,).
        next_states: s', (T,).
        dones: True where s' is terminal; the trace is cleared after this step's update, (T,).
        alpha: step size, 0 … 1.
        gamma: discount, 0 … 1.
        lam: decay of the trace λ, 0 … 1.
        trace: "accumulating" or "replacing".

    Returns:
        V: the new values, (S,).
        traces: e at each step, as it was used, (T, S).
    """
    _check_log(states, rewards=rewards, next_states=next_states, dones=dones)
    check_shapes(locals(), V="S")
    _check_unit(alpha=alpha, gamma=gamma, lam=lam)
    _check_choice(trace=trace, among=("accumulating", "replacing"))
    e, traces = np.zeros(len(V)), np.zeros((len(states), len(V)))
    for t, (s, s_next) in enumerate(zip(states, next_states)):
        delta = rewards[t] + gamma * (0.0 if dones[t] else V[s_next]) - V[s]
        e = gamma * lam * e
        e[s] = 1.0 if trace == "replacing" else e[s] + 1.0
        V = V + alpha * delta * e
        traces[t] = e
        if dones[t]:
            e = np.zeros(len(V))
    return V.copy(), traces


def dqn_loss(
    q: Array,
    actions: Indices,
    rewards: Array,
    dones: Flags,
    q_next: Array,
    gamma: float,
    delta: float = 1.0,
    q_next_online: Array | None = None,
) -> tuple[float, Array]:
    """The loss of a deep Q-network with a target network, and its gradient (Mnih et al. 2015, Algorithm 1).

        error = y - Q(s, a; θ),   loss = mean of  ½ error²  where |error| ≤ δ,  δ(|error| - ½δ)  beyond

    Args:
        q: Q(s, ·; θ) of the network that learns, (N, A).
        actions: a, the actions taken, (N,).
        rewards: (N,).
        dones: True where the next state is terminal, (N,).
        q_next: Q(s', ·; θ⁻) of the target network, (N, A).
        gamma: discount, 0 … 1.
        delta: where the Huber loss turns from square to line, above 0; infinity for ½ error².
        q_next_online: Q(s', ·; θ), (N, A); if given, it chooses the action that q_next values (double DQN, eq. 4).

    Returns:
        loss: mean over the batch.
        dq: ∂loss/∂q, the target y being a constant, (N, A).
    """
    online = {} if q_next_online is None else {"q_next_online": "N A"}
    check_shapes(locals(), q="N A", actions="N", rewards="N", dones="N", q_next="N A", **online)
    if not delta > 0:
        raise ValueError(f"delta must be above 0, not {delta}")
    rule = "q_learning" if q_next_online is None else "double_q"
    target = td_target(rule, rewards, dones, q_next, gamma, q_select=q_next_online)
    rows = np.arange(len(q))
    error = target - q[rows, actions]
    clipped = np.clip(error, -delta, delta)
    loss = (np.abs(clipped) * (np.abs(error) - 0.5 * np.abs(clipped))).mean()  # both branches in one, and no ∞ · 0
    dq = np.zeros(q.shape)
    dq[rows, actions] = -clipped / len(q)
    return float(loss), dq


def replay_sample(total: int, capacity: int, u: Array) -> Indices:
    """Which transitions are drawn from a replay buffer, a ring that overwrites its oldest (Lin 1992; Mnih et al. 2015).

    Args:
        total: transitions inserted so far, ids 0 … total-1; id k went into slot k mod capacity.
        capacity: slots of the ring.
        u: uniform numbers in [0, 1), (B,).

    Returns:
        (B,): the ids that lie in the slots ⌊u · min(total, capacity)⌋.
    """
    for name, count in (("total", total), ("capacity", capacity)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, not {count}")
    if np.any((u < 0) | (u >= 1)):
        raise ValueError("u must lie in [0, 1)")
    slot = np.floor(u * min(total, capacity)).astype(np.int64)
    newest = total - 1
    return newest - (newest - slot) % capacity  # the last id that went into the slot


def _given(argument: Indices | Array | None, shape: tuple[int, ...], name: str, rule: str) -> NDArray[Any]:
    if argument is None or argument.shape != shape:
        raise ValueError(f"{name} must be given for the rule {rule}, with the shape {shape}")
    return argument


def _check_choice(among: tuple[str, ...], **choices: str) -> None:
    for name, choice in choices.items():
        if choice not in among:
            raise ValueError(f"{name} must be one of {', '.join(among)}, not {choice!r}")


def _check_unit(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise ValueError(f"{name} must lie in 0 … 1, not {number}")


def _check_log(states: Indices, **columns: NDArray[np.generic]) -> None:
    """All columns of a log have one entry a step; a log may be empty."""
    for name, column in columns.items():
        if column.shape != states.shape:
            raise ValueError(f"{name} must have the shape {states.shape} of states, not {column.shape}")
