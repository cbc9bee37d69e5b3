# %% [markdown] lang="ja"
# # モンテカルロ木探索
#
# 局面の良し悪しを測る関数がなくても、ゲームは探索できます。その局面から**でたらめに最後まで指してみる**(プレイアウト)のです。1 回の結果は当てになりませんが、何度も繰り返せば勝率が分かります。
# **モンテカルロ木探索(MCTS)** は、その結果を育っていく木に記録し、次にどの手を試すかを**信頼区間の上限(UCB1)**で決めます。
#
# ![選択・展開・プレイアウト・バックアップの四つの段階](steps.svg)
#
# 1. **選択**: 木の中では、UCB1 が最大の手を選んで降りる。
# 2. **展開**: まだ試していない手があれば、その先の局面を一つだけ木に加える。
# 3. **評価**: そこから終局まで、でたらめに指す。
# 4. **バックアップ**: 結果を、通ってきた局面すべてに書き込む。
#
# ゲームは配列で与えます。状態は 0 … S−1 の番号です。
#
# | 配列 | 形 | 意味 |
# |---|---|---|
# | `children` | (S, K) | 手の先の状態。左詰めで、手がないところは −1 |
# | `value` | (S,) | 終局での結果。**先手(プレイヤー 0)にとって**の値 |
# | `player` | (S,) | 手番(0 または 1) |
# | `N`, `W` | (S,) または (K,) | 訪問数と、得の合計 |
#
# 引数はいつも `N`、`W` の順です。`W` は、その状態へ**指した側**の得を足したものです。だから、手を選ぶ側はいつでも最大のものを選べばよいのです。
#
# 入力の配列を書き換えないでください。実数は float64 で計算します(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Monte Carlo tree search
#
# A game can be searched without any function that judges a position: just play **at random to the end** (a playout). One result says little, but many give the chance to win.
# **Monte Carlo tree search (MCTS)** keeps the results in a growing tree and decides by an **upper confidence bound (UCB1)** which move to try next.
#
# ![The four steps: selection, expansion, playout, backup](steps.svg)
#
# 1. **Selection**: inside the tree, go down the moves with the largest UCB1.
# 2. **Expansion**: where a move has not been tried, add the one state it leads to.
# 3. **Evaluation**: play from there at random to the end.
# 4. **Backup**: enter the result at every state that was passed.
#
# Games are given as arrays; states are numbered 0 … S−1.
#
# | array | shape | meaning |
# |---|---|---|
# | `children` | (S, K) | states that the moves lead to, left-justified, −1 where there is no move |
# | `value` | (S,) | result at the end, **for player 0** |
# | `player` | (S,) | who is to move, 0 or 1 |
# | `N`, `W` | (S,) or (K,) | visits, and sums of gains |
#
# `N` always comes before `W`. The `W` of a state sums the gains of **the player who moved into it**: so whoever chooses a move simply takes the largest.
#
# Leave the arrays that you are given unchanged. Reals are float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## UCB1: 試すか、使うか
#
# 平均 $W/N$ が高い手を「使い」たい一方で、あまり試していない手も「試し」たい。そこで、平均に**不確かさの分**を上乗せします。
#
# $$\text{UCB1} = \frac{W}{N} + c\,\sqrt{\frac{\ln N_\text{parent}}{N}}$$
#
# 平均の不確かさは $1/\sqrt N$ で縮みます。$N_\text{parent}$ は、手を選んでいる状態そのものの訪問数です。$N = 0$ の手は、何も分からないので $\infty$ です。どの手もまず 1 回は試されます。
#
# **例**。$N_\text{parent} = 7$、$c = \sqrt2$。5 回試して合計 3 の手は $0.6 + \sqrt2\sqrt{1.946/5} \approx 1.482$、2 回試して合計 1 の手は $0.5 + \sqrt2\sqrt{1.946/2} \approx 1.895$。平均は低くても、次に試すのは後者です。
#
# $c$ は報酬の尺度に合わせます。報酬が 0 と 1 なら $c = \sqrt2$ が標準で、−1 と +1 なら同じふるまいをさせるのに倍の $2\sqrt2$ が要ります。
#
# > **よくある間違い** 「十分に試した手は計算を打ち切って、その下でやり直す」わけではありません。その手の先の局面が木に加わり、後の結果もずっと積み重なります。

# %% [markdown] lang="en"
# ## UCB1: to try or to use
#
# We want to use moves with a high mean $W/N$, and to try moves about which we know little. So add to the mean what it may be **uncertain** by.
#
# $$\text{UCB1} = \frac{W}{N} + c\,\sqrt{\frac{\ln N_\text{parent}}{N}}$$
#
# The uncertainty of a mean shrinks like $1/\sqrt N$. $N_\text{parent}$ counts the visits of the state that chooses. A move with $N = 0$ scores $\infty$, as nothing is known: every move is tried once.
#
# **Example.** $N_\text{parent} = 7$, $c = \sqrt2$. A move tried 5 times with the sum 3 scores $0.6 + \sqrt2\sqrt{1.946/5} \approx 1.482$, one tried twice with the sum 1 scores $0.5 + \sqrt2\sqrt{1.946/2} \approx 1.895$. Its mean is lower, and it is tried next.
#
# $c$ goes with the scale of the rewards: $\sqrt2$ is usual for 0 and 1, and rewards of −1 and +1 need twice as much for the same behaviour.
#
# > **Common mistake** A move that was tried often enough is not "stopped and started again below". The states behind it join the tree, and every later result goes on to be added.

# %% stub ucb1
"""ある状態の手それぞれの、信頼区間の上限。

Args:
    N: 手の訪問数、(K,)。
    W: 手を選ぶ側にとっての得の合計、(K,)。
    N_parent: その状態自身の訪問数。1 以上。
    c: ボーナスの重み。報酬の尺度で測る。

Returns:
    (K,): W/N + c √(ln N_parent / N)。一度も試していない手は ∞。
"""

# %%
ucb1(np.array([5, 2, 0]), np.array([3.0, 1.0, 0.0]), 7, 2**0.5)
# array([1.48224943, 1.89495883, inf])

# %% graded ucb1

# %% [markdown] lang="ja"
# ## プレイアウト
#
# でたらめに指すといっても、採点では答えが一つに決まるように、乱数 `u` を渡します。**1 手に 1 個ずつ**、先頭から使います(手が一つしかない局面でも 1 個使います)。手が $k$ 個あれば、$\lfloor u \cdot k \rfloor$ 番目の手へ進みます。
#
# **例**。根 0 の手は 1 と 2、状態 1 の手は 3, 4, 5。`u = [0.2, 0.7]` なら、まず $\lfloor 0.4 \rfloor = 0$ 番目で 1 へ、次に $\lfloor 2.1 \rfloor = 2$ 番目で 5 へ。5 は終局なので、結果は `value[5]`、道は `[0, 1, 5]` です。
#
# 返す道は、始めの状態を含みます。終局から始めれば、道はその状態だけです。

# %% [markdown] lang="en"
# ## Playout
#
# Random as it is, its answer must be determined: the draws `u` are passed in. **One a move**, from the first on (a forced move uses one too). Of $k$ moves, take number $\lfloor u \cdot k \rfloor$.
#
# **Example.** The root 0 has the moves 1 and 2, state 1 has 3, 4 and 5. With `u = [0.2, 0.7]`: number $\lfloor 0.4 \rfloor = 0$ leads to 1, number $\lfloor 2.1 \rfloor = 2$ to 5, an end. The result is `value[5]`, the path `[0, 1, 5]`.
#
# The path includes the state where it starts; from an end it is that state alone.

# %% stub playout
"""終局までのでたらめなゲーム。

Args:
    children: それぞれの状態の手の先、(S, K)。手がないところは -1。
    value: 先手(プレイヤー 0)にとっての結果、(S,)。終局の状態でだけ読む。
    state: ゲームを始める状態。
    u: [0, 1) の一様乱数、(D,)。1 手に一つ。終局に届くだけの数がある。

Returns:
    result: 先手にとっての結果。
    path: 通った状態、(L,)。最初は `state`。k 個の手のうち ⌊u·k⌋ 番目へ進む。
"""

# %%
children = np.array([[1, 2, -1], [3, 4, 5], [-1] * 3, [-1] * 3, [-1] * 3, [-1] * 3])
playout(children, np.array([0, 0, 0.5, 1, -1, 0.0]), 0, np.array([0.2, 0.7]))
# (0.0, array([0, 1, 5]))

# %% graded playout

# %% [markdown] lang="ja"
# ## バックアップ: 符号に注意
#
# 二人零和ゲームでは、一方の得は他方の損です。結果 $r$ は先手にとっての値なので、状態へ**指したのが先手なら $+r$、後手なら $-r$** を `W` に加えます。訪問数は、道の上のどの状態も 1 増えます。
#
# 指したのは、道の上で一つ前の状態の手番です。根には前がないので、根の手番の**相手**が指したとみなします。手番が交互とは限りません。
#
# **例**。道 `[0, 1, 2]`、手番 `[0, 1, 0]`、$r = 0.5$。根 0 へ指したのは相手の 1 なので $-0.5$、状態 1 へ指したのは根の手番 0 なので $+0.5$、状態 2 へ指したのは 1 なので $-0.5$ です。

# %% [markdown] lang="en"
# ## Backup: mind the sign
#
# In a zero-sum game for two, one's gain is the other's loss. The result $r$ is player 0's, so `W` gains **$+r$ where player 0 moved into the state, and $-r$ where player 1 did**. Every state on the path gets one visit.
#
# Who moved into a state is the player of the state before it on the path. The root has none before it: its player's **opponent** counts as having moved. Players need not alternate.
#
# **Example.** Path `[0, 1, 2]`, players `[0, 1, 0]`, $r = 0.5$. Into the root 0 the opponent, 1, "moved": $-0.5$. Into state 1 the root's player 0 moved: $+0.5$. Into state 2, 1 moved: $-0.5$.

# %% stub backup_rollout
"""1 回のゲームの結果を、通ったすべての状態に書き込む。

Args:
    N: 訪問数、(S,)。
    W: その状態へ指した側の得の合計、(S,)。
    path: 根から新しい状態までの状態、(L,)。
    player: 手番、(S,)。
    reward: 先手にとっての結果。

Returns:
    N: 道の上で 1 ずつ増えた訪問数、(S,)。
    W: 先手が指した状態は + reward、後手が指した状態は - reward、(S,)。根へは、その手番の相手が「指した」とみなす。
"""

# %%
backup_rollout(
    np.array([2, 1, 0]), np.array([0.0, 1.0, 0.0]), np.array([0, 1, 2]), np.array([0, 1, 0]), 0.5
)
# (array([3, 2, 1]), array([-0.5, 1.5, -0.5]))

# %% graded backup_rollout

# %% [markdown] lang="ja"
# ## 探索の全体(UCT)
#
# すべての状態の選択に UCB1 を使う MCTS を **UCT** といいます。1 回のシミュレーションは次のとおりです。
#
# - 根から始め、**すべての手を試した**状態では UCB1 が最大の手へ進む(同点なら左の手)。
# - 試していない手がある状態に来たら、**最も左の**ものを一つ加えて、そこで止まる。終局に来ても止まる。
# - 止まった状態からプレイアウトする。乱数は `u` の第 $i$ 行を**先頭から**使う。プレイアウトで通った状態は木に加えない。
# - 根から止まった状態までにバックアップする。終局に何度来ても、そのたびに書き込む。
#
# 作った三つの関数を組み合わせましょう。根の訪問数はシミュレーションの回数に等しくなり、ほかの内部の状態では「1 + 子の訪問数の和」になります。
#
# シミュレーションを無限に増やすと、根で選ぶ手は最善手に収束します(Kocsis & Szepesvári, 2006)。有限の回数で保証されるわけではありません。

# %% [markdown] lang="en"
# ## The whole search (UCT)
#
# MCTS with UCB1 at every state is called **UCT**. One simulation:
#
# - Start at the root. In a state **all of whose moves were tried**, go to the move with the largest UCB1 (of equals, the first).
# - In a state with untried moves, add the **first** of them and stop. Stop at an end, too.
# - Play out from where you stopped, with row $i$ of `u`, **from its first draw**. The states of the playout do not join the tree.
# - Back up from the root to where you stopped. An end that is met again is entered again.
#
# Put your three functions together. The root's visits equal the number of simulations; those of any other inner state are 1 + the sum over its children.
#
# As the simulations grow without bound, the move at the root converges to the best one (Kocsis & Szepesvári, 2006). Nothing is promised for a finite number.

# %% stub uct_search
"""UCT による探索の全体。1 回のシミュレーションで新しい状態を一つ加える。

Args:
    children: それぞれの状態の手の先、(S, K)。手がないところは -1。
    value: 先手にとっての結果、(S,)。終局の状態でだけ読む。
    player: 手番、(S,)。
    root: 探索を始める状態。
    simulations: ゲームを何回するか。1 以上。
    c: UCB1 のボーナスの重み。
    u: [0, 1) の乱数、(simulations, D)。第 i 行が i 回目のプレイアウトのもの。

Returns:
    N: 訪問数、(S,)。
    W: その状態へ指した側の得の合計、(S,)。
"""

# %%
tree = np.array([[1, 2], [3, 4], [5, 6], [-1, -1], [-1, -1], [-1, -1], [-1, -1]])
results, players = np.array([0, 0, 0, 1, -1, 0.2, 0.2]), np.array([0, 1, 1, 0, 0, 0, 0])
uct_search(tree, results, players, 0, 12, 0.7, np.tile([0.1, 0.9, 0.6, 0.4], (12, 1)))
# (array([12, 4, 8, 1, 2, 4, 3]), array([-1.6, 0., 1.6, -1., 2., -0.8, -0.6]))

# %% graded uct_search

# %% [markdown] lang="ja"
# ## 指す手
#
# 探索の後に指すのは、平均が最大の手ではなく、**訪問数が最大の手**(robust child)です。わずかな回数で決まった平均は当てにならないからです。UCB1 は良い手ほど多く訪れるので、訪問数そのものが評価になっています。

# %% [markdown] lang="en"
# ## The move to play
#
# After the search, play the move with the **most visits** (the robust child), not the one with the best mean: a mean from few visits is not to be trusted, and UCB1 visits good moves more, so the count itself is the judgement.

# %% stub most_visited_move
"""指す手(robust child)。

Args:
    N: 根の手の訪問数、(K,)。すべてが 0 ではない。
    W: その得の合計、(K,)。

Returns:
    N が最大の手の番号。同数なら最初のもの。平均 W/N は見ない。
"""

# %%
most_visited_move(np.array([4, 5, 5]), np.array([4.0, 1.0, 2.0]))
# 1

# %% graded most_visited_move

# %% [markdown] lang="ja"
# ## 比べてみる: ミニマックスと αβ 法
#
# 小さなゲームなら、最後まで読み切れます。先手は値を最大に、後手は最小にすると考えるのが**ミニマックス**です。**αβ 法**は、結果に影響しない枝を読みません。
#
# ![二つ目の手は、最初の応手を見ただけで悪いと分かる](pruning.svg)
#
# $\alpha$ は先手がすでに確保した値、$\beta$ は後手がすでに確保した値です。$\alpha \ge \beta$ になったら、その状態の残りの手は読みません。
#
# **例**(図)。一つ目の手の値は $\min(3, 5) = 3$。二つ目の手は、最初の応手が 2 なので、残りが何であれ 2 以下。9 は読まずに済み、値は 3、評価した葉は 3 枚です。
#
# 最善の順に調べられれば、分岐 $b$、深さ $d$ の木を $b^{\lceil d/2 \rceil} + b^{\lfloor d/2 \rfloor} - 1$ 枚の葉で読み切れます。

# %% [markdown] lang="en"
# ## Beside it: minimax and alpha–beta
#
# A small game can be read to its end. In **minimax** player 0 takes the largest value, player 1 the smallest. **Alpha–beta** leaves out branches that cannot matter.
#
# ![One reply shows that the second move is worse](pruning.svg)
#
# $\alpha$ is what player 0 has for certain, $\beta$ what player 1 has. As soon as $\alpha \ge \beta$, the remaining moves of the state are not looked at.
#
# **Example** (the figure). The first move is worth $\min(3, 5) = 3$. The second has a first reply of 2, so it is worth 2 at most, whatever else there is: 9 is not looked at. The value is 3, with 3 leaves evaluated.
#
# With the best move first everywhere, a tree of $b$ moves and depth $d$ takes $b^{\lceil d/2 \rceil} + b^{\lfloor d/2 \rfloor} - 1$ leaves.

# %% stub alphabeta
"""αβ 法によるミニマックス。

Args:
    children: それぞれの状態の手の先、(S, K)。手がないところは -1。この順に調べる。
    value: 先手にとっての結果、(S,)。終局の状態でだけ読む。
    player: 手番、(S,)。0 が最大にする側。
    state: 値を求める状態。
    alpha: 先手がすでに確保した値。
    beta: 後手がすでに確保した値。alpha ≥ beta になったら、残りを調べない。

Returns:
    best: 先手にとっての値。
    leaves: 評価した終局の数。
"""

# %%
alphabeta(tree, np.array([0, 0, 0, 3, 5, 2, 9.0]), players, 0)
# (3.0, 3)

# %% graded alphabeta

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - MCTS の四つの段階と順番: 選択、展開、評価(プレイアウト)、バックアップ。AlphaGo Zero では、展開と評価をネットワークが一度に行い、プレイアウトはしない。
# - UCB1 の式。$c \to 0$ では貪欲になり、最善手に二度と戻らないことがある。$c \to \infty$ では均等に試す。
# - まだ試していない手がある状態では、選択より先に展開する。
# - 二人零和ゲームでのバックアップの符号。
# - 指す手は訪問数で決める。その理由。
# - αβ 法は、ミニマックスと同じ値を、より少ない葉で求める。最善の順なら、およそ平方根の数で済む。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - The four steps and their order: selection, expansion, evaluation (playout), backup. In AlphaGo Zero a network expands and evaluates at once, without playouts.
# - The formula of UCB1. As $c \to 0$ it is greedy and may never return to the best move; as $c \to \infty$ it tries all evenly.
# - A state with untried moves expands before it selects.
# - The sign of a backup in a zero-sum game for two.
# - The move to play goes by visits, and why.
# - Alpha–beta finds the value of minimax with fewer leaves; with the best order, about the square root of their number.
