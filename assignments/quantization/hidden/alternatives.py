"""Right answers written differently: properties must accept them."""

import math
from fractions import Fraction

import numpy as np
import torch
from autograder.properties import alternative

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

NATIVE = {(5, 10): (np.float16, np.uint16), (8, 23): (np.float32, np.uint32), (11, 52): (np.float64, np.int64)}


@alternative(decode_float)
def digit_by_digit(bits, exponent_bits, mantissa_bits):
    """The pattern as a string of digits, each worth half of the one before."""
    digits = [int(d) for d in np.binary_repr(bits, 1 + exponent_bits + mantissa_bits)]
    field = 0
    for d in digits[1 : 1 + exponent_bits]:
        field = 2 * field + d
    fraction = sum(d * 2.0 ** -(i + 1) for i, d in enumerate(digits[1 + exponent_bits :]))
    if all(digits[1 : 1 + exponent_bits]):
        size = math.nan if fraction else math.inf
    else:
        size = ((field > 0) + fraction) * 2.0 ** (max(field, 1) - 2 ** (exponent_bits - 1) + 1)
    return (-1) ** digits[0] * size


@alternative(decode_float)
def views_of_wider_bits(bits, exponent_bits, mantissa_bits):
    """Numpy's reading where it has the type; elsewhere the fields are moved into those of float64."""
    e, m = exponent_bits, mantissa_bits
    if (e, m) in NATIVE:
        value, pattern = NATIVE[e, m]
        with np.errstate(invalid="ignore"):
            return np.array(bits, dtype=np.uint64).astype(pattern).view(value)[()]
    field = np.float64(bits >> m & (2**e - 1))
    size = np.float64(bits & (2**m - 1)) / 2**m
    with np.errstate(all="ignore"):
        size = np.where(field == 2**e - 1, np.where(size == 0, np.inf, np.nan), np.where(field == 0, 2 * size, 1 + size))
        return np.copysign(size * np.exp2(np.where(field == 2**e - 1, 0, field - 2 ** (e - 1) + 1)), 0.5 - (bits >> (e + m)))[()]


@alternative(encode_float)
def casts_and_views(x, exponent_bits, mantissa_bits):
    """Numpy's cast where it has the type, a signed pattern in 64 bits; exact fractions elsewhere."""
    e, m = exponent_bits, mantissa_bits
    if (e, m) in NATIVE:
        value, pattern = NATIVE[e, m]
        with np.errstate(over="ignore"):
            return np.array(x, dtype=np.float64).astype(value).view(pattern)[()]
    sign, top = int(np.signbit(x)) << (e + m), (2**e - 1) << m
    if not math.isfinite(x):
        return top + 1 if math.isnan(x) else sign | top
    least = 2 - 2 ** (e - 1)
    exponent = max(math.floor(math.log2(abs(x))) if x else least, least)
    return sign | min(round(Fraction(abs(x)) / Fraction(2) ** (exponent - m)) + (exponent - least << m), top)


@alternative(encode_float)
def halves_and_doubles(x, exponent_bits, mantissa_bits):
    """The exponent by repeated halving and doubling; a carry is passed on by hand."""
    e, m, bias = exponent_bits, mantissa_bits, 2 ** (exponent_bits - 1) - 1
    sign, top = (1 if str(x).startswith("-") else 0), 2**e - 1
    if x != x:
        return top * 2**m + 2**m - 1
    size, exponent = abs(x), 0
    while size >= 2 and exponent <= bias:
        size, exponent = size / 2, exponent + 1
    while size < 1 and exponent > 1 - bias:
        size, exponent = size * 2, exponent - 1
    if size >= 2:
        field, fraction = top, 0
    else:
        units = round(size * 2**m)
        field, fraction = (exponent + bias, units - 2**m) if units >= 2**m else (0, units)
        if fraction == 2**m:
            field, fraction = field + 1, 0
    return (sign * 2**e + min(field, top)) * 2**m + (fraction if field < top else 0)


@alternative(affine_parameters)
def zero_point_from_one_rounding(x_min, x_max, q_min, q_max):
    """The shifted end is rounded at once; numpy's scalars come back."""
    lo, hi = np.minimum(x_min, 0), np.maximum(x_max, 0)
    if hi == lo:
        return 1, q_min
    scale = (hi - lo) / (q_max - q_min)
    return scale, np.clip(np.rint(q_min - lo / scale), q_min, q_max).astype(np.int32)


@alternative(affine_parameters)
def zero_point_from_the_share_below_zero(x_min, x_max, q_min, q_max):
    """The share of the range below 0, times the number of steps; a list comes back."""
    if x_min >= 0:
        return [x_max / (q_max - q_min) if x_max else 1.0, q_min]
    if x_max <= 0:
        return [-x_min / (q_max - q_min), q_max]
    share = x_min / (x_min - x_max)
    return [(x_max - x_min) / (q_max - q_min), q_min + round(share * (q_max - q_min))]


@alternative(quantize)
def rounded_after_the_shift(x, scale, zero_point, q_min, q_max):
    """The zero point is added before rounding; a narrow type comes back."""
    q = np.minimum(np.maximum(np.round(np.asarray(x) * (1 / np.asarray(scale)) + zero_point), q_min), q_max)
    return q.astype(np.int16)


@alternative(quantize)
def entry_by_entry(x, scale, zero_point, q_min, q_max):
    """Loops over rows and columns with Python's own rounding."""
    s, z = np.broadcast_to(scale, x.shape).tolist(), np.broadcast_to(zero_point, x.shape).tolist()
    rows = zip(x.tolist(), s, z, strict=True)
    return [[max(q_min, min(q_max, round(v / s_j) + z_j)) for v, s_j, z_j in zip(*row, strict=True)] for row in rows]


@alternative(dequantize)
def multiplied_out(q, scale, zero_point):
    """s q - s z."""
    return scale * np.asarray(q).astype(float) - scale * np.asarray(zero_point).astype(float)


@alternative(dequantize)
def wide_integers_first(q, scale, zero_point):
    """The difference in int32, then the scale."""
    return (np.array(q, dtype=np.int32) - zero_point) * scale


@alternative(quantized_matmul)
def scales_in_the_four_terms(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """Each term scaled by itself; sums in int32."""
    a, b, s = qa.astype(np.int32), qb.astype(np.int32), scale_a * scale_b
    return s * (a @ b) - s * zero_a * b.sum(0) - s * zero_b * a.sum(1)[:, None] + s * a.shape[1] * zero_a * zero_b


@alternative(quantized_matmul)
def reals_first(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """Both matrices turned into reals, then multiplied."""
    return (scale_a * (qa.astype(float) - zero_a)) @ (scale_b * (qb.astype(float) - zero_b))


@alternative(quantized_matmul)
def sums_in_python(qa, qb, scale_a, zero_a, scale_b, zero_b):
    """Three loops over Python's integers."""
    rows, columns = qa.tolist(), qb.T.tolist()
    s = scale_a * scale_b
    return [[s * sum((x - zero_a) * (y - zero_b) for x, y in zip(r, c, strict=True)) for c in columns] for r in rows]


@alternative(fake_quantize_backward)
def between_the_real_ends(dy, x, scale, zero_point, q_min, q_max):
    """x is compared with the ends of the real range, half a step wider."""
    lo, hi = scale * (q_min - 0.5 - zero_point), scale * (q_max + 0.5 - zero_point)
    return dy * ((x >= lo) & (x <= hi))


@alternative(fake_quantize_backward)
def where_clipping_changes_nothing(dy, x, scale, zero_point, q_min, q_max):
    """Saturated is what clipping changes."""
    q = np.round(x / scale) + zero_point
    gradient = np.array(dy)
    gradient[np.clip(q, q_min, q_max) != q] = 0
    return gradient


class Straight(torch.autograd.Function):
    """Its backward pass is written out."""

    @staticmethod
    def forward(ctx, x, scale, zero_point, q_min, q_max):
        q = torch.round(x / scale) + zero_point
        clipped = torch.clamp(q, q_min, q_max)
        ctx.save_for_backward(q == clipped)
        return (clipped - zero_point) * scale

    @staticmethod
    def backward(ctx, dy):
        (inside,) = ctx.saved_tensors
        return dy * inside, None, None, None, None


@alternative(fake_quantize_torch)
def function_of_its_own(x, scale, zero_point, q_min, q_max):
    """An autograd function with the gradient written out."""
    return Straight.apply(x, scale, zero_point, q_min, q_max)


@alternative(fake_quantize_torch)
def clamped_then_detached(x, scale, zero_point, q_min, q_max):
    """Clamping blocks the gradient outside; only the rounding is taken out of the graph."""
    steps = torch.clamp(x / scale + zero_point, q_min - 0.499, q_max + 0.499)
    rounded = torch.round(steps.detach() - zero_point) + zero_point
    return scale * (steps + (rounded - steps).detach() - zero_point)
