"""Functions on tensors, asked in arrays: the one place where arrays become tensors and back, for both sides of the wire.

Imported only where a topic has twins, so that nothing else pays for torch.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch


def ask(function: Callable[..., Any], arguments: tuple[Any, ...], gradients: bool = False, device: str = "cpu") -> Any:
    """The value of a function on tensors or, with `gradients`, those of Σ cotangent · value.

    Args:
        function: takes and returns tensors (or tuples of them).
        arguments: plain data; float arrays become leaves of the graph.
        gradients: ask for one gradient for every float array among the arguments, in their order.
        device: where the tensors live.

    Returns:
        Plain data: arrays for tensors, in their dtype.

    Raises:
        TypeError: where an output is no plain dense tensor on the device asked for.
    """
    leaves: list[torch.Tensor] = []

    def tensor(value: Any) -> Any:
        if isinstance(value, tuple | list):
            return type(value)(map(tensor, value)) if type(value) in (tuple, list) else tuple(map(tensor, value))
        if not isinstance(value, np.ndarray):
            return value
        # On the CPU the tensor shares the array's memory, so that a change in place is seen where the call's inputs are.
        made = torch.from_numpy(value if value.flags.writeable else value.copy()).to(device)
        if made.is_floating_point():
            leaves.append(made.requires_grad_(gradients))
        return made

    inputs = tuple(map(tensor, arguments))
    value = function(*inputs)
    if not gradients:
        return _plain(value, device)
    weighted = [
        (out * torch.tensor(cotangent(tuple(out.shape)), dtype=out.dtype, device=device)).sum()
        for out in _tensors(value)
        if out.requires_grad
    ]
    total = sum(weighted, torch.zeros((), device=device))
    found = torch.autograd.grad(total, leaves, allow_unused=True) if weighted else [None] * len(leaves)
    return tuple(
        _plain(torch.zeros_like(leaf) if g is None else g, device) for g, leaf in zip(found, leaves, strict=True)
    )


def cotangent(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The weights of the sum: quarters that are not 0 and no two neighbours equal, the same for the same shape."""
    steps = np.arange(int(np.prod(shape)))
    return np.array([-1.0, 0.5, 1.25, -0.75, 0.25, -1.5, 1.0])[(3 * steps) % 7].reshape(shape)


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, torch.Tensor):
        yield value


def _plain(value: Any, device: str) -> Any:
    if isinstance(value, tuple | list):
        return tuple(_plain(part, device) for part in value)
    if not isinstance(value, torch.Tensor):
        return value
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.layout is not torch.strided or value.is_meta:
        raise TypeError(f"expected a plain dense tensor, got {type(value).__name__}")
    if value.device.type != torch.device(device).type:
        raise TypeError(f"expected a tensor on {device}, got one on {value.device}")
    return value.detach().cpu().resolve_conj().resolve_neg().numpy()
