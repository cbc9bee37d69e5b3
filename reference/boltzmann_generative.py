"""Restricted Boltzmann machines computed exactly, naive Bayes as a linear logit, and the losses of a GAN.

    p(v, h) = exp(-E(v, h)) / Z,  E(v, h) = -v·b - h·c - vWh      units are 0 or 1, every pair is counted once
    p(v) = exp(-F(v)) / Z,  F(v) = -log Σ_h exp(-E(v, h))         the hidden units summed out
    p(h_j = 1 | v) = σ(c_j + v·W_j)                               independent, as no two hidden units are linked
    ∂log p(v)/∂W = ⟨v p(h|v)ᵀ⟩_data - ⟨v p(h|v)ᵀ⟩_model           CD-k: the model's mean after k Gibbs steps from the data
    d = -mean log D(x) - mean log(1 - D(G(z)))                    what the discriminator of a GAN minimises

Ackley, Hinton & Sejnowski, "A learning algorithm for Boltzmann machines", 1985.
Smolensky, "Information processing in dynamical systems: foundations of harmony theory", 1986: the restricted machine.
Hinton, "Training products of experts by minimizing contrastive divergence", 2002.
Hinton, "A practical guide to training restricted Boltzmann machines", UTML TR 2010-003, §2-3.
Goodfellow, Bengio & Courville, "Deep Learning", 2016, §16.2, §18.2 and §20.1-20.4.
Ng & Jordan, "On discriminative vs. generative classifiers", 2002; Bishop, "Pattern Recognition and Machine Learning",
2006, §1.5.4 and §4.2.3.
Goodfellow et al., "Generative adversarial nets", 2014, arXiv:1406.2661, eq. 1, §3 and theorem 1.

Logarithms are natural. All random numbers are arguments, so that every result is determined.

Letters: N samples, D visible units or features, H hidden units, K Gibbs steps, M generated samples.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import logsumexp, sigmoid, softplus

Array = NDArray[np.float64]


def rbm_energy(v: Array, h: Array, W: Array, b: Array, c: Array) -> Array:
    """Energy of joint states of a restricted Boltzmann machine: the lower, the likelier (Hinton 2010, §2).

    Args:
        v: visible units, (N, D).
        h: hidden units, (N, H).
        W: weight of visible unit i and hidden unit j, (D, H).
        b: biases of the visible units, (D,).
        c: biases of the hidden units, (H,).

    Returns:
        (N,): -v·b - h·c - Σ_ij v_i W_ij h_j.
    """
    check_shapes(locals(), v="N D", h="N H", W="D H", b="D", c="H")
    energy: Array = -(v @ b) - h @ c - np.sum((v @ W) * h, axis=1)
    return energy


def free_energy(v: Array, W: Array, b: Array, c: Array) -> Array:
    """Free energy of visible states, all hidden states summed out: p(v) = exp(-F(v))/Z.

    Each hidden unit is off or on by itself, so that the sum over 2^H states is a product of H factors 1 + exp(c_j + v·W_j).

    Args:
        v: visible units, (N, D).
        W: weights, (D, H).
        b: biases of the visible units, (D,).
        c: biases of the hidden units, (H,).

    Returns:
        (N,): -v·b - Σ_j softplus(c_j + v·W_j), W_j being column j.
    """
    check_shapes(locals(), v="N D", W="D H", b="D", c="H")
    energy: Array = -(v @ b) - np.sum(softplus(v @ W + c), axis=1)
    return energy


def hidden_probabilities(v: Array, W: Array, c: Array) -> Array:
    """How likely each hidden unit is on, given the visible units.

    A restricted machine is symmetric: with (h, Wᵀ, b) the same function gives p(v_i = 1 | h).

    Args:
        v: visible units, (N, D).
        W: weights, (D, H).
        c: biases of the hidden units, (H,).

    Returns:
        (N, H): σ(c_j + v·W_j).
    """
    check_shapes(locals(), v="N D", W="D H", c="H")
    return sigmoid(v @ W + c)


def log_partition(W: Array, b: Array, c: Array) -> float:
    """Logarithm of the partition function, by enumeration of the visible states.

    Args:
        W: weights, (D, H), D ≤ 16.
        b: biases of the visible units, (D,).
        c: biases of the hidden units, (H,).

    Returns:
        log Z = log Σ_v exp(-F(v)), over all 2^D binary v.
    """
    check_shapes(locals(), W="D H", b="D", c="H")
    D = len(b)
    if D > 16:
        raise ValueError(f"W must have at most 16 rows, as 2^D states are enumerated, not D={D}")
    states = (np.arange(2**D)[:, None] >> np.arange(D) & 1).astype(float)
    return float(logsumexp(-free_energy(states, W, b, c)))


def contrastive_divergence(
    v0: Array, u_hidden: Array, u_visible: Array, W: Array, b: Array, c: Array
) -> tuple[Array, Array, Array, Array]:
    """CD-k: the direction in which the parameters are to go, from k Gibbs steps that begin at the data (Hinton 2002).

        h = [u_hidden < p(h|v)],  v = [u_visible < p(v|h)]      one step; both are samples, 0 or 1
        p = p(h|v)                                              what enters the statistics, of either phase

    Args:
        v0: data, binary, (N, D).
        u_hidden: uniforms in [0, 1) for the hidden samples of each step, (K, N, H).
        u_visible: uniforms for the visible samples of each step, (K, N, D).
        W: weights, (D, H).
        b: biases of the visible units, (D,).
        c: biases of the hidden units, (H,).

    Returns:
        dW: (v0ᵀ p_0 - v_kᵀ p_k)/N, to be added: ascent of the log-likelihood, (D, H).
        db: mean of v0 - v_k, (D,).
        dc: mean of p_0 - p_k, (H,).
        v_k: the visible states after the last step, (N, D).
    """
    if len(u_hidden) == 0 or len(u_hidden) != len(u_visible):
        raise ValueError(
            f"u_hidden must have as many steps as u_visible, at least 1: {len(u_hidden)}, {len(u_visible)}"
        )
    check_shapes(locals(), v0="N D", u_hidden="K N H", u_visible="K N D", W="D H", b="D", c="H")
    p0 = hidden_probabilities(v0, W, c)
    v, p = v0, p0
    for uh, uv in zip(u_hidden, u_visible):
        h = (uh < p).astype(float)
        v = (uv < hidden_probabilities(h, W.T, b)).astype(float)
        p = hidden_probabilities(v, W, c)
    return (v0.T @ p0 - v.T @ p) / len(v0), (v0 - v).mean(axis=0), (p0 - p).mean(axis=0), v


def naive_bayes_logit(x: Array, labels: NDArray[np.int64], smoothing: float) -> tuple[Array, float]:
    """The generative classifier with independent binary features, as a linear logit (Bishop, §4.2.3).

        p_i^y = (count of x_i = 1 in class y + α) / (n_y + 2α)      Laplace smoothing, once for each of two values
        log p(1|x)/p(0|x) = x·w + bias                              the form that logistic regression fits directly

    Args:
        x: binary features, (N, D).
        labels: classes 0 and 1, each at least once, (N,).
        smoothing: α > 0.

    Returns:
        w: log(p_i¹/p_i⁰) - log((1 - p_i¹)/(1 - p_i⁰)), (D,).
        bias: log(n_1/n_0) + Σ_i log((1 - p_i¹)/(1 - p_i⁰)); the prior of the classes is not smoothed.
    """
    check_shapes(locals(), x="N D", labels="N")
    if smoothing <= 0:
        raise ValueError(f"smoothing must be positive, not {smoothing}")
    if set(np.asarray(labels).tolist()) != {0, 1}:
        raise ValueError("labels must be 0 and 1, each at least once")
    n1, n0 = np.sum(labels == 1), np.sum(labels == 0)
    p1 = (x[labels == 1].sum(axis=0) + smoothing) / (n1 + 2 * smoothing)
    p0 = (x[labels == 0].sum(axis=0) + smoothing) / (n0 + 2 * smoothing)
    absent = np.log((1 - p1) / (1 - p0))
    return np.log(p1 / p0) - absent, float(np.log(n1 / n0) + np.sum(absent))


def gan_losses(real_logits: Array, fake_logits: Array) -> tuple[float, float, float]:
    """What the two players of a GAN minimise, from the logits of the discriminator D = σ(logit) (Goodfellow et al. 2014).

    At the best discriminator D = p/(p + q), d = 2 log 2 - 2 JS(p‖q). By a logit a of a generated sample, the slope of the
    minimax loss is -σ(a), which vanishes where D rejects surely; that of the non-saturating loss is -(1 - σ(a)).

    Args:
        real_logits: logits of D on real data, (N,).
        fake_logits: logits of D on generated data, (M,).

    Returns:
        d: -mean log D(x) - mean log(1 - D(G(z))), the discriminator's.
        g_minimax: mean log(1 - D(G(z))), the generator's by eq. 1.
        g_nonsaturating: -mean log D(G(z)), the generator's in practice.
    """
    check_shapes(locals(), real_logits="N", fake_logits="M")
    rejected = np.mean(softplus(fake_logits))  # -log(1 - σ(a)) = softplus(a), -log σ(a) = softplus(-a)
    return float(np.mean(softplus(-real_logits)) + rejected), float(-rejected), float(np.mean(softplus(-fake_logits)))
