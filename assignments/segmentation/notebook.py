# %% [markdown] lang="ja"
# # セマンティックセグメンテーション
#
# **セマンティックセグメンテーション**は、画像の**すべての画素にクラスを一つずつ**割り当てる問題です。画像分類が「何が写っているか」、物体検出が「何がどの枠にあるか」を答えるのに対して、こちらは「どの画素が何か」を答えます。
#
# | 問題 | 出力 |
# |---|---|
# | セマンティックセグメンテーション | 画素ごとのクラス。隣り合う 2 台の車は区別しない |
# | インスタンスセグメンテーション | 物体ごとのマスク(例: Mask R-CNN)。2 台の車は別のマスク |
# | パノプティックセグメンテーション | 両方: 全画素のクラスと、数えられる物体の番号 |
#
# 出発点は **FCN**(Fully Convolutional Network、全畳み込みネットワーク)です。分類ネットワークの全結合層は、入力の特徴マップと同じ大きさのカーネルをもつ畳み込みと同じ計算です(VGG-16 の fc6 は $7 \times 7$ の畳み込み)。**全結合層を畳み込みに書き換える**と、どんな大きさの画像でも入力でき、クラスのスコアが**マップ**として出てきます。
# ただし、5 回のプーリングを経たマップは $1/32$ の粗さです。この課題では、粗いマップを元の大きさに戻す方法、そのときの大きさの計算、画素ごとの損失、そして予測の良し悪しを測る指標を、順に作ります。
#
# > **よくある間違い**
# > - 「セマンティックセグメンテーションは物体の位置を画素単位で求める」とだけ覚える。求めるのは画素の**クラス**で、物体の区別は付きません。個々の物体を分けるのはインスタンスセグメンテーションです。
# > - 「FCN は全結合層を取り除いたネットワーク」とする。取り除くのではなく、**畳み込みに置き換え**ます。
#
# **約束**: 記号は $N$ 画像の枚数、$C$ チャネル数(スコアではクラス数)、$M$ 出力チャネル数、$K$(または $k$)カーネルの一辺、$s$ ストライド、$p$ パディング。大きさと個数は整数で返します。渡された配列を書き換えないでください。計算は float64 で行います(float32 の配列で返したときは、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Semantic segmentation
#
# **Semantic segmentation** gives **every pixel** of an image **a class**. Classification says what is in the picture, detection says what is in which box, segmentation says which pixel is what.
#
# | task | output |
# |---|---|
# | semantic segmentation | a class for each pixel; two cars side by side are not told apart |
# | instance segmentation | a mask for each object (Mask R-CNN, say); two cars are two masks |
# | panoptic segmentation | both: the class of every pixel, and a number for each object that can be counted |
#
# It begins with **FCN**, the fully convolutional network. A fully connected layer of a classifier computes the same as a convolution whose kernel is as large as the map (fc6 of VGG-16 is a $7 \times 7$ convolution). **Rewrite these layers as convolutions**, and the net takes images of any size and puts out its class scores as **a map**.
# After five poolings that map is 32 times coarser than the image. Here you write, step by step, how to get the resolution back and which sizes come up on the way, the loss over the pixels, and the scores that say how good a prediction is.
#
# > **Common mistakes**
# > - "Semantic segmentation locates objects to the pixel": what it finds is the **class** of each pixel, and it does not tell objects apart. That is instance segmentation.
# > - "FCN removes the fully connected layers": it does not remove them, it **turns them into convolutions**.
#
# **Rules**: $N$ images, $C$ channels (of scores: classes), $M$ output channels, $K$ (or $k$) the side of the kernel, $s$ stride, $p$ padding. Sizes and counts are integers. Leave the arrays that you are given unchanged. Compute in float64 (arrays that come back in float32 are compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 畳み込みの大きさと、確率の対数
#
# 次の二つの関数を使ってかまいません。一つめは畳み込みの出力の大きさです。**膨張畳み込み**(dilated convolution、Atrous 畳み込み)では、カーネルのセルを $d$ 画素おきに置くので、カーネルが覆う幅は $k$ ではなく $d(k-1)+1$ になります。
#
# $$n_{out} = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# **手で計算**: $k = 3$、$d = 2$ のセルは $0, 2, 4$ にあり、幅は $5 = 2 \cdot 2 + 1$ です($dk = 6$ ではありません)。$s = 1$ で大きさを保つには $p = d$ とします: $65 + 2 \cdot 2 - 4 - 1 + 1 = 65$。

# %% [markdown] lang="en"
# ## The size of a convolution, and logarithms of probabilities
#
# You may use the next two functions. The first is the output size of a convolution. A **dilated** (à trous) convolution puts the cells of its kernel $d$ pixels apart, so the kernel spans $d(k-1)+1$ pixels, not $k$.
#
# $$n_{out} = \left\lfloor \frac{n + 2p - d(k-1) - 1}{s} \right\rfloor + 1$$
#
# **By hand**: with $k = 3$, $d = 2$ the cells are at $0, 2, 4$, a span of $5 = 2 \cdot 2 + 1$ (not $dk = 6$). With $s = 1$ a padding of $p = d$ keeps the size: $65 + 2 \cdot 2 - 4 - 1 + 1 = 65$.

# %% given conv_out_size
"""一つの軸で、カーネルを置き始められる位置の個数。

Args:
    size: 入力の大きさ。
    kernel: カーネルの一辺。
    stride: 位置の間隔。
    padding: 両側それぞれに加える 0 の数。
    dilation: カーネルのセルの間隔。

Returns:
    ⌊(size + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1。
"""

# %% given log_softmax
"""確率の対数。確率そのものが 0 に丸められるところでも有限である。"""

# %% [markdown] lang="ja"
# ## 受容野: 一つの画素は何を見ているか
#
# 画素のクラスは、その周りを見なければ決まりません。出力の 1 画素に影響する入力の範囲を**受容野**(receptive field)といいます。一つの軸で考えます。層 $l$ のカーネルを $k_l$、ストライドを $s_l$、ダイレーションを $d_l$ とすると、
#
# $$\text{field} = 1 + \sum_l d_l (k_l - 1) \prod_{i<l} s_i, \qquad \text{jump} = \prod_l s_l$$
#
# `jump` は、隣り合う出力が見ている場所が、入力で何画素離れているかです。層を一つ重ねると、受容野は $d(k-1)$ 歩だけ広がり、1 歩の長さがその時点の jump です。
#
# - ある層のストライドが広げるのは、**後の層**の歩幅だけです。
# - プーリングも、同じ $(k, s, 1)$ の層として数えます。パディングは関係しません。
# - 層が一つもなければ $(1, 1)$ です。
#
# **手で計算**: 3×3 畳み込み(ストライド 1)、2×2 プーリング(ストライド 2)、3×3 畳み込み。
#
# | 層 | 広がり | field | jump |
# |---|---|---|---|
# | (入力) | | 1 | 1 |
# | 3×3、s=1 | $2 \times 1$ | 3 | 1 |
# | プール 2、s=2 | $1 \times 1$ | 4 | 2 |
# | 3×3、s=1 | $2 \times 2$ | **8** | **2** |
#
# ![3×3 を 3 層: ダイレーションなしで 7 画素、1, 2, 4 なら 15 画素](fields.svg)
#
# 受容野を広げる方法は二つあります。プーリング(jump を増やすので、解像度が下がる)と、**膨張畳み込み**(解像度を保ったまま広げる)です。$3 \times 3$ を $n$ 層で $2n+1$ 画素ですが、ダイレーションを $1, 2, 4, \dots$ と倍にすれば $2^{n+1}-1$ 画素です。
# DeepLab はこれを使い、プーリングのストライドを 1 にして、**後のすべての層**のダイレーションをその分だけ掛けました。受容野は同じで、マップは細かいままです。
#
# > **よくある間違い** 3×3 を 2 層重ねた受容野は 6 でも 9 でもなく **5** です。1 層ごとに増えるのは $k$ ではなく $k-1$ です。

# %% [markdown] lang="en"
# ## The receptive field: what one pixel sees
#
# A pixel's class cannot be told without its surroundings. The part of the input that bears on one output pixel is its **receptive field**. Along one axis, with kernel $k_l$, stride $s_l$ and dilation $d_l$ of layer $l$,
#
# $$\text{field} = 1 + \sum_l d_l (k_l - 1) \prod_{i<l} s_i, \qquad \text{jump} = \prod_l s_l$$
#
# The `jump` is how many input pixels apart neighbouring outputs look. A further layer widens the field by $d(k-1)$ steps, each as long as the jump so far.
#
# - A stride lengthens the steps of **later layers** only.
# - A pooling counts like any layer, $(k, s, 1)$. Padding plays no part.
# - No layer at all gives $(1, 1)$.
#
# **By hand**: a 3×3 convolution (stride 1), a 2×2 pooling (stride 2), a 3×3 convolution.
#
# | layer | widens by | field | jump |
# |---|---|---|---|
# | (input) | | 1 | 1 |
# | 3×3, s=1 | $2 \times 1$ | 3 | 1 |
# | pool 2, s=2 | $1 \times 1$ | 4 | 2 |
# | 3×3, s=1 | $2 \times 2$ | **8** | **2** |
#
# ![Three 3×3 layers: 7 pixels without dilation, 15 with dilations 1, 2, 4](fields.svg)
#
# Two things widen a field: pooling (which raises the jump, and so loses resolution) and **dilated convolution** (which keeps it). Of $3 \times 3$ layers $n$ see $2n+1$ pixels; with the dilations doubling, $1, 2, 4, \dots$, they see $2^{n+1}-1$.
# DeepLab uses this: it sets the stride of a pooling to 1 and multiplies the dilation of **all later layers** by what was lost. The field is the same, and the map stays fine.
#
# > **Common mistake** Two 3×3 layers see neither 6 nor 9 pixels but **5**: a layer adds $k-1$, not $k$.

# %% stub receptive_field
"""一つの軸で、出力の 1 画素が見る入力の画素数と、隣り合う出力が見る場所の間隔。

Args:
    layers: (kernel, stride, dilation) の列。入力に近い層が先。プーリングもほかと同じ層である。

Returns:
    field: 1 + Σ dilation·(kernel - 1)·(それより前の層のストライドの積)。
    jump: すべてのストライドの積。
"""

# %%
print(receptive_field([(3, 1, 1), (2, 2, 1), (3, 1, 1)]))  # (8, 2)
print(receptive_field([(3, 1, 1), (3, 1, 2), (3, 1, 4)]))  # (15, 1)

vgg16 = []
for convolutions in (2, 2, 3, 3, 3):
    vgg16 += [(3, 1, 1)] * convolutions + [(2, 2, 1)]
print(receptive_field(vgg16))  # (212, 32)
print(receptive_field(vgg16 + [(7, 1, 1)]))  # (404, 32): with fc6 as a convolution

# %% graded receptive_field

# %% [markdown] lang="ja"
# ## 転置畳み込みの大きさ
#
# 粗いマップを大きくする方法には、値の複製や線形補間、後で作るアンプーリング、そして重みを**学習できる転置畳み込み**(transposed convolution)があります。
# 転置畳み込みでは、入力の画素 $i$ が、出力の $i \cdot s$ から始まる $k$ 個のセルにカーネルを置きます。最後の画素は $(n-1)s$ から $k$ 個を使うので、全体の大きさは $(n-1)s + k$ です。そこから両端の $p$ 画素ずつを**切り取り**、必要なら片端に $r$ 画素を足します。
#
# $$n_{out} = (n - 1)\,s - 2p + k + r$$
#
# - `padding` は、畳み込みと**逆**に、出力を小さくします(PyTorch と同じ約束)。
# - `output_padding` $r$($0 \le r < s$): ストライド $s$ の畳み込みでは、異なる大きさの入力が同じ大きさの出力になります。どれに戻すのかを $r$ で選びます。
#
# **手で計算**: $n = 2$、$k = 3$、$s = 2$ なら $1 \cdot 2 + 3 = 5$、$p = 1$ なら $3$。
# 大きさ 14 を $k=3, s=2, p=1$ で畳み込むと $\lfloor 13/2 \rfloor + 1 = 7$。13 からも 7 です。7 を同じ $k, s, p$ で戻すと $6 \cdot 2 - 2 + 3 = 13$、$r = 1$ なら 14 になります。
#
# ちょうど $s$ 倍にするには $k = s$、$p = 0$(U-Net の $2 \times 2$)か、$k = 2s$、$p = s/2$(FCN の $k = 64, s = 32, p = 16$)とします。

# %% [markdown] lang="en"
# ## The size of a transposed convolution
#
# Coarse maps can be enlarged by repeating or interpolating values, by unpooling (below), and by **transposed convolution**, whose weights are **learned**.
# There input pixel $i$ puts its kernel on the $k$ output cells from $i \cdot s$ on. The last pixel uses $k$ cells from $(n-1)s$ on, so the whole is $(n-1)s + k$ wide. Of that $p$ pixels are **cut off** each side, and $r$ may be added at one end.
#
# $$n_{out} = (n - 1)\,s - 2p + k + r$$
#
# - `padding` makes the output smaller, **the other way round** than in a convolution (as in PyTorch).
# - `output_padding` $r$ ($0 \le r < s$): a convolution with stride $s$ maps several sizes to one, and $r$ says which of them is meant.
#
# **By hand**: $n = 2$, $k = 3$, $s = 2$ give $1 \cdot 2 + 3 = 5$, with $p = 1$ it is $3$.
# A side of 14 convolved with $k=3, s=2, p=1$ is $\lfloor 13/2 \rfloor + 1 = 7$, and so is 13. Back with the same $k, s, p$ it is $6 \cdot 2 - 2 + 3 = 13$, with $r = 1$ it is 14.
#
# Exactly $s$ times the side comes from $k = s$, $p = 0$ (the $2 \times 2$ of U-Net) or $k = 2s$, $p = s/2$ ($k = 64, s = 32, p = 16$ in FCN).

# %% stub transposed_size
"""転置畳み込みの出力の一辺。

Args:
    size: 入力の一辺。
    kernel: カーネルの一辺。
    stride: 入力で隣り合う画素が、出力で何画素離れるか。
    padding: 出力の両側それぞれから切り取る画素の数。
    output_padding: 出力の片端に足す画素の数。stride より小さい。

Returns:
    (size - 1)·stride - 2·padding + kernel + output_padding。
"""

# %%
print(transposed_size(2, 3, 2), transposed_size(2, 3, 2, 1))  # 5 3
print(transposed_size(7, 3, 2, 1), transposed_size(7, 3, 2, 1, 1))  # 13 14
print(transposed_size(28, 2, 2), transposed_size(16, 64, 32, 16))  # 56 512

# %% graded transposed_size

# %% [markdown] lang="ja"
# ## 転置畳み込み
#
# 値の計算も同じ考えです。入力の各画素が「値 × カーネル」というスタンプを押し、**重なったところは足します**。
#
# $$y[n, m, is + a - p,\; js + b - p] \mathrel{+}= \sum_c x[n, c, i, j]\; w[c, m, a, b]$$
#
# ![大きさ 2 の入力、カーネル 3、ストライド 2: スタンプを置いて足す](stamps.svg)
#
# - 重みの形は $(C, M, K, K)$ で、**入力チャネルが先**です。普通の畳み込みの $(C_{out}, C_{in}, K, K)$ とは逆です。
# - カーネルは反転しません。`padding` は、全部を足した後に両側から $p$ 画素ずつ切り取ります。
#
# **手で計算**: $x = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$、$w = \begin{pmatrix} 1 & 10 \\ 100 & 1000 \end{pmatrix}$、$s = 1$。中央の画素には四つのスタンプが重なり、$1 \cdot 1000 + 2 \cdot 100 + 3 \cdot 10 + 4 \cdot 1 = 1234$ です。四隅は一つだけで、$1, 20, 300, 4000$ です。
#
# なぜ「転置」なのでしょうか。畳み込みは、画像を 1 本のベクトルに並べれば行列 $A$ を掛けることです。転置畳み込みは $A^\top$ を掛けます。つまり、すべての $z$ について $\langle A z, x \rangle = \langle z, A^\top x \rangle$ で、これは**同じ重みの畳み込みの逆伝播**と同じ計算です。
#
# > **よくある間違い**
# > - 「デコンボリューション(逆畳み込み)」と呼ばれますが、畳み込みの**逆演算ではありません**。元に戻るのは大きさで、値は戻りません。
# > - $k$ が $s$ で割り切れないと、スタンプの重なる回数が場所によって違い、**市松模様**(checkerboard artifact)が出やすくなります。図の中央のセルだけが 2 回足されています。

# %% [markdown] lang="en"
# ## Transposed convolution
#
# The values follow the same thought. Every input pixel stamps its value times the kernel, and **where stamps overlap they add up**.
#
# $$y[n, m, is + a - p,\; js + b - p] \mathrel{+}= \sum_c x[n, c, i, j]\; w[c, m, a, b]$$
#
# ![An input of size 2, a kernel of 3, stride 2: put the stamps down and add](stamps.svg)
#
# - The weights are $(C, M, K, K)$, **input channels first**: the other way round than the $(C_{out}, C_{in}, K, K)$ of a convolution.
# - The kernel is not flipped. After everything is added up, `padding` cuts $p$ pixels off each side.
#
# **By hand**: $x = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$, $w = \begin{pmatrix} 1 & 10 \\ 100 & 1000 \end{pmatrix}$, $s = 1$. Four stamps meet in the middle: $1 \cdot 1000 + 2 \cdot 100 + 3 \cdot 10 + 4 \cdot 1 = 1234$. Each corner has one: $1, 20, 300, 4000$.
#
# Why "transposed"? With the image laid out as a vector, a convolution is a matrix $A$. The transposed convolution multiplies by $A^\top$: $\langle A z, x \rangle = \langle z, A^\top x \rangle$ for all $z$, which is the same as **the backward pass of the convolution** with these weights.
#
# > **Common mistakes**
# > - It is often called "deconvolution", but it does **not invert** a convolution. The size comes back, the values do not.
# > - Where $s$ does not divide $k$, some places get more stamps than others, and **checkerboards** appear. In the figure the middle cell alone is added to twice.

# %% stub conv_transpose2d
"""転置畳み込み: 入力の各画素が、自分の値を掛けたカーネルを出力に足す。

Args:
    x: 画像、(N, C, H, W)。
    w: カーネル。入力チャネルが先、(C, M, K, K)。反転しない。
    stride: 隣り合う画素のカーネルを置く間隔。
    padding: 出力の両側それぞれから切り取る画素の数。

Returns:
    (N, M, H_out, W_out)。
"""

# %%
x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
w = np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
print(conv_transpose2d(x, w))  # [[[[1, 12, 20], [103, 1234, 2040], [300, 3400, 4000]]]]

w = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)
print(conv_transpose2d(x, w, 2, 1))  # [[[[5, 14, 10], [14, 36, 24], [15, 34, 20]]]]

# %% graded conv_transpose2d

# %% [markdown] lang="ja"
# ## FCN: 粗いスコアに細かいスコアを足す
#
# FCN-32s は、$1/32$ のスコアを一気に 32 倍します。境界はぼやけます。そこで、途中のプーリング層の出力からも $1 \times 1$ 畳み込みでスコアを作り、**足し合わせます**(スキップ接続)。
#
# | 変種 | 足すスコア | 最後の拡大 |
# |---|---|---|
# | FCN-32s | $1/32$ だけ | 32 倍 |
# | FCN-16s | $1/32$ を 2 倍 + **pool4 の後**($1/16$) | 16 倍 |
# | FCN-8s | さらに 2 倍 + **pool3 の後**($1/8$) | 8 倍 |
#
# 名前の数は、最後の拡大率です。スコアを作る $1 \times 1$ 畳み込みのパラメータは、pool4(512 チャネル)なら $512 C + C$ 個です。細かいスコアを足すと、境界がはっきりします。受容野の大きさは、いちばん深い経路で決まるので変わりません。
#
# **大きさの約束**: 畳み込みは大きさを保ちます。プーリングは、端で切れた窓も数えます($n \to \lceil n/2 \rceil$)。拡大はちょうど $f$ 倍で、大きすぎる分は切り取ります。(公開された実装は、画像に 100 画素のパディングを足して、別の大きさで計算します。)
#
# **手で計算**: $n = 500$、FCN-8s。プーリングのたびに $250, 125, 63, 32, 16$。
#
# ![500 画素の画像での FCN-8s の大きさ](ladder.svg)
#
# $16 \times 2 = 32$ は pool4 と同じ(切り取り 0)、$32 \times 2 = 64$ は pool3 の 63 より 1 大きく、$63 \times 8 = 504$ は 4 大きい。よって `([16, 32, 63], [0, 1, 4])` です。

# %% [markdown] lang="en"
# ## FCN: finer scores added to coarse ones
#
# FCN-32s enlarges the scores of stride 32 at once, 32 times, and its borders are blurred. So scores are also made from the outputs of earlier poolings, by $1 \times 1$ convolutions, and **added** (skip connections).
#
# | variant | scores added | last enlargement |
# |---|---|---|
# | FCN-32s | $1/32$ alone | 32 times |
# | FCN-16s | $1/32$ doubled + **after pool4** ($1/16$) | 16 times |
# | FCN-8s | doubled again + **after pool3** ($1/8$) | 8 times |
#
# The number in the name is the last factor. The $1 \times 1$ convolution that makes scores of pool4 (512 channels) has $512 C + C$ parameters. Finer scores make the borders sharper. The receptive field stays that of the deepest path.
#
# **Sizes here**: convolutions keep the size. A pooling counts a last window that is cut off ($n \to \lceil n/2 \rceil$). Enlarging is exactly $f$ times, and what is too large is cut. (The published code pads the image by 100 pixels instead, and has other sizes.)
#
# **By hand**: $n = 500$, FCN-8s. The poolings leave $250, 125, 63, 32, 16$.
#
# ![The sizes of FCN-8s on an image of 500 pixels](ladder.svg)
#
# $16 \times 2 = 32$ is the side of pool4 (nothing is cut), $32 \times 2 = 64$ is 1 more than the 63 of pool3, and $63 \times 8 = 504$ is 4 too many: `([16, 32, 63], [0, 1, 4])`.

# %% stub fcn_shape_plan
"""畳み込みが大きさを保つ FCN-32s、FCN-16s、FCN-8s で、元の大きさに戻るまでの大きさ。

5 回のプーリングはどれも半分にし、端で切れた窓も数える: ⌈n/2⌉。戻るときは、スコアを 2 倍にし、
次の細かいマップの大きさに切り取って、そのスコアに足す。最後に一度で `stride` 倍に拡大する。

Args:
    size: 画像の一辺。
    stride: 32, 16, 8 のどれか。最後の拡大率。

Returns:
    sides: 足し合わせるスコアのマップの一辺。粗い順。
    crops: 拡大のたびに切り取る画素数の合計。一辺ごとに一つ。
"""

# %%
print(fcn_shape_plan(500, 8))  # ([16, 32, 63], [0, 1, 4])
print(fcn_shape_plan(500, 16))  # ([16, 32], [0, 12])
print(fcn_shape_plan(512, 32))  # ([16], [0])

# %% graded fcn_shape_plan

# %% [markdown] lang="ja"
# ## 位置を覚えるプーリングと、アンプーリング
#
# **SegNet** は、プーリングのときに**最大値があった位置**(スイッチ)を覚えておき、復号器でその位置に値を戻します。ほかの位置は 0 です。特徴マップそのものを渡さないので、メモリが少なくて済みます。
#
# ![2×2 の最大プーリングの値と番号、そしてアンプーリング](switches.svg)
#
# **約束**: 窓は $k \times k$、ストライドは $k$(窓は重ならず、$k$ は縦横を割り切る)。番号は、**その画像・そのチャネルの平面**を行の順に並べたときの位置 $\text{行} \cdot W + \text{列}$ で、窓の中の番号ではありません。同じ値が並んだら、行の順で最初の位置を選びます(PyTorch と同じ)。
#
# **手で計算**: 図の右上の窓は $\begin{pmatrix} 2 & 0 \\ 7 & 7 \end{pmatrix}$ です。最大値 7 は二つあり、先に現れるのは行 1、列 2 なので、番号は $1 \cdot 4 + 2 = 6$ です。左下の窓の 9 は行 3、列 0 で、番号は 12 です。

# %% [markdown] lang="en"
# ## Pooling that remembers, and unpooling
#
# **SegNet** remembers **where each maximum stood** (the switches) and puts values back there in its decoder, with zeros elsewhere. No feature maps are handed over, which saves memory.
#
# ![Values and indices of 2×2 max pooling, and unpooling](switches.svg)
#
# **Rules**: windows are $k \times k$ with stride $k$ (they do not overlap, and $k$ divides both sides). An index is the position $\text{row} \cdot W + \text{column}$ in **the plane of that image and channel**, read row by row, not the place in the window. Of equal values the first in row order is taken (as in PyTorch).
#
# **By hand**: the upper right window of the figure is $\begin{pmatrix} 2 & 0 \\ 7 & 7 \end{pmatrix}$. There are two 7s; the first is in row 1, column 2, so its index is $1 \cdot 4 + 2 = 6$. The 9 of the lower left window is in row 3, column 0: index 12.

# %% stub max_pool_indices
"""k×k の窓、ストライド k の最大プーリング。最大値のあった位置を覚える。

Args:
    x: 画像、(N, C, H, W)。
    k: 窓の一辺。H と W を割り切る。

Returns:
    values: 各窓の最大値、(N, C, H_out, W_out)。
    indices: x の平面でのその位置 row·W + column。等しい値があれば行の順で最初のもの、(N, C, H_out, W_out)。
"""

# %%
x = np.array([[[[1.0, 5, 2, 0], [3, 4, 7, 7], [0, 1, 1, 2], [9, 8, 3, 2]]]])
values, indices = max_pool_indices(x, 2)
print(values)  # [[[[5, 7], [9, 3]]]]
print(indices)  # [[[[1, 6], [12, 14]]]]

# %% graded max_pool_indices

# %% [markdown] lang="ja"
# アンプーリングは、覚えた位置に値を戻すだけです。戻す値は復号器の特徴なので、**負でもかまいません**。負の値も、そのまま置きます。
#
# **手で計算**: $y = (-1, 2)$、番号 $(4, 3)$、$k = 2$ なら、出力は $2 \times 4$ の平面です。番号 4 は行 $\lfloor 4/4 \rfloor = 1$、列 $4 \bmod 4 = 0$、番号 3 は行 0、列 3 です。
#
# $$\begin{pmatrix} 0 & 0 & 0 & 2 \\ -1 & 0 & 0 & 0 \end{pmatrix}$$
#
# > **よくある間違い** アンプーリングは、値を窓全体に複製する最近傍補間でも、左上に置く方法でもありません。最大値の**位置**を使い、ほかは 0 です。だから、境界の位置がずれません。

# %% [markdown] lang="en"
# Unpooling only puts values where the indices say. These values are features of the decoder and **may be negative**: they are put back as they are.
#
# **By hand**: with $y = (-1, 2)$, indices $(4, 3)$ and $k = 2$ the output is a plane of $2 \times 4$. Index 4 is row $\lfloor 4/4 \rfloor = 1$, column $4 \bmod 4 = 0$; index 3 is row 0, column 3.
#
# $$\begin{pmatrix} 0 & 0 & 0 & 2 \\ -1 & 0 & 0 & 0 \end{pmatrix}$$
#
# > **Common mistake** Unpooling does not copy the value over the window (nearest neighbour), nor put it in the upper left corner. It uses the **position** of the maximum, and all else is 0: so the borders stay where they were.

# %% stub max_unpool
"""最大値のあった位置に値を戻し、ほかは 0 にする。

Args:
    y: プーリングされた値、(N, C, H, W)。
    indices: 結果の平面での位置 row·(k·W) + column、(N, C, H, W)。
    k: 窓の一辺。

Returns:
    (N, C, kH, kW)。
"""

# %%
print(max_unpool(np.array([[[[-1.0, 2.0]]]]), np.array([[[[4, 3]]]]), 2))
# [[[[0, 0, 0, 2], [-1, 0, 0, 0]]]]

# %% graded max_unpool

# %% [markdown] lang="ja"
# ## U-Net: 特徴マップを渡してつなぐ
#
# **U-Net** は医用画像のために作られました。下りの各段の特徴マップを、上りの同じ段へ渡して**連結**(concatenate)します。チャネルが増え、次の畳み込みがどちらを使うかを学びます。
#
# | ネットワーク | 渡すもの | 混ぜ方 |
# |---|---|---|
# | FCN | 途中の層のスコア | 足す |
# | SegNet | 最大値の位置 | アンプーリング |
# | U-Net | 特徴マップ | 連結 |
#
# 論文の U-Net は、畳み込みにパディングを使いません。$3 \times 3$ が 2 回で、段ごとに 4 画素ずつ減ります。
#
# - **下り**(深さの回数): 畳み込み 2 回($-4$) → ここで**スキップを取る** → $2 \times 2$ プーリング(半分)
# - **底**: 畳み込み 2 回($-4$)
# - **上り**: $2 \times 2$、ストライド 2 の転置畳み込み(2 倍) → スキップを**同じ大きさに切り取って**連結 → 畳み込み 2 回($-4$)
# - 最後の $1 \times 1$ 畳み込みは、大きさを変えません。
#
# ![論文の U-Net: 572 から 388 へ、切り取りは合計 8, 32, 80, 176 画素](unet.svg)
#
# **手で計算**: $n = 20$、深さ 1。$20 \to 16$(スキップ) $\to 8 \to 4$(底) $\to 8$。スキップ 16 から**合計** $16 - 8 = 8$ 画素(片側 4)を切り取り、$8 \to 4$。よって `(4, [8])` です。
#
# 浅い段のスキップほど、その後に通るはずの畳み込みを多く飛ばすので、切り取りは大きくなります。`padding=1` なら畳み込みで大きさが変わらず、切り取りもありません(最近の実装の多くはこちらです)。`crops` は、深い段から順に、両側の合計で返します。プーリングに入る一辺は偶数とします。

# %% [markdown] lang="en"
# ## U-Net: feature maps handed over and concatenated
#
# **U-Net** was made for medical images. The feature maps of each level on the way down are handed to the same level on the way up and **concatenated**: there are more channels, and the next convolution learns which to use.
#
# | network | hands over | joined by |
# |---|---|---|
# | FCN | scores of earlier layers | addition |
# | SegNet | positions of maxima | unpooling |
# | U-Net | feature maps | concatenation |
#
# The published U-Net does not pad its convolutions: two of $3 \times 3$ take 4 pixels on every level.
#
# - **Down** (depth times): two convolutions ($-4$) → **here the skip is taken** → $2 \times 2$ pooling (half)
# - **Bottom**: two convolutions ($-4$)
# - **Up**: a $2 \times 2$ transposed convolution of stride 2 (double) → the skip, **cut to the same size**, is concatenated → two convolutions ($-4$)
# - The $1 \times 1$ convolution at the end keeps the size.
#
# ![The published U-Net: from 572 to 388, cutting 8, 32, 80, 176 pixels in total](unet.svg)
#
# **By hand**: $n = 20$, depth 1. $20 \to 16$ (skip) $\to 8 \to 4$ (bottom) $\to 8$. The skip of 16 loses $16 - 8 = 8$ pixels **in total** (4 a side), and $8 \to 4$. So it is `(4, [8])`.
#
# The higher a skip, the more convolutions it passes by, and the more must be cut. With `padding=1` convolutions keep the size and nothing is cut (most recent code does so). `crops` are totals of both sides, deepest level first. Sides that meet a pooling are even.

# %% stub unet_shape_plan
"""U-Net での大きさ: 各段に 3×3 畳み込みが 2 回、下りは 2×2 プーリング、上りは 2×2 の転置畳み込み。

上りでは、プーリングの前に取っておいた同じ段のスキップを、大きさを合わせて切り取り、連結する。

Args:
    size: 画像の一辺。
    depth: プーリングの回数。
    padding: すべての 3×3 畳み込みのもの。0(論文のとおり)か、大きさを保つ 1。

Returns:
    side: 出力の一辺。
    crops: 各スキップから切り取る画素数の合計(片側はその半分)。深い段が先。
"""

# %%
print(unet_shape_plan(20, 1))  # (4, [8])
print(unet_shape_plan(572, 4))  # (388, [8, 32, 80, 176])
print(unet_shape_plan(256, 4, padding=1))  # (256, [0, 0, 0, 0])

# %% graded unet_shape_plan

# %% [markdown] lang="ja"
# ## 画素ごとの交差エントロピー
#
# 学習は、画素ごとの分類です。クラスの軸(軸 1)でソフトマックスをとり、正解の確率の対数を平均します。物体の境界など、正解を付けられない画素には**無視ラベル**(void、PASCAL VOC では 255)を付け、損失から除きます。無視ラベルでない画素の集合を $V$ とすると、
#
# $$L = -\frac{1}{|V|} \sum_{v \in V} \ln p_v[t_v], \qquad \frac{\partial L}{\partial z_v[c]} = \begin{cases} \dfrac{p_v[c] - \mathbb{1}[c = t_v]}{|V|} & v \in V \\ 0 & v \notin V \end{cases}$$
#
# - 平均は、**バッチ全体の数えた画素**についてとります(画像ごとの平均の平均ではありません)。無視した画素は、分子にも分母にも入りません。
# - ロジットが 1000 でも計算できるように log-softmax を使い、log の中に小さな数を足しません。
# - 全部の画素が無視ラベルなら、損失は 0、勾配も 0 とします(PyTorch は nan を返します)。
#
# **手で計算**: 1 枚、$1 \times 3$ 画素、2 クラス。ロジットは順に $(0, 0)$、$(\ln 3, 0)$、$(5, -5)$、正解は $0$、$1$、無視。
# 正解の確率は $\frac12$ と $\frac14$ なので、$L = \frac12(\ln 2 + 2 \ln 2) = 1.5 \ln 2 \approx 1.04$。勾配は、1 画素めが $\frac12(\frac12 - 1, \frac12) = (-\frac14, \frac14)$、2 画素めが $\frac12(\frac34, \frac14 - 1) = (\frac38, -\frac38)$、3 画素めが $(0, 0)$ です。

# %% [markdown] lang="en"
# ## The cross-entropy of every pixel
#
# Training is classification, pixel by pixel: a softmax over the axis of classes (axis 1), and the mean of the logarithms at the labels. Pixels that nobody can label, as on the borders of objects, carry the **ignore label** (void; 255 in PASCAL VOC) and are left out. With $V$ the pixels that are not void,
#
# $$L = -\frac{1}{|V|} \sum_{v \in V} \ln p_v[t_v], \qquad \frac{\partial L}{\partial z_v[c]} = \begin{cases} \dfrac{p_v[c] - \mathbb{1}[c = t_v]}{|V|} & v \in V \\ 0 & v \notin V \end{cases}$$
#
# - The mean is over **all pixels of the batch that count** (not a mean of the images' means). Void pixels enter neither the sum nor the number.
# - Use log-softmax, so that logits of 1000 work, and add nothing inside the logarithm.
# - Where every pixel is void the loss is 0 and the gradient is 0 (PyTorch returns nan).
#
# **By hand**: one image of $1 \times 3$ pixels, two classes. Logits $(0, 0)$, $(\ln 3, 0)$, $(5, -5)$, labels $0$, $1$, void.
# The labels have the probabilities $\frac12$ and $\frac14$, so $L = \frac12(\ln 2 + 2 \ln 2) = 1.5 \ln 2 \approx 1.04$. The gradient is $\frac12(\frac12 - 1, \frac12) = (-\frac14, \frac14)$ at the first pixel, $\frac12(\frac34, \frac14 - 1) = (\frac38, -\frac38)$ at the second, and $(0, 0)$ at the third.

# %% stub pixel_cross_entropy
"""バッチの、ラベルのある画素についての平均交差エントロピーと、その勾配。

Args:
    logits: 各画素のクラスのスコア、(N, C, H, W)。
    labels: クラス 0 … C-1。数えない画素では `ignore`、(N, H, W)。
    ignore: 無視する画素のラベル。

Returns:
    loss: 数えた画素での -ln softmax(正解のクラス)の平均。一つもなければ 0.0。
    dlogits: その勾配、(N, C, H, W)。
"""

# %%
logits = np.array([[[[0.0, np.log(3), 5.0]], [[0.0, 0.0, -5.0]]]])
loss, dlogits = pixel_cross_entropy(logits, np.array([[[0, 1, 255]]]))
print(loss)  # 1.0397207708399179
print(dlogits)  # [[[[-0.25, 0.375, 0]], [[0.25, -0.375, 0]]]]
print(pixel_cross_entropy(logits, np.array([[[255, 255, 255]]]))[0])  # 0.0

# %% graded pixel_cross_entropy

# %% [markdown] lang="ja"
# ## 評価指標
#
# **混同行列**に、正解が $t$(行)で予測が $p$(列)の画素を数えます。クラス $c$ について、対角が $TP$、行の残りが $FN$、列の残りが $FP$ です。
#
# | 指標 | 式 |
# |---|---|
# | 画素正解率(pixel accuracy) | $\sum_c TP_c \,/\, \text{全画素}$ |
# | クラス平均正解率(mean accuracy) | $TP_c / (TP_c + FN_c)$ の平均(**正解にあるクラス**) |
# | IoU(Jaccard 係数) | $TP_c / (TP_c + FP_c + FN_c)$ |
# | Dice 係数(F 値と同じ) | $2\,TP_c / (2\,TP_c + FP_c + FN_c) = \dfrac{2\,\text{IoU}}{1 + \text{IoU}}$ |
# | mIoU | IoU の平均(**正解か予測のどちらかに現れるクラス**) |
#
# どちらにも現れないクラスは、`iou` と `dice` の配列では 0 とし、mIoU の平均には入れません。`confusion` は整数です。
#
# **手で計算**: クラスは 0〜3 の 4 つです。
#
# ![正解と予測の画素から混同行列を作る](counting.svg)
#
# クラス 0 は $TP=1, FP=1, FN=1$ で $\text{IoU} = \frac13$、クラス 1 は $TP=2, FN=1$ で $\frac23$、クラス 2 は $TP=1, FP=1$ で $\frac12$、クラス 3 はありません。mIoU は $(\frac13 + \frac23 + \frac12)/3 = \frac12$、mean accuracy は $(\frac12 + \frac23 + 1)/3 = 0.722\dots$、pixel accuracy は $\frac46$ です。
#
# > **よくある間違い** 画素正解率が高ければよい、とは限りません。95 % が背景の画像で全画素を背景と答えると、画素正解率は 0.95 ですが、クラス平均正解率は 0.5、mIoU は $(0.95 + 0)/2 = 0.475$ です。クラスの偏りが大きいときは、クラスごとの平均を見ます。

# %% [markdown] lang="en"
# ## The scores
#
# The **confusion matrix** counts the pixels of true class $t$ (row) predicted as $p$ (column). For class $c$ the diagonal is $TP$, the rest of the row $FN$, the rest of the column $FP$.
#
# | score | formula |
# |---|---|
# | pixel accuracy | $\sum_c TP_c \,/\, \text{all pixels}$ |
# | mean accuracy | mean of $TP_c / (TP_c + FN_c)$ (over **the classes that occur in the truth**) |
# | IoU (Jaccard index) | $TP_c / (TP_c + FP_c + FN_c)$ |
# | Dice (the same as F1) | $2\,TP_c / (2\,TP_c + FP_c + FN_c) = \dfrac{2\,\text{IoU}}{1 + \text{IoU}}$ |
# | mIoU | mean of the IoU (over **the classes that occur in truth or prediction**) |
#
# A class in neither map is 0 in the arrays `iou` and `dice`, and does not enter mIoU. `confusion` holds integers.
#
# **By hand**: four classes, 0 to 3.
#
# ![From the pixels of truth and prediction to the confusion matrix](counting.svg)
#
# Class 0 has $TP=1, FP=1, FN=1$ and $\text{IoU} = \frac13$, class 1 has $TP=2, FN=1$ and $\frac23$, class 2 has $TP=1, FP=1$ and $\frac12$, class 3 does not occur. So mIoU is $(\frac13 + \frac23 + \frac12)/3 = \frac12$, mean accuracy $(\frac12 + \frac23 + 1)/3 = 0.722\dots$, pixel accuracy $\frac46$.
#
# > **Common mistake** A high pixel accuracy need not be good. With 95 % background, answering background everywhere has a pixel accuracy of 0.95, but a mean accuracy of 0.5 and an mIoU of $(0.95 + 0)/2 = 0.475$. Where classes are unbalanced, look at the means over classes.

# %% stub segmentation_scores
"""クラスのマップの得点を、クラスごとの TP、FP、FN の個数から求める: 辞書で返す。

Args:
    predicted: 予測したクラス 0 … C-1、(H, W) またはほかの形。
    labels: 正解のクラス。同じ形。
    classes: クラスの個数 C。

Returns:
    pixel_accuracy: Σ TP / 画素数。
    mean_accuracy: labels に現れるクラスについての TP / (TP + FN) の平均。
    iou: TP / (TP + FP + FN)。どちらのマップにもないクラスは 0、(C,)。
    dice: 2 TP / (2 TP + FP + FN)。どちらのマップにもないクラスは 0、(C,)。
    miou: どちらかのマップに現れるクラスについての iou の平均。
    confusion: 正解が t(行)で予測が p(列)の画素の数。整数、(C, C)。
"""

# %%
labels = np.array([[0, 1, 1], [1, 2, 0]])
predicted = np.array([[0, 0, 1], [1, 2, 2]])
scores = segmentation_scores(predicted, labels, 4)
print(scores["pixel_accuracy"], scores["mean_accuracy"], scores["miou"])
# 0.6666666666666666 0.7222222222222222 0.5
print(scores["iou"])  # [1/3, 2/3, 1/2, 0]
print(scores["dice"])  # [1/2, 4/5, 2/3, 0]
print(scores["confusion"])  # [[1 0 1 0], [1 2 0 0], [0 0 1 0], [0 0 0 0]]

# %% graded segmentation_scores

# %% [markdown] lang="ja"
# ## 後処理の CRF
#
# 画素ごとに分類すると、周りと違うクラスの**孤立した画素**や、境界のがたつきが残ることがあります。**CRF**(条件付き確率場)は、「色と位置が近い画素どうしは同じクラスになりやすい」という項を加えて、全画素のクラスをまとめて選び直します。DeepLab の v1 と v2 は、全画素どうしを結ぶ全結合 CRF を後処理に使いました。
#
# > **よくある間違い** 「セマンティックセグメンテーションは CRF で仕上げる」とは限りません。孤立した画素は減りますが、なくなるわけではありません。FCN は CRF を使わず、DeepLab も v3 でやめました。
#
# ## 試験で問われること
#
# - **問題の区別**: セマンティック = 画素ごとのクラス、インスタンス = 物体ごとのマスク(Mask R-CNN)、パノプティック = 両方。
# - **FCN**: 全結合層を畳み込みに置き換えるので、入力の大きさは自由。粗いスコアを転置畳み込みで拡大し、pool4、pool3 のスコアを**足す**。32s, 16s, 8s の数は最後の拡大率。
# - **渡すものの違い**: FCN はスコアを足す、SegNet は最大値の位置を渡す、U-Net は特徴マップを切り取って**連結**する。
# - **転置畳み込み**: 大きさは $(n-1)s - 2p + k$(+ output_padding)。重なりは足す。畳み込みの転置(逆伝播)であって逆演算ではない。$k$ が $s$ で割り切れないと市松模様。ちょうど 2 倍は `ConvTranspose2d(C, C // 2, 2, stride=2)`。
# - **膨張畳み込み**: 覆う幅は $d(k-1)+1$。大きさを保つ padding は、$3 \times 3$ なら $d$。解像度を落とさずに受容野を広げる。
# - **受容野**: 1 層で $d(k-1) \times$(前の層のストライドの積)増える。$3 \times 3$ を $n$ 層で $2n+1$、ダイレーション $1, 2, 4, \dots$ で $2^{n+1}-1$。
# - **損失**: 画素ごとの交差エントロピーの平均。無視ラベルは分母にも入らない: `F.cross_entropy(logits, labels, ignore_index=255)`。
# - **指標**: IoU $= TP/(TP+FP+FN)$、Dice $= 2TP/(2TP+FP+FN) = 2\,\text{IoU}/(1+\text{IoU})$。クラスが偏ると、画素正解率は高くても mIoU は低い。

# %% [markdown] lang="en"
# ## A CRF afterwards
#
# Classifying pixel by pixel may leave **isolated pixels** of another class than all around, and ragged borders. A **CRF** (conditional random field) adds a term by which pixels close in colour and place prefer the same class, and chooses the classes of all pixels anew. DeepLab v1 and v2 used a fully connected CRF, which joins all pairs of pixels, after the network.
#
# > **Common mistake** "Semantic segmentation ends with a CRF": not as a rule. It makes isolated pixels fewer, it does not do away with them; FCN has none, and DeepLab dropped it in v3.
#
# ## What the exam asks
#
# - **Which task**: semantic = a class for each pixel, instance = a mask for each object (Mask R-CNN), panoptic = both.
# - **FCN**: fully connected layers become convolutions, so any size of image will do. Coarse scores are enlarged by transposed convolution, and the scores of pool4 and pool3 **added**. The number of 32s, 16s, 8s is the last factor.
# - **What is handed over**: FCN adds scores, SegNet hands over positions of maxima, U-Net crops and **concatenates** feature maps.
# - **Transposed convolution**: the side is $(n-1)s - 2p + k$ (+ output_padding). Overlaps add up. It is the transpose (backward pass) of a convolution, not its inverse. Checkerboards where $s$ does not divide $k$. Exactly double: `ConvTranspose2d(C, C // 2, 2, stride=2)`.
# - **Dilated convolution**: it spans $d(k-1)+1$. A $3 \times 3$ layer keeps the size with padding $d$. It widens the field without losing resolution.
# - **Receptive field**: a layer adds $d(k-1) \times$ (the strides before it, multiplied). Of $3 \times 3$ layers $n$ see $2n+1$, with dilations $1, 2, 4, \dots$ they see $2^{n+1}-1$.
# - **Loss**: the mean cross-entropy of the pixels. Void pixels do not enter the number either: `F.cross_entropy(logits, labels, ignore_index=255)`.
# - **Scores**: IoU $= TP/(TP+FP+FN)$, Dice $= 2TP/(2TP+FP+FN) = 2\,\text{IoU}/(1+\text{IoU})$. With unbalanced classes pixel accuracy may be high and mIoU low.
