"""Other right answers: other formulas, and plain Python on one number at a time."""

import math

import numpy as np
from autograder.properties import alternative

from reference.regularization import (
    adamw_step, clip_by_global_norm, dropout, early_stopping, l1_penalty, l2_penalty, mixup, smooth_labels,
)


@alternative(l1_penalty)
def inner_product_with_the_sign(w, strength):
    """Σ|w| as an inner product; a numpy scalar comes back."""
    sign = np.where(w > 0, 1, np.where(w < 0, -1, 0))
    return strength * np.vdot(sign, w), strength * sign


@alternative(l1_penalty)
def l1_weight_by_weight(w, strength):
    """Entry by entry."""
    value = math.fsum(strength * abs(v) for v in np.ravel(w))
    return value, np.vectorize(lambda v: strength * (float(v > 0) - float(v < 0)), otypes=[float])(w)


@alternative(l2_penalty)
def inner_product_with_itself(w, strength):
    """Σw² as an inner product."""
    flat = np.ravel(w)
    return strength * (flat @ flat) / 2, strength * w


@alternative(l2_penalty)
def l2_weight_by_weight(w, strength):
    """A running sum; a nested list comes back."""
    value = 0.0
    for v in np.ravel(w):
        value += strength * v * v / 2
    return [value, np.multiply(w, strength).tolist()]


@alternative(adamw_step)
def shrunk_first(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """The order of PyTorch, shrinking before the step, and the efficient form of Adam (Kingma & Ba, §2)."""
    if decoupled:
        shrunk = (1 - lr * weight_decay) * w
    else:
        shrunk, grad = w, grad + weight_decay * w
    m = m + (1 - beta1) * (grad - m)
    v = v + (1 - beta2) * (grad * grad - v)
    rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    return shrunk - rate * m / (v**0.5 + eps), m, v


@alternative(adamw_step)
def weight_by_weight(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """One parameter at a time; lists come back."""
    new = [], [], []
    for w_i, g, m_i, v_i in zip(w, grad, m, v):
        g = g + (0 if decoupled else weight_decay * w_i)
        m_i, v_i = beta1 * m_i + (1 - beta1) * g, beta2 * v_i + (1 - beta2) * g * g
        step = m_i / (1 - beta1**t) / (math.sqrt(v_i / (1 - beta2**t)) + eps)
        for values, value in zip(new, (w_i - lr * (step + (weight_decay * w_i if decoupled else 0)), m_i, v_i)):
            values.append(float(value))
    return new


@alternative(dropout)
def where_kept(x, p, u, train, inverted=True):
    """A choice for each case; the classic mask is an array of booleans."""
    if not train:
        rate = 1 if inverted else 1 - p
        return x * rate, rate * np.ones_like(x)
    keep = u > p
    return (np.where(keep, x / (1 - p), 0), keep / (1 - p)) if inverted else (np.where(keep, x, 0), keep)


@alternative(dropout)
def unit_by_unit(x, p, u, train, inverted=True):
    """A loop over entries."""
    y, scale = np.zeros_like(x), np.zeros_like(x)
    for at, draw in np.ndenumerate(u):
        if train and draw < p:
            continue
        scale[at] = 1 / (1 - p) if train and inverted else 1 - p if not train and not inverted else 1
        y[at] = x[at] * scale[at]
    return y, scale


@alternative(early_stopping)
def list_of_improvements(losses, patience, min_delta=0.0):
    """The epochs that improved; an array comes back."""
    improved = []
    for epoch, loss in enumerate(losses):
        if not improved or losses[improved[-1]] - loss > min_delta:
            improved.append(epoch)
        if epoch - improved[-1] >= patience:
            return np.array([epoch, improved[-1]])
    return np.array([len(losses) - 1, improved[-1]])


@alternative(early_stopping)
def countdown(losses, patience, min_delta=0.0):
    """What is left of the patience, counted down."""
    best, left = 0, patience
    for epoch in range(1, len(losses)):
        if losses[epoch] + min_delta < losses[best]:
            best, left = epoch, patience
            continue
        left -= 1
        if left == 0:
            return epoch, best
    return len(losses) - 1, best


@alternative(smooth_labels)
def filled_then_raised(labels, classes, smoothing):
    """The share everywhere, then the rest on the true class."""
    rows = np.full((len(labels), classes), smoothing / classes)
    rows[np.arange(len(labels)), labels] += 1 - smoothing
    return rows


@alternative(smooth_labels)
def row_by_row(labels, classes, smoothing):
    """Nested lists."""
    rest = smoothing / classes
    return [[1 - smoothing + rest if k == label else rest for k in range(classes)] for label in labels]


@alternative(mixup)
def from_the_partner(x, targets, mix, perm):
    """The partner, and λ of the way back; a list comes back."""
    return [a[perm] + mix * (a - a[perm]) for a in (x, targets)]


@alternative(mixup)
def pair_by_pair(x, targets, mix, perm):
    """A loop over samples."""
    mixed, soft = np.zeros_like(x), np.zeros_like(targets)
    for i, j in enumerate(perm):
        mixed[i] = mix * x[i] + (1 - mix) * x[j]
        soft[i] = mix * targets[i] + (1 - mix) * targets[j]
    return mixed, soft


@alternative(clip_by_global_norm)
def divided_by_the_excess(grads, max_norm):
    """The norm of all entries in one row, and a division."""
    norm = np.linalg.norm(np.concatenate([np.ravel(g) for g in grads]))
    return tuple(g / max(1.0, norm / max_norm) for g in grads), float(norm)


@alternative(clip_by_global_norm)
def only_if_too_long(grads, max_norm):
    """A sum in plain Python, and a branch."""
    norm = math.sqrt(math.fsum(float(v) ** 2 for g in grads for v in np.ravel(g)))
    return tuple(g * (max_norm / norm) for g in grads) if norm > max_norm else tuple(grads), norm
