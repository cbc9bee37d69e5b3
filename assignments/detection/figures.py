"""Figures of the detection notebook."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def overlap() -> str:
    """Two 8×5 boxes shifted by (3, 2): the example of the text."""
    d = Drawing(520, 250, "Two boxes of 8×5, shifted by (3, 2): I = 15, union = 65")
    unit, x0, y0 = 24, 40, 40
    d.box(x0, y0, 8 * unit, 5 * unit, color=BLUE).text(x0 + 4, y0 - 8, "a = (0, 0, 8, 5)", BLUE, 13, "start")
    d.box(x0 + 3 * unit, y0 + 2 * unit, 8 * unit, 5 * unit, color=GREEN)
    d.text(x0 + 11 * unit - 4, y0 + 7 * unit + 18, "b = (3, 2, 11, 7)", GREEN, 13, "end")
    d.box(x0 + 3 * unit, y0 + 2 * unit, 5 * unit, 3 * unit, "I = 5·3", RED)
    d.line([(x0, y0), (x0 + 8 * unit, y0), (x0 + 8 * unit, y0 + 5 * unit), (x0, y0 + 5 * unit), (x0, y0)], BLUE, width=2.5)
    d.text(345, 90, "A = B = 40,  I = 15", size=15, anchor="start")
    d.text(345, 120, "union = 40 + 40 − 15", size=15, anchor="start")
    return d.text(345, 150, "IoU = 15 / 65", RED, 15, "start").svg()


def chain() -> str:
    """A row of boxes: the middle one is suppressed, so it does not suppress the last."""
    d = Drawing(580, 170, "NMS: a suppressed box suppresses nothing")
    for i, (score, color, what) in enumerate((("0.9", BLUE, "kept"), ("0.8", GREY, "suppressed by 0.9"), ("0.7", BLUE, "kept"))):
        x, y = 40 + 70 * i, 24 + 12 * i
        d.line([(x, y), (x + 210, y), (x + 210, y + 74), (x, y + 74), (x, y)], color, dashed=color == GREY, width=2.5)
        d.text(x + 8, y + 16, score, color, 13, "start").text(400, 50 + 26 * i, f"{score}: {what}", color, 13, "start")
    return d.text(40, 154, "neighbours: IoU large; first and last: IoU small", INK, 12, "start").svg()


def priors() -> str:
    """The default boxes of one position, one area, and the code of a truth."""
    d = Drawing(600, 250, "Default boxes of one cell: the area is s² for every ratio")
    cx, cy, s = 140, 122, 110
    for ratio, color, at in ((1, INK, (0, -61)), (2, BLUE, (100, 6)), (0.5, GREEN, (0, 98))):
        w, h = s * ratio**0.5, s / ratio**0.5
        x, y = cx - w / 2, cy - h / 2
        d.line([(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x, y)], color, width=2.5)
        d.text(cx + at[0], cy + at[1], f"a = {ratio:g}".replace("0.5", "1/2"), color, 12)
    d.circle(cx, cy, 3)
    x, y = 330, 110
    d.line([(x, y), (x + 90, y), (x + 90, y + 90), (x, y + 90), (x, y)], GREY, dashed=True, width=2.5)
    d.line([(x + 40, y - 70), (x + 170, y - 70), (x + 170, y + 70), (x + 40, y + 70), (x + 40, y - 70)], RED, width=2.5)
    d.circle(x + 45, y + 45, 3, color=GREY).circle(x + 105, y, 3, color=RED).arrow(x + 45, y + 45, x + 103, y + 2)
    d.text(x - 4, y + 108, "prior (c_p, size_p)", GREY, 12, "start").text(x + 172, y - 76, "truth (c, size)", RED, 12, "end")
    return d.text(x + 45, y + 130, "code: (c − c_p)/size_p/var₀, ln(size/size_p)/var₁", INK, 12).svg()


def staircase() -> str:
    """Precision over recall for ✓✗✓✓✗ and four truths, with its envelope."""
    d = Drawing(560, 290, "Precision over recall and its envelope: AP = 0.625")
    left, bottom, wide, high = 60, 240, 400, 190
    place = lambda r, p: (left + wide * r, bottom - high * p)
    for a, b, p in ((0, 0.25, 1), (0.25, 0.5, 0.75), (0.5, 0.75, 0.75)):
        x, y = place(a, p)
        d.box(x, y, wide * (b - a), high * p, color=BLUE)
    d.axes(left, bottom, wide + 40, high + 25, "recall", "precision")
    points = [(0.25, 1), (0.25, 0.5), (0.5, 2 / 3), (0.75, 0.75), (0.75, 0.6)]
    d.line([place(*p) for p in points], RED, dashed=True)
    for k, (r, p) in enumerate(points, 1):
        x, y = place(r, p)
        d.circle(x, y, 4, color=RED).text(x + 9, y + 14, str(k), RED, 12, "start")
    for r in (0.25, 0.5, 0.75, 1):
        d.text(place(r, 0)[0], bottom + 18, f"{r:g}" if r < 1 else "", GREY, 12)
    d.text(place(0.47, 1.0)[0], place(0, 1.0)[1], "envelope: best precision at this recall or more", BLUE, 12, "start")
    return d.text(place(0.4, 0.25)[0], place(0, 0.25)[1], "AP = ¼·1 + ¼·¾ + ¼·¾ = 0.625", BLUE, 14).svg()
