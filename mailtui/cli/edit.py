"""mailtui account edit: one account as TOML in the person's own editor."""

from argparse import Namespace

from mailtui.actions.edit import DraftRefused, draft_of
from mailtui.actions.editor import Editing, editor_command, interrupts_left_to_editor, run_editor
from mailtui.cli.output import Output
from mailtui.cli.places import open_database
from mailtui.cli.terminal import confirm, is_interactive
from mailtui.cli.words import unsafe_lines
from mailtui.model.errors import UsageError


def edit(args: Namespace, output: Output) -> int:
    """Open the account in the editor until what comes back can be stored, or the person gives up."""
    command = editor_command()
    with open_database(args) as database, Editing(database, draft_of(database.account(args.name))) as editing:
        while True:
            path = editing.begin()
            with interrupts_left_to_editor():
                status = run_editor(command, path)
            try:
                account = editing.finish(status)
                break
            except DraftRefused as refused:
                output.error(refused)
                if not (is_interactive() and confirm(output, "Edit again?")):
                    raise UsageError(f"nothing was saved{editing.kept}") from None
    if account is None:
        output.line("nothing was changed")
        return 0
    output.line(f"saved {account.name}")
    for line in unsafe_lines(account):
        output.line(*line)
    return 0
