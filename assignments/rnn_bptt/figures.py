"""Figures of the RNN notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def unrolled() -> str:
    """The loop on the left, the same network laid out over three steps on the right."""
    d = Drawing(700, 290, "An RNN as a loop, and unrolled over three steps that share their weights")
    d.box(50, 120, 90, 50, "h", BLUE).arrow(95, 236, 95, 172).text(108, 214, "Wx", BLUE, anchor="start")
    d.arrow(95, 118, 95, 64).text(106, 82, "Wy", GREEN, anchor="start")
    d.text(95, 256, "x").text(95, 54, "o")
    d.line([(142, 136), (170, 136), (170, 92), (32, 92), (32, 145)], BLUE).arrow(32, 145, 49, 145, color=BLUE)
    d.text(188, 118, "Wh", BLUE).text(212, 150, "=", size=22)
    d.circle(272, 145, 22, "h0", GREY)
    for t, x in enumerate((340, 470, 600)):
        d.arrow(296 if t == 0 else x - 46, 145, x - 2, 145, color=BLUE).text(x - 24, 136, "Wh", BLUE, 12)
        d.box(x, 120, 84, 50, f"h[:, {t}]", BLUE)
        d.arrow(x + 42, 236, x + 42, 172).text(x + 50, 210, "Wx", BLUE, 12, "start")
        d.arrow(x + 42, 118, x + 42, 64).text(x + 50, 98, "Wy", GREEN, 12, "start")
        d.text(x + 42, 256, f"x[:, {t}]").text(x + 42, 54, f"o[:, {t}]")
    return d.text(470, 282, "h[:, t] = tanh(x[:, t] Wx + h[:, t−1] Wh + b)", GREY, 13).svg()


def errors_back() -> str:
    """Where the error of a state comes from: its own output, and the next step."""
    d = Drawing(700, 240, "The error of each state: from its output at t, and from the state at t+1")
    for t, (x, name) in enumerate(((110, "t−1"), (310, "t"), (510, "t+1"))):
        d.box(x, 110, 96, 50, f"δ {name}", RED if t == 1 else BLUE)
        d.arrow(x + 48, 50, x + 48, 106, color=RED).text(x + 58, 82, f"dh {name}", RED, 13, "start")
        d.arrow(x + 48, 162, x + 48, 206).text(x + 58, 190, "dx = δ Wxᵀ", size=12, anchor="start")
    for x in (506, 306, 106):
        d.arrow(x, 135, x - 98 if x > 106 else 40, 135, color=RED).text(x - 46, 126, "δ Whᵀ", RED, 13)
    d.arrow(670, 135, 610, 135, color=GREY, dashed=True).text(650, 126, "…", GREY)
    return d.text(358, 30, "δ = (dh + δ of the next step · Whᵀ) ⊙ (1 − h²)", GREY, 13).svg()


def truncated() -> str:
    """T = 5 and k = 2: the error is cut between 1 and 2 and between 3 and 4, the state is not."""
    d = Drawing(640, 190, "Truncation with k = 2: states run on, errors stop at the edges of the chunks")
    for t in range(5):
        x, color = 60 + 120 * t, (BLUE, GREEN, BLUE)[t // 2]
        d.circle(x, 80, 24, f"t={t}", color)
        if t < 4:
            d.arrow(x + 26, 72, x + 94, 72)
            if t % 2 == 0:
                d.arrow(x + 94, 92, x + 26, 92, color=RED)
            else:
                d.line([(x + 60, 40), (x + 60, 128)], RED, dashed=True).text(x + 60, 34, "detach", RED, 12)
    for x, name in ((120, "chunk [0, 2)"), (360, "chunk [2, 4)"), (540, "chunk [4, 5)")):
        d.text(x, 152, name, GREY, 13)
    return d.text(320, 182, "black: states run forward; red: errors run backward", GREY, 12).svg()


def vanishing() -> str:
    """Powers of γσ over twenty steps."""
    d = Drawing(560, 300, "The bound (γσ)^n over n steps, for four values of γσ")
    left, bottom, wide, high, top = 60, 250, 440, 210, 2.0
    d.axes(left, bottom, wide + 30, high + 15, "n steps", "bound of the norm")
    for n in range(0, 20, 5):
        d.text(left + wide * n / 20, bottom + 18, str(n), GREY, 12)
    for value in (1, 2):
        d.text(left - 10, bottom - high * value / top + 4, str(value), GREY, 12, "end")
    for base, color, last, x, y in ((1.1, RED, 7, 226, 60), (1.0, GREY, 20, 430, 138), (0.9, BLUE, 20, 340, 196), (0.25, GREEN, 20, 112, 238)):
        points = [(left + wide * n / 20, bottom - high * base**n / top) for n in (i / 4 for i in range(4 * last + 1))]
        d.line(points, color, width=2.5).text(x, y, f"γσ = {base:g}", color, 13, "start")
    return d.svg()
