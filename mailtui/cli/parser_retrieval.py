"""What can be typed to fetch mail, once or all the time."""

from mailtui.cli.parser import (
    Commands,
    Parser,
    add_certificate_days,
    add_command,
    add_format,
    add_insist,
    add_transcript,
    positive,
    seconds,
)

_EXIT_CODES = """\
exit codes:
  0    all good
  1    a warning: something to know of a mailbox, a certificate that ends soon, ...
  2    a retrieval failed, as a whole or in one of its mailboxes
  3    could not run: usage, configuration, unknown account
  130  interrupted
"""


def add_retrieval_commands(commands: "Commands[Parser]") -> None:
    """`retrieve` and `agent`."""
    _add_retrieve(commands)
    _add_agent(commands)


def _add_retrieve(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "retrieve",
        "mailtui.cli.retrieve:retrieve",
        "fetch mail by IMAP or POP3 to where each account keeps it",
        "examples:\n  mailtui retrieve ada\n  mailtui retrieve --all --format json\n"
        f"  mailtui retrieve ada --dry-run\n\n{_EXIT_CODES}",
    )
    parser.add_argument("name", metavar="NAME", nargs="*", help="accounts whose mail is fetched, active or not")
    parser.add_argument("--all", action="store_true", help="every active account that receives")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="change nothing; list what would be fetched and deleted, and log in twice to see whether names are stable",
    )
    add_format(parser)
    parser.add_argument(
        "--limit", metavar="N", type=positive, help="retrievals at once (default: config.toml, else 10)"
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=seconds,
        default=30.0,
        help="seconds that a server may be silent (default 30)",
    )
    add_transcript(parser)
    add_certificate_days(parser)
    add_insist(parser)


def _add_agent(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "agent",
        "mailtui.cli.agent:agent",
        "fetch mail automatically and check accounts on schedule, until told to stop",
        "examples:\n  mailtui agent\n"
        "  mailtui agent --print-unit > ~/.config/systemd/user/mailtui.service\n"
        "  systemctl --user enable --now mailtui\n\n"
        "SIGHUP reads accounts and settings again; SIGTERM and Ctrl-C stop it once what came whole is stored.\n\n"
        "exit codes: 0 stopped by SIGTERM, 3 could not run, 130 stopped by Ctrl-C",
    )
    parser.add_argument("--print-unit", action="store_true", help="print a systemd user unit for this data folder")
