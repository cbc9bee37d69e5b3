"""The reference of WaveNet against torch's layers, impulses, the paper's numbers and arithmetic in other forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.wavenet import (
    causal_conv1d,
    dilated_receptive_field,
    gated_activation,
    mu_law_decode,
    mu_law_encode,
    wavenet_layer,
    wavenet_param_count,
)
from reference.wavenet_torch import causal_conv1d_torch, wavenet_layer_torch

rounds = settings(max_examples=40, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
RAMP = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def sequences(seed):
    """x, taps, bias, dilation."""
    rng = np.random.default_rng(seed)
    N, C, M, K, dilation = (int(n) for n in rng.integers(1, 5, 5))
    x, w, b = (rng.normal(size=shape) for shape in ((N, C, int(rng.integers(1, 14))), (M, C, K), (M,)))
    return x, w, b, dilation


def layer(seed):
    """The arguments of `wavenet_layer`."""
    rng = np.random.default_rng(seed)
    C, S, K, T = (int(n) for n in rng.integers(1, 5, 4))
    shapes = (2, C, T + 2), (2 * C, C, K), (2 * C,), (C, C), (C, S)
    return *(rng.normal(size=shape) for shape in shapes), int(rng.integers(1, 5))


def test_functions_match_the_worked_examples():
    close(causal_conv1d(RAMP, np.array([[[1.0, 10.0]]]), np.zeros(1), 2), [[[10.0, 20.0, 31.0, 42.0, 53.0]]])
    close(
        causal_conv1d(RAMP, np.array([[[1.0, 2.0, 3.0]]]), np.array([0.5]), 1),
        [[[3.5, 8.5, 14.5, 20.5, 26.5]]],
    )
    close(gated_activation(np.array([[[0.5], [-1.0]]])), [[[0.12428244511296857]]])
    w = np.array([[[0.1, 0.2]], [[0.3, -0.1]]])
    out, skip = wavenet_layer(RAMP, w, np.zeros(2), np.array([[2.0]]), np.array([[1.0]]), 2)
    close(out, [[[1.1875147699696766, 2.3420802111274135, 3.6043677771171634, 4.837500718197962, 6.031806043827986]]])
    close(skip, [[[0.09375738498483831, 0.1710401055637068, 0.30218388855858175, 0.41875035909898095, 0.5159030219139931]]])  # fmt: skip
    assert wavenet_param_count(2, 3, 2, 1) == 30
    assert wavenet_param_count(32, 256, 2, 30) == 401280


def test_levels_match_the_worked_examples():
    x = np.array([-1.0, -0.5, -0.01, 0.0, 0.01, 0.1, 0.5, 1.0])
    assert mu_law_encode(x).tolist() == [0, 16, 98, 128, 157, 203, 239, 255]
    assert mu_law_encode(np.array([-0.5, 0.02, 0.5]), 15).tolist() == [2, 8, 13]
    close(
        mu_law_decode(np.array([0, 64, 127, 128, 200, 255])),
        [-1.0, -0.05814500388034755, -8.621159565072034e-05, 8.621159565072034e-05, 0.08788022623483743, 1.0],
    )
    close(mu_law_decode(np.array([0, 5, 15]), 15), [-1.0, -0.10132280665264976, 1.0])


@pytest.mark.parametrize(
    ("kernel", "dilations", "field"),
    [
        (2, [1] * 4, 5),  # Fig. 2
        (2, [1, 2, 4, 8], 16),  # Fig. 3
        (2, [2**i for i in range(10)], 1024),  # §2.1
        (2, [2**i for i in range(10)] * 3, 3070),
        (3, [1, 2, 4, 8], 31),
        (1, [1, 2, 4], 1),
        (3, [], 1),
    ],
)
def test_receptive_fields_are_the_papers(kernel, dilations, field):
    assert dilated_receptive_field(kernel, dilations) == field


@rounds
@given(seeds)
def test_convolution_is_torchs_padded_at_both_ends_and_cut_at_the_end(seed):
    x, w, b, dilation = sequences(seed)
    ends = (w.shape[2] - 1) * dilation
    conv = torch.nn.Conv1d(x.shape[1], len(w), w.shape[2], padding=ends, dilation=dilation, dtype=torch.float64)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(w))
        conv.bias.copy_(torch.tensor(b))
        expected = conv(torch.tensor(x))[:, :, : x.shape[2]].numpy()
    close(causal_conv1d(x, w, b, dilation), expected)


@rounds
@given(seeds)
def test_no_output_depends_on_a_later_input(seed):
    x, w, b, dilation = sequences(seed)
    t = torch.tensor(x, requires_grad=True)
    for time in range(x.shape[2]):
        y = causal_conv1d_torch(t, torch.tensor(w), torch.tensor(b), dilation)
        (gradient,) = torch.autograd.grad(y[:, :, time].sum(), t)
        assert not gradient[:, :, time + 1 :].any()


@rounds
@given(st.integers(1, 4), st.lists(st.integers(1, 6), max_size=4))
def test_receptive_field_is_how_long_an_impulse_sounds_in_a_stack_of_convolutions(kernel, dilations):
    y = np.zeros((1, 1, 1 + 3 * 6 * 4 + 2))
    y[0, 0, 0] = 1
    for dilation in dilations:
        y = causal_conv1d(y, np.ones((1, 1, kernel)), np.zeros(1), dilation)
    assert dilated_receptive_field(kernel, dilations) == 1 + int(np.flatnonzero(y).max())


@rounds
@given(seeds)
def test_gate_is_torchs_glu_of_the_squashed_filter(seed):
    z = 3 * np.random.default_rng(seed).normal(size=(2, 6, 4))
    squashed = torch.cat([torch.tanh(torch.tensor(z[:, :3])), torch.tensor(z[:, 3:])], dim=1)
    close(gated_activation(z), torch.nn.functional.glu(squashed, dim=1).numpy())


def test_gate_does_not_overflow():
    z = np.array([[[1000.0, -1000.0, 1000.0], [-1000.0, 1000.0, 0.0]]])
    with np.errstate(over="raise", invalid="raise"):
        close(gated_activation(z), [[[0.0, -1.0, 0.5]]])


@rounds
@given(seeds)
def test_layer_is_torchs_modules_put_together(seed):
    x, w, *_, dilation = args = layer(seed)
    t = [torch.tensor(a) for a in args[:-1]]
    padded = torch.nn.functional.pad(t[0], ((w.shape[2] - 1) * dilation, 0))
    h = torch.nn.functional.conv1d(padded, t[1], t[2], dilation=dilation)
    C = x.shape[1]
    z = (torch.tanh(h[:, :C]) * torch.sigmoid(h[:, C:])).movedim(1, 2)
    out, skip = wavenet_layer(*args)
    close(out, x + torch.nn.functional.linear(z, t[3].T).movedim(2, 1).numpy())
    close(skip, torch.nn.functional.linear(z, t[4].T).movedim(2, 1).numpy())


@pytest.mark.parametrize(("channels", "skip", "kernel", "layers"), [(3, 5, 2, 1), (4, 2, 3, 7), (1, 1, 1, 2)])
def test_count_is_that_of_torchs_modules(channels, skip, kernel, layers):
    one = [
        torch.nn.Conv1d(channels, 2 * channels, kernel),
        torch.nn.Conv1d(channels, channels, 1, bias=False),
        torch.nn.Conv1d(channels, skip, 1, bias=False),
    ]
    assert wavenet_param_count(channels, skip, kernel, layers) == layers * sum(
        p.numel() for module in one for p in module.parameters()
    )


@pytest.mark.parametrize("mu", [1, 2, 7, 15, 100, 255, 300])
def test_every_level_decodes_and_encodes_to_itself_and_every_level_is_used(mu):
    levels = np.arange(mu + 1)
    assert (mu_law_encode(mu_law_decode(levels, mu), mu) == levels).all()
    assert mu_law_encode(np.linspace(-1, 1, 40001), mu).tolist() == sorted(mu_law_encode(np.linspace(-1, 1, 40001), mu))
    assert mu_law_decode(levels, mu)[[0, -1]].tolist() == [-1.0, 1.0]


@rounds
@given(st.floats(-1, 1), st.integers(1, 300))
def test_no_level_is_nearer_on_the_companded_scale(x, mu):
    compand = lambda v: math.copysign(math.log1p(mu * abs(v)) / math.log1p(mu), v)
    (level,) = mu_law_encode(np.array([x]), mu)
    distances = [abs(compand(v) - compand(x)) for v in mu_law_decode(np.arange(mu + 1), mu)]
    assert distances[level] <= min(distances) + 1e-12


@rounds
@given(seeds)
def test_twins_agree_with_the_arrays_in_value(seed):
    *arrays, dilation = sequences(seed)
    close(causal_conv1d_torch(*map(torch.tensor, arrays), dilation).numpy(), causal_conv1d(*arrays, dilation))
    *arrays, dilation = layer(seed)
    for found, expected in zip(
        wavenet_layer_torch(*map(torch.tensor, arrays), dilation), wavenet_layer(*arrays, dilation), strict=True
    ):
        close(found.numpy(), expected)


@pytest.mark.parametrize("seed", range(4))
def test_twins_have_the_gradients_of_finite_differences(seed):
    for twin, (*arrays, dilation) in ((causal_conv1d_torch, sequences(seed)), (wavenet_layer_torch, layer(seed))):
        tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
        assert torch.autograd.gradcheck(lambda *t, f=twin, d=dilation: f(*t, d), tensors, fast_mode=True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_twins_keep_dtype_and_device(dtype):
    shapes = (2, 3, 7), (6, 3, 2), (6,), (3, 3), (3, 5)
    x, w, b, w_res, w_skip = (torch.ones(*shape, dtype=dtype, device="meta") for shape in shapes)
    out, skip = wavenet_layer_torch(x, w, b, w_res, w_skip, 4)
    for y, shape in ((causal_conv1d_torch(x, w, b), (2, 6, 7)), (out, (2, 3, 7)), (skip, (2, 5, 7))):
        assert (y.shape, y.dtype, y.device.type) == (shape, dtype, "meta")


ones = np.ones


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("w", lambda: causal_conv1d(RAMP, ones((1, 2, 2)), ones(1))),
        ("b", lambda: causal_conv1d(RAMP, ones((1, 1, 2)), ones(2))),
        ("dilation", lambda: causal_conv1d(RAMP, ones((1, 1, 2)), ones(1), 0)),
        ("kernel", lambda: dilated_receptive_field(0, [1])),
        ("dilations", lambda: dilated_receptive_field(2, [1, 0])),
        ("z", lambda: gated_activation(ones((1, 3, 2)))),
        ("w", lambda: wavenet_layer(RAMP, ones((1, 1, 2)), ones(1), ones((1, 1)), ones((1, 1)), 1)),
        ("w_skip", lambda: wavenet_layer(RAMP, ones((2, 1, 2)), ones(2), ones((1, 1)), ones((2, 1)), 1)),
        ("dilation", lambda: wavenet_layer(RAMP, ones((2, 1, 2)), ones(2), ones((1, 1)), ones((1, 1)), 0)),
        ("x", lambda: mu_law_encode(np.array([1.25]))),
        ("x", lambda: mu_law_encode(np.array([np.nan]))),
        ("mu", lambda: mu_law_encode(np.array([0.5]), 0)),
        ("q", lambda: mu_law_decode(np.array([256]))),
        ("q", lambda: mu_law_decode(np.array([-1]))),
        ("mu", lambda: mu_law_decode(np.array([0]), 0)),
        ("w", lambda: causal_conv1d_torch(torch.ones(1, 2, 4), torch.ones(1, 1, 2), torch.ones(1))),
        ("dilation", lambda: causal_conv1d_torch(torch.ones(1, 1, 4), torch.ones(1, 1, 2), torch.ones(1), 0)),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        call()
