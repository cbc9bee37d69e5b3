"""Wrong ideas about segmentation: fields, sizes, upsampling, the loss and the scores."""

from itertools import pairwise

import numpy as np
from autograder.properties import mutant

from reference.numerics import log_softmax
from reference.segmentation import (
    conv_transpose2d, fcn_shape_plan, max_pool_indices, max_unpool, pixel_cross_entropy, receptive_field, segmentation_scores,
    transposed_size, unet_shape_plan,
)


@mutant(receptive_field)
def field_adds_kernels(layers):
    """3×3 を2回重ねると 6 ですか、5 ですか。位置を書いて数えましょう。
    Do two 3×3 layers see 6 or 5 pixels? Write the positions down."""
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field, jump = field + dilation * kernel * jump, jump * stride
    return field, jump


@mutant(receptive_field)
def field_ignores_stride(layers):
    """プーリングの後の隣どうしの画素は、元の画像で何画素離れていますか。
    After pooling, how far apart are neighbouring pixels in the image?"""
    return receptive_field([(kernel, 1, dilation) for kernel, _, dilation in layers])


@mutant(receptive_field)
def field_own_stride_first(layers):
    """ある層のストライドは、その層のカーネルの幅を変えますか、次の層からですか。
    Does a stride widen the kernel of its own layer or only of later ones?"""
    return receptive_field([part for kernel, stride, dilation in layers for part in ((1, stride, 1), (kernel, 1, dilation))])


@mutant(receptive_field)
def field_ignores_dilation(layers):
    """ダイレーション 2 の 3×3 は、入力の何画素の幅を見ますか。
    How wide is what a 3×3 kernel of dilation 2 sees?"""
    return receptive_field([(kernel, stride, 1) for kernel, stride, _ in layers])


@mutant(receptive_field)
def dilation_times_kernel(layers):
    """k=3, d=2 のカーネルが覆う幅を、タップの位置を書いて数えましょう。
    Write down the tap positions for k=3, d=2 and count the width."""
    return receptive_field([(dilation * kernel, stride, 1) for kernel, stride, dilation in layers])


@mutant(receptive_field)
def field_stride_sum(layers):
    """2×2 のプーリングを5回行うと、縮小率は 10 ですか、32 ですか。
    After five poolings by 2: is the reduction 10 or 32?"""
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field, jump = field + dilation * (kernel - 1) * jump, jump + stride - 1
    return field, jump


@mutant(receptive_field)
def layers_read_from_the_output(layers):
    """ストライドで幅が広がるのは、その前の層ですか、後の層ですか。入力に近い層から順に数えましょう。
    Does a stride widen the layers before it or after it? Begin with the layer next to the input."""
    return receptive_field(layers[::-1])


@mutant(transposed_size)
def transposed_is_times_stride(size, kernel, stride=1, padding=0, output_padding=0):
    """最後の画素が置くカーネルの端はどこですか。(n−1)·s から数えましょう。
    Where does the last pixel's kernel end? Count from (n−1)·s."""
    return size * stride


@mutant(transposed_size)
def transposed_padding_adds(size, kernel, stride=1, padding=0, output_padding=0):
    """転置畳み込みの padding は出力を増やしますか、削りますか。
    Does padding add to the output of a transposed convolution or cut it?"""
    return transposed_size(size, kernel, stride, -padding, output_padding)


@mutant(transposed_size)
def output_padding_forgotten(size, kernel, stride=1, padding=0, output_padding=0):
    """割り切れない大きさの層を元に戻すとき、余った画素はどこで足しますか。
    When the stride did not divide, where do the lost pixels come back?"""
    return transposed_size(size, kernel, stride, padding)


@mutant(transposed_size)
def transposed_padding_on_one_side(size, kernel, stride=1, padding=0, output_padding=0):
    """padding は出力の片側だけから取り除きますか、両側からですか。
    Is padding taken off one side of the output or off both?"""
    return transposed_size(size, kernel, stride, padding, output_padding) + padding


@mutant(transposed_size)
def size_of_a_convolution(size, kernel, stride=1, padding=0, output_padding=0):
    """その式は畳み込みの出力の大きさです。転置畳み込みで、画像は小さくなりますか。
    That is the size after a convolution: does a transposed convolution make a map smaller?"""
    return (size + 2 * padding - kernel) // stride + 1 + output_padding


@mutant(conv_transpose2d)
def overwrite_not_add(x, w, stride=1, padding=0):
    """カーネルが重なった場所では、値をどうしますか。
    What happens where the stamped kernels overlap?"""
    y = conv_transpose2d(0 * x, w, stride)
    K = w.shape[-1]
    for i, j in np.ndindex(x.shape[2:]):
        a, b = i * stride, j * stride
        y[:, :, a : a + K, b : b + K] = conv_transpose2d(x[:, :, i : i + 1, j : j + 1], w)
    return y[:, :, padding : y.shape[2] - padding, padding : y.shape[3] - padding]


@mutant(conv_transpose2d)
def transposed_flips(x, w, stride=1, padding=0):
    """1点だけ 1 の入力を入れると、出力にはカーネルがどの向きで現れますか。
    Feed a single 1: in which orientation does the kernel appear?"""
    return conv_transpose2d(x, w[:, :, ::-1, ::-1], stride, padding)


@mutant(conv_transpose2d)
def stride_not_applied(x, w, stride=1, padding=0):
    """入力の隣の画素は、出力では何画素離れますか。
    How far apart do neighbouring input pixels land in the output?"""
    y, near = conv_transpose2d(0 * x, w, stride), conv_transpose2d(x, w)
    y[:, :, : near.shape[2], : near.shape[3]] = near
    return y[:, :, padding : y.shape[2] - padding, padding : y.shape[3] - padding]


@mutant(conv_transpose2d)
def padding_cut_at_the_end_alone(x, w, stride=1, padding=0):
    """padding は両側から p 画素ずつ取り除きます。左上の画素は、切り取った後どこに来ますか。
    Padding takes p pixels off each side: where does the upper left pixel of the full output go?"""
    y = conv_transpose2d(x, w, stride)
    return y[:, :, : y.shape[2] - 2 * padding, : y.shape[3] - 2 * padding]


@mutant(conv_transpose2d)
def kernel_axes_exchanged(x, w, stride=1, padding=0):
    """転置畳み込みの重みは (入力, 出力, K, K) の順です。普通の畳み込みと同じ順で読んでいませんか。
    The weights are (inputs, outputs, K, K): were they read in the order of an ordinary convolution?"""
    return conv_transpose2d(x, w.swapaxes(0, 1).reshape(w.shape), stride, padding)


def planned(sides, size, factor):
    """A plan with these sides and this last factor."""
    return sides, [*(2 * side - wanted for side, wanted in pairwise(sides)), factor * sides[-1] - size]


@mutant(fcn_shape_plan)
def fcn_floor(size, stride):
    """500 画素を 32 で割り切れないとき、端の画素の予測はどこから来ますか。
    500 is not divisible by 32: where does the prediction of the last pixels come from?"""
    return planned([size // 32, *fcn_shape_plan(size, stride)[0][1:]], size, stride)


@mutant(fcn_shape_plan)
def fcn_skip_before_the_pool(size, stride):
    """FCN が足すのは pool4 の後の出力(1/16)です。前の特徴マップの大きさはいくつですか。
    FCN adds the output of pool4 (1/16): how large is the map before it?"""
    sides = fcn_shape_plan(size, stride)[0]
    return planned([sides[0], *(-(-size // step) for step in (8, 4)[: len(sides) - 1])], size, stride)


@mutant(fcn_shape_plan)
def fcn_final_factor_32(size, stride):
    """FCN-8s の 8 は何の倍率ですか。
    What is the 8 of FCN-8s a factor of?"""
    return planned(fcn_shape_plan(size, stride)[0], size, 32)


@mutant(fcn_shape_plan)
def fcn_only_doublings(size, stride):
    """FCN は全解像度まで2倍を繰り返しますか、最後に一度で拡大しますか。
    Does FCN double up to full resolution or enlarge once at the end?"""
    return planned([-(-size // step) for step in (32, 16, 8, 4, 2, 1)], size, 1)


@mutant(fcn_shape_plan)
def fcn_finest_first(size, stride):
    """戻るときに最初に拡大するのは、いちばん粗いマップですか、細かいマップですか。
    Which map is enlarged first on the way up: the coarsest or the finest?"""
    sides, crops = fcn_shape_plan(size, stride)
    return sides[::-1], crops[::-1]


@mutant(max_pool_indices)
def index_in_window(x, k):
    """添字は窓の中の番号ですか、画像全体の番号ですか。
    Is the index counted in the window or in the whole plane?"""
    values, indices = max_pool_indices(x, k)
    W = x.shape[3]
    return values, indices // W % k * k + indices % W % k


@mutant(max_pool_indices)
def tie_last(x, k):
    """同点のとき、どの位置を選ぶ約束ですか。
    Which position wins a tie?"""
    values, indices = max_pool_indices(x[:, :, ::-1, ::-1], k)
    return values[:, :, ::-1, ::-1], x.shape[2] * x.shape[3] - 1 - indices[:, :, ::-1, ::-1]


@mutant(max_pool_indices)
def index_goes_down_the_columns(x, k):
    """平面を平らにするとき、先に進むのは行の中(横)ですか、列の中(縦)ですか。
    When the plane is flattened, does the number first run along a row or down a column?"""
    values, indices = max_pool_indices(x, k)
    H, W = x.shape[2:]
    return values, indices % W * H + indices // W


@mutant(max_pool_indices)
def index_runs_on_through_the_channels(x, k):
    """番号は画像とチャネルごとに 0 から数えますか、配列全体を通して数えますか。
    Does the count begin at 0 in every image and channel, or run through the whole array?"""
    values, indices = max_pool_indices(x, k)
    N, C, H, W = x.shape
    return values, indices + np.arange(N * C).reshape(N, C, 1, 1) * H * W


@mutant(max_unpool)
def unpool_corner(y, indices, k):
    """最大値があった位置の情報を使っていますか。
    Are the stored positions of the maxima used?"""
    width = y.shape[3] * k
    return max_unpool(y, indices // width // k * k * width + indices % width // k * k, k)


@mutant(max_unpool)
def unpool_nearest(y, indices, k):
    """アンプーリングで、最大値以外の位置の値は何になりますか。
    In max unpooling, what stands at the other positions?"""
    return y.repeat(k, axis=2).repeat(k, axis=3)


@mutant(max_unpool)
def unpool_drops_negatives(y, indices, k):
    """最大値が負のとき、アンプーリングの結果は 0 ですか。
    If the pooled value is negative, is 0 put in its place?"""
    return max_unpool(np.maximum(y, 0), indices, k)


@mutant(max_unpool)
def unpool_goes_down_the_columns(y, indices, k):
    """番号は 行·W + 列 です。W で割った商と余りのどちらが行ですか。
    The index is row·W + column: is the row the quotient by W or the remainder?"""
    return max_unpool(y.swapaxes(2, 3), indices.swapaxes(2, 3), k).swapaxes(2, 3)


def walked(size, depth, down, up):
    """A U-Net whose levels shrink a side by `down` on the way down (and at the bottom) and by `up` on the way up."""
    skips, crops = [], []
    for _ in range(depth):
        skips.append(size - down)
        size = skips[-1] // 2
    size -= down
    for skip in reversed(skips):
        crops.append(skip - 2 * size)
        size = 2 * size - up
    return size, crops


@mutant(unet_shape_plan)
def unet_one_conv(size, depth, padding=0):
    """U-Net の各段には 3×3 畳み込みがいくつありますか。
    How many 3×3 convolutions does each level of U-Net have?"""
    return walked(size, depth, 2 - 2 * padding, 2 - 2 * padding)


@mutant(unet_shape_plan)
def unet_skip_after_pool(size, depth, padding=0):
    """スキップ接続は、プーリングの前と後のどちらから取りますか。
    Is the skip taken before or after the pooling?"""
    side, crops = unet_shape_plan(size, depth, padding)
    skips = []
    for _ in range(depth):
        size = (size - 4 + 4 * padding) // 2
        skips.append(size)
    return side, [crop - skip for crop, skip in zip(crops, reversed(skips))]


@mutant(unet_shape_plan)
def unet_crop_always_eight(size, depth, padding=0):
    """浅い段のスキップほど、途中で多くの畳み込みを経ていません。切り取る幅は段ごとに同じですか。
    A higher skip missed more convolutions than a deep one: is the cut the same on all levels?"""
    return unet_shape_plan(size, depth, padding)[0], [0 if padding else 8] * depth


@mutant(unet_shape_plan)
def unet_padding_forgotten_on_the_way_up(size, depth, padding=0):
    """上りの畳み込みにも同じパディングがありますか。
    Do the convolutions on the way up use the same padding?"""
    return walked(size, depth, 4 - 4 * padding, 4)


@mutant(unet_shape_plan)
def unet_crop_per_side(size, depth, padding=0):
    """切り取る画素は、片側の数と両側の合計のどちらを返す約束ですか。
    Is a crop counted on one side here, or on both together?"""
    side, crops = unet_shape_plan(size, depth, padding)
    return side, [crop // 2 for crop in crops]


@mutant(unet_shape_plan)
def unet_crops_from_the_top(size, depth, padding=0):
    """上りで最初に連結するのは、いちばん深い段のスキップですか、浅い段のスキップですか。
    Which skip is concatenated first on the way up: that of the deepest level or that of the highest?"""
    side, crops = unet_shape_plan(size, depth, padding)
    return side, crops[::-1]


def scored(logits, labels, ignore, log_p):
    """Loss and gradient for other logarithms of probabilities; of nothing where no pixel counts."""
    counted = labels != ignore
    if not counted.any():
        return 0.0, np.zeros_like(logits)
    one_hot = (np.arange(logits.shape[1])[:, None, None] == labels[:, None]).astype(float)
    with np.errstate(invalid="ignore"):
        loss = -np.where(one_hot > 0, log_p, 0).sum() / counted.sum()
    return float(loss), (np.exp(log_p) - one_hot) * counted[:, None] / counted.sum()


def unlabelled(labels, ignore):
    """Void pixels taken for class 0."""
    return np.where(labels == ignore, 0, labels)


def share(labels, ignore):
    return float(np.mean(labels != ignore))


@mutant(pixel_cross_entropy)
def ignored_in_the_mean(logits, labels, ignore=255):
    """無視する画素は、平均の分母に入りますか。
    Do ignored pixels enter the denominator of the mean?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    return loss * share(labels, ignore), dlogits


@mutant(pixel_cross_entropy)
def ignored_is_background(logits, labels, ignore=255):
    """境界の「無視」の画素に正解のクラスはありますか。
    Does a pixel marked void have a true class?"""
    return pixel_cross_entropy(logits, unlabelled(labels, ignore), ignore)[0], pixel_cross_entropy(logits, labels, ignore)[1]


@mutant(pixel_cross_entropy)
def softmax_over_the_row(logits, labels, ignore=255):
    """(N, C, H, W) のどの軸の和が 1 になりますか。
    Along which axis of (N, C, H, W) do the probabilities sum to 1?"""
    return scored(logits, labels, ignore, log_softmax(logits, axis=-1))


@mutant(pixel_cross_entropy)
def mean_of_image_means(logits, labels, ignore=255):
    """無視の画素の数が画像ごとに違うとき、画素の重みは等しくなりますか。
    With different numbers of ignored pixels: does every pixel weigh the same?"""
    kept = [n for n, image in enumerate(labels) if (image != ignore).any()]
    losses = [pixel_cross_entropy(logits[n : n + 1], labels[n : n + 1], ignore)[0] for n in kept]
    return float(np.mean(losses)) if kept else 0.0, pixel_cross_entropy(logits, labels, ignore)[1]


@mutant(pixel_cross_entropy)
def exp_overflows(logits, labels, ignore=255):
    """exp(1000) はいくつになりますか。
    What is exp(1000) in floating point?"""
    with np.errstate(all="ignore"):
        e = np.exp(logits)
        return scored(logits, labels, ignore, np.log(e / e.sum(axis=1, keepdims=True)))


@mutant(pixel_cross_entropy)
def log_of_p_plus_small(logits, labels, ignore=255):
    """log の中に 1e-7 を足すと、確率が 0 に近い画素の損失はいくつで止まりますか。
    With 1e-7 added inside the log, where does the loss of a pixel with p ≈ 0 stop?"""
    return scored(logits, labels, ignore, np.log(np.exp(log_softmax(logits, axis=1)) + 1e-7))


@mutant(pixel_cross_entropy)
def gradient_at_ignored_pixels(logits, labels, ignore=255):
    """無視する画素のロジットを動かすと、損失は変わりますか。勾配は？
    Does the loss change with the logits of an ignored pixel, and what is the gradient there?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    everywhere = pixel_cross_entropy(logits, unlabelled(labels, ignore), ignore)[1]
    return loss, everywhere / share(labels, ignore) if (labels != ignore).any() else dlogits


@mutant(pixel_cross_entropy)
def gradient_not_averaged(logits, labels, ignore=255):
    """損失は平均です。勾配も同じ数で割りましたか。
    The loss is a mean: was the gradient divided by the same number?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    return loss, dlogits * np.sum(labels != ignore)


@mutant(pixel_cross_entropy)
def gradient_over_all_pixels(logits, labels, ignore=255):
    """勾配の分母に、無視した画素も入っていませんか。
    Do the ignored pixels enter the denominator of the gradient?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    return loss, dlogits * share(labels, ignore)


@mutant(pixel_cross_entropy)
def loss_summed_over_pixels(logits, labels, ignore=255):
    """画素が 2 倍の画像では、損失も 2 倍になりますか。この課題の損失は和ですか、平均ですか。
    Does an image of twice the pixels cost twice as much? Is the loss here a sum or a mean?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    counted = np.sum(labels != ignore)
    return float(loss * counted), dlogits * counted


@mutant(pixel_cross_entropy)
def label_not_subtracted_in_the_gradient(logits, labels, ignore=255):
    """正解のクラスのロジットを上げると、損失は増えますか、減りますか。勾配 p の符号と比べましょう。
    Does raising the logit of the right class raise the loss or lower it? Compare with the sign of p."""
    counted = labels != ignore
    loss = pixel_cross_entropy(logits, labels, ignore)[0]
    return loss, np.exp(log_softmax(logits, axis=1)) * counted[:, None] / max(1, counted.sum())


@mutant(pixel_cross_entropy)
def mean_over_no_pixels(logits, labels, ignore=255):
    """無視ラベルばかりの画像では、平均の分母はいくつになりますか。
    In an image of void pixels alone, what is the mean divided by?"""
    loss, dlogits = pixel_cross_entropy(logits, labels, ignore)
    nothing = 0.0 if (labels != ignore).any() else np.nan
    return loss + nothing, dlogits + nothing


def counted(predicted, labels, classes):
    """The scores, and TP, true and predicted pixels of each class."""
    scores = segmentation_scores(predicted, labels, classes)
    confusion = scores["confusion"]
    return scores, np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)


def with_iou(scores, iou, seen):
    return {**scores, "iou": iou, "miou": float(iou[seen].mean())}


@mutant(segmentation_scores)
def iou_without_minus_tp(predicted, labels, classes):
    """和集合の大きさは、2つの大きさの和から何を引きますか。
    What must be taken off |A|+|B| to get the union?"""
    scores, tp, true, guessed = counted(predicted, labels, classes)
    return with_iou(scores, tp / np.maximum(true + guessed, 1), true + guessed > 0)


@mutant(segmentation_scores)
def iou_is_recall(predicted, labels, classes):
    """分母に、誤って予測した画素は入っていますか。
    Do wrongly predicted pixels enter the denominator?"""
    scores, tp, true, guessed = counted(predicted, labels, classes)
    return with_iou(scores, tp / np.maximum(true, 1), true + guessed > 0)


@mutant(segmentation_scores)
def miou_counts_absent(predicted, labels, classes):
    """どちらの画像にも現れないクラスは平均に入れますか。
    Does a class that appears in neither map enter the mean?"""
    scores = segmentation_scores(predicted, labels, classes)
    return {**scores, "miou": float(scores["iou"].mean())}


@mutant(segmentation_scores)
def miou_over_true_classes(predicted, labels, classes):
    """正解にはなく予測にだけ現れたクラスの誤りは、平均に入りますか。
    Does a class that is predicted but never true count in the mean?"""
    scores, _, true, _ = counted(predicted, labels, classes)
    return {**scores, "miou": float(scores["iou"][true > 0].mean())}


@mutant(segmentation_scores)
def miou_weighted_by_frequency(predicted, labels, classes):
    """mIoU は、どのクラスも同じ重みで平均しますか、画素の多いクラスを重くしますか。
    Does mIoU give every class the same weight, or more to a class of many pixels?"""
    scores, _, true, _ = counted(predicted, labels, classes)
    return {**scores, "miou": float(true @ scores["iou"] / true.sum())}


@mutant(segmentation_scores)
def confusion_transposed(predicted, labels, classes):
    """混同行列の行は正解ですか、予測ですか(この課題の約束)。
    Are the rows of the confusion matrix truth or prediction here?"""
    return segmentation_scores(labels, predicted, classes)


@mutant(segmentation_scores)
def dice_without_the_two(predicted, labels, classes):
    """予測と正解が完全に一致するとき、Dice はいくつになるはずですか。
    What must Dice be where the prediction is perfect?"""
    scores = segmentation_scores(predicted, labels, classes)
    return {**scores, "dice": scores["dice"] / 2}


@mutant(segmentation_scores)
def mean_accuracy_is_precision(predicted, labels, classes):
    """クラスごとの正解率の分母は、正解の画素数ですか、予測の画素数ですか。
    Is the accuracy of a class divided by its true or by its predicted pixels?"""
    scores, tp, true, guessed = counted(predicted, labels, classes)
    return {**scores, "mean_accuracy": float(np.mean((tp / np.maximum(guessed, 1))[true > 0]))}


@mutant(segmentation_scores)
def mean_accuracy_counts_absent(predicted, labels, classes):
    """正解に1画素もないクラスの正解率は計算できますか。
    Can the accuracy of a class without a true pixel be computed?"""
    scores, _, true, _ = counted(predicted, labels, classes)
    return {**scores, "mean_accuracy": scores["mean_accuracy"] * float(np.mean(true > 0))}


@mutant(segmentation_scores)
def mean_accuracy_by_pixels(predicted, labels, classes):
    """背景が 95 % のとき、全部を背景と答えた場合のクラス平均はいくつですか。
    With 95 % background: what does all-background score as a mean over classes?"""
    scores = segmentation_scores(predicted, labels, classes)
    return {**scores, "mean_accuracy": scores["pixel_accuracy"]}
