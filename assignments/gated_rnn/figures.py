"""Figures of the notebook on gated cells."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def lstm_cell() -> str:
    """One LSTM step: the cell runs along the top, the gates act on it from below."""
    d = Drawing(700, 300, "The cell runs along the top; f keeps, i writes g, o shows tanh of the new cell")
    d.arrow(40, 50, 166, 50, color=BLUE).text(30, 55, "c", BLUE)
    d.arrow(194, 50, 296, 50, color=BLUE).arrow(324, 50, 660, 50, color=BLUE).text(676, 55, "c′", BLUE)
    d.circle(180, 50, 13, "×", RED).circle(310, 50, 13, "+", BLUE).circle(310, 120, 13, "×", RED).circle(520, 190, 13, "×", RED)
    d.line([(40, 264), (420, 264)]).text(26, 262, "x").text(26, 278, "h")
    for x, name, kind in ((180, "f", "σ"), (270, "i", "σ"), (350, "g", "tanh"), (420, "o", "σ")):
        color = GREEN if name == "g" else RED
        d.arrow(x, 264, x, 228, color=GREY).box(x - 24, 196, 48, 30, kind, color)
        d.text(x - 10 if name != "o" else x, 188, name, color, anchor="end" if name != "o" else "middle")
    d.arrow(180, 194, 180, 66, color=RED).text(190, 130, "keep", GREY, 12, "start")
    d.line([(270, 194), (270, 120)], RED).arrow(270, 120, 294, 120, color=RED)
    d.line([(350, 194), (350, 120)], GREEN).arrow(350, 120, 326, 120, color=GREEN)
    d.arrow(310, 105, 310, 66, color=BLUE).text(320, 90, "write", GREY, 12, "start")
    d.arrow(446, 211, 508, 196, color=RED).text(474, 192, "show", GREY, 12)
    d.arrow(520, 50, 520, 96, color=BLUE).box(494, 98, 52, 30, "tanh", BLUE).arrow(520, 130, 520, 175, color=BLUE)
    return d.arrow(535, 190, 660, 190).text(676, 195, "h′").text(350, 292, "four blocks of weights: i, f, g, o", GREY, 12).svg()


def gru_cell() -> str:
    """One GRU step: z mixes the old state with the candidate, r acts inside the candidate."""
    d = Drawing(700, 250, "The update gate z mixes the old state h with the candidate n; the reset gate r acts inside n")
    d.text(28, 55, "h", BLUE).arrow(40, 50, 486, 50, color=BLUE).box(488, 34, 130, 32, "(1−z) n + z h", BLUE)
    d.arrow(620, 50, 660, 50, color=BLUE).text(676, 55, "h′", BLUE)
    d.line([(90, 50), (90, 130)], BLUE).arrow(90, 130, 128, 130, color=BLUE).box(130, 114, 100, 32, "h Whn + bhn")
    d.arrow(232, 130, 276, 130).circle(290, 130, 13, "×", RED).arrow(304, 130, 346, 130).circle(360, 130, 13, "+")
    d.arrow(374, 130, 406, 130).box(408, 114, 52, 32, "tanh", GREEN).line([(462, 130), (530, 130)], GREEN)
    d.arrow(530, 130, 530, 68, color=GREEN).text(496, 122, "n", GREEN)
    d.box(130, 194, 100, 32, "x Wxn + bxn").line([(232, 210), (360, 210)], INK).arrow(360, 210, 360, 145)
    d.text(28, 215, "x").arrow(40, 210, 128, 210)
    d.arrow(290, 178, 290, 145, color=RED).text(290, 196, "r = σ(x, h)", RED, 13)
    return d.arrow(590, 130, 590, 68, color=RED).text(590, 148, "z = σ(x, h)", RED, 13).svg()


def blocks() -> str:
    """How the weights of the gates stand side by side."""
    d = Drawing(700, 170, "The blocks of a weight matrix stand side by side on its last axis")
    for x, title, names in ((60, "LSTM: Wx (D, 4H)", "ifgo"), (430, "GRU: Wx (D, 3H)", "rzn")):
        d.text(x, 30, title, size=13, anchor="start")
        for k, name in enumerate(names):
            candidate = name in "gn"
            d.box(x + 70 * k, 44, 70, 60, name, GREEN if candidate else RED)
            d.text(x + 70 * k + 35, 122, ("0…", "H…", "2H…", "3H…")[k], GREY, 12)
    return d.text(210, 152, "red: σ, a gate", RED, 13).text(490, 152, "green: tanh, a candidate", GREEN, 13).svg()


def decay() -> str:
    """What is left of an error after n steps back, for several factors a step."""
    d = Drawing(700, 250, "What is left of an error n steps back where each step multiplies it by f")
    x0, y0, w, h = 60, 210, 480, 170
    d.axes(x0, y0, w + 20, h + 15, "n", "Π f")
    for n in (10, 20, 30, 40, 50):
        d.line([(x0 + w * n / 50, y0), (x0 + w * n / 50, y0 + 5)]).text(x0 + w * n / 50 - (14 if n == 50 else 0), y0 + 18, str(n), GREY, 12)
    d.text(x0 - 12, y0 - h + 5, "1", GREY, 12).text(x0 - 12, y0 + 5, "0", GREY, 12)
    for factor, color in ((1.0, BLUE), (0.99, GREEN), (0.9, INK), (0.25, RED)):
        d.line([(x0 + w * n / 50, y0 - h * factor**n) for n in range(51)], color)
    d.text(552, y0 - h + 5, "f = 1 (carousel)", BLUE, 13, "start")
    d.text(552, y0 - h * 0.99**50 + 5, "f = 0.99: 0.605", GREEN, 13, "start")
    d.text(552, y0 - 16, "f = 0.9: 0.005", INK, 13, "start")
    return d.text(86, y0 - 10, "0.25", RED, 13, "start").svg()
