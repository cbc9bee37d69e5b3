"""The vanilla RNN on tensors: the same formulas, differentiated by autograd.

    h_t = tanh(x_t Wx + h_{t-1} Wh + b)      p_t = softmax(h_t Wy + by)

`reference.rnn_bptt` finds the gradients by hand; here the graph that the forward pass leaves behind finds them. Truncation is
a cut in that graph: `detach` keeps the state's value and forgets where it came from.

`torch.nn.RNN` computes the same with both weights transposed and with a second bias, `bias_hh`.
Goodfellow, Bengio & Courville, "Deep Learning", 2016, §10.2; Werbos, "Backpropagation through time", 1990.

Letters: N samples, T steps, D inputs, H hidden units, K classes.
"""

import torch
from torch import Tensor
from torch.nn import functional

from reference._shapes import check_shapes


def rnn_forward_torch(x: Tensor, h0: Tensor, Wx: Tensor, Wh: Tensor, b: Tensor, truncate: int | None = None) -> Tensor:
    """Hidden states of a tanh RNN, in a graph that truncation cuts.

    Args:
        x: inputs, (N, T, D).
        h0: state before the first input, (N, H).
        Wx: input weights, (D, H).
        Wh: recurrent weights, (H, H).
        b: bias, (H,).
        truncate: no error passes from step t to t-1 where t is a multiple of it; None cuts nothing.

    Returns:
        (N, T, H): h_t = tanh(x_t Wx + h_{t-1} Wh + b); truncation changes the gradients alone.
    """
    check_shapes(locals(), x="N T D", h0="N H", Wx="D H", Wh="H H", b="H")
    if truncate is not None and truncate < 1:
        raise ValueError(f"truncate must be at least 1, not {truncate}")
    h, states = h0, []
    for t, x_t in enumerate(x.unbind(dim=1)):
        if truncate is not None and t > 0 and t % truncate == 0:
            h = h.detach()
        h = torch.tanh(x_t @ Wx + h @ Wh + b)
        states.append(h)
    return torch.stack(states, dim=1)


def rnn_loss_torch(h: Tensor, labels: Tensor, Wy: Tensor, by: Tensor) -> Tensor:
    """Cross-entropy of a softmax output: a sum over time, a mean over the batch.

    Args:
        h: hidden states, (N, T, H).
        labels: classes, (N, T); -1 where a step has none.
        Wy: output weights, (H, K).
        by: output bias, (K,).

    Returns:
        A tensor without axes: -1/N Σ_n Σ_t log p[n, t, label], over the steps with a label.
    """
    check_shapes(locals(), h="N T H", labels="N T", Wy="H K", by="K")
    logits = h @ Wy + by
    total = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1, reduction="sum")
    return total / len(h)
