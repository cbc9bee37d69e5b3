"""Markov decision processes: Bellman's equations, and planning with a known model.

    v_π(s)   = Σ_a π(a|s) [R(s,a) + γ Σ_s' P(s'|s,a) v_π(s')]      expectation
    q*(s,a)  = R(s,a) + γ Σ_s' P(s'|s,a) max_a' q*(s',a')          optimality

Sutton & Barto, "Reinforcement Learning", 2nd ed., 2018: eqs. 3.14, 3.20 (Bellman), 4.5 (sweeps), 4.9 (greedy), 4.10 (value iteration).
Puterman, "Markov Decision Processes", 1994: theorems 6.1.1 (linear solve) and 6.3.1 (how far a stopped iteration is off).

Letters: S states, A actions, N rollouts, T steps. `P[s, a, t]` is the probability of state t after action a in s; `R[s, a]` is the
EXPECTED reward that follows. A terminal state is worth 0, whatever its rows hold; the reward for entering it belongs to the action
that leads there.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def action_values(P: Array, R: Array, V: Array, gamma: float, terminal: Bools) -> Array:
    """One expected backup: from state values to action values (Sutton & Barto, eq. 4.6).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        V: state values, (S,); what it holds at terminal states is ignored.
        gamma: discount, in [0, 1].
        terminal: which states are ends, (S,).

    Returns:
        (S, A): R + γ Σ P V over the successors, 0 at terminal states.
    """
    _check_model(P, R, gamma, terminal)
    check_shapes(locals(), P="S A S", V="S")
    Q = R + gamma * P @ np.where(terminal, 0.0, V)
    return np.where(terminal[:, None], 0.0, Q)


def greedy_policy(Q: Array, ties: str = "first", tol: float = 1e-9) -> Array:
    """The policy that takes a best action (Sutton & Barto, eq. 4.9).

    Args:
        Q: action values, (S, A).
        ties: "first" for the first best action, "split" for an equal share of each.
        tol: actions this near to the best are as good: equal worth rarely agrees in the last bit.

    Returns:
        (S, A): probabilities.
    """
    check_shapes(locals(), Q="S A")
    if ties not in ("first", "split"):
        raise ValueError(f"ties must be first or split, not {ties!r}")
    best = Q >= Q.max(axis=1, keepdims=True) - tol
    if ties == "first":
        best = np.eye(Q.shape[1])[best.argmax(axis=1)]
    return best / best.sum(axis=1, keepdims=True)


def policy_evaluation(P: Array, R: Array, pi: Array, gamma: float, terminal: Bools) -> Array:
    """The value of a policy, exactly: V = (I - γ P_π)⁻¹ r_π on the live states (Puterman, theorem 6.1.1).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        pi: the policy, (S, A).
        gamma: discount, in [0, 1]; 1 only where every state reaches an end.
        terminal: which states are ends, (S,).

    Returns:
        (S,): values, 0 at terminal states.
    """
    _check_model(P, R, gamma, terminal, pi)
    live = ~terminal
    P_pi = np.einsum("sa,sat->st", pi, P)
    r_pi = (pi * R).sum(axis=1)
    V = np.zeros(len(R))
    try:
        V[live] = np.linalg.solve(np.eye(live.sum()) - gamma * P_pi[np.ix_(live, live)], r_pi[live])
    except np.linalg.LinAlgError:
        raise ValueError(f"gamma {gamma} leaves no finite value: some state never reaches an end") from None
    return V


def iterative_evaluation(
    P: Array,
    R: Array,
    pi: Array,
    gamma: float,
    terminal: Bools,
    sweeps: int,
    V0: Array | None = None,
    in_place: bool = False,
) -> tuple[Array, Array]:
    """The value of a policy by repeated backups (Sutton & Barto, eq. 4.5 and §4.1).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        pi: the policy, (S, A).
        gamma: discount, in [0, 1].
        terminal: which states are ends, (S,).
        sweeps: how often all states are backed up.
        V0: values to start from, (S,); zeros where None.
        in_place: read what this sweep has written, in the order 0 … S-1; else only what the last one left.

    Returns:
        V: values after the sweeps, (S,).
        deltas: the largest absolute change of each sweep, (K,).
    """
    _check_model(P, R, gamma, terminal, pi)
    if sweeps < 0:
        raise ValueError(f"sweeps must not be negative, not {sweeps}")
    V = np.zeros(len(R)) if V0 is None else np.where(terminal, 0.0, V0)
    deltas = np.zeros(sweeps)
    for k in range(sweeps):
        old = V.copy()
        source = V if in_place else old
        for s in np.flatnonzero(~terminal):
            V[s] = pi[s] @ (R[s] + gamma * P[s] @ source)
        deltas[k] = np.abs(V - old).max()
    return V, deltas


def policy_iteration(
    P: Array, R: Array, gamma: float, terminal: Bools, max_rounds: int = 100
) -> tuple[Array, Ints, int]:
    """Evaluate, improve, and again until nothing changes (Sutton & Barto, §4.3).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        gamma: discount, in [0, 1].
        terminal: which states are ends, (S,).
        max_rounds: at most so many evaluations.

    Returns:
        V: values of the last policy evaluated, (S,).
        actions: that policy, (S,); the first starts with action 0 everywhere.
        rounds: how many policies were evaluated, the confirming one included.
    """
    if max_rounds < 1:
        raise ValueError(f"max_rounds must be at least 1, not {max_rounds}")
    actions = np.zeros(len(R), int)
    for rounds in range(1, max_rounds + 1):
        V = policy_evaluation(P, R, np.eye(R.shape[1])[actions], gamma, terminal)
        better = greedy_policy(action_values(P, R, V, gamma, terminal)).argmax(axis=1)
        if (better == actions).all():
            break
        actions = better
    return V, actions, rounds


def value_iteration(
    P: Array, R: Array, gamma: float, terminal: Bools, theta: float, max_sweeps: int = 10000
) -> tuple[Array, Ints, int]:
    """Backups with the best action until little changes (Sutton & Barto, eq. 4.10).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        gamma: discount, in [0, 1].
        terminal: which states are ends, (S,).
        theta: stop after the first sweep whose largest absolute change is below it.
        max_sweeps: at most so many sweeps, from V = 0, each reading only the one before.

    Returns:
        V: values after the last sweep, (S,).
        actions: greedy for these values, (S,).
        sweeps: how many were made.
    """
    if theta <= 0 or max_sweeps < 1:
        raise ValueError(f"theta must be positive and max_sweeps at least 1, not {theta} and {max_sweeps}")
    V = np.zeros(len(R))
    for sweeps in range(1, max_sweeps + 1):
        old, V = V, action_values(P, R, V, gamma, terminal).max(axis=1)
        if np.abs(V - old).max() < theta:
            break
    return V, greedy_policy(action_values(P, R, V, gamma, terminal)).argmax(axis=1), sweeps


def mean_and_error(samples: Array) -> tuple[float, float]:
    """A mean and its standard error.

    Args:
        samples: at least two numbers, (N,).

    Returns:
        mean: Σ x / N.
        error: s / √N with s² = Σ (x - mean)² / (N - 1).
    """
    check_shapes(locals(), samples="N")
    if len(samples) < 2:
        raise ValueError("samples must hold at least two numbers")
    return float(samples.mean()), float(samples.std(ddof=1) / np.sqrt(len(samples)))


def rollout_estimate(
    P: Array, R: Array, pi: Array, gamma: float, terminal: Bools, start: int, u: Array
) -> tuple[float, float, Array]:
    """The value of a state by the Monte Carlo method: the mean of sampled returns (Sutton & Barto, §5.1).

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A), collected as they are.
        pi: the policy, (S, A).
        gamma: discount, in [0, 1].
        terminal: which states are ends, (S,).
        start: the state that every rollout begins in.
        u: uniform draws in [0, 1), (N, T, 2): at each step one for the action, then one for the next state. What is drawn is the
            first index whose cumulative probability exceeds the draw.

    Returns:
        mean: of the returns.
        error: its standard error.
        returns: Σ γᵗ R of each rollout, ended by a terminal state or after T steps, (N,).
    """
    _check_model(P, R, gamma, terminal, pi)
    if u.ndim != 3 or u.shape[2] != 2 or len(u) < 2 or (u < 0).any() or (u >= 1).any():
        raise ValueError(
            f"u must have the shape (N, T, 2) with N at least 2, and lie in [0, 1); its shape is {u.shape}"
        )
    if not 0 <= start < len(R):
        raise ValueError(f"start must lie in 0 … {len(R) - 1}, not {start}")
    state, returns = np.full(len(u), start), np.zeros(len(u))
    for t in range(u.shape[1]):
        live = ~terminal[state]
        action = _drawn(pi[state], u[:, t, 0])
        returns += np.where(live, gamma**t * R[state, action], 0.0)
        state = np.where(live, _drawn(P[state, action], u[:, t, 1]), state)
    return (*mean_and_error(returns), returns)


def _drawn(probabilities: Array, u: Array) -> Ints:
    """For each row the first index whose cumulative probability exceeds the draw; rounding never leads past the last."""
    passed = probabilities.cumsum(axis=1) <= u[:, None]
    return np.minimum(passed.sum(axis=1), probabilities.shape[1] - 1)


def _check_model(P: Array, R: Array, gamma: float, terminal: Bools, pi: Array | None = None) -> None:
    check_shapes(locals(), P="S A S", R="S A", terminal="S")
    if not 0 <= gamma <= 1:
        raise ValueError(f"gamma must lie in [0, 1], not {gamma}")
    for name, rows in (("P", P), ("pi", pi)):
        if rows is not None and ((rows < 0).any() or (np.abs(rows.sum(axis=-1) - 1) > 1e-8).any()):
            raise ValueError(f"the rows of {name} must be probabilities: not negative, and of sum 1")
    if pi is not None:
        check_shapes(locals(), R="S A", pi="S A")
