"""How long something took, on a machine that may be busy with other things."""

import sys
import time

_BUSY = 3  # a machine shared by more than so many is too busy to grade on
_IDLE = 0.05  # less CPU than this share of the wall is waiting, not being kept waiting


def worked(wall: float, cpu: float | None) -> float:
    """The seconds that count towards a limit: the wall's for who waits, the CPU's for who is kept waiting by others."""
    if cpu is None or cpu < _IDLE * wall:
        return wall
    return max(cpu, wall / _BUSY)


def cpu_of(pid: int) -> float | None:
    """CPU time that another process has used so far; None where this system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the kernel's name for the CPU clock of a process
    except OSError:
        return None
