"""Depthwise separable convolution on tensors: two calls of the library's convolution.

    depthwise    conv2d with groups = C          kernels (C, 1, K, K): a filter sees 1 = C / groups channels
    pointwise    conv2d with a 1×1 kernel        kernels (M, C, 1, 1): output channels first

Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications", 2017,
arXiv:1704.04861, §3.1. The library's kernels are (C_out, C_in / groups, K, K), and are not flipped either.

Letters: N samples, C channels, M output channels, K the side of the kernel, H×W the map.
"""

from torch import Tensor
from torch.nn import functional

from reference._shapes import check_shapes


def depthwise_conv2d_torch(x: Tensor, w: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """Each channel convolved with its own kernel: as many groups as channels.

    Args:
        x: images, (N, C, H, W).
        w: one kernel a channel, (C, K, K).
        stride: step between positions.
        padding: zeros added on each side.

    Returns:
        (N, C, H_out, W_out).
    """
    check_shapes(locals(), x="N C H W", w="C K K")
    return functional.conv2d(x, w[:, None], stride=stride, padding=padding, groups=len(w))


def pointwise_conv2d_torch(x: Tensor, w: Tensor) -> Tensor:
    """The channels of every pixel combined linearly: a convolution whose kernel is 1×1.

    Args:
        x: images, (N, C, H, W).
        w: weights, (C, M).

    Returns:
        (N, M, H, W).
    """
    check_shapes(locals(), x="N C H W", w="C M")
    return functional.conv2d(x, w.T[:, :, None, None])
