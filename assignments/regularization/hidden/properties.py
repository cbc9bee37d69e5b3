"""The laws of regularisation: penalties, decoupled decay, dropout, early stopping, soft labels, mixtures, clipping."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import alike, assert_close, assert_equal, assert_slope, claim, derivative, integers, reals
from hypothesis import strategies as st

from reference import regularization as ref
from reference.regularization import Array, Labels

nonzero = partial(reals, zero=False)
strengths = st.integers(1, 20).map(lambda i: i / 20)
rates = st.integers(1, 10).map(lambda i: i / 100)


# Penalties


@st.composite
def weights(draw, numbers=reals):
    """One to six weights, small or large, in one axis or two, often with a 0 among them."""
    w = draw(numbers(draw(st.integers(1, 6)))) * draw(st.sampled_from([1, 4]))
    return draw(st.sampled_from([w, w[None]]))


def sign(number):
    return float(number > 0) - float(number < 0)


def entry_by_entry(function, w):
    return np.array([function(float(number)) for number in w.ravel()]).reshape(w.shape)


def off_the_corner(w):
    """L1 has no slope at 0: a half stands in for it."""
    return np.where(w == 0, 0.5, w)


@claim(ref.l1_penalty, w=weights(), strength=strengths)
def l1_penalty_matches_its_sum(f, w, strength):
    """値は λ Σ|w|、勾配は要素ごとに λ sign(w)(w が 0 なら 0)である。
    The value is λ Σ|w|; the gradient is λ sign(w), entry by entry (0 where w is 0)."""
    value = math.fsum(strength * abs(number) for number in w.ravel())
    assert_close(f(w, strength), (value, entry_by_entry(lambda number: strength * sign(number), w)))


@claim(ref.l1_penalty, w=weights(), strength=strengths, direction=lambda w: alike(w))
def l1_penalty_grad_fd(f, w, strength, direction):
    """0 を含まない w では、勾配と任意の方向との内積は、その方向への λ Σ|w| の差分商に等しい。
    Where no weight is 0, the inner product of the gradient with a direction is the slope of λ Σ|w| along it."""
    w = off_the_corner(w)
    slope = derivative(lambda w: ref.l1_penalty(w, strength)[0], [w], direction)
    assert_slope([f(w, strength)[1]], direction, slope)


@claim(ref.l1_penalty, w=weights(), strength=strengths, t=st.integers(-12, 12).map(lambda i: i / 4))
def l1_penalty_scaling(f, w, strength, t):
    """w を t 倍すると値は |t| 倍、λ を 2 倍すると値も勾配も 2 倍、重みを並べて 2 組にすると値も 2 倍で、w = 0 では値も勾配も 0 である。
    Scaling w by t scales the value by |t|, doubling λ doubles value and gradient, two copies of w cost twice as much, and at w = 0 both are 0."""
    value, grad = f(w, strength)
    assert_close(f(t * w, strength)[0], abs(t) * value)
    assert_close(f(w, 2 * strength), (2 * value, 2 * grad))
    assert_close(f(np.concatenate((w, w)), strength), (2 * value, np.concatenate((grad, grad))))
    assert_close(f(np.zeros(w.shape), strength), (0.0, np.zeros(w.shape)))


@claim(ref.l1_penalty, w=weights(), strength=strengths)
def l1_step_moves_by_a_constant(f, w, strength):
    """L1 の勾配だけで SGD を一歩進めると、0 でない重みはどれも大きさによらず ηλ だけ 0 の側へ動き、0 は動かない。
    One SGD step with the L1 gradient alone moves every nonzero weight by ηλ towards 0, whatever its size, and leaves 0."""
    lr = 0.1
    moved = w - lr * f(w, strength)[1]
    assert_close(moved, np.where(w > 0, w - lr * strength, np.where(w < 0, w + lr * strength, 0.0)))


@claim(ref.l2_penalty, w=weights(), strength=strengths)
def l2_penalty_matches_its_sum(f, w, strength):
    """値は ½λ Σw²、勾配は要素ごとに λw である。
    The value is ½λ Σw²; the gradient is λw, entry by entry."""
    value = math.fsum(strength * number * number / 2 for number in w.ravel())
    assert_close(f(w, strength), (value, entry_by_entry(lambda number: strength * number, w)))


@claim(ref.l2_penalty, w=weights(), strength=strengths, direction=lambda w: alike(w))
def l2_penalty_grad_fd(f, w, strength, direction):
    """勾配と任意の方向との内積は、その方向への ½λ Σw² の差分商に等しい。
    The inner product of the gradient with a direction is the slope of ½λ Σw² along it."""
    slope = derivative(lambda w: ref.l2_penalty(w, strength)[0], [w], direction, step=1e-4)
    assert_slope([f(w, strength)[1]], direction, slope)


@claim(ref.l2_penalty, w=weights(), strength=strengths, t=st.integers(-12, 12).map(lambda i: i / 4))
def l2_penalty_scaling(f, w, strength, t):
    """w を t 倍すると値は t² 倍、勾配は t 倍、λ を 2 倍すると値も勾配も 2 倍で、重みを並べて 2 組にすると値も 2 倍である。
    Scaling w by t scales the value by t² and the gradient by t, doubling λ doubles both, and two copies of w cost twice as much."""
    value, grad = f(w, strength)
    assert_close(f(t * w, strength), (t**2 * value, t * grad))
    assert_close(f(w, 2 * strength), (2 * value, 2 * grad))
    assert_close(f(np.concatenate((w, w)), strength), (2 * value, np.concatenate((grad, grad))))


@claim(ref.l2_penalty, w=weights(), strength=strengths)
def l2_step_shrinks_by_a_factor(f, w, strength):
    """L2 の勾配だけで SGD を一歩進めると、重みは符号によらず (1 - ηλ) 倍になる。
    One SGD step with the L2 gradient alone multiplies every weight, whatever its sign, by 1 - ηλ."""
    lr = 0.1
    assert_close(w - lr * f(w, strength)[1], (1 - lr * strength) * w)


# AdamW


class Step(NamedTuple):
    """The arguments of `adamw_step`, in its order."""

    w: Array
    grad: Array
    m: Array
    v: Array
    t: int
    lr: float
    beta1: float
    beta2: float
    eps: float
    weight_decay: float
    decoupled: bool


@st.composite
def adam_steps(draw, decoupled, eps=0.0, numbers=reals):
    """A random state of Adam at a random time."""
    n = draw(st.integers(1, 4))
    w, grad = draw(numbers(n)), draw(nonzero(n))
    m, v = draw(reals(n, low=-1, high=1)) / 4, draw(reals(n, low=1, high=4)) / 4
    betas = draw(st.sampled_from([0.5, 0.75, 0.95])), draw(st.sampled_from([0.8, 0.9, 0.999]))
    decay = draw(st.integers(1, 10)) / 20
    return Step(w, grad, m, v, draw(st.integers(1, 49)), draw(rates), *betas, eps, decay, draw(decoupled))


@claim(ref.adamw_step, s=adam_steps(st.booleans(), numbers=nonzero))
def adamw_step_matches_the_formula(f, s):
    """ε = 0 で、g' = g(decoupled でなければ g + λw)、m' = β1 m + (1-β1) g'、v' = β2 v + (1-β2) g'²、w' = w - η m̂/√v̂ - (decoupled なら) ηλw である。
    With ε = 0: g' = g (g + λw unless decoupled), m' = β1 m + (1-β1) g', v' = β2 v + (1-β2) g'², w' = w - η m̂/√v̂ - (if decoupled) ηλw."""
    new = np.zeros((3, len(s.w)))
    for i, (w, g, m, v) in enumerate(zip(s.w, s.grad, s.m, s.v)):
        g = g if s.decoupled else g + s.weight_decay * w
        m, v = s.beta1 * m + (1 - s.beta1) * g, s.beta2 * v + (1 - s.beta2) * g * g
        step = m / (1 - s.beta1**s.t) / math.sqrt(v / (1 - s.beta2**s.t))
        new[:, i] = w - s.lr * (step + (s.weight_decay * w if s.decoupled else 0)), m, v
    assert_close(f(*s), tuple(new))


@claim(ref.adamw_step, s=adam_steps(st.just(True), eps=1e-8, numbers=nonzero))
def decoupled_is_additive(f, s):
    """decoupled では、減衰ありの w' は減衰なしの w' から ηλw を引いたもので、m', v' は λ によらない。
    If decoupled, w' with decay is w' without it minus ηλw, and m', v' do not depend on λ."""
    w, m, v = f(*s._replace(weight_decay=0.0))
    assert_close(f(*s), (w - s.lr * s.weight_decay * s.w, m, v))


@claim(ref.adamw_step, s=adam_steps(st.just(False), numbers=nonzero))
def coupled_is_adam_on_shifted_gradient(f, s):
    """decoupled でなければ、三つの値は、勾配を g + λw に替えて λ = 0 としたときと同じである。
    Unless decoupled, all three results are those for the gradient g + λw with λ = 0."""
    shifted = s._replace(grad=s.grad + s.weight_decay * s.w, weight_decay=0.0)
    assert_close(f(*s), f(*shifted))


@claim(ref.adamw_step, w=st.integers(1, 4).flatmap(lambda n: nonzero(n, low=-3, high=3)), lr=rates, decay=strengths)
def l2_in_adam_forgets_lambda(f, w, lr, decay):
    """g = m = v = 0 の最初の一歩では、Adam の中の L2(ε = 0)は λ によらず各重みを η だけ 0 の側へ動かし、decoupled の減衰は (1 - ηλ) 倍にする。
    In the first step from g = m = v = 0, L2 inside Adam (ε = 0) moves each weight by η towards 0 whatever λ; decoupled decay multiplies it by 1 - ηλ."""
    rest = np.zeros(len(w))
    coupled, _, _ = f(w, rest, rest, rest, 1, lr, 0.9, 0.999, 0.0, decay, False)
    assert_close(coupled, np.where(w > 0, w - lr, w + lr))
    assert_close(f(w, rest, rest, rest, 1, lr, 0.9, 0.999, 1e-8, decay), ((1 - lr * decay) * w, rest, rest))


# Dropout


shares = st.sampled_from([4, 8, 10]).flatmap(lambda m: st.integers(1, m - 1).map(lambda j: j / m))


@st.composite
def activations(draw):
    """One to five units, for one sample or two; none is 0."""
    n = draw(st.integers(1, 5))
    return draw(draw(st.sampled_from([nonzero(n), nonzero(2, n)])))


def draws(x):
    """Numbers in (0, 1), never within 1/80 of a probability of dropping."""
    return integers(*x.shape, low=0, high=39).map(lambda k: (k + 0.5) / 40)


@claim(ref.dropout, x=activations(), p=shares, u=draws, train=st.booleans(), inverted=st.booleans())
def dropout_matches_the_mask(f, x, p, u, train, inverted):
    """学習時は u < p の要素が 0、ほかは x/(1-p)(inverted)か x(classic)。予測時は全要素が x(inverted)か (1-p)x(classic)。scale は x に掛けた数である。
    In training entries with u < p become 0, the others x/(1-p) (inverted) or x (classic); at test time all are x (inverted) or (1-p)x (classic). scale is what x was multiplied by."""
    scale = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        if train:
            scale[at] = 0 if u[at] < p else 1 / (1 - p) if inverted else 1
        else:
            scale[at] = 1 if inverted else 1 - p
    assert_close(f(x, p, u, train, inverted), (x * scale, scale))


@claim(
    ref.dropout, x=st.integers(1, 3).flatmap(nonzero), m=st.sampled_from([4, 8, 10]), j=lambda m: st.integers(1, m - 1),
    inverted=st.booleans(),
)
def dropout_expectation_is_eval(f, x, m, j, inverted):
    """p = j/M のとき、等間隔の M 個の乱数 u について学習時の出力を平均すると、予測時の出力(inverted なら x、classic なら (1-p)x)になる。
    With p = j/M, the training output averaged over M equally spaced draws u is the output at test time: x if inverted, (1-p)x if classic."""
    repeated = np.repeat(x[:, None], m, axis=1)
    u = np.broadcast_to((np.arange(m) + 0.5) / m, repeated.shape).copy()
    trained, _ = f(repeated, j / m, u, True, inverted)
    tested, _ = f(repeated, j / m, u, False, inverted)
    mean = repeated if inverted else (1 - j / m) * repeated
    assert_close(tested, mean)
    assert_close(trained.mean(axis=1), mean[:, 0])


@claim(ref.dropout, x=activations(), p=shares, u=draws, inverted=st.booleans())
def dropout_support(f, x, p, u, inverted):
    """学習時に 0 になるのは u < p の要素だけで、p = 0 なら何も変わらず、scale は x の値によらない(だから逆伝播は dy · scale)。
    In training exactly the entries with u < p become 0, p = 0 changes nothing, and scale does not depend on x (so that backward is dy · scale)."""
    y, scale = f(x, p, u, True, inverted)
    assert_equal(y != 0, u >= p)
    assert_close(f(x, 0.0, u, True, inverted), (x, np.ones(x.shape)))
    assert_close(f(-2 * x, p, u, True, inverted), (-2 * y, scale))


# Early stopping


@st.composite
def courses(draw, least=1):
    """Losses of a few epochs, multiples of a quarter, so that ties occur; one in four courses is short."""
    epochs = draw(st.integers(least, 15) if draw(st.integers(0, 3)) == 0 else st.integers(6, 15))
    return draw(integers(epochs, low=0, high=7)) / 4


deltas = st.sampled_from([0.0, 0.25, 0.5])


@claim(ref.early_stopping, losses=courses(), patience=st.integers(1, 4), min_delta=deltas)
def early_oracle(f, losses, patience, min_delta):
    """最良値より min_delta を超えて小さい損失だけが改善である。最良の epoch から patience 回改善しないまま進んだ最初の epoch で止まり、そうならなければ最後まで進む。
    Only a loss more than min_delta below the best is an improvement; training stops at the first epoch that lies patience epochs after the best, else it runs to the end."""
    best = 0
    for epoch in range(len(losses)):
        if losses[best] - losses[epoch] > min_delta:
            best = epoch
        if epoch - best >= patience:
            break
    assert_equal(f(losses, patience, min_delta), (epoch, best))


@claim(
    ref.early_stopping, losses=courses(), patience=st.integers(1, 4), shift=st.integers(-8, 8).map(lambda i: i / 4),
    later=st.integers(1, 4).flatmap(lambda n: reals(n)),
)
def early_laws(f, losses, patience, shift, later):
    """下がり続ける損失では止まらず、上がり続ける損失では epoch = patience で止まって最良は 0 である。止まった後の損失も、全体に足した定数も結果を変えない。
    Losses that always fall never stop it, losses that always rise stop it at epoch = patience with best 0; what follows the stop, or a constant added to all, changes nothing."""
    epochs = np.arange(patience + 3.0)
    assert_equal(f(-epochs, patience), (patience + 2, patience + 2))
    assert_equal(f(epochs, patience), (patience, 0))
    stop, best = ref.early_stopping(losses, patience)
    assert_equal(f(losses + shift, patience), (stop, best))
    if stop - best == patience:
        assert_equal(f(np.concatenate((losses[: stop + 1], later)), patience), (stop, best))


@claim(ref.early_stopping, patience=st.integers(2, 5), min_delta=st.sampled_from([0.25, 0.5]), start=st.integers(0, 8))
def early_min_delta(f, patience, min_delta, start):
    """毎回 0.125 ずつ下がる損失では、一回ごとの低下は改善でないが、最良値から測るので、何回か合わせて min_delta を超えれば改善である。
    Where the loss falls by 0.125 an epoch, no single fall is an improvement, but it is measured from the best: several that together exceed min_delta are."""
    losses = 2 + start / 4 - 0.125 * np.arange(14)
    needed = round(min_delta / 0.125) + 1
    assert_equal(f(losses, patience, min_delta), (patience, 0) if patience < needed else (13, 13 - 13 % needed))


@st.composite
def gaps(draw, losses):
    """Epochs without a loss: one of the first after 0, and up to two more."""
    return [draw(st.integers(1, 2)), *draw(st.lists(st.integers(1, len(losses) - 1), max_size=2))]


@claim(ref.early_stopping, losses=courses(least=3), patience=st.integers(2, 4), min_delta=deltas, gaps=gaps)
def nan_is_no_improvement(f, losses, patience, min_delta, gaps):
    """損失が NaN(発散)の epoch は改善ではない。そこが +∞ であるときと同じ結果になる。
    An epoch whose loss is NaN (it diverged) is no improvement: the result is that with +∞ in its place."""
    at = np.isin(np.arange(len(losses)), gaps)
    expected = ref.early_stopping(np.where(at, np.inf, losses), patience, min_delta)
    assert_equal(f(np.where(at, np.nan, losses), patience, min_delta), expected)


# Labels and mixtures


@st.composite
def labelled(draw):
    """Labels of a few samples, and the number of classes."""
    classes = draw(st.integers(2, 6))
    return draw(integers(draw(st.integers(1, 5)), low=0, high=classes - 1)), classes


@claim(ref.smooth_labels, given=labelled(), smoothing=st.integers(1, 20).map(lambda i: i / 20))
def smooth_labels_match_two_values(f, given, smoothing):
    """正解の要素は 1 - s + s/K、ほかの要素はすべて s/K である。
    The true entry is 1 - s + s/K, and every other one is s/K."""
    labels, classes = given
    rest = smoothing / classes
    rows = [[1 - smoothing + rest if k == label else rest for k in range(classes)] for label in labels]
    assert_close(f(labels, classes, smoothing), np.array(rows))


@claim(ref.smooth_labels, given=labelled(), smoothing=st.integers(1, 20).map(lambda i: i / 20))
def smooth_laws(f, given, smoothing):
    """どの行も和は 1 で、s = 0 なら one-hot、s = 1 なら一様分布、間の s ではこの二つを 1-s : s で混ぜたものになる。
    Every row sums to 1; s = 0 gives the one-hot rows, s = 1 the uniform distribution, and an s between mixes the two as 1-s : s."""
    labels, classes = given
    hard, even, soft = (f(labels, classes, s) for s in (0.0, 1.0, smoothing))
    assert_close(hard, 1.0 * (np.arange(classes) == labels[:, None]))
    assert_close(even, np.full((len(labels), classes), 1 / classes))
    assert_close(soft, (1 - smoothing) * hard + smoothing * even)
    assert_close(soft.sum(axis=1), np.ones(len(labels)))


class Batch(NamedTuple):
    """The arguments of `mixup`, in its order."""

    x: Array
    targets: Array
    mix: float
    perm: Labels


@st.composite
def batches(draw):
    """Rows of three or images of 2×2, one-hot targets of three classes, a share and a permutation."""
    n = draw(st.integers(2, 5))
    x = draw(draw(st.sampled_from([reals(n, 3), reals(n, 2, 2)])))
    targets = np.eye(3)[draw(integers(n, low=0, high=2))]
    perm = draw(st.permutations(range(n)))
    return Batch(x, targets, draw(st.integers(0, 8)) / 8, np.array(perm))


@claim(ref.mixup, b=batches())
def mixup_matches_row_by_row(f, b):
    """どちらの結果でも、i 行目は λ ·(i 行目)+ (1-λ) ·(perm[i] 行目)で、λ と perm は入力とラベルに共通である。
    In both results row i is λ · (row i) + (1-λ) · (row perm[i]), with the same λ and perm for inputs and targets."""
    mixed = [
        np.array([b.mix * rows[i] + (1 - b.mix) * rows[j] for i, j in enumerate(b.perm)]) for rows in (b.x, b.targets)
    ]
    assert_close(f(*b), tuple(mixed))


@claim(ref.mixup, b=batches())
def mixup_laws(f, b):
    """λ = 1 なら元のまま、λ = 0 なら perm で並べ替えたもので、ラベルの各行の和は 1、バッチの平均は入力もラベルも変わらない。
    λ = 1 changes nothing, λ = 0 gives the batch permuted; rows of the targets sum to 1, and the batch means of inputs and targets are kept."""
    assert_close(f(*b._replace(mix=1.0)), (b.x, b.targets))
    assert_close(f(*b._replace(mix=0.0)), (b.x[b.perm], b.targets[b.perm]))
    x, targets = f(*b)
    assert_close(targets.sum(axis=1), np.ones(len(targets)))
    assert_close((x.mean(axis=0), targets.mean(axis=0)), (b.x.mean(axis=0), b.targets.mean(axis=0)))


# Clipping


def length(arrays):
    return math.sqrt(math.fsum(float(number) ** 2 for array in arrays for number in np.ravel(array)))


@st.composite
def gradients(draw, shares=(0.25, 0.5, 0.75, 1.25, 1.5, 1.75)):
    """One to three arrays of one or two axes, and a bound below or above their norm."""
    shapes = st.lists(st.integers(1, 3), min_size=1, max_size=2)
    grads = [draw(reals(*draw(shapes))) for _ in range(draw(st.integers(1, 3)))]
    return grads, draw(st.sampled_from(shares)) * (length(grads) or 1.0)


@claim(ref.clip_by_global_norm, given=gradients())
def clip_matches_one_common_factor(f, given):
    """どの配列にも同じ係数 min(1, max_norm/ノルム) が掛かり、形は変わらない。返すノルムは、クリッピングの前の全配列をまとめたものである。
    Every array is multiplied by one factor min(1, max_norm/norm) and keeps its shape; the norm returned is that of all arrays together, before clipping."""
    grads, bound = given
    norm = length(grads)
    factor = bound / norm if norm > bound else 1.0
    assert_close(f(grads, bound), ([g * factor for g in grads], norm))


@claim(ref.clip_by_global_norm, given=gradients())
def clip_laws(f, given):
    """クリッピング後の全体のノルムは min(ノルム, max_norm) で、二回行っても一回と同じである。すべて 0 の勾配は 0 のままである。
    After clipping the global norm is min(norm, max_norm), clipping twice is clipping once, and gradients of 0 stay 0."""
    grads, bound = given
    norm = length(grads)
    clipped, _ = f(grads, bound)
    assert_close(length(clipped), min(norm, bound))
    once, _ = ref.clip_by_global_norm(grads, bound)
    assert_close(f(list(once), bound), (once, min(norm, bound)))
    nothing = [np.zeros(g.shape) for g in grads]
    assert_close(f(nothing, bound), (nothing, 0.0))


@claim(
    ref.clip_by_global_norm, g=st.integers(2, 6).flatmap(nonzero), cut=lambda g: st.integers(1, len(g) - 1),
    share=st.sampled_from([0.25, 0.5, 0.75]),
)
def clip_is_split_invariant(f, g, cut, share):
    """一つの配列を二つに切って渡しても結果は変わらない。ノルムは全体で測るからである。
    Cutting one array into two changes nothing, since the norm is over everything."""
    bound = share * length([g])
    (whole,), norm = f([g], bound)
    parts, same = f([g[:cut], g[cut:]], bound)
    assert_close(np.concatenate(parts), whole)
    assert_close(same, norm)
