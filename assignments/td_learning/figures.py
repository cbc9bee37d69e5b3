"""Pictures of the topic: what a target is made of, and where a replay buffer writes."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def how_far_ahead() -> str:
    """TD(0), two steps and Monte Carlo: rewards that were seen, and the value that closes the sum."""
    picture = Drawing(640, 232, "targets of TD(0), two steps and Monte Carlo")
    rows = (("n = 1", 1), ("n = 2", 2), ("n = 4", 4))
    for row, (name, n) in enumerate(rows):
        y = 46 + 62 * row
        picture.text(40, y + 5, name)
        for k in range(n + 1):
            x = 112 + 100 * k
            last, terminal = k == n, k == 4
            if terminal:
                picture.box(x - 18, y - 18, 36, 36, "0", GREY)
            else:
                picture.circle(x, y, 18, f"s{k}", BLUE if last else GREEN if k == 0 else GREY)
            if not last:
                discount = ("", "γ", "γ²", "γ³")[k]
                picture.arrow(x + 18, y, x + 82, y, f"{discount}R{k + 1}", RED)
        closing = ("", "+ γ V(s1)", "+ γ² V(s2)", "", "+ γ⁴ · 0")[n]
        picture.text(112 + 100 * n + 28, y + 5, closing, BLUE if n < 4 else GREY, anchor="start")
    picture.text(112, 222, "red: rewards that were seen", RED, 12, "start")
    return picture.text(330, 222, "blue: a value that is estimated", BLUE, 12, "start").svg()


def next_state_values() -> str:
    """Four ways to value one next state, by the example of the text."""
    picture = Drawing(640, 250, "four rules for the value of the next state")
    picture.text(100, 28, "Q(s', ·)").matrix(30, 42, [[2, 5, -1]], cell=46, marked=[(0, 1)])
    picture.text(100, 212, "chooser (double Q)").matrix(30, 144, [[4, 3, 0]], cell=46, marked=[(0, 0)])
    picture.arrow(53, 144, 53, 92, color=RED, dashed=True)
    lines = (
        ("SARSA", "the action taken, a' = 0", "2"),
        ("Q-learning", "the greatest", "5"),
        ("expected SARSA", "mean under π, ε = 0.3", "4.1"),
        ("double Q", "argmax of the chooser: 0", "2"),
    )
    for row, (rule, why, value) in enumerate(lines):
        y = 34 + 54 * row
        picture.text(222, y + 18, rule, anchor="start").text(352, y + 18, why, GREY, 13, "start")
        picture.box(560, y, 50, 32, value, BLUE if row == 1 else GREEN)
    return picture.svg()


def ring_buffer() -> str:
    """Ten transitions in four slots."""
    picture = Drawing(640, 170, "a ring of four slots after ten transitions")
    for slot in range(4):
        picture.text(185 + 70 * slot, 26, f"slot {slot}", GREY, 12)
    picture.matrix(150, 36, [[8, 9, 6, 7]], cell=70, marked=[(0, 0), (0, 1)])
    picture.text(90, 76, "id")
    picture.arrow(325, 146, 325, 110, color=RED).text(340, 146, "id 10 goes here: 10 mod 4 = 2", RED, 13, "start")
    return picture.svg()
