"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.alphago import (
    alphago_network_cost, backup_mixed, encode_planes, move_or_resign, reinforce_update, select_edge, value_data_schedule,
)
from reference.alphago_torch import policy_loss_torch


@alternative(encode_planes)
def point_by_point(board, to_play, counts, flags, value_network=False):
    """Planes filled point by point; nested lists come back."""
    H, W = board.shape
    planes = np.zeros((49 if value_network else 48, H, W))
    for y in range(H):
        for x in range(W):
            planes[2 if board[y, x] == 0 else 0 if board[y, x] == to_play else 1, y, x] = 1
            planes[3, y, x] = 1
            for g in range(5):
                if counts[g, y, x] > 0:
                    planes[3 + 8 * g + min(int(counts[g, y, x]), 8), y, x] = 1
    planes[44:47] = flags
    if value_network:
        planes[48] = 2 - to_play
    return planes.tolist()


@alternative(encode_planes)
def one_hot_by_comparison(board, to_play, counts, flags, value_network=False):
    """All counts compared with 1 … 8 at once; booleans come back."""
    one_hot = np.clip(counts, 0, 8)[:, None] == np.arange(1, 9)[:, None, None]
    rest = [np.zeros_like(board), np.full_like(board, to_play == 1)][: 1 + value_network]
    stones = board == np.array([to_play, 3 - to_play, 0])[:, None, None]
    parts = [stones, [np.ones_like(board)], one_hot.reshape(40, *board.shape), flags, rest]
    return np.concatenate(parts).astype(bool)


@alternative(alphago_network_cost)
def layer_by_layer(network, filters=192, board=19):
    """A loop over the layers; lists come back."""
    params, macs = [], []
    planes = {"policy": 48, "value": 49}[network]
    for layer in range(1, 13):
        size = 5 if layer == 1 else 3
        params.append((size * size * planes + 1) * filters)
        macs.append(size * size * planes * filters * board**2)
        planes = filters
    params.append(filters + (board**2 if network == "policy" else 1))
    macs.append(filters * board**2)
    if network == "value":
        params += [(board**2 + 1) * 256, 256 + 1]
        macs += [board**2 * 256, 256]
    return params, macs


@alternative(alphago_network_cost)
def from_a_table_of_shapes(network, filters=192, board=19):
    """Shapes of all weights and biases; what is counted is their product."""
    k, dense = filters, network == "value"
    shapes = [(5, 5, 48 + dense, k), *[(3, 3, k, k)] * 11, (1, 1, k, 1)] + dense * [(board**2, 256), (256, 1)]
    biases = [(k,)] * 12 + ([(1,), (256,), (1,)] if dense else [(board, board)])
    weights = np.array([int(np.prod(shape)) for shape in shapes])
    repeats = np.array([board**2 if len(shape) == 4 else 1 for shape in shapes])
    return weights + np.array([int(np.prod(shape)) for shape in biases]), weights * repeats


@alternative(select_edge)
def other_order_of_factors(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """Means by a division with `where`, the bonus with P/(1+N) first, the maximum by a loop."""
    q_v = np.divide(W_v, N_v, out=np.zeros(len(P)), where=N_v > 0)
    q_r = np.divide(W_r, N_r, out=np.zeros(len(P)), where=N_r > 0)
    Q = q_v + mix * (q_r - q_v)
    u = P / (1.0 + N_r) * (c_puct * sum(N_r) ** 0.5)
    best = 0
    for i in range(1, len(P)):
        if Q[i] + u[i] > Q[best] + u[best]:
            best = i
    return best, Q, u


@alternative(select_edge)
def edge_by_edge(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """Plain numbers, one edge after the other; lists come back."""
    root, Q, u = float(np.sum(N_r)) ** 0.5, [], []
    for p, n_v, w_v, n_r, w_r in zip(P, N_v, W_v, N_r, W_r):
        Q.append((1 - mix) * (w_v / n_v if n_v else 0.0) + mix * (w_r / n_r if n_r else 0.0))
        u.append(c_puct * p * root / (1 + n_r))
    scores = [q + bonus for q, bonus in zip(Q, u)]
    return scores.index(max(scores)), Q, u


@alternative(backup_mixed)
def from_the_leaf_upwards(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """v and z turned at each ply, in lists."""
    N_v, W_v, N_r, W_r = [list(x) for x in (N_v, W_v, N_r, W_r)]
    for edge in list(path)[::-1]:
        v, z = -v, -z
        N_v[edge] += 1
        N_r[edge] += 1
        W_v[edge] += v
        W_r[edge] += z
    return N_v, W_v, N_r, W_r, N_r[path[-1]] >= n_thr + 1


@alternative(backup_mixed)
def by_one_vector_of_signs(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """The signs of all edges at once, from the root down."""
    visited, signs = np.zeros(len(N_v), int), np.zeros(len(N_v))
    visited[path] = 1
    signs[path] = (-1.0) ** (len(path) - np.arange(len(path)))
    N_r = N_r + visited
    return N_v + visited, W_v + v * signs, N_r, W_r + z * signs, n_thr < N_r[path[-1]]


@alternative(move_or_resign)
def by_sorting(N_r, Q, resign=-0.8):
    """Sorted by visits, then by position."""
    order = sorted(range(len(N_r)), key=lambda i: (-N_r[i], i))
    return order[0], all(q < resign for q in Q)


@alternative(move_or_resign)
def by_the_first_maximum(N_r, Q, resign=-0.8):
    """The first position of the maximum; nobody who reaches the threshold is left."""
    return np.flatnonzero(N_r == N_r.max())[0], not np.any(np.asarray(Q) >= resign)


@alternative(reinforce_update)
def from_gradients_of_the_scores(w, features, actions, z, baseline, games, alpha):
    """Gradients of the scores, one-hot minus p, step by step."""
    steps = np.zeros_like(w)
    for x, a, r, b in zip(features, actions, z, baseline):
        logits = x @ w
        p = np.exp(logits - np.logaddexp.reduce(logits))
        steps = steps + (r - b) * ((np.arange(len(p)) == a) - p) @ x
    return w + alpha * steps / games


@alternative(reinforce_update)
def in_one_contraction(w, features, actions, z, baseline, games, alpha):
    """One contraction over steps and moves."""
    scores = np.exp(features @ w)
    p = scores / scores.sum(axis=1, keepdims=True)
    upstream = (np.eye(features.shape[1])[actions] - p) * ((z - baseline) / games)[:, None]
    return w + alpha * np.tensordot(upstream, features, axes=2)


@alternative(value_data_schedule)
def concatenated_phases(U, T, r_black):
    """Three lists, and the sign from the number of moves."""
    return [0] * (U - 1) + [1] + [2] * (T - U), U + 1, float((-1) ** (U % 2) * r_black)


@alternative(value_data_schedule)
def move_by_move(U, T, r_black):
    """A loop over the moves; the two players' results in a table."""
    phases = np.empty(T, int)
    for t in range(1, T + 1):
        phases[t - 1] = 0 if t < U else 2 if t > U else 1
    of = {"black": 1.0 * r_black, "white": -1.0 * r_black}
    return phases, 1 + U, of["white" if U % 2 else "black"]


@alternative(policy_loss_torch)
def categorical_log_prob(w, features, actions, advantage, games):
    """torch's own distribution, a dot product with the advantage."""
    log_p = torch.distributions.Categorical(logits=features @ w).log_prob(actions)
    return -torch.dot(advantage.detach(), log_p) / games


@alternative(policy_loss_torch)
def weighted_cross_entropy(w, features, actions, advantage, games):
    """The cross-entropy of each step, weighted."""
    logits = torch.einsum("taf,f->ta", features, w)
    each = torch.nn.functional.cross_entropy(logits, actions, reduction="none")
    with torch.no_grad():
        weight = advantage / games
    return (weight * each).sum()
