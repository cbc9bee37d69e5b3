"""Figures of the transformer notebook."""

import math

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def blocks() -> str:
    """Encoder and decoder block side by side, with the residual paths and the way of the memory."""
    d = Drawing(640, 470, "An encoder block and a decoder block, both post-norm; the memory goes to the decoder's second attention")
    d.text(150, 22, "encoder block", size=15).text(460, 22, "decoder block", size=15)
    left = [("Self-Attention", BLUE), ("FFN", GREEN)]
    right = [("masked Self-Attention", BLUE), ("Source-Target Attention", RED), ("FFN", GREEN)]
    for x, stages, source, out in ((150, left, "x + PE", "memory"), (460, right, "y + PE", "out")):
        d.text(x, 456, source)
        y = 424
        for number, (name, color) in enumerate(stages):
            start = 438 if number == 0 else y + 20
            d.arrow(x, start, x, y - 20)
            d.box(x - 90, y - 54, 180, 34, name, color)
            d.arrow(x, y - 54, x, y - 70)
            d.box(x - 60, y - 100, 120, 28, "Add & Norm", GREY)
            side = x - 110
            d.line([(x, start - 8), (side, start - 8), (side, y - 86)], GREY).arrow(side, y - 86, x - 62, y - 86, color=GREY)
            y -= 120
        d.arrow(x, y + 20, x, y - 6).text(x, y - 14, out)
    # the memory: from the top of the encoder to the second attention of the decoder
    d.line([(188, 164), (330, 164), (330, 256)], RED).arrow(330, 256, 368, 267, color=RED).text(300, 156, "K, V", RED, 12)
    d.text(474, 298, "Q", RED, 12)
    for x, y, number in ((218, 338, 1), (218, 218, 2), (528, 338, 1), (528, 218, 3), (528, 98, 2)):
        d.text(x, y + 5, f"γ{number}, β{number}", GREY, 12, "start")
    return d.svg()


def orders() -> str:
    """Post-norm, whose norm stands on the residual path, and pre-norm, whose residual path is free."""
    d = Drawing(640, 170, "Post-norm normalises the sum; pre-norm normalises what enters the branch and leaves the residual path free")
    for y, name in ((40, "post"), (125, "pre")):
        d.text(30, y + 25, name, size=15).text(80, y + 25, "x")
        d.arrow(92, y + 20, 150 if name == "pre" else 290, y + 20)
        if name == "pre":
            d.box(152, y + 2, 76, 36, "Norm", RED).arrow(228, y + 20, 290, y + 20)
        d.box(292, y + 2, 76, 36, "f", BLUE).arrow(368, y + 20, 414, y + 20)
        d.circle(428, y + 20, 13, "+")
        color = GREEN if name == "pre" else GREY
        d.line([(116, y + 20), (116, y - 18), (428, y - 18)], color, width=2.5 if name == "pre" else 1.5)
        d.arrow(428, y - 18, 428, y + 6, color=color)
        if name == "post":
            d.arrow(441, y + 20, 490, y + 20).box(492, y + 2, 76, 36, "Norm", RED).arrow(568, y + 20, 616, y + 20)
        else:
            d.arrow(441, y + 20, 616, y + 20)
    return d.svg()


def clocks() -> str:
    """Each pair of columns is a hand on a circle; the first pair turns fast, later ones more slowly."""
    d = Drawing(640, 236, "Positions 0 to 3 as hands on circles: each pair of columns turns at its own speed")
    for i, (turn, label) in enumerate(((1.0, "i = 0: 1 rad a step"), (0.5, "i = 1: slower"), (0.2, "i = 2: slower still"))):
        x, y, r = 115 + 205 * i, 105, 66
        d.circle(x, y, r, color=GREY)
        for pos in range(4):
            sine, cosine = math.sin(pos * turn), math.cos(pos * turn)
            d.arrow(x, y, x + r * cosine, y - r * sine, color=BLUE)
            d.text(x + (r + 13) * cosine, y - (r + 13) * sine + 4, str(pos), BLUE, 12)
        d.text(x, 200, label, size=13)
    return d.text(320, 226, "(sin, cos) at positions 0 … 3; speeds of i = 1, 2 not to scale", GREY, 12).svg()


def mask() -> str:
    """The causal mask of four positions: rows are queries, columns are keys."""
    d = Drawing(380, 240, "The causal mask for T = 4: a lower triangle of True, the diagonal with it")
    rows = [["T" if j <= i else "F" for j in range(4)] for i in range(4)]
    d.matrix(150, 52, rows, 40, [(i, j) for i in range(4) for j in range(i + 1)])
    for j in range(4):
        d.text(170 + 40 * j, 44, f"key {j}", GREY, 12).text(142, 77 + 40 * j, f"query {j}", GREY, 12, "end")
    return d.text(230, 20, "causal_mask(4)").svg()
