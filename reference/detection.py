"""Object detection: overlap of boxes, boxes told relative to priors, matching, and the scores mAP is made of.

    IoU(a, b) = |a ∩ b| / |a ∪ b| = I / (A + B - I)
    code      = ((c - c_p) / size_p / var₀,  ln(size / size_p) / var₁)          centre c, prior p
    s_k       = s_min + (s_max - s_min)(k - 1)/(m - 1),   w = s√a,  h = s/√a    ratio a = w/h
    AP        = ∫ max_{r' ≥ r} precision(r') dr,          mAP = mean over classes

IoU and AP: Everingham et al., "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88, 2010, §4.2. Codes: Girshick et al.,
arXiv:1311.2524, Appendix C, and Ren et al. (Faster R-CNN), arXiv:1506.01497, eq. 2. Default boxes, their matching and hard
negatives: Liu et al. (SSD), arXiv:1512.02325, §2.2; the variances are those of its code.

Letters: N boxes or detections, P default boxes, T truths, K classes. A box is a row (x1, y1, x2, y2) with x2 ≥ x1 and y2 ≥ y1 in
continuous coordinates: its width is x2 - x1, with no +1. Where scores are sorted they fall, and equal ones keep their input order.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def iou(a: Sequence[float] | Array, b: Sequence[float] | Array) -> float:
    """Intersection over union of two boxes (Everingham et al., eq. 3).

    Args:
        a: a box, (4,).
        b: another, (4,).

    Returns:
        the common area as a share of the area that either covers; 0 where neither has an area.
    """
    _check_boxes(a=np.asarray(a)[None], b=np.asarray(b)[None])
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    inter = w * h
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return float(inter / union) if union > 0 else 0.0


def iou_matrix(a: Array, b: Array) -> Array:
    """IoU of every box of a with every box of b.

    Args:
        a: boxes, (N, 4).
        b: boxes, (M, 4).

    Returns:
        (N, M): entry i, j is the IoU of a[i] and b[j].
    """
    _check_boxes(a=a, b=b)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.maximum(bottom_right - top_left, 0.0).prod(
        axis=2
    )  # boxes apart have a negative side: clamp before the product
    union = (a[:, 2:] - a[:, :2]).prod(axis=1)[:, None] + (b[:, 2:] - b[:, :2]).prod(axis=1) - inter
    return np.where(union > 0, inter / np.where(union > 0, union, 1.0), 0.0)


def nms(boxes: Array, scores: Array, threshold: float) -> Ints:
    """Non-maximum suppression, for the boxes of one class: of boxes that overlap much, the best stays.

    Args:
        boxes: candidates, (N, 4).
        scores: one a box, (N,).
        threshold: a box goes if its IoU with a kept, better one is greater than this.

    Returns:
        (K,): indices of the kept boxes, by falling score.
    """
    _check_boxes(boxes=boxes)
    _check_lengths(boxes=boxes, scores=scores)
    _check_threshold(threshold)
    overlap = iou_matrix(boxes, boxes)
    waiting, kept = list(_by_falling(scores)), []
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        waiting = [i for i in waiting if overlap[best, i] <= threshold]
    return np.array(kept, dtype=int)


def encode_boxes(truth: Array, prior: Array, var: tuple[float, float] = (0.1, 0.2)) -> Array:
    """What a network learns to put out: each truth told relative to its prior (Ren et al., eq. 2).

    Args:
        truth: boxes with positive sides, (N, 4).
        prior: the anchor or default box of each, (N, 4).
        var: what divides the offsets and the logarithms.

    Returns:
        (N, 4): ((c - c_p) / size_p / var₀, ln(size / size_p) / var₁) in the order x, y, w, h.
    """
    _check_boxes(positive=True, truth=truth, prior=prior)
    _check_lengths(truth=truth, prior=prior)
    (centre, size), (prior_centre, prior_size) = _centre_and_size(truth), _centre_and_size(prior)
    offset = (centre - prior_centre) / prior_size / var[0]
    return np.concatenate([offset, np.log(size / prior_size) / var[1]], axis=1)


def decode_boxes(code: Array, prior: Array, var: tuple[float, float] = (0.1, 0.2)) -> Array:
    """The boxes that codes stand for, the inverse of the encoding; not clipped to the image.

    Args:
        code: offsets and logarithms of sizes in the order x, y, w, h, (N, 4).
        prior: the anchor or default box of each, (N, 4).
        var: what the encoding divided by.

    Returns:
        (N, 4): boxes, c = c_p + o·var₀·size_p and size = size_p·exp(o·var₁).
    """
    _check_boxes(positive=True, prior=prior)
    _check_lengths(code=code, prior=prior)
    if code.shape[1:] != (4,):
        raise ValueError(f"code must have the shape (N, 4), not {code.shape}")
    prior_centre, prior_size = _centre_and_size(prior)
    centre = prior_centre + code[:, :2] * var[0] * prior_size
    half = prior_size * np.exp(code[:, 2:] * var[1]) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def default_boxes(k: int, m: int, ratios: Sequence[float], s_min: float = 0.2, s_max: float = 0.9) -> Array:
    """Sizes of the default boxes at a position of the k-th of m feature maps (Liu et al., eq. 4).

    Args:
        k: which map, 1 (the finest) … m.
        m: number of maps, at least 2.
        ratios: aspect ratios w/h.
        s_min: scale of the first map.
        s_max: scale of the last.

    Returns:
        (R, 2): widths and heights relative to the image, one row a ratio, and last the square of side √(s_k s_{k+1}).
    """
    if m < 2 or not 1 <= k <= m:
        raise ValueError(f"k must lie in 1 … m and m be at least 2, not k = {k}, m = {m}")
    if min(ratios, default=1) <= 0:
        raise ValueError(f"ratios must be positive, not {ratios}")
    step = (s_max - s_min) / (m - 1)
    s, s_next = s_min + step * (k - 1), s_min + step * k
    root = np.sqrt(ratios)
    between = np.full((1, 2), np.sqrt(s * s_next))
    return np.concatenate([np.stack([s * root, s / root], axis=1), between])


def match_default_boxes(priors: Array, truths: Array, threshold: float = 0.5) -> Ints:
    """Which default boxes are positives, and of which truth (Liu et al., §2.2, "Matching strategy").

    First pairs are taken in falling IoU, each box and each truth once, so that no truth goes without a box that overlaps it
    while one is free. Then every box left takes its best truth, if their IoU is greater than the threshold.

    Args:
        priors: default boxes, (P, 4).
        truths: the objects of the image, (T, 4).
        threshold: for the second step.

    Returns:
        (P,): index of the truth, -1 for background.
    """
    _check_boxes(priors=priors, truths=truths)
    _check_threshold(threshold)
    match = np.full(len(priors), -1)
    if not len(priors) or not len(truths):
        return match
    overlap = iou_matrix(priors, truths)
    above = overlap.max(axis=1) > threshold
    match[above] = overlap.argmax(axis=1)[above]
    free = overlap.copy()
    while free.max() > 0:  # at most T rounds; these pairs are final and overwrite the second step
        i, j = np.unravel_index(free.argmax(), free.shape)
        match[i] = j
        free[i, :] = free[:, j] = 0
    return match


def hard_negatives(loss: Array, positive: Bools, ratio: int = 3) -> Bools:
    """The background boxes of one image that enter the loss: those mistaken most (Liu et al., §2.2, "Hard negative mining").

    Args:
        loss: confidence loss of each default box, (P,).
        positive: which boxes are matched to a truth, (P,).
        ratio: so many negatives for each positive, at most.

    Returns:
        (P,): the min(ratio · #positives, #negatives) negatives of highest loss; of equal ones the lower index.
    """
    _check_lengths(loss=loss, positive=positive)
    if ratio < 0:
        raise ValueError(f"ratio must not be negative, not {ratio}")
    order = _by_falling(np.where(positive, -np.inf, loss))  # positives last
    picked = np.zeros(len(loss), bool)
    picked[order[: min(ratio * positive.sum(), (~positive).sum())]] = True
    return picked


def match_detections(boxes: Array, scores: Array, truths: Array, threshold: float = 0.5) -> Bools:
    """Which detections of one class in one image are true positives (Everingham et al., §4.2).

    Args:
        boxes: detections, (N, 4).
        scores: one a detection, (N,).
        truths: the objects, (T, 4).
        threshold: the IoU that is enough.

    Returns:
        (N,): in falling score each looks only at the truth of its highest IoU, and is true if that IoU reaches the threshold
            and the truth is not taken. In the order of the input.
    """
    _check_boxes(boxes=boxes, truths=truths)
    _check_lengths(boxes=boxes, scores=scores)
    _check_threshold(threshold)
    tp = np.zeros(len(boxes), bool)
    if not len(truths):
        return tp
    overlap, taken = iou_matrix(boxes, truths), set()
    for i in _by_falling(scores):
        j = int(overlap[i].argmax())
        if overlap[i, j] >= threshold and j not in taken:
            taken.add(j)
            tp[i] = True
    return tp


def precision_recall(scores: Array, tp: Bools, n_truth: int) -> tuple[Array, Array]:
    """Precision and recall of the best 1, 2, …, N detections.

    Args:
        scores: one a detection, (N,).
        tp: which of them are true positives, (N,).
        n_truth: number of objects, at least 1.

    Returns:
        precision: hits so far over detections so far, by falling score, (N,).
        recall: hits so far over n_truth, (N,).
    """
    _check_lengths(scores=scores, tp=tp)
    if n_truth < 1:
        raise ValueError(f"n_truth must be at least 1, not {n_truth}: without objects recall is undefined")
    hits = np.cumsum(tp[_by_falling(scores)])
    return hits / np.arange(1, len(hits) + 1), hits / n_truth


def average_precision(precision: Array, recall: Array, points: int = 0) -> float:
    """Average precision: the envelope of the curve, the best precision at this or a higher recall, averaged over recall.

    Args:
        precision: at the ranks 1 … N, (N,).
        recall: at the same ranks, never falling, (N,).
        points: 0 for the area under the envelope (VOC 2010), else so many equal recall levels from 0 to 1 (11: VOC 2007, 101: COCO).

    Returns:
        the mean height of the envelope, which is 0 beyond the last recall; 0 without detections.
    """
    _check_lengths(precision=precision, recall=recall)
    if points < 0 or points == 1:
        raise ValueError(f"points must be 0 or at least 2, not {points}")
    if points:
        levels = np.linspace(0, 1, points)
        # A recall such as 3/10 meets its level, whose last bit is another.
        return float(np.mean([max(precision[recall >= r - 1e-12], default=0.0) for r in levels]))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def mean_average_precision(scores: Array, tp: Bools, labels: Ints, n_truth: Ints, points: int = 0) -> float:
    """AP of each class over the detections of all images, and their plain mean.

    Args:
        scores: one a detection, (N,).
        tp: which of them are true positives, (N,).
        labels: the classes they name, 0 … K-1, (N,).
        n_truth: number of objects of each class, (K,).
        points: as in average_precision.

    Returns:
        the mean over the classes that have objects; one without detections counts as 0.
    """
    _check_lengths(scores=scores, tp=tp, labels=labels)
    if len(labels) and not (0 <= min(labels) and max(labels) < len(n_truth)):
        raise ValueError(f"labels must lie in 0 … {len(n_truth) - 1}, not {min(labels)} … {max(labels)}")
    if not any(n > 0 for n in n_truth):
        raise ValueError("n_truth must have an object in some class")
    ap = []
    for c, n in enumerate(n_truth):
        if n > 0:
            curve = precision_recall(scores[labels == c], tp[labels == c], n)
            ap.append(average_precision(*curve, points))
    return float(np.mean(ap))


def _by_falling(scores: Array) -> Ints:
    """Indices by falling score; a rising sort turned round would also turn equal scores round."""
    return np.argsort(-scores, kind="stable")


def _centre_and_size(boxes: Array) -> tuple[Array, Array]:
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]


def _check_boxes(positive: bool = False, **named: Array) -> None:
    for name, boxes in named.items():
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"{name} must have a last axis of 4 corners, not the shape {boxes.shape}")
        sides = boxes[:, 2:] - boxes[:, :2]
        if (sides < 0).any() or (positive and (sides == 0).any()):
            raise ValueError(f"{name} must have x2 {'>' if positive else '≥'} x1 and y2 {'>' if positive else '≥'} y1")


def _check_lengths(**named: NDArray[np.generic]) -> None:
    if len({len(values) for values in named.values()}) > 1:
        raise ValueError(f"{' and '.join(named)} must have one length, not {[len(v) for v in named.values()]}")


def _check_threshold(threshold: float) -> None:
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must lie in [0, 1], not {threshold}")
