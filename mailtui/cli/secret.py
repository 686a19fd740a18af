"""mailtui secret set, remove, test and where: put, try and find secrets; none is ever shown."""

import asyncio
from argparse import Namespace
from collections.abc import Iterator, Sequence
from shlex import quote

from mailtui.actions.entries import STORED, entry_of, place, users_of
from mailtui.actions.own_entries import free_entry
from mailtui.actions.setting import set_secret
from mailtui.cli.output import BAD, DIM, GOOD, Output, Styled
from mailtui.cli.places import open_database, secret_store
from mailtui.cli.terminal import ask_secret, can_type_secrets, outcome, piped_secret, questions_cleared
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.check import Leg
from mailtui.model.errors import SecretError, UsageError
from mailtui.model.text import clean
from mailtui.storage.hidden import Hidden

UNREADABLE_EXIT = 2
"""`secret test` found a secret that cannot be read."""

JSON_VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without."""


def put(args: Namespace, output: Output) -> int:
    """Store the secret of an account, and where it is kept from now on."""
    with open_database(args) as database:
        account = database.account(args.name)
        others = [other for other in database.accounts() if other.name != account.name]
        leg = _leg(account, args.leg)
        _require_login(account, leg)
        present = _own(account, leg)
        ref = _wanted(account, leg, args.to, others)
        entry = entry_of(ref, account.name)
        secret: Hidden[str] | None = None
        if entry is not None:
            users = users_of(entry, others)
            if users and not args.yes:
                raise UsageError(
                    f"{_readers(users)} the secret in {place(entry)}, too; add --yes to replace it for all of them, "
                    f"or keep this one elsewhere: --to {quote(str(free_entry(entry.scheme, account.name, others)))}"
                )
            secret = Hidden(_read_secret(f"Secret of {account.name} for {ref.scheme.value}"))
        store = secret_store(args, output)
        with questions_cleared(output):
            done, interrupted = asyncio.run(outcome(set_secret(database, store, account, leg, ref, secret)))
    if entry is not None:
        output.line(f"kept in {place(entry)}")
    if ref != present:
        output.line(f"{account.name} now reads its {leg.value} secret from {ref}")
    for old in done.removed:
        output.line(f"removed from {place(old)}")
    for line in done.left:
        output.error(line)
    if interrupted:
        raise KeyboardInterrupt
    return 0


def _readers(users: Sequence[str]) -> str:
    return f"{', '.join(users[:5])}{' and others' * (len(users) > 5)} read{'s' * (len(users) == 1)}"


def _leg(account: Account, chosen: str | None) -> Leg:
    """The leg whose reference is meant: the submission's, which the retrieval shares, unless it has none."""
    if chosen == Leg.INBOUND:
        if account.retrieval is None:
            raise UsageError(f"{clean(account.name)} is a send-only account: it has no inbound leg")
        return Leg.INBOUND
    if chosen is None and account.submission.secret is None and account.retrieval and account.retrieval.secret:
        return Leg.INBOUND
    return Leg.OUTBOUND


def _require_login(account: Account, leg: Leg) -> None:
    """Refuse a secret that nothing would read. Raises UsageError."""
    shared = account.retrieval is not None and account.retrieval.secret is None
    if leg is Leg.OUTBOUND and not account.submission.authentication and not shared:
        inbound = "; its retrieval has one of its own: add --leg inbound" if account.retrieval else ""
        raise UsageError(
            f"{clean(account.name)} sends without a login and needs no secret for that{inbound}"
            f"{'' if inbound else '; to let it log in: mailtui account edit ' + quote(account.name)}"
        )


def _own(account: Account, leg: Leg) -> SecretRef | None:
    if leg is Leg.OUTBOUND:
        return account.submission.secret
    return account.retrieval.secret if account.retrieval else None


def _wanted(account: Account, leg: Leg, to: str | None, others: Sequence[Account]) -> SecretRef:
    """Where the secret of `leg` shall be kept. Raises UsageError when it cannot be put there."""
    present = _own(account, leg)
    if to is not None:
        ref = _parsed("--to", to)
    elif present is not None:
        ref = present
        if ref.scheme not in STORED:
            raise UsageError(
                f"{clean(account.name)} reads its {leg.value} secret from {clean(str(ref))}, where mailtui cannot "
                "write; change it there, or move it with --to keyring or --to vault"
            )
    else:
        shared = account.submission.secret
        writable = shared is not None and shared.scheme in STORED
        ref = SecretRef(shared.scheme if shared is not None and writable else SecretScheme.KEYRING)
    other = _own(account, Leg.INBOUND if leg is Leg.OUTBOUND else Leg.OUTBOUND)
    if ref.scheme not in STORED or ref.value or ref == present:
        return ref
    if other is not None and _names(other, ref, account):
        # Both legs would share one entry, and each would overwrite the other's secret.
        return free_entry(ref.scheme, f"{account.name} {leg.value}", [*others, account])
    # The account's own entry may be that of one that had its name before.
    own = free_entry(ref.scheme, account.name, others)
    return ref if own.value == account.name else own


def _parsed(option: str, text: str) -> SecretRef:
    try:
        return SecretRef.parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _names(other: SecretRef, ref: SecretRef, account: Account) -> bool:
    return other.scheme is ref.scheme and other.value in ("", account.name)


def _read_secret(question: str) -> str:
    return ask_secret(question) if can_type_secrets() else piped_secret()


def remove(args: Namespace, output: Output) -> int:
    """Remove the stored secrets of an account, or of one that is gone already."""
    with open_database(args) as database:
        if args.source is None:
            refs = _stored(database.account(args.name), args.leg)
        else:
            refs = [_parsed("--from", args.source)]
            if refs[0].scheme not in STORED:
                raise UsageError("--from: mailtui removes secrets from keyring and vault alone; remove others there")
        others = [account for account in database.accounts() if account.name != args.name]
    entries = list(dict.fromkeys(SecretRef(ref.scheme, ref.value or args.name) for ref in refs))
    for entry in entries:
        users = users_of(entry, others)
        if users and not args.yes:
            raise UsageError(
                f"{_readers(users)} the secret in {place(entry)}, too; add --yes to remove it nevertheless"
            )
    store = secret_store(args, output)

    async def remove_all() -> None:
        for entry in entries:
            await store.delete(entry, args.name)
            output.line(f"removed from {place(entry)}")

    with questions_cleared(output):
        asyncio.run(remove_all())
    return 0


def _stored(account: Account, leg: str | None) -> list[SecretRef]:
    """The references of an account, or of one leg, to what mailtui can remove. Raises UsageError if there is none."""
    legs = [_leg(account, leg)] if leg else list(Leg)
    refs = [ref for ref in (_own(account, chosen) for chosen in legs) if ref is not None]
    stored = [ref for ref in refs if ref.scheme in STORED]
    if stored:
        return stored
    if refs:
        elsewhere = " and ".join(clean(str(ref)) for ref in refs)
        raise UsageError(f"{clean(account.name)} reads its secret from {elsewhere}; remove it there")
    if leg == Leg.INBOUND:
        raise UsageError(f"{clean(account.name)} has no inbound secret of its own: the retrieval uses the outbound one")
    raise UsageError(f"{clean(account.name)} has no secret")


def test(args: Namespace, output: Output) -> int:
    """Read the secrets of accounts; one line for each, which never holds it."""
    with open_database(args) as database:
        accounts = [database.account(name) for name in dict.fromkeys(args.name)]
    store = secret_store(args, output)
    code = 0

    async def test_all() -> None:
        nonlocal code
        for account in accounts:
            references = list(_references(account))
            if not references:
                output.line(f"{account.name}  ", Styled("no login", DIM), "  it needs no secret: there is none to test")
            for leg, ref in references:
                head = f"{account.name}  {leg}  "
                try:
                    output.line(head, Styled("ok", GOOD), f"  {await store.test(ref, account.name)}")
                except SecretError as error:
                    output.line(head, Styled("FAILED", BAD), f"  {error}")
                    code = UNREADABLE_EXIT

    with questions_cleared(output):
        asyncio.run(test_all())
    return code


def _references(account: Account) -> Iterator[tuple[str, SecretRef]]:
    """Each secret that a check of the account reads, once, with the legs that use it."""
    outbound, inbound = account.submission_login, account.retrieval_login
    used: dict[SecretRef, list[str]] = {}
    for leg, login in ((Leg.OUTBOUND, outbound), (Leg.INBOUND, inbound)):
        if login is not None and login.secret is not None:
            used.setdefault(login.secret, []).append(leg.value)
    for ref, legs in used.items():
        yield " and ".join(legs), ref


def where(args: Namespace, output: Output) -> int:
    """List every place a secret can be kept, and why one cannot be used."""
    states = asyncio.run(secret_store(args, output).where())
    if args.format == "json":
        sources = [
            {"source": s.scheme.value, "usable": s.usable, "detail": s.detail, "remedy": s.remedy} for s in states
        ]
        output.json({"version": JSON_VERSION, "sources": sources})
        return 0
    for state in states:
        usable = Styled("usable  ", GOOD) if state.usable else Styled("unusable", BAD)
        output.line(f"{state.scheme.value:<9}", usable, f"  {state.detail}")
        if state.remedy:
            output.line(" " * 19, Styled(state.remedy, DIM))
    return 0
