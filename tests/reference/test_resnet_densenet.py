"""The reference of residual and dense blocks against torch's layers and autograd, differences, and published counts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from reference.resnet_densenet import (
    dense_block,
    densenet_channels,
    densenet_param_count,
    residual_block,
    residual_block_backward,
    resnet_block_param_count,
    resnet_param_count,
)
from reference.resnet_densenet_torch import dense_block_torch, residual_block_torch

KINDS = ("plain", "post", "pre")

rounds = settings(max_examples=60, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(KINDS)

X = np.array([[1.0, -2.0], [0.5, 3.0]])
W1 = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 1.0]])
W2 = np.array([[1.0, -1.0], [0.0, 0.5], [2.0, 1.0]])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def block(seed):
    """x, W1, W2, an upstream gradient, and a projection that may change the width."""
    rng = np.random.default_rng(seed)
    N, D, M, E = rng.integers(1, 6, 4)
    shapes = (N, D), (D, M), (M, D), (N, D), (D, E), (M, E)
    return [rng.normal(size=shape) for shape in shapes]


def dense(seed):
    rng = np.random.default_rng(seed)
    N, k0, k = rng.integers(1, 5, 3)
    layers = rng.integers(0, 5)
    return rng.normal(size=(N, k0)), [rng.normal(size=(k0 + i * k, k)) for i in range(layers)]


def weight_count(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def conv(c_in, c_out, kernel):
    return nn.Conv2d(c_in, c_out, kernel, bias=False, device="meta")


def norm(c):
    return nn.BatchNorm2d(c, device="meta")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("plain", [[0, 0], [7, 3.5]]), ("post", [[1, 0], [7.5, 6.5]]), ("pre", [[2, -3], [7.5, 6.5]])],
)
def test_blocks_match_the_worked_example(kind, expected):
    close(residual_block(X, W1, W2, kind), expected)


def test_a_projected_shortcut_matches_the_worked_example():
    close(residual_block(X, W1, W2[:, :1], "post", np.array([[2.0], [1.0]])), [[0.0], [11.0]])


@pytest.mark.parametrize(
    ("kind", "dx", "first_row_of_dW2"),
    [("plain", [[0, 0], [-3, 4]], [2, 2]), ("post", [[1, 0], [-2, 5]], [2, 2]), ("pre", [[1, 1], [-2, 5]], [3, 3])],
)
def test_gradients_match_the_worked_example_where_the_slope_at_zero_is_zero(kind, dx, first_row_of_dW2):
    expected = dx, [[0, 0.25, 1.5], [0, 1.5, 9]], [first_row_of_dW2, [6, 6], [2.5, 2.5]]
    for found, wanted in zip(residual_block_backward(np.ones((2, 2)), X, W1, W2, kind), expected, strict=True):
        close(found, wanted)


@rounds
@given(seeds, kinds)
def test_backward_is_what_autograd_finds_and_the_twin_agrees(seed, kind):
    x, W1, W2, dy, _, _ = block(seed)
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, W1, W2)]
    y = residual_block_torch(*leaves, kind)
    close(y.detach(), residual_block(x, W1, W2, kind))
    found = residual_block_backward(dy, x, W1, W2, kind)
    for by_hand, by_torch in zip(found, torch.autograd.grad(y, leaves, torch.tensor(dy)), strict=True):
        close(by_hand, by_torch)


@rounds
@given(seeds, kinds)
def test_backward_is_the_slope_of_the_forward(seed, kind):
    *point, dy, _, _ = block(seed)
    rng, step = np.random.default_rng(seed), 1e-7
    direction = [rng.normal(size=a.shape) for a in point]
    ends = [residual_block(*(a + s * d for a, d in zip(point, direction)), kind) for s in (step, 0, -step)]
    ahead, here, behind = (float((dy * y).sum()) for y in ends)
    if abs(ahead - 2 * here + behind) > 1e-10:  # a corner of ReLU lies between
        return
    slope = sum((g * d).sum() for g, d in zip(residual_block_backward(dy, *point, kind), direction, strict=True))
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-5, atol=1e-5)


@rounds
@given(seeds, kinds)
def test_a_projection_is_the_shortcut_of_the_twin_and_of_the_arrays(seed, kind):
    x, W1, _, _, Ws, W2 = block(seed)
    y = residual_block_torch(*map(torch.tensor, (x, W1, W2)), kind, torch.tensor(Ws))
    close(y, residual_block(x, W1, W2, kind, Ws))
    if kind != "plain":
        close(residual_block(x, W1, 0 * W2, kind, Ws), x @ Ws if kind == "pre" else np.maximum(x @ Ws, 0))


@rounds
@given(seeds)
def test_a_deep_stack_of_silent_preactivation_blocks_returns_input_and_gradient(seed):
    x, W1, W2, dy, _, _ = block(seed)
    y, back = x, dy
    for _ in range(50):
        y = residual_block(y, W1, 0 * W2, "pre")
        back, _, _ = residual_block_backward(back, x, W1, 0 * W2, "pre")
    close(y, x)
    close(back, dy)


@rounds
@given(seeds)
def test_a_block_is_two_1x1_convolutions_on_a_map_of_one_pixel(seed):
    x, W1, W2, _, _, _ = block(seed)
    image, first, second = (torch.tensor(a)[:, :, None, None] for a in (x, W1.T.copy(), W2.T.copy()))
    branch = nn.functional.conv2d(torch.relu(nn.functional.conv2d(image, first)), second)
    close(torch.relu(image + branch)[:, :, 0, 0], residual_block(x, W1, W2))


@rounds
@given(
    st.sampled_from(["basic", "bottleneck", "wide"]),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 2),
    st.booleans(),
)
def test_a_block_counts_the_parameters_of_torchs_layers(kind, c_in, width, stride, same):
    c_out = 4 * width if kind == "bottleneck" else width
    c_in = c_out if same else c_in
    layers = {
        "basic": lambda: [conv(c_in, width, 3), norm(width), conv(width, width, 3), norm(width)],
        "bottleneck": lambda: [
            *(conv(c_in, width, 1), norm(width), conv(width, width, 3), norm(width)),
            *(conv(width, c_out, 1), norm(c_out)),
        ],
        "wide": lambda: [norm(c_in), conv(c_in, width, 3), norm(width), conv(width, width, 3)],
    }[kind]()
    if stride == 2 or c_in != c_out:
        layers += [conv(c_in, c_out, 1)] + ([] if kind == "wide" else [norm(c_out)])
    count = resnet_block_param_count(kind, c_in, width, stride)
    assert (count, type(count)) == (weight_count(*layers), int)


@pytest.mark.parametrize(
    ("kind", "blocks", "published"),
    [
        ("basic", [2, 2, 2, 2], 11_689_512),
        ("basic", [3, 4, 6, 3], 21_797_672),
        ("bottleneck", [3, 4, 6, 3], 25_557_032),
        ("bottleneck", [3, 4, 23, 3], 44_549_160),
        ("bottleneck", [3, 8, 36, 3], 60_192_808),
    ],
)
def test_resnets_weigh_what_is_published(kind, blocks, published):
    count = resnet_param_count(kind, blocks)
    assert (count, type(count)) == (published, int)


def test_the_classifier_alone_depends_on_the_classes():
    assert resnet_param_count("basic", [2, 2, 2, 2], 10) == 11_181_642
    assert densenet_param_count(24, 12, [4, 4], 0.75, 10) == 73_882


def test_wide_resnet_28_10_has_36_5_million_parameters():
    blocks = [
        (16, 160, 1),
        *[(160, 160, 1)] * 3,
        (160, 320, 2),
        *[(320, 320, 1)] * 3,
        (320, 640, 2),
        *[(640, 640, 1)] * 3,
    ]
    blocks_alone = sum(resnet_block_param_count("wide", *b) for b in blocks)
    assert 3 * 9 * 16 + blocks_alone + 2 * 640 + 640 * 10 + 10 == 36_479_194


def test_the_three_blocks_at_256_channels():
    counts = [resnet_block_param_count(kind, 256, 64) for kind in ("basic", "bottleneck", "wide")]
    assert counts == [201_088, 70_400, 201_344]


def test_a_dense_block_matches_the_worked_example():
    weights = [np.array([[1.0], [-0.25]]), np.array([[1.0], [1.0], [2.0]])]
    close(dense_block(np.array([[1.0, 2.0]]), weights), [[1.0, 2.0, 0.5, 4.0]])


@rounds
@given(seeds)
def test_a_dense_block_is_a_chain_of_growing_convolutions_and_the_twin_agrees(seed):
    x, weights = dense(seed)
    image = torch.tensor(x)[:, :, None, None]
    for W in weights:
        image = torch.cat(
            [image, torch.relu(nn.functional.conv2d(image, torch.tensor(W.T.copy())[:, :, None, None]))], 1
        )
    y = dense_block(x, weights)
    close(y, image[:, :, 0, 0])
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, *weights)]
    twin = dense_block_torch(leaves[0], leaves[1:])
    close(twin.detach(), y)
    # Euler: y is homogeneous of degree one in x, so Σ x · ∂(Σ y)/∂x = Σ y
    scaled = sum((g * a).sum() for g, a in zip(torch.autograd.grad(twin.sum(), leaves[:1]), leaves[:1]))
    close(scaled.detach(), y.sum())


@rounds
@given(seeds)
def test_a_dense_block_returns_its_input_first_and_leaves_it_alone(seed):
    x, weights = dense(seed)
    before = x.copy()
    y = dense_block(x, weights)
    y += 1
    np.testing.assert_array_equal(x, before)
    close(y[:, : x.shape[1]] - 1, x)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((64, 32, [6, 12, 24, 16]), [256, 128, 512, 256, 1024, 512, 1024]),
        ((16, 12, [12, 12, 12], 1.0), [160, 160, 304, 304, 448]),
        ((24, 12, [5]), [84]),
        ((3, 2, [1, 1, 1], 0.5), [5, 2, 4, 2, 4]),
    ],
)
def test_channels_along_a_densenet(arguments, expected):
    assert densenet_channels(*arguments) == expected


@pytest.mark.parametrize(
    ("k0", "k", "blocks", "published"),
    [
        (64, 32, [6, 12, 24, 16], 7_978_856),
        (64, 32, [6, 12, 32, 32], 14_149_480),
        (64, 32, [6, 12, 48, 32], 20_013_928),
        (96, 48, [6, 12, 36, 24], 28_681_000),
    ],
)
def test_densenets_weigh_what_is_published(k0, k, blocks, published):
    count = densenet_param_count(k0, k, blocks)
    assert (count, type(count)) == (published, int)


@rounds
@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.lists(st.integers(1, 4), min_size=1, max_size=4),
    st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    st.integers(1, 20),
)
def test_a_densenet_counts_the_parameters_of_torchs_layers(k0, k, blocks, theta, classes):
    k0 = 4 * k0
    modules, c = [conv(3, k0, 7), norm(k0)], k0
    after = densenet_channels(k0, k, blocks, theta)
    for i, layers in enumerate(blocks):
        for _ in range(layers):
            modules += [norm(c), conv(c, 4 * k, 1), norm(4 * k), conv(4 * k, k, 3)]
            c += k
        assert c == after[2 * i]
        if i < len(blocks) - 1:
            modules += [norm(c), conv(c, after[2 * i + 1], 1)]
            c = after[2 * i + 1]
    modules += [norm(c), nn.Linear(c, classes, device="meta")]
    assert densenet_param_count(k0, k, blocks, theta, classes) == weight_count(*modules)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_twins_keep_dtype_and_device(dtype):
    x, W1, W2, Ws = (torch.ones(*shape, dtype=dtype, device="meta") for shape in ((2, 3), (3, 4), (4, 5), (3, 5)))
    found = [residual_block_torch(x, W1, W2, kind, Ws) for kind in KINDS]
    found.append(dense_block_torch(x, [W1[:, :1], W1.new_ones(4, 1)]))
    assert all((y.shape, y.dtype, y.device.type) == ((2, 5), dtype, "meta") for y in found)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("kind", lambda: residual_block(X, W1, W2, "sum")),
        ("kind", lambda: residual_block_backward(X, X, W1, W2, "wide")),
        ("kind", lambda: residual_block_torch(*map(torch.tensor, (X, W1, W2)), "sum")),
        ("kind", lambda: resnet_block_param_count("pre", 64, 64)),
        ("kind", lambda: resnet_param_count("wide", [2, 2])),
        ("W1", lambda: residual_block(X, W1.T, W2)),
        ("W2", lambda: residual_block(X, W1, W2[:, :1])),
        ("W2", lambda: residual_block(X, W1, W2, "post", np.ones((2, 3)))),
        ("Ws", lambda: residual_block(X, W1, W2, "post", np.ones((3, 2)))),
        ("x", lambda: residual_block_backward(X[:1], X, W1, W2)),
        ("weights", lambda: dense_block(X, [np.ones((2, 1)), np.ones((2, 1))])),
        ("weights", lambda: dense_block_torch(torch.tensor(X), [torch.ones(3, 1)])),
        ("theta", lambda: densenet_channels(8, 4, [1, 1], 0.0)),
        ("theta", lambda: densenet_param_count(8, 4, [1, 1], 1.5)),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        call()
