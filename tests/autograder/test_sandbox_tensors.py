"""Functions on tensors: a zygote with torch, asked in arrays."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("torch")

from autograder.course import Limits
from autograder.sandbox import Call, Reply, Work, Worker, usable
from autograder.verdict import Status

pytestmark = [pytest.mark.slow, pytest.mark.skipif(usable() is not None, reason=str(usable()))]
LIMITS = Limits(call_seconds=5, function_seconds=10, cell_seconds=5, memory_mb=600)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker(tensors=True) as made:
        yield made


def ask(worker, cell, *calls, **rest) -> Reply:
    worker.load("round", [Work("f_torch", calls, tensors=True, **rest)])
    return worker.run("round", ["import torch", cell], None, LIMITS)[0][0]


A = np.array([[1.0, 2.0], [3.0, 4.0]])


def test_values_and_gradients_come_as_arrays(worker):
    reply = ask(
        worker,
        "def f_torch(x, y): return x @ y, (x * y).sum()",
        Call((A, A)),
        Call((A, A), gradients=True),
        again=(1, 0),
    )
    value, gradients = (answer.value for answer in reply.answers())
    np.testing.assert_allclose(value[0], A @ A)
    assert [g.shape for g in gradients] == [(2, 2), (2, 2)]
    assert reply.steady


def test_a_network_is_trained_in_the_child(worker):
    cell = "def f_torch(x):\n    net = torch.nn.LSTM(2, 3)\n    net(x.float()[None])[0].sum().backward()\n    return torch.cat([p.grad.flatten() for p in net.parameters()])"
    reply = ask(worker, cell, Call((A,)))
    (answer,) = reply.answers()
    assert answer.value.dtype == np.float32
    assert np.isfinite(answer.value).all()


def test_a_change_of_a_tensor_is_seen(worker):
    (answer,) = ask(worker, "def f_torch(x):\n    x += 1\n    return x", Call((A,))).answers()
    assert answer.changed
    (answer,) = ask(worker, "def f_torch(x): return x + 1", Call((A,))).answers()
    assert not answer.changed


@pytest.mark.parametrize(
    "cell",
    [
        "class T(torch.Tensor): pass\ndef f_torch(x): return x.as_subclass(T)", "def f_torch(x): return x.to_sparse()", "def f_torch(x): return x.to('meta')",
        "def f_torch(x): return torch.nn.Linear(2, 2)",
    ],
)  # fmt: skip
def test_what_is_no_plain_tensor_is_no_answer(worker, cell):
    (answer,) = ask(worker, cell, Call((A,))).answers()
    assert answer.raised or answer.unusable


@pytest.mark.parametrize(
    "cell",
    [
        "torch.set_default_dtype(torch.float16)",
        "torch.set_grad_enabled(False)",
        "torch.manual_seed(7)",
        "torch.set_num_threads(3)",
        "torch.use_deterministic_algorithms(True)",
    ],
)
def test_the_state_of_torch_is_restored(worker, cell):
    asks = "def f_torch(x): return torch.rand(1), torch.zeros(1), torch.tensor(float(torch.get_num_threads())), torch.tensor(torch.is_grad_enabled())"
    assert ask(worker, f"{cell}\n{asks}", Call((A,))).frame == ask(worker, asks, Call((A,))).frame


def test_a_detached_tensor_answers_a_function_on_arrays(worker):
    worker.load("round", [Work("f", (Call((A,)),))])
    (reply,), _ = worker.run("round", ["import torch\ndef f(x): return torch.tensor(x) * 2"], None, LIMITS)
    np.testing.assert_array_equal(reply.answers()[0].value, A * 2)


def test_memory_is_bounded_there_too(worker):
    assert ask(worker, "def f_torch(x): return bytearray(1 << 36)", Call((A,))).status is Status.MEMORY
