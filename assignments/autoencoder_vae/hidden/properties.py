"""The laws of autoencoders and of the VAE. Rates and noise lie on binary grids, so that float32 holds them exactly."""

from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    GRADIENT, Tolerance, alike, assert_at_most, assert_close, assert_slope, claim, derivative, integers, reals,
    shaped, twin,
)
from hypothesis import strategies as st

from reference import autoencoder_vae as ref
from reference import autoencoder_vae_torch as ref_torch
from reference.autoencoder_vae import Array

few, units = st.integers(1, 4), st.integers(1, 3)
betas = st.sampled_from([0.0, 1.0, 1.0, 0.25, 0.5, 2.0, 4.0])
greys = partial(reals, low=0, high=1)
log_odds = partial(reals, low=-6, high=6)


class Activity(NamedTuple):
    """The arguments of `sparsity_penalty`, in its order."""

    hidden: Array
    target_rate: float


@st.composite
def activities(draw):
    """Activations 1/32 … 31/32 of a few samples, and a target up to 0.6."""
    hidden = draw(integers(draw(st.integers(2, 6)), draw(few), low=1, high=31)) / 32
    return Activity(hidden, draw(st.integers(1, 19)) / 32)


def coins(p, q):
    """KL of two coins, summed over their two outcomes."""
    return sum(a * (np.log(a) - np.log(b)) for a, b in ((p, q), (1 - p, 1 - q)))


@claim(ref.sparsity_penalty, act=activities())
def penalty_is_a_divergence_of_two_coins(f, act):
    """値は、各ユニットのバッチ平均 ρ̂_j についての KL(ρ‖ρ̂_j) の和である(発火する・しないの両方を足す)。勾配の要素 (n, j) は (ρ̂_j − ρ)/(ρ̂_j(1 − ρ̂_j)N) である。
    The value is the sum of KL(ρ‖ρ̂_j) over the units, ρ̂_j the mean over the batch, both outcomes counted; entry (n, j) of the gradient is (ρ̂_j − ρ)/(ρ̂_j(1 − ρ̂_j)N)."""
    (N, H), rho = act.hidden.shape, act.target_rate
    rates = [sum(act.hidden[:, j]) / N for j in range(H)]
    row = [(rate - rho) / (rate * (1 - rate) * N) for rate in rates]
    assert_close(f(*act), (float(sum(coins(rho, rate) for rate in rates)), np.array([row] * N)), GRADIENT)


@claim(ref.sparsity_penalty, act=activities())
def penalty_is_zero_at_the_target_rate(f, act):
    """値は 0 以上で、どのユニットの平均も目標に等しければ値も勾配も 0 である。値は平均だけで決まり(列の中で並べ替えても同じ)、ユニットごとの値の和になる。
    The value is at least 0; it and the gradient are 0 where every unit's mean is the target. It depends on means alone (shuffling a column changes nothing) and adds up over the units."""
    hidden, rho = act
    value, _ = f(*act)
    assert_at_most(-value, 0.0)
    column = hidden[:, 0]
    even = np.stack([np.roll(column, j) for j in range(hidden.shape[1])], axis=1)
    at_target, gradient = f(even, float(column.mean()))
    assert_close(at_target, 0.0)
    assert_close(gradient, np.zeros(hidden.shape), Tolerance(0, 1e-9, (0, 1e-4, 0)))
    shuffled = np.stack([np.roll(c, j) for j, c in enumerate(hidden.T)], axis=1)
    assert_close(f(shuffled, rho)[0], value)
    assert_close(sum(f(hidden[:, [j]], rho)[0] for j in range(hidden.shape[1])), value)


@claim(ref.sparsity_penalty, act=activities(), direction=lambda act: alike(act.hidden))
def penalty_gradient_matches_differences(f, act, direction):
    """勾配と任意の方向との内積は、その方向への値の差分商に等しい。
    The inner product of the gradient with a direction is the slope of the value along it."""
    slope = derivative(lambda h: ref.sparsity_penalty(h, act.target_rate)[0], [act.hidden], direction, step=1e-6)
    assert_slope([f(*act)[1]], direction, slope)


class Denoising(NamedTuple):
    """The arguments of `denoising_autoencoder_loss`, in its order."""

    x: Array
    u: Array
    drop: float
    W: Array
    b_hidden: Array
    b_visible: Array

    @property
    def noisy(self) -> Array:
        return np.where(self.u < self.drop, 0.0, self.x)

    @property
    def h(self) -> Array:
        return 1 / (1 + np.exp(-(self.noisy @ self.W + self.b_hidden)))

    @property
    def a(self) -> Array:
        return self.h @ self.W.T + self.b_visible


@st.composite
def denoisings(draw):
    """Binary or grey pixels; u is an odd number of 32nds and drop an even one, so that none is on the edge."""
    N, D, H = draw(few), draw(st.integers(2, 4)), draw(units)
    x = draw(greys(N, D) | integers(N, D, low=0, high=1).map(lambda bits: 1.0 * bits))
    u = (2 * draw(integers(N, D, low=0, high=15)) + 1) / 32
    return Denoising(x, u, draw(st.integers(3, 9)) / 16, draw(reals(D, H)), draw(reals(H)), draw(reals(D)))


@claim(ref.denoising_autoencoder_loss, net=denoisings(), saturated=st.integers(0, 3).map(lambda i: i == 3))
def autoencoder_follows_the_formula(f, net, saturated):
    """損失は −x log σ(a) − (1−x) log(1−σ(a)) を画素について足し、サンプルについて平均したものである。dW は x̃ᵀδ_h + δ_aᵀh、バイアスの勾配は δ_h, δ_a の和である。b_visible = 900 でも損失は有限である。
    The loss is −x log σ(a) − (1−x) log(1−σ(a)), summed over pixels and averaged over samples; dW is x̃ᵀδ_h + δ_aᵀh, the gradients of the biases are sums of δ_h and δ_a. With b_visible = 900 the loss is finite."""
    N, D = net.x.shape
    if saturated:
        net = net._replace(W=0 * net.W, b_visible=np.full(D, 900.0))
    noisy, h, a = net.noisy, net.h, net.a
    loss, dW, db, dc = 0.0, 0 * net.W, 0 * net.b_hidden, 0 * net.b_visible
    for n in range(N):
        for d in range(D):
            one, zero = np.logaddexp(0, -a[n, d]), np.logaddexp(0, a[n, d])  # -log σ(a) and -log(1 - σ(a))
            loss += (net.x[n, d] * one + (1 - net.x[n, d]) * zero) / N
            error = (np.exp(-one) - net.x[n, d]) / N
            inside = error * net.W[d] * h[n] * (1 - h[n])
            dc[d] += error
            dW[d] += error * h[n]
            dW += np.outer(noisy[n], inside)
            db += inside
    assert_close(f(*net), (float(loss), dW, db, dc), GRADIENT)


@claim(
    ref.denoising_autoencoder_loss, net=denoisings(),
    direction=lambda net: alike(net.W, net.b_hidden, net.b_visible),
)
def autoencoder_gradients_match_differences(f, net, direction):
    """三つの勾配と任意の方向との内積は、その方向への損失の差分商に等しい。W はエンコーダとデコーダの両方で動く。
    The inner product of the three gradients with a direction is the slope of the loss along it; W moves in encoder and decoder alike."""
    slope = derivative(lambda *w: ref.denoising_autoencoder_loss(*net[:3], *w)[0], net[3:], direction)
    assert_slope(f(*net)[1:], direction, slope)


@claim(ref.denoising_autoencoder_loss, net=denoisings())
def target_is_the_clean_input(f, net):
    """先に手で汚した x̃ を drop = 0 で渡すと、目標も x̃ になり、損失は Σ(x − x̃)a のバッチ平均だけ変わる。W = 0 なら、損失は u によらない。
    Corrupting by hand and passing x̃ with drop = 0 makes x̃ the target too, which changes the loss by the batch mean of Σ(x − x̃)a. With W = 0 the loss does not depend on u."""
    clean, corrupted = f(*net)[0], f(*net._replace(x=net.noisy, drop=0.0))[0]
    assert_close(corrupted, float(clean + np.sum((net.x - net.noisy) * net.a) / len(net.x)))
    blind = net._replace(W=0 * net.W)
    assert_close(f(*blind._replace(u=1 - net.u))[0], f(*blind)[0])


@claim(ref.denoising_autoencoder_loss, net=denoisings())
def loss_is_a_mean_over_the_batch(f, net):
    """パラメータがすべて 0 なら、損失は D log 2、b_visible の勾配は ½ − (x の平均) である。バッチを 2 回並べても、損失も勾配も変わらない。
    With all parameters 0 the loss is D log 2 and the gradient of b_visible ½ − mean x. Repeating the batch changes neither loss nor gradients."""
    flat = f(*net[:3], 0 * net.W, 0 * net.b_hidden, 0 * net.b_visible)
    assert_close(flat[0], float(net.x.shape[1] * np.log(2)))
    assert_close(flat[3], 0.5 - net.x.mean(axis=0))
    assert_close(f(*net._replace(x=np.tile(net.x, (2, 1)), u=np.tile(net.u, (2, 1)))), f(*net), GRADIENT)


class Cloud(NamedTuple):
    """The arguments of `linear_autoencoder`, in its order."""

    x: Array
    k: int


@st.composite
def clouds(draw):
    """Points of uneven spread about a mean other than 0; k where the best subspace is determined (no tie)."""
    D = draw(st.integers(2, 5))
    spread = np.array(draw(st.permutations([4, 2, 1, 1, 0.5])))[:D]
    x = draw(reals(draw(st.integers(4, 8)), D)) * spread + draw(integers(D, low=-3, high=3))
    s = np.append(np.linalg.svd(x - x.mean(axis=0), compute_uv=False), np.zeros(D))
    certain = [k for k in range(1, D) if s[k - 1] - s[k] >= 0.05 * s[0] or s[k] <= 1e-9 * s[0]]
    return Cloud(x, draw(st.sampled_from([*certain, D])))


@claim(ref.linear_autoencoder, cloud=clouds())
def best_linear_autoencoder_is_pca(f, cloud):
    """答えは、平均を中心に、散布行列の固有値が大きい方から k 本の固有ベクトルへデータを射影したものである。二乗誤差は残りの D−k 個の固有値の和に等しい。
    The answer is the data projected, about its mean, on the k leading eigenvectors of the scatter matrix; the squared error is the sum of the D−k least eigenvalues."""
    x, k = cloud
    centred = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred)
    expected = x.mean(axis=0) + sum(np.outer(centred @ v, v) for v in vectors.T[::-1][:k])
    largest, total = float(abs(x).max()) + 1, float(values.sum()) + 1
    out = f(x, k)
    assert_close(out, expected, Tolerance(1e-7, 1e-8 * largest, (1e-3, 1e-3 * largest, 0)))
    left = float(values[: len(values) - k].sum())
    assert_close(float(np.sum((x - out) ** 2)), left, Tolerance(1e-7, 1e-8 * total, (1e-3, 1e-3 * total, 0)))


@claim(ref.linear_autoencoder, cloud=clouds(), shift=lambda cloud: integers(cloud.x.shape[1], low=-8, high=8))
def reconstruction_is_a_projection(f, cloud, shift):
    """復元したものをもう一度復元しても変わらない。k = D なら x がそのまま返る。データ全体をずらせば、答えも同じだけずれる。
    Reconstructing twice changes nothing; with k = D the answer is x; shifting the data shifts the answer."""
    x, k = cloud
    once = f(x, k)
    within = Tolerance(1e-7, 1e-7, (1e-3, 1e-3 * (float(abs(x).max()) + 8), 0))
    assert_close(f(1.0 * np.asarray(once), k), once, within)
    assert_close(f(x, x.shape[1]), x, within)
    assert_close(f(x + shift, k), once + 1.0 * shift, within)


class Latent(NamedTuple):
    """The arguments of `reparameterize`, in its order."""

    mu: Array
    logvar: Array
    noise: Array


sizes = {"N": (1, 4), "Z": (1, 4)}
latents = shaped(Latent, sizes, mu="N Z", logvar="N Z", noise="N Z")


@claim(ref.reparameterize, latent=latents, a=st.integers(-3, 3))
def sample_is_mean_plus_sigma_times_noise(f, latent, a):
    """要素は μ + √(e^logvar)·ε である。ε = 0 なら μ で、ε を a 倍すると μ からのずれが a 倍になる。
    An entry is μ + √(e^logvar)·ε: it is μ for ε = 0, and a times the noise is a times as far from μ."""
    mu, logvar, noise = latent
    z = f(*latent)
    assert_close(z, mu + np.sqrt(np.exp(logvar)) * noise)
    assert_close(f(mu, logvar, 0 * noise), mu)
    assert_close(f(mu, logvar, a * noise), mu + a * (z - mu))


class Gaussians(NamedTuple):
    """The arguments of `gaussian_kl`, in its order."""

    mu_q: Array
    logvar_q: Array
    mu_p: Array
    logvar_p: Array


gaussians = shaped(Gaussians, sizes, mu_q="N Z", logvar_q="N Z", mu_p="N Z", logvar_p="N Z")


@claim(ref.gaussian_kl, pair=gaussians)
def divergence_follows_the_formula(f, pair):
    """要素 n は Σ_z [log(σ_p/σ_q) + (σ_q² + (μ_q − μ_p)²)/(2σ_p²) − ½] である(次元について和)。
    Entry n is Σ_z [log(σ_p/σ_q) + (σ_q² + (μ_q − μ_p)²)/(2σ_p²) − ½], a sum over the dimensions."""
    expected = np.zeros(len(pair.mu_q))
    for n, z in np.ndindex(*pair.mu_q.shape):
        m, lq, c, lp = (a[n, z] for a in pair)
        sq, sp = np.exp(lq / 2), np.exp(lp / 2)
        expected[n] += np.log(sp / sq) + (sq**2 + (m - c) ** 2) / (2 * sp**2) - 0.5
    assert_close(f(*pair), expected)


@claim(ref.gaussian_kl, pair=gaussians, shift=st.integers(-3, 3), c=st.sampled_from([0.25, 0.5, 2.0, 3.0]))
def divergence_is_an_invariant(f, pair, shift, c):
    """KL は 0 以上で、同じ分布どうしでは 0 である。両方の平均を同じだけずらしても、両方を c 倍しても(μ·c、logvar + 2 log c)変わらず、次元ごとの値の和になる。
    KL is at least 0, and 0 for equal distributions. Neither shifting both means nor scaling both (μ·c, logvar + 2 log c) changes it, and it adds up over the dimensions."""
    kl = f(*pair)
    assert_at_most(-kl, np.zeros(len(kl)))
    assert_close(f(*pair[:2], *pair[:2]), np.zeros(len(kl)))
    mu_q, logvar_q, mu_p, logvar_p = pair
    assert_close(f(mu_q + shift, logvar_q, mu_p + shift, logvar_p), kl)
    wider = 2 * np.log(c)
    assert_close(f(c * mu_q, logvar_q + wider, c * mu_p, logvar_p + wider), kl)
    assert_close(sum(f(*(a[:, [z]] for a in pair)) for z in range(mu_q.shape[1])), kl)


@claim(ref.gaussian_kl, line=reals(4))
def divergence_matches_the_integral(f, line):
    """1 次元では、KL は ∫ q(z) log(q(z)/p(z)) dz を細かい格子で数値積分した値に等しい。q が先、p が後である。
    In one dimension KL is the integral ∫ q(z) log(q(z)/p(z)) dz, taken on a fine grid: q first, then p."""
    m, lq, c, lp = line * np.array([1, 0.75, 1, 0.75])
    z = m + np.exp(lq / 2) * np.linspace(-10, 10, 4001)
    log_q, log_p = (-0.5 * ((z - a) ** 2 / np.exp(b) + b + np.log(2 * np.pi)) for a, b in ((m, lq), (c, lp)))
    area = np.sum(np.exp(log_q) * (log_q - log_p)) * (z[1] - z[0])
    assert_close(f(*np.array([m, lq, c, lp]).reshape(4, 1, 1)), np.array([area]), Tolerance(1e-6, 1e-8))


class Vae(NamedTuple):
    """The arguments of `vae_loss`, in its order."""

    x: Array
    logits: Array
    mu: Array
    logvar: Array
    beta: float


often = st.sampled_from([True, True, False])


@st.composite
def vaes(draw, extreme=often, zero=True):
    """Grey pixels and logits of a few units; in two of three cases one more pixel whose logit is ±1500."""
    N, D, Z = draw(few), draw(st.integers(1, 4)), draw(units)
    x, logits = draw(greys(N, D)), draw(log_odds(N, D, zero=zero))
    if draw(extreme):
        x = np.hstack([x, draw(greys(N, 1))])
        logits = np.hstack([logits, 1500.0 * (2 * draw(integers(N, 1, low=0, high=1)) - 1)])
    return Vae(x, logits, draw(reals(N, Z)), draw(reals(N, Z)), draw(betas))


@claim(ref.vae_loss, vae=vaes())
def vae_loss_follows_the_formula(f, vae):
    """答えは (R + βK, R, K) である。R は −[x log σ(a) + (1−x) log(1−σ(a))] を画素について足して平均したもの(ロジット ±1500 でも有限)、K は ½(μ² + σ² − log σ² − 1) を潜在変数の次元について足して平均したものである。
    The answer is (R + βK, R, K): R sums −[x log σ(a) + (1−x) log(1−σ(a))] over pixels (finite for logits ±1500), K sums ½(μ² + σ² − log σ² − 1) over latent dimensions, both averaged over samples."""
    R = K = 0.0
    for x, a, mu, logvar in zip(*vae[:4]):
        R += sum(max(s, 0.0) - p * s + np.log1p(np.exp(-abs(s))) for p, s in zip(x, a)) / len(vae.x)
        K += sum((m * m + np.exp(v) - v - 1) / 2 for m, v in zip(mu, logvar)) / len(vae.x)
    assert_close(f(*vae), (float(R + vae.beta * K), float(R), float(K)))


@claim(ref.vae_loss, vae=vaes(st.just(False)), other=betas)
def sum_over_dimensions_mean_over_batch(f, vae, other):
    """損失は R + βK で、R と K は β によらない。バッチを 2 回並べても三つとも変わらず、画素と潜在変数の次元を 2 回並べると三つとも 2 倍になる。
    The loss is R + βK, and R and K do not depend on β. Repeating the batch changes none of the three; repeating pixels and latent dimensions doubles all of them."""
    loss, R, K = f(*vae)
    assert_close(loss, R + vae.beta * K)
    assert_close(f(*vae._replace(beta=other))[1:], (R, K))
    assert_close(f(*(np.tile(a, (2, 1)) for a in vae[:4]), vae.beta), (loss, R, K))
    assert_close(f(*(np.tile(a, (1, 2)) for a in vae[:4]), vae.beta), (2 * loss, 2 * R, 2 * K))


@claim(ref.vae_loss, line=reals(4), x=st.sampled_from([0.0, 1.0]))
def elbo_is_a_lower_bound(f, line, x):
    """1 画素のデコーダ(ロジット w·z + c、z ~ N(0, 1))で、β = 1 の損失を q について平均して符号を変えた ELBO は、対数周辺尤度 log p(x) を超えない。
    For a decoder of one pixel (logit w·z + c, z ~ N(0, 1)) the ELBO, minus the loss at β = 1 averaged over q, never exceeds the log marginal likelihood log p(x)."""
    w, c, m, v = line * np.array([0.75, 1, 0.75, 0.5]) - np.array([0, 0, 0, 0.5])
    nodes, shares = np.polynomial.hermite.hermgauss(12)
    at = lambda *values: [np.array([[value]]) for value in values]
    losses = [f(*at(x, w * (m + np.exp(v / 2) * 2**0.5 * t) + c, m, v), 1.0)[0] for t in nodes]
    elbo = -sum(share * loss for share, loss in zip(shares, losses)) / np.pi**0.5
    t, p = np.polynomial.hermite.hermgauss(40)
    sign = 2 * x - 1
    marginal = np.sum(p / (1 + np.exp(-sign * (w * 2**0.5 * t + c)))) / np.pi**0.5
    assert_at_most(float(elbo), float(np.log(marginal) + 2e-4))


class Backward(NamedTuple):
    """The arguments of `vae_encoder_backward`, in its order."""

    dz: Array
    mu: Array
    logvar: Array
    noise: Array
    beta: float


backwards = betas.flatmap(
    lambda beta: shaped(partial(Backward, beta=beta), sizes, dz="N Z", mu="N Z", logvar="N Z", noise="N Z")
)


@claim(ref.vae_encoder_backward, back=backwards)
def encoder_backward_follows_the_formula(f, back):
    """dμ = dz + βμ/N、dlogvar = ½·dz·(z − μ) + β(σ² − 1)/(2N) である。z = μ + σε は抽出した標本である。
    dμ = dz + βμ/N and dlogvar = ½·dz·(z − μ) + β(σ² − 1)/(2N), where z = μ + σε is the sample."""
    dz, mu, logvar, noise, beta = back
    dmu, dlogvar = np.zeros(mu.shape), np.zeros(mu.shape)
    for at in np.ndindex(*mu.shape):
        sigma = np.exp(logvar[at] / 2)
        dmu[at] = dz[at] + beta * mu[at] / len(mu)
        dlogvar[at] = dz[at] * sigma * noise[at] / 2 + beta * (sigma * sigma - 1) / (2 * len(mu))
    assert_close(f(*back), (dmu, dlogvar), GRADIENT)


@claim(ref.vae_encoder_backward, back=backwards, direction=lambda back: alike(back.mu, back.logvar))
def encoder_gradients_match_differences(f, back, direction):
    """二つの勾配と任意の方向との内積は、Σ dz·z + β·(KL のバッチ平均) の、その方向への差分商に等しい(z = μ + e^{logvar/2} ε)。
    The inner product of the two gradients with a direction is the slope of Σ dz·z + β·(batch mean of KL) along it, with z = μ + e^{logvar/2} ε."""
    dz, mu, logvar, noise, beta = back

    def objective(m, v):
        kl = 0.5 * np.sum(m**2 + np.exp(v) - v - 1) / len(m)
        return np.sum(dz * (m + np.exp(v / 2) * noise)) + beta * kl

    assert_slope(f(*back), direction, derivative(objective, (mu, logvar), direction))


@twin(ref_torch.vae_loss_torch, vae=vaes(zero=False))
def loss_on_tensors(vae):
    return vae
