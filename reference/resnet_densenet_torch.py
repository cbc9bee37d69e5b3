"""Residual and dense blocks on tensors: the formulas of `reference.resnet_densenet`, differentiated by autograd.

Every result stays on the device and in the dtype of the arguments, and in the graph. The addition hands the error to
branch and shortcut alike; the concatenation splits it among the maps, and a map that several layers see collects a share
from each.

Letters: N samples, D inputs, M hidden units, E outputs; k0 input channels and growth rate k of a dense block.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from reference.resnet_densenet import _check_block, _check_dense


def residual_block_torch(x: Tensor, W1: Tensor, W2: Tensor, kind: str = "post", Ws: Tensor | None = None) -> Tensor:
    """Two layers and a shortcut around them.

    Args:
        x: input, (N, D).
        W1: weights of the first layer, (D, M).
        W2: weights of the second layer, (M, E); E = D where Ws is None.
        kind: "plain" has no shortcut, "post" adds it before the last ReLU, "pre" puts each ReLU before its layer.
        Ws: projection that fits the shortcut to the output, (D, E); None carries x itself. "plain" ignores it.

    Returns:
        (N, E): relu(relu(x W1) W2), relu(x Ws + relu(x W1) W2) or x Ws + relu(relu(x) W1) W2.
    """
    _check_block(kind, x, W1, W2, Ws)
    shortcut = x if Ws is None else x @ Ws
    if kind == "plain":
        return torch.relu(torch.relu(x @ W1) @ W2)
    if kind == "post":
        return torch.relu(shortcut + torch.relu(x @ W1) @ W2)
    return shortcut + torch.relu(torch.relu(x) @ W1) @ W2


def dense_block_torch(x: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """Layers that each see the input and the outputs of all layers before.

    Args:
        x: input, k0 columns, (N, K0).
        weights: one matrix a layer; that of layer l = 0, 1, … has k0 + l·k rows and k columns.

    Returns:
        N rows, k0 + n·k columns after n layers: x, then the output of each layer in order.
    """
    _check_dense(x, weights)
    maps = [x]
    for W in weights:
        maps.append(torch.relu(torch.cat(maps, dim=1) @ W))
    return torch.cat(maps, dim=1)
