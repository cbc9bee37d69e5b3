"""One graded function and what its author wrote about it: the reference, its claims, the wrong ideas."""

import copy
import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from autograder import codec
from autograder.course import Topic
from autograder.errors import Finding
from autograder.forms import canonical
from autograder.properties import Claim, Mutant
from autograder.sandbox import Answer, Call

Function = Callable[..., Any]

MOST = 1 << 26  # bytes of one call or answer of our own


@dataclass(frozen=True, eq=False)
class Subject:
    """A function of a topic, on the trusted side."""

    name: str
    of: Function
    claims: tuple[Claim, ...]
    mutants: tuple[Mutant, ...]
    tensors: bool

    @classmethod
    def find(cls, topic: Topic, name: str) -> "Subject":
        """What the topic's files say about one of its functions.

        Raises:
            Finding: where no claim is about it.
        """
        claims = topic.claims(name)
        if not claims:
            raise Finding(f"{topic.folder / 'hidden' / 'properties.py'}: no claim is about {name}")
        return cls(name, topic.reference(name), claims, topic.mutants(name), topic.on_tensors(name))

    @cached_property
    def signature(self) -> inspect.Signature:
        return inspect.signature(self.of)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        return tuple(self.signature.parameters)

    def claim(self, name: str) -> Claim:
        return next(claim for claim in self.claims if claim.name == name)

    def call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], gradients: bool = False) -> Call:
        """A call by position, so that a trainee may rename parameters; defaults at the end are left to her."""
        if kwargs:
            bound = self.signature.bind(*args, **kwargs)
            last = max(i for i, name in enumerate(self.parameters, 1) if name in bound.arguments)
            bound.apply_defaults()
            args = tuple(bound.arguments.values())[:last]
        return Call(tuple(args), gradients)

    def named(self, call: Call) -> dict[str, Any]:
        """The arguments of a call by the reference's names."""
        return dict(zip(self.parameters, call.arguments))

    def right(self, call: Call) -> Any:
        """The reference's answer, in the form that all others are held to; what it raises is not caught."""
        return canonical(invoke(self.of, call, self.tensors))


def invoke(function: Function, call: Call, tensors: bool) -> Any:
    """Call a function of our own, in this process."""
    if not tensors:
        return function(*call.arguments)
    return _on_tensors()(function, call.arguments, call.gradients)


@cache
def _on_tensors() -> Callable[..., Any]:
    """Imports torch: only where a topic needs it. One thread, as in the sandbox: small tensors lose by more, and sums keep their order."""
    import torch

    from autograder.inside.tensors import ask

    torch.set_num_threads(1)
    return ask


def rehearse(function: Function, call: Call, tensors: bool) -> Answer:
    """What a function of our own would answer from the sandbox: on its own copy of the inputs, through the codec and back."""
    own = Call(_own(call.arguments), call.gradients)
    try:
        value = invoke(function, own, tensors)
    except Exception as e:
        where = "".join(traceback.format_exception(e)[-2:])
        return Answer(raised=f"{type(e).__name__}: {e}"[:500], traceback=where[:2000], changed=_changed(own, call))
    out = bytearray()
    try:
        codec.append(out, value, MOST, _reduced)
    except codec.CodecError as e:
        return Answer(unusable=str(e), changed=_changed(own, call))
    return Answer(codec.decode(out, MOST), changed=_changed(own, call))


def key(call: Call) -> bytes:
    """Equal bytes, equal call.

    Raises:
        CodecError: where an argument is no plain data.
    """
    out = bytearray(b"\1" if call.gradients else b"\0")
    codec.append(out, call.arguments, MOST, _reduced)
    return bytes(out)


def _changed(own: Call, call: Call) -> bool:
    try:
        return key(own) != key(call)
    except codec.CodecError:
        return True


def _own(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.array(value, order="C")
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(map(_own, value))
    return copy.deepcopy(value) if isinstance(value, dict) else value


def _reduced(value: Any) -> Any:
    """Subclasses that our own code returns; a detached tensor is an array."""
    plain: Any
    for plain in (tuple, list, dict, bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if type(value).__module__ == "torch" and hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    raise codec.CodecError("not plain data")
