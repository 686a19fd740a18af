"""mailtui completion: the script that teaches a shell our commands and options."""

import argparse
from collections.abc import Mapping

from mailtui.cli.output import Output
from mailtui.cli.parser import Parser, build_parser

_FILES = ("file", "smtp_ca_file", "retrieval_ca_file")
_FOLDERS = ("data",)


def completion(args: argparse.Namespace, output: Output) -> int:
    """Print the completion script for the shell that the arguments name."""
    import shtab

    parser = build_parser()
    _mark_paths(parser, shtab.FILE, shtab.DIRECTORY)
    output.own(shtab.complete(parser, args.shell))
    return 0


def _mark_paths(parser: Parser, file: Mapping[str, object], folder: Mapping[str, object]) -> None:
    for action in parser._actions:  # argparse lists its options under no public name
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _mark_paths(command, file, folder)
        elif action.dest in _FILES:
            action.complete = file  # type: ignore[attr-defined]  # where shtab looks for it
        elif action.dest in _FOLDERS:
            action.complete = folder  # type: ignore[attr-defined]  # where shtab looks for it
