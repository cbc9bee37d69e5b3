# %% [markdown] lang="ja"
# # Attention(注意機構)
#
# seq2seq の符号化器(encoder)は、文がどれほど長くても、その全体を**一つの固定長ベクトル**に押し込みます。文が長いほど情報は失われます。
# Attention は、復号化器(decoder)が 1 語を出すたびに、翻訳元のすべての語の隠れ状態を見直し、その時点で必要なものを多めに取り出す仕組みです。
#
# 三つの役割で考えます。**クエリ(query)** が尋ね、**キー(key)** が応じ、**バリュー(value)** が取り出されます。
#
# 1. クエリ $q_i$ とすべてのキー $k_j$ を比べ、**スコア** $e_{ij}$ を求める。
# 2. ソフトマックスで、和が 1 の**重み** $a_{ij}$ に直す。隠すべきキーは、その前に**マスク**する。
# 3. バリューを重みで平均し、**コンテキスト** $c_i = \sum_j a_{ij} v_j$ を得る。
#
# ![クエリとキーからスコアを、スコアから重みを求め、バリューの重み付き平均をとる](lookup.svg)
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | サンプル数 | $D$ | クエリとキーの幅(次元) |
# | $T_q$ | クエリの数 | $E$ | バリューの幅 |
# | $T_k$ | キーの数(バリューも同じ数) | $H$ | 加法注意の中間ユニットの数 |
#
# 形の「…」は任意の個数(0 個でもよい)の先頭の軸で、一つの関数の引数の間では同じです。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。小さな入力なので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Attention
#
# The encoder of seq2seq squeezes a whole sentence, however long, into **one vector of fixed size**. The longer the sentence, the more is lost.
# With attention the decoder looks at the hidden states of all source words again whenever it puts out a word, and takes more of what it needs just then.
#
# There are three parts: the **query** asks, the **keys** answer, the **values** are taken out.
#
# 1. Compare the query $q_i$ with every key $k_j$: the **scores** $e_{ij}$.
# 2. Turn them with a softmax into **weights** $a_{ij}$ that sum to 1. Keys that must not be seen are **masked** before.
# 3. Average the values with these weights: the **context** $c_i = \sum_j a_{ij} v_j$.
#
# ![Scores from a query and its keys, weights from the scores, and the weighted mean of the values](lookup.svg)
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | samples | $D$ | width (dimension) of queries and keys |
# | $T_q$ | queries | $E$ | width of values |
# | $T_k$ | keys, and as many values | $H$ | hidden units of additive attention |
#
# In shapes, "…" stands for any number of leading axes (possibly none), the same for all arguments of a function.
#
# Leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 内積によるスコア
#
# 向きの似たベクトルほど内積は大きくなります。そこで、クエリとキーの内積をスコアにします。
#
# $$e_{ij} = \frac{q_i \cdot k_j}{\sqrt{D}}$$
#
# なぜ $\sqrt{D}$ で割るのでしょうか。$q$ と $k$ の成分が独立で平均 0、分散 1 なら、内積は $D$ 個の積の和なので分散は $D$、標準偏差は $\sqrt{D}$ です。
# 割らないと、$D$ が大きいほどスコアの差が開いてソフトマックスが飽和し、勾配がほとんど流れなくなります。$\sqrt{D}$ で割れば、分散は幅によらず 1 です。
#
# **例**($D = 4$)。$q = (1, 0, 1, 2)$、$k_0 = (1, 1, 1, 1)$、$k_1 = (2, 0, 0, -1)$ なら、内積は $1 + 0 + 1 + 2 = 4$ と $2 + 0 + 0 - 2 = 0$。$\sqrt{4} = 2$ で割って、スコアは $(2, 0)$ です。
#
# `scaled=False` のときは割らずに、内積をそのまま返します。行列 $W$ を挟む一般形のスコア $q W k$ は、`dot_scores(q @ W, k, scaled=False)` で計算できます。

# %% [markdown] lang="en"
# ## Scores by inner product
#
# The more alike two vectors point, the larger is their inner product. So let the score be the inner product of query and key.
#
# $$e_{ij} = \frac{q_i \cdot k_j}{\sqrt{D}}$$
#
# Why $\sqrt{D}$? If the components of $q$ and $k$ are independent with mean 0 and variance 1, the inner product is a sum of $D$ products: its variance is $D$, its standard deviation $\sqrt{D}$.
# Undivided, scores lie further apart the larger $D$ is, the softmax saturates, and hardly any gradient passes. Divided by $\sqrt{D}$, their variance is 1 at every width.
#
# **Example** ($D = 4$). With $q = (1, 0, 1, 2)$, $k_0 = (1, 1, 1, 1)$, $k_1 = (2, 0, 0, -1)$ the inner products are $1 + 0 + 1 + 2 = 4$ and $2 + 0 + 0 - 2 = 0$. Divided by $\sqrt{4} = 2$ the scores are $(2, 0)$.
#
# With `scaled=False` nothing is divided: return the inner products. The general score $q W k$ with a matrix between is `dot_scores(q @ W, k, scaled=False)`.

# %% stub dot_scores
"""内積によるスコア。

q·k は D 個の積の和である。成分が独立で分散 1 なら、その分散は D である。√D で割れば幅によらず 1 になり、
後のソフトマックスが飽和しない。

Args:
    q: クエリ、(…, Tq, D)。
    k: キー、(…, Tk, D)。
    scaled: √D で割る。

Returns:
    (…, Tq, Tk): 要素 (i, j) は q_i·k_j / √D。scaled でなければ q_i·k_j。
"""

# %%
dot_scores(np.array([[1.0, 0, 1, 2]]), np.array([[1.0, 1, 1, 1], [2, 0, 0, -1]]))
# array([[2., 0.]])

# %% graded dot_scores

# %% [markdown] lang="ja"
# ## 加法注意
#
# 最初に提案された注意機構は、小さなニューラルネットワークでスコアを求めました。クエリとキーをそれぞれ射影して足し、$\tanh$ を通して、重み $v$ で 1 個の数にまとめます。
#
# $$e_{ij} = v^\top \tanh(W_q^\top q_i + W_k^\top k_j) = \sum_h v_h \tanh\bigl((q_i W_q)_h + (k_j W_k)_h\bigr)$$
#
# クエリとキーの幅 $D_q, D_k$ は違っていてもかまいません。学習するパラメータ $W_q, W_k, v$ があります。バイアスも、$\sqrt{D}$ での割り算もありません。
#
# **例**。$q = (1)$、$k_0 = (0, 0)$、$k_1 = (1, 0)$、$W_q = (1)$、$W_k = (1, 1)^\top$、$v = (2)$ なら、$\tanh$ の中は $1 + 0 = 1$ と $1 + 1 = 2$。スコアは $2 \tanh 1 \approx 1.523$ と $2 \tanh 2 \approx 1.928$ です。
#
# もし $\tanh$ がなければ、スコアは「クエリだけの項」と「キーだけの項」の和です。一つの行の中で前者は共通なので、ソフトマックスで消えてしまい、重みがクエリによらなくなります。

# %% [markdown] lang="en"
# ## Additive attention
#
# The first attention found its scores with a small network: project query and key, add, apply $\tanh$, and sum up with the weights $v$.
#
# $$e_{ij} = v^\top \tanh(W_q^\top q_i + W_k^\top k_j) = \sum_h v_h \tanh\bigl((q_i W_q)_h + (k_j W_k)_h\bigr)$$
#
# Queries and keys may differ in their widths $D_q, D_k$. $W_q, W_k, v$ are learned. There is no bias, and nothing is divided by $\sqrt{D}$.
#
# **Example.** With $q = (1)$, $k_0 = (0, 0)$, $k_1 = (1, 0)$, $W_q = (1)$, $W_k = (1, 1)^\top$, $v = (2)$ the $\tanh$ is taken of $1 + 0 = 1$ and $1 + 1 = 2$. The scores are $2 \tanh 1 \approx 1.523$ and $2 \tanh 2 \approx 1.928$.
#
# Without the $\tanh$ a score would be a term of the query plus a term of the key. The first is the same all along a row, so the softmax cancels it, and the weights would not depend on the query.

# %% stub additive_scores
"""中間層が一つの小さなネットワークによるスコア。

クエリとキーの幅は違っていてよい。それぞれを射影して足すのは、二つを連結したものに一つの行列を掛けるのと同じである。

Args:
    q: クエリ、(N, Tq, Dq)。
    k: キー、(N, Tk, Dk)。
    Wq: クエリの射影、(Dq, H)。
    Wk: キーの射影、(Dk, H)。
    v: 中間ユニットの重み、(H,)。

Returns:
    (N, Tq, Tk): 要素 (i, j) は Σ_h v_h tanh(q_i Wq + k_j Wk)_h。バイアスも割り算もない。
"""

# %%
additive_scores(
    np.array([[[1.0]]]), np.array([[[0.0, 0], [1, 0]]]),
    np.array([[1.0]]), np.array([[1.0], [1]]), np.array([2.0]),
).round(3)
# array([[[1.523, 1.928]]])

# %% graded additive_scores

# %% [markdown] lang="ja"
# ## マスク付きソフトマックス
#
# 重みは、クエリごとに、**キーの軸(最後の軸)** でのソフトマックスです。見てはいけないキー(パディングや、言語モデルでの未来の語)は、スコアを $-\infty$ とみなします。
#
# $$a_{ij} = \frac{m_{ij}\, \exp e_{ij}}{\sum_{j'} m_{ij'} \exp e_{ij'}}, \qquad m_{ij} = 1 \ (\text{見てよい}), \ 0 \ (\text{隠す})$$
#
# 約束は三つです。
#
# - mask は bool で、**True は「見てよい」** を表します。形は `scores` にブロードキャストできれば何でもかまいません。`None` なら何も隠しません。
# - すべてのキーが隠された行では、重みはすべて 0 とします。$0/0$ の NaN がバッチ全体に広がるのを防ぐためです。
# - スコアが 2000 でも、溢れずに計算します。行の最大値を引いてから exp を取れば、重みは変わりません。
#
# **例**。スコア $(0, \ln 2, \ln 3)$ で三つ目を隠すと、$\exp$ は $(1, 2, 0)$、和は 3、重みは $(1/3, 2/3, 0)$ です(冒頭の図)。
#
# > **よくある間違い** スコアに mask を掛けて 0 にしても、隠したことにはなりません。$\exp 0 = 1$ なので、上の例の重みは $(1/4, 2/4, 1/4)$ になり、隠したはずのキーが見えています。
#
# > **よくある間違い** ソフトマックスの**後**で重みを 0 にすると、残りの和が 1 になりません。上の例では $(1/6, 2/6, 0)$ で、和は $1/2$ です。

# %% [markdown] lang="en"
# ## Masked softmax
#
# The weights are a softmax for each query over **the axis of the keys (the last)**. A key that must not be seen (padding, or the future in a language model) counts as having the score $-\infty$.
#
# $$a_{ij} = \frac{m_{ij}\, \exp e_{ij}}{\sum_{j'} m_{ij'} \exp e_{ij'}}, \qquad m_{ij} = 1 \ (\text{may be seen}), \ 0 \ (\text{hidden})$$
#
# Three things are agreed:
#
# - The mask is bool, and **True means "may be seen"**. Any shape will do that broadcasts to `scores`. `None` hides nothing.
# - In a row whose keys are all hidden every weight is 0, so that no NaN from $0/0$ spreads through the batch.
# - Scores of 2000 must not overflow. Subtract the largest of the row before exp: the weights stay the same.
#
# **Example.** Scores $(0, \ln 2, \ln 3)$, the third hidden: $\exp$ gives $(1, 2, 0)$, their sum is 3, the weights are $(1/3, 2/3, 0)$ (the figure at the top).
#
# > **Common mistake** Multiplying scores by the mask, so that they are 0, hides nothing: $\exp 0 = 1$, and the weights above would be $(1/4, 2/4, 1/4)$; the hidden key is still seen.
#
# > **Common mistake** Setting weights to 0 **after** the softmax leaves a rest that does not sum to 1: above $(1/6, 2/6, 0)$, whose sum is $1/2$.

# %% stub masked_softmax
"""スコアから重みへ: 隠したキーのスコアを -∞ とみなす、最後の軸でのソフトマックス。

Args:
    scores: クエリごとに 1 行、(…, Tq, Tk)。
    mask: True ならそのキーを見てよい。scores にブロードキャストできる。None は何も隠さない。

Returns:
    (…, Tq, Tk): 各行の和は 1、隠したキーでは 0。すべてのキーが隠された行は 0。
"""

# %%
masked_softmax(np.log([[1.0, 2, 3]]), np.array([[True, True, False]])).round(3)
# array([[0.333, 0.667, 0.   ]])

# %%
scores = np.array([[2000.0, 2000], [5, 7]])
masked_softmax(scores, np.array([[True, True], [False, False]]))
# array([[0.5, 0.5],
#        [0. , 0. ]])

# %% graded masked_softmax

# %% [markdown] lang="ja"
# ## パディングのマスク
#
# 長さの違う文を一つのバッチに並べるときは、短い文の後ろを埋めて長さ $T$ に揃えます。埋めた位置はキーとして見てはいけません。
# 位置は 0 から数えるので、長さ 2 の文で見てよいのは位置 0 と 1 です。真ん中の長さ 1 の軸は「どのクエリにとっても同じ」を表し、ブロードキャストで広がります。
#
# ![長さ 2 と 3 の文のバッチの重み。埋めた列は 0 になる](padding.svg)
#
# **例**。`lengths = [1, 3]`、$T = 3$ なら、1 文目は (True, False, False)、2 文目は (True, True, True) です。

# %% [markdown] lang="en"
# ## The mask of padding
#
# To stand in one batch, short sentences are filled up at the end to the length $T$. What was filled in must not be seen as a key.
# Positions are counted from 0: of a sentence of length 2 positions 0 and 1 may be seen. The axis of length 1 in the middle says "the same for every query", and broadcasts.
#
# ![Weights of a batch of sentences of lengths 2 and 3: the column that was filled in is 0](padding.svg)
#
# **Example.** With `lengths = [1, 3]` and $T = 3$ the first sentence has (True, False, False), the second (True, True, True).

# %% stub padding_mask
"""後ろを埋めて長さを揃えた文のバッチのマスク。

Args:
    lengths: 本当の長さ、0 … T、(N,)。
    T: 揃えた後の長さ。

Returns:
    (N, 1, T): 要素 (n, 0, t) は t < lengths[n]。長さ 1 の軸はすべてのクエリを代表する。
"""

# %%
padding_mask(np.array([1, 3]), 3)
# array([[[ True, False, False]],
#        [[ True,  True,  True]]])

# %% graded padding_mask

# %% [markdown] lang="ja"
# ## Attention
#
# 部品がそろいました。内積のスコア(必ず $\sqrt{D}$ で割る)から重みを求め、バリューを平均します。
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{D}}\right) V$$
#
# - **Source-Target Attention**: クエリは復号化器から、キーとバリューは符号化器から。
# - **Self-Attention**: 三つとも同じ系列から。
#
# **例**($D = 1$)。$q = 1$、$k = 0, \ln 3$、$v = (4, 0), (0, 8)$ なら、スコアは $(0, \ln 3)$、重みは $(1/4, 3/4)$、コンテキストは $\frac14 (4, 0) + \frac34 (0, 8) = (1, 6)$ です。
#
# 計算量はサンプルあたり、スコアに $T_q T_k D$、コンテキストに $T_q T_k E$ の積和です。重みを置くメモリは $T_q T_k$ に比例します。
#
# > **よくある間違い** Attention は辞書にたとえられますが、「一致したキーのバリューを一つ取り出す」のではありません。すべてのキーと比べ、すべてのバリューの**重み付き平均**を返します。普通の辞書になるのは、スコアの差が非常に大きい極限だけです。
#
# > **よくある間違い** 文が長いほど大きくなるのは、注意を向ける**候補の数** $T_k$ です。復号化器が各時刻に受け取るコンテキストの大きさ $E$ は、文の長さによりません。
#
# > **よくある間違い** 「I」を出すときに「私」の重みが大きくなるのは典型的な例ですが、重みは語の組ごとの確率ではありません。出力の 1 時刻ごとに、翻訳元の位置の上で和が 1 になる分布です。予測の理由をそのまま表すとも限りません。

# %% [markdown] lang="en"
# ## Attention
#
# All parts are there: scores by inner product (always divided by $\sqrt{D}$), weights from them, and the mean of the values.
#
# $$\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^\top}{\sqrt{D}}\right) V$$
#
# - **Source-target attention**: queries from the decoder, keys and values from the encoder.
# - **Self-attention**: all three from one sequence.
#
# **Example** ($D = 1$). With $q = 1$, $k = 0, \ln 3$, $v = (4, 0), (0, 8)$ the scores are $(0, \ln 3)$, the weights $(1/4, 3/4)$, the context $\frac14 (4, 0) + \frac34 (0, 8) = (1, 6)$.
#
# A sample takes $T_q T_k D$ multiply–adds for its scores and $T_q T_k E$ for its context. The memory for the weights is proportional to $T_q T_k$.
#
# > **Common mistake** Attention is likened to a dictionary, but it does not take out the one value whose key matches. It compares with every key and returns a **weighted mean** of all values. An ordinary dictionary is only the limit of scores that lie very far apart.
#
# > **Common mistake** What grows with the sentence is the **number of candidates** $T_k$ for attention. The context that the decoder receives at each step has the size $E$, however long the sentence.
#
# > **Common mistake** That "私" gets a large weight when "I" is put out is the typical example, but weights are not probabilities of pairs of words. For each output step they are a distribution over source positions, with sum 1. Nor need they be the reason of a prediction.

# %% stub attention
"""スケール化内積注意: softmax(q kᵀ / √D) v。

サンプルあたり Tq·Tk·(D + E) 回の積和と、重みのために Tq·Tk 個の数が要る。

Args:
    q: クエリ、(…, Tq, D)。
    k: キー、(…, Tk, D)。
    v: バリュー、(…, Tk, E)。
    mask: True ならそのキーを見てよい。(…, Tq, Tk) にブロードキャストできる。None は何も隠さない。

Returns:
    context: Σ_j a_ij v_j、(…, Tq, E)。
    weights: a、(…, Tq, Tk)。
"""

# %%
q, k = np.array([[1.0]]), np.array([[0.0], [np.log(3)]])
v = np.array([[4.0, 0], [0, 8]])
attention(q, k, v)
# (array([[1., 6.]]), array([[0.25, 0.75]]))

# %%
attention(q, k, v, np.array([[True, False]]))
# (array([[4., 0.]]), array([[1., 0.]]))

# %% graded attention

# %% [markdown] lang="ja"
# ## 逆伝播
#
# コンテキストに届いた勾配 $dC$ を、三つの入力へ戻します。$C = A V$ なので、
#
# $$dV = A^\top dC, \qquad dA = dC\, V^\top$$
#
# 次はソフトマックスです。行の重みの和は常に 1 なので、一つのスコアを上げると、そのキーの重みが増えた分だけ他の重みが減ります。ヤコビ行列は $\mathrm{diag}(a) - a a^\top$ で、行ごとに
#
# $$dS_{ij} = a_{ij} \Bigl( dA_{ij} - \sum_{j'} a_{ij'}\, dA_{ij'} \Bigr)$$
#
# となります。最後に $S = Q K^\top / \sqrt{D}$ なので、$dQ = dS\, K / \sqrt{D}$、$dK = dS^\top Q / \sqrt{D}$ です。
#
# **例**。前の例($a = (1/4, 3/4)$、$v = (4, 0), (0, 8)$)で $dC = (1, 1)$ とします。$dA = (4, 8)$、引く項は $\frac14 \cdot 4 + \frac34 \cdot 8 = 7$、
# $dS = \bigl(\frac14 (4 - 7), \frac34 (8 - 7)\bigr) = (-\frac34, \frac34)$(和は 0)。よって $dq = \frac34 \ln 3 \approx 0.824$、$dk = (-0.75, 0.75)$、$dv$ は $(0.25, 0.25)$ と $(0.75, 0.75)$ です。
#
# 隠したキーには重みがないので、勾配も届きません。すべて隠された行は $dq = 0$ です。結果は `(dq, dk, dv)` の順に、タプルかリストで返します。

# %% [markdown] lang="en"
# ## Backward
#
# The gradient $dC$ that reached the context goes back to the three inputs. As $C = A V$,
#
# $$dV = A^\top dC, \qquad dA = dC\, V^\top$$
#
# The softmax is next. The weights of a row always sum to 1: raise one score, and what its key gains in weight the others lose. The Jacobian is $\mathrm{diag}(a) - a a^\top$, and row by row
#
# $$dS_{ij} = a_{ij} \Bigl( dA_{ij} - \sum_{j'} a_{ij'}\, dA_{ij'} \Bigr)$$
#
# Last, as $S = Q K^\top / \sqrt{D}$: $dQ = dS\, K / \sqrt{D}$ and $dK = dS^\top Q / \sqrt{D}$.
#
# **Example.** Take the last one ($a = (1/4, 3/4)$, $v = (4, 0), (0, 8)$) with $dC = (1, 1)$. Then $dA = (4, 8)$, what is subtracted is $\frac14 \cdot 4 + \frac34 \cdot 8 = 7$,
# and $dS = \bigl(\frac14 (4 - 7), \frac34 (8 - 7)\bigr) = (-\frac34, \frac34)$ (the sum is 0). So $dq = \frac34 \ln 3 \approx 0.824$, $dk = (-0.75, 0.75)$, and $dv$ is $(0.25, 0.25)$ and $(0.75, 0.75)$.
#
# A hidden key has no weight, and no gradient reaches it. A row whose keys are all hidden has $dq = 0$. Return `(dq, dk, dv)` in this order, in a tuple or a list.

# %% stub attention_backward
"""スケール化内積注意の勾配。

    dA = dC Vᵀ                          C = A V
    dS = A ⊙ (dA - Σ_j dA ⊙ A)          A の各行はソフトマックスで、ヤコビ行列は diag(a) - a aᵀ

Args:
    dcontext: ∂loss/∂context、(…, Tq, E)。
    q: クエリ、(…, Tq, D)。
    k: キー、(…, Tk, D)。
    v: バリュー、(…, Tk, E)。
    mask: True ならそのキーを見てよい。(…, Tq, Tk) にブロードキャストできる。None は何も隠さない。

Returns:
    dq: dS k / √D、(…, Tq, D)。
    dk: dSᵀ q / √D、(…, Tk, D)。
    dv: Aᵀ dC、(…, Tk, E)。
"""

# %%
[g.round(3).tolist() for g in attention_backward(np.array([[1.0, 1]]), q, k, v)]
# [[[0.824]], [[-0.75], [0.75]], [[0.25, 0.25], [0.75, 0.75]]]

# %% graded attention_backward

# %% [markdown] lang="ja"
# ## Multi-Head Attention
#
# 一つの attention は、クエリごとに一組の重みしか持ちません。そこで $D$ 次元を $h$ 個の**ヘッド(head)** に分け、それぞれに別の見方をさせ、最後に行列 $W_o$ でまとめます。
#
# $$\mathrm{head}_i = \mathrm{Attention}(X_q W_q^{(i)}, X_{kv} W_k^{(i)}, X_{kv} W_v^{(i)}), \qquad \mathrm{out} = [\mathrm{head}_0, \dots, \mathrm{head}_{h-1}]\, W_o$$
#
# ![D 本の列を head ごとの連続した組に分け、別々に attention を計算し、連結して Wo を掛ける](heads.svg)
#
# - head $i$ が受け持つのは、$x W$ の**連続した** $d = D/h$ 列($i d$ 列目から $(i+1) d - 1$ 列目まで)です。`(N, T, D)` を `(N, T, h, d)` に変形し、それから軸を入れ替えて `(N, h, T, d)` にします。
# - 各 head のスコアは、その head の幅の平方根 $\sqrt{d} = \sqrt{D/h}$ で割ります。
# - mask はすべての head に共通です。重みは head ごとに(平均せずに)返します。バイアスはありません。
#
# パラメータは $W_q, W_k, W_v, W_o$ の $4 D^2$ 個で、head の数によりません。
#
# **例**。四つの行列を単位行列、$D = h = 2$ とし、$x_q = (1, 0)$、$x_{kv} = (0, 4), (\ln 3, 8)$ とします。
# head 0 は 0 列目だけを見ます。スコア $(0, \ln 3)$、重み $(1/4, 3/4)$、結果は $\frac34 \ln 3 \approx 0.824$。head 1 は 1 列目だけを見ます。クエリが 0 なので重みは $(1/2, 1/2)$、結果は $(4 + 8)/2 = 6$。連結して $(0.824, 6)$ です。
#
# > **よくある間違い** `(N, T, D)` をいきなり `(N, h, T, d)` に変形すると、エラーは出ませんが、時刻と特徴が混ざります。連結するときも同じで、軸を戻してから変形します。

# %% [markdown] lang="en"
# ## Multi-head attention
#
# One attention has one set of weights a query. So the $D$ dimensions are shared out among $h$ **heads**, each looks in its own way, and a matrix $W_o$ brings them together.
#
# $$\mathrm{head}_i = \mathrm{Attention}(X_q W_q^{(i)}, X_{kv} W_k^{(i)}, X_{kv} W_v^{(i)}), \qquad \mathrm{out} = [\mathrm{head}_0, \dots, \mathrm{head}_{h-1}]\, W_o$$
#
# ![D columns are cut into neighbouring blocks, one a head; each attends by itself; the results are joined and multiplied by Wo](heads.svg)
#
# - Head $i$ has the $d = D/h$ **neighbouring** columns from $i d$ to $(i+1) d - 1$ of $x W$. Reshape `(N, T, D)` to `(N, T, h, d)`, and only then exchange axes for `(N, h, T, d)`.
# - The scores of a head are divided by the root of its own width, $\sqrt{d} = \sqrt{D/h}$.
# - All heads share the mask. The weights are returned for every head, not averaged. There are no biases.
#
# $W_q, W_k, W_v, W_o$ have $4 D^2$ parameters, whatever the number of heads.
#
# **Example.** Let the four matrices be identities, $D = h = 2$, $x_q = (1, 0)$ and $x_{kv} = (0, 4), (\ln 3, 8)$.
# Head 0 sees column 0 alone: scores $(0, \ln 3)$, weights $(1/4, 3/4)$, result $\frac34 \ln 3 \approx 0.824$. Head 1 sees column 1 alone: its query is 0, so its weights are $(1/2, 1/2)$ and its result $(4 + 8)/2 = 6$. Joined: $(0.824, 6)$.
#
# > **Common mistake** Reshaping `(N, T, D)` straight to `(N, h, T, d)` raises no error, but mixes steps and features. The same holds when the heads are joined: first put the axes back, then reshape.

# %% stub multi_head_attention
"""並んだ複数の head による attention。

    head_i = attention(x_q Wq, x_kv Wk, x_kv Wv)      それぞれ i·D/heads … (i+1)·D/heads - 1 の列だけを使う

x_q = x_kv なら self-attention である。source-target attention では、x_q は復号化器、x_kv は符号化器のものである。
パラメータは head の数によらず 4 D² 個である。

Args:
    x_q: 尋ねる側、(N, Tq, D)。
    x_kv: 尋ねられる側、(N, Tk, D)。
    Wq: クエリへの射影、(D, D)。
    Wk: キーへの射影、(D, D)。
    Wv: バリューへの射影、(D, D)。
    Wo: 連結した head の射影、(D, D)。
    heads: head の数。D を割り切る。
    mask: True ならそのキーを見てよい。すべての head に共通で、(N, Tq, Tk) にブロードキャストできる。None は何も隠さない。

Returns:
    out: (head_0, head_1, …) Wo、(N, Tq, D)。
    weights: head ごとの重み、(N, heads, Tq, Tk)。
"""

# %%
eye = np.eye(2)
x_q, x_kv = np.array([[[1.0, 0]]]), np.array([[[0.0, 4], [np.log(3), 8]]])
out, weights = multi_head_attention(x_q, x_kv, eye, eye, eye, eye, heads=2)
out.round(3).tolist(), weights.round(3).tolist()
# ([[[0.824, 6.0]]], [[[[0.25, 0.75]], [[0.5, 0.5]]]])

# %% graded multi_head_attention

# %% [markdown] lang="ja"
# ## PyTorch で: 自動微分とデバイス
#
# 同じ式をテンソルで書けば、逆伝播は autograd が引き受けます。値に加えて、勾配も採点されます。二つの出力(context と weights)のどちらからも、勾配が流れるようにします。
#
# - `detach()`、`.data`、`.item()`、`.numpy()`、`torch.no_grad()` は、計算グラフを切ります。値は合っていても、勾配が消えます。
# - 新しいテンソルを作るときは、引数と同じデバイスと dtype にします(`torch.zeros_like(x)`、`x.new_zeros(...)`)。配列を経由して CPU や float32 に移さないでください。
# - mask の約束は numpy 版と同じで、True が「見てよい」です。`torch.nn.functional.scaled_dot_product_attention` もこの約束です。一方、`torch.nn.MultiheadAttention` の bool のマスクは**逆**で、True が「隠す」です。
#
# > **よくある間違い** すべて $-\infty$ の行にソフトマックスを掛けると NaN になります。後から NaN を 0 に置き換えると**値**は直りますが、**勾配**は NaN のまま入力まで戻ることがあります。NaN を作らないように書きましょう。

# %% [markdown] lang="en"
# ## In PyTorch: autograd and devices
#
# Written with tensors, the same formulas leave the backward pass to autograd. Gradients are graded along with the values. A gradient must flow from both outputs, the context and the weights.
#
# - `detach()`, `.data`, `.item()`, `.numpy()` and `torch.no_grad()` cut the graph: the values are right, and the gradients gone.
# - A new tensor gets the device and the dtype of the arguments (`torch.zeros_like(x)`, `x.new_zeros(...)`). Do not pass through arrays, to the CPU or to float32.
# - Masks mean what they meant above: True may be seen, as in `torch.nn.functional.scaled_dot_product_attention`. The bool masks of `torch.nn.MultiheadAttention` mean the **opposite**: True hides.
#
# > **Common mistake** A softmax of a row of $-\infty$ alone is NaN. Replacing NaN by 0 afterwards mends the **value**, but a **gradient** of NaN may still go back to the inputs. Write it so that no NaN arises.

# %%
import torch

# %% stub attention_torch
"""スケール化内積注意: softmax(q kᵀ / √D) v。

Args:
    q: クエリ、(…, Tq, D)。
    k: キー、(…, Tk, D)。
    v: バリュー、(…, Tk, E)。
    mask: True ならそのキーを見てよい。(…, Tq, Tk) にブロードキャストできる。None は何も隠さない。

Returns:
    context: Σ_j a_ij v_j、(…, Tq, E)。
    weights: a、(…, Tq, Tk)。すべてのキーが隠された行は 0 で、その勾配も 0。
"""

# %%
query = torch.tensor([[1.0]], dtype=torch.float64, requires_grad=True)
context, weights = attention_torch(query, torch.tensor(k), torch.tensor(v))
context.sum().backward()
context.detach(), query.grad.round(decimals=3)
# (tensor([[1., 6.]], dtype=torch.float64), tensor([[0.8240]], dtype=torch.float64))

# %% graded attention_torch

# %% stub multi_head_attention_torch
"""並んだ複数の head による attention。

Args:
    x_q: 尋ねる側、(N, Tq, D)。
    x_kv: 尋ねられる側、(N, Tk, D)。
    Wq: クエリへの射影、(D, D)。
    Wk: キーへの射影、(D, D)。
    Wv: バリューへの射影、(D, D)。
    Wo: 連結した head の射影、(D, D)。
    heads: head の数。D を割り切る。
    mask: True ならそのキーを見てよい。すべての head に共通で、(N, Tq, Tk) にブロードキャストできる。None は何も隠さない。

Returns:
    out: (head_0, head_1, …) Wo、(N, Tq, D)。
    weights: head ごとの重み、(N, heads, Tq, Tk)。
"""

# %%
unit = torch.eye(2, dtype=torch.float64)
source = torch.tensor(x_kv)
out, weights = multi_head_attention_torch(
    torch.tensor(x_q), source, unit, unit, unit, unit, heads=2
)
out.round(decimals=3), weights.shape
# (tensor([[[0.8240, 6.0000]]], dtype=torch.float64), torch.Size([1, 2, 1, 2]))

# %% graded multi_head_attention_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **なぜ attention か。** seq2seq は文全体を一つの固定長ベクトルに符号化するので、長い文に弱い。attention は、出力の時刻ごとに、翻訳元の隠れ状態の重み付き平均を新しく作る。コンテキストの大きさは文の長さによらない。
# - **紛らわしい四つ。** RNN は系列を順に処理するネットワーク、word2vec は単語の分散表現を得る手法、seq2seq は系列から系列を作る encoder–decoder、attention はどの位置をどれだけ見るかを決める仕組み。attention は seq2seq の代わりではなく、最初は RNN の encoder–decoder の中に加えられた。
# - **クエリ・キー・バリュー。** Source-Target Attention では、クエリは復号化器、キーとバリューは符号化器から。Self-Attention では三つとも同じ系列から。
# - **$\sqrt{d_k}$ で割る理由。** 分散 1 の独立な成分なら $q \cdot k$ の分散は $d_k$。割れば 1 に戻り、ソフトマックスの飽和と勾配消失を防ぐ。$d_k$ は系列の長さではない。
# - **加法注意と内積注意。** 加法注意はパラメータをもち、クエリとキーの幅が違ってもよい。内積注意は行列積一つで計算でき、速い。
# - **マスク。** ソフトマックスの**前**にスコアを $-\infty$ にする。0 にしても($e^0 = 1$)、ソフトマックスの後で 0 にしても(和が 1 にならない)正しくない。
# - **Multi-Head Attention の数え上げ。** 各 head の幅は $D/h$、スケールは $1/\sqrt{D/h}$、パラメータは(バイアスなしで)$4 D^2$、重みはサンプルあたり $h\, T_q T_k$ 個。
# - **順序。** キーとバリューの組を並べ替えてもコンテキストは変わらない。だから Transformer には位置エンコーディングが必要である。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Why attention.** seq2seq encodes a whole sentence in one vector of fixed size and fails on long ones. Attention makes a new weighted mean of the source's hidden states at every output step. The size of the context does not depend on the sentence.
# - **Four names that are confused.** An RNN is a network that works through a sequence in order; word2vec learns vectors for words; seq2seq is an encoder–decoder from sequence to sequence; attention decides how much of which position is seen. It does not replace seq2seq: it was first added inside an encoder–decoder of RNNs.
# - **Query, key, value.** In source-target attention queries come from the decoder, keys and values from the encoder. In self-attention all three come from one sequence.
# - **Why divide by $\sqrt{d_k}$.** For independent components of variance 1, $q \cdot k$ has the variance $d_k$. Divided, it is 1 again, which keeps the softmax from saturating and gradients from vanishing. $d_k$ is not the length of the sequence.
# - **Additive or dot product.** The additive score has parameters and takes queries and keys of different widths. The dot product is a single matrix product, and fast.
# - **Masks.** Scores become $-\infty$ **before** the softmax. Making them 0 is wrong ($e^0 = 1$), and so is making weights 0 after it (they no longer sum to 1).
# - **Counting multi-head attention.** Each head is $D/h$ wide, its scale is $1/\sqrt{D/h}$, there are $4 D^2$ parameters (without biases), and $h\, T_q T_k$ weights a sample.
# - **Order.** Permuting the pairs of key and value leaves the context. This is why a Transformer needs positional encoding.
