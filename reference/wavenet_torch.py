"""WaveNet's layer on tensors: the library's convolution, made causal by where the zeros go.

    conv1d(x, w, b, dilation=d)      pads nothing, so the output is (K-1)d samples shorter: give it as many zeros on the left
    conv1d(…, padding=p)             pads BOTH ends, and the output at t sees samples after t
    1×1 convolution                  kernels (M, C, 1): output channels first

Van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, arXiv:1609.03499, §2.1, eq. 2 and Fig. 4.

Letters: N waveforms, C channels, M output channels, T samples in time, K taps, S skip channels.
"""

import torch
from torch import Tensor
from torch.nn import functional

from reference._shapes import check_shapes


def causal_conv1d_torch(x: Tensor, w: Tensor, b: Tensor, dilation: int = 1) -> Tensor:
    """A convolution in time that sees no future sample: all zeros on the left.

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
    return functional.conv1d(functional.pad(x, ((w.shape[2] - 1) * dilation, 0)), w, b, dilation=dilation)


def wavenet_layer_torch(
    x: Tensor, w: Tensor, b: Tensor, w_res: Tensor, w_skip: Tensor, dilation: int
) -> tuple[Tensor, Tensor]:
    """One layer with its residual and its skip connection.

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
    carried, gate = causal_conv1d_torch(x, w, b, dilation).chunk(2, dim=1)
    z = torch.tanh(carried) * torch.sigmoid(gate)
    return x + functional.conv1d(z, w_res.T[:, :, None]), functional.conv1d(z, w_skip.T[:, :, None])
