"""The laws of tree search. Trees are small; where a search compares scores, cases that rounding could decide are left out."""

from typing import NamedTuple

import numpy as np
from autograder.properties import FORWARD, assert_at_most, assert_close, assert_equal, claim, integers, reals
from hypothesis import strategies as st

from reference import mcts as ref
from reference.mcts import Array, Ints

draw_u = st.integers(0, 15).map(lambda i: (i + 0.5) / 16)


class Bandit(NamedTuple):
    """The arguments of `ucb1`, in its order."""

    N: Ints
    W: Array
    N_parent: int
    c: float


@st.composite
def bandits(draw):
    """Two to five moves, some of them untried."""
    k = draw(st.integers(2, 5))
    N = draw(integers(k, low=0, high=4))
    share = draw(reals(k, low=-1, high=1))
    parent = max(2, int(N.sum())) + draw(st.integers(1, 4))
    return Bandit(N, N * share, parent, draw(st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0])))


def bound(n, w, parent, c):
    return np.inf if n == 0 else w / n + c * (np.log(parent) / n) ** 0.5


@claim(ref.ucb1, b=bandits())
def ucb1_written_out(f, b):
    """スコアは W/N + c √(ln N_parent / N) で、試していない手は ∞ である。
    The score is W/N + c √(ln N_parent / N), and ∞ for a move that was never tried."""
    assert_close(f(*b), np.array([bound(n, w, b.N_parent, b.c) for n, w in zip(b.N, b.W, strict=True)]))


@claim(ref.ucb1, b=bandits())
def ucb1_unvisited_first(f, b):
    """N = 0 の手のスコアは ∞、試した手のスコアは有限なので、どの手も 2 回目の前に必ず 1 回は試される。
    N = 0 scores ∞ and a visited move a finite number: every move is tried once before any is tried twice."""
    assert_equal(np.isposinf(f(*b)), b.N == 0)


@claim(ref.ucb1, b=bandits())
def ucb1_bonus_law(f, b):
    """ボーナスは 0 以上で、その 2 乗に N を掛けるとどの手でも c² ln N_parent になる。c = 0 なら平均だけが残る。
    The bonus is at least 0, and its square times N is c² ln N_parent for every move; with c = 0 the mean alone is left."""
    tried = np.maximum(b.N, 1)
    mean = b.W / tried
    bonus = np.asarray(f(tried, b.W, b.N_parent, b.c)) - mean
    assert_at_most(-bonus, np.zeros(len(mean)))
    assert_close(bonus**2 * tried, np.full(len(mean), b.c**2 * np.log(b.N_parent)), FORWARD.scaled(10))
    assert_close(f(tried, b.W, b.N_parent, 0.0), mean)
    assert_close(f(tried, b.W, 1, b.c), mean)


@claim(ref.ucb1, b=bandits(), a=st.sampled_from([0.5, 2.0, 3.0]))
def ucb1_scales(f, b, a):
    """報酬を a 倍し、c も a 倍すると、スコアは a 倍になる。c は報酬の尺度に属する。
    Rewards times a and c times a give scores times a: the constant c belongs to the scale of the rewards."""
    tried = np.maximum(b.N, 1)
    assert_close(f(tried, a * b.W, b.N_parent, a * b.c), a * np.asarray(f(tried, b.W, b.N_parent, b.c)))


class Tree(NamedTuple):
    """A game."""

    children: Ints
    value: Array
    player: Ints

    def moves(self, state):
        return [int(k) for k in self.children[state] if k >= 0]

    def below(self, state):
        return [state, *(s for k in self.moves(state) for s in self.below(k))]

    def exchanged(self):
        return self._replace(value=-self.value, player=1 - self.player)


def grown(branching):
    """Arrays for a tree of nested lists: [] is a terminal state."""
    rows, queue = [], [branching]
    while len(rows) < len(queue):
        kids = queue[len(rows)]
        rows.append(list(range(len(queue), len(queue) + len(kids))))
        queue += kids
    width = max(1, max(map(len, rows)))
    return np.array([row + [-1] * (width - len(row)) for row in rows])


def depths(children):
    depth = np.zeros(len(children), int)
    for s, row in enumerate(children):
        depth[row[row >= 0]] = depth[s] + 1
    return depth


def complete(moves, depth):
    return [complete(moves, depth - 1) for _ in range(moves)] if depth else []


@st.composite
def trees(draw, shapes, values=None, alternate=None):
    """A tree of one of the shapes with results at its ends; players alternate, or are drawn."""
    children = grown(draw(shapes))
    value = draw(values(len(children)) if values else odd_reals(len(children)))
    first = draw(st.integers(0, 1))
    player = (depths(children) + first) % 2
    if alternate is None and draw(st.integers(0, 2)) == 0:
        player = draw(integers(len(children), low=0, high=1))
    return Tree(children, value, player)


def odd_reals(n):
    """Numbers no two sums of which are likely to agree."""
    return integers(n, low=-997, high=997).map(lambda v: (v + 0.37 * np.sin(v)) / 997)


def ragged(depth, most=3):
    """Trees of up to this depth with one to `most` moves a state."""
    if depth == 0:
        return st.just([])
    inner = st.lists(ragged(depth - 1, most), min_size=1, max_size=most)
    return inner if depth > 1 else st.integers(1, most).map(lambda k: [[]] * k)


wide = ragged(2) | ragged(3, 2)


def draws(*shape):
    return st.lists(draw_u, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))).map(lambda u: np.array(u).reshape(shape))


@claim(ref.playout, tree=trees(st.sampled_from([complete(2, 3), complete(3, 3), complete(3, 2)]) | ragged(3)), u=draws(5), top=st.integers(0, 4))
def playout_follows_its_draws(f, tree, u, top):
    """d 手目には u[d] を使い(手が一つしかなくても 1 個使う)、k 個の手のうち ⌊u·k⌋ 番目へ進む。
    Move d uses draw u[d], a forced move too, and takes number ⌊u·k⌋ of the k moves."""
    state = 0 if top else tree.moves(0)[0]
    path = [state]
    for x in u:
        if not (moves := tree.moves(path[-1])):
            break
        path.append(moves[int(np.floor(x * len(moves)))])
    assert_close(f(tree.children, tree.value, state, u), (float(tree.value[path[-1]]), np.array(path)))


@claim(ref.playout, tree=trees(wide), u=draws(4))
def playout_is_a_path(f, tree, u):
    """道は最初の状態から始まり、毎回その子へ進み、終端の状態で終わる。終端から始めれば、その状態だけである。
    The path begins at the state, goes to a child each time and ends in a terminal state; from a terminal state it is that state alone."""
    result, path = f(tree.children, tree.value, 0, u)
    assert_equal(path[0], 0)
    assert_equal([int(b) in tree.moves(int(a)) for a, b in zip(path, path[1:])], [True] * (len(path) - 1))
    assert_equal(len(tree.moves(int(path[-1]))), 0)
    assert_close(result, float(tree.value[path[-1]]))
    last = len(tree.value) - 1
    assert_close(f(tree.children, tree.value, last, u), (float(tree.value[last]), np.array([last])))


@claim(ref.playout, m=st.integers(2, 4), tree=trees(st.just(complete(3, 1))))
def playout_is_uniform(f, m, tree):
    """乱数を等間隔に置くと、三つの子はどれもちょうど同じ回数だけ選ばれる。
    With draws on an even grid, each of three children is taken equally often."""
    ends = [f(tree.children, tree.value, 0, np.array([(j + 0.5) / (3 * m)]))[1][-1] for j in range(3 * m)]
    assert_equal(np.bincount(np.array(ends, int), minlength=4), np.array([0, m, m, m]))


@st.composite
def paths(draw):
    """Old statistics, a path through them, players in any pattern, and a result."""
    s = draw(st.integers(6, 9))
    path = np.array(draw(st.permutations(range(s)))[: draw(st.integers(1, 6))])
    N, W = draw(integers(s, low=0, high=5)), draw(reals(s))
    return N, W, path, draw(integers(s, low=0, high=1)), draw(st.sampled_from([1.0, -1.0, 0.5, -0.25]))


@claim(ref.backup_rollout, b=paths())
def backup_signs(f, b):
    """道の上の状態は訪問が 1 増え、W には、そこへ指したのが先手(0)なら +r、後手(1)なら −r が加わる。根へ「指した」のは、根の手番の相手である。
    States on the path get one visit; W gains +r where player 0 moved into the state and −r where player 1 did; into the root, its player's opponent."""
    N, W, path, player, r = b
    visits, gains = N.copy(), W.copy()
    for i, s in enumerate(path):
        mover = player[path[i - 1]] if i else 1 - player[s]
        visits[s] += 1
        gains[s] += r * (1 - 2 * mover)
    assert_close(f(*b), (visits, gains))


@st.composite
def games(draw, shapes=wide, simulations=st.integers(1, 14), **how):
    """The arguments of `uct_search`; searches in which two scores nearly agree are drawn again."""
    tree = draw(trees(shapes, **how))
    n = draw(simulations)
    c = draw(st.sampled_from([0.3, 0.7, 1.1, 1.5]))
    return tree, n, c, draw(draws(n, 4))


def searched(tree, root, n, c, u):
    """N, W, and the least distance between the two best scores met."""
    N, W, near = np.zeros(len(tree.value), int), np.zeros(len(tree.value)), np.inf
    for row in u[:n]:
        path = [root]
        while moves := tree.moves(path[-1]):
            if untried := [k for k in moves if N[k] == 0]:
                path.append(untried[0])
                break
            scores = [bound(N[k], W[k], N[path[-1]], c) for k in moves]
            if len(scores) > 1:
                near = min(near, np.diff(np.sort(scores)[-2:])[0])
            path.append(moves[int(np.argmax(scores))])
        end, d = path[-1], 0
        while moves := tree.moves(end):
            end, d = moves[int(row[d] * len(moves))], d + 1
        for i, s in enumerate(path):
            mover = tree.player[path[i - 1]] if i else 1 - tree.player[s]
            N[s] += 1
            W[s] += tree.value[end] * (1 - 2 * mover)
    return N, W, near


def decided(game):
    """No two scores come close: rounding decides nothing."""
    tree, n, c, u = game
    return searched(tree, 0, n, c, u)[2] > 1e-4


def search(f, tree, root, n, c, u):
    return f(tree.children, tree.value, tree.player, root, n, c, u)


@claim(ref.uct_search, game=games(simulations=st.just(12)).filter(decided))
def zero_sum_symmetry(f, game):
    """先手と後手を入れ替え、結果の符号を変えても、探索の N と W は変わらない。W はどれも、指した側の得だからである。
    Exchanging the players and negating the results leaves N and W of a search as they are: each W is its mover's gain."""
    tree, n, c, u = game
    assert_close(search(f, tree.exchanged(), 0, n, c, u), search(f, tree, 0, n, c, u))


@claim(ref.uct_search, game=games())
def visits_are_conserved(f, game):
    """根の訪問数は探索の回数で、その手の訪問数の和に等しい。ほかの訪れた状態では、N = 1 + 子の N の和になる。|W| ≤ N max|value|。
    The root's visits are the simulations and the sum over its moves; elsewhere N = 1 + the children's; |W| ≤ N max|value|."""
    tree, n, c, u = game
    N, W = search(f, tree, 0, n, c, u)
    inner = [s for s in range(len(N)) if tree.moves(s) and N[s] > 0]
    below = np.array([sum(N[k] for k in tree.moves(s)) for s in inner])
    assert_equal(N[0], n)
    assert_equal(np.asarray(N)[inner], below + (np.array(inner) > 0))
    assert_at_most(np.abs(W), np.asarray(N) * np.abs(tree.value).max())


@claim(ref.uct_search, game=games())
def one_node_per_simulation(f, game):
    """1 回の探索で増える状態は多くて一つである。根の手の数を m とすると、はじめの m 回で根の手が左から一つずつ加わる。
    A simulation adds one state at most; the first as many as the root has moves add these, from left to right, one each."""
    tree, n, c, u = game
    first = min(n, len(tree.moves(0)))
    N, _ = search(f, tree, 0, first, c, u)
    expected = np.zeros(len(N), int)
    expected[0], expected[tree.moves(0)[:first]] = first, 1
    assert_equal(N, expected)
    assert_at_most(float(np.sum(np.asarray(search(f, tree, 0, n, c, u)[0]) > 0)), float(n + 1))


@claim(ref.uct_search, game=games(shapes=ragged(2), simulations=st.integers(4, 14)))
def huge_c_visits_evenly(f, game):
    """c がとても大きければ、根の手の訪問数の差は 1 以下になる。
    With a huge c the root's moves are visited evenly: counts differ by at most 1."""
    tree, n, _, u = game
    counts = np.asarray(search(f, tree, 0, n, 1e6, u)[0])[tree.moves(0)]
    assert_at_most(float(counts.max() - counts.min()), 1.0)


@st.composite
def traps(draw):
    """One move lets the opponent choose between a win and a loss, the other leads to little whatever she does."""
    first, sign = draw(st.integers(0, 1)), 1 - 2 * draw(st.integers(0, 1))
    trap = draw(st.integers(0, 1))
    replies = [[1.0, -1.0][::sign], [0.2, 0.2]]
    left, right = replies if trap == 0 else replies[::-1]
    value = np.array([0, 0, 0, *left, *right])
    tree = Tree(grown(complete(2, 2)), value * (1 - 2 * first), np.array([first, 1 - first, 1 - first, 0, 0, 0, 0]))
    return tree, 1 - trap, draw(draws(30, 2))


@claim(ref.uct_search, trap=traps())
def avoids_the_trap(f, trap):
    """相手が「勝ち」と「負け」を選べる手より、何をされても少し勝っている手の方が、30 回の探索で多く訪問される。
    A move that lets the opponent choose between win and loss is visited less, in 30 simulations, than one that is a little good whatever she does."""
    tree, safe, u = trap
    N, _ = search(f, tree, 0, 30, 0.7, u)
    assert_at_most(float(N[2 - safe]), float(N[1 + safe]) - 1)


@st.composite
def bandit_trees(draw):
    """Three moves with three terminal replies each, 30 simulations."""
    tree = draw(trees(st.just(complete(3, 2)), alternate=True))
    return tree, 30, draw(st.sampled_from([0.8, 1.2, 1.6, 2.0])), draw(draws(30, 2))


@claim(ref.uct_search, game=bandit_trees().filter(decided))
def replies_follow_their_own_count(f, game):
    """根の手の下では、応手の選び方はその状態自身の訪問数による UCB1 である(根の訪問数ではない)。
    Below a move of the root the replies are chosen by UCB1 with that state's own count, not the root's."""
    tree, n, c, u = game
    N, W = search(f, tree, 0, n, c, u)
    for move in tree.moves(0):
        kids, sign = tree.moves(move), 1 - 2 * tree.player[move]
        counts = np.zeros(3, int)
        for _ in range(int(N[move]) - 1):
            scores = [bound(k, k * sign * tree.value[s], 1 + counts.sum(), c) for k, s in zip(counts, kids, strict=True)]
            counts[int(np.argmax(scores))] += 1
        assert_equal(np.asarray(N)[kids], counts)


@claim(ref.uct_search, game=games().filter(decided) | games(st.just(complete(2, 2)), st.just(25)).filter(decided))
def search_written_out(f, game):
    """選択・展開・プレイアウト・バックアップを順に行った探索と、すべての状態で N と W が一致する。
    N and W of every state are those of selection, expansion, playout and backup carried out one after the other."""
    tree, n, c, u = game
    assert_close(search(f, tree, 0, n, c, u), searched(tree, 0, n, c, u)[:2])


@claim(ref.uct_search, game=games(simulations=st.integers(1, 12)))
def search_below_the_root(f, game):
    """途中の状態から探索すると、その状態と、その下だけが変わる。結果は、その部分木だけを探索したときと同じである。
    A search from a state in the middle touches that state and what lies below it, and is the search of that subtree alone."""
    tree, n, c, u = game
    root = tree.moves(0)[0]
    part = tree.below(root)
    if searched(tree, root, n, c, u)[2] < 1e-4:
        return
    N, W = search(f, tree, root, n, c, u)
    expected = searched(tree, root, n, c, u)[:2]
    assert_close((N, W), expected)
    outside = np.setdiff1d(np.arange(len(tree.value)), part)
    assert_equal(np.asarray(N)[outside], np.zeros(len(outside), int))


@st.composite
def root_moves(draw):
    """Visits of two to five moves, not all 0, and sums that need not follow them."""
    k = draw(st.integers(2, 5))
    N = draw(integers(k, low=0, high=5))
    N[draw(st.integers(0, k - 1))] += 1
    return N, N * draw(reals(k, low=-1, high=1))


@claim(ref.most_visited_move, m=root_moves())
def robust_child(f, m):
    """指す手は、平均がいくつでも、訪問数が最も多い手である。同数なら左の手を選ぶ。
    The move to play is the most visited one, whatever the means; of equals, the first."""
    assert_equal(f(*m), min(range(len(m[0])), key=lambda k: (-m[0][k], k)))


def minimax(tree, state):
    """Value for player 0, and the number of leaves."""
    if not (moves := tree.moves(state)):
        return float(tree.value[state]), 1
    found = [minimax(tree, k) for k in moves]
    return (max if tree.player[state] == 0 else min)(v for v, _ in found), sum(n for _, n in found)


def pruned(tree, state, low, high):
    """Value and leaves looked at, from the view of player 0."""
    if not (moves := tree.moves(state)):
        return float(tree.value[state]), 1
    total, top = 0, tree.player[state] == 0
    best = -np.inf if top else np.inf
    for k in moves:
        v, n = pruned(tree, k, max(low, best) if top else low, high if top else min(high, best))
        best, total = (max if top else min)(best, v), total + n
        if (best >= high) if top else (best <= low):
            break
    return best, total


def signs(n):
    """Wins, losses and draws."""
    return integers(n, low=-1, high=1).map(lambda v: v.astype(float))


full = st.sampled_from([complete(b, d) for b in (2, 3) for d in (2, 3)])
complete_trees = trees(full, alternate=True) | trees(full, alternate=True) | trees(full, values=signs, alternate=True)


@claim(ref.alphabeta, tree=complete_trees)
def alphabeta_is_minimax(f, tree):
    """値は枝刈りなしのミニマックスと同じで、調べる葉はそれより多くならない。先後を入れ替えて結果の符号を変えると、値の符号だけが変わる。
    The value is that of plain minimax, with no more leaves; exchanging the players and negating the results negates the value and keeps the leaves."""
    best, leaves = f(*tree, 0)
    value, all_leaves = minimax(tree, 0)
    assert_close(best, value)
    assert_at_most(float(leaves), float(all_leaves))
    assert_close(f(*tree.exchanged(), 0), (-best, leaves))


@claim(ref.alphabeta, tree=complete_trees, top=st.booleans())
def alphabeta_counts_its_leaves(f, tree, top):
    """子を順に調べ、α ≥ β になったら残りを調べない。値と、調べた葉の数が、そのとおりになる。
    Children are looked at in order and left as soon as α ≥ β: the value and the number of leaves evaluated follow."""
    state = 0 if top else tree.moves(0)[-1]
    assert_close(f(*tree, state), pruned(tree, state, -np.inf, np.inf))


@st.composite
def ordered_trees(draw):
    """A complete tree with the best move first everywhere."""
    b, d = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    tree = draw(trees(st.just(complete(b, d)), values=signs, alternate=True))
    children = tree.children.copy()
    for s in range(len(children)):
        kids = [k for k in children[s] if k >= 0]
        kids.sort(key=lambda k: minimax(tree, k)[0], reverse=bool(tree.player[s] == 0))
        children[s, : len(kids)] = kids
    return tree._replace(children=children), b, d


@claim(ref.alphabeta, ordered=ordered_trees())
def alphabeta_best_case(f, ordered):
    """分岐 b、深さ d の木で、どこでも最善手が最初にあれば、b^⌈d/2⌉ + b^⌊d/2⌋ − 1 枚の葉で決まる。
    A complete tree of b moves and depth d with the best move first everywhere is settled by b^⌈d/2⌉ + b^⌊d/2⌋ − 1 leaves."""
    tree, b, d = ordered
    assert_equal(f(*tree, 0)[1], b ** ((d + 1) // 2) + b ** (d // 2) - 1)
