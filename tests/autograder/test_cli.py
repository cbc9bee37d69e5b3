"""What every command shares: help, languages, one line for an error, exit codes. Run as a person runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import VERBS

ROOT = Path(__file__).parents[2]


def ecert(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "ECERT_"))}
    said = {**kept, "PYTHONPATH": str(ROOT), "ECERT_LANG": "en", "COLUMNS": "200", **env}
    return subprocess.run(
        [sys.executable, "-m", "autograder", *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=said,
        check=False,
        timeout=120,
    )


def refused(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The one line of a refusal."""
    assert done.returncode == code, done
    (line,) = done.stderr.splitlines()
    assert line.startswith("ecert: ")
    assert "Traceback" not in line
    return line


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_help_names_every_verb_in_the_readers_language(lang):
    said = ecert("--help", ECERT_LANG=lang).stdout
    assert all(f"  {verb} " in said and does[lang] in said for verb, (_, does) in VERBS.items())


def test_help_loads_no_verb():
    code = "import sys, autograder.cli; print([m for m in sys.modules if m.split('.')[0] in ('numpy', 'rich', 'sqlalchemy', 'nbgrader')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_every_verb_explains_itself(verb, lang):
    done = ecert(verb, "--help", ECERT_LANG=lang)
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii() is (lang == "en")


def test_lang_wins_over_the_environment():
    assert "コマンド" in ecert("--lang", "ja", "--help").stdout


def test_the_locale_chooses_where_nothing_else_does():
    assert "Commands" in ecert("--help", ECERT_LANG="", LANG="en_US.UTF-8").stdout
    assert "コマンド" in ecert("--help", ECERT_LANG="", LANG="ja_JP.UTF-8").stdout


@pytest.mark.parametrize("verb", ["grade", "regrade", "feedback", "report", "export"])
def test_outside_of_a_course_folder_one_line_says_so(verb, tmp_path):
    assert "no course folder" in refused(ecert(verb, cwd=tmp_path), 2)


def test_an_unknown_verb_and_an_unknown_option_are_wrong_usage():
    assert "bogus" in refused(ecert("bogus"), 2)
    assert "--bogus" in refused(ecert("grade", "--bogus"), 2)


def test_an_unknown_topic_is_wrong_usage(tmp_path):
    assert ecert("init", str(tmp_path / "course"), cwd=ROOT).returncode == 0
    line = refused(ecert("grade", "alchemy", cwd=tmp_path / "course"), 2)
    assert "alchemy" in line
    assert "rnn_bptt" in line


def test_nothing_released_says_what_to_do(tmp_path):
    ecert("init", str(tmp_path / "course"))
    assert "ecert release" in refused(ecert("grade", cwd=tmp_path / "course"), 2)


def test_doctor_says_what_this_machine_can_do():
    told = {fact["name"]: fact for fact in json.loads(ecert("doctor", "--json").stdout)}
    assert told["Python"]["value"] == ".".join(map(str, sys.version_info[:3]))
    assert {"sandbox", "GPU", "numpy", "nbgrader", "disk"} <= set(told)


def test_a_full_disk_is_one_line():
    """/dev/full takes nothing."""
    code = "from autograder.cli import Verbs, main\nimport click\n@click.command()\ndef fill(): open('/dev/full', 'w').write('x' * 10**6)\nVerbs.get_command = lambda *_: fill\nmain(['fill'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert "No space left on device" in refused(done, 3)
