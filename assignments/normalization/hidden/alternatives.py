"""Right answers written differently: properties must accept them."""

import math

import numpy as np
from autograder.properties import alternative
from torch.nn import functional

from reference.normalization import (
    batchnorm_backward,
    batchnorm_forward,
    fold_batchnorm,
    groupnorm_forward,
    layernorm_backward,
    layernorm_forward,
    norm_stats_count,
)
from reference.normalization_torch import batchnorm_forward_torch, layernorm_forward_torch


@alternative(batchnorm_forward)
def channels_as_columns(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """Channels last, the variance as E[x²] - μ² (in float64, as float32 has not the digits), scale and shift in one."""
    last = np.moveaxis(x, 1, -1)
    flat = last.reshape(-1, x.shape[1]).astype(float)
    n = len(flat)
    if train:
        mean = flat.sum(axis=0) / n
        var = (flat * flat).sum(axis=0) / n - mean * mean
        running_mean = running_mean + momentum * (mean - running_mean)
        running_var = running_var + momentum * (var * n / (n - 1) - running_var)
    else:
        mean, var = running_mean, running_var
    scale = gamma / np.sqrt(np.maximum(var, 0) + eps)
    y = flat * scale + (beta - mean * scale)
    return np.moveaxis(y.reshape(last.shape), -1, 1), running_mean, running_var


@alternative(batchnorm_forward)
def channel_by_channel(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """A loop over channels in plain Python; lists of running statistics come back."""
    y, means, variances = np.zeros_like(x), [], []
    for c, values in enumerate(np.moveaxis(x, 1, 0)):
        mean, var = running_mean[c], running_var[c]
        mean_after, var_after = mean, var
        if train:
            mean, n = math.fsum(values.flat) / values.size, values.size
            squares = math.fsum((v - mean) ** 2 for v in values.flat)
            var = squares / n
            mean_after += momentum * (mean - mean_after)
            var_after += momentum * (squares / (n - 1) - var_after)
        y[:, c] = (values - mean) * (gamma[c] / math.sqrt(var + eps)) + beta[c]
        means.append(mean_after)
        variances.append(var_after)
    return y, means, variances


def standardise_backward(dxhat, x, mean, var, eps, axes):
    """The equations of Ioffe & Szegedy one by one."""
    n = x.size // mean.size
    inv = (var + eps) ** -0.5
    dvar = (dxhat * (x - mean) * -0.5 * (var + eps) ** -1.5).sum(axis=axes, keepdims=True)
    dmean = (-dxhat * inv).sum(axis=axes, keepdims=True) + dvar * (-2 * (x - mean)).mean(axis=axes, keepdims=True)
    return dxhat * inv + dvar * 2 * (x - mean) / n + dmean / n


@alternative(batchnorm_backward)
def six_equations(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """dx̂, dσ², dμ, dx, dγ, dβ as the paper writes them."""
    axes = (0, *range(2, x.ndim))
    shape = [1, -1] + [1] * (x.ndim - 2)
    g, mean, var = (v.reshape(shape) for v in (gamma, running_mean, running_var))
    if train:
        mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    xhat = (x - mean) / np.sqrt(var + eps)
    dx = standardise_backward(dy * g, x, mean, var, eps, axes) if train else dy * g / np.sqrt(var + eps)
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


@alternative(batchnorm_backward)
def parameters_first(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """dγ and dβ in a loop over channels, and dx from them; a list comes back."""
    dx, dgamma, dbeta = np.empty_like(dy), np.empty_like(gamma), np.empty_like(gamma)
    for c in range(len(gamma)):
        z, d = x[:, c], dy[:, c]
        mean, var = (z.mean(), z.var()) if train else (running_mean[c], running_var[c])
        z = (z - mean) / (var + eps) ** 0.5
        dgamma[c], dbeta[c] = np.vdot(d, z), d.sum()
        inner = d - (dbeta[c] + z * dgamma[c]) / d.size if train else d
        dx[:, c] = gamma[c] / (var + eps) ** 0.5 * inner
    return [dx, dgamma, dbeta]


@alternative(layernorm_forward)
def samples_as_columns(x, gamma, beta, eps=1e-5):
    """One sample a column; γ and β unrolled."""
    flat = x.reshape(-1, gamma.size)
    centred = flat.T - flat.mean(axis=1)
    y = centred / np.sqrt((centred**2).mean(axis=0) + eps)
    return (y.T * gamma.ravel() + beta.ravel()).reshape(x.shape)


@alternative(layernorm_forward)
def sample_by_sample(x, gamma, beta, eps=1e-5):
    """A loop over the leading axes; nested lists come back."""
    y = np.zeros_like(x)
    for n in np.ndindex(*x.shape[: x.ndim - gamma.ndim]):
        y[n] = (x[n] - np.average(x[n])) / np.hypot(x[n].std(), eps**0.5) * gamma + beta
    return y.tolist()


@alternative(layernorm_backward)
def six_equations_per_sample(dy, x, gamma, eps=1e-5):
    """The computation graph of the paper, its sums within a sample."""
    axes = tuple(range(-gamma.ndim, 0))
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    xhat, leading = (x - mean) / np.sqrt(var + eps), tuple(range(x.ndim - gamma.ndim))
    dx = standardise_backward(dy * gamma, x, mean, var, eps, axes)
    return dx, np.sum(dy * xhat, axis=leading), np.sum(dy, axis=leading)


@alternative(layernorm_backward)
def projections_of_each_sample(dy, x, gamma, eps=1e-5):
    """A loop over samples of one long row each: two inner products to take away."""
    rows, back = x.reshape(-1, gamma.size), dy.reshape(-1, gamma.size)
    dx, dgamma, dbeta = np.zeros_like(rows), np.zeros_like(rows[0]), np.zeros_like(rows[0])
    for i, (row, d) in enumerate(zip(rows, back)):
        s = np.sqrt(row.var() + eps)
        z, h = (row - row.mean()) / s, d * gamma.ravel()
        dx[i] = (h - h.sum() / h.size - z * (z @ h) / h.size) / s
        dgamma += d * z
        dbeta += d
    return dx.reshape(x.shape), dgamma.reshape(gamma.shape), dbeta.reshape(gamma.shape)


@alternative(groupnorm_forward)
def group_by_group(x, gamma, beta, groups, eps=1e-5):
    """Loops over samples and groups."""
    y = np.zeros_like(x)
    for sample, out in zip(x, y):
        for part, into in zip(np.split(sample, groups), np.split(out, groups)):
            into[...] = (part - part.mean()) / (part.std() ** 2 + eps) ** 0.5
    for c in range(x.shape[1]):
        y[:, c] = y[:, c] * gamma[c] + beta[c]
    return y


@alternative(groupnorm_forward)
def as_layer_norm_of_the_groups(x, gamma, beta, groups, eps=1e-5):
    """Every group a sample of its own, normalised as a layer."""
    sets = x.reshape(len(x) * groups, -1)
    xhat = layernorm_forward(sets, np.ones_like(sets[0]), np.zeros_like(sets[0]), eps).reshape(x.shape)
    return np.einsum("c,nc...->nc...", gamma, xhat) + beta.reshape(-1, *[1] * (x.ndim - 2))


@alternative(norm_stats_count)
def counted_by_hand(kind, shape, groups=1):
    """One formula for all that look at one sample; a list comes back."""
    n, c, h, w = shape
    if kind == "batch":
        return c, n * h * w
    groups = {"layer": 1, "instance": c}.get(kind, groups)
    return [n * groups, c // groups * h * w]


@alternative(norm_stats_count)
def counted_in_labels(kind, shape, groups=1):
    """Every value gets the label of its set; labels are counted."""
    n, c, *_ = np.indices(shape)
    label = {"batch": c, "layer": n, "instance": n * shape[1] + c, "group": n * groups + c // (shape[1] // groups)}[kind]
    sizes = np.bincount(label.ravel())
    return len(sizes), sizes[0]


@alternative(fold_batchnorm)
def diagonal_matrix(W, b, gamma, beta, running_mean, running_var, eps=1e-5):
    """The scale as a diagonal matrix."""
    scale = np.diag(gamma / np.sqrt(running_var + eps))
    return W @ scale, b @ scale + beta - running_mean @ scale


@alternative(fold_batchnorm)
def probed(W, b, gamma, beta, running_mean, running_var, eps=1e-5):
    """Batch norm asked for the origin and for each basis vector."""
    eye = np.vstack((np.zeros(len(W)), np.eye(len(W)))).astype(W.dtype)
    y, *_ = batchnorm_forward(eye @ W + b, gamma, beta, running_mean, running_var, False, eps=eps)
    return y[1:] - y[0], y[0]


@alternative(batchnorm_forward_torch)
def torch_s_own_batch_norm(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """The layer of torch on copies of the running statistics."""
    mean, var = running_mean.detach().clone(), running_var.detach().clone()
    return functional.batch_norm(x, mean, var, gamma, beta, train, momentum, eps), mean, var


@alternative(batchnorm_forward_torch)
def columns_on_tensors(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """Channels last; centred once, squared by hand; running statistics by interpolation of detached values."""
    last = x.movedim(1, -1)
    flat = last.reshape(-1, x.shape[1])
    old = running_mean.detach(), running_var.detach()
    mean = flat.mean(0) if train else old[0]
    centred = flat - mean
    var = centred.square().mean(0) if train else old[1]
    y = (centred * (var + eps).rsqrt() * gamma + beta).reshape(last.shape).movedim(-1, 1)
    if not train:
        return y, *old
    unbiased = var.detach() * len(flat) / (len(flat) - 1)
    return y, old[0].lerp(mean.detach(), momentum), old[1].lerp(unbiased, momentum)


@alternative(layernorm_forward_torch)
def torch_s_own_layer_norm(x, gamma, beta, eps=1e-5):
    """The layer of torch."""
    return functional.layer_norm(x, gamma.shape, gamma, beta, eps)


@alternative(layernorm_forward_torch)
def rows_on_tensors(x, gamma, beta, eps=1e-5):
    """One sample a row; centred once, squared by hand."""
    rows = x.flatten(-gamma.ndim)
    centred = rows - rows.mean(-1, keepdim=True)
    xhat = centred * (centred.square().mean(-1, keepdim=True) + eps).rsqrt()
    return (xhat * gamma.flatten() + beta.flatten()).reshape(x.shape)
