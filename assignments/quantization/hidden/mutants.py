"""Wrong ideas about floats of few bits and about integers with a scale and a zero point."""

import math

import numpy as np
import torch
from autograder.properties import mutant

from reference.quantization import (
    affine_parameters,
    decode_float,
    dequantize,
    encode_float,
    fake_quantize_backward,
    quantize,
    quantized_matmul,
)
from reference.quantization_torch import fake_quantize_torch


def split(bits, e, m):
    """Sign as ±1, exponent field, fraction."""
    return (-1.0 if bits >> (e + m) else 1.0), bits >> m & (2**e - 1), (bits & (2**m - 1)) / 2**m


def bias(e):
    return 2 ** (e - 1) - 1


@mutant(decode_float)
def subnormals_get_a_hidden_one(bits, exponent_bits, mantissa_bits):
    """指数部が 0 のときも「1.仮数部」でよいでしょうか。0 自身はどう表されますか。
    Does "1.mantissa" still hold when the exponent field is 0? How would zero itself be written?"""
    sign, field, fraction = split(bits, exponent_bits, mantissa_bits)
    if field == 0:
        return sign * math.ldexp(1 + fraction, -bias(exponent_bits))
    return decode_float(bits, exponent_bits, mantissa_bits)


@mutant(decode_float)
def subnormal_exponent_is_minus_bias(bits, exponent_bits, mantissa_bits):
    """最大の非正規化数の次が最小の正規化数になるように、指数を確かめましょう。
    Check the exponent: the largest subnormal must be followed by the least normal number."""
    _, field, _ = split(bits, exponent_bits, mantissa_bits)
    return decode_float(bits, exponent_bits, mantissa_bits) / (2 if field == 0 else 1)


@mutant(decode_float)
def all_ones_exponent_is_an_ordinary_number(bits, exponent_bits, mantissa_bits):
    """指数部がすべて 1 のパターンは数ではなく、特別な意味に使われます。
    The exponent field of all ones is set aside for values that are not ordinary numbers."""
    sign, field, fraction = split(bits, exponent_bits, mantissa_bits)
    if field == 2**exponent_bits - 1:
        with np.errstate(over="ignore"):
            return float(sign * np.ldexp(1 + fraction, field - bias(exponent_bits)))
    return decode_float(bits, exponent_bits, mantissa_bits)


@mutant(decode_float)
def exponent_without_its_bias(bits, exponent_bits, mantissa_bits):
    """指数部は 0 以上の整数です。1 より小さい数の負の指数は、どう表されていますか。
    The exponent field is never negative: how, then, is the negative exponent of a number below 1 written?"""
    with np.errstate(over="ignore"):
        return float(np.ldexp(decode_float(bits, exponent_bits, mantissa_bits), bias(exponent_bits)))


@mutant(encode_float)
def bias_is_a_power_of_two(x, exponent_bits, mantissa_bits):
    """バイアスは指数部の最大値のちょうど半分ではありません。1.0 を符号化して指数部を見てみましょう。
    The bias is not exactly half of 2^e; encode 1.0 and look at the exponent field."""
    return encode_float(2 * x, exponent_bits, mantissa_bits)


@mutant(encode_float)
def truncates_the_mantissa(x, exponent_bits, mantissa_bits):
    """はみ出したビットは捨てるのではなく、最も近い値へ丸めます。
    Bits that do not fit are not simply cut off: take the nearest value."""
    bits = encode_float(x, exponent_bits, mantissa_bits)
    return bits - (abs(decode_float(bits, exponent_bits, mantissa_bits)) > abs(x))


@mutant(encode_float)
def ties_round_away_from_zero(x, exponent_bits, mantissa_bits):
    """ちょうど中間の値は、いつも大きい方へ丸めますか。IEEE の既定の丸めを思い出しましょう。
    Does the exact midpoint always go to the larger neighbour? Recall the default rounding of IEEE 754."""
    bits = encode_float(x, exponent_bits, mantissa_bits)
    if not math.isfinite(decode_float(bits, exponent_bits, mantissa_bits)):
        return bits
    below, above = (abs(decode_float(b, exponent_bits, mantissa_bits)) for b in (bits, bits + 1))
    return bits + (abs(x) - below == above - abs(x) > 0)


@mutant(encode_float)
def rounds_through_float32(x, exponent_bits, mantissa_bits):
    """丸めを二回続けると、一回で丸めたときと結果が変わることがあります。
    Rounding twice can give another result than rounding once."""
    with np.errstate(over="ignore"):
        return encode_float(float(np.float32(x)), exponent_bits, mantissa_bits)


@mutant(encode_float)
def flushes_subnormals_to_zero(x, exponent_bits, mantissa_bits):
    """最小の正規化数より小さい数にも、指数部 0 の表し方があります。
    Below the least normal number there is still a way to write values: exponent field 0."""
    small = abs(x) < 2.0 ** (1 - bias(exponent_bits))
    return encode_float(0 * x if small else x, exponent_bits, mantissa_bits)


@mutant(encode_float)
def overflow_stops_at_the_largest_number(x, exponent_bits, mantissa_bits):
    """最大値を超えて丸められた数は、最大値ではなく別の特別な値になります。
    A value that rounds past the largest number does not stay there; the format has a special pattern for it."""
    bits = encode_float(x, exponent_bits, mantissa_bits)
    return bits - (math.isfinite(x) and math.isinf(decode_float(bits, exponent_bits, mantissa_bits)))


@mutant(encode_float)
def sign_of_zero_is_lost(x, exponent_bits, mantissa_bits):
    """−0.0 < 0 は真ですか。符号ビットは値の大小とは別に読みます。
    Is −0.0 < 0 true? The sign bit is read in another way than by comparison."""
    return encode_float(x + 0.0, exponent_bits, mantissa_bits)


@mutant(encode_float)
def hidden_one_is_stored(x, exponent_bits, mantissa_bits):
    """正規化数の先頭の 1 はいつも同じです。仮数部に書き込む必要がありますか。
    The leading 1 of a normal number is always there: need it be written into the mantissa?"""
    bits = encode_float(x, exponent_bits, mantissa_bits)
    _, field, _ = split(bits, exponent_bits, mantissa_bits)
    if not 0 < field < 2**exponent_bits - 1:
        return bits
    kept = bits & (2**mantissa_bits - 1)
    return bits - kept + (2**mantissa_bits + kept) // 2


@mutant(affine_parameters)
def range_need_not_contain_zero(x_min, x_max, q_min, q_max):
    """ReLU やゼロパディングの 0 が誤差なく表せるか確かめましょう。
    Check that the 0 of ReLU and of zero padding can be represented without error."""
    if x_min == x_max:
        return 1.0, q_min
    scale = (x_max - x_min) / (q_max - q_min)
    return scale, min(max(q_min - round(x_min / scale), q_min), q_max)


@mutant(affine_parameters)
def counts_levels_not_steps(x_min, x_max, q_min, q_max):
    """値の個数と、値と値のあいだの間隔の個数は 1 つ違います。
    The number of levels and the number of gaps between them differ by one."""
    scale, zero_point = affine_parameters(x_min, x_max, q_min, q_max + 1)
    return scale, min(zero_point, q_max)


@mutant(affine_parameters)
def zero_point_with_the_wrong_sign(x_min, x_max, q_min, q_max):
    """x_min を量子化すると q_min になるはずです。
    x_min should be mapped to q_min."""
    scale, _ = affine_parameters(x_min, x_max, q_min, q_max)
    return scale, min(max(q_min + round(min(x_min, 0) / scale), q_min), q_max)


@mutant(affine_parameters)
def scale_from_the_largest_magnitude(x_min, x_max, q_min, q_max):
    """範囲が左右対称でないとき、使われない整数が出てきませんか。
    When the range is lopsided, do some integers go unused?"""
    scale = 2 * max(-x_min, x_max) / (q_max - q_min) or 1.0
    return scale, min(max(q_min - round(min(x_min, 0) / scale), q_min), q_max)


@mutant(affine_parameters)
def zero_point_for_unsigned_only(x_min, x_max, q_min, q_max):
    """int8 では最小の整数が 0 ではありません。x_min はどの整数に対応しますか。
    In int8 the smallest integer is not 0: which integer does x_min go to?"""
    scale, _ = affine_parameters(x_min, x_max, q_min, q_max)
    return scale, min(max(-round(min(x_min, 0) / scale), q_min), q_max)


@mutant(affine_parameters)
def empty_range_divides_by_zero(x_min, x_max, q_min, q_max):
    """すべて 0 の層を渡すと、尺度はいくつになりますか。
    What scale does a layer of zeros get?"""
    scale, zero_point = affine_parameters(x_min, x_max, q_min, q_max)
    return (0.0 if x_min == x_max == 0 else scale), zero_point


@mutant(quantize)
def wraps_instead_of_saturating(x, scale, zero_point, q_min, q_max):
    """範囲を超えた値が反対側の端に飛んでいませんか。
    Does a value past the end jump to the other end?"""
    q = np.rint(x / scale) + zero_point
    return ((q - q_min) % (q_max - q_min + 1) + q_min).astype(np.int64)


@mutant(quantize)
def clips_before_adding_the_zero_point(x, scale, zero_point, q_min, q_max):
    """範囲に収めるのは、ゼロ点を足した後の整数です。
    It is the integer after the zero point was added that must fit in the range."""
    return quantize(x, scale, 0, q_min, q_max) + zero_point


@mutant(quantize)
def rounds_half_up(x, scale, zero_point, q_min, q_max):
    """ちょうど中間の値をいつも上に丸めると偏りが出ます。
    Always rounding the midpoint up makes a bias."""
    return np.clip(np.floor(x / scale + 0.5) + zero_point, q_min, q_max).astype(np.int64)


@mutant(quantize)
def cast_cuts_off_the_fraction(x, scale, zero_point, q_min, q_max):
    """整数型への変換(astype)は、最も近い整数へ丸めますか。
    Does a cast to an integer type (astype) give the nearest integer?"""
    return quantize(scale * np.trunc(x / scale), scale, zero_point, q_min, q_max)


@mutant(dequantize)
def dequantize_shifts_after_scaling(q, scale, zero_point):
    """ゼロ点は整数の世界の値です。どの段階で引くべきでしょうか。
    The zero point lives among the integers; at which stage is it taken off?"""
    return dequantize(q, scale, 0) - zero_point


@mutant(dequantize)
def subtracts_in_the_narrow_type(q, scale, zero_point):
    """int8 の 100 から −100 を引くと、int8 に収まりますか。
    100 − (−100): does it fit in int8?"""
    return scale * (np.asarray(q) - zero_point) * 1.0


@mutant(dequantize)
def zero_point_is_added_back(q, scale, zero_point):
    """量子化ではゼロ点を足しました。元に戻すときはどうしますか。
    The zero point was added when quantising: what happens to it on the way back?"""
    return dequantize(q, scale, -zero_point)


@mutant(quantized_matmul)
def drops_the_product_of_zero_points(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """(q_a−z_a)(q_b−z_b) を展開すると項はいくつありますか。
    How many terms does (q_a − z_a)(q_b − z_b) expand to?"""
    whole = quantized_matmul(qa, qb, scale_a, zero_a, scale_b, zero_b)
    return whole - scale_a * scale_b * len(qb) * zero_a * zero_b


@mutant(quantized_matmul)
def accumulates_in_int8(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """int8 どうしの積和は int8 に収まりません。
    A sum of int8 products does not fit in int8."""
    error = (qa @ qb).astype(np.int64) - qa.astype(np.int64) @ qb.astype(np.int64)
    return quantized_matmul(qa, qb, scale_a, zero_a, scale_b, zero_b) + scale_a * scale_b * error


@mutant(quantized_matmul)
def zero_points_are_left_out(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """整数の 0 は、実数の 0 を表していますか。
    Does the integer 0 stand for the real number 0?"""
    return quantized_matmul(qa, qb, scale_a, 0, scale_b, 0)


@mutant(fake_quantize_backward)
def gradient_ignores_saturation(dy, x, scale, zero_point, q_min, q_max):
    """飽和した入力を少し動かしても、出力は変わりません。
    Where the input is saturated, a small move leaves the output unchanged."""
    return 1.0 * dy


@mutant(fake_quantize_backward)
def rounding_has_no_gradient(dy, x, scale, zero_point, q_min, q_max):
    """丸めの本当の微分をそのまま使うと、重みは更新されるでしょうか。
    If the true derivative of rounding is used, is any weight ever updated?"""
    return 0.0 * dy


@mutant(fake_quantize_backward)
def gradient_keeps_the_scale(dy, x, scale, zero_point, q_min, q_max):
    """割る段階と掛け直す段階の両方を連鎖律に入れましたか。
    Does the chain rule see both the division by s and the multiplication by s?"""
    return scale * fake_quantize_backward(dy, x, scale, zero_point, q_min, q_max)


@mutant(fake_quantize_backward)
def gradient_is_quantized_too(dy, x, scale, zero_point, q_min, q_max):
    """丸められるのは順伝播の値です。逆伝播の勾配も同じ格子に丸めますか。
    It is the forward values that are rounded: are gradients put on the same grid?"""
    rounded = dequantize(quantize(dy, scale, zero_point, q_min, q_max), scale, zero_point)
    return fake_quantize_backward(rounded, x, scale, zero_point, q_min, q_max)


@mutant(fake_quantize_torch)
def autograd_left_to_round(x, scale, zero_point, q_min, q_max):
    """torch.round の勾配はどこでも 0 です。自動微分に任せると、x に何が届きますか。
    The gradient of torch.round is 0 everywhere: what reaches x if autograd is left to itself?"""
    return fake_quantize_torch(x, scale, zero_point, q_min, q_max).detach() + 0 * x


@mutant(fake_quantize_torch)
def passes_through_saturation_on_tensors(x, scale, zero_point, q_min, q_max):
    """x + (丸めた値 - x).detach() だけでは、飽和した x にも勾配が通ります。
    With x + (rounded - x).detach() alone, a gradient passes where x is saturated, too."""
    return x + (fake_quantize_torch(x, scale, zero_point, q_min, q_max) - x).detach()


@mutant(fake_quantize_torch)
def difference_not_detached(x, scale, zero_point, q_min, q_max):
    """勾配を通したい項と、グラフから切り離す項を取り違えていませんか。
    Which term should carry the gradient, and which one leave the graph?"""
    y = fake_quantize_torch(x, scale, zero_point, q_min, q_max)
    return y - x + x.detach()


@mutant(fake_quantize_torch)
def stays_among_the_integers(x, scale, zero_point, q_min, q_max):
    """後の層が受け取るのは整数ですか、それとも丸められた実数ですか。
    Does the next layer receive integers, or rounded real numbers?"""
    y = fake_quantize_torch(x, scale, zero_point, q_min, q_max)
    return y + (torch.div(y, scale) + zero_point - y).detach()
