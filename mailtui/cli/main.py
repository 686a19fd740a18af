"""Understand the command line and hand over to the one module that does the work."""

import errno
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from mailtui.cli.output import CLOSED_PIPE_EXIT, Output
from mailtui.cli.parser import CANNOT_RUN_EXIT, Parser, build_parser

TYPE_CHECKING = False  # typing's own constant costs the import of typing
if TYPE_CHECKING:
    from argparse import Namespace

INTERRUPTED_EXIT = 130
"""What a shell reports of a program that Ctrl-C ended: 128 + SIGINT."""

_PASSWORD_OPTIONS = ("--pass", "--pw", "--smtp-pass", "--retrieval-pass", "--imap-pass", "--pop3-pass")

Work = Callable[["Namespace", Output], int]

__all__ = ["CANNOT_RUN_EXIT", "INTERRUPTED_EXIT", "build_parser", "run"]


def run(argv: Sequence[str] | None = None, elsewhere: Mapping[str, Work] | None = None) -> int:
    """Do what `argv` asks and return the exit code; what a person did wrong is told on standard error.

    `elsewhere` does the work that is not the shell's: `screen` when there is no command, and `demo`.
    """
    output = Parser.output = Output()
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv, output, elsewhere or {})
        output.flush()
    except KeyboardInterrupt:
        output.error("interrupted")
        code = INTERRUPTED_EXIT
    except Exception as raised:  # noqa: BLE001  # Python would end with 1, which means a warning, and might print a secret
        error = _first(raised)
        # Commands translate the errors of the files they open; what is left is our own output.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
            output.error(f"the output cannot be written: {error.strerror}")
        else:
            output.error(f"internal error: {_place(error)}; please report it")
        code = CANNOT_RUN_EXIT
    return CLOSED_PIPE_EXIT if output.closed else code


def _first(error: BaseException) -> BaseException:
    """What was raised first within a group, as tasks raise them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _place(error: BaseException) -> str:
    """What was raised and where; not its message, which may hold anything."""
    from traceback import extract_tb

    frames = [f"{frame.filename.rpartition('mailtui/')[2]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' < '.join(frames[:-4:-1])}"


def _dispatch(argv: Sequence[str], output: Output, elsewhere: Mapping[str, Work]) -> int:
    parser = build_parser()
    try:
        "".join(argv).encode()
    except UnicodeEncodeError:
        output.error("an argument is not text in the encoding of this terminal")
        return CANNOT_RUN_EXIT
    try:
        args, unknown = parser.parse_known_args(argv)
        if unknown:
            args.command_parser.error(_about_unknown(unknown))
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else 0
    if args.version:
        from mailtui import __version__

        output.line(f"mailtui {__version__}")
        return 0
    from mailtui.model.errors import MailtuiError

    try:
        return _work(args.work or "screen", elsewhere)(args, output)
    except MailtuiError as error:
        output.error(error)
        return CANNOT_RUN_EXIT


def _work(name: str, elsewhere: Mapping[str, Work]) -> Work:
    if name in elsewhere:
        return elsewhere[name]
    module, _, function = name.partition(":")
    work: Work = getattr(import_module(module), function)
    return work


def _about_unknown(arguments: Sequence[str]) -> str:
    """Name what is unknown; never a value, which may be a password."""
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]
    if any(option.startswith(_PASSWORD_OPTIONS) for option in options):
        return "a password is never given on the command line, where others can read it; use `mailtui secret set`"
    if options:
        return f"unknown option: {', '.join(options)}"
    count = len(arguments)
    return f"{count} argument{'s' if count > 1 else ''} too many; quote a name that has spaces in it"
