# %% [markdown] lang="ja"
# # AlphaGo の学習と探索
#
# 2015 年に欧州王者の Fan Hui、2016 年 3 月に世界トップ棋士の Lee Sedol を破った AlphaGo は、**三つの学習した部品**を**一つの木探索**に組み合わせたものです。
#
# ![教師あり学習、強化学習、回帰の順に学習し、探索で使う](pipeline.svg)
#
# | 部品 | 学習 | 対局中の役割 |
# |---|---|---|
# | 方策ネットワーク(SL) | 人間の棋譜で教師あり学習。教師は打たれた手の one-hot | 手の事前確率 $P$ |
# | ロールアウト方策 | 人間の棋譜で教師あり学習。**線形**で、とても速い | 終局まで打って結果 $z$ を得る |
# | 方策ネットワーク(RL) | SL 方策から始め、自己対局で方策勾配法(REINFORCE) | 使わない(価値ネットワークの教師データを作る) |
# | 価値ネットワーク | RL 方策の自己対局の勝敗への回帰(平均二乗誤差) | 局面の評価値 $v$ |
#
# 学習の順番は、**教師あり学習 → 方策の強化学習 → 価値ネットワークの回帰**です。木探索(APV-MCTS)は、AlphaGo では**対局のときの探索**です。学習に使われるようになるのは、次の AlphaGo Zero からです。
#
# ここでは 2016 年の論文の部品を一つずつ書きます。盤の点は 0 が空点、1 が黒、2 が白です。黒が先に打ちます。訪問数 `N` は、いつも合計 `W` より前に来ます。
#
# **約束**: 入力の配列を書き換えないでください。実数は float64 で計算します(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。入力は小さいので、ループでも間に合います。

# %% [markdown] lang="en"
# # AlphaGo: learning and search
#
# AlphaGo, which beat the European champion Fan Hui in 2015 and Lee Sedol, one of the world's best, in March 2016, joins **three learned parts** in **one tree search**.
#
# ![Supervised learning, reinforcement learning, regression; and what the search uses](pipeline.svg)
#
# | part | trained | at play |
# |---|---|---|
# | policy network (SL) | supervised on human games; the target is the one-hot of the move played | priors $P$ of the moves |
# | rollout policy | supervised on human games; **linear** and very fast | plays to the end, for a result $z$ |
# | policy network (RL) | from the SL policy by self-play, with policy gradients (REINFORCE) | not used (it makes the value network's data) |
# | value network | regression on results of the RL policy's self-play (mean squared error) | value $v$ of a position |
#
# Training runs in the order **supervised learning → reinforcement learning of the policy → regression of the value network**. The tree search (APV-MCTS) is AlphaGo's **search at play**; only AlphaGo Zero uses a search in training.
#
# Here you write the parts of the paper of 2016 one by one. On a board 0 is empty, 1 black, 2 white; black moves first. Visits `N` always come before their sums `W`.
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 入力の 48 面
#
# ネットワークは、盤を 0 と 1 の面(チャネル)を重ねた画像として見ます。論文の表の順に並べると、次のとおりです。
#
# | 面の番号(0 から) | 特徴 | 面数 | 内容 |
# |---|---|---|---|
# | 0, 1, 2 | 石の色 | 3 | **手番側**の石、相手の石、空点 |
# | 3 | すべて 1 | 1 | 定数の面(0 で埋めた盤の外と区別できる) |
# | 4–11 | 着手履歴 | 8 | その石が打たれてから何手たったか |
# | 12–19 | 呼吸点 | 8 | 石のつながり(連)の呼吸点の数 |
# | 20–27 | 取れる石の数 | 8 | そこに打つと取れる相手の石の数 |
# | 28–35 | 自己アタリの石の数 | 8 | **自分が**そこに打つと取られることになる自分の石の数 |
# | 36–43 | 着手後の呼吸点 | 8 | そこに打った後の呼吸点の数 |
# | 44 | シチョウで取れる | 1 | そこに打てばシチョウで取れる |
# | 45 | シチョウから逃げられる | 1 | そこに打てばシチョウから逃げられる |
# | 46 | sensibleness | 1 | 合法手で、自分の眼を埋めない |
# | 47 | すべて 0 | 1 | 定数の面 |
# | 48 | 手番の色 | 1 | 黒番なら 1。**価値ネットワークだけ** |
#
# $3 + 1 + 5 \times 8 + 3 + 1 = 48$ 面、価値ネットワークでは 49 面です。
#
# 数は 8 面の **one-hot** にします。面は順に「1」「2」…「7」「8 以上」を表し、**0 ならどの面も 1 になりません**。`counts` と `flags` は、表の順に渡されます。
#
# **例**。白番で盤が $\begin{pmatrix} 0 & 1 \\ 2 & 1 \end{pmatrix}$ なら、手番側の面は白石の $\begin{pmatrix} 0 & 0 \\ 1 & 0 \end{pmatrix}$ です。着手からの手数が $\begin{pmatrix} 0 & 1 \\ 3 & 9 \end{pmatrix}$ なら、右上の石は面 4、左下は面 6、右下(9 手前)は「8 以上」の面 11 に現れます。
#
# > **よくある間違い** 「黒の面・白の面」を作る。手番側から見た面にすると、黒番で学んだことが白番でも使えます。
# >
# > **よくある間違い** 数 3 のところで 3 枚を 1 にする(温度計型)。one-hot では 1 枚だけです。

# %% [markdown] lang="en"
# ## The 48 input planes
#
# To the networks a board is an image of stacked planes (channels) of 0 and 1. In the order of the paper's table:
#
# | plane (from 0) | feature | planes | contents |
# |---|---|---|---|
# | 0, 1, 2 | stone colour | 3 | stones of the **player to move**, of the opponent, empty points |
# | 3 | ones | 1 | constant (tells the board from the zeros padded around it) |
# | 4–11 | turns since | 8 | how many moves ago the stone was played |
# | 12–19 | liberties | 8 | of the chain of stones |
# | 20–27 | capture size | 8 | opponent's stones captured by playing there |
# | 28–35 | self-atari size | 8 | own stones that would be captured if **you** play there |
# | 36–43 | liberties after the move | 8 | after playing there |
# | 44 | ladder capture | 1 | playing there captures in a ladder |
# | 45 | ladder escape | 1 | playing there escapes from a ladder |
# | 46 | sensibleness | 1 | legal, and does not fill an own eye |
# | 47 | zeros | 1 | constant |
# | 48 | colour | 1 | 1 if black is to play; **value network only** |
#
# $3 + 1 + 5 \times 8 + 3 + 1 = 48$ planes, and 49 for the value network.
#
# A count becomes the **one-hot** of eight planes, which stand for 1, 2, …, 7 and "8 or more"; **a count of 0 sets none**. `counts` and `flags` come in the order of the table.
#
# **Example.** White is to play on $\begin{pmatrix} 0 & 1 \\ 2 & 1 \end{pmatrix}$: the plane of the player to move holds the white stone, $\begin{pmatrix} 0 & 0 \\ 1 & 0 \end{pmatrix}$. With $\begin{pmatrix} 0 & 1 \\ 3 & 9 \end{pmatrix}$ turns since, the stone at the top right shows on plane 4, the one at the bottom left on plane 6, and the one at the bottom right, 9 moves old, on plane 11, "8 or more".
#
# > **Common mistake** Planes for black and for white. Seen from the player to move, what was learned as black serves as white, too.
# >
# > **Common mistake** Setting three planes for a count of 3 (a thermometer). A one-hot sets one.

# %% stub encode_planes
"""ネットワークの入力。面の順は上の表のとおり。

Args:
    board: 石。0 は空点、1 は黒、2 は白、(H, W)。
    to_play: 手番、1 または 2。
    counts: 各点の 0 以上の数、(5, H, W)。着手からの手数、呼吸点、取れる石、自己アタリの石、着手後の呼吸点。
    flags: シチョウで取れる、シチョウから逃げられる、sensibleness、(3, H, W)。
    value_network: True なら、手番の色の面を最後に加える。

Returns:
    0 と 1 の面、48 枚または 49 枚、それぞれ (H, W)。自石、敵石、空点、すべて 1。各数について [1], [2], …, [7], [8 以上] の 8 面。
    flags。すべて 0。価値ネットワークでは、黒番なら 1 の面。
"""

# %%
board = np.array([[0, 1], [2, 1]])
counts = np.array([[[0, 1], [3, 9]]] * 5)
planes = encode_planes(board, 2, counts, np.zeros((3, 2, 2), bool))
print(planes.shape)  # (48, 2, 2)
print(planes[[0, 1, 2, 4, 6, 11]].reshape(6, 4).astype(int).tolist())
# [[0, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]

# %% graded encode_planes

# %% [markdown] lang="ja"
# ## 二つのネットワークの大きさ
#
# どちらも、畳み込みと ReLU を重ねた形です。盤を 0 で広げてから畳み込むので、盤の大きさ $b \times b$ は変わりません。$k$ はフィルタの数で、対局で使われた版では $k = 192$ です。
#
# | 層 | 方策ネットワーク(入力 48 面) | 価値ネットワーク(入力 49 面) |
# |---|---|---|
# | 1 | 23×23 に広げて 5×5 畳み込み、$k$ フィルタ、ReLU | 同じ |
# | 2–12 | 21×21 に広げて 3×3 畳み込み、$k$ フィルタ、ReLU | 同じ |
# | 13 | 1×1 畳み込み、1 フィルタ、**点ごとに違うバイアス**、softmax | 1×1 畳み込み、1 フィルタ |
# | 14 | – | 全結合 256、ReLU |
# | 15 | – | 全結合 1、tanh(−1 〜 1) |
#
# 方策の出力は 361 点の確率、価値の出力は一つの数です。バイアスは、方策の最後の層だけが盤の点ごとに一つで、ほかはフィルタまたはユニットごとに一つとします。積和演算(MAC)は、畳み込みでは「重みの数 × 盤の点数」、全結合では重みの数です。バイアスは積和に数えません。
#
# **例**。$k = 4$、$5 \times 5$ の盤なら、方策の 1 層目は $25 \cdot 48 \cdot 4 + 4 = 4804$、2〜12 層目は $9 \cdot 4 \cdot 4 + 4 = 148$、13 層目は $4 + 25 = 29$。価値の 14 層目は、13 層目で 1 面になった盤の 25 点を読むので、$25 \cdot 256 + 256 = 6656$ です。
#
# $k = 192$、$19 \times 19$ では、どちらも約 400 万個のパラメータと、1 局面あたり**約 14 億回**の積和になります。

# %% [markdown] lang="en"
# ## The size of the two networks
#
# Both stack convolutions and ReLUs. The board is padded with zeros before each convolution, and so keeps its size $b \times b$. $k$ is the number of filters, 192 in the version that played.
#
# | layer | policy network (48 planes in) | value network (49 planes in) |
# |---|---|---|
# | 1 | padded to 23×23, 5×5 convolution, $k$ filters, ReLU | the same |
# | 2–12 | padded to 21×21, 3×3 convolution, $k$ filters, ReLU | the same |
# | 13 | 1×1 convolution, 1 filter, **a different bias at each point**, softmax | 1×1 convolution, 1 filter |
# | 14 | – | fully connected 256, ReLU |
# | 15 | – | fully connected 1, tanh (−1 to 1) |
#
# The policy's output is a probability for each of 361 points, the value network's one number. There is one bias for each point in the last policy layer, and one for each filter or unit everywhere else. MACs (multiplications with addition) are weights × points of the board for a convolution, and weights for a fully connected layer; biases make none.
#
# **Example.** With $k = 4$ on a board of $5 \times 5$ the policy's first layer has $25 \cdot 48 \cdot 4 + 4 = 4804$ parameters, layers 2–12 have $9 \cdot 4 \cdot 4 + 4 = 148$, layer 13 has $4 + 25 = 29$. Layer 14 of the value network reads the 25 points of the one plane that layer 13 leaves: $25 \cdot 256 + 256 = 6656$.
#
# With $k = 192$ on $19 \times 19$ each has about 4 million parameters and needs **about 1.4 billion** MACs a position.

# %% stub alphago_network_cost
"""層ごとのパラメータ数と積和演算数。

Args:
    network: "policy"(13 層)または "value"(15 層)。
    filters: 1〜12 層目の畳み込みのフィルタ数 k。
    board: 盤の一辺。どの畳み込みでも変わらない。

Returns:
    params: 各層の重みとバイアスの数。バイアスはフィルタまたはユニットごとに一つ。方策の最後の層だけは盤の点ごとに一つ。
    macs: 畳み込みでは 重み × 点数、全結合では重みの数。
"""

# %%
params, macs = alphago_network_cost("policy", filters=4, board=5)
print(params[0], params[1], params[12])  # 4804 148 29
params, macs = alphago_network_cost("value", filters=4, board=5)
print(params[0], params[12:])  # 4904 [   5 6656  257]
print(sum(alphago_network_cost("policy")[0]))  # 3882793
print(sum(alphago_network_cost("policy")[1]))  # 1400726208

# %% graded alphago_network_cost

# %% [markdown] lang="ja"
# ## なぜロールアウト方策が要るか
#
# 方策ネットワークで 1 手を選ぶには約 3 ms、線形のロールアウト方策なら約 2 μs、比は 1500 倍です。探索の中で $10^8$ 手を打つとすると、$3\,\mathrm{ms} \times 10^8 = 3 \times 10^5$ 秒(約 3.5 日)と $2\,\mathrm{\mu s} \times 10^8 = 200$ 秒の差になります。人間の手との一致率は 24.2 %で、方策ネットワークの 57.0 %の半分もありませんが、終局まで打つには速さが大切です。
#
# > **よくある間違い** 「ロールアウト方策は方策ネットワークの学習を速くする」のではありません。使うのは**探索の中**で、葉から終局まで打って結果 $z$ を得るためです。3 ms と 2 μs は、学習 1 回ではなく **1 手を選ぶ**時間です。

# %% [markdown] lang="en"
# ## Why a rollout policy
#
# To choose one move takes the policy network about 3 ms and the linear rollout policy about 2 μs, a ratio of 1500. For $10^8$ moves inside a search that makes $3\,\mathrm{ms} \times 10^8 = 3 \times 10^5$ s (3.5 days) against $2\,\mathrm{\mu s} \times 10^8 = 200$ s. It finds the human's move in 24.2 % of positions, less than half the 57.0 % of the policy network; but whoever plays to the end of the game needs speed.
#
# > **Common mistake** The rollout policy does not make the training of the policy network faster. It is used **inside the search**, to play from a leaf to the end for a result $z$. And 3 ms and 2 μs are the time to **select one move**, not that of a training step.

# %% [markdown] lang="ja"
# ## 選択: 値とボーナス
#
# 木の枝(局面 $s$ での手 $a$)は、事前確率 $P$ と、二組の統計 $N_v, W_v$(価値ネットワーク)と $N_r, W_r$(ロールアウト)をもちます。値は、二つの平均を $\lambda$ で混ぜたものです。
#
# $$Q(s,a) = (1-\lambda)\,\frac{W_v}{N_v} + \lambda\,\frac{W_r}{N_r} \qquad u(s,a) = c_\text{puct}\,P(s,a)\,\frac{\sqrt{\sum_b N_r(s,b)}}{1 + N_r(s,a)}$$
#
# シミュレーションは、$Q + u$ が最大の枝へ進みます。$\lambda = 0$ なら価値ネットワークだけ、$\lambda = 1$ ならロールアウトだけで、論文では $\lambda = 0.5$ が最も強くなりました。$u$ は、事前確率が高く、まだあまり訪問していない枝で大きく、訪問が増えると消えていきます。
#
# 訪問のない平均は 0 とします(二つの統計で別々に)。$\sum_b N_r$ に 1 は足しません。したがって、何も訪問していない節点ではすべての $u$ が 0 になり、番号の最も小さい枝が選ばれます。
#
# **例**。$P = (0.5, 0.3, 0.2)$、$N_v = (4, 2, 0)$、$W_v = (1, -0.5, 0)$、$N_r = (3, 2, 0)$、$W_r = (1, 0, 0)$、$\lambda = 0.5$、$c = 5$。枝 0 の値は $0.5 \cdot \frac14 + 0.5 \cdot \frac13 = 0.292$、ボーナスは $5 \cdot 0.5 \cdot \frac{\sqrt5}{4} = 1.398$。枝 2 は値が 0 でも、ボーナスが $5 \cdot 0.2 \cdot \frac{\sqrt5}{1} = 2.236$ なので、これが選ばれます。
#
# > **よくある間違い** 平方根は**分子だけ**にかかります。事前確率はボーナスに**足すのではなく掛けます**。選択から $Q$ を落とすと、どれだけ探索しても良い手に集中しません。

# %% [markdown] lang="en"
# ## Selection: a value and a bonus
#
# An edge of the tree (a move $a$ in a position $s$) keeps its prior $P$ and two pairs of statistics, $N_v, W_v$ of the value network and $N_r, W_r$ of the rollouts. Its value mixes the two means by $\lambda$.
#
# $$Q(s,a) = (1-\lambda)\,\frac{W_v}{N_v} + \lambda\,\frac{W_r}{N_r} \qquad u(s,a) = c_\text{puct}\,P(s,a)\,\frac{\sqrt{\sum_b N_r(s,b)}}{1 + N_r(s,a)}$$
#
# A simulation follows the edge with the largest $Q + u$. $\lambda = 0$ is the value network alone, $\lambda = 1$ the rollouts alone; $\lambda = 0.5$ played best. The bonus $u$ is large where the prior is high and visits are few, and dies out as they grow.
#
# A mean without visits is 0 (for each statistic on its own). Nothing is added to $\sum_b N_r$: so at a node without visits all $u$ are 0, and the lowest index is chosen.
#
# **Example.** $P = (0.5, 0.3, 0.2)$, $N_v = (4, 2, 0)$, $W_v = (1, -0.5, 0)$, $N_r = (3, 2, 0)$, $W_r = (1, 0, 0)$, $\lambda = 0.5$, $c = 5$. Edge 0 has the value $0.5 \cdot \frac14 + 0.5 \cdot \frac13 = 0.292$ and the bonus $5 \cdot 0.5 \cdot \frac{\sqrt5}{4} = 1.398$. Edge 2 has the value 0, but the bonus $5 \cdot 0.2 \cdot \frac{\sqrt5}{1} = 2.236$: it is chosen.
#
# > **Common mistake** The root covers the **numerator alone**. The prior **multiplies** the bonus and is not added to it. And without $Q$ in the selection no amount of search would settle on the good moves.

# %% stub select_edge
"""一つの節点で、シミュレーションが進む枝。

Args:
    P: 方策ネットワークによる事前確率、(K,)。
    N_v: 価値ネットワークの評価の回数、(K,)。
    W_v: その合計。枝を選ぶ側から見た値、(K,)。
    N_r: ロールアウトの回数、(K,)。
    W_r: その結果の合計。枝を選ぶ側から見た値、(K,)。
    mix: λ、ロールアウトの重み。0 … 1。
    c_puct: ボーナスの重み。

Returns:
    index: Q + u が最大の枝。同点なら番号の小さい方。
    Q: (1-λ) W_v/N_v + λ W_r/N_r、(K,)。評価のない平均は 0。
    u: c_puct P √(Σ N_r) / (1 + N_r)、(K,)。
"""

# %%
P = np.array([0.5, 0.3, 0.2])
N_v, W_v = np.array([4, 2, 0]), np.array([1.0, -0.5, 0.0])
N_r, W_r = np.array([3, 2, 0]), np.array([1.0, 0.0, 0.0])
select_edge(P, N_v, W_v, N_r, W_r)
# (2, array([0.29166667, -0.125, 0.]), array([1.39754249, 1.11803399, 2.23606798]))

# %% graded select_edge

# %% [markdown] lang="ja"
# ## 評価とバックアップ
#
# 葉に着いたら、価値ネットワークの評価 $v$ とロールアウトの結果 $z$ を、通ってきた**すべての枝**に書き込みます。$v$ と $z$ は、**葉の手番**から見た値です。一方 $W$ は、**その枝を選んだ側**から見た合計です。最後の枝を選んだのは葉の手番の相手なので、符号は葉から根へ
#
# $$W \mathrel{+}= -v,\; +v,\; -v,\; \dots \qquad (z \text{ も同じ})$$
#
# と交互に変わります。$N_v$ と $N_r$ は、どの枝も 1 ずつ増えます。
#
# ![葉から根へ、符号が交互に変わる](backup.svg)
#
# **展開**。葉への枝の $N_r$ が閾値を**超えたら**($N_r > n_\text{thr}$)、その先の局面を木に加え、方策ネットワークで事前確率 $P$ を計算します。論文の $n_\text{thr}$ は 40 です。関数は、更新した後の最後の枝について、展開するかどうかを返します。
#
# **例**。道が枝 0 → 枝 2、$v = 0.25$、$z = -1$。最後の枝 2 には $-v = -0.25$ と $-z = +1$、その前の枝 0 には $+0.25$ と $-1$ を加えます。

# %% [markdown] lang="en"
# ## Evaluation and backup
#
# At a leaf the value network's verdict $v$ and the result $z$ of a rollout are entered at **every edge** of the path. $v$ and $z$ are the view of **the player to move at the leaf**; $W$ sums the view of **the player who chose the edge**. The last edge was chosen by the opponent of the player to move at the leaf, so from the leaf to the root the signs alternate:
#
# $$W \mathrel{+}= -v,\; +v,\; -v,\; \dots \qquad (\text{and } z \text{ likewise})$$
#
# $N_v$ and $N_r$ of every edge grow by 1.
#
# ![Signs alternate from the leaf to the root](backup.svg)
#
# **Expansion.** When $N_r$ of the edge into the leaf **exceeds** a threshold ($N_r > n_\text{thr}$, 40 in the paper), the position behind it joins the tree, and the policy network computes its priors $P$. The function says whether the last edge, after the update, is to be expanded.
#
# **Example.** The path is edge 0 → edge 2, $v = 0.25$, $z = -1$. The last edge, 2, gains $-v = -0.25$ and $-z = +1$; edge 0 before it gains $+0.25$ and $-1$.

# %% stub backup_mixed
"""葉の評価を通ってきたすべての枝に書き込み、葉を展開するかどうかも返す。

Args:
    N_v: 価値ネットワークの評価の回数、(E,)。
    W_v: その合計。枝を選ぶ側から見た値、(E,)。
    N_r: ロールアウトの回数、(E,)。
    W_r: その結果の合計。枝を選ぶ側から見た値、(E,)。
    path: 根から葉までの互いに異なる枝の番号、(L,)。
    v: 価値ネットワークの評価。葉の手番から見た値。
    z: ロールアウトの結果。葉の手番から見た値。
    n_thr: ロールアウトの回数がこれを超えたら展開する。

Returns:
    N_v: 道の枝で 1 ずつ増えた回数、(E,)。
    W_v: 相手が選んだ最後の枝には -v、その前の枝には +v、…を加えた合計、(E,)。
    N_r: 道の枝で 1 ずつ増えた回数、(E,)。
    W_r: z について同じようにした合計、(E,)。
    expand: 最後の枝の更新後の N_r が n_thr を超えたか。
"""

# %%
for part in backup_mixed(N_v, W_v, N_r, W_r, np.array([0, 2]), v=0.25, z=-1.0):
    print(part)
# [5 2 1]
# [ 1.25 -0.5  -0.25]
# [4 2 1]
# [0. 0. 1.]
# False

# %% graded backup_mixed

# %% [markdown] lang="ja"
# ## 指す手と投了
#
# 探索が終わったら、$Q$ が最大の手ではなく、**訪問数 $N_r$ が最大の手**を打ちます。わずかな訪問で偶然高くなった $Q$ に左右されないからです(同数なら番号の小さい方)。最も良い手でも $\max_a Q(s,a) < -0.8$ なら投了します。勝率にしておよそ 10 %未満です。
#
# **例**。$N_r = (10, 30, 5)$、$Q = (0.4, 0.1, 0.9)$ なら、打つのは手 1 です。$Q = 0.9$ の手 2 は、5 回しか訪問していません。

# %% [markdown] lang="en"
# ## The move to play, and resigning
#
# After the search the **most visited move** (largest $N_r$; of equals, the first) is played and not the one with the largest $Q$, which may be high by luck after a few visits. If even the best has $\max_a Q(s,a) < -0.8$, a chance of less than about 10 %, the game is resigned.
#
# **Example.** With $N_r = (10, 30, 5)$ and $Q = (0.4, 0.1, 0.9)$ move 1 is played. Move 2 with $Q = 0.9$ was visited only 5 times.

# %% stub move_or_resign
"""探索の後に打つ手と、投了するかどうか。

Args:
    N_r: 根の枝の訪問数、(K,)。
    Q: その混合した値、(K,)。
    resign: どの値もこれに届かなければ投了する。

Returns:
    index: N_r が最大の枝。同数なら番号の小さい方。Q は見ない。
    resigned: max Q < resign か。
"""

# %%
print(move_or_resign(np.array([10, 30, 5]), np.array([0.4, 0.1, 0.9])))  # (1, False)
print(move_or_resign(np.array([10, 30]), np.array([-0.81, -0.9])))  # (1, True)

# %% graded move_or_resign

# %% [markdown] lang="ja"
# ## 方策の強化学習
#
# SL 方策から始めて、自己対局の勝敗 $z = \pm 1$ で方策を改良します。方策勾配法(REINFORCE)の更新は
#
# $$\Delta\rho = \frac{\alpha}{n} \sum_{i=1}^{n} \sum_{t} \frac{\partial \log p_\rho(a_t \mid s_t)}{\partial \rho}\,\bigl(z_t - b(s_t)\bigr)$$
#
# です。$n$ は**対局の数**(論文では 1 ミニバッチに 128 局、10,000 回)で、手の数ではありません。$z_t$ は、その手を打った側から見た勝敗です。$b$ はベースラインで、論文の 2 巡目では価値ネットワークの値を使います。勾配の期待値を変えずに、分散だけを減らします。
#
# 相手は、500 回ごとに保存した**過去の方策のプール**から無作為に選びます。今の方策だけを相手にすると、それに過学習してしまうからです。学習も安定します。
#
# ここでは、深いネットワークの代わりに、手の特徴 $\phi(s,a)$ の線形和を softmax に通した方策を使います。ロールアウト方策と同じ形で、深いネットワークの最後の層もこの形です。
#
# $$p(a \mid s) = \frac{e^{\phi(s,a) \cdot w}}{\sum_b e^{\phi(s,b) \cdot w}} \qquad \frac{\partial \log p(a \mid s)}{\partial w} = \phi(s,a) - \sum_b p(b \mid s)\,\phi(s,b)$$
#
# **打った手の特徴から、特徴の期待値を引いたもの**です。$\alpha$ をかけて**足す**(上る)ことに注意してください。
#
# **例**。$w = (0.5, -1)$、1 局 2 手、$\alpha = 0.1$。
# - 1 手目: 特徴は $(1, 0)$ と $(0, 1)$、$p = (0.818, 0.182)$。手 0 を打ち、$z - b = 1 - 0.2 = 0.8$。$0.8 \cdot (1 - 0.818,\; 0 - 0.182) = (0.146, -0.146)$。
# - 2 手目: 特徴は $(2, 1)$ と $(0, -1)$、$p = (0.269, 0.731)$。手 1 を打ち、$z - b = -1$。$-1 \cdot (0 - 0.538,\; -1 + 0.462) = (0.538, 0.538)$。
# - 合計 $(0.684, 0.392)$ の $0.1 / 1$ 倍を足して、$w = (0.568, -0.961)$。

# %% [markdown] lang="en"
# ## Reinforcement learning of the policy
#
# From the SL policy on, the policy is improved by the results $z = \pm 1$ of self-play. The update of the policy gradient (REINFORCE) is
#
# $$\Delta\rho = \frac{\alpha}{n} \sum_{i=1}^{n} \sum_{t} \frac{\partial \log p_\rho(a_t \mid s_t)}{\partial \rho}\,\bigl(z_t - b(s_t)\bigr)$$
#
# where $n$ is the **number of games** (128 to a mini-batch in the paper, 10,000 mini-batches), not of moves. $z_t$ is the result for the player who made the move. The baseline $b$, in the paper's second pass the value network, leaves the expected gradient as it is and reduces its variance.
#
# Opponents are drawn from a **pool of earlier policies**, saved every 500 iterations: against the current policy alone it would overfit to itself. Training is more stable, too.
#
# Here the deep network gives way to a softmax of linear scores of the moves' features $\phi(s,a)$. The rollout policy has this form, and so has the last layer of the deep one.
#
# $$p(a \mid s) = \frac{e^{\phi(s,a) \cdot w}}{\sum_b e^{\phi(s,b) \cdot w}} \qquad \frac{\partial \log p(a \mid s)}{\partial w} = \phi(s,a) - \sum_b p(b \mid s)\,\phi(s,b)$$
#
# That is **the features of the move played minus the expected features**. Mind that $\alpha$ times it is **added**: this climbs.
#
# **Example.** $w = (0.5, -1)$, one game of two moves, $\alpha = 0.1$.
# - Move 1: features $(1, 0)$ and $(0, 1)$, $p = (0.818, 0.182)$. Move 0 is played, $z - b = 1 - 0.2 = 0.8$: $0.8 \cdot (1 - 0.818,\; 0 - 0.182) = (0.146, -0.146)$.
# - Move 2: features $(2, 1)$ and $(0, -1)$, $p = (0.269, 0.731)$. Move 1 is played, $z - b = -1$: $-1 \cdot (0 - 0.538,\; -1 + 0.462) = (0.538, 0.538)$.
# - The sum $(0.684, 0.392)$ times $0.1 / 1$ is added: $w = (0.568, -0.961)$.

# %% [markdown] lang="ja"
# 次の関数は、使ってかまいません。

# %% [markdown] lang="en"
# You may use the next function.

# %% given softmax
"""一つの軸についての確率: exp(x) をその和で割ったもの。"""

# %% stub reinforce_update
"""softmax 方策 p(a|s) ∝ exp(φ(s,a)·w) の REINFORCE による更新。

Args:
    w: 重み、(F,)。
    features: すべての対局の各手番における、すべての手の φ(s_t, a)、(T, A, F)。
    actions: 打った手、(T,)。
    z: その手の対局の結果。打った側から見た値、(T,)。
    baseline: b(s_t)。定数、(T,)。
    games: n、対局の数。
    alpha: 一歩の大きさ。

Returns:
    (F,): w + (α/n) Σ_t (z_t - b_t) ∂log p(a_t|s_t)/∂w。ここで ∂log p(a|s)/∂w = φ(s,a) - Σ_b p(b|s) φ(s,b)。
"""

# %%
w = np.array([0.5, -1.0])
features = np.array([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [0.0, -1.0]]])
z, baseline = np.array([1.0, -1.0]), np.array([0.2, 0.0])
reinforce_update(w, features, np.array([0, 1]), z, baseline, games=1, alpha=0.1)
# array([ 0.56838233, -0.96080576])

# %% graded reinforce_update

# %% [markdown] lang="ja"
# ## 価値ネットワークの教師データ
#
# 価値ネットワークは、RL 方策どうしが終局まで打ったときの勝敗を予測します。損失は平均二乗誤差 $(v(s) - z)^2$ です。
#
# 一局の続いた局面は互いによく似ていて、しかも同じ勝敗を目標にします。棋譜のすべての局面で学習すると、対局を丸暗記して**過学習**しました(誤差は学習用 0.19、テスト用 0.37)。そこで、新しく打った自己対局から**一局につき一局面だけ**を使い、3000 万局面を集めました(0.226 と 0.234)。一局は、次のように打ちます。
#
# ![U−1 手目までは SL 方策、U 手目は乱数、その後は RL 方策](game.svg)
#
# 1. $U$ を無作為に選ぶ(論文では 1〜450 の一様分布)。
# 2. **1〜U−1 手目**は SL 方策で打つ(0)。
# 3. **U 手目**は、合法手から一様に選ぶ(1)。
# 4. **U+1 手目から終局まで**は RL 方策で打つ(2)。
# 5. 局面 $s_{U+1}$ と、その**手番から見た勝敗** $z$ を一つの例とする。
#
# 手は 1 から数え、黒は奇数手目に打ちます。
#
# **例**(図)。$U = 4$、9 手で黒が勝った一局。例は $s_5$ で、手番は黒なので $z = +1$ です。$U = 3$ なら、$s_4$ の手番は白なので $z = -1$ になります。
#
# > **よくある間違い** 「方策ネットワークの強化学習に使った対局で学習する」のではありません。価値ネットワークのために新しく対局します。
# >
# > **よくある間違い** SL 方策と RL 方策を使い分けるのは、過学習を防ぐためとよく説明されます。論文で過学習の理由が挙げられているのは「一局から一局面」のほうです。SL 方策とランダムな手は**局面を多様にする**ため、最後まで RL 方策で打つのは、$z$ を RL 方策の価値の**偏りのない標本**にするためです。

# %% [markdown] lang="en"
# ## The data of the value network
#
# The value network predicts the result when the RL policy plays both sides to the end. Its loss is the mean squared error $(v(s) - z)^2$.
#
# Successive positions of a game resemble each other and share one target. Trained on all positions of recorded games, the network learned the games by heart and **overfitted** (an error of 0.19 in training, 0.37 in test). So new games of self-play were made, 30 million positions, **one position from each game** (0.226 and 0.234). A game is played like this:
#
# ![SL policy up to move U−1, a random move U, the RL policy after it](game.svg)
#
# 1. Draw $U$ (in the paper uniform on 1 … 450).
# 2. **Moves 1 … U−1** are the SL policy's (0).
# 3. **Move U** is drawn uniformly from the legal moves (1).
# 4. **Moves U+1 to the end** are the RL policy's (2).
# 5. The position $s_{U+1}$ and the result $z$ **for the player to move there** are one example.
#
# Moves count from 1, and black plays the odd ones.
#
# **Example** (figure). $U = 4$, nine moves, black won. The example is $s_5$, black is to move, $z = +1$. With $U = 3$ white is to move in $s_4$, and $z = -1$.
#
# > **Common mistake** These are not the games that trained the policy network: new ones are played for the value network.
# >
# > **Common mistake** That two policies take turns is often put down to overfitting. In the paper overfitting is the reason for one position a game. The SL policy and the random move make positions **diverse**, and the RL policy plays to the end so that $z$ is an **unbiased sample** of its own value.

# %% stub value_data_schedule
"""価値ネットワークの例を「一つ」作る対局で、だれがどの手を打つか。

Args:
    U: 乱数で打つ手の番号。1 … T-1。論文では 1 … 450 の一様分布。
    T: 一局の手数。
    r_black: 黒が勝ったら +1、白が勝ったら -1。

Returns:
    phases: 1〜T 手目について、U より前は SL 方策の 0、U 手目は乱数の 1、その後は RL 方策の 2。
    t: 例にする局面 s_t の番号、U + 1。
    z: t の手番から見た結果。黒は奇数の t で打つ。
"""

# %%
print(value_data_schedule(4, 9, 1))  # (array([0, 0, 0, 1, 2, 2, 2, 2, 2]), 5, 1.0)
print(value_data_schedule(3, 6, 1))  # (array([0, 0, 1, 2, 2, 2]), 4, -1.0)

# %% graded value_data_schedule

# %% [markdown] lang="ja"
# ## autograd で書く
#
# 本物の方策ネットワークでは、$\partial \log p / \partial \rho$ を手で書くことはできません。そこで、**勾配を下ると REINFORCE の一歩になる損失**を作り、微分は autograd に任せます。
#
# $$L = -\frac1n \sum_t A_t \log p(a_t \mid s_t), \qquad A_t = z_t - b(s_t)$$
#
# - **符号**: 最適化は損失を小さくします。勝った手の $\log p$ を大きくしたいので、マイナスが付きます。
# - **$A_t$ は定数**です。$b$ が価値ネットワークの出力なら、計算グラフがつながっています。`advantage.detach()` で切らないと、方策の損失が価値ネットワークまで動かしてしまいます。
# - **$\log p$ は `log_softmax`** で計算します。`softmax` の対数では、小さな確率が 0 に丸められて $-\infty$ になることがあります。
# - 結果のデバイスと dtype は、引数のものに合わせます。`.item()` や `.numpy()` は計算グラフを切ります。
#
# この損失の値そのものには「小さいほど強い」という意味はありません。意味があるのは勾配です。なお、$A_t = 1$、$n$ を局面数、$a_t$ を人間の手とすれば、$L$ は**教師あり学習の交差エントロピー**(教師は one-hot)になります。SL と RL の違いは、勝敗による重みだけです。
#
# **例**。上の 2 手なら、$L = -(0.8 \log 0.818 - 1 \cdot \log 0.731) = -0.152$、勾配は $-(0.684, 0.392)$ です。

# %% [markdown] lang="en"
# ## With autograd
#
# In a real policy network nobody writes $\partial \log p / \partial \rho$ by hand. Make **a loss whose descent is the step of REINFORCE**, and leave its derivative to autograd.
#
# $$L = -\frac1n \sum_t A_t \log p(a_t \mid s_t), \qquad A_t = z_t - b(s_t)$$
#
# - **Sign**: an optimiser makes a loss smaller, and $\log p$ of a winning move should become larger: hence the minus.
# - **$A_t$ is a constant.** If $b$ comes from the value network, a graph hangs on it. Without `advantage.detach()` the policy's loss would move the value network, too.
# - **$\log p$ comes from `log_softmax`**: the logarithm of a `softmax` may meet a small probability that was rounded to 0, and be $-\infty$.
# - The result has the device and the dtype of the arguments. `.item()` and `.numpy()` cut the graph.
#
# The value of this loss does not mean "the smaller, the stronger": its gradient is what counts. And with $A_t = 1$, $n$ the number of positions and $a_t$ the human's move, $L$ is **the cross-entropy of supervised learning** with a one-hot target. SL and RL differ by the weight that the result gives.
#
# **Example.** For the two moves above $L = -(0.8 \log 0.818 - 1 \cdot \log 0.731) = -0.152$, with the gradient $-(0.684, 0.392)$.

# %%
import torch

# %% stub policy_loss_torch
"""softmax 方策 p(a|s) ∝ exp(φ(s,a)·w) の、方策勾配法の損失。

Args:
    w: 重み、(F,)。
    features: すべての対局の各手番における、すべての手の φ(s_t, a)、(T, A, F)。
    actions: 打った手、(T,)。
    advantage: z_t - b(s_t)。定数、(T,)。
    games: n、対局の数。

Returns:
    -(1/n) Σ_t advantage_t log p(a_t|s_t)。軸のないテンソル。w と features には勾配が流れ、advantage には流れない。
"""

# %%
w_t = torch.tensor(w, requires_grad=True)
A_t = torch.tensor(z - baseline, requires_grad=True)
loss = policy_loss_torch(w_t, torch.tensor(features), torch.tensor([0, 1]), A_t, games=1)
loss.backward()
print(round(loss.item(), 4), A_t.grad)  # -0.1521 None
print(w_t.grad)  # tensor([-0.6838, -0.3919], dtype=torch.float64)
print(w - 0.1 * w_t.grad.numpy())  # [ 0.56838233 -0.96080576]

# %% graded policy_loss_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **学習の三段階**: 教師あり学習(SL 方策とロールアウト方策)→ 自己対局と方策勾配法(RL 方策)→ 回帰(価値ネットワーク、平均二乗誤差)。
# - **入力**: 19×19×48。内訳は 3 + 1 + 5 × 8 + 3 + 1。価値ネットワークだけは手番の色を加えて 49 面。
# - **出力**: 方策は 361 点の確率(softmax)、価値は tanh で −1 〜 1 の一つの数。
# - **ロールアウト方策**: 線形で、約 1000 倍(2 μs と 3 ms)速い。一致率は 24.2 %で、方策ネットワーク(57.0 %)の半分程度。使うのは探索の中。
# - **教師データの数**: SL は KGS の約 3000 万局面。RL は 128 局のミニバッチを 1 万回。価値ネットワークは 3000 万局面(一局に一局面)で、ミニバッチ 32 を 5000 万回。
# - **方策プール**: 500 回ごとに保存した過去の方策から相手を選び、今の方策への過学習を防いで学習を安定させる。
# - **葉の評価**: $(1-\lambda)v + \lambda z$、$\lambda = 0.5$。選択は $Q + u$ が最大の枝、展開は訪問数が閾値を超えたとき、バックアップは一手ごとに符号が反転、打つのは訪問数が最大の手。
# - **AlphaGo Zero との違い**: Zero は棋譜と手作りの特徴、ロールアウトを使わず、方策と価値を一つの残差ネットワークにまとめ、探索そのものを学習に使う。2016 年の論文の版(192 フィルタ)と Lee Sedol に勝った版(256 フィルタ)も、大きさが違う。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Three stages of training**: supervised learning (SL policy and rollout policy) → self-play with policy gradients (RL policy) → regression (value network, mean squared error).
# - **Input**: 19×19×48, which is 3 + 1 + 5 × 8 + 3 + 1. The value network alone adds the colour to play: 49.
# - **Output**: the policy's is a probability for each of 361 points (softmax), the value network's one number between −1 and 1 (tanh).
# - **Rollout policy**: linear and about 1000 times as fast (2 μs against 3 ms). It finds 24.2 % of the human moves, about half of the policy network's 57.0 %. It is used inside the search.
# - **Amounts**: SL about 30 million positions from KGS; RL 10,000 mini-batches of 128 games; value network 30 million positions (one a game), 50 million mini-batches of 32.
# - **Policy pool**: opponents are earlier policies, saved every 500 iterations, which prevents overfitting to the current one and steadies training.
# - **A leaf's value**: $(1-\lambda)v + \lambda z$, $\lambda = 0.5$. Selection takes the largest $Q + u$, expansion waits until visits exceed a threshold, a backup changes its sign at each ply, and the most visited move is played.
# - **Against AlphaGo Zero**: Zero needs no human games, no features made by hand and no rollouts, joins policy and value in one residual network, and uses the search itself in training. The version of the paper of 2016 (192 filters) and the one that beat Lee Sedol (256) differ in size, too.
