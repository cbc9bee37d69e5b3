"""AlphaGo Zero's parts against torch's losses and layers, minimax, whole runs of self-play, and golden values."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from reference.alphago_zero import (
    apply_virtual_loss,
    backup_value,
    input_planes,
    puct_search,
    puct_select,
    root_prior,
    search_policy,
    zero_loss,
)
from reference.alphago_zero_torch import ZeroNetwork, zero_loss_torch

seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)
thorough = settings(max_examples=60, deadline=None, derandomize=True)

NODE = np.array([0.5, 0.3, 0.2]), np.array([3, 2, 0]), np.array([1.0, -0.5, 0.0])
PATH = np.array([0, 2])
GAME = (
    np.array([[1, -1, 2], [3, 4, -1], [-1, -1, 5], [-1] * 3, [-1] * 3, [-1] * 3]),
    np.array([[0.6, 0.0, 0.4], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.0] * 3, [0.0] * 3, [0.0] * 3]),
    np.array([0.1, -0.3, 0.2, -1.0, 0.4, 0.5]),
    0,
)
BATCH = (
    np.array([[1.0, 0.0, -1.0]]),
    np.array([0.2]),
    np.array([[0.5, 0.25, 0.25]]),
    np.array([1.0]),
    np.array([1.0, -2.0]),
)


def batch(rng, n=None, moves=None):
    n, moves = n or int(rng.integers(1, 6)), moves or int(rng.integers(2, 7))
    pi, z = rng.dirichlet(np.full(moves, 0.5), n), rng.integers(-1, 2, n).astype(float)
    return rng.normal(size=(n, moves)), rng.uniform(-1, 1, n), pi, z, rng.normal(size=int(rng.integers(1, 8)))


def tree(rng, moves, depth):
    """A complete game with random priors, random values, and results at its ends."""
    inner = sum(moves**d for d in range(depth))
    size = inner + moves**depth
    children, priors, values = np.full((size, moves), -1), np.zeros((size, moves)), rng.uniform(-0.2, 0.2, size)
    children[:inner] = np.arange(1, size).reshape(inner, moves)
    priors[:inner] = rng.dirichlet(np.full(moves, 2.0), inner)
    values[inner:] = rng.permutation(np.linspace(-1, 1, size - inner))
    return children, priors, values


def negamax(children, values, state):
    below = [s for s in children[state] if s >= 0]
    return values[state] if not below else max(-negamax(children, values, s) for s in below)


def test_selection_has_its_golden_values():
    index, scores = puct_select(*NODE, 1.5)
    assert index == 0
    assert_allclose(scores, [0.7525960791145438, 0.08541019662496846, 0.670820393249937])


def test_before_any_visit_the_lowest_edge_is_chosen():
    index, scores = puct_select(np.array([0.1, 0.9]), np.zeros(2, int), np.zeros(2), 5.0)
    assert index == 0
    assert not scores.any()


@settings(thorough, max_examples=15)
@given(seeds, st.integers(2, 5))
def test_repeated_selection_gathers_on_the_best_edge(rng, K):
    value, P = rng.permutation(np.linspace(-0.9, 0.9, K)), rng.dirichlet(np.ones(K)) / 2 + 0.5 / K
    N, W = np.zeros(K, int), np.zeros(K)
    for _ in range(500):
        edge, _ = puct_select(P, N, W, 1.0)
        N, W = backup_value(N, W, np.array([edge]), -value[edge])
    assert N.sum() == 500
    assert np.argmax(N) == np.argmax(value)
    assert_allclose(W, N * value, atol=1e-9)


def test_virtual_losses_have_their_golden_values():
    N, W = apply_virtual_loss(*NODE[1:], PATH, 3)
    assert_array_equal(N, [6, 2, 3])
    assert_allclose(W, [-2.0, -0.5, -3.0])


def test_a_backup_has_its_golden_values_with_and_without_virtual_losses():
    held = np.array([6, 2, 3]), np.array([-2.0, -0.5, -3.0])
    for N, W in (backup_value(*NODE[1:], PATH, 0.25), backup_value(*held, PATH, 0.25, 3)):
        assert_array_equal(N, [4, 2, 1])
        assert_allclose(W, [1.25, -0.5, -0.25])


@thorough
@given(seeds, st.integers(2, 6), st.integers(1, 4))
def test_simulations_that_overlap_leave_what_they_leave_one_after_the_other(rng, E, n_vl):
    paths = [rng.permutation(E)[: rng.integers(1, E + 1)] for _ in range(4)]
    found, expected = (np.zeros(E, int), np.zeros(E)), (np.zeros(E, int), np.zeros(E))
    for path in paths:
        found = apply_virtual_loss(*found, path, n_vl)
    for path, v in zip(paths, rng.uniform(-1, 1, 4)):
        found, expected = backup_value(*found, path, v, n_vl), backup_value(*expected, path, v)
    assert_array_equal(found[0], expected[0])
    assert_allclose(found[1], expected[1], atol=1e-12)


@thorough
@given(seeds, st.integers(1, 6))
def test_two_players_disagree_about_everything_that_is_backed_up(rng, length):
    path, v = rng.permutation(length + 2)[:length], rng.uniform(-1, 1)
    N, W = backup_value(np.zeros(length + 2, int), np.zeros(length + 2), path, v)
    assert N.sum() == N[path].sum() == length
    assert W[path[-1]] == -v
    assert_array_equal(W[path[1:]], -W[path[:-1]])


def test_the_mixed_prior_has_its_golden_value():
    assert_allclose(root_prior(np.array([0.7, 0.2, 0.1]), np.array([0.0, 0.9, 0.1])), [0.525, 0.375, 0.1])


def test_the_noise_of_the_paper_gives_a_distribution_over_362_moves():
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(362))
    mixed = root_prior(P, rng.dirichlet(np.full(362, 0.03)))
    assert_allclose(mixed.sum(), 1)
    assert (mixed >= 0.75 * P).all()


def test_a_search_has_its_golden_values():
    assert_array_equal(puct_search(*GAME, 20, 1.5), [3, 0, 17])
    assert_array_equal(puct_search(*GAME, 20, 1.5, np.array([0.1, 0, 0.9]), 0.5), [2, 0, 18])


@settings(thorough, max_examples=12)
@given(seeds, st.sampled_from([(2, 2), (3, 2), (2, 3)]))
def test_many_simulations_find_the_move_of_minimax(rng, shape):
    children, priors, values = tree(rng, *shape)
    worth = [-negamax(children, values, s) for s in children[0]]
    assert np.argmax(puct_search(children, priors, values, 0, 1000, 1.0)) == np.argmax(worth)


@settings(thorough, max_examples=30)
@given(seeds, st.integers(1, 40), st.sampled_from([0.5, 1.5, 4.0]))
def test_a_search_of_one_ply_is_repeated_selection(rng, simulations, c_puct):
    children, priors, values = tree(rng, 4, 1)
    N, W = np.zeros(4, int), np.zeros(4)
    for _ in range(simulations):
        edge, _ = puct_select(priors[0], N, W, c_puct)
        N[edge], W[edge] = N[edge] + 1, W[edge] - values[children[0, edge]]
    assert_array_equal(puct_search(children, priors, values, 0, simulations, c_puct), N)


@settings(thorough, max_examples=30)
@given(seeds, st.integers(1, 30))
def test_renumbering_the_states_changes_no_search(rng, simulations):
    children, priors, values = tree(rng, 3, 2)
    to = rng.permutation(len(values))
    new_children, new_priors, new_values = np.empty_like(children), np.empty_like(priors), np.empty_like(values)
    new_children[to] = np.where(children < 0, -1, to[children])
    new_priors[to], new_values[to] = priors, values
    noise = rng.dirichlet(np.ones(3))
    found = puct_search(new_children, new_priors, new_values, to[0], simulations, 1.2, noise)
    assert_array_equal(found, puct_search(children, priors, values, 0, simulations, 1.2, noise))


def test_a_search_leaves_its_arguments_alone():
    game = [np.array(part) for part in GAME[:3]]
    puct_search(*game, 0, 10, 1.0, np.array([0.5, 0, 0.5]))
    for part, before in zip(game, GAME):
        assert_array_equal(part, before)


@pytest.mark.parametrize(
    ("tau", "expected"),
    [
        (1.0, [0.1, 0.3, 0, 0.6]),
        (0.5, [0.021739130434782625, 0.1956521739130436, 0, 0.7826086956521738]),
        (0, [0, 0, 0, 1]),
    ],
)
def test_the_policy_has_its_golden_values(tau, expected):
    assert_allclose(search_policy(np.array([10, 30, 0, 60]), tau), expected)


@thorough
@given(seeds, st.floats(0.1, 5))
def test_the_policy_is_a_softmax_of_logarithms(rng, tau):
    N = rng.integers(1, 10**4, size=6)
    assert_allclose(
        search_policy(N, tau), torch.softmax(torch.from_numpy(np.log(N)) / tau, 0).numpy(), rtol=1e-9, atol=1e-300
    )


def test_a_small_temperature_approaches_the_limit():
    N = np.array([9999, 10000, 0, 3])
    assert_allclose(search_policy(N, 1e-6), search_policy(N, 0), atol=1e-12)


def test_planes_have_their_golden_values():
    planes = input_planes(np.array([[[0, 1], [0, 0]], [[0, 1], [2, 0]]]), True).reshape(17, 4)
    expected = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]]
    assert_array_equal(planes[[0, 1, 2, 3, 4, 16]], expected)


@thorough
@given(seeds, st.integers(1, 11), st.booleans())
def test_the_last_eight_positions_can_be_read_back_from_the_planes(rng, T, black):
    history = rng.integers(3, size=(T, 3, 4))
    planes = input_planes(history, black)
    assert (planes[16] == black).all()
    own, other = (1, 2) if black else (2, 1)
    read = planes[0:16:2] * own + planes[1:16:2] * other
    empty = np.zeros((8, 3, 4))
    assert_array_equal(read[::-1], np.concatenate([empty, history])[-8:])


@thorough
@given(seeds, st.sampled_from([0.0, 1e-4, 0.1]))
def test_the_loss_is_the_sum_of_torch_s_losses_and_its_gradients_those_of_autograd(rng, l2):
    arrays = batch(rng)
    logits, v, pi, z, weights = map(torch.from_numpy, arrays)
    inputs = [t.requires_grad_() for t in (logits, v, weights)]
    right = nn.functional.cross_entropy(logits, pi) + nn.functional.mse_loss(v, z) + l2 * weights.square().sum()
    loss, *gradients = zero_loss(*arrays, l2)
    assert_allclose(loss, right.item(), rtol=1e-12, atol=1e-12)
    for found, expected in zip(gradients, torch.autograd.grad(right, inputs)):
        assert_allclose(found, expected.numpy(), rtol=1e-10, atol=1e-12)
    assert_allclose(zero_loss_torch(logits, v, pi, z, weights, l2).item(), loss, rtol=1e-12, atol=1e-12)


@thorough
@given(seeds)
def test_the_gradients_are_central_differences(rng):
    logits, v, pi, z, weights = batch(rng)
    _, *gradients = zero_loss(logits, v, pi, z, weights, 0.1)
    parts = [logits, v, weights]
    for i, gradient in enumerate(gradients):
        for at in np.ndindex(gradient.shape):
            step = np.zeros_like(gradient)
            step[at] = 1e-5
            ends = []
            for way in (1, -1):
                moved = [part + way * step if i == j else part for j, part in enumerate(parts)]
                ends.append(zero_loss(moved[0], moved[1], pi, z, moved[2], 0.1)[0])
            assert_allclose(gradient[at], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-8)


def test_the_loss_has_its_golden_value():
    loss, dlogits, dv, dweights = zero_loss(*BATCH, 0.1)
    assert_allclose(loss, 2.2976059644443803)
    assert_allclose(dlogits, [[0.1652409557748219, -0.005271528945202358, -0.15996942682961957]])
    assert_allclose(dv, [-1.6])
    assert_allclose(dweights, [0.2, -0.4])


def test_scores_beyond_the_range_of_exp_have_a_finite_loss():
    loss, dlogits, _, _ = zero_loss(
        np.array([[900.0, -900.0]]), np.zeros(1), np.array([[0.5, 0.5]]), np.ones(1), np.zeros(1)
    )
    assert_allclose(loss, 901)
    assert_allclose(dlogits, [[0.5, -0.5]])


def test_the_loss_on_tensors_is_differentiable_and_keeps_its_dtype():
    logits, v, pi, z, weights = map(torch.from_numpy, batch(np.random.default_rng(1)))
    inputs = [t.requires_grad_() for t in (logits, v, weights)]
    assert torch.autograd.gradcheck(lambda logits, v, weights: zero_loss_torch(logits, v, pi, z, weights), inputs)
    singles = [t.detach().float() for t in (logits, v, pi, z, weights)]
    assert zero_loss_torch(*singles).dtype == torch.float32


def test_targets_receive_no_gradient():
    logits, v, pi, z, weights = (torch.from_numpy(a).requires_grad_() for a in batch(np.random.default_rng(2)))
    zero_loss_torch(logits, v, pi, z, weights).backward()
    assert pi.grad is None
    assert z.grad is None
    assert logits.grad is not None


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_loss_stays_on_the_device():
    assert zero_loss_torch(*(torch.from_numpy(a).cuda() for a in batch(np.random.default_rng(3)))).is_cuda


@pytest.mark.parametrize(("blocks", "layers", "parameters"), [(19, 39, 22_827_877), (39, 79, 46_441_317)])
def test_the_networks_of_the_paper_have_their_layers_and_parameters(blocks, layers, parameters):
    with torch.device("meta"):
        network = ZeroNetwork(blocks)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert sum(isinstance(m, nn.Conv2d) for m in network.tower.modules()) == layers


@pytest.mark.parametrize("filters", [4, 64, 256])
def test_a_residual_block_holds_18_k_squared_and_4_k_parameters(filters):
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in ZeroNetwork(blocks, filters).parameters()) for blocks in (1, 2)]
    assert sizes[1] - sizes[0] == 18 * filters**2 + 4 * filters


def test_the_network_gives_a_score_to_each_point_and_the_pass_and_a_value_to_the_position():
    torch.manual_seed(0)
    network = ZeroNetwork(blocks=2, filters=8, board=5)
    planes = np.stack(
        [input_planes(np.random.default_rng(i).integers(3, size=(3, 5, 5)), i % 2 == 0) for i in range(4)]
    )
    logits, v = network(torch.from_numpy(planes).float())
    assert logits.shape == (4, 26)
    assert v.shape == (4,)
    assert (v.abs() < 1).all()


@pytest.fixture
def one_thread():
    """Threads that wait for each other take most of the time of so small a network."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_a_network_learns_a_batch_by_this_loss():
    torch.manual_seed(0)
    rng, network = np.random.default_rng(4), ZeroNetwork(blocks=1, filters=8, board=3)
    x = torch.from_numpy(np.stack([input_planes(rng.integers(3, size=(2, 3, 3)), True) for _ in range(8)])).float()
    pi, z = torch.from_numpy(rng.dirichlet(np.full(10, 0.3), 8)).float(), torch.tensor([1.0, -1.0] * 4)
    optimiser, losses = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9), []
    for _ in range(30):
        theta = torch.cat([p.flatten() for p in network.parameters()])
        loss = zero_loss_torch(*network(x), pi, z, theta)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    entropy = -torch.xlogy(pi, pi).sum(dim=1).mean().item()
    assert losses[-1] - entropy < 0.5 * (losses[0] - entropy)


def test_self_play_from_nothing_learns_to_win_at_nim():
    """One or two stones are taken and the last one wins: with 3k stones the player to move has lost."""
    stones, learned = 8, np.random.default_rng(5)
    children = np.array([[-1, -1], [0, -1], *([s - 1, s - 2] for s in range(2, stones + 1))])
    logits, v = np.zeros(children.shape), np.zeros(len(children))
    v[0] = -1.0
    for _ in range(60):
        priors = np.where(children >= 0, np.exp(logits), 0.0)
        priors /= np.maximum(priors.sum(axis=1, keepdims=True), 1e-12)
        state, record = stones, []
        while state:
            N = puct_search(children, priors, v, state, 24, 1.5, learned.dirichlet([1.0, 1.0]) * (children[state] >= 0))
            record.append((state, search_policy(N, 1.0)))
            state = int(children[state, learned.choice(2, p=record[-1][1])])
        states = np.array([s for s, _ in record])
        z = (-1.0) ** np.arange(len(record) - 1, -1, -1)
        _, dlogits, dv, _ = zero_loss(logits[states], v[states], np.stack([pi for _, pi in record]), z, np.zeros(1))
        logits[states] -= len(states) * 0.5 * dlogits
        v[states] -= len(states) * 0.1 * dv
    assert [int(np.argmax(logits[s])) for s in (4, 5, 7, 8)] == [0, 1, 0, 1]
    assert v[3] < 0
    assert v[6] < 0
    assert min(v[[4, 5, 7, 8]]) > 0


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("W", lambda: puct_select(NODE[0], NODE[1], np.zeros(2), 1.0)),
        ("path", lambda: apply_virtual_loss(*NODE[1:], np.array([], int))),
        ("n_vl", lambda: apply_virtual_loss(*NODE[1:], PATH, -1)),
        ("path", lambda: backup_value(*NODE[1:], np.array([], int), 0.5)),
        ("n_vl", lambda: backup_value(*NODE[1:], PATH, 0.5, -1)),
        ("W", lambda: backup_value(NODE[1], np.zeros(2), PATH, 0.5)),
        ("noise", lambda: root_prior(NODE[0], np.ones(2))),
        ("epsilon", lambda: root_prior(NODE[0], NODE[0], 1.5)),
        ("priors", lambda: puct_search(GAME[0], GAME[1][:, :2], *GAME[2:], 5, 1.0)),
        ("root", lambda: puct_search(*GAME[:3], 4, 5, 1.0)),
        ("simulations", lambda: puct_search(*GAME, 0, 1.0)),
        ("noise", lambda: puct_search(*GAME, 5, 1.0, np.ones(2))),
        ("epsilon", lambda: puct_search(*GAME, 5, 1.0, None, -0.1)),
        ("N", lambda: search_policy(np.zeros(3, int), 1.0)),
        ("tau", lambda: search_policy(np.ones(3, int), -1.0)),
        ("history", lambda: input_planes(np.zeros((0, 3, 3), int), True)),
        ("history", lambda: input_planes(np.zeros((3, 3), int), True)),
        ("pi", lambda: zero_loss(*BATCH[:2], np.ones((1, 2)), *BATCH[3:])),
        ("z", lambda: zero_loss(*BATCH[:3], np.array([0.5]), BATCH[4])),
        (
            "v",
            lambda: zero_loss_torch(
                torch.zeros(2, 3), torch.zeros(1), torch.zeros(2, 3), torch.zeros(2), torch.zeros(1)
            ),
        ),
    ],
)
def test_a_refusal_names_the_argument(argument, call):
    with pytest.raises(ValueError, match=rf"^{argument} "):
        call()
