"""Right answers written differently: properties must accept them."""

import numpy as np
from autograder.properties import alternative

from reference.mcts import alphabeta, backup_rollout, most_visited_move, playout, ucb1, uct_search


@alternative(ucb1)
def bound_over_one_fraction(N, W, N_parent, c):
    """One fraction for mean and bonus, move by move; a list comes back."""
    scores = []
    for n, w in zip(N, W, strict=True):
        scores.append(float("inf") if n == 0 else (w + c * np.sqrt(n * np.log(N_parent))) / n)
    return scores


@alternative(ucb1)
def bound_with_divisions_by_zero(N, W, N_parent, c):
    """Divides first and mends afterwards."""
    with np.errstate(all="ignore"):
        score = W / N + np.sqrt(c * c * np.log(N_parent) / N)
    return np.where(np.asarray(N) > 0, score, np.inf)


@alternative(playout)
def playout_by_recursion(children, value, state, u):
    """One move, then the rest of the game; a list comes back."""
    moves = [k for k in children[state] if k >= 0]
    if len(moves) == 0:
        return value[state], [state]
    result, path = playout_by_recursion(children, value, moves[int(np.floor(u[0] * len(moves)))], u[1:])
    return result, [state, *path]


@alternative(backup_rollout)
def gains_by_player(N, W, path, player, reward):
    """One gain for each player, looked up for the whole path at once."""
    gain = np.array([reward, -reward])
    movers = [1 - player[path[0]]] + [player[s] for s in path[:-1]]
    N, W = np.array(N), np.array(W)
    N[list(path)] += 1
    W[list(path)] += gain[movers]
    return N, W


@alternative(uct_search)
def running_means_by_recursion(children, value, player, root, simulations, c, u):
    """Recursive, with running means of player 0's gain; the sign is turned on selection, W multiplied back at the end."""
    N, mean = np.zeros(len(children), int), np.zeros(len(children))

    def visit(state, draws, fresh):
        moves = [k for k in children[state] if k >= 0]
        if not moves:
            result = value[state]
        elif fresh:
            result = playout(children, value, state, draws)[0]
        elif untried := [k for k in moves if N[k] == 0]:
            result = visit(untried[0], draws, True)
        else:
            sign = 1 - 2 * player[state]
            bound = [sign * mean[k] + c * np.sqrt(np.log(N[state]) / N[k]) for k in moves]
            result = visit(moves[int(np.argmax(bound))], draws, False)
        N[state] += 1
        mean[state] += (result - mean[state]) / N[state]
        return result

    for i in range(simulations):
        visit(root, u[i], False)
    mover = np.zeros(len(children), int)
    for s in range(len(children)):
        mover[[k for k in children[s] if k >= 0]] = player[s]
    mover[root] = 1 - player[root]
    return N, np.where(mover == 0, 1, -1) * mean * N


@alternative(uct_search)
def lists_and_parents(children, value, player, root, simulations, c, u):
    """Plain lists of plain numbers; nested lists come back."""
    size = len(children)
    kids = [[int(k) for k in row if k >= 0] for row in children]
    N, W = [0] * size, [0.0] * size
    for i in range(simulations):
        path = [root]
        while kids[path[-1]] and all(N[k] for k in kids[path[-1]]):
            here = path[-1]
            path.append(max(kids[here], key=lambda k: (W[k] / N[k] + c * np.sqrt(np.log(N[here]) / N[k]), -k)))
        path += [k for k in kids[path[-1]] if N[k] == 0][:1]
        end, step = path[-1], 0
        while kids[end]:
            end, step = kids[end][int(u[i][step] * len(kids[end]))], step + 1
        mover = 1 - player[root]
        for s in path:
            N[s] += 1
            W[s] += float(value[end]) if mover == 0 else -float(value[end])
            mover = player[s]
    return N, W


@alternative(most_visited_move)
def move_by_sorting(N, W):
    """Sorted by visits, then by position."""
    return min(range(len(N)), key=lambda k: (-N[k], k))


@alternative(alphabeta)
def negamax(children, value, player, state, alpha=-np.inf, beta=np.inf):
    """One bound turned round for whoever moves."""

    def search(s, low, high):
        sign = 1 if player[s] == 0 else -1
        moves = [k for k in children[s] if k >= 0]
        if not moves:
            return sign * value[s], 1
        best, count = -np.inf, 0
        for k in moves:
            same = player[k] == player[s]
            floor = max(low, best)
            v, n = search(k, floor, high) if same else search(k, -high, -floor)
            best, count = max(best, v if same else -v), count + n
            if best >= high:
                break
        return best, count

    v, n = search(state, -np.inf, np.inf)
    return (v if player[state] == 0 else -v), n
