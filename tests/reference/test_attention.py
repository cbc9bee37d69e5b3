"""The reference of attention against torch's own layers, differences, special cases and numbers worked out elsewhere."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.attention import (
    additive_scores,
    attention,
    attention_backward,
    dot_scores,
    masked_softmax,
    multi_head_attention,
    padding_mask,
)
from reference.attention_torch import attention_torch, multi_head_attention_torch

Q = np.array([[[1.0, 0.0], [1.0, 2.0]]])
K = np.array([[[1.0, 1.0], [0.0, 1.0], [2.0, -1.0]]])
V = np.array([[[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]])
M = np.array([[[True, True, False], [True, True, True]]])
DC = np.array([[[1.0, 0.0], [0.0, 1.0]]])

rounds = settings(max_examples=50, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)


def drawn(seed, leads=2):
    """q, k, v and a mask in which some rows are empty."""
    rng = np.random.default_rng(seed)
    lead = tuple(rng.integers(1, 4, rng.integers(0, leads + 1)))
    Tq, Tk, D, E = rng.integers(1, 6, 4)
    q, k, v = (rng.normal(size=(*lead, *s)) for s in ((Tq, D), (Tk, D), (Tk, E)))
    return q, k, v, rng.random((*lead, Tq, Tk)) < 0.6


def layer(seed):
    """The arguments of `multi_head_attention` without a mask."""
    rng = np.random.default_rng(seed)
    heads, d, N, Tq, Tk = rng.integers(1, 5, 5)
    D = heads * d
    x_q, x_kv = rng.normal(size=(N, Tq, D)), rng.normal(size=(N, Tk, D))
    return x_q, x_kv, *rng.normal(size=(4, D, D)) / np.sqrt(D), int(heads)


def tensors(*arrays, gradients=False):
    made = [torch.tensor(a) for a in arrays]
    return [t.requires_grad_(gradients) if t.is_floating_point() else t for t in made]


def cast_to(dtype, *arrays):
    return [torch.tensor(x, dtype=dtype) for x in arrays]


def test_golden_dot_scores():
    first = [0.7071067811865475, 0.0, 1.414213562373095]
    close(dot_scores(Q, K), [[first, [2.1213203435596424, 1.414213562373095, 0]]])


def test_golden_attention():
    context, weights = attention(Q, K, V, M)
    close(context, [[[0.6697615493266569, 0.3302384506733431], [0.768624380277045, 0.45433451307101336]]])
    first, second = [0.6697615493266569, 0.3302384506733431, 0.0], [0.6199851180450061, 0.3056952508389745]
    close(weights, [[first, [*second, 0.07431963111601946]]])


def test_golden_gradients():
    dq, dk, dv = attention_backward(DC, Q, K, V, M)
    close(dq, [[[0.1563985965451104, 0.0], [-0.036722925352558417, -0.16245536299986243]]])
    first, second = [-0.04277969180731042, -0.39835657670484165], [-0.03844798969262081, 0.23590121370497918]
    close(dk, [[first, second, [0.0812276814999312, 0.1624553629998624]]])
    first, second = [0.6697615493266569, 0.6199851180450061], [0.3302384506733431, 0.3056952508389745]
    close(dv, [[first, second, [0, 0.07431963111601946]]])


def test_golden_additive_scores():
    scores = additive_scores(Q, K, np.eye(2), np.eye(2), np.array([1.0, -0.5]))
    first = [0.5832305020979345, 0.3807970779778824, 1.375851831664613]
    close(scores, [[first, [0.46650020323245167, 0.2640667791123996, 0.614257675708848]]])


def test_golden_masked_softmax():
    close(masked_softmax(np.log([[1.0, 2.0, 3.0]]), np.array([[True, True, False]])), [[1 / 3, 2 / 3, 0]])


def test_golden_heads():
    out, weights = multi_head_attention(Q, K, np.eye(2), np.eye(2), np.eye(2), np.array([[1.0, 1.0], [0.0, 1.0]]), 2)
    close(out, [[[1.5752103826044412, 1.9085437159377745], [1.5752103826044412, 2.5570609529158137]]])
    narrow = [0.24472847105479764, 0.09003057317038046, 0.6652409557748218]
    sharp = [0.4954626425778431, 0.4954626425778431, 0.009074714844313747]
    close(weights, [[[narrow, narrow], [[1 / 3] * 3, sharp]]])


def test_golden_padding():
    assert padding_mask([1, 3], 3).tolist() == [[[True, False, False]], [[True, True, True]]]
    assert padding_mask(np.array([0, 2]), 2).tolist() == [[[False, False]], [[True, True]]]


@rounds
@given(seeds)
def test_attention_is_that_of_torch_where_every_query_sees_a_key(seed):
    q, k, v, mask = drawn(seed)
    mask[..., 0] = True
    close(attention(q, k, v, mask)[0], functional.scaled_dot_product_attention(*tensors(q, k, v, mask)))
    close(attention(q, k, v)[0], functional.scaled_dot_product_attention(*tensors(q, k, v)))


@rounds
@given(seeds)
def test_heads_are_those_of_torch_whose_mask_means_the_opposite(seed):
    x_q, x_kv, Wq, Wk, Wv, Wo, heads = layer(seed)
    D = len(Wq)
    theirs = torch.nn.MultiheadAttention(D, heads, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(np.concatenate([Wq.T, Wk.T, Wv.T])))
        theirs.out_proj.weight.copy_(torch.tensor(Wo.T))
    mask = np.random.default_rng(seed).random((x_q.shape[1], x_kv.shape[1])) < 0.6
    mask[:, 0] = True
    with torch.no_grad():
        source = torch.tensor(x_kv)
        out, weights = theirs(
            torch.tensor(x_q), source, source, attn_mask=~torch.tensor(mask), average_attn_weights=False
        )
    ours = multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask)
    close(ours[0], out)
    close(ours[1], weights)


@rounds
@given(seeds)
def test_gradients_are_those_of_autograd(seed):
    q, k, v, mask = drawn(seed)
    dcontext = np.random.default_rng(seed).normal(size=(*q.shape[:-1], v.shape[-1]))
    leaves = tensors(q, k, v, gradients=True)
    context, _ = attention_torch(*leaves, torch.tensor(mask))
    expected = torch.autograd.grad((torch.tensor(dcontext) * context).sum(), leaves)
    for ours, theirs in zip(attention_backward(dcontext, q, k, v, mask), expected):
        close(ours, theirs)


@rounds
@given(seeds)
def test_gradients_match_differences(seed):
    q, k, v, mask = drawn(seed)
    rng = np.random.default_rng(seed)
    dcontext = rng.normal(size=(*q.shape[:-1], v.shape[-1]))
    point, along = (q, k, v), [rng.normal(size=x.shape) for x in (q, k, v)]
    ahead, behind = ([x + way * d for x, d in zip(point, along)] for way in (1e-5, -1e-5))
    slope = np.sum(dcontext * (attention(*ahead, mask)[0] - attention(*behind, mask)[0])) / 2e-5
    inner = sum(np.sum(g * d) for g, d in zip(attention_backward(dcontext, q, k, v, mask), along))
    np.testing.assert_allclose(inner, slope, rtol=1e-5, atol=1e-7)


@rounds
@given(seeds)
def test_twins_are_the_numpy_functions_in_every_dtype(seed):
    q, k, v, mask = drawn(seed)
    *arrays, heads = layer(seed)
    seen = np.random.default_rng(seed).random((arrays[0].shape[1], arrays[1].shape[1])) < 0.6
    pairs = [
        (attention(q, k, v, mask), lambda cast: attention_torch(*cast(q, k, v), torch.tensor(mask))),
        (attention(q, k, v), lambda cast: attention_torch(*cast(q, k, v))),
        (
            multi_head_attention(*arrays, heads, seen),
            lambda cast: multi_head_attention_torch(*cast(*arrays), heads, torch.tensor(seen)),
        ),
    ]
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
        for expected, ask in pairs:
            for ours, theirs in zip(expected, ask(partial(cast_to, dtype))):
                assert theirs.dtype == dtype
                np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=tolerance)


def test_twins_keep_the_device():
    x = torch.empty(1, 2, 4, device="meta")
    mask = torch.empty(2, 2, dtype=torch.bool, device="meta")
    W = [torch.empty(4, 4, device="meta")] * 4
    for part in (*attention_torch(x, x, x, mask), *multi_head_attention_torch(x, x, *W, 2, mask)):
        assert part.device.type == "meta"


def test_gradients_of_the_twin_stay_finite_behind_an_empty_row():
    leaves = tensors(Q, K, V, gradients=True)
    context, weights = attention_torch(*leaves, torch.zeros(1, 2, 3, dtype=torch.bool))
    (context.sum() + weights.sum()).backward()
    for leaf in leaves:
        close(leaf.grad, np.zeros(leaf.shape))


def test_a_query_that_sees_no_key_gets_nothing_and_teaches_nothing():
    mask = np.array([[False, False, False], [True, True, True]])
    context, weights = attention(Q, K, V, mask)
    close(context[0, 0], 0)
    close(weights[0, 0], 0)
    close(attention_backward(DC, Q, K, V, mask)[0][0, 0], 0)


@rounds
@given(seeds)
def test_scaled_scores_of_unit_vectors_have_unit_variance(seed):
    rng = np.random.default_rng(seed)
    D = int(rng.choice([4, 16, 64]))
    scores = dot_scores(rng.choice([-1.0, 1.0], (200, D)), rng.choice([-1.0, 1.0], (200, D)))
    assert abs(scores.var() - 1) < 0.1  # 40000 pairs: the error is about 0.01


def test_additive_attention_without_curvature_forgets_the_query():
    rng = np.random.default_rng(0)
    q, k, Wq, Wk, v = (rng.normal(size=s) for s in ((1, 4, 3), (1, 5, 2), (3, 6), (2, 6), (6,)))
    tiny = masked_softmax(1e6 * additive_scores(1e-6 * q, 1e-6 * k, Wq, Wk, v))  # tanh(z) ≈ z
    np.testing.assert_allclose(tiny, np.broadcast_to(tiny[:, :1], tiny.shape), atol=1e-8)
    bent = masked_softmax(additive_scores(q, k, Wq, Wk, v))
    assert np.ptp(bent, axis=1).max() > 0.01


def test_weights_survive_scores_of_any_size():
    scores = np.array([[1e5, 1e5 + np.log(3)], [-1e5, -1e5 - np.log(3)], [-1e300, 1e300]])
    np.testing.assert_allclose(masked_softmax(scores), [[0.25, 0.75], [0.75, 0.25], [0, 1]], rtol=1e-9)


@rounds
@given(seeds)
def test_padding_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    N, T = rng.integers(1, 5, 2)
    lengths = rng.integers(1, T + 1, N)
    q, k, v = (rng.normal(size=(N, T, 3)) for _ in range(3))
    context, _ = attention(q, k, v, padding_mask(lengths, int(T)))
    for n, length in enumerate(lengths):
        theirs = functional.scaled_dot_product_attention(*tensors(q[n], k[n, :length], v[n, :length]))
        close(context[n], theirs)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("k", lambda: dot_scores(np.ones((2, 3)), np.ones((2, 4)))),
        ("k", lambda: dot_scores(np.ones((2, 2, 3)), np.ones((1, 2, 3)))),
        ("q", lambda: dot_scores(np.ones(3), np.ones((2, 3)))),
        ("k", lambda: dot_scores(np.ones((2, 3)), np.ones((0, 3)))),
        ("Wk", lambda: additive_scores(Q, K, np.eye(2), np.eye(3), np.ones(2))),
        ("v", lambda: additive_scores(Q, K, np.eye(2), np.eye(2), np.ones(3))),
        ("v", lambda: attention(Q, K, V[:, :2])),
        ("mask", lambda: attention(Q, K, V, M * 1.0)),
        ("mask", lambda: masked_softmax(np.ones((2, 3)), np.ones((2, 2), bool))),
        ("mask", lambda: masked_softmax(np.ones((1, 3)), np.ones((2, 3), bool))),
        ("mask", lambda: masked_softmax(np.ones((2, 3)), np.ones((1, 2, 3), bool))),
        ("mask", lambda: multi_head_attention(Q, K, *[np.eye(2)] * 4, 2, np.ones((1, 2, 2, 3), bool))),
        ("dcontext", lambda: attention_backward(DC[:, :1], Q, K, V)),
        ("x_kv", lambda: multi_head_attention(Q, np.ones((1, 3, 3)), *[np.eye(2)] * 4, 2)),
        ("heads", lambda: multi_head_attention(Q, K, *[np.eye(2)] * 4, 0)),
        ("heads", lambda: multi_head_attention(Q, K, *[np.eye(2)] * 4, 3)),
        ("lengths", lambda: padding_mask([1, 4], 3)),
        ("lengths", lambda: padding_mask([-1], 3)),
        ("mask", lambda: attention_torch(*tensors(Q, K, V, M * 1.0))),
        ("heads", lambda: multi_head_attention_torch(*tensors(Q, K, *[np.eye(2)] * 4), 3)),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"^{name} must"):
        call()
