"""The seccomp filter, run here as the kernel would run it."""

import errno
import re
import struct
from pathlib import Path

import pytest

from autograder.inside import syscalls

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
# x86_64, aarch64; None: the machine has none
DANGEROUS = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "kill": (62, 129), "tkill": (200, 130),
    "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setattr": (314, 274), "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239), "socket": (41, 198), "connect": (42, 203),
    "bind": (49, 200), "sendmsg": (46, 211), "mount": (165, 40), "umount2": (166, 39), "unshare": (272, 97), "setns": (308, 268), "pivot_root": (155, 41),
    "chroot": (161, 51), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "memfd_create": (319, 279), "shmget": (29, 194),
    "shmat": (30, 196), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "open_by_handle_at": (304, 265), "kcmp": (312, 272),
    "personality": (135, 92), "reboot": (169, 142), "sync": (162, 81), "setsid": (112, 157), "setpgid": (109, 154), "link": (86, None), "symlink": (88, None),
    "mknod": (133, None), "mknodat": (259, 33), "seccomp": (317, 277), "landlock_create_ruleset": (444, 444), "memfd_secret": (447, 447),
    "set_mempolicy": (238, 237), "mlockall": (151, 230), "timer_create": (222, 107), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "vmsplice": (278, 75), "quotactl": (179, 60), "acct": (163, 89), "init_module": (175, 105), "syslog": (103, 116), "setuid": (105, 146),
}  # fmt: skip


def judged(machine, number, arguments=(0, 0, 0, 0, 0, 0), arch=None):
    """What the filter says of one call."""
    data = struct.pack("<IIQ6Q", number, ARCH[machine] if arch is None else arch, 0, *arguments)
    program = [
        struct.unpack_from("=HBBI", whole, at)
        for whole in [syscalls.filter_program(machine)]
        for at in range(0, len(whole), 8)
    ]
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        match code:
            case 0x20:
                accumulator = struct.unpack_from("<I", data, value)[0]
            case 0x05:
                at += value
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x45:
                at += if_true if accumulator & value else if_false
            case 0x06:
                return value


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request):
    return request.param


def test_numbers_are_the_kernels(machine):
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"{header} is not here (linux-libc-dev)")
    defined = dict(re.findall(r"#define (__NR\w+) (\S+)", header.read_text()))
    said = {name.removeprefix("__NR_"): defined.get(value, value) for name, value in defined.items()}
    ours = syscalls.numbers(machine)
    assert len(ours) > 90
    assert {name: said.get(name) for name in ours} == {name: str(number) for name, number in ours.items()}


def test_only_what_is_listed_is_allowed(machine):
    listed = set(syscalls.numbers(machine).values())
    for number in range(600):
        said = judged(machine, number, (0xFFFFFFFF,) * 6)
        assert (said == ALLOW) <= (number in listed), number
        assert said in (ALLOW, ERRNO | errno.EPERM, ERRNO | errno.ENOSYS)


@pytest.mark.parametrize("name", DANGEROUS)
def test_what_reaches_beyond_the_process_is_refused(machine, name):
    number = DANGEROUS[name][machine == "aarch64"]
    if number is not None:
        assert judged(machine, number) in (ERRNO | errno.EPERM, ERRNO | errno.ENOSYS)


def test_threads_are_allowed_and_processes_are_not(machine):
    number = syscalls.numbers(machine)["clone"]
    assert judged(machine, number, (0x3D0F00, 0, 0, 0, 0, 0)) == ALLOW
    assert judged(machine, number, (0x1200011, 0, 0, 0, 0, 0)) == ERRNO | errno.EPERM
    assert judged(machine, syscalls.numbers(machine)["clone3"]) == ERRNO | errno.ENOSYS  # libc then uses clone


@pytest.mark.parametrize(
    ("name", "arguments", "allowed"),
    [
        ("fcntl", (3, 1), True), ("fcntl", (3, 8, 2), False), ("fcntl", (3, 10, 9), False), ("fcntl", (3, 15), False), ("fcntl", (3, 1031), False),
        ("ioctl", (3, 0x5401), True), ("ioctl", (3, 0x5412), False), ("ioctl", (3, 0x8901), False), ("ioctl", (3, 0x5452), False),
        ("prctl", (15,), True), ("prctl", (4, 1), False), ("prctl", (22,), False), ("prlimit64", (0, 7), True), ("prlimit64", (2, 7), False),
        ("socketpair", (1, 1), True), ("socketpair", (2, 1), False), ("socketpair", (30, 1), False),
    ],
)  # fmt: skip
def test_some_are_allowed_for_some_arguments(machine, name, arguments, allowed):
    said = judged(machine, syscalls.numbers(machine)[name], (*arguments, *(0,) * (6 - len(arguments))))
    assert said == (ALLOW if allowed else ERRNO | errno.EPERM)


def test_another_architecture_is_the_end(machine):
    assert judged(machine, 0, arch=0x40000003) == KILL
    assert judged(machine, 0x40000000) == KILL
