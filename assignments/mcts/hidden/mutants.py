"""Wrong ideas about tree search."""

import numpy as np
from autograder.properties import mutant

from reference.mcts import alphabeta, backup_rollout, most_visited_move, playout, ucb1, uct_search


@mutant(ucb1)
def log_and_count_swapped(N, W, N_parent, c):
    """訪問の少ない手のボーナスは、大きくなるべきですか、小さくなるべきですか。
    Should a rarely tried move have the larger or the smaller bonus?"""
    visits = np.maximum(N, 1)
    return np.where(N == 0, np.inf, W / visits + c * np.sqrt(np.log(visits) / N_parent))


@mutant(ucb1)
def root_over_log_only(N, W, N_parent, c):
    """平均の信頼区間は、試行回数 n に対して 1/n で縮みますか、1/√n で縮みますか。
    Does a confidence interval shrink like 1/n or like 1/√n?"""
    visits = np.maximum(N, 1)
    return np.where(N == 0, np.inf, W / visits + c * np.sqrt(np.log(N_parent)) / visits)


@mutant(ucb1)
def c_inside_the_root(N, W, N_parent, c):
    """c を2倍にしたとき、ボーナスは何倍になるべきですか。
    If c doubles, by what factor should the bonus grow?"""
    return ucb1(N, W, N_parent, np.sqrt(c))


@mutant(ucb1)
def bonus_is_subtracted(N, W, N_parent, c):
    """情報の少ない手を、もっと試したいのですか、避けたいのですか。
    Should a move about which little is known be tried or avoided?"""
    return np.where(N == 0, np.inf, -ucb1(N, -W, N_parent, c))


@mutant(ucb1)
def unvisited_scores_zero(N, W, N_parent, c):
    """一度も試していない手の不確かさは、どれくらいですか。
    How uncertain is a move that was never tried?"""
    return np.where(N == 0, 0.0, ucb1(N, W, N_parent, c))


@mutant(playout)
def playout_rounds(children, value, state, u):
    """乱数 u を等しい幅の区間に分けていますか。
    Are the intervals that u falls into equally wide?"""
    path = [state]
    for x in u:
        moves = children[path[-1]][children[path[-1]] >= 0]
        if len(moves) == 0:
            break
        path.append(int(moves[round(x * (len(moves) - 1))]))
    return float(value[path[-1]]), np.array(path)


@mutant(playout)
def one_draw_for_all_moves(children, value, state, u):
    """手ごとに新しい乱数を使っていますか。
    Does every move of the playout get a random number of its own?"""
    return playout(children, value, state, np.full(len(children), u[0]))


@mutant(playout)
def playout_one_move(children, value, state, u):
    """プレイアウトはいつ終わりますか。
    When does a playout end?"""
    path = playout(children, value, state, u)[1][:2]
    return float(value[path[-1]]), path


@mutant(playout)
def forced_moves_use_no_draw(children, value, state, u):
    """手が一つしかない局面でも、乱数は一つ使うという約束です。
    By this task's rule a forced move uses a draw too."""
    path, left = [state], list(u)
    while len(moves := children[path[-1]][children[path[-1]] >= 0]):
        path.append(int(moves[int(left.pop(0) * len(moves)) if len(moves) > 1 else 0]))
    return float(value[path[-1]]), np.array(path)


@mutant(backup_rollout)
def same_sign_for_both(N, W, path, player, reward):
    """相手の手番で、相手はあなたの勝ちを望みますか。
    On the opponent's turn: does she want you to win?"""
    entered = backup_rollout(N, W, path, player, reward)[0]
    return entered, W + reward * (entered - N)


@mutant(backup_rollout)
def view_of_the_player_to_move(N, W, path, player, reward):
    """親が子を選ぶとき、その値は誰にとっての良さでなければなりませんか。
    The parent chooses among the children: whose gain must their value be?"""
    entered = backup_rollout(N, W, path, player, reward)[0]
    return entered, W + reward * (1 - 2 * player) * (entered - N)


@mutant(backup_rollout)
def only_the_leaf(N, W, path, player, reward):
    """結果は、通ってきた節点のどこまで伝えますか。
    How far up the path does a result travel?"""
    full_N, full_W = backup_rollout(N, W, path, player, reward)
    last = np.arange(len(N)) == path[-1]
    return np.where(last, full_N, N), np.where(last, full_W, W)


@mutant(backup_rollout)
def root_is_left_out(N, W, path, player, reward):
    """根の訪問数は、何に使われますか。
    What is the root's own count needed for?"""
    full_N, full_W = backup_rollout(N, W, path, player, reward)
    root = np.arange(len(N)) == path[0]
    return np.where(root, N, full_N), np.where(root, W, full_W)


def search(children, value, player, root, simulations, c, u, start=lambda path: path[-1], count=lambda N, s, root: N[s], enter=backup_rollout):
    """UCT with one of its parts exchanged."""
    N, W = np.zeros(len(children), int), np.zeros(len(children))
    for draws in u[:simulations]:
        path = [root]
        while len(moves := children[path[-1]][children[path[-1]] >= 0]):
            untried = moves[N[moves] == 0]
            if len(untried):
                path.append(int(untried[0]))
                break
            path.append(int(moves[np.argmax(ucb1(N[moves], W[moves], max(count(N, path[-1], root), 1), c))]))
        N, W = enter(N, W, np.array(path), player, playout(children, value, start(path), draws)[0])
    return N, W


@mutant(uct_search)
def expands_once_per_node(children, value, player, root, simulations, c, u):
    """まだ試していない手があるとき、選択と展開のどちらが先ですか。
    A node still has untried moves: select or expand?"""

    def cautious(N, W, parent, c):
        return np.where(N == 0, 0.0, ucb1(N, W, parent, c))

    N, W = np.zeros(len(children), int), np.zeros(len(children))
    for draws in u[:simulations]:
        path = [root]
        while len(moves := children[path[-1]][children[path[-1]] >= 0]):
            fresh = not N[moves].any()
            path.append(int(moves[0] if fresh else moves[np.argmax(cautious(N[moves], W[moves], max(N[path[-1]], 1), c))]))
            if N[path[-1]] == 0:
                break
        N, W = backup_rollout(N, W, np.array(path), player, playout(children, value, path[-1], draws)[0])
    return N, W


@mutant(uct_search)
def playout_from_the_root(children, value, player, root, simulations, c, u):
    """プレイアウトは、どの局面から始めますか。
    From which position does the playout start?"""
    return search(children, value, player, root, simulations, c, u, start=lambda path: path[0])


@mutant(uct_search)
def log_of_all_simulations(children, value, player, root, simulations, c, u):
    """UCB1 の ln の中身は、根の訪問数ですか、その節点の訪問数ですか。
    Under the logarithm: the visits of the root or of this node?"""
    return search(children, value, player, root, simulations, c, u, count=lambda N, s, root: N[root])


@mutant(uct_search)
def search_without_a_sign(children, value, player, root, simulations, c, u):
    """相手の手番でも、あなたの得が大きい手を選んでいませんか。
    On the opponent's turn, does the search still choose what is good for you?"""

    def one_sided(N, W, path, player, reward):
        return backup_rollout(N, W, path, np.zeros_like(player), reward)

    return search(children, value, player, root, simulations, c, u, enter=one_sided)


@mutant(uct_search)
def search_is_flat(children, value, player, root, simulations, c, u):
    """根の手の下では、木は育たないのですか。
    Does the tree never grow below the root's own moves?"""
    N, W = np.zeros(len(children), int), np.zeros(len(children))
    moves = children[root][children[root] >= 0]
    for draws in u[:simulations]:
        path = [root]
        if len(moves):
            untried = moves[N[moves] == 0]
            path.append(int(untried[0] if len(untried) else moves[np.argmax(ucb1(N[moves], W[moves], N[root], c))]))
        N, W = backup_rollout(N, W, np.array(path), player, playout(children, value, path[-1], draws)[0])
    return N, W


@mutant(most_visited_move)
def highest_mean_is_played(N, W):
    """数回しか訪問していない手の平均を、信じてよいですか。
    May a mean from very few visits decide the move?"""
    return int(np.argmax(W / np.maximum(N, 1)))


@mutant(most_visited_move)
def last_of_equals(N, W):
    """訪問数が等しい手が並んだら、どちらを選ぶ約束ですか。
    Of moves with equal visits, which one does this task choose?"""
    return len(N) - 1 - most_visited_move(N[::-1], W[::-1])


@mutant(alphabeta)
def everyone_maximises(children, value, player, state, alpha=-np.inf, beta=np.inf):
    """相手は、あなたの値を大きくしますか。
    Does the opponent maximise your value?"""
    return alphabeta(children, value, np.zeros_like(player), state, alpha, beta)


def without(cut, children, value, player, state, alpha, beta):
    """Alpha–beta with another rule of when to stop."""
    moves = children[state][children[state] >= 0]
    if len(moves) == 0:
        return float(value[state]), 1
    top, leaves = player[state] == 0, 0
    best = -np.inf if top else np.inf
    for move in moves:
        found, n = without(cut, children, value, player, move, alpha, beta)
        leaves += n
        best = max(best, found) if top else min(best, found)
        alpha, beta = (max(alpha, best), beta) if top else (alpha, min(beta, best))
        if cut(alpha, beta):
            break
    return float(best), leaves


@mutant(alphabeta)
def plain_minimax(children, value, player, state, alpha=-np.inf, beta=np.inf):
    """相手がすでにもっと良い手を持っているとき、残りの手を調べる必要はありますか。
    The opponent already has a better way out: must the remaining moves be looked at?"""
    return without(lambda a, b: False, children, value, player, state, alpha, beta)


@mutant(alphabeta)
def no_cut_on_equality(children, value, player, state, alpha=-np.inf, beta=np.inf):
    """α と β が等しいとき、残りの手を調べて結果は変わりますか。
    If α equals β, can the remaining moves still change the result?"""
    return without(lambda a, b: a > b, children, value, player, state, alpha, beta)


@mutant(alphabeta)
def counts_every_state(children, value, player, state, alpha=-np.inf, beta=np.inf):
    """数えるのは評価した葉だけですか、訪れた局面すべてですか。
    What is counted: leaves that were evaluated, or every state visited?"""

    def visited(s, a, b):
        moves = children[s][children[s] >= 0]
        if len(moves) == 0:
            return float(value[s]), 1
        top, total = player[s] == 0, 1
        best = -np.inf if top else np.inf
        for move in moves:
            found, n = visited(move, a, b)
            total += n
            best = max(best, found) if top else min(best, found)
            a, b = (max(a, best), b) if top else (a, min(b, best))
            if a >= b:
                break
        return float(best), total

    return visited(state, alpha, beta)
