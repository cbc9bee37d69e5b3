"""Figures of the word2vec notebook."""

from math import sqrt

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def lookup() -> str:
    """A one-hot vector times a matrix is a row of it."""
    d = Drawing(620, 230, "A one-hot vector times the matrix E takes one row of E")
    d.matrix(30, 90, [[0, 0, 1, 0]], marked=[(0, 2)]).text(102, 80, "one-hot, (V,)", GREY, 13)
    d.text(200, 115, "×", size=22)
    rows = [["e00", "e01", "e02"], ["e10", "e11", "e12"], ["e20", "e21", "e22"], ["e30", "e31", "e32"]]
    d.matrix(230, 36, rows, marked=[(2, 0), (2, 1), (2, 2)]).text(284, 26, "E, (V, D)", GREY, 13)
    d.text(372, 115, "=", size=22)
    d.matrix(404, 90, [rows[2]], marked=[(0, 0), (0, 1), (0, 2)]).text(458, 80, "E[2], (D,)", GREY, 13)
    d.arrow(458, 190, 344, 130, color=RED).text(470, 196, "dE[2] += dout", RED, 13, "start")
    return d.svg()


def two_models() -> str:
    """CBOW: from the context to the centre. Skip-gram: from the centre to each word of the context."""
    d = Drawing(700, 270, "CBOW predicts the centre from its context, skip-gram each word of the context from the centre")
    around = ("w[t−2]", "w[t−1]", "w[t+1]", "w[t+2]")
    d.text(160, 26, "CBOW", BLUE, 16).text(530, 26, "skip-gram", GREEN, 16)
    d.box(140, 118, 70, 40, "mean", BLUE).box(260, 118, 70, 40, "w[t]", BLUE).arrow(212, 138, 257, 138, color=BLUE)
    d.text(234, 128, "W_out", GREY, 11).text(120, 54, "W_in", GREY, 11)
    d.box(400, 118, 70, 40, "w[t]", GREEN).text(490, 54, "W_out", GREY, 11).text(435, 176, "W_in", GREY, 11)
    for i, name in enumerate(around):
        y = 44 + 52 * i
        d.box(20, y, 70, 36, name, BLUE).arrow(92, y + 18, 137, 130 + 5 * i, color=BLUE)
        d.box(590, y, 70, 36, name, GREEN).arrow(472, 130 + 5 * i, 587, y + 18, color=GREEN)
    return d.text(350, 262, "window = 2", GREY, 12).svg()


def keep() -> str:
    """The probability of keeping an occurrence, over the relative frequency in units of the threshold."""
    d = Drawing(520, 270, "Keeping probability over relative frequency: 1 up to the threshold, then its root")
    left, bottom, wide, high, top = 60, 220, 400, 160, 10.0
    d.axes(left, bottom, wide + 30, high + 25, "f / t", "keep")
    for n in (1, 4, 9):
        x, y = left + wide * n / top, bottom - high / sqrt(n)
        d.line([(x, bottom), (x, y)], GREY, dashed=True).text(x, bottom + 18, str(n), GREY, 12)
        d.text(x + 8, y - 8, {1: "1", 4: "1/2", 9: "1/3"}[n], BLUE, 13, "start")
    curve = [(left + wide * i / 100, bottom - high * min(1.0, sqrt(top / i))) for i in range(1, 101)]
    return d.line(curve, BLUE, width=2.5).svg()


def analogy() -> str:
    """man, woman, king, queen as a parallelogram."""
    d = Drawing(480, 270, "king - man + woman lands near queen")
    d.arrow(70, 220, 130, 90, color=BLUE).text(60, 242, "man").text(120, 80, "woman")
    d.arrow(300, 200, 360, 70, color=BLUE).text(300, 222, "king").circle(372, 58, 5, color=RED).text(384, 54, "queen", RED, 14, "start")
    d.line([(70, 220), (300, 200)], GREY, dashed=True).line([(130, 90), (360, 70)], GREY, dashed=True)
    d.text(84, 150, "b − a", BLUE, 13, "end").text(350, 150, "+ (b − a)", BLUE, 13, "start")
    return d.text(240, 262, "a = man, b = woman, c = king", GREY, 12).svg()
