"""Attention by hand: scores, masks, weights, context, gradients, several heads.

    e_ij = q_i·k_j / √D                    how well key j answers query i (scaled dot product)
    e_ij = vᵀ tanh(Wqᵀ q_i + Wkᵀ k_j)      the same, additive
    a_ij = exp e_ij / Σ_j' exp e_ij'       weights: a softmax over the keys that may be seen
    c_i  = Σ_j a_ij v_j                    context: the weighted mean of the values

Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and translate", 2015, arXiv:1409.0473,
eqs. 5–6 and appendix A.1.2 (additive).
Luong, Pham & Manning, "Effective approaches to attention-based neural machine translation", 2015, arXiv:1508.04025, §3.1:
the general score q W k is `dot_scores(q @ W, k, scaled=False)`.
Vaswani et al., "Attention is all you need", 2017, arXiv:1706.03762, §3.2.

Masks are boolean; True keeps: this query may see this key. A query that may see no key gets weights 0 and context 0,
so that the padding of a batch cannot fill it with NaN.

Letters: N samples, Tq queries, Tk keys and as many values, D width of a query, E width of a value, H hidden units of
the additive score. "…" stands for any number of leading axes, the same for all arguments.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Lengths = NDArray[np.int64]


def dot_scores(q: Array, k: Array, scaled: bool = True) -> Array:
    """Scores by inner product (Vaswani et al., eq. 1).

    q·k is a sum of D products. For independent components of variance 1 its variance is D (ibid., footnote 4); divided
    by √D it is 1 at every width, and the softmax that follows does not saturate.

    Args:
        q: queries, (…, Tq, D).
        k: keys, (…, Tk, D).
        scaled: divide by √D.

    Returns:
        (…, Tq, Tk): entry (i, j) is q_i·k_j / √D, or q_i·k_j where not scaled.
    """
    _check_keys(q, k)
    scores = q @ k.swapaxes(-1, -2)
    return scores / np.sqrt(q.shape[-1]) if scaled else scores


def additive_scores(q: Array, k: Array, Wq: Array, Wk: Array, v: Array) -> Array:
    """Scores by a small network with one hidden layer (Bahdanau et al., A.1.2).

    Queries and keys may differ in width. Projecting each and adding is one matrix applied to the two joined.

    Args:
        q: queries, (N, Tq, Dq).
        k: keys, (N, Tk, Dk).
        Wq: projection of the queries, (Dq, H).
        Wk: projection of the keys, (Dk, H).
        v: weights of the hidden units, (H,).

    Returns:
        (N, Tq, Tk): entry (i, j) is Σ_h v_h tanh(q_i Wq + k_j Wk)_h; no bias, no scale.
    """
    check_shapes(locals(), q="N Tq Dq", k="N Tk Dk", Wq="Dq H", Wk="Dk H", v="H")
    return np.tanh((q @ Wq)[:, :, None, :] + (k @ Wk)[:, None, :, :]) @ v


def masked_softmax(scores: Array, mask: Mask | None = None) -> Array:
    """Weights from scores: a softmax over the last axis in which hidden keys count as -∞.

    Args:
        scores: one row a query, (…, Tq, Tk).
        mask: True where the key may be seen, broadcastable to scores; None hides nothing.

    Returns:
        (…, Tq, Tk): rows that sum to 1, 0 at hidden keys; a row whose keys are all hidden is 0.
    """
    _check_mask(mask, scores.shape)
    keep = np.broadcast_to(True if mask is None else mask, scores.shape)
    seen = np.where(keep, scores, -np.inf)
    top = seen.max(axis=-1, keepdims=True)
    e: Array = np.exp(seen - np.where(np.isfinite(top), top, 0.0))  # the largest exponent is 0; exp(-∞) is 0
    total: Array = e.sum(axis=-1, keepdims=True)
    return e / np.where(total > 0, total, 1.0)


def padding_mask(lengths: Lengths, T: int) -> Mask:
    """The mask of a batch of sentences that were filled up to one length.

    Args:
        lengths: true lengths, 0 … T, (N,).
        T: the length to which they were filled up.

    Returns:
        (N, 1, T): entry (n, 0, t) is t < lengths[n]; the axis of length 1 stands for all queries.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 1 or lengths.size == 0 or lengths.min() < 0 or lengths.max() > T:
        raise ValueError(f"lengths must be whole numbers 0 … T={T}, one a sample, not {lengths.tolist()}")
    return np.arange(T)[None, None, :] < lengths[:, None, None]


def attention(q: Array, k: Array, v: Array, mask: Mask | None = None) -> tuple[Array, Array]:
    """Scaled dot-product attention (Vaswani et al., eq. 1): softmax(q kᵀ / √D) v.

    It costs Tq·Tk·(D + E) MACs a sample, and Tq·Tk numbers for the weights.

    Args:
        q: queries, (…, Tq, D).
        k: keys, (…, Tk, D).
        v: values, (…, Tk, E).
        mask: True where the key may be seen, broadcastable to (…, Tq, Tk); None hides nothing.

    Returns:
        context: Σ_j a_ij v_j, (…, Tq, E).
        weights: a, (…, Tq, Tk).
    """
    _check_values(q, k, v)
    weights = masked_softmax(dot_scores(q, k), mask)
    return weights @ v, weights


def attention_backward(
    dcontext: Array, q: Array, k: Array, v: Array, mask: Mask | None = None
) -> tuple[Array, Array, Array]:
    """Gradients of scaled dot-product attention.

        dA = dC Vᵀ                          C = A V
        dS = A ⊙ (dA - Σ_j dA ⊙ A)          each row of A is a softmax: its Jacobian is diag(a) - a aᵀ

    Args:
        dcontext: ∂loss/∂context, (…, Tq, E).
        q: queries, (…, Tq, D).
        k: keys, (…, Tk, D).
        v: values, (…, Tk, E).
        mask: True where the key may be seen, broadcastable to (…, Tq, Tk); None hides nothing.

    Returns:
        dq: dS k / √D, (…, Tq, D).
        dk: dSᵀ q / √D, (…, Tk, D).
        dv: Aᵀ dC, (…, Tk, E).
    """
    context, weights = attention(q, k, v, mask)
    if dcontext.shape != context.shape:
        raise ValueError(f"dcontext must have the shape {context.shape} of the context, not {dcontext.shape}")
    dweights = dcontext @ v.swapaxes(-1, -2)
    dscores = weights * (dweights - (dweights * weights).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return dscores @ k, dscores.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ dcontext


def multi_head_attention(
    x_q: Array, x_kv: Array, Wq: Array, Wk: Array, Wv: Array, Wo: Array, heads: int, mask: Mask | None = None
) -> tuple[Array, Array]:
    """Attention by several heads side by side (Vaswani et al., §3.2.2).

        head_i = attention(x_q Wq, x_kv Wk, x_kv Wv)      each with columns i·D/heads … (i+1)·D/heads - 1 alone

    x_q = x_kv is self-attention; in source-target attention x_q is the decoder's, x_kv the encoder's.
    There are 4 D² parameters, whatever the number of heads.

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
    check_shapes(locals(), x_q="N Tq D", x_kv="N Tk D", Wq="D D", Wk="D D", Wv="D D", Wo="D D")
    (N, Tq, D), Tk = x_q.shape, x_kv.shape[1]
    if heads < 1 or D % heads:
        raise ValueError(f"heads must be at least 1 and divide D={D}, not {heads}")
    _check_mask(mask, (N, Tq, Tk))
    shared = None if mask is None else np.broadcast_to(mask, (N, Tq, Tk))[:, None]
    q, k, v = (_split_heads(x, heads) for x in (x_q @ Wq, x_kv @ Wk, x_kv @ Wv))
    context, weights = attention(q, k, v, shared)
    return context.swapaxes(1, 2).reshape(N, Tq, D) @ Wo, weights


def _split_heads(x: Array, heads: int) -> Array:
    """(N, T, D) to (N, heads, T, D/heads): D is cut before the axes change places, so that no step meets another."""
    N, T, D = x.shape
    return x.reshape(N, T, heads, D // heads).swapaxes(1, 2)


def _check_keys(q: Array, k: Array) -> None:
    for name, x in (("q", q), ("k", k)):
        if x.ndim < 2 or x.size == 0:
            raise ValueError(f"{name} must have at least two axes and no empty one, not the shape {x.shape}")
    if k.shape[:-2] != q.shape[:-2] or k.shape[-1] != q.shape[-1]:
        wanted = ", ".join(map(str, (*q.shape[:-2], "Tk", q.shape[-1])))
        raise ValueError(f"k must have the shape ({wanted}), as q has {q.shape}, not {k.shape}")


def _check_values(q: Array, k: Array, v: Array) -> None:
    _check_keys(q, k)
    if v.shape[:-1] != k.shape[:-1] or v.size == 0:
        wanted = ", ".join(map(str, (*k.shape[:-1], "E")))
        raise ValueError(f"v must have the shape ({wanted}), one value a key, not {v.shape}")


def _check_mask(mask: Mask | None, shape: tuple[int, ...]) -> None:
    if mask is None:
        return
    if mask.dtype != np.bool_:
        raise ValueError(f"mask must be boolean (True keeps), not {mask.dtype}")
    trailing = zip(mask.shape[::-1], shape[::-1])
    if mask.ndim > len(shape) or any(m not in (1, n) for m, n in trailing):
        raise ValueError(f"mask must be broadcastable to {shape}, not of the shape {mask.shape}")
