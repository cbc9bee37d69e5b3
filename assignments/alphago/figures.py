"""The figures of the notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def pipeline() -> str:
    """What is trained from what, and what the search takes of it."""
    d = Drawing(760, 290, "Training and search of AlphaGo")
    d.text(200, 22, "training", GREY, anchor="start").text(200, 142, "search", GREY, anchor="start")
    d.line([(170, 118), (750, 118)], GREY, dashed=True)
    d.box(20, 36, 120, 44, "human games", GREY).box(20, 226, 120, 44, "rollout policy", BLUE)
    d.box(200, 36, 110, 44, "SL policy", BLUE).box(420, 36, 110, 44, "RL policy", GREEN).box(620, 36, 120, 44, "value network", RED)
    d.arrow(140, 58, 200, 58).arrow(80, 80, 80, 226)
    d.arrow(310, 58, 420, 58, "REINFORCE").arrow(530, 58, 620, 58, "regression")
    d.text(475, 98, "self-play", GREY, 12).text(730, 98, "one position a game", GREY, 12, "end")
    d.box(180, 152, 100, 44, "selection").box(320, 152, 100, 44, "expansion").box(470, 152, 110, 44, "evaluation").box(640, 152, 100, 44, "backup")
    d.arrow(280, 174, 320, 174).arrow(420, 174, 470, 174).arrow(580, 174, 640, 174)
    d.arrow(280, 80, 350, 152, color=BLUE).text(328, 108, "P", BLUE)
    d.arrow(628, 80, 555, 152, color=RED).text(582, 108, "v", RED)
    d.line([(140, 248), (525, 248)], BLUE).arrow(525, 248, 525, 196, color=BLUE).text(540, 230, "z", BLUE)
    return d.svg()


def backup() -> str:
    """One evaluation on its way up a path of three edges."""
    d = Drawing(640, 270, "Signs of one backup")
    for depth, (player, color) in enumerate((("black", BLUE), ("white", RED), ("black", BLUE), ("white", RED))):
        x, y = 120 + 60 * depth, 36 + 66 * depth
        d.text(x - 34, y + 5, player, color, anchor="end")
        if depth:
            d.line([(x - 46, y - 50), (x - 14, y - 16)], width=3)
            d.line([(x - 74, y - 50), (x - 106, y - 16)], GREY)
            sign = "+" if depth == 2 else "−"
            for column, entry in enumerate((f"W_v {sign}= v", f"W_r {sign}= z", "N_v, N_r += 1")):
                d.text(x + 14 + 95 * column, y - 30, entry, anchor="start")
        d.circle(x, y, 20, "leaf" if depth == 3 else "", color)
    d.text(334, 239, "v, z: for white, who is to move", RED, anchor="start")
    return d.svg()


def game() -> str:
    """Who plays the moves of a game that yields one example for the value network."""
    d = Drawing(700, 130, "The three phases of one game")
    for t in range(1, 10):
        color = BLUE if t < 4 else RED if t == 4 else GREEN
        d.box(30 + 70 * (t - 1), 44, 60, 36, f"{t}", color)
    d.text(130, 30, "SL policy", BLUE).text(270, 30, "random (U = 4)", RED).text(480, 30, "RL policy, to the end", GREEN)
    d.arrow(305, 116, 305, 82).text(315, 114, "the example: s_5, and z for black", anchor="start")
    return d.svg()
