"""Right answers written differently: properties must accept them."""

import math

import numpy as np
import torch
from autograder.properties import alternative

from reference.attention import (
    additive_scores, attention, attention_backward, dot_scores, masked_softmax, multi_head_attention, padding_mask,
)
from reference.attention_torch import attention_torch, multi_head_attention_torch


@alternative(dot_scores)
def one_contraction(q, k, scaled=True):
    """einsum, and a power in place of the root."""
    s = np.einsum("...id,...jd->...ij", q, k)
    return s * q.shape[-1] ** -0.5 if scaled else s


@alternative(dot_scores)
def pair_by_pair(q, k, scaled=True):
    """Recursion over the leading axes, plain Python below; nested lists come back."""
    if q.ndim > 2:
        return [pair_by_pair(a, b, scaled) for a, b in zip(q, k)]
    root = math.sqrt(q.shape[1]) if scaled else 1
    return [[sum(a * b for a, b in zip(q_i, k_j)) / root for k_j in k.tolist()] for q_i in q.tolist()]


@alternative(dot_scores)
def queries_scaled_first(q, k, scaled=True):
    """The root taken from the queries before the product."""
    return np.matmul(q / np.sqrt(q.shape[-1]) if scaled else q, np.moveaxis(k, -1, -2))


@alternative(additive_scores)
def one_matrix_on_both(q, k, Wq, Wk, v):
    """Query and key joined, one matrix for both, one pair at a time."""
    W = np.concatenate([Wq, Wk])
    join = lambda *pair: np.concatenate(pair)
    return [[[float(v @ np.tanh(join(q_i, k_j) @ W)) for k_j in ks] for q_i in qs] for qs, ks in zip(q, k)]


@alternative(additive_scores)
def unit_by_unit(q, k, Wq, Wk, v):
    """A sum over hidden units, each a table of pairs."""
    scores = 0.0
    for h in range(len(v)):
        scores = scores + v[h] * np.tanh((q @ Wq[:, h])[:, :, None] + (k @ Wk[:, h])[:, None, :])
    return scores


@alternative(masked_softmax)
def allowed_scores_alone(scores, mask=None):
    """Row by row, over the scores that are left."""
    out = np.zeros(scores.shape)
    mask = np.broadcast_to(True if mask is None else mask, scores.shape)
    for row in np.ndindex(*scores.shape[:-1]):
        if mask[row].any():
            e = np.exp(scores[row][mask[row]] - scores[row][mask[row]].max())
            out[row][mask[row]] = e / e.sum()
    return out


@alternative(masked_softmax)
def finite_stand_in(scores, mask=None):
    """-1e9 in place of -∞; a product with the mask empties the empty row."""
    keep = 1.0 if mask is None else np.asarray(mask, dtype=scores.dtype)
    s = scores if mask is None else np.where(mask, scores, -1e9)
    e = np.exp(s - s.max(axis=-1, keepdims=True)) * keep
    total = e.sum(axis=-1, keepdims=True)
    return np.divide(e, total, out=np.zeros(e.shape, e.dtype), where=total > 0)


@alternative(padding_mask)
def word_by_word(lengths, T):
    """Nested lists of bool."""
    return [[[t < n for t in range(T)]] for n in np.asarray(lengths).tolist()]


@alternative(padding_mask)
def rows_of_a_triangle(lengths, T):
    """Row n of a lower triangle has n ones."""
    return np.tri(T + 1, T, -1, dtype=bool)[lengths][:, None]


@alternative(attention)
def query_by_query(q, k, v, mask=None):
    """One query at a time; lists of rows."""
    keep = np.broadcast_to(True if mask is None else mask, (*q.shape[:-1], k.shape[-2]))
    context, weights = np.zeros((*q.shape[:-1], v.shape[-1])), np.zeros(keep.shape)
    for *lead, i in np.ndindex(*q.shape[:-1]):
        at, row = tuple(lead), (*lead, i)
        seen = [j for j in range(k.shape[-2]) if keep[row][j]]
        e = [float(q[row] @ k[at][j]) / math.sqrt(q.shape[-1]) for j in seen]
        e = [math.exp(s - max(e)) for s in e]
        for j, share in zip(seen, e):
            weights[row][j] = share / sum(e)
            context[row] += share / sum(e) * v[at][j]
    return [context, weights]


@alternative(attention)
def normalised_last(q, k, v, mask=None):
    """The values are summed before the division by the total."""
    s = np.einsum("...id,...jd->...ij", q, k) / q.shape[-1] ** 0.5
    e = np.exp(s - s.max(axis=-1, keepdims=True)) * (1 if mask is None else mask)
    total = e.sum(axis=-1, keepdims=True)
    total = total + (total == 0)
    return np.einsum("...ij,...je->...ie", e, v) / total, e / total


@alternative(attention_backward)
def row_term_from_the_context(dcontext, q, k, v, mask=None):
    """Σ_j dA ⊙ A is dC·C: no need of dA."""
    context, a = attention(q, k, v, mask)
    ds = a * (dcontext @ v.swapaxes(-1, -2) - (dcontext * context).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return [
        np.einsum("...ij,...jd->...id", ds, k), np.einsum("...ij,...id->...jd", ds, q),
        np.einsum("...ij,...ie->...je", a, dcontext),
    ]


@alternative(attention_backward)
def jacobian_written_out(dcontext, q, k, v, mask=None):
    """diag(a) - a aᵀ for every row at once."""
    _, a = attention(q, k, v, mask)
    da = np.einsum("...ie,...je->...ij", dcontext, v)
    jacobian = a[..., :, None] * (np.eye(a.shape[-1]) - a[..., None, :])
    ds = np.einsum("...jl,...l->...j", jacobian, da) / q.shape[-1] ** 0.5
    return ds @ k, np.swapaxes(ds, -1, -2) @ q, np.swapaxes(a, -1, -2) @ dcontext


@alternative(multi_head_attention)
def head_by_head(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """Columns cut from the matrices; concat @ Wo as a sum over the heads."""
    d, out, weights = Wq.shape[1] // heads, 0.0, []
    for i in range(heads):
        c = slice(i * d, (i + 1) * d)
        context, a = attention(x_q @ Wq[:, c], x_kv @ Wk[:, c], x_kv @ Wv[:, c], mask)
        out = out + context @ Wo[c]
        weights.append(a)
    return out, np.stack(weights, axis=1)


@alternative(multi_head_attention)
def one_contraction_for_all_heads(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """No axis changes places: einsum names the heads."""
    q, k, v = (z.reshape(*z.shape[:2], heads, -1) for z in (x_q @ Wq, x_kv @ Wk, x_kv @ Wv))
    s = np.einsum("nihd,njhd->nhij", q, k) / np.sqrt(q.shape[-1])
    if mask is not None:
        mask = np.broadcast_to(mask, (len(s), *s.shape[2:]))[:, None]
    a = masked_softmax(s, mask)
    return np.einsum("nhij,njhd,hde->nie", a, v, Wo.reshape(heads, -1, Wo.shape[1])), a


@alternative(attention_torch)
def exponentials_on_tensors(q, k, v, mask=None):
    """exp and its total by hand; the largest score is a constant."""
    s = torch.einsum("...id,...jd->...ij", q, k) * q.shape[-1] ** -0.5
    e = (s - s.detach().amax(dim=-1, keepdim=True)).exp()
    e = e if mask is None else e * mask
    total = e.sum(dim=-1, keepdim=True)
    a = e / torch.where(total > 0, total, torch.ones_like(total))
    return a @ v, a


@alternative(attention_torch)
def empty_rows_opened_first(q, k, v, mask=None):
    """-∞ as in textbooks; a row without keys sees all of them, and is emptied after."""
    s = torch.matmul(q, k.transpose(-2, -1)) / q.new_tensor(q.shape[-1]).sqrt()
    if mask is None:
        return s.softmax(-1) @ v, s.softmax(-1)
    some = mask.any(dim=-1, keepdim=True)
    a = s.masked_fill(~(mask | ~some), -torch.inf).softmax(-1).masked_fill(~some, 0)
    return a @ v, a


@alternative(multi_head_attention_torch)
def head_by_head_on_tensors(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """Chunks of columns, one attention for each."""
    chunks = (z.chunk(heads, dim=-1) for z in (x_q @ Wq, x_kv @ Wk, x_kv @ Wv))
    context, a = zip(*(attention_torch(q, k, v, mask) for q, k, v in zip(*chunks)))
    return torch.cat(context, dim=-1) @ Wo, torch.stack(a, dim=1)


@alternative(multi_head_attention_torch)
def heads_named_by_einsum(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """Matrices cut into heads before the projection."""
    cut = lambda W: W.view(len(W), heads, -1)
    q, k, v = (torch.einsum("ntd,dhe->nhte", x, cut(W)) for x, W in ((x_q, Wq), (x_kv, Wk), (x_kv, Wv)))
    shared = None if mask is None else mask.expand(*x_q.shape[:2], x_kv.shape[1]).unsqueeze(1)
    context, a = attention_torch(q, k, v, shared)
    return torch.einsum("nhte,hed->ntd", context, Wo.view(heads, -1, len(Wo))), a
