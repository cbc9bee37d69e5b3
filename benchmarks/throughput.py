"""How many submissions a second: `ecert grade` against stock `nbgrader autograde`, and against the trainees' code alone.

One run on one machine, one after the other: the same 60 submissions of 8 functions, the same claims, 25 examples each, and both sides must
give the right verdict on every function. Stock nbgrader runs the claims with Hypothesis in ordinary test cells; `ecert grade` starts with
an empty journal and an empty gradebook, once with the round drawn anew ("first"), once with its plans on disk ("round known").

    python benchmarks/throughput.py [--submissions 60] [--stock 60] [--workers 1] [--output FILE]

`--stock N` lets nbgrader grade the first N only, and reckons per submission.
"""

import argparse
import copy
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np  # noqa: E402

from autograder.build import parse_source  # noqa: E402
from autograder.course import Content, Topic  # noqa: E402
from autograder.standalone import source_of  # noqa: E402

NAME = "regularization"  # a topic on arrays alone; its first eight functions
COUNT = 8
EXAMPLES = 25
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """One way of grading."""

    what: str
    submissions: int
    wall: float  # seconds
    cpu: float  # seconds of all processes
    wrong: int  # functions with another verdict than the truth

    @property
    def each(self) -> str:
        return f"{1000 * self.wall / self.submissions:9.1f} ms wall {1000 * self.cpu / self.submissions:9.1f} ms CPU  wrong verdicts: {self.wrong}"


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="ecert-bench-") as folder:
        content = _content(Path(folder) / "content")
        topic = content.topic(NAME)
        cohort = list(_cohort(topic, options.submissions))
        measured = [
            *_ecert(Path(folder), content, cohort, options.workers),
            *_stock(Path(folder), content, cohort[: options.stock]),
        ]
        floor = _floor(topic, cohort)
    _tell(measured, floor, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--submissions", type=int, default=60)
    parser.add_argument("--stock", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


# The course and the cohort


def _content(root: Path) -> Content:
    """A course of one topic, cut down to eight functions of one point each."""
    ours = Content.at(ROOT).topic(NAME)
    shutil.copytree(ROOT / "reference", root / "reference", ignore=shutil.ignore_patterns("__pycache__"))
    folder = root / "assignments" / NAME
    shutil.copytree(ours.folder / "hidden", folder / "hidden", ignore=shutil.ignore_patterns("__pycache__"))
    course = f'name = "bench"\ntopics = ["{NAME}"]\n[policy]\nexamples = {EXAMPLES}\n'
    (root / "assignments" / "course.toml").write_text(course)
    points = "".join(f"{f} = 1\n" for f in ours.functions[:COUNT])
    (folder / "topic.toml").write_text(
        f'title = {{ ja = "測定", en = "Benchmark" }}\n[points]\n{points}', encoding="utf-8"
    )
    (folder / "notebook.py").write_text("\n\n".join(_notebook(ours)) + "\n", encoding="utf-8")
    return Content.at(root)


def _notebook(topic: Topic) -> Iterator[str]:
    yield '# %% [markdown] lang="ja"\n# # 測定\n\n# %% [markdown] lang="en"\n# # Benchmark\n\n# %%\nimport numpy as np\nfrom autograder import check'
    bodies = {cell.name: cell.body for cell in parse_source(topic.source) if cell.kind == "stub"}
    for f in topic.functions[:COUNT]:
        yield f'# %% stub {f}\n"""{bodies[f]}\n"""\n\n# %% graded {f}'


@dataclass
class Handed:
    """One trainee's solutions, and which of them are right."""

    student: str
    sources: dict[str, str]
    right: dict[str, bool]


def _cohort(topic: Topic, count: int) -> Iterator[Handed]:
    """A quarter all right; the others with one to three wrong ideas, and now and then a stub. No two notebooks are equal.

    Right answers come in the reference's form: the claims alone, without our engine, would refuse a list where an array is asked.
    """
    chance = random.Random(1)
    for n in range(count):
        sources = {f: f"# s{n:03d}\n" + source_of(topic.reference(f), f) for f in topic.functions}
        right = dict.fromkeys(topic.functions, True)
        for f in chance.sample(topic.functions, 0 if n % 4 == 0 else chance.randint(1, 3)):
            mutant = chance.choice((*topic.mutants(f), None))
            sources[f] = f"def {f}(*args):\n    raise NotImplementedError\n" if mutant is None else source_of(mutant, f)
            right[f] = False
        yield Handed(f"s{n:03d}", sources, right)


# ecert


def _ecert(folder: Path, content: Content, cohort: Sequence[Handed], workers: int) -> Iterator[Measured]:
    course = folder / "ecert"
    _run("init", str(course), "--content", str(content.root))
    _run("release", NAME, "--course", str(course))
    book = json.loads((course / "release" / NAME / f"{NAME}.ipynb").read_text())
    for h in cohort:
        _hand_in(course, h, book)
    pristine = (course / "gradebook.db").read_bytes()
    for what in ("ecert grade, first", "ecert grade, round known", "ecert grade, again (nothing to do)"):
        if "nothing" not in what:
            shutil.rmtree(course / "autograded")
            (course / "autograded").mkdir()
            (course / "gradebook.db").write_bytes(pristine)
            for old in (course / ".ecert").glob("journal*"):
                old.unlink()
        command = [
            sys.executable,
            "-m",
            "autograder",
            "grade",
            NAME,
            "--course",
            str(course),
            "--workers",
            str(workers),
            "--json",
        ]
        wall, cpu = _timed(command, ROOT)
        yield Measured(f"{what}, {workers} worker(s)", len(cohort), wall, cpu, _wrong(course, cohort, "-graded"))


def _run(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *words], check=False, cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"ecert {words[0]}: {done.stderr.strip()}")


def _hand_in(course: Path, h: Handed, book: dict[str, Any]) -> None:
    filled = copy.deepcopy(book)
    for cell in filled["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if name in h.sources:
            cell["source"] = h.sources[name]
    path = course / "submitted" / h.student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(filled))


def _wrong(course: Path, cohort: Sequence[Handed], suffix: str) -> int:
    """Functions whose score in the gradebook is another one than the truth."""
    from autograder.records import records

    scores = {
        r.student: {c.name: c.auto for c in r.cells} for r in records(f"sqlite:///{course / 'gradebook.db'}", NAME)
    }
    return sum(
        scores.get(h.student, {}).get(f + suffix) != float(right) for h in cohort for f, right in h.right.items()
    )


# Stock nbgrader

_TESTS = """
from bench_claims import verify
verify({function}, "{function}")
"""

_CLAIMS = '''"""The claims as a course without our engine would run them: Hypothesis in the trainee's own kernel."""
from pathlib import Path
from hypothesis import HealthCheck, Phase, given, settings
from autograder.course import Content

TOPIC = Content.at(Path({root!r})).topic({name!r})

def verify(function, name):
    for claim in TOPIC.claims(name):
        @settings(max_examples={examples}, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck),
                  phases=(Phase.explicit, Phase.generate))
        @given(claim.inputs())
        def holds(values):
            claim.law(function, **values)
        holds()
'''


def _stock(folder: Path, content: Content, cohort: Sequence[Handed]) -> Iterator[Measured]:
    """nbgrader as it comes: one process, a kernel for each submission."""
    course = folder / "stock"
    (course / "source" / NAME).mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "bench"\nc.ExecutePreprocessor.timeout = 300\n'
    )
    (folder / "lib").mkdir()
    (folder / "lib" / "bench_claims.py").write_text(
        _CLAIMS.format(root=str(content.root), name=NAME, examples=EXAMPLES)
    )
    book = _stock_notebook(list(cohort[0].sources))
    (course / "source" / NAME / f"{NAME}.ipynb").write_text(json.dumps(book))
    env = {
        "PYTHONPATH": os.pathsep.join([str(folder / "lib"), str(ROOT)]),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    nbgrader = [sys.executable, "-m", "nbgrader"]
    subprocess.run(
        [*nbgrader, "generate_assignment", NAME, "--force"],
        check=True,
        cwd=course,
        env={**os.environ, **env},
        capture_output=True,
    )
    released = json.loads((course / "release" / NAME / f"{NAME}.ipynb").read_text())
    for h in cohort:
        _hand_in(course, h, released)
    wall, cpu = _timed([*nbgrader, "autograde", NAME], course, env)
    yield Measured("nbgrader autograde (stock), 1 process", len(cohort), wall, cpu, _wrong(course, cohort, "-tests"))


def _stock_notebook(functions: Sequence[str]) -> dict[str, Any]:
    cells = [_cell("import numpy as np", "imports", None)]
    for f in functions:
        stub = f"### BEGIN SOLUTION\ndef {f}(*args): ...\n### END SOLUTION"
        cells.append(_cell(stub, f, {"grade": False, "solution": True, "locked": False}))
        cells.append(
            _cell(
                _TESTS.format(function=f).strip(),
                f"{f}-tests",
                {"grade": True, "solution": False, "locked": True, "points": 1},
            )
        )
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}


def _cell(source: str, name: str, role: dict[str, Any] | None) -> dict[str, Any]:
    about = {"nbgrader": {"grade_id": name, "schema_version": 3, "task": False, **role}} if role else {}
    return {
        "cell_type": "code",
        "id": name,
        "metadata": about,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


# Measuring


def _timed(command: Sequence[str], cwd: Path, env: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall and CPU seconds of a command with all its descendants, those in other namespaces too.

    The kernel's own sums do not reach through a sandbox, so /proc is read while it runs: processes that live, and what each of them has
    waited for. The largest such sum misses what was spent after the last look.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    most = 0.0
    done = threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, _cpu_below(process.pid))

    watcher = threading.Thread(target=look)
    watcher.start()
    _, said = process.communicate()
    wall = time.perf_counter() - began
    done.set()
    watcher.join()
    if process.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}")
    return wall, most


def _cpu_below(pid: int) -> float:
    """CPU seconds of a process, of all that it started and that live, and of those they have waited for."""
    parents: dict[int, tuple[int, float]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1]), sum(map(int, fields[11:15])) / TICKS
    below = {pid}
    while more := {p for p, (parent, _) in parents.items() if parent in below and p not in below}:
        below |= more
    return sum(parents[p][1] for p in below if p in parents)


def _floor(topic: Topic, cohort: Sequence[Handed]) -> float:
    """CPU seconds of the trainees' code alone: cells run and every call of the round made, in a warm process, without any check."""
    from autograder.checker import Round

    round = Round.prepare(topic, b"floor", EXAMPLES)
    times = []
    for h in cohort:
        inputs = {work.function: copy.deepcopy([call.arguments for call in work.calls]) for work in round.works}
        began = time.process_time()
        space: dict[str, Any] = {}
        exec("import numpy as np", space)
        for source in h.sources.values():
            exec(compile(source, "cell", "exec"), space)
        with np.errstate(all="ignore"):
            for function, calls in inputs.items():
                try:
                    for arguments in calls:
                        space[function](*arguments)
                except Exception:  # a wrong idea may raise; the rest of its calls are not made
                    continue
        times.append(time.process_time() - began)
    return statistics.fmean(times)


def _tell(measured: Sequence[Measured], floor: float, options: argparse.Namespace) -> None:
    stock = next(m for m in measured if "stock" in m.what)
    lines = [
        f"{platform.machine()}, {os.cpu_count()} CPU, load {os.getloadavg()[0]:.1f}; {options.submissions} submissions × {COUNT} functions, per submission:"
    ]
    lines += [f"  {m.what:46s} {m.each}" for m in measured]
    lines.append(f"  {'the trainees’ code alone (floor)':46s} {'':17s} {1000 * floor:9.1f} ms CPU")
    for m in measured:
        if m is not stock and "nothing" not in m.what:
            times = (stock.wall / stock.submissions) / (m.wall / m.submissions)
            cpu = (stock.cpu / stock.submissions) / (m.cpu / m.submissions)
            lines.append(
                f"  {m.what}: {times:.0f} × stock by wall, {cpu:.0f} × by CPU; {m.cpu / m.submissions / floor:.1f} × the floor's CPU"
            )
    print("\n".join(lines))
    if options.output:
        found = {
            "floor_cpu": floor,
            "measured": [asdict(m) for m in measured],
            "cpus": os.cpu_count(),
            "load": os.getloadavg(),
        }
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    if any(m.wrong for m in measured):
        raise SystemExit("wrong verdicts")


if __name__ == "__main__":
    main()
