"""What can be typed: the commands and their options. The work is named here and imported only to be done."""

import argparse
import os

from mailtui.cli.output import Output

TYPE_CHECKING = False  # typing's own constant costs the import of typing
if TYPE_CHECKING:
    from typing import NoReturn

CANNOT_RUN_EXIT = 3
"""The request could not be carried out: usage, configuration, an unknown account."""

# Written out, since importing the model would double the time that --help takes.
SECURITIES = ("tls", "starttls", "none")
METHODS = ("automatic", "plain", "login", "cram-md5", "scram-sha-256", "xoauth2", "apop")
TRUSTS = ("system", "ca-file", "pin", "accept-anything")
MODES = ("automatic", "manual")
LEGS = ("outbound", "inbound")
FORMATS = ("text", "json")
SHELLS = ("bash", "zsh", "tcsh")
SORTS = ("name", "email", "type", "status", "active", "checked", "outbound", "inbound", "method", "folder")

SECRET_SOURCES = "keyring, vault, command:..., env:NAME, file:PATH or ask"

EXIT_CODES = """\
exit codes:
  0    all good
  1    a warning: a certificate that ends soon, a dead address family, ...
  2    a leg failed
  3    could not run: usage, configuration, unknown account
  130  interrupted
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; left alone, argparse imports shutil to ask."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=max(40, min(_columns(), 120) - 2), max_help_position=28)


def _columns() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal():
        return int(columns)
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80


class Parser(argparse.ArgumentParser):
    """argparse with our exit code and our way of writing."""

    output: Output | None = None
    """Where help and errors go; made when first needed."""

    def __init__(
        self, prog: str | None = None, description: str | None = None, epilog: str | None = None, color: bool = False
    ) -> None:
        # `color` is what newer versions hand to sub-commands; Output knows better whether to colour.
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=_Help, allow_abbrev=False)
        self.color = False

    def print_help(self, file: object = None) -> None:
        """Write the help on standard output."""
        self.written().lines(self.format_help())

    def error(self, message: str) -> "NoReturn":
        """Say what is wrong and where help is; exits with 3, since 2 means that a leg failed."""
        output = self.written()
        output.error(message)
        output.error(f"try `{self.prog} --help`")
        raise SystemExit(CANNOT_RUN_EXIT)

    def written(self) -> Output:
        """The output of this run."""
        if Parser.output is None:
            Parser.output = Output()
        return Parser.output


Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def add_command(commands: "Commands[Parser]", name: str, work: str, summary: str, epilog: str) -> Parser:
    """A sub-command; `work` is "module:function", imported and called with the arguments and the output."""
    parser = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=epilog)
    parser.set_defaults(work=work, command_parser=parser)
    return parser


def build_parser() -> Parser:
    """The parser of every command."""
    from mailtui.cli.parser_account import add_account_commands
    from mailtui.cli.parser_retrieval import add_retrieval_commands

    parser = Parser(
        prog="mailtui",
        description="Keep, prove and use mail accounts. Without a command, opens the screen.",
        epilog="examples:\n  mailtui demo\n  mailtui account add --name ada --email ada@example.org \\\n"
        "      --smtp-host mail.example.org --imap-host mail.example.org\n  mailtui check ada",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--data", metavar="DIR", help="the data folder, instead of MAILTUI_DATA or the XDG data folder")
    parser.set_defaults(work="", command_parser=parser)
    commands: Commands[Parser] = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    _add_check(commands)
    add_retrieval_commands(commands)
    add_account_commands(commands)
    _add_secret(commands)
    _add_doctor(commands)
    _add_demo(commands)
    _add_completion(commands)
    return parser


def _add_check(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "check",
        "mailtui.cli.check:check",
        "test accounts, both legs at once, stage by stage",
        "examples:\n  mailtui check ada\n  mailtui check --all --format json\n"
        f"  mailtui check --file accounts.toml --leg outbound --timeout 5\n  mailtui check ada --fix\n\n{EXIT_CODES}",
    )
    parser.add_argument("name", metavar="NAME", nargs="*", help="accounts to check, active or not")
    parser.add_argument("--all", action="store_true", help="check every active account")
    parser.add_argument(
        "--file", metavar="FILE", help="take the accounts from this TOML file (- reads standard input); no database"
    )
    add_format(parser)
    parser.add_argument("--leg", choices=LEGS, help="check this leg only")
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=seconds,
        default=20.0,
        help="seconds that a leg may take; one stage may take half of them (default 20)",
    )
    add_transcript(parser)
    add_certificate_days(parser)
    add_limits(parser)
    _add_remedies(parser)


def _add_remedies(parser: Parser) -> None:
    remedies = parser.add_argument_group("what to do about it")
    remedies.add_argument("--suggest", action="store_true", help="print the TOML of each change that would help")
    remedies.add_argument("--fix", action="store_true", help="make those that need no consent, and test again")
    remedies.add_argument(
        "--trust-key",
        metavar="SHA256",
        action="append",
        help="trust the public key with this SHA-256 where a server has it, and test again; repeatable",
    )
    remedies.add_argument(
        "--accept-changes", action="store_true", help="take the servers as they are now, whatever they were before"
    )
    add_insist(remedies)


def _add_doctor(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "doctor",
        "mailtui.cli.doctor:doctor",
        "examine this machine: terminal, DNS, certificates, clock, secrets, data folder",
        "examples:\n  mailtui doctor\n  mailtui doctor --format json\n\n"
        "exit codes: 0 nothing is wrong, 1 a warning, 2 something fails, 3 could not run",
    )
    add_format(parser)


def _add_secret(commands: "Commands[Parser]") -> None:
    parser = commands.add_parser(
        "secret",
        help="put, remove, try and find the passwords of accounts",
        description="Put, remove, try and find the passwords of accounts. No command shows one.",
        epilog="example:\n  mailtui secret set ada --to keyring",
    )
    parser.set_defaults(command_parser=parser)
    actions: Commands[Parser] = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    put = add_command(
        actions,
        "set",
        "mailtui.cli.secret:put",
        "keep the secret of an account",
        "examples:\n  mailtui secret set ada\n  pass show mail/ada | mailtui secret set ada --to vault\n\n"
        "The secret is asked for on a terminal; otherwise it is one line of standard input.",
    )
    put.add_argument("name", metavar="ACCOUNT", help="the account")
    put.add_argument("--leg", choices=LEGS, help="inbound gives the retrieval a secret of its own")
    put.add_argument("--to", metavar="SOURCE", help=f"where to keep it from now on: {SECRET_SOURCES}")
    put.add_argument("--yes", action="store_true", help="even if another account uses the same entry")
    remove = add_command(
        actions,
        "remove",
        "mailtui.cli.secret:remove",
        "remove the stored secrets of an account",
        "examples:\n  mailtui secret remove ada\n  mailtui secret remove ada --from vault:ada\n\n"
        "The account stays, and needs another secret; with --from it may be gone already.",
    )
    remove.add_argument("name", metavar="ACCOUNT", help="the account")
    what = remove.add_mutually_exclusive_group()
    what.add_argument("--leg", choices=LEGS, help="the secret of this leg only")
    what.add_argument(
        "--from",
        metavar="SOURCE",
        dest="source",
        help="this entry, whatever the account says: keyring, keyring:ENTRY, vault or vault:ENTRY",
    )
    remove.add_argument("--yes", action="store_true", help="even if another account uses the same entry")
    test = add_command(
        actions,
        "test",
        "mailtui.cli.secret:test",
        "read the secrets of accounts without using or showing them",
        "example:\n  mailtui secret test ada\n\nexit codes: 0 all readable, 2 one is not, 3 could not run",
    )
    test.add_argument("name", metavar="ACCOUNT", nargs="+", help="the accounts")
    where = add_command(
        actions,
        "where",
        "mailtui.cli.secret:where",
        "list where secrets can be kept on this machine, and why not elsewhere",
        "example:\n  mailtui secret where --format json",
    )
    add_format(where)


def _add_demo(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "demo",
        "demo",
        "try mailtui on built-in servers and accounts, healthy and broken",
        f"examples:\n  mailtui demo\n  mailtui demo --check --format json\n\n{EXIT_CODES}",
    )
    parser.add_argument("--check", action="store_true", help="check the demo accounts and print, without the screen")
    add_format(parser)
    add_transcript(parser)


def _add_completion(commands: "Commands[Parser]") -> None:
    parser = add_command(
        commands,
        "completion",
        "mailtui.cli.completion:completion",
        "print the completion script of a shell",
        "examples:\n  mailtui completion bash > ~/.local/share/bash-completion/completions/mailtui\n"
        "  mailtui completion zsh > ~/.zfunc/_mailtui",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def add_format(parser: "Parser | argparse._MutuallyExclusiveGroup") -> None:
    """The option that chooses how an answer is written."""
    parser.add_argument("--format", choices=FORMATS, default="text", help="how to print (default text)")


def add_transcript(parser: Parser) -> None:
    """The option that shows what was said."""
    parser.add_argument("--transcript", action="store_true", help="print the dialogue too, secrets masked")


def add_certificate_days(parser: Parser) -> None:
    """The option that says how soon a certificate must end to be a warning."""
    parser.add_argument(
        "--certificate-days",
        metavar="N",
        type=days,
        help="warn when a certificate ends within N days (default: config.toml, else 14)",
    )


def add_insist(parser: "Parser | argparse._ArgumentGroup") -> None:
    """The option that tries a refused login once more."""
    parser.add_argument(
        "--insist", action="store_true", help="log in although the same login was refused before; it may lock you out"
    )


def add_limits(parser: Parser) -> None:
    """The options that bound the connections open at once."""
    parser.add_argument(
        "--limit", metavar="N", type=positive, default=200, help="connections at once, in all (default 200)"
    )
    parser.add_argument(
        "--per-host", metavar="N", type=positive, default=20, help="connections at once to one host (default 20)"
    )


def positive(text: str) -> int:
    """A whole number from 1 on, as an argument type."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1 on")
    return number


def days(text: str) -> int:
    """How many days before its end a certificate is warned of, as an argument type: what the settings allow."""
    from mailtui.storage.settings import MOST_CERTIFICATE_DAYS

    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else -1
    if not 0 <= number <= MOST_CERTIFICATE_DAYS:
        raise argparse.ArgumentTypeError(f"give a whole number of days from 0 to {MOST_CERTIFICATE_DAYS}")
    return number


def seconds(text: str) -> float:
    """A time to wait, as an argument type: more than 0 and at most an hour."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3_600:
        raise argparse.ArgumentTypeError("give seconds, more than 0 and at most 3600")
    return value
