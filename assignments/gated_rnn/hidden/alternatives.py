"""Right answers written differently: properties must accept them."""

import math

import numpy as np
import torch
from autograder.properties import alternative

from reference.gated_rnn import (
    gru_step, gru_step_backward, lstm_sequence, lstm_step, lstm_step_backward, peephole_lstm_step, recurrent_param_count,
)
from reference.gated_rnn_torch import gru_step_torch, lstm_sequence_torch
from reference.numerics import sigmoid


def stable(a):
    """σ by exponentials of what is negative."""
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))


def logistic(a):
    """σ of one number."""
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


@alternative(lstm_step)
def input_and_state_joined(x, h, c, Wx, Wh, b):
    """One matrix for x and h together."""
    H, a = h.shape[1], np.hstack([x, h]) @ np.vstack([Wx, Wh]) + b
    gates = np.hstack([stable(a[:, : 2 * H]), np.tanh(a[:, 2 * H : 3 * H]), stable(a[:, 3 * H :])])
    c_new = c * gates[:, H : 2 * H] + gates[:, :H] * gates[:, 2 * H : 3 * H]
    return np.tanh(c_new) * gates[:, 3 * H :], c_new, gates


@alternative(lstm_step)
def unit_by_unit(x, h, c, Wx, Wh, b):
    """Plain Python on one number at a time; nested lists come back."""
    hs, cs, all_gates = [], [], []
    for x_n, h_n, c_n in zip(x.tolist(), h.tolist(), c.tolist()):
        a = [
            b_k + sum(v * w for v, w in zip(x_n, Wx[:, k].tolist())) + sum(v * w for v, w in zip(h_n, Wh[:, k].tolist()))
            for k, b_k in enumerate(b.tolist())
        ]
        H = len(h_n)
        gates = [math.tanh(v) if 2 * H <= k < 3 * H else logistic(v) for k, v in enumerate(a)]
        cs.append([gates[H + j] * c_n[j] + gates[j] * gates[2 * H + j] for j in range(H)])
        hs.append([gates[3 * H + j] * math.tanh(cs[-1][j]) for j in range(H)])
        all_gates.append(gates)
    return [hs, cs, all_gates]


@alternative(lstm_sequence)
def sample_by_sample(x, h0, c0, Wx, Wh, b):
    """One sample at a time, written into arrays."""
    hs = np.zeros((*x.shape[:2], h0.shape[1]))
    cs = np.zeros_like(hs)
    for n in range(len(x)):
        h, c = h0[n : n + 1], c0[n : n + 1]
        for t in range(x.shape[1]):
            h, c, _ = lstm_step(x[n : n + 1, t], h, c, Wx, Wh, b)
            hs[n, t], cs[n, t] = h[0], c[0]
    return hs, cs


@alternative(lstm_sequence)
def inputs_of_all_steps_at_once(x, h0, c0, Wx, Wh, b):
    """x Wx before the loop; a list comes back."""
    a, h, c, states = x @ Wx + b, h0, c0, []
    for t in range(a.shape[1]):
        i, f, g, o = np.split(a[:, t] + h.dot(Wh), 4, axis=1)
        c = stable(f) * c + stable(i) * np.tanh(g)
        h = stable(o) * np.tanh(c)
        states.append((h, c))
    return [np.stack(s, axis=1) for s in zip(*states)]


@alternative(lstm_step_backward)
def joined_matrix_backward(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """Backward through one matrix for x and h; slopes by cosh and by one array of gates."""
    (_, c_new, gates), H, D = lstm_step(x, h, c, Wx, Wh, b), h.shape[1], x.shape[1]
    dc = dc_new + dh_new * gates[:, 3 * H :] / np.cosh(c_new) ** 2
    at_gates = np.hstack([dc * gates[:, 2 * H : 3 * H], dc * c, dc * gates[:, :H], dh_new * np.tanh(c_new)])
    slope = gates * (1 - gates)
    slope[:, 2 * H : 3 * H] = 1 - gates[:, 2 * H : 3 * H] ** 2
    da = at_gates * slope
    both, dW = da @ np.vstack([Wx, Wh]).T, np.hstack([x, h]).T @ da
    return [both[:, :D], both[:, D:], dc * gates[:, H : 2 * H], dW[:D], dW[D:], da.sum(0)]


@alternative(lstm_step_backward)
def gradients_added_up(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """One sample at a time; outer products are added up."""
    dx, dh, dc = np.zeros_like(x), np.zeros_like(h), np.zeros_like(c)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    for n in range(len(x)):
        i, f, g, o = np.split(x[n] @ Wx + h[n] @ Wh + b, 4)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        shown = np.tanh(f * c[n] + i * g)
        e = dc_new[n] + dh_new[n] * o * (1 - shown) * (1 + shown)
        da = np.r_[e * g * i * (1 - i), e * c[n] * f * (1 - f), e * i * (1 - g * g), dh_new[n] * shown * o * (1 - o)]
        dx[n], dh[n], dc[n] = Wx @ da, Wh @ da, e * f
        dWx += np.outer(x[n], da)
        dWh += np.outer(h[n], da)
        db += da
    return dx, dh, dc, dWx, dWh, db


@alternative(peephole_lstm_step)
def peepholes_added_to_the_sums(x, h, c, Wx, Wh, b, p):
    """p joined to the sums of i and f at once."""
    H, a = h.shape[1], x @ Wx + h @ Wh + b
    early = stable(a[:, : 2 * H] + np.hstack([c, c]) * p[:2].reshape(-1))
    c_new = early[:, H:] * c + early[:, :H] * np.tanh(a[:, 2 * H : 3 * H])
    return stable(a[:, 3 * H :] + c_new * p[2]) * np.tanh(c_new), c_new


@alternative(peephole_lstm_step)
def peepholes_unit_by_unit(x, h, c, Wx, Wh, b, p):
    """Plain Python on one unit at a time; lists come back."""
    H, hs, cs = h.shape[1], [], []
    for x_n, h_n, c_n in zip(x, h, c):
        row_h, row_c = [], []
        for j in range(H):
            i, f, g, o = (float(x_n @ Wx[:, k] + h_n @ Wh[:, k] + b[k]) for k in range(j, 4 * H, H))
            new = logistic(f + p[1, j] * c_n[j]) * c_n[j] + logistic(i + p[0, j] * c_n[j]) * math.tanh(g)
            row_c.append(new)
            row_h.append(logistic(o + p[2, j] * new) * math.tanh(new))
        hs.append(row_h)
        cs.append(row_c)
    return hs, cs


@alternative(gru_step)
def moved_from_the_old_state(x, h, Wx, Wh, bx, bh):
    """h + (1 - z)(n - h)."""
    H, of_h, of_x = h.shape[1], h.dot(Wh) + bh, x.dot(Wx) + bx
    r, z = (stable(of_x[:, k : k + H] + of_h[:, k : k + H]) for k in (0, H))
    return h + (1 - z) * (np.tanh(of_x[:, 2 * H :] + of_h[:, 2 * H :] * r) - h)


@alternative(gru_step)
def block_by_block(x, h, Wx, Wh, bx, bh):
    """A product for each block; n - z n + z h as a list of rows."""
    H, sums = h.shape[1], lambda v, W, b, k: v @ W[:, k * H : (k + 1) * H] + b[k * H : (k + 1) * H]
    r, z = (stable(sums(x, Wx, bx, k) + sums(h, Wh, bh, k)) for k in (0, 1))
    n = np.tanh(sums(x, Wx, bx, 2) + r * sums(h, Wh, bh, 2))
    return list(n - z * n + z * h)


@alternative(gru_step_backward)
def gru_gradients_added_up(dh_new, x, h, Wx, Wh, bx, bh):
    """One sample at a time; outer products are added up."""
    out, H = [np.zeros_like(v) for v in (x, h, Wx, Wh, bx, bh)], h.shape[1]
    for m in range(len(x)):
        of_x, of_h = x[m] @ Wx + bx, h[m] @ Wh + bh
        r, z = np.split(sigmoid(of_x + of_h)[: 2 * H], 2)
        n = np.tanh(of_x[2 * H :] + r * of_h[2 * H :])
        dn = dh_new[m] * (1 - z) * (1 - n * n)
        dr, dz = dn * of_h[2 * H :] * r * (1 - r), dh_new[m] * (h[m] - n) * z * (1 - z)
        at_x, at_h = np.r_[dr, dz, dn], np.r_[dr, dz, dn * r]
        out[0][m], out[1][m] = Wx @ at_x, Wh @ at_h + dh_new[m] * z
        for k, more in enumerate((np.outer(x[m], at_x), np.outer(h[m], at_h), at_x, at_h), 2):
            out[k] += more
    return tuple(out)


@alternative(gru_step_backward)
def three_blocks_backward(dh_new, x, h, Wx, Wh, bx, bh):
    """A dictionary of blocks, contracted by einsum; a list comes back."""
    cut = lambda w: dict(zip("rzn", np.split(w, 3, axis=-1)))
    of_x, of_h = cut(np.einsum("nd,dk->nk", x, Wx) + bx), cut(np.einsum("nd,dk->nk", h, Wh) + bh)
    r, z = (stable(of_x[k] + of_h[k]) for k in "rz")
    n = np.tanh(of_x["n"] + r * of_h["n"])
    e = {"n": (dh_new - dh_new * z) / np.cosh(of_x["n"] + r * of_h["n"]) ** 2, "z": dh_new * z * (1 - z) * (h - n)}
    e["r"] = e["n"] * of_h["n"] * r * (1 - r)
    at_x = np.stack([e[k] for k in "rzn"], axis=1).reshape(len(x), -1)
    at_h = np.stack([e["r"], e["z"], e["n"] * r], axis=1).reshape(len(x), -1)
    dh = np.einsum("nk,dk->nd", at_h, Wh) + dh_new * z
    dW = [np.einsum("nd,nk->dk", v, at) for v, at in ((x, at_x), (h, at_h))]
    return [np.einsum("nk,dk->nd", at_x, Wx), dh, *dW, at_x.sum(0), at_h.sum(0)]


@alternative(recurrent_param_count)
def columns_times_rows(kind, D, H, biases=1, peephole=False):
    """Each column has D + H + biases rows."""
    return {"rnn": 1, "gru": 3, "lstm": 4}[kind] * H * (D + H + biases) + 3 * H * bool(peephole)


@alternative(recurrent_param_count)
def sizes_of_arrays(kind, D, H, biases=1, peephole=False):
    """Counted on shapes; a numpy integer comes back."""
    columns = len({"rnn": "h", "gru": "rzn", "lstm": "ifgo"}[kind]) * H
    shapes = [(D, columns), (H, columns), *[(columns,)] * biases, *[(3, H)] * peephole]
    return np.sum([np.prod(shape) for shape in shapes])


@alternative(lstm_sequence_torch)
def cells_of_the_library(x, h0, c0, Wx, Wh, b):
    """torch's own cell, its second bias 0."""
    h, c, hs, cs = h0, c0, [], []
    for t in range(x.shape[1]):
        h, c = torch.lstm_cell(x[:, t], (h, c), Wx.T, Wh.T, b, torch.zeros_like(b))
        hs.append(h)
        cs.append(c)
    return torch.stack(hs, 1), torch.stack(cs, 1)


@alternative(lstm_sequence_torch)
def joined_matrix_on_tensors(x, h0, c0, Wx, Wh, b):
    """Input and state joined; one activation for the three gates."""
    h, c, W, H, states = h0, c0, torch.cat([Wx, Wh]), h0.shape[1], []
    for x_t in x.transpose(0, 1):
        a = torch.addmm(b, torch.cat([x_t, h], dim=1), W)
        s = torch.sigmoid(a)
        c = torch.addcmul(s[:, H : 2 * H] * c, s[:, :H], torch.tanh(a[:, 2 * H : 3 * H]))
        h = s[:, 3 * H :] * torch.tanh(c)
        states.append(torch.stack([h, c]))
    return torch.stack(states, dim=2).unbind(0)


@alternative(gru_step_torch)
def gru_cell_of_the_library(x, h, Wx, Wh, bx, bh):
    """torch's own cell on transposed weights."""
    return torch.gru_cell(x, h, Wx.T, Wh.T, bx, bh)


@alternative(gru_step_torch)
def tensors_moved_from_the_old_state(x, h, Wx, Wh, bx, bh):
    """h + (1 - z)(n - h), written with lerp."""
    of_x, of_h = (torch.addmm(b, v, W).unflatten(1, (3, -1)) for b, v, W in ((bx, x, Wx), (bh, h, Wh)))
    r, z = torch.sigmoid(of_x[:, :2] + of_h[:, :2]).unbind(1)
    return torch.lerp(torch.tanh(of_x[:, 2] + r * of_h[:, 2]), h, z)
