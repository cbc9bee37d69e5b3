# %% [markdown] lang="ja"
# # ボルツマンマシンと生成モデル
#
# **生成モデル**(generative model)は、ラベルだけでなく**入力の分布** $p(x)$ もモデル化します。そのため、データを新しく作ったり、外れ値を見つけたりできます。この課題では、制約ボルツマンマシン(RBM)、ナイーブベイズ、GAN の損失を作ります。
#
# ボルツマンマシン(1983〜85 年)は、対称な重みで双方向に結合した、**確率的に** 0 か 1 になるユニットのネットワークです。連想記憶(ホップフィールドネットワーク)から着想され、マルコフ確率場(無向グラフィカルモデル)の一種です。可視ユニットだけの型と、隠れユニットをもつ型があります。
# **RBM**(1986 年)では、**同じ層の中の結合がありません**。結合は可視層と隠れ層の間だけです。
#
# ![一般のボルツマンマシンはすべての組が結合し、RBM は可視層と隠れ層の間だけが結合する](machines.svg)
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $v, D$ | 可視ユニット(0/1)とその数 | $W$ | 重み $(D, H)$ |
# | $h, H$ | 隠れユニット(0/1)とその数 | $b, c$ | 可視層、隠れ層のバイアス |
# | $N$ | サンプル数 | $K$ | ギブスサンプリングのステップ数 |
#
# **約束**: 渡された配列を書き換えないでください。計算は float64 で行います(float32 で返したときは、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。対数は自然対数で、乱数はすべて引数で渡されます。

# %% [markdown] lang="en"
# # Boltzmann machines and generative models
#
# A **generative model** models not only labels but also the **distribution of its input** $p(x)$. It can therefore make new data and detect outliers. This task builds the restricted Boltzmann machine (RBM), naive Bayes, and the losses of a GAN.
#
# A Boltzmann machine (1983–85) is a network of units, 0 or 1 **at random**, linked both ways by symmetric weights. It was inspired by associative memory (Hopfield networks) and is a Markov random field, an undirected graphical model. There are machines of visible units only, and machines with hidden units.
# In an **RBM** (1986) there are **no links within a layer**, only links between the visible and the hidden one.
#
# ![A general Boltzmann machine links every pair, an RBM only visible with hidden units](machines.svg)
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $v, D$ | visible units (0/1), their number | $W$ | weights $(D, H)$ |
# | $h, H$ | hidden units (0/1), their number | $b, c$ | biases of the visible and the hidden layer |
# | $N$ | samples | $K$ | steps of Gibbs sampling |
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds. Logarithms are natural, and all random numbers are arguments.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# 次の三つの関数は、使ってかまいません。大きな値でも溢れません。

# %% [markdown] lang="en"
# You may use the next three functions. None of them overflows on large values.

# %% given sigmoid
"""要素ごとに、対数オッズ x の確率: 1 / (1 + exp(-x))。"""

# %% given softplus
"""要素ごとに、滑らかな max(x, 0): log(1 + exp(x))。"""

# %% given logsumexp
"""軸に沿った exp(x) の和の対数。その軸はなくなる。-inf の要素は何も加えない。"""

# %% [markdown] lang="ja"
# ## エネルギー
#
# RBM は、状態 $(v, h)$ の確率を**エネルギー**で決めます。エネルギーが**低い**状態ほど起こりやすくなります。
#
# $$p(v, h) = \frac{e^{-E(v, h)}}{Z}, \qquad E(v, h) = -v \cdot b - h \cdot c - \sum_{ij} v_i W_{ij} h_j$$
#
# ユニットは 0/1 で(±1 ではありません)、組 $(i, j)$ は 1 回だけ数えます。
#
# **手で計算**: $W = \begin{pmatrix} 0.5 & -1 \\ 0.2 & 0.3 \\ -0.4 & 0.8 \end{pmatrix}$、$b = (0.1, -0.2, 0.3)$、$c = (0.05, -0.6)$、$v = (1, 0, 1)$、$h = (1, 0)$ なら、
# $v \cdot b = 0.4$、$h \cdot c = 0.05$、$vWh = 0.5 - 0.4 = 0.1$ で、$E = -0.55$ です。
#
# > **よくある間違い** 係数 ½ が付くのは、すべての $i, j$ について足す全結合の書き方です。そこでは同じ組が 2 回現れます。

# %% [markdown] lang="en"
# ## Energy
#
# An RBM gives a state $(v, h)$ its probability by an **energy**: the **lower**, the likelier.
#
# $$p(v, h) = \frac{e^{-E(v, h)}}{Z}, \qquad E(v, h) = -v \cdot b - h \cdot c - \sum_{ij} v_i W_{ij} h_j$$
#
# Units are 0/1 (not ±1), and every pair $(i, j)$ counts once.
#
# **By hand**: with $W = \begin{pmatrix} 0.5 & -1 \\ 0.2 & 0.3 \\ -0.4 & 0.8 \end{pmatrix}$, $b = (0.1, -0.2, 0.3)$, $c = (0.05, -0.6)$, $v = (1, 0, 1)$ and $h = (1, 0)$,
# $v \cdot b = 0.4$, $h \cdot c = 0.05$ and $vWh = 0.5 - 0.4 = 0.1$, so $E = -0.55$.
#
# > **Common mistake** A factor ½ belongs to the general machine written as a sum over all $i, j$, where each pair occurs twice.

# %% stub rbm_energy
"""RBM の状態 (v, h) のエネルギー。低いほど起こりやすい。

Args:
    v: 可視ユニット、(N, D)。
    h: 隠れユニット、(N, H)。
    W: 可視ユニット i と隠れユニット j の重み、(D, H)。
    b: 可視ユニットのバイアス、(D,)。
    c: 隠れユニットのバイアス、(H,)。

Returns:
    (N,): -v·b - h·c - Σ_ij v_i W_ij h_j。
"""

# %%
W, b = np.array([[0.5, -1.0], [0.2, 0.3], [-0.4, 0.8]]), np.array([0.1, -0.2, 0.3])
c, v = np.array([0.05, -0.6]), np.array([[1.0, 0.0, 1.0]])
rbm_energy(v, np.array([[1.0, 0.0]]), W, b, c)  # [-0.55]

# %% graded rbm_energy

# %% [markdown] lang="ja"
# ## 自由エネルギー
#
# 観測するのは $v$ だけなので、$h$ を足し合わせて消します。隠れユニットどうしに結合がないので、$2^H$ 個の状態の和は、ユニットごとの因子 $1 + e^{a_j}$ の積になります($a_j = c_j + \sum_i v_i W_{ij}$)。
#
# $$p(v) = \frac{e^{-F(v)}}{Z}, \qquad F(v) = -\log \sum_h e^{-E(v, h)} = -v \cdot b - \sum_j \mathrm{softplus}(a_j)$$
#
# **手で計算**: 上の例では $a = (0.15, -0.8)$、$F = -0.4 - 0.7710 - 0.3711 = -1.5421$ です。
#
# > **よくある間違い** `np.log(1 + np.exp(a))` は $a = 1500$ で inf になります。`softplus` を使ってください。

# %% [markdown] lang="en"
# ## Free energy
#
# Only $v$ is observed, so $h$ is summed out. As no two hidden units are linked, the sum over $2^H$ states is a product of one factor $1 + e^{a_j}$ for each unit ($a_j = c_j + \sum_i v_i W_{ij}$).
#
# $$p(v) = \frac{e^{-F(v)}}{Z}, \qquad F(v) = -\log \sum_h e^{-E(v, h)} = -v \cdot b - \sum_j \mathrm{softplus}(a_j)$$
#
# **By hand**: in the example above $a = (0.15, -0.8)$ and $F = -0.4 - 0.7710 - 0.3711 = -1.5421$.
#
# > **Common mistake** `np.log(1 + np.exp(a))` is inf for $a = 1500$. Use `softplus`.

# %% stub free_energy
"""可視状態の自由エネルギー。隠れ層のすべての状態を足し合わせたもので、p(v) = exp(-F(v))/Z。

Args:
    v: 可視ユニット、(N, D)。
    W: 重み、(D, H)。
    b: 可視ユニットのバイアス、(D,)。
    c: 隠れユニットのバイアス、(H,)。

Returns:
    (N,): -v·b - Σ_j softplus(c_j + v·W_j)。W_j は第 j 列。
"""

# %%
free_energy(v, W, b, c).round(4)  # [-1.5421]

# %% graded free_energy

# %% [markdown] lang="ja"
# ## 条件付き確率
#
# 可視層が与えられると、隠れユニットは**互いに独立**で、確率的に決まります(確定するのではありません)。
#
# $$p(h_j = 1 \mid v) = \sigma\Big(c_j + \sum_i v_i W_{ij}\Big), \qquad p(v_i = 1 \mid h) = \sigma\Big(b_i + \sum_j W_{ij} h_j\Big)$$
#
# 二つ目の式は、同じ関数を `(h, W.T, b)` で呼べば求まります。
#
# **手で計算**: 上の例では $\sigma(0.15) = 0.5374$、$\sigma(-0.8) = 0.3100$ です。
#
# > **よくある間違い** ソフトマックスではありません。同時にいくつのユニットが 1 になってもかまいません。

# %% [markdown] lang="en"
# ## Conditional probabilities
#
# Given the visible layer, the hidden units are **independent of each other**, and random (not determined).
#
# $$p(h_j = 1 \mid v) = \sigma\Big(c_j + \sum_i v_i W_{ij}\Big), \qquad p(v_i = 1 \mid h) = \sigma\Big(b_i + \sum_j W_{ij} h_j\Big)$$
#
# The second is the same function, called with `(h, W.T, b)`.
#
# **By hand**: in the example $\sigma(0.15) = 0.5374$ and $\sigma(-0.8) = 0.3100$.
#
# > **Common mistake** This is no softmax: any number of units may be 1 at a time.

# %% stub hidden_probabilities
"""可視ユニットが与えられたとき、各隠れユニットが 1 になる確率。

RBM は対称なので、(h, Wᵀ, b) で呼べば p(v_i = 1 | h) になる。

Args:
    v: 可視ユニット、(N, D)。
    W: 重み、(D, H)。
    c: 隠れユニットのバイアス、(H,)。

Returns:
    (N, H): σ(c_j + v·W_j)。
"""

# %%
hidden_probabilities(v, W, c).round(4)  # [[0.5374 0.31  ]]

# %% graded hidden_probabilities

# %% [markdown] lang="ja"
# ## 分配関数
#
# $Z$(分配関数)は、$2^{D+H}$ 個の状態すべての $e^{-E}$ の和です。自由エネルギーを使えば $2^D$ 項で済みますが、それでも指数的なので、大きな RBM では計算できません。
#
# $$\log Z = \log \sum_v e^{-F(v)}$$
#
# $e^{-F}$ は溢れやすいので、`logsumexp` で足します。
#
# **手で計算**: $D = H = 1$、$b = c = 0$、$W = \log 2$ なら、$Z = 1 + 1 + 1 + 2 = 5$、$\log Z = 1.6094$ です。

# %% [markdown] lang="en"
# ## Partition function
#
# $Z$, the partition function, is the sum of $e^{-E}$ over all $2^{D+H}$ states. With free energies $2^D$ terms are enough, but that is exponential too, and out of reach for a large RBM.
#
# $$\log Z = \log \sum_v e^{-F(v)}$$
#
# As $e^{-F}$ overflows easily, sum with `logsumexp`.
#
# **By hand**: for $D = H = 1$, $b = c = 0$ and $W = \log 2$, $Z = 1 + 1 + 1 + 2 = 5$ and $\log Z = 1.6094$.

# %% stub log_partition
"""分配関数の対数。可視層のすべての状態を数え上げる。

Args:
    W: 重み、(D, H)。D ≤ 16。
    b: 可視ユニットのバイアス、(D,)。
    c: 隠れユニットのバイアス、(H,)。

Returns:
    log Z = log Σ_v exp(-F(v))。2^D 個の 2 値の v すべてについての和。
"""

# %%
print(round(log_partition(np.log([[2.0]]), np.zeros(1), np.zeros(1)), 4))  # 1.6094
print(round(log_partition(W, b, c), 4))  # 3.5155

# %% graded log_partition

# %% [markdown] lang="ja"
# ## コントラスティブ・ダイバージェンス
#
# 対数尤度の勾配は、データでの平均とモデルでの平均の差です。
#
# $$\frac{\partial \log p(v)}{\partial W} = \langle v\, p(h|v)^\top \rangle_{\text{data}} - \langle v\, p(h|v)^\top \rangle_{\text{model}}$$
#
# 第 2 項には $Z$ が要るので、厳密には求まりません。**CD-k** は、データから始めて $k$ 回ギブスサンプリングをした状態 $v_k$ で置き換えます(推定量は偏りますが、実用になります)。
#
# $$h = [u_h < p(h|v)], \quad v = [u_v < p(v|h)] \quad (k \text{ 回}), \qquad
# dW = \frac{v_0^\top p_0 - v_k^\top p_k}{N}, \quad db = \overline{v_0 - v_k}, \quad dc = \overline{p_0 - p_k}$$
#
# 約束は次のとおりです。
#
# - 各ステップで隠れ層、可視層の順に引き、どちらも 0/1 の**サンプル**を渡します。$u$ が確率と等しければ 0 です(厳密な <)。
# - $dW$ と $dc$ の統計量に使うのは**確率** $p = p(h|v)$ です。結果は対数尤度を**上げる**方向で、パラメータに足します。
#
# **手で計算**: $D = H = N = k = 1$、$W = 1$、$b = c = 0$、$v_0 = 1$ なら $p_0 = \sigma(1) = 0.7311$。$u_h = 0.3$ で $h = 1$、$p(v|h) = 0.7311$ と $u_v = 0.8$ で $v_1 = 0$、$p_1 = 0.5$。
# $dW = 0.7311 - 0$、$db = 1$、$dc = 0.2311$ です。
#
# > **よくある間違い** 連鎖は前のステップの状態から続きます。毎回データから始め直すのではありません。

# %% [markdown] lang="en"
# ## Contrastive divergence
#
# The gradient of the log-likelihood is a mean over data less a mean over the model.
#
# $$\frac{\partial \log p(v)}{\partial W} = \langle v\, p(h|v)^\top \rangle_{\text{data}} - \langle v\, p(h|v)^\top \rangle_{\text{model}}$$
#
# The second needs $Z$ and cannot be had exactly. **CD-k** puts in its place the state $v_k$ after $k$ steps of Gibbs sampling that begin at the data (a biased estimate, but one that works).
#
# $$h = [u_h < p(h|v)], \quad v = [u_v < p(v|h)] \quad (k \text{ times}), \qquad
# dW = \frac{v_0^\top p_0 - v_k^\top p_k}{N}, \quad db = \overline{v_0 - v_k}, \quad dc = \overline{p_0 - p_k}$$
#
# The conventions are:
#
# - Each step draws the hidden layer, then the visible one, and both pass on 0/1 **samples**. Where $u$ equals the probability the sample is 0 (strict <).
# - The statistics in $dW$ and $dc$ use **probabilities** $p = p(h|v)$. The result is the direction of **ascent** of the log-likelihood, to be added.
#
# **By hand**: with $D = H = N = k = 1$, $W = 1$, $b = c = 0$ and $v_0 = 1$, $p_0 = \sigma(1) = 0.7311$. $u_h = 0.3$ gives $h = 1$; $p(v|h) = 0.7311$ and $u_v = 0.8$ give $v_1 = 0$ and $p_1 = 0.5$.
# So $dW = 0.7311 - 0$, $db = 1$, $dc = 0.2311$.
#
# > **Common mistake** The chain goes on from the state of the last step; it does not begin at the data each time.

# %% stub contrastive_divergence
"""CD-k: データから始めた k 回のギブスサンプリングによる、パラメータの更新方向。

    h = [u_hidden < p(h|v)],  v = [u_visible < p(v|h)]      1 ステップ。どちらも 0/1 のサンプル
    p = p(h|v)                                              両方の項の統計量に使う確率

Args:
    v0: 2 値のデータ、(N, D)。
    u_hidden: 各ステップの隠れ層のサンプルに使う [0, 1) の一様乱数、(K, N, H)。
    u_visible: 各ステップの可視層のサンプルに使う一様乱数、(K, N, D)。
    W: 重み、(D, H)。
    b: 可視ユニットのバイアス、(D,)。
    c: 隠れユニットのバイアス、(H,)。

Returns:
    dW: (v0ᵀ p_0 - v_kᵀ p_k)/N。足すと対数尤度が上がる向き、(D, H)。
    db: v0 - v_k の平均、(D,)。
    dc: p_0 - p_k の平均、(H,)。
    v_k: 最後のステップの後の可視状態、(N, D)。
"""

# %%
one, zero = np.ones((1, 1)), np.zeros(1)
u_hidden, u_visible = np.full((1, 1, 1), 0.3), np.full((1, 1, 1), 0.8)
dW, db, dc, v1 = contrastive_divergence(one, u_hidden, u_visible, one, zero, zero)
print(dW.round(4), db, dc.round(4), v1)  # [[0.7311]] [1.] [0.2311] [[0.]]

# %% graded contrastive_divergence

# %% [markdown] lang="ja"
# ### 学習してみる(採点なし)
#
# 6 画素の模様 3 種類を CD-1 で学習します。小さいので $Z$ が計算でき、各模様の確率 $e^{-F}/Z$ が正確にわかります。3 種類で合計がほぼ 1 になれば、覚えたということです。

# %% [markdown] lang="en"
# ### Try it (not graded)
#
# CD-1 learns three patterns of six pixels. The machine is small, so that $Z$ and each pattern's probability $e^{-F}/Z$ can be computed. They are learned when the three add up to nearly 1.

# %%
rng = np.random.default_rng(0)
patterns = np.repeat([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 2, axis=1).astype(float)
W, b, c = rng.normal(0, 0.1, (6, 4)), np.zeros(6), np.zeros(4)
batch = np.repeat(patterns, 10, axis=0)
for step in range(2001):
    if step % 1000 == 0:
        log_p = -free_energy(patterns, W, b, c) - log_partition(W, b, c)
        print(step, np.exp(log_p).round(2))  # [0.02 0.01 0.02] … [0.3  0.25 0.4 ]
    u_hidden, u_visible = rng.random((1, 30, 4)), rng.random((1, 30, 6))
    dW, db, dc, _ = contrastive_divergence(batch, u_hidden, u_visible, W, b, c)
    W, b, c = W + 0.2 * dW, b + 0.2 * db, c + 0.2 * dc

# %% [markdown] lang="ja"
# ## 積み重ねる: DBN と DBM
#
# RBM は自己符号化器のように、入力を隠れ層に写して復元します。下から 1 層ずつ RBM を学習して積み重ねれば、深いネットワークの**事前学習**になります。2006 年の深層信念ネットワーク(DBN)は、深層学習が広まるきっかけになりました。
#
# ![DBN は上の 2 層の間だけが無向で、下は有向。DBM はすべて無向](stacks.svg)
#
# - **DBN**(深層信念ネットワーク, 2006): **最上位の 2 層の間だけが無向**で、その下は下向きの有向結合です。
# - **DBM**(深層ボルツマンマシン, 2009): **すべて無向**です。中間のユニットは上下の両方の層から入力を受けます: $p(h^1|v, h^2) = \sigma(vW^1 + W^2h^2 + c^1)$。
#
# > **よくある間違い** DBN は、全体としてはボルツマンマシンではありません(有向と無向の混合です)。DBN と DBM はどちらも RBM を積んで初期化できますが、モデルとしては下の結合の向きが違います。また、2006 年の DBN は、深層**強化学習**(2013 年の DQN 以降)とは別のものです。
#
# ## 生成モデルと識別モデル
#
# 分類には三つの方法があります。
#
# - **生成モデル**: $p(x|y)\,p(y)$ を学習し、ベイズの定理で $p(y|x)$ を得る。$p(x)$ もわかる。例: ナイーブベイズ。
# - **識別モデル**: $p(y|x)$ を直接学習する。例: ロジスティック回帰。
# - **識別関数**: 確率を使わず、入力からクラスを直接決める。例: SVM。
#
# **ナイーブベイズ**は、クラスが与えられれば特徴は独立だとする生成モデルです。特徴が 2 値なら、対数オッズは**ロジスティック回帰と同じ一次式**になります。違うのは、パラメータの求め方(数えるか、$p(y|x)$ を最大化するか)です。
#
# $$p_i^y = \frac{\#\{x_i = 1, y\} + \alpha}{n_y + 2\alpha}, \quad w_i = \log\frac{p_i^1}{p_i^0} - \log\frac{1 - p_i^1}{1 - p_i^0}, \quad
# \mathrm{bias} = \log\frac{n_1}{n_0} + \sum_i \log\frac{1 - p_i^1}{1 - p_i^0}$$
#
# 値が 0 と 1 の 2 通りなので、分母には $2\alpha$ を足します(ラプラス平滑化)。クラスの事前確率 $n_1/n_0$ は平滑化しません。
#
# **手で計算**: $\alpha = 1$、クラス 1 は $(1, 0), (1, 1)$、クラス 0 は $(0, 1), (0, 0), (0, 1)$ なら、$p^1 = (\frac34, \frac12)$、$p^0 = (\frac15, \frac35)$。
# $w_1 = \log 3.75 - \log 0.3125 = \log 12 = 2.4849$、$w_2 = \log\frac23 = -0.4055$、bias $= \log\frac23 + \log 0.3125 + \log 1.25 = -1.3455$ です。

# %% [markdown] lang="en"
# ## Stacks: DBN and DBM
#
# Like an autoencoder, an RBM maps its input to a hidden layer and reconstructs it. RBMs trained one on top of another **pre-train** a deep network. The deep belief network (DBN) of 2006 set off the spread of deep learning.
#
# ![A DBN is undirected between its top two layers only; a DBM is undirected throughout](stacks.svg)
#
# - **DBN** (deep belief network, 2006): undirected **between the top two layers only**; below, links are directed downwards.
# - **DBM** (deep Boltzmann machine, 2009): **all undirected**. A middle unit hears both neighbouring layers: $p(h^1|v, h^2) = \sigma(vW^1 + W^2h^2 + c^1)$.
#
# > **Common mistake** A DBN as a whole is no Boltzmann machine but a mixture of directed and undirected links. Both DBN and DBM can be initialised by stacking RBMs; as models they differ in the direction of the lower links. And the DBN of 2006 is not deep **reinforcement learning**, which begins with DQN in 2013.
#
# ## Generative and discriminative models
#
# There are three ways to classify.
#
# - **Generative model**: learn $p(x|y)\,p(y)$, and have $p(y|x)$ by Bayes' rule. $p(x)$ is known too. Example: naive Bayes.
# - **Discriminative model**: learn $p(y|x)$ directly. Example: logistic regression.
# - **Discriminant function**: map the input to a class without probabilities. Example: SVM.
#
# **Naive Bayes** is the generative model whose features are independent given the class. With binary features, its log-odds are **linear, as in logistic regression**. What differs is how the parameters are found: by counting, or by maximising $p(y|x)$.
#
# $$p_i^y = \frac{\#\{x_i = 1, y\} + \alpha}{n_y + 2\alpha}, \quad w_i = \log\frac{p_i^1}{p_i^0} - \log\frac{1 - p_i^1}{1 - p_i^0}, \quad
# \mathrm{bias} = \log\frac{n_1}{n_0} + \sum_i \log\frac{1 - p_i^1}{1 - p_i^0}$$
#
# As there are two values, 0 and 1, the denominator grows by $2\alpha$ (Laplace smoothing). The prior $n_1/n_0$ of the classes is not smoothed.
#
# **By hand**: $\alpha = 1$, class 1 is $(1, 0), (1, 1)$ and class 0 is $(0, 1), (0, 0), (0, 1)$. Then $p^1 = (\frac34, \frac12)$ and $p^0 = (\frac15, \frac35)$;
# $w_1 = \log 3.75 - \log 0.3125 = \log 12 = 2.4849$, $w_2 = \log\frac23 = -0.4055$, bias $= \log\frac23 + \log 0.3125 + \log 1.25 = -1.3455$.

# %% stub naive_bayes_logit
"""独立な 2 値の特徴をもつ生成的な分類器を、一次式の対数オッズとして表したもの。

    p_i^y = (クラス y で x_i = 1 の数 + α) / (n_y + 2α)     ラプラス平滑化。二つの値に 1 回ずつ
    log p(1|x)/p(0|x) = x·w + bias                          ロジスティック回帰が直接求める形

Args:
    x: 2 値の特徴、(N, D)。
    labels: クラス 0 と 1。どちらも 1 回以上現れる、(N,)。
    smoothing: α > 0。

Returns:
    w: log(p_i¹/p_i⁰) - log((1 - p_i¹)/(1 - p_i⁰))、(D,)。
    bias: log(n_1/n_0) + Σ_i log((1 - p_i¹)/(1 - p_i⁰))。クラスの事前確率は平滑化しない。
"""

# %%
x = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
w, bias = naive_bayes_logit(x, np.array([1, 1, 0, 0, 0]), 1.0)
print(w.round(4), round(bias, 4))  # [ 2.4849 -0.4055] -1.3455

# %% graded naive_bayes_logit

# %% [markdown] lang="ja"
# ## GAN の損失
#
# GAN では、生成器 $G$ が雑音 $z$ からデータを作り、識別器 $D(x) = \sigma(\text{ロジット})$ が本物の確率を答えます。GAN は $p(x)$ の値を与えず、そこからの**サンプルだけ**を作ります(暗黙的な密度)。
#
# $$\min_G \max_D \; E[\log D(x)] + E[\log(1 - D(G(z)))]$$
#
# それぞれが**最小化**する損失は次の三つです。平均は本物と生成物で別々にとり、$d$ は二つの平均の**和**です(半分にしません)。
#
# $$d = -\overline{\log D(x)} - \overline{\log(1 - D(G(z)))}, \quad g_{\text{minimax}} = \overline{\log(1 - D(G(z)))}, \quad g_{\text{non-saturating}} = -\overline{\log D(G(z))}$$
#
# ![D(G(z)) が 0 に近いとき、ミニマックスの損失は平らで、非飽和の損失は急である](slopes.svg)
#
# 学習の初めは $D(G(z)) \approx 0$ で、$\log(1-D)$ は平らです。ロジット $a$ についての傾きは、ミニマックスが $-\sigma(a)$、非飽和が $-(1 - \sigma(a))$ なので、実際には後者を使います。
# 最適な識別器 $D = p/(p+q)$ では $d = 2\log 2 - 2\,\mathrm{JS}(p\|q)$ で、$p = q$ なら $D = ½$、$d = 2 \log 2$ です。
#
# **手で計算**: $D(x) = 0.5$(ロジット 0)、$D(G(z)) = 0.1$(ロジット $-\log 9$)なら、$d = 0.6931 + 0.1054 = 0.7985$、$g_{\text{minimax}} = -0.1054$、$g_{\text{non-saturating}} = 2.3026$ です。
#
# > **よくある間違い** 確率を求めてから log をとると、ロジットが大きいとき log 0 になります。$-\log\sigma(a) = \mathrm{softplus}(-a)$、$-\log(1 - \sigma(a)) = \mathrm{softplus}(a)$ を使います。

# %% [markdown] lang="en"
# ## The losses of a GAN
#
# In a GAN a generator $G$ makes data from noise $z$, and a discriminator $D(x) = \sigma(\text{logit})$ answers with the probability that $x$ is real. A GAN gives no value of $p(x)$, **only samples** of it (an implicit density).
#
# $$\min_G \max_D \; E[\log D(x)] + E[\log(1 - D(G(z)))]$$
#
# These are the three losses to be **minimised**. Real and generated samples are averaged separately, and $d$ is the **sum** of both means (not halved).
#
# $$d = -\overline{\log D(x)} - \overline{\log(1 - D(G(z)))}, \quad g_{\text{minimax}} = \overline{\log(1 - D(G(z)))}, \quad g_{\text{non-saturating}} = -\overline{\log D(G(z))}$$
#
# ![Where D(G(z)) is near 0 the minimax loss is flat and the non-saturating one steep](slopes.svg)
#
# Early in training $D(G(z)) \approx 0$, where $\log(1-D)$ is flat. The slopes in a logit $a$ are $-\sigma(a)$ for minimax and $-(1 - \sigma(a))$ for non-saturating; so the latter is used in practice.
# At the best discriminator $D = p/(p+q)$, $d = 2\log 2 - 2\,\mathrm{JS}(p\|q)$; for $p = q$ this is $D = ½$ and $d = 2 \log 2$.
#
# **By hand**: $D(x) = 0.5$ (logit 0) and $D(G(z)) = 0.1$ (logit $-\log 9$) give $d = 0.6931 + 0.1054 = 0.7985$, $g_{\text{minimax}} = -0.1054$, $g_{\text{non-saturating}} = 2.3026$.
#
# > **Common mistake** Taking the log of a computed probability meets log 0 for large logits. Use $-\log\sigma(a) = \mathrm{softplus}(-a)$ and $-\log(1 - \sigma(a)) = \mathrm{softplus}(a)$.

# %% stub gan_losses
"""GAN の識別器と生成器が最小化する損失。識別器 D = σ(ロジット) のロジットから求める。

Args:
    real_logits: 本物のデータに対する D のロジット、(N,)。
    fake_logits: 生成されたデータに対する D のロジット、(M,)。

Returns:
    d: -mean log D(x) - mean log(1 - D(G(z)))。識別器の損失。
    g_minimax: mean log(1 - D(G(z)))。もとの式による生成器の損失。
    g_nonsaturating: -mean log D(G(z))。実際に使われる生成器の損失。
"""

# %%
losses = gan_losses(np.array([0.0]), np.array([-np.log(9.0)]))
print([round(loss, 4) for loss in losses])  # [0.7985, -0.1054, 2.3026]

# %% graded gan_losses

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **「制約」の意味**: 層内の結合がない。だから条件付き確率がユニットごとに分かれ、$p(h_j=1|v) = \sigma(c_j + \sum_i v_iW_{ij})$ となる。
# - **パラメータ数**: $n$ ユニットの一般のボルツマンマシンは重み $n(n-1)/2$ とバイアス $n$。RBM は $DH + D + H$(784–500 なら 393 284)。
# - **CD を使う理由**: モデルでの平均に分配関数 $Z$(状態の数が指数的)が要るから。
# - **DBN と DBM**: DBN は最上位の 2 層の間だけ無向で、下は有向。DBM はすべて無向。
# - **分類の三つの方法**: 生成モデル(ナイーブベイズ)、識別モデル(ロジスティック回帰)、識別関数(SVM)。データを生成し、$p(x)$ で外れ値を見つけられるのは生成モデル。
# - **生成モデルの例**: VAE、GAN、RBM、ナイーブベイズ。VAE は尤度の下界を最大化し、GAN は密度を与えない。
# - **GAN の最適な識別器**: $p/(p+q)$。$p = q$ で ½、$d = 2\log 2$。
# - **非飽和損失の理由**: 学習の初めに $D(G(z)) \approx 0$ で $\log(1-D)$ の勾配が消えるから。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **What "restricted" means**: no links within a layer. So the conditionals factorise, and $p(h_j=1|v) = \sigma(c_j + \sum_i v_iW_{ij})$.
# - **Parameters**: a general Boltzmann machine of $n$ units has $n(n-1)/2$ weights and $n$ biases; an RBM $DH + D + H$ (393 284 for 784–500).
# - **Why CD**: the mean over the model needs the partition function $Z$, with exponentially many states.
# - **DBN and DBM**: a DBN is undirected between its top two layers only and directed below; a DBM is undirected throughout.
# - **Three ways to classify**: generative (naive Bayes), discriminative (logistic regression), discriminant function (SVM). Generative models can make data and detect outliers by $p(x)$.
# - **Generative models**: VAE, GAN, RBM, naive Bayes. A VAE maximises a bound of the likelihood, a GAN gives no density.
# - **The best discriminator of a GAN**: $p/(p+q)$; for $p = q$ it is ½ and $d = 2\log 2$.
# - **Why the non-saturating loss**: early $D(G(z)) \approx 0$, where the gradient of $\log(1-D)$ vanishes.
