"""Wrong ideas about the basics. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
from autograder.properties import mutant

from reference import nn_basics as ref
from reference.nn_basics import (
    activation, adagrad_step, adam_step, conv2d, conv_out_size, im2col, init_weights, mlp_loss, momentum_step, rmsprop_step,
    sgd_step, softmax_cross_entropy,
)
from reference.numerics import log_softmax, one_hot


@mutant(activation)
def sigmoid_prime_of_x(x, kind):
    """σ′ を出力 y で書くか入力 x で書くか、混ぜていませんか。x=0 で 0.25 になりますか。
    Is σ′ written in the output or in the input? It must be 0.25 at 0."""
    y, slope = activation(x, kind)
    return y, x * (1 - x) if kind == "sigmoid" else slope


@mutant(activation)
def tanh_prime_not_squared(x, kind):
    """tanh の微分は偶関数です。x と −x で同じ値になりますか。
    The derivative of tanh is even: does yours agree at x and −x?"""
    y, slope = activation(x, kind)
    return y, 1 - y if kind == "tanh" else slope


@mutant(activation)
def relu_prime_at_zero(x, kind):
    """ReLU の 0 での微分の約束(この課題では 0)を確認しましょう。
    Check this task's convention for the derivative of ReLU at 0."""
    y, slope = activation(x, kind)
    return y, np.where(x == 0, 1.0, slope) if kind == "relu" else slope


@mutant(softmax_cross_entropy)
def no_max_subtraction(logits, labels):
    """ロジットが 1000 のとき exp はどうなりますか。softmax は定数を引いても変わりません。
    What is exp(1000)? Softmax does not change when a constant is subtracted."""
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    n = len(labels)
    return -np.log(p[np.arange(n), labels]).mean(), (p - one_hot(labels, logits.shape[1])) / n


@mutant(softmax_cross_entropy)
def global_normalisation(logits, labels):
    """softmax の和はどの軸で 1 になるべきですか。
    Over which axis must the softmax sum to one?"""
    logp = log_softmax(logits.ravel()).reshape(logits.shape)
    n = len(labels)
    return -logp[np.arange(n), labels].mean(), (np.exp(logp) - one_hot(labels, logits.shape[1])) / n


@mutant(softmax_cross_entropy)
def gradient_not_averaged(logits, labels):
    """損失がバッチ平均なら、勾配にも同じ係数が必要です。
    If the loss is a batch mean, what factor does its gradient carry?"""
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return loss, len(labels) * dlogits


@mutant(softmax_cross_entropy)
def loss_summed(logits, labels):
    """損失は合計ですか、平均ですか。
    Is the loss a sum or a mean over the batch?"""
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return len(labels) * loss, dlogits


@mutant(softmax_cross_entropy)
def loss_averaged_over_the_table(logits, labels):
    """one-hot の表の全要素で平均していませんか。割る数は N ですか、N×K ですか。
    Is the mean taken over the whole one-hot table: is the divisor N or N·K?"""
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return loss / logits.shape[1], dlogits / logits.shape[1]


@mutant(softmax_cross_entropy)
def small_number_in_the_log(logits, labels):
    """log の中に小さい数を足すと、損失の上限はいくつになりますか。log-softmax ならその必要がありません。
    With 1e-7 inside the log, how large can the loss become? Log-softmax needs no such number."""
    p = np.exp(log_softmax(logits))[np.arange(len(labels)), labels]
    return -np.log(p + 1e-7).mean(), softmax_cross_entropy(logits, labels)[1]


def back_propagated(x, labels, W1, b1, W2, b2, kind, slope):
    """The reference's back-propagation with its slope exchanged."""
    h, _ = activation(x @ W1 + b1, kind)
    loss, delta2 = softmax_cross_entropy(h @ W2 + b2, labels)
    delta1 = (delta2 @ W2.T) * slope(h)
    return loss, x.T @ delta1, delta1.sum(axis=0), h.T @ delta2, delta2.sum(axis=0)


@mutant(mlp_loss)
def activation_gradient_forgotten(x, labels, W1, b1, W2, b2, kind="relu"):
    """中間層の活性化関数を逆伝播で通りましたか。
    Did the gradient pass through the hidden activation?"""
    return back_propagated(x, labels, W1, b1, W2, b2, kind, np.ones_like)


@mutant(mlp_loss)
def gradient_at_activation(x, labels, W1, b1, W2, b2, kind="relu"):
    """f′ はどの値で評価しますか：活性化の前 u か、後 h か。
    At which value is f′ evaluated: before or after the activation?"""
    return back_propagated(x, labels, W1, b1, W2, b2, kind, lambda h: activation(h, kind)[1])


@mutant(mlp_loss)
def bias_gradient_mean(x, labels, W1, b1, W2, b2, kind="relu"):
    """d2 にはもう 1/N が入っています。バイアスの勾配でもう一度平均していませんか。
    1/N is already inside d2: is the bias gradient averaged twice?"""
    loss, dW1, db1, dW2, db2 = mlp_loss(x, labels, W1, b1, W2, b2, kind)
    return loss, dW1, db1 / len(x), dW2, db2


@mutant(init_weights)
def he_with_fan_out(draws, kind):
    """順伝播の分散を保つには、1つの出力に足される項の数で割ります。
    To keep the forward variance, divide by the number of terms summed into one output."""
    return np.sqrt(2 / draws.shape[1]) * draws if kind == "he" else init_weights(draws, kind)


@mutant(init_weights)
def variance_as_std(draws, kind):
    """式が与えるのは分散ですか、標準偏差ですか。
    Does the formula give a variance or a standard deviation?"""
    return init_weights(init_weights(np.ones_like(draws), kind), kind) * draws


@mutant(init_weights)
def xavier_is_lecun(draws, kind):
    """Glorot の論文の式は入力数だけでなく出力数も含みます。
    Glorot's formula contains the number of outputs as well."""
    return init_weights(draws, "lecun" if kind == "xavier" else kind)


@mutant(sgd_step)
def sgd_climbs(w, grad, lr):
    """勾配は損失が増える向きです。損失を減らすには、どちらへ進みますか。
    The gradient points uphill: which way lowers the loss?"""
    return sgd_step(w, -grad, lr)


@mutant(momentum_step)
def momentum_adds_gradient(w, grad, velocity, lr, momentum=0.9):
    """速度は勾配の向きですか、その逆ですか。
    Does the velocity point along the gradient or against it?"""
    return momentum_step(w, -grad, velocity, lr, momentum)


@mutant(momentum_step)
def velocity_is_an_average(w, grad, velocity, lr, momentum=0.9):
    """一定の勾配が続くとき、モメンタムの1歩は SGD の何倍まで伸びますか。
    Under a constant gradient, how many times longer than a step of SGD does momentum's step grow?"""
    return momentum_step(w, (1 - momentum) * grad, velocity, lr, momentum)


@mutant(momentum_step)
def momentum_written_in(w, grad, velocity, lr, momentum=0.9):
    """引数の momentum を使っていますか。0.9 は既定の値にすぎません。
    Is the argument momentum used? 0.9 is only its default."""
    return momentum_step(w, grad, velocity, lr)


@mutant(momentum_step)
def moves_by_the_old_velocity(w, grad, velocity, lr, momentum=0.9):
    """重みを動かすのは、更新する前の速度ですか、後の速度ですか。
    Which velocity moves the weights: the one before the update or after it?"""
    return w + velocity, momentum_step(w, grad, velocity, lr, momentum)[1]


@mutant(adagrad_step)
def adagrad_no_root(w, grad, squares, lr, eps=1e-8):
    """勾配を c 倍しても AdaGrad の歩幅は変わらないはずです。
    Multiply the gradients by c: AdaGrad's step must not change."""
    squares = squares + grad**2
    return w - lr * grad / (squares + eps), squares


@mutant(adagrad_step)
def adagrad_eps_in_root(w, grad, squares, lr, eps=1e-8):
    """この課題では ε は根号の外で足します。
    This task adds ε outside the root."""
    squares = squares + grad**2
    return w - lr * grad / np.sqrt(squares + eps), squares


@mutant(adagrad_step)
def adagrad_divides_by_the_old_sum(w, grad, squares, lr, eps=1e-8):
    """割る数に、いまの勾配の2乗は入っていますか。最初の1歩で試しましょう。
    Is the present gradient's square inside the divisor? Try the very first step."""
    return w - lr * grad / (np.sqrt(squares) + eps + 1e-300), squares + grad**2


@mutant(rmsprop_step)
def rmsprop_accumulates(w, grad, squares, lr, rho=0.9, eps=1e-8):
    """RMSProp は過去の勾配を忘れます。足し続けていませんか。
    RMSProp forgets: is the history only added up?"""
    return adagrad_step(w, grad, squares, lr, eps)


@mutant(rmsprop_step)
def rmsprop_weights_exchanged(w, grad, squares, lr, rho=0.9, eps=1e-8):
    """ρ=0.9 は「過去を9割残す」という意味です。どちらの項に掛かりますか。
    ρ = 0.9 keeps nine tenths of the past: which term does it multiply?"""
    return rmsprop_step(w, grad, squares, lr, 1 - rho, eps)


@mutant(rmsprop_step)
def rmsprop_eps_in_root(w, grad, squares, lr, rho=0.9, eps=1e-8):
    """この課題では ε は根号の外で足します。
    This task adds ε outside the root."""
    squares = rho * squares + (1 - rho) * grad**2
    return w - lr * grad / np.sqrt(squares + eps), squares


@mutant(adam_step)
def adam_no_bias_correction(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """m, v は 0 から始まります。1歩目の大きさは η になりますか。
    m and v start at 0: is the first step of size η?"""
    _, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return w - lr * m / (np.sqrt(v) + eps), m, v


@mutant(adam_step)
def adam_correction_without_power(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """補正は最初のうちだけ強く効き、t が大きいと消えるはずです。
    The correction must fade as t grows: where does t enter?"""
    return adam_step(w, grad, m, v, 1, lr, beta1, beta2, eps)


@mutant(adam_step)
def adam_counts_from_zero(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """最初の1歩の t はいくつですか。
    What is t at the very first step?"""
    return adam_step(w, grad, m, v, max(t - 1, 1), lr, beta1, beta2, eps)


@mutant(adam_step)
def adam_betas_exchanged(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """β1 は1次、β2 は2次のモーメントの減衰率です。
    β1 decays the first moment, β2 the second."""
    return adam_step(w, grad, m, v, t, lr, beta2, beta1, eps)


@mutant(adam_step)
def adam_eps_in_root(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam の ε は根号の中ですか、外ですか。
    In Adam, is ε inside or outside the root?"""
    _, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return w - lr * m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps), m, v


@mutant(adam_step)
def adam_corrected_moments_returned(w, grad, m, v, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """次のステップへ渡すのは補正前の m, v ですか、補正後ですか。
    Which moments go into the next step: before or after the correction?"""
    w, m, v = adam_step(w, grad, m, v, t, lr, beta1, beta2, eps)
    return w, m / (1 - beta1**t), v / (1 - beta2**t)


@mutant(conv_out_size)
def ceil_out_size(size, kernel, stride=1, padding=0, dilation=1):
    """割り切れないとき、最後の半端な位置にカーネルは置けますか。
    When the stride does not divide, does the kernel still fit at the leftover position?"""
    return -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1


@mutant(conv_out_size)
def padding_once(size, kernel, stride=1, padding=0, dilation=1):
    """パディングは片側だけですか、両側ですか。
    Padding is added on how many sides?"""
    return (size + padding - dilation * (kernel - 1) - 1) // stride + 1


@mutant(conv_out_size)
def forget_plus_one(size, kernel, stride=1, padding=0, dilation=1):
    """カーネルが1回だけ置ける大きさ(入力=カーネル)で式を試しましょう。
    Try the formula with the input exactly as large as the kernel."""
    return conv_out_size(size, kernel, stride, padding, dilation) - 1


@mutant(conv_out_size)
def dilated_kernel_is_dk(size, kernel, stride=1, padding=0, dilation=1):
    """拡張率 d のカーネルの両端は何画素離れていますか。k=3, d=2 を描いて数えましょう。
    How many cells does a kernel with k = 3, d = 2 span? Draw it and count."""
    return (size + 2 * padding - dilation * kernel) // stride + 1


def unfolded(x, kernel, stride, padding):
    """The rows of im2col with their axes still apart: image, row, column, channel, row and column of the kernel."""
    h, w = (conv_out_size(side, kernel, stride, padding) for side in x.shape[2:])
    return im2col(x, kernel, stride, padding).reshape(len(x), h, w, x.shape[1], kernel, kernel)


@mutant(im2col)
def im2col_channel_last(x, kernel, stride=1, padding=0):
    """列の並びは重み w.reshape(M, −1) の並びと一致しますか。
    Does the order of the columns match w.reshape(M, −1)?"""
    rows = im2col(x, kernel, stride, padding)
    return unfolded(x, kernel, stride, padding).transpose(0, 1, 2, 4, 5, 3).reshape(rows.shape)


@mutant(im2col)
def im2col_position_major(x, kernel, stride=1, padding=0):
    """行の並びは画像 n が最も外側です。
    Image n is the outermost index of the rows."""
    rows = im2col(x, kernel, stride, padding)
    return unfolded(x, kernel, stride, padding).transpose(1, 2, 0, 3, 4, 5).reshape(rows.shape)


@mutant(conv2d)
def conv_no_transpose(x, w, b, stride=1, padding=0):
    """行列積の結果は (N, 高さ, 幅, チャネル) の順です。並べ替えは reshape でできますか。
    The product comes out as (N, h, w, channel): can reshape reorder axes?"""
    y = conv2d(x, w, b, stride, padding)
    return y.transpose(0, 2, 3, 1).reshape(y.shape)


@mutant(conv2d)
def kernel_is_flipped(x, w, b, stride=1, padding=0):
    """ニューラルネットワークの「畳み込み」で、カーネルは反転しますか。
    In what networks call convolution, is the kernel flipped?"""
    return conv2d(x, w[:, :, ::-1, ::-1], b, stride, padding)


@mutant(conv2d)
def padded_with_the_border(x, w, b, stride=1, padding=0):
    """パディングで加える値は何ですか。縁の画素の値ですか、0 ですか。
    What is padded: the value of the border, or 0?"""
    wide = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), mode="edge")
    return ref.conv2d(wide, w, b, stride)
