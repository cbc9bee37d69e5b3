"""AlphaGo Zero on tensors: the loss of `reference.alphago_zero`, and the network with two heads that it trains.

    l = (z - v)² - πᵀ log p + c‖θ‖²

π comes from a search and z from the end of a game: both are constants. A gradient through them would move the target to the
network instead of the network to its target.
Silver et al., "Mastering the game of Go without human knowledge", Nature 550, 2017: equation 1; Methods, "Neural network architecture".

Letters: N positions of a batch, K moves, M weights; C planes, H×W the board.
"""

import torch
from torch import Tensor, nn

from reference._shapes import check_shapes


def zero_loss_torch(logits: Tensor, v: Tensor, pi: Tensor, z: Tensor, weights: Tensor, l2: float = 1e-4) -> Tensor:
    """The loss of the network with its two heads, a mean over the batch.

    Args:
        logits: scores of the moves, (N, K); p is their softmax.
        v: values, (N,).
        pi: π, the search's probabilities, constants, (N, K).
        z: results of the games for the player to move, constants, (N,).
        weights: θ, all weights of the network, (M,).
        l2: c, the weight of ‖θ‖².

    Returns:
        A tensor without axes: the mean of (z - v)² - Σ_a π_a log p_a, and c Σ θ² once; pi and z receive no gradient.
    """
    check_shapes(locals(), logits="N K", v="N", pi="N K", z="N", weights="M")
    pi, z = pi.detach(), z.detach()
    value_error = (z - v).square().mean()
    cross_entropy = -(pi * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
    return value_error + cross_entropy + l2 * weights.square().sum()


class ZeroNetwork(nn.Module):
    """A residual tower with two heads: 1 + 19 blocks in the small network of the paper, 1 + 39 in the large one.

    The convolutions have no biases, as each is followed by a batch norm, which has its own.

    Args:
        blocks: residual blocks after the first convolution.
        filters: of every convolution in the tower.
        board: side of the board.
        planes: C of the input.
    """

    def __init__(self, blocks: int = 19, filters: int = 256, board: int = 19, planes: int = 17) -> None:
        super().__init__()
        points = board * board
        self.tower = nn.Sequential(
            *_convolution(planes, filters, 3), nn.ReLU(), *(_ResidualBlock(filters) for _ in range(blocks))
        )
        self.policy = nn.Sequential(
            *_convolution(filters, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(2 * points, points + 1)
        )
        self.value = nn.Sequential(
            *_convolution(filters, 1, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(points, 256), nn.ReLU(), nn.Linear(256, 1), nn.Tanh(), nn.Flatten(0),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of every point and of the pass, and values in -1 … 1.

        Args:
            x: planes, (N, C, H, W).

        Returns:
            logits: H·W + 1 of them for each of the N positions.
            v: for the player to move, (N,).
        """
        features = self.tower(x)
        return self.policy(features), self.value(features)


class _ResidualBlock(nn.Module):
    """relu(x + BN(conv(relu(BN(conv(x))))))."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*_convolution(filters, filters, 3), nn.ReLU(), *_convolution(filters, filters, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.branch(x))


def _convolution(inward: int, outward: int, size: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inward, outward, size, padding=size // 2, bias=False), nn.BatchNorm2d(outward)
