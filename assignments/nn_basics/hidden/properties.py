"""The laws of the basics: activations, cross-entropy, back-propagation, initial values, optimisers, convolution."""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, GRADIENT, Tolerance, alike, assert_close, assert_equal, assert_slope, claim, derivative, integers,
    reals, shaped,
)
from hypothesis import strategies as st

from reference import nn_basics as ref
from reference.nn_basics import Array, Labels

KINDS = ("sigmoid", "tanh", "relu", "leaky_relu")
STEEP = Tolerance(1e-5, 1e-8)
nonzero = partial(reals, zero=False)


# Activations


@st.composite
def points(draw):
    """One to seven numbers, often with a 0 among them, in one axis or two."""
    x = draw(st.integers(1, 7).flatmap(lambda n: reals(n, low=-4, high=4)))
    return draw(st.sampled_from([x, x[None]]))


def sigma(x):
    return np.exp(-np.logaddexp(0, -x))


DEFINITIONS = {
    "sigmoid": lambda x: (sigma(x), sigma(x) * sigma(-x)),
    "tanh": lambda x: (2 * sigma(2 * x) - 1, 4 * sigma(2 * x) * sigma(-2 * x)),
    "relu": lambda x: (np.where(x > 0, x, 0.0), np.where(x > 0, 1.0, 0.0)),
    "leaky_relu": lambda x: (np.where(x > 0, x, x / 100), np.where(x > 0, 1.0, 0.01)),
}


@claim(ref.activation, x=points(), kind=st.sampled_from(KINDS))
def activation_matches_the_definitions(f, x, kind):
    """値と傾きは定義のとおりである: σ(x) と σ(1-σ)、tanh x と 1-tanh²x、max(x, 0) と [x > 0]、leaky は負の側の傾きが 0.01。
    Value and slope are the definitions': σ(x) and σ(1-σ), tanh x and 1-tanh²x, max(x, 0) and [x > 0]; leaky has slope 0.01 below 0."""
    assert_close(f(x, kind), DEFINITIONS[kind](x))


@claim(ref.activation, x=points())
def activation_identities(f, x):
    """σ(-x) = 1-σ(x)、tanh x = 2σ(2x)-1、relu(x)-relu(-x) = x、leaky = max(x, 0.01x) で、x = ±1000 でも有限である。
    σ(-x) = 1-σ(x), tanh x = 2σ(2x)-1, relu(x)-relu(-x) = x, leaky = max(x, 0.01x), and all is finite at x = ±1000."""
    assert_close(f(-x, "sigmoid")[0], 1 - np.asarray(f(x, "sigmoid")[0]))
    assert_close(f(x, "tanh")[0], 2 * np.asarray(f(2 * x, "sigmoid")[0]) - 1)
    assert_close(np.asarray(f(x, "relu")[0]) - np.asarray(f(-x, "relu")[0]), x)
    assert_close(f(x, "leaky_relu")[0], np.maximum(x, 0.01 * x))
    assert_close(f(np.array([-1000.0, 1000.0]), "sigmoid"), (np.array([0.0, 1.0]), np.zeros(2)))


@claim(ref.activation, x=points(), kind=st.sampled_from(KINDS))
def activation_derivative(f, x, kind):
    """傾きは値の差分商に等しく(0 を除く)、0 での傾きは順に 0.25, 1, 0, 0.01 である。
    The slope is the difference quotient of the value (away from 0), and at 0 it is 0.25, 1, 0 and 0.01."""
    away = np.where(x == 0, 0.5, x)
    slope = derivative(lambda x: ref.activation(x, kind)[0], [away], [np.ones_like(x)])
    assert_close(f(away, kind)[1], slope, STEEP)
    at_zero = dict(zip(KINDS, (0.25, 1.0, 0.0, 0.01), strict=True))
    assert_close(f(0 * x, kind)[1], np.full(x.shape, at_zero[kind]))


# Softmax and cross-entropy


class Scores(NamedTuple):
    """The arguments of `softmax_cross_entropy`, in its order."""

    logits: Array
    labels: Labels


@st.composite
def scores(draw, scales=(1, 5, 300)):
    """A batch of scores, small or large, and a label for each row."""
    n, k = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    logits = draw(reals(n, k)) * draw(st.sampled_from(scales))
    return Scores(logits, draw(integers(n, low=0, high=k - 1)))


def log_sum_exp(logits):
    return np.logaddexp.reduce(logits, axis=1, keepdims=True)


@claim(ref.softmax_cross_entropy, s=scores())
def sce_matches_logsumexp(f, s):
    """損失は log Σ exp(z) - z[label] のバッチ平均、勾配は (exp(z - log Σ exp(z)) - one-hot) / N である。
    The loss is the batch mean of log Σ exp(z) - z[label], the gradient (exp(z - log Σ exp(z)) - one-hot) / N."""
    lse = log_sum_exp(s.logits)
    n = len(s.labels)
    loss = (lse[:, 0] - s.logits[np.arange(n), s.labels]).mean()
    one_hot = np.arange(s.logits.shape[1]) == s.labels[:, None]
    assert_close(f(*s), (float(loss), (np.exp(s.logits - lse) - one_hot) / n))


@claim(ref.softmax_cross_entropy, s=scores(scales=(1,)), shift=st.integers(-50, 50))
def sce_laws(f, s, shift):
    """各行に同じ数を足しても変わらず、スコアが等しければ損失は log K、勾配の各行の和は 0 で、スコア (1000, -1000) の 2 番目は 2000 を要する。
    Adding one number to a row changes nothing, equal scores cost log K, each row of the gradient sums to 0, and the second of (1000, -1000) costs 2000."""
    loss, dlogits = f(*s)
    assert_close(f(s.logits + shift, s.labels), (loss, dlogits), Tolerance(1e-6, 1e-8))
    assert_close(f(0 * s.logits, s.labels)[0], float(np.log(s.logits.shape[1])))
    assert_close(np.sum(dlogits, axis=1), np.zeros(len(s.labels)))
    assert_close(f(np.array([[1000.0, -1000.0]]), np.array([1]))[0], 2000.0)


@claim(ref.softmax_cross_entropy, s=scores(scales=(1, 2)), direction=lambda s: alike(s.logits))
def sce_gradient(f, s, direction):
    """勾配と任意の方向との内積は、その方向への損失の差分商に等しい。
    The inner product of the gradient with a direction is the slope of the loss along it."""
    slope = derivative(lambda z: ref.softmax_cross_entropy(z, s.labels)[0], [s.logits], direction)
    assert_slope([f(*s)[1]], direction, slope)


@claim(ref.softmax_cross_entropy, s=scores())
def sce_batch_mean(f, s):
    """損失は 1 行ずつの損失の平均で、バッチを 2 回並べると損失はそのまま、勾配の各行は半分になる。
    The loss is the mean of the losses of single rows; a batch stacked on itself keeps the loss and halves the gradient's rows."""
    loss, dlogits = f(*s)
    alone = [f(s.logits[n : n + 1], s.labels[n : n + 1])[0] for n in range(len(s.labels))]
    assert_close(loss, float(np.mean(alone)))
    twice = f(np.concatenate((s.logits, s.logits)), np.concatenate((s.labels, s.labels)))
    assert_close(twice, (loss, np.concatenate((dlogits, dlogits)) / 2))


# The perceptron


class Perceptron(NamedTuple):
    """The arguments of `mlp_loss`, in its order."""

    x: Array
    labels: Labels
    W1: Array
    b1: Array
    W2: Array
    b2: Array

    @property
    def parameters(self):
        return self[2:]


@st.composite
def perceptrons(draw, kind=None):
    """A small perceptron and a batch; the hidden bias lies between the quarters, so that no unit stands at 0."""
    numbers = {"W1": nonzero, "W2": nonzero, "b2": nonzero}
    sizes = {axis: (2, 3) for axis in "NDHK"}
    x, W1, b1, W2, b2 = draw(shaped(sizes=sizes, numbers=numbers, x="N D", W1="D H", b1="H", W2="H K", b2="K"))
    labels = draw(integers(len(x), low=0, high=len(b2) - 1))
    return Perceptron(x, labels, W1, b1 + 1 / 32, W2, b2)


kinds = st.sampled_from(KINDS)


@claim(ref.mlp_loss, net=perceptrons(), kind=kinds)
def mlp_loss_matches_the_sample_by_sample_sum(f, net, kind):
    """損失と四つの勾配は、サンプルごとに求めた誤差と入力の外積を足して N で割ったものである。
    The loss and the four gradients are, sample by sample, outer products of input and error, summed and divided by N."""
    loss, grads = 0.0, [np.zeros_like(p) for p in net.parameters]
    for x, label in zip(net.x, net.labels, strict=True):
        u = net.W1.T @ x + net.b1
        h, slope = DEFINITIONS[kind](u)
        z = net.W2.T @ h + net.b2
        p = np.exp(z - np.logaddexp.reduce(z))
        loss -= np.log(p[label])
        error2 = p - (np.arange(len(p)) == label)
        error1 = slope * (net.W2 @ error2)
        for grad, term in zip(grads, (np.outer(x, error1), error1, np.outer(h, error2), error2), strict=True):
            grad += term
    n = len(net.x)
    assert_close(f(*net, kind), (float(loss / n), *(grad / n for grad in grads)), Tolerance(1e-6, 1e-9, GRADIENT.single))


@claim(ref.mlp_loss, net=perceptrons(), kind=kinds, direction=lambda net: alike(*net.parameters))
def mlp_grad_fd(f, net, kind, direction):
    """四つの勾配と任意の方向との内積は、その方向への損失の差分商に等しい。
    The inner product of the four gradients with a direction is the slope of the loss along it."""
    slope = derivative(lambda *p: ref.mlp_loss(net.x, net.labels, *p, kind)[0], net.parameters, direction, step=1e-6)
    assert_slope(f(*net, kind)[1:], direction, slope)


@claim(ref.mlp_loss, net=perceptrons(), which=st.integers(0, 3), direction=lambda net: alike(*net.parameters))
def mlp_each_gradient(f, net, which, direction):
    """tanh のとき、W1, b1, W2, b2 のどの一つについても、勾配は差分商に等しい。
    With tanh, the gradient of each of W1, b1, W2, b2 taken alone is the difference quotient."""
    along = [d * (i == which) for i, d in enumerate(direction)]
    slope = derivative(lambda *p: ref.mlp_loss(net.x, net.labels, *p, "tanh")[0], net.parameters, along)
    assert_slope([f(*net, "tanh")[1 + which]], [along[which]], slope)


@claim(ref.mlp_loss, net=perceptrons(), order=lambda net: st.permutations(range(len(net.b1))))
def mlp_symmetries(f, net, order):
    """中間ユニットを並べ替えると勾配も並び替わり、W2 = 0 なら dW1 = db1 = 0、db2 の和は 0 で、バッチを 2 回並べても何も変わらない。
    Permuting the hidden units permutes the gradients; W2 = 0 gives dW1 = db1 = 0; db2 sums to 0; a batch stacked on itself changes nothing."""
    loss, dW1, db1, dW2, db2 = whole = f(*net, "tanh")
    permuted = net._replace(W1=net.W1[:, order], b1=net.b1[order], W2=net.W2[order])
    assert_close(f(*permuted, "tanh"), (loss, dW1[:, order], db1[order], dW2[order], db2), GRADIENT)
    cut = f(*net._replace(W2=0 * net.W2), "tanh")
    assert_close(cut[1:3], (0 * net.W1, 0 * net.b1))
    assert_close(float(np.sum(db2)), 0.0)
    twice = net._replace(x=np.concatenate((net.x, net.x)), labels=np.concatenate((net.labels, net.labels)))
    assert_close(f(*twice, "tanh"), whole, GRADIENT)


@claim(ref.init_weights, draws=st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(lambda shape: nonzero(*shape)))
def init_is_a_scaled_draw(f, draws):
    """重みは、引いた数の √(1/fan_in)(lecun)、√(2/(fan_in + fan_out))(xavier)、√(2/fan_in)(he)倍である。
    The weights are the draws times √(1/fan_in) (lecun), √(2/(fan_in + fan_out)) (xavier) or √(2/fan_in) (he)."""
    rows, columns = draws.shape
    terms = {"lecun": rows, "xavier": (rows + columns) / 2, "he": rows / 2}
    assert_close([f(draws, kind) for kind in terms], [draws / n**0.5 for n in terms.values()])


# Optimisers


def steps(**state):
    """Parameters, a gradient without zeros, and a state."""
    numbers = {"g": nonzero} | {name: partial(reals, low=low, high=high) for name, (low, high) in state.items()}
    return shaped(sizes={"n": (1, 4)}, numbers=numbers, w="n", g="n", **dict.fromkeys(state, "n"))


rates = st.integers(1, 10).map(lambda i: i / 100)
squares = {"h": (0.25, 2)}


@claim(ref.sgd_step, s=steps(), lr=rates)
def sgd_step_matches_the_formula(f, s, lr):
    """新しい重みは w - η g である。
    The new weights are w - η g."""
    w, g = s
    assert_close(f(w, g, lr), w - lr * g)


@claim(ref.momentum_step, s=steps(v=(-0.5, 0.5)), lr=rates, mu=st.sampled_from([0.1, 0.5, 0.9, 0.99]))
def momentum_step_matches_the_formula(f, s, lr, mu):
    """速度は μ v - η g、新しい重みは w に新しい速度を足したものである。
    The velocity becomes μ v - η g, and the weights w plus the new velocity."""
    w, g, v = s
    velocity = mu * v - lr * g
    assert_close(f(w, g, v, lr, mu), (w + velocity, velocity))


@claim(ref.adagrad_step, s=steps(**squares), lr=rates)
def adagrad_step_matches_the_formula(f, s, lr):
    """ε = 0 なら、h' = h + g²、新しい重みは w - η g / √h' である。
    With ε = 0: h' = h + g² and the new weights are w - η g / √h'."""
    w, g, h = s
    total = h + g * g
    assert_close(f(w, g, h, lr, 0.0), (w - lr * g * total**-0.5, total))


@claim(ref.rmsprop_step, s=steps(**squares), lr=rates, rho=st.sampled_from([0.5, 0.75, 0.9, 0.99]))
def rmsprop_step_matches_the_formula(f, s, lr, rho):
    """ε = 0 なら、h' = ρ h + (1 - ρ) g²、新しい重みは w - η g / √h' である。
    With ε = 0: h' = ρ h + (1 - ρ) g² and the new weights are w - η g / √h'."""
    w, g, h = s
    mean = h + (1 - rho) * (g * g - h)
    assert_close(f(w, g, h, lr, rho, 0.0), (w - lr * g * mean**-0.5, mean))


betas = st.tuples(st.sampled_from([0.5, 0.75, 0.95]), st.sampled_from([0.8, 0.9, 0.999]))


@claim(ref.adam_step, s=steps(m=(-0.5, 0.5), v=(0.25, 2)), t=st.integers(1, 29), lr=rates, b=betas)
def adam_step_matches_the_formula(f, s, t, lr, b):
    """ε = 0 なら、m', v' は減衰平均、m̂ = m'/(1-β1ᵗ)、v̂ = v'/(1-β2ᵗ) で、新しい重みは w - η m̂ / √v̂ である。m', v' は補正前のものを返す。
    With ε = 0: m', v' are decayed means, m̂ = m'/(1-β1ᵗ), v̂ = v'/(1-β2ᵗ), the new weights w - η m̂ / √v̂; m' and v' are returned uncorrected."""
    w, g, m, v = s
    first, second = m + (1 - b[0]) * (g - m), v + (1 - b[1]) * (g * g - v)
    move = lr * (first / (1 - b[0] ** t)) * (second / (1 - b[1] ** t)) ** -0.5
    assert_close(f(w, g, m, v, t, lr, *b, 0.0), (w - move, first, second))


epsilons = st.sampled_from([0.05, 0.1, 0.25, 0.5])


@claim(ref.adagrad_step, s=steps(**squares), lr=rates, eps=epsilons)
def adagrad_epsilon_stands_outside_the_root(f, s, lr, eps):
    """割る数は √h' + ε で、既定の ε では、勾配も状態も 0 のとき重みは変わらない。
    The divisor is √h' + ε; with the default ε, a zero gradient from a zero state leaves the weights."""
    w, g, h = s
    assert_close(f(w, g, h, lr, eps)[0], w - lr * g / ((h + g * g) ** 0.5 + eps))
    assert_close(f(w, 0 * g, 0 * h, lr)[0], w)


@claim(ref.rmsprop_step, s=steps(**squares), lr=rates, eps=epsilons)
def rmsprop_epsilon_stands_outside_the_root(f, s, lr, eps):
    """割る数は √h' + ε で、既定の ε では、勾配も状態も 0 のとき重みは変わらない。
    The divisor is √h' + ε; with the default ε, a zero gradient from a zero state leaves the weights."""
    w, g, h = s
    assert_close(f(w, g, h, lr, 0.75, eps)[0], w - lr * g / ((0.75 * h + 0.25 * g * g) ** 0.5 + eps))
    assert_close(f(w, 0 * g, 0 * h, lr)[0], w)


@claim(ref.adam_step, s=steps(m=(-0.5, 0.5), v=(0.25, 2)), t=st.integers(1, 5), lr=rates, eps=epsilons)
def adam_epsilon_stands_outside_the_root(f, s, t, lr, eps):
    """ε は根号の外で足す。η m̂/(√v̂ + ε) と、η √(1-β2ᵗ)/(1-β1ᵗ) · m'/(√v' + ε) のどちらの書き方でもよい。
    ε is added outside the root; both η m̂/(√v̂ + ε) and η √(1-β2ᵗ)/(1-β1ᵗ) · m'/(√v' + ε) are right."""
    w, g, m, v = s
    first, second = 0.9 * m + 0.1 * g, 0.8 * v + 0.2 * g * g
    by_means = lr * first / (1 - 0.9**t) / ((second / (1 - 0.8**t)) ** 0.5 + eps)
    by_rate = lr * (1 - 0.8**t) ** 0.5 / (1 - 0.9**t) * first / (second**0.5 + eps)
    moved = w - np.asarray(f(w, g, m, v, t, lr, 0.9, 0.8, eps)[0])
    nearer = np.where(abs(moved - by_means) <= abs(moved - by_rate), by_means, by_rate)
    assert_close(moved, nearer)
    assert_close(f(w, 0 * g, 0 * m, 0 * v, t, lr)[0], w)


gradients = st.integers(1, 3).flatmap(lambda n: reals(n, low=0.5, high=2))


def moves(f, g, w, *state, count=6, lr=0.1):
    """How far each of some steps under a constant gradient goes, from a state of zeros."""
    for i in range(1, count + 1):
        new, *state = f(i, w, g, *state)
        yield i, np.asarray(w) - np.asarray(new)
        w = np.asarray(new)


@claim(ref.momentum_step, g=gradients)
def momentum_grows_under_a_constant_gradient(f, g):
    """一定の勾配のもとで、i 歩目の長さは η g (1 - μⁱ)/(1 - μ) になる。
    Under a constant gradient the i-th step has the length η g (1 - μⁱ)/(1 - μ)."""
    for i, move in moves(lambda i, w, g, v: f(w, g, v, 0.1), g, 0 * g, 0 * g):
        assert_close(move, 0.1 * g * (1 - 0.9**i) / 0.1)


@claim(ref.adagrad_step, g=gradients)
def adagrad_slows_under_a_constant_gradient(f, g):
    """ε = 0 で勾配が一定なら、i 歩目の長さは勾配の大きさによらず η/√i である。
    With ε = 0 and a constant gradient, the i-th step has the length η/√i, however large the gradient."""
    for i, move in moves(lambda i, w, g, h: f(w, g, h, 0.1, 0.0), g, 0 * g, 0 * g):
        assert_close(move, np.full(g.shape, 0.1 / i**0.5))


@claim(ref.rmsprop_step, g=gradients)
def rmsprop_forgets_under_a_constant_gradient(f, g):
    """ε = 0 で勾配が一定なら、i 歩目の長さは η/√(1 - ρⁱ) で、η に近づく。
    With ε = 0 and a constant gradient, the i-th step has the length η/√(1 - ρⁱ), and comes near η."""
    for i, move in moves(lambda i, w, g, h: f(w, g, h, 0.1, 0.9, 0.0), g, 0 * g, 0 * g):
        assert_close(move, np.full(g.shape, 0.1 / (1 - 0.9**i) ** 0.5))


@claim(ref.adam_step, g=gradients)
def adam_steps_by_the_rate_under_a_constant_gradient(f, g):
    """ε = 0 で勾配が一定なら、補正のおかげでどの歩も長さは η である。
    With ε = 0 and a constant gradient, every step has the length η, thanks to the correction."""
    for _, move in moves(lambda i, w, g, m, v: f(w, g, m, v, i, 0.1, eps=0.0), g, 0 * g, 0 * g, 0 * g):
        assert_close(move, np.full(g.shape, 0.1))


# Convolution


@st.composite
def lines(draw):
    """A line that the kernel fits into: size, kernel, stride, padding, dilation."""
    k, s, p, d = draw(st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)))
    least = max(1, d * (k - 1) + 1 - 2 * p)
    return draw(st.integers(least, least + 11)), k, s, p, d


@claim(ref.conv_out_size, line=lines())
def conv_out_size_counts_the_positions(f, line):
    """答えは、両側にパディングを加えた線の上に、d(k-1)+1 だけ届くカーネルを s 歩ごとに置ける位置の数である。
    The answer counts the places, s apart, at which a kernel that reaches d(k-1)+1 fits into the line padded on both sides."""
    n, k, s, p, d = line
    assert_equal(f(n, k, s, p, d), len(range(0, n + 2 * p - d * (k - 1), s)))


@claim(ref.conv_out_size, n=st.integers(1, 30), half=st.integers(0, 2), d=st.integers(1, 3))
def same_padding_keeps_the_size(f, n, half, d):
    """k が奇数で p = d(k-1)/2 なら、ストライド 1 では大きさが変わらず、ストライド 2 では ⌈n/2⌉ になる。
    With k odd and p = d(k-1)/2, stride 1 keeps the size and stride 2 gives ⌈n/2⌉."""
    k, p = 2 * half + 1, d * half
    assert_equal(f(n, k, 1, p, d), n)
    assert_equal(f(n, k, 2, p, d), (n + 1) // 2)


class Patches(NamedTuple):
    """Images and how a kernel walks over them."""

    x: Array
    kernel: int
    stride: int
    padding: int

    @property
    def positions(self):
        h, w = (range(0, side + 2 * self.padding - self.kernel + 1, self.stride) for side in self.x.shape[2:])
        return h, w

    @property
    def padded(self):
        p = self.padding
        whole = np.zeros((*self.x.shape[:2], self.x.shape[2] + 2 * p, self.x.shape[3] + 2 * p))
        whole[:, :, p : p + self.x.shape[2], p : p + self.x.shape[3]] = self.x
        return whole

    def under(self, n, i, j):
        return self.padded[n, :, i : i + self.kernel, j : j + self.kernel]


@st.composite
def images(draw, kernel=st.integers(1, 3)):
    """One or two images of one to three channels, not square."""
    k, s, p = draw(kernel), draw(st.integers(1, 2)), draw(st.integers(0, 1))
    sizes = {"N": (1, 2), "H": (k, 5), "W": (k, 5)}
    return Patches(draw(shaped(sizes=sizes, numbers={"x": nonzero}, x="N C H W"))[0], k, s, p)


@claim(ref.im2col, p=images())
def im2col_lists_every_patch(f, p):
    """行は画像・縦・横の順に並び、各行はパディングしたパッチを(チャネル、縦、横)の順に並べたものである。
    Rows run over image, row, column; each is the padded patch flattened in the order channel, row, column."""
    rows = [p.under(n, i, j).ravel() for n in range(len(p.x)) for i in p.positions[0] for j in p.positions[1]]
    assert_close(f(*p), np.array(rows))


def layers():
    """Images with kernels and biases for them."""

    @st.composite
    def layer(draw):
        p = draw(images())
        m = draw(st.integers(1, 3))
        return p, draw(nonzero(m, p.x.shape[1], p.kernel, p.kernel)), draw(nonzero(m))

    return layer()


@claim(ref.conv2d, layer=layers())
def conv_matches_the_sum_over_the_patch(f, layer):
    """出力の各画素は、パッチとカーネルの積の和(カーネルは反転しない)に、出力チャネルのバイアスを足したものである。
    Each output pixel is the sum of patch times kernel (not flipped) plus the bias of its output channel."""
    p, w, b = layer
    y = np.array(
        [[[[np.sum(p.under(n, i, j) * w[m]) + b[m] for j in p.positions[1]] for i in p.positions[0]] for m in range(len(w))] for n in range(len(p.x))]
    )
    assert_close(f(p.x, w, b, p.stride, p.padding), y)


@claim(ref.conv2d, layer=layers(), a=st.integers(-3, 3))
def conv_laws(f, layer, a):
    """バイアスが 0 なら出力は入力について線形で、左上だけが 1 のカーネルは入力をそのまま返し、地図と同じ大きさのカーネルは全結合層である。
    With bias 0 the output is linear in the input; a kernel that is 1 at its corner alone returns the input; a kernel as large as the map is a dense layer."""
    p, w, b = layer
    steps = p.stride, p.padding
    y = np.asarray(f(p.x, w, 0 * b, *steps))
    assert_close(f(p.x * a + 1, w, 0 * b, *steps), a * y + f(np.ones_like(p.x), w, 0 * b, *steps), FORWARD.scaled(100))
    c, k = p.x.shape[1], p.kernel
    corner = np.zeros((c, c, k, k))
    corner[np.arange(c), np.arange(c), 0, 0] = 1
    h, v = (side - k + 1 for side in p.x.shape[2:])
    assert_close(f(p.x, corner, np.zeros(c)), p.x[:, :, :h, :v])
    dense = f(p.x[:, :, :k, :k], w, b)
    assert_close(dense, (p.x[:, :, :k, :k].reshape(len(p.x), -1) @ w.reshape(len(w), -1).T + b)[:, :, None, None])
