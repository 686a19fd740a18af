"""The lines of the form: where options stand, and what a paste becomes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.text import has_hostile, width
from mailtui.tui.form.field import Kind
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.widgets.form_fields import LABEL_COLUMNS, id_of
from mailtui.tui.widgets.option_line import line_of
from mailtui.tui.widgets.text_line import pasted, visible

ENCRYPTION = (("tls", "SSL/TLS"), ("starttls", "STARTTLS"), ("none", "None"))


def test_options_stand_apart_and_closer_where_there_is_less_room() -> None:
    assert [(cell.start, cell.end) for cell in line_of(ENCRYPTION, 40)] == [(0, 9), (11, 21), (23, 29)]
    assert [(cell.start, cell.end) for cell in line_of(ENCRYPTION, 27)] == [(0, 9), (10, 20), (21, 27)]
    assert line_of(ENCRYPTION, 26) == []


@given(st.lists(st.text("abc渡 é", min_size=1, max_size=12), min_size=1, max_size=8), st.integers(0, 80))
def test_options_never_overlap_nor_stick_out(labels: list[str], columns: int) -> None:
    cells = line_of([(label, label) for label in labels], columns)
    assert len(cells) in (0, len(labels))
    for cell, label in zip(cells, labels, strict=False):
        assert cell.end - cell.start == 2 + width(label)
        assert cell.end <= columns
    assert all(one.end < other.start for one, other in pairwise(cells))


def test_at_80_columns_only_the_login_methods_do_not_fit() -> None:
    # One column of padding on each side, and one for the scrollbar.
    room = 80 - LABEL_COLUMNS - 3
    folded = [field.key for field in FIELDS.values() if field.kind is Kind.CHOICE and not line_of(field.options, room)]
    assert folded == ["submission.method", "retrieval.method"]


@pytest.mark.parametrize(
    ("clipboard", "kept", "told"),
    [
        ("plain", "plain", ""),
        ("  spaces around \r\n", "spaces around", ""),
        ("in side", "in side", ""),
        ("one\ntwo", "", "several lines"),
        ("one\r\ntwo", "", "several lines"),
        ("a\u200bb", "ab", "1 control or invisible character was left out"),
        ("a\x1b[31m\x9b0mb\u202e", "a[31m0mb", "3 control or invisible characters were left out"),
        ("a\u2028b", "ab", "1 control"),
        ("\n\n", "", ""),
    ],
)
def test_a_paste_is_one_line_that_hides_nothing(clipboard: str, kept: str, told: str) -> None:
    found, words = pasted(clipboard)
    assert found == kept
    assert told in words if told else words == ""


@given(st.text())
def test_nothing_hostile_comes_in_or_is_shown(text: str) -> None:
    assert not has_hostile(pasted(text)[0])
    assert not has_hostile(visible(text))
    assert len(visible(text)) == len(text), "the cursor stands where it seems to"


def test_ids_are_unique_and_good_for_style_sheets() -> None:
    ids = [id_of(key) for key in FIELDS]
    assert len(set(ids)) == len(ids)
    assert all(name.isascii() and name.replace("-", "").isalnum() for name in ids)
