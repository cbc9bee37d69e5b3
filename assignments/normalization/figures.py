"""Figures of the normalisation notebook."""

from autograder.drawing import BLUE, GREEN, GREY, RED, Drawing

SETS = (  # one set of values that share μ and σ², among 3 samples (rows) and 4 channels (columns)
    ("batch", "C sets of N·H·W", lambda n, c: c == 0),
    ("layer", "N sets of C·H·W", lambda n, c: n == 0),
    ("instance", "N·C sets of H·W", lambda n, c: n == c == 0),
    ("group (G = 2)", "N·G sets of C·H·W/G", lambda n, c: n == 0 and c < 2),
)


def index_sets() -> str:
    """Rows are samples, columns channels; the coloured cells share one mean and one variance."""
    d = Drawing(760, 226, "Which values share one mean and one variance: batch, layer, instance and group normalisation")
    for panel, (name, sizes, shares) in enumerate(SETS):
        left = 40 + 184 * panel
        d.text(left + 68, 22, name, size=15).text(left + 68, 50, "C", GREY, 12)
        shared = [(n, c) for n in range(3) for c in range(4) if shares(n, c)]
        d.matrix(left, 60, [[""] * 4] * 3, 34, shared)
        d.text(left + 68, 186, sizes, BLUE, 13)
    return d.text(4, 116, "N", GREY, 12, "start").text(380, 214, "rows: samples, columns: channels; a cell is the H×W pixels of one channel of one sample", GREY, 12).svg()


def graph() -> str:
    """x reaches x̂ on three paths, so three gradients come back."""
    d = Drawing(700, 236, "The computation graph of batch normalisation: the gradient comes back along three paths")
    d.circle(60, 120, 26, "x", BLUE).circle(230, 196, 26, "μ", GREEN).circle(360, 40, 26, "σ²", GREEN)
    d.circle(490, 120, 26, "x̂", BLUE).circle(640, 120, 26, "y", BLUE)
    d.arrow(86, 114, 462, 114).arrow(80, 138, 204, 190).arrow(80, 102, 334, 44)
    d.arrow(258, 190, 464, 134).arrow(384, 52, 468, 100).arrow(244, 172, 346, 66, color=GREY)
    d.arrow(516, 114, 612, 114, "γ x̂ + β")
    d.arrow(612, 130, 518, 130, color=RED, dashed=True).text(565, 150, "dy · γ", RED, 13)
    d.arrow(462, 126, 88, 126, color=RED, dashed=True).text(200, 108, "direct", RED, 12)
    d.arrow(462, 144, 262, 200, color=RED, dashed=True).text(400, 190, "through μ", RED, 12)
    d.arrow(202, 198, 72, 146, color=RED, dashed=True)
    d.arrow(476, 94, 386, 38, color=RED, dashed=True).text(478, 60, "through σ²", RED, 12)
    d.arrow(332, 36, 72, 94, color=RED, dashed=True)
    return d.text(560, 226, "solid: forward, dashed: gradients", GREY, 12).svg()
