"""The Transformer by hand: positions, masks, the two blocks, and what they cost.

    PE[pos, 2i]   = sin(pos / 10000^(2i/d))        order enters by addition to the embeddings
    PE[pos, 2i+1] = cos(pos / 10000^(2i/d))

    FFN(x) = max(0, x W1 + b1) W2 + b2             the same two layers at every position

    post-norm     LayerNorm(x + f(x))              Add & Norm, the 2017 paper's order
    pre-norm      x + f(LayerNorm(x))              nothing stands on the residual path

    encoder block     self-attention, FFN
    decoder block     causal self-attention, attention to the encoder's output (memory), FFN

Vaswani et al., "Attention is all you need", 2017, arXiv:1706.03762, §§3.1–3.5, eq. 2 and Table 1.
Xiong et al., "On layer normalization in the Transformer architecture", 2020, arXiv:2002.04745, Table 1 (pre-norm); the norm
that follows the last pre-norm block of a stack is no part of the block.

The parameters of a block are a dict of arrays:

    Wq Wk Wv Wo       (D, D)    self-attention, without biases      gamma1 beta1   (D,)   scale and shift of its norm
    W1 b1 W2 b2       (D, F) (F,) (F, D) (D,)    the FFN            gamma2 beta2   (D,)
    Cq Ck Cv Co       (D, D)    attention to the memory             gamma3 beta3   (D,)   decoder only

Masks are boolean, one row a query; True keeps: this query may see this key.

Letters: N samples, T positions (Ty of the decoder's input, Tm of the memory), D width of the model, F hidden units of the FFN.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.attention import multi_head_attention
from reference.normalization import layernorm_forward

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Parameters = Mapping[str, Array]

_ENCODER = {
    **dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), "D D"),
    "W1": "D F", "b1": "F", "W2": "F D", "b2": "D",
    **dict.fromkeys(("gamma1", "beta1", "gamma2", "beta2"), "D"),
}  # fmt: skip
_DECODER = {**_ENCODER, **dict.fromkeys(("Cq", "Ck", "Cv", "Co"), "D D"), "gamma3": "D", "beta3": "D"}


def positional_encoding(T: int, d: int) -> Array:
    """Sinusoids that tell positions apart (Vaswani et al., §3.5).

    Columns 2i and 2i+1 are sine and cosine of one angle: a point on a circle, which each step turns by 10000^(-2i/d).

    Args:
        T: number of positions, counted from 0.
        d: width, even.

    Returns:
        (T, d): row pos is added to the embedding at position pos.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, not {T}")
    if d < 2 or d % 2:
        raise ValueError(f"d must be even and at least 2, not {d}")
    angle = np.arange(T)[:, None] / 10000.0 ** (np.arange(0, d, 2) / d)
    pe = np.empty((T, d))
    pe[:, 0::2], pe[:, 1::2] = np.sin(angle), np.cos(angle)
    return pe


def causal_mask(T: int) -> Mask:
    """The mask that hides the future (Vaswani et al., §3.2.3).

    Args:
        T: number of positions.

    Returns:
        (T, T): entry (i, j) is j <= i, so that position i sees itself and what came before.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, not {T}")
    return np.tril(np.ones((T, T), bool))


def feed_forward(x: Array, W1: Array, b1: Array, W2: Array, b2: Array) -> Array:
    """The position-wise feed-forward network (Vaswani et al., eq. 2).

    Args:
        x: inputs, (N, T, D).
        W1: weights of the hidden layer, (D, F).
        b1: its bias, (F,).
        W2: weights of the output, (F, D).
        b2: its bias, (D,).

    Returns:
        (N, T, D): max(0, x W1 + b1) W2 + b2 at every position.
    """
    check_shapes(locals(), x="N T D", W1="D F", b1="F", W2="F D", b2="D")
    return np.maximum(x @ W1 + b1, 0.0) @ W2 + b2


def encoder_block(x: Array, p: Parameters, heads: int, mask: Mask | None = None, norm: str = "post") -> Array:
    """One layer of the encoder (Vaswani et al., §3.1 and Figure 1): self-attention, then FFN, each with residual and norm.

    Args:
        x: inputs, (N, T, D).
        p: the block's parameters; Wq, Wk, Wv, Wo and norm 1 at the attention, W1, b1, W2, b2 and norm 2 at the FFN.
        heads: number of heads; divides D.
        mask: True where the key may be seen, broadcastable to (N, T, T); None hides nothing.
        norm: 'post' normalises the sum, 'pre' the input of each sub-layer.

    Returns:
        (N, T, D): the outputs.
    """
    _check_block(p, _ENCODER, heads, norm, x=(x, "N T D"))
    x = _sublayer(x, lambda z: _attend(z, z, p, "W", heads, mask), p, 1, norm)
    return _sublayer(x, lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"]), p, 2, norm)


def decoder_block(
    y: Array, memory: Array, p: Parameters, heads: int, memory_mask: Mask | None = None, norm: str = "post"
) -> Array:
    """One layer of the decoder: causal self-attention, attention to the memory, FFN, each with residual and norm.

    The queries of the second attention come from the decoder, its keys and values from the memory (Vaswani et al., §3.2.3),
    which is not normalised here. The causal mask of the first is made here.

    Args:
        y: inputs, (N, Ty, D).
        memory: the encoder's output, (N, Tm, D).
        p: the block's parameters; those of the encoder's block, and Cq, Ck, Cv, Co and norm 3 at the second attention.
        heads: number of heads; divides D.
        memory_mask: True where the memory may be seen, broadcastable to (N, Ty, Tm); None hides nothing.
        norm: 'post' normalises the sum, 'pre' the input of each sub-layer.

    Returns:
        (N, Ty, D): the outputs; those at step t depend on y up to step t.
    """
    _check_block(p, _DECODER, heads, norm, y=(y, "N Ty D"), memory=(memory, "N Tm D"))
    _check_memory_mask(memory_mask, (*y.shape[:2], memory.shape[1]))
    own = causal_mask(y.shape[1])
    y = _sublayer(y, lambda z: _attend(z, z, p, "W", heads, own), p, 1, norm)
    y = _sublayer(y, lambda z: _attend(z, memory, p, "C", heads, memory_mask), p, 3, norm)
    return _sublayer(y, lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"]), p, 2, norm)


def transformer_param_count(d: int, d_ff: int, encoders: int, decoders: int, vocab: int = 0) -> int:
    """Parameters of a Transformer made of the blocks of this module.

    The two embeddings and the last linear layer share one table (Vaswani et al., §3.4); the sinusoids have no parameters.

    Args:
        d: width of the model.
        d_ff: hidden units of the FFN.
        encoders: number of encoder blocks.
        decoders: number of decoder blocks.
        vocab: rows of the shared table.

    Returns:
        The number of all weights, biases, scales and shifts.
    """
    counts = {"d": d, "d_ff": d_ff, "encoders": encoders, "decoders": decoders, "vocab": vocab}
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} must be at least 0, not {count}")
    attention, ffn, norm = 4 * d * d, 2 * d * d_ff + d_ff + d, 2 * d
    encoder = attention + ffn + 2 * norm
    decoder = 2 * attention + ffn + 3 * norm
    return encoders * encoder + decoders * decoder + vocab * d


def sequence_layer_complexity(kind: str, n: int, d: int, r: int | None = None) -> tuple[int, int, int]:
    """What a layer over a sequence costs (Vaswani et al., Table 1), constant factors left out.

    Args:
        kind: 'self_attention', 'recurrent', or 'restricted' for self-attention within a window.
        n: length of the sequence.
        d: width.
        r: positions that each one sees, 1 … n; needed by 'restricted' alone.

    Returns:
        operations: n² d, n d² or r n d.
        steps: operations that must follow one another, 1, n or 1.
        path: layers or steps between the two ends of the sequence, 1, n or n/r rounded up.
    """
    for name, size in (("n", n), ("d", d)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, not {size}")
    if kind == "self_attention":
        return n * n * d, 1, 1
    if kind == "recurrent":
        return n * d * d, n, n
    if kind != "restricted":
        raise ValueError(f"kind must be self_attention, recurrent or restricted, not {kind!r}")
    if r is None or not 1 <= r <= n:
        raise ValueError(f"r must be 1 … n={n} for restricted, not {r}")
    return r * n * d, 1, -(-n // r)


def _sublayer(x: Array, f: Callable[[Array], Array], p: Parameters, number: int, norm: str) -> Array:
    gamma, beta = p[f"gamma{number}"], p[f"beta{number}"]
    if norm == "pre":
        return x + f(layernorm_forward(x, gamma, beta))
    return layernorm_forward(x + f(x), gamma, beta)


def _attend(x: Array, source: Array, p: Parameters, letter: str, heads: int, mask: Mask | None) -> Array:
    q, k, v, o = (p[letter + role] for role in "qkvo")
    return multi_head_attention(x, source, q, k, v, o, heads, mask)[0]


def _check_block(p: Parameters, spec: Mapping[str, str], heads: int, norm: str, **inputs: tuple[Array, str]) -> None:
    if lost := [name for name in spec if name not in p]:
        raise ValueError(f"p must have the key {lost[0]}")
    arrays = {name: x for name, (x, _) in inputs.items()}
    check_shapes({**p, **arrays}, **{name: axes for name, (_, axes) in inputs.items()}, **spec)
    D = len(p["Wq"])
    if heads < 1 or D % heads:
        raise ValueError(f"heads must be at least 1 and divide D={D}, not {heads}")
    if norm not in ("post", "pre"):
        raise ValueError(f"norm must be post or pre, not {norm!r}")


def _check_memory_mask(mask: Mask | None, shape: tuple[int, ...]) -> None:
    if mask is None:
        return
    if mask.dtype != np.bool_:
        raise ValueError(f"memory_mask must be boolean (True keeps), not {mask.dtype}")
    trailing = zip(mask.shape[::-1], shape[::-1])
    if mask.ndim > len(shape) or any(m not in (1, n) for m, n in trailing):
        raise ValueError(f"memory_mask must be broadcastable to {shape}, not of the shape {mask.shape}")
