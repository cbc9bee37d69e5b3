"""Right submissions in odd dress: each must earn all points. An edit takes a notebook whose solution cells are right."""

import json
import re
from collections.abc import Callable
from typing import Any

Notebook = dict[str, Any]
Edit = Callable[[Notebook], Any]


def code(source: str, **metadata: Any) -> dict[str, Any]:
    """A cell as a trainee adds one."""
    return {
        "cell_type": "code",
        "id": f"own-{abs(hash(source)) % 10**8}",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def solutions(book: Notebook) -> list[dict[str, Any]]:
    return [c for c in book["cells"] if c["metadata"].get("nbgrader", {}).get("solution")]


def _first(source: str) -> Edit:
    return lambda book: book["cells"].insert(0, code(source))


def _last(source: str) -> Edit:
    return lambda book: book["cells"].append(code(source))


def _in_solutions(change: Callable[[str], str]) -> Edit:
    def edit(book: Notebook) -> None:
        for cell in solutions(book):
            cell["source"] = change(cell["source"])

    return edit


def helpers_elsewhere(book: Notebook) -> None:
    """Solutions in cells of her own at the end; the given cells hold what the notebook came with."""
    moved = [code(cell["source"]) for cell in solutions(book)]
    for cell in solutions(book):
        cell["source"] = "# see below"
    book["cells"] += moved


def in_reverse(book: Notebook) -> None:
    """Cells upside down, imports made where they are needed."""
    for cell in solutions(book):
        cell["source"] = "import numpy as np\n" + cell["source"]
    book["cells"].reverse()


def solutions_in_one_cell(book: Notebook) -> None:
    cells = solutions(book)
    cells[0]["source"] = "\n\n".join(cell["source"] for cell in cells)
    for cell in cells[1:]:
        cell["source"] = ""


def split_in_two(book: Notebook) -> None:
    """A helper moved out of a solution cell, into one above it."""
    at = book["cells"].index(solutions(book)[0])
    book["cells"].insert(at, code("def 補助(値):\n    return 値"))
    book["cells"][at + 1]["source"] += "\n結果 = 補助(1)\n"


def copied_cells(book: Notebook) -> None:
    """Every solution cell copied with its id and metadata, as the notebook's copy and paste does."""
    book["cells"] = [
        c for one in book["cells"] for c in ([one, json.loads(json.dumps(one))] if one in solutions(book) else [one])
    ]


def without_ids(book: Notebook) -> None:
    book["nbformat_minor"] = 4
    for cell in book["cells"]:
        cell.pop("id", None)


def lost_metadata(book: Notebook) -> None:
    """All nbgrader metadata gone, as after a round trip through another tool."""
    for cell in book["cells"]:
        cell["metadata"] = {}


def lost_graded_cells(book: Notebook) -> None:
    book["cells"] = [c for c in book["cells"] if not c["metadata"].get("nbgrader", {}).get("grade")]


def lines_as_a_list(book: Notebook) -> None:
    for cell in book["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


def from_colab(book: Notebook) -> None:
    book["metadata"] |= {"colab": {"provenance": [], "toc_visible": True}, "accelerator": "GPU", "gpuClass": "standard"}
    for i, cell in enumerate(book["cells"]):
        cell["metadata"] |= {"id": f"aB{i}", "colab": {"base_uri": "somewhere", "height": 34}, "outputId": "x" * 36}
    book["cells"].insert(0, code("from google.colab import drive\ndrive.mount('/content/drive')"))


def from_vs_code(book: Notebook) -> None:
    for cell in book["cells"]:
        cell["metadata"] |= {
            "vscode": {"languageId": "python"},
            "tags": ["a", "b"],
            "collapsed": True,
            "scrolled": False,
        }


def another_kernel(book: Notebook) -> None:
    book["metadata"] = {
        "kernelspec": {"name": "conda-env-深層学習-py", "display_name": "Python [conda]", "language": "python"}
    }


def saved_outputs(book: Notebook) -> None:
    """Outputs of a run: text, an error, a picture."""
    outputs = [
        {"output_type": "stream", "name": "stderr", "text": ["warning\n"] * 500},
        {"output_type": "error", "ename": "ValueError", "evalue": "x", "traceback": ["\x1b[31mx\x1b[0m"]},
        {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo=" * 1000}, "metadata": {}},
    ]
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = outputs, 7


def attachments(book: Notebook) -> None:
    picture = {"a.png": {"image/png": "iVBORw0KGgo="}}
    book["cells"].append(
        {
            "cell_type": "markdown",
            "id": "m1",
            "metadata": {},
            "source": "![a](attachment:a.png)",
            "attachments": picture,
        }
    )
    book["cells"].append({"cell_type": "raw", "id": "r1", "metadata": {}, "source": "raw text"})


def graded_cells_edited(book: Notebook) -> None:
    """Somebody unlocked the graded cells and tried things in them."""
    for cell in book["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "raise RuntimeError('trying')"


def _graded(source: str) -> list[str]:
    return re.findall(r"^(\w+) = _\w+\(\)$", source, flags=re.M)


def counted(source: str) -> str:
    """Each function decorated."""
    wrap = (
        "import functools\n"
        "def counted(f):\n"
        "    @functools.wraps(f)\n"
        "    def inner(*args, **kwargs):\n"
        "        inner.calls += 1\n"
        "        return f(*args, **kwargs)\n"
        "    inner.calls = 0\n"
        "    return inner\n"
    )
    return wrap + source + "".join(f"\n{name} = counted({name})" for name in _graded(source))


def as_callables(source: str) -> str:
    """Each function an object that can be called."""
    wrap = "class Callable:\n    def __init__(self, f): self.f = f\n    def __call__(self, *args, **kwargs): return self.f(*args, **kwargs)\n"
    return wrap + source + "".join(f"\n{name} = Callable({name})" for name in _graded(source))


def printing(source: str) -> str:
    """Each function announces itself."""
    wrap = "def loud(f):\n    def inner(*args, **kwargs):\n        print('called', args, flush=True)\n        return f(*args, **kwargs)\n    return inner\n"
    return wrap + source + "".join(f"\n{name} = loud({name})" for name in _graded(source))


EDITS: dict[str, Edit] = {
    "as_it_is": lambda book: None,
    "helpers_elsewhere": helpers_elsewhere,
    "in_reverse": in_reverse,
    "solutions_in_one_cell": solutions_in_one_cell,
    "split_in_two": split_in_two,
    "copied_cells": copied_cells,
    "without_ids": without_ids,
    "lost_metadata": lost_metadata,
    "lost_graded_cells": lost_graded_cells,
    "lines_as_a_list": lines_as_a_list,
    "from_colab": from_colab,
    "from_vs_code": from_vs_code,
    "another_kernel": another_kernel,
    "saved_outputs": saved_outputs,
    "attachments": attachments,
    "graded_cells_edited": graded_cells_edited,
    "decorated": _in_solutions(counted),
    "callable_objects": _in_solutions(as_callables),
    "windows_line_ends": _in_solutions(lambda s: s.replace("\n", "\r\n")),
    "old_mac_line_ends": _in_solutions(lambda s: s.replace("\n", "\r")),
    "byte_order_mark_in_a_cell": _in_solutions(lambda s: "\ufeff" + s),
    "tabs": _in_solutions(lambda s: s.replace("    ", "\t")),
    "form_feed_and_no_break_spaces_in_comments": _in_solutions(lambda s: s + "\n#\u00a0注\u3000釈\u2028\n"),
    "magics_in_solutions": _in_solutions(lambda s: "%matplotlib inline\n!pip install numpy\n" + s + "\n%timeit 1\n"),
    "cell_magic": _first("%%time\nx = 1"),
    "another_language": _first("%%bash\nrm -rf /"),
    "html_magic": _first("%%html\n<b>x</b>"),
    "shell_lines": _first("!ls -la\nfiles = !ls\n%cd /tmp\n%env A=b\n%load_ext autoreload\n%autoreload 2\n?len\nlen?"),
    "indented_magic": _first("for i in range(2):\n    %time 1\n    !echo {i}"),
    "pip_install": _first("%pip install torch --quiet\n!apt-get install -y graphviz"),
    "scratch_that_raises": _first("1 / 0"),
    "scratch_that_does_not_parse": _first("def f(:\n  pass"),
    "scratch_that_never_ends": _last("while True:\n    pass"),
    "scratch_that_exits": _first("import sys\nsys.exit(1)"),
    "scratch_that_quits": _first("exit()"),
    "scratch_that_deletes": _first("del undefined_name"),
    "asks_for_input": _first("name = input('name? ')\nimport getpass; getpass.getpass()"),
    "plots": _first(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\nfig, ax = plt.subplots()\nfig.savefig('x.png')"
    ),
    "missing_modules": _first("import seaborn as sns\nimport tensorflow as tf"),
    "prints_much": _last("for _ in range(5000):\n    print('x' * 1000)"),
    "prints_in_functions": _in_solutions(printing),
    "warns": _last("import warnings\nwarnings.simplefilter('error')\nwarnings.warn('x')"),
    "logs": _first("import logging\nlogging.basicConfig(level=0)\nlogging.error('x' * 1000)"),
    "floating_point_errors_raise": _last("np.seterr(all='raise')"),
    "print_options": _last("np.set_printoptions(precision=1, threshold=1)"),
    "seeds": _last("import random\nrandom.seed(0)\nnp.random.seed(0)"),
    "recursion_limit": _last("import sys\nsys.setrecursionlimit(50)"),
    "top_level_await": _first("import asyncio\nawait asyncio.sleep(0)"),
    "display": _first("from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))"),
    "get_ipython": _first("get_ipython().run_line_magic('matplotlib', 'inline')"),
    "calls_check": _last("from autograder import check\ncheck('nothing')"),
    "japanese_names": _last("深さ, 幅 = 1, 2\ndef 面積(縦, 横): return 縦 * 横\nassert 面積(深さ, 幅) == 2"),
    "name_of_main": _last("if __name__ == '__main__':\n    print('main')"),
    "writes_a_file": _last("with open('out.txt', 'w') as f: f.write('x')\nnp.save('a.npy', np.zeros(3))"),
    "reads_a_missing_file": _first("import json\nd = json.load(open('data.json'))"),
    "many_cells": lambda book: book["cells"].extend(code(f"x{i} = {i}") for i in range(500)),
    "slow_start": _first("import time\ntime.sleep(1)"),
    "big_constant": _first("data = [" + "0.123456789, " * 50_000 + "]"),
    "earlier_attempt_first": lambda book: book["cells"].insert(
        0, code("\n".join(f"def {n}(*a, **k): return None" for c in solutions(book) for n in _graded(c["source"])))
    ),
    "future_import": _first("from __future__ import annotations"),
    "type_hints": _first("from typing import Any, List\nx: List[int] = []"),
    "dataclass": _first("from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int = 0"),
    "pickles_its_own_class": _first("import pickle\nclass A: pass\npickle.loads(pickle.dumps(A()))"),
    "threads_of_its_own": _last(
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(2) as p: list(p.map(abs, [1, -1]))"
    ),
    "signal_handler": _last("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_DFL)"),
}

# Bytes of the file, where JSON itself is written oddly.
WRITERS: dict[str, Callable[[Notebook], bytes]] = {
    "byte_order_mark": lambda book: b"\xef\xbb\xbf" + json.dumps(book).encode(),
    "escaped": lambda book: json.dumps(book, ensure_ascii=True, indent=None).encode(),
    "crlf_file": lambda book: json.dumps(book, ensure_ascii=False, indent=1).replace("\n", "\r\n").encode(),
    "blank_lines_around": lambda book: b"\n\n" + json.dumps(book, ensure_ascii=False).encode() + b"\n\n\n",
}
