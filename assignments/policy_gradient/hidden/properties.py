"""The laws of policies that are improved by their gradient.

Logits, rewards and values are quarters and probabilities of the model eighths, so that counterexamples can be worked by hand.
"""

from typing import NamedTuple

import numpy as np
from autograder.properties import (
    FORWARD, assert_at_most, assert_close, assert_slope, claim, derivative, integers, reals, twin,
)
from hypothesis import strategies as st

from reference import policy_gradient as ref
from reference import policy_gradient_torch as on_tensors
from reference.policy_gradient import Array, Bools, Ints

LOOSE = FORWARD.scaled(10)
STEP = 1e-6  # of central differences: returns of up to 20, bent by a policy in several states
discounts = st.sampled_from([0.5, 0.25, 0.75, 0.9])
decays = st.sampled_from([0.5, 0.25, 0.75])


def log_policy(logits):
    """log π, row by row."""
    return np.array([row - row.max() - np.log(np.exp(row - row.max()).sum()) for row in logits])


def policy(logits):
    return np.exp(log_policy(logits))


def likelihoods(logits, actions):
    """log π of the actions taken."""
    return np.array([row[a] for row, a in zip(log_policy(logits), actions, strict=True)])


class Decisions(NamedTuple):
    """What a policy was asked, and what was done."""

    logits: Array
    actions: Ints


@st.composite
def decisions(draw, least=1, most=5, actions=(2, 4)):
    count, A = draw(st.integers(least, most)), draw(st.integers(*actions))
    return Decisions(draw(reals(count, A)), draw(integers(count, low=0, high=A - 1)))


@claim(ref.softmax_policy, d=decisions())
def policy_written_out(f, d):
    """log π は行ごとに x - max(x) - log Σ exp(x - max(x))、スコアは「取った行動の one-hot - π」である。
    Row by row log π is x - max(x) - log Σ exp(x - max(x)), and the score is the one-hot action minus π."""
    logp = log_policy(d.logits)
    score = [[float(b == a) - np.exp(x) for b, x in enumerate(row)] for row, a in zip(logp, d.actions, strict=True)]
    assert_close(f(*d), (logp, np.array(score)))


@claim(ref.softmax_policy, d=decisions(), shift=st.sampled_from([1000.0, -1000.0, 8.0, -2.5]))
def policy_is_a_distribution(f, d, shift):
    """exp(log π) は行ごとに和が1で、log π の差はロジットの差に等しい。行のすべてに同じ数(±1000 でも)を足しても、結果は二つとも変わらない。
    exp(log π) sums to 1 in each row, and log π differs as the logits do; adding one number to a row, even ±1000, changes neither result."""
    plain = f(*d)
    logp, _ = plain
    assert_close(np.exp(logp).sum(axis=1), np.ones(len(d.logits)))
    assert_close(logp - logp[:, :1], d.logits - d.logits[:, :1])
    assert_close(f(d.logits + shift, d.actions), plain)


@claim(ref.softmax_policy, d=decisions(), along=lambda d: reals(*d.logits.shape))
def score_is_the_gradient_of_log_pi(f, d, along):
    """スコアは log π(a|s) のロジットについての勾配である(数値微分と比べる)。行動が二つなら ±(1 - π(a|s)) である。
    The score is the gradient of log π(a|s) in the logits, as difference quotients show; with two actions it is ±(1 - π(a|s))."""
    _, score = f(*d)
    slope = derivative(lambda logits: likelihoods(logits, d.actions).sum(), [d.logits], [along], STEP)
    assert_slope([score], [along], slope)
    two = Decisions(d.logits[:, :2], d.actions % 2)
    rest = 1 - np.exp(likelihoods(*two))
    signs = np.where(two.actions[:, None] == np.arange(2), 1.0, -1.0)
    assert_close(f(*two)[1], signs * rest[:, None])


@claim(ref.softmax_policy, row=st.integers(2, 4).flatmap(lambda A: reals(1, A)))
def score_has_mean_zero(f, row):
    """行動を π に従って選ぶとき、スコアの平均は 0、共分散は diag(π) - ππᵀ である(だからベースラインは偏りを生まない)。どのスコアも和は 0 である。
    For actions drawn from π the score has mean 0 and covariance diag(π) - ππᵀ, which is why a baseline adds no bias; each score sums to 0."""
    A = row.shape[1]
    _, score = f(np.repeat(row, A, axis=0), np.arange(A))
    pi = policy(row)[0]
    assert_close(pi @ score, np.zeros(A))
    assert_close(score.T @ (pi[:, None] * score), np.diag(pi) - np.outer(pi, pi))
    assert_close(score.sum(axis=1), np.zeros(A))


def flags(count):
    """Three in ten are True."""
    return integers(count, low=0, high=9).map(lambda drawn: drawn > 6)


class Record(NamedTuple):
    """Rewards of one episode or several, cut off after the last; the arguments of `rewards_to_go`."""

    rewards: Array
    dones: Bools
    gamma: float
    bootstrap: float


numbers = reals().map(float)


@st.composite
def records(draw):
    steps = draw(st.integers(1, 8))
    return Record(draw(reals(steps, zero=False)), draw(flags(steps)), draw(discounts), draw(numbers))


def steps_of(r):
    return st.integers(0, len(r.rewards) - 1)


@claim(ref.rewards_to_go, r=records(), k=steps_of, c=st.sampled_from([1.0, -2.0, 0.5]))
def to_go_looks_only_ahead(f, r, k, c):
    """報酬 k を c だけ増やすと、同じエピソードの t ≤ k では G_t が γ^(k-t)·c だけ増え、ほかの G_t は変わらない。bootstrap は、最後の次にもらう報酬と同じに働く。
    Raising reward k by c raises G_t by γ^(k-t)·c for t ≤ k in the same episode, and no other; bootstrap counts like a reward one step after the last."""
    raised = r._replace(rewards=r.rewards + c * (np.arange(len(r.rewards)) == k))
    gain = np.zeros(len(r.rewards))
    for t in range(k + 1):
        gain[t] = 0.0 if r.dones[t:k].any() else r.gamma ** (k - t) * c
    plain = f(*r)
    assert_close(f(*raised), plain + gain)
    longer = Record(np.append(r.rewards, r.bootstrap), np.append(r.dones, True), r.gamma, 0.0)
    assert_close(f(*longer)[:-1], plain)


@claim(ref.rewards_to_go, r=records())
def to_go_is_the_return(f, r):
    """G_t は、エピソードの終わりまでの報酬を γ で割り引いた和である。終わりの前に配列が切れたら、γ^(T-t)·bootstrap を足す。γ = 0 なら報酬そのものである。
    G_t is the sum of the rewards up to the end of the episode, discounted by γ; where the array stops before, γ^(T-t)·bootstrap comes on top. With γ = 0 it is the reward."""
    T, returns = len(r.rewards), []
    for t in range(T):
        end = next((k + 1 for k in range(t, T) if r.dones[k]), None)
        seen = sum(r.gamma ** (k - t) * r.rewards[k] for k in range(t, end or T))
        returns.append(seen + (0.0 if end else r.gamma ** (T - t) * r.bootstrap))
    assert_close(f(*r), np.array(returns))
    assert_close(f(*r._replace(gamma=0.0)), r.rewards)


class World(NamedTuple):
    """The arguments of `exact_gradient`."""

    P: Array
    R: Array
    logits: Array
    gamma: float
    start: Array
    terminal: Bools

    @property
    def step(self):
        """Where the policy leads in one step, ends taken out."""
        live = ~self.terminal
        return np.einsum("sa,sat->st", policy(self.logits), self.P) * live[:, None] * live

    @property
    def gains(self):
        return np.where(self.terminal, 0.0, (policy(self.logits) * self.R).sum(axis=1))

    def J(self, logits):
        w = self._replace(logits=logits)
        return float(w.start @ np.linalg.solve(np.eye(len(w.R)) - w.gamma * w.step, w.gains))


def probabilities(*shape):
    """Rows of eighths that sum to 1, often with zeros."""

    def rows(cuts):
        edges = np.sort(cuts, axis=-1)
        zero, one = np.zeros((*shape[:-1], 1)), np.full((*shape[:-1], 1), 8)
        return np.diff(np.concatenate((zero, edges, one), axis=-1), axis=-1) / 8

    return integers(*shape[:-1], shape[-1] - 1, low=0, high=8).map(rows)


@st.composite
def worlds(draw, ends=st.integers(0, 9).map(lambda drawn: drawn > 3), sizes=(2, 3, 4)):
    """Two to four states; six in ten worlds have an end, whose own rows hold anything."""
    S, A = draw(st.sampled_from(sizes)), draw(st.integers(2, 3))
    terminal = np.zeros(S, bool)
    if draw(ends):
        terminal[draw(st.integers(0, S - 1))] = True
    return World(
        draw(probabilities(S, A, S)), draw(reals(S, A)), draw(reals(S, A)), draw(discounts), draw(probabilities(S)), terminal
    )


@claim(ref.exact_gradient, w=worlds(), along=lambda w: reals(*w.logits.shape))
def exact_gradient_is_the_gradient(f, w, along):
    """J は s_0 の分布で平均した V で、勾配は J の数値微分に一致する。方策を変えると、後で訪れる状態での選び方も変わることに注意。
    J is V averaged over the distribution of s_0, and the gradient is J's difference quotient: a change of the policy acts in every state reached later, too."""
    J, grad, _ = f(*w)
    assert_close(J, w.J(w.logits), LOOSE)
    assert_slope([grad], [along], derivative(w.J, [w.logits], [along], STEP))


@claim(ref.exact_gradient, w=worlds())
def visits_and_gradient_are_series(f, w):
    """visits は、start を方策で k 歩進めた分布(終端は除く)に γᵏ を掛けて足した級数である。勾配は visits(s)·π(a|s)·(Q(s,a) - V(s)) である。
    visits is the series of γᵏ · (start pushed k steps by the policy, ends taken out), and the gradient is visits(s)·π(a|s)·(Q(s,a) - V(s))."""
    step, V, visits = w.step, np.zeros(len(w.R)), np.zeros(len(w.R))
    live = ~w.terminal
    for _ in range(240):
        V = w.gains + w.gamma * step @ V
        visits = w.start * live + w.gamma * visits @ step
    Q = w.R + w.gamma * w.P @ V
    grad = visits[:, None] * policy(w.logits) * (Q - V[:, None])
    assert_close(f(*w), (float(w.start @ V), grad, visits), LOOSE)


@claim(ref.exact_gradient, w=worlds(), k=st.sampled_from([2.0, -1.0, 0.5]))
def exact_gradient_keeps_its_balance(f, w, k):
    """勾配の各行の和は 0、終端の行は 0 である。J は Σ visits(s)·Σ π(a|s)·R(s,a) で、報酬をすべて k 倍すると J と勾配も k 倍になる。
    Each row of the gradient sums to 0 and rows of ends are 0; J is Σ visits(s)·Σ π(a|s)·R(s,a); k times the rewards make k times J and k times the gradient."""
    J, grad, visits = f(*w)
    assert_close(grad.sum(axis=1), np.zeros(len(w.R)), LOOSE)
    assert_close(grad[w.terminal], np.zeros(grad[w.terminal].shape), LOOSE)
    assert_close(float(visits @ w.gains), J, LOOSE)
    scaled = f(*w._replace(R=k * w.R))
    assert_close(scaled[:2], (k * J, k * grad), LOOSE)


@claim(ref.exact_gradient, w=worlds(ends=st.just(False)), c=st.sampled_from([1.0, -2.0, 0.5]))
def a_bonus_for_every_step_turns_no_policy(f, w, c):
    """終端がなければ visits の和は 1/(1-γ) である。すべての報酬に c を足すと J は c/(1-γ) だけ増え、勾配は変わらない。
    Without ends visits sums to 1/(1-γ); adding c to every reward adds c/(1-γ) to J and nothing to the gradient."""
    J, grad, visits = f(*w)
    assert_close(float(visits.sum()), 1 / (1 - w.gamma), LOOSE)
    assert_close(f(*w._replace(R=w.R + c)), (J + c / (1 - w.gamma), grad, visits), LOOSE)


def settled(w):
    """The same world, every move possible, begun in the stationary distribution of its policy."""
    S = len(w.R)  # a power of two: the rows of P remain exact, in float32 as well
    w = w._replace(P=w.P / 2 + 1 / (2 * S))
    stays = np.vstack((w.step.T - np.eye(S), np.ones(S)))
    mu = np.linalg.lstsq(stays, np.append(np.zeros(S), 1.0), rcond=None)[0]
    return w._replace(start=mu)


@claim(ref.exact_gradient, w=worlds(ends=st.just(False), sizes=(2, 4)).map(settled))
def average_reward_lasts_for_ever(f, w):
    """方策の定常分布 μ から始めると、ずっと μ のままである。visits = μ/(1-γ)、J = r̄/(1-γ) となる(r̄ は μ と π で平均した一歩の報酬)。
    Begun in the stationary distribution μ of its policy the chain stays there: visits = μ/(1-γ) and J = r̄/(1-γ), where r̄ is the reward of a step averaged over μ and π."""
    J, _, visits = f(*w)
    assert_close(visits, w.start / (1 - w.gamma), LOOSE)
    assert_close(J, float(w.start @ w.gains) / (1 - w.gamma), LOOSE)


class Layers(NamedTuple):
    """A world that is left after a few steps: state 0, then 1 or 2, then 3 or 4. ahead[s, a] is the probability of the first of the next two."""

    logits: Array
    rewards: Array
    ahead: Array
    gamma: float
    baseline: Array | None

    def episodes(self):
        """Every way through, and the probability that the world adds to the policy's."""
        ways = [((0,), (), 1.0)]
        for t in range(2 if len(self.logits) == 3 else 3):
            ways = [(states, (*actions, a), p) for states, actions, p in ways for a in (0, 1)]
            if 2 * t + 1 < len(self.logits):
                ways = [
                    ((*s, 2 * t + 1 + n), a, p * abs(n - self.ahead[s[-1], a[-1]])) for s, a, p in ways for n in (1, 0)
                ]
        return [(np.array(s), np.array(a), p) for s, a, p in ways]

    def chance(self, logits, states, actions):
        return np.exp(log_policy(logits)[states, actions].sum())

    def J(self, logits):
        return sum(
            p * self.chance(logits, s, a) * (self.gamma ** np.arange(len(s)) @ self.rewards[s, a])
            for s, a, p in self.episodes()
        )


@st.composite
def layers(draw):
    S = draw(st.sampled_from([3, 5]))
    ahead = draw(integers(S, 2, low=1, high=3)) / 4
    baseline = draw(st.one_of(st.none(), reals(S)))
    return Layers(draw(reals(S, 2)), draw(reals(S, 2, zero=False)), ahead, draw(discounts), baseline)


@claim(ref.reinforce_gradient, w=layers(), along=lambda w: reals(*w.logits.shape))
def reinforce_is_unbiased(f, w, along):
    """起こりうるすべてのエピソードの推定値を、その確率で平均すると、割り引いた期待収益 J の勾配になる。状態だけによるベースラインは、何であってもよい。
    The estimates of all possible episodes, averaged by their probabilities, are the gradient of the discounted J, with any baseline that depends on the state alone."""
    mean = sum(
        p * w.chance(w.logits, s, a) * f(w.logits, s, a, w.rewards[s, a], w.gamma, w.baseline)
        for s, a, p in w.episodes()
    )
    assert_slope([mean], [along], derivative(w.J, [w.logits], [along], STEP))


class Episode(NamedTuple):
    """The arguments of `reinforce_gradient`."""

    logits: Array
    states: Ints
    actions: Ints
    rewards: Array
    gamma: float
    baseline: Array | None
    discount_steps: bool


@st.composite
def episodes(draw):
    T, A = draw(st.integers(1, 7)), draw(st.integers(2, 3))
    return Episode(
        draw(reals(3, A)), draw(integers(T, low=0, high=2)), draw(integers(T, low=0, high=A - 1)), draw(reals(T, zero=False)),
        draw(discounts), draw(st.one_of(reals(3), st.none())), draw(st.booleans()),
    )


@claim(ref.reinforce_gradient, e=episodes())
def reinforce_adds_up_its_steps(f, e):
    """勾配は、時刻ごとに w_t·(G_t - b(s_t))·(e_a - π) を s_t の行に足したものである(w_t は γᵗ、discount_steps=False なら 1)。同じ状態は何度でも足す。
    The gradient adds w_t·(G_t - b(s_t))·(e_a - π) to the row of s_t at every step (w_t is γᵗ, or 1 with discount_steps=False), as often as the state comes up."""
    grad, pi = np.zeros(e.logits.shape), policy(e.logits)
    for t, (s, a) in enumerate(zip(e.states, e.actions, strict=True)):
        G = sum(e.gamma**k * reward for k, reward in enumerate(e.rewards[t:]))
        gain = G - (0.0 if e.baseline is None else e.baseline[s])
        for b in range(len(pi[s])):
            grad[s, b] += (e.gamma**t if e.discount_steps else 1.0) * gain * (float(a == b) - pi[s, b])
    assert_close(f(*e), grad)


@claim(ref.reinforce_gradient, e=episodes(), c=st.sampled_from([1.0, -2.0, 0.5]))
def expected_return_moves_nothing(f, e, c):
    """どの時刻の収益もベースラインとちょうど等しければ、勾配は 0 である。
    If every return equals the baseline exactly, the gradient is 0."""
    rewards = np.full(len(e.rewards), c * (1 - e.gamma))
    rewards[-1] = c
    assert_close(f(*e._replace(rewards=rewards, baseline=np.full(3, c))), np.zeros(e.logits.shape))


@claim(ref.reinforce_gradient, e=episodes())
def a_rewarded_action_becomes_likelier(f, e):
    """一歩だけで報酬 1 をもらったら、取った行動のロジットの勾配は正、同じ状態の他の行動は負、和は 0 で、ほかの状態は 0 である。
    One step with reward 1: the gradient is positive for the action taken, negative for the others in that state, 0 in sum, and 0 for other states."""
    s, a = e.states[:1], e.actions[:1]
    grad = f(e.logits, s, a, np.ones(1), e.gamma)
    signs = np.where(np.arange(grad.shape[1]) == a[0], 1.0, -1.0)
    assert_close(np.sign(grad[s[0]]), signs)
    assert_close(grad[s[0]].sum(), 0.0)
    assert_close(np.delete(grad, s[0], axis=0), np.zeros((2, grad.shape[1])))


class Segment(NamedTuple):
    """The arguments of `gae` before λ."""

    rewards: Array
    values: Array
    dones: Bools
    gamma: float

    @property
    def errors(self):
        ahead = np.where(self.dones, 0.0, self.values[1:])
        return self.rewards + self.gamma * ahead - self.values[:-1]


@st.composite
def segments(draw, least=1):
    T = draw(st.integers(least, 8))
    return Segment(draw(reals(T)), draw(reals(T + 1, zero=False)), draw(flags(T)), draw(discounts))


@claim(ref.gae, s=segments())
def gae_has_its_two_limits(f, s):
    """λ = 0 なら TD誤差 r + γV(s') - V(s)、λ = 1 なら将来の収益 - V(s) である。終端の次の状態の価値は 0 とする。targets は advantages + V である。
    λ = 0 gives the TD error r + γV(s') - V(s), λ = 1 the reward-to-go minus V(s); the value after an end is 0. targets is advantages + V."""
    V = s.values[:-1]
    assert_close(f(*s, 0.0), (s.errors, s.errors + V))
    returns = ref.rewards_to_go(s.rewards, s.dones, s.gamma, float(s.values[-1]))
    assert_close(f(*s, 1.0), (returns - V, returns))


@claim(ref.gae, s=segments(), lam=decays)
def gae_mixes_n_step_advantages(f, s, lam):
    """Â_t は、n ステップのアドバンテージ A⁽ⁿ⁾ の重み付き平均 (1-λ)·Σ_{n<m} λⁿ⁻¹·A⁽ⁿ⁾ + λᵐ⁻¹·A⁽ᵐ⁾ である。m は、エピソードか配列の終わりまでの歩数。
    Â_t is a weighted mean of n-step advantages, (1-λ)·Σ_{n<m} λⁿ⁻¹·A⁽ⁿ⁾ + λᵐ⁻¹·A⁽ᵐ⁾, with m the steps to the end of the episode or of the array."""
    T, mixed = len(s.rewards), np.zeros(len(s.rewards))
    for t in range(T):
        m = next((k + 1 for k in range(t, T) if s.dones[k]), T) - t
        for n in range(1, m + 1):
            weight = lam ** (n - 1) * (1.0 if n == m else 1 - lam)
            seen = sum(s.gamma**k * s.rewards[t + k] for k in range(n))
            ahead = 0.0 if s.dones[t + n - 1] else s.values[t + n]
            mixed[t] += weight * (seen + s.gamma**n * ahead - s.values[t])
    assert_close(f(*s, lam), (mixed, mixed + s.values[:-1]), LOOSE)


@claim(ref.gae, s=segments(), lam=decays)
def perfect_critic_leaves_no_advantage(f, s, lam):
    """V が将来の収益そのものなら、どの λ でもアドバンテージは 0 で、targets は V である。
    If V is the reward-to-go itself, every advantage is 0 for every λ, and targets is V."""
    returns = ref.rewards_to_go(s.rewards, s.dones, s.gamma, float(s.values[-1]))
    known = s._replace(values=np.append(returns, s.values[-1]))
    assert_close(f(*known, lam), (np.zeros(len(returns)), returns))


def after_the_first(s):
    return st.integers(1, len(s.rewards) - 1)


@claim(ref.gae, s=segments(least=2), k=after_the_first, lam=decays, c=st.sampled_from([1.0, -2.0, 0.5]))
def a_higher_value_is_an_advantage_before_it(f, s, k, lam, c):
    """V(s_k) を c だけ増やすと、(k より前に終端がなければ)Â_k は c だけ減り、Â_{k-1} は γ(1-λ)c だけ増え、さらに前へは一歩ごとに γλ 倍で伝わる。k より後は変わらない。
    Raising V(s_k) by c, with no end before k, lowers Â_k by c and raises Â_{k-1} by γ(1-λ)c, γλ times as much at each step further back, and nothing after k."""
    s = s._replace(dones=s.dones & (np.arange(len(s.dones)) >= k))
    raised = s._replace(values=s.values + c * (np.arange(len(s.values)) == k))
    change = np.zeros(len(s.rewards))
    change[:k] = s.gamma * (1 - lam) * c * (s.gamma * lam) ** np.arange(k - 1, -1, -1)
    change[k] = -c
    assert_close(f(*raised, lam)[0] - f(*s, lam)[0], change)


class Batch(NamedTuple):
    """The arguments of `a2c_loss`."""

    logits: Array
    values: Array
    actions: Ints
    advantages: Array
    returns: Array
    value_coef: float
    entropy_coef: float

    @property
    def likelihood(self):
        return likelihoods(self.logits, self.actions)


def entropies(logits):
    return np.array([-sum(np.exp(x) * x for x in row) for row in log_policy(logits)])


@st.composite
def batches(draw):
    logits, actions = draw(decisions())
    N = len(actions)
    return Batch(
        logits, draw(reals(N)), actions, draw(reals(N, zero=False)), draw(reals(N)),
        draw(st.sampled_from([0.5, 1.0, 0.25, 0.0])), draw(st.sampled_from([0.01, 0.5, 0.0])),
    )


@claim(ref.a2c_loss, b=batches())
def a2c_written_out(f, b):
    """サンプルごとの損失は -Â·log π(a) + c_v(G - V)² - β·H、微分は -Â(e_a - π) + β·π(log π + H) と 2c_v(V - G) で、どれもバッチについて平均する(N で割る)。
    Sample by sample the loss is -Â·log π(a) + c_v(G - V)² - β·H, its derivatives -Â(e_a - π) + β·π(log π + H) and 2c_v(V - G), all divided by N."""
    N, A = b.logits.shape
    logp, H, loss = log_policy(b.logits), entropies(b.logits), 0.0
    dlogits, dvalues = np.zeros((N, A)), np.zeros(N)
    for n, a in enumerate(b.actions):
        error = b.returns[n] - b.values[n]
        loss += (-b.advantages[n] * logp[n, a] + b.value_coef * error**2 - b.entropy_coef * H[n]) / N
        dvalues[n] = -2 * b.value_coef * error / N
        for j in range(A):
            pi = np.exp(logp[n, j])
            score = float(j == a) - pi
            dlogits[n, j] = (-b.advantages[n] * score + b.entropy_coef * pi * (logp[n, j] + H[n])) / N
    assert_close(f(*b), (loss, dlogits, dvalues))


@claim(ref.a2c_loss, b=batches(), turn=lambda b: reals(*b.logits.shape), move=lambda b: reals(len(b.values)))
def a2c_gradients(f, b, turn, move):
    """dlogits と dvalues は、アドバンテージと収益を定数とみなした損失の数値微分に一致する。dlogits の各行の和は 0 である。
    dlogits and dvalues are the difference quotients of the loss with advantages and returns held fixed; each row of dlogits sums to 0."""
    _, dlogits, dvalues = f(*b)
    slope = derivative(
        lambda x, v: ref.a2c_loss(*b._replace(logits=x, values=v))[0], [b.logits, b.values], [turn, move], STEP
    )
    assert_slope([dlogits, dvalues], [turn, move], slope)
    assert_close(dlogits.sum(axis=1), np.zeros(len(dlogits)))


@claim(ref.a2c_loss, b=batches())
def a2c_loss_has_three_parts(f, b):
    """損失は三つの和である: 方策 -mean(Â·log π(a))、価値 c_v·mean((G - V)²)、エントロピー -β·mean(H)。ほかの二つの重みを 0 にすると、それぞれだけが残る。
    The loss has three parts: the policy's -mean(Â·log π(a)), the value's c_v·mean((G - V)²), the entropy's -β·mean(H); each remains alone where the others weigh nothing."""
    nothing = 0 * b.advantages
    assert_close(f(*b._replace(value_coef=0.0, entropy_coef=0.0))[0], -float((b.advantages * b.likelihood).mean()))
    squares = float(((b.returns - b.values) ** 2).mean())
    assert_close(f(*b._replace(advantages=nothing, value_coef=1.0, entropy_coef=0.0))[0], squares)
    assert_close(
        f(*b._replace(advantages=nothing, value_coef=0.0, entropy_coef=1.0))[0], -float(entropies(b.logits).mean())
    )


@claim(ref.a2c_loss, b=batches())
def entropy_is_sought(f, b):
    """Â = 0、c_v = 0 なら、-dlogits の向きの小さな一歩でエントロピーは減らない。ロジットがすべて等しければ、H = log A で最大なので、損失は -β·log A、dlogits は 0 である。
    With Â = 0 and c_v = 0 a small step along -dlogits lowers no entropy; on equal logits H is log A, its maximum, so that the loss is -β·log A and dlogits is 0."""
    curious = b._replace(advantages=0 * b.advantages, value_coef=0.0, entropy_coef=0.5)
    _, dlogits, _ = f(*curious)
    assert_at_most(entropies(b.logits), entropies(b.logits - 0.01 * dlogits))
    loss, dlogits, dvalues = f(*curious._replace(logits=0 * b.logits))
    assert_close((loss, dlogits), (-0.5 * np.log(b.logits.shape[1]), 0 * b.logits))
    assert_close(dvalues, 0 * b.values)


class Surrogate(NamedTuple):
    """The arguments of `ppo_clip_loss`."""

    logits: Array
    actions: Ints
    old_logp: Array
    advantages: Array
    clip_range: float

    @property
    def ratio(self):
        return np.exp(likelihoods(self.logits, self.actions) - self.old_logp)

    def case(self, n):
        """Loss of one sample and the factor of its score in the gradient, by the sign of Â and the side of the ratio."""
        r, A, eps = self.ratio[n], self.advantages[n], self.clip_range
        if A > 0 and r > 1 + eps:
            return -(1 + eps) * A, 0.0
        if A < 0 and r < 1 - eps:
            return -(1 - eps) * A, 0.0
        return -r * A, -r * A

    def score(self, n):
        return np.eye(self.logits.shape[1])[self.actions[n]] - policy(self.logits)[n]


@st.composite
def surrogates(draw, most=5):
    """Ratios away from the kinks, and old probabilities of at most 1."""
    logits, actions = draw(decisions(most=most))
    far = np.array([1, 0.5, 2, 0.75, 1.3, 0.6, 1.6, 0.95, 1.04])
    ratio = far[draw(integers(len(actions), low=0, high=len(far) - 1))]
    pi = np.exp(likelihoods(logits, actions))
    ratio = np.where(pi <= ratio, ratio, 1 / ratio)
    advantages = draw(reals(len(actions), zero=False))
    return Surrogate(logits, actions, np.log(pi / ratio), advantages, draw(st.sampled_from([0.2, 0.1])))


@claim(ref.ppo_clip_loss, s=surrogates(), along=lambda s: reals(*s.logits.shape))
def ppo_gradient_and_ratio(f, s, along):
    """ratio は π(a|s)/π_old(a|s) で、渡されるのはその対数である。dlogits は損失の数値微分に一致する。
    ratio is π(a|s)/π_old(a|s), of which logarithms are passed in; dlogits is the difference quotient of the loss."""
    _, dlogits, ratio = f(*s)
    assert_close(ratio, s.ratio)
    slope = derivative(lambda x: ref.ppo_clip_loss(*s._replace(logits=x))[0], [s.logits], [along], STEP)
    assert_slope([dlogits], [along], slope)


@claim(ref.ppo_clip_loss, s=surrogates(most=1))
def ppo_is_cut_on_one_side(f, s):
    """1サンプルで、Â > 0 かつ r > 1+ε なら損失は -(1+ε)Â、Â < 0 かつ r < 1-ε なら -(1-ε)Â で、勾配は 0 である。ほかの場合は、範囲の外でも損失は -rÂ、勾配は -rÂ(e_a - π) である。
    One sample: for Â > 0 and r > 1+ε the loss is -(1+ε)Â, for Â < 0 and r < 1-ε it is -(1-ε)Â, and the gradient is 0; in all other cases, even outside, the loss is -rÂ and the gradient -rÂ(e_a - π)."""
    loss, weight = s.case(0)
    assert_close(f(*s), (float(loss), weight * s.score(0)[None], s.ratio))


@claim(ref.ppo_clip_loss, s=surrogates())
def ppo_averages_its_samples(f, s):
    """バッチの損失は1サンプルの損失の平均、dlogits の各行は1サンプルの勾配の 1/N で、ほかのサンプルによらない。損失は -mean(rÂ) を下回らない。
    The loss of a batch is the mean of its samples' losses, each row of dlogits is 1/N of its sample's gradient, whatever the other samples are, and the loss never lies below -mean(rÂ)."""
    N = len(s.actions)
    losses, weights = zip(*(s.case(n) for n in range(N)), strict=True)
    grads = np.array([weight * s.score(n) / N for n, weight in enumerate(weights)])
    found = f(*s)
    assert_close(found, (sum(losses) / N, grads, s.ratio))
    assert_at_most(-float((s.ratio * s.advantages).mean()), found[0])


def weighty(loss):
    """In float32 a loss keeps few digits where its terms cancel."""
    return lambda arguments: abs(loss(*arguments)[0]) > 0.02


@twin(on_tensors.a2c_loss_torch, b=batches().filter(weighty(ref.a2c_loss)))
def a2c_on_tensors(b):
    return tuple(b)


@twin(on_tensors.ppo_clip_loss_torch, s=surrogates().filter(weighty(ref.ppo_clip_loss)))
def ppo_on_tensors(s):
    return tuple(s)
