"""The laws of segmentation: fields and sizes are exact integers, maps and losses are compared as floats."""

import math
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, GRADIENT, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, integers, reals,
)
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from reference import segmentation as ref
from reference.nn_basics import conv_out_size
from reference.segmentation import Array, Labels

small, strides = st.integers(1, 3), st.integers(1, 3)


layer = st.tuples(st.integers(1, 5), strides, st.integers(1, 3))
stacks = st.lists(layer, min_size=1, max_size=5)


def seen_from(output, layers):
    """The input positions that an output position sees."""
    positions = {output}
    for kernel, stride, dilation in reversed(layers):
        positions = {o * stride + dilation * t for o in positions for t in range(kernel)}
    return positions


def outputs(layers, size):
    """How many outputs an input of this size gives without padding."""
    for kernel, stride, dilation in layers:
        size = max(0, (size - dilation * (kernel - 1) - 1) // stride + 1)
    return size


@claim(ref.receptive_field, layers=stacks)
def field_traced_back(f, layers):
    """出力の 1 点から各層のカーネルの位置 o·s + d·t を入力までさかのぼると、届く幅が field、隣の出力でのずれが jump である。
    Walking back from one output through the taps o·s + d·t of every layer reaches a width of field; the next output's lie jump further."""
    first, second = seen_from(0, layers), seen_from(1, layers)
    assert_equal(f(layers), (max(first) - min(first) + 1, min(second) - min(first)))


@claim(ref.receptive_field, layers=stacks)
def field_is_smallest_input(f, layers):
    """パディングなしでは、長さ field の入力から出力がちょうど 1 個、field - 1 からは 0 個、field + jump からは 2 個得られる。
    Without padding an input of field pixels gives one output, one of field - 1 gives none, one of field + jump gives two."""
    field, jump = f(layers)
    assert_equal([outputs(layers, size) for size in (field, field - 1, field + jump)], [1, 0, 2])


@claim(ref.receptive_field, lower=stacks, upper=stacks, at=lambda lower: st.integers(0, len(lower)))
def stacks_compose(f, lower, upper, at):
    """A の上に B を重ねると field = field_A + jump_A·(field_B - 1)、jump = jump_A·jump_B で、ストライド 1 の 1×1 層は何も変えない。
    B on top of A has field = field_A + jump_A·(field_B - 1) and jump = jump_A·jump_B; a 1×1 layer of stride 1 changes nothing."""
    (field_a, jump_a), (field_b, jump_b) = f(lower), f(upper)
    assert_equal(f(lower + upper), (field_a + jump_a * (field_b - 1), jump_a * jump_b))
    assert_equal(f([*lower[:at], (1, 1, 1), *lower[at:]]), (field_a, jump_a))


@claim(ref.receptive_field, layers=stacks, n=st.integers(1, 6))
def stacks_without_strides_add_up(f, layers, n):
    """ストライドがなければ層の順番によらない。3×3 を n 層で 2n+1、dilation 1, 2, 4, … なら 2^(n+1) - 1、層がなければ (1, 1) である。
    Without strides the order does not matter: n 3×3 layers see 2n+1, with dilations 1, 2, 4, … 2^(n+1) - 1; no layer at all is (1, 1)."""
    flat = [(kernel, 1, dilation) for kernel, _, dilation in layers]
    assert_equal(f(flat[::-1]), f(flat))
    assert_equal(f([(3, 1, 1)] * n), (2 * n + 1, 1))
    assert_equal(f([(3, 1, 2**i) for i in range(n)]), (2 ** (n + 1) - 1, 1))
    assert_equal(f([]), (1, 1))


@claim(
    ref.receptive_field, layers=st.lists(layer, min_size=2, max_size=5), at=lambda layers: st.integers(0, len(layers) - 1),
    stride=st.integers(2, 3),
)
def field_atrous(f, layers, at, stride):
    """ある層のストライド s を 1 にして、後のすべての層の dilation を s 倍しても field は同じで、jump は 1/s になる。
    Setting the stride s of one layer to 1 and multiplying the dilation of ALL later layers by s keeps field and divides jump by s."""
    kernel, _, dilation = layers[at]
    strided = [*layers[:at], (kernel, stride, dilation), *layers[at + 1 :]]
    dilated = [*layers[:at], (kernel, 1, dilation), *((k, s, d * stride) for k, s, d in layers[at + 1 :])]
    field, jump = f(dilated)
    assert_equal((field, jump * stride), f(strided))


class Sizes(NamedTuple):
    """The first arguments of `transposed_size`, and of `conv_out_size`, in their order."""

    size: int
    kernel: int
    stride: int
    padding: int


@st.composite
def upsamplings(draw):
    """A side that the kernel fits into, and a layer."""
    kernel = draw(st.integers(1, 5))
    return Sizes(draw(st.integers(kernel, 32)), kernel, draw(strides), draw(st.integers(0, (kernel - 1) // 2)))


@claim(ref.transposed_size, sizes=upsamplings(), output_padding=lambda sizes: st.integers(0, sizes.stride - 1))
def transposed_size_counts_the_stamped_cells(f, sizes, output_padding):
    """i 番目の画素は i·s から k 個のセルにカーネルを置く。出力の大きさは、最後のセルまでの個数から両側の p を引き、output_padding を足した数である。
    Pixel i puts its kernel on k cells from i·s on: count up to the last cell, take p off both sides, and add output_padding."""
    size, kernel, stride, padding = sizes
    cells = {i * stride + t for i in range(size) for t in range(kernel)}
    assert_equal(f(*sizes, output_padding), max(cells) + 1 - 2 * padding + output_padding)


@claim(ref.transposed_size, sizes=upsamplings())
def transposed_size_mirrors_the_convolution(f, sizes):
    """大きさ n を畳み込んでから同じ k, s, p で転置畳み込みをし、output_padding を (n + 2p - k) mod s とすると n に戻る。
    A side n that was convolved comes back by the transposed layer with the same k, s, p and output_padding (n + 2p - k) mod s."""
    size, *layer = sizes
    kernel, stride, padding = layer
    lost = (size + 2 * padding - kernel) % stride
    assert_equal(f(conv_out_size(size, *layer), *layer, lost), size)


@claim(ref.transposed_size, size=st.integers(1, 32), stride=strides, kernel=st.integers(1, 5))
def a_kernel_as_wide_as_the_stride_multiplies(f, size, stride, kernel):
    """k = s なら大きさは s·n、(k, s, p) = (4, 2, 1) なら 2n になる。stride 以降を省けば n + k - 1 である。
    With k = s the side is s·n, with (k, s, p) = (4, 2, 1) it is 2n; with stride and the rest left out it is n + k - 1."""
    assert_equal(f(size, stride, stride), stride * size)
    assert_equal(f(size, 4, 2, 1), 2 * size)
    assert_equal(f(size, kernel), size + kernel - 1)


class Transposed(NamedTuple):
    """The arguments of `conv_transpose2d`, in its order."""

    x: Array
    w: Array
    stride: int
    padding: int


@st.composite
def transposed(draw):
    """A small transposed convolution of maps that are seldom square."""
    N, C, M, K = draw(st.integers(1, 2)), draw(small), draw(small), draw(st.sampled_from([1, 2, 3, 3]))
    H, W = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    return Transposed(draw(reals(N, C, H, W)), draw(reals(C, M, K, K)), draw(strides), draw(st.integers(0, K // 2)))


def full_sides(layer):
    """Sides of the output before anything is cut."""
    return [(side - 1) * layer.stride + layer.w.shape[-1] for side in layer.x.shape[2:]]


def cut(full, padding):
    return full[:, :, padding : full.shape[2] - padding, padding : full.shape[3] - padding]


@claim(ref.conv_transpose2d, layer=transposed())
def transposed_convolution_is_stuffing_and_full_convolution(f, layer):
    """x の画素の間に 0 を s-1 個、周りに k-1 個入れ、180° 回したカーネルとの相互相関をとり、各辺から p 画素を切り取ったものである。
    Put s-1 zeros between the pixels of x and k-1 around it, correlate with the kernel turned by 180°, and cut p pixels off each side."""
    x, w, s, p = layer
    (N, C, H, W), K = x.shape, w.shape[-1]
    stuffed = np.zeros((N, C, (H - 1) * s + 1 + 2 * (K - 1), (W - 1) * s + 1 + 2 * (K - 1)))
    stuffed[:, :, K - 1 : K + (H - 1) * s : s, K - 1 : K + (W - 1) * s : s] = x
    windows = sliding_window_view(stuffed, (K, K), axis=(2, 3))
    assert_close(f(*layer), cut(np.einsum("ncabij,cmij->nmab", windows, w[:, :, ::-1, ::-1]), p))


def of_the_output(layer):
    """A map of the output's shape."""
    sides = (side - 2 * layer.padding for side in full_sides(layer))
    return reals(len(layer.x), layer.w.shape[1], *sides)


@claim(ref.conv_transpose2d, layer=transposed(), z=of_the_output)
def transposed_is_adjoint(f, layer, z):
    """出力の形のどんな z についても ⟨z, conv_transpose(x)⟩ = ⟨conv(z), x⟩ である。同じ重みの畳み込みの逆伝播であり、逆写像ではない。
    For every z of the output's shape ⟨z, conv_transpose(x)⟩ = ⟨conv(z), x⟩: the backward pass of the convolution, not its inverse."""
    x, w, s, p = layer
    windows = sliding_window_view(np.pad(z, ((0, 0), (0, 0), (p, p), (p, p))), w.shape[2:], axis=(2, 3))[:, :, ::s, ::s]
    convolved = np.einsum("nmabij,cmij->ncab", windows, w)
    terms = z * f(*layer)
    within = FORWARD._replace(single=(0, 1e-4 * float(abs(terms).sum()), 0))
    assert_close(float(terms.sum()), float(np.sum(convolved * x)), within)


def pixels(layer):
    """An image, a channel, a row and a column of x."""
    return st.tuples(*(st.integers(0, side - 1) for side in layer.x.shape))


@claim(ref.conv_transpose2d, layer=transposed(), at=pixels)
def transposed_shape_and_impulse(f, layer, at):
    """チャネル c の (i, j) だけが 1 の入力は、カーネル w[c] をそのままの向きで (i·s - p, j·s - p) に置き、x に 1 を足せば出力にそれが足される。
    A 1 at (i, j) of channel c puts the kernel w[c], not flipped, at (i·s - p, j·s - p); adding 1 there to x adds that to the output."""
    n, c, i, j = at
    K, s = layer.w.shape[-1], layer.stride
    impulse = np.zeros_like(layer.x)
    impulse[at] = 1
    stamp = np.zeros((len(layer.x), layer.w.shape[1], *full_sides(layer)))
    stamp[n, :, i * s : i * s + K, j * s : j * s + K] = layer.w[c]
    stamp = cut(stamp, layer.padding)
    assert_close(f(*layer._replace(x=impulse)), stamp)
    assert_close(f(*layer._replace(x=layer.x + impulse)), f(*layer) + stamp)


@claim(ref.conv_transpose2d, layer=transposed())
def transposed_conserves_mass(f, layer):
    """padding 0 なら、出力チャネル m の和は Σ_c (x[c] の和)·(w[c, m] の和) である。stride を省いて 1 としても同じである。
    Without padding the sum of output channel m is Σ_c (sum of x[c])·(sum of w[c, m]); with stride left out (1) it is the same."""
    mass = layer.x.sum((2, 3)) @ layer.w.sum((2, 3))
    assert_close(np.sum(f(*layer[:3]), (2, 3)), mass)
    assert_close(np.sum(f(*layer[:2]), (2, 3)), mass)


@claim(ref.conv_transpose2d)
def overlapping_kernels_add_up(f):
    """すべて 1 の 1×2 の入力と 3×3 のカーネル、stride 2 では、二つのカーネルが重なる中央の列だけが 2 になる(市松模様の原因)。
    With a 1×2 input and a 3×3 kernel of ones and stride 2 the two kernels overlap in the middle column, which is 2 (the cause of checkerboards)."""
    assert_close(f(np.ones((1, 1, 1, 2)), np.ones((1, 1, 3, 3)), 2), np.array([[[[1.0, 1, 2, 1, 1]] * 3]]))


MAPS = {32: 1, 16: 2, 8: 3}
images, variants = st.integers(33, 700), st.sampled_from([32, 16, 8])


@claim(ref.fcn_shape_plan, size=images, stride=variants)
def fcn_size_laws(f, size, stride):
    """足すマップは 32s で 1 枚、16s で 2 枚、8s で 3 枚。辺はプーリング後の ⌈n/2⌉、2·辺 - 切り取り = 次の辺、stride·最後の辺 - 切り取り = 入力である。
    32s adds one map, 16s two, 8s three; sides follow the poolings, ⌈n/2⌉; 2·side - crop is the next side, stride·last side - crop the input."""
    pooled = [size]
    for _ in range(5):
        pooled.append(math.ceil(pooled[-1] / 2))
    sides = pooled[5 : 5 - MAPS[stride] : -1]
    ups = [2 * side for side in sides[:-1]] + [stride * sides[-1]]
    assert_equal(f(size, stride), (sides, [up - goal for up, goal in zip(ups, sides[1:] + [size])]))


@claim(ref.fcn_shape_plan, size=images)
def fcn_size_nested(f, size):
    """16s のマップは 32s のものに、8s のマップは 16s のものに、細かい 1 枚が加わっただけである。画像を 32 大きくすると辺は 1, 2, 4 増え、切り取りは変わらない。
    The maps of 16s begin with those of 32s, the maps of 8s with those of 16s; growing the image by 32 adds 1, 2, 4 to the sides and leaves the crops."""
    (coarse, _), (middle, _), (fine, crops) = f(size, 32), f(size, 16), f(size, 8)
    assert_equal((coarse, middle), (fine[:1], fine[:2]))
    assert_equal(f(size + 32, 8), ([side + more for side, more in zip(fine, (1, 2, 4))], crops))


@claim(ref.fcn_shape_plan, m=st.integers(1, 20), stride=variants)
def multiples_of_32_need_no_crop(f, m, stride):
    """辺が 32 で割り切れれば、何も切り取らない(n/32, n/16, n/8)。
    Where 32 divides the side nothing is cut (n/32, n/16, n/8)."""
    assert_equal(f(32 * m, stride), ([m, 2 * m, 4 * m][: MAPS[stride]], [0] * MAPS[stride]))


@st.composite
def poolings(draw):
    """Maps and a side of windows that divides them; equal values abound in whole numbers."""
    C, h, w, k = draw(st.integers(1, 2)), draw(small), draw(small), draw(small)
    x = draw(reals(2, C, h * k, w * k))
    return (np.round(x) if draw(st.integers(0, 2)) == 0 else x), k


def windows_of(x, k):
    """Positions of the windows, and where each begins."""
    N, C, H, W = x.shape
    return ((at, at[2] * k, at[3] * k) for at in np.ndindex(N, C, H // k, W // k))


@claim(ref.max_pool_indices, pooling=poolings())
def pool_index_law(f, pooling):
    """各窓の最大値と、その位置の番号 行·W + 列(入力の平面で数える。同点なら行の順で最初)である。
    They are each window's maximum and its position row·W + column in the plane of the input (in row order the first of equals)."""
    x, k = pooling
    shape = *x.shape[:2], x.shape[2] // k, x.shape[3] // k
    values, indices = np.empty(shape), np.empty(shape, int)
    for at, row, column in windows_of(x, k):
        cells = [(i, j) for i in range(row, row + k) for j in range(column, column + k)]
        values[at] = max(x[at[0], at[1], i, j] for i, j in cells)
        i, j = next((i, j) for i, j in cells if x[at[0], at[1], i, j] == values[at])
        indices[at] = i * x.shape[3] + j
    found = f(x, k)
    assert_close(found[0], values)
    assert_equal(found[1], indices)


@claim(ref.max_pool_indices, pooling=poolings())
def indices_point_into_their_windows(f, pooling):
    """どの番号もその窓の中の位置であり、平らにした平面をその番号で読むと窓の値になる。
    Every index is a position in its own window, and reading the flattened plane there gives the window's value."""
    x, k = pooling
    values, indices = f(x, k)
    W = x.shape[3]
    rows, columns = np.indices(np.shape(indices))[2:]
    assert_equal((indices // W // k, indices % W // k), (rows, columns))
    planes = x.reshape(*x.shape[:2], -1)
    assert_close(np.take_along_axis(planes, indices.reshape(*x.shape[:2], -1), 2).reshape(indices.shape), values)


@claim(ref.max_pool_indices, value=st.integers(-2, 2), h=small, w=small, k=st.integers(2, 3))
def equal_values_give_the_first_position(f, value, h, w, k):
    """すべて同じ値の平面では、どの窓でも左上の位置が選ばれる(4×4、k=2 なら 0, 2, 8, 10)。
    On a constant plane every window takes its upper left position (0, 2, 8, 10 on 4×4 with k=2)."""
    corners = np.arange(h)[:, None] * k * (k * w) + np.arange(w) * k
    assert_equal(f(np.full((1, 1, k * h, k * w), float(value)), k)[1][0, 0], corners)


class Pooled(NamedTuple):
    """The arguments of `max_unpool`, in its order."""

    y: Array
    indices: Labels
    k: int


@st.composite
def pooled(draw):
    """Values without 0, each to be put at a random place of its window."""
    C, h, w, k = draw(st.integers(1, 2)), draw(small), draw(small), draw(small)
    place = draw(integers(2, C, h, w, low=0, high=k * k - 1))
    rows, columns = np.arange(h)[:, None] * k + place // k, np.arange(w) * k + place % k
    return Pooled(draw(reals(2, C, h, w, zero=False)), rows * (w * k) + columns, k)


@claim(ref.max_unpool, pooled=pooled())
def unpool_puts_each_value_at_its_index(f, pooled):
    """窓 (a, b) の値は、負でもそのまま、番号 index の位置(行 index // W、列 index % W)に置かれ、ほかはすべて 0 である。
    The value of each window, negative ones too, stands at row index // W, column index % W; all else is 0."""
    y, indices, k = pooled
    x = np.zeros((*y.shape[:2], y.shape[2] * k, y.shape[3] * k))
    for n, c, a, b in np.ndindex(*y.shape):
        row, column = divmod(int(indices[n, c, a, b]), x.shape[3])
        x[n, c, row, column] = y[n, c, a, b]
    assert_close(f(*pooled), x)


@claim(ref.max_unpool, pooled=pooled())
def unpooling_leaves_one_value_a_window(f, pooled):
    """どの窓でも 0 でない画素はちょうど 1 個で、窓の和は元の値に等しい(y に 0 がないとき)。
    Where y has no 0 exactly one pixel of each window is not 0, and the window's sum is the value."""
    y, _, k = pooled
    N, C, h, w = y.shape
    windows = np.asarray(f(*pooled)).reshape(N, C, h, k, w, k)
    assert_close(windows.sum((3, 5)), y)
    assert_equal(np.count_nonzero(windows, (3, 5)), np.ones(y.shape, int))


@claim(ref.max_unpool, pooled=pooled())
def pooling_undoes_unpooling(f, pooled):
    """正の値をアンプーリングしてからプーリングすると、値も番号も元に戻る。
    Pooling what was unpooled from positive values gives back the values and the indices."""
    positive = pooled._replace(y=abs(pooled.y))
    values, indices = ref.max_pool_indices(f(*positive), pooled.k)
    assert_close(values, positive.y)
    assert_equal(indices, pooled.indices)


@claim(ref.unet_shape_plan, depth=st.integers(0, 4), bottom=st.integers(8, 40))
def unet_plan_walks_down_and_up(f, depth, bottom):
    """padding 0 なら 2^d·t + 4(2^d-1) から 12·2^d - 8 小さくなり、切り取りは深い順に 8, 32, 80, …。padding 1 なら大きさは変わらない。
    Without padding 2^d·t + 4(2^d-1) shrinks by 12·2^d - 8 and the crops are 8, 32, 80, …, deepest first; with padding 1 every size stays."""
    size = 2**depth * bottom + 4 * (2**depth - 1)
    plan = size - 12 * 2**depth + 8, [24 * 2**i - 16 for i in range(depth)]
    assert_equal(f(size, depth), plan)
    assert_equal(f(size, depth, 0), plan)
    assert_equal(f(2**depth * bottom, depth, 1), (2**depth * bottom, [0] * depth))


@claim(ref.unet_shape_plan, m=st.integers(12, 40))
def unet_published(f, m):
    """論文の U-Net(深さ 4)は 572 から 388 を作り、切り取りは合計 8, 32, 80, 176 画素(片側 4, 16, 40, 88)である。16m+12 なら n - 184 になる。
    The published U-Net (depth 4) makes 388 of 572 and cuts 8, 32, 80, 176 pixels in total (4, 16, 40, 88 a side); a side of 16m+12 gives n - 184."""
    assert_equal(f(572, 4), (388, [8, 32, 80, 176]))
    assert_equal(f(16 * m + 12, 4), (16 * m + 12 - 184, [8, 32, 80, 176]))


@claim(ref.unet_shape_plan, half=st.integers(10, 50))
def unet_one_level(f, half):
    """深さ 0 は 3×3 畳み込み 2 回で n - 4。深さ 1 は、スキップ n - 4、底 (n-4)/2 - 4、拡大して n - 12、切り取り 8、出力 n - 16 である。
    Depth 0 is two 3×3 convolutions, n - 4. Depth 1: skip n - 4, bottom (n-4)/2 - 4, doubled n - 12, crop 8, output n - 16."""
    n = 2 * half
    assert_equal(f(n, 0), (n - 4, []))
    assert_equal(f(n, 1), (n - 16, [8]))


class Batch(NamedTuple):
    """The arguments of `pixel_cross_entropy`, in its order."""

    logits: Array
    labels: Labels
    ignore: int


@st.composite
def batches(draw, channels=4):
    """Logits and labels, about a third of them void, never all; void is 255, -1 or C."""
    N, C, H, W = draw(small), draw(st.integers(2, channels)), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    void = draw(integers(N, H, W, low=0, high=9)) > 6
    void[-1, -1, -1] &= not void.all()
    ignore = draw(st.sampled_from([255, -1, C]))
    labels = np.where(void, ignore, draw(integers(N, H, W, low=0, high=C - 1)))
    return Batch(draw(reals(N, C, H, W, low=-4, high=4)), labels, ignore)


def asked(batch):
    """The arguments; the usual number of void pixels is left out."""
    return batch[:2] if batch.ignore == 255 else batch


@claim(ref.pixel_cross_entropy, batch=batches())
def pixel_loss_and_gradient_pixel_by_pixel(f, batch):
    """損失は、無視ラベルでない画素の -ln p[正解] の平均。勾配はその画素で (p - one-hot)/(数えた画素数)、無視した画素で 0 である。
    The loss is the mean of -ln p[label] over the pixels that are not void; the gradient is (p - one-hot)/their number there, 0 at void pixels."""
    logits, labels, ignore = batch
    pixels = [at for at in np.ndindex(*labels.shape) if labels[at] != ignore]
    total, dlogits = 0.0, np.zeros(logits.shape)
    for n, i, j in pixels:
        e = [math.exp(z) for z in logits[n, :, i, j]]
        total -= math.log(e[labels[n, i, j]] / sum(e))
        for c, part in enumerate(e):
            dlogits[n, c, i, j] = (part / sum(e) - (c == labels[n, i, j])) / len(pixels)
    loss, gradient = f(*asked(batch))
    assert_close(loss, total / len(pixels))
    assert_close(gradient, dlogits, GRADIENT)


@claim(ref.pixel_cross_entropy, batch=batches(), u=lambda batch: reals(*batch.logits.shape))
def pixel_gradient_matches_differences(f, batch, u):
    """dlogits の方向微分は損失の中心差分に等しい。各画素でクラスについて足すと 0 である。
    Along any direction dlogits matches the central difference of the loss, and its sum over the classes is 0 at every pixel."""
    _, dlogits = f(*asked(batch))
    assert_slope([dlogits], [u], derivative(lambda z: ref.pixel_cross_entropy(z, *batch[1:])[0], [batch.logits], [u]))
    assert_close(np.sum(dlogits, 1), np.zeros(batch.labels.shape))


@claim(
    ref.pixel_cross_entropy, batch=batches(), shift=lambda batch: reals(len(batch.logits), 1, *batch.logits.shape[2:]),
    order=lambda batch: st.permutations(range(batch.logits.shape[1])),
)
def only_differences_between_classes_count(f, batch, shift, order):
    """どのロジットも等しければ損失は ln C。画素ごとに全クラスへ同じ数を足しても、クラスの番号を付け替えても、損失は変わらない。
    Equal logits cost ln C; adding one number to all classes of a pixel changes nothing, and neither does renaming the classes."""
    logits, labels, _ = batch
    assert_close(f(*asked(batch._replace(logits=0 * logits)))[0], math.log(logits.shape[1]))
    loss = f(*asked(batch))[0]
    assert_close(f(*asked(batch._replace(logits=logits + shift)))[0], loss)
    renamed = labels.copy()
    for new, old in enumerate(order):
        renamed[labels == old] = new
    assert_close(f(*asked(Batch(logits[:, order], renamed, batch.ignore)))[0], loss)


@claim(ref.pixel_cross_entropy, batch=batches(), noise=lambda batch: reals(*batch.logits.shape))
def void_pixels_change_nothing(f, batch, noise):
    """無視する画素のロジットを変えても、損失も勾配も変わらない(その画素の勾配は 0)。
    Changing the logits of void pixels changes neither the loss nor the gradient (which is 0 there)."""
    void = (batch.labels == batch.ignore)[:, None]
    loss, dlogits = f(*asked(batch))
    other, changed = f(*asked(batch._replace(logits=batch.logits + 2 * noise * void)))
    assert_close(other, loss)
    assert_close(changed, dlogits, GRADIENT)
    assert_close(dlogits * void, np.zeros_like(noise))


@claim(ref.pixel_cross_entropy, batch=batches())
def a_batch_of_void_costs_nothing(f, batch):
    """すべての画素が無視ラベルなら、損失は 0、勾配も 0 である(0/0 にしない)。
    Where every pixel is void the loss is 0 and the gradient is 0 (not 0/0)."""
    loss, dlogits = f(*asked(batch._replace(labels=np.full_like(batch.labels, batch.ignore))))
    assert_close(loss, 0.0)
    assert_close(dlogits, np.zeros_like(batch.logits))


@claim(ref.pixel_cross_entropy, batch=batches(), c=lambda batch: st.integers(0, batch.logits.shape[1] - 1))
def huge_logits_stay_finite(f, batch, c):
    """一つのクラスのロジットだけが 1000 なら、正解がそのクラスの画素の損失は 0、ほかの画素の損失は 1000 である(log-softmax)。
    With 1000 for one class and 0 for the others a pixel costs 0 where that class is right and 1000 where it is wrong (log-softmax)."""
    logits = np.zeros_like(batch.logits)
    logits[:, c] = 1000
    counted = batch.labels != batch.ignore
    wrong = float(np.mean(batch.labels[counted] != c))
    assert_close(f(*asked(batch._replace(logits=logits)))[0], 1000 * wrong)


@claim(ref.pixel_cross_entropy, batch=batches())
def pixel_ce_pools_pixels(f, batch):
    """どの画像の画素も同じ重みをもつ: バッチの損失は、画像ごとの損失を数えた画素数で重み付けした平均である。H と W を入れ替えても変わらない。
    Every pixel weighs the same, whatever its image: the loss of the batch is the mean of the images' losses weighted by their counted pixels; exchanging H and W changes nothing."""
    logits, labels, ignore = batch
    number = (labels != ignore).sum((1, 2))
    losses = [f(*asked(Batch(logits[n : n + 1], labels[n : n + 1], ignore)))[0] for n in range(len(labels))]
    loss = f(*asked(batch))[0]
    assert_close(loss, float(number @ np.array(losses) / number.sum()))
    assert_close(f(*asked(Batch(logits.swapaxes(2, 3), labels.swapaxes(1, 2), ignore)))[0], loss)


class Maps(NamedTuple):
    """The arguments of `segmentation_scores`, in its order."""

    predicted: Labels
    labels: Labels
    classes: int


@st.composite
def maps(draw):
    """Maps of 2 … 15 pixels; each draws from some of the classes, so that a class may be in one or in neither."""
    H, W, classes = draw(small), draw(st.integers(2, 5)), draw(st.integers(2, 4))
    some = st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes, unique=True)
    guess, labels = (np.array(found)[draw(integers(H, W, low=0, high=11)) % len(found)] for found in (draw(some), draw(some)))
    return Maps(np.where(draw(integers(H, W, low=0, high=2)) == 1, labels, guess), labels, classes)


def where(found, c):
    """The set of pixels of a class."""
    return set(np.flatnonzero(found == c).tolist())


def ratio(part, whole):
    return part / whole if whole else 0.0


@claim(ref.segmentation_scores, maps=maps())
def scores_are_counted_by_sets(f, maps):
    """予測の画素の集合 P と正解の集合 T で、IoU = |P∩T|/|P∪T|、Dice = 2|P∩T|/(|P|+|T|)、miou はどちらかに現れるクラスの平均、mean_accuracy は正解にあるクラスの |P∩T|/|T| の平均である。
    With the pixels P predicted and T true of a class: IoU = |P∩T|/|P∪T|, Dice = 2|P∩T|/(|P|+|T|), miou the mean over classes in either map, mean_accuracy that of |P∩T|/|T| over the classes in labels."""
    predicted, labels, classes = maps
    P, T = ([where(found, c) for c in range(classes)] for found in (predicted, labels))
    iou = [ratio(len(p & t), len(p | t)) for p, t in zip(P, T)]
    scores = {
        "pixel_accuracy": sum(len(p & t) for p, t in zip(P, T)) / labels.size,
        "mean_accuracy": float(np.mean([len(p & t) / len(t) for p, t in zip(P, T) if t])),
        "iou": np.array(iou),
        "dice": np.array([ratio(2 * len(p & t), len(p) + len(t)) for p, t in zip(P, T)]),
        "miou": float(np.mean([i for i, p, t in zip(iou, P, T) if p or t])),
        "confusion": np.array([[len(p & t) for p in P] for t in T]),
    }
    assert_close(f(*maps), scores)


@claim(
    ref.segmentation_scores, maps=maps(), order=lambda maps: st.permutations(range(maps.classes)),
    pixels=lambda maps: st.permutations(range(maps.labels.size)),
)
def scores_laws(f, maps, order, pixels):
    """Dice = 2·IoU/(1+IoU)。完全な予測は 1。予測と正解を入れ替えても IoU と Dice は同じ。画素の順番によらず、クラスの番号を付け替えると得点も並べ替わるだけである。
    Dice = 2·IoU/(1+IoU); a perfect map scores 1; exchanging prediction and truth keeps IoU and Dice; the order of pixels plays no part, and renaming classes reorders the scores."""
    predicted, labels, classes = maps
    scores, names = f(*maps), np.array(order)
    assert_close(scores["dice"], 2 * scores["iou"] / (1 + scores["iou"]))
    perfect = f(labels, labels, classes)
    assert_close([perfect[key] for key in ("pixel_accuracy", "mean_accuracy", "miou")], [1.0, 1.0, 1.0])
    swapped = f(labels, predicted, classes)
    assert_close([swapped["iou"], swapped["dice"]], [scores["iou"], scores["dice"]])
    shuffled = f(*(found.ravel()[list(pixels)].reshape(found.shape) for found in maps[:2]), classes)
    assert_close(shuffled, scores)
    renamed = f(names[predicted], names[labels], classes)
    assert_close([renamed["iou"][names], renamed["miou"]], [scores["iou"], scores["miou"]])


@claim(ref.segmentation_scores, maps=maps())
def confusion_counts(f, maps):
    """confusion[t, p] は、正解が t で予測が p の画素の数。行の和は正解の、列の和は予測の画素数である。
    confusion[t, p] counts the pixels of true class t predicted as p: rows sum to the true pixels of a class, columns to the predicted ones."""
    confusion = f(*maps)["confusion"]
    for found, axis in ((maps.labels, 1), (maps.predicted, 0)):
        assert_equal(np.sum(confusion, axis), np.array([len(where(found, c)) for c in range(maps.classes)]))
    assert_equal(np.diag(confusion), np.array([np.sum((maps.labels == c) & (maps.predicted == c)) for c in range(maps.classes)]))


@claim(ref.segmentation_scores, maps=maps(), at=lambda maps: st.integers(0, maps.labels.size - 1))
def mean_accuracy_laws(f, maps, at):
    """正解のクラスの一つだけで塗りつぶすと mean_accuracy は 1/(正解のクラス数)。どこにもないクラスを増やしても、あるクラスの画素を 2 倍にしても変わらず、miou 以上である。
    One true class everywhere gives a mean_accuracy of 1/(number of true classes); neither an unused class nor doubling the pixels of a class changes it, and it is at least miou."""
    predicted, labels, classes = maps
    scores, c = f(*maps), labels.flat[at]
    flat = f(np.full_like(labels, c), labels, classes)
    assert_close(flat["mean_accuracy"], 1 / len(set(labels.flat)))
    more = f(predicted, labels, classes + 1)
    assert_close([more["mean_accuracy"], more["miou"]], [scores["mean_accuracy"], scores["miou"]])
    doubled = f(*(np.append(found, found[labels == c])[None] for found in (predicted, labels)), classes)
    assert_close(doubled["mean_accuracy"], scores["mean_accuracy"])
    assert_at_most(scores["miou"], scores["mean_accuracy"])
