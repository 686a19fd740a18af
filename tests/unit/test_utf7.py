"""Modified UTF-7, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.utf7 import decode, encode


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("INBOX", "INBOX"),
        ("R&D", "R&-D"),
        ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),  # RFC 3501 section 5.1.3
        ("Entwürfe", "Entw&APw-rfe"),
        ("😀", "&2D3eAA-"),
        ("a\x7f\tb", "a&AH8ACQ-b"),
        ("é&é", "&AOk-&-&AOk-"),
    ],
)
def test_texts_and_how_they_are_written(text: str, written: str) -> None:
    assert encode(text) == written
    assert decode(written) == text


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_every_text_comes_back(text: str) -> None:
    written = encode(text)
    assert written.isascii()
    assert written.isprintable() or not written
    assert decode(written) == text


@given(st.text("&-AbC,+/=~é", max_size=12))
def test_what_cannot_be_read_is_a_value_error(text: str) -> None:
    try:
        decode(text)
    except ValueError:
        return
    assert text.count("&") <= text.count("-")


@pytest.mark.parametrize("wrong", ["&", "a&b", "&A-", "&AAA=-", "&AA/-", "&é-", "&*-"])
def test_what_is_wrong_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(wrong)
