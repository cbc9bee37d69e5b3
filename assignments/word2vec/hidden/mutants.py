"""Wrong ideas about word vectors. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
from autograder.properties import mutant

from reference.numerics import log_softmax, sigmoid
from reference.word2vec import (
    cbow_loss, cosine_similarity, embedding_backward, hierarchical_log_prob, negative_sampling_loss, noise_distribution,
    solve_analogy, subsample_keep_probability, training_pairs,
)


@mutant(embedding_backward)
def buffered_add(dout, ids, vocab):
    """同じ単語が 2 回出たら、勾配はどうまとめますか。NumPy の dE[ids] += dout は、ids に重複があるとき何回足されますか。
    If a word occurs twice, how are its gradients combined? How often does dE[ids] += dout add in NumPy when ids repeat?"""
    dE = np.zeros((vocab, dout.shape[-1]))
    dE[ids] += dout
    return dE


@mutant(embedding_backward)
def gradient_averaged_over_occurrences(dout, ids, vocab):
    """2 回現れた語は、1 回の語より強く損失に影響します。その勾配は平均でよいでしょうか。
    A word that occurs twice moves the loss more than one that occurs once: is a mean of its gradients enough?"""
    times = np.bincount(np.ravel(ids), minlength=vocab)
    return embedding_backward(dout, ids, vocab) / np.maximum(times, 1)[:, None]


def listed(tokens, offsets, first=0):
    n = len(tokens)
    pairs = [(tokens[t], tokens[t + k]) for t in range(n) for k in offsets if first <= t + k < n]
    return np.array(pairs, int).reshape(-1, 2)


@mutant(training_pairs)
def window_one_sided(tokens, window):
    """文脈は中心語の後ろだけですか、前後両方ですか。
    Is the context only behind the centre word, or on both sides?"""
    return listed(tokens, range(1, window + 1))


@mutant(training_pairs)
def window_off_by_one(tokens, window):
    """Python の range の終わりは含まれますか。window=1 で書き出しましょう。
    Is the end of range included? List the pairs for window = 1."""
    return listed(tokens, [k for k in range(-window, window) if k != 0])


@mutant(training_pairs)
def pair_with_itself(tokens, window):
    """中心語自身は文脈に入りますか。
    Is the centre word part of its own context?"""
    return listed(tokens, range(-window, window + 1))


@mutant(training_pairs)
def negative_index_wraps(tokens, window):
    """文の先頭で t-1 はいくつになりますか。Python で tokens[-1] は何ですか。
    At the sentence start t-1 is -1: what is tokens[-1]?"""
    return listed(tokens, [k for k in range(-window, window + 1) if k != 0], first=-len(tokens))


@mutant(training_pairs)
def context_listed_first(tokens, window):
    """組の 1 列目は中心語ですか、文脈語ですか。
    Is the first column of a pair the centre word or the context word?"""
    return training_pairs(tokens, window)[:, ::-1]


@mutant(training_pairs)
def equal_words_skipped(tokens, window):
    """除くのは「中心語と同じ位置」ですか、「中心語と同じ単語」ですか。
    What is left out: the centre's own position, or every word equal to it?"""
    pairs = training_pairs(tokens, window)
    return pairs[pairs[:, 0] != pairs[:, 1]]


@mutant(cbow_loss)
def cbow_sums_context(contexts, labels, W_in, W_out):
    """CBOW の中間層は、文脈ベクトルの和ですか平均ですか。
    Is the CBOW hidden vector a sum or a mean of the context?"""
    C = contexts.shape[1]
    loss, dW_in, dW_out = cbow_loss(contexts, labels, C * W_in, W_out)
    return loss, dW_in, dW_out


@mutant(cbow_loss)
def cbow_grad_not_shared(contexts, labels, W_in, W_out):
    """平均を取った h の勾配は、各文脈語にどれだけ配られますか。
    h is a mean: what share of dh does each context word get?"""
    loss, dW_in, dW_out = cbow_loss(contexts, labels, W_in, W_out)
    return loss, dW_in * contexts.shape[1], dW_out


@mutant(cbow_loss)
def one_matrix_for_both(contexts, labels, W_in, W_out):
    """入力側と出力側の重み行列は同じものですか。
    Are the input and the output matrix the same?"""
    return cbow_loss(contexts, labels, W_in, W_in)


@mutant(cbow_loss)
def cbow_scores_halved(contexts, labels, W_in, W_out):
    """損失と勾配は、同じ確率から計算していますか。
    Do the loss and the gradient come from the same probabilities?"""
    _, dW_in, dW_out = cbow_loss(contexts, labels, W_in, W_out)
    return cbow_loss(contexts, labels, W_in, W_out / 2)[0], dW_in, dW_out


@mutant(cbow_loss)
def softmax_of_raw_scores(contexts, labels, W_in, W_out):
    """スコアが 800 を超えたとき、exp はどうなりますか。全体を同じだけずらしても確率は同じです。
    What is exp of a score above 800? Shifting all scores alike changes no probability."""
    scores = W_in[contexts].mean(axis=1) @ W_out.T
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(p[np.arange(len(p)), labels]))
    return float(loss), *cbow_loss(contexts, labels, W_in, W_out)[1:]


@mutant(cbow_loss)
def repeated_context_counted_once(contexts, labels, W_in, W_out):
    """同じ語が文脈に 2 回現れたら、その行の勾配には何回分が入りますか。
    If a word stands twice in the context, how many shares does its row get?"""
    loss, dW_in, dW_out = cbow_loss(contexts, labels, W_in, W_out)
    N, C = contexts.shape
    p = np.exp(log_softmax(W_in[contexts].mean(axis=1) @ W_out.T))
    p[np.arange(N), labels] -= 1
    dW_in = np.zeros_like(W_in)
    dW_in[contexts] += (p @ W_out / (N * C))[:, None]
    return loss, dW_in, dW_out


@mutant(negative_sampling_loss)
def negatives_not_negated(center, context, negatives, W_in, W_out):
    """負例との内積は、大きくしたいですか小さくしたいですか。
    Should the score of a negative pair grow or shrink?"""
    scores = np.einsum("nd,nkd->nk", W_in[center], W_out[negatives])
    loss, dW_in, dW_out = negative_sampling_loss(center, context, negatives, W_in, W_out)
    return loss - float(scores.sum()) / len(center), dW_in, dW_out


@mutant(negative_sampling_loss)
def negatives_averaged(center, context, negatives, W_in, W_out):
    """K 個の負例の項は、和ですか平均ですか。
    Are the K negative terms summed or averaged?"""
    loss, dW_in, dW_out = negative_sampling_loss(center, context, negatives, W_in, W_out)
    positive = negative_sampling_loss(center, context, negatives[:, :0], W_in, W_out)[0]
    return positive + (loss - positive) / max(negatives.shape[1], 1), dW_in, dW_out


@mutant(negative_sampling_loss)
def positive_gradient_sign(center, context, negatives, W_in, W_out):
    """正例のスコアが十分大きいとき、勾配は 0 に近づきますか。
    When the positive score is large, does its gradient go to zero?"""
    loss, dW_in, dW_out = negative_sampling_loss(center, context, negatives, W_in, W_out)
    N, V = len(center), len(W_in)
    dW_in = dW_in + embedding_backward(W_out[context] / N, center, V)
    return loss, dW_in, dW_out + embedding_backward(W_in[center] / N, context, V)


@mutant(negative_sampling_loss)
def batch_summed(center, context, negatives, W_in, W_out):
    """組の数を 2 倍にすると、損失は 2 倍になりますか(この課題の約束)。
    Does the loss double when the pairs are doubled (this task's convention)?"""
    loss, dW_in, dW_out = negative_sampling_loss(center, context, negatives, W_in, W_out)
    return loss * len(center), dW_in * len(center), dW_out * len(center)


@mutant(negative_sampling_loss)
def repeated_words_overwritten(center, context, negatives, W_in, W_out):
    """同じ語が何度も負例に選ばれたとき、その行の勾配はどうまとめますか。
    If one word is drawn as a negative again and again, how do its gradients come together?"""
    loss, dW_in, _ = negative_sampling_loss(center, context, negatives, W_in, W_out)
    words = np.concatenate((context[:, None], negatives), axis=1)
    e = sigmoid(np.einsum("nd,nkd->nk", W_in[center], W_out[words])) / len(center)
    e[:, 0] -= 1 / len(center)
    dW_out = np.zeros_like(W_out)
    dW_out[words] += e[..., None] * W_in[center][:, None]
    return loss, dW_in, dW_out


@mutant(noise_distribution)
def noise_power_missing(counts, power=0.75):
    """3/4 乗すると、まれな単語の確率は上がりますか下がりますか。
    Does the power 3/4 raise or lower the share of rare words?"""
    return noise_distribution(counts, 1.0)


@mutant(noise_distribution)
def noise_not_normalised(counts, power=0.75):
    """確率をすべて足すと、いくつになるべきですか。
    What should all the probabilities add up to?"""
    return np.asarray(counts, float) ** power / np.sum(counts)


@mutant(subsample_keep_probability)
def subsampling_inverted(counts, threshold=1e-5):
    """よく出る単語ほど、残す確率は高いですか低いですか。論文の式は残す確率ですか、捨てる確率ですか。
    Are frequent words kept more often or less? Is the paper's formula that of keeping or of discarding?"""
    return 1 - subsample_keep_probability(counts, threshold)


@mutant(subsample_keep_probability)
def subsampling_without_root(counts, threshold=1e-5):
    """頻度が 100 倍の単語を残す確率は、1/100 ですか 1/10 ですか。
    A word 100 times as frequent: is it kept 100 or 10 times less often?"""
    return subsample_keep_probability(counts, threshold) ** 2


@mutant(subsample_keep_probability)
def subsampling_from_counts(counts, threshold=1e-5):
    """しきい値 1e-5 は、出現回数と相対頻度のどちらと比べますか。
    Is the threshold 1e-5 compared with counts or with relative frequencies?"""
    return np.sqrt(threshold / np.maximum(counts, threshold))


@mutant(hierarchical_log_prob)
def naive_log_sigmoid(h, nodes, code, theta):
    """スコアが -800 のとき、log(sigmoid) は有限ですか。
    Is log(sigmoid(-800)) finite in your form?"""
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.sum(np.log(1 / (1 + np.exp((2 * code - 1) * (theta[nodes] @ h))))))


@mutant(hierarchical_log_prob)
def code_sign_flipped(h, nodes, code, theta):
    """符号 0 の枝の確率は σ(θ·h) と σ(-θ·h) のどちらですか(この課題の約束)。
    Is code 0 the σ(θ·h) branch or the other (this task's convention)?"""
    return hierarchical_log_prob(h, nodes, 1 - code, theta)


@mutant(hierarchical_log_prob)
def path_averaged(h, nodes, code, theta):
    """根から葉までの確率は、掛け合わせますか、平均しますか。
    Are the branches' probabilities multiplied along the path, or averaged?"""
    return hierarchical_log_prob(h, nodes, code, theta) / max(len(nodes), 1)


@mutant(cosine_similarity)
def cosine_is_a_dot_product(a, b):
    """ベクトルを 2 倍に伸ばすと、コサイン類似度は変わりますか。
    Does the cosine change when a vector is doubled?"""
    return np.sum(a * b, axis=-1)


@mutant(cosine_similarity)
def cosine_divides_by_squared_norms(a, b):
    """自分自身とのコサイン類似度はいくつになるべきですか。
    What is the cosine of a vector with itself?"""
    squares = np.sum(a * a, axis=-1) * np.sum(b * b, axis=-1)
    return np.sum(a * b, axis=-1) / np.where(squares > 0, squares, 1)


@mutant(cosine_similarity)
def zero_vector_gives_nan(a, b):
    """零ベクトルとの類似度では、分母はいくつになりますか。
    What is the denominator when one vector is zero?"""
    with np.errstate(invalid="ignore"):
        return np.sum(a * b, axis=-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1))


def nearest(units, query, excluded=()):
    similarity = cosine_similarity(units, query)
    similarity[list(excluded)] = -np.inf
    return int(np.argmax(similarity))


@mutant(solve_analogy)
def analogy_returns_query_word(E, a, b, c):
    """答えの候補に、問題文の 3 語は含めてよいですか。
    May one of the three given words be the answer?"""
    U = E / np.linalg.norm(E, axis=1, keepdims=True)
    return nearest(U, U[b] - U[a] + U[c])


@mutant(solve_analogy)
def analogy_without_normalising(E, a, b, c):
    """b - a + c を作る前に、単語ベクトルの長さを揃えましたか。
    Were the word vectors brought to one length before forming b - a + c?"""
    return nearest(E, E[b] - E[a] + E[c], (a, b, c))


@mutant(solve_analogy)
def analogy_offset_reversed(E, a, b, c):
    """「a に対する b」の差は、b - a と a - b のどちらですか。
    "a is to b": is the offset b - a or a - b?"""
    return solve_analogy(E, b, a, c)
