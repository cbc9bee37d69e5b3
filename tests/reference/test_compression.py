"""Compression against the library's losses, autograd, plain sorting, and values worked out beforehand."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from reference import compression as ref
from reference.compression_torch import distillation_loss_torch

rng = np.random.default_rng(34)


def pairs(count):
    """Logits of students and teachers, labels, a temperature and a weight."""
    for _ in range(count):
        N, C = rng.integers(1, 5), rng.integers(2, 6)
        student, teacher = 3 * rng.standard_normal((2, N, C))
        yield student, teacher, rng.integers(0, C, N), rng.uniform(0.5, 20), rng.uniform(0, 1)


def library_loss(student, teacher, labels, T, alpha):
    p, log_q = torch.softmax(teacher / T, 1), torch.log_softmax(student / T, 1)
    soft = functional.kl_div(log_q, p, reduction="batchmean")
    return alpha * T**2 * soft + (1 - alpha) * functional.cross_entropy(student, labels)


def test_loss_and_gradient_are_the_librarys_and_autograds():
    for student, teacher, labels, T, alpha in pairs(50):
        s = torch.tensor(student, requires_grad=True)
        loss = library_loss(s, torch.tensor(teacher), torch.tensor(labels), T, alpha)
        loss.backward()
        found = ref.distillation_loss(student, teacher, labels, T, alpha)
        assert found == pytest.approx(loss.item(), rel=1e-11, abs=1e-12)
        gradient = ref.distillation_loss_backward(student, teacher, labels, T, alpha)
        np.testing.assert_allclose(gradient, s.grad, rtol=1e-9, atol=1e-13)


def test_the_gradient_is_the_slope_of_the_loss():
    for student, teacher, labels, T, alpha in pairs(10):
        gradient = ref.distillation_loss_backward(student, teacher, labels, T, alpha)
        for at in np.ndindex(student.shape):
            step = np.zeros_like(student)
            step[at] = 1e-5
            ahead, behind = (ref.distillation_loss(student + way, teacher, labels, T, alpha) for way in (step, -step))
            assert gradient[at] == pytest.approx((ahead - behind) / 2e-5, rel=1e-5, abs=1e-8)


def test_the_squared_temperature_keeps_the_soft_gradient_as_large_at_every_high_temperature():
    student, teacher, labels, _, _ = next(pairs(1))
    warm, hot = (ref.distillation_loss_backward(student, teacher, labels, T, 1.0) for T in (200.0, 2000.0))
    centred = [z - z.mean(axis=1, keepdims=True) for z in (student, teacher)]
    np.testing.assert_allclose(hot, (centred[0] - centred[1]) / student.size, atol=0.01 * np.abs(hot).max())
    np.testing.assert_allclose(warm, hot, atol=0.1 * np.abs(hot).max())


def test_certain_networks_have_a_finite_loss():
    sure, labels = np.array([[1000.0, 0.0]]), np.array([0])
    assert ref.distillation_loss(sure, sure, labels, 1.0, 0.5) == 0
    assert ref.distillation_loss(-sure, sure, labels, 1.0, 1.0) == pytest.approx(1000)
    tensors = torch.tensor(sure), torch.tensor(sure), torch.tensor(labels)
    assert distillation_loss_torch(*tensors, 1.0, 0.5).item() == 0


def test_global_masks_are_those_of_a_plain_sort_over_the_whole_network():
    for _ in range(100):
        layers = [rng.integers(-4, 5, rng.integers(1, 5, 2)) / 2 for _ in range(rng.integers(1, 5))]
        flat = [(abs(v), i) for i, v in enumerate(v for w in layers for v in w.ravel())]
        count = int(rng.integers(0, len(flat) + 1))
        gone = {i for _, i in sorted(flat)[:count]}
        masks = ref.global_magnitude_masks(layers, count / len(flat))
        assert [m.shape for m in masks] == [w.shape for w in layers]
        assert np.concatenate([m.ravel() for m in masks]).tolist() == [i not in gone for i in range(len(flat))]


def test_a_layer_of_normal_weights_loses_the_share_of_the_normal_distribution():
    layers = [scale * rng.standard_normal(40000) for scale in (0.1, 1.0, 10.0)]
    for quality, share in ((0.5, 0.3829), (1.0, 0.6827), (2.6, 0.9907)):
        masks, removed, total = ref.layer_threshold_masks(layers, quality)
        np.testing.assert_allclose(removed, share, atol=0.012)
        assert total == pytest.approx(removed.mean())
        assert [np.mean(~m) for m in masks] == pytest.approx(removed)


def test_total_share_of_unequal_layers_is_that_of_all_weights_together():
    masks, removed, total = ref.layer_threshold_masks([np.array([0.0, 4.0]), np.full((3, 2), 5.0)], 1.0)
    assert (removed.tolist(), total) == ([0.5, 0.0], 1 / 8)
    assert masks[1].all()


def test_fine_tuning_is_sgd_of_the_library_on_the_weights_that_are_left():
    for _ in range(10):
        w, gradients = rng.standard_normal((3, 4)), rng.standard_normal((6, 3, 4))
        mask = rng.random((3, 4)) < 0.6
        kept = torch.tensor(w[mask], requires_grad=True)
        sgd = torch.optim.SGD([kept], lr=0.1, momentum=0.9)
        velocity = np.zeros_like(w)
        for g in gradients:
            kept.grad = torch.tensor(g[mask])
            sgd.step()
            w, velocity = ref.masked_momentum_step(w, g, velocity, mask, 0.1, 0.9)
            np.testing.assert_allclose(w[mask], kept.detach(), rtol=1e-12)
            assert not w[~mask].any()
            assert not velocity[~mask].any()


def test_no_other_factors_of_the_rank_come_nearer():
    for _ in range(20):
        m, n = rng.integers(2, 7, 2)
        W, r = rng.standard_normal((m, n)), int(rng.integers(1, min(m, n) + 1))
        A, B = ref.low_rank_factors(W, r)
        assert (A.shape, B.shape) == ((m, r), (r, n))
        error = np.sum((W - A @ B) ** 2)
        assert error == pytest.approx(np.sum(np.linalg.svd(W)[1][r:] ** 2), abs=1e-12)
        for _ in range(20):
            X = A + 0.1 * rng.standard_normal(A.shape)
            best = X @ np.linalg.lstsq(X, W, rcond=None)[0]
            assert error <= np.sum((W - best) ** 2) + 1e-12


def test_the_twin_has_the_value_and_slope_of_the_library_and_leaves_the_teacher_alone():
    for student, teacher, labels, T, alpha in pairs(20):
        s, t = (torch.tensor(z, requires_grad=True) for z in (student, teacher))
        loss = distillation_loss_torch(s, t, torch.tensor(labels), T, alpha)
        assert loss.shape == ()
        assert loss.item() == pytest.approx(ref.distillation_loss(student, teacher, labels, T, alpha))
        loss.backward()
        expected = ref.distillation_loss_backward(student, teacher, labels, T, alpha)
        np.testing.assert_allclose(s.grad, expected, rtol=1e-9, atol=1e-13)
        assert t.grad is None
        single = distillation_loss_torch(s.detach().float(), t.float(), torch.tensor(labels), T, alpha)
        assert single.dtype == torch.float32


def test_values_worked_out_beforehand():
    z = np.array([[5.0, 2.0, -1.0]])
    warm = [[0.5897976636568125, 0.278600689196273, 0.13160164714691433]]
    np.testing.assert_allclose(
        ref.softened_softmax(z, 1.0), [[0.9503302116973794, 0.04731415522182405, 0.0023556330807966807]], rtol=1e-13
    )
    np.testing.assert_allclose(ref.softened_softmax(z, 4.0), warm, rtol=1e-13)
    student, teacher = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]]), np.array([[2.0, 1.0, 0.0], [1.0, 0.0, 4.0]])
    call = student, teacher, np.array([0, 2]), 3.0, 0.7
    assert ref.distillation_loss(*call) == pytest.approx(0.37099741875846615, rel=1e-13)
    gradient = [
        [-0.2623145758491676, 0.20888140629423307, 0.0534331695549344],
        [0.006991893386696086, 0.002572173831828059, -0.009564067218524137],
    ]
    np.testing.assert_allclose(ref.distillation_loss_backward(*call), gradient, rtol=1e-11)
    layers = [np.array([[0.5, -0.1], [0.2, 2.0]]), np.array([[-0.3, 0.05, 1.0]])]
    expected = [[[True, False], [False, True]], [[True, False, True]]]
    assert [m.tolist() for m in ref.global_magnitude_masks(layers, 0.5)] == expected
    masks, removed, total = ref.layer_threshold_masks(layers, 0.5)
    assert [m.tolist() for m in masks] == expected
    assert (removed.tolist(), total) == (pytest.approx([1 / 2, 1 / 3]), pytest.approx(3 / 7))
    half, kept = np.array([0.5, 0.5]), np.array([True, False])
    w, velocity = ref.masked_momentum_step(np.array([1.0, -2.0]), half, np.array([0.1, 0.2]), kept, 0.1, 0.9)
    np.testing.assert_allclose([w, velocity], [[1.04, 0.0], [0.04, 0.0]], rtol=1e-13)
    A, B = ref.low_rank_factors(np.array([[3.0, 1.0], [1.0, 3.0], [0.0, 2.0]]), 1)
    product = [
        [1.5, 2.0811388300841913],
        [1.764911064067353, 2.4486832980505153],
        [0.9486832980505141, 1.316227766016838],
    ]
    np.testing.assert_allclose(A @ B, product, rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.softened_softmax(np.zeros((1, 2)), 0.0), "temperature"),
        (lambda: ref.softened_softmax(np.zeros(2), 1.0), "logits"),
        (lambda: ref.distillation_loss(*np.zeros((2, 1, 2)), np.array([0]), -1.0, 0.5), "temperature"),
        (lambda: ref.distillation_loss(*np.zeros((2, 1, 2)), np.array([0, 1]), 1.0, 0.5), "labels"),
        (lambda: ref.distillation_loss_backward(*np.zeros((2, 1, 2)), np.array([0]), 0.0, 0.5), "temperature"),
        (lambda: distillation_loss_torch(*torch.zeros((2, 1, 2)), torch.tensor([0]), 0.0, 0.5), "temperature"),
        (lambda: ref.global_magnitude_masks([np.zeros(2)], 1.1), "sparsity"),
        (lambda: ref.global_magnitude_masks([np.zeros(2)], -0.1), "sparsity"),
        (lambda: ref.layer_threshold_masks([np.zeros(2)], -1.0), "quality"),
        (lambda: ref.masked_momentum_step(*np.zeros((3, 2)), np.ones(3, bool), 0.1, 0.9), "mask"),
        (lambda: ref.low_rank_factors(np.zeros((2, 3)), 3), "rank"),
        (lambda: ref.low_rank_factors(np.zeros((2, 3)), 0), "rank"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
