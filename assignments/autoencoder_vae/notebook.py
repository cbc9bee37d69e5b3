# %% [markdown] lang="ja"
# # 自己符号化器と VAE
#
# 自己符号化器(オートエンコーダ, autoencoder)は、**入力そのものを正解**として学習するネットワークです。ラベルが要らないので、教師なし学習です。
# エンコーダ(encoder)が入力 $x$ を潜在変数 $z$ に写し、デコーダ(decoder)が $z$ から $x$ を復元します。MNIST の 28×28 = 784 画素を 32 個の数に縮めて戻す、といった使い方をします。
#
# ![入力を符号にし、符号から復元する。雑音除去型では、汚した入力から、汚す前の入力を復元する](hourglass.svg)
#
# 学習の後に使うのは、多くの場合、復元されたものではなく**符号 $z$ や学習した重み**です。用途は、特徴抽出、次元削減、雑音除去、ネットワークの初期値(事前学習)、異常検知(復元誤差が大きいものを異常とみなす)などです。
#
# > **よくある間違い** 次元削減になるのは、中間層が入力より**小さい**ときです。中間層が大きければ、入力をそのまま写すだけの恒等写像も学習できてしまいます。それを防ぐのが、これから作るスパース化や雑音です。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | サンプル数 | $\rho, \hat\rho_j$ | 目標の活性、ユニット $j$ の平均活性 |
# | $D$ | 入力の次元 | $\mu, \log\sigma^2$ | エンコーダが出す平均と対数分散(`mu`, `logvar`) |
# | $H, Z$ | 中間層、潜在変数の次元 | $\varepsilon$ | 標準正規分布の雑音(`noise`) |
#
# **約束**: 渡された配列を書き換えないでください。計算は float64 で行います(float32 の配列や数で返したときは、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。乱数はすべて引数で渡されます。

# %% [markdown] lang="en"
# # Autoencoders and the VAE
#
# An autoencoder is a network whose **target is its own input**. As it needs no labels, its learning is unsupervised.
# An encoder maps the input $x$ to a latent variable $z$, a decoder restores $x$ from $z$: say, the 28×28 = 784 pixels of MNIST become 32 numbers, and pixels again.
#
# ![An input becomes a code and is restored from it; the denoising kind restores the clean input from a corrupted one](hourglass.svg)
#
# What is used after training is mostly not what was restored but **the code $z$ and the learned weights**: for features, dimension reduction, denoising, initial weights of a network (pre-training), or detection of anomalies (whatever is restored badly).
#
# > **Common mistake** It reduces dimensions only if the hidden layer is **smaller** than the input. With a larger one, the identity can be learned, which copies the input. Sparsity and noise, both built below, prevent that.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | samples | $\rho, \hat\rho_j$ | target activation, mean activation of unit $j$ |
# | $D$ | inputs | $\mu, \log\sigma^2$ | mean and log variance from the encoder (`mu`, `logvar`) |
# | $H, Z$ | hidden units, latent dimensions | $\varepsilon$ | noise from a standard normal (`noise`) |
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (arrays and numbers that come back in float32 are compared within the tolerance of float32). A call may take 2 seconds. All random numbers are arguments.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# 次の二つの関数は、使ってかまいません。大きなスコアでも溢れません。

# %% [markdown] lang="en"
# You may use the next two functions. Neither overflows on large scores.

# %% given sigmoid
"""要素ごとに、対数オッズ x の確率: 1 / (1 + exp(-x))。"""

# %% given softplus
"""要素ごとに、滑らかな max(x, 0): log(1 + exp(x))。"""

# %% [markdown] lang="ja"
# ## スパース自己符号化器
#
# 中間層が大きくても、**一度に少しのユニットしか発火しない**ようにすれば、丸写しはできません。シグモイドのユニット $j$ のバッチ平均 $\hat\rho_j = \frac1N \sum_n h_{nj}$ を、小さな目標 $\rho$(たとえば 0.05)に近づける正則化項を損失に足します。
# 「確率 $\rho$ で発火するコイン」と「確率 $\hat\rho_j$ で発火するコイン」の KL ダイバージェンスです。
#
# $$\sum_j \mathrm{KL}(\rho \| \hat\rho_j) = \sum_j \left[\rho \log\frac{\rho}{\hat\rho_j} + (1-\rho) \log\frac{1-\rho}{1-\hat\rho_j}\right], \qquad
# \frac{\partial}{\partial h_{nj}} = \frac1N\left(-\frac{\rho}{\hat\rho_j} + \frac{1-\rho}{1-\hat\rho_j}\right)$$
#
# ユニットについては**和**、$\hat\rho_j$ はユニットごとの**バッチ平均**です。重み λ は掛けません。log の中には何も足しません。
#
# **手で計算**: $\rho = 0.25$、1 ユニットの活性が $0.25, 0.75$ なら $\hat\rho = 0.5$。値は $0.25 \log 0.5 + 0.75 \log 1.5 = -0.1733 + 0.3041 = 0.1308$。勾配はどちらのサンプルも $\frac12(-0.5 + 1.5) = 0.5$ です。
#
# > **よくある間違い** この正則化で減るのは**平均活性**で、ユニットの数ではありません。KL は対称でないので、$\rho$ と $\hat\rho$ を入れ替えると別のものになります。

# %% [markdown] lang="en"
# ## Sparse autoencoder
#
# However many hidden units there are, they cannot just copy if **only a few fire at a time**. For sigmoid units, a penalty draws the batch mean $\hat\rho_j = \frac1N \sum_n h_{nj}$ of each unit to a small target $\rho$ (0.05, say).
# It is the KL divergence of a coin that fires with probability $\rho$ from one that fires with $\hat\rho_j$.
#
# $$\sum_j \mathrm{KL}(\rho \| \hat\rho_j) = \sum_j \left[\rho \log\frac{\rho}{\hat\rho_j} + (1-\rho) \log\frac{1-\rho}{1-\hat\rho_j}\right], \qquad
# \frac{\partial}{\partial h_{nj}} = \frac1N\left(-\frac{\rho}{\hat\rho_j} + \frac{1-\rho}{1-\hat\rho_j}\right)$$
#
# It is a **sum** over units, and $\hat\rho_j$ is each unit's **mean over the batch**. There is no weight λ, and nothing is added inside the log.
#
# **By hand**: with $\rho = 0.25$ and one unit whose activations are $0.25, 0.75$, $\hat\rho = 0.5$. The value is $0.25 \log 0.5 + 0.75 \log 1.5 = -0.1733 + 0.3041 = 0.1308$; the gradient is $\frac12(-0.5 + 1.5) = 0.5$ for both samples.
#
# > **Common mistake** The penalty lowers the **mean activation**, not the number of units. And KL is not symmetric: $\rho$ and $\hat\rho$ may not change places.

# %% stub sparsity_penalty
"""平均活性が小さな目標からどれだけ離れているかと、その勾配。

Args:
    hidden: (0, 1) の活性、(N, H)。
    target_rate: (0, 1) の ρ。

Returns:
    value: Σ_j KL(ρ‖ρ̂_j)。ρ̂_j はユニット j のバッチ平均。
    gradient: ∂value/∂hidden、(N, H): (1/N)(-ρ/ρ̂_j + (1-ρ)/(1-ρ̂_j))。どのサンプルでも同じ。
"""

# %%
value, gradient = sparsity_penalty(np.array([[0.25], [0.75]]), 0.25)
print(round(value, 4), gradient.ravel())  # 0.1308 [0.5 0.5]

# %% graded sparsity_penalty

# %% [markdown] lang="ja"
# ## 雑音除去自己符号化器
#
# 雑音除去(denoising)自己符号化器は、**汚した入力** $\tilde x$ から**元のきれいな** $x$ を復元します。丸写しでは答えられないので、画素どうしの関係を学ぶしかありません。
# ここではマスキング雑音を使います。$u \ge \mathrm{drop}$ の画素を残し、ほかを 0 にします(ドロップアウトと違い、残した値を $1/(1-\mathrm{drop})$ 倍しません)。
# デコーダの重みはエンコーダの転置 $W^\top$ です(**重み共有**, tied weights)。
#
# $$\tilde x = x \odot [u \ge \mathrm{drop}], \quad h = \sigma(\tilde x W + b_h), \quad a = h W^\top + b_v, \quad L = \frac1N \sum_n \sum_d \left[\mathrm{softplus}(a) - x\,a\right]$$
#
# 損失は $\sigma(a)$ ときれいな $x$ の交差エントロピー $-x \log\sigma(a) - (1-x)\log(1-\sigma(a))$ です。$-\log\sigma(a) = \mathrm{softplus}(a) - a$、$-\log(1-\sigma(a)) = \mathrm{softplus}(a)$ を代入すると、上の式になります。
#
# $$\delta_a = \frac{\sigma(a) - x}{N}, \quad \delta_h = (\delta_a W) \odot h \odot (1-h), \quad dW = \tilde x^\top \delta_h + \delta_a^\top h, \quad db_h = \sum_n \delta_h, \quad db_v = \sum_n \delta_a$$
#
# $W$ は**二か所**で使われるので、$dW$ は二つの項の和です。
#
# **手で計算**: $x = (1, 0)$、$u = (0.2, 0.7)$、drop $= 0.5$、$W = (1, -1)^\top$、バイアス 0。最初の画素が消えて $\tilde x = (0, 0)$、$h = 0.5$、$a = (0.5, -0.5)$。
# $L = (0.9741 - 0.5) + 0.4741 = 0.9482$、$\delta_a = (-0.3775, 0.3775)$、$\delta_h = (-0.3775 - 0.3775) \times 0.25 = -0.1888$、$dW = 0 + 0.5\,\delta_a = (-0.1888, 0.1888)$ です。
#
# > **よくある間違い** 入力も正解も同じデータなのは、普通の自己符号化器です。雑音除去型では、入力が汚したもの、正解が**きれいな**ものです。

# %% [markdown] lang="en"
# ## Denoising autoencoder
#
# A denoising autoencoder reads a **corrupted** input $\tilde x$ and is to restore the **clean** $x$. Copying does not answer that, so it must learn how pixels depend on each other.
# The noise here masks: pixels with $u \ge \mathrm{drop}$ are kept, the others become 0 (unlike dropout, what is kept is not multiplied by $1/(1-\mathrm{drop})$).
# The decoder's weights are the encoder's transposed, $W^\top$ (**tied weights**).
#
# $$\tilde x = x \odot [u \ge \mathrm{drop}], \quad h = \sigma(\tilde x W + b_h), \quad a = h W^\top + b_v, \quad L = \frac1N \sum_n \sum_d \left[\mathrm{softplus}(a) - x\,a\right]$$
#
# The loss is the cross-entropy $-x \log\sigma(a) - (1-x)\log(1-\sigma(a))$ of $\sigma(a)$ against the clean $x$, with $-\log\sigma(a) = \mathrm{softplus}(a) - a$ and $-\log(1-\sigma(a)) = \mathrm{softplus}(a)$ put in.
#
# $$\delta_a = \frac{\sigma(a) - x}{N}, \quad \delta_h = (\delta_a W) \odot h \odot (1-h), \quad dW = \tilde x^\top \delta_h + \delta_a^\top h, \quad db_h = \sum_n \delta_h, \quad db_v = \sum_n \delta_a$$
#
# $W$ is used in **two** places, so $dW$ is a sum of two terms.
#
# **By hand**: $x = (1, 0)$, $u = (0.2, 0.7)$, drop $= 0.5$, $W = (1, -1)^\top$, biases 0. The first pixel goes: $\tilde x = (0, 0)$, $h = 0.5$, $a = (0.5, -0.5)$.
# $L = (0.9741 - 0.5) + 0.4741 = 0.9482$, $\delta_a = (-0.3775, 0.3775)$, $\delta_h = (-0.3775 - 0.3775) \times 0.25 = -0.1888$, $dW = 0 + 0.5\,\delta_a = (-0.1888, 0.1888)$.
#
# > **Common mistake** Input and target are the same data in a plain autoencoder only. In a denoising one the input is corrupted and the target is **clean**.

# %% stub denoising_autoencoder_loss
"""マスキング雑音と共有した重みをもつ雑音除去自己符号化器の損失と、その勾配。

    x̃ = x ⊙ [u ≥ drop]                       汚した入力。残した値は大きくしない
    δ_a = (σ(a) - x)/N                       きれいな x と比べる
    δ_h = (δ_a W) ⊙ h ⊙ (1 - h)

Args:
    x: [0, 1] のきれいな入力、(N, D)。
    u: 一様乱数、(N, D)。
    drop: 0 にする画素の割合、0 以上 1 未満。
    W: エンコーダの重み。転置がデコーダの重み、(D, H)。
    b_hidden: 中間層のバイアス、(H,)。
    b_visible: 出力のバイアス、(D,)。

Returns:
    loss: (1/N) Σ_n Σ_d [softplus(a) - x a]。σ(a) と x の交差エントロピー。
    dW: W の二つの使用から x̃ᵀ δ_h + δ_aᵀ h、(D, H)。
    db_hidden: Σ_n δ_h、(H,)。
    db_visible: Σ_n δ_a、(D,)。
"""

# %%
x, u, W = np.array([[1.0, 0.0]]), np.array([[0.2, 0.7]]), np.array([[1.0], [-1.0]])
loss, dW, db, dc = denoising_autoencoder_loss(x, u, 0.5, W, np.zeros(1), np.zeros(2))
print(round(loss, 4), dW.ravel().round(4))  # 0.9482 [-0.1888  0.1888]
print(db.round(4), dc.round(4))  # [-0.1888] [-0.3775  0.3775]

# %% graded denoising_autoencoder_loss

# %% [markdown] lang="ja"
# ### 学習してみる(採点なし)
#
# 6 画素の模様が 4 種類あります。どの模様でも隣り合う画素は一緒に光るので、欠けた画素は残りから推測できます。

# %% [markdown] lang="en"
# ### Try it (not graded)
#
# There are four patterns of six pixels. Neighbours light up together, so a lost pixel can be told from the rest.

# %%
rng = np.random.default_rng(0)
x = np.repeat([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], 2, axis=1).astype(float)
net = [rng.normal(0, 0.1, (6, 4)), np.zeros(4), np.zeros(6)]
for step in range(2001):
    loss, *gradients = denoising_autoencoder_loss(x, rng.random(x.shape), 0.3, *net)
    net = [p - 0.3 * g for p, g in zip(net, gradients)]
    if step % 1000 == 0:
        print(step, round(float(loss), 2))
damaged = np.array([1.0, 0, 0, 0, 0, 0])
hidden = sigmoid(damaged @ net[0] + net[1])
print(sigmoid(hidden @ net[0].T + net[2]).round(2))  # the first two pixels are the brightest

# %% [markdown] lang="ja"
# ## 線形自己符号化器と PCA
#
# 活性化関数をなくし、二乗誤差で学習した $k$ ユニットの自己符号化器の最良の復元は、**主成分分析(PCA)** の第 $k$ 主成分までへの射影です。非線形の自己符号化器は、その一般化とみなせます。
#
# $$\hat x = \bar x + (x - \bar x)\, V_k V_k^\top$$
#
# $V_k$ の列は、**平均を引いた**データの右特異ベクトルのうち、特異値の大きい $k$ 本です。最後に平均を足し戻します。二乗誤差は、散布行列の小さい方から $D-k$ 個の固有値の和です。
#
# **手で計算**: 点 $(1,3), (3,5), (1,5), (3,3), (0,2), (4,6)$ の平均は $(2, 4)$。ずれの二乗和は、方向 $(1,1)/\sqrt2$ に $20$、$(1,-1)/\sqrt2$ に $4$ です。$k=1$ なら前者の直線へ射影し、$(1,5)$ と $(3,3)$ は平均 $(2,4)$ へ移ります。ほかの点は動きません。二乗誤差は $2 + 2 = 4$ です。

# %% [markdown] lang="en"
# ## The linear autoencoder is PCA
#
# Without activation functions, the best reconstruction through $k$ units in squared error is the projection on the first $k$ axes of **principal component analysis (PCA)**. A non-linear autoencoder generalises it.
#
# $$\hat x = \bar x + (x - \bar x)\, V_k V_k^\top$$
#
# The columns of $V_k$ are the right singular vectors of the **centred** data with the $k$ largest singular values; the mean is added back at the end. The squared error is the sum of the $D-k$ least eigenvalues of the scatter matrix.
#
# **By hand**: the points $(1,3), (3,5), (1,5), (3,3), (0,2), (4,6)$ have the mean $(2, 4)$. Their squared deviations sum to $20$ along $(1,1)/\sqrt2$ and to $4$ along $(1,-1)/\sqrt2$. For $k=1$ they are projected on the former: $(1,5)$ and $(3,3)$ move to the mean $(2,4)$, the others stay. The squared error is $2 + 2 = 4$.

# %% stub linear_autoencoder
"""バイアスつきの k 個の線形ユニットを通した最良の復元: k 本の主軸への射影。

Args:
    x: サンプル、(N, D)。
    k: 中間層のユニット数、1 ≤ k ≤ D。

Returns:
    (N, D): x̄ + (x - x̄) V Vᵀ。V の列は x - x̄ の右特異ベクトルのうち先頭の k 本。
"""

# %%
x = np.array([[1.0, 3.0], [3.0, 5.0], [1.0, 5.0], [3.0, 3.0], [0.0, 2.0], [4.0, 6.0]])
print(linear_autoencoder(x, 1).round(4))  # [[1 3], [3 5], [2 4], [2 4], [0 2], [4 6]]

# %% graded linear_autoencoder

# %% [markdown] lang="ja"
# ## 変分自己符号化器(VAE)
#
# 普通の自己符号化器では、潜在空間のどこに何が写るのか、その構造がわかりません。適当な $z$ を選んでデコーダに入れても、意味のある $x$ になるとは限りません。
# **VAE** は潜在変数に**確率分布**を導入した生成モデルです。エンコーダは点 $z$ ではなく、分布 $q(z|x) = N(\mu(x), \mathrm{diag}\,\sigma^2(x))$ の平均と対数分散を出します。
#
# ![q(z|x) を事前分布 p(z) = N(0, I) に引き寄せる](divergence.svg)
#
# > **よくある間違い** $N(0, I)$ は**事前分布** $p(z)$ です。$q(z|x)$ は入力ごとに違うガウス分布で、KL がそれを $N(0, I)$ へ引き寄せます。$q(z|x)$ がいつも $N(0, I)$ だったら、$z$ は $x$ について何も語りません(事後分布の崩壊, posterior collapse)。
#
# ### 再パラメータ化トリック
#
# $z \sim N(\mu, \sigma^2)$ と抽出すると、$\mu$ と $\sigma$ への勾配がそこで切れます。ランダムさを $\varepsilon \sim N(0, I)$ に押し出せば、$z$ は $\mu, \sigma$ の微分できる関数になります。
#
# $$z = \mu + \sigma \odot \varepsilon, \qquad \sigma = e^{\frac12 \log\sigma^2}$$
#
# ![抽出では勾配が切れ、再パラメータ化では μ と σ へ通る](trick.svg)
#
# エンコーダが出すのは $\sigma$ でも $\sigma^2$ でもなく $\log\sigma^2$(`logvar`)です。どんな実数でもよく、$\sigma$ は必ず正になります。
#
# **手で計算**: $\mu = 0.5$、logvar $= \log 4$、$\varepsilon = 1.5$ なら、$\sigma = 2$ で $z = 0.5 + 3 = 3.5$ です。
#
# > **よくある間違い** `mu + exp(logvar) * noise` は、標準偏差の代わりに**分散**を掛けています。

# %% [markdown] lang="en"
# ## The variational autoencoder (VAE)
#
# In a plain autoencoder the structure of the latent space is unknown: a $z$ picked at random need not decode to anything sensible.
# A **VAE** is a generative model that gives the latent variable a **probability distribution**. Its encoder returns no point $z$ but the mean and log variance of a distribution $q(z|x) = N(\mu(x), \mathrm{diag}\,\sigma^2(x))$.
#
# ![q(z|x) is drawn to the prior p(z) = N(0, I)](divergence.svg)
#
# > **Common mistake** $N(0, I)$ is the **prior** $p(z)$. $q(z|x)$ is another Gaussian for each input, which KL draws towards $N(0, I)$. Were it always $N(0, I)$, $z$ would say nothing of $x$ (posterior collapse).
#
# ### The reparameterisation trick
#
# Drawing $z \sim N(\mu, \sigma^2)$ cuts the gradient to $\mu$ and $\sigma$. With the randomness moved out to $\varepsilon \sim N(0, I)$, $z$ is a differentiable function of both.
#
# $$z = \mu + \sigma \odot \varepsilon, \qquad \sigma = e^{\frac12 \log\sigma^2}$$
#
# ![Sampling cuts the gradient; reparameterised, it passes to μ and σ](trick.svg)
#
# The encoder's answer is neither $\sigma$ nor $\sigma^2$ but $\log\sigma^2$ (`logvar`): any real number will do, and $\sigma$ is positive.
#
# **By hand**: $\mu = 0.5$, logvar $= \log 4$, $\varepsilon = 1.5$ give $\sigma = 2$ and $z = 0.5 + 3 = 3.5$.
#
# > **Common mistake** `mu + exp(logvar) * noise` multiplies by the **variance** in place of the standard deviation.

# %% stub reparameterize
"""N(μ, σ²) の標本を、μ と σ の微分できる関数として表したもの。

Args:
    mu: 平均、(N, Z)。
    logvar: log σ²、(N, Z)。
    noise: N(0, 1) から抽出した ε、(N, Z)。

Returns:
    (N, Z): μ + exp(½ logvar) ε。
"""

# %%
reparameterize(np.array([[0.5]]), np.log([[4.0]]), np.array([[1.5]]))  # [[3.5]]

# %% graded reparameterize

# %% [markdown] lang="ja"
# ### ガウス分布どうしの KL
#
# 対角共分散のガウス分布どうしの KL ダイバージェンスは、積分せずに求まります。次元について**和**をとり、サンプルごとに一つの数を返します。
#
# $$\mathrm{KL}(q \| p) = \frac12 \sum_z \left[\log\sigma_p^2 - \log\sigma_q^2 + \frac{\sigma_q^2 + (\mu_q - \mu_p)^2}{\sigma_p^2} - 1\right]$$
#
# 普通の VAE では $p = N(0, I)$ なので、$\frac12 \sum_z (\mu^2 + \sigma^2 - \log\sigma^2 - 1)$ になります。
# 対話モデル **VHRED** は、HRED(発話の列を階層的な RNN で読むモデル)に発話ごとの潜在変数を加えたものです。その事前分布は、**それまでの対話から学習した**ガウス分布 $N(\mu_p, \sigma_p^2)$ なので、四つの引数が要ります。
#
# **手で計算**: $q = N(1, 1)$、$p = N(0, 4)$ なら $\frac12(\log 4 - 0 + \frac{1 + 1}{4} - 1) = 0.4431$。逆向きの $\mathrm{KL}(p \| q)$ は $\frac12(0 - \log 4 + 4 + 1 - 1) = 1.3069$ で、KL は対称ではありません。

# %% [markdown] lang="en"
# ### KL of two Gaussians
#
# The KL divergence of Gaussians with diagonal covariance needs no integral. It is a **sum** over the dimensions, one number for each sample.
#
# $$\mathrm{KL}(q \| p) = \frac12 \sum_z \left[\log\sigma_p^2 - \log\sigma_q^2 + \frac{\sigma_q^2 + (\mu_q - \mu_p)^2}{\sigma_p^2} - 1\right]$$
#
# In an ordinary VAE $p = N(0, I)$, and this is $\frac12 \sum_z (\mu^2 + \sigma^2 - \log\sigma^2 - 1)$.
# The dialogue model **VHRED** adds to HRED (a hierarchy of RNNs that reads a sequence of utterances) a latent variable for each utterance. Its prior is a Gaussian $N(\mu_p, \sigma_p^2)$ **learned from the dialogue so far**; hence four arguments.
#
# **By hand**: $q = N(1, 1)$, $p = N(0, 4)$ give $\frac12(\log 4 - 0 + \frac{1 + 1}{4} - 1) = 0.4431$. The other way round, $\mathrm{KL}(p \| q) = \frac12(0 - \log 4 + 4 + 1 - 1) = 1.3069$: KL is not symmetric.

# %% stub gaussian_kl
"""対角共分散のガウス分布どうしの KL ダイバージェンス KL(q‖p)。

Args:
    mu_q: q の平均、(N, Z)。
    logvar_q: q の対数分散、(N, Z)。
    mu_p: p の平均、(N, Z)。
    logvar_p: p の対数分散、(N, Z)。

Returns:
    (N,): ½ Σ_z [log σ_p² - log σ_q² + (σ_q² + (μ_q - μ_p)²)/σ_p² - 1]。0 以上。
"""

# %%
zero, one, log4 = np.array([[0.0]]), np.array([[1.0]]), np.log([[4.0]])
print(gaussian_kl(one, zero, zero, log4).round(4))  # [0.4431]
print(gaussian_kl(zero, log4, one, zero).round(4))  # [1.3069]

# %% graded gaussian_kl

# %% [markdown] lang="ja"
# ### 損失: 変分下限(ELBO)の符号を変えたもの
#
# 対数尤度 $\log p(x)$ は直接には計算できません。代わりに、その**下限** ELBO を最大化します。
#
# $$\log p(x) \ge E_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x) \| p(z))$$
#
# 損失は符号を変えて最小化します。β = 1 で −ELBO、β を変えたものが **β-VAE** です。
#
# $$L = R + \beta K, \quad R = \frac1N \sum_n \sum_d \left[\mathrm{softplus}(a) - x\,a\right], \quad K = \frac1N \sum_n \mathrm{KL}(q(z|x_n) \| N(0, I))$$
#
# - $a$ はデコーダの出力 `logits`、$x$ は $[0, 1]$ の画素です。$R$ も $K$ も、次元については**和**、バッチについては**平均**です。$D$ や $Z$ では割りません。
# - β は **KL** に掛かります。β > 1 だと潜在変数の各次元が独立した意味をもちやすくなりますが、復元は悪くなります。大きすぎると、事後分布が崩壊します。
# - ロジットが ±1500 でも溢れないように計算します。
#
# **手で計算**: $x = (1, 0)$、logits $= (0, 0)$、$\mu = 1$、logvar $= 0$、β = 2 なら、$R = 2\log 2 = 1.3863$、$K = \frac12(1 + 1 - 0 - 1) = 0.5$、$L = 1.3863 + 2 \times 0.5 = 2.3863$ です。

# %% [markdown] lang="en"
# ### The loss: minus the evidence lower bound (ELBO)
#
# The log-likelihood $\log p(x)$ is out of reach. A **lower bound** of it, the ELBO, is maximised in its place.
#
# $$\log p(x) \ge E_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x) \| p(z))$$
#
# A loss is minimised, so the signs turn. β = 1 gives −ELBO, another β a **β-VAE**.
#
# $$L = R + \beta K, \quad R = \frac1N \sum_n \sum_d \left[\mathrm{softplus}(a) - x\,a\right], \quad K = \frac1N \sum_n \mathrm{KL}(q(z|x_n) \| N(0, I))$$
#
# - $a$ is the decoder's output, `logits`; $x$ are pixels in $[0, 1]$. $R$ and $K$ are **sums** over dimensions and **means** over the batch: nothing is divided by $D$ or $Z$.
# - β weighs the **KL**. With β > 1 each latent dimension tends to a meaning of its own, but the reconstruction gets worse; too large, and the posterior collapses.
# - Logits of ±1500 must not overflow.
#
# **By hand**: $x = (1, 0)$, logits $= (0, 0)$, $\mu = 1$, logvar $= 0$ and β = 2 give $R = 2\log 2 = 1.3863$, $K = \frac12(1 + 1 - 0 - 1) = 0.5$, $L = 1.3863 + 2 \times 0.5 = 2.3863$.

# %% stub vae_loss
"""VAE が最小化するもの。β = 1 なら、z の標本一つによる -ELBO。

Args:
    x: [0, 1] の画素、(N, D)。
    logits: デコーダが z から作った、各画素の対数オッズ、(N, D)。
    mu: q(z|x) の平均、(N, Z)。
    logvar: q(z|x) の対数分散、(N, Z)。
    beta: KL の重み。

Returns:
    loss: reconstruction + β kl。
    reconstruction: 交差エントロピー (1/N) Σ_n Σ_d [softplus(logits) - x logits]。logits がいくつでも有限。
    kl: (1/N) Σ_n KL(q(z|x_n)‖N(0, I))。
"""

# %%
x, logits = np.array([[1.0, 0.0]]), np.zeros((1, 2))
mu, logvar = np.array([[1.0]]), np.array([[0.0]])
print(np.round(vae_loss(x, logits, mu, logvar, 2.0), 4))  # [2.3863 1.3863 0.5   ]
print(vae_loss(x, logits + 1500, 0 * mu, logvar, 1.0))  # (1500.0, 1500.0, 0.0)

# %% graded vae_loss

# %% [markdown] lang="ja"
# ### エンコーダへの勾配
#
# デコーダの逆伝播で $dz = \partial R / \partial z$ が得られたとします($R$ はバッチ平均なので、$1/N$ はもう入っています)。再パラメータ化のおかげで、これは $\mu$ にも logvar にも伝わります。KL からの勾配を足します。
#
# $$d\mu = dz + \frac{\beta}{N}\,\mu, \qquad d\,\mathrm{logvar} = \frac12\, dz \odot \varepsilon \odot \sigma + \frac{\beta}{2N}\,(\sigma^2 - 1)$$
#
# $\sigma = e^{\mathrm{logvar}/2}$ なので、$\partial\sigma/\partial\mathrm{logvar} = \sigma/2$ です。$\sigma^2 = 1$ で KL の勾配が消えることに注目してください。
#
# **手で計算**: $N = 1$、$dz = 0.5$、$\mu = 1$、$\sigma = 2$、$\varepsilon = -1$、β = 1 なら、$d\mu = 0.5 + 1 = 1.5$、$d\,\mathrm{logvar} = \frac12 \times 0.5 \times (-1) \times 2 + \frac12(4 - 1) = -0.5 + 1.5 = 1$ です。

# %% [markdown] lang="en"
# ### Gradients for the encoder
#
# Say the decoder's backward pass gave $dz = \partial R / \partial z$ ($R$ is a batch mean, so $1/N$ is in it already). Thanks to the reparameterisation it reaches both $\mu$ and logvar; the gradient of KL is added.
#
# $$d\mu = dz + \frac{\beta}{N}\,\mu, \qquad d\,\mathrm{logvar} = \frac12\, dz \odot \varepsilon \odot \sigma + \frac{\beta}{2N}\,(\sigma^2 - 1)$$
#
# As $\sigma = e^{\mathrm{logvar}/2}$, $\partial\sigma/\partial\mathrm{logvar} = \sigma/2$. Note that the gradient of KL vanishes at $\sigma^2 = 1$.
#
# **By hand**: $N = 1$, $dz = 0.5$, $\mu = 1$, $\sigma = 2$, $\varepsilon = -1$ and β = 1 give $d\mu = 0.5 + 1 = 1.5$ and $d\,\mathrm{logvar} = \frac12 \times 0.5 \times (-1) \times 2 + \frac12(4 - 1) = -0.5 + 1.5 = 1$.

# %% stub vae_encoder_backward
"""VAE の損失の勾配のうち、標本と KL を通ってエンコーダに届くもの。

    ∂z/∂μ = 1、∂z/∂logvar = ½ σ ε                      σ = exp(½ logvar) だから
    ∂KL/∂μ = μ、∂KL/∂logvar = ½ (σ² - 1)

Args:
    dz: ∂reconstruction/∂z。reconstruction はバッチ平均、(N, Z)。
    mu: 平均、(N, Z)。
    logvar: log σ²、(N, Z)。
    noise: z = μ + σ ε の ε、(N, Z)。
    beta: KL の重み。

Returns:
    dmu: dz + β μ/N、(N, Z)。
    dlogvar: ½ dz ε σ + ½ β (σ² - 1)/N、(N, Z)。
"""

# %%
dz, mu = np.array([[0.5]]), np.array([[1.0]])
logvar, noise = np.log([[4.0]]), np.array([[-1.0]])
vae_encoder_backward(dz, mu, logvar, noise, 1.0)  # [[1.5]], [[1.]]

# %% graded vae_encoder_backward

# %% [markdown] lang="ja"
# ## autograd で書く
#
# 同じ損失をテンソルで書けば、勾配は autograd が求めます。
#
# - 結果は入力と同じデバイス・同じ dtype の、軸のないテンソル三つです。`item()` や numpy に直すとグラフが切れます。`detach()` も要りません。
# - 交差エントロピーはロジットから計算します。`torch.nn.functional.binary_cross_entropy_with_logits` や `softplus` が使えます。
#
# > **よくある間違い** ライブラリの損失の既定 `reduction="mean"` は、**画素についても**平均します。ELBO では画素について足すので、そのまま使うと KL が相対的に $D$ 倍重くなります。

# %% [markdown] lang="en"
# ## With autograd
#
# Write the same loss on tensors, and autograd finds the gradients.
#
# - The results are three tensors without axes, on the device and in the dtype of the inputs. `item()` or numpy would break the graph, and nothing needs a `detach()`.
# - Take the cross-entropy from logits: `torch.nn.functional.binary_cross_entropy_with_logits` or `softplus` will do.
#
# > **Common mistake** The default `reduction="mean"` of the library's losses averages **over pixels too**. The ELBO adds them up: used as it is, the default makes the KL $D$ times as heavy in comparison.

# %%
import torch

# %% stub vae_loss_torch
"""VAE が最小化するもの。β = 1 なら、z の標本一つによる -ELBO。

Args:
    x: [0, 1] の画素、(N, D)。
    logits: 各画素の対数オッズ、(N, D)。
    mu: q(z|x) の平均、(N, Z)。
    logvar: q(z|x) の対数分散、(N, Z)。
    beta: KL の重み。

Returns:
    loss: reconstruction + β kl。軸のないテンソル。
    reconstruction: 交差エントロピー。画素について和、サンプルについて平均。軸のないテンソル。
    kl: KL(q(z|x)‖N(0, I))。z について和、サンプルについて平均。軸のないテンソル。
"""

# %%
x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
logits = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
mu = torch.ones(1, 1, dtype=torch.float64, requires_grad=True)
loss, reconstruction, kl = vae_loss_torch(x, logits, mu, torch.zeros_like(mu), 2.0)
print(loss, reconstruction, kl)  # 2.3863, 1.3863, 0.5000
print(torch.autograd.grad(loss, (logits, mu)))  # [[-0.5, 0.5]], [[2.]]

# %% graded vae_loss_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **自己符号化器**: 教師なし学習で、正解は入力自身。学習後は符号(中間層の表現)や重みを、特徴抽出・次元削減・初期値・異常検知に使う。線形で二乗誤差なら PCA と同じ部分空間になる。
# - **スパース / 雑音除去**: 前者は平均活性を下げる正則化項 $\mathrm{KL}(\rho\|\hat\rho)$、後者は汚した入力ときれいな正解。どちらも恒等写像を防ぐ。
# - **パラメータ数**: $D$–$H$–$D$ では $2DH + H + D$、重みを共有すれば $DH + H + D$。784–32–784 なら 50 992 と 25 904。
# - **VAE のエンコーダの出力**: 点ではなく、$q(z|x)$ の平均と(対数)分散。$N(0, I)$ は事前分布 $p(z)$。
# - **再パラメータ化トリック**: $z = \mu + \sigma\varepsilon$。抽出を通して $\mu, \sigma$ へ勾配を流すため。
# - **ELBO**: $\log p(x) \ge E_q[\log p(x|z)] - \mathrm{KL}(q(z|x)\|p(z))$。損失では KL の符号が + になる。
# - **KL の閉じた形**: $\frac12\sum(\mu^2 + \sigma^2 - \log\sigma^2 - 1)$。$\mu = 0, \sigma = 1$ で 0。
# - **β-VAE と VHRED**: β > 1 は KL を重くし、復元と引き換えに潜在表現のもつれをほどく。VHRED は発話ごとの潜在変数で応答の多様性を得る。事前分布は文脈による。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Autoencoder**: unsupervised, its target is its input. Afterwards the code (hidden representation) or the weights serve for features, dimension reduction, initial weights, detection of anomalies. A linear one with squared error finds the subspace of PCA.
# - **Sparse / denoising**: the one has a penalty $\mathrm{KL}(\rho\|\hat\rho)$ that lowers the mean activation, the other a corrupted input and a clean target. Both keep off the identity.
# - **Parameters** of $D$–$H$–$D$: $2DH + H + D$, with tied weights $DH + H + D$. For 784–32–784 these are 50 992 and 25 904.
# - **What a VAE's encoder returns**: no point, but mean and (log) variance of $q(z|x)$. $N(0, I)$ is the prior $p(z)$.
# - **Reparameterisation trick**: $z = \mu + \sigma\varepsilon$, so that gradients pass through the sampling to $\mu$ and $\sigma$.
# - **ELBO**: $\log p(x) \ge E_q[\log p(x|z)] - \mathrm{KL}(q(z|x)\|p(z))$. In a loss, KL has the sign +.
# - **KL in closed form**: $\frac12\sum(\mu^2 + \sigma^2 - \log\sigma^2 - 1)$, 0 at $\mu = 0, \sigma = 1$.
# - **β-VAE and VHRED**: β > 1 makes KL heavier and disentangles the code at the price of the reconstruction. VHRED's latent variable for each utterance gives varied answers; its prior depends on the context.
