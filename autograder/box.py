"""The process that holds trainees' code: how it is started, spoken to and ended. What runs in it is `inside/`."""

import contextlib
import functools
import json
import os
import platform
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autograder import codec
from autograder.errors import Fault, Usage
from autograder.inside import syscalls
from autograder.verdict import Text

MOST = 1 << 30  # bytes of a frame: ours go in, and what comes out was bounded by the zygote
OURS = "exit code 70"
_SILENCE = 60.0  # seconds: a zygote that waits for a child says so four times a second
_HERE = Path(__file__).parent
_WRITABLE, _ENGINE, _TMP_BYTES = "/box", "/engine", 64 << 20
# The engine's package is made by hand, without its __init__: nothing of the house but inside/ and codec is there to be imported.
_BOOT = (
    "import sys, types; p = types.ModuleType('autograder'); p.__path__ = [sys.argv[1]]; sys.modules['autograder'] = p; "
    "from autograder.inside.zygote import main; main(sys.argv[2:])"
)
_ENVIRONMENT = {
    "PATH": "/usr/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1",
}  # fmt: skip
_DEVICES = ("null", "zero", "random", "urandom")
_CANARY: tuple[Any, ...] = [("f", [((1,), False)], [], False, 64)], ["def f(x): return x"], ["f"], (5.0, 5.0, 5.0, 256)


class Dead(Exception):
    """The process ended, or no longer speaks."""


class Box:
    """One zygote, alone in its sandbox."""

    def __init__(self, mode: str, tensors: bool, python: str) -> None:
        if mode not in ("bwrap", "none"):
            raise Usage(f"no sandbox {mode!r}; there are: bwrap, none")
        self._folder = tempfile.TemporaryDirectory(prefix="ecert-") if mode == "none" else None
        self._pidfd: int | None = None
        self.holds = ""  # key of the round
        self._start(mode, tensors, python)
        try:
            self.hear()
            self.check()
        except Dead as e:
            said = self._last_words()
            self.close()
            raise Fault(f"the sandbox ({mode}) did not come up: {said or e}; `ecert doctor` looks into it") from e

    def _start(self, mode: str, tensors: bool, python: str) -> None:
        told, tell = os.pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        if self._folder is None:
            command, folder = [*_walls(python, tell), python], _WRITABLE
            engine, environment = f"{_ENGINE}", {"PATH": os.environ.get("PATH", os.defpath)}
        else:
            command, folder, engine = [python], self._folder.name, str(_HERE)
            environment = {**_ENVIRONMENT, "HOME": folder, "TMPDIR": folder}
        kinds = "confined" if mode == "bwrap" else "open", "tensors" if tensors else "arrays"
        try:
            self._process = subprocess.Popen(
                [*command, "-s", "-P", "-B", "-c", _BOOT, engine, *kinds, folder],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment, pass_fds=(tell,),
                bufsize=0, cwd=None if self._folder is None else folder, start_new_session=True,
            )  # fmt: skip
        except OSError as e:
            raise Usage(f"cannot start {command[0]}: {e.strerror}; `ecert doctor` says what to install") from e
        finally:
            os.close(tell)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._requests, False)
        if self._folder is None:
            self._pidfd = _first_process(told)
        os.close(told)

    def check(self) -> None:
        """Have it answer one call in a child.

        Raises:
            Dead: where that fails, which is no trainee's fault.
        """
        plans, cells, functions, limits = _CANARY
        self.load("", codec.encode(("load", plans), MOST))
        ((status, detail, *_),), *_ = self.run(cells, functions, limits)
        if status != "passed":
            raise Dead(f"a child ended: {detail}")

    def load(self, key: str, frame: bytes) -> None:
        """Have it hold one round: it holds no other."""
        if self.holds != key or not key:
            self.holds = key
            self.ask(frame)

    def run(self, cells: list[str], functions: list[str], limits: tuple[float, ...]) -> tuple[Any, ...]:
        """Grade one submission: what the zygote says of it (`Grading.summary`), the bytes that follow, and whether all could be tidied up."""
        blob = codec.encode(cells, MOST)
        _, replies, ours, told, clean = self.ask(
            codec.encode(("run", functions, limits, len(cells), len(blob)), MOST), blob
        )
        rest = self.take(sum(size for *_, sizes in replies for size in sizes) + sum(size for _, size in told))
        return replies, ours, told, rest, clean

    def open_session(self, cells: list[str], function: str, limits: tuple[float, ...]) -> Any:
        blob = codec.encode(cells, MOST)
        return self.ask(codec.encode(("session", function, limits, len(cells), len(blob)), MOST), blob)

    def ask(self, request: bytes, blob: bytes = b"") -> Any:
        """Send one frame, and what follows it, and wait for the answer.

        Raises:
            Dead: where none comes.
        """
        left = memoryview(len(request).to_bytes(4, "little") + request + blob)
        while left:
            if not select.select([], [self._requests], [], _SILENCE)[1]:
                raise Dead("it does not listen")
            try:
                left = left[os.write(self._requests, left) :]
            except OSError as e:
                raise Dead("it is gone") from e
        return self.hear()

    def hear(self) -> Any:
        """The next frame that is no heartbeat."""
        while not (length := int.from_bytes(self.take(4), "little")):
            pass
        if length > MOST:
            raise Dead("it speaks without end")
        try:
            return codec.decode(self.take(length), MOST)
        except codec.CodecError as e:
            raise Dead("it speaks no sense") from e

    def take(self, size: int) -> bytes:
        """So many bytes that an answer announced."""
        data = bytearray()
        deadline = time.monotonic() + _SILENCE
        while len(data) < size:
            if not select.select([self._replies], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Dead("it is silent")
            part = os.read(self._replies, min(size - len(data), 1 << 20))
            if not part:
                raise Dead("it is gone")
            data += part
        return bytes(data)

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._errors.seek(0)
        lines = self._errors.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else ""

    def close(self) -> None:
        """End it: the first process of its namespace takes all others with it."""
        if self._pidfd is not None:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = None
        else:
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()
        if self._folder is not None:
            self._folder.cleanup()


def _first_process(told: int) -> int | None:
    """A handle on the first process of the sandbox, which bwrap names as soon as it is made. Read to the end: bwrap dies of a closed pipe."""
    try:
        with open(told, closefd=False) as info:
            return os.pidfd_open(json.load(info)["child-pid"])
    except (OSError, ValueError, KeyError):
        return None


def _walls(python: str, tell: int) -> list[str]:
    """bwrap's arguments: an empty read-only root with the interpreter, the engine's `inside`, and one small folder to write in.

    No /proc (a child would see the zygote there), no /dev/shm and no terminal (both outlive a child), nothing of /etc but what the loader reads.
    """
    prefixes = _prefixes(python)
    walls = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "65534",
        "--gid",
        "65534",
        "--hostname",
        "worker",
        "--die-with-parent",
    ]
    walls += ["--new-session", "--cap-drop", "ALL", "--clearenv", "--info-fd", str(tell)]
    for name, value in {**_ENVIRONMENT, "HOME": _WRITABLE, "TMPDIR": _WRITABLE}.items():
        walls += ["--setenv", name, value]
    walls += ["--ro-bind", "/usr", "/usr"]
    for top in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(top):
            walls += ["--symlink", os.readlink(top), top]
        elif os.path.isdir(top):
            walls += ["--ro-bind", top, top]
    walls += [
        "--ro-bind-try",
        "/etc/ld.so.cache",
        "/etc/ld.so.cache",
        "--ro-bind-try",
        "/proc/cpuinfo",
        "/proc/cpuinfo",
    ]
    for device in _DEVICES:
        walls += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    walls += ["--size", str(_TMP_BYTES), "--tmpfs", _WRITABLE]
    if not any(prefix.startswith("/tmp/") for prefix in prefixes):
        walls += ["--symlink", _WRITABLE[1:], "/tmp"]
    for prefix in prefixes:
        walls += ["--ro-bind", prefix, prefix]
    for part in ("inside", "codec.py"):
        walls += ["--ro-bind", str(_HERE / part), f"{_ENGINE}/{part}"]
    return [*walls, "--remount-ro", "/", "--chdir", _WRITABLE, "--"]


@functools.cache
def _prefixes(python: str) -> tuple[str, ...]:
    """Folders that this interpreter needs besides /usr, outer ones first."""
    if python == sys.executable:
        named = [sys.prefix, sys.base_prefix]
    else:
        asked = [python, "-I", "-c", "import sys; print(sys.prefix); print(sys.base_prefix)"]
        named = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    named.append(str(Path(os.path.realpath(python)).parent.parent))
    found = {os.path.abspath(prefix) for prefix in named}
    return tuple(sorted(p for p in found if p not in ("/", "/usr") and not p.startswith("/usr/")))


def obstacle() -> Text | None:
    """Why this machine cannot confine trainees' code, and what to do; None if it can."""
    if sys.platform != "linux" or not syscalls.supported(platform.machine()):
        return Text(
            f"サンドボックスは Linux（x86_64、aarch64）でだけ使えます。ここは {sys.platform} {platform.machine()} です。",
            f"the sandbox needs Linux on x86_64 or aarch64; this is {sys.platform} on {platform.machine()}",
        )
    if shutil.which("bwrap") is None:
        return Text(
            "bubblewrap がありません。`apt-get install bubblewrap` を実行してください。",
            "bubblewrap is missing: run `apt-get install bubblewrap`",
        )
    tried = subprocess.run(
        ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        said = (tried.stderr.strip().splitlines() or ["?"])[-1][:200]
        return Text(
            f"bubblewrap が動きません（{said}）。ユーザー名前空間を許可してください（`sysctl kernel.unprivileged_userns_clone=1`、"
            "Ubuntu 24.04 では `sysctl kernel.apparmor_restrict_unprivileged_userns=0`、コンテナでは `--security-opt seccomp=unconfined`）。",
            f"bubblewrap does not work ({said}): allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu 24.04 "
            "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container `--security-opt seccomp=unconfined`)",
        )
    try:
        Box("bwrap", False, sys.executable).close()
    except (Fault, Usage) as e:
        return Text(f"サンドボックスが起動しません: {e}", str(e))
    return None
