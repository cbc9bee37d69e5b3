"""The figures of the notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def loop() -> str:
    """Self-play, training and evaluation, round and round."""
    d = Drawing(740, 250, "The loop of AlphaGo Zero")
    d.box(20, 40, 200, 64, "", BLUE).text(120, 66, "self-play").text(120, 90, "1,600 simulations a move", GREY, 12)
    d.box(290, 40, 170, 64, "", GREEN).text(375, 66, "data  (s, π, z)").text(375, 90, "last 500,000 games", GREY, 12)
    d.box(530, 40, 190, 64, "", RED).text(625, 66, "training").text(625, 90, "p → π,  v → z", GREY, 12)
    d.box(290, 170, 170, 64, "").text(375, 196, "evaluator").text(375, 220, "400 games, > 55 %", GREY, 12)
    d.arrow(220, 72, 290, 72).arrow(460, 72, 530, 72)
    d.line([(625, 104), (625, 202)]).arrow(625, 202, 460, 202, "new network")
    d.line([(290, 202), (120, 202)]).arrow(120, 202, 120, 104).text(205, 194, "best network", size=12)
    return d.svg()


def network() -> str:
    """One tower, two heads."""
    d = Drawing(760, 250, "One residual network with two heads")
    d.box(15, 95, 110, 60, "", GREY).text(70, 121, "planes").text(70, 143, "19×19×17", GREY, 12)
    d.box(155, 95, 110, 60, "", BLUE).text(210, 121, "conv 3×3").text(210, 143, "BN, ReLU", GREY, 12)
    d.box(295, 85, 150, 80, "", BLUE).text(370, 112, "residual block").text(370, 133, "conv BN ReLU conv BN", GREY, 11).text(370, 152, "+ x, ReLU", GREY, 11)
    d.text(370, 78, "× 19  or  × 39", BLUE)
    d.arrow(125, 125, 155, 125).arrow(265, 125, 295, 125)
    d.box(490, 25, 120, 60, "", GREEN).text(550, 51, "conv 1×1").text(550, 73, "2 filters", GREY, 12)
    d.box(490, 165, 120, 60, "", RED).text(550, 191, "conv 1×1").text(550, 213, "1 filter", GREY, 12)
    d.arrow(445, 115, 490, 60).arrow(445, 135, 490, 195)
    d.box(640, 25, 110, 60, "", GREEN).text(695, 51, "722 → 362").text(695, 73, "p, with pass", GREY, 12)
    d.box(640, 165, 110, 60, "", RED).text(695, 191, "361→256→1").text(695, 213, "v = tanh", GREY, 12)
    d.arrow(610, 55, 640, 55).arrow(610, 195, 640, 195)
    return d.svg()


def simulation() -> str:
    """The second simulation of the notebook's example: down by PUCT, up with changing signs."""
    d = Drawing(660, 300, "One simulation: select, evaluate and expand, back up")
    d.line([(310, 58), (190, 122)], BLUE, width=3).line([(330, 58), (450, 122)], GREY)
    d.line([(165, 158), (105, 222)], BLUE, width=3).line([(180, 158), (240, 222)], GREY).line([(455, 160), (455, 220)], GREY)
    d.circle(320, 44, 22, "0", BLUE).circle(175, 140, 22, "1", BLUE).circle(455, 140, 22, "2", GREY)
    d.circle(95, 242, 22, "3", GREEN).circle(250, 242, 22, "4", GREY).circle(455, 242, 22, "5", GREY)
    d.text(262, 112, "Q + U = 0.75", BLUE, anchor="start").text(408, 78, "Q + U = 0.6", GREY, anchor="start")
    d.text(60, 288, "new: v = −1", GREEN, anchor="start")
    d.arrow(66, 228, 130, 160, color=RED).text(82, 184, "W += 1", RED, 12, "end")
    d.arrow(140, 122, 262, 50, color=RED).text(178, 78, "W −= 1", RED, 12, "end")
    d.text(500, 30, "1  select", BLUE, 13, "start").text(500, 52, "2  evaluate, expand", GREEN, 13, "start").text(500, 74, "3  back up", RED, 13, "start")
    return d.svg()


def temperature() -> str:
    """The same visits at three temperatures."""
    d = Drawing(640, 210, "Visits (10, 30, 0, 60) at three temperatures")
    for i, (title, pi) in enumerate((("τ = 1", (0.1, 0.3, 0, 0.6)), ("τ = 0.5", (0.022, 0.196, 0, 0.783)), ("τ → 0", (0, 0, 0, 1)))):
        x = 30 + 205 * i
        d.line([(x, 170), (x + 175, 170)], GREY).text(x + 88, 22, title)
        for a, p in enumerate(pi):
            left = x + 8 + 42 * a
            if p:
                d.box(left, 170 - 120 * p, 34, 120 * p, "", BLUE)
            d.text(left + 17, 162 - 120 * p, f"{p:.3g}", size=12).text(left + 17, 188, f"{(10, 30, 0, 60)[a]}", GREY, 12)
    return d.text(320, 206, "N", GREY, 12).svg()
