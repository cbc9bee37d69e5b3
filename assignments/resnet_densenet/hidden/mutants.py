"""Wrong ideas about residual and dense connections."""

import math

import numpy as np
import torch
from autograder.properties import mutant

from reference.resnet_densenet import (
    dense_block,
    densenet_channels,
    densenet_param_count,
    residual_block,
    residual_block_backward,
    resnet_block_param_count,
    resnet_param_count,
)
from reference.resnet_densenet_torch import dense_block_torch, residual_block_torch


def relu(a):
    return np.maximum(a, 0)


def carried(x, Ws):
    return x if Ws is None else x @ Ws


@mutant(residual_block)
def relu_before_add(x, W1, W2, kind="post", Ws=None):
    """ReLU は加算の前ですか後ですか。元の ResNet の並びを書き出しましょう。
    Write the order of the original block: is the last ReLU before or after the addition?"""
    if kind != "post":
        return residual_block(x, W1, W2, kind, Ws)
    return carried(x, Ws) + residual_block(x, W1, W2, "plain", Ws)


@mutant(residual_block)
def no_skip(x, W1, W2, kind="post", Ws=None):
    """残差ブロックで「残差」とは何から何を引いたものでしょう。入力はどこに足されますか。
    What is the residual relative to, and where does the input come back in?"""
    return residual_block(x, W1, W2, "plain" if kind == "post" else kind, Ws)


@mutant(residual_block)
def pre_with_final_relu(x, W1, W2, kind="post", Ws=None):
    """pre-activation では加算の後に何も置きません。恒等経路がどうなるか考えましょう。
    In the pre-activation block nothing follows the addition: what would a ReLU do to the identity path?"""
    y = residual_block(x, W1, W2, kind, Ws)
    return relu(y) if kind == "pre" else y


@mutant(residual_block)
def pre_skips_activated(x, W1, W2, kind="post", Ws=None):
    """ショートカットが運ぶのは活性化の前の x ですか、後の x ですか。
    Does the shortcut carry x before or after the activation?"""
    return residual_block(relu(x) if kind == "pre" else x, W1, W2, kind, Ws)


@mutant(residual_block)
def pre_without_first_relu(x, W1, W2, kind="post", Ws=None):
    """pre-activation のブロックには ReLU が二つあります。それぞれ、どの層の前に置きますか。
    A pre-activation block has two ReLUs: in front of which layers do they stand?"""
    if kind != "pre":
        return residual_block(x, W1, W2, kind, Ws)
    return carried(x, Ws) + relu(x @ W1) @ W2


@mutant(residual_block)
def projection_forgotten(x, W1, W2, kind="post", Ws=None):
    """入力と出力の幅が違うとき、ショートカットは何を通りますか。
    If the widths differ, what does the shortcut pass through?"""
    return residual_block(x, W1, W2, kind, None if Ws is None else 0 * Ws)


def at_the_sum(dy, x, W1, W2, kind):
    """The error in front of the last ReLU, if there is one."""
    if kind == "pre":
        return dy
    return dy * ((x if kind == "post" else 0) + relu(x @ W1) @ W2 > 0)


def from_the_sum(g, x, W1, W2, kind, inner=True, first=True):
    """Gradients of a block from the error at the sum on; each ReLU of the branch may be passed over."""
    a = relu(x) if kind == "pre" else x
    du = (g @ W2.T) * ((a @ W1 > 0) if inner else 1)
    dx = du @ W1.T
    if kind == "pre" and first:
        dx = dx * (x > 0)
    return dx + (0 if kind == "plain" else g), a.T @ du, relu(a @ W1).T @ g


@mutant(residual_block_backward)
def backward_no_identity(dy, x, W1, W2, kind="post"):
    """ショートカットを通る勾配はいくつですか。足し算ノードの逆伝播を思い出しましょう。
    What gradient does an addition node send to each of its inputs?"""
    dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2, kind)
    return dx - (0 if kind == "plain" else at_the_sum(dy, x, W1, W2, kind)), dW1, dW2


@mutant(residual_block_backward)
def backward_no_final_mask(dy, x, W1, W2, kind="post"):
    """加算の後の ReLU も逆伝播で通りますか。
    Did the gradient pass back through the last ReLU?"""
    return from_the_sum(dy, x, W1, W2, kind)


@mutant(residual_block_backward)
def shortcut_error_not_masked(dy, x, W1, W2, kind="post"):
    """枝とショートカットは同じ和に入ります。二つに届く誤差は違いますか。
    Branch and shortcut enter the same sum: do different errors reach them?"""
    dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2, kind)
    return dx + (dy - at_the_sum(dy, x, W1, W2, kind) if kind == "post" else 0), dW1, dW2


@mutant(residual_block_backward)
def inner_relu_not_differentiated(dy, x, W1, W2, kind="post"):
    """二つの層の間にも ReLU があります。x W1 が負の成分に、誤差は届きますか。
    There is a ReLU between the layers: does an error reach entries where x W1 is negative?"""
    return from_the_sum(at_the_sum(dy, x, W1, W2, kind), x, W1, W2, kind, inner=False)


@mutant(residual_block_backward)
def pre_forgets_first_relu(dy, x, W1, W2, kind="post"):
    """pre-activation では W1 の前に何がありますか。そこも逆伝播で通ります。
    In the pre-activation block, what stands before W1? The gradient passes it too."""
    return from_the_sum(at_the_sum(dy, x, W1, W2, kind), x, W1, W2, kind, first=False)


@mutant(residual_block_backward)
def whole_pre_gradient_masked(dy, x, W1, W2, kind="post"):
    """最初の ReLU は枝の中にあります。ショートカットを通る勾配も、その ReLU を通りますか。
    The first ReLU stands in the branch: does the shortcut's gradient pass it too?"""
    dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2, kind)
    return dx * (x > 0) if kind == "pre" else dx, dW1, dW2


@mutant(residual_block_backward)
def w1_sees_the_raw_input(dy, x, W1, W2, kind="post"):
    """W1 に入った値は x ですか、relu(x) ですか。
    What did W1 multiply: x or relu(x)?"""
    dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2, kind)
    if kind == "pre":
        dW1 = x.T @ ((dy @ W2.T) * (relu(x) @ W1 > 0))
    return dx, dW1, dW2


@mutant(residual_block_backward)
def weight_gradients_averaged(dy, x, W1, W2, kind="post"):
    """損失を平均にするための 1/N は、どこに入りますか。dy にもう入っていれば、重みの勾配は和と平均のどちらですか。
    Where does the 1/N of a mean loss enter? If dy holds it already, are the weights' gradients sums or means?"""
    dx, dW1, dW2 = residual_block_backward(dy, x, W1, W2, kind)
    return dx, dW1 / len(x), dW2 / len(x)


def outputs(kind, width):
    return 4 * width if kind == "bottleneck" else width


def projects(kind, c_in, width, stride):
    return stride != 1 or c_in != outputs(kind, width)


@mutant(resnet_block_param_count)
def no_expansion(kind, c_in, width, stride=1):
    """ボトルネックの3層目は次元を「復元」します。何倍になりますか。
    The third layer of a bottleneck restores the dimension: to how many times its width?"""
    if kind != "bottleneck":
        return resnet_block_param_count(kind, c_in, width, stride)
    projection = c_in * width + 2 * width if stride != 1 or c_in != width else 0
    return c_in * width + 9 * width**2 + width**2 + 6 * width + projection


@mutant(resnet_block_param_count)
def middle_sees_c_in(kind, c_in, width, stride=1):
    """3×3 の畳み込みは 1×1 で減らした後に置かれます。入力チャネルはいくつですか。
    The 3×3 comes after the reduction: how many channels does it see?"""
    more = 9 * (c_in - width) * width if kind == "bottleneck" else 0
    return resnet_block_param_count(kind, c_in, width, stride) + more


@mutant(resnet_block_param_count)
def always_project(kind, c_in, width, stride=1):
    """恒等ショートカットにパラメータはありますか。射影が必要なのはどんなときですか。
    Does an identity shortcut have parameters? When is a projection needed?"""
    return resnet_block_param_count(kind, c_in, width, stride=2)


@mutant(resnet_block_param_count)
def projects_only_at_a_stride(kind, c_in, width, stride=1):
    """射影が必要なのは、縦横が縮むときだけですか。チャネル数が違う二つを足せますか。
    Is a projection needed only where the map shrinks? Can two maps with different numbers of channels be added?"""
    count = resnet_block_param_count(kind, c_in, width, stride)
    c_out = outputs(kind, width)
    free = stride == 1 and c_in != c_out
    return count - free * (c_in * c_out + (0 if kind == "wide" else 2 * c_out))


@mutant(resnet_block_param_count)
def bn_counts_running(kind, c_in, width, stride=1):
    """BN の4つのベクトルのうち、勾配で学習するのはどれですか。
    Of batch norm's four vectors, which are learned by gradient?"""
    c_out = outputs(kind, width)
    normalised = {"basic": 2 * width, "bottleneck": 2 * width + c_out, "wide": c_in + width}[kind]
    normalised += c_out if kind != "wide" and projects(kind, c_in, width, stride) else 0
    return resnet_block_param_count(kind, c_in, width, stride) + 2 * normalised


@mutant(resnet_block_param_count)
def conv_with_bias(kind, c_in, width, stride=1):
    """BN の直前の畳み込みにバイアスは必要ですか。BN の β と比べましょう。
    Does a convolution before BN need a bias? Compare it with β."""
    biases = outputs(kind, width) + (2 if kind == "bottleneck" else 1) * width
    return resnet_block_param_count(kind, c_in, width, stride) + biases


@mutant(resnet_block_param_count)
def wide_normalises_after(kind, c_in, width, stride=1):
    """Wide ResNet は pre-activation です。BN は畳み込みの前にあり、最初の BN が正規化するのは何チャネルですか。
    Wide ResNet is pre-activation: BN comes before each convolution, so how many channels does the first one normalise?"""
    return resnet_block_param_count("basic" if kind == "wide" else kind, c_in, width, stride)


@mutant(resnet_param_count)
def first_stage_strided(kind, blocks, classes=1000):
    """最初の段の直前に何がありますか。そこでさらに縮小しますか。
    What sits right before the first stage, and does that stage shrink the map again?"""
    projection = resnet_block_param_count(kind, 64, 64, 2) - resnet_block_param_count(kind, 64, 64, 1)
    return resnet_param_count(kind, blocks, classes) + projection


@mutant(resnet_param_count)
def thousand_classes(kind, blocks, classes=1000):
    """クラス数が 10 なら、最後の全結合層の重みはいくつですか。
    With 10 classes, how many weights has the last layer?"""
    return resnet_param_count(kind, blocks)


@mutant(resnet_param_count)
def classifier_sees_the_width(kind, blocks, classes=1000):
    """ボトルネックの段は、幅の何倍のチャネルを出しますか。分類層に入るのは最後の段の幅ですか、出力ですか。
    How many times its width does a stage of bottlenecks put out? Is it the width or the output that enters the classifier?"""
    excess = 3 * 64 * 2 ** (len(blocks) - 1) if kind == "bottleneck" else 0
    return resnet_param_count(kind, blocks, classes) - excess * classes


@mutant(resnet_param_count)
def stem_without_bn(kind, blocks, classes=1000):
    """最初の 7×7 畳み込みの後に、正規化はありませんか。
    Is nothing normalised after the first 7×7 convolution?"""
    return resnet_param_count(kind, blocks, classes) - 2 * 64


@mutant(resnet_param_count)
def no_projection_in_the_first_bottleneck(kind, blocks, classes=1000):
    """1 段目の最初のブロックに入るのは 64 チャネルです。ボトルネックなら、出るのは何チャネルですか。
    The first block of stage 1 takes 64 channels: how many does a bottleneck put out?"""
    return resnet_param_count(kind, blocks, classes) - (64 * 256 + 2 * 256 if kind == "bottleneck" else 0)


def joined(maps):
    return np.concatenate(maps, axis=1)


@mutant(dense_block)
def dense_sees_last_only(x, weights):
    """Dense Block の l 番目の層は、いくつ前の層までの出力を受け取りますか。
    From how many earlier layers does layer l of a dense block take its input?"""
    maps = [x]
    for W in weights:
        maps.append(relu(maps[-1] @ W[-maps[-1].shape[1] :]))
    return joined(maps)


@mutant(dense_block)
def dense_forgets_the_input(x, weights):
    """l 番目の層が見るのは、前の層の出力だけですか。ブロックの入力 x_0 はどうなりますか。
    Does layer l see the outputs of earlier layers alone? What of the block's input x_0?"""
    k0 = x.shape[1]
    maps = [dense_block(x, weights[:1])] if weights else [x]
    for W in weights[1:]:
        maps.append(relu(joined(maps)[:, k0:] @ W[k0:]))
    return joined(maps)


@mutant(dense_block)
def dense_adds(x, weights):
    """DenseNet は足し算ですか、連結ですか。出力の先頭の入力部分は変わりますか。
    Is it addition or concatenation — does the part of the output that holds the input change?"""
    h = x
    for W in weights:
        new = relu(h @ W)
        k = W.shape[1]
        h = joined([h[:, :k] + new[:, : h.shape[1]], h[:, k:], new])
    return h


@mutant(dense_block)
def newest_map_first(x, weights):
    """連結の順番はどうなっていますか。重みの最初の k0 行に掛かるのは、どの特徴ですか。
    In which order are the maps joined? Which features meet the first k0 rows of the weights?"""
    h = x
    for W in weights:
        h = joined([relu(h @ W), h])
    return h


@mutant(dense_block)
def relu_left_out(x, weights):
    """各層は行列を掛けた後に何をしますか。層を重ねても全体が線形のままなら、何が足りませんか。
    What does a layer do after the product? If the whole stays linear however deep, what is missing?"""
    h = x
    for W in weights:
        h = joined([h, h @ W])
    return h


def listed(k0, blocks, grown, kept):
    """Channels along a network whose blocks and transitions follow the rules given."""
    after, c = [], k0
    for n in blocks:
        c = grown(c, n)
        after.append(c)
        c = kept(c)
        after.append(c)
    return after[:-1]


@mutant(densenet_channels)
def growth_is_layer_count(k0, growth, blocks, theta=0.5):
    """成長率 k は層の数ですか、1層が加えるチャネル数ですか。
    Is k the number of layers or what one layer adds?"""
    return densenet_channels(k0, 1, [n * n for n in blocks], theta)


@mutant(densenet_channels)
def growth_once_a_block(k0, growth, blocks, theta=0.5):
    """k チャネルを加えるのは、1 ブロックごとですか、1 層ごとですか。
    Are k channels added once a block or once a layer?"""
    return densenet_channels(k0, growth, [1] * len(blocks), theta)


@mutant(densenet_channels)
def block_drops_its_input(k0, growth, blocks, theta=0.5):
    """ブロックの出力には、そのブロックの入力も連結されたまま残っていますか。
    Is the input of a block still there, joined to its output?"""
    return listed(k0, blocks, lambda c, n: n * growth, lambda c: int(theta * c))


@mutant(densenet_channels)
def transition_restores(k0, growth, blocks, theta=0.5):
    """Transition Layer の後のチャネル数は、何の θ 倍ですか。
    After a transition the channels are θ times — of what?"""
    return listed(k0, blocks, lambda c, n: c + n * growth, lambda c: k0)


@mutant(densenet_channels)
def transition_after_last(k0, growth, blocks, theta=0.5):
    """最後の Dense Block の後には何が来ますか。
    What follows the last dense block?"""
    return densenet_channels(k0, growth, [*blocks, 0], theta)[:-1]


@mutant(densenet_channels)
def theta_always_half(k0, growth, blocks, theta=0.5):
    """θ=1 (DenseNet、圧縮なし) では何チャネル残りますか。
    How many channels remain with θ = 1 (no compression)?"""
    return densenet_channels(k0, growth, blocks)


@mutant(densenet_channels)
def channels_rounded_up(k0, growth, blocks, theta=0.5):
    """θc が整数でないとき、⌊θc⌋ は切り上げですか、切り捨てですか。
    Where θc is no integer, does ⌊θc⌋ round up or down?"""
    return listed(k0, blocks, lambda c, n: c + n * growth, lambda c: math.ceil(theta * c))


def block_inputs(k0, growth, blocks, theta):
    """The channels that enter each block."""
    return [k0, *densenet_channels(k0, growth, blocks, theta)[1::2]]


@mutant(densenet_param_count)
def bottleneck_width_k(k0, growth, blocks, theta=0.5, classes=1000):
    """DenseNet-B の 1×1 畳み込みが出すマップは k の何倍ですか。
    How many times k maps does the 1×1 layer of DenseNet-B produce?"""
    inputs = [c + growth * i for c, n in zip(block_inputs(k0, growth, blocks, theta), blocks) for i in range(n)]
    less = sum(3 * c * growth + 6 * growth + 27 * growth**2 for c in inputs)
    return densenet_param_count(k0, growth, blocks, theta, classes) - less


@mutant(densenet_param_count)
def layers_all_see_the_block_input(k0, growth, blocks, theta=0.5, classes=1000):
    """ブロックの中で層を進むと、入力チャネル数はどう変わりますか。
    What becomes of the input channels from layer to layer within a block?"""
    less = sum((2 + 4 * growth) * growth * (n * (n - 1) // 2) for n in blocks)
    return densenet_param_count(k0, growth, blocks, theta, classes) - less


@mutant(densenet_param_count)
def one_transition_bn_forgotten(k0, growth, blocks, theta=0.5, classes=1000):
    """遷移層は 1×1 畳み込みだけですか。BN はどこにありますか。
    Is a transition only the 1×1 convolution? Where is its BN?"""
    into_transitions = densenet_channels(k0, growth, blocks, theta)[:-1:2]
    return densenet_param_count(k0, growth, blocks, theta, classes) - 2 * sum(into_transitions)


@mutant(densenet_param_count)
def last_bn_forgotten(k0, growth, blocks, theta=0.5, classes=1000):
    """DenseNet の BN は畳み込みの前に置かれます。最後のブロックの出力は、どこで正規化されますか。
    In DenseNet BN stands before the convolutions: where is the output of the last block normalised?"""
    last = densenet_channels(k0, growth, blocks, theta)[-1]
    return densenet_param_count(k0, growth, blocks, theta, classes) - 2 * last


@mutant(densenet_param_count)
def no_bottleneck_in_the_layers(k0, growth, blocks, theta=0.5, classes=1000):
    """DenseNet-BC の「B」は何ですか。3×3 畳み込みの前に何がありますか。
    What is the "B" of DenseNet-BC: what stands before the 3×3 convolution?"""
    inputs = [c + growth * i for c, n in zip(block_inputs(k0, growth, blocks, theta), blocks) for i in range(n)]
    more = sum(9 * c * growth - (4 * growth * c + 8 * growth + 36 * growth**2) for c in inputs)
    return densenet_param_count(k0, growth, blocks, theta, classes) + more


@mutant(residual_block_torch)
def shortcut_taken_out_of_the_graph(x, W1, W2, kind="post", Ws=None):
    """detach した入力を足すと、値は同じです。ショートカットを通るはずの勾配はどうなりますか。
    Adding a detached input gives the same value: what becomes of the gradient that the shortcut should carry?"""
    if kind == "plain":
        return residual_block_torch(x, W1, W2, kind, Ws)
    shortcut = x if Ws is None else x @ Ws
    branch = residual_block_torch(x, W1, W2, "pre", Ws) - shortcut if kind == "pre" else torch.relu(x @ W1) @ W2
    y = shortcut.detach() + branch
    return y if kind == "pre" else torch.relu(y)


@mutant(residual_block_torch)
def added_after_the_last_relu(x, W1, W2, kind="post", Ws=None):
    """"post" の並びは「加算、ReLU」です。ReLU を先に掛けてから足すと、出力は何のブロックになりますか。
    In "post" the addition comes before the ReLU: what block is it if the ReLU comes first?"""
    if kind != "post":
        return residual_block_torch(x, W1, W2, kind, Ws)
    return (x if Ws is None else x @ Ws) + residual_block_torch(x, W1, W2, "plain", Ws)


@mutant(residual_block_torch)
def pre_relu_in_place(x, W1, W2, kind="post", Ws=None):
    """relu(inplace=True) は何を書き換えますか。その後、ショートカットは何を運びますか。
    What does relu(inplace=True) overwrite, and what does the shortcut carry after it?"""
    return residual_block_torch(torch.relu(x) if kind == "pre" else x, W1, W2, kind, Ws)


@mutant(dense_block_torch)
def earlier_maps_detached(x, weights):
    """先に出た特徴を detach して連結すると、後の層の誤差はそこまで届きますか。
    If earlier maps are joined detached, does the error of later layers reach them?"""
    maps = [x]
    for W in weights:
        maps.append(torch.relu(torch.cat([m.detach() for m in maps], dim=1) @ W))
    return torch.cat(maps, dim=1)


@mutant(dense_block_torch)
def newest_tensor_first(x, weights):
    """torch.cat に渡すリストの順番は、そのまま列の順番になります。入力はどこに来ますか。
    The order of the list given to torch.cat is the order of the columns: where does the input belong?"""
    h = x
    for W in weights:
        h = torch.cat([torch.relu(h @ W), h], dim=1)
    return h
