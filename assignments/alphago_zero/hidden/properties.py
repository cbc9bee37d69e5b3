"""The laws of AlphaGo Zero's parts. Games are small; where rounding could decide between two edges, nothing is asked."""

from typing import NamedTuple

import numpy as np
from autograder.properties import FORWARD, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, integers, reals, twin
from hypothesis import strategies as st

from reference import alphago_zero as ref
from reference import alphago_zero_torch as ref_torch
from reference.alphago_zero import Array, Ints
from reference.numerics import log_softmax, softmax


class Node(NamedTuple):
    """The arguments of `puct_select`, in its order."""

    P: Array
    N: Ints
    W: Array
    c_puct: float

    @property
    def Q(self):
        return np.array([w / n if n else 0.0 for n, w in zip(self.N, self.W)])

    @property
    def scores(self):
        root = float(sum(self.N)) ** 0.5
        return self.Q + np.array([self.c_puct * p * root / (1 + n) for p, n in zip(self.P, self.N)])


def shares(K, least=0):
    """Probabilities of K moves, each in proportion to a small whole number."""
    return integers(K, low=least, high=4).map(lambda w: (w + (w.sum() == 0)) / (w + (w.sum() == 0)).sum())


constants = st.sampled_from([1.5, 0.5, 1.0, 2.0, 5.0])


@st.composite
def nodes(draw):
    """Two to six edges, some of them without visits or prior."""
    K = draw(st.integers(2, 6))
    N = draw(integers(K, low=0, high=8))
    return Node(draw(shares(K)), N, N * draw(reals(K, low=-1, high=1)), draw(constants))


def decided(scores):
    """Do the two best differ by more than rounding could?"""
    second, best = np.sort(scores)[-2:]
    return best - second > 1e-4


def assert_chooses(f, node, scores):
    """The edge with the largest score is chosen, where there is one."""
    if decided(scores):
        assert_equal(f(*node)[0], int(np.argmax(scores)))


@claim(ref.puct_select, node=nodes())
def puct_written_out(f, node):
    """スコアは W/N + c·P·√ΣN / (1+N)(訪問のない枝の W/N は 0)で、選ばれるのはスコアが最大の枝である。
    The scores are W/N + c·P·√ΣN / (1+N), W/N counting 0 for an edge without visits, and the edge with the largest one is chosen."""
    index, scores = f(*node)
    assert_close(scores, node.scores)
    if decided(node.scores):
        assert_equal(index, int(np.argmax(node.scores)))


@claim(ref.puct_select, node=nodes())
def puct_bonus(f, node):
    """スコアから W/N を引いて 1+N を掛けると、どの枝でも P の同じ倍数 c·√ΣN になる(根号の中に 1 を足さない)。c=0 なら W/N だけが残る。
    Score − W/N, times 1+N, is the same multiple c·√ΣN of the prior P for every edge (nothing is added to ΣN under the root); c = 0 leaves W/N alone."""
    bonus = np.asarray(f(*node)[1]) - node.Q
    assert_close(bonus * (1 + node.N), node.c_puct * float(node.N.sum()) ** 0.5 * node.P, FORWARD.scaled(10))
    assert_close(f(*node._replace(c_puct=0.0))[1], node.Q)


@claim(ref.puct_select, node=nodes(), turn=st.integers(1, 5))
def puct_choice(f, node, turn):
    """W/N も N も等しければ P が最大の枝、W/N も P も等しければ N が最小の枝が選ばれる。枝を並べ替えれば、スコアも選択も並べ替わる。
    Of edges with equal W/N and equal N the one with the largest P is chosen, of edges with equal W/N and equal P the one with the fewest visits. Permuting the edges permutes scores and choice."""
    one = np.ones(len(node.P), int)
    assert_chooses(f, Node(node.P, 3 * one, 1.5 * one, node.c_puct), node.P)
    assert_chooses(f, Node(one / len(one), node.N, 0.0 * node.N, node.c_puct), -node.N)
    turned = Node(*(np.roll(part, turn) for part in node[:3]), node.c_puct)
    assert_close(f(*turned)[1], np.roll(node.scores, turn))
    assert_chooses(f, turned, turned.scores)


@st.composite
def distinct_means(draw):
    """Two to six visited edges with means a quarter apart or more."""
    K = draw(st.integers(2, 6))
    means = np.array(draw(st.permutations(range(-4, 5))))[:K] / 4
    N = draw(integers(K, low=1, high=8))
    return Node(draw(shares(K)), N, N * means, draw(constants))


@claim(ref.puct_select, node=distinct_means())
def prior_fades(f, node):
    """W/N を保って訪問数を 10⁸ 倍すると、ボーナスは消え、W/N が最大の枝が選ばれる。逆に、まだ何も訪問していなければスコアはすべて 0 で、0 番が選ばれる。
    With 10⁸ times the visits and the same W/N the bonus has died out and the largest W/N is chosen. Before any visit all scores are 0, and edge 0 is chosen."""
    often = node._replace(N=10**8 * node.N, W=1e8 * node.W)
    assert_equal(f(*often)[0], int(np.argmax(node.Q)))
    nothing = np.zeros(len(node.P))
    assert_close(f(*node._replace(N=0 * node.N, W=nothing)), (0, nothing))


class Leaf(NamedTuple):
    """The first arguments of `backup_value`, in its order."""

    N: Ints
    W: Array
    path: Ints
    v: float


@st.composite
def leaves(draw, least=1):
    """A path of `least` to four distinct edges among four to eight that hold statistics."""
    E = draw(st.integers(4, 8))
    path = np.array(draw(st.permutations(range(E))))[: draw(st.integers(least, 4))]
    N = draw(integers(E, low=0, high=8))
    return Leaf(N, N * draw(reals(E, low=-1, high=1)), path, float(draw(reals(low=-1, high=1, zero=False))))


losses = st.integers(1, 5)


@claim(ref.apply_virtual_loss, leaf=leaves(), n_vl=losses)
def virtual_loss_written_out(f, leaf, n_vl):
    """道の上のどの枝も、手番に関係なく N が n_vl 増え、W が n_vl 減る。道にない枝はそのまま。n_vl を省略すると 1 である。
    Every edge of the path, whoever chooses there, gains n_vl in N and loses n_vl in W; other edges keep their numbers. n_vl defaults to 1."""
    N, W, path, _ = leaf
    on = np.array([edge in path for edge in range(len(N))])
    assert_close(f(N, W, path, n_vl), (N + n_vl * on, W - n_vl * on))
    assert_close(f(N, W, path), (N + on, W - on))


@claim(ref.apply_virtual_loss, leaf=leaves(), n_vl=losses)
def virtual_loss_discourages(f, leaf, n_vl):
    """道の上の枝では、平均 W/N が下がり(−1 の枝では −1 のまま)、ボーナスの分母 1+N は大きくなる。他のシミュレーションは別の道に向かう。
    On the path every mean W/N falls (or stays at −1), and 1+N under the bonus grows: other simulations turn elsewhere."""
    N, W, path, _ = leaf
    visits, sums = (np.asarray(part)[path] for part in f(N, W, path, n_vl))
    assert_at_most(N[path] + 1.0, 1.0 * visits)
    assert_at_most(sums / visits, W[path] / np.maximum(N[path], 1))


@claim(ref.apply_virtual_loss, leaf=leaves(), n_vl=losses)
def virtual_loss_leaves_no_trace(f, leaf, n_vl):
    """仮の負けを入れてから、それを取り消すバックアップをすると、はじめから入れなかったときと同じ N と W になる。
    A backup that takes the virtual losses back leaves N and W as if there had been none."""
    N, W, path, v = leaf
    visits, sums = f(N, W, path, n_vl)
    assert_close(ref.backup_value(np.array(visits), np.array(sums, float), path, v, n_vl), ref.backup_value(N, W, path, v))


@claim(ref.backup_value, leaf=leaves())
def backup_signs(f, leaf):
    """v は葉で打つ側から見た値で、葉に入る枝を選んだのはその相手である。だから W は最後の枝で −v、その前で +v、…と変わる。N は道の上で 1 ずつ増え、道にない枝はそのまま。
    v is the view of the player to move AT THE LEAF, and the other player chose the edge into it: W changes by −v on the last edge, by +v on the one before, and so on. N grows by one along the path; other edges keep their numbers."""
    N, W = list(leaf.N), list(leaf.W)
    for at, edge in enumerate(leaf.path):
        N[edge] += 1
        W[edge] += -leaf.v if (len(leaf.path) - at) % 2 else leaf.v
    assert_close(f(*leaf), (np.array(N), np.array(W)))


@claim(ref.backup_value, leaf=leaves(least=2))
def backup_prefix(f, leaf):
    """道の終わりに枝を 1 本足し、v の符号を変えても、もとの枝の N と W は変わらない(一手先から見た −v は、ここから見た v である)。
    Lengthening the path by an edge at its end and negating v changes nothing on the old edges: −v seen one ply later is v seen here."""
    shorter = f(*leaf._replace(path=leaf.path[:-1], v=-leaf.v))
    inner = leaf.path[:-1]
    N, W = f(*leaf)
    assert_equal(np.asarray(shorter[0])[inner], np.asarray(N)[inner])
    assert_close(np.asarray(shorter[1])[inner], np.asarray(W)[inner])


@claim(ref.backup_value, leaf=leaves(), n_vl=losses)
def virtual_loss_is_taken_back(f, leaf, n_vl):
    """仮の負けを n_vl 入れた後の backup_value(…, n_vl) は、入れずに行った backup_value と、N も W も同じになる。
    After n_vl virtual losses, backup_value(…, n_vl) gives the N and W that backup_value gives without them."""
    N, W, path, v = leaf
    held = ref.apply_virtual_loss(N, W, path, n_vl)
    assert_close(f(*held, path, v, n_vl), f(N, W, path, v))


@st.composite
def mixtures(draw):
    """Priors, noise and its share."""
    K = draw(st.integers(2, 6))
    return draw(shares(K)), draw(shares(K)), draw(st.sampled_from([0.25, 0.0, 0.1, 0.5, 0.75, 1.0]))


@claim(ref.root_prior, mixture=mixtures())
def noise_mixture(f, mixture):
    """混ぜた事前確率は (1−ε)P + εη である。ε を省略すると 0.25 で、ε=0 なら P、ε=1 ならノイズになる。
    The mixed prior is (1−ε)P + εη, with ε = 0.25 by default; ε = 0 gives P, ε = 1 the noise."""
    P, noise, epsilon = mixture
    assert_close(f(*mixture), np.array([p + epsilon * (e - p) for p, e in zip(P, noise)]))
    assert_close(f(P, noise), 0.75 * P + 0.25 * noise)
    assert_close(f(P, noise, 0.0), P)
    assert_close(f(P, noise, 1.0), noise)


@claim(ref.root_prior, mixture=mixtures())
def noise_keeps_a_distribution(f, mixture):
    """混ぜた後も和は 1 で、どの手も (1−ε)P より小さくならない。
    The mixture still sums to 1, and no entry is below (1−ε)P."""
    P, _, epsilon = mixture
    mixed = np.asarray(f(*mixture))
    assert_close(float(mixed.sum()), 1.0)
    assert_at_most((1 - epsilon) * P, mixed)


class Game(NamedTuple):
    """The arguments of `puct_search`, in its order."""

    children: Ints
    priors: Array
    values: Array
    root: int
    simulations: int
    c_puct: float
    noise: Array | None = None
    epsilon: float = 0.25

    def moves(self, state):
        return [a for a, below in enumerate(self.children[state]) if below >= 0]


def fractions(*shape):
    """Numbers between −1 and 1, no two sums of which are likely to agree."""
    return integers(*shape, low=-997, high=997).map(lambda k: (k + 0.37 * np.sin(k)) / 998)


def normalised(weights, children):
    """Rows of priors: in proportion to the weights where there is a move, 0 elsewhere."""
    weights = (weights + 1.1) * (children >= 0)
    return weights / np.maximum(weights.sum(axis=-1, keepdims=True), 1e-9)


def table(masks):
    """`children` from the columns that hold a move, level by level; the states beyond the last mask have none."""
    rows, below = [], 1
    for mask in masks:
        row = np.where(mask, below + np.cumsum(mask) - 1, -1)
        rows.append(row)
        below += int(np.sum(mask))
    return np.array(rows + [np.full(len(masks[0]), -1)] * (below - len(rows)))


@st.composite
def columns(draw):
    """Games of depth one to three with four columns of moves; now and then two moves lead to one state."""
    depth, masks, level = draw(st.integers(1, 3)), [], 1
    for _ in range(depth):
        drawn = [draw(st.integers(0 if masks else 1, 15)) for _ in range(level)]
        if not any(drawn):
            drawn[0] = 5
        few = [m if level < 4 else m & (5, 10, 6, 9)[i % 4] for i, m in enumerate(drawn)]
        masks += [np.array([m >> a & 1 for a in range(4)]) == 1 for m in few]
        level = sum(m.bit_count() for m in few)
        if level == 0:
            break
    children = table(masks)
    cousins = [row for row in children[1:] if (row >= 0).any()]
    if len(cousins) > 1 and draw(st.integers(0, 2)) == 0:
        first, second = (row[row >= 0][0] for row in cousins[:2])
        if same_depth(children, first, second):
            children[children == second] = first
    return children


def same_depth(children, *states):
    """Are the states equally far from state 0? Each state lies behind its parents."""
    depth = np.zeros(len(children), int)
    for s, row in enumerate(children):
        depth[row[row >= 0]] = depth[s] + 1
    return len(set(depth[list(states)])) == 1


@st.composite
def games(draw, shapes=columns(), simulations=st.integers(1, 30), c=st.sampled_from([1.5, 0.3, 0.7, 1.0, 2.0, 3.0]), noisy=st.booleans()):
    """A game with a network for it, in half the cases with noise, in a fifth of them searched from a child of state 0."""
    children = draw(shapes)
    priors = normalised(draw(fractions(*children.shape)), children)
    game = Game(children, priors, draw(fractions(len(children))), 0, draw(simulations), draw(c))
    inner = [int(s) for s in children[0] if s >= 0 and (children[s] >= 0).any()]
    if inner and draw(st.integers(0, 4)) == 0:
        game = game._replace(root=inner[0])
    if draw(noisy):
        noise = normalised(draw(fractions(children.shape[1])), children[game.root])
        game = game._replace(noise=noise, epsilon=draw(st.sampled_from([0.25, 0.0, 0.1, 0.5, 0.9, 1.0])))
    return game


def searched(game):
    """Visits of the root, and the least distance between the two best scores met."""
    N, W, near, met = {}, {}, np.inf, {game.root}
    for _ in range(game.simulations):
        state, path = game.root, []
        while state in met and (moves := game.moves(state)):
            total = sum(N.get((state, a), 0) for a in moves)
            scores = []
            for a in moves:
                p, n = game.priors[state, a], N.get((state, a), 0)
                if state == game.root and game.noise is not None:
                    p = (1 - game.epsilon) * p + game.epsilon * game.noise[a]
                scores.append((W[state, a] / n if n else 0.0) + game.c_puct * p * total**0.5 / (1 + n))
            if total and len(moves) > 1:
                near = min(near, np.diff(np.sort(scores)[-2:])[0])
            path.append((state, moves[int(np.argmax(scores))]))
            state = int(game.children[path[-1]])
        met.add(state)
        gain = float(game.values[state])
        for edge in path[::-1]:
            gain = -gain
            N[edge], W[edge] = N.get(edge, 0) + 1, W.get(edge, 0.0) + gain
    return np.array([N.get((game.root, a), 0) for a in range(game.children.shape[1])]), near


def settled(game):
    """No two scores come close: rounding decides nothing."""
    return searched(game)[1] > 1e-4


@claim(ref.puct_search, game=games().filter(settled))
def search_written_out(f, game):
    """選択・展開・評価・バックアップを順に行った探索と、根の訪問数が一致する。シミュレーションは、まだ展開していない状態か、手のない状態で終わり、その `values` を伝える。
    The root's visits are those of selection, expansion, evaluation and backup carried out one after the other. A simulation ends at a state not yet expanded, or without moves, and backs up its `values`."""
    assert_equal(f(*game), searched(game)[0])


def settled_with_noise(game):
    return settled(game._replace(epsilon=0.25)) and settled(game._replace(noise=None))


@claim(ref.puct_search, game=games(noisy=st.just(True)).filter(settled_with_noise))
def search_spends_every_simulation(f, game):
    """根の訪問数の和はシミュレーションの回数に等しく(根は最初から展開されている)、手のない列は 0 である。最初の 1 回は、列の番号が最小の手へ進む。ε=0 のノイズや、P と同じノイズは何も変えない。ε を省略すると 0.25 である。
    The root's visits sum to the simulations (the root is expanded beforehand), and columns without a move have 0. The first simulation takes the lowest move. Noise with ε = 0, or equal to the prior, changes nothing; ε defaults to 0.25."""
    visits, moves = np.asarray(f(*game)), game.moves(game.root)
    assert_equal(int(visits.sum()), game.simulations)
    assert_equal(np.delete(visits, moves), np.zeros(len(visits) - len(moves), int))
    assert_equal(f(*game._replace(simulations=1)), (np.arange(len(visits)) == moves[0]) * 1)
    calm = searched(game._replace(noise=None))[0]
    assert_equal(f(*game._replace(epsilon=0.0)), calm)
    assert_equal(f(*game._replace(noise=game.priors[game.root])), calm)
    assert_equal(f(*game[:7]), searched(game._replace(epsilon=0.25))[0])


def shared_out(game):
    """The D'Hondt rule after a first visit of the lowest move, and the least distance of two quotients."""
    moves = game.moves(game.root)
    visits, near = np.zeros(game.children.shape[1], int), np.inf
    visits[moves[0]] = 1
    for _ in range(game.simulations - 1):
        quotients = game.priors[game.root, moves] / (1 + visits[moves])
        if len(moves) > 1:
            near = min(near, np.diff(np.sort(quotients)[-2:])[0])
        visits[moves[int(np.argmax(quotients))]] += 1
    return visits, near


@claim(ref.puct_search, game=games(noisy=st.just(False), c=st.sampled_from([0.5, 4.0])).filter(lambda g: shared_out(g)[1] > 1e-3))
def search_without_values_divides_by_priors(f, game):
    """値がすべて 0 なら、ボーナスだけで決まる。最初の 1 回(番号が最小の手)の後は、いつも P/(1+N) が最大の手が選ばれる(ドント式)。c > 0 や、その下の木にはよらない。
    If every value is 0 the bonus alone decides: after the first visit, to the lowest move, each goes to the largest P/(1+N) (the D'Hondt rule), whatever c > 0 and whatever lies below."""
    assert_equal(f(*game._replace(values=0 * game.values)), shared_out(game)[0])


@st.composite
def traps(draw):
    """Two moves with two or three replies each: one looks won, and is so in half the cases; the other is even. And the good one."""
    replies, trap = draw(st.integers(2, 3)), draw(st.integers(0, 1))
    refuted = draw(st.booleans())
    children = table([np.arange(3) < 2, np.arange(3) < replies, np.arange(3) < replies])
    values = np.zeros(len(children))
    values[1 + trap] = -0.9
    first = 3 + trap * replies
    values[first : first + replies] = 0.6
    if refuted:
        values[first + draw(st.integers(0, replies - 1))] = -1.0
    return Game(children, normalised(np.zeros(children.shape), children), values, 0, 40, 1.5), 1 - trap if refuted else trap


@claim(ref.puct_search, trap=traps())
def search_sees_through_the_trap(f, trap):
    """相手に勝つ応手のある手は、ネットワークが良いと言っても、40 回の探索で見破られる。どの応手でも相手が悪いなら、その手が最も多く訪問される。
    A move with a reply that wins for the opponent is seen through in 40 simulations, however well the network thinks of it; where no reply helps the opponent, it is visited most."""
    game, good = trap
    visits = np.asarray(f(*game))
    assert_at_most(float(visits[1 - good] + 1), float(visits[good]))


@st.composite
def noisy_games(draw):
    """Complete games of three moves, two or three deep, and noise that outweighs the priors."""
    inner = draw(st.sampled_from([4, 13]))
    children = table([np.ones(3, bool)] * inner)
    priors = np.zeros(children.shape)
    priors[:inner] = normalised(draw(fractions(inner, 3)), children[:inner])
    noise = np.roll([0.9, 0.07, 0.03], draw(st.integers(0, 2)))
    return Game(children, priors, draw(fractions(len(children))), 0, 36, 2.0, noise, 0.9)


@claim(ref.puct_search, game=noisy_games().filter(settled))
def noise_stays_at_the_root(f, game):
    """強いノイズ(ε = 0.9)も、変えるのは根の事前確率だけである。その下の状態の事前確率はそのままで、訪問数はそうした探索のものと一致する。
    Even strong noise (ε = 0.9) changes the priors of the root only: below it every state keeps its own, and the visits are those of such a search."""
    assert_equal(f(*game), searched(game)[0])


def scalable(game):
    return settled(game) and settled(game._replace(values=0.2 * game.values, c_puct=0.2 * game.c_puct))


@claim(ref.puct_search, game=games(simulations=st.integers(5, 30)).filter(scalable), a=st.sampled_from([0.2, 0.5, 2.0, 5.0]))
def search_scales(f, game, a):
    """値をすべて a 倍し、c も a 倍すると、訪問数は変わらない。c は値の尺度に属する。
    Values times a and c times a give the same visits: c belongs to the scale of the values."""
    assert_equal(f(*game._replace(values=a * game.values, c_puct=a * game.c_puct)), f(*game))


@st.composite
def counts(draw):
    """Visits of two to six moves, some of them 0 but not all."""
    K = draw(st.integers(2, 6))
    N = draw(integers(K, low=0, high=60)) * draw(integers(K, low=0, high=1))
    N[draw(st.integers(0, K - 1))] += 1
    return N


temperatures = st.sampled_from([1.0, 0.5, 0.2, 0.25, 2.0, 3.0])
TENFOLD = FORWARD._replace(rtol=1e-6, atol=1e-8)  # a power multiplies the relative error by its exponent


@claim(ref.search_policy, N=counts(), tau=temperatures)
def policy_from_visits(f, N, tau):
    """π は N^(1/τ) を和で割ったもので、τ=1 なら N/ΣN である。訪問のない手の π は、どの τ でも 0 になる。
    π is N^(1/τ) over its sum, N/ΣN for τ = 1, and 0 at every τ for a move without visits."""
    power = np.array([(n / max(N)) ** (1 / tau) if n else 0.0 for n in N])
    assert_close(f(N, tau), power / power.sum(), TENFOLD)
    assert_close(f(N, 1.0), N / N.sum(), TENFOLD)


@claim(ref.search_policy, N=counts(), twice=st.booleans())
def policy_at_zero_temperature(f, N, twice):
    """τ=0 は極限で、訪問数が最大の手(同数なら番号の小さい方)が確率 1 になる。
    τ = 0 is the limit: probability 1 for the most visited move, the first of equals."""
    N = np.append(N, N[::-1]) if twice else N
    best = min(range(len(N)), key=lambda a: (-N[a], a))
    assert_close(f(N, 0.0), (np.arange(len(N)) == best) * 1.0)


@claim(ref.search_policy, N=counts(), tau=temperatures, k=st.integers(2, 100))
def temperature_orders_entropy(f, N, tau, k):
    """τ を上げても、最大の確率は大きくならない。訪問数をすべて k 倍しても π は変わらない。τ = 0.01、訪問数 10⁴ でも、π は有限で和が 1 になる。
    The largest probability does not grow with τ. Multiplying all visits by k changes nothing. At τ = 0.01 with visits of 10⁴, π is finite and sums to 1."""
    pi = np.asarray(f(N, tau))
    assert_at_most(float(np.max(f(N, 2 * tau))), float(pi.max()))
    assert_close(f(k * N, tau), pi, TENFOLD)
    sharp = np.asarray(f(10**4 // max(N) * N, 0.01))
    assert_close(float(sharp.sum()), 1.0, TENFOLD)


@st.composite
def histories(draw):
    """One to eleven boards of 2×2 … 3×4 points, oldest first, and who is to play."""
    T, H, W = draw(st.integers(1, 11)), draw(st.integers(2, 3)), draw(st.integers(2, 4))
    return draw(integers(T, H, W, low=0, high=2)), draw(st.booleans())


@claim(ref.input_planes, h=histories())
def planes_layout(f, h):
    """面 2i と 2i+1 は、i 手前の手番側の石と相手の石である(対局が始まる前は 0)。「手番側」は今の手番の側。最後の面は、黒番ならすべて 1、白番ならすべて 0。使うのは最後の 8 局面だけ。
    Planes 2i and 2i+1 are the own and the opponent's stones i moves ago, 0 before the beginning; "own" is the player to move now. The last plane is all 1 for black to play, all 0 for white. Only the last eight positions count."""
    history, black = h
    expected = np.zeros((17, *history.shape[1:]))
    for at in np.ndindex(expected.shape):
        ago = at[0] // 2
        if at[0] == 16:
            expected[at] = black
        elif ago < len(history):
            wanted = (1 if black else 2) if at[0] % 2 == 0 else (2 if black else 1)
            expected[at] = history[(-1 - ago, *at[1:])] == wanted
    assert_close(f(*h), expected)


@claim(ref.input_planes, h=histories())
def planes_colour_swap(f, h):
    """すべての石の色と手番を入れ替えると、面 0〜15 は変わらず、面 16 だけが反転する。
    Exchanging the colours of all stones and the player to move leaves planes 0–15 and flips plane 16."""
    history, black = h
    there, back = 1.0 * np.asarray(f(*h)), 1.0 * np.asarray(f(np.array([0, 2, 1])[history], not black))
    assert_close(back[:16], there[:16])
    assert_close(back[16], 1.0 - there[16])


class Batch(NamedTuple):
    """The arguments of `zero_loss`, in its order."""

    logits: Array
    v: Array
    pi: Array
    z: Array
    weights: Array
    l2: float = 1e-4

    @property
    def head_of_policy(self):
        """The mean cross-entropy."""
        return float(np.mean([-sum(t * x for t, x in zip(*row)) for row in zip(self.pi, log_softmax(self.logits))]))

    @property
    def head_of_value(self):
        return float(np.mean([(z - v) ** 2 for z, v in zip(self.z, self.v)]))


@st.composite
def batches(draw):
    """One to four positions with two to five moves; one π in three has zeros."""
    n, K = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    pi = np.stack([draw(shares(K, least=int(draw(st.integers(0, 2)) > 0))) for _ in range(n)])
    z = draw(integers(n, low=-1, high=1)) * 1.0
    v, weights = draw(reals(n, low=-1, high=1)), draw(reals(draw(st.integers(1, 4))))
    return Batch(draw(reals(n, K)), v, pi, z, weights, draw(st.sampled_from([1e-4, 0.0, 0.1])))


@claim(ref.zero_loss, b=batches())
def loss_written_out(f, b):
    """損失は、(z−v)² − Σ π log p のバッチ平均に、c·Σθ² を一度だけ足したもの。勾配は (p − π)/N、2(v − z)/N、2cθ である。c を省略すると 10⁻⁴。
    The loss is the mean over the batch of (z−v)² − Σ π log p, plus c·Σθ² once; the gradients are (p − π)/N, 2(v − z)/N and 2cθ. c defaults to 10⁻⁴."""
    n = len(b.z)

    def expected(c):
        loss = b.head_of_value + b.head_of_policy + c * sum(w * w for w in b.weights)
        return float(loss), (softmax(b.logits) - b.pi) / n, 2 * (b.v - b.z) / n, 2 * c * b.weights

    assert_close(f(*b), expected(b.l2))
    assert_close(f(*b[:5]), expected(1e-4))


def directions(b):
    return st.tuples(*(reals(*part.shape, zero=False) for part in (b.logits, b.v, b.weights)))


@claim(ref.zero_loss, b=batches(), along=directions)
def loss_gradients(f, b, along):
    """三つの勾配は、logits、v、θ を任意の方向に少し動かしたときの損失の変化(数値微分)に一致する。
    The three gradients are the numerical derivatives of the loss along any direction in logits, v and θ."""

    def loss(logits, v, weights):
        return ref.zero_loss(logits, v, b.pi, b.z, weights, b.l2)[0]

    point = (b.logits, b.v, b.weights)
    gradients = f(*b)[1:]
    for i, (gradient, direction) in enumerate(zip(gradients, along, strict=True)):
        alone = [d if i == j else 0 * d for j, d in enumerate(along)]
        assert_slope([gradient], [direction], derivative(loss, point, alone))


@claim(ref.zero_loss, b=batches())
def loss_parts(f, b):
    """三つの項は足し合わされる。v=z、c=0 なら交差エントロピーだけが残り、π のエントロピー以上で、logits = log π のとき等しい(勾配は 0)。一様な logits では ln K。v=−z(z=±1)なら価値の項は 4。θ は c·Σθ² を加える。
    Three terms add up. v = z and c = 0 leave the cross-entropy: at least the entropy of π, and equal to it for logits = log π, with gradient 0; ln K for uniform logits. With v = −z (z = ±1) the value term is 4. θ adds c·Σθ²."""
    pi = softmax(b.logits)
    target = b._replace(pi=pi, v=b.z, l2=0.0)
    entropy = float(np.mean(-(pi * log_softmax(b.logits)).sum(axis=1)))
    loss, dlogits, _, _ = f(*target)
    assert_close(loss, entropy)
    assert_close(dlogits, 0 * pi)
    assert_at_most(entropy, f(*target._replace(logits=b.logits[:, ::-1]))[0])
    assert_close(f(*b._replace(v=b.z, l2=0.0, logits=0 * b.logits))[0], float(np.log(pi.shape[1])))
    won = np.where(b.z == 0, 1.0, b.z)
    assert_close(f(*target._replace(z=won, v=-won))[0], entropy + 4)
    assert_close(f(*target._replace(l2=0.1))[0], entropy + 0.1 * float(b.weights @ b.weights))


@claim(ref.zero_loss, b=batches(), shift=st.sampled_from([-800.0, 800.0, 3.0]))
def loss_shift_and_batch(f, b, shift):
    """ある局面の logits すべてに同じ数を足しても、何も変わらない(±800 でも計算できる)。バッチを 2 回繰り返しても損失は同じで、logits の勾配は各行の和が 0 になる。
    Adding one number to all logits of a position changes nothing, ±800 included; a batch repeated twice has the same loss; the gradient of the logits sums to 0 in every row."""
    shifted = b.logits.copy()
    shifted[0] += shift
    assert_close(f(*b._replace(logits=shifted)), f(*b))
    twice = [np.concatenate([part, part]) for part in b[:4]]
    loss, dlogits, _, _ = f(*b)
    assert_close(f(*twice, b.weights, b.l2)[0], loss)
    assert_close(np.sum(dlogits, axis=1), np.zeros(len(b.z)))


@twin(ref_torch.zero_loss_torch, b=batches())
def losses_on_tensors(b):
    return tuple(b)
