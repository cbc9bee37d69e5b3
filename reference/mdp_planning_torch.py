"""The value of a policy on tensors: a linear solve that autograd differentiates.

The gradient of vᵀV with respect to R[s, a] is d(s) π(a|s), with d = (I - γ P_π)⁻ᵀ v: how often s is visited, discounted. It is the
weight that the policy gradient theorem needs (Sutton & Barto, 2018, §13.2).
"""

import torch
from torch import Tensor


def policy_evaluation_torch(P: Tensor, R: Tensor, pi: Tensor, gamma: float, terminal: Tensor) -> Tensor:
    """The value of a policy, differentiable in P, R and pi.

    Args:
        P: transition probabilities, (S, A, S).
        R: expected rewards, (S, A).
        pi: the policy, (S, A); its entries are taken as independent.
        gamma: discount, in [0, 1).
        terminal: which states are ends, (S,), bool.

    Returns:
        (S,): V = (I - γ P_π)⁻¹ r_π, 0 at terminal states.
    """
    live = (~terminal).to(R.dtype)
    P_pi = torch.einsum("sa,sat->st", pi, P) * live[:, None] * live
    r_pi = (pi * R).sum(dim=1) * live
    return torch.linalg.solve(torch.eye(len(R), dtype=R.dtype, device=R.device) - gamma * P_pi, r_pi)
