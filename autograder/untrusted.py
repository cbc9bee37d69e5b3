"""Text that somebody else wrote, made harmless for the place where it is shown: a terminal, a page, a spreadsheet."""

import html
import unicodedata

MOST = 4000  # characters of one text


def inert(text: str, most: int = MOST, lines: bool = False) -> str:
    """`text` without anything that a terminal or a reader could take for more than text: control and format characters go."""
    kept = text[:most]
    if not kept.isprintable():  # nearly all text is, and then nothing in it acts
        kept = "".join(
            c if (c == "\n" and lines) or not _acts(c) else " " if c in "\t\n\r" else "\N{REPLACEMENT CHARACTER}"
            for c in kept
        )
    return kept + ("…" if len(text) > most else "")


def escaped(text: str, most: int = MOST, lines: bool = False) -> str:
    """For HTML, in a text and in an attribute alike."""
    return html.escape(inert(text, most, lines))


def spreadsheet(text: str) -> str:
    """For a cell of CSV: what a spreadsheet would take for a formula begins with an apostrophe."""
    plain = inert(text)
    return f"'{plain}" if plain[:1] in ("=", "+", "-", "@", "|", "%") else plain


def _acts(c: str) -> bool:
    return unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
