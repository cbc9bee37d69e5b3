"""Wrong ideas about the Transformer. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.attention import multi_head_attention
from reference.attention_torch import multi_head_attention_torch
from reference.normalization import layernorm_forward
from reference.normalization_torch import layernorm_forward_torch
from reference.transformer import (
    causal_mask, decoder_block, encoder_block, feed_forward, positional_encoding, sequence_layer_complexity,
    transformer_param_count,
)
from reference.transformer_torch import attention_sublayer_torch, feed_forward_torch


@mutant(positional_encoding)
def pe_halves_not_interleaved(T, d):
    """偶数番目と奇数番目の列に、それぞれ何が入りますか。
    What goes into the even and what into the odd columns?"""
    pe = positional_encoding(T, d)
    return np.concatenate([pe[:, 0::2], pe[:, 1::2]], axis=1)


@mutant(positional_encoding)
def pe_exponent_per_column(T, d):
    """sin と cos の組は同じ周波数ですか。二乗の和は1になりますか。
    Does a sine/cosine pair share one frequency? Do their squares sum to one?"""
    angle = np.arange(T)[:, None] / 10000.0 ** (np.arange(d) / d)
    return np.where(np.arange(d) % 2, np.cos(angle), np.sin(angle))


@mutant(positional_encoding)
def pe_starts_at_one(T, d):
    """最初の位置 (pos=0) の sin はいくつですか。
    What is the sine at the first position?"""
    return positional_encoding(T + 1, d)[1:]


@mutant(positional_encoding)
def pe_exponent_without_two(T, d):
    """指数は i/d ですか、2i/d ですか。d = 4 のとき、3 列目(i = 1)の角は pos をいくつで割ったものですか。
    Is the exponent i/d or 2i/d? For d = 4, by what is pos divided in the third column (i = 1)?"""
    return positional_encoding(T, 2 * d)[:, :d]


@mutant(positional_encoding)
def pe_cosine_first(T, d):
    """位置 0 の行は 0, 1, 0, 1, … と 1, 0, 1, 0, … のどちらですか。
    Is the row of position 0 equal to 0, 1, 0, 1, … or to 1, 0, 1, 0, …?"""
    pe = positional_encoding(T, d)
    return np.stack([pe[:, 1::2], pe[:, 0::2]], axis=-1).reshape(T, d)


@mutant(causal_mask)
def causal_mask_transposed(T):
    """行が query です。1行目(最初の単語)から見てよい位置はいくつありますか。
    Rows are queries: how many positions may the first word see?"""
    return causal_mask(T).T


@mutant(causal_mask)
def causal_excludes_self(T):
    """各位置は自分自身を見てもよいですか。最初の位置が見られるものは残りますか。
    May a position see itself? What else could the first one see?"""
    return ~causal_mask(T).T


@mutant(causal_mask)
def future_marked_true(T):
    """True は「見てよい」と「隠す」のどちらですか(この課題の約束)。対角はどうなりますか。
    In this task, does True mean may be seen or hidden? And what stands on the diagonal?"""
    return ~causal_mask(T)


@mutant(feed_forward)
def ffn_linear(x, W1, b1, W2, b2):
    """間に非線形性がないと、2つの層はいくつの行列と同じですか。
    Without a non-linearity, how many matrices are two layers worth?"""
    return (x @ W1 + b1) @ W2 + b2


@mutant(feed_forward)
def ffn_relu_last(x, W1, b1, W2, b2):
    """FFN の出力は負になれますか。ReLU の位置を確かめましょう。
    Can the output be negative? Where does the ReLU stand?"""
    return np.maximum(ffn_linear(x, W1, b1, W2, b2), 0.0)


@mutant(feed_forward)
def ffn_gelu(x, W1, b1, W2, b2):
    """2017年の論文の FFN の活性化関数は何ですか。
    Which activation has the FFN of the 2017 paper?"""
    h = x @ W1 + b1
    return h * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3))) @ W2 + b2


@mutant(feed_forward)
def ffn_without_biases(x, W1, b1, W2, b2):
    """attention の行列にバイアスはありませんが、FFN ではどうですか。
    The attention has no biases: has the FFN?"""
    return feed_forward(x, W1, 0 * b1, W2, 0 * b2)


def post(x, branch, gamma, beta):
    return layernorm_forward(x + branch(x), gamma, beta)


def pre(x, branch, gamma, beta):
    return x + branch(layernorm_forward(x, gamma, beta))


def encoded(x, p, heads, mask, add):
    """An encoder block whose Add & Norm is `add`."""
    own = lambda z: multi_head_attention(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)[0]
    ffn = lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"])
    return add(add(x, own, p["gamma1"], p["beta1"]), ffn, p["gamma2"], p["beta2"])


def decoded(y, memory, p, heads, memory_mask, norm, add=None, own_mask=causal_mask, source=lambda z, memory: memory, order="132"):
    """A decoder block with another Add & Norm, other masks, another source for the second attention, or another order."""
    add = add or {"post": post, "pre": pre}[norm]
    mask = own_mask(y.shape[1])
    branches = {
        "1": lambda z: multi_head_attention(z, z, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)[0],
        "3": lambda z: multi_head_attention(z, source(z, memory), p["Cq"], p["Ck"], p["Cv"], p["Co"], heads, memory_mask)[0],
        "2": lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"]),
    }
    for number in order:
        y = add(y, branches[number], p["gamma" + number], p["beta" + number])
    return y


@mutant(encoder_block)
def residual_missing(x, p, heads, mask=None, norm="post"):
    """Add & Norm の Add は何と何を足しますか。
    Which two things does the Add of "Add & Norm" add?"""
    if norm == "pre":
        return encoder_block(x, p, heads, mask, norm)
    return encoded(x, p, heads, mask, lambda x, branch, gamma, beta: layernorm_forward(branch(x), gamma, beta))


@mutant(encoder_block)
def norm_before_add(x, p, heads, mask=None, norm="post"):
    """Post-LN では、正規化するのは和ですか、足す前の値ですか。
    In post-norm, is the sum normalised or only the branch?"""
    if norm == "pre":
        return encoder_block(x, p, heads, mask, norm)
    return encoded(x, p, heads, mask, lambda x, branch, gamma, beta: x + layernorm_forward(branch(x), gamma, beta))


@mutant(encoder_block)
def pre_norm_residual_normalised(x, p, heads, mask=None, norm="post"):
    """Pre-LN の残差経路は、何も通らずに出力まで届きますか。
    Does the pre-norm skip path reach the output untouched?"""
    return encoded(x, p, heads, mask, post if norm == "post" else on_the_normalised)


def on_the_normalised(x, branch, gamma, beta):
    """Pre-norm whose residual starts after the norm."""
    z = layernorm_forward(x, gamma, beta)
    return z + branch(z)


@mutant(encoder_block)
def norm_argument_ignored(x, p, heads, mask=None, norm="post"):
    """norm='pre' のとき、Layer Norm はサブレイヤの前と後のどちらにありますか。
    With norm='pre', does the layer norm come before the sub-layer or after it?"""
    return encoder_block(x, p, heads, mask)


@mutant(encoder_block)
def encoder_mask_not_passed_on(x, p, heads, mask=None, norm="post"):
    """mask を渡したとき、隠した位置の値を変えても出力は同じですか。
    With a mask given, does the hidden position still influence the others?"""
    return encoder_block(x, p, heads, None, norm)


@mutant(encoder_block)
def encoder_causal_without_mask(x, p, heads, mask=None, norm="post"):
    """翻訳元の文を読む encoder は、後ろの単語を見てはいけませんか。
    May the encoder, which reads the source, not see the words further on?"""
    return encoder_block(x, p, heads, causal_mask(x.shape[1]) if mask is None else mask, norm)


@mutant(encoder_block)
def positions_added_in_the_block(x, p, heads, mask=None, norm="post"):
    """位置エンコーディングを足すのは、埋め込みの直後の一度だけですか、ブロックごとですか。
    Is the positional encoding added once, to the embeddings, or in every block?"""
    T, D = x.shape[1:]
    return encoder_block(x + positional_encoding(T, D + D % 2)[:, :D], p, heads, mask, norm)


@mutant(encoder_block)
def one_norm_for_both_sublayers(x, p, heads, mask=None, norm="post"):
    """Layer Norm のパラメータは、ブロックの中でいくつの組がありますか。
    How many pairs of scale and shift has one block?"""
    return encoder_block(x, {**p, "gamma2": p["gamma1"], "beta2": p["beta1"]}, heads, mask, norm)


@mutant(encoder_block)
def ffn_from_the_blocks_input(x, p, heads, mask=None, norm="post"):
    """FFN が受け取るのは、ブロックの入力ですか、attention のサブレイヤの出力ですか。
    Does the FFN receive the block's input or what the attention's sub-layer gave?"""
    ffn = lambda z: feed_forward(z, p["W1"], p["b1"], p["W2"], p["b2"])
    add = {"post": post, "pre": pre}[norm]
    return add(x, ffn, p["gamma2"], p["beta2"])


@mutant(decoder_block)
def decoder_self_attention_unmasked(y, memory, p, heads, memory_mask=None, norm="post"):
    """学習時、デコーダは正解の次の単語を見てもよいですか。
    In training, may the decoder see the next target word?"""
    return decoded(y, memory, p, heads, memory_mask, norm, own_mask=lambda T: None)


@mutant(decoder_block)
def decoder_sees_only_the_future(y, memory, p, heads, memory_mask=None, norm="post"):
    """マスクの行と列のどちらが query でしたか。最初の単語が見るのはどこですか。
    Are the mask's rows or its columns the queries? Where may the first word look?"""
    return decoded(y, memory, p, heads, memory_mask, norm, own_mask=lambda T: causal_mask(T).T)


@mutant(decoder_block)
def cross_attention_to_itself(y, memory, p, heads, memory_mask=None, norm="post"):
    """2つ目の注意機構で、key と value はどこから来ますか。
    In the second attention, where do keys and values come from?"""
    # memory_mask would not fit: an answer that raises has no diagnosis.
    return decoded(y, memory, p, heads, None, norm, source=lambda z, memory: z)


@mutant(decoder_block)
def causal_mask_on_memory(y, memory, p, heads, memory_mask=None, norm="post"):
    """翻訳元の文は、最初からすべて見てもよいのではありませんか。
    May the decoder read the whole source from the first step?"""
    past = np.tri(y.shape[1], memory.shape[1], dtype=bool)
    return decoder_block(y, memory, p, heads, past if memory_mask is None else memory_mask, norm)


@mutant(decoder_block)
def memory_mask_not_passed_on(y, memory, p, heads, memory_mask=None, norm="post"):
    """memory_mask は、どの attention に渡しましたか。
    To which attention did memory_mask go?"""
    return decoder_block(y, memory, p, heads, None, norm)


@mutant(decoder_block)
def cross_attention_takes_the_ffn_norm(y, memory, p, heads, memory_mask=None, norm="post"):
    """gamma3, beta3 は、デコーダのどのサブレイヤのものですか。
    To which sub-layer of the decoder do gamma3 and beta3 belong?"""
    return decoder_block(y, memory, {**p, "gamma3": p["gamma2"], "beta3": p["beta2"]}, heads, memory_mask, norm)


@mutant(decoder_block)
def norms_numbered_by_position(y, memory, p, heads, memory_mask=None, norm="post"):
    """norm の番号 1, 2, 3 は、上から数えた順番ですか。FFN の norm は何番ですか。
    Are the norms 1, 2, 3 numbered from first to last? Which number has the one at the FFN?"""
    exchanged = {"gamma3": p["gamma2"], "beta3": p["beta2"], "gamma2": p["gamma3"], "beta2": p["beta3"]}
    return decoder_block(y, memory, {**p, **exchanged}, heads, memory_mask, norm)


@mutant(decoder_block)
def cross_attention_with_self_weights(y, memory, p, heads, memory_mask=None, norm="post"):
    """2つの注意機構は重みを共有していますか。
    Do the two attentions of the decoder share their matrices?"""
    return decoder_block(y, memory, {**p, **{"C" + role: p["W" + role] for role in "qkvo"}}, heads, memory_mask, norm)


@mutant(decoder_block)
def memory_normalised_again(y, memory, p, heads, memory_mask=None, norm="post"):
    """正規化するのは、デコーダ側の入力だけですか、memory もですか。
    Is only the decoder's branch normalised, or the memory as well?"""
    return decoder_block(y, layernorm_forward(memory, p["gamma3"], p["beta3"]), p, heads, memory_mask, norm)


@mutant(decoder_block)
def cross_attention_first(y, memory, p, heads, memory_mask=None, norm="post"):
    """デコーダの三つのサブレイヤは、どの順に並んでいますか。
    In which order do the decoder's three sub-layers stand?"""
    return decoded(y, memory, p, heads, memory_mask, norm, order="312")


@mutant(decoder_block)
def decoder_norm_before_add(y, memory, p, heads, memory_mask=None, norm="post"):
    """norm='post' の「Add & Norm」は、名前のとおりの順ですか。足してから正規化しましたか。
    Is "Add & Norm" with norm='post' done in the order of its name: first add, then normalise?"""
    late = lambda x, branch, gamma, beta: x + layernorm_forward(branch(x), gamma, beta)
    return decoded(y, memory, p, heads, memory_mask, norm, add=late if norm == "post" else None)


@mutant(decoder_block)
def decoder_pre_norm_residual_normalised(y, memory, p, heads, memory_mask=None, norm="post"):
    """norm='pre' で足し戻すのは、正規化する前の y ですか、後の y ですか。
    With norm='pre', is it y before the norm or after it that is added back?"""
    return decoded(y, memory, p, heads, memory_mask, norm, add=on_the_normalised if norm == "pre" else None)


@mutant(transformer_param_count)
def decoder_counted_with_one_attention(d, d_ff, encoders, decoders, vocab=0):
    """デコーダの1層に注意機構はいくつありますか。
    How many attentions has one decoder layer?"""
    return transformer_param_count(d, d_ff, encoders, decoders, vocab) - decoders * 4 * d * d


@mutant(transformer_param_count)
def attention_biases_counted(d, d_ff, encoders, decoders, vocab=0):
    """この課題の注意機構の行列にバイアスはありますか。
    Have the attention matrices of this task biases?"""
    return transformer_param_count(d, d_ff, encoders, decoders, vocab) + (encoders + 2 * decoders) * 4 * d


@mutant(transformer_param_count)
def embedding_not_shared(d, d_ff, encoders, decoders, vocab=0):
    """入力・出力の埋め込みと最後の線形層は、いくつの行列ですか(論文 §3.4)。
    How many tables do the two embeddings and the last linear layer share?"""
    return transformer_param_count(d, d_ff, encoders, decoders, 3 * vocab)


@mutant(transformer_param_count)
def norms_not_counted(d, d_ff, encoders, decoders, vocab=0):
    """Layer Norm に学習するパラメータはありますか。1 層にいくつの norm がありますか。
    Has a layer norm parameters that are learned? How many norms has a layer?"""
    return transformer_param_count(d, d_ff, encoders, decoders, vocab) - (2 * encoders + 3 * decoders) * 2 * d


@mutant(transformer_param_count)
def ffn_biases_forgotten(d, d_ff, encoders, decoders, vocab=0):
    """FFN の二つの線形層には、それぞれ何個のバイアスがありますか。
    How many biases has each of the FFN's two linear layers?"""
    return transformer_param_count(d, d_ff, encoders, decoders, vocab) - (encoders + decoders) * (d_ff + d)


@mutant(sequence_layer_complexity)
def cost_n_and_d_swapped(kind, n, d, r=None):
    """自己注意の重み行列の大きさは、系列長 n に対してどう増えますか。
    How does the number of attention weights grow with n?"""
    operations, *rest = sequence_layer_complexity(kind, n, d, r)
    return n * d * d if kind == "self_attention" else operations, *rest


@mutant(sequence_layer_complexity)
def restricted_path_rounded_down(kind, n, d, r=None):
    """n=5, r=2 のとき、端から端まで何層で届きますか。
    n = 5, r = 2: how many layers until the two ends meet?"""
    operations, steps, path = sequence_layer_complexity(kind, n, d, r)
    return operations, steps, n // r if kind == "restricted" else path


@mutant(sequence_layer_complexity)
def recurrence_in_one_step(kind, n, d, r=None):
    """h_t を計算するには、先に何が要りますか。n 個の時刻を一度に計算できますか。
    What is needed before h_t can be computed? Can all n steps be taken at once?"""
    operations, _, path = sequence_layer_complexity(kind, n, d, r)
    return operations, 1, path


@mutant(sequence_layer_complexity)
def window_costs_as_much_as_all(kind, n, d, r=None):
    """窓つきの self-attention で、一つの query が比べる key はいくつですか。
    Within a window, with how many keys is one query compared?"""
    operations, steps, path = sequence_layer_complexity(kind, n, d, r)
    return n * n * d if kind == "restricted" else operations, steps, path


@mutant(feed_forward_torch)
def hidden_units_detached(x, W1, b1, W2, b2):
    """値は正しくても、W1 や x へ勾配は流れますか。計算グラフを切る操作を探しましょう。
    The values are right: but does a gradient flow to W1 and x? Look for what cuts the graph."""
    return torch.relu(x @ W1 + b1).detach() @ W2 + b2


@mutant(feed_forward_torch)
def gelu_on_tensors(x, W1, b1, W2, b2):
    """BERT や GPT の活性化関数と、この課題の活性化関数は同じですか。
    Is the activation of this task that of BERT and GPT?"""
    return torch.nn.functional.gelu(x @ W1 + b1) @ W2 + b2


@mutant(attention_sublayer_torch)
def keys_from_the_unnormalised_input(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """norm='pre' の self-attention で、key と value は正規化の前と後のどちらの x から作りますか。
    In pre-norm self-attention, are keys and values made of x before the norm or after it?"""
    return attention_sublayer_torch(x, x if memory is None else memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask, norm)


@mutant(attention_sublayer_torch)
def memory_normalised_on_tensors(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """norm='pre' で正規化するのは x だけですか、memory もですか。
    With norm='pre', is x alone normalised, or the memory as well?"""
    if memory is not None and norm == "pre":
        memory = layernorm_forward_torch(memory, gamma, beta)
    return attention_sublayer_torch(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask, norm)


@mutant(attention_sublayer_torch)
def residual_path_detached(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """残差接続は、勾配をそのまま前の層へ届けるためのものです。x から勾配が消えていませんか。
    A residual connection hands the gradient on as it is: has x lost its gradient on that path?"""
    attend = lambda z: multi_head_attention_torch(z, z if memory is None else memory, Wq, Wk, Wv, Wo, heads, mask)[0]
    if norm == "pre":
        return x.detach() + attend(layernorm_forward_torch(x, gamma, beta))
    return layernorm_forward_torch(x.detach() + attend(x), gamma, beta)


@mutant(attention_sublayer_torch)
def norm_swapped_on_tensors(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """'post' の Layer Norm は、和をとる前と後のどちらにありますか。
    Does the layer norm of 'post' come before the sum or after it?"""
    other = {"post": "pre", "pre": "post"}[norm]
    return attention_sublayer_torch(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask, other)


@mutant(attention_sublayer_torch)
def unbiased_variance(x, memory, Wq, Wk, Wv, Wo, gamma, beta, heads, mask=None, norm="post"):
    """torch の var() は既定で n - 1 で割ります。Layer Norm の分散は何で割りますか。
    torch's var() divides by n - 1 unless told otherwise: by what does layer norm divide?"""
    normalise = lambda z: gamma * (z - z.mean(-1, keepdim=True)) / torch.sqrt(z.var(-1, keepdim=True) + 1e-5) + beta
    attend = lambda z: multi_head_attention_torch(z, z if memory is None else memory, Wq, Wk, Wv, Wo, heads, mask)[0]
    return x + attend(normalise(x)) if norm == "pre" else normalise(x + attend(x))
