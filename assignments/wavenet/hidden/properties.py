"""The laws of WaveNet's convolution, its gate, its layer and its levels."""

from typing import NamedTuple

import numpy as np
from autograder.properties import assert_at_most, assert_close, assert_equal, claim, integers, reals, twin
from hypothesis import strategies as st

from reference import wavenet as ref
from reference import wavenet_torch as ref_torch
from reference.wavenet import Array

small = st.integers(1, 3)


class Conv(NamedTuple):
    """The arguments of `causal_conv1d`, in its order."""

    x: Array
    w: Array
    b: Array
    dilation: int

    @property
    def times(self):
        return self.x.shape[2]

    @property
    def reach(self):
        """How many samples back the first tap looks."""
        return (self.w.shape[2] - 1) * self.dilation


@st.composite
def convs(draw):
    """A few short sequences, taps, biases, and a dilation."""
    N, C, M, K = draw(st.integers(1, 2)), draw(small), draw(small), draw(st.integers(1, 4))
    T, dilation = draw(st.integers(1, 11)), draw(st.integers(1, 4))
    return Conv(draw(reals(N, C, T)), draw(reals(M, C, K)), draw(reals(M)), dilation)


def summed(x, w, b, dilation):
    """The convolution, one output and one tap after the other."""
    (N, _, T), (M, _, K) = x.shape, w.shape
    y = np.empty((N, M, T))
    for n, m, t in np.ndindex(N, M, T):
        seen = [(k, t - (K - 1 - k) * dilation) for k in range(K)]
        y[n, m, t] = b[m] + sum(x[n, :, s] @ w[m, :, k] for k, s in seen if s >= 0)
    return y


@claim(ref.causal_conv1d, conv=convs())
def conv_is_a_sum_over_past_samples(f, conv):
    """y[t] は b と w[:, :, k]·x[t−(K−1−k)·d] の和である。時刻 0 より前は 0、最後のタップが現在の標本に掛かり、dilation を省けば d = 1 である。
    y[t] is b plus the sum of w[:, :, k]·x[t−(K−1−k)·d]: zeros before time 0, the last tap on the present sample, d = 1 if left out."""
    assert_close(f(*conv), summed(*conv))
    assert_close(f(*conv[:3]), summed(*conv[:3], 1))


@claim(
    ref.causal_conv1d, conv=convs(), t0=lambda conv: st.integers(0, conv.times - 1),
    other=lambda conv: reals(*conv.x.shape, zero=False),
)
def conv_keeps_length_and_causality(f, conv, t0, other):
    """時刻 t0 以降の入力をどう変えても、t0 より前の出力は変わらない(未来を見ない)。
    However the input changes from time t0 on, the outputs before t0 stay: nothing comes from the future."""
    changed = np.where(np.arange(conv.times) >= t0, conv.x + other, conv.x)
    assert_close(f(*conv._replace(x=changed))[:, :, :t0], f(*conv)[:, :, :t0])


@claim(ref.causal_conv1d, conv=convs(), t0=st.integers(0, 3), c=lambda conv: st.integers(0, conv.x.shape[1] - 1))
def impulse_response(f, conv, t0, c):
    """b = 0 のとき、チャネル c の時刻 t0 だけが 1 の入力は、時刻 t0 + j·d に w[:, c, K−1−j] を、ほかの時刻に 0 を返す。
    With b = 0, an input that is 1 at time t0 of channel c alone gives w[:, c, K−1−j] at t0 + j·d, and 0 elsewhere."""
    T = t0 + conv.reach + 2
    impulse = np.zeros((1, conv.x.shape[1], T))
    impulse[0, c, t0] = 1
    response = np.zeros((1, len(conv.w), T))
    response[0, :, t0 : t0 + conv.reach + 1 : conv.dilation] = conv.w[:, c, ::-1]
    assert_close(f(impulse, conv.w, 0 * conv.b, conv.dilation), response)


@claim(ref.causal_conv1d, conv=convs())
def dilation_is_zero_stuffing(f, conv):
    """ダイレーション d は、タップの間に 0 を d−1 個はさんだ普通の畳み込みに等しい。入力を 1 標本遅らせれば y − b も 1 標本遅れ、K = 1 なら標本ごとの行列積である。
    Dilation d equals the ordinary convolution with d−1 zeros between the taps; an input one sample later makes y − b one later; K = 1 is a matrix product."""
    x, w, b, d = conv
    y = f(*conv)
    stuffed = np.zeros((*w.shape[:2], conv.reach + 1))
    stuffed[:, :, ::d] = w
    assert_close(y, f(x, stuffed, b, 1))
    later = np.pad(x, ((0, 0), (0, 0), (1, 0)))
    assert_close(f(later, w, 0 * b, d), np.pad(y - b[:, None], ((0, 0), (0, 0), (1, 0))))
    assert_close(f(x, w[:, :, :1], b, d), w[:, :, 0] @ x + b[:, None])


kernels, gaps = st.integers(1, 5), st.lists(st.integers(1, 9), max_size=5)


@claim(ref.dilated_receptive_field, kernel=kernels, dilations=gaps)
def receptive_field_is_reach(f, kernel, dilations):
    """受容野は、時刻 0 のインパルスが届く最後の時刻までの標本の数(両端を含む)に等しい。1 層ごとに 0, d, …, (K−1)d だけ先へ届く。
    The field counts the samples from an impulse to the last one that it reaches, both included; a layer reaches 0, d, …, (K−1)d further."""
    reached = {0}
    for d in dilations:
        reached = {t + j * d for t in reached for j in range(kernel)}
    assert_equal(f(kernel, dilations), max(reached) + 1)


@claim(ref.dilated_receptive_field, kernel=kernels, dilations=gaps, n=st.integers(1, 8), blocks=st.integers(1, 4))
def receptive_field_laws(f, kernel, dilations, n, blocks):
    """K = 2 で d = 1, 2, …, 2^(n−1) なら 2^n、d がすべて 1 なら 1 + n(K−1)、0 層や K = 1 なら 1。順序によらず、B 回繰り返せば B·(RF−1) + 1 である。
    K = 2 with d = 1, 2, …, 2^(n−1) sees 2^n, n layers of d = 1 see 1 + n(K−1), no layer or K = 1 sees 1; order is nothing; B blocks see B·(RF−1) + 1."""
    assert_equal(f(2, [2**i for i in range(n)]), 2**n)
    assert_equal(f(kernel, [1] * n), 1 + n * (kernel - 1))
    assert_equal((f(kernel, []), f(1, dilations)), (1, 1))
    field = f(kernel, dilations)
    assert_equal(f(kernel, dilations[::-1]), field)
    assert_equal(f(kernel, blocks * dilations), blocks * (field - 1) + 1)


@st.composite
def gates(draw):
    """Filter and gate, a few of their numbers enormous."""
    shape = draw(small), 2 * draw(small), draw(st.integers(1, 5))
    z, size = draw(reals(*shape, low=-5, high=5)), draw(integers(*shape, low=0, high=9))
    return np.where(size == 9, 1000 * np.sign(z), z)


@claim(ref.gated_activation, z=gates())
def gate_multiplies_tanh_by_sigmoid(f, z):
    """前半のチャネルを f、後半を g とすると、結果は tanh(f) / (1 + e^(−g)) である。大きさが 1000 の入力でも溢れない。
    With f the first half of the channels and g the second, the result is tanh(f) / (1 + e^(−g)), without overflow at ±1000."""
    C = z.shape[1] // 2
    expected = np.empty((len(z), C, z.shape[2]))
    for n, c, t in np.ndindex(*expected.shape):
        expected[n, c, t] = np.tanh(z[n, c, t]) * (1 + np.tanh(z[n, C + c, t] / 2)) / 2
    assert_close(f(z), expected)


@claim(ref.gated_activation, z=small.flatmap(lambda C: reals(2, 2 * C, 3, low=-5, high=5)))
def gate_laws(f, z):
    """ゲートの値 g = 0 なら tanh(f)/2、g = 50 なら tanh(f)、g = −50 なら 0 になる。f の符号を変えれば結果も変わり、g と −g の結果の和は tanh(f) である。
    Gate g = 0 gives tanh(f)/2, g = 50 gives tanh(f), g = −50 gives 0; −f gives the negative; the results of g and −g add up to tanh(f)."""
    filters, gate = np.split(z, 2, axis=1)
    joined = lambda f, g: np.concatenate([f, g], axis=1)
    passed, ones = np.tanh(filters), np.ones_like(filters)
    assert_close(f(joined(filters, 0 * ones)), passed / 2)
    assert_close(f(joined(filters, 50 * ones)), passed)
    assert_close(f(joined(filters, -50 * ones)), 0 * passed)
    assert_close(f(joined(-filters, gate)), -f(z))
    assert_close(f(z) + f(joined(filters, -gate)), passed)


class Layer(NamedTuple):
    """The arguments of `wavenet_layer`, in its order."""

    x: Array
    w: Array
    b: Array
    w_res: Array
    w_skip: Array
    dilation: int


@st.composite
def layers(draw):
    """A layer on two sequences."""
    C, S, K, T = draw(small), draw(small), draw(small), draw(st.integers(2, 9))
    x, w, b = draw(reals(2, C, T)), draw(reals(2 * C, C, K)), draw(reals(2 * C))
    return Layer(x, w, b, draw(reals(C, C)), draw(reals(C, S)), draw(st.sampled_from([1, 2, 4])))


def gated(layer):
    """The gated output, written out."""
    filters, gate = np.split(summed(*layer[:3], layer.dilation), 2, axis=1)
    return np.tanh(filters) / (1 + np.exp(-gate))


@claim(ref.wavenet_layer, layer=layers(), t0=lambda layer: st.integers(1, layer.x.shape[2] - 1))
def layer_adds_its_branch_and_is_causal(f, layer, t0):
    """z = tanh(w_f∗x + b_f)·σ(w_g∗x + b_g) として、各時刻で out = x + w_resᵀz、skip = w_skipᵀz である。t0 以降の入力は、t0 より前の out も skip も変えない。
    With z = tanh(w_f∗x + b_f)·σ(w_g∗x + b_g), at each time out = x + w_resᵀz and skip = w_skipᵀz; inputs from t0 on change neither before t0."""
    z = gated(layer)
    out, skip = f(*layer)
    assert_close(out, layer.x + layer.w_res.T @ z)
    assert_close(skip, layer.w_skip.T @ z)
    silenced = layer._replace(x=np.where(np.arange(layer.x.shape[2]) >= t0, 1 - layer.x, layer.x))
    for changed, before in zip(f(*silenced), (out, skip), strict=True):
        assert_close(changed[:, :, :t0], before[:, :, :t0])


@claim(ref.wavenet_layer, layer=layers(), a=st.integers(-3, 3))
def layer_residual_and_skip(f, layer, a):
    """w_res = 0 なら out = x で、w_res を a 倍すれば out − x も a 倍になり、skip は変わらない。w_skip を a 倍すれば skip も a 倍になる。両方が I なら out − x = skip = z である。
    w_res = 0 gives out = x; a times w_res gives a times out − x and the same skip; a times w_skip gives a times skip; with both I, out − x = skip = z."""
    x, w_res, w_skip = layer.x, layer.w_res, layer.w_skip
    out, skip = f(*layer)
    assert_close(f(*layer._replace(w_res=0 * w_res)), (x, skip))
    assert_close(f(*layer._replace(w_res=a * w_res, w_skip=a * w_skip)), (x + a * (out - x), a * skip))
    same = np.eye(x.shape[1])
    carried, taken = f(*layer._replace(w_res=same, w_skip=same))
    z = ref.gated_activation(ref.causal_conv1d(*layer[:3], layer.dilation))
    assert_close(carried - x, z)
    assert_close(taken, z)


widths, depths = st.integers(1, 39), st.integers(1, 39)


@claim(ref.wavenet_param_count, channels=widths, skip=widths, kernel=kernels, count=depths)
def stack_has_the_weights_of_its_layers(f, channels, skip, kernel, count):
    """1 層のパラメータは w (2C, C, K)、b (2C,)、w_res (C, C)、w_skip (C, S) の要素の数で、層の数だけ倍になる。ダイレーションにはよらない。
    A layer has as many parameters as w (2C, C, K), b (2C,), w_res (C, C) and w_skip (C, S) have entries; times the layers, whatever the dilations."""
    shapes = (2 * channels, channels, kernel), (2 * channels,), (channels, channels), (channels, skip)
    assert_equal(f(channels, skip, kernel, count), sum(int(np.prod(shape)) for shape in shapes for _ in range(count)))


def companded(x, mu):
    """From [-1, 1] to 0 … mu, not yet rounded: number by number."""
    return np.array([(np.sign(v) * np.log(1 + mu * abs(v)) / np.log(1 + mu) + 1) / 2 * mu for v in x])


def amplitudes(mu):
    """Six samples, half of the possible ones small, none within 1e-3 of a level from a tie."""
    loud, quiet = np.arange(1, 129) / 128, np.arange(1, 129) / 1000
    grid = np.concatenate([loud, -loud, quiet, -quiet])
    away = abs((companded(grid, mu or 255) + 0.5) % 1 - 0.5)  # from a whole number; 0.5 is a tie
    grid = grid[away < 0.499]
    return integers(6, low=0, high=len(grid) - 1).map(lambda i: grid[i])


def expanded(q, mu):
    """The inverse of `companded`, number by number, for whatever numbers an answer holds."""
    g = [2 * float(level) / mu - 1 for level in q]
    return np.array([np.sign(v) * np.expm1(abs(v) * np.log1p(mu)) / mu for v in g])


def half_a_step(x, mu):
    """Half a step of the companded scale, in amplitude: as far as a sample can be from the middle of its level."""
    return (1 / mu + abs(x)) * ((1 + mu) ** (1 / mu) - 1) * 1.001


scales = st.sampled_from([7, 15, 63, 100, 255, 300])
scales_or_default = st.sampled_from([None, 7, 15, 63, 100, 255, 300])
odd_scales = st.sampled_from([15, 63, 255])


@claim(ref.mu_law_encode, mu=scales_or_default, x=amplitudes)
def mu_law_encodes_by_the_companded_level(f, mu, x):
    """レベルは ⌊(f(x) + 1)/2·μ + ½⌋、f(x) = sign(x)·ln(1 + μ|x|)/ln(1 + μ) である。μ を省けば 255 である。
    The level is ⌊(f(x) + 1)/2·μ + ½⌋ with f(x) = sign(x)·ln(1 + μ|x|)/ln(1 + μ), and μ is 255 if left out."""
    levels = np.floor(companded(x, mu or 255) + 0.5).astype(int)
    assert_equal(f(x, *([mu] if mu else [])), levels)


@claim(ref.mu_law_encode, mu=scales, x=amplitudes)
def mu_round_trip(f, mu, x):
    """0 … μ のどのレベルも、復号してから符号化すれば元に戻る。x のレベルを復号した値と x の差は、(1/μ + |x|)·((1 + μ)^(1/μ) − 1) 以下である(対数の目盛りで半目盛り)。
    Every level 0 … μ, decoded and encoded again, comes back; the level of x decodes to within (1/μ + |x|)·((1 + μ)^(1/μ) − 1) of x, half a companded step."""
    levels = np.arange(mu + 1)
    assert_equal(f(ref.mu_law_decode(levels, mu), mu), levels)
    assert_at_most(abs(expanded(f(x, mu), mu) - x), half_a_step(x, mu))


@claim(ref.mu_law_encode, mu=odd_scales, x=amplitudes)
def mu_shape_of_levels(f, mu, x):
    """−1 は 0 に、1 は μ に、0 は (μ+1)/2 に写る。振幅が増えてレベルが下がることはなく、x と −x のレベルの和は μ である。
    −1 maps to 0, 1 to μ, 0 to (μ+1)/2; levels never fall as the amplitude grows; those of x and −x add up to μ."""
    assert_equal(f(np.array([-1.0, 0.0, 1.0]), mu), np.array([0, (mu + 1) // 2, mu]))
    levels = f(np.sort(x), mu)
    assert_equal(levels, np.maximum.accumulate(levels))
    assert_equal(levels + f(-np.sort(x), mu), np.full(len(x), mu))


def some_levels(mu):
    return integers(5, low=0, high=1023).map(lambda drawn: drawn % ((mu or 255) + 1))


@claim(ref.mu_law_decode, mu=scales_or_default, q=some_levels)
def mu_law_decodes_by_the_inverse(f, mu, q):
    """g = 2q/μ − 1 として、値は sign(g)·((1 + μ)^|g| − 1)/μ である。μ を省けば 255 である。
    With g = 2q/μ − 1 the value is sign(g)·((1 + μ)^|g| − 1)/μ, and μ is 255 if left out."""
    assert_close(f(q, *([mu] if mu else [])), expanded(q, mu or 255))


@claim(ref.mu_law_decode, mu=scales, x=amplitudes)
def mu_round_trip_within_half_a_step(f, mu, x):
    """符号化した x を復号すると、誤差は対数の目盛りで半目盛り分、(1/μ + |x|)·((1 + μ)^(1/μ) − 1) 以下である。
    Decoding the level of x errs by at most half a step on the companded scale: (1/μ + |x|)·((1 + μ)^(1/μ) − 1)."""
    assert_at_most(abs(f(ref.mu_law_encode(x, mu), mu) - x), half_a_step(x, mu))


@claim(ref.mu_law_decode, mu=odd_scales)
def mu_shape_of_values(f, mu):
    """レベル 0 は −1 に、μ は 1 に戻り、q と μ−q は符号だけが違う。隣のレベルとの間隔は、0 から離れるほど広い。
    Level 0 comes back as −1 and μ as 1; q and μ−q differ in sign alone; the steps get wider away from 0."""
    values = f(np.arange(mu + 1), mu)
    assert_close(values[[0, -1]], np.array([-1.0, 1.0]))
    assert_close(values[::-1], -values)
    steps = np.diff(values[(mu + 1) // 2 :])
    assert_at_most(steps[:-1], steps[1:])


@twin(ref_torch.causal_conv1d_torch, conv=convs())
def conv_on_tensors(conv):
    return conv
