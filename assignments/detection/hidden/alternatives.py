"""Right answers written differently: properties must accept them."""

import math

import numpy as np
from autograder.properties import alternative

from reference.detection import (
    average_precision, decode_boxes, default_boxes, encode_boxes, hard_negatives, iou, iou_matrix, match_default_boxes,
    match_detections, mean_average_precision, nms, precision_recall,
)


@alternative(iou)
def nothing_in_common_first(a, b):
    """An early 0, and a small number in the denominator instead of a question."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return w * h * (1.0 / (area(a) + area(b) - w * h + 1e-9))


@alternative(iou)
def corners_clipped(a, b):
    """One box clipped to the other."""
    a, b = np.asarray(a), np.asarray(b)
    inter = np.prod(np.clip(a[2:], b[:2], b[2:]) - np.clip(a[:2], b[:2], b[2:]))
    union = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - inter
    return inter / union if union else 0.0


@alternative(iou_matrix)
def pair_by_pair(a, b):
    """A double loop over single pairs; lists come back."""
    return [[iou(p, q) for q in b] for p in a]


@alternative(iou_matrix)
def axis_by_axis(a, b):
    """Outer minima and maxima of each axis."""
    inter, areas = 1.0, [1.0, 1.0]
    for low, high in ((0, 2), (1, 3)):
        side = np.minimum.outer(a[:, high], b[:, high]) - np.maximum.outer(a[:, low], b[:, low])
        inter = inter * side.clip(0)
        areas = [area * (boxes[:, high] - boxes[:, low]) for area, boxes in zip(areas, (a, b))]
    return inter / np.maximum(np.add.outer(*areas) - inter, 1e-12)


@alternative(nms)
def set_of_suppressed(boxes, scores, threshold):
    """Each kept box strikes out later ones; a list comes back."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    gone, kept = set(), []
    for n, i in enumerate(order):
        if i not in gone:
            kept.append(i)
            gone.update(j for j in order[n + 1 :] if iou(boxes[i], boxes[j]) > threshold)
    return kept


@alternative(nms)
def shrinking_array(boxes, scores, threshold):
    """An array of those left, filtered by a mask."""
    order, kept = np.argsort(-scores, kind="mergesort"), []
    while order.size:
        kept.append(order[0])
        order = order[1:][iou_matrix(boxes[order[:1]], boxes[order[1:]])[0] <= threshold]
    return tuple(kept)


@alternative(encode_boxes)
def difference_of_logarithms(truth, prior, var=(0.1, 0.2)):
    """Row by row, sums of corners for centres."""
    codes = []
    for t, p in zip(truth, prior):
        size, base = t[2:] - t[:2], p[2:] - p[:2]
        offset = (t[:2] + t[2:] - p[:2] - p[2:]) / (2 * var[0] * base)
        codes.append([*offset, *((np.log(size) - np.log(base)) / var[1])])
    return np.array(codes)


@alternative(encode_boxes)
def columns_stacked(truth, prior, var=(0.1, 0.2)):
    """Every column by its name."""
    x1, y1, x2, y2 = truth.T
    px1, py1, px2, py2 = prior.T
    w, h, pw, ph = x2 - x1, y2 - y1, px2 - px1, py2 - py1
    dx, dy = x1 + w / 2 - px1 - pw / 2, y1 + h / 2 - py1 - ph / 2
    return np.stack([dx / (pw * var[0]), dy / (ph * var[0]), np.log(w / pw) / var[1], np.log(h / ph) / var[1]], axis=-1)


@alternative(decode_boxes)
def sum_of_logarithms(code, prior, var=(0.1, 0.2)):
    """exp(ln w + var · o); the far corner from the near one."""
    boxes = []
    for o, p in zip(code, prior):
        size = [p[2] - p[0], p[3] - p[1]]
        wide = [math.exp(math.log(s) + var[1] * d) for s, d in zip(size, o[2:])]
        near = [p[i] + size[i] / 2 + o[i] * var[0] * size[i] - wide[i] / 2 for i in (0, 1)]
        boxes.append([*near, near[0] + wide[0], near[1] + wide[1]])
    return boxes


@alternative(decode_boxes)
def unit_corners_stretched(code, prior, var=(0.1, 0.2)):
    """The corners (±½, ±½) stretched, shifted, and laid over the prior."""
    size = (prior[:, 2:] - prior[:, :2])[:, None]
    corners = np.array([[-0.5], [0.5]]) * np.exp(code[:, None, 2:] * var[1]) + code[:, None, :2] * var[0] + 0.5
    return (prior[:, None, :2] + corners * size).reshape(-1, 4)


@alternative(default_boxes)
def scales_from_linspace(k, m, ratios, s_min=0.2, s_max=0.9):
    """All scales at once, one more than there are maps; width from height."""
    scales = np.append(np.linspace(s_min, s_max, m), s_max + (s_max - s_min) / (m - 1))
    s = scales[k - 1]
    boxes = [(s / math.sqrt(a) * a, s / math.sqrt(a)) for a in ratios]
    return np.array(boxes + [(math.sqrt(s * scales[k]),) * 2])


@alternative(default_boxes)
def powers_of_the_ratio(k, m, ratios, s_min=0.2, s_max=0.9):
    """One outer power, scales between the two ends."""
    s, after = ((s_min * (m - i) + s_max * (i - 1)) / (m - 1) for i in (k, k + 1))
    boxes = s * np.power.outer(np.array(ratios), [0.5, -0.5])
    return np.vstack([boxes, [(s * after) ** 0.5] * 2])


@alternative(match_default_boxes)
def best_free_pair_a_truth(priors, truths, threshold=0.5):
    """Plain loops: once for every truth the best free pair, then the threshold."""
    P, T = len(priors), len(truths)
    match, open_truths = [-1] * P, set(range(T))
    overlap = [[iou(p, t) for t in truths] for p in priors]
    for _ in range(T):
        best = max(((overlap[i][j], -i, -j) for i in range(P) for j in open_truths if match[i] < 0), default=(0, 0, 0))
        if best[0] > 0:
            match[-best[1]] = -best[2]
            open_truths.remove(-best[2])
    for i in range(P):
        if match[i] < 0 and T and max(overlap[i]) > threshold:
            match[i] = overlap[i].index(max(overlap[i]))
    return match


@alternative(match_default_boxes)
def one_sort_two_masks(priors, truths, threshold=0.5):
    """One sort of all pairs; the threshold for the boxes left."""
    match = -np.ones(len(priors), np.int32)
    if len(truths):
        overlap = iou_matrix(priors, truths)
        served = np.zeros(len(truths), bool)
        for flat in np.argsort(-overlap, axis=None, kind="stable"):
            i, j = divmod(int(flat), len(truths))
            if overlap[i, j] > 0 and match[i] == -1 and not served[j]:
                match[i], served[j] = j, True
        left = (match == -1) & (overlap.max(axis=1) > threshold)
        match[left] = overlap[left].argmax(axis=1)
    return match


@alternative(hard_negatives)
def sorted_list_of_negatives(loss, positive, ratio=3):
    """Indices of the negatives in a sorted list; a list comes back."""
    negatives = sorted([i for i, p in enumerate(positive) if not p], key=lambda i: -loss[i])
    chosen = set(negatives[: ratio * sum(map(bool, positive))])
    return [i in chosen for i in range(len(loss))]


@alternative(hard_negatives)
def rank_of_every_loss(loss, positive, ratio=3):
    """The double argsort of SSD's code."""
    shown = np.where(positive, -np.inf, loss)
    rank = np.argsort(np.argsort(-shown, kind="stable"), kind="stable")
    return (rank < ratio * positive.sum()) & ~positive


@alternative(match_detections)
def best_truth_by_comparison(boxes, scores, truths, threshold=0.5):
    """A running maximum over the truths and a list of those taken."""
    taken, tp = [False] * len(truths), [False] * len(boxes)
    for i in sorted(range(len(boxes)), key=lambda i: scores[i], reverse=True):
        best, at = -1.0, None
        for j, truth in enumerate(truths):
            if (v := iou(boxes[i], truth)) > best:
                best, at = v, j
        if at is not None and best >= threshold and not taken[at]:
            taken[at] = tp[i] = True
    return tp


@alternative(match_detections)
def first_of_each_truth(boxes, scores, truths, threshold=0.5):
    """Truth by truth: of the detections that look at it, the best one is true."""
    tp = np.zeros(len(boxes), bool)
    if len(truths):
        overlap = iou_matrix(boxes, truths)
        looks = np.where(overlap.max(axis=1) >= threshold, overlap.argmax(axis=1), -1)
        for j in range(len(truths)):
            if (mine := np.flatnonzero(looks == j)).size:
                tp[mine[np.argmax(scores[mine])]] = True
    return tp


@alternative(precision_recall)
def running_count(scores, tp, n_truth):
    """One hit after the other; lists come back."""
    hits, precision, recall = 0, [], []
    for rank, i in enumerate(sorted(range(len(tp)), key=lambda i: -scores[i]), 1):
        hits += bool(tp[i])
        precision.append(hits / rank)
        recall.append(hits / n_truth)
    return precision, recall


@alternative(precision_recall)
def triangle_of_ones(scores, tp, n_truth):
    """The counts as a product with a triangular matrix."""
    hits = np.tri(len(tp)) @ tp[np.argsort(-scores, kind="stable")]
    return [hits / np.tri(len(tp)).sum(axis=1), hits / n_truth]


@alternative(average_precision)
def steps_where_recall_rises(precision, recall, points=0):
    """Ranks and levels one by one, no allowance for rounding."""
    total, last = 0.0, 0.0
    if points:
        for level in (k / (points - 1) for k in range(points)):
            total += max((p for p, r in zip(precision, recall) if r >= level), default=0.0)
        return total / points
    for k, r in enumerate(recall):
        if r > last:
            total, last = total + (r - last) * max(precision[k:]), r
    return total


@alternative(average_precision)
def envelope_from_behind(precision, recall, points=0):
    """The maximum carried backwards, then a search for the levels or a scalar product."""
    envelope = np.append(precision, 0.0)
    for k in range(len(precision) - 1, -1, -1):
        envelope[k] = max(envelope[k], envelope[k + 1])
    if points:
        return envelope[np.searchsorted(recall, np.arange(points) / (points - 1))].mean()
    return np.diff(recall, prepend=0) @ envelope[:-1]


@alternative(mean_average_precision)
def running_sum(scores, tp, labels, n_truth, points=0):
    """A class without detections adds nothing, but counts."""
    total, classes = 0.0, 0
    for c in range(len(n_truth)):
        if n_truth[c] == 0:
            continue
        classes += 1
        if any(labels == c):
            mine = np.flatnonzero(labels == c)
            total += average_precision(*precision_recall(scores[mine], tp[mine], n_truth[c]), points)
    return total / classes


@alternative(mean_average_precision)
def one_sort_for_all(scores, tp, labels, n_truth, points=0):
    """All detections sorted once, then dealt out to their classes."""
    order = np.argsort(-scores, kind="stable")
    dealt = {c: [] for c, n in enumerate(n_truth) if n}
    for i in order:
        if labels[i] in dealt:
            dealt[labels[i]].append(bool(tp[i]))
    ap = []
    for c, true in dealt.items():
        hits = np.cumsum(true)
        ap.append(average_precision(hits / np.arange(1, len(true) + 1), hits / n_truth[c], points))
    return np.mean(ap)
