"""The warm process: it holds the inputs of a round, forks a child for each submission, and tells the supervisor what became of it.

It has one thread, opens no file, and reads from its children nothing but bounded messages. Which child was late, died or used too much it
knows from its own clock and from the kernel.
"""

import gc
import importlib
import mmap
import os
import sys
from typing import Any

import numpy as np

from autograder import codec
from autograder.inside import standins, wire
from autograder.inside.confine import Confinement, lock_zygote, reseat
from autograder.inside.keeper import Keeper, Limits
from autograder.inside.plans import Plan, plan
from autograder.inside.state import CleanState
from autograder.inside.submissions import Grading, Session

_LIMIT = 1 << 30
_PAGE = 4096
_WARM = "abc ast collections copy dataclasses enum functools inspect itertools json math operator random re string time types typing warnings"


class Zygote:
    """Serves one supervisor over two pipes until they close."""

    def __init__(self, requests: int, replies: int, confined: bool, tensors: bool, writable: str) -> None:
        self._requests, self._replies = requests, replies
        self._rounds: dict[str, dict[str, Plan]] = {}
        self._writable = writable
        self._page = memoryview(mmap.mmap(-1, _PAGE)).cast("q")
        self._keeper = Keeper(Confinement(confined, tensors), CleanState(writable), self._page, (requests, replies), self._alive)

    def serve(self) -> None:
        self._settle()
        wire.send(self._replies, codec.encode(("ready", os.getpid()), _LIMIT))
        while True:
            try:
                verb, *rest = codec.decode(wire.receive(self._requests), _LIMIT)
            except EOFError:
                return
            wire.send(self._replies, codec.encode(getattr(self, f"_{verb}")(*rest), _LIMIT))

    def _alive(self) -> None:
        wire.send(self._replies, wire.HEARTBEAT)

    def _settle(self) -> None:
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, all of it
        self._keeper.confinement.measure()

    def _load(self, key: str, plans: list[Any]) -> Any:
        self._rounds[key] = {made.function: made for made in map(plan, plans)}
        self._settle()
        return ("loaded",)

    def _forget(self, key: str) -> Any:
        self._rounds.pop(key, None)
        return ("forgotten",)

    def _run(self, key: str, sources: list[str], functions: list[str] | None, limits: Any) -> Any:
        plans = self._rounds[key]
        asked = list(plans.values()) if functions is None else [plans[name] for name in functions]
        replies, notices = Grading(self._keeper, sources, asked, Limits(*limits)).run()
        return ("graded", replies, notices, self._wipe())

    def _session(self, key: str, sources: list[str], function: str, limits: Any) -> Any:
        session = Session(self._keeper, sources, self._rounds[key][function], Limits(*limits))
        try:
            wire.send(self._replies, codec.encode(session.open(), _LIMIT))
            while session.open_for_calls:
                request = wire.receive(self._requests)
                if not request:
                    break
                wire.send(self._replies, codec.encode(session.call(request), _LIMIT))
        finally:
            session.close()
        return ("closed", self._wipe())

    def _wipe(self) -> bool:
        return self._keeper.wipe()


def main(arguments: list[str]) -> None:
    """Entry: [confined|open, tensors|arrays, the one writable folder]."""
    confined, tensors, writable = arguments[0] == "confined", arguments[1] == "tensors", arguments[2]
    null = os.open(os.devnull, os.O_RDWR)
    requests, replies = reseat(0, null), reseat(1, null)
    os.closerange(replies + 1, 1024)
    lock_zygote(tensors)
    warm(tensors)
    standins.install()
    os.dup2(null, 2)
    sys.argv[:] = [""]
    Zygote(requests, replies, confined, tensors, writable).serve()


def warm(tensors: bool) -> None:
    """Import and use once what notebooks use, so that no child pays for it."""
    for name in _WARM.split():
        importlib.import_module(name)
    importlib.import_module("numpy.random")
    some = np.eye(4) @ np.arange(16.0).reshape(4, 4)
    repr((np.linalg.solve(np.eye(4), some), np.random.default_rng(0).normal(size=3), np.einsum("ij,jk->ik", some, some)))
    if tensors:
        import torch

        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
        # forward only: a backward pass starts autograd's threads, which a fork does not take along
        torch.nn.LSTM(4, 4)(torch.zeros(2, 1, 4))
        torch.nn.functional.softmax(torch.eye(4) @ torch.eye(4), -1)
        importlib.import_module("autograder.inside.tensors")
