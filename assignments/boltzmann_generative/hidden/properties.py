"""The laws of restricted Boltzmann machines, naive Bayes and GAN losses. Uniforms are odd 64ths, clear of the probabilities."""

from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    GRADIENT, Tolerance, alike, assert_at_most, assert_close, assert_slope, claim, derivative, integers, reals,
)
from hypothesis import strategies as st

from reference import boltzmann_generative as ref
from reference.boltzmann_generative import Array

few, units = st.integers(1, 4), st.integers(1, 3)
sometimes = st.integers(0, 2).map(lambda i: i == 2)
STATES = Tolerance(0, 1e-9)


class Machine(NamedTuple):
    """The parameters of a restricted Boltzmann machine."""

    W: Array
    b: Array
    c: Array

    def swapped(self):
        return Machine(self.W.T, self.c, self.b)

    def energy(self, v, h):
        """The energy of one joint state, term by term."""
        D, H = self.W.shape
        pairs = sum(v[i] * self.W[i, j] * h[j] for i in range(D) for j in range(H))
        return -float(sum(self.b[i] * v[i] for i in range(D)) + sum(self.c[j] * h[j] for j in range(H)) + pairs)


@st.composite
def machines(draw, hidden=units, visible=few):
    """D visible and H hidden units; parameters are quarters up to 2."""
    D, H = draw(visible), draw(hidden)
    return Machine(draw(reals(D, H)), draw(reals(D)), draw(reals(H)))


def bits(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def binary(*shape):
    return integers(*shape, low=0, high=1).map(lambda units: 1.0 * units)


def log_sum(scores):
    top = max(scores)
    return float(top + np.log(sum(np.exp(s - top) for s in scores)))


def probability(a):
    return np.exp(-np.logaddexp(0, -a))


class States(NamedTuple):
    """The arguments of `rbm_energy`, in its order."""

    v: Array
    h: Array
    W: Array
    b: Array
    c: Array


@st.composite
def states(draw, real=st.just(False)):
    """Three joint states of a machine, binary or (where `real` says so) of quarters."""
    net = draw(machines())
    entries = reals if draw(real) else binary
    return States(draw(entries(3, len(net.b))), draw(entries(3, len(net.c))), *net)


@claim(ref.rbm_energy, s=states(real=sometimes))
def energy_follows_the_formula(f, s):
    """エネルギーは −Σ b_i v_i − Σ c_j h_j − Σ_ij v_i W_ij h_j である。組 (i, j) は 1 回だけ数える。
    The energy is −Σ b_i v_i − Σ c_j h_j − Σ_ij v_i W_ij h_j; every pair (i, j) counts once."""
    net = Machine(*s[2:])
    assert_close(f(*s), np.array([net.energy(v, h) for v, h in zip(s.v, s.h)]))


@claim(ref.rbm_energy, s=states(), unit=st.integers(0, 11))
def energy_of_switching_one_unit(f, s, unit):
    """隠れユニット j を 0 から 1 にすると、エネルギーは −(c_j + v·W_j) だけ変わる。可視ユニット i なら −(b_i + W_i·h) だけ変わる。すべて 0 の状態のエネルギーは 0 で、E(v, h; W, b, c) = E(h, v; Wᵀ, c, b) である。
    Switching hidden unit j from 0 to 1 changes the energy by −(c_j + v·W_j), visible unit i by −(b_i + W_i·h). The state of all zeros has energy 0, and E(v, h; W, b, c) = E(h, v; Wᵀ, c, b)."""
    v, h, W, b, c = s
    i, j = unit % len(b), unit % len(c)
    off, on = h.copy(), h.copy()
    off[:, j], on[:, j] = 0.0, 1.0
    assert_close(f(v, on, W, b, c) - f(v, off, W, b, c), -(c[j] + v @ W[:, j]))
    off, on = v.copy(), v.copy()
    off[:, i], on[:, i] = 0.0, 1.0
    assert_close(f(on, h, W, b, c) - f(off, h, W, b, c), -(b[i] + h @ W[i]))
    assert_close(f(0 * v, 0 * h, W, b, c), np.zeros(3))
    assert_close(f(h, v, W.T, c, b), f(*s))


@claim(ref.free_energy, net=machines())
def free_energy_sums_out_the_hidden_units(f, net):
    """F(v) = −log Σ_h exp(−E(v, h)) で、和は 2^H 個の隠れ状態すべてについてとる。隠れユニットへの入力が 1500 でも F は有限で、ユニット 1 個につき −1500 になる。
    F(v) = −log Σ_h exp(−E(v, h)), summed over all 2^H hidden states. Where a hidden unit receives 1500, F is still finite: −1500 for each such unit."""
    v, hidden = bits(len(net.b)), bits(len(net.c))
    assert_close(f(v, *net), np.array([-log_sum([-net.energy(row, h) for h in hidden]) for row in v]))
    assert_close(f(v, 0 * net.W, net.b, 0 * net.c + 1500), -1500.0 * len(net.c) - v @ net.b)


@claim(ref.free_energy, net=machines())
def free_energy_is_a_soft_minimum(f, net):
    """F(v) は、h を動かしたときの E(v, h) の最小値以下で、それより H log 2 を超えて低くはならない。W, b, c がすべて 0 なら −H log 2 である。
    F(v) is at most the least E(v, h) over h, and no further below it than H log 2. With W, b and c all 0 it is −H log 2."""
    v, hidden, room = bits(len(net.b)), bits(len(net.c)), len(net.c) * np.log(2)
    least = np.array([min(net.energy(row, h) for h in hidden) for row in v])
    free = f(v, *net)
    assert_at_most(free, least)
    assert_at_most(least - room, free)
    assert_close(f(v, *(0 * p for p in net)), np.full(len(v), -room))


@claim(ref.hidden_probabilities, net=machines(), way=st.sampled_from([-1500.0, 1500.0]))
def conditionals_come_from_the_joint(f, net, way):
    """p(h_j = 1 | v) は、h_j = 1 の状態の exp(−E) の和を、すべての h についての和で割ったものである。(h, Wᵀ, b) で呼べば p(v | h) になる。入力が ±1500 なら 1 または 0 で、NaN にはならない。
    p(h_j = 1 | v) is the sum of exp(−E) over the states with h_j = 1, divided by the sum over all h. Called with (h, Wᵀ, b) it is p(v | h). At an input of ±1500 it is 1 or 0, not NaN."""
    for one in (net, net.swapped()):
        v, hidden = bits(len(one.b)), bits(len(one.c))
        weights = np.array([[np.exp(-one.energy(row, h)) for h in hidden] for row in v])
        assert_close(f(v, one.W, one.c), (weights @ hidden) / weights.sum(axis=1, keepdims=True))
    v = bits(len(net.b))
    assert_close(f(v, 0 * net.W, 0 * net.c + way), np.full((len(v), len(net.c)), float(way > 0)))


@claim(ref.hidden_probabilities, net=machines(hidden=st.integers(2, 3)), unit=st.integers(0, 5))
def hidden_units_are_independent_given_the_visible(f, net, unit):
    """v が与えられれば隠れユニットは独立で、ほかのユニットを取り除いても確率は変わらない。対数オッズ log p/(1 − p) は c + vW である。W と c の符号を逆にすると 1 − p になる。
    Given v the hidden units are independent: removing the others does not change a unit's probability. The log-odds log p/(1 − p) are c + vW. With the signs of W and c reversed it is 1 − p."""
    v, j = bits(len(net.b)), unit % len(net.c)
    p = f(v, net.W, net.c)
    assert_close(f(v, net.W[:, [j]], net.c[[j]]), p[:, [j]])
    a = net.c + v @ net.W
    assert_close(p * np.exp(np.minimum(-a, 0)), (1 - p) * np.exp(np.minimum(a, 0)))
    assert_close(f(v, -net.W, -net.c), 1 - p)


@claim(ref.log_partition, net=machines())
def log_partition_sums_all_states(f, net):
    """log Z = log Σ_v Σ_h exp(−E(v, h)) で、和は 2^(D+H) 個の状態すべてについてとる。
    log Z = log Σ_v Σ_h exp(−E(v, h)), summed over all 2^(D+H) joint states."""
    scores = [-net.energy(v, h) for v in bits(len(net.b)) for h in bits(len(net.c))]
    assert_close(f(*net), log_sum(scores))


@claim(ref.log_partition, net=machines(visible=st.integers(1, 8)))
def partition_function_factorises_without_weights(f, net):
    """W = 0 なら、log Z は softplus(b_i) と softplus(c_j) の和である。可視層と隠れ層の役割を入れ替えても(Wᵀ, c, b)、値は変わらない。パラメータを 400 倍しても有限で、最良の状態の −E から (D+H) log 2 までの間にある。
    With W = 0, log Z is the sum of softplus(b_i) and softplus(c_j). Exchanging the layers (Wᵀ, c, b) does not change it. With parameters 400 times as large it is finite, between −E of the best state and (D+H) log 2 more."""
    W, b, c = net
    assert_close(f(0 * W, b, c), float(np.logaddexp(0, b).sum() + np.logaddexp(0, c).sum()))
    assert_close(f(W.T, c, b), f(W, b, c))
    hidden = bits(len(c))
    best = 400.0 * float(max(h @ c + np.maximum(W @ h + b, 0).sum() for h in hidden))
    large = f(400 * W, 400 * b, 400 * c)
    assert_at_most(best, large)
    assert_at_most(large, best + (len(b) + len(c)) * np.log(2))


class Chain(NamedTuple):
    """The arguments of `contrastive_divergence`, in its order."""

    v0: Array
    u_hidden: Array
    u_visible: Array
    W: Array
    b: Array
    c: Array

    def run(self):
        """The visible states after the last step, and whether each uniform was clear of its probability."""
        v, clear = self.v0, True
        for uh, uv in zip(self.u_hidden, self.u_visible):
            p = probability(self.c + v @ self.W)
            h = np.where(p > uh, 1.0, 0.0)
            q = probability(self.b + h @ self.W.T)
            v = np.where(q > uv, 1.0, 0.0)
            clear = clear and min(abs(p - uh).min(), abs(q - uv).min()) > 1e-5
        return v, clear


@st.composite
def any_chains(draw, N, D, H, K, strength):
    N, D, H, K = draw(N), draw(D), draw(H), draw(K)
    uniforms = [(2 * draw(integers(K, N, size, low=0, high=31)) + 1) / 64 for size in (H, D)]
    return Chain(draw(binary(N, D)), *uniforms, strength * draw(reals(D, H)), draw(reals(D)), draw(reals(H)))


def clear(chain):
    return chain.run()[1]


chains = any_chains(st.integers(2, 5), few, units, units, 1.0).filter(clear)
long_chains = any_chains(st.just(24), st.integers(3, 5), st.integers(2, 4), st.integers(2, 4), 3.0).filter(clear)
FLIPS = GRADIENT._replace(rtol=1e-5, atol=1e-7, single=(1e-3, 1e-4, 1e-4))


@claim(ref.contrastive_divergence, chain=st.integers(0, 3).flatmap(lambda i: long_chains if i else chains))
def chain_matches_with_given_uniforms(f, chain):
    """各ステップで h = [u_hidden < p(h|v)]、v = [u_visible < p(v|h)] の順に 0/1 のサンプルを作り、次のステップへ渡す。dW = (v0ᵀp_0 − v_kᵀp_k)/N、db = mean(v0 − v_k)、dc = mean(p_0 − p_k) で、p は確率 p(h|v) である。
    Every step samples h = [u_hidden < p(h|v)], then v = [u_visible < p(v|h)], both 0 or 1, and hands v on to the next. dW = (v0ᵀp_0 − v_kᵀp_k)/N, db = mean(v0 − v_k), dc = mean(p_0 − p_k), where p is the probability p(h|v)."""
    v, _ = chain.run()
    N, dW, dc = len(v), 0 * chain.W, 0 * chain.c
    for data, model in zip(chain.v0, v):
        p0, p = (probability(chain.c + row @ chain.W) for row in (data, model))
        dW += (np.outer(data, p0) - np.outer(model, p)) / N
        dc += (p0 - p) / N
    answer = f(*chain)
    assert_close(answer[3], v, STATES)
    assert_close(answer[:3], (dW, chain.v0.mean(axis=0) - v.mean(axis=0), dc), FLIPS)


@claim(ref.contrastive_divergence, chain=chains)
def chain_states_are_binary_and_follow_the_biases(f, chain):
    """v_k は 0 か 1 で、db = mean(v0 − v_k) である。W = 0、b = ±40 なら、v_k は b の符号に従い(正なら 1)、dc = 0、dW = mean(v0 − v_k) σ(c) である。
    v_k is 0 or 1, and db = mean(v0 − v_k). With W = 0 and b = ±40, v_k follows the sign of b (1 where positive), dc = 0 and dW = mean(v0 − v_k) σ(c)."""
    _, db, _, v = f(*chain)
    assert_close(v * (1 - v), 0 * v)
    assert_close(db, np.mean(chain.v0 - v, axis=0))
    sign = np.where(chain.b >= 0, 1.0, 0.0)
    forced = np.tile(sign, (len(v), 1))
    flip = (chain.v0 - forced).mean(axis=0)
    answer = f(*chain._replace(W=0 * chain.W, b=80 * sign - 40))
    assert_close(answer, (np.outer(flip, probability(chain.c)), flip, 0 * chain.c, forced))


@claim(ref.contrastive_divergence, chain=long_chains)
def chain_goes_on_from_its_last_state(f, chain):
    """CD-k の v_k は、k−1 ステップ後の状態から、最後の乱数で 1 ステップ進めた状態に等しい。
    The v_k of CD-k is where one step with the last uniforms leads from the state after k−1 steps."""
    before = ref.contrastive_divergence(chain.v0, chain.u_hidden[:-1], chain.u_visible[:-1], *chain[3:])[3]
    assert_close(f(*chain)[3], f(before, chain.u_hidden[-1:], chain.u_visible[-1:], *chain[3:])[3], STATES)


@claim(ref.contrastive_divergence, chain=chains, direction=lambda chain: alike(*chain[3:]))
def update_lowers_free_energy_of_the_data(f, chain, direction):
    """更新 (dW, db, dc) と任意の方向との内積は、その方向への mean F(v_k) − mean F(v0) の傾きに等しい(v0 と v_k は止めておく)。更新に沿って進むと、データの自由エネルギーは、サンプルのものに比べて下がる。
    The inner product of (dW, db, dc) with a direction is the slope along it of mean F(v_k) − mean F(v0), with v0 and v_k held fixed: a step along the update lowers the free energy of the data against that of the sample."""
    *update, v = f(*chain)

    def mean_free(rows, W, b, c):
        return float(-(rows @ b).mean() - np.logaddexp(0, rows @ W + c).sum(axis=1).mean())

    slope = derivative(lambda *p: mean_free(v, *p) - mean_free(chain.v0, *p), chain[3:], direction)
    assert_slope(update, direction, slope)


class Counted(NamedTuple):
    """The arguments of `naive_bayes_logit`, in its order."""

    x: Array
    labels: Array
    smoothing: float

    def probabilities(self, y):
        """p(x_i = 1 | y) for every feature, with Laplace smoothing."""
        rows = [row for row, label in zip(self.x, self.labels) if label == y]
        return np.array([(sum(column) + self.smoothing) / (len(rows) + 2 * self.smoothing) for column in zip(*rows)])

    def size(self, y):
        return sum(int(label) == y for label in self.labels)


@st.composite
def counted(draw):
    """4 … 9 samples of 1 … 4 binary features, both classes among them."""
    N, D = draw(st.integers(4, 9)), draw(few)
    ones = draw(st.integers(1, N - 1))
    labels = np.array(draw(st.permutations([1] * ones + [0] * (N - ones))))
    return Counted(draw(binary(N, D)), labels, draw(st.sampled_from([0.5, 1.0, 2.0])))


@claim(ref.naive_bayes_logit, data=counted())
def naive_bayes_follows_the_counts(f, data):
    """p_i^y = (クラス y で x_i = 1 の数 + α)/(n_y + 2α) として、w_i = log p_i¹/p_i⁰ − log (1−p_i¹)/(1−p_i⁰)、bias = log n₁/n₀ + Σ log (1−p_i¹)/(1−p_i⁰) である。
    With p_i^y = (number of x_i = 1 in class y + α)/(n_y + 2α), w_i = log p_i¹/p_i⁰ − log (1−p_i¹)/(1−p_i⁰) and bias = log n₁/n₀ + Σ log (1−p_i¹)/(1−p_i⁰)."""
    p1, p0 = data.probabilities(1), data.probabilities(0)
    present, absent = np.log(p1) - np.log(p0), np.log(1 - p1) - np.log(1 - p0)
    assert_close(f(*data), (present - absent, float(np.log(data.size(1) / data.size(0)) + absent.sum())))


@claim(ref.naive_bayes_logit, data=counted(), unit=st.integers(0, 11))
def naive_bayes_is_a_linear_logit(f, data, unit):
    """どの 2 値の x でも、x·w + bias = log [p(y=1) Π p(x_i|1)] − log [p(y=0) Π p(x_i|0)] である。クラスを入れ替えると、w と bias の符号が逆になる。特徴 j の 0 と 1 を入れ替えると、w_j の符号が逆になり、もとの w_j が bias に加わる。
    For every binary x, x·w + bias = log [p(y=1) Π p(x_i|1)] − log [p(y=0) Π p(x_i|0)]. Exchanging the classes flips the signs of w and bias. Exchanging 0 and 1 of feature j flips w_j and adds the old w_j to the bias."""
    w, bias = f(*data)
    j, every = unit % len(w), bits(len(w))

    def score(row, y):
        p = data.probabilities(y)
        return np.log(data.size(y) / len(data.x)) + np.log(np.where(row == 1, p, 1 - p)).sum()

    assert_close(every @ w + bias, np.array([score(row, 1) - score(row, 0) for row in every]))
    assert_close(f(*data._replace(labels=1 - data.labels)), (-w, -bias))
    x, flipped = data.x.copy(), np.array(w)
    x[:, j], flipped[j] = 1 - x[:, j], -w[j]
    assert_close(f(*data._replace(x=x)), (flipped, bias + w[j]))


class Logits(NamedTuple):
    """The arguments of `gan_losses`, in its order."""

    real_logits: Array
    fake_logits: Array


@st.composite
def logits(draw):
    """1 … 6 logits of each kind, up to 6 in size."""
    sizes = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    return Logits(*(draw(reals(size, low=-6, high=6)) for size in sizes))


extremes = st.sampled_from([None, None, (1500.0, -1500.0), (-1500.0, 1500.0), (1500.0, 1500.0), (-1500.0, -1500.0)])


@claim(ref.gan_losses, a=logits(), extreme=extremes)
def losses_are_logs_of_probabilities(f, a, extreme):
    """D = σ(ロジット) として、d = −mean log D(x) − mean log(1−D(G(z)))、g_minimax = mean log(1−D(G(z)))、g_nonsaturating = −mean log D(G(z)) である。平均は本物と生成物で別々にとる。ロジットが ±1500 でも有限である。
    With D = σ(logit), d = −mean log D(x) − mean log(1−D(G(z))), g_minimax = mean log(1−D(G(z))), g_nonsaturating = −mean log D(G(z)); real and generated samples are averaged separately. All are finite for logits of ±1500."""
    real, fake = a if extreme is None else (np.append(one, value) for one, value in zip(a, extreme))

    def mean_log(values):
        """The mean of log σ."""
        return sum(-np.log(1 + np.exp(-v)) if v > -30 else v for v in values) / len(values)

    rejected = float(mean_log(-fake))
    assert_close(f(real, fake), (float(-mean_log(real) - rejected), rejected, float(-mean_log(fake))))


@claim(ref.gan_losses, a=logits())
def blind_discriminator_has_loss_two_log_two(f, a):
    """ロジットがすべて 0 なら (2 log 2, −log 2, log 2) である。本物と生成物を入れ替えて符号を逆にしても、d は変わらない。完全な識別器(±50)の d は 0 である。g_nonsaturating + g_minimax = −(生成物のロジットの平均) で、生成器の損失は本物によらない。
    With all logits 0 the losses are (2 log 2, −log 2, log 2). Exchanging real and generated with opposite signs leaves d. A perfect discriminator (±50) has d = 0. g_nonsaturating + g_minimax = −(mean logit of generated samples), and the generator's losses do not depend on real data."""
    real, fake = a
    two = float(np.log(2))
    assert_close(f(0 * real, 0 * fake), (2 * two, -two, two))
    d, minimax, nonsaturating = f(real, fake)
    assert_close(f(-fake, -real)[0], d)
    assert_close(f(0 * real + 50, 0 * fake - 50)[0], 0.0)
    assert_close(nonsaturating + minimax, -float(fake.mean()))
    assert_close(f(1 - real, fake)[1:], (minimax, nonsaturating))


@claim(ref.gan_losses, real=st.integers(1, 6), fake=st.integers(1, 6), change=reals(2))
def optimal_discriminator_measures_jensen_shannon(f, real, fake, change):
    """2 点だけの空間で、最適な識別器 D* = p/(p+q)(ロジット log p/q)の d は 2 log 2 − 2 JS(p‖q) である。ロジットを変えても、d はこれより小さくならない。
    On a space of two points, the best discriminator D* = p/(p+q), whose logit is log p/q, has d = 2 log 2 − 2 JS(p‖q); no other logits make d smaller."""
    p, q = np.array([real, 7 - real]) / 7, np.array([fake, 7 - fake]) / 7
    middle = (p + q) / 2
    js = 0.5 * float(np.sum(p * np.log(p / middle)) + np.sum(q * np.log(q / middle)))
    of = lambda logit: (np.repeat(logit, [real, 7 - real]), np.repeat(logit, [fake, 7 - fake]))
    best = np.log(p / q)
    d = f(*of(best))[0]
    assert_close(d, float(2 * np.log(2) - 2 * js))
    assert_at_most(d, f(*of(best + change))[0])
