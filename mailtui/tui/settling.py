"""A form whose account somebody else changed or removed meanwhile: the person decides whose values shall be."""

from typing import Any, Literal

from textual.app import App

from mailtui.model.account import Account
from mailtui.tui.form.merging import merge
from mailtui.tui.form.state import FormState
from mailtui.tui.screens.conflict import ConflictScreen

Settled = Literal["save", "show", "leave"]


async def settle(app: App[Any], state: FormState, name: str, current: Account | None) -> Settled | None:
    """Ask, and let `state` go on from what is stored now: `current`, None where the account is gone.

    The result says what to do next: save the form, show it with the other one's values, leave it, or nothing.
    """
    base, mine = state.before, state.values
    if current is None:
        rows = [(label, before, yours, "") for label, before, _, yours in merge(base, base, mine).rows]
        screen = ConflictScreen(f"{name} was removed meanwhile", rows, removed=True)
        decision = await app.push_screen(screen, wait_for_dismiss=True)
        if decision == "mine":
            state.detach()
            return "save"
        return "leave" if decision == "theirs" else None
    theirs = state.values_of_stored(current)
    merged = merge(base, mine, theirs)
    screen = ConflictScreen(f"{name} was changed meanwhile", merged.rows)
    decision = await app.push_screen(screen, wait_for_dismiss=True)
    if decision is None:
        return None
    state.adopt(current, {"merge": merged.values, "mine": mine, "theirs": theirs}[decision])
    return "show" if decision == "theirs" else "save"
