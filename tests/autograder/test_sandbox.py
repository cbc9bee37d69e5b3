"""The worker on honest notebooks, odd ones, and every way in which a function can end. The same in both modes."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest

from autograder import codec
from autograder.course import Limits
from autograder.sandbox import Call, Lost, Notice, Reply, Work, Worker, usable
from autograder.verdict import Status

LIMITS = Limits(call_seconds=0.3, function_seconds=1.0, cell_seconds=0.4, memory_mb=300)

pytestmark = pytest.mark.skipif(usable() is not None, reason=str(usable()))


@pytest.fixture(scope="module", params=["bwrap", "none"])
def worker(request) -> Iterator[Worker]:
    with Worker(request.param) as made:
        yield made


def work(function="f", arguments=((1.0,),), **rest) -> Work:
    return Work(function, tuple(map(Call, arguments)), **rest)


def run(worker, *cells, works=None, limits=LIMITS):
    worker.load("round", works or [work()])
    return worker.run("round", cells, None, limits)


def one(worker, *cells, arguments=((1.0,),), limits=LIMITS, **rest) -> Reply:
    """The reply for a function f."""
    return run(worker, *cells, works=[work("f", arguments, **rest)], limits=limits)[0][0]


def value(worker, *cells, arguments=((1.0,),), **rest):
    """What f answers to one call."""
    reply = one(worker, *cells, arguments=arguments, **rest)
    assert reply.status is Status.PASSED, reply
    return reply.answers()[0].value


# answers


def test_answers_come_in_the_order_of_the_calls(worker):
    reply = one(worker, "def f(x): return 2 * x", arguments=[(np.full(2, i),) for i in range(5)])
    assert [answer.value.tolist() for answer in reply.answers()] == [[2 * i, 2 * i] for i in range(5)]
    assert reply.seconds > 0
    assert reply.memory_mb > 1


def test_functions_are_asked_in_one_child_and_answered_one_by_one(worker):
    replies, _ = run(
        worker,
        "n = []\ndef f(x):\n    n.append(1)\n    return len(n)\ng = f",
        works=[work("f", [(1,), (2,)]), work("g")],
    )
    assert [[a.value for a in r.answers()] for r in replies] == [[1, 2], [3]]


def test_only_the_functions_named_are_asked(worker):
    worker.load("round", [work("f"), work("g")])
    replies, _ = worker.run("round", ["def g(x): return x"], ["g"], LIMITS)
    assert [r.function for r in replies] == ["g"]


def test_every_kind_of_plain_value_crosses_and_dtypes_stay(worker):
    sent = (
        None,
        True,
        1 << 70,
        0.5,
        1j,
        "あ",
        b"\0",
        [1, (2, {"a": 3})],
        np.float32(0.1),
        np.arange(3, dtype=np.int8),
        np.zeros((2, 0)),
    )
    got = value(worker, "def f(*a): return a", arguments=[sent])
    assert codec.encode(got, 1 << 20) == codec.encode(sent, 1 << 20)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("class A: pass\nf = lambda x: A()", "A"), ("f = lambda x: {1, 2}", "set"), ("import numpy as np\nf = lambda x: np.array([None])", "number"),
        ("f = lambda x: [lambda: 1]", "function"), ("import numpy as np\nf = lambda x: np.broadcast_to(1.0, (1 << 20, 1 << 20))", "large"),
        ("def f(x):\n    a = []\n    a.append(a)\n    return a", "deep"), ("f = lambda x: 'x' * 2000000", "large"), ("f = lambda x: '\\ud800'", ""),
        ("f = lambda x: 7 ** 70000", "digits"), ("f = lambda x: (i for i in [1])", "generator"),
    ],
)  # fmt: skip
def test_what_cannot_cross_says_why_and_spoils_no_other_call(worker, code, word):
    reply = one(worker, code + "\ng = f\nf = lambda x: 5 if x else g(x)", arguments=[(0,), (1,)])
    first, second = reply.answers()
    assert first.unusable
    assert word in first.unusable
    assert second.value == 5


def test_equal_answers_have_equal_frames(worker):
    a = one(worker, "def f(x): return (x + 1, [x])", arguments=[(np.ones(3),)] * 3)
    b = one(worker, "import numpy as np", "f = lambda y: tuple([np.add(y, 1), [y * 1]])", arguments=[(np.ones(3),)] * 3)
    c = one(worker, "def f(x): return (x + 2, [x])", arguments=[(np.ones(3),)] * 3)
    assert hashlib.sha256(a.frame).digest() == hashlib.sha256(b.frame).digest()
    assert a.frame != c.frame


def test_each_call_has_its_own_inputs_and_says_when_it_changed_them(worker):
    cell = "def f(x, y):\n    if y[0] == 1: x += 1; y.append(2)\n    return x.sum()"
    reply = one(worker, cell, arguments=[(np.zeros(2), [1]), (np.zeros(2), [0])])
    assert [(a.value, a.changed) for a in reply.answers()] == [(2.0, True), (0.0, False)]


@pytest.mark.parametrize(
    "change", ["x[0] = 9", "x.shape = (1, 3)", "x.sort()", "x.fill(float('nan')); raise ValueError"]
)
def test_a_change_of_an_array_is_seen(worker, change):
    (answer,) = one(
        worker, f"def f(x):\n    {change}\n    return 1", arguments=[(np.array([3.0, 2.0, 1.0]),)]
    ).answers()
    assert answer.changed


def test_nan_is_no_change(worker):
    assert not one(worker, "def f(x): return 1", arguments=[(np.array([np.nan]),)]).answers()[0].changed


# exceptions


def test_what_was_raised_comes_with_the_trainees_own_lines(worker):
    reply = one(worker, "def g(x):\n    return 1 / x", "def f(x):\n    # 説明\n    return g(x)", arguments=[(0,)])
    (answer,) = reply.answers()
    assert answer.raised == "ZeroDivisionError: division by zero"
    assert answer.traceback == "cell 2, line 3: return g(x)\ncell 1, line 2: return 1 / x"


@pytest.mark.parametrize(
    "name",
    [
        "SystemExit",
        "KeyboardInterrupt",
        "StopIteration",
        "MemoryError",
        "BrokenPipeError",
        "GeneratorExit",
        "ImportError",
        "RecursionError",
    ],
)
def test_every_exception_is_only_raised(worker, name):
    reply = one(worker, f"def f(x): raise {name}('text')")
    assert reply.status is Status.PASSED
    assert reply.answers()[0].raised == f"{name}: text"


def test_texts_are_cut_and_tell_no_address(worker):
    (answer,) = one(worker, "def f(x): raise ValueError(object(), 'あ' * 10 ** 6)").answers()
    assert len(answer.raised) < 400
    assert "0x…" in answer.raised


@pytest.mark.parametrize(
    "cell",
    [
        "class E(Exception):\n    def __str__(self): raise SystemExit\ndef f(x): raise E",
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\nclass E(Exception, metaclass=M): pass\ndef f(x): raise E",
        "class E(Exception):\n    __traceback__ = property(lambda s: 1 / 0)\ndef f(x): raise E",
        "class E(Exception):\n    __class__ = property(lambda s: 1 / 0)\ndef f(x): raise E",
    ],
)
def test_lying_exceptions_are_raised_all_the_same(worker, cell):
    assert one(worker, cell).answers()[0].raised.startswith("E")


def test_a_recursion_without_an_end_is_raised(worker):
    (answer,) = one(worker, "def f(x): return f(x)").answers()
    assert answer.raised.startswith("RecursionError")
    assert len(answer.traceback.splitlines()) <= 8


# how a function ends


ENDS = {
    "loop in Python": ("while True: pass", Status.TIMEOUT),
    "loop in C": ("sum(iter(int, 1))", Status.TIMEOUT),
    "loop that catches all": ("while True:\n        try:\n            while True: pass\n        except BaseException: pass", Status.TIMEOUT),
    "sleep": ("import time; time.sleep(1000)", Status.TIMEOUT),
    "regular expression": ("import re; re.match('(a+)+$', 'a' * 60 + 'b')", Status.TIMEOUT),
    "huge power": ("return len(str(9 ** 9 ** 9))", Status.TIMEOUT),
    "os._exit": ("import os; os._exit(0)", Status.CRASHED),
    "segfault": ("import ctypes; ctypes.string_at(0)", Status.CRASHED),
    "abort": ("import os; os.abort()", Status.CRASHED),
    "stack overflow": (
        "import sys; sys.setrecursionlimit(10 ** 9)\n    class A:\n        def __repr__(self): return repr([self])\n    repr(A())", Status.CRASHED
    ),
    "memory in Python": ("return len(bytearray(1 << 32))", Status.MEMORY),
    "memory in numpy": ("import numpy as np; return np.ones((1 << 15, 1 << 15)).sum()", Status.MEMORY),
    "memory bit by bit": ("a = []\n    while True: a.append(bytes(1 << 20))", Status.MEMORY),
    "memory by threads": ("import threading, time\n    while True: threading.Thread(target=time.sleep, args=(9,)).start()", None),
    "closes everything": ("import os; os.closerange(0, 100)\n    while True: pass", Status.CRASHED),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_a_bad_end_costs_its_own_function_alone(worker, name):
    body, status = ENDS[name]
    cell = f"def f(x): return x\ndef bad(x):\n    {body}\ndef g(x): return x + 1"
    replies, _ = run(worker, cell, works=[work("f", again=(0,)), work("bad", again=(0,)), work("g", again=(0,))])
    assert [r.status for r in replies][::2] == [Status.PASSED] * 2
    if status is not None:
        assert replies[1].status is status, replies[1]
        assert replies[1].frame == b""
        assert replies[1].detail
    assert [r.answers()[0].value for r in replies[::2]] == [1.0, 2.0]
    assert all(r.steady for r in replies[::2])


@pytest.mark.parametrize(
    "cell", ["", "g = 1", "f = 3", "def F(x): return x", "def f(x): return x", "def f(x): return x\ndel f"]
)
def test_a_name_that_is_no_function_is_missing(worker, cell):
    expected = Status.PASSED if cell == "def f(x): return x" else Status.MISSING
    assert one(worker, cell).status is expected


def test_the_call_that_was_late_is_named(worker):
    reply = one(worker, "def f(x):\n    while x == 2: pass\n    return x", arguments=[(0,), (1,), (2,)])
    assert (reply.status, reply.detail) == (Status.TIMEOUT, "call 3")


def test_a_function_may_not_take_long_in_small_steps_either(worker):
    cell = "import time\ndef f(x):\n    end = time.time() + 0.2\n    while time.time() < end: pass"
    reply = one(worker, cell, arguments=[(i,) for i in range(60)])
    assert (reply.status, reply.detail) == (Status.TIMEOUT, "the function")


def test_late_in_every_function_is_late_within_a_bounded_time(worker):
    begun = time.monotonic()
    replies, _ = run(worker, "f = g = h = lambda x: sum(iter(int, 1))", works=[work("f"), work("g"), work("h")])
    assert [r.status for r in replies] == [Status.TIMEOUT] * 3
    assert time.monotonic() - begun < 30


# again


def test_a_right_answer_is_right_every_time(worker):
    reply = one(worker, "def f(x): return x * 2", arguments=[(1,), (2,), (3,)], again=(2, 0))
    assert reply.steady
    assert list(reply.differences()) == []


def test_an_answer_that_depends_on_the_calls_before_is_not_steady(worker):
    reply = one(worker, "n = [0]\ndef f(x):\n    n[0] += 1\n    return n[0]", arguments=[(1,), (2,)], again=(1, 0))
    found = list(reply.differences())
    assert not reply.steady
    assert (found[0].call, found[0].first.value, found[0].later.value, found[0].second_child) == (1, 2, 3, False)


def test_an_answer_that_depends_on_the_process_is_not_steady(worker):
    reply = one(worker, "import os\nme = os.getpid()\ndef f(x): return me", arguments=[(1,)], again=(0,))
    assert [d.second_child for d in reply.differences()] == [True]


@pytest.mark.parametrize(
    ("cell", "steady"),
    [
        ("n.append(1)", True), ("n.append(os.getpid())", False), ("print(n)", True), ("n.extend(iter(int, 1))", True), ("n[:] = [os.getpid()]", False),
        ("m = n\nm.append(3)", True), ("globals()['n'] = 5,", True), ("exec('n = [7]')", True), ("from os import *\nn = [getpid()]", False), ("for n in [[2]]: pass", True),
    ],
)  # fmt: skip
def test_a_cell_that_seems_not_to_be_needed_matters_all_the_same_where_it_does(worker, cell, steady):
    reply = one(
        worker,
        "import os\nn = []\ndef f(x): return list(n)",
        cell,
        arguments=[(1,)],
        again=(0,),
        limits=Limits(2, 5, 0.5),
    )
    assert reply.steady is steady


def test_global_generators_start_anew_so_that_chance_repeats_itself(worker):
    cell = "import random, numpy as np\nrandom.random(); np.random.rand()\ndef f(x): return random.random() + np.random.rand()"
    replies, _ = run(worker, cell + "\ng = f", works=[work("f"), work("g")])
    assert replies[0].frame == replies[1].frame
    assert one(worker, cell).frame == replies[0].frame


# what one function leaves behind


@pytest.mark.parametrize(
    ("leave", "see"),
    [
        ("np.seterr(all='raise')", "np.geterr()['divide']"), ("np.set_printoptions(precision=1)", "np.get_printoptions()['precision']"),
        ("warnings.simplefilter('error')", "[w[0] for w in warnings.filters]"), ("os.environ.clear()", "os.environ.get('HOME') is None"),
        ("os.mkdir('d'); os.chdir('d')", "os.getcwd()"), ("sys.setrecursionlimit(50)", "sys.getrecursionlimit()"),
        ("decimal.setcontext(decimal.Context(prec=2))", "decimal.getcontext().prec"), ("sys.settrace(lambda *a: None)", "sys.gettrace() is None"),
        ("sys.stdout = None", "sys.stdout is None"), ("random.seed(5)", "random.random()"), ("np.random.seed(5)", "np.random.rand()"),
    ],
)  # fmt: skip
def test_the_next_function_starts_from_a_clean_state(worker, leave, see):
    cell = (
        f"import decimal, os, random, sys, warnings\nimport numpy as np\ndef f(x):\n    {leave}\ndef g(x): return {see}"
    )
    after = run(worker, cell, works=[work("f"), work("g")])[0][1]
    before = run(worker, cell, works=[work("g")])[0][0]
    assert before.status is after.status is Status.PASSED
    assert before.frame == after.frame


@pytest.mark.parametrize(
    "cell",
    [
        "np.seterr(all='raise')",
        "np.random.seed()",
        "warnings.simplefilter('error')",
        "np.set_printoptions(precision=1)",
    ],
)
def test_what_a_cell_leaves_behind_is_gone_too(worker, cell):
    code = "import numpy as np, warnings\ndef f(x): return repr((np.geterr(), np.random.rand(), warnings.filters[0][0], np.array([1 / 3])))"
    assert one(worker, code, cell).frame == one(worker, code).frame


# cells


def test_cells_run_one_at_a_time_and_a_bad_one_stops_no_other(worker):
    cells = [
        "a = 1\n1 / 0\na = 2",
        "def f(x",
        "b = 10",
        "exit()",
        "import sys; sys.exit(1)",
        "while True: pass",
        "def f(x): return a + b",
    ]
    (reply,), notices = run(worker, *cells)
    assert reply.answers()[0].value == 11
    assert [(n.cell, n.kind) for n in notices] == [
        (1, "raised"),
        (2, "syntax"),
        (4, "exit"),
        (5, "exit"),
        (6, "timeout"),
    ]
    assert notices[0].text == "ZeroDivisionError: division by zero"
    assert "line 1" in notices[1].text


def test_names_are_looked_up_after_all_cells_and_the_last_wins(worker):
    assert value(worker, "def f(x): return g(x)", "def g(x): return 1", "def f(x): return 2 + g(x)") == 3
    assert value(worker, "import functools\nf = functools.partial(max, 3)") == 3
    assert value(worker, "class F:\n    def __call__(self, x): return 7\nf = F()") == 7


@pytest.mark.parametrize(
    "loop",
    [
        "import time\ntime.sleep(1000)", "try:\n    while True: pass\nexcept ValueError: pass", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)  # fmt: skip
def test_what_a_cell_defined_before_it_was_late_stands(worker, loop):
    (reply,), notices = run(worker, f"def f(x): return 4\n{loop}\ndef f(x): return 5", works=[work("f", again=(0,))])
    assert reply.answers()[0].value == 4
    assert reply.steady
    assert [(n.cell, n.kind) for n in notices] == [(1, "timeout")]


@pytest.mark.parametrize("end", ["import os\nos._exit(0)", "import ctypes\nctypes.string_at(0)"])
def test_a_cell_that_ends_the_process_is_left_out_from_there_on(worker, end):
    (reply,), notices = run(
        worker, "x = 1", f"def f(x): return 4\n{end}\ndef f(x): return 5", "y = 2", works=[work("f", again=(0,))]
    )
    assert reply.answers()[0].value == 4
    assert [(n.cell, n.kind) for n in notices] == [(2, "crashed")]


def test_a_cell_on_which_the_compiler_gives_up_is_left_out(worker):
    (reply,), notices = run(worker, "(" * 5000 + ")" * 5000, "-" * 100000 + "1", "\0", "def f(x): return 1")
    assert reply.answers()[0].value == 1
    assert {n.cell for n in notices} <= {1, 2, 3}
    assert any(n.cell == 3 and n.kind == "syntax" for n in notices)


def test_cells_altogether_have_a_limit(worker):
    begun = time.monotonic()
    (reply,), _ = run(
        worker, *["import time\nend = time.time() + 0.35\nwhile time.time() < end: pass"] * 40, "def f(x): return 1"
    )
    assert reply.status is Status.TIMEOUT
    assert time.monotonic() - begun < 40


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("%matplotlib inline\ndef f(x): return 1", ["skipped_line"]), ("!pip install numpy \\\n   --quiet\ndef f(x): return 1", ["skipped_line"]),
        ("def f(x):\n    return 1\n?f\nf?\nnp.array??", ["skipped_line"] * 3), ("%%time\ndef f(x): return 1", ["skipped_line"]),
        ("files = !ls\nt = %timeit -o 1\ndef f(x): return 1", ["skipped_line"] * 2), ("if True:\n    %load_ext a\ndef f(x): return 1", ["skipped_line"]),
        ("\ufeffdef f(x): return 1", []), ("def f(x):\r\n    return 1\r\n", []), ("x = 7 \\\n  % 2\ndef f(y): return x", []),
        ("名前 = 1\ndef f(あ): return 名前", []), ("s = '''\n%matplotlib inline\n!ls\n'''\ndef f(x): return 1 if '%' in s else 2", []),
        ("import asyncio\nawait asyncio.sleep(0)\ndef f(x): return 1", []), ("def f(x): return 1\ninput('?')", ["raised"]),
        ("print('x' * 10 ** 6)\nfor i in range(10 ** 4): print(i)\ndef f(x): return 1", []), ("import logging\nlogging.error('x')\ndef f(x): return 1", []),
        ("if __name__ == '__main__':\n    def f(x): return 1", []), ("from __future__ import annotations\ndef f(x: Unknown): return 1", []),
        ("from dataclasses import dataclass\n@dataclass\nclass A:\n    n: int = 1\ndef f(x): return A().n", []),
        ("from autograder import check\ncheck('f')\ndef f(x): return 1", []), ("quit", []),
        ("get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(1)\ndef f(x): return 1", []), ("breakpoint()\ndef f(x): return 1", []),
        ("import matplotlib.pyplot as plt\nfig, (a, b) = plt.subplots(1, 2)\na.plot([1])\nplt.savefig('x.png')\nplt.show()\ndef f(x): return 1", []),
        ("from google.colab import drive\ndrive.mount('/content')\ndef f(x): return 1", []), ("import seaborn as sns; sns.set()\ndef f(x): return 1", []),
        ("from IPython.display import display, clear_output\nclear_output()\ndef f(x): return 1", []),
        ("from tqdm.auto import tqdm\nn = sum(tqdm([1, 2]))\ndef f(x): return n - 2", []), ("import no_such_module\nn = 1\ndef f(x): return n", ["missing_module"]),
        ("from numpy import no_such_name\nimport nor_this as other\ndef f(x): return 1", ["missing_module"] * 2),
        ("open('mine.txt', 'w').write('1')\ndef f(x): return int(open('mine.txt').read())", []),
        ("from ipywidgets import interact\n@interact\ndef f(x=1): return 1", []), ("%%bash\nrm -rf /\n", ["skipped_line"]),
    ],
)  # fmt: skip
def test_honest_oddities_cost_nothing(worker, cell, kinds):
    (reply,), notices = run(
        worker, cell if "def f" in cell else f"{cell}", *([] if "def f" in cell else ["def f(x): return 1"])
    )
    assert reply.status is Status.PASSED
    assert reply.answers()[0].value == 1
    assert [n.kind for n in notices] == kinds


def test_notices_are_bounded(worker):
    _, notices = run(worker, *["raise ValueError('x' * 10 ** 6)"] * 200, "def f(x): return 1")
    assert 20 < len(notices) <= 60
    assert all(type(n) is Notice and len(n.text) < 500 for n in notices)


# sessions


def test_a_session_answers_calls_one_at_a_time_in_one_child(worker):
    worker.load("round", [work()])
    with worker.session("round", ["n = []\ndef f(x):\n    n.append(x)\n    return len(n)"], "f", LIMITS) as call:
        assert [call(Call((i,))).value for i in range(3)] == [1, 2, 3]
    with worker.session("round", ["def f(x): raise ValueError('a')"], "f", LIMITS) as call:
        assert call(Call((np.ones(3),))).raised == "ValueError: a"
    assert value(worker, "def f(x): return 8") == 8


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("def f(x):\n    while x: pass", Status.TIMEOUT), ("import os\ndef f(x): os._exit(0) if x else 0", Status.CRASHED), ("g = 1", Status.MISSING),
        ("def f(x): return bytearray(1 << 40) if x else 0", Status.MEMORY),
    ],
)  # fmt: skip
def test_a_session_whose_child_is_gone_says_so_at_every_call(worker, cell, status):
    worker.load("round", [work()])
    with worker.session("round", [cell], "f", LIMITS) as call:
        if status is not Status.MISSING:
            call(Call((0,)))
        for _ in range(2):
            with pytest.raises(Lost) as lost:
                call(Call((1,)))
            assert lost.value.status is status
    assert value(worker, "def f(x): return 8") == 8


def test_a_session_may_be_left_in_the_middle(worker):
    worker.load("round", [work()])
    with worker.session("round", ["def f(x): return x"], "f", LIMITS):
        pass
    with worker.session("round", ["def f(x):\n    while x: pass"], "f", LIMITS) as call:
        call(Call((0,)))
    assert value(worker, "def f(x): return 8") == 8


def test_a_session_takes_large_inputs(worker):
    worker.load("round", [work()])
    with worker.session("round", ["def f(x): return x.sum()"], "f", LIMITS) as call:
        assert call(Call((np.ones(1 << 19),))).value == 1 << 19


# the worker's own life


def test_large_answers_cross(worker):
    reply = one(
        worker,
        "import numpy as np\ndef f(x): return np.ones(1 << 19)",
        arguments=[(i,) for i in range(4)],
        reply_bytes=20 << 20,
    )
    assert [a.value.sum() for a in reply.answers()] == [1 << 19] * 4


def test_a_worker_that_dies_is_replaced(worker):
    worker.load("round", [work()])
    os.kill(worker._box._process.pid, signal.SIGKILL)
    (reply,), _ = worker.run("round", ["def f(x): return 3"], None, LIMITS)
    assert reply.answers()[0].value == 3


def test_rounds_are_kept_apart_and_replaced(worker):
    worker.load("a", [work("f", [(1,)])])
    worker.load("b", [work("f", [(2,)])])
    answers = lambda key: [a.value for a in worker.run(key, ["def f(x): return x"], None, LIMITS)[0][0].answers()]
    assert (answers("a"), answers("b")) == ([1], [2])
    worker.load("a", [work("f", [(3,)])])
    assert (answers("a"), answers("b")) == ([3], [2])


def test_nothing_of_a_closed_worker_is_left():
    made = Worker()
    made.load("round", [work()])
    made.run("round", ["def f(x): return 3"], None, LIMITS)
    process = made._box._process
    made.close()
    made.close()
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_an_unknown_sandbox_is_refused():
    with pytest.raises(Exception, match="no sandbox 'chroot'"):
        Worker("chroot")
