"""The laws of normalisation. Forward passes inside a law about a gradient are the reference's, in float64."""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, GRADIENT, Tolerance, alike, assert_close, assert_equal, assert_slope, claim, derivative, reals, twin,
)
from hypothesis import strategies as st

from reference import normalization as ref
from reference import normalization_torch as ref_torch
from reference.normalization import Array

NEAR = Tolerance(1e-6, 1e-8)  # E[x²] - μ² is a right way to the variance, and loses digits
SLOPES = Tolerance(1e-6, 1e-9, GRADIENT.single)
BALANCE = Tolerance(0, 1e-8)  # of sums that cancel, in units of their terms

nonzero = partial(reals, zero=False)
variances = partial(reals, low=0.25, high=3)
scales = st.sampled_from([0.5, 1, 2])


class Batch(NamedTuple):
    """The arguments of `batchnorm_forward`, in its order."""

    x: Array
    gamma: Array
    beta: Array
    running_mean: Array
    running_var: Array
    train: bool
    momentum: float
    eps: float

    @property
    def axes(self) -> tuple[int, ...]:
        """All but the channels."""
        return (0, *range(2, self.x.ndim))

    @property
    def plain(self) -> "Batch":
        """Without scale and shift."""
        return self._replace(gamma=np.ones_like(self.gamma), beta=np.zeros_like(self.beta))

    def across(self, vector: Array) -> Array:
        """One number a channel, to be combined with x."""
        return vector.reshape(-1, *(1 for _ in self.x.shape[2:]))

    def training(self) -> "Batch":
        return self._replace(train=True)

    def predicting(self) -> "Batch":
        return self._replace(train=False)


@st.composite
def batches(draw, constant=True, epsilons=(1e-5, 1e-3, 0.1)):
    """Vectors or images; where `constant` allows it, in 3 of 10 batches one channel has no spread at all."""
    C = draw(st.integers(1, 4))
    if draw(st.sampled_from(["images", "images", "vectors"])) == "images":
        shape = draw(st.integers(2, 4)), C, draw(st.integers(2, 3)), draw(st.integers(1, 3))
    else:
        shape = draw(st.integers(4, 6)), C
    x = draw(scales) * draw(reals(*shape).filter(spread)) + draw(st.sampled_from([0, 0, -3, 5]))
    if constant and draw(st.integers(0, 9)) < 3:
        x[:, draw(st.integers(0, C - 1))] = x.flat[0]
    gamma, beta, mean, var = (draw(numbers(C)) for numbers in (nonzero, nonzero, nonzero, variances))
    momentum, eps = draw(st.sampled_from([0.05, 0.1, 0.25, 0.75, 0.9])), draw(st.sampled_from(epsilons))
    return Batch(x, gamma, beta, mean, var, draw(st.booleans()), momentum, eps)


def spread(x):
    """Every channel has a variance worth the name."""
    return bool(np.all(x.var(axis=(0, *range(2, x.ndim))) >= 0.1))


def moments(x, eps):
    """What the mean and the variance of the normalised x must be, from those of x: 0 and v/(v + ε)."""
    v = np.var(x)
    return 0, v / (v + eps)


def pulled_back(dxhat, x, eps):
    """The gradient of x from that of x̂, for one set of values that share μ and σ²: by its Jacobian."""
    z, n = x.ravel() - x.mean(), x.size
    s = np.sqrt(np.mean(z**2) + eps)
    jacobian = (np.eye(n) - 1 / n) / s - np.outer(z, z) / (n * s**3)  # symmetric
    return (jacobian @ dxhat.ravel()).reshape(x.shape)


def largest(gradients):
    return max(1e-3, *(float(np.max(np.abs(g))) for g in gradients))


@claim(ref.batchnorm_forward, batch=batches())
def batchnorm_matches_the_written_out_formula(f, batch):
    """各チャネルで、学習時はそのバッチの平均 μ と分散 σ²(分母 n)、予測時は running の値を使い、y = γ(x-μ)/√(σ²+ε)+β となる。移動平均は学習時だけ (1-momentum)·古い値 + momentum·新しい値(分散は分母 n-1)になる。
    In every channel y = γ(x-μ)/√(σ²+ε)+β, with μ and σ² (divisor n) of this batch in training, the running ones in prediction. The moving averages become (1-momentum)·old + momentum·new (variance: divisor n-1) in training only."""
    x, gamma, beta, means, variances, train, momentum, eps = batch
    y, means, variances = np.empty_like(x), means.copy(), variances.copy()
    for c in range(len(gamma)):
        values = x[:, c]
        mean, var = means[c], variances[c]
        if train:
            mean = np.sum(values) / values.size
            total = np.sum((values - mean) ** 2)
            var = total / values.size
            means[c] = (1 - momentum) * means[c] + momentum * mean
            variances[c] = (1 - momentum) * variances[c] + momentum * total / (values.size - 1)
        y[:, c] = gamma[c] * (values - mean) / np.sqrt(var + eps) + beta[c]
    assert_close(f(*batch), (y, means, variances), NEAR)


@claim(ref.batchnorm_forward, batch=batches())
def bn_train_moments(f, batch):
    """学習時、γ=1, β=0 なら、出力の各チャネルの平均は 0、分散(分母 n)は v/(v+ε) である。v は入力の分散(分母 n)。
    In training with γ=1 and β=0, each output channel has mean 0 and variance (divisor n) v/(v+ε), v being the input's (divisor n)."""
    y, _, _ = f(*batch.plain.training())
    for before, after in zip(batch.x.swapaxes(0, 1), y.swapaxes(0, 1)):
        assert_close((float(np.mean(after)), float(np.var(after))), moments(before, batch.eps), NEAR)


@claim(ref.batchnorm_forward, batch=batches(), a=st.sampled_from([0.25, 0.5, 2.0, 4.0]), c=st.integers(-4, 4))
def bn_input_affine_invariance(f, batch, a, c):
    """学習時の出力は入力の尺度と原点によらない: BN(a·x+c; ε·a²) = BN(x; ε)(a > 0)。
    In training the output sees neither the scale nor the origin of the input: BN(a·x+c; ε·a²) = BN(x; ε) for a > 0."""
    batch = batch.training()
    moved = batch._replace(x=a * batch.x + c, eps=a**2 * batch.eps)
    assert_close(f(*moved)[0], f(*batch)[0], NEAR)


@claim(ref.batchnorm_forward, batch=batches(), order=lambda batch: st.permutations(range(len(batch.x))))
def bn_batch_permutation(f, batch, order):
    """バッチ内のサンプルを並べ替えると、出力も同じように並び替わり、移動平均は変わらない(学習時も予測時も)。
    Permuting the samples of the batch permutes the output and leaves the moving averages, in training and in prediction."""
    y, *running = f(*batch)
    assert_close(f(*batch._replace(x=batch.x[order])), (y[order], *running), NEAR)


@claim(ref.batchnorm_forward, batch=batches())
def bn_eval_is_rowwise_and_stateless(f, batch):
    """予測時、サンプルを 1 件だけ渡しても、バッチで渡したときと同じ出力になり、移動平均は渡した値のまま返る。
    In prediction a sample taken alone gives the output that it gives in a batch, and the moving averages come back as they were."""
    batch = batch.predicting()
    y, *running = f(*batch)
    assert_close(f(*batch._replace(x=batch.x[:1]))[0], y[:1])
    assert_close(running, (batch.running_mean, batch.running_var))


@claim(ref.batchnorm_forward, batch=batches(), mean=lambda batch: reals(len(batch.gamma)), var=lambda batch: variances(len(batch.gamma)))
def bn_train_ignores_running(f, batch, mean, var):
    """学習時の y は、渡された running_mean と running_var によらない。
    In training y does not depend on the running_mean and running_var that are passed in."""
    batch = batch.training()
    assert_close(f(*batch._replace(running_mean=mean, running_var=var))[0], f(*batch)[0], NEAR)


@claim(ref.batchnorm_forward, batch=batches(), m=st.sampled_from([0.05, 0.1, 0.25]))
def bn_running_update(f, batch, m):
    """学習時、momentum=1 なら新しい移動平均はバッチの平均と不偏分散(分母 n-1, n = N·H·W)、0 なら元のまま、m なら両者を結ぶ線分上で m だけ進んだ点である。
    In training the new averages are the batch's mean and unbiased variance (divisor n-1, n = N·H·W) for momentum 1, the old ones for 0, and the point m of the way between for m."""
    batch = batch.training()
    old = batch.running_mean, batch.running_var
    new = np.mean(batch.x, axis=batch.axes), np.var(batch.x, axis=batch.axes, ddof=1)
    for part in (1.0, 0.0, m):
        _, *running = f(*batch._replace(momentum=part))
        assert_close(running, [o + part * (n - o) for o, n in zip(old, new)], NEAR)


gradient_batches = batches(constant=False, epsilons=(1e-3, 0.1))


def errors(batch):
    """What comes back to each output."""
    return nonzero(*batch.x.shape)


def backward(batch, dy):
    """The arguments of `batchnorm_backward`."""
    return dy, batch.x, batch.gamma, batch.running_mean, batch.running_var, batch.train, batch.eps


@claim(ref.batchnorm_backward, batch=gradient_batches, dy=errors)
def batchnorm_gradients_match_the_jacobian(f, batch, dy):
    """チャネルごとに、dx は γ·dy にヤコビ行列 ∂x̂_i/∂x_j = (δ_ij-1/n)/s - (x_i-μ)(x_j-μ)/(n·s³) を掛けたもの(s=√(σ²+ε)、予測時は δ_ij/s)、dγ = Σ dy·x̂、dβ = Σ dy である。
    Per channel dx is γ·dy times the Jacobian ∂x̂_i/∂x_j = (δ_ij-1/n)/s - (x_i-μ)(x_j-μ)/(n·s³) with s=√(σ²+ε) (prediction: δ_ij/s), dγ = Σ dy·x̂ and dβ = Σ dy."""
    dx, dgamma, dbeta = np.empty_like(dy), np.empty_like(batch.gamma), np.empty_like(batch.gamma)
    for c, gamma in enumerate(batch.gamma):
        x, d = batch.x[:, c], dy[:, c]
        mean, var = (x.mean(), x.var()) if batch.train else (batch.running_mean[c], batch.running_var[c])
        s = np.sqrt(var + batch.eps)
        dx[:, c] = pulled_back(gamma * d, x, batch.eps) if batch.train else gamma * d / s
        dgamma[c], dbeta[c] = np.sum(d * (x - mean)) / s, np.sum(d)
    expected = dx, dgamma, dbeta
    assert_close(f(*backward(batch, dy)), expected, SLOPES.scaled(largest(expected)))


@claim(ref.batchnorm_backward, batch=gradient_batches, dy=errors, direction=lambda batch: alike(*batch[:3]))
def bn_grad_fd(f, batch, dy, direction):
    """三つの勾配と任意の方向との内積は、その方向への Σ dy·y の差分商に等しい(学習時も予測時も)。
    The inner product of the three gradients with a direction is the slope of Σ dy·y along it, in training and in prediction."""
    loss = lambda *moved: np.sum(dy * ref.batchnorm_forward(*moved, *batch[3:])[0])
    assert_slope(f(*backward(batch, dy)), direction, derivative(loss, batch[:3], direction))


@claim(ref.batchnorm_backward, batch=batches(), dy=errors)
def bn_dx_conservation(f, batch, dy):
    """学習時、チャネルごとに Σ dx = 0 であり、Σ dx·x̂ は (γ/s)·Σ dy·x̂ の ε/(σ²+ε) 倍しかない(s=√(σ²+ε)): バッチ全体をずらしても伸ばしても出力は変わらないからである。
    In training each channel has Σ dx = 0, and Σ dx·x̂ is only ε/(σ²+ε) of (γ/s)·Σ dy·x̂, s=√(σ²+ε): shifting or stretching the whole batch leaves the output alone."""
    batch = batch.training()
    dx, *_ = f(*backward(batch, dy))
    v = np.var(batch.x, axis=batch.axes)
    s = np.sqrt(v + batch.eps)
    xhat = (batch.x - np.mean(batch.x, axis=batch.axes, keepdims=True)) / batch.across(s)
    unit = np.sum(np.abs(dy), axis=batch.axes) * np.abs(batch.gamma) / s
    left = batch.gamma / s * np.sum(dy * xhat, axis=batch.axes) * batch.eps / (v + batch.eps)
    assert_close(np.sum(dx, axis=batch.axes) / unit, 0.0, BALANCE)
    assert_close(np.sum(dx * xhat, axis=batch.axes) / unit, left / unit, BALANCE)


@claim(ref.batchnorm_backward, batch=gradient_batches, dy=errors)
def bn_param_grad_identity(f, batch, dy):
    """チャネルごとに γ·dγ + β·dβ = Σ dy·y、dβ = Σ dy である(平均ではなく和)。
    Per channel γ·dγ + β·dβ = Σ dy·y and dβ = Σ dy: sums, not means."""
    _, dgamma, dbeta = f(*backward(batch, dy))
    y = ref.batchnorm_forward(*batch)[0]
    beta = batch.across(batch.beta)
    unit = 1 + np.sum(np.abs(dy) * (np.abs(y - beta) + np.abs(beta)), axis=batch.axes)
    whole = np.sum(dy * y, axis=batch.axes)
    assert_close((batch.gamma * dgamma + batch.beta * dbeta) / unit, whole / unit, NEAR)
    assert_close(dbeta, np.sum(dy, axis=batch.axes), NEAR)


@claim(ref.batchnorm_backward, batch=batches(), dy=errors)
def bn_eval_grad_is_a_scale(f, batch, dy):
    """予測時の統計量は定数なので、要素ごとに dx = dy·γ/√(running_var+ε) である。
    In prediction the statistics are constants, so element by element dx = dy·γ/√(running_var+ε)."""
    batch = batch.predicting()
    scale = batch.gamma / np.sqrt(batch.running_var + batch.eps)
    assert_close(f(*backward(batch, dy))[0], dy * batch.across(scale))


class Layer(NamedTuple):
    """The arguments of `layernorm_forward`, in its order."""

    x: Array
    gamma: Array
    beta: Array
    eps: float

    @property
    def axes(self) -> tuple[int, ...]:
        """Those that are normalised together."""
        return tuple(range(-self.gamma.ndim, 0))

    @property
    def plain(self) -> "Layer":
        """Without scale and shift."""
        return self._replace(gamma=np.ones_like(self.gamma), beta=np.zeros_like(self.beta))

    def samples(self, array: Array) -> Array:
        """An array like x with all leading axes made one."""
        return np.reshape(array, (-1, *self.gamma.shape))


LEADING = {"vectors": 1, "sequences": 2, "planes": 1, "maps": 2, "images": 1}  # axes before those of gamma


@st.composite
def layers(draw, epsilons=(1e-5, 1e-2), least=0.0):
    """Vectors, sequences or images; gamma has the shape of all axes after the leading ones. No variance below `least`."""
    kind = draw(st.sampled_from(list(LEADING)))
    lead = tuple(draw(st.integers(2, 3)) for _ in range(LEADING[kind]))
    if kind in ("vectors", "sequences"):
        shape = (draw(st.integers(4, 6)),)
    else:
        shape = tuple(draw(st.integers(2, 3)) for _ in range(3 if kind == "images" else 2))
    wide = lambda x: bool(np.all(x.var(axis=tuple(range(-len(shape), 0))) >= least))
    x = draw(scales) * draw(reals(*lead, *shape).filter(wide)) + draw(st.sampled_from([0, 5]))
    return Layer(x, draw(nonzero(*shape)), draw(reals(*shape)), draw(st.sampled_from(epsilons)))


@claim(ref.layernorm_forward, layer=layers())
def layernorm_matches_the_written_out_formula(f, layer):
    """先頭の軸の添字ごとに、γ と同じ形の部分だけで μ と σ²(分母はその要素数)を求め、要素ごとの γ, β で y = γ(x-μ)/√(σ²+ε)+β となる。
    For every leading index μ and σ² (divisor: its number of values) come from the part of gamma's shape alone, and y = γ(x-μ)/√(σ²+ε)+β, each element with its own γ and β."""
    y = np.empty_like(layer.samples(layer.x))
    for n, x in enumerate(layer.samples(layer.x)):
        mean = np.sum(x) / x.size
        var = np.sum((x - mean) ** 2) / x.size
        y[n] = layer.gamma * (x - mean) / np.sqrt(var + layer.eps) + layer.beta
    assert_close(f(*layer), y.reshape(layer.x.shape), NEAR)


@claim(ref.layernorm_forward, layer=layers())
def ln_moments_and_independence(f, layer):
    """γ=1, β=0 なら、どのサンプルも γ の軸について平均 0、分散 v/(v+ε) になり(v は入力の分散)、サンプル 0 を変えても他のサンプルの出力は変わらない。
    With γ=1 and β=0 every sample has mean 0 and variance v/(v+ε) over gamma's axes (v the input's), and changing sample 0 leaves the output of the others."""
    layer = layer.plain
    y = f(*layer)
    for before, after in zip(layer.samples(layer.x), layer.samples(y)):
        assert_close((float(np.mean(after)), float(np.var(after))), moments(before, layer.eps), NEAR)
    other = layer.x.copy()
    other[0] = 2 - other[0][..., ::-1] / 2
    assert_close(f(*layer._replace(x=other))[1:], y[1:], NEAR)


side = st.integers(3, 5)


@claim(ref.layernorm_forward, x=st.tuples(side, side).flatmap(lambda shape: reals(*shape)), eps=st.sampled_from([1e-5, 1e-2]))
def ln_is_transposed_bn(f, x, eps):
    """x が (N, D) で γ=1, β=0 なら、LN(x) は x の転置を学習時のバッチ正規化に通して転置し直したものである: 式は同じで、軸だけが違う。
    For x of (N, D), γ=1 and β=0, LN(x) is the transpose of batch norm (training) of x transposed: the same formula on the other axis."""
    N, D = x.shape
    expected, _, _ = ref.batchnorm_forward(x.T, np.ones(N), np.zeros(N), np.zeros(N), np.ones(N), True, eps=eps)
    assert_close(f(x, np.ones(D), np.zeros(D), eps), expected.T, NEAR)


gradient_layers = layers(epsilons=(1e-2,), least=0.1)


@claim(ref.layernorm_backward, layer=gradient_layers, dy=lambda layer: nonzero(*layer.x.shape))
def layernorm_gradients_match_the_jacobian(f, layer, dy):
    """サンプルごとに、dx は γ⊙dy にヤコビ行列 ∂x̂_i/∂x_j = (δ_ij-1/n)/s - (x_i-μ)(x_j-μ)/(n·s³) を掛けたもので(s=√(σ²+ε))、dγ = Σ dy·x̂ と dβ = Σ dy の和は先頭のすべての軸についてとる。
    For each sample dx is γ⊙dy times the Jacobian ∂x̂_i/∂x_j = (δ_ij-1/n)/s - (x_i-μ)(x_j-μ)/(n·s³), s=√(σ²+ε); the sums dγ = Σ dy·x̂ and dβ = Σ dy run over all leading axes."""
    dx, dgamma, dbeta = np.empty_like(layer.samples(dy)), np.zeros_like(layer.gamma), np.zeros_like(layer.gamma)
    for n, (x, d) in enumerate(zip(layer.samples(layer.x), layer.samples(dy))):
        dx[n] = pulled_back(layer.gamma * d, x, layer.eps)
        dgamma += d * (x - x.mean()) / np.sqrt(x.var() + layer.eps)
        dbeta += d
    expected = dx.reshape(dy.shape), dgamma, dbeta
    assert_close(f(dy, layer.x, layer.gamma, layer.eps), expected, SLOPES.scaled(largest(expected)))


@claim(
    ref.layernorm_backward, layer=gradient_layers, dy=lambda layer: nonzero(*layer.x.shape),
    direction=lambda layer: alike(*layer[:3]),
)
def ln_grad_fd(f, layer, dy, direction):
    """三つの勾配と任意の方向との内積は、その方向への Σ dy·y の差分商に等しく、dx の和はどのサンプルでも(γ の軸について)0 である。
    The inner product of the three gradients with a direction is the slope of Σ dy·y along it, and dx sums to 0 over gamma's axes in every sample."""
    gradients = f(dy, layer.x, layer.gamma, layer.eps)
    loss = lambda *moved: np.sum(dy * ref.layernorm_forward(*moved, layer.eps))
    assert_slope(gradients, direction, derivative(loss, layer[:3], direction))
    unit = np.sum(np.abs(dy * layer.gamma), axis=layer.axes) / np.sqrt(np.var(layer.x, axis=layer.axes) + layer.eps)
    assert_close(np.sum(gradients[0], axis=layer.axes) / unit, 0.0, BALANCE)


class Groups(NamedTuple):
    """The arguments of `groupnorm_forward`, in its order."""

    x: Array
    gamma: Array
    beta: Array
    groups: int
    eps: float

    @property
    def plain(self) -> "Groups":
        """Without scale and shift."""
        return self._replace(gamma=np.ones_like(self.gamma), beta=np.zeros_like(self.beta))


@st.composite
def grouped(draw, channels=(2, 4, 6), groups=None, sequences=True):
    """Two images, or two sequences, and a number of groups that divides the channels."""
    C = draw(st.sampled_from(channels))
    G = groups or draw(st.sampled_from([g for g in range(1, C + 1) if C % g == 0]))
    if sequences and draw(st.booleans()):
        pixels = (draw(st.integers(3, 5)),)
    else:
        pixels = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    x = draw(scales) * draw(reals(2, C, *pixels)) + draw(st.sampled_from([0, 5]))
    return Groups(x, draw(nonzero(C)), draw(reals(C)), G, draw(st.sampled_from([1e-5, 1e-2])))


@claim(ref.groupnorm_forward, net=grouped())
def groupnorm_matches_the_written_out_formula(f, net):
    """サンプルごと・グループごと(グループ g はチャネル g·C/G … (g+1)·C/G-1)に μ と σ²(分母はその要素数)を求め、チャネルごとの γ, β で y = γ(x-μ)/√(σ²+ε)+β となる。
    Every sample and group (g holds the channels g·C/G … (g+1)·C/G-1) has its own μ and σ² (divisor: its number of values), and y = γ(x-μ)/√(σ²+ε)+β with γ and β per channel."""
    y, size = np.empty_like(net.x), net.x.shape[1] // net.groups
    for n, g in np.ndindex(len(net.x), net.groups):
        values = net.x[n, g * size : (g + 1) * size]
        mean = np.sum(values) / values.size
        var = np.sum((values - mean) ** 2) / values.size
        for c in range(g * size, (g + 1) * size):
            y[n, c] = net.gamma[c] * (net.x[n, c] - mean) / np.sqrt(var + net.eps) + net.beta[c]
    assert_close(f(*net), y, NEAR)


@claim(ref.groupnorm_forward, net=grouped(sequences=False))
def gn_limits(f, net):
    """γ=1, β=0 のとき、groups=C なら(サンプル, チャネル)の面ごとに標準化され(インスタンス正規化)、groups=1 なら (C, H, W) についてのレイヤー正規化に等しい。groups=G なら(サンプル, グループ)ごとに平均 0、分散 v/(v+ε) になる。
    With γ=1 and β=0: groups=C standardises every (sample, channel) plane (instance norm), groups=1 equals layer norm over (C, H, W), and with groups=G every (sample, group) has mean 0 and variance v/(v+ε)."""
    net = net.plain
    C = len(net.gamma)
    over_all = np.ones(net.x.shape[1:])
    assert_close(f(*net._replace(groups=1)), ref.layernorm_forward(net.x, over_all, 0 * over_all, net.eps), NEAR)
    for groups in (C, net.groups):
        y = f(*net._replace(groups=groups))
        sets = len(net.x) * groups, -1
        for before, after in zip(np.reshape(net.x, sets), np.reshape(y, sets)):
            assert_close((float(np.mean(after)), float(np.var(after))), moments(before, net.eps), NEAR)


@claim(ref.groupnorm_forward, net=grouped(channels=(4, 6), groups=2), c=lambda net: st.integers(0, len(net.gamma) - 1))
def gn_group_isolation(f, net, c):
    """あるサンプルの 1 チャネルを変えても、影響を受けるのは、同じサンプルの同じグループ(連続した C/G チャネル)の出力だけである。
    Changing one channel of a sample changes no output outside its own group of C/G consecutive channels of that sample."""
    size = len(net.gamma) // net.groups
    start = c // size * size
    other = net.x.copy()
    other[0, c] = 3 - other[0, c] ** 2 / 4
    difference = f(*net._replace(x=other)) - f(*net)
    difference[0, start : start + size] = 0
    assert_close(difference, 0.0, FORWARD)


counts = st.integers(1, 8)


def all_counts(f, N, C, H, W, G):
    return [f(kind, (N, C, H, W), G) for kind in ("batch", "layer", "instance", "group")]


@claim(
    ref.norm_stats_count, N=counts, C=st.sampled_from([4, 6, 8, 12]), H=counts, W=counts,
    G=lambda C: st.sampled_from([1, 2, C // 2, C]),
)
def stats_count_matches_the_index_sets(f, N, C, H, W, G):
    """(組の数, 1 組の要素数)は、batch が (C, N·H·W)、layer が (N, C·H·W)、instance が (N·C, H·W)、group が (N·G, C·H·W/G) である。
    (sets, elements per set) is (C, N·H·W) for batch, (N, C·H·W) for layer, (N·C, H·W) for instance and (N·G, C·H·W/G) for group."""
    expected = [(C, N * H * W), (N, C * H * W), (N * C, H * W), (N * G, C // G * H * W)]
    assert_equal(all_counts(f, N, C, H, W, G), expected)


@claim(ref.norm_stats_count, N=counts, C=st.sampled_from([2, 4, 8]), H=counts, W=counts)
def stats_count_laws(f, N, C, H, W):
    """どの方法でも 組の数 × 要素数 = N·C·H·W、groups=1 の group は layer、groups=C の group は instance に一致する。N を 2 倍にしても、組の数が変わらないのは batch だけで、他の方法では 1 組の要素数が変わらない。
    For every kind sets × elements = N·C·H·W; group with groups=1 is layer, with groups=C instance. Doubling N leaves the number of sets for batch alone; for all others it leaves the size of a set."""
    once, twice = all_counts(f, N, C, H, W, 2), all_counts(f, 2 * N, C, H, W, 2)
    assert_equal([sets * elements for sets, elements in once], [N * C * H * W] * 4)
    shape = N, C, H, W
    assert_equal((f("group", shape, 1), f("group", shape, C)), (f("layer", shape), f("instance", shape)))
    (sets, elements), *others = once
    assert_equal(twice, [(sets, 2 * elements), *((2 * s, e) for s, e in others)])


class Linear(NamedTuple):
    """The arguments of `fold_batchnorm`, in its order."""

    W: Array
    b: Array
    gamma: Array
    beta: Array
    running_mean: Array
    running_var: Array
    eps: float


@st.composite
def linear_layers(draw):
    """A linear layer, and what the batch normalisation behind it has learned."""
    D_in, D_out = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    vectors = (draw(numbers(D_out)) for numbers in (nonzero, nonzero, reals, nonzero, variances))
    return Linear(draw(nonzero(D_in, D_out)), *vectors, draw(st.sampled_from([1e-5, 1e-2])))


@claim(ref.fold_batchnorm, layer=linear_layers())
def fold_matches_the_formula(f, layer):
    """出力ユニット j ごとに s_j = γ_j/√(running_var_j+ε) として、W'[i, j] = W[i, j]·s_j、b'_j = (b_j - running_mean_j)·s_j + β_j である。
    For every output unit j, with s_j = γ_j/√(running_var_j+ε): W'[i, j] = W[i, j]·s_j and b'_j = (b_j - running_mean_j)·s_j + β_j."""
    W, b = layer.W.copy(), layer.b.copy()
    for j in range(len(b)):
        s = layer.gamma[j] / (layer.running_var[j] + layer.eps) ** 0.5
        for i in range(len(W)):
            W[i, j] *= s
        b[j] = b[j] * s - layer.running_mean[j] * s + layer.beta[j]
    assert_close(f(*layer), (W, b))


@claim(ref.fold_batchnorm, layer=linear_layers(), x=lambda layer: reals(3, len(layer.W)))
def fold_identity(f, layer, x):
    """どの入力でも、たたみ込んだ層 x W' + b' は、x W + b に予測時のバッチ正規化をかけた結果と一致する。
    For any input the folded layer x W' + b' gives what batch norm (prediction) makes of x W + b."""
    W, b = f(*layer)
    y, _, _ = ref.batchnorm_forward(x @ layer.W + layer.b, *layer[2:6], False, eps=layer.eps)
    assert_close(x @ W + b, y, NEAR)


@twin(ref_torch.batchnorm_forward_torch, batch=gradient_batches)
def batchnorm_on_tensors(batch):
    return batch


@twin(ref_torch.layernorm_forward_torch, layer=gradient_layers)
def layernorm_on_tensors(layer):
    return layer
