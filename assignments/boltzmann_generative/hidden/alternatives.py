"""Right answers written differently: properties must accept them."""

from itertools import product

import numpy as np
from autograder.properties import alternative

from reference.boltzmann_generative import (
    contrastive_divergence, free_energy, gan_losses, hidden_probabilities, log_partition, naive_bayes_logit, rbm_energy,
)


@alternative(rbm_energy)
def energy_by_einsum(v, h, W, b, c):
    """One einsum for each term."""
    return -np.einsum("ni,i->n", v, b) - np.einsum("nj,j->n", h, c) - np.einsum("ni,ij,nj->n", v, W, h)


@alternative(rbm_energy)
def energy_unit_by_unit(v, h, W, b, c):
    """Plain loops; a list comes back."""
    energies = []
    for n in range(len(v)):
        score = sum(v[n, i] * b[i] for i in range(len(b))) + sum(h[n, j] * c[j] for j in range(len(c)))
        score += sum(v[n, i] * W[i, j] * h[n, j] for i in range(len(b)) for j in range(len(c)))
        energies.append(-score)
    return energies


@alternative(free_energy)
def free_energy_row_by_row(v, W, b, c):
    """max(a, 0) + log(1 + e^−|a|), one visible state after the other; a list comes back."""
    out = []
    for row in v:
        a = row @ W + c
        out.append(-(row @ b) - (np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))).sum())
    return out


@alternative(free_energy)
def free_energy_over_hidden_states(v, W, b, c):
    """The sum over all 2^H hidden states, taken as it stands."""
    hidden = np.array(list(product((0, 1), repeat=len(c))), dtype=W.dtype)
    return -(v @ b) - np.logaddexp.reduce((v @ W + c) @ hidden.T, axis=1)


@alternative(hidden_probabilities)
def plain_sigmoid(v, W, c):
    """e^1500 is inf, and 1/inf the right 0: it only warns."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-(v @ W + c)))


@alternative(hidden_probabilities)
def sigmoid_by_tanh(v, W, c):
    """σ(a) = ½ + ½ tanh(a/2), unit by unit."""
    return 0.5 + 0.5 * np.stack([np.tanh((v.dot(W[:, j]) + c[j]) / 2) for j in range(len(c))], axis=1)


@alternative(log_partition)
def partition_state_by_state(W, b, c):
    """One visible state after the other, the greatest score taken out."""
    scores = [-free_energy(np.array([state], dtype=W.dtype), W, b, c)[0] for state in product((0, 1), repeat=len(b))]
    top = max(scores)
    return top + np.log(sum(np.exp(s - top) for s in scores))


@alternative(log_partition)
def visible_layer_summed_out(W, b, c):
    """The hidden layer is enumerated in place of the visible one."""
    hidden = np.array(list(product((0, 1), repeat=len(c))), dtype=W.dtype)
    return np.logaddexp.reduce(hidden @ c + np.logaddexp(0, hidden @ W.T + b).sum(axis=1))


@alternative(contrastive_divergence)
def sample_after_sample(v0, u_hidden, u_visible, W, b, c):
    """p > u in place of u < p; an outer product for each sample."""
    v = v0
    for uh, uv in zip(u_hidden, u_visible):
        h = np.where(hidden_probabilities(v, W, c) > uh, 1.0, 0.0)
        v = np.where(hidden_probabilities(h, W.T, b) > uv, 1.0, 0.0)
    dW, db, dc = 0.0 * W, 0.0 * b, 0.0 * c
    for data, model in zip(v0, v):
        p, q = hidden_probabilities(data[None], W, c)[0], hidden_probabilities(model[None], W, c)[0]
        dW, db, dc = dW + np.outer(data, p) - np.outer(model, q), db + data - model, dc + p - q
    return [dW / len(v0), db / len(v0), dc / len(v0), v]


@alternative(contrastive_divergence)
def chain_goes_on_from_a_shorter_one(v0, u_hidden, u_visible, W, b, c):
    """CD-k goes on from the state that CD-(k−1) ends in; statistics by einsum."""
    v = contrastive_divergence(v0, u_hidden[:-1], u_visible[:-1], W, b, c)[3] if len(u_hidden) > 1 else v0
    h = (hidden_probabilities(v, W, c) - u_hidden[-1] > 0).astype(v0.dtype)
    v = np.heaviside(hidden_probabilities(h, W.T, b) - u_visible[-1], 0)
    p, q = hidden_probabilities(v0, W, c), hidden_probabilities(v, W, c)
    dW = (np.einsum("ni,nj->nij", v0, p) - np.einsum("ni,nj->nij", v, q)).mean(axis=0)
    return dW, v0.mean(axis=0) - v.mean(axis=0), p.mean(axis=0) - q.mean(axis=0), v


@alternative(naive_bayes_logit)
def counts_of_ones_and_zeros(x, labels, smoothing):
    """Ones and zeros are counted apart; logarithms of both probabilities for each class."""
    log_p = {}
    for k in (0, 1):
        rows = x[labels == k]
        on, off = (rows == 1).sum(axis=0) + smoothing, (rows == 0).sum(axis=0) + smoothing
        log_p[k] = np.log(on / (on + off)), np.log(off / (on + off)), np.log(len(rows) / len(x))
    w = (log_p[1][0] - log_p[0][0]) - (log_p[1][1] - log_p[0][1])
    return w, (log_p[1][1] - log_p[0][1]).sum() + log_p[1][2] - log_p[0][2]


@alternative(naive_bayes_logit)
def difference_of_logits(x, labels, smoothing):
    """w is the difference of the two classes' log-odds; counts as products with the labels; lists come back."""
    y = labels.astype(x.dtype)
    n1, n0 = y.sum(), (1 - y).sum()
    q1, q0 = (y @ x + smoothing) / (n1 + 2 * smoothing), ((1 - y) @ x + smoothing) / (n0 + 2 * smoothing)
    w = (np.log(q1) - np.log1p(-q1)) - (np.log(q0) - np.log1p(-q0))
    return [w.tolist(), np.log(n1) - np.log(n0) + (np.log1p(-q1) - np.log1p(-q0)).sum()]


@alternative(gan_losses)
def means_of_log_probabilities(real_logits, fake_logits):
    """The two log-probabilities of a generated sample, by logaddexp."""
    fake_is_real, fake_is_fake = -np.logaddexp(0, -fake_logits).mean(), -np.logaddexp(0, fake_logits).mean()
    return [np.logaddexp(0, -real_logits).mean() - fake_is_fake, fake_is_fake, -fake_is_real]


@alternative(gan_losses)
def binary_cross_entropy(real_logits, fake_logits):
    """Binary cross-entropy from logits, with targets 1 and 0."""

    def loss(a, target):
        return (np.maximum(a, 0) - a * target + np.log1p(np.exp(-np.abs(a)))).mean()

    return loss(real_logits, 1) + loss(fake_logits, 0), -loss(fake_logits, 0), loss(fake_logits, 1)
