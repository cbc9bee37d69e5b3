"""Words as vectors: look-up, CBOW, skip-gram with negative sampling, hierarchical softmax, analogies.

    h = mean W_in[context], loss = -log softmax(h W_outᵀ)[centre] CBOW
    -log σ(u_o · v_c) - Σ_k log σ(-u_k · v_c)                     negative sampling; v in W_in, u in W_out
    P(w) ∝ count_w^(3/4)                                          what negatives are drawn from
    keep w with min(1, √(t / f_w))                                subsampling of frequent words
    p(w) = Π_n σ(±θ_n · h)                                        hierarchical softmax, along the path to w
    argmax_d cos(d, b̂ - â + ĉ)                                   "a is to b as c is to d"

Mikolov, Chen, Corrado & Dean, "Efficient estimation of word representations in vector space", 2013,
arXiv:1301.3781, §3.
Mikolov, Sutskever, Chen, Corrado & Dean, "Distributed representations of words and phrases and their
compositionality", 2013, arXiv:1310.4546: eq. 1 (pairs), 3 (hierarchical softmax), 4 (negative
sampling), 5 (subsampling), §2.2 (noise).
Rong, "word2vec parameter learning explained", 2014, arXiv:1411.2738, eqs. 17-20 (CBOW).
Mikolov, Yih & Zweig, "Linguistic regularities in continuous space word representations", NAACL 2013, §4 (analogies).

Letters: V words, D dimensions, N samples, C words of context, K negatives, P pairs, L inner nodes on a path.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reference._shapes import check_shapes
from reference.numerics import log_sigmoid, log_softmax, one_hot, sigmoid, softmax

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


def embedding_backward(dout: Array, ids: Ids, vocab: int) -> Array:
    """Gradient of the embedding matrix E for the look-up out = E[ids].

    Args:
        dout: gradient of the rows looked up, (..., D).
        ids: words looked up, (...); one may occur many times.
        vocab: number of rows of E, V.

    Returns:
        (V, D): row w is the sum of dout where ids is w, 0 where it is nowhere.
    """
    _check_ids("ids", ids, vocab)
    if dout.shape[:-1] != np.shape(ids):
        raise ValueError(f"dout must have the shape of ids, {np.shape(ids)}, and one axis more, not {dout.shape}")
    dE = np.zeros((vocab, dout.shape[-1]))
    np.add.at(dE, ids, dout)
    return dE


def training_pairs(tokens: Sequence[int], window: int) -> Ids:
    """Skip-gram pairs of a sentence, from left to right by centre, then by context.

    Args:
        tokens: the sentence, a list of word ids.
        window: how many positions on each side are context, at least 1.

    Returns:
        (P, 2): pairs (centre, context).
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, not {window}")
    pairs = [
        (tokens[t], tokens[t + k])
        for t in range(len(tokens))
        for k in range(-window, window + 1)
        if k != 0 and 0 <= t + k < len(tokens)
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def subsample_keep_probability(counts: Ids, threshold: float = 1e-5) -> Array:
    """Probability that an occurrence of a word is kept when frequent words are thinned out.

    Args:
        counts: how often each word occurs, (V,).
        threshold: relative frequency t up to which every occurrence is kept.

    Returns:
        (V,): min(1, √(t / f)), f being the relative frequency; 1 for a word that never occurs.
    """
    _check_counts(counts)
    if threshold <= 0:
        raise ValueError(f"threshold must be above 0, not {threshold}")
    frequency = np.asarray(counts, float) / np.sum(counts)
    kept: Array = np.sqrt(threshold / np.maximum(frequency, threshold))
    return kept


def noise_distribution(counts: Ids, power: float = 0.75) -> Array:
    """Distribution that negatives are drawn from.

    Args:
        counts: how often each word occurs, (V,).
        power: exponent of the counts, above 0; below 1 it favours rare words.

    Returns:
        (V,): count^power, divided by the sum.
    """
    _check_counts(counts)
    weights = np.asarray(counts, float) ** power
    noise: Array = weights / weights.sum()
    return noise


def cbow_loss(contexts: Ids, labels: Ids, W_in: Array, W_out: Array) -> tuple[float, Array, Array]:
    """Loss of CBOW with a full softmax, a mean over the samples, and its gradients.

    Args:
        contexts: words around the centre, (N, C).
        labels: centre words, (N,).
        W_in: input vectors, a row a word, (V, D).
        W_out: output vectors, a row a word, (V, D).

    Returns:
        loss: -1/N Σ log softmax(h W_outᵀ)[label], h being the mean of W_in over the context.
        dW_in: (V, D).
        dW_out: (V, D).
    """
    check_shapes(locals(), contexts="N C", labels="N", W_in="V D", W_out="V D")
    _check_ids("contexts", contexts, len(W_in))
    _check_ids("labels", labels, len(W_in))
    N, C = contexts.shape
    h = W_in[contexts].mean(axis=1)
    scores = h @ W_out.T
    loss = -np.mean(log_softmax(scores)[np.arange(N), labels])
    dscores = (softmax(scores) - one_hot(labels, len(W_out))) / N
    dh = dscores @ W_out
    shares = np.repeat(dh[:, None], C, axis=1) / C  # h is a mean: each word of the context answers for 1/C of it
    return float(loss), embedding_backward(shares, contexts, len(W_in)), dscores.T @ h


def negative_sampling_loss(
    center: Ids, context: Ids, negatives: Ids, W_in: Array, W_out: Array
) -> tuple[float, Array, Array]:
    """Loss of skip-gram with negative sampling, a mean over the pairs, and its gradients.

    Args:
        center: centre words, (N,).
        context: words that do occur near them, (N,).
        negatives: words drawn as noise, (N, K); K may be 0.
        W_in: vectors v of centres, (V, D).
        W_out: vectors u of contexts and negatives, (V, D).

    Returns:
        loss: 1/N Σ_n [-log σ(u_o · v_c) - Σ_k log σ(-u_k · v_c)].
        dW_in: (V, D).
        dW_out: (V, D).
    """
    check_shapes(locals(), center="N", context="N", W_in="V D", W_out="V D")
    if negatives.ndim != 2 or len(negatives) != len(center):
        raise ValueError(f"negatives must have the shape (N={len(center)}, K), not {negatives.shape}")
    for name, ids in (("center", center), ("context", context), ("negatives", negatives)):
        _check_ids(name, ids, len(W_in))
    N = len(center)
    v, u, w = W_in[center], W_out[context], W_out[negatives]
    positive = np.sum(v * u, axis=1)
    negative = np.einsum("nd,nkd->nk", v, w)
    loss = -(np.sum(log_sigmoid(positive)) + np.sum(log_sigmoid(-negative))) / N
    dpositive = (sigmoid(positive) - 1)[:, None] / N
    dnegative = sigmoid(negative) / N
    dv = dpositive * u + np.einsum("nk,nkd->nd", dnegative, w)
    dW_in = embedding_backward(dv, center, len(W_in))
    dW_out = embedding_backward(dpositive * v, context, len(W_out))
    dW_out += embedding_backward(dnegative[..., None] * v[:, None], negatives, len(W_out))
    return float(loss), dW_in, dW_out


def hierarchical_log_prob(h: Array, nodes: Ids, code: Ids, theta: Array) -> float:
    """Log-probability of the word at the end of a path through a binary tree.

    Args:
        h: hidden vector, (D,).
        nodes: inner nodes from the root on, (L,).
        code: branch taken at each node, (L,): 0 for the one with probability σ(θ·h), 1 for the other.
        theta: vectors of the inner nodes, (V-1, D).

    Returns:
        Σ log σ(±θ·h) over the path, + for code 0; 0 for an empty path.
    """
    if len(nodes) != len(code):
        raise ValueError(f"code must be as long as nodes, {len(nodes)}, not {len(code)}")
    if not np.isin(code, (0, 1)).all():
        raise ValueError("code must consist of 0 and 1")
    _check_ids("nodes", nodes, len(theta))
    sign = 1 - 2 * np.asarray(code)
    return float(np.sum(log_sigmoid(sign * (theta[nodes] @ h))))


def cosine_similarity(a: Array, b: Array) -> Array:
    """Cosine of the angle between vectors, along the last axis.

    Args:
        a: vectors, (..., D).
        b: vectors, (..., D), or one for all, (D,).

    Returns:
        (...): a·b / (‖a‖ ‖b‖), 0 where a vector is 0.
    """
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"b must have vectors of length {a.shape[-1]}, not {b.shape[-1]}")
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine: Array = np.sum(a * b, axis=-1) / np.where(lengths > 0, lengths, 1)
    return cosine


def solve_analogy(E: Array, a: int, b: int, c: int) -> int:
    """The word d of "a is to b as c is to d".

    Args:
        E: vectors, a row a word, (V, D); none is 0.
        a: a word.
        b: what a is to.
        c: another word.

    Returns:
        The word nearest by cosine to b - a + c of unit vectors, a, b and c themselves excluded.
    """
    check_shapes(locals(), E="V D")
    if len(E) < 4:
        raise ValueError(f"E must have at least 4 rows, not {len(E)}")
    if not np.any(E, axis=1).all():
        raise ValueError("E must have no row of zeros")
    for name, word in (("a", a), ("b", b), ("c", c)):
        _check_ids(name, word, len(E))
    units = E / np.linalg.norm(E, axis=1, keepdims=True)
    similarity = cosine_similarity(units, units[b] - units[a] + units[c])
    similarity[[a, b, c]] = -np.inf
    return int(np.argmax(similarity))


def _check_ids(name: str, ids: ArrayLike, vocab: int) -> None:
    outside = (np.asarray(ids) < 0) | (np.asarray(ids) >= vocab)
    if np.any(outside):
        raise ValueError(f"{name} must lie in 0 … {vocab - 1}, and {np.asarray(ids)[outside][0]} does not")


def _check_counts(counts: Ids) -> None:
    if np.any(np.asarray(counts) < 0) or not np.any(counts):
        raise ValueError("counts must not be negative, nor all 0")
