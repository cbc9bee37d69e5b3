"""Numbers of few bits: the layout of floats, and affine quantisation to integers.

    float       E = 0              (-1)^S · F/2^m · 2^(1 - bias)           zero and subnormals
                1 … 2^e - 2        (-1)^S · (1 + F/2^m) · 2^(E - bias)     normals
                2^e - 1            ±∞ where F = 0, else NaN                bias = 2^(e-1) - 1
    integer     q = clip(round(x / s) + z, q_min, q_max)                   x ≈ s (q - z)
    product     (q_a - z_a)(q_b - z_b) = q_a q_b - z_a q_b - z_b q_a + z_a z_b, summed over K

Floats: IEEE 754-2019 §3.3-3.4 (formats), §4.3.1 (to nearest, ties to even, which holds for integers here, too). Integers:
Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
arXiv:1712.05877, eq. 1 and eqs. 3-8. Gradient: Bengio, Léonard & Courville, 2013, arXiv:1308.3432 (straight-through).

Letters: e, m bits of exponent and mantissa; S sign, E exponent field, F mantissa field; s scale, z zero point; a product
is (M, K) times (K, N); C channels.
"""

import math

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Step = float | Array
Offset = int | Integers


def decode_float(bits: int, exponent_bits: int, mantissa_bits: int) -> float:
    """The number that a bit pattern S E F stands for.

    Args:
        bits: a pattern, 0 … 2^(1+e+m) - 1.
        exponent_bits: e, 2 … 11.
        mantissa_bits: m, 1 … 52.

    Returns:
        Its value, in float64; ±∞ and NaN included.
    """
    _check_format(exponent_bits, mantissa_bits)
    e, m, bias = exponent_bits, mantissa_bits, _bias(exponent_bits)
    sign = -1.0 if bits >> (e + m) else 1.0
    field, fraction = bits >> m & (2**e - 1), bits & (2**m - 1)
    if field == 2**e - 1:
        return math.nan if fraction else sign * math.inf
    if field == 0:
        return sign * math.ldexp(fraction, 1 - bias - m)  # no hidden 1
    return sign * math.ldexp(2**m + fraction, field - bias - m)


def encode_float(x: float, exponent_bits: int, mantissa_bits: int) -> int:
    """The bit pattern S E F of the nearest number of a binary format, ties to the even pattern.

    Args:
        x: a number in float64, ±∞ and NaN included.
        exponent_bits: e, 2 … 11.
        mantissa_bits: m, 1 … 52.

    Returns:
        S · 2^(e+m) + E · 2^m + F, a whole number; too large an x becomes ±∞, and any pattern of NaN stands for NaN.
    """
    _check_format(exponent_bits, mantissa_bits)
    e, m, bias = exponent_bits, mantissa_bits, _bias(exponent_bits)
    infinity: int = (2**e - 1) << m
    if math.isnan(x):
        return infinity | 1 << (m - 1)
    sign: int = (math.copysign(1, x) < 0) << (e + m)  # -0.0 < 0 is false
    if math.isinf(x):
        return sign | infinity
    exponent = math.frexp(x)[1] - 1 if x else 1 - bias  # frexp gives 0 the exponent 0
    exponent = max(exponent, 1 - bias)  # subnormals share the least one
    units = round(math.ldexp(abs(x), m - exponent))  # |x| in units of 2^(exponent - m)
    # A normal number has 2^m units and more, which bring E from 0 to exponent + bias; so does a carry of the rounding.
    return sign | min(((exponent + bias - 1) << m) + units, infinity)


def affine_parameters(x_min: float, x_max: float, q_min: int, q_max: int) -> tuple[float, int]:
    """Scale and zero point for which a range of reals fills a range of integers (Jacob et al., §2.1 and §3).

    Args:
        x_min: least real number.
        x_max: greatest real number.
        q_min: least integer.
        q_max: greatest integer.

    Returns:
        scale: s = (hi - lo) / (q_max - q_min), for the range [lo, hi] widened to contain 0; 1 where that is [0, 0].
        zero_point: z = q_min - round(lo / s), an integer in q_min … q_max: what 0 becomes.
    """
    if not (math.isfinite(x_min) and math.isfinite(x_max) and x_min <= x_max):
        raise ValueError(f"x_min {x_min} and x_max {x_max} must be finite, in this order")
    if not q_min < q_max:
        raise ValueError(f"q_min {q_min} must be less than q_max {q_max}")
    lo, hi = min(x_min, 0.0), max(x_max, 0.0)
    scale = (hi - lo) / (q_max - q_min) if hi > lo else 1.0
    zero_point = q_min - round(lo / scale)
    return float(scale), min(max(zero_point, q_min), q_max)


def quantize(x: Array, scale: Step, zero_point: Offset, q_min: int, q_max: int) -> Integers:
    """The integer of each real number: divided, rounded to even, shifted, and saturated last.

    Args:
        x: real numbers, (N, C).
        scale: s > 0, a number, or one for each channel, (1, C).
        zero_point: z, an integer, or one for each channel, (1, C).
        q_min: least integer.
        q_max: greatest integer.

    Returns:
        (N, C): clip(round(x / s) + z, q_min, q_max), integers.
    """
    _check_scale(scale)
    return np.clip(np.rint(x / scale) + zero_point, q_min, q_max).astype(np.int64)


def dequantize(q: Integers, scale: Step, zero_point: Offset) -> Array:
    """The real number that each integer stands for (eq. 1).

    Args:
        q: integers of any type, int8 and uint8 included, (N, C).
        scale: s > 0, a number, or one for each channel, (1, C).
        zero_point: z, an integer, or one for each channel, (1, C).

    Returns:
        (N, C): s (q - z).
    """
    _check_scale(scale)
    return scale * (np.asarray(q, dtype=np.float64) - zero_point)  # q - z need not fit in int8


def quantized_matmul(qa: Integers, qb: Integers, scale_a: float, zero_a: int, scale_b: float, zero_b: int) -> Array:
    """The product of two quantised matrices, all sums in integers (eqs. 4, 7 and 8).

    Args:
        qa: int8, (M, K).
        qb: int8, (K, N).
        scale_a: scale of qa.
        zero_a: its zero point.
        scale_b: scale of qb.
        zero_b: its zero point.

    Returns:
        (M, N): s_a s_b Σ_k (qa - z_a)(qb - z_b).
    """
    check_shapes(locals(), qa="M K", qb="K N")
    a, b, K = qa.astype(np.int64), qb.astype(np.int64), qa.shape[1]  # int32 is enough for K < 2^17
    rows, columns = a.sum(axis=1, keepdims=True), b.sum(axis=0)
    sums: Integers = a @ b - zero_a * columns - zero_b * rows + K * zero_a * zero_b
    return scale_a * scale_b * sums.astype(np.float64)


def fake_quantize_backward(dy: Array, x: Array, scale: Step, zero_point: Offset, q_min: int, q_max: int) -> Array:
    """Gradient of Σ dy · dequantize(quantize(x)) by the straight-through rule: rounding is taken for the identity.

    Args:
        dy: gradient with respect to the rounded numbers, (N, C).
        x: real numbers, (N, C).
        scale: s > 0, a number, or one for each channel, (1, C).
        zero_point: z, an integer, or one for each channel, (1, C).
        q_min: least integer.
        q_max: greatest integer.

    Returns:
        (N, C): dy where q_min ≤ round(x / s) + z ≤ q_max, 0 where x is saturated.
    """
    _check_scale(scale)
    q = np.rint(x / scale) + zero_point
    return np.where((q >= q_min) & (q <= q_max), dy, 0.0)


def _bias(exponent_bits: int) -> int:
    bias: int = 2 ** (exponent_bits - 1) - 1
    return bias


def _check_format(exponent_bits: int, mantissa_bits: int) -> None:
    if not 2 <= exponent_bits <= 11:
        raise ValueError(f"exponent_bits must be 2 … 11, not {exponent_bits}")
    if not 1 <= mantissa_bits <= 52:
        raise ValueError(f"mantissa_bits must be 1 … 52, not {mantissa_bits}")


def _check_scale(scale: Step) -> None:
    if np.any(np.asarray(scale) <= 0):
        raise ValueError("scale must be positive")
