"""The laws of learning from experience.

Numbers, γ, α, ε and λ are quarters: a log of updates is then exact in binary, so that equal maxima stay equal in whatever
order a right answer adds, and every right answer of double Q chooses the same actions.
"""

from typing import NamedTuple

import numpy as np
from autograder.properties import (
    Tolerance, alike, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, integers, reals,
    shaped, twin,
)
from hypothesis import strategies as st

from reference import td_learning as ref
from reference import td_learning_torch as ref_torch
from reference.td_learning import RULES, Array, Flags, Indices

UNTOUCHED = Tolerance(0, 1e-12)
LONG_SUM = Tolerance(1e-6, 1e-8)
FIXED_POINT = Tolerance(0, 1e-8)  # what sixty sweeps leave of a fixed point

discounts = st.sampled_from([0.5, 0.25, 0.75, 1.0])
shares = st.sampled_from([0.5, 0.25, 0.75])
step_sizes = st.sampled_from([0.5, 0.25, 0.75, 1.0])
rules = st.sampled_from(RULES)


def flags(count):
    """One in four is True."""
    return integers(count, low=0, high=3).map(lambda drawn: drawn == 3)


class Path(NamedTuple):
    """Rewards on the way, and the values of the states passed."""

    rewards: Array
    values: Array

    @property
    def steps(self) -> int:
        return len(self.rewards)


@st.composite
def paths(draw, least=1):
    steps = draw(st.integers(least, 7))
    return Path(draw(reals(steps)), draw(reals(steps + 1)))


@claim(ref.n_step_targets, path=paths(), gamma=discounts)
def n1_is_td0(f, path, gamma):
    """n = 1 なら、どの時刻でも TD(0) の目標 r_t + γ·V(s_{t+1}) である。
    With n = 1 every target is that of TD(0): r_t + γ·V(s_{t+1})."""
    assert_close(f(*path, gamma, 1), path.rewards + gamma * path.values[1:])


@claim(ref.n_step_targets, path=paths(), gamma=discounts, more=st.integers(0, 3))
def n_large_is_monte_carlo(f, path, gamma, more):
    """n ≥ T なら最後までの収益 G_t = r_t + γ·G_{t+1} である。G_T は values[T] で、ほかの価値は使わない。
    With n ≥ T it is the whole return, G_t = r_t + γ·G_{t+1} with G_T = values[T]; no other value is used."""
    returns = [path.values[-1]]
    for reward in path.rewards[::-1]:
        returns.insert(0, reward + gamma * returns[0])
    assert_close(f(*path, gamma, path.steps + more), np.array(returns[:-1]))


@claim(ref.n_step_targets, path=paths(least=2), gamma=discounts, n=st.integers(2, 6))
def n_step_recursion(f, path, gamma, n):
    """n ステップの収益は、次の時刻の n-1 ステップの収益から r_t + γ·G で作られ、最後の時刻では n によらず r_{T-1} + γ·values[T] である。
    A return over n steps is r_t + γ times that over n-1 steps of the next moment; the last one is r_{T-1} + γ·values[T] for every n."""
    shorter = ref.n_step_targets(*path, gamma, n - 1)
    later = np.append(shorter[1:], path.values[-1])
    assert_close(f(*path, gamma, n), path.rewards + gamma * later)


@claim(ref.n_step_targets, path=paths(), gamma=discounts, n=st.integers(1, 8))
def n_step_telescopes(f, path, gamma, n):
    """n ステップの収益と V(s_t) の差は、min(n, T-t) 個の TD 誤差 δ_{t+k} = r_{t+k} + γV(s_{t+k+1}) - V(s_{t+k}) を γᵏ で割り引いた和である。
    The return over n steps minus V(s_t) is the sum of γᵏ·δ_{t+k} over min(n, T-t) TD errors δ_t = r_t + γV(s_{t+1}) - V(s_t)."""
    errors = path.rewards + gamma * path.values[1:] - path.values[:-1]
    sums = [sum(gamma**k * error for k, error in enumerate(errors[t : t + n])) for t in range(path.steps)]
    assert_close(f(*path, gamma, n) - path.values[:-1], np.array(sums), LONG_SUM)


def action_values():
    """Rows of action values, or one row."""
    return st.sampled_from(["A", "N A"]).flatmap(lambda axes: shaped(sizes={"A": (2, 4)}, q=axes)).map(lambda q: q[0])


@claim(ref.epsilon_greedy_probs, q=action_values(), epsilon=shares)
def epsilon_greedy_is_a_mixture(f, q, epsilon):
    """p(ε) = (1-ε)·p(0) + ε/A で、和は 1 である。p(0) は最大値の(等しければ添字の最も小さい)行動だけが 1、p(1) は一様である。
    p(ε) = (1-ε)·p(0) + ε/A and sums to 1; p(0) is 1 at the maximum (the lowest index of equal ones), p(1) is uniform."""
    actions = q.shape[-1]
    best = [max(range(actions), key=list(row).__getitem__) for row in q.reshape(-1, actions)]
    greedy = np.array([[float(a == b) for a in range(actions)] for b in best]).reshape(q.shape)
    assert_close(f(q, 0.0), greedy)
    assert_close(f(q, 1.0), np.full(q.shape, 1 / actions))
    probs = f(q, epsilon)
    assert_close(probs, (1 - epsilon) * greedy + epsilon / actions)
    assert_close(probs.sum(axis=-1), np.ones(q.shape[:-1]))


@claim(ref.epsilon_greedy_probs, row=reals(3), shift=st.integers(0, 2), epsilon=shares)
def first_of_equal_maxima_is_greedy(f, row, shift, epsilon):
    """最大値が等しい行動が二つあるときは、添字の小さい方だけが 1 - ε + ε/A で、もう一方はほかの行動と同じ ε/A である。
    Of two actions with the same greatest value the first alone has 1 - ε + ε/A; the second has ε/A like every other one."""
    q = np.insert(row, [shift, 3], row.max() + 1)
    expected = np.full(5, epsilon / 5)
    expected[shift] += 1 - epsilon
    assert_close(f(q, epsilon), expected)


class Batch(NamedTuple):
    """The arguments of `td_target` after the rule, in its order."""

    rewards: Array
    dones: Flags
    q_next: Array
    gamma: float
    next_actions: Indices
    epsilon: float
    q_select: Array

    def asked(self, rule):
        """As a call: the table that selects goes to double Q alone."""
        return rule, *self[: 7 if rule == "double_q" else 6]

    def value(self, rule, row):
        """What the next state of one transition is worth, written out."""
        q, greedy = self.q_next[row], np.argmax(self.q_next[row])
        if rule == "sarsa":
            return q[self.next_actions[row]]
        if rule == "q_learning":
            return max(q)
        if rule == "expected_sarsa":
            return sum((self.epsilon / len(q) + (1 - self.epsilon) * (a == greedy)) * q[a] for a in range(len(q)))
        return q[np.argmax(self.q_select[row])]


@st.composite
def batches(draw):
    count, actions = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    return Batch(
        draw(reals(count)), draw(flags(count)), draw(reals(count, actions)), draw(discounts),
        draw(integers(count, low=0, high=actions - 1)), draw(shares), draw(reals(count, actions)),
    )


@claim(ref.td_target, rule=rules, batch=batches(), c=st.sampled_from([1.0, -2.0, 0.5]))
def terminal_target_is_reward(f, rule, batch, c):
    """終端状態に着いたときの目標は、q_next が何であっても報酬だけである。終端でないときは、q_next のすべてに c を足すと目標は γ·c だけ増える。
    Where the next state is terminal the target is the reward, whatever q_next holds; elsewhere adding c to all of q_next adds γ·c."""
    ended = batch._replace(dones=np.ones_like(batch.dones))
    assert_close(f(*ended.asked(rule)), batch.rewards)
    going = batch._replace(dones=np.zeros_like(batch.dones))
    raised = going._replace(q_next=going.q_next + c)
    assert_close(f(*raised.asked(rule)), f(*going.asked(rule)) + batch.gamma * c)


@claim(ref.td_target, rule=rules, batch=batches())
def targets_written_out(f, rule, batch):
    """目標は r + γ·v で、v は sarsa では q(s',a')、q_learning では max q、expected_sarsa では ε-greedy の確率で重み付けした和、double_q では q_select が最大の行動の q_next である。終端では r だけである。
    The target is r + γ·v: v is q(s',a') for sarsa, max q for q_learning, the sum weighted by the ε-greedy probabilities for expected_sarsa, q_next at the best action of q_select for double_q; r alone where the next state is terminal."""
    written = [
        r if done else r + batch.gamma * batch.value(rule, row)
        for row, (r, done) in enumerate(zip(batch.rewards, batch.dones))
    ]
    assert_close(f(*batch.asked(rule)), np.array(written))


@claim(ref.td_target, batch=batches())
def q_learning_is_best_sarsa(f, batch):
    """Q学習の目標は、次の行動 a' をすべて試した SARSA の目標の最大値で、実際の a' には依存しない。a' = j の SARSA の目標は r + γ·q_next[:, j](終端では r)である。
    The target of Q-learning is the greatest of the SARSA targets over all a' and does not depend on the a' taken; that of SARSA with a' = j is r + γ·q_next[:, j] (r where terminal)."""
    values = np.where(batch.dones[:, None], 0, batch.q_next)
    count, actions = values.shape
    of_action = [f(*batch._replace(next_actions=np.full(count, j)).asked("sarsa")) for j in range(actions)]
    assert_close(np.stack(of_action, axis=1), batch.rewards[:, None] + batch.gamma * values)
    best = np.max([batch.rewards + batch.gamma * values[:, j] for j in range(actions)], axis=0)
    assert_close(f(*batch.asked("q_learning")), best)
    assert_close(f("q_learning", *batch[:4]), best)


@claim(ref.td_target, batch=batches())
def expected_sarsa_interpolates(f, batch):
    """期待 SARSA の目標は、ε = 0 では Q学習、ε = 1 では r + γ·(q_next の平均) で、その間は ε の1次式である。ε-greedy の確率で SARSA の目標を平均したものでもある。
    The target of expected SARSA is Q-learning's at ε = 0, r + γ·(mean of q_next) at ε = 1, and linear in ε between; it is the mean of the SARSA targets under the ε-greedy probabilities."""
    values = np.where(batch.dones[:, None], 0, batch.q_next)
    greedy, uniform = (batch.rewards + batch.gamma * v for v in (values.max(axis=1), values.mean(axis=1)))
    assert_close(f(*batch._replace(epsilon=0.0).asked("expected_sarsa")), greedy)
    assert_close(f(*batch._replace(epsilon=1.0).asked("expected_sarsa")), uniform)
    between = f(*batch.asked("expected_sarsa"))
    assert_close(between, (1 - batch.epsilon) * greedy + batch.epsilon * uniform)
    of_action = batch.rewards[:, None] + batch.gamma * values
    assert_close(between, (ref.epsilon_greedy_probs(batch.q_next, batch.epsilon) * of_action).sum(axis=1))


@claim(ref.td_target, batch=batches(), a=st.sampled_from([0.5, 2.0, 4.0]), c=st.sampled_from([1.0, -2.0]))
def double_q_decouples(f, batch, a, c):
    """double_q では q_select は行動を選ぶだけである。正の数を掛けても同じ数を足しても目標は変わらず、行動 j が最大なら目標は r + γ·q_next[:, j](終端では r)になる。q_select = q_next なら Q学習と同じで、Q学習の目標を超えることはない。
    Under double_q, q_select only chooses: scaling it by a positive number or shifting it changes nothing, and where its best action is j the target is r + γ·q_next[:, j] (r where terminal); with q_select = q_next it is Q-learning, and it never exceeds the target of Q-learning."""
    target = f(*batch.asked("double_q"))
    assert_close(f(*batch._replace(q_select=a * batch.q_select + c).asked("double_q")), target)
    values = np.where(batch.dones[:, None], 0, batch.q_next)
    for j, choice in enumerate(np.eye(values.shape[1])):
        chosen = batch._replace(q_select=np.tile(choice, (len(values), 1)))
        assert_close(f(*chosen.asked("double_q")), batch.rewards + batch.gamma * values[:, j])
    q_learning = batch.rewards + batch.gamma * values.max(axis=1)
    assert_close(f(*batch._replace(q_select=batch.q_next).asked("double_q")), q_learning)
    assert_at_most(target, q_learning)


STATES, ACTIONS = 4, 3


class Log(NamedTuple):
    """The arguments of `tabular_control` after the table, in its order."""

    states: Indices
    actions: Indices
    rewards: Array
    next_states: Indices
    next_actions: Indices
    dones: Flags
    alpha: float
    gamma: float
    epsilon: float
    which: Indices

    @property
    def steps(self) -> int:
        return len(self.states)

    def asked(self, rule, Q):
        """As a call: the coins go to double Q alone."""
        return rule, Q, *self[: 10 if rule == "double_q" else 9]

    def part(self, start, stop):
        """Some of the steps."""
        return self._replace(**{c: getattr(self, c)[start:stop] for c in (*Log._fields[:6], "which")})


@st.composite
def logs(draw, least=1, most=8):
    steps = draw(st.integers(least, most))
    return Log(
        draw(integers(steps, low=0, high=STATES - 1)), draw(integers(steps, low=0, high=ACTIONS - 1)), draw(reals(steps)),
        draw(integers(steps, low=0, high=STATES - 1)), draw(integers(steps, low=0, high=ACTIONS - 1)), draw(flags(steps)),
        draw(step_sizes), draw(discounts), draw(shares), draw(integers(steps, low=0, high=1)),
    )


def tables(rule):
    """One table of action values, or two for double Q."""
    return reals(2, STATES, ACTIONS) if rule == "double_q" else reals(STATES, ACTIONS)


def followed(rule, Q, log):
    """The table after a log, and the δ of every step, in plain lists."""
    table, deltas = Q.tolist(), []
    for t in range(log.steps):
        row, s, a = table[log.next_states[t]], log.states[t], log.actions[t]
        value = {
            "sarsa": row[log.next_actions[t]],
            "q_learning": max(row),
            "expected_sarsa": log.epsilon * sum(row) / len(row) + (1 - log.epsilon) * max(row),
        }[rule]
        deltas.append(log.rewards[t] + (0 if log.dones[t] else log.gamma * value) - table[s][a])
        table[s][a] += log.alpha * deltas[-1]
    return np.array(table), np.array(deltas)


@claim(ref.tabular_control, Q=tables("one"), log=logs())
def control_log_written_out(f, Q, log):
    """記録を先頭から順にたどり、各ステップは直前までに更新された表から δ = 目標 - Q(s,a) を求め、Q(s,a) に αδ を足す(sarsa, q_learning, expected_sarsa)。
    The log is worked through in order: each step finds δ = target - Q(s,a) in the table as the step before left it and adds αδ to Q(s,a) (sarsa, q_learning, expected_sarsa)."""
    assert_close([f(*log.asked(rule, Q)) for rule in RULES[:3]], [followed(rule, Q, log) for rule in RULES[:3]])


@claim(ref.tabular_control, Q=tables("double_q"), log=logs())
def double_q_log_written_out(f, Q, log):
    """double_q では、ステップ t で更新されるのは表 which[t] である。その表が s' での行動を選び、もう一方の表がその値を与える。どちらも直前までに更新された表を読む。
    Under double_q step t updates the table which[t]: this table chooses the action in s', the other one gives its value, both read as the step before left them."""
    both, deltas = Q.tolist(), []
    for t in range(log.steps):
        mine, other = both[log.which[t]], both[1 - log.which[t]]
        s, a, chooser = log.states[t], log.actions[t], mine[log.next_states[t]]
        value = other[log.next_states[t]][chooser.index(max(chooser))]
        deltas.append(log.rewards[t] + (0 if log.dones[t] else log.gamma * value) - mine[s][a])
        mine[s][a] += log.alpha * deltas[-1]
    assert_close(f(*log.asked("double_q", Q)), (np.array(both), np.array(deltas)))


@claim(ref.tabular_control, rule=rules, Q=tables, log=logs(most=1))
def tabular_moves_one_entry(f, rule, Q, log):
    """1回の遷移で変わるのは Q(s,a) だけで、α·δ だけ動く(δ = 目標 - 古い値)。α = 1 なら目標そのものになり、α = 0 なら何も変わらない。
    One transition moves Q(s,a) alone, by α·δ with δ = target - old value; α = 1 writes the target itself, α = 0 changes nothing."""
    table, other = (Q[log.which[0]], Q[1 - log.which[0]]) if rule == "double_q" else (Q, Q)
    target = ref.td_target(
        rule, log.rewards, log.dones, other[log.next_states], log.gamma, log.next_actions, log.epsilon, table[log.next_states]
    )[0]
    moved = np.zeros(Q.shape, bool)
    moved[(log.which[0], log.states[0], log.actions[0])[-Q.ndim :]] = True
    old = float(Q[moved][0])
    for alpha in (log.alpha, 1.0, 0.0):
        new, deltas = f(*log._replace(alpha=alpha).asked(rule, Q))
        assert_close(deltas, np.array([target - old]))
        assert_close(new[moved], np.array([old + alpha * (target - old)]))
        assert_close(new[~moved], Q[~moved], UNTOUCHED)


@claim(
    ref.tabular_control, rule=rules, Q=tables, log=logs(least=2), cut=lambda log: st.integers(1, log.steps - 1),
    x=reals(1, 1), c=reals(1),
)
def tabular_is_sequential(f, rule, Q, log, cut, x, c):
    """記録を二つに分けて続けて処理しても、一度に処理したときと同じである。行動が一つの状態 1 個で自分に戻り続ける(報酬 c)なら、Q は毎回 (1-α(1-γ))Q + αc になる。
    A log worked through in two parts, one after the other, gives what one call gives; a lone state with one action that returns to itself with reward c makes Q ← (1-α(1-γ))Q + αc at every step."""
    whole, deltas = f(*log.asked(rule, Q))
    middle, first = ref.tabular_control(*log.part(0, cut).asked(rule, Q))
    assert_close(f(*log.part(cut, None).asked(rule, middle)), (whole, deltas[cut:]))
    assert_close(deltas[:cut], first)
    nowhere = np.zeros(log.steps, int)
    loop = log._replace(
        states=nowhere, actions=nowhere, rewards=np.full(log.steps, c[0]), next_states=nowhere, next_actions=nowhere,
        dones=np.zeros(log.steps, bool),
    )
    value = float(x[0, 0])
    for _ in range(log.steps):
        value = (1 - log.alpha * (1 - log.gamma)) * value + log.alpha * float(c[0])
    assert_close(f(*loop.asked("q_learning", x))[0], np.array([[value]]))


class World(NamedTuple):
    """A deterministic decision process and a policy in it."""

    to: Indices
    rewards: Array
    ends: Flags
    policy: Indices

    def fixed_point(self, gamma, best):
        """Q* where `best`, else Q of the policy, by sweeps over all pairs."""
        Q = np.zeros(self.rewards.shape)
        for _ in range(60):
            V = Q.max(axis=1) if best else Q[np.arange(STATES), self.policy]
            Q = self.rewards + gamma * np.where(self.ends, 0, V[self.to])
        return Q


@st.composite
def worlds(draw):
    return World(
        draw(integers(STATES, ACTIONS, low=0, high=STATES - 1)), draw(reals(STATES, ACTIONS)),
        draw(flags(STATES * ACTIONS)).reshape(STATES, ACTIONS), draw(integers(STATES, low=0, high=ACTIONS - 1)),
    )


@claim(ref.tabular_control, world=worlds(), log=logs(least=8), gamma=st.sampled_from([0.5, 0.25]))
def optimal_table_is_a_fixed_point(f, world, log, gamma):
    """決定的な環境では、最適行動価値 Q* の表はどんな行動の記録でも Q学習で変わらず(δ = 0)、方策 μ の行動価値の表は、次の行動が μ に従う記録では SARSA で変わらない。
    In a deterministic world Q-learning leaves the table of Q* alone (δ = 0) for the log of any behaviour, and SARSA leaves that of a policy μ alone if the next actions of the log follow μ."""
    at = log.states, log.actions
    seen = log._replace(rewards=world.rewards[at], next_states=world.to[at], dones=world.ends[at], gamma=gamma)
    best = world.fixed_point(gamma, best=True)
    assert_close(f(*seen.asked("q_learning", best)), (best, np.zeros(log.steps)), FIXED_POINT)
    followed = seen._replace(next_actions=world.policy[seen.next_states])
    own = world.fixed_point(gamma, best=False)
    assert_close(f(*followed.asked("sarsa", own)), (own, np.zeros(log.steps)), FIXED_POINT)


@claim(ref.tabular_control, Q=tables("double_q"), log=logs())
def double_q_symmetry(f, Q, log):
    """double_q の二つの表は対等である。表を入れ替えて which も反転すれば、結果の表が入れ替わるだけで δ は変わらない。which が一度も指さない表は変わらない。
    The two tables of double_q are equals: swapping them and flipping which swaps the result and keeps δ; a table that which never names does not change."""
    (first, second), deltas = f(*log.asked("double_q", Q))
    flipped = log._replace(which=1 - log.which)
    assert_close(f(*flipped.asked("double_q", Q[::-1].copy())), (np.stack((second, first)), deltas))
    for named in (0, 1):
        both, _ = f(*log._replace(which=np.full(log.steps, named)).asked("double_q", Q))
        assert_close(both[1 - named], Q[1 - named], UNTOUCHED)


class Walk(NamedTuple):
    """The arguments of `td_lambda` but the kind of trace, in its order."""

    V: Array
    states: Indices
    rewards: Array
    next_states: Indices
    dones: Flags
    alpha: float
    gamma: float
    lam: float

    @property
    def steps(self) -> int:
        return len(self.states)

    def visits(self, t, x):
        """Steps up to t at which x was visited in the episode of t."""
        start = max((k + 1 for k in range(t) if self.dones[k]), default=0)
        return [k for k in range(start, t + 1) if self.states[k] == x]

    def trace(self, t, x, kind):
        """The trace of x at t as a sum over visits."""
        visits = self.visits(t, x)[-1 if kind == "replacing" else 0 :]
        return sum((self.gamma * self.lam) ** (t - k) for k in visits)

    def traces(self, kind):
        return np.array([[float(self.trace(t, x, kind)) for x in range(len(self.V))] for t in range(self.steps)])


@st.composite
def walks(draw, states, least=1):
    steps = draw(st.integers(least, 8))
    places = integers(steps, low=0, high=states - 1)
    return Walk(
        draw(reals(states)), draw(places), draw(reals(steps)), draw(places), draw(flags(steps)),
        draw(step_sizes), draw(discounts), draw(discounts),
    )


kinds = st.sampled_from(["accumulating", "replacing"])


@claim(ref.td_lambda, walk=walks(states=3, least=2), kind=kinds)
def lambda_log_written_out(f, walk, kind):
    """各ステップの δ は直前までに更新された V から求め、V 全体に α·δ·e を足す。e(x) は、今のエピソードで x を訪れた時刻 k についての (γλ)^(t-k) の和(replacing では最後の訪問の分だけ)である。
    Each step takes δ from V as the step before left it and adds α·δ·e to all of V; e(x) is the sum of (γλ)^(t-k) over the visits k of x in the current episode (for replacing, of the last visit alone)."""
    V, traces = walk.V.tolist(), walk.traces(kind)
    for t in range(walk.steps):
        ahead = 0 if walk.dones[t] else walk.gamma * V[walk.next_states[t]]
        delta = walk.rewards[t] + ahead - V[walk.states[t]]
        V = [v + walk.alpha * delta * e for v, e in zip(V, traces[t])]
    assert_close(f(*walk, kind), (np.array(V), traces))


@st.composite
def straight_walks(draw):
    """One episode that visits no state twice and ends."""
    steps = draw(st.integers(1, 6))
    order = np.array(draw(st.permutations(range(steps + 1))))
    return Walk(
        draw(reals(steps + 1)), order[:-1], draw(reals(steps)), order[1:], np.arange(steps) == steps - 1,
        draw(step_sizes), draw(discounts), draw(discounts),
    )


@claim(ref.td_lambda, walk=straight_walks(), kind=kinds)
def td_lambda_backward_is_forward(f, walk, kind):
    """同じ状態を2度訪れないエピソードでは、新しい価値は V + α(G^λ - V) で、G^λ_t = r_t + γ((1-λ)V(s_{t+1}) + λG^λ_{t+1}) である。λ = 1 ならモンテカルロ法の更新になる。
    In an episode that visits no state twice the new value is V + α(G^λ - V), where G^λ_t = r_t + γ((1-λ)V(s_{t+1}) + λG^λ_{t+1}); with λ = 1 it is the update of Monte Carlo."""
    for lam in (walk.lam, 1.0):
        expected, later = walk.V.copy(), 0.0
        for t in reversed(range(walk.steps)):
            ahead = 0.0 if walk.dones[t] else (1 - lam) * walk.V[walk.next_states[t]] + lam * later
            later = walk.rewards[t] + walk.gamma * ahead
            expected[walk.states[t]] += walk.alpha * (later - walk.V[walk.states[t]])
        assert_close(f(*walk._replace(lam=lam), kind)[0], expected, LONG_SUM)


@claim(ref.td_lambda, walk=walks(states=4), kind=kinds)
def traces_count_visits(f, walk, kind):
    """使われる適格度トレースは、accumulating では今のエピソードでの訪問ごとの (γλ)^(経過ステップ数) の和、replacing では最後の訪問の分だけ(1 以下)である。終端のステップの後は 0 から始まる。
    The trace that is used is the sum of (γλ)^(steps since) over the visits in the current episode (accumulating), or that of the last visit alone, at most 1 (replacing); after a terminal step it starts from 0."""
    traces = f(*walk, kind)[1]
    assert_close(traces, walk.traces(kind))
    assert_at_most(f(*walk, "replacing")[1], np.ones_like(traces))


class Replayed(NamedTuple):
    """The arguments of `dqn_loss`, in its order."""

    q: Array
    actions: Indices
    rewards: Array
    dones: Flags
    q_next: Array
    gamma: float
    delta: float
    q_next_online: Array | None

    @property
    def taken(self):
        """Where the actions lie in q."""
        return np.arange(len(self.q)), self.actions

    @property
    def targets(self):
        """y, written out."""
        choosing = self.q_next if self.q_next_online is None else self.q_next_online
        value = [row[list(chooser).index(max(chooser))] for row, chooser in zip(self.q_next, choosing)]
        return self.rewards + self.gamma * (1 - self.dones) * value

    @property
    def errors(self):
        return self.targets - self.q[self.taken]


@st.composite
def replayed(draw, deltas=(1.0, 0.5, 2.5, np.inf)):
    count, actions = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    values = reals(count, actions)
    double = draw(st.sampled_from([False, True, True]))
    return Replayed(
        draw(values), draw(integers(count, low=0, high=actions - 1)), draw(reals(count)), draw(flags(count)), draw(values),
        draw(discounts), draw(st.sampled_from(deltas)), draw(values) if double else None,
    )


@claim(ref.dqn_loss, batch=replayed())
def dqn_loss_written_out(f, batch):
    """誤差 e = y - Q(s,a) について、損失は |e| ≤ δ なら ½e²、それより大きければ δ(|e| - ½δ) のバッチ平均である。y = r + γ·(q_next の最大値、q_next_online があればそれが選ぶ行動の q_next)。dq は取った行動で -clip(e, ±δ)/N、ほかは 0 である。
    With e = y - Q(s,a) the loss is the batch mean of ½e² where |e| ≤ δ and δ(|e| - ½δ) beyond; y = r + γ·(max of q_next or, given q_next_online, q_next at the action it chooses). dq is -clip(e, ±δ)/N at the action taken, 0 elsewhere."""
    each = [e**2 / 2 if abs(e) <= batch.delta else batch.delta * (abs(e) - batch.delta / 2) for e in batch.errors]
    dq = np.zeros(batch.q.shape)
    dq[batch.taken] = [-max(-batch.delta, min(batch.delta, e)) / len(batch.q) for e in batch.errors]
    assert_close(f(*batch), (float(np.mean(each)), dq))


# These δ lie between the sixteenths of which every error is made: no difference quotient meets the kink.
@claim(ref.dqn_loss, batch=replayed(deltas=(1.1, 0.6, np.inf)), direction=lambda batch: alike(batch.q))
def dqn_gradient(f, batch, direction):
    """dq と任意の方向との内積は、目標を定数とみなした損失のその方向への差分商に等しい。dq は取った行動以外では 0 で、どの要素の大きさも δ/N を超えない。
    The inner product of dq with a direction is the slope of the loss along it, the target held constant; dq is 0 at the actions not taken, and no entry exceeds δ/N in size."""
    _, dq = f(*batch)
    assert_slope([dq], direction, derivative(lambda q: ref.dqn_loss(q, *batch[1:])[0], [batch.q], direction, step=1e-6))
    elsewhere = np.ones(batch.q.shape, bool)
    elsewhere[batch.taken] = False
    assert_close(dq[elsewhere], 0, UNTOUCHED)
    if np.isfinite(batch.delta):
        assert_at_most(np.abs(dq), np.full(dq.shape, batch.delta / len(dq)))


@claim(ref.dqn_loss, batch=replayed(), side=st.sampled_from([1, -1]))
def dqn_loss_limits(f, batch, side):
    """δ = ∞ なら損失は ½(y - Q(s,a))² の平均である。Q(s,a) = y なら損失も勾配も 0、すべての誤差が 10 で δ = 1 なら損失は 9.5、取った行動の勾配の大きさは 1/N である。
    With δ = ∞ the loss is the mean of ½(y - Q(s,a))²; where Q(s,a) = y loss and gradient are 0; a miss of 10 everywhere at δ = 1 costs 9.5 and has a gradient of size 1/N at the action taken."""
    rule = "q_learning" if batch.q_next_online is None else "double_q"
    y = ref.td_target(rule, batch.rewards, batch.dones, batch.q_next, batch.gamma, q_select=batch.q_next_online)
    squared = f(*batch._replace(delta=np.inf))[0]
    assert_close(squared, float(np.mean((y - batch.q[batch.taken]) ** 2) / 2))
    hit, missed, slope = batch.q.copy(), batch.q.copy(), np.zeros(batch.q.shape)
    hit[batch.taken], missed[batch.taken], slope[batch.taken] = y, y + 10 * side, side / len(y)
    assert_close(f(*batch._replace(q=hit)), (0.0, np.zeros(batch.q.shape)))
    assert_close(f(*batch._replace(q=missed, delta=1.0)), (9.5, slope))


capacities = st.integers(1, 12)


@st.composite
def totals(draw, capacity):
    """As often a ring in its first round as one that has been overwritten, once or several times."""
    return draw(st.sampled_from([0, 0, 1, 3])) * capacity + draw(st.integers(1, capacity))


@claim(ref.replay_sample, capacity=capacities, total=totals)
def replay_keeps_the_newest(f, capacity, total):
    """スロットごとに1回ずつ引くと、最も新しい min(total, capacity) 個の経験がちょうど1回ずつ出る。id を capacity で割った余りは、引いたスロット ⌊u·size⌋ である。
    One draw from each slot returns each of the newest min(total, capacity) transitions exactly once; id mod capacity is the slot ⌊u·size⌋ drawn."""
    size = min(total, capacity)
    drawn = f(total, capacity, (np.arange(size) + 0.5) / size)
    assert_equal(np.sort(drawn), np.arange(total - size, total))
    assert_equal(drawn % capacity, np.arange(size))


@claim(
    ref.replay_sample, count=st.integers(1, 8), capacity=capacities, total=totals,
    slots=lambda total, capacity, count: integers(count, low=0, high=min(total, capacity) - 1),
    within=lambda count: integers(count, low=1, high=3),
)
def replay_reads_the_ring(f, count, capacity, total, slots, within):
    """経験 0, 1, …, total-1 を順に capacity 個のスロットへ(一周したら上書きして)入れたとき、u で引かれるのはスロット ⌊u·min(total, capacity)⌋ にあるものである。
    With 0, 1, …, total-1 put into `capacity` slots in turn, overwriting from the second round on, u draws what lies in slot ⌊u·min(total, capacity)⌋."""
    ring = {k % capacity: k for k in range(total)}
    u = (slots + within / 4) / min(total, capacity)
    assert_equal(f(total, capacity, u), np.array([ring[slot] for slot in slots]))


@twin(ref_torch.td_target_torch, rule=rules, batch=batches())
def targets_on_tensors(rule, batch):
    return batch.asked(rule)


@twin(ref_torch.dqn_loss_torch, batch=replayed(deltas=(1.0, 0.5, 2.5)))
def losses_on_tensors(batch):
    return tuple(batch)
