"""Every refusal: what was found, where, and what to do about it. The command line turns them into one line and an exit code."""


class EcertError(Exception):
    """Anything we refuse on purpose; `str()` is the one line that a person reads."""

    exit_code = 3


class Finding(EcertError):
    """The input was understood, and something in it is wrong (a fault in a topic, a leak, a submission left ungraded)."""

    exit_code = 1


class Usage(EcertError):
    """The command cannot be carried out as asked: unknown topic, no course folder, a missing sandbox."""

    exit_code = 2


class Fault(EcertError):
    """Ours: the gradebook is locked or corrupt, the disk is full, a worker cannot be kept alive."""

    exit_code = 3
