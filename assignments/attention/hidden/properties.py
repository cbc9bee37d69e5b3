"""The laws of attention. What a later function rests on (weights, heads) comes from the reference."""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    GRADIENT, Tolerance, alike, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, integers,
    reals, shaped, twin,
)
from hypothesis import strategies as st

from reference import attention as ref
from reference import attention_torch as ref_torch
from reference.attention import Array, Mask

ZERO = Tolerance(0, 1e-12)

leads = st.lists(st.integers(1, 3), max_size=2)
small = st.integers(1, 3)
several = st.sampled_from([1, 2, 3, 3, 4, 4])  # keys: most masks need a few to matter
gentle = partial(reals, low=-1, high=1)


@st.composite
def masks(draw, *shape):
    """Booleans that broadcast to the shape, two of three True; where there are several rows, one is often all False."""
    thin = [1 if draw(st.sampled_from([False, False, False, True])) else n for n in shape]
    mask = draw(integers(*thin[draw(st.integers(0, len(shape) - 1)) :], low=0, high=5)) < 4
    rows = mask.reshape(-1, mask.shape[-1])
    if len(rows) > 1 and draw(st.booleans()):
        rows[draw(st.integers(0, len(rows) - 1))] = False
    return mask


def perhaps(made):
    """No mask in a third of the cases."""
    return lambda *shape: st.none() | made(*shape) | made(*shape)


some_masks = perhaps(masks)


@st.composite
def whole_masks(draw, *shape):
    """The same in full, for laws that rearrange it."""
    return np.broadcast_to(draw(masks(*shape)), shape).copy()


@st.composite
def holed_masks(draw, *shape):
    """The same, with an empty row for certain."""
    mask = draw(whole_masks(*shape))
    mask[..., draw(st.integers(0, shape[-2] - 1)), :] = False
    return mask


def keeping(mask, shape):
    """The mask in full; None hides nothing."""
    return np.broadcast_to(True if mask is None else mask, shape)


def weights_by_deletion(scores, keep):
    """Row by row, a softmax over the scores that are kept; 0 elsewhere."""
    weights = np.zeros(scores.shape)
    for row in np.ndindex(*scores.shape[:-1]):
        e = np.exp(scores[row][keep[row]])
        weights[row][keep[row]] = e / e.sum()
    return weights


class Pair(NamedTuple):
    """The arrays of `dot_scores`, in its order."""

    q: Array
    k: Array


@st.composite
def pairs(draw):
    """A few queries and keys, under up to two leading axes."""
    lead, D = draw(leads), draw(st.integers(1, 5))
    return Pair(draw(reals(*lead, draw(small), D)), draw(reals(*lead, draw(st.integers(1, 4)), D)))


@claim(ref.dot_scores, pair=pairs(), scaled=st.booleans())
def dot_scores_are_inner_products_over_root_d(f, pair, scaled):
    """要素 (i, j) は内積 Σ_d q_i[d] k_j[d] で、scaled なら(既定)√D で割る。D は q の幅である。
    Entry (i, j) is the inner product Σ_d q_i[d] k_j[d], divided by √D when scaled (the default); D is the width of q."""
    q, k = pair
    scores = np.empty((*q.shape[:-1], k.shape[-2]))
    for *lead, i, j in np.ndindex(*scores.shape):
        scores[(*lead, i, j)] = sum(a * b for a, b in zip(q[(*lead, i)], k[(*lead, j)]))
    root = q.shape[-1] ** 0.5
    assert_close(f(q, k, scaled), scores / root if scaled else scores)
    assert_close(f(q, k), scores / root)


@claim(ref.dot_scores, pair=pairs(), m=st.integers(2, 4))
def scaling_keeps_the_variance(f, pair, m):
    """各特徴を m 回ずつ並べると、内積は m 倍になるが、√D で割ったスコアは √m 倍にしかならない。√D 倍すれば元の内積に戻る。
    Repeating every feature m times makes inner products m times as large, but scores over √D only √m times; times √D these are the inner products."""
    longer = Pair(*(np.repeat(x, m, axis=-1) for x in pair))
    assert_close(f(*longer, False), m * f(*pair, False))
    assert_close(f(*longer, True), m**0.5 * f(*pair, True))
    assert_close(f(*pair, True) * pair.q.shape[-1] ** 0.5, f(*pair, False))


class Additive(NamedTuple):
    """The arguments of `additive_scores`, in its order."""

    q: Array
    k: Array
    Wq: Array
    Wk: Array
    v: Array

    @property
    def hidden(self) -> Array:
        """What stands inside the tanh, (N, Tq, Tk, H)."""
        return np.array([[[i @ self.Wq + j @ self.Wk for j in k] for i in q] for q, k in zip(self.q, self.k)])


additives = shaped(
    Additive, {"Tk": (1, 4), "Dq": (1, 4), "Dk": (1, 4), "H": (1, 4)}, q="N Tq Dq", k="N Tk Dk", Wq="Dq H", Wk="Dk H", v="H"
)


@claim(ref.additive_scores, net=additives)
def additive_scores_follow_the_formula(f, net):
    """要素 (n, i, j) は Σ_h v_h tanh(q_i·Wq[:, h] + k_j·Wk[:, h]) である。バイアスも √ もない。
    Entry (n, i, j) is Σ_h v_h tanh(q_i·Wq[:, h] + k_j·Wk[:, h]), with no bias and no root."""
    assert_close(f(*net), np.sum(net.v * np.tanh(net.hidden), axis=-1))


@claim(ref.additive_scores, net=additives, other=lambda net: reals(len(net.v)), a=st.integers(-3, 3))
def additive_scores_laws(f, net, other, a):
    """q と k の符号を変えるとスコアの符号も変わり、v について線形で、大きさは Σ|v| 以下、q と k の役割を交換すると転置になる。
    Negating q and k negates the scores; they are linear in v, at most Σ|v| in size, and transposed when q and k exchange their parts."""
    scores = f(*net)
    assert_close(f(*net._replace(q=-net.q, k=-net.k)), -scores)
    assert_close(f(*net._replace(v=a * net.v + other)), a * scores + f(*net._replace(v=other)))
    assert_at_most(np.abs(scores), float(np.abs(net.v).sum()))
    assert_close(f(net.k, net.q, net.Wk, net.Wq, net.v), np.swapaxes(scores, 1, 2))


@claim(ref.additive_scores, net=additives)
def additive_scores_saturate(f, net):
    """Wq と Wk を 100 万倍すると tanh は符号だけになり、スコアは Σ_h v_h sign(q_i·Wq[:, h] + k_j·Wk[:, h]) になる。
    With Wq and Wk a million times as large the tanh is a sign: the scores are Σ_h v_h sign(q_i·Wq[:, h] + k_j·Wk[:, h])."""
    assert_close(f(*net._replace(Wq=1e6 * net.Wq, Wk=1e6 * net.Wk)), np.sign(net.hidden) @ net.v, Tolerance(0, 1e-6))


class Scores(NamedTuple):
    """The arguments of `masked_softmax`, in its order."""

    scores: Array
    mask: Mask | None


@st.composite
def masked_scores(draw, mask=some_masks):
    """Scores in quarters, so that whole numbers are added to them without an error, in float32 too."""
    shape = *draw(leads), draw(small), draw(several)
    return Scores(draw(reals(*shape, low=-4, high=4)), draw(mask(*shape)))


def row_shifts(s):
    """A whole number for each row, up to ±2000."""
    return integers(*s.scores.shape[:-1], 1, low=-125, high=125).map(lambda drawn: 16.0 * drawn)


@claim(ref.masked_softmax, s=masked_scores(masks), shift=row_shifts)
def weights_form_a_distribution(f, s, shift):
    """重みは 0 以上で、隠した key では 0、見てよい key のある行の和は 1、ない行は 0 である。行全体に同じ数(±2000 まで)を足しても変わらない。
    Weights are at least 0, 0 at hidden keys, and sum to 1 in a row with a key to see, to 0 in one without; adding one number (up to ±2000) to a whole row changes nothing."""
    weights, keep = f(*s), keeping(s.mask, s.scores.shape)
    assert_at_most(-weights, 0.0)
    assert_close(weights[~keep], 0, ZERO)
    assert_close(weights.sum(axis=-1), keep.any(axis=-1) * 1.0)
    assert_close(f(s.scores + shift, s.mask), weights)


@claim(ref.masked_softmax, s=masked_scores(), junk=lambda s: integers(*s.scores.shape, low=-1, high=1))
def masking_is_deleting(f, s, junk):
    """各行の重みは、隠したスコアを取り除いた残りだけの softmax である。隠した位置のスコアがいくつでも(±1000 でも)変わらない。
    The weights of a row are a softmax over what is left when hidden scores are deleted; whatever stands at a hidden place (±1000) does not matter."""
    keep = keeping(s.mask, s.scores.shape)
    weights = weights_by_deletion(s.scores, keep)
    assert_close(f(*s), weights)
    assert_close(f(np.where(keep, s.scores, 1000.0 * junk), s.mask), weights)


@claim(ref.masked_softmax, s=masked_scores())
def no_mask_hides_nothing(f, s):
    """mask を渡さなければ、None でも、すべて True でも、普通の softmax である。どの key の重みも 0 でない。
    Without a mask, with None and with a mask of True alone it is the ordinary softmax: every key has its weight."""
    plain = weights_by_deletion(s.scores, np.ones(s.scores.shape, bool))
    assert_close((f(s.scores), f(s.scores, None), f(s.scores, np.ones(s.scores.shape, bool))), (plain, plain, plain))


class Batch(NamedTuple):
    """A padded batch of keys and values, and its true lengths."""

    k: Array
    v: Array
    lengths: Array

    @property
    def T(self) -> int:
        return self.k.shape[1]


@st.composite
def batches(draw):
    """Up to three sentences of up to six words; some have none."""
    N, T = draw(small), draw(st.integers(1, 6))
    return Batch(draw(reals(N, T, 2)), draw(reals(N, T, 2)), draw(integers(N, low=0, high=T)))


@claim(ref.padding_mask, batch=batches())
def padding_mask_counts(f, batch):
    """要素 (n, 0, t) は、t < lengths[n] のときだけ True である(t は 0 から数える)。
    Entry (n, 0, t) is True exactly where t < lengths[n], t counted from 0."""
    seen = [[[t < n for t in range(batch.T)]] for n in batch.lengths.tolist()]
    assert_equal(f(batch.lengths, batch.T), np.array(seen))


@claim(ref.padding_mask, batch=batches(), q=lambda batch: reals(len(batch.k), 2, 2))
def padding_never_reaches_the_context(f, batch, q):
    """このマスクを付けた attention の context は、パディングを切り落とした文を一つずつ渡したときと同じである(長さ 0 なら 0)。
    With this mask the context of a padded batch is that of each sentence alone, its padding cut off (0 for length 0)."""
    context, _ = ref.attention(q, batch.k, batch.v, np.asarray(f(batch.lengths, batch.T)).astype(bool))
    alone = [
        ref.attention(q_n, k[:length], v[:length])[0] if length else np.zeros((2, 2))
        for q_n, k, v, length in zip(q, *batch)
    ]
    assert_close(context, np.stack(alone))


class Lookup(NamedTuple):
    """The arguments of `attention`, in its order."""

    q: Array
    k: Array
    v: Array
    mask: Mask | None

    @property
    def keep(self) -> Mask:
        return keeping(self.mask, (*self.q.shape[:-1], self.k.shape[-2]))


@st.composite
def lookups(draw, mask=some_masks, numbers=reals):
    """Queries, keys and values; a value is as wide as a key in about half of the cases."""
    lead, Tq, Tk, D = draw(leads), draw(small), draw(several), draw(st.integers(1, 5))
    q, k, v = (draw(numbers(*lead, T, width)) for T, width in ((Tq, D), (Tk, D), (Tk, draw(st.just(D) | small))))
    return Lookup(q, k, v, draw(mask(*lead, Tq, Tk)))


def weights_of(look):
    """The weights, by the formula."""
    scores = np.sum(look.q[..., :, None, :] * look.k[..., None, :, :], axis=-1) / look.q.shape[-1] ** 0.5
    return weights_by_deletion(scores, look.keep)


def sums(weights, x):
    """Σ_j weights[…, i, j] x[…, j, :]."""
    return np.sum(weights[..., None] * x[..., None, :, :], axis=-2)


@claim(ref.attention, look=lookups())
def attention_follows_the_formula(f, look):
    """重みは q·k/√D を見てよい key だけで softmax したもの、context は Σ_j a_ij v_j である。見てよい key のない行はどちらも 0 である。
    The weights are a softmax of q·k/√D over the keys that may be seen, the context is Σ_j a_ij v_j; both are 0 in a row with no such key."""
    weights = weights_of(look)
    assert_close(f(*look), (sums(weights, look.v), weights))


@claim(ref.attention, look=lookups(), other=lambda look: reals(*look.v.shape), c=st.integers(-4, 4))
def context_is_a_weighted_mean(f, look, other, c):
    """context は返した重みによる value の平均で、見てよい value の最小と最大の間にあり、value がすべて c なら c である。重みは value によらない。
    The context is the mean of the values under the returned weights, between the least and greatest value that may be seen, c where all are c; the weights do not depend on values."""
    context, weights = f(*look)
    assert_close(context, sums(weights, look.v))
    some, shown = look.keep.any(axis=-1), look.keep[..., None]
    v = look.v[..., None, :, :]
    assert_at_most(context[some], np.where(shown, v, -np.inf).max(axis=-2)[some])
    assert_at_most(-context[some], -np.where(shown, v, np.inf).min(axis=-2)[some])
    constant, _ = f(*look._replace(v=np.full_like(look.v, c)))
    assert_close(constant[some], np.full_like(context, c)[some])
    assert_close(f(*look._replace(v=other))[1], weights)


def orders(axis):
    """Permutations of the queries or of the keys."""
    return lambda look: st.permutations(range(look.keep.shape[axis]))


@claim(
    ref.attention, look=lookups(perhaps(whole_masks)), keys=orders(-1), queries=orders(-2)
)
def keys_are_a_set(f, look, keys, queries):
    """key と value の組(とマスクの列)を並べ替えても context は同じで、重みは同じ順に並ぶ。query を並べ替えると結果の行が並び替わる。attention は順序を知らない。
    Permuting the pairs of key and value (and the mask's columns) leaves the context and permutes the weights; permuting queries permutes rows: attention knows no order."""
    context, weights = f(*look)
    q, k, v, mask = look
    by_key = f(q, k[..., keys, :], v[..., keys, :], None if mask is None else mask[..., keys])
    assert_close(by_key, (context, weights[..., keys]))
    by_query = f(q[..., queries, :], k, v, None if mask is None else mask[..., queries, :])
    assert_close(by_query, (context[..., queries, :], weights[..., queries, :]))


@claim(
    ref.attention, look=lookups(whole_masks), j=lambda look: st.integers(0, look.k.shape[-2] - 1),
    other=lambda look: alike(look.k, look.v),
)
def masked_keys_have_no_influence(f, look, j, other):
    """どの query からも隠した key は、key と value を何に替えても、context と重みを変えない。
    A key hidden from every query changes neither context nor weights, whatever its key and value are."""
    this = np.arange(look.k.shape[-2]) == j
    hidden = look._replace(mask=look.mask & ~this)
    k, v = (np.where(this[:, None], new, old) for new, old in zip(other, (look.k, look.v)))
    assert_close(f(*hidden._replace(k=k, v=v)), f(*hidden), ZERO)


@st.composite
def dictionaries(draw):
    """As many orthonormal keys as they are wide, and their values."""
    D = draw(st.integers(2, 4))
    return np.linalg.qr(draw(reals(D, D)) + 5 * np.eye(D))[0], draw(reals(D, draw(small)))


@claim(ref.attention, pages=dictionaries(), mask=lambda pages: whole_masks(1, len(pages[0])))
def soft_dictionary_limits(f, pages, mask):
    """q = 0 なら context は見てよい value の平均である。正規直交な key に q = 10000·k_j で問えば v_j が返る(辞書は鋭いスコアの極限)。
    With q = 0 the context is the mean of the values that may be seen; with orthonormal keys q = 10000·k_j fetches v_j (a dictionary is the limit of sharp scores)."""
    k, v = pages
    mean = mask @ v / max(mask.sum(), 1)
    assert_close(f(np.zeros((1, len(k))), k, v, mask)[0], mean)
    assert_close(f(1e4 * k, k, v), (v, np.eye(len(k))))


@claim(ref.attention, look=shaped(partial(Lookup, mask=None), {"T": (2, 2), "D": (1, 5)}, q="N Tq D", k="N T D", v="N T E"))
def two_keys_share_by_a_sigmoid(f, look):
    """key が二つなら、一つ目の重みは 1/(1 + exp(-(q·k_1 - q·k_2)/√D)) で、二つ目が残りを取る。
    Of two keys the first has the weight 1/(1 + exp(-(q·k_1 - q·k_2)/√D)), and the second the rest."""
    q, k, *_ = look
    gap = np.sum(q * (k[:, :1] - k[:, 1:]), axis=-1) / q.shape[-1] ** 0.5
    first = 1 / (1 + np.exp(-gap))
    assert_close(f(*look)[1], np.stack([first, 1 - first], axis=-1))


def errors(look):
    """What the loss sends back to each context."""
    return reals(*look.q.shape[:-1], look.v.shape[-1])


gentle_lookups = lookups(numbers=partial(reals, low=-1.5, high=1.5))


@claim(ref.attention_backward, look=lookups(), dcontext=errors)
def gradient_follows_the_jacobian(f, look, dcontext):
    """各行の softmax のヤコビ行列 diag(a) - a aᵀ で dS を作ると、dq = dS k/√D, dk = dSᵀ q/√D, dv = Aᵀ dC である。空の行の dq は 0 である。
    With dS made row by row from the softmax's Jacobian diag(a) - a aᵀ: dq = dS k/√D, dk = dSᵀ q/√D, dv = Aᵀ dC; an empty row has dq = 0."""
    q, k, v, _ = look
    weights, root = weights_of(look), q.shape[-1] ** 0.5
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for *lead, i in np.ndindex(*q.shape[:-1]):
        at, row = tuple(lead), (*lead, i)
        a = weights[row]
        ds = (np.diag(a) - np.outer(a, a)) @ (v[at] @ dcontext[row]) / root
        dq[row] = ds @ k[at]
        dk[at] += np.outer(ds, q[row])
        dv[at] += np.outer(a, dcontext[row])
    assert_close(f(dcontext, *look), (dq, dk, dv), GRADIENT)


@claim(ref.attention_backward, look=gentle_lookups, dcontext=errors, direction=lambda look: alike(look.q, look.k, look.v))
def gradient_matches_differences(f, look, dcontext, direction):
    """三つの勾配と任意の方向との内積は、その方向への Σ dcontext·context の差分商に等しい。
    The inner product of the three gradients with a direction is the slope of Σ dcontext·context along it."""
    slope = derivative(lambda *qkv: np.sum(dcontext * ref.attention(*qkv, look.mask)[0]), look[:3], direction)
    assert_slope(f(dcontext, *look), direction, slope)


@claim(ref.attention_backward, look=lookups(), dcontext=errors, c=st.integers(-4, 4))
def gradient_conservation(f, look, dcontext, c):
    """dk は key について足すと 0、dv は足すと(空の行を除く)dcontext の和になる。誰も見ない key の dk, dv は 0 で、value がすべて同じなら dq = dk = 0 である。
    dk sums to 0 over the keys, dv to the sum of dcontext (without empty rows); dk and dv are 0 at a key that nobody sees, and dq = dk = 0 where all values are the same."""
    _, dk, dv = f(dcontext, *look)
    assert_close(dk.sum(axis=-2), 0)
    assert_close(dv.sum(axis=-2), np.sum(dcontext * look.keep.any(axis=-1, keepdims=True), axis=-2))
    unseen = ~look.keep.any(axis=-2)
    assert_close(dk[unseen], 0, ZERO)
    assert_close(dv[unseen], 0, ZERO)
    dq, dk, _ = f(dcontext, *look._replace(v=np.full_like(look.v, c)))
    assert_close(dq, 0)
    assert_close(dk, 0)


class Heads(NamedTuple):
    """The arguments of `multi_head_attention`, in its order."""

    x_q: Array
    x_kv: Array
    Wq: Array
    Wk: Array
    Wv: Array
    Wo: Array
    heads: int
    mask: Mask | None

    @property
    def blocks(self) -> list[slice]:
        """The columns of each head."""
        d = len(self.Wq) // self.heads
        return [slice(i * d, (i + 1) * d) for i in range(self.heads)]


@st.composite
def layers(draw, heads=(1, 2, 2, 3)):
    """A small layer, with self-attention's sizes or a source of another length; empty rows in some."""
    h = draw(st.sampled_from(heads))
    D, N, Tq, Tk = h * draw(st.integers(1, 6 // h if h > 1 else 3)), draw(st.integers(1, 2)), draw(small), draw(several)
    x_q, x_kv, *W = (draw(gentle(*shape)) for shape in ((N, Tq, D), (N, Tk, D), *[(D, D)] * 4))
    return Heads(x_q, x_kv, *W, h, draw(some_masks(N, Tq, Tk)))


@claim(ref.multi_head_attention, layer=layers())
def heads_are_contiguous_columns(f, layer):
    """head i は x_q Wq, x_kv Wk, x_kv Wv の連続した D/heads 列だけの attention で、out は Σ_i head_i Wo[i の行]、weights[:, i] はその head の重みである。
    Head i is the attention of one block of D/heads neighbouring columns of x_q Wq, x_kv Wk, x_kv Wv; out is Σ_i head_i Wo[rows of i], and weights[:, i] are its own."""
    q, k, v = layer.x_q @ layer.Wq, layer.x_kv @ layer.Wk, layer.x_kv @ layer.Wv
    context, weights = zip(*(ref.attention(q[..., c], k[..., c], v[..., c], layer.mask) for c in layer.blocks))
    out = sum(head @ layer.Wo[c] for head, c in zip(context, layer.blocks))
    assert_close(f(*layer), (out, np.stack(weights, axis=1)))


@claim(ref.multi_head_attention, layer=layers(heads=(1,)))
def one_identity_head_is_plain_attention(f, layer):
    """head が一つで四つの行列がすべて単位行列なら、attention(x_q, x_kv, x_kv, mask) そのものである。
    One head with four identity matrices is attention(x_q, x_kv, x_kv, mask) itself."""
    eye = np.eye(len(layer.Wq))
    context, weights = ref.attention(layer.x_q, layer.x_kv, layer.x_kv, layer.mask)
    assert_close(f(*layer._replace(Wq=eye, Wk=eye, Wv=eye, Wo=eye)), (context, weights[:, None]))


@claim(
    ref.multi_head_attention, layer=layers(heads=(2, 3)), order=lambda layer: st.permutations(range(layer.heads)),
    other=lambda layer: alike(layer.Wo), a=st.integers(-3, 3),
)
def heads_may_be_renamed(f, layer, order, other, a):
    """Wq, Wk, Wv の列と Wo の行を head ごとに並べ替えても out は同じで、重みだけが並び替わる。out は Wo について線形である。
    Permuting the heads' columns of Wq, Wk, Wv and rows of Wo leaves out and permutes the weights; out is linear in Wo."""
    out, weights = f(*layer)
    at = np.concatenate([np.arange(len(layer.Wq))[layer.blocks[i]] for i in order])
    renamed = layer._replace(Wq=layer.Wq[:, at], Wk=layer.Wk[:, at], Wv=layer.Wv[:, at], Wo=layer.Wo[at])
    assert_close(f(*renamed), (out, weights[:, order]))
    (other,) = other
    assert_close(f(*layer._replace(Wo=a * layer.Wo + other))[0], a * out + f(*layer._replace(Wo=other))[0])


@twin(
    ref_torch.attention_torch,
    look=lookups(lambda *shape: some_masks(*shape) | holed_masks(*shape), partial(reals, low=-1.5, high=1.5)),
)
def attention_on_tensors(look):
    return look


@twin(ref_torch.multi_head_attention_torch, layer=layers())
def heads_on_tensors(layer):
    return layer
