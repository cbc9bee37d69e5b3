"""Normalisation on tensors: the formulas of `reference.normalization`, differentiated by autograd.

The statistics of the set are part of the graph: autograd follows them as the backward formulas do. The running
statistics are not; they are constants of the graph, whether they come in or go out.

Every result stays on the device and in the dtype of the arguments.

Letters: N samples, C channels, H×W pixels, n = N·H·W values that share one mean in batch normalisation.
"""

import torch
from torch import Tensor


def batchnorm_forward_torch(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_var: Tensor,
    train: bool,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation; the running statistics come back as new tensors, outside of the graph.

    Args:
        x: vectors (N, C) or images (N, C, H, W).
        gamma: scale, (C,).
        beta: shift, (C,).
        running_mean: moving average of the batch means, a constant of the graph, (C,).
        running_var: moving average of the unbiased batch variances, a constant of the graph, (C,).
        train: normalise with the statistics of this batch, and average them in; else with the running ones.
        momentum: weight of the new value in the moving averages.
        eps: added to the variance, under the root.

    Returns:
        y: γ (x - μ) / √(σ² + ε) + β, of the shape of x.
        new_running_mean: (1 - momentum) · old + momentum · μ when training, else the old one, without a gradient, (C,).
        new_running_var: (1 - momentum) · old + momentum · σ² n/(n - 1) when training, else the old one, without a gradient, (C,).
    """
    axes, across = (0, *range(2, x.ndim)), (1, -1) + (1,) * (x.ndim - 2)
    n = x.numel() // x.shape[1]
    if train:
        if n < 2:
            raise ValueError("x must hold at least two values per channel when training, not one")
        mean, var = x.mean(dim=axes), x.var(dim=axes, correction=0)  # correction 1, the default, divides by n - 1
        with torch.no_grad():  # else each step's statistics would hold the graphs of all steps before it
            new_mean = (1 - momentum) * running_mean + momentum * mean
            new_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)
    else:
        mean, var = running_mean.detach(), running_var.detach()
        new_mean, new_var = mean.clone(), var.clone()
    xhat = (x - mean.reshape(across)) / torch.sqrt(var.reshape(across) + eps)
    return gamma.reshape(across) * xhat + beta.reshape(across), new_mean, new_var


def layernorm_forward_torch(x: Tensor, gamma: Tensor, beta: Tensor, eps: float = 1e-5) -> Tensor:
    """Layer normalisation over the axes of gamma, the last ones of x.

    Args:
        x: any leading axes, then those that are normalised together, which are all axes of gamma.
        gamma: scale of every normalised element, of the shape of the last axes of x.
        beta: shift of every normalised element, of the shape of gamma.
        eps: added to the variance, under the root.

    Returns:
        γ (x - μ) / √(σ² + ε) + β, of the shape of x.
    """
    axes = tuple(range(-gamma.ndim, 0))
    mean, var = x.mean(dim=axes, keepdim=True), x.var(dim=axes, keepdim=True, correction=0)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta
