# %% [markdown] lang="ja"
# # ニューラルネットワークの基礎
#
# どんな深いネットワークも、ここで作る部品の組み合わせです。**活性化関数**、**ソフトマックスと交差エントロピー**、**誤差逆伝播法**、
# 重みの**初期値**、**最適化手法**、そして**畳み込み**を、numpy だけで書きます。
#
# ![入力から損失まで順に計算し、誤差を逆向きに伝える](network.svg)
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | サンプル数 | $u, h$ | 中間層の活性化前と活性化後の値 |
# | $D, H, K$ | 入力・中間ユニット・クラスの数 | $\eta$ | 学習率(`lr`) |
# | $C, M$ | 画像の入力・出力チャネルの数 | $\delta$ | 誤差(損失の、活性化前の値についての勾配) |
#
# 重みは右から掛けます($x W$)。入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。
# 1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Neural network basics
#
# Every deep network is put together from the parts that you will build here: **activation functions**, **softmax and cross-entropy**, **back-propagation**,
# **initial values** of the weights, **optimisers**, and **convolution**, with numpy alone.
#
# ![From the input to the loss, and the error on its way back](network.svg)
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | samples | $u, h$ | a hidden unit before and after its activation |
# | $D, H, K$ | inputs, hidden units, classes | $\eta$ | learning rate (`lr`) |
# | $C, M$ | input and output channels of images | $\delta$ | error: gradient of the loss at a pre-activation |
#
# Weights act on the right ($x W$). Leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32).
# A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 活性化関数とその傾き
#
# 線形な層を重ねても、全体は一つの線形な層です。間に非線形な関数を挟むと、初めて層を重ねる意味が生まれます。逆伝播には傾きも要るので、値と傾きを一緒に返します。
#
# | 名前 | 値 $y$ | 傾き $dy/dx$ |
# |---|---|---|
# | `sigmoid` | $\sigma(x) = 1 / (1 + e^{-x})$ | $\sigma(x)\,(1 - \sigma(x))$ |
# | `tanh` | $\tanh x$ | $1 - \tanh^2 x$ |
# | `relu` | $\max(x, 0)$ | $x > 0$ なら 1、そうでなければ 0 |
# | `leaky_relu` | $x > 0$ なら $x$、そうでなければ $0.01x$ | $x > 0$ なら 1、そうでなければ 0.01 |
#
# **例**。$\sigma(0) = 0.5$ なので、傾きは $0.5 \times 0.5 = 0.25$。これがシグモイドの傾きの最大値です。$L$ 層を通ると、傾きの積は大きくても $0.25^L$ です。5 層で 0.001 を下回り、**勾配消失**の原因になります。
#
# $x = -1000$ のとき $e^{-x}$ は溢れます。$|x|$ を使って、溢れない形に書き直しましょう。
#
# > **よくある間違い** $\sigma' = y(1-y)$ は**出力** $y$ で書いた式です。入力 $x$ を使って $x(1-x)$ とすると、$x = 0$ での傾きが 0 になってしまいます。

# %% [markdown] lang="en"
# ## Activations and their slopes
#
# Linear layers, however many, make one linear layer. A non-linear function between them is what gives depth a meaning. Back-propagation needs the slope too, so return both.
#
# | name | value $y$ | slope $dy/dx$ |
# |---|---|---|
# | `sigmoid` | $\sigma(x) = 1 / (1 + e^{-x})$ | $\sigma(x)\,(1 - \sigma(x))$ |
# | `tanh` | $\tanh x$ | $1 - \tanh^2 x$ |
# | `relu` | $\max(x, 0)$ | 1 where $x > 0$, else 0 |
# | `leaky_relu` | $x$ where $x > 0$, else $0.01x$ | 1 where $x > 0$, else 0.01 |
#
# **Example.** $\sigma(0) = 0.5$, so the slope there is $0.5 \times 0.5 = 0.25$: the largest slope that a sigmoid has. Through $L$ layers the product of slopes is at most $0.25^L$, below 0.001 at five: a cause of **vanishing gradients**.
#
# At $x = -1000$, $e^{-x}$ overflows. Write the formula in a form that does not, with $|x|$.
#
# > **Common mistake** $\sigma' = y(1-y)$ is written in the **output** $y$. Written with the input, $x(1-x)$, the slope at $x = 0$ would be 0.

# %% stub activation
"""活性化関数と、その傾き(要素ごと)。

Args:
    x: 活性化前の値。形は任意。
    kind: "sigmoid"、"tanh"、"relu"、"leaky_relu"(0 より下での傾きは 0.01)のいずれか。

Returns:
    y: 活性化後の値。x と同じ形。
    slope: dy/dx。x と同じ形。0 では、relu は 0、leaky_relu は 0.01 とする。
"""

# %%
activation(np.array([-2.0, 0.0, 3.0]), "relu")
# (array([0., 0., 3.]), array([0., 0., 1.]))

# %% graded activation

# %% [markdown] lang="ja"
# ## ソフトマックスと交差エントロピー
#
# スコア(ロジット)$z$ を確率 $p_k = e^{z_k} / \sum_j e^{z_j}$ に直し、正解の確率の対数に負号を付けて、バッチで平均します。
#
# $$L = -\frac1N \sum_n \log p_{n, \text{label}_n}, \qquad \frac{\partial L}{\partial z} = \frac{p - \text{one-hot}}{N}$$
#
# 勾配は「確率 − 正解」という、とても簡単な形になります。
#
# **例**。$z = (0, 0, 0)$、正解が 1 なら、$p = (\tfrac13, \tfrac13, \tfrac13)$、損失は $\log 3 \approx 1.0986$、勾配は $(\tfrac13, -\tfrac23, \tfrac13)$ です。各行の和は必ず 0 になります。
#
# 対数は **log-softmax** $z_k - \log \sum_j e^{z_j}$ として求めます。先に最大値を引けば、スコアが 1000 でも溢れません(同じ数を引いても確率は変わりません)。
#
# > **よくある間違い** `log(p + 1e-7)` とすると、損失は 16.1 で頭打ちになり、どこでも少しずれます。log の中には何も足しません。

# %% [markdown] lang="en"
# ## Softmax and cross-entropy
#
# Turn the scores (logits) $z$ into probabilities $p_k = e^{z_k} / \sum_j e^{z_j}$; the loss is minus the logarithm of the right class's, averaged over the batch.
#
# $$L = -\frac1N \sum_n \log p_{n, \text{label}_n}, \qquad \frac{\partial L}{\partial z} = \frac{p - \text{one-hot}}{N}$$
#
# The gradient is as simple as can be: probability minus truth.
#
# **Example.** With $z = (0, 0, 0)$ and label 1, $p = (\tfrac13, \tfrac13, \tfrac13)$, the loss is $\log 3 \approx 1.0986$ and the gradient $(\tfrac13, -\tfrac23, \tfrac13)$. Every row of it sums to 0.
#
# Take the logarithm as **log-softmax**, $z_k - \log \sum_j e^{z_j}$, with the maximum subtracted first: then scores of 1000 do not overflow (a common shift leaves the probabilities alone).
#
# > **Common mistake** `log(p + 1e-7)` caps the loss at 16.1 and is a little wrong everywhere. Nothing is added inside the log.

# %% stub softmax_cross_entropy
"""ソフトマックスの交差エントロピー(バッチ平均)と、その勾配。

Args:
    logits: スコア、(N, K)。
    labels: クラス、(N,)。

Returns:
    loss: -1/N Σ_n log softmax(logits)[n, label]。
    dlogits: (softmax(logits) - one-hot) / N、(N, K)。
"""

# %%
softmax_cross_entropy(np.zeros((1, 3)), np.array([1]))
# (1.0986..., array([[ 0.333..., -0.666...,  0.333...]]))

# %% graded softmax_cross_entropy

# %% [markdown] lang="ja"
# ## 誤差逆伝播法
#
# 2 層のネットワークは、順に $u = xW_1 + b_1$、$h = f(u)$、$z = hW_2 + b_2$ と計算します。勾配は**出力側から**求めます。手前の層の誤差は、後ろの層の誤差を使い回して計算できるので、同じ計算を繰り返さずに済みます。
#
# $$\delta_2 = \frac{p - \text{one-hot}}{N}, \qquad \delta_1 = (\delta_2 W_2^\top) \odot f'(u), \qquad dW = (\text{その層の入力})^\top \delta, \qquad db = \sum_n \delta$$
#
# **例**。$x = (1)$、$W_1 = (2)$、$b_1 = 0$、$f$ は ReLU、$W_2 = (1, 0)$、$b_2 = 0$、正解が 1 のとき。$u = h = 2$、$z = (2, 0)$、$p \approx (0.881, 0.119)$。
# $\delta_2 \approx (0.881, -0.881)$ なので、$dW_2 = h\,\delta_2 \approx (1.762, -1.762)$、$\delta_1 = 0.881 \times 1 \approx 0.881$、$dW_1 = x\,\delta_1 \approx 0.881$ です。
#
# > **よくある間違い** $\delta_2$ にはもう $1/N$ が入っています。バイアスの勾配は平均ではなく**和**です。また、$W$ の更新に使うのは、その $W$ 自身の勾配です。

# %% [markdown] lang="en"
# ## Back-propagation
#
# A network of two layers computes $u = xW_1 + b_1$, $h = f(u)$, $z = hW_2 + b_2$. Gradients are found **from the output backwards**: the error of a layer is made from that of the layer behind it, so that nothing is computed twice.
#
# $$\delta_2 = \frac{p - \text{one-hot}}{N}, \qquad \delta_1 = (\delta_2 W_2^\top) \odot f'(u), \qquad dW = (\text{the layer's input})^\top \delta, \qquad db = \sum_n \delta$$
#
# **Example.** $x = (1)$, $W_1 = (2)$, $b_1 = 0$, $f$ ReLU, $W_2 = (1, 0)$, $b_2 = 0$, label 1. Then $u = h = 2$, $z = (2, 0)$, $p \approx (0.881, 0.119)$.
# With $\delta_2 \approx (0.881, -0.881)$: $dW_2 = h\,\delta_2 \approx (1.762, -1.762)$, $\delta_1 = 0.881 \times 1 \approx 0.881$ and $dW_1 = x\,\delta_1 \approx 0.881$.
#
# > **Common mistake** $1/N$ is already inside $\delta_2$: the gradient of a bias is a **sum**, not a mean. And each $W$ is updated with its own gradient.

# %% stub mlp_loss
"""2 層パーセプトロンの損失と、誤差逆伝播法による勾配。

Args:
    x: 入力、(N, D)。
    labels: クラス、(N,)。
    W1: (D, H)。
    b1: (H,)。
    W2: (H, K)。
    b2: (K,)。
    kind: 中間層の活性化関数。

Returns:
    loss: 交差エントロピーの平均。
    dW1: xᵀ δ1、(D, H)。
    db1: Σ_n δ1、(H,)。
    dW2: hᵀ δ2、(H, K)。
    db2: Σ_n δ2、(K,)。
"""

# %%
one = np.ones((1, 1))
mlp_loss(one, np.array([1]), 2 * one, np.zeros(1), np.array([[1.0, 0.0]]), np.zeros(2))
# loss 2.1269..., dW1 0.8808, db1 0.8808, dW2 [1.7616, -1.7616], db2 [0.8808, -0.8808]

# %% graded mlp_loss

# %% [markdown] lang="ja"
# ## 重みの初期値
#
# すべて 0 から始めると、どの中間ユニットも同じ勾配を受け取り、いつまでも同じままです。乱数で始め、信号の分散が層を通っても変わらないように、標準偏差を選びます。
#
# | 名前 | 分散 | 向く活性化関数 |
# |---|---|---|
# | `lecun` | $1/\text{fan\_in}$ | (基本形) |
# | `xavier` | $2/(\text{fan\_in} + \text{fan\_out})$ | tanh、シグモイド |
# | `he` | $2/\text{fan\_in}$ | ReLU(半分が 0 になる分を補う) |
#
# **例**。fan_in = 3、fan_out = 5 なら、Xavier の分散は $2/8 = 0.25$、標準偏差は 0.5 です。
#
# > **よくある間違い** 式が与えるのは**分散**です。乱数に掛けるのは、その平方根(標準偏差)です。なお「$1/\sqrt n$」とだけ書かれることのある Xavier は簡略形で、論文の式は入力数と出力数の両方を含みます。

# %% [markdown] lang="en"
# ## Initial values
#
# Started at 0, all hidden units receive the same gradient and stay equal for ever. So start at random, with a deviation that keeps the variance of the signal from layer to layer.
#
# | name | variance | suits |
# |---|---|---|
# | `lecun` | $1/\text{fan\_in}$ | (the plain form) |
# | `xavier` | $2/(\text{fan\_in} + \text{fan\_out})$ | tanh, sigmoid |
# | `he` | $2/\text{fan\_in}$ | ReLU (makes up for the half that becomes 0) |
#
# **Example.** With fan_in = 3 and fan_out = 5, Xavier's variance is $2/8 = 0.25$, the deviation 0.5.
#
# > **Common mistake** The formulas give a **variance**; the draws are multiplied by its root. And "$1/\sqrt n$" for Xavier is a simplified form: the paper's formula holds both fans.

# %% stub init_weights
"""層から層へ信号の分散を保つ、重みの初期値。

Args:
    draws: 標準正規乱数、(D, H)。D が fan_in、H が fan_out。
    kind: "lecun"、"xavier"、"he" のいずれか。

Returns:
    (D, H): √分散 · draws。分散は 1/fan_in(lecun)、2/(fan_in + fan_out)(xavier)、2/fan_in(he)。
"""

# %%
init_weights(np.ones((3, 5)), "xavier")[0, 0]
# 0.5

# %% graded init_weights

# %% [markdown] lang="ja"
# ## 最適化手法
#
# 勾配 $g$ は損失が**増える**向きです。そこで逆に進みます。どの関数も、新しい重みと、次の一歩に渡す状態を返します。
#
# | 手法 | 状態 | 一歩 |
# |---|---|---|
# | SGD | なし | $w \leftarrow w - \eta g$ |
# | モメンタム | $v \leftarrow \mu v - \eta g$ | $w \leftarrow w + v$ |
# | AdaGrad | $h \leftarrow h + g^2$ | $w \leftarrow w - \eta g / (\sqrt h + \varepsilon)$ |
# | RMSProp | $h \leftarrow \rho h + (1 - \rho) g^2$ | $w \leftarrow w - \eta g / (\sqrt h + \varepsilon)$ |
# | Adam | $m \leftarrow \beta_1 m + (1 - \beta_1) g,\ \ v \leftarrow \beta_2 v + (1 - \beta_2) g^2$ | $w \leftarrow w - \eta\, \hat m / (\sqrt{\hat v} + \varepsilon)$ |
#
# ![谷を進む三つの軌跡](descent.svg)
#
# - **モメンタム**は、同じ向きの勾配が続くと加速します。一定の $g$ のもとで一歩は $\eta g/(1-\mu)$ まで伸び、$\mu = 0.9$ なら SGD の 10 倍です。
# - **AdaGrad** は、動いた軸ほど歩幅を縮めます。足し続けるので、歩幅は減るばかりです。**RMSProp** は過去を忘れて、これを防ぎます。
# - **Adam** は両方を合わせます。$m, v$ は 0 から始まるので、最初のうちは小さすぎます。$\hat m = m/(1-\beta_1^t)$、$\hat v = v/(1-\beta_2^t)$ と補正します($t$ は 1 から)。
#
# $\varepsilon$ は根号の**外**で足します。Adam が返す $m, v$ は、補正**前**のものです。
#
# **例**(Adam の 1 歩目、$g = 5$)。$m = 0.1 \cdot 5 = 0.5$、$\hat m = 0.5/0.1 = 5$。$v = 0.001 \cdot 25$、$\hat v = 25$。歩幅は $\eta \cdot 5/\sqrt{25} = \eta$。勾配が 5 でも 0.05 でも、最初の一歩の長さは $\eta$ です。

# %% [markdown] lang="en"
# ## Optimisers
#
# The gradient $g$ points where the loss **grows**, so go the other way. Each function returns the new weights and the state that the next step needs.
#
# | method | state | step |
# |---|---|---|
# | SGD | none | $w \leftarrow w - \eta g$ |
# | momentum | $v \leftarrow \mu v - \eta g$ | $w \leftarrow w + v$ |
# | AdaGrad | $h \leftarrow h + g^2$ | $w \leftarrow w - \eta g / (\sqrt h + \varepsilon)$ |
# | RMSProp | $h \leftarrow \rho h + (1 - \rho) g^2$ | $w \leftarrow w - \eta g / (\sqrt h + \varepsilon)$ |
# | Adam | $m \leftarrow \beta_1 m + (1 - \beta_1) g,\ \ v \leftarrow \beta_2 v + (1 - \beta_2) g^2$ | $w \leftarrow w - \eta\, \hat m / (\sqrt{\hat v} + \varepsilon)$ |
#
# ![Three paths through a valley](descent.svg)
#
# - **Momentum** gathers speed while gradients agree: under a constant $g$ a step grows to $\eta g/(1-\mu)$, ten times that of SGD for $\mu = 0.9$.
# - **AdaGrad** shortens the steps of axes that have moved much. As it only adds up, its steps can only shrink; **RMSProp** forgets the past and so prevents it.
# - **Adam** joins the two. As $m, v$ start at 0 they are too small at first: correct them, $\hat m = m/(1-\beta_1^t)$, $\hat v = v/(1-\beta_2^t)$, with $t$ from 1.
#
# $\varepsilon$ is added **outside** the root. The $m, v$ that Adam returns are those **before** the correction.
#
# **Example** (Adam's first step, $g = 5$). $m = 0.1 \cdot 5 = 0.5$, $\hat m = 0.5/0.1 = 5$; $v = 0.001 \cdot 25$, $\hat v = 25$. The step is $\eta \cdot 5/\sqrt{25} = \eta$: whether the gradient is 5 or 0.05, the first step has the length $\eta$.

# %% stub sgd_step
"""勾配降下法の一歩。

Args:
    w: パラメータ。形は任意。
    grad: 勾配。w と同じ形。
    lr: 学習率 η。

Returns:
    w - η g。
"""

# %%
sgd_step(np.array([1.0]), np.array([0.5]), 0.1)
# array([0.95])

# %% graded sgd_step

# %% stub momentum_step
"""モメンタムの一歩。

Args:
    w: パラメータ。形は任意。
    grad: 勾配。w と同じ形。
    velocity: 一歩の前の速度。w と同じ形。
    lr: 学習率 η。
    momentum: μ。

Returns:
    w: w + v'。
    velocity: v' = μ v - η g。
"""

# %%
momentum_step(np.array([1.0]), np.array([0.5]), np.array([0.1]), 0.1)
# (array([1.04]), array([0.04]))

# %% graded momentum_step

# %% stub adagrad_step
"""AdaGrad の一歩。

Args:
    w: パラメータ。形は任意。
    grad: 勾配。w と同じ形。
    squares: それまでの勾配の 2 乗の和。w と同じ形。
    lr: 学習率 η。
    eps: 根号の外で足す数。

Returns:
    w: w - η g / (√h' + ε)。
    squares: h' = h + g²。
"""

# %%
adagrad_step(np.array([1.0]), np.array([3.0]), np.array([16.0]), 0.1)
# (array([0.94]), array([25.]))

# %% graded adagrad_step

# %% stub rmsprop_step
"""RMSProp の一歩。

Args:
    w: パラメータ。形は任意。
    grad: 勾配。w と同じ形。
    squares: それまでの勾配の 2 乗の減衰平均。w と同じ形。
    lr: 学習率 η。
    rho: 過去をどれだけ残すか、ρ。
    eps: 根号の外で足す数。

Returns:
    w: w - η g / (√h' + ε)。
    squares: h' = ρ h + (1 - ρ) g²。
"""

# %%
rmsprop_step(np.array([1.0]), np.array([1.0]), np.array([1.0]), 0.1)
# (array([0.9]), array([1.]))

# %% graded rmsprop_step

# %% stub adam_step
"""Adam の一歩。

    m' = β1 m + (1 - β1) g,   m̂ = m' / (1 - β1ᵗ)
    v' = β2 v + (1 - β2) g²,  v̂ = v' / (1 - β2ᵗ)

Args:
    w: パラメータ。形は任意。
    grad: 勾配。w と同じ形。
    m: 一歩の前の 1 次モーメント。w と同じ形。
    v: 一歩の前の 2 次モーメント。w と同じ形。
    t: 何歩目か。1 から数える。
    lr: 学習率 η。
    beta1: 1 次モーメントの減衰率。
    beta2: 2 次モーメントの減衰率。
    eps: 根号の外で足す数。

Returns:
    w: w - η m̂ / (√v̂ + ε)。
    m: m'。補正前のもの。
    v: v'。補正前のもの。
"""

# %%
adam_step(np.array([1.0]), np.array([5.0]), np.zeros(1), np.zeros(1), 1, 0.1)
# (array([0.9]), array([0.5]), array([0.025]))

# %% graded adam_step

# %% [markdown] lang="ja"
# ## 畳み込み
#
# 長さ $n$ の軸の両側に $p$ 個ずつ 0 を付け、$k$ 個のセルが $d$ 間隔で並ぶカーネル(端から端まで $d(k-1)+1$)を $s$ 歩ごとに置きます。置ける位置の数が出力の大きさです。
#
# $$\left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# **例**。$n = 7, k = 3, s = 2, p = 0$ なら $\lfloor 4/2 \rfloor + 1 = 3$。$n = 6$ なら $\lfloor 3/2 \rfloor + 1 = 2$ で、半端な位置には置けないので**切り捨て**です。
#
# ![4×4 の画像の 2×2 のパッチを行に並べる](im2col.svg)
#
# **im2col** は、カーネルの下に来るパッチを 1 行ずつに並べます。すると畳み込みは一度の行列積になります。行は(画像、縦、横)、列は(チャネル、縦、横)の順です。
# 代わりに配列は $K^2$ 倍に膨らみます。$(1, 64, 224, 224)$ の画像に $K = 3$ なら、float64 で 231 MB です。
#
# ニューラルネットワークの「畳み込み」はカーネルを反転しない**相互相関**です。行列積の結果は(画像、縦、横、チャネル)の順なので、`transpose` で軸を入れ替えます。

# %% [markdown] lang="en"
# ## Convolution
#
# Pad an axis of length $n$ with $p$ zeros on both sides and place a kernel of $k$ cells, $d$ apart (it reaches over $d(k-1)+1$), every $s$ steps. The number of places is the size of the output.
#
# $$\left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# **Example.** $n = 7, k = 3, s = 2, p = 0$ gives $\lfloor 4/2 \rfloor + 1 = 3$; $n = 6$ gives $\lfloor 3/2 \rfloor + 1 = 2$: the kernel does not fit at the leftover place, hence the **floor**.
#
# ![The 2×2 patches of a 4×4 image as rows](im2col.svg)
#
# **im2col** lists the patches under the kernel, one a row; then a convolution is a single product of matrices. Rows run over image, row, column; columns over channel, row, column.
# The price is an array $K^2$ times as large: for images $(1, 64, 224, 224)$ and $K = 3$, 231 MB in float64.
#
# What networks call convolution is **cross-correlation**: the kernel is not flipped. The product comes out as image, row, column, channel, so its axes are put right with `transpose`.

# %% stub conv_out_size
"""一つの軸で、カーネルを置ける位置の数。

Args:
    size: 入力の大きさ。
    kernel: カーネルの大きさ。
    stride: 位置の間隔。
    padding: **両側に**付ける 0 の数。
    dilation: カーネルのセルの間隔。

Returns:
    ⌊(size + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1。
"""

# %%
conv_out_size(7, 3, stride=2), conv_out_size(6, 3, stride=2)
# (3, 2)

# %% graded conv_out_size

# %% stub im2col
"""カーネルの下のパッチを行に並べたもの。畳み込みが一度の積になる。

Args:
    x: 画像、(N, C, H, W)。
    kernel: カーネルの大きさ K。
    stride: 位置の間隔。
    padding: 両側に付ける 0 の数。

Returns:
    (N·H_out·W_out, C·K·K): 行は画像・縦・横の順、要素はチャネル・縦・横の順。
"""

# %%
im2col(np.arange(9.0).reshape(1, 1, 3, 3), 2)
# array([[0., 1., 3., 4.], [1., 2., 4., 5.], [3., 4., 6., 7.], [4., 5., 7., 8.]])

# %% graded im2col

# %% stub conv2d
"""ネットワークの意味での畳み込み(相互相関。カーネルは反転しない)。

Args:
    x: 画像、(N, C, H, W)。
    w: カーネル、(M, C, K, K)。
    b: 出力チャネルごとに一つのバイアス、(M,)。
    stride: 位置の間隔。
    padding: 両側に付ける 0 の数。

Returns:
    (N, M, H_out, W_out)。
"""

# %%
conv2d(np.arange(9.0).reshape(1, 1, 3, 3), np.array([[[[1.0, 0], [0, -1]]]]), np.array([10.0]))
# array([[[[6., 6.], [6., 6.]]]])

# %% graded conv2d

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - シグモイドの傾きの最大値は 0.25($x = 0$)。層を重ねると傾きの積が指数的に小さくなる(勾配消失)。重みと傾きの積が 1 を超えれば、逆に指数的に大きくなる(勾配爆発)。
# - ソフトマックスと交差エントロピーを合わせた勾配は $(p - \text{one-hot})/N$。
# - ReLU には He、tanh・シグモイドには Xavier。初期値をすべて 0 にすると、ユニットの対称性が破れない。
# - 各最適化手法の式と違い。AdaGrad は歩幅が減り続け、RMSProp は減衰平均、Adam はモメンタムと RMSProp にバイアス補正を加えたもの。
# - 出力サイズの式と切り捨て。「same」パディングは、$k$ が奇数でストライド 1 なら $p = d(k-1)/2$。
# - 畳み込み層のパラメータ数は $(K^2 C + 1) M$。全結合層 $D \to H$ は $(D + 1) H$。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - The largest slope of the sigmoid is 0.25, at $x = 0$; products of slopes shrink exponentially with depth (vanishing gradients), and grow exponentially where weight times slope exceeds 1 (exploding gradients).
# - Softmax with cross-entropy has the gradient $(p - \text{one-hot})/N$.
# - He for ReLU, Xavier for tanh and sigmoid. With all initial values 0 the units stay symmetric.
# - The formulas of the optimisers and what tells them apart: AdaGrad's steps only shrink, RMSProp takes a decayed mean, Adam is momentum and RMSProp with a correction of the bias.
# - The formula of the output size, with its floor; "same" padding is $p = d(k-1)/2$ for odd $k$ and stride 1.
# - A convolution layer has $(K^2 C + 1) M$ parameters, a dense layer $D \to H$ has $(D + 1) H$.
