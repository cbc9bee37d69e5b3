"""Wrong ideas about training on many workers."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.distributed_training import (
    allreduce_seconds, asynchronous_sgd, average_gradients, fedavg_round, pipeline_schedule, ring_allreduce, speedup_limits,
)
from reference.distributed_training_torch import average_gradients_torch


@mutant(average_gradients)
def plain_mean_over_workers(grads, counts):
    """サンプル数が違うワーカーの勾配は、同じ重みで平均してよいでしょうか。
    Should a worker with one sample count as much as a worker with a hundred?"""
    return average_gradients(grads, np.ones_like(counts))


@mutant(average_gradients)
def sums_gradients(grads, counts):
    """ワーカーを増やしただけで更新幅が大きくなっていませんか。
    Does the step grow merely because there are more workers?"""
    return len(counts) * average_gradients(grads, counts)


def pushes(w0, x, targets, order, lr, at, base, tell=lambda k, pulled, server, n: pulled.__setitem__(k, (server, n))):
    """Asynchronous SGD with one of its parts exchanged."""
    server, pulled, weights, staleness = w0, {k: (w0, 0) for k in range(len(x))}, [w0], []
    for n, k in enumerate(order):
        seen, since = pulled[k]
        point = at(seen, server)
        gradient = x[k].T @ (x[k] @ point - targets[k]) / x.shape[1]
        staleness.append(n - since)
        server = base(seen, server) - lr * gradient
        tell(k, pulled, server, n + 1)
        weights.append(server)
    return np.stack(weights), np.array(staleness)


@mutant(asynchronous_sgd)
def workers_see_the_newest_weights(w0, x, targets, order, lr):
    """ワーカーが勾配を計算したときに持っていた重みは、最新のものでしたか。
    Were the weights on which the worker computed its gradient still the newest?"""
    return pushes(w0, x, targets, order, lr, lambda seen, server: server, lambda seen, server: server)


@mutant(asynchronous_sgd)
def server_takes_the_pushed_model(w0, x, targets, order, lr):
    """ワーカーのモデルでサーバーを置き換えると、その間の他のワーカーの更新はどうなりますか。
    If the worker's model replaces the server's, what happens to the updates others made meanwhile?"""
    return pushes(w0, x, targets, order, lr, lambda seen, server: seen, lambda seen, server: seen)


@mutant(asynchronous_sgd)
def staleness_counts_own_push(w0, x, targets, order, lr):
    """古さは、重みを受け取ってから「他の」更新が何回あったかです。
    Staleness counts the updates by others since the weights were pulled."""
    weights, staleness = asynchronous_sgd(w0, x, targets, order, lr)
    return weights, staleness + 1


@mutant(asynchronous_sgd)
def all_workers_pull_after_each_push(w0, x, targets, order, lr):
    """push していない計算中のワーカーも、新しい重みを受け取れるでしょうか。
    Does a worker that is still computing receive the new weights?"""

    def everybody(k, pulled, server, n):
        pulled.update(dict.fromkeys(pulled, (server, n)))

    return pushes(w0, x, targets, order, lr, lambda seen, server: seen, lambda seen, server: server, everybody)


@mutant(asynchronous_sgd)
def gradients_shared_by_the_workers(w0, x, targets, order, lr):
    """非同期型のサーバーは、届いた勾配をワーカーの数で割りますか。
    Does an asynchronous server divide a gradient by the number of workers?"""
    return asynchronous_sgd(w0, x, targets, order, lr / len(x))


def ring(vectors, first, second):
    """The ring with another way to take in what arrives."""
    K = len(vectors)
    buffers, r = vectors.reshape(K, K, -1), np.arange(K)
    trace = [buffers]
    for s in range(2 * K - 2):
        half = s < K - 1
        c = (r - s) % K if half else (r + 1 - (s - K + 1)) % K
        new, here = buffers.copy(), ((r + 1) % K, c)
        new[here] = (first if half else second)(buffers[here], buffers[r, c])
        buffers = new
        trace.append(buffers)
    return np.stack(trace).reshape(2 * K - 1, K, -1)


@mutant(ring_allreduce)
def reduce_scatter_overwrites(vectors):
    """前半では、受け取った部分和を自分の分とどう合わせますか。
    In the first half, what becomes of the receiver's own part?"""
    return ring(vectors, lambda own, sent: sent, lambda own, sent: sent)


@mutant(ring_allreduce)
def all_gather_adds(vectors):
    """後半で配るのは完成した和です。
    In the second half the finished sums are handed round."""
    return ring(vectors, np.add, np.add)


@mutant(ring_allreduce)
def ring_averages(vectors):
    """all-reduce 自体が行うのは和です。平均は後で割ります。
    All-reduce itself sums; the mean is a division afterwards."""
    trace = ring_allreduce(vectors)
    trace[-1] /= len(vectors)
    return trace


@mutant(ring_allreduce)
def sums_appear_at_once(vectors):
    """後半の 1 ステップで、各ワーカーが受け取るのは何チャンクですか。
    How many chunks does a worker receive in one step of the second half?"""
    trace = ring_allreduce(vectors)
    trace[len(vectors) :] = trace[-1]
    return trace


@mutant(allreduce_seconds)
def whole_gradient_at_every_ring_step(workers, size, bandwidth, latency):
    """リングの 1 ステップで送るのは勾配全体ですか、その一部ですか。
    Is it the whole gradient that travels in one step of the ring, or a part of it?"""
    return 2 * (workers - 1) * (latency + size / bandwidth), allreduce_seconds(workers, size, bandwidth, latency)[1]


@mutant(allreduce_seconds)
def forgets_the_all_gather(workers, size, bandwidth, latency):
    """和ができた後、全員に配る段階が残っています。
    Once the sums are made they still have to reach everybody."""
    ring, server = allreduce_seconds(workers, size, bandwidth, latency)
    return ring / 2, server


@mutant(allreduce_seconds)
def server_link_carries_one_gradient(workers, size, bandwidth, latency):
    """サーバーの回線には何台分の勾配が流れますか。
    How many workers' gradients pass through the server's one link?"""
    return allreduce_seconds(workers, size, bandwidth, latency)[0], 2 * (latency + size / bandwidth)


@mutant(allreduce_seconds)
def one_latency_for_the_whole_ring(workers, size, bandwidth, latency):
    """リングの各ステップは前のステップを待ちます。遅延は何回かかりますか。
    Each step of the ring waits for the one before: how many latencies are paid?"""
    return 2 * latency + 2 * (workers - 1) * size / workers / bandwidth, allreduce_seconds(workers, size, bandwidth, latency)[1]


@mutant(pipeline_schedule)
def stages_work_one_after_another(stages, microbatches):
    """前の段が次のマイクロバッチを処理している間、後ろの段は待つ必要がありますか。
    While an early stage works on the next micro-batch, need the later stage wait?"""
    half = microbatches * stages
    table = np.zeros((stages, 2 * half), dtype=int)
    for s, j in np.ndindex(stages, microbatches):
        table[s, s * microbatches + j] = j + 1
        table[s, half + (stages - 1 - s) * microbatches + (microbatches - 1 - j)] = -(j + 1)
    return table


@mutant(pipeline_schedule)
def backward_starts_at_the_first_stage(stages, microbatches):
    """誤差はどちらの端の段から戻り始めますか。
    From which end of the pipeline does the error start to travel back?"""
    table = pipeline_schedule(stages, microbatches)
    half = table.shape[1] // 2
    return np.hstack((table[:, :half], table[::-1, half:]))


@mutant(pipeline_schedule)
def backward_in_forward_order(stages, microbatches):
    """直前に順伝播を終えたばかりのマイクロバッチはどれですか。GPipe はそこから戻ります。
    Which micro-batch has just finished its forward pass? GPipe goes back from that one."""
    table = pipeline_schedule(stages, microbatches)
    return np.where(table < 0, -(microbatches + 1 + table), table)


@mutant(speedup_limits)
def amdahl_divides_the_serial_part(serial_fraction, workers):
    """台数を増やして短くなるのは、どちらの部分ですか。
    Which of the two parts gets shorter with more workers?"""
    return speedup_limits(1 - serial_fraction, workers)[0], speedup_limits(serial_fraction, workers)[1]


@mutant(speedup_limits)
def gustafson_scales_the_serial_part(serial_fraction, workers):
    """台数に比例して増やせる仕事は、逐次部分ですか並列部分ですか。
    Which part of the work can grow with the number of workers?"""
    return speedup_limits(serial_fraction, workers)[0], speedup_limits(1 - serial_fraction, workers)[1]


@mutant(fedavg_round)
def clients_average_without_weights(w, x, targets, counts, steps, lr):
    """データの多いクライアントほど大きく効くはずです。
    A client with more data should weigh more."""
    each = [fedavg_round(w, x[k : k + 1], targets[k : k + 1], counts[k : k + 1], steps, lr) for k in range(len(x))]
    return np.mean(each, axis=0)


@mutant(fedavg_round)
def averages_after_every_local_step(w, x, targets, counts, steps, lr):
    """各クライアントは、通信せずに何ステップ進みますか。
    How many steps does a client take without talking to the others?"""
    for _ in range(steps):
        w = fedavg_round(w, x, targets, counts, 1, lr)
    return w


@mutant(fedavg_round)
def padding_rows_are_counted(w, x, targets, counts, steps, lr):
    """損失の平均は、そのクライアントの何件についての平均ですか。
    Over how many of its rows does the client take the mean?"""
    models = []
    for x_k, t_k, n in zip(x, targets, counts, strict=True):
        v = w
        for _ in range(steps):
            v = v - lr * x_k[:n].T @ (x_k[:n] @ v - t_k[:n]) / len(x_k)
        models.append(v)
    return average_gradients(np.stack(models), counts)


@mutant(fedavg_round)
def clients_updates_are_summed(w, x, targets, counts, steps, lr):
    """クライアントの更新は、足し合わせますか、平均しますか。
    Are the clients' updates added up, or averaged?"""
    return w + len(x) * (fedavg_round(w, x, targets, counts, steps, lr) - w)


@mutant(average_gradients_torch)
def plain_mean_on_tensors(grads, counts):
    """サンプル数の違いは、テンソルの平均に入っていますか。
    Do the different numbers of samples enter the mean of the tensors?"""
    return grads.mean(dim=0)


@mutant(average_gradients_torch)
def averaged_outside_the_graph(grads, counts):
    """平均を求める途中で、勾配の計算から切り離していませんか。
    Is the mean detached from the graph on its way?"""
    with torch.no_grad():
        mean = average_gradients_torch(grads, counts)
    return mean + 0 * grads.sum()
