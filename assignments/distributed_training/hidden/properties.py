"""The laws of training on many workers."""

from typing import NamedTuple

import numpy as np
from autograder.properties import FORWARD, assert_at_most, assert_close, assert_equal, claim, integers, reals, shaped, twin
from hypothesis import strategies as st

from reference import distributed_training as ref
from reference import distributed_training_torch as on_tensors
from reference.distributed_training import Array, Ints

LOOSE = FORWARD.scaled(100)


def gradient(w, x, targets):
    """Sample by sample."""
    return sum(row * (row @ w - t) for row, t in zip(x, targets, strict=True)) / len(x)


class Shards(NamedTuple):
    """What K workers hold: rows beyond their counts are padding."""

    w: Array
    x: Array
    targets: Array
    counts: Ints

    @property
    def each(self):
        return [(x[:n], t[:n]) for x, t, n in zip(self.x, self.targets, self.counts, strict=True)]

    @property
    def together(self):
        return np.concatenate([x for x, _ in self.each]), np.concatenate([t for _, t in self.each])


@st.composite
def shards(draw):
    """Two to four workers, one of them with a single sample."""
    k, n, d = draw(st.integers(2, 4)), draw(st.integers(2, 5)), draw(st.integers(1, 3))
    counts = draw(integers(k, low=1, high=n))
    counts[draw(st.integers(0, k - 1))] = 1
    counts[0] = n if counts.max() == 1 else counts[0]
    x, targets = draw(reals(k, n, d, zero=False)), draw(reals(k, n))
    for i in range(k):
        x[i, counts[i] :], targets[i, counts[i] :] = 99.0, 99.0
    return Shards(draw(reals(d)), x, targets, counts)


@claim(ref.average_gradients, s=shards())
def synchronous_workers_equal_one_big_batch(f, s):
    """各ワーカーの平均勾配の重み付き平均は、全サンプルを一つのバッチとみたときの勾配に等しい。
    The weighted mean of the workers' mean gradients is the gradient of one big batch of all samples."""
    grads = np.array([gradient(s.w, x, t) for x, t in s.each])
    assert_close(f(grads, s.counts), gradient(s.w, *s.together))


@st.composite
def gradients(draw):
    k = draw(st.integers(2, 5))
    return draw(reals(k, 2, 2)), draw(integers(k, low=1, high=9)), draw(st.permutations(range(k)))


@claim(ref.average_gradients, g=gradients(), times=st.integers(2, 4))
def average_is_a_weighted_mean(f, g, times):
    """等しい勾配の平均はそのまま。サンプル数をすべて定数倍しても、ワーカーを並べ替えても変わらず、勾配を 2 倍すれば平均も 2 倍になる。
    Equal gradients average to themselves; counts times a constant, or workers in another order, change nothing; doubled gradients double the mean."""
    grads, counts, order = g
    mean = np.asarray(f(grads, counts))
    assert_close(f(np.repeat(grads[:1], len(counts), axis=0), counts), grads[0])
    assert_close(f(grads, times * counts), mean)
    assert_close(f(grads[order], counts[order]), mean)
    assert_close(f(2 * grads, counts), 2 * mean)


class Run(NamedTuple):
    """The arguments of `asynchronous_sgd`, in its order."""

    w0: Array
    x: Array
    targets: Array
    order: Ints
    lr: float


@st.composite
def runs(draw, workers=(2, 4), pushes=(4, 9)):
    """Workers with a few samples each, pushing in any order."""
    k, d = draw(st.integers(*workers)), draw(st.integers(1, 2))
    sizes = {"K": (k, k), "D": (d, d), "N": (1, 3)}
    w0, x, targets = draw(shaped(sizes=sizes, numbers={"x": lambda *s: reals(*s, zero=False)}, w="D", x="K N D", t="K N"))
    order = draw(integers(draw(st.integers(*pushes)), low=0, high=k - 1))
    return Run(w0, x, targets, order, draw(st.sampled_from([0.125, 0.25])))


@claim(ref.asynchronous_sgd, run=runs(workers=(1, 1), pushes=(3, 4)))
def one_worker_is_plain_sgd(f, run):
    """ワーカーが 1 台なら普通の勾配降下法で、古さはいつも 0 である。
    One worker alone is plain gradient descent, with staleness 0."""
    w = [run.w0]
    for _ in run.order:
        w.append(w[-1] - run.lr * gradient(w[-1], run.x[0], run.targets[0]))
    assert_close(f(*run), (np.array(w), np.zeros(len(run.order), int)), LOOSE)


@claim(ref.asynchronous_sgd, run=runs(), order=lambda run: st.permutations(range(len(run.x))))
def first_pushes_all_use_the_initial_weights(f, run, order):
    """どのワーカーも 1 回ずつ push すると、順番によらず w0 - lr Σ g_k(w0) になる。古さは 0, 1, …, K-1 である。
    If each worker pushes once, the end is w0 - lr Σ g_k(w0), whatever the order, with staleness 0, 1, …, K-1."""
    weights, staleness = f(*run._replace(order=np.array(order)))
    moved = sum(gradient(run.w0, x, t) for x, t in zip(run.x, run.targets, strict=True))
    assert_close(weights[-1], run.w0 - run.lr * moved, LOOSE)
    assert_equal(staleness, np.arange(len(order)))


@claim(ref.asynchronous_sgd, run=runs())
def round_robin_staleness_is_workers_minus_one(f, run):
    """0, 1, …, K-1 の順に繰り返すと、2 巡目からの古さはすべて K-1 である。
    In turn 0, 1, …, K-1, again and again, the staleness is K-1 from the second round on."""
    k = len(run.x)
    _, staleness = f(*run._replace(order=np.tile(np.arange(k), 3)))
    assert_equal(staleness[k:], np.full(2 * k, k - 1))


@claim(ref.asynchronous_sgd, run=runs())
def update_uses_the_weights_of_its_staleness(f, run):
    """どの push も、サーバーの最新の重みを、古さの分だけ前の重みでの勾配で動かす: W[t+1] = W[t] - lr g(W[t - 古さ])。
    Each push moves the server's newest weights by the gradient at those of its staleness: W[t+1] = W[t] - lr g(W[t - staleness])."""
    weights, staleness = (np.asarray(part) for part in f(*run))
    past = np.clip(np.arange(len(run.order)) - staleness, 0, len(run.order)).astype(int)
    grads = [gradient(weights[p], run.x[k], run.targets[k]) for p, k in zip(past, run.order, strict=True)]
    assert_close(weights[1:], weights[:-1] - run.lr * np.array(grads), LOOSE)


@claim(ref.asynchronous_sgd, run=runs())
def asynchronous_run_written_out(f, run):
    """各ワーカーが最後に受け取った重みを追って計算した、サーバーの重みと古さの列に一致する。
    The server's weights and the staleness are those found by following what each worker pulled last."""
    history, last, staleness = [run.w0], {}, []
    for k in run.order:
        held = last.get(k, 0)
        staleness.append(len(history) - 1 - held)
        history.append(history[-1] - run.lr * gradient(history[held], run.x[k], run.targets[k]))
        last[k] = len(history) - 1
    assert_close(f(*run), (np.array(history), np.array(staleness)), LOOSE)


def rings(low=1):
    """One vector a worker, of whole numbers."""
    return st.tuples(st.integers(low, 5), st.integers(1, 2)).flatmap(lambda s: integers(s[0], s[0] * s[1], low=-9, high=9)).map(lambda v: v * 1.0)


@claim(ref.ring_allreduce, v=rings())
def everyone_ends_with_the_sum(f, v):
    """最初は入力そのもので、2(K-1) 回のステップの後、全員が全ワーカーの和をもつ。
    It starts with the inputs, and after 2(K-1) steps every worker holds the sum of all."""
    trace = f(v)
    assert_close(trace[0], v)
    assert_close(trace[-1], np.tile(v.sum(axis=0), (len(v), 1)))


@claim(ref.ring_allreduce, v=rings(low=2))
def half_way_each_worker_owns_one_finished_chunk(f, v):
    """K-1 ステップの後、ワーカー r の (r+1) mod K 番目のチャンクは完成している。1 ステップで変わるのは、各ワーカーの 1 チャンクだけである。
    After K-1 steps chunk (r+1) mod K of worker r is complete, and a step changes one chunk of each worker at most."""
    K = len(v)
    trace = np.asarray(f(v)).reshape(2 * K - 1, K, K, -1)
    owned = (np.arange(K) + 1) % K
    assert_close(trace[K - 1, np.arange(K), owned], v.sum(axis=0).reshape(K, -1)[owned])
    changed = (np.abs(np.diff(trace, axis=0)) > 1e-9).any(axis=-1).sum(axis=-1)
    assert_at_most(changed * 1.0, np.ones(changed.shape))


@claim(ref.ring_allreduce, v=rings())
def every_step_of_the_ring_matches(f, v):
    """どのステップでも、各チャンクは、それまでに通ったワーカーの分の和である(まだ届いていなければ自分の分だけ)。
    At every step each chunk is the sum over the workers that it has passed, or the worker's own where none has arrived."""
    K = len(v)
    parts = v.reshape(K, K, -1)
    trace = np.zeros((2 * K - 1, K, K, parts.shape[-1]))
    for s, r, c in np.ndindex(2 * K - 1, K, K):
        hops = (r - c) % K  # how far the chunk has come to reach r in the first half
        arrived = min(s, K - 1) >= hops > 0
        trace[s, r, c] = sum(parts[(r - t) % K, c] for t in range(hops + 1)) if arrived else parts[r, c]
        second = (r - c + 1) % K  # steps of the second half until the finished chunk reaches r
        if s - (K - 1) >= second and K > 1 and (s >= K - 1):
            trace[s, r, c] = parts[:, c].sum(axis=0)
    assert_close(f(v), trace.reshape(2 * K - 1, K, -1))


class Link(NamedTuple):
    """The arguments of `allreduce_seconds`, in its order."""

    workers: int
    size: float
    bandwidth: float
    latency: float


def links(low=1, latency=st.sampled_from([0.0, 1e-6, 1e-5, 1e-3])):
    size, bandwidth = st.sampled_from([1e6, 1e8, 4e8, 2e9]), st.sampled_from([1e9, 1e10, 1e11])
    return st.builds(Link, st.integers(low, 64), size, bandwidth, latency)


@claim(ref.allreduce_seconds, link=links(low=2))
def times_add_latency_and_transfer(f, link):
    """リングは「遅延 + size/(K·帯域)」を 2(K-1) 回、サーバーは 2 回の遅延と、1 本の回線を通る 2K·size/帯域 の時間がかかる。
    The ring takes 2(K-1) times latency + size/(K·bandwidth); the server 2 latencies and 2K·size/bandwidth through its one link."""
    K, size, bandwidth, latency = link
    transfer = size / bandwidth
    ring, server = (2 * K - 2) * latency + (2 - 2 / K) * transfer, 2 * latency + 2 * K * transfer
    found = f(*link)
    assert_close((found[0] / ring, found[1] / server), (1.0, 1.0))


@claim(ref.allreduce_seconds, link=links(low=2, latency=st.just(0.0)))
def ring_volume_is_bounded_server_volume_grows(f, link):
    """遅延がなければ、リングは何台でも 2·size/帯域 より短く、サーバーはその K²/(K-1) 倍かかる。
    Without latency the ring stays below 2·size/bandwidth for any number of workers; the server takes K²/(K-1) times as long."""
    ring, server = f(*link)
    transfer = link.size / link.bandwidth
    assert_at_most(ring / transfer, 2.0)
    assert_close(server * (link.workers - 1) / transfer, ring * link.workers**2 / transfer)
    assert_at_most(ring / transfer, f(*link._replace(workers=link.workers + 1))[0] / transfer)


@claim(ref.allreduce_seconds, link=links(low=2, latency=st.sampled_from([1e-5, 1e-3])))
def latency_counts_steps(f, link):
    """size = 0 なら、リングは遅延 2(K-1) 回分、サーバーは 2 回分かかる。size と遅延を 2 倍にすれば時間も 2 倍になる。
    With size 0 the ring pays 2(K-1) latencies, the server 2; twice the size and the latency take twice the time."""
    empty = f(*link._replace(size=0.0))
    assert_close((empty[0] / link.latency, empty[1] / link.latency), (2.0 * link.workers - 2, 2.0))
    unit = link.latency + link.size / link.bandwidth
    once, twice = f(*link), f(*link._replace(size=2 * link.size, latency=2 * link.latency))
    assert_close((twice[0] / unit, twice[1] / unit), (2 * once[0] / unit, 2 * once[1] / unit))


stages, microbatches = st.integers(1, 5), st.integers(1, 6)


@claim(ref.pipeline_schedule, p=stages, m=microbatches)
def schedule_is_the_table_of_gpipe(f, p, m):
    """段 s(0 から)での j の順伝播は s+j-1 列目、逆伝播は (m+p-1) + (p-1-s) + (m-j) 列目で、ほかは 0 である。
    Forward of j at stage s (from 0) stands in column s+j-1, backward in (m+p-1) + (p-1-s) + (m-j), all else is 0."""
    table = [[0] * (2 * (m + p - 1)) for _ in range(p)]
    for s in range(p):
        for j in range(1, m + 1):
            table[s][s + j - 1] = j
            table[s][(m + p - 1) + (p - 1 - s) + (m - j)] = -j
    assert_equal(f(p, m), np.array(table))


@claim(ref.pipeline_schedule, p=stages, m=microbatches)
def bubble_share_of_the_pipeline(f, p, m):
    """どの段も、どのマイクロバッチも順・逆 1 回ずつ処理し、空き時間の割合はちょうど (p-1)/(m+p-1) である。
    Every stage does each micro-batch once forward and once backward, and the idle share is exactly (p-1)/(m+p-1)."""
    table = np.asarray(f(p, m))
    once = np.sort(np.concatenate((-np.arange(1, m + 1), np.arange(1, m + 1), np.zeros(2 * (p - 1), int))))
    assert_equal(np.sort(table, axis=1), np.tile(once, (p, 1)))
    assert_close(float(np.mean(table == 0)), (p - 1) / (m + p - 1))


@claim(ref.pipeline_schedule, p=stages, m=microbatches)
def pipeline_respects_dependencies(f, p, m):
    """順伝播は前の段の後、逆伝播は次の段の後に来る。どの段も全部の順伝播を終えてから、最後のマイクロバッチから逆伝播を始める。
    Forward comes after the stage before, backward after the stage behind; no stage goes back before all its forwards, and the last micro-batch is first."""
    table = np.asarray(f(p, m))
    when = {(s, j): np.flatnonzero(row == j) for s, row in enumerate(table) for j in (*range(-m, 0), *range(1, m + 1))}
    assert_equal([len(found) for found in when.values()], [1] * len(when))
    at = {key: float(found[0]) for key, found in when.items()}
    for j in range(1, m + 1):
        for s in range(p - 1):
            assert_at_most(at[s, j] + 1, at[s + 1, j])
            assert_at_most(at[s + 1, -j] + 1, at[s, -j])
    for s in range(p):
        assert_at_most(max(at[s, j] for j in range(1, m + 1)) + 1, at[s, -m])
        assert_close(min(at[s, -j] for j in range(1, m + 1)), at[s, -m])


shares = st.integers(1, 99).map(lambda i: i / 100)
many = st.sampled_from([2, 3, 4, 8, 16, 100, 1000])


@claim(ref.speedup_limits, share=shares, K=many)
def times_of_the_serial_and_parallel_parts_add(f, share, K):
    """アムダール: 長さ 1 のプログラムの新しい時間は f + (1-f)/K。グスタフソン: K 台が時間 1 でする仕事は、1 台なら f + (1-f)K かかる。
    Amdahl: a program of length 1 now takes f + (1-f)/K. Gustafson: what K workers do in time 1 takes one worker f + (1-f)K."""
    assert_close(f(share, K), (1 / (share + (1 - share) / K), share + (1 - share) * K))


@claim(ref.speedup_limits, share=shares, K=many)
def speedup_has_the_right_limits(f, share, K):
    """f = 0 なら両方 K 倍、f = 1 か K = 1 なら 1 倍。ほかでは 1 ≤ アムダール ≤ 1/f、アムダール ≤ グスタフソン ≤ K となる。
    f = 0 gives K, f = 1 or K = 1 gives 1, for both; else 1 ≤ Amdahl ≤ 1/f and Amdahl ≤ Gustafson ≤ K."""
    assert_close(f(0.0, K), (float(K), float(K)))
    assert_close(f(1.0, K), (1.0, 1.0))
    assert_close(f(share, 1), (1.0, 1.0))
    amdahl, gustafson = f(share, K)
    for small, large in ((1.0, amdahl), (amdahl, 1 / share), (amdahl, gustafson), (gustafson, float(K))):
        assert_at_most(small / K, large / K)


@claim(ref.speedup_limits, share=shares, K=many)
def amdahl_and_gustafson_agree_on_one_program(f, share, K):
    """並列実行時間の f が逐次部分なら、1 台での割合は f' = f/(f + (1-f)K) で、アムダール(f') = グスタフソン(f) となる。
    A serial share f of the parallel run is f' = f/(f + (1-f)K) of the run on one worker, and Amdahl(f') = Gustafson(f)."""
    alone = share / (share + (1 - share) * K)
    assert_close(f(alone, K)[0], f(share, K)[1])


def descended(w, x, t, steps, lr):
    for _ in range(steps):
        w = w - lr * gradient(w, x, t)
    return w


rates = st.sampled_from([0.0625, 0.125])


@claim(ref.fedavg_round, s=shards(), steps=st.integers(2, 3), lr=rates)
def local_models_are_averaged_by_size(f, s, steps, lr):
    """各クライアントが自分のデータだけで steps 回進んだ重みを、サンプル数で重み付けして平均する。
    The mean, weighted by counts, of the weights that each client reaches in `steps` steps on its own rows."""
    models = [descended(s.w, x, t, steps, lr) for x, t in s.each]
    mean = sum(n * model for n, model in zip(s.counts, models, strict=True)) / s.counts.sum()
    assert_close(f(*s, steps, lr), mean, LOOSE)


@claim(ref.fedavg_round, s=shards(), lr=rates)
def one_local_step_is_big_batch_sgd(f, s, lr):
    """ローカルで 1 ステップなら、全クライアントのデータによる 1 回の SGD と同じで、0 ステップなら w のままである。
    One local step is one step of SGD over all clients' data; zero steps return w."""
    assert_close(f(*s, 1, lr), s.w - lr * gradient(s.w, *s.together), LOOSE)
    assert_close(f(*s, 0, lr), s.w)


@claim(ref.fedavg_round, s=shards(), steps=st.integers(2, 3), lr=rates)
def local_training_is_gradient_descent_on_own_data(f, s, steps, lr):
    """クライアントが一つなら、そのデータでの steps 回の勾配降下法である。同じクライアントが並んでも結果は変わらない。
    One client takes `steps` steps of gradient descent on its data; identical clients give what one gives."""
    alone = descended(s.w, *s.each[0], steps, lr)
    assert_close(f(s.w, s.x[:1], s.targets[:1], s.counts[:1], steps, lr), alone, LOOSE)
    assert_close(f(s.w, s.x[[0, 0]], s.targets[[0, 0]], s.counts[[0, 0]], steps, lr), alone, LOOSE)


@twin(on_tensors.average_gradients_torch, g=gradients())
def averaged_on_tensors(g):
    return g[0], g[1]


