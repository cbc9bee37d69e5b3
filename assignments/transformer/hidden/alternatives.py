"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.attention import multi_head_attention
from reference.attention_torch import multi_head_attention_torch
from reference.normalization import layernorm_forward
from reference.transformer import (
    causal_mask, decoder_block, encoder_block, feed_forward, positional_encoding, sequence_layer_complexity,
    transformer_param_count,
)
from reference.transformer_torch import attention_sublayer_torch, feed_forward_torch


@alternative(positional_encoding)
def interleaved_by_a_reshape(T, d):
    """Frequencies by exp and log; sines and cosines stacked, then reshaped."""
    angle = np.outer(np.arange(T), np.exp(-np.log(10000.0) * 2 * np.arange(d // 2) / d))
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(T, d)


@alternative(positional_encoding)
def one_sine_for_all(T, d):
    """cos a = sin(a + π/2); rows of lists."""
    return [[float(np.sin(t / 10000 ** ((j - j % 2) / d) + (j % 2) * np.pi / 2)) for j in range(d)] for t in range(T)]


@alternative(causal_mask)
def positions_compared(T):
    """One comparison of a column with a row."""
    return np.arange(T)[:, None] >= np.arange(T)[None, :]


@alternative(causal_mask)
def row_by_row(T):
    """Lists: i + 1 times True, then False."""
    return [[True] * (i + 1) + [False] * (T - 1 - i) for i in range(T)]


@alternative(feed_forward)
def position_by_position(x, W1, b1, W2, b2):
    """A loop over samples and positions; half of (u + |u|) for the ReLU."""
    return np.array([[(u + abs(u)) / 2 @ W2 + b2 for u in rows @ W1 + b1] for rows in x])


@alternative(feed_forward)
def contracted(x, W1, b1, W2, b2):
    """einsum, and a mask for the ReLU."""
    u = np.einsum("ntd,df->ntf", x, W1) + b1
    return np.einsum("ntf,fd->ntd", u * (u > 0), W2) + b2


def scaled(x, gamma, beta):
    """Layer norm by E[x²] - mean²."""
    mean = x.mean(-1, keepdims=True)
    variance = (x**2).mean(-1, keepdims=True) - mean**2
    return (x - mean) * (gamma / (variance + 1e-5) ** 0.5) + beta


def head_by_head(x, y, Wq, Wk, Wv, Wo, heads, mask):
    """-1e9 for hidden keys, and the empty row treated apart."""
    d, out = Wq.shape[1] // heads, 0.0
    keep = np.broadcast_to(True if mask is None else mask, (x.shape[0], x.shape[1], y.shape[1]))
    for c in (slice(i * d, i * d + d) for i in range(heads)):
        s = np.where(keep, (x @ Wq[:, c]) @ (y @ Wk[:, c]).transpose(0, 2, 1) / np.sqrt(d), -1e9)
        a = np.exp(s - s.max(-1, keepdims=True)) * keep
        total = a.sum(-1, keepdims=True)
        out = out + (a / np.where(total > 0, total, 1)) @ (y @ Wv[:, c]) @ Wo[c]
    return out


@alternative(encoder_block)
def both_norms_written_out(x, p, heads, mask=None, norm="post"):
    """Four lines for the two orders, with a layer norm of its own."""
    attend = lambda z: multi_head_attention(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)[0]
    ffn = lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"])
    if norm == "post":
        h = scaled(x + attend(x), p["gamma1"], p["beta1"])
        return scaled(h + ffn(h), p["gamma2"], p["beta2"])
    h = x + attend(scaled(x, p["gamma1"], p["beta1"]))
    return h + ffn(scaled(h, p["gamma2"], p["beta2"]))


@alternative(encoder_block)
def one_sample_at_a_time(x, p, heads, mask=None, norm="post"):
    """A loop over samples, attention head by head; a list of arrays comes back."""
    masks = [None] * len(x) if mask is None else np.broadcast_to(mask, (len(x), x.shape[1], x.shape[1]))
    return [encoder_block(x_n[None], p, heads, mask_n, norm)[0] for x_n, mask_n in zip(x, masks)]


@alternative(decoder_block)
def branches_in_a_loop(y, memory, p, heads, memory_mask=None, norm="post"):
    """The sub-layers in a list with the numbers of their norms, attention head by head."""
    past = [[j <= i for j in range(y.shape[1])] for i in range(y.shape[1])]
    branches = [
        (1, lambda z: head_by_head(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, past)),
        (3, lambda z: head_by_head(z, memory, p["Cq"], p["Ck"], p["Cv"], p["Co"], heads, memory_mask)),
        (2, lambda z: np.maximum(z @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"]),
    ]
    for number, branch in branches:
        gamma, beta = p[f"gamma{number}"], p[f"beta{number}"]
        y = y + branch(layernorm_forward(y, gamma, beta)) if norm == "pre" else layernorm_forward(y + branch(y), gamma, beta)
    return y


@alternative(decoder_block)
def grown_step_by_step(y, memory, p, heads, memory_mask=None, norm="post"):
    """As in generation: every step from its prefix alone, of which the last output is kept."""
    sizes = (len(y), y.shape[1], memory.shape[1])
    keep = np.broadcast_to(True if memory_mask is None else memory_mask, sizes)
    steps = [decoder_block(y[:, :t], memory, p, heads, keep[:, :t], norm)[:, -1] for t in range(1, y.shape[1] + 1)]
    return np.stack(steps, axis=1)


@alternative(transformer_param_count)
def what_decoders_have_more(d, d_ff, encoders, decoders, vocab=0):
    """The encoder's layer for all, and what a decoder has beyond it."""
    return (encoders + decoders) * (4 * d * d + d * d_ff * 2 + d_ff + 5 * d) + decoders * (4 * d * d + 2 * d) + vocab * d


@alternative(transformer_param_count)
def arrays_measured(d, d_ff, encoders, decoders, vocab=0):
    """Sizes of arrays that are really made."""
    size = lambda *shapes: sum(int(np.prod(shape)) for shape in shapes)
    attention, ffn, norm = size(*[(d, d)] * 4), size((d, d_ff), (d_ff,), (d_ff, d), (d,)), size((2, d))
    blocks = [attention + ffn + 2 * norm] * encoders + [2 * attention + ffn + 3 * norm] * decoders
    return np.int64(sum(blocks) + vocab * d)


@alternative(sequence_layer_complexity)
def window_of_everything(kind, n, d, r=None):
    """Self-attention as a window of n; a list."""
    if kind == "recurrent":
        return [n * d**2, n, n]
    r = n if kind == "self_attention" else r
    return [r * n * d, 1, (n + r - 1) // r]


@alternative(sequence_layer_complexity)
def rows_of_the_table(kind, n, d, r=None):
    """A dict of the three rows."""
    window = r or n
    rows = {"self_attention": (n * n * d, 1, 1), "recurrent": (n * d * d, n, n)}
    return rows.get(kind, (window * n * d, 1, n // window + bool(n % window)))


@alternative(feed_forward_torch)
def by_linear_layers(x, W1, b1, W2, b2):
    """torch's linear takes the matrix transposed."""
    linear = torch.nn.functional.linear
    return linear(linear(x, W1.T, b1).clamp(min=0), W2.T, b2)


@alternative(feed_forward_torch)
def hidden_by_einsum(x, W1, b1, W2, b2):
    """einsum, and where for the ReLU."""
    u = torch.einsum("ntd,df->ntf", x, W1) + b1
    return torch.einsum("ntf,fd->ntd", torch.where(u > 0, u, torch.zeros_like(u)), W2) + b2


@alternative(attention_sublayer_torch)
def by_torchs_layer_norm(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """layer_norm of torch, and two cases written out."""
    normalise = lambda z: torch.nn.functional.layer_norm(z, gamma.shape, gamma, beta)
    z = normalise(x) if norm == "pre" else x
    attended = multi_head_attention_torch(z, z if memory is None else memory, Wq, Wk, Wv, Wo, heads, mask)[0]
    return x + attended if norm == "pre" else normalise(x + attended)


@alternative(attention_sublayer_torch)
def heads_one_by_one(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """One head after the other; a norm of its own."""

    def normalise(z):
        z = z - z.mean(-1, keepdim=True)
        return z * (z.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * gamma + beta

    def attend(z):
        source, out = z if memory is None else memory, 0
        for columns in torch.arange(len(Wq)).chunk(heads):
            s = (z @ Wq[:, columns]) @ (source @ Wk[:, columns]).mT / len(columns) ** 0.5
            a = (s - s.amax(-1, keepdim=True).detach()).exp()
            a = a if mask is None else a * mask
            total = a.sum(-1, keepdim=True)
            out = out + a / torch.where(total > 0, total, torch.ones_like(total)) @ (source @ Wv[:, columns]) @ Wo[columns]
        return out

    return x + attend(normalise(x)) if norm == "pre" else normalise(x + attend(x))
