"""The figures of the notebook."""

from autograder.drawing import BLUE, GREEN, GREY, INK, RED, Drawing


def ring() -> str:
    """Reduce-scatter with three workers."""
    d = Drawing(620, 200, "Ring all-reduce with three workers: reduce-scatter")
    trace = [
        [["a0", "a1", "a2"], ["b0", "b1", "b2"], ["c0", "c1", "c2"]],
        [["a0", "a1", "a2+c2"], ["b0+a0", "b1", "b2"], ["c0", "c1+b1", "c2"]],
        [["a0", "Σ1", "a2+c2"], ["b0+a0", "b1", "Σ2"], ["Σ0", "c1+b1", "c2"]],
    ]
    for k, step in enumerate(trace):
        d.text(110 + 200 * k, 20, f"step {k}", size=12)
        for r, row in enumerate(step):
            for c, part in enumerate(row):
                color = GREEN if "Σ" in part else BLUE if "+" in part else INK
                d.box(20 + 200 * k + 60 * c, 32 + 50 * r, 56, 36, "", color).text(48 + 200 * k + 60 * c, 55 + 50 * r, part, size=12)
    return d.text(310, 195, "r → r+1, all at once", GREY, 12).svg()


def pipeline() -> str:
    """GPipe's schedule of three stages and four micro-batches."""
    p, m = 3, 4
    d = Drawing(600, 150, "Pipeline of three stages and four micro-batches: the bubble is grey")
    for s in range(p):
        d.text(30, 43 + 38 * s, f"stage {s}", size=12)
        for t in range(2 * (m + p - 1)):
            forward, back = t - s, m - 1 - (t - (m + p - 1) - (p - 1 - s))
            label, color = "", GREY
            if 0 <= forward < m:
                label, color = str(forward + 1), BLUE
            elif 0 <= back < m and t >= m + p - 1:
                label, color = f"−{back + 1}", RED
            d.box(65 + 42 * t, 20 + 38 * s, 38, 32, label, color)
    return d.svg()


def staleness() -> str:
    """Two workers and a parameter server."""
    d = Drawing(560, 170, "Asynchronous training: the gradient was computed at weights that others have changed since")
    for y, name in ((35, "worker 0"), (85, "server"), (135, "worker 1")):
        d.line([(90, y), (540, y)], GREY, width=1).text(45, y + 5, name, size=12)
    for i, x in enumerate((110, 230, 350, 470)):
        d.circle(x, 85, 15, f"W{i}", GREEN)
    d.arrow(110, 70, 150, 37, color=BLUE).arrow(190, 37, 222, 70, "g(W0)", BLUE)
    d.arrow(110, 100, 150, 133, color=RED).arrow(310, 133, 342, 100, color=RED).text(262, 128, "g(W0): stale by 1", RED, 12)
    return d.svg()
