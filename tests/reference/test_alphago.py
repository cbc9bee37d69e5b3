"""AlphaGo's parts against networks of torch, numerical gradients, whole searches, and golden values."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from reference.alphago import (
    alphago_network_cost,
    backup_mixed,
    encode_planes,
    move_or_resign,
    reinforce_update,
    select_edge,
    value_data_schedule,
)
from reference.alphago_torch import policy_loss_torch
from reference.numerics import log_softmax

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
thorough = settings(max_examples=60, deadline=None, derandomize=True)

SMALL = np.array([[0, 1], [2, 1]]), np.array([[[0, 1], [3, 9]]] * 5), np.zeros((3, 2, 2), bool)
NODE = (
    np.array([0.5, 0.3, 0.2]),
    np.array([4, 2, 0]),
    np.array([1, -0.5, 0]),
    np.array([3, 2, 0]),
    np.array([1.0, 0, 0]),
)
STEPS = (
    np.array([0.5, -1.0]),
    np.array([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 1.0], [0.0, -1.0]]]),
    np.array([0, 1]),
    np.array([1.0, -1.0]),
    np.array([0.2, 0.0]),
)


@thorough
@given(seeds, st.integers(1, 5), st.integers(1, 5), st.booleans())
def test_a_position_can_be_read_back_from_its_planes(rng, h, w, value_network):
    board, counts = rng.integers(3, size=(h, w)), rng.integers(13, size=(5, h, w))
    flags, to_play = rng.random((3, h, w)) < 0.5, int(rng.integers(1, 3))
    planes = encode_planes(board, to_play, counts, flags, value_network)
    assert planes.shape == (48 + value_network, h, w)
    assert_array_equal(planes[0] * to_play + planes[1] * (3 - to_play), board)
    assert_array_equal(planes[0] + planes[1] + planes[2], planes[3])
    read = (planes[4:44].reshape(5, 8, h, w) * np.arange(1, 9)[:, None, None]).sum(axis=1)
    assert_array_equal(read, np.minimum(counts, 8))
    assert_array_equal(planes[44:47], flags)
    assert not planes[47].any()
    assert not value_network or (planes[48] == (to_play == 1)).all()


def test_planes_have_their_golden_values():
    found = encode_planes(SMALL[0], 2, *SMALL[1:])[:16].reshape(16, 4)
    ones = {0: [2], 1: [1, 3], 2: [0], 3: [0, 1, 2, 3], 4: [1], 6: [2], 11: [3], 12: [1], 14: [2]}
    assert_array_equal(found, [[float(i in ones.get(plane, [])) for i in range(4)] for plane in range(16)])


class PointBias(nn.Module):
    """A bias for each point of the board."""

    def __init__(self, board):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(board * board))

    def forward(self, x):
        return x.flatten(1) + self.bias


def built(network, k, board):
    """The network in torch, as a list of layers with parameters, and the whole."""
    inward = 49 if network == "value" else 48
    convolutions = [nn.Conv2d(inward, k, 5, padding=2)] + [nn.Conv2d(k, k, 3, padding=1) for _ in range(11)]
    trunk = [layer for conv in convolutions for layer in (conv, nn.ReLU())]
    if network == "policy":
        last = nn.Sequential(nn.Conv2d(k, 1, 1, bias=False), PointBias(board))
        return [*convolutions, last], nn.Sequential(*trunk, last, nn.Softmax(dim=1))
    last, wide, single = nn.Conv2d(k, 1, 1), nn.Linear(board * board, 256), nn.Linear(256, 1)
    whole = nn.Sequential(*trunk, last, nn.Flatten(), wide, nn.ReLU(), single, nn.Tanh())
    return [*convolutions, last, wide, single], whole


@pytest.mark.parametrize("network", ["policy", "value"])
@pytest.mark.parametrize(("k", "board"), [(4, 5), (4, 19), (7, 9), (192, 19)])
def test_networks_of_torch_have_as_many_parameters_in_every_layer(network, k, board):
    layers, _ = built(network, k, board)
    found = [sum(p.numel() for p in layer.parameters()) for layer in layers]
    assert_array_equal(alphago_network_cost(network, k, board)[0], found)


@pytest.mark.parametrize("network", ["policy", "value"])
def test_networks_of_torch_multiply_as_often(network):
    k, board = 4, 5
    _, whole = built(network, k, board)
    macs = []

    def count(layer, inputs, output):
        positions = output[0, 0].numel() if isinstance(layer, nn.Conv2d) else 1
        macs.append(layer.weight.numel() * positions)

    for layer in whole.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    planes = encode_planes(
        np.zeros((board, board), int),
        1,
        np.zeros((5, board, board), int),
        np.zeros((3, board, board)),
        network == "value",
    )
    out = whole(torch.from_numpy(planes).float()[None])
    assert_array_equal(alphago_network_cost(network, k, board)[1], macs)
    assert out.shape == ((1, 25) if network == "policy" else (1, 1))


def test_costs_have_their_golden_values():
    hidden = [331968] * 11
    assert_array_equal(alphago_network_cost("policy")[0], [230592, *hidden, 553])
    assert_array_equal(alphago_network_cost("value")[0], [235392, *hidden, 193, 92672, 257])
    assert alphago_network_cost("policy")[1].sum() == 1400726208
    assert alphago_network_cost("value")[1].sum() == 1402551680
    totals = {"policy": [1777641, 3882793, 6798953, 15064297], "value": [1873410, 3980162, 6897922, 15166466]}
    for network, expected in totals.items():
        assert [alphago_network_cost(network, k)[0].sum() for k in (128, 192, 256, 384)] == expected


def test_selection_has_its_golden_values():
    index, Q, u = select_edge(*NODE)
    assert index == 2
    assert_allclose(Q, [0.29166666666666663, -0.125, 0])
    assert_allclose(u, [1.3975424859373686, 1.118033988749895, 2.23606797749979])
    index, Q, u = select_edge(*NODE, 0.0, 1.0)
    assert index == 0
    assert_allclose(Q, [0.25, -0.25, 0])
    assert_allclose(u, [0.2795084971874737, 0.22360679774997896, 0.447213595499958])


def test_a_node_without_visits_chooses_its_first_edge():
    nothing = np.zeros(3, int), np.zeros(3)
    index, Q, u = select_edge(np.array([0.1, 0.7, 0.2]), *nothing, *nothing)
    assert index == 0
    assert not Q.any()
    assert not u.any()


@settings(thorough, max_examples=12)
@given(seeds, st.integers(2, 5), st.sampled_from([0.0, 0.5, 1.0]))
def test_simulations_of_a_bandit_settle_on_its_best_edge(rng, K, mix):
    """Each edge leads to a leaf with a known value, so the visits must gather where it is worst for the opponent."""
    value, P = np.linspace(-0.9, 0.9, K)[rng.permutation(K)], rng.dirichlet(np.ones(K)) / 2 + 0.5 / K
    statistics = np.zeros(K, int), np.zeros(K), np.zeros(K, int), np.zeros(K)
    for _ in range(600):
        edge, _, _ = select_edge(P, *statistics, mix, 1.0)
        *statistics, _ = backup_mixed(*statistics, np.array([edge]), value[edge], value[edge])
    N_v, _, N_r, _ = statistics
    assert N_r.sum() == 600
    assert_array_equal(N_v, N_r)
    _, Q, _ = select_edge(P, *statistics, mix)
    assert_allclose(Q[N_r > 0], -value[N_r > 0], atol=1e-9)
    move, resigned = move_or_resign(N_r, Q)
    assert move == np.argmin(value)
    assert not resigned


@thorough
@given(seeds, st.integers(1, 6))
def test_two_players_disagree_about_everything_that_is_backed_up(rng, length):
    """The gains at the edges of one player are the losses at those of the other."""
    E = length + 2
    path, v, z = rng.permutation(E)[:length], rng.uniform(-1, 1), rng.choice([-1.0, 1.0])
    zeros = np.zeros(E, int), np.zeros(E), np.zeros(E, int), np.zeros(E)
    N_v, W_v, N_r, W_r, _ = backup_mixed(*zeros, path, v, z)
    for N, W, at_the_leaf in ((N_v, W_v, v), (N_r, W_r, z)):
        assert N.sum() == N[path].sum() == length
        assert W[path[-1]] == -at_the_leaf
        assert all(W[a] == -W[b] for a, b in pairwise(path))
        assert not np.delete(W, path).any()
    assert not any(part.any() for part in zeros)


def test_a_backup_has_its_golden_values():
    found = backup_mixed(*NODE[1:], np.array([0, 2]), 0.25, -1.0, 40)
    expected = ([5, 2, 1], [1.25, -0.5, -0.25], [4, 2, 1], [0, 0, 1], False)
    for part, right in zip(found, expected):
        assert_allclose(part, right)


@pytest.mark.parametrize("n_thr", [0, 1, 5, 40])
def test_an_edge_is_expanded_by_the_simulation_after_the_threshold(n_thr):
    statistics, flags = (np.zeros(1, int), np.zeros(1), np.zeros(1, int), np.zeros(1)), []
    for _ in range(n_thr + 3):
        *statistics, expand = backup_mixed(*statistics, np.array([0]), 0.0, 1.0, n_thr)
        flags.append(expand)
    assert flags.index(True) + 1 == n_thr + 1
    assert all(flags[n_thr:])


def test_the_most_visited_move_is_played_and_a_lost_game_resigned():
    assert move_or_resign(np.array([10, 30, 5]), np.array([0.4, 0.1, 0.9])) == (1, False)
    assert move_or_resign(np.array([10, 30]), np.array([-0.81, -0.9])) == (1, True)
    assert move_or_resign(np.array([3, 3]), np.array([-0.8, -1.0])) == (0, False)


def played(rng, T, A, F):
    z, baseline = rng.choice([-1.0, 1.0], T), rng.uniform(-0.5, 0.5, T)
    return rng.normal(size=F), rng.normal(size=(T, A, F)), rng.integers(A, size=T), z, baseline


@thorough
@given(seeds, st.integers(1, 8), st.integers(2, 5), st.integers(1, 5), st.integers(1, 4))
def test_a_reinforce_step_is_the_numerical_gradient_of_the_objective(rng, T, A, F, games):
    w, features, actions, z, baseline = played(rng, T, A, F)

    def objective(w):
        return (z - baseline) @ log_softmax(features @ w)[np.arange(T), actions] / games

    slopes = [(objective(w + d) - objective(w - d)) / 2e-5 for d in 1e-5 * np.eye(F)]
    found = reinforce_update(w, features, actions, z, baseline, games, 0.3)
    assert_allclose(found, w + 0.3 * np.array(slopes), rtol=1e-6, atol=1e-8)


@thorough
@given(seeds, st.integers(1, 8), st.integers(2, 5), st.integers(1, 5), st.integers(1, 4))
def test_descending_the_loss_on_tensors_is_the_reinforce_step(rng, T, A, F, games):
    w, features, actions, z, baseline = played(rng, T, A, F)
    w_t, advantage = torch.tensor(w, requires_grad=True), torch.tensor(z - baseline, requires_grad=True)
    loss = policy_loss_torch(w_t, torch.from_numpy(features), torch.from_numpy(actions), advantage, games)
    loss.backward()
    expected = reinforce_update(w, features, actions, z, baseline, games, 0.3)
    assert_allclose(w - 0.3 * w_t.grad.numpy(), expected, rtol=1e-10, atol=1e-12)
    assert advantage.grad is None


def test_the_loss_with_advantage_one_is_torch_s_cross_entropy():
    rng = np.random.default_rng(3)
    w, features, actions, *_ = map(torch.from_numpy, played(rng, 7, 4, 3))
    right = nn.functional.cross_entropy(features @ w, actions)
    assert torch.allclose(policy_loss_torch(w, features, actions, torch.ones(7).double(), 7), right)


def test_the_loss_is_differentiable_and_keeps_its_dtype():
    rng = np.random.default_rng(4)
    w, features, actions, z, _ = map(torch.from_numpy, played(rng, 3, 3, 2))
    inputs = w.requires_grad_(), features.requires_grad_()
    assert torch.autograd.gradcheck(lambda w, features: policy_loss_torch(w, features, actions, z, 2), inputs)
    assert policy_loss_torch(w.float(), features.float(), actions, z.float(), 2).dtype == torch.float32


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_loss_stays_on_the_device():
    w, features, actions, z, _ = (torch.from_numpy(a).cuda() for a in played(np.random.default_rng(5), 3, 3, 2))
    assert policy_loss_torch(w, features, actions, z, 1).is_cuda


def test_repeated_reinforce_steps_learn_the_winning_move():
    rng, w = np.random.default_rng(6), np.zeros(3)
    features = np.tile(np.eye(3), (20, 1, 1))
    for _ in range(300):
        p = np.exp(log_softmax(w))
        actions = rng.choice(3, size=20, p=p)
        z = np.where(actions == 1, 1.0, -1.0)
        w = reinforce_update(w, features, actions, z, np.full(20, z.mean()), 20, 0.5)
    assert np.exp(log_softmax(w))[1] > 0.95


def test_a_reinforce_step_has_its_golden_value():
    found = reinforce_update(*STEPS, 1, 0.1)
    assert_allclose(found, [0.5683823261785075, -0.9608057576305095], rtol=1e-12)


@pytest.mark.parametrize("T", [2, 3, 9])
def test_a_game_has_one_random_move_and_its_example_follows(T):
    for U in range(1, T):
        phases, t, z = value_data_schedule(U, T, 1)
        assert_array_equal(np.sort(phases), phases)
        assert_array_equal(np.bincount(phases, minlength=3), [U - 1, 1, T - U])
        assert phases[t - 2] == 1
        assert phases[t - 1] == 2
        assert z == -value_data_schedule(U, T, -1)[2] == (1 if t % 2 else -1)


def test_schedules_have_their_golden_values():
    for U, phases, t, z in ((3, [0, 0, 1, 2, 2, 2], 4, -1.0), (4, [0, 0, 0, 1, 2, 2], 5, 1.0)):
        found = value_data_schedule(U, 6, 1)
        assert_array_equal(found[0], phases)
        assert found[1:] == (t, z)


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("board", lambda: encode_planes(np.zeros(4, int), 1, *SMALL[1:])),
        ("counts", lambda: encode_planes(SMALL[0], 1, SMALL[1][:4], SMALL[2])),
        ("flags", lambda: encode_planes(*SMALL[:1], 1, SMALL[1], SMALL[2][:2])),
        ("flags", lambda: encode_planes(*SMALL[:1], 1, SMALL[1], np.zeros((3, 2, 3)))),
        ("to_play", lambda: encode_planes(SMALL[0], 0, *SMALL[1:])),
        ("network", lambda: alphago_network_cost("rollout")),
        ("filters", lambda: alphago_network_cost("policy", 0)),
        ("mix", lambda: select_edge(*NODE, 1.5)),
        ("W_r", lambda: select_edge(*NODE[:4], np.zeros(2))),
        ("path", lambda: backup_mixed(*NODE[1:], np.array([], int), 0.0, 1.0)),
        ("W_v", lambda: backup_mixed(NODE[1], np.zeros(2), *NODE[3:], np.array([0]), 0.0, 1.0)),
        ("Q", lambda: move_or_resign(np.array([1, 2]), np.zeros(3))),
        ("games", lambda: reinforce_update(*STEPS, 0, 0.1)),
        ("z", lambda: reinforce_update(*STEPS[:3], np.ones(3), STEPS[4], 1, 0.1)),
        ("U", lambda: value_data_schedule(0, 6, 1)),
        ("U", lambda: value_data_schedule(6, 6, 1)),
        ("r_black", lambda: value_data_schedule(3, 6, 0)),
        ("games", lambda: policy_loss_torch(*map(torch.from_numpy, STEPS[:4]), 0)),
    ],
)
def test_a_refusal_names_the_argument(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} "):
        call()
