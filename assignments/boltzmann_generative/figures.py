"""Figures of the notebook on Boltzmann machines and generative models."""

from math import exp, log

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def machines() -> str:
    """A general Boltzmann machine, and the restricted one without links inside a layer."""
    d = Drawing(700, 230, "A general Boltzmann machine links all pairs, a restricted one only visible with hidden units")
    for left, restricted in ((30, False), (380, True)):
        hidden, visible = [(left + 90 + 120 * j, 60) for j in range(2)], [(left + 30 + 120 * i, 170) for i in range(3)]
        for x, y in hidden:
            for u, w in visible:
                d.line([(x, y + 20), (u, w - 20)], GREY)
        if not restricted:
            d.line([(hidden[0][0] + 20, 60), (hidden[1][0] - 20, 60)], RED)
            for (u, _), (x, _) in zip(visible, visible[1:]):
                d.line([(u + 20, 170), (x - 20, 170)], RED)
            d.line([(left + 36, 190), (left + 60, 208), (left + 240, 208), (left + 264, 190)], RED)
        for j, (x, y) in enumerate(hidden):
            d.circle(x, y, 20, f"h{j + 1}", GREEN)
        for i, (x, y) in enumerate(visible):
            d.circle(x, y, 20, f"v{i + 1}", BLUE)
        d.text(left + 150, 24, "RBM" if restricted else "Boltzmann machine")
    return d.text(590, 118, "W", GREY, 13).svg()


def stacks() -> str:
    """A deep belief network has arrows below its two top layers; a deep Boltzmann machine has none."""
    d = Drawing(640, 290, "Deep belief network: directed below the top pair. Deep Boltzmann machine: all links undirected")
    for left, name in ((40, "DBN"), (350, "DBM")):
        d.text(left + 120, 24, name)
        for y, label, color in ((45, "h2", GREEN), (135, "h1", GREEN), (225, "v", BLUE)):
            d.box(left + 40, y, 160, 40, label, color)
        for x in (left + 80, left + 120, left + 160):
            d.line([(x, 86), (x, 134)], RED if name == "DBN" else GREY, width=2)
            if name == "DBN":
                d.arrow(x, 176, x, 223)
            else:
                d.line([(x, 176), (x, 224)], GREY, width=2)
    return d.text(250, 114, "undirected", RED, 12, "start").text(250, 204, "directed", size=12, anchor="start").svg()


def slopes() -> str:
    """The generator's two losses by D(G(z)): flat or steep where the discriminator rejects."""
    d = Drawing(600, 270, "Near D(G(z)) = 0 the minimax loss is flat and the non-saturating loss steep")
    across, up = (lambda p: 60 + 480 * p), (lambda loss: 130 - 32 * loss)
    d.axes(60, 240, 500, 220, "D(G(z))", "loss").line([(60, up(0)), (545, up(0))], GREY, dashed=True)
    d.text(50, up(0) + 5, "0", GREY, 12, "end")
    grid = [i / 100 for i in range(4, 97)]
    d.line([(across(p), up(-log(p))) for p in grid], GREEN, width=2)
    d.line([(across(p), up(log(1 - p))) for p in [exp(-9), *grid]], RED, width=2)
    d.text(150, 62, "-log D(G(z))  (non-saturating)", GREEN, 13, "start")
    return d.text(150, 185, "log(1 - D(G(z)))  (minimax)", RED, 13, "start").svg()
