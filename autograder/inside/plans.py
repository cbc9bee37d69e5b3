"""What is asked of functions, as it lies ready in the zygote: each call hands out fresh copies of its inputs and knows whether they were changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograder import codec

_FLAT = (np.ndarray, type(None), bool, int, float, complex, str, bytes, np.generic)  # copied, or cannot be changed
_LIMIT = 1 << 30


class Asked:
    """One call."""

    __slots__ = ("_arguments", "_arrays", "_bytes", "gradients")

    def __init__(self, arguments: tuple[Any, ...], gradients: bool) -> None:
        self.gradients = gradients
        self._arguments = arguments
        self._arrays = [(at, a.tobytes(), a.shape, a.dtype) for at, a in enumerate(arguments) if type(a) is np.ndarray]
        flat = all(isinstance(a, _FLAT) for a in arguments)
        self._bytes = (
            None if flat else codec.encode(arguments, _LIMIT)
        )  # lists of lists: copied by decoding, compared by encoding

    def inputs(self) -> Sequence[Any]:
        """Copies of the arguments."""
        if self._bytes is not None:
            return codec.decode(self._bytes, _LIMIT)  # type: ignore[no-any-return]
        given = list(self._arguments)
        for at, _, _, _ in self._arrays:
            given[at] = given[at].copy()
        return given

    def changed(self, inputs: Sequence[Any]) -> bool:
        """Are these, handed out before, no longer what they were?"""
        if self._bytes is not None:
            try:
                return codec.encode(tuple(inputs), _LIMIT) != self._bytes
            except codec.CodecError:
                return True
        for at, raw, shape, dtype in self._arrays:
            given = inputs[at]
            if given.tobytes() != raw or given.shape != shape or given.dtype is not dtype:
                return True
        return False


class Plan(NamedTuple):
    """All that is asked of one function."""

    function: str
    calls: list[Asked]
    again: tuple[int, ...]
    tensors: bool
    reply_bytes: int


def plan(raw: Any) -> Plan:
    """From what crossed the wire: (function, [(arguments, gradients), …], again, tensors, reply_bytes)."""
    function, calls, again, tensors, reply_bytes = raw
    return Plan(function, [Asked(*call) for call in calls], tuple(again), tensors, reply_bytes)
