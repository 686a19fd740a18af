"""A failure is always readable: the lines of a panel at every size."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.check import Failure, Leg
from mailtui.model.diagnosis import UNKNOWN, Diagnosis
from mailtui.model.text import cut, pad, shorten, width
from mailtui.tui.detail_lines import detail_lines
from mailtui.tui.ladder_lines import Line, ladder_lines
from mailtui.tui.legs import LegView, leg_view
from mailtui.tui.words import Role, wrap
from tests.tui.people import (
    ADA,
    AKIRA,
    ALAN,
    CLOSED,
    EXPIRED,
    NOW,
    REFUSED,
    ROBOT,
    SILENT,
    SSH,
    WRONG_PASSWORD,
    report,
)
from tests.tui.troubled import MIXED_UP, MIXED_UP_REPORT


def text(line: Line) -> str:
    return "".join(words for words, _ in line)


def failing(failure: Failure) -> LegView:
    return leg_view(ALAN, Leg.OUTBOUND, {}, report(ALAN, failure))


@pytest.mark.parametrize("failure", [WRONG_PASSWORD, EXPIRED, REFUSED, SILENT, SSH], ids=lambda failure: failure.cause)
@pytest.mark.parametrize(("columns", "rows"), [(36, 11), (56, 15), (200, 30)])
def test_all_words_of_a_failure_are_in_the_panel(failure: Failure, columns: int, rows: int) -> None:
    view = failing(failure)
    lines = ladder_lines(view, columns, rows)
    told = " ".join(" ".join(text(line) for line in lines).split())
    assert view.diagnosis is not None
    assert view.diagnosis.cause in told
    assert failure.reply in told
    assert "skipped: " in told or any(
        role is Role.DIM and words.startswith("· ") for line in lines for words, role in line
    )


def test_stages_that_passed_fold_into_one_line_when_the_failure_needs_the_room() -> None:
    view = replace(failing(WRONG_PASSWORD), diagnosis=None)
    tall = [text(line) for line in ladder_lines(view, 36, 30)]
    low = [text(line) for line in ladder_lines(view, 36, 10)]
    assert sum(line.startswith("✓") for line in tall) == 7
    assert low[0].startswith("✓ 6 stages")
    assert "95 ms" in low[0], "the time of what was folded"
    assert sum(line.startswith("✗ Login") for line in low) == 1
    assert low[-1].startswith("· skipped: Capabilities")


def test_what_to_do_is_told_where_there_is_room_and_never_in_the_place_of_what_was_said() -> None:
    view = failing(WRONG_PASSWORD)
    assert view.diagnosis is not None
    seen = []
    for rows in range(1, 31):
        told = " ".join(" ".join(text(line) for line in ladder_lines(view, 56, rows)).split())
        seen.append(view.diagnosis.fix in told)
        assert WRONG_PASSWORD.reply in told or not seen[-1]
    assert seen == sorted(seen)
    assert seen[-1]


def test_an_unknown_failure_is_told_in_the_words_that_there_are() -> None:
    view = replace(failing(WRONG_PASSWORD), diagnosis=Diagnosis(UNKNOWN, "", "", ""))
    told = " ".join(text(line).strip() for line in ladder_lines(view, 100, 30))
    assert WRONG_PASSWORD.hint in told
    assert WRONG_PASSWORD.reply in told


def test_the_key_that_mends_it_stands_before_the_words_of_the_server() -> None:
    view = leg_view(MIXED_UP, Leg.INBOUND, {}, MIXED_UP_REPORT)
    lines = [text(line).strip() for line in ladder_lines(view, 100, 11)]
    at = lines.index("F: use port 993 with SSL/TLS, and test again")
    assert lines[at + 1] == "server said: +OK POP3 ready"


def test_a_reply_that_is_too_long_is_cut_and_says_where_the_rest_is() -> None:
    endless = Failure(WRONG_PASSWORD.cause, WRONG_PASSWORD.stage, "refused", "word " * 400)
    lines = [text(line) for line in ladder_lines(failing(endless), 36, 11)]
    assert len(lines) == 11
    assert any("refused" in line for line in lines)
    assert lines[-1] == "… enter shows all"


def test_a_failure_before_every_stage_names_its_stage() -> None:
    view = failing(WRONG_PASSWORD)
    lines = [
        text(line)
        for line in ladder_lines(LegView(view.leg, view.mark, view.protocol, view.endpoint, (), view.failure), 36, 11)
    ]
    assert lines[0] == "✗ Login"


def test_a_send_only_account_says_so() -> None:
    lines = ladder_lines(leg_view(ROBOT, Leg.INBOUND, {}, None), 36, 11)
    assert [text(line) for line in lines] == ["This account only sends mail."]


def test_a_warning_is_told_below_the_stages() -> None:
    view = leg_view(AKIRA, Leg.OUTBOUND, {}, report(AKIRA, warning="the certificate ends in 9 days"))
    lines = ladder_lines(view, 36, 11)
    assert text(lines[-1]).startswith("▲ the certificate ends in 9 days")


def test_details_tell_when_identity_was_not_proven() -> None:
    view = leg_view(CLOSED, Leg.INBOUND, {}, report(CLOSED, REFUSED, EXPIRED))
    told = " ".join(" ".join(text(line) for line in detail_lines(view, NOW, 60)).split())
    assert "NOT PROVEN" in told
    assert "ended 3 days ago" in told
    assert EXPIRED.hint in told


@given(
    hint=st.text(min_size=1, max_size=300),
    reply=st.text(max_size=300),
    columns=st.integers(4, 120),
    rows=st.integers(1, 30),
    failed=st.booleans(),
)
def test_lines_never_leave_the_panel(hint: str, reply: str, columns: int, rows: int, failed: bool) -> None:
    columns = max(columns, 24)
    failure = Failure(WRONG_PASSWORD.cause, WRONG_PASSWORD.stage, hint, reply)
    account = ALAN if failed else ADA
    view = leg_view(account, Leg.OUTBOUND, {}, report(account, failure if failed else None))
    lines = ladder_lines(view, columns, rows)
    assert len(lines) <= rows
    assert all(width(text(line)) <= columns for line in lines)
    for line in detail_lines(view, NOW, columns):
        assert width(text(line)) <= columns


@given(st.text(max_size=80), st.integers(1, 40))
def test_cutting_counts_terminal_columns(words: str, columns: int) -> None:
    assert width(shorten(words, columns)) <= columns
    assert width(pad(words, columns)) == columns
    assert all(width(line) <= max(columns, 2) for line in wrap(words, columns))
    assert "".join("".join(wrap(words, columns)).split()) == "".join(words.split())
    assert words.startswith(cut(words, columns))


def test_a_wide_character_that_does_not_fit_is_left_out() -> None:
    assert shorten("渡辺", 2) == "…"
    assert shorten("渡辺", 3) == "渡…"
    assert shorten("渡辺", 4) == "渡辺"
    assert shorten("渡辺", 0) == ""
