"""The laws of planning. Probabilities are eighths and rewards quarters, so that counterexamples can be worked by hand."""

from itertools import product
from math import comb
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, Tolerance, assert_at_most, assert_close, assert_equal, claim, integers, reals, twin,
)
from hypothesis import strategies as st

from reference import mdp_planning as ref
from reference import mdp_planning_torch as on_tensors
from reference.mdp_planning import Array, Bools

LOOSE = FORWARD.scaled(10)
discounts = st.sampled_from([0.25, 0.5, 0.75, 0.9])


class Model(NamedTuple):
    """What is known of the world."""

    P: Array
    R: Array
    gamma: float
    terminal: Bools

    @property
    def states(self):
        return range(len(self.R))

    @property
    def choices(self):
        return range(self.R.shape[1])


def probabilities(*shape):
    """Rows of eighths that sum to 1, often with zeros."""

    def rows(cuts):
        edges = np.sort(cuts, axis=-1)
        zero, one = np.zeros((*shape[:-1], 1)), np.full((*shape[:-1], 1), 8)
        return np.diff(np.concatenate((zero, edges, one), axis=-1), axis=-1) / 8

    return integers(*shape[:-1], shape[-1] - 1, low=0, high=8).map(rows) if shape[-1] > 1 else st.just(np.ones(shape))


@st.composite
def models(draw, sizes=(2, 4), ends=(0, 2), gamma=discounts):
    """A small world with up to two ends, whose own rows hold anything."""
    S, A = draw(st.integers(*sizes)), draw(st.integers(2, 3))
    terminal = np.zeros(S, bool)
    for _ in range(draw(st.integers(*ends))):
        terminal[draw(st.integers(0, S - 1))] = True
    return Model(draw(probabilities(S, A, S)), draw(reals(S, A)), draw(gamma), terminal)


def values(m):
    return reals(len(m.R), zero=False)


def policies(m):
    return probabilities(*m.R.shape)


def q_values(m, V):
    """Action values, entry by entry."""
    Q = np.zeros(m.R.shape)
    for s, a in product(m.states, m.choices):
        if not m.terminal[s]:
            Q[s, a] = m.R[s, a] + m.gamma * sum(m.P[s, a, t] * V[t] for t in m.states if not m.terminal[t])
    return Q


def series(m, pi, terms=512):
    """The discounted series Σ γᵏ P_πᵏ r_π, with ends that absorb and pay nothing."""
    live = ~m.terminal
    step = m.gamma * np.einsum("sa,sat->st", pi, m.P) * live[:, None] * live
    total, term = np.zeros(len(m.R)), (pi * m.R).sum(axis=1) * live
    for _ in range(terms):
        total, term = total + term, step @ term
    return total


def one_hot(actions, A):
    return np.eye(A)[np.asarray(actions, int)]


def best_values(m):
    """The largest value at each state over all deterministic policies."""
    free = [m.choices if not end else [0] for end in m.terminal]
    return np.max([series(m, one_hot(actions, len(m.choices))) for actions in product(*free)], axis=0)


@claim(ref.action_values, m=models(), V=values)
def action_values_written_out(f, m, V):
    """Q(s, a) = R(s, a) + γ Σ P(s'|s, a) V(s') である。和は終端でない s' についてとり、終端の Q は 0 とする。
    Q(s, a) = R(s, a) + γ Σ P(s'|s, a) V(s') over the s' that are no ends, and Q is 0 at an end."""
    assert_close(f(m.P, m.R, V, m.gamma, m.terminal), q_values(m, V))


def successors(m):
    return st.integers(0, len(m.R) - 1)


@claim(ref.action_values, m=models(), V=values, t=successors, other=lambda m: probabilities(*m.P.shape), c=st.integers(1, 3))
def action_values_are_expectations(f, m, V, t, other, c):
    """次の状態が必ず t なら Q = R + γ V(t)。遷移を混ぜれば Q も混ざり、V を一様に c 上げると Q は γ c ×(終端でない次状態の確率)だけ上がる。
    With t as the certain successor, Q = R + γ V(t); mixed transitions mix Q; V raised by c raises Q by γ c × the chance of a live successor."""
    live = ~m.terminal
    certain = np.zeros_like(m.P)
    certain[:, :, t] = 1
    worth = (m.R + m.gamma * V[t] * live[t]) * live[:, None]
    assert_close(f(certain, m.R, V, m.gamma, m.terminal), worth)
    Q = np.asarray(f(m.P, m.R, V, m.gamma, m.terminal))
    mixed = (Q + np.asarray(f(other, m.R, V, m.gamma, m.terminal))) / 2
    assert_close(f((m.P + other) / 2, m.R, V, m.gamma, m.terminal), mixed)
    raised = Q + m.gamma * c * (m.P @ (live * 1.0)) * live[:, None]
    assert_close(f(m.P, m.R, V + c, m.gamma, m.terminal), raised)


@claim(ref.action_values, m=models(ends=(0, 0)), V=values, W=values, c=st.integers(1, 3))
def optimality_operator_contracts(f, m, V, W, c):
    """(TV)(s) = max_a Q(s, a) とすると、TV と TW の最大の差は V と W の最大の差の γ 倍以下で、W = V + c なら等しい。V ≤ W なら TV ≤ TW。
    With (TV)(s) = max_a Q(s, a), TV and TW differ by at most γ times what V and W do, by just that for W = V + c; V ≤ W gives TV ≤ TW."""

    def T(V):
        return np.max(f(m.P, m.R, V, m.gamma, m.terminal), axis=1)

    TV, TW = T(V), T(W)
    assert_at_most(float(np.abs(TV - TW).max()), float(m.gamma * np.abs(V - W).max()))
    assert_close(T(V + c), TV + m.gamma * c)
    assert_at_most(TV, T(np.maximum(V, W)))


@claim(ref.greedy_policy, Q=st.tuples(st.integers(1, 3), st.integers(2, 4)).flatmap(lambda s: integers(*s, low=-2, high=2)))
def greedy_takes_the_first_best(f, Q):
    """first は最初の最善の行動だけに 1、split は最善の行動すべてに等しい確率を与える。1e-12 の差は同点、1e-6 の差は同点ではない。
    first puts 1 on the first best action, split the same probability on every best one; a gap of 1e-12 is a tie, one of 1e-6 is none."""
    best = Q == Q.max(axis=1, keepdims=True)
    split = best / best.sum(axis=1, keepdims=True)
    first = one_hot(best.argmax(axis=1), Q.shape[1])
    near = Q * 2.0 + 1e-12 * np.arange(Q.shape[1])
    assert_close([f(Q * 2.0), f(near)], [first, first])
    assert_close([f(Q * 2.0, "split"), f(near, "split")], [split, split])
    apart = Q * 2.0 + 1e-6 * np.arange(Q.shape[1])
    assert_close(f(apart), one_hot(apart.argmax(axis=1), Q.shape[1]))


@claim(ref.policy_evaluation, m=models(), pi=policies)
def evaluation_is_a_fixed_point(f, m, pi):
    """V(s) = Σ_a π(a|s) [R(s, a) + γ Σ P(s'|s, a) V(s')] が、終端でない状態で成り立ち、終端では V = 0 である。
    V(s) = Σ_a π(a|s) [R(s, a) + γ Σ P(s'|s, a) V(s')] at every live state, and V = 0 at an end."""
    V = f(m.P, m.R, pi, m.gamma, m.terminal)
    assert_close(V, (pi * q_values(m, V)).sum(axis=1))


@claim(ref.policy_evaluation, m=models(), pi=policies)
def evaluation_is_the_discounted_series(f, m, pi):
    """V は割引報酬の和 Σ_k γᵏ P_πᵏ r_π である(終端はそこに留まり、報酬を生まない)。
    V is the sum of discounted rewards Σ_k γᵏ P_πᵏ r_π, where an end absorbs and pays nothing."""
    assert_close(f(m.P, m.R, pi, m.gamma, m.terminal), series(m, pi), LOOSE)


@claim(ref.policy_evaluation, n=st.integers(20, 40), k=st.integers(1, 6), h=st.integers(3, 6), p=st.integers(0, 8))
def one_redraw_of_a_hand(f, n, k, h, p):
    """n 枚中 k 枚の鍵となるカードを h 枚の手札に引く確率は、1 回の引き直しを入れて 1 - q²(q = C(n-k, h)/C(n, h))。確率 p で引き直すなら 1 - q + p q (1 - q)。
    Drawing one of k key cards of n in a hand of h, with one redraw, has the chance 1 - q², q = C(n-k, h)/C(n, h); redrawing with probability p, 1 - q + p q (1 - q)."""
    q, p = comb(n - k, h) / comb(n, h), p / 8
    P = np.zeros((3, 2, 3))
    P[0, 0], P[0, 1], P[1:, :, 2] = (0, q, 1 - q), (0, 0, 1), 1
    R = np.array([[1 - q, 1 - q], [1 - q, 1 - q], [5.0, 7.0]])
    ends = np.array([False, False, True])
    always = np.array([[1.0, 0.0]] * 3)
    assert_close(f(P, R, always, 1.0, ends), np.array([1 - q**2, 1 - q, 0]))
    sometimes = np.array([[p, 1 - p], [1.0, 0.0], [1.0, 0.0]])
    assert_close(f(P, R, sometimes, 1.0, ends)[0], 1 - q + p * q * (1 - q))


def swept(m, pi, n, V0, in_place):
    V = [0.0 if end or V0 is None else float(v) for end, v in zip(m.terminal, m.R[:, 0] if V0 is None else V0, strict=True)]
    deltas = []
    for _ in range(n):
        new = list(V)
        for s in m.states:
            if not m.terminal[s]:
                read = new if in_place else V
                new[s] = sum(pi[s, a] * (m.R[s, a] + m.gamma * sum(m.P[s, a, t] * read[t] for t in m.states)) for a in m.choices)
        deltas.append(max(abs(x - y) for x, y in zip(new, V, strict=True)))
        V = new
    return np.array(V), np.array(deltas)


def starts(m):
    return st.none() | values(m)


sweeps = st.integers(0, 4)


@claim(ref.iterative_evaluation, m=models(), pi=policies, n=sweeps, V0=starts, in_place=st.booleans())
def sweeps_written_out(f, m, pi, n, V0, in_place):
    """n 回の掃引の後の V と、各回の最大の変化量。同期型は前回の値だけを、その場更新は状態 0, 1, … の順に新しい値も読む。
    V after n sweeps and the largest change of each: synchronous ones read the last sweep only, in-place ones, going 0, 1, …, what is already new."""
    assert_close(f(m.P, m.R, pi, m.gamma, m.terminal, n, V0, in_place), swept(m, pi, n, V0, in_place))


@claim(ref.iterative_evaluation, m=models(), pi=policies, n=sweeps, V0=values)
def sweeps_shrink_the_error_exactly(f, m, pi, n, V0):
    """同期型の掃引では V_n - V^π = (γ P_π)ⁿ (V_0 - V^π) が成り立つ(終端は除く)。終端の V_0 は無視される。
    Synchronous sweeps give V_n - V^π = (γ P_π)ⁿ (V_0 - V^π), ends left out; V_0 at an end is ignored."""
    live = ~m.terminal
    step = m.gamma * np.einsum("sa,sat->st", pi, m.P) * live[:, None] * live
    exact = series(m, pi)
    error = np.linalg.matrix_power(step, n) @ ((V0 - exact) * live)
    assert_close(f(m.P, m.R, pi, m.gamma, m.terminal, n, V0)[0], exact + error * live, LOOSE)


@claim(ref.iterative_evaluation, S=st.integers(3, 5), R=reals(5, 2, zero=False), gamma=discounts)
def in_place_sweep_is_immediate(f, S, R, gamma):
    """どの状態も一つ小さい番号へ進む鎖では、その場更新は 1 回の掃引で正しい値になり、同期型は 1 歩先までしか見えない。
    On a chain in which every state leads to the one below, one in-place sweep gives the exact values; a synchronous one sees one step ahead."""
    P = np.zeros((S, 2, S))
    P[np.arange(S), :, np.maximum(np.arange(S) - 1, 0)] = 1
    ends, pi = np.arange(S) == 0, np.full((S, 2), 0.5)
    r = R[:S].mean(axis=1) * ~ends
    exact = np.zeros(S)
    for s in range(1, S):
        exact[s] = r[s] + gamma * exact[s - 1]
    assert_close(f(P, R[:S], pi, gamma, ends, 1, None, True)[0], exact)
    assert_close(f(P, R[:S], pi, gamma, ends, 1)[0], r)


@claim(ref.iterative_evaluation, m=models(), pi=policies, n=st.integers(1, 3), in_place=st.booleans())
def deltas_measure_the_sweep(f, m, pi, n, in_place):
    """deltas[k] は k 回目の掃引での最大の変化の絶対値で、前の回の γ 倍を超えない。
    deltas[k] is the largest absolute change of sweep k, and never more than γ times the one before."""
    before, _ = f(m.P, m.R, pi, m.gamma, m.terminal, n, None, in_place)
    after, deltas = f(m.P, m.R, pi, m.gamma, m.terminal, n + 1, None, in_place)
    assert_close(float(deltas[-1]), float(np.abs(np.asarray(after) - before).max()))
    assert_at_most(np.asarray(deltas[1:]), m.gamma * np.asarray(deltas[:-1]))


def gaps(m, V):
    """By how much the best action of each live state leads the second."""
    Q = np.sort(q_values(m, V)[~m.terminal], axis=1)
    return np.min(Q[:, -1] - Q[:, -2], initial=np.inf)


def iterated(m, max_rounds=100):
    actions, least = np.zeros(len(m.R), int), np.inf
    for rounds in range(1, max_rounds + 1):
        V = series(m, one_hot(actions, len(m.choices)))
        least = min(least, gaps(m, V))
        better = np.where(m.terminal, 0, q_values(m, V).argmax(axis=1))
        if (better == actions).all():
            break
        actions = better
    return V, actions, rounds, least


@claim(ref.policy_iteration, m=models().filter(lambda m: iterated(m)[3] > 1e-4))
def policy_iteration_written_out(f, m):
    """行動 0 から始め、厳密に評価し、すべての状態を一斉に改善し、変わらなくなったら止まる。V、行動、評価の回数がそのとおりになる。
    From action 0: evaluate exactly, improve all states at once, stop when nothing changes; V, actions and the number of evaluations follow."""
    assert_close(f(m.P, m.R, m.gamma, m.terminal), iterated(m)[:3], LOOSE)


@claim(ref.policy_iteration, m=models(sizes=(2, 3)))
def policy_iteration_beats_every_policy(f, m):
    """V は、決定的な方策をすべて列挙したときの、状態ごとの最大の価値に等しく、返す行動はその価値をもつ。
    V is, at each state, the largest value over all deterministic policies, and the actions returned have it."""
    V, actions, rounds = f(m.P, m.R, m.gamma, m.terminal)
    best = best_values(m)
    assert_close(V, best, LOOSE)
    assert_close(series(m, one_hot(np.clip(actions, 0, len(m.choices) - 1), len(m.choices))), best, LOOSE)
    assert_at_most(float(rounds), float(len(m.choices) ** len(m.R)))


@claim(ref.policy_iteration, L=st.integers(1, 5), gamma=discounts)
def policy_iteration_counts_rounds(f, L, gamma):
    """長さ L の廊下で、最後のマスだけが 1 を払うなら L + 1 回の評価が要る。良い知らせは 1 回に 1 マスずつ伝わる。行動が同じ価値なら 1 回で済む。
    A corridor of L cells whose last one pays 1 takes L + 1 evaluations: the news travels one cell a round. Actions of equal worth take one."""
    S = L + 1
    P, R = np.zeros((S, 2, S)), np.zeros((S, 2))
    P[:, 0, L] = 1
    P[np.arange(L), 1, np.arange(1, S)] = P[L, 1, L] = 1
    R[L - 1, 1] = 1
    ends = np.arange(S) == L
    V = np.append(gamma ** np.arange(L)[::-1], 0.0)
    assert_close(f(P, R, gamma, ends), (V, np.append(np.ones(L, int), 0), L + 1))
    twins = P[:, [0, 0]], np.ones((S, 2))
    assert_close(f(*twins, gamma, ends), (1.0 * ~ends, np.zeros(S, int), 1))


def patience(x, L, gamma):
    """Reward x at once, or 1 after L steps."""
    S = L + 1
    P, R = np.zeros((S, 2, S)), np.zeros((S, 2))
    P[:, :, L] = 1
    for s in range(L - 1):
        P[s, 1], P[s, 1, s + 1] = 0, 1
        if s:
            P[s, 0] = P[s, 1]
    R[0, 0], R[L - 1, 1] = x, 1
    if L > 1:
        R[L - 1, 0] = 1
    return Model(P, R, gamma, np.arange(S) == L)


@st.composite
def waits(draw):
    x, L, gamma = draw(st.sampled_from([0.2, 0.4, 0.6, 0.8])), draw(st.integers(2, 4)), draw(st.sampled_from([0.3, 0.6, 0.8, 0.95]))
    return (x, L, gamma) if abs(gamma / x ** (1 / (L - 1)) - 1) > 0.03 else (0.2, 2, 0.6)


@claim(ref.value_iteration, wait=waits())
def patience_has_a_price(f, wait):
    """すぐに x をもらって終わるか、L - 1 歩待って 1 をもらうか。始めの価値は max(x, γ^(L-1)) で、待つのは γ^(L-1) > x のときだけである。
    Take x at once, or 1 after L - 1 steps of waiting: the start is worth max(x, γ^(L-1)), and waits just when γ^(L-1) > x."""
    x, L, gamma = wait
    m = patience(x, L, gamma)
    V, actions, _ = f(m.P, m.R, gamma, m.terminal, 1e-9)
    later = gamma ** (L - 1)
    assert_close(float(V[0]), max(x, later))
    assert_equal(actions[0], int(later > x))


def value_swept(m, theta, most):
    """V, the changes of the sweeps, and how far the best action leads at the end."""
    V, changes = np.zeros(len(m.R)), []
    while len(changes) < most and (not changes or changes[-1] >= theta):
        new = q_values(m, V).max(axis=1)
        changes.append(float(np.abs(new - V).max()))
        V = new
    return V, changes, gaps(m, V)


thetas = st.sampled_from([1.0, 0.1, 0.01])


@st.composite
def stopped(draw):
    """A world, a threshold and a limit; none in which rounding decides when to stop or what is best."""
    m, theta, most = draw(models()), draw(thetas), draw(st.integers(1, 8) | st.just(10000))
    _, changes, gap = value_swept(m, theta, most)
    clear = gap > 1e-3 and all(abs(c / theta - 1) > 0.01 for c in changes)
    return (m, theta, most) if clear else (patience(0.2, 2, 0.6), 0.1, 3)


@claim(ref.value_iteration, s=stopped())
def value_iteration_written_out(f, s):
    """V = 0 から同期型で更新し、最大の変化が θ を下回った回で止まる。新しい V、それについて貪欲な行動、掃引の回数を返す。
    From V = 0, synchronous backups until a sweep's largest change is below θ; the new V, the actions greedy for it, and the number of sweeps."""
    m, theta, most = s
    V, changes, _ = value_swept(m, theta, most)
    actions = np.where(m.terminal, 0, q_values(m, V).argmax(axis=1))
    assert_close(f(m.P, m.R, m.gamma, m.terminal, theta, most), (V, actions, len(changes)))


@claim(ref.value_iteration, m=models(sizes=(2, 3)), theta=thetas)
def value_iteration_is_within_theta(f, m, theta):
    """止まったときの V は V* から γθ/(1-γ) 以内にあり、返す方策の損は 2γθ/(1-γ) 以内である。
    The V at which it stops lies within γθ/(1-γ) of V*, and the policy returned loses at most 2γθ/(1-γ)."""
    V, actions, _ = f(m.P, m.R, m.gamma, m.terminal, theta)
    best, off = best_values(m), m.gamma * theta / (1 - m.gamma)
    assert_at_most(float(np.abs(V - best).max()), off + 1e-8)
    kept = series(m, one_hot(np.clip(actions, 0, len(m.choices) - 1), len(m.choices)))
    assert_at_most(float((best - kept).max()), 2 * off + 1e-7)


@claim(ref.value_iteration, gamma=st.sampled_from([0.5, 0.9]), c=st.sampled_from([-8.0, -3.0, 5.0]), theta=thetas, most=st.integers(1, 6) | st.just(10000))
def value_iteration_counts_sweeps(f, gamma, c, theta, most):
    """毎回 c をもらって同じ状態に戻るなら、n 回目の変化は γⁿ⁻¹|c| で、初めて θ を下回る n で止まる。V_n = c (1-γⁿ)/(1-γ)。
    A state that returns to itself with reward c changes by γⁿ⁻¹|c| in sweep n, and stops at the first n where that is below θ; V_n = c (1-γⁿ)/(1-γ)."""
    n = next(n for n in range(1, 10000) if gamma ** (n - 1) * abs(c) < theta or n == most)
    V = np.array([c * (1 - gamma**n) / (1 - gamma)])
    result = f(np.ones((1, 2, 1)), np.array([[c, c - 1]]), gamma, np.array([False]), theta, most)
    assert_close(result, (V, np.array([0]), n))


def potentials(m):
    return reals(len(m.R))


SHAPED = FORWARD.scaled(100)


@claim(ref.policy_evaluation, m=models(), pi=policies, phi=potentials)
def potential_shaping_shifts_the_values(f, m, pi, phi):
    """R' = R + γ Σ P Φ - Φ とすると、V' = V - Φ になる(終端の Φ は 0)。
    Rewards shaped by a potential, R' = R + γ Σ P Φ - Φ, give V' = V - Φ (Φ is 0 at an end)."""
    phi = phi * ~m.terminal
    bent = m._replace(R=m.R + m.gamma * m.P @ phi - phi[:, None])
    V = np.asarray(f(m.P, m.R, pi, m.gamma, m.terminal))
    assert_close(f(bent.P, bent.R, pi, m.gamma, m.terminal), V - phi, SHAPED)


@claim(ref.policy_iteration, m=models().filter(lambda m: iterated(m)[3] > 1e-3), phi=potentials)
def potential_shaping_keeps_the_policy(f, m, phi):
    """R' = R + γ Σ P Φ - Φ としても最適な行動は変わらず、V* は Φ だけずれる(終端の Φ は 0)。
    Rewards shaped by a potential keep the best actions and shift V* by Φ (0 at an end)."""
    phi = phi * ~m.terminal
    bent = m.R + m.gamma * m.P @ phi - phi[:, None]
    V, actions, _ = f(m.P, m.R, m.gamma, m.terminal)
    shifted, same, _ = f(m.P, bent, m.gamma, m.terminal)
    assert_close(shifted, np.asarray(V) - phi, SHAPED)
    assert_equal(same, actions)


@claim(ref.mean_and_error, x=st.integers(2, 6).flatmap(lambda n: reals(n)), a=st.integers(-3, 3), k=st.integers(2, 4))
def error_of_a_mean(f, x, a, k):
    """平均は Σx/n、標準誤差は √(Σ(x-平均)²/(n(n-1)))。データを k 回並べると、誤差は √((n-1)/(kn-1)) 倍に縮む。
    The mean is Σx/n, its standard error √(Σ(x-mean)²/(n(n-1))); the data k times over shrink the error by √((n-1)/(kn-1))."""
    n = len(x)
    mean = float(sum(x) / n)
    error = float((sum((x - mean) ** 2) / (n * (n - 1))) ** 0.5)
    assert_close(f(x), (mean, error))
    assert_close(f(a * x + 1), (a * mean + 1, abs(a) * error))
    assert_close(f(np.tile(x, k)), (mean, error * ((n - 1) / (k * n - 1)) ** 0.5))


class Sampled(NamedTuple):
    """The arguments of `rollout_estimate`, in its order."""

    P: Array
    R: Array
    pi: Array
    gamma: float
    terminal: Bools
    start: int
    u: Array


@st.composite
def rollouts(draw):
    """A world, a policy and draws that lie between the eighths."""
    m = draw(models())
    n, T = draw(st.integers(2, 4)), draw(st.integers(0, 4))
    u = draw(integers(n, T, 2, low=0, high=7)) / 8 + 1 / 16
    return Sampled(m.P, m.R, draw(policies(m)), m.gamma, m.terminal, draw(successors(m)), u)


def first_past(p, u):
    total = 0.0
    for i, x in enumerate(p):
        total += x
        if total > u:
            return i
    return len(p) - 1


def estimate(returns):
    n = len(returns)
    mean = returns.sum() / n
    return float(mean), float((((returns - mean) ** 2).sum() / (n * (n - 1))) ** 0.5), returns


@claim(ref.rollout_estimate, s=rollouts())
def rollouts_written_out(f, s):
    """累積確率が初めて乱数を超えた番号を引き、終端で止まる。割引報酬の和、その平均と標準誤差がそのとおりになる。
    Each draw takes the first index whose cumulative probability exceeds it, an end stops the rollout; returns, their mean and its error follow."""
    returns = []
    for draws in s.u:
        state, total = s.start, 0.0
        for t, (x, y) in enumerate(draws):
            if s.terminal[state]:
                break
            a = first_past(s.pi[state], x)
            total += s.gamma**t * s.R[state, a]
            state = first_past(s.P[state, a], y)
        returns.append(total)
    assert_close(f(*s), estimate(np.array(returns)))


@st.composite
def grids(draw):
    """A world with probabilities in halves and quarters, and draws that run through the whole grid."""
    m, T = draw(models(sizes=(2, 3))), draw(st.integers(1, 2))
    S = len(m.R)
    P = np.zeros((S, 2, S))
    for s, a, q in product(range(S), range(2), range(4)):
        P[s, a, draw(st.integers(0, S - 1))] += 0.25
    pi = np.array([[[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]][draw(st.integers(0, 2))] for _ in range(S)])
    cells = list(product([0.25, 0.75], [0.125, 0.375, 0.625, 0.875]))
    u = np.array([[list(cell) for cell in step] for step in product(cells, repeat=T)])
    return Sampled(P, m.R[:, :2], pi, m.gamma, m.terminal, draw(st.integers(0, S - 1)), u)


@claim(ref.rollout_estimate, s=grids())
def rollouts_over_the_grid_are_sweeps(f, s):
    """乱数が格子をくまなく動くとき、T 歩の標本平均は、V = 0 から T 回掃引した値にちょうど等しい。
    Where the draws run through the whole grid, the mean return of T steps is exactly the value after T sweeps from V = 0."""
    V, _ = ref.iterative_evaluation(s.P, s.R, s.pi, s.gamma, s.terminal, s.u.shape[1])
    assert_close(f(*s)[0], float(V[s.start]))


@claim(ref.rollout_estimate, m=models(), go=lambda m: integers(*m.R.shape, low=0, high=len(m.R) - 1), act=lambda m: integers(len(m.R), low=0, high=m.R.shape[1] - 1), n=st.integers(2, 4), T=st.integers(1, 5))
def rollout_along_a_fixed_path(f, m, go, act, n, T):
    """遷移も方策も決定的なら、どのロールアウトも同じ割引報酬の和 Σ γᵗ R になり、標準誤差は 0 である。
    With deterministic transitions and policy, every rollout has the same return Σ γᵗ R, and the standard error is 0."""
    S, A = m.R.shape
    P, pi = np.eye(S)[go], one_hot(act, A)
    state, total = 0, 0.0
    for t in range(T):
        if not m.terminal[state]:
            total += m.gamma**t * m.R[state, act[state]]
            state = go[state, act[state]]
    u = np.full((n, T, 2), 0.5)
    mean, error, returns = f(P, m.R, pi, m.gamma, m.terminal, 0, u)
    assert_close(returns, np.full(n, total))
    assert_close((mean, error), (float(total), 0.0), Tolerance(1e-7, 1e-9))


@claim(ref.policy_evaluation, m=models(), pi=policies)
def improvement_never_hurts(f, m, pi):
    """Q^π について貪欲な方策は、どの状態でも π 以上の価値をもつ(方策改善定理)。
    The policy that is greedy for Q^π is at least as good as π at every state (policy improvement theorem)."""
    V = np.asarray(f(m.P, m.R, pi, m.gamma, m.terminal))
    better = ref.greedy_policy(q_values(m, V))
    assert_at_most(V, np.asarray(f(m.P, m.R, better, m.gamma, m.terminal)) + 1e-8)


@twin(on_tensors.policy_evaluation_torch, m=models(), pi=policies)
def evaluated_on_tensors(m, pi):
    return m.P, m.R, pi, m.gamma, m.terminal
