"""Figures of the ResNet and DenseNet notebook."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def _column(d: Drawing, x: float, title: str, steps: list[str], shortcut: bool) -> None:
    """A block from top to bottom; ReLU is red, the addition a circle that the shortcut runs into."""
    d.text(x, 28, title, INK, 15).text(x, 58, "x", INK, 15)
    y, start = 66, 66
    for step in steps:
        if step == "+":
            d.arrow(x, y, x, y + 20).circle(x, y + 34, 14, "+", GREEN)
            if shortcut:
                d.line([(x, start + 8), (x + 74, start + 8), (x + 74, y + 34)], GREEN, width=2.5)
                d.arrow(x + 74, y + 34, x + 15, y + 34, color=GREEN)
            y += 48
            continue
        d.arrow(x, y, x, y + 20).box(x - 44, y + 20, 88, 28, step, RED if step == "ReLU" else BLUE)
        y += 48
    d.arrow(x, y, x, 372).text(x, 390, "y", INK, 15)


def blocks() -> str:
    """The three kinds, and the bottleneck, with batch normalisation left out."""
    d = Drawing(760, 404, "Plain, post-activation, pre-activation and bottleneck block")
    _column(d, 80, "plain", ["W1", "ReLU", "W2", "ReLU"], False)
    _column(d, 250, "post", ["W1", "ReLU", "W2", "+", "ReLU"], True)
    _column(d, 440, "pre", ["ReLU", "W1", "ReLU", "W2", "+"], True)
    d.line([(560, 16), (560, 394)], GREY, dashed=True)
    d.text(655, 28, "bottleneck", INK, 15)
    for i, (label, width) in enumerate((("256", 150), ("1×1, 64", 56), ("3×3, 64", 56), ("1×1, 256", 150))):
        y = 66 + 76 * i
        d.box(655 - width / 2, y, width, 22, color=BLUE if i else INK).text(655, y + 40, label, size=13)
        if i < 3:
            d.arrow(655, y + 48, 655, y + 74)
    return d.text(655, 372, "17·64² weights", GREY, 13).svg()


def dense() -> str:
    """What each layer of a dense block sees, and how its channels grow."""
    d = Drawing(700, 300, "A dense block: every layer takes all channels before it and adds k")
    colors, left, unit = (INK, BLUE, GREEN, RED), 60, 22
    names = ("k0", "k", "k", "k")
    for m in range(4):
        x, top = left + 170 * m, 190
        for i in range(m + 1):
            height = 3 * unit if i == 0 else 2 * unit
            top -= height if i else 0
            d.box(x, top, 64, height, names[i], colors[i])
        d.text(x + 32, 284, ("k0", "k0 + k", "k0 + 2k", "k0 + 3k")[m], GREY, 14)
        if m < 3:
            d.arrow(x + 68, 222, x + 166, 222, color=GREY)
            d.text(x + 117, 214, f"H{m + 1} adds k", colors[m + 1], 13).text(x + 117, 242, "keeps all", GREY, 12)
    return d.svg()


def channels() -> str:
    """Channels along DenseNet-121: blocks climb by k a layer, transitions halve."""
    d = Drawing(700, 290, "Channels of DenseNet-121, layer by layer; transitions halve them")
    left, bottom, wide, high = 60, 240, 560, 190
    d.axes(left, bottom, wide + 20, high + 24, "layer", "channels")
    c, at, total = 64, 0, 58

    def place(layer: float, count: float) -> tuple[float, float]:
        return left + wide * layer / total, bottom - high * count / 1024

    d.text(*place(-0.8, 64), "64", size=12, anchor="end")
    for i, n in enumerate((6, 12, 24, 16)):
        start, c = (at, c), c + 32 * n
        at += n
        d.line([place(*start), place(at, c)], BLUE, width=2.5)
        x, y = place(at, c)
        d.text(x - 4, y - 8, str(c), BLUE, 13, "end")
        if i < 3:
            d.arrow(x, y, *place(at, c // 2), color=RED).text(x + 6, place(at, c // 2)[1] + 14, str(c // 2), RED, 13, "start")
            c //= 2
    d.text(*place(9, 900), "+32 per layer", BLUE, 13).text(*place(9, 790), "×1/2 per transition", RED, 13)
    return d.svg()
