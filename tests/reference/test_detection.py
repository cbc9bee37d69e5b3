"""Detection against areas that are counted, plain-Python scores, torch where it has the function, and published counts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import detection as ref

rounds = settings(max_examples=60, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)

a = np.array([[0.0, 0, 4, 4], [1, 1, 5, 5], [6, 6, 8, 9]])
d = np.array([[0.0, 0, 4, 4], [1, 0, 5, 4], [4, 0, 8, 4], [4, 4, 8, 8], [0, 1, 5, 4]])
t = np.array([[0.0, 0, 5, 4], [4.5, 4.5, 6.5, 6.5], [0.5, 0, 4.5, 4]])
scores = np.array([0.6, 0.9, 0.3])
five = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
flags = np.array([1, 0, 1, 1, 0], bool)
loss = np.array([0.2, 3, 0.9, 0.1, 2, 0.9, 0.7, 1.5])
pool = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), np.array([1, 0, 1, 1, 1, 0], bool), np.array([0, 1, 0, 1, 1, 3])


def close(actual, expected, rtol=1e-12, atol=1e-12):
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)


def random_boxes(rng, n, low=-3.0, high=3.0):
    corner = rng.uniform(low, high, (n, 2))
    return np.concatenate([corner, corner + rng.uniform(0.3, 4, (n, 2))], axis=1)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ref.iou(a[0], a[1]), 0.391304347826087),
        (ref.iou([0, 0, 8, 5], [3, 2, 11, 7]), 0.23076923076923078),
        (ref.iou_matrix(a, a), [[1, 0.391304347826087, 0], [0.391304347826087, 1, 0], [0, 0, 1]]),
        (ref.nms(a, scores, 0.3), [1, 2]),
        (ref.nms(a, scores, 0.5), [1, 0, 2]),
        (ref.nms(a, np.full(3, 0.5), 0.3), [0, 2]),
        (ref.match_detections(a, scores, np.array([[0, 0, 4, 4.5], [6, 6, 8, 8]])), [True, False, True]),
        (
            ref.precision_recall(five, flags, 4),
            ([1, 0.5, 0.6666666666666666, 0.75, 0.6], [0.25, 0.25, 0.5, 0.75, 0.75]),
        ),
        (ref.average_precision(*ref.precision_recall(five, flags, 4)), 0.625),
        (ref.average_precision(*ref.precision_recall(five, flags, 4), 11), 0.6136363636363636),
        (ref.encode_boxes(np.array([[1.0, 1, 5, 9]]), d[:1]), [[2.5, 7.5, 0, 3.465735902799726]]),
        (ref.encode_boxes(np.array([[1.0, 1, 5, 9]]), d[:1], (1, 1)), [[0.25, 0.75, 0, 0.6931471805599453]]),
        (ref.decode_boxes(np.array([[2.5, 7.5, 0, 2 * np.log(32)]]), d[:1]), [[1, -3, 5, 13]]),
        (
            ref.decode_boxes(np.array([[1.0, -2, 1, -1]]), d[:1]),
            [[-0.0428055163203398, -0.4374615061559637, 4.84280551632034, 2.8374615061559636]],
        ),
        (
            ref.default_boxes(1, 6, [1.0, 2.0, 0.5]),
            [
                [0.2, 0.2],
                [0.28284271247461906, 0.1414213562373095],
                [0.14142135623730953, 0.282842712474619],
                [0.2607680962081059, 0.2607680962081059],
            ],
        ),
        (ref.default_boxes(6, 6, [1.0]), [[0.9, 0.9], [0.9674709297958258, 0.9674709297958258]]),
        (
            ref.default_boxes(2, 3, [2.0], 0.1, 0.5),
            [[0.4242640687119286, 0.21213203435596428], [0.3872983346207417, 0.3872983346207417]],
        ),
        (ref.match_default_boxes(d, t), [0, 2, -1, 1, 0]),
        (ref.match_default_boxes(d, t, 0.1), [0, 2, 0, 1, 0]),
        (ref.match_default_boxes(d, t, 0.9), [0, 2, -1, 1, -1]),
        (np.flatnonzero(ref.hard_negatives(loss, np.arange(8) == 1)), [2, 4, 7]),
        (np.flatnonzero(ref.hard_negatives(loss, np.arange(8) == 1, 2)), [4, 7]),
        (ref.mean_average_precision(*pool, np.array([3, 2, 1, 0])), 0.4444444444444444),
        (ref.mean_average_precision(*pool, np.array([3, 2, 1, 0]), 11), 0.4343434343434344),
    ],
)
def test_worked_values_hold_to_the_last_digits(found, expected):
    close(found, expected, atol=1e-14)


@rounds
@given(seeds)
def test_iou_is_the_share_of_random_points_that_fall_into_both(seed):
    rng = np.random.default_rng(seed)
    boxes = random_boxes(rng, 3)
    x = rng.uniform(-3, 7, (20000, 1, 2))
    inside = ((x > boxes[:, :2]) & (x < boxes[:, 2:])).all(axis=2)
    both, either = inside.T.astype(float) @ inside, len(x) - (~inside).T.astype(float) @ ~inside
    error = 6 / np.sqrt(either + 1)
    assert (abs(ref.iou_matrix(boxes, boxes) - both / np.maximum(either, 1)) < error).all()
    close([[ref.iou(p, q) for q in boxes] for p in boxes], ref.iou_matrix(boxes, boxes))


def test_a_detector_of_no_candidates_answers_with_nothing():
    none, numbers = np.zeros((0, 4)), np.zeros(0)
    assert ref.iou_matrix(none, a).shape == (0, 3)
    assert ref.nms(none, numbers, 0.5).shape == (0,)
    assert ref.match_detections(none, numbers, a).shape == (0,)
    assert ref.match_default_boxes(none, a).shape == (0,)
    assert ref.encode_boxes(none, none).shape == ref.decode_boxes(none, none).shape == (0, 4)
    assert ref.average_precision(numbers, numbers) == ref.average_precision(numbers, numbers, 11) == 0
    assert not ref.hard_negatives(loss, np.zeros(8, bool)).any()
    assert not ref.match_detections(a, scores, none).any()
    assert (ref.match_default_boxes(d, none) == -1).all()


def test_boxes_without_an_area_overlap_nothing():
    points = np.array([[1.0, 1, 1, 1], [1, 1, 1, 3]])
    assert not ref.iou_matrix(points, np.concatenate([points, a])).any()
    assert ref.iou(points[0], points[0]) == 0


@rounds
@given(seeds)
def test_nms_keeps_the_only_set_that_explains_itself(seed):
    """The kept set is the one in which a box is a member exactly if no better member covers it: found among all sets."""
    rng = np.random.default_rng(seed)
    boxes, s = random_boxes(rng, 6, 0, 3), rng.permutation(6) / 8
    covers = (ref.iou_matrix(boxes, boxes) > 0.4) & (s[:, None] > s)
    members = (np.arange(64)[:, None] >> np.arange(6)) & 1
    explained = members[((members @ covers > 0) == (members == 0)).all(axis=1)]
    assert len(explained) == 1
    kept = ref.nms(boxes, s, 0.4)
    np.testing.assert_array_equal(np.sort(kept), np.flatnonzero(explained[0]))
    assert (np.diff(s[kept]) < 0).all()


@rounds
@given(seeds)
def test_decoding_undoes_encoding_and_the_other_way_round(seed):
    rng = np.random.default_rng(seed)
    truth, prior = random_boxes(rng, 5), random_boxes(rng, 5)
    var = tuple(rng.uniform(0.05, 1, 2))
    close(ref.decode_boxes(ref.encode_boxes(truth, prior, var), prior, var), truth, atol=1e-10)
    code = rng.normal(size=(5, 4))
    close(ref.encode_boxes(ref.decode_boxes(code, prior, var), prior, var), code, rtol=1e-9, atol=1e-9)


@rounds
@given(seeds)
def test_slopes_of_decoding_are_those_that_torch_differentiates(seed):
    """The corner sums move by twice var₀·size_p, the sides by var₁·size."""
    rng = np.random.default_rng(seed)
    code, prior, var = rng.normal(size=(1, 4)), random_boxes(rng, 1), (0.1, 0.2)

    def decoded(o):
        p = torch.tensor(prior)
        size = p[:, 2:] - p[:, :2]
        centre, half = (p[:, :2] + p[:, 2:]) / 2 + o[:, :2] * var[0] * size, size * torch.exp(o[:, 2:] * var[1]) / 2
        return torch.cat([centre - half, centre + half], dim=1)

    jacobian = torch.autograd.functional.jacobian(decoded, torch.tensor(code))[0, :, 0].numpy()
    step = 1e-6 * np.eye(4)
    ahead, behind = (ref.decode_boxes(code + way * step, np.tile(prior, (4, 1)), var) for way in (1, -1))
    close((ahead - behind).T / 2e-6, jacobian, rtol=1e-6, atol=1e-7)


def test_ssd300_has_8732_boxes_and_their_published_outputs():
    maps, boxes = (38, 19, 10, 5, 3, 1), (4, 6, 6, 6, 4, 4)
    ratios = {4: [1, 2, 1 / 2], 6: [1, 2, 1 / 2, 3, 1 / 3]}
    assert [len(ref.default_boxes(k, 6, ratios[n])) for k, n in enumerate(boxes, 1)] == list(boxes)
    assert sum(f * f * n for f, n in zip(maps, boxes)) == 8732
    outputs = [f * f * n * (21 + 4) for f, n in zip(maps, boxes)]
    assert outputs == [144400, 54150, 15000, 3750, 900, 100]
    assert sum(outputs) == 218300
    close([ref.default_boxes(k, 6, [1.0])[0, 0] for k in range(1, 7)], [0.2, 0.34, 0.48, 0.62, 0.76, 0.9])


@rounds
@given(seeds)
def test_every_truth_that_some_box_overlaps_gets_one_where_boxes_abound(seed):
    rng = np.random.default_rng(seed)
    truths = random_boxes(rng, 3)
    priors = np.concatenate([truths + 0.1 * k for k in range(4)])[rng.permutation(12)]
    match = ref.match_default_boxes(priors, truths)
    assert set(range(3)) <= set(match)
    overlap = ref.iou_matrix(priors, truths)
    assert (match[overlap.max(axis=1) > 0.5] >= 0).all()
    order = rng.permutation(12)
    np.testing.assert_array_equal(ref.match_default_boxes(priors[order], truths), match[order])


@rounds
@given(seeds)
def test_the_loss_of_the_hard_negatives_is_that_of_topk(seed):
    rng = np.random.default_rng(seed)
    values, positive = rng.normal(size=30) ** 2, rng.random(30) < 0.2
    picked = ref.hard_negatives(values, positive)
    k = min(3 * positive.sum(), (~positive).sum())
    assert picked.sum() == k
    assert not (picked & positive).any()
    close(values[picked].sum(), torch.topk(torch.tensor(values[~positive]), int(k)).values.sum().item())


@rounds
@given(seeds)
def test_a_perfect_detector_scores_one_and_a_second_copy_costs_precision_alone(seed):
    rng = np.random.default_rng(seed)
    truths = np.array([[3.0 * i, 0, 3 * i + 2, 2] for i in range(4)])
    twice, s = np.tile(truths, (2, 1)), rng.permutation(8) / 8
    tp = ref.match_detections(twice, s, truths)
    assert tp.sum() == 4
    precision, recall = ref.precision_recall(s, tp, 4)
    assert precision[-1] == 0.5
    assert recall[-1] == 1
    perfect = ref.precision_recall(s[:4], ref.match_detections(truths, s[:4], truths), 4)
    for points in (0, 11, 101):
        assert ref.average_precision(*perfect, points) == 1
        assert ref.average_precision(precision, recall, points) <= 1


@rounds
@given(seeds)
def test_ap_is_the_limit_of_ever_finer_interpolation(seed):
    rng = np.random.default_rng(seed)
    tp = rng.random(10) < 0.5
    curve = ref.precision_recall(rng.permutation(10) / 10, tp, int(tp.sum()) + int(rng.integers(1, 5)))
    close(ref.average_precision(*curve, 20001), ref.average_precision(*curve), rtol=0, atol=1e-3)


def test_a_recall_of_three_tenths_meets_its_level():
    curve = np.array([0.3, 0.3, 1.0]), np.array([0.1, 0.2, 0.3])
    assert ref.average_precision(*curve, 11) == pytest.approx(4 / 11)


@rounds
@given(seeds)
def test_map_is_the_mean_of_the_classes_scored_alone(seed):
    rng = np.random.default_rng(seed)
    labels, tp, s = rng.integers(0, 4, 20), rng.random(20) < 0.5, rng.permutation(20) / 20
    n_truth = np.array([int((tp & (labels == c)).sum()) + 1 for c in range(4)])
    n_truth[3], tp = 0, tp & (labels != 3)
    for points in (0, 11):
        alone = [
            ref.mean_average_precision(s[labels == c], tp[labels == c], 0 * labels[labels == c], n_truth[[c]], points)
            for c in range(3)
        ]
        close(ref.mean_average_precision(s, tp, labels, n_truth, points), np.mean(alone))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ref.iou([0, 0, 1], [0, 0, 1, 1]), "a"),
        (lambda: ref.iou([0, 0, 1, 1], [1, 0, 0, 1]), "b"),
        (lambda: ref.iou_matrix(a[:, :3], a), "a"),
        (lambda: ref.nms(a, scores[:2], 0.5), "scores"),
        (lambda: ref.nms(a, scores, 1.5), "threshold"),
        (lambda: ref.encode_boxes(a, np.zeros((3, 4))), "prior"),
        (lambda: ref.encode_boxes(np.zeros((3, 4)), a), "truth"),
        (lambda: ref.encode_boxes(a, a[:2]), "truth and prior"),
        (lambda: ref.decode_boxes(np.zeros((3, 3)), a), "code"),
        (lambda: ref.decode_boxes(np.zeros((3, 4)), np.zeros((3, 4))), "prior"),
        (lambda: ref.default_boxes(1, 1, [1.0]), "m be at least 2"),
        (lambda: ref.default_boxes(7, 6, [1.0]), "k"),
        (lambda: ref.default_boxes(1, 6, [1.0, 0.0]), "ratios"),
        (lambda: ref.match_default_boxes(d, t, -0.1), "threshold"),
        (lambda: ref.hard_negatives(loss, np.zeros(8, bool), -1), "ratio"),
        (lambda: ref.hard_negatives(loss, np.zeros(7, bool)), "positive"),
        (lambda: ref.match_detections(a, scores, t[:, :2]), "truths"),
        (lambda: ref.precision_recall(five, flags, 0), "n_truth"),
        (lambda: ref.precision_recall(five, flags[:2], 4), "tp"),
        (lambda: ref.average_precision(five, five[:4]), "recall"),
        (lambda: ref.average_precision(five, five, 1), "points"),
        (lambda: ref.mean_average_precision(*pool, np.array([3, 2])), "labels"),
        (lambda: ref.mean_average_precision(*pool, np.zeros(4, int)), "n_truth"),
    ],
)
def test_refusals_name_the_argument(call, named):
    with pytest.raises(ValueError, match=rf"\b{named}\b"):
        call()
