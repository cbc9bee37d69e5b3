"""Figures of the WaveNet notebook."""

from math import copysign, log1p

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def _stack(d: Drawing, top: float, dilations: tuple[int, ...], title: str) -> None:
    """Sixteen samples below, one output above; coloured is what the output at the right sees."""
    left, step, high = 60, 38, 44
    place = lambda layer, t: (left + step * t, top + 30 + high * (len(dilations) - layer))
    seen = [{15}]
    for gap in reversed(dilations):
        seen.insert(0, {t - j * gap for t in seen[0] for j in (0, 1)})
    d.text(left - 30, top + 4, title, INK, 13, "start")
    for layer, gap in enumerate(dilations, 1):
        for t in range(16):
            for source in (t, t - gap):
                if t in seen[layer] and source >= 0:
                    (x1, y1), (x2, y2) = place(layer - 1, source), place(layer, t)
                    d.line([(x1, y1 - 7), (x2, y2 + 7)], BLUE)
        d.text(left + step * 15 + 50, place(layer, 15)[1] + 24, f"d = {gap}", GREY, 12)
    for layer in range(len(dilations) + 1):
        for t in range(16):
            d.circle(*place(layer, t), 7, color=BLUE if t in seen[layer] else GREY)


def stacks() -> str:
    """Four layers with K = 2: undilated above, dilated below."""
    d = Drawing(720, 496, "Four layers with two taps see 5 samples undilated, and 16 with the dilations 1, 2, 4, 8")
    _stack(d, 16, (1, 1, 1, 1), "d = 1, 1, 1, 1:   1 + (2−1)·4 = 5 samples")
    d.line([(20, 237), (700, 237)], GREY, dashed=True)
    _stack(d, 258, (1, 2, 4, 8), "d = 1, 2, 4, 8:   1 + (2−1)·15 = 16 samples")
    return d.text(345, 490, "time →", GREY, 12).svg()


def taps() -> str:
    """The example of the text: w = (1, 10), d = 2, zeros on the left."""
    d = Drawing(600, 236, "Two taps with spacing two; the last one on the present sample, two zeros on the left")
    left, cell = 110, 50
    d.text(98, 52, "x", size=16, anchor="end").text(98, 204, "y", size=16, anchor="end")
    for i, value in enumerate((0, 0, 1, 2, 3, 4, 5)):
        d.box(left + cell * i, 26, cell, 42, str(value), GREY if i < 2 else INK)
    for i, value in enumerate((10, 20, 31, 42, 53)):
        d.box(left + cell * (i + 2), 178, cell, 42, str(value), BLUE if i == 2 else INK)
    d.text(left + cell, 18, "(K−1)d zeros", GREY, 12).text(left + cell * 2 + 25, 18, "t = 0", GREY, 12)
    target = left + cell * 4 + 25
    d.arrow(left + cell * 2 + 25, 68, target - 10, 176, color=RED).text(left + cell * 2 + 42, 128, "×1", RED, 15)
    d.arrow(target, 68, target, 176, color=BLUE).text(target + 24, 128, "×10", BLUE, 15)
    return d.text(target + 60, 128, "1·1 + 10·3 = 31", INK, 14, "start").svg()


def layer() -> str:
    """The layer: convolution, gate, two 1×1 convolutions, residual sum."""
    d = Drawing(700, 280, "A WaveNet layer: dilated convolution, gate, skip and residual connection")
    d.text(28, 165, "x", size=16).arrow(40, 160, 98, 160).box(100, 130, 116, 60, "conv, d")
    d.text(158, 208, "2C channels", GREY, 12)
    d.arrow(216, 145, 276, 112).box(278, 90, 70, 40, "tanh", BLUE).arrow(216, 175, 276, 208).box(278, 190, 70, 40, "σ", RED)
    d.text(240, 114, "filter", BLUE, 12).text(240, 216, "gate", RED, 12)
    d.arrow(348, 110, 398, 148).arrow(348, 210, 398, 172).circle(412, 160, 16, "×")
    d.arrow(428, 160, 488, 160).text(456, 152, "z", size=14).box(490, 138, 76, 44, "w_res").arrow(566, 160, 604, 160)
    d.circle(618, 160, 14, "+").arrow(632, 160, 676, 160).text(672, 150, "out", size=14, anchor="end")
    d.line([(70, 160), (70, 34), (618, 34)], GREEN).arrow(618, 34, 618, 146, color=GREEN).text(330, 26, "residual: x", GREEN, 13)
    d.line([(458, 160), (458, 252)]).arrow(458, 252, 488, 252).box(490, 230, 76, 44, "w_skip").arrow(566, 252, 640, 252)
    return d.text(664, 257, "skip", size=14).svg()


def companding() -> str:
    """The curve of μ = 255, and the 16 levels of μ = 15 on it."""
    d = Drawing(560, 360, "The companding curve f(x): steep near 0, so that quiet samples get more levels")
    left, top, side = 60, 30, 280
    wide = 2 * side - 120
    place = lambda x, f: (left + wide * (x + 1) / 2, top + side * (1 - f) / 2)
    curve = lambda x, mu: copysign(log1p(mu * abs(x)) / log1p(mu), x)
    d.line([place(-1, 0), place(1, 0)], GREY).line([place(0, -1), place(0, 1)], GREY)
    d.line([place(-1, -1), place(1, 1)], GREY, dashed=True)
    xs = [(i / 100) ** 3 for i in range(-100, 101)]
    d.line([place(x, curve(x, 255)) for x in xs], BLUE, width=2.5)
    steps: list[tuple[float, float]] = []
    for i in range(-1000, 1001):
        x = (i / 1000) ** 3
        steps.append(place(x, 2 * int((curve(x, 15) + 1) / 2 * 15 + 0.5) / 15 - 1))
    d.line(steps, RED)
    d.text(*place(-0.35, 0.86), "f(x), μ = 255", BLUE, 13).text(*place(0.62, 0.22), "16 levels, μ = 15", RED, 13)
    d.text(*place(-0.75, -0.5), "linear", GREY, 12)
    for v in (-1, 1):
        d.text(place(v, 0)[0], place(v, 0)[1] + 16, str(v), GREY, 12).text(place(0, v)[0] - 14, place(0, v)[1] + 5, str(v), GREY, 12)
    return d.text(place(1, 0)[0] + 16, place(1, 0)[1] + 5, "x", size=14).svg()
