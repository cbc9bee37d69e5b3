"""Autoencoders and the variational autoencoder by hand: penalties, losses, the divergence of Gaussians, gradients.

    KL(ρ‖ρ̂) = ρ log(ρ/ρ̂) + (1-ρ) log((1-ρ)/(1-ρ̂))        two coins: the sparse autoencoder's penalty
    h = σ(x̃ W + b_h),  a = h Wᵀ + b_v                       the denoising autoencoder reads x̃ and is to answer x
    log p(x) ≥ E_q[log p(x|z)] - KL(q(z|x)‖p(z))            the evidence lower bound (ELBO)
    z = μ + σ ε,  ε ~ N(0, I),  σ = exp(½ log σ²)           the reparameterisation trick

Ng, "Sparse autoencoder", CS294A lecture notes, 2011, §3.
Vincent, Larochelle, Bengio & Manzagol, "Extracting and composing robust features with denoising autoencoders", 2008.
Baldi & Hornik, "Neural networks and principal component analysis: learning from examples without local minima", 1989.
Kingma & Welling, "Auto-encoding variational Bayes", 2014, arXiv:1312.6114, §2.2-2.4, §3 eq. 10 and appendix B.
Higgins et al., "β-VAE: learning basic visual concepts with a constrained variational framework", 2017.
Serban et al., "A hierarchical latent variable encoder-decoder model for generating dialogues", 2017, arXiv:1605.06069:
VHRED, whose prior is a learned Gaussian too; hence the divergence of any two.

An encoder answers with log σ² (`logvar`), which may be any real number. Reconstruction and divergence are summed over
dimensions and averaged over the batch. All noise is an argument, so that every result is determined.

Letters: N samples, D visible units, H hidden units, Z latent dimensions.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import sigmoid, softplus

Array = NDArray[np.float64]


def sparsity_penalty(hidden: Array, target_rate: float) -> tuple[float, Array]:
    """How far the mean activations are from a small target (Ng, §3), and the gradient.

    The penalty lowers how often a unit fires, not how many units there are.

    Args:
        hidden: activations in (0, 1), (N, H).
        target_rate: ρ in (0, 1).

    Returns:
        value: Σ_j KL(ρ‖ρ̂_j), ρ̂_j the mean of unit j over the batch.
        gradient: ∂value/∂hidden, (N, H): (1/N)(-ρ/ρ̂_j + (1-ρ)/(1-ρ̂_j)), the same for every sample.
    """
    check_shapes(locals(), hidden="N H")
    rho = target_rate
    if not 0 < rho < 1:
        raise ValueError(f"target_rate must lie between 0 and 1, not {rho}")
    rate = hidden.mean(axis=0)
    if not np.all((rate > 0) & (rate < 1)):
        raise ValueError(f"hidden must have mean activations between 0 and 1, not {rate}")
    value = np.sum(rho * np.log(rho / rate) + (1 - rho) * np.log((1 - rho) / (1 - rate)))
    gradient = (-rho / rate + (1 - rho) / (1 - rate)) / len(hidden)
    return float(value), np.broadcast_to(gradient, hidden.shape).copy()


def denoising_autoencoder_loss(
    x: Array, u: Array, drop: float, W: Array, b_hidden: Array, b_visible: Array
) -> tuple[float, Array, Array, Array]:
    """Loss of a denoising autoencoder with masking noise and tied weights, and its gradients (Vincent et al.).

        x̃ = x ⊙ [u ≥ drop]                       the corrupted input: what is kept is not enlarged
        δ_a = (σ(a) - x)/N                       against the clean x
        δ_h = (δ_a W) ⊙ h ⊙ (1 - h)

    Args:
        x: clean input in [0, 1], (N, D).
        u: uniform noise, (N, D).
        drop: share of the entries that are set to 0, in [0, 1).
        W: weights of the encoder, and transposed those of the decoder, (D, H).
        b_hidden: bias of the hidden units, (H,).
        b_visible: bias of the output, (D,).

    Returns:
        loss: (1/N) Σ_n Σ_d [softplus(a) - x a], the cross-entropy of σ(a) against x.
        dW: x̃ᵀ δ_h + δ_aᵀ h, from both uses of W, (D, H).
        db_hidden: Σ_n δ_h, (H,).
        db_visible: Σ_n δ_a, (D,).
    """
    check_shapes(locals(), x="N D", u="N D", W="D H", b_hidden="H", b_visible="D")
    _check_probabilities(x)
    if not 0 <= drop < 1:
        raise ValueError(f"drop must be at least 0 and below 1, not {drop}")
    noisy = x * (u >= drop)
    h = sigmoid(noisy @ W + b_hidden)
    a = h @ W.T + b_visible
    loss = np.sum(softplus(a) - x * a) / len(x)
    da = (sigmoid(a) - x) / len(x)
    dh = (da @ W) * h * (1 - h)
    return float(loss), noisy.T @ dh + da.T @ h, dh.sum(axis=0), da.sum(axis=0)


def linear_autoencoder(x: Array, k: int) -> Array:
    """The best reconstruction through k linear units with bias: projection on k principal axes (Baldi & Hornik).

    The squared error left is the sum of the D-k least eigenvalues of the scatter matrix Σ_n (x_n - x̄)ᵀ(x_n - x̄).

    Args:
        x: samples, (N, D).
        k: hidden units, 1 ≤ k ≤ D.

    Returns:
        (N, D): x̄ + (x - x̄) V Vᵀ, the columns of V the k leading right singular vectors of x - x̄.
    """
    check_shapes(locals(), x="N D")
    if not 1 <= k <= x.shape[1]:
        raise ValueError(f"k must be 1 … D={x.shape[1]}, not {k}")
    mean = x.mean(axis=0)
    V = np.linalg.svd(x - mean, full_matrices=False)[2][:k].T
    reconstruction: Array = mean + (x - mean) @ V @ V.T
    return reconstruction


def reparameterize(mu: Array, logvar: Array, noise: Array) -> Array:
    """A sample of N(μ, σ²) as a function of μ and σ² that can be differentiated (Kingma & Welling, §2.4).

    Args:
        mu: means, (N, Z).
        logvar: log σ², (N, Z).
        noise: ε, drawn from N(0, 1), (N, Z).

    Returns:
        (N, Z): μ + exp(½ logvar) ε.
    """
    check_shapes(locals(), mu="N Z", logvar="N Z", noise="N Z")
    return mu + np.exp(0.5 * logvar) * noise


def gaussian_kl(mu_q: Array, logvar_q: Array, mu_p: Array, logvar_p: Array) -> Array:
    """Divergence of two Gaussians with diagonal covariance, KL(q‖p).

    Against p = N(0, I) it is ½ Σ_z (μ² + σ² - log σ² - 1) (Kingma & Welling, appendix B, with the sign reversed).

    Args:
        mu_q: means of q, (N, Z).
        logvar_q: log variances of q, (N, Z).
        mu_p: means of p, (N, Z).
        logvar_p: log variances of p, (N, Z).

    Returns:
        (N,): ½ Σ_z [log σ_p² - log σ_q² + (σ_q² + (μ_q - μ_p)²)/σ_p² - 1], at least 0.
    """
    check_shapes(locals(), mu_q="N Z", logvar_q="N Z", mu_p="N Z", logvar_p="N Z")
    ratio = np.exp(logvar_q - logvar_p)
    kl: Array = 0.5 * np.sum(logvar_p - logvar_q + ratio + (mu_q - mu_p) ** 2 / np.exp(logvar_p) - 1, axis=1)
    return kl


def vae_loss(x: Array, logits: Array, mu: Array, logvar: Array, beta: float) -> tuple[float, float, float]:
    """What a VAE minimises: -ELBO with one sample of z, for β = 1 (Kingma & Welling, eq. 10; β: Higgins et al.).

    Args:
        x: pixels in [0, 1], (N, D).
        logits: what the decoder makes of z: log-odds of each pixel, (N, D).
        mu: means of q(z|x), (N, Z).
        logvar: log variances of q(z|x), (N, Z).
        beta: weight of the divergence.

    Returns:
        loss: reconstruction + β kl.
        reconstruction: (1/N) Σ_n Σ_d [softplus(logits) - x logits], the cross-entropy, finite for logits of any size.
        kl: (1/N) Σ_n KL(q(z|x_n)‖N(0, I)).
    """
    check_shapes(locals(), x="N D", logits="N D", mu="N Z", logvar="N Z")
    _check_probabilities(x)
    reconstruction = np.mean(np.sum(softplus(logits) - x * logits, axis=1))
    kl = np.mean(gaussian_kl(mu, logvar, np.zeros_like(mu), np.zeros_like(mu)))
    return float(reconstruction + beta * kl), float(reconstruction), float(kl)


def vae_encoder_backward(dz: Array, mu: Array, logvar: Array, noise: Array, beta: float) -> tuple[Array, Array]:
    """Gradients of the VAE's loss that reach the encoder, through the sample and through the divergence.

        ∂z/∂μ = 1,  ∂z/∂logvar = ½ σ ε                      as σ = exp(½ logvar)
        ∂KL/∂μ = μ,  ∂KL/∂logvar = ½ (σ² - 1)

    Args:
        dz: ∂reconstruction/∂z, the reconstruction being the mean over the batch, (N, Z).
        mu: means, (N, Z).
        logvar: log σ², (N, Z).
        noise: ε of z = μ + σ ε, (N, Z).
        beta: weight of the divergence.

    Returns:
        dmu: dz + β μ/N, (N, Z).
        dlogvar: ½ dz ε σ + ½ β (σ² - 1)/N, (N, Z).
    """
    check_shapes(locals(), dz="N Z", mu="N Z", logvar="N Z", noise="N Z")
    N = len(mu)
    dmu = dz + beta * mu / N
    dlogvar = 0.5 * dz * noise * np.exp(0.5 * logvar) + 0.5 * beta * (np.exp(logvar) - 1) / N
    return dmu, dlogvar


def _check_probabilities(x: Array) -> None:
    if not np.all((x >= 0) & (x <= 1)):
        raise ValueError("x must lie in [0, 1]")
