import unicodedata
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from autograder.untrusted import escaped, inert, spreadsheet

texts = st.text(st.characters()) | st.sampled_from(
    ["\x1b[2J\x07", "=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "‮txt.exe", "\ud800"]
)


@given(texts)
def test_nothing_that_acts_on_a_terminal_is_left(text):
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"} for c in inert(text) if c != "�")
    assert "\n" not in inert(text)


@given(texts)
def test_a_page_shows_the_text_and_no_markup(text):
    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            raise AssertionError(tag)

    shown: list[str] = []
    parser = Tags(convert_charrefs=True)
    parser.handle_data = shown.append  # type: ignore[method-assign]
    parser.feed(escaped(text))
    parser.close()
    assert "".join(shown) == inert(text)


@given(texts)
def test_no_cell_is_a_formula(text):
    assert spreadsheet(text)[:1] not in {"=", "+", "-", "@", "|", "%"}


def test_long_texts_end():
    assert inert("x" * 10_000) == "x" * 4000 + "…"


def test_plain_text_of_any_language_stays():
    assert inert("損失 loss → 0.5") == "損失 loss → 0.5"
