"""The options of `mailtui check` that do something about what is wrong."""

import json
import os
import signal
import sys
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from mailtui.model.account import Account, CertificatePolicy, Security, Trust
from mailtui.model.check import Cause
from mailtui.model.diagnosis import Diagnosis
from mailtui.storage.database import Database
from tests.cli.conftest import Diagnoses, FakeChecks, Shell
from tests.cli.diagnosed import APP_PASSWORD, FILE, FINGERPRINT, KEY, about, both_wrong, endpoints, wrong_mode
from tests.cli.reports import wrong_password
from tests.cli.test_output import Terminal


def test_fix_makes_what_needs_no_consent_stores_it_and_tests_again(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    run = shell("check", "ada", "--fix")
    assert (run.code, run.err) == (0, "")
    assert checks.checked == ["ada", "ada"]
    assert endpoints(shell)[1] == fix.endpoint
    told = run.lines.index("ada  inbound   applied: use STARTTLS at 143; testing again")
    assert any(" FAILED at tls " in line for line in run.lines[:told])
    assert "ada  inbound   good in 12.5 ms  [IMAP mail.example.org:143, STARTTLS]" in run.lines[told:]
    assert not any("FAILED" in line for line in run.lines[told:])
    with shell.database() as database:
        assert len(database.history("ada")) == 2


def test_fix_leaves_what_needs_consent(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    shell("check", "ada", "--fix")
    outbound, inbound = endpoints(shell)
    assert inbound.security is Security.STARTTLS
    assert outbound.certificate.trust is Trust.SYSTEM


def test_a_failure_that_no_fix_is_for_is_tested_once(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    diagnoses[Cause.BAD_CREDENTIALS] = APP_PASSWORD
    assert shell("check", "ada", "--fix").code == 2
    assert checks.checked == ["ada"]


def test_a_fix_that_does_not_help_is_tried_once(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    report, fix = wrong_mode(shell)
    assert report.inbound is not None
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    rounds = [report, replace(report, inbound=replace(report.inbound, endpoint=fix.endpoint))]
    checks.before = lambda: checks.reports.update(ada=rounds[len(checks.checked)])
    assert shell("check", "ada", "--fix").code == 2
    assert checks.checked == ["ada", "ada"]


def test_only_what_was_fixed_is_tested_again_and_all_count(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    shell.add("bob")
    checks.reports["ada"], fix = wrong_mode(shell)
    with shell.database() as database:
        checks.reports["bob"] = wrong_password(database.account("bob"))
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    run = shell("check", "--all", "--fix")
    assert checks.checked == ["ada", "bob", "ada"]
    assert run.code == 2
    assert "2 accounts: 0 good, 0 with a warning, 2 failed" in run.lines


def test_an_account_that_changed_meanwhile_stays_as_it_is(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)

    def meanwhile() -> None:
        with shell.database() as database:
            database.update("ada", replace(database.account("ada"), notes="typed meanwhile"))

    checks.before = meanwhile
    run = shell("check", "ada", "--fix")
    assert run.code == 2
    assert checks.checked == ["ada"]
    assert "ada" in run.err
    assert endpoints(shell)[1].port == 993


def test_ctrl_c_while_a_fix_is_stored_tells_that_it_was(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    update = Database.update

    def interrupted(database: Database, *arguments: Any) -> Account:
        os.kill(os.getpid(), signal.SIGINT)
        return update(database, *arguments)

    monkeypatch.setattr(Database, "update", interrupted)
    run = shell("check", "ada", "--fix")
    assert run.code == 130
    assert "mailtui: ada inbound: applied, not tested again: use STARTTLS at 143\n" in run.err
    assert endpoints(shell)[1] == fix.endpoint
    assert checks.checked == ["ada"]


def test_whoever_insists_means_one_more_login(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    insisted: list[bool] = []
    checks.before = lambda: insisted.append(checks.options.insist)
    assert shell("check", "ada", "--fix", "--insist").code == 0
    assert insisted == [True, False]


COLONS = ":".join(["AB"] * 32)


@pytest.mark.parametrize("given", [KEY, COLONS, KEY.upper()])
def test_trust_key_pins_exactly_that_key(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, given: str) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--trust-key", given, "--trust-key", KEY)
    assert run.err == ""
    outbound, inbound = endpoints(shell)
    assert outbound.certificate == CertificatePolicy(Trust.PIN, pin=KEY)
    # The other leg was not asked for.
    assert inbound.security is Security.IMPLICIT_TLS
    assert checks.checked == ["ada", "ada"]
    again = shell("check", "ada", "--trust-key", given)
    assert (again.code, again.err) == (0, ""), "it is pinned already"


def test_both_legs_are_fixed_at_once(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--fix", "--trust-key", KEY)
    assert (run.code, run.err) == (0, "")
    assert checks.checked == ["ada", "ada"]
    assert sum("applied: " in line for line in run.lines) == 2


def test_another_key_is_not_trusted_and_says_so(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--trust-key", "12" * 32)
    assert run.code == 2
    assert run.err == f"mailtui: --trust-key {'12' * 32}: no server was refused for having this key\n"
    assert checks.checked == ["ada"]
    assert endpoints(shell)[0].certificate.trust is Trust.SYSTEM


def test_the_fingerprint_of_the_certificate_is_told_from_that_of_its_key(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--trust-key", FINGERPRINT)
    assert run.err == (
        f"mailtui: --trust-key {FINGERPRINT} is the fingerprint of a certificate; the SHA-256 of its key is {KEY}\n"
    )
    assert endpoints(shell)[0].certificate.trust is Trust.SYSTEM


@pytest.mark.parametrize("bad", ["", "hunter2", "ab" * 31, "zz" * 32])
def test_a_key_that_is_none_is_refused_before_any_check(shell: Shell, checks: FakeChecks, bad: str) -> None:
    shell.add("ada")
    run = shell("check", "ada", "--trust-key", bad)
    assert (run.code, run.out) == (3, "")
    assert run.err.startswith("mailtui: --trust-key: ")
    assert "hunter2" not in run.err
    assert checks.checked == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--fix"], "--fix changes accounts in the database, not in a file: use --suggest, and edit -"),
        (["--trust-key", KEY], "--trust-key changes accounts in the database"),
        (["--accept-changes"], "--accept-changes is about earlier checks"),
    ],
)
def test_a_file_is_never_changed(shell: Shell, checks: FakeChecks, options: list[str], told: str) -> None:
    run = shell("check", "--file", "-", *options, stdin=FILE)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert checks.checked == []


def test_suggest_prints_the_toml_that_would_help(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--suggest")
    assert run.code == 2
    start = next(at for at, line in enumerate(run.lines) if line.startswith("# "))
    assert run.lines[start - 1] == ""
    suggestions = tomllib.loads("\n".join(run.lines[start:]))["account"]
    assert suggestions == [
        {"name": "ada", "submission": {"certificate": "pin", "pin": KEY}},
        {"name": "ada", "retrieval": {"port": 143, "security": "starttls"}},
    ]
    assert "# only if the server's keeper confirms that this is its key" in run.lines
    # Nothing was changed.
    assert endpoints(shell)[1].port == 993
    assert checks.checked == ["ada"]


def test_suggest_works_on_a_file_and_the_verdict_names_it(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    run = shell("check", "--file", "-", "--suggest", stdin=FILE)
    assert run.code == 2
    assert about(run.lines, "inbound")[-1] == (
        "mailtui can show the change: use STARTTLS at 143: mailtui check --file FILE --suggest"
    )
    assert run.lines[-5:-1] == ["", "[account.retrieval]", "port = 143", 'security = "starttls"']


def test_with_nothing_to_suggest_it_says_so(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    assert shell("check", "ada", "--suggest").lines[-1] == "# no change is suggested"


def test_after_a_fix_only_the_rest_is_suggested(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    assert shell("check", "ada", "--suggest", "--fix").lines[-1] == "# no change is suggested"


def test_json_tells_what_was_fixed_and_the_second_report(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("bob")
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "bob", "ada", "--fix", "--trust-key", KEY, "--format", "json")
    assert (run.code, run.err) == (0, "")
    document = json.loads(run.out)
    assert document["severity"] == "ok"
    assert [(one["account"], one["leg"], one["change"]["words"]) for one in document["fixed"]] == [
        ("ada", "outbound", f"trust the key {KEY}"),
        ("ada", "inbound", "use STARTTLS at 143"),
    ]
    assert [report["account"] for report in document["accounts"]] == ["bob", "ada"]
    assert document["accounts"][1]["inbound"]["endpoint"]["port"] == 143


def test_options_of_the_memory_reach_the_check(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    shell("check", "ada")
    assert (checks.options.insist, checks.options.accept_changes, checks.options.certificate_days) == (False, False, 14)
    assert checks.memory is not None
    shell("check", "ada", "--insist", "--accept-changes", "--certificate-days", "30")
    assert (checks.options.insist, checks.options.accept_changes, checks.options.certificate_days) == (True, True, 30)
    assert shell("check", "--file", "-", "--insist", "--certificate-days", "0", stdin=FILE).code == 0
    assert (checks.options.insist, checks.options.certificate_days) == (True, 0)


def test_the_days_of_a_certificate_come_from_the_settings(
    shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shell.folder / "config.toml"
    settings.write_text("[check]\ncertificate_days = 45\n")
    monkeypatch.setenv("MAILTUI_CONFIG", str(settings))
    shell.add("ada")
    shell("check", "ada")
    assert checks.options.certificate_days == 45
    shell("check", "ada", "--certificate-days", "7")
    assert checks.options.certificate_days == 7


def test_settings_that_are_no_good_are_told_as_far_as_they_matter(
    shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shell.folder / "config.toml"
    monkeypatch.setenv("MAILTUI_CONFIG", str(settings))
    shell.add("ada")
    settings.write_text("theme = 1\n[check]\ncertificate_days = -4\n")
    run = shell("check", "ada")
    assert (run.code, checks.options.certificate_days) == (0, 14)
    assert run.err.count("\n") == 1
    assert f"{settings}:3: check.certificate_days: " in run.err
    settings.write_text("no TOML")
    assert f"{settings}:1: not TOML" in shell("check", "ada").err


@pytest.mark.parametrize("days", ["-1", "3651", "x", "1.5", "９", ""])
def test_days_out_of_range_are_refused(shell: Shell, checks: FakeChecks, days: str) -> None:
    run = shell("check", "--all", f"--certificate-days={days}")
    assert (run.code, run.out) == (3, "")
    assert "--certificate-days: give a whole number of days from 0 to 3650" in run.err


def test_unknown_names_are_refused_before_anything_is_fixed(shell: Shell, checks: FakeChecks) -> None:
    shell.add("ada")
    run = shell("check", "ada", "adda", "--fix", "--trust-key", KEY)
    assert (run.code, run.out) == (3, "")
    assert checks.checked == []


def test_a_reader_that_goes_away_leaves_the_accounts_as_they_are(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)

    class Closed(Terminal):
        def isatty(self) -> bool:
            return False

        def flush(self) -> None:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert shell("check", "ada", "--fix").code == 141
    assert endpoints(shell)[1].port == 993
