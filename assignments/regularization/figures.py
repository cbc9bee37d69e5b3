"""The figures of the regularisation notebook."""

import numpy as np
from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing

KEPT = ((True, True, True), (True, False, True, True), (False, True, True, False), (True, True))


def corners() -> str:
    """The loss touches the diamond of L1 at a corner, the circle of L2 beside it."""
    d = Drawing(660, 310, "The loss touches the diamond of L1 at a corner, the circle of L2 off the axes")
    y0, r, stretched = 205, 62, np.array([1.0, 0.75])
    angle = np.linspace(0, 2 * np.pi, 1201)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for x0, name, color in ((150, "Σ|w| = const", RED), (470, "Σw² = const", BLUE)):
        d.arrow(x0 - 110, y0, x0 + 130, y0, color=GREY).arrow(x0, y0 + 75, x0, y0 - 190, color=GREY)
        d.text(x0 + 138, y0 + 16, "w1", GREY, 12).text(x0 - 16, y0 - 182, "w2", GREY, 12)
        lengths = np.abs(ring).sum(axis=1, keepdims=True) if color == RED else 1.0
        edge = np.array([x0, y0]) + r * ring / lengths
        centre = np.array([x0 + 62.0, y0 - 124.0])
        losses = np.hypot(*((edge - centre) / stretched).T)
        touch = edge[losses.argmin()]
        d.line([tuple(point) for point in edge[::10]], color, width=2.5)
        for share in (0.4, 0.7, 1.0):
            loop = centre + share * losses.min() * ring[::10] * stretched
            d.line([tuple(point) for point in loop], GREY, dashed=share < 1, width=1)
        d.circle(*touch, 5, color=color).circle(*centre, 3, color=GREY)
        d.text(centre[0] + 10, centre[1] - 6, "min L'", GREY, 12, "start").text(x0, 302, name, color, 14)
    return d.text(56, 140, "w1 = 0", RED, 13).arrow(84, 138, 141, 142, color=RED).svg()


def thinned() -> str:
    """A network and what a mask leaves of it."""
    d = Drawing(640, 250, "A network, and the thinned network that one draw of masks leaves of it")
    for left, whole, title in ((20, True, "test time: every unit"), (350, False, "training: units with u ≥ p")):
        places = [
            [(left + 40 + 65 * layer, 125 + 50 * (i - (len(column) - 1) / 2)) for i in range(len(column))]
            for layer, column in enumerate(KEPT)
        ]
        for layer, column in enumerate(KEPT[1:], 1):
            for j, there in enumerate(column):
                for i, source in enumerate(KEPT[layer - 1]):
                    if whole or (there and source):
                        d.line([places[layer - 1][i], places[layer][j]], GREY, width=1)
        for layer, column in enumerate(KEPT):
            for (x, y), there in zip(places[layer], column, strict=True):
                d.circle(x, y, 14, "" if whole or there else "×", BLUE if whole or there else GREY)
        d.text(left + 138, 238, title, GREY, 13)
    return d.arrow(272, 125, 345, 125, "mask", RED).svg()


def best_so_far() -> str:
    """Loss on training and validation data, the best epoch and the one that stops."""
    d = Drawing(600, 290, "Early stopping with patience 3: the counter runs from the best epoch")
    left, bottom, step, scale = 60, 240, 52, 170
    validation = (1.0, 0.8, 0.66, 0.7, 0.58, 0.62, 0.6, 0.66, 0.72)
    training = (0.95, 0.72, 0.56, 0.45, 0.37, 0.3, 0.25, 0.21, 0.18)
    d.axes(left, bottom, 490, 205, "epoch", "loss")
    for color, losses, name in ((GREY, training, "training"), (BLUE, validation, "validation")):
        points = [(left + 20 + step * t, bottom - scale * loss) for t, loss in enumerate(losses)]
        d.line(points[:8], color, width=2.5).line(points[7:], color, dashed=True)
        d.text(points[-1][0] + 6, points[-1][1] - 8, name, color, 13)
    for t in range(9):
        d.text(left + 20 + step * t, bottom + 18, str(t), GREY, 12)
    for t, label, color in ((4, "best", GREEN), (7, "stop", RED)):
        x = left + 20 + step * t
        d.line([(x, bottom), (x, 70)], color, dashed=True).text(x, 62, label, color)
    for t, wait in ((3, 1), (5, 1), (6, 2), (7, 3)):
        d.text(left + 10 + step * t, bottom - scale * validation[t] - 12, str(wait), RED, 12)
    return d.text(300, 284, "red numbers: epochs in a row without improvement", GREY, 12).svg()


def shortened() -> str:
    """The gradient (3, 4), shortened to length 2 and cut to entries of at most 2."""
    d = Drawing(480, 300, "Clipping by norm keeps the direction of the gradient (3, 4), clipping by value turns it")
    x0, y0, unit = 120, 250, 52
    d.axes(x0, y0, 250, 235, "g1", "g2")
    angle = np.linspace(0, np.pi / 2, 40)
    d.line([(x0 + 2 * unit * np.cos(a), y0 - 2 * unit * np.sin(a)) for a in angle], GREY, dashed=True)
    d.line([(x0 + 2 * unit, y0), (x0 + 2 * unit, y0 - 2 * unit), (x0, y0 - 2 * unit)], GREY, dashed=True)
    ends = ((3, 4, GREY, "g = (3, 4)"), (2, 2, RED, "by value: (2, 2)"), (1.2, 1.6, BLUE, ""))
    for a, b, color, label in ends:
        d.arrow(x0, y0, x0 + a * unit, y0 - b * unit, color=color)
        d.text(x0 + a * unit + 8, y0 - b * unit + 4, label, color, 13, "start")
    d.text(x0 - 8, y0 - 2 * unit + 5, "c = 2", GREY, 12, "end")
    return d.text(x0 + 2 * unit + 8, y0 - 1.2 * unit, "by norm: (1.2, 1.6)", BLUE, 13, "start").svg()


def two_paths() -> str:
    """The computation graph of a loss with a penalty: gradients of both paths meet at w."""
    d = Drawing(640, 190, "Computation graph of L = L' + penalty: at w the gradients of both paths are added")
    d.circle(50, 95, 24, "w", BLUE).box(180, 30, 150, 44, "network: L'").box(180, 118, 150, 44, "½ λ Σ w²", BLUE)
    d.circle(450, 95, 22, "+").circle(580, 95, 24, "L", BLUE)
    d.arrow(74, 84, 178, 54).arrow(74, 106, 178, 138).arrow(332, 54, 431, 84).arrow(332, 138, 431, 106)
    d.arrow(472, 95, 554, 95)
    for x, y, slope in ((110, 44, "∂L'/∂w"), (120, 158, "λ w"), (394, 52, "1"), (394, 148, "1")):
        d.text(x, y, slope, RED, 13)
    return d.text(512, 84, "1", RED, 13).text(320, 184, "backward (red): ∂L/∂w = ∂L'/∂w + λ w", RED, 13).svg()
