"""The laws of residual and dense blocks, and of the parameters of the networks made of them. Counts are exact integers."""

from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    GRADIENT, alike, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, reals, shaped, twin,
)
from hypothesis import assume
from hypothesis import strategies as st

from reference import resnet_densenet as ref
from reference import resnet_densenet_torch as ref_torch
from reference.resnet_densenet import Array

nonzero = partial(reals, zero=False)

kinds = st.sampled_from(["plain", "post", "pre"])
shortcuts = st.sampled_from(["post", "pre"])


def relu(a):
    return np.maximum(a, 0)


class Block(NamedTuple):
    """The arrays that the block functions share, in their order."""

    x: Array
    W1: Array
    W2: Array


def blocks(W2="M D", **axes):
    """A small block and a batch; axes of other arrays may be named too."""
    numbers = dict.fromkeys(("x", "W1", "W2"), nonzero)
    return shaped(Block, {}, numbers, x="N D", W1="D M", W2=W2, **axes)


@claim(ref.residual_block, block=blocks())
def zero_branch(f, block):
    """W2 = 0 なら枝は何も加えないので、"pre" は x を、"post" は relu(x) を、"plain" は 0 を返す。恒等写像が残るのはショートカットのおかげである。
    With W2 = 0 the branch adds nothing: "pre" returns x, "post" relu(x), "plain" 0. What is left of the identity is the shortcut's."""
    silent = block._replace(W2=0 * block.W2)
    assert_close(f(*silent, "pre"), block.x)
    assert_close(f(*silent, "post"), relu(block.x))
    assert_close(f(*silent, "plain"), 0 * block.x)


def layer(x, W):
    """x W, written with sums over indices."""
    return np.einsum("nd,dm->nm", x, W)


@claim(ref.residual_block, block=blocks(), kind=kinds)
def output_is_branch_plus_shortcut(f, block, kind):
    """"plain" は relu(relu(x W1) W2)、"post" は relu(x + relu(x W1) W2)、"pre" は x + relu(relu(x) W1) W2 である。kind を省略すると "post" になる。
    "plain" is relu(relu(x W1) W2), "post" relu(x + relu(x W1) W2), "pre" x + relu(relu(x) W1) W2; without a kind it is "post"."""
    x, W1, W2 = block
    branch = layer(relu(layer(x, W1)), W2)
    y = {"plain": relu(branch), "post": relu(x + branch), "pre": x + layer(relu(layer(relu(x), W1)), W2)}
    assert_close(f(*block, kind), y[kind])
    assert_close(f(*block), y["post"])


def projections(block):
    return nonzero(block.x.shape[1], block.W2.shape[1])


@claim(ref.residual_block, block=blocks(W2="M E"), kind=shortcuts, Ws=projections)
def projected_shortcut_carries_x_Ws(f, block, kind, Ws):
    """Ws があれば、ショートカットは x の代わりに x Ws を運ぶ("pre" でも活性化の前の x である)。
    With Ws the shortcut carries x Ws in place of x (the x before the activation, in "pre" too)."""
    x, W1, W2 = block
    if kind == "post":
        y = relu(layer(x, Ws) + layer(relu(layer(x, W1)), W2))
    else:
        y = layer(x, Ws) + layer(relu(layer(relu(x), W1)), W2)
    assert_close(f(*block, kind, Ws), y)


@claim(ref.residual_block, block=blocks(), amount=st.integers(1, 4))
def post_is_nonnegative_pre_is_not(f, block, amount):
    """"post" は ReLU で終わるので負にならない。"pre" の枝は relu(x) しか見ないので、x の負の成分をさらに下げると、y もちょうど同じだけ下がる。
    "post" ends in ReLU and is never negative. The branch of "pre" sees relu(x) alone: lowering negative entries of x lowers y by just as much."""
    assert_at_most(-1.0 * f(*block, "post"), 0.0)
    lower = -amount * (block.x < 0)
    assert_close(f(*block._replace(x=block.x + lower), "pre"), f(*block, "pre") + lower)


def clear(rows, passes):
    """Each row moved by the fewest eighths that bring it past the corners of ReLU, where no derivative is asked for."""
    for row in rows:
        steps = product((0, 1 / 8, -1 / 8), repeat=len(row))
        yield next((moved for step in steps if passes(moved := row + step)), None)


def smooth(x, W1, W2):
    """No sum in any of the three kinds is 0 for one sample, unless all its terms are."""

    def away(inputs, sums):
        return sums.all() or not inputs.any()

    h, silenced = relu(x @ W1), relu(x)
    return (
        x.all() and away(x, x @ W1) and away(silenced, silenced @ W1)
        and away(h, h @ W2) and away(x, x + h @ W2)
    )


@st.composite
def smooth_blocks(draw, **sizes):
    """Blocks that are differentiable where they are drawn."""
    N = draw(st.integers(*sizes.get("N", (1, 3))))
    D, M = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    x, W1, W2 = draw(nonzero(N, D)), draw(nonzero(D, M)), draw(nonzero(M, D))
    rows = list(clear(x, lambda row: smooth(row, W1, W2)))
    assume(all(row is not None for row in rows))
    return Block(np.array(rows), W1, W2)


def errors(block):
    return nonzero(*block.x.shape)


@claim(ref.residual_block_backward, block=smooth_blocks(), dy=errors, kind=st.sampled_from(["plain", "post", "post", "pre", "pre"]))
def gradients_match_the_jacobian(f, block, dy, kind):
    """dx, dW1, dW2 は、サンプルごとのヤコビ行列から求めたものと一致する: ReLU は入力が正の成分だけを通し、重みの勾配は各層の入力と誤差の外積の和である。
    dx, dW1, dW2 are those of each sample's Jacobian: a ReLU passes entries whose input is positive, a weight's gradient sums outer products of input and error."""
    x, W1, W2 = block
    dx, dW1, dW2 = np.zeros_like(x), np.zeros_like(W1), np.zeros_like(W2)
    for n, x_n in enumerate(x):
        first = np.diag(x_n > 0) if kind == "pre" else np.eye(len(x_n))
        a = first @ x_n
        inner = np.diag(a @ W1 > 0)
        h = inner @ (a @ W1)
        shortcut = np.zeros_like(first) if kind == "plain" else np.eye(len(x_n))
        last = np.eye(len(x_n)) if kind == "pre" else np.diag(shortcut @ x_n + h @ W2 > 0)
        dx[n] = (shortcut + first @ W1 @ inner @ W2) @ last @ dy[n]
        dW1 += np.outer(a, inner @ W2 @ last @ dy[n])
        dW2 += np.outer(h, last @ dy[n])
    assert_close(f(dy, *block, kind), (dx, dW1, dW2), GRADIENT)


@claim(ref.residual_block_backward, block=smooth_blocks(), dy=errors, along=lambda block: alike(*block))
def gradients_match_differences(f, block, dy, along):
    """x, W1, W2 を少し動かしたときの Σ dy·y の変化率は、勾配と動かした向きの内積に等しい("pre" と、kind を省略した "post")。
    When x, W1, W2 move a little, Σ dy·y changes by the inner product of gradients and direction ("pre", and "post" as the default)."""

    def slope(*kind):
        return derivative(lambda *point: np.sum(dy * ref.residual_block(*point, *kind)), block, along, step=1e-6)

    assert_slope(f(dy, *block, "pre"), along, slope("pre"))
    assert_slope(f(dy, *block), along, slope())


@claim(ref.residual_block_backward, block=blocks(), dy=errors)
def gradient_highway(f, block, dy):
    """W2 = 0 でも、"pre" は勾配をそのまま通し(dx = dy)、"post" は dy·[x > 0] を通す。"plain" では勾配が 0 になる。
    With W2 = 0, "pre" still passes the gradient unchanged (dx = dy), "post" dy·[x > 0], and in "plain" it vanishes."""
    silent = block._replace(W2=0 * block.W2)
    assert_close(f(dy, *silent, "pre")[0], dy)
    assert_close(f(dy, *silent, "post")[0], dy * (block.x > 0))
    assert_close(f(dy, *silent, "plain")[0], 0 * dy)


@claim(ref.residual_block_backward, block=smooth_blocks(), dy=errors, a=st.integers(2, 4))
def skip_adds_identity_to_jacobian(f, block, dy, a):
    """"pre" の dx は dy と枝を通った分の和で、枝の分は W2 に比例する: W2 を a 倍すると dx − dy も a 倍になる。
    dx of "pre" is dy plus what came through the branch, which is linear in W2: a times W2 gives a times dx − dy."""
    dx = f(dy, *block, "pre")[0]
    assert_close(f(dy, *block._replace(W2=a * block.W2), "pre")[0] - dy, a * (dx - dy), GRADIENT)


@claim(ref.residual_block_backward, block=smooth_blocks(N=(1, 1)), dy=errors)
def silenced_inputs_get_dy_alone(f, block, dy):
    """"pre" では、負の x は最初の ReLU で止まる: そこでは dx = dy で、その成分に掛かる W1 の行の勾配は 0 である。
    In "pre" a negative x stops at the first ReLU: there dx = dy, and the row of W1 that multiplies it gets the gradient 0."""
    dx, dW1, _ = f(dy, *block, "pre")
    negative = block.x[0] < 0
    assert_close(dx[0][negative], dy[0][negative])
    assert_close(dW1[negative], 0 * block.W1[negative])


channels, widths, strides = st.sampled_from([8, 16, 32, 64, 96]), st.sampled_from([8, 16, 24, 32, 64]), st.integers(1, 2)
block_kinds = st.sampled_from(["basic", "bottleneck", "wide"])


def layers_of(kind, c_in, width, stride):
    """Weights of a block's convolutions (kernel, in, out), and its normalised channels."""
    c_out = 4 * width if kind == "bottleneck" else width
    convolutions = {
        "basic": [(3, c_in, width), (3, width, width)],
        "bottleneck": [(1, c_in, width), (3, width, width), (1, width, c_out)],
        "wide": [(3, c_in, width), (3, width, width)],
    }[kind]
    normalised = [c_in, width] if kind == "wide" else [c for _, _, c in convolutions]
    if stride == 2 or c_in != c_out:
        convolutions.append((1, c_in, c_out))
        normalised += [] if kind == "wide" else [c_out]
    return convolutions, normalised


def counted(*block):
    convolutions, normalised = layers_of(*block)
    return sum(k * k * a * b for k, a, b in convolutions) + 2 * sum(normalised)


def inputs_of(kind, width):
    """Input channels; in a third of the cases as many as the block puts out."""
    return st.just(4 * width if kind == "bottleneck" else width) | channels | channels


@claim(ref.resnet_block_param_count, kind=block_kinds, width=widths, c_in=inputs_of, stride=strides)
def block_count_is_the_sum_of_its_layers(f, kind, width, c_in, stride):
    """"basic" は 3×3 が 2 層、"bottleneck" は 1×1、3×3、1×1(4·width へ)、"wide" は BN、3×3、BN、3×3。畳み込みにバイアスはなく、BN は 1 チャネルに 2 個。射影(1×1、"wide" 以外は BN 付き)はストライドが 1 でないか、チャネル数が変わるときだけある。
    "basic" is 3×3 twice, "bottleneck" 1×1, 3×3, 1×1 (to 4·width), "wide" BN, 3×3, BN, 3×3; no bias, BN 2 a channel; a projection (1×1, with BN except in "wide") only where stride ≠ 1 or the channels change."""
    assert_equal(f(kind, c_in, width, stride), counted(kind, c_in, width, stride))
    assert_equal(f(kind, c_in, width), counted(kind, c_in, width, 1))


@claim(ref.resnet_block_param_count, kind=block_kinds, width=widths, c_in=inputs_of)
def projection_only_when_needed(f, kind, width, c_in):
    """ストライドを 2 にして増えるのは射影 1 個分で(c_in·c_out 個の重みと、"wide" 以外では BN)、もともとチャネル数が変わるなら何も増えない。
    Stride 2 adds exactly one projection (c_in·c_out weights, and BN except in "wide"), and nothing where the channels change anyway."""
    c_out = 4 * width if kind == "bottleneck" else width
    projection = c_out * c_out + (0 if kind == "wide" else 2 * c_out)
    assert_equal(f(kind, c_in, width, 2) - f(kind, c_in, width, 1), projection if c_in == c_out else 0)


@claim(ref.resnet_block_param_count, w=widths)
def bottleneck_costs_like_basic(f, w):
    """4w チャネルのボトルネック(幅 w)は 17w² + 12w 個、w チャネルの basic は 18w² + 4w 個でほぼ同じ。4w チャネルの basic なら 288w² + 16w 個になる。
    A bottleneck at 4w channels (width w) has 17w² + 12w, about a basic block at w channels with 18w² + 4w; a basic block at 4w has 288w² + 16w."""
    found = [f("bottleneck", 4 * w, w), f("basic", w, w), f("basic", 4 * w, 4 * w)]
    assert_equal(found, [17 * w**2 + 12 * w, 18 * w**2 + 4 * w, 288 * w**2 + 16 * w])


@claim(ref.resnet_block_param_count, w=widths, k=st.integers(1, 10))
def widening_by_k_costs_k_squared(f, w, k):
    """幅を k 倍にした wide ブロックは、入力も出力も k 倍なので、畳み込みの重みが k² 倍の 18k²w² 個になる(BN は 4kw 個で k 倍)。
    A wide block at k times the width is k times wider at both ends: its convolutions have k² times the weights, 18k²w² (BN k times, 4kw)."""
    assert_equal(f("wide", k * w, k * w), 18 * (k * w) ** 2 + 4 * k * w)


WRN_28_10 = [
    (c, width, stride if j == 0 else 1)
    for before, width, stride in ((16, 160, 1), (160, 320, 2), (320, 640, 2))
    for j, c in enumerate((before, width, width, width))
]


@claim(ref.resnet_block_param_count)
def wide_resnet_published(f):
    """WRN-28-10 の 12 個のブロックに、3×3 の最初の畳み込み、最後の BN、10 クラスの分類層を加えると 3648 万個になる(論文では 36.5M)。
    The 12 blocks of WRN-28-10 with the first 3×3 convolution, the last BN and a classifier of 10 have 36.48 million parameters (36.5M in the paper)."""
    rest = 9 * 3 * 16 + 2 * 640 + 641 * 10
    assert_equal(sum(f("wide", *block) for block in WRN_28_10) + rest, 36_479_194)


network_kinds = st.sampled_from(["basic", "bottleneck"])
stages = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def last_channels(kind, depths):
    return 64 * 2 ** (len(depths) - 1) * (4 if kind == "bottleneck" else 1)


@claim(ref.resnet_param_count, depths=stages, classes=st.integers(2, 1000), kind=network_kinds)
def network_count_is_stem_stages_classifier(f, depths, classes, kind):
    """7×7 の畳み込み(3 → 64)と BN、幅 64·2^i の各段のブロック(ストライド 2 は 2 段目以降の先頭だけ)、分類層 c·classes + classes の和である。classes を省略すると 1000。
    It is the 7×7 convolution (3 → 64) with BN, the blocks of stages of width 64·2^i (stride 2 in the first of each stage but the first), and c·classes + classes; classes is 1000 by default."""
    total, c = 49 * 3 * 64 + 2 * 64, 64
    for i, depth in enumerate(depths):
        for j in range(depth):
            total += counted(kind, c, 64 * 2**i, 2 if j == 0 and i > 0 else 1)
            c = last_channels(kind, depths[: i + 1])
    assert_equal(f(kind, depths, classes), total + c * classes + classes)
    assert_equal(f(kind, depths), total + c * 1000 + 1000)


@claim(
    ref.resnet_param_count, depths=stages, i=lambda depths: st.integers(0, len(depths) - 1), classes=st.integers(2, 99),
    kind=network_kinds,
)
def one_more_block_adds_one_block(f, depths, i, classes, kind):
    """i 段目にブロックを 1 個足すと、その段の幅のストライド 1 のブロック 1 個分だけ増える。クラスを 1 個足すと c + 1 個増える。
    One more block in stage i adds one block of stride 1 at that stage's width; one more class adds c + 1."""
    longer = [depth + (j == i) for j, depth in enumerate(depths)]
    before = f(kind, depths, classes)
    assert_equal(f(kind, longer, classes) - before, counted(kind, last_channels(kind, depths[: i + 1]), 64 * 2**i, 1))
    assert_equal(f(kind, depths, classes + 1) - before, last_channels(kind, depths) + 1)


@claim(ref.resnet_param_count)
def resnet_published(f):
    """ResNet-18、34、50、101、152 のパラメータ数は 11,689,512、21,797,672、25,557,032、44,549,160、60,192,808 である。
    ResNet-18, 34, 50, 101 and 152 have 11,689,512, 21,797,672, 25,557,032, 44,549,160 and 60,192,808 parameters."""
    basic = [f("basic", depths) for depths in ([2, 2, 2, 2], [3, 4, 6, 3])]
    bottleneck = [f("bottleneck", depths) for depths in ([3, 4, 6, 3], [3, 4, 23, 3], [3, 8, 36, 3])]
    assert_equal(basic + bottleneck, [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808])


class Dense(NamedTuple):
    """The arguments of `dense_block`, in its order."""

    x: Array
    weights: list[Array]

    @property
    def growth(self) -> int:
        return self.weights[0].shape[1]

    @property
    def seen(self) -> list[int]:
        """The columns before layer 1, 2, …, and after the last."""
        return [self.x.shape[1] + m * self.growth for m in range(len(self.weights) + 1)]


small = st.integers(1, 3)


@st.composite
def dense_blocks(draw, smooth=False):
    """A few layers that see all before; with `smooth`, differentiable where they are drawn."""
    N, k0, k, n = draw(small), draw(small), draw(small), draw(st.integers(2, 3 if smooth else 4))
    h = x = draw(nonzero(N, k0))
    weights = []
    for _ in range(n):
        W = draw(nonzero(h.shape[1], k))
        if smooth:
            columns = list(clear(W.T, lambda column, h=h: (h @ column).all()))
            assume(all(column is not None for column in columns))
            W = np.stack(columns, axis=1)
        weights.append(W)
        h = np.concatenate((h, relu(h @ W)), axis=1)
    return Dense(x, weights)


@claim(ref.dense_block, block=dense_blocks())
def dense_shape_and_prefix(f, block):
    """出力の最初の k0 列は x そのものであり、最初の m 層だけを動かした結果は、全体の出力の最初の k0 + mk 列に等しい。
    The first k0 columns of the output are x itself, and the first m layers alone give the first k0 + mk columns of the whole."""
    y = f(*block)
    assert_close(y[:, : block.seen[0]], block.x)
    for m, columns in enumerate(block.seen[1:], 1):
        assert_close(f(block.x, block.weights[:m]), y[:, :columns])


@claim(ref.dense_block, block=dense_blocks())
def dense_sees_everything(f, block):
    """出力は [x_0, x_1, …, x_n] の連結で、x_l = relu([x_0, …, x_{l-1}] W_l) は、それより前のすべてに W_l の対応する行を掛けた和の ReLU である。
    The output is [x_0, x_1, …, x_n] joined, where x_l = relu([x_0, …, x_{l-1}] W_l): every earlier map times its rows of W_l, summed, then ReLU."""
    maps, edges = [block.x], [0, *block.seen]
    for W in block.weights:
        maps.append(relu(sum(x @ W[a:b] for x, a, b in zip(maps, edges, edges[1:]))))
    assert_close(f(*block), np.hstack(maps))


@claim(ref.dense_block, block=dense_blocks())
def ones_multiply_the_sum_by_1_plus_k(f, block):
    """x ≥ 0 で重みがすべて 1 なら、新しい特徴はどれも前のすべての特徴の和なので、全チャネルの和は 1 層ごとに (1 + k) 倍になる。
    With x ≥ 0 and all weights 1, each new feature is the sum of all before, so each layer multiplies the sum over channels by 1 + k."""
    x = abs(block.x)
    y = f(x, [np.ones_like(W) for W in block.weights])
    assert_close(y.sum(axis=1), x.sum(axis=1) * (1 + block.growth) ** len(block.weights))


depths = st.lists(st.integers(1, 12), min_size=1, max_size=4)
thetas = st.sampled_from([0.25, 0.5, 0.75, 1.0])  # exact in binary: ⌊θc⌋ has one answer


@claim(ref.densenet_channels, k0=st.integers(8, 64), growth=st.integers(4, 32), layers=depths, theta=thetas)
def channel_bookkeeping(f, k0, growth, layers, theta):
    """ブロックは(層の数)·k チャネルを加え、ブロックの間の遷移層は ⌊θc⌋ チャネルを残す(最後のブロックの後にはない)。theta を省略すると 1/2 である。
    A block adds (its layers)·k channels; a transition between blocks (none after the last) leaves ⌊θc⌋; theta is 1/2 by default."""

    def listed(theta):
        after, c = [], k0
        for n in layers:
            c = c + n * growth
            after += [c, c := int(np.floor(theta * c))]
        return after[:-1]

    assert_equal(f(k0, growth, layers, theta), listed(theta))
    assert_equal(f(k0, growth, layers), listed(0.5))


@claim(ref.densenet_channels, k0=st.integers(8, 64), growth=st.integers(4, 32), layers=depths)
def without_compression_every_layer_adds_k(f, k0, growth, layers):
    """θ = 1 なら、最後は k0 + k × (全層の数) チャネルである。
    With θ = 1 it ends at k0 + k × (the number of all layers)."""
    assert_equal(f(k0, growth, layers, 1.0)[-1], k0 + growth * sum(layers))


@claim(ref.densenet_channels)
def densenet_121_channels(f):
    """DenseNet-121(k0 = 64、k = 32)のチャネル数は 256、128、512、256、1024、512、1024 と進む。
    The channels of DenseNet-121 (k0 = 64, k = 32) run 256, 128, 512, 256, 1024, 512, 1024."""
    assert_equal(f(64, 32, [6, 12, 24, 16]), [256, 128, 512, 256, 1024, 512, 1024])


short = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@claim(ref.densenet_param_count, k0=st.integers(8, 64), k=st.integers(2, 32), layers=short, theta=thetas, classes=st.integers(2, 1000))
def densenet_count_is_the_sum_of_its_layers(f, k0, k, layers, theta, classes):
    """最初の畳み込みと BN は 147·k0 + 2k0、入力 c の層は 2c + 4kc + 8k + 36k²、遷移層は 2c + c·⌊θc⌋、最後は 2c + (c + 1)·classes 個である。theta と classes の既定値は 1/2 と 1000。
    The stem has 147·k0 + 2k0, a layer with c inputs 2c + 4kc + 8k + 36k², a transition 2c + c·⌊θc⌋, the end 2c + (c + 1)·classes; theta and classes are 1/2 and 1000 by default."""

    def total(theta, classes):
        parts, c = [147 * k0 + 2 * k0], k0
        for n, following in zip(layers, [*layers[1:], None]):
            inputs = [c + k * i for i in range(n)]
            parts += [(2 + 4 * k) * seen + 8 * k + 36 * k**2 for seen in inputs]
            c += n * k
            if following:
                kept = int(np.floor(theta * c))
                parts.append(2 * c + c * kept)
                c = kept
        return sum(parts) + 2 * c + (c + 1) * classes

    assert_equal(f(k0, k, layers, theta, classes), total(theta, classes))
    assert_equal(f(k0, k, layers), total(0.5, 1000))


@claim(ref.densenet_param_count)
def densenet_published(f):
    """DenseNet-121、169、201、161 のパラメータ数は 7,978,856、14,149,480、20,013,928、28,681,000 である。
    DenseNet-121, 169, 201 and 161 have 7,978,856, 14,149,480, 20,013,928 and 28,681,000 parameters."""
    found = [f(64, 32, [6, 12, n, m]) for n, m in ((24, 16), (32, 32), (48, 32))]
    assert_equal([*found, f(96, 48, [6, 12, 36, 24])], [7_978_856, 14_149_480, 20_013_928, 28_681_000])


@twin(ref_torch.residual_block_torch, block=smooth_blocks(), kind=st.sampled_from([(), ("plain",), ("post",), ("pre",), ("pre",)]))
def residual_on_tensors(block, kind):
    return *block, *kind


@st.composite
def projected_blocks(draw):
    """A block that changes its width, differentiable where it is drawn."""
    block, E = draw(smooth_blocks()), draw(small)
    W2, Ws, kind = draw(nonzero(len(block.W2), E)), draw(nonzero(block.x.shape[1], E)), draw(shortcuts)
    return Block(block.x, block.W1, W2), kind, Ws


def single(a):
    return a.astype(np.float32)


@claim(ref_torch.residual_block_torch, drawn=projected_blocks())
def projection_on_tensors(f, drawn):
    """Ws があれば、テンソルでもショートカットは x Ws を運ぶ。
    With Ws the shortcut carries x Ws on tensors too."""
    block, kind, Ws = drawn
    assert_close(f(*block, kind, Ws), ref.residual_block(*block, kind, Ws))


@claim(ref_torch.dense_block_torch, block=dense_blocks(smooth=True))
def dense_on_tensors_values_agree(f, block):
    """テンソルで計算しても、同じ入力の numpy 版と同じ値になる(float64 と float32)。
    On tensors the values are those of the same formula on arrays, in float64 and in float32."""
    expected = ref.dense_block(*block)
    assert_close(f(*block), expected)
    assert_close(f(single(block.x), [single(W) for W in block.weights]), expected, GRADIENT)


@claim(ref_torch.dense_block_torch, block=dense_blocks(smooth=True))
def dense_on_tensors_gradients_agree(f, block):
    """出力に重みを付けて足した和を逆伝播すると、x と各層の重みの勾配が正しい。先に出た特徴には、それを見るすべての層から勾配が届く。
    Back-propagating a weighted sum of the outputs gives the right gradient of x and of every layer's weights: a feature collects one from each layer that sees it."""
    assert_close(f.vjp(tuple(block)), f.expected.vjp(tuple(block)), GRADIENT)
