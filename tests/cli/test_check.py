"""`mailtui check`: which accounts, what is printed, how it ends."""

import asyncio
import io
import json
import sys

import pytest

from mailtui.actions.check import Limits
from mailtui.model.check import Cause, Leg
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.errors import StorageError
from mailtui.model.report_json import report_from_json
from mailtui.storage.database import Database
from tests.cli.conftest import Diagnoses, FakeChecks, Shell
from tests.cli.reports import ending_certificate, good_report, wrong_password

FILE = """\
[[account]]
name = "ada"
email = "ada@example.org"
[account.submission]
host = "mail.example.org"
secret = "env:X"
[account.retrieval]
host = "mail.example.org"

[[account]]
name = "robot"
email = "robot@example.org"
active = false
[account.submission]
host = "mail.example.org"
authentication = false
"""


def test_all_means_the_active_ones(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    shell.add("bob", "--inactive")
    assert shell("check", "--all").code == 0
    assert checks.checked == ["ada"]


def test_named_accounts_are_checked_even_if_inactive(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    shell.add("bob", "--inactive")
    assert shell("check", "bob", "ada", "bob").code == 0
    assert checks.checked == ["bob", "ada"]


def test_one_unknown_name_checks_nothing(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    run = shell("check", "ada", "adda")
    assert (run.code, run.out) == (3, "")
    assert "did you mean 'ada'?" in run.err
    assert checks.checked == []


def test_nothing_to_check_is_not_good(shell: Shell, checks: FakeChecks) -> None:
    shell.add("bob", "--inactive")
    run = shell("check", "--all")
    assert run.code == 3
    assert "there is no active account" in run.err


def test_the_severity_is_the_exit_code(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    shell.add("bob")
    with shell.database() as database:
        ada, bob = database.account("ada"), database.account("bob")
    assert shell("check", "--all").code == 0
    checks.reports["ada"] = ending_certificate(ada)
    assert shell("check", "--all").code == 1
    checks.reports["bob"] = wrong_password(bob)
    assert shell("check", "--all").code == 2
    assert shell("check", "ada").code == 1
    assert shell("check", "bob", "--leg", "inbound").code == 0


def test_plain_lines_for_each_stage_and_a_verdict_for_each_leg(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada", "--retrieval-certificate", "accept-anything")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    diagnoses[Cause.BAD_CREDENTIALS] = Diagnosis("wrong", "The password is wrong", "", "Set it again.")
    run = shell("check", "ada")
    assert "\x1b" not in run.out
    outbound = [line for line in run.lines if line.startswith("ada  outbound")]
    inbound = [line for line in run.lines if line.startswith("ada  inbound ")]
    assert outbound + inbound == run.lines
    assert outbound[0] == "ada  outbound  resolve       ok          1.5 ms  detail of resolve"
    assert "ada  outbound  auth          FAILED      3.0 ms" in outbound
    assert [line.split()[2] for line in outbound if line.endswith("skipped")] == ["capabilities", "envelope", "quit"]
    assert outbound[-4:] == [
        "ada  outbound  FAILED at auth (bad-credentials): the server refused the password  "
        "[SMTP mail.example.org:465, SSL/TLS]",
        "ada  outbound  the server said: 535 5.7.8 no \\x1b[31mway",
        "ada  outbound  cause: The password is wrong.",
        "ada  outbound  fix: Set it again.",
    ]
    assert inbound[-2:] == [
        "ada  inbound   good in 12.5 ms  [IMAP mail.example.org:993, SSL/TLS]",
        "ada  inbound   certificates: ACCEPT ANYTHING (unsafe)",
    ]
    # A line for each stage of both plans, and the six above.
    assert len(run.lines) == 9 + 9 + 6


def test_many_accounts_end_with_a_table(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    shell.add("bob, the longer")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    run = shell("check", "--all")
    assert run.lines[-4:] == [
        "",
        "FAILED   ada              outbound FAILED at auth: the server refused the password  inbound good",
        "good     bob, the longer  outbound good  inbound good",
        "2 accounts: 1 good, 0 with a warning, 1 failed",
    ]
    assert len(run.lines) == 4 + 2 * 18 + 6


def test_the_transcript_only_when_asked(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    assert "220 ready" not in shell("check", "ada").out
    assert not checks.options.transcript
    run = shell("check", "ada", "--transcript", "--leg", "outbound")
    assert checks.options.transcript
    assert run.lines[-2:] == [
        "ada  outbound     0.4 ms  S: 220 ready",
        "ada  outbound     0.9 ms  C: AUTH PLAIN ****",
    ]


def test_json_is_one_document_in_the_order_asked_for(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    for name in ("ada", "bob", "c\x7f".replace("\x7f", "é")):
        shell.add(name)
    with shell.database() as database:
        ada = database.account("ada")
    checks.reports["ada"] = wrong_password(ada)
    run = shell("check", "bob", "cé", "ada", "--format", "json")
    assert run.code == 2
    document = json.loads(run.out)
    assert (document["version"], document["severity"]) == (1, "failed")
    assert [account["account"] for account in document["accounts"]] == ["bob", "cé", "ada"]
    assert "transcript" not in document["accounts"][0]["outbound"]
    assert run.out.isascii()
    whole = json.loads(shell("check", "ada", "--format", "json", "--transcript").out)
    assert report_from_json(whole["accounts"][0]) == wrong_password(ada)


def test_options_reach_the_check(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    shell("check", "ada")
    assert (checks.options.leg_timeout, checks.options.stage_timeout) == (20, 10)
    assert checks.slots is not None
    assert checks.slots._limits == Limits(total=200, per_host=20)
    shell("check", "ada", "--timeout", "5", "--leg", "inbound", "--limit", "7", "--per-host", "3")
    assert (checks.options.leg_timeout, checks.options.stage_timeout) == (5, 2.5)
    assert checks.options.legs == {Leg.INBOUND}
    assert checks.slots._limits == Limits(total=7, per_host=3)


def test_a_leg_that_an_account_lacks(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    shell.add("relay", "--smtp-no-login")
    named = shell("check", "relay", "--leg", "inbound")
    assert named.code == 3
    assert "relay has no inbound leg: it is a send-only account" in named.err
    assert shell("check", "--all", "--leg", "inbound").code == 0
    assert checks.checked == ["ada"]
    shell("account", "remove", "ada", "--yes")
    assert shell("check", "--all", "--leg", "inbound").code == 3


def test_reports_go_into_the_history(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    for _ in range(2):
        assert shell("check", "ada").code == 0
    with shell.database() as database:
        assert len(database.history("ada")) == 2
        assert database.account("ada").last_verified is not None


def test_every_report_of_a_large_run_is_kept(shell: Shell, checks: FakeChecks) -> None:
    text = "".join(
        f'[[account]]\nname = "n{number}"\nemail = "a@b.c"\n[account.submission]\nhost = "h"\nsecret = "vault"\n'
        for number in range(130)
    )
    assert shell("account", "apply", "-", stdin=text).code == 0
    assert shell("check", "--all").code == 0
    with shell.database() as database:
        assert len(database.latest()) == 130


def test_history_that_cannot_be_kept_is_told_and_the_verdict_stands(
    shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada")

    def fail(*arguments: object, **options: object) -> None:
        raise StorageError("the disk is full; make room")

    monkeypatch.setattr(Database, "record_many", fail)
    run = shell("check", "ada")
    assert run.code == 0
    assert run.err == "mailtui: the history was not kept: the disk is full; make room\n"
    assert "good in" in run.out


def test_a_file_needs_no_database(shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("the database was opened")

    monkeypatch.setattr(Database, "open", refuse)
    assert shell("check", "--file", "-", stdin=FILE).code == 0
    assert checks.checked == ["ada"]
    assert shell("check", "--file", "-", "robot", stdin=FILE).code == 0
    assert checks.checked == ["ada", "robot"]
    assert not (shell.folder / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "text", "told"),
    [
        (["robt"], FILE, "there is no account named 'robt' in -; did you mean 'robot'?"),
        ([], FILE.replace("mail.example.org", "a b"), "standard input:5: account ada: submission.host: "),
        ([], "", "there is no active account in -"),
    ],
)
def test_a_file_that_is_no_good_ends_with_3(
    shell: Shell, checks: FakeChecks, arguments: list[str], text: str, told: str
) -> None:
    run = shell("check", "--file", "-", *arguments, stdin=text)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert checks.checked == []


def test_nobody_is_asked_without_a_terminal(shell: Shell) -> None:
    """The real check: the secret is read first, and no network is touched without it."""
    run = shell("check", "--file", "-", stdin=FILE.replace("env:X", "ask"))
    assert run.code == 2
    verdicts = [line for line in run.lines if "secret-unavailable" in line]
    assert len(verdicts) == 2
    assert all("needs a terminal" in line for line in verdicts)


def test_a_mistake_of_ours_is_no_warning(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")

    def fail() -> None:
        raise ValueError("hunter2")

    checks.before = fail
    run = shell("check", "ada")
    assert run.code == 3
    assert run.err.startswith("mailtui: internal error: ValueError at ")
    assert "hunter2" not in run.err
    assert run.err.count("\n") == 1


def test_a_reader_that_goes_away_ends_the_check(
    shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob", "carol"):
        shell.add(name)
    told: list[str] = []

    async def check_many(accounts: object, *arguments: object, **options: object) -> None:
        on_report = options["on_report"]
        assert callable(on_report)
        assert isinstance(accounts, list)
        for account in accounts:
            told.append(account.name)
            on_report(good_report(account))
            await asyncio.sleep(0)

    monkeypatch.setattr("mailtui.cli.checking.check_many", check_many)

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert shell("check", "--all").code == 141
    assert told == ["ada"]
