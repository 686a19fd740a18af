"""What needs a person's word before a check goes on: a server that changed, a login that was refused before."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from mailtui.actions.accepting import accept_legs, waits_for_acceptance
from mailtui.model.account import Account
from mailtui.model.check import Leg, LegReport
from mailtui.model.text import clean, shorten
from mailtui.model.watch import changes_line
from mailtui.offloop import off_loop
from mailtui.tui.diagnosing import is_held
from mailtui.tui.fixing import in_pairs, why_too_early
from mailtui.tui.legs import setup_of
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.words import LEG_NAMES

if TYPE_CHECKING:
    from mailtui.tui.desk import Desk

_NAMED = 8
"""Legs that are told in full before the rest is counted."""
_NAME_COLUMNS = 50


async def accept_flow(app: App[Any], desk: "Desk", names: Sequence[str]) -> list[str]:
    """Ask, and take the servers of `names` that changed as they are; returns the accounts to be tested again.

    Must be called from a worker. Raises MailtuiError.
    """
    found = _legs(desk, names, waits_for_acceptance)
    if not found:
        desk.say(_why_not(desk, names, "A", "change of a server that has to be accepted"), "warning")
        return []
    if not await app.push_screen_wait(accept_question(found)):
        return []
    # As they were seen: the database may hold a newer report by now.
    seen = [(name, leg) for name, legs in found.items() for leg in legs]
    await desk.finish(off_loop(partial(accept_legs, desk.services.store, desk.memory, seen)))
    return list(found)


async def insist_flow(app: App[Any], desk: "Desk", names: Sequence[str]) -> list[str]:
    """Ask whether logins of `names` that were refused shall be tried again; returns the accounts to be tested.

    Must be called from a worker.
    """
    found = _legs(desk, names, is_held)
    if not found:
        desk.say(_why_not(desk, names, "I", "refused login"), "warning")
        return []
    accounts = [desk.board.account(name) for name in found]
    return list(found) if await app.push_screen_wait(insist_question(accounts, found)) else []


def _legs(desk: "Desk", names: Sequence[str], wanted: Callable[[LegReport], bool]) -> dict[str, list[LegReport]]:
    """What is known of the legs of `names`, as far as it is `wanted`; nothing of accounts that are being tested."""
    found: dict[str, list[LegReport]] = {}
    for account in desk.board.testable(names):
        if legs := [leg for leg in desk.board.last_legs(account.name) if wanted(leg)]:
            found[account.name] = legs
    return found


def _why_not(desk: "Desk", names: Sequence[str], key: str, what: str) -> str:
    """Why `key` does nothing for any of `names`: there is no `what`."""
    if len(names) != 1:
        return f"There is no {what} in these {len(names)} accounts."
    return why_too_early(desk, names[0], key) or f"{names[0]}: there is no {what}."


def accept_question(found: dict[str, list[LegReport]]) -> ConfirmScreen:
    """Whether servers are to be taken as they are now."""
    return ConfirmScreen("Accept what changed?", list(change_lines(found)), "Accept", danger=True)


def change_lines(found: dict[str, list[LegReport]]) -> Iterator[str]:
    """What a person should know before servers are taken as they are."""
    yield "Since the last good check this is different, and no password was sent:"
    yield ""
    legs = [(name, leg) for name, legs in found.items() for leg in legs]
    for name, leg in legs[:_NAMED]:
        yield f"{_named(name)}, {leg.protocol.label} {leg.endpoint.label}"
        yield f"  {changes_line(leg.changes, leg.changed_since)}"
        if leg.tls is not None and leg.tls.certificate is not None:
            yield "  Its key now, SHA-256:"
            yield from in_pairs(leg.tls.certificate.pin)
    if len(legs) > _NAMED:
        yield f"and {len(legs) - _NAMED} more"
    yield ""
    yield (
        "Accept only what the provider announced, or the person who runs the server confirms: somebody who stands in "
        "between and wants the password would look the same. The server is then good as it is now, and tested again."
    )


def insist_question(accounts: Sequence[Account], found: dict[str, list[LegReport]]) -> ConfirmScreen:
    """Whether to log in although the same login was refused."""
    return ConfirmScreen(
        "Log in again with what was refused?", list(_insist_lines(accounts, found)), "Log in again", danger=True
    )


def _insist_lines(accounts: Sequence[Account], found: dict[str, list[LegReport]]) -> Iterator[str]:
    yield "The server refused this login, and nothing was changed since:"
    yield ""
    legs = [(account, leg) for account in accounts for leg in found.get(account.name, ())]
    for account, leg in legs[:_NAMED]:
        yield f"  {_named(account.name)}, {LEG_NAMES[leg.leg]}: {_user(account, leg.leg)} at {leg.endpoint.label}"
    if len(legs) > _NAMED:
        yield f"  and {len(legs) - _NAMED} more"
    yield ""
    yield (
        "Another refused login may lock the account: many providers do that after a few, or shut out this machine. "
        "If the password is wrong, change it first: e edits the account. If it was put right at the provider, go on."
    )


def _user(account: Account, leg: Leg) -> str:
    setup = setup_of(account, leg)
    return shorten(clean(setup.login.username), _NAME_COLUMNS) if setup is not None and setup.login is not None else "?"


def _named(name: str) -> str:
    return shorten(clean(name), _NAME_COLUMNS)
