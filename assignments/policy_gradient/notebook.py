# %% [markdown] lang="ja"
# # 方策勾配法と Actor-Critic
#
# 価値を学んでから行動を決めるのではなく、**方策そのもの**にパラメータ $\theta$ をもたせ、期待収益 $J(\theta)$ が大きくなる向きに動かします。
#
# $$\theta \leftarrow \theta + \varepsilon\, \nabla_\theta J(\theta)$$
#
# 符号は**正**です(勾配上昇)。損失は小さくするので $-$、収益は大きくするので $+$ になります。
# softmax 方策のスコアから始めて、方策勾配定理、REINFORCE、アドバンテージ(GAE)、A2C・A3C の損失、そして PPO のクリップされた損失までを作ります。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $S, A$ | 状態と行動の数 | $\theta$ | 方策のパラメータ(ここではロジット) |
# | $T$ | ステップ数 | $G_t$ | 時刻 $t$ からの収益 |
# | $N$ | バッチの大きさ | $\hat A$ | アドバンテージ |
# | $\gamma$ | 割引率(`gamma`) | $\lambda$ | GAE の減衰(`lam`) |
#
# **添字の約束**: `rewards[t]` は $s_t$ での行動の後にもらう報酬です。`dones[t]` が True なら、その行動でエピソードが終わり、次の状態は終端です。終端状態の価値は 0 です。行動と状態は整数、`dones` と `terminal` は bool の配列です。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 の配列や数で返したときは、float32 の許容誤差で比べます)。
# 一回の呼び出しの制限時間は 2 秒です。入力は小さいので、ループで書いても十分に間に合います。
#
# > **よくある間違い** 「$\theta$ は方策の勾配で、更新されるのは $J$ である」。$\theta$ は方策の**パラメータ**で、更新されるのは $\theta$ です。$J$ はその結果として大きくなります。$\nabla J$ は更新の向きであり、更新式は $\theta \leftarrow \theta + \varepsilon \nabla J$ です。
#
# > **よくある間違い** 「方策 $\pi(a \mid s)$ をもつのは方策ベースの手法だけである」。価値ベースの手法にも、$Q$ から決まる greedy や ε-greedy の方策があります。方策ベースの特徴は、方策が**自分のパラメータ**をもつことです。

# %% [markdown] lang="en"
# # Policy gradients and actor–critic methods
#
# Instead of learning values first and deriving actions from them, give the **policy itself** parameters $\theta$ and move them so that the expected return $J(\theta)$ grows.
#
# $$\theta \leftarrow \theta + \varepsilon\, \nabla_\theta J(\theta)$$
#
# The sign is **plus** (gradient ascent): a loss is to shrink, hence $-$; a return is to grow, hence $+$.
# Starting from the score of a softmax policy you will build the policy gradient theorem, REINFORCE, advantages (GAE), the loss of A2C and A3C, and finally the clipped loss of PPO.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $S, A$ | number of states and actions | $\theta$ | parameters of the policy (here: logits) |
# | $T$ | number of steps | $G_t$ | return from step $t$ on |
# | $N$ | size of a batch | $\hat A$ | advantage |
# | $\gamma$ | discount (`gamma`) | $\lambda$ | decay of GAE (`lam`) |
#
# **Indices**: `rewards[t]` is the reward that follows the action in $s_t$. Where `dones[t]` is True this action ended the episode and the next state is terminal. The value of a terminal state is 0. Actions and states are arrays of integers, `dones` and `terminal` of booleans.
#
# Leave the arrays that you are given unchanged. Compute in float64 (arrays and numbers that come back in float32 are compared within the tolerance of float32).
# One call may take 2 seconds; the inputs are small, and loops are fast enough.
#
# > **Common mistake** "$\theta$ is the gradient of the policy, and $J$ is updated." $\theta$ are the policy's **parameters**, and it is they that are updated; $J$ grows as a consequence. $\nabla J$ is the direction, $\theta \leftarrow \theta + \varepsilon \nabla J$ the update.
#
# > **Common mistake** "Only policy-based methods have a policy $\pi(a \mid s)$." Value-based methods have one too, greedy or ε-greedy on $Q$. What is special here is that the policy has **parameters of its own**.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## softmax 方策とスコア
#
# 方策 $\pi(a \mid s)$ は、状態から行動の確率への関数です。ロジット $x$ の softmax を使うと、確率は必ず正で和が 1 になります。
#
# $$\log \pi(a \mid s) = x_a - \log \sum_b e^{x_b}, \qquad \frac{\partial \log \pi(a \mid s)}{\partial x} = e_a - \pi(\cdot \mid s)$$
#
# $e_a$ は行動 $a$ の one-hot ベクトルです。この勾配 $\nabla \log \pi$ を**スコア関数**と呼びます。取った行動のロジットを上げ、ほかの行動をその確率に比例して下げる向きです。
#
# **例**: ロジット $(1, 3)$ なら $\pi = (0.1192, 0.8808)$、$\log \pi = (-2.1269, -0.1269)$。行動 1 を取ったときのスコアは $(0, 1) - \pi = (-0.1192, 0.1192)$ です。
#
# なぜ $\nabla \pi$ ではなく $\nabla \log \pi = \nabla \pi / \pi$ なのでしょうか。行動は $\pi$ に従って抽出されるので、よく選ばれる行動ほど何度も足されます。$\pi$ で割るのは、その偏りの補正です。
#
# $\pi$ で平均したスコアは $\sum_a \pi(a)(e_a - \pi) = 0$ です。このことは、後でベースラインのところで使います。
#
# **約束**: ロジットが $\pm 1000$ でもオーバーフローしてはいけません。行ごとに最大値を引いてから $\exp$ を計算します。$\log$ は確率が 0 に丸められる前にとります。

# %% [markdown] lang="en"
# ## A softmax policy and its score
#
# A policy $\pi(a \mid s)$ maps a state to probabilities of actions. The softmax of logits $x$ makes them positive and of sum 1.
#
# $$\log \pi(a \mid s) = x_a - \log \sum_b e^{x_b}, \qquad \frac{\partial \log \pi(a \mid s)}{\partial x} = e_a - \pi(\cdot \mid s)$$
#
# $e_a$ is the one-hot vector of action $a$. This gradient $\nabla \log \pi$ is called the **score function**: it raises the logit of the action taken and lowers the others in proportion to their probabilities.
#
# **Example**: logits $(1, 3)$ give $\pi = (0.1192, 0.8808)$ and $\log \pi = (-2.1269, -0.1269)$. If action 1 was taken, the score is $(0, 1) - \pi = (-0.1192, 0.1192)$.
#
# Why $\nabla \log \pi = \nabla \pi / \pi$ and not $\nabla \pi$? Actions are sampled from $\pi$, so that a frequent one is added often; the division by $\pi$ makes up for it.
#
# Averaged over $\pi$ the score is $\sum_a \pi(a)(e_a - \pi) = 0$. You will need this for the baseline below.
#
# **Fixed here**: logits of $\pm 1000$ must not overflow. Subtract the maximum of each row before $\exp$, and take the $\log$ before a probability can round to 0.

# %% stub softmax_policy
"""softmax 方策と、取った行動のスコア(Sutton & Barto 式 13.2、13.9)。

Args:
    logits: 行動の選好(ロジット)、(N, A)。
    actions: 各行で取った行動、0 … A-1、(N,)。

Returns:
    logp: log π(·|s)。どんな大きさのロジットでも有限、(N, A)。
    score: ∂ log π(a|s) / ∂logits = e_a - π、(N, A)。
"""

# %%
logp, score = softmax_policy(np.array([[0.0, 0.0], [1.0, 3.0]]), np.array([0, 1]))
print(logp.round(4))  # [[-0.6931, -0.6931], [-2.1269, -0.1269]]
print(score.round(4))  # [[0.5, -0.5], [-0.1192, 0.1192]]
big = softmax_policy(np.array([[1000.0, -1000.0]]), np.array([0]))
print(big)  # [[0, -2000]], [[0, 0]]

# %% graded softmax_policy

# %% [markdown] lang="ja"
# ## 将来の収益(reward-to-go)
#
# 行動が変えられるのは、**その行動より後**の報酬だけです。そこで、時刻 $t$ の行動は $t$ 以降の収益
#
# $$G_t = r_t + \gamma\, G_{t+1}, \qquad \text{エピソードの終わりでは } G_t = r_t$$
#
# で評価します。エピソード全体の収益を使っても期待値は同じですが、関係のない過去の報酬の分だけ分散が大きくなります。
#
# ![それぞれの時刻で数える報酬の図](credit.svg)
#
# **例**: 報酬 $(1, 0, -2, 3)$、$\gamma = 0.9$、2番目の行動でエピソードが終わり、後の二つは次のエピソードです。最後は終端ではなく、配列が切れただけで、$V(s_4) = 4$ とします。
#
# - $G_3 = 3 + 0.9 \cdot 4 = 6.6$、$G_2 = -2 + 0.9 \cdot 6.6 = 3.94$
# - $G_1 = 0$(エピソードの終わりなので、次のエピソードの 3.94 は入らない)、$G_0 = 1 + 0.9 \cdot 0 = 1$
#
# **約束**: `bootstrap` は、配列が切れたところの $V(s_T)$ で、$G_T$ の代わりになります。最後のステップが終端なら使いません。配列は空でもかまいません。

# %% [markdown] lang="en"
# ## Rewards to go
#
# An action can change only the rewards that come **after** it. The action at step $t$ is therefore judged by the return from $t$ on,
#
# $$G_t = r_t + \gamma\, G_{t+1}, \qquad G_t = r_t \text{ at the end of an episode.}$$
#
# The return of the whole episode would have the same expectation, but the past rewards, which have nothing to do with the action, would add to the variance.
#
# ![rewards that count for each step](credit.svg)
#
# **Example**: rewards $(1, 0, -2, 3)$, $\gamma = 0.9$; the second action ends its episode, the last two belong to the next one. The array is merely cut off after it, in a state with $V(s_4) = 4$.
#
# - $G_3 = 3 + 0.9 \cdot 4 = 6.6$, $G_2 = -2 + 0.9 \cdot 6.6 = 3.94$
# - $G_1 = 0$ (the episode ends here: the 3.94 of the next one stays out), $G_0 = 1 + 0.9 \cdot 0 = 1$
#
# **Fixed here**: `bootstrap` is $V(s_T)$ where the array is cut off, and takes the place of $G_T$; it is not used if the last step is an end. The array may be empty.

# %% stub rewards_to_go
"""それぞれの時刻からの収益: その時刻の行動がまだ変えられるもの。

    G_t = r_t + γ G_{t+1}、エピソードの終わりでは G_t = r_t

Args:
    rewards: r_0, …, r_{T-1}。一つのエピソード、または続けて並べた複数のエピソード、(T,)。
    dones: そのステップでエピソードが終わったなら True、(T,)。
    gamma: 割引率、0 … 1。
    bootstrap: 配列が切れただけのときに G_T の代わりになる V(s_T)。最後のステップが終わりなら使わない。

Returns:
    (T,): G_t。
"""

# %%
rewards = np.array([1.0, 0.0, -2.0, 3.0])
dones = np.array([False, True, False, False])
print(rewards_to_go(rewards, dones, 0.9))  # [1., 0., 0.7, 3.]
print(rewards_to_go(rewards, dones, 0.9, 4.0))  # [1., 0., 3.94, 6.6]

# %% graded rewards_to_go

# %% [markdown] lang="ja"
# ## 方策勾配定理
#
# 期待**収益** $J(\theta) = \sum_s p_0(s) V^\pi(s)$ の勾配を考えます($p_0$ は $s_0$ の分布 `start`)。$Q^\pi$ も $\theta$ に依存しますが、その微分を後の時刻へ次々に展開すると、
# 訪れる**すべての状態**の項が現れ、$Q^\pi$ の微分は消えます。これが方策勾配定理です。
#
# $$\nabla J = \sum_s d(s) \sum_a Q^\pi(s, a)\, \nabla \pi(a \mid s) = \mathbb{E}_\pi\Big[\sum_t \gamma^t\, Q^\pi(s_t, a_t)\, \nabla \log \pi(a_t \mid s_t)\Big], \qquad d(s) = \sum_t \gamma^t \Pr(s_t = s)$$
#
# 右辺の期待値は、**今の方策 $\pi$ で集めたデータ**についてのものです(方策オン型)。
#
# 状態ごとにロジット $\theta[s, \cdot]$ をもつ softmax 方策では、$\partial \pi(b) / \partial \theta[s, a] = \pi(b)\,(\mathbb{1}[a = b] - \pi(a))$ なので、$V = \sum_a \pi Q$ がひとりでに現れます。
#
# $$\frac{\partial J}{\partial \theta[s, a]} = d(s)\, \pi(a \mid s)\, \big(Q(s, a) - V(s)\big), \qquad d = (I - \gamma P_\pi^\top)^{-1} p_0, \qquad V = (I - \gamma P_\pi)^{-1} r_\pi$$
#
# ここで $P_\pi(s, s') = \sum_a \pi(a \mid s) P(s' \mid s, a)$、$r_\pi(s) = \sum_a \pi(a \mid s) R(s, a)$ です。
#
# **例**: 状態 0 と終端 1。行動 0 は報酬 1 で、確率 ½ で状態 0 に留まり、½ で終わる。行動 1 は報酬 0 で必ず終わる。$\theta = 0$、$\gamma = 1$ とすると、
#
# - $V = \tfrac12 (1 + \tfrac12 V)$ より $V = J = \tfrac23$。$Q = (1 + \tfrac12 \cdot \tfrac23,\ 0) = (\tfrac43, 0)$。
# - 留まる確率は $\tfrac12 \cdot \tfrac12 = \tfrac14$ なので $d(0) = 1 / (1 - \tfrac14) = \tfrac43$。
# - 勾配は $\tfrac43 \cdot \tfrac12 \cdot (\tfrac43 - \tfrac23) = \tfrac49$ と $-\tfrac49$。行の和は 0 です。
#
# **約束**: `visits` は $d$ そのもので、正規化しません(終端がなければ和は $1/(1-\gamma)$)。終端では `visits` も勾配も 0 とし、終端の行の $P$ と $R$ に何が入っていても使いません。返すのは $J$ が**増える**向きです。
#
# > **よくある間違い** 「$J = \sum_a \pi Q$ だから、一つの状態で $\sum_a Q\, \nabla \pi$ を計算すればよい」。$Q$ も $\theta$ に依存するので、それでは後の状態での選び方の効果が落ちます。訪れるすべての状態を $d(s)$ で重み付けします。
#
# > **よくある間違い** 「$J$ は期待報酬である」。$J$ は一歩の報酬ではなく、**収益**の期待値です。
#
# $J$ の定義は二つあり、**状態の重みと $Q$ の意味**が変わります。
#
# | $J$ の定義 | 状態の重み | $Q$ |
# |---|---|---|
# | 割引報酬和 $\mathbb{E}[\sum_t \gamma^t r_t]$ | 割引された訪問回数 $d(s)$ | 割引された収益 |
# | 平均報酬 $\bar r = \sum_s d^\pi(s) \sum_a \pi(a \mid s) R(s, a)$ | 定常分布 $d^\pi(s)$ | $\bar r$ との差の和 |
#
# 平均報酬には、出発点によらない定常分布が必要です。その定常分布から始めると $d = d^\pi / (1 - \gamma)$ となり、割引報酬和の $J$ は、ちょうど $\bar r / (1 - \gamma)$ です。

# %% [markdown] lang="en"
# ## The policy gradient theorem
#
# Take the gradient of the expected **return** $J(\theta) = \sum_s p_0(s) V^\pi(s)$, where $p_0$ (`start`) is the distribution of $s_0$. $Q^\pi$ depends on $\theta$ as well; but if its derivative is expanded step after step,
# terms of **all states visited** appear, and no derivative of $Q^\pi$ is left. This is the policy gradient theorem.
#
# $$\nabla J = \sum_s d(s) \sum_a Q^\pi(s, a)\, \nabla \pi(a \mid s) = \mathbb{E}_\pi\Big[\sum_t \gamma^t\, Q^\pi(s_t, a_t)\, \nabla \log \pi(a_t \mid s_t)\Big], \qquad d(s) = \sum_t \gamma^t \Pr(s_t = s)$$
#
# The expectation on the right is over data collected with **the present policy $\pi$** (on-policy).
#
# For a softmax policy with logits $\theta[s, \cdot]$ of its own in each state, $\partial \pi(b) / \partial \theta[s, a] = \pi(b)\,(\mathbb{1}[a = b] - \pi(a))$, and $V = \sum_a \pi Q$ appears by itself:
#
# $$\frac{\partial J}{\partial \theta[s, a]} = d(s)\, \pi(a \mid s)\, \big(Q(s, a) - V(s)\big), \qquad d = (I - \gamma P_\pi^\top)^{-1} p_0, \qquad V = (I - \gamma P_\pi)^{-1} r_\pi$$
#
# with $P_\pi(s, s') = \sum_a \pi(a \mid s) P(s' \mid s, a)$ and $r_\pi(s) = \sum_a \pi(a \mid s) R(s, a)$.
#
# **Example**: state 0 and an end, 1. Action 0 pays 1 and stays in state 0 with probability ½, else ends; action 1 pays 0 and ends. With $\theta = 0$ and $\gamma = 1$:
#
# - $V = \tfrac12 (1 + \tfrac12 V)$, so $V = J = \tfrac23$, and $Q = (1 + \tfrac12 \cdot \tfrac23,\ 0) = (\tfrac43, 0)$.
# - The chain stays with probability $\tfrac12 \cdot \tfrac12 = \tfrac14$, so $d(0) = 1 / (1 - \tfrac14) = \tfrac43$.
# - The gradient is $\tfrac43 \cdot \tfrac12 \cdot (\tfrac43 - \tfrac23) = \tfrac49$ and $-\tfrac49$. The row sums to 0.
#
# **Fixed here**: `visits` is $d$ itself, not normalised (without ends it sums to $1/(1-\gamma)$). At ends `visits` and the gradient are 0, and whatever their rows of $P$ and $R$ hold is not used. The gradient points to where $J$ **grows**.
#
# > **Common mistake** "$J = \sum_a \pi Q$, so take $\sum_a Q\, \nabla \pi$ in one state." $Q$ depends on $\theta$ too, and the effect of choosing differently in later states is lost. All states visited count, with the weight $d(s)$.
#
# > **Common mistake** "$J$ is the expected reward." It is the expectation of the **return**, not of the reward of one step.
#
# $J$ has two definitions, which differ in **the weights of the states and the meaning of $Q$**.
#
# | $J$ | weight of a state | $Q$ |
# |---|---|---|
# | discounted sum $\mathbb{E}[\sum_t \gamma^t r_t]$ | discounted visits $d(s)$ | discounted return |
# | average reward $\bar r = \sum_s d^\pi(s) \sum_a \pi(a \mid s) R(s, a)$ | stationary distribution $d^\pi(s)$ | sum of differences from $\bar r$ |
#
# The average reward needs a stationary distribution that does not depend on the start. Begun in it, the chain has $d = d^\pi / (1 - \gamma)$, and the discounted $J$ is just $\bar r / (1 - \gamma)$.

# %% stub exact_gradient
"""表形式の softmax 方策の期待収益とその勾配。モデルは既知とする(Sutton & Barto 式 13.5)。

    visits = (I - γ P_πᵀ)⁻¹ start,   ∂J/∂θ[s,a] = visits(s) π(a|s) (Q(s,a) - V(s))

Args:
    P: 遷移確率、(S, A, S)。
    R: 期待報酬、(S, A)。
    logits: 方策 π(·|s) = softmax(θ[s]) のパラメータ θ、(S, A)。
    gamma: 割引率、0 … 1。1 は、どの方策でも必ず終端に着くときだけ。
    start: s_0 の確率、(S,)。
    terminal: 終端かどうか、(S,)。

Returns:
    J: Σ_s start(s) V(s)。
    grad: ∂J/∂logits、J が増える向き、(S, A)。
    visits: Σ_t γᵗ Pr(s_t = s)。正規化しない。終端では 0、(S,)。
"""

# %%
P = np.array([[[0.5, 0.5], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
R = np.array([[1.0, 0.0], [0.0, 0.0]])
start, terminal = np.array([1.0, 0.0]), np.array([False, True])
J, grad, visits = exact_gradient(P, R, np.zeros((2, 2)), 1.0, start, terminal)
print(round(J, 4), visits.round(4))  # 0.6667 [1.3333, 0]
print(grad.round(4))  # [[0.4444, -0.4444], [0, 0]]

# %% graded exact_gradient

# %% [markdown] lang="ja"
# ## REINFORCE とベースライン
#
# モデルがなければ、期待値を標本で置き換えます。今の方策でエピソードを一つ生成し、$Q^\pi(s_t, a_t)$ の代わりに実際の収益 $G_t$ を使います(モンテカルロ法)。
#
# $$\Delta\theta = \sum_t \gamma^t\, \big(G_t - b(s_t)\big)\, \nabla \log \pi(a_t \mid s_t)$$
#
# $b$ は**ベースライン**です。スコアの平均は 0 なので、状態だけに依存する $b(s)$ を引いても、期待値は変わりません($\mathbb{E}[b(s) \nabla \log \pi] = 0$)。行動に依存してはいけません。
#
# **例(ベースラインの効果)**: 一つの状態、確率 ½ ずつの二つの行動、収益は 3 と 1。最初のロジットの勾配は、行動 0 なら $(3 - b) \cdot \tfrac12$、行動 1 なら $(1 - b) \cdot (-\tfrac12)$。
# 平均はどの $b$ でも $\tfrac12$ で、分散は $\tfrac14 (2 - b)^2$ です。$b = 0$ で 1、$b = 2$(平均の収益)で 0、$b = 4$ では再び 1 です。
#
# **例(計算)**: $\theta = 0$、状態 $(0, 1, 0)$、行動 $(1, 0, 0)$、報酬 $(1, 0, 2)$、$\gamma = 0.5$。$G = (1.5, 1, 2)$、重み $\gamma^t = (1, 0.5, 0.25)$。
#
# - 状態 0 の行: $1 \cdot 1.5 \cdot (-\tfrac12, \tfrac12) + 0.25 \cdot 2 \cdot (\tfrac12, -\tfrac12) = (-0.5, 0.5)$
# - 状態 1 の行: $0.5 \cdot 1 \cdot (\tfrac12, -\tfrac12) = (0.25, -0.25)$
#
# **約束**: エピソードは完結しています(最後の後は終端)。時刻については**和**で、平均ではありません。返すのは上昇の向きです。`discount_steps=True` なら $\gamma^t$ を掛けます。割引された $J$ の不偏な推定になるのは、このときだけです。
# A3C や PPO、多くの実装はこれを省きます(`discount_steps=False`)。同じ状態を何度訪れても、すべて足します(numpy では `grad[states] += …` が重複を一度しか数えないことに注意)。
#
# > **よくある間違い** 「方策ベースの手法は、価値 $V$ を推定して方策を決める」。REINFORCE に価値は要りません。$V$ は、分散を小さくするためのベースラインやクリティックとして登場します。
#
# > **よくある間違い** 古い方策で集めたエピソードを使い回す。期待値は今の方策についてのものなので、古いデータには確率の比による補正が必要です。PPO はそこから始まります。

# %% [markdown] lang="en"
# ## REINFORCE and the baseline
#
# Without a model the expectation gives way to samples: generate an episode with the present policy and take the return $G_t$ that was really obtained for $Q^\pi(s_t, a_t)$ (Monte Carlo).
#
# $$\Delta\theta = \sum_t \gamma^t\, \big(G_t - b(s_t)\big)\, \nabla \log \pi(a_t \mid s_t)$$
#
# $b$ is the **baseline**. The score has mean 0, so that subtracting a $b(s)$ which depends on the state alone leaves the expectation as it is ($\mathbb{E}[b(s) \nabla \log \pi] = 0$). It must not depend on the action.
#
# **Example (what a baseline does)**: one state, two actions with probability ½ each, returns 3 and 1. The gradient of the first logit is $(3 - b) \cdot \tfrac12$ after action 0 and $(1 - b) \cdot (-\tfrac12)$ after action 1.
# Its mean is $\tfrac12$ for every $b$, its variance $\tfrac14 (2 - b)^2$: 1 for $b = 0$, 0 for $b = 2$ (the mean return), and 1 again for $b = 4$.
#
# **Example (by hand)**: $\theta = 0$, states $(0, 1, 0)$, actions $(1, 0, 0)$, rewards $(1, 0, 2)$, $\gamma = 0.5$. $G = (1.5, 1, 2)$, weights $\gamma^t = (1, 0.5, 0.25)$.
#
# - Row of state 0: $1 \cdot 1.5 \cdot (-\tfrac12, \tfrac12) + 0.25 \cdot 2 \cdot (\tfrac12, -\tfrac12) = (-0.5, 0.5)$
# - Row of state 1: $0.5 \cdot 1 \cdot (\tfrac12, -\tfrac12) = (0.25, -0.25)$
#
# **Fixed here**: the episode is complete (an end comes after the last step). It is a **sum** over the steps, not a mean, and points uphill. `discount_steps=True` keeps the factor $\gamma^t$; only then is the estimate unbiased for the discounted $J$.
# A3C, PPO and most code leave it out (`discount_steps=False`). A state that is visited several times is added every time (in numpy, `grad[states] += …` counts duplicates only once).
#
# > **Common mistake** "Policy-based methods estimate $V$ and derive the policy from it." REINFORCE needs no value at all; $V$ enters as baseline or critic, to lower the variance.
#
# > **Common mistake** Reusing episodes of an older policy. The expectation is over the present one; older data need to be corrected by a ratio of probabilities, which is where PPO begins.

# %% stub reinforce_gradient
"""一つのエピソードから推定した J の勾配(Williams 1992; Sutton & Barto §13.4 の囲み)。

    Σ_t γᵗ (G_t - b(s_t)) ∇ log π(a_t|s_t)

Args:
    logits: 方策 π(·|s) = softmax(θ[s]) のパラメータ θ、(S, A)。
    states: 完結した一つのエピソードの s_t、(T,)。
    actions: この方策から抽出した a_t、(T,)。
    rewards: r_t、(T,)。
    gamma: 割引率、0 … 1。
    baseline: b(s)、(S,)。None なら 0。
    discount_steps: 時刻 t に重み γᵗ を掛けるかどうか。掛けなければ、割引された J の推定としては偏る。

Returns:
    (S, A): 時刻についての和。J が増える向き。
"""

# %%
states, actions = np.array([0, 1, 0]), np.array([1, 0, 0])
rewards = np.array([1.0, 0.0, 2.0])
print(reinforce_gradient(np.zeros((2, 2)), states, actions, rewards, 0.5))
# [[-0.5, 0.5], [0.25, -0.25]]
b = np.array([0.5, 1.0])
print(reinforce_gradient(np.zeros((2, 2)), states, actions, rewards, 0.5, b, False))
# [[0.25, -0.25], [0, 0]]

# %% graded reinforce_gradient

# %% [markdown] lang="ja"
# ## アドバンテージと GAE
#
# **アドバンテージ** $A(s, a) = Q(s, a) - V(s)$ は、その行動が方策の平均よりどれだけ良いかを表します。$V$ をベースラインとして学習する部分を**クリティック**、方策を**アクター**と呼びます。
#
# ![アクターとクリティックの図](actor_and_critic.svg)
#
# $Q$ の見積もり方には幅があります。一歩だけ見る TD誤差 $\delta_t$ は分散が小さい代わりに $V$ の誤りで偏り、最後まで見る $G_t - V(s_t)$ は偏らない代わりに分散が大きくなります。
# GAE(generalized advantage estimation)は、その間を $\lambda$ で結びます。
#
# $$\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t), \qquad \hat A_t = \sum_{l \ge 0} (\gamma\lambda)^l\, \delta_{t+l} = \delta_t + \gamma\lambda\, \hat A_{t+1}$$
#
# $\lambda = 0$ なら $\delta_t$、$\lambda = 1$ なら $G_t - V(s_t)$ です。クリティックの目標は $\hat A_t + V(s_t)$ です。
#
# **例**: 報酬 $(1, 0, -2, 3)$、$V = (0.5, 1, -1, 2, 4)$、2番目の行動で終わり、$\gamma = 0.9$、$\lambda = 0.8$($\gamma\lambda = 0.72$)。
#
# - $\delta_3 = 3 + 0.9 \cdot 4 - 2 = 4.6$、$\delta_2 = -2 + 0.9 \cdot 2 + 1 = 0.8$、$\delta_1 = 0 - 1 = -1$(終端の価値は 0)、$\delta_0 = 1 + 0.9 \cdot 1 - 0.5 = 1.4$
# - $\hat A_3 = 4.6$、$\hat A_2 = 0.8 + 0.72 \cdot 4.6 = 4.112$、$\hat A_1 = -1$(次のエピソードへは足さない)、$\hat A_0 = 1.4 + 0.72 \cdot (-1) = 0.68$
# - 目標は $V$ を足して $(1.18, 0, 3.112, 6.6)$
#
# **約束**: `dones[t]` が True なら、$V(s_{t+1})$ も $\hat A_{t+1}$ も 0 とします。配列の終わりは、終端でなければ `values[T]` で閉じます。
#
# > **よくある間違い** アドバンテージをクリティックの目標にする。$V$ が近づくべきなのは収益(`targets`)です。正しい $V$ のアドバンテージは平均 0 であり、それを目標にすると $V$ は 0 へ向かってしまいます。

# %% [markdown] lang="en"
# ## Advantages and GAE
#
# The **advantage** $A(s, a) = Q(s, a) - V(s)$ says how much better an action is than the policy's average. What learns $V$, the baseline, is called the **critic**; the policy is the **actor**.
#
# ![actor, critic and environment](actor_and_critic.svg)
#
# $Q$ can be estimated in many ways. The TD error $\delta_t$, which looks one step ahead, has little variance but is biased by the errors of $V$; $G_t - V(s_t)$, which looks to the end, is unbiased but varies a lot.
# GAE (generalized advantage estimation) joins the two by $\lambda$.
#
# $$\delta_t = r_t + \gamma V(s_{t+1}) - V(s_t), \qquad \hat A_t = \sum_{l \ge 0} (\gamma\lambda)^l\, \delta_{t+l} = \delta_t + \gamma\lambda\, \hat A_{t+1}$$
#
# $\lambda = 0$ is $\delta_t$, $\lambda = 1$ is $G_t - V(s_t)$. The critic is moved towards $\hat A_t + V(s_t)$.
#
# **Example**: rewards $(1, 0, -2, 3)$, $V = (0.5, 1, -1, 2, 4)$, an end after the second action, $\gamma = 0.9$, $\lambda = 0.8$ ($\gamma\lambda = 0.72$).
#
# - $\delta_3 = 3 + 0.9 \cdot 4 - 2 = 4.6$, $\delta_2 = -2 + 0.9 \cdot 2 + 1 = 0.8$, $\delta_1 = 0 - 1 = -1$ (an end is worth 0), $\delta_0 = 1 + 0.9 \cdot 1 - 0.5 = 1.4$
# - $\hat A_3 = 4.6$, $\hat A_2 = 0.8 + 0.72 \cdot 4.6 = 4.112$, $\hat A_1 = -1$ (nothing comes in from the next episode), $\hat A_0 = 1.4 + 0.72 \cdot (-1) = 0.68$
# - With $V$ added the targets are $(1.18, 0, 3.112, 6.6)$
#
# **Fixed here**: where `dones[t]` is True, both $V(s_{t+1})$ and $\hat A_{t+1}$ count as 0. The end of the array, unless it is an end of the episode, is closed with `values[T]`.
#
# > **Common mistake** Training the critic on the advantage. $V$ is to approach the return (`targets`). The advantages of a right $V$ have mean 0: as a target they would drive $V$ to 0.

# %% stub gae
"""一般化アドバンテージ推定(GAE 論文の式 16。配列の終わりでは PPO 論文の式 11、12 のように打ち切る)。

    δ_t = r_t + γV(s_{t+1}) - V(s_t),   Â_t = δ_t + γλ Â_{t+1};  dones では V(s_{t+1}) も Â_{t+1} も 0

Args:
    rewards: r_0, …, r_{T-1}、(T,)。
    values: V(s_0), …, V(s_T)。rewards より一つ多い。
    dones: s_{t+1} が終端なら True、(T,)。
    gamma: 割引率、0 … 1。
    lam: λ、0 … 1。0 なら TD誤差、1 なら収益 − 価値。

Returns:
    advantages: Â_t、(T,)。
    targets: Â_t + V(s_t)。クリティックを近づける目標、(T,)。
"""

# %%
rewards = np.array([1.0, 0.0, -2.0, 3.0])
values = np.array([0.5, 1.0, -1.0, 2.0, 4.0])
dones = np.array([False, True, False, False])
advantages, targets = gae(rewards, values, dones, 0.9, 0.8)
print(advantages, targets)  # [0.68, -1, 4.112, 4.6] [1.18, 0, 3.112, 6.6]
print(gae(rewards, values, dones, 0.9, 0.0)[0])  # [1.4, -1, 0.8, 4.6]
print(gae(rewards, values, dones, 0.9, 1.0)[0])  # [0.5, -1, 4.94, 4.6]

# %% graded gae

# %% [markdown] lang="ja"
# ## A2C と A3C の損失
#
# アクターとクリティックを一つの損失で学習します。損失なので、**小さくする**ものです。
#
# $$L = -\frac1N \sum_n \hat A_n \log \pi(a_n \mid s_n) \;+\; c_v \cdot \frac1N \sum_n (G_n - V_n)^2 \;-\; \beta \cdot \frac1N \sum_n H_n, \qquad H = -\sum_a \pi(a) \log \pi(a)$$
#
# 最後の項は**エントロピー正則化**です。方策が早いうちに一つの行動へ決まってしまうのを防ぎ、探索を続けさせます。エントロピーが大きいほど損失は小さくなります。
#
# $$\frac{\partial L}{\partial x} = \frac1N \big[ -\hat A\,(e_a - \pi) + \beta\, \pi\,(\log \pi + H) \big], \qquad \frac{\partial L}{\partial V} = \frac{2 c_v (V - G)}{N}$$
#
# **例**: ロジット $(0, 0)$ と $(1, 3)$、行動はどちらも 0、$\hat A = (1, -2)$、$V = (0.5, 1)$、$G = (1.5, -1)$、$c_v = 0.5$、$\beta = 0.01$。
#
# - 方策: $\tfrac12\,[\,1 \cdot 0.6931 + (-2) \cdot 2.1269\,] = -1.7804$
# - 価値: $0.5 \cdot \tfrac12\,[\,1^2 + (-2)^2\,] = 1.25$
# - エントロピー: $H = (0.6931, 0.3653)$、$-0.01 \cdot 0.5292 = -0.0053$。合計は $-0.5356$
#
# **約束**: $\hat A$ と $G$ は定数です(クリティックの目標を通して勾配を流さない)。$c_v$ のほかに ½ は付けません。エントロピーの単位はナット(自然対数)です。$\hat A$ は渡されたものを使い、$G - V$ から計算し直しません。
#
# **A3C**(asynchronous advantage actor-critic)では、複数のワーカーがそれぞれ自分の環境で最大 $t_{\max}$ ステップ進み、
#
# $$\hat A_t = \sum_{i<k} \gamma^i r_{t+i} + \gamma^k V(s_{t+k}) - V(s_t), \qquad k \le t_{\max}$$
#
# で勾配を求め、**互いに待たずに**共有パラメータへ送ります(論文では $t_{\max} = 5$、$\beta = 0.01$)。これは $t_{\max}$ ステップの区間についての $\lambda = 1$ の GAE です。
# 方策オン型なので経験再生は使えません。その代わり、ワーカーがばらばらの状態を経験することで、データの相関を弱めます。**A2C** は同期版で、全員を待って勾配を平均します。
#
# **例**: $r = (1, 0)$、$V(s_2) = 2$、$V(s_0) = 0.5$、$\gamma = 0.5$ なら、$\hat A_0 = 1 + 0.5 \cdot 0 + 0.25 \cdot 2 - 0.5 = 1$ です。

# %% [markdown] lang="en"
# ## The loss of A2C and A3C
#
# Actor and critic learn from one loss. Being a loss, it is to be made **smaller**.
#
# $$L = -\frac1N \sum_n \hat A_n \log \pi(a_n \mid s_n) \;+\; c_v \cdot \frac1N \sum_n (G_n - V_n)^2 \;-\; \beta \cdot \frac1N \sum_n H_n, \qquad H = -\sum_a \pi(a) \log \pi(a)$$
#
# The last part is the **entropy bonus** (entropy regularisation): it keeps the policy from settling on one action too early, so that it goes on exploring. The more entropy, the smaller the loss.
#
# $$\frac{\partial L}{\partial x} = \frac1N \big[ -\hat A\,(e_a - \pi) + \beta\, \pi\,(\log \pi + H) \big], \qquad \frac{\partial L}{\partial V} = \frac{2 c_v (V - G)}{N}$$
#
# **Example**: logits $(0, 0)$ and $(1, 3)$, action 0 in both, $\hat A = (1, -2)$, $V = (0.5, 1)$, $G = (1.5, -1)$, $c_v = 0.5$, $\beta = 0.01$.
#
# - Policy: $\tfrac12\,[\,1 \cdot 0.6931 + (-2) \cdot 2.1269\,] = -1.7804$
# - Value: $0.5 \cdot \tfrac12\,[\,1^2 + (-2)^2\,] = 1.25$
# - Entropy: $H = (0.6931, 0.3653)$, $-0.01 \cdot 0.5292 = -0.0053$. The sum is $-0.5356$
#
# **Fixed here**: $\hat A$ and $G$ are constants (no gradient through the critic's target). There is no ½ beside $c_v$. Entropy is in nats (natural logarithm). $\hat A$ is taken as it is passed in, not computed anew from $G - V$.
#
# In **A3C** (asynchronous advantage actor-critic) several workers, each in an environment of its own, go at most $t_{\max}$ steps, compute gradients with
#
# $$\hat A_t = \sum_{i<k} \gamma^i r_{t+i} + \gamma^k V(s_{t+k}) - V(s_t), \qquad k \le t_{\max},$$
#
# and send them to shared parameters **without waiting for each other** (the paper has $t_{\max} = 5$, $\beta = 0.01$). This is GAE with $\lambda = 1$ on a segment of $t_{\max}$ steps.
# The method is on-policy and cannot use a replay memory; instead the workers, who see different states, decorrelate the data. **A2C** is the synchronous form: it waits for all workers and averages their gradients.
#
# **Example**: $r = (1, 0)$, $V(s_2) = 2$, $V(s_0) = 0.5$, $\gamma = 0.5$: $\hat A_0 = 1 + 0.5 \cdot 0 + 0.25 \cdot 2 - 0.5 = 1$.

# %% stub a2c_loss
"""アクターとクリティックの損失。エントロピー正則化を含む(A3C 論文 §4 と補遺の Algorithm S3)。

    L = -mean(Â log π(a|s)) + c_v mean((G - V)²) - β mean(H),   H = -Σ_a π log π

Args:
    logits: アクターの出力、(N, A)。
    values: クリティックの V(s)、(N,)。
    actions: 取った行動、0 … A-1、(N,)。
    advantages: Â。定数、(N,)。
    returns: G。クリティックの目標で、定数、(N,)。
    value_coef: c_v、0 以上。
    entropy_coef: β、0 以上。

Returns:
    loss: L。エントロピーはナット。
    dlogits: ∂L/∂logits、(N, A)。
    dvalues: ∂L/∂values、(N,)。
"""

# %%
logits, values = np.array([[0.0, 0.0], [1.0, 3.0]]), np.array([0.5, 1.0])
actions, advantages = np.array([0, 0]), np.array([1.0, -2.0])
returns = np.array([1.5, -1.0])
loss, dlogits, dvalues = a2c_loss(logits, values, actions, advantages, returns)
print(round(loss, 4))  # -0.5356
print(dlogits.round(4))  # [[-0.25, 0.25], [0.8797, -0.8797]]
print(dvalues)  # [-0.5, 1]

# %% graded a2c_loss

# %% [markdown] lang="ja"
# ## PPO: 比とクリップ
#
# 同じデータで何度も更新すると、データを集めた方策 $\pi_{\text{old}}$ と今の方策 $\pi$ がずれていきます。PPO は**確率の比** $r$ でそれを補正し、離れすぎないように**クリップ**します。
#
# $$r = \frac{\pi(a \mid s)}{\pi_{\text{old}}(a \mid s)} = e^{\log \pi - \log \pi_{\text{old}}}, \qquad L = -\frac1N \sum_n \min\!\big(r_n \hat A_n,\ \mathrm{clip}(r_n, 1-\varepsilon, 1+\varepsilon)\, \hat A_n\big)$$
#
# $\min$ は**控えめな方**を残します。そのため、クリップが効くのは片側だけです。
#
# ![クリップされた目的関数の図](clipped_objective.svg)
#
# | | $r < 1 - \varepsilon$ | 範囲の中 | $r > 1 + \varepsilon$ |
# |---|---|---|---|
# | $\hat A > 0$ | 勾配あり | 勾配あり | **勾配 0** |
# | $\hat A < 0$ | **勾配 0** | 勾配あり | 勾配あり |
#
# 良い行動の確率をもう十分に上げた($r > 1 + \varepsilon$)、または悪い行動の確率をもう十分に下げた($r < 1 - \varepsilon$)ときだけ止めます。
# 逆に、良い行動の確率が下がっている、悪い行動の確率が上がっているときは、範囲の外でも勾配を残して直します。勾配がある場合は $\partial r / \partial x = r\,(e_a - \pi)$ なので
#
# $$\frac{\partial L}{\partial x} = -\frac1N\, r\, \hat A\, (e_a - \pi)$$
#
# **例**: $\pi = \tfrac12$ で固定し、$\varepsilon = 0.2$ とします。
#
# | $\pi_{\text{old}}$ | $r$ | $\hat A$ | $r \hat A$ | $\mathrm{clip}(r) \hat A$ | $\min$ | 勾配 |
# |---|---|---|---|---|---|---|
# | 0.4 | 1.25 | 1 | 1.25 | 1.2 | 1.2 | 0 |
# | 0.25 | 2 | 2 | 4 | 2.4 | 2.4 | 0 |
# | 0.8 | 0.625 | −1 | −0.625 | −0.8 | −0.8 | 0 |
# | 0.5 | 1 | −2 | −2 | −2 | −2 | あり |
#
# 平均は $(1.2 + 2.4 - 0.8 - 2)/4 = 0.2$ なので、損失は $-0.2$ です。
#
# **約束**: `old_logp` は確率ではなく**対数**です。$\hat A$ は渡されたまま使います(この関数の中では標準化しません)。$r$ がちょうど $1 \pm \varepsilon$ の場合は採点しません。
# 更新の初めは $r = 1$ で、勾配は A2C の方策の項と同じです。よく使われる値は $\gamma = 0.99$、$\lambda = 0.95$、$\varepsilon = 0.2$ です。
#
# > **よくある間違い** 「方策勾配法、PPO、DDPG は並んだ別々の手法である」。PPO は方策勾配法の**一種**です。DDPG は決定的な方策 $\mu(s)$ をもつアクター・クリティックで、勾配は $\nabla_a Q \cdot \nabla_\theta \mu$ となり、$\log \pi$ は現れません。

# %% [markdown] lang="en"
# ## PPO: the ratio and the clip
#
# If the same data are used for several updates, the present policy $\pi$ moves away from $\pi_{\text{old}}$, which collected them. PPO corrects for it by the **ratio of probabilities** $r$, and **clips** it to keep the two close.
#
# $$r = \frac{\pi(a \mid s)}{\pi_{\text{old}}(a \mid s)} = e^{\log \pi - \log \pi_{\text{old}}}, \qquad L = -\frac1N \sum_n \min\!\big(r_n \hat A_n,\ \mathrm{clip}(r_n, 1-\varepsilon, 1+\varepsilon)\, \hat A_n\big)$$
#
# The $\min$ keeps the **more cautious** of the two. The clip therefore bites on one side only.
#
# ![the clipped objective of one sample](clipped_objective.svg)
#
# | | $r < 1 - \varepsilon$ | inside | $r > 1 + \varepsilon$ |
# |---|---|---|---|
# | $\hat A > 0$ | gradient | gradient | **gradient 0** |
# | $\hat A < 0$ | **gradient 0** | gradient | gradient |
#
# Only where a good action has been made likely enough ($r > 1 + \varepsilon$), or a bad one unlikely enough ($r < 1 - \varepsilon$), does it stop.
# Where a good action has become less likely, or a bad one likelier, the gradient remains even outside the range, to repair it. There $\partial r / \partial x = r\,(e_a - \pi)$ gives
#
# $$\frac{\partial L}{\partial x} = -\frac1N\, r\, \hat A\, (e_a - \pi)$$
#
# **Example**: $\pi = \tfrac12$ throughout, $\varepsilon = 0.2$.
#
# | $\pi_{\text{old}}$ | $r$ | $\hat A$ | $r \hat A$ | $\mathrm{clip}(r) \hat A$ | $\min$ | gradient |
# |---|---|---|---|---|---|---|
# | 0.4 | 1.25 | 1 | 1.25 | 1.2 | 1.2 | 0 |
# | 0.25 | 2 | 2 | 4 | 2.4 | 2.4 | 0 |
# | 0.8 | 0.625 | −1 | −0.625 | −0.8 | −0.8 | 0 |
# | 0.5 | 1 | −2 | −2 | −2 | −2 | yes |
#
# The mean is $(1.2 + 2.4 - 0.8 - 2)/4 = 0.2$, so the loss is $-0.2$.
#
# **Fixed here**: `old_logp` holds **logarithms**, not probabilities. $\hat A$ is used as it is (nothing is standardised inside this function). A ratio of exactly $1 \pm \varepsilon$ is not graded.
# At the first update $r = 1$, and the gradient is that of A2C's policy term. Usual settings are $\gamma = 0.99$, $\lambda = 0.95$, $\varepsilon = 0.2$.
#
# > **Common mistake** "Policy gradients, PPO and DDPG are three methods side by side." PPO **is** a policy gradient method. DDPG is an actor–critic with a deterministic policy $\mu(s)$; its gradient is $\nabla_a Q \cdot \nabla_\theta \mu$, with no $\log \pi$ in it.

# %% stub ppo_clip_loss
"""PPO のクリップされた損失(PPO 論文の式 6、7)。小さくするもの。

    L = -mean(min(r Â, clip(r, 1-ε, 1+ε) Â)),   r = π(a|s) / π_old(a|s)

Args:
    logits: 学習中の方策の出力、(N, A)。
    actions: 古い方策から抽出した行動、0 … A-1、(N,)。
    old_logp: log π_old(a|s)。定数、(N,)。
    advantages: Â。定数で、そのまま使う、(N,)。
    clip_range: ε、0 と 1 の間。

Returns:
    loss: L。
    dlogits: ∂L/∂logits。クリップした項の方が小さい行では 0、(N, A)。
    ratio: r、(N,)。
"""

# %%
old_logp = np.log(np.array([0.4, 0.25, 0.8, 0.5]))
actions, advantages = np.array([0, 0, 1, 1]), np.array([1.0, 2.0, -1.0, -2.0])
loss, dlogits, ratio = ppo_clip_loss(np.zeros((4, 2)), actions, old_logp, advantages)
print(round(loss, 4), ratio)  # -0.2 [1.25, 2, 0.625, 1]
print(dlogits)  # [[0, 0], [0, 0], [0, 0], [-0.25, 0.25]]

# %% graded ppo_clip_loss

# %% [markdown] lang="ja"
# ## PyTorch で: 何が定数か
#
# 自動微分を使うと、勾配を手で書かずに済みます。その代わり、**何を定数とみなすか**を自分で示さなければなりません。
#
# - アドバンテージ $\hat A = G - V$ には、クリティックの計算グラフが付いていることがあります。切り離さないと、アクターの損失がクリティックを動かしてしまいます。
# - クリティックの目標 $G$ にも、ブートストラップの $V(s')$ が入っています。
# - PPO の `old_logp` は、データを集めた時点の値です。
#
# どれも損失の中で `.detach()` してください。`a2c_loss_torch` では `logits` と `values` だけ、`ppo_clip_loss_torch` では `logits` だけに勾配が届きます。
#
# $\log \pi$ には `logits.log_softmax(dim=1)`、取った行動の値には `gather(1, actions[:, None])[:, 0]` が使えます(`torch.distributions.Categorical(logits=logits)` の `log_prob` と `entropy` でもかまいません)。
# 要素ごとの小さい方は `torch.min(a, b)`、クリップは `torch.clamp` です。結果の device と dtype は、入力のテンソルと同じにします。

# %% [markdown] lang="en"
# ## In PyTorch: what is a constant
#
# Autograd spares you the gradients; in return you have to say **what counts as a constant**.
#
# - An advantage $\hat A = G - V$ may carry the graph of the critic. Unless it is cut off, the actor's loss moves the critic.
# - The critic's target $G$ contains $V(s')$ from bootstrapping.
# - PPO's `old_logp` is what it was when the data were collected.
#
# Use `.detach()` on all of them inside the losses. In `a2c_loss_torch` only `logits` and `values` receive a gradient, in `ppo_clip_loss_torch` only `logits`.
#
# $\log \pi$ is `logits.log_softmax(dim=1)`, the entry of the action taken `gather(1, actions[:, None])[:, 0]` (`log_prob` and `entropy` of `torch.distributions.Categorical(logits=logits)` will do as well).
# The smaller of two, entry by entry, is `torch.min(a, b)`, and the clip `torch.clamp`. Results have the device and dtype of the tensors given.

# %%
import torch

# %% stub a2c_loss_torch
"""アクターとクリティックの損失。エントロピー正則化を含む。勾配は logits と values だけに届く。

Args:
    logits: アクターの出力、(N, A)。
    values: クリティックの V(s)、(N,)。
    actions: 取った行動、0 … A-1、(N,)。
    advantages: Â。定数、(N,)。
    returns: G。クリティックの目標で、定数、(N,)。
    value_coef: c_v、0 以上。
    entropy_coef: β、0 以上。

Returns:
    loss: -mean(Â log π(a|s)) + c_v mean((G - V)²) - β mean(H)。軸のないテンソル。
"""

# %%
logits_t = torch.tensor([[0.0, 0.0], [1.0, 3.0]], requires_grad=True)
values_t = torch.tensor([0.5, 1.0], requires_grad=True)
returns_t, actions_t = torch.tensor([1.5, -1.0]), torch.tensor([0, 0])
advantages_t = returns_t - values_t
loss = a2c_loss_torch(logits_t, values_t, actions_t, advantages_t, returns_t)
loss.backward()
print(round(loss.item(), 4))  # -0.5356
print(logits_t.grad)  # [[-0.25, 0.25], [0.8797, -0.8797]]
print(values_t.grad)  # [-0.5, 1]

# %% graded a2c_loss_torch

# %% stub ppo_clip_loss_torch
"""PPO のクリップされた損失。勾配は logits だけに届く。

Args:
    logits: 学習中の方策の出力、(N, A)。
    actions: 古い方策から抽出した行動、0 … A-1、(N,)。
    old_logp: log π_old(a|s)。定数、(N,)。
    advantages: Â。定数で、そのまま使う、(N,)。
    clip_range: ε、0 と 1 の間。

Returns:
    loss: -mean(min(r Â, clip(r, 1-ε, 1+ε) Â))。軸のないテンソル。
"""

# %%
logits_t = torch.zeros((4, 2), requires_grad=True)
old_t = torch.log(torch.tensor([0.4, 0.25, 0.8, 0.5]))
actions_t = torch.tensor([0, 0, 1, 1])
advantages_t = torch.tensor([1.0, 2.0, -1.0, -2.0])
loss = ppo_clip_loss_torch(logits_t, actions_t, old_t, advantages_t)
loss.backward()
print(round(loss.item(), 4))  # -0.2
print(logits_t.grad)  # [[0, 0], [0, 0], [0, 0], [-0.25, 0.25]]

# %% graded ppo_clip_loss_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **更新式と符号**: $\theta \leftarrow \theta + \varepsilon \nabla J(\theta)$(勾配上昇)。損失として書くときは $-\hat A \log \pi$。
# - **方策勾配定理**: $\nabla J = \mathbb{E}[\nabla \log \pi(a \mid s)\, Q^\pi(s, a)]$。期待値は今の方策が訪れる状態と行動についてとる。$J$ の二つの定義(平均報酬、割引報酬和)では、状態の重みと $Q$ の意味が違う。
# - **方策ベースと価値ベース**: 方策ベースは方策自身がパラメータをもち、確率的な方策や連続の行動を扱える。REINFORCE に価値関数は要らない。
# - **ベースライン**: 状態だけに依存するなら期待値は変わらず、分散を小さくできる。行動に依存してはいけない。
# - **Actor-Critic**: アクターは方策、クリティックは価値。アドバンテージ $A = Q - V$ でアクターの勾配の分散を抑える。
# - **A3C**: 非同期の複数のワーカー、アドバンテージ、エントロピー正則化。方策オン型で経験再生は使わない。A2C は同期版。
# - **GAE の両端**: $\lambda = 0$ は TD誤差(低分散・偏りあり)、$\lambda = 1$ は収益 $- V$(高分散・偏りなし)。
# - **PPO**: 比 $\pi / \pi_{\text{old}}$ と $\min$ とクリップ。勾配が 0 になるのは、$\hat A > 0$ で $r > 1 + \varepsilon$、または $\hat A < 0$ で $r < 1 - \varepsilon$ のときだけ。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **The update and its sign**: $\theta \leftarrow \theta + \varepsilon \nabla J(\theta)$ (ascent). Written as a loss it is $-\hat A \log \pi$.
# - **The policy gradient theorem**: $\nabla J = \mathbb{E}[\nabla \log \pi(a \mid s)\, Q^\pi(s, a)]$, over the states and actions that the present policy visits. In the two definitions of $J$ (average reward, discounted sum) the weights of the states and the meaning of $Q$ differ.
# - **Policy-based and value-based**: a policy-based method gives the policy parameters of its own and can have stochastic policies and continuous actions. REINFORCE needs no value function.
# - **The baseline**: if it depends on the state alone the expectation stays and the variance can shrink. It must not depend on the action.
# - **Actor–critic**: the actor is the policy, the critic the value. The advantage $A = Q - V$ lowers the variance of the actor's gradient.
# - **A3C**: several asynchronous workers, advantages, an entropy bonus. On-policy, without replay. A2C is the synchronous form.
# - **The two limits of GAE**: $\lambda = 0$ is the TD error (low variance, biased), $\lambda = 1$ is return $- V$ (high variance, unbiased).
# - **PPO**: the ratio $\pi / \pi_{\text{old}}$, the $\min$ and the clip. The gradient is 0 only for $\hat A > 0$ with $r > 1 + \varepsilon$, or $\hat A < 0$ with $r < 1 - \varepsilon$.
