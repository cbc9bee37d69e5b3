"""The reference of normalisation against torch's own layers, autograd, limits and numbers worked out elsewhere."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.normalization import (
    batchnorm_backward,
    batchnorm_forward,
    fold_batchnorm,
    groupnorm_forward,
    layernorm_backward,
    layernorm_forward,
    norm_stats_count,
)
from reference.normalization_torch import batchnorm_forward_torch, layernorm_forward_torch

X = np.array([[1.0, 2.0], [3.0, 6.0], [8.0, 1.0]])
GAMMA, BETA = np.array([2.0, 1.0]), np.array([0.5, -1.0])
START = np.zeros(2), np.ones(2)

rounds = settings(max_examples=60, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected, rtol=1e-11):
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=rtol, atol=1e-12)


def batch(seed):
    """x (vectors or images), γ, β, running mean and variance, and what comes back from above."""
    rng = np.random.default_rng(seed)
    C = int(rng.integers(1, 6))
    pixels = rng.integers(1, 4, 2) if rng.random() < 0.5 else ()
    x = rng.normal(rng.normal(0, 3), rng.uniform(0.5, 3), (rng.integers(2, 7), C, *pixels))
    gamma, beta, mean = rng.normal(size=(3, C))
    return x, gamma, beta, mean, rng.uniform(0.1, 3, C), rng.normal(size=x.shape)


def layer(seed):
    """x, and γ and β of the shape of its last axes, and what comes back from above."""
    rng = np.random.default_rng(seed)
    lead, last = rng.integers(1, 4, rng.integers(1, 3)), rng.integers(2, 4, rng.integers(1, 4))
    x = rng.normal(rng.normal(0, 3), 2, (*lead, *last))
    return x, *rng.normal(size=(2, *last)), rng.normal(size=x.shape)


def tensors(*arrays):
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def constants(*arrays):
    return [torch.tensor(a) for a in arrays]


def arrays(values):
    return [v.detach().numpy() for v in values]


def test_golden_batchnorm_training():
    expected = (
        [
            [-1.5380974856351388, -1.4629095539120194],
            [-0.17936582854504635, 0.38872866173605813],
            [3.2174633141801854, -1.9258191078240388],
        ],
        [0.4, 0.30000000000000004],
        [2.2, 1.6],
    )
    close(batchnorm_forward(X, GAMMA, BETA, *START, True), expected)


def test_golden_batchnorm_prediction():
    running = np.array([1.0, 2.0]), np.array([4.0, 9.0])
    y = [[0.5, -1.0], [2.4999975000046875, 0.3333325925932098], [7.499991250016405, -1.3333331481483024]]
    close(batchnorm_forward(X, GAMMA, BETA, *running, False), (y, *running))


def test_golden_batchnorm_gradients():
    dy = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    dx = [
        [0.21774572921102886, 0.16532448641610745],
        [-0.30484355056579393, -0.033063905336302955],
        [0.08709782135476517, -0.1322605810798045],
    ]
    close(batchnorm_backward(dy, X, GAMMA, *START, True), (dx, [-1.0190487428175694, 2.3145477695600967], [1.0, 0.0]))


def test_golden_layernorm():
    half, third, last = 0.9999800005999799, 0.9999977777851852, 0.9999995918369846
    close(layernorm_forward(X, np.ones(2), np.zeros(2)), [[-half, half], [-third, third], [last, -last]])
    y = layernorm_forward(np.array([[1.0, 2.0, 4.0]]), np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 1.0]))
    close(y, [[-1.0690415314502977, -0.5345207657251491, 5.008905742938616]])


def test_golden_groupnorm():
    x = np.arange(8.0).reshape(1, 4, 1, 2) ** 2
    expected = [
        [-0.9999995918369846, -0.7142854227407033],
        [0.14285708454814067, 1.5714279300295473],
        [-1.2561833513793488, -0.5267865667074689],
        [0.36469839233594, 1.4182715257508778],
    ]
    close(groupnorm_forward(x, np.ones(4), np.zeros(4), 2)[0, :, 0], expected)


def test_golden_counts():
    counts = [norm_stats_count(kind, (8, 6, 4, 4), 3) for kind in ("batch", "layer", "instance", "group")]
    assert counts == [(6, 128), (8, 96), (48, 16), (24, 32)]


def test_golden_fold():
    W, running = np.array([[1.0, 2.0], [3.0, 4.0]]), (np.array([1.0, 2.0]), np.array([4.0, 9.0]))
    expected = (
        [[0.9999987500023437, 1.9999988888898148], [2.9999962500070314, 3.9999977777796296]],
        [0.0, 5.555550925961938e-07],
    )
    close(fold_batchnorm(W, np.ones(2), np.array([2.0, 3.0]), np.array([0.0, 1.0]), *running), expected)


@rounds
@given(seeds, st.booleans(), st.floats(0.05, 0.95), st.sampled_from([1e-5, 1e-2]))
def test_batchnorm_is_torch_s_own(seed, train, momentum, eps):
    x, gamma, beta, mean, var, _ = batch(seed)
    after = constants(mean.copy(), var.copy())
    y = functional.batch_norm(torch.tensor(x), *after, *constants(gamma, beta), train, momentum, eps)
    close(batchnorm_forward(x, gamma, beta, mean, var, train, momentum, eps), [*arrays([y]), *arrays(after)])


@rounds
@given(seeds, st.booleans())
def test_batchnorm_gradients_are_those_of_torch_s_own_layer(seed, train):
    x, gamma, beta, mean, var, dy = batch(seed)
    leaves = tensors(x, gamma, beta)
    y = functional.batch_norm(leaves[0], *constants(mean, var), *leaves[1:], train)
    gradients = arrays(torch.autograd.grad(y, leaves, torch.tensor(dy)))
    close(batchnorm_backward(dy, x, gamma, mean, var, train), gradients, rtol=1e-9)


@rounds
@given(seeds)
def test_layernorm_and_its_gradients_are_torch_s_own(seed):
    x, gamma, beta, dy = layer(seed)
    leaves = tensors(x, gamma, beta)
    y = functional.layer_norm(leaves[0], gamma.shape, *leaves[1:])
    close([layernorm_forward(x, gamma, beta)], arrays([y]))
    gradients = arrays(torch.autograd.grad(y, leaves, torch.tensor(dy)))
    close(layernorm_backward(dy, x, gamma), gradients, rtol=1e-9)


@rounds
@given(seeds, st.integers(1, 3), st.integers(1, 3))
def test_groupnorm_is_torch_s_own_and_instance_norm_with_one_channel_a_group(seed, groups, size):
    rng = np.random.default_rng(seed)
    C = groups * size
    x = rng.normal(1, 2, (2, C, *rng.integers(2, 4, rng.integers(1, 3))))
    gamma, beta = rng.normal(size=(2, C))
    tensors_ = constants(x, gamma, beta)
    close(
        [groupnorm_forward(x, gamma, beta, groups)], arrays([functional.group_norm(tensors_[0], groups, *tensors_[1:])])
    )
    instance = functional.instance_norm(tensors_[0], weight=tensors_[1], bias=tensors_[2])
    close([groupnorm_forward(x, gamma, beta, C)], arrays([instance]))


@rounds
@given(seeds, st.booleans())
def test_batchnorm_gradients_match_differences(seed, train):
    x, gamma, beta, mean, var, dy = batch(seed)
    rng = np.random.default_rng(seed)
    along = [rng.normal(size=a.shape) for a in (x, gamma, beta)]
    loss = lambda h: np.sum(
        dy * batchnorm_forward(*(a + h * d for a, d in zip((x, gamma, beta), along)), mean, var, train, eps=0.1)[0]
    )
    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    gradients = batchnorm_backward(dy, x, gamma, mean, var, train, eps=0.1)
    assert sum(np.sum(g * d) for g, d in zip(gradients, along)) == pytest.approx(slope, rel=1e-5, abs=1e-5)


@rounds
@given(seeds)
def test_layernorm_gradients_match_differences(seed):
    x, gamma, beta, dy = layer(seed)
    rng = np.random.default_rng(seed)
    along = [rng.normal(size=a.shape) for a in (x, gamma, beta)]
    loss = lambda h: np.sum(dy * layernorm_forward(*(a + h * d for a, d in zip((x, gamma, beta), along)), eps=0.1))
    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    gradients = layernorm_backward(dy, x, gamma, eps=0.1)
    assert sum(np.sum(g * d) for g, d in zip(gradients, along)) == pytest.approx(slope, rel=1e-5, abs=1e-5)


@rounds
@given(seeds, st.integers(2, 5))
def test_running_variance_is_unbiased_for_the_population(seed, n):
    """Over all batches of n values drawn with replacement from a population, the stored variance averages to its own."""
    population = np.random.default_rng(seed).normal(size=3)
    batches = np.stack(np.meshgrid(*[population] * n)).reshape(n, -1)
    _, mean, var = batchnorm_forward(
        batches, *(np.full(batches.shape[1], v) for v in (1.0, 0.0, 9.0, 9.0)), True, momentum=1.0
    )
    assert mean.mean() == pytest.approx(population.mean())
    assert var.mean() == pytest.approx(population.var())


@rounds
@given(seeds)
def test_repeated_batches_lead_the_running_statistics_to_those_of_the_batch(seed):
    x, gamma, beta, mean, var, _ = batch(seed)
    for _ in range(40):
        y, mean, var = batchnorm_forward(x, gamma, beta, mean, var, True, momentum=0.5)
    n = x.size // x.shape[1]
    at_prediction, *_ = batchnorm_forward(x, gamma, beta, mean, var * (n - 1) / n, False)
    close([at_prediction], [y], rtol=1e-8)


@rounds
@given(seeds)
def test_gamma_and_beta_can_undo_the_normalisation(seed):
    x, _, _, mean, var, _ = batch(seed)
    axes = (0, *range(2, x.ndim))
    y, *_ = batchnorm_forward(x, np.sqrt(x.var(axis=axes) + 1e-5), x.mean(axis=axes), mean, var, True)
    close([y], [x], rtol=1e-9)


def test_what_has_no_spread_becomes_beta():
    x, beta = np.full((2, 4, 1, 3), 7.25), np.array([1.0, -2.0, 3.0, 0.5])
    expected = np.broadcast_to(beta[:, None, None], x.shape)
    close([batchnorm_forward(x, np.full(4, 3.0), beta, np.zeros(4), np.ones(4), True)[0]], [expected])
    close([groupnorm_forward(x, np.full(4, 3.0), beta, 2)], [expected])
    pixels = np.random.default_rng(0).normal(size=(3, 4, 1, 1))  # instance norm of one pixel
    close([groupnorm_forward(pixels, np.ones(4), beta, 4)], [np.broadcast_to(beta[:, None, None], pixels.shape)])
    close([layernorm_forward(x[:, :, 0, 0], np.full(4, 3.0), beta)], [np.broadcast_to(beta, (2, 4))])


def test_one_sample_is_enough_for_prediction_and_for_layer_and_group_norm():
    x = np.array([[1.0, 2.0, 4.0, 9.0]])
    running = np.full(4, 2.0), np.full(4, 4.0)
    y, *_ = batchnorm_forward(x, np.ones(4), np.zeros(4), *running, False, eps=1e-12)
    close([y], [(x - 2) / 2])
    close([groupnorm_forward(x, np.ones(4), np.zeros(4), 1)], [layernorm_forward(x, np.ones(4), np.zeros(4))])


@rounds
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_counts_are_those_of_the_labels_of_all_values(N, G, size, H, W):
    n, c, *_ = np.indices((N, G * size, H, W))
    labels = {"batch": c, "layer": n, "instance": n * G * size + c, "group": n * G + c // size}
    for kind, label in labels.items():
        _, sizes = np.unique(label, return_counts=True)
        assert norm_stats_count(kind, label.shape, G) == (len(sizes), sizes[0])


@rounds
@given(seeds)
def test_folding_leaves_prediction_as_it_is(seed):
    rng = np.random.default_rng(seed)
    D_in, D_out = rng.integers(1, 6, 2)
    W, x = rng.normal(size=(D_in, D_out)), rng.normal(size=(4, D_in))
    b, gamma, beta, mean = rng.normal(size=(4, D_out))
    var = rng.uniform(0.1, 3, D_out)
    folded, shift = fold_batchnorm(W, b, gamma, beta, mean, var)
    y = functional.batch_norm(*constants(x @ W + b, mean, var, gamma, beta), False)
    close([x @ folded + shift], arrays([y]), rtol=1e-9)


@rounds
@given(seeds, st.booleans(), st.sampled_from([torch.float64, torch.float32]))
def test_batchnorm_on_tensors_is_the_reference_in_every_dtype(seed, train, dtype):
    *args, _ = batch(seed)
    values = batchnorm_forward_torch(*(torch.tensor(a, dtype=dtype) for a in args), train)
    assert {v.dtype for v in values} == {dtype}
    for value, expected in zip(values, batchnorm_forward(*args, train), strict=True):
        np.testing.assert_allclose(value, expected, **tolerance(dtype))


@rounds
@given(seeds, st.sampled_from([torch.float64, torch.float32]))
def test_layernorm_on_tensors_is_the_reference_in_every_dtype(seed, dtype):
    *args, _ = layer(seed)
    value = layernorm_forward_torch(*(torch.tensor(a, dtype=dtype) for a in args))
    assert value.dtype == dtype
    np.testing.assert_allclose(value, layernorm_forward(*args), **tolerance(dtype))


def tolerance(dtype):
    return {"rtol": 1e-10, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 2e-3, "atol": 2e-3}


@rounds
@given(seeds, st.booleans())
def test_autograd_on_tensors_gives_the_backward_formulas(seed, train):
    x, gamma, beta, mean, var, dy = batch(seed)
    leaves = tensors(x, gamma, beta)
    y, *running = batchnorm_forward_torch(*leaves, *constants(mean, var), train)
    assert not any(r.requires_grad for r in running)
    gradients = torch.autograd.grad(y, leaves, torch.tensor(dy))
    close(arrays(gradients), batchnorm_backward(dy, x, gamma, mean, var, train), rtol=1e-9)
    x, gamma, beta, dy = layer(seed)
    leaves = tensors(x, gamma, beta)
    gradients = torch.autograd.grad(layernorm_forward_torch(*leaves), leaves, torch.tensor(dy))
    close(arrays(gradients), layernorm_backward(dy, x, gamma), rtol=1e-9)


@pytest.mark.parametrize("train", [True, False])
def test_running_statistics_come_back_as_new_tensors_and_those_passed_in_stay(train):
    mean, var = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    _, *running = batchnorm_forward_torch(*constants(X, GAMMA, BETA), mean, var, train)
    for after in running:
        after.fill_(7.0)
    assert torch.equal(mean, torch.zeros_like(mean))
    assert torch.equal(var, torch.ones_like(var))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_tensors_stay_on_their_device():
    args = [torch.tensor(a, device="cuda") for a in (X, GAMMA, BETA, *START)]
    for train in (True, False):
        values = batchnorm_forward_torch(*args, train)
        assert {v.device.type for v in values} == {"cuda"}
        close([v.cpu().numpy() for v in values], batchnorm_forward(X, GAMMA, BETA, *START, train))
    value = layernorm_forward_torch(*args[:3])
    assert value.device.type == "cuda"
    close(value.cpu().numpy(), layernorm_forward(X, GAMMA, BETA))


two = np.ones(2)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("gamma", lambda: batchnorm_forward(X, np.ones(3), BETA, *START, True)),
        ("running_var", lambda: batchnorm_forward(X, GAMMA, BETA, two, np.ones(3), True)),
        ("x", lambda: batchnorm_forward(X[:1], GAMMA, BETA, *START, True)),
        ("eps", lambda: batchnorm_forward(X, GAMMA, BETA, *START, True, eps=0)),
        ("dy", lambda: batchnorm_backward(X[:2], X, GAMMA, *START, True)),
        ("gamma", lambda: layernorm_forward(X, np.ones(3), np.ones(3))),
        ("beta", lambda: layernorm_forward(X, two, np.ones(3))),
        ("eps", lambda: layernorm_backward(X, X, two, eps=-1)),
        ("groups", lambda: groupnorm_forward(X, GAMMA, BETA, 0)),
        ("groups", lambda: groupnorm_forward(X, GAMMA, BETA, 3)),
        ("kind", lambda: norm_stats_count("weight", (2, 3, 4, 5))),
        ("groups", lambda: norm_stats_count("group", (2, 3, 4, 5), 2)),
        ("shape", lambda: norm_stats_count("batch", (2, 0, 4, 5))),
        ("b", lambda: fold_batchnorm(X, np.ones(3), GAMMA, BETA, *START)),
        ("eps", lambda: fold_batchnorm(X, two, GAMMA, BETA, *START, eps=0)),
        ("x", lambda: batchnorm_forward_torch(*constants(X[:1], GAMMA, BETA, *START), True)),
    ],
)
def test_a_bad_argument_is_refused_by_its_name(name, call):
    with pytest.raises(ValueError, match=rf"^{name} "):
        call()
