"""Batch, layer, instance and group normalisation: one formula, and four answers to the question who shares a mean.

    x̂ = (x - μ) / √(σ² + ε)                  μ and the biased variance σ² of the set that x belongs to
    y = γ x̂ + β                               γ and β are learned

    batch     one set for each channel: all samples and pixels of it
    layer     one set for each sample: all its channels and pixels
    instance  one set for each sample and channel: its pixels
    group     one set for each sample and group of C/G consecutive channels

Ioffe & Szegedy, "Batch Normalization", 2015, arXiv:1502.03167, Algorithms 1 and 2 and the six equations after the first.
Ba, Kiros & Hinton, "Layer Normalization", 2016, arXiv:1607.06450, eq. 3.
Ulyanov, Vedaldi & Lempitsky, "Instance Normalization", 2016, arXiv:1607.08022.
Wu & He, "Group Normalization", 2018, arXiv:1803.08494, eqs. 3–7 (the four kinds of sets).

Letters: N samples, C channels, H×W pixels, G groups, n = N·H·W values that share one mean in batch normalisation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]


def batchnorm_forward(
    x: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    train: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """Batch normalisation (Ioffe & Szegedy, Algorithm 1), and the statistics for prediction (Algorithm 2, line 10).

    Args:
        x: vectors (N, C) or images (N, C, H, W).
        gamma: scale, (C,).
        beta: shift, (C,).
        running_mean: moving average of the batch means, (C,).
        running_var: moving average of the unbiased batch variances, (C,).
        train: normalise with the statistics of this batch, and average them in; else with the running ones.
        momentum: weight of the new value in the moving averages.
        eps: added to the variance, under the root.

    Returns:
        y: γ (x - μ) / √(σ² + ε) + β, of the shape of x.
        new_running_mean: (1 - momentum) · old + momentum · μ when training, else the old one, (C,).
        new_running_var: (1 - momentum) · old + momentum · σ² n/(n - 1) when training, else the old one, (C,).
    """
    _check_batch(x, eps, gamma=gamma, beta=beta, running_mean=running_mean, running_var=running_var)
    axes, across = _per_channel(x)
    n = x.size // x.shape[1]
    if train:
        if n < 2:
            raise ValueError("x must hold at least two values per channel when training, not one")
        mean, var = x.mean(axis=axes), x.var(axis=axes)
        new_mean = (1 - momentum) * running_mean + momentum * mean
        new_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    else:
        mean, var = running_mean, running_var
        new_mean, new_var = running_mean.copy(), running_var.copy()
    xhat = (x - mean.reshape(across)) / np.sqrt(var.reshape(across) + eps)
    return gamma.reshape(across) * xhat + beta.reshape(across), new_mean, new_var


def batchnorm_backward(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, train: bool, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Gradients of batch normalisation: the chain rule of Ioffe & Szegedy (§3), solved for dx.

        training     dx = γ/√(σ² + ε) · (dy - mean(dy) - x̂ · mean(dy x̂))      μ and σ² depend on x
        prediction   dx = γ/√(running_var + ε) · dy                            they are constants

    Args:
        dy: ∂loss/∂y, of the shape of x.
        x: vectors (N, C) or images (N, C, H, W).
        gamma: scale, (C,).
        running_mean: used in prediction, (C,).
        running_var: used in prediction, (C,).
        train: was y computed from the statistics of the batch?
        eps: added to the variance, under the root.

    Returns:
        dx: of the shape of x.
        dgamma: Σ dy x̂ over samples and pixels, (C,).
        dbeta: Σ dy over samples and pixels, (C,).
    """
    _check_batch(x, eps, gamma=gamma, running_mean=running_mean, running_var=running_var)
    _check_same_shape(dy, x)
    axes, across = _per_channel(x)
    mean, var = (x.mean(axis=axes), x.var(axis=axes)) if train else (running_mean, running_var)
    inv = 1 / np.sqrt(var.reshape(across) + eps)
    xhat = (x - mean.reshape(across)) * inv
    dxhat = dy * gamma.reshape(across)
    dx = inv * (_without_mean_and_scale(dxhat, xhat, axes) if train else dxhat)
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def layernorm_forward(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Layer normalisation (Ba et al., eq. 3): each sample on its own, training or not.

    Args:
        x: any leading axes, then those that are normalised together, which are all axes of gamma.
        gamma: scale of every normalised element, of the shape of the last axes of x.
        beta: shift of every normalised element, of the shape of gamma.
        eps: added to the variance, under the root.

    Returns:
        γ (x - μ) / √(σ² + ε) + β, of the shape of x.
    """
    _check_layer(x, gamma, eps)
    if beta.shape != gamma.shape:
        raise ValueError(f"beta must have the shape of gamma, {gamma.shape}, not {beta.shape}")
    axes = _normalised_together(x, gamma)
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    xhat: Array = (x - mean) / np.sqrt(var + eps)
    return gamma * xhat + beta


def layernorm_backward(dy: Array, x: Array, gamma: Array, eps: float = 1e-5) -> tuple[Array, Array, Array]:
    """Gradients of layer normalisation; the mean is taken over the axes that are normalised together.

        dx = 1/√(σ² + ε) · (γdy - mean(γdy) - x̂ · mean(γdy x̂))      γ differs within the set, so it stays inside

    Args:
        dy: ∂loss/∂y, of the shape of x.
        x: any leading axes, then those that are normalised together, which are all axes of gamma.
        gamma: scale of every normalised element, of the shape of the last axes of x.
        eps: added to the variance, under the root.

    Returns:
        dx: of the shape of x.
        dgamma: Σ dy x̂ over all leading axes, of the shape of gamma.
        dbeta: Σ dy over all leading axes, of the shape of gamma.
    """
    _check_layer(x, gamma, eps)
    _check_same_shape(dy, x)
    axes = _normalised_together(x, gamma)
    leading = tuple(range(x.ndim - gamma.ndim))
    inv = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    xhat = (x - x.mean(axis=axes, keepdims=True)) * inv
    dx = inv * _without_mean_and_scale(dy * gamma, xhat, axes)
    return dx, (dy * xhat).sum(axis=leading), dy.sum(axis=leading)


def groupnorm_forward(x: Array, gamma: Array, beta: Array, groups: int, eps: float = 1e-5) -> Array:
    """Group normalisation (Wu & He, eq. 7); instance normalisation with groups = C.

    Args:
        x: samples, channels, then any axes: (N, C, H, W) for images.
        gamma: scale, (C,).
        beta: shift, (C,).
        groups: G; group g holds the channels g·C/G … (g + 1)·C/G - 1 and has its own μ and σ² in every sample.
        eps: added to the variance, under the root.

    Returns:
        γ (x - μ) / √(σ² + ε) + β, of the shape of x.
    """
    _check_batch(x, eps, gamma=gamma, beta=beta)
    _check_groups(groups, x.shape[1])
    sets = x.reshape(len(x), groups, -1)
    xhat: Array = (sets - sets.mean(axis=2, keepdims=True)) / np.sqrt(sets.var(axis=2, keepdims=True) + eps)
    _, across = _per_channel(x)
    return gamma.reshape(across) * xhat.reshape(x.shape) + beta.reshape(across)


def norm_stats_count(kind: str, shape: Sequence[int], groups: int = 1) -> tuple[int, int]:
    """How many means and variances there are, and how many values share each (Wu & He, eqs. 3–7).

    Args:
        kind: "batch", "layer" (over channels and pixels), "instance" or "group".
        shape: of the images, the four numbers N, C, H, W.
        groups: G, for "group" alone.

    Returns:
        sets: the number of (μ, σ²) pairs.
        elements: the number of values in each set.
    """
    N, C, H, W = shape
    if min(shape) < 1:
        raise ValueError(f"shape must hold positive numbers, not {tuple(shape)}")
    _check_groups(groups, C)
    counts = {"batch": C, "layer": N, "instance": N * C, "group": N * groups}
    if kind not in counts:
        raise ValueError(f"kind must be one of {', '.join(counts)}, not {kind!r}")
    return counts[kind], N * C * H * W // counts[kind]


def fold_batchnorm(
    W: Array,
    b: Array,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = 1e-5,
) -> tuple[Array, Array]:
    """The linear layer that equals x W + b followed by batch normalisation in prediction.

    Args:
        W: weights of the layer before, (D_in, D_out).
        b: its bias, (D_out,).
        gamma: scale, (D_out,).
        beta: shift, (D_out,).
        running_mean: (D_out,).
        running_var: (D_out,).
        eps: added to the variance, under the root.

    Returns:
        W_folded: W s with s = γ/√(running_var + ε), each column by its own, (D_in, D_out).
        b_folded: (b - running_mean) s + β, (D_out,).
    """
    vectors = dict.fromkeys(("b", "gamma", "beta", "running_mean", "running_var"), "D_out")
    check_shapes(locals(), W="D_in D_out", **vectors)
    _check_eps(eps)
    scale: Array = gamma / np.sqrt(running_var + eps)
    return W * scale, (b - running_mean) * scale + beta


def _per_channel(x: Array) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that a channel's statistic is taken over, and the shape in which it is broadcast along them."""
    return (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)


def _normalised_together(x: Array, gamma: Array) -> tuple[int, ...]:
    return tuple(range(x.ndim - gamma.ndim, x.ndim))


def _without_mean_and_scale(dxhat: Array, xhat: Array, axes: tuple[int, ...]) -> Array:
    """What is left of dx̂ once the paths through μ and σ² are counted: no part along 1, and (up to ε) none along x̂."""
    through_mean: Array = dxhat.mean(axis=axes, keepdims=True)
    through_var: Array = xhat * (dxhat * xhat).mean(axis=axes, keepdims=True)
    return dxhat - through_mean - through_var


def _check_batch(x: Array, eps: float, **vectors: Array) -> None:
    pixels = [f"pixels_{i}" for i in range(1, x.ndim - 1)]
    check_shapes({"x": x, **vectors}, x=" ".join(["N", "C", *pixels]), **dict.fromkeys(vectors, "C"))
    _check_eps(eps)


def _check_layer(x: Array, gamma: Array, eps: float) -> None:
    if x.size == 0:
        raise ValueError(f"x must not be empty, but has the shape {x.shape}")
    if not 1 <= gamma.ndim <= x.ndim or x.shape[x.ndim - gamma.ndim :] != gamma.shape:
        raise ValueError(f"gamma must have the shape of the last axes of x {x.shape}, not {gamma.shape}")
    _check_eps(eps)


def _check_same_shape(dy: Array, x: Array) -> None:
    if dy.shape != x.shape:
        raise ValueError(f"dy must have the shape of x, {x.shape}, not {dy.shape}")


def _check_groups(groups: int, channels: int) -> None:
    if groups < 1 or channels % groups:
        raise ValueError(f"groups must be at least 1 and divide C={channels}, not {groups}")


def _check_eps(eps: float) -> None:
    if not eps > 0:
        raise ValueError(f"eps must be above 0, not {eps}")
