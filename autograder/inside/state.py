"""Global state that one piece of trainees' code may leave changed, and that the next must find as it was."""

import builtins
import contextlib
import os
import random
import signal
import sys
import threading
import warnings
from typing import Any

import numpy as np

_SEED = 0  # not the round's: an answer that depends on the global generators is wrong or equal every time


class CleanState:
    """The state of this process when made; `restore` brings it back. Holds its own references: trainees rebind what they like."""

    def __init__(self, writable: str) -> None:
        self.writable = writable
        self._builtins = dict(vars(builtins))
        self._environ = dict(os.environ)
        self._errors, self._print = np.geterr(), np.get_printoptions()
        self._filters = list(warnings.filters)
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._recursion = sys.getrecursionlimit()
        self._seterr, self._geterr = np.seterr, np.geterr
        self._setprint, self._getprint = np.set_printoptions, np.get_printoptions
        self._seeds = [random.seed, np.random.seed]
        self._filters_mutated = warnings._filters_mutated  # type: ignore[attr-defined]
        self._torch = _Torch() if "torch" in sys.modules else None

    def restore(self) -> None:
        vars(builtins).update(self._builtins)
        sys.settrace(None)
        sys.setprofile(None)
        threading.settrace(None)  # type: ignore[arg-type]
        threading.setprofile(None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.setrecursionlimit(self._recursion)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        if self._geterr() != self._errors:
            self._seterr(**self._errors)
        if self._getprint() != self._print:
            self._setprint(**self._print)
        if warnings.filters != self._filters:
            warnings.filters = list(self._filters)  # type: ignore[assignment]
            self._filters_mutated()
        for seed in self._seeds:
            seed(_SEED)
        if os.environ != self._environ:
            os.environ.clear()
            os.environ.update(self._environ)
        with contextlib.suppress(OSError):  # she may have removed it
            os.chdir(self.writable)
        if (decimal := sys.modules.get("decimal")) is not None:
            decimal.setcontext(decimal.Context())
        if self._torch is not None:
            self._torch.restore()


class _Torch:
    def __init__(self) -> None:
        import torch

        self._t: Any = torch
        self._manual_seed = torch.manual_seed
        self._set_grad, self._set_dtype, self._set_device = torch.set_grad_enabled, torch.set_default_dtype, torch.set_default_device
        self._deterministic, self._anomalies = torch.use_deterministic_algorithms, torch.autograd.set_detect_anomaly
        self._threads = torch.set_num_threads
        self._dtype = torch.get_default_dtype()

    def restore(self) -> None:
        self._manual_seed(_SEED)
        self._set_grad(True)
        self._set_dtype(self._dtype)
        if self._t.get_default_device().type != "cpu":
            self._set_device("cpu")
        self._deterministic(False)
        self._anomalies(False)
        self._threads(1)
