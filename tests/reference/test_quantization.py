"""The reference of quantisation against numpy's and torch's own types, torch's fake quantisation, and worked-out values."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import quantization as ref
from reference.quantization_torch import fake_quantize_torch

rounds = settings(max_examples=150, deadline=None, database=None)
doubles = st.floats(allow_nan=False)
# value type, bit type, exponent bits, mantissa bits
NATIVE = [(np.float16, np.uint16, 5, 10), (np.float32, np.uint32, 8, 23), (np.float64, np.uint64, 11, 52)]
FORMATS = [(5, 10), (8, 7), (8, 23), (11, 52), (5, 2), (4, 3), (2, 1)]


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def random_tensor(seed):
    """Parameters of a random range, and numbers inside and outside of it."""
    rng = np.random.default_rng(seed)
    ends = sorted(rng.normal(size=2) * 10.0 ** rng.integers(-2, 3))
    q_min, q_max = [(0, 255), (-128, 127), (-127, 127), (0, 15), (-8, 7)][rng.integers(5)]
    scale, zero_point = ref.affine_parameters(*ends, q_min, q_max)
    return rng.normal(size=(6, 5)) * scale * (q_max - q_min), scale, zero_point, q_min, q_max


@rounds
@given(doubles, st.sampled_from(NATIVE))
def test_encoding_is_the_hardwares_cast(x, native):
    value, pattern, e, m = native
    with np.errstate(over="ignore"):
        cast = np.array([x]).astype(value)
    assert ref.encode_float(x, e, m) == int(cast.view(pattern)[0])


@pytest.mark.parametrize(
    ("dtype", "e", "m"), [(torch.bfloat16, 8, 7), (torch.float8_e5m2, 5, 2), (torch.float16, 5, 10)]
)
def test_formats_without_a_numpy_type_match_torchs_casts_of_float32(dtype, e, m):
    x = torch.tensor(
        np.random.default_rng(0).normal(size=500) * 2.0 ** np.arange(-25, 25).repeat(10), dtype=torch.float32
    )
    x = x[x.abs() < ref.decode_float(((2**e - 1) << m) - 1, e, m)]
    assert [ref.decode_float(ref.encode_float(v, e, m), e, m) for v in x.tolist()] == x.to(dtype).double().tolist()


@pytest.mark.parametrize(("value", "pattern", "e", "m"), NATIVE)
def test_decoding_is_the_hardwares_reading_of_the_same_bits(value, pattern, e, m):
    rng, bits = np.random.default_rng(1), []
    for field in (0, 1, 2**e - 2, 2**e - 1, *rng.integers(0, 2**e, 100)):
        for fraction in (0, 1, 2**m - 1, int(rng.integers(0, 2**m))):
            bits += [int(field) << m | fraction, 1 << (e + m) | int(field) << m | fraction]
    with np.errstate(invalid="ignore"):  # NaN
        expected = np.array(bits, dtype=pattern).view(value).astype(np.float64)
    np.testing.assert_array_equal([ref.decode_float(b, e, m) for b in bits], expected)


@pytest.mark.parametrize(("e", "m"), [(2, 1), (3, 2), (4, 3), (5, 2)])
def test_every_pattern_of_a_small_format_comes_back(e, m):
    for bits in range(2 ** (1 + e + m)):
        value = ref.decode_float(bits, e, m)
        again = ref.encode_float(value, e, m)
        assert math.isnan(ref.decode_float(again, e, m)) if math.isnan(value) else again == bits


@rounds
@given(doubles, st.sampled_from(FORMATS))
def test_no_neighbour_is_nearer_than_the_number_chosen(x, fmt):
    bits = ref.encode_float(abs(x), *fmt)
    chosen = ref.decode_float(bits, *fmt)
    if not math.isinf(chosen):
        for other in (bits - 1, bits + 1):
            assert other < 0 or abs(ref.decode_float(other, *fmt) - abs(x)) >= abs(chosen - abs(x))


@rounds
@given(doubles, st.sampled_from(FORMATS))
def test_negation_changes_the_sign_bit_alone(x, fmt):
    assert ref.encode_float(-x, *fmt) ^ ref.encode_float(x, *fmt) == 1 << sum(fmt)


@rounds
@given(st.integers(0, 2**32 - 1))
def test_the_range_is_covered_and_zero_is_exact(seed):
    rng = np.random.default_rng(seed)
    lo, hi = sorted(rng.normal(size=2))
    scale, z = ref.affine_parameters(lo, hi, -128, 127)
    assert type(z) is int
    assert -128 <= z <= 127
    assert ref.dequantize(ref.quantize(np.zeros(1), scale, z, -128, 127), scale, z) == 0
    assert abs(scale * (-128 - z) - min(lo, 0)) <= scale / 2 * (1 + 1e-9)
    assert abs(scale * (127 - z) - max(hi, 0)) <= scale / 2 * (1 + 1e-9)


@rounds
@given(st.integers(0, 2**32 - 1))
def test_rounding_and_its_gradient_are_torchs_fake_quantisation(seed):
    x, scale, z, q_min, q_max = random_tensor(seed)
    scale = float(np.float32(scale))  # torch keeps the scale in float32
    t = torch.tensor(x, requires_grad=True)
    y = torch.fake_quantize_per_tensor_affine(t, scale, z, q_min, q_max)
    dy = np.random.default_rng(seed).normal(size=x.shape)
    y.backward(torch.tensor(dy))
    off_ties = np.abs(x / scale % 1 - 0.5) > 1e-3  # torch multiplies by 1/s, which may fall on the other side of a tie
    ours = ref.dequantize(ref.quantize(x, scale, z, q_min, q_max), scale, z)
    np.testing.assert_allclose(ours[off_ties], y.detach().numpy()[off_ties], rtol=1e-6, atol=1e-6 * scale)
    gradient = ref.fake_quantize_backward(dy, x, scale, z, q_min, q_max)
    np.testing.assert_array_equal(gradient[off_ties], t.grad.numpy()[off_ties])


@rounds
@given(st.integers(0, 2**32 - 1))
def test_the_twin_rounds_like_the_arrays_and_passes_their_gradient(seed):
    x, scale, z, q_min, q_max = random_tensor(seed)
    t = torch.tensor(x, requires_grad=True)
    y = fake_quantize_torch(t, scale, z, q_min, q_max)
    close(y.detach().numpy(), ref.dequantize(ref.quantize(x, scale, z, q_min, q_max), scale, z))
    dy = np.random.default_rng(seed).normal(size=x.shape)
    y.backward(torch.tensor(dy))
    close(t.grad.numpy(), ref.fake_quantize_backward(dy, x, scale, z, q_min, q_max))
    assert fake_quantize_torch(t.float(), scale, z, q_min, q_max).dtype == torch.float32


def test_channels_are_quantised_by_their_own_parameters():
    rng = np.random.default_rng(2)
    x, scale, z = rng.normal(size=(7, 3)), np.array([[0.5, 0.1, 0.02]]), np.array([[0, 3, -5]])
    q = ref.quantize(x, scale, z, -8, 7)
    for j in range(3):
        np.testing.assert_array_equal(q[:, j], ref.quantize(x[:, j], float(scale[0, j]), int(z[0, j]), -8, 7))


@rounds
@given(st.integers(0, 2**32 - 1))
def test_integer_sums_equal_the_product_of_what_they_stand_for(seed):
    rng = np.random.default_rng(seed)
    M, K, N = rng.integers(1, 9, 3)
    qa, qb = rng.integers(-128, 128, (M, K)).astype(np.int8), rng.integers(-128, 128, (K, N)).astype(np.int8)
    za, zb = map(int, rng.integers(-128, 128, 2))
    expected = ref.dequantize(qa, 0.25, za) @ ref.dequantize(qb, 0.5, zb)
    close(ref.quantized_matmul(qa, qb, 0.25, za, 0.5, zb), expected)


def test_values_worked_out_beforehand():
    encode = lambda numbers, *fmt: [ref.encode_float(x, *fmt) for x in numbers]
    decode = lambda patterns, *fmt: [ref.decode_float(b, *fmt) for b in patterns]
    assert encode([0.1, -2.5, 65504.0, 65520.0, 6e-8, 0.0], 5, 10) == [11878, 49408, 31743, 31744, 1, 0]
    assert encode([0.1, 3.14159265, 1e39], 8, 7) == [15821, 16457, 32640]
    assert encode([0.1], 8, 23) == [1036831949]
    numbers = [1.44921875, 65504.0, 5.960464477539063e-08, 6.103515625e-05, -math.inf]
    assert decode([0x3DCC, 0x7BFF, 0x0001, 0x0400, 0xFC00], 5, 10) == numbers
    numbers = [0.10009765625, 3.3895313892515355e38, 1.1754943508222875e-38, 9.183549615799121e-41]
    assert decode([0x3DCD, 0x7F7F, 0x0080, 0x0001], 8, 7) == numbers
    assert ref.affine_parameters(-1.0, 2.0, 0, 255) == (0.011764705882352941, 85)
    assert ref.affine_parameters(0.5, 3.0, -128, 127) == (0.011764705882352941, -128)
    assert ref.affine_parameters(-3.0, 3.0, -127, 127) == (0.023622047244094488, 0)
    assert ref.affine_parameters(0.0, 0.0, -128, 127) == (1.0, -128)
    x = np.array([-1.5, -0.31, 0.0, 0.25, 1.999, 7.0])
    assert ref.quantize(x, 3.0 / 255, 85, 0, 255).tolist() == [0, 59, 85, 106, 255, 255]
    numbers = [-1.0, -0.29411764705882354, 0.0, 0.24705882352941178, 2.0]
    close(ref.dequantize(np.array([0, 60, 85, 106, 255], np.uint8), 3.0 / 255, 85), numbers)
    qa, qb = np.array([[100, -50], [7, 127]], np.int8), np.array([[3, -128], [90, 12]], np.int8)
    close(ref.quantized_matmul(qa, qb, 0.02, 5, 0.1, -3), [[-9.09, -25.4], [22.716, 3.16]])
    dy, x = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([-2.0, -1.0, 0.4, 1.99, 2.5])
    assert ref.fake_quantize_backward(dy, x, 3.0 / 255, 85, 0, 255).tolist() == [0.0, 2.0, 3.0, 4.0, 0.0]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.encode_float(1.0, 1, 3), "exponent_bits"),
        (lambda: ref.decode_float(1, 12, 3), "exponent_bits"),
        (lambda: ref.encode_float(1.0, 5, 0), "mantissa_bits"),
        (lambda: ref.decode_float(1, 5, 53), "mantissa_bits"),
        (lambda: ref.affine_parameters(1.0, 0.0, 0, 255), "x_min"),
        (lambda: ref.affine_parameters(0.0, math.inf, 0, 255), "x_max"),
        (lambda: ref.affine_parameters(0.0, 1.0, 5, 5), "q_min"),
        (lambda: ref.quantize(np.ones(1), 0.0, 0, 0, 255), "scale"),
        (lambda: ref.dequantize(np.ones(1, int), -1.0, 0), "scale"),
        (lambda: ref.fake_quantize_backward(np.ones(1), np.ones(1), 0.0, 0, 0, 255), "scale"),
        (lambda: fake_quantize_torch(torch.ones(1), 0.0, 0, 0, 255), "scale"),
        (lambda: ref.quantized_matmul(np.ones((2, 3), np.int8), np.ones((2, 3), np.int8), 1.0, 0, 1.0, 0), "qb"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()
