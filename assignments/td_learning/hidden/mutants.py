"""Wrong ideas about learning from experience. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
from autograder.properties import mutant

from reference.td_learning import (
    dqn_loss, epsilon_greedy_probs, n_step_targets, replay_sample, tabular_control, td_lambda, td_target,
)
from reference.td_learning_torch import dqn_loss_torch, td_target_torch


@mutant(n_step_targets)
def first_reward_discounted(rewards, values, gamma, n):
    """1ステップ後にもらう報酬は何乗の γ で割り引きますか。γ=0 のとき収益はいくつですか。
    What is the return when γ = 0: which power of γ does the very next reward carry?"""
    return n_step_targets(gamma * rewards, values, gamma, n)


@mutant(n_step_targets)
def bootstrap_discounted_once(rewards, values, gamma, n):
    """n ステップ先の価値は、今の時点から何ステップ先のものですか。
    The value that closes the sum lies n steps ahead: how often is it discounted?"""
    seen = n_step_targets(rewards, 0 * values, gamma, n)
    steps = np.arange(len(rewards))
    return seen + gamma * values[np.minimum(steps + n, len(rewards))]


@mutant(n_step_targets)
def tail_left_without_a_value(rewards, values, gamma, n):
    """記録が n ステップより先に終わるとき、短くなった和は何で閉じますか。
    Where the record ends before n steps are over: what closes the shortened sum?"""
    steps = np.arange(len(rewards))
    lost = np.where(steps + n > len(rewards), gamma ** (len(rewards) - steps) * values[-1], 0)
    return n_step_targets(rewards, values, gamma, n) - lost


@mutant(n_step_targets)
def bootstraps_one_state_early(rewards, values, gamma, n):
    """n=1 のとき、価値を見る状態は s_t ですか、s_{t+1} ですか。
    For n = 1, is the value that is looked up that of s_t or of s_{t+1}?"""
    return n_step_targets(rewards, np.append(values[:1], values[:-1]), gamma, n)


@mutant(epsilon_greedy_probs)
def epsilon_excludes_greedy(q, epsilon):
    """ランダムに選ぶとき、最良の行動が選ばれることもあります。確率の和は1ですか。
    A random choice may hit the best action too: do the probabilities sum to one?"""
    return epsilon_greedy_probs(q, epsilon) - epsilon / q.shape[-1] * epsilon_greedy_probs(q, 0.0)


@mutant(epsilon_greedy_probs)
def explores_only_the_others(q, epsilon):
    """ε の確率でランダムに選ぶとき、候補になる行動は何通りですか。最良の行動は除きますか。
    With probability ε the action is random: among how many actions, and is the best one left out?"""
    greedy = epsilon_greedy_probs(q, 0.0)
    return (1 - epsilon) * greedy + epsilon * (1 - greedy) / (q.shape[-1] - 1)


@mutant(epsilon_greedy_probs)
def equal_maxima_share(q, epsilon):
    """最大値が等しい行動が二つあるとき、この課題ではどちらが選ばれますか。
    Two actions have the same greatest value: which of them is the greedy one in this task?"""
    best = q == q.max(axis=-1, keepdims=True)
    return (1 - epsilon) * best / best.sum(axis=-1, keepdims=True) + epsilon / q.shape[-1]


@mutant(td_target)
def bootstraps_from_terminal(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """終端状態の先に報酬はありますか。そこでの価値はいくつですか。
    Nothing follows a terminal state: what is its value?"""
    return td_target(rule, rewards, np.zeros_like(dones), q_next, gamma, next_actions, epsilon, q_select)


@mutant(td_target)
def terminal_reward_dropped(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """ゴールに着いた最後の一手の報酬は、学習に使われていますか。
    Is the reward of the last move, the one that reached the goal, still learnt from?"""
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_select) * ~dones


@mutant(td_target)
def discount_forgotten(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """γ=0 の近視眼的なエージェントにとって、次の状態の価値はどれだけの重みを持ちますか。
    How much does the value of the next state weigh for a short-sighted agent with γ = 0?"""
    return td_target(rule, rewards, dones, q_next, 1.0, next_actions, epsilon, q_select)


@mutant(td_target)
def q_learning_on_policy(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """Q学習の目標は、実際に次に選んだ行動に依存しますか。
    Does the Q-learning target depend on the next action that was really taken?"""
    rule = "sarsa" if rule == "q_learning" and next_actions is not None else rule
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_select)


@mutant(td_target)
def sarsa_takes_max(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """SARSA の最後の A は何の行動でしょうか。
    What is the last A of SARSA?"""
    rule = "q_learning" if rule == "sarsa" else rule
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_select)


@mutant(td_target)
def expected_sarsa_uniform(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """期待値は、どの方策の確率で重み付けしますか。
    By the probabilities of which policy is the expectation weighted?"""
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, 1.0, q_select)


@mutant(td_target)
def double_q_same_table(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """同じ表で「選ぶ」と「評価する」の両方をすると、なぜ過大評価になるのでしょうか。
    Why does one table that both chooses and values overestimate?"""
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_next)


@mutant(td_target)
def double_q_swapped(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """更新する側の表は「行動を選ぶ」役ですか、「値を与える」役ですか。
    The table being updated: does it choose the action, or give its value?"""
    if rule == "double_q":
        q_next, q_select = q_select, q_next
    return td_target(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_select)


@mutant(tabular_control)
def double_q_always_first(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """2つの表は対等です。どちらを更新するかは何で決めますか。
    The two tables are equals: what decides which one is updated?"""
    log = states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon
    return tabular_control(rule, Q, *log, None if which is None else 0 * which)


@mutant(tabular_control)
def delta_reversed(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """予測より良い結果だったとき、価値は上がるべきですか、下がるべきですか。
    If things went better than predicted, should the value rise or fall?"""

    def turned(old, target):
        return old - target, old + alpha * (old - target)

    log = states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon, which
    return worked_through(rule, Q, log, turned)


@mutant(tabular_control)
def old_value_forgotten(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """学習率 α=0 なら、Q は変わらないはずです。
    With α = 0 the table must not change."""
    log = states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon, which
    return worked_through(rule, Q, log, lambda old, target: (target - old, alpha * target))


def worked_through(rule, Q, log, update):
    """The log step by step, each error and new entry made by `update(old, target)`; targets are the reference's."""
    states, actions, rewards, next_states, next_actions, dones, _, gamma, epsilon, which = log
    Q, deltas = Q.copy(), np.zeros(len(states))
    for t in range(len(states)):
        one = slice(t, t + 1)
        at = (*(which[one] if rule == "double_q" else ()), states[t], actions[t])
        step = states[one], actions[one], rewards[one], next_states[one], next_actions[one], dones[one]
        _, error = tabular_control(rule, Q, *step, 1.0, gamma, epsilon, None if which is None else which[one])
        deltas[t], Q[at] = update(Q[at], Q[at] + error[0])
    return Q, deltas


@mutant(tabular_control)
def expected_sarsa_greedy_log(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """ε-greedy 方策の期待値をとるには、更新のたびに何が要りますか。
    Which number of the behaviour does every expected update need?"""
    return tabular_control(
        rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, 0.0, which
    )


@mutant(tabular_control)
def deltas_after_the_step_size(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """TD誤差は、学習率を掛ける前の量ですか、掛けた後の量ですか。
    Is the TD error the number before or after it is multiplied by the step size?"""
    log = states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon, which
    new, deltas = tabular_control(rule, Q, *log)
    return new, alpha * deltas


@mutant(tabular_control)
def every_step_reads_the_first_table(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """2ステップ目の目標を求めるとき、1ステップ目の更新はもう表に入っていますか。
    When the second target is computed, does the table already hold the first update?"""
    new, deltas = Q.copy(), np.zeros(len(states))
    for t in range(len(states)):
        one = slice(t, t + 1)
        step = states[one], actions[one], rewards[one], next_states[one], next_actions[one], dones[one]
        table, deltas[one] = tabular_control(rule, Q, *step, alpha, gamma, epsilon, None if which is None else which[one])
        new += table - Q
    return new, deltas


@mutant(tabular_control)
def q_learning_follows_the_log(
    rule, Q, states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon=0.0, which=None
):
    """方策オフ型の Q学習で、記録にある次の行動は目標の計算に必要ですか。
    Q-learning is off-policy: does its target need the next action of the log?"""
    log = states, actions, rewards, next_states, next_actions, dones, alpha, gamma, epsilon, which
    return tabular_control("sarsa" if rule == "q_learning" else rule, Q, *log)


@mutant(td_lambda)
def trace_survives_episode(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """エピソードが終わったら、前の訪問に新しい報酬の責任を負わせてよいですか。
    After the episode has ended, may earlier visits be credited with the next one?"""
    return walked(V, states, rewards, next_states, dones, alpha, gamma, lam, trace, clears=False)


@mutant(td_lambda)
def trace_decays_by_lambda(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """λ=1 のとき、モンテカルロ法(割引収益)と一致しますか。
    With λ = 1, does it agree with Monte Carlo and its discount?"""
    return walked(V, states, rewards, next_states, dones, alpha, gamma, lam, trace, decay=lam)


@mutant(td_lambda)
def offline_updates(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """同じ状態を2回訪れたとき、2回目の δ はどの時点の V で計算しますか。
    A state is visited twice in the log: with which V is the second δ computed?"""
    return walked(V, states, rewards, next_states, dones, alpha, gamma, lam, trace, online=False)


@mutant(td_lambda)
def only_the_visited_state_learns(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """トレースが 0 でない状態は、今いる状態だけですか。TD誤差は誰に配られますか。
    Is the present state the only one whose trace is not 0? Who receives the TD error?"""
    return walked(V, states, rewards, next_states, dones, alpha, gamma, lam, trace, reach=np.eye(len(V)))


@mutant(td_lambda)
def terminal_state_has_a_value(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """最後のステップの δ に、終端状態の V は入りますか。
    Does the V of the terminal state enter the δ of the last step?"""
    return walked(V, states, rewards, next_states, dones, alpha, gamma, lam, trace, masks=False)


def walked(
    V, states, rewards, next_states, dones, alpha, gamma, lam, trace,
    decay=None, clears=True, online=True, masks=True, reach=None,
):
    """TD(λ) with one of its parts exchanged."""
    start, e, traces = V, np.zeros(len(V)), np.zeros((len(states), len(V)))
    for t, s in enumerate(states):
        read = V if online else start
        delta = rewards[t] + gamma * (0 if masks and dones[t] else read[next_states[t]]) - read[s]
        e = (gamma * lam if decay is None else decay) * e
        e[s] = 1 if trace == "replacing" else e[s] + 1
        traces[t] = e
        V = V + alpha * delta * e * (1 if reach is None else reach[s])
        e = e * (0 if clears and dones[t] else 1)
    return V, traces


@mutant(td_lambda)
def traces_always_accumulate(V, states, rewards, next_states, dones, alpha, gamma, lam, trace="accumulating"):
    """置換型トレースでは、同じ状態を続けて訪れてもトレースはいくつを超えませんか。
    Under replacing traces, what does the trace of a state visited again and again never exceed?"""
    return td_lambda(V, states, rewards, next_states, dones, alpha, gamma, lam)


@mutant(dqn_loss)
def dqn_trains_the_greedy_action(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """誤差を戻すのは、実際に取った行動の出力ですか、最大の出力ですか。
    Which output of the network produced this error: the best one or the one taken?"""
    loss, dq = dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
    return loss, epsilon_greedy_probs(q, 0.0) * dq.sum(axis=1, keepdims=True)


@mutant(dqn_loss)
def loss_summed_over_batch(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """バッチを2回繰り返したとき、損失は変わるべきですか。
    A batch repeated twice: should the loss change?"""
    loss, dq = dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
    return len(q) * loss, dq


@mutant(dqn_loss)
def gradient_not_divided_by_batch(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """損失がバッチ平均なら、1サンプルの誤差は勾配にどれだけの重みで入りますか。
    If the loss is a mean over the batch, with what weight does one error enter the gradient?"""
    loss, dq = dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
    return loss, len(q) * dq


@mutant(dqn_loss)
def square_error_is_clipped(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """誤差が大きいとき、損失の傾きは0ですか、一定ですか。
    For a large error, is the slope of the loss zero or constant?"""
    _, dq = dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
    return float((len(q) * dq.sum(axis=1)) @ dq.sum(axis=1) / 2), dq


@mutant(dqn_loss)
def gradient_of_the_square(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """損失が直線になる領域で、誤差が10倍になると勾配も10倍になりますか。
    Where the loss is a straight line, does ten times the error give ten times the gradient?"""
    loss, _ = dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
    return loss, dqn_loss(q, actions, rewards, dones, q_next, gamma, np.inf, q_next_online)[1]


@mutant(dqn_loss)
def dqn_bootstraps_from_terminal(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """エピソードが終わった遷移の目標 y に、ターゲットネットワークの出力は入りますか。
    Does the output of the target network enter y where the transition ended the episode?"""
    return dqn_loss(q, actions, rewards, np.zeros_like(dones), q_next, gamma, delta, q_next_online)


@mutant(dqn_loss)
def online_network_ignored(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """ダブルDQN で、次の行動を選ぶのはどちらのネットワークですか。
    In double DQN, which of the two networks chooses the next action?"""
    return dqn_loss(q, actions, rewards, dones, q_next, gamma, delta)


@mutant(dqn_loss)
def online_network_values(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """ダブルDQN で、学習中のネットワークの役目は「選ぶ」と「評価する」のどちらですか。
    In double DQN, is it the task of the learning network to choose or to value?"""
    if q_next_online is not None:
        q_next, q_next_online = q_next_online, q_next
    return dqn_loss(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)


@mutant(replay_sample)
def replay_keeps_the_oldest(total, capacity, u):
    """メモリが満杯のとき、捨てるのは古い経験ですか、新しい経験ですか。
    When the buffer is full, which transition makes room?"""
    return replay_sample(min(total, capacity), capacity, u)


@mutant(replay_sample)
def slots_counted_from_the_oldest(total, capacity, u):
    """id k が入るのは、どのスロットですか。一周した後、最も古い経験はいつもスロット0にありますか。
    Into which slot does id k go? After the first round, does the oldest always lie in slot 0?"""
    size = min(total, capacity)
    return total - size + np.floor(u * size).astype(int)


@mutant(replay_sample)
def empty_slots_drawn(total, capacity, u):
    """まだ満杯でないとき、何も入っていないスロットを引いてよいですか。
    While the buffer is not yet full, may a slot be drawn in which nothing lies?"""
    newest = total - 1
    return newest - (newest - np.floor(u * capacity).astype(int)) % capacity


@mutant(td_target_torch)
def target_keeps_the_graph(rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None):
    """この目標を損失に使うと、勾配は次の状態の Q にも流れませんか。目標は定数でしたか。
    If this target enters a loss, does a gradient reach Q of the next state? Was a target not a constant?"""
    plain = td_target_torch(rule, rewards, dones, q_next, gamma, next_actions, epsilon, q_select)
    flowing = gamma * (q_next.sum(dim=1) - q_next.sum(dim=1).detach())
    return plain + rewards - rewards.detach() + flowing.masked_fill(dones, 0)


@mutant(td_target_torch)
def terminal_not_masked_on_tensors(
    rule, rewards, dones, q_next, gamma, next_actions=None, epsilon=0.0, q_select=None
):
    """dones が True の行では、ネットワークの出力を何で置き換えますか。
    In the rows where dones is True, what takes the place of the network's output?"""
    return td_target_torch(rule, rewards, dones.new_zeros(dones.shape), q_next, gamma, next_actions, epsilon, q_select)


@mutant(dqn_loss_torch)
def gradient_through_the_target(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """損失を小さくするには、予測を目標に近づけますか、目標を予測に近づけますか。
    To make the loss smaller: is the prediction moved to the target, or the target to the prediction?"""
    choosing = q_next if q_next_online is None else q_next_online
    value = q_next.gather(1, choosing.argmax(dim=1)[:, None])[:, 0]
    error = (rewards + gamma * (value * ~dones) - q.gather(1, actions[:, None])[:, 0]).abs()
    clipped = error.clamp(max=delta)
    return (clipped * (error - 0.5 * clipped)).mean()


@mutant(dqn_loss_torch)
def clipped_error_squared(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """誤差を切り詰めてから2乗すると、大きな誤差の行に勾配は届きますか。
    If the error is clipped and then squared, does a row with a large error receive a gradient?"""
    rule = "q_learning" if q_next_online is None else "double_q"
    y = td_target_torch(rule, rewards, dones, q_next, gamma, q_select=q_next_online)
    return ((y - q.gather(1, actions[:, None])[:, 0]).clamp(-delta, delta) ** 2).mean() / 2


@mutant(dqn_loss_torch)
def loss_summed_on_tensors(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """バッチの大きさを2倍にすると、勾配の大きさは2倍になるべきですか。
    Should the gradient double when the batch is twice as large?"""
    return len(q) * dqn_loss_torch(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)


@mutant(dqn_loss_torch)
def online_network_values_on_tensors(q, actions, rewards, dones, q_next, gamma, delta=1.0, q_next_online=None):
    """argmax をとるテンソルと、gather するテンソルは、それぞれどちらのネットワークの出力ですか。
    Of which network is the tensor whose argmax is taken, and of which the one that is gathered from?"""
    if q_next_online is not None:
        q_next, q_next_online = q_next_online, q_next
    return dqn_loss_torch(q, actions, rewards, dones, q_next, gamma, delta, q_next_online)
