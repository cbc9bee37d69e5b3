"""Wrong ideas about AlphaGo."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.alphago import (
    alphago_network_cost, backup_mixed, encode_planes, move_or_resign, reinforce_update, select_edge, value_data_schedule,
)
from reference.alphago_torch import policy_loss_torch
from reference.numerics import softmax


@mutant(encode_planes)
def planes_by_absolute_colour(board, to_play, counts, flags, value_network=False):
    """石の面は「黒・白」ですか、「手番側・相手側」ですか。
    Are the stone planes black and white, or the player to move and the opponent?"""
    planes = encode_planes(board, to_play, counts, flags, value_network)
    planes[0], planes[1] = board == 1, board == 2
    return planes


@mutant(encode_planes)
def thermometer_planes(board, to_play, counts, flags, value_network=False):
    """呼吸点が3の連では、8枚のうち何枚が1になりますか。
    A chain has three liberties: how many of the eight planes are 1 there?"""
    planes = encode_planes(board, to_play, counts, flags, value_network)
    planes[4:44] = np.concatenate([[count >= k for k in range(1, 9)] for count in counts])
    return planes


@mutant(encode_planes)
def policy_sees_the_colour(board, to_play, counts, flags, value_network=False):
    """手番の色の面を使うのはどちらのネットワークですか(48 と 49)。
    Which of the two networks has the 49th plane?"""
    return encode_planes(board, to_play, counts, flags, True)


@mutant(encode_planes)
def counts_start_at_zero(board, to_play, counts, flags, value_network=False):
    """8面のうち1枚目は、どの数を表しますか。数が 0 の点では、何枚が 1 になりますか。
    Which count does the first of the eight planes stand for, and how many are 1 where the count is 0?"""
    return encode_planes(board, to_play, counts + 1, flags, value_network)


@mutant(encode_planes)
def more_than_eight_is_lost(board, to_play, counts, flags, value_network=False):
    """8枚目の面は「ちょうど 8」ですか。数が 12 の点は、どの面に現れますか。
    Is the eighth plane "exactly 8"? On which plane does a count of 12 appear?"""
    return encode_planes(board, to_play, counts * (counts <= 8), flags, value_network)


@mutant(encode_planes)
def colour_plane_is_white(board, to_play, counts, flags, value_network=False):
    """49 面目が 1 になるのは、黒番のときですか、白番のときですか。
    Is the 49th plane 1 when black is to play or when white is?"""
    planes = encode_planes(board, to_play, counts, flags, value_network)
    planes[48:] = 1 - planes[48:]
    return planes


def changed(network, filters, board, **changes):
    """The costs with other weights or biases at some layers: {layer: (weights, biases)}, MACs following the weights."""
    params, macs = alphago_network_cost(network, filters, board)
    for name, (weights, biases) in changes.items():
        layer = int(name[1:])
        params[layer - 1] = weights + biases
        macs[layer - 1] = weights * (board**2 if layer <= 13 else 1)
    return params, macs


@mutant(alphago_network_cost)
def value_has_48_planes(network, filters=192, board=19):
    """価値ネットワークは、同じ盤面でも手番で評価が変わります。入力に何を足しますか。
    The value of a position depends on who is black: what does the value network see that the policy network does not?"""
    return changed(network, filters, board, l1=(25 * 48 * filters, filters))


@mutant(alphago_network_cost)
def one_bias_for_the_last_layer(network, filters=192, board=19):
    """最後の 1×1 畳み込みのバイアスは、盤の位置ごとに違います。
    The last 1×1 convolution has a different bias for each ... what?"""
    return changed(network, filters, board, l13=(filters, 1))


@mutant(alphago_network_cost)
def value_head_from_all_filters(network, filters=192, board=19):
    """全結合層の前に、1×1 畳み込みでチャネル数はいくつになりますか。
    How many planes are left when the fully connected layer begins?"""
    if network == "policy":
        return alphago_network_cost(network, filters, board)
    return changed(network, filters, board, l14=(board**2 * filters * 256, 256))


@mutant(alphago_network_cost)
def every_kernel_is_3x3(network, filters=192, board=19):
    """1層目のカーネルも 3×3 ですか。盤は 19×19 から 23×23 に広げられます。
    Is the first kernel 3×3 as well? The board is padded from 19×19 to 23×23 for it."""
    planes = 49 if network == "value" else 48
    return changed(network, filters, board, l1=(9 * planes * filters, filters))


@mutant(alphago_network_cost)
def biases_forgotten(network, filters=192, board=19):
    """各層の重みのほかに、学習されるパラメータはありませんか。
    Beside its weights, what else does a layer learn?"""
    params, macs = alphago_network_cost(network, filters, board)
    last = [board**2] if network == "policy" else [1, 256, 1]
    return params - np.array(12 * [filters] + last), macs


@mutant(alphago_network_cost)
def board_shrinks(network, filters=192, board=19):
    """畳み込みの前に、盤のまわりを 0 で広げます。出力は何×何ですか。
    The board is padded with zeros before each convolution: what is the size of the output?"""
    params, macs = alphago_network_cost(network, filters, board)
    sides = np.maximum(board - 4 - 2 * np.minimum(np.arange(13), 11), 1)
    return params, np.append(macs[:13] // board**2 * sides**2, macs[13:])


@mutant(select_edge)
def lambda_swapped(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """λ=0 のとき、ロールアウトは使われますか。
    With λ = 0, which of the two evaluations is left?"""
    return select_edge(P, N_v, W_v, N_r, W_r, 1 - mix, c_puct)


def chosen(Q, u):
    return int(np.argmax(Q + u)), Q, u


@mutant(select_edge)
def pooled_mean(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """二つの評価は、一つの平均にまとめますか。それとも、それぞれの平均を λ で混ぜますか。
    Are the two evaluations pooled into one mean, or is each averaged on its own and then mixed by λ?"""
    return chosen((W_v + W_r) / np.maximum(N_v + N_r, 1), select_edge(P, N_v, W_v, N_r, W_r, mix, c_puct)[2])


@mutant(select_edge)
def root_over_the_fraction(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """平方根がかかるのは分子だけですか、分数全体ですか。
    Does the root cover the numerator or the whole fraction?"""
    return chosen(select_edge(P, N_v, W_v, N_r, W_r, mix, c_puct)[1], c_puct * P * np.sqrt(N_r.sum() / (1 + N_r)))


@mutant(select_edge)
def prior_is_added(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """事前確率は、ボーナスに足しますか、掛けますか。P=0 の手は探索されますか。
    Is the prior added to the bonus or does it scale it? What becomes of a move with P = 0?"""
    _, Q, bonus = select_edge(np.ones_like(P), N_v, W_v, N_r, W_r, mix, c_puct)
    return chosen(Q, P + bonus)


@mutant(select_edge)
def selection_without_q(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """訪問が増えたとき、選択は最終的に何に従うべきですか。
    After many visits, what should the selection follow in the end?"""
    _, Q, u = select_edge(P, N_v, W_v, N_r, W_r, mix, c_puct)
    return int(np.argmax(u)), Q, u


@mutant(select_edge)
def one_under_the_root(P, N_v, W_v, N_r, W_r, mix=0.5, c_puct=5.0):
    """この式では、まだ何も訪問していない節点のボーナスはいくつですか。
    By this formula, what is the bonus at a node where nothing was visited yet?"""
    return chosen(select_edge(P, N_v, W_v, N_r, W_r, mix, c_puct)[1], c_puct * P * np.sqrt(1 + N_r.sum()) / (1 + N_r))


@mutant(backup_mixed)
def backup_without_sign(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """相手の手番の枝から見ると、自分の勝ちは何点ですか。
    Seen from the opponent's edge, what is your win worth?"""
    n_v, _, n_r, _, expand = backup_mixed(N_v, W_v, N_r, W_r, path, v, z, n_thr)
    return n_v, W_v + v * (n_v - N_v), n_r, W_r + z * (n_r - N_r), expand


@mutant(backup_mixed)
def leaf_value_not_negated(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """葉に入る手を打ったのは、葉で打つ側ですか、その相手ですか。
    v and z belong to the player to move at the leaf: who played the edge into it?"""
    return backup_mixed(N_v, W_v, N_r, W_r, path, -v, -z, n_thr)


@mutant(backup_mixed)
def signs_counted_from_the_root(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """v と z は、道のどちらの端の手番から見た値ですか。符号はその端から数えます。
    At which end of the path is the player whose view v and z are? Signs are counted from there."""
    way = (-1) ** (len(path) - 1)
    return backup_mixed(N_v, W_v, N_r, W_r, path, way * v, way * z, n_thr)


@mutant(backup_mixed)
def only_the_last_edge(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """葉の評価で、根に近い枝の平均は変わりませんか。
    Does the evaluation of a leaf leave the means near the root as they were?"""
    return backup_mixed(N_v, W_v, N_r, W_r, path[-1:], v, z, n_thr)


@mutant(backup_mixed)
def rollout_not_counted(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """平均をとるには、結果の和のほかに何を数えますか。
    A mean needs a sum and a second number: which one was not updated?"""
    n_v, w_v, _, w_r, _ = backup_mixed(N_v, W_v, N_r, W_r, path, v, z, n_thr)
    return n_v, w_v, N_r.copy(), w_r, bool(N_r[path[-1]] > n_thr)


@mutant(backup_mixed)
def expand_at_threshold(N_v, W_v, N_r, W_r, path, v, z, n_thr=40):
    """条件は「閾値を超えたら」です。等しいときは、展開しますか。
    The condition is that the count exceeds the threshold: what if it equals it?"""
    return backup_mixed(N_v, W_v, N_r, W_r, path, v, z, n_thr - 1)


@mutant(move_or_resign)
def plays_highest_value(N_r, Q, resign=-0.8):
    """少ない訪問で偶然高い Q になった手を打ってよいですか。
    May a move whose Q is high after a handful of visits be played?"""
    return int(np.argmax(Q)), move_or_resign(N_r, Q, resign)[1]


@mutant(move_or_resign)
def resigns_on_one_bad_move(N_r, Q, resign=-0.8):
    """悪い手が一つあるだけで投了しますか。
    Is one bad move a reason to resign?"""
    return move_or_resign(N_r, Q, resign)[0], bool(Q.min() < resign)


@mutant(move_or_resign)
def resigns_on_the_move_played(N_r, Q, resign=-0.8):
    """投了を決めるのは、打つ手の Q ですか、最もよい手の Q ですか。
    Which Q decides about resigning: that of the move to play, or the best of all?"""
    move = move_or_resign(N_r, Q, resign)[0]
    return move, bool(Q[move] < resign)


@mutant(move_or_resign)
def last_of_equals(N_r, Q, resign=-0.8):
    """訪問数が等しい手が並んだら、どちらを選ぶ約束ですか。
    Of moves with equal visits, which one does this task choose?"""
    move, resigned = move_or_resign(N_r[::-1], Q[::-1], resign)
    return len(N_r) - 1 - move, resigned


@mutant(reinforce_update)
def reinforce_descends(w, features, actions, z, baseline, games, alpha):
    """勝った対局の手の確率は、上げますか、下げますか。
    Should the moves of a won game become more or less probable?"""
    return reinforce_update(w, features, actions, z, baseline, games, -alpha)


@mutant(reinforce_update)
def score_without_the_mean(w, features, actions, z, baseline, games, alpha):
    """ある手の確率を上げると、他の手の確率はどうなりますか。
    Raising the probability of one move: what happens to the others?"""
    return w + alpha / games * (z - baseline) @ features[np.arange(len(actions)), actions]


@mutant(reinforce_update)
def mean_over_steps(w, features, actions, z, baseline, games, alpha):
    """平均をとる n は、対局の数ですか、手の数ですか。
    Is n the number of games or the number of moves?"""
    return reinforce_update(w, features, actions, z, baseline, len(actions), alpha)


@mutant(reinforce_update)
def baseline_ignored(w, features, actions, z, baseline, games, alpha):
    """勝つと予想していた局面で勝ったとき、手の確率は大きく変えるべきですか。
    A win in a position that was expected to be won: should it change the policy much?"""
    return reinforce_update(w, features, actions, z, 0 * baseline, games, alpha)


@mutant(reinforce_update)
def gradient_of_the_probability(w, features, actions, z, baseline, games, alpha):
    """微分するのは p ですか、log p ですか。めったに選ばれない手の更新の大きさを比べましょう。
    Is p differentiated, or log p? Compare the size of the step for a move that is rarely played."""
    p = softmax(features @ w)[np.arange(len(actions)), actions]
    return reinforce_update(w, features, actions, (z - baseline) * p, 0 * baseline, games, alpha)


@mutant(value_data_schedule)
def value_target_for_black(U, T, r_black):
    """価値の教師信号は、誰から見た勝敗ですか。
    From whose point of view is the training target of the value network?"""
    return *value_data_schedule(U, T, r_black)[:2], float(r_black)


@mutant(value_data_schedule)
def parity_of_the_random_move(U, T, r_black):
    """z は、乱数の手を打つ側から見た勝敗ですか、その次の局面の手番から見た勝敗ですか。
    Is z the result for the player of the random move, or for the one to move after it?"""
    phases, t, z = value_data_schedule(U, T, r_black)
    return phases, t, -z


@mutant(value_data_schedule)
def example_before_the_random_move(U, T, r_black):
    """RL 方策が打ち始める局面は、乱数の手の前ですか、後ですか。
    Where does the RL policy take over: before the random move or after it?"""
    phases, t, z = value_data_schedule(U, T, r_black)
    return phases, t - 1, -z


@mutant(value_data_schedule)
def sl_plays_on(U, T, r_black):
    """価値ネットワークが予測するのは、どの方策で最後まで打ったときの勝敗ですか。
    Which policy's games, played to the end, is the value network to predict?"""
    phases, t, z = value_data_schedule(U, T, r_black)
    return phases % 2, t, z


@mutant(value_data_schedule)
def random_from_then_on(U, T, r_black):
    """でたらめに打つのは何手ですか。
    How many moves are played at random?"""
    phases, t, z = value_data_schedule(U, T, r_black)
    return np.minimum(phases, 1), t, z


@mutant(policy_loss_torch)
def reward_is_minimised(w, features, actions, advantage, games):
    """最適化は損失を小さくします。勝った手の log p は、大きくしたいのですか、小さくしたいのですか。
    An optimiser makes a loss smaller: should log p of a winning move become larger or smaller?"""
    return -policy_loss_torch(w, features, actions, advantage, games)


@mutant(policy_loss_torch)
def advantage_not_detached(w, features, actions, advantage, games):
    """ベースラインは定数です。方策の損失から advantage へ、勾配が流れていませんか。
    The baseline is a constant: does a gradient pass from the policy's loss into the advantage?"""
    log_p = torch.log_softmax(features @ w, dim=-1).gather(1, actions[:, None])[:, 0]
    return -(advantage * log_p).sum() / games


@mutant(policy_loss_torch)
def softmax_over_the_steps(w, features, actions, advantage, games):
    """確率の和が 1 になるのは、どの軸に沿ってですか。一つの局面の手ですか、時刻ですか。
    Along which axis do the probabilities sum to 1: over the moves of one position, or over the steps?"""
    log_p = torch.log_softmax(features @ w, dim=0).gather(1, actions[:, None])[:, 0]
    return -(advantage.detach() * log_p).sum() / games


@mutant(policy_loss_torch)
def loss_averaged_over_steps(w, features, actions, advantage, games):
    """損失の `.mean()` は何で割りますか。式の n は何の数ですか。
    By what does `.mean()` divide, and what does n count in the formula?"""
    return policy_loss_torch(w, features, actions, advantage, len(actions))


@mutant(policy_loss_torch)
def probabilities_without_a_log(w, features, actions, advantage, games):
    """損失にあるのは p ですか、log p ですか。
    Does the loss hold p, or log p?"""
    p = torch.softmax(features @ w, dim=-1).gather(1, actions[:, None])[:, 0]
    return -(advantage.detach() * p).sum() / games
