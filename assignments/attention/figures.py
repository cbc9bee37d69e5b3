"""Figures of the attention notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def lookup() -> str:
    """One query, three keys of which the last is hidden, and the weighted mean of their values."""
    d = Drawing(700, 270, "A query is compared with every key; the values are averaged with the softmax weights")
    for x, head in ((52, "query"), (172, "keys"), (272, "scores"), (388, "weights"), (522, "values"), (644, "context")):
        d.text(x, 24, head, GREY, 13)
    d.circle(52, 140, 26, "q", BLUE).circle(644, 140, 26, "c", BLUE)
    rows = (("0", "1/3", 1 / 3, "(3, 0)"), ("ln 2", "2/3", 2 / 3, "(0, 3)"), ("ln 3", "0", 0, "(9, 9)"))
    for j, (score, share, weight, value) in enumerate(rows, 1):
        y, hidden = 70 * j - 6, weight == 0
        color = GREY if hidden else GREEN
        d.arrow(80, 140 + 6 * (j - 2), 142, y + 2, color=GREY if hidden else BLUE, dashed=hidden)
        d.box(144, y - 18, 56, 36, f"k{j - 1}", color).text(272, y + 5, score, RED if hidden else "#1b1f24")
        d.arrow(204, y, 246, y, color=color, dashed=hidden).arrow(296, y, 336, y, color=color, dashed=hidden)
        if hidden:
            d.text(272, y + 24, "mask: −∞", RED, 12)
        d.box(342, y - 12, 92, 24).text(448, y + 5, share, size=13)
        if weight:
            d.box(342, y - 12, 92 * weight, 24, color=BLUE)
        d.arrow(464, y, 490, y, color=color, dashed=hidden).box(492, y - 18, 60, 36, value, color)
        d.arrow(556, y, 618, 140 + 6 * (j - 2), color=color, dashed=hidden)
    return d.text(644, 188, "(1, 2)").text(350, 262, "c = 1/3 (3, 0) + 2/3 (0, 3) + 0 (9, 9)", size=13).svg()


def heads() -> str:
    """Two heads: D columns are cut into two blocks, each attends by itself, and Wo joins them."""
    d = Drawing(700, 250, "Each head attends with its own block of columns; the results are joined and multiplied by Wo")
    for row, name in enumerate(("x_q Wq", "x_kv Wk", "x_kv Wv")):
        y = 34 + 68 * row
        d.text(84, y - 6, name, size=13)
        for column in range(4):
            d.box(36 + 24 * column, y, 24, 34, color=BLUE if column < 2 else GREEN)
    d.text(60, 230, "head 0", BLUE, 13).text(108, 230, "head 1", GREEN, 13)
    for i, (color, y) in enumerate(((BLUE, 54), (GREEN, 142))):
        d.arrow(146, 120, 208, y + 28, color=color)
        d.box(210, y, 190, 56, "softmax(q kᵀ / √d) v", color).text(305, y - 6, f"head {i}: d = D/heads", color, 12)
        d.arrow(402, y + 28, 452, 118, color=color)
    for column in range(4):
        d.box(456 + 24 * column, 102, 24, 34, color=BLUE if column < 2 else GREEN)
    d.text(504, 94, "joined", size=13).text(504, 154, "(N, Tq, D)", GREY, 12)
    return d.text(572, 124, "@").box(588, 98, 42, 42, "Wo").text(644, 124, "=").text(674, 124, "out").svg()


def padding() -> str:
    """Weights of a batch of two sentences of lengths 2 and 3, filled up to 3: hidden columns are 0."""
    d = Drawing(560, 200, "Columns beyond the true length of a sentence get the weight 0 in every row")
    for n, (length, rows) in enumerate(((2, ((".5", ".5"), (".2", ".8"))), (3, ((".2", ".5", ".3"), (".6", ".1", ".3"))))):
        x = 90 + 260 * n
        d.text(x + 66, 24, f"n = {n}: length {length}", size=13)
        d.matrix(x, 56, [(*row, *["0"] * (3 - length)) for row in rows], 44, [(i, j) for i in range(2) for j in range(length)])
        for j in range(3):
            d.text(x + 44 * j + 22, 48, f"k{j}", GREY, 12)
            d.text(x + 44 * j + 22, 166, "True" if j < length else "False", GREEN if j < length else RED, 12)
        for i in range(2):
            d.text(x - 14, 83 + 44 * i, f"q{i}", GREY, 12)
    return d.text(280, 190, "padding_mask([2, 3], 3)", size=13).svg()
