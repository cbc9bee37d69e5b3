"""Monte Carlo tree search: random games, a confidence bound, and a growing tree; minimax beside it.

    selection → expansion → playout → backup, one new node a simulation
    UCB1 = W/N + c √(ln N_parent / N)

Auer, Cesa-Bianchi & Fischer, "Finite-time Analysis of the Multiarmed Bandit Problem", Machine Learning 47, 2002 (UCB1, c = √2).
Kocsis & Szepesvári, "Bandit Based Monte-Carlo Planning", ECML 2006 (UCT: UCB1 at every node).
Coulom, "Efficient Selectivity and Backup Operators in Monte-Carlo Tree Search", 2006 (one new node a simulation).
Knuth & Moore, "An Analysis of Alpha-Beta Pruning", Artificial Intelligence 6, 1975.

A game is given as arrays over its S states: `children` (S, K) holds the states that the moves lead to, left-justified, -1 where
there is none; `value` (S,) the result FOR PLAYER 0, read at terminal states only; `player` (S,) in {0, 1} who is to move.
N counts visits, W sums the gains of the player who moved INTO the state: so whoever chooses a move takes the largest.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def ucb1(N: Ints, W: Array, N_parent: int, c: float) -> Array:
    """Upper confidence bounds of the moves of one state (Auer et al., Figure 1, with c for √2).

    Args:
        N: visits of each move, (K,).
        W: sum of the gains of each move, for the player who chooses, (K,).
        N_parent: visits of the state itself, at least 1.
        c: weight of the bonus, in units of the rewards.

    Returns:
        (K,): W/N + c √(ln N_parent / N), and ∞ for a move that was never tried.
    """
    check_shapes(locals(), N="K", W="K")
    if N_parent < 1:
        raise ValueError(f"N_parent must be at least 1, not {N_parent}")
    if N.min() < 0 or c < 0:
        raise ValueError("N and c must not be negative")
    visits = np.maximum(N, 1)
    return np.where(N == 0, np.inf, W / visits + c * np.sqrt(np.log(N_parent) / visits))


def playout(children: Ints, value: Array, state: int, u: Array) -> tuple[float, Ints]:
    """A random game to its end.

    Args:
        children: successors of each state, (S, K), -1 where there is none.
        value: result for player 0, (S,), read at terminal states.
        state: where the game starts.
        u: uniform draws in [0, 1), (D,), one a move, at least as many as the game is long.

    Returns:
        result: for player 0.
        path: the states of the game, (L,), the first being `state`; of k moves, number ⌊u·k⌋ is taken.
    """
    check_shapes(locals(), children="S K", value="S")
    path = [int(state)]
    for x in u:
        if len(moves := _moves(children, path[-1])) == 0:
            break
        path.append(int(moves[int(x * len(moves))]))
    if len(_moves(children, path[-1])):
        raise ValueError(f"u holds {len(u)} draws, too few to reach the end of the game")
    return float(value[path[-1]]), np.array(path)


def backup_rollout(N: Ints, W: Array, path: Ints, player: Ints, reward: float) -> tuple[Ints, Array]:
    """The result of one game entered at every state that it passed.

    Args:
        N: visits, (S,).
        W: sums of gains for the player who moved into each state, (S,).
        path: states from the root to the new one, (L,).
        player: who is to move, (S,).
        reward: the result for player 0.

    Returns:
        N: with one visit more along the path, (S,).
        W: + reward where player 0 moved into the state, - reward where player 1 did, (S,); into the root, its player's opponent "moved".
    """
    check_shapes(locals(), N="S", W="S", player="S")
    if len(path) == 0:
        raise ValueError("path must hold at least the root")
    N, W = N.copy(), W.copy()
    movers = [1 - player[path[0]], *player[path[:-1]]]
    for state, mover in zip(path, movers, strict=True):
        N[state] += 1
        W[state] += reward if mover == 0 else -reward
    return N, W


def uct_search(
    children: Ints, value: Array, player: Ints, root: int, simulations: int, c: float, u: Array
) -> tuple[Ints, Array]:
    """A whole search: UCT of Kocsis & Szepesvári, with one new state a simulation.

    Args:
        children: successors of each state, (S, K), -1 where there is none.
        value: result for player 0, (S,), read at terminal states.
        player: who is to move, (S,).
        root: the state searched from.
        simulations: how many games are played, at least 1.
        c: weight of UCB1's bonus.
        u: draws in [0, 1), (simulations, D); row i is the playout of simulation i.

    Returns:
        N: visits, (S,).
        W: sums of gains for the player who moved into each state, (S,).
    """
    check_shapes(locals(), children="S K", value="S", player="S")
    if simulations < 1:
        raise ValueError(f"simulations must be at least 1, not {simulations}")
    N, W = np.zeros(len(children), int), np.zeros(len(children))
    for draws in u[:simulations]:
        path = _descend(children, root, N, W, c)
        reward, _ = playout(children, value, path[-1], draws)
        N, W = backup_rollout(N, W, np.array(path), player, reward)
    return N, W


def most_visited_move(N: Ints, W: Array) -> int:
    """The move to play: the "robust child".

    Args:
        N: visits of the root's moves, (K,), not all 0.
        W: sums of their gains, (K,).

    Returns:
        The position of the largest N, the first of equals; the means W/N have no say.
    """
    check_shapes(locals(), N="K", W="K")
    if not N.any():
        raise ValueError("N must hold a visit")
    return int(np.argmax(N))


def alphabeta(
    children: Ints, value: Array, player: Ints, state: int, alpha: float = -np.inf, beta: float = np.inf
) -> tuple[float, int]:
    """Minimax with alpha–beta pruning (Knuth & Moore, F2).

    Args:
        children: successors of each state, (S, K), -1 where there is none; looked at in this order.
        value: result for player 0, (S,), read at terminal states.
        player: who is to move, (S,); player 0 maximises.
        state: whose value is sought.
        alpha: what player 0 has for certain.
        beta: what player 1 has for certain; where alpha ≥ beta nothing more is looked at.

    Returns:
        best: the value for player 0.
        leaves: how many terminal states were evaluated.
    """
    if len(moves := _moves(children, state)) == 0:
        return float(value[state]), 1
    maximises = player[state] == 0
    best, leaves = (-np.inf if maximises else np.inf), 0
    for move in moves:
        found, evaluated = alphabeta(children, value, player, int(move), alpha, beta)
        leaves += evaluated
        if maximises:
            best = max(best, found)
            alpha = max(alpha, best)
        else:
            best = min(best, found)
            beta = min(beta, best)
        if alpha >= beta:
            break
    return float(best), leaves


def _moves(children: Ints, state: int) -> Ints:
    return children[state][children[state] >= 0]


def _descend(children: Ints, root: int, N: Ints, W: Array, c: float) -> list[int]:
    """Selection, as long as every move of a state was tried; then expansion of the first that was not."""
    path = [int(root)]
    while len(moves := _moves(children, path[-1])):
        untried = moves[N[moves] == 0]
        if len(untried):
            return [*path, int(untried[0])]
        path.append(int(moves[np.argmax(ucb1(N[moves], W[moves], N[path[-1]], c))]))
    return path
