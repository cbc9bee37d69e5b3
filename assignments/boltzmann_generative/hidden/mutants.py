"""Wrong ideas about Boltzmann machines, naive Bayes and GANs, most of them the reference asked a little differently."""

import numpy as np
from autograder.properties import mutant

from reference.boltzmann_generative import (
    contrastive_divergence, free_energy, gan_losses, hidden_probabilities, log_partition, naive_bayes_logit, rbm_energy,
)
from reference.numerics import sigmoid, softplus


@mutant(rbm_energy)
def energy_with_the_wrong_sign(v, h, W, b, c):
    """起こりやすい状態ほど、エネルギーは高いですか、低いですか。
    Do likely states have high or low energy?"""
    return -rbm_energy(v, h, W, b, c)


@mutant(rbm_energy)
def energy_forgets_the_hidden_bias(v, h, W, b, c):
    """隠れユニットにも 1 個ずつバイアスがあります。
    Hidden units have their own biases as well."""
    return rbm_energy(v, h, W, b, 0 * c)


@mutant(rbm_energy)
def each_pair_counted_with_a_half(v, h, W, b, c):
    """½ が付くのは、同じ組を 2 回数える全結合のボルツマンマシンの書き方です。
    The ½ belongs to the general machine, where a sum over all i, j meets every pair twice."""
    return rbm_energy(v, h, 0.5 * W, b, c)


@mutant(free_energy)
def free_energy_takes_the_best_hidden_state(v, W, b, c):
    """最良の隠れ状態だけでなく、すべての隠れ状態を足し合わせます。
    All hidden states are summed, not only the best."""
    return -(v @ b) - np.sum(np.maximum(0, v @ W + c), axis=1)


@mutant(free_energy)
def free_energy_averages_hidden_states(v, W, b, c):
    """隠れ状態について平均するのですか、和をとるのですか。
    Is it the mean over the hidden states, or the sum?"""
    return free_energy(v, W, b, c) + len(c) * np.log(2)


@mutant(free_energy)
def free_energy_overflows(v, W, b, c):
    """log(1+exp(1500)) は有限ですか。
    Is log(1 + exp(1500)) finite as you wrote it?"""
    with np.errstate(over="ignore"):
        return -(v @ b) - np.sum(np.log(1 + np.exp(v @ W + c)), axis=1)


@mutant(free_energy)
def free_energy_is_the_mean_energy(v, W, b, c):
    """自由エネルギーは、隠れ層の期待値でのエネルギーと同じですか。エントロピーの分はどうなりますか。
    Is the free energy just the energy at the hidden units' expected values? Where does their entropy go?"""
    return rbm_energy(v, hidden_probabilities(v, W, c), W, b, c)


@mutant(hidden_probabilities)
def conditional_forgets_the_bias(v, W, c):
    """入力がすべて 0 のとき、確率はいつも 1/2 ですか。
    Is the probability always ½ when the input is all zero?"""
    return hidden_probabilities(v, W, 0 * c)


@mutant(hidden_probabilities)
def softmax_over_hidden_units(v, W, c):
    """隠れユニットは、1 つだけが選ばれるのですか。
    Is exactly one hidden unit on?"""
    a = v @ W + c
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@mutant(hidden_probabilities)
def sigmoid_as_a_ratio_of_exponentials(v, W, c):
    """a が大きいとき、分子と分母はそれぞれいくつになりますか。
    What become numerator and denominator for a large a?"""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.exp(v @ W + c) / (1 + np.exp(v @ W + c))


@mutant(log_partition)
def partition_sums_free_energies(W, b, c):
    """足し合わせるのは、エネルギーではなく、その指数です。
    What is summed is the exponential of the negative energy."""
    return float(np.sum(-free_energy(_states(len(b)), W, b, c)))


@mutant(log_partition)
def partition_overflows(W, b, c):
    """大きな値の exp の和の対数は、どうすれば溢れずに計算できますか。
    How can the log of a sum of huge exponentials be had without overflow?"""
    with np.errstate(over="ignore", divide="ignore"):
        return float(np.log(np.sum(np.exp(-free_energy(_states(len(b)), W, b, c)))))


@mutant(log_partition)
def partition_forgets_the_hidden_states(W, b, c):
    """分配関数は、可視層と隠れ層の両方のすべての状態についての和です。
    The partition function sums over all states of both layers, the hidden one too."""
    states = _states(len(b))
    return float(np.logaddexp.reduce(-rbm_energy(states, np.ones((len(states), len(c))), W, b, c)))


@mutant(contrastive_divergence)
def negative_phase_from_the_data(v0, u_hidden, u_visible, W, b, c):
    """第 2 項の可視層の値は、データですか、モデルからのサンプルですか。
    In the second term, are the visible values the data or the model's sample?"""
    _, db, dc, v = contrastive_divergence(v0, u_hidden, u_visible, W, b, c)
    return v0.T @ (hidden_probabilities(v0, W, c) - hidden_probabilities(v, W, c)) / len(v0), db, dc, v


@mutant(contrastive_divergence)
def update_with_the_wrong_sign(v0, u_hidden, u_visible, W, b, c):
    """データの確率を上げるには、どちらの相関を強めますか。
    Which correlations must grow for the data to become more likely?"""
    dW, db, dc, v = contrastive_divergence(v0, u_hidden, u_visible, W, b, c)
    return -dW, -db, -dc, v


@mutant(contrastive_divergence)
def gibbs_passes_probabilities(v0, u_hidden, u_visible, W, b, c):
    """ギブスサンプリングで隠れ層から可視層へ渡すのは、確率ですか、0/1 のサンプルですか。
    In Gibbs sampling, does the hidden layer pass on a probability or a 0/1 sample?"""
    v = v0
    for uv in u_visible:
        v = _sample(uv, hidden_probabilities(hidden_probabilities(v, W, c), W.T, b))
    return *_statistics(v0, v, W, c), v


@mutant(contrastive_divergence)
def every_step_restarts_from_the_data(v0, u_hidden, u_visible, W, b, c):
    """2 回目のステップで隠れ層を引くとき、どの可視状態の確率を使っていますか。
    When the second step draws the hidden layer, which visible state do its probabilities come from?"""
    return contrastive_divergence(v0, u_hidden[-1:], u_visible[-1:], W, b, c)


@mutant(contrastive_divergence)
def visible_states_are_probabilities(v0, u_hidden, u_visible, W, b, c):
    """この課題では、可視層の再構成は 0/1 のサンプルですか、確率ですか。
    In this task, is the reconstruction a 0/1 sample or a probability?"""
    v = v0
    for uh in u_hidden:
        v = hidden_probabilities(_sample(uh, hidden_probabilities(v, W, c)), W.T, b)
    return *_statistics(v0, v, W, c), v


@mutant(contrastive_divergence)
def visible_bias_forgotten_in_the_chain(v0, u_hidden, u_visible, W, b, c):
    """可視ユニットにもバイアスがあります。
    Visible units have biases as well."""
    return contrastive_divergence(v0, u_hidden, u_visible, W, 0 * b, c)


@mutant(contrastive_divergence)
def statistics_from_hidden_samples(v0, u_hidden, u_visible, W, b, c):
    """統計量に使うのは、隠れ層のサンプルですか、確率ですか。
    Do the statistics use the hidden samples or the probabilities?"""
    dW, db, dc, v = contrastive_divergence(v0, u_hidden, u_visible, W, b, c)
    p0 = hidden_probabilities(v0, W, c)
    noise = _sample(u_hidden[0], p0) - p0
    return dW + v0.T @ noise / len(v0), db, dc + noise.mean(axis=0), v


@mutant(contrastive_divergence)
def update_is_summed_over_the_batch(v0, u_hidden, u_visible, W, b, c):
    """更新の大きさは、バッチの大きさによって変わりますか。
    Should the size of the update grow with the batch?"""
    dW, db, dc, v = contrastive_divergence(v0, u_hidden, u_visible, W, b, c)
    return dW * len(v0), db * len(v0), dc * len(v0), v


@mutant(naive_bayes_logit)
def smoothing_once_in_the_denominator(x, labels, smoothing):
    """値が 2 通りのとき、分母には α を何回足しますか。
    With two possible values, how often is α added in the denominator?"""
    p1, p0 = ((x[labels == y].sum(axis=0) + smoothing) / (np.sum(labels == y) + smoothing) for y in (1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        absent = np.log((1 - p1) / (1 - p0))
        return np.log(p1 / p0) - absent, float(np.log(labels.mean() / (1 - labels.mean())) + absent.sum())


@mutant(naive_bayes_logit)
def absent_features_say_nothing(x, labels, smoothing):
    """「その特徴が無い」ことも証拠になります。
    That a feature is absent is evidence too."""
    n1, n0 = np.sum(labels == 1), np.sum(labels == 0)
    p1, p0 = ((x[labels == y].sum(axis=0) + smoothing) / (n + 2 * smoothing) for y, n in ((1, n1), (0, n0)))
    return np.log(p1 / p0), float(np.log(n1 / n0))


@mutant(naive_bayes_logit)
def class_prior_ignored(x, labels, smoothing):
    """クラスの出現頻度が違うとき、それも証拠になりませんか。
    Do unequal class frequencies not count as evidence?"""
    w, bias = naive_bayes_logit(x, labels, smoothing)
    return w, bias - float(np.log(np.sum(labels == 1) / np.sum(labels == 0)))


@mutant(naive_bayes_logit)
def class_prior_smoothed(x, labels, smoothing):
    """この課題では、クラスの事前確率も平滑化しますか。
    Is the class prior smoothed in this task?"""
    w, bias = naive_bayes_logit(x, labels, smoothing)
    n1, n0 = np.sum(labels == 1), np.sum(labels == 0)
    return w, bias + float(np.log((n1 + smoothing) / (n0 + smoothing)) - np.log(n1 / n0))


@mutant(gan_losses)
def nonsaturating_is_the_minimax_with_a_sign(real_logits, fake_logits):
    """D(G(z)) を 1 に近づけたいとき、log(1−D) と log D のどちらを使う形ですか。
    Which logarithm, of D or of 1−D, gives a strong gradient while D(G(z)) is near 0?"""
    d, minimax, _ = gan_losses(real_logits, fake_logits)
    return d, minimax, -minimax


@mutant(gan_losses)
def minimax_with_the_discriminators_sign(real_logits, fake_logits):
    """生成器は log(1−D(G(z))) を大きくしたいのですか、小さくしたいのですか。
    Does the generator want log(1−D(G(z))) to be large or small?"""
    d, minimax, nonsaturating = gan_losses(real_logits, fake_logits)
    return d, -minimax, nonsaturating


@mutant(gan_losses)
def loss_from_probabilities(real_logits, fake_logits):
    """D(x) が 1 に丸められると、log(1−D) はいくつになりますか。
    What is log(1 − D) once D has been rounded to 1?"""
    with np.errstate(divide="ignore"):
        d = -np.mean(np.log(sigmoid(real_logits))) - np.mean(np.log(1 - sigmoid(fake_logits)))
    return float(d), *gan_losses(real_logits, fake_logits)[1:]


@mutant(gan_losses)
def discriminator_loss_halved(real_logits, fake_logits):
    """識別器の損失は、2つの項の和ですか平均ですか(この課題の約束)。
    Is the discriminator's loss the sum of the two means or their average (this task's convention)?"""
    d, *generator = gan_losses(real_logits, fake_logits)
    return d / 2, *generator


@mutant(gan_losses)
def one_mean_over_real_and_fake(real_logits, fake_logits):
    """本物と生成物の数が違うとき、それぞれの平均をとっていますか。
    With unequal numbers of real and generated samples, is each averaged on its own?"""
    d = 2 * np.mean(softplus(np.concatenate([-real_logits, fake_logits])))
    return float(d), *gan_losses(real_logits, fake_logits)[1:]


def _states(D):
    return (np.arange(2**D)[:, None] >> np.arange(D) & 1).astype(float)


def _sample(u, p):
    return (u < p).astype(float)


def _statistics(v0, v, W, c):
    p0, p = hidden_probabilities(v0, W, c), hidden_probabilities(v, W, c)
    return (v0.T @ p0 - v.T @ p) / len(v0), (v0 - v).mean(axis=0), (p0 - p).mean(axis=0)
