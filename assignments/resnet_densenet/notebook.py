# %% [markdown] lang="ja"
# # ResNet と DenseNet
#
# 2015 年、He らは奇妙な事実を報告しました。普通のネットワークを深くすると、テスト誤差だけでなく**訓練**誤差まで悪くなります。過学習ではありません。追加した層が恒等写像になれば元と同じ誤差になるはずなのに、学習がその解にたどり着けないのです。これを**劣化**(degradation)と呼びます。
#
# 二つの答えがあります。どちらも、入力が層を飛び越えて先へ届く**近道**(ショートカット)を作ります。
#
# - **ResNet**: 入力を出力に**足す**。層が学ぶのは、入力との差(残差)$F(x) = H(x) - x$ だけでよい。
# - **DenseNet**: それまでのすべての特徴マップを**連結する**。新しい特徴は、前の特徴の隣に並ぶ。
#
# ![普通の、post、pre の三つのブロックと、ボトルネック](blocks.svg)
#
# | 記号 | 意味 |
# |---|---|
# | $N$ | サンプル数 |
# | $D, M, E$ | ブロックの入力、隠れ層、出力の幅 |
# | $k_0, k$ | Dense Block の入力チャネル数、成長率(growth rate) |
# | $\theta$ | 遷移層(Transition Layer)の圧縮率 |
#
# **約束**: 前半のブロックでは、畳み込みの代わりに、バイアスも BN もない全結合層を使います。1×1 の特徴マップに対する 1×1 畳み込みと同じものです。実際のネットワークは「畳み込み–BN–ReLU」を並べます。
# 渡された配列を書き換えないでください。計算は float64 で行います(float32 の配列で返したときは、float32 の許容誤差で比べます)。個数は整数で返します。1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # ResNet and DenseNet
#
# In 2015 He et al. reported something odd. Make a plain network deeper, and not only its test error but its **training** error gets worse. That is no overfitting: if the added layers became the identity, the error would be that of the shallower net, but training does not find this solution. They called it **degradation**.
#
# There are two answers, and both give the input a **shortcut** past the layers.
#
# - **ResNet adds** the input to the output. What the layers learn is only the difference from the input, the residual $F(x) = H(x) - x$.
# - **DenseNet concatenates** all feature maps so far. New features stand beside the old ones.
#
# ![The plain, post and pre block, and a bottleneck](blocks.svg)
#
# | letter | meaning |
# |---|---|
# | $N$ | samples |
# | $D, M, E$ | width of a block's input, hidden layer and output |
# | $k_0, k$ | input channels and growth rate of a dense block |
# | $\theta$ | compression of a transition layer |
#
# **Rules**: the blocks of the first half have fully connected layers without bias and BN in place of convolutions, which is the same as 1×1 convolutions on a 1×1 map. Real networks repeat "convolution, BN, ReLU".
# Leave the arrays that you are given unchanged. Compute in float64 (arrays that come back in float32 are compared within the tolerance of float32). Counts are integers. A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 残差ブロック
#
# 三つの種類を書きます。違いは、ショートカットの有無と ReLU の位置だけです。
#
# $$
# \begin{aligned}
# \text{plain}: &\quad y = \mathrm{relu}(\mathrm{relu}(x W_1)\, W_2) \\
# \text{post}: &\quad y = \mathrm{relu}(x + \mathrm{relu}(x W_1)\, W_2) \\
# \text{pre}: &\quad y = x + \mathrm{relu}(\mathrm{relu}(x)\, W_1)\, W_2
# \end{aligned}
# $$
#
# - **post**(2015 年の ResNet): conv–BN–ReLU–conv–BN–**add–ReLU**。最後の ReLU は加算の**後**にあります。
# - **pre**(2016 年の pre-activation): BN–ReLU–conv–BN–ReLU–conv–**add**。加算の後には**何も置きません**。ショートカットが運ぶのは、活性化の**前**の $x$ です。だから $x$ は、何層あっても足し算だけで先へ進みます: $x_L = x_l + \sum_i F(x_i)$。
# - **射影**: 入力と出力の幅が違うと足せないので、ショートカットにも行列を掛けて $x W_s$ を足します(1×1 畳み込み)。「pre」でも、掛けるのは活性化の前の $x$ です。「plain」では $W_s$ を使いません。
#
# **手で計算**: $W_1 = \begin{pmatrix} 1 & 0 & -1 \\ 0.5 & 2 & 1 \end{pmatrix}$、$W_2 = \begin{pmatrix} 1 & -1 \\ 0 & 0.5 \\ 2 & 1 \end{pmatrix}$ とします。
#
# - $x = (0.5, 3)$: $x W_1 = (2, 6, 2.5)$ はどれも正なので、枝は $(2, 6, 2.5)\, W_2 = (7, 3.5)$。plain は $(7, 3.5)$、post は $x$ を足して $(7.5, 6.5)$。$x$ に負の成分がないので、pre も $(7.5, 6.5)$ です。
# - $x = (1, -2)$: $x W_1 = (0, -4, -3)$ なので、枝は 0。plain は $(0, 0)$、post は $\mathrm{relu}(1, -2) = (1, 0)$。pre では $\mathrm{relu}(x) = (1, 0)$、$(1, 0)\, W_1 = (1, 0, -1)$、ReLU の後は $(1, 0, 0)$、枝は $(1, -1)$。だから $y = (1, -2) + (1, -1) = (2, -3)$。負のままでかまいません。
#
# > **よくある間違い**
# > - 枝の最後に ReLU を掛けてから足す。枝が負の値を出せず、足すことしかできなくなります。
# > - 残差ブロックにプーリングを入れる。縮小は、段の先頭の畳み込みのストライド 2 で行います。
# > - 「一つ前と二つ前の層の出力を連結する」と覚える。ショートカットは **2〜3 層をまとめて飛び越え**、ブロックの入力を**要素ごとに足します**。

# %% [markdown] lang="en"
# ## The residual block
#
# Write three kinds. They differ in the shortcut and in where the ReLUs stand, and in nothing else.
#
# $$
# \begin{aligned}
# \text{plain}: &\quad y = \mathrm{relu}(\mathrm{relu}(x W_1)\, W_2) \\
# \text{post}: &\quad y = \mathrm{relu}(x + \mathrm{relu}(x W_1)\, W_2) \\
# \text{pre}: &\quad y = x + \mathrm{relu}(\mathrm{relu}(x)\, W_1)\, W_2
# \end{aligned}
# $$
#
# - **post** (the ResNet of 2015): conv–BN–ReLU–conv–BN–**add–ReLU**. The last ReLU comes **after** the addition.
# - **pre** (pre-activation, 2016): BN–ReLU–conv–BN–ReLU–conv–**add**. **Nothing** follows the addition, and the shortcut carries $x$ from **before** the activation. So $x$ goes on through additions alone, however many blocks there are: $x_L = x_l + \sum_i F(x_i)$.
# - **Projection**: two widths cannot be added, so where they differ the shortcut has a matrix too and adds $x W_s$ (a 1×1 convolution). In "pre" it also takes the $x$ before the activation. "plain" does not use $W_s$.
#
# **By hand**: let $W_1 = \begin{pmatrix} 1 & 0 & -1 \\ 0.5 & 2 & 1 \end{pmatrix}$ and $W_2 = \begin{pmatrix} 1 & -1 \\ 0 & 0.5 \\ 2 & 1 \end{pmatrix}$.
#
# - $x = (0.5, 3)$: $x W_1 = (2, 6, 2.5)$ is all positive, and the branch is $(2, 6, 2.5)\, W_2 = (7, 3.5)$. Plain gives $(7, 3.5)$; post adds $x$ and gives $(7.5, 6.5)$. No entry of $x$ is negative, so pre gives $(7.5, 6.5)$ too.
# - $x = (1, -2)$: $x W_1 = (0, -4, -3)$, so the branch is 0. Plain gives $(0, 0)$, post $\mathrm{relu}(1, -2) = (1, 0)$. In pre $\mathrm{relu}(x) = (1, 0)$, $(1, 0)\, W_1 = (1, 0, -1)$, after ReLU $(1, 0, 0)$, the branch is $(1, -1)$, and $y = (1, -2) + (1, -1) = (2, -3)$. It may well be negative.
#
# > **Common mistakes**
# > - A ReLU at the end of the branch, before the addition: the branch could add, but never take away.
# > - Pooling inside a residual block: the map shrinks by stride 2 in the first convolution of a stage.
# > - "It concatenates the outputs of the last two layers": the shortcut passes **two or three layers at once** and **adds** the block's input, entry by entry.

# %% stub residual_block
"""二つの層と、それを飛び越えるショートカット。

Args:
    x: 入力、(N, D)。
    W1: 1 層目の重み、(D, M)。
    W2: 2 層目の重み、(M, E)。Ws が None なら E = D。
    kind: "plain" はショートカットなし、"post" は最後の ReLU の前に足す、"pre" は ReLU をそれぞれの層の前に置く。
    Ws: ショートカットを出力の幅に合わせる射影、(D, E)。None なら x をそのまま運ぶ。"plain" では使わない。

Returns:
    (N, E): relu(relu(x W1) W2)、relu(x Ws + relu(x W1) W2)、x Ws + relu(relu(x) W1) W2 のどれか。
"""

# %%
x = np.array([[1.0, -2.0], [0.5, 3.0]])
W1 = np.array([[1.0, 0.0, -1.0], [0.5, 2.0, 1.0]])
W2 = np.array([[1.0, -1.0], [0.0, 0.5], [2.0, 1.0]])
print(residual_block(x, W1, W2, "plain"))  # [[0, 0], [7, 3.5]]
print(residual_block(x, W1, W2))  # [[1, 0], [7.5, 6.5]]
print(residual_block(x, W1, W2, "pre"))  # [[2, -3], [7.5, 6.5]]
Ws = np.array([[2.0], [1.0]])
print(residual_block(x, W1, W2[:, :1], "post", Ws))  # [[0], [11]]

# %% graded residual_block

# %% [markdown] lang="ja"
# ## 勾配の高速道路
#
# 足し算は、届いた誤差をそのまま**両方**の入力へ渡します。$y = x + F(x)$ なら
#
# $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\left(I + \frac{\partial F}{\partial x}\right)$$
#
# です。$1$(恒等)があるので、$F$ の勾配がどれほど小さくても、誤差は消えずに戻ります。スカラーで $\partial F / \partial x = a$、ブロックが $L$ 個なら、$a^L$ の代わりに $(1 + a)^L$ です。$a = 0.1$、$L = 10$ で、$10^{-10}$ と $2.6$ の違いになります。
#
# 加算の手前に届く誤差を $g$ とします。post と plain では最後の ReLU を通るので $g = dy \odot [s > 0]$($s$ は最後の ReLU の入力)、pre では $g = dy$ です。$a$ を $W_1$ の入力(pre では $\mathrm{relu}(x)$、ほかは $x$)、$u = a W_1$、$h = \mathrm{relu}(u)$ とすると
#
# $$du = g W_2^\top \odot [u > 0], \qquad dW_1 = a^\top du, \qquad dW_2 = h^\top g$$
#
# $$dx = \underbrace{g}_{\text{ショートカット}} + \underbrace{du\, W_1^\top}_{\text{枝}}$$
#
# pre では、枝の分にさらに $[x > 0]$ を掛けます(最初の ReLU)。plain にはショートカットの $g$ がありません。ReLU の 0 での微分は 0 とします。$dW_1$、$dW_2$ はサンプルについての**和**です(平均の $1/N$ が必要なら、$dy$ にもう入っています)。
#
# **手で計算**: $x = (0.5, 3)$、$dy = (1, 1)$、post。$s = (7.5, 6.5) > 0$ なので $g = (1, 1)$。$g W_2^\top = (0, 0.5, 3)$、$u = (2, 6, 2.5) > 0$ なので $du = (0, 0.5, 3)$。$du\, W_1^\top = (-3, 4)$、$dx = (1, 1) + (-3, 4) = (-2, 5)$ です。
#
# > **よくある間違い**
# > - 「ResNet は勾配消失を解決した」とだけ覚える。2015 年の論文は、比べた普通のネットワークは BN を使っていて勾配は消えて**いない**と述べ、問題を劣化と呼びました。勾配の経路からの説明は 2016 年の論文のものです。試験ではどちらの言い方も出ます。
# > - 加算の後の ReLU を忘れる。post では、その ReLU が枝とショートカットの**両方**の誤差を止めます。

# %% [markdown] lang="en"
# ## The highway of gradients
#
# An addition hands the error that reaches it to **both** inputs unchanged. With $y = x + F(x)$
#
# $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\left(I + \frac{\partial F}{\partial x}\right)$$
#
# Thanks to the identity the error comes back however small the gradient of $F$. With scalars, $\partial F / \partial x = a$ and $L$ blocks, it is $(1 + a)^L$ in place of $a^L$: with $a = 0.1$ and $L = 10$, $2.6$ against $10^{-10}$.
#
# Let $g$ be the error that reaches the addition. Post and plain have a last ReLU, so $g = dy \odot [s > 0]$, where $s$ is that ReLU's input; in pre $g = dy$. Let $a$ be what $W_1$ multiplies ($\mathrm{relu}(x)$ in pre, else $x$), $u = a W_1$ and $h = \mathrm{relu}(u)$. Then
#
# $$du = g W_2^\top \odot [u > 0], \qquad dW_1 = a^\top du, \qquad dW_2 = h^\top g$$
#
# $$dx = \underbrace{g}_{\text{shortcut}} + \underbrace{du\, W_1^\top}_{\text{branch}}$$
#
# In pre the branch's part is multiplied by $[x > 0]$ too (the first ReLU). Plain has no shortcut and no $g$ there. The derivative of ReLU at 0 is 0. $dW_1$ and $dW_2$ are **sums** over the samples (the $1/N$ of a mean, if any, is in $dy$ already).
#
# **By hand**: $x = (0.5, 3)$, $dy = (1, 1)$, post. $s = (7.5, 6.5) > 0$, so $g = (1, 1)$. $g W_2^\top = (0, 0.5, 3)$ and $u = (2, 6, 2.5) > 0$, so $du = (0, 0.5, 3)$. $du\, W_1^\top = (-3, 4)$, and $dx = (1, 1) + (-3, 4) = (-2, 5)$.
#
# > **Common mistakes**
# > - Remembering only that "ResNet solved vanishing gradients". The paper of 2015 says that its plain nets, which use BN, do **not** suffer from them, and calls the problem degradation. The argument by the gradient's path is from the paper of 2016. The exam uses both.
# > - Forgetting the ReLU after the addition: in post it stops the error of branch **and** shortcut.

# %% stub residual_block_backward
"""ショートカットが x をそのまま運ぶブロックの勾配。

加算は、誤差 g を枝とショートカットの両方へそのまま渡す: dx = g + (枝を通って戻る分)。ReLU の 0 での微分は 0 とする。

Args:
    dy: 出力に関する損失の勾配、(N, D)。
    x: 入力、(N, D)。
    W1: 1 層目の重み、(D, M)。
    W2: 2 層目の重み、(M, D)。
    kind: "plain"、"post"、"pre" のどれか。

Returns:
    dx: (N, D)。
    dW1: サンプルについての和、(D, M)。
    dW2: サンプルについての和、(M, D)。
"""

# %%
x, dy = np.array([[0.5, 3.0]]), np.ones((1, 2))
dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2)
print(dx)  # [[-2, 5]]
print(dW1)  # [[0, 0.25, 1.5], [0, 1.5, 9]]
print(dW2)  # [[2, 2], [6, 6], [2.5, 2.5]]
print(residual_block_backward(dy, x, W1, W2, "plain")[0])  # [[-3, 4]]
print(residual_block_backward(dy, x, W1, 0 * W2, "pre")[0])  # [[1, 1]]: dy

# %% graded residual_block_backward

# %% [markdown] lang="ja"
# ## ResNet の重さを数える
#
# 次は、畳み込みと BN を備えた実際のブロックのパラメータ数です。$K \times K$ の畳み込みの重みは $K^2 C_{in} C_{out}$ 個です。
#
# | kind | 層 | チャネル |
# |---|---|---|
# | `basic` | 3×3、3×3 | $c_{in} \to w \to w$ |
# | `bottleneck` | 1×1、3×3、1×1 | $c_{in} \to w \to w \to 4w$ |
# | `wide` | BN、3×3、BN、3×3(pre-activation) | $c_{in} \to w \to w$ |
#
# - **BN** は 1 チャネルに 2 個($\gamma$ と $\beta$)。移動平均と移動分散は学習しないので数えません。BN があるので、畳み込みにバイアスはありません($\beta$ が同じ働きをします)。
# - `basic` と `bottleneck` では各畳み込みの**後**に BN があります。`wide` では各畳み込みの**前**なので、最初の BN は $c_{in}$ チャネルです。
# - **射影**のショートカット(1×1 畳み込み、$c_{in} c_{out}$ 個)は、ストライドが 1 でないか、$c_{in} \ne c_{out}$ のとき**だけ**あります。射影の後にも BN($2 c_{out}$ 個)がありますが、`wide` にはありません。恒等ショートカットのパラメータは 0 個です。
#
# **ボトルネック**は、1×1 で減らし、狭いところで 3×3 を掛け、1×1 で 4 倍に戻します。
#
# **手で計算**: $c_{in} = 256$、$w = 64$ のボトルネック。重みは $256 \cdot 64 + 9 \cdot 64^2 + 64 \cdot 256 = 16384 + 36864 + 16384 = 69632 = 17 w^2$、BN は $2(64 + 64 + 256) = 768$、合計 $70400$。64 チャネルの basic は $2 \cdot 9 \cdot 64^2 = 73728 = 18 w^2$ と BN 256 で $73984$。**ほぼ同じ重さ**で、4 倍のチャネルを扱い、1 層多くなります。256 チャネルの basic なら、$288 w^2$ の約 118 万個です。
#
# **Wide ResNet** は、深くする代わりに幅を $k$ 倍にします(段の幅は $16k, 32k, 64k$)。段の中の層は入力も出力も $k$ 倍になるので、重みは $k^2$ 倍です。浅くても精度が高く、大きな行列積が少数になるので GPU の効率が良くなります。**PyramidNet** は、段の境目で急に幅を 2 倍にする代わりに、**すべてのブロックで少しずつ**幅を増やします。
#
# > **よくある間違い**
# > - ボトルネックの 3×3 を、広いままの入力で数える。1×1 で減らした**後**に置かれます。
# > - 「ボトルネックは basic と同じ計算量」を、同じチャネル数どうしの比較だと思う。$4w$ チャネルと $w$ チャネルの比較です。

# %% [markdown] lang="en"
# ## What a ResNet weighs
#
# Now count the parameters of real blocks, with convolutions and BN. A $K \times K$ convolution has $K^2 C_{in} C_{out}$ weights.
#
# | kind | layers | channels |
# |---|---|---|
# | `basic` | 3×3, 3×3 | $c_{in} \to w \to w$ |
# | `bottleneck` | 1×1, 3×3, 1×1 | $c_{in} \to w \to w \to 4w$ |
# | `wide` | BN, 3×3, BN, 3×3 (pre-activation) | $c_{in} \to w \to w$ |
#
# - **BN** has 2 a channel, $\gamma$ and $\beta$. Running mean and variance are not learnt and not counted. With BN a convolution needs no bias: $\beta$ does its work.
# - In `basic` and `bottleneck` a BN comes **after** each convolution; in `wide` **before** each, so the first one has $c_{in}$ channels.
# - A **projection** shortcut (1×1, $c_{in} c_{out}$ weights) is there **only** if the stride is not 1 or $c_{in} \ne c_{out}$. A BN follows it ($2 c_{out}$), except in `wide`. An identity shortcut has no parameters.
#
# A **bottleneck** reduces by 1×1, does its 3×3 where it is narrow, and restores four times the width by 1×1.
#
# **By hand**: a bottleneck with $c_{in} = 256$ and $w = 64$. Weights: $256 \cdot 64 + 9 \cdot 64^2 + 64 \cdot 256 = 16384 + 36864 + 16384 = 69632 = 17 w^2$; BN: $2(64 + 64 + 256) = 768$; together $70400$. A basic block at 64 channels has $2 \cdot 9 \cdot 64^2 = 73728 = 18 w^2$ and 256 for BN, $73984$. For **about the same weight** there are four times the channels and one layer more. A basic block at 256 channels would have $288 w^2$, some 1.18 million.
#
# **Wide ResNet** goes wide in place of deep: the stages have the widths $16k, 32k, 64k$. A layer within a stage is $k$ times wider at both ends and has $k^2$ times the weights. It is accurate though shallow, and few large products suit a GPU. **PyramidNet** does not double the width at once where a stage begins, but widens **a little at every block**.
#
# > **Common mistakes**
# > - Counting the 3×3 of a bottleneck with the wide input: it comes **after** the reduction.
# > - Taking "a bottleneck costs what a basic block costs" for a comparison at equal channels: it is $4w$ against $w$ channels.

# %% stub resnet_block_param_count
"""残差ブロックのパラメータ数: バイアスのない畳み込み、BN、必要なときだけの射影。

    basic       3×3, 3×3                   c_in → width → width
    bottleneck  1×1, 3×3, 1×1              c_in → width → width → 4·width
    wide        BN, 3×3, BN, 3×3 (pre)     c_in → width → width

Args:
    kind: "basic"、"bottleneck"、"wide" のどれか。
    c_in: 入力チャネル数。
    width: 3×3 の層のチャネル数。
    stride: 特徴マップを半分にするブロックでは 2。

Returns:
    個数。ストライドが 1 でないか、チャネル数が変わるなら、ショートカットは 1×1 畳み込みで、"wide" 以外では BN が付く。
"""

# %%
print(resnet_block_param_count("basic", 64, 64))  # 73984
print(resnet_block_param_count("basic", 64, 128, stride=2))  # 230144
print(resnet_block_param_count("bottleneck", 256, 64))  # 70400
print(resnet_block_param_count("wide", 16, 160))  # 256352

# %% graded resnet_block_param_count

# %% [markdown] lang="ja"
# ### ネットワーク全体
#
# ImageNet 用の ResNet は、7×7 の畳み込み(3 → 64、BN 付き)、3×3 の最大プーリング、四つの段、大域平均プーリング、全結合の分類層(バイアスあり)からなります。プーリングにパラメータはありません。
#
# - 段 $i$(0 から)の幅は $64 \cdot 2^i$。ボトルネックでは、次のブロックへ入るのは $4 \times 64 \cdot 2^i$ チャネルです。
# - ストライド 2 は、**2 段目以降の先頭のブロックだけ**です。1 段目の前では、プーリングがもう縮小しています。
#
# **手で計算**: ResNet-18 は basic が $[2, 2, 2, 2]$ 個です(畳み込み $1 + 2 \times 8 = 17$ 層と全結合 1 層で 18)。
#
# | 部分 | パラメータ |
# |---|---|
# | 最初の畳み込みと BN | $49 \cdot 3 \cdot 64 + 128 = 9536$ |
# | 段 1 | $2 \times 73984 = 147968$ |
# | 段 2 | $230144 + 295424 = 525568$ |
# | 段 3 | $2099712$ |
# | 段 4 | $8393728$ |
# | 分類層 | $512 \cdot 1000 + 1000 = 513000$ |
# | 合計 | **11689512** |
#
# ResNet-50 はボトルネックが $[3, 4, 6, 3]$ 個で、$1 + 3 \times 16 + 1 = 50$ 層です。

# %% [markdown] lang="en"
# ### The whole network
#
# A ResNet for ImageNet has a 7×7 convolution (3 → 64, with BN), a 3×3 max pooling, four stages, global average pooling and a fully connected classifier with a bias. Pooling has no parameters.
#
# - Stage $i$ (from 0) has the width $64 \cdot 2^i$. With bottlenecks the next block takes $4 \times 64 \cdot 2^i$ channels.
# - Stride 2 is in **the first block of every stage but the first**: the pooling has just shrunk the map.
#
# **By hand**: ResNet-18 has $[2, 2, 2, 2]$ basic blocks ($1 + 2 \times 8 = 17$ convolutions and one fully connected layer: 18).
#
# | part | parameters |
# |---|---|
# | first convolution, BN | $49 \cdot 3 \cdot 64 + 128 = 9536$ |
# | stage 1 | $2 \times 73984 = 147968$ |
# | stage 2 | $230144 + 295424 = 525568$ |
# | stage 3 | $2099712$ |
# | stage 4 | $8393728$ |
# | classifier | $512 \cdot 1000 + 1000 = 513000$ |
# | together | **11689512** |
#
# ResNet-50 has $[3, 4, 6, 3]$ bottlenecks: $1 + 3 \times 16 + 1 = 50$ layers.

# %% stub resnet_param_count
"""ResNet のパラメータ数: 7×7 の畳み込み、ブロックの段、分類層。

Args:
    kind: "basic" か "bottleneck"。
    blocks: 段ごとのブロックの数。段 i の幅は 64·2^i で、2 段目以降の先頭のブロックはストライド 2。
    classes: 全結合層の出力の数。バイアスがある。

Returns:
    最初の畳み込みの BN も含めた個数。
"""

# %%
print(resnet_param_count("basic", [2, 2, 2, 2]))  # 11689512: ResNet-18
print(resnet_param_count("basic", [2, 2, 2, 2], classes=10))  # 11181642
print(resnet_param_count("bottleneck", [3, 4, 6, 3]))  # 25557032: ResNet-50

# %% graded resnet_param_count

# %% [markdown] lang="ja"
# ## Dense Block
#
# DenseNet(Huang ら, 2016)の層は、**それより前のすべて**の特徴マップを受け取ります。
#
# $$x_l = H_l([x_0, x_1, \dots, x_{l-1}])$$
#
# $[\cdot]$ は**連結**です。各層は $k$ チャネルを加えるだけなので、$l$ 番目の層(1 から)の入力は $k_0 + k(l-1)$ チャネル、$n$ 層のブロックの出力は $k_0 + kn$ チャネルです。この $k$ が**成長率**です。前の特徴がそのまま使える(**特徴の再利用**)ので、$k = 12$ や $32$ のような小さな値で足ります。どの層も、出力から短い経路で誤差を受け取ります。
#
# ![各層は前のすべてを残し、k チャネルを加える](dense.svg)
#
# 実際の $H_l$ は BN–ReLU–3×3 畳み込みです。ここでは $H_l([\dots]) = \mathrm{relu}([\dots]\, W_l)$ とします。列の順は、入力、1 層目、2 層目、… です。層がなければ $x$ を返します。
#
# **手で計算**: $x = (1, 2)$、$k = 1$、$W_1 = (1, -0.25)^\top$、$W_2 = (1, 1, 2)^\top$。
#
# - 1 層目: $\mathrm{relu}(1 - 0.5) = 0.5$。連結して $(1, 2, 0.5)$。
# - 2 層目: $\mathrm{relu}(1 + 2 + 2 \times 0.5) = 4$。連結して $(1, 2, 0.5, 4)$。
#
# | | 普通 | ResNet | DenseNet |
# |---|---|---|---|
# | 入力 | 直前の層 | 直前のブロック | ブロック内の前の層すべて |
# | 結合 | なし | **加算** | **連結** |
# | チャネル数 | 自由 | 段の中では変わらない | $k$ ずつ増える |
# | $L$ 層の結線 | $L$ | $L$ + ショートカット | $L(L+1)/2$ |
#
# > **よくある間違い** 「DenseNet は入力の特徴マップを出力に足し合わせる」。足すのは ResNet です。連結なので、出力の最初の $k_0$ 列には入力がそのまま残っています。

# %% [markdown] lang="en"
# ## The dense block
#
# A layer of DenseNet (Huang et al., 2016) takes **all** feature maps before it.
#
# $$x_l = H_l([x_0, x_1, \dots, x_{l-1}])$$
#
# $[\cdot]$ is a **concatenation**. Each layer adds only $k$ channels, so layer $l$ (from 1) takes $k_0 + k(l-1)$ channels, and a block of $n$ layers puts out $k_0 + kn$. This $k$ is the **growth rate**. Earlier features are there to be used again (**feature reuse**), so a small $k$ such as 12 or 32 is enough. Every layer gets its error from the output by a short path.
#
# ![Every layer keeps all before it and adds k channels](dense.svg)
#
# The real $H_l$ is BN, ReLU, 3×3 convolution. Here $H_l([\dots]) = \mathrm{relu}([\dots]\, W_l)$. The columns are in the order input, layer 1, layer 2, …; without layers the result is $x$.
#
# **By hand**: $x = (1, 2)$, $k = 1$, $W_1 = (1, -0.25)^\top$, $W_2 = (1, 1, 2)^\top$.
#
# - Layer 1: $\mathrm{relu}(1 - 0.5) = 0.5$; joined, $(1, 2, 0.5)$.
# - Layer 2: $\mathrm{relu}(1 + 2 + 2 \times 0.5) = 4$; joined, $(1, 2, 0.5, 4)$.
#
# | | plain | ResNet | DenseNet |
# |---|---|---|---|
# | sees | the layer before | the block before | all layers before, in its block |
# | joined by | nothing | **addition** | **concatenation** |
# | channels | free | stay within a stage | grow by $k$ |
# | connections of $L$ layers | $L$ | $L$ + shortcuts | $L(L+1)/2$ |
#
# > **Common mistake** "DenseNet adds the input feature map to the output." It is ResNet that adds. After a concatenation the input is still there, in the first $k_0$ columns of the output.

# %% stub dense_block
"""入力と、前の層すべての出力を見る層の列。

Args:
    x: 入力、k0 列、(N, K0)。
    weights: 層ごとに一つの行列。層 l = 0, 1, … の行列は k0 + l·k 行 k 列。

Returns:
    N 行、n 層なら k0 + n·k 列: x、続いて各層の出力を順に並べたもの。
"""

# %%
x = np.array([[1.0, 2.0]])
weights = [np.array([[1.0], [-0.25]]), np.array([[1.0], [1.0], [2.0]])]
print(dense_block(x, weights))  # [[1, 2, 0.5, 4]]
print(dense_block(x, weights[:1]))  # [[1, 2, 0.5]]

# %% graded dense_block

# %% [markdown] lang="ja"
# ## DenseNet のチャネル数
#
# 連結にはチャネル数だけでなく、縦横も同じである必要があるので、縮小はブロックの**間**で行います。それが**遷移層**(Transition Layer)です: BN → 1×1 畳み込み → 2×2 平均プーリング。縦横は半分に、$c$ チャネルは $\lfloor \theta c \rfloor$ に減ります(切り捨て)。$\theta = 0.5$ のものを DenseNet-C、層にボトルネックもあるものを DenseNet-BC と呼びます。$\theta = 1$ なら圧縮しません。
#
# 最後のブロックの後に遷移層はなく、BN と大域平均プーリングと分類層が続きます。
#
# ![DenseNet-121 のチャネル数: ブロックで増え、遷移層で半分になる](channels.svg)
#
# **手で計算**: DenseNet-121 は $k_0 = 64$、$k = 32$、層の数 $[6, 12, 24, 16]$。ブロック 1 の後は $64 + 6 \times 32 = 256$、遷移層の後は $128$、ブロック 2 の後は $128 + 12 \times 32 = 512$、…。121 は $1 + 2 \times 58 + 3 + 1$ 層です(1 層に畳み込みが 2 個、遷移層に 1 個)。
#
# > **よくある間違い**
# > - 「成長率 $k$ は繰り返しの回数」。$k$ は **1 層が加えるチャネル数**です。層の数は別に決めます。
# > - 「1 層ごとにチャネルが $k$ 倍になる」。$k$ **個**増えます。
# > - 「遷移層はチャネル数を元に戻す」。$\theta$ 倍です。DenseNet-121 の 256 は、64 ではなく 128 になります。

# %% [markdown] lang="en"
# ## The channels of a DenseNet
#
# Maps can be concatenated only at one height and width, so the map shrinks **between** blocks, in a **transition layer**: BN, 1×1 convolution, 2×2 average pooling. Height and width are halved, and $c$ channels become $\lfloor \theta c \rfloor$ (rounded down). With $\theta = 0.5$ it is called DenseNet-C; DenseNet-BC if its layers have a bottleneck too. With $\theta = 1$ nothing is compressed.
#
# No transition follows the last block, but BN, global average pooling and the classifier.
#
# ![Channels of DenseNet-121: they grow in blocks, and transitions halve them](channels.svg)
#
# **By hand**: DenseNet-121 has $k_0 = 64$, $k = 32$ and $[6, 12, 24, 16]$ layers. After block 1 there are $64 + 6 \times 32 = 256$ channels, after the transition $128$, after block 2 $128 + 12 \times 32 = 512$, …. The 121 are $1 + 2 \times 58 + 3 + 1$ layers (a layer has two convolutions, a transition one).
#
# > **Common mistakes**
# > - "The growth rate $k$ is how often something is repeated": $k$ is **the channels that one layer adds**. The number of layers is set apart.
# > - "Every layer multiplies the channels by $k$": it adds $k$.
# > - "A transition brings back the original number of channels": it takes $\theta$ of them. The 256 of DenseNet-121 become 128, not 64.

# %% stub densenet_channels
"""DenseNet に沿ったチャネル数。

Args:
    k0: 最初のブロックに入るチャネル数。
    growth: k、1 層が加えるチャネル数。
    blocks: ブロックごとの層の数。
    theta: (0, 1] の圧縮率。遷移層は c チャネルを ⌊θc⌋ チャネルにする。

Returns:
    ブロック 1 の後、遷移層 1 の後、ブロック 2 の後、…、最後のブロックの後。最後のブロックの後に遷移層はない。
"""

# %%
print(densenet_channels(64, 32, [6, 12, 24, 16]))
# [256, 128, 512, 256, 1024, 512, 1024]: DenseNet-121
print(densenet_channels(3, 2, [1, 1, 1]))  # [5, 2, 4, 2, 4]
print(densenet_channels(16, 12, [12, 12, 12], 1.0))  # [160, 160, 304, 304, 448]

# %% graded densenet_channels

# %% [markdown] lang="ja"
# ### DenseNet の重さ
#
# 連結でチャネルが増えると、3×3 畳み込みは高くつきます。そこで DenseNet-**B** の層は、先に 1×1 畳み込みで $4k$ チャネルに減らします。
#
# | 部分 | 中身 | パラメータ |
# |---|---|---|
# | 最初 | 7×7 畳み込み 3 → $k_0$、BN | $147 k_0 + 2 k_0$ |
# | 入力 $c$ の層 | BN、1×1 $c \to 4k$、BN、3×3 $4k \to k$ | $2c + 4kc + 8k + 36k^2$ |
# | 遷移層 | BN、1×1 $c \to \lfloor \theta c \rfloor$ | $2c + c \lfloor \theta c \rfloor$ |
# | 最後 | BN、全結合 | $2c + c \cdot \text{classes} + \text{classes}$ |
#
# 畳み込みにバイアスはありません。BN はどれも畳み込みの**前**にある(pre-activation)ので、最後のブロックの出力のための BN が一つ余分に要ります。
#
# **手で計算**: $k_0 = 8$、$k = 4$、層の数 $[1, 1]$、$\theta = 0.5$、10 クラス。最初 $149 \times 8 = 1192$、1 層目($c = 8$)$16 + 128 + 32 + 576 = 752$、$c = 12$ になり、遷移層 $24 + 12 \times 6 = 96$、2 層目($c = 6$)$12 + 96 + 32 + 576 = 716$、$c = 10$ になり、最後 $20 + 100 + 10 = 130$。合計 $2886$ です。
#
# DenseNet-121 は約 800 万個で、精度が近い ResNet-50 の 2560 万個の 3 分の 1 より少なくなります。

# %% [markdown] lang="en"
# ### What a DenseNet weighs
#
# As channels pile up, 3×3 convolutions become dear. A layer of DenseNet-**B** first reduces to $4k$ channels by a 1×1 convolution.
#
# | part | layers | parameters |
# |---|---|---|
# | stem | 7×7 convolution 3 → $k_0$, BN | $147 k_0 + 2 k_0$ |
# | layer with $c$ inputs | BN, 1×1 $c \to 4k$, BN, 3×3 $4k \to k$ | $2c + 4kc + 8k + 36k^2$ |
# | transition | BN, 1×1 $c \to \lfloor \theta c \rfloor$ | $2c + c \lfloor \theta c \rfloor$ |
# | end | BN, fully connected | $2c + c \cdot \text{classes} + \text{classes}$ |
#
# Convolutions have no bias. Every BN stands **before** a convolution (pre-activation), so one more is needed for the output of the last block.
#
# **By hand**: $k_0 = 8$, $k = 4$, $[1, 1]$ layers, $\theta = 0.5$, 10 classes. Stem $149 \times 8 = 1192$; layer 1 ($c = 8$) $16 + 128 + 32 + 576 = 752$; now $c = 12$, and the transition has $24 + 12 \times 6 = 96$; layer 2 ($c = 6$) $12 + 96 + 32 + 576 = 716$; now $c = 10$, and the end has $20 + 100 + 10 = 130$. Together $2886$.
#
# DenseNet-121 has some 8 million, less than a third of the 25.6 million of ResNet-50, which is about as accurate.

# %% stub densenet_param_count
"""3 チャネルの画像のための DenseNet-BC のパラメータ数。

    stem        7×7 convolution 3 → k0, BN
    layer       BN(c), 1×1 c → 4k, BN(4k), 3×3 4k → k       (c は k 増える)
    transition  BN(c), 1×1 c → ⌊θc⌋, 2×2 average pooling    (ブロックの間)
    head        BN(c), fully connected with a bias

Args:
    k0: 最初の畳み込みのチャネル数。
    growth: k、1 層が加えるチャネル数。
    blocks: ブロックごとの層の数。
    theta: (0, 1] の圧縮率。
    classes: 分類層の出力の数。

Returns:
    個数。畳み込みにバイアスはない。
"""

# %%
print(densenet_param_count(8, 4, [1, 1], classes=10))  # 2886
print(densenet_param_count(24, 12, [4, 4], 0.75, 10))  # 73882
print(densenet_param_count(64, 32, [6, 12, 24, 16]))  # 7978856: DenseNet-121

# %% graded densenet_param_count

# %% [markdown] lang="ja"
# ## PyTorch で: 自動微分とデバイス
#
# 同じブロックをテンソルで書けば、逆伝播は autograd が引き受けます。値に加えて、勾配も採点されます。
#
# - 足し算のノードは、誤差をそのまま両方へ渡します。ショートカットの $x$ を `detach` すると、値は同じで、勾配の高速道路だけがなくなります。
# - 連結(`torch.cat`)は、誤差を列ごとに切り分けて返します。ある特徴を見る層がいくつもあれば、勾配はその**和**です。
# - `relu(inplace=True)` や `x += …` は、渡された $x$ そのものを書き換えます。pre-activation では、ショートカットが $x$ の代わりに $\mathrm{relu}(x)$ を運ぶことになります。
# - 入力と同じデバイス・同じ dtype のテンソルを返し、途中で numpy の配列に直さないでください。

# %% [markdown] lang="en"
# ## In PyTorch: autograd and devices
#
# Written with tensors, the same blocks leave the backward pass to autograd. Gradients are graded along with the values.
#
# - The addition hands the error to both sides. Detach the $x$ of the shortcut, and the values stay; only the highway of gradients is gone.
# - A concatenation (`torch.cat`) cuts the error by columns. Where several layers see a feature, its gradient is the **sum** of theirs.
# - `relu(inplace=True)` and `x += …` overwrite the $x$ that was given. In a pre-activation block the shortcut would then carry $\mathrm{relu}(x)$ in place of $x$.
# - Return tensors on the device and in the dtype of the inputs, without passing through arrays.

# %%
import torch

# %% stub residual_block_torch
"""二つの層と、それを飛び越えるショートカット。

Args:
    x: 入力、(N, D)。
    W1: 1 層目の重み、(D, M)。
    W2: 2 層目の重み、(M, E)。Ws が None なら E = D。
    kind: "plain" はショートカットなし、"post" は最後の ReLU の前に足す、"pre" は ReLU をそれぞれの層の前に置く。
    Ws: ショートカットを出力の幅に合わせる射影、(D, E)。None なら x をそのまま運ぶ。"plain" では使わない。

Returns:
    (N, E): relu(relu(x W1) W2)、relu(x Ws + relu(x W1) W2)、x Ws + relu(relu(x) W1) W2 のどれか。
"""

# %%
x = torch.tensor([[0.5, 3.0]], dtype=torch.float64, requires_grad=True)
y = residual_block_torch(x, torch.tensor(W1), torch.tensor(W2))
y.sum().backward()
print(y.tolist())  # [[7.5, 6.5]]
print(x.grad.tolist())  # [[-2.0, 5.0]]

# %% graded residual_block_torch

# %% stub dense_block_torch
"""入力と、前の層すべての出力を見る層の列。

Args:
    x: 入力、k0 列、(N, K0)。
    weights: 層ごとに一つの行列。層 l = 0, 1, … の行列は k0 + l·k 行 k 列。

Returns:
    N 行、n 層なら k0 + n·k 列: x、続いて各層の出力を順に並べたもの。
"""

# %%
x = torch.tensor([[1.0, 2.0]], dtype=torch.float64, requires_grad=True)
y = dense_block_torch(x, [torch.tensor(W) for W in weights])
y.sum().backward()
print(y.tolist())  # [[1.0, 2.0, 0.5, 4.0]]
print(x.grad.tolist())  # [[5.0, 1.25]]

# %% graded dense_block_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **劣化と残差学習。** 深くすると訓練誤差まで上がる。$H(x)$ の代わりに残差 $F(x) = H(x) - x$ を学び、$y = F(x) + x$ とする。恒等写像は $F = 0$ でよく、学習しやすく収束も早い。100 層を超えるネットワークが安定して学習できる。
# - **勾配。** $\partial L / \partial x = \partial L / \partial y\,(1 + \partial F / \partial x)$。1 があるので消えにくい。
# - **並び。** 元の ResNet は conv–BN–ReLU–conv–BN–add–ReLU。pre-activation は (BN–ReLU–conv) を 2 回、最後が add。
# - **派生。** ボトルネック(1×1 で減らし、3×3、1×1 で 4 倍に戻す: $17w^2$ と $18w^2$)、pre-activation(順序)、Wide ResNet(幅を $k$ 倍、重みは $k^2$ 倍、浅くて GPU 向き)、PyramidNet(ブロックごとに少しずつ広げ、急な拡幅の負担を避ける)。AlphaGo Zero は 256 チャネルの普通の残差ブロックを 19 個か 39 個使う。
# - **二つの見方。** $n$ 個のブロックの経路は $2^n$ 通りあり、深さの異なるネットワークのアンサンブルとも見られる。層を素通りできる点はドロップアウトに似ているが、ランダムに落とすのではない(それは stochastic depth)。
# - **ResNet と DenseNet。** 加算と連結。コードの穴埋め: `h = np.concatenate([h, new], axis=1)`。
# - **DenseNet の数え上げ。** $l$ 番目の層の入力 $k_0 + k(l-1)$、ブロックの出力 $k_0 + kn$。遷移層(BN–1×1 畳み込み–2×2 平均プーリング)の後は $\lfloor \theta (k_0 + kn) \rfloor$。$k$ は層の数ではない。
# - **DenseNet の利点。** 特徴の再利用、勾配消失の緩和、小さい $k$ で足りるのでパラメータが少ない。一方、連結した特徴を保つメモリが要る。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Degradation and residual learning.** Deeper, even the training error rises. In place of $H(x)$ learn the residual $F(x) = H(x) - x$, with $y = F(x) + x$. The identity needs only $F = 0$: it is easy to learn, and training converges sooner. More than 100 layers train stably.
# - **Gradient.** $\partial L / \partial x = \partial L / \partial y\,(1 + \partial F / \partial x)$: the 1 keeps it from vanishing.
# - **Order.** The original block is conv–BN–ReLU–conv–BN–add–ReLU. Pre-activation is (BN–ReLU–conv) twice, then add.
# - **Variants.** Bottleneck (1×1 reduces, 3×3, 1×1 restores four times: $17w^2$ against $18w^2$), pre-activation (the order), Wide ResNet ($k$ times the width, $k^2$ times the weights, shallow, suits a GPU), PyramidNet (a little wider at each block, without the load of a sudden widening). AlphaGo Zero has 19 or 39 ordinary residual blocks of 256 channels.
# - **Two views.** $n$ blocks have $2^n$ paths: an ensemble of nets of different depth. That a layer can be passed by resembles dropout, but nothing is dropped at random (that is stochastic depth).
# - **ResNet and DenseNet.** Addition and concatenation. A blank in code: `h = np.concatenate([h, new], axis=1)`.
# - **Counting in DenseNet.** Layer $l$ takes $k_0 + k(l-1)$ channels, a block puts out $k_0 + kn$. After a transition (BN, 1×1 convolution, 2×2 average pooling) there are $\lfloor \theta (k_0 + kn) \rfloor$. $k$ is not the number of layers.
# - **What DenseNet gains.** Features are used again, gradients vanish less, and a small $k$ is enough, so there are few parameters. The joined features take memory.
