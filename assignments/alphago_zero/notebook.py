# %% [markdown] lang="ja"
# # AlphaGo Zero: 探索が教える自己対局
#
# AlphaGo Zero(2017)は、人間の棋譜を一局も使いません。**一つのネットワーク**が手の確率 $p$ と局面の価値 $v$ を出し、**探索**がそれをもとに、より良い確率 $\pi$ を求めます。その $\pi$ で**自己対局**し、ネットワークは $\pi$ と勝敗 $z$ を目標に学習します。
# 探索は「一歩先のネットワーク」として教師になり、良くなったネットワークが次の探索を良くします。
#
# ![自己対局、データ、学習、評価を繰り返す](loop.svg)
#
# | | AlphaGo(2016) | AlphaGo Zero(2017) |
# |---|---|---|
# | 教師あり学習 | 人間の棋譜で始める | **しない** |
# | 入力 | 48 面(呼吸点、シチョウなど) | **17 面**(石の配置と手番の色だけ) |
# | ネットワーク | 方策と価値で別々 | **一つ**(出力が二つ) |
# | 構造 | 畳み込み層の積み重ね | **残差ネットワーク** |
# | 葉の評価 | 価値ネットワークとロールアウト | ネットワークの $v$ だけ。**ロールアウトはない** |
#
# 木探索は、なくなりません。むしろ、学習の中心になりました。
#
# この課題では、探索の部品(PUCT、仮想損失、バックアップ、ノイズ)、探索の全体、着手の確率、入力、損失を順に書きます。訪問数 `N` は、いつも合計 `W` より前に来ます。`W` は**その枝を選ぶ側**にとっての値の合計で、$v$ はいつも**手番の側**から見た値です。同点なら、番号の最も小さいものを選びます。
#
# **約束**: 入力の配列を書き換えないでください。実数は float64 で計算します(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。入力は小さいので、ループでも間に合います。

# %% [markdown] lang="en"
# # AlphaGo Zero: self-play taught by its own search
#
# AlphaGo Zero (2017) sees no game of a human. **One network** gives probabilities $p$ of moves and the value $v$ of a position; a **search** makes better probabilities $\pi$ of them. With $\pi$ it **plays against itself**, and the network learns towards $\pi$ and the result $z$.
# The search is a teacher one step ahead of its network, and the better network makes the next search better.
#
# ![Self-play, data, training and evaluation, again and again](loop.svg)
#
# | | AlphaGo (2016) | AlphaGo Zero (2017) |
# |---|---|---|
# | supervised learning | begins with human games | **none** |
# | input | 48 planes (liberties, ladders …) | **17 planes**: stones and the colour to play |
# | networks | one for the policy, one for the value | **one**, with two outputs |
# | structure | stacked convolutions | a **residual network** |
# | a leaf's value | value network and rollout | the network's $v$ alone, **no rollouts** |
#
# The tree search has not gone: it has moved into the middle of training.
#
# Here you write the parts of the search (PUCT, virtual loss, backup, noise), the whole search, the probabilities of moves, the input and the loss. Visits `N` always come before sums `W`. `W` sums values for **the player who chooses the edge**, and $v$ is always the view of **the player to move**. Of equals, the lowest number is chosen.
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds: the inputs are small, and loops are fast enough.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 一つのネットワーク、二つの出力
#
# ![残差ブロックの塔から、方策と価値の二つのヘッドに分かれる](network.svg)
#
# - **残差ブロック**: 畳み込み 3×3 → BN → ReLU → 畳み込み 3×3 → BN → 入力を足す → ReLU。フィルタはどこも 256 枚。
# - **方策ヘッド**: 1×1 の畳み込み 2 フィルタ → 全結合 $2 \cdot 361 = 722 \to 362$。出力は 361 点と**パス**。
# - **価値ヘッド**: 1×1 の畳み込み 1 フィルタ → 全結合 $361 \to 256 \to 1$ → tanh。
#
# **例**。$k$ フィルタの残差ブロック一つのパラメータ数は、$3 \times 3$ の畳み込み二つ(バイアスなし)で $2 \cdot 9k^2$、BN 二つで $2 \cdot 2k$、合わせて $18k^2 + 4k$。$k = 256$ なら 1,180,672 個で、全体では 22,827,877 個(19 ブロック)になります。
#
# > **よくある間違い** 「39」は二通りに出てきます。塔の層数は、最初の畳み込み 1 層と、ブロックごとに 2 層で $2b + 1$。**19 個**の残差ブロックの塔が 39 層、**39 個**の残差ブロックの塔が 79 層です。
# >
# > **よくある間違い** ブロックの中にプーリングはなく、盤の大きさは最後まで 19×19 です。Bottleneck、PreActivation、WideResNet、PyramidNet は ResNet の**派生形**で、AlphaGo Zero のブロックは普通のものです。ブロックをランダムに飛ばして学習するのは Stochastic Depth という別の手法です。

# %% [markdown] lang="en"
# ## One network, two outputs
#
# ![A tower of residual blocks, then two heads, for policy and value](network.svg)
#
# - **Residual block**: convolution 3×3 → BN → ReLU → convolution 3×3 → BN → the input is added → ReLU. 256 filters everywhere.
# - **Policy head**: a 1×1 convolution with 2 filters → fully connected $2 \cdot 361 = 722 \to 362$, for 361 points and the **pass**.
# - **Value head**: a 1×1 convolution with 1 filter → fully connected $361 \to 256 \to 1$ → tanh.
#
# **Example.** A residual block with $k$ filters holds $2 \cdot 9k^2$ weights in two $3 \times 3$ convolutions (without biases) and $2 \cdot 2k$ in two BNs: $18k^2 + 4k$. With $k = 256$ these are 1,180,672, and 22,827,877 in the whole network of 19 blocks.
#
# > **Common mistake** There are two numbers "39". A tower has one first convolution and two in each block, $2b + 1$ layers: **19** residual blocks make 39 layers, **39** residual blocks make 79.
# >
# > **Common mistake** No block pools: the board stays 19×19 to the end. Bottleneck, PreActivation, WideResNet and PyramidNet are **relatives of ResNet**; AlphaGo Zero's block is the plain one. Leaving out blocks at random in training is another method, stochastic depth.

# %% [markdown] lang="ja"
# ## 選択: PUCT
#
# 探索の 1 回(シミュレーション)は、根から木を降りることから始まります。枝は次のスコアが最大のものを選びます。
#
# $$\underbrace{\frac{W(s,a)}{N(s,a)}}_{Q} + \underbrace{c_\text{puct}\, P(s,a)\, \frac{\sqrt{\sum_b N(s,b)}}{1 + N(s,a)}}_{U}$$
#
# $Q$ はこれまでの平均、$U$ はボーナスです。事前確率 $P$ が大きく、まだ訪問の少ない枝ほど、ボーナスが大きくなります。訪問を重ねると $U$ は 0 に近づき、$Q$ で選ぶようになります。
#
# この課題の約束: 訪問のない枝の $Q$ は 0。根号の中に 1 を足しません(足すプログラムもあります)。だから、まだ何も訪問していない節点ではスコアがすべて 0 で、0 番の枝が選ばれます。
#
# **例**。$P = (0.5, 0.3, 0.2)$、$N = (3, 2, 0)$、$W = (1, -0.5, 0)$、$c = 1.5$。$\sqrt{\sum N} = \sqrt5 \approx 2.236$。
# - 枝 0: $1/3 + 1.5 \cdot 0.5 \cdot 2.236 / 4 = 0.333 + 0.419 = 0.753$
# - 枝 1: $-0.25 + 1.5 \cdot 0.3 \cdot 2.236 / 3 = -0.25 + 0.335 = 0.085$
# - 枝 2: $0 + 1.5 \cdot 0.2 \cdot 2.236 / 1 = 0.671$
#
# > **よくある間違い** $P + c\sqrt{\sum N / (1 + N)}$ には誤りが三つあります。$Q$ がない、$P$ は**足す**のではなく**掛ける**、平方根がかかるのは $\sum N$ **だけ**。UCB1 のような対数もありません。

# %% [markdown] lang="en"
# ## Selection: PUCT
#
# A simulation begins at the root and goes down the tree, at every node along the edge with the largest score
#
# $$\underbrace{\frac{W(s,a)}{N(s,a)}}_{Q} + \underbrace{c_\text{puct}\, P(s,a)\, \frac{\sqrt{\sum_b N(s,b)}}{1 + N(s,a)}}_{U}$$
#
# $Q$ is the mean so far, $U$ a bonus: large where the prior $P$ is large and visits are few. With many visits $U$ approaches 0, and $Q$ decides.
#
# In this task $Q$ of an unvisited edge is 0, and nothing is added to the sum under the root (some programs add 1). So at a node without visits all scores are 0, and edge 0 is chosen.
#
# **Example.** $P = (0.5, 0.3, 0.2)$, $N = (3, 2, 0)$, $W = (1, -0.5, 0)$, $c = 1.5$; $\sqrt{\sum N} = \sqrt5 \approx 2.236$.
# - Edge 0: $1/3 + 1.5 \cdot 0.5 \cdot 2.236 / 4 = 0.333 + 0.419 = 0.753$
# - Edge 1: $-0.25 + 1.5 \cdot 0.3 \cdot 2.236 / 3 = -0.25 + 0.335 = 0.085$
# - Edge 2: $0 + 1.5 \cdot 0.2 \cdot 2.236 / 1 = 0.671$
#
# > **Common mistake** $P + c\sqrt{\sum N / (1 + N)}$ holds three errors: $Q$ is missing, $P$ should **multiply** the bonus and not be added to it, and the root covers $\sum N$ **alone**. Nor is there a logarithm, as in UCB1.

# %% stub puct_select
"""一つの節点で、シミュレーションが進む枝。

Args:
    P: ネットワークの事前確率、(K,)。
    N: 訪問数、(K,)。
    W: 枝を選ぶ側にとっての値の合計、(K,)。
    c_puct: ボーナスの重み。

Returns:
    index: スコアが最大の枝。同点なら最初のもの。
    scores: W/N + c_puct P √(Σ N) / (1 + N)、(K,)。訪問のない枝の W/N は 0。
"""

# %%
P, N, W = np.array([0.5, 0.3, 0.2]), np.array([3, 2, 0]), np.array([1.0, -0.5, 0.0])
puct_select(P, N, W, 1.5)
# (0, array([0.75259608, 0.0854102 , 0.67082039]))

# %% graded puct_select

# %% [markdown] lang="ja"
# ## 仮想損失
#
# 実際の探索では、たくさんのシミュレーションが**同時に**走ります。ネットワークの答えを待っている間に、ほかのスレッドがみな同じ道を通っては無駄です。そこで、降りながら道の上のすべての枝に**仮の負け**を $n_\text{vl}$ 回分入れておきます。
#
# $$N \leftarrow N + n_\text{vl}, \qquad W \leftarrow W - n_\text{vl}$$
#
# どの枝の $W$ も「その枝を選ぶ側」のものなので、手番に関係なく同じだけ引きます。
#
# **例**。上の $N$、$W$ で、道 `[0, 2]`、$n_\text{vl} = 3$ なら $N = (6, 2, 3)$、$W = (-2, -0.5, -3)$。枝 0 の平均は $1/3$ から $-1/3$ に下がり、次のスレッドは別の枝に向かいます。

# %% [markdown] lang="en"
# ## Virtual loss
#
# In practice many simulations run **at the same time**. While one waits for the network, the others should not all take the same way. So on the way down every edge of the path is given $n_\text{vl}$ **virtual losses**:
#
# $$N \leftarrow N + n_\text{vl}, \qquad W \leftarrow W - n_\text{vl}$$
#
# Every $W$ belongs to the player who chooses the edge, so the same is subtracted whoever is to move.
#
# **Example.** With $N$, $W$ as above, the path `[0, 2]` and $n_\text{vl} = 3$: $N = (6, 2, 3)$, $W = (-2, -0.5, -3)$. The mean of edge 0 falls from $1/3$ to $-1/3$, and the next thread turns elsewhere.

# %% stub apply_virtual_loss
"""実行中のシミュレーションを負けと数え、同時に走るほかのものを別の道に向かわせる。

Args:
    N: 訪問数、(E,)。
    W: 枝を選ぶ側にとっての値の合計、(E,)。
    path: 根から下への、互いに異なる枝の番号、(L,)。
    n_vl: 何回分を負けと数えるか。

Returns:
    N: 道の上で n_vl 増えた訪問数、(E,)。
    W: 道の上で、どちらの手番でも n_vl 減った合計、(E,)。
"""

# %%
apply_virtual_loss(N, W, np.array([0, 2]), 3)
# (array([6, 2, 3]), array([-2. , -0.5, -3. ]))

# %% graded apply_virtual_loss

# %% [markdown] lang="ja"
# ## バックアップ
#
# 葉に着いたら、ネットワークがその局面の価値 $v$ を答えます。終局まで打つことは**ありません**。$v$ は**葉で打つ側**から見た値です。葉に入る枝を選んだのは、その**相手**です。だから最後の枝には $-v$、その前には $+v$、と一手ごとに符号が変わります。
#
# $$N \leftarrow N + 1 - n_\text{vl}, \qquad W \leftarrow W + n_\text{vl} \mp v$$
#
# $n_\text{vl}$ は、このシミュレーションが残した仮の負けです。ここで取り消します(入れていなければ 0)。
#
# **例**。道 `[0, 2]`、$v = 0.25$。枝 2 の $W$ は $-0.25$、枝 0 の $W$ は $+0.25$ 変わります。$N = (3, 2, 0)$ は $(4, 2, 1)$ になります。
#
# > **よくある間違い** 符号は**葉から**数えます。根から数えると、道の長さが偶数のときだけ逆になり、気づきにくい誤りになります。「葉の親の平均は $v$ の平均」でもありません。符号が一度変わります。

# %% [markdown] lang="en"
# ## Backup
#
# At the leaf the network says the value $v$ of the position; **no** game is played to its end. $v$ is the view of **the player to move at the leaf**. The edge into the leaf was chosen by the **other** player: so the last edge gets $-v$, the one before $+v$, and so on.
#
# $$N \leftarrow N + 1 - n_\text{vl}, \qquad W \leftarrow W + n_\text{vl} \mp v$$
#
# $n_\text{vl}$ are the virtual losses that this simulation left behind: they are taken back here (0 if there were none).
#
# **Example.** Path `[0, 2]`, $v = 0.25$: $W$ of edge 2 changes by $-0.25$, $W$ of edge 0 by $+0.25$. $N = (3, 2, 0)$ becomes $(4, 2, 1)$.
#
# > **Common mistake** Signs count **from the leaf**. Counted from the root they are wrong for paths of even length only, which is easy to miss. Nor is the mean of the edge into the leaf the mean of $v$: the sign changes once.

# %% stub backup_value
"""葉の値を、そこに至ったすべての枝に書き込む。

Args:
    N: 訪問数、(E,)。
    W: 枝を選ぶ側にとっての値の合計、(E,)。
    path: 根から葉までの、互いに異なる枝の番号、(L,)。
    v: 葉で打つ側から見た、葉の値。
    n_vl: このシミュレーションが残した仮の負けの数。取り消される。

Returns:
    N: 道の上で 1 - n_vl 増えた訪問数、(E,)。
    W: 相手が選んだ最後の枝で -v、その前で +v、…。さらに、どの枝も n_vl 増える、(E,)。
"""

# %%
print(backup_value(N, W, np.array([0, 2]), 0.25))
# (array([4, 2, 1]), array([ 1.25, -0.5 , -0.25]))
held = apply_virtual_loss(N, W, np.array([0, 2]), 3)
print(backup_value(*held, np.array([0, 2]), 0.25, n_vl=3))
# (array([4, 2, 1]), array([ 1.25, -0.5 , -0.25]))

# %% graded backup_value

# %% [markdown] lang="ja"
# ## 根のノイズ
#
# ネットワークが確率 0 に近いとした手は、そのままでは決して試されません。自己対局では、**根だけ**、事前確率に**ディリクレノイズ**を混ぜます。
#
# $$P = (1 - \varepsilon)\, p + \varepsilon\, \eta, \qquad \eta \sim \text{Dir}(0.03), \quad \varepsilon = 0.25$$
#
# どちらも和が 1 なので、混ぜても和は 1 です。$\text{Dir}(0.03)$ は、少数の手に集中した確率を出します(0.03 は 361 点の囲碁用の値)。採点では、乱数 $\eta$ を引数で渡します。
#
# **例**。$p = (0.7, 0.2, 0.1)$、$\eta = (0, 0.9, 0.1)$ なら、$0.75p + 0.25\eta = (0.525, 0.375, 0.1)$。

# %% [markdown] lang="en"
# ## Noise at the root
#
# A move to which the network gives almost 0 would never be tried. In self-play **Dirichlet noise** is mixed into the priors, **at the root only**:
#
# $$P = (1 - \varepsilon)\, p + \varepsilon\, \eta, \qquad \eta \sim \text{Dir}(0.03), \quad \varepsilon = 0.25$$
#
# Both sum to 1, and so does the mixture. $\text{Dir}(0.03)$ puts most of its weight on a few moves (0.03 is for the 361 points of Go). Here $\eta$ is an argument.
#
# **Example.** $p = (0.7, 0.2, 0.1)$, $\eta = (0, 0.9, 0.1)$: $0.75p + 0.25\eta = (0.525, 0.375, 0.1)$.

# %% stub root_prior
"""根のどの手も試されうるように、ノイズを混ぜた事前確率。

Args:
    P: 根でのネットワークの事前確率、(K,)。
    noise: η。ディリクレ分布からの標本、(K,)。
    epsilon: ε。ノイズの割合、0 … 1。

Returns:
    (K,): (1 - ε) P + ε η。
"""

# %%
root_prior(np.array([0.7, 0.2, 0.1]), np.array([0.0, 0.9, 0.1]))
# array([0.525, 0.375, 0.1  ])

# %% graded root_prior

# %% [markdown] lang="ja"
# ## 探索の全体
#
# ゲームとネットワークを配列で与えます。`children[s, a]` は手 `a` の先の状態(手がなければ −1)、`priors[s]` はネットワークの $p$、`values[s]` は $s$ で**打つ側**から見た $v$ です。手のない状態の `values` は、ゲームの結果です。
#
# 1 回のシミュレーション:
#
# 1. **選択**: 根から、`puct_select` の枝を降りる。展開済みで、手のある状態が続く限り。
# 2. **評価と展開**: まだ展開していない状態に着いたら、そこで止まって展開する。手のない状態でも止まる。
# 3. **バックアップ**: 止まった状態の `values` を、通った枝に書き込む。
#
# 根は、はじめから展開されています。だから、根の手の訪問数の和はシミュレーションの回数に等しくなります。ノイズは根にだけ混ぜます。統計は(状態, 手)ごとにもち、二つの道で同じ状態に着けば共有します。シミュレーションは一つずつ行うので、仮想損失は使いません。
#
# ![2 回目のシミュレーション。降りるときは PUCT、登るときは符号を変えながら](simulation.svg)
#
# **例**(下のセルのゲーム、$c = 1.5$)。根 0 の手は列 0(状態 1 へ、$P = 0.6$)と列 2(状態 2 へ、$P = 0.4$)。
# 1. スコアはすべて 0 なので、列 0 へ。状態 1 は新しい。`values[1]` は $-0.3$、$W$ は $+0.3$。
# 2. 列 0 は $0.3 + 1.5 \cdot 0.6 \cdot 1/2 = 0.75$、列 2 は $1.5 \cdot 0.4 \cdot 1 = 0.6$。列 0 から状態 1、その列 0 から状態 3 へ。値は $-1$(図)。状態 1 の枝は $+1$、根の枝は $-1$ で $W = -0.7$。
# 3. 列 0 は $-0.35 + 1.5 \cdot 0.6 \cdot 1.414/3 = 0.074$、列 2 は $1.5 \cdot 0.4 \cdot 1.414 = 0.849$。列 2 から状態 2 へ。訪問数は $(2, 0, 1)$。
#
# 20 回では $(3, 0, 17)$ です。事前確率の高い列 0 が、相手の良い応手(状態 3)によって見破られました。
#
# > **よくある間違い** AlphaGo では、訪問数が閾値を超えた葉だけを展開しました。Zero では、**最初の訪問で**展開します。評価と展開は、ネットワークの 1 回の計算で同時に済みます。四つ目の段階は「打つ」です。

# %% [markdown] lang="en"
# ## The whole search
#
# Game and network are given as arrays: `children[s, a]` is the state behind move `a` (−1 where there is none), `priors[s]` the network's $p$, `values[s]` its $v$ for **the player to move** in $s$; at a state without moves `values` holds the result of the game.
#
# One simulation:
#
# 1. **Select**: from the root go down the edges of `puct_select`, as long as states are expanded and have moves.
# 2. **Evaluate and expand**: stop at a state not yet expanded, which is then expanded; stop at a state without moves, too.
# 3. **Back up**: enter the `values` of that state at the edges passed.
#
# The root is expanded beforehand, so the visits of its moves sum to the number of simulations. Noise goes to the root alone. Statistics belong to a pair of state and move: a state that two ways lead to shares them. One simulation runs at a time: no virtual loss.
#
# ![The second simulation: down by PUCT, up with changing signs](simulation.svg)
#
# **Example** (the game of the cell below, $c = 1.5$). The root 0 has column 0 (to state 1, $P = 0.6$) and column 2 (to state 2, $P = 0.4$).
# 1. All scores are 0: column 0. State 1 is new, `values[1]` is $-0.3$, so $W$ is $+0.3$.
# 2. Column 0 scores $0.3 + 1.5 \cdot 0.6 \cdot 1/2 = 0.75$, column 2 $1.5 \cdot 0.4 \cdot 1 = 0.6$. Column 0 to state 1, there column 0 to state 3, worth $-1$ (figure). The edge of state 1 gets $+1$, the root's $-1$: $W = -0.7$.
# 3. Column 0 scores $-0.35 + 1.5 \cdot 0.6 \cdot 1.414/3 = 0.074$, column 2 $1.5 \cdot 0.4 \cdot 1.414 = 0.849$. Column 2 to state 2. The visits are $(2, 0, 1)$.
#
# After 20 simulations they are $(3, 0, 17)$: the opponent's good reply, state 3, has refuted column 0 with its larger prior.
#
# > **Common mistake** AlphaGo expanded a leaf only when its visits exceeded a threshold. Zero expands it **at its first visit**: one call of the network evaluates and expands at once. The fourth step is to play.

# %% stub puct_search
"""探索の全体。新しい状態まで選択で降り、そこでネットワークに尋ね、その値をバックアップする。

根は、はじめから展開されている。統計は状態と手の組ごとにもち、二つの道で着く状態はそれを共有する。

Args:
    children: それぞれの手の先の状態、(S, K)。手がないところは -1。二人は交互に打ち、同じ状態には戻らない。
    priors: ネットワークの事前確率、(S, K)。手のある状態の行は和が 1 で、手のないところは 0。
    values: 手番の側から見た値、(S,)。ネットワークの値で、手のない状態ではゲームの結果。
    root: 探索を始める状態。
    simulations: 評価する葉の数。1 以上。
    c_puct: PUCT のボーナスの重み。
    noise: 根の事前確率に混ぜる η、(K,)。None なら混ぜない。
    epsilon: ε。ノイズの割合、0 … 1。

Returns:
    (K,): 根の手の訪問数。和は `simulations`。
"""

# %%
children = np.array([[1, -1, 2], [3, 4, -1], [-1, -1, 5], [-1] * 3, [-1] * 3, [-1] * 3])
priors = np.array([[0.6, 0, 0.4], [0.5, 0.5, 0], [0, 0, 1.0], [0] * 3, [0] * 3, [0] * 3])
values = np.array([0.1, -0.3, 0.2, -1.0, 0.4, 0.5])
print(puct_search(children, priors, values, 0, 3, 1.5))  # [2 0 1]
print(puct_search(children, priors, values, 0, 20, 1.5))  # [ 3  0 17]
eta = np.array([0.1, 0.0, 0.9])
print(puct_search(children, priors, values, 0, 20, 1.5, eta, 0.5))  # [ 2  0 18]

# %% graded puct_search

# %% [markdown] lang="ja"
# ## 訪問数から着手の確率へ
#
# 探索の答えは、値ではなく**訪問数**です。**温度** $\tau$ で尖らせ方を変えて、確率にします。
#
# $$\pi(a) = \frac{N(a)^{1/\tau}}{\sum_b N(b)^{1/\tau}}$$
#
# $\tau = 1$ なら訪問数に比例し、$\tau \to 0$ では最も多く訪問した手だけになります。`tau = 0` は、その極限とします(同数なら番号の小さい手)。訪問のない手は、いつも 0 です。
#
# ![訪問数 (10, 30, 0, 60) を三つの温度で確率にする](temperature.svg)
#
# **例**。$N = (10, 30, 0, 60)$。$\tau = 1$ なら $(0.1, 0.3, 0, 0.6)$。$\tau = 0.5$ なら 2 乗して $(100, 900, 0, 3600)$、和は 4600 なので $(0.022, 0.196, 0, 0.783)$。
#
# 小さな $\tau$ では $N^{1/\tau}$ があふれます($10000^{100}$)。先に最大の $N$ で割るか、対数で計算してください。
#
# > **よくある間違い** 「最初の 30 手はランダムに打つ」のではありません。探索してから、$\tau = 1$ の $\pi$ に従って**確率的に**打ちます。31 手目からは $\tau \to 0$ です。序盤の多様さは、この抽選と根のノイズから生まれます。

# %% [markdown] lang="en"
# ## From visits to probabilities
#
# What a search answers is not a value but its **visits**. The **temperature** $\tau$ says how sharply they become probabilities:
#
# $$\pi(a) = \frac{N(a)^{1/\tau}}{\sum_b N(b)^{1/\tau}}$$
#
# At $\tau = 1$ they are proportional to the visits, as $\tau \to 0$ only the most visited move remains. `tau = 0` means that limit (of equals, the first). A move without visits always has 0.
#
# ![Visits (10, 30, 0, 60) as probabilities at three temperatures](temperature.svg)
#
# **Example.** $N = (10, 30, 0, 60)$: $(0.1, 0.3, 0, 0.6)$ at $\tau = 1$. At $\tau = 0.5$ the squares $(100, 900, 0, 3600)$ sum to 4600: $(0.022, 0.196, 0, 0.783)$.
#
# For small $\tau$ the power $N^{1/\tau}$ overflows ($10000^{100}$): divide by the largest $N$ first, or compute with logarithms.
#
# > **Common mistake** The first 30 moves are not random. They are **drawn from** $\pi$ with $\tau = 1$, after a search; from move 31 on $\tau \to 0$. This draw and the noise at the root make the openings differ.

# %% stub search_policy
"""探索後の手の確率。これに従って打ち、ネットワークはこれを学習する。

Args:
    N: 根の手の訪問数、(K,)。すべてが 0 ではない。
    tau: 温度 τ ≥ 0。

Returns:
    (K,): N^(1/τ) をその和で割ったもの。訪問のない手は 0。τ = 0 ではその極限で、訪問数が最大の最初の手が 1。
"""

# %%
visits = np.array([10, 30, 0, 60])
print(search_policy(visits, 1.0))  # [0.1 0.3 0.  0.6]
print(search_policy(visits, 0.5))  # [0.02173913 0.19565217 0.         0.7826087 ]
print(search_policy(visits, 0))  # [0. 0. 0. 1.]

# %% graded search_policy

# %% [markdown] lang="ja"
# ## 入力の 17 面
#
# AlphaGo Zero に見えるのは、石の配置だけです。手作りの特徴はありません。
#
# | 面 | 内容 |
# |---|---|
# | 0, 1 | 今の局面の、手番側の石と相手の石 |
# | 2, 3 | 1 手前の局面の、手番側の石と相手の石 |
# | … | … |
# | 14, 15 | 7 手前の局面の、手番側の石と相手の石 |
# | 16 | 黒番ならすべて 1、白番ならすべて 0 |
#
# 「手番側」は**今の**手番の側です。古い局面の面でも変わりません。対局が始まる前の局面は 0 です。過去の局面が要るのは、コウのように、今の石だけでは決まらない規則があるからです。手番の色は、コミのために要ります。
#
# **例**。2×2 の盤で、はじめに黒が右上に、次に白が左下に打ち、今は黒番。面 0 は右上だけ、面 1 は左下だけ、面 2(1 手前の黒)は右上だけが 1 で、面 3 から 15 は 0、面 16 はすべて 1 です。

# %% [markdown] lang="en"
# ## The 17 planes of the input
#
# All that AlphaGo Zero sees is where the stones are: no feature is made by hand.
#
# | planes | what |
# |---|---|
# | 0, 1 | own and the opponent's stones now |
# | 2, 3 | own and the opponent's stones one move ago |
# | … | … |
# | 14, 15 | own and the opponent's stones seven moves ago |
# | 16 | all 1 for black to play, all 0 for white |
#
# "Own" is the player to move **now**, in the planes of older positions too. Positions before the beginning are 0. Earlier positions are needed because rules such as ko cannot be read from the present stones alone; the colour is needed because of komi.
#
# **Example.** On a 2×2 board black played top right, then white bottom left, and black is to move. Plane 0 is 1 top right only, plane 1 bottom left only, plane 2 (black one move ago) top right only, planes 3 to 15 are 0, plane 16 is all 1.

# %% stub input_planes
"""ネットワークの入力: 今と 7 手前までの石、そして手番の色。

Args:
    history: 対局の局面、古い順、(T, H, W)。0 は空点、1 は黒、2 は白。
    black_to_play: 今、黒の手番か。

Returns:
    0 と 1 からなる 17 面。どれも (H, W)。今の手番側と相手の石、1 手前の手番側と相手の石、…、7 手前まで(対局が始まる前は 0)。
    最後は、黒番なら 1、白番なら 0 の面。「手番側」は、古い面でも今の手番の側。
"""

# %%
history = np.array([[[0, 1], [0, 0]], [[0, 1], [2, 0]]])
planes = input_planes(history, True)
print(planes.shape)  # (17, 2, 2)
print(planes[[0, 1, 2, 3, 16]].reshape(5, 4))
# [[0. 1. 0. 0.]
#  [0. 0. 1. 0.]
#  [0. 1. 0. 0.]
#  [0. 0. 0. 0.]
#  [1. 1. 1. 1.]]

# %% graded input_planes

# %% [markdown] lang="ja"
# ## 一つの損失
#
# 自己対局の一手ごとに、**局面 $s$、探索の確率 $\pi$、勝敗 $z$**(その局面の手番から見て ±1)を保存します。損失は
#
# $$l = (z - v)^2 - \pi^\top \log p + c\,\lVert\theta\rVert^2$$
#
# で、三つの項はそれぞれ、$v$ を勝敗に、$p$ を探索に近づけ、重みを小さく保ちます。論文では $c = 10^{-4}$ です。**前の二項はバッチ平均、$c\lVert\theta\rVert^2$ は一度だけ**足します。$\frac12$ は付きません。対数は自然対数です。
#
# 勾配は($N$ はバッチの大きさ)
#
# $$\frac{\partial l}{\partial \text{logits}} = \frac{p - \pi}{N}, \qquad \frac{\partial l}{\partial v} = \frac{2(v - z)}{N}, \qquad \frac{\partial l}{\partial \theta} = 2c\,\theta$$
#
# で、最後は正則化の分だけです(ヘッドから θ への逆伝播は別に足されます)。
#
# **例**。logits $(1, 0, -1)$ の $p = (0.665, 0.245, 0.090)$。$\pi = (0.5, 0.25, 0.25)$、$v = 0.2$、$z = 1$、$\theta = (1, -2)$、$c = 0.1$。
# - 価値: $(1 - 0.2)^2 = 0.64$
# - 方策: $0.5 \cdot 0.408 + 0.25 \cdot 1.408 + 0.25 \cdot 2.408 = 1.158$
# - 正則化: $0.1 \cdot (1 + 4) = 0.5$
# - 合計 $2.298$。勾配は $p - \pi = (0.165, -0.005, -0.160)$、$2(0.2 - 1) = -1.6$、$(0.2, -0.4)$。
#
# $p = \pi$ でも方策の項は 0 になりません。$\pi$ のエントロピーが残ります。
#
# > **よくある間違い** 損失は二乗誤差と交差エントロピーだけではありません。第三の項 $c\lVert\theta\rVert^2$ があります。また、$\pi$ が教師、$p$ が予測です。log をとるのは $p$ の方です。

# %% [markdown] lang="en"
# ## One loss
#
# For every move of self-play, **the position $s$, the search's probabilities $\pi$ and the result $z$** (±1 for the player to move there) are kept. The loss is
#
# $$l = (z - v)^2 - \pi^\top \log p + c\,\lVert\theta\rVert^2$$
#
# Its terms pull $v$ to the result and $p$ to the search, and keep the weights small; in the paper $c = 10^{-4}$. **The first two are means over the batch, $c\lVert\theta\rVert^2$ is added once.** There is no $\frac12$; logarithms are natural.
#
# The gradients are ($N$ is the size of the batch)
#
# $$\frac{\partial l}{\partial \text{logits}} = \frac{p - \pi}{N}, \qquad \frac{\partial l}{\partial v} = \frac{2(v - z)}{N}, \qquad \frac{\partial l}{\partial \theta} = 2c\,\theta$$
#
# the last being the regularisation's part alone (what comes back through the heads is added to it elsewhere).
#
# **Example.** Logits $(1, 0, -1)$ give $p = (0.665, 0.245, 0.090)$. With $\pi = (0.5, 0.25, 0.25)$, $v = 0.2$, $z = 1$, $\theta = (1, -2)$, $c = 0.1$:
# - value: $(1 - 0.2)^2 = 0.64$
# - policy: $0.5 \cdot 0.408 + 0.25 \cdot 1.408 + 0.25 \cdot 2.408 = 1.158$
# - regularisation: $0.1 \cdot (1 + 4) = 0.5$
# - in all $2.298$. Gradients: $p - \pi = (0.165, -0.005, -0.160)$, $2(0.2 - 1) = -1.6$, $(0.2, -0.4)$.
#
# Even for $p = \pi$ the policy term is not 0: the entropy of $\pi$ remains.
#
# > **Common mistake** Squared error and cross-entropy are not all: there is a third term, $c\lVert\theta\rVert^2$. And $\pi$ is the target, $p$ the prediction: the logarithm is taken of $p$.

# %% [markdown] lang="ja"
# 次の関数は、使ってかまいません。

# %% [markdown] lang="en"
# You may use the next function.

# %% given log_softmax
"""確率の対数。確率そのものが 0 に丸められるところでも有限。"""

# %% stub zero_loss
"""二つのヘッドをもつネットワークの損失(バッチの平均)と、その勾配。

Args:
    logits: 手のスコア、(N, K)。p はその softmax。
    v: 値、(N,)。
    pi: π。探索の確率、(N, K)。
    z: その局面の手番から見た対局の結果、(N,)。どれも -1、0、1 のいずれか。
    weights: θ。ネットワークのすべての重み、(M,)。
    l2: c。‖θ‖² の重み。

Returns:
    loss: (z - v)² - Σ_a π_a log p_a の平均に、c Σ θ² を一度だけ足したもの。
    dlogits: (p - π) / N、(N, K)。
    dv: 2 (v - z) / N、(N,)。
    dweights: 2 c θ、(M,)。
"""

# %%
logits, pi = np.array([[1.0, 0.0, -1.0]]), np.array([[0.5, 0.25, 0.25]])
zero_loss(logits, np.array([0.2]), pi, np.array([1.0]), np.array([1.0, -2.0]), 0.1)
# (2.2976059644443807,
#  array([[ 0.16524096, -0.00527153, -0.15996943]]),
#  array([-1.6]),
#  array([ 0.2, -0.4]))

# %% graded zero_loss

# %% [markdown] lang="ja"
# ## 動かしてみる: 何も知らないところから
#
# 部品がそろったので、自己対局の輪を回せます。ゲームは、石を 1 個か 2 個取り、最後の石を取った方が勝つもの。状態は残りの石の数で、3 の倍数で手番が回ってきたら、相手が間違えない限り負けです。「ネットワーク」は、状態ごとの logits と $v$ の表です。はじめはすべて 0 で、何も知りません。
#
# 結果の表を見てください。$v$ は 3 と 6 で負になり、$p$ は 4 では 1 個、5 では 2 個取る手に寄っていきます。だれも教えていません。

# %% [markdown] lang="en"
# ## Let it run: from nothing
#
# All parts are there, and the loop of self-play can turn. In this game one or two stones are taken, and whoever takes the last one wins. A state is the number of stones left; whoever must move with a multiple of 3 has lost, if the other plays well. The "network" is a table of logits and $v$ for each state, all 0: it knows nothing.
#
# Look at the table that comes out: $v$ has become negative at 3 and 6, and $p$ has moved to taking one stone of 4 and two of 5. Nobody taught it.

# %%
rng = np.random.default_rng(5)
nim = np.array([[-1, -1], [0, -1]] + [[s - 1, s - 2] for s in range(2, 9)])
table, worth = np.zeros((9, 2)), np.zeros(9)
worth[0] = -1.0
for game in range(60):
    p = np.where(nim >= 0, np.exp(table), 0.0)
    p = p / np.maximum(p.sum(axis=1, keepdims=True), 1e-12)
    s, states, targets = 8, [], []
    while s > 0:
        eta = rng.dirichlet([1.0, 1.0]) if s > 1 else np.array([1.0, 0.0])
        targets.append(search_policy(puct_search(nim, p, worth, s, 24, 1.5, eta), 1.0))
        states.append(s)
        s = int(nim[s, rng.choice(2, p=targets[-1])])
    results = (-1.0) ** np.arange(len(states) - 1, -1, -1)
    batch = table[states], worth[states], np.array(targets), results, np.zeros(1)
    step = zero_loss(*batch)
    table[states] -= 0.5 * len(states) * step[1]
    worth[states] -= 0.1 * len(states) * step[2]
print(np.round(np.c_[np.arange(9), p, worth], 2))

# %% [markdown] lang="ja"
# ## autograd で書く
#
# 本物のネットワークでは、θ は数千万個あり、損失から先の逆伝播は autograd に任せます。書くのは損失だけです。
#
# - **$\pi$ と $z$ は定数**です。$\pi$ は探索の結果で、探索はこのネットワークの $p$ と $v$ から作られています。テンソルのままつながっていると、損失は $p$ を $\pi$ に近づける代わりに、$\pi$ を $p$ に近づけてしまいます。`detach()` で切り、`pi` と `z` には勾配が流れないようにします。
# - $v$ は切りません。価値ヘッドの学習信号です。
# - $\log p$ は `log_softmax` で、**手の軸**に沿って計算します。手については**和**、バッチについては**平均**です。
# - 結果のデバイスと dtype は引数のものに合わせます。`.item()` や `.numpy()` は計算グラフを切ります。
#
# **例**。上の値なら、`backward()` の後の `logits.grad`、`v.grad`、`weights.grad` は、`zero_loss` の三つの勾配そのものです。

# %% [markdown] lang="en"
# ## With autograd
#
# A real network has tens of millions of weights, and from the loss on autograd does the work. Only the loss is written.
#
# - **$\pi$ and $z$ are constants.** $\pi$ is what a search made of this network's own $p$ and $v$. Left in the graph, the loss would pull $\pi$ to $p$ instead of $p$ to $\pi$. Cut them off with `detach()`: `pi` and `z` receive no gradient.
# - $v$ stays in the graph: it is what the value head learns from.
# - $\log p$ comes from `log_softmax` along the axis of the **moves**: a **sum** over moves, a **mean** over the batch.
# - The result has the device and the dtype of the arguments. `.item()` and `.numpy()` cut the graph.
#
# **Example.** With the numbers above, `logits.grad`, `v.grad` and `weights.grad` after `backward()` are the three gradients of `zero_loss`.

# %%
import torch

# %% stub zero_loss_torch
"""二つのヘッドをもつネットワークの損失。バッチの平均。

Args:
    logits: 手のスコア、(N, K)。p はその softmax。
    v: 値、(N,)。
    pi: π。探索の確率。定数、(N, K)。
    z: その局面の手番から見た対局の結果。定数、(N,)。
    weights: θ。ネットワークのすべての重み、(M,)。
    l2: c。‖θ‖² の重み。

Returns:
    軸のないテンソル。(z - v)² - Σ_a π_a log p_a の平均に、c Σ θ² を一度だけ足したもの。pi と z には勾配が流れない。
"""

# %%
logits_t = torch.tensor(logits, requires_grad=True)
v_t = torch.tensor([0.2], dtype=torch.float64, requires_grad=True)
pi_t = torch.tensor(pi, requires_grad=True)
z_t, theta = torch.tensor([1.0]).double(), torch.tensor([1.0, -2.0]).double()
loss = zero_loss_torch(logits_t, v_t, pi_t, z_t, theta, 0.1)
loss.backward()
print(round(loss.item(), 4), v_t.grad.item(), pi_t.grad)  # 2.2976 -1.6 None
print(logits_t.grad)  # tensor([[ 0.1652, -0.0053, -0.1600]], dtype=torch.float64)

# %% graded zero_loss_torch

# %% [markdown] lang="ja"
# ## 学習の三つのステップ
#
# 1. **自己対局**: 最良のネットワークで 25,000 局。1 手に 1,600 回のシミュレーション。
# 2. **学習**: 直近の 500,000 局から無作為に選んだ局面で、モーメンタム 0.9 の SGD。バッチは 2,048(64 × 32)。
# 3. **評価と更新**: 1,000 ステップごとに、新しいネットワークが最良のものと 400 局を打つ($\tau \to 0$)。
#
# > **よくある間違い** 「勝率が少しでも高ければ更新する」のではありません。勝率が **55 % を超えた**ときだけ更新します。400 局なら 221 勝からです。偶然だけで選ばないためです。なお、次の AlphaZero(2018)には、この関門はありません。
#
# ## 試験で問われること
#
# - **AlphaGo との違い五つ**: 教師あり学習をしない、石の配置だけを入力とする、方策と価値の統合、残差ネットワーク、ロールアウトの廃止。木探索は残る。
# - **数字**: 入力 19×19×17、出力 362 = 361 + パス、3×3・256 フィルタの残差ブロックが 19 個(39 層)または 39 個(79 層)。方策ヘッドは 1×1 の 2 フィルタ、価値ヘッドは 1 フィルタで、最後は tanh。
# - **探索の段階**: 選択 → 評価と展開(ネットワーク 1 回)→ バックアップ。葉は最初の訪問で展開する。
# - **PUCT**: $Q + c_\text{puct} P \sqrt{\sum N} / (1 + N)$。$P$ は掛ける、根号は $\sum N$ だけ、$Q$ を忘れない。
# - **バックアップ**: 葉で打つ側の $v$ を、最後の枝から $-v, +v, -v, \dots$ と足す。$Q = W/N$。
# - **着手**: $\pi \propto N^{1/\tau}$。最初の 30 手は $\tau = 1$、その後は $\tau \to 0$。根に $0.75p + 0.25\eta$ のノイズ。
# - **損失**: $(z - v)^2 - \pi^\top \log p + c\lVert\theta\rVert^2$、$c = 10^{-4}$。教師データは(局面, 探索の確率, 勝敗)。
# - **更新**: 自己対局 → 学習 → 評価。400 局で 55 % を超えたら更新。

# %% [markdown] lang="en"
# ## The three steps of training
#
# 1. **Self-play**: 25,000 games with the best network, 1,600 simulations a move.
# 2. **Training**: on positions drawn from the last 500,000 games, SGD with momentum 0.9, batches of 2,048 (64 × 32).
# 3. **Evaluation and update**: every 1,000 steps the new network plays 400 games against the best one ($\tau \to 0$).
#
# > **Common mistake** The new network does not replace the best as soon as it wins a little more: only if it wins **more than 55 %**, 221 games of 400, so as not to select on noise alone. The later AlphaZero (2018) has no such gate.
#
# ## What the exam asks
#
# - **Five differences from AlphaGo**: no supervised learning, stones alone as the input, policy and value in one network, a residual network, no rollouts. The tree search remains.
# - **Numbers**: input 19×19×17, output 362 = 361 + pass, 19 residual blocks (39 layers) or 39 (79 layers) of 3×3 convolutions with 256 filters. The policy head has 1×1 convolutions with 2 filters, the value head with 1, and tanh at its end.
# - **Steps of the search**: select → evaluate and expand (one call of the network) → back up. A leaf is expanded at its first visit.
# - **PUCT**: $Q + c_\text{puct} P \sqrt{\sum N} / (1 + N)$. $P$ multiplies, the root covers $\sum N$ only, and $Q$ is there.
# - **Backup**: $v$ of the player to move at the leaf is added from the last edge on as $-v, +v, -v, \dots$; $Q = W/N$.
# - **Play**: $\pi \propto N^{1/\tau}$, $\tau = 1$ for the first 30 moves, then $\tau \to 0$; noise $0.75p + 0.25\eta$ at the root.
# - **Loss**: $(z - v)^2 - \pi^\top \log p + c\lVert\theta\rVert^2$, $c = 10^{-4}$. Data: (position, search probabilities, result).
# - **Update**: self-play → training → evaluation; more than 55 % of 400 games.
