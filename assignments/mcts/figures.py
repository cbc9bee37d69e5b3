"""The figures of the notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def _node(d: Drawing, x: float, y: float, label: str, color: str) -> None:
    d.circle(x, y, 20, label, color)


def steps() -> str:
    """The four steps of a simulation on one tree."""
    d = Drawing(720, 250, "Selection, expansion, playout and backup")
    for i, title in enumerate(("1 selection", "2 expansion", "3 playout", "4 backup")):
        x = 90 + 180 * i
        d.text(x, 20, title)
        on = BLUE if i in (0, 3) else GREY
        d.line([(x, 60), (x - 45, 110)], BLUE if i in (0, 3) else GREY, width=3 if i in (0, 3) else 1.5)
        d.line([(x, 60), (x + 45, 110)], GREY)
        _node(d, x, 60, "−1" if i == 3 else "", on)
        _node(d, x - 45, 110, "+1" if i == 3 else "", on)
        _node(d, x + 45, 110, "", GREY)
        if i:
            d.line([(x - 45, 130), (x - 45, 145)], BLUE if i == 3 else GREEN, width=3)
            _node(d, x - 45, 165, ("new", "", "−1")[i - 1], BLUE if i == 3 else GREEN)
        if i == 2:
            d.line([(x - 45, 185), (x - 60, 200), (x - 35, 212), (x - 50, 226)], RED, dashed=True)
            d.text(x - 30, 240, "r = +1", RED, 12, "start")
        if i == 3:
            d.arrow(x - 75, 165, x - 75, 110, color=RED).arrow(x - 75, 100, x - 25, 55, color=RED)
    return d.svg()


def pruning() -> str:
    """Alpha–beta on two moves with two replies each."""
    d = Drawing(420, 220, "Alpha-beta: the last leaf need not be looked at")
    for x, y, label, color in ((210, 40, "3", BLUE), (110, 110, "3", RED), (310, 110, "≤ 2", RED)):
        d.circle(x, y, 22, label, color)
    d.line([(195, 55), (125, 95)]).line([(225, 55), (295, 95)])
    for x, label, parent in ((70, "3", 110), (150, "5", 110), (270, "2", 310), (350, "9", 310)):
        cut = label == "9"
        d.line([(parent, 132), (x, 170)], GREY, dashed=cut)
        d.box(x - 18, 170, 36, 30, label, GREY if cut else GREEN)
    return d.text(30, 45, "max", BLUE, anchor="start").text(30, 115, "min", RED, anchor="start").text(385, 150, "cut", RED).svg()
