"""The figures of the notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def loop() -> str:
    """Agent and environment."""
    d = Drawing(520, 170, "The agent acts, the environment answers with a reward and the next state")
    d.box(60, 60, 130, 50, "agent  π(a|s)", BLUE).box(330, 60, 150, 50, "P(s'|s,a), R(s,a)", GREEN)
    d.arrow(190, 72, 330, 72, "a(t)")
    d.line([(405, 110), (405, 145), (125, 145)], RED).arrow(125, 145, 125, 110, color=RED)
    return d.text(265, 138, "r(t+1), s(t+1)", RED, 12).svg()


def backup() -> str:
    """The backup diagram of an action value."""
    d = Drawing(520, 210, "Backup: choose an action, then chance chooses the next state")
    d.circle(260, 30, 18, "s")
    for x, name in ((140, "a0"), (380, "a1")):
        d.arrow(260, 48, x, 92).circle(x, 105, 13, "", BLUE).text(x + 30, 102, name, BLUE, 12)
        for dx, p in ((-60, "¾"), (60, "¼")):
            d.arrow(x, 118, x + dx, 168, color=GREEN).circle(x + dx, 182, 14, "s'").text(x + dx * 0.75, 146, p, GREEN, 12)
    return d.text(20, 70, "π: choice", BLUE, 12, "start").text(20, 146, "P: chance", GREEN, 12, "start").svg()


def iteration() -> str:
    """Policy iteration: the news travels one cell a round."""
    d = Drawing(520, 190, "Policy iteration on a corridor: the news of the goal travels one cell a round")
    for k in range(4):
        d.text(60, 32 + 42 * k, f"round {k + 1}", size=12)
        for cell in range(4):
            knows = cell > 2 - k
            d.box(120 + 80 * cell, 12 + 42 * k, 70, 32, "→" if knows and cell < 3 else "+1" if cell == 3 else "", GREEN if knows else GREY)
    return d.svg()
