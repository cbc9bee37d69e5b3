"""Wrong ideas about planning."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.mdp_planning import (
    action_values, greedy_policy, iterative_evaluation, mean_and_error, policy_evaluation, policy_iteration, rollout_estimate,
    value_iteration,
)
from reference.mdp_planning_torch import policy_evaluation_torch


@mutant(action_values)
def reward_discounted_too(P, R, V, gamma, terminal):
    """γ=0 のとき、すぐにもらえる報酬は残るはずです。
    With γ = 0 the immediate reward must remain."""
    return action_values(P, gamma * R, V, gamma, terminal)


@mutant(action_values)
def terminal_has_a_future(P, R, V, gamma, terminal):
    """終端状態から先に報酬はありません。その価値はいくつですか。
    Nothing follows a terminal state: what is its value?"""
    return np.where(terminal[:, None], 0.0, R + gamma * P @ V)


@mutant(action_values)
def best_successor_for_sure(P, R, V, gamma, terminal):
    """選べるのは行動だけです。次の状態は誰が決めますか。
    You choose the action; who chooses the next state?"""
    best = np.where(P > 0, np.where(terminal, 0.0, V), -np.inf).max(axis=2)
    return np.where(terminal[:, None], 0.0, R + gamma * best)


@mutant(action_values)
def transition_read_backwards(P, R, V, gamma, terminal):
    """P[s, a, :] の和は1です。どの軸で期待値を取りますか。
    P[s, a, :] sums to one: over which axis is the expectation?"""
    expected = np.einsum("tas,t->sa", P, np.where(terminal, 0.0, V))
    return np.where(terminal[:, None], 0.0, R + gamma * expected)


@mutant(action_values)
def terminal_still_pays(P, R, V, gamma, terminal):
    """終端状態の中で、さらに報酬をもらうことはできますか。
    Can a reward still be earned from inside a terminal state?"""
    return R + gamma * P @ np.where(terminal, 0.0, V)


@mutant(greedy_policy)
def ties_to_the_last(Q, ties="first", tol=1e-9):
    """同点のとき、この課題ではどの添字を選ぶ約束ですか。
    Which index does this course take when actions tie?"""
    return greedy_policy(Q[:, ::-1], ties, tol)[:, ::-1]


@mutant(greedy_policy)
def ties_by_equality(Q, ties="first", tol=1e-9):
    """理論上は同じ価値でも、計算した値は最後の桁まで一致しますか。
    Do two actions of equal worth come out equal in the last digit?"""
    return greedy_policy(Q, ties, 0.0)


@mutant(greedy_policy)
def ties_always_split(Q, ties="first", tol=1e-9):
    """引数 ties が "first" のとき、確率 1 を置く行動はいくつですか。
    With ties = "first", how many actions have probability 1?"""
    return greedy_policy(Q, "split", tol)


@mutant(policy_evaluation)
def policy_ignored(P, R, pi, gamma, terminal):
    """行動は方策の確率で選ばれます。報酬の平均にも同じ重みが要りませんか。
    Actions are drawn from the policy: which weights does the expected reward need?"""
    return policy_evaluation(P, np.repeat(R.mean(axis=1, keepdims=True), R.shape[1], axis=1), pi, gamma, terminal)


@mutant(policy_evaluation)
def transitions_of_an_even_policy(P, R, pi, gamma, terminal):
    """次の状態の確率を平均するとき、行動の重みは何ですか。
    Which weights average the transition probabilities over the actions?"""
    even = np.repeat(P.mean(axis=1, keepdims=True), P.shape[1], axis=1)
    return policy_evaluation(even, R, pi, gamma, terminal)


@mutant(policy_evaluation)
def only_the_next_reward(P, R, pi, gamma, terminal):
    """価値は次の報酬だけですか、その先の報酬も含みますか。
    Is a value the next reward alone, or also all that follow?"""
    return np.where(terminal, 0.0, (pi * R).sum(axis=1))


@mutant(policy_evaluation)
def every_state_lives_on(P, R, pi, gamma, terminal):
    """終端状態の行を、連立方程式に普通の行として入れていませんか。
    Do the rows of terminal states enter the system of equations like any other?"""
    return policy_evaluation(P, R, pi, min(gamma, 0.99), np.zeros_like(terminal))


@mutant(iterative_evaluation)
def evaluation_takes_the_max(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """評価したいのは、最適な方策ですか、与えられた方策ですか。
    Whose value is wanted: the best policy's, or that of the policy given?"""
    V = np.zeros(len(R)) if V0 is None else np.where(terminal, 0.0, V0)
    deltas = np.zeros(sweeps)
    for k in range(sweeps):
        old = V.copy()
        source = V if in_place else old
        for s in np.flatnonzero(~terminal):
            V[s] = (R[s] + gamma * P[s] @ source).max()
        deltas[k] = np.abs(V - old).max()
    return V, deltas


@mutant(iterative_evaluation)
def always_in_place(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """同期型の1回の掃引では、どの時点の価値を使いますか。
    In a synchronous sweep, from which sweep are the values read?"""
    return iterative_evaluation(P, R, pi, gamma, terminal, sweeps, V0, True)


@mutant(iterative_evaluation)
def never_in_place(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """その場更新では、同じ掃引の中で新しくなった値をすぐに使いますか。
    In place: is a value that this sweep has just written read at once?"""
    return iterative_evaluation(P, R, pi, gamma, terminal, sweeps, V0, False)


def sweep_by_sweep(P, R, pi, gamma, terminal, sweeps, V0, in_place, change):
    """The reference's sweeps, with another measure of their change."""
    V, deltas = np.zeros(len(R)) if V0 is None else np.where(terminal, 0.0, V0), np.zeros(sweeps)
    for k in range(sweeps):
        old = V
        V, _ = iterative_evaluation(P, R, pi, gamma, terminal, 1, old, in_place)
        deltas[k] = change(V - old)
    return V, deltas


@mutant(iterative_evaluation)
def signed_change(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """価値が下がっているときも、変化は「大きい」はずです。
    A falling value changes too: what is the size of its change?"""
    return sweep_by_sweep(P, R, pi, gamma, terminal, sweeps, V0, in_place, np.max)


@mutant(iterative_evaluation)
def change_summed_over_states(P, R, pi, gamma, terminal, sweeps, V0=None, in_place=False):
    """変化の量は、状態についての和ですか、最大ですか。
    Is the change of a sweep a sum over the states or the largest of them?"""
    return sweep_by_sweep(P, R, pi, gamma, terminal, sweeps, V0, in_place, lambda d: np.abs(d).sum())


@mutant(policy_iteration)
def best_next_state_without_reward(P, R, gamma, terminal, max_rounds=100):
    """価値の高い状態へ移る途中でもらう報酬は考えましたか。
    Did you count the reward received on the way to the better state?"""
    actions = np.zeros(len(R), int)
    for rounds in range(1, max_rounds + 1):
        V = policy_evaluation(P, R, np.eye(R.shape[1])[actions], gamma, terminal)
        better = greedy_policy(action_values(P, 0 * R, V, gamma, terminal)).argmax(axis=1)
        if (better == actions).all():
            break
        actions = better
    return V, actions, rounds


@mutant(policy_iteration)
def improves_only_once(P, R, gamma, terminal, max_rounds=100):
    """方策が変わったら、その価値も変わります。次に何をしますか。
    Once the policy has changed, is its value still the old one?"""
    return policy_iteration(P, R, gamma, terminal, min(2, max_rounds))


@mutant(policy_iteration)
def changes_are_counted(P, R, gamma, terminal, max_rounds=100):
    """数えるのは、方策を変えた回数ですか、評価した回数ですか。
    What is counted: changes of the policy, or evaluations?"""
    V, actions, rounds = policy_iteration(P, R, gamma, terminal, max_rounds)
    return V, actions, rounds - 1


@mutant(value_iteration)
def myopic_policy(P, R, gamma, terminal, theta, max_sweeps=10000):
    """すぐの報酬だけで選ぶと、割引率に関係なく同じ方策になりませんか。
    Choosing by the immediate reward alone gives one policy for every γ: is that right?"""
    V, _, sweeps = value_iteration(P, R, gamma, terminal, theta, max_sweeps)
    return V, greedy_policy(np.where(terminal[:, None], 0.0, R)).argmax(axis=1), sweeps


def iterate(P, R, gamma, terminal, max_sweeps, still, kept=lambda old, new: new):
    """Value iteration with another rule of when to stop, or of what is returned."""
    V = np.zeros(len(R))
    for sweeps in range(1, max_sweeps + 1):
        old, V = V, action_values(P, R, V, gamma, terminal).max(axis=1)
        if still(np.abs(V - old)):
            break
    V = kept(old, V)
    return V, greedy_policy(action_values(P, R, V, gamma, terminal)).argmax(axis=1), sweeps


@mutant(value_iteration)
def stops_when_one_state_is_still(P, R, gamma, terminal, theta, max_sweeps=10000):
    """一つの状態だけが変わらなくなったら、収束と言えますか。
    Is it converged when a single state has stopped moving?"""
    return iterate(P, R, gamma, terminal, max_sweeps, lambda change: change.min() < theta)


@mutant(value_iteration)
def values_before_the_last_sweep(P, R, gamma, terminal, theta, max_sweeps=10000):
    """返すのは、最後の掃引の前の価値ですか、後の価値ですか。
    Which values are returned: those before the last sweep, or after it?"""
    return iterate(P, R, gamma, terminal, max_sweeps, lambda change: change.max() < theta, lambda old, new: old)


@mutant(rollout_estimate)
def rollout_takes_the_likeliest(P, R, pi, gamma, terminal, start, u):
    """方策の確率で行動を「抽出」していますか。
    Is the action sampled from the policy, or only its mode?"""
    return rollout_estimate(P, R, np.eye(R.shape[1])[pi.argmax(axis=1)], gamma, terminal, start, u)


@mutant(rollout_estimate)
def rollout_not_discounted(P, R, pi, gamma, terminal, start, u):
    """後の報酬にも割引率は掛かっていますか。
    Are the later rewards discounted?"""
    return rollout_estimate(P, R, pi, 1.0, terminal, start, u)


@mutant(rollout_estimate)
def rollout_goes_on_past_the_end(P, R, pi, gamma, terminal, start, u):
    """終端に着いた後も、報酬を集め続けていませんか。
    Does the rollout go on collecting rewards after it has reached an end?"""
    return rollout_estimate(P, R, pi, gamma, np.zeros_like(terminal), start, u)


@mutant(rollout_estimate)
def first_reward_discounted(P, R, pi, gamma, terminal, start, u):
    """最初の行動の後にもらう報酬には、γ の何乗が掛かりますか。
    Which power of γ multiplies the reward that follows the very first action?"""
    mean, error, returns = rollout_estimate(P, R, pi, gamma, terminal, start, u)
    return gamma * mean, gamma * error, gamma * returns


@mutant(mean_and_error)
def standard_error_is_the_spread(samples):
    """試行を4倍にすると、平均の誤差はどうなりますか。
    Four times the trials: what happens to the error of the mean?"""
    return samples.mean(), samples.std(ddof=1)


@mutant(mean_and_error)
def error_divided_by_n(samples):
    """試行を100倍にすると、誤差は何分の1になりますか。
    A hundred times the trials: by what factor does the error shrink?"""
    return samples.mean(), samples.std(ddof=1) / len(samples)


@mutant(mean_and_error)
def mean_taken_as_known(samples):
    """平均そのものを同じデータから推定したとき、分散は n と n−1 のどちらで割りますか。
    The mean came from the same samples: are the squares divided by n or n − 1?"""
    return samples.mean(), samples.std() / np.sqrt(len(samples))


@mutant(mean_and_error)
def interval_for_error(samples):
    """標準誤差と95 %信頼区間の幅は同じものですか。
    Is the standard error the same as half the 95 % interval?"""
    mean, error = mean_and_error(samples)
    return mean, 1.96 * error


@mutant(policy_evaluation_torch)
def solved_outside_the_graph(P, R, pi, gamma, terminal):
    """解を求める途中で、勾配の計算を切り離していませんか。
    Is the solve detached from the graph on its way?"""
    V = policy_evaluation_torch(P.detach(), R.detach(), pi.detach(), gamma, terminal)
    return V + 0 * R.sum()


@mutant(policy_evaluation_torch)
def discount_forgotten_on_tensors(P, R, pi, gamma, terminal):
    """連立方程式の P_π には、何が掛かりますか。
    What multiplies P_π in the system of equations?"""
    return policy_evaluation_torch(P, R, pi, gamma * gamma, terminal)


@mutant(policy_evaluation_torch)
def policy_held_constant(P, R, pi, gamma, terminal):
    """方策についての勾配も求めます。π を定数として扱っていませんか。
    The gradient with respect to the policy is wanted too: is π treated as a constant?"""
    with torch.no_grad():
        fixed = pi.clone()
    return policy_evaluation_torch(P, R, fixed, gamma, terminal)
