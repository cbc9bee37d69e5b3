"""Trainees' code that wants more than to be graded. Whatever it does, it harms no other submission and leaves nothing behind."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder import codec
from autograder.course import Limits
from autograder.sandbox import Call, Reply, Work, Worker, usable
from autograder.verdict import Status

LIMITS = Limits(call_seconds=0.3, function_seconds=1.0, cell_seconds=0.4, memory_mb=300)
IN_TMP = sys.prefix.startswith("/tmp/")
FORBIDDEN = "PermissionError: [Errno 1] Operation not permitted"

pytestmark = pytest.mark.skipif(usable() is not None, reason=str(usable()))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as made:
        yield made


@pytest.fixture(autouse=True)
def the_next_submission_is_graded_by_the_same_worker_and_rightly(worker):
    """Holds after every attack here."""
    zygote = worker._box._process.pid
    yield
    reply = attack(worker, "def f(x): return x + 1", again=(0,))
    assert reply.answers()[0].value == 1
    assert reply.steady
    if worker._box._process.pid != zygote:
        assert attack.restarts, "the worker did not survive"
    attack.restarts = False


def attack(worker, *cells, arguments=((0,),), function="f", **rest) -> Reply:
    worker.load("round", [Work(function, tuple(map(Call, arguments)), **rest)])
    return worker.run("round", cells, None, LIMITS)[0][0]


attack.restarts = False


def body(worker, *lines, **rest):
    """The one answer of a function with these lines."""
    reply = attack(
        worker,
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\ndef f(x):\n    " + "\n    ".join(lines),
        **rest,
    )
    assert reply.status is Status.PASSED, reply
    return reply.answers()[0]


# processes


@pytest.mark.parametrize(
    "line",
    [
        "os.fork()", "os.system('true') and 1 / 0", "os.execv('/usr/bin/id', ['id'])", "import subprocess; subprocess.run(['/usr/bin/id'])",
        "import multiprocessing; multiprocessing.get_context('fork').Process().start()", "os.posix_spawn('/usr/bin/id', ['id'], {})", "os.forkpty()",
        "import pty; pty.fork()",
    ],
)  # fmt: skip
def test_no_process_is_started(worker, line):
    assert "Error" in body(worker, line).raised


@pytest.mark.parametrize(
    ("number", "arguments"),
    [(57, ()), (58, ()), (56, (17, 0, 0, 0, 0)), (435, (0, 0)), (59, (0, 0, 0)), (322, (0, 0, 0, 0, 0))],
)
def test_nor_by_the_bare_call(worker, number, arguments):
    if os.uname().machine != "x86_64":
        pytest.skip("numbers of x86_64")
    said = body(
        worker, f"r = libc.syscall({', '.join(map(str, (number, *arguments)))})", "return [r, ctypes.get_errno()]"
    ).value
    assert said[0] == -1
    assert said[1] in (1, 38)


SIGNALS = [
    "os.kill(os.getppid(), 9)", "os.kill(-1, 9)", "os.kill(1, 9)", "os.killpg(0, 9)", "import signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
]  # fmt: skip


@pytest.mark.parametrize("line", SIGNALS)
def test_no_signal_reaches_another_process(worker, line):
    assert body(worker, line).raised in (FORBIDDEN, "OSError: [Errno 38] Function not implemented")


@pytest.mark.parametrize(
    ("name", "number", "arguments"),
    [
        ("tkill", 200, "p, 9"), ("tgkill", 234, "p, p, 9"), ("rt_sigqueueinfo", 129, "p, 9, b'0' * 128"), ("rt_tgsigqueueinfo", 297, "p, p, 9, b'0' * 128"),
        ("ptrace", 101, "16, p, 0, 0"), ("process_vm_writev", 311, "p, 0, 0, 0, 0, 0"), ("prlimit64", 302, "p, 7, b'\\0' * 16, 0"),
        ("setpriority", 141, "0, p, 19"), ("sched_setaffinity", 203, "p, 8, b'\\1' + b'\\0' * 7"), ("sched_setscheduler", 144, "p, 5, b'\\0' * 4"),
        ("ioprio_set", 251, "1, p, 24576"), ("migrate_pages", 256, "p, 8, b'\\0' * 8, b'\\0' * 8"), ("kcmp", 312, "p, p, 0, 0, 0"),
        ("perf_event_open", 298, "b'\\0' * 128, p, -1, -1, 0"), ("pidfd_open", 434, "p, 0"), ("process_madvise", 440, "p, 0, 0, 0, 0"),
        ("setpgid", 109, "p, p"), ("unshare", 272, "0x10000000"), ("bpf", 321, "0, 0, 0"), ("io_uring_setup", 425, "8, b'\\0' * 120"),
        ("keyctl", 250, "0, 0"), ("userfaultfd", 323, "0"), ("personality", 135, "0"), ("memfd_create", 319, "b'a', 0"), ("mount", 165, "0, 0, 0, 0, 0"),
        ("chroot", 161, "b'/'"), ("seccomp", 317, "1, 0, 0"), ("x32 kill", 0x40000000 + 62, "p, 9"),
    ],
)  # fmt: skip
def test_nor_does_a_bare_call(worker, name, number, arguments):
    if os.uname().machine != "x86_64":
        pytest.skip("numbers of x86_64")
    lines = "p = os.getppid()", f"r = libc.syscall({number}, {arguments})", "return [r, ctypes.get_errno()]"
    if name == "x32 kill":
        reply = attack(worker, "import ctypes, os\nlibc = ctypes.CDLL(None)\ndef f(x):\n    " + "\n    ".join(lines))
        assert (reply.status, reply.detail) == (Status.CRASHED, "signal SIGSYS")
    else:
        assert body(worker, *lines).value in ([-1, 1], [-1, 38])


def test_no_signal_by_way_of_a_pipe(worker):
    lines = "import fcntl, signal", "r, w = os.pipe()", "fcntl.fcntl(r, 10, 9)"
    assert body(worker, *lines).raised == FORBIDDEN
    assert (
        body(worker, "import fcntl", "r, w = os.pipe()", "fcntl.fcntl(r, fcntl.F_SETOWN, os.getppid())").raised
        == FORBIDDEN
    )
    assert (
        body(
            worker, "import fcntl", "r, w = os.pipe()", "fcntl.ioctl(r, 0x8901, os.getppid().to_bytes(4, 'little'))"
        ).raised
        == FORBIDDEN
    )


def test_the_zygotes_memory_is_shut(worker):
    """There is no /proc, and were there one, the process would not be dumpable."""
    assert body(worker, "return os.listdir('/proc')").value in ([], ["cpuinfo"])
    assert "No such file" in body(worker, "open(f'/proc/{os.getppid()}/mem', 'r+b')").raised
    assert body(worker, "return libc.prctl(3, 0, 0, 0, 0)").value == 0
    assert body(worker, "return libc.prctl(4, 1, 0, 0, 0)").value == -1


def test_threads_are_allowed_and_die_with_their_function(worker):
    cell = "import threading, time\ndef spin():\n    while True: pass\ndef f(x):\n    [threading.Thread(target=spin).start() for _ in range(3)]\n    return 1"
    assert attack(worker, cell).answers()[0].value == 1
    begun = time.monotonic()
    assert attack(worker, "def f(x): return x").answers()[0].value == 0
    assert time.monotonic() - begun < 1


# files and network


def test_nothing_of_the_machine_is_in_sight(worker):
    seen = body(
        worker, "return [sorted(os.listdir('/')), dict(os.environ), os.getcwd(), os.getuid(), os.uname().nodename]"
    ).value
    assert {"root", "etc", "work", "home", "var", "sys", "run", "mnt"} & set(seen[0]) <= {"etc", "root"}
    assert set(seen[1]) <= {
        "PATH", "LANG", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "HOME", "TMPDIR", "PWD", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "LC_CTYPE",
    }  # fmt: skip
    assert seen[2:] == ["/box", 65534, "worker"]
    assert body(worker, "return os.listdir('/etc') if os.path.exists('/etc') else []").value in ([], ["ld.so.cache"])


def test_nothing_of_the_course_is_in_sight(worker):
    here = Path(__file__).parents[2]
    for path in (here, here / "reference", here / "assignments", "/etc/passwd", "/root/.bashrc", Path.home()):
        assert not body(
            worker,
            f"return os.path.exists({str(path)!r}) and bool(set(os.listdir({str(path)!r})) - {{'.pyenv', '.venv'}})",
        ).value
    for name in ("reference", "autograder.properties", "autograder.checker", "autograder.course", "assignments"):
        assert "ModuleNotFoundError" in body(worker, f"import {name}").raised


def test_only_one_small_folder_can_be_written(worker):
    lines = (
        "found = []",
        "for top, folders, files in os.walk('/'):",
        "    if top.count('/') > 3: folders.clear()",
        "    try: open(top + '/x', 'w').close(); found.append(top)",
        "    except OSError: pass",
        "return found",
    )
    assert body(worker, *lines).value == ["/box"]
    for line in (
        "os.symlink('/', 'a')",
        "os.link('a', 'b')",
        "os.mkfifo('a')",
        "os.mknod('a')",
        "os.chmod('/usr', 0)",
        "os.utime('/usr')",
    ):
        assert "Error" in body(worker, line).raised


def test_files_are_bounded(worker):
    assert (
        "File too large"
        in body(worker, "f = open('a', 'wb', 0)", "for _ in range(40): f.write(b'0' * (1 << 20))").raised
    )
    lines = "for i in range(40):", "    with open(str(i), 'wb') as f: f.write(b'0' * (8 << 20))"
    assert "No space left" in body(worker, *lines).raised
    assert "Too many open files" in body(worker, "return [open('/dev/null') for _ in range(999)]").raised


@pytest.mark.parametrize(
    "line",
    [
        "open('note', 'w').write('42')", "os.makedirs('a/b/c'); open('a/b/c/note', 'w').write('42')", "open('/tmp/note', 'w').write('42')",
        "open('.hidden', 'w').write('42'); os.mkdir('locked'); os.chmod('locked', 0)", "open('numpy.py', 'w').write('1 / 0')",
        "open('sitecustomize.py', 'w').write('1 / 0')",
    ],
)  # fmt: skip
def test_a_file_is_gone_before_the_next_submission(worker, line):
    if "/tmp/" in line and IN_TMP:
        pytest.skip("the interpreter lies in /tmp, which is then no place to write in")
    attack.restarts = "locked" in line
    assert not body(worker, line).raised
    attack.restarts = True
    here, tmp = body(worker, "import numpy", "return [os.listdir('/box'), os.listdir('/tmp')]").value
    assert here == []
    assert tmp == ([Path(sys.prefix).parts[2]] if IN_TMP else [])


@pytest.mark.parametrize(
    "lines",
    [
        ("for i in range(3000): open(str(i), 'w').close()",), ("for i in range(900): os.mkdir('d'); os.chdir('d')",), ("os.chmod('/box', 0)",),
        ("for i in range(100000):", "    try: os.mkdir(f'{i}')", "    except OSError: break"),
    ],
)  # fmt: skip
def test_a_box_too_full_to_tidy_is_thrown_away(worker, lines):
    attack.restarts = True
    attack(worker, "import os\ndef f(x):\n    " + "\n    ".join(lines))
    assert body(worker, "return os.listdir('/box')").value == []


def test_a_file_of_the_first_child_is_not_in_the_second(worker):
    reply = attack(
        worker,
        "import os\ndef f(x):\n    new = not os.path.exists('a')\n    open('a', 'w').close()\n    return new",
        again=(),
    )
    assert reply.answers()[0].value is True
    reply = attack(
        worker, "import os\nnew = not os.path.exists('a')\nopen('a', 'w').close()\ndef f(x): return new", again=(0,)
    )
    assert reply.steady


@pytest.mark.parametrize(
    "line",
    [
        "import socket; socket.socket()", "import socket; socket.create_connection(('127.0.0.1', 80))", "import socket; socket.socket(socket.AF_UNIX)",
        "import urllib.request; urllib.request.urlopen('http://example.com')", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
        "import socket; socket.socketpair(socket.AF_INET)",
    ],
)  # fmt: skip
def test_there_is_no_network(worker, line):
    assert "Error" in body(worker, line).raised


@pytest.mark.parametrize(
    "line",
    [
        "from multiprocessing import shared_memory; shared_memory.SharedMemory('a', True, 10)", "from multiprocessing import Lock; Lock()",
        "import ctypes; assert libc.shmget(1, 4096, 0o1777) >= 0", "assert libc.semget(1, 1, 0o1777) >= 0", "assert libc.msgget(1, 0o1777) >= 0",
        "import ctypes.util; r = ctypes.CDLL('librt.so.1').mq_open(b'/a', 66, 511, 0); assert r >= 0",
    ],
)  # fmt: skip
def test_nothing_outlives_a_child_in_the_kernel(worker, line):
    assert body(worker, line).raised


# what it inherits


def test_it_holds_no_descriptor_but_its_own_pipe(worker):
    lines = (
        "import stat",
        "found = []",
        "for fd in range(256):",
        "    try: s = os.fstat(fd)",
        "    except OSError: continue",
        "    found.append('null' if stat.S_ISCHR(s.st_mode) else 'pipe' if stat.S_ISFIFO(s.st_mode) else 'other')",
        "return found",
    )
    assert sorted(body(worker, *lines).value) == ["null", "null", "null", "pipe"]


SEARCH = '''
import ctypes, os
def pages():
    """Everything that can be read around the heap, the way a thief would do it: the kernel tells by EFAULT what is not there."""
    r, w = os.pipe()
    libc = ctypes.CDLL(None)
    libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    ranges = {}
    for thing in [object(), [], bytes(100), bytearray(1 << 20), bytearray(100000), f, os, dict(a=1)] + [bytes(n) for n in range(16, 2000, 16)]:
        ranges[id(thing) >> 26] = None
        ranges[(id(thing) >> 26) + 1] = None
        ranges[(id(thing) >> 26) - 1] = None
    for at in ranges:
        for page in range(at << 26, (at + 1) << 26, 4096):
            if libc.write(w, page, 4096) == 4096:
                yield os.read(r, 4096)
'''


def test_nothing_of_another_submission_is_in_memory(worker):
    """Neither its source nor what it answered, raised or printed."""
    secret = "".join(chr(97 + (7 * i * i + 3 * i) % 26) for i in range(24))
    answer = np.frombuffer(b"\x11\x93\x5a\xc1\x77\x3e\xe0\x3f" * 3)
    theirs = f"# {secret}\nimport numpy as np\nprint('{secret}')\ndef f(x):\n    if x: raise ValueError('{secret}')\n    return np.array({answer.tolist()})"
    limits = Limits(call_seconds=20, function_seconds=20, cell_seconds=20, memory_mb=600)
    for _ in range(3):
        attack(worker, theirs, f"raise ValueError('{secret}')", arguments=[(0,), (1,)], again=(0, 1))
    with worker.session("round", [theirs], "f", LIMITS) as call:
        assert call(Call((0,))).value is not None
    planted = "".join(reversed(secret))
    worker.load("other", [Work("f", (Call((planted,)),))])
    parts = [secret[:12], secret[12:]]
    thief = SEARCH + (
        f"parts = {parts!r}\nraw = {answer.tobytes()[:8].hex()!r}\n"
        "def f(given):\n    own = bytes.fromhex(raw)\n    needle = (parts[0] + parts[1]).encode()\n    planted = given.encode()\n    seen = [0, 0, 0]\n"
        "    for page in pages():\n        seen[0] += planted in page\n        seen[1] += needle in page\n        seen[2] += own * 3 in page\n    return seen"
    )
    reply = worker.run("other", [thief], None, limits)[0][0]
    seen = reply.answers()[0].value
    assert seen[0] >= 2, "a search that finds nothing shows nothing"
    assert seen[1] <= 2  # its own needle, put together
    assert seen[2] <= 2


def test_inputs_of_another_round_are_not_in_memory(worker):
    mark = 0.123456789012345
    worker.load("before", [Work("f", tuple(Call((np.full(50, mark),)) for _ in range(20)))])
    worker.run("before", ["def f(x): return 0"], None, LIMITS)
    worker.load("now", [Work("f", (Call((1,)),))])
    cell = "import gc\ndef f(x):\n    return sum(1 for o in gc.get_objects() for r in gc.get_referents(o) if type(r).__name__ == 'ndarray' and r.shape == (50,))"
    assert worker.run("now", [cell], None, LIMITS)[0][0].answers()[0].value == 0


# forged replies


FORGED = {
    "garbage": "os.write({fd}, os.urandom(5000))",
    "an end": "tell(b'E', 0, b'')",
    "missing": "tell(b'X', 0, b'')",
    "another's answer": "tell(b'F', 1, b'')",
    "far away": "tell(b'F', 10 ** 9, b'')",
    "a length without an end": "os.write({fd}, struct.pack('<cIId', b'F', 0, 2 ** 32 - 1, 0.0))",
    "half a message": "os.write({fd}, b'F\\0')",
    "an empty frame": "tell(b'F', 0, b'')",
    "a frame of no sense": "tell(b'F', 0, os.urandom(100))",
    "code": "tell(b'C', 0, b'x' * 100000)",
    "notices": "[tell(b'N', i, b'raised\\0' + b'<script>' * 9) for i in range(300)]",
    "a late cell": "tell(b'T', 1, b'\\xff' * 50)",
    "a flood": "[os.write({fd}, bytes(1 << 20)) for _ in range(500)]",
    "an unknown kind": "tell(b'?', 0, b'')",
    "time": "os.write({fd}, struct.pack('<cIId', b'F', 0, 0, float('nan')))",
    "nothing more": "os.close({fd})",
}


@pytest.mark.parametrize("where", ["cell", "function", "thread"])
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_reply_costs_its_own_submission_at_most(worker, name, where):
    line = FORGED[name].format(fd="fd")
    cell = (
        "import os, stat, struct, threading, time\nfd = next(n for n in range(3, 64) if os.path.exists and stat.S_ISFIFO(mode(n)))\n"
        f"def tell(kind, about, raw): os.write(fd, struct.pack('<cIId', kind, about, len(raw), time.monotonic()) + raw)\ndef forge():\n    {line}\n"
    )
    cell = "import os\ndef mode(n):\n    try: return os.fstat(n).st_mode\n    except OSError: return 0\n" + cell
    cell += {
        "cell": "forge()\ndef f(x): return x", "function": "def f(x):\n    forge()\n    return x",
        "thread": "threading.Thread(target=forge).start()\ndef f(x):\n    time.sleep(0.01)\n    return x",
    }[where]  # fmt: skip
    worker.load("round", [Work("f", (Call((0,)),), again=(0,)), Work("g", (Call((0,)),))])
    replies, notices = worker.run("round", [cell, "def g(x): return 5"], None, LIMITS)
    assert len(replies) == 2
    assert len(notices) <= 62
    for reply in replies:
        try:
            answers = reply.answers() if reply.status is Status.PASSED else []
            list(reply.differences())
        except codec.CodecError:
            continue
        assert len(answers) <= 1


def test_an_answer_said_twice_is_no_second_chance(worker):
    """The first frame is another's by the time it comes; a verdict never depends on which of two it was."""
    cell = "import autograder\nfrom autograder.inside import wire\nreal = wire.tell\ndef twice(*a):\n    real(*a)\n    real(*a)\nwire.tell = twice\ndef f(x): return x"
    reply = attack(worker, cell)
    assert reply.status in (Status.PASSED, Status.CRASHED)


# lies


LIARS = {
    "equality": "class A(float):\n    __eq__ = __ne__ = __lt__ = __gt__ = lambda s, o: True\n    __hash__ = None\nf = lambda x: A(3)",
    "an array": "import numpy as np\nclass A(np.ndarray):\n    __array_ufunc__ = lambda *a, **k: True\n    __eq__ = lambda s, o: True\n    tobytes = lambda s: bytes(8)\nf = lambda x: np.full((), 3.0).view(A)",
    "an int": "class A(int):\n    __index__ = __int__ = __eq__ = lambda *a: 1 / 0\n    __hash__ = int.__hash__\n    to_bytes = bit_length = lambda *a: 1 / 0\nf = lambda x: A(3)",
    "patched numpy": "import numpy as np\nfor n in dir(np.testing): setattr(np.testing, n, lambda *a, **k: None)\nnp.allclose = np.array_equal = lambda *a, **k: True\nf = lambda x: 3",
    "a patched codec": "from autograder import inside\nimport sys\nsys.modules['autograder.codec'].append.__code__ = (lambda out, value, limit, reduce=None: out.extend(b'i' + bytes(8))).__code__\nf = lambda x: 3",
    "frames": "import sys\ndef f(x):\n    g = sys._getframe(1)\n    while g:\n        g.f_locals.clear(); g.f_globals.pop('codec', None); g = g.f_back\n    return 3",
    "the end": "import atexit, gc, weakref\natexit.register(lambda: 1 / 0)\nclass D:\n    def __del__(self): 1 / 0\nd = D()\ngc.callbacks.append(lambda *a: 1 / 0)\nf = lambda x: 3",
    "modules": "import sys\nfor n in list(sys.modules):\n    if n not in ('sys', 'builtins', '__main__'): sys.modules[n] = None\nf = lambda x: 3",
    "builtins": "import builtins\nbuiltins.len = builtins.isinstance = builtins.callable = lambda *a: True\nf = lambda x: 3",
    "tracing": "import sys\nsys.settrace(lambda *a: 1 / 0)\nsys.setprofile(lambda *a: None)\nf = lambda x: 3",
    "no memory to write with": "import tracemalloc\ntracemalloc.start(50)\nf = lambda x: 3",
    "its own limits": "import resource\nfor n in range(16):\n    try: resource.setrlimit(n, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n    except (ValueError, OSError): pass\nf = lambda x: 3",
    "signals": "import signal\nfor n in range(1, 60):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nsignal.alarm(1)\nf = lambda x: 3",
    "descriptors": "import os\nfor fd in (0, 1, 2): os.close(fd)\nfor _ in range(3): os.dup(0) if 0 else os.open('/dev/null', 0)\nf = lambda x: 3",
    "a callable of no kind": "class A:\n    __call__ = property(lambda s: 1 / 0)\nf = A()",
    "a metaclass": "class M(type):\n    __mro__ = __module__ = __name__ = property(lambda c: 1 / 0)\n    def mro(c): return [c, object]\nclass A(metaclass=M): pass\nf = lambda x: A()",
}  # fmt: skip


@pytest.mark.parametrize("name", LIARS)
def test_a_lie_is_at_most_a_value(worker, name):
    """What arrives is a plain number, or nothing: never an object, never a verdict."""
    reply = attack(worker, LIARS[name], again=(0,))
    if reply.status is Status.PASSED:
        for answer in reply.answers():
            assert type(answer.value) in (type(None), int, float, np.ndarray)
            if answer.value is not None:
                assert float(answer.value) in (0.0, 3.0)


def test_limits_can_only_be_lowered(worker):
    lines = "import resource", "resource.setrlimit(resource.RLIMIT_AS, (1 << 45, 1 << 45))"
    assert "not allowed to raise" in body(worker, *lines).raised
    assert attack(worker, "def f(x): return len(bytearray(1 << 30))").status is Status.MEMORY


def test_a_bomb_of_memory_in_a_cell_costs_that_cell(worker):
    reply = attack(worker, "a = bytearray(1 << 40)", "b = 'x' * (1 << 40)", "c = [0] * (1 << 38)", "def f(x): return 3")
    assert reply.answers()[0].value == 3


def test_nothing_is_left_running(worker):
    """After a submission with threads and a death, the sandbox holds the zygote alone."""
    attack(
        worker,
        "import os, threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\ndef f(x): os._exit(1)",
    )
    pid = worker._box._process.pid
    below = {pid}
    for _ in range(4):
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) in below:
                below.add(int(path.parent.name))
    assert len(below) == 3  # bwrap, the first process of its namespace, and the zygote
