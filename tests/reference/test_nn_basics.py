"""The basics against torch, differences, counting, and values worked out beforehand."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from reference import nn_basics as ref

rng = np.random.default_rng(20)
KINDS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": F.relu, "leaky_relu": F.leaky_relu}


def tensor(array, grad=False):
    return torch.tensor(array, requires_grad=grad)


@pytest.mark.parametrize("kind", KINDS)
def test_activations_and_slopes_are_those_of_torch(kind):
    x = tensor(3 * rng.standard_normal(200), grad=True)
    y = KINDS[kind](x)
    y.sum().backward()
    value, slope = ref.activation(x.detach().numpy(), kind)
    np.testing.assert_allclose(value, y.detach(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope, x.grad, rtol=1e-12, atol=1e-15)


def test_the_slope_of_the_sigmoid_is_largest_at_0_where_it_is_a_quarter():
    slope = ref.activation(np.linspace(-5, 5, 1001), "sigmoid")[1]
    assert slope.max() == slope[500] == 0.25


@pytest.mark.parametrize("scale", [1, 30, 1000])
def test_cross_entropy_and_its_gradient_are_those_of_torch(scale):
    for _ in range(20):
        n, k = rng.integers(1, 6), rng.integers(2, 6)
        z, labels = tensor(scale * rng.standard_normal((n, k)), grad=True), rng.integers(k, size=n)
        loss = F.cross_entropy(z, tensor(labels))
        loss.backward()
        value, grad = ref.softmax_cross_entropy(z.detach().numpy(), labels)
        np.testing.assert_allclose(value, loss.item(), rtol=1e-12)
        np.testing.assert_allclose(grad, z.grad, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_back_propagation_is_autograd(kind):
    for _ in range(10):
        n, d, h, k = rng.integers(1, 5, size=4) + 1
        arrays = [rng.standard_normal(s) for s in ((n, d), (d, h), h, (h, k), k)]
        labels = rng.integers(k, size=n)
        x, *p = [tensor(a, grad=True) for a in arrays]
        loss = F.cross_entropy(KINDS[kind](x @ p[0] + p[1]) @ p[2] + p[3], tensor(labels))
        loss.backward()
        value, *grads = ref.mlp_loss(arrays[0], labels, *arrays[1:], kind)
        np.testing.assert_allclose(value, loss.item(), rtol=1e-12)
        for grad, parameter in zip(grads, p, strict=True):
            np.testing.assert_allclose(grad, parameter.grad, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("kind", "gain"), [("lecun", "tanh"), ("he", "relu")])
def test_initial_values_keep_the_variance_of_a_deep_signal(kind, gain):
    x = rng.standard_normal((400, 200))
    for _ in range(8):
        x = x @ ref.init_weights(rng.standard_normal((200, 200)), kind)
        x = np.maximum(x, 0) if gain == "relu" else x
    assert 0.3 < np.mean(x**2) < 3


def test_xavier_has_the_variance_of_torch():
    w = torch.empty(400, 100, dtype=torch.float64)
    torch.nn.init.xavier_normal_(w, generator=torch.Generator().manual_seed(0))
    ours = ref.init_weights(rng.standard_normal((400, 100)), "xavier")
    assert ours.std() == pytest.approx(w.std().item(), rel=0.02)


OPTIMISERS = {
    "sgd": (lambda p: torch.optim.SGD(p, lr=0.1), lambda w, g, s, t: (ref.sgd_step(w, g, 0.1), s), 0),
    "momentum": (
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda w, g, s, t: _split(ref.momentum_step(w, g, *s, 0.1)),
        1,
    ),
    "adagrad": (
        lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-8),
        lambda w, g, s, t: _split(ref.adagrad_step(w, g, *s, 0.1)),
        1,
    ),
    "rmsprop": (
        lambda p: torch.optim.RMSprop(p, lr=0.1, alpha=0.9, eps=1e-8),
        lambda w, g, s, t: _split(ref.rmsprop_step(w, g, *s, 0.1)),
        1,
    ),
    "adam": (lambda p: torch.optim.Adam(p, lr=0.1), lambda w, g, s, t: _split(ref.adam_step(w, g, *s, t, 0.1)), 2),
}


def _split(stepped):
    return stepped[0], stepped[1:]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_walk_where_those_of_torch_walk(name):
    make, step, states = OPTIMISERS[name]
    w = rng.standard_normal(5)
    p = torch.nn.Parameter(tensor(w))
    optimiser, state = make([p]), (np.zeros(5),) * states
    for t in range(1, 8):
        g = rng.standard_normal(5)
        p.grad = tensor(g)
        optimiser.step()
        w, state = step(w, g, state, t)
        np.testing.assert_allclose(w, p.detach(), rtol=1e-9, atol=1e-12)


def test_both_ways_to_write_adam_differ_in_epsilon_alone():
    w, g, m = rng.standard_normal((3, 4))
    v, t, lr, eps = rng.random(4), 3, 0.1, 0.01
    scaled = eps / np.sqrt(1 - 0.999**t)
    by_means, m2, v2 = ref.adam_step(w, g, m, v, t, lr, eps=scaled)
    rate = lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    np.testing.assert_allclose(by_means, w - rate * m2 / (np.sqrt(v2) + eps))


def test_output_sizes_are_those_of_torch():
    for _ in range(60):
        k, s, p, d = rng.integers(1, 5), rng.integers(1, 4), rng.integers(0, 3), rng.integers(1, 4)
        n = int(max(1, d * (k - 1) + 1 - 2 * p) + rng.integers(0, 9))
        y = F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=int(s), padding=int(p), dilation=int(d))
        assert ref.conv_out_size(n, int(k), int(s), int(p), int(d)) == y.shape[-1]


def test_convolution_and_im2col_are_those_of_torch():
    for _ in range(30):
        n, c, m, k = rng.integers(1, 4, size=4)
        s, p = int(rng.integers(1, 3)), int(rng.integers(0, 2))
        x = rng.standard_normal((n, c, k + rng.integers(0, 4), k + rng.integers(0, 4)))
        w, b = rng.standard_normal((m, c, k, k)), rng.standard_normal(m)
        y = F.conv2d(tensor(x), tensor(w), tensor(b), stride=s, padding=p)
        np.testing.assert_allclose(ref.conv2d(x, w, b, s, p), y, rtol=1e-10, atol=1e-12)
        rows = F.unfold(tensor(x), int(k), stride=s, padding=p).transpose(1, 2).reshape(-1, c * k * k)
        np.testing.assert_array_equal(ref.im2col(x, int(k), s, p), rows)


def test_a_64_channel_image_unfolds_to_231_megabytes():
    positions = ref.conv_out_size(224, 3, padding=1) ** 2
    assert positions * 64 * 9 * 8 == 231_211_008


def test_values_worked_out_beforehand():
    x, W1 = np.array([[1.0, 2.0], [-1.0, 0.5]]), np.array([[0.5, -1.0, 0.0], [0.25, 1.0, -0.5]])
    W2 = np.array([[1.0, 0.0], [-1.0, 1.0], [0.5, 0.5]])
    loss, dW1, db1, dW2, db2 = ref.mlp_loss(
        x, np.array([0, 1]), W1, np.array([0.0, 0.1, -0.1]), W2, np.array([0.1, -0.1])
    )
    assert loss == pytest.approx(0.6809245195459824, rel=1e-14)
    np.testing.assert_allclose(
        dW1, [[-0.36552928931500245, 0.7784844518075716, 0], [-0.7310585786300049, 1.4384042206712264, 0]], rtol=1e-13
    )
    np.testing.assert_allclose(db1, [-0.36552928931500245, 0.6836327054524381, 0], rtol=1e-13)
    np.testing.assert_allclose(dW2[:, 0], [-0.36552928931500245, -0.36414151970444925, 0], rtol=1e-13)
    np.testing.assert_allclose(db2, [-0.3418163527262191, 0.3418163527262191], rtol=1e-13)
    loss, grad = ref.softmax_cross_entropy(np.array([[1.0, 2, 3], [0, 0, 0]]), np.array([2, 1]))
    assert loss == pytest.approx(0.7531091265562452, rel=1e-14)
    np.testing.assert_allclose(grad[0], [0.04501528658519022, 0.12236423552739879, -0.16737952211258916], rtol=1e-13)
    new, m, v = ref.adam_step(np.array([1.0]), np.array([0.5]), np.array([0.1]), np.array([0.2]), 2, 0.1)
    np.testing.assert_allclose([new[0], m[0], v[0]], [0.9926343419400366, 0.14, 0.20005], rtol=1e-14)
    y = ref.conv2d(np.arange(16.0).reshape(1, 1, 4, 4), np.array([[[[1.0, 2], [0, -1]]]]), np.array([0.5]), 2, 1)
    np.testing.assert_array_equal(y, [[[[0.5, -1.5, 0.5], [0.5, 7.5, 7.5], [24.5, 41.5, 15.5]]]])


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.activation(np.zeros(1), "swish"), "kind"),
        (lambda: ref.softmax_cross_entropy(np.zeros((1, 2)), np.array([2])), "labels"),
        (lambda: ref.softmax_cross_entropy(np.zeros((1, 2)), np.array([0.5])), "labels"),
        (lambda: ref.init_weights(np.ones((2, 2)), "normal"), "kind"),
        (lambda: ref.sgd_step(np.zeros(2), np.zeros(3), 0.1), "grad"),
        (lambda: ref.adam_step(*np.zeros((4, 2)), 0, 0.1), "t must"),
        (lambda: ref.conv_out_size(2, 5), "size"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
