"""The reference of gated cells against torch's own layers, differences, limits and numbers worked out elsewhere."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.gated_rnn import (
    gru_step,
    gru_step_backward,
    lstm_sequence,
    lstm_step,
    lstm_step_backward,
    peephole_lstm_step,
    recurrent_param_count,
)
from reference.gated_rnn_torch import gru_step_torch, lstm_sequence_torch, peephole_lstm_step_torch

X, HIDDEN, CELL = np.array([[1.0, -0.5]]), np.array([[0.2]]), np.array([[-0.3]])
WX, WH = np.array([[0.5, -0.2, 0.8, 0.1], [0.3, 0.4, -0.6, 0.7]]), np.array([[0.9, -0.4, 0.3, 0.6]])
B = np.array([0.0, 1.0, 0.1, -0.1])
LSTM = X, HIDDEN, CELL, WX, WH, B
P = np.array([[0.5], [-1.0], [2.0]])
GRU = (
    X,
    HIDDEN,
    np.array([[0.5, -0.2, 0.8], [0.3, 0.4, -0.6]]),
    np.array([[0.9, -0.4, 0.3]]),
    np.array([0.0, 0.1, -0.1]),
    np.array([0.2, 0.0, 0.5]),
)

rounds = settings(max_examples=50, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected):
    if isinstance(expected, tuple | list) and isinstance(actual, tuple | list):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected):
            close(a, e)
    else:
        np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-13)


def drawn_lstm(seed, steps=None):
    """x, h, c, Wx, Wh, b; x is a sequence where steps are asked for."""
    rng = np.random.default_rng(seed)
    N, D, H = rng.integers(1, 5, 3)
    inputs = (N, D) if steps is None else (N, steps, D)
    shapes = inputs, (N, H), (N, H), (D, 4 * H), (H, 4 * H), (4 * H,)
    return [rng.normal(size=shape) for shape in shapes]


def drawn_gru(seed):
    """x, h, Wx, Wh, bx, bh."""
    rng = np.random.default_rng(seed)
    N, D, H = rng.integers(1, 5, 3)
    shapes = (N, D), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
    return [rng.normal(size=shape) for shape in shapes]


def tensors(arrays, gradients=False):
    return [torch.tensor(a).requires_grad_(gradients) for a in arrays]


def theirs(kind, Wx, Wh, *biases):
    """torch's cell with these weights."""
    cell = kind(len(Wx), len(Wh), dtype=torch.float64)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.tensor(Wx.T))
        cell.weight_hh.copy_(torch.tensor(Wh.T))
        cell.bias_ih.copy_(torch.tensor(biases[0]))
        cell.bias_hh.copy_(torch.tensor(biases[1]))
    return cell


def gradients_of(cell, outputs, errors, leaves):
    """∂ Σ error · output by the leaves, then by the cell's weights, transposed back, and its biases."""
    total = sum((torch.tensor(e) * out).sum() for e, out in zip(errors, outputs))
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    found = torch.autograd.grad(total, [*leaves, *weights])
    return [g.mT if g.ndim == 2 and k in (len(leaves), len(leaves) + 1) else g for k, g in enumerate(found)]


def test_golden_lstm_step():
    gates = [[0.6294831119673949, 0.6271477663131956, 0.8510641096679439, 0.4427521454014444]]
    close(lstm_step(*LSTM), ([[0.14798241601701784]], [[0.34758615434357887]], gates))


def test_golden_lstm_sequence():
    hs, cs = lstm_sequence(np.array([[[1.0, -0.5], [0.0, 2.0]]]), *LSTM[1:])
    close(hs, [[[0.14798241601701784], [-0.18383893876863985]]])
    close(cs, [[[0.34758615434357887], [-0.2338559930094462]]])


def test_golden_lstm_gradients():
    dx, dh, dc, dWx, dWh, db = lstm_step_backward(np.array([[1.0]]), np.array([[0.5]]), *LSTM)
    da = [0.17731585936529698, -0.0626644305985132, 0.15502370907256405, 0.0824628838437941]
    close(dx, [[0.2334560714447818, -0.007161221182698747]])
    close(dh, [[0.2806348886962183]])
    close(dc, [[0.5602257850594978]])
    half = [-0.08865792968264849, 0.0313322152992566, -0.07751185453628202, -0.04123144192189705]
    close(dWx, np.array([da, half]))
    close(dWh, np.array([[0.0354631718730594, -0.012532886119702642, 0.03100474181451281, 0.016492576768758822]]))
    close(db, np.array(da))


def test_golden_peephole_step():
    close(peephole_lstm_step(*LSTM, P), ([[0.17035989772406543]], [[0.2971531815719761]]))


def test_golden_gru_step():
    close(gru_step(*GRU), np.array([[0.6041176535040808]]))


def test_golden_gru_gradients():
    dx, dh, dWx, dWh, dbx, dbh = gru_step_backward(np.array([[1.0]]), *GRU)
    dax = [0.016402851044756063, -0.16412304866714758, 0.13347789568684118]
    close(dx, [[0.14780835180528049, -0.14081510156553692]])
    close(dh, [[0.5135601588077985]])
    close(dWx, np.array([dax, [-0.008201425522378031, 0.08206152433357379, -0.06673894784342059]]))
    close(dWh, np.array([[0.0032805702089512127, -0.032824609733429516, 0.018014317556534494]]))
    close(dbx, np.array(dax))
    close(dbh, np.array([0.016402851044756063, -0.16412304866714758, 0.09007158778267246]))


def test_golden_counts():
    counted = [("rnn", 1), ("gru", 1), ("lstm", 1), ("gru", 2), ("lstm", 2)]
    assert [recurrent_param_count(k, 100, 128, b) for k, b in counted] == [29312, 87936, 117248, 88320, 117760]
    assert recurrent_param_count("lstm", 100, 128, 1, True) == 117632


@rounds
@given(seeds)
def test_lstm_step_and_its_gradients_are_those_of_torch(seed):
    x, h, c, Wx, Wh, b = arguments = drawn_lstm(seed)
    dh, dc = np.random.default_rng(seed).normal(size=(2, *h.shape))
    cell = theirs(torch.nn.LSTMCell, Wx, Wh, b - 1, np.ones_like(b))  # two biases that add up to b
    leaves = tensors((x, h, c), gradients=True)
    outputs = cell(leaves[0], (leaves[1], leaves[2]))
    close(list(lstm_step(*arguments)[:2]), [out.detach() for out in outputs])
    *expected, _ = gradients_of(cell, outputs, (dh, dc), leaves)
    close(list(lstm_step_backward(dh, dc, *arguments)), expected)


@rounds
@given(seeds)
def test_gru_step_and_its_gradients_are_those_of_torch(seed):
    x, h, Wx, Wh, bx, bh = arguments = drawn_gru(seed)
    dh = np.random.default_rng(seed).normal(size=h.shape)
    cell = theirs(torch.nn.GRUCell, Wx, Wh, bx, bh)
    leaves = tensors((x, h), gradients=True)
    h_new = cell(*leaves)
    close(gru_step(*arguments), h_new.detach())
    close(list(gru_step_backward(dh, *arguments)), gradients_of(cell, [h_new], [dh], leaves))


@rounds
@given(seeds, st.integers(1, 6))
def test_lstm_sequence_is_that_of_torch(seed, steps):
    x, h0, c0, Wx, Wh, b = arguments = drawn_lstm(seed, steps)
    flat = tensors((Wx.T, Wh.T, b, 0 * b))
    run = torch.lstm(*tensors([x]), [t[None] for t in tensors((h0, c0))], flat, True, 1, 0.0, False, False, True)
    hs, cs = lstm_sequence(*arguments)
    close(hs, run[0])
    close(hs[:, -1], run[1][0])
    close(cs[:, -1], run[2][0])


@rounds
@given(seeds)
def test_gradients_match_differences(seed):
    rng = np.random.default_rng(seed)
    lstm, gru = drawn_lstm(seed), drawn_gru(seed)
    dh, dc = rng.normal(size=(2, *lstm[1].shape))
    dg = rng.normal(size=gru[1].shape)
    cases = [
        (
            lstm,
            lstm_step_backward(dh, dc, *lstm),
            lambda *a: sum(np.sum(e * v) for e, v in zip((dh, dc), lstm_step(*a))),
        ),
        (gru, gru_step_backward(dg, *gru), lambda *a: np.sum(dg * gru_step(*a))),
    ]
    for point, gradients, loss in cases:
        along = [rng.normal(size=a.shape) for a in point]
        ahead, behind = ([a + way * d for a, d in zip(point, along)] for way in (1e-5, -1e-5))
        slope = (loss(*ahead) - loss(*behind)) / 2e-5
        np.testing.assert_allclose(sum(np.sum(g * d) for g, d in zip(gradients, along)), slope, rtol=1e-5, atol=1e-7)


@rounds
@given(seeds)
def test_peepholes_are_a_bias_that_follows_the_cell(seed):
    x, h, c, Wx, Wh, b = drawn_lstm(seed)
    p = np.random.default_rng(seed).normal(size=(3, h.shape[1]))
    h_new, c_new = peephole_lstm_step(x, h, c, Wx, Wh, b, p)
    for n in range(len(x)):  # in a batch of one the peepholes may be moved into b
        one = x[n : n + 1], h[n : n + 1], c[n : n + 1]
        early = b + np.concatenate([p[0] * c[n], p[1] * c[n], 0 * c[n], 0 * c[n]])
        _, cell, _ = lstm_step(*one, Wx, Wh, early)
        close(c_new[n : n + 1], cell)
        late = early + np.concatenate([np.zeros(3 * len(c[n])), p[2] * cell[0]])
        close(h_new[n : n + 1], lstm_step(*one, Wx, Wh, late)[0])


@rounds
@given(seeds)
def test_an_error_is_carried_far_back_by_open_forget_gates_alone(seed):
    x, h0, c0, Wx, Wh, b = drawn_lstm(seed, 50)
    H = h0.shape[1]
    Wx, Wh = 0 * Wx, 0 * Wh
    for level, low, high in ((60, 1 - 1e-12, 1), (0, 0, 1e-12)):  # f = 1, and f = 1/2 at each of 50 steps
        bias = b.copy()
        bias[H : 2 * H] = level
        leaf = torch.tensor(c0, requires_grad=True)
        _, cs = lstm_sequence_torch(*tensors((x, h0)), leaf, *tensors((Wx, Wh, bias)))
        cs[:, -1].sum().backward()
        assert ((low <= leaf.grad) & (leaf.grad <= high)).all()


@rounds
@given(seeds)
def test_twins_are_the_numpy_functions_in_every_dtype(seed):
    step, run, gru = drawn_lstm(seed), drawn_lstm(seed, 4), drawn_gru(seed)
    p = np.random.default_rng(seed).normal(size=(3, step[1].shape[1]))
    pairs = [
        (lstm_sequence(*run), lstm_sequence_torch, run),
        (peephole_lstm_step(*step, p), peephole_lstm_step_torch, [*step, p]),
        ((gru_step(*gru),), lambda *a: (gru_step_torch(*a),), gru),
    ]
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-4)):
        for expected, twin, arguments in pairs:
            for ours, part in zip(expected, twin(*map(partial(torch.tensor, dtype=dtype), arguments)), strict=True):
                assert part.dtype == dtype
                np.testing.assert_allclose(part, ours, rtol=tolerance, atol=tolerance)


@rounds
@given(seeds)
def test_gradients_of_the_twins_are_those_worked_out_by_hand(seed):
    step, gru = drawn_lstm(seed), drawn_gru(seed)
    dh, dc = np.random.default_rng(seed).normal(size=(2, *step[1].shape))
    leaves = tensors([step[0][:, None], *step[1:]], gradients=True)
    hs, cs = lstm_sequence_torch(*leaves)
    total = (torch.tensor(dh) * hs[:, 0]).sum() + (torch.tensor(dc) * cs[:, 0]).sum()
    dx, *others = torch.autograd.grad(total, leaves)
    close([dx[:, 0], *others], list(lstm_step_backward(dh, dc, *step)))
    dg = np.random.default_rng(seed).normal(size=gru[1].shape)
    leaves = tensors(gru, gradients=True)
    total = (torch.tensor(dg) * gru_step_torch(*leaves)).sum()
    close(list(torch.autograd.grad(total, leaves)), list(gru_step_backward(dg, *gru)))


@rounds
@given(seeds)
def test_gradients_of_the_peephole_twin_match_differences(seed):
    step = drawn_lstm(seed)
    rng = np.random.default_rng(seed)
    arguments = [*step, rng.normal(size=(3, step[1].shape[1]))]
    leaves, along = tensors(arguments, gradients=True), [rng.normal(size=a.shape) for a in arguments]
    h_new, c_new = peephole_lstm_step_torch(*leaves)
    found = torch.autograd.grad(h_new.sum() + 2 * c_new.sum(), leaves)
    ahead, behind = ([a + way * d for a, d in zip(arguments, along)] for way in (1e-5, -1e-5))
    values = [np.sum(h) + 2 * np.sum(c) for h, c in (peephole_lstm_step(*ahead), peephole_lstm_step(*behind))]
    inner = sum(np.sum(g.numpy() * d) for g, d in zip(found, along))
    np.testing.assert_allclose(inner, (values[0] - values[1]) / 2e-5, rtol=1e-5, atol=1e-7)


def test_twins_keep_the_device():
    empty = partial(torch.empty, device="meta")
    parts = [
        *lstm_sequence_torch(empty(2, 3, 4), empty(2, 5), empty(2, 5), empty(4, 20), empty(5, 20), empty(20)),
        *peephole_lstm_step_torch(
            empty(2, 4), empty(2, 5), empty(2, 5), empty(4, 20), empty(5, 20), empty(20), empty(3, 5)
        ),
        gru_step_torch(empty(2, 4), empty(2, 5), empty(4, 15), empty(5, 15), empty(15), empty(15)),
    ]
    assert {part.device.type for part in parts} == {"meta"}


@pytest.mark.parametrize(("kind", "layer"), [("rnn", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)])
def test_counts_are_those_of_torch(kind, layer):
    for D, H in ((1, 1), (3, 2), (20, 7)):
        assert recurrent_param_count(kind, D, H, biases=2) == sum(p.numel() for p in layer(D, H).parameters())


@pytest.mark.parametrize("level", [-800.0, 800.0])
def test_saturated_gates_are_0_or_1_and_finite(level):
    with np.errstate(all="raise", under="ignore"):
        h_new, c_new, gates = lstm_step(*LSTM[:5], B + level)
        kept = gru_step(*GRU[:4], GRU[4] + level, GRU[5])
        gradients = lstm_step_backward(HIDDEN, CELL, *LSTM[:5], B + level)
    opened = float(level > 0)
    close(gates, np.array([[opened, opened, np.sign(level), opened]]))
    close(c_new, opened * (CELL + 1))
    close(h_new, opened * np.tanh(c_new))
    close(kept, HIDDEN if opened else [[-1.0]])
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("x", lambda: lstm_step(X[0], *LSTM[1:])),
        ("Wx", lambda: lstm_step(*LSTM[:3], WX[:, :3], *LSTM[4:])),
        ("Wx", lambda: lstm_step(*LSTM[:3], WX[:, :3], WH[:, :3], B[:3])),
        ("Wh", lambda: lstm_step(*LSTM[:4], np.ones((2, 4)), B)),
        ("b", lambda: lstm_step(*LSTM[:5], B[:3])),
        ("c", lambda: lstm_step(X, HIDDEN, np.ones((1, 2)), *LSTM[3:])),
        ("x", lambda: lstm_sequence(np.ones((1, 0, 2)), *LSTM[1:])),
        ("x", lambda: lstm_sequence(X, *LSTM[1:])),
        ("dc_new", lambda: lstm_step_backward(HIDDEN, np.ones((1, 2)), *LSTM)),
        ("p", lambda: peephole_lstm_step(*LSTM, P[:2])),
        ("p", lambda: peephole_lstm_step(*LSTM, np.ones((3, 2)))),
        ("Wx", lambda: gru_step(X, HIDDEN, WX, WH, B, B)),
        ("bh", lambda: gru_step(*GRU[:5], B)),
        ("dh_new", lambda: gru_step_backward(np.ones((2, 1)), *GRU)),
        ("kind", lambda: recurrent_param_count("LSTM", 1, 1)),
        ("D", lambda: recurrent_param_count("gru", 0, 1)),
        ("H", lambda: recurrent_param_count("gru", 1, 0)),
        ("biases", lambda: recurrent_param_count("gru", 1, 1, 0)),
        ("peephole", lambda: recurrent_param_count("gru", 1, 1, 1, True)),
        ("x", lambda: lstm_sequence_torch(*tensors((X, *LSTM[1:])))),
        ("Wx", lambda: gru_step_torch(*tensors((X, HIDDEN, WX, WH, B, B)))),
        ("p", lambda: peephole_lstm_step_torch(*tensors((*LSTM, P[:2])))),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"^{name} must"):
        call()
