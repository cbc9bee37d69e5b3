"""Right answers written differently: properties must accept them."""

import math

import numpy as np
from autograder.properties import alternative

from reference.nn_basics import (
    activation, adagrad_step, adam_step, conv2d, conv_out_size, im2col, init_weights, mlp_loss, momentum_step, rmsprop_step,
    sgd_step, softmax_cross_entropy,
)


@alternative(activation)
def activation_by_sign(x, kind):
    """Another formula for each; slopes as booleans where they are 0 and 1."""
    if kind == "sigmoid":
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e)), e / (1 + e) ** 2
    if kind == "tanh":
        return np.tanh(x), 1 / np.cosh(np.clip(x, -300, 300)) ** 2
    if kind == "relu":
        return x * (x > 0), x > 0
    return np.maximum(x, 0.01 * x), 0.01 + 0.99 * (x > 0)


@alternative(activation)
def activation_number_by_number(x, kind):
    """Plain Python on one number at a time."""

    def one(v):
        if kind == "sigmoid":
            y = 1 / (1 + math.exp(-v)) if v >= 0 else math.exp(v) / (1 + math.exp(v))
            return y, y * (1 - y)
        if kind == "tanh":
            return math.tanh(v), 1 - math.tanh(v) ** 2
        leak = 0.0 if kind == "relu" else 0.01
        return (v, 1.0) if v > 0 else (leak * v, leak)

    pairs = [one(float(v)) for v in x.ravel()]
    return np.array([y for y, _ in pairs]).reshape(x.shape), np.array([s for _, s in pairs]).reshape(x.shape)


@alternative(softmax_cross_entropy)
def cross_entropy_by_logaddexp(logits, labels):
    """log Σ exp by logaddexp; 1 taken off at the label."""
    lse = np.logaddexp.reduce(logits, axis=1)
    rows = np.arange(len(labels))
    grad = np.exp(logits - lse[:, None])
    grad[rows, labels] -= 1
    return float(np.mean(lse - logits[rows, labels])), grad / len(labels)


@alternative(softmax_cross_entropy)
def cross_entropy_row_by_row(logits, labels):
    """Loops in plain Python; nested lists come back."""
    loss, grad = 0.0, []
    for row, label in zip(logits.tolist(), labels, strict=True):
        top = max(row)
        total = sum(math.exp(z - top) for z in row)
        loss += math.log(total) + top - row[label]
        grad.append([(math.exp(z - top) / total - (k == label)) / len(labels) for k, z in enumerate(row)])
    return loss / len(labels), grad


@alternative(mlp_loss)
def mlp_by_einsum(x, labels, W1, b1, W2, b2, kind="relu"):
    """Every sum written out as einsum; a list comes back."""
    h, slope = activation_by_sign(np.einsum("nd,dh->nh", x, W1) + b1, kind)
    loss, d2 = cross_entropy_by_logaddexp(np.einsum("nh,hk->nk", h, W2) + b2, labels)
    d1 = np.einsum("nk,hk,nh->nh", d2, W2, slope)
    return [loss, np.einsum("nd,nh->dh", x, d1), np.einsum("nh->h", d1), np.einsum("nh,nk->hk", h, d2), np.einsum("nk->k", d2)]


@alternative(mlp_loss)
def mlp_sample_by_sample(x, labels, W1, b1, W2, b2, kind="relu"):
    """One sample after the other, gradients added up."""
    total = [0.0, 0 * W1, 0 * b1, 0 * W2, 0 * b2]
    for n in range(len(x)):
        h, slope = activation(W1.T @ x[n] + b1, kind)
        loss, d2 = softmax_cross_entropy((W2.T @ h + b2)[None], labels[n : n + 1])
        d1 = W2 @ d2[0] * slope
        parts = (loss, np.outer(x[n], d1), d1, np.outer(h, d2[0]), d2[0])
        total = [t + part / len(x) for t, part in zip(total, parts, strict=True)]
    return tuple(total)


@alternative(init_weights)
def init_by_division(draws, kind):
    """Divided by a root instead of multiplied by a deviation."""
    fan_in, fan_out = draws.shape
    return draws / np.sqrt({"lecun": fan_in, "xavier": 0.5 * (fan_in + fan_out), "he": 0.5 * fan_in}[kind])


@alternative(sgd_step)
def sgd_in_a_copy(w, grad, lr):
    """A copy changed in place."""
    new = w.copy()
    new -= lr * grad
    return new


@alternative(momentum_step)
def momentum_by_positions(w, grad, velocity, lr, momentum=0.9):
    """The velocity as the difference of two positions."""
    new = w - (lr * grad - momentum * velocity)
    return new, new - w


@alternative(adagrad_step)
def adagrad_rate_first(w, grad, squares, lr, eps=1e-8):
    """A rate for each parameter, then the step."""
    new = squares.copy()
    new += grad * grad
    return w - (lr / (new**0.5 + eps)) * grad, new


@alternative(rmsprop_step)
def rmsprop_towards_the_square(w, grad, squares, lr, rho=0.9, eps=1e-8):
    """The mean moved a part of the way."""
    new = squares + (1 - rho) * (grad**2 - squares)
    return w - lr * grad / (eps + new**0.5), new


@alternative(adam_step)
def adam_by_its_rate(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """The efficient form of Kingma & Ba's section 2: the correction sits in the rate."""
    rate = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad**2 - v)
    return w - rate * m / (np.sqrt(v) + eps), m, v


@alternative(conv_out_size)
def size_by_division(size, kernel, stride=1, padding=0, dilation=1):
    """Rounded down with numpy; a numpy integer comes back."""
    return np.int64(np.floor((size + 2 * padding - (dilation * (kernel - 1) + 1)) / stride)) + 1


@alternative(conv_out_size)
def size_by_counting(size, kernel, stride=1, padding=0, dilation=1):
    """The positions counted."""
    return len(range(0, size + 2 * padding - dilation * (kernel - 1), stride))


@alternative(im2col)
def patches_of_a_strided_view(x, kernel, stride=1, padding=0):
    """Windows of a view, without a loop."""
    wide = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, x.shape[1] * kernel**2)


@alternative(conv2d)
def kernel_cell_by_cell(x, w, b, stride=1, padding=0):
    """One product for each cell of the kernel."""
    n, c, h, v = x.shape
    k = w.shape[2]
    wide = np.zeros((n, c, h + 2 * padding, v + 2 * padding))
    wide[:, :, padding : padding + h, padding : padding + v] = x
    rows, columns = size_by_counting(h, k, stride, padding), size_by_counting(v, k, stride, padding)
    y = np.zeros((n, len(w), rows, columns)) + b.reshape(-1, 1, 1)
    for i, j in np.ndindex(k, k):
        part = wide[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride]
        y += np.tensordot(part, w[:, :, i, j], axes=(1, 1)).transpose(0, 3, 1, 2)
    return y


@alternative(conv2d)
def pixel_by_pixel(x, w, b, stride=1, padding=0):
    """Six loops in plain Python; nested lists come back."""
    n, c, h, v = x.shape
    m, _, k, _ = w.shape

    def pixel(a, o, i, j):
        total = float(b[o])
        for ch, r, s in np.ndindex(c, k, k):
            y, z = i * stride + r - padding, j * stride + s - padding
            if 0 <= y < h and 0 <= z < v:
                total += x[a, ch, y, z] * w[o, ch, r, s]
        return total

    rows, columns = size_by_counting(h, k, stride, padding), size_by_counting(v, k, stride, padding)
    return [[[[pixel(a, o, i, j) for j in range(columns)] for i in range(rows)] for o in range(m)] for a in range(n)]
