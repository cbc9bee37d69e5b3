"""The reference of MobileNet against torch's convolutions, counting one by one, and the paper's tables."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.mobilenet import conv_cost, depthwise_conv2d, mobilenet_cost, pointwise_conv2d, separable_cost
from reference.mobilenet_torch import depthwise_conv2d_torch, pointwise_conv2d_torch

BODY = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1))
V1 = [("conv", 32, 2), *(("dw", c, s) for c, s in BODY)]  # Table 1; its last stride 2 is a misprint

rounds = settings(max_examples=60, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def images(seed):
    """x, one kernel a channel, weights that mix the channels; stride and padding."""
    rng = np.random.default_rng(seed)
    N, C, M, K, stride = rng.integers(1, 5, 5)
    height, width = K + rng.integers(0, 5, 2)
    x, w, mix = (rng.normal(size=shape) for shape in ((N, C, height, width), (C, K, K), (C, M)))
    return x, w, mix, int(stride), int(rng.integers(0, K + 1))


def layer(seed):
    """The first seven arguments of a cost."""
    rng = np.random.default_rng(seed)
    kernel, stride = rng.integers(1, 6), rng.integers(1, 4)
    return tuple(
        map(int, (*(kernel + rng.integers(0, 12, 2)), *rng.integers(1, 20, 2), kernel, stride, rng.integers(0, 3)))
    )


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (conv_cost(32, 32, 16, 64, 3, 1, 1), (9216, 9437184)),
        (conv_cost(32, 32, 16, 16, 3, 2, 1, 16, True), (160, 36864)),
        (separable_cost(32, 32, 16, 64, 3, 1, 1), (1168, 1196032)),
        (separable_cost(33, 20, 16, 64, 3, 2, 1, True), (1248, 198560)),
        (separable_cost(14, 14, 512, 512, 3, 1, 1), (266752, 52283392)),
        (mobilenet_cost(V1, 224), (4210088, 568740352, 7)),
        (mobilenet_cost(V1, 224, 0.5), (1320648, 149497088, 7)),
        (mobilenet_cost(V1, 224, 1.0, 160 / 224), (4210088, 290675200, 5)),
        (mobilenet_cost(V1, 224, 0.25), (464600, 41030272, 7)),
        (mobilenet_cost([("conv", 8, 2), ("dw", 16, 1)], 33, 0.5, 1.0, 10, 1), (194, 30136, 17)),
    ],
)
def test_costs_match_the_published_counts_as_python_ints(cost, expected):
    assert cost == expected
    assert all(type(count) is int for count in cost)


def test_layers_match_the_worked_examples():
    kernels = np.array([[[1.0, 0.0], [0.0, -1.0]], [[1.0, 2.0], [3.0, 4.0]]])
    close(
        depthwise_conv2d(np.arange(18.0).reshape(1, 2, 3, 3), kernels),
        [[[[-4.0, -4.0], [-4.0, -4.0]], [[117.0, 127.0], [147.0, 157.0]]]],
    )
    mix = np.array([[1.0, 2.0, 0.0], [3.0, -1.0, 1.0]])
    close(pointwise_conv2d(np.arange(4.0).reshape(1, 2, 1, 2), mix), [[[[6.0, 10.0]], [[-2.0, -1.0]], [[2.0, 3.0]]]])


@rounds
@given(seeds, st.sampled_from([1, 2, 3]), st.booleans())
def test_conv_cost_counts_the_weights_of_torchs_layer_and_one_mac_for_each_at_each_pixel(seed, groups, bias):
    h, w, c_in, c_out, kernel, stride, padding = layer(seed)
    c_in, c_out = c_in * groups, c_out * groups
    conv = torch.nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups, bias=bias, device="meta")
    pixels = conv(torch.empty(1, c_in, h, w, device="meta"))[0, 0].numel()
    params = sum(p.numel() for p in conv.parameters())
    assert conv_cost(h, w, c_in, c_out, kernel, stride, padding, groups, bias) == (params, conv.weight.numel() * pixels)


@rounds
@given(seeds)
def test_separable_to_standard_is_one_over_channels_plus_one_over_area(seed):
    *_, c_out, kernel, _, _ = args = layer(seed)
    for separable, standard in zip(separable_cost(*args), conv_cost(*args)):
        assert separable * c_out * kernel**2 == standard * (kernel**2 + c_out)


@pytest.mark.parametrize(("kernel", "c_out"), [(1, 8), (3, 1)])
def test_a_separable_layer_is_dearer_where_there_is_nothing_to_separate(kernel, c_out):
    assert separable_cost(8, 8, 4, c_out, kernel)[1] > conv_cost(8, 8, 4, c_out, kernel)[1]


@rounds
@given(seeds)
def test_a_three_by_three_layer_never_saves_a_factor_of_nine(seed):
    h, w, c_in, c_out, _, stride, padding = layer(seed)
    h, w = h + 3, w + 3
    assert (
        9 * separable_cost(h, w, c_in, c_out, 3, stride, padding)[1]
        > conv_cost(h, w, c_in, c_out, 3, stride, padding)[1]
    )


@rounds
@given(seeds)
def test_depthwise_is_torchs_convolution_with_a_group_for_each_channel(seed):
    x, w, _, stride, padding = images(seed)
    expected = functional.conv2d(torch.tensor(x), torch.tensor(w[:, None]), None, stride, padding, groups=len(w))
    close(depthwise_conv2d(x, w, stride, padding), expected.numpy())


@rounds
@given(seeds)
def test_pointwise_is_torchs_linear_layer_on_every_pixel(seed):
    x, _, mix, _, _ = images(seed)
    expected = functional.linear(torch.tensor(x).movedim(1, -1), torch.tensor(mix.T)).movedim(-1, 1)
    close(pointwise_conv2d(x, mix), expected.numpy())


@rounds
@given(seeds)
def test_the_pair_is_a_standard_convolution_whose_kernel_is_a_product(seed):
    x, w, mix, stride, padding = images(seed)
    kernel = np.einsum("cij,cm->mcij", w, mix)
    expected = functional.conv2d(torch.tensor(x), torch.tensor(kernel), None, stride, padding)
    close(pointwise_conv2d(depthwise_conv2d(x, w, stride, padding), mix), expected.numpy())


@pytest.mark.parametrize(
    ("width", "macs", "params"), [(1, 569, 4.2), (0.75, 325, 2.6), (0.5, 149, 1.3), (0.25, 41, 0.5)]
)
def test_width_gives_table_6(width, macs, params):
    found = mobilenet_cost(V1, 224, width)
    assert (round(found[1] / 1e6), round(found[0] / 1e6, 1)) == (macs, params)


@pytest.mark.parametrize(("side", "macs"), [(224, 569), (192, 418), (160, 290), (128, 186)])
def test_resolution_gives_table_7(side, macs):
    params, found, _ = mobilenet_cost(V1, 224, resolution=side / 224)
    assert abs(found / 1e6 - macs) < 0.7  # 290.675 is printed as 290
    assert params == mobilenet_cost(V1, 224)[0]


def test_the_network_without_separation_costs_what_table_4_says():
    standard = mobilenet_cost([("conv", c, s) for _, c, s in V1], 224)
    classifier = 1024 * 1000  # left out of the paper's 4866
    assert (round((standard[1] - classifier) / 1e6), round(standard[0] / 1e6, 1)) == (4866, 29.3)


def test_the_cost_is_that_of_torchs_network_counted_layer_by_layer():
    c, side, modules, macs = 3, 64, [], 0
    for kind, m, stride in V1[:6]:
        pair = [(c, m, 3, 1)] if kind == "conv" else [(c, c, 3, c), (c, m, 1, 1)]
        for i, (a, b, k, groups) in enumerate(pair):
            conv = torch.nn.Conv2d(a, b, k, stride if i == 0 else 1, k // 2, groups=groups, bias=False)
            side = conv(torch.zeros(1, a, side, side)).shape[-1]
            macs += conv.weight.numel() * side**2
            modules.append(conv)
        c = m
    modules.append(torch.nn.Linear(c, 10))
    params = sum(p.numel() for module in modules for p in module.parameters())
    assert mobilenet_cost(V1[:6], 64, classes=10) == (params, macs + 10 * c, side)


@rounds
@given(seeds)
def test_twins_agree_with_the_arrays_in_value_and_are_differentiable(seed):
    x, w, mix, stride, padding = images(seed)
    x_t, w_t, mix_t = (torch.tensor(a, requires_grad=True) for a in (x, w, mix))
    y = depthwise_conv2d_torch(x_t, w_t, stride, padding)
    close(y.detach().numpy(), depthwise_conv2d(x, w, stride, padding))
    z = pointwise_conv2d_torch(x_t, mix_t)
    close(z.detach().numpy(), pointwise_conv2d(x, mix))
    # linear in the kernel: y = Σ w · ∂(Σ y)/∂w, and so for the weights
    close((w * torch.autograd.grad(y.sum(), w_t)[0].numpy()).sum(), y.sum().item())
    close((mix * torch.autograd.grad(z.sum(), mix_t)[0].numpy()).sum(), z.sum().item())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_twins_keep_dtype_and_device(dtype):
    x, w, mix = (torch.ones(*shape, dtype=dtype, device="meta") for shape in ((1, 2, 4, 4), (2, 3, 3), (2, 5)))
    for y, shape in (
        (depthwise_conv2d_torch(x, w, 2, 1), (1, 2, 2, 2)),
        (pointwise_conv2d_torch(x, mix), (1, 5, 4, 4)),
    ):
        assert (y.shape, y.dtype, y.device.type) == (shape, dtype, "meta")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("groups", lambda: conv_cost(8, 8, 6, 4, 3, groups=4)),
        ("groups", lambda: conv_cost(8, 8, 6, 4, 3, groups=3)),
        ("size", lambda: conv_cost(2, 8, 1, 1, 3)),
        ("size", lambda: separable_cost(8, 2, 1, 1, 3)),
        ("w", lambda: depthwise_conv2d(np.ones((1, 2, 4, 4)), np.ones((3, 2, 2)))),
        ("w", lambda: depthwise_conv2d(np.ones((1, 2, 4, 4)), np.ones((2, 3, 2)))),
        ("w", lambda: pointwise_conv2d(np.ones((1, 2, 4, 4)), np.ones((3, 5)))),
        ("kind", lambda: mobilenet_cost([("pool", 8, 1)], 32)),
        ("width", lambda: mobilenet_cost(V1, 224, 0.0)),
        ("resolution", lambda: mobilenet_cost(V1, 224, 1.0, 1.5)),
        ("w", lambda: depthwise_conv2d_torch(torch.ones(1, 2, 4, 4), torch.ones(3, 2, 2))),
        ("w", lambda: pointwise_conv2d_torch(torch.ones(1, 2, 4, 4), torch.ones(3, 5))),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        call()
