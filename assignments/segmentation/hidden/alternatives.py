"""Right answers written differently: properties must accept them."""

import math
from itertools import pairwise

import numpy as np
from autograder.properties import alternative

from reference.numerics import softmax
from reference.segmentation import (
    conv_transpose2d, fcn_shape_plan, max_pool_indices, max_unpool, pixel_cross_entropy, receptive_field, segmentation_scores,
    transposed_size, unet_shape_plan,
)


@alternative(receptive_field)
def from_the_last_layer_down(layers):
    """r outputs of a layer come from (r-1) s + d (k-1) + 1 inputs; a list comes back."""
    needed = [1, 2]
    for kernel, stride, dilation in reversed(layers):
        needed = [(r - 1) * stride + dilation * (kernel - 1) + 1 for r in needed]
    return [needed[0], needed[1] - needed[0]]


@alternative(receptive_field)
def products_of_strides(layers):
    """One sum over all layers in numpy integers."""
    strides = np.array([1, *(stride for _, stride, _ in layers)]).cumprod()
    spans = np.array([dilation * (kernel - 1) for kernel, _, dilation in layers], int)
    return 1 + spans @ strides[:-1], strides[-1]


@alternative(transposed_size)
def end_of_the_last_kernel(size, kernel, stride=1, padding=0, output_padding=0):
    """The last pixel's first cell, then its kernel, then both ends."""
    last = stride * (size - 1)
    return last + kernel - padding - padding + output_padding


@alternative(transposed_size)
def the_size_whose_convolution_fits(size, kernel, stride=1, padding=0, output_padding=0):
    """The equation of the convolution solved by trying."""
    n = 1
    while (n + 2 * padding - kernel) // stride + 1 < size:
        n += 1
    return n + output_padding


@alternative(conv_transpose2d)
def zeros_between_the_pixels(x, w, stride=1, padding=0):
    """Zeros between and around the pixels, then a correlation with the turned kernel, tap by tap."""
    (N, C, H, W), K = x.shape, w.shape[-1]
    rows, columns = (H - 1) * stride + K, (W - 1) * stride + K
    stuffed = np.zeros((N, C, rows + K - 1, columns + K - 1))
    stuffed[:, :, K - 1 : rows : stride, K - 1 : columns : stride] = x
    y = 0
    for i, j in np.ndindex(K, K):
        y = y + np.tensordot(stuffed[:, :, i : i + rows, j : j + columns], w[:, :, K - 1 - i, K - 1 - j], axes=(1, 0))
    return np.moveaxis(y, -1, 1)[:, :, padding : rows - padding, padding : columns - padding]


@alternative(conv_transpose2d)
def gathered_for_every_output_pixel(x, w, stride=1, padding=0):
    """Plain loops: for an output pixel, the sum over the inputs whose kernel reaches it; nested lists come back."""
    (N, C, H, W), (_, M, K, _) = x.shape, w.shape

    def pixel(n, m, a, b):
        reach = [(i, j) for i in range(H) for j in range(W) if 0 <= a - i * stride < K and 0 <= b - j * stride < K]
        return sum(float(x[n, c, i, j] * w[c, m, a - i * stride, b - j * stride]) for c in range(C) for i, j in reach)

    rows, columns = (range(padding, (side - 1) * stride + K - padding) for side in (H, W))
    return [[[[pixel(n, m, a, b) for b in columns] for a in rows] for m in range(M)] for n in range(N)]


@alternative(fcn_shape_plan)
def halved_five_times(size, stride):
    """⌈n/2⌉ five times; a table says which maps are used; tuples come back."""
    pooled = [size]
    for _ in range(5):
        pooled.append((pooled[-1] + 1) // 2)
    sides = {32: (pooled[5],), 16: (pooled[5], pooled[4]), 8: (pooled[5], pooled[4], pooled[3])}[stride]
    crops = [2 * a - b for a, b in pairwise(sides)]
    return sides, (*crops, stride * sides[-1] - size)


@alternative(fcn_shape_plan)
def one_upsampling_after_another(size, stride):
    """A loop over the factors from 32 down, with ceilings of quotients."""
    sides, crops, factor = [math.ceil(size / 32)], [], 32
    while factor != stride:
        factor = factor // 2
        sides.append(math.ceil(size / factor))
        crops.append(2 * sides[-2] - sides[-1])
    return [sides, [*crops, factor * sides[-1] - size]]


@alternative(max_pool_indices)
def scanned_for_a_larger_value(x, k):
    """All pixels in row order; only a strictly larger one replaces the first."""
    N, C, H, W = x.shape
    values = np.full((N, C, H // k, W // k), -np.inf, x.dtype)
    indices = np.zeros(values.shape, np.int32)
    for n, c, i, j in np.ndindex(*x.shape):
        at = n, c, i // k, j // k
        if x[n, c, i, j] > values[at]:
            values[at], indices[at] = x[n, c, i, j], i * W + j
    return values, indices


@alternative(max_pool_indices)
def strided_windows_and_ravel(x, k):
    """Windows as a view, argmax, and numpy's own flattening."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::k, ::k]
    flat = windows.reshape(*windows.shape[:4], -1)
    i, j = np.unravel_index(flat.argmax(-1), (k, k))
    rows, columns = np.indices(flat.shape[:4])[2:]
    return flat.max(-1), np.ravel_multi_index((rows * k + i, columns * k + j), x.shape[2:])


@alternative(max_unpool)
def plane_by_plane(y, indices, k):
    """One flat plane after another."""
    N, C, h, w = y.shape
    x = np.zeros((N, C, h * k, w * k))
    for n, c in np.ndindex(N, C):
        x[n, c].flat[indices[n, c].ravel()] = y[n, c].ravel()
    return x


@alternative(max_unpool)
def rows_and_columns(y, indices, k):
    """Quotient and remainder as row and column, in nested lists."""
    N, C, h, w = y.shape
    x = [[[[0.0] * (w * k) for _ in range(h * k)] for _ in range(C)] for _ in range(N)]
    for at in np.ndindex(*y.shape):
        row, column = divmod(indices[at], w * k)
        x[at[0]][at[1]][row][column] = float(y[at])
    return x


@alternative(unet_shape_plan)
def a_stack_of_skips(size, depth, padding=0):
    """Each level loses 4 - 4·padding; skips are pushed and popped."""
    loss, stack, crops = 4 - 4 * padding, [], []
    while len(stack) < depth:
        stack.append(size - loss)
        size = stack[-1] // 2
    size = size - loss
    while stack:
        crops += [stack.pop() - 2 * size]
        size = 2 * size - loss
    return size, tuple(crops)


@alternative(unet_shape_plan)
def the_net_inside_the_net(size, depth, padding=0):
    """A recursion: a level around a U-Net of one level less; a list comes back."""
    skip = size - 4 * (1 - padding)
    if depth == 0:
        return [skip, []]
    inner, crops = the_net_inside_the_net(skip // 2, depth - 1, padding)
    return [2 * inner - 4 * (1 - padding), [*crops, skip - 2 * inner]]


@alternative(pixel_cross_entropy)
def one_long_table_of_pixels(logits, labels, ignore=255):
    """Pixels in one axis; logsumexp minus the logit of the label, and 1 subtracted at the labels."""
    N, C, H, W = logits.shape
    z, t = logits.transpose(0, 2, 3, 1).reshape(-1, C), labels.ravel()
    keep = np.flatnonzero(t != ignore)
    gradient = np.zeros_like(z)
    if not len(keep):
        return 0, gradient.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    z, t = z[keep], t[keep]
    top = z.max(axis=1, keepdims=True)
    lse = top[:, 0] + np.log(np.exp(z - top).sum(axis=1))
    p = np.exp(z - lse[:, None])
    p[np.arange(len(t)), t] -= 1
    gradient[keep] = p / len(keep)
    return np.mean(lse - z[np.arange(len(t)), t]), gradient.reshape(N, H, W, C).transpose(0, 3, 1, 2)


@alternative(pixel_cross_entropy)
def mask_times_one_hot(logits, labels, ignore=255):
    """A mask in the place of a selection; the softmax of its own for the gradient."""
    mask = (labels != ignore)[:, None]
    n = max(int(mask.sum()), 1)
    y = (np.arange(logits.shape[1]).reshape(1, -1, 1, 1) == labels[:, None]) & mask
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -(log_p * y).sum() / n, (softmax(logits, axis=1) - y) * mask / n


@alternative(segmentation_scores)
def counts_of_each_class(predicted, labels, classes):
    """TP, FP and FN class by class in plain Python; lists come back."""
    pairs = list(zip(labels.ravel().tolist(), predicted.ravel().tolist()))
    confusion = [[pairs.count((t, p)) for p in range(classes)] for t in range(classes)]
    iou, dice, recall, present = [], [], [], []
    for c in range(classes):
        tp = confusion[c][c]
        fn, fp = sum(confusion[c]) - tp, sum(row[c] for row in confusion) - tp
        present += [c] if tp + fp + fn else []
        iou.append(tp / (tp + fp + fn) if tp + fp + fn else 0.0)
        dice.append(2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0)
        recall += [tp / (tp + fn)] if tp + fn else []
    return {
        "confusion": confusion, "iou": iou, "dice": dice, "miou": sum(iou[c] for c in present) / len(present),
        "mean_accuracy": sum(recall) / len(recall), "pixel_accuracy": sum(t == p for t, p in pairs) / len(pairs),
    }


@alternative(segmentation_scores)
def means_that_skip_nan(predicted, labels, classes):
    """0/0 is NaN, which the means pass over; Dice from IoU."""
    confusion = np.zeros((classes, classes), np.int32)
    np.add.at(confusion, (labels.ravel(), predicted.ravel()), 1)
    tp = np.diag(confusion).astype(float)
    with np.errstate(invalid="ignore"):
        iou = tp / (confusion.sum(0) + confusion.sum(1) - tp)
        recall = tp / confusion.sum(1)
    filled = np.nan_to_num(iou)
    return {
        "pixel_accuracy": np.mean(predicted == labels), "mean_accuracy": np.nanmean(recall), "iou": filled,
        "dice": 2 * filled / (1 + filled), "miou": np.nanmean(iou), "confusion": confusion,
    }
