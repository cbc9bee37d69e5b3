"""Attention on tensors: the formulas of `reference.attention`, differentiated by autograd.

Every result stays on the device and in the dtype of the arguments, and in the graph.
Masks are boolean, True keeps, as in `torch.nn.functional.scaled_dot_product_attention`; the boolean `attn_mask` and
`key_padding_mask` of `torch.nn.MultiheadAttention` mean the opposite (True hides).

Letters: N samples, Tq queries, Tk keys and as many values, D width of a query, E width of a value; "…" any leading axes.
"""

import torch
from torch import Tensor


def attention_torch(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention: softmax(q kᵀ / √D) v.

    Args:
        q: queries, (…, Tq, D).
        k: keys, (…, Tk, D).
        v: values, (…, Tk, E).
        mask: True where the key may be seen, broadcastable to (…, Tq, Tk); None hides nothing.

    Returns:
        context: Σ_j a_ij v_j, (…, Tq, E).
        weights: a, (…, Tq, Tk); 0 in a row whose keys are all hidden, and so are its gradients.
    """
    scores = q @ k.mT / q.shape[-1] ** 0.5
    if mask is None:
        weights = torch.softmax(scores, dim=-1)
    else:
        _check_boolean(mask)
        # Not -∞: a row without keys would be 0/0, and a NaN that is replaced later still comes back through the gradient.
        lowest = torch.finfo(scores.dtype).min
        weights = torch.softmax(scores.masked_fill(~mask, lowest), dim=-1) * mask
    return weights @ v, weights


def multi_head_attention_torch(
    x_q: Tensor, x_kv: Tensor, Wq: Tensor, Wk: Tensor, Wv: Tensor, Wo: Tensor, heads: int, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention by several heads side by side.

    Args:
        x_q: what asks, (N, Tq, D).
        x_kv: what is asked, (N, Tk, D).
        Wq: projection to the queries, (D, D).
        Wk: projection to the keys, (D, D).
        Wv: projection to the values, (D, D).
        Wo: projection of the heads joined, (D, D).
        heads: their number; divides D.
        mask: True where the key may be seen, shared by the heads, broadcastable to (N, Tq, Tk); None hides nothing.

    Returns:
        out: (head_0, head_1, …) Wo, (N, Tq, D).
        weights: of every head, (N, heads, Tq, Tk).
    """
    (N, Tq, D), Tk = x_q.shape, x_kv.shape[1]
    if heads < 1 or D % heads:
        raise ValueError(f"heads must be at least 1 and divide D={D}, not {heads}")
    shared = None if mask is None else mask.broadcast_to(N, Tq, Tk)[:, None]
    # (N, T, D) to (N, heads, T, D/heads), with contiguous columns for each head
    q, k, v = (x.reshape(N, -1, heads, D // heads).transpose(1, 2) for x in (x_q @ Wq, x_kv @ Wk, x_kv @ Wv))
    context, weights = attention_torch(q, k, v, shared)
    return context.transpose(1, 2).flatten(-2) @ Wo, weights


def _check_boolean(mask: Tensor) -> None:
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean (True keeps), not {mask.dtype}")
