# %% [markdown] lang="ja"
# # ゲート付き RNN(LSTM と GRU)
#
# 単純な RNN では、誤差は時刻を一つ戻るたびに「活性化関数の傾き × 再帰の重み $W_h$」を掛けられ、過去へ遡るほど消えていきます(**勾配消失**)。
# LSTM は、活性化関数を取り替えるのではなく、**構造**を変えてこれを解決しました。状態を行列で掛け替えるのではなく、**セル** $c$ に足し込むのです。
# ここでは LSTM と GRU の 1 ステップを、順伝播も逆伝播も numpy だけで書きます。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N$ | サンプル数 | $h$ | 隠れ状態 |
# | $T$ | 時刻の数 | $c$ | セル(LSTM の記憶) |
# | $D$ | 入力の幅 | $W_x, W_h, b$ | 入力の重み、再帰の重み、バイアス |
# | $H$ | 隠れユニットの数 | $\odot$ | 要素ごとの積 |
#
# 教科書によっては $W_x, W_h$ を $W, U$ と書きます。ここでは重みを右から掛けます($x W_x$)。プライム $'$ は、そのステップの後の値を表します。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。小さな入力なので、ループで書いても間に合います。

# %% [markdown] lang="en"
# # Gated recurrent networks (LSTM and GRU)
#
# In a plain RNN each step back in time multiplies the error by the slope of the activation and by the recurrent weights $W_h$: the further back, the less is left (**vanishing gradients**).
# The LSTM mended this by its **structure**, not by another activation. Its state is not passed through a matrix at each step: something is added to a **cell** $c$.
# You will write one step of an LSTM and of a GRU, forward and backward, with numpy alone.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N$ | samples | $h$ | hidden state |
# | $T$ | time steps | $c$ | cell (the memory of an LSTM) |
# | $D$ | width of the input | $W_x, W_h, b$ | input weights, recurrent weights, bias |
# | $H$ | hidden units | $\odot$ | product of entries |
#
# Some books write $W, U$ for $W_x, W_h$. Here weights act on the right ($x W_x$). A prime $'$ marks the value after the step.
#
# Leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# シグモイド関数 $\sigma$ は、次のものを使ってかまいません。$\sigma(\pm 800)$ でも溢れません。

# %% [markdown] lang="en"
# You may use this sigmoid $\sigma$. It does not overflow, even at $\pm 800$.

# %% given sigmoid
"""対数オッズが x である確率、要素ごとに 1 / (1 + exp(-x))。"""

# %% [markdown] lang="ja"
# ## CEC からゲートへ
#
# LSTM の出発点は **CEC**(constant error carousel、定誤差カルーセル)です。新しい内容 $a_t$ をセルに足すだけにします。
#
# $$c_t = c_{t-1} + a_t, \qquad \frac{\partial c_t}{\partial c_{t-1}} = 1$$
#
# 誤差は、何時刻遡っても小さくも大きくもなりません。しかし CEC だけでは、どの入力も一律に足され、どの時刻にも一律に読み出され、何も学習しません。そこで、0 と 1 の間の値を掛ける**ゲート**を加えます。
#
# - **入力ゲート** $i$ … 新しい候補 $g$ をどれだけ書き込むか。
# - **出力ゲート** $o$ … セルをどれだけ外に見せるか。
# - **忘却ゲート** $f$ … 今までのセルをどれだけ残すか。CEC は過去をすべて抱え込み、要らなくなっても消せません。それを消せるようにします。
#
# どのゲートも、入力 $x$ と前の状態 $h$ を見て、自分の重みで値を決めます。
#
# > **よくある間違い** CEC の式を $a_t - c_{t-1}$ のように引き算で書くと、微分は $-1$ になり、誤差の符号が時刻ごとに反転します。足し算だからこそ微分が $+1$ になります。
#
# > **よくある間違い** CEC の条件は「誤差 $\delta$ が 1」ではなく、「1 時刻ごとに誤差に掛かる**因子**($f'(u)\,W$)が 1」です。誤差は 1 になるのではなく、**一定**に保たれます。
#
# > **よくある間違い** 三つのゲートは同時に提案されたのではありません。1997 年の LSTM にあったのは入力ゲートと出力ゲートで、忘却ゲートは 2000 年に加えられました。

# %% [markdown] lang="en"
# ## From the carousel to the gates
#
# The LSTM starts from the **CEC** (constant error carousel). All that happens to the cell is that something new, $a_t$, is added.
#
# $$c_t = c_{t-1} + a_t, \qquad \frac{\partial c_t}{\partial c_{t-1}} = 1$$
#
# However far back an error goes, it neither shrinks nor grows. But the CEC alone adds every input alike, is read at every step alike, and learns nothing. So **gates** are put in, which multiply by numbers between 0 and 1.
#
# - **Input gate** $i$: how much of the new candidate $g$ is written.
# - **Output gate** $o$: how much of the cell is shown outside.
# - **Forget gate** $f$: how much of the old cell is kept. A CEC holds on to all of the past and cannot drop what is no longer needed; this gate can.
#
# Every gate looks at the input $x$ and at the old state $h$, and decides with its own weights.
#
# > **Common mistake** Written with a minus, as $a_t - c_{t-1}$, the carousel would have the derivative $-1$, and the error would change its sign at every step. It is the sum that makes the derivative $+1$.
#
# > **Common mistake** The condition of the CEC is not that the error $\delta$ is 1, but that the **factor** put on it at each step ($f'(u)\,W$) is 1. The error does not become one: it stays **constant**.
#
# > **Common mistake** The three gates did not come at once. The LSTM of 1997 had an input gate and an output gate; the forget gate was added in 2000.

# %% [markdown] lang="ja"
# ## LSTM の 1 ステップ
#
# $$i, f, o = \sigma(x W_x + h W_h + b), \qquad g = \tanh(x W_x + h W_h + b)$$
# $$c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')$$
#
# ![セルは上の線を流れ、忘却ゲートが残し、入力ゲートが書き込み、出力ゲートが見せる](lstm_cell.svg)
#
# 四つの和は、それぞれ別の重みを使います。四つの重みは、最後の軸に **$i, f, g, o$ の順**で並んでいます(PyTorch と同じ順)。$g$ はゲートではなく**候補**で、$\tanh$ を通るので負にもなれます。
#
# ![LSTM の重みは i, f, g, o、GRU の重みは r, z, n の順に並ぶ](blocks.svg)
#
# **例**($D = H = 1$)。$x = 1$、$h = 0$、$c = 0.4$、$W_x = (\ln 3, 0, \ln 2, -\ln 3)$、$W_h = 0$、$b = 0$ とします。
# $\sigma(\ln 3) = \frac{3}{4}$、$\sigma(0) = \frac12$、$\tanh(\ln 2) = \frac{4-1}{4+1} = 0.6$、$\sigma(-\ln 3) = \frac14$ なので、$(i, f, g, o) = (0.75, 0.5, 0.6, 0.25)$。
# よって $c' = 0.5 \cdot 0.4 + 0.75 \cdot 0.6 = 0.65$、$h' = 0.25 \tanh(0.65) \approx 0.25 \cdot 0.572 = 0.143$ です。
#
# 三つ目の結果は、**活性化関数を通した後**の $i, f, g, o$ を並べたものです。
#
# > **よくある間違い** 「忘却ゲートのバイアスを 1 にする」とは、$b$ の**初期値**の話です。学習の初めにゲートを開いておく($\sigma(1) \approx 0.731$)ための工夫で、式の中で 1 を足すのではありません。
#
# > **よくある間違い** 文を読んで覚えた話題が変わったとき、**すでに蓄えた内容**を消すのは忘却ゲートです。今読んだ語を書き込まずに済ませるのは入力ゲートです。

# %% [markdown] lang="en"
# ## One step of an LSTM
#
# $$i, f, o = \sigma(x W_x + h W_h + b), \qquad g = \tanh(x W_x + h W_h + b)$$
# $$c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c')$$
#
# ![The cell runs along the top; the forget gate keeps, the input gate writes, the output gate shows](lstm_cell.svg)
#
# Each of the four sums has weights of its own. They stand side by side on the last axis **in the order $i, f, g, o$** (that of PyTorch). $g$ is no gate but the **candidate**: it goes through $\tanh$ and may be negative.
#
# ![LSTM weights stand in the order i, f, g, o, those of a GRU in the order r, z, n](blocks.svg)
#
# **Example** ($D = H = 1$). Let $x = 1$, $h = 0$, $c = 0.4$, $W_x = (\ln 3, 0, \ln 2, -\ln 3)$, $W_h = 0$ and $b = 0$.
# As $\sigma(\ln 3) = \frac{3}{4}$, $\sigma(0) = \frac12$, $\tanh(\ln 2) = \frac{4-1}{4+1} = 0.6$ and $\sigma(-\ln 3) = \frac14$: $(i, f, g, o) = (0.75, 0.5, 0.6, 0.25)$.
# So $c' = 0.5 \cdot 0.4 + 0.75 \cdot 0.6 = 0.65$ and $h' = 0.25 \tanh(0.65) \approx 0.25 \cdot 0.572 = 0.143$.
#
# The third result holds $i, f, g, o$ side by side, **after** their activations.
#
# > **Common mistake** "A forget bias of 1" is about the **starting value** of $b$: it opens the gate at the beginning of training ($\sigma(1) \approx 0.731$). No 1 is added in the formula.
#
# > **Common mistake** When a text changes its subject, what erases the subject **already stored** is the forget gate. What keeps a word that is only now being read from being written is the input gate.

# %% stub lstm_step
"""LSTM の 1 ステップ。

Args:
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    c: セル、(N, H)。
    Wx: 入力の重み、ブロックは i, f, g, o の順、(D, 4H)。
    Wh: 再帰の重み、ブロックは i, f, g, o の順、(H, 4H)。
    b: バイアス、ブロックは i, f, g, o の順、(4H,)。

Returns:
    h_new: o ⊙ tanh(c_new)、(N, H)。
    c_new: f ⊙ c + i ⊙ g、(N, H)。
    gates: 活性化関数を通した後の i, f, g, o、(N, 4H)。
"""

# %%
ln2, ln3 = np.log(2), np.log(3)
x, h, c = np.array([[1.0]]), np.array([[0.0]]), np.array([[0.4]])
Wx, Wh, b = np.array([[ln3, 0, ln2, -ln3]]), np.zeros((1, 4)), np.zeros(4)
[part.round(3).tolist() for part in lstm_step(x, h, c, Wx, Wh, b)]
# [[[0.143]], [[0.65]], [[0.75, 0.5, 0.6, 0.25]]]

# %% graded lstm_step

# %% [markdown] lang="ja"
# ## 系列に沿って
#
# 1 ステップを時刻の順に繰り返します。次の時刻へ渡すのは $h$ と $c$ の**両方**です。`hs[:, 0]` と `cs[:, 0]` は最初の入力の後の状態で、`h0` と `c0` は結果に含めません。
#
# **例**。前の例に、入力 $x = 0$ の時刻を一つ加えます。$W_h = b = 0$ なので $i = f = o = \frac12$、$g = 0$ となり、$c$ は $0.65$ から $0.5 \cdot 0.65 = 0.325$ へ、$h$ は $0.5 \tanh(0.325) \approx 0.157$ へ移ります。

# %% [markdown] lang="en"
# ## Along a sequence
#
# Repeat the step in the order of time. **Both** $h$ and $c$ are handed to the next step. `hs[:, 0]` and `cs[:, 0]` are the states after the first input; `h0` and `c0` are not part of the result.
#
# **Example.** Add to the last example one more step with the input $x = 0$. As $W_h = b = 0$, $i = f = o = \frac12$ and $g = 0$: $c$ goes from $0.65$ to $0.5 \cdot 0.65 = 0.325$, and $h$ to $0.5 \tanh(0.325) \approx 0.157$.

# %% stub lstm_sequence
"""系列に沿った LSTM の状態。

Args:
    x: 入力、(N, T, D)。
    h0: 最初の入力より前の隠れ状態、(N, H)。
    c0: 最初の入力より前のセル、(N, H)。
    Wx: 入力の重み、ブロックは i, f, g, o の順、(D, 4H)。
    Wh: 再帰の重み、ブロックは i, f, g, o の順、(H, 4H)。
    b: バイアス、ブロックは i, f, g, o の順、(4H,)。

Returns:
    hs: 各入力の後の隠れ状態、(N, T, H)。
    cs: 各入力の後のセル、(N, T, H)。
"""

# %%
hs, cs = lstm_sequence(np.array([[[1.0], [0.0]]]), h, c, Wx, Wh, b)
hs.round(3).tolist(), cs.round(3).tolist()
# ([[[0.143], [0.157]]], [[[0.65], [0.325]]])

# %% graded lstm_sequence

# %% [markdown] lang="ja"
# ## LSTM の逆伝播
#
# 届く誤差は二つあります。`dh_new` は $h'$ へ、`dc_new` は次の時刻のセルから $c'$ へ戻ってくるものです。$h' = o \odot \tanh(c')$ なので、$h'$ の誤差は $c'$ にも流れ込みます。
#
# $$\bar c = dc' + dh' \odot o \odot (1 - \tanh^2 c')$$
#
# これを $c' = f \odot c + i \odot g$ の各因子へ分け、活性化関数の傾き($\sigma$ なら $s(1-s)$、$\tanh$ なら $1 - g^2$)を掛けると、四つの和の誤差 $da$ になります。
#
# $$da_i = \bar c \odot g \odot i(1-i), \quad da_f = \bar c \odot c \odot f(1-f), \quad da_g = \bar c \odot i \odot (1 - g^2), \quad da_o = dh' \odot \tanh(c') \odot o(1-o)$$
# $$dx = da\, W_x^\top, \quad dh = da\, W_h^\top, \quad dc = \bar c \odot f, \quad dW_x = x^\top da, \quad dW_h = h^\top da, \quad db = \textstyle\sum_n da$$
#
# セルを通る道の因子は $f$ だけで、行列も傾きも掛かりません。$n$ 時刻遡ると $\prod f_t$ になります。
#
# ![f が 1 に近ければ 50 時刻前にも誤差が残り、0.25 なら数時刻で消える](decay.svg)
#
# **例**。最初の例で $dh' = 1$、$dc' = 0.5$ とします。$\tanh(0.65) \approx 0.572$、$1 - 0.572^2 \approx 0.673$ なので $\bar c \approx 0.5 + 0.25 \cdot 0.673 = 0.668$、$dc = 0.5\,\bar c \approx 0.334$。
# $da \approx (0.668 \cdot 0.6 \cdot 0.1875,\ 0.668 \cdot 0.4 \cdot 0.25,\ 0.668 \cdot 0.75 \cdot 0.64,\ 0.572 \cdot 0.1875) \approx (0.075, 0.067, 0.321, 0.107)$。
# $dx = 0.075 \ln 3 + 0.321 \ln 2 - 0.107 \ln 3 \approx 0.187$、$x = 1$ なので $dW_x = db = da$、$h = 0$ なので $dW_h = 0$、$W_h = 0$ なので $dh = 0$ です。
#
# 順伝播の値は、もう一度計算します。パラメータの勾配はバッチについての**和**です(平均は損失の側で一度だけとります)。勾配は 1 ステップの引数の順に、タプルかリストで返します。
#
# > **よくある間違い** シグモイドの傾きは最大でも $0.25$(入力 0 のとき)です。層を重ねたときの勾配消失はこれで説明できますが、時間方向では 1 時刻ごとの因子に再帰の重みも入るので、消えることも爆発することもあります。

# %% [markdown] lang="en"
# ## LSTM, backward
#
# Two errors arrive: `dh_new` at $h'$, and `dc_new` at $c'$, from the cell of the next step. As $h' = o \odot \tanh(c')$, the error of $h'$ flows into $c'$ as well.
#
# $$\bar c = dc' + dh' \odot o \odot (1 - \tanh^2 c')$$
#
# Share it out among the factors of $c' = f \odot c + i \odot g$ and multiply by the slopes of the activations ($s(1-s)$ for $\sigma$, $1 - g^2$ for $\tanh$): these are the errors $da$ of the four sums.
#
# $$da_i = \bar c \odot g \odot i(1-i), \quad da_f = \bar c \odot c \odot f(1-f), \quad da_g = \bar c \odot i \odot (1 - g^2), \quad da_o = dh' \odot \tanh(c') \odot o(1-o)$$
# $$dx = da\, W_x^\top, \quad dh = da\, W_h^\top, \quad dc = \bar c \odot f, \quad dW_x = x^\top da, \quad dW_h = h^\top da, \quad db = \textstyle\sum_n da$$
#
# On the way through the cell the only factor is $f$, with no matrix and no slope. Over $n$ steps it is $\prod f_t$.
#
# ![With f near 1 some error is left 50 steps back; with 0.25 it is gone in a few](decay.svg)
#
# **Example.** In the first example let $dh' = 1$ and $dc' = 0.5$. As $\tanh(0.65) \approx 0.572$ and $1 - 0.572^2 \approx 0.673$, $\bar c \approx 0.5 + 0.25 \cdot 0.673 = 0.668$ and $dc = 0.5\,\bar c \approx 0.334$.
# $da \approx (0.668 \cdot 0.6 \cdot 0.1875,\ 0.668 \cdot 0.4 \cdot 0.25,\ 0.668 \cdot 0.75 \cdot 0.64,\ 0.572 \cdot 0.1875) \approx (0.075, 0.067, 0.321, 0.107)$.
# $dx = 0.075 \ln 3 + 0.321 \ln 2 - 0.107 \ln 3 \approx 0.187$; as $x = 1$, $dW_x = db = da$; as $h = 0$, $dW_h = 0$; as $W_h = 0$, $dh = 0$.
#
# Compute the forward values again. Parameter gradients are **sums** over the batch (the mean is taken once, in the loss). Return the gradients in the order of the step's arguments, in a tuple or a list.
#
# > **Common mistake** The slope of a sigmoid is at most $0.25$ (at 0). This explains vanishing through many layers; back in time the factor of each step also holds the recurrent weights, so that errors may vanish or explode.

# %% stub lstm_step_backward
"""LSTM の 1 ステップの勾配。順伝播の値は計算し直す。

    dc' = dc_new + dh_new ⊙ o ⊙ (1 - tanh²(c_new))      新しいセルに届く誤差のすべて
    da  = (dc' ⊙ g ⊙ i(1-i), dc' ⊙ c ⊙ f(1-f), dc' ⊙ i ⊙ (1-g²), dh_new ⊙ tanh(c_new) ⊙ o(1-o))

Args:
    dh_new: ∂loss/∂h_new、(N, H)。
    dc_new: 後の時刻だけを通る ∂loss/∂c_new、(N, H)。
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    c: セル、(N, H)。
    Wx: 入力の重み、ブロックは i, f, g, o の順、(D, 4H)。
    Wh: 再帰の重み、ブロックは i, f, g, o の順、(H, 4H)。
    b: バイアス、ブロックは i, f, g, o の順、(4H,)。

Returns:
    dx: da Wxᵀ、(N, D)。
    dh: da Whᵀ、(N, H)。
    dc: dc' ⊙ f、(N, H)。
    dWx: xᵀ da、(D, 4H)。
    dWh: hᵀ da、(H, 4H)。
    db: バッチについての Σ da、(4H,)。
"""

# %%
dx, dh, dc, dWx, dWh, db = lstm_step_backward(
    np.array([[1.0]]), np.array([[0.5]]), x, h, c, Wx, Wh, b
)
dx.round(3).tolist(), dc.round(3).tolist(), db.round(3).tolist()
# ([[0.187]], [[0.334]], [0.075, 0.067, 0.321, 0.107])

# %% graded lstm_step_backward

# %% [markdown] lang="ja"
# ## 覗き穴結合
#
# ここまでのゲートは、セルの値そのものを見ていません。出力ゲートが閉じていれば、ゲートにはセルに何があるか分かりません。**覗き穴結合(peephole connection)** は、セルの値をゲートに渡します。
#
# $$i = \sigma(\dots + p_i \odot c), \quad f = \sigma(\dots + p_f \odot c), \quad o = \sigma(\dots + p_o \odot c')$$
#
# $i$ と $f$ が見るのは更新**前**の $c$、$o$ が見るのは更新**後**の $c'$ です。候補 $g$ に覗き穴はありません。$p$ の行は $i, f, o$ の順です。
#
# **例**。$W_x = W_h = b = 0$、$c = 1$、$p = (0, \ln 3, \frac43 \ln 3)$ なら $g = 0$、$f = \sigma(\ln 3) = 0.75$ なので $c' = 0.75$、$o = \sigma(\frac43 \ln 3 \cdot 0.75) = \sigma(\ln 3) = 0.75$、$h' = 0.75 \tanh(0.75) \approx 0.476$ です。
#
# > **よくある間違い** 覗き穴の重みは行列ではありません。各ユニットのゲートは**自分の**セルだけを見るので、重みはセル一つに一つ、三つのゲートで $3H$ 個です。

# %% [markdown] lang="en"
# ## Peepholes
#
# So far no gate sees the cell itself: while the output gate is shut, the gates cannot know what the cell holds. **Peephole connections** hand the value of the cell to the gates.
#
# $$i = \sigma(\dots + p_i \odot c), \quad f = \sigma(\dots + p_f \odot c), \quad o = \sigma(\dots + p_o \odot c')$$
#
# $i$ and $f$ see $c$ **before** the update, $o$ sees $c'$ **after** it. The candidate $g$ has no peephole. The rows of $p$ are for $i, f, o$.
#
# **Example.** With $W_x = W_h = b = 0$, $c = 1$ and $p = (0, \ln 3, \frac43 \ln 3)$: $g = 0$ and $f = \sigma(\ln 3) = 0.75$, so $c' = 0.75$, $o = \sigma(\frac43 \ln 3 \cdot 0.75) = \sigma(\ln 3) = 0.75$ and $h' = 0.75 \tanh(0.75) \approx 0.476$.
#
# > **Common mistake** Peephole weights are not matrices. The gates of a unit see **its own** cell alone: one weight a cell, $3H$ for the three gates.

# %% stub peephole_lstm_step
"""各ユニットのゲートが自分のセルを見る LSTM の 1 ステップ。

Args:
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    c: セル、(N, H)。
    Wx: 入力の重み、ブロックは i, f, g, o の順、(D, 4H)。
    Wh: 再帰の重み、ブロックは i, f, g, o の順、(H, 4H)。
    b: バイアス、ブロックは i, f, g, o の順、(4H,)。
    p: 覗き穴の重み、行は i, f, o の順、(3, H)。

Returns:
    h_new: o ⊙ tanh(c_new)。o の中に p_o ⊙ c_new を加える、(N, H)。
    c_new: f ⊙ c + i ⊙ g。i と f の中に p_i ⊙ c と p_f ⊙ c を加える、(N, H)。
"""

# %%
p = np.array([[0.0], [ln3], [4 / 3 * ln3]])
one, zero = np.array([[1.0]]), np.zeros((1, 4))
[part.round(3).tolist() for part in peephole_lstm_step(x, h, one, zero, zero, b, p)]
# [[[0.476]], [[0.75]]]

# %% graded peephole_lstm_step

# %% [markdown] lang="ja"
# ## GRU
#
# GRU(gated recurrent unit)は、セルと隠れ状態を一つにまとめ、出力ゲートをなくしました。
#
# $$r, z = \sigma(x W_x + b_x + h W_h + b_h), \qquad n = \tanh\bigl(x W_{xn} + b_{xn} + r \odot (h W_{hn} + b_{hn})\bigr)$$
# $$h' = (1 - z) \odot n + z \odot h$$
#
# ![更新ゲート z は古い状態と候補を混ぜ、リセットゲート r は候補の中で古い状態に掛かる](gru_cell.svg)
#
# - **リセットゲート** $r$ … 候補 $n$ が過去をどれだけ見るか。$r = 0$ なら、過去を無視して候補を作ります。
# - **更新ゲート** $z$ … 古い状態をどれだけ残すか。LSTM の「残す」と「書く」を、$z$ と $1 - z$ で一つに結び付けたものです。
#
# 重みのブロックは **$r, z, n$ の順**です。教科書により流儀が違うので、この課題の約束(PyTorch と同じ)を確認してください。
#
# - $z$ は**古い状態**に掛かります。$z = 1$ なら $h' = h$ です(逆に書く文献も多くあります)。
# - $r$ は、$h$ に行列を掛けて $b_{hn}$ を足した**後**に掛かります($r \odot h$ に行列を掛ける文献もあります)。そのため、バイアスは $b_x$ と $b_h$ の二つが必要です。
#
# **例**($D = H = 1$)。$x = h = 1$、$W_x = (0, \ln 3, 0)$、$W_h = (0, 0, \ln 2)$、$b_x = 0$、$b_h = (0, 0, \ln 2)$ とします。
# $r = \sigma(0) = 0.5$、$z = \sigma(\ln 3) = 0.75$、$n = \tanh\bigl(0.5\,(\ln 2 + \ln 2)\bigr) = \tanh(\ln 2) = 0.6$、$h' = 0.25 \cdot 0.6 + 0.75 \cdot 1 = 0.9$ です。
#
# > **よくある間違い** 「GRU はリセットゲートと更新ゲートだけでできている」と覚えると、**候補** $n$ を忘れます。候補にも自分の重みがあるので、ブロックは三つです。

# %% [markdown] lang="en"
# ## GRU
#
# The GRU (gated recurrent unit) makes one state of cell and hidden state, and has no output gate.
#
# $$r, z = \sigma(x W_x + b_x + h W_h + b_h), \qquad n = \tanh\bigl(x W_{xn} + b_{xn} + r \odot (h W_{hn} + b_{hn})\bigr)$$
# $$h' = (1 - z) \odot n + z \odot h$$
#
# ![The update gate z mixes the old state with the candidate; the reset gate r multiplies the old state inside the candidate](gru_cell.svg)
#
# - **Reset gate** $r$: how much of the past the candidate $n$ sees. With $r = 0$ the candidate ignores it.
# - **Update gate** $z$: how much of the old state is kept. It ties what an LSTM does with two gates, keeping and writing, into $z$ and $1 - z$.
#
# The blocks of the weights stand in the order **$r, z, n$**. Books differ; this task agrees with PyTorch:
#
# - $z$ multiplies the **old state**: $z = 1$ gives $h' = h$ (many texts have it the other way round).
# - $r$ multiplies **after** the matrix has acted on $h$ and $b_{hn}$ was added (in some texts the matrix acts on $r \odot h$). This is why there are two biases, $b_x$ and $b_h$.
#
# **Example** ($D = H = 1$). Let $x = h = 1$, $W_x = (0, \ln 3, 0)$, $W_h = (0, 0, \ln 2)$, $b_x = 0$ and $b_h = (0, 0, \ln 2)$.
# $r = \sigma(0) = 0.5$, $z = \sigma(\ln 3) = 0.75$, $n = \tanh\bigl(0.5\,(\ln 2 + \ln 2)\bigr) = \tanh(\ln 2) = 0.6$ and $h' = 0.25 \cdot 0.6 + 0.75 \cdot 1 = 0.9$.
#
# > **Common mistake** Whoever learns that a GRU "consists of a reset gate and an update gate only" forgets the **candidate** $n$. It has weights of its own: there are three blocks.

# %% stub gru_step
"""GRU の 1 ステップ。

Args:
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    Wx: 入力の重み、ブロックは r, z, n の順、(D, 3H)。
    Wh: 再帰の重み、ブロックは r, z, n の順、(H, 3H)。
    bx: x Wx に足すバイアス、ブロックは r, z, n の順、(3H,)。
    bh: h Wh に足すバイアス、ブロックは r, z, n の順、(3H,)。

Returns:
    (N, H): (1 - z) ⊙ n + z ⊙ h。
"""

# %%
Gx, Gh = np.array([[0.0, ln3, 0]]), np.array([[0.0, 0, ln2]])
bx, bh = np.zeros(3), np.array([0.0, 0, ln2])
gru_step(one, one, Gx, Gh, bx, bh).round(3)
# array([[0.9]])

# %% graded gru_step

# %% [markdown] lang="ja"
# ## GRU の逆伝播
#
# $h' = (1 - z) \odot n + z \odot h$ に届いた誤差 $dh'$ は、三つに分かれます。候補へ $(1 - z)$ 倍、更新ゲートへ $(h - n)$ 倍、そして**行列を通らずに** $h$ へ直接 $z$ 倍です。最後の道が、LSTM の $f$ に当たります。
#
# $$da_n = dh' \odot (1 - z) \odot (1 - n^2), \quad da_r = da_n \odot (h W_{hn} + b_{hn}) \odot r(1-r), \quad da_z = dh' \odot (h - n) \odot z(1-z)$$
#
# $x$ の側の和の誤差は $da^x = (da_r, da_z, da_n)$ です。$h$ の側では、$n$ のブロックに $r$ が掛かっていたので、$da^h = (da_r, da_z, da_n \odot r)$ です。
#
# $$dx = da^x W_x^\top, \quad dh = da^h W_h^\top + dh' \odot z, \quad dW_x = x^\top da^x, \quad dW_h = h^\top da^h, \quad db_x = \textstyle\sum_n da^x, \quad db_h = \textstyle\sum_n da^h$$
#
# **例**。前の例で $dh' = 1$ とします。$da_n = 0.25 \cdot 0.64 = 0.16$、$da_r = 0.16 \cdot 2 \ln 2 \cdot 0.25 \approx 0.055$、$da_z = 0.4 \cdot 0.1875 = 0.075$。
# よって $da^x \approx (0.055, 0.075, 0.16)$、$da^h \approx (0.055, 0.075, 0.08)$、$dx = 0.075 \ln 3 \approx 0.082$、$dh = 0.08 \ln 2 + 0.75 \approx 0.805$ です。$x = h = 1$ なので $dW_x = db_x = da^x$、$dW_h = db_h = da^h$ です。

# %% [markdown] lang="en"
# ## GRU, backward
#
# The error $dh'$ that reached $h' = (1 - z) \odot n + z \odot h$ goes three ways: $(1 - z)$ times to the candidate, $(h - n)$ times to the update gate, and $z$ times directly to $h$, **through no matrix**. This last way is what $f$ is in an LSTM.
#
# $$da_n = dh' \odot (1 - z) \odot (1 - n^2), \quad da_r = da_n \odot (h W_{hn} + b_{hn}) \odot r(1-r), \quad da_z = dh' \odot (h - n) \odot z(1-z)$$
#
# The errors of the sums on the side of $x$ are $da^x = (da_r, da_z, da_n)$. On the side of $h$ the block of $n$ was multiplied by $r$: $da^h = (da_r, da_z, da_n \odot r)$.
#
# $$dx = da^x W_x^\top, \quad dh = da^h W_h^\top + dh' \odot z, \quad dW_x = x^\top da^x, \quad dW_h = h^\top da^h, \quad db_x = \textstyle\sum_n da^x, \quad db_h = \textstyle\sum_n da^h$$
#
# **Example.** In the last example let $dh' = 1$. Then $da_n = 0.25 \cdot 0.64 = 0.16$, $da_r = 0.16 \cdot 2 \ln 2 \cdot 0.25 \approx 0.055$ and $da_z = 0.4 \cdot 0.1875 = 0.075$.
# So $da^x \approx (0.055, 0.075, 0.16)$, $da^h \approx (0.055, 0.075, 0.08)$, $dx = 0.075 \ln 3 \approx 0.082$ and $dh = 0.08 \ln 2 + 0.75 \approx 0.805$. As $x = h = 1$, $dW_x = db_x = da^x$ and $dW_h = db_h = da^h$.

# %% stub gru_step_backward
"""GRU の 1 ステップの勾配。順伝播の値は計算し直す。

    dan = dh_new ⊙ (1 - z) ⊙ (1 - n²)
    dar = dan ⊙ (h Whn + bhn) ⊙ r(1-r)
    daz = dh_new ⊙ (h - n) ⊙ z(1-z)

Args:
    dh_new: ∂loss/∂h_new、(N, H)。
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    Wx: 入力の重み、ブロックは r, z, n の順、(D, 3H)。
    Wh: 再帰の重み、ブロックは r, z, n の順、(H, 3H)。
    bx: x Wx に足すバイアス、ブロックは r, z, n の順、(3H,)。
    bh: h Wh に足すバイアス、ブロックは r, z, n の順、(3H,)。

Returns:
    dx: dax Wxᵀ、ただし dax = (dar, daz, dan)、(N, D)。
    dh: dah Whᵀ + dh_new ⊙ z、ただし dah = (dar, daz, dan ⊙ r)、(N, H)。
    dWx: xᵀ dax、(D, 3H)。
    dWh: hᵀ dah、(H, 3H)。
    dbx: バッチについての Σ dax、(3H,)。
    dbh: バッチについての Σ dah、(3H,)。
"""

# %%
dx, dh, dWx, dWh, dbx, dbh = gru_step_backward(one, one, one, Gx, Gh, bx, bh)
dx.round(3).tolist(), dh.round(3).tolist(), dbx.round(3).tolist(), dbh.round(3).tolist()
# ([[0.082]], [[0.805]], [0.055, 0.075, 0.16], [0.055, 0.075, 0.08])

# %% graded gru_step_backward

# %% [markdown] lang="ja"
# ## パラメータを数える
#
# 一つのブロックには、$D \times H$ の行列、$H \times H$ の行列、$H$ 個のバイアスがあります。ブロックの数は、RNN が 1、GRU が 3、LSTM が 4 です。
#
# $$\text{パラメータ数} = \text{ブロック数} \times (D H + H^2 + \text{バイアスの組数} \times H) \ (+\, 3H \ \text{覗き穴結合})$$
#
# バイアスは、断らない限り 1 組とします。PyTorch の層は 2 組もつので、その数を求めるときは `biases=2` です。
#
# **例**($D = 100$、$H = 128$)。1 ブロックは $12800 + 16384 + 128 = 29312$ 個なので、RNN は 29312、GRU は 87936、LSTM は 117248 個です。
#
# > **よくある間違い** GRU のパラメータは LSTM より「大幅に」少ないのではなく、同じ $H$ で $3/4$(25 % 減)です。精度も、いつも GRU が同等以上とは限らず、どちらが良いかは課題によります。

# %% [markdown] lang="en"
# ## Counting parameters
#
# A block has a $D \times H$ matrix, an $H \times H$ matrix and $H$ biases. There is 1 block in an RNN, 3 in a GRU, 4 in an LSTM.
#
# $$\text{parameters} = \text{blocks} \times (D H + H^2 + \text{sets of biases} \times H) \ (+\, 3H \ \text{with peepholes})$$
#
# There is one set of biases unless something else is said. The layers of PyTorch have two: for their count, `biases=2`.
#
# **Example** ($D = 100$, $H = 128$). A block has $12800 + 16384 + 128 = 29312$: so 29312 for an RNN, 87936 for a GRU, 117248 for an LSTM.
#
# > **Common mistake** A GRU does not have vastly fewer parameters than an LSTM: at the same $H$ it has $3/4$ of them, 25 % fewer. Nor is it always as good or better; which one wins depends on the task.

# %% stub recurrent_param_count
"""再帰層のパラメータ数。

Args:
    kind: "rnn"、"gru" または "lstm"。
    D: 入力の幅。
    H: 隠れユニットの数。
    biases: バイアスの組数、1 または 2(torch.nn は 2)。
    peephole: 覗き穴結合のある LSTM。

Returns:
    ブロック数 · (D H + H² + biases · H)。覗き穴結合があれば 3 H を加える。ブロック数は 1, 3, 4。
"""

# %%
[recurrent_param_count(kind, 100, 128) for kind in ("rnn", "gru", "lstm")]
# [29312, 87936, 117248]

# %% graded recurrent_param_count

# %% [markdown] lang="ja"
# ## PyTorch で: 自動微分とデバイス
#
# 同じ式をテンソルで書けば、逆伝播は autograd が引き受けます。値に加えて、勾配も採点されます。$h$ と $c$ の**両方**を通って、最後の時刻の誤差が最初の時刻まで戻らなければなりません。
#
# - `detach()`、`.data`、`.item()`、`.numpy()`、`torch.no_grad()` は、計算グラフを切ります。値は合っていても、勾配が消えます。
# - 新しいテンソルは、引数と同じデバイスと dtype で作ります(`torch.zeros_like(h)`、`h.new_zeros(...)`)。
# - 時刻ごとの状態はリストに集めて `torch.stack(..., dim=1)` でまとめます。
#
# `torch.nn.LSTMCell` と `torch.nn.GRUCell` は同じ計算をします。ブロックの順も同じですが、重みは転置されていて、LSTM の二つのバイアスは足すと $b$ になります。
#
# **例**。系列の例で、最後の時刻の $c$ を入力のセル $c_0$ で微分すると、$f_1 f_2 = 0.5 \cdot 0.5 = 0.25$ です($W_h = 0$ なので $h$ を通る道はありません)。

# %% [markdown] lang="en"
# ## In PyTorch: autograd and devices
#
# Written with tensors, the same formulas leave the backward pass to autograd. Gradients are graded along with the values. An error at the last step must come back to the first through **both** $h$ and $c$.
#
# - `detach()`, `.data`, `.item()`, `.numpy()` and `torch.no_grad()` cut the graph: the values are right, and the gradients gone.
# - A new tensor gets the device and the dtype of the arguments (`torch.zeros_like(h)`, `h.new_zeros(...)`).
# - Collect the states of the steps in a list, and join them by `torch.stack(..., dim=1)`.
#
# `torch.nn.LSTMCell` and `torch.nn.GRUCell` compute the same, with the blocks in the same order; their weights are transposed, and the two biases of the LSTM add up to $b$.
#
# **Example.** In the example of a sequence, the derivative of the last $c$ by the first cell $c_0$ is $f_1 f_2 = 0.5 \cdot 0.5 = 0.25$ (as $W_h = 0$, no way leads through $h$).

# %%
import torch

# %% stub lstm_sequence_torch
"""系列に沿った LSTM の状態。

Args:
    x: 入力、(N, T, D)。
    h0: 最初の入力より前の隠れ状態、(N, H)。
    c0: 最初の入力より前のセル、(N, H)。
    Wx: 入力の重み、ブロックは i, f, g, o の順、(D, 4H)。
    Wh: 再帰の重み、ブロックは i, f, g, o の順、(H, 4H)。
    b: バイアス、ブロックは i, f, g, o の順、(4H,)。

Returns:
    hs: 各入力の後の隠れ状態、(N, T, H)。
    cs: 各入力の後のセル、(N, T, H)。
"""

# %%
c0 = torch.tensor(c, requires_grad=True)
others = [torch.tensor(a) for a in (Wx, Wh, b)]
x_two = torch.tensor([[[1.0], [0.0]]], dtype=torch.float64)
hs, cs = lstm_sequence_torch(x_two, torch.tensor(h), c0, *others)
cs[0, -1, 0].backward()
c0.grad
# tensor([[0.2500]], dtype=torch.float64)

# %% graded lstm_sequence_torch

# %% stub gru_step_torch
"""GRU の 1 ステップ。

Args:
    x: 入力、(N, D)。
    h: 隠れ状態、(N, H)。
    Wx: 入力の重み、ブロックは r, z, n の順、(D, 3H)。
    Wh: 再帰の重み、ブロックは r, z, n の順、(H, 3H)。
    bx: x Wx に足すバイアス、ブロックは r, z, n の順、(3H,)。
    bh: h Wh に足すバイアス、ブロックは r, z, n の順、(3H,)。

Returns:
    (N, H): (1 - z) ⊙ n + z ⊙ h。
"""

# %%
state = torch.tensor(one, requires_grad=True)
h_new = gru_step_torch(torch.tensor(one), state, *map(torch.tensor, (Gx, Gh, bx, bh)))
h_new.sum().backward()
h_new.detach().round(decimals=3), state.grad.round(decimals=3)
# (tensor([[0.9000]], dtype=torch.float64), tensor([[0.8050]], dtype=torch.float64))

# %% graded gru_step_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **RNN の課題と LSTM の解決。** 時間を遡るほど勾配が消える。活性化関数や初期値ではなく、構造(セルと CEC、ゲート)を変えて解決した。名前は long short-term memory、すなわち短期記憶を長く保つという意味である。
# - **課題と部品の対応。** 勾配消失 → CEC。CEC は重みが一律で何も学習しない → 入力ゲートと出力ゲート。過去を消せない → 忘却ゲート。ゲートがセルを見られない → 覗き穴結合。
# - **不要になった過去の語の影響を消すのは?** 忘却ゲート。$c' = f \odot c + i \odot g$ の $f$ である。
# - **1 ステップの計算。** $c' = fc + ig$、$h' = o \tanh(c')$ に数を入れる。$h'$ の $\tanh$ を忘れない。
# - **勾配の因子。** セルを通って $n$ 時刻遡ると $\prod f_t$。$f = 0.99$ なら 50 時刻で約 0.605、$f = 0.9$ なら約 0.005 である。
# - **パラメータ数。** 同じ $D, H$ で LSTM : GRU : RNN = 4 : 3 : 1。GRU は LSTM より 25 % 少ない。
# - **LSTM と GRU の違い。** LSTM は三つのゲート(入力・忘却・出力)と記憶セルをもつ。GRU は独立したセルと出力ゲートをもたず、リセットゲートと更新ゲート、候補からなり、残す割合と書く割合を $z$ と $1 - z$ で結び付ける。計算量は GRU が少ない。精度の優劣は課題による。
# - **選択肢の見分け。** 「入力・出力・忘却の三つのゲートと記憶セル」は LSTM、「リセットゲートと更新ゲート」は GRU、「順方向と逆方向の二つの RNN」は双方向 RNN の説明である。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **The fault of RNNs and what the LSTM does.** Gradients vanish back in time. It is mended by structure (cell and CEC, gates), not by an activation or initial values. The name, long short-term memory, says that a short-term memory is kept for long.
# - **Which part mends what.** Vanishing gradient → CEC. A CEC weighs all alike and learns nothing → input and output gates. The past cannot be dropped → forget gate. The gates do not see the cell → peepholes.
# - **What removes the influence of a past word that is no longer needed?** The forget gate, $f$ in $c' = f \odot c + i \odot g$.
# - **Numbers for one step.** $c' = fc + ig$ and $h' = o \tanh(c')$; do not forget the $\tanh$.
# - **The factor of the gradient.** Through the cell, $n$ steps back, it is $\prod f_t$: for $f = 0.99$ about 0.605 after 50 steps, for $f = 0.9$ about 0.005.
# - **Parameters.** At equal $D, H$, LSTM : GRU : RNN = 4 : 3 : 1. A GRU has 25 % fewer than an LSTM.
# - **LSTM against GRU.** An LSTM has three gates (input, forget, output) and a memory cell. A GRU has no separate cell and no output gate, but a reset gate, an update gate and a candidate; it ties what is kept and what is written by $z$ and $1 - z$. A GRU computes less. Which is more accurate depends on the task.
# - **Telling options apart.** "Input, output and forget gates and a memory cell" is an LSTM, "a reset and an update gate" a GRU, "two RNNs, one forward and one backward" a bidirectional RNN.
