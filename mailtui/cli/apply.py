"""mailtui account apply and export: accounts as TOML files."""

from argparse import Namespace
from dataclasses import replace
from difflib import unified_diff

from mailtui.actions.own_entries import with_own_entries
from mailtui.actions.saving import Edited
from mailtui.cli.account_file import accounts_from_file
from mailtui.cli.output import BAD, BOLD, DIM, GOOD, Output, Styled
from mailtui.cli.places import open_database
from mailtui.cli.words import unsafe_lines
from mailtui.interop.accounts_toml import write_accounts
from mailtui.model.account import Account
from mailtui.model.errors import UsageError

_DIFF_STYLES = {"+": GOOD, "-": BAD, "@": DIM}


def apply(args: Namespace, output: Output) -> int:
    """Create or update the accounts of a file, all or none of them."""
    wanted = accounts_from_file(args.file)
    if not wanted:
        raise UsageError(f"{args.file}: holds no [[account]]")
    from mailtui.storage.database import Change

    with open_database(args) as database:
        stored = {account.name: account for account in database.accounts()}
        # Beside those that are stored: new accounts of one file share what it says that they share.
        edits = [Edited(account, stored.get(account.name)) for account in wanted]
        changes = [Change(with_own_entries(edit, list(stored.values())), edit.original) for edit in edits]
        if not args.dry_run:
            database.apply(changes)
    for change in changes:
        account, before = change.account, change.before
        if before is not None and _same(before, account):
            output.line("unchanged  ", Styled(account.name, DIM))
        elif args.dry_run:
            _print_difference(output, before, account)
        else:
            output.line(Styled("created" if before is None else "updated", GOOD), f"    {account.name}")
        for line in unsafe_lines(account):
            output.line(*line)
    return 0


def export(args: Namespace, output: Output) -> int:
    """Print accounts as TOML."""
    with open_database(args) as database:
        accounts = [database.account(name) for name in dict.fromkeys(args.name)] or database.accounts()
    output.lines(write_accounts(accounts))
    return 0


def _same(stored: Account, wanted: Account) -> bool:
    return stored == replace(wanted, created=stored.created, updated=stored.updated, last_verified=stored.last_verified)


def _print_difference(output: Output, before: Account | None, after: Account) -> None:
    old = write_accounts([before]).splitlines() if before else []
    word = "stored" if before else "nothing"
    difference = unified_diff(
        old, write_accounts([after]).splitlines(), word, f"{after.name} as in the file", lineterm=""
    )
    for line in difference:
        header = line.startswith(("--- ", "+++ "))
        output.line(Styled(line, BOLD if header else _DIFF_STYLES.get(line[:1], "")))
