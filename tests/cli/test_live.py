"""The drawing of a check under way: both legs side by side, every line within the width."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest

from mailtui.cli.live import LadderView, ManyView
from mailtui.cli.output import Output, Part, Styled
from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.check import Leg, Stage, StageResult, Status
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.model.text import clean, width
from tests.cli.conftest import tell
from tests.cli.reports import good_report, wrong_password
from tests.cli.test_output import Terminal

ACCOUNT = Account(
    "渡辺 明 – サポート",
    "akira@example.org",
    Submission(Endpoint("mail.example.org", 465), secret=SecretRef(SecretScheme.VAULT)),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 143, Security.STARTTLS)),
)


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    monkeypatch.setattr(sys, "stdout", Terminal())
    return Output()


def shown(lines: Sequence[Sequence[Part]]) -> list[str]:
    return ["".join(clean(part.text if isinstance(part, Styled) else part) for part in line) for line in lines]


def ladder(output: Output, account: Account = ACCOUNT, legs: frozenset[Leg] = frozenset(Leg)) -> LadderView:
    return LadderView(output, account, legs, clock=lambda: 2.5)


def test_both_legs_advance_side_by_side(output: Output) -> None:
    view = ladder(output)
    view.on_event(StageStarted(ACCOUNT.name, Leg.OUTBOUND, 0, Stage.RESOLVE, 0.0))
    view.on_event(
        StageFinished(ACCOUNT.name, Leg.OUTBOUND, 0, StageResult(Stage.RESOLVE, Status.OK, 4.0, "192.0.2.1"), None, 0.0)
    )
    view.on_event(StageStarted(ACCOUNT.name, Leg.OUTBOUND, 1, Stage.CONNECT, 0.0))
    view.on_event(StageStarted(ACCOUNT.name, Leg.INBOUND, 0, Stage.RESOLVE, 0.0))
    lines = shown(view.lines(80))
    assert lines[0].startswith("渡辺 明 – サポート")
    assert [cell.strip() for cell in lines[1].split("│")] == [
        "Outbound  SMTP mail.example.org:465",
        "Inbound  IMAP imap.example.org:143",
    ]
    first = [cell.split() for cell in lines[2].split("│")]
    assert first == [["✓", "resolve", "4.0", "ms", "192.0.2.1"], ["▸", "resolve", "0.0", "ms"]]
    assert lines[3].split("│")[0].split() == ["▸", "connect", "0.0", "ms"]
    assert lines[3].split("│")[1].split() == ["·", "connect"]
    # The longer plan, STARTTLS with its second TLS and capabilities, decides the height.
    assert len(lines) == 2 + 11


def test_the_failed_stage_and_what_it_spared(output: Output) -> None:
    view = ladder(output)
    tell(wrong_password(ACCOUNT), view.on_event)
    outbound = [line.split("│")[0].split() for line in shown(view.lines(80))[2:]]
    assert outbound[5][:4] == ["✗", "auth", "3.0", "ms"]
    assert outbound[6] == ["·", "capabilities", "skipped"]


@pytest.mark.parametrize("columns", [40, 41, 79, 80, 120])
def test_every_line_fits(output: Output, columns: int) -> None:
    view = ladder(output)
    report = good_report(ACCOUNT)
    assert report.outbound is not None
    long = replace(
        report.outbound,
        stages=tuple(replace(result, detail="詳細\x1b[2J" * 40, ms=123_456) for result in report.outbound.stages),
    )
    tell(replace(report, outbound=long), view.on_event)
    lines = shown(view.lines(columns))
    assert {width(line) <= columns - 1 for line in lines} == {True}
    assert len(lines) <= view.height


def test_one_leg_takes_the_whole_width(output: Output) -> None:
    lines = shown(ladder(output, legs=frozenset({Leg.INBOUND})).lines(80))
    assert lines[1].startswith("Inbound  IMAP imap.example.org:143")
    assert "│" not in "".join(lines)


def test_accept_anything_stands_over_its_leg(output: Output) -> None:
    endpoint = replace(ACCOUNT.submission.endpoint, certificate=CertificatePolicy(Trust.ANYTHING))
    account = replace(ACCOUNT, submission=replace(ACCOUNT.submission, endpoint=endpoint))
    left, right = shown(ladder(output, account).lines(100))[2].split("│")
    assert "ACCEPT ANYTHING" in left
    assert right.strip() == ""


def test_skipped_stages_come_with_the_leg(output: Output) -> None:
    report = wrong_password(ACCOUNT).outbound
    assert report is not None
    view = ladder(output)
    view.on_event(LegFinished(ACCOUNT.name, report))
    assert "skipped" in "".join(shown(view.lines(80)))


def test_many_accounts_are_counted_below_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    view = ManyView(Output(), 3, 10)
    view.draw()
    view.on_report(wrong_password(ACCOUNT))
    text = screen.getvalue()
    assert text.startswith("0/3 checked, 0 failing")
    assert "\x1b[1A\r\x1b[JFAILED   渡辺 明 – サポート  outbound FAILED at auth" in text
    assert text.rstrip("\x1b[JK\n ").endswith("1/3 checked, 1 failing")
