"""Making a trained network small: distillation, pruning, low rank.

    softened probabilities      p_i = exp(z_i / T) / Σ_j exp(z_j / T)
    distillation                α T² KL(p teacher ‖ q student), both at T, + (1 - α) cross-entropy of labels and student at T = 1
    ∂ KL / ∂ student logit      (q_i - p_i) / T  →  ((s_i - mean s) - (t_i - mean t)) / (C T²) for large T
    pruning                     a weight stays where its mask is True, and masks go on during fine-tuning
    low rank                    W ≈ A B: r (m + n) numbers instead of m n, fewer as long as r < m n / (m + n)

Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531, §2, eqs. 1–4.
Han, Pool, Tran & Dally, "Learning both Weights and Connections for Efficient Neural Networks", 2015, arXiv:1506.02626, §3.
Zhu & Gupta, "To prune, or not to prune", 2017, arXiv:1710.01878 (sparsity: the share of zeros).
Eckart & Young, "The approximation of one matrix by another of lower rank", 1936.

Letters: N samples, C classes, L layers, m×n a matrix of weights, r a rank, T the temperature, α the weight of the soft term.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.nn_basics import momentum_step
from reference.numerics import log_softmax, one_hot, softmax

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]


def softened_softmax(logits: Array, temperature: float) -> Array:
    """Probabilities at a temperature: the higher, the flatter (Hinton et al., eq. 1).

    Args:
        logits: scores, (N, C).
        temperature: T, above 0; 1 is the ordinary softmax.

    Returns:
        (N, C): exp(z_i / T) / Σ_j exp(z_j / T).
    """
    check_shapes(locals(), logits="N C")
    _check_temperature(temperature)
    return softmax(logits / temperature)


def distillation_loss(
    student_logits: Array, teacher_logits: Array, labels: Labels, temperature: float, soft_weight: float
) -> float:
    """What a student is trained by: the teacher's softened probabilities and the true labels (Hinton et al., §2).

    Args:
        student_logits: scores of the network that learns, (N, C).
        teacher_logits: scores of the network that stays as it is, (N, C).
        labels: true classes, (N,), integers from 0 to C-1.
        temperature: T of the soft term, above 0.
        soft_weight: α, the weight of the soft term, between 0 and 1.

    Returns:
        Mean over the samples of α T² KL(teacher at T ‖ student at T) - (1 - α) log softmax(student)[label].
    """
    check_shapes(locals(), student_logits="N C", teacher_logits="N C", labels="N")
    _check_temperature(temperature)
    log_p, log_q = log_softmax(teacher_logits / temperature), log_softmax(student_logits / temperature)
    soft = np.sum(np.exp(log_p) * (log_p - log_q), axis=1)
    hard = -log_softmax(student_logits)[np.arange(len(labels)), labels]
    return float(np.mean(soft_weight * temperature**2 * soft + (1 - soft_weight) * hard))


def distillation_loss_backward(
    student_logits: Array, teacher_logits: Array, labels: Labels, temperature: float, soft_weight: float
) -> Array:
    """Gradient of the distillation loss for the student's logits (Hinton et al., eq. 2, times T²).

    The derivative of z / T takes one factor T of T² away.

    Args:
        student_logits: scores of the network that learns, (N, C).
        teacher_logits: scores of the network that stays as it is, (N, C).
        labels: true classes, (N,), integers from 0 to C-1.
        temperature: T of the soft term, above 0.
        soft_weight: α, the weight of the soft term, between 0 and 1.

    Returns:
        (N, C): (α T (q - p) + (1 - α) (softmax(student) - onehot)) / N, with p the teacher's and q the student's probabilities at T.
    """
    check_shapes(locals(), student_logits="N C", teacher_logits="N C", labels="N")
    p, q = softened_softmax(teacher_logits, temperature), softened_softmax(student_logits, temperature)
    hard = softmax(student_logits) - one_hot(labels, student_logits.shape[1])
    return (soft_weight * temperature * (q - p) + (1 - soft_weight) * hard) / len(labels)


def global_magnitude_masks(layers: Sequence[Array], sparsity: float) -> list[Mask]:
    """Which weights stay when the smallest of the whole network are removed.

    Args:
        layers: weights of each layer, arrays of any shape.
        sparsity: share of zeros, between 0 and 1.

    Returns:
        For each layer a boolean array of its shape, True keeps. Of all n weights together floor(sparsity · n) are False, those of
        least |w|; of equal ones the earlier go first (first layer first, then row by row).
    """
    if not 0 <= sparsity <= 1:
        raise ValueError(f"sparsity must be between 0 and 1, not {sparsity}")
    magnitude = np.concatenate([np.abs(w).ravel() for w in layers])
    # 0.29 · 100 is 28.999…96 in floating point: a share k/n must remove k.
    count = int(np.floor(sparsity * magnitude.size + 1e-9))
    keep = np.ones(magnitude.size, dtype=bool)
    keep[np.argsort(magnitude, kind="stable")[:count]] = False
    ends = np.cumsum([w.size for w in layers])[:-1]
    return [part.reshape(w.shape) for part, w in zip(np.split(keep, ends), layers, strict=True)]


def layer_threshold_masks(layers: Sequence[Array], quality: float) -> tuple[list[Mask], Array, float]:
    """Which weights stay when each layer has a threshold of its own (Han et al., §3.1).

    Args:
        layers: weights of each layer, arrays of any shape.
        quality: the threshold in standard deviations of a layer (ddof 0, about its mean), not negative.

    Returns:
        masks: for each layer a boolean array of its shape, True where |w| ≥ quality · std of the layer.
        removed: share of each layer that goes, (L,).
        removed_total: share of all weights that goes.
    """
    if quality < 0:
        raise ValueError(f"quality must not be negative, not {quality}")
    masks = [np.abs(w) >= quality * np.std(w) for w in layers]
    removed = np.array([np.mean(~mask) for mask in masks])
    total = sum(np.sum(~mask) for mask in masks) / sum(mask.size for mask in masks)
    return masks, removed, float(total)


def masked_momentum_step(
    w: Array, grad: Array, velocity: Array, mask: Mask, lr: float, momentum: float
) -> tuple[Array, Array]:
    """One step of fine-tuning after pruning: what was removed stays removed, and stands still.

    Args:
        w: weights, of any shape.
        grad: gradient, shaped like w.
        velocity: before the step, shaped like w.
        mask: booleans, shaped like w, True keeps.
        lr: learning rate η.
        momentum: μ.

    Returns:
        w: (w + v') · mask.
        velocity: v' = (μ v - η g) · mask.
    """
    if np.shape(mask) != np.shape(w):
        raise ValueError(f"mask must have the shape {np.shape(w)} of w, not {np.shape(mask)}")
    w, velocity = momentum_step(w, grad, velocity, lr, momentum)
    return w * mask, velocity * mask


def low_rank_factors(W: Array, rank: int) -> tuple[Array, Array]:
    """Two thin matrices for a wide one, with the least squared error of their rank (Eckart & Young).

    Args:
        W: weights, (m, n).
        rank: r, from 1 to min(m, n).

    Returns:
        A: U_r Σ_r, the left singular vectors times the r largest singular values, (m, r).
        B: V_rᵀ, the right singular vectors, (r, n).
    """
    check_shapes(locals(), W="m n")
    if not 1 <= rank <= min(W.shape):
        raise ValueError(f"rank must be from 1 to {min(W.shape)}, not {rank}")
    U, singular, Vt = np.linalg.svd(W, full_matrices=False)
    return U[:, :rank] * singular[:rank], Vt[:rank]


def _check_temperature(temperature: float) -> None:
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, not {temperature}")
