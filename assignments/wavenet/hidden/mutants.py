"""Wrong ideas about WaveNet."""

import numpy as np
from autograder.properties import mutant

from reference.numerics import sigmoid
from reference.wavenet import (
    causal_conv1d, dilated_receptive_field, gated_activation, mu_law_decode, mu_law_encode, wavenet_layer,
    wavenet_param_count,
)
from reference.wavenet_torch import causal_conv1d_torch


def reach(w, dilation):
    return (w.shape[2] - 1) * dilation


def looking_ahead(x, w, b, dilation, ahead):
    """The output that belongs to time t + ahead, at time t."""
    return causal_conv1d(np.pad(x, ((0, 0), (0, 0), (0, ahead))), w, b, dilation)[:, :, ahead:]


@mutant(causal_conv1d)
def centred_padding(x, w, b, dilation=1):
    """出力の時刻 t が、t より後の入力に触れていませんか。
    Does the output at time t touch inputs after t?"""
    return looking_ahead(x, w, b, dilation, reach(w, dilation) // 2)


@mutant(causal_conv1d)
def pad_right(x, w, b, dilation=1):
    """ゼロは系列のどちら側に足しますか。
    On which side of the sequence do the zeros go?"""
    return looking_ahead(x, w, b, dilation, reach(w, dilation))


@mutant(causal_conv1d)
def taps_reversed(x, w, b, dilation=1):
    """最後のタップが現在の標本に掛かるのがこの課題の約束です。
    In this task the last tap meets the present sample."""
    return causal_conv1d(x, w[:, :, ::-1], b, dilation)


@mutant(causal_conv1d)
def dilation_ignored(x, w, b, dilation=1):
    """ダイレーション d のとき、隣り合うタップの間隔はいくつですか。
    With dilation d, how far apart are neighbouring taps?"""
    return causal_conv1d(x, w, b)


@mutant(causal_conv1d)
def dilation_minus_one(x, w, b, dilation=1):
    """d は間隔ですか、飛ばす個数ですか。d=1 は通常の畳み込みです。
    Is d the spacing or the number skipped? d=1 is the ordinary convolution."""
    return causal_conv1d(x, w, b, dilation + 1)


@mutant(causal_conv1d)
def present_left_out(x, w, b, dilation=1):
    """この関数の y[t] は x[t] 自身を見ます。予測のための1つずらしは誰がしますか。
    In this function y[t] sees x[t]: who makes the shift by one for prediction?"""
    return causal_conv1d(np.pad(x, ((0, 0), (0, 0), (1, 0)))[:, :, :-1], w, b, dilation)


@mutant(causal_conv1d)
def bias_added_at_every_tap(x, w, b, dilation=1):
    """バイアスは、タップごとに足しますか、出力ごとに 1 回ですか。
    Is the bias added for every tap, or once for every output?"""
    return causal_conv1d(x, w, w.shape[2] * b, dilation)


@mutant(dilated_receptive_field)
def rf_kernel_times_sum(kernel, dilations):
    """1層目・d=1・K=2 の受容野は 2 です。式で確かめましょう。
    One layer, d=1, K=2 sees 2 samples: try your formula with one layer and with two."""
    return kernel * sum(dilations)


@mutant(dilated_receptive_field)
def rf_no_plus_one(kernel, dilations):
    """層が 0 のとき、出力は何標本を見ていますか。
    With no layer at all, how many samples does the output see?"""
    return dilated_receptive_field(kernel, dilations) - 1


@mutant(dilated_receptive_field)
def rf_product(kernel, dilations):
    """受容野は 2^層数 に「いつでも」なりますか。d が全部 1 のときは？
    Is it always 2^layers? What if every dilation is 1?"""
    return kernel ** len(dilations)


@mutant(dilated_receptive_field)
def rf_last_only(kernel, dilations):
    """下の層が広げた分はどこへ行きましたか。
    Where did the reach of the lower layers go?"""
    return dilated_receptive_field(kernel, [max(dilations, default=0)] if dilations else [])


@mutant(dilated_receptive_field)
def rf_both_sides(kernel, dilations):
    """因果的な畳み込みが見るのは、過去と未来の両側ですか。
    Does a causal convolution look to both sides, past and future?"""
    return 2 * dilated_receptive_field(kernel, dilations) - 1


def halves(z):
    return np.split(z, 2, axis=1)


@mutant(gated_activation)
def gate_swapped(z):
    """前半のチャネルはフィルタですか、ゲートですか。
    Is the first half the filter or the gate?"""
    return gated_activation(np.concatenate(halves(z)[::-1], axis=1))


@mutant(gated_activation)
def gate_added(z):
    """ゲートが 0 のとき、信号は通りますか。
    If the gate is closed, does the signal pass?"""
    return np.tanh(halves(z)[0]) + sigmoid(halves(z)[1])


@mutant(gated_activation)
def gate_relu(z):
    """フィルタ側の非線形は負の値も通しますか。
    May the filter branch be negative?"""
    return np.maximum(halves(z)[0], 0) * sigmoid(halves(z)[1])


@mutant(gated_activation)
def two_tanh(z):
    """ゲートの値はどの範囲ですか。0〜1 でしょうか、−1〜1 でしょうか。
    In which range does a gate lie: 0 to 1 or −1 to 1?"""
    return np.tanh(halves(z)[0]) * np.tanh(halves(z)[1])


@mutant(gated_activation)
def filter_not_squashed(z):
    """フィルタ側にも活性化関数があります。出力の大きさが 1 を超えていませんか。
    The filter has an activation too: does your output exceed 1 in size?"""
    return halves(z)[0] * sigmoid(halves(z)[1])


@mutant(gated_activation)
def every_other_channel_a_gate(z):
    """フィルタとゲートのチャネルは、交互に並びますか、前半と後半に分かれますか。
    Do filter and gate channels alternate, or do they lie in two halves?"""
    return np.tanh(z[:, ::2]) * sigmoid(z[:, 1::2])


@mutant(wavenet_layer)
def skip_after_residual(x, w, b, w_res, w_skip, dilation):
    """スキップ接続は残差を足す前後どちらから取り出しますか。
    Is the skip output taken before or after the residual sum?"""
    out, _ = wavenet_layer(x, w, b, w_res, w_skip, dilation)
    return out, w_skip.T @ out


@mutant(wavenet_layer)
def no_residual(x, w, b, w_res, w_skip, dilation):
    """w_res が 0 なら、出力は何になるべきですか。
    With w_res = 0, what should the layer return?"""
    out, skip = wavenet_layer(x, w, b, w_res, w_skip, dilation)
    return out - x, skip


@mutant(wavenet_layer)
def residual_halved_in_power(x, w, b, w_res, w_skip, dilation):
    """残差の和を √2 で割る実装もありますが、論文の図 4 ではただの和です。
    Some programs divide the residual sum by √2; in Fig. 4 of the paper it is a plain sum."""
    out, skip = wavenet_layer(x, w, b, w_res, w_skip, dilation)
    return out / 2**0.5, skip


@mutant(wavenet_layer)
def layer_not_dilated(x, w, b, w_res, w_skip, dilation):
    """層のダイレーションは、畳み込みまで渡っていますか。
    Does the layer's dilation reach the convolution?"""
    return wavenet_layer(x, w, b, w_res, w_skip, 1)


@mutant(wavenet_layer)
def residual_weights_transposed(x, w, b, w_res, w_skip, dilation):
    """w_res の行は入力チャネルですか、出力チャネルですか。w_skip (C, S) と同じ並びです。
    Are the rows of w_res input or output channels? They are arranged as those of w_skip (C, S)."""
    return wavenet_layer(x, w, b, w_res.T, w_skip, dilation)


@mutant(wavenet_param_count)
def gate_params_forgotten(channels, skip, kernel, layers):
    """ゲートの畳み込みも重みを持ちます。
    The gate has its own weights."""
    return layers * (kernel * channels * channels + channels + channels * channels + channels * skip)


@mutant(wavenet_param_count)
def skip_forgotten_in_the_count(channels, skip, kernel, layers):
    """スキップ側の 1×1 畳み込みも層ごとに重みを持ちますか。
    Has the 1×1 convolution of the skip path weights in every layer?"""
    return wavenet_param_count(channels, 0, kernel, layers)


@mutant(wavenet_param_count)
def biases_in_every_convolution(channels, skip, kernel, layers):
    """この課題の 1×1 畳み込みにバイアスはありますか。w_res と w_skip のほかに引数はありますか。
    Have the 1×1 convolutions of this task biases? Is there an argument for them beside w_res and w_skip?"""
    return wavenet_param_count(channels, skip, kernel, layers) + layers * (channels + skip)


@mutant(wavenet_param_count)
def layers_share_their_weights(channels, skip, kernel, layers):
    """時刻どうしは重みを共有します。層どうしも共有しますか。
    Times share their weights: do layers, too?"""
    return wavenet_param_count(channels, skip, kernel, 1)


def rounded(f, mu):
    return np.floor((f + 1) / 2 * mu + 0.5).astype(int)


def compressed(x, mu):
    return np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)


@mutant(mu_law_encode)
def linear_quantisation(x, mu=255):
    """μ-law は小さい振幅ほど細かく量子化します。
    μ-law quantises small amplitudes more finely."""
    return rounded(x, mu)


@mutant(mu_law_encode)
def log_of_mu(x, mu=255):
    """x=1 が 1 に写るように、分母を確かめましょう。
    The denominator must make 1 map to 1."""
    return rounded(compressed(x, mu) * np.log1p(mu) / np.log(mu), mu)


@mutant(mu_law_encode)
def truncate(x, mu=255):
    """符号化→復号→符号化で元の整数に戻りますか。
    Does encode(decode(q)) return q?"""
    return np.floor((compressed(x, mu) + 1) / 2 * mu).astype(int)


@mutant(mu_law_encode)
def always_256_levels(x, mu=255):
    """μ=15 なら出力は何段階ですか。
    With μ = 15, how many levels are there?"""
    return rounded(compressed(x, mu), 255)


@mutant(mu_law_encode)
def sign_lost(x, mu=255):
    """x と −x は、同じレベルになりますか。
    Do x and −x have the same level?"""
    return mu_law_encode(np.abs(x), mu)


@mutant(mu_law_encode)
def bins_of_equal_width(x, mu=255):
    """区間を μ+1 個に等分していませんか。両端のレベル 0 と μ の幅は、ほかのレベルの半分です。
    Did you cut the range into μ+1 equal bins? The levels 0 and μ at the ends are half as wide as the others."""
    return np.minimum(np.floor((compressed(x, mu) + 1) / 2 * (mu + 1)), mu).astype(int)


@mutant(mu_law_decode)
def decode_base_mu(q, mu=255):
    """f=1 を復号すると 1 に戻りますか。底は μ ですか、1+μ ですか。
    Does f = 1 decode to 1? Is the base μ or 1+μ?"""
    f = 2 * q / mu - 1
    return np.sign(f) * (mu ** np.abs(f) - 1) / mu


@mutant(mu_law_decode)
def decode_bin_of_256(q, mu=255):
    """最大のレベル μ は 1 に戻りますか。
    Does the highest level μ come back as 1?"""
    return mu_law_decode(q * (mu / (mu + 1)), mu)


@mutant(mu_law_decode)
def decode_linear(q, mu=255):
    """符号化で対数を取りました。戻すときに何をしますか。
    Encoding took a logarithm: what undoes it?"""
    return 2 * q / mu - 1


@mutant(mu_law_decode)
def decoded_without_sign(q, mu=255):
    """真ん中より下のレベルは、どの符号の振幅でしたか。
    Of which sign were the amplitudes below the middle level?"""
    return np.abs(mu_law_decode(q, mu))


@mutant(mu_law_decode)
def always_expanded_with_255(q, mu=255):
    """μ=15 で符号化したものを、255 の曲線で伸ばしていませんか。
    What was encoded with μ = 15: do you expand it with the curve of 255?"""
    return mu_law_decode(255 * q / mu, 255)


@mutant(causal_conv1d_torch)
def padding_on_both_ends(x, w, b, dilation=1):
    """padding 引数は両端に 0 を足します。長さが同じでも、出力が未来の標本を見ていませんか。
    The argument padding adds zeros at both ends: the length may fit, but does the output see future samples?"""
    ahead = reach(w, dilation) // 2
    padded = x.new_zeros(*x.shape[:2], x.shape[2] + ahead)
    padded[:, :, : x.shape[2]] = x
    return causal_conv1d_torch(padded, w, b, dilation)[:, :, ahead:]


@mutant(causal_conv1d_torch)
def flipped_for_the_library(x, w, b, dilation=1):
    """conv1d はカーネルを反転しますか。名前は畳み込みですが、計算は相互相関です。
    Does conv1d flip the kernel? It is called a convolution, but computes a cross-correlation."""
    return causal_conv1d_torch(x, w.flip(2), b, dilation)


@mutant(causal_conv1d_torch)
def taps_taken_out_of_the_graph(x, w, b, dilation=1):
    """detach したり numpy に直したりした重みに、勾配は届きますか。
    Does a gradient reach weights that were detached or turned into an array?"""
    return causal_conv1d_torch(x, w.detach(), b, dilation)


@mutant(causal_conv1d_torch)
def dilation_not_passed_on(x, w, b, dilation=1):
    """左の 0 を (K−1)d 個にしても、タップの間隔は conv1d に伝えましたか。
    With (K−1)d zeros on the left: was conv1d told the spacing of the taps?"""
    return causal_conv1d_torch(x, w, b)
