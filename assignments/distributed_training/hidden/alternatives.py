"""Right answers written differently: properties must accept them."""

import numpy as np
from autograder.properties import alternative

from reference.distributed_training import (
    allreduce_seconds, asynchronous_sgd, average_gradients, fedavg_round, pipeline_schedule, ring_allreduce, speedup_limits,
)
from reference.distributed_training_torch import average_gradients_torch


@alternative(average_gradients)
def running_sum(grads, counts):
    """One worker after the other."""
    total = 0.0
    for g, n in zip(grads, counts, strict=True):
        total = total + int(n) * np.asarray(g)
    return total / int(np.sum(counts))


@alternative(average_gradients)
def shares_by_einsum(grads, counts):
    """One sum over workers, written as einsum."""
    return np.einsum("k,k...->...", counts / counts.sum(), grads)


@alternative(asynchronous_sgd)
def history_of_weights(w0, x, targets, order, lr):
    """All weights kept, and for each worker the number of those it holds; lists come back."""
    history, last = [w0], dict.fromkeys(range(len(x)), 0)
    staleness = []
    for k in order:
        error = np.einsum("nd,d->n", x[k], history[last[k]]) - targets[k]
        history.append(history[-1] - lr * (error[:, None] * x[k]).mean(axis=0))
        staleness.append(len(history) - 2 - last[k])
        last[k] = len(history) - 1
    return history, staleness


@alternative(ring_allreduce)
def messages_one_by_one(vectors):
    """Every message of a step written down first, then delivered."""
    K, n = vectors.shape
    buffers = [[vectors[r, c * n // K : (c + 1) * n // K].tolist() for c in range(K)] for r in range(K)]
    trace = [[sum(row, []) for row in buffers]]
    for s in range(2 * K - 2):
        gather = s >= K - 1
        mail = [(r, (r + 1 - (s - K + 1)) % K if gather else (r - s) % K) for r in range(K)]
        sent = [list(buffers[r][c]) for r, c in mail]
        for (r, c), part in zip(mail, sent, strict=True):
            own = buffers[(r + 1) % K][c]
            buffers[(r + 1) % K][c] = part if gather else [a + b for a, b in zip(own, part, strict=True)]
        trace.append([sum(row, []) for row in buffers])
    return trace


@alternative(allreduce_seconds)
def steps_times_chunk(workers, size, bandwidth, latency):
    """Steps and chunks apart; an array comes back."""
    steps, chunk = 2 * (workers - 1), size / workers
    return np.array([steps * latency + steps * chunk / bandwidth, 2 * latency + 2 * workers * (size / bandwidth)])


@alternative(pipeline_schedule)
def mirror_in_time(stages, microbatches):
    """The backward half is the forward half, mirrored; int32."""
    half, columns = microbatches + stages - 1, []
    for t in range(half):
        columns.append([t - s + 1 if 0 <= t - s < microbatches else 0 for s in range(stages)])
    table = np.array(columns, dtype=np.int32).T
    return np.hstack([table, -table[:, ::-1]])


@alternative(speedup_limits)
def one_fraction_each(serial_fraction, workers):
    """Other forms of the same formulas."""
    f, K = serial_fraction, workers
    return K / (1 + f * (K - 1)), K - f * (K - 1)


@alternative(fedavg_round)
def step_as_a_matrix(w, x, targets, counts, steps, lr):
    """The gradient as A w - b for each client."""
    result = np.zeros(len(w))
    for k, n in enumerate(counts):
        A, b = x[k, :n].T @ x[k, :n] / n, targets[k, :n] @ x[k, :n] / n
        v = np.array(w)
        for _ in range(steps):
            v = (np.eye(len(w)) - lr * A) @ v + lr * b
        result += n / np.sum(counts) * v
    return result


@alternative(average_gradients_torch)
def weighted_sum_by_broadcasting(grads, counts):
    """Counts stretched over the gradient's axes."""
    shares = counts.reshape(-1, *[1] * (grads.dim() - 1)).to(grads.dtype)
    return (shares * grads).sum(dim=0) / shares.sum()
