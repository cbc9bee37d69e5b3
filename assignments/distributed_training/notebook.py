# %% [markdown] lang="ja"
# # 分散深層学習
#
# データもモデルも、1 台の計算機では足りない大きさになりました。多くの**ワーカー**で分担して学習する方法は、大きく二つに分かれます。
#
# - **データ並列**: 同じモデルを全員がもち、データを分ける。同期型と非同期型がある。データが大きいときに向く。
# - **モデル並列**: モデルを分けて担当する。モデルが大きいときに向く。
#
# ここでは小さな線形モデルで、それぞれの仕組みを正確に再現します。損失は $\tfrac12\,\mathrm{mean}\bigl((xw - t)^2\bigr)$、勾配は $x^\top(xw - t)/n$ です。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $K$ | ワーカー(クライアント)の数 | $P$ | パイプラインの段数 |
# | $N$ | ワーカーごとのサンプル数 | $M$ | マイクロバッチの数 |
# | $D$ | 重みの数 | $f$ | 逐次部分の割合 |
#
# 入力の配列を書き換えないでください。実数は float64 で計算します(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Distributed training
#
# Data and models have outgrown a single machine. There are two ways to share the work among many **workers**.
#
# - **Data parallelism**: everybody holds the same model, and the data are split. Synchronous or asynchronous. For large data.
# - **Model parallelism**: the model itself is split. For large models.
#
# Here you will rebuild each of them exactly, on a small linear model. The loss is $\tfrac12\,\mathrm{mean}\bigl((xw - t)^2\bigr)$, its gradient $x^\top(xw - t)/n$.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $K$ | workers (clients) | $P$ | stages of a pipeline |
# | $N$ | samples of each worker | $M$ | micro-batches |
# | $D$ | weights | $f$ | serial share |
#
# Leave the arrays that you are given unchanged. Reals are float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 同期型: 勾配を平均する
#
# 各ワーカーは自分のデータで平均勾配 $g_k$ を求め、全員がそろうのを待って平均します。サンプル数 $n_k$ が違うときは、**サンプル数で重み付け**します。
#
# $$g = \frac{\sum_k n_k\, g_k}{\sum_k n_k}$$
#
# こうすると、全員のデータを一つの大きなバッチとみたときの勾配と**まったく同じ**になります。
#
# **例**。勾配が 1, 4, 0、サンプル数が 1, 3, 4 なら、$(1 \cdot 1 + 3 \cdot 4 + 4 \cdot 0)/8 = 1.625$ です。単純な平均 1.667 とは違います。
#
# この等式は、損失が独立なサンプルの平均のときに成り立ちます。ワーカーごとの統計を使うバッチ正規化があると、成り立ちません。

# %% [markdown] lang="en"
# ## Synchronous: average the gradients
#
# Each worker finds the mean gradient $g_k$ of its own data; all wait for all, then average. Where the numbers of samples $n_k$ differ, **weight by them**:
#
# $$g = \frac{\sum_k n_k\, g_k}{\sum_k n_k}$$
#
# The result is **exactly** the gradient of one big batch of everybody's data.
#
# **Example.** Gradients 1, 4, 0 of 1, 3 and 4 samples: $(1 \cdot 1 + 3 \cdot 4 + 4 \cdot 0)/8 = 1.625$, not the plain mean 1.667.
#
# This holds for a loss that is a mean over independent samples. With batch normalisation, whose statistics are each worker's own, it does not.

# %% stub average_gradients
"""同期型の一歩で使う勾配: 全サンプルをまとめたときの勾配。

Args:
    grads: 各ワーカーの平均勾配、(K, ...)。
    counts: 何サンプルの平均か。1 以上、(K,)。

Returns:
    Σ n_k g_k / Σ n_k。一つの勾配と同じ形。
"""

# %%
average_gradients(np.array([[1.0, 2.0], [4.0, -1.0], [0.0, 3.0]]), np.array([1, 3, 4]))
# array([1.625, 1.375])

# %% graded average_gradients

# %% [markdown] lang="ja"
# ## 非同期型: 待たない
#
# 全員を待つと、最も遅いワーカーに合わせることになります。非同期型では、各ワーカーが勾配を求めるたびに**パラメータサーバー**へ送り(push)、サーバーの**いまの**重みを受け取って(pull)次に進みます。
#
# ![計算している間に、ほかのワーカーが重みを進めてしまう](staleness.svg)
#
# 時刻ごとに、ワーカー $k$ が次のことをします。
#
# 1. 最後に受け取った重みで勾配を求める(最初は全員 `w0`)。
# 2. サーバーは、自分の**最新の**重みをその勾配で動かす: $w \leftarrow w - \eta g$。
# 3. ワーカー $k$ だけが、その新しい重みを受け取る。
#
# 計算している間にほかのワーカーが push した回数を**古さ**(staleness)といいます。古い重みでの勾配を使うので、学習が不安定になりがちです(stale gradient 問題)。
#
# > **よくある間違い** サーバーは「モデルを出し入れする先入れ先出しのキュー」ではありません。ワーカーが送るのは**勾配**で、サーバーがもつ重みは一組だけです。読んでも減りません。

# %% [markdown] lang="en"
# ## Asynchronous: do not wait
#
# Waiting for all means waiting for the slowest. In asynchronous training a worker sends its gradient to a **parameter server** as soon as it has one (push), receives the server's **present** weights (pull), and goes on.
#
# ![While a worker computes, others move the weights](staleness.svg)
#
# At each tick a worker $k$
#
# 1. finds the gradient at the weights that it pulled last (`w0` at first),
# 2. the server moves its own **newest** weights by it, $w \leftarrow w - \eta g$,
# 3. and worker $k$ alone pulls these.
#
# How often others have pushed meanwhile is the **staleness**. As gradients belong to old weights, training tends to be less stable (the stale gradient problem).
#
# > **Common mistake** The server is no "first-in first-out queue of models". Workers send **gradients**, the server holds one set of weights, and reading takes nothing away.

# %% stub asynchronous_sgd
"""パラメータサーバーを使い、だれも待たない SGD。

各時刻に一つのワーカーが、最後に受け取った重みでの勾配を push する。サーバーは最新の重みをその勾配で動かし、
そのワーカーだけがそれを pull する。

Args:
    w0: 全員の最初の重み、(D,)。
    x: 各ワーカーの入力、(K, N, D)。
    targets: 各ワーカーの目標、(K, N)。
    order: 各時刻に push するワーカー、(S,)。
    lr: 学習率。サーバーが掛ける。

Returns:
    weights: 最初の push の前と、各 push の後のサーバーの重み、(T, D)。T = S + 1。
    staleness: そのワーカーが最後に pull してから、ほかが push した回数、(S,)。
"""

# %%
x = np.array([[[1.0], [1.0]], [[2.0], [0.0]]])
targets = np.array([[2.0, 0.0], [1.0, 1.0]])
asynchronous_sgd(np.array([1.0]), x, targets, np.array([0, 1, 1, 0]), 0.5)
# (array([[1.], [1.], [0.5], [0.5], [0.5]]), array([0, 1, 0, 2]))

# %% graded asynchronous_sgd

# %% [markdown] lang="ja"
# ## リング all-reduce
#
# 全員が「全員の和」をもつようにする操作を **all-reduce** といいます。サーバーに集めると、その 1 本の回線に $K$ 台分が流れます。**リング**では、ベクトルを $K$ 個のチャンクに切り、隣へだけ送ります。
#
# ![三つのワーカーの reduce-scatter](ring.svg)
#
# - **reduce-scatter**($s = 0, \dots, K-2$): ワーカー $r$ はチャンク $(r - s) \bmod K$ を $r+1$ へ送り、受け取った側は**足す**。
# - **all-gather**($s = 0, \dots, K-2$): ワーカー $r$ はチャンク $(r + 1 - s) \bmod K$ を $r+1$ へ送り、受け取った側は**置き換える**。
#
# 一つのステップの中の送信は、すべて同時です(送るのはステップの始めの値)。最初の状態と、各ステップの後の全員のバッファを返してください。all-reduce が求めるのは和です。平均は後で割ります。

# %% [markdown] lang="en"
# ## The ring all-reduce
#
# An **all-reduce** gives everybody the sum of all. Collected at a server, $K$ gradients pass through its one link. In a **ring** the vectors are cut into $K$ chunks, and everybody sends to a neighbour only.
#
# ![Reduce-scatter among three workers](ring.svg)
#
# - **Reduce-scatter** ($s = 0, \dots, K-2$): worker $r$ sends chunk $(r - s) \bmod K$ to $r+1$, which **adds** it.
# - **All-gather** ($s = 0, \dots, K-2$): worker $r$ sends chunk $(r + 1 - s) \bmod K$ to $r+1$, which **replaces** its own by it.
#
# All sends of a step happen at once (what is sent is what was there when the step began). Return everybody's buffers at the start and after each step. An all-reduce sums; a mean is a division afterwards.

# %% stub ring_allreduce
"""リングによる all-reduce の各ステップ。全員が和をもって終わり、どの回線も一部だけを運ぶ。

各ベクトルを K 個のチャンクに切る。reduce-scatter のステップ s = 0 … K-2 では、ワーカー r がチャンク (r-s) mod K を r+1 へ送り、
r+1 はそれを足す。all-gather のステップ s = 0 … K-2 では、ワーカー r がチャンク (r+1-s) mod K を r+1 へ送り、r+1 は自分のものを
それで置き換える。一つのステップの送信はすべて同時に起こる。

Args:
    vectors: ワーカーごとに一つ、(K, L)。L は K で割り切れる。

Returns:
    (T, K, L)、T = 2K - 1: 最初と、各ステップの後の全員のバッファ。
"""

# %%
ring_allreduce(np.array([[1.0, 2.0], [10.0, 20.0]]))
# [[[1, 2], [10, 20]],  [[1, 22], [11, 20]],  [[11, 22], [11, 22]]]

# %% graded ring_allreduce

# %% [markdown] lang="ja"
# ## 通信にかかる時間
#
# メッセージ一つに、**遅延** $\alpha$ 秒と、バイト数を**帯域** $B$ で割った時間がかかるとします。勾配は $S$ バイトです。
#
# | 方法 | 時間 |
# |---|---|
# | リング | $2(K-1)\,\bigl(\alpha + \frac{S}{K B}\bigr)$ |
# | サーバー | $2\,\bigl(\alpha + \frac{K S}{B}\bigr)$ |
#
# リングの転送量は、何台でも $2S$ を超えません。サーバーは台数に比例します。遅延はリングの方が多く払います。各ステップが前のステップを待つからです。
#
# **例**。$K = 8$、$S = 400$ MB、$B = 10$ GB/s、$\alpha = 10$ µs。リングは $14 \times (10^{-5} + 0.005) = 0.07014$ 秒、サーバーは $2 \times (10^{-5} + 0.32) = 0.64002$ 秒です。

# %% [markdown] lang="en"
# ## How long it takes
#
# Let a message take a **latency** of $\alpha$ seconds and its bytes divided by the **bandwidth** $B$. A gradient has $S$ bytes.
#
# | method | time |
# |---|---|
# | ring | $2(K-1)\,\bigl(\alpha + \frac{S}{K B}\bigr)$ |
# | server | $2\,\bigl(\alpha + \frac{K S}{B}\bigr)$ |
#
# However many workers, a ring never transfers more than $2S$; the server's time grows with their number. The ring pays more latencies, as each of its steps waits for the one before.
#
# **Example.** $K = 8$, $S = 400$ MB, $B = 10$ GB/s, $\alpha = 10$ µs: the ring takes $14 \times (10^{-5} + 0.005) = 0.07014$ s, the server $2 \times (10^{-5} + 0.32) = 0.64002$ s.

# %% stub allreduce_seconds
"""全員が和をもつまでの時間(遅延と転送によるモデル)。

Args:
    workers: K。1 以上。
    size: 一つの勾配の大きさ(バイト)。
    bandwidth: 回線の帯域(バイト毎秒)。
    latency: 一つのメッセージの遅延(秒)。

Returns:
    ring: 「latency + size / (K · bandwidth)」を 2(K-1) 回(秒)。
    server: 2 (latency + K · size / bandwidth)。K 個の勾配が入り、K 個の結果が出る(秒)。
"""

# %%
allreduce_seconds(8, 400e6, 10e9, 1e-5)
# (0.07014, 0.64002)

# %% graded allreduce_seconds

# %% [markdown] lang="ja"
# ## モデル並列: パイプライン
#
# モデルを層で $P$ 段に分けると、後ろの段は前の段の出力を、前の段は後ろの段の勾配を、**毎回**待ちます。バッチを $M$ 個の**マイクロバッチ**に分けて流すと、待ち時間(バブル)が減ります。
#
# ![三段、四つのマイクロバッチ。灰色がバブル](pipeline.svg)
#
# 順伝播も逆伝播も 1 単位時間とします。順伝播は最初の段から番号順に、逆伝播は最後の段から、**最後のマイクロバッチから順に**戻ります(GPipe)。段 $s$(0 から)で $j$ 番目($1, \dots, M$)の
#
# - 順伝播は $s + j - 1$ 列目、
# - 逆伝播は $(M + P - 1) + (P - 1 - s) + (M - j)$ 列目です。
#
# バブルの割合は $\frac{P - 1}{M + P - 1}$ です。図では $2/6 = 1/3$、マイクロバッチに分けなければ($M = 1$)$2/3$ です。
#
# > **よくある間違い** モデル並列では、分けた部分を別々に学習して最後に合わせるのではありません。一つのモデルの部分どうしは、学習の 1 ステップごとに活性と勾配をやりとりします。

# %% [markdown] lang="en"
# ## Model parallelism: the pipeline
#
# Cut into $P$ stages of layers, a late stage waits for the outputs of an early one, and an early one for the gradients of a late one, **at every step**. Sending the batch through in $M$ **micro-batches** makes the waiting (the bubble) smaller.
#
# ![Three stages, four micro-batches; the bubble is grey](pipeline.svg)
#
# Let forward and backward take one tick each. Forward passes start at the first stage in order; backward passes start at the last stage, **the last micro-batch first** (GPipe). At stage $s$ (from 0), of micro-batch $j = 1, \dots, M$,
#
# - the forward pass stands in column $s + j - 1$,
# - the backward pass in column $(M + P - 1) + (P - 1 - s) + (M - j)$.
#
# The share of the bubble is $\frac{P - 1}{M + P - 1}$: $2/6 = 1/3$ in the figure, and $2/3$ without micro-batches ($M = 1$).
#
# > **Common mistake** In model parallelism the parts are not trained apart and put together at the end. The parts of one model exchange activations and gradients at every single step.

# %% stub pipeline_schedule
"""モデルを段に、バッチをマイクロバッチに分けたとき、だれがいつ何をするか。

Args:
    stages: P。1 以上。
    microbatches: M。1 以上。

Returns:
    (P, T)、T = 2(M + P - 1): 各時刻に、マイクロバッチ j = 1 … M の順伝播なら j、逆伝播なら -j、何もしなければ 0。
    順伝播は最初の段から番号順に、逆伝播は最後の段から、最後のマイクロバッチから順に行う。
"""

# %%
pipeline_schedule(3, 2)
# [[1, 2, 0, 0, 0, 0, -2, -1], [0, 1, 2, 0, 0, -2, -1, 0], [0, 0, 1, 2, -2, -1, 0, 0]]

# %% graded pipeline_schedule

# %% [markdown] lang="ja"
# ## どこまで速くなるか
#
# 並列にできない**逐次部分**があると、台数を増やしても頭打ちになります。
#
# - **アムダールの法則**(仕事の量が同じ): $\dfrac{1}{f + (1 - f)/K} \le \dfrac1f$
# - **グスタフソンの法則**(台数に合わせて仕事を増やす): $f + (1 - f)K$
#
# $f$ は、前者では 1 台での時間、後者では $K$ 台での時間のうちの、逐次部分の割合です。
#
# **例**。$f = 0.05$、$K = 16$ なら、アムダールは $1/(0.05 + 0.059375) \approx 9.14$ 倍、グスタフソンは $0.05 + 15.2 = 15.25$ 倍。台数をどれだけ増やしても、アムダールは 20 倍を超えません。

# %% [markdown] lang="en"
# ## How much faster can it get?
#
# What cannot be done in parallel, the **serial part**, sets a limit.
#
# - **Amdahl's law** (the same work): $\dfrac{1}{f + (1 - f)/K} \le \dfrac1f$
# - **Gustafson's law** (the work grows with the workers): $f + (1 - f)K$
#
# $f$ is the serial share of the time on one worker for the first, on $K$ workers for the second.
#
# **Example.** $f = 0.05$, $K = 16$: by Amdahl $1/(0.05 + 0.059375) \approx 9.14$ times, by Gustafson $0.05 + 15.2 = 15.25$ times. By Amdahl, no number of workers makes it more than 20 times.

# %% stub speedup_limits
"""K 台で何倍速くなるか。仕事の量が同じ場合と、台数に合わせて増やす場合。

Args:
    serial_fraction: f、[0, 1]。アムダールでは 1 台での時間、グスタフソンでは K 台での時間のうちの割合。
    workers: K。1 以上。

Returns:
    amdahl: 1 / (f + (1 - f)/K)。1/f を超えない。
    gustafson: f + (1 - f) K。
"""

# %%
speedup_limits(0.05, 16)
# (9.142857142857142, 15.25)

# %% graded speedup_limits

# %% [markdown] lang="ja"
# ## 連合学習: データを動かさない
#
# スマートフォンのデータは、手元から出したくありません。**FedAvg** では、サーバーが重みを配り、各クライアントが自分のデータで何ステップか学習し、その**重み**をサンプル数で重み付けして平均します。
#
# 1 ステップだけなら、全員のデータによる 1 回の SGD と同じです。何ステップも進めると通信は減りますが、各クライアントの重みは離れていきます。
#
# クライアント $k$ のデータは、最初の `counts[k]` 行です(残りは詰め物で、使いません)。

# %% [markdown] lang="en"
# ## Federated learning: the data stay where they are
#
# What is on a phone should not leave it. In **FedAvg** the server sends out weights, each client trains some steps on its own data, and the **weights** are averaged, weighted by the numbers of samples.
#
# One step is exactly one step of SGD over everybody's data. More steps save communication, while the clients' weights drift apart.
#
# The data of client $k$ are its first `counts[k]` rows; the rest is padding and is not used.

# %% stub fedavg_round
"""連合平均の 1 ラウンド。クライアントが自分のデータで学習し、サーバーがその重みを平均する。

Args:
    w: サーバーが配る重み、(D,)。
    x: 各クライアントの入力、(K, N, D)。クライアント k のものは最初の counts[k] 行。
    targets: 各クライアントの目標、(K, N)。
    counts: 各クライアントのサンプル数。1 以上、(K,)。
    steps: 各クライアントが単独で進む、全データによる勾配降下のステップ数。
    lr: 学習率。

Returns:
    (D,): クライアントの重みの、counts で重み付けした平均。
"""

# %%
fedavg_round(
    np.array([0.5, -0.5]), np.array([[[1.0, 2.0], [0, 0]], [[3.0, 1.0], [1.0, -1.0]]]),
    np.array([[1.0, 0], [2.0, -1.0]]), np.array([1, 2]), 3, 0.1,
)
# array([ 0.62216667, -0.061     ])

# %% graded fedavg_round

# %% [markdown] lang="ja"
# ## テンソルで書く
#
# 実際のデータ並列では、各プロセスの逆伝播の後に、勾配のテンソルを平均します。サンプル数は整数のテンソルで届きます。結果は `grads` と同じ dtype・デバイスにし、微分できるように書いてください。

# %% [markdown] lang="en"
# ## On tensors
#
# In real data parallelism the gradients' tensors are averaged after each process's backward pass. Counts arrive as a tensor of integers. Keep the dtype and the device of `grads`, and keep it differentiable.

# %%
import torch

# %% stub average_gradients_torch
"""全サンプルをまとめたときの勾配。

Args:
    grads: 各ワーカーの平均勾配、(K, ...)。
    counts: 何サンプルの平均か、(K,)。整数。

Returns:
    Σ n_k g_k / Σ n_k。grads と同じ dtype とデバイス。
"""

# %%
average_gradients_torch(torch.tensor([[1.0, 2.0], [4.0, -1.0], [0.0, 3.0]]), torch.tensor([1, 3, 4]))
# tensor([1.6250, 1.3750])

# %% graded average_gradients_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - 同期型は遅いが安定し、精度も良いことが多い(いまの主流)。非同期型は待たないので速いが、古い勾配のために不安定になりやすい。
# - 同期型の平均勾配は、大きなバッチの勾配に等しい(サンプル数で重み付け)。
# - データが大きければデータ並列、モデルが大きければモデル並列。モデル並列は、パラメータが多いほど効率が良い。
# - DistBelief(Dean ら、2012 年)は、モデル並列と非同期データ並列を組み合わせた。
# - CPU は高性能な少数のコアで逐次処理が得意、GPU は簡素な多数のコアで並列計算が得意。学習の多くは行列演算なので GPU が向く。GPGPU は画像以外への利用、CUDA は NVIDIA の開発環境、OpenCL はハードウェアによらない規格。TPU は AI 向けの専用回路(ASIC)。
# - アムダールの法則の上限は $1/f$。
# - 連合学習は、データを集めずに、重みの更新だけを集める。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - Synchronous training is slower but stable, often more accurate, and today's norm; asynchronous training does not wait and is faster, but stale gradients make it less stable.
# - The synchronous mean, weighted by samples, is the gradient of the big batch.
# - Large data: data parallelism. Large model: model parallelism, the more efficient the more parameters there are.
# - DistBelief (Dean et al., 2012) joined model parallelism and asynchronous data parallelism.
# - A CPU has few strong cores and is good at sequential work, a GPU many simple ones and is good at parallel work; training is mostly matrix products, so GPUs fit. GPGPU is their use beyond graphics, CUDA NVIDIA's platform, OpenCL one independent of hardware; a TPU is an ASIC for AI.
# - Amdahl's limit is $1/f$.
# - Federated learning collects updates of weights, never the data.
