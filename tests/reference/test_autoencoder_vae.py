"""The reference of autoencoders against torch's distributions and autograd, differences, PCA, and golden numbers."""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional

from reference.autoencoder_vae import (
    denoising_autoencoder_loss,
    gaussian_kl,
    linear_autoencoder,
    reparameterize,
    sparsity_penalty,
    vae_encoder_backward,
    vae_loss,
)
from reference.autoencoder_vae_torch import vae_loss_torch

SEEDS = range(20)
MU, LOGVAR, NOISE = np.array([[0.5, -1.0]]), np.array([[0.0, -1.2]]), np.array([[1.5, -0.7]])


def close(actual, expected, rtol=1e-11, atol=1e-12):
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected):
            close(a, e, rtol, atol)
    else:
        np.testing.assert_allclose(actual, expected, rtol, atol)


def leaf(value):
    return torch.tensor(value, requires_grad=True)


def arrays(*values):
    return tuple(value.detach().numpy() for value in values)


def vae(seed):
    """x, logits, mu, logvar, beta."""
    rng = np.random.default_rng(seed)
    N, D, Z = rng.integers(1, 6, 3)
    mu, logvar = rng.normal(size=(2, N, Z))
    return rng.random((N, D)), 3 * rng.normal(size=(N, D)), mu, logvar, float(rng.random() * 4)


def test_sparsity_penalty_gives_the_golden_numbers():
    value, gradient = sparsity_penalty(np.array([[0.2, 0.9], [0.4, 0.5]]), 0.1)
    close(value, 0.9104818014817719)
    close(gradient, [[0.4761904761904763, 1.4285714285714284]] * 2)


def test_denoising_loss_gives_the_golden_numbers():
    x, u, W = np.array([[1.0, 0.0, 1.0]]), np.array([[0.1, 0.6, 0.9]]), np.array([[0.5, -1.0], [0.2, 0.3], [-0.4, 0.8]])
    found = denoising_autoencoder_loss(x, u, 0.3, W, np.array([0.1, -0.2]), np.array([0.0, 0.1, 0.2]))
    dW = np.array(
        [
            [-0.2581264000151812, -0.39162967297511747],
            [0.25260482319141425, 0.38325233022493116],
            [-0.16532025196871303, -0.12438477589225294],
        ]
    )
    db = np.array([-0.009258626106311991, 0.11239210356239676])
    dc = np.array([-0.6065605945435601, 0.5935856686125237, -0.36672278605739406])
    close(found, (2.2900573467418965, dW, db, dc))


def test_linear_autoencoder_gives_the_golden_numbers():
    found = linear_autoencoder(np.array([[2.0, 0.0], [0.0, 1.0], [4.0, 2.0]]), 1)
    expected = [
        [1.7226499018873855, 0.9160251471689218],
        [0.16794970566215617, 0.44529980377477096],
        [4.109400392450459, 1.6386750490563071],
    ]
    close(found, expected)


def test_vae_parts_give_the_golden_numbers():
    zero = np.zeros((1, 2))
    close(reparameterize(MU, LOGVAR, NOISE), [[2.0, -1.3841681452658183]])
    close(gaussian_kl(MU, LOGVAR, zero, zero), [0.875597105956101])
    close(gaussian_kl(MU, LOGVAR, np.array([[0.1, 0.3]]), np.array([[0.4, -0.5]])), [1.5802477523379843])
    found = vae_loss(np.array([[1.0, 0.0, 0.5]]), np.array([[2.0, -1.0, 0.3]]), MU, LOGVAR, 1.0)
    close(found, (2.0201420489858237, 1.1445449430297228, 0.875597105956101))
    dmu, dlogvar = vae_encoder_backward(np.array([[0.3, 0.2]]), MU, LOGVAR, NOISE, 1.0)
    close(dmu, [[0.8, -0.8]])
    close(dlogvar, [[0.225, -0.3878197085704808]])


@pytest.mark.parametrize("seed", SEEDS)
def test_sparsity_penalty_is_the_divergence_of_bernoullis_and_its_gradient(seed):
    rng = np.random.default_rng(seed)
    hidden, rho = leaf(rng.uniform(0.02, 0.98, rng.integers(1, 6, 2))), float(rng.uniform(0.02, 0.6))
    target = Bernoulli(torch.tensor(rho, dtype=torch.float64))
    value = kl_divergence(target, Bernoulli(hidden.mean(0))).sum()
    close(sparsity_penalty(hidden.detach().numpy(), rho), arrays(value, *torch.autograd.grad(value, hidden)))


@pytest.mark.parametrize("seed", SEEDS)
def test_denoising_loss_and_gradients_are_those_of_autograd(seed):
    rng = np.random.default_rng(seed)
    N, D, H = rng.integers(1, 6, 3)
    x, u, drop = rng.random((N, D)), rng.random((N, D)), float(rng.uniform(0, 0.9))
    W, b, c = leaf(rng.normal(size=(D, H))), leaf(rng.normal(size=H)), leaf(rng.normal(size=D))
    clean = torch.tensor(x)
    h = torch.sigmoid(torch.where(torch.tensor(u) >= drop, clean, 0.0) @ W + b)
    loss = functional.binary_cross_entropy_with_logits(h @ W.T + c, clean, reduction="sum") / int(N)
    expected = arrays(loss, *torch.autograd.grad(loss, (W, b, c)))
    close(denoising_autoencoder_loss(x, u, drop, *arrays(W, b, c)), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_other_linear_autoencoder_has_a_smaller_error(seed):
    rng = np.random.default_rng(seed)
    D = int(rng.integers(2, 6))
    x, k = rng.normal(size=(9, D)) * rng.uniform(0.2, 3, D) + rng.normal(size=D), int(rng.integers(1, D + 1))
    error = np.sum((x - linear_autoencoder(x, k)) ** 2)
    close(error, np.linalg.eigvalsh(9 * np.atleast_2d(np.cov(x.T, bias=True)))[: D - k].sum(), atol=1e-10)
    joined = np.hstack([x, np.ones((9, 1))])
    for _ in range(10):
        code = joined @ rng.normal(size=(D + 1, k))
        decoder = np.hstack([code, np.ones((9, 1))])
        rival = decoder @ np.linalg.lstsq(decoder, x, rcond=None)[0]
        assert np.sum((x - rival) ** 2) >= error - 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_gaussian_kl_is_that_of_torch_distributions(seed):
    rng = np.random.default_rng(seed)
    q_and_p = rng.normal(size=(4, *rng.integers(1, 5, 2)))
    mu_q, logvar_q, mu_p, logvar_p = map(torch.tensor, q_and_p)
    expected = kl_divergence(Normal(mu_q, (logvar_q / 2).exp()), Normal(mu_p, (logvar_p / 2).exp())).sum(1)
    close(gaussian_kl(*q_and_p), expected.numpy())


@pytest.mark.parametrize("seed", SEEDS)
def test_vae_loss_is_that_of_torch_distributions(seed):
    x, logits, mu, logvar, beta = vae(seed)
    likelihood = functional.binary_cross_entropy_with_logits(torch.tensor(logits), torch.tensor(x), reduction="none")
    R = likelihood.sum(1).mean().item()
    q = Normal(torch.tensor(mu), torch.tensor(logvar / 2).exp())
    K = kl_divergence(q, Normal(torch.zeros_like(q.mean), torch.ones_like(q.mean))).sum(1).mean().item()
    close(vae_loss(x, logits, mu, logvar, beta), (R + beta * K, R, K))


@pytest.mark.parametrize("logit", [-1500.0, 1500.0])
def test_vae_loss_is_finite_for_logits_of_any_size(logit):
    x, zero = np.array([[0.25]]), np.zeros((1, 1))
    expected = abs(logit) * (0.75 if logit > 0 else 0.25)
    close(vae_loss(x, np.array([[logit]]), zero, zero, 1.0), (expected, expected, 0.0))
    close(
        arrays(*vae_loss_torch(*map(torch.tensor, (x, np.array([[logit]]), zero, zero)), 1.0)),
        (expected, expected, 0.0),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_encoder_gradients_are_those_of_autograd_through_the_sample(seed):
    rng = np.random.default_rng(seed)
    x, _, mu, logvar, beta = vae(seed)
    noise, decoder = rng.normal(size=mu.shape), torch.tensor(rng.normal(size=(mu.shape[1], x.shape[1])))
    m, v = leaf(mu), leaf(logvar)
    z = m + torch.exp(v / 2) * torch.tensor(noise)
    loss, reconstruction, _ = vae_loss_torch(torch.tensor(x), torch.tanh(z) @ decoder, m, v, beta)
    (dz,) = torch.autograd.grad(reconstruction, z, retain_graph=True)
    close(vae_encoder_backward(dz.numpy(), mu, logvar, noise, beta), arrays(*torch.autograd.grad(loss, (m, v))))


def test_mean_and_variance_of_samples_are_those_asked_for():
    noise = np.random.default_rng(0).normal(size=(200_000, 1))
    z = reparameterize(np.full_like(noise, 1.5), np.full_like(noise, np.log(0.25)), noise)
    close([z.mean(), z.var()], [1.5, 0.25], rtol=0, atol=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_torch_twin_agrees_with_arrays_and_keeps_dtype(seed):
    *values, beta = vae(seed)
    close(arrays(*vae_loss_torch(*map(torch.tensor, values), beta)), vae_loss(*values, beta))
    single = vae_loss_torch(*(torch.tensor(v, dtype=torch.float32) for v in values), beta)
    assert all(value.dtype == torch.float32 and value.shape == () for value in single)


@pytest.mark.parametrize(
    ("named", "call"),
    [
        ("target_rate", lambda: sparsity_penalty(np.full((2, 1), 0.5), 1.0)),
        ("hidden", lambda: sparsity_penalty(np.zeros((2, 1)), 0.1)),
        ("drop", lambda: denoising_autoencoder_loss(MU * 0, MU, 1.0, np.ones((2, 1)), np.zeros(1), np.zeros(2))),
        ("x", lambda: denoising_autoencoder_loss(MU, MU, 0.1, np.ones((2, 1)), np.zeros(1), np.zeros(2))),
        ("W", lambda: denoising_autoencoder_loss(MU * 0, MU, 0.1, np.ones((3, 1)), np.zeros(1), np.zeros(2))),
        ("k", lambda: linear_autoencoder(np.eye(3), 0)),
        ("k", lambda: linear_autoencoder(np.eye(3), 4)),
        ("noise", lambda: reparameterize(MU, LOGVAR, NOISE[:, :1])),
        ("logvar_p", lambda: gaussian_kl(MU, LOGVAR, MU, LOGVAR[:, :1])),
        ("x", lambda: vae_loss(2 + MU, MU, MU, LOGVAR, 1.0)),
        ("mu", lambda: vae_encoder_backward(MU, MU[:, :1], LOGVAR, NOISE, 1.0)),
    ],
)
def test_an_argument_that_does_not_fit_is_named(named, call):
    with pytest.raises(ValueError, match=rf"^{named} must "):
        call()
