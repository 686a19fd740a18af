"""How the keys walk through a form, so that nothing typed ahead ends in the wrong field."""

import asyncio
import contextlib
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Button

from mailtui.actions.saving import Saved
from mailtui.tui.form.field import PASSWORDS, Section
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.state import FormState
from mailtui.tui.screens.dialog import Choice
from mailtui.tui.widgets.form_fields import FieldRow, FormFields
from mailtui.tui.widgets.text_line import TextLine

SECTIONS = tuple(Section)

_PATIENCE = 1.0
"""Seconds that a key which leaves a field waits for the keys that were typed in it."""


def _walking(key: str, action: str, id: str, tooltip: str) -> Binding:
    """A key that goes to another field: first of all keys, so that what is typed right after it goes there too."""
    return Binding(key, action, tooltip, show=False, priority=True, id=id, tooltip=tooltip)


class FormButton(Choice):
    """A button of the form, reached with tab or the mouse."""


class ButtonRow(Horizontal):
    """The buttons, where left and right go from one to the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left", "app.focus_previous", "Previous", show=False, id="form.button_before", tooltip="The button before"
        ),
        Binding("right", "app.focus_next", "Next", show=False, id="form.button_after", tooltip="The button after"),
    ]


class WalkedForm(Screen[Saved | None]):
    """A screen with FormFields and a button #save, and the keys to go from one to the other."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _walking("f2", "section(0)", "form.identity", "Go to Identity"),
        _walking("f3", "section(1)", "form.outgoing", "Go to Outgoing (SMTP)"),
        _walking("f4", "section(2)", "form.incoming", "Go to Incoming (Message Retrieval)"),
        _walking("f5", "section(3)", "form.advanced", "Go to Advanced"),
        _walking("down", "next", "form.down", "Go to the next field"),
        _walking("enter", "enter", "form.enter", "Go to the next field; on a button, press it"),
        _walking("up", "previous", "form.up", "Go to the field before"),
        _walking("tab", "tab(1)", "form.tab", "Go to the next field or button"),
        _walking("shift+tab", "tab(-1)", "form.back_tab", "Go to the field or button before"),
        _walking("pagedown", "page(1)", "form.page_down", "Go to the next section"),
        _walking("pageup", "page(-1)", "form.page_up", "Go to the section before"),
    ]

    def __init__(self, state: FormState) -> None:
        super().__init__()
        self.state = state
        self._told_keys: tuple[tuple[str, bool], ...] = ()

    @property
    def fields(self) -> FormFields:
        """The rows."""
        return self.query_one(FormFields)

    @property
    def key_in_focus(self) -> str | None:
        """The field that has the focus."""
        row = None if self.focused is None else self.focused.parent
        return row.key if isinstance(row, FieldRow) else None

    @property
    def password_in_focus(self) -> TextLine | None:
        """The line with the focus, if a password is typed there."""
        line, key = self.focused, self.key_in_focus
        return line if isinstance(line, TextLine) and key in PASSWORDS else None

    def show(self) -> None:
        """Show what the state holds, and what there is to say of it."""

    def gather(self) -> None:
        """Learn what the controls hold; their messages may still be on the way."""
        changed = [key for key in FIELDS if self.fields.control(key).value != self.state.value(key)]
        for key in changed:
            self.fields.take(self.state, self.state.set(key, self.fields.control(key).value))
        if changed:
            self.show()

    async def _catch_up(self) -> None:
        """Wait until the field has taken the keys that were typed in it, and learn what it holds.

        Each widget handles its keys in a task of its own: those of a burst, as slow lines make them, may still wait.
        """
        if self.focused is not None:
            taken = asyncio.Event()
            self.focused.call_later(taken.set)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(taken.wait(), _PATIENCE)
        self.gather()

    async def action_enter(self) -> None:
        """Press the button, or go to the next field."""
        if isinstance(self.focused, Button):
            self.focused.press()
        else:
            await self.action_next()

    async def action_next(self) -> None:
        """Go to the next field; from the last one to Save."""
        await self._catch_up()
        shown, here = self.fields.shown, self.key_in_focus
        if here is None:
            self.focus_next()
        elif here == shown[-1]:
            self.set_focus(self.query_one("#save"))
        else:
            self.fields.go_to(shown[shown.index(here) + 1])

    async def action_previous(self) -> None:
        """Go to the field before; from the buttons to the last field."""
        await self._catch_up()
        shown, here = self.fields.shown, self.key_in_focus
        at = len(shown) if here is None else shown.index(here)
        self.fields.go_to(shown[max(at - 1, 0)])

    async def action_tab(self, steps: int) -> None:
        """Go to the next field or button, or to the one before."""
        await self._catch_up()
        if steps > 0:
            self.focus_next()
        else:
            self.focus_previous()

    async def action_section(self, index: int) -> None:
        """Go to the first field of a section."""
        await self._catch_up()
        self.fields.go_to(self.state.first_of(SECTIONS[index]), top=True)

    async def action_page(self, steps: int) -> None:
        """Go to the section after or before this one."""
        here = self.key_in_focus
        at = len(SECTIONS) if here is None else SECTIONS.index(FIELDS[here].section)
        await self.action_section(min(max(at + steps, 0), len(SECTIONS) - 1))

    def refresh_bindings(self) -> None:
        """Tell the footer about keys only when those that it shows have changed.

        Textual tells it at each change of the focus, and each time it is built anew and the whole screen laid out.
        """
        told = tuple((key, active.enabled) for key, active in self.active_bindings.items() if active.binding.show)
        if told != self._told_keys:
            self._told_keys = told
            super().refresh_bindings()
