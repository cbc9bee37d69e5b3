"""Locks on a process, put on from within: the zygote's once, a child's before it reads the first line of a trainee's."""

import contextlib
import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import struct
import sys

from autograder.inside import syscalls

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _SPEC_ALLOW = (
    1,
    4,
)  # without SPEC_ALLOW older kernels slow the whole process down; there is no secret here to leak
_TENSOR_ALLOWANCE = 4 << 30  # address space that torch reserves and does not use
_PAGE = 1 << 16

_libc = ctypes.CDLL(None, use_errno=True)
_with_gil = ctypes.PyDLL(None, use_errno=True)
_linux = sys.platform == "linux"


class Confinement:
    """What a child is confined by. Made before the fork, as building costs ten times what putting it on does."""

    def __init__(self, filtered: bool, tensors: bool) -> None:
        self._allowance = _TENSOR_ALLOWANCE if tensors else 0
        self._base = 0
        self.measure()
        self._filter = _Filter() if filtered else None

    def measure(self) -> None:
        """Take what this process has now as what every child starts with."""
        self._base = address_space() + self._allowance

    def put_on(self, memory_mb: int) -> None:
        """Limit and confine this process, for good."""
        if self._filter is None and _linux:  # else the namespace ends with the zygote, and all in it
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _limit(resource.RLIMIT_AS, self._base + (memory_mb << 20))
        if self._filter is not None:
            self._filter.install()


class _Filter:
    def __init__(self) -> None:
        machine = platform.machine()
        program = syscalls.filter_program(machine)
        self._number = _SECCOMP[machine]
        self._program = ctypes.create_string_buffer(program, len(program))
        header = struct.pack("@HP", len(program) // 8, ctypes.addressof(self._program))
        self._header = ctypes.create_string_buffer(header, len(header))

    def install(self) -> None:
        if _libc.syscall(self._number, _SET_MODE_FILTER, _SPEC_ALLOW, self._header):
            raise OSError(ctypes.get_errno(), "seccomp refused the filter")


def fork() -> int:
    """Fork without Python's hooks, which give a child new locks, threads and seeds: the zygote has one thread and holds no lock, and the
    hooks would have each child copy half a megabyte that it else shares.
    """
    pid: int = _with_gil.fork()
    if pid < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return pid


def _limit(limit: int, most: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # a lower limit than ours was there before
        resource.setrlimit(limit, (most, most))


def lock_zygote(tensors: bool) -> None:
    """Shut this process's memory to its children, end it with its parent, and give up every way to more rights. Children inherit the limits."""
    _limit(resource.RLIMIT_FSIZE, 16 << 20)
    _limit(resource.RLIMIT_NOFILE, 256 if tensors else 64)
    _limit(resource.RLIMIT_CORE, 0)
    if not _linux:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)  # else a child may write to /proc/<zygote>/mem
    if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")


def address_space() -> int:
    """Bytes of address space in use, up to 64 KiB: found by trying limits, as there is no /proc to read in the sandbox."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, 1 << 48
    try:
        while high - low > _PAGE:
            middle = (low + high) // 2
            resource.setrlimit(resource.RLIMIT_AS, (middle, before[1]))
            try:
                mmap.mmap(-1, _PAGE).close()
                high = middle
            except OSError as e:
                if e.errno != errno.ENOMEM:
                    raise
                low = middle
    except ValueError:  # a hard limit lies below: then that one binds
        return 0
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    return high


def reseat(fd: int, null: int) -> int:
    """Move a standard stream out of the way of print(): a new descriptor, /dev/null in the old place."""
    moved = os.dup(fd)
    os.dup2(null, fd)
    return moved
