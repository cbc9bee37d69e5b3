"""`doctor`: what this machine can do."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from autograder.cli import json_option, lang_option, language, verb
from autograder.errors import Finding
from autograder.verdict import Text

PACKAGES = ("numpy", "hypothesis", "nbgrader", "jupyterlab", "torch")


class Fact(NamedTuple):
    """One thing about this machine."""

    name: Text
    value: str
    ok: bool | None = None  # None: good to know, and no more
    remedy: Text | None = None


@verb()
@json_option
@lang_option
def doctor(as_json: bool, lang: str | None) -> None:
    """この計算機でできることを調べる: サンドボックス、GPU、版。
    Say what this machine can do: sandbox, GPU, versions."""
    facts = list(_facts())
    if as_json:
        told = [
            {"name": f.name.en, "value": f.value, "ok": f.ok, "remedy": f.remedy and f.remedy._asdict()} for f in facts
        ]
        click.echo(json.dumps(told, ensure_ascii=False, sort_keys=True))
    else:
        table = Table(show_header=False, box=None)
        for fact in facts:
            table.add_row({True: "✓", False: "✗", None: "·"}[fact.ok], fact.name[language()], fact.value)
        Console().print(table)
        for fact in facts:
            if fact.remedy:
                click.echo(f"  {fact.name[language()]}: {fact.remedy[language()]}")
    if wrong := [f.name[language()] for f in facts if f.ok is False]:
        raise Finding(Text(f"使えないもの: {', '.join(wrong)}", f"not usable here: {', '.join(wrong)}")[language()])


def _facts() -> Iterator[Fact]:
    yield Fact(Text("Python", "Python"), platform.python_version(), True)
    yield Fact(
        Text("計算機", "machine"),
        f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} CPU",
    )
    yield _sandbox()
    for package in PACKAGES:
        yield _package(package)
    yield _gpu()
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Fact(
        Text("空き容量", "disk"),
        f"{free:.1f} GiB",
        free > 1,
        None if free > 1 else Text("空きを作ってください", "free some space"),
    )


def _sandbox() -> Fact:
    from autograder.sandbox import usable

    name = Text("サンドボックス", "sandbox")
    found = shutil.which("bwrap")
    said = (
        subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        if found
        else "–"
    )
    why = usable()
    return Fact(name, said, why is None, why)


def _package(name: str) -> Fact:
    try:
        return Fact(Text(name, name), version(name), True)
    except PackageNotFoundError:
        install = f"pip install -c constraints.txt {name}"
        return Fact(Text(name, name), "–", False, Text(f"{install} を実行してください", f"run {install}"))


def _gpu() -> Fact:
    """Never claimed where it cannot be used: torch itself is asked, in a process of its own, as it takes seconds and memory."""
    name = Text("GPU", "GPU")
    code = "import torch; print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else '')"
    try:
        asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        return Fact(name, Text("応答なし", "no answer")[language()])
    if asked.returncode == 0 and asked.stdout.strip():
        return Fact(name, asked.stdout.strip(), True)
    return Fact(name, Text("なし(採点は CPU で足ります)", "none (the CPU is enough for grading)")[language()])
