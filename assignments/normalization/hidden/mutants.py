"""Wrong ideas about normalisation. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.normalization import (
    batchnorm_backward,
    batchnorm_forward,
    fold_batchnorm,
    groupnorm_forward,
    layernorm_backward,
    layernorm_forward,
    norm_stats_count,
)
from reference.normalization_torch import batchnorm_forward_torch, layernorm_forward_torch


def of_batch(x, ddof=0):
    """Mean and variance of each channel."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes, ddof=ddof)


def across(vector, x):
    """One number a channel, to be combined with x."""
    return vector.reshape(-1, *(1 for _ in x.shape[2:]))


def normalised(x, gamma, beta, mean, var, eps):
    """y from statistics of any origin."""
    return batchnorm_forward(x, gamma, beta, mean, var, False, eps=eps)[0]


@mutant(batchnorm_forward)
def eps_outside_sqrt(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """εは「標準偏差」ではなく、根号の中のどの量を守るためのものか、式を見直しましょう。
    Which quantity does ε protect: the variance under the root, or the root itself?"""
    _, *running = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    mean, var = of_batch(x) if train else (running_mean, running_var)
    std = across(np.sqrt(var), x) + eps
    return across(gamma, x) * (x - across(mean, x)) / std + across(beta, x), *running


@mutant(batchnorm_forward)
def unbiased_in_normalisation(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """学習時の標準化に使う分散の分母が n か n−1 かを、正規化後の分散が 1 になるかで確かめましょう。
    Check the variance of the normalised batch: which divisor makes it one?"""
    y, *running = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    return normalised(x, gamma, beta, *of_batch(x, ddof=1), eps) if train else y, *running


@mutant(batchnorm_forward)
def biased_in_running(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """予測時に使う分散は母分散の推定値です。ミニバッチ分散をそのまま貯めるとどちらに偏るでしょうか。
    The stored variance estimates the population: in which direction is a mini-batch variance biased?"""
    y, mean, var = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    return y, mean, (1 - momentum) * running_var + momentum * of_batch(x)[1] if train else var


@mutant(batchnorm_forward)
def momentum_swapped(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """momentum=1 のとき移動平均がどうなるべきか(この課題の約束)を確かめましょう。
    With this task's convention, what must the running mean be when momentum is 1?"""
    return batchnorm_forward(x, gamma, beta, running_mean, running_var, train, 1 - momentum, eps)


@mutant(batchnorm_forward)
def running_updated_sample_by_sample(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """移動平均が更新されるのは、ミニバッチごとに何回ですか。サンプルの順番で値が変わってよいでしょうか。
    How often is the moving average updated for one mini-batch? May its value depend on the order of the samples?"""
    y, _, var = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    for sample in x if train else ():
        running_mean = (1 - momentum) * running_mean + momentum * of_batch(sample[None])[0]
    return y, running_mean, var


@mutant(batchnorm_forward)
def eval_uses_batch(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """予測時に1件だけ入力したら、平均と分散はどこから来るべきでしょうか。
    At prediction with a single row, where do mean and variance come from?"""
    y, *running = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    return y if train else normalised(x, gamma, beta, *of_batch(x), eps), *running


@mutant(batchnorm_forward)
def eval_updates_state(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """予測時に移動平均が変わってよいか、同じ入力を2回予測する場合で考えましょう。
    Should predicting twice change the model's state?"""
    y, mean, var = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    return y, mean if train else (1 - momentum) * mean + momentum * of_batch(x)[0], var


@mutant(batchnorm_forward)
def eval_without_root(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """running_var は分散です。標準化で割るのは分散ですか、標準偏差ですか。
    running_var is a variance: does standardising divide by it or by its root?"""
    y, *running = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    by_variance = across(gamma / (running_var + eps), x) * (x - across(running_mean, x)) + across(beta, x)
    return y if train else by_variance, *running


@mutant(batchnorm_forward)
def eval_affine_forgotten(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """γ と β は学習で得たパラメータです。予測時に使わなくてよいでしょうか。
    γ and β were learned: does the network do without them at prediction?"""
    gamma, beta = (gamma, beta) if train else (np.ones_like(gamma), 0 * beta)
    return batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)


@mutant(batchnorm_forward)
def train_uses_running(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """学習時に標準化で使うのはミニバッチの統計量ですか、移動平均ですか。
    In training, which statistics normalise the batch: its own or the moving ones?"""
    _, *running = batchnorm_forward(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    return normalised(x, gamma, beta, running_mean, running_var, eps), *running


@mutant(batchnorm_forward)
def image_per_pixel(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """CNNのバッチ正規化で、平均をとる軸は N だけでしょうか、それとも H, W も含むでしょうか。
    In a CNN, over which of N, C, H, W is one mean taken?"""
    pixels = x[0, 0].size
    vectors = (np.repeat(v, pixels) for v in (gamma, beta, running_mean, running_var))
    y, *running = batchnorm_forward(x.reshape(len(x), -1), *vectors, train, momentum, eps)
    return y.reshape(x.shape), *(v.reshape(-1, pixels).mean(axis=1) for v in running)


@mutant(batchnorm_backward)
def backward_constants(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """μ と σ² も x の関数です。逆伝播でその経路を忘れていませんか。
    μ and σ² are functions of x: did their paths get gradient?"""
    return batchnorm_backward(dy, x, gamma, *(of_batch(x) if train else (running_mean, running_var)), False, eps)


@mutant(batchnorm_backward)
def backward_no_var_path(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """平均の経路だけでなく、分散の経路の勾配も足し合わせましょう。
    The mean path is there; which other statistic depends on x?"""
    dx, dgamma, dbeta = backward_constants(dy, x, gamma, running_mean, running_var, train, eps)
    return dx - across(of_batch(dx)[0], x) if train else dx, dgamma, dbeta


@mutant(batchnorm_backward)
def backward_eval_as_train(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """予測モードでは統計量は定数です。逆伝播の式はどう簡単になりますか。
    In eval the statistics are constants: how does the backward formula simplify?"""
    dx, dgamma, dbeta = batchnorm_backward(dy, x, gamma, running_mean, running_var, train, eps)
    if not train:
        xhat = normalised(x, np.ones_like(gamma), 0 * gamma, running_mean, running_var, eps)
        dx = dx - across(of_batch(dx)[0], x) - xhat * across(of_batch(dx * xhat)[0], x)
    return dx, dgamma, dbeta


@mutant(batchnorm_backward)
def dgamma_uses_x(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """γ に掛かっているのは x ですか、標準化後の値ですか。
    What does γ multiply in the forward pass?"""
    dx, _, dbeta = batchnorm_backward(dy, x, gamma, running_mean, running_var, train, eps)
    return dx, (dy * x).sum(axis=(0, *range(2, x.ndim))), dbeta


@mutant(batchnorm_backward)
def gamma_missing_in_dx(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """順伝播で x̂ には何が掛かりますか。dy から dx̂ へ戻るとき、同じものが要ります。
    What multiplies x̂ on the way forward? The way back from dy to dx̂ needs the same."""
    dx, *_ = batchnorm_backward(dy, x, np.ones_like(gamma), running_mean, running_var, train, eps)
    return dx, *batchnorm_backward(dy, x, gamma, running_mean, running_var, train, eps)[1:]


@mutant(batchnorm_backward)
def gamma_on_the_first_term_only(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """γ は dx の三つの項のうち、どれに掛かりますか。dx̂ = γ·dy を三つの項に入れ直してみましょう。
    Which of the three terms of dx does γ multiply? Put dx̂ = γ·dy into each of them."""
    parts = batchnorm_backward(dy, x, gamma, running_mean, running_var, train, eps)
    first, *_ = backward_constants(dy, x, gamma - 1, running_mean, running_var, train, eps)
    rest, *_ = batchnorm_backward(dy, x, np.ones_like(gamma), running_mean, running_var, train, eps)
    return first + rest if train else parts[0], *parts[1:]


@mutant(batchnorm_backward)
def parameter_gradients_averaged(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """γ と β は n 個の値に使われています。使われた場所ごとの勾配は、平均しますか、足しますか。
    γ and β are used at n places: are the gradients of the places averaged or added?"""
    dx, dgamma, dbeta = batchnorm_backward(dy, x, gamma, running_mean, running_var, train, eps)
    n = x.size // len(gamma)
    return dx, dgamma / n, dbeta / n


@mutant(batchnorm_backward)
def image_gradient_per_pixel(dy, x, gamma, running_mean, running_var, train, eps=1e-5):
    """画像では、1 つの μ と σ² を通って、どの画素からどの画素へ勾配が流れますか。平均の軸を順伝播と比べましょう。
    In an image, from which pixels to which does the gradient flow through one μ and σ²? Compare the axes with the forward pass."""
    pixels = x[0, 0].size
    flat, vectors = (len(x), -1), (np.repeat(v, pixels) for v in (gamma, running_mean, running_var))
    dx, *parameters = batchnorm_backward(dy.reshape(flat), x.reshape(flat), *vectors, train, eps)
    return dx.reshape(x.shape), *(g.reshape(-1, pixels).sum(axis=1) for g in parameters)


def set_axes(x, gamma):
    return tuple(range(x.ndim - gamma.ndim, x.ndim))


def over_axes(x, gamma, beta, eps, axes):
    """The formula of layer norm with the statistics over other axes."""
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


@mutant(layernorm_forward)
def ln_over_batch(x, gamma, beta, eps=1e-5):
    """レイヤー正規化の平均は、他のサンプルの値に依存しますか。
    Does layer norm look at the other samples?"""
    return over_axes(x, gamma, beta, eps, 0)


@mutant(layernorm_forward)
def ln_over_all_but_the_batch(x, gamma, beta, eps=1e-5):
    """平均をとる軸は γ の形で決まります。(N, T, D) で γ が (D,) のとき、時刻どうしは平均を共有しますか。
    The axes follow from the shape of γ: for (N, T, D) and γ of (D,), do the time steps share a mean?"""
    return over_axes(x, gamma, beta, eps, tuple(range(1, x.ndim)))


@mutant(layernorm_forward)
def ln_over_the_last_axis_only(x, gamma, beta, eps=1e-5):
    """γ の形が (C, H, W) のとき、一つの平均を共有するのは何個の値ですか。
    When γ has the shape (C, H, W), how many values share one mean?"""
    return over_axes(x, gamma, beta, eps, -1)


@mutant(layernorm_forward)
def ln_affine_forgotten(x, gamma, beta, eps=1e-5):
    """標準化しただけでは、出力の平均と分散は常に 0 と 1 です。その後で何を掛け、何を足しますか。
    After standardising, the mean is always 0: which two learned vectors follow?"""
    return layernorm_forward(x, np.ones_like(gamma), 0 * beta, eps)


@mutant(layernorm_forward)
def ln_scalar_affine(x, gamma, beta, eps=1e-5):
    """LN の γ と β は、正規化する要素ごとに1つずつあります。
    In LN each normalised element has its own γ and β."""
    return layernorm_forward(x, np.full_like(gamma, gamma.mean()), np.full_like(beta, beta.mean()), eps)


@mutant(layernorm_backward)
def ln_backward_constants(dy, x, gamma, eps=1e-5):
    """サンプル内の統計量も入力の関数です。dx の和はいくつになるはずですか。
    The statistics depend on x: what must dx sum to within a sample?"""
    inv = 1 / np.sqrt(x.var(axis=set_axes(x, gamma), keepdims=True) + eps)
    return inv * dy * gamma, *layernorm_backward(dy, x, gamma, eps)[1:]


@mutant(layernorm_backward)
def ln_gamma_outside_the_means(dy, x, gamma, eps=1e-5):
    """LN の γ は、同じ組の中の要素ごとに違います。平均の外へくくり出せますか。
    In LN γ differs within a set: can it be taken out of the means?"""
    dx, *_ = layernorm_backward(dy, x, np.ones_like(gamma), eps)
    return gamma * dx, *layernorm_backward(dy, x, gamma, eps)[1:]


@mutant(layernorm_backward)
def ln_param_grad_first_axis(dy, x, gamma, eps=1e-5):
    """γ は (N,T,D) のどの軸で共有されていますか。共有されている軸すべてで和をとります。
    Over which axes of (N,T,D) is γ shared? Sum over all of them."""
    dx, *_ = layernorm_backward(dy, x, gamma, eps)
    xhat = layernorm_forward(x, np.ones_like(gamma), 0 * gamma, eps)
    return dx, (dy * xhat).sum(axis=0), dy.sum(axis=0)


@mutant(groupnorm_forward)
def gn_interleaved(x, gamma, beta, groups, eps=1e-5):
    """グループは連続したチャネルのかたまりです。どのチャネル同士が統計量を共有するか書き出してみましょう。
    Groups are runs of consecutive channels: list which channels share a mean."""
    order = np.arange(len(gamma)).reshape(-1, groups).T.ravel()
    return groupnorm_forward(x[:, order], gamma[order], beta[order], groups, eps)[:, np.argsort(order)]


@mutant(groupnorm_forward)
def gn_over_batch(x, gamma, beta, groups, eps=1e-5):
    """グループ正規化はバッチサイズに依存しない方法です。平均をとる軸にバッチ軸が入っていませんか。
    Group norm must not depend on the batch: is the batch axis inside the mean?"""
    sets = x.reshape(len(x), groups, -1)
    xhat = normalised(sets, np.ones(groups), np.zeros(groups), *of_batch(sets), eps).reshape(x.shape)
    return across(gamma, x) * xhat + across(beta, x)


@mutant(groupnorm_forward)
def gn_affine_per_group(x, gamma, beta, groups, eps=1e-5):
    """グループが共有するのは平均と分散です。γ と β はいくつありますか。
    A group shares its mean and its variance: how many γ and β are there?"""
    first = np.arange(len(gamma)) // (len(gamma) // groups) * (len(gamma) // groups)
    return groupnorm_forward(x, gamma[first], beta[first], groups, eps)


@mutant(groupnorm_forward)
def groups_taken_as_their_size(x, gamma, beta, groups, eps=1e-5):
    """groups はグループの数ですか、1 グループのチャネル数ですか。groups=1 で何に一致するかを考えましょう。
    Is groups the number of groups or of channels in one? Think of what groups=1 must equal."""
    return groupnorm_forward(x, gamma, beta, len(gamma) // groups, eps)


def whole(shape):
    return int(np.prod(shape))


@mutant(norm_stats_count)
def count_instance_as_channel(kind, shape, groups=1):
    """インスタンス正規化はサンプルごと・チャネルごとです。統計量の組はいくつできますか。
    Instance norm is per sample and per channel: how many means is that?"""
    return norm_stats_count("batch" if kind == "instance" else kind, shape, groups)


@mutant(norm_stats_count)
def batch_counts_every_feature(kind, shape, groups=1):
    """畳み込み層のバッチ正規化では、同じチャネルの画素は平均を共有しますか。
    In a convolutional layer, do the pixels of one channel share their mean?"""
    return (whole(shape[1:]), shape[0]) if kind == "batch" else norm_stats_count(kind, shape, groups)


@mutant(norm_stats_count)
def batch_is_one_set(kind, shape, groups=1):
    """RGB 画像のバッチ正規化で、R の平均と G の平均は別々ですか。
    In batch norm of RGB images, do R and G have means of their own?"""
    return (1, whole(shape)) if kind == "batch" else norm_stats_count(kind, shape, groups)


@mutant(norm_stats_count)
def layer_counts_each_feature_map(kind, shape, groups=1):
    """この課題のレイヤー正規化は、1 サンプルの何個の値で一つの平均をとりますか。特徴マップごとですか。
    Over how many values of a sample does layer norm take one mean here: is it per feature map?"""
    return norm_stats_count("instance" if kind == "layer" else kind, shape, groups)


@mutant(fold_batchnorm)
def fold_forgets_bias_scale(W, b, gamma, beta, running_mean, running_var, eps=1e-5):
    """直前の層のバイアスも標準化を通ります。スケールが掛かる項をもう一度数えましょう。
    The bias passes through the normalisation too: which terms get the scale?"""
    folded, shift = fold_batchnorm(W, 0 * b, gamma, beta, running_mean, running_var, eps)
    return folded, b + shift


@mutant(fold_batchnorm)
def fold_keeps_the_mean(W, b, gamma, beta, running_mean, running_var, eps=1e-5):
    """バッチ正規化は最初に何を引きますか。たたみ込んだバイアスにそれは残っていますか。
    What does batch norm subtract first? Is it still there in the folded bias?"""
    return fold_batchnorm(W, b, gamma, beta, 0 * running_mean, running_var, eps)


@mutant(fold_batchnorm)
def fold_divides_by_the_variance(W, b, gamma, beta, running_mean, running_var, eps=1e-5):
    """running_var は分散です。重みを割るのは分散ですか、標準偏差ですか。
    running_var is a variance: are the weights divided by it or by its root?"""
    return fold_batchnorm(W, b, gamma, beta, running_mean, (running_var + eps) ** 2 - eps, eps)


def batchnorm_of(x, gamma, beta, mean, var, eps):
    """y on tensors from statistics of any origin."""
    mean, var, gamma, beta = (v.reshape(-1, *(1 for _ in x.shape[2:])) for v in (mean, var, gamma, beta))
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


@mutant(batchnorm_forward_torch)
def statistics_detached(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """値は正しくても、μ と σ² を通る勾配は流れますか。計算グラフから切り離してよいのはどの統計量ですか。
    The values are right: but does a gradient flow through μ and σ²? Which statistics may be cut off the graph?"""
    _, *running = batchnorm_forward_torch(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    axes = (0, *range(2, x.ndim))
    mean, var = (x.mean(dim=axes), x.var(dim=axes, correction=0)) if train else (running_mean, running_var)
    return batchnorm_of(x, gamma, beta, mean.detach(), var.detach(), eps), *running


@mutant(batchnorm_forward_torch)
def tensor_variance_unbiased_by_default(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """torch の var は、既定でどの数で割りますか。numpy の var と比べましょう。
    By what does the var of torch divide by default? Compare the var of numpy."""
    y, *running = batchnorm_forward_torch(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    axes = (0, *range(2, x.ndim))
    return batchnorm_of(x, gamma, beta, x.mean(dim=axes), x.var(dim=axes), eps) if train else y, *running


@mutant(batchnorm_forward_torch)
def running_statistics_keep_their_graph(x, gamma, beta, running_mean, running_var, train, momentum=0.1, eps=1e-5):
    """移動平均を返すとき、それまでの全ステップの計算グラフも一緒に残っていませんか。
    When the moving averages come back, do they hold on to the graphs of all steps so far?"""
    y, mean, var = batchnorm_forward_torch(x, gamma, beta, running_mean, running_var, train, momentum, eps)
    if train:
        axes = (0, *range(2, x.ndim))
        mean = (1 - momentum) * running_mean + momentum * x.mean(dim=axes)
        var = (1 - momentum) * running_var + momentum * x.var(dim=axes)
    return y, mean, var


@mutant(layernorm_forward_torch)
def ln_tensor_variance_unbiased(x, gamma, beta, eps=1e-5):
    """torch の var は、既定でどの数で割りますか。正規化後の分散は 1 になりますか。
    By what does the var of torch divide by default? Is the variance 1 afterwards?"""
    axes = tuple(range(-gamma.ndim, 0))
    return gamma * (x - x.mean(dim=axes, keepdim=True)) / torch.sqrt(x.var(dim=axes, keepdim=True) + eps) + beta


@mutant(layernorm_forward_torch)
def ln_tensor_statistics_detached(x, gamma, beta, eps=1e-5):
    """値は正しくても、μ と σ² を通る勾配は流れますか。レイヤー正規化に、定数とみなしてよい統計量はありますか。
    The values are right: but does a gradient flow through μ and σ²? Is any statistic of layer norm a constant?"""
    axes = tuple(range(-gamma.ndim, 0))
    mean, var = x.mean(dim=axes, keepdim=True).detach(), x.var(dim=axes, keepdim=True, correction=0).detach()
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta


@mutant(layernorm_forward_torch)
def ln_tensor_over_the_last_axis_only(x, gamma, beta, eps=1e-5):
    """γ の形が (C, H, W) のとき、dim に渡す軸はいくつありますか。
    When γ has the shape (C, H, W), how many axes does dim take?"""
    mean, var = x.mean(dim=-1, keepdim=True), x.var(dim=-1, keepdim=True, correction=0)
    return gamma * (x - mean) / torch.sqrt(var + eps) + beta
