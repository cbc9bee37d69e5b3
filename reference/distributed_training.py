"""Training on many workers: averaging, staleness, the ring, the pipeline, and how much faster it can get.

Dean et al., "Large Scale Distributed Deep Networks", NIPS 2012, §4.1 (asynchronous, with a parameter server).
Goyal et al., "Accurate, Large Minibatch SGD", 2017, arXiv:1706.02677, §2 (synchronous).
Patarasuk & Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009 (the ring).
Huang et al., "GPipe", 2019, arXiv:1811.06965, §2.2–2.3 (the pipeline).
Amdahl, 1967; Gustafson, 1988 (speed-up). McMahan et al., 2017, arXiv:1602.05629, Algorithm 1 (federated averaging).

The loss is ½·mean((xw - targets)²), its gradient xᵀ(xw - targets)/n.

Letters: K workers or clients, N samples of each, D weights, S pushes, L entries of a vector, P stages, M micro-batches, T time steps.
"""

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


def average_gradients(grads: Array, counts: Ints) -> Array:
    """What a synchronous step moves by: the gradient of all samples together (Goyal et al., eq. 2).

    Args:
        grads: each worker's mean gradient, (K, ...).
        counts: how many samples it is the mean of, at least 1, (K,).

    Returns:
        Σ n_k g_k / Σ n_k, shaped like one gradient.
    """
    _check_counts(counts)
    return np.tensordot(counts / np.sum(counts), grads, axes=1)


def asynchronous_sgd(w0: Array, x: Array, targets: Array, order: Ints, lr: float) -> tuple[Array, Ints]:
    """SGD with a parameter server and nobody waiting (Dean et al., §4.1).

    At each tick one worker pushes the gradient at the weights it pulled last; the server moves its newest weights by it;
    then the worker pulls these.

    Args:
        w0: weights that all workers start from, (D,).
        x: each worker's inputs, (K, N, D).
        targets: each worker's targets, (K, N).
        order: which worker pushes at each tick, (S,).
        lr: learning rate, applied by the server.

    Returns:
        weights: the server's, before the first push and after each, (T, D) with T = S + 1.
        staleness: how often others had pushed since the worker's last pull, (S,).
    """
    check_shapes(locals(), w0="D", x="K N D", targets="K N")
    server, pulled = w0, np.repeat(w0[None], len(x), axis=0)
    pulled_at = np.zeros(len(x), dtype=np.int64)
    weights, staleness = [server], []
    for pushes, k in enumerate(order):
        gradient = _gradient(pulled[k], x[k], targets[k])
        staleness.append(pushes - pulled_at[k])
        server = server - lr * gradient
        pulled[k], pulled_at[k] = server, pushes + 1
        weights.append(server)
    return np.stack(weights), np.array(staleness, dtype=np.int64)


def ring_allreduce(vectors: Array) -> Array:
    """All-reduce round a ring, step by step: everybody ends with the sum, each link carries only parts.

    Each vector is cut into K chunks. Reduce-scatter, step s = 0 … K-2: worker r sends chunk (r-s) mod K to r+1, which ADDS it.
    All-gather, step s = 0 … K-2: worker r sends chunk (r+1-s) mod K to r+1, which REPLACES its own by it.
    All sends of a step happen at once.

    Args:
        vectors: one for each worker, (K, L); K divides L.

    Returns:
        (T, K, L) with T = 2K - 1: all buffers at the start and after each step.
    """
    check_shapes(locals(), vectors="K L")
    K, L = vectors.shape
    if L % K:
        raise ValueError(f"vectors must have a length that {K} workers divide, not {L}")
    buffers = vectors.astype(float).reshape(K, K, L // K)
    r = np.arange(K)
    trace = [buffers]
    for s in range(K - 1):
        sent, buffers = buffers[r, (r - s) % K], buffers.copy()
        buffers[(r + 1) % K, (r - s) % K] += sent
        trace.append(buffers)
    for s in range(K - 1):
        sent, buffers = buffers[r, (r + 1 - s) % K], buffers.copy()
        buffers[(r + 1) % K, (r + 1 - s) % K] = sent
        trace.append(buffers)
    return np.stack(trace).reshape(-1, K, L)


def allreduce_seconds(workers: int, size: float, bandwidth: float, latency: float) -> tuple[float, float]:
    """How long it takes until everybody has the sum, in the α–β model (latency and transfer).

    Args:
        workers: K, at least 1.
        size: of one gradient, in bytes.
        bandwidth: of a link, in bytes per second.
        latency: of a message, in seconds.

    Returns:
        ring: 2(K-1) steps of latency + size / (K · bandwidth), in seconds.
        server: 2 (latency + K · size / bandwidth): K gradients in and K results out through one link, in seconds.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    ring = 2 * (workers - 1) * (latency + size / workers / bandwidth)
    server = 2 * (latency + workers * size / bandwidth)
    return ring, server


def pipeline_schedule(stages: int, microbatches: int) -> Ints:
    """Who works on what when a model is cut into stages and a batch into micro-batches (GPipe, Figure 2).

    Args:
        stages: P, at least 1.
        microbatches: M, at least 1.

    Returns:
        (P, T) with T = 2(M + P - 1): at each tick j for the forward pass of micro-batch j = 1 … M, -j for its backward pass, 0 idle.
        Forward passes start at the first stage in order; backward passes start at the last stage, the last micro-batch first.
    """
    if stages < 1 or microbatches < 1:
        raise ValueError(f"stages and microbatches must be at least 1, not {stages} and {microbatches}")
    half = microbatches + stages - 1
    table = np.zeros((stages, 2 * half), dtype=np.int64)
    for s, j in np.ndindex(stages, microbatches):
        table[s, s + j] = j + 1
        table[s, half + (stages - 1 - s) + (microbatches - 1 - j)] = -(j + 1)
    return table


def speedup_limits(serial_fraction: float, workers: int) -> tuple[float, float]:
    """How much faster K workers are, for a fixed program and for one that grows with them.

    Args:
        serial_fraction: f in [0, 1]: for Amdahl of the time on one worker, for Gustafson of the time on K.
        workers: K, at least 1.

    Returns:
        amdahl: 1 / (f + (1 - f)/K), never more than 1/f.
        gustafson: f + (1 - f) K.
    """
    if not 0 <= serial_fraction <= 1:
        raise ValueError(f"serial_fraction must lie in [0, 1], not {serial_fraction}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    parallel = 1 - serial_fraction
    return 1 / (serial_fraction + parallel / workers), serial_fraction + parallel * workers


def fedavg_round(w: Array, x: Array, targets: Array, counts: Ints, steps: int, lr: float) -> Array:
    """One round of federated averaging: clients train on their own data, the server averages their weights.

    Args:
        w: weights that the server sends out, (D,).
        x: each client's inputs, (K, N, D); of client k the first counts[k] rows are its own.
        targets: each client's targets, (K, N).
        counts: how many samples each client has, at least 1, (K,).
        steps: full-batch gradient steps that each client takes by itself.
        lr: learning rate.

    Returns:
        (D,): the mean of the clients' weights, weighted by counts.
    """
    check_shapes(locals(), w="D", x="K N D", targets="K N", counts="K")
    _check_counts(counts)
    models = []
    for x_k, targets_k, n in zip(x, targets, counts, strict=True):
        w_k = w
        for _ in range(steps):
            w_k = w_k - lr * _gradient(w_k, x_k[:n], targets_k[:n])
        models.append(w_k)
    return average_gradients(np.stack(models), counts)


def _gradient(w: Array, x: Array, targets: Array) -> Array:
    return x.T @ (x @ w - targets) / len(x)


def _check_counts(counts: Ints) -> None:
    if np.min(counts) < 1:
        raise ValueError("counts must be at least 1")
