"""The reference of word2vec against torch's autograd and losses, enumeration, and numbers worked out elsewhere."""

import re
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from reference.word2vec import (
    cbow_loss,
    cosine_similarity,
    embedding_backward,
    hierarchical_log_prob,
    negative_sampling_loss,
    noise_distribution,
    solve_analogy,
    subsample_keep_probability,
    training_pairs,
)

A = np.array([[1.0, 0.0], [0.5, -0.5], [0.0, 2.0], [-1.0, 1.0]])
B = np.array([[0.0, 1.0], [1.0, 1.0], [-0.5, 0.0], [0.2, -0.3]])
M = np.array([[1.0, 0.0, 0.1], [1.0, 1.0, 0.0], [0.0, 0.2, 1.0], [0.1, 1.0, 1.0], [-1.0, -1.0, 0.0]])

rounds = settings(max_examples=40, deadline=None, database=None)
generators = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def close(actual, expected, rtol=1e-11, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol, atol)


def matrices(rng, V):
    D = rng.integers(1, 6)
    return tuple(torch.tensor(rng.normal(size=(V, D)), requires_grad=True) for _ in range(2))


def assert_loss_and_gradients(found, loss, leaves):
    close(found[0], loss.item())
    for got, gradient in zip(found[1:], torch.autograd.grad(loss, leaves), strict=True):
        close(got, gradient.numpy(), 1e-10, 1e-12)


@rounds
@given(generators)
def test_the_gradient_of_a_lookup_is_that_of_torch(rng):
    V, D, shape = rng.integers(1, 8), rng.integers(1, 5), tuple(rng.integers(1, 4, rng.integers(0, 4)))
    E, ids = torch.zeros(V, D, dtype=torch.float64, requires_grad=True), rng.integers(0, V, shape)
    dout = rng.normal(size=(*shape, D))
    functional.embedding(torch.tensor(ids), E).backward(torch.tensor(dout))
    close(embedding_backward(dout, ids, V), E.grad.numpy())


@rounds
@given(generators)
def test_pairs_are_all_two_places_at_most_a_window_apart(rng):
    tokens, window = rng.integers(0, 5, rng.integers(0, 12)).tolist(), int(rng.integers(1, 5))
    pairs = [tuple(pair) for pair in training_pairs(tokens, window).tolist()]
    n = len(tokens)
    near = Counter((tokens[i], tokens[j]) for i in range(n) for j in range(n) if 0 < abs(i - j) <= window)
    assert Counter(pairs) == near


def test_a_sentence_of_one_word_has_no_pair():
    assert training_pairs([3], 2).shape == (0, 2)


def test_pairs_go_by_centre_then_by_place():
    assert training_pairs([4, 5, 4, 6], 2).tolist() == [
        [4, 5], [4, 4], [5, 4], [5, 4], [5, 6], [4, 4], [4, 5], [4, 6], [6, 5], [6, 4]
    ]  # fmt: skip


@rounds
@given(generators)
def test_cbow_is_torchs_embedding_bag_and_cross_entropy(rng):
    V, N, C = rng.integers(1, 9), rng.integers(1, 5), rng.integers(1, 5)
    W_in, W_out = matrices(rng, V)
    contexts, labels = rng.integers(0, V, (N, C)), rng.integers(0, V, N)
    h = functional.embedding_bag(torch.tensor(contexts), W_in, mode="mean")
    loss = functional.cross_entropy(h @ W_out.T, torch.tensor(labels))
    found = cbow_loss(contexts, labels, W_in.detach().numpy(), W_out.detach().numpy())
    assert_loss_and_gradients(found, loss, (W_in, W_out))


@rounds
@given(generators)
def test_negative_sampling_is_torchs_binary_cross_entropy(rng):
    V, N, K = rng.integers(1, 9), rng.integers(1, 5), rng.integers(0, 5)
    W_in, W_out = matrices(rng, V)
    center, words = rng.integers(0, V, N), rng.integers(0, V, (N, K + 1))
    scores = (W_in[center][:, None] * W_out[words]).sum(-1)
    wanted = torch.zeros_like(scores)
    wanted[:, 0] = 1
    loss = functional.binary_cross_entropy_with_logits(scores, wanted, reduction="sum") / int(N)
    found = negative_sampling_loss(center, words[:, 0], words[:, 1:], W_in.detach().numpy(), W_out.detach().numpy())
    assert_loss_and_gradients(found, loss, (W_in, W_out))


def test_losses_of_scores_of_800_are_finite():
    W, ids = np.array([[800.0], [-800.0]]), np.array([0])
    assert negative_sampling_loss(ids, ids, np.array([[0]]), W, np.ones((2, 1)))[0] == 800
    assert cbow_loss(np.array([[0]]), np.array([1]), W, np.array([[1.0], [0.0]]))[0] == 800
    assert hierarchical_log_prob(W[0], ids, np.array([1]), np.ones((1, 1))) == -800


@rounds
@given(generators)
def test_what_is_kept_is_what_the_papers_formula_does_not_discard(rng):
    counts, t = np.append(rng.integers(0, 1000, rng.integers(0, 8)), 7), 10.0 ** rng.uniform(-4, 0)
    with np.errstate(divide="ignore"):
        discarded = 1 - np.sqrt(t / (counts / counts.sum()))
    close(subsample_keep_probability(counts, t), 1 - np.maximum(discarded, 0))


@rounds
@given(generators)
def test_noise_is_a_distribution_that_favours_rare_words(rng):
    counts = np.sort(rng.integers(1, 1000, rng.integers(2, 9)))
    noise, unigram = noise_distribution(counts), counts / counts.sum()
    close(noise.sum(), 1)
    assert np.all(np.diff(noise / unigram) <= 1e-12)
    close(noise_distribution(counts, 1), unigram)


@rounds
@given(generators)
def test_the_leaves_of_any_tree_share_the_probability_1(rng):
    V, D = rng.integers(1, 10), rng.integers(1, 5)
    h, theta = rng.normal(size=D), rng.normal(size=(max(V - 1, 1), D))
    leaves, inner = [((), ())], 0
    while len(leaves) < V:  # any leaf becomes an inner node with two leaves
        nodes, code = leaves.pop(rng.integers(len(leaves)))
        leaves += [((*nodes, inner), (*code, bit)) for bit in (0, 1)]
        inner += 1
    paths = [(np.array(nodes, int), np.array(code, int)) for nodes, code in leaves]
    close(sum(np.exp(hierarchical_log_prob(h, *path, theta)) for path in paths), 1)


@rounds
@given(generators)
def test_the_cosine_is_torchs(rng):
    n, D = rng.integers(1, 6, 2)
    a, b = rng.normal(size=(n, D)), rng.normal(size=(n, D))
    close(cosine_similarity(a, b), torch.cosine_similarity(torch.tensor(a), torch.tensor(b), dim=-1).numpy())
    close(cosine_similarity(a, b[0]), cosine_similarity(a, np.tile(b[0], (n, 1))))


def test_the_cosine_with_a_zero_vector_is_0():
    assert cosine_similarity(np.zeros((2, 3)), np.ones(3)).tolist() == [0, 0]


@rounds
@given(generators)
def test_an_analogy_ignores_lengths_and_never_answers_with_its_question(rng):
    V, D = rng.integers(4, 9), rng.integers(2, 6)
    E, (a, b, c) = rng.normal(size=(V, D)), rng.choice(V, 3, replace=False)
    d = solve_analogy(E, a, b, c)
    assert d not in (a, b, c)
    assert solve_analogy(E * rng.uniform(0.5, 4, (V, 1)), a, b, c) == d


def test_the_golden_values_come_out():
    assert embedding_backward(np.array([[1.0], [2.0], [4.0]]), np.array([0, 2, 0]), 3).tolist() == [[5], [0], [2]]
    assert training_pairs([5, 7, 8], 1).tolist() == [[5, 7], [7, 5], [7, 8], [8, 7]]
    close(subsample_keep_probability(np.array([900, 90, 10, 0]), 0.01), [0.10540925533894598, 1 / 3, 1, 1])
    close(noise_distribution(np.array([81, 16, 1])), [0.75, 2 / 9, 1 / 36])
    loss, dW_in, dW_out = cbow_loss(np.array([[0, 2]]), np.array([1]), A, B)
    close(loss, 0.6744678669906605)
    close(dW_in[[0, 2]], [[-0.2581111877553097, -0.10475420585001477]] * 2)
    close(dW_out[:, 0], [0.15449167809611275, -0.24528628417678183, 0.04426260684951666, 0.04653199923115229])
    close(dW_out[:, 1], 2 * dW_out[:, 0])
    loss, dW_in, dW_out = negative_sampling_loss(np.array([0]), np.array([1]), np.array([[2, 3]]), A, B)
    close(loss, 1.5854775410799213)
    close(dW_in, [[-0.3477449563065722, -0.4338916205637385], [0, 0], [0, 0], [0, 0]])
    close(dW_out, [[0, 0], [-0.2689414213699951, 0], [0.3775406687981454, 0], [0.549833997312478, 0]])
    path = np.array([0, 1]), np.array([0, 1]), np.array([[0.5, 0.2], [1.0, 0.0]])
    close(hierarchical_log_prob(np.array([1.0, -1.0]), *path), -1.86761693198675)
    close(cosine_similarity(A, B), [0, 0, 0, -0.9805806756909201])
    assert solve_analogy(M, 0, 1, 2) == 3


ONE, NONE = np.array([0]), np.zeros((1, 0), int)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("ids", lambda: embedding_backward(np.ones((1, 2)), np.array([4]), 4)),
        ("dout", lambda: embedding_backward(np.ones((2, 2)), ONE, 4)),
        ("window", lambda: training_pairs([1, 2], 0)),
        ("counts", lambda: subsample_keep_probability(np.array([0, 0]))),
        ("counts", lambda: noise_distribution(np.array([2, -1]))),
        ("threshold", lambda: subsample_keep_probability(np.array([1]), 0.0)),
        ("contexts", lambda: cbow_loss(np.array([[-1]]), ONE, A, B)),
        ("labels", lambda: cbow_loss(np.array([[0]]), np.array([4]), A, B)),
        ("W_out", lambda: cbow_loss(np.array([[0]]), ONE, A, B[:3])),
        ("center", lambda: negative_sampling_loss(np.array([4]), ONE, NONE, A, B)),
        ("context", lambda: negative_sampling_loss(ONE, np.array([-1]), NONE, A, B)),
        ("negatives", lambda: negative_sampling_loss(ONE, ONE, np.array([[7]]), A, B)),
        ("negatives", lambda: negative_sampling_loss(ONE, ONE, ONE, A, B)),
        ("code", lambda: hierarchical_log_prob(A[0], ONE, np.array([2]), A)),
        ("code", lambda: hierarchical_log_prob(A[0], ONE, np.array([0, 1]), A)),
        ("nodes", lambda: hierarchical_log_prob(A[0], np.array([4]), ONE, A)),
        ("b", lambda: cosine_similarity(A, np.ones(3))),
        ("E", lambda: solve_analogy(A[:3], 0, 1, 2)),
        ("E", lambda: solve_analogy(0 * A, 0, 1, 2)),
        ("c", lambda: solve_analogy(A, 0, 1, 4)),
    ],
)
def test_a_wrong_argument_is_named(name, call):
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} "):
        call()
