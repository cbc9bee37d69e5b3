"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative
from torch import distributions
from torch.nn import functional

from reference.autoencoder_vae import (
    denoising_autoencoder_loss, gaussian_kl, linear_autoencoder, reparameterize, sparsity_penalty, vae_encoder_backward,
    vae_loss,
)
from reference.autoencoder_vae_torch import vae_loss_torch
from reference.numerics import sigmoid, softplus


@alternative(sparsity_penalty)
def outcome_by_outcome(hidden, target_rate):
    """The two outcomes of a coin as an array, one unit at a time; the gradient over one denominator."""
    p = np.array([target_rate, 1 - target_rate])
    value, gradient = 0.0, np.zeros(hidden.shape, hidden.dtype)
    for j in range(hidden.shape[1]):
        m = hidden[:, j].mean()
        value = value + (p * (np.log(p) - np.log(np.array([m, 1 - m])))).sum()
        gradient[:, j] = (m - target_rate) / (m * (1 - m)) / hidden.shape[0]
    return value, gradient


@alternative(sparsity_penalty)
def cross_entropy_less_entropy(hidden, target_rate):
    """Cross-entropy less entropy; nested lists come back."""
    N, H = hidden.shape
    m = hidden.sum(axis=0) / N
    crossed = -(target_rate * np.log(m) + (1 - target_rate) * np.log(1 - m)).sum()
    own = -H * (target_rate * np.log(target_rate) + (1 - target_rate) * np.log(1 - target_rate))
    row = (1 - target_rate) / (1 - m) - target_rate / m
    return [crossed - own, [(row / N).tolist() for _ in range(N)]]


@alternative(denoising_autoencoder_loss)
def maximum_and_log1p(x, u, drop, W, b_hidden, b_visible):
    """max(a, 0) − xa + log(1 + e^−|a|), and means in place of sums over N."""
    noisy = np.where(u < drop, 0, x)
    h = 1 / (1 + np.exp(-(noisy @ W + b_hidden)))
    a = h @ W.T + b_visible
    e = np.exp(-np.abs(a))
    loss = (np.maximum(a, 0) - a * x + np.log1p(e)).sum(axis=1).mean()
    da = np.where(a >= 0, 1 / (1 + e), e / (1 + e)) - x
    dh = da @ W * (h - h * h)
    return loss, (noisy.T @ dh + (h.T @ da).T) / len(x), dh.mean(axis=0), da.mean(axis=0)


@alternative(denoising_autoencoder_loss)
def sample_by_sample(x, u, drop, W, b_hidden, b_visible):
    """Outer products, one sample after the other."""
    keep = (u >= drop).astype(x.dtype)
    loss, dW, db, dc = 0.0, np.zeros(W.shape), np.zeros(len(b_hidden)), np.zeros(len(b_visible))
    for clean, noisy in zip(x, x * keep):
        h = sigmoid(noisy @ W + b_hidden)
        a = W @ h + b_visible
        da = (sigmoid(a) - clean) / len(x)
        dh = h * (1 - h) * (da @ W)
        loss = loss + (softplus(a) - clean * a).sum() / len(x)
        dW, db, dc = dW + np.outer(noisy, dh) + np.outer(da, h), db + dh, dc + da
    return [loss, dW, db, dc]


@alternative(linear_autoencoder)
def eigenvectors_of_the_scatter(x, k):
    """Eigenvectors in place of singular vectors."""
    mean = x.mean(axis=0, keepdims=True)
    values, vectors = np.linalg.eigh((x - mean).T @ (x - mean))
    best = vectors[:, np.argsort(values)[::-1][:k]]
    return mean + np.einsum("nd,dk,ek->ne", x - mean, best, best)


@alternative(linear_autoencoder)
def truncated_svd(x, k):
    """Eckart-Young: the sum of the k largest terms of the SVD, as lists."""
    mean = np.mean(x, axis=0)
    U, s, Vt = np.linalg.svd(x - mean, full_matrices=False)
    return ((U[:, :k] * s[:k]) @ Vt[:k] + mean).tolist()


@alternative(reparameterize)
def root_of_the_variance(mu, logvar, noise):
    """√(e^logvar) in place of e^(logvar/2)."""
    return mu + noise * np.sqrt(np.exp(logvar))


@alternative(reparameterize)
def entry_by_entry(mu, logvar, noise):
    """Plain Python; nested lists come back."""
    return [[m + np.e ** (v / 2) * e for m, v, e in zip(*rows)] for rows in zip(mu.tolist(), logvar.tolist(), noise.tolist())]


@alternative(gaussian_kl)
def in_standard_deviations(mu_q, logvar_q, mu_p, logvar_p):
    """The textbook form in σ."""
    sq, sp = np.exp(logvar_q / 2), np.exp(logvar_p / 2)
    return (np.log(sp) - np.log(sq) + (sq**2 + (mu_q - mu_p) ** 2) / (2 * sp**2) - 0.5).sum(axis=-1)


@alternative(gaussian_kl)
def dimension_by_dimension(mu_q, logvar_q, mu_p, logvar_p):
    """One sample and one dimension at a time; a list comes back."""
    out = []
    for mq, lq, mp, lp in zip(mu_q, logvar_q, mu_p, logvar_p):
        out.append(sum(0.5 * (b - a + np.exp(a - b) + (m - n) ** 2 * np.exp(-b) - 1) for m, a, n, b in zip(mq, lq, mp, lp)))
    return out


@alternative(vae_loss)
def log_likelihoods(x, logits, mu, logvar, beta):
    """x log σ + (1 − x) log(1 − σ) by logaddexp, and appendix B's form of the KL."""
    likelihood = x * -np.logaddexp(0, -logits) + (1 - x) * -np.logaddexp(0, logits)
    kl = -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum() / len(mu)
    return -likelihood.sum() / len(x) + beta * kl, -likelihood.sum() / len(x), kl


@alternative(vae_loss)
def pixel_by_pixel(x, logits, mu, logvar, beta):
    """Sums of sums; a list comes back."""
    pixels = [sum(max(a, 0) - p * a + np.log1p(np.exp(-abs(a))) for p, a in zip(*rows)) for rows in zip(x, logits)]
    reconstruction, kl = sum(pixels) / len(x), sum(gaussian_kl(mu, logvar, 0 * mu, 0 * logvar)) / len(mu)
    return [reconstruction + beta * kl, reconstruction, kl]


@alternative(vae_encoder_backward)
def from_the_sample(dz, mu, logvar, noise, beta):
    """σε is z − μ; expm1 for σ² − 1."""
    z = reparameterize(mu, logvar, noise)
    return dz + beta * mu / len(mu), 0.5 * (dz * (z - mu) + beta * np.expm1(logvar) / len(mu))


@alternative(vae_encoder_backward)
def through_sigma(dz, mu, logvar, noise, beta):
    """The chain rule by way of σ: ∂KL/∂σ = σ − 1/σ, ∂σ/∂logvar = σ/2; sample by sample."""
    dmu, dlogvar = [], []
    for g, m, v, e in zip(dz, mu, logvar, noise):
        sigma = np.exp(v / 2)
        dsigma = g * e + beta / len(mu) * (sigma - 1 / sigma)
        dmu.append(g + beta / len(mu) * m)
        dlogvar.append(dsigma * sigma / 2)
    return dmu, dlogvar


@alternative(vae_loss_torch)
def softplus_and_distributions(x, logits, mu, logvar, beta):
    """Softplus for the cross-entropy, torch.distributions for the KL."""
    reconstruction = (functional.softplus(logits) - x * logits).sum() / len(x)
    q = distributions.Normal(mu, (logvar / 2).exp(), validate_args=False)
    p = distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu), validate_args=False)
    kl = distributions.kl_divergence(q, p).sum(-1).mean()
    return reconstruction + beta * kl, reconstruction, kl


@alternative(vae_loss_torch)
def log_sigmoids_by_sample(x, logits, mu, logvar, beta):
    """Log-sigmoids of ±logits, one sample at a time."""
    losses = [-(p * functional.logsigmoid(a) + (1 - p) * functional.logsigmoid(-a)).sum() for p, a in zip(x, logits)]
    kls = [-0.5 * (1 + v - m * m - torch.exp(v)).sum() for m, v in zip(mu, logvar)]
    reconstruction, kl = torch.stack(losses).mean(), torch.stack(kls).mean()
    return reconstruction + kl * beta, reconstruction, kl
