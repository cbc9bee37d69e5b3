"""Fake quantisation on tensors: rounded numbers forwards, a straight-through gradient backwards.

    forwards     y = s (clip(round(x / s) + z, q_min, q_max) - z)
    backwards    dx = dy where x is not saturated, else 0

`detach` takes a tensor out of the graph: t + (y - t).detach() has the value of y and the gradient of t.

Jacob et al., 2018, arXiv:1712.05877, §3 (simulated quantisation); Bengio, Léonard & Courville, 2013, arXiv:1308.3432.
"""

import torch
from torch import Tensor


def fake_quantize_torch(x: Tensor, scale: float, zero_point: int, q_min: int, q_max: int) -> Tensor:
    """Numbers rounded to those that the integers stand for; the gradient passes straight through the rounding.

    Args:
        x: real numbers, (N, C).
        scale: s > 0.
        zero_point: z, an integer.
        q_min: least integer.
        q_max: greatest integer.

    Returns:
        (N, C): s (clip(round(x / s) + z, q_min, q_max) - z), in the dtype and on the device of x.
    """
    if scale <= 0:
        raise ValueError("scale must be positive")
    q = torch.round(x / scale) + zero_point
    rounded = scale * (q.clamp(q_min, q_max) - zero_point)
    inside = (q >= q_min) & (q <= q_max)
    through = torch.where(inside, x, x.detach())
    return through + (rounded - through).detach()
