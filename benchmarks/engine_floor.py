"""What the sandbox costs above the trainees' code alone.

The floor is a warm process that runs a notebook's cells and makes the calls of its plan, nothing else: no fork, no copies of the inputs, no
answers written down. The engine does the same through `Worker.run`, with all walls, and asks twice what the plan wants asked twice.
Both are counted in CPU seconds over all processes involved, as walls say little on a machine that does other things.

    python benchmarks/engine_floor.py [--submissions 60] [--examples 25] [--mode bwrap|none] [--heavy]
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)  # as in the sandbox

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from autograder.course import Limits
from autograder.sandbox import Call, Work, Worker
from autograder.verdict import Status

CELLS = [
    "import numpy as np\nimport math",
    '''def rnn_forward(x, h0, Wx, Wh, b):
    """Hidden states of a tanh RNN."""
    h, states = h0, []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1)''',
    '''def rnn_backward(dh, x, h0, Wx, Wh, b):
    """Backpropagation through time."""
    hs = [h0]
    for t in range(x.shape[1]):
        hs.append(np.tanh(x[:, t] @ Wx + hs[-1] @ Wh + b))
    dx, dWx, dWh, db, carry = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b), np.zeros_like(h0)
    for t in reversed(range(x.shape[1])):
        da = (carry + dh[:, t]) * (1 - hs[t + 1] ** 2)
        dx[:, t] = da @ Wx.T
        dWx += x[:, t].T @ da
        dWh += hs[t].T @ da
        db += da.sum(0)
        carry = da @ Wh.T
    return dx, carry, dWx, dWh, db''',
    '''def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def attention(q, k, v):
    """Scaled dot products."""
    return softmax(q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])) @ v''',
    """def layer_norm(x, gamma, beta, eps=1e-5):
    mean = x.mean(-1, keepdims=True)
    var = x.var(-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta""",
    '''def conv2d(x, w, b):
    """Valid cross-correlation, by hand."""
    n, c, height, width = x.shape
    k, _, kh, kw = w.shape
    out = np.empty((n, k, height - kh + 1, width - kw + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = np.tensordot(x[:, :, i : i + kh, j : j + kw], w, ((1, 2, 3), (1, 2, 3))) + b
    return out''',
    """def cross_entropy(scores, labels):
    shifted = scores - scores.max(1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    grad = np.exp(logp)
    grad[np.arange(len(labels)), labels] -= 1
    return -logp[np.arange(len(labels)), labels].mean(), grad / len(labels)""",
    """def td_zero(values, path, rewards, alpha, gamma):
    values = values.copy()
    for s, r, t in zip(path[:-1], rewards, path[1:]):
        values[s] += alpha * (r + gamma * values[t] - values[s])
    return values""",
    """def lstm_step(x, h, c, W, b):
    gates = np.concatenate([x, h], 1) @ W + b
    i, f, g, o = np.split(gates, 4, axis=1)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c""",
    "print(rnn_forward(np.ones((1, 2, 3)), np.zeros((1, 4)), np.ones((3, 4)), np.eye(4), np.zeros(4)))",
]
HEAVY = "_a = np.eye(160)\nfor _ in range(220): _a = np.tanh(_a @ _a)"


def inputs(function: str, draw: np.random.Generator) -> tuple[Any, ...]:
    """Arguments of the size that claims draw."""
    n, t, d, h = (int(draw.integers(1, most)) for most in (5, 7, 6, 6))
    normal = lambda *shape: draw.normal(size=shape)
    rnn = normal(n, t, d), normal(n, h), normal(d, h), normal(h, h), normal(h)
    made: dict[str, Any] = {
        "rnn_forward": lambda: rnn,
        "rnn_backward": lambda: (normal(n, t, h), *rnn),
        "attention": lambda: (normal(n, t, d), normal(n, h, d), normal(n, h, d)),
        "layer_norm": lambda: (normal(n, t, d), normal(d), normal(d)),
        "conv2d": lambda: (normal(n, 2, 4, 4), normal(3, 2, 2, 2), normal(3)),
        "cross_entropy": lambda: (normal(n, d + 1), draw.integers(0, d + 1, n)),
        "td_zero": lambda: (normal(d), draw.integers(0, d, 20), normal(19), 0.5, 0.9),
        "lstm_step": lambda: (normal(n, d), normal(n, h), normal(n, h), normal(d + h, 4 * h), normal(4 * h)),
    }
    return tuple(made[function]())


FUNCTIONS = [
    "rnn_forward",
    "rnn_backward",
    "attention",
    "layer_norm",
    "conv2d",
    "cross_entropy",
    "td_zero",
    "lstm_step",
]


def plans(examples: int) -> list[Work]:
    draw = np.random.default_rng(0)
    return [Work(f, tuple(Call(inputs(f, draw)) for _ in range(examples)), again=(7, 3)) for f in FUNCTIONS]


def floor(works: list[Work], cells: list[str], times: int) -> float:
    """CPU seconds of one submission in a warm process, the median."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        namespace = vars(ModuleType("__main__"))
        for number, source in enumerate(cells):
            exec(compile(source, f"<cell {number}>", "exec"), namespace)
        for work in works:
            function = namespace[work.function]
            for call in work.calls:
                function(*call.arguments)
        spent.append(time.process_time() - begun)
    return sorted(spent)[len(spent) // 2]


def descendants_cpu() -> float:
    """CPU seconds of all processes below this one, with what they waited for."""
    listing = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout.split()[2:]
    parents = dict(zip(map(int, listing[::2]), map(int, listing[1::2])))
    total, tick = 0, os.sysconf("SC_CLK_TCK")
    for pid in parents:
        above = pid
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and pid != above:
            fields = (
                Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() if Path(f"/proc/{pid}").exists() else []
            )
            total += sum(map(int, fields[11:15]))
    return total / tick


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--mode", default="bwrap")
    parser.add_argument(
        "--examples", type=int, default=25, help="calls of each of the eight functions; 45 take about 10 ms in all"
    )
    parser.add_argument("--heavy", action="store_true", help="a notebook that computes for about 100 ms")
    chosen = parser.parse_args()
    cells = [*CELLS, HEAVY] if chosen.heavy else CELLS
    works, limits = plans(chosen.examples), Limits()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with Worker(chosen.mode) as worker:
        worker.load("round", works)
        replies, _ = worker.run("round", cells, None, limits)
        assert all(reply.status is Status.PASSED and reply.steady for reply in replies), replies
        before, own, wall = descendants_cpu(), time.process_time(), time.perf_counter()
        for _ in range(chosen.submissions):
            worker.run("round", cells, None, limits)
        own, wall = time.process_time() - own, time.perf_counter() - wall
        inside = descendants_cpu() - before
    stdout, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115
    least = floor(works, cells, chosen.submissions)
    sys.stdout = stdout
    each = 1000 / chosen.submissions
    engine = (own + inside) * each
    print(
        f"floor {1000 * least:.1f} ms CPU a submission; engine {engine:.1f} (supervisor {own * each:.1f}, sandbox {inside * each:.1f}), wall {wall * each:.1f}"
    )
    print(f"{engine / (1000 * least):.2f} times the floor, in mode {chosen.mode}")


if __name__ == "__main__":
    main()
