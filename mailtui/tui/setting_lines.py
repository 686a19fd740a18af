"""What an account says of itself beyond its servers, as paragraphs."""

from collections.abc import Iterator
from datetime import datetime

from mailtui.model.account import Account, Login, Protocol, RetrievalMode
from mailtui.model.check import Leg
from mailtui.model.destination import DestinationKind
from mailtui.model.text import clean
from mailtui.tui.flow import Paragraph
from mailtui.tui.words import Role, age

LABEL_COLUMNS = 13
_MOST_NOTES = 200
"""Lines of notes that are shown."""


def heading(title: str) -> Iterator[Paragraph]:
    """A section begins."""
    yield Paragraph()
    yield Paragraph(((title, Role.STRONG),))


def fact(label: str, value: str, role: Role = Role.PLAIN) -> Paragraph:
    """One labelled value, both cleaned."""
    return Paragraph(((clean(label), Role.DIM),), clean(value), role, LABEL_COLUMNS)


def leg_settings(account: Account, leg: Leg, now: datetime) -> Iterator[Paragraph]:
    """The account itself beside the leg that sends; how mail is retrieved beside the leg that receives."""
    if leg is Leg.OUTBOUND:
        yield from _account(account, now)
        yield from _login(account.submission_login)
    elif account.retrieval is not None:
        retrieval = account.retrieval
        yield from heading("Retrieval")
        automatic = retrieval.mode is RetrievalMode.AUTOMATIC
        yield fact("Method", f"automatic, every {retrieval.interval} minutes" if automatic else "manual")
        if retrieval.protocol is Protocol.IMAP:
            yield fact("Mailboxes", ", ".join(retrieval.mailboxes))
        if retrieval.destination.kind is DestinationKind.MAILDIR:
            yield fact("Maildir", retrieval.destination.value or "one of its own")
            yield fact("Folder", retrieval.folder)
        else:
            yield fact("Delivers to", str(retrieval.destination))
        yield fact("On server", _left(retrieval.leave_on_server, retrieval.delete_after))
        if retrieval.size_limit is not None:
            yield fact("Size limit", f"{retrieval.size_limit} MB; what is larger stays on the server")
        yield from _login(account.retrieval_login)


def _account(account: Account, now: datetime) -> Iterator[Paragraph]:
    yield from heading("Account")
    yield fact("Name", account.name)
    yield fact("Address", account.email)
    if account.display_name:
        yield fact("Sender name", account.display_name)
    yield fact("Type", account.type or "(none)")
    yield fact("Active", "yes" if account.active else "no", Role.PLAIN if account.active else Role.WARNING)
    for label, moment in (
        ("Created", account.created),
        ("Updated", account.updated),
        ("Verified", account.last_verified),
    ):
        yield fact(label, _moment(moment, now))
    for number, line in enumerate(account.notes.splitlines()[:_MOST_NOTES]):
        yield fact("" if number else "Notes", line or " ")


def _login(login: Login | None) -> Iterator[Paragraph]:
    if login is None:
        yield fact("Login", "none: this server is used without authentication")
        return
    yield fact("Username", login.username)
    yield fact("Password", "not kept" if login.secret is None else f"kept in: {login.secret.scheme.value}")
    yield fact("Method", login.method.label)


def _moment(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    told = age(moment, now)
    day = f"{moment:%Y-%m-%d}"
    return day if told == day else f"{day}, {told}"


def _left(leave: bool, days: int | None) -> str:
    if not leave:
        return "mail is removed once it is retrieved"
    return "mail stays" if days is None else f"mail stays for {days} day{'s' * (days != 1)}"
