# %% [markdown] lang="ja"
# # TD学習と Q学習
#
# 環境のモデルを知らなくても、経験した遷移 $(s, a, r, s')$ だけから価値を学べます。鍵は**ブートストラップ**です。
# 更新の目標を「実際に見た報酬」と「まだ推定にすぎない次の状態の価値」から作ります。
# n ステップ収益から始めて、SARSA・Q学習・期待 SARSA・ダブルQ学習、適格度トレース、そして DQN の損失と経験再生までを作ります。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $S, A$ | 状態と行動の数 | $\gamma$ | 割引率(`gamma`) |
# | $T$ | 記録のステップ数 | $\alpha$ | 学習率(`alpha`) |
# | $N$ | バッチの大きさ | $\varepsilon$ | 探索の割合(`epsilon`) |
# | $V, Q$ | 状態価値、行動価値 | $\delta$ | TD誤差 |
#
# **添字の約束**: `rewards[t]` は $s_t$ での行動の**後に**もらう報酬 $R_{t+1}$ です。`dones[t]` が True なら、その行動でエピソードが終わり、次の状態は終端です。
# 終端状態の価値は 0 です。最大値が等しいときは、添字の最も小さい行動を選びます。状態と行動は整数の配列です。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 の配列や数で返したときは、float32 の許容誤差で比べます)。
# 一回の呼び出しの制限時間は 2 秒です。

# %% [markdown] lang="en"
# # Temporal differences and Q-learning
#
# Values can be learned from experienced transitions $(s, a, r, s')$ alone, without a model of the world. The key is **bootstrapping**:
# the target of an update is made of rewards that were really seen and of the value of a later state, which is itself still an estimate.
# Starting from n-step returns you will build SARSA, Q-learning, expected SARSA and double Q-learning, eligibility traces, and finally the loss of DQN and its experience replay.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $S, A$ | number of states and actions | $\gamma$ | discount (`gamma`) |
# | $T$ | steps of a log | $\alpha$ | step size (`alpha`) |
# | $N$ | size of a batch | $\varepsilon$ | share of exploration (`epsilon`) |
# | $V, Q$ | state value, action value | $\delta$ | TD error |
#
# **Indices**: `rewards[t]` is $R_{t+1}$, the reward that **follows** the action in $s_t$. Where `dones[t]` is True this action ended the episode and the next state is terminal.
# The value of a terminal state is 0. Of equal maxima the lowest index is taken. States and actions are arrays of integers.
#
# Leave the arrays that you are given unchanged. Compute in float64 (arrays and numbers that come back in float32 are compared within the tolerance of float32).
# One call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## n ステップ収益
#
# 価値関数は、即時報酬ではなく**収益**(割り引いた報酬の和)の期待値です。収益を最後まで待つのがモンテカルロ法、1ステップで価値に置き換えるのが TD(0)、その間が n ステップ収益です。
#
# $$G_{t:t+n} = R_{t+1} + \gamma R_{t+2} + \dots + \gamma^{n-1} R_{t+n} + \gamma^n V(s_{t+n})$$
#
# ![n ステップ収益の図](how_far_ahead.svg)
#
# **例**: 報酬 $(1, 0, -2, 3)$、価値 $V = (0.5, 1, -1, 2, 4)$、$\gamma = 0.9$、$n = 2$ とします。
# $t = 0$ では $1 + 0.9 \cdot 0 + 0.81 \cdot V(s_2) = 1 - 0.81 = 0.19$。
# $t = 3$ では残りが1ステップしかないので、和を短くして最後の価値で閉じます: $3 + 0.9 \cdot 4 = 6.6$。
#
# **約束**: 和の長さは $h = \min(n, T - t)$ で、`values[t+h]` で閉じます。`values[T]` には、$s_T$ が終端なら 0、途中で打ち切られただけなら $V(s_T)$ が入っています。
#
# > **よくある間違い** 「$r + \gamma V(s')$ は実際に得た報酬である」。実際に観測したのは $r$ だけで、$V(s')$ は推定値です。
# > そのため TD は、$V$ が正しくない間は偏り(バイアス)をもつ代わりに分散が小さく、モンテカルロ法は偏りがない代わりに分散が大きくなります。

# %% [markdown] lang="en"
# ## n-step returns
#
# A value function is the expectation of the **return**, the discounted sum of rewards, not of the next reward. Monte Carlo waits for the whole return, TD(0) puts a value in its place after one step, and the n-step return lies between.
#
# $$G_{t:t+n} = R_{t+1} + \gamma R_{t+2} + \dots + \gamma^{n-1} R_{t+n} + \gamma^n V(s_{t+n})$$
#
# ![n-step returns](how_far_ahead.svg)
#
# **Example**: rewards $(1, 0, -2, 3)$, values $V = (0.5, 1, -1, 2, 4)$, $\gamma = 0.9$, $n = 2$.
# At $t = 0$: $1 + 0.9 \cdot 0 + 0.81 \cdot V(s_2) = 1 - 0.81 = 0.19$.
# At $t = 3$ only one step is left; the sum is shortened and closed with the last value: $3 + 0.9 \cdot 4 = 6.6$.
#
# **Fixed here**: the sum has $h = \min(n, T - t)$ rewards and is closed with `values[t+h]`. `values[T]` holds 0 if $s_T$ is terminal, and $V(s_T)$ if the episode was merely cut off.
#
# > **Common mistake** "$r + \gamma V(s')$ is the reward that was really obtained." Only $r$ was observed; $V(s')$ is an estimate.
# > That is why TD is biased while $V$ is wrong but has little variance, and Monte Carlo is unbiased but has much.

# %% stub n_step_targets
"""価値で閉じた n ステップの収益(Sutton & Barto 式 7.1)。

Args:
    rewards: R_1, …, R_T、(T,)。
    values: V(s_0), …, V(s_T)。rewards より一つ多い。s_T が終端なら最後は 0。
    gamma: 割引率、0 … 1。
    n: 先を見るステップ数、1 以上。

Returns:
    (T,): G_t = Σ_{k<h} γᵏ rewards[t+k] + γʰ values[t+h]、h = min(n, T-t)。
"""

# %%
rewards = np.array([1.0, 0.0, -2.0, 3.0])
values = np.array([0.5, 1.0, -1.0, 2.0, 4.0])
n_step_targets(rewards, values, 0.9, 2)  # [0.19, -0.18, 3.94, 6.6]

# %% graded n_step_targets

# %% [markdown] lang="ja"
# ## ε-greedy 方策
#
# 確率 $\varepsilon$ で**すべての行動から**一様に選び(探索)、残りの確率で最良の行動を選びます(活用)。一様に選んでも最良の行動が当たることがあるので、
#
# $$\pi(a \mid s) = \begin{cases} 1 - \varepsilon + \varepsilon / A & a = \arg\max_b Q(s, b) \\ \varepsilon / A & \text{それ以外} \end{cases}$$
#
# **例**: $Q = (1, 3, 3, 0)$、$\varepsilon = 0.1$ なら $\varepsilon / A = 0.025$。最大値 3 は二つありますが、添字の小さい方だけが $1 - 0.1 + 0.025 = 0.925$ です。和は $0.925 + 3 \cdot 0.025 = 1$。
#
# > **よくある間違い** 最良の行動の確率を $1 - \varepsilon$ とする。和が $1$ になりません。

# %% [markdown] lang="en"
# ## The ε-greedy policy
#
# With probability $\varepsilon$ the action is drawn evenly from **all** actions (exploration), else it is the best one (exploitation). An even draw may hit the best action too, hence
#
# $$\pi(a \mid s) = \begin{cases} 1 - \varepsilon + \varepsilon / A & a = \arg\max_b Q(s, b) \\ \varepsilon / A & \text{otherwise} \end{cases}$$
#
# **Example**: $Q = (1, 3, 3, 0)$, $\varepsilon = 0.1$: $\varepsilon / A = 0.025$. Two actions have the maximum 3, but only the first gets $1 - 0.1 + 0.025 = 0.925$. The sum is $0.925 + 3 \cdot 0.025 = 1$.
#
# > **Common mistake** Giving the best action $1 - \varepsilon$: the probabilities no longer sum to $1$.

# %% stub epsilon_greedy_probs
"""ε-greedy 方策の確率: 確率 ε で(最良の行動も含む)すべての行動から一様に、そうでなければ最良の行動を選ぶ。

Args:
    q: 行動価値。最後の軸が行動、(A,)。その前に軸があってもよい。
    epsilon: 探索の割合、0 … 1。

Returns:
    q と同じ形: 最良の行動は 1 - ε + ε/A、ほかは ε/A。
"""

# %%
epsilon_greedy_probs(np.array([1.0, 3.0, 3.0, 0.0]), 0.1)  # [0.025, 0.925, 0.025, 0.025]

# %% graded epsilon_greedy_probs

# %% [markdown] lang="ja"
# ## 四つの目標
#
# $Q(s, a)$ を近づける目標は、どの手法でも $y = r + \gamma v$ です。違うのは、次の状態の価値 $v$ の見積もり方だけです。
#
# | `rule` | $v$ | 性質 |
# |---|---|---|
# | `sarsa` | $Q(s', a')$、$a'$ は実際に選んだ次の行動 | 方策オン型(on-policy) |
# | `q_learning` | $\max_a Q(s', a)$ | 方策オフ型(off-policy) |
# | `expected_sarsa` | $\sum_a \pi(a \mid s') Q(s', a)$、$\pi$ は ε-greedy | 次の行動のばらつきがない |
# | `double_q` | $Q_2(s', \arg\max_a Q_1(s', a))$ | 過大評価を抑える |
#
# ![四つの目標の図](next_state_values.svg)
#
# **例**: $r = 1$、$\gamma = 0.9$、$Q(s', \cdot) = (2, 5, -1)$。
#
# - SARSA、$a' = 0$: $1 + 0.9 \cdot 2 = 2.8$
# - Q学習: $1 + 0.9 \cdot 5 = 5.5$
# - 期待 SARSA、$\varepsilon = 0.3$: 確率は $(0.1, 0.8, 0.1)$ なので $1 + 0.9\,(0.2 + 4 - 0.1) = 4.69$
# - ダブルQ、選ぶ表が $(4, 3, 0)$: 行動 0 を選ぶので $1 + 0.9 \cdot 2 = 2.8$
#
# 雑音を含む推定値の最大値をとると、真の最大値より大きくなりがちです(過大評価)。選ぶ表と評価する表を分けると、選ばれた行動の値に同じ雑音が乗りません。
# `q_next` が値を与え、`q_select` は行動を選ぶだけです。必要のない引数は無視します(Q学習に `next_actions` が渡されることもあります)。
#
# > **よくある間違い** 終端での場合分けを忘れる。`dones` が True の行では $v = 0$、すなわち $y = r$ です。報酬 $r$ まで消してはいけません。
#
# > **よくある間違い** 「Q学習は行動のしかたと無関係に最適な $Q$ を学ぶ」。目標は行動方策に依存しませんが、すべての $(s, a)$ を訪れ続け、学習率を適切に小さくしていくことが収束の条件です。
# > また、SARSA が「安全な」道を学ぶ(崖歩き)のは、探索し続ける方策そのものの価値を学ぶからです。$\varepsilon \to 0$ なら両者は同じ方策に至ることがあります。

# %% [markdown] lang="en"
# ## Four targets
#
# In every method $Q(s, a)$ is moved towards $y = r + \gamma v$. They differ only in how the value $v$ of the next state is estimated.
#
# | `rule` | $v$ | what it is |
# |---|---|---|
# | `sarsa` | $Q(s', a')$, $a'$ the next action really taken | on-policy |
# | `q_learning` | $\max_a Q(s', a)$ | off-policy |
# | `expected_sarsa` | $\sum_a \pi(a \mid s') Q(s', a)$, $\pi$ ε-greedy | free of the chance in the next action |
# | `double_q` | $Q_2(s', \arg\max_a Q_1(s', a))$ | curbs overestimation |
#
# ![four targets](next_state_values.svg)
#
# **Example**: $r = 1$, $\gamma = 0.9$, $Q(s', \cdot) = (2, 5, -1)$.
#
# - SARSA, $a' = 0$: $1 + 0.9 \cdot 2 = 2.8$
# - Q-learning: $1 + 0.9 \cdot 5 = 5.5$
# - expected SARSA, $\varepsilon = 0.3$: the probabilities are $(0.1, 0.8, 0.1)$, so $1 + 0.9\,(0.2 + 4 - 0.1) = 4.69$
# - double Q, the table that chooses being $(4, 3, 0)$: it chooses action 0, so $1 + 0.9 \cdot 2 = 2.8$
#
# The maximum of noisy estimates tends to exceed the true maximum (overestimation). If one table chooses and another one values, the value of the chosen action does not carry the same noise.
# `q_next` gives the values, `q_select` only chooses. Arguments that a rule does not need are ignored (Q-learning may be given `next_actions`).
#
# > **Common mistake** Forgetting the terminal case. In rows where `dones` is True, $v = 0$ and so $y = r$; the reward $r$ itself must not be wiped out.
#
# > **Common mistake** "Q-learning learns the optimal $Q$ however one behaves." Its target does not depend on the behaviour, but it converges only if every $(s, a)$ goes on being visited and the step sizes shrink properly.
# > And SARSA learns the "safe" path (cliff walking) because it learns the values of the very policy that keeps exploring; as $\varepsilon \to 0$ both may arrive at the same policy.

# %% stub td_target
"""1ステップの後に Q(s, a) を近づける目標(Sutton & Barto 式 6.7–6.10)。

Args:
    rule: "sarsa"、"q_learning"、"expected_sarsa" または "double_q"。
    rewards: 報酬、(N,)。
    dones: 次の状態が終端なら True、(N,)。
    q_next: 値を与える Q(s', ·)、(N, A)。
    gamma: 割引率、0 … 1。
    next_actions: a'。"sarsa" で使う、(N,)。
    epsilon: 方策の ε。"expected_sarsa" で使う。
    q_select: 行動を選ぶ表の Q(s', ·)。"double_q" で使う、(N, A)。

Returns:
    (N,): r + γ ·(その規則による s' の価値)。dones なら r だけ。
"""

# %%
r, going, q_next = np.array([1.0]), np.array([False]), np.array([[2.0, 5.0, -1.0]])
print(td_target("sarsa", r, going, q_next, 0.9, np.array([0])))  # [2.8]
print(td_target("q_learning", r, going, q_next, 0.9))  # [5.5]
print(td_target("expected_sarsa", r, going, q_next, 0.9, epsilon=0.3))  # [4.69]
chooser = np.array([[4.0, 3.0, 0.0]])
print(td_target("double_q", r, going, q_next, 0.9, q_select=chooser))  # [2.8]
print(td_target("q_learning", r, ~going, q_next, 0.9))  # [1.]

# %% graded td_target

# %% [markdown] lang="ja"
# ## 表の更新
#
# TD学習は、一手ごとに「行動する → $r, s'$ を観測する → 更新する」を繰り返します。エピソードの終わりを待ちません。
#
# $$\delta_t = y_t - Q(s_t, a_t), \qquad Q(s_t, a_t) \leftarrow Q(s_t, a_t) + \alpha\, \delta_t$$
#
# 変わるのは $(s_t, a_t)$ の一つの要素だけです。$\alpha = 0$ なら何も学ばず、$\alpha = 1$ なら古い値を捨てて目標に置き換えます。
#
# **例**: $Q = \begin{pmatrix} 0 & 1 \\ 2 & 0.5 \end{pmatrix}$(行が状態)、$\alpha = 0.5$、$\gamma = 0.9$、Q学習。
#
# 1. $s=0, a=0, r=1, s'=1$: $y = 1 + 0.9 \cdot 2 = 2.8$、$\delta = 2.8$、$Q(0,0)$ は $0 + 0.5 \cdot 2.8 = 1.4$ になる。
# 2. $s=1, a=1, r=-1, s'=0$: **今の表**の $\max_a Q(0, a) = 1.4$ を使うので $y = -1 + 1.26 = 0.26$、$\delta = 0.26 - 0.5 = -0.24$、$Q(1,1) = 0.38$。
#
# **約束**: 各ステップは、直前のステップが残した表を読みます。`deltas` は $\alpha$ を掛ける前の「目標 − 古い値」です。
# `double_q` の `Q` は表が二つで、`which[t]` の表が行動を選んで**更新され**、もう一方の表が値を与えます。

# %% [markdown] lang="en"
# ## Updating a table
#
# TD learning repeats, move by move: act → observe $r$ and $s'$ → update. It does not wait for the episode to end.
#
# $$\delta_t = y_t - Q(s_t, a_t), \qquad Q(s_t, a_t) \leftarrow Q(s_t, a_t) + \alpha\, \delta_t$$
#
# Only the one entry $(s_t, a_t)$ changes. With $\alpha = 0$ nothing is learned, with $\alpha = 1$ the old value gives way to the target entirely.
#
# **Example**: $Q = \begin{pmatrix} 0 & 1 \\ 2 & 0.5 \end{pmatrix}$ (rows are states), $\alpha = 0.5$, $\gamma = 0.9$, Q-learning.
#
# 1. $s=0, a=0, r=1, s'=1$: $y = 1 + 0.9 \cdot 2 = 2.8$, $\delta = 2.8$, and $Q(0,0)$ becomes $0 + 0.5 \cdot 2.8 = 1.4$.
# 2. $s=1, a=1, r=-1, s'=0$: the table **as it is now** has $\max_a Q(0, a) = 1.4$, so $y = -1 + 1.26 = 0.26$, $\delta = 0.26 - 0.5 = -0.24$, $Q(1,1) = 0.38$.
#
# **Fixed here**: each step reads the table that the step before left. `deltas` are "target − old value", before $\alpha$.
# For `double_q`, `Q` holds two tables: the table `which[t]` chooses the action and **is updated**, the other one gives the value.

# %% stub tabular_control
"""遷移の記録を先頭から順に処理した後の行動価値の表。

    δ_t = y_t - Q(s_t, a_t),   Q(s_t, a_t) ← Q(s_t, a_t) + αδ_t      各ステップは直前のステップが残した表を読む

Args:
    rule: "sarsa"、"q_learning"、"expected_sarsa" または "double_q"。
    Q: 行動価値、(S, A)。"double_q" では二つの表、(2, S, A)。
    states: s、(T,)。
    actions: a、(T,)。
    rewards: r、(T,)。
    next_states: s'、(T,)。
    next_actions: a'、(T,)。dones のところでは使わない。
    dones: s' が終端なら True、(T,)。
    alpha: 学習率、0 … 1。
    gamma: 割引率、0 … 1。
    epsilon: 方策の ε。"expected_sarsa" で使う。
    which: 更新する表の番号、0 か 1。"double_q" で使う、(T,)。

Returns:
    Q: 新しい表。渡された形のまま。
    deltas: 目標 − 古い値、(T,)。
"""

# %%
Q = np.array([[0.0, 1.0], [2.0, 0.5]])
log = dict(
    states=np.array([0, 1]), actions=np.array([0, 1]), rewards=np.array([1.0, -1.0]),
    next_states=np.array([1, 0]), next_actions=np.array([1, 0]),
    dones=np.array([False, False]), alpha=0.5, gamma=0.9,
)
print(tabular_control("q_learning", Q, **log))
# [[1.4, 1.], [2., 0.38]], [2.8, -0.24]
print(tabular_control("sarsa", Q, **log))
# [[0.725, 1.], [2., 0.07625]], [1.45, -0.8475]

# %% graded tabular_control

# %% [markdown] lang="ja"
# ## 適格度トレースと TD(λ)(試験範囲を少し越えた発展)
#
# TD誤差 $\delta_t$ を、今いる状態だけでなく、**最近訪れた状態**にも配ります。どれだけ配るかを覚えておくのが適格度トレース $e$ です。
#
# $$e \leftarrow \gamma \lambda\, e, \qquad e(s_t) \leftarrow \begin{cases} e(s_t) + 1 & \text{accumulating(累積型)} \\ 1 & \text{replacing(置換型)} \end{cases}, \qquad V \leftarrow V + \alpha\, \delta_t\, e$$
#
# $\lambda = 0$ は TD(0)、$\lambda = 1$ は(同じ状態を2度訪れなければ)モンテカルロ法の更新です。
#
# **例**: $\gamma = 0.9$、$\lambda = 0.8$、訪問順が $0, 1, 0$ なら、状態 0 のトレースは $1 \to 0.72 \to 0.72^2 + 1 = 1.5184$(累積型)、$1 \to 0.72 \to 1$(置換型)です。
#
# **約束**: 順序は「減衰 → 今の状態に印を付ける → $V$ 全体を更新」です。$\delta_t$ は直前のステップが残した $V$ から求めます。
# 終端のステップでは、更新した**後**にトレースを 0 に戻します。`traces[t]` はステップ $t$ の更新に使ったトレースです。
#
# > **よくある間違い** 「TD法は $t$ ステップ先まで見る手法である」。TD(0) が見るのは1ステップ先です。先まで見るのは、その一般化である n ステップ法と TD(λ) です。

# %% [markdown] lang="en"
# ## Eligibility traces and TD(λ) (a little beyond the exam)
#
# The TD error $\delta_t$ is handed not to the present state alone but also to the states **visited lately**. The eligibility trace $e$ remembers how much each of them gets.
#
# $$e \leftarrow \gamma \lambda\, e, \qquad e(s_t) \leftarrow \begin{cases} e(s_t) + 1 & \text{accumulating} \\ 1 & \text{replacing} \end{cases}, \qquad V \leftarrow V + \alpha\, \delta_t\, e$$
#
# $\lambda = 0$ is TD(0); $\lambda = 1$ is the update of Monte Carlo (if no state is visited twice).
#
# **Example**: $\gamma = 0.9$, $\lambda = 0.8$, states visited in the order $0, 1, 0$: the trace of state 0 is $1 \to 0.72 \to 0.72^2 + 1 = 1.5184$ (accumulating), $1 \to 0.72 \to 1$ (replacing).
#
# **Fixed here**: the order is decay → mark the present state → update all of $V$. $\delta_t$ is taken from $V$ as the step before left it.
# A terminal step clears the trace **after** its own update. `traces[t]` is the trace that the update of step $t$ used.
#
# > **Common mistake** "TD looks $t$ steps ahead." TD(0) looks one step ahead; it is its generalisations, n-step methods and TD(λ), that look further.

# %% stub td_lambda
"""遷移の記録を TD(λ) で順に処理した後の状態価値(適格度トレース)。

    e ← γλe,   e(s_t) ← e(s_t) + 1  (accumulating)  または  1  (replacing),   V ← V + αδ_t e

Args:
    V: 状態価値、(S,)。
    states: s、(T,)。
    rewards: r、(T,)。
    next_states: s'、(T,)。
    dones: s' が終端なら True。このステップの更新の後にトレースを消す、(T,)。
    alpha: 学習率、0 … 1。
    gamma: 割引率、0 … 1。
    lam: トレースの減衰率 λ、0 … 1。
    trace: "accumulating" または "replacing"。

Returns:
    V: 新しい価値、(S,)。
    traces: 各ステップで使った e、(T, S)。
"""

# %%
V = np.array([0.0, 0.5, 1.0])
walk = dict(
    states=np.array([0, 1, 0]), rewards=np.array([1.0, 0.0, 2.0]),
    next_states=np.array([1, 0, 2]), dones=np.array([False, False, True]),
    alpha=0.1, gamma=0.9, lam=0.8,
)
new, traces = td_lambda(V, **walk)
print(new.round(4))  # [0.4041 0.5985 1.    ]
print(traces)  # [[1, 0, 0], [0.72, 1, 0], [1.5184, 0.72, 0]]
replaced = td_lambda(V, **walk, trace="replacing")[1]
print(replaced)  # [[1, 0, 0], [0.72, 1, 0], [1, 0.72, 0]]

# %% graded td_lambda

# %% [markdown] lang="ja"
# ## DQN の損失
#
# 状態が多いと表は持てません。$Q$ をニューラルネットワークで近似する(関数近似)のが DQN です。関数近似・ブートストラップ・方策オフ型がそろうと学習は発散し得るので、二つの工夫をします。
#
# - **ターゲットネットワーク** $\theta^-$: 目標 $y = r + \gamma \max_a Q(s', a; \theta^-)$ を作る重みを固定し、$C$ ステップごとに $\theta$ を写します。目標が更新のたびに動くのを防ぎます。
# - **経験再生**(後述): 連続する遷移の強い相関を断ち、同じ経験を何度も使います。
#
# 誤差 $e = y - Q(s, a; \theta)$ を $[-1, 1]$ に切り詰めることは、**Huber 損失**($\delta = 1$)の勾配を使うことと同じです。
#
# $$L = \frac{1}{N} \sum_n \begin{cases} \tfrac12 e_n^2 & |e_n| \le \delta \\ \delta\,(|e_n| - \tfrac12 \delta) & |e_n| > \delta \end{cases}, \qquad
# \frac{\partial L}{\partial Q(s_n, a_n)} = -\frac{1}{N}\,\mathrm{clip}(e_n, -\delta, \delta)$$
#
# $y$ は定数とみなし、勾配を流しません。取った行動 $a_n$ 以外の出力の勾配は 0 です。
# `q_next_online` が渡されたら**ダブルDQN** です。学習中のネットワーク($\theta$)が行動を選び、ターゲットネットワーク($\theta^-$)がその値を与えます。
#
# **例**: $Q(s_0) = (1, 2)$ で $a = 0$、$r = 1$、$\gamma = 0.5$、$Q(s'_0; \theta^-) = (3, 4)$ なら $y = 3$、$e = 2$。損失は $1 \cdot (2 - 0.5) = 1.5$。
# もう一方は終端で $r = 0$、$Q(s_1) = (0, -1)$、$a = 1$ なので $e = 1$、損失は $0.5$。平均は $1$、勾配は取った行動で $-1/2$ ずつです。
#
# > **よくある間違い** 損失の**中の**誤差を切り詰める。$\tfrac12\,\mathrm{clip}(e)^2$ は $|e| > \delta$ で平らになり、最も大きく外れた遷移から何も学べません。

# %% [markdown] lang="en"
# ## The loss of DQN
#
# With many states no table can be kept. DQN approximates $Q$ by a neural network (function approximation). As function approximation, bootstrapping and off-policy data together can diverge, it takes two measures:
#
# - a **target network** $\theta^-$: the weights that make the target $y = r + \gamma \max_a Q(s', a; \theta^-)$ are held fixed and copied from $\theta$ every $C$ steps, so that the target does not move with every update;
# - **experience replay** (below): it breaks the strong correlation of consecutive transitions, and uses each of them many times.
#
# Clipping the error $e = y - Q(s, a; \theta)$ to $[-1, 1]$ is the same as using the gradient of the **Huber loss** with $\delta = 1$.
#
# $$L = \frac{1}{N} \sum_n \begin{cases} \tfrac12 e_n^2 & |e_n| \le \delta \\ \delta\,(|e_n| - \tfrac12 \delta) & |e_n| > \delta \end{cases}, \qquad
# \frac{\partial L}{\partial Q(s_n, a_n)} = -\frac{1}{N}\,\mathrm{clip}(e_n, -\delta, \delta)$$
#
# $y$ is a constant: no gradient flows through it. The gradient of the outputs other than that of the action taken, $a_n$, is 0.
# If `q_next_online` is given this is **double DQN**: the network that learns ($\theta$) chooses the action, and the target network ($\theta^-$) gives its value.
#
# **Example**: $Q(s_0) = (1, 2)$ with $a = 0$, $r = 1$, $\gamma = 0.5$, $Q(s'_0; \theta^-) = (3, 4)$: $y = 3$, $e = 2$, and the loss is $1 \cdot (2 - 0.5) = 1.5$.
# The other transition is terminal with $r = 0$, $Q(s_1) = (0, -1)$, $a = 1$: $e = 1$ and the loss is $0.5$. The mean is $1$, and the gradient $-1/2$ at each action taken.
#
# > **Common mistake** Clipping the error **inside** the loss. $\tfrac12\,\mathrm{clip}(e)^2$ is flat for $|e| > \delta$: nothing is learned from the transitions that were missed the most.

# %% stub dqn_loss
"""ターゲットネットワークを使う DQN の損失と勾配(Mnih et al. 2015, Algorithm 1)。

    error = y - Q(s, a; θ),   loss = 次の平均: |error| ≤ δ なら ½ error²、それより大きければ δ(|error| - ½δ)

Args:
    q: 学習中のネットワークの Q(s, ·; θ)、(N, A)。
    actions: 取った行動 a、(N,)。
    rewards: 報酬、(N,)。
    dones: 次の状態が終端なら True、(N,)。
    q_next: ターゲットネットワークの Q(s', ·; θ⁻)、(N, A)。
    gamma: 割引率、0 … 1。
    delta: Huber 損失が2乗から直線に変わるところ、正の数。無限大なら ½ error²。
    q_next_online: Q(s', ·; θ)、(N, A)。渡されたら、q_next が値を与える行動をこれが選ぶ(ダブルDQN、式 4)。

Returns:
    loss: バッチについての平均。
    dq: y を定数とみなした ∂loss/∂q、(N, A)。
"""

# %%
q, actions = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([0, 1])
rewards, dones = np.array([1.0, 0.0]), np.array([False, True])
q_next = np.array([[3.0, 4.0], [5.0, 6.0]])
print(dqn_loss(q, actions, rewards, dones, q_next, 0.5))  # 1.0, [[-0.5, 0], [0, -0.5]]
online = np.array([[9.0, 0.0], [0.0, 0.0]])
squared = dqn_loss(q, actions, rewards, dones, q_next, 0.5, np.inf, online)
print(squared)  # 0.8125, [[-0.75, 0], [0, -0.5]]

# %% graded dqn_loss

# %% [markdown] lang="ja"
# ## 経験再生
#
# 経験は `capacity` 個のスロットをもつ環状のバッファに入ります。id $k$ の経験(0 から数えて $k$ 番目)はスロット $k \bmod \text{capacity}$ に入り、一周すると最も古いものを上書きします。
# 学習では、入っている経験から一様に引きます: $u \in [0, 1)$ に対してスロット $\lfloor u \cdot \min(\text{total}, \text{capacity}) \rfloor$ の id を返します。
#
# ![環状バッファの図](ring_buffer.svg)
#
# **例**: 4 個のスロットに 10 個入れると、残るのは id 6, 7, 8, 9 で、スロット 0 から順に 8, 9, 6, 7 が入っています。$u = 0.5$ はスロット 2、つまり id 6 です。
#
# 再生される経験は古い方策で集めたものなので、経験再生には Q学習のような方策オフ型の手法が要ります。

# %% [markdown] lang="en"
# ## Experience replay
#
# Transitions go into a ring of `capacity` slots. The one with id $k$ (counted from 0) goes into slot $k \bmod \text{capacity}$; after the first round the oldest is overwritten.
# To learn, one draws evenly from what is there: for $u \in [0, 1)$ return the id in slot $\lfloor u \cdot \min(\text{total}, \text{capacity}) \rfloor$.
#
# ![ring buffer](ring_buffer.svg)
#
# **Example**: after ten transitions four slots hold the ids 6, 7, 8 and 9, from slot 0 on in the order 8, 9, 6, 7. $u = 0.5$ is slot 2, that is id 6.
#
# Replayed transitions were collected by older policies: experience replay needs an off-policy method such as Q-learning.

# %% stub replay_sample
"""最も古いものを上書きする環状バッファから引かれる経験(Lin 1992; Mnih et al. 2015)。

Args:
    total: これまでに入れた経験の数。id は 0 … total-1 で、id k はスロット k mod capacity に入った。
    capacity: スロットの数。
    u: [0, 1) の一様乱数、(B,)。

Returns:
    (B,): スロット ⌊u · min(total, capacity)⌋ にある id(整数)。
"""

# %%
print(replay_sample(10, 4, np.array([0.0, 0.25, 0.5, 0.75, 0.99])))  # [8 9 6 7 7]
print(replay_sample(3, 4, np.array([0.0, 0.5, 0.99])))  # [0 1 2]

# %% graded replay_sample

# %% [markdown] lang="ja"
# ## PyTorch で: 目標は定数
#
# 自動微分を使うと勾配を手で書かずに済みますが、**目標 $y$ に勾配を流さない**ことを自分で守らなければなりません。
# 流してしまうと、予測を目標に近づけるだけでなく、目標の方も予測に近づけてしまいます。`torch.no_grad()` の中で計算するか、`.detach()` で切り離します。
#
# 行ごとに一つの行動の値を取り出すには `q.gather(1, actions[:, None])[:, 0]` が使えます。`dones` は bool のテンソルなので `value * ~dones` や `value.masked_fill(dones, 0)` が使えます(`0.9 * ~dones` は float32 になるので、float64 の計算では精度が落ちます)。
# 結果の device と dtype は、入力のテンソルと同じにします(新しいテンソルは `torch.zeros_like` や `new_zeros` で作ります)。
#
# `td_target_torch` は勾配をもたないテンソルを返します。`dqn_loss_torch` では、`q` だけに勾配が届きます。渡される `delta` は有限です。

# %% [markdown] lang="en"
# ## In PyTorch: a target is a constant
#
# Autograd spares you the gradient, but it is up to you that **none flows into the target $y$**.
# If it did, the loss would not only move the prediction to the target but also the target to the prediction. Compute it under `torch.no_grad()`, or cut it off with `.detach()`.
#
# The value of one action a row is `q.gather(1, actions[:, None])[:, 0]`. `dones` is a boolean tensor, so `value * ~dones` and `value.masked_fill(dones, 0)` work (`0.9 * ~dones` is float32, and would cost a float64 computation its precision).
# Results have the device and dtype of the tensors given (make new tensors with `torch.zeros_like` or `new_zeros`).
#
# `td_target_torch` returns a tensor without a gradient. In `dqn_loss_torch` only `q` receives one. The `delta` given is finite.

# %%
import torch

# %% stub td_target_torch
"""1ステップの後に Q(s, a) を近づける目標。ここを通って勾配は流れない。

Args:
    rule: "sarsa"、"q_learning"、"expected_sarsa" または "double_q"。
    rewards: 報酬、(N,)。
    dones: bool。次の状態が終端なら True、(N,)。
    q_next: 値を与える Q(s', ·)、(N, A)。
    gamma: 割引率、0 … 1。
    next_actions: a'。"sarsa" で使う、(N,)。
    epsilon: 方策の ε。"expected_sarsa" で使う。
    q_select: 行動を選ぶ表の Q(s', ·)。"double_q" で使う、(N, A)。

Returns:
    (N,): r + γ ·(その規則による s' の価値)。dones なら r だけ。勾配をもたない。
"""

# %%
q_next_t = torch.tensor([[2.0, 5.0, -1.0]], requires_grad=True)
r_t, going_t = torch.tensor([1.0]), torch.tensor([False])
y = td_target_torch("q_learning", r_t, going_t, q_next_t, 0.9)
print(y, y.requires_grad)  # tensor([5.5000]) False

# %% graded td_target_torch

# %% stub dqn_loss_torch
"""ターゲットネットワークを使う DQN の損失。勾配は q だけに届く。

Args:
    q: 学習中のネットワークの Q(s, ·; θ)、(N, A)。
    actions: 取った行動 a、(N,)。
    rewards: 報酬、(N,)。
    dones: bool。次の状態が終端なら True、(N,)。
    q_next: ターゲットネットワークの Q(s', ·; θ⁻)、(N, A)。
    gamma: 割引率、0 … 1。
    delta: Huber 損失が2乗から直線に変わるところ、正の数。
    q_next_online: Q(s', ·; θ)、(N, A)。渡されたら、q_next が値を与える行動をこれが選ぶ(ダブルDQN)。

Returns:
    loss: バッチについての平均。軸のないテンソル。
"""

# %%
q_t = torch.tensor([[1.0, 2.0], [0.0, -1.0]], requires_grad=True)
actions_t, rewards_t = torch.tensor([0, 1]), torch.tensor([1.0, 0.0])
dones_t, q_next_t = torch.tensor([False, True]), torch.tensor([[3.0, 4.0], [5.0, 6.0]])
loss = dqn_loss_torch(q_t, actions_t, rewards_t, dones_t, q_next_t, 0.5)
loss.backward()
print(loss.item())  # 1.0
print(q_t.grad)  # [[-0.5, 0], [0, -0.5]]

# %% graded dqn_loss_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **DP・MC・TD の違い**: モデルが要るのは DP だけ。ブートストラップするのは DP と TD。エピソードの終わりを待つのは MC だけ。MC は偏りがなく分散が大きい。三つとも $V$ にも $Q$ にも使える。
# - **SARSA と Q学習の更新式**: SARSA は実際の次の行動 $Q(s', a')$(方策オン型)、Q学習は $\max_{a} Q(s', a)$(方策オフ型)。どちらも $Q \leftarrow Q + \alpha\,(\text{目標} - Q)$。
# - **崖歩き**: 探索を続ける SARSA は崖から離れた道を学び、Q学習は最短の道の価値を学ぶ(学習中は落ちることがある)。
# - **終端のステップ**: 目標は $r$ だけ。割引の $\gamma$ は次の報酬には掛からない。
# - **ε-greedy**: 最良の行動の確率は $1 - \varepsilon + \varepsilon / A$。
# - **DQN の二つの工夫**: ターゲットネットワークは目標の変動を抑え、経験再生は連続するデータの相関を断つ。関数近似は、状態が多すぎて表を持てないときに使う。
# - **過大評価**: 同じ推定値で選んで評価すると $\max$ は上に偏る。ダブルQ学習・ダブルDQN は「選ぶ」と「評価する」を分ける。
# - **歴史**: サミュエルのチェッカー(1959)が先駆け、サットンの TD学習(1988)、ワトキンスの Q学習(1989)、テサウロの TD-Gammon(1992)、DQN(2013年は Atari 7 種のうち 3 種で熟練者を超え、2015年の Nature 論文で 49 種に)。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **DP, MC and TD**: only DP needs a model; DP and TD bootstrap; only MC waits for the end of the episode. MC is unbiased with high variance. All three serve $V$ as well as $Q$.
# - **The updates of SARSA and Q-learning**: SARSA takes the next action really chosen, $Q(s', a')$ (on-policy); Q-learning takes $\max_{a} Q(s', a)$ (off-policy). Both are $Q \leftarrow Q + \alpha\,(\text{target} - Q)$.
# - **Cliff walking**: SARSA, which goes on exploring, learns the path away from the cliff; Q-learning learns the values of the shortest one (and may fall while it learns).
# - **A terminal step**: the target is $r$ alone. The very next reward carries no $\gamma$.
# - **ε-greedy**: the best action has the probability $1 - \varepsilon + \varepsilon / A$.
# - **The two measures of DQN**: the target network keeps the target from moving, replay breaks the correlation of consecutive data. Function approximation is for state spaces too large for a table.
# - **Overestimation**: choosing and valuing by the same estimates biases the $\max$ upwards. Double Q-learning and double DQN separate the two.
# - **History**: Samuel's checkers (1959) as forerunner, Sutton's TD learning (1988), Watkins's Q-learning (1989), Tesauro's TD-Gammon (1992), DQN (2013: better than an expert on three of seven Atari games; 49 games in the Nature paper of 2015).
