"""What `mailtui check` says about what is wrong: cause, fix, page, and what it can change itself."""

import json
import sys
from dataclasses import replace

import pytest

from mailtui.model.account import Security
from mailtui.model.check import Cause, LegReport, Stage
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.server import Change, ChangeKind
from mailtui.model.watch import changes_line
from tests.cli.conftest import Diagnoses, FakeChecks, Shell
from tests.cli.diagnosed import APP_PASSWORD, KEY, PAGE, about, both_wrong, wrong_mode
from tests.cli.reports import STARTED, failed, good_report, wrong_password
from tests.cli.test_output import Terminal


def test_cause_fix_and_page_stand_below_our_words_and_the_servers(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    diagnoses[Cause.BAD_CREDENTIALS] = APP_PASSWORD
    run = shell("check", "ada")
    assert about(run.lines, "outbound")[1:] == [
        "the server said: 535 5.7.8 no \\x1b[31mway",
        "cause: The provider wants an app password. It takes no other.",
        "fix: Make one and set it.",
        f"see: {PAGE}",
    ]
    assert [line.split(" in ")[0] for line in about(run.lines, "inbound")] == ["good"]


def test_an_unknown_cause_is_called_unknown(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    assert about(shell("check", "ada").lines, "outbound")[1:] == [
        "the server said: 535 5.7.8 no \\x1b[31mway",
        "cause unknown",
    ]


def test_a_good_check_asks_for_no_diagnosis(shell: Shell, checks: FakeChecks, monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose(leg: LegReport, email: str = "") -> None:
        raise AssertionError("nothing is wrong")

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    shell.add("ada")
    assert shell("check", "ada").code == 0


def test_what_mailtui_can_do_is_named_with_its_command(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada")
    assert run.code == 2
    assert about(run.lines, "inbound")[-1] == "mailtui can do it: use STARTTLS at 143: mailtui check ada --fix"
    assert about(run.lines, "outbound")[-2:] == [
        f"mailtui can, once the server's keeper has confirmed it, trust the key {KEY}",
        f"then: mailtui check ada --trust-key {KEY}",
    ]


def test_what_is_made_anyway_is_not_offered(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--fix", "--trust-key", KEY)
    told = run.lines[: next(at for at, line in enumerate(run.lines) if "applied" in line)]
    assert any("fix: Use STARTTLS." in line for line in told)
    assert [line for line in told if "mailtui can" in line or "then:" in line] == []


def test_less_protection_is_shown_and_never_made(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    weaker = replace(fix, endpoint=replace(fix.endpoint, security=Security.NONE), words="use none", needs_consent=True)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "In clear", "", "Use none.", change=weaker)
    run = shell("check", "ada", "--fix", "--suggest")
    assert about(run.lines, "inbound")[-1] == "mailtui can show the change: use none: mailtui check ada --suggest"
    assert run.lines[-8] == "# this protects less than now"
    assert checks.checked == ["ada"]


@pytest.mark.parametrize(
    ("cause", "option"),
    [
        (Cause.LOGIN_HELD, "--insist"),
        (Cause.KEY_CHANGED, "--accept-changes"),
        (Cause.STARTTLS_LOST, "--accept-changes"),
        (Cause.MECHANISM_LOST, "--accept-changes"),
    ],
)
def test_what_is_held_back_names_the_option_that_lets_it_go(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, cause: Cause, option: str
) -> None:
    shell.add("ada")
    with shell.database() as database:
        report = good_report(database.account("ada"))
    assert report.outbound is not None
    checks.reports["ada"] = replace(report, outbound=failed(report.outbound, Stage.AUTH, cause, "held back"))
    assert about(shell("check", "ada").lines, "outbound")[-1].endswith(f"mailtui check ada {option}")


def test_what_changed_is_one_line(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        report = good_report(database.account("ada"))
    assert report.outbound is not None
    changes = (Change(ChangeKind.ISSUER, "issuer \x1b[31mX"), Change(ChangeKind.MECHANISM_NEW, "SCRAM offered"))
    checks.reports["ada"] = replace(report, outbound=replace(report.outbound, changes=changes, changed_since=STARTED))
    run = shell("check", "ada")
    assert run.code == 0
    (line,) = about(run.lines, "outbound")[1:]
    assert "issuer \\x1b[31mX" in line
    assert "SCRAM offered" in line
    assert "SCRAM offered" in shell("account", "history", "ada").lines[1]
    assert any("SCRAM offered" in line for line in shell("account", "show", "ada").lines)


def test_a_change_that_is_the_warning_is_said_once(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        report = good_report(database.account("ada"))
    assert report.outbound is not None
    changes = (Change(ChangeKind.TLS_VERSION, "TLSv1.2, which is older than TLSv1.3"),)
    outbound = replace(report.outbound, changes=changes, changed_since=STARTED)
    outbound = replace(outbound, warning=f"it ends soon; {changes_line(changes, STARTED)}")
    checks.reports["ada"] = replace(report, outbound=outbound)
    assert shell("check", "ada").out.count("older than") == 1
    assert shell("account", "history", "ada").out.count("older than") == 1
    assert shell("account", "show", "ada").out.count("older than") == 1


def test_json_holds_the_diagnosis_with_its_change(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    both_wrong(shell, checks, diagnoses)
    run = shell("check", "ada", "--format", "json", "--suggest")
    document = json.loads(run.out)
    (report,) = document["accounts"]
    assert document["fixed"] == []
    assert report["inbound"]["diagnosis"] == {
        "rule": "not-tls",
        "cause": "The port is in clear",
        "explanation": "",
        "fix": "Use STARTTLS.",
        "url": "",
        "change": {
            "protocol": "imap",
            "host": "mail.example.org",
            "port": 143,
            "security": "starttls",
            "trust": "system",
            "pin": "",
            "words": "use STARTTLS at 143",
            "needs_consent": False,
            "toml": '[[account]]\nname = "ada"\n\n[account.retrieval]\nport = 143\nsecurity = "starttls"\n',
        },
    }
    change = report["outbound"]["diagnosis"]["change"]
    assert (change["trust"], change["pin"], change["needs_consent"]) == ("pin", KEY, True)


def test_json_of_an_unknown_cause_and_of_a_good_leg(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    (report,) = json.loads(shell("check", "ada", "--format", "json").out)["accounts"]
    assert report["outbound"]["diagnosis"] == {
        "rule": "unknown",
        "cause": "",
        "explanation": "",
        "fix": "",
        "url": "",
        "change": None,
    }
    assert report["inbound"]["diagnosis"] is None


def test_an_old_report_proposes_no_change_to_what_is_another_server_now(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses
) -> None:
    shell.add("ada")
    checks.reports["ada"], fix = wrong_mode(shell)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=fix)
    shell("check", "ada")
    shown = json.loads(shell("account", "show", "ada", "--format", "json").out)["last_check"]
    assert shown["inbound"]["diagnosis"]["change"]["port"] == 143
    with shell.database() as database:
        account = database.account("ada")
        assert account.retrieval is not None
        elsewhere = replace(account.retrieval, endpoint=replace(account.retrieval.endpoint, port=10_993))
        database.update("ada", replace(account, retrieval=elsewhere))
    (report,) = json.loads(shell("account", "history", "ada", "--format", "json").out)["reports"]
    assert report["inbound"]["diagnosis"]["rule"] == "not-tls"
    assert report["inbound"]["diagnosis"]["change"] is None


def test_show_and_history_tell_cause_and_fix(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses) -> None:
    shell.add("ada")
    with shell.database() as database:
        checks.reports["ada"] = wrong_password(database.account("ada"))
    diagnoses[Cause.BAD_CREDENTIALS] = APP_PASSWORD
    shell("check", "ada")
    shown = [line.strip() for line in shell("account", "show", "ada").lines]
    assert "fix: Make one and set it." in shown
    assert f"see: {PAGE}" in shown
    history = shell("account", "history", "ada").lines[1]
    assert history.endswith("outbound auth: bad-credentials (The provider wants an app password)")


def test_many_on_a_terminal_end_with_what_to_do(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob", "carol"):
        shell.add(name)
    with shell.database() as database:
        checks.reports["bob"] = wrong_password(database.account("bob"))
    checks.reports["carol"], _ = wrong_mode(shell, "carol")
    diagnoses[Cause.BAD_CREDENTIALS] = APP_PASSWORD
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    assert shell("check", "--all").code == 2
    assert screen.getvalue().splitlines()[-3:] == [
        f"bob  outbound  The provider wants an app password. Make one and set it.  {PAGE}",
        "carol  inbound   cause unknown; the server said: * OK ready",
        "3 accounts: 1 good, 0 with a warning, 2 failed",
    ]


def test_what_ails_many_is_said_once(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob", "carol"):
        shell.add(name)
        with shell.database() as database:
            checks.reports[name] = wrong_password(database.account(name))
    report, fix = wrong_mode(shell, "carol")
    checks.reports["carol"] = replace(checks.reports["carol"], inbound=report.inbound)
    diagnoses[Cause.BAD_CREDENTIALS] = APP_PASSWORD
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "In clear", "", "Use STARTTLS.", change=fix)
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    assert shell("check", "--all").code == 2
    assert screen.getvalue().splitlines()[-6:] == [
        f"3 accounts: The provider wants an app password. Make one and set it.  {PAGE}",
        "    ada  outbound",
        "    bob  outbound",
        "    carol  outbound",
        "carol  inbound   In clear. Use STARTTLS. mailtui can do it (--fix): use STARTTLS at 143.",
        "3 accounts: 0 good, 0 with a warning, 3 failed",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_place_of_a_secret_and_no_control_character_shows(
    shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, form: str
) -> None:
    both_wrong(shell, checks, diagnoses)
    for cause, found in diagnoses.items():
        diagnoses[cause] = replace(found, cause="x\x1b[2Jy", explanation="\u202e", fix="\x07", url="http://\x9b")
    run = shell("check", "ada", "--suggest", "--fix", "--trust-key", KEY, "--format", form)
    assert not set(run.out + run.err) & set("\x1b\u202e\x07\x9b")
    assert "keyring" not in run.out
