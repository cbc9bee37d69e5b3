"""Training on many workers against the big batch, messages passed one by one, simulated time, and values worked out beforehand."""

import numpy as np
import pytest
import torch

from reference import distributed_training as ref
from reference.distributed_training_torch import average_gradients_torch

rng = np.random.default_rng(50)


def shards(K, N, D):
    return rng.standard_normal(D), rng.standard_normal((K, N, D)), rng.standard_normal((K, N))


def test_the_weighted_mean_is_autograds_gradient_of_the_big_batch():
    for _ in range(20):
        K, D = rng.integers(2, 5), rng.integers(1, 4)
        counts = rng.integers(1, 7, K)
        w = torch.tensor(rng.standard_normal(D), requires_grad=True)
        each = [(torch.tensor(rng.standard_normal((n, D))), torch.tensor(rng.standard_normal(n))) for n in counts]
        grads = [torch.autograd.grad(0.5 * ((x @ w - t) ** 2).mean(), w)[0].numpy() for x, t in each]
        x, t = (torch.cat(parts) for parts in zip(*each, strict=True))
        (0.5 * ((x @ w - t) ** 2).mean()).backward()
        np.testing.assert_allclose(ref.average_gradients(np.array(grads), counts), w.grad, rtol=1e-10, atol=1e-12)


def test_an_asynchronous_run_is_what_messages_in_order_of_arrival_give():
    w0, x, targets = shards(3, 4, 2)
    order = rng.integers(0, 3, 12)
    server, held, version, pulled = w0.copy(), [w0.copy() for _ in range(3)], 0, [0, 0, 0]
    weights, staleness = [w0], []
    for k in order:
        message = sum((x[k][i] @ held[k] - targets[k][i]) * x[k][i] for i in range(4)) / 4
        staleness.append(version - pulled[k])
        server, version = server - 0.1 * message, version + 1
        held[k], pulled[k] = server.copy(), version
        weights.append(server)
    found, stale = ref.asynchronous_sgd(w0, x, targets, order, 0.1)
    np.testing.assert_allclose(found, weights, rtol=1e-12)
    assert stale.tolist() == staleness


def test_staleness_slows_a_run_down_and_a_smaller_rate_mends_it():
    w0, x, targets = np.zeros(1), np.full((4, 1, 1), 1.0), np.ones((4, 1))
    order = np.tile(np.arange(4), 30)
    steep, gentle = (ref.asynchronous_sgd(w0, x, targets, order, lr)[0][-1, 0] for lr in (0.9, 0.2))
    alone = ref.asynchronous_sgd(w0, x[:1], targets[:1], np.zeros(120, int), 0.9)[0][-1, 0]
    assert abs(alone - 1) < 1e-9
    assert abs(gentle - 1) < 1e-3
    assert abs(steep - 1) > 1


@pytest.mark.parametrize("K", range(1, 7))
def test_the_ring_moves_exactly_the_volume_of_its_formula(K):
    v = rng.integers(-9, 9, (K, 3 * K)) + 0.5
    trace = ref.ring_allreduce(v)
    assert trace.shape == (2 * K - 1, K, 3 * K)
    np.testing.assert_allclose(trace[-1], np.tile(v.sum(axis=0), (K, 1)))
    entries = 2 * (K - 1) * 3  # sent by each worker: a chunk of 3 in each of 2(K-1) steps
    seconds, _ = ref.allreduce_seconds(K, 8.0 * 3 * K, 8.0, 0.0)
    assert seconds == pytest.approx(entries)


def test_an_event_by_event_pipeline_has_the_same_schedule():
    for p in range(1, 5):
        for m in range(1, 6):
            done, table = set(), np.zeros((p, 2 * (m + p - 1)), int)
            for t in range(table.shape[1]):
                now = []
                for s in range(p):
                    ready = [j for j in range(1, m + 1) if (s, j) not in done and (s == 0 or (s - 1, j) in done)]
                    flushed = all((s, j) in done for j in range(1, m + 1))
                    back = [
                        j
                        for j in range(m, 0, -1)
                        if (s, -j) not in done and (s == p - 1 or (s + 1, -j) in done) and flushed
                    ]
                    todo = ready[:1] or [-j for j in back[:1]]
                    for j in todo:
                        now.append((s, j))
                        table[s, t] = j
                done.update(now)
            np.testing.assert_array_equal(ref.pipeline_schedule(p, m), table)


def test_amdahl_and_gustafson_describe_one_program():
    for f in (0.01, 0.1, 0.5):
        for K in (2, 16, 1000):
            amdahl, gustafson = ref.speedup_limits(f, K)
            assert amdahl <= min(K, 1 / f)
            assert ref.speedup_limits(f / gustafson, K)[0] == pytest.approx(gustafson)


def test_federated_averaging_finds_the_optimum_that_all_clients_share():
    truth = np.array([1.0, -2.0])
    x = rng.standard_normal((3, 8, 2))
    w, counts = np.zeros(2), np.array([8, 3, 5])
    for _ in range(200):
        w = ref.fedavg_round(w, x, x @ truth, counts, 5, 0.1)
    np.testing.assert_allclose(w, truth, atol=1e-6)


def test_the_twin_is_the_same_mean_and_sends_shares_back():
    grads, counts = rng.standard_normal((3, 2, 2)), np.array([1, 5, 2])
    g = torch.tensor(grads, requires_grad=True)
    mean = average_gradients_torch(g, torch.tensor(counts))
    np.testing.assert_allclose(mean.detach(), ref.average_gradients(grads, counts), rtol=1e-12)
    mean.sum().backward()
    np.testing.assert_allclose(g.grad[:, 0, 0], counts / 8)
    assert average_gradients_torch(g.float().detach(), torch.tensor(counts)).dtype == torch.float32


def test_values_worked_out_beforehand():
    grads = np.array([[1.0, 2.0], [4.0, -1.0], [0.0, 3.0]])
    assert ref.average_gradients(grads, np.array([1, 3, 4])).tolist() == [1.625, 1.375]
    x, targets = np.array([[[1.0], [1.0]], [[2.0], [0.0]]]), np.array([[2.0, 0.0], [1.0, 1.0]])
    weights, staleness = ref.asynchronous_sgd(np.array([1.0]), x, targets, np.array([0, 1, 1, 0]), 0.5)
    assert (weights[:, 0].tolist(), staleness.tolist()) == ([1.0, 1.0, 0.5, 0.5, 0.5], [0, 1, 0, 2])
    trace = ref.ring_allreduce(np.array([[1.0, 2, 3], [10, 20, 30], [100, 200, 300]]))
    assert trace[1].tolist() == [[1, 2, 303], [11, 20, 30], [100, 220, 300]]
    assert trace[2].tolist() == [[1, 222, 303], [11, 20, 333], [111, 220, 300]]
    assert trace[3].tolist() == [[111, 222, 303], [11, 222, 333], [111, 220, 333]]
    assert ref.allreduce_seconds(8, 400e6, 10e9, 1e-5) == pytest.approx((0.07014, 0.64002))
    assert ref.pipeline_schedule(3, 2)[1].tolist() == [0, 1, 2, 0, 0, -2, -1, 0]
    assert ref.speedup_limits(0.05, 16) == pytest.approx((9.142857142857142, 15.25))
    x, targets = np.array([[[1.0, 2], [0, 0]], [[3, 1], [1, -1]]]), np.array([[1.0, 0], [2, -1]])
    w = ref.fedavg_round(np.array([0.5, -0.5]), x, targets, np.array([1, 2]), 3, 0.1)
    np.testing.assert_allclose(w, [0.6221666666666666, -0.06099999999999998], rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.average_gradients(np.zeros((2, 1)), np.array([1, 0])), "counts"),
        (lambda: ref.ring_allreduce(np.zeros((2, 3))), "vectors"),
        (lambda: ref.allreduce_seconds(0, 1.0, 1.0, 0.0), "workers"),
        (lambda: ref.pipeline_schedule(0, 1), "stages"),
        (lambda: ref.speedup_limits(1.5, 2), "serial_fraction"),
        (lambda: ref.speedup_limits(0.5, 0), "workers"),
        (lambda: ref.fedavg_round(np.zeros(1), np.zeros((1, 1, 1)), np.zeros((1, 1)), np.array([0]), 1, 0.1), "counts"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
