"""The laws of the Transformer. Blocks are held against ones written out head by head; what else they need is the reference's."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    Tolerance, alike, assert_at_most, assert_close, assert_equal, claim, integers, reals, shaped, twin,
)
from hypothesis import strategies as st

from reference import transformer as ref
from reference import transformer_torch as ref_torch
from reference.attention import multi_head_attention
from reference.transformer import Array, Mask

UNTOUCHED = Tolerance(0, 1e-12)
LEAST_VARIANCE = 0.05  # of what enters a norm: below it float32 loses the digits, not the trainee

gentle = partial(reals, low=-1, high=1)
scales = partial(reals, low=-1.5, high=1.5, zero=False)
norms = st.sampled_from(["post", "pre"])


def angles(T, d):
    """pos / 10000^(2i/d), one column for each pair."""
    return np.array([[pos / 10000 ** (2 * i / d) for i in range(d // 2)] for pos in range(T)])


@claim(ref.positional_encoding, T=st.integers(1, 40), half=st.integers(1, 8))
def pe_follows_the_formula(f, T, half):
    """位置 pos、列 j の要素は、角 pos/10000^(2⌊j/2⌋/d) の、j が偶数なら sin、奇数なら cos である。位置は 0 から数える。
    Entry (pos, j) is the sine (even j) or the cosine (odd j) of the angle pos/10000^(2⌊j/2⌋/d), positions counted from 0."""
    d, angle = 2 * half, angles(T, 2 * half)
    rows = [[(np.cos if j % 2 else np.sin)(angle[pos, j // 2]) for j in range(d)] for pos in range(T)]
    assert_close(f(T, d), np.array(rows))


@claim(ref.positional_encoding, T=st.integers(1, 40), half=st.integers(1, 6), more=st.integers(1, 8))
def pe_pairs_lie_on_circles(f, T, half, more):
    """列 2i と 2i+1 の二乗の和は 1 である。位置 0 の行は 0, 1, 0, 1, … で、T を増やしても前の行は変わらない。
    Columns 2i and 2i+1 have squares that sum to 1; row 0 is 0, 1, 0, 1, …; with a larger T the rows before stay as they were."""
    pe = np.asarray(f(T, 2 * half))
    assert_close(pe[:, 0::2] ** 2 + pe[:, 1::2] ** 2, np.ones((T, half)))
    assert_close(pe[0], np.tile([0.0, 1.0], half))
    assert_close(f(T + more, 2 * half)[:T], pe)


@claim(ref.positional_encoding, half=st.integers(2, 6), k=st.integers(1, 5))
def pe_shift_is_a_rotation(f, half, k):
    """k だけ先の位置の (sin, cos) の組は、元の組を角 k·10000^(-2i/d) だけ回転したものである。内積 PE(p)·PE(q) は p - q だけで決まる。
    The pair (sin, cos) at a position k further on is the pair turned by the angle k·10000^(-2i/d); PE(p)·PE(q) depends on p - q alone."""
    T, d = 12, 2 * half
    pe = np.asarray(f(T, d))
    sine, cosine, turn = pe[:-k, 0::2], pe[:-k, 1::2], angles(k + 1, d)[k]
    assert_close(pe[k:, 0::2], sine * np.cos(turn) + cosine * np.sin(turn))
    assert_close(pe[k:, 1::2], cosine * np.cos(turn) - sine * np.sin(turn))
    inner = pe @ pe.T
    assert_close(inner[k:, k:], inner[:-k, :-k])


@claim(ref.causal_mask, T=st.integers(1, 12))
def causal_mask_counts(f, T):
    """行 i(クエリ)、列 j の要素は j ≤ i のときだけ True である。True は T(T+1)/2 個あり、転置との共通部分は対角だけである。
    Entry (i, j), row i the query, is True exactly where j ≤ i: T(T+1)/2 are True, and mask and transpose share the diagonal alone."""
    mask = np.asarray(f(T))
    assert_equal(mask, np.array([[j <= i for j in range(T)] for i in range(T)]))
    assert_equal(int(mask.sum()), T * (T + 1) // 2)
    assert_equal(mask & mask.T, np.eye(T, dtype=bool))


@claim(ref.causal_mask, T=st.integers(2, 5), x=lambda T: reals(1, T, 2), later=lambda T: reals(1, T, 2))
def causal_mask_hides_the_future(f, T, x, later):
    """このマスクを付けた self-attention では、最後の位置を何に替えても、それより前の位置の結果は変わらない。最初の位置は自分自身だけを見る。
    Under this mask, whatever stands at the last position, self-attention gives the same before it; the first position sees itself alone."""
    mask = np.asarray(f(T)).astype(bool)
    attend = lambda z: multi_head_attention(z, z, *[np.eye(2)] * 4, 1, mask)[0]
    moved = np.concatenate([x[:, :-1], later[:, -1:]], axis=1)
    assert_close(attend(moved)[:, :-1], attend(x)[:, :-1])
    assert_close(attend(x)[:, 0], x[:, 0])


class Network(NamedTuple):
    """The arguments of `feed_forward`, in its order."""

    x: Array
    W1: Array
    b1: Array
    W2: Array
    b2: Array


networks = shaped(
    Network, {"N": (1, 2), "T": (2, 4), "D": (3, 6), "F": (1, 4)},
    x="N T D", W1="D F", b1="F", W2="F D", b2="D",
)  # fmt: skip


def hidden_by_unit(x, W1, b1, W2, b2):
    """Σ_f max(0, x·W1[:, f] + b1_f) W2[f] + b2, one hidden unit after the other."""
    return b2 + sum(np.maximum(0, np.sum(x * W1[:, f], axis=-1) + b1[f])[..., None] * W2[f] for f in range(len(b1)))


@claim(ref.feed_forward, net=networks)
def ffn_follows_the_formula(f, net):
    """各位置で Σ_f max(0, x·W1[:, f] + b1_f) W2[f] + b2 である。バイアスは二つあり、ReLU は二つの層の間にある。
    At every position it is Σ_f max(0, x·W1[:, f] + b1_f) W2[f] + b2: two biases, and the ReLU between the two layers."""
    assert_close(f(*net), hidden_by_unit(*net))


@claim(
    ref.feed_forward, net=networks, t=lambda net: st.integers(0, net.x.shape[1] - 1), other=lambda net: alike(net.x),
    a=st.integers(2, 4),
)  # fmt: skip
def ffn_is_position_wise(f, net, t, other, a):
    """ある位置の x を替えても、ほかの位置の結果は変わらない。バイアスが 0 なら ffn(a·x) = a·ffn(x)(a > 0)、W1 = [I, -I], W2 = [I; -I] なら恒等写像、W1 = I, W2 = -I なら -max(x, 0) である。
    Another x at one position leaves the rest; with zero biases ffn(a·x) = a·ffn(x) for a > 0; W1 = [I, -I], W2 = [I; -I] give the identity; W1 = I, W2 = -I give -max(x, 0)."""
    here = np.arange(net.x.shape[1]) == t
    moved = np.where(here[:, None], other[0], net.x)
    assert_close(f(*net._replace(x=moved))[:, ~here], f(*net)[:, ~here], UNTOUCHED)
    free = net._replace(b1=0 * net.b1, b2=0 * net.b2)
    assert_close(f(*free._replace(x=a * net.x)), a * f(*free))
    D = net.x.shape[2]
    eye, none = np.eye(D), np.zeros(D)
    both = np.concatenate([eye, -eye], axis=1)
    assert_close(f(net.x, both, np.zeros(2 * D), both.T, none), net.x)
    assert_close(f(net.x, eye, none, -eye, none), -np.maximum(net.x, 0))


def attended(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask):
    """Attention one sample and one head at a time; 0 for a query that may see nothing."""
    keep = np.broadcast_to(True if mask is None else mask, (*x_q.shape[:2], x_kv.shape[1]))
    d, out = len(Wq) // heads, np.zeros(x_q.shape)
    for n, head in np.ndindex(len(x_q), heads):
        c = slice(head * d, head * d + d)
        score = (x_q[n] @ Wq[:, c]) @ (x_kv[n] @ Wk[:, c]).T / d**0.5
        share = np.exp(score - score.max(axis=1, keepdims=True)) * keep[n]
        total = share.sum(axis=1, keepdims=True)
        out[n] += share / (total + (total == 0)) @ (x_kv[n] @ Wv[:, c]) @ Wo[c]
    return out


def normalised(x, gamma, beta):
    centred = x - x.mean(axis=-1, keepdims=True)
    return gamma * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) + beta


def chained(x, steps, p, norm):
    """Sub-layers (number of the norm, function), one after the other, and the least variance of what enters a norm."""
    least = np.inf
    for number, branch in steps:
        gamma, beta = p[f"gamma{number}"], p[f"beta{number}"]
        if norm == "pre":
            least = min(least, x.var(axis=-1).min())
            x = x + branch(normalised(x, gamma, beta))
        else:
            total = x + branch(x)
            least = min(least, total.var(axis=-1).min())
            x = normalised(total, gamma, beta)
    return x, least


class Encoder(NamedTuple):
    """The arguments of `encoder_block`, in its order."""

    x: Array
    p: Mapping[str, Array]
    heads: int
    mask: Mask | None
    norm: str

    def written_out(self):
        p = self.p
        own = lambda z: attended(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], self.heads, self.mask)
        ffn = lambda z: hidden_by_unit(z, p["W1"], p["b1"], p["W2"], p["b2"])
        return chained(self.x, [(1, own), (2, ffn)], p, self.norm)


class Decoder(NamedTuple):
    """The arguments of `decoder_block`, in its order."""

    y: Array
    memory: Array
    p: Mapping[str, Array]
    heads: int
    memory_mask: Mask | None
    norm: str

    def written_out(self):
        p, T = self.p, self.y.shape[1]
        past = np.array([[j <= i for j in range(T)] for i in range(T)])
        own = lambda z: attended(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], self.heads, past)
        cross = lambda z: attended(z, self.memory, p["Cq"], p["Ck"], p["Cv"], p["Co"], self.heads, self.memory_mask)
        ffn = lambda z: hidden_by_unit(z, p["W1"], p["b1"], p["W2"], p["b2"])
        return chained(self.y, [(1, own), (3, cross), (2, ffn)], p, self.norm)


def well_scaled(block):
    return block.written_out()[1] >= LEAST_VARIANCE


@st.composite
def parameters(draw, D, letters, number):
    """A block's arrays: attentions named by letters, as many norms as the number says."""
    F = draw(st.integers(1, 4))
    p = {letter + role: draw(gentle(D, D)) for letter in letters for role in "qkvo"}
    p |= {"W1": draw(gentle(D, F)), "b1": draw(gentle(F)), "W2": draw(gentle(F, D)), "b2": draw(gentle(D))}
    for i in range(1, number + 1):
        p |= {f"gamma{i}": draw(scales(D)), f"beta{i}": draw(gentle(D))}
    return p


@st.composite
def masks(draw, N, Tq, Tk):
    """(Tq, Tk), (N, 1, Tk) or (N, Tq, Tk), two of three True; in some a query sees nothing."""
    shape = draw(st.sampled_from([(Tq, Tk), (N, 1, Tk), (N, Tq, Tk)]))
    mask = draw(integers(*shape, low=0, high=5)) < 4
    if draw(st.sampled_from([False, False, True])):
        mask[..., draw(st.integers(0, shape[-2] - 1)), :] = False
    return mask


def some_masks(*sizes):
    """No mask in a third of the cases."""
    return st.none() | masks(*sizes) | masks(*sizes)


def no_mask(*_):
    return st.none()


widths = st.sampled_from([(1, 3), (1, 4), (2, 4), (2, 6), (1, 5)])  # heads and D


@st.composite
def drawn_encoders(draw, norm, mask, silent, T):
    (heads, D), N, T = draw(widths), draw(st.integers(1, 2)), draw(T)
    p = draw(parameters(D, "W", 2))
    p |= {name: 0 * p[name] for name in silent}
    return Encoder(draw(reals(N, T, D)), p, heads, draw(mask(N, T, T)), draw(norm))


def encoders(norm=norms, mask=some_masks, silent=(), T=st.integers(2, 4)):
    """Blocks of an encoder; the arrays named `silent` are 0."""
    return drawn_encoders(norm, mask, silent, T).filter(well_scaled)


@st.composite
def drawn_decoders(draw, norm, mask, silent):
    (heads, D), N = draw(widths), draw(st.integers(1, 2))
    Ty, Tm = draw(st.sampled_from([(2, 3), (3, 2), (3, 4), (4, 3), (2, 2), (3, 1), (4, 2)]))
    p = draw(parameters(D, "WC", 3))
    p |= {name: 0 * p[name] for name in silent}
    return Decoder(draw(reals(N, Ty, D)), draw(reals(N, Tm, D)), p, heads, draw(mask(N, Ty, Tm)), draw(norm))


def decoders(norm=norms, mask=some_masks, silent=()):
    """The same of a decoder."""
    return drawn_decoders(norm, mask, silent).filter(well_scaled)


@claim(ref.encoder_block, block=encoders())
def encoder_follows_the_formula(f, block):
    """self-attention(gamma1, beta1)と FFN(gamma2, beta2)を順に通した値である。norm='post' では LayerNorm(x + f(x))、'pre' では x + f(LayerNorm(x)) で、mask は attention に渡る。
    It is self-attention (gamma1, beta1) and then the FFN (gamma2, beta2): LayerNorm(x + f(x)) with norm='post', x + f(LayerNorm(x)) with 'pre'; the mask reaches the attention."""
    assert_close(f(*block), block.written_out()[0])


def shares_of_the_last_norm(f, block):
    """With γ2 = 1 and β2 = 0 every vector has mean 0 and variance σ²/(σ² + ε); else γ2 and β2 follow."""
    plain = block._replace(p={**block.p, "gamma2": 1 + 0 * block.p["gamma2"], "beta2": 0 * block.p["beta2"]})
    out = np.asarray(f(*plain))
    variance = out.var(axis=-1)
    assert_close(out.mean(axis=-1), 0)
    assert_at_most(variance, 1.0)
    assert_at_most(0.5, float(variance.max()))
    assert_close(f(*block), block.p["gamma2"] * out + block.p["beta2"])


@claim(ref.encoder_block, block=encoders(st.just("post")))
def post_norm_output_is_normalised(f, block):
    """norm='post' では最後に Layer Norm がある。gamma2 = 1, beta2 = 0 なら各位置の出力は平均 0、分散ほぼ 1 で、一般にはその gamma2 倍に beta2 を足したものである。
    With norm='post' a layer norm comes last: with gamma2 = 1, beta2 = 0 every output vector has mean 0 and a variance of about 1, and in general it is gamma2 times that plus beta2."""
    shares_of_the_last_norm(f, block)


@claim(ref.encoder_block, block=encoders(silent=("Wo", "W2", "b2")))
def residual_path(f, block):
    """Wo, W2, b2 が 0 なら両サブレイヤの出力は 0 で、残差だけが残る。'pre' の出力は x そのもの、'post' では x に二つの Layer Norm(1, 2)を順に掛けた値である。
    With Wo, W2, b2 zero both sub-layers give 0, and the residual is left: 'pre' returns x itself, 'post' x after the two layer norms (1, then 2)."""
    x, p = block.x, block.p
    for number in (1, 2) if block.norm == "post" else ():
        x = normalised(x, p[f"gamma{number}"], p[f"beta{number}"])
    assert_close(f(*block), x)


@claim(
    ref.encoder_block, block=encoders(mask=no_mask, T=st.sampled_from([2, 3, 4, 4])),
    order=lambda block: st.permutations(range(block.x.shape[1])),
)  # fmt: skip
def encoder_knows_no_order(f, block, order):
    """mask がなければ、位置を並べ替えると出力も同じように並べ替わるだけである。だから順序は位置エンコーディングで与える。
    Without a mask, permuting the positions only permutes the output in the same way; this is why order must come from a positional encoding."""
    assert_close(f(*block._replace(x=block.x[:, order])), f(*block)[:, order])


@st.composite
def hiding(draw):
    """A block whose mask hides the last position from all others."""
    block = draw(encoders(mask=no_mask))
    N, T, _ = block.x.shape
    return block._replace(mask=np.broadcast_to(np.arange(T) < T - 1, (N, T, T)).copy())


@claim(ref.encoder_block, block=hiding().filter(well_scaled), other=lambda block: alike(block.x))
def hidden_positions_count_as_absent(f, block, other):
    """mask で最後の位置を隠すと、それより前の出力は、最後の位置を取り除いた系列の出力と同じで、そこに何があっても変わらない。
    A mask that hides the last position makes the outputs before it those of the sequence without it, whatever stands there."""
    short = block._replace(x=block.x[:, :-1], mask=None)
    moved = block._replace(x=np.concatenate([block.x[:, :-1], other[0][:, -1:]], axis=1))
    alone = f(*short)
    assert_close(f(*block)[:, :-1], alone)
    assert_close(f(*moved)[:, :-1], alone)


@claim(ref.decoder_block, block=decoders())
def decoder_follows_the_formula(f, block):
    """因果マスク付き self-attention(gamma1, beta1)、memory への attention(gamma3, beta3)、FFN(gamma2, beta2)を順に通した値である。memory_mask は二つ目の attention に渡り、memory は正規化しない。
    It is causal self-attention (gamma1, beta1), attention to the memory (gamma3, beta3), then the FFN (gamma2, beta2); memory_mask goes to the second attention, and the memory is not normalised."""
    assert_close(f(*block), block.written_out()[0])


@claim(ref.decoder_block, block=decoders(st.just("post")))
def decoder_output_is_normalised(f, block):
    """norm='post' では最後に Layer Norm がある。gamma2 = 1, beta2 = 0 なら各位置の出力は平均 0、分散ほぼ 1 で、一般にはその gamma2 倍に beta2 を足したものである。
    With norm='post' a layer norm comes last: with gamma2 = 1, beta2 = 0 every output vector has mean 0 and a variance of about 1, and in general it is gamma2 times that plus beta2."""
    shares_of_the_last_norm(f, block)


@claim(ref.decoder_block, block=decoders(silent=("Wo", "Co", "W2", "b2")))
def decoder_residual_path(f, block):
    """Wo, Co, W2, b2 が 0 なら残差だけが残る。'pre' の出力は y そのもの、'post' では y に三つの Layer Norm(1, 3, 2 の順)を掛けた値である。
    With Wo, Co, W2, b2 zero only the residual is left: 'pre' returns y itself, 'post' y after the three layer norms (1, 3, then 2)."""
    y, p = block.y, block.p
    for number in (1, 3, 2) if block.norm == "post" else ():
        y = normalised(y, p[f"gamma{number}"], p[f"beta{number}"])
    assert_close(f(*block), y)


@st.composite
def shared_masks(draw, N, Ty, Tm):
    """(N, 1, Tm): the same for every step, and something to see for all."""
    mask = draw(integers(N, 1, Tm, low=0, high=2)) > 0
    mask[..., draw(st.integers(0, Tm - 1))] = True
    return mask


@claim(
    ref.decoder_block, block=decoders(mask=lambda *sizes: st.none() | shared_masks(*sizes)),
    t=lambda block: st.integers(1, block.y.shape[1] - 1), other=lambda block: alike(block.y),
)  # fmt: skip
def decoder_is_causal(f, block, t, other):
    """y の先頭 t 個だけを渡したときの出力は、全体を渡したときの出力の先頭 t 個に等しく、t 番目から後の y に何があっても変わらない。並列の学習と 1 語ずつの生成が一致する。
    Given the first t steps of y alone, the outputs are the first t of those for all of y, whatever y holds from t on: training in parallel equals generating step by step."""
    prefix = f(*block._replace(y=block.y[:, :t]))
    moved = np.concatenate([block.y[:, :t], other[0][:, t:]], axis=1)
    assert_close(f(*block)[:, :t], prefix)
    assert_close(f(*block._replace(y=moved))[:, :t], prefix)


@claim(
    ref.decoder_block, block=decoders(mask=shared_masks), order=lambda block: st.permutations(range(block.memory.shape[1])),
    other=lambda block: alike(block.memory),
)  # fmt: skip
def decoder_reads_memory_as_a_set(f, block, order, other):
    """memory の位置を(mask と一緒に)並べ替えても出力は同じで、mask で隠した memory の位置は何であっても、またなくても同じである。Co = 0 なら memory は影響しない。
    Permuting the memory's positions (and the mask's columns) leaves the output; what the mask hides may be anything, or absent; with Co = 0 the memory has no influence."""
    out, (other,) = f(*block), other
    shuffled = block._replace(memory=block.memory[:, order], memory_mask=block.memory_mask[..., order])
    assert_close(f(*shuffled), out)
    junk = np.where(block.memory_mask.swapaxes(1, 2), block.memory, other)
    assert_close(f(*block._replace(memory=junk)), out)
    one = block._replace(y=block.y[:1], memory=block.memory[:1], memory_mask=None)
    present = block.memory_mask[0, 0]
    assert_close(f(*one._replace(memory=one.memory[:, present]))[0], out[0])
    deaf = block._replace(p={**block.p, "Co": 0 * block.p["Co"]})
    assert_close(f(*deaf._replace(memory=other)), f(*deaf))


def touched(f, block, by):
    """By how much the first step moves when the last position of the memory does."""
    moved = block.memory.copy()
    moved[:, -1] += by
    first = f(*block)[:, 0] - f(*block._replace(memory=moved))[:, 0]
    return float(np.abs(first).max())


@st.composite
def drawn_moves(draw):
    block = draw(decoders(st.just("pre"), no_mask))
    return block, draw(reals(block.y.shape[2], zero=False))


@claim(ref.decoder_block, move=drawn_moves().filter(lambda move: touched(ref.decoder_block, *move) >= 0.01))
def decoder_depends_on_every_memory_position(f, move):
    """memory_mask がなければ、memory の最後の位置を動かすと、最初の時刻の出力も動く。memory に因果マスクは掛からない。
    Without a memory mask, moving the memory's last position moves the output of the first step too: no causal mask on the memory."""
    assert touched(f, *move) > 1e-3


counts = st.integers(0, 12)


@claim(
    ref.transformer_param_count, d=st.integers(1, 60), d_ff=st.integers(1, 60), encoders=counts, decoders=counts,
    vocab=st.integers(0, 1000),
)  # fmt: skip
def parameter_count_is_the_size_of_the_blocks(f, d, d_ff, encoders, decoders, vocab):
    """各ブロックが持つ配列(attention の行列、FFN の W1, b1, W2, b2、Layer Norm の gamma, beta)の要素数をすべて足し、共有の埋め込み表 (vocab, d) を一つ加えた数である。vocab の既定値は 0 である。
    It is the sum of the sizes of all arrays of the blocks (matrices of the attentions, W1, b1, W2, b2 of the FFN, gamma and beta of the norms), and of one shared table (vocab, d); vocab is 0 by default."""
    ffn = [(d, d_ff), (d_ff,), (d_ff, d), (d,)]
    encoder = [(d, d)] * 4 + ffn + [(d,)] * 4
    decoder = [(d, d)] * 8 + ffn + [(d,)] * 6
    blocks = sum(np.prod(shape) for shape in encoders * encoder + decoders * decoder)
    assert_equal(f(d, d_ff, encoders, decoders, vocab), int(blocks) + vocab * d)
    assert_equal(f(d, d_ff, encoders, decoders), int(blocks))


@claim(
    ref.sequence_layer_complexity, n=st.integers(1, 200), d=st.integers(1, 200), r=lambda n: st.integers(1, min(n, 12)) | st.integers(1, n),
)  # fmt: skip
def layer_complexity_follows_the_table(f, n, d, r):
    """(計算量, 逐次ステップ数, 最長経路)は、self-attention が (n²d, 1, 1)、再帰が (nd², n, n)、窓 r の self-attention が (rnd, 1, n/r の切り上げ) である。
    (operations, sequential steps, longest path) are (n²d, 1, 1) for self-attention, (nd², n, n) for recurrence, and (rnd, 1, n/r rounded up) within a window of r."""
    assert_equal(f("self_attention", n, d), (n**2 * d, 1, 1))
    assert_equal(f("recurrent", n, d), (n * d**2, n, n))
    layers = next(m for m in range(1, n + 1) if m * r >= n)
    assert_equal(f("restricted", n, d, r), (r * n * d, 1, layers))


@claim(ref.sequence_layer_complexity, n=st.integers(1, 200), d=st.integers(1, 200))
def layer_complexity_meets_at_equal_sizes(f, n, d):
    """n = d なら self-attention と再帰の計算量は等しい。窓が全体(r = n)なら、窓つきの self-attention は普通の self-attention と同じである。
    At n = d self-attention and recurrence take as many operations; a window of the whole sequence (r = n) is plain self-attention."""
    assert_equal(f("self_attention", n, n)[0], f("recurrent", n, n)[0])
    assert_equal(f("restricted", n, d, n), f("self_attention", n, d))


# Sixteenths and 1/32: no hidden unit stands in the kink of the ReLU, where every slope from 0 to 1 is a right answer.
@twin(ref_torch.feed_forward_torch, net=networks.map(lambda net: net._replace(b1=net.b1 + 1 / 32)))
def networks_on_tensors(net):
    return tuple(net)


class Sublayer(NamedTuple):
    """The arguments of `attention_sublayer_torch`, in its order."""

    x: Array
    memory: Array | None
    Wq: Array
    Wk: Array
    Wv: Array
    Wo: Array
    gamma: Array
    beta: Array
    heads: int
    mask: Mask | None
    norm: str

    def written_out(self):
        source = lambda z: z if self.memory is None else self.memory
        attend = lambda z: attended(z, source(z), self.Wq, self.Wk, self.Wv, self.Wo, self.heads, self.mask)
        return chained(self.x, [(1, attend)], {"gamma1": self.gamma, "beta1": self.beta}, self.norm)


mostly_pre = st.sampled_from(["pre", "pre", "post"])  # where one may be wrong in more ways


@st.composite
def drawn_sublayers(draw):
    (heads, D), N, T, Tm = draw(widths), draw(st.integers(1, 2)), draw(st.integers(2, 3)), draw(st.integers(1, 3))
    alone = draw(st.booleans())
    memory = None if alone else draw(reals(N, Tm, D))
    W = [draw(gentle(D, D)) for _ in range(4)]
    mask = draw(some_masks(N, T, T if alone else Tm))
    return Sublayer(draw(reals(N, T, D)), memory, *W, draw(scales(D)), draw(gentle(D)), heads, mask, draw(mostly_pre))


@twin(ref_torch.attention_sublayer_torch, layer=drawn_sublayers().filter(well_scaled))
def sublayers_on_tensors(layer):
    return tuple(layer)
