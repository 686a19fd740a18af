"""The list of accounts and that of retrievals: what they show, filter and sort."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.model.retrieval import MailboxResult
from mailtui.storage.ledger import Ledger
from tests.cli.conftest import Shell
from tests.cli.reports import STARTED, ending_certificate, good_report, wrong_password
from tests.cli.retrievals import came


def test_the_list_shows_servers_and_the_last_check(shell: Shell) -> None:
    shell.add("ada")
    shell.add("relay", "--smtp-no-login", "--inactive")
    with shell.database() as database:
        database.record(wrong_password(database.account("ada")))
    run = shell("account", "list")
    assert run.lines[0].split() == ["NAME", "EMAIL", "OUTBOUND", "INBOUND", "ACTIVE", "LAST", "CHECK", "OUT", "IN"]
    ada, relay = run.lines[1:]
    assert ada.startswith("ada    ada@example.org  SMTP mail.example.org:465  IMAP mail.example.org:993  yes     20")
    assert ada.endswith("FAILED  good")
    assert "send only" in relay
    assert relay.endswith("no      never             -       -")


def test_the_list_as_json(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault:x")
    with shell.database() as database:
        database.record(wrong_password(database.account("ada")))
    document = json.loads(shell("account", "list", "--format", "json").out)
    (account,) = document["accounts"]
    assert document["version"] == 1
    assert account["submission"]["secret"] == "vault:x"
    assert account["retrieval"]["port"] == 993
    assert account["created"].endswith("Z")
    assert account["last_check"] == {
        "started": f"{STARTED:%Y-%m-%dT%H:%M:%SZ}",
        "severity": "failed",
        "outbound": "failed",
        "inbound": "ok",
    }


def test_an_empty_list_says_what_to_do(shell: Shell) -> None:
    assert "mailtui account add" in shell("account", "list").out
    assert json.loads(shell("account", "list", "--format", "json").out) == {"version": 1, "accounts": []}


@pytest.fixture
def many(shell: Shell) -> Shell:
    """Accounts of every kind and standing."""
    shell.add("ada", "--type", "sales")
    shell.add("Bob", "--type", "system", "--mode", "automatic", "--interval", "5", "--folder", "Work")
    shell.add("eve", "--type", "sales", "--mode", "automatic", "--delete-after", "30")
    shell.add("fay", "--inactive", "--delete-from-server")
    shell.add("relay", "--smtp-no-login")
    with shell.database() as database:
        database.record(wrong_password(database.account("ada")))
        database.record(good_report(database.account("Bob")))
        database.record(ending_certificate(database.account("eve")))
    return shell


def names(shell: Shell, *options: str) -> list[str]:
    run = shell("account", "list", *options)
    assert (run.code, run.err) == (0, "")
    return [line.split()[0] for line in run.lines[1:]]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("status:failing", ["ada"]),
        ("type:sales", ["ada", "eve"]),
        ("type:sales -status:failing", ["eve"]),
        ("active:no", ["fay"]),
        ("is:send-only", ["relay"]),
        ("BOB", ["Bob"]),
        ("status:unchecked", ["relay"]),
        ("", ["ada", "Bob", "eve", "fay", "relay"]),
    ],
)
def test_the_list_is_filtered_as_on_the_screen(many: Shell, where: str, found: list[str]) -> None:
    assert names(many, "--where", where) == found
    document = json.loads(many("account", "list", "--where", where, "--format", "json").out)
    assert [account["name"] for account in document["accounts"]] == found


def test_a_filter_that_nothing_can_pass_is_refused(many: Shell) -> None:
    run = many("account", "list", "--where", "status:broken")
    assert (run.code, run.out) == (3, "")
    assert "--where: status: is one of good, warning, failing, unchecked, off" in run.err
    assert many("account", "list", "--where", "nobody").lines == [
        "no account is so; see `mailtui account list --help` for what --where can ask"
    ]


@pytest.mark.parametrize(
    ("column", "found"),
    [
        ("name", ["ada", "Bob", "eve", "fay", "relay"]),
        ("status", ["ada", "eve", "relay", "Bob", "fay"]),
        ("active", ["ada", "Bob", "eve", "relay", "fay"]),
        ("type", ["ada", "eve", "Bob", "fay", "relay"]),
        ("method", ["Bob", "eve", "ada", "fay", "relay"]),
        ("folder", ["ada", "eve", "fay", "Bob", "relay"]),
        ("inbound", ["ada", "Bob", "eve", "fay", "relay"]),
    ],
)
def test_the_list_is_sorted_by_a_column(many: Shell, column: str, found: list[str]) -> None:
    assert names(many, "--sort", column) == found


def test_what_has_nothing_in_the_column_stays_last(many: Shell) -> None:
    assert names(many, "--sort", "type", "--reverse") == ["Bob", "ada", "eve", "fay", "relay"]
    assert names(many, "--sort", "checked", "--reverse")[-2:] == ["fay", "relay"]
    assert names(many, "--reverse") == ["relay", "fay", "eve", "Bob", "ada"]


def test_retrievals_are_a_table_of_their_own(many: Shell) -> None:
    run = many("account", "list", "--retrieval")
    assert run.lines[0].split() == [
        "ACCOUNT", "SERVER", "RETRIEVED", "FOLDER", "ON", "SERVER", "ACTIVE", "FETCHED", "LAST", "RESULT",
    ]  # fmt: skip
    ada, bob, eve, fay = run.lines[1:]
    assert ada.startswith("ada      IMAP mail.example.org:993  by hand       INBOX   left       yes     never    20")
    assert ada.endswith("good")
    assert "every 5 min   Work    left" in bob
    assert "every 15 min  INBOX   30 days" in eve
    assert fay.split()[-6:] == ["INBOX", "deleted", "no", "never", "never", "-"]


def test_a_failed_retrieval_says_why(shell: Shell) -> None:
    shell.add("ada")
    with shell.database() as database:
        account = database.account("ada")
        report = wrong_password(account)
        assert report.outbound is not None
        assert report.inbound is not None
        failed = replace(report.inbound, failure=report.outbound.failure)
        database.record(replace(report, inbound=failed))
    assert shell("account", "list", "--retrieval").lines[1].endswith("FAILED bad-credentials")
    document = json.loads(shell("account", "list", "--retrieval", "--format", "json").out)
    (retrieval,) = document["retrievals"]
    assert document["version"] == 1
    assert (retrieval["account"], retrieval["active"], retrieval["folder"]) == ("ada", True, "INBOX")
    assert retrieval["last_check"] == {
        "started": f"{STARTED:%Y-%m-%dT%H:%M:%SZ}",
        "severity": "failed",
        "cause": "bad-credentials",
    }


def test_the_last_retrieval_is_listed_while_it_is_newer_and_of_the_same_server(shell: Shell) -> None:
    for name in ("ada", "bob", "eve"):
        shell.add(name)
    box = MailboxResult("INBOX", "/mail", stored=1_234, octets=5_000)
    with shell.database() as database:
        later = STARTED + timedelta(hours=1)
        for name, when in (("ada", later), ("bob", STARTED - timedelta(hours=1)), ("eve", later)):
            account = database.account(name)
            database.record(good_report(account))
            Ledger(database, name).finish(replace(came(account, box), started=when))
        gone = database.account("eve")
        assert gone.retrieval is not None
        moved = replace(gone.retrieval, endpoint=replace(gone.retrieval.endpoint, host="other.example.org"))
        database.update("eve", replace(gone, retrieval=moved))
    ada, bob, eve = shell("account", "list", "--retrieval").lines[1:]
    assert ada.endswith("  good, 1,234 new")
    assert bob.endswith("  good")
    assert bob.count("  20") == 2
    assert eve.split()[-3:] == ["never", "never", "-"]
    document = json.loads(shell("account", "list", "--retrieval", "--format", "json").out)
    first, second, third = (retrieval["last_retrieval"] for retrieval in document["retrievals"])
    assert second["stored"] == 1_234
    assert third is None
    assert first == {
        "started": f"{later:%Y-%m-%dT%H:%M:%SZ}",
        "severity": "ok",
        "stored": 1_234,
        "octets": 5_000,
        "cause": None,
    }


def test_accounts_that_only_send_have_no_retrieval(shell: Shell) -> None:
    shell.add("relay", "--smtp-no-login")
    assert shell("account", "list", "--retrieval").lines == ["every account only sends: none retrieves mail"]
    assert json.loads(shell("account", "list", "--retrieval", "--format", "json").out)["retrievals"] == []


def test_names_alone_are_for_other_programs(many: Shell) -> None:
    assert many("account", "list", "--names").lines == ["ada", "Bob", "eve", "fay", "relay"]
    assert many("account", "list", "--names", "--where", "type:sales", "--sort", "checked").lines == ["ada", "eve"]
    assert many("account", "list", "--names", "--where", "nobody").out == ""
    assert many("account", "list", "--names", "--format", "json").code == 3


def test_no_names_of_no_accounts(shell: Shell) -> None:
    assert shell("account", "list", "--names").out == ""
