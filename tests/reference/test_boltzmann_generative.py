"""The reference of Boltzmann machines and GAN losses against enumeration, torch's losses and autograd, golden numbers."""

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.boltzmann_generative import (
    contrastive_divergence,
    free_energy,
    gan_losses,
    hidden_probabilities,
    log_partition,
    naive_bayes_logit,
    rbm_energy,
)

SEEDS = range(20)
W, B, C = np.array([[0.5, -1.0], [0.2, 0.3], [-0.4, 0.8]]), np.array([0.1, -0.2, 0.3]), np.array([0.05, -0.6])
V = np.array([[1.0, 0.0, 1.0]])


def close(actual, expected, rtol=1e-11, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol, atol)


def machine(seed):
    rng = np.random.default_rng(seed)
    D, H = rng.integers(1, 5), rng.integers(1, 4)
    return rng, (rng.normal(size=(D, H)), rng.normal(size=D), rng.normal(size=H))


def bits(n):
    return np.array(list(product((0.0, 1.0), repeat=n)))


def joint(W, b, c):
    """exp(-E) of all joint states as a table, the quadratic form of the whole symmetric machine taken with ½."""
    D, H = W.shape
    full = np.block([[np.zeros((D, D)), W], [W.T, np.zeros((H, H))]])
    states = bits(D + H)
    energies = -states @ np.concatenate([b, c]) - 0.5 * np.einsum("si,ij,sj->s", states, full, states)
    return states, energies, np.exp(-energies).reshape(2**D, 2**H)


@pytest.mark.parametrize("seed", SEEDS)
def test_energy_is_that_of_the_symmetric_machine_of_all_units(seed):
    _, net = machine(seed)
    states, energies, _ = joint(*net)
    D = len(net[1])
    close(rbm_energy(states[:, :D], states[:, D:], *net), energies)


@pytest.mark.parametrize("seed", SEEDS)
def test_free_energy_conditionals_and_partition_function_come_from_the_joint_table(seed):
    _, (W, b, c) = machine(seed)
    table = joint(W, b, c)[2]
    v, h = bits(len(b)), bits(len(c))
    close(free_energy(v, W, b, c), -np.log(table.sum(axis=1)))
    close(hidden_probabilities(v, W, c), table @ h / table.sum(axis=1, keepdims=True))
    close(hidden_probabilities(h, W.T, b), table.T @ v / table.sum(axis=0)[:, None])
    close(log_partition(W, b, c), np.log(table.sum()))


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_of_the_free_energy_by_autograd_is_minus_the_mean_of_v_times_probability(seed):
    rng, (W, b, c) = machine(seed)
    v = rng.integers(0, 2, (5, len(b))).astype(float)
    weights = torch.tensor(W, requires_grad=True)
    free = -(torch.tensor(v) @ torch.tensor(b)) - functional.softplus(torch.tensor(v) @ weights + torch.tensor(c)).sum(
        1
    )
    close(free_energy(v, W, b, c), free.detach().numpy())
    free.mean().backward()
    close(weights.grad.numpy(), -v.T @ hidden_probabilities(v, W, c) / len(v))


def test_everything_is_finite_for_huge_parameters():
    huge = 400 * W, 400 * B, 400 * C
    assert np.isfinite(free_energy(bits(3), *huge)).all()
    assert np.isfinite(log_partition(*huge))
    assert set(hidden_probabilities(V, 0 * W, np.array([1500.0, -1500.0])).ravel()) == {0.0, 1.0}
    assert gan_losses(np.array([-1500.0]), np.array([1500.0])) == (3000.0, -1500.0, 0.0)


@pytest.mark.parametrize("seed", range(3))
def test_visible_states_of_one_step_are_distributed_as_one_gibbs_step_from_the_data(seed):
    rng, net = machine(seed)
    W, b, _ = net
    n = 40000
    v0 = np.tile(rng.integers(0, 2, len(b)).astype(float), (n, 1))
    v = contrastive_divergence(v0, rng.random((1, n, W.shape[1])), rng.random((1, n, W.shape[0])), *net)[3]
    table = joint(*net)[2]
    start = int(v0[0] @ 2 ** np.arange(len(b))[::-1])
    expected = table[start] / table[start].sum() @ (table / table.sum(axis=0)).T
    found = np.bincount((v @ 2 ** np.arange(len(b))[::-1]).astype(int), minlength=2 ** len(b)) / n
    close(found, expected, 0, 0.015)


def test_a_long_chain_gives_the_exact_gradient_of_the_log_likelihood():
    rng, net = np.random.default_rng(1), (W, B, C)
    data = np.tile([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], (10000, 1))
    n, steps = len(data), 20
    update = contrastive_divergence(data, rng.random((steps, n, 2)), rng.random((steps, n, 3)), *net)[:3]
    exact = []
    for k, parameter in enumerate(net):
        slopes = np.zeros(parameter.shape)
        for at in np.ndindex(parameter.shape):
            ends = []
            for way in (1e-5, -1e-5):
                moved = [p.copy() for p in net]
                moved[k][at] += way
                ends.append(-free_energy(data[:2], *moved).mean() - log_partition(*moved))
            slopes[at] = (ends[0] - ends[1]) / 2e-5
        exact.append(slopes)
    for found, expected in zip(update, exact):
        close(found, expected, 0, 0.015)


def test_a_uniform_equal_to_the_probability_gives_zero():
    half = np.full((1, 1, 1), 0.5)
    v = contrastive_divergence(np.ones((1, 1)), half, half, np.zeros((1, 1)), np.zeros(1), np.zeros(1))[3]
    assert v == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_naive_bayes_has_the_posterior_of_bayes_rule(seed):
    rng = np.random.default_rng(seed)
    x, labels = rng.integers(0, 2, (8, 3)).astype(float), np.array([0, 1, *rng.integers(0, 2, 6)])
    w, bias = naive_bayes_logit(x, labels, 0.5)
    joint = []
    for y in (0, 1):
        rows = np.concatenate([x[labels == y], np.full((1, 3), 0.5)])  # half a one and half a zero more: α = ½
        p = rows.sum(axis=0) / len(rows)
        joint.append((labels == y).mean() * np.where(x == 1, p, 1 - p).prod(axis=1))
    close(1 / (1 + np.exp(-(x @ w + bias))), joint[1] / (joint[0] + joint[1]))


@pytest.mark.parametrize("seed", SEEDS)
def test_gan_losses_are_torchs_binary_cross_entropy_with_logits(seed):
    rng = np.random.default_rng(seed)
    real, fake = 3 * rng.normal(size=rng.integers(1, 7)), 3 * rng.normal(size=rng.integers(1, 7))

    def cross_entropy(logits, target):
        logits = torch.tensor(logits)
        return float(functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target)))

    rejected = cross_entropy(fake, 0.0)
    close(gan_losses(real, fake), (cross_entropy(real, 1.0) + rejected, -rejected, cross_entropy(fake, 1.0)))


def test_best_discriminator_measures_the_jensen_shannon_divergence():
    p, q = np.array([6, 1]), np.array([2, 5])
    logit = np.log(p / q)
    m = (p + q) / 14
    js = (np.sum(p / 7 * np.log(p / 7 / m)) + np.sum(q / 7 * np.log(q / 7 / m))) / 2
    close(gan_losses(np.repeat(logit, p), np.repeat(logit, q))[0], 2 * np.log(2) - 2 * js)


def test_golden_numbers():
    close(rbm_energy(V, np.array([[1.0, 0.0]]), W, B, C), [-0.55])
    close(free_energy(np.array([V[0], 0 * V[0]]), W, B, C), [-1.54205771373731, -1.1559475984991718])
    close(hidden_probabilities(V, W, C), [[0.5374298453437496, 0.3100255188723876]])
    close(log_partition(W, B, C), 3.515459811405912)
    v0 = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    u_hidden, u_visible = np.array([[[0.3, 0.6], [0.9, 0.1]]]), np.array([[[0.2, 0.7, 0.4], [0.5, 0.4, 0.8]]])
    dW, db, dc, v = contrastive_divergence(v0, u_hidden, u_visible, W, B, C)
    second, third = [-0.04980317311477381, 0.09845092400675678], [0.2312850773281252, 0.3112296656009273]
    close(dW, [[0.0, 0.0], second, third])
    close(db, [0.0, 0.0, 0.5])
    close(dc, second)
    close(v, [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    x = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    w, bias = naive_bayes_logit(x, np.array([1, 1, 0, 0, 0]), 1.0)
    close(w, [2.4849066497880004, -0.4054651081081644])
    close(bias, -1.3454723665996355)
    losses = gan_losses(np.array([1.0, 2.0]), np.array([-1.0, 0.5, 0.0]))
    close(losses, (0.8802568000333559, -0.6601619507527583, 0.8268286174194249))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: log_partition(np.zeros((17, 1)), np.zeros(17), np.zeros(1)), "W"),
        (lambda: contrastive_divergence(V, np.zeros((0, 1, 2)), np.zeros((0, 1, 3)), W, B, C), "u_hidden"),
        (lambda: contrastive_divergence(V, np.zeros((2, 1, 2)), np.zeros((1, 1, 3)), W, B, C), "u_hidden"),
        (lambda: naive_bayes_logit(np.zeros((2, 1)), np.array([0, 1]), 0.0), "smoothing"),
        (lambda: naive_bayes_logit(np.zeros((2, 1)), np.array([1, 1]), 1.0), "labels"),
        (lambda: free_energy(V, W, B, B), "c"),
        (lambda: gan_losses(np.zeros(2), np.zeros((2, 1))), "fake_logits"),
    ],
)
def test_a_wrong_argument_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name} must"):
        call()
