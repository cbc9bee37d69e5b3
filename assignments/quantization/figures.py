"""Figures of the quantisation notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing


def layouts() -> str:
    """Sign, exponent and mantissa of five formats, to scale."""
    d = Drawing(760, 270, "Bits of sign, exponent and mantissa in five formats")
    formats = (("fp64", 11, 52), ("fp32", 8, 23), ("fp16", 5, 10), ("bf16", 8, 7), ("fp8 E5M2", 5, 2))
    unit = 9.8
    for i, (name, e, m) in enumerate(formats):
        y = 44 + 42 * i
        d.text(90, y + 20, name, anchor="end")
        x = 104.0
        for bits, color, label in ((1, RED, ""), (e, GREEN, str(e)), (m, BLUE, str(m))):
            d.box(x, y, unit * bits, 28, label, color)
            x += unit * bits
        d.text(x + 10, y + 20, f"bias {2 ** (e - 1) - 1}", GREY, 12, "start") if name != "fp64" else d
    d.text(106, 30, "S", RED, 13).text(164, 30, "E (exponent)", GREEN, 13).text(470, 30, "F (mantissa)", BLUE, 13)
    return d.svg()


def number_line() -> str:
    """All numbers from 0 on of a format with e = 2, m = 2: bias 1."""
    d = Drawing(720, 170, "The non-negative numbers of the format e = 2, m = 2")
    left, unit, y = 40, 170, 70
    d.arrow(left, y, left + unit * 3.95, y)
    for pattern in range(12):
        field, fraction = divmod(pattern, 4)
        value = fraction / 4 if field == 0 else (1 + fraction / 4) * 2.0 ** (field - 1)
        x, color = left + unit * value, (GREEN, BLUE, RED)[field]
        d.line([(x, y - 12), (x, y + 12)], color, width=2.5)
        d.text(x, y - 22, f"{value:g}", size=12)
        d.text(x, y + 30, f"{field:02b} {fraction:02b}", color, 11)
    d.text(left + unit * 0.45, y + 62, "E = 0: gap 1/4", GREEN, 13).text(left + unit * 1.45, y + 62, "E = 1: gap 1/4", BLUE, 13)
    return d.text(left + unit * 2.8, y + 62, "E = 2: gap 1/2", RED, 13).text(left + unit * 3.9, y - 22, "11 00 = ∞", GREY, 12).svg()


def staircase() -> str:
    """What comes back of x for s = 0.5, z = 2 and the integers 0 … 7: steps inside, flat outside; the gradient below."""
    d = Drawing(620, 380, "Quantise and dequantise: a staircase that saturates, and its straight-through gradient")
    left, zero, ux, uy = 60, 210, 104, 46
    place = lambda x, y: (left + ux * (x + 1.75), zero - uy * y)
    d.arrow(left, zero, left + ux * 5.25, zero).arrow(*place(0, -1.4), *place(0, 3.6))
    d.text(left + ux * 5.2, zero + 20, "x", anchor="end").text(place(0, 0)[0] + 8, place(0, 3.5)[1], "s (q - z)", size=12, anchor="start")
    d.line([place(-1.5, -1.5), place(3.2, 3.2)], GREY, dashed=True)
    points = [place(-1.75, -1)]
    for q in range(8):
        value = 0.5 * (q - 2)
        points += [place(value - 0.25 if q else -1.75, value), place(value + 0.25 if q < 7 else 3.3, value)]
        d.text(place(value, 0)[0], place(0, value)[1] - 8, f"q={q}", BLUE, 12)
    d.line(points, BLUE, width=2.5)
    d.text(left + 4, zero + 40, "q_min", RED, 12, "start").text(place(3.1, 0)[0], place(0, 2.5)[1] + 20, "q_max", RED, 12)
    base = 352
    d.arrow(left, base, left + ux * 5.25, base).text(left, base - 40, "dy / dx", size=12, anchor="start")
    low, high = place(-1.25, 0)[0], place(2.75, 0)[0]
    d.line([(left, base), (low, base), (low, base - 30), (high, base - 30), (high, base), (left + ux * 5.05, base)], RED, width=2.5)
    for end in (low, high):
        d.line([(end, base - 30), (end, zero)], GREY, dashed=True)
    return d.text(low - 10, base - 26, "1", RED, 12).text(high + 12, base - 8, "0", RED, 12).svg()
