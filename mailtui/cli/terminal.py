"""Talk with the person at the terminal, where there is one."""

import contextlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, BinaryIO, TypeVar

from mailtui.cli.output import Output
from mailtui.model.errors import SecretError, UsageError
from mailtui.model.text import clean

T = TypeVar("T")

SECRET_LIMIT = 65_536
"""Bytes of a secret that are read from a pipe."""


def is_interactive() -> bool:
    """Whether a question would reach somebody: standard input and standard error are terminals."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def can_type_secrets() -> bool:
    """Whether a secret can be typed unseen: standard input is a terminal, whatever becomes of the output.

    The question is put on the terminal itself. A secret that is typed there must never be read as if it were piped:
    it would be shown.
    """
    return sys.stdin is not None and sys.stdin.isatty()


def why_no_screen() -> str:
    """Why the screen cannot be drawn here; empty when it can."""
    for name, stream in (("input", sys.stdin), ("output", sys.stdout)):
        if stream is None or not stream.isatty():
            return f"standard {name} is not a terminal"
    terminal = os.environ.get("TERM", "")
    if terminal in ("", "dumb"):
        return f"TERM is {terminal or 'not set'}, so the terminal cannot place text"
    return ""


def confirm(output: Output, question: str) -> bool:
    """Ask for a yes on the terminal; anything else, the end of input included, is a no."""
    output.question(f"{question} [y/N]")
    return standard_input().readline(100).strip().lower() in (b"y", b"yes")


def asker(output: Output) -> Callable[[str], str] | None:
    """What asks for a secret without showing it; None without a terminal.

    It blocks, and raises SecretError when the person gives nothing.
    """
    if not can_type_secrets():
        return None

    def ask(question: str) -> str:
        output.hold(True)
        try:
            return ask_secret(question)
        finally:
            output.hold(False)

    return ask


def ask_secret(question: str) -> str:
    """Read a secret from the terminal without showing it. Raises SecretError when the person gives nothing."""
    from getpass import getpass

    prompt = clean(question).rstrip()
    try:
        secret = getpass(f"{prompt} " if prompt.endswith((":", "?")) else f"{prompt}: ")
    except EOFError:
        secret = ""
    if not secret:
        raise SecretError("no secret was given at the terminal")
    return secret


def piped_secret() -> str:
    """One line of standard input, without its end. Raises UsageError for none, or one beyond any secret."""
    line = standard_input().readline(SECRET_LIMIT + 2).removesuffix(b"\n").removesuffix(b"\r")
    if not line:
        raise UsageError("standard input holds no secret; give it as one line")
    if len(line) > SECRET_LIMIT:
        raise UsageError(f"the line on standard input is longer than {SECRET_LIMIT >> 10} KiB; that is no secret")
    try:
        return line.decode()
    except UnicodeDecodeError:
        # `from None`: the error holds the secret.
        raise UsageError("the secret on standard input is not UTF-8 text") from None


def standard_input() -> BinaryIO:
    """The bytes of standard input. Raises UsageError when the program was started without one."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.buffer


async def outcome(work: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """What `work` returns, and whether Ctrl-C came while it did what must not stop half-way.

    Then the caller tells what was done before it raises KeyboardInterrupt. A second Ctrl-C ends even that.
    """
    from mailtui.actions.finishing import FinishedFirst

    try:
        return await work, False
    except FinishedFirst as late:
        return late.outcome, True


@contextlib.contextmanager
def questions_cleared(output: Output) -> Iterator[None]:
    """Leave the terminal as it was, even if a question for a secret was abandoned half-way.

    What is typed is shown again, and lines that were held back for the question are printed.
    """
    with _echo_restored():
        try:
            yield
        finally:
            output.hold(False)


@contextlib.contextmanager
def _echo_restored() -> Iterator[None]:
    try:
        import termios

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (ImportError, OSError, ValueError, AttributeError, termios.error):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
