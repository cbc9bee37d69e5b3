"""Figures of the segmentation notebook."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def fields() -> str:
    """What one output sees through three layers of kernel 3: plain, and with dilations 1, 2, 4."""
    d = Drawing(680, 268, "The receptive field of three layers of kernel 3: 7 pixels plain, 15 with dilations 1, 2, 4")
    for left, dilations, field in ((20, (1, 1, 1), 7), (360, (1, 2, 4), 15)):
        place = [left + 18 + 19 * i for i in (*range(7, 15), *range(7))]  # of -7 … 7, the middle first
        seen = [{0}]
        for dilation in reversed(dilations):
            seen.append({o + dilation * t for o in seen[-1] for t in (-1, 0, 1)})
        for row, dilation in enumerate(reversed(dilations)):
            for o in seen[row]:
                for t in (-1, 0, 1):
                    d.line([(place[o], 50 + 55 * row), (place[o + dilation * t], 105 + 55 * row)], GREY, width=1)
        for row in range(4):
            for i in range(-7, 8):
                inside = i in seen[row]
                d.circle(place[i], 50 + 55 * row, 6 if inside else 4, color=(BLUE if row else RED) if inside else GREY)
        d.text(place[0], 24, f"d = {', '.join(map(str, dilations))}:  field {field}", size=14)
        d.text(place[0], 250, "input", GREY, 12)
    return d.svg()


def stamps() -> str:
    """A transposed convolution along one axis: x = (1, 3), w = (1, 2, 1), s = 2, p = 1."""
    d = Drawing(560, 270, "Each input pixel stamps its value times the kernel; overlapping stamps add up")
    d.text(60, 50, "x", size=15).matrix(90, 24, [[1, 3]], 40).text(330, 50, "w", size=15).matrix(360, 24, [[1, 2, 1]], 40)
    d.text(60, 120, "1 · w", size=15).matrix(200, 94, [[1, 2, 1]], 40)
    d.text(60, 166, "3 · w", size=15).matrix(280, 140, [[3, 6, 3]], 40)
    d.arrow(200, 86, 280, 86, "s = 2", GREY)
    d.text(60, 220, "sum", size=15).matrix(200, 194, [[1, 2, 4, 6, 3]], 40, [(0, 2)])
    d.line([(240, 188), (240, 244)], RED, dashed=True, width=2).line([(360, 188), (360, 244)], RED, dashed=True, width=2)
    return d.text(300, 260, "p = 1 leaves 2 4 6", RED, 13).text(470, 220, "1 + 3 = 4", BLUE, 13).svg()


def ladder() -> str:
    """The sides of FCN-8s on an image of 500 pixels."""
    d = Drawing(720, 300, "FCN-8s on 500 pixels: 16 doubled, plus pool4, doubled, plus pool3, 8 times")
    stops = (("image", 500, 62), ("pool1", 250, 52), ("pool2", 125, 44), ("pool3", 63, 38), ("pool4", 32, 32), ("pool5", 16, 26))
    for i, (name, side, high) in enumerate(stops):
        x = 20 + 118 * i
        color = GREEN if name in ("pool3", "pool4", "pool5") else INK
        d.box(x, 74 - high / 2, 60, high, str(side), color).text(x + 30, 32, name, GREY, 12)
        if i < 5:
            d.arrow(x + 64, 74, x + 114, 74, "÷2", GREY)
    d.arrow(640, 92, 640, 196, color=GREEN).text(676, 150, "1×1 conv", GREEN, 12)
    d.arrow(522, 94, 522, 196, color=GREEN).arrow(404, 96, 404, 196, color=GREEN)
    d.box(610, 200, 60, 30, "16", BLUE).box(492, 200, 60, 30, "32 +", BLUE).box(374, 200, 60, 30, "63 +", BLUE).box(50, 190, 60, 52, "500", BLUE)
    d.arrow(606, 215, 556, 215, "×2", BLUE).arrow(488, 215, 438, 215, "×2", BLUE).arrow(370, 215, 116, 215, "×8", BLUE)
    d.text(581, 250, "32: cut 0", RED, 12).text(463, 250, "64: cut 1", RED, 12).text(243, 250, "504: cut 4", RED, 12)
    return d.text(360, 286, "sides [16, 32, 63], crops [0, 1, 4]", size=13).svg()


def switches() -> str:
    """The example of the text: values and indices of 2×2 max pooling, and the values put back."""
    d = Drawing(700, 210, "Max pooling keeps each maximum and its position; unpooling puts it back there")
    x = ((1, 5, 2, 0), (3, 4, 7, 7), (0, 1, 1, 2), (9, 8, 3, 2))
    kept = ((0, 1), (1, 2), (3, 0), (3, 2))
    d.matrix(20, 30, x, 36, kept)
    d.line([(92, 26), (92, 178)], RED, width=2.5).line([(16, 102), (168, 102)], RED, width=2.5)
    d.arrow(176, 102, 236, 102, "pool").matrix(250, 36, [[5, 7], [9, 3]], 30).matrix(250, 116, [[1, 6], [12, 14]], 30)
    d.text(340, 70, "values", GREY, 12, "start").text(340, 150, "indices", GREY, 12, "start")
    d.arrow(400, 102, 470, 102, "unpool")
    back = [[x[i][j] if (i, j) in kept else 0 for j in range(4)] for i in range(4)]
    d.matrix(490, 30, back, 36, kept)
    return d.text(92, 198, "row · 4 + column", GREY, 12).svg()


def unet() -> str:
    """The sides of the published U-Net."""
    d = Drawing(720, 400, "U-Net: 572 to 388; each skip is cut to the side that comes up from below")
    down, up, crops = (572, 284, 140, 68, 32), (392, 200, 104, 56), (176, 80, 32, 8)
    for level, side in enumerate(down):
        x, y = 16 + 56 * level, 34 + 72 * level
        d.box(x, y, 54, 32, str(side)).arrow(x + 56, y + 16, x + 88, y + 16).box(x + 90, y, 54, 32, str(side - 4), BLUE if level < 4 else INK)
        if level < 4:
            d.arrow(x + 117, y + 34, x + 92, y + 70, color=RED)
    for level, side in enumerate(up):
        x, y = 650 - 56 * level, 34 + 72 * level
        d.box(x - 90, y, 54, 32, str(side), GREEN).arrow(x - 34, y + 16, x - 2, y + 16).box(x, y, 54, 32, str(side - 4))
        start = 16 + 56 * level + 148
        d.arrow(start, y + 16, x - 94, y + 16, f"cut {crops[level]}", BLUE, dashed=True)
        if level < 3:
            d.arrow(x - 46, y + 72, x - 46, y + 34, color=GREEN)
    d.arrow(384, 320, 408, 284, color=GREEN)
    return d.text(600, 340, "→ two 3×3 convolutions", INK, 12).text(600, 360, "↓ 2×2 max pooling", RED, 12).text(600, 380, "↑ 2×2 transposed, stride 2", GREEN, 12).svg()


def counting() -> str:
    """The example of the text: truth, prediction, confusion matrix."""
    d = Drawing(640, 230, "Each pixel is counted once: row its true class, column its predicted one")
    d.text(80, 30, "labels", size=14).matrix(20, 50, [[0, 1, 1], [1, 2, 0]], 40)
    d.text(240, 30, "predicted", size=14).matrix(180, 50, [[0, 0, 1], [1, 2, 2]], 40, [(0, 1), (1, 2)])
    d.text(240, 160, "2 of 6 pixels wrong", BLUE, 12).arrow(312, 92, 376, 92)
    d.matrix(420, 50, [[1, 0, 1, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], 38, [(i, i) for i in range(4)])
    for c in range(4):
        d.text(439 + 38 * c, 42, str(c), GREY, 12).text(408, 74 + 38 * c, str(c), GREY, 12)
    return d.text(496, 22, "predicted class p", GREY, 12).text(392, 222, "rows: true class t", GREY, 12, "start").text(560, 222, "diagonal: TP", BLUE, 12).svg()
