"""Pictures of the topic: what an action is credited with, who learns what, and where PPO stops."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def credit() -> str:
    """Four rewards, an end in the middle: which of them each return adds up."""
    picture = Drawing(640, 218, "rewards that count for each step")
    rewards = ("r0 = 1", "r1 = 0", "r2 = -2", "r3 = 3")
    for t, reward in enumerate(rewards):
        x = 84 + 124 * t
        picture.circle(x, 40, 20, f"s{t}", GREEN if t in (0, 2) else GREY)
        if t != 1:
            picture.arrow(x + 20, 40, x + 104, 40, reward, RED)
        else:
            picture.arrow(x + 20, 40, x + 66, 40, "", RED).text(x + 46, 27, reward, RED, 12)
            picture.box(x + 68, 24, 30, 32, "end", GREY)
    picture.circle(580, 40, 20, "s4", BLUE)
    picture.text(616, 45, "V=4", BLUE, 12)
    spans = (("G0 = r0 + γ r1", 0, 2, GREY), ("G1 = r1", 1, 2, GREY), ("G2 = r2 + γ r3 + γ² V(s4)", 2, 4, BLUE), ("G3 = r3 + γ V(s4)", 3, 4, BLUE))
    for row, (name, first, last, color) in enumerate(spans):
        y = 86 + 34 * row
        stop = 84 + 124 * last - (34 if last == 2 else 0)
        picture.line([(84 + 124 * first, y), (stop, y)], color, width=3)
        side = (stop + 10, "start") if first < 2 else (74 + 124 * first, "end")
        picture.text(side[0], y + 5, name, INK, 13, side[1])
    return picture.svg()


def actor_and_critic() -> str:
    """Actor, critic and environment; the advantage is what the critic tells the actor."""
    picture = Drawing(640, 232, "actor, critic and environment")
    picture.box(30, 86, 140, 60, "environment", GREY)
    picture.box(300, 24, 150, 56, "actor  π(a|s; θ)", GREEN)
    picture.box(300, 150, 150, 56, "critic  V(s; w)", BLUE)
    picture.arrow(300, 40, 100, 84).text(196, 50, "action a", size=12)
    picture.arrow(170, 106, 298, 66).text(248, 104, "state s", size=12)
    picture.arrow(170, 126, 298, 168).text(226, 166, "s, reward r, s'", size=12)
    picture.arrow(375, 150, 375, 82, color=RED, dashed=True)
    picture.text(386, 120, "Â = r + γV(s') - V(s)", RED, 13, "start")
    picture.text(462, 48, "θ: loss -Â log π(a|s) - βH", INK, 12, "start")
    picture.text(462, 182, "w: loss (G - V(s))²", INK, 12, "start")
    return picture.svg()


def clipped_objective() -> str:
    """What one sample adds to PPO's objective, by its ratio: flat on one side only."""
    picture = Drawing(640, 250, "the clipped objective of one sample")
    for x0, gain, name in ((50, 1, "Â > 0"), (360, -1, "Â < 0")):
        y0 = 210 if gain > 0 else 78

        def at(r: float, value: float, x0: float = x0, y0: float = y0) -> tuple[float, float]:
            return x0 + 120 * r, y0 - 80 * value

        picture.arrow(x0, y0, x0 + 240, y0).arrow(x0, 238, x0, 34)
        picture.text(x0 + 236, y0 + (18 if gain > 0 else -10), "ratio r", size=12, anchor="end")
        picture.text(x0 + 8, 40, "min(rÂ, clip(r)Â)", size=12, anchor="start")
        picture.text(x0 + 196, 26, name, BLUE if gain > 0 else RED, 15)
        edge = 1.2 if gain > 0 else 0.8
        picture.line([at(0, 0), at(1.9, 1.9 * gain)], GREY, dashed=True)
        bent = [at(0, 0), at(edge, edge), at(1.9, edge)] if gain > 0 else [at(0, -edge), at(edge, -edge), at(1.9, -1.9)]
        picture.line(bent, BLUE if gain > 0 else RED, width=3)
        picture.circle(*at(1, gain), 4, color=INK)
        picture.line([at(edge, 0), at(edge, edge * gain)], GREY, dashed=True)
        label = "1+ε" if gain > 0 else "1-ε"
        picture.text(at(edge, 0)[0], y0 + (18 if gain > 0 else -8), label, size=12)
    return picture.svg()
