"""The laws of object detection. Boxes lie on grids exact in binary; draws that rounding could decide are left out."""

from typing import NamedTuple

import numpy as np
from autograder.properties import Tolerance, assert_at_most, assert_close, assert_equal, claim, integers, reals
from hypothesis import strategies as st

from reference import detection as ref
from reference.detection import Array, Bools, Ints

MOVED = Tolerance(1e-6, 1e-8)  # coordinates scaled and shifted lose a digit


def cornered(corner, side):
    return np.concatenate([corner, corner + side], axis=1)


@st.composite
def whole_boxes(draw, least=1, most=6):
    n = draw(st.integers(least, most))
    return 1.0 * cornered(draw(integers(n, 2, low=0, high=6)), draw(integers(n, 2, low=1, high=5)))


@st.composite
def real_boxes(draw, n=None, low=-3):
    n = n or draw(st.integers(1, 6))
    return cornered(draw(reals(n, 2, low=low, high=3)), draw(reals(n, 2, low=0.5, high=4)))


def cells(box):
    """The unit squares that a box of whole numbers covers."""
    x1, y1, x2, y2 = map(int, box)
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


def overlaps(a, b):
    """IoU of every pair, the common part being a box of `a` clipped to one of `b`."""
    low, high = b[None, :, :2], b[None, :, 2:]
    common = np.prod(np.clip(a[:, None, 2:], low, high) - np.clip(a[:, None, :2], low, high), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return common / (areas[0][:, None] + areas[1] - common)


def ranked(scores):
    """Indices by falling score, the lower index first among equals."""
    return sorted(range(len(scores)), key=lambda i: -scores[i])


def distinct_scores(n):
    return st.permutations(range(1, n + 1)).map(lambda order: np.array(order) / 16)


one_box = whole_boxes(1, 1).map(lambda boxes: boxes[0])


@claim(ref.iou, a=one_box, b=one_box)
def iou_two_boxes(f, a, b):
    """IoU は「両方に入る升の数 / どちらかに入る升の数」である。同じ箱なら 1、接するだけの箱や離れた箱は 0、内側の箱とは面積の比、面積 0 の箱どうしは 0。
    IoU is cells in both over cells in either: 1 for equal boxes, 0 for touching or distant ones, the ratio of areas for a box inside another, 0 for two points."""
    assert_close(f(a, b), len(cells(a) & cells(b)) / len(cells(a) | cells(b)))
    assert_close(f(a, a), 1.0)
    w, h = a[2:] - a[:2]
    assert_close(f(a, a + [w, 0, w, 0]), 0.0)
    assert_close(f(a, a + [w + 1, h + 1, w + 1, h + 1]), 0.0)
    assert_close(f(a, a + [-1, -1, 1, 1]), w * h / ((w + 2) * (h + 2)))
    assert_close(f(a[[0, 1, 0, 1]], b[[2, 3, 2, 3]]), 0.0)


@claim(ref.iou, w=st.integers(3, 10), h=st.integers(3, 10), x=lambda w: st.integers(1, w - 1), y=lambda h: st.integers(1, h - 1))
def iou_shifted_copy(f, w, h, x, y):
    """w×h の箱を (x, y) ずらすと I = (w−x)(h−y)、IoU = I/(2wh − I)。一辺だけを割合 s ずらすと (1−s)/(1+s)。整数のリストでもよい。
    For a w×h box and its copy shifted by (x, y), I = (w−x)(h−y) and IoU = I/(2wh − I); shifted along one side by its share s, (1−s)/(1+s). Lists of integers do."""
    common = (w - x) * (h - y)
    assert_close(f([0, 0, w, h], [x, y, x + w, y + h]), common / (2 * w * h - common))
    assert_close(f([x, 0, x + w, h], [0, y, w, y + h]), common / (2 * w * h - common))
    assert_close(f([0, 0, w, h], [x, 0, x + w, h]), (w - x) / (w + x))
    assert_close(f([0, y, w, y + h], [0, 0, w, h]), (h - y) / (h + y))


@claim(ref.iou, a=real_boxes(1), b=real_boxes(1))
def iou_of_real_coordinates(f, a, b):
    """座標が整数でなくても、負でも、IoU は「共通部分の面積 / (面積の和 − 共通部分)」であり、引数の順によらない。
    For fractions and negative coordinates too, IoU is the common area over the sum of both less the common area, in either order of the boxes."""
    assert_close(f(a[0], b[0]), float(overlaps(a, b)[0, 0]))
    assert_close(f(b[0], a[0]), float(overlaps(a, b)[0, 0]))


@claim(ref.iou_matrix, a=whole_boxes(), b=whole_boxes())
def iou_counts_cells(f, a, b):
    """座標が整数の箱では、(i, j) 成分は「a[i] と b[j] の両方に入る升の数 / どちらかに入る升の数」である。
    For whole coordinates entry (i, j) is the number of unit cells in both a[i] and b[j] over the number in either."""
    assert_close(f(a, b), np.array([[len(cells(p) & cells(q)) / len(cells(p) | cells(q)) for q in b] for p in a]))


@claim(ref.iou_matrix, a=real_boxes(), b=real_boxes())
def iou_matrix_of_real_coordinates(f, a, b):
    """座標が整数でなくても、負でも、各成分は「共通部分の面積 / (面積の和 − 共通部分)」である。
    For fractions and negative coordinates too, every entry is the common area over the sum of both areas less the common one."""
    assert_close(f(a, b), overlaps(a, b))


@claim(ref.iou_matrix, a=whole_boxes(), b=whole_boxes(), shift=reals(2), scale=st.tuples(*[st.sampled_from([0.1, 0.3, 2.5, 10.0])] * 2))
def iou_laws(f, a, b, shift, scale):
    """IoU は対称で、自分自身とは 1、0 と 1 の間にあり、平行移動や軸ごとの拡大で変わらない。接する箱、縦横とも離れた箱、面積 0 どうしは 0。
    IoU is symmetric, 1 with itself, within [0, 1], and the same after a shift and a scaling of each axis; boxes that touch or lie apart on both axes, and two of area 0, have 0."""
    found = np.asarray(f(a, b))
    assert_close(f(b, a), found.T)
    assert_close(np.diag(f(a, a)), np.ones(len(a)))
    assert_at_most(found, 1.0)
    assert_at_most(-found, 0.0)
    move = lambda boxes: boxes * np.tile(scale, 2) + np.tile(shift, 2)
    assert_close(f(move(a), move(b)), found, MOVED)
    w, h = (a[:, 2:] - a[:, :2]).T
    assert_close(np.diag(f(a, a + np.stack([w, 0 * w, w, 0 * w], axis=1))), np.zeros(len(a)))
    assert_close(np.diag(f(a, a + np.stack([w + 1, h + 1, w + 1, h + 1], axis=1))), np.zeros(len(a)))
    assert_close(f(a[:, [0, 1, 0, 1]], b[:, [0, 1, 0, 1]]), np.zeros(found.shape))


class Candidates(NamedTuple):
    """The arguments of `nms`, in its order."""

    boxes: Array
    scores: Array
    threshold: float


def undecided(found, *thresholds):
    """Is an overlap so near a threshold (0 and 1 are met exactly) that rounding could decide?"""
    return any(np.any(abs(found - t) < 1e-4) for t in thresholds if 0 < t < 1)


any_threshold = st.sampled_from([0.0, 0.12, 0.28, 0.37, 0.46, 0.53, 0.63, 0.78, 0.88, 1.0])
at_two_fifths = st.just(0.4)


@st.composite
def candidates(draw, least=1, scores=distinct_scores, threshold=any_threshold):
    n = draw(st.integers(least, 8))
    boxes = draw(whole_boxes(n, n) | real_boxes(n, low=0))
    return Candidates(boxes, draw(scores(n)), draw(threshold))


def settled(c):
    return not undecided(overlaps(c.boxes, c.boxes), c.threshold)


def kept_boxes(boxes, scores, threshold):
    """Down the scores: a box stays if no box kept so far covers it."""
    found, kept = overlaps(boxes, boxes), []
    for i in ranked(scores):
        if all(found[i, k] <= threshold for k in kept):
            kept.append(i)
    return np.array(kept)


def indices(kept, n):
    kept = np.asarray(kept)
    assert_equal((kept >= 0) & (kept < n), np.ones(len(kept), bool))
    return kept


@claim(ref.nms, c=candidates().filter(settled))
def nms_keeps_what_no_kept_box_covers(f, c):
    """スコアの高い順に見て、それまでに「残した」どの箱との IoU もしきい値以下なら、その箱を残す。返すのは残した箱の番号(スコアの高い順)である。
    Going down the scores, a box is kept if its IoU with every box KEPT so far is at most the threshold; the kept indices come back in falling score."""
    assert_equal(f(*c), kept_boxes(*c))


@claim(ref.nms, c=candidates().filter(settled))
def nms_laws(f, c):
    """最高スコアの箱は必ず残り、残った箱どうしの IoU はしきい値以下である。消えた箱には、IoU がしきい値を超え、スコアも高い残った箱がある。
    The best box stays, any two kept boxes have IoU at most the threshold, and every dropped box exceeds it with a kept box of higher score."""
    kept = indices(f(*c), len(c.scores))
    assert_equal(kept[0], int(c.scores.argmax()))
    assert_equal(np.diff(c.scores[kept]) < 0, np.ones(len(kept) - 1, bool))
    found = overlaps(c.boxes, c.boxes)
    among = found[np.ix_(kept, kept)]
    assert_at_most(np.where(np.eye(len(kept)), 0.0, among), c.threshold)
    gone = np.setdiff1d(np.arange(len(c.scores)), kept)
    covered = (found[gone][:, kept] > c.threshold) & (c.scores[kept] > c.scores[gone][:, None])
    assert_equal(covered.any(axis=1), np.ones(len(gone), bool))


@claim(ref.nms, c=candidates(threshold=at_two_fifths).filter(settled), order=lambda c: st.permutations(range(len(c.scores))))
def nms_monotone_and_order_free(f, c, order):
    """しきい値 1 なら全部が残る。入力の並べ替えで残る箱は変わらず、スコアは順序だけが効く(s → s³ でも同じ)。残った箱にもう一度行っても全部残る。
    At threshold 1 all stay; shuffled inputs keep the same boxes; only the order of the scores counts (s → s³); a second run on the kept boxes keeps them all."""
    assert_equal(f(c.boxes, c.scores, 1.0), np.array(ranked(c.scores)))
    kept = indices(f(*c), len(c.scores))
    shuffled = indices(f(c.boxes[order], c.scores[order], c.threshold), len(order))
    assert_equal(np.array(order)[shuffled], kept)
    assert_equal(f(c.boxes, c.scores**3, c.threshold), kept)
    assert_equal(f(c.boxes[kept], c.scores[kept], c.threshold), np.arange(len(kept)))


@claim(ref.nms, place=st.integers(2, 7).flatmap(lambda n: st.permutations(range(n))), step=st.integers(1, 12).map(lambda k: k / 4))
def nms_suppressed_box_is_silent(f, place, step):
    """同じ箱を幅の 1/3 ずつずらして並べると、隣とは IoU = 1/2、その次とは 1/5。しきい値 0.4 では一つおきに残る。消された箱は、もう隣を消さない。
    In a row of boxes shifted by a third of their width, neighbours have IoU 1/2 and the next but one 1/5: at 0.4 every second box stays, for a suppressed box suppresses nothing."""
    x, n = step * np.array(place), len(place)
    boxes = np.stack([x, 0 * x, x + 3 * step, 0 * x + 1], axis=1)
    assert_equal(f(boxes, (n - np.array(place)) / 16, 0.4), np.argsort(place)[::2])


def few_scores(n):
    return integers(n, low=1, high=2).map(lambda s: s / 4)


@claim(ref.nms, c=candidates(4, few_scores, at_two_fifths).filter(settled))
def equal_scores_keep_the_input_order(f, c):
    """スコアが等しい箱は、入力で先にあるもの(番号の小さいもの)から見る。
    Of boxes with equal scores the one that comes first in the input (the lower index) is looked at first."""
    assert_equal(f(*c), kept_boxes(*c))


variances = st.tuples(*[st.sampled_from([0.1, 0.2, 0.25, 0.5, 1.0])] * 2)
factors = st.tuples(*[st.sampled_from([0.25, 0.5, 2.0, 4.0])] * 2)


def moved(prior, code, var):
    """The boxes of codes, side by side."""
    sides = []
    for axis in (0, 1):
        low, size = prior[:, axis], prior[:, axis + 2] - prior[:, axis]
        with np.errstate(over="ignore"):
            width = size * np.exp(np.asarray(code)[:, axis + 2] * var[1])
        left = low + size / 2 + np.asarray(code)[:, axis] * var[0] * size - width / 2
        sides.append((left, left + width))
    return np.stack([sides[0][0], sides[1][0], sides[0][1], sides[1][1]], axis=1)


def coded(truth, prior, var):
    """The codes of boxes, side by side."""
    code = []
    for axis in (0, 1):
        size, prior_size = (boxes[:, axis + 2] - boxes[:, axis] for boxes in (truth, prior))
        twice = truth[:, axis] + truth[:, axis + 2] - prior[:, axis] - prior[:, axis + 2]
        code.append((twice / (2 * var[0] * prior_size), (np.log(size) - np.log(prior_size)) / var[1]))
    return np.stack([code[0][0], code[1][0], code[0][1], code[1][1]], axis=1)




@claim(ref.encode_boxes, truth=real_boxes(), prior=lambda truth: real_boxes(len(truth)), var=variances)
def encode_inverse(f, truth, prior, var):
    """符号を c = c_p + o·var₀·size_p、size = size_p·exp(o·var₁) で戻すと正解の箱になる。事前の箱自身の符号は 0 で、var を省くと (0.1, 0.2) である。
    Undone by c = c_p + o·var₀·size_p, size = size_p·exp(o·var₁), the code gives the truth; a prior's own code is 0, and var left out is (0.1, 0.2)."""
    assert_close(moved(prior, f(truth, prior, var), var), truth)
    assert_close(f(prior, prior, var), np.zeros(prior.shape))
    assert_close(moved(prior, f(truth, prior), (0.1, 0.2)), truth)


@claim(ref.encode_boxes, truth=real_boxes(), prior=lambda truth: real_boxes(len(truth)), var=variances, shift=reals(2), scale=factors)
def encode_invariance(f, truth, prior, var, shift, scale):
    """正解と事前の箱を一緒に動かしたり拡大したりしても符号は変わらない。正解の幅を中心のまま 2 倍にすると、3 番目の数だけが ln 2 / var₁ 増える。
    Truth and prior moved and scaled together keep their code; doubling the truth's width about its centre adds ln 2/var₁ to the third number alone."""
    code = np.asarray(f(truth, prior, var))
    move = lambda boxes: boxes * np.tile(scale, 2) + np.tile(shift, 2)
    assert_close(f(move(truth), move(prior), var), code, MOVED)
    half = (truth[:, 2] - truth[:, 0]) / 2
    wider = truth + np.stack([-half, 0 * half, half, 0 * half], axis=1)
    assert_close(f(wider, prior, var), code + [0, 0, np.log(2) / var[1], 0], MOVED)


@claim(ref.decode_boxes, truth=real_boxes(), prior=lambda truth: real_boxes(len(truth)), var=variances, code=lambda truth: reals(len(truth), 4, low=-9, high=9))
def decode_inverse(f, truth, prior, var, code):
    """((c−c_p)/size_p/var₀, ln(size/size_p)/var₁) を復号すると元の箱に戻る。符号 0 は事前の箱、どんな符号でも辺は正で、var を省くと (0.1, 0.2) である。
    Decoding ((c−c_p)/size_p/var₀, ln(size/size_p)/var₁) returns the box; a code of zeros gives the prior, any code positive sides, and var left out is (0.1, 0.2)."""
    assert_close(f(coded(truth, prior, var), prior, var), truth)
    assert_close(f(coded(truth, prior, (0.1, 0.2)), prior), truth)
    assert_close(f(np.zeros(prior.shape), prior, var), prior)
    any_box = np.asarray(f(code, prior, (var[0], 0.2)))
    assert_equal(any_box[:, 2:] > any_box[:, :2], np.ones((len(prior), 2), bool))


@claim(
    ref.decode_boxes, prior=real_boxes(), code=lambda prior: reals(len(prior), 4), var=variances, shift=reals(2), scale=factors,
)
def decode_equivariance(f, prior, code, var, shift, scale):
    """事前の箱を動かし拡大すると、復号した箱も同じように動く。面積は事前の箱の exp(var₁(o₃+o₄)) 倍で、符号 (1/var₀, 0, 0, 0) はちょうど幅 1 つ分だけ右へ動かす。
    Moving and scaling the prior moves the box likewise; its area is the prior's times exp(var₁(o₃+o₄)); the code (1/var₀, 0, 0, 0) shifts by exactly one width."""
    box = np.asarray(f(code, prior, var))
    move = lambda boxes: boxes * np.tile(scale, 2) + np.tile(shift, 2)
    assert_close(f(code, move(prior), var), move(box), MOVED)
    area = lambda boxes: np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    assert_close(area(box), area(prior) * np.exp(var[1] * (code[:, 2] + code[:, 3])), MOVED)
    width = prior[:, 2] - prior[:, 0]
    right = np.tile([1 / var[0], 0, 0, 0], (len(prior), 1))
    assert_close(f(right, prior, var), prior + np.stack([width, 0 * width, width, 0 * width], axis=1), MOVED)


@claim(
    ref.default_boxes, m=st.integers(2, 7), k=lambda m: st.integers(1, m),
    ratios=st.lists(st.sampled_from([1.0, 2.0, 3.0, 1 / 2, 1 / 3]), min_size=1, max_size=5, unique=True),
    s_min=st.sampled_from([0.1, 0.15, 0.3, 0.4]), s_max=st.sampled_from([0.6, 0.75, 0.85, 0.95]),
)
def default_box_laws(f, m, k, ratios, s_min, s_max):
    """比 a の行は w/h = a、w·h = s_k²。s は s_1 = s_min から s_m = s_max まで等間隔に増える。最後の行は一辺 √(s_k·s_{k+1}) の正方形で、省略時は 0.2 と 0.9。
    The row of ratio a has w/h = a and w·h = s_k²; s grows in equal steps from s_1 = s_min to s_m = s_max; last comes the square of side √(s_k·s_{k+1}); 0.2 and 0.9 if left out."""
    for given, (low, high) in (((s_min, s_max), (s_min, s_max)), ((), (0.2, 0.9))):
        scale = [low * (1 - i / (m - 1)) + high * i / (m - 1) for i in (k - 1, k)]
        w, h = np.asarray(f(k, m, ratios, *given)).T
        assert_close(w[:-1], ratios * h[:-1])
        assert_close(w[:-1] * h[:-1], np.full(len(ratios), scale[0] ** 2))
        assert_close((w[-1] ** 2, h[-1] ** 2), (scale[0] * scale[1],) * 2)
    assert_close(f(1, m, [1.0], s_min, s_max)[0], np.full(2, s_min))
    assert_close(f(m, m, [1.0], s_min, s_max)[0], np.full(2, s_max))


class Image(NamedTuple):
    """The arguments of `match_default_boxes`, in its order."""

    priors: Array
    truths: Array
    threshold: float


@st.composite
def images(draw):
    """Default boxes, most of them jittered copies of a truth."""
    count, n = draw(st.integers(1, 3)), draw(st.integers(1, 8))
    truths = cornered(draw(integers(count, 2, low=0, high=32)), draw(integers(count, 2, low=16, high=40)))
    near = truths[draw(integers(n, low=0, high=count - 1))] + draw(integers(n, 4, low=-6, high=6))
    far = cornered(draw(integers(n, 2, low=0, high=32)), draw(integers(n, 2, low=16, high=40)))
    priors = np.where(draw(integers(n, 1, low=0, high=3)) > 0, near, far)
    return Image(priors / 16, truths / 16, draw(st.sampled_from([0.1, 0.3, 0.5, 0.7])))


def clear_cut(image):
    """No two overlaps agree, and none lies at a threshold or just above 0."""
    found = np.sort(overlaps(image.priors, image.truths).ravel())
    found = found[found > 0]
    return not undecided(found, image.threshold, 0.5) and not np.any(np.diff(found, prepend=0) < 1e-4)


def assigned(priors, truths, threshold=0.5):
    """All pairs in falling IoU while both are free; then each box left takes its best truth above the threshold."""
    found = overlaps(priors, truths)
    match, served = [-1] * len(priors), set()
    for _, i, j in sorted((-found[i, j], i, j) for i, j in np.ndindex(*found.shape) if found[i, j] > 0):
        if match[i] < 0 and j not in served:
            match[i] = j
            served.add(j)
    for i, row in enumerate(found):
        if match[i] < 0 and max(row) > threshold:
            match[i] = int(np.argmax(row))
    return np.array(match)


def truths_of(match, count):
    """Indices of truths, or -1."""
    match = np.asarray(match)
    assert_equal((match >= -1) & (match < count), np.ones(len(match), bool))
    return match


@claim(ref.match_default_boxes, image=images().filter(clear_cut))
def default_match_laws(f, image):
    """最良の IoU がしきい値を超える箱は必ず正例、しきい値以下の正例は正解ごとに多くて 1 個で、正例は正解と重なる。IoU が最大の組は必ず対応し、しきい値を下げると正例は増えるだけである。
    Every box above the threshold is matched, per truth at most one below it; a matched box overlaps its truth, the pair of highest IoU is matched, and a lower threshold only adds matches."""
    found, count = overlaps(image.priors, image.truths), len(image.truths)
    match = truths_of(f(*image), count)
    assert_equal((match >= 0) | (found.max(axis=1) <= image.threshold), np.ones(len(match), bool))
    own = found[np.arange(len(match)), match]
    assert_equal((match < 0) | (own > 0), np.ones(len(match), bool))
    weak = match[(match >= 0) & (own <= image.threshold)]
    assert_at_most(np.bincount(weak, minlength=count) * 1.0, 1.0)
    i, j = np.unravel_index(found.argmax(), found.shape)
    if found[i, j] > 0:
        assert_equal(match[i], int(j))
    lower = truths_of(f(image.priors, image.truths, image.threshold / 2), count)
    assert_equal((match < 0) | (lower >= 0), np.ones(len(match), bool))
    alone = truths_of(f(image.priors, image.truths, 1.0), count)
    assert_at_most(np.bincount(alone[alone >= 0], minlength=count) * 1.0, 1.0)
    assert_equal(f(image.priors, np.zeros((0, 4))), np.full(len(match), -1))


@st.composite
def tilings(draw):
    """Unit tiles of a grid, small truths in some of them, and which."""
    k = draw(st.integers(2, 4))
    tiles = np.array([[x, y, x + 1, y + 1] for y in range(k) for x in range(k)], float)
    home = draw(st.lists(st.integers(0, k * k - 1), min_size=1, max_size=4, unique=True))
    inset = cornered(draw(integers(len(home), 2, low=1, high=6)), draw(integers(len(home), 2, low=5, high=9))) / 16
    return tiles, tiles[home][:, [0, 1, 0, 1]] + inset, home


@claim(
    ref.match_default_boxes, tiling=tilings(), truth=real_boxes(1),
    shares=st.lists(st.integers(-15, 15), min_size=2, max_size=6, unique_by=abs).map(lambda n: np.array(n) / 48),
)
def default_match_tiles(f, tiling, truth, shares):
    """升目の中の小さな物体は、IoU がしきい値以下でもその升の箱を得て、ほかの升は背景になる。幅の 1/3 未満だけずれた写し(IoU > 1/2)は、全部が正例になる。
    A small truth inside a tile gets that tile's box though their IoU is below the threshold, the rest is background; copies shifted by less than a third (IoU > 1/2) all match."""
    tiles, truths, home = tiling
    expected = np.full(len(tiles), -1)
    expected[home] = np.arange(len(home))
    assert_equal(f(tiles, truths), expected)
    shift = shares * (truth[0, 2] - truth[0, 0])
    copies = truth + np.stack([shift, 0 * shift, shift, 0 * shift], axis=1)
    assert_equal(f(copies, truth), np.zeros(len(shares), int))


@claim(ref.match_default_boxes, image=images().filter(clear_cut))
def default_match_oracle(f, image):
    """IoU の大きい組から順に、箱も正解も 1 回ずつ対応させる(IoU > 0 のみ)。次に、残った箱は、IoU がしきい値を超えるなら最良の正解に対応する。省略時のしきい値は 0.5。
    Pairs are taken in falling IoU, each box and truth once (IoU > 0); then each box left takes its best truth if the IoU exceeds the threshold, 0.5 if left out."""
    assert_equal(f(*image), assigned(*image))
    assert_equal(f(*image[:2]), assigned(*image[:2]))


@claim(
    ref.match_default_boxes, e=st.integers(2, 10).map(lambda n: n / 100), s=st.integers(50, 70).map(lambda n: n / 100),
    g=st.integers(10, 30).map(lambda n: n / 100), turned=st.booleans(),
)
def default_match_contested(f, e, s, g, turned):
    """二つの正解が同じ箱を最良とするときは、IoU の大きい方がその箱を得て、もう一方は次の箱を得る。小さな正解の最良の箱は、大きな正解と強く重なっていても、その正解のものである。
    Where two truths prefer one box, the higher IoU gets it and the other truth the next box; and the best box of a small truth stays its own though a large truth covers it well."""
    row = lambda *spans: np.array([[left, 0, right, 1] for left, right in spans])
    order = [1, 0] if turned else [0, 1]
    assert_equal(f(row((0, 1), (s, 1 + s)), row((0, 1 + e), (0, 1 + 2 * e))[order]), np.array(order))
    assert_equal(f(row((0, 1), (g, 1 + g)), row((0, 1), (1, 1 + g))[order]), np.array(order))


class Losses(NamedTuple):
    """The arguments of `hard_negatives`, in its order."""

    loss: Array
    positive: Bools
    ratio: int


@st.composite
def losses(draw):
    n = draw(st.integers(4, 24))
    loss = np.array(draw(st.permutations(range(1, n + 1)))) / 8
    share = draw(st.integers(1, max(1, n // 2)))
    return Losses(loss, np.argsort(draw(integers(n, low=0, high=60000)), kind="stable") < share, draw(st.integers(1, 4)))


@claim(ref.hard_negatives, image=losses())
def hard_negatives_are_the_worst_of_the_negatives(f, image):
    """負例を損失の大きい順に並べ、上から min(ratio × 正例の数, 負例の数) 個だけを True にする。ratio を省くと 3 である。
    The negatives by falling loss, and True for the first min(ratio × positives, negatives) of them; the ratio left out is 3."""
    loss, positive, ratio = image
    negatives = sorted((i for i in range(len(loss)) if not positive[i]), key=lambda i: -loss[i])
    chosen = lambda ratio: np.isin(np.arange(len(loss)), negatives[: ratio * int(sum(positive))])
    assert_equal(f(loss, positive, ratio), chosen(ratio))
    assert_equal(f(loss, positive), chosen(3))


@claim(ref.hard_negatives, image=losses(), at=st.integers(0, 19))
def hard_negative_laws(f, image, at):
    """選ぶのは負例だけで、数は min(ratio × 正例, 負例)。選ばなかった負例の損失は、選んだものより小さい。正例がなければ何も選ばず、20 個のうち 1 個が正例なら 3 個を選ぶ。
    Only negatives are picked, min(ratio × positives, negatives) of them, and none left out has a larger loss; no positives pick none, one among 20 boxes picks three."""
    loss, positive, ratio = image
    picked = np.asarray(f(*image)).astype(bool)
    assert_equal(int(picked.sum()), min(ratio * int(positive.sum()), int((~positive).sum())))
    assert_equal(picked & positive, np.zeros(len(loss), bool))
    left = ~picked & ~positive
    assert_at_most(loss[left].max(initial=0.0), loss[picked].min(initial=np.inf))
    assert_equal(f(loss, np.zeros(len(loss), bool)), np.zeros(len(loss), bool))
    twenty = np.resize(loss, 20) + np.arange(20) * 4
    lone = np.arange(20) == at
    assert_equal(f(twenty, lone), np.isin(np.arange(20), [i for i in ranked(twenty) if i != at][:3]))


@claim(
    ref.hard_negatives, image=losses(), order=lambda image: st.permutations(range(len(image.loss))),
    other=lambda image: reals(len(image.loss), low=0, high=9), at=st.integers(0, 7),
)
def hard_negative_invariance(f, image, order, other, at):
    """効くのは負例の損失の順序だけである。l → l³ でも、正例の損失を替えても選択は変わらず、並べ替えれば選択も並べ替わる。損失が等しければ、番号の小さい方を選ぶ。
    Only the order of the negatives' losses counts: l → l³ or other losses of the positives change nothing, a permutation permutes; of equal losses the lower index is picked."""
    loss, positive, ratio = image
    picked = np.asarray(f(*image)).astype(bool)
    assert_equal(f(loss**3, positive, ratio), picked)
    assert_equal(f(np.where(positive, other, loss), positive, ratio), picked)
    assert_equal(f(loss[order], positive[order], ratio), picked[order])
    lone = np.arange(8) == at
    assert_equal(f(np.ones(8), lone), ~lone & (np.cumsum(~lone) <= 3))


@st.composite
def objects_apart(draw):
    """Truths in a row with gaps between them."""
    n = draw(st.integers(1, 4))
    corner = np.stack([4.0 * np.arange(n), np.zeros(n)], axis=1)
    return cornered(corner, draw(reals(n, 2, low=1, high=3)))[draw(st.permutations(range(n)))]


@claim(
    ref.match_detections, truths=objects_apart(), scores=lambda truths: distinct_scores(2 * len(truths)),
    order=lambda truths: st.permutations(range(2 * len(truths))),
)
def match_laws(f, truths, scores, order):
    """異なる正解に一致する検出はすべて真である。同じ正解に 2 つの検出があれば、スコアの高い方だけが真(正解は 1 回しか使えない)。正解がなければ、すべて偽。
    Detections equal to distinct truths are all true; of two on one truth only the better is (a truth is used once); without truths all are false."""
    n = len(truths)
    assert_equal(f(truths[::-1], scores[:n], truths), np.ones(n, bool))
    boxes, of = np.tile(truths, (2, 1))[order], np.array(order) % n
    better = [scores[i] == max(scores[of == of[i]]) for i in range(2 * n)]
    assert_equal(f(boxes, scores, truths), np.array(better))
    assert_equal(f(boxes, scores, truths[:0]), np.zeros(2 * n, bool))


@claim(
    ref.match_detections, w=st.integers(1, 9), shift=st.lists(st.integers(0, 10), min_size=2, max_size=2),
    scores=distinct_scores(2), turned=st.booleans(),
)
def match_does_not_try_the_next_truth(f, w, shift, scores, turned):
    """二つの検出がどちらも同じ正解と最も重なるなら、スコアの低い方は偽である。別の正解ともしきい値以上に重なっていても、そちらは試さない(VOC の規則)。
    Two detections overlap the same truth most: the lower score is false, although another truth also exceeds the threshold; the next truth is not tried (VOC)."""
    truths = np.array([[0, 0, w, 1], [w / 5, 0, 6 * w / 5, 1]])[:: -1 if turned else 1]
    left = np.array(shift) * w / 500
    boxes = np.stack([left, 0 * left, left + w, 0 * left + 1], axis=1)
    assert_equal(f(boxes, scores, truths), scores == max(scores))


class Found(NamedTuple):
    """The arguments of `match_detections`, in its order."""

    boxes: Array
    scores: Array
    truths: Array
    threshold: float


@st.composite
def detections(draw, least=1, scores=distinct_scores):
    """Boxes jittered around truths that overlap, too."""
    count, n = draw(st.integers(1, 4)), draw(st.integers(least, 6))
    truths = cornered(draw(integers(count, 2, low=0, high=24)), draw(integers(count, 2, low=16, high=40)))
    boxes = truths[draw(integers(n, low=0, high=count - 1))] + draw(integers(n, 4, low=-5, high=5))
    return Found(boxes / 16, draw(scores(n)), truths / 16, draw(st.sampled_from([0.31, 0.43, 0.5, 0.57, 0.69])))


def unambiguous(d):
    """Each detection has one truth of highest IoU, and no IoU lies at a threshold."""
    found = overlaps(d.boxes, d.truths)
    apart = np.diff(np.sort(found, axis=1), axis=1)
    return not undecided(found, d.threshold, 0.5) and not np.any(apart[:, -1:] < 1e-4)


def hits(boxes, scores, truths, threshold=0.5):
    found, free, tp = overlaps(boxes, truths), [True] * len(truths), [False] * len(boxes)
    for i in ranked(scores):
        j = max(range(len(truths)), key=lambda j: found[i, j])
        if found[i, j] >= threshold:
            tp[i], free[j] = free[j], False
    return np.array(tp)


@claim(ref.match_detections, d=detections().filter(unambiguous))
def match_oracle(f, d):
    """スコアの高い順に、IoU が最大の正解だけを見る。IoU がしきい値以上で、その正解がまだ使われていなければ真。結果は入力の順に返す。省略時のしきい値は 0.5。
    In falling score each detection looks at its truth of highest IoU alone: true if the IoU reaches the threshold and the truth is free. In input order; 0.5 if left out."""
    assert_equal(f(*d), hits(*d))
    assert_equal(f(*d[:3]), hits(*d[:3]))


@claim(ref.match_detections, d=detections(4, few_scores).filter(unambiguous))
def equal_scores_match_in_input_order(f, d):
    """スコアが等しい検出は、入力で先にあるものから正解を取る。
    Of detections with equal scores the one that comes first in the input has the first claim on a truth."""
    assert_equal(f(*d), hits(*d))


class Ranking(NamedTuple):
    """The arguments of `precision_recall`, in its order."""

    scores: Array
    tp: Bools
    n_truth: int


@st.composite
def rankings(draw, least=1, scores=distinct_scores):
    n = draw(st.integers(least, 9))
    tp = draw(integers(n, low=0, high=1)) == 1
    return Ranking(draw(scores(n)), tp, int(tp.sum()) + draw(st.integers(1, 4)))


def flags(r):
    """True and false by rank, as Python's own."""
    return [bool(r.tp[i]) for i in ranked(r.scores)]


def curves(r):
    """Precision and recall at every rank, counted."""
    n = range(1, len(r.tp) + 1)
    return np.array([sum(flags(r)[:k]) / k for k in n]), np.array([sum(flags(r)[:k]) / r.n_truth for k in n])


@claim(ref.precision_recall, r=rankings(), order=lambda r: st.permutations(range(len(r.tp))))
def pr_laws(f, r, order):
    """スコアの高い順の上位 k 個で、適合率 = 真の数 / k、再現率 = 真の数 / n_truth である。検出の並び順によらず、再現率は減らない。
    Over the k best scores, precision is the number of true ones over k and recall the number over n_truth; the input's order does not matter, and recall never falls."""
    precision, recall = f(*r)
    assert_close((precision, recall), curves(r))
    assert_at_most(np.asarray(recall)[:-1], np.asarray(recall)[1:])
    assert_close(f(r.scores[order], r.tp[order], r.n_truth), (precision, recall))


@claim(ref.precision_recall, r=rankings(4, few_scores))
def equal_scores_are_ranked_in_input_order(f, r):
    """スコアが等しい検出は、入力の順のまま順位が付く。
    Detections with equal scores are ranked in the order of the input."""
    assert_close(f(*r), curves(r))


def area(true, n):
    """Σ over the true ranks of (1/n) × the best precision at this rank or later."""
    precision = [sum(true[: k + 1]) / (k + 1) for k in range(len(true))]
    return sum(max(precision[k:]) / n for k in range(len(true)) if true[k])


def interpolated(true, n, points):
    """Mean over the levels of the best precision at a recall that reaches them."""
    found = [(sum(true[:k]) / n, sum(true[:k]) / k) for k in range(1, len(true) + 1)]
    return sum(max((p for r, p in found if r >= i / (points - 1)), default=0.0) for i in range(points)) / points


@claim(ref.average_precision, r=rankings(3))
def ap_oracle(f, r):
    """points = 0 の AP は、真の検出 1 個ごとに「その順位以降で最大の適合率 / n_truth」を足したものである(再現率が 1/n_truth 進むごとの階段の面積)。
    AP with points = 0 adds, for every true detection, the largest precision at its rank or later over n_truth: the area under a staircase of steps 1/n_truth."""
    assert_close(f(*curves(r)), float(area(flags(r), r.n_truth)))


@claim(ref.average_precision, r=rankings(), more=st.integers(1, 3), at=lambda r: st.integers(0, len(r.tp) - 1))
def ap_laws(f, r, more, at):
    """全部が真で見逃しもなければ 1、真がなければ 0。最後の再現率を超えず、下位に偽の検出を足しても変わらず、真の検出の順位を上げて下がることはない。
    All true and complete gives 1, none true 0; AP is at most the final recall, lower-ranked false positives change nothing, and a true one moved up never lowers it."""
    true, n = flags(r), r.n_truth
    curve = lambda true, n: curves(Ranking(-np.arange(len(true)), np.array(true), n))
    ap = float(f(*curves(r)))
    assert_close(f(*curve([True] * len(true), len(true))), 1.0)
    assert_close(f(*curve([False] * len(true), n)), 0.0)
    assert_at_most(ap, sum(true) / n)
    assert_close(f(*curve(true + [False] * more, n)), ap)
    first = [true[at], *true[:at], *true[at + 1 :]]
    if true[at]:
        assert_at_most(ap, float(f(*curve(first, n))))


@st.composite
def sparse_rankings(draw):
    """True and false by rank, for a number of truths whose recalls meet no level but 0 and 1."""
    n = draw(st.sampled_from([1, 3, 7, 9, 11, 13]))
    true = draw(integers(draw(st.integers(1, 12)), low=0, high=1)) == 1
    return Ranking(-np.arange(len(true)) / 16, true & (np.cumsum(true) <= n), n)


@claim(ref.average_precision, r=sparse_rankings(), points=st.sampled_from([11, 21, 101]))
def ap_interpolated(f, r, points):
    """points 個の再現率 0, 1/(points−1), …, 1 のそれぞれで、再現率がそれ以上の所の最大の適合率(なければ 0)をとり、平均する。
    At each of the recalls 0, 1/(points−1), …, 1 take the largest precision at that recall or more (0 if none), and average the points."""
    assert_close(f(*curves(r), points), float(interpolated(flags(r), r.n_truth, points)))
    assert_close(f(np.array([1.0]), np.array([1 / r.n_truth]), points), ((points - 1) // r.n_truth + 1) / points)


class Pool(NamedTuple):
    """The first four arguments of `mean_average_precision`, in its order."""

    scores: Array
    tp: Bools
    labels: Ints
    n_truth: Ints


@st.composite
def pools(draw):
    """Detections of all images; classes without truths and without detections occur."""
    classes, n = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    n_truth = np.array(draw(st.lists(st.sampled_from([1, 3, 7, 9, 11, 13, 0]), min_size=classes, max_size=classes)))
    n_truth[0] = n_truth[0] or 3
    labels = draw(integers(n, low=0, high=classes - 1))
    tp = draw(integers(n, low=0, high=2)) > 0
    for c in range(classes):
        mine = labels == c
        tp &= ~mine | (np.cumsum(tp & mine) <= n_truth[c])
    turn = np.array(draw(st.permutations(range(classes))))
    return Pool(draw(distinct_scores(n)), tp, turn[labels], n_truth[np.argsort(turn)])


def class_flags(pool, c):
    mine = pool.labels == c
    return flags(Ranking(pool.scores[mine], pool.tp[mine], 1))


either = st.sampled_from([0, 11])


@claim(ref.mean_average_precision, pool=pools(), points=either)
def map_oracle(f, pool, points):
    """クラスごとに、そのクラスの検出だけを並べて AP を求め、正解のあるクラスについて単純に平均する。points は AP と同じ意味である。
    Each class ranks its own detections for its AP, and mAP is the plain mean over the classes that have truths; points means what it means for AP."""
    ap = lambda true, n: interpolated(true, n, points) if points else area(true, n)
    each = [ap(class_flags(pool, c), n) for c, n in enumerate(pool.n_truth) if n]
    assert_close(f(*pool, points), float(sum(each) / len(each)))


@claim(
    ref.mean_average_precision, pool=pools(), points=either, factor=st.sampled_from([0.125, 16.0]),
    turn=lambda pool: st.permutations(range(len(pool.n_truth))),
)
def map_laws(f, pool, points, factor, turn):
    """順位はクラスの中だけで付く。一つのクラスのスコアを定数倍しても、クラスの番号を付け替えても、全クラスを別名で 2 度数えても、mAP は変わらない。
    Ranks are counted within a class: a factor on one class's scores, other numbers for the classes, or every class given twice under a new name leave mAP as it is."""
    scores, tp, labels, n_truth = pool
    value = f(*pool, points)
    assert_close(f(np.where(labels == labels[0], factor * scores, scores), tp, labels, n_truth, points), value)
    assert_close(f(scores, tp, np.array(turn)[labels], n_truth[np.argsort(turn)], points), value)
    twice = np.concatenate([labels, labels + len(n_truth)])
    assert_close(f(np.tile(scores, 2), np.tile(tp, 2), twice, np.tile(n_truth, 2), points), value)


@claim(ref.mean_average_precision, pool=pools(), points=either, n=st.integers(1, 9))
def map_counts_the_classes_with_truths(f, pool, points, n):
    """正解があるのに検出のないクラスは 0 として平均に入り(K/(K+1) 倍)、正解のないクラスは、検出があっても入らない。見逃しも誤りもなければ 1 である。
    A class with truths but no detections enters as 0 (factor K/(K+1)); one without truths does not enter, even with detections; perfect detections give 1."""
    scores, tp, labels, n_truth = pool
    value, classes = float(f(*pool, points)), int(np.sum(n_truth > 0))
    assert_close(f(scores, tp, labels, np.append(n_truth, n), points), value * classes / (classes + 1))
    stray = np.append(scores, 2.0), np.append(tp, False), np.append(labels, len(n_truth)), np.append(n_truth, 0)
    assert_close(f(*stray, points), value)
    counts = np.bincount(labels, minlength=len(n_truth))
    assert_close(f(scores, np.ones(len(tp), bool), labels, counts, points), 1.0)
