"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.policy_gradient import (
    a2c_loss, exact_gradient, gae, ppo_clip_loss, reinforce_gradient, rewards_to_go, softmax_policy,
)
from reference.policy_gradient_torch import a2c_loss_torch, ppo_clip_loss_torch


@alternative(softmax_policy)
def rows_by_logaddexp(logits, actions):
    """Row by row, through logaddexp."""
    logp, score = np.zeros(logits.shape), np.zeros(logits.shape)
    for i, (row, a) in enumerate(zip(logits, actions)):
        logp[i] = row - np.logaddexp.reduce(row)
        for j in range(len(row)):
            score[i, j] = (1.0 if j == a else 0.0) - np.exp(logp[i, j])
    return logp, score


@alternative(softmax_policy)
def minus_pi_and_one_more(logits, actions):
    """-π, then 1 added at the action; logs by differences of columns."""
    logp = -np.log(np.exp(logits[:, None, :] - logits[:, :, None]).sum(axis=2))
    score = -np.exp(logp)
    score[np.arange(len(actions)), actions] += 1
    return [list(row) for row in logp], score


@alternative(rewards_to_go)
def forward_sums(rewards, dones, gamma, bootstrap=0.0):
    """Explicit double sums; a list comes back."""
    T, out = len(rewards), []
    for t in range(T):
        total, weight, ended = 0.0, 1.0, False
        for k in range(t, T):
            total += weight * rewards[k]
            weight *= gamma
            if dones[k]:
                ended = True
                break
        out.append(total if ended else total + weight * bootstrap)
    return out


@alternative(rewards_to_go)
def one_linear_system(rewards, dones, gamma, bootstrap=0.0):
    """(I - γ · shift) G = r, with the bootstrap in the last equation."""
    live = 1.0 - dones
    shift = np.diag(live[:-1], 1)
    right = rewards + 0.0
    right[-1] += gamma * live[-1] * bootstrap
    return np.linalg.solve(np.eye(len(rewards)) - gamma * shift, right)


@alternative(exact_gradient)
def inverse_and_jacobians(P, R, logits, gamma, start, terminal):
    """Visits and V from one inverse, the gradient through ∂π/∂θ = diag(π) - ππᵀ."""
    S = len(logits)
    pi = np.exp(logits - logits.max(1)[:, None])
    pi = pi / pi.sum(1)[:, None]
    step = np.zeros((S, S))
    for s in range(S):
        for t in range(S):
            if not terminal[s] and not terminal[t]:
                step[s, t] = pi[s] @ P[s, :, t]
    inverse = np.linalg.inv(np.eye(S) - gamma * step)
    V = inverse @ np.where(terminal, 0.0, (pi * R).sum(1))
    visits = np.where(terminal, 0.0, start) @ inverse
    grad = np.zeros(logits.shape)
    for s in range(S):
        Q = R[s] + gamma * P[s] @ V
        grad[s] = visits[s] * (np.diag(pi[s]) - np.outer(pi[s], pi[s])) @ Q
    return float(start @ V), grad, visits


@alternative(exact_gradient)
def pushed_forward_and_backed_up(P, R, logits, gamma, start, terminal):
    """No linear solve: V by 400 backups, visits by 400 pushes; nested lists come back."""
    pi = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    V, visits, live = np.zeros(len(R)), np.zeros(len(R)), (~terminal) * 1.0
    for _ in range(400):
        Q = (R + gamma * P @ V) * live[:, None]
        V = (pi * Q).sum(axis=1)
        visits = (start + gamma * np.einsum("s,sa,sat->t", visits, pi, P)) * live
    grad = [
        [float(visits[s] * pi[s, a] * (Q[s, a] - V[s])) for a in range(R.shape[1])] for s in range(len(R))
    ]
    return float(start @ V), grad, list(visits)


@alternative(reinforce_gradient)
def one_matrix_product(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """Returns by a triangular matrix, states by a one-hot matrix."""
    T = len(rewards)
    lag = np.arange(T)[None, :] - np.arange(T)[:, None]
    G = np.where(lag >= 0, float(gamma) ** np.maximum(lag, 0), 0.0) @ rewards
    weight = (G - (0 if baseline is None else baseline[states])) * (float(gamma) ** np.arange(T) if discount_steps else 1.0)
    score = np.eye(logits.shape[1])[actions] - np.exp(logits[states]) / np.exp(logits[states]).sum(1, keepdims=True)
    return np.eye(len(logits))[states].T @ (weight[:, None] * score)


@alternative(reinforce_gradient)
def backwards_through_the_episode(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """One pass from the end, entry by entry; nested lists come back."""
    grad, G = [[0.0] * logits.shape[1] for _ in logits], 0.0
    for t in reversed(range(len(rewards))):
        s, G = states[t], rewards[t] + gamma * G
        pi = np.exp(logits[s] - logits[s].max())
        pi = pi / pi.sum()
        gain = (G if baseline is None else G - baseline[s]) * (gamma**t if discount_steps else 1.0)
        for a in range(len(pi)):
            grad[s][a] += gain * ((a == actions[t]) - pi[a])
    return grad


@alternative(gae)
def weighted_errors(rewards, values, dones, gamma, lam):
    """TD errors first, then explicit double sums; lists come back."""
    alive = 1.0 - dones
    delta = rewards + gamma * alive * values[1:] - values[:-1]
    advantages = []
    for t in range(len(rewards)):
        weight, total = 1.0, 0.0
        for k in range(t, len(rewards)):
            total += weight * delta[k]
            weight *= gamma * lam * alive[k]
        advantages.append(total)
    return advantages, [a + v for a, v in zip(advantages, values)]


@alternative(gae)
def lambda_returns_first(rewards, values, dones, gamma, lam):
    """The targets by the recursion of the λ-return; the advantages are what they exceed V by."""
    targets, later = np.zeros(len(rewards)), values[-1]
    for t in range(len(rewards) - 1, -1, -1):
        later = rewards[t] + (0 if dones[t] else gamma * ((1 - lam) * values[t + 1] + lam * later))
        targets[t] = later
    return targets - values[:-1], targets


@alternative(a2c_loss)
def entropy_from_the_log_sum(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """H = log Σ exp - mean logit."""
    n, k = logits.shape
    top = logits.max(1, keepdims=True)
    log_sum = (top + np.log(np.exp(logits - top).sum(1, keepdims=True)))[:, 0]
    p = np.exp(logits - log_sum[:, None])
    H = log_sum - (p * logits).sum(1)
    chosen = np.eye(k)[actions]
    policy = advantages @ (log_sum - (chosen * logits).sum(1))
    loss = (policy + value_coef * np.sum((values - returns) ** 2) - entropy_coef * H.sum()) / n
    dH = -p * (logits - (p * logits).sum(1, keepdims=True))
    dlogits = (advantages[:, None] * (p - chosen) - entropy_coef * dH) / n
    return loss, dlogits, (values - returns) * (2 * value_coef / n)


@alternative(a2c_loss)
def jacobians_sample_by_sample(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """The derivative in π, then through diag(π) - ππᵀ, one sample at a time; lists come back."""
    n, loss, dlogits, dvalues = len(actions), 0.0, [], []
    for i, a in enumerate(actions):
        pi = np.exp(logits[i]) / np.exp(logits[i]).sum()
        dpi = entropy_coef * (np.log(pi) + 1)
        dpi[a] -= advantages[i] / pi[a]
        dlogits.append(list((np.diag(pi) - np.outer(pi, pi)) @ dpi / n))
        dvalues.append(2 * value_coef * (values[i] - returns[i]) / n)
        loss += (entropy_coef * pi @ np.log(pi) - advantages[i] * np.log(pi[a])) / n
        loss += value_coef * (values[i] - returns[i]) ** 2 / n
    return float(loss), dlogits, dvalues


@alternative(ppo_clip_loss)
def bound_of_each_sample(logits, actions, old_logp, advantages, clip_range=0.2):
    """One sample at a time; the bound depends on the sign of Â."""
    n, loss, grads, ratios = len(actions), 0.0, [], []
    for i in range(n):
        pi = np.exp(logits[i] - logits[i].max())
        pi = pi / pi.sum()
        ratio, A = pi[actions[i]] / np.exp(old_logp[i]), advantages[i]
        bound = (1 + clip_range) * A if A >= 0 else (1 - clip_range) * A
        cut = ratio * A > bound
        loss -= (bound if cut else ratio * A) / n
        score = np.eye(len(pi))[actions[i]] - pi
        grads.append(np.zeros(len(pi)) if cut else -ratio * A * score / n)
        ratios.append(ratio)
    return loss, np.stack(grads), ratios


@alternative(ppo_clip_loss)
def signs_and_one_clip(logits, actions, old_logp, advantages, clip_range=0.2):
    """min(rÂ, clip(r)Â) = |Â| min(sign·r, sign + ε), and its two branches by a mask."""
    rows = np.arange(len(actions))
    logp = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    ratio = np.exp(logp[rows, actions] - old_logp)
    sign, size = np.sign(advantages), np.abs(advantages)
    inside = sign * ratio < sign + clip_range
    loss = -np.mean(size * np.where(inside, sign * ratio, sign + clip_range))
    grad = np.exp(logp) * (inside * advantages * ratio / len(rows))[:, None]
    grad[rows, actions] -= inside * advantages * ratio / len(rows)
    return loss, grad, ratio


@alternative(a2c_loss_torch)
def torch_distributions(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """torch's own categorical distribution and mean squared error."""
    policy = torch.distributions.Categorical(logits=logits)
    critic = torch.nn.functional.mse_loss(values, returns.detach())
    actor = -(policy.log_prob(actions) * advantages.detach()).mean()
    return actor + value_coef * critic - entropy_coef * policy.entropy().mean()


@alternative(a2c_loss_torch)
def one_sum_over_samples(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """One-hot actions, logsumexp, and one mean at the end."""
    with torch.no_grad():
        gain, goal = advantages.clone(), returns.clone()
    logp = logits - logits.logsumexp(dim=1, keepdim=True)
    taken = torch.nn.functional.one_hot(actions, logits.shape[1]).to(logits.dtype)
    negative_entropy = (logp.exp() * logp).sum(dim=1)
    each = -gain * (taken * logp).sum(dim=1) + value_coef * (values - goal).square() + entropy_coef * negative_entropy
    return each.mean()


@alternative(ppo_clip_loss_torch)
def torch_min_and_clamp(logits, actions, old_logp, advantages, clip_range=0.2):
    """torch's categorical distribution, as most code has it."""
    with torch.no_grad():
        old, gain = old_logp + 0.0, advantages + 0.0
    ratio = (torch.distributions.Categorical(logits=logits).log_prob(actions) - old).exp()
    return -torch.min(ratio * gain, torch.clamp(ratio, 1 - clip_range, 1 + clip_range) * gain).mean()


@alternative(ppo_clip_loss_torch)
def bound_where_it_binds(logits, actions, old_logp, advantages, clip_range=0.2):
    """Cross-entropy for -log π, and `where` between the ratio and its bound."""
    gain = advantages.detach()
    ratio = torch.exp(-torch.nn.functional.cross_entropy(logits, actions, reduction="none") - old_logp.detach())
    bound = torch.where(gain > 0, torch.full_like(gain, 1 + clip_range), torch.full_like(gain, 1 - clip_range))
    cut = torch.where(gain > 0, ratio > bound, ratio < bound)
    return -(torch.where(cut, bound, ratio) * gain).mean()
