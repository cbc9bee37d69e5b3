"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative
from torch.nn import functional

from reference.compression import (
    distillation_loss, distillation_loss_backward, global_magnitude_masks, layer_threshold_masks, low_rank_factors,
    masked_momentum_step, softened_softmax,
)
from reference.compression_torch import distillation_loss_torch
from reference.numerics import softmax


@alternative(softened_softmax)
def ratios_of_differences(logits, temperature):
    """One over the sum of the ratios to the other classes."""
    z = logits / temperature
    return 1 / np.sum(np.exp(np.minimum(z[:, None, :] - z[:, :, None], 80)), axis=2)


@alternative(softened_softmax)
def row_by_row(logits, temperature):
    """Each row shifted by its largest logit; lists come back."""
    rows = []
    for row in logits:
        e = [np.exp((z - max(row)) / temperature) for z in row]
        rows.append([v / sum(e) for v in e])
    return rows


@alternative(distillation_loss)
def cross_entropy_less_entropy(student_logits, teacher_logits, labels, temperature, soft_weight):
    """The soft term as the cross-entropy less the teacher's entropy, sample by sample."""
    total = 0.0
    for s, t, y in zip(student_logits, teacher_logits, labels, strict=True):
        scaled = (s / temperature, t / temperature, s)
        log_q, log_p, log_1 = (v - v.max() - np.log(np.sum(np.exp(v - v.max()))) for v in scaled)
        p = np.exp(log_p)
        total += soft_weight * temperature**2 * (np.dot(p, log_p) - np.dot(p, log_q)) - (1 - soft_weight) * log_1[y]
    return total / len(labels)


@alternative(distillation_loss_backward)
def jacobian_products(student_logits, teacher_logits, labels, temperature, soft_weight):
    """The Jacobian of the softmax times the derivative of the divergence, sample by sample."""
    rows = []
    for s, t, y in zip(student_logits, teacher_logits, labels, strict=True):
        q, p, hard = softmax(s / temperature), softmax(t / temperature), softmax(s)
        jacobian = (np.diag(q) - np.outer(q, q)) / temperature
        hard[y] -= 1
        rows.append(soft_weight * temperature**2 * jacobian @ (-p / q) + (1 - soft_weight) * hard)
    return np.array(rows) / len(rows)


@alternative(global_magnitude_masks)
def sorted_pairs(layers, sparsity):
    """Pairs of magnitude and position, sorted by Python; a tuple comes back."""
    pairs = sorted((abs(v), i) for i, v in enumerate(v for w in layers for v in np.ravel(w)))
    gone = {i for _, i in pairs[: int(sparsity * len(pairs))]}
    out, start = [], 0
    for w in layers:
        out.append(np.array([i not in gone for i in range(start, start + w.size)]).reshape(w.shape))
        start += w.size
    return tuple(out)


@alternative(global_magnitude_masks)
def ranks_by_counting(layers, sparsity):
    """A weight goes where fewer than the number to remove come before it."""
    magnitude = np.abs(np.concatenate([w.reshape(-1) for w in layers]))
    before = np.sum(magnitude[None] < magnitude[:, None], axis=1) + np.sum(np.tril(magnitude[None] == magnitude[:, None], -1), axis=1)
    keep = iter(before >= np.floor(sparsity * len(magnitude)))
    return [np.array([next(keep) for _ in range(w.size)]).reshape(w.shape) for w in layers]


@alternative(layer_threshold_masks)
def moments_and_counts(layers, quality):
    """The spread from E[w²] - E[w]², shares by counting."""
    masks, gone, size = [], 0, 0
    for w in layers:
        spread = np.sqrt(np.maximum(np.mean(w**2) - np.mean(w) ** 2, 0))
        masks.append(~(np.abs(w) < quality * spread))
        gone, size = gone + np.sum(~masks[-1]), size + w.size
    return masks, [np.sum(~m) / m.size for m in masks], gone / size


@alternative(masked_momentum_step)
def chosen_entries(w, grad, velocity, mask, lr, momentum):
    """Only the entries that stay are computed."""
    moved, v = np.zeros_like(w), np.zeros_like(w)
    v[mask] = momentum * velocity[mask] - lr * grad[mask]
    moved[mask] = w[mask] + v[mask]
    return moved, v


@alternative(masked_momentum_step)
def mask_multiplied_in_first(w, grad, velocity, mask, lr, momentum):
    """Everything that enters is masked, nothing that leaves."""
    v = momentum * (mask * velocity) - lr * (mask * grad)
    return mask * w + v, v


@alternative(low_rank_factors)
def shared_by_halves(W, rank):
    """A = U √Σ, B = √Σ Vᵀ."""
    U, singular, Vt = np.linalg.svd(W, full_matrices=False)
    root = np.sqrt(singular[:rank])
    return U[:, :rank] @ np.diag(root), np.diag(root) @ Vt[:rank]


@alternative(low_rank_factors)
def projection_on_top_eigenvectors(W, rank):
    """A = W V, B = Vᵀ with the top eigenvectors of WᵀW."""
    V = np.linalg.eigh(W.T @ W)[1][:, ::-1][:, :rank]
    return W @ V, V.T


@alternative(distillation_loss_torch)
def with_the_librarys_divergence(student_logits, teacher_logits, labels, temperature, soft_weight):
    """kl_div with "batchmean", the teacher's probabilities outside the graph."""
    with torch.no_grad():
        p = torch.softmax(teacher_logits / temperature, dim=1)
    log_q = functional.log_softmax(student_logits / temperature, dim=1)
    soft = functional.kl_div(log_q, p, reduction="batchmean")
    return soft_weight * temperature**2 * soft + (1 - soft_weight) * functional.cross_entropy(student_logits, labels)
