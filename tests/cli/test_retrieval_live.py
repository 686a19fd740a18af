"""The drawing of retrievals under way: how far, how fast, how long yet, every line within the width."""

import re
import sys
from dataclasses import replace

import pytest

from mailtui.actions.retrieve import RetrieveOptions
from mailtui.cli.output import Output, Styled
from mailtui.cli.remedies import Remedies
from mailtui.cli.retrieval_live import ProgressView
from mailtui.cli.retrieval_presenters import LiveRetrievals, choose_presenter
from mailtui.model.account import Account, Endpoint, Submission
from mailtui.model.check import Leg, Severity, Stage
from mailtui.model.events import StageStarted
from mailtui.model.retrieval import MailboxResult, RetrievalProgress, RetrievalStarted
from mailtui.model.text import width
from tests.cli.retrievals import came
from tests.cli.test_output import Terminal, terminal

MB = 1_000_000


class Bench:
    """A view on a clock of the test's own."""

    def __init__(self, total: int) -> None:
        self.now = 100.0
        self.view = ProgressView(Output(), total, 3, lambda: self.now)

    def progress(self, name: str, messages: int, in_all: int, octets: int = 0, octets_in_all: int = 0) -> None:
        self.view.take(RetrievalProgress(name, "INBOX", messages, in_all, octets, octets_in_all))

    def drawn(self, columns: int = 100, rows: int = 24) -> list[str]:
        lines = self.view.lines(columns, rows)
        texts = ["".join(part.text if isinstance(part, Styled) else part for part in line) for line in lines]
        assert all(width(text) < columns for text in texts)
        return [text.rstrip() for text in texts]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())


def test_before_the_mail_the_stage_is_named() -> None:
    bench = Bench(1)
    bench.view.take(RetrievalStarted("ada"))
    assert bench.drawn() == ["ada  waiting"]
    bench.view.take(StageStarted("ada", Leg.INBOUND, 0, Stage.AUTH, 0.0))
    assert bench.drawn() == ["ada  auth"]
    bench.view.take(StageStarted("ada", Leg.INBOUND, 1, Stage.TRANSFER, 0.0))
    assert bench.drawn() == ["ada  reading the list of messages"]


def test_messages_octets_rate_and_time_left() -> None:
    bench = Bench(1)
    bench.progress("ada", 0, 1_000, 0, 300 * MB)
    bench.now += 10
    bench.progress("ada", 250, 1_000, 75 * MB, 300 * MB)
    assert bench.drawn() == ["ada  " + "█" * 6 + "░" * 18 + "  250/1,000  75 MB of 300 MB  7.5 MB/s  30 s left"]


def test_what_the_server_does_not_tell_is_not_made_up() -> None:
    bench = Bench(1)
    bench.progress("ada", 0, 4)
    bench.now += 2
    bench.progress("ada", 2, 4, 10_000)
    assert bench.drawn() == ["ada  " + "█" * 12 + "░" * 12 + "  2/4  10 KB  5.0 KB/s  2 s left"]


def test_several_stand_in_columns_above_their_sum() -> None:
    bench = Bench(3)
    for name in ("ada", "bo"):
        bench.progress(name, 0, 10, 0, 10 * MB)
    bench.now += 5
    bench.progress("ada", 5, 10, 5 * MB, 10 * MB)
    account = Account("bo", "bo@example.org", Submission(Endpoint("mail.example.org", 465)))
    bench.view.done(came(account, MailboxResult("INBOX", stored=10, octets=10 * MB)))
    bench.progress("cyd", 900, 1_000, 1 * MB, 2 * MB)
    drawn = bench.drawn()
    assert [line[:3] for line in drawn[:2]] == ["ada", "cyd"]
    assert drawn[0].index("/s") == drawn[1].index("/s")
    assert drawn[2] == "1/3 accounts done, 915 messages, 16 MB"


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    bench = Bench(2)
    for name in ("渡辺 明 – サポート", "a" * 300):
        bench.progress(name, 1, 10_000, 1, 10**12)
    assert len(bench.drawn(columns)) == 3


def test_what_does_not_fit_the_height_is_left_out() -> None:
    bench = Bench(50)
    for number in range(50):
        bench.view.take(RetrievalStarted(f"n{number}"))
    assert len(bench.drawn(rows=24)) == 21


def shown(written: str) -> list[str]:
    """What is on the screen after all that was written: lines, drawn over as the cursor was moved up."""
    lines, row = [""], 0
    for piece in re.split(r"(\x1b\[\d*[AJK]|\n|\r)", written):
        if piece == "\n":
            row += 1
            lines += [""] * (row - len(lines) + 1)
        elif piece.endswith("A") and piece.startswith("\x1b"):
            row -= int(piece[2:-1])
        elif piece == "\x1b[J":
            lines[row:] = [""]
        elif piece.strip("\r") and not piece.startswith("\x1b"):
            lines[row] = piece
    return [line.rstrip() for line in lines[:-1]]


def test_an_account_that_ends_is_printed_above_the_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    output, screen = terminal(monkeypatch, TERM="xterm", NO_COLOR="1")
    account = Account("ada", "ada@example.org", Submission(Endpoint("mail.example.org", 465)))
    other = replace(account, name="bo")
    options = RetrieveOptions(transcript=False)
    presenter = choose_presenter(output, Remedies([account, other]), [account, other], options, "text")
    assert isinstance(presenter, LiveRetrievals)
    assert presenter.on_event is not None
    for name in ("ada", "bo"):
        presenter.on_event(RetrievalStarted(name))
    presenter.tick()
    assert shown(screen.getvalue()) == ["ada  waiting", "bo   waiting", "0/2 accounts done, 0 messages, 0 B"]
    presenter.on_report(came(account, MailboxResult("INBOX", stored=2, octets=9)))
    told = ["good     ada  2 new, 9 B; in 1.20 s", "ada  INBOX  2 messages"]
    assert shown(screen.getvalue()) == [*told, "bo   waiting", "1/2 accounts done, 2 messages, 9 B"]
    presenter.on_report(came(other))
    presenter.end(Severity.OK)
    end = ["good     bo   in 1.20 s", "2 accounts: 2 good, 0 with a warning, 0 failed; 2 new, 9 B"]
    assert shown(screen.getvalue()) == [*told, *end]
