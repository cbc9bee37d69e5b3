"""Wrong ideas about small models. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant
from torch.nn import functional

from reference.compression import (
    distillation_loss, distillation_loss_backward, global_magnitude_masks, layer_threshold_masks, low_rank_factors,
    masked_momentum_step, softened_softmax,
)
from reference.compression_torch import distillation_loss_torch
from reference.numerics import log_softmax, softmax


@mutant(softened_softmax)
def multiplies_by_temperature(logits, temperature):
    """温度を上げると、分布はなだらかになるはずです。
    Raising the temperature should flatten the distribution."""
    return softened_softmax(logits, 1 / temperature)


@mutant(softened_softmax)
def softmax_without_max(logits, temperature):
    """ロジットが 3000 のとき exp はどうなりますか。行全体を同じだけずらしても確率は同じです。
    What is exp(3000)? Shifting a whole row leaves its probabilities alone."""
    with np.errstate(all="ignore"):
        e = np.exp(logits / temperature)
        return e / e.sum(axis=1, keepdims=True)


@mutant(softened_softmax)
def probabilities_divided_by_temperature(logits, temperature):
    """温度で割るのは、softmax の前ですか、後ですか。行の和は 1 ですか。
    Is it before or after the softmax that T divides? Do the rows still sum to 1?"""
    return softmax(logits) / temperature


@mutant(softened_softmax)
def normalised_over_the_batch(logits, temperature):
    """和が 1 になるのは、どの軸についてですか。
    Along which axis should the probabilities sum to 1?"""
    return softmax(logits / temperature, axis=0)


def mixed(pair, soft, hard):
    """The two terms of each sample, weighed and averaged."""
    *_, T, alpha = pair
    return float(np.mean(alpha * T**2 * soft + (1 - alpha) * hard))


@mutant(distillation_loss)
def forgets_temperature_squared(student_logits, teacher_logits, labels, temperature, soft_weight):
    """温度を上げたとき、ソフト項の勾配の大きさはどう変わりますか。
    How does the size of the soft term's gradient change when the temperature rises?"""
    hard = distillation_loss(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft / temperature**2 + (1 - soft_weight) * hard


@mutant(distillation_loss)
def factor_is_temperature_not_squared(student_logits, teacher_logits, labels, temperature, soft_weight):
    """温度による縮小は一度だけですか。生徒のロジットの微分と、確率の差の両方で数えましょう。
    Does the temperature shrink the gradient only once? Count the student's derivative and the difference of probabilities."""
    hard = distillation_loss(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft / temperature + (1 - soft_weight) * hard


@mutant(distillation_loss)
def student_is_not_softened(student_logits, teacher_logits, labels, temperature, soft_weight):
    """教師と生徒を比べるときは、同じ温度を使います。
    Teacher and student are compared at the same temperature."""
    hard = distillation_loss(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(temperature * student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft + (1 - soft_weight) * hard


@mutant(distillation_loss)
def divergence_in_the_other_direction(student_logits, teacher_logits, labels, temperature, soft_weight):
    """期待値はどちらの分布でとりますか。正解の役をするのは教師です。
    Under which distribution is the mean taken? The teacher plays the part of the truth."""
    hard = distillation_loss(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(teacher_logits, student_logits, labels, temperature, 1.0)
    return soft_weight * soft + (1 - soft_weight) * hard


@mutant(distillation_loss)
def mean_over_classes_too(student_logits, teacher_logits, labels, temperature, soft_weight):
    """KL はクラスについての和です。クラスで平均すると、クラスを増やしただけで項が小さくなりませんか。
    A divergence is a sum over the classes; what would a mean make of more classes?"""
    hard = distillation_loss(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft / student_logits.shape[1] + (1 - soft_weight) * hard


@mutant(distillation_loss)
def log_of_a_rounded_probability(student_logits, teacher_logits, labels, temperature, soft_weight):
    """確率が 0 に丸められた後で log をとるとどうなりますか。
    What is the logarithm of a probability that was rounded to 0?"""
    p, q = softened_softmax(teacher_logits, temperature), softened_softmax(student_logits, temperature)
    with np.errstate(all="ignore"):
        soft = np.sum(p * (np.log(p) - np.log(q)), axis=1)
    hard = -log_softmax(student_logits)[np.arange(len(labels)), labels]
    return mixed((temperature, soft_weight), soft, hard)


@mutant(distillation_loss)
def hard_term_is_softened_too(student_logits, teacher_logits, labels, temperature, soft_weight):
    """正解ラベルとの誤差も温度を上げて計算しますか。
    Is the error against the true labels also computed at a raised temperature?"""
    hard = distillation_loss(student_logits / temperature, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft + (1 - soft_weight) * hard


@mutant(distillation_loss)
def soft_and_hard_weights_swapped(student_logits, teacher_logits, labels, temperature, soft_weight):
    """重み α は、教師との項と正解ラベルとの項のどちらに掛かりますか。
    Which term carries the weight α: the teacher's or the labels'?"""
    return distillation_loss(student_logits, teacher_logits, labels, temperature, 1 - soft_weight)


@mutant(distillation_loss)
def cross_entropy_with_the_soft_targets(student_logits, teacher_logits, labels, temperature, soft_weight):
    """生徒が教師とまったく同じとき、KL はいくつですか。交差エントロピーとは何が違いますか。
    What is KL where the student equals the teacher, and by what does the cross-entropy differ from it?"""
    p = softened_softmax(teacher_logits, temperature)
    soft = -np.sum(p * log_softmax(student_logits / temperature), axis=1)
    hard = -log_softmax(student_logits)[np.arange(len(labels)), labels]
    return mixed((temperature, soft_weight), soft, hard)


@mutant(distillation_loss_backward)
def gradient_without_temperature(student_logits, teacher_logits, labels, temperature, soft_weight):
    """損失には T² が掛かり、z/T の微分からは 1/T が出ます。残るのは何ですか。
    The loss carries T², and the derivative of z/T gives 1/T: what is left?"""
    part = lambda alpha: distillation_loss_backward(student_logits, teacher_logits, labels, temperature, alpha)
    return soft_weight * part(1.0) / temperature + (1 - soft_weight) * part(0.0)


@mutant(distillation_loss_backward)
def gradient_keeps_temperature_squared(student_logits, teacher_logits, labels, temperature, soft_weight):
    """ロジットを T で割ったことは、連鎖律のどこに現れますか。
    Where in the chain rule does dividing the logits by T show up?"""
    part = lambda alpha: distillation_loss_backward(student_logits, teacher_logits, labels, temperature, alpha)
    return soft_weight * part(1.0) * temperature + (1 - soft_weight) * part(0.0)


@mutant(distillation_loss_backward)
def gradient_not_divided_by_batch(student_logits, teacher_logits, labels, temperature, soft_weight):
    """同じデータを 2 回並べたバッチで、損失の平均と勾配はどう変わるべきですか。
    Stack the batch on itself: how should the gradient of a mean change?"""
    return len(labels) * distillation_loss_backward(student_logits, teacher_logits, labels, temperature, soft_weight)


@mutant(distillation_loss_backward)
def labels_gradient_at_the_temperature(student_logits, teacher_logits, labels, temperature, soft_weight):
    """正解ラベルの項で使う生徒の確率は、どの温度のものですか。
    At which temperature are the student's probabilities in the labels' term?"""
    hard = distillation_loss_backward(student_logits / temperature, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss_backward(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft + (1 - soft_weight) * hard


@mutant(distillation_loss_backward)
def gradient_points_downhill(student_logits, teacher_logits, labels, temperature, soft_weight):
    """求めるのは損失が増える向きの勾配です。引き算の順序は合っていますか。
    The gradient points to where the loss grows: in which order do you subtract?"""
    return -distillation_loss_backward(student_logits, teacher_logits, labels, temperature, soft_weight)


def cut(layers, keep):
    """One flat mask, cut to the shapes of the layers."""
    ends = np.cumsum([w.size for w in layers])[:-1]
    return [part.reshape(w.shape) for part, w in zip(np.split(keep, ends), layers, strict=True)]


@mutant(global_magnitude_masks)
def removes_the_largest_weights(layers, sparsity):
    """出力への寄与が小さいのは、絶対値の大きい重みですか、小さい重みですか。
    Which weights contribute less to the output, those of large or of small magnitude?"""
    magnitude = np.concatenate([np.abs(w).ravel() for w in layers])
    keep = np.ones(magnitude.size, dtype=bool)
    keep[np.argsort(magnitude, kind="stable")[magnitude.size - int(sparsity * magnitude.size) :]] = False
    return cut(layers, keep)


@mutant(global_magnitude_masks)
def ranks_by_value_not_magnitude(layers, sparsity):
    """-5 と 0.1 では、どちらが重要な重みでしょう。
    Which weight matters more, -5 or 0.1?"""
    lowest = min(w.min() for w in layers)
    return global_magnitude_masks([w - lowest for w in layers], sparsity)


@mutant(global_magnitude_masks)
def keeps_the_share_it_should_remove(layers, sparsity):
    """スパース率は、残す割合ではなく 0 の割合です。
    Sparsity is the share of zeros, not the share that stays."""
    return global_magnitude_masks(layers, 1 - sparsity)


@mutant(global_magnitude_masks)
def each_layer_loses_the_same_share(layers, sparsity):
    """小さな重みが多い層と少ない層から、同じ割合で消してよいでしょうか。
    Does a layer of large weights lose as many as a layer of small ones?"""
    return [global_magnitude_masks([w], sparsity)[0] for w in layers]


@mutant(global_magnitude_masks)
def number_of_zeros_rounded_up(layers, sparsity):
    """sparsity·n が整数でないとき、消す数は切り上げですか、切り捨てですか。
    Where sparsity·n is no whole number, is the number of zeros rounded up or down?"""
    n = sum(w.size for w in layers)
    return global_magnitude_masks(layers, np.ceil(sparsity * n - 1e-9) / n)


@mutant(global_magnitude_masks)
def ties_go_together(layers, sparsity):
    """しきい値と同じ大きさの重みがいくつもあるとき、消える数はちょうど floor(sparsity·n) ですか。
    Where several weights are as large as the threshold, are exactly floor(sparsity·n) removed?"""
    magnitude = np.concatenate([np.abs(w).ravel() for w in layers])
    count = int(sparsity * magnitude.size + 1e-9)
    threshold = np.sort(magnitude)[count - 1] if count else -1
    return cut(layers, magnitude > threshold)


def with_thresholds(layers, threshold):
    """Masks and shares with another threshold of a layer."""
    masks = [np.abs(w) >= threshold(w) for w in layers]
    gone, sizes = np.array([np.sum(~mask) for mask in masks]), np.array([w.size for w in layers])
    return masks, gone / sizes, float(gone.sum() / sizes.sum())


@mutant(layer_threshold_masks)
def threshold_without_the_spread(layers, quality):
    """層ごとに重みの大きさが違います。しきい値はその層の何に比例しますか。
    Layers differ in the size of their weights; to what in the layer is the threshold proportional?"""
    return with_thresholds(layers, lambda w: quality)


@mutant(layer_threshold_masks)
def variance_for_the_spread(layers, quality):
    """層の重みをすべて 8 倍すると、しきい値も 8 倍になりますか。
    Multiply a layer by 8: does its threshold become 8 times as large?"""
    return with_thresholds(layers, lambda w: quality * np.var(w))


@mutant(layer_threshold_masks)
def root_mean_square_for_the_spread(layers, quality):
    """標準偏差は、0 からの離れ具合ですか、平均からの離れ具合ですか。
    Does a standard deviation measure the distance from 0 or from the mean?"""
    return with_thresholds(layers, lambda w: quality * np.sqrt(np.mean(w**2)))


@mutant(layer_threshold_masks)
def spread_divided_by_one_less(layers, quality):
    """標準偏差の平均は n で割りますか、n - 1 で割りますか(この課題の約束)。
    Does the standard deviation divide by n or by n - 1 (this task's convention)?"""
    return with_thresholds(layers, lambda w: quality * np.std(w, ddof=1))


@mutant(layer_threshold_masks)
def one_threshold_for_all_layers(layers, quality):
    """しきい値は、どの重みのばらつきから決めますか。層ごとですか、全体ですか。
    From whose spread does the threshold come: the layer's or the whole net's?"""
    return with_thresholds(layers, lambda w: quality * np.std(np.concatenate([v.ravel() for v in layers])))


@mutant(layer_threshold_masks)
def keeps_weights_below_the_threshold(layers, quality):
    """しきい値を超えた重みは消すのですか、残すのですか。
    Are the weights above the threshold removed, or kept?"""
    masks, removed, total = layer_threshold_masks(layers, quality)
    return [~mask for mask in masks], 1 - removed, 1 - total


@mutant(layer_threshold_masks)
def total_is_the_mean_of_the_layers(layers, quality):
    """層の大きさが違うとき、割合の単純平均でよいでしょうか。
    When layers differ in size, is the plain mean of their shares right?"""
    masks, removed, _ = layer_threshold_masks(layers, quality)
    return masks, removed, float(np.mean(removed))


@mutant(layer_threshold_masks)
def shares_of_what_stays(layers, quality):
    """返すのは、残った割合ですか、消えた割合ですか。
    Are the shares to return those of the weights that stay, or of those that go?"""
    masks, removed, total = layer_threshold_masks(layers, quality)
    return masks, 1 - removed, 1 - total


@mutant(masked_momentum_step)
def fine_tuning_revives_weights(w, grad, velocity, mask, lr, momentum):
    """再学習の間も、消した結合が戻ってはいけません。
    Removed connections must not come back while fine-tuning."""
    return masked_momentum_step(w * mask, grad, velocity, np.ones_like(mask), lr, momentum)


@mutant(masked_momentum_step)
def removed_weights_keep_their_velocity(w, grad, velocity, mask, lr, momentum):
    """消した重みの速度は、次のステップでも残っていてよいですか。
    May a removed weight keep its velocity for the next step?"""
    return masked_momentum_step(w, grad, velocity, mask, lr, momentum)[0], momentum * velocity - lr * grad


@mutant(masked_momentum_step)
def lr_scales_the_velocity(w, grad, velocity, mask, lr, momentum):
    """v ← μv - lr·g で、lr が掛かるのはどの項ですか。
    In v ← μv - lr·g, which term does lr multiply?"""
    return masked_momentum_step(w, grad, lr * velocity, mask, lr, momentum)


@mutant(masked_momentum_step)
def mask_marks_what_goes(w, grad, velocity, mask, lr, momentum):
    """マスクの True は、残す印ですか、消す印ですか。
    Does True in the mask mean that a weight stays, or that it goes?"""
    return masked_momentum_step(w, grad, velocity, ~mask, lr, momentum)


@mutant(masked_momentum_step)
def removed_weights_are_only_frozen(w, grad, velocity, mask, lr, momentum):
    """消した重みは動かなければ十分ですか。その値はいくつですか。
    Is it enough that a removed weight does not move? What is its value?"""
    moved, velocity = masked_momentum_step(w, grad, velocity, mask, lr, momentum)
    return np.where(mask, moved, w), velocity


@mutant(low_rank_factors)
def keeps_the_smallest_singular_values(W, rank):
    """残すべき成分は、特異値の大きい方ですか、小さい方ですか。
    Which components carry most of W: those of the large or of the small singular values?"""
    U, singular, Vt = np.linalg.svd(W, full_matrices=False)
    return U[:, -rank:] * singular[-rank:], Vt[-rank:]


@mutant(low_rank_factors)
def singular_values_used_twice(W, rank):
    """A と B を掛け戻すと、特異値は何回掛かりますか。
    Multiply A and B: how often does each singular value appear?"""
    U, singular, Vt = np.linalg.svd(W, full_matrices=False)
    return U[:, :rank] * singular[:rank], singular[:rank, None] * Vt[:rank]


@mutant(low_rank_factors)
def factors_without_singular_values(W, rank):
    """A と B の積の大きさは W と合いますか。特異値はどこに入りましたか。
    Is the product of A and B as large as W? Where did the singular values go?"""
    U, _, Vt = np.linalg.svd(W, full_matrices=False)
    return U[:, :rank], Vt[:rank]


@mutant(low_rank_factors)
def first_rows_and_columns_of_W(W, rank):
    """W の一部の行を切り出すだけで、誤差は最小になりますか。
    Does cutting rows out of W give the least error?"""
    return np.eye(len(W))[:, :rank], W[:rank]


@mutant(distillation_loss_torch)
def teacher_learns_too(student_logits, teacher_logits, labels, temperature, soft_weight):
    """教師のロジットにも勾配が流れていませんか。学習するのは誰ですか。
    Does a gradient reach the teacher's logits, too? Who is it that learns?"""
    p, log_q = softmax_of(teacher_logits, temperature), functional.log_softmax(student_logits / temperature, dim=1)
    soft = functional.kl_div(log_q, p, reduction="batchmean")
    return soft_weight * temperature**2 * soft + (1 - soft_weight) * functional.cross_entropy(student_logits, labels)


@mutant(distillation_loss_torch)
def divergence_averaged_over_all_entries(student_logits, teacher_logits, labels, temperature, soft_weight):
    """kl_div の reduction="mean" は、何個の数で割りますか。
    By how many numbers does kl_div's reduction="mean" divide?"""
    hard = distillation_loss_torch(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss_torch(student_logits, teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft / student_logits.shape[1] + (1 - soft_weight) * hard


@mutant(distillation_loss_torch)
def probabilities_given_as_logarithms(student_logits, teacher_logits, labels, temperature, soft_weight):
    """kl_div の第 1 引数は、確率ですか、その対数ですか。
    Is the first argument of kl_div a probability or its logarithm?"""
    p, q = softmax_of(teacher_logits.detach(), temperature), softmax_of(student_logits, temperature)
    soft = functional.kl_div(q, p, reduction="batchmean")
    return soft_weight * temperature**2 * soft + (1 - soft_weight) * functional.cross_entropy(student_logits, labels)


@mutant(distillation_loss_torch)
def student_detached(student_logits, teacher_logits, labels, temperature, soft_weight):
    """ソフト項から生徒へ勾配が戻りますか。切り離すのはどちらのロジットですか。
    Does the soft term send a gradient back to the student? Whose logits are to be detached?"""
    hard = distillation_loss_torch(student_logits, teacher_logits, labels, temperature, 0.0)
    soft = distillation_loss_torch(student_logits.detach(), teacher_logits, labels, temperature, 1.0)
    return soft_weight * soft + (1 - soft_weight) * hard


def softmax_of(logits, temperature):
    return torch.softmax(logits / temperature, dim=1)
