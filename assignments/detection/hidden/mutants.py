"""Wrong ideas about boxes, their matching and their scores."""

import numpy as np
from autograder.properties import mutant

from reference.detection import (
    average_precision, decode_boxes, default_boxes, encode_boxes, hard_negatives, iou, iou_matrix, match_default_boxes,
    match_detections, mean_average_precision, nms, precision_recall,
)


def sides(box):
    return box[2] - box[0], box[3] - box[1]


def area(box):
    return sides(box)[0] * sides(box)[1]


def common_sides(a, b):
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])), max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def share(part, whole):
    """0 where there is no whole, entry by entry."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)


@mutant(iou)
def one_axis_only(a, b):
    """横だけ重なっていても、縦に離れていたら重なりの面積はいくつですか。
    Boxes that overlap in x but lie apart in y: how large is the common area?"""
    inter = common_sides(a, b)[0] * sides(a)[1]
    return float(share(inter, area(a) + area(b) - inter))


@mutant(iou)
def divides_by_one_box(a, b):
    """予測の枠をどんどん大きくすると、この値はどうなりますか。IoU なら下がるはずです。
    Let the predicted box grow: what does your value do? IoU must fall."""
    return float(share(np.prod(common_sides(a, b)), area(b)))


@mutant(iou)
def offset_is_the_overlap(a, b):
    """同じ箱を2つ重ねたとき、重なりの幅は 0 ですか、箱の幅ですか。
    For two equal boxes on top of each other: is the overlap 0 wide or as wide as the box?"""
    inter = abs(a[0] - b[0]) * abs(a[1] - b[1])
    return float(share(inter, area(a) + area(b) - inter))


@mutant(iou)
def corners_read_as_size(a, b):
    """3番目と4番目の数は右下の座標ですか、幅と高さですか。
    Are the third and fourth number the far corner or width and height?"""
    inter = np.prod(common_sides(a, b))
    return float(share(inter, a[2] * a[3] + b[2] * b[3] - inter))


@mutant(iou)
def overlap_left_in_the_sum(a, b):
    """和集合の面積を求めるとき、共通部分は2回足されていませんか。
    In the area of the union: is the common part added twice?"""
    return iou(a, b) / (1 + iou(a, b))


def all_sides(a, b):
    """Widths and heights of all common parts, negative where boxes lie apart."""
    return np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])


def areas(boxes):
    return np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)


def from_inter(inter, a, b):
    return share(inter, areas(a)[:, None] + areas(b) - inter)


@mutant(iou_matrix)
def union_keeps_overlap(a, b):
    """2つの面積を足すと、重なりは何回数えられますか。
    When two areas are added, how often is the overlap counted?"""
    return iou_matrix(a, b) / (1 + iou_matrix(a, b))


@mutant(iou_matrix)
def no_clamp(a, b):
    """離れた箱では幅も高さも負になります。その積は？
    For boxes apart, width and height are both negative: and their product?"""
    return from_inter(all_sides(a, b).prod(axis=2), a, b)


@mutant(iou_matrix)
def pixel_plus_one(a, b):
    """座標は連続値です。+1 を入れるなら面積全部に必要ですが、この課題では入れません。
    Coordinates are continuous here: no +1."""
    return from_inter(np.maximum(all_sides(a, b) + 1, 0).prod(axis=2), a, b)


@mutant(iou_matrix)
def iou_over_smaller(a, b):
    """IoU の分母は小さい方の箱ですか、和集合ですか。
    Is the denominator the smaller box or the union?"""
    return share(np.maximum(all_sides(a, b), 0).prod(axis=2), np.minimum(areas(a)[:, None], areas(b)))


@mutant(iou_matrix)
def whole_pixels(a, b):
    """座標は整数とは限りません。1画素より小さいずれで IoU は変わりませんか。
    Coordinates need not be whole numbers: does a shift by half a pixel change nothing?"""
    return iou_matrix(np.round(a), np.round(b))


def suppressed(boxes, order, stays):
    """The kept boxes where `stays(IoU of the kept box with one that waits)` decides."""
    overlap, order, kept = iou_matrix(boxes, boxes), list(order), []
    while order:
        best = order.pop(0)
        kept.append(best)
        order = [i for i in order if stays(overlap[best, i])]
    return np.array(kept)


@mutant(nms)
def nms_keeps_overlaps(boxes, scores, threshold):
    """抑制するのは重なりが大きい箱ですか、小さい箱ですか。
    Which boxes are suppressed: those that overlap much or little?"""
    return suppressed(boxes, np.argsort(-scores, kind="stable"), lambda overlap: overlap > threshold)


@mutant(nms)
def nms_ascending(boxes, scores, threshold):
    """どのスコアの箱から選び始めますか。
    From which score does the selection start?"""
    return nms(boxes, -scores, threshold)


@mutant(nms)
def nms_against_all(boxes, scores, threshold):
    """すでに消された箱が、別の箱を消してよいでしょうか。
    May a box that was itself suppressed suppress another one?"""
    order, overlap = np.argsort(-scores, kind="stable"), iou_matrix(boxes, boxes)
    return np.array([i for n, i in enumerate(order) if (overlap[i, order[:n]] <= threshold).all()])


@mutant(nms)
def equal_scores_reversed(boxes, scores, threshold):
    """スコアが同じ箱はどちらが先ですか。argsort を逆順にすると同点の順序はどうなりますか。
    Which of two boxes with equal scores comes first, and what does reversing an argsort do to them?"""
    return len(scores) - 1 - nms(boxes[::-1], scores[::-1], threshold)


@mutant(nms)
def kept_in_input_order(boxes, scores, threshold):
    """残した箱の番号を、どの順に並べて返しますか。
    In which order do the indices of the kept boxes come back?"""
    return np.sort(nms(boxes, scores, threshold))


@mutant(encode_boxes)
def encode_without_log(truth, prior, var=(0.1, 0.2)):
    """幅と高さの符号化に対数を使うのはなぜでしょう。
    Why is the size encoded with a logarithm?"""
    offset, size = np.split(encode_boxes(truth, prior, var), 2, axis=1)
    return np.concatenate([offset, (np.exp(size * var[1]) - 1) / var[1]], axis=1)


@mutant(encode_boxes)
def encode_by_truth_size(truth, prior, var=(0.1, 0.2)):
    """中心のずれは、どちらの箱の大きさで割りますか(予測時に分かっているのは？)。
    Which size divides the centre offset — which one is known at prediction?"""
    offset = -encode_boxes(prior, truth, var)[:, :2]
    return np.concatenate([offset, encode_boxes(truth, prior, var)[:, 2:]], axis=1)


@mutant(encode_boxes)
def encode_default_variances(truth, prior, var=(0.1, 0.2)):
    """分散を (1, 1) にすると、符号はどう変わるはずですか。
    With variances (1, 1): how must the code change?"""
    return encode_boxes(truth, prior)


@mutant(encode_boxes)
def encode_corners(truth, prior, var=(0.1, 0.2)):
    """ずれは左上の角どうしで測りますか、中心どうしで測りますか。
    Is the offset measured between the corners or between the centres?"""
    offset = (truth[:, :2] - prior[:, :2]) / (prior[:, 2:] - prior[:, :2]) / var[0]
    return np.concatenate([offset, encode_boxes(truth, prior, var)[:, 2:]], axis=1)


@mutant(decode_boxes)
def decode_without_exp(code, prior, var=(0.1, 0.2)):
    """符号化で対数を取ったのですから、戻すときは何を使いますか。負の幅は出ませんか。
    The encoding took a logarithm: what undoes it? Can a width become negative?"""
    middle = decode_boxes(code * [1, 1, 0, 0], prior, var)
    centre, half = (middle[:, :2] + middle[:, 2:]) / 2, (middle[:, 2:] - middle[:, :2]) / 2
    half = half * (1 + code[:, 2:] * var[1])
    return np.concatenate([centre - half, centre + half], axis=1)


@mutant(decode_boxes)
def decode_centre_as_corner(code, prior, var=(0.1, 0.2)):
    """復元した点は箱の中心です。左上の角までどれだけ離れていますか。
    The decoded point is the centre: how far is the top-left corner from it?"""
    box = decode_boxes(code, prior, var)
    return box + np.tile(box[:, 2:] - box[:, :2], 2) / 2


@mutant(decode_boxes)
def decode_offset_in_pixels(code, prior, var=(0.1, 0.2)):
    """ずれは箱の大きさを単位に測られています。画素に直すには何を掛けますか。
    The offset is measured in units of the prior: what turns it into pixels?"""
    return decode_boxes(code * [0, 0, 1, 1], prior, var) + np.tile(code[:, :2], 2) * var[0]


@mutant(decode_boxes)
def decode_divides_by_variance(code, prior, var=(0.1, 0.2)):
    """符号化で割った数は、復号ではどうしますか。
    Encoding divided by this number: what must decoding do with it?"""
    return decode_boxes(code, prior, (1 / var[0], var[1]))


@mutant(decode_boxes)
def decode_default_variances(code, prior, var=(0.1, 0.2)):
    """復号で掛ける数は、どの引数で決まりますか。
    Which argument sets the numbers that decoding multiplies by?"""
    return decode_boxes(code, prior)


@mutant(default_boxes)
def ratio_not_rooted(k, m, ratios, s_min=0.2, s_max=0.9):
    """縦横比が a、面積が s² になるには、幅を s の何倍にしますか。
    For ratio a at area s²: by what is s multiplied to get the width?"""
    return default_boxes(k, m, np.square(ratios), s_min, s_max)


@mutant(default_boxes)
def scale_by_m(k, m, ratios, s_min=0.2, s_max=0.9):
    """最初の層のスケールは s_min になりますか。
    Is the scale of the first layer s_min?"""
    step = (s_max - s_min) / m
    return default_boxes(k, m, ratios, s_min + step, s_max)


@mutant(default_boxes)
def scale_range_wired_in(k, m, ratios, s_min=0.2, s_max=0.9):
    """最初と最後の層のスケールは、どの引数で決まりますか。
    Which arguments set the scales of the first and the last layer?"""
    return default_boxes(k, m, ratios)


@mutant(default_boxes)
def ratio_turned_round(k, m, ratios, s_min=0.2, s_max=0.9):
    """縦横比 2 の箱は横長ですか、縦長ですか。
    Is a box of aspect ratio 2 wide or tall?"""
    return default_boxes(k, m, ratios, s_min, s_max)[:, ::-1]


@mutant(default_boxes)
def extra_box_of_this_scale(k, m, ratios, s_min=0.2, s_max=0.9):
    """最後の正方形の大きさは、この層のスケールと同じですか、次の層との間ですか。
    Is the last square as large as this map's scale, or between it and the next one's?"""
    boxes = default_boxes(k, m, ratios, s_min, s_max)
    return np.concatenate([boxes[:-1], np.full((1, 2), np.sqrt(boxes[0].prod()))])


def best_truth(priors, truths):
    """Of each box: its truth of highest IoU, and this IoU."""
    overlap = np.concatenate([iou_matrix(priors, truths), np.zeros((len(priors), 1))], axis=1)  # a last column: no truth
    return overlap.argmax(axis=1), overlap.max(axis=1)


@mutant(match_default_boxes)
def only_above_threshold(priors, truths, threshold=0.5):
    """どのデフォルトボックスとも IoU が 0.5 以下の小さな物体は、学習されますか。
    Is a small object learned whose IoU with every default box is below 0.5?"""
    best, overlap = best_truth(priors, truths)
    return np.where(overlap > threshold, best, -1)


@mutant(match_default_boxes)
def only_the_best_box(priors, truths, threshold=0.5):
    """1つの正解に対応するデフォルトボックスは1つだけですか。
    May only one default box be assigned to a truth?"""
    return match_default_boxes(priors, truths, 1.0)


@mutant(match_default_boxes)
def every_overlap_is_positive(priors, truths, threshold=0.5):
    """少しだけ重なった箱も正例にしますか。しきい値は何のためですか。
    Is a box that barely overlaps a positive? What is the threshold for?"""
    return match_default_boxes(priors, truths, 0.0)


@mutant(match_default_boxes)
def threshold_overrules_best(priors, truths, threshold=0.5):
    """ある正解の最良の箱を別の正解が上書きしたら、その正解には何が残りますか。
    If another truth overwrites the best box of this one, what is left for it?"""
    best, overlap = best_truth(priors, truths)
    return np.where(overlap > threshold, best, match_default_boxes(priors, truths, 1.0))


@mutant(match_default_boxes)
def best_box_taken_twice(priors, truths, threshold=0.5):
    """2つの正解が同じ箱を最良とするとき、両方に箱が残りますか。
    Two truths prefer the same box: does each still have one afterwards?"""
    match, overlap = only_above_threshold(priors, truths, threshold), iou_matrix(priors, truths)
    for j in range(len(truths)):
        if overlap[:, j].max() > 0:
            match[overlap[:, j].argmax()] = j
    return match


@mutant(hard_negatives)
def easy_negatives(loss, positive, ratio=3):
    """学習に残すのは、間違えやすい背景ですか、簡単な背景ですか。
    Which background is kept: the one that is mistaken easily or the easy one?"""
    return hard_negatives(-loss, positive, ratio)


@mutant(hard_negatives)
def positives_compete(loss, positive, ratio=3):
    """並べ替えに正例を混ぜていませんか。選ぶのは負例だけです。
    Do positives enter the ranking? Only negatives are chosen."""
    picked = np.zeros(len(loss), bool)
    picked[np.argsort(-loss, kind="stable")[: min(ratio * positive.sum(), (~positive).sum())]] = True
    return picked


@mutant(hard_negatives)
def ratio_the_other_way(loss, positive, ratio=3):
    """3:1 はどちらが3ですか。背景の箱はとても多いことを思い出しましょう。
    Which side of 3:1 is the three? Recall how many boxes are background."""
    worst = np.argsort(np.where(positive, np.inf, -loss), kind="stable")
    return np.isin(np.arange(len(loss)), worst[: positive.sum() // ratio])


@mutant(hard_negatives)
def all_negatives(loss, positive, ratio=3):
    """8732 個の箱のうち正例が10個なら、損失の大部分は何が占めますか。
    With 10 positives of 8732 boxes, what makes up most of the loss?"""
    return ~positive


@mutant(hard_negatives)
def always_three_to_one(loss, positive, ratio=3):
    """ratio を 1 にすると、負例はいくつ選ばれるはずですか。
    With ratio 1: how many negatives should be picked?"""
    return hard_negatives(loss, positive)


def claimed(boxes, order, truths, threshold, choose=lambda row, taken: row, uses=True):
    """True positives where detections come in this order and look at the best of what `choose` leaves."""
    overlap, taken, tp = iou_matrix(boxes, truths), set(), np.zeros(len(boxes), bool)
    for i in order if len(truths) else ():
        row = choose(overlap[i], taken)
        j = int(np.argmax(row))
        if row[j] >= threshold and j not in taken:
            tp[i] = True
            taken |= {j} if uses else set()
    return tp


@mutant(match_detections)
def truth_reused(boxes, scores, truths, threshold=0.5):
    """同じ正解に2つの検出が対応したら、2つ目は何になりますか。
    If two detections hit one object, what is the second?"""
    return claimed(boxes, range(len(boxes)), truths, threshold, uses=False)


@mutant(match_detections)
def match_unsorted(boxes, scores, truths, threshold=0.5):
    """正解を先に取る権利があるのは、どの検出ですか。
    Which detection has the first claim on a truth?"""
    return claimed(boxes, range(len(boxes)), truths, threshold)


@mutant(match_detections)
def flags_in_rank_order(boxes, scores, truths, threshold=0.5):
    """返す配列の i 番目は、入力の i 番目の検出ですか、i 位の検出ですか。
    Is entry i of the result detection i of the input or the one of rank i?"""
    return match_detections(boxes, scores, truths, threshold)[np.argsort(-scores, kind="stable")]


@mutant(match_detections)
def next_free_truth(boxes, scores, truths, threshold=0.5):
    """最も重なる正解がすでに使われていたら、次の正解を試しますか (この課題は VOC)。
    If the truth it overlaps most is taken, does a detection try the next one (VOC, as here)?"""
    untaken = lambda row, taken: np.where(np.isin(np.arange(len(row)), list(taken)), -1, row)
    return claimed(boxes, np.argsort(-scores, kind="stable"), truths, threshold, untaken)


@mutant(match_detections)
def equal_detections_reversed(boxes, scores, truths, threshold=0.5):
    """スコアが同じ検出は、入力のどちらが先に正解を取りますか。argsort の逆順ではどうなりますか。
    Of detections with equal scores, which claims a truth first? What does a reversed argsort do?"""
    return match_detections(boxes[::-1], scores[::-1], truths, threshold)[::-1]


@mutant(precision_recall)
def recall_over_detections(scores, tp, n_truth):
    """再現率の分母は、見つけた数ですか、正解の総数ですか。
    Is recall divided by what was found or by all truths?"""
    return precision_recall(scores, tp, max(1, tp.sum()))


@mutant(precision_recall)
def precision_over_truths(scores, tp, n_truth):
    """適合率の分母は検出数ですか、正解数ですか。
    Is precision divided by detections or by truths?"""
    recall = precision_recall(scores, tp, n_truth)[1]
    return recall, recall


@mutant(precision_recall)
def curve_in_input_order(scores, tp, n_truth):
    """順位 k の適合率は、どの順に並べた k 個ですか。
    Precision at rank k: the first k in which order?"""
    return precision_recall(-np.arange(len(tp)), tp, n_truth)


@mutant(precision_recall)
def ranks_of_equals_reversed(scores, tp, n_truth):
    """同点の検出を逆順に並べていませんか。argsort の結果を後ろから読むと、同点も逆になります。
    Are equal scores ranked backwards? Reading an argsort from its end turns them round, too."""
    return precision_recall(scores[::-1], tp[::-1], n_truth)


def staircase(precision, recall):
    """The envelope and the recalls, with the ends of the axis."""
    envelope = np.maximum.accumulate([0.0, *precision[::-1]])[::-1]
    return np.array([*envelope[:1], *envelope]), np.array([0.0, *recall, 1.0])


@mutant(average_precision)
def ap_no_envelope(precision, recall, points=0):
    """適合率の曲線を単調にする処理(右側の最大値)を入れましたか。
    Was precision made monotone (maximum to the right)?"""
    return average_precision(precision, recall, points) if points else float(np.diff(recall, prepend=0) @ precision)


@mutant(average_precision)
def ap_mean_of_precision(precision, recall, points=0):
    """AP は順位での平均ですか、再現率での積分ですか。
    Is AP a mean over ranks or an integral over recall?"""
    return average_precision(precision, recall, points) if points else float(np.mean(precision))


@mutant(average_precision)
def ap_ten_points(precision, recall, points=0):
    """11 点の中に再現率 0 は含まれますか。
    Is recall 0 one of the eleven levels?"""
    if not points:
        return average_precision(precision, recall)
    return (points * average_precision(precision, recall, points) - max(precision)) / (points - 1)


@mutant(average_precision)
def ap_trapezoid(precision, recall, points=0):
    """包絡線は階段状です。台形で測ると何が余分に入りますか。
    The envelope is a staircase: what do trapezoids add or cut?"""
    if points:
        return average_precision(precision, recall, points)
    p, r = staircase(precision, recall)
    return float(np.sum(np.diff(r) * (p[1:] + p[:-1]) / 2))


@mutant(average_precision)
def always_eleven_levels(precision, recall, points=0):
    """COCO の 101 点では、再現率を何刻みで見ますか。
    COCO uses 101 levels: how far apart are they?"""
    return average_precision(precision, recall, 11 if points else 0)


@mutant(mean_average_precision)
def map_one_ranking(scores, tp, labels, n_truth, points=0):
    """クラスごとに順位を付けますか、全クラスを1つに並べますか。
    Is there one ranking per class or one for all classes?"""
    return mean_average_precision(scores, tp, 0 * labels, [sum(n_truth)], points)


def each_class(scores, tp, labels, n_truth, points):
    """AP of the classes with truths."""
    only = lambda c: [n if c == i else 0 for i, n in enumerate(n_truth)]
    return {c: mean_average_precision(scores, tp, labels, only(c), points) for c, n in enumerate(n_truth) if n > 0}


@mutant(mean_average_precision)
def map_weighted_by_truths(scores, tp, labels, n_truth, points=0):
    """物体の多いクラスほど重く数えますか。
    Does a class with more objects weigh more?"""
    ap = each_class(scores, tp, labels, n_truth, points)
    return float(sum(n_truth[c] * x for c, x in ap.items()) / sum(n_truth))


@mutant(mean_average_precision)
def map_skips_missed_class(scores, tp, labels, n_truth, points=0):
    """1つも検出できなかったクラスの AP はいくつですか。
    What is the AP of a class that was never detected?"""
    ap = each_class(scores, tp, labels, n_truth, points)
    seen = [x for c, x in ap.items() if c in labels]
    return float(sum(seen) / max(1, len(seen)))


@mutant(mean_average_precision)
def map_counts_absent(scores, tp, labels, n_truth, points=0):
    """正解のないクラスでは再現率が定義できません。平均に入れますか。
    Without truths recall is undefined: does the class enter the mean?"""
    return float(sum(each_class(scores, tp, labels, n_truth, points).values()) / len(n_truth))


@mutant(mean_average_precision)
def map_ignores_points(scores, tp, labels, n_truth, points=0):
    """11 点の AP の平均を求めるとき、points はどこへ渡りますか。
    Where does `points` go when the 11-point mAP is asked?"""
    return mean_average_precision(scores, tp, labels, n_truth)
