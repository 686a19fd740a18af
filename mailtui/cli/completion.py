"""mailtui completion: the script that teaches a shell our commands and options."""

import argparse
from collections.abc import Mapping

from mailtui.cli.output import Output
from mailtui.cli.parser import Parser, build_parser

_FILES = ("file", "output", "smtp_ca_file", "retrieval_ca_file")
_FOLDERS = ("data",)
_ACCOUNTS = ("name",)

# Names may hold spaces: each is a line here, and quoted for the command line where it needs that. What is typed so far
# may be quoted, too; the cursor's word is compared with both forms.
_ACCOUNTS_IN_BASH = """\
_mailtui_accounts() {
  local name quoted
  while IFS= read -r name; do
    quoted=$(printf '%q' "$name")
    if [[ "$name" == "$1"* || "$quoted" == "$1"* ]]; then printf '%s\\n' "$quoted"; fi
  done < <(mailtui account list --names 2>/dev/null)
}
"""
_ACCOUNT = {"bash": "_mailtui_accounts", "preamble": {"bash": _ACCOUNTS_IN_BASH}}
"""How a shell finds the names of accounts; those that are not here complete the rest alone."""


def completion(args: argparse.Namespace, output: Output) -> int:
    """Print the completion script for the shell that the arguments name."""
    import shtab

    parser = build_parser()
    _mark(parser, shtab.FILE, shtab.DIRECTORY)
    output.own(shtab.complete(parser, args.shell))
    return 0


def _mark(parser: Parser, file: Mapping[str, object], folder: Mapping[str, object]) -> None:
    for action in parser._actions:  # argparse lists its options under no public name
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark(command, file, folder)
        elif action.dest in _ACCOUNTS and not action.option_strings:
            action.complete = _ACCOUNT  # type: ignore[attr-defined]  # where shtab looks for it
        elif action.dest in _FILES:
            action.complete = file  # type: ignore[attr-defined]  # where shtab looks for it
        elif action.dest in _FOLDERS:
            action.complete = folder  # type: ignore[attr-defined]  # where shtab looks for it
