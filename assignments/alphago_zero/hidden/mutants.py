"""Wrong ideas about AlphaGo Zero."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.alphago_zero import (
    apply_virtual_loss, backup_value, input_planes, puct_search, puct_select, root_prior, search_policy, zero_loss,
)
from reference.alphago_zero_torch import zero_loss_torch
from reference.numerics import log_softmax, softmax


def means(N, W):
    return W / np.maximum(N, 1)


def chosen(scores):
    return int(np.argmax(scores)), scores


@mutant(puct_select)
def root_over_the_fraction(P, N, W, c_puct):
    """平方根がかかるのは ΣN だけですか、1+N にもかかりますか。
    Is 1+N under the root as well?"""
    return chosen(means(N, W) + c_puct * P * np.sqrt(N.sum() / (1 + N)))


@mutant(puct_select)
def prior_is_added(P, N, W, c_puct):
    """P(s,a)=0 の手の探索ボーナスはいくつになるべきですか。
    What should the bonus of a move with prior 0 be?"""
    return chosen(P + puct_select(np.ones_like(P), N, W, c_puct)[1])


@mutant(puct_select)
def selection_without_q(P, N, W, c_puct):
    """訪問数が増えると U は 0 に近づきます。そのとき何で選びますか。
    U dies out with the visits: by what is the move chosen then?"""
    return puct_select(P, N, 0 * W, c_puct)[0], puct_select(P, N, W, c_puct)[1]


@mutant(puct_select)
def ucb_logarithm(P, N, W, c_puct):
    """PUCT と UCB1 の違いは、対数があるかどうかです。
    PUCT is not UCB1: is there a logarithm?"""
    return chosen(means(N, W) + c_puct * P * np.sqrt(np.log(np.maximum(N.sum(), 1)) / (1 + N)))


@mutant(puct_select)
def one_under_the_root(P, N, W, c_puct):
    """この課題の式では、まだ何も訪問していない節点のボーナスはいくつですか。
    By the formula of this task, what is the bonus at a node where nothing was visited yet?"""
    return chosen(means(N, W) + c_puct * P * np.sqrt(1 + N.sum()) / (1 + N))


@mutant(puct_select)
def sum_instead_of_mean(P, N, W, c_puct):
    """10 回訪問して合計 1 の手と、2 回訪問して合計 1 の手は、同じくらい良い手ですか。
    Is a move with the sum 1 from ten visits as good as one with the sum 1 from two?"""
    return chosen(W + puct_select(P, N, 0 * W, c_puct)[1])


@mutant(puct_select)
def last_of_equals(P, N, W, c_puct):
    """スコアがすべて等しいとき、どの枝を選ぶ約束ですか。
    When all scores are equal, which edge does this task choose?"""
    index, scores = puct_select(P[::-1], N[::-1], W[::-1], c_puct)
    return len(P) - 1 - index, scores[::-1]


@mutant(apply_virtual_loss)
def virtual_win(N, W, path, n_vl=1):
    """他のスレッドを同じ経路に引き寄せたいのですか、避けさせたいのですか。
    Should the other threads be drawn to this path or kept off it?"""
    visits, sums = apply_virtual_loss(N, W, path, n_vl)
    return visits, 2 * W - sums


@mutant(apply_virtual_loss)
def visits_without_losses(N, W, path, n_vl=1):
    """訪問数だけを増やすと、負けている(W < 0 の)枝の平均は上がりますか、下がりますか。
    If only the visits grow, does the mean of a losing edge (W < 0) rise or fall?"""
    return apply_virtual_loss(N, W, path, n_vl)[0], W.copy()


@mutant(apply_virtual_loss)
def loss_for_one_player_only(N, W, path, n_vl=1):
    """他のスレッドを避けさせたいのは、自分の手番の枝だけですか。
    Should other threads be kept off the edges of one player only?"""
    visits, sums = apply_virtual_loss(N, W, path, n_vl)
    sums[path[-2::-2]] += 2 * n_vl
    return visits, sums


@mutant(backup_value)
def leaf_value_not_negated(N, W, path, v, n_vl=0):
    """v は葉で打つ側から見た値です。葉に入る手を打ったのはどちらですか。
    v belongs to the player to move at the leaf: who played the edge into it?"""
    return backup_value(N, W, path, -v, n_vl)


@mutant(backup_value)
def counted_from_the_root(N, W, path, v, n_vl=0):
    """符号は根から数えますか、葉から数えますか。経路の長さが偶数と奇数の場合を比べましょう。
    Do the signs count from the root or from the leaf? Compare even and odd path lengths."""
    return backup_value(N, W, path[::-1], v, n_vl)


@mutant(backup_value)
def backup_without_sign(N, W, path, v, n_vl=0):
    """相手の手番の枝から見ると、自分の勝ちは何点ですか。
    Seen from the opponent's edge, what is your win worth?"""
    visits, _ = backup_value(N, W, path, v, n_vl)
    return visits, W + (n_vl - v) * np.isin(np.arange(len(N)), path)


@mutant(backup_value)
def only_the_leaf_is_told(N, W, path, v, n_vl=0):
    """葉の評価で、根に近い枝の平均は変わりませんか。
    Does the evaluation of a leaf leave the means near the root as they were?"""
    return backup_value(N, W, path[-1:], v, n_vl)


@mutant(backup_value)
def virtual_loss_stays(N, W, path, v, n_vl=0):
    """シミュレーションの終わりに、仮の負けはどうしますか。
    What becomes of the virtual visits when the simulation ends?"""
    return backup_value(N, W, path, v)[0], backup_value(N, W, path, v, n_vl)[1]


@mutant(backup_value)
def lost_points_stay(N, W, path, v, n_vl=0):
    """仮の負けは N と W の両方を変えました。取り消すのはどれですか。
    The virtual losses changed both N and W: what has to be taken back?"""
    return backup_value(N, W, path, v, n_vl)[0], backup_value(N, W, path, v)[1]


@mutant(root_prior)
def noise_added_on_top(P, noise, epsilon=0.25):
    """ノイズを混ぜたあとも、確率の和は1ですか。
    Do the mixed priors still sum to one?"""
    return P + epsilon * noise


@mutant(root_prior)
def epsilon_weighs_the_prior(P, noise, epsilon=0.25):
    """ε=0.25 は、ノイズの割合ですか、ネットワークの割合ですか。
    Is ε = 0.25 the share of the noise or of the network?"""
    return root_prior(P, noise, 1 - epsilon)


@mutant(root_prior)
def noise_multiplies(P, noise, epsilon=0.25):
    """ネットワークが確率 0 とした手は、ノイズを混ぜると試されるようになりますか。
    A move to which the network gives 0: does the noise get it tried?"""
    mixed = P * root_prior(np.ones_like(P), noise, epsilon)
    return mixed / mixed.sum() if mixed.sum() else mixed


def search(game, select=puct_select, backup=backup_value, first=None):
    """The search, with one of its parts exchanged; `first` are the states expanded beforehand, None the root."""
    children, priors, values, root, simulations, c_puct, noise, epsilon = game
    P, N, W = priors.copy(), np.zeros(children.size, int), np.zeros(children.size)
    if noise is not None:
        P[root] = root_prior(P[root], noise, epsilon)
    expanded = {root} if first is None else set(first)
    for _ in range(simulations):
        state, path = root, []
        while state in expanded and (children[state] >= 0).any():
            moves = np.flatnonzero(children[state] >= 0)
            edges = state * children.shape[1] + moves
            best = select(P[state, moves], N[edges], W[edges], c_puct)[0]
            path.append(edges[best])
            state = int(children[state, moves[best]])
        expanded.add(state)
        if path:
            N, W = backup(N, W, np.array(path), values[state])
    return N.reshape(children.shape)[root]


@mutant(puct_search)
def noise_at_every_node(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """ディリクレノイズを混ぜるのは、木のどの節点ですか。
    At which node of the tree is the Dirichlet noise mixed in?"""
    mixed = priors if noise is None else (1 - epsilon) * priors + epsilon * noise
    return puct_search(children, mixed, values, root, simulations, c_puct)


@mutant(puct_search)
def noise_is_ignored(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """`noise` が渡されたとき、根の事前確率は何になりますか。
    When `noise` is given, what are the priors at the root?"""
    return puct_search(children, priors, values, root, simulations, c_puct)


@mutant(puct_search)
def leaf_is_never_expanded(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """評価した葉は、次に来たとき、まだ葉のままですか。
    A leaf that was evaluated: is it still a leaf at the next visit?"""
    stump = children.copy()
    stump[np.arange(len(children)) != root] = -1
    return puct_search(stump, priors, values, root, simulations, c_puct, noise, epsilon)


@mutant(puct_search)
def only_the_last_edge_learns(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """値は、根から葉までのどの枝に伝えますか。
    Which edges between root and leaf get the value?"""
    game = (children, priors, values, root, simulations, c_puct, noise, epsilon)
    return search(game, backup=lambda N, W, path, v: backup_value(N, W, path[-1:], v))


@mutant(puct_search)
def plays_on_to_the_end(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """新しい局面に来たら、ネットワークの値を使いますか、終局まで進みますか。
    At a new position: ask the network, or play on to the end?"""
    return search((children, priors, values, root, simulations, c_puct, noise, epsilon), first=range(len(children)))


@mutant(puct_search)
def first_simulation_expands_the_root(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """根は、最初のシミュレーションの前に展開されています。訪問数の和はいくつになりますか。
    The root is expanded before the first simulation: what is the sum of the visits?"""
    return search((children, priors, values, root, simulations, c_puct, noise, epsilon), first=())


@mutant(puct_search)
def opponent_helps(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """相手の手番で、相手はあなたに良い手を選びますか。
    On the opponent's turn, does the opponent choose what is good for you?"""

    def one_sided(N, W, path, v):
        sign = -1 if len(path) % 2 else 1
        visits, _ = backup_value(N, W, path, v)
        return visits, W + sign * v * (visits - N)

    return search((children, priors, values, root, simulations, c_puct, noise, epsilon), backup=one_sided)


@mutant(puct_search)
def values_seen_from_above(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """`values[s]` は、s で打つ側から見た値ですか、s へ打った側から見た値ですか。
    Is `values[s]` seen by the player to move at s, or by the one who moved to s?"""
    return puct_search(children, priors, -values, root, simulations, c_puct, noise, epsilon)


@mutant(puct_search)
def chances_instead_of_values(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """値は −1 〜 1 のままですか、0 〜 1 の勝率に直しますか。訪問のない枝の Q = 0 は、どんな意味になりますか。
    Do values stay between −1 and 1, or become chances between 0 and 1? What would Q = 0 of an unvisited edge then mean?"""

    def select(P, N, W, c):
        return puct_select(P, N, (W + N) / 2, c)

    return search((children, priors, values, root, simulations, c_puct, noise, epsilon), select=select)


@mutant(puct_search)
def best_prior_first(children, priors, values, root, simulations, c_puct, noise=None, epsilon=0.25):
    """まだ訪問のない節点では、この課題の式のスコアはどの手も同じです。同点のときの約束は何ですか。
    At a node without visits all scores of this task's formula are equal: what is the rule for ties?"""

    def select(P, N, W, c):
        return (int(np.argmax(P)),) if not N.any() else puct_select(P, N, W, c)

    return search((children, priors, values, root, simulations, c_puct, noise, epsilon), select=select)


@mutant(search_policy)
def temperature_multiplies(N, tau):
    """τ→0 のとき、分布は一様になりますか、最大の手に集中しますか。
    As τ → 0: does the distribution flatten or sharpen?"""
    return search_policy(N, 1 / tau) if tau else search_policy(N, tau)


@mutant(search_policy)
def softmax_of_visits(N, tau):
    """τ=1 のとき、π は訪問回数に比例しますか。
    With τ = 1, is π proportional to the visit counts?"""
    return softmax(N / tau) if tau else search_policy(N, tau)


@mutant(search_policy)
def power_overflows(N, tau):
    """10000 の 100 乗は、float64 で表せますか。割り算を先にできませんか。
    Does float64 hold the 100th power of 10000? Could the division come first?"""
    with np.errstate(all="ignore"):
        power = N.astype(float) ** (1 / tau) if tau else search_policy(N, tau)
        return power / power.sum()


@mutant(search_policy)
def unvisited_moves_get_a_share(N, tau):
    """探索が一度も選ばなかった手を、ネットワークに教えますか。
    Should the network be taught a move that the search never chose?"""
    return search_policy(N + 1, tau)


@mutant(search_policy)
def ties_share_the_limit(N, tau):
    """τ=0 で最大が二つあるとき、この課題ではどちらを選びますか。
    At τ = 0 with two maxima, which one does this task choose?"""
    return search_policy(N, tau) if tau else (N == N.max()) / (N == N.max()).sum()


@mutant(search_policy)
def temperature_ignored(N, tau):
    """τ を小さくすると、π はどう変わるはずですか。
    How should π change as τ gets smaller?"""
    return search_policy(N, 1.0)


@mutant(input_planes)
def black_and_white_planes(history, black_to_play):
    """面の並びは、黒・白の順ですか、手番側・相手側の順ですか。
    Are the planes black and white, or own and opponent?"""
    planes = input_planes(history, True)
    planes[16] = black_to_play
    return planes


@mutant(input_planes)
def oldest_first(history, black_to_play):
    """面 0 は、今の盤面ですか、最も古い盤面ですか。
    Is plane 0 the board now or the oldest one?"""
    return input_planes(history[-8:][::-1], black_to_play)


@mutant(input_planes)
def owner_turns_with_the_move(history, black_to_play):
    """1手前の局面の「手番側」は、そのときの手番の側ですか、今の手番の側ですか。
    "Own" one move ago: the player to move then, or the player to move now?"""
    turned = history.copy()
    turned[-2::-2] = np.array([0, 2, 1])[turned[-2::-2]]
    return input_planes(turned, black_to_play)


@mutant(input_planes)
def own_planes_before_the_others(history, black_to_play):
    """自石と相手の石の面は、局面ごとに並びますか、自石 8 面の後に相手の 8 面が続きますか。
    Do own and opponent's planes alternate, position by position, or do eight of one come before eight of the other?"""
    planes = input_planes(history, black_to_play)
    return np.concatenate([planes[:16:2], planes[1:16:2], planes[16:]])


@mutant(input_planes)
def colour_plane_is_white(history, black_to_play):
    """最後の面が 1 になるのは、どちらの手番のときですか。
    For whose turn is the last plane 1?"""
    planes = input_planes(history, black_to_play)
    planes[16] = not black_to_play
    return planes


@mutant(input_planes)
def first_position_repeated(history, black_to_play):
    """対局が始まる前の面には、何を入れますか。
    What fills the planes before the game began?"""
    return input_planes(np.concatenate([history[:1]] * 8 + [history]), black_to_play)


@mutant(zero_loss)
def loss_summed_over_batch(logits, v, pi, z, weights, l2=1e-4):
    """バッチの大きさを変えると、2つの項の比は変わってよいですか。
    Should the balance of the two terms change with the batch size?"""
    loss, *gradients = zero_loss(logits, v, pi, z, weights, l2)
    return loss - (len(z) - 1) * (pi * log_softmax(logits)).sum(axis=1).mean(), *gradients


@mutant(zero_loss)
def cross_entropy_reversed(logits, v, pi, z, weights, l2=1e-4):
    """教師はどちらですか。log をとるのは予測の側です。
    Which of the two is the target? The logarithm belongs to the prediction."""
    loss, *gradients = zero_loss(logits, v, pi, z, weights, l2)
    turned = pi * log_softmax(logits) - softmax(logits) * np.log(np.maximum(pi, 1e-12))
    return loss + turned.sum(axis=1).mean(), *gradients


@mutant(zero_loss)
def gradient_not_averaged(logits, v, pi, z, weights, l2=1e-4):
    """バッチを2回繰り返すと、平均の損失の各勾配は何倍になりますか。
    A batch repeated twice: what happens to the gradient of each row under a mean?"""
    loss, dlogits, dv, dweights = zero_loss(logits, v, pi, z, weights, l2)
    return loss, len(z) * dlogits, dv, dweights


@mutant(zero_loss)
def value_gradient_reversed(logits, v, pi, z, weights, l2=1e-4):
    """勾配降下で v は z に近づきますか、離れますか。
    Does a descent step move v towards z or away from it?"""
    loss, dlogits, dv, dweights = zero_loss(logits, v, pi, z, weights, l2)
    return loss, dlogits, -dv, dweights


@mutant(zero_loss)
def value_loss_halved(logits, v, pi, z, weights, l2=1e-4):
    """論文の価値の誤差には 1/2 が付きますか。
    Is there a ½ in front of the paper's value error?"""
    loss, *gradients = zero_loss(logits, v, pi, z, weights, l2)
    return loss - 0.5 * ((z - v) ** 2).mean(), *gradients


@mutant(zero_loss)
def weight_decay_once_a_position(logits, v, pi, z, weights, l2=1e-4):
    """c‖θ‖² は、局面の数だけ足しますか、一度だけ足しますか。
    Is c‖θ‖² added once, or once for every position?"""
    return zero_loss(logits, v, pi, z, weights, len(z) * l2)


@mutant(zero_loss)
def weights_without_a_gradient(logits, v, pi, z, weights, l2=1e-4):
    """c‖θ‖² は、重みをどちらへ動かしますか。
    In which direction does c‖θ‖² move the weights?"""
    loss, dlogits, dv, dweights = zero_loss(logits, v, pi, z, weights, l2)
    return loss, dlogits, dv, 0 * dweights


@mutant(zero_loss)
def softmax_overflows(logits, v, pi, z, weights, l2=1e-4):
    """logits が 800 のとき、exp は計算できますか。
    Can exp be computed for a logit of 800?"""
    loss, _, dv, dweights = zero_loss(logits, v, pi, z, weights, l2)
    with np.errstate(all="ignore"):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        cross = -(pi * np.log(p)).sum(axis=1).mean()
        return float(loss + (pi * log_softmax(logits)).sum(axis=1).mean() + cross), (p - pi) / len(z), dv, dweights


@mutant(zero_loss_torch)
def targets_not_detached(logits, v, pi, z, weights, l2=1e-4):
    """π は探索の結果、z は対局の結果で、どちらも定数です。損失からそこへ勾配が流れていませんか。
    π comes from a search and z from a game, both constants: does a gradient of the loss pass into them?"""
    cross = -(pi * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
    return (z - v).square().mean() + cross + l2 * weights.square().sum()


@mutant(zero_loss_torch)
def softmax_over_the_batch(logits, v, pi, z, weights, l2=1e-4):
    """確率の和が 1 になるのは、どの軸に沿ってですか。一つの局面の手ですか、バッチですか。
    Along which axis do the probabilities sum to 1: over the moves of one position, or over the batch?"""
    cross = -(pi.detach() * torch.log_softmax(logits, dim=0)).sum(dim=1).mean()
    return (z.detach() - v).square().mean() + cross + l2 * weights.square().sum()


@mutant(zero_loss_torch)
def mean_over_the_moves(logits, v, pi, z, weights, l2=1e-4):
    """`.mean()` は何で割りますか。交差エントロピーは、一つの局面の手については和です。
    By what does `.mean()` divide? The cross-entropy is a sum over the moves of a position."""
    cross = -(pi.detach() * torch.log_softmax(logits, dim=1)).mean()
    return (z.detach() - v).square().mean() + cross + l2 * weights.square().sum()


@mutant(zero_loss_torch)
def value_head_left_out_of_the_graph(logits, v, pi, z, weights, l2=1e-4):
    """価値の項の勾配は、v まで届いていますか。定数なのは v ですか、z ですか。
    Does the gradient of the value term reach v? Which of v and z is the constant?"""
    return zero_loss_torch(logits, v.detach(), pi, z, weights, l2)
