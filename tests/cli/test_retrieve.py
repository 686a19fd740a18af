"""`mailtui retrieve`: whose mail is fetched, how it is told, and what the exit code is."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mailtui.actions.retrieve import RetrieveOptions
from mailtui.model.account import Account
from mailtui.model.check import Cause, Stage
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict
from tests.cli.conftest import Diagnoses, Shell
from tests.cli.reports import failed
from tests.cli.retrievals import came, leg_of, refused

Make = Callable[[Account], RetrievalReport]


@dataclass
class FakeRetrievals:
    """Stands in for the real retrieval: gives what `reports` make of an account, and remembers how it was called."""

    reports: dict[str, Make] = field(default_factory=dict)
    retrieved: list[str] = field(default_factory=list)
    options: RetrieveOptions = field(default_factory=RetrieveOptions)
    at_once: int = 0
    interrupted_by: signal.Signals | None = None

    async def retrieve_many(self, accounts: Iterable[Account], *rest: Any, **named: Any) -> None:
        self.options, self.at_once = named["options"], named["slots"]
        for account in accounts:
            if self.interrupted_by is not None and self.retrieved:
                signal.raise_signal(self.interrupted_by)
                await asyncio.sleep(60)
            self.retrieved.append(account.name)
            named["on_report"](self.reports.get(account.name, came)(account))


@pytest.fixture
def retrievals(monkeypatch: pytest.MonkeyPatch) -> FakeRetrievals:
    fake = FakeRetrievals()
    monkeypatch.setattr("mailtui.cli.retrieving.retrieve_many", fake.retrieve_many)
    monkeypatch.setattr("mailtui.cli.retrieving.retrieval_slots", lambda at_once: at_once)
    return fake


def box(name: str = "INBOX", **values: Any) -> MailboxResult:
    return MailboxResult(name, **values)


def test_one_account_is_one_line_and_where_its_mail_went(shell: Shell, retrievals: FakeRetrievals) -> None:
    shell.add("ada")
    retrievals.reports["ada"] = lambda account: came(
        account, box(folder="/mail/ada", stored=3, octets=45_200, kept=120, deleted=2)
    )
    run = shell("retrieve", "ada")
    assert (run.code, run.err) == (0, "")
    assert run.lines == [
        "good     ada  3 new, 45 KB; 120 here already; 2 deleted on the server; in 1.20 s",
        "ada  INBOX  3 messages went to /mail/ada",
    ]


def test_many_end_with_the_sum(shell: Shell, retrievals: FakeRetrievals) -> None:
    for name in ("ada", "bo", "cyd"):
        shell.add(name)
    shell.add("sends", "--smtp-no-login")
    shell.add("off", "--inactive")
    retrievals.reports["bo"] = lambda account: came(
        account, box(stored=1_200, octets=5_000_000), box("Lists", stored=1)
    )
    retrievals.reports["cyd"] = lambda account: came(account, box(notes=("the server counts wrong",)))
    run = shell("retrieve", "--all")
    assert run.code == 1
    assert retrievals.retrieved == ["ada", "bo", "cyd"]
    assert run.lines == [
        "good     ada  in 1.20 s",
        "good     bo   1,201 new, 5.0 MB; in 1.20 s",
        "bo  INBOX  1200 messages",
        "bo  Lists  1 message",
        "WARNING  cyd  nothing new; in 1.20 s",
        "cyd  INBOX  the server counts wrong",
        "3 accounts: 2 good, 1 with a warning, 0 failed; 1,201 new, 5.0 MB",
    ]


def test_a_failure_is_told_with_what_to_do(shell: Shell, retrievals: FakeRetrievals, diagnoses: Diagnoses) -> None:
    diagnoses[Cause.BAD_CREDENTIALS] = Diagnosis("refused", "The password is wrong.", "", "Type it anew.")
    shell.add("ada")
    retrievals.reports["ada"] = refused
    run = shell("retrieve", "ada")
    assert run.code == 2
    assert run.lines == [
        "FAILED   ada  at auth; in 30.0 ms",
        "ada  inbound   FAILED at auth (bad-credentials): the server refuses the login"
        "  [IMAP mail.example.org:993, SSL/TLS]",
        "ada  inbound   the server said: NO go away",
        "ada  inbound   cause: The password is wrong.",
        "ada  inbound   fix: Type it anew.",
    ]


def test_what_ails_many_is_said_once_at_the_end(shell: Shell, retrievals: FakeRetrievals, diagnoses: Diagnoses) -> None:
    diagnoses[Cause.BAD_CREDENTIALS] = Diagnosis("refused", "The password is wrong.", "", "Type it anew.")
    for name in ("ada", "bo", "cyd"):
        shell.add(name)
    retrievals.reports = {"ada": refused, "cyd": refused}
    run = shell("retrieve", "--all")
    assert run.code == 2
    assert [line for line in run.lines if "Type it anew" in line] == [
        "2 accounts: The password is wrong. Type it anew."
    ]
    at = run.lines.index("2 accounts: The password is wrong. Type it anew.")
    assert run.lines[at - 1 : at + 3] == [
        "",
        "2 accounts: The password is wrong. Type it anew.",
        "    ada  inbound",
        "    cyd  inbound",
    ]
    assert run.lines[-1].startswith("3 accounts: 1 good")
    assert run.lines.count("cyd  inbound   the server said: NO go away") == 1


def test_a_mailbox_that_could_not_be_finished_is_a_failure(shell: Shell, retrievals: FakeRetrievals) -> None:
    shell.add("ada")
    retrievals.reports["ada"] = lambda account: came(account, box(stored=1, octets=9, problem="it closed"))
    run = shell("retrieve", "ada")
    assert run.code == 2
    assert run.lines == [
        "FAILED   ada  1 new, 9 B; in 1.20 s",
        "ada  INBOX  1 message",
        "ada  INBOX  it closed",
    ]


def test_a_dry_run_lists_what_it_would_do(shell: Shell, retrievals: FakeRetrievals) -> None:
    shell.add("ada")
    candidates = (
        Candidate("INBOX", "7", Verdict.FETCH, 1_234, "Bo <bo@example.org>", "Hello \x1b[31m", "Sat, 31 Jan 2026"),
        Candidate("INBOX", "8", Verdict.TOO_LARGE, 50_000_000, subject="Video"),
        Candidate("INBOX", "9", Verdict.DELETE),
        Candidate("INBOX", "", Verdict.REFUSED, 5, reply="NO not today"),
    )
    retrievals.reports["ada"] = lambda account: came(
        account,
        box(folder="/m", stored=1, octets=1_234, deleted=1),
        candidates=candidates,
        is_dry_run=True,
        is_stable=False,
    )
    run = shell("retrieve", "ada", "--dry-run")
    assert retrievals.options.dry_run
    assert run.code == 1
    assert run.lines == [
        "WARNING  ada  1 to fetch, 1.2 KB; 1 to delete on the server; 2 left out; UIDs NOT ALIKE in two logins;"
        " in 1.20 s",
        "ada  INBOX  1 message would go to /m",
        "ada  INBOX  fetch      1.2 KB  Sat, 31 Jan 2026  Bo <bo@example.org>  Hello \\x1b[31m",
        "ada  INBOX  too large   50 MB  Video",
        "ada  INBOX  delete          ?  the message 9",
        "ada  INBOX  refused       5 B  a message without a name: NO not today",
    ]


def test_json_is_one_document_in_the_order_asked_for(shell: Shell, retrievals: FakeRetrievals) -> None:
    for name in ("ada", "bo"):
        shell.add(name)
    retrievals.reports["ada"] = refused
    run = shell("retrieve", "bo", "ada", "--format", "json")
    assert run.code == 2
    document = json.loads(run.out)
    assert [document[key] for key in ("version", "severity", "dry_run")] == [1, "failed", False]
    bo, ada = document["accounts"]
    assert (bo["account"], bo["severity"], bo["leg"]["diagnosis"]) == ("bo", "ok", None)
    assert (ada["account"], ada["leg"]["failure"]["cause"]) == ("ada", "bad-credentials")
    assert ada["leg"]["diagnosis"]["rule"]
    assert "transcript" not in ada["leg"]


def test_a_login_that_is_held_back_names_the_command_that_was_given(
    shell: Shell, retrievals: FakeRetrievals, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    retrievals.reports["ada"] = lambda account: replace(
        came(account), leg=failed(leg_of(account), Stage.AUTH, Cause.LOGIN_HELD, "held back")
    )
    assert shell("retrieve", "ada").lines[-1].endswith("to log in nevertheless: mailtui retrieve ada --insist")


def test_the_dialogue_is_printed_where_it_is_wanted(shell: Shell, retrievals: FakeRetrievals) -> None:
    shell.add("ada")
    run = shell("retrieve", "ada", "--transcript")
    assert "ada  inbound      0.9 ms  C: AUTH PLAIN ****" in run.lines
    assert retrievals.options.transcript


def test_a_certificate_that_ends_soon_is_a_warning(shell: Shell, retrievals: FakeRetrievals) -> None:
    shell.add("ada")
    retrievals.reports["ada"] = lambda account: replace(
        came(account), leg=replace(leg_of(account), warning="the certificate ends in 3 days")
    )
    run = shell("retrieve", "ada")
    assert run.code == 1
    assert run.lines[1].startswith("ada  inbound   WARNING: the certificate ends in 3 days")


def test_options_and_settings_reach_the_retrieval(
    shell: Shell, retrievals: FakeRetrievals, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada")
    settings = shell.folder / "config.toml"
    settings.write_text("[check]\ncertificate_days = 30\n[retrieval]\nat_once = 3\n")
    monkeypatch.setenv("MAILTUI_CONFIG", str(settings))
    shell("retrieve", "ada")
    assert (retrievals.options, retrievals.at_once) == (RetrieveOptions(transcript=False, certificate_days=30), 3)
    shell("retrieve", "ada", "--limit", "7", "--timeout", "2.5", "--insist", "--certificate-days", "9")
    assert retrievals.options == RetrieveOptions(False, 2.5, False, 9, True)
    assert retrievals.at_once == 7


def test_a_slip_in_the_settings_is_told(
    shell: Shell, retrievals: FakeRetrievals, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada")
    settings = shell.folder / "config.toml"
    settings.write_text("[retrieval]\nat_once = 0\n")
    monkeypatch.setenv("MAILTUI_CONFIG", str(settings))
    run = shell("retrieve", "ada")
    assert run.code == 0
    assert run.err.endswith("config.toml:2: retrieval.at_once: write a number of retrievals from 1 to 100.\n")
    assert retrievals.at_once == 10


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "no account is named"),
        (("ada", "--all"), "not both"),
        (("adda",), "there is no account named 'adda'; did you mean 'ada'?"),
        (("sends",), "sends has no inbound leg: it is a send-only account"),
        (("--all",), "there is no active account with an inbound leg in the database"),
    ],
)
def test_what_cannot_be_done_is_told(
    shell: Shell, retrievals: FakeRetrievals, arguments: tuple[str, ...], told: str
) -> None:
    shell.add("ada", "--inactive")
    shell.add("sends", "--smtp-no-login")
    run = shell("retrieve", *arguments)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert retrievals.retrieved == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_says_how_far_it_came(
    shell: Shell, retrievals: FakeRetrievals, number: signal.Signals
) -> None:
    for name in ("ada", "bo"):
        shell.add(name)
    retrievals.interrupted_by = number
    before = signal.getsignal(number)
    if number is not signal.SIGINT:
        signal.signal(number, signal.SIG_DFL)
    try:
        run = shell("retrieve", "--all")
    finally:
        signal.signal(number, before)
    assert run.code == 130
    assert run.lines == ["good     ada  in 1.20 s"]
    assert run.err == (
        "mailtui: 1 of 2 accounts were retrieved; what came whole of the others is kept\nmailtui: interrupted\n"
    )
