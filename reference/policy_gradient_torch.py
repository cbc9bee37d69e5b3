"""The losses of A2C and PPO on tensors: the formulas of `reference.policy_gradient`, where autograd replaces the gradients.

Advantages, returns and the old log-probabilities are constants. They may come from the same networks and still carry a
graph; the losses cut it, or the actor's loss would move the critic and the old policy would follow the new one.

Every result stays on the device and in the dtype of the arguments.

Letters: N samples of a batch, A actions.
"""

import torch
from torch import Tensor


def a2c_loss_torch(
    logits: Tensor,
    values: Tensor,
    actions: Tensor,
    advantages: Tensor,
    returns: Tensor,
    value_coef: float = 0.5,
    entropy_coef: float = 0.01,
) -> Tensor:
    """The loss of an actor and a critic, with an entropy bonus; only logits and values receive a gradient.

    Args:
        logits: of the actor, (N, A).
        values: V(s) of the critic, (N,).
        actions: taken, 0 … A-1, (N,).
        advantages: Â, constants, (N,).
        returns: G, the critic's targets, constants, (N,).
        value_coef: c_v, not negative.
        entropy_coef: β, not negative.

    Returns:
        loss: -mean(Â log π(a|s)) + c_v mean((G - V)²) - β mean(H), a tensor with no axes.
    """
    logp = logits.log_softmax(dim=1)
    actor = -(advantages.detach() * _of(logp, actions)).mean()
    critic = ((returns.detach() - values) ** 2).mean()
    entropy = -(logp.exp() * logp).sum(dim=1).mean()
    return actor + value_coef * critic - entropy_coef * entropy


def ppo_clip_loss_torch(
    logits: Tensor, actions: Tensor, old_logp: Tensor, advantages: Tensor, clip_range: float = 0.2
) -> Tensor:
    """The clipped surrogate loss of PPO; only logits receive a gradient.

    Args:
        logits: of the policy that learns, (N, A).
        actions: drawn from the old policy, 0 … A-1, (N,).
        old_logp: log π_old(a|s), constants, (N,).
        advantages: Â, constants, taken as they are, (N,).
        clip_range: ε, between 0 and 1.

    Returns:
        loss: -mean(min(r Â, clip(r, 1-ε, 1+ε) Â)), a tensor with no axes.
    """
    if not 0 < clip_range < 1:
        raise ValueError(f"clip_range must lie between 0 and 1, not {clip_range}")
    gain = advantages.detach()
    ratio = torch.exp(_of(logits.log_softmax(dim=1), actions) - old_logp.detach())
    return -torch.minimum(ratio * gain, ratio.clamp(1 - clip_range, 1 + clip_range) * gain).mean()


def _of(logp: Tensor, actions: Tensor) -> Tensor:
    """The log-probability of one action a row."""
    return logp.gather(1, actions[:, None])[:, 0]
