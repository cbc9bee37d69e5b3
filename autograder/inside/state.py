"""Global state that one piece of trainees' code may leave changed, and that the next must find as it was."""

import contextlib
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

_SEED = 0  # not the round's: an answer that depends on the global generators is wrong or equal every time

Restore = Callable[[], None]


class CleanState:
    """The state of this process when made. Holds its own references: trainees rebind what they like.

    Looking at all of it costs a child as much as ten calls of a function, most of it in memory that it would else share with the zygote. So
    only that is restored whose name stands in the notebook: who reaches it by other names spoils nobody's state but her own.
    """

    def __init__(self, writable: str) -> None:
        self.writable = writable
        self._torch = _Torch() if "torch" in sys.modules else None
        self._named: tuple[tuple[str, Restore], ...] = (
            ("seterr", _numpy_errors()),
            ("printoptions", _numpy_printing()),
            ("random", _seeds()),
            ("warn", _warning_filters()),
            ("std", _streams()),
            ("recursion", _call(sys.setrecursionlimit, sys.getrecursionlimit())),
            ("environ", _environment()),
            ("putenv", _environment()),
            ("dir", self._come_home),
            ("decimal", _decimal),
            ("trace", _no_tracing),
            ("profile", _no_tracing),
            ("signal", _no_alarm),
        )

    def needed(self, sources: list[str]) -> list[Restore]:
        """What must be restored between functions of a notebook with these sources."""
        whole = "\n".join(sources)
        found = [restore for name, restore in self._named if name in whole]
        return found if self._torch is None else [*found, self._torch.restore]

    def _come_home(self) -> None:
        with contextlib.suppress(OSError):  # she may have removed it
            os.chdir(self.writable)


def _call(function: Callable[[Any], Any], argument: Any) -> Restore:
    return lambda: function(argument)


def _numpy_errors() -> Restore:
    before, put, clear = np.geterr(), np.seterr, np.seterrcall

    def restore() -> None:
        put(**before)
        clear(None)

    return restore


def _numpy_printing() -> Restore:
    before, put = np.get_printoptions(), np.set_printoptions
    return lambda: put(**before)


def _seeds() -> Restore:
    first, second = random.seed, np.random.seed

    def restore() -> None:
        first(_SEED)
        second(_SEED)

    restore()
    return restore


def _warning_filters() -> Restore:
    before, mutated = list(warnings.filters), warnings._filters_mutated  # type: ignore[attr-defined]

    def restore() -> None:
        warnings.filters = list(before)
        mutated()

    return restore


def _streams() -> Restore:
    before = sys.stdin, sys.stdout, sys.stderr

    def restore() -> None:
        sys.stdin, sys.stdout, sys.stderr = before

    return restore


def _environment() -> Restore:
    before = dict(os.environ)

    def restore() -> None:
        os.environ.clear()
        os.environ.update(before)

    return restore


def _decimal() -> None:
    if (decimal := sys.modules.get("decimal")) is not None:
        decimal.setcontext(decimal.Context())


def _no_tracing() -> None:
    sys.settrace(None)
    sys.setprofile(None)
    threading.settrace(None)
    threading.setprofile(None)


def _no_alarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


class _Torch:
    def __init__(self) -> None:
        import torch

        self._default_device = torch.get_default_device
        self._manual_seed = torch.manual_seed
        self._set_grad, self._set_dtype, self._set_device = (
            torch.set_grad_enabled,
            torch.set_default_dtype,
            torch.set_default_device,
        )
        self._deterministic, self._anomalies = torch.use_deterministic_algorithms, torch.autograd.set_detect_anomaly
        self._threads = torch.set_num_threads
        self._dtype = torch.get_default_dtype()
        self.restore()

    def restore(self) -> None:
        self._manual_seed(_SEED)
        self._set_grad(True)
        self._set_dtype(self._dtype)
        if self._default_device().type != "cpu":
            self._set_device("cpu")
        self._deterministic(False)
        self._anomalies(False)
        self._threads(1)
