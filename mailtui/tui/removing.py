"""Remove accounts for a person who was told what goes with them."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.widgets import Input

from mailtui.actions.entries import place
from mailtui.actions.removal import Entry, RemovalPlan, Undo, plan_removal, remove_accounts
from mailtui.actions.saving import Changed
from mailtui.model.text import clean, shorten
from mailtui.offloop import off_loop
from mailtui.tui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from mailtui.tui.desk import Desk

_NAMED = 8
"""Accounts and passwords that are named before the rest is counted."""
_NAME_COLUMNS = 50


async def remove_flow(app: App[Any], desk: "Desk", names: Sequence[str]) -> Undo | None:
    """Ask, and remove the accounts; None when the person would rather not. Raises MailtuiError.

    Must be called from a worker.
    """
    while True:
        at_work = _at_work(app)
        plan = await off_loop(partial(plan_removal, desk.services.store, names))
        if _at_work(app) != at_work:
            # What is typed elsewhere by now must not answer a question that comes up under it.
            desk.say("Nothing was deleted, for you went on meanwhile; press d again.")
            return None
        question = _question(plan)
        if not await app.push_screen_wait(question):
            return None
        removal = remove_accounts(
            desk.services.store, desk.services.secrets(desk.ask), plan, keep_secrets=question.chosen
        )
        try:
            return await desk.finish(removal)
        except Changed as changed:
            desk.say(f"{changed}: look again what would go.", "warning")


def _at_work(app: App[Any]) -> tuple[object, ...]:
    """Where the person is, and what stands in the lines that they can type in there."""
    return app.screen, app.focused, [line.value for line in app.screen.query(Input)]


def _question(plan: RemovalPlan) -> ConfirmScreen:
    one = len(plan.accounts) == 1
    what = _named(plan.accounts[0].name) if one else f"{len(plan.accounts)} accounts"
    secrets = len(plan.removed)
    return ConfirmScreen(
        f"Delete {what}?",
        removal_lines(plan),
        "Delete" if one else f"Delete {len(plan.accounts)} accounts",
        danger=True,
        option=f"keep the password{'s' * (secrets != 1)}" if secrets else "",
    )


def removal_lines(plan: RemovalPlan) -> list[str]:
    """What a person should know before the accounts of `plan` go."""
    return list(_lines(plan))


def _lines(plan: RemovalPlan) -> Iterator[str]:
    one = len(plan.accounts) == 1
    if not one:
        yield from _counted([_named(account.name) for account in plan.accounts], "account")
        yield ""
    gone = [f"{plan.reports:,} check{'s' * (plan.reports != 1)} of history"] if plan.reports else []
    gone += _counted([_entry(entry) for entry in plan.removed], "password")
    if gone:
        yield f"Deleted with {'it' if one else 'them'}:"
        yield from (f"  {line}" for line in gone)
    else:
        yield "There is no history, and no password that mailtui keeps."
    if plan.kept:
        yield "Kept, for other accounts use it:" if len(plan.kept) == 1 else "Kept, for other accounts use them:"
        yield from (f"  {line}" for line in _counted([_shared(entry) for entry in plan.kept], "password"))
    yield ""
    yield "Mail on the servers and on this machine is not touched."
    yield f"u brings {'it' if one else 'them'} back, until you leave mailtui or delete others."


def _counted(names: Sequence[str], what: str) -> Iterator[str]:
    yield from names[:_NAMED]
    if len(names) > _NAMED:
        more = len(names) - _NAMED
        yield f"and {more} more {what}{'s' * (more != 1)}"


def _entry(entry: Entry) -> str:
    return f"the password in {place(entry.ref)}"


def _shared(entry: Entry) -> str:
    first, *others = entry.used_by or ("another account",)
    more = f" and {len(others)} other{'s' * (len(others) != 1)}" if others else ""
    return f"{_entry(entry)}, of {_named(first)}{more}"


def _named(name: str) -> str:
    return shorten(clean(name), _NAME_COLUMNS)
