"""What keeps training in bounds.

    g ← g · min(1, c / ‖g‖),  ‖g‖² over ALL parameters      clipping by the global norm

Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", 2013, arXiv:1211.5063, Algorithm 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def clip_by_global_norm(grads: Sequence[Array], max_norm: float) -> tuple[list[Array], float]:
    """Gradients shortened, all by one factor, to a norm of at most c (Pascanu et al., Algorithm 1).

    Args:
        grads: one array a parameter, of any shapes.
        max_norm: the bound c, above 0.

    Returns:
        clipped: g · min(1, c / ‖g‖) for each; a norm of 0 leaves them.
        norm: ‖g‖ = √Σ g² over all entries of all arrays, before clipping.
    """
    if not max_norm > 0:
        raise ValueError(f"max_norm must be above 0, not {max_norm}")
    norm = float(np.sqrt(sum(np.sum(np.square(g)) for g in grads)))
    factor = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return [g * factor for g in grads], norm
