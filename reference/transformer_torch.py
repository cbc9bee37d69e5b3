"""The Transformer's blocks on tensors: the formulas of `reference.transformer`, differentiated by autograd.

A block is a chain of two kinds of sub-layers, attention and FFN, each with its residual and its norm.
`torch.nn.TransformerEncoderLayer` and `TransformerDecoderLayer` are the same blocks with biases and dropout; their
`norm_first=True` is pre-norm, and True in their boolean masks hides, where here True keeps.

Every result stays on the device and in the dtype of the arguments, and in the graph.

Letters: N samples, T positions (Ty of the decoder's input, Tm of the memory), D width of the model, F hidden units of the FFN.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from reference.attention_torch import multi_head_attention_torch
from reference.normalization_torch import layernorm_forward_torch

Parameters = Mapping[str, Tensor]


def feed_forward_torch(x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor) -> Tensor:
    """The position-wise feed-forward network.

    Args:
        x: inputs, (N, T, D).
        W1: weights of the hidden layer, (D, F).
        b1: its bias, (F,).
        W2: weights of the output, (F, D).
        b2: its bias, (D,).

    Returns:
        (N, T, D): max(0, x W1 + b1) W2 + b2 at every position.
    """
    return torch.relu(x @ W1 + b1) @ W2 + b2


def attention_sublayer_torch(
    x: Tensor,
    memory: Tensor | None,
    Wq: Tensor,
    Wk: Tensor,
    Wv: Tensor,
    Wo: Tensor,
    gamma: Tensor,
    beta: Tensor,
    heads: int,
    mask: Tensor | None = None,
    norm: str = "post",
) -> Tensor:
    """An attention of a block with its residual and its norm: self-attention, or attention to a memory.

    In self-attention queries, keys and values are made of the same tensor, which pre-norm has normalised.
    A memory is used as it comes.

    Args:
        x: inputs, (N, T, D).
        memory: the encoder's output, (N, Tm, D); None for self-attention.
        Wq: projection to the queries, (D, D).
        Wk: projection to the keys, (D, D).
        Wv: projection to the values, (D, D).
        Wo: projection of the heads joined, (D, D).
        gamma: scale of the norm, (D,).
        beta: shift of the norm, (D,).
        heads: number of heads; divides D.
        mask: True where the key may be seen, broadcastable to one row a query; None hides nothing.
        norm: 'post' normalises the sum, 'pre' the input x.

    Returns:
        (N, T, D): LayerNorm(x + attention(x)), or x + attention(LayerNorm(x)).
    """

    def attend(z: Tensor) -> Tensor:
        return multi_head_attention_torch(z, z if memory is None else memory, Wq, Wk, Wv, Wo, heads, mask)[0]

    return _sublayer(x, attend, gamma, beta, norm)


def encoder_block_torch(x: Tensor, p: Parameters, heads: int, mask: Tensor | None = None, norm: str = "post") -> Tensor:
    """One layer of the encoder: self-attention, then FFN.

    Args:
        x: inputs, (N, T, D).
        p: the block's parameters, as in `reference.transformer`.
        heads: number of heads; divides D.
        mask: True where the key may be seen, broadcastable to (N, T, T); None hides nothing.
        norm: 'post' normalises the sum, 'pre' the input of each sub-layer.

    Returns:
        (N, T, D): the outputs.
    """
    x = attention_sublayer_torch(x, None, *_attention(p, "W", 1), heads, mask, norm)
    return _feed_forward_sublayer(x, p, norm)


def decoder_block_torch(
    y: Tensor, memory: Tensor, p: Parameters, heads: int, memory_mask: Tensor | None = None, norm: str = "post"
) -> Tensor:
    """One layer of the decoder: causal self-attention, attention to the memory, FFN.

    Args:
        y: inputs, (N, Ty, D).
        memory: the encoder's output, (N, Tm, D).
        p: the block's parameters, as in `reference.transformer`.
        heads: number of heads; divides D.
        memory_mask: True where the memory may be seen, broadcastable to (N, Ty, Tm); None hides nothing.
        norm: 'post' normalises the sum, 'pre' the input of each sub-layer.

    Returns:
        (N, Ty, D): the outputs; those at step t depend on y up to step t.
    """
    own = torch.ones(y.shape[1], y.shape[1], dtype=torch.bool, device=y.device).tril()
    y = attention_sublayer_torch(y, None, *_attention(p, "W", 1), heads, own, norm)
    y = attention_sublayer_torch(y, memory, *_attention(p, "C", 3), heads, memory_mask, norm)
    return _feed_forward_sublayer(y, p, norm)


def _sublayer(x: Tensor, f: Callable[[Tensor], Tensor], gamma: Tensor, beta: Tensor, norm: str) -> Tensor:
    if norm not in ("post", "pre"):
        raise ValueError(f"norm must be post or pre, not {norm!r}")
    if norm == "pre":
        return x + f(layernorm_forward_torch(x, gamma, beta))
    return layernorm_forward_torch(x + f(x), gamma, beta)


def _feed_forward_sublayer(x: Tensor, p: Parameters, norm: str) -> Tensor:
    ffn = [p[name] for name in ("W1", "b1", "W2", "b2")]
    return _sublayer(x, lambda z: feed_forward_torch(z, *ffn), p["gamma2"], p["beta2"], norm)


def _attention(p: Parameters, letter: str, number: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    q, k, v, o = (p[letter + role] for role in "qkvo")
    return q, k, v, o, p[f"gamma{number}"], p[f"beta{number}"]
