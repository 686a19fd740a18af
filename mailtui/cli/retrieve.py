"""mailtui retrieve: whose mail to fetch, and how."""

from argparse import Namespace

from mailtui.actions.preparation import prepare
from mailtui.cli.choosing import choose_accounts
from mailtui.cli.output import Output
from mailtui.cli.own_settings import certificate_days, own_settings
from mailtui.cli.places import open_database, secret_store
from mailtui.model.check import Leg
from mailtui.model.errors import UsageError


def retrieve(args: Namespace, output: Output) -> int:
    """Fetch the mail of the accounts that the arguments name; returns the severity of the worst, 0 to 2."""
    if args.all and args.name:
        raise UsageError("name accounts or say --all, not both")
    if not (args.all or args.name):
        raise UsageError("no account is named: `mailtui retrieve NAME` or `mailtui retrieve --all`")
    days = certificate_days(args, output)
    at_once = args.limit or own_settings(output, "retrieval").retrievals_at_once
    with open_database(args) as database:
        stored = [database.account(name) for name in args.name] if args.name else database.accounts()
        accounts = choose_accounts(stored, args.name, frozenset({Leg.INBOUND}), "the database")
        prepare(accounts)
        # Loaded while the preparation is under way.
        from mailtui.actions.retrieve import RetrieveOptions
        from mailtui.cli.retrieving import retrieve_accounts
        from mailtui.cli.signals import ended_like_ctrl_c

        with ended_like_ctrl_c():
            return retrieve_accounts(
                accounts,
                secret_store(args, output).reader(),
                database,
                output,
                form=args.format,
                options=RetrieveOptions(
                    dry_run=args.dry_run,
                    timeout=args.timeout,
                    transcript=args.transcript,
                    certificate_days=days,
                    insist=args.insist,
                ),
                at_once=at_once,
            )
