"""The options of `mailtui account`."""

import argparse

from mailtui.cli.parser import (
    METHODS,
    MODES,
    SECRET_SOURCES,
    SECURITIES,
    SORTS,
    TRUSTS,
    Commands,
    Parser,
    add_command,
    add_format,
    positive,
)

Group = argparse._ArgumentGroup  # argparse has no public name for it

ADD_EXAMPLES = """\
examples:
  mailtui account add --name ada --email ada@example.org \\
      --smtp-host mail.example.org --imap-host mail.example.org
  mailtui account add --name news --email news@example.org \\
      --smtp-host smtp.example.org --smtp-security starttls --secret env:NEWS_PASSWORD

Ports follow from protocol and security: 465, 993, 995 with SSL/TLS. No option takes a
password: run `mailtui secret set NAME` afterwards.
"""


LIST_EXAMPLES = """\
examples:
  mailtui account list --format json
  mailtui account list --where 'status:failing type:sales' --sort checked
  mailtui account list --retrieval
  mailtui account list --names --where type:sales | xargs -d '\\n' mailtui check

--where takes words that an account must have anywhere, and these:
  status:good, warning, failing, unchecked or off    type:TEXT    active:yes or no
  protocol:smtp, imap or pop3    security:tls, starttls or none
  is:automatic, manual, paired, send-only or unsafe
  name:TEXT, email:TEXT, server:TEXT, the text in that place
A minus before a word means all but those.
"""


def add_account_commands(commands: "Commands[Parser]") -> None:
    """Add `account` and its commands."""
    parser = commands.add_parser(
        "account",
        help="add, list, show, change, copy, remove, import and export accounts",
        description="Add, list, show, change, copy, remove, import and export accounts.",
        epilog="example:\n  mailtui account list",
    )
    parser.set_defaults(command_parser=parser)
    actions: Commands[Parser] = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    _add_add(actions)
    _add_list(actions)
    show = add_command(
        actions,
        "show",
        "mailtui.cli.account:show",
        "show one account and its last check",
        "example:\n  mailtui account show ada",
    )
    show.add_argument("name", metavar="NAME", help="the account")
    add_format(show)
    edit = add_command(
        actions,
        "edit",
        "mailtui.cli.edit:edit",
        "change one account as TOML in $VISUAL or $EDITOR",
        "example:\n  EDITOR=nano mailtui account edit ada",
    )
    edit.add_argument("name", metavar="NAME", help="the account")
    _add_copy_and_remove(actions)
    _add_past(actions)
    accept = add_command(
        actions,
        "accept",
        "mailtui.cli.accept:accept",
        "take servers as the last check found them, whatever they were before",
        "example:\n  mailtui account accept ada\n\n"
        "Do so once you know that the change is meant: until then no password goes out.",
    )
    accept.add_argument("name", metavar="NAME", nargs="+", help="the accounts")
    for name, summary in (
        ("enable", "make accounts active: check --all covers them"),
        ("disable", "make accounts inactive: check --all leaves them out"),
    ):
        switch = add_command(
            actions, name, f"mailtui.cli.account:{name}", summary, f"example:\n  mailtui account {name} ada"
        )
        switch.add_argument("name", metavar="NAME", nargs="+", help="the accounts")
    apply = add_command(
        actions,
        "apply",
        "mailtui.cli.apply:apply",
        "create or update accounts from a TOML file, all or none of them",
        "examples:\n  mailtui account apply accounts.toml --dry-run\n"
        "  mailtui account export | ssh other-host mailtui account apply -",
    )
    apply.add_argument("file", metavar="FILE", help="the file; - reads standard input")
    apply.add_argument("--dry-run", action="store_true", help="change nothing, print the differences")
    export = add_command(
        actions,
        "export",
        "mailtui.cli.apply:export",
        "print accounts as TOML, without any secret",
        "example:\n  mailtui account export > accounts.toml",
    )
    export.add_argument("name", metavar="NAME", nargs="*", help="the accounts; all when none is named")


def _add_list(actions: "Commands[Parser]") -> None:
    parser = add_command(
        actions,
        "list",
        "mailtui.cli.listing:list_accounts",
        "list the accounts and how their last checks ended",
        LIST_EXAMPLES,
    )
    parser.add_argument("--where", metavar="TEXT", help="only those that this filter means, as on the screen")
    parser.add_argument("--sort", metavar="COLUMN", choices=SORTS, help=f"{', '.join(SORTS)} (default name)")
    parser.add_argument("--reverse", action="store_true", help="sort from the other end")
    parser.add_argument("--retrieval", action="store_true", help="how mail arrives instead: one line a retrieval")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--names", action="store_true", help="the names alone, one on a line")
    add_format(form)


def _add_copy_and_remove(actions: "Commands[Parser]") -> None:
    copy = add_command(
        actions,
        "copy",
        "mailtui.cli.removal:copy",
        "add an account like another, with a copy of its secret",
        "example:\n  mailtui account copy ada bob",
    )
    copy.add_argument("name", metavar="NAME", help="the account to copy")
    copy.add_argument("new_name", metavar="NEW_NAME", help="the name of the copy")
    remove = add_command(
        actions,
        "remove",
        "mailtui.cli.removal:remove",
        "remove accounts with their check history and secrets",
        "examples:\n  mailtui account remove ada --yes\n  mailtui account remove ada --keep-secret\n\n"
        "A secret that another account uses stays.",
    )
    remove.add_argument("name", metavar="NAME", nargs="+", help="the accounts")
    remove.add_argument("--yes", action="store_true", help="do not ask; needed without a terminal")
    remove.add_argument(
        "--keep-secret", action="store_true", dest="keep_secrets", help="leave secrets in the keyring and the vault"
    )


def _add_past(actions: "Commands[Parser]") -> None:
    history = add_command(
        actions,
        "history",
        "mailtui.cli.past:history",
        "list the checks of an account, the newest first",
        "examples:\n  mailtui account history ada\n  mailtui account history ada --limit 100 --format json",
    )
    history.add_argument("name", metavar="NAME", help="the account")
    history.add_argument("--limit", metavar="N", type=positive, default=20, help="checks to list (default 20)")
    add_format(history)
    report = add_command(
        actions,
        "report",
        "mailtui.cli.past:report",
        "tell the last check as a text that can be shown to others",
        "examples:\n  mailtui account report ada\n  mailtui account report ada --output report.txt",
    )
    report.add_argument("name", metavar="NAME", help="the account")
    report.add_argument("--output", metavar="FILE", help="write it into this file")
    report.add_argument("--force", action="store_true", help="replace the file if it is there")


def _add_add(actions: "Commands[Parser]") -> None:
    parser = add_command(actions, "add", "mailtui.cli.account:add", "add an account", ADD_EXAMPLES)
    account = parser.add_argument_group("account")
    account.add_argument("--name", required=True, help="a name of your own, unique")
    account.add_argument("--email", required=True, help="the address that mail is sent from")
    account.add_argument("--type", default="", help="any label, for example campaigns, customer service, system")
    account.add_argument("--display-name", metavar="NAME", default="", help="the name shown beside the address")
    account.add_argument("--notes", default="", help="one line of your own")
    account.add_argument("--inactive", action="store_true", help="leave it out of check --all")
    login = parser.add_argument_group("login, for both legs")
    login.add_argument("--username", metavar="NAME", default="", help="default: the email address")
    login.add_argument(
        "--secret",
        metavar="SOURCE",
        help=f"where the password is kept: {SECRET_SOURCES}; never the password (default keyring)",
    )
    smtp = parser.add_argument_group("submission: how mail leaves")
    smtp.add_argument("--smtp-host", metavar="HOST", required=True, help="the SMTP server")
    _add_endpoint(smtp, "smtp")
    smtp.add_argument("--smtp-no-login", action="store_true", help="the server wants no login")
    retrieval = parser.add_argument_group("retrieval: how mail arrives; without a host the account only sends")
    hosts = retrieval.add_mutually_exclusive_group()
    hosts.add_argument("--imap-host", metavar="HOST", help="the IMAP server")
    hosts.add_argument("--pop3-host", metavar="HOST", help="the POP3 server")
    _add_endpoint(retrieval, "retrieval")
    retrieval.add_argument("--retrieval-username", metavar="NAME", default=None, help="when it is another one")
    retrieval.add_argument("--retrieval-secret", metavar="SOURCE", help="when it is another one")
    retrieval.add_argument("--mode", choices=MODES, help="who starts a retrieval (default manual)")
    retrieval.add_argument("--interval", metavar="MINUTES", type=positive, help="between retrievals (default 15)")
    retrieval.add_argument(
        "--mailbox",
        metavar="NAME",
        action="append",
        help="IMAP: fetch this one instead of INBOX; * and %% stand for others; may be repeated",
    )
    retrieval.add_argument(
        "--destination",
        metavar="WHERE",
        help="maildir:PATH, lmtp:HOST:PORT, lmtp:/SOCKET or command:COMMAND (default a Maildir of its own)",
    )
    retrieval.add_argument("--folder", help="folder of the Maildir that INBOX goes to (default INBOX, its root)")
    retrieval.add_argument(
        "--delete-from-server", action="store_true", help="delete messages there once they are kept here"
    )
    retrieval.add_argument(
        "--delete-after", metavar="DAYS", type=positive, help="delete messages left on the server after so long"
    )
    retrieval.add_argument("--size-limit", metavar="MB", type=positive, help="leave larger messages on the server")


def _add_endpoint(group: Group, prefix: str) -> None:
    group.add_argument(f"--{prefix}-port", metavar="PORT", type=int, help="default: the usual one")
    group.add_argument(f"--{prefix}-security", choices=SECURITIES, help="default tls")
    methods = METHODS if prefix == "retrieval" else METHODS[:-1]
    group.add_argument(
        f"--{prefix}-method", metavar="METHOD", choices=methods, help=f"{', '.join(methods)} (default automatic)"
    )
    group.add_argument(
        f"--{prefix}-certificate",
        metavar="POLICY",
        choices=TRUSTS,
        help=f"which certificates pass: {', '.join(TRUSTS)} (default system)",
    )
    group.add_argument(f"--{prefix}-ca-file", metavar="FILE", help="a PEM file to trust as well")
    group.add_argument(f"--{prefix}-pin", metavar="HEX", help="SHA-256 of the server's public key; several with spaces")
    group.add_argument(
        f"--{prefix}-allow-cleartext",
        action="store_true",
        help="let the password cross an unprotected connection",
    )
