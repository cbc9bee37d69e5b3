"""WaveNet: a convolution that predicts a waveform sample by sample.

    model    p(x) = Π_t p(x_t | x_1, …, x_{t-1})                  eq. 1: causal, so y_t may not see the future
    taps     y_t = b + Σ_k w_k x_{t-(K-1-k)d}                     §2.1: spacing d, the last tap on the present sample
    field    1 + (K-1) Σ d                                        samples seen, the present one included
    gate     z = tanh(w_f ∗ x) ⊙ σ(w_g ∗ x)                       eq. 2
    layer    out = x + z·w_res,   skip = z·w_skip                 §2.4, Fig. 4: both 1×1
    levels   f(x) = sign(x) ln(1 + μ|x|) / ln(1 + μ)              §2.2: μ + 1 classes for a softmax

Van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, arXiv:1609.03499. A level is ⌊(f + 1)/2·μ + ½⌋,
the nearest of μ + 1 evenly spaced ones (the paper leaves the rounding open; torchaudio rounds so).

Letters: N waveforms, C channels, M output channels, T samples in time, K taps, S skip channels, d dilation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reference._shapes import check_shapes
from reference.numerics import sigmoid

Array = NDArray[np.float64]
Levels = NDArray[np.int64]


def causal_conv1d(x: Array, w: Array, b: Array, dilation: int = 1) -> Array:
    """A convolution in time that sees no future sample (§2.1; torch's order of taps, not flipped).

    Args:
        x: sequences, (N, C, T).
        w: taps, (M, C, K); the last one meets the present sample.
        b: bias, (M,).
        dilation: spacing of the taps in samples; 1 is the ordinary convolution.

    Returns:
        (N, M, T): y[t] = b + Σ_k w[:, :, k] x[t - (K-1-k)·dilation], with zeros before time 0.
    """
    check_shapes(locals(), x="N C T", w="M C K", b="M")
    if dilation < 1:
        raise ValueError(f"dilation must be at least 1, not {dilation}")
    T, K = x.shape[2], w.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), ((K - 1) * dilation, 0)))
    y = np.zeros((len(x), len(w), T)) + b[:, None]
    for k in range(K):
        y += np.einsum("nct,mc->nmt", padded[:, :, k * dilation : k * dilation + T], w[:, :, k])
    return y


def dilated_receptive_field(kernel: int, dilations: Sequence[int]) -> int:
    """How many samples one output of a stack sees, the present one included.

    Args:
        kernel: taps of every layer.
        dilations: one for each layer.

    Returns:
        1 + (kernel - 1)·Σ dilations: each layer reaches (kernel - 1)·dilation samples further back.
    """
    if kernel < 1:
        raise ValueError(f"kernel must be at least 1, not {kernel}")
    if any(d < 1 for d in dilations):
        raise ValueError(f"dilations must be at least 1, not {list(dilations)}")
    return 1 + (kernel - 1) * sum(dilations)


def gated_activation(z: Array) -> Array:
    """A tanh whose output a sigmoid lets pass or holds back (eq. 2).

    Args:
        z: filter in the first half of the channels, gate in the second, (N, 2C, T).

    Returns:
        (N, C, T): tanh(filter)·σ(gate).
    """
    check_shapes(locals(), z="N G T")
    if z.shape[1] % 2:
        raise ValueError(f"z must have an even number of channels, not {z.shape[1]}")
    C = z.shape[1] // 2
    return np.tanh(z[:, :C]) * sigmoid(z[:, C:])


def wavenet_layer(x: Array, w: Array, b: Array, w_res: Array, w_skip: Array, dilation: int) -> tuple[Array, Array]:
    """One layer with its residual and its skip connection (§2.4, Fig. 4).

    Args:
        x: input of the layer, (N, C, T).
        w: taps of filter and gate, (2C, C, K).
        b: their biases, (2C,).
        w_res: 1×1 convolution on the residual path, without bias, (C, C).
        w_skip: 1×1 convolution on the skip path, without bias, (C, S).
        dilation: spacing of the taps.

    Returns:
        out: x plus the gated output through w_res, (N, C, T).
        skip: the gated output, taken before that sum, through w_skip, (N, S, T).
    """
    check_shapes(locals(), x="N C T", w="G C K", b="G", w_res="C C", w_skip="C S")
    if len(w) != 2 * x.shape[1]:
        raise ValueError(f"w must have 2C = {2 * x.shape[1]} outputs, filter and gate, not {len(w)}")
    z = gated_activation(causal_conv1d(x, w, b, dilation))
    skip = np.einsum("nct,cs->nst", z, w_skip)
    return x + np.einsum("nct,cm->nmt", z, w_res), skip


def wavenet_param_count(channels: int, skip: int, kernel: int, layers: int) -> int:
    """Parameters of a stack of such layers; dilations cost none.

    Args:
        channels: C, of the residual path.
        skip: S, channels of the skip path.
        kernel: K, taps.
        layers: how many.

    Returns:
        layers·(K·C·2C + 2C + C·C + C·S): filter and gate with bias, both 1×1 convolutions without.
    """
    filter_and_gate = kernel * channels * 2 * channels + 2 * channels
    return layers * (filter_and_gate + channels * channels + channels * skip)


def mu_law_encode(x: Array, mu: int = 255) -> Levels:
    """Amplitudes as classes, in finer steps where the sound is quiet (§2.2).

    Args:
        x: samples in [-1, 1], (T,).
        mu: the highest level, at least 1.

    Returns:
        (T,): integers 0 … mu, ⌊(f + 1)/2·mu + ½⌋ with f = sign(x) ln(1 + mu·|x|) / ln(1 + mu).
    """
    _check_mu(mu)
    if not np.all(np.abs(x) <= 1):
        raise ValueError("x must lie in [-1, 1]")
    f = np.sign(x) * np.log1p(mu * np.abs(x)) / np.log1p(mu)
    levels: Levels = np.floor((f + 1) / 2 * mu + 0.5).astype(int)
    return levels


def mu_law_decode(q: Levels, mu: int = 255) -> Array:
    """The amplitude in the middle of each level: the inverse of the companding.

    Args:
        q: levels 0 … mu, (T,).
        mu: the highest level, at least 1.

    Returns:
        (T,): sign(f) ((1 + mu)^|f| - 1) / mu with f = 2q/mu - 1.
    """
    _check_mu(mu)
    if not np.all((np.asarray(q) >= 0) & (np.asarray(q) <= mu)):
        raise ValueError(f"q must lie in 0 … {mu}")
    f = 2 * np.asarray(q) / mu - 1
    x: Array = np.sign(f) * ((1 + mu) ** np.abs(f) - 1) / mu
    return x


def _check_mu(mu: int) -> None:
    if mu < 1:
        raise ValueError(f"mu must be at least 1, not {mu}")
