"""Wrong ideas about policy gradients. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.policy_gradient import (
    a2c_loss, exact_gradient, gae, ppo_clip_loss, reinforce_gradient, rewards_to_go, softmax_policy,
)
from reference.policy_gradient_torch import a2c_loss_torch, ppo_clip_loss_torch


@mutant(softmax_policy)
def softmax_overflows(logits, actions):
    """全てのロジットに同じ数を足しても方策は同じです。大きな値で計算できますか。
    One number added to all logits changes no probability: does it work with 1000?"""
    with np.errstate(all="ignore"):
        pi = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return np.log(pi), np.eye(logits.shape[1])[actions] - pi


@mutant(softmax_policy)
def score_without_the_mean(logits, actions):
    """確率の和は常に1です。ある行動の確率を上げると、他はどうなりますか。
    Probabilities sum to one: if one rises, what happens to the others?"""
    return softmax_policy(logits, actions)[0], np.eye(logits.shape[1])[actions]


@mutant(softmax_policy)
def gradient_of_pi_not_log_pi(logits, actions):
    """行動は π に従って抽出されています。稀な行動の勾配は何で割って補正しますか。
    The action was sampled from π: by what must a rare action's gradient be divided?"""
    logp, score = softmax_policy(logits, actions)
    return logp, score * np.exp(logp)[np.arange(len(actions)), actions][:, None]


@mutant(softmax_policy)
def score_of_the_loss(logits, actions):
    """スコアの向きにロジットを動かすと、取った行動の確率は上がりますか、下がりますか。
    If the logits move along the score, does the action taken become likelier or less likely?"""
    logp, score = softmax_policy(logits, actions)
    return logp, -score


@mutant(softmax_policy)
def probabilities_for_logs(logits, actions):
    """一つ目の値は確率そのものですか、その対数ですか。
    Is the first result the probabilities, or their logarithms?"""
    logp, score = softmax_policy(logits, actions)
    return np.exp(logp), score


@mutant(rewards_to_go)
def to_go_crosses_the_end(rewards, dones, gamma, bootstrap=0.0):
    """次のエピソードの報酬は、前のエピソードの行動の結果ですか。
    Is the next episode's reward a consequence of this episode's action?"""
    return rewards_to_go(rewards, np.zeros_like(dones), gamma, bootstrap)


@mutant(rewards_to_go)
def discounted_from_the_first_step(rewards, dones, gamma, bootstrap=0.0):
    """G_t の最初の報酬 r_t には、何乗の γ が掛かりますか。時刻 0 と時刻 t のどちらから数えますか。
    Which power of γ does r_t carry in G_t: is it counted from step 0 or from step t?"""
    return gamma ** np.arange(len(rewards)) * rewards_to_go(rewards, dones, gamma, bootstrap)


@mutant(rewards_to_go)
def cut_off_taken_for_an_end(rewards, dones, gamma, bootstrap=0.0):
    """配列が切れただけでエピソードが続くなら、その先の収益は 0 ですか。
    If the array is cut off while the episode goes on, is there nothing more to come?"""
    return rewards_to_go(rewards, dones, gamma)


@mutant(rewards_to_go)
def last_reward_wiped_out(rewards, dones, gamma, bootstrap=0.0):
    """dones[t] が True のとき消えるのは、r_t ですか、その先ですか。
    Where dones[t] is True: is it r_t that vanishes, or what would come after it?"""
    return rewards_to_go(np.where(dones, 0.0, rewards), dones, gamma, bootstrap)


@mutant(rewards_to_go)
def rewards_so_far(rewards, dones, gamma, bootstrap=0.0):
    """時刻 t の行動が変えられるのは、t より前の報酬ですか、t 以降の報酬ですか。
    What can the action at t still change: the rewards before t, or those from t on?"""
    return rewards_to_go(rewards[::-1], dones[::-1], gamma, bootstrap)[::-1]


@mutant(exact_gradient)
def states_are_not_weighted(P, R, logits, gamma, start, terminal):
    """方策は後で訪れる状態でも使われます。その状態はどんな重みで効きますか。
    The policy also acts in states reached later: with which weight do they count?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    share = np.divide(start, visits, out=np.zeros(len(start)), where=visits > 0)
    return J, grad * share[:, None], visits


@mutant(exact_gradient)
def q_without_baseline_in_the_sum(P, R, logits, gamma, start, terminal):
    """全ての行動の Q に同じ数を足しても、良い行動は変わりません。勾配はどうですか。
    Add one number to all Q: the better action stays the same. Does your gradient?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    pi = np.exp(softmax_policy(logits, np.zeros(len(logits), int))[0])
    V = np.array([exact_gradient(P, R, logits, gamma, s, terminal)[0] for s in np.eye(len(R))])
    return J, grad + visits[:, None] * pi * V[:, None], visits


@mutant(exact_gradient)
def visits_normalised(P, R, logits, gamma, start, terminal):
    """割引された訪問回数の和は、1ですか、1/(1−γ) ですか。
    Do the discounted visits sum to one or to 1/(1−γ)?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    return J, grad, visits / max(visits.sum(), 1e-300)


@mutant(exact_gradient)
def visits_not_discounted(P, R, logits, gamma, start, terminal):
    """k 歩後に訪れる状態での行動は、J に何乗の γ で効きますか。
    An action in a state visited k steps later: with which power of γ does it enter J?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    _, _, often = exact_gradient(P, R, logits, 1 - (1 - gamma) / 8, start, terminal)
    share = np.divide(often, visits, out=np.zeros(len(start)), where=visits > 0)
    return J, grad * share[:, None], often


@mutant(exact_gradient)
def first_reward_for_return(P, R, logits, gamma, start, terminal):
    """J は最初の一歩の報酬の期待値ですか、収益の期待値ですか。
    Is J the expectation of the first reward, or of the return?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    return exact_gradient(P, R, logits, 0.0, start, terminal)[0], grad, visits


@mutant(exact_gradient)
def ends_go_on(P, R, logits, gamma, start, terminal):
    """終端に着いた後も、報酬や訪問は続きますか。
    Do rewards and visits go on after an end is reached?"""
    return exact_gradient(P, R, logits, gamma, start, np.zeros_like(terminal))


@mutant(exact_gradient)
def gradient_of_a_loss(P, R, logits, gamma, start, terminal):
    """返すのは、J が増える向きですか、減る向きですか。
    Is the direction asked for the one in which J grows, or shrinks?"""
    J, grad, visits = exact_gradient(P, R, logits, gamma, start, terminal)
    return J, -grad, visits


@mutant(reinforce_gradient)
def descends(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """期待収益は大きくしたいのですか、小さくしたいのですか。
    Should the expected return grow or shrink?"""
    return -reinforce_gradient(logits, states, actions, rewards, gamma, baseline, discount_steps)


@mutant(reinforce_gradient)
def whole_return_at_every_step(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """過去の報酬は、今の行動で変えられますか。
    Can an action change a reward received before it?"""
    whole = gamma ** np.arange(len(rewards)) @ rewards
    same = np.append(np.full(len(rewards) - 1, whole * (1 - gamma)), whole)
    return reinforce_gradient(logits, states, actions, same, gamma, baseline, discount_steps)


@mutant(reinforce_gradient)
def immediate_reward_only(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """行動の良し悪しは、直後の報酬だけで決まりますか。
    Is an action as good as the one reward that follows at once?"""
    steps = gamma ** np.arange(len(rewards)) if discount_steps else np.ones(len(rewards))
    each = [
        reinforce_gradient(logits, states[[t]], actions[[t]], rewards[[t]], gamma, baseline) for t in range(len(rewards))
    ]
    return np.tensordot(steps, each, 1)


@mutant(reinforce_gradient)
def step_weight_forgotten(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """割引された J では、後の時刻の行動ほど影響が小さくなりませんか。
    In the discounted J, does a later action count as much as the first?"""
    return reinforce_gradient(logits, states, actions, rewards, gamma, baseline, False)


@mutant(reinforce_gradient)
def baseline_added(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """収益がちょうどベースラインと同じとき、方策は変わるべきですか。
    If the return equals the baseline, should the policy move?"""
    turned = None if baseline is None else -baseline
    return reinforce_gradient(logits, states, actions, rewards, gamma, turned, discount_steps)


@mutant(reinforce_gradient)
def repeated_state_counted_once(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """同じ状態を2度訪れたら、二つの項はどうなりますか。配列の添字に同じ番号が二つあるとき、+= は2回足しますか。
    If a state is visited twice, what becomes of the two terms? Does += add twice where an index comes up twice?"""
    advantages = rewards_to_go(rewards, np.zeros(len(rewards), bool), gamma)
    if baseline is not None:
        advantages = advantages - baseline[states]
    if discount_steps:
        advantages = gamma ** np.arange(len(rewards)) * advantages
    grad = np.zeros(logits.shape)
    grad[states] += advantages[:, None] * softmax_policy(logits[states], actions)[1]
    return grad


@mutant(reinforce_gradient)
def steps_averaged(logits, states, actions, rewards, gamma, baseline=None, discount_steps=True):
    """エピソードが長いほど、一歩ごとの寄与は小さくなりますか。時刻については和ですか、平均ですか。
    Does each step count less in a longer episode: is it a sum over the steps or a mean?"""
    return reinforce_gradient(logits, states, actions, rewards, gamma, baseline, discount_steps) / len(rewards)


@mutant(gae)
def trace_without_gamma(rewards, values, dones, gamma, lam):
    """λ=1 のとき、割引された収益 − V になりますか。
    With λ = 1, is it the discounted return minus V?"""
    errors = gae(rewards, values, dones, gamma, 0.0)[0]
    advantages = rewards_to_go(errors, dones, lam)
    return advantages, advantages + values[:-1]


@mutant(gae)
def trace_without_lambda(rewards, values, dones, gamma, lam):
    """λ=0 のとき、一歩先の TD誤差だけになりますか。
    With λ = 0, is only the TD error of one step left?"""
    return gae(rewards, values, dones, gamma, 1.0)


@mutant(gae)
def advantage_leaks_over_the_end(rewards, values, dones, gamma, lam):
    """終端の後の δ は、この行動のおかげでしょうか。
    Is a δ after the terminal step due to this action?"""
    errors = gae(rewards, values, dones, gamma, 0.0)[0]
    advantages = rewards_to_go(errors, np.zeros_like(dones), gamma * lam)
    return advantages, advantages + values[:-1]


@mutant(gae)
def bootstraps_from_terminal(rewards, values, dones, gamma, lam):
    """終端状態の価値はいくつですか。
    What is the value of a terminal state?"""
    errors = rewards + gamma * values[1:] - values[:-1]
    advantages = rewards_to_go(errors, dones, gamma * lam)
    return advantages, advantages + values[:-1]


@mutant(gae)
def end_of_the_array_is_an_end(rewards, values, dones, gamma, lam):
    """配列が切れただけなら、values[T] には何の役目がありますか。
    If the array is merely cut off, what is values[T] for?"""
    return gae(rewards, np.append(values[:-1], 0.0), dones, gamma, lam)


@mutant(gae)
def critic_target_is_the_advantage(rewards, values, dones, gamma, lam):
    """V が近づくべきなのは、収益ですか、収益と V の差ですか。
    Should V approach the return, or the difference between return and V?"""
    advantages, _ = gae(rewards, values, dones, gamma, lam)
    return advantages, advantages.copy()


@mutant(gae)
def delta_turned_round(rewards, values, dones, gamma, lam):
    """思ったより良い報酬を得たとき、δ の符号は正ですか、負ですか。
    If things went better than expected, is δ positive or negative?"""
    advantages = -gae(rewards, values, dones, gamma, lam)[0]
    return advantages, advantages + values[:-1]


@mutant(a2c_loss)
def critic_pushed_away(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """勾配降下の一歩で、V は収益に近づきますか。
    Does a descent step bring V nearer to the return?"""
    loss, dlogits, dvalues = a2c_loss(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    return loss, dlogits, -dvalues


@mutant(a2c_loss)
def value_error_halved(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """二乗の微分の係数を確かめましょう。
    Check the factor in the derivative of a square."""
    loss, dlogits, dvalues = a2c_loss(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    return loss, dlogits, dvalues / 2


@mutant(a2c_loss)
def entropy_is_punished(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """エントロピー項は探索を促すためのものです。損失は増えるべきですか、減るべきですか。
    The entropy term is to keep exploring: should more entropy raise or lower the loss?"""
    turned = a2c_loss(logits, values, actions, -advantages, returns, 0.0, entropy_coef)
    critic = a2c_loss(logits, values, actions, 0 * advantages, returns, value_coef, 0.0)
    return critic[0] - turned[0], -turned[1], critic[2]


@mutant(a2c_loss)
def entropy_in_bits(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """エントロピーの対数の底は何ですか。
    To which base is the logarithm of the entropy?"""
    return a2c_loss(logits, values, actions, advantages, returns, value_coef, entropy_coef / np.log(2))


@mutant(a2c_loss)
def entropy_gradient_forgotten(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """損失に加えたエントロピーは、ロジットの関数ではありませんか。
    The entropy is part of the loss: does it not depend on the logits?"""
    loss, _, dvalues = a2c_loss(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    return loss, a2c_loss(logits, values, actions, advantages, returns, value_coef, 0.0)[1], dvalues


@mutant(a2c_loss)
def actor_climbs_its_loss(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """期待収益を上げる向きは、損失を下げる向きでなければなりません。方策の項の符号はどうなりますか。
    What raises the return must lower the loss: which sign has the policy's term?"""
    return a2c_loss(logits, values, actions, -advantages, returns, value_coef, entropy_coef)


@mutant(a2c_loss)
def actor_weighted_by_the_td_error(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """方策の項の重みには、渡された advantages を使っていますか。G − V を計算し直していませんか。
    Is the policy's term weighted by the advantages passed in, or by a G − V computed anew?"""
    return a2c_loss(logits, values, actions, returns - values, returns, value_coef, entropy_coef)


@mutant(a2c_loss)
def losses_summed(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """バッチの大きさを2倍にすると、勾配の大きさは2倍になるべきですか。
    Should the gradient double when the batch is twice as large?"""
    parts = a2c_loss(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    return tuple(len(actions) * part for part in parts)


@mutant(ppo_clip_loss)
def ppo_takes_the_maximum(logits, actions, old_logp, advantages, clip_range=0.2):
    """PPO の目的関数は、2つのうち控えめな方ですか、大きい方ですか。
    Does PPO keep the more or the less optimistic of the two?"""
    loss, dlogits, ratio = ppo_clip_loss(logits, actions, old_logp, -advantages, clip_range)
    return -loss, -dlogits, ratio


@mutant(ppo_clip_loss)
def ratio_without_exp(logits, actions, old_logp, advantages, clip_range=0.2):
    """比は確率の比です。渡されているのは何の値ですか。
    The ratio is one of probabilities: what is passed in?"""
    logp, score = softmax_policy(logits, actions)
    ratio = logp[np.arange(len(actions)), actions] - old_logp
    plain, clipped = ratio * advantages, np.clip(ratio, 1 - clip_range, 1 + clip_range) * advantages
    dlogits = -np.where(plain <= clipped, plain, 0)[:, None] * score / len(actions)
    return -np.minimum(plain, clipped).mean(), dlogits, ratio


@mutant(ppo_clip_loss)
def clip_without_min(logits, actions, old_logp, advantages, clip_range=0.2):
    """比が範囲外で、しかも目的を悪くしているとき、勾配は要りませんか。
    Outside the range AND making things worse: should the gradient vanish?"""
    _, dlogits, ratio = ppo_clip_loss(logits, actions, old_logp, advantages, clip_range)
    clipped = np.clip(ratio, 1 - clip_range, 1 + clip_range)
    return -(clipped * advantages).mean(), dlogits * (clipped == ratio)[:, None], ratio


@mutant(ppo_clip_loss)
def cut_on_both_sides(logits, actions, old_logp, advantages, clip_range=0.2):
    """Â の符号によって、止めるべき側は変わりませんか。
    Does the side to be stopped not depend on the sign of Â?"""
    loss, dlogits, ratio = ppo_clip_loss(logits, actions, old_logp, advantages, clip_range)
    return loss, dlogits * (np.abs(ratio - 1) <= clip_range)[:, None], ratio


@mutant(ppo_clip_loss)
def never_cut(logits, actions, old_logp, advantages, clip_range=0.2):
    """比が範囲を越えて良くなったとき、さらに進めてよいですか。
    Where the ratio has already left the range to the good, may it be pushed further?"""
    _, score = softmax_policy(logits, actions)
    ratio = ppo_clip_loss(logits, actions, old_logp, advantages, clip_range)[2]
    plain = ratio * advantages
    return -plain.mean(), -plain[:, None] * score / len(actions), ratio


@mutant(ppo_clip_loss)
def old_over_new(logits, actions, old_logp, advantages, clip_range=0.2):
    """動かしている方策の確率は、比の分子ですか、分母ですか。
    Is the probability under the policy that moves the numerator or the denominator?"""
    logp, _ = softmax_policy(logits, actions)
    turned = 2 * logp[np.arange(len(actions)), actions] - old_logp
    return ppo_clip_loss(logits, actions, turned, advantages, clip_range)


@mutant(ppo_clip_loss)
def ratio_left_out_of_the_gradient(logits, actions, old_logp, advantages, clip_range=0.2):
    """微分するのは log π ですか、比 r = exp(log π − log π_old) ですか。
    What is differentiated: log π, or the ratio r = exp(log π − log π_old)?"""
    loss, dlogits, ratio = ppo_clip_loss(logits, actions, old_logp, advantages, clip_range)
    return loss, dlogits / ratio[:, None], ratio


@mutant(ppo_clip_loss)
def advantages_standardised(logits, actions, old_logp, advantages, clip_range=0.2):
    """渡されたアドバンテージは、そのまま使うはずでした。平均を引いたり、標準偏差で割ったりしていませんか。
    Advantages are to be used as they are: is a mean subtracted, or a deviation divided by?"""
    standard = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    return ppo_clip_loss(logits, actions, old_logp, standard, clip_range)


@mutant(a2c_loss_torch)
def actor_moves_the_critic(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """アドバンテージは定数のはずです。方策の項から、アドバンテージへ勾配が流れていませんか。
    An advantage is a constant: does a gradient flow into it from the policy's term?"""
    flowing = advantages - advantages.detach()
    likelihood = torch.log_softmax(logits, 1).gather(1, actions[:, None])[:, 0]
    loss = a2c_loss_torch(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    return loss - (flowing * likelihood.detach()).mean()


@mutant(a2c_loss_torch)
def target_moves_to_the_value(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """価値の項が動かすのは V だけです。目標の収益まで V に近づけていませんか。
    The value's term is to move V alone: is the return, its target, moved towards V as well?"""
    loss = a2c_loss_torch(logits, values, actions, advantages, returns, value_coef, entropy_coef)
    both = ((returns - values.detach()) ** 2).mean()
    return loss + value_coef * (both - both.detach())


@mutant(a2c_loss_torch)
def entropy_punished_on_tensors(logits, values, actions, advantages, returns, value_coef=0.5, entropy_coef=0.01):
    """Categorical(...).entropy() を、損失に足していますか、損失から引いていますか。
    Is Categorical(...).entropy() added to the loss, or subtracted from it?"""
    return a2c_loss_torch(logits, values, actions, advantages, returns, value_coef, -entropy_coef)


@mutant(ppo_clip_loss_torch)
def old_policy_moves_along(logits, actions, old_logp, advantages, clip_range=0.2):
    """古い方策は、データを集めた時のまま止まっているはずです。old_logp に勾配が流れていませんか。
    The old policy stays as it was when the data were collected: does a gradient reach old_logp?"""
    loss = ppo_clip_loss_torch(logits, actions, old_logp, advantages, clip_range)
    likelihood = torch.log_softmax(logits.detach(), 1).gather(1, actions[:, None])[:, 0]
    ratio, gain = torch.exp(likelihood - old_logp), advantages.detach()
    flowing = torch.minimum(ratio * gain, ratio.clamp(1 - clip_range, 1 + clip_range) * gain).mean()
    return loss - (flowing - flowing.detach())


@mutant(ppo_clip_loss_torch)
def maximum_on_tensors(logits, actions, old_logp, advantages, clip_range=0.2):
    """torch.min と torch.max のどちらが、控えめな見積もりを残しますか。
    Which of torch.min and torch.max keeps the cautious estimate?"""
    return -ppo_clip_loss_torch(logits, actions, old_logp, -advantages, clip_range)


@mutant(ppo_clip_loss_torch)
def clamped_ratio_alone(logits, actions, old_logp, advantages, clip_range=0.2):
    """clamp だけにすると、範囲の外で方策が悪くなっているサンプルに勾配は届きますか。
    With clamp alone, does a gradient reach a sample that is outside the range and getting worse?"""
    likelihood = torch.log_softmax(logits, 1).gather(1, actions[:, None])[:, 0]
    ratio = torch.exp(likelihood - old_logp.detach())
    return -(ratio.clamp(1 - clip_range, 1 + clip_range) * advantages.detach()).mean()
