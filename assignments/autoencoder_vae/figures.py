"""Figures of the autoencoder notebook."""

from math import exp

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def hourglass() -> str:
    """Encoder, code, decoder; the target is the input itself, or the clean input of a corrupted one."""
    d = Drawing(700, 210, "An autoencoder: the input is encoded into a code and decoded; the target is the clean input")
    d.box(20, 40, 50, 120, "x").arrow(72, 100, 128, 100, "mask", RED, dashed=True).box(130, 40, 50, 120, "x̃", RED)
    d.arrow(182, 100, 228, 100).box(230, 65, 110, 70, "encoder", BLUE).arrow(342, 100, 378, 100)
    d.circle(402, 100, 22, "z", GREEN).arrow(426, 100, 462, 100).box(464, 65, 110, 70, "decoder", BLUE)
    d.arrow(576, 100, 618, 100).box(620, 40, 50, 120, "x'")
    d.line([(45, 162), (45, 190), (645, 190), (645, 164)], GREY, dashed=True)
    return d.text(345, 184, "loss(x', x)", GREY, 12).text(402, 60, "code", GREEN, 12).svg()


def trick() -> str:
    """Sampling cuts the graph; with the noise as an input, gradients pass through μ and σ."""
    d = Drawing(700, 250, "With noise drawn outside, z is a differentiable function of mu and sigma")
    for left, head, ok in ((0, "z ~ N(μ, σ²)", False), (360, "z = μ + σ ε", True)):
        d.text(left + 165, 24, head)
        d.box(left + 20, 60, 60, 40, "μ", BLUE).box(left + 20, 160, 60, 40, "σ", BLUE)
        d.circle(left + 190, 130, 30, "z", GREEN if ok else GREY).box(left + 270, 108, 50, 44, "loss")
        d.arrow(left + 82, 80, left + 164, 116).arrow(left + 82, 180, left + 164, 144)
        d.arrow(left + 222, 124, left + 268, 124).arrow(left + 268, 140, left + 222, 140, color=RED)
        if ok:
            d.circle(left + 190, 212, 18, "ε", GREY).arrow(left + 190, 193, left + 190, 162)
            d.arrow(left + 160, 128, left + 84, 92, color=RED).arrow(left + 160, 158, left + 84, 190, color=RED)
        else:
            d.text(left + 120, 136, "✕ gradient", RED, 13)
    return d.svg()


def divergence() -> str:
    """A narrow posterior and the wider prior towards which the divergence draws it."""
    d = Drawing(600, 230, "The posterior q(z|x) is drawn to the prior p(z) by the divergence")
    d.axes(40, 190, 530, 165, "z", "density")
    curve = lambda m, s: [(300 + 60 * z, 190 - 55 / s * exp(-0.5 * ((z - m) / s) ** 2)) for z in (i / 10 - 4 for i in range(81))]
    d.line(curve(0, 1), BLUE, width=2).line(curve(1.5, 0.4), GREEN, width=2)
    d.text(236, 128, "p(z) = N(0, I)", BLUE, 13, "end").text(440, 74, "q(z|x) = N(μ(x), σ²(x))", GREEN, 13, "start")
    return d.arrow(380, 36, 310, 36, "KL(q‖p)", RED).svg()
