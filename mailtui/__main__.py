"""Where mailtui starts: a command goes to the shell, no command to the screen; neither pays for the other."""

import gc
import sys
from collections.abc import Sequence

from mailtui.cli.main import run

TYPE_CHECKING = False  # typing's own constant costs the import of typing
if TYPE_CHECKING:
    from argparse import Namespace

    from mailtui.cli.output import Output


def main(argv: Sequence[str] | None = None) -> int:
    """Run mailtui and return its exit code."""
    return run(argv, {"screen": _screen, "demo": _demo})


def _screen(args: "Namespace", output: "Output") -> int:
    _require_terminal("`mailtui check`, `mailtui account` and `mailtui --help` work without one")
    from mailtui.cli.places import data_paths, open_database
    from mailtui.storage.paths import settings_path
    from mailtui.storage.secrets import SecretStore
    from mailtui.tui import run as run_screen

    # The screens wake the collector when the accounts are loaded.
    with open_database(args) as database:
        return run_screen(database, lambda ask: SecretStore(data_paths(args), ask), settings_path())


def _demo(args: "Namespace", output: "Output") -> int:
    if not args.check:
        from mailtui.model.errors import UsageError

        if args.format != "text" or args.transcript:
            raise UsageError("--format and --transcript print a check: add --check")
        _require_terminal("`mailtui demo --check` works without one")
    from mailtui.demo.workspace import demo_workspace

    _leave_on_signals()
    with demo_workspace() as workspace:
        if not args.check:
            from mailtui.tui import run as run_screen

            return run_screen(workspace.database, workspace.asking, workspace.settings, welcome=workspace.welcome)
        gc.enable()
        from mailtui.actions.check import CheckOptions
        from mailtui.cli.checking import check_accounts

        return check_accounts(
            workspace.database.accounts(),
            workspace.secrets.reader(),
            output,
            form=args.format,
            options=CheckOptions(transcript=args.transcript),
            record=workspace.database.record_many,
        )


def _leave_on_signals() -> None:
    """Let a request to end unwind like an exit, so that the throw-away folder goes, too."""
    import signal

    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def _require_terminal(instead: str) -> None:
    """Refuse to draw where escapes would only make a mess. Raises UsageError."""
    from mailtui.cli.terminal import why_no_screen
    from mailtui.model.errors import UsageError

    if reason := why_no_screen():
        raise UsageError(f"the screen needs a terminal, and {reason}; {instead}")


def start() -> int:
    """The entry point of the process."""
    # Loading makes many objects and no garbage: whoever then works for long turns the collector on again.
    gc.disable()
    return main()


if __name__ == "__main__":
    sys.exit(start())
