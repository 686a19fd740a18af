"""mailtui account remove and copy: accounts with the secrets that belong to them."""

import asyncio
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mailtui.actions.entries import how_to_remove, place
from mailtui.actions.own_entries import copy_of
from mailtui.actions.removal import Entry, RemovalPlan, plan_removal, remove_accounts, staying
from mailtui.actions.saving import Changed, Edited, save_account
from mailtui.cli.output import WARNED_EXIT, Output
from mailtui.cli.places import open_database, secret_store
from mailtui.cli.terminal import confirm, is_interactive, outcome, questions_cleared
from mailtui.cli.words import unsafe_lines
from mailtui.model.account import Account
from mailtui.model.destination import DestinationKind
from mailtui.model.errors import UsageError

if TYPE_CHECKING:
    from mailtui.storage.database import Database

_NAMED = 8
"""Names and places that a line lists before the rest is counted."""


def remove(args: Namespace, output: Output) -> int:
    """Forget accounts, all or none, with their history and secrets, after a yes on the terminal or --yes."""
    with open_database(args) as database:
        plan = plan_removal(database, args.name)
        mail = list(_mail(database, plan.accounts))
        if not args.yes:
            if not is_interactive():
                raise UsageError("without a terminal there is nobody to ask: add --yes to remove the accounts")
            if not confirm(output, _question(plan, keep_secrets=args.keep_secrets)):
                output.line("nothing was removed")
                return 0
        store = secret_store(args, output)
        removal = remove_accounts(database, store, plan, keep_secrets=args.keep_secrets)
        try:
            with questions_cleared(output):
                undo, interrupted = asyncio.run(outcome(removal))
        except Changed as changed:
            raise UsageError(f"{changed}; nothing was removed: look at the accounts, then repeat") from None
        except KeyboardInterrupt:
            _tell_what_is_left(database.accounts(), plan, output, keep_secrets=args.keep_secrets)
            raise
    for account in plan.accounts:
        output.line(f"removed {account.name}")
    for ref, _ in undo.secrets:
        output.line(f"removed the secret in {place(ref)}")
    for name, tree in mail:
        output.line(f"the mail of {name} stays in {tree}")
    if args.keep_secrets:
        for entry in plan.removed:
            output.line(f"the secret stays in {place(entry.ref)}; to remove it: {how_to_remove(entry.ref)}")
    for entry in plan.kept:
        output.line(f"the secret in {place(entry.ref)} stays: {_readers(entry)}")
    for problem in undo.problems:
        output.error(problem)
    if interrupted:
        raise KeyboardInterrupt
    return WARNED_EXIT if undo.problems else 0


def _mail(database: "Database", accounts: Sequence[Account]) -> Iterator[tuple[str, Path]]:
    """Which accounts have retrieved mail to which trees."""
    from mailtui.storage.ledger import own_folders
    from mailtui.storage.paths import DataPaths

    own = own_folders(database)
    for account in accounts:
        places = [DataPaths(database.path.parent).mail / own[account.name]] if account.name in own else []
        if account.retrieval is not None:
            destination = account.retrieval.destination
            if destination.kind is DestinationKind.MAILDIR and destination.value:
                places.append(Path(destination.value).expanduser())
        for found in places:
            if found.is_dir():
                yield account.name, found


def _tell_what_is_left(stored: Sequence[Account], plan: RemovalPlan, output: Output, *, keep_secrets: bool) -> None:
    """Say how far a removal came that was stopped half-way; the accounts go all at once, and before their secrets."""
    names = {account.name for account in stored}
    if any(account.name in names for account in plan.accounts):
        return
    output.error(f"removed {_some([account.name for account in plan.accounts])}")
    if plan.removed and not keep_secrets:
        output.error(staying([entry.ref for entry in plan.removed], "the removal was interrupted"))


def _question(plan: RemovalPlan, *, keep_secrets: bool) -> str:
    parts = [_some([account.name for account in plan.accounts]), "the check history"]
    if plan.removed and not keep_secrets:
        secrets = "the secrets" if len(plan.removed) > 1 else "the secret"
        parts.append(f"{secrets} in {_some([place(entry.ref) for entry in plan.removed], '; ')}")
    *first, last = parts
    return f"Remove {', '.join(first)} and {last}?"


def _readers(entry: Entry) -> str:
    return f"{_some(entry.used_by)} read{'s' * (len(entry.used_by) == 1)} it"


def _some(names: Sequence[str], between: str = ", ") -> str:
    more = len(names) - _NAMED
    return between.join(names[:_NAMED]) + (f"{between}{more} more" if more > 0 else "")


def copy(args: Namespace, output: Output) -> int:
    """Add an account that is like another, with a copy of its secrets."""
    with open_database(args) as database:
        source = database.account(args.name)
        account = copy_of(source, args.new_name, database.accounts())
        store = secret_store(args, output)
        with questions_cleared(output):
            saved, interrupted = asyncio.run(outcome(save_account(database, store, Edited(account, source=source))))
    output.line(f"added {saved.account.name}, a copy of {source.name}")
    for line in unsafe_lines(saved.account):
        output.line(*line)
    for problem in saved.problems:
        output.error(problem)
    if interrupted:
        raise KeyboardInterrupt
    return WARNED_EXIT if saved.problems else 0
