"""Figures for notebooks: a few shapes, written as SVG text that is the same at every build and readable in a dark theme."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Self

INK, PAPER, BLUE, RED, GREEN, GREY = "#1b1f24", "#ffffff", "#1f6feb", "#c0392b", "#1a7f37", "#8c959f"
FILL = {BLUE: "#e7f0fd", RED: "#fdeceb", GREEN: "#e6f4ea", GREY: "#f1f3f5", INK: PAPER}


class Drawing:
    """An SVG under construction; every method adds one thing and returns the drawing. Lengths in px, y grows downwards."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, label: str = "", color: str = INK) -> Self:
        """A rectangle whose upper left corner is (x, y), with a label in its middle."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="4" fill="{FILL[color]}" stroke="{color}" stroke-width="1.5"/>'
        )
        return self.text(x + w / 2, y + h / 2 + 5, label) if label else self

    def circle(self, x: float, y: float, r: float, label: str = "", color: str = INK) -> Self:
        """A circle about (x, y) with a label in its middle."""
        self._parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{FILL[color]}" stroke="{color}" stroke-width="1.5"/>'
        )
        return self.text(x, y + 5, label) if label else self

    def text(self, x: float, y: float, text: str, color: str = INK, size: int = 14, anchor: str = "middle") -> Self:
        """A line of text at (x, y), its baseline; anchor is start, middle or end."""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" fill="{color}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
        )
        return self

    def line(
        self, points: Iterable[tuple[float, float]], color: str = INK, dashed: bool = False, width: float = 1.5
    ) -> Self:
        """A line through the points."""
        return self._line(points, color, dashed, width, "")

    def arrow(
        self, x1: float, y1: float, x2: float, y2: float, label: str = "", color: str = INK, dashed: bool = False
    ) -> Self:
        """An arrow from (x1, y1) to (x2, y2), its label above the middle."""
        self._line([(x1, y1), (x2, y2)], color, dashed, 1.5, f' marker-end="url(#to{color[1:]})"')
        return self.text((x1 + x2) / 2, (y1 + y2) / 2 - 6, label, color, 12) if label else self

    def matrix(
        self,
        x: float,
        y: float,
        rows: Sequence[Sequence[object]],
        cell: float = 36,
        marked: Iterable[tuple[int, int]] = (),
    ) -> Self:
        """A table of short entries; marked ones (row, column) are coloured."""
        found = set(marked)
        for i, row in enumerate(rows):
            for j, entry in enumerate(row):
                self.box(x + j * cell, y + i * cell, cell, cell, str(entry), BLUE if (i, j) in found else INK)
        return self

    def axes(self, x: float, y: float, w: float, h: float, x_label: str = "", y_label: str = "") -> Self:
        """Two axes whose origin is (x, y), w to the right and h upwards."""
        self.arrow(x, y, x + w, y).arrow(x, y, x, y - h)
        self.text(x + w, y + 18, x_label, size=12, anchor="end")
        return self.text(x + 8, y - h + 4, y_label, size=12, anchor="start")

    def svg(self) -> str:
        """The finished file."""
        heads = "".join(
            f'<marker id="to{c[1:]}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            f'<path d="M0 0 10 5 0 10z" fill="{c}"/></marker>'
            for c in FILL
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
            f'role="img" font-family="sans-serif"><title>{escape(self.title)}</title><defs>{heads}</defs>'
            f'<rect width="100%" height="100%" fill="{PAPER}"/>' + "".join(self._parts) + "</svg>\n"
        )

    def _line(self, points: Iterable[tuple[float, float]], color: str, dashed: bool, width: float, more: str) -> Self:
        path = " ".join(f"{x:.4g},{y:.4g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{dash}{more}/>'
        )
        return self
