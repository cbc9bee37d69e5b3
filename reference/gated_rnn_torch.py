"""Gated recurrent cells on tensors: the formulas of `reference.gated_rnn`, differentiated by autograd.

Every result stays on the device and in the dtype of the arguments, and in the graph: an error at the last step reaches the
first through both states, h and c.

`torch.nn.LSTMCell` and `torch.nn.GRUCell` compute the same with both weights transposed, in the same order of the blocks.
The LSTM's two biases of torch add up to `b`; the GRU's two are `bx` and `bh`. torch has no cell with peepholes.

Letters: N samples, T steps, D inputs, H hidden units.
"""

import torch
from torch import Tensor

from reference.gated_rnn import _check_blocks


def lstm_sequence_torch(x: Tensor, h0: Tensor, c0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
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
    for x_t in x.unbind(dim=1):
        i, f, g, o = (x_t @ Wx + h @ Wh + b).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        hs.append(h)
        cs.append(c)
    return torch.stack(hs, dim=1), torch.stack(cs, dim=1)


def peephole_lstm_step_torch(
    x: Tensor, h: Tensor, c: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor, p: Tensor
) -> tuple[Tensor, Tensor]:
    """One step of an LSTM whose gates see the cell, each unit its own.

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
    i, f, g, o = (x @ Wx + h @ Wh + b).chunk(4, dim=-1)
    c_new = (f + p[1] * c).sigmoid() * c + (i + p[0] * c).sigmoid() * g.tanh()
    return (o + p[2] * c_new).sigmoid() * c_new.tanh(), c_new


def gru_step_torch(x: Tensor, h: Tensor, Wx: Tensor, Wh: Tensor, bx: Tensor, bh: Tensor) -> Tensor:
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
    xr, xz, xn = (x @ Wx + bx).chunk(3, dim=-1)
    hr, hz, hn = (h @ Wh + bh).chunk(3, dim=-1)
    z = (xz + hz).sigmoid()
    n = (xn + (xr + hr).sigmoid() * hn).tanh()
    return (1 - z) * n + z * h
