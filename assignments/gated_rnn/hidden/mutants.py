"""Wrong ideas about gated cells. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.gated_rnn import (
    gru_step, gru_step_backward, lstm_sequence, lstm_step, lstm_step_backward, peephole_lstm_step, recurrent_param_count,
)
from reference.gated_rnn_torch import gru_step_torch, lstm_sequence_torch
from reference.numerics import sigmoid


def turned(order, blocks, *weights):
    """Weights whose blocks are taken in another order."""
    return [np.concatenate([np.split(w, blocks, axis=-1)[k] for k in order], axis=-1) for w in weights]


def scaled(factors, *weights):
    """Weights whose blocks are multiplied, each by its factor."""
    return [w * np.repeat(factors, w.shape[-1] // len(factors)) for w in weights]


def stepped(x, h, c, Wx, Wh, b, squash=np.tanh, gate=sigmoid, cell=lambda i, f, g, c: f * c + i * g, show=np.tanh):
    """An LSTM step with one of its parts exchanged."""
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)
    i, f, g, o = gate(i), gate(f), squash(g), gate(o)
    c_new = cell(i, f, g, c)
    return o * show(c_new), c_new, np.concatenate([i, f, g, o], axis=-1)


@mutant(lstm_step)
def gate_order_ifog(x, h, c, Wx, Wh, b):
    """重みの四つのブロックの並び順(i, f, g, o)を確かめましょう。
    Check the order of the four blocks: i, f, g, o."""
    return lstm_step(x, h, c, *turned((0, 1, 3, 2), 4, Wx, Wh, b))


@mutant(lstm_step)
def candidate_sigmoid(x, h, c, Wx, Wh, b):
    """候補 g は負の値もとれますか。セルの中身を減らすことはできますか。
    Can the candidate be negative, so that the cell can decrease?"""
    return stepped(x, h, c, Wx, Wh, b, squash=sigmoid)


@mutant(lstm_step)
def forget_gate_missing(x, h, c, Wx, Wh, b):
    """要らなくなった過去の情報を消すのは、どのゲートですか。
    Which gate erases what is no longer needed?"""
    return stepped(x, h, c, Wx, Wh, b, cell=lambda i, f, g, c: c + i * g)


@mutant(lstm_step)
def cell_minus(x, h, c, Wx, Wh, b):
    """CEC では、前のセルの値に対する微分は +1 と −1 のどちらであるべきですか。
    What must ∂c_t/∂c_{t−1} be in the carousel: +1 or −1?"""
    return stepped(x, h, c, Wx, Wh, b, cell=lambda i, f, g, c: i * g - f * c)


@mutant(lstm_step)
def coupled_gates(x, h, c, Wx, Wh, b):
    """入力ゲートと忘却ゲートは独立ですか、それとも一方がもう一方で決まりますか。
    Are the input and forget gates independent here?"""
    return stepped(x, h, c, Wx, Wh, b, cell=lambda i, f, g, c: f * c + (1 - f) * g)


@mutant(lstm_step)
def output_without_tanh(x, h, c, Wx, Wh, b):
    """セルの値が大きくなったとき、h は ±1 に収まりますか。
    Does h stay within ±1 when the cell grows?"""
    return stepped(x, h, c, Wx, Wh, b, show=lambda c_new: c_new)


@mutant(lstm_step)
def forget_bias_added_inside(x, h, c, Wx, Wh, b):
    """忘却ゲートの「バイアス 1」は、式の一部ですか、b の初期値ですか。
    Is the forget bias of 1 part of the formula or a starting value of b?"""
    return lstm_step(x, h, c, Wx, Wh, b + np.repeat((0, 1, 0, 0), h.shape[1]))


@mutant(lstm_step)
def gates_before_their_activation(x, h, c, Wx, Wh, b):
    """三つ目に返すのは、活性化関数を通す前の値ですか、通した後の値ですか。
    Is the third result taken before the activations or after them?"""
    return *lstm_step(x, h, c, Wx, Wh, b)[:2], x @ Wx + h @ Wh + b


@mutant(lstm_step)
def exponentials_overflow(x, h, c, Wx, Wh, b):
    """σ の中の値が 800 のとき、exp(800) はどうなりますか。渡された sigmoid はどう避けていますか。
    What is exp(800), and how does the sigmoid that you are given avoid it?"""
    with np.errstate(over="ignore", invalid="ignore"):
        return stepped(x, h, c, Wx, Wh, b, gate=lambda a: np.exp(a) / (1 + np.exp(a)))


@mutant(lstm_sequence)
def sequence_drops_cell(x, h0, c0, Wx, Wh, b):
    """次の時刻へ渡す状態は h だけですか。
    Is h the only state handed to the next step?"""
    h, hs, cs = h0, [], []
    for x_t in x.swapaxes(0, 1):
        h, c, _ = lstm_step(x_t, h, c0, Wx, Wh, b)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, axis=1), np.stack(cs, axis=1)


@mutant(lstm_sequence)
def states_before_the_input(x, h0, c0, Wx, Wh, b):
    """結果の時刻 0 に入るのは、最初の入力の前の状態ですか、後の状態ですか。
    Is step 0 of the result the state before the first input or after it?"""
    hs, cs = lstm_sequence(x, h0, c0, Wx, Wh, b)
    return tuple(np.concatenate((first[:, None], s[:, :-1]), axis=1) for first, s in ((h0, hs), (c0, cs)))


@mutant(lstm_sequence)
def initial_state_ignored(x, h0, c0, Wx, Wh, b):
    """h0 と c0 が 0 でないとき、最初の時刻の状態にその値は効いていますか。
    Do non-zero h0 and c0 reach the states of the first step?"""
    return lstm_sequence(x, 0 * h0, 0 * c0, Wx, Wh, b)


def sent_back(
    dh_new, dc_new, x, h, c, Wx, Wh, b,
    at_cell=lambda dc_new, shown: dc_new + shown, g_slope=lambda g: 1 - g**2, shown_cell=lambda c, c_new: c_new,
    recurrent_input=None,
):  # fmt: skip
    """The backward step of an LSTM with one of its parts exchanged."""
    _, c_new, gates = lstm_step(x, h, c, Wx, Wh, b)
    i, f, g, o = np.split(gates, 4, axis=-1)
    dc = at_cell(dc_new, dh_new * o * (1 - np.tanh(c_new) ** 2))
    da_o = dh_new * np.tanh(shown_cell(c, c_new)) * o * (1 - o)
    da = np.concatenate([dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * g_slope(g), da_o], axis=-1)
    beside_Wh = h if recurrent_input is None else recurrent_input
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, beside_Wh.T @ da, da.sum(axis=0)


@mutant(lstm_step_backward)
def backward_forgets_output_path(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """h′ = o⊙tanh(c′) の誤差は、c′ にも流れますか。
    h′ depends on c′: did its error reach the cell?"""
    return sent_back(dh_new, dc_new, x, h, c, Wx, Wh, b, at_cell=lambda dc_new, shown: dc_new)


@mutant(lstm_step_backward)
def backward_ignores_the_later_cell(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """c′ は h′ を作るだけですか。次の時刻のセルから戻る誤差はどこに入りますか。
    Does c′ only make h′? Where does the error enter that comes back from the next cell?"""
    return lstm_step_backward(dh_new, 0 * dc_new, x, h, c, Wx, Wh, b)


@mutant(lstm_step_backward)
def backward_cell_times_input_gate(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """c′ を c で微分すると、残るのはどのゲートですか。
    Differentiate c′ by c: which gate remains?"""
    dx, dh, dc, *weights = lstm_step_backward(dh_new, dc_new, x, h, c, Wx, Wh, b)
    i, f, _, _ = np.split(lstm_step(x, h, c, Wx, Wh, b)[2], 4, axis=-1)
    return dx, dh, dc / f * i, *weights


@mutant(lstm_step_backward)
def backward_g_slope_of_sigmoid(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """候補 g の活性化関数は何ですか。その微分を g で表すとどうなりますか。
    Which activation has g, and what is its derivative in terms of g?"""
    return sent_back(dh_new, dc_new, x, h, c, Wx, Wh, b, g_slope=lambda g: g * (1 - g))


@mutant(lstm_step_backward)
def output_error_from_the_old_cell(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """h′ の式で、o に掛かっているのはどのセルの tanh ですか。
    In the formula of h′, the tanh of which cell does o multiply?"""
    return sent_back(dh_new, dc_new, x, h, c, Wx, Wh, b, shown_cell=lambda c, c_new: c)


@mutant(lstm_step_backward)
def recurrent_gradient_from_the_new_state(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """Wh は、更新前と更新後のどちらの h に掛かってゲートの中の和を作りますか。
    Which h does Wh multiply when the sums inside the gates are formed: the old one or the new one?"""
    h_new, *_ = lstm_step(x, h, c, Wx, Wh, b)
    return sent_back(dh_new, dc_new, x, h, c, Wx, Wh, b, recurrent_input=h_new)


@mutant(lstm_step_backward)
def backward_averages_the_batch(dh_new, dc_new, x, h, c, Wx, Wh, b):
    """バッチ平均は損失で一度だけとります。ここでもう一度割る必要がありますか。
    The mean over the batch is taken once, in the loss: is it taken again here?"""
    *others, db = lstm_step_backward(dh_new, dc_new, x, h, c, Wx, Wh, b)
    return *others, db / len(x)


@mutant(peephole_lstm_step)
def peephole_output_sees_old_cell(x, h, c, Wx, Wh, b, p):
    """出力ゲートの覗き穴は、更新前と更新後のどちらのセルを見ますか。
    Does the output peephole look at the cell before or after the update?"""
    _, c_new = peephole_lstm_step(x, h, c, Wx, Wh, b, p)
    o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)[3]
    return sigmoid(o + p[2] * c) * np.tanh(c_new), c_new


@mutant(peephole_lstm_step)
def peephole_input_gate_blind(x, h, c, Wx, Wh, b, p):
    """古いセルを見るのは、忘却ゲートだけですか。
    Is the forget gate the only one that looks at the old cell?"""
    return peephole_lstm_step(x, h, c, Wx, Wh, b, p * [[0], [1], [1]])


@mutant(peephole_lstm_step)
def peephole_rows_confused(x, h, c, Wx, Wh, b, p):
    """p の三つの行は、どの順でどのゲートに対応しますか。
    Which row of p belongs to which gate?"""
    return peephole_lstm_step(x, h, c, Wx, Wh, b, p[[1, 1, 2]])


@mutant(peephole_lstm_step)
def peephole_into_the_candidate(x, h, c, Wx, Wh, b, p):
    """p の三つ目の行は、三つ目のブロック g のものですか。覗き穴をもつのはどの三つですか。
    Does the third row of p belong to the third block, g? Which three have a peephole?"""
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=-1)
    c_new = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * np.tanh(g + p[2] * c)
    return sigmoid(o) * np.tanh(c_new), c_new


@mutant(peephole_lstm_step)
def peephole_weights_ignored(x, h, c, Wx, Wh, b, p):
    """c を 2 倍にしたとき、ゲートの値は変わりますか。
    Double c: do the gates change?"""
    return peephole_lstm_step(x, h, c, Wx, Wh, b, 0 * p)


@mutant(gru_step)
def gru_z_swapped(x, h, Wx, Wh, bx, bh):
    """この課題の約束では、z = 1 のとき h は変わりますか、そのままですか。
    In this task, does z = 1 keep the old state or replace it?"""
    return gru_step(x, h, *scaled((1, -1, 1), Wx, Wh, bx, bh))  # 1 - σ(a) = σ(-a)


def with_candidate(x, h, Wx, Wh, bx, bh, candidate):
    """A GRU step with another candidate."""
    r, z = np.split(sigmoid(x @ Wx + bx + h @ Wh + bh), 3, axis=-1)[:2]
    xn, hn = (np.split(a, 3, axis=-1)[2] for a in (x @ Wx + bx, h @ Wh + bh))
    return (1 - z) * np.tanh(candidate(r, z, xn, hn)) + z * h


@mutant(gru_step)
def gru_reset_before_matrix(x, h, Wx, Wh, bx, bh):
    """リセットゲートを掛けるのは、行列を掛ける前ですか後ですか(この課題の約束)。
    Is the reset gate applied before or after the matrix (as agreed in this task)?"""
    Wn, bn = (np.split(w, 3, axis=-1)[2] for w in (Wh, bh))
    return with_candidate(x, h, Wx, Wh, bx, bh, lambda r, z, xn, hn: xn + (r * h) @ Wn + bn)


@mutant(gru_step)
def gru_reset_missing(x, h, Wx, Wh, bx, bh):
    """過去の状態を無視して候補を作れるようにするのは、どのゲートの働きですか。
    Which gate lets the candidate ignore the past?"""
    return with_candidate(x, h, Wx, Wh, bx, bh, lambda r, z, xn, hn: xn + hn)


@mutant(gru_step)
def candidate_gated_by_the_update(x, h, Wx, Wh, bx, bh):
    """候補 n の中に現れるのは、リセットゲートと更新ゲートのどちらですか。
    Which gate stands inside the candidate: reset or update?"""
    return with_candidate(x, h, Wx, Wh, bx, bh, lambda r, z, xn, hn: xn + z * hn)


@mutant(gru_step)
def reset_multiplies_the_input_too(x, h, Wx, Wh, bx, bh):
    """リセットゲートが弱めるのは過去の状態だけですか、新しい入力もですか。
    Does the reset gate weaken the past alone, or the new input as well?"""
    return with_candidate(x, h, Wx, Wh, bx, bh, lambda r, z, xn, hn: r * (xn + hn))


@mutant(gru_step)
def update_gate_ignores_the_state(x, h, Wx, Wh, bx, bh):
    """更新ゲートは、入力と前の状態の両方を見ていますか。
    Does the update gate see both the input and the old state?"""
    return gru_step(x, h, Wx, *scaled((1, 0, 1), Wh), bx, *scaled((1, 0, 1), bh))


@mutant(gru_step)
def update_gate_reads_reset_block(x, h, Wx, Wh, bx, bh):
    """r と z は、それぞれ別の重みのブロックを使っていますか。
    Do r and z each use their own block of weights?"""
    return gru_step(x, h, Wx, *turned((0, 0, 2), 3, Wh), bx, *turned((0, 0, 2), 3, bh))


@mutant(gru_step)
def state_bias_outside_the_reset(x, h, Wx, Wh, bx, bh):
    """リセットゲートは、h と行列の積だけに掛かりますか、それともバイアス bh を足した後に掛かりますか。
    Does the reset gate multiply the product alone, or the product with bh added?"""
    (moved,) = scaled((0, 0, 1), bh)
    return gru_step(x, h, Wx, Wh, bx + moved, bh - moved)


def gru_sent_back(dh_new, x, h, Wx, Wh, bx, bh, through_reset=lambda dan, r: dan * r, apart=lambda h, n: h - n):
    """The backward step of a GRU with one of its parts exchanged."""
    r, z = np.split(sigmoid(x @ Wx + bx + h @ Wh + bh), 3, axis=-1)[:2]
    xn, hn = (np.split(a, 3, axis=-1)[2] for a in (x @ Wx + bx, h @ Wh + bh))
    n = np.tanh(xn + r * hn)
    dan = dh_new * (1 - z) * (1 - n**2)
    dar, daz = dan * hn * r * (1 - r), dh_new * apart(h, n) * z * (1 - z)
    dax, dah = (np.concatenate([dar, daz, last], axis=-1) for last in (dan, through_reset(dan, r)))
    return dax @ Wx.T, dah @ Wh.T + dh_new * z, x.T @ dax, h.T @ dah, dax.sum(axis=0), dah.sum(axis=0)


@mutant(gru_step_backward)
def gru_backward_no_copy_path(dh_new, x, h, Wx, Wh, bx, bh):
    """h′ の式で、h が行列を通らずに現れる項はどれですか。
    Which term of h′ contains h without a matrix?"""
    dx, dh, *weights = gru_step_backward(dh_new, x, h, Wx, Wh, bx, bh)
    z = np.split(sigmoid(x @ Wx + bx + h @ Wh + bh), 3, axis=-1)[1]
    return dx, dh - dh_new * z, *weights


@mutant(gru_step_backward)
def gru_backward_reset_forgotten(dh_new, x, h, Wx, Wh, bx, bh):
    """候補の中の h の項には r が掛かっています。その誤差にも掛かりますか。
    The state part of the candidate is multiplied by r: and its error?"""
    return gru_sent_back(dh_new, x, h, Wx, Wh, bx, bh, through_reset=lambda dan, r: dan)


@mutant(gru_step_backward)
def gru_backward_update_sign(dh_new, x, h, Wx, Wh, bx, bh):
    """z を大きくすると、h′ は h と n のどちらに近づきますか。
    Raise z: does h′ move towards h or towards n?"""
    return gru_sent_back(dh_new, x, h, Wx, Wh, bx, bh, apart=lambda h, n: n - h)


@mutant(gru_step_backward)
def gru_backward_averages_the_batch(dh_new, x, h, Wx, Wh, bx, bh):
    """バッチ平均は損失の側でとってあります。パラメータの勾配は、サンプルについて和ですか平均ですか。
    The loss has taken the mean already: is a parameter's gradient a sum over the samples or a mean?"""
    dx, dh, *weights = gru_step_backward(dh_new, x, h, Wx, Wh, bx, bh)
    return dx, dh, *(w / len(x) for w in weights)


@mutant(recurrent_param_count)
def gru_counted_as_two_gates(kind, D, H, biases=1, peephole=False):
    """GRU の重みの組は、二つのゲートのほかにもう一つありませんか。
    Besides the two gates, which third set of weights has a GRU?"""
    count = recurrent_param_count(kind, D, H, biases, peephole)
    return count * 2 // 3 if kind == "gru" else count


@mutant(recurrent_param_count)
def lstm_counted_as_three_gates(kind, D, H, biases=1, peephole=False):
    """LSTM の重みの組は、三つのゲートのほかにもう一つありませんか。
    Besides the three gates, which fourth set of weights has an LSTM?"""
    count = recurrent_param_count(kind, D, H, biases, peephole)
    return count - recurrent_param_count("rnn", D, H, biases) if kind == "lstm" else count


@mutant(recurrent_param_count)
def recurrent_weights_not_counted(kind, D, H, biases=1, peephole=False):
    """ゲートが見るのは入力だけですか。前の状態に掛かる行列の大きさはいくつですか。
    Do the gates see the input alone? How large is the matrix on the old state?"""
    return recurrent_param_count(kind, D, H, biases, peephole) - {"rnn": 1, "gru": 3, "lstm": 4}[kind] * H * H


@mutant(recurrent_param_count)
def always_two_bias_sets(kind, D, H, biases=1, peephole=False):
    """バイアスは何組ありますか。ライブラリの数え方と同じとは限りません。
    How many bias vectors are there? Libraries differ."""
    return recurrent_param_count(kind, D, H, 2, peephole)


@mutant(recurrent_param_count)
def peephole_counted_as_matrices(kind, D, H, biases=1, peephole=False):
    """覗き穴結合の重みは、行列ですか、要素ごとですか。
    Are peephole weights matrices, or one number a cell?"""
    return recurrent_param_count(kind, D, H, biases) + (3 * H * H if peephole else 0)


def carried_on(x, h, c, Wx, Wh, b, keep):
    """An LSTM whose states pass through `keep` on their way to the next step."""
    steps = []
    for x_t in x.split(1, dim=1):
        steps.append(lstm_sequence_torch(x_t, h, c, Wx, Wh, b))
        h, c = keep(*(states[:, 0] for states in steps[-1]))
    return tuple(torch.cat(states, dim=1) for states in zip(*steps))


@mutant(lstm_sequence_torch)
def states_detached_between_steps(x, h0, c0, Wx, Wh, b):
    """時刻 t の誤差は、時刻 0 の入力まで届いていますか。時刻の間で計算グラフを切る操作を探しましょう。
    Does an error at step t reach the input of step 0? Look for what cuts the graph between steps."""
    return carried_on(x, h0, c0, Wx, Wh, b, lambda h, c: (h.detach(), c.detach()))


@mutant(lstm_sequence_torch)
def cell_detached_between_steps(x, h0, c0, Wx, Wh, b):
    """誤差が次の時刻から戻る道は、h を通るものだけですか。
    Does the error come back from the next step through h alone?"""
    return carried_on(x, h0, c0, Wx, Wh, b, lambda h, c: (h, c.detach()))


@mutant(lstm_sequence_torch)
def tensor_states_started_at_zero(x, h0, c0, Wx, Wh, b):
    """nn.LSTM は状態を渡さなければ 0 から始めます。ここでは h0 と c0 を使いましたか。
    nn.LSTM starts at 0 where it is given no states: were h0 and c0 used here?"""
    return lstm_sequence_torch(x, 0 * h0, 0 * c0, Wx, Wh, b)


@mutant(gru_step_torch)
def gates_without_a_gradient(x, h, Wx, Wh, bx, bh):
    """値は正しくても、ゲートを通る勾配は流れますか。
    The values are right: but does a gradient flow through the gates?"""
    z = (x @ Wx + bx + h @ Wh + bh).chunk(3, dim=-1)[1].sigmoid()
    whole = gru_step_torch(x, h, Wx, Wh, bx, bh)
    n = (whole - z * h) / (1 - z)
    return (1 - z.detach()) * n + z.detach() * h


@mutant(gru_step_torch)
def biases_added_up_first(x, h, Wx, Wh, bx, bh):
    """bx と bh を先に足して一つにすると、リセットゲートは bh の n のブロックに掛かりますか。
    If bx and bh are added up first, does the reset gate still multiply the n block of bh?"""
    return gru_step_torch(x, h, Wx, Wh, bx + bh, 0 * bh)


@mutant(gru_step_torch)
def tensor_update_gate_swapped(x, h, Wx, Wh, bx, bh):
    """nn.GRUCell では、z = 1 のとき前の状態は残りますか、置き換わりますか。
    In nn.GRUCell, does z = 1 keep the old state or replace it?"""
    turn = torch.tensor([1.0, -1.0, 1.0], dtype=h.dtype, device=h.device).repeat_interleave(h.shape[1])
    return gru_step_torch(x, h, Wx * turn, Wh * turn, bx * turn, bh * turn)
