"""Submissions that try to earn what they did not work for, or to harm: cells, notebooks and folders.

Each is code that a trainee could hand in. `FORGE` puts one object in the place of every graded function.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORGE = """
def forge(answer):
    for name in FUNCTIONS:
        globals()[name] = answer
"""

# What is returned lies about itself.
OBJECTS = {
    "equal_to_everything": """
class Liar:
    __array_priority__ = 1e9
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0
    __rsub__ = __abs__ = __sub__
    def __le__(self, other): return True
    __lt__ = __ge__ = __gt__ = __le__
    def __bool__(self): return True
    def __len__(self): return 2
    def __iter__(self): return iter((Liar(), Liar()))
    def __getattr__(self, name): return Liar()
    def __call__(self, *a, **k): return Liar()
forge(lambda *a, **k: Liar())
""",
    "array_subclass_that_is_always_close": """
import numpy as np
class Close(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *a, **k): return np.True_
    def __array_function__(self, f, types, a, k): return True
    def __eq__(self, other): return np.True_
    def tobytes(self, *a): return b"\\0" * 64
forge(lambda *a, **k: np.zeros((1,)).view(Close))
""",
    "int_subclass_equal_to_all": """
class One(int):
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def to_bytes(self, *a, **k): return b"\\x01"
    def bit_length(self): return 1
forge(lambda *a, **k: (One(), One()))
""",
    "float_that_changes": """
class Float(float):
    def __float__(self): return 1e308
    def hex(self): raise SystemExit(0)
    __repr__ = __str__ = lambda self: "passed"
forge(lambda *a, **k: Float(1))
""",
    "pretends_to_be_an_array": """
import numpy as np
class Fake:
    __class__ = np.ndarray
    shape, dtype, ndim, size = (1,), np.dtype(float), 1, 1
    flags = type("F", (), {"c_contiguous": True})()
    def tobytes(self): return b"\\0" * 8
forge(lambda *a, **k: Fake())
""",
    "array_interface_to_nowhere": """
class Nowhere:
    __array_interface__ = {"shape": (1 << 20,), "typestr": "<f8", "data": (8, True), "version": 3}
forge(lambda *a, **k: Nowhere())
""",
    "array_interface_inside_an_array_method": """
import numpy as np
class Nowhere:
    __array_interface__ = {"shape": (1 << 20,), "typestr": "<f8", "data": (8, True), "version": 3}
forge(lambda *a, **k: np.asarray(Nowhere()))
""",
    "tuple_that_never_ends": """
class Endless(tuple):
    def __len__(self): return 2
    def __iter__(self):
        while True: yield 1
    def __getitem__(self, i): return 1
forge(lambda *a, **k: Endless((1, 2)))
""",
    "generator_without_end": "forge(lambda *a, **k: (i for i in iter(int, 1)))",
    "dictionary_of_surprises": """
class D(dict):
    def items(self): return [("status", "passed")] * 10**9
    def __len__(self): return 10**9
forge(lambda *a, **k: D(status="passed", score=1e9))
""",
    "objects_in_an_array": "import numpy as np\nforge(lambda *a, **k: np.array([object()] * 3, dtype=object))",
    "records_in_an_array": "import numpy as np\nforge(lambda *a, **k: np.zeros(3, dtype=[('passed', 'f8'), ('o', 'O')]))",
    "terabytes_by_broadcast": "import numpy as np\nforge(lambda *a, **k: np.broadcast_to(0.0, (10**6, 10**6)))",
    "list_in_itself": "def loop(*a, **k):\n    l = []; l.append(l); return l\nforge(loop)",
    "nested_too_deep": "def deep(*a, **k):\n    l = []\n    for _ in range(100000): l = [l]\n    return l\nforge(deep)",
    "number_of_ten_million_digits": "forge(lambda *a, **k: 1 << 40_000_000)",
    "string_of_a_gigabyte": "forge(lambda *a, **k: 'passed' * (1 << 28))",
    "million_little_things": "forge(lambda *a, **k: [[]] * 30_000_000)",
    "memoryview_of_code": "forge(lambda *a, **k: memoryview(b'passed'))",
    "not_finite": "forge(lambda *a, **k: (float('nan'), float('inf')))",
    "dtype_with_a_subclass": """
import numpy as np
class D(float): pass
forge(lambda *a, **k: np.float64.__new__(type("f", (np.float64,), {"__eq__": lambda s, o: True}), 1))
""",
}

# What is raised means something to somebody's test framework.
RAISES = {
    f"raises_{name}": f"def stop(*a, **k):\n    {code}\nforge(stop)"
    for name, code in {
        "skip": "import unittest; raise unittest.SkipTest('passed')",
        "system_exit_0": "raise SystemExit(0)",
        "keyboard_interrupt": "raise KeyboardInterrupt",
        "generator_exit": "raise GeneratorExit",
        "stop_iteration": "raise StopIteration(1)",
        "assertion": "raise AssertionError('ok')",
        "memory_error": "raise MemoryError",
        "broken_pipe": "raise BrokenPipeError",
        "import_error": "raise ImportError('hypothesis')",
        "its_own_unsatisfied": "raise type('UnsatisfiedAssumption', (BaseException,), {})('Unanswered')",
        "text_that_raises": "raise type('E', (BaseException,), {'__str__': lambda s: 1/0, '__repr__': lambda s: 1/0})()",
        "text_that_never_ends": "raise type('E', (Exception,), {'__str__': lambda s: [None for _ in iter(int, 1)]})()",
        "markup": "raise ValueError('<script>alert(1)</script><img src=x onerror=alert(2)>\\x1b]0;owned\\x07\\x1b[2J')",
        "exception_in_circles": "e = ValueError('a'); e.__cause__ = e; e.__context__ = e; raise e",
        "a_gigabyte_of_text": "raise ValueError('x' * (1 << 29))",
    }.items()
}

# The ground under the grader is changed.
PATCHES = {
    "patched_numpy_comparison": """
import numpy as np, numpy.testing
for m, names in ((np, ("isclose", "allclose", "array_equal", "array_equiv", "all", "any", "asarray", "abs", "max")),
                 (numpy.testing, ("assert_allclose", "assert_array_equal", "assert_equal"))):
    for n in names: setattr(m, n, lambda *a, **k: True)
forge(lambda *a, **k: 0)
""",
    "patched_builtins": """
import builtins
for n in ("isinstance", "len", "type", "hash", "repr", "str", "format", "print", "open", "all", "any", "zip", "BaseException"):
    try: setattr(builtins, n, lambda *a, **k: True)
    except Exception: pass
forge(lambda *a, **k: 0)
""",
    "patched_codec": """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith(("autograder", "codec", "inside")) or name == "__main__":
        for n, v in list(vars(module).items()):
            if callable(v):
                try: setattr(module, n, lambda *a, **k: b"")
                except Exception: pass
forge(lambda *a, **k: 0)
""",
    "patched_copy_pickle_json": """
import copy, pickle, json, hashlib, hmac
copy.deepcopy = copy.copy = pickle.dumps = json.dumps = lambda *a, **k: None
hashlib.sha256 = lambda *a, **k: type("H", (), {"digest": lambda s: b"0"*32, "hexdigest": lambda s: "0"*64})()
forge(lambda *a, **k: 0)
""",
    "frames_walked": """
import sys
def hunt(*a, **k):
    frame = sys._getframe()
    while frame:
        for name, value in list(frame.f_locals.items()) + list(frame.f_globals.items()):
            if any(w in name.lower() for w in ("expect", "answer", "want", "reference", "solution")):
                if callable(value): return value(*a, **k)
                return value
        frame = frame.f_back
    return 0
forge(hunt)
""",
    "garbage_searched": """
import gc, types
def hunt(*a, **k):
    for o in gc.get_objects():
        if isinstance(o, types.FunctionType) and o.__name__ in FUNCTIONS and o is not hunt: return o(*a, **k)
        if isinstance(o, dict) and any(n in o for n in FUNCTIONS):
            for n in FUNCTIONS:
                if n in o and callable(o[n]) and o[n] is not hunt: return o[n](*a, **k)
    return 0
forge(hunt)
""",
    "reference_imported": """
def hunt(*a, **k):
    import importlib, sys
    sys.path[:0] = [".", "..", "/", "/engine", "/w", "/course"]
    for name in ("reference.mobilenet", "reference", "mobilenet", "hidden.properties", "autograder.course"):
        try: m = importlib.import_module(name)
        except BaseException: continue
        for n in FUNCTIONS:
            if hasattr(m, n): return getattr(m, n)(*a, **k)
    return 0
forge(hunt)
""",
    "tracing": "import sys\nsys.settrace(lambda *a: 1/0)\nsys.setprofile(lambda *a: 1/0)\nforge(lambda *a, **k: 0)",
    "import_hook": """
import sys
class Hook:
    def find_spec(self, *a): raise SystemExit(0)
sys.meta_path.insert(0, Hook()); sys.path_hooks.insert(0, lambda *a: 1/0); sys.modules.clear()
forge(lambda *a, **k: 0)
""",
    "c_memory_of_python": """
import ctypes
def poke(*a, **k):
    for n in (0, 1, 2):
        ctypes.memset(id(n) + 24, 1, 4)
    return 0
forge(poke)
""",
    "null_pointer": "import ctypes\nforge(lambda *a, **k: ctypes.string_at(0))",
    "recursion_without_floor": "import sys\nsys.setrecursionlimit(1 << 30)\ndef f(*a, **k): return f(*a, **k)\nforge(f)",
    "deep_repr_recursion": "import sys\nsys.setrecursionlimit(1 << 30)\ndef f(*a):\n    x = None\n    for _ in range(10**6): x = (x,)\n    return hash(x)\nforge(f)",
}

# Replies are forged, ends are feigned.
REPLIES = {
    "writes_to_every_descriptor": """
import os
def flood(*a, **k):
    for fd in range(256):
        for junk in (b"\\0" * 4096, b"passed", b"\\xff" * 64, (8).to_bytes(4, "little") + b"T" * 8):
            try: os.write(fd, junk)
            except OSError: pass
    return 0
forge(flood)
""",
    "closes_every_descriptor": "import os\ndef f(*a, **k):\n    os.closerange(0, 256); return 0\nforge(f)",
    "swaps_descriptors": """
import os
def f(*a, **k):
    for i in range(3, 40):
        for j in range(3, 40):
            try: os.dup2(i, j)
            except OSError: pass
    return 0
forge(f)
""",
    "reads_every_descriptor": """
import os
def f(*a, **k):
    out = b""
    for fd in range(64):
        try: os.set_blocking(fd, False); out += os.read(fd, 1 << 16)
        except OSError: pass
    return 0
forge(f)
""",
    "exits_with_0": "import os\nforge(lambda *a, **k: os._exit(0))",
    "exits_at_once": "import os\nforge(lambda *a, **k: 0)\nos._exit(0)",
    "exit_handlers": "import atexit, os\natexit.register(os._exit, 0)\nforge(lambda *a, **k: exit(0))",
    "thread_that_answers": """
import os, threading, time
def shout():
    while True:
        for fd in range(3, 32):
            try: os.write(fd, b"\\x10\\0\\0\\0" + b"\\1" * 16)
            except OSError: pass
threading.Thread(target=shout, daemon=True).start()
forge(lambda *a, **k: time.sleep(0.01) or 0)
""",
    "kills_its_parent": """
import os, signal
def f(*a, **k):
    for pid in (os.getppid(), 1, 2, -1, 0):
        for s in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):
            try: os.kill(pid, s)
            except OSError: pass
    return 0
forge(f)
""",
    "starves_its_parent": """
import os, resource
def f(*a, **k):
    for pid in range(1, 64):
        for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS, resource.RLIMIT_CPU):
            try: resource.prlimit(pid, what, (1, 1))
            except (OSError, ValueError): pass
        try: os.setpriority(os.PRIO_PROCESS, pid, 19)
        except OSError: pass
    return 0
forge(f)
""",
    "writes_its_parents_memory": """
import os
def f(*a, **k):
    for pid in (os.getppid(), 1, 2):
        try:
            with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "r+b", 0) as mem:
                for line in maps:
                    if "rw-p" in line:
                        start, _ = (int(x, 16) for x in line.split()[0].split("-"))
                        mem.seek(start); mem.write(b"\\0" * 4096)
        except OSError: pass
    return 0
forge(f)
""",
}

# Too much of everything.
BOMBS = {
    "loop_in_python": "def f(*a, **k):\n    while True: pass\nforge(f)",
    "loop_that_catches_all": "def f(*a, **k):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass\nforge(f)",
    "loop_that_ignores_signals": """
import signal
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
def f(*a, **k):
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True: pass
forge(f)
""",
    "loop_in_c": "forge(lambda *a, **k: sum(iter(int, 1)))",
    "loop_in_a_pattern": "import re\nforge(lambda *a, **k: re.match('(a|aa)+$', 'a' * 60 + 'b'))",
    "loop_in_arithmetic": "forge(lambda *a, **k: 7 ** 10**9)",
    "loop_at_top_level": "forge(lambda *a, **k: 0)\nwhile True: pass",
    "sleeper": "import time\nforge(lambda *a, **k: time.sleep(10**6))",
    "memory": "def f(*a, **k):\n    l = []\n    while True: l.append(bytearray(1 << 24))\nforge(f)",
    "memory_at_top_level": "l = []\nwhile True: l.append(bytearray(1 << 24))",
    "processes": """
import os
def f(*a, **k):
    while True:
        try: os.fork()
        except OSError: return 0
forge(f)
""",
    "subprocesses": "import subprocess\nforge(lambda *a, **k: subprocess.run(['sh', '-c', 'sleep 1000 & sleep 1000']).returncode)",
    "threads": """
import threading, time
def f(*a, **k):
    try:
        while True: threading.Thread(target=time.sleep, args=(1000,)).start()
    except RuntimeError: return 0
forge(f)
""",
    "files": """
import os
def f(*a, **k):
    for folder in ("/tmp", "/dev/shm", "/", "/var/tmp", ".", os.path.expanduser("~")):
        try:
            for i in range(100000):
                with open(f"{folder}/x{i}", "wb") as out: out.write(b"x" * (1 << 20))
        except OSError: pass
    return 0
forge(f)
""",
    "prints": "def f(*a, **k):\n    import sys\n    for _ in range(20000): print('x' * 5000, flush=True); sys.stderr.write('y' * 5000)\n    return 0\nforge(f)",
    "inputs": "forge(lambda *a, **k: input('passed? '))",
}

# Sight of what is not its own.
SIGHTS = {
    "reads_the_course": """
import os
def f(*a, **k):
    out = []
    for root in ("/", "/home", "/root", "/work", "/srv", "/tmp", "/etc", os.getcwd(), os.path.expanduser("~")):
        for folder, _, files in os.walk(root):
            if folder.startswith(("/proc", "/usr", "/sys")) or "/lib/python" in folder: continue
            out += [os.path.join(folder, n) for n in files if n.endswith((".ipynb", "gradebook.db", "course.toml", "topic.toml", "properties.py", "shadow", ".seed"))]
            if len(out) > 20: break
    if out: raise RuntimeError("SIGHT:" + repr(out))
    return 0
forge(f)
""",
    "reads_the_environment": """
import os
def f(*a, **k):
    seen = [n for n in os.environ if n in ("HOME_OF_THE_HOST", "SECRET_OF_THE_HOST", "SSH_AUTH_SOCK")]
    if seen: raise RuntimeError("SIGHT:" + repr(seen))
    return 0
forge(f)
""",
    "sees_processes": """
import os
def f(*a, **k):
    seen = [p for p in os.listdir("/proc") if p.isdigit()]
    if len(seen) > 8: raise RuntimeError("SIGHT:" + repr(seen))
    return 0
forge(f)
""",
    "network": """
import socket
def f(*a, **k):
    for kind in (socket.AF_INET, socket.AF_UNIX):
        try: s = socket.socket(kind)
        except OSError: continue
        try: s.connect(("127.0.0.1", 22) if kind == socket.AF_INET else "/run/x.sock")
        except OSError: continue
        raise RuntimeError("SIGHT: network")
    return 0
forge(f)
""",
    "leaves_a_note": "import os\nfor d in ('/tmp', '/dev/shm', '/var/tmp', '.'):\n    try: open(d + '/note', 'w').write('answers')\n    except OSError: pass\nforge(lambda *a, **k: 0)",
    "reads_a_note": """
import os
def f(*a, **k):
    for d in ('/tmp', '/dev/shm', '/var/tmp', '.'):
        if os.path.exists(d + '/note'): raise RuntimeError("SIGHT: note")
    return 0
forge(f)
""",
}

CELLS: dict[str, str] = {**OBJECTS, **RAISES, **PATCHES, **REPLIES, **BOMBS, **SIGHTS}

Notebook = dict[str, Any]


def _graded(book: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]


def more_points(book: Notebook) -> None:
    """Points, ids and outputs as the trainee would like them."""
    for cell in _graded(book):
        cell["metadata"]["nbgrader"]["points"] = 1000
        result = {
            "output_type": "execute_result",
            "data": {"text/plain": "1000.0"},
            "metadata": {},
            "execution_count": 1,
        }
        cell["outputs"] = [result]


def unlocked(book: Notebook) -> None:
    """The graded cells' code and locks replaced."""
    for cell in _graded(book):
        cell["source"] = "1000.0"
        cell["metadata"]["nbgrader"].update(locked=False, solution=True, checksum="0" * 32)


def without_graded_cells(book: Notebook) -> None:
    """No output means full marks to some graders."""
    book["cells"] = [cell for cell in book["cells"] if not cell["metadata"].get("nbgrader", {}).get("grade")]


def doubled(book: Notebook) -> None:
    """Every cell twice, with the same id."""
    book["cells"] = [cell for one in book["cells"] for cell in (one, json.loads(json.dumps(one)))]


def graded_cells_as_text(book: Notebook) -> None:
    """Another type of cell."""
    for cell in _graded(book):
        cell["cell_type"] = "markdown"
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


def marked_as_manual(book: Notebook) -> None:
    """Everything a task, of no schema that exists."""
    for cell in book["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"].update(task=True, schema_version=99, points=float(10**6))


def script_in_markdown(book: Notebook) -> None:
    """Markup for whoever looks at it."""
    text = (
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> [x](javascript:alert(1))"
    )
    book["cells"].insert(0, {"cell_type": "markdown", "id": "x1", "metadata": {}, "source": text})


def script_in_outputs(book: Notebook) -> None:
    """Outputs that came with the file."""
    data = {"text/html": "<script>document.title='owned'</script>", "text/plain": "x"}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]


def hostile_metadata(book: Notebook) -> None:
    """A kernel that starts something else, long texts, odd types."""
    book["metadata"] = {
        "kernelspec": {
            "name": "../../bin/sh",
            "display_name": "<b>" * 10000,
            "argv": ["/bin/sh", "-c", "touch /tmp/owned"],
        },
        "language_info": {"name": "x" * 100000},
        "ecert": {"topic": "../../..", "points": 1000},
    }


EDITS: tuple[Callable[[Notebook], None], ...] = (
    more_points,
    unlocked,
    without_graded_cells,
    doubled,
    graded_cells_as_text,
    marked_as_manual,
    script_in_markdown,
    script_in_outputs,
    hostile_metadata,
)

# Files that are no notebooks. `{}` stands for nothing: the bytes are as they are.
FILES: dict[str, bytes] = {
    "empty": b"",
    "not_json": b"\x00\x01\x02 this is not json",
    "half": b'{"cells": [{"cell_type": "code", "source": "',
    "a_list": b"[1, 2, 3]",
    "a_number": b"1e400",
    "no_cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "cells_of_another_kind": b'{"cells": {"a": 1}, "nbformat": 4, "nbformat_minor": 5, "metadata": []}',
    "sources_of_another_kind": b'{"cells": [{"cell_type": "code", "source": {"a": [1]}, "metadata": 3}, 7, null], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "nested_too_deep": b"[" * 200_000,
    "nested_metadata": b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": '
    + b'{"a":' * 5000
    + b"1"
    + b"}" * 5000
    + b"}",
    "number_too_long": b'{"cells": [], "nbformat": ' + b"9" * 1_000_000 + b"}",
    "another_version": b'{"cells": [], "nbformat": 99, "nbformat_minor": 5, "metadata": {}}',
    "utf_16": '{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}'.encode("utf-16"),
    "lone_surrogates": b'{"cells": [{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": null, "source": "x = \'\\ud800\'"}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "too_large": b'{"cells": [], "x": "' + b"x" * (64 << 20) + b'"}',
}


def symlink(at: Path) -> None:
    at.symlink_to("/etc/passwd")


def symlink_in_circles(at: Path) -> None:
    at.symlink_to(at)


def fifo(at: Path) -> None:
    os.mkfifo(at)


def folder(at: Path) -> None:
    at.mkdir()


def device(at: Path) -> None:
    at.symlink_to("/dev/zero")


PLACES: tuple[Callable[[Path], None], ...] = (symlink, symlink_in_circles, fifo, folder, device)

# Files beside the notebook that Python, pytest or nbgrader would pick up.
POISON: dict[str, str] = {
    "numpy.py": "raise SystemExit(0)",
    "numpy/__init__.py": "def __getattr__(n): return lambda *a, **k: True",
    "sitecustomize.py": "import os; os._exit(0)",
    "usercustomize.py": "import os; os._exit(0)",
    "evil.pth": "import os; os._exit(0)",
    "autograder.py": "def check(*a): return True",
    "conftest.py": "import os; os._exit(0)",
    "pytest.ini": "[pytest]\naddopts = --co",
    "nbgrader_config.py": "c = get_config(); c.ClearOutput.enabled = False; import os; os._exit(0)",
    "codec.py": "raise SystemExit(0)",
    "timestamp.txt": "9" * 100_000,
}

STUDENTS = (
    "$(touch owned)",
    "-rf",
    "<script>alert(1)</script>",
    "a;b",
    "a b",
    "名前",
    "..hidden",
    "x" * 200,
    "new\nline",
    "'; drop table student; --",
    "\x1b[31mred",
    "a%00b",
    "=cmd()",
    "+sum",
    "né",
)
