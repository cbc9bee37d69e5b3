"""Wrong ideas about regularisation. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
from autograder.properties import mutant

from reference.numerics import one_hot
from reference.regularization import (
    adamw_step, clip_by_global_norm, dropout, early_stopping, l1_penalty, l2_penalty, mixup, smooth_labels,
)


@mutant(l1_penalty)
def l1_gradient_magnitude(w, strength):
    """|w| の微分は w の何で決まりますか。
    On which feature of w does the derivative of |w| depend?"""
    return l1_penalty(w, strength)[0], strength * np.abs(w)


@mutant(l1_penalty)
def l1_pushes_at_zero(w, strength):
    """すでに 0 になった重みは、どちらへ動くべきですか。
    Which way should a weight move that is 0 already?"""
    return l1_penalty(w, strength)[0], np.where(w >= 0, strength, -strength)


@mutant(l1_penalty)
def l1_averaged(w, strength):
    """罰則は重みについての和ですか、平均ですか。重みを増やすと罰則はどうなりますか。
    Is the penalty a sum over the weights or a mean: what do more weights cost?"""
    value, grad = l1_penalty(w, strength)
    return value / w.size, grad / w.size


@mutant(l2_penalty)
def l2_without_half(w, strength):
    """損失に足した項を w で微分すると、係数はいくつになりますか。
    Differentiate the term you added: which factor appears?"""
    return 2 * l2_penalty(w, strength)[0], strength * w


@mutant(l2_penalty)
def l2_is_the_norm(w, strength):
    """荷重減衰で足すのは L2 ノルムそのものですか、その2乗ですか。
    Is the penalty the L2 norm or its square?"""
    return 0.5 * strength * np.sqrt(np.sum(w**2)), strength * w


@mutant(l2_penalty)
def l2_of_another_lambda(w, strength):
    """値と勾配の組は合っていますが、この課題の λ には ½ が付きます。勾配の係数はいくつになりますか。
    Value and gradient belong together, but here λ comes with a ½: what is the factor of the gradient then?"""
    return l2_penalty(w, 2 * strength)


@mutant(adamw_step)
def decay_through_moments(
    w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True
):
    """Adam では L2 の勾配も √v で割られます。減衰を勾配と別に引くと何が変わりますか。
    Inside Adam the penalty's gradient is divided by √v as well: what if the decay is applied outside?"""
    return adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, weight_decay, False)


@mutant(adamw_step)
def decay_without_lr(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """減衰の項には学習率が掛かりますか(この課題の約束)。
    Is the decay term multiplied by the learning rate (this task's convention)?"""
    decay = weight_decay / lr if decoupled else weight_decay
    return adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, decay, decoupled)


@mutant(adamw_step)
def lr_inside_the_gradient(
    w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True
):
    """正則化項の勾配は λw です。学習率はどこで、何回掛かりますか。
    The gradient of the penalty is λw: where does the learning rate enter, and how often?"""
    decay = weight_decay if decoupled else lr * weight_decay
    return adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, decay, decoupled)


@mutant(adamw_step)
def decay_twice(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """減衰は1回だけです。勾配に足したうえで、さらに引いていませんか。
    The decay acts once: is it both in the gradient and subtracted?"""
    shifted = grad + weight_decay * w if decoupled else grad
    return adamw_step(w, shifted, m, v, t, lr, beta1, beta2, eps, weight_decay, decoupled)


@mutant(adamw_step)
def decay_of_the_new_weight(
    w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True
):
    """減衰させるのは更新前の w ですか、Adam で動かした後の w ですか(この課題の約束)。
    Which weight decays: the one before or after Adam moved it (this task's convention)?"""
    if not decoupled:
        return adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, weight_decay, False)
    new, m, v = adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, 0)
    return (1 - lr * weight_decay) * new, m, v


@mutant(adamw_step)
def time_forgotten(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """バイアス補正は t が進むと弱くなります。t を渡していますか。
    The bias correction fades with t: is t passed on?"""
    return adamw_step(w, grad, m, v, 1, lr, beta1, beta2, eps, weight_decay, decoupled)


@mutant(adamw_step)
def state_not_updated(w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True):
    """次のステップに渡す m, v は、このステップで更新した値そのものです。もう一度減衰させていませんか。
    The moments for the next step are those of this step, unchanged: do they decay once more?"""
    new, m, v = adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, weight_decay, decoupled)
    return new, beta1 * m, beta2 * v


@mutant(adamw_step)
def corrected_moments_returned(
    w, grad, m, v, t, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, decoupled=True
):
    """バイアス補正は一歩の大きさを決めるためだけのものです。補正した値を次のステップに渡すとどうなりますか。
    The bias correction serves this step alone: what happens if the corrected moments are handed on?"""
    new, m, v = adamw_step(w, grad, m, v, t, lr, beta1, beta2, eps, weight_decay, decoupled)
    first, second = (1 - beta**t for beta in (beta1, beta2))
    return new, m / first, v / second


@mutant(dropout)
def train_not_scaled(x, p, u, train, inverted=True):
    """予測時に何も掛けないなら、学習時に期待値をそろえる係数が必要です。
    If nothing is scaled at test time, what keeps the expectation equal in training?"""
    return dropout(x, p, u, train, inverted and not train)


@mutant(dropout)
def test_times_dropped_fraction(x, p, u, train, inverted=True):  # noqa: PT028
    """残した割合と消した割合、予測時に掛けるのはどちらですか。
    At test time, multiply by the fraction kept or the fraction dropped?"""
    return dropout(x, p if train else 1 - p, u, train, inverted)


@mutant(dropout)
def scaled_twice(x, p, u, train, inverted=True):
    """inverted dropout では学習時に割っています。予測時にも掛けるとどうなりますか。
    Inverted dropout already divided in training: what does scaling again do?"""
    return dropout(x, p, u, train, inverted and train)


@mutant(dropout)
def classic_divides_too(x, p, u, train, inverted=True):
    """classic では補正を予測時に行います。学習時にも割っていませんか。
    The classic form corrects at test time: is training scaled as well?"""
    return dropout(x, p, u, train, inverted or train)


@mutant(dropout)
def p_is_keep(x, p, u, train, inverted=True):
    """p は消す確率ですか、残す確率ですか。p=0 のとき何が起こるべきですか。
    Is p the probability to drop or to keep? What must p=0 do?"""
    return dropout(x, p, np.where(u < p, 1.0, -1.0), train, inverted)


@mutant(dropout)
def drops_at_test_time(x, p, u, train, inverted=True):
    """予測のたびに結果が変わってよいでしょうか。予測時にもユニットを消していませんか。
    May a prediction differ from call to call? Are units dropped at test time too?"""
    return dropout(x, p, u, True, inverted)


@mutant(dropout)
def divided_by_the_dropped_share(x, p, u, train, inverted=True):
    """残るのは全体のうちどれだけですか。その割合で割ると期待値が戻ります。
    Which share of the units is left? It is this share that restores the expectation."""
    y, scale = dropout(x, p, u, train, inverted)
    factor = (1 - p) / max(p, 1e-6) if train and inverted else 1.0
    return y * factor, scale * factor


@mutant(dropout)
def one_draw_for_the_batch(x, p, u, train, inverted=True):
    """乱数は要素ごとに渡されています。どのサンプルも同じユニットを失っていませんか。
    There is a draw for every entry: do all samples lose the same units?"""
    return dropout(x, p, np.broadcast_to(u[:1], u.shape), train, inverted)


def watched(losses, patience, improves, resets=True):
    """The rule with one of its parts exchanged; `improves` sees the loss, the best so far and the loss before."""
    best, best_epoch, wait, before = np.inf, -1, 0, np.inf
    for epoch, loss in enumerate(losses):
        if improves(loss, best, before):
            best, best_epoch, wait = loss, epoch, 0 if resets else wait
        else:
            wait += 1
            if wait >= patience:
                return epoch, best_epoch
        before = loss
    return len(losses) - 1, best_epoch


@mutant(early_stopping)
def compare_with_previous(losses, patience, min_delta=0.0):
    """比べる相手は直前の値ですか、これまでの最良値ですか。
    Compare with the previous value or with the best so far?"""
    return watched(losses, patience, lambda loss, best, before: loss < before - min_delta)


@mutant(early_stopping)
def counter_not_reset(losses, patience, min_delta=0.0):
    """改善したとき、カウンタはどうなるべきですか。
    What should happen to the counter when the loss improves?"""
    return watched(losses, patience, lambda loss, best, before: loss < best - min_delta, resets=False)


@mutant(early_stopping)
def nan_becomes_the_best(losses, patience, min_delta=0.0):
    """NaN との比較はすべて偽になります。発散した epoch が「最良」になっていませんか。
    Every comparison with NaN is false: can a diverged epoch become the best one?"""
    return watched(losses, patience, lambda loss, best, before: not loss >= best - min_delta)


@mutant(early_stopping)
def min_delta_ignored(losses, patience, min_delta=0.0):
    """min_delta より小さい改善は、改善と数えますか。
    Does a fall smaller than min_delta count as an improvement?"""
    return early_stopping(losses, patience)


@mutant(early_stopping)
def patience_off_by_one(losses, patience, min_delta=0.0):
    """patience=1 のとき、悪化が何回で止まりますか。
    With patience 1, after how many bad epochs does it stop?"""
    return early_stopping(losses, patience + 1, min_delta)


@mutant(early_stopping)
def ties_improve(losses, patience, min_delta=0.0):
    """最良値とちょうど同じ(または差がちょうど min_delta の)損失は、改善ですか。
    Is a loss that only equals the best, or lies exactly min_delta below it, an improvement?"""
    return watched(losses, patience, lambda loss, best, before: loss <= best - min_delta)


@mutant(early_stopping)
def last_epoch_is_kept(losses, patience, min_delta=0.0):
    """使うパラメータは、止まった時点のものですか、最も良かった時点のものですか。
    Whose parameters are kept: those of the epoch where it stopped, or of the best one?"""
    stop, _ = early_stopping(losses, patience, min_delta)
    return stop, stop


@mutant(early_stopping)
def epochs_from_one(losses, patience, min_delta=0.0):
    """最初の epoch の番号は 0 ですか、1 ですか。
    Is the first epoch number 0 or 1?"""
    stop, best = early_stopping(losses, patience, min_delta)
    return stop + 1, best + 1


@mutant(smooth_labels)
def smooth_over_others(labels, classes, smoothing):
    """ε は K 個のクラス全部に一様に配りますか、正解以外だけですか。
    Is ε spread over all K classes or only the wrong ones?"""
    onehot = one_hot(labels, classes)
    return (1 - smoothing) * onehot + smoothing / (classes - 1) * (1 - onehot)


@mutant(smooth_labels)
def smoothing_only_added(labels, classes, smoothing):
    """行の和は 1 のままですか。配った分は、どこから取ってきますか。
    Does a row still sum to 1? Where is what is spread taken from?"""
    return one_hot(labels, classes) + smoothing / classes


@mutant(smooth_labels)
def true_class_gets_no_share(labels, classes, smoothing):
    """正解のクラスも K 個のうちの一つです。配る分を受け取っていますか。
    The true class is one of the K: does it get its share?"""
    onehot = one_hot(labels, classes)
    return (1 - smoothing) * onehot + smoothing / classes * (1 - onehot)


@mutant(mixup)
def mix_weights_exchanged(x, targets, mix, perm):
    """入力を λ で混ぜたら、ラベルの重みはどちらが λ ですか。
    If x keeps λ of itself, how much of its own target does it keep?"""
    return mixup(x, targets, mix, perm)[0], mixup(x, targets, 1 - mix, perm)[1]


@mutant(mixup)
def labels_not_mixed(x, targets, mix, perm):
    """入力を混ぜたなら、教師ラベルはどうしますか。
    If the inputs are mixed, what about the targets?"""
    return mixup(x, targets, mix, perm)[0], 1.0 * targets


@mutant(mixup)
def share_of_the_partner(x, targets, mix, perm):
    """λ = 1 のとき、残るのは自分自身ですか、相手ですか。
    With λ = 1, what is left: the sample itself or its partner?"""
    return mixup(x, targets, 1 - mix, perm)


@mutant(mixup)
def partner_from_the_other_end(x, targets, mix, perm):
    """相手は perm が決めます。バッチを逆順にしたものと混ぜていませんか。
    The partner is named by perm: is the batch mixed with itself in reverse?"""
    return mixup(x, targets, mix, np.arange(len(x))[::-1])


@mutant(clip_by_global_norm)
def clip_by_value(grads, max_norm):
    """ノルムによるクリッピングは勾配の向きを変えますか。
    Does clipping by norm change the direction of the gradient?"""
    return tuple(g.clip(-max_norm, max_norm) for g in grads), clip_by_global_norm(grads, max_norm)[1]


@mutant(clip_by_global_norm)
def clip_per_tensor(grads, max_norm):
    """ノルムは配列ごとに測りますか、全パラメータをまとめて測りますか。
    Is the norm measured for each array or over all parameters together?"""
    return tuple(clip_by_global_norm([g], max_norm)[0][0] for g in grads), clip_by_global_norm(grads, max_norm)[1]


@mutant(clip_by_global_norm)
def always_normalise(grads, max_norm):
    """ノルムが上限より小さいとき、勾配は変わりますか。
    If the norm is below the bound, does the gradient change?"""
    norm = clip_by_global_norm(grads, max_norm)[1]
    return tuple(g * (max_norm / (norm or max_norm)) for g in grads), norm


@mutant(clip_by_global_norm)
def norm_after_clipping(grads, max_norm):
    """返すノルムは、クリッピングの前のものですか、後のものですか。監視したいのはどちらですか。
    Is the norm returned that before or after clipping: which one is worth watching?"""
    clipped, norm = clip_by_global_norm(grads, max_norm)
    return clipped, min(norm, max_norm)


@mutant(clip_by_global_norm)
def root_forgotten(grads, max_norm):
    """(3, 4) の長さは 25 ですか、5 ですか。
    Is the length of (3, 4) 25 or 5?"""
    norm = clip_by_global_norm(grads, max_norm)[1] ** 2
    return tuple(g * min(1.0, max_norm / (norm or max_norm)) for g in grads), norm
