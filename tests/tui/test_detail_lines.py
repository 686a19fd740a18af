"""The text of an account's details: what it says, how it flows, how it is searched."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtui.model.account import RetrievalMode, Trust
from mailtui.model.check import CertificateFacts, CheckReport, Leg, LegReport, Severity
from mailtui.model.destination import Destination
from mailtui.model.text import clean, width
from mailtui.model.trends import CapabilityChange, Point
from mailtui.tui.detail_head import fact_lines, title_line
from mailtui.tui.detail_lines import detail
from mailtui.tui.flow import MOST_HITS, Flow, Hit, Paragraph
from mailtui.tui.history_lines import BARS, GAP, history_lines
from mailtui.tui.ladder_lines import Line
from mailtui.tui.legs import LegView, leg_view
from mailtui.tui.words import Role
from tests.tui.people import ADA, NOW, OFF, report


def text(line: Line) -> str:
    return "".join(words for words, _ in line)


def told(view: LegView, columns: int = 76, change: CapabilityChange | None = None) -> list[str]:
    """The lines of a leg with the account's settings."""
    return [text(line) for line in Flow(list(detail(view, NOW, ADA, change)), columns).lines]


def outbound(found: CheckReport) -> LegReport:
    assert found.outbound is not None
    return found.outbound


def issued(days: int, subject: str) -> CertificateFacts:
    """An authority's certificate."""
    return CertificateFacts(subject, (), "", NOW - timedelta(days=900), NOW + timedelta(days=days, hours=1), "", "")


def with_chain(*chain: CertificateFacts, trust: Trust = Trust.SYSTEM) -> LegView:
    """Ada's outbound leg, its certificate issued by `chain`."""
    found = report(ADA)
    leg = outbound(found)
    assert leg.tls is not None
    endpoint = replace(leg.endpoint, certificate=replace(leg.endpoint.certificate, trust=trust))
    found = replace(found, outbound=replace(leg, tls=replace(leg.tls, chain=chain), endpoint=endpoint))
    return leg_view(ADA, Leg.OUTBOUND, {}, found)


def test_every_issuer_has_a_line_with_its_days() -> None:
    lines = told(with_chain(issued(653, "R11"), issued(-2, "ISRG Root X1")))
    at = lines.index("Issued by")
    assert lines[at + 1 : at + 3] == [
        "  653 days left     R11, until 2027-03-16",
        "  ended 2 days ago  ISRG Root X1, until 2025-05-30",
    ]
    assert not any(line.startswith("Issuer ") for line in lines), "the first issuer says it"


def test_a_chain_that_nobody_verified_says_so() -> None:
    lines = told(with_chain(issued(653, "R11"), trust=Trust.PIN))
    assert "Issued by, as the server says (proves nothing)" in lines
    assert any(line.startswith("Issuer       CN=R11") for line in told(with_chain())), "without a chain, its name"


def test_what_other_sections_say_is_not_said_beside_the_stages() -> None:
    lines = told(leg_view(ADA, Leg.OUTBOUND, {}, report(ADA)))
    assert "✓ TLS            41 ms  TLSv1.3, 61 days left" in lines
    assert [line for line in lines if line.startswith("✓ Capabilities")] == [
        "✓ Capabilities  9.7 ms",
        "✓ Capabilities  9.7 ms  6 offered",
    ]
    assert "✓ Envelope       31 ms  sender accepted, nothing sent" in lines, "nobody else says this"


def test_capabilities_tell_what_changed() -> None:
    view = leg_view(ADA, Leg.OUTBOUND, {}, report(ADA))
    before = NOW - timedelta(hours=2)
    lines = told(view, change=CapabilityChange(before, ("AUTH SCRAM-SHA-256",), ("AUTH PLAIN", "VRFY")))
    assert "  since 2 h ago: + AUTH SCRAM-SHA-256, − AUTH PLAIN, − VRFY" in lines
    assert "  the same as 2 h ago" in told(view, change=CapabilityChange(before, (), ()))


def test_the_settings_of_the_account_are_beside_the_leg_that_uses_them() -> None:
    assert ADA.retrieval is not None
    account = replace(
        ADA,
        notes="Renew in June.\nAsk Charles.",
        display_name="Ada L.",
        last_verified=NOW,
        retrieval=replace(ADA.retrieval, mode=RetrievalMode.AUTOMATIC, leave_on_server=True, delete_after=30),
    )
    sends = [text(line) for line in Flow(list(detail(leg_view(account, Leg.OUTBOUND, {}, None), NOW, account))).lines]
    takes = [text(line) for line in Flow(list(detail(leg_view(account, Leg.INBOUND, {}, None), NOW, account))).lines]
    for line in (
        "Name         Ada Lovelace – newsletter",
        "Address      ada@analytical.example",
        "Sender name  Ada L.",
        "Created      2025-05-23, 9 days ago",
        "Verified     2025-06-01, just now",
        "Notes        Renew in June.",
        "             Ask Charles.",
        "Password     kept in: keyring",
    ):
        assert line in sends
    assert "Method       automatic, every 15 minutes" in takes
    assert "On server    mail stays for 30 days" in takes
    at = takes.index("Method       automatic, every 15 minutes")
    assert takes[at + 1 : at + 4] == ["Mailboxes    INBOX", "Maildir      one of its own", "Folder       INBOX"]
    retrieval = replace(
        ADA.retrieval, mailboxes=("INBOX", "Lists/*"), destination=Destination.parse("lmtp:localhost:24"), size_limit=50
    )
    view = leg_view(replace(ADA, retrieval=retrieval), Leg.INBOUND, {}, None)
    takes = [text(line) for line in Flow(list(detail(view, NOW, replace(ADA, retrieval=retrieval)))).lines]
    at = takes.index("Mailboxes    INBOX, Lists/*")
    assert takes[at + 1 : at + 4] == [
        "Delivers to  lmtp:localhost:24",
        "On server    mail stays",
        "Size limit   50 MB; what is larger stays on the server",
    ]


def at(found: Flow, hit: Hit) -> str:
    """The characters that a hit marks."""
    return "|".join(text(found.lines[line])[start:end] for line, start, end in hit)


def test_a_search_finds_words_that_were_broken_at_a_space_or_in_their_middle() -> None:
    flow = Flow([Paragraph((("Said", Role.DIM),), "one two three abcdefghijklmnop", Role.PLAIN, 6)], 16)
    assert [text(line) for line in flow.lines] == [
        "Said  one two",
        "      three",
        "      abcdefghij",
        "      klmnop",
    ]
    assert [at(flow, hit) for hit in flow.find("two THREE")] == ["two|three"]
    assert [at(flow, hit) for hit in flow.find("jkl")] == ["j|kl"]
    assert [at(flow, hit) for hit in flow.find("o")] == ["o", "o", "o"]
    assert [at(flow, hit) for hit in flow.find("said")] == ["Said"]
    assert flow.find("  ") == []
    assert flow.find("[.") == []


def test_a_search_does_not_join_paragraphs() -> None:
    assert Flow([Paragraph((), "ab"), Paragraph((), "cd")]).find("abcd") == []


def test_a_search_ends_somewhere() -> None:
    assert len(Flow([Paragraph((), "a " * 30_000)]).find("a")) == MOST_HITS


words = st.text(max_size=60).map(clean)
paragraphs = st.lists(
    st.builds(
        lambda lead, flowing, indent: Paragraph(((lead, Role.DIM),) if lead else (), flowing, Role.PLAIN, indent),
        st.text(max_size=12).map(clean),
        words,
        st.integers(0, 26),
    ),
    max_size=5,
)


@given(paragraphs, st.integers(1, 60), st.data())
def test_lines_fit_and_every_piece_of_the_text_is_found(
    given: list[Paragraph], columns: int, data: st.DataObject
) -> None:
    flow = Flow(given, columns)
    assert all(width(text(line)) <= flow.columns for line in flow.lines)
    flowing = [" ".join(one.text.split()) for one in given if one.text.split()]
    if not flowing:
        return
    whole = data.draw(st.sampled_from(flowing))
    start = data.draw(st.integers(0, len(whole) - 1))
    wanted = whole[start : start + data.draw(st.integers(1, 8))].strip()
    if wanted:
        marked = [at(flow, hit) for hit in flow.find(wanted)]
        plain = "".join(wanted.split()).casefold()
        assert any("".join(one.replace("|", "").split()).casefold() == plain.replace("|", "") for one in marked)


def points(count: int, *, failed: int = -1, warned: int = -1) -> list[Point]:
    """Checks an hour apart; each takes a tenth longer than the one before."""
    endings = {failed: Severity.FAILED, warned: Severity.WARNING}
    return [
        Point(NOW - timedelta(hours=count - number), 100 * 1.1**number, endings.get(number, Severity.OK))
        for number in range(count)
    ]


def test_the_history_is_a_sparkline_above_a_strip_of_shapes() -> None:
    above, below = (text(line) for line in history_lines(points(20, failed=15, warned=16), 76))
    assert above == "▁▁▁▂▂▃▃▃▄▄▅▅▆▆▆×▇███  median 236 ms, last 612 ms"
    assert below == "■■■■■■■■■■■■■■■✗▲■■■  20 checks since 2025-05-31, 95 % good"


def test_the_newest_checks_are_shown_where_not_all_fit() -> None:
    above, below = (text(line) for line in history_lines(points(100, failed=99), 60))
    assert below.split("  ")[0].endswith("■✗")
    assert above[len(below.split("  ")[0]) - 1] == GAP
    assert "last" not in above, "how long a failure took is nobody's latency"
    assert below.endswith("100 checks since 2025-05-28, 99 % good")
    assert len(set(above) & set(BARS)) > 1, "the scale is that of what is shown"


@given(st.integers(0, 60), st.integers(1, 130))
@example(1, 1)
def test_the_history_fits_any_width(count: int, columns: int) -> None:
    lines = history_lines(points(count, failed=3), columns)
    assert len(lines) == (2 if count else 0)
    assert all(width(text(line)) <= columns for line in lines)


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
@pytest.mark.parametrize("name", ["Ada", "渡辺 明 – サポート", "x" * 300])
def test_the_title_fits_and_tells_name_and_address(columns: int, name: str) -> None:
    account = replace(ADA, name=name, email=f"{'y' * 80}@example.org", active=False, last_verified=NOW)
    line = text(title_line(account, NOW, columns))
    assert width(line) <= columns
    assert line.startswith(f" {name[:2]}")
    assert "yyyy" in line
    assert line.rstrip().endswith("off")


def test_the_head_tells_when_the_account_was_last_proven() -> None:
    line = text(title_line(replace(ADA, last_verified=NOW - timedelta(minutes=2)), NOW, 80))
    assert line.endswith("verified 2 min ago ")
    facts = [text(one).strip() for one in fact_lines(replace(OFF, notes="one\ntwo"), NOW, 80)]
    assert facts == ["campaigns · created 9 days ago · updated 9 days ago · never verified", "Notes: one two"]
