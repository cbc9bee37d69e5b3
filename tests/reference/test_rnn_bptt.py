"""The reference of the vanilla RNN against torch's own layers and autograd, differences, and numbers worked out elsewhere."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.rnn_bptt import hidden_jacobian, jacobian_bound, rnn_backward, rnn_forward, rnn_loss, rnn_loss_backward
from reference.rnn_bptt_torch import rnn_forward_torch, rnn_loss_torch

X = np.array([[[1.0, 0.0], [0.0, 1.0], [0.5, -0.5]]])
H0 = np.array([[0.2, -0.4]])
WX = np.array([[0.5, -0.3], [0.2, 0.4]])
WH = np.array([[0.1, 0.6], [-0.5, 0.2]])
B = np.array([0.1, -0.1])
WY = np.array([[1.0, -1.0, 0.0], [0.5, 0.0, 0.5]])
BY = np.array([0.0, 0.1, -0.1])
LABELS = np.array([[0, -1, 2]])
DH = np.array([[[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]])
H = rnn_forward(X, H0, WX, WH, B)

rounds = settings(max_examples=40, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected, rtol=1e-11, atol=1e-12):
    if isinstance(expected, tuple):
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected):
            close(a, e, rtol, atol)
    else:
        np.testing.assert_allclose(actual, expected, rtol, atol)


def net(seed):
    """x, h0, Wx, Wh, b of sizes 1 to 5."""
    N, T, D, units = (rng := np.random.default_rng(seed)).integers(1, 6, 4)
    shapes = (N, T, D), (N, units), (D, units), (units, units), (units,)
    return tuple(rng.normal(size=shape) for shape in shapes)


def outputs(seed, h):
    """Labels, of which a third is missing, Wy and by."""
    rng = np.random.default_rng(seed)
    K = rng.integers(2, 5)
    labels = np.where(rng.random(h.shape[:2]) < 1 / 3, -1, rng.integers(0, K, h.shape[:2]))
    return labels, rng.normal(size=(h.shape[2], K)), rng.normal(size=K)


def tensors(*values, gradients=True):
    made = [torch.tensor(v) if isinstance(v, np.ndarray) else v for v in values]
    return [v.requires_grad_(gradients) if torch.is_tensor(v) and v.is_floating_point() else v for v in made]


def gradients(value, leaves):
    found = torch.autograd.grad(value, leaves, allow_unused=True)
    return tuple((torch.zeros_like(leaf) if g is None else g).numpy() for g, leaf in zip(found, leaves))


def test_forward_matches_the_published_digits():
    expected = [[
        [0.6750698748386078, -0.3452140341355209],
        [0.4930742590370575, 0.5621692421763048],
        [0.01822078799744051, -0.041697404842433686],
    ]]  # fmt: skip
    close(H, np.array(expected))


def test_loss_matches_the_published_digits():
    close(rnn_loss(H, LABELS, WY, BY), 1.7973939060627702)
    assert rnn_loss(0 * H, LABELS, WY, np.array([800.0, 0.0, 0.0])) == 800.0


def test_loss_backward_matches_the_published_digits():
    expected = (
        [[[-0.633799699593929, -0.0945070497314841], [0, 0], [-0.029588330757858494, -0.18277265178880917]]],
        [
            [-0.29413995863241205, 0.13425824794714594, 0.1598817106852661],
            [0.13953769744129363, -0.08049261029563012, -0.0590450871456635],
        ],
        [-0.10882862731120085, 0.5545594030405867, -0.4457307757293857],
    )
    close(rnn_loss_backward(H, LABELS, WY, BY), expected)


def test_backward_matches_the_published_digits():
    expected = (
        [[
            [0.3594546389196827, 0.052470112282844615],
            [0.1857019505080025, 0.14528954140217257],
            [-0.29947839792882186, 0.3993045305717625],
        ]],
        [[-0.04400474638552265, -0.34189468828794645]],
        [[0.6135495740489479, 0.3235311568973407], [0.45333708701481834, -0.3625753532166809]],
        [[0.4287441254005821, 0.5492814386199693], [-0.4019181542512103, 0.5842908064526332]],
        [1.0668866610637662, 0.9592171301100659],
    )  # fmt: skip
    close(rnn_backward(DH, X, H, H0, WX, WH), expected)


def test_truncated_backward_matches_the_published_digits():
    expected = (
        [[[0.27214033204269317, 0.10885613281707728], [0, 0], [-0.29947839792882186, 0.3993045305717625]]],
        [[0.05442806640853864, -0.27214033204269317]],
        [[0.5442806640853863, 0.4991306632147031], [0, -0.4991306632147031]],
        [[0.10885613281707728, 0.4922169638545296], [-0.21771226563415455, 0.5611918133727322]],
        [0.5442806640853863, 0.9982613264294062],
    )
    close(rnn_backward(DH, X, H, H0, WX, WH, truncate=2), expected)


def test_jacobian_and_bound_match_the_published_digits():
    expected = [[-0.19755533561080807, -0.10620519154158332], [0.12726689470029517, -0.19935748150780472]]
    close(hidden_jacobian(H[0], WH, 0, 2), np.array(expected))
    close(jacobian_bound(WH, 3, "tanh"), 0.2631262868231351)
    close(jacobian_bound(WH, 3, "sigmoid"), 0.004111348231611486)


@rounds
@given(seeds)
def test_forward_is_torchs_rnn_with_transposed_weights_and_one_bias(seed):
    x, h0, Wx, Wh, b = map(torch.tensor, net(seed))
    rnn = torch.nn.RNN(x.shape[2], len(b), batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for parameter, value in zip(rnn.parameters(), (Wx.T, Wh.T, b, torch.zeros_like(b))):
            parameter.copy_(value)
        states, _ = rnn(x, h0[None])
    close(rnn_forward(*net(seed)), states.numpy())


@rounds
@given(seeds)
def test_loss_is_torchs_cross_entropy_summed_over_time_and_averaged_over_the_batch(seed):
    h = rnn_forward(*net(seed))
    labels, Wy, by = outputs(seed, h)
    logits = torch.tensor(h @ Wy + by).movedim(-1, 1)
    total = functional.cross_entropy(logits, torch.tensor(labels), ignore_index=-1, reduction="sum")
    close(rnn_loss(h, labels, Wy, by), float(total) / len(h))


@rounds
@given(seeds)
def test_loss_backward_is_the_gradient_that_autograd_finds(seed):
    h = rnn_forward(*net(seed))
    labels, Wy, by = outputs(seed, h)
    h_t, labels_t, Wy_t, by_t = tensors(h, labels, Wy, by)
    each = -torch.log_softmax(h_t @ Wy_t + by_t, dim=-1).gather(-1, labels_t.clamp(min=0)[..., None])[..., 0]
    loss = (each * (labels_t >= 0)).sum() / len(h)
    close(rnn_loss_backward(h, labels, Wy, by), gradients(loss, [h_t, Wy_t, by_t]))


@rounds
@given(seeds, st.none() | st.integers(1, 6))
def test_backward_is_the_gradient_of_a_graph_cut_at_multiples_of_k(seed, k):
    arrays = net(seed)
    h = rnn_forward(*arrays)
    dh = np.random.default_rng(seed).normal(size=h.shape)
    x, state, Wx, Wh, b = leaves = tensors(*arrays)
    total = torch.zeros(())
    for t in range(x.shape[1]):
        if k and t % k == 0 and t > 0:
            state = state.detach()
        state = torch.tanh(x[:, t] @ Wx + state @ Wh + b)
        total = total + (torch.tensor(dh[:, t]) * state).sum()
    x, h0, Wx, Wh, _ = arrays
    close(rnn_backward(dh, x, h, h0, Wx, Wh, k), gradients(total, leaves))


@rounds
@given(seeds)
def test_backward_is_the_slope_of_a_central_difference(seed):
    arrays = net(seed)
    rng, h = np.random.default_rng(seed), rnn_forward(*arrays)
    dh, direction = rng.normal(size=h.shape), [rng.normal(size=a.shape) for a in arrays]
    ahead, behind = ([a + way * d for a, d in zip(arrays, direction)] for way in (1e-5, -1e-5))
    slope = np.sum(dh * (rnn_forward(*ahead) - rnn_forward(*behind))) / 2e-5
    x, h0, Wx, Wh, _ = arrays
    along = sum(np.sum(g * d) for g, d in zip(rnn_backward(dh, x, h, h0, Wx, Wh), direction))
    close(along, slope, rtol=1e-5, atol=1e-7)


@rounds
@given(seeds)
def test_jacobian_is_the_one_that_autograd_finds(seed):
    x, h0, Wx, Wh, b = net(seed)
    h = rnn_forward(x, h0, Wx, Wh, b)[0]
    s, t = sorted(np.random.default_rng(seed).integers(0, len(h), 2))

    def state_at_t(state):
        for x_r in torch.tensor(x[0, s + 1 : t + 1]):
            state = torch.tanh(x_r @ torch.tensor(Wx) + state @ torch.tensor(Wh) + torch.tensor(b))
        return state

    expected = torch.autograd.functional.jacobian(state_at_t, torch.tensor(h[s]))
    close(hidden_jacobian(h, Wh, s, t), expected.numpy())


@rounds
@given(seeds)
def test_no_jacobian_stretches_more_than_its_bound(seed):
    x, h0, Wx, Wh, b = net(seed)
    h = rnn_forward(x, h0, Wx, Wh, b)[0]
    norm = np.linalg.norm(hidden_jacobian(h, Wh, 0, len(h) - 1), 2)
    assert norm <= jacobian_bound(Wh, len(h) - 1) * (1 + 1e-12)
    assert jacobian_bound(Wh, len(h), "identity") == jacobian_bound(Wh, len(h), "tanh")


def test_eigenvalues_below_one_do_not_bound_the_norm():
    Wh = np.array([[0.0, 2.0], [0.0, 0.0]])
    assert np.abs(np.linalg.eigvals(Wh)).max() == 0
    assert jacobian_bound(Wh, 1) == 2.0


def test_without_labels_there_is_neither_loss_nor_gradient():
    none = np.full_like(LABELS, -1)
    assert rnn_loss(H, none, WY, BY) == 0
    assert not any(g.any() for g in rnn_loss_backward(H, none, WY, BY))


@rounds
@given(seeds, st.none() | st.integers(1, 6))
def test_the_twin_runs_forward_and_backward_like_the_formulas_by_hand(seed, k):
    arrays = net(seed)
    h = rnn_forward(*arrays)
    dh = np.random.default_rng(seed).normal(size=h.shape)
    x, h0, Wx, Wh, _ = arrays
    leaves = tensors(*arrays)
    states = rnn_forward_torch(*leaves, k)
    close(states.detach().numpy(), h)
    close(gradients((states * torch.tensor(dh)).sum(), leaves), rnn_backward(dh, x, h, h0, Wx, Wh, k))


@rounds
@given(seeds)
def test_the_twin_of_the_loss_has_the_value_and_gradients_found_by_hand(seed):
    h = rnn_forward(*net(seed))
    labels, Wy, by = outputs(seed, h)
    h_t, labels_t, Wy_t, by_t = tensors(h, labels, Wy, by)
    loss = rnn_loss_torch(h_t, labels_t, Wy_t, by_t)
    close(loss.item(), rnn_loss(h, labels, Wy, by))
    close(gradients(loss, [h_t, Wy_t, by_t]), rnn_loss_backward(h, labels, Wy, by))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_twins_keep_dtype_and_device(dtype):
    x, h0, Wx, Wh, b, Wy, by = (torch.tensor(a, dtype=dtype, device="meta") for a in (X, H0, WX, WH, B, WY, BY))
    h = rnn_forward_torch(x, h0, Wx, Wh, b, truncate=2)
    loss = rnn_loss_torch(h, torch.zeros(1, 3, dtype=torch.int64, device="meta"), Wy, by)
    assert (h.dtype, loss.dtype, h.device.type, loss.device.type) == (dtype, dtype, "meta", "meta")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_twins_give_the_same_on_a_gpu():
    leaves = [torch.tensor(a, device="cuda", requires_grad=True) for a in (X, H0, WX, WH, B)]
    h = rnn_forward_torch(*leaves, truncate=2)
    loss = rnn_loss_torch(h, *(torch.tensor(a, device="cuda") for a in (LABELS, WY, BY)))
    close(h.detach().cpu().numpy(), H)
    close(loss.item(), rnn_loss(H, LABELS, WY, BY))
    found = torch.autograd.grad((h * torch.tensor(DH, device="cuda")).sum(), leaves)
    close(tuple(g.cpu().numpy() for g in found), rnn_backward(DH, X, H, H0, WX, WH, truncate=2))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("Wx", lambda: rnn_forward(X, H0, WX[:1], WH, B)),
        ("Wh", lambda: rnn_forward(X, H0, WX, WH[:, :1], B)),
        ("x", lambda: rnn_forward(X[:, :0], H0, WX, WH, B)),
        ("labels", lambda: rnn_loss(H, LABELS[:, :2], WY, BY)),
        ("labels", lambda: rnn_loss(H, LABELS + 1, WY, BY)),
        ("labels", lambda: rnn_loss_backward(H, LABELS - 1, WY, BY)),
        ("h", lambda: rnn_backward(DH, X, H[:, :2], H0, WX, WH)),
        ("truncate", lambda: rnn_backward(DH, X, H, H0, WX, WH, truncate=0)),
        ("s=2, t=1", lambda: hidden_jacobian(H[0], WH, 2, 1)),
        ("s=0, t=3", lambda: hidden_jacobian(H[0], WH, 0, 3)),
        ("steps", lambda: jacobian_bound(WH, -1)),
        ("activation", lambda: jacobian_bound(WH, 1, "relu6")),
        ("Wx", lambda: rnn_forward_torch(*tensors(X, H0, WX[:1], WH, B))),
        ("truncate", lambda: rnn_forward_torch(*tensors(X, H0, WX, WH, B), truncate=0)),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=name):
        call()
