"""Gradient averaging on tensors, as a data-parallel step does it after every worker's backward pass."""

import torch
from torch import Tensor


def average_gradients_torch(grads: Tensor, counts: Tensor) -> Tensor:
    """The gradient of all samples together (Goyal et al., 2017, arXiv:1706.02677, eq. 2).

    Args:
        grads: each worker's mean gradient, (K, ...).
        counts: how many samples it is the mean of, (K,), integers.

    Returns:
        Σ n_k g_k / Σ n_k, in the dtype and on the device of grads.
    """
    weights = counts.to(grads.dtype) / counts.sum()
    return torch.tensordot(weights, grads, dims=1)
