"""The laws of gated cells. Slopes, and the steps of a sequence, come from the reference; formulas are written out here."""

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from autograder.properties import (
    GRADIENT, Tolerance, alike, assert_at_most, assert_close, assert_equal, assert_slope, claim, derivative, reals, twin,
)
from hypothesis import strategies as st

from reference import gated_rnn as ref
from reference import gated_rnn_torch as ref_torch
from reference.gated_rnn import Array

INVERSE = Tolerance(1e-6, 1e-8, (1e-3, 1e-3, 0))  # of σ, of tanh, and of a difference: some digits are lost

small = st.integers(1, 3)
inner = partial(reals, low=-1, high=1)
narrow = partial(reals, low=-0.5, high=0.5)
levels = st.sampled_from([60.0, 800.0])  # a bias that shuts or opens a gate: 60 to the last digit, 800 beyond what exp can do


def logistic(a):
    return 1 / (1 + np.exp(-a))


class Blocks:
    """Weights whose blocks stand side by side, in the order of `names`."""

    names = ""

    @property
    def H(self) -> int:
        return len(self.Wh)

    def at(self, name: str) -> slice:
        k = self.names.index(name)
        return slice(k * self.H, (k + 1) * self.H)

    def with_bias(self, where="b", **levels: float):
        """The same with constants for whole blocks of a bias."""
        bias = getattr(self, where).copy()
        for name, level in levels.items():
            bias[self.at(name)] = level
        return self._replace(**{where: bias})

    def shares(self, name: str, n: int, j: int) -> tuple[float, float]:
        """What x and h of sample n add to unit j of a block, number by number."""
        column = self.at(name).start + j
        of_x = sum(float(value * weight) for value, weight in zip(self.x[n], self.Wx[:, column]))
        return of_x, sum(float(value * weight) for value, weight in zip(self.h[n], self.Wh[:, column]))


class LstmArguments(NamedTuple):
    """The arguments of `lstm_step`, in its order."""

    x: Array
    h: Array
    c: Array
    Wx: Array
    Wh: Array
    b: Array


class Lstm(Blocks, LstmArguments):
    names = "ifgo"

    def logits(self) -> dict[str, Array]:
        """The sums before the activations."""
        return {k: self.x @ self.Wx[:, self.at(k)] + self.h @ self.Wh[:, self.at(k)] + self.b[self.at(k)] for k in "ifgo"}

    def sample(self, n: int):
        """A batch of one."""
        return self._replace(x=self.x[n : n + 1], h=self.h[n : n + 1], c=self.c[n : n + 1])


@st.composite
def lstms(draw, N=small, x=reals, weights=inner):
    """A small LSTM and a batch to run it on."""
    N, D, H = draw(N), draw(small), draw(small)
    drawn = [draw(numbers(*shape)) for numbers, shape in (
        (x, (N, D)), (inner, (N, H)), (reals, (N, H)), (weights, (D, 4 * H)), (weights, (H, 4 * H)), (weights, (4 * H,))
    )]
    return Lstm(*drawn)


class GruArguments(NamedTuple):
    """The arguments of `gru_step`, in its order."""

    x: Array
    h: Array
    Wx: Array
    Wh: Array
    bx: Array
    bh: Array


class Gru(Blocks, GruArguments):
    names = "rzn"

    def parts(self) -> tuple[Array, ...]:
        """r, z, n, and the product that r multiplies."""
        of_x, of_h = self.x @ self.Wx + self.bx, self.h @ self.Wh + self.bh
        r, z = (logistic(of_x[:, self.at(k)] + of_h[:, self.at(k)]) for k in "rz")
        product = of_h[:, self.at("n")]
        return r, z, np.tanh(of_x[:, self.at("n")] + r * product), product

    def sample(self, n: int):
        """A batch of one."""
        return self._replace(x=self.x[n : n + 1], h=self.h[n : n + 1])


@st.composite
def grus(draw, N=small, H=small):
    """A small GRU and a batch to run it on; no gate is saturated."""
    N, D, H = draw(N), draw(small), draw(H)
    shapes = (N, D), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
    return Gru(*(draw(inner(*shape)) for shape in shapes))


@claim(ref.lstm_step, cell=lstms())
def lstm_step_follows_the_four_equations(f, cell):
    """i, f, o は σ(x Wx + h Wh + b)、g は同じ和の tanh(それぞれ自分のブロックの重みを使う)で、c′ = f⊙c + i⊙g、h′ = o⊙tanh(c′) である。
    i, f, o are σ(x Wx + h Wh + b), g is tanh of such a sum (each with its own block of the weights), c′ = f⊙c + i⊙g and h′ = o⊙tanh(c′)."""
    h_new, c_new, gates = (np.zeros((len(cell.x), k * cell.H)) for k in (1, 1, 4))
    for n, j in np.ndindex(*cell.h.shape):
        gate = {}
        for name in "ifgo":
            a = sum(cell.shares(name, n, j)) + float(cell.b[cell.at(name)][j])
            gate[name] = math.tanh(a) if name == "g" else 1 / (1 + math.exp(-a))
            gates[n, cell.at(name).start + j] = gate[name]
        c_new[n, j] = gate["f"] * cell.c[n, j] + gate["i"] * gate["g"]
        h_new[n, j] = gate["o"] * math.tanh(c_new[n, j])
    assert_close(f(*cell), (h_new, c_new, gates))


@claim(ref.lstm_step, cell=lstms())
def lstm_gates_are_in_range_and_recompose(f, cell):
    """三つ目の結果は i, f, g, o の順で、i, f, o は 0 以上 1 以下、g は -1 以上 1 以下であり、これらから c′ = f⊙c + i⊙g と h′ = o⊙tanh(c′) が得られる。
    The third result holds i, f, g, o in this order, i, f, o within [0, 1] and g within [-1, 1], and from them follow c′ = f⊙c + i⊙g and h′ = o⊙tanh(c′)."""
    h_new, c_new, gates = f(*cell)
    i, forget, g, o = np.split(gates, 4, axis=-1)
    for gate in (i, forget, o):
        assert_at_most(gate, 1.0)
        assert_at_most(-gate, 0.0)
    assert_at_most(abs(g), 1.0)
    assert_close(c_new, forget * cell.c + i * g)
    assert_close(h_new, o * np.tanh(c_new))


@claim(ref.lstm_step, cell=lstms(x=inner, weights=narrow))
def lstm_gate_logits_are_affine(f, cell):
    """ゲートの値を σ と tanh の逆関数で戻すと、x Wx + h Wh + b の i, f, g, o の各ブロックになる(ほかに足すものはない)。
    Undoing σ and tanh on the returned gates gives the blocks i, f, g, o of x Wx + h Wh + b, and nothing is added to these."""
    gates = dict(zip("ifgo", np.split(f(*cell)[2], 4, axis=-1)))
    with np.errstate(all="ignore"):  # a wrong gate may lie outside (0, 1)
        found = [np.arctanh(gates[k]) if k == "g" else np.log(gates[k] / (1 - gates[k])) for k in "ifgo"]
    assert_close(found, list(cell.logits().values()), INVERSE)


@claim(ref.lstm_step, cell=lstms(), level=levels)
def lstm_constant_error_carousel(f, cell, level):
    """f = 1 なら、c′ は i = 0 で c のまま、i = 1 で c + g になり、f = 0 なら c′ = i⊙g である(バイアス ±60 か ±800 で開閉する)。
    With f = 1, c′ is c where i = 0 and c + g where i = 1; with f = 0 it is i⊙g (gates opened and shut by biases of ±60 or ±800)."""
    a = cell.logits()
    i, g = logistic(a["i"]), np.tanh(a["g"])
    assert_close(f(*cell.with_bias(f=level, i=-level))[1], cell.c)
    assert_close(f(*cell.with_bias(f=level, i=level))[1], cell.c + g)
    assert_close(f(*cell.with_bias(f=-level))[1], i * g)


@claim(ref.lstm_step, cell=lstms(), level=levels)
def lstm_output_gate_only_hides(f, cell, level):
    """出力ゲートを閉じる(バイアス -60 か -800)と h′ = 0 になるが、c′ は変わらない。
    Shutting the output gate (a bias of -60 or -800) makes h′ = 0 and leaves c′ as it is."""
    h_new, c_new, _ = f(*cell.with_bias(o=-level))
    assert_close(h_new, 0)
    assert_close(c_new, f(*cell)[1])


@claim(ref.lstm_step, cell=lstms(), d=lambda cell: reals(*cell.c.shape, zero=False))
def lstm_cell_is_affine_in_the_old_cell(f, cell, d):
    """c に d を足すと c′ は f⊙d だけ増え、ゲートは変わらない(f は返した忘却ゲートの値)。
    Adding d to c adds f⊙d to c′ and leaves the gates (f being the forget gate that you return)."""
    _, before, gates = f(*cell)
    _, after, same = f(*cell._replace(c=cell.c + d))
    assert_close(after, before + gates[:, cell.at("f")] * d)
    assert_close(same, gates)


class RunArguments(NamedTuple):
    """The arguments of `lstm_sequence`, in its order."""

    x: Array
    h0: Array
    c0: Array
    Wx: Array
    Wh: Array
    b: Array


@st.composite
def runs(draw, least=2):
    """A small LSTM and the sequences to run it on."""
    N, T, D, H = draw(small), draw(st.integers(least, 5)), draw(small), draw(small)
    start = partial(reals, low=-0.75, high=0.75, zero=False)
    x, h0, c0 = draw(reals(N, T, D)), draw(start(N, H)), draw(start(N, H))
    return RunArguments(x, h0, c0, *(draw(inner(*shape)) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))))


@claim(ref.lstm_sequence, run=runs())
def sequence_repeats_the_step(f, run):
    """どの時刻の h と c も、一つ前の時刻の h と c(最初は h0 と c0)から lstm_step を 1 回行った結果である。
    At every step h and c are what one lstm_step makes of the h and c before it (h0 and c0 at first)."""
    hs, cs = (np.asarray(states) for states in f(*run))
    h, c = (np.concatenate((first[:, None], states[:, :-1]), axis=1) for first, states in ((run.h0, hs), (run.c0, cs)))
    steps = [ref.lstm_step(run.x[:, t], h[:, t], c[:, t], *run[3:])[:2] for t in range(run.x.shape[1])]
    assert_close((hs, cs), tuple(np.stack(states, axis=1) for states in zip(*steps)))


@claim(ref.lstm_sequence, run=runs(), k=lambda run: st.integers(1, run.x.shape[1] - 1))
def sequence_can_be_resumed(f, run, k):
    """k 時刻で止めて最後の h と c から再開しても、続けて走らせたときと同じ状態になる。
    Stopping after k steps and going on from the last h and c gives the states of one run."""
    hs, cs = f(*run._replace(x=run.x[:, :k]))
    more = f(*run._replace(x=run.x[:, k:], h0=hs[:, -1], c0=cs[:, -1]))
    assert_close([np.concatenate(parts, axis=1) for parts in zip((hs, cs), more)], list(f(*run)))


def errors(cell):
    """What later steps and the outputs send back to h′."""
    return reals(*cell.h.shape, zero=False)


@claim(ref.lstm_step_backward, cell=lstms(), dh=errors, dc=errors)
def lstm_backward_follows_the_chain_rule(f, cell, dh, dc):
    """新しいセルに届く誤差は dc′ + dh′⊙o⊙(1 - tanh²c′) であり、これと dh′⊙tanh(c′) が i, f, g, o の活性化関数の傾きを通って六つの勾配になる。
    The error at the new cell is dc′ + dh′⊙o⊙(1 - tanh²c′); through the slopes of i, f, g, o this and dh′⊙tanh(c′) make the six gradients."""
    a = cell.logits()
    i, forget, o = (logistic(a[k]) for k in "ifo")
    g = np.tanh(a["g"])
    shown = np.tanh(forget * cell.c + i * g)
    error = dc + dh * o / np.cosh(forget * cell.c + i * g) ** 2
    da = {
        "i": error * g * i * (1 - i), "f": error * cell.c * forget * (1 - forget),
        "g": error * i / np.cosh(a["g"]) ** 2, "o": dh * shown * o * (1 - o),
    }
    dx, dh_old = (sum(da[k] @ W[:, cell.at(k)].T for k in "ifgo") for W in (cell.Wx, cell.Wh))
    dWx, dWh = (np.hstack([np.einsum("ni,nj->ij", v, da[k]) for k in "ifgo"]) for v in (cell.x, cell.h))
    db = np.concatenate([da[k].sum(axis=0) for k in "ifgo"])
    assert_close(f(dh, dc, *cell), (dx, dh_old, error * forget, dWx, dWh, db), GRADIENT)


@claim(ref.lstm_step_backward, cell=lstms(), dh=errors, dc=errors, direction=lambda cell: alike(*cell))
def lstm_backward_matches_differences(f, cell, dh, dc, direction):
    """六つの勾配と任意の方向との内積は、その方向への Σ dh′·h′ + Σ dc′·c′ の差分商に等しい。
    The inner product of the six gradients with a direction is the slope of Σ dh′·h′ + Σ dc′·c′ along it."""

    def weighted(*arguments):
        h_new, c_new, _ = ref.lstm_step(*arguments)
        return np.sum(dh * h_new) + np.sum(dc * c_new)

    assert_slope(f(dh, dc, *cell), direction, derivative(weighted, cell, direction))


@claim(ref.lstm_step_backward, cell=lstms(), dh=errors, dc=errors)
def lstm_error_is_carried_by_the_forget_gate(f, cell, dh, dc):
    """dh′ = 0 なら dc = f⊙dc′ で、忘却ゲートが開いていれば誤差は dc = dc′ のまま運ばれ、dc′ = 0 で出力ゲートが閉じていれば dc = 0 である。
    With dh′ = 0, dc = f⊙dc′; with the forget gate open the error passes unchanged, dc = dc′; with dc′ = 0 and the output gate shut, dc = 0."""
    assert_close(f(0 * dh, dc, *cell)[2], logistic(cell.logits()["f"]) * dc, GRADIENT)
    assert_close(f(0 * dh, dc, *cell.with_bias(f=60, i=-60))[2], dc, GRADIENT)
    assert_close(f(dh, 0 * dc, *cell.with_bias(o=-60))[2], 0)


@claim(ref.lstm_step_backward, cell=lstms(N=st.just(1)), dh=errors, dc=errors)
def lstm_weight_gradients_share_da(f, cell, dh, dc):
    """1 サンプルなら db が共通の因子で、dWx = xᵀ db、dWh = hᵀ db、dx = db Wxᵀ、dh = db Whᵀ である。
    For a single sample db is the common factor: dWx = xᵀ db, dWh = hᵀ db, dx = db Wxᵀ and dh = db Whᵀ."""
    dx, dh_old, _, dWx, dWh, db = f(dh, dc, *cell)
    da = np.asarray(db)[None]
    assert_close((dx, dh_old, dWx, dWh), (da @ cell.Wx.T, da @ cell.Wh.T, cell.x.T @ da, cell.h.T @ da), GRADIENT)


@claim(ref.lstm_step_backward, cell=lstms(N=st.integers(2, 3)), dh=errors, dc=errors)
def lstm_batch_gradients_are_sums(f, cell, dh, dc):
    """バッチの dWx, dWh, db は、サンプルを一つずつ渡したときの勾配の和である(平均ではない)。
    dWx, dWh and db of a batch are sums (not means) of the gradients of its samples taken alone."""
    alone = [f(dh[n : n + 1], dc[n : n + 1], *cell.sample(n))[3:] for n in range(len(cell.x))]
    assert_close(list(f(dh, dc, *cell)[3:]), [sum(map(np.asarray, parts)) for parts in zip(*alone)], GRADIENT)


@claim(ref.peephole_lstm_step, cell=lstms(), p=lambda cell: reals(3, cell.H))
def peephole_step_follows_the_equations(f, cell, p):
    """i と f の σ の中には p_i⊙c と p_f⊙c が、o の σ の中には更新後のセルを使った p_o⊙c′ が加わり、ほかは lstm_step と同じである。
    Inside σ, i and f have p_i⊙c and p_f⊙c added, o has p_o⊙c′ with the new cell; the rest is lstm_step."""
    h_new, c_new = np.zeros_like(cell.h), np.zeros_like(cell.c)
    for n, j in np.ndindex(*cell.h.shape):
        a = {k: sum(cell.shares(k, n, j)) + float(cell.b[cell.at(k)][j]) for k in "ifgo"}
        old = float(cell.c[n, j])
        new = old / (1 + math.exp(-a["f"] - p[1, j] * old)) + math.tanh(a["g"]) / (1 + math.exp(-a["i"] - p[0, j] * old))
        c_new[n, j], h_new[n, j] = new, math.tanh(new) / (1 + math.exp(-a["o"] - p[2, j] * new))
    assert_close(f(*cell, p), (h_new, c_new))


@claim(ref.peephole_lstm_step, cell=lstms(), p=lambda cell: reals(3, cell.H, zero=False), other=lambda p: reals(*p.shape))
def peephole_limits(f, cell, p, other):
    """p = 0 なら lstm_step と同じで、p[2] は c′ を変えず、c = 0 なら p[0] と p[1] は何も変えない。
    With p = 0 it is lstm_step; p[2] never changes c′; and with c = 0, p[0] and p[1] change nothing."""
    assert_close(f(*cell, 0 * p), ref.lstm_step(*cell)[:2])
    assert_close(f(*cell, np.vstack([p[:2], other[2:]]))[1], f(*cell, p)[1])
    empty = cell._replace(c=0 * cell.c)
    assert_close(f(*empty, np.vstack([other[:2], p[2:]])), f(*empty, p))


@claim(ref.peephole_lstm_step, cell=lstms(), p=lambda cell: reals(3, cell.H))
def peephole_sees_the_cell_alone(f, cell, p):
    """Wx = 0, Wh = 0, b = 0 なら、各ユニットは自分のセルだけを見て c′ = σ(p_f⊙c)⊙c、h′ = σ(p_o⊙c′)⊙tanh(c′) となる。
    With Wx = 0, Wh = 0 and b = 0 each unit sees its own cell alone: c′ = σ(p_f⊙c)⊙c and h′ = σ(p_o⊙c′)⊙tanh(c′)."""
    c_new = logistic(p[1] * cell.c) * cell.c
    bare = cell._replace(Wx=0 * cell.Wx, Wh=0 * cell.Wh, b=0 * cell.b)
    assert_close(f(*bare, p), (logistic(p[2] * c_new) * np.tanh(c_new), c_new))


@claim(ref.gru_step, cell=grus())
def gru_step_follows_the_three_equations(f, cell):
    """r と z は σ(x Wx + bx + h Wh + bh) のそれぞれのブロック、n = tanh(x Wxn + bxn + r⊙(h Whn + bhn))、h′ = (1 - z)⊙n + z⊙h である。
    r and z are σ(x Wx + bx + h Wh + bh), each with its own block, n = tanh(x Wxn + bxn + r⊙(h Whn + bhn)) and h′ = (1 - z)⊙n + z⊙h."""
    h_new = np.zeros_like(cell.h)
    for n, j in np.ndindex(*h_new.shape):
        of_x, of_h = {}, {}
        for name in "rzn":
            x_share, h_share = cell.shares(name, n, j)
            of_x[name], of_h[name] = x_share + cell.bx[cell.at(name)][j], h_share + cell.bh[cell.at(name)][j]
        r, z = (1 / (1 + math.exp(-of_x[name] - of_h[name])) for name in "rz")
        candidate = math.tanh(of_x["n"] + r * of_h["n"])
        h_new[n, j] = (1 - z) * candidate + z * cell.h[n, j]
    assert_close(f(*cell), h_new)


@claim(ref.gru_step, cell=grus(), level=levels)
def gru_interpolates(f, cell, level):
    """h′ は n と h の間にあり、z = 1 なら h′ = h、z = 0 なら h′ = n である(更新ゲートのバイアスは ±60 か ±800)。
    h′ lies between n and h: h′ = h where z = 1, and h′ = n where z = 0 (by biases of ±60 or ±800 of the update gate)."""
    *_, n, _ = cell.parts()
    h_new = f(*cell)
    assert_at_most(h_new, np.maximum(n, cell.h))
    assert_at_most(-h_new, -np.minimum(n, cell.h))
    assert_close(f(*cell.with_bias("bx", z=level)), cell.h)
    assert_close(f(*cell.with_bias("bx", z=-level)), n)


@claim(ref.gru_step, cell=grus())
def gru_update_gate_is_one_logistic_unit(f, cell):
    """(h′ - n) / (h - n) は更新ゲート z = σ(x Wxz + bxz + h Whz + bhz) であり、入力と前の状態の両方を、自分のブロックの重みで見る。
    (h′ - n) / (h - n) is the update gate z = σ(x Wxz + bxz + h Whz + bhz), which sees the input and the old state with its own block."""
    _, z, n, _ = cell.parts()
    apart = np.abs(cell.h - n) > 0.1
    assert_close((f(*cell) - n)[apart] / (cell.h - n)[apart], z[apart], INVERSE)


@claim(ref.gru_step, cell=grus(H=st.integers(2, 3)))
def gru_reset_acts_after_the_matrix(f, cell):
    """Wx = 0 で z = 0 なら h′ = tanh(bxn + r⊙(h Whn + bhn)) である。r は h と行列の積に bhn を足したものに掛かり、bxn には掛からない。
    With Wx = 0 and z = 0, h′ = tanh(bxn + r⊙(h Whn + bhn)): r multiplies the product plus bhn, but not bxn."""
    bare = cell._replace(Wx=0 * cell.Wx).with_bias("bx", z=-60, r=0).with_bias("bh", r=0)
    product, n = bare.h @ bare.Wh, bare.at("n")
    inside = logistic(product[:, bare.at("r")]) * (product[:, n] + bare.bh[n])
    assert_close(f(*bare), np.tanh(bare.bx[n] + inside))


@claim(ref.gru_step_backward, cell=grus(), dh=errors)
def gru_backward_follows_the_chain_rule(f, cell, dh):
    """候補・リセット・更新の誤差はそれぞれの活性化関数の傾きを通り、h へは z⊙dh′ が直接、残りは Wh を通って戻る(候補の分には r が掛かる)。
    The errors of candidate, reset and update pass the slopes of their activations; z⊙dh′ reaches h directly, the rest through Wh (the candidate's times r)."""
    r, z, n, product = cell.parts()
    da_n = dh * (1 - z) * (1 - n) * (1 + n)
    da = {"r": da_n * product * r * (1 - r), "z": dh * (cell.h - n) * z * (1 - z), "n": da_n}
    back = {**da, "n": da_n * r}
    dx = sum(da[k] @ cell.Wx[:, cell.at(k)].T for k in "rzn")
    dh_old = dh * z + sum(back[k] @ cell.Wh[:, cell.at(k)].T for k in "rzn")
    dWx, dWh = (np.hstack([np.einsum("ni,nj->ij", v, e[k]) for k in "rzn"]) for v, e in ((cell.x, da), (cell.h, back)))
    dbx, dbh = (np.concatenate([e[k].sum(axis=0) for k in "rzn"]) for e in (da, back))
    assert_close(f(dh, *cell), (dx, dh_old, dWx, dWh, dbx, dbh), GRADIENT)


@claim(ref.gru_step_backward, cell=grus(), dh=errors, direction=lambda cell: alike(*cell))
def gru_backward_matches_differences(f, cell, dh, direction):
    """六つの勾配と任意の方向との内積は、その方向への Σ dh′·h′ の差分商に等しい。
    The inner product of the six gradients with a direction is the slope of Σ dh′·h′ along it."""
    slope = derivative(lambda *arguments: np.sum(dh * ref.gru_step(*arguments)), cell, direction)
    assert_slope(f(dh, *cell), direction, slope)


@claim(ref.gru_step_backward, cell=grus(), dh=errors)
def gru_backward_limits(f, cell, dh):
    """更新ゲートが z = 1 なら h′ = h なので、dh = dh′ で、ほかの勾配はすべて 0 である。
    Where the update gate is z = 1, h′ = h: so dh = dh′, and all other gradients are 0."""
    dx, dh_old, *others = f(dh, *cell.with_bias("bx", z=60))
    assert_close(dh_old, dh, GRADIENT)
    for gradient in (dx, *others):
        assert_close(gradient, 0)


@claim(ref.gru_step_backward, cell=grus(N=st.just(1)), dh=errors)
def gru_bias_gradients_differ_by_the_reset(f, cell, dh):
    """1 サンプルなら、dbx と dbh は r と z のブロックで等しく、n のブロックでは dbh が dbx の r 倍である。
    For a single sample dbx and dbh are equal in the blocks of r and z, and in that of n dbh is r times dbx."""
    *_, dbx, dbh = f(dh, *cell)
    factor = np.ones(3 * cell.H)
    factor[cell.at("n")] = cell.parts()[0][0]
    assert_close(dbh, factor * dbx, GRADIENT)


@claim(ref.gru_step_backward, cell=grus(N=st.integers(2, 3)), dh=errors)
def gru_batch_gradients_are_sums(f, cell, dh):
    """バッチの dWx, dWh, dbx, dbh は、サンプルを一つずつ渡したときの勾配の和である(平均ではない)。
    dWx, dWh, dbx and dbh of a batch are sums (not means) of the gradients of its samples taken alone."""
    alone = [f(dh[n : n + 1], *cell.sample(n))[2:] for n in range(len(cell.x))]
    assert_close(list(f(dh, *cell)[2:]), [sum(map(np.asarray, parts)) for parts in zip(*alone)], GRADIENT)


sizes = st.integers(1, 300)


@claim(ref.recurrent_param_count, D=sizes, H=sizes)
def parameter_counts_add_up(f, D, H):
    """パラメータ数は (ブロック数)×(D H + H² + バイアスの組数 × H) で、ブロックは rnn が 1、gru が 3、lstm が 4、覗き穴結合があれば 3 H 増える(既定はバイアス 1 組、覗き穴なし)。
    The count is blocks × (D H + H² + biases × H) with 1, 3 or 4 blocks for rnn, gru and lstm, and 3 H more with peepholes (default: one set of biases, no peepholes)."""
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}
    expected = [[n * (D * H + H * H + sets * H) for sets in (1, 1, 2)] for n in blocks.values()]
    assert_equal([[f(kind, D, H), f(kind, D, H, 1), f(kind, D, H, 2)] for kind in blocks], expected)
    peepholes = [4 * (D * H + H * H + sets * H) + H + H + H for sets in (1, 2)]
    assert_equal([f("lstm", D, H, 1, True), f("lstm", D, H, 2, True)], peepholes)


@twin(ref_torch.lstm_sequence_torch, run=runs(least=1))
def sequence_on_tensors(run):
    return run


@twin(ref_torch.gru_step_torch, cell=grus())
def gru_on_tensors(cell):
    return cell
