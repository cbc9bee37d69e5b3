"""The reference of segmentation against torch's layers, exhaustive tracing, counting by sets, and the papers' sizes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.nn_basics import conv_out_size
from reference.segmentation import (
    conv_transpose2d,
    fcn_shape_plan,
    max_pool_indices,
    max_unpool,
    pixel_cross_entropy,
    receptive_field,
    segmentation_scores,
    transposed_size,
    unet_shape_plan,
)

VGG = [layer for n in (2, 2, 3, 3, 3) for layer in [(3, 1, 1)] * n + [(2, 2, 1)]]  # convolutions and poolings of VGG-16
ALEX = [(11, 4, 1), (3, 2, 1), (5, 1, 1), (3, 2, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 1)]

rounds = settings(max_examples=60, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
stacks = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)), max_size=3)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-11, atol=1e-12)


def upsampling(seed):
    rng = np.random.default_rng(seed)
    N, C, M, K, stride = map(int, rng.integers(1, 5, 5))
    padding = int(rng.integers(0, (K + 1) // 2))
    return rng.normal(size=(N, C, *rng.integers(1, 6, 2))), rng.normal(size=(C, M, K, K)), stride, padding


def batch(seed, ignore=255):
    rng = np.random.default_rng(seed)
    N, C, H, W = rng.integers(1, 5, 4)
    labels = rng.integers(0, C, (N, H, W))
    labels[rng.random(labels.shape) < 0.3] = ignore
    return 3 * rng.normal(size=(N, C, H, W)), labels


def maps(seed):
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(1, 6))
    shape = rng.integers(1, 5, 3)
    return *(rng.choice(rng.integers(0, classes, 3), shape) for _ in range(2)), classes


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([], (1, 1)),
        (VGG, (212, 32)),
        ([*VGG, (7, 1, 1)], (404, 32)),  # Long et al., Table 1: VGG-16 as a fully convolutional network
        ([*VGG[:-1], (3, 1, 1)], (228, 16)),  # Ren et al. 2015, §3.1
        ([*ALEX, (6, 1, 1)], (355, 32)),  # Long et al., Table 1: AlexNet
    ],
)
def test_receptive_fields_are_the_published_ones(layers, expected):
    assert receptive_field(layers) == expected


def test_dilated_layers_widen_the_field_as_yu_and_koltun_print_it():
    stack = [(3, 1, d) for d in (1, 1, 2, 4, 8, 16, 1)]
    assert [receptive_field(stack[:n])[0] for n in range(1, 8)] == [3, 5, 9, 17, 33, 65, 67]


@rounds
@given(stacks)
def test_the_field_is_where_the_gradient_of_one_output_reaches(layers):
    field, jump = receptive_field(layers)
    x = torch.zeros(1, 1, field + 2 * jump, dtype=torch.float64, requires_grad=True)
    y = x
    for kernel, stride, dilation in layers:
        y = functional.conv1d(y, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride, dilation=dilation)
    assert y.shape[-1] == 3
    reached = [torch.autograd.grad(y[0, 0, i], x, retain_graph=True)[0].nonzero()[:, 2] for i in range(2)]
    assert int(reached[0].max() - reached[0].min()) + 1 == field
    assert int(reached[1].min() - reached[0].min()) == jump


@rounds
@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2), st.integers(0, 3))
def test_the_size_is_that_of_torchs_layer(size, kernel, stride, padding, more):
    padding, more = min(padding, (kernel - 1) // 2), more % stride
    layer = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding, more, device="meta")
    expected = layer(torch.empty(1, 1, size, device="meta")).shape[-1]
    assert transposed_size(size, kernel, stride, padding, more) == expected


def test_the_published_fcn_enlarges_to_its_sizes():
    found = (
        transposed_size(16, 64, 32),
        transposed_size(16, 4, 2),
        transposed_size(34, 4, 2),
        transposed_size(70, 16, 8),
    )
    assert found == (544, 34, 70, 568)
    assert (transposed_size(28, 2, 2), transposed_size(16, 64, 32, 16), transposed_size(7, 3, 2, 1, 1)) == (56, 512, 14)
    assert (conv_out_size(65, 3, 1, 2, 2), conv_out_size(572, 3)) == (65, 570)


@rounds
@given(seeds)
def test_transposed_convolution_is_torchs(seed):
    x, w, stride, padding = upsampling(seed)
    expected = functional.conv_transpose2d(torch.tensor(x), torch.tensor(w), stride=stride, padding=padding)
    close(conv_transpose2d(x, w, stride, padding), expected.numpy())


@rounds
@given(seeds)
def test_transposed_convolution_is_the_backward_pass_of_a_convolution(seed):
    x, w, stride, padding = upsampling(seed)
    y = conv_transpose2d(x, w, stride, padding)
    z = torch.zeros(y.shape, dtype=torch.float64, requires_grad=True)
    forward = functional.conv2d(z, torch.tensor(w), stride=stride, padding=padding)
    close(y, torch.autograd.grad(forward, z, torch.tensor(x))[0].numpy())


def test_transposed_convolution_matches_the_worked_examples():
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    w = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
    close(conv_transpose2d(x, w, 2, 1), [[[[5.0, 14.0, 10.0], [14.0, 36.0, 24.0], [15.0, 34.0, 20.0]]]])
    w = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
    expected = [[[[1.0, 12.0, 20.0], [103.0, 1234.0, 2040.0], [300.0, 3400.0, 4000.0]]]]
    close(conv_transpose2d(x, w), expected)


@rounds
@given(st.integers(1, 700), st.sampled_from([32, 16, 8]))
def test_fcn_sides_are_those_of_torchs_poolings_and_the_crops_lead_back(size, stride):
    x, pooled = torch.zeros(1, 1, size), []
    for _ in range(5):
        x = functional.max_pool1d(x, 2, ceil_mode=True)
        pooled.insert(0, x.shape[-1])
    sides, crops = fcn_shape_plan(size, stride)
    assert sides == pooled[: {32: 1, 16: 2, 8: 3}[stride]]
    for side, crop, wanted, factor in zip(sides, crops, [*sides[1:], size], [2] * (len(sides) - 1) + [stride]):
        assert transposed_size(side, 2 * factor, factor, factor // 2) - crop == wanted
        assert 0 <= crop < factor


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (fcn_shape_plan(512, 32), ([16], [0])),
        (fcn_shape_plan(512, 8), ([16, 32, 64], [0, 0, 0])),
        (fcn_shape_plan(500, 16), ([16, 32], [0, 12])),
        (fcn_shape_plan(500, 8), ([16, 32, 63], [0, 1, 4])),
        (unet_shape_plan(572, 4), (388, [8, 32, 80, 176])),  # Ronneberger et al., Fig. 1
        (unet_shape_plan(256, 4, 1), (256, [0, 0, 0, 0])),
        (unet_shape_plan(284, 3), (196, [8, 32, 80])),
        (unet_shape_plan(20, 0), (16, [])),
    ],
)
def test_plans_give_the_published_sizes(found, expected):
    assert found == expected


@rounds
@given(st.integers(0, 3), st.integers(8, 14), st.integers(0, 1))
def test_unet_sizes_are_those_of_torchs_layers(depth, bottom, padding):
    size = 2**depth * bottom + (0 if padding else 4 * (2**depth - 1))
    ones = torch.ones(1, 1, 3)
    convs = lambda x: functional.conv1d(functional.conv1d(x, ones, padding=padding), ones, padding=padding)
    x, skips, crops = torch.zeros(1, 1, size), [], []
    for _ in range(depth):
        skips.append(convs(x))
        x = functional.max_pool1d(skips[-1], 2)
    x = convs(x)
    for skip in reversed(skips):
        x = functional.conv_transpose1d(x, torch.ones(1, 1, 2), stride=2)
        crops.append(skip.shape[-1] - x.shape[-1])
        x = convs(x)
    assert unet_shape_plan(size, depth, padding) == (x.shape[-1], crops)


@rounds
@given(seeds, st.booleans())
def test_pooling_and_unpooling_are_torchs_with_ties_too(seed, ties):
    rng = np.random.default_rng(seed)
    N, C, h, w, k = map(int, rng.integers(1, 4, 5))
    x = rng.normal(size=(N, C, h * k, w * k))
    x = np.round(x) if ties else x
    values, indices = max_pool_indices(x, k)
    expected, at = functional.max_pool2d(torch.tensor(x), k, return_indices=True)
    close(values, expected.numpy())
    np.testing.assert_array_equal(indices, at.numpy())
    close(max_unpool(values, indices, k), functional.max_unpool2d(expected, at, k).numpy())


def test_pooling_and_unpooling_match_the_worked_examples():
    x = np.array([[[[1.0, 5, 2, 0], [3, 4, 7, 7], [0, 1, 1, 2], [9, 8, 3, 2]]]])
    values, indices = max_pool_indices(x, 2)
    close(values, [[[[5, 7], [9, 3]]]])
    assert indices.tolist() == [[[[1, 6], [12, 14]]]]
    close(max_unpool(values, indices, 2), [[[[0, 5, 0, 0], [0, 0, 7, 0], [0, 0, 0, 0], [9, 0, 3, 0]]]])
    negative = max_unpool(np.array([[[[-1.0, 2.0]]]]), np.array([[[[4, 3]]]]), 2)
    close(negative, [[[[0, 0, 0, 2], [-1, 0, 0, 0]]]])


@rounds
@given(seeds, st.sampled_from([255, -1, 9]))
def test_loss_and_gradient_are_torchs(seed, ignore):
    logits, labels = batch(seed, ignore)
    if (labels == ignore).all():
        return
    z = torch.tensor(logits, requires_grad=True)
    expected = functional.cross_entropy(z, torch.tensor(labels), ignore_index=ignore)
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    close(loss, expected.item())
    close(dlogits, torch.autograd.grad(expected, z)[0].numpy())


def test_loss_and_gradient_have_the_golden_values():
    q = np.array([[[[2.0, 0], [1, -1]], [[0, 1], [0, 3]], [[-1, 0], [4, 1]]]])
    loss, dlogits = pixel_cross_entropy(q, np.array([[[0, 1], [255, 2]]]))
    close(loss, 0.9547407873294121)
    expected = [
        [[-0.052068421839553514, 0.07064718587236181], [0, 0.005292079992155586]],
        [[0.038065066461531495, -0.14129437174472362], [0, 0.2889377773991116]],
        [[0.014003355378022017, 0.07064718587236181], [0, -0.2942298573912672]],
    ]
    close(dlogits[0], expected)
    loss, dlogits = pixel_cross_entropy(q, np.array([[[0, 1], [1, 2]]]))
    close(loss, 1.7325265664364164)
    close(dlogits[0, :, 1, 0], [0.011653155644493473, -0.2457130436136199, 0.23405988796912644])
    loss, dlogits = pixel_cross_entropy(0 * q, np.array([[[0, 1], [1, 2]]]))
    close(loss, 1.0986122886681098)
    close(np.unique(dlogits.round(14)), [-1 / 6, 1 / 12])


def test_a_batch_of_void_pixels_costs_nothing_and_huge_scores_stay_finite():
    loss, dlogits = pixel_cross_entropy(np.ones((1, 2, 2, 3)), np.full((1, 2, 3), 255))
    assert loss == 0.0
    assert not dlogits.any()
    far = np.array([[[[1000.0, 1000.0]], [[0.0, 0.0]]]])
    close(pixel_cross_entropy(far, np.array([[[0, 1]]]))[0], 500.0)


@rounds
@given(seeds)
def test_scores_are_those_of_sets_of_pixels(seed):
    predicted, labels, classes = maps(seed)
    scores = segmentation_scores(predicted, labels, classes)
    where = lambda found, c: set(np.flatnonzero(found == c).tolist())
    pairs = [(where(predicted, c), where(labels, c)) for c in range(classes)]
    iou = [len(p & t) / len(p | t) if p | t else 0.0 for p, t in pairs]
    close(scores["iou"], iou)
    close(scores["dice"], [2 * len(p & t) / (len(p) + len(t)) if p | t else 0.0 for p, t in pairs])
    close(scores["miou"], np.mean([i for i, (p, t) in zip(iou, pairs) if p | t]))
    close(scores["mean_accuracy"], np.mean([len(p & t) / len(t) for p, t in pairs if t]))
    close(scores["pixel_accuracy"], np.mean(predicted == labels))
    counts = [[len(pairs[p][0] & pairs[t][1]) for p in range(classes)] for t in range(classes)]
    assert scores["confusion"].tolist() == counts


def test_scores_have_the_golden_values():
    scores = segmentation_scores(np.array([[0, 0, 1], [1, 2, 2]]), np.array([[0, 1, 1], [1, 2, 0]]), 4)
    close(scores["pixel_accuracy"], 2 / 3)
    close(scores["mean_accuracy"], 0.7222222222222222)
    close(scores["iou"], [1 / 3, 2 / 3, 0.5, 0])
    close(scores["dice"], [0.5, 0.8, 2 / 3, 0])
    close(scores["miou"], 0.5)
    assert scores["confusion"].tolist() == [[1, 0, 1, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]


def test_a_map_of_background_scores_high_by_pixels_and_low_by_classes():
    labels = np.repeat([0, 1], [95, 5])
    scores = segmentation_scores(0 * labels, labels, 2)
    close([scores["pixel_accuracy"], scores["mean_accuracy"], scores["miou"]], [0.95, 0.5, 0.475])


ONE, TWO = np.ones((1, 2, 4, 4)), np.zeros((1, 4, 4), int)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("layers", lambda: receptive_field([(3, 0, 1)])),
        ("layers", lambda: receptive_field([(3, 1, 1), (3, 1, 0)])),
        ("kernel", lambda: transposed_size(4, 0)),
        ("stride", lambda: transposed_size(4, 3, 0)),
        ("output_padding", lambda: transposed_size(4, 3, 2, 1, 2)),
        ("size", lambda: transposed_size(1, 2, 1, 1)),
        ("w", lambda: conv_transpose2d(ONE, np.ones((3, 2, 2, 2)))),
        ("w", lambda: conv_transpose2d(ONE, np.ones((2, 3, 2, 3)))),
        ("padding", lambda: conv_transpose2d(ONE, np.ones((2, 3, 2, 2)), 1, 3)),
        ("stride", lambda: fcn_shape_plan(100, 4)),
        ("size", lambda: fcn_shape_plan(0, 8)),
        ("k", lambda: max_pool_indices(ONE, 3)),
        ("indices", lambda: max_unpool(ONE, np.zeros((1, 2, 4, 3), int), 2)),
        ("indices", lambda: max_unpool(ONE, np.full((1, 2, 4, 4), 64), 2)),
        ("size", lambda: unet_shape_plan(571, 4)),
        ("size", lambda: unet_shape_plan(20, 2)),
        ("depth", lambda: unet_shape_plan(20, -1)),
        ("labels", lambda: pixel_cross_entropy(ONE, TWO + 2)),
        ("labels", lambda: pixel_cross_entropy(ONE, TWO - 1)),
        ("labels", lambda: pixel_cross_entropy(ONE, TWO[:, :3])),
        ("predicted", lambda: segmentation_scores(TWO, TWO[0], 2)),
        ("labels", lambda: segmentation_scores(TWO, TWO + 2, 2)),
        ("predicted", lambda: segmentation_scores(TWO - 1, TWO, 2)),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"\b{name}\b"):
        call()
