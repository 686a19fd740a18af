"""mailtui check: which accounts to test, and how."""

import contextlib
from argparse import Namespace
from collections.abc import Sequence

from mailtui.actions.preparation import prepare
from mailtui.cli.account_file import accounts_from_file
from mailtui.cli.output import Output
from mailtui.cli.places import open_database, secret_store
from mailtui.model.account import Account
from mailtui.model.check import Leg
from mailtui.model.errors import UsageError
from mailtui.model.text import clean
from mailtui.storage.names import no_such_account


def check(args: Namespace, output: Output) -> int:
    """Check the accounts that the arguments name; returns the severity of the worst, 0 to 2."""
    if args.all and args.name:
        raise UsageError("name accounts or say --all, not both")
    if not (args.all or args.name or args.file):
        raise UsageError("no account is named: `mailtui check NAME`, `mailtui check --all` or --file FILE")
    legs = frozenset({Leg(args.leg)} if args.leg else Leg)
    with contextlib.ExitStack() as stack:
        if args.file:
            accounts = choose_accounts(accounts_from_file(args.file), args.name, legs, args.file)
            record = None
        else:
            database = stack.enter_context(open_database(args))
            stored = [database.account(name) for name in args.name] if args.name else database.accounts()
            accounts = choose_accounts(stored, args.name, legs, "the database")
            record = database.record_many
        prepare(accounts)
        # Loaded while the preparation is under way.
        from mailtui.actions.check import CheckOptions, Limits
        from mailtui.cli.checking import check_accounts

        return check_accounts(
            accounts,
            secret_store(args, output).reader(),
            output,
            form=args.format,
            options=CheckOptions(
                legs=legs, stage_timeout=args.timeout / 2, leg_timeout=args.timeout, transcript=args.transcript
            ),
            limits=Limits(total=args.limit, per_host=args.per_host),
            record=record,
        )


def choose_accounts(
    accounts: Sequence[Account], names: Sequence[str], legs: frozenset[Leg], source: str
) -> list[Account]:
    """Those `names`, active or not; without names, the active ones. Raises UsageError when nothing is left to check."""
    if not names:
        chosen = [account for account in accounts if account.active and _has_leg(account, legs)]
        if not chosen:
            what = "active account" if len(legs) > 1 else "active account with such a leg"
            raise UsageError(f"there is no {what} in {clean(source)}")
        return chosen
    by_name = {account.name: account for account in accounts}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        known = list(by_name)
        raise UsageError("\n".join(no_such_account(name, known, place=source) for name in dict.fromkeys(unknown)))
    chosen = [by_name[name] for name in dict.fromkeys(names)]
    for account in chosen:
        if not _has_leg(account, legs):
            raise UsageError(f"{clean(account.name)} has no inbound leg: it is a send-only account")
    return chosen


def _has_leg(account: Account, legs: frozenset[Leg]) -> bool:
    return Leg.OUTBOUND in legs or account.retrieval is not None
