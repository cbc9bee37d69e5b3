"""Right answers written differently: properties must accept them."""

import math

import numpy as np
from autograder.properties import alternative

from reference.word2vec import (
    cbow_loss, cosine_similarity, embedding_backward, hierarchical_log_prob, negative_sampling_loss, noise_distribution,
    solve_analogy, subsample_keep_probability, training_pairs,
)


@alternative(embedding_backward)
def one_hot_times_gradient(dout, ids, vocab):
    """The product with a matrix of one-hot rows."""
    return np.eye(vocab)[np.ravel(ids)].T @ dout.reshape(-1, dout.shape[-1])


@alternative(embedding_backward)
def bins_for_each_dimension(dout, ids, vocab):
    """A weighted count of the ids, dimension by dimension."""
    rows, flat = np.ravel(ids), dout.reshape(-1, dout.shape[-1])
    return np.stack([np.bincount(rows, weights=column, minlength=vocab) for column in flat.T], axis=1)


@alternative(training_pairs)
def slices_on_both_sides(tokens, window):
    """What is before and after the centre, as slices."""
    out = []
    for t, center in enumerate(tokens):
        for word in list(tokens[max(0, t - window) : t]) + list(tokens[t + 1 : t + 1 + window]):
            out.append([center, word])
    return np.array(out, dtype=int).reshape(len(out), 2)


@alternative(training_pairs)
def band_of_a_matrix(tokens, window):
    """Places whose distance is 1 to window, read row by row."""
    words, places = np.array(tokens), np.arange(len(tokens))
    distance = abs(places[:, None] - places)
    return words[np.argwhere((distance > 0) & (distance <= window))]


@alternative(subsample_keep_probability)
def one_minus_discarded(counts, threshold=1e-5):
    """The paper's probability of discarding, clipped, taken from 1."""
    f = counts / counts.sum()
    discard = 1 - np.sqrt(np.divide(threshold, f, out=np.full(len(f), np.inf), where=f > 0))
    return 1 - np.clip(discard, 0, 1)


@alternative(subsample_keep_probability)
def word_by_word(counts, threshold=1e-5):
    """A list, one case after the other."""
    total = float(np.sum(counts))
    return [1.0 if n <= threshold * total else (threshold * total / n) ** 0.5 for n in counts.tolist()]


@alternative(noise_distribution)
def power_by_logarithm(counts, power=0.75):
    """exp(power · log count), with the zeros kept out."""
    w = np.where(counts > 0, np.exp(power * np.log(np.maximum(counts, 1))), 0.0)
    return w / w.sum()


@alternative(noise_distribution)
def plain_powers(counts, power=0.75):
    """Numbers in a list."""
    weights = [math.pow(n, power) for n in counts]
    return [w / math.fsum(weights) for w in weights]


@alternative(cbow_loss)
def averaged_one_hot(contexts, labels, W_in, W_out):
    """Averaged one-hot vectors times matrices."""
    N, V = len(contexts), len(W_in)
    X = np.eye(V)[contexts].mean(axis=1)
    h, Y = X @ W_in, np.eye(V)[labels]
    s = h @ W_out.T
    top = s.max(axis=1, keepdims=True)
    logp = s - top - np.log(np.exp(s - top).sum(axis=1, keepdims=True))
    ds = (np.exp(logp) - Y) / N
    return -(Y * logp).sum() / N, X.T @ (ds @ W_out), ds.T @ h


@alternative(cbow_loss)
def window_by_window(contexts, labels, W_in, W_out):
    """A loop over windows, and over the words of each."""
    N, C = contexts.shape
    loss, dW_in, dW_out = 0.0, np.zeros(W_in.shape), np.zeros(W_out.shape)
    for words, label in zip(contexts, labels):
        h = sum(W_in[word] for word in words) / C
        s = [float(u @ h) for u in W_out]
        logsum = max(s) + math.log(sum(math.exp(x - max(s)) for x in s))
        loss += (logsum - s[label]) / N
        for v, u in enumerate(W_out):
            e = (math.exp(s[v] - logsum) - (v == label)) / N
            dW_out[v] += e * h
            for word in words:
                dW_in[word] += e * u / C
    return loss, dW_in, dW_out


@alternative(negative_sampling_loss)
def logistic_regression(center, context, negatives, W_in, W_out):
    """The logistic loss of K+1 scores whose first has the label 1."""
    words = np.concatenate([context[:, None], negatives], axis=1)
    y = np.zeros(words.shape)
    y[:, 0] = 1
    s = (W_in[center][:, None] * W_out[words]).sum(axis=-1)
    loss = (np.maximum(s, 0) - s * y + np.log1p(np.exp(-np.abs(s)))).sum() / len(center)
    ds = (0.5 * (1 + np.tanh(s / 2)) - y) / len(center)
    dW_in, dW_out = np.zeros(W_in.shape), np.zeros(W_out.shape)
    for n, c in enumerate(center):
        for j, w in enumerate(words[n]):
            dW_in[c] += ds[n, j] * W_out[w]
            dW_out[w] += ds[n, j] * W_in[c]
    return loss, dW_in, dW_out


@alternative(negative_sampling_loss)
def table_of_score_gradients(center, context, negatives, W_in, W_out):
    """Score gradients gathered in a table of words by words, then two matrix products."""
    N, V = len(center), len(W_in)
    S = W_in @ W_out.T
    positive, noise = np.zeros((V, V)), np.zeros((V, V))
    np.add.at(positive, (center, context), 1 / N)
    np.add.at(noise, (center[:, None], negatives), 1 / N)
    loss = (positive * np.logaddexp(0, -S) + noise * np.logaddexp(0, S)).sum()
    G = (positive + noise) * np.exp(-np.logaddexp(0, -S)) - positive
    return loss, G @ W_out, G.T @ W_in


@alternative(hierarchical_log_prob)
def branch_by_branch(h, nodes, code, theta):
    """Minus the sum of softplus, node after node."""
    return -sum((np.logaddexp(0, (-1 if bit == 0 else 1) * (theta[n] @ h)) for n, bit in zip(nodes, code)), 0.0)


@alternative(hierarchical_log_prob)
def split_by_sign(h, nodes, code, theta):
    """min(s, 0) - log(1 + exp(-|s|)) of the signed scores."""
    s = theta[nodes] @ h
    return (np.where(np.asarray(code) == 0, np.minimum(s, 0), np.minimum(-s, 0)) - np.log1p(np.exp(-np.abs(s)))).sum()


@alternative(cosine_similarity)
def unit_vectors_first(a, b):
    """Both brought to length 1, with 1e-8 in the denominators."""
    a = a / (np.sqrt((a * a).sum(-1, keepdims=True)) + 1e-8)
    b = b / (np.sqrt((b * b).sum(-1, keepdims=True)) + 1e-8)
    return (a * b).sum(-1)


@alternative(cosine_similarity)
def masked_division(a, b):
    """One root of the product of squares; the division only where it is not 0."""
    dot = np.einsum("...d,...d->...", a, b)
    lengths = np.sqrt(np.einsum("...d,...d->...", a, a) * np.einsum("...d,...d->...", b, b))
    return np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)


@alternative(solve_analogy)
def best_of_the_others(E, a, b, c):
    """The query's length does not change the order of the inner products."""
    U = np.array([row / np.sqrt(row @ row) for row in E])
    score = U @ (U[b] - U[a] + U[c])
    return max((i for i in range(len(E)) if i not in (a, b, c)), key=lambda i: score[i])


@alternative(solve_analogy)
def nearest_by_distance(E, a, b, c):
    """Among unit vectors the nearest has the largest cosine."""
    U = E / np.sqrt((E**2).sum(1))[:, None]
    distance = ((U - (U[b] + U[c] - U[a])) ** 2).sum(1)
    distance[[a, b, c]] = np.inf
    return np.argmin(distance)
