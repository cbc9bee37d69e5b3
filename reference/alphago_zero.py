"""AlphaGo Zero (2017): a search that improves on its network, and a network that learns from its search.

    selection  a = argmax_a [Q(s,a) + U(s,a)]      Q = W/N      U = c_puct P(s,a) √(Σ_b N(s,b)) / (1 + N(s,a))
    backup     N ← N + 1, W ← W ± v along the path: no game is played to its end
    root       P = (1-ε) p + ε η, η ~ Dir(0.03)
    play       π(a) = N(a)^(1/τ) / Σ_b N(b)^(1/τ)
    learning   l = (z - v)² - πᵀ log p + c‖θ‖²

Silver et al., "Mastering the game of Go without human knowledge", Nature 550:354–359, 2017: equation 1 (the loss); Methods, "Search
algorithm" and "Self-play" (search, noise, temperature), "Neural network architecture" (planes). Virtual loss as in Silver et al.,
"Mastering the game of Go with deep neural networks and tree search", Nature 529:484–489, 2016, Methods, "Search algorithm".

An edge keeps N visits and the sum W of its values FOR THE PLAYER WHO CHOOSES IT, so that whoever chooses takes the largest. v is
always the view of the player to move. On a board 0 is empty, 1 black, 2 white.

Letters: K edges of a node, E those of a tree, L those of a path, S states; N positions of a batch (in the loss), M weights of the
network; T positions of a game, H×W the board.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import log_softmax

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

BOARDS = 8  # the present position and seven earlier ones


def puct_select(P: Array, N: Ints, W: Array, c_puct: float) -> tuple[int, Array]:
    """The edge that a simulation follows at one node (Methods, "Select").

    Args:
        P: priors of the network, (K,).
        N: visits, (K,).
        W: sums of values, for the player who chooses, (K,).
        c_puct: weight of the bonus.

    Returns:
        index: of the largest score, the first of equals.
        scores: W/N + c_puct P √(Σ N) / (1 + N), (K,); W/N counts 0 where nothing was visited.
    """
    check_shapes(locals(), P="K", N="K", W="K")
    Q = W / np.maximum(N, 1)
    U = c_puct * P * np.sqrt(N.sum()) / (1 + N)
    return int(np.argmax(Q + U)), Q + U


def apply_virtual_loss(N: Ints, W: Array, path: Ints, n_vl: int = 1) -> tuple[Ints, Array]:
    """A simulation under way counts as lost, so that others that run at the same time look elsewhere.

    Args:
        N: visits, (E,).
        W: sums of values, for the player who chooses the edge, (E,).
        path: distinct edges from the root down, (L,).
        n_vl: how many games count as lost.

    Returns:
        N: n_vl more along the path, (E,).
        W: n_vl less along the path, whoever chooses there, (E,).
    """
    check_shapes(locals(), N="E", W="E", path="L")
    _check_virtual(n_vl)
    N, W = N.copy(), W.copy()
    N[path] += n_vl
    W[path] -= n_vl
    return N, W


def backup_value(N: Ints, W: Array, path: Ints, v: float, n_vl: int = 0) -> tuple[Ints, Array]:
    """The value of a leaf entered at every edge that led to it (Methods, "Backup").

    Args:
        N: visits, (E,).
        W: sums of values, for the player who chooses the edge, (E,).
        path: distinct edges from the root to the leaf, (L,).
        v: value of the leaf, for the player to move there.
        n_vl: the virtual losses that this simulation left behind; they are taken back.

    Returns:
        N: 1 - n_vl more along the path, (E,).
        W: -v on the last edge, which the other player chose, +v on the one before, and so on; and n_vl on each, (E,).
    """
    check_shapes(locals(), N="E", W="E", path="L")
    _check_virtual(n_vl)
    N, W = N.copy(), W.copy()
    for edge in path[::-1]:
        v = -v  # one ply up, the other player chose
        N[edge] += 1 - n_vl
        W[edge] += n_vl + v
    return N, W


def root_prior(P: Array, noise: Array, epsilon: float = 0.25) -> Array:
    """Priors with noise, so that every move of the root may be tried (Methods, "Self-play").

    Args:
        P: priors of the network at the root, (K,).
        noise: η, a draw from the Dirichlet distribution, (K,).
        epsilon: ε, the share of the noise, 0 … 1.

    Returns:
        (K,): (1 - ε) P + ε η.
    """
    check_shapes(locals(), P="K", noise="K")
    _check_share(epsilon)
    return (1 - epsilon) * P + epsilon * noise


def puct_search(
    children: Ints,
    priors: Array,
    values: Array,
    root: int,
    simulations: int,
    c_puct: float,
    noise: Array | None = None,
    epsilon: float = 0.25,
) -> Ints:
    """A whole search: select down to a new state, ask the network there, back its value up.

    The root is expanded beforehand. Statistics belong to the pair of state and move: a state that two ways lead to shares them.

    Args:
        children: the states that the moves lead to, (S, K), -1 where there is no such move; players alternate, no state comes twice.
        priors: of the network, (S, K), rows of states with moves sum to 1, 0 where there is no move.
        values: for the player to move, (S,): the network's, and at a state without moves the result of the game.
        root: the state searched from.
        simulations: how many leaves are evaluated, at least 1.
        c_puct: weight of PUCT's bonus.
        noise: η for the root's priors, (K,); None leaves them as they are.
        epsilon: ε, the share of the noise, 0 … 1.

    Returns:
        (K,): visits of the root's moves; they sum to `simulations`.
    """
    check_shapes(locals(), children="S K", priors="S K", values="S", **({} if noise is None else {"noise": "K"}))
    if (children[root] < 0).all():
        raise ValueError(f"root must have a move, and state {root} has none")
    if simulations < 1:
        raise ValueError(f"simulations must be at least 1, not {simulations}")
    _check_share(epsilon)
    P, N, W = priors.copy(), np.zeros(children.size, int), np.zeros(children.size)
    if noise is not None:
        P[root] = root_prior(P[root], noise, epsilon)
    expanded = {root}
    for _ in range(simulations):
        state, path = root, []
        while state in expanded and (children[state] >= 0).any():
            moves = np.flatnonzero(children[state] >= 0)
            edges = state * children.shape[1] + moves
            best, _ = puct_select(P[state, moves], N[edges], W[edges], c_puct)
            path.append(edges[best])
            state = int(children[state, moves[best]])
        expanded.add(state)
        N, W = backup_value(N, W, np.array(path), values[state])
    visits: Ints = N.reshape(children.shape)[root]
    return visits


def search_policy(N: Ints, tau: float) -> Array:
    """The probabilities of the moves after a search: what is played, and what the network is to learn (Methods, "Play").

    Args:
        N: visits of the root's moves, (K,), not all 0.
        tau: temperature τ ≥ 0.

    Returns:
        (K,): N^(1/τ) over its sum, 0 for a move without visits; at τ = 0 its limit, 1 for the first of the most visited moves.
    """
    check_shapes(locals(), N="K")
    if not N.any():
        raise ValueError("N must hold a visit")
    if tau < 0:
        raise ValueError(f"tau must not be negative, not {tau}")
    if tau == 0:
        limit: Array = np.eye(len(N))[np.argmax(N)]
        return limit
    # N^(1/τ) itself would overflow for small τ: powers of N / max N
    x = np.log(np.maximum(N, 1)) / tau
    p: Array = np.where(N > 0, np.exp(x - x.max()), 0.0)
    p /= p.sum()
    return p


def input_planes(history: Ints, black_to_play: bool) -> Array:
    """What the network sees: stones now and at seven earlier positions, and the colour to play (Methods, "Neural network architecture").

    Args:
        history: the positions of the game, oldest first, (T, H, W), 0 empty, 1 black, 2 white.
        black_to_play: whether black is to move now.

    Returns:
        17 planes of 0 and 1, each (H, W): own and opponent's stones now, own and opponent's one move ago, …, seven moves ago (zeros before
        the beginning); then ones where black is to play, else zeros. "Own" is the player to move now, in the older planes too.
    """
    check_shapes(locals(), history="T H W")
    own, other = (1, 2) if black_to_play else (2, 1)
    planes = np.zeros((2 * BOARDS + 1, *history.shape[1:]))
    for ago, board in enumerate(history[::-1][:BOARDS]):
        planes[2 * ago] = board == own
        planes[2 * ago + 1] = board == other
    planes[-1] = bool(black_to_play)
    return planes


def zero_loss(
    logits: Array, v: Array, pi: Array, z: Array, weights: Array, l2: float = 1e-4
) -> tuple[float, Array, Array, Array]:
    """The loss of the network with its two heads (equation 1), a mean over the batch, and its gradients.

    Args:
        logits: scores of the moves, (N, K); p is their softmax.
        v: values, (N,).
        pi: π, the search's probabilities, (N, K).
        z: results of the games for the player to move, (N,), each -1, 0 or 1.
        weights: θ, all weights of the network, (M,).
        l2: c, the weight of ‖θ‖².

    Returns:
        loss: the mean of (z - v)² - Σ_a π_a log p_a, and c Σ θ² once.
        dlogits: (p - π) / N, (N, K).
        dv: 2 (v - z) / N, (N,).
        dweights: 2 c θ, (M,).
    """
    check_shapes(locals(), logits="N K", v="N", pi="N K", z="N", weights="M")
    if not np.isin(z, (-1, 0, 1)).all():
        raise ValueError("z must hold -1, 0 and 1 only")
    n, log_p = len(z), log_softmax(logits)
    value_error = ((z - v) ** 2).mean()
    cross_entropy = -(pi * log_p).sum(axis=1).mean()
    loss = value_error + cross_entropy + l2 * (weights**2).sum()
    return float(loss), (np.exp(log_p) - pi) / n, 2 * (v - z) / n, 2 * l2 * weights


def _check_virtual(n_vl: int) -> None:
    if n_vl < 0:
        raise ValueError(f"n_vl must not be negative, not {n_vl}")


def _check_share(epsilon: float) -> None:
    if not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must lie in 0 … 1, not {epsilon}")
