"""Accounts added, listed, shown, switched and removed from the shell."""

import json
from pathlib import Path

import pytest

from mailtui.model.account import (
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    RetrievalMode,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.retrieval import MailboxResult
from mailtui.storage.ledger import Ledger
from tests.cli.conftest import Diagnoses, Shell
from tests.cli.reports import wrong_password
from tests.cli.retrievals import came, refused

PIN = "ab" * 32


def bare(account: Account) -> Account:
    """Without the times that the database keeps."""
    return Account(
        account.name, account.email, account.submission, account.retrieval, account.type, account.display_name,
        account.active, account.notes,
    )  # fmt: skip


def test_add_with_nothing_but_the_needed_options(shell: Shell) -> None:
    run = shell(
        "account", "add", "--name", "ada", "--email", "ada@example.org",
        "--smtp-host", "smtp.example.org", "--pop3-host", "pop.example.org",
    )  # fmt: skip
    assert (run.code, run.err) == (0, "")
    assert run.lines == ["added ada", "next: mailtui secret set ada"]
    with shell.database() as database:
        assert bare(database.account("ada")) == Account(
            "ada",
            "ada@example.org",
            Submission(Endpoint("smtp.example.org", 465), secret=SecretRef(SecretScheme.KEYRING)),
            Retrieval(Protocol.POP3, Endpoint("pop.example.org", 995)),
        )


def test_add_with_every_option(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.folder)
    run = shell(
        "account", "add", "--name", "a b", "--email", "ada@example.org", "--type", "system", "--display-name", "Ada",
        "--notes", "a note", "--inactive", "--username", "ada", "--secret", "command:pass show mail",
        "--smtp-host", "smtp.example.org", "--smtp-port", "2525", "--smtp-security", "starttls",
        "--smtp-method", "login", "--smtp-ca-file", "ca.pem", "--smtp-allow-cleartext",
        "--imap-host", "imap.example.org", "--retrieval-port", "1993", "--retrieval-security", "none",
        "--retrieval-method", "plain", "--retrieval-username", "ada2", "--retrieval-secret", "env:IMAP_PASSWORD",
        "--retrieval-pin", ":".join(["AB"] * 32), "--retrieval-allow-cleartext", "--mode", "automatic",
        "--interval", "5", "--folder", "Work", "--delete-after", "30", "--mailbox", "INBOX", "--mailbox", "Lists/*",
        "--destination", "maildir:~/Mail", "--size-limit", "50",
    )  # fmt: skip
    assert (run.code, run.err) == (0, "")
    assert run.lines[-1] == "next: mailtui check 'a b'"
    with shell.database() as database:
        assert bare(database.account("a b")) == Account(
            "a b",
            "ada@example.org",
            Submission(
                Endpoint(
                    "smtp.example.org",
                    2525,
                    Security.STARTTLS,
                    CertificatePolicy(Trust.CA_FILE, str(shell.folder / "ca.pem")),
                    True,
                ),
                method=AuthMethod.LOGIN,
                username="ada",
                secret=SecretRef(SecretScheme.COMMAND, "pass show mail"),
            ),
            Retrieval(
                Protocol.IMAP,
                Endpoint("imap.example.org", 1993, Security.NONE, CertificatePolicy(Trust.PIN, pin=PIN), True),
                AuthMethod.PLAIN,
                "ada2",
                SecretRef(SecretScheme.ENV, "IMAP_PASSWORD"),
                RetrievalMode.AUTOMATIC,
                5,
                "Work",
                True,
                30,
                ("INBOX", "Lists/*"),
                Destination(DestinationKind.MAILDIR, "~/Mail"),
                50,
            ),
            "system",
            "Ada",
            False,
            "a note",
        )


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            ["--smtp-host", "mail.example.org:587"],
            "--smtp-host: holds a port; give the server's name alone; the port goes into --smtp-port: "
            "--smtp-host mail.example.org --smtp-port 587",
        ),
        (["--smtp-host", "[2001:db8::1]:25"], "--smtp-host [2001:db8::1] --smtp-port 25"),
        (["--smtp-host", "smtp://mail.example.org"], "--smtp-host: is a URL; give the server's name alone: "),
        (["--smtp-host", "smtps://ada:hush@mail.example.org:465/x"], "--smtp-host mail.example.org --smtp-port 465"),
        (["--smtp-host", "h", "--pop3-host", "pop.example.org:995"], "--pop3-host: holds a port"),
        (["--smtp-host", "h", "--imap-host", "imap.example.org:993"], "goes into --retrieval-port: --imap-host imap."),
    ],
)
def test_a_host_is_a_name_alone(shell: Shell, option: list[str], told: str) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", *option)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert "hush" not in run.err
    assert run.err.count("\n") == 1


@pytest.mark.parametrize("host", ["2001:db8::25", "[2001:db8::25]", "mail.example.org", "mail.example.org."])
def test_an_address_is_a_host(shell: Shell, host: str) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", host)
    assert (run.code, run.err) == (0, "")


def test_add_a_server_that_wants_no_login(shell: Shell) -> None:
    shell.add("relay", "--smtp-no-login")
    with shell.database() as database:
        account = database.account("relay")
    assert (account.submission.authentication, account.submission.secret) == (False, None)


def test_every_problem_of_an_added_account_is_told(shell: Shell) -> None:
    run = shell("account", "add", "--name", " x", "--email", "ada", "--smtp-host", "a b", "--smtp-port", "0")
    assert run.code == 3
    assert [line.split(": ")[2] for line in run.err.splitlines()] == [
        "name",
        "email",
        "submission.host",
        "submission.port",
    ]


@pytest.mark.parametrize(
    "option",
    [
        ["--folder", "x"],
        ["--retrieval-port", "1"],
        ["--delete-from-server"],
        ["--mailbox", "x"],
        ["--destination", "maildir"],
        ["--size-limit", "1"],
    ],
)
def test_retrieval_options_need_a_server(shell: Shell, option: list[str]) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "h", *option)
    assert run.code == 3
    assert f"{option[0]} is about retrieving mail: name the server with --imap-host or --pop3-host" in run.err


def test_a_folder_without_a_maildir_is_refused(shell: Shell) -> None:
    run = shell(
        "account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "h", "--imap-host", "h",
        "--destination", "lmtp:localhost:24", "--folder", "../../etc",
    )  # fmt: skip
    assert (run.code, run.out) == (3, "")
    assert "retrieval.folder: is of a Maildir, and the destination is lmtp, which has none" in run.err


def test_a_destination_that_is_none_is_told(shell: Shell) -> None:
    run = shell("account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "h", "--destination", "Mail")
    assert run.code == 3
    run = shell(
        "account", "add", "--name", "x", "--email", "a@b.c", "--smtp-host", "h", "--imap-host", "h",
        "--destination", "maildir:Mail",
    )  # fmt: skip
    assert (run.code, run.out) == (3, "")
    assert "--destination: give a whole path, from / or ~/ on" in run.err


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ([], ["by hand, from INBOX", "a Maildir of its own, folder INBOX", "messages stay"]),
        (
            ["--mailbox", "a", "--mailbox", "b/*", "--destination", "maildir:~/Mail", "--size-limit", "9"],
            ["by hand, from a, b/*", "~/Mail, folder INBOX", "messages stay; those of more than 9 MB are not fetched"],
        ),
        (
            ["--destination", "lmtp:/run/lmtp", "--delete-from-server", "--size-limit", "1"],
            [
                "by hand, from INBOX",
                "lmtp:/run/lmtp",
                "messages are deleted once they are kept here; those of more than 1 MB are not fetched",
            ],
        ),
    ],
)
def test_show_tells_where_mail_comes_from_and_goes_to(shell: Shell, options: list[str], lines: list[str]) -> None:
    shell.add("ada", *options)
    run = shell("account", "show", "ada")
    at = next(number for number, line in enumerate(run.lines) if line.startswith("  retrieval "))
    assert [line[15:] for line in run.lines[at : at + 3]] == lines


def test_a_name_is_unique(shell: Shell) -> None:
    shell.add("ada")
    run = shell("account", "add", "--name", "ada", "--email", "a@b.c", "--smtp-host", "h")
    assert run.code == 3
    assert "there is an account named 'ada' already" in run.err


def test_show_tells_everything_of_one_account(shell: Shell, diagnoses: Diagnoses) -> None:
    shell.add("ada", "--smtp-security", "starttls", "--retrieval-pin", PIN, "--type", "system")
    with shell.database() as database:
        database.record(wrong_password(database.account("ada")))
    run = shell("account", "show", "ada")
    assert "outbound       SMTP mail.example.org:587, STARTTLS" in run.lines
    assert f"  certificate  pinned public key: {PIN}" in run.lines
    assert "  login        ada@example.org, automatic, secret: keyring" in run.lines
    assert run.lines[-2] == (
        "  outbound     FAILED at auth: the server refused the password (the server said: 535 5.7.8 no \\x1b[31mway)"
    )
    document = json.loads(shell("account", "show", "ada", "--format", "json").out)
    assert document["name"] == "ada"
    assert document["last_check"]["outbound"]["failure"]["cause"] == "bad-credentials"


def test_show_tells_of_the_last_retrieval(shell: Shell, diagnoses: Diagnoses) -> None:
    shell.add("ada", "--mode", "automatic", "--interval", "1")
    lines = shell("account", "show", "ada").lines
    assert "  retrieval    every 1 minute, from INBOX" in lines
    assert "last retrieval never; run `mailtui retrieve ada`" in lines
    with shell.database() as database:
        box = MailboxResult("INBOX", "/mail/ada", stored=3, octets=2_000, notes=("something to know",))
        Ledger(database, "ada").finish(came(database.account("ada"), box))
    lines = shell("account", "show", "ada").lines
    at = next(index for index, line in enumerate(lines) if line.startswith("last retrieval 20"))
    assert lines[at + 1 : at + 4] == [
        "  result       WARNING  3 new, 2.0 KB; in 1.20 s",
        "               3 messages went to /mail/ada",
        "               something to know",
    ]
    assert json.loads(shell("account", "show", "ada", "--format", "json").out)["last_retrieval"]["stored"] == 3
    with shell.database() as database:
        Ledger(database, "ada").finish(refused(database.account("ada")))
    lines = shell("account", "show", "ada").lines
    assert "  result       FAILED  at auth; in 30.0 ms: the server refuses the login" in lines


def test_an_unknown_account_is_told_with_similar_names(shell: Shell) -> None:
    shell.add("ada")
    run = shell("account", "show", "adda")
    assert (run.code, run.out) == (3, "")
    assert "did you mean 'ada'?" in run.err


def test_accept_anything_is_shown_everywhere(shell: Shell) -> None:
    shell.add("ada", "--retrieval-certificate", "accept-anything")
    for command in (["list"], ["show", "ada"]):
        assert "ACCEPT ANYTHING (unsafe)" in shell("account", *command).out


def test_accounts_are_switched_all_or_none(shell: Shell) -> None:
    shell.add("ada")
    shell.add("bob")
    assert shell("account", "disable", "ada", "bbo").code == 3
    with shell.database() as database:
        assert [account.active for account in database.accounts()] == [True, True]
    assert shell("account", "disable", "ada", "bob").lines == ["ada is inactive", "bob is inactive"]
    assert shell("account", "enable", "bob").code == 0
    with shell.database() as database:
        assert [account.active for account in database.accounts()] == [False, True]


def test_another_data_folder(shell: Shell, tmp_path: Path) -> None:
    other = str(tmp_path / "other")
    shell.add("ada")
    assert shell("--data", other, "account", "list").lines == [
        "no accounts yet; add one with `mailtui account add`, or try `mailtui demo`"
    ]
    assert (tmp_path / "other" / "mailtui.db").exists()


def test_a_database_that_cannot_be_used_ends_with_3(shell: Shell) -> None:
    folder = shell.folder / "data"
    folder.mkdir(mode=0o700)
    (folder / "mailtui.db").write_text("this is no database, and long enough to be looked at" * 10)
    run = shell("account", "list")
    assert (run.code, run.out) == (3, "")
    assert str(folder / "mailtui.db") in run.err
    assert run.err.count("\n") == 1


def test_a_new_account_gets_no_secret_of_another_one(shell: Shell) -> None:
    """Neither of one that had its name, nor what was left when one was removed."""
    shell.add("lovelace", "--secret", "vault:ada")
    shell("secret", "set", "lovelace", stdin="hers")
    shell.add("ada", "--secret", "vault")
    shell.add("bob", "--secret", "vault")
    shell("secret", "set", "bob", stdin="old")
    assert shell("account", "remove", "bob", "--yes", "--keep-secret").code == 0
    run = shell(
        "account", "add", "--name", "bob", "--email", "b@example.org", "--smtp-host", "new.example.org",
        "--secret", "vault",
    )  # fmt: skip
    assert (run.code, run.lines) == (1, ["added bob", "next: mailtui secret set bob"])
    assert "the vault, entry bob holds a password already, which bob does not take over" in run.err
    with shell.database() as database:
        assert [str(account.submission.secret) for account in database.accounts()] == [
            "vault:ada 2",
            "vault:bob 2",
            "vault:ada",
        ]
    assert shell("secret", "test", "ada", "bob").code == 2
