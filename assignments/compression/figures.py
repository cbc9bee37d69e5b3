"""The figures of the notebook."""

import math

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def temperature() -> str:
    """Softened probabilities of one row of logits at three temperatures."""
    d = Drawing(600, 190, "Probabilities of the logits 5, 2, -1 at temperatures 1, 4 and 20: the higher, the flatter")
    for k, T in enumerate((1, 4, 20)):
        e = [math.exp(z / T) for z in (5, 2, -1)]
        left = 25 + 195 * k
        d.line([(left, 150), (left + 165, 150)], GREY)
        for i, v in enumerate(e):
            p = v / sum(e)
            d.box(left + 10 + 52 * i, 150 - 110 * p, 40, 110 * p, "", BLUE if i == 0 else GREEN)
            d.text(left + 30 + 52 * i, 144 - 110 * p, f"{p:.3f}", size=11)
        d.text(left + 82, 175, f"T = {T}", size=13)
    return d.svg()


def distillation() -> str:
    """Who is compared with whom, at which temperature."""
    d = Drawing(640, 230, "Distillation: the soft term compares student and teacher at T, the hard term student and label at T = 1")
    d.box(20, 95, 60, 40, "x")
    d.box(130, 30, 110, 46, "teacher", GREY).box(130, 150, 110, 46, "student", BLUE)
    d.arrow(80, 108, 128, 62).arrow(80, 122, 128, 165)
    d.box(310, 33, 90, 40, "p at T", GREY).box(310, 118, 90, 40, "q at T", BLUE).box(310, 175, 90, 40, "q at 1", BLUE)
    d.arrow(240, 53, 308, 53, "t / T").arrow(240, 165, 308, 140, "s / T").arrow(240, 182, 308, 195)
    d.box(480, 75, 140, 40, "α T² KL(p ‖ q)", GREEN).box(480, 175, 140, 40, "(1 − α) CE", GREEN)
    d.arrow(400, 58, 478, 88).arrow(400, 135, 478, 103).arrow(400, 195, 478, 195, "label")
    return d.text(185, 22, "fixed", GREY, 12).text(185, 214, "learns", BLUE, 12).svg()


def threshold() -> str:
    """Weights of a layer: those near 0 go."""
    d = Drawing(560, 220, "A layer's weights: those between minus and plus the threshold are removed, the others stay")
    curve = lambda x: 175 - 140 * math.exp(-0.5 * ((x - 280) / 75) ** 2)
    for x in range(40, 521, 8):
        cut = abs(x - 280) < 60
        d.line([(x, 175), (x, curve(x))], RED if cut else BLUE, width=3)
    d.line([(30, 175), (530, 175)]).line([(220, 30), (220, 185)], RED, dashed=True).line([(340, 30), (340, 185)], RED, dashed=True)
    d.text(220, 202, "−α·std", RED, 12).text(340, 202, "α·std", RED, 12).text(280, 202, "0", INK, 12)
    return d.text(280, 22, "removed", RED, 13).text(120, 110, "kept", BLUE, 13).text(440, 110, "kept", BLUE, 13).svg()


def factors() -> str:
    """A wide matrix and its two thin factors."""
    d = Drawing(560, 180, "W with m n entries is nearly A B with r (m + n) entries")
    d.box(40, 30, 180, 110, "W", BLUE).text(25, 90, "m", size=13).text(130, 160, "n", size=13)
    d.text(255, 92, "≈", size=24)
    d.box(305, 30, 36, 110, "A", GREEN).text(290, 90, "m", size=13).text(323, 160, "r", size=13)
    d.box(365, 30, 180, 36, "B", GREEN).text(353, 53, "r", size=13).text(455, 86, "n", size=13)
    return d.svg()
