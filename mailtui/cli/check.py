"""mailtui check: which accounts to test, and how."""

import contextlib
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mailtui.actions.preparation import prepare
from mailtui.cli.account_file import accounts_from_file
from mailtui.cli.choosing import choose_accounts
from mailtui.cli.output import Output
from mailtui.cli.own_settings import certificate_days
from mailtui.cli.places import open_database, secret_store
from mailtui.model.account import Account
from mailtui.model.check import Leg
from mailtui.model.errors import StorageError, UsageError

if TYPE_CHECKING:
    from mailtui.actions.memory import Memory
    from mailtui.storage.database import Database


def check(args: Namespace, output: Output) -> int:
    """Check the accounts that the arguments name; returns the severity of the worst, 0 to 2."""
    if args.all and args.name:
        raise UsageError("name accounts or say --all, not both")
    if not (args.all or args.name or args.file):
        raise UsageError("no account is named: `mailtui check NAME`, `mailtui check --all` or --file FILE")
    if args.file:
        _refuse_without_database(args)
    trusted = trusted_keys(args.trust_key)
    days = certificate_days(args, output)
    legs = frozenset({Leg(args.leg)} if args.leg else Leg)
    with contextlib.ExitStack() as stack:
        database = None if args.file else stack.enter_context(open_database(args))
        if database is None:
            accounts = choose_accounts(accounts_from_file(args.file), args.name, legs, args.file)
        else:
            stored = [database.account(name) for name in args.name] if args.name else database.accounts()
            accounts = choose_accounts(stored, args.name, legs, "the database")
        prepare(accounts)
        # Loaded while the preparation is under way.
        from mailtui.actions.check import CheckOptions, Limits
        from mailtui.actions.memory import Memory
        from mailtui.cli.checking import Afterwards, check_accounts
        from mailtui.cli.remedies import Offer
        from mailtui.cli.signals import ended_like_ctrl_c

        memory = Memory() if database is None else Memory.load(database)
        stack.enter_context(ended_like_ctrl_c())
        if database is not None:
            stack.callback(_keep_refusals, memory, database, accounts, output)
        return check_accounts(
            accounts,
            secret_store(args, output).reader(),
            output,
            form=args.format,
            options=CheckOptions(
                legs=legs,
                stage_timeout=args.timeout / 2,
                leg_timeout=args.timeout,
                transcript=args.transcript,
                certificate_days=days,
                insist=args.insist,
                accept_changes=args.accept_changes,
            ),
            limits=Limits(total=args.limit, per_host=args.per_host),
            record=None if database is None else memory.write(database),
            memory=memory,
            afterwards=Afterwards(
                offer=Offer.FILE if database is None else Offer.STORED,
                suggest=args.suggest,
                store=database,
                fix=args.fix,
                trusted=trusted,
            ),
        )


def _keep_refusals(memory: "Memory", database: "Database", accounts: Sequence[Account], output: Output) -> None:
    """An interrupted run loses the reports of half checked accounts, but not that a server refused their logins."""
    try:
        memory.keep_refusals(database, accounts)
    except StorageError as error:
        output.error(f"the refused logins were not kept: {error}")


def _refuse_without_database(args: Namespace) -> None:
    """Refuse, with --file, what would change the database. Raises UsageError."""
    for option, given in (("--fix", args.fix), ("--trust-key", args.trust_key)):
        if given:
            raise UsageError(
                f"{option} changes accounts in the database, not in a file: use --suggest, and edit {args.file}"
            )
    if args.accept_changes:
        raise UsageError("--accept-changes is about earlier checks, and --file keeps none")


def trusted_keys(given: Sequence[str] | None) -> frozenset[str]:
    """The keys that --trust-key consents to, as 64 hex digits each. Raises UsageError."""
    if not given:
        return frozenset()
    from mailtui.model.pins import canonical_pins

    keys: set[str] = set()
    for text in given:
        try:
            pins = canonical_pins(text).split()
        except ValueError as error:
            raise UsageError(f"--trust-key: {error}") from None
        if not pins:
            raise UsageError("--trust-key: is empty; give the SHA-256 of the server's public key, 64 hex digits")
        keys.update(pins)
    return frozenset(keys)
