"""What a trainee's process may ask of the kernel: a list of what is allowed, as a seccomp filter.

Allowed, not denied: a call that the kernel learns next year is refused today. Left out are, above all, every way to start a process, to reach
another one (kill, tgkill, pidfd_*, ptrace, process_vm_*, prlimit64 and sched_* of others, F_SETOWN with its signals), the network, what outlives
a process (shared memory, queues, keys), mounts, namespaces, and io_uring, which does most of these by another door.
"""

import errno
import struct
from collections.abc import Iterable

# name:x86_64:aarch64, "-" where the machine has none; a test compares with the kernel's headers
_ALLOWED = """
read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 preadv:295:69 pwritev:296:70 lseek:8:62 open:2:-
openat:257:56 openat2:437:437 creat:85:- close:3:57 close_range:436:436 dup:32:23 dup2:33:- dup3:292:24 pipe:22:- pipe2:293:59
sendfile:40:71 copy_file_range:326:285 stat:4:- fstat:5:80 lstat:6:- newfstatat:262:79 statx:332:291 access:21:-
faccessat:269:48 faccessat2:439:439 readlink:89:- readlinkat:267:78 getdents:78:- getdents64:217:61 getcwd:79:17 chdir:80:49
fchdir:81:50 statfs:137:43 fstatfs:138:44 mkdir:83:- mkdirat:258:34 rmdir:84:- unlink:87:- unlinkat:263:35 rename:82:-
renameat:264:38 renameat2:316:276 chmod:90:- fchmod:91:52 fchmodat:268:53 truncate:76:45 ftruncate:77:46 fallocate:285:47
fsync:74:82 fdatasync:75:83 fadvise64:221:223 flock:73:32 umask:95:166 utime:132:- utimes:235:- utimensat:280:88 poll:7:-
ppoll:271:73 select:23:- pselect6:270:72 epoll_create:213:- epoll_create1:291:20 epoll_ctl:233:21 epoll_wait:232:-
epoll_pwait:281:22 eventfd:284:- eventfd2:290:19 sendto:44:206 recvfrom:45:207 mmap:9:222 munmap:11:215
mprotect:10:226 mremap:25:216 madvise:28:233 msync:26:227 brk:12:214 membarrier:324:283 rt_sigaction:13:134
rt_sigprocmask:14:135 rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigtimedwait:128:137 rt_sigsuspend:130:133
sigaltstack:131:132 pause:34:- alarm:37:- getitimer:36:102 setitimer:38:103 restart_syscall:219:128 futex:202:98
set_robust_list:273:99 set_tid_address:218:96 rseq:334:293 exit:60:93 exit_group:231:94 wait4:61:260 waitid:247:95
sched_yield:24:124 sched_getaffinity:204:123 getcpu:309:168 nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113
clock_getres:229:114 gettimeofday:96:169 time:201:- times:100:153 getrandom:318:278 uname:63:160 sysinfo:99:179 getrusage:98:165
getrlimit:97:163 setrlimit:160:164 getpid:39:172 gettid:186:178 getppid:110:173 getpgrp:111:- getpgid:121:155 getsid:124:156
getuid:102:174 geteuid:107:175 getgid:104:176 getegid:108:177 getgroups:115:158 getresuid:118:148 getresgid:120:150
getpriority:140:141 capget:125:90
"""
# argument, and its values that are allowed (all are 32-bit in the kernel)
_CHECKED = {
    "fcntl:72:25": (1, (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)),  # duplicates, flags, locks; not F_SETOWN, F_SETSIG
    "ioctl:16:29": (
        1,
        (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
    ),  # TCGETS, window size, FIONREAD, FIONBIO, close-on-exec
    "prctl:157:167": (
        0,
        (3, 15, 16, 0x53564D41),
    ),  # PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA (malloc names its arenas)
    "prlimit64:302:261": (0, (0,)),  # its own limits, which it can only lower
    "socketpair:53:199": (0, (1,)),  # AF_UNIX: asyncio wakes itself with one
}
_CLONE, _CLONE3, _CLONE_THREAD = "clone:56:220", "clone3:435:435", 0x10000
_NEW_CALLS = 424  # from here on numbers are equal on all machines, and libc falls back where it hears ENOSYS

_MACHINES = {"x86_64": (1, 0xC000003E), "aarch64": (2, 0xC00000B7)}  # column, AUDIT_ARCH
_X32 = 0x40000000

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _JUMP, _EQUAL, _AT_LEAST, _HAS, _RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

Program = list[bytes]


def supported(machine: str) -> bool:
    return machine in _MACHINES


def numbers(machine: str) -> dict[str, int]:
    """Names and numbers of all calls that the filter knows on this machine."""
    column = _MACHINES[machine][0]
    known = [entry.split(":") for entry in (*_ALLOWED.split(), *_CHECKED, _CLONE, _CLONE3)]
    return {entry[0]: int(entry[column]) for entry in known if entry[column] != "-"}


def filter_program(machine: str) -> bytes:
    """The filter in the kernel's form: an array of struct sock_filter."""
    number_of = numbers(machine)
    leaves = {
        number_of[name]: [_return(_ALLOW)] for name in (e.split(":")[0] for e in _ALLOWED.split()) if name in number_of
    }
    for entry, (argument, values) in _CHECKED.items():
        leaves[number_of[entry.split(":")[0]]] = _one_of(argument, values)
    leaves[number_of["clone"]] = [
        _load(_ARGUMENTS),
        _op(_HAS, _CLONE_THREAD, 0, 1),
        _return(_ALLOW),
        _refuse(errno.EPERM),
    ]
    program = [_load(_ARCH), _op(_EQUAL, _MACHINES[machine][1], 1, 0), _return(_KILL)]
    program += [_load(_NUMBER), _op(_AT_LEAST, _X32, 0, 1), _return(_KILL)]
    return b"".join(program + _tree(_ranges(leaves)))


def _ranges(leaves: dict[int, Program]) -> list[tuple[int, Program]]:
    """(first number, what to do from there on), in order, neighbours that do the same taken together."""
    steps: list[tuple[int, Program]] = []
    edges = sorted({0, _NEW_CALLS, *leaves, *(number + 1 for number in leaves)})
    for first in edges:
        todo = leaves.get(first) or [_refuse(errno.ENOSYS if first >= _NEW_CALLS else errno.EPERM)]
        if not steps or steps[-1][1] != todo:
            steps.append((first, todo))
    return steps


def _tree(steps: list[tuple[int, Program]]) -> Program:
    """Binary search over the number: the kernel runs the filter at each call, and over all numbers when it is installed."""
    if len(steps) == 1:
        return steps[0][1]
    half = len(steps) // 2
    below, above = _tree(steps[:half]), _tree(steps[half:])
    return [_op(_AT_LEAST, steps[half][0], 0, 1), _op(_JUMP, len(below)), *below, *above]


def _one_of(argument: int, values: Iterable[int]) -> Program:
    checks = [op for value in values for op in (_op(_EQUAL, value, 0, 1), _return(_ALLOW))]
    return [_load(_ARGUMENTS + 8 * argument), *checks, _refuse(errno.EPERM)]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _op(_LOAD, offset)


def _return(action: int) -> bytes:
    return _op(_RETURN, action)


def _refuse(error: int) -> bytes:
    return _return(_ERRNO | error)
