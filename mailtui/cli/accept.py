"""mailtui account accept: servers as the last check found them are what is expected from now on."""

from argparse import Namespace
from shlex import quote

from mailtui.actions.accepting import accept_changes
from mailtui.actions.memory import Memory
from mailtui.cli.output import DIM, GOOD, Output, Styled
from mailtui.cli.places import open_database
from mailtui.model.watch import changes_line


def accept(args: Namespace, output: Output) -> int:
    """Accept what changed on the servers of accounts, and say what that is, a line for each leg."""
    names = list(dict.fromkeys(args.name))
    with open_database(args) as database:
        accepted = accept_changes(database, Memory.load(database), names)
    for one in accepted:
        head = f"{one.account}  {one.leg.value:<8}  "
        output.line(head, Styled("accepted", GOOD), f": {changes_line(one.changes, one.since)}")
    for name in names:
        if name not in {one.account for one in accepted}:
            output.line(f"{name}  ", Styled("nothing to accept: no change waits for it", DIM))
    checked = [quote(one.account) for one in accepted]
    if checked:
        output.line(f"next: mailtui check {' '.join(dict.fromkeys(checked))}")
    return 0
