"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.alphago_zero import (
    apply_virtual_loss, backup_value, input_planes, puct_search, puct_select, root_prior, search_policy, zero_loss,
)
from reference.alphago_zero_torch import zero_loss_torch


@alternative(puct_select)
def mean_where_visited(P, N, W, c_puct):
    """Q where something was visited, P/(1+N) first, the first maximum by search."""
    Q = np.divide(W, N, out=np.zeros(len(P)), where=N > 0)
    scores = Q + P / (1.0 + N) * (c_puct * np.sqrt(np.sum(N)))
    return np.flatnonzero(scores == scores.max())[0], scores


@alternative(puct_select)
def edge_by_edge(P, N, W, c_puct):
    """A loop over the edges with strict >; a list comes back."""
    total, best, scores = sum(N), 0, []
    for k, (p, n, w) in enumerate(zip(P, N, W)):
        scores.append((w / n if n > 0 else 0.0) + c_puct * p * total**0.5 / (1 + n))
        if scores[k] > scores[best]:
            best = k
    return best, scores


@alternative(apply_virtual_loss)
def losses_by_mask(N, W, path, n_vl=1):
    """A mask over all edges."""
    hit = np.isin(np.arange(len(N)), path)
    return N + n_vl * hit, W - n_vl * hit


@alternative(apply_virtual_loss)
def losses_edge_by_edge(N, W, path, n_vl=1):
    """Plain lists."""
    N, W = [int(n) for n in N], list(W)
    for edge in path:
        N[edge] += n_vl
        W[edge] -= n_vl
    return N, W


@alternative(backup_value)
def signs_at_once(N, W, path, v, n_vl=0):
    """Powers of −1 from the distance to the leaf."""
    N, W = N.copy(), W.copy()
    N[path] = N[path] - n_vl + 1
    W[path] = W[path] + n_vl + v * (-1.0) ** np.arange(len(path), 0, -1)
    return N, W


@alternative(backup_value)
def by_recursion(N, W, path, v, n_vl=0):
    """The last edge, then the rest with −v; lists come back."""
    if len(path) == 0:
        return [int(n) for n in N], [float(w) for w in W]
    visits, sums = by_recursion(N, W, path[:-1], -v, n_vl)
    visits[path[-1]] += 1 - n_vl
    sums[path[-1]] += n_vl - v
    return visits, sums


@alternative(root_prior)
def moved_towards_the_noise(P, noise, epsilon=0.25):
    """P and a step towards the noise."""
    return P + epsilon * (noise - P)


@alternative(root_prior)
def weighted_average(P, noise, epsilon=0.25):
    """A list of weighted averages."""
    return [float(np.average([p, e], weights=[1 - epsilon, epsilon])) for p, e in zip(P, noise)]


@alternative(puct_search)
def recursion_with_dictionaries(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """The search as a function that returns the gain of the player who moved, statistics in dictionaries, the best edge by strict >."""
    N, W, known = {}, {}, {root}

    def simulate(s):
        moves = [a for a in range(children.shape[1]) if children[s, a] >= 0]
        if s not in known or not moves:
            known.add(s)
            return -values[s]
        total = sum(N.get((s, a), 0) for a in moves)
        best, top = None, -np.inf
        for a in moves:
            p, n = priors[s, a], N.get((s, a), 0)
            if s == root and noise is not None:
                p = p + epsilon * (noise[a] - p)
            score = W.get((s, a), 0.0) / max(n, 1) + c_puct * p / (1 + n) * total**0.5
            if score > top:
                best, top = a, score
        gain = simulate(int(children[s, best]))
        N[s, best] = N.get((s, best), 0) + 1
        W[s, best] = W.get((s, best), 0.0) + gain
        return -gain

    for _ in range(simulations):
        simulate(root)
    return [N.get((root, a), 0) for a in range(children.shape[1])]


@alternative(puct_search)
def running_means_in_tables(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """Tables (S, K) with running means, missing moves at −∞."""
    N, Q = np.zeros(children.shape, int), np.zeros(children.shape)
    mixed = priors[root] if noise is None else (1 - epsilon) * priors[root] + epsilon * noise
    fresh = np.arange(len(children)) != root
    for _ in range(simulations):
        path, s = [], root
        while not fresh[s] and children[s].max() >= 0:
            score = Q[s] + c_puct * (mixed if s == root else priors[s]) * np.sqrt(N[s].sum()) / (1 + N[s])
            a = int(np.where(children[s] >= 0, score, -np.inf).argmax())
            path.append((s, a))
            s = int(children[s, a])
        fresh[s] = False
        for up, edge in enumerate(reversed(path), 1):
            N[edge] += 1
            Q[edge] += ((-1) ** up * values[s] - Q[edge]) / N[edge]
    return N[root]


@alternative(search_policy)
def powers_of_shares(N, tau):
    """Powers of N over the largest N."""
    share = np.asarray(N) / max(N)
    if tau == 0:
        p = np.zeros(len(N))
        p[list(N).index(max(N))] = 1.0
        return p
    p = share ** (1.0 / tau)
    return p / p.sum()


@alternative(search_policy)
def softmax_of_logarithms(N, tau):
    """Ratios to each of the other moves; a list comes back."""
    if tau == 0:
        best = int(np.argmax(N))
        return [1.0 if a == best else 0.0 for a in range(len(N))]
    logs = {a: np.log(n) / tau for a, n in enumerate(N) if n > 0}
    top = max(logs.values())
    total = sum(np.exp(x - top) for x in logs.values())
    return [float(np.exp(logs[a] - top) / total) if a in logs else 0.0 for a in range(len(N))]


@alternative(input_planes)
def planes_into_zeros(history, black_to_play):
    """Position by position from the newest, the opponent's stones as what is neither own nor empty."""
    planes = np.zeros((17,) + history.shape[1:])
    me = 1 if black_to_play else 2
    for i, board in enumerate(list(history)[::-1]):
        if i < 8:
            planes[2 * i] = board == me
            planes[2 * i + 1] = (board != me) & (board != 0)
    planes[16] = 1.0 if black_to_play else 0.0
    return planes


@alternative(input_planes)
def padded_and_interleaved(history, black_to_play):
    """Empty boards in front, own and opponent's stones on a new axis; booleans come back."""
    boards = np.pad(history, ((8, 0), (0, 0), (0, 0)))[:-9:-1]
    colours = np.array([2 - bool(black_to_play), 1 + bool(black_to_play)])
    stones = boards[:, None] == colours[:, None, None]
    return np.concatenate([stones.reshape(16, *boards.shape[1:]), np.full((1, *boards.shape[1:]), bool(black_to_play))])


@alternative(zero_loss)
def through_logsumexp(logits, v, pi, z, weights, l2=1e-4):
    """The cross-entropy as log Σ exp minus the expected logit."""
    n = len(logits)
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
    cross = total - (pi * logits).sum(axis=1)
    loss = np.mean(cross + (v - z) ** 2) + l2 * np.dot(weights, weights)
    return loss, (np.exp(logits - total[:, None]) - pi) / n, -2.0 / n * (z - v), weights * (2 * l2)


@alternative(zero_loss)
def position_by_position(logits, v, pi, z, weights, l2=1e-4):
    """A loop over the positions; lists of gradients come back."""
    n, loss, dlogits, dv = len(z), l2 * sum(w * w for w in weights), [], []
    for x, value, target, result in zip(logits, v, pi, z):
        e = np.exp(x - max(x))
        p = e / sum(e)
        loss += ((result - value) ** 2 - sum(t * np.log(q) for t, q in zip(target, p))) / n
        dlogits.append((p - target) / n)
        dv.append(2 * (value - result) / n)
    return loss, dlogits, dv, [2 * l2 * w for w in weights]


@alternative(zero_loss_torch)
def losses_of_torch(logits, v, pi, z, weights, l2=1e-4):
    """torch's own losses, whose targets are constants."""
    cross = torch.nn.functional.cross_entropy(logits, pi.detach())
    return cross + torch.nn.functional.mse_loss(v, z.detach()) + l2 * torch.dot(weights, weights)


@alternative(zero_loss_torch)
def targets_without_grad(logits, v, pi, z, weights, l2=1e-4):
    """Constants through no_grad, the cross-entropy as a divergence plus an entropy."""
    with torch.no_grad():
        target, result = pi.clone(), z.clone()
        entropy = -torch.xlogy(target, target).sum() / len(target)
    divergence = torch.nn.functional.kl_div(logits.log_softmax(-1), target, reduction="batchmean")
    return divergence + entropy + ((v - result) ** 2).sum() / len(v) + l2 * (weights**2).sum()
