"""Regularisation: penalties, weight decay, dropout, early stopping, soft labels, mixed samples, and clipped gradients.

    L = L' + λ Σ |w|                       L1: gradient λ sign(w), a constant pull towards 0
    L = L' + ½ λ Σ w²                      L2: gradient λ w; SGD then shrinks w by 1 - ηλ (weight decay)
    w ← w - η m̂ / (√v̂ + ε) - η λ w         AdamW: the decay stays outside the moments
    y = x · [u ≥ p] / (1 - p)              dropout in training (inverted), y = x at test time
    y = (1 - s) · one-hot + s / K          label smoothing
    x̃ = λ x + (1 - λ) x[perm]              mixup, and the targets likewise
    g ← g · min(1, c / ‖g‖)                clipping by the global norm, ‖g‖² over ALL parameters

Goodfellow, Bengio & Courville, "Deep Learning", 2016, §7.1 (eqs. 7.2–7.5 and 7.18–7.20) and Algorithm 7.1 (early stopping).
Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019, arXiv:1711.05101, Algorithm 2.
Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15, 2014, §4 and Fig. 2
(whose p is the probability to KEEP a unit; here, as in most libraries, p is the probability to drop it).
Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016, arXiv:1512.00567, §7.
Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, arXiv:1710.09412, §2.
Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013, arXiv:1211.5063, Algorithm 1.

Letters: N samples, K classes, E epochs, η learning rate, λ strength of a penalty or share of a mixture.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.nn_basics import adam_step
from reference.numerics import one_hot

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def l1_penalty(w: Array, strength: float) -> tuple[float, Array]:
    """The L1 penalty and its gradient (Goodfellow et al., eqs. 7.18–7.20).

    Args:
        w: weights, of any shape.
        strength: λ, at least 0.

    Returns:
        penalty: λ Σ |w|.
        grad: λ sign(w), shaped like w; 0 where w is 0.
    """
    _check_strength(strength, "strength")
    return float(strength * np.abs(w).sum()), strength * np.sign(w)


def l2_penalty(w: Array, strength: float) -> tuple[float, Array]:
    """The L2 penalty, half the SQUARED norm, and its gradient (Goodfellow et al., eqs. 7.2 and 7.3).

    Args:
        w: weights, of any shape.
        strength: λ, at least 0.

    Returns:
        penalty: ½ λ Σ w².
        grad: λ w, shaped like w.
    """
    _check_strength(strength, "strength")
    return float(0.5 * strength * np.square(w).sum()), strength * w


def adamw_step(
    w: Array,
    grad: Array,
    m: Array,
    v: Array,
    t: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
    decoupled: bool = True,
) -> tuple[Array, Array, Array]:
    """One step of Adam with weight decay, decoupled from the gradient (AdamW) or as an L2 penalty within it.

        decoupled      w ← w - η m̂ / (√v̂ + ε) - η λ w      m, v never see λ
        not decoupled  g ← g + λ w, then Adam               the penalty's gradient is divided by √v̂ as well

    Loshchilov & Hutter, Algorithm 2, with the learning rate on the decay, as `torch.optim.AdamW` has it.

    Args:
        w: parameters, of any shape.
        grad: gradient g of the loss without penalty, shaped like w.
        m: first moment before the step, shaped like w.
        v: second moment before the step, shaped like w.
        t: number of the step, from 1.
        lr: learning rate η.
        beta1: decay of the first moment.
        beta2: decay of the second moment.
        eps: added to the root, outside it.
        weight_decay: λ, at least 0.
        decoupled: True for AdamW, False for an L2 penalty.

    Returns:
        w: after the step; the weight that decays is the one before it.
        m: updated, before the bias correction.
        v: updated, before the bias correction.
    """
    _check_strength(weight_decay, "weight_decay")
    if np.shape(grad) != np.shape(w):
        raise ValueError(f"grad must have the shape of w, {np.shape(w)}, not {np.shape(grad)}")
    if not decoupled:
        return adam_step(w, grad + weight_decay * w, m, v, t, lr, beta1, beta2, eps)
    stepped, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return stepped - lr * weight_decay * w, m, v


def dropout(x: Array, p: float, u: Array, train: bool, inverted: bool = True) -> tuple[Array, Array]:
    """Dropout, forward; backward is dy · scale, with the same mask (Srivastava et al., §4).

                    training              test time
        inverted    x · [u ≥ p] / (1-p)   x
        classic     x · [u ≥ p]           x · (1-p)

    Args:
        x: activations, of any shape.
        p: probability to DROP a unit, 0 ≤ p < 1.
        u: uniform draws in [0, 1), shaped like x; a unit is dropped where u < p.
        train: True in training, False at test time.
        inverted: True to correct in training, False to correct at test time.

    Returns:
        y: x · scale, shaped like x.
        scale: what each entry of x was multiplied by, shaped like x.
    """
    if not 0 <= p < 1:
        raise ValueError(f"p must lie in [0, 1), not {p}")
    if np.shape(u) != np.shape(x):
        raise ValueError(f"u must have the shape of x, {np.shape(x)}, not {np.shape(u)}")
    if train:
        scale = (u >= p) / (1 - p if inverted else 1.0)
    else:
        scale = np.full(x.shape, 1.0 if inverted else 1 - p)
    return x * scale, scale


def early_stopping(losses: Sequence[float] | Array, patience: int, min_delta: float = 0.0) -> tuple[int, int]:
    """When training stops, and whose parameters are kept (Goodfellow et al., Algorithm 7.1).

    Args:
        losses: on the VALIDATION set, one an epoch, (E,); the first is a number.
        patience: training stops at this many epochs in a row without improvement, at least 1.
        min_delta: an improvement is a loss below the best so far minus this.

    Returns:
        stop_epoch: the last epoch that is run, from 0; E-1 if the rule never stops it.
        best_epoch: the epoch of the best loss, from 0; ties and NaN are no improvement.
    """
    if len(losses) == 0:
        raise ValueError("losses must not be empty")
    if patience < 1:
        raise ValueError(f"patience must be at least 1, not {patience}")
    best, best_epoch, wait = np.inf, 0, 0
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:  # False for NaN
            best, best_epoch, wait = loss, epoch, 0
        else:
            wait += 1
            if wait >= patience:
                return epoch, best_epoch
    return len(losses) - 1, best_epoch


def smooth_labels(labels: Labels, classes: int, smoothing: float) -> Array:
    """Targets softened by a share of the uniform distribution (Szegedy et al., §7).

    Args:
        labels: classes, (N,).
        classes: their number K.
        smoothing: the share s, 0 … 1, spread over all K classes, the true one included.

    Returns:
        (N, K): (1 - s) · one-hot + s / K.
    """
    check_shapes(locals(), labels="N")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must be ints in 0 … {classes - 1}")
    if not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing must lie in [0, 1], not {smoothing}")
    return (1 - smoothing) * one_hot(labels, classes) + smoothing / classes


def clip_by_global_norm(grads: Sequence[Array], max_norm: float) -> tuple[tuple[Array, ...], float]:
    """Gradients shortened, all by one factor, to a norm of at most c (Pascanu et al., Algorithm 1).

    Args:
        grads: one array a parameter, of any shapes.
        max_norm: the bound c, above 0.

    Returns:
        clipped: g · min(1, c / ‖g‖) for each; a norm of 0 leaves them.
        norm: ‖g‖ = √Σ g² over all entries of all arrays, before clipping.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be above 0, not {max_norm}")
    norm = float(np.sqrt(sum(np.sum(np.square(g)) for g in grads)))
    factor = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return tuple(g * factor for g in grads), norm


def mixup(x: Array, targets: Array, mix: float, perm: Labels) -> tuple[Array, Array]:
    """Each sample mixed with another of the batch, and the targets in the same proportion (Zhang et al., §2).

    Args:
        x: inputs, samples along the first axis.
        targets: one-hot or soft, (N, K).
        mix: share λ of the sample itself, 0 … 1.
        perm: the partner of each sample, (N,).

    Returns:
        x: λ x + (1 - λ) x[perm], shaped like x.
        targets: λ targets + (1 - λ) targets[perm], (N, K).
    """
    check_shapes(locals(), targets="N K", perm="N")
    if len(x) != len(targets):
        raise ValueError(f"x must have {len(targets)} samples, as targets has, not {len(x)}")
    if not 0 <= mix <= 1:
        raise ValueError(f"mix must lie in [0, 1], not {mix}")
    return mix * x + (1 - mix) * x[perm], mix * targets + (1 - mix) * targets[perm]


def _check_strength(strength: float, name: str) -> None:
    if not strength >= 0:
        raise ValueError(f"{name} must be at least 0, not {strength}")
