# %% [markdown] lang="ja"
# # マルコフ決定過程とプランニング
#
# 強化学習は、**エージェント**が**環境**と相互作用しながら、もらえる報酬を長い目で最大にすることを目指します。状態 $s_t$ を見て行動 $a_t$ を選ぶと、環境が報酬 $r_{t+1}$ と次の状態 $s_{t+1}$ を返します。
#
# ![エージェントが行動し、環境が報酬と次の状態を返す](loop.svg)
#
# 問題は**マルコフ決定過程(MDP)** で書きます。状態、行動、遷移確率 $P(s'|s,a)$、報酬 $R(s,a)$、割引率 $\gamma$ の五つです。方策 $\pi(a|s)$ と価値は、問題ではなく**答え**の側です。
# このトピックでは $P$ と $R$ が分かっている場合(**モデルベース**、プランニング)を扱い、最後に、分からない場合に残された手段(モンテカルロ法)を見ます。
#
# | 記号 | 形 | 意味 |
# |---|---|---|
# | `P` | (S, A, S) | `P[s, a, t]` は、状態 s で行動 a をとって状態 t へ移る確率 |
# | `R` | (S, A) | その行動の**後に**もらう報酬の期待値 |
# | `pi` | (S, A) | 方策。各行の和は 1 |
# | `terminal` | (S,) | 終端の状態なら True |
# | `gamma` | | 割引率 $\gamma$、0 以上 1 以下 |
#
# **終端の状態の価値は 0** です(`P`、`R`、`V` のその行に何が書いてあっても)。終端に入るときの報酬は、そこへ導いた行動のものです。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Markov decision processes and planning
#
# In reinforcement learning an **agent** interacts with an **environment** so as to collect as much reward as it can in the long run. It sees the state $s_t$, chooses an action $a_t$, and receives a reward $r_{t+1}$ and the next state $s_{t+1}$.
#
# ![The agent acts; the environment answers with a reward and the next state](loop.svg)
#
# The problem is a **Markov decision process (MDP)**: states, actions, transition probabilities $P(s'|s,a)$, rewards $R(s,a)$ and a discount $\gamma$. The policy $\pi(a|s)$ and the values belong not to the problem but to its **solution**.
# Here $P$ and $R$ are known (**model-based**, planning); at the end we see what is left when they are not: the Monte Carlo method.
#
# | letter | shape | meaning |
# |---|---|---|
# | `P` | (S, A, S) | `P[s, a, t]`: the probability of state t after action a in state s |
# | `R` | (S, A) | the expected reward that **follows** the action |
# | `pi` | (S, A) | the policy; each row sums to 1 |
# | `terminal` | (S,) | True for a state that is an end |
# | `gamma` | | the discount $\gamma$, from 0 to 1 |
#
# **A terminal state is worth 0**, whatever its rows of `P`, `R` and `V` hold. The reward for entering it belongs to the action that leads there.
#
# Leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## 行動の価値
#
# 報酬は、早くもらうほど価値があります。$t$ 歩後の報酬には $\gamma^t$ を掛け、その和の期待値を**価値**と呼びます。状態価値 $V(s)$ は、方策に従い続けたときの値です。
# 行動価値 $Q(s, a)$ は、**最初の行動だけ**を $a$ に決め、その後は方策に従ったときの値で、$V$ から一歩で求まります。
#
# $$Q(s, a) = R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V(s')$$
#
# ![行動は方策が選び、次の状態は偶然が選ぶ](backup.svg)
#
# **例**。$R = 1$、$\gamma = 0.5$、半々の確率で価値 2 と 4 の状態へ移るなら、$Q = 1 + 0.5 \times (0.5 \cdot 2 + 0.5 \cdot 4) = 2.5$ です。すぐの報酬 1 は割り引きません。
#
# > **よくある間違い** 価値は「次の報酬の予測」ではなく、割引報酬の**和**の期待値です。割り引いて足すのは報酬であって、価値ではありません。

# %% [markdown] lang="en"
# ## The value of an action
#
# The sooner a reward, the more it is worth: one that comes $t$ steps later is multiplied by $\gamma^t$, and the expected sum is called a **value**. The state value $V(s)$ is that of going on with the policy.
# The action value $Q(s, a)$ fixes **the first action alone** as $a$ and follows the policy afterwards; it is one step away from $V$:
#
# $$Q(s, a) = R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V(s')$$
#
# ![The policy chooses the action, chance the next state](backup.svg)
#
# **Example.** With $R = 1$, $\gamma = 0.5$ and even chances of states worth 2 and 4: $Q = 1 + 0.5 \times (0.5 \cdot 2 + 0.5 \cdot 4) = 2.5$. The reward 1 that comes at once is not discounted.
#
# > **Common mistake** A value is no "prediction of the next reward" but the expected discounted **sum** of all that follow. What is discounted and summed are rewards, not values.

# %% stub action_values
"""状態価値から行動価値を求める、一歩の期待値バックアップ。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    V: 状態価値、(S,)。終端の状態での値は無視する。
    gamma: 割引率、[0, 1]。
    terminal: 終端の状態、(S,)。

Returns:
    (S, A): 次の状態について R + γ Σ P V。終端の状態では 0。
"""

# %%
P = np.array([[[0.5, 0.5, 0], [0, 1, 0]], [[0, 0.75, 0.25], [0.25, 0, 0.75]], [[1.0, 0, 0], [0, 1, 0]]])
R = np.array([[1.0, 0], [-1, 4], [9, 9]])
end = np.array([False, False, True])
action_values(P, R, np.array([2.0, 4, 8]), 0.5, end)
# array([[2.5, 2.], [0.5, 4.25], [0., 0.]])

# %% graded action_values

# %% [markdown] lang="ja"
# ## 貪欲な方策
#
# 各状態で $Q$ が最大の行動をとるのが**貪欲**な方策です。理論上は同じ価値でも、計算した値が最後の桁まで一致するとは限りません。そこで、最大値から `tol` 以内の行動を「最善」とみなします。
#
# - `ties="first"`: 最善の行動のうち、番号が最も小さいものに確率 1。
# - `ties="split"`: 最善の行動すべてに等しい確率。
#
# **例**。$Q$ の行が $(1, 3, 3)$ なら、`first` は $(0, 1, 0)$、`split` は $(0, \tfrac12, \tfrac12)$ です。

# %% [markdown] lang="en"
# ## The greedy policy
#
# A **greedy** policy takes, in each state, an action with the largest $Q$. Actions of equal worth rarely come out equal in the last digit, so those within `tol` of the largest count as best.
#
# - `ties="first"`: probability 1 on the best action with the lowest index.
# - `ties="split"`: the same probability on every best action.
#
# **Example.** For the row $(1, 3, 3)$, `first` gives $(0, 1, 0)$ and `split` gives $(0, \tfrac12, \tfrac12)$.

# %% stub greedy_policy
"""最善の行動をとる方策。

Args:
    Q: 行動価値、(S, A)。
    ties: "first" なら最初の最善の行動、"split" なら最善の行動に等分。
    tol: 最大値からこの差以内の行動は同じ価値とみなす。

Returns:
    (S, A): 確率。
"""

# %%
greedy_policy(np.array([[1.0, 3, 3], [2, 2, 2]])), greedy_policy(np.array([[1.0, 3, 3]]), "split")
# (array([[0., 1., 0.], [1., 0., 0.]]), array([[0., 0.5, 0.5]]))

# %% graded greedy_policy

# %% [markdown] lang="ja"
# ## 方策の評価: 連立方程式
#
# 方策 $\pi$ の価値は**ベルマン方程式**を満たします。
#
# $$V(s) = \sum_a \pi(a|s)\Bigl[R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V(s')\Bigr]$$
#
# $P_\pi(s, s') = \sum_a \pi(a|s) P(s'|s, a)$、$r_\pi(s) = \sum_a \pi(a|s) R(s, a)$ と書けば $V = r_\pi + \gamma P_\pi V$。終端でない状態だけの連立方程式 $(I - \gamma P_\pi) V = r_\pi$ を解きます(終端は $V = 0$)。
#
# **例**(引き直し)。30 枚のうち 1 枚が鍵のカードで、手札は 5 枚。外れたら 1 回だけ引き直せます。外れる確率は $q = 25/30 = 5/6$ なので、状態を「最初の手札」「引き直した手札」「終わり」とすると、
# $V_2 = 1 - q = 1/6$、$V_1 = (1 - q) + q V_2 = 1 - q^2 = 11/36 \approx 0.306$ です($\gamma = 1$)。

# %% [markdown] lang="en"
# ## Evaluating a policy: a system of equations
#
# The value of a policy $\pi$ satisfies **Bellman's equation**:
#
# $$V(s) = \sum_a \pi(a|s)\Bigl[R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V(s')\Bigr]$$
#
# With $P_\pi(s, s') = \sum_a \pi(a|s) P(s'|s, a)$ and $r_\pi(s) = \sum_a \pi(a|s) R(s, a)$ it reads $V = r_\pi + \gamma P_\pi V$. Solve $(I - \gamma P_\pi) V = r_\pi$ over the states that are no ends (at an end $V = 0$).
#
# **Example** (one redraw). One key card among 30, a hand of five, and one redraw after a miss. A miss has the chance $q = 25/30 = 5/6$. With the states "first hand", "second hand", "end":
# $V_2 = 1 - q = 1/6$ and $V_1 = (1 - q) + q V_2 = 1 - q^2 = 11/36 \approx 0.306$ (with $\gamma = 1$).

# %% stub policy_evaluation
"""方策の価値を厳密に求める。終端でない状態で V = (I - γ P_π)⁻¹ r_π。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    pi: 方策、(S, A)。
    gamma: 割引率、[0, 1]。1 は、どの状態からも必ず終端に着く場合に限る。
    terminal: 終端の状態、(S,)。

Returns:
    (S,): 価値。終端の状態では 0。
"""

# %%
hand = np.array([[[0, 5 / 6, 1 / 6]], [[0, 0, 1.0]], [[0, 0, 1.0]]])
policy_evaluation(hand, np.array([[1 / 6], [1 / 6], [0]]), np.ones((3, 1)), 1.0, end)
# array([0.30555556, 0.16666667, 0.])

# %% graded policy_evaluation

# %% [markdown] lang="ja"
# ## 方策の評価: 掃引
#
# 状態が多いと、方程式を直接解くのは大変です。代わりに、ベルマン方程式の右辺を左辺に代入する更新を、全状態について何度も行います。1 回を**掃引**(sweep)と呼びます。
#
# - **同期型**(`in_place=False`): 前の掃引の値だけを読む。
# - **その場更新**(`in_place=True`): 状態 0, 1, …, S−1 の順に進み、この掃引で新しくなった値もすぐに読む。
#
# どちらも、誤差は 1 回ごとに $\gamma$ 倍以下に縮みます。各掃引の変化量 $\max_s |V_\text{new}(s) - V_\text{old}(s)|$ も返します。`V0` がなければ 0 から始めます。

# %% [markdown] lang="en"
# ## Evaluating a policy: sweeps
#
# With many states, solving is costly. Instead put the right side of Bellman's equation into the left, for all states, again and again; one pass is a **sweep**.
#
# - **Synchronous** (`in_place=False`): read only what the last sweep left.
# - **In place** (`in_place=True`): go through the states 0, 1, …, S−1 and read at once what this sweep has written.
#
# Either way the error shrinks by a factor of $\gamma$ or better each time. Return the change of each sweep too, $\max_s |V_\text{new}(s) - V_\text{old}(s)|$. Without `V0`, start from 0.

# %% stub iterative_evaluation
"""方策の価値を、くり返しのバックアップで求める。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    pi: 方策、(S, A)。
    gamma: 割引率、[0, 1]。
    terminal: 終端の状態、(S,)。
    sweeps: 全状態を更新する回数。
    V0: 始めの価値、(S,)。None なら 0。
    in_place: 状態 0 … S-1 の順に、この掃引で書いた値も読む。そうでなければ、前の掃引の値だけを読む。

Returns:
    V: 掃引の後の価値、(S,)。
    deltas: 各掃引での最大の変化の絶対値、(K,)。
"""

# %%
mixed = np.array([[0.5, 0.5], [0.25, 0.75], [1, 0]])
iterative_evaluation(P, R, mixed, 0.5, end, 2)
# (array([1.59375, 3.0546875, 0.]), array([2.75, 1.09375]))

# %% graded iterative_evaluation

# %% [markdown] lang="ja"
# ## 方策反復
#
# 評価した $V$ から $Q$ を求め、貪欲な方策に替えると、どの状態でも価値が下がることはありません(**方策改善定理**)。評価と改善を、変わらなくなるまで繰り返すのが**方策反復**です。
#
# 1. すべての状態で行動 0 から始める。
# 2. 厳密に評価する(`policy_evaluation`)。
# 3. すべての状態を一斉に、貪欲な行動(`ties="first"`)に替える。何も変わらなければ終わり。
#
# ![廊下では、ゴールの知らせが 1 回に 1 マスずつ伝わる](iteration.svg)
#
# 評価した回数も返します(変わらないことを確かめた最後の回も数えます)。終端の行動は 0 です。

# %% [markdown] lang="en"
# ## Policy iteration
#
# Compute $Q$ from the $V$ of a policy and take the greedy policy: at no state is it worse (**policy improvement theorem**). Evaluate and improve until nothing changes: **policy iteration**.
#
# 1. Start with action 0 everywhere.
# 2. Evaluate exactly (`policy_evaluation`).
# 3. Change all states at once to their greedy action (`ties="first"`). If nothing changes, stop.
#
# ![In a corridor the news of the goal travels one cell a round](iteration.svg)
#
# Return the number of evaluations as well, the last one, which confirms, included. The action of an end is 0.

# %% stub policy_iteration
"""評価と改善を、変わらなくなるまで繰り返す。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    gamma: 割引率、[0, 1]。
    terminal: 終端の状態、(S,)。
    max_rounds: 評価の回数の上限。

Returns:
    V: 最後に評価した方策の価値、(S,)。
    actions: その方策、(S,)。最初はどの状態でも行動 0。
    rounds: 評価した方策の数。変わらないことを確かめた回も含む。
"""

# %%
policy_iteration(P, R, 0.9, end)
# (array([6.23955432, 5.40389972, 0.]), array([0, 1, 0]), 2)

# %% graded policy_iteration

# %% [markdown] lang="ja"
# ## 価値反復
#
# 評価を最後まで待たずに、バックアップの中で最大をとってしまうのが**価値反復**です。
#
# $$V_{n+1}(s) = \max_a \Bigl[R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V_n(s')\Bigr]$$
#
# $V = 0$ から同期型で始め、最大の変化が $\theta$ を**下回った**掃引で止まります。返すのは新しい $V$ と、それについて貪欲な行動、掃引の回数です。止まったとき、$V^*$ との差は $\gamma\theta/(1-\gamma)$ 以内です。
#
# **例**。毎回 1 をもらって同じ状態に戻り、$\gamma = 0.9$。$n$ 回目の変化は $0.9^{n-1}$ なので、$\theta = 0.001$ なら 67 回目に初めて下回ります。$V$ は $10$ に近づきます。
#
# > **よくある間違い** 「状態価値を使うのは方策ベース、行動価値を使うのは価値ベース」ではありません。価値反復は $V$ だけを使う、最も素朴な価値ベースの手法です。分かれ目は、方策そのものをパラメータで表して学習するかどうかです。

# %% [markdown] lang="en"
# ## Value iteration
#
# Do not wait for the evaluation to end, take the maximum inside the backup: **value iteration**.
#
# $$V_{n+1}(s) = \max_a \Bigl[R(s, a) + \gamma \sum_{s'} P(s'|s, a)\, V_n(s')\Bigr]$$
#
# Start at $V = 0$, synchronously, and stop after the sweep whose largest change is **below** $\theta$. Return the new $V$, the actions greedy for it, and the number of sweeps. It then lies within $\gamma\theta/(1-\gamma)$ of $V^*$.
#
# **Example.** A state that returns to itself with reward 1, $\gamma = 0.9$: the change of sweep $n$ is $0.9^{n-1}$, for $\theta = 0.001$ first below it in sweep 67. $V$ comes near 10.
#
# > **Common mistake** It is not "state values for policy-based methods, action values for value-based ones": value iteration uses $V$ alone and is the plainest value-based method. What tells them apart is whether the policy itself is parameterised and trained.

# %% stub value_iteration
"""最善の行動によるバックアップを、変化が小さくなるまで繰り返す。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    gamma: 割引率、[0, 1]。
    terminal: 終端の状態、(S,)。
    theta: 最大の変化の絶対値がこれを下回った最初の掃引で止まる。
    max_sweeps: 掃引の回数の上限。V = 0 から始め、前の掃引の値だけを読む。

Returns:
    V: 最後の掃引の後の価値、(S,)。
    actions: その価値について貪欲な行動、(S,)。
    sweeps: 掃引の回数。
"""

# %%
value_iteration(P, R, 0.9, end, 0.5)
# (array([5.59735469, 5.16978906, 0.]), array([0, 1, 0]), 5)

# %% graded value_iteration

# %% [markdown] lang="ja"
# ## モンテカルロ法
#
# モデルが分からなくても、試すことはできます。**標本の平均**で期待値を見積もるのがモンテカルロ法です。標本の散らばりを $s$ とすると、平均の**標準誤差**は
#
# $$\frac{s}{\sqrt N}, \qquad s^2 = \frac{1}{N - 1} \sum_i (x_i - \bar x)^2$$
#
# です。誤差を半分にするには、4 倍の標本が要ります。結果が 0 か 1 なら、およそ $\sqrt{p(1-p)/N}$ です。
#
# **例**。$(0, 1, 1, 1)$ の平均は 0.75、$s^2 = (0.5625 + 3 \times 0.0625)/3 = 0.25$、標準誤差は $0.5/\sqrt4 = 0.25$ です。

# %% [markdown] lang="en"
# ## The Monte Carlo method
#
# Without a model one can still try. Estimating an expectation by **the mean of samples** is the Monte Carlo method. With the spread $s$ of the samples, the **standard error** of their mean is
#
# $$\frac{s}{\sqrt N}, \qquad s^2 = \frac{1}{N - 1} \sum_i (x_i - \bar x)^2$$
#
# Half the error takes four times the samples. For outcomes 0 and 1 it is about $\sqrt{p(1-p)/N}$.
#
# **Example.** $(0, 1, 1, 1)$ has the mean 0.75, $s^2 = (0.5625 + 3 \times 0.0625)/3 = 0.25$, and the standard error $0.5/\sqrt4 = 0.25$.

# %% stub mean_and_error
"""平均と、その標準誤差。

Args:
    samples: 二つ以上の数、(N,)。

Returns:
    mean: Σ x / N。
    error: s / √N。s² = Σ (x - mean)² / (N - 1)。
"""

# %%
mean_and_error(np.array([0.0, 1, 1, 1]))
# (0.75, 0.25)

# %% graded mean_and_error

# %% [markdown] lang="ja"
# 強化学習のモンテカルロ法では、標本は**最後まで指した結果の割引報酬の和**(収益)です。状態 `start` から方策に従って進むのを 1 回のロールアウトとし、$N$ 回の平均で価値を見積もります。
#
# 答えが一つに決まるように、乱数 `u` を渡します。$n$ 番目のロールアウトの $t$ 歩目では、`u[n, t, 0]` で行動を、`u[n, t, 1]` で次の状態を引きます。
# 引くのは、**累積確率が初めて乱数を超える番号**です。たとえば確率 $(0.5, 0.5)$、乱数 0.7 なら、累積は $0.5, 1.0$ なので番号 1 です。
# 終端に着くか $T$ 歩進んだら終わりで、その先は見積もりません。集めるのは報酬の期待値 $R(s, a)$ です。

# %% [markdown] lang="en"
# In reinforcement learning the samples are **returns**: discounted sums of the rewards of whole episodes. One rollout follows the policy from `start`; the mean over $N$ of them estimates the value.
#
# So that the answer is determined, the draws `u` are passed in. At step $t$ of rollout $n$, `u[n, t, 0]` draws the action and `u[n, t, 1]` the next state.
# What is drawn is **the first index whose cumulative probability exceeds the draw**: for $(0.5, 0.5)$ and 0.7 the cumulative probabilities are $0.5, 1.0$, so index 1.
# A rollout ends at a terminal state or after $T$ steps, with nothing added for what would follow. Collect the expected rewards $R(s, a)$.

# %% stub rollout_estimate
"""モンテカルロ法による状態の価値: 標本の収益の平均。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。このまま集める。
    pi: 方策、(S, A)。
    gamma: 割引率、[0, 1]。
    terminal: 終端の状態、(S,)。
    start: どのロールアウトもここから始まる。
    u: [0, 1) の一様乱数、(N, T, 2)。各歩で、一つ目が行動、二つ目が次の状態を引く。累積確率が初めて乱数を超える番号を引く。

Returns:
    mean: 収益の平均。
    error: その標準誤差。
    returns: 各ロールアウトの Σ γᵗ R。終端に着くか T 歩で終わる、(N,)。
"""

# %%
draws = np.array([[[0.2, 0.2], [0.2, 0.9]], [[0.2, 0.7], [0.9, 0.3]], [[0.7, 0.5], [0.5, 0.8]]])
rollout_estimate(P, R, np.array([[0.5, 0.5], [1, 0], [1, 0]]), 0.5, end, 0, draws)
# (0.5, 0.5773502691896258, array([ 1.5,  0.5, -0.5]))

# %% graded rollout_estimate

# %% [markdown] lang="ja"
# ## テンソルで書く
#
# 連立方程式の解は、PyTorch の自動微分で微分できます。方策の価値を、$P$、$R$、$\pi$ について微分できるように、テンソルで書いてみましょう。$\partial V(s_0)/\partial R(s, a)$ は「$s_0$ から始めて $s$ を訪れる割引回数 × $\pi(a|s)$」になり、これが方策勾配定理の重みです。
#
# 入力と同じ dtype・デバイスで計算し、`numpy()` や `detach()` を途中に挟まないでください。

# %% [markdown] lang="en"
# ## On tensors
#
# The solution of a linear system can be differentiated by PyTorch. Write the value of a policy on tensors, differentiable in $P$, $R$ and $\pi$. $\partial V(s_0)/\partial R(s, a)$ is then the discounted number of visits to $s$ from $s_0$, times $\pi(a|s)$: the weight of the policy gradient theorem.
#
# Compute in the dtype and on the device of the inputs, with no `numpy()` or `detach()` on the way.

# %%
import torch

# %% stub policy_evaluation_torch
"""方策の価値。P、R、pi について微分できる。

Args:
    P: 遷移確率、(S, A, S)。
    R: 報酬の期待値、(S, A)。
    pi: 方策、(S, A)。各要素は独立とみなす。
    gamma: 割引率、[0, 1)。
    terminal: 終端の状態、(S,)、bool。

Returns:
    (S,): V = (I - γ P_π)⁻¹ r_π。終端の状態では 0。
"""

# %%
halves = torch.full((3, 2), 0.5, dtype=torch.float64)
policy_evaluation_torch(torch.tensor(P), torch.tensor(R), halves, 0.5, torch.tensor(end))
# tensor([1.4091, 1.9545, 0.0000], dtype=torch.float64)

# %% graded policy_evaluation_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - MDP の要素(状態、行動、遷移確率、報酬、割引率)と、方策・価値の区別。
# - $V^\pi$ と $Q^\pi$ の定義。$Q$ では最初の行動だけが自由で、その後は $\pi$ に従う。
# - ベルマン方程式と、ベルマン最適方程式。
# - 方策反復(評価と改善)と価値反復の違い。動的計画法にはモデルが要る。
# - 割引率の意味。$\gamma$ が小さいほど目先を、1 に近いほど先を重く見る。
# - 探索と利用のトレードオフ。探索が足りないと良い行動を見つけられず、利用が足りないと見つけても活かせない。
# - モンテカルロ法の誤差は $1/\sqrt N$ で縮む。
# - 表の大きさは S×A。指数的に増えるのは、状態を表す**変数の数**に対する S である(次元の呪い)。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - The elements of an MDP (states, actions, transition probabilities, rewards, discount), and that policy and values are not among them.
# - The definitions of $V^\pi$ and $Q^\pi$: in $Q$ only the first action is free, afterwards $\pi$ acts.
# - Bellman's equation and Bellman's optimality equation.
# - What tells policy iteration (evaluate, improve) from value iteration; dynamic programming needs the model.
# - The meaning of the discount: a small $\gamma$ looks at what is near, one close to 1 far ahead.
# - Exploration against exploitation: too little of the first misses good actions, too little of the second does not use what was found.
# - The error of the Monte Carlo method shrinks like $1/\sqrt N$.
# - A table has S×A entries; what grows exponentially is S in the number of state **variables** (curse of dimensionality).
