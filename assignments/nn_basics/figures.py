"""The figures of the notebook."""

import numpy as np
from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def network() -> str:
    """From the input to the loss and back."""
    d = Drawing(640, 170, "Forward pass and back-propagation through a two-layer perceptron")
    names = ("x", "u", "h", "z", "L")
    forward = ("W1, b1", "f", "W2, b2", "softmax")
    back = ("δ1", "× f'(u)", "× W2ᵀ", "δ2")
    for i, name in enumerate(names):
        d.circle(50 + 135 * i, 80, 24, name, BLUE if i in (0, 4) else GREY)
    for i, label in enumerate(forward):
        x = 50 + 135 * i
        d.arrow(x + 24, 70, x + 109, 70, label)
        d.arrow(x + 112, 96, x + 24, 96, color=RED, dashed=True).text(x + 68, 116, back[i], RED, 12)
    return d.svg()


def descent() -> str:
    """SGD, momentum and Adam in a long valley."""
    d = Drawing(560, 240, "SGD, momentum and Adam on an ill-conditioned quadratic")
    angle = np.linspace(0, 2 * np.pi, 60)
    for r in (0.3, 0.6, 0.9):
        d.line([(280 + 250 * r * np.cos(a), 120 + 100 * r * np.sin(a)) for a in angle], GREY, width=1)
    curvature = np.array([0.2, 4.0])

    def path(step):
        w, state, points = np.array([-0.9, 0.55]), (np.zeros(2), np.zeros(2)), []
        for t in range(1, 40):
            points.append((280 + 250 * w[0], 120 - 100 * w[1]))
            w, state = step(w, curvature * w, state, t)
        return points

    def sgd(w, g, state, t):
        return w - 0.42 * g, state

    def momentum(w, g, state, t):
        v = 0.75 * state[0] - 0.12 * g
        return w + v, (v, v)

    def adam(w, g, state, t):
        m, v = 0.8 * state[0] + 0.2 * g, 0.95 * state[1] + 0.05 * g**2
        return w - 0.06 * m / (1 - 0.8**t) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8), (m, v)

    for i, (name, step, color) in enumerate((("SGD", sgd, RED), ("momentum", momentum, BLUE), ("Adam", adam, GREEN))):
        d.line(path(step), color, width=2).text(20 + 90 * i, 20, name, color, anchor="start")
    return d.svg()


def im2col() -> str:
    """Two patches of an image and their rows."""
    d = Drawing(560, 200, "im2col: patches under the kernel become rows")
    image = [[4 * i + j for j in range(4)] for i in range(4)]
    d.matrix(20, 30, image, marked=[(0, 0), (0, 1), (1, 0), (1, 1)])
    d.arrow(185, 100, 265, 100, "im2col")
    rows = [[image[i + r][j + s] for r in (0, 1) for s in (0, 1)] for i, j in ((0, 0), (0, 1), (0, 2))]
    d.matrix(285, 30, rows, marked=[(0, k) for k in range(4)])
    return d.text(357, 165, "⋮").text(480, 55, "C·K·K", GREY).svg()
