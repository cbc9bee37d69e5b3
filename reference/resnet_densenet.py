"""Residual and dense connections: blocks by hand, forward and backward, and what the published networks weigh.

    plain   y = relu(relu(x W1) W2)                 no shortcut
    post    y = relu(x + relu(x W1) W2)             ResNet: add, then ReLU
    pre     y = x + relu(relu(x) W1) W2             pre-activation: nothing after the addition
    dense   x_l = relu([x_0, x_1, …, x_{l-1}] W_l)  DenseNet: concatenate

He et al., "Deep Residual Learning for Image Recognition", 2015, arXiv:1512.03385, eqs. 1 and 2, Fig. 5, Table 1.
He et al., "Identity Mappings in Deep Residual Networks", 2016, arXiv:1603.05027, eqs. 1–5, Fig. 4(e).
Zagoruyko & Komodakis, "Wide Residual Networks", 2016, arXiv:1605.07146, Table 1.
Huang et al., "Densely Connected Convolutional Networks", 2016, arXiv:1608.06993, eq. 2 and §3.

The blocks' layers are matrices, without bias and batch normalisation: a 1×1 convolution on a map of one pixel.
Counts are of networks with both. Convolutions before batch normalisation have no bias, and a channel that is normalised
has two parameters, γ and β (its running statistics are not learnt).

Letters: N samples, D inputs, M hidden units, E outputs; k0 input channels and growth rate k of a dense block.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]

_EXPANSION = {"basic": 1, "bottleneck": 4, "wide": 1}  # output channels of a block, in widths


def residual_block(x: Array, W1: Array, W2: Array, kind: str = "post", Ws: Array | None = None) -> Array:
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
        return _relu(_relu(x @ W1) @ W2)
    if kind == "post":
        return _relu(shortcut + _relu(x @ W1) @ W2)
    return shortcut + _relu(_relu(x) @ W1) @ W2


def residual_block_backward(
    dy: Array, x: Array, W1: Array, W2: Array, kind: str = "post"
) -> tuple[Array, Array, Array]:
    """Gradient through a block whose shortcut carries x itself.

    The addition hands the error g on unchanged, to the branch and to the shortcut: dx = g + (what comes back through
    the branch). The derivative of ReLU at 0 is 0.

    Args:
        dy: gradient of the loss with respect to the output, (N, D).
        x: input, (N, D).
        W1: weights of the first layer, (D, M).
        W2: weights of the second layer, (M, D).
        kind: "plain", "post" or "pre".

    Returns:
        dx: (N, D).
        dW1: summed over the samples, (D, M).
        dW2: summed over the samples, (M, D).
    """
    check_shapes(locals(), dy="N D", x="N D", W1="D M", W2="M D")
    _check_block(kind, x, W1, W2)
    a = _relu(x) if kind == "pre" else x
    u = a @ W1
    h = _relu(u)
    g = dy  # the error at the sum
    if kind == "post":
        g = dy * (x + h @ W2 > 0)
    elif kind == "plain":
        g = dy * (h @ W2 > 0)
    du = (g @ W2.T) * (u > 0)
    dx = du @ W1.T
    if kind == "pre":
        dx = dx * (x > 0)
    if kind != "plain":
        dx = dx + g
    return dx, a.T @ du, h.T @ g


def resnet_block_param_count(kind: str, c_in: int, width: int, stride: int = 1) -> int:
    """Parameters of a residual block: convolutions without bias, batch normalisation, a projection where one is needed.

        basic       3×3, 3×3                   c_in → width → width
        bottleneck  1×1, 3×3, 1×1              c_in → width → width → 4·width
        wide        BN, 3×3, BN, 3×3 (pre)     c_in → width → width

    Args:
        kind: "basic", "bottleneck" or "wide".
        c_in: input channels.
        width: channels of the 3×3 layers.
        stride: 2 where the block halves the map.

    Returns:
        Their number. The shortcut is a 1×1 convolution if stride ≠ 1 or the channels change, normalised except in "wide".
    """
    _check_kind(kind, *_EXPANSION)
    c_out = _EXPANSION[kind] * width
    if kind == "bottleneck":
        weights = c_in * width + 9 * width * width + width * c_out
        normalised = width + width + c_out
    else:
        weights = 9 * c_in * width + 9 * width * c_out
        normalised = c_in + width if kind == "wide" else width + c_out
    if stride != 1 or c_in != c_out:
        weights += c_in * c_out
        normalised += 0 if kind == "wide" else c_out
    return weights + 2 * normalised


def resnet_param_count(kind: str, blocks: Sequence[int], classes: int = 1000) -> int:
    """Parameters of a ResNet: a 7×7 stem, stages of blocks, a classifier.

    Args:
        kind: "basic" or "bottleneck".
        blocks: their number in each stage. Stage i has the width 64·2^i; the first block of every later stage has stride 2.
        classes: outputs of the fully connected layer, which has a bias.

    Returns:
        Their number, with the batch normalisation of the stem.
    """
    _check_kind(kind, "basic", "bottleneck")
    c = 64
    total = 7 * 7 * 3 * c + 2 * c
    for i, count in enumerate(blocks):
        width = 64 * 2**i
        for j in range(count):
            total += resnet_block_param_count(kind, c, width, stride=2 if i > 0 and j == 0 else 1)
            c = _EXPANSION[kind] * width
    return total + c * classes + classes


def dense_block(x: Array, weights: Sequence[Array]) -> Array:
    """Layers that each see the input and the outputs of all layers before (Huang et al., eq. 2).

    Args:
        x: input, k0 columns, (N, K0).
        weights: one matrix a layer; that of layer l = 0, 1, … has k0 + l·k rows and k columns.

    Returns:
        N rows, k0 + n·k columns after n layers: x, then the output of each layer in order.
    """
    _check_dense(x, weights)
    maps = [x]
    for W in weights:
        maps.append(_relu(np.concatenate(maps, axis=1) @ W))
    return np.concatenate(maps, axis=1)


def densenet_channels(k0: int, growth: int, blocks: Sequence[int], theta: float = 0.5) -> list[int]:
    """Channels along a DenseNet.

    Args:
        k0: channels into the first block.
        growth: k, the channels that one layer adds.
        blocks: the number of layers of each block.
        theta: compression in (0, 1]; a transition makes ⌊θc⌋ channels of c.

    Returns:
        After block 1, after transition 1, after block 2, …, after the last block, which no transition follows.
    """
    _check_theta(theta)
    channels: list[int] = []
    c = k0
    for layers in blocks:
        if channels:
            c = int(theta * c)
            channels.append(c)
        c += layers * growth
        channels.append(c)
    return channels


def densenet_param_count(k0: int, growth: int, blocks: Sequence[int], theta: float = 0.5, classes: int = 1000) -> int:
    """Parameters of a DenseNet-BC for images of three channels.

        stem        7×7 convolution 3 → k0, BN
        layer       BN(c), 1×1 c → 4k, BN(4k), 3×3 4k → k       c grows by k
        transition  BN(c), 1×1 c → ⌊θc⌋, 2×2 average pooling    between blocks
        head        BN(c), fully connected with a bias

    Args:
        k0: channels of the stem.
        growth: k, the channels that one layer adds.
        blocks: the number of layers of each block.
        theta: compression in (0, 1].
        classes: outputs of the classifier.

    Returns:
        Their number; convolutions have no bias.
    """
    _check_theta(theta)
    c, k = k0, growth
    total = 7 * 7 * 3 * k0 + 2 * k0
    for i, layers in enumerate(blocks):
        if i > 0:
            kept = int(theta * c)
            total += 2 * c + c * kept
            c = kept
        for _ in range(layers):
            total += 2 * c + c * 4 * k + 2 * 4 * k + 9 * 4 * k * k
            c += k
    return total + 2 * c + c * classes + classes


def _relu(a: Array) -> Array:
    return np.maximum(a, 0)


def _check_kind(kind: str, *kinds: str) -> None:
    if kind not in kinds:
        raise ValueError(f"kind must be one of {', '.join(kinds)}, not {kind!r}")


def _check_block(kind: str, x: Any, W1: Any, W2: Any, Ws: Any = None) -> None:
    _check_kind(kind, "plain", "post", "pre")
    if Ws is None:
        check_shapes(locals(), x="N D", W1="D M", W2="M D")
    else:
        check_shapes(locals(), x="N D", W1="D M", Ws="D E", W2="M E")


def _check_dense(x: Any, weights: Sequence[Any]) -> None:
    check_shapes(locals(), x="N K0")
    seen = x.shape[1]
    for layer, W in enumerate(weights):
        wanted = (seen, weights[0].shape[-1])
        if tuple(W.shape) != wanted:
            raise ValueError(f"weights[{layer}] must have the shape {wanted}, not {tuple(W.shape)}")
        seen += wanted[1]


def _check_theta(theta: float) -> None:
    if not 0 < theta <= 1:
        raise ValueError(f"theta must lie in (0, 1], not {theta}")
