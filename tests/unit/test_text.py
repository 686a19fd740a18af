"""Text from outside made safe to show, and measured as terminals draw it."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from mailtui.model.text import clean, clean_bytes, cut, has_hostile, pad, shorten, width

TEXTS = st.text(st.characters(codec=None) | st.sampled_from("渡Ａe\u0301\u0e33\ufe0f☎1\u20e3👍🏽🇩각ि \x1b\u202e\u200d"))


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("\x7f\x80\x9b\x9f", "\\x7f\\x80\\x9b\\x9f"),
        ("\u2028\u2029", "\\u2028\\u2029"),
        ("\u202a\u202e\u2066\u2069\u200e\u061c", "\\u202a\\u202e\\u2066\\u2069\\u200e\\u061c"),
        ("\xad\u034f\u115f\u17b4\u180b\u200b\u200d\u2060\u3164\ufeff\uffa0", None),
        ("\ufff0\ufff9\U0001bca0\U0001d173\U00013430\U000e0001\U000e0041", None),
        ("\ud800\udfff", "\\ud800\\udfff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_what_steers_reorders_or_hides_is_shown_as_an_escape(hostile: str, shown: str | None) -> None:
    assert all(has_hostile(character) for character in hostile if not character.isascii())
    assert has_hostile(hostile)
    cleaned = clean(hostile)
    assert cleaned.isascii()
    assert cleaned.isprintable()
    assert shown is None or cleaned == shown


@pytest.mark.parametrize(
    "text", ["", "[/]", "\\x1b", "Zoë – 渡辺", "e\u0301", "☎\ufe0f 👍🏽 🇩🇪", "हिन्दी ไทย", "a\xa0b", "שלום"]
)
def test_what_people_write_is_left_alone(text: str) -> None:
    assert clean(text) == text
    assert not has_hostile(text)


def test_every_invisible_or_steering_character_of_unicode_is_escaped() -> None:
    """All controls, surrogates and separators; of the format characters all but those that draw a sign of their own."""
    drawn = {0x6DD, 0x70F, 0x8E2, 0x890, 0x891, 0x110BD, 0x110CD, *range(0x600, 0x606)}
    for code in range(0x110000):
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp") and code not in drawn:
            assert has_hostile(chr(code)), hex(code)


@given(TEXTS, st.integers(1, 40))
def test_clean_is_harmless_short_and_final(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert not has_hostile(shown)
    assert len(shown) <= limit
    assert clean(shown, limit) == shown
    shown.encode()


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clean("x" * 10_000) == "x" * 1_999 + "…"
    assert clean("x" * 2_000) == "x" * 2_000


def test_octets_are_utf_8_or_escapes() -> None:
    assert clean_bytes(b"gr\xc3\xbc\xc3\x9fe \xff\x1b") == "grüße \\xff\\x1b"
    assert clean_bytes(b"\x9b" * 10_000, 8) == "\\x9b\\x9…"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("plain", 5),
        ("渡辺", 4),
        ("Ａ", 2),
        ("e\u0301\u0323", 1),
        ("ไทย", 3),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("☎", 1),
        ("☎\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("a\ufe0f", 1),
        ("☎\u0301\ufe0f\ufe0f", 2),
        ("👍🏽", 2),
        ("🇩🇪", 2),
        ("\U0001fa75", 2),
        ("\u4dc0", 2),
        ("\U00030000\U0003fffd", 4),
        ("", 0),
    ],
)
def test_width_is_what_terminals_draw(text: str, columns: int) -> None:
    assert width(text) == columns == cell_len(text)


def test_width_is_that_of_the_screens_for_every_character() -> None:
    """Characters that this Python's Unicode does not know yet are a guess on either side."""
    wrong = [
        hex(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) not in ("Cn", "Cs")
        and not has_hostile(chr(code))
        and width(chr(code)) != cell_len(chr(code))
    ]
    assert wrong == []
    styled = [
        f"{chr(code)}\ufe0f" for code in range(0x20, 0x1FB00) if unicodedata.category(chr(code)) not in ("Cn", "Cs")
    ]
    assert [text for text in styled if not has_hostile(text) and width(text) != cell_len(text)] == []


@given(TEXTS.map(clean), st.integers(0, 30))
@example("☎\ufe0f", 1)
@example("渡", 1)
@example("a \u0301", 1)
def test_pad_fills_its_columns_exactly(text: str, columns: int) -> None:
    assert width(pad(text, columns)) == columns
    assert width(shorten(text, columns)) <= columns
    if width(text) <= columns:
        assert shorten(text, columns) == text


@given(TEXTS, st.integers(-1, 30))
def test_cut_is_the_longest_start_that_fits(text: str, columns: int) -> None:
    start = cut(text, columns)
    assert text.startswith(start)
    assert len(start) == min(len(text), 1) or width(start) <= columns
    if len(start) < len(text):
        assert width(text[: len(start) + 1]) > columns
