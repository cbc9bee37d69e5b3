# %% [markdown] lang="ja"
# # 正規化層: Batch / Layer / Instance / Group
#
# 深いネットワークでは、層を通るたびに値の平均と分散が変わり、大きくなりすぎたり 0 に近づいたりして、学習が進みにくくなります。
# 正規化層は、値を**平均 0、分散 1** にそろえてから、学習で得る拡大率 $\gamma$ とシフト量 $\beta$ で必要な尺度に戻します。
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\,\hat x + \beta$$
#
# 式は四つの手法に共通です。違うのは、**どの値どうしが一組の $\mu, \sigma^2$ を共有するか**だけです。
#
# ![バッチ、レイヤー、インスタンス、グループ正規化で平均と分散を共有する値](index_sets.svg)
#
# | 手法 | $\mu, \sigma^2$ を共有する値 | (N, C, H, W) で平均をとる軸 | バッチサイズへの依存 |
# |---|---|---|---|
# | バッチ正規化(BN) | 同じチャネルの、全サンプル・全画素 | (0, 2, 3) | ある |
# | レイヤー正規化(LN) | 同じサンプルの、全チャネル・全画素 | (1, 2, 3) | ない |
# | インスタンス正規化(IN) | 同じサンプルの同じチャネルの、全画素 | (2, 3) | ない |
# | グループ正規化(GN) | 同じサンプルの、連続した $C/G$ チャネルの全画素 | グループに分けて軸 2 以降 | ない |
#
# この課題では、順伝播、逆伝播、移動平均、線形層へのたたみ込みを自分で書きます。
#
# **約束**: 入力の配列を書き換えないでください。計算は float64 で行います(float32 の配列で返したときは、float32 の許容誤差で比べます)。
# 関数の呼び出し 1 回の制限時間は 2 秒です。Python のループで書いても十分に間に合います。
#
# > **よくある間違い** 正規**化**(normalization)と正**則**化(regularization)は別のものです。正規化は値の尺度をそろえる操作、正則化は過学習を抑えるための制約です。
# > バッチ正規化が過学習を抑えることがあるのは、バッチごとに揺れる統計量がノイズとして働く副作用です。ドロップアウトがいつでも不要になるわけではありません。

# %% [markdown] lang="en"
# # Normalisation: batch, layer, instance, group
#
# In a deep network the mean and the variance of the values change from layer to layer; they grow too large or fade to 0, and learning becomes hard.
# A normalisation layer brings the values to **mean 0 and variance 1**, and then to the scale that is needed by a learned scale $\gamma$ and shift $\beta$.
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\,\hat x + \beta$$
#
# Four methods share this formula. They differ only in **which values share one pair $\mu, \sigma^2$**.
#
# ![Which values share a mean and a variance in batch, layer, instance and group normalisation](index_sets.svg)
#
# | method | values that share $\mu, \sigma^2$ | axes of the mean for (N, C, H, W) | depends on the batch size |
# |---|---|---|---|
# | batch norm (BN) | all samples and pixels of one channel | (0, 2, 3) | yes |
# | layer norm (LN) | all channels and pixels of one sample | (1, 2, 3) | no |
# | instance norm (IN) | all pixels of one channel of one sample | (2, 3) | no |
# | group norm (GN) | all pixels of $C/G$ consecutive channels of one sample | from axis 2 on, once split into groups | no |
#
# In this task you write the forward pass, the backward pass, the moving averages, and the fold into a linear layer.
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (arrays that come back in float32 are compared within the tolerance of float32).
# One call of a function may take 2 seconds, which is plenty even for loops in Python.
#
# > **Common mistake** Normalisation and regularisation are two things (in Japanese 正規化 and 正則化 differ by one character). Normalisation evens out the scale of values; regularisation constrains a model against overfitting.
# > That batch norm sometimes reduces overfitting is a side effect: statistics that vary from batch to batch act as noise. Dropout does not become needless in general.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## バッチ正規化: 順伝播
#
# チャネルごとに、ミニバッチの平均と分散を求めます。$n$ は一つの平均に使う値の個数で、(N, C) なら $n = N$、(N, C, H, W) なら $n = N \cdot H \cdot W$ です。
#
# $$\mu = \frac1n \sum_i x_i, \qquad \sigma^2 = \frac1n \sum_i (x_i - \mu)^2$$
#
# - $\varepsilon$ は**根号の中**で分散に足します。分散が 0 のチャネルでも 0 で割らずに済み、出力は $\beta$ になります。値はフレームワークで異なるので(PyTorch 1e-5、Keras 1e-3)、引数にしています。
# - 標準化に使う分散の分母は $n$ です(不偏分散ではありません)。
# - $\gamma, \beta$ はバッチから計算する値ではなく、勾配降下法で学習するパラメータです。$\gamma = \sqrt{\sigma^2+\varepsilon},\ \beta = \mu$ なら、正規化は打ち消されます。
#
# **予測時**は 1 件だけの入力でも同じ答えが出るように、学習中に貯めた移動平均 `running_mean`, `running_var` を $\mu, \sigma^2$ として使います。
#
# $$\text{new} = (1 - \text{momentum}) \cdot \text{old} + \text{momentum} \cdot \text{batch}$$
#
# - `momentum` は**新しい値**の重みです(PyTorch の約束。Keras の `momentum` は 1 からこれを引いたものです)。
# - `running_var` に貯めるのは**不偏分散** $\frac{n}{n-1}\sigma^2$ です。
# - 学習時は更新した移動平均を、予測時は渡された値をそのまま、新しい配列として返します。
#
# **計算例**($C = 1$): $x = (0, 0, 4, 4)$、$\gamma = 3$、$\beta = 1$、移動平均は 0 と 1、momentum = 0.1、$\varepsilon \approx 0$ とします。
# $\mu = 2$、$\sigma^2 = 4$、$\hat x = (-1, -1, 1, 1)$ なので $y = (-2, -2, 4, 4)$ です。
# 新しい移動平均は $0.9 \cdot 0 + 0.1 \cdot 2 = 0.2$ と $0.9 \cdot 1 + 0.1 \cdot \frac43 \cdot 4 = 1.433$ です。
# 予測時に `running_mean` = 1, `running_var` = 9 なら、$x = 4$ は $3 \cdot \frac{4-1}{3} + 1 = 4$ になります。
#
# > **よくある間違い** 移動平均に、標準化で使った分散(分母 $n$)をそのまま貯めてしまう。予測時の分散は母集団の分散の推定値なので、分母は $n-1$ です。
#
# > **よくある間違い** 畳み込み層で画素ごとに平均をとってしまう。同じフィルタが全画素に使われるので、平均は N, H, W についてとり、チャネルごとに一つです(RGB 画像なら 3 組)。

# %% [markdown] lang="en"
# ## Batch norm: forward
#
# Each channel gets the mean and the variance of the mini-batch. $n$ is the number of values in one mean: $n = N$ for (N, C), $n = N \cdot H \cdot W$ for (N, C, H, W).
#
# $$\mu = \frac1n \sum_i x_i, \qquad \sigma^2 = \frac1n \sum_i (x_i - \mu)^2$$
#
# - $\varepsilon$ is added to the variance **under the root**. A channel of variance 0 is then not divided by 0, and comes out as $\beta$. Frameworks differ in its size (PyTorch 1e-5, Keras 1e-3), so it is an argument.
# - The variance that standardises has the divisor $n$ (it is not the unbiased one).
# - $\gamma, \beta$ are not computed from the batch: they are parameters, learned by gradient descent. With $\gamma = \sqrt{\sigma^2+\varepsilon},\ \beta = \mu$ they undo the normalisation.
#
# **In prediction** a single input must get the same answer as in any batch, so the moving averages `running_mean` and `running_var`, collected during training, take the place of $\mu$ and $\sigma^2$.
#
# $$\text{new} = (1 - \text{momentum}) \cdot \text{old} + \text{momentum} \cdot \text{batch}$$
#
# - `momentum` is the weight of the **new** value (as in PyTorch; that of Keras is one minus this).
# - `running_var` collects the **unbiased** variance $\frac{n}{n-1}\sigma^2$.
# - Training returns the updated averages, prediction those passed in as they are, in new arrays.
#
# **Worked example** ($C = 1$): $x = (0, 0, 4, 4)$, $\gamma = 3$, $\beta = 1$, moving averages 0 and 1, momentum = 0.1, $\varepsilon \approx 0$.
# $\mu = 2$, $\sigma^2 = 4$, $\hat x = (-1, -1, 1, 1)$, hence $y = (-2, -2, 4, 4)$.
# The new averages are $0.9 \cdot 0 + 0.1 \cdot 2 = 0.2$ and $0.9 \cdot 1 + 0.1 \cdot \frac43 \cdot 4 = 1.433$.
# In prediction with `running_mean` = 1 and `running_var` = 9, $x = 4$ becomes $3 \cdot \frac{4-1}{3} + 1 = 4$.
#
# > **Common mistake** To collect the variance that standardised the batch (divisor $n$) as it is. The variance for prediction estimates that of the population, so its divisor is $n-1$.
#
# > **Common mistake** To take a mean for each pixel of a convolutional layer. One filter serves all pixels, so the mean runs over N, H and W, and there is one a channel (three pairs for an RGB image).

# %% stub batchnorm_forward
"""バッチ正規化と、予測時に使う統計量の更新。

Args:
    x: ベクトル (N, C) または画像 (N, C, H, W)。
    gamma: 拡大率、(C,)。
    beta: シフト量、(C,)。
    running_mean: バッチ平均の移動平均、(C,)。
    running_var: バッチの不偏分散の移動平均、(C,)。
    train: True ならこのバッチの統計量で正規化し、移動平均に加える。False なら移動平均で正規化する。
    momentum: 移動平均での新しい値の重み。
    eps: 根号の中で分散に足す値。

Returns:
    y: γ (x - μ) / √(σ² + ε) + β、x と同じ形。
    new_running_mean: 学習時は (1 - momentum) · 古い値 + momentum · μ、予測時は古い値のまま、(C,)。
    new_running_var: 学習時は (1 - momentum) · 古い値 + momentum · σ² n/(n - 1)、予測時は古い値のまま、(C,)。
"""

# %%
column, one = np.array([[0.0], [0.0], [4.0], [4.0]]), np.ones(1)
y, mean, var = batchnorm_forward(column, 3 * one, one, 0 * one, one, True)
print(y.ravel().round(3), mean, var)  # [-2. -2.  4.  4.] [0.2] [1.43333333]
y, mean, var = batchnorm_forward(column, 3 * one, one, one, 9 * one, False)
print(y.ravel().round(3), mean, var)  # [0. 0. 4. 4.] [1.] [9.]

# %% graded batchnorm_forward

# %% [markdown] lang="ja"
# ### 何に効くのか
#
# 次のセルは、平均 0、標準偏差 1 の正規乱数を重みにした 12 層のネットワーク(幅 10、ReLU)に乱数を通し、各層の出力の標準偏差を比べます。
# バッチ正規化がなければ値は層を重ねるごとに大きくなり、あれば一定の範囲に収まります。重みの初期値の良し悪しに左右されにくくなり、大きな学習率でも学習が安定します。
#
# バッチ正規化は、全結合層や畳み込み層の後、**活性化関数の手前**に置くことが多く、直前の層のバイアスは要りません($\mu$ を引くと消え、$\beta$ が代わりをします)。
#
# > **よくある間違い** 「内部共変量シフトを抑えるから効く」と言い切る。訓練データとテストデータで入力の分布が変わることを共変量シフト、
# > 学習中に前の層の重みが変わるため層の入力の分布が変わることを**内部共変量シフト**と言い、これを抑えるというのが提案論文の仮説です。
# > その後の研究(Santurkar ら、2018)では、わざと分布をずらしてもバッチ正規化を入れたネットワークは同じようによく学習し、損失の曲面が滑らかになることが効いていると報告されています。

# %% [markdown] lang="en"
# ### What it does for a network
#
# The next cell sends random numbers through a network of 12 layers (width 10, ReLU) whose weights are normal random numbers with mean 0 and standard deviation 1, and compares the standard deviation of each layer's output.
# Without batch norm the values grow with every layer; with it they stay in one range. Training depends less on the initial weights, and stays stable at larger learning rates.
#
# Batch norm usually stands after a dense or convolutional layer and **before the activation**; the bias of the layer before it is needless ($\mu$ takes it away, and $\beta$ takes its place).
#
# > **Common mistake** To state as a fact that it works because it reduces internal covariate shift. A covariate shift is a change of the input distribution between training and test;
# > the **internal** one is the change of a layer's inputs during training, as the weights before it change. That batch norm reduces it is the hypothesis of the paper that proposed it.
# > Later work (Santurkar et al., 2018) found networks with batch norm to train as well when their distributions were shifted on purpose, and explains the effect by a smoother loss surface.

# %%
rng = np.random.default_rng(0)
plain = normalised = rng.normal(size=(64, 10))
one, zero = np.ones(10), np.zeros(10)
for depth in range(1, 13):
    W = rng.normal(size=(10, 10))
    plain = np.maximum(plain @ W, 0)
    y, _, _ = batchnorm_forward(normalised @ W, one, zero, zero, one, True)
    normalised = np.maximum(y, 0)
    if depth % 4 == 0:
        print(depth, plain.std().round(2), normalised.std().round(2))
# 4 10.29 0.58
# 8 258.79 0.67
# 12 15894.67 0.64

# %% [markdown] lang="ja"
# ## バッチ正規化: 逆伝播
#
# 学習時、$\mu$ と $\sigma^2$ も $x$ の関数です。そのため、$x$ へ戻る勾配は三つの経路(直接、$\mu$ 経由、$\sigma^2$ 経由)の和になります。
#
# ![バッチ正規化の計算グラフ。勾配は三つの経路を戻る](graph.svg)
#
# 出発点は $d\hat x = \gamma \odot dy$ です。$s = \sqrt{\sigma^2 + \varepsilon}$ とすると、$1/s$ の枝には $-1/s^2$ が掛かり($(1/s)' = -1/s^2$)、$\sigma^2$ までの経路をまとめると次のようになります。
#
# $$\frac{\partial L}{\partial \sigma^2} = -\frac{1}{2 s^3} \sum_i d\hat x_i (x_i - \mu), \qquad \frac{\partial L}{\partial \mu} = -\frac1s \sum_i d\hat x_i$$
#
# ($\sigma^2$ から $\mu$ への経路は、$\sum_i (x_i - \mu) = 0$ なので 0 です。)三つの経路を足すと、一つの式になります。平均はチャネルごとに N, H, W についてとります。
#
# $$dx = \frac{\gamma}{s}\Bigl(dy - \overline{dy} - \hat x \cdot \overline{dy \odot \hat x}\Bigr), \qquad d\gamma = \sum dy \odot \hat x, \qquad d\beta = \sum dy$$
#
# $d\gamma, d\beta$ はバッチについての**和**です。予測時は $\mu, \sigma^2$ が定数なので、$dx = \gamma\, dy / \sqrt{\text{running\_var} + \varepsilon}$ だけで済みます($d\gamma, d\beta$ の $\hat x$ も移動平均で作ります)。
#
# **計算例**: 先ほどの $\hat x = (-1, -1, 1, 1)$、$s = 2$、$\gamma = 3$ で $dy = (1, 0, 0, 0)$ とします。$\overline{dy} = \frac14$、$\overline{dy \odot \hat x} = -\frac14$ なので、
# $dx = \frac32 \bigl(1 - \frac14 - \frac14,\ -\frac14 - \frac14,\ -\frac14 + \frac14,\ -\frac14 + \frac14\bigr) = (0.75, -0.75, 0, 0)$、$d\gamma = -1$、$d\beta = 1$ です。
# $dx$ の和は 0、$\hat x$ との内積も 0 です。バッチ全体をずらしても伸ばしても、出力は変わらないからです。
#
# > **よくある間違い** 逆伝播を $\gamma \cdot \partial L / \partial \gamma$ から始める。順伝播で $\hat x$ に $\gamma$ を掛けたので、$d\hat x = \gamma \odot dy$ です。
# > $\partial L / \partial \gamma$ は (C,) の形で、(N, C) の経路の出発点にはなりません。

# %% [markdown] lang="en"
# ## Batch norm: backward
#
# In training $\mu$ and $\sigma^2$ are functions of $x$ as well, so the gradient of $x$ is a sum over three paths: direct, through $\mu$, through $\sigma^2$.
#
# ![The computation graph of batch norm: the gradient comes back along three paths](graph.svg)
#
# It starts from $d\hat x = \gamma \odot dy$. With $s = \sqrt{\sigma^2 + \varepsilon}$ the branch of $1/s$ contributes the factor $-1/s^2$ (since $(1/s)' = -1/s^2$), and the paths down to $\sigma^2$ and $\mu$ give
#
# $$\frac{\partial L}{\partial \sigma^2} = -\frac{1}{2 s^3} \sum_i d\hat x_i (x_i - \mu), \qquad \frac{\partial L}{\partial \mu} = -\frac1s \sum_i d\hat x_i$$
#
# (The path from $\sigma^2$ to $\mu$ is 0, as $\sum_i (x_i - \mu) = 0$.) Together the three paths make one formula; means are taken over N, H and W for each channel.
#
# $$dx = \frac{\gamma}{s}\Bigl(dy - \overline{dy} - \hat x \cdot \overline{dy \odot \hat x}\Bigr), \qquad d\gamma = \sum dy \odot \hat x, \qquad d\beta = \sum dy$$
#
# $d\gamma, d\beta$ are **sums** over the batch. In prediction $\mu, \sigma^2$ are constants, and $dx = \gamma\, dy / \sqrt{\text{running\_var} + \varepsilon}$ is all (the $\hat x$ in $d\gamma$ is then made with the moving averages, too).
#
# **Worked example**: $\hat x = (-1, -1, 1, 1)$, $s = 2$, $\gamma = 3$ as before, and $dy = (1, 0, 0, 0)$. Then $\overline{dy} = \frac14$, $\overline{dy \odot \hat x} = -\frac14$, so
# $dx = \frac32 \bigl(1 - \frac14 - \frac14,\ -\frac14 - \frac14,\ -\frac14 + \frac14,\ -\frac14 + \frac14\bigr) = (0.75, -0.75, 0, 0)$, $d\gamma = -1$, $d\beta = 1$.
# $dx$ sums to 0, and so does $dx \odot \hat x$: shifting or stretching the whole batch leaves the output alone.
#
# > **Common mistake** To start the way back from $\gamma \cdot \partial L / \partial \gamma$. The forward pass multiplied $\hat x$ by $\gamma$, so $d\hat x = \gamma \odot dy$.
# > $\partial L / \partial \gamma$ has the shape (C,) and cannot be the start of a path of shape (N, C).

# %% stub batchnorm_backward
"""バッチ正規化の勾配: 連鎖律を dx について整理したもの。

    学習時    dx = γ/√(σ² + ε) · (dy - mean(dy) - x̂ · mean(dy x̂))      μ と σ² は x に依存する
    予測時    dx = γ/√(running_var + ε) · dy                            μ と σ² は定数である

Args:
    dy: ∂loss/∂y、x と同じ形。
    x: ベクトル (N, C) または画像 (N, C, H, W)。
    gamma: 拡大率、(C,)。
    running_mean: 予測時に使う平均、(C,)。
    running_var: 予測時に使う分散、(C,)。
    train: y をバッチの統計量で計算したかどうか。
    eps: 根号の中で分散に足す値。

Returns:
    dx: x と同じ形。
    dgamma: サンプルと画素についての Σ dy x̂、(C,)。
    dbeta: サンプルと画素についての Σ dy、(C,)。
"""

# %%
column, one = np.array([[0.0], [0.0], [4.0], [4.0]]), np.ones(1)
dy = np.array([[1.0], [0.0], [0.0], [0.0]])
dx, dgamma, dbeta = batchnorm_backward(dy, column, 3 * one, 0 * one, one, True)
print(np.abs(dx - [[0.75], [-0.75], [0], [0]]).max() < 1e-5)  # True
print(dgamma.round(3), dbeta)  # [-1.] [1.]
dx, dgamma, dbeta = batchnorm_backward(dy, column, 3 * one, one, 9 * one, False)
print(dx.ravel().round(3), dgamma.round(3), dbeta)  # [1. 0. 0. 0.] [-0.333] [1.]

# %% graded batchnorm_backward

# %% [markdown] lang="ja"
# ## レイヤー正規化
#
# バッチ正規化の統計量は、$n = N \cdot H \cdot W$ 個の値から作る推定値です。**ミニバッチのサイズ**が小さいと推定値が大きく揺れ、学習時と予測時の差も広がります。
# 系列長の異なる RNN では、時刻ごとに移動平均を持つのも困難です。
# レイヤー正規化は 1 サンプルの中だけで $\mu, \sigma^2$ を求めるので、バッチサイズに依存せず、学習時と予測時で計算も同じです。RNN や Transformer で使われます。
#
# - 正規化するのは `x` の**最後の `gamma.ndim` 個の軸**です。(N, T, D) で `gamma` が (D,) なら Transformer の形(時刻ごとに別々)、(N, C, H, W) で `gamma` が (C, H, W) なら画像 1 枚の全要素です。
# - $\gamma, \beta$ は、正規化する**要素ごとに**一つずつあります(BN, IN, GN ではチャネルごと)。
#
# **計算例**: $x = (1, 5)$ なら $\mu = 3$、$\sigma = 2$、$\hat x = (-1, 1)$ です。$\gamma = (2, 3)$、$\beta = (0, 1)$ なら $y = (-2, 4)$ になります。
# $x = (10, 14)$ のサンプルも、$\hat x$ が同じなので $y$ も同じです。
#
# > **よくある間違い** レイヤー正規化を「特徴マップごと」の正規化と考える。特徴マップごとに求めるのはインスタンス正規化で、
# > レイヤー正規化は 1 サンプルの C·H·W 個の値すべてから平均と分散を一つずつ求めます。
#
# > **よくある間違い** バッチ正規化の効果は「ミニバッチの数」に依存すると言う。依存するのはミニバッチの**サイズ**です。
# > 小さいと「学習が収束しない」というのも言い過ぎで、実際には誤差が増えます(ResNet-50 で、GPU あたり 32 枚のとき 23.6 %、2 枚のとき 34.7 %)。

# %% [markdown] lang="en"
# ## Layer norm
#
# The statistics of batch norm are estimates from $n = N \cdot H \cdot W$ values. With a small **size of the mini-batch** they vary much, and training and prediction drift apart.
# In an RNN on sequences of different lengths it would also be hard to keep moving averages for every step.
# Layer norm takes $\mu, \sigma^2$ within one sample: it does not depend on the batch size, and computes the same in training and in prediction. RNNs and Transformers use it.
#
# - It normalises the **last `gamma.ndim` axes** of `x`. (N, T, D) with `gamma` of (D,) is the Transformer's form (every step on its own), (N, C, H, W) with `gamma` of (C, H, W) takes a whole image.
# - There is one $\gamma$ and one $\beta$ **for every element** that is normalised (in BN, IN and GN for every channel).
#
# **Worked example**: $x = (1, 5)$ has $\mu = 3$, $\sigma = 2$, $\hat x = (-1, 1)$. With $\gamma = (2, 3)$ and $\beta = (0, 1)$, $y = (-2, 4)$.
# A sample $x = (10, 14)$ has the same $\hat x$, and so the same $y$.
#
# > **Common mistake** To think that layer norm works per feature map. That is instance norm;
# > layer norm takes one mean and one variance of all C·H·W values of a sample.
#
# > **Common mistake** To say that batch norm depends on the number of mini-batches. It depends on the **size** of the mini-batch.
# > Nor does training fail to converge when it is small: the error grows (ResNet-50: 23.6 % with 32 images a GPU, 34.7 % with 2).

# %% stub layernorm_forward
"""レイヤー正規化: サンプルごとに独立で、学習時も予測時も同じ。

Args:
    x: 先頭に任意の個数の軸、その後に一緒に正規化する軸(gamma のすべての軸)が並ぶ。
    gamma: 正規化する要素ごとの拡大率、x の最後の軸と同じ形。
    beta: 正規化する要素ごとのシフト量、gamma と同じ形。
    eps: 根号の中で分散に足す値。

Returns:
    γ (x - μ) / √(σ² + ε) + β、x と同じ形。
"""

# %%
rows = np.array([[1.0, 5.0], [10.0, 14.0]])
y = layernorm_forward(rows, np.array([2.0, 3.0]), np.array([0.0, 1.0]))
print(y.round(3).tolist())  # [[-2.0, 4.0], [-2.0, 4.0]]
images = np.arange(24.0).reshape(2, 3, 2, 2)
y = layernorm_forward(images, np.ones((3, 2, 2)), np.zeros((3, 2, 2)))
print(y.shape, y.std(axis=(1, 2, 3)).round(3))  # (2, 3, 2, 2) [1. 1.]

# %% graded layernorm_forward

# %% [markdown] lang="ja"
# 逆伝播の考え方はバッチ正規化と同じで、平均をとる軸が変わるだけです。ただし $\gamma$ は同じ組の中の要素ごとに異なるので、平均の外へくくり出せません。
#
# $$dx = \frac1s \Bigl(\gamma \odot dy - \overline{\gamma \odot dy} - \hat x \cdot \overline{\gamma \odot dy \odot \hat x}\Bigr)$$
#
# $d\gamma = \sum dy \odot \hat x$ と $d\beta = \sum dy$ は、$\gamma$ を共有している**先頭のすべての軸**について和をとります((N, T, D) なら N と T)。
#
# **計算例**: $x = (0, 0, 4, 4)$($\hat x = (-1, -1, 1, 1)$、$s = 2$)、$\gamma = (1, 2, 1, 1)$、$dy = (0, 1, 0, 0)$ のとき、$\gamma \odot dy = (0, 2, 0, 0)$ です。
# その平均は $\frac12$、$\hat x$ との積の平均は $-\frac12$ なので、$dx = \frac12 (-1, 1, 0, 0) = (-0.5, 0.5, 0, 0)$、$d\gamma = (0, -1, 0, 0)$、$d\beta = (0, 1, 0, 0)$ です。

# %% [markdown] lang="en"
# The way back is that of batch norm with other axes in the means. But $\gamma$ differs from element to element within a set, so it cannot be taken out of the means.
#
# $$dx = \frac1s \Bigl(\gamma \odot dy - \overline{\gamma \odot dy} - \hat x \cdot \overline{\gamma \odot dy \odot \hat x}\Bigr)$$
#
# $d\gamma = \sum dy \odot \hat x$ and $d\beta = \sum dy$ run over **all leading axes**, which share $\gamma$ (N and T for (N, T, D)).
#
# **Worked example**: $x = (0, 0, 4, 4)$ ($\hat x = (-1, -1, 1, 1)$, $s = 2$), $\gamma = (1, 2, 1, 1)$, $dy = (0, 1, 0, 0)$ give $\gamma \odot dy = (0, 2, 0, 0)$.
# Its mean is $\frac12$, that of its product with $\hat x$ is $-\frac12$, so $dx = \frac12 (-1, 1, 0, 0) = (-0.5, 0.5, 0, 0)$, $d\gamma = (0, -1, 0, 0)$, $d\beta = (0, 1, 0, 0)$.

# %% stub layernorm_backward
"""レイヤー正規化の勾配。平均は、一緒に正規化する軸についてとる。

    dx = 1/√(σ² + ε) · (γdy - mean(γdy) - x̂ · mean(γdy x̂))      γ は組の中で異なるので、中に残る

Args:
    dy: ∂loss/∂y、x と同じ形。
    x: 先頭に任意の個数の軸、その後に一緒に正規化する軸(gamma のすべての軸)が並ぶ。
    gamma: 正規化する要素ごとの拡大率、x の最後の軸と同じ形。
    eps: 根号の中で分散に足す値。

Returns:
    dx: x と同じ形。
    dgamma: 先頭のすべての軸についての Σ dy x̂、gamma と同じ形。
    dbeta: 先頭のすべての軸についての Σ dy、gamma と同じ形。
"""

# %%
row, scale = np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([1.0, 2.0, 1.0, 1.0])
dx, dgamma, dbeta = layernorm_backward(np.array([[0.0, 1.0, 0.0, 0.0]]), row, scale)
print(np.abs(dx - [[-0.5, 0.5, 0, 0]]).max() < 1e-5)  # True
print(dgamma.round(3), dbeta)  # [ 0. -1.  0.  0.] [0. 1. 0. 0.]

# %% graded layernorm_backward

# %% [markdown] lang="ja"
# ## グループ正規化とインスタンス正規化
#
# グループ正規化は、チャネルを**連続した** $C/G$ 個ずつ $G$ 組に分け、サンプルごと・グループごとに正規化します。グループ $g$ はチャネル $g \cdot C/G, \dots, (g+1) \cdot C/G - 1$ です。
# $\gamma, \beta$ はグループごとではなく、チャネルごとにあります。
#
# - $G = 1$ なら、統計量は (C, H, W) についてのレイヤー正規化と同じです。
# - $G = C$ なら、**インスタンス正規化**です。サンプルごと・チャネルごとに、H·W 個の値だけで平均と分散を求めます(H·W = 1 なら、出力はどこでも $\beta$ です)。
#
# バッチの統計量を使わないので、バッチサイズの影響をほとんど受けません。物体検出のように画像が大きく、バッチサイズが 1〜2 のときに有効です。バッチサイズ 32 では BN と GN の誤差はほぼ同じです。
#
# **計算例**: 1 サンプル、4 チャネル、各 1 画素で $x = (0, 4, 10, 14)$、$\gamma = 1$、$\beta = 0$ とします。
# $G = 2$ なら組は $(0, 4)$ と $(10, 14)$ で、$\mu = 2, 12$、$\sigma = 2, 2$、$y = (-1, 1, -1, 1)$ です。$G = 4$ なら、どの組も値が一つなので $y = (0, 0, 0, 0)$ です。
#
# > **よくある間違い** インスタンス正規化はコントラストを「強調する」と言う。画像ごとのコントラストの違いを**取り除く**のが働きで、画風変換で使われるのはそのためです。

# %% [markdown] lang="en"
# ## Group and instance norm
#
# Group norm cuts the channels into $G$ groups of $C/G$ **consecutive** ones, and normalises each group of each sample. Group $g$ holds the channels $g \cdot C/G, \dots, (g+1) \cdot C/G - 1$.
# There is a $\gamma$ and a $\beta$ for each channel, not for each group.
#
# - With $G = 1$ the statistics are those of layer norm over (C, H, W).
# - With $G = C$ it is **instance norm**: for each channel of each sample, a mean and a variance of its H·W values alone (with H·W = 1 the output is $\beta$ everywhere).
#
# No statistic of the batch enters, so the batch size has hardly any influence. This helps where images are large and a batch holds one or two, as in object detection. At a batch size of 32 the errors of BN and GN are about equal.
#
# **Worked example**: one sample, 4 channels of one pixel each, $x = (0, 4, 10, 14)$, $\gamma = 1$, $\beta = 0$.
# With $G = 2$ the groups are $(0, 4)$ and $(10, 14)$, $\mu = 2, 12$, $\sigma = 2, 2$, and $y = (-1, 1, -1, 1)$. With $G = 4$ every set holds one value, and $y = (0, 0, 0, 0)$.
#
# > **Common mistake** To say that instance norm emphasises contrast. It **removes** what differs in contrast from image to image, and is used in style transfer for that reason.

# %% stub groupnorm_forward
"""グループ正規化。groups = C ならインスタンス正規化である。

Args:
    x: サンプル、チャネル、その後に任意の軸。画像なら (N, C, H, W)。
    gamma: 拡大率、(C,)。
    beta: シフト量、(C,)。
    groups: G。グループ g はチャネル g·C/G … (g + 1)·C/G - 1 で、サンプルごとに μ と σ² を一つずつもつ。
    eps: 根号の中で分散に足す値。

Returns:
    γ (x - μ) / √(σ² + ε) + β、x と同じ形。
"""

# %%
pixels = np.array([0.0, 4.0, 10.0, 14.0]).reshape(1, 4, 1, 1)
for groups in (1, 2, 4):
    y = groupnorm_forward(pixels, np.ones(4), np.zeros(4), groups)
    print(groups, y.ravel().round(3))
# 1 [-1.3   -0.557  0.557  1.3  ]
# 2 [-1.  1. -1.  1.]
# 4 [0. 0. 0. 0.]

# %% graded groupnorm_forward

# %% [markdown] lang="ja"
# ## 統計量はいくつあるか
#
# 四つの手法を、統計量の組($\mu$ と $\sigma^2$ の対)の数と、1 組を作る値の個数で区別できるようにしましょう。どの手法でも、二つの積は $N \cdot C \cdot H \cdot W$ です。
# `"layer"` は (C, H, W) についてのレイヤー正規化を指します。`groups` を使うのは `"group"` だけです。
#
# **計算例**: (N, C, H, W) = (8, 6, 4, 4) のバッチ正規化では、チャネルごとに 6 組、1 組は $8 \cdot 4 \cdot 4 = 128$ 個です。
# $G = 3$ のグループ正規化では $8 \cdot 3 = 24$ 組、1 組は $2 \cdot 4 \cdot 4 = 32$ 個です。

# %% [markdown] lang="en"
# ## How many statistics are there?
#
# Learn to tell the four methods apart by the number of sets (pairs of $\mu$ and $\sigma^2$) and the number of values in each. For every method the product of the two is $N \cdot C \cdot H \cdot W$.
# `"layer"` means layer norm over (C, H, W). Only `"group"` uses `groups`.
#
# **Worked example**: batch norm of (N, C, H, W) = (8, 6, 4, 4) has 6 sets, one a channel, of $8 \cdot 4 \cdot 4 = 128$ values each.
# Group norm with $G = 3$ has $8 \cdot 3 = 24$ sets of $2 \cdot 4 \cdot 4 = 32$.

# %% stub norm_stats_count
"""平均と分散の組がいくつあり、1 組を何個の値が共有するか。

Args:
    kind: "batch"、"layer"(チャネルと画素について)、"instance" または "group"。
    shape: 画像の形を表す四つの数 N, C, H, W。
    groups: G。"group" だけで使う。

Returns:
    sets: (μ, σ²) の組の数。
    elements: 1 組の値の個数。
"""

# %%
print(norm_stats_count("batch", (8, 6, 4, 4)))  # (6, 128)
print(norm_stats_count("group", (8, 6, 4, 4), 3))  # (24, 32)

# %% graded norm_stats_count

# %% [markdown] lang="ja"
# ## 予測時のたたみ込み
#
# 予測時のバッチ正規化は、定数による掛け算と足し算です。直前の線形層と一つにまとめれば、計算は増えません。
#
# $$s = \frac{\gamma}{\sqrt{\text{running\_var} + \varepsilon}}, \qquad W' = W s\ (\text{列ごと}), \qquad b' = (b - \text{running\_mean})\, s + \beta$$
#
# **計算例**(入出力とも 1 ユニット): $w = 2, b = 1, \gamma = 6, \beta = 1$、平均 5、分散 9 なら、$s = 6/3 = 2$、$w' = 4$、$b' = (1 - 5) \cdot 2 + 1 = -7$ です。
# $x = 3$ で確かめると、もとは $\frac{7 - 5}{3} \cdot 6 + 1 = 5$、たたみ込んだ後は $4 \cdot 3 - 7 = 5$ です。
#
# > **よくある間違い** 直前の層のバイアスに $s$ を掛け忘れる。バイアスも標準化を通ります。

# %% [markdown] lang="en"
# ## Folding it away for prediction
#
# In prediction batch norm is a product and a sum with constants. Joined with the linear layer before it, it costs nothing.
#
# $$s = \frac{\gamma}{\sqrt{\text{running\_var} + \varepsilon}}, \qquad W' = W s\ (\text{by column}), \qquad b' = (b - \text{running\_mean})\, s + \beta$$
#
# **Worked example** (one input, one unit): $w = 2, b = 1, \gamma = 6, \beta = 1$, mean 5 and variance 9 give $s = 6/3 = 2$, $w' = 4$, $b' = (1 - 5) \cdot 2 + 1 = -7$.
# At $x = 3$ the two layers give $\frac{7 - 5}{3} \cdot 6 + 1 = 5$, the folded one $4 \cdot 3 - 7 = 5$.
#
# > **Common mistake** To forget $s$ on the bias of the layer before. The bias passes through the normalisation, too.

# %% stub fold_batchnorm
"""x W + b の後に予測時のバッチ正規化をかけたものと等しい線形層。

Args:
    W: 直前の層の重み、(D_in, D_out)。
    b: 直前の層のバイアス、(D_out,)。
    gamma: 拡大率、(D_out,)。
    beta: シフト量、(D_out,)。
    running_mean: (D_out,)。
    running_var: (D_out,)。
    eps: 根号の中で分散に足す値。

Returns:
    W_folded: s = γ/√(running_var + ε) としたときの W s。列ごとに自分の s を掛ける、(D_in, D_out)。
    b_folded: (b - running_mean) s + β、(D_out,)。
"""

# %%
one = np.ones(1)
W, b = fold_batchnorm(np.array([[2.0]]), one, 6 * one, one, 5 * one, 9 * one)
print(W.round(3), b.round(3))  # [[4.]] [-7.]

# %% graded fold_batchnorm

# %% [markdown] lang="ja"
# ## 自動微分とデバイス: PyTorch で書く
#
# 同じ順伝播をテンソルで書けば、逆伝播は autograd が計算グラフから求めます。そのため、「どれがグラフの一部で、どれが定数か」を正しく決めることが大切です。
#
# - **学習時の $\mu, \sigma^2$ はグラフの一部です。** `detach()` すると値は同じでも、$\mu, \sigma^2$ を通る勾配が失われます。
# - **移動平均は定数です。** 渡された `running_mean`, `running_var` にも、返す移動平均にも、勾配は流れません(`torch.no_grad()` か `detach()` を使います)。
#   グラフにつないだまま返すと、次のステップがそれまでの全ステップのグラフを抱え込み、メモリが増え続けます。
# - 移動平均は**その場で書き換えず**、新しいテンソルとして返します。
# - 結果は、入力と同じデバイス・同じ dtype のままにします(途中で numpy に変換したり、`.cpu()` を呼んだりしません)。
# - テンソル用の関数は、float64 と float32 の値、そして勾配を調べます。
#
# > **よくある間違い** `x.var()` をそのまま使う。numpy の `var` の分母は $n$ ですが、**torch の `var` の分母は既定で $n-1$** です。分母 $n$ にするには `correction=0` を渡します。
#
# **計算例**: 先ほどと同じ $x = (0, 0, 4, 4)$、$\gamma = 3$ で $\sum dy \cdot y$ を逆伝播すると、$dy = (1, 0, 0, 0)$ なら `x.grad` は $(0.75, -0.75, 0, 0)$ で、自分で書いた式と一致します。

# %% [markdown] lang="en"
# ## Autograd and devices: the same in PyTorch
#
# Write the same forward pass on tensors, and autograd finds the backward pass from the graph. What matters, then, is to decide rightly what is part of the graph and what is a constant.
#
# - **In training $\mu, \sigma^2$ are part of the graph.** With `detach()` the values stay the same, but the gradient through $\mu, \sigma^2$ is lost.
# - **The moving averages are constants.** No gradient flows to the `running_mean` and `running_var` passed in, nor through those returned (use `torch.no_grad()` or `detach()`).
#   Returned with their graph, they would hold the graphs of all steps so far, and memory would grow with every step.
# - Return the moving averages as new tensors; do **not change them in place**.
# - Results stay on the device and in the dtype of the inputs (no detour through numpy, no `.cpu()`).
# - Functions on tensors are tested for their values in float64 and float32, and for their gradients.
#
# > **Common mistake** To use `x.var()` as it is. The `var` of numpy divides by $n$, **that of torch by $n-1$** unless told otherwise. Pass `correction=0` for the divisor $n$.
#
# **Worked example**: $x = (0, 0, 4, 4)$ and $\gamma = 3$ as before. Back-propagating $\sum dy \cdot y$ with $dy = (1, 0, 0, 0)$ makes `x.grad` equal to $(0.75, -0.75, 0, 0)$, as your own formula does.

# %%
import torch

# %% stub batchnorm_forward_torch
"""バッチ正規化。移動平均は、グラフの外の新しいテンソルとして返す。

Args:
    x: ベクトル (N, C) または画像 (N, C, H, W)。
    gamma: 拡大率、(C,)。
    beta: シフト量、(C,)。
    running_mean: バッチ平均の移動平均。グラフの定数、(C,)。
    running_var: バッチの不偏分散の移動平均。グラフの定数、(C,)。
    train: True ならこのバッチの統計量で正規化し、移動平均に加える。False なら移動平均で正規化する。
    momentum: 移動平均での新しい値の重み。
    eps: 根号の中で分散に足す値。

Returns:
    y: γ (x - μ) / √(σ² + ε) + β、x と同じ形。
    new_running_mean: 学習時は (1 - momentum) · 古い値 + momentum · μ、予測時は古い値のまま。勾配は流れない、(C,)。
    new_running_var: 学習時は (1 - momentum) · 古い値 + momentum · σ² n/(n - 1)、予測時は古い値のまま。勾配は流れない、(C,)。
"""

# %%
x = torch.tensor([[0.0], [0.0], [4.0], [4.0]], dtype=torch.float64, requires_grad=True)
one = torch.ones(1, dtype=torch.float64)
y, mean, var = batchnorm_forward_torch(x, 3 * one, one, 0 * one, one, True)
y[0].sum().backward()
print(x.grad.ravel().numpy().round(3) + 0.0)  # [ 0.75 -0.75  0.    0.  ]
print(mean.requires_grad, mean.numpy(), var.numpy().round(3))  # False [0.2] [1.433]

# %% graded batchnorm_forward_torch

# %% [markdown] lang="ja"
# レイヤー正規化には移動平均がないので、すべての統計量がグラフの一部です。軸は `gamma.ndim` から決まります。
# たとえば $x = (1, 5)$、$\gamma = (2, 3)$、$\beta = (0, 1)$ なら、numpy 版と同じく $y = (-2, 4)$ です。

# %% [markdown] lang="en"
# Layer norm has no moving averages: every statistic is part of the graph. The axes follow from `gamma.ndim`.
# For example $x = (1, 5)$, $\gamma = (2, 3)$, $\beta = (0, 1)$ give $y = (-2, 4)$, as on arrays.

# %% stub layernorm_forward_torch
"""gamma の軸(x の最後の軸)についてのレイヤー正規化。

Args:
    x: 先頭に任意の個数の軸、その後に一緒に正規化する軸(gamma のすべての軸)が並ぶ。
    gamma: 正規化する要素ごとの拡大率、x の最後の軸と同じ形。
    beta: 正規化する要素ごとのシフト量、gamma と同じ形。
    eps: 根号の中で分散に足す値。

Returns:
    γ (x - μ) / √(σ² + ε) + β、x と同じ形。
"""

# %%
rows = torch.tensor([[1.0, 5.0], [10.0, 14.0]], requires_grad=True)
y = layernorm_forward_torch(rows, torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0]))
print(y.dtype)  # torch.float32
print(y.detach().numpy().round(3).tolist())  # [[-2.0, 4.0], [-2.0, 4.0]]

# %% graded layernorm_forward_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **どの軸で平均をとるか**: (N, C, H, W) に対して BN (0, 2, 3)、LN (1, 2, 3)、IN (2, 3)、GN はサンプルごとに連続した C/G チャネルと H, W。
# - **統計量の組の数**: BN は C、LN は N、IN は N·C、GN は N·G。GN で G = 1 なら LN、G = C なら IN の統計量に一致する。
# - **学習時と予測時の違い**: BN だけが違う。学習時はミニバッチの $\mu, \sigma^2$(分母 $n$)、予測時は移動平均(分散は不偏分散を貯めたもの)。評価の精度がバッチサイズで変わるなら、`model.eval()` の書き忘れを疑う。
# - **式の穴埋め**: `(x - mean) / np.sqrt(var + eps) * gamma + beta`。$\varepsilon$ は根号の中で、0 で割るのを防ぐ。
# - **$\gamma$ と $\beta$**: 勾配降下法で学習する。BN では学習するパラメータが 2C 個、保存する移動平均も 2C 個。
# - **逆伝播**: $d\beta = \sum dy$、$d\gamma = \sum dy \odot \hat x$、$d\hat x = \gamma \odot dy$。学習時は $\mu$ と $\sigma^2$ を通る経路も足す。
# - **使い分け**: 小さいバッチでは BN の推定が揺れるので GN、RNN や Transformer では LN、画風変換では IN(画像ごとのコントラストを除く)。
# - **効果**: 学習が速くなる、大きな学習率が使える、初期値に左右されにくい、過学習を抑えることもある(副作用)。内部共変量シフトの抑制は提案時の説明で、後の研究に異論がある。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Axes of the mean**: for (N, C, H, W), BN (0, 2, 3), LN (1, 2, 3), IN (2, 3), GN C/G consecutive channels and H, W of each sample.
# - **Number of sets**: BN C, LN N, IN N·C, GN N·G. GN has the statistics of LN for G = 1, those of IN for G = C.
# - **Training and prediction**: they differ in BN alone. Training uses $\mu, \sigma^2$ of the mini-batch (divisor $n$), prediction the moving averages (of the unbiased variance). If the accuracy of an evaluation changes with its batch size, look for a missing `model.eval()`.
# - **Cloze**: `(x - mean) / np.sqrt(var + eps) * gamma + beta`. $\varepsilon$ stands under the root, against a division by 0.
# - **$\gamma$ and $\beta$**: learned by gradient descent. BN has 2C learned parameters, and stores 2C moving averages.
# - **Backward**: $d\beta = \sum dy$, $d\gamma = \sum dy \odot \hat x$, $d\hat x = \gamma \odot dy$. In training the paths through $\mu$ and $\sigma^2$ are added.
# - **Which one where**: GN for small batches, where the estimates of BN vary; LN in RNNs and Transformers; IN in style transfer (it removes the contrast of the single image).
# - **Effects**: faster training, larger learning rates, less dependence on initial values, sometimes less overfitting (a side effect). Less internal covariate shift is the original explanation, disputed by later work.
