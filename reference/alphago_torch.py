"""AlphaGo's policy gradient on tensors: a loss whose descent is the update of `reference.alphago`.

    L(w) = -(1/n) Σ_t A_t log p(a_t|s_t)      w - α ∂L/∂w = w + (α/n) Σ_t A_t ∂log p(a_t|s_t)/∂w

The advantage A_t = z_t - b(s_t) is a constant: no gradient passes through it, or the baseline would be moved by the policy's
loss. With A_t = 1 and a person's moves, L is the cross-entropy that the policy was first trained with.
Silver et al., "Mastering the game of Go with deep neural networks and tree search", Nature 529, 2016, Methods.

Letters: T steps, A moves, F features of a move.
"""

import torch
from torch import Tensor

from reference._shapes import check_shapes


def policy_loss_torch(w: Tensor, features: Tensor, actions: Tensor, advantage: Tensor, games: int) -> Tensor:
    """The loss of a softmax policy p(a|s) ∝ exp(φ(s,a)·w) under the policy gradient.

    Args:
        w: weights, (F,).
        features: φ(s_t, a) of every move at every step of all games, (T, A, F).
        actions: the moves played, (T,).
        advantage: z_t - b(s_t), a constant, (T,).
        games: n, the number of games that the steps come from.

    Returns:
        A tensor without axes: -(1/n) Σ_t advantage_t log p(a_t|s_t); w and features receive a gradient, advantage none.
    """
    check_shapes(locals(), w="F", features="T A F", actions="T", advantage="T")
    if games < 1:
        raise ValueError(f"games must be at least 1, not {games}")
    log_p = torch.log_softmax(features @ w, dim=-1)
    played = log_p.gather(1, actions[:, None])[:, 0]
    return -(advantage.detach() * played).sum() / games
