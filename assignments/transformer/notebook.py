# %% [markdown] lang="ja"
# # Transformer
#
# RNN は時刻を一つずつ処理するので、並列に計算できず、離れた語どうしは長い経路でしかつながりません。2017 年の **Transformer** は再帰をやめ、語と語を attention で直接つなぎました。
# 部品は四つです。
#
# - **位置エンコーディング**: attention は順序を知らないので、位置を数にして埋め込みに足す。
# - **Multi-Head Attention**: 語どうしを結ぶ(別の課題で学んだもの)。
# - **FFN**(Position-wise Feed-Forward Network): 各位置に同じ 2 層のネットワークを掛ける。
# - **Add & Norm**: 上の二つのそれぞれに、残差接続と Layer Normalization を付ける。
#
# ![エンコーダブロックとデコーダブロック。memory はデコーダの二つ目の attention のキーとバリューになる](blocks.svg)
#
# エンコーダもデコーダも、同じ形のブロックを $N = 6$ 段重ねます。デコーダの最後に Linear と Softmax を置き、次の語の確率を出します。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | サンプル数(上の「6 段」だけは論文の $N$) | $D$ | モデルの幅(論文の $d_\text{model}$) |
# | $T$ | 位置の数。デコーダの入力は $T_y$、memory は $T_m$ | $F$ | FFN の中間ユニットの数(論文の $d_\text{ff}$) |
#
# ドロップアウトはありません。attention の行列にバイアスはなく、FFN にはあります。重みは右から掛けます($x W$)。
#
# **約束**: 入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。小さな入力なので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Transformer
#
# An RNN takes one step after the other: it cannot be computed in parallel, and distant words meet only along a long path. The **Transformer** of 2017 gave up recurrence and joined words directly by attention.
# It has four parts.
#
# - **Positional encoding**: attention knows no order, so positions are turned into numbers and added to the embeddings.
# - **Multi-head attention**: joins words (you know it from another assignment).
# - **FFN** (position-wise feed-forward network): the same two layers at every position.
# - **Add & Norm**: each of the last two gets a residual connection and a layer normalization.
#
# ![An encoder block and a decoder block; the memory gives keys and values to the decoder's second attention](blocks.svg)
#
# Encoder and decoder are both stacks of $N = 6$ blocks of one form. A linear layer and a softmax at the end of the decoder give the probabilities of the next word.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | samples (only in "6 blocks" above the paper's $N$) | $D$ | width of the model (the paper's $d_\text{model}$) |
# | $T$ | positions; $T_y$ of the decoder's input, $T_m$ of the memory | $F$ | hidden units of the FFN (the paper's $d_\text{ff}$) |
#
# There is no dropout. The matrices of the attention have no biases, the FFN has. Weights act on the right ($x W$).
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# 次のセルの二つは、ほかの課題で扱った関数です。このまま使ってください。
#
# - `layernorm_forward(x, gamma, beta)` は、最後の軸で平均 0、分散 1 にしてから、`gamma` を掛けて `beta` を足します($\varepsilon = 10^{-5}$)。
# - `multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask)` は `(out, weights)` を返します。クエリは `x_q`、キーとバリューは `x_kv` から作ります。`mask` の True は **「見てよい」** で、`(N, Tq, Tk)` にブロードキャストできます。見てよいキーのないクエリの結果は 0 です。

# %% [markdown] lang="en"
# The two functions in the next cell belong to other assignments. Use them as they are.
#
# - `layernorm_forward(x, gamma, beta)` brings the last axis to mean 0 and variance 1, multiplies by `gamma` and adds `beta` ($\varepsilon = 10^{-5}$).
# - `multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask)` returns `(out, weights)`. Queries are made of `x_q`, keys and values of `x_kv`. In `mask` True means **"may be seen"**; it broadcasts to `(N, Tq, Tk)`. A query without a key to see gets 0.

# %%
def layernorm_forward(x, gamma, beta, eps=1e-5):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    spread = np.mean(np.square(centred), axis=-1, keepdims=True)
    return centred * gamma / np.sqrt(eps + spread) + beta


def multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    allowed = np.full((len(x_q), x_q.shape[1], x_kv.shape[1]), True)
    if mask is not None:
        allowed = allowed & np.asarray(mask)
    mixed, all_weights = [], []
    for first in range(0, len(Wq), len(Wq) // heads):
        block = slice(first, first + len(Wq) // heads)
        query, key, value = x_q @ Wq[:, block], x_kv @ Wk[:, block], x_kv @ Wv[:, block]
        score = np.einsum("nqe,nke->nqk", query, key) / np.sqrt(key.shape[-1])
        score = np.where(allowed, score, -1e30)
        raised = allowed * np.exp(score - np.max(score, axis=-1, keepdims=True))
        total = np.maximum(np.sum(raised, axis=-1, keepdims=True), 1e-30)
        all_weights.append(raised / total)
        mixed.append(all_weights[-1] @ value)
    return np.concatenate(mixed, axis=-1) @ Wo, np.stack(all_weights, axis=1)

# %% [markdown] lang="ja"
# ## 位置エンコーディング
#
# 語を並べ替えても、self-attention の結果は同じように並び替わるだけです。「犬が人を噛む」と「人が犬を噛む」を区別できません。そこで、位置ごとに異なるベクトルを埋め込みに**足します**。論文は三角関数を使いました。
#
# $$PE[pos, 2i] = \sin\frac{pos}{10000^{2i/d}}, \qquad PE[pos, 2i+1] = \cos\frac{pos}{10000^{2i/d}}$$
#
# 列 $2i$ と $2i+1$ は**同じ角**の sin と cos の組で、円周上の 1 点です。位置が一つ進むと、この針は $10000^{-2i/d}$ ラジアン回ります。時計の秒針・分針・時針のように、組ごとに速さが違います。
#
# ![各組は円周上の針で、位置が進むと組ごとの速さで回る](clocks.svg)
#
# 「$k$ だけ先」は、どの位置から見ても同じ角の回転です。また内積 $PE(p)\cdot PE(q)$ は差 $p - q$ だけで決まります。だから相対的な位置を、線形変換で取り出せます。
#
# - **偶数列が sin、奇数列が cos** です(sin をすべて前半に並べる流儀もありますが、論文はこの並びです)。
# - 位置は 0 から数え、$d$ は偶数です。学習するパラメータはありません。
#
# **例**($d = 4$)。$pos = 0$ の行は $(\sin 0, \cos 0, \sin 0, \cos 0) = (0, 1, 0, 1)$。$pos = 1$ では、$i = 0$ の角は $1$、$i = 1$ の角は $1/10000^{2/4} = 0.01$ なので、行は $(0.841, 0.540, 0.010, 1.000)$ です。
#
# なお論文では、足す前に埋め込みを $\sqrt{d_\text{model}}$ 倍します。この課題の関数には含めません。

# %% [markdown] lang="en"
# ## Positional encoding
#
# Permute the words, and self-attention only permutes its results in the same way: "dog bites man" and "man bites dog" look alike. So a vector that differs from position to position is **added** to the embeddings. The paper took sines and cosines.
#
# $$PE[pos, 2i] = \sin\frac{pos}{10000^{2i/d}}, \qquad PE[pos, 2i+1] = \cos\frac{pos}{10000^{2i/d}}$$
#
# Columns $2i$ and $2i+1$ are sine and cosine of **one angle**: a point on a circle. With every position this hand turns by $10000^{-2i/d}$ radians, each pair at its own speed, like the hands of a clock.
#
# ![Each pair is a hand on a circle that turns at its own speed from position to position](clocks.svg)
#
# "$k$ further on" is a rotation by the same angle wherever you start, and the inner product $PE(p)\cdot PE(q)$ depends on $p - q$ alone. So relative positions can be had by linear maps.
#
# - **Even columns are sines, odd ones cosines** (some libraries put all sines first; this is the paper's order).
# - Positions are counted from 0, and $d$ is even. Nothing is learned.
#
# **Example** ($d = 4$). The row of $pos = 0$ is $(\sin 0, \cos 0, \sin 0, \cos 0) = (0, 1, 0, 1)$. At $pos = 1$ the angle of $i = 0$ is $1$, that of $i = 1$ is $1/10000^{2/4} = 0.01$: the row is $(0.841, 0.540, 0.010, 1.000)$.
#
# In the paper embeddings are multiplied by $\sqrt{d_\text{model}}$ before the sum. The functions here leave that out.

# %% stub positional_encoding
"""位置を見分けるための正弦波(Vaswani et al., §3.5)。

列 2i と 2i+1 は同じ角の sin と cos、つまり円周上の 1 点で、位置が一つ進むと 10000^(-2i/d) だけ回る。

Args:
    T: 位置の数。位置は 0 から数える。
    d: 幅。偶数。

Returns:
    (T, d): 行 pos を、位置 pos の埋め込みに足す。
"""

# %%
positional_encoding(3, 4).round(3)
# array([[ 0.   ,  1.   ,  0.   ,  1.   ],
#        [ 0.841,  0.54 ,  0.01 ,  1.   ],
#        [ 0.909, -0.416,  0.02 ,  1.   ]])

# %% graded positional_encoding

# %% [markdown] lang="ja"
# ## 因果マスク
#
# デコーダは、時刻 $i$ までの語から次の語を予測します。学習では正解の文が最初から手元にあるので、**すべての時刻を一度に**計算できます(teacher forcing)。ただし、各時刻が未来の正解を見てはいけません。そこで self-attention にマスクを掛けます。
#
# ![行がクエリ、列がキー。対角を含む下三角が True](mask.svg)
#
# 行がクエリ、列がキーで、True は「見てよい」です。自分自身は見てかまいません(入力は 1 語ずらしてあるので、時刻 $i$ の入力は答えではありません)。最初の語に許されるのは自分だけなので、対角を除くと見るものがなくなります。
#
# **例**($T = 3$)。行は (True, False, False)、(True, True, False)、(True, True, True) で、True は $3 \cdot 4 / 2 = 6$ 個です。

# %% [markdown] lang="en"
# ## The causal mask
#
# The decoder predicts the next word from the words up to step $i$. In training the right sentence is there from the start, so **all steps can be computed at once** (teacher forcing), if only no step sees the answers that come later. A mask on the self-attention sees to that.
#
# ![Rows are queries, columns keys; the lower triangle with the diagonal is True](mask.svg)
#
# Rows are queries, columns keys, and True means "may be seen". A step may see itself (the inputs are shifted by one word, so the input of step $i$ is not its answer). The first word may see nothing else: without the diagonal it would have nothing to look at.
#
# **Example** ($T = 3$). The rows are (True, False, False), (True, True, False), (True, True, True): $3 \cdot 4 / 2 = 6$ are True.

# %% stub causal_mask
"""未来を隠すマスク(Vaswani et al., §3.2.3)。

Args:
    T: 位置の数。

Returns:
    (T, T): 要素 (i, j) は j <= i。位置 i は自分自身とそれより前を見る。
"""

# %%
causal_mask(3)
# array([[ True, False, False],
#        [ True,  True, False],
#        [ True,  True,  True]])

# %% graded causal_mask

# %% [markdown] lang="ja"
# ## FFN
#
# attention は位置と位置を混ぜます。FFN は混ぜずに、**各位置のベクトルに同じ 2 層**を掛けます。間の活性化関数は ReLU です(BERT や GPT は GELU ですが、2017 年の論文は ReLU です)。
#
# $$\mathrm{FFN}(x) = \max(0,\; x W_1 + b_1)\, W_2 + b_2$$
#
# **例**。$x = (1, -2)$、$W_1 = \begin{pmatrix} 1 & 0 & 1 \\ 0 & 1 & 1 \end{pmatrix}$、$b_1 = (0, 1, 2)$、$W_2 = \begin{pmatrix} 2 & 0 \\ 0 & 2 \\ 1 & -1 \end{pmatrix}$、$b_2 = (0, 1)$ とします。
# $x W_1 + b_1 = (1, -2 + 1, -1 + 2) = (1, -1, 1)$、ReLU を通して $(1, 0, 1)$、出力は $(2 + 1, -1) + (0, 1) = (3, 0)$ です。
#
# > **よくある間違い** 「Transformer には attention しかない」とは言えません。$F = 4D$ なら、エンコーダ 1 段の重み行列は attention が $4D^2$、FFN が $2 \cdot D \cdot 4D = 8D^2$ で、**3 分の 2 は FFN** にあります。残差接続、Layer Norm、位置エンコーディングも欠かせません。

# %% [markdown] lang="en"
# ## The FFN
#
# Attention mixes positions. The FFN does not: it applies **the same two layers to the vector at every position**. The activation between is ReLU (BERT and GPT take GELU, the paper of 2017 takes ReLU).
#
# $$\mathrm{FFN}(x) = \max(0,\; x W_1 + b_1)\, W_2 + b_2$$
#
# **Example.** Let $x = (1, -2)$, $W_1 = \begin{pmatrix} 1 & 0 & 1 \\ 0 & 1 & 1 \end{pmatrix}$, $b_1 = (0, 1, 2)$, $W_2 = \begin{pmatrix} 2 & 0 \\ 0 & 2 \\ 1 & -1 \end{pmatrix}$, $b_2 = (0, 1)$.
# Then $x W_1 + b_1 = (1, -2 + 1, -1 + 2) = (1, -1, 1)$, after the ReLU $(1, 0, 1)$, and the output is $(2 + 1, -1) + (0, 1) = (3, 0)$.
#
# > **Common mistake** A Transformer is not attention alone. With $F = 4D$ the matrices of an encoder layer have $4D^2$ weights in the attention and $2 \cdot D \cdot 4D = 8D^2$ in the FFN: **two thirds are in the FFN**. Residual connections, layer norm and positional encoding are needed just as well.

# %% stub feed_forward
"""位置ごとのフィードフォワードネットワーク(Vaswani et al., 式 2)。

Args:
    x: 入力、(N, T, D)。
    W1: 中間層の重み、(D, F)。
    b1: そのバイアス、(F,)。
    W2: 出力の重み、(F, D)。
    b2: そのバイアス、(D,)。

Returns:
    (N, T, D): 各位置で max(0, x W1 + b1) W2 + b2。
"""

# %%
feed_forward(
    np.array([[[1.0, -2]]]), np.array([[1.0, 0, 1], [0, 1, 1]]), np.array([0.0, 1, 2]),
    np.array([[2.0, 0], [0, 2], [1, -1]]), np.array([0.0, 1]),
)
# array([[[3., 0.]]])

# %% graded feed_forward

# %% [markdown] lang="ja"
# ## エンコーダブロックと Add & Norm
#
# エンコーダの 1 段は、self-attention と FFN の二つの**サブレイヤ** $f$ です。それぞれに残差接続と Layer Norm が付きます。順序には二つの流儀があります。
#
# $$\text{post-norm:}\quad \mathrm{LayerNorm}\bigl(x + f(x)\bigr) \qquad\qquad \text{pre-norm:}\quad x + f\bigl(\mathrm{LayerNorm}(x)\bigr)$$
#
# ![post では残差経路の上に Norm があり、pre では残差経路に何もない](orders.svg)
#
# - `norm='post'` は 2017 年の論文の順です。足した**後**で正規化します。学習の初めには、学習率のウォームアップが必要です。
# - `norm='pre'` では、残差経路が入力から出力まで**何も通らずに**続きます。深くても勾配が届き、ウォームアップなしでも学習できます。最後の段の後に置く Layer Norm は、ブロックには含めません。
#
# パラメータは辞書 `p` で渡します。
#
# | サブレイヤ | 行列など | その Layer Norm |
# |---|---|---|
# | self-attention | `Wq Wk Wv Wo` | `gamma1 beta1` |
# | FFN | `W1 b1 W2 b2` | `gamma2 beta2` |
#
# `mask` は attention に渡します(パディングを隠すときなどに使います)。
#
# **例**($D = 2$、$T = 1$、head 1 個)。行列はすべて単位行列、バイアスと $\beta$ は 0、$\gamma$ は 1、$x = (1, 3)$ とします。位置が一つなので、attention の重みは 1 で、attention は入力をそのまま返します。$\varepsilon$ は無視します。
#
# - post: $x + x = (2, 6)$。平均 4、標準偏差 2 なので、正規化して $(-1, 1)$。FFN は $(0, 1)$ を返し、和は $(-1, 2)$。平均 0.5、標準偏差 1.5 なので、出力は $(-1, 1)$。
# - pre: 正規化した $(-1, 1)$ を attention に通し、$(1, 3) + (-1, 1) = (0, 4)$。これを正規化した $(-1, 1)$ を FFN に通すと $(0, 1)$。出力は $(0, 4) + (0, 1) = (0, 5)$。

# %% [markdown] lang="en"
# ## The encoder block, and Add & Norm
#
# A layer of the encoder has two **sub-layers** $f$, self-attention and FFN. Each has a residual connection and a layer norm, in one of two orders.
#
# $$\text{post-norm:}\quad \mathrm{LayerNorm}\bigl(x + f(x)\bigr) \qquad\qquad \text{pre-norm:}\quad x + f\bigl(\mathrm{LayerNorm}(x)\bigr)$$
#
# ![In post-norm the norm stands on the residual path; in pre-norm nothing does](orders.svg)
#
# - `norm='post'` is the order of the 2017 paper: normalise **after** the sum. Early in training it needs a warm-up of the learning rate.
# - With `norm='pre'` the residual path runs from input to output **untouched**. Gradients arrive however deep the stack, and it trains without warm-up. The layer norm after the last layer of the stack is no part of the block.
#
# The parameters come in a dict `p`.
#
# | sub-layer | matrices and biases | its layer norm |
# |---|---|---|
# | self-attention | `Wq Wk Wv Wo` | `gamma1 beta1` |
# | FFN | `W1 b1 W2 b2` | `gamma2 beta2` |
#
# `mask` goes to the attention (to hide padding, for one).
#
# **Example** ($D = 2$, $T = 1$, one head). Let all matrices be identities, biases and $\beta$ 0, $\gamma$ 1, and $x = (1, 3)$. There is one position, so its weight is 1 and the attention returns its input. We neglect $\varepsilon$.
#
# - post: $x + x = (2, 6)$, with mean 4 and standard deviation 2, becomes $(-1, 1)$. The FFN gives $(0, 1)$, the sum is $(-1, 2)$, with mean 0.5 and standard deviation 1.5: the output is $(-1, 1)$.
# - pre: the normalised $(-1, 1)$ passes the attention, $(1, 3) + (-1, 1) = (0, 4)$. That normalised is $(-1, 1)$, of which the FFN makes $(0, 1)$. The output is $(0, 4) + (0, 1) = (0, 5)$.

# %% stub encoder_block
"""エンコーダの 1 段(Vaswani et al., §3.1, 図 1): self-attention、続いて FFN。それぞれに残差と正規化が付く。

Args:
    x: 入力、(N, T, D)。
    p: ブロックのパラメータ。attention に Wq, Wk, Wv, Wo と 1 番の norm、FFN に W1, b1, W2, b2 と 2 番の norm。
    heads: head の数。D を割り切る。
    mask: True ならそのキーを見てよい。(N, T, T) にブロードキャストできる。None は何も隠さない。
    norm: 'post' は和を、'pre' は各サブレイヤの入力を正規化する。

Returns:
    (N, T, D): 出力。
"""

# %%
eye, one, zero = np.eye(2), np.ones(2), np.zeros(2)
p = {name: eye for name in ("Wq", "Wk", "Wv", "Wo", "W1", "W2")}
p |= {"b1": zero, "b2": zero}
p |= {"gamma1": one, "beta1": zero, "gamma2": one, "beta2": zero}
x = np.array([[[1.0, 3]]])
[encoder_block(x, p, 1, norm=norm).round(3).tolist() for norm in ("post", "pre")]
# [[[[-1.0, 1.0]]], [[[0.0, 5.0]]]]

# %% graded encoder_block

# %% [markdown] lang="ja"
# ## デコーダブロック
#
# デコーダの 1 段には、サブレイヤが**三つ**あります。順に並べます。
#
# | 順 | サブレイヤ | クエリ | キーとバリュー | マスク | 行列など | Layer Norm |
# |---|---|---|---|---|---|---|
# | 1 | masked self-attention | $y$ | $y$ | 因果マスク(関数の中で作る) | `Wq Wk Wv Wo` | `gamma1 beta1` |
# | 2 | source-target attention | $y$ | **memory** | `memory_mask` | `Cq Ck Cv Co` | `gamma3 beta3` |
# | 3 | FFN | — | — | — | `W1 b1 W2 b2` | `gamma2 beta2` |
#
# `memory` はエンコーダの出力です。翻訳元の文は最初からすべて読めるので、memory に因果マスクは掛けません。長さ $T_y$ と $T_m$ は違っていてかまいません。pre-norm で正規化するのは $y$ の側だけで、memory はそのまま使います。
#
# **例**(前の例と同じパラメータで、$C$ の行列も単位行列)。$y = (1, 3)$、memory は 1 語で $(6, 0)$ とします。
#
# - post: 一つ目の後は前と同じ $(-1, 1)$。memory を足して $(5, 1)$、正規化して $(1, -1)$。FFN は $(1, 0)$、和は $(2, -1)$、出力は $(1, -1)$。
# - pre: 一つ目の後は $(0, 4)$。memory を足して $(6, 4)$。これを正規化した $(1, -1)$ から FFN は $(1, 0)$。出力は $(7, 4)$。
#
# > **よくある間違い** デコーダの二つ目の attention は、エンコーダの self-attention と同じ計算ではありません。クエリはデコーダから、**キーとバリューはエンコーダの出力から**来ます。
#
# > **よくある間違い** 「Transformer は逐次処理がいらない」のは、エンコーダと**学習**の話です。文の**生成**では、出した語を次の入力にするので、デコーダを 1 語ずつ動かします(自己回帰)。因果マスクがあるので、学習時に一度に計算した値は、1 語ずつ生成した値と一致します。

# %% [markdown] lang="en"
# ## The decoder block
#
# A layer of the decoder has **three** sub-layers, in this order.
#
# | place | sub-layer | queries | keys and values | mask | matrices and biases | layer norm |
# |---|---|---|---|---|---|---|
# | 1 | masked self-attention | $y$ | $y$ | causal (made inside the function) | `Wq Wk Wv Wo` | `gamma1 beta1` |
# | 2 | source-target attention | $y$ | **memory** | `memory_mask` | `Cq Ck Cv Co` | `gamma3 beta3` |
# | 3 | FFN | — | — | — | `W1 b1 W2 b2` | `gamma2 beta2` |
#
# `memory` is the encoder's output. The source can be read as a whole from the first step, so no causal mask lies on the memory. The lengths $T_y$ and $T_m$ may differ. Pre-norm normalises the side of $y$ alone; the memory is used as it comes.
#
# **Example** (the parameters of the last one, and identities for $C$). Let $y = (1, 3)$, and let the memory be one word, $(6, 0)$.
#
# - post: after the first sub-layer $(-1, 1)$ as before. With the memory $(5, 1)$, normalised $(1, -1)$. The FFN gives $(1, 0)$, the sum is $(2, -1)$, the output $(1, -1)$.
# - pre: after the first $(0, 4)$. With the memory $(6, 4)$. That normalised is $(1, -1)$, the FFN gives $(1, 0)$, and the output is $(7, 4)$.
#
# > **Common mistake** The decoder's second attention is not the encoder's self-attention once more: its queries come from the decoder, its **keys and values from the encoder's output**.
#
# > **Common mistake** "A Transformer needs no sequential processing" is true of the encoder and of **training**. To **generate** a sentence, each word that was put out becomes an input: the decoder runs once a word (it is auto-regressive). Thanks to the causal mask, what training computes at once equals what generation computes word by word.

# %% stub decoder_block
"""デコーダの 1 段: 因果マスク付き self-attention、memory への attention、FFN。それぞれに残差と正規化が付く。

二つ目の attention では、クエリはデコーダから、キーとバリューは memory から来る(Vaswani et al., §3.2.3)。
memory はここでは正規化しない。一つ目の因果マスクはここで作る。

Args:
    y: 入力、(N, Ty, D)。
    memory: エンコーダの出力、(N, Tm, D)。
    p: ブロックのパラメータ。エンコーダブロックのものに加えて、二つ目の attention に Cq, Ck, Cv, Co と 3 番の norm。
    heads: head の数。D を割り切る。
    memory_mask: True ならその memory を見てよい。(N, Ty, Tm) にブロードキャストできる。None は何も隠さない。
    norm: 'post' は和を、'pre' は各サブレイヤの入力を正規化する。

Returns:
    (N, Ty, D): 出力。時刻 t の出力は、時刻 t までの y で決まる。
"""

# %%
p |= {"Cq": eye, "Ck": eye, "Cv": eye, "Co": eye, "gamma3": one, "beta3": zero}
memory = np.array([[[6.0, 0]]])
[decoder_block(x, memory, p, 1, norm=norm).round(3).tolist() for norm in ("post", "pre")]
# [[[[1.0, -1.0]]], [[[7.0, 4.0]]]]

# %%
y = np.array([[[1.0, 3], [0, 2], [5, 1]]])
whole = decoder_block(y, memory, p, 1, norm="pre")
first_two = decoder_block(y[:, :2], memory, p, 1, norm="pre")
bool(np.allclose(whole[:, :2], first_two))
# True

# %% graded decoder_block

# %% [markdown] lang="ja"
# ## パラメータを数える
#
# 部品ごとに数えます($F$ はコードの `d_ff`)。
#
# | 部品 | 個数 |
# |---|---|
# | attention 一つ(バイアスなし) | $4 D^2$ |
# | FFN | $2 D F + F + D$ |
# | Layer Norm 一つ | $2 D$ |
# | エンコーダ 1 段 | attention 一つ、FFN、Norm 二つ |
# | デコーダ 1 段 | attention **二つ**、FFN、Norm **三つ** |
#
# 二つの埋め込み(入力側と出力側)と最後の Linear は、**一つの表**($\text{vocab} \times D$)を共有します(論文 §3.4)。sin と cos の位置エンコーディングにパラメータはありません。head の数を変えても、パラメータの数は変わりません。
#
# **例**($D = 2$、$F = 3$)。attention は $16$、FFN は $12 + 3 + 2 = 17$、Norm は $4$。エンコーダ 1 段は $16 + 17 + 8 = 41$、デコーダ 1 段は $32 + 17 + 12 = 61$。1 段ずつと語彙 10 なら $41 + 61 + 20 = 122$ です。

# %% [markdown] lang="en"
# ## Counting parameters
#
# Count part by part ($F$ is `d_ff` in the code).
#
# | part | number |
# |---|---|
# | one attention (no biases) | $4 D^2$ |
# | FFN | $2 D F + F + D$ |
# | one layer norm | $2 D$ |
# | encoder layer | one attention, FFN, two norms |
# | decoder layer | **two** attentions, FFN, **three** norms |
#
# The two embeddings (source and target) and the last linear layer share **one table** ($\text{vocab} \times D$; paper, §3.4). The positional encoding of sines and cosines has no parameters. The number of heads changes nothing.
#
# **Example** ($D = 2$, $F = 3$). The attention has $16$, the FFN $12 + 3 + 2 = 17$, a norm $4$. An encoder layer has $16 + 17 + 8 = 41$, a decoder layer $32 + 17 + 12 = 61$. One of each and a vocabulary of 10: $41 + 61 + 20 = 122$.

# %% stub transformer_param_count
"""この課題のブロックからなる Transformer のパラメータの数。

二つの埋め込みと最後の線形層は一つの表を共有する(Vaswani et al., §3.4)。正弦波にパラメータはない。

Args:
    d: モデルの幅。
    d_ff: FFN の中間ユニットの数。
    encoders: エンコーダブロックの数。
    decoders: デコーダブロックの数。
    vocab: 共有の表の行数。

Returns:
    重み、バイアス、スケール、シフトの総数。
"""

# %%
transformer_param_count(2, 3, 1, 1, 10), transformer_param_count(512, 2048, 6, 6)
# (122, 44101632)

# %% graded transformer_param_count

# %% [markdown] lang="ja"
# ## 計算量と経路の長さ
#
# 長さ $n$、幅 $d$ の系列を処理する 1 層を比べます(論文の表 1。定数倍は省きます)。
#
# | 層 | 計算量 | 逐次ステップ数 | 最長経路 |
# |---|---|---|---|
# | self-attention | $n^2 d$ | $1$ | $1$ |
# | 再帰(RNN) | $n d^2$ | $n$ | $n$ |
# | 窓 $r$ の self-attention | $r n d$ | $1$ | $\lceil n/r \rceil$ |
#
# 逐次ステップ数は「前の結果を待たなければならない回数」、最長経路は「両端の語の情報が出会うまでの段数」です。自己注意では、どの 2 語も 1 層で直接つながります。各位置が近くの $r$ 個だけを見るなら、両端が出会うまで何層も要ります(端数は切り上げ)。
#
# **例**($n = 5$、$d = 3$、$r = 2$)。self-attention は $(75, 1, 1)$、再帰は $(45, 5, 5)$、窓つきは $(30, 1, 3)$ です。
#
# > **よくある間違い** Transformer がいつでも「少ない計算で済む」わけではありません。1 層の計算量で RNN より軽いのは $n < d$ のときだけで、長い系列では $n^2$ が効きます。論文が主張したのは、翻訳の精度に対する**学習のコスト**の小ささです。
#
# > **よくある間違い** 「8 GPU で 3.5 日」は、英仏翻訳(3600 万文)を学習した **big** モデルの時間です。base モデルは 12 時間です。

# %% [markdown] lang="en"
# ## Operations and paths
#
# Compare one layer over a sequence of length $n$ and width $d$ (the paper's Table 1; constant factors are left out).
#
# | layer | operations | sequential steps | longest path |
# |---|---|---|---|
# | self-attention | $n^2 d$ | $1$ | $1$ |
# | recurrent (RNN) | $n d^2$ | $n$ | $n$ |
# | self-attention in a window of $r$ | $r n d$ | $1$ | $\lceil n/r \rceil$ |
#
# Sequential steps are how often a result must be waited for; the longest path is how many layers or steps it takes until the words at both ends have met. Self-attention joins any two words in one layer. Where each position sees only $r$ near ones, the ends meet after several layers (rounded up).
#
# **Example** ($n = 5$, $d = 3$, $r = 2$). Self-attention has $(75, 1, 1)$, recurrence $(45, 5, 5)$, the window $(30, 1, 3)$.
#
# > **Common mistake** A Transformer does not always "need little computation". A layer is cheaper than an RNN's only for $n < d$; on long sequences $n^2$ tells. What the paper claims is a small **cost of training** for the quality of translation reached.
#
# > **Common mistake** "3.5 days on 8 GPUs" is the time of the **big** model on English–French (36 million sentences). The base model took 12 hours.

# %% stub sequence_layer_complexity
"""系列を処理する 1 層の費用(Vaswani et al., 表 1)。定数倍は省く。

Args:
    kind: 'self_attention'、'recurrent'、または窓の中だけの self-attention である 'restricted'。
    n: 系列の長さ。
    d: 幅。
    r: 各位置が見る位置の数、1 … n。'restricted' だけが使う。

Returns:
    operations: n² d、n d²、または r n d。
    steps: 順に行わなければならない演算の数、1、n、または 1。
    path: 系列の両端を結ぶ層または時刻の数、1、n、または n/r の切り上げ。
"""

# %%
kinds = "self_attention", "recurrent", "restricted"
[sequence_layer_complexity(kind, 5, 3, 2) for kind in kinds]
# [(75, 1, 1), (45, 5, 5), (30, 1, 3)]

# %% graded sequence_layer_complexity

# %% [markdown] lang="ja"
# ## PyTorch で: 自動微分とデバイス
#
# 同じ式をテンソルで書けば、逆伝播は autograd が引き受けます。値に加えて、すべての入力とパラメータの勾配も採点されます。
#
# - `detach()`、`.data`、`.item()`、`.numpy()`、`torch.no_grad()` は計算グラフを切ります。値は合っていても、勾配が消えます。
# - 新しいテンソル(マスクや位置エンコーディングの表)は、入力と同じデバイスと dtype で作ります。表は学習しないので、`nn.Module` では `register_buffer` で持ちます。
# - `nn.Linear` の重みは `(出力, 入力)` の形で、この課題の行列の**転置**です。
# - `nn.TransformerEncoderLayer` は既定で post-norm、`norm_first=True` で pre-norm です。その bool のマスクは True が「隠す」で、この課題とは**逆**です。
#
# attention のサブレイヤを、残差と正規化まで含めて一つの関数にします。`memory` が `None` なら self-attention で、pre-norm ではクエリ・キー・バリューのすべてを**正規化した** $x$ から作ります。`memory` があれば、正規化するのは $x$ だけです。
#
# 次のセルの `multi_head_attention_torch` は与えられたものです。Layer Norm は `torch.nn.functional.layer_norm(x, x.shape[-1:], gamma, beta)` で計算できます。
#
# **例**。前と同じ $x = (1, 3)$ と単位行列で、post の self-attention サブレイヤは $(-1, 1)$、pre は $(0, 4)$ です。

# %% [markdown] lang="en"
# ## In PyTorch: autograd and devices
#
# Written with tensors, the same formulas leave the backward pass to autograd. The gradients of all inputs and parameters are graded along with the values.
#
# - `detach()`, `.data`, `.item()`, `.numpy()` and `torch.no_grad()` cut the graph: the values are right, and the gradients gone.
# - A new tensor (a mask, a table of positions) gets the device and the dtype of the inputs. The table is not learned: an `nn.Module` holds it by `register_buffer`.
# - The weight of `nn.Linear` has the shape `(outputs, inputs)`: the **transpose** of the matrices here.
# - `nn.TransformerEncoderLayer` is post-norm unless `norm_first=True` makes it pre-norm. In its boolean masks True hides, the **opposite** of this task.
#
# Write the attention's sub-layer with its residual and its norm as one function. Where `memory` is `None` it is self-attention, and pre-norm makes queries, keys and values all of the **normalised** $x$. Where there is a `memory`, $x$ alone is normalised.
#
# `multi_head_attention_torch` in the next cell is given. Layer norm is `torch.nn.functional.layer_norm(x, x.shape[-1:], gamma, beta)`.
#
# **Example.** With $x = (1, 3)$ and identities as before, the self-attention sub-layer gives $(-1, 1)$ in post-norm and $(0, 4)$ in pre-norm.

# %%
import torch


def multi_head_attention_torch(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    shape = (len(x_q), x_q.shape[1], x_kv.shape[1])
    allowed = torch.ones(shape, dtype=torch.bool, device=x_q.device)
    if mask is not None:
        allowed = allowed & mask
    parts = [z.chunk(heads, dim=-1) for z in (x_q @ Wq, x_kv @ Wk, x_kv @ Wv)]
    mixed, all_weights = [], []
    for query, key, value in zip(*parts):
        score = torch.einsum("nqe,nke->nqk", query, key) / key.shape[-1] ** 0.5
        all_weights.append(allowed * score.masked_fill(~allowed, -1e30).softmax(dim=2))
        mixed.append(all_weights[-1] @ value)
    return torch.cat(mixed, dim=2) @ Wo, torch.stack(all_weights, dim=1)

# %% stub feed_forward_torch
"""位置ごとのフィードフォワードネットワーク。

Args:
    x: 入力、(N, T, D)。
    W1: 中間層の重み、(D, F)。
    b1: そのバイアス、(F,)。
    W2: 出力の重み、(F, D)。
    b2: そのバイアス、(D,)。

Returns:
    (N, T, D): 各位置で max(0, x W1 + b1) W2 + b2。
"""

# %%
weight = torch.tensor([[1.0, 0, 1], [0, 1, 1]], requires_grad=True)
out = feed_forward_torch(
    torch.tensor([[[1.0, -2]]]), weight, torch.tensor([0.0, 1, 2]),
    torch.tensor([[2.0, 0], [0, 2], [1, -1]]), torch.tensor([0.0, 1]),
)
out.sum().backward()
out.tolist(), weight.grad[:, 0].tolist()
# ([[[3.0, 0.0]]], [2.0, -4.0])

# %% graded feed_forward_torch

# %% stub attention_sublayer_torch
"""ブロックの attention 一つを、残差と正規化も含めて計算する。self-attention にも、memory への attention にもなる。

self-attention では、クエリ・キー・バリューを同じテンソルから作る(pre-norm なら正規化した後のもの)。memory はそのまま使う。

Args:
    x: 入力、(N, T, D)。
    memory: エンコーダの出力、(N, Tm, D)。None なら self-attention。
    Wq: クエリへの射影、(D, D)。
    Wk: キーへの射影、(D, D)。
    Wv: バリューへの射影、(D, D)。
    Wo: 連結した head の射影、(D, D)。
    gamma: 正規化のスケール、(D,)。
    beta: 正規化のシフト、(D,)。
    heads: head の数。D を割り切る。
    mask: True ならそのキーを見てよい。1 行が一つのクエリで、ブロードキャストできる。None は何も隠さない。
    norm: 'post' は和を、'pre' は入力 x を正規化する。

Returns:
    (N, T, D): LayerNorm(x + attention(x))、または x + attention(LayerNorm(x))。
"""

# %%
unit, ones, zeros = torch.eye(2), torch.ones(2), torch.zeros(2)
row = torch.tensor([[[1.0, 3]]])
args = row, None, unit, unit, unit, unit, ones, zeros, 1, None
both = [attention_sublayer_torch(*args, norm) for norm in ("post", "pre")]
[out.round(decimals=3).tolist() for out in both]
# [[[[-1.0, 1.0]]], [[[0.0, 4.0]]]]

# %%
layer = torch.nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True)
words = torch.randn(2, 5, 6)
Wq, Wk, Wv = (W.T for W in layer.self_attn.in_proj_weight.chunk(3))
attention = Wq, Wk, Wv, layer.self_attn.out_proj.weight.T
first, second = layer.linear1, layer.linear2
scale, shift = layer.norm1.weight, layer.norm1.bias
h = attention_sublayer_torch(words, None, *attention, scale, shift, 2)
ffn = feed_forward_torch(h, first.weight.T, first.bias, second.weight.T, second.bias)
out = layer.norm2(h + ffn)
torch.allclose(out, layer(words), atol=1e-5)
# True

# %% graded attention_sublayer_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **Transformer とは。** 2017 年 6 月の論文 "Attention Is All You Need" のモデル。RNN も CNN も使わず、attention で系列を処理する encoder–decoder である。
# - **位置エンコーディング。** ないと、語の並べ替えを区別できない。偶数列 $\sin(pos/10000^{2i/d})$、奇数列 $\cos(pos/10000^{2i/d})$ を埋め込みに**足す**。パラメータはない。足す前に埋め込みを $\sqrt{d_\text{model}}$ 倍する。
# - **ブロックの順序。** エンコーダ: Multi-Head Attention → Add & Norm → FFN → Add & Norm。デコーダ: Masked Multi-Head Attention → Source-Target Attention → FFN(それぞれの後に Add & Norm)。最後に Linear → Softmax。どちらも $N = 6$ 段。
# - **三つの attention。** エンコーダの self-attention、デコーダの masked self-attention、Source-Target Attention。キーとバリューがエンコーダの出力から来るのは、最後のものだけである。
# - **マスク。** 時刻 $i$ は $j \le i$ だけを見る(True は $T(T+1)/2$ 個)。これで学習は並列にできるが、生成は 1 語ずつである。マスクを忘れると、学習の損失はほぼ 0 になるのに、生成した文は意味をなさない。
# - **post-norm と pre-norm。** post: $\mathrm{LayerNorm}(x + f(x))$、2017 年の論文、ウォームアップが必要。pre: $x + f(\mathrm{LayerNorm}(x))$、残差経路に何もなく、学習が安定する。
# - **数え上げ。** $d_k = D/h$。エンコーダ 1 段の重み行列は $F = 4D$ なら $12 D^2$ で、3 分の 2 が FFN にある。デコーダ 1 段は、エンコーダ 1 段より $4D^2 + 2D$ 多い。
# - **計算量。** self-attention は $n^2 d$、RNN は $n d^2$(自己注意が軽いのは $n < d$)。$n$ が 2 倍なら、スコア行列の計算は 4 倍。逐次ステップ数は 1 と $n$、最長経路も 1 と $n$。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **What a Transformer is.** The model of "Attention Is All You Need" (June 2017): an encoder–decoder that works on sequences by attention, with neither RNN nor CNN.
# - **Positional encoding.** Without it, orders of words cannot be told apart. $\sin(pos/10000^{2i/d})$ in even and $\cos(pos/10000^{2i/d})$ in odd columns are **added** to the embeddings, which are multiplied by $\sqrt{d_\text{model}}$ before. There are no parameters.
# - **Order within a block.** Encoder: multi-head attention → Add & Norm → FFN → Add & Norm. Decoder: masked multi-head attention → source-target attention → FFN (Add & Norm after each). At the end, linear → softmax. Both stacks have $N = 6$ blocks.
# - **Three attentions.** The encoder's self-attention, the decoder's masked self-attention, and source-target attention. In the last one alone do keys and values come from the encoder's output.
# - **The mask.** Step $i$ sees $j \le i$ alone ($T(T+1)/2$ entries are True). So training runs in parallel, while generation goes word by word. Without the mask the loss of training falls to almost 0, and what is generated is nonsense.
# - **Post- and pre-norm.** post: $\mathrm{LayerNorm}(x + f(x))$, the 2017 paper, needs warm-up. pre: $x + f(\mathrm{LayerNorm}(x))$, nothing on the residual path, trains stably.
# - **Counting.** $d_k = D/h$. With $F = 4D$ the matrices of an encoder layer have $12 D^2$ weights, two thirds of them in the FFN. A decoder layer has $4D^2 + 2D$ parameters more than an encoder layer.
# - **Operations.** Self-attention $n^2 d$, RNN $n d^2$ (self-attention is cheaper for $n < d$). Twice the $n$ makes four times the work for the score matrix. Sequential steps are 1 and $n$, longest paths 1 and $n$.
