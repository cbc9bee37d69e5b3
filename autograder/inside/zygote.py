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
from autograder.inside.keeper import PAGE, Keeper, Limits
from autograder.inside.memory import Letter
from autograder.inside.plans import Plan, plan
from autograder.inside.state import CleanState
from autograder.inside.submissions import Grading, Notebook, Session

_LIMIT = 1 << 30
_WARM = "abc ast collections copy dataclasses enum functools inspect itertools json math operator random re string time types typing warnings"


class Zygote:
    """Serves one supervisor over two pipes until they close."""

    def __init__(self, requests: int, replies: int, confined: bool, tensors: bool, writable: str) -> None:
        self._requests, self._replies = requests, replies
        self._round: dict[str, Plan] = {}
        self._page = memoryview(mmap.mmap(-1, PAGE)).cast("q")
        self._keeper = Keeper(
            Confinement(confined, tensors), CleanState(writable), self._page, (requests, replies), self._alive
        )

    def serve(self) -> None:
        self._settle()
        self._tell("ready", os.getpid())
        while True:
            try:
                verb, *rest = codec.decode(wire.receive(self._requests), _LIMIT)
            except EOFError:
                return
            getattr(self, f"_{verb}")(*rest)

    def _tell(self, *answer: Any) -> None:
        wire.send(self._replies, codec.encode(answer, _LIMIT))

    def _alive(self) -> None:
        wire.send(self._replies, wire.HEARTBEAT)

    def _settle(self) -> None:
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, all of it
        self._keeper.confinement.measure()

    def _load(self, plans: list[Any]) -> None:
        """Hold the inputs of one round, and of no other."""
        self._round = {made.function: made for made in map(plan, plans)}
        self._settle()
        self._tell("loaded")

    def _run(self, functions: list[str], limits: Any, cells: int, size: int) -> None:
        """Grade one submission, of so many cells in so many bytes; these follow in the pipe."""
        grading = Grading(self._notebook(limits, cells, size), [self._round[name] for name in functions])
        try:
            grading.run()
            self._tell("graded", *grading.summary(), self._keeper.wipe())
            grading.pass_on(self._replies)
        finally:
            grading.close()

    def _session(self, function: str, limits: Any, cells: int, size: int) -> None:
        """Hold a child ready for live calls, each of which comes as a frame; an empty one ends it."""
        session = Session(self._notebook(limits, cells, size), self._round[function])
        try:
            self._tell(*session.open())
            while session.open_for_calls and (size := wire.receive_length(self._requests)):
                self._tell(*session.call(self._requests, size))
                session.pass_on(self._replies)
        finally:
            session.close()
        self._tell("closed", self._keeper.wipe())

    def _notebook(self, limits: Any, cells: int, size: int) -> Notebook:
        return Notebook(self._keeper, Letter(self._requests, size), cells, Limits(*limits))


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
    os.close(null)
    sys.argv[:] = [""]
    Zygote(requests, replies, confined, tensors, writable).serve()


def warm(tensors: bool) -> None:
    """Import and use once what notebooks use, so that no child pays for it."""
    for name in _WARM.split():
        importlib.import_module(name)
    importlib.import_module("numpy.random")
    some = np.eye(4) @ np.arange(16.0).reshape(4, 4)
    repr(
        (np.linalg.solve(np.eye(4), some), np.random.default_rng(0).normal(size=3), np.einsum("ij,jk->ik", some, some))
    )
    if tensors:
        import torch

        torch.set_num_threads(1)
        torch.set_num_interop_threads(1)
        # forward only: a backward pass starts autograd's threads, which a fork does not take along
        torch.nn.LSTM(4, 4)(torch.zeros(2, 1, 4))
        torch.nn.functional.softmax(torch.eye(4) @ torch.eye(4), -1)
        importlib.import_module("autograder.inside.tensors")
