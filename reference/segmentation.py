"""Semantic segmentation: a class for every pixel.

    field    1 + Σ_l d_l (k_l - 1) Π_{i<l} s_i        what one output sees; jump Π_l s_l
    size     (n - 1) s - 2 p + k + r                   of a transposed convolution
    loss     -1/|V| Σ_{v in V} ln softmax(z_v)[t_v]    V the pixels that are not void; ∂/∂z_v = (p_v - one-hot) / |V|
    scores   IoU = TP / (TP + FP + FN), Dice = 2 TP / (2 TP + FP + FN)

Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill, 2019, eq. 2 (with d = 1);
dilation: Yu & Koltun, 2016, arXiv:1511.07122. Transposed convolution: Dumoulin & Visin, 2016, arXiv:1603.07285, §4.
FCN: Long, Shelhamer & Darrell, 2015, arXiv:1411.4038, §3.3 (upsampling), §4.2 (skips), §5 (scores).
Unpooling with switches: Noh et al., 2015, arXiv:1505.04366, and SegNet, arXiv:1511.00561.
U-Net: Ronneberger, Fischer & Brox, 2015, arXiv:1505.04597, §2 and Fig. 1.

Letters: N images, C channels (of scores: one for each class), M output channels, K the side of the kernel, H×W the map.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.nn_basics import conv_out_size
from reference.numerics import log_softmax

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Layer = tuple[int, int, int]  # kernel, stride, dilation


def receptive_field(layers: Sequence[Layer]) -> tuple[int, int]:
    """How many input pixels one output pixel sees along an axis, and how far apart neighbouring outputs look.

    Args:
        layers: (kernel, stride, dilation) each, the layer next to the input first; a pooling is a layer like the others.

    Returns:
        field: 1 + Σ dilation·(kernel - 1)·(product of the strides of EARLIER layers).
        jump: the product of all strides.
    """
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        if min(kernel, stride, dilation) < 1:
            raise ValueError(
                f"layers: kernel, stride and dilation must be at least 1, not {(kernel, stride, dilation)}"
            )
        field += dilation * (kernel - 1) * jump
        jump *= stride
    return field, jump


def transposed_size(size: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    """Side of the output of a transposed convolution.

    Args:
        size: side of the input.
        kernel: its side.
        stride: how far apart neighbouring input pixels land in the output.
        padding: pixels CUT from each side of the output.
        output_padding: pixels added to the output at one end, fewer than stride.

    Returns:
        (size - 1)·stride - 2·padding + kernel + output_padding.
    """
    if kernel < 1 or stride < 1:
        raise ValueError(f"kernel {kernel} and stride {stride} must be at least 1")
    if not 0 <= output_padding < stride:
        raise ValueError(f"output_padding {output_padding} must be less than the stride {stride}")
    out = (size - 1) * stride - 2 * padding + kernel + output_padding
    if size < 1 or out < 1:
        raise ValueError(f"size {size} with padding {padding} leaves no output")
    return out


def conv_transpose2d(x: Array, w: Array, stride: int = 1, padding: int = 0) -> Array:
    """Transposed convolution: every input pixel adds its kernel, times its value, to the output.

    Args:
        x: images, (N, C, H, W).
        w: kernels, input channels first, (C, M, K, K); not flipped.
        stride: how far apart the kernels of neighbouring pixels are put.
        padding: pixels cut from each side of the output.

    Returns:
        (N, M, H_out, W_out).
    """
    check_shapes(locals(), x="N C H W", w="C M K K")
    (N, _, H, W), (_, M, K, _) = x.shape, w.shape
    h_out, w_out = (transposed_size(side, K, stride, padding) for side in (H, W))
    y = np.zeros((N, M, h_out + 2 * padding, w_out + 2 * padding))
    for i, j in np.ndindex(H, W):
        stamped = y[:, :, i * stride : i * stride + K, j * stride : j * stride + K]
        stamped += np.einsum("nc,cmkl->nmkl", x[:, :, i, j], w)
    return y[:, :, padding : padding + h_out, padding : padding + w_out]


def fcn_shape_plan(size: int, stride: int) -> tuple[list[int], list[int]]:
    """Sizes on the way up in FCN-32s, FCN-16s and FCN-8s, whose convolutions keep the size.

    Each of the five poolings halves, and a last window that is cut off still counts: ⌈n/2⌉. On the way up the scores
    are doubled, cut to the next finer map and added to its scores; in the end they are enlarged `stride` times at once.

    Args:
        size: side of the image.
        stride: 32, 16 or 8, the last factor.

    Returns:
        sides: of the score maps that are added, coarsest first.
        crops: pixels cut in total after each upsampling, one for each side.
    """
    if stride not in (8, 16, 32):
        raise ValueError(f"stride must be 8, 16 or 32, not {stride}")
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    steps = [step for step in (32, 16, 8) if step >= stride]
    sides = [-(-size // step) for step in steps]  # ⌈⌈n/2⌉/2⌉ = ⌈n/4⌉
    enlarged = [*(2 * side for side in sides[:-1]), stride * sides[-1]]
    return sides, [large - wanted for large, wanted in zip(enlarged, [*sides[1:], size])]


def max_pool_indices(x: Array, k: int) -> tuple[Array, Labels]:
    """Max pooling with windows of k×k and stride k that remembers where each maximum stood.

    Args:
        x: images, (N, C, H, W).
        k: side of a window; divides H and W.

    Returns:
        values: the largest of each window, (N, C, H_out, W_out).
        indices: row·W + column of it in its plane of x, the first in row order where several are equal, (N, C, H_out, W_out).
    """
    check_shapes(locals(), x="N C H W")
    N, C, H, W = x.shape
    if k < 1 or H % k or W % k:
        raise ValueError(f"k {k} must divide the sides of x, {H} and {W}")
    windows = x.reshape(N, C, H // k, k, W // k, k).swapaxes(3, 4).reshape(N, C, H // k, W // k, k * k)
    place = windows.argmax(axis=-1)  # in the window; the first of equals
    rows = np.arange(0, H, k)[:, None] + place // k
    columns = np.arange(0, W, k) + place % k
    return windows.max(axis=-1), rows * W + columns


def max_unpool(y: Array, indices: Labels, k: int) -> Array:
    """Values put back where their maxima stood, zeros elsewhere.

    Args:
        y: pooled values, (N, C, H, W).
        indices: positions in a plane of the result, row·(k·W) + column, (N, C, H, W).
        k: side of a window.

    Returns:
        (N, C, kH, kW).
    """
    check_shapes(locals(), y="N C H W", indices="N C H W")
    N, C, H, W = y.shape
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if indices.min() < 0 or indices.max() >= k * H * k * W:
        raise ValueError(f"indices must lie in a plane of {k * H}×{k * W} pixels")
    x = np.zeros((N, C, k * H * k * W))
    np.put_along_axis(x, indices.reshape(N, C, -1), y.reshape(N, C, -1), axis=2)
    return x.reshape(N, C, k * H, k * W)


def unet_shape_plan(size: int, depth: int, padding: int = 0) -> tuple[int, list[int]]:
    """Sizes in a U-Net: two 3×3 convolutions a level, 2×2 poolings down, 2×2 transposed convolutions up.

    On the way up the skip of the same level, which was taken before its pooling, is cut to the size and concatenated.

    Args:
        size: side of the image.
        depth: number of poolings.
        padding: of every 3×3 convolution: 0 (as published) or 1, which keeps the size.

    Returns:
        side: of the output.
        crops: pixels cut from each skip in total (half of it on each side), deepest first.
    """
    if depth < 0:
        raise ValueError(f"depth must be at least 0, not {depth}")
    skips = []
    for _ in range(depth):
        skips.append(_two_convs(size, padding))
        if skips[-1] % 2:
            raise ValueError(f"size: a pooling meets the odd side {skips[-1]}")
        size = conv_out_size(skips[-1], 2, 2)
    size = _two_convs(size, padding)
    crops = []
    for skip in reversed(skips):
        up = transposed_size(size, 2, 2)
        crops.append(skip - up)
        size = _two_convs(up, padding)
    return size, crops


def pixel_cross_entropy(logits: Array, labels: Labels, ignore: int = 255) -> tuple[float, Array]:
    """Mean cross-entropy over the pixels of the batch that have a label, and its gradient.

    Args:
        logits: scores of the classes at each pixel, (N, C, H, W).
        labels: classes 0 … C-1, or `ignore` where a pixel does not count, (N, H, W).
        ignore: the label of void pixels.

    Returns:
        loss: mean of -ln softmax at the label over the pixels that count; 0.0 where none does.
        dlogits: its gradient, (N, C, H, W).
    """
    check_shapes(locals(), logits="N C H W", labels="N H W")
    C, counted = logits.shape[1], labels != ignore
    if np.any(counted & ((labels < 0) | (labels >= C))):
        raise ValueError(f"labels must be 0 … {C - 1} or {ignore}")
    if not counted.any():
        return 0.0, np.zeros_like(logits)
    log_p = log_softmax(logits, axis=1)
    label = np.where(counted, labels, 0)[:, None]
    nll = -np.take_along_axis(log_p, label, axis=1)[:, 0]
    at_label = np.arange(C)[:, None, None] == label
    dlogits = (np.exp(log_p) - at_label) * counted[:, None] / counted.sum()
    return float(nll[counted].mean()), dlogits


def segmentation_scores(predicted: Labels, labels: Labels, classes: int) -> dict[str, float | Array | Labels]:
    """Scores of a map of classes, from the counts TP, FP and FN of each class: a dict.

    Args:
        predicted: classes 0 … C-1, (H, W) or any other shape.
        labels: the true classes, of the same shape.
        classes: their number C.

    Returns:
        pixel_accuracy: Σ TP / pixels.
        mean_accuracy: mean of TP / (TP + FN) over the classes that occur in labels.
        iou: TP / (TP + FP + FN), 0 for a class in neither map, (C,).
        dice: 2 TP / (2 TP + FP + FN), 0 for a class in neither map, (C,).
        miou: mean of iou over the classes that occur in either map.
        confusion: pixels of true class t (row) predicted as p (column), whole numbers, (C, C).
    """
    if predicted.shape != labels.shape or not labels.size:
        raise ValueError(f"predicted {predicted.shape} must have the shape of labels {labels.shape}, and not be empty")
    for name, found in (("predicted", predicted), ("labels", labels)):
        if found.min() < 0 or found.max() >= classes:
            raise ValueError(f"{name} must be 0 … {classes - 1}")
    pairs = labels.ravel() * classes + predicted.ravel()
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    tp, true, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)  # TP, TP + FN, TP + FP
    seen = true + guessed > 0
    iou = tp / np.maximum(true + guessed - tp, 1)
    return {
        "pixel_accuracy": float(tp.sum() / confusion.sum()),
        "mean_accuracy": float(np.mean(tp[true > 0] / true[true > 0])),
        "iou": iou,
        "dice": 2 * tp / np.maximum(true + guessed, 1),
        "miou": float(iou[seen].mean()),
        "confusion": confusion,
    }


def _two_convs(size: int, padding: int) -> int:
    return conv_out_size(conv_out_size(size, 3, 1, padding), 3, 1, padding)
