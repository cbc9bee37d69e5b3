"""The laws of small floats and of affine quantisation.

A float goes in and out of `encode_float` and `decode_float` as a plain number: an array could come back in float32, and the
subject is precision. What `decode_float` is asked for lies within the range of float32, so that an answer may be of it.
"""

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from autograder.properties import FORWARD, Tolerance, assert_at_most, assert_close, assert_equal, claim, integers, reals, twin
from hypothesis import strategies as st

from reference import quantization as ref
from reference import quantization_torch as ref_torch
from reference.quantization import Array, Integers, Offset, Step

RELATIVE = Tolerance(FORWARD.rtol, 0, (1e-6, 0, 0))  # subnormals are far below any absolute tolerance
FP16, BF16, FP32, FP64, E5M2 = (5, 10), (8, 7), (8, 23), (11, 52), (5, 2)
NATIVE = {FP16: (np.float16, np.uint16), FP32: (np.float32, np.uint32), FP64: (np.float64, np.uint64)}
INTEGERS = [(0, 255), (-128, 127), (-127, 127), (0, 15), (-8, 7)]


class Format(NamedTuple):
    """A binary format."""

    e: int
    m: int

    @property
    def bias(self) -> int:
        return 2 ** (self.e - 1) - 1

    @property
    def infinity(self) -> int:
        """Its pattern."""
        return (2**self.e - 1) << self.m

    def fields(self, bits):
        """Sign, exponent field and mantissa field of a pattern, which counts modulo 2^64; one NaN stands for all."""
        bits = int(bits) % 2**64
        sign, field, fraction = bits >> (self.e + self.m), bits >> self.m & (2**self.e - 1), bits & (2**self.m - 1)
        return (0, field, 1) if field == 2**self.e - 1 and fraction else (sign, field, fraction)


@cache
def magnitudes(fmt):
    """The numbers of a format from 0 on; infinity takes part in rounding as the number that would be next."""
    return [*(ref.decode_float(b, *fmt) for b in range(fmt.infinity)), 2.0 ** (fmt.bias + 1)]


def formats(e=(2, 5), m=(1, 4)):
    return st.builds(Format, st.integers(*e), st.integers(*m))


def several(count, of):
    return lambda fmt: st.lists(of(fmt), min_size=count, max_size=count)


@st.composite
def patterns(draw, fmt):
    """Fields of their own: a third subnormal, a sixth all ones, within the range of float32."""
    top, narrow = 2**fmt.e - 1, fmt.e <= 8 and fmt.m <= 23  # then float32 has every number of the format
    reach = min(fmt.bias, top - fmt.bias - 1) if narrow else min(fmt.bias - 1, 120)
    normal = st.integers(fmt.bias - reach + narrow, fmt.bias + reach - (fmt.e == 8 and not narrow))
    kinds = [normal, normal, normal, st.just(top)]
    kinds += [st.just(0), st.just(0)] if narrow or fmt.e < 8 else []
    field = draw(st.one_of(kinds))
    fraction = draw(st.sampled_from([0, 2**fmt.m - 1, 1]) | st.integers(0, 2**fmt.m - 1))
    return draw(st.integers(0, 1)) << (fmt.e + fmt.m) | field << fmt.m | fraction


@claim(ref.decode_float, fmt=st.sampled_from([FP16, FP32, FP64]).map(lambda f: Format(*f)), bits=several(5, patterns))
def decoding_matches_ieee_hardware(f, fmt, bits):
    """fp16・fp32・fp64 では、同じビット列を計算機が読んだ値に等しい(NaN も含む)。
    For fp16, fp32 and fp64 the value is what the machine reads in the same bits, NaN included."""
    value, pattern = NATIVE[fmt]
    with np.errstate(invalid="ignore"):
        expected = np.array(bits, dtype=pattern).view(value).astype(np.float64)
    assert_close([f(b, *fmt) for b in bits], expected.tolist(), RELATIVE)


@claim(ref.decode_float, fmt=formats(e=(2, 11), m=(1, 52)), bits=several(5, patterns))
def decoded_value_follows_the_formula(f, fmt, bits):
    """どの形式でも、E = 0 なら ±F/2^m·2^(1-bias)、E がすべて 1 なら ±∞ か NaN、それ以外は ±(1 + F/2^m)·2^(E-bias) である。
    In every format it is ±F/2^m·2^(1-bias) for E = 0, ±∞ or NaN for E all ones, else ±(1 + F/2^m)·2^(E-bias)."""
    expected = []
    for b in bits:
        digits = format(b, f"0{1 + fmt.e + fmt.m}b")
        field, fraction = int(digits[1 : 1 + fmt.e], 2), int(digits[1 + fmt.e :], 2) / 2**fmt.m
        size = (fraction if field == 0 else 1 + fraction) * 2.0 ** (max(field, 1) - fmt.bias) if field < 2**fmt.e - 1 else math.inf
        expected.append(math.nan if size == math.inf and fraction else -size if digits[0] == "1" else size)
    assert_close([f(b, *fmt) for b in bits], expected, RELATIVE)


@claim(ref.decode_float, fmt=formats(e=(2, 4), m=(1, 2)))
def patterns_are_ordered_like_values(f, fmt):
    """符号 0 のパターンを整数の順に 0 から並べると、値は 0 から ∞ まで増え続け、隣との間隔は狭くならない。
    In the order of integers, the patterns of sign 0 run from 0 to ∞ in increasing value, and the gaps never shrink."""
    values = np.array([f(b, *fmt) for b in range(fmt.infinity + 1)], dtype=np.float64)
    assert_close(values[[0, -1]], np.array([0, np.inf]), RELATIVE)
    gaps = np.diff(values[:-1])
    assert_equal(np.sign(gaps), np.ones(len(gaps)))
    assert_at_most(gaps[:-1], gaps[1:])


@claim(ref.decode_float, fmt=formats(e=(2, 8), m=(1, 23)))
def landmarks_of_the_format(f, fmt):
    """1 の次の数は 1 + 2^-m、最大値は (2 - 2^-m)·2^bias、最小の正規化数は 2^(1-bias)、最小の正の数は 2^(1-bias-m) である。
    After 1 comes 1 + 2^-m; the greatest number is (2 - 2^-m)·2^bias, the least normal 2^(1-bias), the least positive 2^(1-bias-m)."""
    e, m = fmt
    after_one = f((fmt.bias << m) + 1, e, m)
    greatest, least_normal, least = f(fmt.infinity - 1, e, m), f(1 << m, e, m), f(1, e, m)
    assert_close(after_one, 1 + 2.0**-m, RELATIVE)
    assert_close(greatest, (2 - 2.0**-m) * 2.0**fmt.bias, RELATIVE)
    assert_close([least_normal, least], [2.0 ** (1 - fmt.bias), 2.0 ** (1 - fmt.bias - m)], RELATIVE)


@st.composite
def midpoints(draw, fmt):
    """Half way between two neighbours, infinity included."""
    below = draw(st.integers(0, fmt.infinity - 1))
    above = 2.0 ** (fmt.bias + 1) if below == fmt.infinity - 1 else ref.decode_float(below + 1, *fmt)
    return (ref.decode_float(below, *fmt) + above) / 2


@st.composite
def spread(draw, fmt):
    """A significand of a few bits more than the format has, and an exponent of below or above all that it has, too."""
    finer = min(fmt.m + 3, 52)
    exponent = draw(st.integers(max(1 - fmt.bias - fmt.m - 3, -1074), min(fmt.bias + 2, 1023)))
    return math.ldexp(1 + draw(st.integers(0, 2**finer - 1)) / 2**finer, exponent)


@st.composite
def numbers(draw, fmt, signs=(1, -1)):
    """Ties and what lies just beside them, numbers of every size, and the format's landmarks."""
    greatest = ref.decode_float(fmt.infinity - 1, *fmt)
    kinds = [spread(fmt), st.sampled_from([0.0, math.inf, 1.0, 2.0 ** (1 - fmt.bias), greatest])]
    if fmt.m < 52:
        tie, last_tie = midpoints(fmt), (greatest + 2.0 ** (fmt.bias + 1)) / 2
        kinds += [tie, tie, st.builds(lambda x, way: x * (1 + way * 2.0**-40), tie, st.sampled_from([1, -1])), spread(fmt)]
        kinds += [st.sampled_from([last_tie, last_tie, 2.0 ** (fmt.bias + 1), last_tie * (1 - 2.0**-40)])]
    return math.copysign(draw(st.one_of(kinds)), draw(st.sampled_from(signs)))


@claim(
    ref.encode_float, fmt=st.sampled_from([FP16, FP32, FP64]).map(lambda f: Format(*f)), xs=several(5, numbers), nan=st.sampled_from([False, False, True])
)
def encoding_matches_ieee_hardware(f, fmt, xs, nan):
    """fp16・fp32・fp64 では、(符号, 指数部, 仮数部) が計算機の型変換で得られるものに等しい(NaN は指数部がすべて 1 で仮数部が 0 でないもの)。
    For fp16, fp32 and fp64, (sign, exponent field, mantissa field) are those of the machine's own cast (NaN: exponent all ones, mantissa not 0)."""
    value, pattern = NATIVE[fmt]
    xs = [*xs, math.nan] if nan else xs
    with np.errstate(over="ignore"):
        expected = np.array(xs).astype(value).view(pattern).tolist()
    assert_equal([fmt.fields(f(x, *fmt)) for x in xs], [fmt.fields(bits) for bits in expected])


@claim(ref.encode_float, fmt=formats(), xs=several(3, numbers), ties=several(2, midpoints), sign=st.sampled_from([1.0, -1.0]))
def nearest_number_of_the_format_wins(f, fmt, xs, ties, sign):
    """どの形式でも、表せる数のうち最も近いものの (符号, 指数部, 仮数部) になる。ちょうど中間ならパターンが偶数の方、最大値より 2^(bias+1) に近ければ ∞ である。
    In every format it is (sign, exponent, mantissa) of the nearest number there is; half way, the even pattern; nearer to 2^(bias+1) than to the greatest number, ∞."""
    xs = [*xs, *(sign * tie for tie in ties)]
    expected = []
    for x in xs:
        size = min(abs(x), 2.0 ** (fmt.bias + 1))
        nearest = min(range(fmt.infinity + 1), key=lambda b: (abs(magnitudes(fmt)[b] - size), b % 2))
        expected.append(fmt.fields(nearest | (math.copysign(1, x) < 0) << (fmt.e + fmt.m)))
    assert_equal([fmt.fields(f(x, *fmt)) for x in xs], expected)


@claim(ref.encode_float, fmt=formats(e=(2, 4), m=(1, 2)))
def every_pattern_survives_a_round_trip(f, fmt):
    """小さな形式のすべてのパターン(NaN 以外)は、復号してから符号化すると元の (符号, 指数部, 仮数部) に戻る。
    Every pattern of a small format but NaN, decoded and encoded again, is (sign, exponent, mantissa) as before."""
    patterns = [sign << (fmt.e + fmt.m) | bits for sign in (0, 1) for bits in range(fmt.infinity + 1)]
    assert_equal([fmt.fields(f(ref.decode_float(b, *fmt), *fmt)) for b in patterns], [fmt.fields(b) for b in patterns])


@claim(ref.encode_float, fmt=st.sampled_from([FP16, BF16, FP32, FP64, E5M2]).map(lambda f: Format(*f)), xs=several(2, numbers))
def negation_flips_the_sign_bit_alone(f, fmt, xs):
    """符号を反転すると符号ビットだけが変わる。0.0 と -0.0 も符号ビットだけが違う。
    A change of sign changes the sign bit alone; 0.0 and -0.0 differ in it, too."""
    for x in (*xs, 0.0):
        sign, field, fraction = fmt.fields(f(x, *fmt))
        assert_equal(fmt.fields(f(-x, *fmt)), (1 - sign, field, fraction))


class Range(NamedTuple):
    """The arguments of `affine_parameters`, in its order."""

    x_min: float
    x_max: float
    q_min: int
    q_max: int

    @property
    def widened(self):
        return min(self.x_min, 0.0), max(self.x_max, 0.0)

    @property
    def unrounded(self):
        """x_min / s, in steps."""
        lo, hi = self.widened
        return lo / (hi - lo) * (self.q_max - self.q_min)


@st.composite
def ranges(draw):
    """Six in ten on both sides of 0, the others on one; x_min not near the middle between two multiples of s."""
    a, b = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    a, b = {"both": (-a, b), "right": (a, a + b), "left": (-a - b, -a)}[draw(st.sampled_from(["both"] * 6 + ["right", "left"] * 2))]
    unit = draw(st.sampled_from([0.001, 0.03125, 0.1, 0.25, 1.5, 40.0]))
    return Range(a * unit, b * unit, *draw(st.sampled_from(INTEGERS)))


clear_ranges = ranges().filter(lambda r: abs(r.unrounded % 1 - 0.5) > 1e-3)


@claim(ref.affine_parameters, r=clear_ranges)
def scale_and_zero_point_follow_the_range(f, r):
    """0 を含むように広げた範囲 [lo, hi] について s = (hi - lo)/(q_max - q_min)、z = q_min - round(lo/s) である。
    For the range [lo, hi] widened to contain 0, s = (hi - lo)/(q_max - q_min) and z = q_min - round(lo/s)."""
    lo, hi = r.widened
    scale, zero_point = f(*r)
    assert_equal(zero_point, r.q_min - round(r.unrounded))
    assert_close(scale, (hi - lo) / (r.q_max - r.q_min), RELATIVE)


@claim(ref.affine_parameters, r=clear_ranges)
def range_is_covered_and_zero_is_exact(f, r):
    """z は q_min 以上 q_max 以下(0 が誤差なく表せる)で、s(q_min - z) と s(q_max - z) は、0 を含むように広げた範囲の両端から s/2 以内にある。
    z lies in q_min … q_max (so 0 is exact), and s(q_min - z), s(q_max - z) lie within s/2 of the ends of the range widened to contain 0."""
    scale, zero_point = (float(part) for part in f(*r))
    assert_close(float(np.sign(scale)), 1.0)
    assert_at_most(abs(zero_point - (r.q_min + r.q_max) / 2), (r.q_max - r.q_min) / 2)
    ends = scale * (np.array([r.q_min, r.q_max]) - zero_point)
    assert_at_most(abs(ends - r.widened) / scale, np.array([0.5, 0.5]) + 1e-6)


@claim(ref.affine_parameters, a=st.sampled_from([0.001, 0.1, 0.75, 3.0, 12.5, 1000.0]), q=st.sampled_from([7, 127, 32767]))
def symmetric_range_has_zero_point_zero(f, a, q):
    """対称量子化: 範囲 [-a, a]、整数 -q … q なら、z = 0、s = a/q である。
    Symmetric quantisation: for the range [-a, a] and the integers -q … q, z = 0 and s = a/q."""
    scale, zero_point = f(-a, a, -q, q)
    assert_equal(zero_point, 0)
    assert_close(scale, a / q, RELATIVE)


@claim(ref.affine_parameters, r=clear_ranges, c=st.sampled_from([0.125, 0.5, 2.0, 8.0]), d=st.sampled_from([-128, -64, -2, 2, 64, 128]))
def parameters_follow_a_change_of_units(f, r, c, d):
    """範囲を c 倍すると s が c 倍になり、z は変わらない。q_min と q_max に d を足すと z に d が足され、s は変わらない。空の範囲 [0, 0] なら (1.0, q_min) である。
    A range times c has s times c and the same z; q_min and q_max plus d give z plus d and the same s; the empty range [0, 0] gives (1.0, q_min)."""
    scale, zero_point = f(*r)
    other, same = f(*r._replace(x_min=c * r.x_min, x_max=c * r.x_max))
    assert_equal(same, zero_point)
    assert_close(other, c * scale, RELATIVE)
    same, shifted = f(*r._replace(q_min=r.q_min + d, q_max=r.q_max + d))
    assert_equal(shifted, zero_point + d)
    assert_close(same, scale, RELATIVE)
    assert_close(f(*r._replace(x_min=0.0, x_max=0.0)), (1.0, r.q_min), RELATIVE)


class Activations(NamedTuple):
    """The arguments of `quantize`, in its order."""

    x: Array
    scale: Step
    zero_point: Offset
    q_min: int
    q_max: int


def whole(*shape, low, high):
    """Integers whose count may be 256 (`integers` of that count overflows its byte)."""
    return integers(*shape, low=2 * low, high=2 * high + 1).map(lambda doubled: doubled // 2)


scales = st.sampled_from([0.001, 0.0078125, 0.02, 0.1, 0.25, 0.75, 3.0, 10.0])


@st.composite
def steps(draw, channels, q_min, q_max):
    """A scale and a zero point for all, or one of each for every channel."""
    if channels == 0:
        return draw(scales), draw(st.integers(q_min, q_max))
    each = [draw(scales) for _ in range(channels)]
    return np.array([each]), draw(whole(1, channels, low=q_min, high=q_max))


@st.composite
def activations(draw, channels=(0, 0, 5)):
    """Numbers near multiples of s, never half way; a third lie outside, by more than half a step."""
    q_min, q_max = draw(st.sampled_from(INTEGERS))
    scale, zero_point = draw(steps(draw(st.sampled_from(channels)), q_min, q_max))
    shape = draw(st.integers(1, 3)), 5
    k = draw(whole(*shape, low=q_min, high=q_max))
    beyond, way = draw(integers(*shape, low=5, high=400)), draw(integers(*shape, low=0, high=5))
    k = np.where(way == 0, q_min - beyond, np.where(way == 1, q_max + beyond, k))
    off = draw(integers(*shape, low=-7, high=7)) * 0.07
    return Activations(scale * (k - zero_point + off), scale, zero_point, q_min, q_max)


@claim(ref.quantize, a=activations())
def every_entry_is_rounded_shifted_and_clipped(f, a):
    """どの要素も q = min(max(round(x/s) + z, q_min), q_max) である(s と z は、スカラーまたはチャネルごと)。
    Every entry is q = min(max(round(x/s) + z, q_min), q_max), with one s and z, or one of each for a channel."""
    s, z = np.broadcast_to(a.scale, a.x.shape), np.broadcast_to(a.zero_point, a.x.shape)
    expected = np.empty(a.x.shape, dtype=int)
    for at in np.ndindex(*a.x.shape):
        expected[at] = min(max(round(a.x[at] / s[at]) + int(z[at]), a.q_min), a.q_max)
    assert_equal(f(*a), expected)


@claim(ref.quantize, a=activations())
def error_is_half_a_step_inside_and_saturates_outside(f, a):
    """表せる範囲の中では |s(q - z) - x| は s/2 以下で、外では x の側の端 q_min か q_max になる。
    Inside the range |s(q - z) - x| is at most s/2; outside, q is the end q_min or q_max on x's side."""
    q = np.asarray(f(*a), dtype=np.int64)
    steps_from_zero = a.x / a.scale + a.zero_point
    low, high = steps_from_zero < a.q_min - 1, steps_from_zero > a.q_max + 1
    assert_equal(q[low], np.full(low.sum(), a.q_min))
    assert_equal(q[high], np.full(high.sum(), a.q_max))
    inside = ~(low | high)
    assert_at_most(abs(q - steps_from_zero)[inside], np.full(inside.sum(), 0.5 + 1e-6))


@claim(ref.quantize, k=integers(1, 6, low=-30, high=30), power=st.integers(-6, 2), z=integers(low=-20, high=20).map(lambda z: 2 * int(z)))
def ties_go_to_the_even_integer(f, k, power, z):
    """ちょうど中間の x = (k + 1/2)s では、x/s は偶数へ丸められる。
    Half way, at x = (k + 1/2)s, x/s is rounded to the even integer."""
    even = k + k % 2
    assert_equal(f((k + 0.5) * 2.0**power, 2.0**power, z, -128, 127), even + z)


@claim(ref.quantize, a=activations(channels=(5,)))
def order_is_kept_and_channels_are_separate(f, a):
    """x が大きいほど q は小さくならない。形 (1, C) の s と z を渡すと、第 j 列はスカラーの s_j、z_j で量子化した列に等しい。
    A greater x never has a smaller q; with s and z of shape (1, C), column j is what the scalars s_j, z_j make of it."""
    together = np.asarray(f(*a))
    for j in range(2):
        alone = np.asarray(f(a.x[:, j : j + 1], float(a.scale[0, j]), int(a.zero_point[0, j]), a.q_min, a.q_max))
        assert_equal(together[:, j : j + 1], alone)
    row = np.sort(a.x.ravel())[None]
    q = np.asarray(f(row, float(a.scale[0, 0]), int(a.zero_point[0, 0]), a.q_min, a.q_max), dtype=np.int64)
    assert_equal(q, np.maximum.accumulate(q, axis=1))


@st.composite
def stored(draw, channels=(0, 0, 5)):
    """Integers in the narrow type that holds them."""
    q_min, q_max = draw(st.sampled_from(INTEGERS))
    scale, zero_point = draw(steps(draw(st.sampled_from(channels)), q_min, q_max))
    return draw(whole(4, 5, low=q_min, high=q_max)).astype(np.uint8 if q_min == 0 else np.int8), scale, zero_point


@claim(ref.dequantize, s=stored())
def stored_integers_of_any_width_come_back(f, s):
    """q が int8 や uint8 で渡されても、どの要素も s·(q - z) である(q - z は桁あふれしない)。
    Every entry is s·(q - z), the difference taken without overflow, even where q comes as int8 or uint8."""
    q, scale, zero_point = s
    each, z = np.broadcast_to(scale, q.shape), np.broadcast_to(zero_point, q.shape)
    expected = [[each[i, j] * (int(q[i, j]) - int(z[i, j])) for j in range(5)] for i in range(4)]
    assert_close(f(*s), np.array(expected), FORWARD.scaled(np.max(scale)))


@st.composite
def grids(draw):
    """A scale, a zero point, and the ends."""
    q_min, q_max = draw(st.sampled_from(INTEGERS))
    return *draw(steps(0, q_min, q_max)), q_min, q_max


@claim(ref.dequantize, g=grids())
def dequantize_is_affine_and_inverts_quantize(f, g):
    """z は 0 に戻り、q が 1 増えると s だけ増え、逆量子化した値を量子化するとどの q も元に戻る。
    z comes back as 0, one more in q is s more, and quantising what came back gives every q again."""
    scale, zero_point, q_min, q_max = g
    q = np.arange(q_min, q_max + 1)[None]
    x = np.asarray(f(q, scale, zero_point), dtype=np.float64)
    within = FORWARD.scaled(scale)
    assert_close(x[0, zero_point - q_min], 0.0, within)
    assert_close(np.diff(x[0]), np.full(q_max - q_min, scale), within)
    assert_equal(ref.quantize(x, scale, zero_point, q_min, q_max), q)


class Product(NamedTuple):
    """The arguments of `quantized_matmul`, in its order."""

    qa: Integers
    qb: Integers
    scale_a: float
    zero_a: int
    scale_b: float
    zero_b: int

    @property
    def within(self):
        """In units of the greatest sum that there can be."""
        return FORWARD.scaled(self.scale_a * self.scale_b * len(self.qb) * 2.0**14)


@st.composite
def products(draw):
    """Two int8 matrices."""
    M, K, N = draw(st.integers(1, 4)), draw(st.integers(1, 8)), draw(st.integers(1, 4))
    qa, qb = (draw(whole(*shape, low=-128, high=127)).astype(np.int8) for shape in ((M, K), (K, N)))
    scale, zero = st.sampled_from([0.001, 0.02, 0.1, 0.25, 1.0]), st.integers(-128, 127)
    return Product(qa, qb, draw(scale), draw(zero), draw(scale), draw(zero))


@claim(ref.quantized_matmul, p=products())
def integer_product_equals_float_product(f, p):
    """整数だけで計算した積は、先に実数へ戻した行列どうしの積に等しい。
    The product computed in integers equals the product of the matrices turned into reals first."""
    a, b = p.scale_a * (p.qa.astype(float) - p.zero_a), p.scale_b * (p.qb.astype(float) - p.zero_b)
    assert_close(f(*p), a @ b, p.within)


@claim(ref.quantized_matmul, p=products())
def zero_times_anything_is_zero(f, p):
    """すべての要素がゼロ点である行列は零行列なので、左から掛けても右から掛けても積は 0 になる。
    A matrix filled with its own zero point is the zero matrix: the product is 0 from the left and from the right."""
    nothing = np.zeros((len(p.qa), p.qb.shape[1]))
    assert_close(f(*p._replace(qa=np.full_like(p.qa, p.zero_a))), nothing, p.within)
    assert_close(f(*p._replace(qb=np.full_like(p.qb, p.zero_b))), nothing, p.within)


@claim(ref.fake_quantize_backward, a=activations(), dy=lambda a: reals(*a.x.shape, zero=False))
def gradient_passes_straight_through_inside_the_range(f, a, dy):
    """飽和しない x では dy がそのまま通り、q_min や q_max に飽和した x では 0 になる。
    The gradient dy passes unchanged where x does not saturate, and is 0 where it saturates at q_min or q_max."""
    lo, hi = a.scale * (a.q_min - 0.5 - a.zero_point), a.scale * (a.q_max + 0.5 - a.zero_point)
    assert_close(f(dy, *a), np.where((lo < a.x) & (a.x < hi), dy, 0.0))


@claim(ref.fake_quantize_backward, a=activations(), dy=lambda a: reals(*a.x.shape, zero=False), j=st.integers(0, 4))
def gradient_is_entrywise_and_linear(f, a, dy, j):
    """dy を -2 倍すれば勾配も -2 倍になり、ある列の dy を 0 にしても他の列の勾配は変わらない。
    With dy times -2 the gradient is -2 times as large, and a column of dy made 0 changes no other column."""
    gradient = np.asarray(f(dy, *a))
    others = np.arange(5) != j
    assert_close(f(-2 * dy, *a), -2 * gradient)
    assert_close(f(dy * others, *a), gradient * others)


@twin(ref_torch.fake_quantize_torch, a=activations(channels=(0,)))
def fake_quantization_on_tensors(a):
    return a
