"""The laws of word vectors. Ids repeat often, as words do; what a law calls besides its own function is the reference."""

from typing import NamedTuple

import numpy as np
from autograder.properties import (
    SLOPE, Tolerance, alike, assert_close, assert_equal, assert_slope, claim, derivative, integers, reals,
)
from hypothesis import strategies as st

from reference import word2vec as ref
from reference.word2vec import Array, Ids

ZERO = Tolerance(0, 1e-12)


class Lookup(NamedTuple):
    """The arguments of `embedding_backward`, in its order."""

    dout: Array
    ids: Ids
    vocab: int


@st.composite
def lookups(draw, least=1):
    """One axis of ids or two, over a vocabulary so small that some word comes twice."""
    shape = (draw(st.integers(least, 4)), *draw(st.sampled_from([(), (2,), (3,)])))
    D, V = draw(st.integers(1, 3)), draw(st.integers(3, 7))
    return Lookup(draw(reals(*shape, D, zero=False)), draw(integers(*shape, low=0, high=V - 1)), V)


@claim(ref.embedding_backward, look=lookups())
def lookup_is_one_hot_product(f, look):
    """勾配は onehot(ids)ᵀ dout である。同じ ID の行の勾配は足し合わされ、現れない語の行は 0 になる。
    The gradient is onehot(ids)ᵀ dout: gradients of one id add up, and words that do not occur have rows of 0."""
    dE = np.zeros((look.vocab, look.dout.shape[-1]))
    for place, word in np.ndenumerate(look.ids):
        dE[word] += look.dout[place]
    assert_close(f(*look), dE)


@claim(
    ref.embedding_backward,
    look=lookups(least=2),
    cut=lambda look: st.integers(1, len(look.ids) - 1),
    order=lambda look: st.permutations(range(len(look.ids))),
)
def lookup_gradient_is_additive(f, look, cut, order):
    """バッチを二つに分けて求めた勾配の和は、一度に求めた勾配に等しい。ids と dout を一緒に並べ替えても変わらない。
    Splitting a batch in two and adding the gradients gives the gradient of the whole; permuting ids and dout together changes nothing."""
    dout, ids, V = look
    whole = f(dout, ids, V)
    assert_close(f(dout[:cut], ids[:cut], V) + f(dout[cut:], ids[cut:], V), ref.embedding_backward(*look))
    assert_close(f(dout[order], ids[order], V), whole)


sentences = st.lists(st.integers(0, 5), min_size=2, max_size=9)  # no pair at all, in a list, would have lost its axis of two
windows = st.integers(1, 4)


@claim(ref.training_pairs, tokens=sentences, window=windows)
def pairs_are_listed_center_first(f, tokens, window):
    """左から順に各語を中心語とし、前後 window 語以内の語を左から順に並べた(中心語, 文脈語)の一覧である。同じ語でも位置が違えば組になる。
    The list has each word as centre from left to right, and for each the words at most `window` places away, from left to right; equal words at different places do pair."""
    expected = []
    for t, center in enumerate(tokens):
        around = tokens[max(0, t - window) : t] + tokens[t + 1 : t + 1 + window]
        expected += [[center, word] for word in around]
    assert_equal(f(tokens, window), np.array(expected, int).reshape(-1, 2))


@claim(ref.training_pairs, n=st.integers(2, 9), window=windows)
def pair_counts(f, n, window):
    """n 語の文の組の数は、n > w なら 2wn - w(w+1)、n ≤ w+1 なら n(n-1) である。(a, b) と (b, a) は同じ回数だけ現れ、語がすべて異なれば自分自身との組はない。
    n tokens give 2wn - w(w+1) pairs if n > w, n(n-1) if n ≤ w+1; (a, b) occurs as often as (b, a), and distinct words never pair with themselves."""
    pairs = np.asarray(f(list(range(n)), window), int)
    assert_equal(len(pairs), 2 * window * n - window * (window + 1) if n > window else n * (n - 1))
    table = np.zeros((n, n), int)
    np.add.at(table, (pairs[:, 0] % n, pairs[:, 1] % n), 1)
    assert_equal(table, table.T)
    assert_equal(np.diag(table), np.zeros(n, int))


@st.composite
def occurrences(draw, least=0, high=50):
    """Counts of which at least one is not 0."""
    counts = draw(integers(draw(st.integers(2, 8)), low=least, high=high))
    counts[draw(st.integers(0, len(counts) - 1))] = draw(st.integers(1, high))
    return counts


@st.composite
def uneven_occurrences(draw):
    """Counts of very different size, as words have them."""
    sizes = st.sampled_from([0, 1, 4, 9, 30, 100, 900, 10000])
    return np.array([*draw(st.lists(sizes, min_size=1, max_size=7)), draw(st.sampled_from([10, 250, 10000]))])


@claim(ref.subsample_keep_probability, counts=uneven_occurrences(), threshold=st.sampled_from([0.001, 0.01, 0.1, 0.25, 0.5]))
def frequent_words_are_kept_less(f, counts, threshold):
    """残す確率は min(1, √(t / f)) で、f は相対頻度である。f ≤ t の語(一度も現れない語も)は 1、それより多い語は 1/√f に比例して小さくなる。t を省けば 1e-5 である。
    A word is kept with min(1, √(t / f)), f being its relative frequency: 1 up to f = t (also for a word that never occurs), then falling as 1/√f; t is 1e-5 where none is given."""

    def kept(t):
        return np.array([1.0 if n <= t * counts.sum() else (t * counts.sum() / n) ** 0.5 for n in counts])

    assert_close(f(counts, threshold), kept(threshold))
    assert_close(f(counts), kept(1e-5))


powers = st.sampled_from([0.25, 0.5, 0.75, 1.0])


@claim(ref.noise_distribution, counts=occurrences(), power=powers)
def noise_is_a_power_of_the_count(f, counts, power):
    """確率は count^power をその和で割ったもので、回数 0 の語は 0 である。power を省けば 0.75 である。
    The probability is count^power divided by the sum, 0 for a count of 0; the power is 0.75 where none is given."""

    def share(p):
        weights = np.array([float(n) ** p if n else 0.0 for n in counts])
        return weights / weights.sum()

    assert_close(f(counts, power), share(power))
    assert_close(f(counts), share(0.75))


@claim(ref.noise_distribution, counts=occurrences(least=1), power=powers, scale=st.integers(2, 5))
def noise_depends_on_count_ratios_only(f, counts, power, scale):
    """すべての回数を同じ倍率で増やしても分布は変わらない。power = 1 なら相対頻度そのものであり、2 語の確率の比は回数の比の power 乗である。
    Scaling all counts changes nothing; power 1 gives the relative frequencies, and the ratio of two words' probabilities is the ratio of their counts to that power."""
    p = f(counts, power)
    assert_close(f(scale * counts, power), p)
    assert_close(f(counts, 1.0), counts / counts.sum())
    assert_close(p / p[0], (counts / counts[0]) ** power)


class Cbow(NamedTuple):
    """The arguments of `cbow_loss`, in its order."""

    contexts: Ids
    labels: Ids
    W_in: Array
    W_out: Array


@st.composite
def cbows(draw):
    """Windows over a small vocabulary, and both matrices."""
    V, D, N, C = (draw(st.integers(*size)) for size in ((3, 7), (1, 4), (1, 4), (1, 4)))
    ids = draw(integers(N, C + 1, low=0, high=V - 1))
    return Cbow(ids[:, :-1], ids[:, -1], draw(reals(V, D, zero=False)), draw(reals(V, D, zero=False)))


def shift(m):
    """A direction in which to move both matrices."""
    return alike(m.W_in, m.W_out)


@claim(ref.cbow_loss, m=cbows())
def cbow_follows_the_formula(f, m):
    """h = 文脈の W_in の平均、p = softmax(h W_outᵀ) とすると、損失は -log p[中心語] の平均である。e = (p - onehot) / N として、dW_out = Σ e ⊗ h、文脈の各語の dW_in には e W_out / C が足される。
    With h the mean of W_in over the context and p = softmax(h W_outᵀ), the loss is the mean of -log p[centre]; with e = (p - onehot) / N, dW_out = Σ e ⊗ h, and each word of the context adds e W_out / C to dW_in."""
    loss, dW_in, dW_out = 0.0, np.zeros_like(m.W_in), np.zeros_like(m.W_out)
    N, C = m.contexts.shape
    for context, label in zip(m.contexts, m.labels):
        h = sum(m.W_in[word] for word in context) / C
        p = np.exp(m.W_out @ h)
        p /= p.sum()
        loss -= np.log(p[label]) / N
        p[label] -= 1
        dW_out += np.outer(p, h) / N
        for word in context:
            dW_in[word] += p @ m.W_out / (N * C)
    got = f(*m)
    assert_close(got[0], loss)
    assert_close(got[1:], (dW_in, dW_out), SLOPE)


@claim(
    ref.cbow_loss,
    m=cbows(),
    order=lambda m: st.permutations(range(m.contexts.shape[1])),
    column=lambda m: reals(m.W_out.shape[1], zero=False),
)
def cbow_loss_of_ignorance(f, m, order, column):
    """W_out = 0 なら損失は log V である。文脈語を並べ替えても、全体を 2 回繰り返しても、損失と dW_out は変わらない(平均には順序も長さもない)。dW_out の行の和は 0 で、スコアがいくら大きくても損失は正しい。
    With W_out = 0 the loss is log V; permuting the context, or repeating all of it, changes neither loss nor dW_out (a mean knows no order nor length); the rows of dW_out sum to 0, and scores of any size give the right loss."""
    assert_close(f(*m._replace(W_out=0 * m.W_out))[0], np.log(len(m.W_out)))
    loss, _, dW_out = f(*m)
    mixed = f(*m._replace(contexts=m.contexts[:, order]))
    assert_close((mixed[0], mixed[2]), (loss, dW_out))
    twice = f(*m._replace(contexts=np.tile(m.contexts, 2)))
    assert_close((twice[0], twice[2]), (loss, dW_out))
    assert_slope((dW_out,), (np.tile(column, (len(dW_out), 1)),), 0.0)
    s = m.W_in[m.contexts].mean(axis=1) @ (300 * m.W_out).T
    miss = np.logaddexp.reduce(s, axis=1) - s[np.arange(len(s)), m.labels]
    assert_close(f(*m._replace(W_out=300 * m.W_out))[0], miss.mean())


@claim(ref.cbow_loss, m=cbows(), direction=shift)
def cbow_gradients_match_differences(f, m, direction):
    """dW_in と dW_out は、二つの行列をわずかに動かしたときの損失の変化に一致する。
    dW_in and dW_out agree with how the loss changes when both matrices are moved a little."""
    slope = derivative(lambda *both: ref.cbow_loss(m.contexts, m.labels, *both)[0], m[2:], direction)
    assert_slope(f(*m)[1:], direction, slope)


class Pairs(NamedTuple):
    """The arguments of `negative_sampling_loss`, in its order."""

    center: Ids
    context: Ids
    negatives: Ids
    W_in: Array
    W_out: Array


@st.composite
def pair_batches(draw, negatives=(0, 4)):
    """Pairs with their negatives; a word may be context and negative at once."""
    V, D, N, K = (draw(st.integers(*size)) for size in ((3, 7), (1, 4), (1, 4), negatives))
    ids = draw(integers(N, K + 2, low=0, high=V - 1))
    return Pairs(ids[:, 0], ids[:, 1], ids[:, 2:], draw(reals(V, D, zero=False)), draw(reals(V, D, zero=False)))


@claim(ref.negative_sampling_loss, m=pair_batches())
def negative_sampling_follows_the_formula(f, m):
    """損失は、組ごとの -log σ(u_o·v_c) - Σ_k log σ(-u_k·v_c) の平均である(負例については和)。スコアの勾配は正例で (σ - 1) / N、負例で σ / N で、同じ語の寄与は足し合わされる。
    The loss is the mean over the pairs of -log σ(u_o·v_c) - Σ_k log σ(-u_k·v_c), a sum over the negatives; a score's gradient is (σ - 1) / N for the positive, σ / N for a negative, and what one word contributes adds up."""
    loss, dW_in, dW_out = 0.0, np.zeros_like(m.W_in), np.zeros_like(m.W_out)
    N = len(m.center)
    for c, o, noise in zip(m.center, m.context, m.negatives):
        for word, wanted in [(o, 1), *((k, 0) for k in noise)]:
            score = m.W_in[c] @ m.W_out[word]
            loss += np.log1p(np.exp(-score if wanted else score)) / N
            e = (1 / (1 + np.exp(-score)) - wanted) / N
            dW_in[c] += e * m.W_out[word]
            dW_out[word] += e * m.W_in[c]
    got = f(*m)
    assert_close(got[0], loss)
    assert_close(got[1:], (dW_in, dW_out), SLOPE)


@claim(ref.negative_sampling_loss, m=pair_batches(negatives=(1, 3)))
def negative_sampling_swaps_signs(f, m):
    """W_in = 0 なら損失は (1 + K) log 2 である。負例が一つなら、文脈語と負例を入れ替えて W_in の符号を変えても損失は同じである。スコアが ±800 でも、間違いには 800、正解には 0 の損失がつく。
    With W_in = 0 the loss is (1 + K) log 2; with one negative, exchanging context and negative and negating W_in leaves the loss; scores of ±800 cost 800 where wrong and 0 where right."""
    K = m.negatives.shape[1]
    assert_close(f(*m._replace(W_in=0 * m.W_in))[0], (1 + K) * np.log(2))
    one = m._replace(negatives=m.negatives[:, :1])
    other = one._replace(context=one.negatives[:, 0], negatives=one.context[:, None], W_in=-one.W_in)
    assert_close(f(*other)[0], ref.negative_sampling_loss(*one)[0])
    V = len(m.W_in)
    high = m._replace(W_in=np.full((V, 1), 800.0), W_out=np.ones((V, 1)))
    assert_close(f(*high)[0], 800.0 * K)
    assert_close(f(*high._replace(W_in=-high.W_in))[0], 800.0)


@claim(ref.negative_sampling_loss, m=pair_batches(), direction=shift)
def negative_sampling_gradients_match_differences(f, m, direction):
    """dW_in と dW_out は、二つの行列をわずかに動かしたときの損失の変化に一致する。
    dW_in and dW_out agree with how the loss changes when both matrices are moved a little."""
    slope = derivative(lambda *both: ref.negative_sampling_loss(*m[:3], *both)[0], m[3:], direction)
    assert_slope(f(*m)[1:], direction, slope)


@claim(ref.negative_sampling_loss, m=pair_batches())
def negative_sampling_touches_few_rows(f, m):
    """dW_in は中心語の行、dW_out は文脈語と負例の行のほかでは 0 である。損失は内積だけで決まるので、Σ W_in·dW_in = Σ W_out·dW_out が成り立つ。
    dW_in is 0 except in rows of centres, dW_out except in rows of contexts and negatives; as the loss sees inner products only, Σ W_in·dW_in = Σ W_out·dW_out."""
    _, dW_in, dW_out = f(*m)
    words = np.arange(len(m.W_in))
    idle_in = ~np.isin(words, m.center)[:, None]
    idle_out = ~np.isin(words, np.append(m.negatives, m.context))[:, None]
    assert_close((dW_in * idle_in, dW_out * idle_out), (0 * m.W_in, 0 * m.W_out), ZERO)
    assert_slope((dW_in, dW_out), (m.W_in, -m.W_out), 0.0)


class Path(NamedTuple):
    """The arguments of `hierarchical_log_prob`, in its order."""

    h: Array
    nodes: Ids
    code: Ids
    theta: Array


@st.composite
def paths(draw):
    """Any nodes in any order; the path may be empty."""
    inner, D, L = draw(st.integers(1, 8)), draw(st.integers(1, 4)), draw(st.integers(0, 5))
    nodes, code = draw(integers(L, low=0, high=inner - 1)), draw(integers(L, low=0, high=1))
    return Path(draw(reals(D, zero=False)), nodes, code, draw(reals(inner, D, zero=False)))


@claim(ref.hierarchical_log_prob, p=paths())
def path_probability_is_a_product(f, p):
    """log p は、経路の各節点で符号 0 なら log σ(θ·h)、符号 1 なら log σ(-θ·h) を足したものである。空の経路は 0 で、θ·h = ±800 でも有限である。
    log p adds up, along the path, log σ(θ·h) for code 0 and log σ(-θ·h) for code 1; an empty path gives 0, and θ·h = ±800 a finite number."""
    scores = [p.theta[node] @ p.h * (1 if bit == 0 else -1) for node, bit in zip(p.nodes, p.code)]
    assert_close(f(*p), -float(sum(np.log1p(np.exp(-s)) for s in scores)))
    steep = p._replace(h=np.eye(len(p.h))[0], theta=np.full_like(p.theta, 800))
    assert_close(f(*steep), -800.0 * p.code.sum())
    assert_close(f(*steep._replace(code=1 - p.code)), -800.0 * (1 - p.code).sum())


def leaves(words, first=0):
    """Paths to the words of a balanced tree whose inner nodes are numbered from `first` on: (nodes, code) each."""
    if words == 1:
        return [((), ())]
    left = words - words // 2
    sides = leaves(left, first + 1), leaves(words - left, first + left)
    return [((first, *nodes), (bit, *code)) for bit, side in enumerate(sides) for nodes, code in side]


@st.composite
def trees(draw):
    """A hidden vector and the inner nodes of a tree of 2 to 9 words."""
    D = draw(st.integers(1, 4))
    return draw(reals(D, zero=False)), draw(reals(draw(st.integers(1, 8)), D, zero=False))


@claim(ref.hierarchical_log_prob, tree=trees(), word=st.integers(0, 8))
def tree_probabilities_sum_to_one(f, tree, word):
    """二分木のすべての語の確率の和は 1 である。最後の符号を反転した相手との確率の和は、親までの経路の確率に等しい。θ = 0 なら log p は -(経路の長さ) log 2 である。
    Over all words of a binary tree the probabilities sum to 1; a word and its sibling by the last bit share the probability of their parent; with θ = 0, log p is -(length of the path) log 2."""
    h, theta = tree
    found = [(np.array(nodes), np.array(code)) for nodes, code in leaves(len(theta) + 1)]
    assert_close(sum(np.exp(f(h, nodes, code, theta)) for nodes, code in found), 1.0)
    nodes, code = found[word % len(found)]
    sibling = np.append(code[:-1], 1 - code[-1])
    parent = float(np.exp(ref.hierarchical_log_prob(h, nodes[:-1], code[:-1], theta)))
    assert_close(np.exp(f(h, nodes, code, theta)) + np.exp(f(h, nodes, sibling, theta)), parent)
    assert_close(f(h, nodes, code, 0 * theta), -len(nodes) * np.log(2))


def halves(*shape):
    """Vectors no shorter than 1/2, unless they are 0."""
    return reals(*shape).map(lambda a: 2 * a)


@st.composite
def directions(draw):
    """Two vectors, two tables of rows, or rows against one vector."""
    D, n = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    shapes = draw(st.sampled_from([((D,), (D,)), ((n, D), (n, D)), ((n, D), (D,))]))
    return tuple(draw(halves(*shape)) for shape in shapes)


def angle(a, b):
    """The cosine of two vectors of numbers."""
    lengths = float(sum(x * x for x in a)) ** 0.5 * float(sum(y * y for y in b)) ** 0.5
    return float(sum(x * y for x, y in zip(a, b))) / lengths if lengths else 0.0


@claim(ref.cosine_similarity, ab=directions())
def cosine_is_the_angle(f, ab):
    """最後の軸について a·b / (‖a‖‖b‖) であり、零ベクトルとの類似度は 0 である。
    Along the last axis it is a·b / (‖a‖‖b‖), and 0 where a vector is 0."""
    a, b = ab
    if a.ndim == 1:
        assert_close(f(a, b), angle(a, b))
    else:
        rows = np.broadcast_to(b, a.shape)
        assert_close(f(a, b), np.array([angle(x, y) for x, y in zip(a, rows)]))
    assert_close(f(0 * a, b), np.zeros(a.shape[:-1]))


@claim(ref.cosine_similarity, ab=directions(), scale=st.sampled_from([0.5, 2.0, 3.0]))
def cosine_ignores_length(f, ab, scale):
    """ベクトルを正の数で何倍しても類似度は変わらず、負の数で掛けると符号だけが変わる。零でないベクトルと自分自身の類似度は 1 である。
    Scaling a vector by a positive number changes nothing, and negating it changes the sign only; a vector that is not 0 has similarity 1 with itself."""
    a, b = ab
    same = f(a, b)
    assert_close(f(scale * a, b), same)
    assert_close(f(a, -scale * b), -same)
    assert_close(f(a, a), np.any(a, axis=-1) * 1.0)


class Analogy(NamedTuple):
    """The arguments of `solve_analogy`, in its order."""

    E: Array
    a: int
    b: int
    c: int


def ranking(q):
    """The words but a, b and c with their cosines, best first."""
    units = [row / float(row @ row) ** 0.5 for row in q.E]
    query = units[q.b] - units[q.a] + units[q.c]
    others = [(angle(unit, query), d) for d, unit in enumerate(units) if d not in (q.a, q.b, q.c)]
    return sorted(others, reverse=True)


@st.composite
def analogies(draw):
    """Three distinct words among vectors of very unequal length; four answers at least are left."""
    V, D = draw(st.integers(7, 8)), draw(st.integers(3, 6))
    E = draw(reals(V, D, zero=False)) * 2.0 ** draw(integers(V, 1, low=0, high=5))
    a, b, c = draw(st.permutations(range(V)))[:3]
    return Analogy(E, a, b, c)


def is_clear(q):
    """The best leads the second by more than rounding can undo."""
    (best, _), (second, _) = ranking(q)[:2]
    return best - second > 1e-3


@claim(ref.solve_analogy, q=analogies().filter(is_clear))
def analogy_is_the_nearest_other_word(f, q):
    """答えは、長さを 1 に揃えたベクトルで b - a + c とのコサイン類似度が最大になる、a, b, c 以外の語である。
    The answer is the word, other than a, b and c, whose cosine to b - a + c of unit vectors is largest."""
    assert_equal(f(*q), ranking(q)[0][1])
