"""The checks of an account from the shell: its history, and the report for others."""

import json
import stat
from dataclasses import replace
from datetime import timedelta

from tests.cli.conftest import Diagnoses, Shell
from tests.cli.reports import STARTED, ending_certificate, good_report, wrong_password


def checked(shell: Shell) -> None:
    """Three checks of ada, the newest of which failed."""
    shell.add("ada")
    with shell.database() as database:
        account = database.account("ada")
        reports = (good_report(account), ending_certificate(account), wrong_password(account))
        database.record_many(
            replace(report, started=STARTED + timedelta(minutes=minute)) for minute, report in enumerate(reports)
        )


def test_the_history_tells_each_check_on_a_line(shell: Shell, diagnoses: Diagnoses) -> None:
    checked(shell)
    run = shell("account", "history", "ada")
    assert (run.code, run.err) == (0, "")
    assert run.lines[0].split() == ["CHECKED", "OUTBOUND", "TIME", "INBOUND", "TIME", "WHY"]
    failed, warned, good = run.lines[1:]
    assert failed.split()[2:] == ["FAILED", "12.5", "ms", "good", "12.5", "ms", "outbound", "auth:", "bad-credentials"]
    assert warned.endswith("the certificate ends in 5 days")
    assert good.split()[2:] == ["good", "12.5", "ms", "good", "12.5", "ms"]
    assert shell("account", "history", "ada", "--limit", "2").lines == run.lines[:3]


def test_the_history_as_json(shell: Shell, diagnoses: Diagnoses) -> None:
    checked(shell)
    document = json.loads(shell("account", "history", "ada", "--format", "json", "--limit", "2").out)
    assert (document["version"], document["account"]) == (1, "ada")
    assert [report["severity"] for report in document["reports"]] == ["failed", "warning"]
    assert document["reports"][0]["outbound"]["failure"]["cause"] == "bad-credentials"
    assert "transcript" not in document["reports"][0]["outbound"]


def test_an_account_that_was_never_checked_says_so(shell: Shell) -> None:
    shell.add("a b")
    assert shell("account", "history", "a b").lines == ["never checked; run `mailtui check 'a b'`"]
    assert json.loads(shell("account", "history", "a b", "--format", "json").out)["reports"] == []
    run = shell("account", "report", "a b")
    assert (run.code, run.out) == (3, "")
    assert "a b was never checked: there is nothing to report; run `mailtui check 'a b'` first" in run.err
    for command in ("history", "report"):
        assert "did you mean 'a b'?" in shell("account", command, "ab").err


def test_the_report_can_be_shown_to_others(shell: Shell) -> None:
    checked(shell)
    run = shell("account", "report", "ada")
    assert (run.code, run.err) == (0, "")
    assert "ada@example.org" not in run.out
    assert "\x1b" not in run.out
    assert "bad-credentials" in run.out
    assert "535 5.7.8" in run.out


def test_the_report_is_written_into_a_private_file_and_replaces_none_unasked(shell: Shell) -> None:
    checked(shell)
    path = shell.folder / "report.txt"
    run = shell("account", "report", "ada", "--output", str(path))
    assert (run.code, run.lines) == (0, [f"written to {path}; read it before you send it"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_text()
    assert "bad-credentials" in written
    path.write_text("mine")
    refused = shell("account", "report", "ada", "--output", str(path))
    assert (refused.code, refused.out) == (3, "")
    assert "exists already; add --force to replace it" in refused.err
    assert path.read_text() == "mine"
    assert shell("account", "report", "ada", "--output", str(path), "--force").code == 0
    assert "bad-credentials" in path.read_text()
    assert shell("account", "report", "ada", "--output", str(shell.folder / "no" / "x")).code == 3
