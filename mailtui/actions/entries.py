"""The secrets that mailtui itself keeps: which entry of the keyring or the vault an account means, and who uses it.

An entry is a `SecretRef` of such a scheme with its name written out.
"""

from collections.abc import Iterable
from shlex import quote

from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.check import Leg
from mailtui.model.text import clean
from mailtui.storage.reader import entry_name

STORED = (SecretScheme.KEYRING, SecretScheme.VAULT)
"""Where mailtui can put a secret; the others are only read."""


def entry_of(ref: SecretRef | None, account_name: str) -> SecretRef | None:
    """The entry that `ref` means in an account of that name; None for a secret that mailtui does not keep."""
    if ref is None or ref.scheme not in STORED:
        return None
    return SecretRef(ref.scheme, entry_name(ref, account_name))


def references(account: Account) -> tuple[SecretRef | None, SecretRef | None]:
    """The references that an account has written down, of the submission and of the retrieval."""
    return account.submission.secret, account.retrieval.secret if account.retrieval else None


def secret_of(account: Account, leg: Leg) -> SecretRef | None:
    """What a leg logs in with; None if it has no login, or is not there."""
    login = account.submission_login if leg is Leg.OUTBOUND else account.retrieval_login
    return None if login is None else login.secret


def kept_for(leg: Leg, account: Account, source: Account) -> SecretRef | None:
    """What `source` reads the password from that `leg` of `account` takes over; None if there is none.

    An outgoing leg that did not log in before takes over that of the incoming one, if that one shares its secret now.
    """
    before = secret_of(source, leg)
    if before is None and leg is Leg.OUTBOUND and account.retrieval is not None and account.retrieval.secret is None:
        return secret_of(source, Leg.INBOUND)
    return before


def entries_of(account: Account) -> tuple[SecretRef, ...]:
    """The entries that an account refers to, each once, whether or not its legs log in."""
    entries = (entry_of(ref, account.name) for ref in references(account))
    return tuple(dict.fromkeys(entry for entry in entries if entry is not None))


def users_of(entry: SecretRef, accounts: Iterable[Account]) -> tuple[str, ...]:
    """The names of the accounts that refer to `entry`."""
    return tuple(account.name for account in accounts if entry in entries_of(account))


def place(entry: SecretRef) -> str:
    """Where an entry is, in words."""
    where = "the desktop keyring" if entry.scheme is SecretScheme.KEYRING else "the vault"
    return f"{where}, entry {clean(entry.value)}"


def how_to_remove(entry: SecretRef) -> str:
    """The command that removes an entry whatever accounts there are."""
    return f"mailtui secret remove {quote(entry.value)} --from {quote(str(entry))}"
