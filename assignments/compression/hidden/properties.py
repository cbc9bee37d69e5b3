"""The laws of distillation, pruning and low rank."""

from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, SLOPE, Tolerance, assert_at_most, assert_close, assert_equal, claim, derivative, integers, reals, twin,
)
from hypothesis import strategies as st

from reference import compression as ref
from reference import compression_torch as ref_torch
from reference.compression import Array, Labels

HOT = 100.0
temperatures = st.sampled_from([1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0])
weights = st.integers(1, 9).map(lambda i: i / 10)


def logsumexp(z):
    """Along the classes, which stay as an axis of length 1."""
    top = np.max(z, axis=1, keepdims=True)
    return top + np.log(np.sum(np.exp(z - top), axis=1, keepdims=True))


def log_probabilities(logits, temperature=1.0):
    return logits / temperature - logsumexp(logits / temperature)


def cross_entropy(logits, labels):
    return float(np.mean([-row[label] for row, label in zip(log_probabilities(logits), labels, strict=True)]))


def divergence(p_logits, q_logits, temperature):
    """Mean over the samples of KL(p ‖ q) at the temperature."""
    log_p, log_q = log_probabilities(p_logits, temperature), log_probabilities(q_logits, temperature)
    return float(np.mean(np.sum(np.exp(log_p) * (log_p - log_q), axis=1)))


def centred(logits):
    return logits - np.mean(logits, axis=1, keepdims=True)


@st.composite
def logits(draw, low=1):
    return draw(reals(draw(st.integers(low, 4)), draw(st.integers(2, 5)), low=-6, high=6))


@claim(ref.softened_softmax, z=logits(), T=temperatures)
def softmax_of_divided_logits(f, z, T):
    """結果は exp(z_i/T) / Σ_j exp(z_j/T) で、各行の和は 1 である。
    The result is exp(z_i/T) / Σ_j exp(z_j/T), and each row sums to 1."""
    e = np.exp(z / T)
    p = np.asarray(f(z, T))
    assert_close(p, e / e.sum(axis=1, keepdims=True))
    assert_close(p.sum(axis=1), np.ones(len(z)))


@claim(ref.softened_softmax, z=logits(), T=temperatures, shift=st.integers(-100, 100))
def softmax_survives_large_logits(f, z, T, shift):
    """行全体に同じ数を足しても確率は変わらず、ロジットが ±3000 でも結果は有限で、和は 1 になる。
    Adding a constant to a row changes nothing, and with logits of ±3000 the result is finite and sums to 1."""
    assert_close(f(z + shift, T), log_free(z, T))
    large = np.where(z >= 0, 3000.0, -3000.0)
    top = large == large.max(axis=1, keepdims=True)
    assert_close(f(large, T), top / top.sum(axis=1, keepdims=True))


def log_free(z, T):
    """Ratios of differences: no exponential of a sum."""
    return 1 / np.sum(np.exp((z[:, None, :] - z[:, :, None]) / T), axis=2)


@claim(ref.softened_softmax, z=logits(), T=temperatures)
def temperature_flattens_and_keeps_the_order(f, z, T):
    """対数オッズ log(p_1/p_2) は (z_1 - z_2)/T で、温度を 2 倍にするとエントロピーは減らず、T → ∞ では一様分布になる。
    The log-odds log(p_1/p_2) are (z_1 - z_2)/T; the entropy does not fall when T doubles; for T → ∞ all classes are equally likely."""
    p, flatter = np.asarray(f(z, T)), np.asarray(f(z, 2 * T))
    with np.errstate(all="ignore"):
        odds = np.log(p) - np.log(p[:, :1])
        before, after = (-np.sum(q * np.log(np.maximum(q, 1e-300)), axis=1) for q in (p, flatter))
    assert_close(odds, (z - z[:, :1]) / T, Tolerance(1e-6, 1e-7))
    assert_at_most(before, after + 1e-4)
    assert_close(f(z, 1e6), np.full(z.shape, 1 / z.shape[1]), Tolerance(0, 1e-4))


class Pair(NamedTuple):
    """The arguments of `distillation_loss`, in its order."""

    student_logits: Array
    teacher_logits: Array
    labels: Labels
    temperature: float
    soft_weight: float

    @property
    def unit(self):
        """Tolerance of a loss: the soft term comes in units of T²."""
        return FORWARD.scaled(self.temperature**2)


@st.composite
def pairs(draw, T=temperatures, large=False):
    student = draw(logits())
    teacher = draw(reals(*student.shape, low=-6, high=6))
    labels = draw(integers(len(student), low=0, high=student.shape[1] - 1))
    size = draw(st.sampled_from([1, 1, 200])) if large else 1
    return Pair(size * student, size * teacher, labels, draw(T), draw(weights))


@claim(ref.distillation_loss, pair=pairs(large=True))
def loss_weighs_soft_and_hard_terms(f, pair):
    """損失は α·T²·Σ_i p_i (log p_i - log q_i) - (1-α)·log softmax(s)[正解] のサンプル平均で、確率が 0 に丸められるほど大きなロジットでも有限である。
    The loss is the mean over samples of α·T²·Σ_i p_i (log p_i - log q_i) - (1-α)·log softmax(s)[label], finite even where probabilities round to 0."""
    s, t, labels, T, alpha = pair
    expected = alpha * T**2 * divergence(t, s, T) + (1 - alpha) * cross_entropy(s, labels)
    assert_close(f(*pair), expected, pair.unit)
    sure = np.array([[1000.0 * T, 0.0]])
    assert_close(f(sure, sure, np.array([0]), T, alpha), 0.0)


@claim(ref.distillation_loss, pair=pairs(), shift=st.integers(-4, 4))
def soft_term_is_zero_only_at_the_teacher(f, pair, shift):
    """α = 1 の損失は T²·KL(教師‖生徒) で、負にならず、生徒のロジットが教師と(行ごとの定数を除いて)同じなら 0 である。
    With α = 1 the loss is T²·KL(teacher‖student): never negative, and 0 where the student equals the teacher up to a constant per row."""
    s, t, labels, T, _ = pair
    soft = f(s, t, labels, T, 1.0)
    assert_close(soft, T**2 * divergence(t, s, T), pair.unit)
    assert_at_most(-soft, 1e-4)
    assert_close(f(t + shift, t, labels, T, 1.0), 0.0, pair.unit)


@claim(ref.distillation_loss, pair=pairs(), other=temperatures)
def hard_term_is_cross_entropy_at_temperature_one(f, pair, other):
    """α = 0 なら、温度や教師によらず、T = 1 の普通の交差エントロピーである。損失は α について 1 次式である。
    With α = 0 the loss is ordinary cross-entropy at T = 1, whatever the temperature and the teacher; it is linear in α."""
    s, t, labels, T, alpha = pair
    hard, soft = f(s, t, labels, T, 0.0), f(s, t, labels, T, 1.0)
    assert_close(hard, cross_entropy(s, labels))
    assert_close(f(s, -t, labels, other, 0.0), hard)
    assert_close(f(*pair), alpha * soft + (1 - alpha) * hard, pair.unit)


@claim(ref.distillation_loss, pair=pairs(T=st.just(HOT)))
def hot_limit_matches_logits(f, pair):
    """温度が高いとき、α = 1 の損失は Σ_i ((s_i - s̄) - (t_i - t̄))²/(2C) に近い。この式に T は残らない(だから T² を掛ける)。
    At a high temperature the loss with α = 1 is near Σ_i ((s_i - s̄) - (t_i - t̄))²/(2C), in which no T is left: hence the factor T²."""
    s, t = pair.student_logits, pair.teacher_logits
    apart = np.sum((centred(s) - centred(t)) ** 2, axis=1) / (2 * s.shape[1])
    assert_close(f(*pair._replace(soft_weight=1.0)), float(np.mean(apart)), Tolerance(0.2, 0.05))


@claim(ref.distillation_loss_backward, pair=pairs())
def gradient_matches_finite_differences(f, pair):
    """生徒の各ロジットについての微分は、損失の中心差分と一致する。
    Each entry equals the central difference of the loss in that logit of the student."""
    s, others = pair.student_logits, pair[1:]
    slopes = np.zeros(s.shape)
    for at in np.ndindex(s.shape):
        along = np.zeros(s.shape)
        along[at] = 1
        slopes[at] = derivative(lambda z: ref.distillation_loss(z, *others), [s], [along])
    assert_close(f(*pair), slopes, SLOPE)


@claim(ref.distillation_loss_backward, pair=pairs())
def gradient_vanishes_at_the_teacher_and_sums_to_zero(f, pair):
    """勾配の各行の和は 0。α = 1 で生徒 = 教師なら 0。確信した教師(T = 1, α = 1)は正解ラベルと同じに働き、バッチを 2 回並べると勾配は半分になる。
    Rows sum to 0; with α = 1 it is 0 at the teacher; a certain teacher (T = 1, α = 1) acts like a label; a batch stacked on itself has half the gradient."""
    s, t, labels, T, alpha = pair
    unit = FORWARD.scaled(T)
    g = np.asarray(f(*pair))
    assert_close(g.sum(axis=1), np.zeros(len(s)), unit)
    assert_close(f(t, t, labels, T, 1.0), np.zeros(s.shape), unit)
    onehot = np.arange(s.shape[1]) == labels[:, None]
    certain = np.exp(log_probabilities(s)) - onehot
    assert_close(f(s, 50.0 * onehot, labels[::-1], 1.0, 1.0), certain / len(s), Tolerance(1e-7, 1e-8))
    twice = f(np.concatenate((s, s)), np.concatenate((t, t)), np.concatenate((labels, labels)), T, alpha)
    assert_close(twice, np.concatenate((g, g)) / 2, unit)


@claim(ref.distillation_loss_backward, pair=pairs(T=st.just(HOT)))
def hot_gradient_matches_logit_regression(f, pair):
    """温度が高いとき、α = 1 の勾配は ((s - s̄) - (t - t̄))/(N·C) に近い: 蒸留は、ロジットどうしの回帰になる。
    At a high temperature the gradient with α = 1 is near ((s - s̄) - (t - t̄))/(N·C): distillation turns into regression of the logits."""
    s, t = pair.student_logits, pair.teacher_logits
    expected = (centred(s) - centred(t)) / s.size
    within = Tolerance(0.1, 0.1 * float(np.max(np.abs(expected))) + 1e-3)
    assert_close(f(*pair._replace(soft_weight=1.0)), expected, within)


@st.composite
def networks(draw, rows=(1, 4), columns=(1, 4), count=(2, 4), grids=(1, 4)):
    """Layers whose weights differ in size: whole numbers (so that many are equal) or quarters, times a power of 2."""
    layers, grid = [], draw(st.sampled_from(grids))
    for _ in range(draw(st.integers(*count))):
        w = np.round(draw(reals(draw(st.integers(*rows)), draw(st.integers(*columns)))) * grid) / grid
        layers.append(draw(st.sampled_from([0.125, 1.0, 8.0])) * (w + draw(st.sampled_from([0.0, 2.0]))))
    return layers


def shares_of(layers):
    """A share that leaves no doubt about how many weights go."""
    n = sum(w.size for w in layers)
    return st.builds(lambda k, part: (k + part) / n, st.integers(0, n - 1), st.sampled_from([0.25, 0.5]))


def flat(parts):
    return np.concatenate([np.ravel(part) for part in parts])


@claim(ref.global_magnitude_masks, layers=networks(), sparsity=shares_of)
def smallest_pairs_of_magnitude_and_position_go(f, layers, sparsity):
    """全層の重みを (|w|, 位置) の小さい順に並べ、前から floor(sparsity·n) 個を消す。同じ大きさなら、先の層、先の行の重みが先に消える。
    Sorted by (|w|, position) over all layers, the first floor(sparsity·n) go; of equal magnitudes the one in the earlier layer and row goes first."""
    ranked = sorted((abs(v), i) for i, v in enumerate(flat(layers)))
    gone = {i for _, i in ranked[: int(sparsity * len(ranked))]}
    assert_equal(flat(f(layers, sparsity)), np.array([i not in gone for i in range(len(ranked))]))


@claim(ref.global_magnitude_masks, layers=networks(), sparsity=shares_of)
def smallest_weights_go_first_across_layers(f, layers, sparsity):
    """False になるのは全体で floor(sparsity·n) 個で、どの層の消えた重みも、どの層の残った重みより絶対値が大きくない。sparsity = 0 なら全部残り、1 なら全部消える。
    floor(sparsity·n) weights in all are False, and none that goes is larger in magnitude than one that stays, in whatever layer; 0 keeps all, 1 removes all."""
    magnitude = np.abs(flat(layers))
    for share in (sparsity, 0.0, 1.0):
        keep = flat(f(layers, share)).astype(bool)
        assert_equal(int(np.sum(~keep)), int(share * magnitude.size))
        if 0 < np.sum(keep) < keep.size:
            assert_at_most(float(magnitude[~keep].max()), float(magnitude[keep].min()))


@st.composite
def distinct_networks(draw):
    """Layers without two weights of the same magnitude."""
    shapes = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=2, max_size=3))
    sizes = [m * n for m, n in shapes]
    order = np.array(draw(st.permutations(range(sum(sizes)))))
    signs = draw(integers(len(order), low=0, high=1)) * 2 - 1
    parts = np.split(signs * (order + 1) / 4, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


@claim(ref.global_magnitude_masks, layers=distinct_networks(), less=shares_of, more=shares_of)
def masks_are_nested_and_blind_to_sign_and_scale(f, layers, less, more):
    """低いスパース率で消えた重みは、高いスパース率でも消える。重みの符号や、全体を定数倍することは、マスクに影響しない。
    What goes at a lower sparsity goes at a higher one, too; signs and a common scale do not matter."""
    less, more = sorted((less, more))
    few, many = flat(f(layers, less)), flat(f(layers, more))
    assert_at_most(many * 1.0, few * 1.0)
    assert_equal(flat(f([-w for w in layers], less)), few)
    assert_equal(flat(f([np.abs(w) for w in layers], less)), few)
    assert_equal(flat(f([4 * w for w in layers], more)), many)


@st.composite
def trained_layers(draw, widest=12):
    """Three layers and a quality, none of whose weights lies on the threshold."""
    layers = [draw(networks((3, 3), (2, widest), (1, 1), grids=(4,)))[0] for _ in range(3)]
    return layers, draw(st.integers(3, 20)) / 10


def undecided(drawn):
    layers, quality = drawn
    spreads = [np.sqrt(np.mean((w - np.mean(w)) ** 2)) for w in layers]
    gaps = [np.min(np.abs(np.abs(w) - quality * spread)) for w, spread in zip(layers, spreads, strict=True)]
    return any(gap < 1e-4 * spread or spread < 0.01 for gap, spread in zip(gaps, spreads, strict=True))


def clear_layers(widest=12):
    return trained_layers(widest).filter(lambda drawn: not undecided(drawn))


@claim(ref.layer_threshold_masks, drawn=clear_layers())
def masks_and_shares_follow_each_layers_spread(f, drawn):
    """重みが残るのは、|w| ≥ quality·√(mean((w - mean w)²)) のときで、平均はその層についてとる。割合は、消えた数を個数で割ったものである。
    A weight stays where |w| ≥ quality·√(mean((w - mean w)²)), with the means of its own layer; shares are what goes over what was there."""
    layers, quality = drawn
    masks = [np.abs(w) >= quality * np.sqrt(np.mean((w - np.mean(w)) ** 2)) for w in layers]
    found, removed, total = f(*drawn)
    for mask, right in zip(found, masks, strict=True):
        assert_equal(mask, right)
    assert_close(removed, np.array([np.sum(~mask) / mask.size for mask in masks]))
    assert_close(total, float(np.mean(~flat(masks))))


@claim(ref.layer_threshold_masks, drawn=clear_layers(4), which=st.integers(0, 2))
def each_layer_has_its_own_threshold(f, drawn, which):
    """一つの層を 8 倍しても、どの層のマスクも変わらない。quality = 0 なら全部残る。
    Multiplying one layer by 8 changes no layer's mask; quality 0 keeps everything."""
    layers, quality = drawn
    scaled = [8 * w if i == which else w for i, w in enumerate(layers)]
    assert_equal(flat(f(scaled, quality)[0]), flat(f(layers, quality)[0]))
    assert_equal(flat(f(layers, 0.0)[0]), np.ones(flat(layers).size, dtype=bool))


@claim(ref.layer_threshold_masks, k=st.integers(1, 4), size=st.integers(1, 8), sign=st.sampled_from([-1, 1]))
def half_zeros_have_half_the_value_as_spread(f, k, size, sign):
    """0 が k 個、a が k 個の層の標準偏差は |a|/2(n で割る)なので、quality = 1.9 なら a は残り、2.1 なら全部消える。
    A layer of k zeros and k times a has the standard deviation |a|/2 (dividing by n): quality 1.9 keeps every a, quality 2.1 removes all."""
    w = np.array([0.0] * k + [sign * size / 4] * k)
    for quality, kept in ((1.9, w != 0), (2.1, np.zeros(2 * k, dtype=bool))):
        masks, removed, total = f([w], quality)
        assert_equal(masks[0], kept)
        assert_close((removed, total), (np.array([np.mean(~kept)]), float(np.mean(~kept))))


@claim(ref.layer_threshold_masks, drawn=clear_layers())
def total_share_is_weighted_by_size(f, drawn):
    """返した割合は、返したマスクと合う。全体の割合は全層の False の数を全重みの数で割ったもので、層ごとの割合の単純平均ではない。
    The shares fit the masks returned; the total is all that is False over all weights, not the plain mean of the layers' shares."""
    masks, removed, total = f(*drawn)
    gone = [np.sum(~np.asarray(mask, dtype=bool)) for mask in masks]
    sizes = [w.size for w in drawn[0]]
    assert_close(removed, np.array(gone) / sizes)
    assert_close(total, float(sum(gone) / sum(sizes)))


class Step(NamedTuple):
    """The arguments of `masked_momentum_step`, in its order."""

    w: Array
    grad: Array
    velocity: Array
    mask: Array
    lr: float
    momentum: float


@st.composite
def steps(draw):
    w, grad, velocity = (draw(reals(3, 4, zero=False)) for _ in range(3))
    mask = draw(integers(3, 4, low=0, high=4)) >= 2
    return Step(w, grad, velocity, mask, draw(st.sampled_from([0.01, 0.1, 0.25, 0.5])), draw(st.sampled_from([0.1, 0.5, 0.9, 0.95])))


@claim(ref.masked_momentum_step, step=steps())
def removed_weights_stay_removed(f, step):
    """残した重みは v ← μv - lr·grad、w ← w + v で動く。消した重みは、直前の値や勾配が 0 でなくても、重みも速度も 0 になる。
    Weights that stay move by v ← μv - lr·grad, w ← w + v; of removed ones both w and v become 0, even if they and the gradient were not."""
    w, velocity = np.zeros((3, 4)), np.zeros((3, 4))
    for at in np.argwhere(step.mask):
        i = tuple(at)
        velocity[i] = step.momentum * step.velocity[i] - step.lr * step.grad[i]
        w[i] = step.w[i] + velocity[i]
    assert_close(f(*step), (w, velocity))


@claim(ref.masked_momentum_step, step=steps())
def momentum_accumulates_over_steps(f, step):
    """全部残すなら普通のモメンタム SGD で、v = 0 から同じ勾配で 3 歩進むと、w は -lr·grad·(3 + 2μ + μ²) だけ動く。
    Where all weights stay it is plain SGD with momentum: three steps from v = 0 with one gradient move w by -lr·grad·(3 + 2μ + μ²)."""
    w, velocity = step.w, 0 * step.w
    for _ in range(3):
        w, velocity = f(w, step.grad, velocity, np.ones((3, 4), dtype=bool), step.lr, step.momentum)
    moved = -step.lr * step.grad * (3 + 2 * step.momentum + step.momentum**2)
    assert_close(w, step.w + moved)


@st.composite
def matrices(draw):
    """A matrix without zeros and a rank."""
    W = draw(reals(draw(st.integers(1, 6)), draw(st.integers(1, 6)), zero=False))
    return W, draw(st.integers(1, min(W.shape)))


def best_of_its_rank(drawn):
    """Is there one best approximation, clear of the second best?"""
    singular = np.append(np.linalg.svd(drawn[0])[1], 0)
    return singular[drawn[1] - 1] - singular[drawn[1]] >= 0.05 * singular[0]


@claim(ref.low_rank_factors, drawn=matrices().filter(best_of_its_rank))
def product_is_the_truncated_svd(f, drawn):
    """積 A·B は、特異値の大きい方から rank 個の Σ_i σ_i u_i v_iᵀ である(符号や、σ を A と B にどう分けるかは自由)。
    The product A·B is Σ_i σ_i u_i v_iᵀ over the `rank` largest singular values (signs, and how A and B share σ, are free)."""
    W, rank = drawn
    U, singular, Vt = np.linalg.svd(W, full_matrices=False)
    product = sum(singular[i] * np.outer(U[:, i], Vt[i]) for i in range(rank))
    A, B = map(np.asarray, f(W, rank))
    assert_equal((A.shape, B.shape), ((W.shape[0], rank), (rank, W.shape[1])))
    assert_close(A @ B, product, Tolerance(0, 1e-8).scaled(float(singular[0])))


@claim(ref.low_rank_factors, drawn=matrices())
def truncated_svd_is_the_best_of_its_rank(f, drawn):
    """誤差 ‖W - A·B‖²(成分の 2 乗和)は、その階数で最小の Σ_{i>rank} σ_i² である。階数をいっぱいにとれば W に戻る。
    The error ‖W - A·B‖² (sum of squares) is the least that the rank allows, Σ_{i>rank} σ_i²; the full rank gives W back."""
    W, rank = drawn
    singular, size = np.linalg.svd(W)[1], float(np.sum(W**2))
    for r in (rank, min(W.shape)):
        A, B = map(np.asarray, f(W, r))
        error = float(np.sum((W - A @ B) ** 2))
        assert_close(error, float(np.sum(singular[r:] ** 2)), Tolerance(1e-7, 1e-8).scaled(size))


@st.composite
def products(draw):
    rank = draw(st.integers(1, 3))
    return draw(reals(5, rank, zero=False)) @ draw(reals(rank, 6, zero=False)), rank


@claim(ref.low_rank_factors, drawn=products())
def low_rank_matrix_is_recovered(f, drawn):
    """階数 r の行列は、階数 r の因子の積でちょうど元に戻る。
    A matrix that is of rank r comes back exactly as a product of rank r."""
    A, B = map(np.asarray, f(*drawn))
    assert_close(A @ B, drawn[0], Tolerance(0, 1e-8).scaled(float(np.max(np.abs(drawn[0]))) + 1e-3))


@twin(ref_torch.distillation_loss_torch, pair=pairs(T=st.sampled_from([1.5, 2.0, 3.0, 4.0])))
def distilled_on_tensors(pair):
    return pair
