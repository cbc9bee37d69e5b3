# %% [markdown] lang="ja"
# # word2vec:単語をベクトルにする
#
# ニューラルネットワークに入れられるのは、決まった長さの数の並びだけです。文字列のままの単語は入力できません。そこで、まず現れる**異なる**語に番号を振って**語彙**(ボキャブラリ)を作ります。
# "I want to eat apples. I like apples." なら、apples, eat, I, like, to, want の **6 語**です。I と apples は 2 回現れますが、番号は一つです。
#
# 番号 $w$ の語は、位置 $w$ だけが 1 の **one-hot ベクトル**(長さ $V$)で表せます。しかし、異なる語どうしの内積はすべて 0 で、「似ている」が表せません。
# そこで各語に $D$ 次元($D \ll V$)のベクトルを割り当て、周りの語を予測させて学習します。これが**分散表現**(埋め込み、embedding)です。word2vec の二つのモデル、CBOW と skip-gram を作りましょう。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $V, D$ | 語彙の大きさ、ベクトルの次元 | $N, C, K$ | サンプル数、文脈語の数、負例の数 |
# | $W_{in}$ | 入力側のベクトル、(V, D) | $W_{out}$ | 出力側のベクトル、(V, D) |
#
# どちらの行列も **1 行が 1 語**です。パラメータは二つ合わせて $2VD$ 個で、$V = 10000,\ D = 100$ なら 200 万個。one-hot と同じ大きさの層 $V \times V$ の 1 億個よりずっと少なくなります。
#
# **約束**: 渡された配列を書き換えないでください。計算は float64 で行います(float32 で返したときは、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。入力は小さいので、ループで書いても間に合います。単語の ID は $0 \dots V-1$ の整数です。

# %% [markdown] lang="en"
# # word2vec: words as vectors
#
# A neural network takes numbers, a fixed number of them: a word as a string cannot enter. So the **distinct** words that occur are numbered first, which gives the **vocabulary**.
# "I want to eat apples. I like apples." has **6 words**: apples, eat, I, like, to, want. I and apples occur twice, and have one number each.
#
# Word number $w$ can be written as a **one-hot vector** of length $V$, 1 at place $w$ alone. But the inner product of any two different words is then 0: nothing is similar to anything.
# So each word is given a vector of $D$ dimensions ($D \ll V$), learned by predicting neighbours: its **distributed representation**, or embedding. You will build the two models of word2vec, CBOW and skip-gram.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $V, D$ | size of the vocabulary, dimensions of a vector | $N, C, K$ | samples, context words, negatives |
# | $W_{in}$ | vectors on the input side, (V, D) | $W_{out}$ | vectors on the output side, (V, D) |
#
# In both matrices **a row is a word**. Together they hold $2VD$ parameters: 2 million for $V = 10000,\ D = 100$, where a layer between one-hot sizes, $V \times V$, would have 100 million.
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough. Ids of words are integers, $0 \dots V-1$.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# 次の関数は、使ってかまいません。どれも大きなスコアで溢れません。

# %% [markdown] lang="en"
# You may use these functions. None of them overflows on large scores.

# %% given sigmoid
"""対数オッズが x である確率、要素ごとに 1 / (1 + exp(-x))。"""

# %% given log_sigmoid
"""シグモイドの対数、要素ごと。シグモイドそのものが 0 に丸められるところでも有限である。"""

# %% given softmax
"""一つの軸についての確率: exp(x) をその和で割ったもの。"""

# %% given log_softmax
"""確率の対数。確率そのものが 0 に丸められるところでも有限である。"""

# %% given one_hot
"""長さ `classes` の軸を最後に加える。ラベル(0 … classes-1)のところが 1、ほかは 0。"""

# %% [markdown] lang="ja"
# ## 埋め込みの勾配
#
# one-hot ベクトルと行列 $E$ の積は、$E$ の 1 行を取り出すことと同じです。だから掛け算はせず、`E[ids]` と書きます。
#
# ![one-hot ベクトルと行列の積は、行列の 1 行である](lookup.svg)
#
# $$\mathrm{out} = \mathrm{onehot}(\mathrm{ids})\, E \quad\Rightarrow\quad dE = \mathrm{onehot}(\mathrm{ids})^\top\, d\mathrm{out}$$
#
# つまり、取り出した行に勾配を戻します。同じ語が何度も現れたら、その勾配は**足し合わせます**。現れなかった語の行は 0 です。
#
# **手で計算**: $V = 3$、$D = 1$、ids $= (0, 2, 0)$、dout $= (1, 2, 4)$ なら、$dE = (1 + 4,\ 0,\ 2) = (5, 0, 2)$ です。
#
# > **よくある間違い** `dE[ids] += dout` は、ids に同じ番号があっても、その行には**最後の 1 回分**しか足しません。上の例なら 5 でなく 4 になります。

# %% [markdown] lang="en"
# ## Gradient of an embedding
#
# A one-hot vector times a matrix $E$ is a row of $E$. So nothing is multiplied: one writes `E[ids]`.
#
# ![A one-hot vector times a matrix is one of its rows](lookup.svg)
#
# $$\mathrm{out} = \mathrm{onehot}(\mathrm{ids})\, E \quad\Rightarrow\quad dE = \mathrm{onehot}(\mathrm{ids})^\top\, d\mathrm{out}$$
#
# The gradients go back to the rows that were taken. If a word occurs several times, its gradients **add up**; words that do not occur have rows of 0.
#
# **By hand**: $V = 3$, $D = 1$, ids $= (0, 2, 0)$ and dout $= (1, 2, 4)$ give $dE = (1 + 4,\ 0,\ 2) = (5, 0, 2)$.
#
# > **Common mistake** `dE[ids] += dout` adds to a row **only the last** of its gradients when its number is repeated in ids: above, 4 in place of 5.

# %% stub embedding_backward
"""取り出し out = E[ids] についての、埋め込み行列 E の勾配。

Args:
    dout: 取り出した行の勾配、(..., D)。
    ids: 取り出した語、(...)。同じ語が何度現れてもよい。
    vocab: E の行数 V。

Returns:
    (V, D): 行 w は、ids が w であるところの dout の和。現れない語は 0。
"""

# %%
embedding_backward(np.array([[1.0], [2.0], [4.0]]), np.array([0, 2, 0]), 3)
# [[5.], [0.], [2.]]

# %% graded embedding_backward

# %% [markdown] lang="ja"
# ## 学習データ:中心語と文脈語
#
# 中心語の前後 $w$ 語(ウィンドウ)以内の語が**文脈語**です。
#
# ![CBOW は文脈から中心語を、skip-gram は中心語から文脈語を予測する](two_models.svg)
#
# - **CBOW** は文脈から中心語を予測します。中心語 1 つにつき予測は 1 回です。
# - **skip-gram** は中心語から文脈語を予測します。文脈語の数だけ予測します。
#
# skip-gram のための組(中心語, 文脈語)を並べます。中心語は左から順に、それぞれの文脈語も左から順です。文の端からはみ出す位置は除きます。**同じ位置**は組にしませんが、別の位置にある同じ単語は組になります。1 語だけの文には組がなく、結果の形は (0, 2) です。
# (元のプログラムはウィンドウの幅を毎回乱数で決めますが、ここでは固定します。)
#
# **手で計算**: 文 $(5, 7, 8)$、$w = 1$ なら $(5,7), (7,5), (7,8), (8,7)$ です。$n$ 語の文($n > w$)では $2wn - w(w+1)$ 組で、$n = 3,\ w = 1$ なら $6 - 2 = 4$ 組。
#
# > **よくある間違い** 文の先頭で $t - 1 = -1$ となっても、Python の `tokens[-1]` はエラーになりません。文末の語が入り込みます。

# %% [markdown] lang="en"
# ## What is learned from: centre and context
#
# The words at most $w$ places away from the centre (the window) are its **context**.
#
# ![CBOW predicts the centre from the context, skip-gram the context from the centre](two_models.svg)
#
# - **CBOW** predicts the centre from its context: one prediction for each centre.
# - **Skip-gram** predicts the context from the centre: one prediction for each word of the context.
#
# List the pairs (centre, context) of skip-gram. Centres go from left to right, and so do the words around each. Places beyond the ends of the sentence are left out. A **place** does not pair with itself, but an equal word at another place does. A sentence of one word has no pair, and the result's shape is (0, 2).
# (The original program draws the width of each window at random; here it is fixed.)
#
# **By hand**: the sentence $(5, 7, 8)$ with $w = 1$ gives $(5,7), (7,5), (7,8), (8,7)$. For $n$ words, $n > w$, there are $2wn - w(w+1)$ pairs: $6 - 2 = 4$ for $n = 3,\ w = 1$.
#
# > **Common mistake** At the sentence's start $t - 1$ is $-1$, and `tokens[-1]` is no error in Python: the last word slips in.

# %% stub training_pairs
"""文から作る skip-gram の組。中心語の順、その中では文脈語の順に、左から並べる。

Args:
    tokens: 文、単語の ID のリスト。
    window: 前後それぞれ何語までを文脈とするか、1 以上。

Returns:
    (P, 2): 組(中心語, 文脈語)。
"""

# %%
print(training_pairs([5, 7, 8], 1).tolist())  # [[5, 7], [7, 5], [7, 8], [8, 7]]
print(training_pairs([5], 2).shape)  # (0, 2)

# %% graded training_pairs

# %% [markdown] lang="ja"
# ## CBOW
#
# 文脈語のベクトルの**平均** $h$ から、すべての語のスコアを作り、中心語の確率を softmax で求めます。
#
# $$h = \frac{1}{C} \sum_{c} W_{in}[\mathrm{context}_c], \qquad p = \mathrm{softmax}(h\, W_{out}^\top), \qquad L = -\frac{1}{N} \sum_n \log p_n[\mathrm{label}_n]$$
#
# 語順は使いません(bag of words)。勾配は、$e = (p - \mathrm{onehot}(\mathrm{label})) / N$ とおくと
#
# $$dW_{out} = \sum_n e_n^\top h_n, \qquad dh = e\, W_{out}, \qquad dW_{in}[\mathrm{context}_c] \mathrel{+}= \tfrac{1}{C}\, dh$$
#
# **手で計算**: $V = 2$、$D = 1$、$W_{in} = (1, 3)$、$W_{out} = (\tfrac12\log 3,\ 0)$、文脈 $(0, 1)$、中心語 0。$h = 2$、スコア $(\log 3, 0)$、$p = (0.75, 0.25)$、$L = -\log 0.75 = 0.2877$ です。
# $e = (-0.25, 0.25)$ なので $dW_{out} = 2e = (-0.5, 0.5)$、$dh = -0.25 \times 0.5493 = -0.1373$、文脈の 2 語に半分ずつ $-0.0687$ です。
#
# > **よくある間違い** 語のベクトルを表す行列は一つではありません。$W_{in}$ と $W_{out}$ は別のパラメータです。学習後に単語ベクトルとして使うのは、ふつう $W_{in}$ です。
# > また、全体の softmax の計算量は 1 サンプルあたり $VD$ に比例します。行列を $V \times D$ に小さくしても、語彙が大きければまだ重く、後で見る負例サンプリングや階層的ソフトマックスが要ります。

# %% [markdown] lang="en"
# ## CBOW
#
# The **mean** $h$ of the context's vectors gives a score for every word, and softmax the probability of the centre.
#
# $$h = \frac{1}{C} \sum_{c} W_{in}[\mathrm{context}_c], \qquad p = \mathrm{softmax}(h\, W_{out}^\top), \qquad L = -\frac{1}{N} \sum_n \log p_n[\mathrm{label}_n]$$
#
# The order of words is not used (a bag of words). With $e = (p - \mathrm{onehot}(\mathrm{label})) / N$ the gradients are
#
# $$dW_{out} = \sum_n e_n^\top h_n, \qquad dh = e\, W_{out}, \qquad dW_{in}[\mathrm{context}_c] \mathrel{+}= \tfrac{1}{C}\, dh$$
#
# **By hand**: $V = 2$, $D = 1$, $W_{in} = (1, 3)$, $W_{out} = (\tfrac12\log 3,\ 0)$, context $(0, 1)$, centre 0. Then $h = 2$, the scores are $(\log 3, 0)$, $p = (0.75, 0.25)$ and $L = -\log 0.75 = 0.2877$.
# With $e = (-0.25, 0.25)$: $dW_{out} = 2e = (-0.5, 0.5)$, $dh = -0.25 \times 0.5493 = -0.1373$, and each of the two context words gets half of it, $-0.0687$.
#
# > **Common mistake** There is not one matrix of word vectors but two: $W_{in}$ and $W_{out}$ are separate parameters. What is used as word vectors afterwards is mostly $W_{in}$.
# > And the full softmax still costs work in proportion to $VD$ a sample: a matrix $V \times D$ is small, yet a large vocabulary stays slow without negative sampling or hierarchical softmax, which follow.

# %% stub cbow_loss
"""softmax を語彙全体でとる CBOW の損失(サンプルについて平均)と、その勾配。

Args:
    contexts: 中心語の周りの語、(N, C)。
    labels: 中心語、(N,)。
    W_in: 入力側のベクトル、1 行が 1 語、(V, D)。
    W_out: 出力側のベクトル、1 行が 1 語、(V, D)。

Returns:
    loss: -1/N Σ log softmax(h W_outᵀ)[label]。h は文脈についての W_in の平均。
    dW_in: (V, D)。
    dW_out: (V, D)。
"""

# %%
W_in, W_out = np.array([[1.0], [3.0]]), np.array([[np.log(3) / 2], [0.0]])
loss, dW_in, dW_out = cbow_loss(np.array([[0, 1]]), np.array([0]), W_in, W_out)
print(round(loss, 4), dW_in.round(4).tolist(), dW_out.round(4).tolist())
# 0.2877 [[-0.0687], [-0.0687]] [[-0.5], [0.5]]

# %% graded cbow_loss

# %% [markdown] lang="ja"
# ## skip-gram と負例サンプリング
#
# 語彙全体から 1 語を当てる代わりに、「この組は本当に現れたか」という**二値分類**にします。中心語を $v_c = W_{in}[c]$、文脈語を $u_o = W_{out}[o]$、雑音として引いた $K$ 個の**負例**を $u_k = W_{out}[k]$ として
#
# $$L = \frac{1}{N} \sum_n \Big[ -\log \sigma(u_o \cdot v_c) - \sum_{k=1}^{K} \log \sigma(-u_k \cdot v_c) \Big]$$
#
# - 組については平均、**負例については和**です。$K = 0$ でもかまいません。
# - 負例は引いたものが渡されます。たまたま文脈語と同じでも除きません。
# - スコアが $\pm 800$ でも正しく計算できるように、$\log\sigma$ は直接求めます。
#
# スコアの勾配は、正例で $(\sigma(u_o \cdot v_c) - 1)/N$、負例で $\sigma(u_k \cdot v_c)/N$ です。これに相手のベクトルを掛けて戻します。更新されるのは $W_{in}$ の 1 行と $W_{out}$ の $K + 1$ 行だけで、$V$ 行すべてではありません。
#
# **手で計算**: $D = 1$、$v_c = 1$、$u_o = u_k = \log 3$。$\sigma(\log 3) = 0.75$ なので、$L = -\log 0.75 - \log 0.25 = 0.2877 + 1.3863 = 1.6740$。
# スコアの勾配は $(-0.25, 0.75)$ で、$dv_c = (-0.25 + 0.75)\log 3 = 0.5493$、$du_o = -0.25$、$du_k = 0.75$ です。
#
# > **よくある間違い** 負例の項で $u_k \cdot v_c$ の符号を変え忘れると、負例までも近づけることになり、すべてのベクトルが同じ向きに集まります。

# %% [markdown] lang="en"
# ## Skip-gram with negative sampling
#
# In place of guessing one word of all, decide whether a pair really occurred: a **binary classification**. With the centre $v_c = W_{in}[c]$, the context word $u_o = W_{out}[o]$ and $K$ **negatives** drawn as noise, $u_k = W_{out}[k]$,
#
# $$L = \frac{1}{N} \sum_n \Big[ -\log \sigma(u_o \cdot v_c) - \sum_{k=1}^{K} \log \sigma(-u_k \cdot v_c) \Big]$$
#
# - It is a mean over the pairs, but **a sum over the negatives**. $K = 0$ is allowed.
# - The negatives are given, already drawn. One that happens to be the context word stays.
# - Take $\log\sigma$ directly, so that scores of $\pm 800$ come out right.
#
# A score's gradient is $(\sigma(u_o \cdot v_c) - 1)/N$ for the positive and $\sigma(u_k \cdot v_c)/N$ for a negative; times the other vector of the product it goes back. One row of $W_{in}$ and $K + 1$ rows of $W_{out}$ are updated, not all $V$.
#
# **By hand**: $D = 1$, $v_c = 1$, $u_o = u_k = \log 3$. As $\sigma(\log 3) = 0.75$, $L = -\log 0.75 - \log 0.25 = 0.2877 + 1.3863 = 1.6740$.
# The scores' gradients are $(-0.25, 0.75)$: $dv_c = (-0.25 + 0.75)\log 3 = 0.5493$, $du_o = -0.25$, $du_k = 0.75$.
#
# > **Common mistake** Without the minus sign at $u_k \cdot v_c$ the negatives are pulled closer too, and all vectors collapse into one direction.

# %% stub negative_sampling_loss
"""負例サンプリングによる skip-gram の損失(組について平均)と、その勾配。

Args:
    center: 中心語、(N,)。
    context: その近くに実際に現れた語、(N,)。
    negatives: 雑音として引いた語、(N, K)。K は 0 でもよい。
    W_in: 中心語のベクトル v、(V, D)。
    W_out: 文脈語と負例のベクトル u、(V, D)。

Returns:
    loss: 1/N Σ_n [-log σ(u_o · v_c) - Σ_k log σ(-u_k · v_c)]。
    dW_in: (V, D)。
    dW_out: (V, D)。
"""

# %%
W_in, W_out = np.array([[1.0], [0.0], [0.0]]), np.log(3) * np.array([[0.0], [1.0], [1.0]])
pair = np.array([0]), np.array([1]), np.array([[2]])
loss, dW_in, dW_out = negative_sampling_loss(*pair, W_in, W_out)
print(round(loss, 4), dW_in.round(4).tolist(), dW_out.round(4).tolist())
# 1.674 [[0.5493], [0.0], [0.0]] [[0.0], [-0.25], [0.75]]

# %% graded negative_sampling_loss

# %% [markdown] lang="ja"
# ## 負例の分布
#
# 負例は、出現回数の **3/4 乗**に比例する確率で引きます。
#
# $$P(w) = \frac{\mathrm{count}_w^{3/4}}{\sum_{w'} \mathrm{count}_{w'}^{3/4}}$$
#
# 指数が 1 より小さいので、相対頻度そのものよりも、まれな語が少し選ばれやすくなります。指数 `power` は正の数です。
#
# **手で計算**: 回数 $(81, 16, 1)$ の 3/4 乗は $(27, 8, 1)$、和は 36。確率は $(0.75,\ 0.2222,\ 0.0278)$ です。まれな語の相対頻度 $1/98 = 0.0102$ は、$1/36 = 0.0278$ に上がりました。

# %% [markdown] lang="en"
# ## What negatives are drawn from
#
# Negatives are drawn in proportion to the **power 3/4** of the counts.
#
# $$P(w) = \frac{\mathrm{count}_w^{3/4}}{\sum_{w'} \mathrm{count}_{w'}^{3/4}}$$
#
# As the exponent is below 1, rare words are drawn a little more often than their relative frequency says. The exponent `power` is above 0.
#
# **By hand**: counts $(81, 16, 1)$ become $(27, 8, 1)$, with sum 36, so the probabilities are $(0.75,\ 0.2222,\ 0.0278)$. The rare word rose from its frequency $1/98 = 0.0102$ to $1/36 = 0.0278$.

# %% stub noise_distribution
"""負例を引く分布。

Args:
    counts: 各語の出現回数、(V,)。
    power: 回数の指数、正の数。1 より小さいと、まれな語に有利になる。

Returns:
    (V,): count^power をその和で割ったもの。
"""

# %%
noise_distribution(np.array([81, 16, 1])).round(4)  # [0.75, 0.2222, 0.0278]

# %% graded noise_distribution

# %% [markdown] lang="ja"
# ## 頻出語のサブサンプリング
#
# 「の」や the のような頻出語は、多くの語の隣に現れるので、情報をあまり持ちません。そこで、相対頻度 $f(w)$ の語の出現を確率 $1 - \sqrt{t/f(w)}$ で**捨てます**(負の値は「捨てない」の意味)。したがって**残す**確率は
#
# $$\mathrm{keep}(w) = \min\!\left(1,\ \sqrt{t / f(w)}\right), \qquad f(w) = \frac{\mathrm{count}_w}{\sum_{w'} \mathrm{count}_{w'}}$$
#
# ![残す確率は、しきい値までは 1、その先は平方根で下がる](keep.svg)
#
# しきい値 $t$ は $10^{-5}$ ほどです。学習が速くなり、まれな語のベクトルもよくなります。一度も現れない語の値は 1 とします。(元のプログラムの式は少し違いますが、ここでは論文の式に従います。)
#
# **手で計算**: 回数 $(900, 90, 10, 0)$、$t = 0.01$ なら $f = (0.9, 0.09, 0.01, 0)$ で、残す確率は $\sqrt{1/90} = 0.1054$、$\sqrt{1/9} = 0.3333$、$1$、$1$ です。

# %% [markdown] lang="en"
# ## Subsampling of frequent words
#
# A frequent word such as "the" stands next to nearly everything, and so says little. An occurrence of a word of relative frequency $f(w)$ is therefore **discarded** with probability $1 - \sqrt{t/f(w)}$ (never, where that is negative). So it is **kept** with
#
# $$\mathrm{keep}(w) = \min\!\left(1,\ \sqrt{t / f(w)}\right), \qquad f(w) = \frac{\mathrm{count}_w}{\sum_{w'} \mathrm{count}_{w'}}$$
#
# ![The probability of keeping is 1 up to the threshold, and falls as a root beyond](keep.svg)
#
# The threshold $t$ is about $10^{-5}$. Training gets faster, and the vectors of rare words better. A word that never occurs gets 1. (The original program's formula differs a little; here it is the paper's.)
#
# **By hand**: counts $(900, 90, 10, 0)$ with $t = 0.01$ have $f = (0.9, 0.09, 0.01, 0)$ and are kept with $\sqrt{1/90} = 0.1054$, $\sqrt{1/9} = 0.3333$, $1$ and $1$.

# %% stub subsample_keep_probability
"""頻出語を間引くとき、ある語の一つの出現を残す確率。

Args:
    counts: 各語の出現回数、(V,)。
    threshold: すべての出現を残す相対頻度の上限 t。

Returns:
    (V,): min(1, √(t / f))。f は相対頻度。一度も現れない語は 1。
"""

# %%
subsample_keep_probability(np.array([900, 90, 10, 0]), 0.01).round(4)
# [0.1054, 0.3333, 1., 1.]

# %% graded subsample_keep_probability

# %% [markdown] lang="ja"
# ## 階層的ソフトマックス
#
# もう一つの高速化は、語を二分木の葉に置く方法です。根から葉まで、各内部節点 $n$ でどちらへ進むかを $\sigma(\theta_n \cdot h)$ で決めます。語の確率は、経路に沿った枝の確率の**積**です。
#
# $$\log p(w) = \sum_{n \in \mathrm{path}(w)} \log \sigma(\pm\, \theta_n \cdot h)$$
#
# この課題では、**符号 0 が** $\sigma(\theta \cdot h)$ の枝(+)、符号 1 が $\sigma(-\theta \cdot h) = 1 - \sigma(\theta \cdot h)$ の枝(−)です。二つの枝の和は 1 なので、全部の葉の確率の和も 1 になります。
# $V$ 語の木の内部節点は $V - 1$ 個、平衡した木なら 1 語に必要なシグモイドは約 $\log_2 V$ 個です。$V = 65536$ でも 16 個で済みます。空の経路の $\log p$ は 0 です。
#
# **手で計算**: $h = 1$、$\theta_0 = \theta_1 = \log 3$、経路は節点 $(0, 1)$、符号 $(0, 1)$。$p = 0.75 \times 0.25 = 0.1875$、$\log p = -1.6740$ です。

# %% [markdown] lang="en"
# ## Hierarchical softmax
#
# Another way to be fast puts the words at the leaves of a binary tree. From the root on, $\sigma(\theta_n \cdot h)$ decides at each inner node $n$ which way to go, and a word's probability is the **product** of the branches' along its path.
#
# $$\log p(w) = \sum_{n \in \mathrm{path}(w)} \log \sigma(\pm\, \theta_n \cdot h)$$
#
# Here **code 0 is** the branch of $\sigma(\theta \cdot h)$ (+), and code 1 that of $\sigma(-\theta \cdot h) = 1 - \sigma(\theta \cdot h)$ (−). The two sum to 1, and so do all leaves.
# A tree of $V$ words has $V - 1$ inner nodes; if it is balanced, a word takes about $\log_2 V$ sigmoids: 16 even for $V = 65536$. An empty path has $\log p = 0$.
#
# **By hand**: $h = 1$, $\theta_0 = \theta_1 = \log 3$, nodes $(0, 1)$ and codes $(0, 1)$ give $p = 0.75 \times 0.25 = 0.1875$ and $\log p = -1.6740$.

# %% stub hierarchical_log_prob
"""二分木の経路の先にある語の、確率の対数。

Args:
    h: 中間層のベクトル、(D,)。
    nodes: 根から順に通る内部節点、(L,)。
    code: 各節点で進む枝、(L,)。0 は確率 σ(θ·h) の枝、1 はもう一方の枝。
    theta: 内部節点のベクトル、(V-1, D)。

Returns:
    経路についての Σ log σ(±θ·h)。符号 0 のとき +。空の経路は 0。
"""

# %%
theta = np.log(3) * np.ones((2, 1))
round(hierarchical_log_prob(np.array([1.0]), np.array([0, 1]), np.array([0, 1]), theta), 4)
# -1.674

# %% graded hierarchical_log_prob

# %% [markdown] lang="ja"
# ## コサイン類似度
#
# 学習したベクトルの近さは、長さによらない**向き**で測ります。
#
# $$\cos(a, b) = \frac{a \cdot b}{\|a\|\,\|b\|}$$
#
# 最後の軸について計算します。`b` は `a` と同じ形か、すべての行と比べる 1 本のベクトルです。零ベクトル(余白の行など)との類似度は、NaN ではなく **0** とします。
#
# **手で計算**: $a = (3, 4)$、$b = (4, 3)$ なら $24 / (5 \times 5) = 0.96$ です。$a$ を 2 倍しても変わりません。

# %% [markdown] lang="en"
# ## Cosine similarity
#
# How near two learned vectors are is measured by their **direction**, whatever their length.
#
# $$\cos(a, b) = \frac{a \cdot b}{\|a\|\,\|b\|}$$
#
# It runs along the last axis. `b` has the shape of `a`, or is one vector that every row is compared with. The similarity to a zero vector, such as a row of padding, is **0**, not NaN.
#
# **By hand**: $a = (3, 4)$ and $b = (4, 3)$ give $24 / (5 \times 5) = 0.96$, and the same if $a$ is doubled.

# %% stub cosine_similarity
"""最後の軸についての、ベクトルどうしの角のコサイン。

Args:
    a: ベクトル、(..., D)。
    b: ベクトル、(..., D)。すべてに共通の 1 本なら (D,)。

Returns:
    (...): a·b / (‖a‖ ‖b‖)。零ベクトルでは 0。
"""

# %%
rows = np.array([[3.0, 4.0], [6.0, 8.0], [0.0, 0.0]])
cosine_similarity(rows, np.array([4.0, 3.0]))  # [0.96, 0.96, 0.]

# %% graded cosine_similarity

# %% [markdown] lang="ja"
# ## 類推:king − man + woman
#
# 学習したベクトルでは、意味の差が引き算に現れます。「$a$ に対する $b$ は、$c$ に対する何か」の答えは
#
# $$\arg\max_{d \notin \{a, b, c\}} \cos(d,\ \hat b - \hat a + \hat c), \qquad \hat x = x / \|x\|$$
#
# ![man から woman への差を king に足すと、queen の近くに来る](analogy.svg)
#
# 先にすべてのベクトルの**長さを 1 に揃え**、問題文の **3 語は候補から除きます**(同点なら番号の小さい語)。除かないと、差 $\hat b - \hat a$ が小さいとき、答えは $c$ 自身になりがちです。
#
# **手で計算**: (男, 女, 王)の 3 次元で man $(1,0,0)$、woman $(0,1,0)$、king $(1,0,1)$、queen $(0,2,2)$、apple $(1,1,-1)$。$\hat b - \hat a + \hat c = (-0.293,\ 1,\ 0.707)$ とのコサインは、queen が $0.959$、apple が $0$。答えは queen です。

# %% [markdown] lang="en"
# ## Analogies: king − man + woman
#
# Differences of meaning show up as differences of learned vectors. "$a$ is to $b$ as $c$ is to what?" is answered by
#
# $$\arg\max_{d \notin \{a, b, c\}} \cos(d,\ \hat b - \hat a + \hat c), \qquad \hat x = x / \|x\|$$
#
# ![The difference from man to woman, added to king, leads near queen](analogy.svg)
#
# All vectors are brought to **length 1** first, and the **three given words are excluded** (of equals, the lowest number wins). Otherwise the answer is apt to be $c$ itself where the offset $\hat b - \hat a$ is small.
#
# **By hand**: with dimensions (male, female, royal), man $(1,0,0)$, woman $(0,1,0)$, king $(1,0,1)$, queen $(0,2,2)$, apple $(1,1,-1)$. The cosine to $\hat b - \hat a + \hat c = (-0.293,\ 1,\ 0.707)$ is $0.959$ for queen and $0$ for apple: the answer is queen.

# %% stub solve_analogy
"""「a に対する b は、c に対する d」の d。

Args:
    E: ベクトル、1 行が 1 語、(V, D)。零ベクトルはない。
    a: 語。
    b: a に対応する語。
    c: もう一つの語。

Returns:
    長さを 1 に揃えたベクトルの b - a + c に、コサインで最も近い語。a, b, c 自身は除く。
"""

# %%
E = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 2, 2], [1, 1, -1]], float)
solve_analogy(E, 0, 1, 2)  # 3

# %% graded solve_analogy

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **one-hot と分散表現**: one-hot は $V$ 次元で、異なる語の内積はすべて 0。分散表現は $D$ 次元で、似た語が近くなる。入力の重み行列は $V \times V$ でなく $V \times D$ で済む。
# - **パラメータ数**: $W_{in}$ と $W_{out}$ の二つで $2VD$。
# - **CBOW と skip-gram**: CBOW は文脈 → 中心語、skip-gram は中心語 → 文脈語。逆にした選択肢に注意。
# - **負例サンプリング**: 多クラス分類を $K + 1$ 個の二値分類に置き換え、$W_{out}$ の $V$ 行のうち $K + 1$ 行だけを更新する。負例は回数の 3/4 乗に比例して引く。
# - **階層的ソフトマックス**: 二分木の経路の積で確率を表し、計算量は $O(V)$ から $O(\log V)$ になる。
# - **サブサンプリング**: 頻出語を確率 $1 - \sqrt{t/f}$ で捨てる。負例サンプリングとは別の工夫である。
# - **RNN との違い**: RNN は語順を扱う系列のモデルで、可変長の**系列**を読める。word2vec は語順を使わない浅いモデルで、得られるのは単語ベクトルの行列である。1 語を固定長のベクトルにするのは、どちらにも必要。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **One-hot and distributed**: a one-hot vector has $V$ dimensions, and different words have inner product 0. A distributed one has $D$, and similar words are near. The input's weight matrix is $V \times D$ in place of $V \times V$.
# - **Parameters**: $W_{in}$ and $W_{out}$ together have $2VD$.
# - **CBOW and skip-gram**: CBOW goes from context to centre, skip-gram from centre to context. Beware of options that swap them.
# - **Negative sampling** replaces a choice among all words by $K + 1$ binary ones, and updates $K + 1$ of the $V$ rows of $W_{out}$. Negatives are drawn in proportion to the counts' power 3/4.
# - **Hierarchical softmax** writes a probability as a product along a path of a binary tree: $O(\log V)$ in place of $O(V)$.
# - **Subsampling** discards frequent words with $1 - \sqrt{t/f}$. It is another device than negative sampling.
# - **Unlike an RNN**: an RNN is a model of sequences, minds the order and reads **sequences** of any length. word2vec is a shallow model without order, whose product is a matrix of word vectors. A vector of fixed length for each word is needed by both.
