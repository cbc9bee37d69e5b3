"""The laws of AlphaGo's parts. Boards and trees are small; where rounding could decide between two edges, nothing is asked."""

from typing import NamedTuple

import numpy as np
from autograder.properties import SLOPE, assert_at_most, assert_close, assert_equal, claim, derivative, integers, reals, twin
from hypothesis import strategies as st

from reference import alphago as ref
from reference import alphago_torch as ref_torch
from reference.alphago import Array, Flags, Ints
from reference.numerics import log_softmax, softmax


class Position(NamedTuple):
    """The arguments of `encode_planes`, in its order."""

    board: Ints
    to_play: int
    counts: Ints
    flags: Flags
    value_network: bool = False


@st.composite
def positions(draw):
    """A board of 2×3 … 5×6 points with its features."""
    H, W = draw(st.integers(2, 5)), draw(st.integers(2, 6))
    flags = draw(integers(3, H, W, low=0, high=1)) == 1
    return Position(
        draw(integers(H, W, low=0, high=2)), draw(st.integers(1, 2)), draw(integers(5, H, W, low=0, high=12)), flags, draw(st.booleans())
    )


def planes_of(p):
    """Every plane at every point, by its definition."""
    planes = np.zeros((48 + p.value_network, *p.board.shape))
    for at in np.ndindex(p.board.shape):
        stone = p.board[at]
        column = [stone == p.to_play, stone not in (0, p.to_play), stone == 0, True]
        for g in range(5):
            column += [min(p.counts[g][at], 8) == k for k in range(1, 9)]
        column += [flag[at] for flag in p.flags] + [False] + p.value_network * [p.to_play == 1]
        planes[(slice(None), *at)] = column
    return planes


@claim(ref.encode_planes, p=positions())
def planes_written_out(f, p):
    """面は順に、自石・敵石・空点・すべて1、五つの数それぞれの8面(1, 2, …, 7, 8以上)、シチョウで取れる・シチョウから逃げる・sensibleness の3面、すべて0。価値ネットワークではさらに「黒番か」の1面。
    In order: own, opponent, empty, ones; eight planes (1, 2, …, 7, at least 8) of each of the five counts; ladder capture, ladder escape, sensibleness; zeros; for the value network "black to play"."""
    assert_close(f(*p), planes_of(p))


@claim(ref.encode_planes, p=positions())
def planes_count_and_constants(f, p):
    """方策ネットワークには48面、価値ネットワークには49面。4面目はすべて1、48面目はすべて0、はじめの3面の和はどの位置でも1、45〜47面目は渡された flags である。
    48 planes for the policy network, 49 for the value network: the 4th is all ones, the 48th all zeros, the first three sum to 1 at every point, the 45th to 47th are the flags."""
    planes = np.asarray(f(*p))
    assert_close(planes[3], np.ones(p.board.shape))
    assert_close(planes[47], np.zeros(p.board.shape))
    assert_close(1.0 * planes[0] + planes[1] + planes[2], np.ones(p.board.shape))
    assert_close(planes[44:47], p.flags)


@claim(ref.encode_planes, p=positions())
def planes_are_relative(f, p):
    """黒と白、そして手番を入れ替えても、方策ネットワークの48面は変わらない。価値ネットワークの49面目だけが反転する。
    Exchanging black and white and the player to move leaves the 48 planes of the policy network as they are, and flips only the 49th of the value network."""
    mirrored = p._replace(board=np.array([0, 2, 1])[p.board], to_play=3 - p.to_play)
    assert_close(f(*mirrored._replace(value_network=False)), f(*p._replace(value_network=False)))
    ours, theirs = (np.asarray(f(*q._replace(value_network=True))) for q in (p, mirrored))
    assert_close(theirs[:48], ours[:48])
    assert_close(theirs[48], 1.0 - ours[48])


@claim(ref.encode_planes, p=positions())
def counts_are_one_hot(f, p):
    """数の8面は one-hot である。どの位置でも、数が1以上ならちょうど1枚が1で、0なら1枚も1にならない。k 枚目に k を掛けて足すと min(数, 8) になる。
    The eight planes of a count are one-hot: at every point exactly one of them is 1 where the count is at least 1, none where it is 0, and Σ k·plane_k = min(count, 8)."""
    groups = np.asarray(f(*p))[4:44].reshape(5, 8, *p.board.shape) * 1.0
    assert_close(groups.sum(axis=1), 1.0 * (p.counts >= 1))
    assert_close(np.tensordot(groups, np.arange(1.0, 9), axes=(1, 0)), 1.0 * np.minimum(p.counts, 8))


filters = st.sampled_from([16, 64, 96, 128, 192, 256])
boards = st.sampled_from([5, 9, 13, 19])


def layer_table(network, k, b):
    """Kernel, planes in, planes out and biases of the convolutions."""
    first, last = ((48, b * b), (49, 1))[network == "value"]
    return [(5, first, k, k), *11 * [(3, k, k, k)], (1, k, 1, last)]


@claim(ref.alphago_network_cost, k=filters, b=boards)
def cost_written_out(f, k, b):
    """各層のパラメータ数と積和演算数は、カーネルの大きさ・入力の面数・出力の面数・バイアスの数の表から計算したものと等しい。畳み込みの積和は「重み × 盤の点数」、バイアスは数えない。
    Parameters and MACs of every layer follow from a table of kernel, planes in, planes out and biases. MACs of a convolution are weights × points of the board; biases make none."""
    for network in ("policy", "value"):
        table = layer_table(network, k, b)
        params = [size * size * inward * outward + biases for size, inward, outward, biases in table]
        macs = [size * size * inward * outward * b * b for size, inward, outward, _ in table]
        if network == "value":
            params += [b * b * 256 + 256, 256 + 1]
            macs += [b * b * 256, 256]
        assert_equal(f(network, k, b), (np.array(params), np.array(macs)))


@claim(ref.alphago_network_cost, k=filters, b=st.integers(5, 19))
def layers_of_the_networks(f, k, b):
    """2〜12層目はどれも同じで、パラメータは 9k² + k 個。1層目は、入力が1面多い価値ネットワークの方が 25k 個多い。
    Layers 2 to 12 are all alike and hold 9k² + k parameters; the first of the value network, which sees one plane more, holds 25k more than the policy network's."""
    policy, value = (np.asarray(f(network, k, b)[0]) for network in ("policy", "value"))
    for params in (policy, value):
        assert_equal(params[1:12], np.full(11, 9 * k * k + k))
    assert_equal(value[0] - policy[0], 25 * k)


@claim(ref.alphago_network_cost, k=filters, b=st.integers(5, 19))
def board_size_enters_once(f, k, b):
    """パラメータ数が盤の大きさ b によるのは、方策の最後の層(k + b²)と価値の14層目(256b² + 256)だけである。畳み込み層の積和演算数は b² に比例する。
    The board's side b enters the parameters only in the last policy layer (k + b²) and in layer 14 of the value network (256b² + 256); the MACs of convolutions are proportional to b²."""
    for network, last in (("policy", [k + b * b]), ("value", [k + 1, 256 * b * b + 256, 257])):
        params, macs = map(np.asarray, f(network, k, b))
        smaller, fewer = map(np.asarray, f(network, k, b - 1))
        assert_equal(params[:12], smaller[:12])
        assert_equal(params[12:], np.array(last))
        assert_equal(macs[:13] * (b - 1) ** 2, fewer[:13] * b * b)


@claim(ref.alphago_network_cost, b=st.integers(5, 25))
def match_network_totals(f, b):
    """k = 192、19×19(引数を省略したときの大きさ)では、方策ネットワークは 3,882,793 個、価値ネットワークは 3,980,162 個のパラメータをもつ。一辺 b の盤では、b² − 361 だけ、またその 256 倍だけ変わる。
    With k = 192 on 19×19, the defaults, the policy network has 3,882,793 parameters and the value network 3,980,162. On a board of side b they change by b² − 361, and by 256 times as much."""
    for network, total, each in (("policy", 3882793, 1), ("value", 3980162, 256)):
        assert_equal(int(np.sum(f(network)[0])), total)
        assert_equal(int(np.sum(f(network, 192, b)[0])), total + each * (b * b - 361))


class Node(NamedTuple):
    """The arguments of `select_edge`, in its order."""

    P: Array
    N_v: Ints
    W_v: Array
    N_r: Ints
    W_r: Array
    mix: float = 0.5
    c_puct: float = 5.0

    @property
    def means(self):
        """Of the value network and of the rollouts, edge by edge."""
        return tuple(
            np.array([w / n if n else 0.0 for n, w in zip(N, W)]) for N, W in ((self.N_v, self.W_v), (self.N_r, self.W_r))
        )

    @property
    def Q(self):
        of_value, of_rollouts = self.means
        return (1 - self.mix) * of_value + self.mix * of_rollouts

    @property
    def u(self):
        return np.array([self.c_puct * p * sum(self.N_r) ** 0.5 / (1 + n) for p, n in zip(self.P, self.N_r)])


@st.composite
def nodes(draw):
    """Two to six edges, some of them without visits or prior."""
    K = draw(st.integers(2, 6))
    share = draw(integers(K, low=0, high=4))
    share[draw(st.integers(0, K - 1))] += 1
    N_v, N_r = draw(integers(K, low=0, high=8)), draw(integers(K, low=0, high=8))
    q_v, q_r = draw(reals(K, low=-1, high=1)), draw(reals(K, low=-1, high=1))
    mix, c = draw(st.sampled_from([0.5, 0.0, 0.25, 0.75, 1.0])), draw(st.sampled_from([5.0, 0.5, 1.0, 2.0, 3.0]))
    return Node(share / share.sum(), N_v, N_v * q_v, N_r, N_r * q_r, mix, c)


def decided(scores):
    """Do the two best differ by more than rounding could?"""
    second, best = np.sort(scores)[-2:]
    return best - second > 1e-4


def assert_chooses(f, node, scores):
    """The edge with the largest score is chosen, where there is one."""
    if decided(scores):
        assert_equal(f(*node)[0], int(np.argmax(scores)))


@claim(ref.select_edge, node=nodes())
def selection_written_out(f, node):
    """Q = (1−λ)W_v/N_v + λW_r/N_r(訪問のない平均は 0)、u = c·P·√ΣN_r / (1+N_r) で、選ばれるのは Q + u が最大の枝である。
    Q = (1−λ)W_v/N_v + λW_r/N_r (a mean without visits is 0), u = c·P·√ΣN_r / (1+N_r), and the edge with the largest Q + u is chosen."""
    index, Q, u = f(*node)
    assert_close((Q, u), (node.Q, node.u))
    if decided(node.Q + node.u):
        assert_equal(index, int(np.argmax(node.Q + node.u)))


@claim(ref.select_edge, node=nodes())
def q_mixes_two_means(f, node):
    """λ=0 の Q は W_v/N_v でロールアウトを見ず、λ=1 の Q は W_r/N_r で価値ネットワークを見ない。その間では、二つの平均を 1−λ 対 λ で混ぜたものになる。訪問のない平均は 0。
    At λ = 0 Q is W_v/N_v and blind to the rollouts, at λ = 1 it is W_r/N_r and blind to the value network; between them it mixes the two means as 1−λ to λ. A mean without visits is 0."""
    of_value, of_rollouts = node.means
    assert_close(f(*node._replace(mix=0.0))[1], of_value)
    assert_close(f(*node._replace(mix=1.0))[1], of_rollouts)
    assert_close(f(*node._replace(mix=0.0, W_r=-2 * node.W_r))[1], of_value)
    assert_close(f(*node)[1], (1 - node.mix) * of_value + node.mix * of_rollouts)


@claim(ref.select_edge, node=nodes())
def u_is_a_prior_bonus(f, node):
    """u·(1+N_r) は事前確率 P に比例し、比例定数はどの枝でも c·√ΣN_r である。c を2倍にすると u も2倍になり、まだ一度も訪問していなければ u はすべて 0 になる。
    u·(1+N_r) is proportional to the prior P, with the factor c·√ΣN_r for every edge; doubling c doubles u, and while nothing was visited u is 0 for all edges."""
    u = np.asarray(f(*node)[2])
    assert_close(u * (1 + node.N_r), node.c_puct * float(node.N_r.sum()) ** 0.5 * node.P)
    assert_close(f(*node._replace(c_puct=2 * node.c_puct))[2], 2 * u)
    assert_close(f(*node._replace(N_r=0 * node.N_r, W_r=0 * node.W_r))[2], np.zeros(len(u)))


@claim(ref.select_edge, node=nodes(), turn=st.integers(1, 5))
def selection_limits(f, node, turn):
    """c=0 なら Q が最大の枝、Q も訪問数も等しければ P が最大の枝、すべての枝を 10¹² 回訪問した後は再び Q が最大の枝を選ぶ(ボーナスは消える)。枝を並べ替えれば選択も並べ替わる。訪問が何もなければ 0 番。
    c = 0 chooses the largest Q; equal Q and equal visits the largest P; after 10¹² visits of every edge the largest Q again, as the bonus dies out. Permuting the edges permutes the choice; before any visit it is edge 0."""
    K, one = len(node.P), np.ones(len(node.P), int)
    assert_chooses(f, node._replace(c_puct=0.0), node.Q)
    assert_chooses(f, Node(node.P, 3 * one, 1.5 * one, 3 * one, 1.5 * one, node.mix, node.c_puct), node.P)
    of_value, of_rollouts = node.means
    often = 10**12 * one
    assert_chooses(f, Node(node.P, often, often * of_value, often, often * of_rollouts, node.mix, node.c_puct), node.Q)
    turned = Node(*(np.roll(part, turn) for part in node[:5]), node.mix, node.c_puct)
    assert_chooses(f, turned, turned.Q + turned.u)
    fresh = Node(node.P, 0 * one, np.zeros(K), 0 * one, np.zeros(K), node.mix, node.c_puct)
    assert_equal(f(*fresh)[0], 0)


class Evaluation(NamedTuple):
    """The arguments of `backup_mixed`, in its order."""

    N_v: Ints
    W_v: Array
    N_r: Ints
    W_r: Array
    path: Ints
    v: float
    z: float
    n_thr: int = 40


@st.composite
def evaluations(draw, least=1):
    """A path of `least` to four distinct edges among four to eight that hold statistics."""
    E = draw(st.integers(4, 8))
    path = np.array(draw(st.permutations(range(E))))[: draw(st.integers(least, 4))]
    N_v, N_r = draw(integers(E, low=0, high=8)), draw(integers(E, low=0, high=8))
    W_v, W_r = N_v * draw(reals(E, low=-1, high=1)), N_r * draw(reals(E, low=-1, high=1))
    v, z = float(draw(reals(low=-1, high=1, zero=False))), draw(st.sampled_from([1.0, -1.0]))
    return Evaluation(N_v, W_v, N_r, W_r, path, v, z, draw(st.integers(0, 9)))


@claim(ref.backup_mixed, e=evaluations())
def backup_counts_and_signs(f, e):
    """道の上のどの枝も、N_v と N_r が1ずつ増える。W_v は最後の枝で −v、その前で +v、…と交互に変わり、W_r も z について同じ。道にない枝はそのまま。expand は「最後の枝の N_r が n_thr を超えた」。
    Every edge of the path gains one visit in N_v and one in N_r; W_v changes by −v on the last edge, by +v on the one before, and so on, W_r likewise with z; other edges keep their numbers. `expand` says that N_r of the last edge exceeds n_thr."""
    N_v, W_v, N_r, W_r = (list(part) for part in e[:4])
    for at, edge in enumerate(e.path):
        sign = -1 if (len(e.path) - at) % 2 else 1
        N_v[edge], W_v[edge] = N_v[edge] + 1, W_v[edge] + sign * e.v
        N_r[edge], W_r[edge] = N_r[edge] + 1, W_r[edge] + sign * e.z
    expected = (np.array(N_v), np.array(W_v), np.array(N_r), np.array(W_r), bool(N_r[e.path[-1]] > e.n_thr))
    assert_close(f(*e), expected)


@claim(ref.backup_mixed, e=evaluations(least=2))
def backup_from_the_other_side(f, e):
    """一手前の局面から見た −v、−z を道 path[:-1] にバックアップすると、その枝の W は、v、z を道全体にバックアップしたときと同じになる(一方の得は他方の損)。
    Backing up −v and −z, the view from one ply earlier, along path[:-1] leaves on those edges the same W as v and z along the whole path: one player's gain is the other's loss."""
    whole, shorter = f(*e), f(*e._replace(path=e.path[:-1], v=-e.v, z=-e.z))
    inner = e.path[:-1]
    for part in (1, 3):
        assert_close(np.asarray(shorter[part])[inner], np.asarray(whole[part])[inner])
        before = e[part][e.path]
        change = np.asarray(whole[part])[e.path] - before
        assert_close(change[1:], -change[:-1])


@claim(ref.backup_mixed, v=st.integers(1, 8).flatmap(lambda m: reals(m, low=-1, high=1, zero=False)), mix=st.sampled_from([0.5, 0.0, 0.25, 0.75, 1.0]))
def many_simulations_average(f, v, mix):
    """新しい枝1本に評価 (v, z) を何回か入れると、その枝の Q = (1−λ)W_v/N_v + λW_r/N_r は −((1−λ)v + λz) の平均になる。枝を選ぶのは、葉で打つ側の相手だからである。
    After several evaluations (v, z) of one fresh edge its Q = (1−λ)W_v/N_v + λW_r/N_r is the mean of −((1−λ)v + λz): the edge is chosen by the opponent of the player to move at the leaf."""
    z = np.where(np.abs(v) > 0.4, 1.0, -1.0)
    N_v, W_v, N_r, W_r = np.zeros(1, int), np.zeros(1), np.zeros(1, int), np.zeros(1)
    for verdict, result in zip(v, z, strict=True):
        N_v, W_v, N_r, W_r, _ = map(np.asarray, f(N_v, W_v, N_r, W_r, np.array([0]), float(verdict), float(result)))
    Q = (1 - mix) * W_v[0] / max(N_v[0], 1) + mix * W_r[0] / max(N_r[0], 1)
    assert_close(float(Q), -float(np.mean((1 - mix) * v + mix * z)))


@claim(ref.backup_mixed, e=evaluations(), n=st.integers(0, 6))
def expansion_threshold_is_strict(f, e, n):
    """展開の条件は N_r > n_thr である(等しいときは、まだ)。閾値が n なら、n 回目では展開せず、n+1 回目のシミュレーションで初めて展開する。
    The condition is N_r > n_thr, and equality is not enough: with a threshold of n the edge is expanded at simulation n+1, not at simulation n."""
    fresh = e._replace(N_r=0 * e.N_r, W_r=0 * e.W_r, n_thr=n)
    last = np.arange(len(e.N_r)) == e.path[-1]
    for visited in range(max(0, n - 2), n + 2):
        assert_equal(f(*fresh._replace(N_r=visited * last))[4], visited + 1 > n)


@st.composite
def finished(draw):
    """Visits, in half the cases with ties, and values of two to six moves; a threshold a little above or below the best value."""
    K = draw(st.integers(2, 6))
    N_r = draw(integers(K, low=0, high=12))
    if draw(st.integers(0, 2)):
        first, second = draw(st.permutations(range(K)))[:2]
        N_r[[first, second]] = N_r.max() + 1
    Q = draw(integers(K, low=-20, high=-8)) / 20
    resign = float(Q.max()) + draw(st.sampled_from([0.01, -0.01, 0.05, -0.05, 0.15, -0.15]))
    return N_r, Q, round(resign, 2)


@claim(ref.move_or_resign, end=finished())
def plays_the_most_visited(f, end):
    """打つ手は、Q がいくつでも、訪問数が最大の手である(同数なら番号の小さい方)。投了するのは、すべての手の Q が `resign` より小さいとき、そのときに限る。
    The move is the most visited one whatever Q says (of equals, the first); the game is resigned exactly when every Q is below `resign`."""
    N_r, Q, resign = end
    best = min(range(len(N_r)), key=lambda a: (-N_r[a], a))
    assert_close(f(*end), (best, all(q < resign for q in Q)))


@claim(ref.move_or_resign, N_r=integers(4, low=0, high=30), loss=integers(4, low=-19, high=-13).map(lambda q: (q + 0.5) / 20))
def resigns_below_minus_four_fifths(f, N_r, loss):
    """しきい値を省略すると −0.8 である。一手でも −0.8 より良い手があれば投了しない。
    The default threshold is −0.8, and one move with a better value is enough to go on."""
    assert_equal(f(N_r, loss)[1], all(q < -0.8 for q in loss))


class Games(NamedTuple):
    """The arguments of `reinforce_update`, in its order."""

    w: Array
    features: Array
    actions: Ints
    z: Array
    baseline: Array
    games: int
    alpha: float

    @property
    def advantage(self):
        return self.z - self.baseline

    def objective(self, w):
        log_p = log_softmax(self.features @ w)
        played = log_p[np.arange(len(self.actions)), self.actions]
        return float(self.advantage @ played) / self.games


@st.composite
def games(draw):
    """One to six steps of one to three games, two to four moves a step."""
    T, A, F = draw(st.integers(1, 6)), draw(st.integers(2, 4)), draw(st.integers(1, 4))
    w, features = draw(reals(F, low=-1, high=1)), draw(reals(T, A, F, low=-1, high=1))
    z, baseline = 2.0 * draw(integers(T, low=0, high=1)) - 1, draw(reals(T, low=-1, high=1)) / 2
    actions = draw(integers(T, low=0, high=A - 1))
    return Games(w, features, actions, z, baseline, draw(st.integers(1, min(3, T))), draw(st.sampled_from([1.0, 0.25, 0.5, 0.1])))


@claim(ref.reinforce_update, g=games())
def reinforce_written_out(f, g):
    """新しい重みは w + (α/n) Σ_t (z_t − b_t)(φ(s_t, a_t) − Σ_a p(a|s_t) φ(s_t, a)) である。n は対局の数。
    The new weights are w + (α/n) Σ_t (z_t − b_t)(φ(s_t, a_t) − Σ_a p(a|s_t) φ(s_t, a)), n being the number of games."""
    step = np.zeros(len(g.w))
    for phi, a, advantage in zip(g.features, g.actions, g.advantage, strict=True):
        p = softmax(phi @ g.w)
        step += advantage * (phi[a] - sum(p[b] * phi[b] for b in range(len(p))))
    assert_close(f(*g), g.w + g.alpha * step / g.games)


@claim(ref.reinforce_update, g=games(), along=lambda g: reals(len(g.w), low=-1, high=1, zero=False))
def reinforce_climbs_the_objective(f, g, along):
    """(新しい w − w)/α は、目的関数 J(w) = (1/n) Σ_t (z_t − b_t) log p_w(a_t|s_t) の勾配である。任意の方向との内積が、J の数値微分に一致する。
    (new w − w)/α is the gradient of J(w) = (1/n) Σ_t (z_t − b_t) log p_w(a_t|s_t): its product with any direction is the numerical derivative of J along it."""
    step = (np.asarray(f(*g)) - g.w) / g.alpha
    assert_close(float(step @ along), float(derivative(g.objective, (g.w,), (along,))), SLOPE)


@claim(ref.reinforce_update, g=games())
def reinforce_signs(f, g):
    """結果が予想どおり(z = b)なら重みは動かない。z と b の符号を変えると、動きが逆になる。小さな一歩で、勝った手(z=1, b=0)の確率は上がり、負けた手の確率は下がる。
    If the result is what was expected (z = b), nothing moves; exchanging win and loss (z → −z, b → −b) reverses the step. A small step makes a won move (z = 1, b = 0) more probable and a lost one less."""
    assert_close(f(*g._replace(baseline=g.z)), g.w)
    there, back = (np.asarray(f(*g._replace(z=way * g.z, baseline=way * g.baseline))) - g.w for way in (1, -1))
    assert_close(back, -there)
    phi, a = g.features[0], int(g.actions[0])
    score = phi[a] - softmax(phi @ g.w) @ phi
    if np.linalg.norm(score) <= 0.3:
        return
    for z in (1.0, -1.0):
        one = g._replace(features=phi[None], actions=g.actions[:1], z=np.array([z]), baseline=np.zeros(1), games=1, alpha=0.02)
        after = log_softmax(phi @ np.asarray(f(*one)))[a]
        before = log_softmax(phi @ g.w)[a]
        assert_at_most(float(z * before + 5e-4), float(z * after))


@st.composite
def played(draw):
    """A random move and the length of the game, at least two moves longer."""
    U = draw(st.integers(1, 9))
    return U, U + draw(st.integers(2, 6))


@claim(ref.value_data_schedule, game=played(), r_black=st.sampled_from([1, -1]))
def schedule_of_one_game(f, game, r_black):
    """1〜U−1 手目は SL 方策(0)、U 手目は一様乱数(1)、その後は RL 方策(2)が打つ。例は s_{U+1} で、z はその局面の手番から見た勝敗である(黒は奇数手目)。
    Moves 1 … U−1 are the SL policy's (0), move U is random (1), the rest the RL policy's (2). The example is s_{U+1}, and z is the result for the player to move there (black moves at odd t)."""
    U, T = game
    phases = np.array((U - 1) * [0] + [1] + (T - U) * [2])
    black_to_move = U % 2 == 0
    assert_close(f(U, T, r_black), (phases, U + 1, float(r_black) if black_to_move else -float(r_black)))


@claim(ref.value_data_schedule, game=played(), r_black=st.sampled_from([1, -1]))
def target_turns_with_winner_and_player(f, game, r_black):
    """勝者が替われば z の符号が変わり、U が1つずれて手番が替わっても z の符号が変わる。
    z changes its sign with the winner of the game, and it does when U moves on by one, since the other player is to move."""
    U, T = game
    z = f(U, T, r_black)[2]
    assert_close(float(abs(z)), 1.0)
    assert_close(f(U, T, -r_black)[2], -z)
    assert_close(f(U + 1, T, r_black)[2], -z)


@twin(ref_torch.policy_loss_torch, g=games())
def losses_on_tensors(g):
    return g.w, g.features, g.actions, g.advantage, g.games
