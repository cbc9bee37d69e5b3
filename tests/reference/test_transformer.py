"""The reference of the Transformer against torch's own layers, its laws, the paper's table and numbers worked out elsewhere."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.attention import multi_head_attention
from reference.transformer import (
    causal_mask,
    decoder_block,
    encoder_block,
    feed_forward,
    positional_encoding,
    sequence_layer_complexity,
    transformer_param_count,
)
from reference.transformer_torch import (
    attention_sublayer_torch,
    decoder_block_torch,
    encoder_block_torch,
    feed_forward_torch,
)

X = np.array([[[1.0, 0.0], [0.5, -1.0], [2.0, 1.0]]])
Y = np.array([[[0.0, 1.0], [1.0, 3.0]]])
P = {
    name: np.array(value)
    for name, value in {
        "Wq": [[0.1, -0.1], [0.6, 0.1]],
        "Wk": [[-0.5, 0.4], [1.3, 0.9]],
        "Wv": [[-0.7, -1.3], [-0.6, 0.0]],
        "Wo": [[-2.3, -0.2], [-1.2, -0.7]],
        "Cq": [[-0.5, -0.3], [0.4, 1.0]],
        "Ck": [[-0.1, 1.4], [-0.7, 0.4]],
        "Cv": [[0.9, 0.1], [-0.7, -0.9]],
        "Co": [[-0.5, 0.2], [-1.0, -0.2]],
        "W1": [[1.0, -1.0, 0.5], [0.5, 0.5, -1.0]],
        "b1": [0.1, 0.0, -0.1],
        "W2": [[0.5, -0.5], [1.0, 0.0], [-1.0, 0.5]],
        "b2": [0.0, 0.1],
        "gamma1": [1.0, 0.5],
        "beta1": [0.0, 0.1],
        "gamma2": [1.0, 2.0],
        "beta2": [0.5, 0.0],
        "gamma3": [2.0, 1.0],
        "beta3": [0.1, 0.2],
    }.items()
}
SELF, CROSS, FFN = ("Wq", "Wk", "Wv", "Wo"), ("Cq", "Ck", "Cv", "Co"), ("W1", "b1", "W2", "b2")

rounds = settings(max_examples=15, deadline=None, database=None)
seeds = st.integers(0, 2**32 - 1)
norms = st.sampled_from(["post", "pre"])


def close(actual, expected, within=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=within, atol=within)


def drawn(seed, letters=SELF + CROSS):
    """x, a memory, the parameters of a block, and the number of heads."""
    rng = np.random.default_rng(seed)
    heads, d, N, T, Tm, F = (int(n) for n in rng.integers(1, 5, 6))
    D = heads * max(d, 3)
    p = {name: rng.normal(size=(D, D)) / np.sqrt(D) for name in letters}
    p |= {
        "W1": rng.normal(size=(D, F)),
        "b1": rng.normal(size=F),
        "W2": rng.normal(size=(F, D)),
        "b2": rng.normal(size=D),
    }
    p |= {f"{part}{i}": rng.normal(size=D) for i in (1, 2, 3) for part in ("gamma", "beta")}
    return rng.normal(size=(N, T, D)), rng.normal(size=(N, Tm, D)), p, heads


def in_torch(p, dtype=torch.float64):
    return {name: torch.tensor(value, dtype=dtype) for name, value in p.items()}


def fill(layer, p, attentions):
    """Copy a block's parameters into torch's layer; its attention biases are 0."""
    with torch.no_grad():
        for module, names in attentions:
            q, k, v, o = (torch.tensor(p[name]).T for name in names)
            module.in_proj_weight.copy_(torch.cat([q, k, v]))
            module.out_proj.weight.copy_(o)
            module.in_proj_bias.zero_()
            module.out_proj.bias.zero_()
        for linear, weight, bias in ((layer.linear1, "W1", "b1"), (layer.linear2, "W2", "b2")):
            linear.weight.copy_(torch.tensor(p[weight]).T)
            linear.bias.copy_(torch.tensor(p[bias]))
        numbers = (1, 2) if len(attentions) == 1 else (1, 3, 2)
        for place, number in enumerate(numbers, 1):
            of = getattr(layer, f"norm{place}")
            of.weight.copy_(torch.tensor(p[f"gamma{number}"]))
            of.bias.copy_(torch.tensor(p[f"beta{number}"]))
    return layer


def torch_encoder(p, heads, norm):
    D, F = p["W1"].shape
    layer = torch.nn.TransformerEncoderLayer(
        D, heads, F, 0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    return fill(layer, p, [(layer.self_attn, SELF)])


def torch_decoder(p, heads, norm):
    D, F = p["W1"].shape
    layer = torch.nn.TransformerDecoderLayer(
        D, heads, F, 0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    return fill(layer, p, [(layer.self_attn, SELF), (layer.multihead_attn, CROSS)])


def test_golden_positions():
    rows = [
        [0.0, 1.0, 0.0, 1.0],
        [0.8414709848078965, 0.5403023058681398, 0.009999833334166664, 0.9999500004166653],
        [0.9092974268256817, -0.4161468365471424, 0.01999866669333308, 0.9998000066665778],
    ]
    close(positional_encoding(3, 4), rows)


def test_golden_mask_and_ffn():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(1).tolist() == [[True]]
    close(feed_forward(X, *(P[name] for name in FFN)), [[[0.15, -0.25], [-1.1, 0.625], [1.3, -1.2]]])


def test_golden_encoder():
    first, second = [1.4999800005491242, -1.9999600010982483], [1.499980000537139, -1.9999600010742782]
    close(encoder_block(X, P, 1), [[first, second, [1.4999800005669597, -1.9999600011339191]]])
    rows = [
        [1.2679577078723163, 2.1269765474017968],
        [0.767969328347939, 1.1269831255190914],
        [2.2679668926330296, 3.1269802139255214],
    ]
    close(encoder_block(X, P, 2, causal_mask(3), "pre"), [rows])


def test_golden_decoder():
    post = [[1.4999948717981908, -1.9999897435963816], [1.4999948717997702, -1.9999897435995406]]
    close(decoder_block(Y, X, P, 1), [post])
    pre = [[-0.6694001799401441, 0.11754243959407926], [0.33058415889362025, 2.1175351431726592]]
    close(decoder_block(Y, X, P, 1, None, "pre"), [pre])
    mask = np.array([[True, False, True], [False, False, False]])
    masked = [[-0.52561469000147, 0.1438316064855061], [0.45802746448644993, 1.82201237467236]]
    close(decoder_block(Y, X, P, 1, mask, "pre"), [masked])


def test_golden_counts_of_the_base_model():
    assert transformer_param_count(512, 2048, 6, 6) == 44101632
    assert transformer_param_count(512, 2048, 6, 6, 37000) == 63045632


def test_complexity_is_that_of_the_papers_table():
    found = [sequence_layer_complexity(kind, 50, 512, 10) for kind in ("self_attention", "recurrent", "restricted")]
    assert found == [(1280000, 1, 1), (13107200, 50, 50), (256000, 1, 5)]
    assert sequence_layer_complexity("restricted", 5, 1, 2) == (10, 1, 3)


@rounds
@given(seeds, norms)
def test_encoder_is_that_of_torch_whose_mask_means_the_opposite(seed, norm):
    x, _, p, heads = drawn(seed)
    layer = torch_encoder(p, heads, norm)
    mask = np.random.default_rng(seed).random((x.shape[1], x.shape[1])) < 0.6
    np.fill_diagonal(mask, True)
    close(encoder_block(x, p, heads, None, norm), layer(torch.tensor(x)).detach())
    close(encoder_block(x, p, heads, mask, norm), layer(torch.tensor(x), ~torch.tensor(mask)).detach())


@rounds
@given(seeds, norms)
def test_decoder_is_that_of_torch(seed, norm):
    y, memory, p, heads = drawn(seed)
    layer = torch_decoder(p, heads, norm)
    hidden = torch.triu(torch.ones(y.shape[1], y.shape[1], dtype=torch.bool), 1)
    mask = np.random.default_rng(seed).random((y.shape[1], memory.shape[1])) < 0.6
    mask[:, 0] = True
    pair = torch.tensor(y), torch.tensor(memory)
    close(decoder_block(y, memory, p, heads, None, norm), layer(*pair, hidden).detach())
    close(decoder_block(y, memory, p, heads, mask, norm), layer(*pair, hidden, ~torch.tensor(mask)).detach())


@rounds
@given(seeds, norms)
def test_gradients_of_the_twins_are_those_of_torchs_layers(seed, norm):
    y, memory, p, heads = drawn(seed)
    mine, theirs = torch.tensor(y, requires_grad=True), torch.tensor(y, requires_grad=True)
    source = [torch.tensor(memory, requires_grad=True) for _ in range(2)]
    weights = torch.tensor(np.random.default_rng(seed).normal(size=y.shape))
    block = {name: value.requires_grad_() for name, value in in_torch(p).items()}
    layer = torch_decoder(p, heads, norm)
    hidden = torch.triu(torch.ones(y.shape[1], y.shape[1], dtype=torch.bool), 1)
    (weights * decoder_block_torch(mine, source[0], block, heads, None, norm)).sum().backward()
    (weights * layer(theirs, source[1], hidden)).sum().backward()
    pairs = [
        (mine.grad, theirs.grad),
        (source[0].grad, source[1].grad),
        (block["W1"].grad, layer.linear1.weight.grad.T),
        (block["Wo"].grad, layer.self_attn.out_proj.weight.grad.T),
        (block["Co"].grad, layer.multihead_attn.out_proj.weight.grad.T),
        (block["gamma3"].grad, layer.norm2.weight.grad),
    ]
    for ours, others in pairs:
        close(ours, others, 1e-9)


@rounds
@given(seeds, norms)
def test_twins_are_the_numpy_functions_in_every_dtype(seed, norm):
    y, memory, p, heads = drawn(seed)
    mask = np.random.default_rng(seed).random((y.shape[1], memory.shape[1])) < 0.6  # some rows are empty
    own = np.random.default_rng(seed).random((y.shape[1], y.shape[1])) < 0.6
    ffn = [p[name] for name in FFN]
    for dtype, within in ((torch.float64, 1e-11), (torch.float32, 1e-2)):
        block, (a, b) = in_torch(p, dtype), (torch.tensor(z, dtype=dtype) for z in (y, memory))
        pairs = [
            (encoder_block(y, p, heads, own, norm), encoder_block_torch(a, block, heads, torch.tensor(own), norm)),
            (
                decoder_block(y, memory, p, heads, mask, norm),
                decoder_block_torch(a, b, block, heads, torch.tensor(mask), norm),
            ),
            (feed_forward(y, *ffn), feed_forward_torch(a, *(block[name] for name in FFN))),
        ]
        for ours, theirs in pairs:
            assert theirs.dtype == dtype
            # In float32 a norm over two nearly equal entries loses digits: compare what most entries say.
            assert np.quantile(np.abs(ours - theirs.numpy()) / (1 + np.abs(ours)), 0.5) < within


def test_twins_keep_the_device():
    x, W, v = (torch.empty(*shape, device="meta") for shape in ((1, 2, 4), (4, 4), (4,)))
    block = {name: W for name in (*SELF, *CROSS, "W1", "W2")} | {name: v for name in ("b1", "b2")}
    block |= {f"{part}{i}": v for i in (1, 2, 3) for part in ("gamma", "beta")}
    assert decoder_block_torch(x, x, block, 2).device.type == "meta"
    assert encoder_block_torch(x, block, 2, norm="pre").device.type == "meta"


def test_gradients_stay_finite_behind_a_query_that_sees_nothing():
    x, memory, p, heads = drawn(3)
    leaf, block = torch.tensor(x, requires_grad=True), in_torch(p)
    attention = [block[name] for name in (*CROSS, "gamma3", "beta3")]
    nothing = torch.zeros(x.shape[1], memory.shape[1], dtype=torch.bool)
    attention_sublayer_torch(leaf, torch.tensor(memory), *attention, heads, nothing, "pre").sum().backward()
    close(leaf.grad, np.ones(x.shape))  # the residual alone


@rounds
@given(st.integers(2, 30), st.integers(1, 8), st.integers(0, 10))
def test_a_step_turns_every_pair_of_columns(T, pairs, k):
    """The rotation that makes relative positions linear (Vaswani et al., §3.5)."""
    d = 2 * pairs
    pe = positional_encoding(T + k, d)
    z = pe[:, 1::2] + 1j * pe[:, 0::2]
    close(z[k:], z[:T] * np.exp(1j * k / 10000.0 ** (np.arange(pairs) / pairs)), 1e-9)


@rounds
@given(seeds, norms)
def test_training_in_parallel_is_generating_step_by_step(seed, norm):
    y, memory, p, heads = drawn(seed)
    whole = decoder_block(y, memory, p, heads, None, norm)
    for t in range(1, y.shape[1] + 1):
        close(decoder_block(y[:, :t], memory, p, heads, None, norm), whole[:, :t], 1e-10)


@rounds
@given(seeds, norms)
def test_encoder_without_positions_knows_no_order(seed, norm):
    x, _, p, heads = drawn(seed)
    order = np.random.default_rng(seed).permutation(x.shape[1])
    close(encoder_block(x[:, order], p, heads, None, norm), encoder_block(x, p, heads, None, norm)[:, order], 1e-9)


@rounds
@given(seeds)
def test_silent_sublayers_leave_the_pre_norm_block_the_identity(seed):
    y, memory, p, heads = drawn(seed)
    silent = p | {name: 0 * p[name] for name in ("Wo", "Co", "W2", "b2")}
    close(encoder_block(y, silent, heads, None, "pre"), y)
    close(decoder_block(y, memory, silent, heads, None, "pre"), y)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_a_block_that_masks_all_keys_is_its_ffn_half(norm):
    x, _, p, heads = drawn(7)
    deaf = encoder_block(x, p, heads, np.zeros((1, 1), bool), norm)
    close(deaf, encoder_block(x, p | {"Wo": 0 * p["Wo"]}, heads, None, norm))
    assert not np.allclose(deaf, encoder_block(x, p, heads, None, norm))


@rounds
@given(st.integers(2, 12), st.integers(1, 12), st.integers(0, 3), st.integers(0, 3), st.integers(0, 50))
def test_count_is_that_of_torchs_layers_without_their_attention_biases(d, d_ff, encoders, decoders, vocab):
    def size(layer):
        return sum(w.numel() for name, w in layer.named_parameters() if "attn" not in name or "bias" not in name)

    encoder = torch.nn.TransformerEncoderLayer(d, 1, d_ff)
    decoder = torch.nn.TransformerDecoderLayer(d, 1, d_ff)
    expected = encoders * size(encoder) + decoders * size(decoder) + torch.nn.Embedding(vocab, d).weight.numel()
    assert transformer_param_count(d, d_ff, encoders, decoders, vocab) == expected


def test_first_word_sees_itself_alone_under_the_causal_mask():
    x, _, p, heads = drawn(5)
    _, weights = multi_head_attention(x, x, *(p[name] for name in SELF), heads, causal_mask(x.shape[1]))
    close(weights[:, :, 0], np.broadcast_to(np.eye(x.shape[1])[0], weights[:, :, 0].shape))


def without(*names):
    return {name: value for name, value in P.items() if name not in names}


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("T", lambda: positional_encoding(0, 4)),
        ("d", lambda: positional_encoding(3, 5)),
        ("d", lambda: positional_encoding(3, 0)),
        ("T", lambda: causal_mask(0)),
        ("W2", lambda: feed_forward(X, P["W1"], P["b1"], P["W1"], P["b2"])),
        ("x", lambda: encoder_block(X[0], P, 1)),
        ("p", lambda: encoder_block(X, without("gamma2"), 1)),
        ("p", lambda: decoder_block(Y, X, without("Ck"), 1)),
        ("Wv", lambda: encoder_block(X, P | {"Wv": np.eye(3)}, 1)),
        ("beta3", lambda: decoder_block(Y, X, P | {"beta3": np.ones(3)}, 1)),
        ("memory", lambda: decoder_block(Y, np.ones((2, 3, 2)), P, 1)),
        ("heads", lambda: encoder_block(X, P, 3)),
        ("heads", lambda: decoder_block(Y, X, P, 0)),
        ("norm", lambda: encoder_block(X, P, 1, None, "first")),
        ("norm", lambda: decoder_block(Y, X, P, 1, None, "")),
        ("mask", lambda: encoder_block(X, P, 1, np.ones((2, 2), bool))),
        ("memory_mask", lambda: decoder_block(Y, X, P, 1, np.ones((2, 2), bool))),
        ("memory_mask", lambda: decoder_block(Y, X, P, 1, np.ones((2, 3)))),
        ("decoders", lambda: transformer_param_count(2, 2, 1, -1)),
        ("kind", lambda: sequence_layer_complexity("convolution", 3, 2)),
        ("r", lambda: sequence_layer_complexity("restricted", 3, 2)),
        ("r", lambda: sequence_layer_complexity("restricted", 3, 2, 4)),
        ("n", lambda: sequence_layer_complexity("recurrent", 0, 2)),
        ("norm", lambda: encoder_block_torch(torch.tensor(X), in_torch(P), 1, None, "first")),
    ],
)
def test_refusals_name_the_argument(name, call):
    with pytest.raises(ValueError, match=rf"^{name} must"):
        call()
