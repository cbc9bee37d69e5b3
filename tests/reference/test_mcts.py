"""Tree search against full search: tic-tac-toe, random trees, counts known in closed form."""

from functools import cache

import numpy as np
import pytest

from reference import mcts as ref

rng = np.random.default_rng(30)
LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def winner(board):
    return next((board[a] for a, b, c in LINES if board[a] == board[b] == board[c] != 0), 0)


@cache
def tic_tac_toe(start=(0,) * 9):
    """The game from a position as arrays, one state for each sequence of moves."""
    boards, children, value, player = [start], [], [], []
    while len(children) < len(boards):
        board = boards[len(children)]
        to_move = 1 if board.count(1) == board.count(-1) else -1
        won, empty = winner(board), [i for i, cell in enumerate(board) if cell == 0]
        kids = []
        if not won:
            for i in empty:
                kids.append(len(boards))
                boards.append((*board[:i], to_move, *board[i + 1 :]))
        children.append(kids + [-1] * (9 - len(kids)))
        value.append(float(won))
        player.append(0 if to_move == 1 else 1)
    return np.array(children), np.array(value), np.array(player)


def minimax(children, value, player, state):
    moves = [k for k in children[state] if k >= 0]
    if not moves:
        return value[state]
    return (max if player[state] == 0 else min)(minimax(children, value, player, k) for k in moves)


CENTRE = (1, 0, 0, 0, -1, 0, 0, 0, 0)
LOST_UNLESS_BLOCKED = (1, 1, 0, 0, -1, 0, 0, 0, 0)


def test_tic_tac_toe_after_a_corner_and_the_centre_is_a_draw():
    value, leaves = ref.alphabeta(*tic_tac_toe(CENTRE), 0)
    assert value == minimax(*tic_tac_toe(CENTRE), 0) == 0
    assert leaves < np.sum(tic_tac_toe(CENTRE)[0][:, 0] < 0) / 3


def test_the_search_finds_the_only_move_that_does_not_lose():
    children, value, player = tic_tac_toe(LOST_UNLESS_BLOCKED)
    moves = children[0][children[0] >= 0]
    saved = [minimax(children, value, player, k) for k in moves]
    assert saved.count(0.0) == 1
    for seed in range(5):
        u = np.random.default_rng(seed).random((400, 9))
        N, W = ref.uct_search(children, value, player, 0, 400, 1.4, u)
        assert ref.most_visited_move(N[moves], W[moves]) == saved.index(0.0)


def random_tree(depth, most):
    children, frontier = [[]], [0]
    for _ in range(depth):
        grown = []
        for s in frontier:
            for _ in range(rng.integers(1, most + 1)):
                children[s].append(len(children))
                grown.append(len(children))
                children.append([])
        frontier = grown
    width = max(map(len, children))
    table = np.array([row + [-1] * (width - len(row)) for row in children])
    return table, rng.choice([-1.0, 0.0, 1.0], len(table)), rng.integers(2, size=len(table))


def test_alpha_beta_is_minimax_on_random_trees():
    for _ in range(100):
        tree = random_tree(4, 3)
        assert ref.alphabeta(*tree, 0)[0] == minimax(*tree, 0)


def test_the_visits_of_the_best_move_outgrow_all_others():
    for _ in range(10):
        children, value, player = random_tree(3, 3)
        value = rng.uniform(-1, 1, len(value))
        moves = children[0][children[0] >= 0]
        if len(moves) < 2:
            continue
        found = [minimax(children, value, player, k) for k in moves]
        best = int(np.argmax(found) if player[0] == 0 else np.argmin(found))
        N, W = ref.uct_search(children, value, player, 0, 3000, 1.4, rng.random((3000, 3)))
        gap = np.diff(np.sort(found))[-1 if player[0] == 0 else 0]
        if gap > 0.3:
            assert ref.most_visited_move(N[moves], W[moves]) == best


def test_random_playouts_win_as_often_as_counting_says():
    children, value, _ = tic_tac_toe(LOST_UNLESS_BLOCKED)

    def expected(state):
        moves = [k for k in children[state] if k >= 0]
        return value[state] if not moves else np.mean([expected(k) for k in moves])

    results = [ref.playout(children, value, 0, u)[0] for u in rng.random((4000, 9))]
    assert np.mean(results) == pytest.approx(expected(0), abs=5 * np.std(results) / 4000**0.5)


def test_values_worked_out_beforehand():
    scores = ref.ucb1(np.array([5, 2, 0]), np.array([3.0, 1.0, 0.0]), 7, 2.0**0.5)
    np.testing.assert_allclose(scores, [1.4822494316360455, 1.8949588341794583, np.inf], rtol=1e-14)
    children = np.array([[1, 2], [3, 4], [5, 6], *[[-1, -1]] * 4])
    players = np.array([0, 1, 1, 0, 0, 0, 0])
    u = np.tile([0.1, 0.9, 0.6, 0.4], (12, 1))
    N, W = ref.uct_search(children, np.array([0, 0, 0, 1, -1, 0.2, 0.2]), players, 0, 12, 0.7, u)
    assert N.tolist() == [12, 4, 8, 1, 2, 4, 3]
    np.testing.assert_allclose(W, [-1.6, 0, 1.6, -1, 2, -0.8, -0.6], atol=1e-12)
    assert ref.alphabeta(children, np.array([0, 0, 0, 3, 5, 2, 9.0]), players, 0) == (3.0, 3)
    N, W = ref.backup_rollout(
        np.array([2, 1, 0]), np.array([0.0, 1, 0]), np.array([0, 1, 2]), players[:3] * [1, 1, 0], 0.5
    )
    assert (N.tolist(), W.tolist()) == ([3, 2, 1], [-0.5, 1.5, -0.5])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.ucb1(np.array([1]), np.array([1.0]), 0, 1.0), "N_parent"),
        (lambda: ref.ucb1(np.array([-1]), np.array([1.0]), 1, 1.0), "N and c"),
        (lambda: ref.playout(np.array([[1], [-1]]), np.zeros(2), 0, np.zeros(0)), "u holds"),
        (lambda: ref.backup_rollout(np.zeros(1, int), np.zeros(1), np.zeros(0, int), np.zeros(1, int), 1.0), "path"),
        (
            lambda: ref.uct_search(np.array([[-1]]), np.zeros(1), np.zeros(1, int), 0, 0, 1.0, np.zeros((0, 1))),
            "simulations",
        ),
        (lambda: ref.most_visited_move(np.zeros(2, int), np.zeros(2)), "N must"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
