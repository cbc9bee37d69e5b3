"""Right answers written differently: properties must accept them."""

import numpy as np
import torch
from autograder.properties import alternative

from reference.resnet_densenet import (
    dense_block,
    densenet_channels,
    densenet_param_count,
    residual_block,
    residual_block_backward,
    resnet_block_param_count,
    resnet_param_count,
)
from reference.resnet_densenet_torch import dense_block_torch, residual_block_torch


@alternative(residual_block)
def one_number_at_a_time(x, W1, W2, kind="post", Ws=None):
    """Loops over samples, units and inputs; nested lists come back."""

    def through(row, W):
        return [sum(v * W[i][j] for i, v in enumerate(row)) for j in range(W.shape[1])]

    def positive(row):
        return [max(v, 0) for v in row]

    def block(row):
        branch = through(positive(through(positive(row) if kind == "pre" else row, W1)), W2)
        if kind == "plain":
            return positive(branch)
        y = [s + b for s, b in zip(row if Ws is None else through(row, Ws), branch)]
        return positive(y) if kind == "post" else y

    return [block(list(row)) for row in x]


@alternative(residual_block)
def relu_as_a_mask(x, W1, W2, kind="post", Ws=None):
    """a·[a > 0] for ReLU, sums by einsum."""
    a = x * (x > 0) if kind == "pre" else x
    u = np.einsum("nd,dm->nm", a, W1)
    y = np.einsum("nm,me->ne", u * (u > 0), W2)
    if kind != "plain":
        y = y + (x if Ws is None else x.dot(Ws))
    return y if kind == "pre" else np.where(y > 0, y, 0)


@alternative(residual_block_backward)
def masks_and_outer_products(dy, x, W1, W2, kind="post"):
    """Inner mask with ≥, the last by assignment, outer products by einsum."""
    a = np.clip(x, 0, None) if kind == "pre" else x
    inner = a @ W1 >= 0
    h = inner * (a @ W1)
    g = np.array(dy)
    if kind != "pre":
        g[h @ W2 + (x if kind == "post" else 0) <= 0] = 0
    du = np.einsum("nd,md->nm", g, W2) * inner
    dx = np.einsum("nm,dm->nd", du, W1)
    if kind == "pre":
        dx[x <= 0] = 0
    return [dx if kind == "plain" else dx + g, np.einsum("nd,nm->dm", a, du), np.einsum("nm,nd->md", h, g)]


@alternative(residual_block_backward)
def sample_by_sample(dy, x, W1, W2, kind="post"):
    """One sample at a time, gradients of the weights accumulated."""
    dx, dW1, dW2 = np.zeros_like(x), np.zeros_like(W1), np.zeros_like(W2)
    for n in range(len(x)):
        a = np.where(x[n] > 0, x[n], 0) if kind == "pre" else x[n]
        u = W1.T @ a
        h = np.where(u > 0, u, 0)
        s = W2.T @ h + (x[n] if kind == "post" else 0)
        g = dy[n] if kind == "pre" else np.where(s > 0, dy[n], 0)
        du = np.where(u > 0, W2 @ g, 0)
        back = W1 @ du
        dx[n] = {"plain": back, "post": back + g, "pre": np.where(x[n] > 0, back, 0) + g}[kind]
        dW1 += np.outer(a, du)
        dW2 += np.outer(h, g)
    return dx, dW1, dW2


@alternative(resnet_block_param_count)
def list_of_layers(kind, c_in, width, stride=1):
    """A list of (kernel, in, out) and one sum; a numpy integer comes back."""
    c_out = 4 * width if kind == "bottleneck" else width
    layers = [(1, c_in, width), (3, width, width), (1, width, c_out)] if kind == "bottleneck" else [(3, c_in, width), (3, width, c_out)]
    if stride > 1 or c_in != c_out:
        layers.append((1, c_in, c_out))
    if kind == "wide":
        return np.int64(sum(k**2 * a * b for k, a, b in layers) + 2 * (c_in + width))
    return np.int64(sum(k**2 * a * b + 2 * b for k, a, b in layers))


@alternative(resnet_block_param_count)
def closed_forms(kind, c_in, width, stride=1):
    """One polynomial for each kind."""
    w, needs = width, stride != 1 or c_in != (4 * width if kind == "bottleneck" else width)
    if kind == "basic":
        return 9 * w * (c_in + w) + 4 * w + needs * (c_in * w + 2 * w)
    if kind == "wide":
        return 9 * w * (c_in + w) + 2 * (c_in + w) + needs * c_in * w
    return c_in * w + 13 * w * w + 12 * w + needs * (4 * c_in * w + 8 * w)


@alternative(resnet_param_count)
def stage_by_stage(kind, blocks, classes=1000):
    """The first block of a stage, then all others at once."""
    grow = 4 if kind == "bottleneck" else 1
    c, total = 64, 9536
    for i, count in enumerate(blocks):
        width = 64 << i
        total += resnet_block_param_count(kind, c, width, 1 if i == 0 else 2)
        c = grow * width
        total += (count - 1) * resnet_block_param_count(kind, c, width)
    return total + (c + 1) * classes


@alternative(resnet_param_count)
def from_the_end(kind, blocks, classes=1000):
    """A recursion: the last block, then the network without it; a numpy integer comes back."""
    grow = 4 if kind == "bottleneck" else 1
    *before, last = blocks
    i, width = len(before), 64 * 2 ** len(before)
    if last > 1:
        return from_the_end(kind, [*before, last - 1], classes) + resnet_block_param_count(kind, grow * width, width)
    c_in = 64 if i == 0 else grow * width // 2
    own = resnet_block_param_count(kind, c_in, width, 1 + (i > 0)) + grow * width * classes
    if i == 0:
        return np.int64(147 * 64 + 128 + classes + own)
    return from_the_end(kind, before, classes) - c_in * classes + own


@alternative(dense_block)
def list_of_maps(x, weights):
    """A list joined at each layer and once at the end."""
    maps = [x]
    for W in weights:
        new = np.hstack(maps) @ W
        maps += [np.where(new > 0, new, 0)]
    return np.hstack(maps)


@alternative(dense_block)
def row_by_row(x, weights):
    """Plain Python, each row extended by one feature after another; nested lists come back."""
    rows = [list(row) for row in x]
    for row in rows:
        for W in weights:
            row += [max(sum(v * w for v, w in zip(row, column)), 0) for column in W.T]
    return rows


@alternative(dense_block)
def written_into_one_array(x, weights):
    """The whole output allocated first; each layer reads what is filled."""
    filled = x.shape[1]
    y = np.zeros((len(x), filled + sum(W.shape[1] for W in weights)), dtype=x.dtype)
    y[:, :filled] = x
    for W in weights:
        y[:, filled : filled + W.shape[1]] = (y[:, :filled] @ W).clip(min=0)
        filled += W.shape[1]
    return y


@alternative(densenet_channels)
def transition_at_the_start(k0, growth, blocks, theta=0.5):
    """The transition belongs to the block after it; numpy integers in a list."""
    after = [k0 + growth * blocks[0]]
    for n in blocks[1:]:
        after.append(int(np.floor(theta * after[-1])))
        after.append(np.int64(after[-1] + growth * n))
    return after


@alternative(densenet_channels)
def layer_by_layer(k0, growth, blocks, theta=0.5):
    """One layer after another, in a running array of numpy integers."""
    after, c = [], np.int64(k0)
    for n in blocks:
        for _ in range(n):
            c = c + growth
        after.append(c)
        c = np.int64(c * theta // 1)
        after.append(c)
    return after[:-1]


@alternative(densenet_param_count)
def closed_form_of_a_block(k0, growth, blocks, theta=0.5, classes=1000):
    """n layers at once: (2 + 4k)(nc + k·n(n - 1)/2) + n(8k + 36k²)."""
    k, c, total = growth, k0, 149 * k0
    for i, n in enumerate(blocks):
        total += (2 + 4 * k) * (n * c + k * n * (n - 1) // 2) + n * (8 * k + 36 * k * k)
        c += n * k
        if i + 1 < len(blocks):
            total, c = total + 2 * c + c * int(theta * c), int(theta * c)
    return total + 2 * c + (c + 1) * classes


@alternative(densenet_param_count)
def layers_in_a_list(k0, growth, blocks, theta=0.5, classes=1000):
    """All layers in a list of (weights, normalised channels), then one sum; a numpy integer comes back."""
    layers, c = [(49 * 3 * k0, k0)], k0
    for n in blocks:
        if len(layers) > 1:
            layers.append((c * int(theta * c), c))
            c = int(theta * c)
        for seen in range(c, c + n * growth, growth):
            layers += [(4 * growth * seen, seen), (36 * growth**2, 4 * growth)]
        c += n * growth
    return np.int64(sum(w + 2 * b for w, b in layers) + 2 * c + c * classes + classes)


@alternative(residual_block_torch)
def one_addition_for_all_kinds(x, W1, W2, kind="post", Ws=None):
    """Branch and shortcut by flags; clamp for ReLU."""
    a = x.clamp(min=0) if kind == "pre" else x
    y = (a @ W1).clamp(min=0) @ W2
    if kind != "plain":
        y = y + (x if Ws is None else x @ Ws)
    return y if kind == "pre" else y.clamp(min=0)


@alternative(residual_block_torch)
def layers_of_the_library(x, W1, W2, kind="post", Ws=None):
    """Linear layers with transposed weights, addition in place on a fresh tensor."""
    linear, relu = torch.nn.functional.linear, torch.nn.functional.relu
    y = linear(relu(linear(relu(x) if kind == "pre" else x, W1.mT)), W2.mT)
    if kind != "plain":
        y += x if Ws is None else linear(x, Ws.mT)
    return y if kind == "pre" else relu(y)


@alternative(dense_block_torch)
def one_product_for_each_map(x, weights):
    """Every earlier map times its own rows, summed."""
    maps = [x]
    for W in weights:
        rows = W.split([m.shape[1] for m in maps])
        maps.append(sum(m @ part for m, part in zip(maps, rows)).relu())
    return torch.hstack(maps)


@alternative(dense_block_torch)
def state_that_grows(x, weights):
    """One tensor that gets wider."""
    for W in weights:
        x = torch.cat((x, torch.nn.functional.relu(x @ W)), dim=-1)
    return x
