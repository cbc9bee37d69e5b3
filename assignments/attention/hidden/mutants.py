"""Wrong ideas about attention. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant

from reference.attention import (
    additive_scores, attention, attention_backward, dot_scores, masked_softmax, multi_head_attention, padding_mask,
)
from reference.attention_torch import attention_torch, multi_head_attention_torch


@mutant(dot_scores)
def scale_by_d(q, k, scaled=True):
    """成分の分散が 1 の q, k の内積の「標準偏差」は、次元 d とどう関係しますか。
    How does the standard deviation of q·k grow with the dimension?"""
    return dot_scores(q, k, False) / (q.shape[-1] if scaled else 1)


@mutant(dot_scores)
def scale_by_key_count(q, k, scaled=True):
    """スケーリングの d は、系列の長さですか、key の次元ですか。
    Is the d under the root the number of keys or their dimension?"""
    return dot_scores(q, k, False) / (np.sqrt(k.shape[-2]) if scaled else 1)


@mutant(dot_scores)
def always_scaled(q, k, scaled=True):
    """scaled=False のとき、内積を何かで割りますか。
    With scaled=False, is the inner product divided by anything?"""
    return dot_scores(q, k)


@mutant(dot_scores)
def vectors_normalised(q, k, scaled=True):
    """ここで求めるのは内積ですか、コサイン類似度ですか。長い key のスコアはどうなるべきでしょうか。
    Is the inner product asked for, or the cosine? What should a longer key score?"""
    return dot_scores(*(x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12) for x in (q, k)), False)


@mutant(additive_scores)
def additive_without_tanh(q, k, Wq, Wk, v):
    """非線形性がないと、softmax のあとに q の影響は残るでしょうか。
    Without the non-linearity, does q survive the softmax?"""
    return ((q @ Wq)[:, :, None, :] + (k @ Wk)[:, None, :, :]) @ v


@mutant(additive_scores)
def additive_divided_by_root_h(q, k, Wq, Wk, v):
    """√d で割るのは、どのスコア関数の話でしたか。tanh の中には何が入りますか。
    For which score was the root of d introduced? What stands inside the tanh?"""
    return additive_scores(q, k, Wq / np.sqrt(len(v)), Wk / np.sqrt(len(v)), v)


@mutant(additive_scores)
def projections_multiplied(q, k, Wq, Wk, v):
    """「加法」注意では、射影した q と k を tanh の前にどう組み合わせますか。
    In additive attention, how are the projected q and k combined before the tanh?"""
    return np.tanh((q @ Wq)[:, :, None, :] * (k @ Wk)[:, None, :, :]) @ v


@mutant(masked_softmax)
def softmax_over_queries(scores, mask=None):
    """一つの query から見た重みの和は 1 になっていますか。
    Do the weights of one query sum to one?"""
    columns = None if mask is None else np.broadcast_to(mask, scores.shape).swapaxes(-1, -2)
    return masked_softmax(scores.swapaxes(-1, -2), columns).swapaxes(-1, -2)


@mutant(masked_softmax)
def softmax_over_everything(scores, mask=None):
    """softmax の和は、どの軸についてとりますか。query が二つあれば、重みの総和はいくつですか。
    Over which axis does the softmax sum? With two queries, what do all the weights sum to?"""
    flat = None if mask is None else np.broadcast_to(mask, scores.shape).reshape(1, -1)
    return masked_softmax(scores.reshape(1, -1), flat).reshape(scores.shape)


@mutant(masked_softmax)
def mask_inverted(scores, mask=None):
    """この課題では、mask の True は「見てよい」と「隠す」のどちらですか。
    In this task, does True mean may be seen or hidden?"""
    return masked_softmax(scores, None if mask is None else ~mask)


@mutant(masked_softmax)
def masked_score_zero(scores, mask=None):
    """exp(0) はいくつですか。隠した位置の重みは本当に 0 ですか。
    What is exp(0)? Is the hidden key's weight really zero?"""
    return masked_softmax(scores if mask is None else scores * mask)


@mutant(masked_softmax)
def mask_after_softmax(scores, mask=None):
    """マスクした後の重みの和は 1 のままですか。
    After masking, do the remaining weights still sum to one?"""
    return masked_softmax(scores) * (True if mask is None else mask)


@mutant(masked_softmax)
def empty_row_nan(scores, mask=None):
    """すべて隠された行では、分母はいくつになりますか。
    What is the denominator when every key is hidden?"""
    e = masked_softmax(scores, mask)
    with np.errstate(invalid="ignore"):
        return e / e.sum(axis=-1, keepdims=True)


@mutant(masked_softmax)
def empty_row_uniform(scores, mask=None):
    """すべて −1e9 の行に softmax をかけると、重みはいくつになりますか。
    What does a softmax make of a row of −1e9 only?"""
    return masked_softmax(scores if mask is None else np.where(mask, scores, -1e9))


@mutant(masked_softmax)
def exponents_overflow(scores, mask=None):
    """スコアが 2000 のとき exp はどうなりますか。行の全体を同じだけずらしても重みは同じです。
    What is exp(2000)? Shifting a whole row leaves its weights alone."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.where(True if mask is None else mask, np.exp(scores), 0.0)
        total = e.sum(axis=-1, keepdims=True)
        return e / np.where(total > 0, total, 1.0)


@mutant(masked_softmax)
def no_mask_means_causal(scores, mask=None):
    """mask を渡さないとき、隠される key はありますか。
    With no mask given, is any key hidden?"""
    return masked_softmax(scores, np.tri(*scores.shape[-2:], dtype=bool) if mask is None else mask)


@mutant(padding_mask)
def padding_includes_length(lengths, T):
    """長さ 2 の文で、見てよい位置の番号は何と何ですか(0 始まり)。
    For length 2, which positions (from 0) may be seen?"""
    return padding_mask(lengths + 1, T + 1)[..., :T]


@mutant(padding_mask)
def padding_marked_true(lengths, T):
    """True にするのは、本物の単語の位置ですか、埋めた位置ですか(この課題の約束)。
    In this task, does True mark the real words or what was filled in?"""
    return ~padding_mask(lengths, T)


@mutant(padding_mask)
def padding_in_front(lengths, T):
    """この課題の文は、どちらの端に詰めてありますか。長さ 2 なら、本物の単語は先頭と末尾のどちらにありますか。
    At which end is a sentence filled up? For length 2, do the real words stand first or last?"""
    return padding_mask(lengths, T)[..., ::-1]


@mutant(attention)
def context_from_keys(q, k, v, mask=None):
    """検索に使うのは key ですが、取り出すのは何ですか。
    Keys are for searching: what is taken out?"""
    return attention(q, k, k, mask)


@mutant(attention)
def attention_without_scale(q, k, v, mask=None):
    """次元が 4 倍になると、内積の標準偏差は何倍になりますか。attention はそれをどこで打ち消しますか。
    Four times the dimension: what becomes of the standard deviation of q·k, and where does attention undo it?"""
    return attention(q * np.sqrt(q.shape[-1]), k, v, mask)


@mutant(attention)
def attention_ignores_mask(q, k, v, mask=None):
    """受け取った mask は、どの関数に渡しましたか。
    To which function did the mask go?"""
    return attention(q, k, v)


@mutant(attention)
def scores_returned_as_weights(q, k, v, mask=None):
    """二つ目に返すのは、softmax の前の値ですか、後の値ですか。
    Is the second result taken before the softmax or after it?"""
    return attention(q, k, v, mask)[0], dot_scores(q, k)


@mutant(attention_backward)
def backward_diagonal_softmax(dcontext, q, k, v, mask=None):
    """重みの和は常に 1 です。一つのスコアを上げると、他の重みはどうなりますか。
    Raise one score: what happens to the other weights of the row?"""
    return swept(dcontext, q, k, v, mask, lambda a, da: a * (1 - a) * da)


@mutant(attention_backward)
def backward_row_term_over_queries(dcontext, q, k, v, mask=None):
    """softmax は key の軸で正規化しました。逆伝播で引く和は、どの軸についての和ですか。
    The softmax was normalised over the keys: over which axis is the sum taken that backward subtracts?"""
    return swept(dcontext, q, k, v, mask, lambda a, da: a * (da - (da * a).sum(axis=-2, keepdims=True)))


@mutant(attention_backward)
def backward_past_the_softmax(dcontext, q, k, v, mask=None):
    """スコアから重みを作った関数の微分は、どこに入りますか。
    Where does the derivative of the function enter that made weights from scores?"""
    return swept(dcontext, q, k, v, mask, lambda a, da: da)


def swept(dcontext, q, k, v, mask, softmax_backward):
    """The backward pass with another derivative of the softmax."""
    _, a = attention(q, k, v, mask)
    ds = softmax_backward(a, dcontext @ v.swapaxes(-1, -2)) / np.sqrt(q.shape[-1])
    return ds @ k, ds.swapaxes(-1, -2) @ q, a.swapaxes(-1, -2) @ dcontext


@mutant(attention_backward)
def backward_without_scale(dcontext, q, k, v, mask=None):
    """順伝播で √d で割ったなら、逆伝播の dq, dk にもその係数は必要ですか。
    Forward divides by √d: where does that factor go in backward?"""
    dq, dk, dv = attention_backward(dcontext, q, k, v, mask)
    return dq * np.sqrt(q.shape[-1]), dk * np.sqrt(q.shape[-1]), dv


@mutant(attention_backward)
def backward_dk_uses_k(dcontext, q, k, v, mask=None):
    """スコア q·k を k で微分すると、残るのは何ですか。
    Differentiate q·k by k: what remains?"""
    _, a = attention(q, k, v, mask)
    dq, _, dv = attention_backward(dcontext, q, k, v, mask)
    da = dcontext @ v.swapaxes(-1, -2)
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return dq, ds.swapaxes(-1, -2) @ (a @ k), dv


@mutant(attention_backward)
def backward_ignores_mask(dcontext, q, k, v, mask=None):
    """逆伝播で使う重みは、順伝播の重みと同じですか。
    Are the weights in backward those of the forward pass?"""
    return attention_backward(dcontext, q, k, v)


@mutant(multi_head_attention)
def heads_without_transpose(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """head に分けるとき、時刻の軸と特徴の軸が混ざっていませんか。
    When splitting heads, did time steps and features get mixed?"""
    split = lambda x: x.reshape(len(x), heads, x.shape[1], -1)
    return side_by_side(x_q, x_kv, Wq, Wk, Wv, Wo, mask, split)


@mutant(multi_head_attention)
def heads_interleaved(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """head 0 が受け持つのは、どの列ですか。先頭から連続した D/h 列でしょうか。
    Which columns belong to head 0: a contiguous block or every h-th?"""
    split = lambda x: x.reshape(*x.shape[:2], -1, heads).transpose(0, 3, 1, 2)
    return side_by_side(x_q, x_kv, Wq, Wk, Wv, Wo, mask, split)


@mutant(multi_head_attention)
def heads_joined_without_transpose(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """(N, heads, T, d) をそのまま (N, T, D) に並べ直すと、時刻 0 の行には何が入りますか。
    If (N, heads, T, d) is reshaped straight to (N, T, D), what stands in the row of step 0?"""
    split = lambda x: x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)
    return side_by_side(x_q, x_kv, Wq, Wk, Wv, Wo, mask, split, join=lambda context: context)


def side_by_side(x_q, x_kv, Wq, Wk, Wv, Wo, mask, split, join=lambda context: context.swapaxes(1, 2)):
    """Multi-head attention with another way of splitting or joining."""
    shared = None if mask is None else np.broadcast_to(mask, (*x_q.shape[:2], x_kv.shape[1]))[:, None]
    context, weights = attention(split(x_q @ Wq), split(x_kv @ Wk), split(x_kv @ Wv), shared)
    return join(context).reshape(x_q.shape) @ Wo, weights


@mutant(multi_head_attention)
def output_projection_missing(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """head を連結したあと、もう一つ行列を掛けませんでしたか。
    After concatenating the heads, which matrix is still to come?"""
    return multi_head_attention(x_q, x_kv, Wq, Wk, Wv, np.eye(len(Wo)), heads, mask)


@mutant(multi_head_attention)
def values_not_projected(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """射影するのは query と key だけですか。取り出す value は x_kv そのものですか。
    Are queries and keys alone projected? Is the value that is taken out x_kv itself?"""
    return multi_head_attention(x_q, x_kv, Wq, Wk, np.eye(len(Wv)), Wo, heads, mask)


@mutant(multi_head_attention)
def heads_scaled_by_model_width(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """一つの head の query は何次元ですか。√ の中はその次元です。
    How wide is the query of one head? That width stands under the root."""
    return multi_head_attention(x_q, x_kv, Wq / np.sqrt(heads), Wk, Wv, Wo, heads, mask)


@mutant(multi_head_attention)
def weights_averaged_over_heads(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """各 head は別々の重みを持ちます。返すのは head ごとの重みですか、平均ですか。
    Each head has weights of its own: are they returned, or their mean?"""
    out, weights = multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask)
    return out, np.repeat(weights.mean(axis=1, keepdims=True), heads, axis=1)


@mutant(multi_head_attention)
def heads_ignore_mask(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """mask は head の軸をもたない形で届きます。それを各 head に渡しましたか。
    The mask arrives without an axis for the heads: was it handed to each of them?"""
    return multi_head_attention(x_q, x_kv, Wq, Wk, Wv, Wo, heads)


@mutant(attention_torch)
def weights_detached(q, k, v, mask=None):
    """値は正しくても、context から q や k へ勾配は流れますか。計算グラフを切る操作を探しましょう。
    The values are right: but does a gradient flow from the context to q and k? Look for what cuts the graph."""
    weights = attention_torch(q, k, v, mask)[1].detach()
    return weights @ v, weights


@mutant(attention_torch)
def true_means_hidden(q, k, v, mask=None):
    """nn.MultiheadAttention の mask では True は「隠す」です。この課題ではどちらですか。
    In the masks of nn.MultiheadAttention True hides: which is it in this task?"""
    return attention_torch(q, k, v, None if mask is None else ~mask)


@mutant(attention_torch)
def empty_row_uniform_on_tensors(q, k, v, mask=None):
    """masked_fill の値が有限のとき、すべて隠された行の重みはいくつになりますか。
    If masked_fill writes a finite number, what are the weights of a row whose keys are all hidden?"""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    weights = torch.softmax(scores if mask is None else scores.masked_fill(~mask, -1e9), dim=-1)
    return weights @ v, weights


@mutant(attention_torch)
def nan_replaced_after_softmax(q, k, v, mask=None):
    """NaN を後から 0 に置き換えると値は直りますが、softmax を逆向きに通る勾配も直りますか。
    Replacing NaN by 0 afterwards mends the value: does it mend the gradient that goes back through the softmax?"""
    scores = q @ k.mT / q.shape[-1] ** 0.5
    weights = torch.softmax(scores if mask is None else scores + torch.where(mask, 0.0, -torch.inf), dim=-1)
    weights = weights.nan_to_num()
    return weights @ v, weights


@mutant(multi_head_attention_torch)
def heads_viewed_without_transpose(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """view で (N, heads, T, d) に直すだけで、特徴の軸が分かれますか。メモリ上の順番を思い出しましょう。
    Does a view as (N, heads, T, d) split the features? Think of the order in memory."""
    split = lambda x: x.reshape(len(x), heads, x.shape[1], -1)
    shared = None if mask is None else mask.broadcast_to(*x_q.shape[:2], x_kv.shape[1])[:, None]
    context, weights = attention_torch(split(x_q @ Wq), split(x_kv @ Wk), split(x_kv @ Wv), shared)
    return context.transpose(1, 2).reshape(x_q.shape) @ Wo, weights


@mutant(multi_head_attention_torch)
def tensor_heads_scaled_by_model_width(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """head に分けたあと、√ の中に入る次元はいくつですか。
    Once the heads are split, which dimension stands under the root?"""
    return multi_head_attention_torch(x_q, x_kv, Wq / heads**0.5, Wk, Wv, Wo, heads, mask)


@mutant(multi_head_attention_torch)
def weights_transposed_like_a_linear_layer(x_q, x_kv, Wq, Wk, Wv, Wo, heads, mask=None):
    """nn.Linear の重みは (出力, 入力) の形です。この課題の行列は、どちら側から掛けますか。
    The weight of nn.Linear is (outputs, inputs): from which side do the matrices of this task act?"""
    return multi_head_attention_torch(x_q, x_kv, Wq.T, Wk.T, Wv.T, Wo.T, heads, mask)
