"""Edit one account as TOML: the text to hand to an editor, and what to do with the text that comes back.

Free of any editor and any screen. A text that cannot be saved comes back inside the error, with the problems
written above it, so that nothing typed is ever lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol as Interface

from mailtui.actions.own_entries import with_own_entries
from mailtui.actions.saving import Edited
from mailtui.interop.accounts_toml import account_table, read_accounts, write_accounts
from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, SecretRef, SecretScheme, Submission
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.text import clean

_REMARK = "#!"
_SOURCE = "account"

_EXAMPLE = Account(
    name="example",
    email="name@example.org",
    submission=Submission(Endpoint("smtp.example.org", 465), secret=SecretRef(SecretScheme.KEYRING)),
    retrieval=Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
)

_INTRODUCTION = """\
# One mail account. Change the values, save, and leave the editor; leave without a change to give up.
# Passwords are never written here, only where they are kept: keyring, vault, command:..., env:NAME, file:PATH or ask.
# Without the [account.retrieval] part the account only sends.

"""


class EditStore(Interface):
    """The part of the database that an edit needs. Calls block; they raise MailtuiError."""

    def accounts(self) -> list[Account]:
        """All accounts."""

    def account(self, name: str) -> Account:
        """The account of that name."""

    def add(self, account: Account) -> object:
        """Store a new account."""

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> object:
        """Put `account` in the place of the one named `old_name`, if that has not changed since."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to edit. `original` is the stored account it stands for; None makes a new one.

    A `refused` one holds what somebody typed: to leave it as it is does not mean that nothing changed.
    """

    text: str
    original: Account | None
    refused: bool = False


class DraftRefused(MailtuiError):
    """The text cannot be saved as it is; `draft` holds all of it, the problems above, to be edited again."""

    def __init__(self, problems: tuple[str, ...], draft: Draft) -> None:
        self.problems = problems
        self.draft = draft
        super().__init__("\n".join(problems))


def new_draft() -> Draft:
    """The text for a new account: an example with every key explained."""
    return Draft(_INTRODUCTION + write_accounts([_EXAMPLE], commented=True), None)


def draft_of(account: Account) -> Draft:
    """The text of a stored account, with every key explained."""
    return Draft(_INTRODUCTION + write_accounts([account], commented=True), account)


def save_draft(store: EditStore, draft: Draft, text: str) -> Account | None:
    """Store `text`, an edited `draft`; returns the account as stored, None when nothing changed.

    Raises DraftRefused when the text has problems, the name is taken, the account was changed or removed meanwhile
    by someone else, or the database refuses.
    """
    if text == draft.text and not draft.refused:
        return None
    body = without_remarks(text)
    try:
        account = _single(body)
    except MailtuiError as error:
        raise _refused(error, body, draft.original) from error
    if draft.original is None:
        return _add(store, account, body)
    return _update(store, draft.original, account, body)


def without_remarks(text: str) -> str:
    """`text` without the problems that were written above it."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(_REMARK))


def _single(body: str) -> Account:
    accounts = read_accounts(body, _SOURCE)
    if len(accounts) != 1:
        found = "none" if not accounts else str(len(accounts))
        raise UsageError(f"this text must hold one [[account]], and holds {found}; add others with `account apply`")
    return accounts[0]


def _add(store: EditStore, account: Account, body: str) -> Account:
    try:
        store.add(with_own_entries(Edited(account), store.accounts()))
        return store.account(account.name)
    except MailtuiError as error:
        raise _refused(error, body, None) from error


def _update(store: EditStore, original: Account, account: Account, body: str) -> Account | None:
    if account_table(account) == account_table(original):
        return None
    try:
        current = store.account(original.name)
    except UsageError as error:
        raise DraftRefused(
            (gone := f"{clean(original.name)} was removed meanwhile; saving this text adds it again",),
            Draft(_with_remarks((gone,), body), None, refused=True),
        ) from error
    except MailtuiError as error:
        raise _refused(error, body, original) from error
    if changes := tuple(differences(original, current)):
        problems = (
            f"{clean(original.name)} was changed meanwhile by someone else; saving puts your values in place:",
            *(f"  {change}" for change in changes),
        )
        raise DraftRefused(problems, Draft(_with_remarks(problems, body), current, refused=True))
    try:
        store.update(original.name, with_own_entries(Edited(account, current), store.accounts()), current.updated)
        return store.account(account.name)
    except MailtuiError as error:
        raise _refused(error, body, original) from error


def differences(before: Account, after: Account) -> Iterator[str]:
    """What changed between two forms of an account, one line for each key of the TOML form."""
    old, new = dict(_flat(account_table(before))), dict(_flat(account_table(after)))
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            yield f"{key}: {_shown(old.get(key))} -> {_shown(new.get(key))}"


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(value: object) -> str:
    if value is None or value == "":
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return clean(str(value), 60)


def _refused(error: MailtuiError, body: str, original: Account | None) -> DraftRefused:
    problems = tuple(clean(line) for line in str(error).splitlines() if line.strip())
    text = _with_remarks(problems, body)
    # The remarks move the lines down: read again, so that the numbers are those of the text that will be seen.
    try:
        _single(text)
    except MailtuiError as moved:
        lines = tuple(clean(line) for line in str(moved).splitlines() if line.strip())
        if len(lines) == len(problems):
            problems, text = lines, _with_remarks(lines, body)
    return DraftRefused(problems, Draft(text, original, refused=True))


def _with_remarks(problems: tuple[str, ...], body: str) -> str:
    remarks = ["Not saved yet:", *problems]
    return "".join(f"{_REMARK} {line}\n" for line in remarks) + body
