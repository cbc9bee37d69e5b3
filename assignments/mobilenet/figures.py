"""Figures of the MobileNet notebook."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def _stack(d: Drawing, x: float, y: float, count: int, side: float, colors: tuple[str, ...], label: str = "") -> None:
    """Maps one behind the other, the first in front."""
    for i in reversed(range(count)):
        d.box(x + 12 * i, y - 12 * i, side, side, color=colors[i % len(colors)])
    d.text(x + side / 2 + 6 * (count - 1), y + side + 20, label, size=13)


def separated() -> str:
    """Above: one filter sees all channels. Below: a filter for each channel, then 1×1 filters over all channels."""
    d = Drawing(720, 416, "A standard convolution, and the same work split into depthwise and pointwise")
    kinds = (BLUE, GREEN, RED)
    d.text(20, 28, "standard: each of the M filters is K×K×C", GREY, 14, "start")
    _stack(d, 40, 84, 3, 60, kinds, "C maps")
    d.arrow(140, 104, 250, 104)
    for m in range(4):
        _stack(d, 262 + 66 * m, 90, 3, 22, kinds)
    d.text(378, 140, "M filters", size=13).text(378, 158, "MACs per pixel: K·K·C·M", size=12).arrow(532, 104, 590, 104)
    _stack(d, 600, 96, 4, 56, (INK,), "M maps")
    d.line([(20, 196), (700, 196)], GREY, dashed=True)
    d.text(20, 222, "separable: depthwise, then pointwise", GREY, 14, "start")
    _stack(d, 40, 290, 3, 60, kinds, "C maps")
    for c, color in enumerate(kinds):
        y = 258 + 36 * c
        d.arrow(134, y + 12, 166, y + 12, color=color).box(170, y, 24, 24, color=color).arrow(198, y + 12, 234, y + 12, color=color)
    d.text(182, 384, "C filters, K·K each", size=12)
    _stack(d, 244, 290, 3, 60, kinds, "C maps")
    d.arrow(340, 304, 390, 304)
    for m in range(4):
        for c, color in enumerate(kinds):
            d.box(400 + 34 * m, 280 + 16 * c, 16, 16, color=color)
    d.text(460, 352, "M filters, 1·1·C each", size=12).arrow(544, 304, 590, 304)
    _stack(d, 600, 302, 4, 56, (INK,), "M maps")
    return d.text(360, 408, "MACs per pixel: K·K·C + C·M", size=12).svg()


def sliding() -> str:
    """The depthwise example of the text: a 2×2 kernel on a 3×3 map, one channel at a time."""
    d = Drawing(600, 250, "One 2×2 kernel for each channel; nothing is summed over the channels")
    for c, (x0, kernel, out) in enumerate(((0, (("1", "0"), ("0", "−1")), (("−4", "−4"), ("−4", "−4"))), (9, (("1", "2"), ("3", "4")), (("117", "127"), ("147", "157"))))):
        y = 24 + 116 * c
        rows = [[x0 + 3 * i + j for j in range(3)] for i in range(3)]
        d.text(48, y + 52, f"c = {c}", GREY, 13)
        d.matrix(90, y, rows, 32, [(i, j) for i in range(2) for j in range(2)]).text(222, y + 53, "∗", size=22)
        d.matrix(258, y + 16, kernel, 32).arrow(340, y + 48, 400, y + 48)
        d.matrix(420, y + 8, out, 40, [(0, 0)])
    return d.svg()


def shares() -> str:
    """Cost of the separable layer as a share of the standard one, K = 3, over the output channels."""
    d = Drawing(560, 290, "Share 1/M + 1/9 of a 3×3 convolution's cost, over the number M of output channels")
    left, bottom, wide, high = 70, 240, 440, 190
    d.axes(left, bottom, wide + 20, high + 25, "M (output channels)", "separable / standard")
    place = lambda m, share: (left + wide * (m - 1) / 63, bottom - high * share / 1.2)
    d.line([place(1 + i / 2, 1 / (1 + i / 2) + 1 / 9) for i in range(127)], BLUE, width=2.5)
    d.line([place(1, 1 / 9), place(64, 1 / 9)], RED, dashed=True).text(*place(50, 0.02), "1/K² = 1/9", RED, 13)
    d.line([place(1, 1), place(64, 1)], GREY, dashed=True).text(*place(50, 1.04), "standard", GREY, 13)
    for m in (8, 16, 32, 64):
        x, y = place(m, 1 / m + 1 / 9)
        d.circle(x, y, 4, color=BLUE).text(x, y - 12, f"{1 / m + 1 / 9:.3f}", size=12).text(x, bottom + 16, str(m) if m < 64 else "", GREY, 12)
    return d.svg()
