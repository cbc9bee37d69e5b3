# %% [markdown] lang="ja"
# # 正則化
#
# 学習の目的は、訓練データの誤差を下げることではなく、**未知のデータでの誤差(汎化誤差)** を下げることです。パラメータが多く訓練データが少ないと、ネットワークは訓練データの雑音まで覚えてしまいます。訓練誤差は小さいのに汎化誤差が大きい、この状態が**過学習**(overfitting)です。
#
# **正則化**(regularization)とは、訓練誤差ではなく汎化誤差を減らすために、学習に加える工夫の総称です。パラメータに制限をつけるのはその代表ですが、それだけではありません。
#
# | 手法 | どこに手を加えるか | 関数 |
# |---|---|---|
# | L1・L2 正則化、荷重減衰 | 損失、または重みの更新 | `l1_penalty`, `l2_penalty`, `adamw_step` |
# | ドロップアウト | 中間層のユニット | `dropout` |
# | 早期終了 | 学習を続ける長さ | `early_stopping` |
# | ラベル平滑化 | 教師ラベル | `smooth_labels` |
# | mixup(データ拡張) | 入力とラベル | `mixup` |
# | 勾配クリッピング | 勾配(学習を安定させる工夫で、試験ではこの並びで出ます) | `clip_by_global_norm` |
#
# **記号**: $\eta$ は学習率(`lr`)、$\lambda$ は罰則の強さ(`strength`, `weight_decay`)、$N$ はサンプル数、$K$ はクラス数です。
#
# **約束**: 渡された配列を書き換えないでください。計算は float64 で行います(float32 の配列や数で返したときは、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Regularisation
#
# The aim of training is not a small error on the training data but a small error on **data never seen: the generalisation error**. With many parameters and few samples a network learns even the noise of its training data by heart. A small training error with a large generalisation error is called **overfitting**.
#
# **Regularisation** is any change to training that is meant to lower the generalisation error but not the training error. Restricting the parameters is the classic way, but not the only one.
#
# | method | what it acts on | function |
# |---|---|---|
# | L1 and L2 penalties, weight decay | the loss, or the update of the weights | `l1_penalty`, `l2_penalty`, `adamw_step` |
# | dropout | hidden units | `dropout` |
# | early stopping | how long training goes on | `early_stopping` |
# | label smoothing | targets | `smooth_labels` |
# | mixup (data augmentation) | inputs and targets | `mixup` |
# | gradient clipping | gradients (it stabilises training; exams file it here) | `clip_by_global_norm` |
#
# **Letters**: $\eta$ is the learning rate (`lr`), $\lambda$ the strength of a penalty (`strength`, `weight_decay`), $N$ the number of samples, $K$ of classes.
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (arrays and numbers that come back in float32 are compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 罰則を足す: L1 と L2
#
# 元の損失 $L'$ に、重みの大きさに対する罰則を足して、$L = L' + (\text{罰則})$ を最小にします。
#
# | | 罰則 | 勾配 | 1 回の SGD での動き(罰則だけなら) |
# |---|---|---|---|
# | L1(Lasso) | $\lambda \sum \lvert w \rvert$ | $\lambda\,\mathrm{sign}(w)$ | 大きさによらず $\eta\lambda$ だけ 0 の側へ |
# | L2(Ridge) | $\tfrac{1}{2} \lambda \sum w^2$ | $\lambda w$ | $(1 - \eta\lambda)$ 倍に縮む |
#
# 計算グラフでは $w$ から二つの道が $L$ へ伸びています。足し算のノードは勾配をそのまま両方へ流し、分岐した $w$ のところで足し合わされます。
#
# ![損失と罰則の二つの道を戻った勾配は、w で足し合わされる](two_paths.svg)
#
# だから更新は $w \leftarrow w - \eta\left(\dfrac{\partial L'}{\partial w} + \lambda w\right) = (1 - \eta\lambda)\,w - \eta \dfrac{\partial L'}{\partial w}$ です。重みは**符号によらず** 0 に近づくので、L2 正則化は**荷重減衰**(weight decay)とも呼ばれます。
# 負の重みには $\eta\lambda\lvert w \rvert$ が足されます。$\eta\lambda > 1$ では 0 を通り越してしまいます。
#
# **手で計算**: $w = (1, -2, 0, 0.5)$、$\lambda = 0.1$ とします。
#
# - L1: 値は $0.1 \times 3.5 = 0.35$、勾配は $(0.1, -0.1, 0, 0.1)$
# - L2: 値は $\tfrac12 \times 0.1 \times (1 + 4 + 0 + 0.25) = 0.2625$、勾配は $(0.1, -0.2, 0, 0.05)$
#
# **釣り合い**: 重みは、損失が引く力と罰則が引く力が釣り合う点 $\partial L'/\partial w = -\lambda w$ に落ち着きます。$L' = \tfrac12 (w - a)^2$ なら $w = a / (1 + \lambda)$ で、$\lambda$ が大きいほど 0 に近づきます。
#
# **L1 が重みをちょうど 0 にする理由**: L1 の引く力は、0 の近くでも弱まりません。L2 の力は $w$ に比例して弱まるので、0 に近づくだけです。罰則の等高線で見ると、L1 には座標軸上に**角**があり、損失の等高線はそこで触れやすくなります。
#
# ![L1 のひし形は角で、L2 の円は軸から外れた点で損失の等高線に触れる](corners.svg)
#
# - $\lvert w \rvert$ は 0 で微分できません。この課題では $\mathrm{sign}(0) = 0$ とします。
# - L2 の値には $\tfrac12$ が付きます。$\tfrac12$ を付けない流儀では勾配が $2\lambda w$ になり、同じ $\lambda$ でも強さが 2 倍です。
# - $\lambda$ は $0.01$ から $0.00001$ くらいの範囲で、検証誤差を見ながら探すのが普通です。
# - **バイアスには罰則を掛けない**のが普通です。バイアスは一つの出力を平行移動するだけで、少ないデータでも正確に推定でき、縮めると学習不足になりかねません。(ここの関数は、渡された配列のすべてに罰則を掛けます。)
# - 入力を標準化しておくと、重みの大きさがその入力の影響の大きさを表し、罰則がどの入力にも公平に掛かります。
#
# > **よくある間違い**
# > - L2 の罰則を「L2 ノルム」とする。足しているのはノルムの **2 乗**の半分です。ノルムそのものの勾配は $\lambda w / \lVert w \rVert$ で、別のものです。
# > - L1 の勾配を $\lambda \lvert w \rvert$ とする。$\lvert w \rvert$ の傾きを決めるのは $w$ の**符号**だけです。

# %% [markdown] lang="en"
# ## Adding a penalty: L1 and L2
#
# A penalty on the size of the weights is added to the original loss $L'$, and $L = L' + \text{penalty}$ is minimised.
#
# | | penalty | gradient | one SGD step (of the penalty alone) |
# |---|---|---|---|
# | L1 (lasso) | $\lambda \sum \lvert w \rvert$ | $\lambda\,\mathrm{sign}(w)$ | moves $w$ by $\eta\lambda$ towards 0, whatever its size |
# | L2 (ridge) | $\tfrac{1}{2} \lambda \sum w^2$ | $\lambda w$ | multiplies $w$ by $1 - \eta\lambda$ |
#
# In the computation graph two paths lead from $w$ to $L$. The node of the sum hands the gradient on to both, and where $w$ forks they are added.
#
# ![The gradients that come back through the loss and through the penalty are added at w](two_paths.svg)
#
# So the update is $w \leftarrow w - \eta\left(\dfrac{\partial L'}{\partial w} + \lambda w\right) = (1 - \eta\lambda)\,w - \eta \dfrac{\partial L'}{\partial w}$. Weights move towards 0 **whatever their sign**, which is why the L2 penalty is also called **weight decay**.
# To a negative weight $\eta\lambda\lvert w \rvert$ is added. With $\eta\lambda > 1$ the step overshoots 0.
#
# **By hand**: $w = (1, -2, 0, 0.5)$ and $\lambda = 0.1$.
#
# - L1: the value is $0.1 \times 3.5 = 0.35$, the gradient $(0.1, -0.1, 0, 0.1)$
# - L2: the value is $\tfrac12 \times 0.1 \times (1 + 4 + 0 + 0.25) = 0.2625$, the gradient $(0.1, -0.2, 0, 0.05)$
#
# **Balance**: a weight settles where the pull of the loss and that of the penalty balance, $\partial L'/\partial w = -\lambda w$. For $L' = \tfrac12 (w - a)^2$ that is $w = a / (1 + \lambda)$: the larger $\lambda$, the nearer to 0.
#
# **Why L1 makes weights exactly 0**: its pull does not weaken near 0. That of L2 is proportional to $w$, so weights only come close. Seen as contours, L1 has **corners** on the axes, and there the contours of the loss tend to touch it.
#
# ![The diamond of L1 is touched at a corner, the circle of L2 at a point off the axes](corners.svg)
#
# - $\lvert w \rvert$ has no derivative at 0. In this task $\mathrm{sign}(0) = 0$.
# - The value of L2 carries $\tfrac12$. Without it the gradient is $2\lambda w$: the same $\lambda$ is then twice as strong.
# - $\lambda$ is usually sought between $0.01$ and $0.00001$, by the validation error.
# - **Biases are usually left out.** A bias only shifts one output and is estimated well from little data; shrinking it may cause underfitting. (The functions here penalise every entry that they are given.)
# - With standardised inputs the size of a weight shows the influence of its input, and the penalty treats all inputs alike.
#
# > **Common mistakes**
# > - Calling the L2 penalty "the L2 norm". What is added is half the **squared** norm. The norm itself has the gradient $\lambda w / \lVert w \rVert$, which is something else.
# > - $\lambda \lvert w \rvert$ for the gradient of L1. The slope of $\lvert w \rvert$ depends on the **sign** of $w$ alone.

# %% stub l1_penalty
"""L1 の罰則と、その勾配。

Args:
    w: 重み。形は任意。
    strength: λ、0 以上。

Returns:
    penalty: λ Σ |w|。
    grad: λ sign(w)。w と同じ形で、w が 0 のところは 0。
"""

# %%
w = np.array([1.0, -2.0, 0.0, 0.5])
l1_penalty(w, 0.1)  # 0.35 and [0.1, -0.1, 0., 0.1]

# %% graded l1_penalty

# %% stub l2_penalty
"""L2 の罰則(ノルムの 2 乗の半分)と、その勾配。

Args:
    w: 重み。形は任意。
    strength: λ、0 以上。

Returns:
    penalty: ½ λ Σ w²。
    grad: λ w。w と同じ形。
"""

# %%
l2_penalty(w, 0.1)  # 0.2625 and [0.1, -0.2, 0., 0.05]

# %% graded l2_penalty

# %% [markdown] lang="ja"
# ## Adam と荷重減衰: AdamW
#
# 素朴な SGD では、L2 の罰則を損失に足すことと、更新のたびに重みを $(1 - \eta\lambda)$ 倍することは**同じ**です。Adam では**違います**。
#
# - **L2 を損失に足す**(`decoupled=False`): 勾配が $g + \lambda w$ になり、モーメント $m, v$ に入ります。罰則の分も $\sqrt{\hat v}$ で割られるので、勾配の大きい重みほど減衰が**弱く**なります。
# - **荷重減衰を切り離す**(`decoupled=True`、AdamW): $m, v$ は $\lambda$ を知りません。減衰は更新の最後に別に引きます。
#
# $$w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \epsilon} - \eta\lambda w$$
#
# Adam の一歩には、下の `adam_step` を使ってかまいません($\epsilon$ は根号の外、$t$ は 1 から数えます)。`_check_alike` は形を確かめるだけの補助です。
#
# **約束**: 減衰の項には学習率 $\eta$ が掛かります(PyTorch の `AdamW` と同じ)。減衰させるのは**更新前**の $w$ です。返す $m, v$ は、バイアス補正前の、更新した値です。
#
# **手で計算**: $t = 1$、$m = v = 0$ のとき $\hat m / \sqrt{\hat v} = g / \lvert g \rvert$ です。$\eta = 0.01$、$\lambda = 0.1$ とします。
#
# | $w$ | $g$ | AdamW | Adam + L2 |
# |---|---|---|---|
# | $1$ | $0.1$ | $1 - 0.01 - 0.001 = 0.989$ | $g + \lambda w = 0.2$ なので $1 - 0.01 = 0.99$ |
# | $-2$ | $0.2$ | $-2 - 0.01 + 0.002 = -2.008$ | $g + \lambda w = 0$ なので動かず $-2$ |
# | $0.5$ | $0$ | $0.5 - 0.0005 = 0.4995$ | $g + \lambda w = 0.05$ なので $0.5 - 0.01 = 0.49$ |
#
# 最後の行を見てください。$g = 0$ なら、Adam + L2 は $\lambda$ の大きさに**よらず** $\eta$ だけ動きます。$\lambda$ は割り算で消えてしまいます。
#
# > **よくある間違い** 「荷重減衰と L2 正則化は同じ」。同じなのは素朴な SGD だけで、Adam のような適応的な手法では違います。PyTorch の `torch.optim.Adam(weight_decay=…)` は L2、`torch.optim.AdamW` は切り離した減衰です。

# %% [markdown] lang="en"
# ## Adam and weight decay: AdamW
#
# For plain SGD, adding the L2 penalty to the loss and multiplying the weights by $1 - \eta\lambda$ at each update are **the same**. For Adam they are **not**.
#
# - **L2 in the loss** (`decoupled=False`): the gradient becomes $g + \lambda w$ and enters the moments $m, v$. The penalty's part is divided by $\sqrt{\hat v}$ as well, so weights with large gradients decay **less**.
# - **Decoupled weight decay** (`decoupled=True`, AdamW): $m, v$ know nothing of $\lambda$. The decay is subtracted apart, at the end of the update.
#
# $$w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \epsilon} - \eta\lambda w$$
#
# For the step of Adam you may use `adam_step` below ($\epsilon$ outside the root, $t$ from 1).
#
# **Fixed here**: the decay is multiplied by the learning rate $\eta$ (as in PyTorch's `AdamW`), it is that of $w$ **before** the update, and the $m, v$ returned are the updated ones before the bias correction.
#
# **By hand**: with $t = 1$ and $m = v = 0$, $\hat m / \sqrt{\hat v} = g / \lvert g \rvert$. Let $\eta = 0.01$ and $\lambda = 0.1$.
#
# | $w$ | $g$ | AdamW | Adam + L2 |
# |---|---|---|---|
# | $1$ | $0.1$ | $1 - 0.01 - 0.001 = 0.989$ | $g + \lambda w = 0.2$, so $1 - 0.01 = 0.99$ |
# | $-2$ | $0.2$ | $-2 - 0.01 + 0.002 = -2.008$ | $g + \lambda w = 0$, so it stays at $-2$ |
# | $0.5$ | $0$ | $0.5 - 0.0005 = 0.4995$ | $g + \lambda w = 0.05$, so $0.5 - 0.01 = 0.49$ |
#
# Look at the last row: with $g = 0$ Adam + L2 moves by $\eta$ **whatever** $\lambda$ is. The division has removed it.
#
# > **Common mistake** "Weight decay and the L2 penalty are the same." They are for plain SGD, not for adaptive methods such as Adam. PyTorch's `torch.optim.Adam(weight_decay=…)` is L2, `torch.optim.AdamW` is the decoupled decay.

# %% given adam_step
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

# %% stub adamw_step
"""荷重減衰つきの Adam の一歩。減衰は勾配から切り離す(AdamW)か、L2 の罰則として勾配に入れる。

    切り離す      w ← w - η m̂ / (√v̂ + ε) - η λ w      m, v は λ を知らない
    切り離さない  g ← g + λ w としてから Adam          罰則の勾配も √v̂ で割られる

減衰の項には `torch.optim.AdamW` と同じく学習率が掛かる。

Args:
    w: パラメータ。形は任意。
    grad: 罰則を含まない損失の勾配 g。w と同じ形。
    m: 一歩の前の 1 次モーメント。w と同じ形。
    v: 一歩の前の 2 次モーメント。w と同じ形。
    t: 何歩目か。1 から数える。
    lr: 学習率 η。
    beta1: 1 次モーメントの減衰率。
    beta2: 2 次モーメントの減衰率。
    eps: 根号の外で足す数。
    weight_decay: λ、0 以上。
    decoupled: True なら AdamW、False なら L2 の罰則。

Returns:
    w: 一歩の後のもの。減衰させるのは一歩の前の重み。
    m: 更新したもの。バイアス補正の前。
    v: 更新したもの。バイアス補正の前。
"""

# %%
w, g, rest = np.array([1.0, -2.0, 0.5]), np.array([0.1, 0.2, 0.0]), np.zeros(3)
after, m, v = adamw_step(w, g, rest, rest, 1, 0.01, weight_decay=0.1)
print(after.round(6), m.round(6))  # [0.989 -2.008 0.4995] [0.01 0.02 0.]
after, m, v = adamw_step(w, g, rest, rest, 1, 0.01, weight_decay=0.1, decoupled=False)
print(after.round(6), m.round(6))  # [0.99 -2. 0.49] [0.02 0. 0.005]

# %% graded adamw_step

# %% [markdown] lang="ja"
# ## ドロップアウト
#
# 学習のたびに、ユニットを確率 $p$ でランダムに消します。$n$ 個のユニットからは $2^n$ 通りの小さなネットワークができ、重みを共有するそれらを少しずつ学習することになります。予測時の一つのネットワークは、その平均の代わりです(アンサンブル学習の近似)。
#
# ![一回の乱数で残るネットワーク](thinned.svg)
#
# 学習時は平均して $1 - p$ の割合しか残らないので、予測時と大きさを揃える必要があります。やり方は二つあります。
#
# | | 学習時 | 予測時 |
# |---|---|---|
# | `inverted=True`(今の標準) | $x \cdot [u \ge p] \,/\, (1-p)$ | $x$ |
# | `inverted=False`(classic、元の論文) | $x \cdot [u \ge p]$ | $x \cdot (1-p)$ |
#
# どちらも、学習時の出力の期待値が予測時の出力に等しくなります。
#
# - `u` は $x$ と同じ形の一様乱数で、$u < p$ の要素を消します。乱数は**サンプルごと、要素ごと**に引き直します(採点では $u = p$ は出てきません)。
# - 返す `scale` は、$x$ の各要素に掛けた数で、予測時も $x$ と同じ形です。$y = x \odot \text{scale}$ なので、**逆伝播も同じマスク**を使い、$dx = dy \odot \text{scale}$ です。
# - $p = 0$ なら何も起こりません。
#
# **手で計算**: $x = (1, -2, 0, 0.5)$、$p = 0.25$、$u = (0.1, 0.25, 0.9, 0.3)$ とします($u = p$ の 2 番目は残します)。消えるのは 1 番目だけです。
# inverted なら残りを $0.75$ で割って $(0, -2.667, 0, 0.667)$、classic なら $(0, -2, 0, 0.5)$ です。予測時の classic は $(0.75, -1.5, 0, 0.375)$ です。
#
# > **よくある間違い**
# > - 予測時に**消した割合** $p$ を掛ける。掛けるのは**残した割合** $1 - p$ です。元の論文の文字 $p$ は残す確率で、PyTorch やこの課題とは意味が逆なので、混同しやすいところです。
# > - ミニバッチに一つのマスクを使い回す。マスクはサンプルごとに引きます。
# > - 予測時にも消す。PyTorch では `model.eval()` を忘れるとそうなります。

# %% [markdown] lang="en"
# ## Dropout
#
# In training every unit is removed at random with probability $p$. From $n$ units $2^n$ smaller networks can be made, which share their weights and are each trained a little. The one network at test time stands for their average (an approximate ensemble).
#
# ![The network that one draw leaves](thinned.svg)
#
# As only a share of $1 - p$ is left on average, training and test time must be brought to one scale. There are two ways.
#
# | | training | test time |
# |---|---|---|
# | `inverted=True` (today's standard) | $x \cdot [u \ge p] \,/\, (1-p)$ | $x$ |
# | `inverted=False` (classic, the original paper) | $x \cdot [u \ge p]$ | $x \cdot (1-p)$ |
#
# Either way the expected output in training is the output at test time.
#
# - `u` holds uniform draws, shaped like $x$; entries with $u < p$ are dropped. The draws are made **for each sample and each entry** ($u = p$ does not occur in grading).
# - The `scale` returned is what each entry of $x$ was multiplied by, shaped like $x$ at test time too. As $y = x \odot \text{scale}$, **the same mask serves backwards**: $dx = dy \odot \text{scale}$.
# - $p = 0$ changes nothing.
#
# **By hand**: $x = (1, -2, 0, 0.5)$, $p = 0.25$, $u = (0.1, 0.25, 0.9, 0.3)$ (the second, with $u = p$, stays). Only the first is dropped.
# Inverted dropout divides the rest by $0.75$: $(0, -2.667, 0, 0.667)$. The classic form gives $(0, -2, 0, 0.5)$, and at test time $(0.75, -1.5, 0, 0.375)$.
#
# > **Common mistakes**
# > - Multiplying by the **dropped share** $p$ at test time. It is the share that is **kept**, $1 - p$. The letter $p$ of the original paper is the probability to keep, the opposite of PyTorch's and of this task's, which invites the mistake.
# > - One mask for the whole mini-batch. Masks are drawn for each sample.
# > - Dropping at test time too. In PyTorch this is what a forgotten `model.eval()` does.

# %% stub dropout
"""ドロップアウトの順伝播。逆伝播は同じマスクを使った dy · scale。

                学習時                予測時
    inverted    x · [u ≥ p] / (1-p)   x
    classic     x · [u ≥ p]           x · (1-p)

Args:
    x: 活性。形は任意。
    p: ユニットを**消す**確率、0 ≤ p < 1。
    u: [0, 1) の一様乱数。x と同じ形。u < p のユニットを消す。
    train: 学習時なら True、予測時なら False。
    inverted: 補正を学習時に行うなら True、予測時に行うなら False。

Returns:
    y: x · scale。x と同じ形。
    scale: x の各要素に掛けた数。x と同じ形。
"""

# %%
x, u = np.array([1.0, -2.0, 0.0, 0.5]), np.array([0.1, 0.25, 0.9, 0.3])
print(dropout(x, 0.25, u, True)[0].round(3))  # [0. -2.667 0. 0.667]
print(dropout(x, 0.25, u, True, inverted=False)[0])  # [0. -2. 0. 0.5]
print(dropout(x, 0.25, u, False)[0])  # [1. -2. 0. 0.5]
print(dropout(x, 0.25, u, False, inverted=False)[0])  # [0.75 -1.5 0. 0.375]

# %% graded dropout

# %% [markdown] lang="ja"
# ## 早期終了
#
# 訓練誤差は下がり続けても、検証誤差はどこかで上がり始めます。そこで学習を止めるのが**早期終了**(early stopping)です。検証誤差は上下に揺れるので、少し待ってから止めます。
#
# ![忍耐 3 の早期終了。最良の epoch から数えて 3 回改善がなければ止まる](best_so_far.svg)
#
# 1. 損失が**これまでの最良値**より小さければ($loss < best - min\_delta$)改善です。最良値とその epoch を覚え、**カウンタを 0 に戻します**。
# 2. そうでなければカウンタを 1 増やし、`patience` に達したらその epoch で止まります。
# 3. 止まらなければ最後まで進みます。使うのは、止まった時点ではなく**最良の epoch のパラメータ**です。
#
# - 返すのは `(stop_epoch, best_epoch)` で、どちらも 0 から数えます。最後まで進んだら `stop_epoch` は最後の epoch です。
# - 同じ値は改善ではありません。NaN(発散)も改善ではありません。NaN との比較は必ず偽になるからです。最初の損失は数で、必ず「改善」です。
#
# **手で計算**: 損失 $1.0, 0.8, 0.9, 0.85, 0.82$、`patience=3` とします。最良は epoch 1 の $0.8$ です。その後の三つは $0.8$ より大きいので、カウンタは 1, 2, 3 と増え、epoch 4 で止まります。答えは $(4, 1)$ です。
#
# > **よくある間違い**
# > - **直前の値**と比べる。上の例では $0.9 \to 0.85 \to 0.82$ が「改善」になり、止まりません。
# > - カウンタを戻さない。数えるのは、悪化の累計ではなく**続けて改善しなかった回数**です。
# > - **テストデータ**の誤差を見る。止める時期の選択に使ったデータの誤差は、汎化誤差の偏りのない推定ではなくなります。見るのは**検証データ**で、テストデータは最後に一度だけ使います。

# %% [markdown] lang="en"
# ## Early stopping
#
# The training error goes on falling while the validation error, at some point, begins to rise. Stopping there is **early stopping**. As the validation error wobbles, one waits a little first.
#
# ![Early stopping with patience 3: it stops after three epochs without improvement since the best one](best_so_far.svg)
#
# 1. A loss below **the best so far** ($loss < best - min\_delta$) is an improvement: remember it and its epoch, and **set the counter back to 0**.
# 2. Otherwise count one more; when the counter reaches `patience`, stop at this epoch.
# 3. If that never happens, run to the end. What is kept is not the last but **the best epoch's parameters**.
#
# - Return `(stop_epoch, best_epoch)`, both counted from 0. If training runs to the end, `stop_epoch` is the last epoch.
# - An equal loss is no improvement, and neither is NaN (it diverged): every comparison with NaN is false. The first loss is a number and always an "improvement".
#
# **By hand**: losses $1.0, 0.8, 0.9, 0.85, 0.82$ and `patience=3`. The best is $0.8$ at epoch 1. The three that follow are above $0.8$, the counter goes 1, 2, 3, and training stops at epoch 4: $(4, 1)$.
#
# > **Common mistakes**
# > - Comparing with the **previous** loss. Above, $0.9 \to 0.85 \to 0.82$ would count as improvement, and it would never stop.
# > - Not resetting the counter. It counts epochs **in a row** without improvement, not their total.
# > - Watching the error on the **test** data. Once data has chosen when to stop, its error is no unbiased estimate any more. Watch the **validation** data; the test data is used once, at the end.

# %% stub early_stopping
"""学習を止める epoch と、パラメータを残す epoch。

Args:
    losses: epoch ごとの**検証データ**の損失、(E,)。最初は数。
    patience: 改善しない epoch がこの数だけ続いたら止まる。1 以上。
    min_delta: これまでの最良値からこれを引いた値を下回れば改善。

Returns:
    stop_epoch: 最後に実行する epoch。0 から数える。止まらなければ E-1。
    best_epoch: 最良の損失の epoch。0 から数える。同じ値と NaN は改善でない。
"""

# %%
print(early_stopping(np.array([1.0, 0.8, 0.9, 0.85, 0.82]), 3))  # (4, 1)
print(early_stopping(np.array([1.0, 0.8, 0.9, 0.7, 0.75, 0.72, 0.71]), 2))  # (5, 3)
print(early_stopping(np.array([1.0, np.nan, np.nan]), 2))  # (2, 0)
print(early_stopping(np.array([1.0, 0.9, 0.8, 0.7, 0.6]), 3, 0.25))  # (4, 3)

# %% graded early_stopping

# %% [markdown] lang="ja"
# ## ラベル平滑化
#
# one-hot のラベルでは、正解の確率がちょうど 1 になるまで損失が下がり続け、スコアの差は際限なく広がります。ラベルを少しだけ一様分布に近づけると、確信しすぎを抑えられます。
#
# $$y = (1 - s) \cdot \text{onehot} + \frac{s}{K}$$
#
# **手で計算**: $K = 4$、$s = 0.1$ なら、正解は $0.9 + 0.025 = 0.925$、ほかは $0.025$ です。和は $0.925 + 3 \times 0.025 = 1$ です。
#
# > **よくある間違い** $s$ を $K - 1$ 個の不正解だけに配る(正解が $1 - s$ になる)。この式では**正解も含めた $K$ 個すべて**に $s/K$ ずつ配るので、正解は $1 - s + s/K$ です。

# %% [markdown] lang="en"
# ## Label smoothing
#
# With one-hot labels the loss goes on falling until the probability of the true class is exactly 1, and the scores drift apart without end. Labels moved a little towards the uniform distribution keep the network from being too sure.
#
# $$y = (1 - s) \cdot \text{onehot} + \frac{s}{K}$$
#
# **By hand**: with $K = 4$ and $s = 0.1$ the true class gets $0.9 + 0.025 = 0.925$ and each other $0.025$; the sum is $0.925 + 3 \times 0.025 = 1$.
#
# > **Common mistake** Sharing $s$ among the $K - 1$ wrong classes only (the true one then has $1 - s$). In this formula **all $K$ classes, the true one included,** get $s/K$, and the true one has $1 - s + s/K$.

# %% given one_hot
"""長さ `classes` の軸を最後に加える。ラベル(0 … classes-1)のところが 1、ほかは 0。"""

# %% stub smooth_labels
"""一様分布を混ぜて和らげた教師ラベル。

Args:
    labels: クラス、(N,)。
    classes: クラスの数 K。
    smoothing: 混ぜる割合 s、0 … 1。正解も含めた K 個すべてに配る。

Returns:
    (N, K): (1 - s) · one-hot + s / K。
"""

# %%
smooth_labels(np.array([2, 0]), 4, 0.1)
# [[0.025, 0.025, 0.925, 0.025], [0.925, 0.025, 0.025, 0.025]]

# %% graded smooth_labels

# %% [markdown] lang="ja"
# ## mixup
#
# データを増やせば過学習は減ります。手持ちのデータから新しいデータを作るのが**データ拡張**です。画像なら反転・切り抜き・色の変化などがあり、mixup は二つのサンプルを**入力もラベルも同じ割合で**混ぜます。
#
# $$\tilde x = \lambda x + (1 - \lambda)\, x[\text{perm}], \qquad \tilde y = \lambda y + (1 - \lambda)\, y[\text{perm}]$$
#
# ここの $\lambda$(`mix`)は混ぜる割合で、論文ではベータ分布から引きます。`perm` は、各サンプルの相手の番号です。
#
# **手で計算**: $x = \begin{pmatrix} 0 & 2 \\ 4 & 6 \end{pmatrix}$、ラベルは単位行列、$\lambda = 0.25$、perm $= (1, 0)$ とします。1 行目は $0.25 \times (0, 2) + 0.75 \times (4, 6) = (3, 5)$、そのラベルは $(0.25, 0.75)$ です。
#
# > **よくある間違い** ラベルを混ぜない、または重みを逆にする。入力に自分が 25 % しか残っていなければ、ラベルに残る自分も 25 % です。

# %% [markdown] lang="en"
# ## Mixup
#
# More data means less overfitting. Making new data from what there is, is **data augmentation**: images are flipped, cropped, recoloured. Mixup blends two samples, **inputs and targets in the same proportion**.
#
# $$\tilde x = \lambda x + (1 - \lambda)\, x[\text{perm}], \qquad \tilde y = \lambda y + (1 - \lambda)\, y[\text{perm}]$$
#
# Here $\lambda$ (`mix`) is the share, drawn from a beta distribution in the paper, and `perm` names each sample's partner.
#
# **By hand**: $x = \begin{pmatrix} 0 & 2 \\ 4 & 6 \end{pmatrix}$, the identity as targets, $\lambda = 0.25$, perm $= (1, 0)$. The first row becomes $0.25 \times (0, 2) + 0.75 \times (4, 6) = (3, 5)$, and its target $(0.25, 0.75)$.
#
# > **Common mistake** Targets that are not mixed, or with the weights exchanged. Where 25 % of a sample is left in the input, 25 % of it is left in the target.

# %% stub mixup
"""各サンプルをバッチの別のサンプルと混ぜ、教師ラベルも同じ割合で混ぜる。

Args:
    x: 入力。最初の軸がサンプル。
    targets: one-hot か、和らげたラベル、(N, K)。
    mix: 自分自身の割合 λ、0 … 1。
    perm: 各サンプルの相手、(N,)。

Returns:
    x: λ x + (1 - λ) x[perm]。x と同じ形。
    targets: λ targets + (1 - λ) targets[perm]、(N, K)。
"""

# %%
x, targets = np.array([[0.0, 2.0], [4.0, 6.0]]), np.eye(2)
mixup(x, targets, 0.25, np.array([1, 0]))
# [[3., 5.], [1., 3.]] and [[0.25, 0.75], [0.75, 0.25]]

# %% graded mixup

# %% [markdown] lang="ja"
# ## 勾配クリッピング
#
# 勾配が突然大きくなると、一回の更新でパラメータが遠くへ飛びます。そこで、勾配の長さに上限 $c$ を設けます。
#
# $$g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right), \qquad \lVert g \rVert^2 = \sum_{\text{全パラメータ}} g^2$$
#
# ![ノルムによるクリッピングは向きを保ち、値によるクリッピングは向きを変える](shortened.svg)
#
# - ノルムは**すべての配列をまとめて**測り、係数は**一つ**です。だから全体の向きは変わりません。
# - 上限より短い勾配は変えません。すべて 0 の勾配も変えません。
# - 返すのは、クリッピングした配列(リストかタプル、順番はそのまま)と、クリッピング**前**のノルムです。小さな数を分母に足しません。
#
# **手で計算**: 勾配が $(3, 0)$ と $(4)$ の二つの配列、$c = 1$ とします。ノルムは $\sqrt{9 + 16} = 5$、係数は $1/5$ で、$(0.6, 0)$ と $(0.8)$ になります。
#
# > **よくある間違い** 要素ごとに $[-c, c]$ に収める(値によるクリッピング)と、$(3, 4)$ は $c = 2$ で $(2, 2)$ になり、向きが変わります。PyTorch では `clip_grad_norm_` がここの方法、`clip_grad_value_` が値による方法です。

# %% [markdown] lang="en"
# ## Gradient clipping
#
# When a gradient suddenly becomes large, one update throws the parameters far away. So its length is given a bound $c$.
#
# $$g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert}\right), \qquad \lVert g \rVert^2 = \sum_{\text{all parameters}} g^2$$
#
# ![Clipping by norm keeps the direction, clipping by value changes it](shortened.svg)
#
# - The norm is that of **all arrays together**, and there is **one** factor, so the direction of the whole stays.
# - A gradient shorter than the bound is left as it is, and so are gradients of 0.
# - Return the clipped arrays (a list or a tuple, in their order) and the norm **before** clipping. No small number is added to the denominator.
#
# **By hand**: two arrays $(3, 0)$ and $(4)$, and $c = 1$. The norm is $\sqrt{9 + 16} = 5$, the factor $1/5$: $(0.6, 0)$ and $(0.8)$.
#
# > **Common mistake** Forcing each entry into $[-c, c]$ (clipping by value) turns $(3, 4)$ into $(2, 2)$ at $c = 2$: another direction. In PyTorch `clip_grad_norm_` is the method used here, `clip_grad_value_` the one by value.

# %% stub clip_by_global_norm
"""全体に一つの係数を掛けて、ノルムが c を超えないように縮めた勾配。

Args:
    grads: パラメータごとの配列。形は任意。
    max_norm: 上限 c、正の数。

Returns:
    clipped: それぞれ g · min(1, c / ‖g‖)。ノルムが 0 ならそのまま。
    norm: ‖g‖ = √Σ g²。すべての配列の全要素についての、クリッピング前の値。
"""

# %%
clipped, norm = clip_by_global_norm([np.array([3.0, 0.0]), np.array([[4.0]])], 1.0)
print(clipped, norm)  # [0.6, 0.] and [[0.8]], 5.0

# %% graded clip_by_global_norm

# %% [markdown] lang="ja"
# ## 試してみる(採点なし)
#
# 雑音のある 15 点に、パラメータが約 300 個ある 2 層のネットワークを当てはめます。何もしなければ、雑音まで覚えます。作った関数を組み合わせて、検証誤差がどう変わるか見てみましょう。

# %% [markdown] lang="en"
# ## Try it (not graded)
#
# A network of two layers with some 300 parameters is fitted to 15 noisy points. Left alone it learns the noise by heart. Put your functions together and watch the validation error.

# %%
def noisy_sine(rng, count):
    x = rng.uniform(-1, 1, (count, 1))
    return x, np.sin(3 * x) + 0.4 * rng.standard_normal((count, 1))


def fit(decay=0.0, p=0.0, epochs=800, hidden=100, lr=0.01, seed=0):
    rng = np.random.default_rng(seed)
    (x, y), (x_val, y_val) = noisy_sine(rng, 15), noisy_sine(rng, 200)
    parameters = [
        15 * rng.standard_normal((1, hidden)), 7 * rng.standard_normal(hidden),
        rng.standard_normal((hidden, 1)) / hidden**0.5, np.zeros(1),
    ]
    moments = [(np.zeros_like(q), np.zeros_like(q)) for q in parameters]
    history = []
    for t in range(1, epochs + 1):
        W1, b1, W2, b2 = parameters
        h = np.tanh(x @ W1 + b1)
        dropped, scale = dropout(h, p, rng.random(h.shape), True)
        error = 2 * (dropped @ W2 + b2 - y) / len(x)
        inner = (error @ W2.T) * scale * (1 - h**2)
        slopes = x.T @ inner, inner.sum(axis=0), dropped.T @ error, error.sum(axis=0)
        slopes, _ = clip_by_global_norm(list(slopes), 5.0)
        for i, slope in enumerate(slopes):
            rate = decay if parameters[i].ndim == 2 else 0.0
            parameters[i], *moments[i] = adamw_step(
                parameters[i], slope, *moments[i], t, lr, weight_decay=rate
            )
        W1, b1, W2, b2 = parameters
        guess = np.tanh(x_val @ W1 + b1) @ W2 + b2
        history.append(np.mean((guess - y_val) ** 2))
    stop, best = early_stopping(np.array(history), 50)
    print(f"decay={decay} p={p}: stop {stop}, best {best}", end=", ")
    print(f"validation {history[best]:.3f}, after the last epoch {history[-1]:.3f}")


for options in ({}, {"decay": 0.3}, {"p": 0.2}, {"decay": 0.3, "p": 0.2}):
    fit(**options)

# %% [markdown] lang="ja"
# 何もしないと検証誤差は途中から上がり、最後の epoch の値は最良の epoch よりずっと悪くなります。荷重減衰とドロップアウトはその差を縮め、早期終了は最良の epoch を教えてくれます。
#
# **試してみましょう**
# - `p` を 0.05 や 0.8 に変えると、どうなりますか。大きすぎると、こんどは訓練データにも合わなくなります(学習不足)。
# - `decay` をバイアスにも掛けると、どうなりますか。
# - TensorFlow(Keras)なら `Dense` 層の間に `Dropout(0.5)` を挟み、`kernel_regularizer=l2(0.001)` と `EarlyStopping(patience=…, restore_best_weights=True)` を使います。Keras の `l2` は $\tfrac12$ の付かない $\lambda \sum w^2$ です。MNIST の 3 層のネットワークで、ドロップアウト率や最適化手法を変えて比べてみましょう。

# %% [markdown] lang="en"
# Left alone, the validation error soon begins to rise, and after the last epoch it is far worse than at the best. Weight decay and dropout narrow the gap, and early stopping names the best epoch.
#
# **Try it**
# - Set `p` to 0.05 or 0.8. Too much of it, and even the training data is no longer fitted (underfitting).
# - Let `decay` act on the biases too. What changes?
# - In TensorFlow (Keras) put `Dropout(0.5)` between `Dense` layers, with `kernel_regularizer=l2(0.001)` and `EarlyStopping(patience=…, restore_best_weights=True)`. Keras's `l2` is $\lambda \sum w^2$, without the $\tfrac12$. Compare dropout rates and optimisers on a three-layer network for MNIST.

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **L1 と L2**: L1 は重みをちょうど 0 にしやすい(スパース、特徴選択)。L2 は全体を滑らかに縮める。更新は $w - \eta(g + \lambda\,\mathrm{sign}(w))$ と $w - \eta(g + \lambda w)$。
# - **荷重減衰と L2**: 素朴な SGD では同じ。Adam では違い、AdamW は減衰を勾配から切り離す。
# - **ドロップアウト**: 学習時だけランダムに消す。inverted は学習時に $1/(1-p)$ 倍、classic は予測時に $(1-p)$ 倍。アンサンブルの近似で、$n$ 個のユニットから $2^n$ 通り。逆伝播も同じマスク。
# - **早期終了**: 検証データの損失をこれまでの最良値と比べ、`patience` 回続けて改善しなければ止め、最良の時点のパラメータを使う。テストデータは見ない。
# - **ラベル平滑化**: 正解は $1 - s + s/K$、ほかは $s/K$。
# - **データ拡張**: mixup は入力とラベルを同じ割合で混ぜる。CutMix は画像の一部を貼り、面積の割合でラベルを混ぜる。Cutout / Random Erasing は一部を消す。
# - **勾配クリッピング**: 全体のノルムで測り、向きを保つ。勾配爆発の対策で、勾配消失には効かない。
# - **過学習しやすい条件**: パラメータが多い、データが少ない、学習が長い。対策は正則化のほか、データを増やす、モデルを小さくする。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **L1 and L2**: L1 tends to make weights exactly 0 (sparse, feature selection), L2 shrinks all of them smoothly. The updates are $w - \eta(g + \lambda\,\mathrm{sign}(w))$ and $w - \eta(g + \lambda w)$.
# - **Weight decay and L2**: the same for plain SGD, not for Adam; AdamW takes the decay out of the gradient.
# - **Dropout**: units are dropped in training only. Inverted multiplies by $1/(1-p)$ in training, classic by $1-p$ at test time. It approximates an ensemble: $2^n$ networks from $n$ units. Backwards the mask is the same.
# - **Early stopping**: compare the validation loss with the best so far, stop after `patience` epochs in a row without improvement, and keep the best epoch's parameters. Never look at the test data.
# - **Label smoothing**: the true class has $1 - s + s/K$, every other $s/K$.
# - **Data augmentation**: mixup blends inputs and targets in one proportion. CutMix pastes a patch and mixes targets by its area. Cutout and random erasing blank out a patch.
# - **Gradient clipping**: by the global norm, which keeps the direction. It is for exploding gradients and does nothing against vanishing ones.
# - **When overfitting threatens**: many parameters, little data, long training. Besides regularisation, more data or a smaller model helps.
