"""Right answers written differently: properties must accept them."""

import math

import numpy as np
import torch
from autograder.properties import alternative

from reference.wavenet import (
    causal_conv1d, dilated_receptive_field, gated_activation, mu_law_decode, mu_law_encode, wavenet_layer,
    wavenet_param_count,
)
from reference.wavenet_torch import causal_conv1d_torch


@alternative(causal_conv1d)
def past_samples_only(x, w, b, dilation=1):
    """Loops over times and taps; a tap before time 0 is passed over, and nothing is padded."""
    (N, _, T), K = x.shape, w.shape[2]
    y = np.tile(b[None, :, None], (N, 1, T)).astype(x.dtype)
    for t in range(T):
        for k in range(K):
            s = t - (K - 1 - k) * dilation
            if s >= 0:
                y[:, :, t] += x[:, :, s] @ w[:, :, k].T
    return y


@alternative(causal_conv1d)
def convolved_with_a_stuffed_kernel(x, w, b, dilation=1):
    """Zeros between the taps, turned round, and numpy's convolution of each pair of channels."""
    (N, C, T), (M, _, K) = x.shape, w.shape
    stuffed = np.zeros((M, C, (K - 1) * dilation + 1))
    stuffed[:, :, ::dilation] = w
    return [
        [sum(np.convolve(x[n, c], stuffed[m, c, ::-1])[:T] for c in range(C)) + b[m] for m in range(M)] for n in range(N)
    ]


@alternative(dilated_receptive_field)
def layer_by_layer(kernel, dilations):
    """A running sum; a numpy integer comes back."""
    field = 1
    for d in dilations:
        field += (kernel - 1) * d
    return np.int64(field)


@alternative(dilated_receptive_field)
def earliest_sample_seen(kernel, dilations):
    """Walk back from the present along the first tap of each layer, and count the samples passed."""
    earliest = 0
    for d in reversed(dilations):
        earliest = min(earliest - j * d for j in range(kernel))
    return len(range(earliest, 1))


@alternative(gated_activation)
def sigmoid_by_cases(z):
    """1/(1 + e^-g) where g is positive, e^g/(1 + e^g) elsewhere."""
    f, g = np.split(z, 2, axis=1)
    e = np.exp(-np.abs(g))
    return np.tanh(f) * np.where(g >= 0, 1 / (1 + e), e / (1 + e))


@alternative(gated_activation)
def number_by_number(z):
    """Loops, and the sigmoid of a clipped score; lists come back."""
    C = z.shape[1] // 2
    gate = lambda g: 1 / (1 + math.exp(-min(max(g, -500), 500)))
    return [
        [[math.tanh(f) * gate(g) for f, g in zip(sample[c], sample[C + c])] for c in range(C)] for sample in z
    ]


@alternative(wavenet_layer)
def two_convolutions(x, w, b, w_res, w_skip, dilation):
    """Filter and gate convolved apart; the 1×1 convolutions with channels last; a list comes back."""
    C = x.shape[1]
    z = np.tanh(causal_conv1d(x, w[:C], b[:C], dilation)) / (1 + np.exp(-causal_conv1d(x, w[C:], b[C:], dilation)))
    last = z.transpose(0, 2, 1)
    return [(x.transpose(0, 2, 1) + last @ w_res).transpose(0, 2, 1), (last @ w_skip).transpose(0, 2, 1)]


@alternative(wavenet_layer)
def one_by_one_by_the_convolution(x, w, b, w_res, w_skip, dilation):
    """The 1×1 convolutions as causal ones with a single tap."""
    z = gated_activation(causal_conv1d(x, w, b, dilation))
    narrow = lambda m: causal_conv1d(z, m.T[:, :, None], np.zeros(m.shape[1], z.dtype))
    return x + narrow(w_res), narrow(w_skip)


@alternative(wavenet_param_count)
def layers_counted_one_by_one(channels, skip, kernel, layers):
    """A loop over the layers, filter and gate apart."""
    total = 0
    for _ in range(layers):
        for _ in ("filter", "gate"):
            total += channels * (kernel * channels + 1)
        total += channels * (channels + skip)
    return total


@alternative(wavenet_param_count)
def entries_of_the_arrays(channels, skip, kernel, layers):
    """The sizes of the arrays that a layer takes; a numpy integer comes back."""
    shapes = [(2 * channels, channels, kernel), (2 * channels,), (channels, channels), (channels, skip)]
    return layers * np.sum([np.prod(shape) for shape in shapes])


@alternative(mu_law_encode)
def rounded_to_the_nearest(x, mu=255):
    """A logarithm to the base 1 + μ, and rint; int32 comes back."""
    y = np.copysign(np.log(1 + mu * np.abs(x)) / math.log(1 + mu), x)
    return np.rint((y + 1) * mu / 2).astype(np.int32)


@alternative(mu_law_encode)
def looked_up_among_half_levels(x, mu=255):
    """How many of the decoded half levels lie at or below each sample."""
    edges = [math.copysign(math.expm1(abs(g) * math.log1p(mu)) / mu, g) for g in (np.arange(mu) + 0.5) * 2 / mu - 1]
    return np.searchsorted(edges, x, side="right").tolist()


@alternative(mu_law_decode)
def exponential_less_one(q, mu=255):
    """expm1 of the logarithm's share, about the middle level."""
    f = (np.asarray(q) - mu / 2) / (mu / 2)
    return np.copysign(np.expm1(np.abs(f) * np.log1p(mu)) / mu, f)


@alternative(mu_law_decode)
def table_of_all_values(q, mu=255):
    """The values of all levels, then picked; a list comes back."""
    upper = lambda f: ((1 + mu) ** f - 1) / mu
    table = [upper(2 * i / mu - 1) if 2 * i >= mu else -upper(1 - 2 * i / mu) for i in range(mu + 1)]
    return [table[int(level)] for level in q]


@alternative(causal_conv1d_torch)
def padded_twice_and_cut(x, w, b, dilation=1):
    """The library's padding at both ends, and the last outputs cut off."""
    y = torch.nn.functional.conv1d(x, w, b, dilation=dilation, padding=(w.shape[2] - 1) * dilation)
    return y[:, :, : x.shape[2]]


@alternative(causal_conv1d_torch)
def tap_by_tap_on_tensors(x, w, b, dilation=1):
    """Shifted sequences times the matrix of one tap each, summed."""
    T, K = x.shape[2], w.shape[2]
    padded = torch.nn.functional.pad(x, ((K - 1) * dilation, 0))
    return b[:, None] + sum(w[:, :, k] @ padded[:, :, k * dilation : k * dilation + T] for k in range(K))
