"""Gated recurrent cells by hand: the LSTM, the LSTM with peepholes and the GRU, forward and backward.

LSTM. The cell c is added to, not multiplied through a matrix, so that ∂c'/∂c = f and an error survives while f is near 1:

    i, f, o = σ(x Wx + h Wh + b)      input, forget and output gate, each with its own block of the weights
    g       = tanh(x Wx + h Wh + b)   candidate, likewise
    c'      = f ⊙ c + i ⊙ g
    h'      = o ⊙ tanh(c')

Hochreiter & Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, §4 (no forget gate: f = 1, the constant
error carousel); Gers, Schmidhuber & Cummins, "Learning to forget", Neural Computation 12(10), 2000 (forget gate).
Peepholes: Gers, Schraudolph & Schmidhuber, JMLR 3, 2002; Graves, arXiv:1308.0850, 2013, eqs. 7–11.

GRU. One state; z decides how much of it is kept, r how much of it the candidate sees:

    r, z = σ(x Wx + bx + h Wh + bh)                 reset and update gate
    n    = tanh(x Wxn + bxn + r ⊙ (h Whn + bhn))    candidate
    h'   = (1 - z) ⊙ n + z ⊙ h

Cho et al., "Learning phrase representations using RNN encoder–decoder", arXiv:1406.1078, 2014, eqs. 5–8. There r acts on h
before the matrix; here after it, as in PyTorch and cuDNN, which is why the GRU has two biases.

The blocks of a weight matrix stand side by side on its last axis: i, f, g, o (LSTM) and r, z, n (GRU).
Letters: N samples, T steps, D inputs, H hidden units.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import sigmoid

Array = NDArray[np.float64]

BLOCKS = {"rnn": 1, "gru": 3, "lstm": 4}  # gates and candidates, each with weights of its own


def lstm_step(x: Array, h: Array, c: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, Array, Array]:
    """One step of an LSTM.

    Args:
        x: input, (N, D).
        h: hidden state, (N, H).
        c: cell, (N, H).
        Wx: input weights, blocks i, f, g, o, (D, 4H).
        Wh: recurrent weights, blocks i, f, g, o, (H, 4H).
        b: bias, blocks i, f, g, o, (4H,).

    Returns:
        h_new: o ⊙ tanh(c_new), (N, H).
        c_new: f ⊙ c + i ⊙ g, (N, H).
        gates: i, f, g, o after their activations, (N, 4H).
    """
    _check_blocks(locals(), 4, h, x="N D", h="N H", c="N H", Wx="D 4H", Wh="H 4H", b="4H")
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new, np.concatenate([i, f, g, o], axis=-1)


def lstm_sequence(x: Array, h0: Array, c0: Array, Wx: Array, Wh: Array, b: Array) -> tuple[Array, Array]:
    """States of an LSTM along a sequence.

    Args:
        x: inputs, (N, T, D).
        h0: hidden state before the first input, (N, H).
        c0: cell before the first input, (N, H).
        Wx: input weights, blocks i, f, g, o, (D, 4H).
        Wh: recurrent weights, blocks i, f, g, o, (H, 4H).
        b: bias, blocks i, f, g, o, (4H,).

    Returns:
        hs: hidden state after each input, (N, T, H).
        cs: cell after each input, (N, T, H).
    """
    _check_blocks(locals(), 4, h0, x="N T D", h0="N H", c0="N H", Wx="D 4H", Wh="H 4H", b="4H")
    h, c, hs, cs = h0, c0, [], []
    for x_t in x.swapaxes(0, 1):
        h, c, _ = lstm_step(x_t, h, c, Wx, Wh, b)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1)


def lstm_step_backward(
    dh_new: Array, dc_new: Array, x: Array, h: Array, c: Array, Wx: Array, Wh: Array, b: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Gradients of one LSTM step; the forward values are computed again.

        dc' = dc_new + dh_new ⊙ o ⊙ (1 - tanh²(c_new))      all the error that reaches the new cell
        da  = (dc' ⊙ g ⊙ i(1-i), dc' ⊙ c ⊙ f(1-f), dc' ⊙ i ⊙ (1-g²), dh_new ⊙ tanh(c_new) ⊙ o(1-o))

    Args:
        dh_new: ∂loss/∂h_new, (N, H).
        dc_new: ∂loss/∂c_new through later steps only, (N, H).
        x: input, (N, D).
        h: hidden state, (N, H).
        c: cell, (N, H).
        Wx: input weights, blocks i, f, g, o, (D, 4H).
        Wh: recurrent weights, blocks i, f, g, o, (H, 4H).
        b: bias, blocks i, f, g, o, (4H,).

    Returns:
        dx: da Wxᵀ, (N, D).
        dh: da Whᵀ, (N, H).
        dc: dc' ⊙ f, (N, H).
        dWx: xᵀ da, (D, 4H).
        dWh: hᵀ da, (H, 4H).
        db: Σ da over the batch, (4H,).
    """
    check_shapes(locals(), h="N H", dh_new="N H", dc_new="N H")
    _, c_new, gates = lstm_step(x, h, c, Wx, Wh, b)
    i, f, g, o = np.split(gates, 4, axis=-1)
    shown = np.tanh(c_new)
    dc = dc_new + dh_new * o * (1 - shown**2)
    da = np.concatenate(
        [
            dc * g * i * (1 - i),
            dc * c * f * (1 - f),
            dc * i * (1 - g**2),
            dh_new * shown * o * (1 - o),
        ],
        axis=-1,
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, h.T @ da, da.sum(axis=0)


def peephole_lstm_step(x: Array, h: Array, c: Array, Wx: Array, Wh: Array, b: Array, p: Array) -> tuple[Array, Array]:
    """One step of an LSTM whose gates see the cell, each unit its own (Graves, eqs. 7–11).

    Args:
        x: input, (N, D).
        h: hidden state, (N, H).
        c: cell, (N, H).
        Wx: input weights, blocks i, f, g, o, (D, 4H).
        Wh: recurrent weights, blocks i, f, g, o, (H, 4H).
        b: bias, blocks i, f, g, o, (4H,).
        p: peephole weights, rows for i, f, o, (3, H).

    Returns:
        h_new: o ⊙ tanh(c_new), where p_o ⊙ c_new is added inside o, (N, H).
        c_new: f ⊙ c + i ⊙ g, where p_i ⊙ c and p_f ⊙ c are added inside i and f, (N, H).
    """
    _check_blocks(locals(), 4, h, x="N D", h="N H", c="N H", Wx="D 4H", Wh="H 4H", b="4H", p="3 H")
    if len(p) != 3:
        raise ValueError(f"p must have three rows, for i, f and o, not {len(p)}")
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)
    i, f = sigmoid(i + p[0] * c), sigmoid(f + p[1] * c)
    c_new = f * c + i * np.tanh(g)
    return sigmoid(o + p[2] * c_new) * np.tanh(c_new), c_new


def gru_step(x: Array, h: Array, Wx: Array, Wh: Array, bx: Array, bh: Array) -> Array:
    """One step of a GRU.

    Args:
        x: input, (N, D).
        h: hidden state, (N, H).
        Wx: input weights, blocks r, z, n, (D, 3H).
        Wh: recurrent weights, blocks r, z, n, (H, 3H).
        bx: bias beside x Wx, blocks r, z, n, (3H,).
        bh: bias beside h Wh, blocks r, z, n, (3H,).

    Returns:
        (N, H): (1 - z) ⊙ n + z ⊙ h.
    """
    _check_blocks(locals(), 3, h, x="N D", h="N H", Wx="D 3H", Wh="H 3H", bx="3H", bh="3H")
    _, z, n, _ = _gru_parts(x, h, Wx, Wh, bx, bh)
    return (1 - z) * n + z * h


def gru_step_backward(
    dh_new: Array, x: Array, h: Array, Wx: Array, Wh: Array, bx: Array, bh: Array
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """Gradients of one GRU step; the forward values are computed again.

        dan = dh_new ⊙ (1 - z) ⊙ (1 - n²)
        dar = dan ⊙ (h Whn + bhn) ⊙ r(1-r)
        daz = dh_new ⊙ (h - n) ⊙ z(1-z)

    Args:
        dh_new: ∂loss/∂h_new, (N, H).
        x: input, (N, D).
        h: hidden state, (N, H).
        Wx: input weights, blocks r, z, n, (D, 3H).
        Wh: recurrent weights, blocks r, z, n, (H, 3H).
        bx: bias beside x Wx, blocks r, z, n, (3H,).
        bh: bias beside h Wh, blocks r, z, n, (3H,).

    Returns:
        dx: dax Wxᵀ with dax = (dar, daz, dan), (N, D).
        dh: dah Whᵀ + dh_new ⊙ z with dah = (dar, daz, dan ⊙ r), (N, H).
        dWx: xᵀ dax, (D, 3H).
        dWh: hᵀ dah, (H, 3H).
        dbx: Σ dax over the batch, (3H,).
        dbh: Σ dah over the batch, (3H,).
    """
    _check_blocks(locals(), 3, h, x="N D", h="N H", dh_new="N H", Wx="D 3H", Wh="H 3H", bx="3H", bh="3H")
    r, z, n, hn = _gru_parts(x, h, Wx, Wh, bx, bh)
    dan = dh_new * (1 - z) * (1 - n**2)
    dar = dan * hn * r * (1 - r)
    daz = dh_new * (h - n) * z * (1 - z)
    dax = np.concatenate([dar, daz, dan], axis=-1)
    dah = np.concatenate([dar, daz, dan * r], axis=-1)
    return dax @ Wx.T, dah @ Wh.T + dh_new * z, x.T @ dax, h.T @ dah, dax.sum(axis=0), dah.sum(axis=0)


def recurrent_param_count(kind: str, D: int, H: int, biases: int = 1, peephole: bool = False) -> int:
    """Number of parameters of a recurrent layer.

    Args:
        kind: "rnn", "gru" or "lstm".
        D: width of the input.
        H: hidden units.
        biases: sets of bias vectors, 1 or 2 (`torch.nn` has two).
        peephole: an LSTM with peepholes.

    Returns:
        blocks · (D H + H² + biases · H), and 3 H more with peepholes; there are 1, 3 or 4 blocks.
    """
    if kind not in BLOCKS:
        raise ValueError(f"kind must be one of {', '.join(BLOCKS)}, not {kind!r}")
    for name, size in (("D", D), ("H", H)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, not {size}")
    if biases not in (1, 2):
        raise ValueError(f"biases must be 1 or 2, not {biases}")
    if peephole and kind != "lstm":
        raise ValueError(f"peephole must be False for {kind}: only an LSTM has a cell to look at")
    return BLOCKS[kind] * (D * H + H * H + biases * H) + (3 * H if peephole else 0)


def _gru_parts(x: Array, h: Array, Wx: Array, Wh: Array, bx: Array, bh: Array) -> tuple[Array, Array, Array, Array]:
    """r, z, n, and what r multiplies: h Whn + bhn."""
    xr, xz, xn = np.split(x @ Wx + bx, 3, axis=-1)
    hr, hz, hn = np.split(h @ Wh + bh, 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    return r, z, np.tanh(xn + r * hn), hn


def _check_blocks(arguments: Mapping[str, Any], blocks: int, state: Any, **axes: str) -> None:
    """`check_shapes` where the letter 4H (or 3H) is as long as it says."""
    columns = np.empty(blocks * state.shape[-1])
    check_shapes({"columns": columns, **arguments}, columns=f"{blocks}H", **axes)
