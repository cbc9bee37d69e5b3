"""AlphaGo (2016): two networks, a fast policy, and the search that joins them.

    edge       Q(s,a) = (1-λ) W_v/N_v + λ W_r/N_r      u(s,a) = c_puct P(s,a) √(Σ_b N_r(s,b)) / (1 + N_r(s,a))
    selection  a = argmax_a [Q(s,a) + u(s,a)]
    expansion  where N_r(s,a) > n_thr
    policy     Δρ = (α/n) Σ_i Σ_t ∂log p_ρ(a_t|s_t)/∂ρ · (z_t - b(s_t))        n games of self-play
    value      (v_θ(s) - z)² over one position of each game

Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529:484–489, 2016: Methods, "Search
algorithm", "Neural network architecture", "Policy network: reinforcement learning", "Value network: regression"; Extended Data
Table 2 (input planes) and Table 5 (λ = 0.5, n_thr = 40, c_puct = 5).

An edge keeps two statistics: N_v visits and the sum W_v of the value network's verdicts, N_r and W_r those of the rollouts. W is
kept for the player who CHOOSES the edge, so that whoever chooses takes the largest. On a board 0 is empty, 1 black, 2 white;
black moves first.

Letters: H×W the board, K the edges of a node, E those of a tree, L the edges of a path, T steps, A moves, F features of a move.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import softmax

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

UNITS = 256  # of the value network's fully connected layer


def encode_planes(board: Ints, to_play: int, counts: Ints, flags: Flags, value_network: bool = False) -> Array:
    """The input of the networks (Extended Data Table 2), its planes in the order of the table's rows.

    Args:
        board: stones, 0 empty, 1 black, 2 white, (H, W).
        to_play: the player to move, 1 or 2.
        counts: numbers ≥ 0 at every point, (5, H, W): turns since, liberties, capture size, self-atari size, liberties after the move.
        flags: ladder capture, ladder escape, sensibleness, (3, H, W).
        value_network: one plane more, the colour to play.

    Returns:
        Planes of 0 and 1, 48 of them or 49, each (H, W): own, opponent, empty, ones; for each count eight planes [1], [2], …, [7], [≥ 8];
        the flags; zeros; and for the value network ones where black is to play.
    """
    check_shapes(locals(), board="H W", counts="C H W", flags="G H W")
    if len(counts) != 5:
        raise ValueError(f"counts must hold 5 features, not {len(counts)}")
    if len(flags) != 3:
        raise ValueError(f"flags must hold 3 features, not {len(flags)}")
    if to_play not in (1, 2):
        raise ValueError(f"to_play must be 1 or 2, not {to_play}")
    planes = [board == to_play, board == 3 - to_play, board == 0, np.ones_like(board)]
    for count in counts:
        planes += [count == k for k in range(1, 8)] + [count >= 8]
    planes += [*flags, np.zeros_like(board)]
    if value_network:
        planes.append(np.full_like(board, to_play == 1))
    return np.stack(planes).astype(float)


def alphago_network_cost(network: str, filters: int = 192, board: int = 19) -> tuple[Ints, Ints]:
    """Parameters and MACs, layer by layer (Methods, "Neural network architecture").

    Args:
        network: "policy" (13 layers) or "value" (15).
        filters: k of the convolutions 1–12.
        board: side of the board; every convolution is padded to keep it.

    Returns:
        params: weights and biases of each layer; a bias is one for each filter or unit, but one for each POINT in the policy's last layer.
        macs: weights × points for a convolution, weights for a fully connected layer.
    """
    if network not in ("policy", "value"):
        raise ValueError(f"network must be policy or value, not {network!r}")
    if filters < 1 or board < 1:
        raise ValueError(f"filters and board must be at least 1, not {filters} and {board}")
    k, points = filters, board * board
    planes = 48 if network == "policy" else 49
    weights = np.array([5 * 5 * planes * k] + 11 * [3 * 3 * k * k] + [1 * 1 * k])
    biases = np.array(12 * [k] + [points if network == "policy" else 1])
    macs = weights * points
    if network == "value":
        dense = [points * UNITS, UNITS]
        weights, biases, macs = np.append(weights, dense), np.append(biases, [UNITS, 1]), np.append(macs, dense)
    return weights + biases, macs


def select_edge(
    P: Array, N_v: Ints, W_v: Array, N_r: Ints, W_r: Array, mix: float = 0.5, c_puct: float = 5.0
) -> tuple[int, Array, Array]:
    """The edge that a simulation follows at one node (Methods, "Selection").

    Args:
        P: priors of the policy network, (K,).
        N_v: evaluations by the value network, (K,).
        W_v: their sums, for the player who chooses, (K,).
        N_r: rollouts, (K,).
        W_r: sums of their results, for the player who chooses, (K,).
        mix: λ, the weight of the rollouts, 0 … 1.
        c_puct: weight of the bonus.

    Returns:
        index: of the largest Q + u, the first of equals.
        Q: (1-λ) W_v/N_v + λ W_r/N_r, (K,); a mean of nothing is 0.
        u: c_puct P √(Σ N_r) / (1 + N_r), (K,).
    """
    check_shapes(locals(), P="K", N_v="K", W_v="K", N_r="K", W_r="K")
    if not 0 <= mix <= 1:
        raise ValueError(f"mix must lie in 0 … 1, not {mix}")
    Q = (1 - mix) * W_v / np.maximum(N_v, 1) + mix * W_r / np.maximum(N_r, 1)
    u = c_puct * P * np.sqrt(N_r.sum()) / (1 + N_r)
    return int(np.argmax(Q + u)), Q, u


def backup_mixed(
    N_v: Ints, W_v: Array, N_r: Ints, W_r: Array, path: Ints, v: float, z: float, n_thr: int = 40
) -> tuple[Ints, Array, Ints, Array, bool]:
    """One evaluation of a leaf entered at every edge that led to it, and whether the leaf is to be expanded (Methods, "Backup", "Expansion").

    Args:
        N_v: evaluations by the value network, (E,).
        W_v: their sums, for the player who chooses the edge, (E,).
        N_r: rollouts, (E,).
        W_r: sums of their results, for the player who chooses the edge, (E,).
        path: distinct edges from the root down to the leaf, (L,).
        v: verdict of the value network, for the player to move at the leaf.
        z: result of the rollout, for the player to move at the leaf.
        n_thr: an edge is expanded when it has more rollouts than this.

    Returns:
        N_v: one more along the path, (E,).
        W_v: -v on the last edge, which the other player chose, +v on the one before, and so on, (E,).
        N_r: one more along the path, (E,).
        W_r: the same with z, (E,).
        expand: whether N_r of the last edge now exceeds n_thr.
    """
    check_shapes(locals(), N_v="E", W_v="E", N_r="E", W_r="E", path="L")
    N_v, W_v, N_r, W_r = N_v.copy(), W_v.copy(), N_r.copy(), W_r.copy()
    for edge in path[::-1]:
        v, z = -v, -z  # one ply up, the other player chose
        N_v[edge] += 1
        W_v[edge] += v
        N_r[edge] += 1
        W_r[edge] += z
    return N_v, W_v, N_r, W_r, bool(N_r[path[-1]] > n_thr)


def move_or_resign(N_r: Ints, Q: Array, resign: float = -0.8) -> tuple[int, bool]:
    """What is played when the search ends (Methods, "Search algorithm").

    Args:
        N_r: visits of the root's edges, (K,).
        Q: their mixed values, (K,).
        resign: the game is given up when no value reaches it.

    Returns:
        index: of the largest N_r, the first of equals; Q has no say.
        resigned: whether max Q < resign.
    """
    check_shapes(locals(), N_r="K", Q="K")
    return int(np.argmax(N_r)), bool(Q.max() < resign)


def reinforce_update(
    w: Array, features: Array, actions: Ints, z: Array, baseline: Array, games: int, alpha: float
) -> Array:
    """One REINFORCE step of a softmax policy p(a|s) ∝ exp(φ(s,a)·w) (Methods, "Policy network: reinforcement learning").

    The softmax of linear scores is the form of the rollout policy; of the deep policy network only its last layer has it.

    Args:
        w: weights, (F,).
        features: φ(s_t, a) of every move at every step of all games, (T, A, F).
        actions: the moves played, (T,).
        z: result of the step's game for the player who moved, (T,).
        baseline: b(s_t), a constant, (T,).
        games: n, the number of games that the steps come from.
        alpha: size of the step.

    Returns:
        (F,): w + (α/n) Σ_t (z_t - b_t) ∂log p(a_t|s_t)/∂w, where ∂log p(a|s)/∂w = φ(s,a) - Σ_b p(b|s) φ(s,b).
    """
    check_shapes(locals(), w="F", features="T A F", actions="T", z="T", baseline="T")
    if games < 1:
        raise ValueError(f"games must be at least 1, not {games}")
    p = softmax(features @ w)
    played = features[np.arange(len(actions)), actions]
    score = played - np.einsum("ta,taf->tf", p, features)
    gradient: Array = (z - baseline) @ score / games
    return w + alpha * gradient


def value_data_schedule(U: int, T: int, r_black: int) -> tuple[Ints, int, float]:
    """Who plays the game that yields ONE example for the value network (Methods, "Value network: regression").

    Args:
        U: the move that is drawn at random, 1 … T-1; in the paper uniform on 1 … 450.
        T: moves of the game.
        r_black: +1 if black won, -1 if white did.

    Returns:
        phases: of moves 1 … T: 0 the SL policy before U, 1 a random legal move at U, 2 the RL policy after it.
        t: of the example s_t, U + 1.
        z: result for the player to move at t; black moves at odd t.
    """
    if not 1 <= U < T:
        raise ValueError(f"U must lie in 1 … T-1 = {T - 1}, not {U}")
    if r_black not in (1, -1):
        raise ValueError(f"r_black must be 1 or -1, not {r_black}")
    phases = 1 + np.sign(np.arange(1, T + 1) - U)
    t = U + 1
    return phases, t, float(r_black if t % 2 == 1 else -r_black)
