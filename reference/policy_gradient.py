"""Policies that are improved directly: the policy gradient theorem, REINFORCE, advantages, and the losses of A2C and PPO.

    θ ← θ + ε∇J(θ)                                                  ascent: J, the expected return, is to grow
    ∇ log π(a|s) = e_a - π(·|s)                                     score of a softmax                  S&B eq. 13.9
    ∇J = Σ_s d(s) Σ_a q_π(s,a) ∇π(a|s)                              policy gradient theorem             S&B eq. 13.5
    Δθ = γᵗ (G_t - b(s_t)) ∇ log π(a_t|s_t)                         REINFORCE with a baseline           S&B eq. 13.11
    Â_t = Σ_l (γλ)ˡ δ_{t+l},  δ_t = r_t + γV(s_{t+1}) - V(s_t)      generalised advantage               GAE eq. 16
    L = -mean(min(rÂ, clip(r, 1-ε, 1+ε) Â)),  r = π/π_old           PPO                                 PPO eq. 7

Williams, "Simple statistical gradient-following algorithms for connectionist reinforcement learning", 1992 (REINFORCE).
Sutton, McAllester, Singh & Mansour, "Policy gradient methods … with function approximation", 2000 (theorem 1).
Sutton & Barto (S&B), "Reinforcement Learning: An Introduction", 2nd ed., 2018, chapter 13.
Schulman et al., "High-dimensional continuous control using generalized advantage estimation" (GAE), 2016, arXiv:1506.02438.
Mnih et al., "Asynchronous methods for deep reinforcement learning" (A3C), 2016, arXiv:1602.01783.
Schulman et al., "Proximal policy optimization algorithms" (PPO), 2017, arXiv:1707.06347.

What is called a gradient of J points uphill; what is called a loss is to be minimised, and its gradients point uphill too.
`rewards[t]` follows the action in s_t. `dones[t]` says that this action ended the episode: what comes after belongs to another.

Letters: N samples of a batch, A actions, T steps, S states.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import log_softmax, one_hot, softmax

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def softmax_policy(logits: Array, actions: Ints) -> tuple[Array, Array]:
    """A softmax policy and the score of the actions taken (S&B eqs. 13.2, 13.9).

    Args:
        logits: preferences of the actions, (N, A).
        actions: the action taken in each row, 0 … A-1, (N,).

    Returns:
        logp: log π(·|s), finite for logits of any size, (N, A).
        score: ∂ log π(a|s) / ∂logits = e_a - π, (N, A).
    """
    check_shapes(locals(), logits="N A", actions="N")
    _check_range(logits.shape[1], actions=actions)
    logp = log_softmax(logits)
    return logp, one_hot(actions, logits.shape[1]) - np.exp(logp)


def rewards_to_go(rewards: Array, dones: Bools, gamma: float, bootstrap: float = 0.0) -> Array:
    """The return from each step on: what the action of that step can still change.

        G_t = r_t + γ G_{t+1},  and G_t = r_t where the episode ends

    Args:
        rewards: r_0, …, r_{T-1}, of one episode or of several in a row, (T,).
        dones: True where the step ended its episode, (T,).
        gamma: discount, 0 … 1.
        bootstrap: V(s_T), in place of G_T if the array is merely cut off; without effect if the last step is an end.

    Returns:
        (T,): G_t.
    """
    _check_log(rewards, dones=dones)
    _check_unit(gamma=gamma)
    G, returns = bootstrap, np.zeros(len(rewards))
    for t in reversed(range(len(rewards))):
        G = rewards[t] + (0.0 if dones[t] else gamma * G)
        returns[t] = G
    return returns


def exact_gradient(
    P: Array, R: Array, logits: Array, gamma: float, start: Array, terminal: Bools
) -> tuple[float, Array, Array]:
    """The expected return of a tabular softmax policy and its gradient, with the model known (S&B eq. 13.5).

        visits = (I - γ P_πᵀ)⁻¹ start,   ∂J/∂θ[s,a] = visits(s) π(a|s) (Q(s,a) - V(s))

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        logits: the parameters θ of the policy π(·|s) = softmax(θ[s]), (S, A).
        gamma: discount, 0 … 1; 1 only where every policy reaches an end.
        start: probabilities of s_0, (S,).
        terminal: which states are ends, (S,).

    Returns:
        J: Σ_s start(s) V(s).
        grad: ∂J/∂logits, the direction of ascent, (S, A).
        visits: Σ_t γᵗ Pr(s_t = s), not normalised, 0 at ends, (S,).
    """
    check_shapes(locals(), P="S A S", R="S A", logits="S A", start="S", terminal="S")
    _check_probabilities(P=P, start=start)
    _check_unit(gamma=gamma)
    pi, live = softmax(logits), ~terminal
    P_pi = np.einsum("sa,sat->st", pi, P) * live[:, None] * live
    M = np.eye(len(R)) - gamma * P_pi
    try:
        V = np.linalg.solve(M, (pi * R).sum(axis=1) * live)
        visits = np.linalg.solve(M.T, start * live)
    except np.linalg.LinAlgError:
        raise ValueError(f"gamma {gamma} leaves no finite return: some state never reaches an end") from None
    Q = R + gamma * P @ V
    # Σ_a q(s,a) ∂π(a|s)/∂θ[s,b] = π(b|s)(q(s,b) - Σ_a π(a|s) q(s,a)): the mean of q, which is V, appears by itself.
    grad = visits[:, None] * pi * (Q - V[:, None])
    return float(start @ V), grad, visits


def reinforce_gradient(
    logits: Array,
    states: Ints,
    actions: Ints,
    rewards: Array,
    gamma: float,
    baseline: Array | None = None,
    discount_steps: bool = True,
) -> Array:
    """The gradient of J estimated from one episode (Williams 1992; S&B §13.4, the box).

        Σ_t γᵗ (G_t - b(s_t)) ∇ log π(a_t|s_t)

    Args:
        logits: the parameters θ of the policy π(·|s) = softmax(θ[s]), (S, A).
        states: s_t of one complete episode, (T,).
        actions: a_t, drawn from this very policy, (T,).
        rewards: r_t, (T,).
        gamma: discount, 0 … 1.
        baseline: b(s), (S,); 0 where None.
        discount_steps: whether step t has the weight γᵗ; without it the estimate of the discounted J is biased.

    Returns:
        (S, A): the sum over the steps, the direction of ascent.
    """
    check_shapes(locals(), logits="S A")
    _check_log(rewards, states=states, actions=actions)
    _check_range(logits.shape[0], states=states)
    _check_range(logits.shape[1], actions=actions)
    advantages = rewards_to_go(rewards, np.zeros(len(rewards), bool), gamma)
    if baseline is not None:
        check_shapes(locals(), logits="S A", baseline="S")
        advantages = advantages - baseline[states]
    weights = gamma ** np.arange(len(rewards)) if discount_steps else np.ones(len(rewards))
    score = one_hot(actions, logits.shape[1]) - softmax(logits)[states]
    grad = np.zeros(logits.shape)
    np.add.at(grad, states, (weights * advantages)[:, None] * score)  # grad[states] += … would count a state once
    return grad


def gae(rewards: Array, values: Array, dones: Bools, gamma: float, lam: float) -> tuple[Array, Array]:
    """Generalised advantage estimation (GAE eq. 16; cut at the end of the array as in PPO eqs. 11 and 12).

        δ_t = r_t + γV(s_{t+1}) - V(s_t),   Â_t = δ_t + γλ Â_{t+1};  V(s_{t+1}) and Â_{t+1} are 0 where dones

    Args:
        rewards: r_0, …, r_{T-1}, (T,).
        values: V(s_0), …, V(s_T), one more than rewards.
        dones: True where s_{t+1} is terminal, (T,).
        gamma: discount, 0 … 1.
        lam: λ, 0 … 1: 0 for the TD error, 1 for return minus value.

    Returns:
        advantages: Â_t, (T,).
        targets: Â_t + V(s_t), what the critic is moved towards, (T,).
    """
    _check_log(rewards, dones=dones)
    if values.shape != (len(rewards) + 1,):
        raise ValueError(f"values must hold {len(rewards) + 1} numbers, one more than rewards, not {values.shape}")
    _check_unit(gamma=gamma, lam=lam)
    later, advantages = 0.0, np.zeros(len(rewards))
    for t in reversed(range(len(rewards))):
        live = 0.0 if dones[t] else 1.0
        delta = rewards[t] + gamma * live * values[t + 1] - values[t]
        later = delta + gamma * lam * live * later
        advantages[t] = later
    return advantages, advantages + values[:-1]


def a2c_loss(
    logits: Array,
    values: Array,
    actions: Ints,
    advantages: Array,
    returns: Array,
    value_coef: float = 0.5,
    entropy_coef: float = 0.01,
) -> tuple[float, Array, Array]:
    """The loss of an actor and a critic, with an entropy bonus (A3C §4 and supplement, algorithm S3).

        L = -mean(Â log π(a|s)) + c_v mean((G - V)²) - β mean(H),   H = -Σ_a π log π

    Args:
        logits: of the actor, (N, A).
        values: V(s) of the critic, (N,).
        actions: taken, 0 … A-1, (N,).
        advantages: Â, constants, (N,).
        returns: G, the critic's targets, constants, (N,).
        value_coef: c_v, not negative.
        entropy_coef: β, not negative.

    Returns:
        loss: L, entropy in nats.
        dlogits: ∂L/∂logits, (N, A).
        dvalues: ∂L/∂values, (N,).
    """
    check_shapes(locals(), logits="N A", values="N", actions="N", advantages="N", returns="N")
    for name, weight in (("value_coef", value_coef), ("entropy_coef", entropy_coef)):
        if weight < 0:
            raise ValueError(f"{name} must not be negative, not {weight}")
    n = len(actions)
    logp, score = softmax_policy(logits, actions)
    pi = np.exp(logp)
    entropy = -(pi * logp).sum(axis=1)
    actor = -(advantages * logp[np.arange(n), actions]).mean()
    critic = ((returns - values) ** 2).mean()
    loss = actor + value_coef * critic - entropy_coef * entropy.mean()
    dentropy = -pi * (logp + entropy[:, None])
    dlogits = (-advantages[:, None] * score - entropy_coef * dentropy) / n
    return float(loss), dlogits, 2 * value_coef * (values - returns) / n


def ppo_clip_loss(
    logits: Array, actions: Ints, old_logp: Array, advantages: Array, clip_range: float = 0.2
) -> tuple[float, Array, Array]:
    """The clipped surrogate loss of PPO (PPO eqs. 6 and 7), to be minimised.

        L = -mean(min(r Â, clip(r, 1-ε, 1+ε) Â)),   r = π(a|s) / π_old(a|s)

    Args:
        logits: of the policy that learns, (N, A).
        actions: drawn from the old policy, 0 … A-1, (N,).
        old_logp: log π_old(a|s), constants, (N,).
        advantages: Â, constants, taken as they are, (N,).
        clip_range: ε, between 0 and 1.

    Returns:
        loss: L.
        dlogits: ∂L/∂logits, 0 in the rows where the clipped term is the smaller one, (N, A).
        ratio: r, (N,).
    """
    check_shapes(locals(), logits="N A", actions="N", old_logp="N", advantages="N")
    if not 0 < clip_range < 1:
        raise ValueError(f"clip_range must lie between 0 and 1, not {clip_range}")
    n = len(actions)
    logp, score = softmax_policy(logits, actions)
    ratio = np.exp(logp[np.arange(n), actions] - old_logp)
    plain = ratio * advantages
    clipped = np.clip(ratio, 1 - clip_range, 1 + clip_range) * advantages
    moves = plain <= clipped  # the clipped term, where it is the smaller, is a constant
    dlogits = -np.where(moves, plain, 0.0)[:, None] * score / n  # ∂r/∂logits = r · score
    return float(-np.minimum(plain, clipped).mean()), dlogits, ratio


def _check_log(rewards: Array, **columns: NDArray[np.generic]) -> None:
    """All columns have one entry a step; there may be no step."""
    if rewards.ndim != 1:
        raise ValueError(f"rewards must have one axis, not the shape {rewards.shape}")
    for name, column in columns.items():
        if column.shape != rewards.shape:
            raise ValueError(f"{name} must have the shape {rewards.shape} of rewards, not {column.shape}")


def _check_range(count: int, **indices: Ints) -> None:
    for name, index in indices.items():
        if ((index < 0) | (index >= count)).any():
            raise ValueError(f"{name} must lie in 0 … {count - 1}")


def _check_probabilities(**tables: Array) -> None:
    for name, rows in tables.items():
        if (rows < 0).any() or (np.abs(rows.sum(axis=-1) - 1) > 1e-6).any():  # 1e-6: float32 is welcome
            raise ValueError(f"{name} must hold probabilities: not negative, and of sum 1")


def _check_unit(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number <= 1:
            raise ValueError(f"{name} must lie in 0 … 1, not {number}")
