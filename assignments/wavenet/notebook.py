# %% [markdown] lang="ja"
# # WaveNet と因果的拡張畳み込み
#
# WaveNet(van den Oord ら, 2016)は、**生の音声波形**を 1 標本ずつ生成するモデルです。1 秒が 16,000 個の数でできた系列の結合確率を、条件付き確率の積に分けます。
#
# $$p(x_1, \dots, x_T) = \prod_{t=1}^{T} p(x_t \mid x_1, \dots, x_{t-1})$$
#
# どの条件付き確率も、同じ一つのネットワークが出します。RNN は使わず、**時間方向の畳み込み**だけで作ります。そのために要るものが三つあります。
#
# - **因果的**(causal)な畳み込み: 時刻 $t$ の出力は、$t$ より後の入力を見ない。
# - **拡張畳み込み**(dilated convolution): タップの間隔を空け、少ない層で遠い過去まで見る。
# - **μ-law 量子化**: 音の振幅を 256 クラスに分け、次の標本の予測を分類問題にする。
#
# 学習では正解の系列がすべてわかっているので、全時刻の出力を**並列に**計算できます。生成では、出した標本を次の入力にするので、$T$ 標本に $T$ 回の**逐次**計算が要ります。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | 系列(波形)の数 | $K$ | タップの数(カーネルの長さ) |
# | $C, M$ | 入力・出力のチャネル数 | $d$ | ダイレーション(タップの間隔) |
# | $T$ | 時間方向の標本の数 | $S$ | スキップ側のチャネル数 |
#
# **約束**: 渡された配列を書き換えないでください。計算は float64 で行います(float32 の配列で返したときは、float32 の許容誤差で比べます)。個数とレベルは整数で返します。1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # WaveNet and causal dilated convolution
#
# WaveNet (van den Oord et al., 2016) generates **raw audio**, one sample at a time. A second of sound is a sequence of 16,000 numbers, and its joint probability is factorised into conditionals:
#
# $$p(x_1, \dots, x_T) = \prod_{t=1}^{T} p(x_t \mid x_1, \dots, x_{t-1})$$
#
# One network gives all of these conditionals. It is no RNN: it is made of **convolutions along time** alone. Three things make that work.
#
# - A **causal** convolution: the output at time $t$ sees no input after $t$.
# - A **dilated** convolution: with gaps between the taps, few layers see far into the past.
# - **μ-law quantisation**: amplitudes become 256 classes, and predicting the next sample becomes classification.
#
# In training the true sequence is known, so the outputs of all times are computed **in parallel**. In generation each sample is the next input: $T$ samples take $T$ steps, **one after the other**.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | sequences (waveforms) | $K$ | taps (length of the kernel) |
# | $C, M$ | input and output channels | $d$ | dilation (spacing of the taps) |
# | $T$ | samples in time | $S$ | channels of the skip path |
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (arrays that come back in float32 are compared within the tolerance of float32). Counts and levels are integers. A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 因果的な拡張畳み込み
#
# 普通の 1 次元畳み込みは、隣り合う $K$ 個の標本に重みを掛けて足します。**因果的**な畳み込みでは、その $K$ 個を現在と過去だけから取ります。**ダイレーション** $d$ なら、$d$ 標本おきに取ります。
#
# $$y[n, m, t] = b[m] + \sum_{c} \sum_{k=0}^{K-1} w[m, c, k]\; x[n, c,\ t - (K-1-k)\,d]$$
#
# - 最後のタップ $w[:, :, K-1]$ が**現在**の標本 $x[t]$ に、最初のタップがいちばん古い標本に掛かります(PyTorch と同じ順)。
# - 時刻 0 より前の入力は 0 とみなします。つまり**左にだけ** $(K-1)\,d$ 個の 0 を足します。出力の長さは $T$ のままです。
# - $d$ は**間隔**で、飛ばす個数ではありません。$d = 1$ が普通の畳み込みです。
#
# ![K = 2、d = 2 の因果的な畳み込み。左に 0 が 2 個入る](taps.svg)
#
# **手で計算**: $x = (1, 2, 3, 4, 5)$、$w = (1, 10)$、$b = 0$、$d = 2$ とします。$y[t] = 1 \cdot x[t-2] + 10 \cdot x[t]$ です。
#
# - $y[0] = 1 \cdot 0 + 10 \cdot 1 = 10$、$y[1] = 1 \cdot 0 + 10 \cdot 2 = 20$(過去がないので 0)
# - $y[2] = 1 \cdot 1 + 10 \cdot 3 = 31$、$y[3] = 2 + 40 = 42$、$y[4] = 3 + 50 = 53$
#
# この関数の $y[t]$ は $x[t]$ を見ます。「次の標本を予測する」ための 1 つずらしは、ネットワークに入れる前に、呼び出す側が行います。
#
# > **よくある間違い**
# > - 両側に同じ数の 0 を足す("same" パディング)。画像の領域分割ではそれでよいのですが、時系列では**未来の標本が混ざります**。間隔を空けるだけでは因果的になりません。WaveNet の畳み込みの名前は「dilated **causal** convolution」です。
# > - $d$ を「飛ばす個数」と読み、間隔を $d + 1$ にする。

# %% [markdown] lang="en"
# ## Causal dilated convolution
#
# An ordinary convolution in one dimension multiplies $K$ neighbouring samples by weights and adds up. A **causal** one takes these $K$ from the present and the past alone. With **dilation** $d$ it takes every $d$-th sample.
#
# $$y[n, m, t] = b[m] + \sum_{c} \sum_{k=0}^{K-1} w[m, c, k]\; x[n, c,\ t - (K-1-k)\,d]$$
#
# - The last tap $w[:, :, K-1]$ meets the **present** sample $x[t]$, the first tap the oldest one (PyTorch's order).
# - Inputs before time 0 count as 0: add $(K-1)\,d$ zeros **on the left alone**. The length of the output stays $T$.
# - $d$ is the **spacing**, not the number of samples skipped. $d = 1$ is the ordinary convolution.
#
# ![A causal convolution with K = 2 and d = 2: two zeros enter on the left](taps.svg)
#
# **By hand**: let $x = (1, 2, 3, 4, 5)$, $w = (1, 10)$, $b = 0$, $d = 2$. Then $y[t] = 1 \cdot x[t-2] + 10 \cdot x[t]$.
#
# - $y[0] = 1 \cdot 0 + 10 \cdot 1 = 10$, $y[1] = 1 \cdot 0 + 10 \cdot 2 = 20$ (no past: 0)
# - $y[2] = 1 \cdot 1 + 10 \cdot 3 = 31$, $y[3] = 2 + 40 = 42$, $y[4] = 3 + 50 = 53$
#
# In this function $y[t]$ sees $x[t]$. The shift by one that makes it "predict the next sample" is the caller's: it happens before the network.
#
# > **Common mistakes**
# > - As many zeros on both sides ("same" padding). That is right for segmenting images, but in a sequence **future samples leak in**. Gaps alone make nothing causal: WaveNet's layer is called a "dilated **causal** convolution".
# > - Reading $d$ as the number skipped, which makes the spacing $d + 1$.

# %% stub causal_conv1d
"""未来の標本を見ない、時間方向の畳み込み(PyTorch のタップの順、反転しない)。

Args:
    x: 系列、(N, C, T)。
    w: タップ、(M, C, K)。最後のものが現在の標本に掛かる。
    b: バイアス、(M,)。
    dilation: タップの間隔(標本の数)。1 なら普通の畳み込み。

Returns:
    (N, M, T): y[t] = b + Σ_k w[:, :, k] x[t - (K-1-k)·dilation]。時刻 0 より前は 0。
"""

# %%
x = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]])
w = np.array([[[1.0, 10.0]]])
print(causal_conv1d(x, w, np.zeros(1), 2))  # [[[10. 20. 31. 42. 53.]]]
w = np.array([[[1.0, 2.0, 3.0]]])
print(causal_conv1d(x, w, np.array([0.5])))  # [[[ 3.5  8.5 14.5 20.5 26.5]]]

# %% graded causal_conv1d

# %% [markdown] lang="ja"
# ## 受容野
#
# 一つの出力が見る入力の標本の数を**受容野**(receptive field)といいます。1 層は、入力をさらに $(K-1)\,d$ 標本だけ過去へ広げます。現在の標本も 1 個と数えるので
#
# $$\text{RF} = 1 + (K-1) \sum_{l} d_l$$
#
# ![K = 2 の 4 層。d がすべて 1 なら 5 標本、d = 1, 2, 4, 8 なら 16 標本を見る](stacks.svg)
#
# **手で計算**($K = 2$、4 層): $d$ がすべて 1 なら $1 + 4 = 5$(層の数 $+ K - 1$)、$d = 1, 2, 4, 8$ なら $1 + 15 = 16 = 2^4$。パラメータの数は同じです。
#
# 論文の一つのブロックは $d = 1, 2, 4, \dots, 512$ の 10 層で、$1 + 1023 = 1024$ 標本を見ます。ダイレーションなしで同じだけ見るには、1023 層が要ります。
#
# 層が 0 なら、出力は入力そのものなので受容野は 1 です。$K = 1$ も 1 です。$1 \times 1$ 畳み込みや最初の因果的な畳み込みは、`dilations` に書いた分だけ数えます。
#
# > **よくある間違い** 「深くなるほど指数的に広がる」のは**一つのブロックの中**だけです。論文のネットワークは $1, 2, \dots, 512, 1, 2, \dots, 512, \dots$ とブロックを繰り返し、$d$ は 1 に戻ります。$B$ ブロックの受容野は $1023 B + 1$ で、ブロックの数については**線形**です($1024 B$ でも $1024^B$ でもありません)。

# %% [markdown] lang="en"
# ## Receptive field
#
# The number of input samples that one output sees is its **receptive field**. Each layer reaches $(K-1)\,d$ samples further into the past. With the present sample, which counts too,
#
# $$\text{RF} = 1 + (K-1) \sum_{l} d_l$$
#
# ![Four layers with K = 2: 5 samples if every d is 1, 16 with d = 1, 2, 4, 8](stacks.svg)
#
# **By hand** ($K = 2$, four layers): with every $d = 1$ it is $1 + 4 = 5$ (layers $+ K - 1$), with $d = 1, 2, 4, 8$ it is $1 + 15 = 16 = 2^4$. The number of parameters is the same.
#
# A block of the paper has ten layers, $d = 1, 2, 4, \dots, 512$, and sees $1 + 1023 = 1024$ samples. Without dilation that would take 1023 layers.
#
# With no layer at all the output is the input, and the field is 1; so it is with $K = 1$. The $1 \times 1$ convolutions and the first causal convolution count only as far as `dilations` lists them.
#
# > **Common mistake** "The field grows exponentially with depth" is true **inside one block**. The paper repeats it, $1, 2, \dots, 512, 1, 2, \dots, 512, \dots$, and $d$ falls back to 1. $B$ blocks see $1023 B + 1$ samples: **linear** in the number of blocks (neither $1024 B$ nor $1024^B$).

# %% stub dilated_receptive_field
"""層を重ねたとき、一つの出力が見る標本の数(現在の標本を含む)。

Args:
    kernel: どの層にも共通のタップの数。
    dilations: 層ごとのダイレーションの列。

Returns:
    1 + (kernel - 1)·Σ dilations。1 層ごとに (kernel - 1)·dilation 標本だけ過去へ広がる。
"""

# %%
print(dilated_receptive_field(2, [1, 1, 1, 1]))  # 5
print(dilated_receptive_field(2, [1, 2, 4, 8]))  # 16
block = [2**i for i in range(10)]
print(dilated_receptive_field(2, block))  # 1024
print(dilated_receptive_field(2, block * 3))  # 3070

# %% graded dilated_receptive_field

# %% [markdown] lang="ja"
# ## ゲート付き活性化
#
# WaveNet は ReLU の代わりに、LSTM のゲートに似た活性化を使います。畳み込みの出力を 2C チャネルにし、**前半をフィルタ** $f$、**後半をゲート** $g$ とします。
#
# $$z = \tanh(f) \odot \sigma(g)$$
#
# $\tanh$ は −1〜1 の信号、$\sigma$ は 0〜1 の「どれだけ通すか」です。$g$ が大きな負なら信号は止まり、大きな正なら $\tanh(f)$ がそのまま通り、$g = 0$ なら半分になります。
#
# **手で計算**: $f = 0.5$、$g = -1$ なら $\tanh 0.5 = 0.4621$、$\sigma(-1) = 1 / (1 + e) = 0.2689$、積は $0.1243$ です。
#
# 次の `sigmoid` は大きな入力でも溢れません。使ってかまいません。

# %% [markdown] lang="en"
# ## Gated activation
#
# Instead of a ReLU, WaveNet has an activation that resembles a gate of an LSTM. The convolution puts out 2C channels: **the first half is the filter** $f$, **the second the gate** $g$.
#
# $$z = \tanh(f) \odot \sigma(g)$$
#
# The $\tanh$ is a signal in −1…1, the $\sigma$ says in 0…1 how much of it passes. With a large negative $g$ the signal stops, with a large positive one $\tanh(f)$ passes whole, with $g = 0$ half of it.
#
# **By hand**: $f = 0.5$ and $g = -1$ give $\tanh 0.5 = 0.4621$ and $\sigma(-1) = 1 / (1 + e) = 0.2689$; their product is $0.1243$.
#
# You may use the next function, `sigmoid`: it does not overflow on large inputs.

# %% given sigmoid
"""対数オッズが x である確率、要素ごとに 1 / (1 + exp(-x))。"""

# %% stub gated_activation
"""tanh の出力を、シグモイドが通したり止めたりする。

Args:
    z: チャネルの前半がフィルタ、後半がゲート、(N, 2C, T)。

Returns:
    (N, C, T): tanh(フィルタ)·σ(ゲート)。
"""

# %%
gated_activation(np.array([[[0.5], [-1.0]]])).round(4)  # [[[0.1243]]]

# %% graded gated_activation

# %% [markdown] lang="ja"
# ## 残差接続とスキップ接続
#
# 1 層は、拡張畳み込み、ゲート、そして二つの $1 \times 1$ 畳み込みでできています。
#
# ![WaveNet の 1 層。ゲートを通った z から、残差側の出力とスキップ側の出力が分かれる](layer.svg)
#
# $$z = \tanh(w_f * x + b_f) \odot \sigma(w_g * x + b_g), \qquad \text{out} = x + w_{res}^\top z, \qquad \text{skip} = w_{skip}^\top z$$
#
# - `out` は次の層の入力です。$x$ をそのまま足す**残差接続**のおかげで、何十層でも勾配が届きます。ただの和で、$\sqrt 2$ などで割りません。
# - `skip` は、全層の分を足し合わせて出力層(ReLU と $1 \times 1$ 畳み込み、softmax)へ送ります。残差を**足す前**の $z$ から取り出します。
# - `w` と `b` の前半 $C$ 個の出力がフィルタ、後半がゲートです。$1 \times 1$ 畳み込みは時刻ごとの行列積で、`w_res` (C, C) も `w_skip` (C, S) も**行が入力**です。この課題ではバイアスを付けません。
#
# **手で計算**: $C = S = 1$、$d = 2$、$w_f = (0.1, 0.2)$、$w_g = (0.3, -0.1)$、$b = 0$、$w_{res} = 2$、$w_{skip} = 1$、$x = (1, 2, 3, \dots)$。時刻 0 では $f = 0.2$、$g = -0.1$ なので
# $z = \tanh(0.2)\,\sigma(-0.1) = 0.1974 \times 0.4750 = 0.0938$、$\text{skip} = 0.0938$、$\text{out} = 1 + 2 \times 0.0938 = 1.1875$ です。

# %% [markdown] lang="en"
# ## Residual and skip connections
#
# A layer is a dilated convolution, a gate and two $1 \times 1$ convolutions.
#
# ![One layer of WaveNet: the gated z leaves on the residual path and on the skip path](layer.svg)
#
# $$z = \tanh(w_f * x + b_f) \odot \sigma(w_g * x + b_g), \qquad \text{out} = x + w_{res}^\top z, \qquad \text{skip} = w_{skip}^\top z$$
#
# - `out` is the input of the next layer. Thanks to the **residual connection**, which adds $x$ itself, gradients get through dozens of layers. It is a plain sum, not divided by $\sqrt 2$ or anything else.
# - `skip` is added up over all layers and goes to the output (ReLU, $1 \times 1$ convolutions, softmax). It is taken from $z$ **before** the residual sum.
# - The first $C$ outputs of `w` and `b` are the filter, the others the gate. A $1 \times 1$ convolution is a matrix product at each time; in `w_res` (C, C) and in `w_skip` (C, S) **rows are inputs**. In this task they have no bias.
#
# **By hand**: $C = S = 1$, $d = 2$, $w_f = (0.1, 0.2)$, $w_g = (0.3, -0.1)$, $b = 0$, $w_{res} = 2$, $w_{skip} = 1$, $x = (1, 2, 3, \dots)$. At time 0, $f = 0.2$ and $g = -0.1$, so
# $z = \tanh(0.2)\,\sigma(-0.1) = 0.1974 \times 0.4750 = 0.0938$, $\text{skip} = 0.0938$ and $\text{out} = 1 + 2 \times 0.0938 = 1.1875$.

# %% stub wavenet_layer
"""残差接続とスキップ接続をもつ 1 層。

Args:
    x: 層の入力、(N, C, T)。
    w: フィルタとゲートのタップ、(2C, C, K)。
    b: そのバイアス、(2C,)。
    w_res: 残差側の 1×1 畳み込み、バイアスなし、(C, C)。
    w_skip: スキップ側の 1×1 畳み込み、バイアスなし、(C, S)。
    dilation: タップの間隔。

Returns:
    out: ゲートの出力を w_res に通し、x に足したもの、(N, C, T)。
    skip: その和をとる前のゲートの出力を w_skip に通したもの、(N, S, T)。
"""

# %%
x = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]])
w = np.array([[[0.1, 0.2]], [[0.3, -0.1]]])
w_res, w_skip = np.array([[2.0]]), np.array([[1.0]])
out, skip = wavenet_layer(x, w, np.zeros(2), w_res, w_skip, 2)
print(out.round(4))  # [[[1.1875 2.3421 3.6044 4.8375 6.0318]]]
print(skip.round(4))  # [[[0.0938 0.171  0.3022 0.4188 0.5159]]]

# %% graded wavenet_layer

# %% [markdown] lang="ja"
# ### パラメータの数
#
# `wavenet_layer` の引数を数えましょう。`w` は $2C \times C \times K$、`b` は $2C$、`w_res` は $C \times C$、`w_skip` は $C \times S$ 個の数をもちます。
#
# $$\text{params} = L\,(2KC^2 + 2C + C^2 + CS)$$
#
# どこにも $d$ がありません。**ダイレーションを倍にしても、パラメータは 1 個も増えません**。受容野は 1 ブロックの中で層の数の指数関数、パラメータの数は層の数の 1 次関数です。これが「パラメータ数に対する受容野が広い」という利点です。
#
# **手で計算**: $C = 2$、$S = 3$、$K = 2$、1 層なら $2 \cdot 2 \cdot 4 + 4 + 4 + 6 = 30$。10 層なら 300 です。
#
# > **よくある間違い** ダイレーションの利点を「学習を並列に計算できること」とする。それはダイレーションのない因果的な畳み込みでも同じです。また、**生成**は標本を 1 個ずつ出すので、どちらも並列にできません。

# %% [markdown] lang="en"
# ### The number of parameters
#
# Count the arguments of `wavenet_layer`: `w` holds $2C \times C \times K$ numbers, `b` $2C$, `w_res` $C \times C$, `w_skip` $C \times S$.
#
# $$\text{params} = L\,(2KC^2 + 2C + C^2 + CS)$$
#
# There is no $d$ in it: **doubling the dilation costs not one parameter more**. Within a block the receptive field is exponential in the number of layers, the parameters are linear in it. That is the gain: a wide field for the number of parameters.
#
# **By hand**: $C = 2$, $S = 3$, $K = 2$ and one layer make $2 \cdot 2 \cdot 4 + 4 + 4 + 6 = 30$, ten layers 300.
#
# > **Common mistake** Taking "training runs in parallel" for the gain of dilation: causal convolutions without dilation have that, too. And **generation** gives one sample after the other, with neither in parallel.

# %% stub wavenet_param_count
"""このような層を重ねたもののパラメータの数。ダイレーションにはよらない。

Args:
    channels: 残差側のチャネル数 C。
    skip: スキップ側のチャネル数 S。
    kernel: タップの数 K。
    layers: 層の数。

Returns:
    layers·(K·C·2C + 2C + C·C + C·S)。フィルタとゲートはバイアスあり、二つの 1×1 畳み込みはバイアスなし。
"""

# %%
print(wavenet_param_count(2, 3, 2, 1))  # 30
print(wavenet_param_count(32, 256, 2, 30))  # 401280

# %% graded wavenet_param_count

# %% [markdown] lang="ja"
# ## μ-law 量子化
#
# 16 ビットの音声の 1 標本は 65,536 通りの値をとります。これを 65,536 クラスの softmax で予測するのは重すぎます。かといって等間隔に 256 段に粗くすると、小さな音が消えてしまいます。人の耳は小さな音の違いに敏感で、音声の標本の多くは 0 の近くにあります。
#
# そこで、振幅を対数の目盛りに写してから(**圧伸**、companding)、等間隔に丸めます。
#
# $$f(x) = \mathrm{sign}(x)\,\frac{\ln(1 + \mu |x|)}{\ln(1 + \mu)}, \qquad q = \left\lfloor \frac{f(x) + 1}{2}\,\mu + \frac{1}{2} \right\rfloor$$
#
# ![圧伸の曲線。0 の近くで急なので、小さな振幅ほど細かい段に分かれる](companding.svg)
#
# - $f$ は −1〜1 を −1〜1 に写します。だから分母は $\ln \mu$ ではなく $\ln(1 + \mu)$ です。
# - $(f + 1)/2$ で 0〜1 に直し、$\mu$ 倍して**最も近い整数**に丸めます。レベルは $0, \dots, \mu$ の $\mu + 1$ 個です($\mu = 255$ なら 256 個)。
# - $x = 0$ は $\mu = 255$ ならちょうど $127.5$ で、切り上げて 128 です。
# - 平均と分散を予測する回帰ではなく softmax にすると、**分布の形を仮定せずに**、山がいくつある分布でも表せます。
#
# **手で計算**: $\mu = 15$、$x = 0.5$ なら $f = \ln 8.5 / \ln 16 = 2.1401 / 2.7726 = 0.7719$、$(1.7719 / 2) \times 15 = 13.29$ なので $q = 13$。$x = 0.02$ なら $f = \ln 1.3 / \ln 16 = 0.0946$、$8.21$ なので $q = 8$ です。等間隔なら $x = 0.02$ は $7.65 \to 8$、$x = 0.5$ は $11.25 \to 11$ でした。

# %% [markdown] lang="en"
# ## μ-law quantisation
#
# A sample of 16-bit audio takes one of 65,536 values: too many classes for a softmax. Coarsened to 256 even steps, quiet sounds would vanish. The ear is sensitive to differences of quiet sounds, and most samples of speech lie near 0.
#
# So amplitudes go to a logarithmic scale first (**companding**), and are rounded to even steps there.
#
# $$f(x) = \mathrm{sign}(x)\,\frac{\ln(1 + \mu |x|)}{\ln(1 + \mu)}, \qquad q = \left\lfloor \frac{f(x) + 1}{2}\,\mu + \frac{1}{2} \right\rfloor$$
#
# ![The companding curve is steep near 0, so small amplitudes get finer steps](companding.svg)
#
# - $f$ maps −1…1 to −1…1. Therefore the denominator is $\ln(1 + \mu)$, not $\ln \mu$.
# - $(f + 1)/2$ makes it 0…1; times $\mu$, and to **the nearest integer**. The levels are $0, \dots, \mu$: there are $\mu + 1$ (256 with $\mu = 255$).
# - With $\mu = 255$, $x = 0$ lies at exactly $127.5$, and is rounded up to 128.
# - A softmax, unlike a regression of mean and variance, **assumes no shape**: the distribution may have any number of peaks.
#
# **By hand**: with $\mu = 15$, $x = 0.5$ gives $f = \ln 8.5 / \ln 16 = 2.1401 / 2.7726 = 0.7719$ and $(1.7719 / 2) \times 15 = 13.29$, so $q = 13$. $x = 0.02$ gives $f = \ln 1.3 / \ln 16 = 0.0946$ and $8.21$, so $q = 8$. In even steps $x = 0.02$ would be $7.65 \to 8$, and $x = 0.5$ would be $11.25 \to 11$.

# %% stub mu_law_encode
"""振幅をクラスにする。静かな音ほど段が細かい。

Args:
    x: [-1, 1] の標本、(T,)。
    mu: 最大のレベル、1 以上。

Returns:
    (T,): 整数 0 … mu。f = sign(x) ln(1 + mu·|x|) / ln(1 + mu) として ⌊(f + 1)/2·mu + ½⌋。
"""

# %%
amplitudes = np.array([-1.0, -0.5, -0.01, 0.0, 0.01, 0.1, 0.5, 1.0])
print(mu_law_encode(amplitudes))  # [  0  16  98 128 157 203 239 255]
print(mu_law_encode(np.array([-0.5, 0.02, 0.5]), 15))  # [ 2  8 13]

# %% graded mu_law_encode

# %% [markdown] lang="ja"
# ### 復号
#
# 生成した音を聴くには、レベルを振幅に戻します。符号化を逆にたどり、まず $g = 2q/\mu - 1$ で −1〜1 に直し、対数を指数で打ち消します。
#
# $$\hat{x} = \mathrm{sign}(g)\,\frac{(1 + \mu)^{|g|} - 1}{\mu}$$
#
# **手で計算**: $\mu = 15$、$q = 5$ なら $g = 10/15 - 1 = -1/3$、$16^{1/3} = 2.5198$、$\hat{x} = -1.5198 / 15 = -0.1013$。端は $q = 0 \to -1$、$q = 15 \to 1$ です。
#
# どのレベルも、復号して符号化すれば元に戻ります。逆に、振幅を符号化して復号すると、半段分までの**量子化誤差**が残ります。誤差は小さな音ほど小さくなります。

# %% [markdown] lang="en"
# ### Decoding
#
# To hear what was generated, turn levels into amplitudes: walk the encoding backwards. $g = 2q/\mu - 1$ brings them to −1…1, and a power undoes the logarithm.
#
# $$\hat{x} = \mathrm{sign}(g)\,\frac{(1 + \mu)^{|g|} - 1}{\mu}$$
#
# **By hand**: with $\mu = 15$ and $q = 5$, $g = 10/15 - 1 = -1/3$, $16^{1/3} = 2.5198$ and $\hat{x} = -1.5198 / 15 = -0.1013$. The ends are $q = 0 \to -1$ and $q = 15 \to 1$.
#
# Every level, decoded and encoded, comes back. An amplitude, encoded and decoded, keeps a **quantisation error** of up to half a step: the quieter the sound, the smaller it is.

# %% stub mu_law_decode
"""各レベルの真ん中の振幅。圧伸の逆。

Args:
    q: レベル 0 … mu、(T,)。
    mu: 最大のレベル、1 以上。

Returns:
    (T,): f = 2q/mu - 1 として sign(f) ((1 + mu)^|f| - 1) / mu。
"""

# %%
print(mu_law_decode(np.array([0, 5, 15]), 15).round(4))  # [-1.     -0.1013  1.    ]
print(mu_law_decode(np.array([0, 64, 200, 255])).round(4))  # [-1. -0.0581 0.0879 1.]

# %% graded mu_law_decode

# %% [markdown] lang="ja"
# ## ライブラリで書く
#
# PyTorch の `conv1d` は、因果的な畳み込みを知りません。何も足さなければ、出力は入力より $(K-1)\,d$ だけ短くなります。0 をどこに足すかを、自分で決めます。
#
# - `torch.nn.functional.pad(x, (左, 右))` は、最後の軸の両端に足す 0 の数を別々に指定できます。
# - `conv1d` の引数 `padding` は**両端**に同じ数を足します。`padding=(K-1)*d` とすると長さが $T + (K-1)\,d$ になり、**後ろの** $(K-1)\,d$ 個を切り落とせば因果的になります(前を切り落とすと未来を見ます)。
# - `conv1d` はカーネルを反転せず、重みの形 (M, C, K) もタップの順もこの課題と同じです。
# - 入力と同じデバイス・同じ dtype のテンソルを返し、途中で numpy の配列に直したり `detach` したりしないでください。`x`、`w`、`b` のどれにも勾配が届かなければなりません。

# %% [markdown] lang="en"
# ## With a library
#
# PyTorch's `conv1d` knows nothing of causality. If nothing is added, its output is $(K-1)\,d$ samples shorter than the input. Where the zeros go is for you to say.
#
# - `torch.nn.functional.pad(x, (left, right))` takes the numbers of zeros at the two ends of the last axis.
# - The argument `padding` of `conv1d` adds the same number at **both** ends. With `padding=(K-1)*d` the length becomes $T + (K-1)\,d$; cut **the last** $(K-1)\,d$ outputs and it is causal (cut the first, and it sees the future).
# - `conv1d` does not flip the kernel, and its weights (M, C, K) and the order of taps are those of this task.
# - Return tensors on the device and in the dtype of the inputs, without arrays or `detach` on the way: gradients must reach `x`, `w` and `b`.

# %%
import torch

# %% stub causal_conv1d_torch
"""未来の標本を見ない、時間方向の畳み込み。0 はすべて左に足す。

Args:
    x: 系列、(N, C, T)。
    w: タップ、(M, C, K)。最後のものが現在の標本に掛かる。
    b: バイアス、(M,)。
    dilation: タップの間隔(標本の数)。1 なら普通の畳み込み。

Returns:
    (N, M, T): y[t] = b + Σ_k w[:, :, k] x[t - (K-1-k)·dilation]。時刻 0 より前は 0。
"""

# %%
x = torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]], dtype=torch.float64)
w = torch.tensor([[[1.0, 10.0]]], dtype=torch.float64)
b = torch.zeros(1, dtype=torch.float64)
causal_conv1d_torch(x, w, b, 2)  # [[[10., 20., 31., 42., 53.]]]

# %% graded causal_conv1d_torch

# %% [markdown] lang="ja"
# **考えてみましょう**: 16,000 Hz の音で、1 ブロック(1024 標本)が見るのは何ミリ秒でしょうか。$1024 / 16000 = 64$ ミリ秒です。音素 1 個ほどの長さで、文の意味には届きません。だから音声合成では、読む文や話者を**条件**として別に与えます。
#
# ## 試験で問われること
#
# - **畳み込みの名前**: WaveNet が使うのは dilated causal convolution。因果的(未来を見ない)で、タップの間隔を空ける。
# - **利点**: パラメータ数に対して受容野が広い。学習が並列なのは普通の因果的な畳み込みでも同じ。**生成は逐次**で、並列にできない。
# - **受容野**: $1 + (K-1)\sum d$。$K = 2$ の 4 層なら、普通は 5、$d = 1, 2, 4, 8$ なら 16。$1, \dots, 512$ で 1024、$B$ ブロックで $1023B + 1$。
# - **必要な層の数**: $R$ 標本を見るには、$d$ を倍々にして $\lceil \log_2 R \rceil$ 層、ダイレーションなしなら $R - 1$ 層($K = 2$)。
# - **パディング**: 左だけに $(K-1)\,d$。コードの穴埋めでは `F.pad(x, ((K-1)*d, 0))`。`padding` 引数を使うなら、出力の後ろを切り落とす。
# - **結合確率**: $\prod_t p(x_t \mid x_1, \dots, x_{t-1})$。条件付き確率の積に分けて学習する。
# - **ゲートと接続**: $z = \tanh(w_f * x) \odot \sigma(w_g * x)$。残差は次の層へ、スキップは出力層へ。
# - **出力**: μ-law で 256 クラスに量子化し、softmax で予測する。65,536 クラスより軽く、分布の形を仮定しない。

# %% [markdown] lang="en"
# **Think about it**: at 16,000 Hz, how many milliseconds does one block of 1024 samples see? $1024 / 16000$ s are 64 ms: about one phoneme, far from the meaning of a sentence. In speech synthesis the text and the speaker are therefore given as **conditions**.
#
# ## What the exam asks
#
# - **The name of the layer**: WaveNet uses the dilated causal convolution: causal (no look at the future), with gaps between the taps.
# - **Its gain**: a wide receptive field for the number of parameters. Parallel training it shares with plain causal convolution. **Generation is sequential**, never parallel.
# - **Receptive field**: $1 + (K-1)\sum d$. Four layers with $K = 2$ see 5 undilated, 16 with $d = 1, 2, 4, 8$; $1, \dots, 512$ see 1024, $B$ blocks $1023B + 1$.
# - **Layers needed**: to see $R$ samples, $\lceil \log_2 R \rceil$ layers with doubling $d$, and $R - 1$ without dilation ($K = 2$).
# - **Padding**: $(K-1)\,d$ on the left alone. A blank in code: `F.pad(x, ((K-1)*d, 0))`. With the argument `padding`, cut the end of the output.
# - **Joint probability**: $\prod_t p(x_t \mid x_1, \dots, x_{t-1})$, factorised into conditionals, which are learned.
# - **Gate and connections**: $z = \tanh(w_f * x) \odot \sigma(w_g * x)$. The residual goes to the next layer, the skip to the output.
# - **Output**: 256 classes by μ-law, predicted by softmax. Lighter than 65,536 classes, and no shape of the distribution is assumed.
