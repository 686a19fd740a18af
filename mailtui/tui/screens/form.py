"""The account form: fill in, test before anything is stored, save. The state is `form.state`; this only shows it."""

from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Footer, Static

from mailtui.actions.saving import Changed, Edited, Saved, save_account
from mailtui.model.account import Account
from mailtui.model.errors import InvalidAccount, MailtuiError, UsageError
from mailtui.model.text import pad, shorten
from mailtui.storage.secrets import SourceState
from mailtui.tui.desk import Desk
from mailtui.tui.form.checking import Finding, hinders_test
from mailtui.tui.form.field import PASSWORDS, Section
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.merging import merge
from mailtui.tui.form.notes import notes_of, units_of
from mailtui.tui.form.state import FormState
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.form_problems import FormProblemsScreen
from mailtui.tui.screens.form_walking import SECTIONS, ButtonRow, FormButton
from mailtui.tui.screens.form_work import WorkingForm
from mailtui.tui.settling import settle
from mailtui.tui.widgets.form_fields import FormFields
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.widgets.text_line import TextLine

_FIRST_SECTION_KEY = 2
_BUTTONS = {
    "test": "Test what is typed, both directions side by side. Nothing is stored.",
    "save": "Save the account, and the password where it is kept.",
    "cancel": "Leave the form. You are asked first if something would be lost.",
    "duplicate": "Leave this form for that of a new account like the stored one.",
    "delete": "Delete the account. You are asked first, and u in the list brings it back.",
}


class FormScreen(WorkingForm):
    """One account. The result is what was saved; None when the person left the form."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["form.tcss"]
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", id="form.save", tooltip="Save the account and its password"),
        Binding("ctrl+t", "test", "Test", id="form.test", tooltip="Test what is typed; nothing is stored"),
        Binding("ctrl+r", "reveal", "Reveal", id="form.reveal", tooltip="Show the password, or hide it again"),
        Binding("escape", "cancel", "Cancel", id="form.cancel", tooltip="Leave the form; asks if something changed"),
        Binding("f1", "app.help", "Help", id="form.help", tooltip="What this field is for, and the keys"),
        Binding("f6", "duplicate", "Duplicate", id="form.duplicate", tooltip="A new account like the stored one"),
        Binding("f8", "delete", "Delete", id="form.delete", tooltip="Delete the account; asks first"),
        # On buttons a letter would reach the program's own quit.
        Binding("q", "cancel", "Leave", show=False, id="form.leave", tooltip="Leave the form, as escape does"),
    ]

    def __init__(self, desk: Desk, state: FormState, section: str = "") -> None:
        super().__init__(state)
        self._desk = desk
        self._section = section.lower()
        self._left: set[str] = set()
        self._all_told = False
        self._sources: dict[str, SourceState] = {}
        self._failed_trial: Account | None = None
        self._saving = self._settling = False

    @property
    def unsaved(self) -> bool:
        """Whether something would be lost if the program ended now."""
        return not self.ended and (self._saving or self.state.changed())

    def compose(self) -> ComposeResult:
        """The title with the sections, the fields, the buttons, the help of the field and the keys."""
        yield Static(id="title", markup=False)
        yield FormFields(self.state)
        with ButtonRow(id="buttons"):
            yield FormButton("Test", "test", id="test")
            yield FormButton("Save", "save", id="save")
            yield FormButton("Cancel", "cancel", id="cancel")
            if self.state.original is not None:
                yield FormButton("Duplicate", "duplicate", id="duplicate")
                yield FormButton("Delete", "delete", id="delete")
        yield Static(id="help", markup=False)
        yield MessageBar()
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show the form at the section that was asked for, and find out where passwords can be kept."""
        self.state.taken = frozenset(self._desk.board.names) - {self._stored_name}
        self.show()
        self.run_worker(self._read_sources(), group="sources")
        self.call_after_refresh(self.fields.go_to, self.state.first_of(self._asked_section), top=True)

    @property
    def _stored_name(self) -> str:
        return "" if self.state.original is None else self.state.original.name

    @property
    def _asked_section(self) -> Section:
        wanted = self._section
        return next((s for s in Section if wanted and wanted in (s.name.lower(), s.short.lower())), Section.IDENTITY)

    async def _read_sources(self) -> None:
        try:
            states = await self._desk.services.secrets(self._desk.ask).where()
        except MailtuiError as error:
            self._desk.say(str(error), "error")
            return
        self._sources = {state.scheme.value: state for state in states}
        self.show()

    def show(self) -> None:
        """Fold and unfold fields, and say below them what there is to say."""
        if self not in self.app.screen_stack:
            # The form was left while something was read for it.
            return

        def told(key: str) -> bool:
            return self._all_told or key in self._left

        self.fields.show(self.state, notes_of(self.state, told, self._sources), units_of(self.state))
        self._show_title()

    def _show_title(self) -> None:
        here = FIELDS[key].section if (key := self.key_in_focus) else None
        jumps: list[str | tuple[str, str]] = []
        for index, section in enumerate(SECTIONS):
            style = "bold" if section is here else "dim"
            jumps += [(f"  f{_FIRST_SECTION_KEY + index} ", "dim"), (section.short, style)]
        room = max(self.size.width - sum(len(part[0]) for part in jumps) - 2, 10)
        words = "Saving …" if self._saving else f"{self.state.title}{' *' if self.state.changed() else ''}"
        title = (pad(shorten(words, room), room), "bold $text-primary")
        self.query_one("#title", Static).update(Content.assemble(title, *jumps), layout=False)

    def on_resize(self) -> None:
        """Fit the title to the new width."""
        self._show_title()

    @on(FormFields.Changed)
    def _take(self) -> None:
        self.gather()

    @on(FormFields.Left)
    def _leave_field(self, event: FormFields.Left) -> None:
        # A dialog in front of the form is no reason to find fault with an empty field.
        if self.is_active:
            self._left.add(event.key)
            self.show()

    @on(FormFields.Entered)
    def _enter_field(self, event: FormFields.Entered) -> None:
        self._explain(FIELDS[event.key].help)

    def on_descendant_focus(self) -> None:
        """Say what a button does."""
        if isinstance(self.focused, Button):
            self._explain(_BUTTONS[self.focused.id or ""])

    def _explain(self, words: str) -> None:
        self.query_one("#help", Static).update(Content(words), layout=False)
        self._show_title()

    @on(TextLine.PasteRefused)
    def _tell_of_paste(self, event: TextLine.PasteRefused) -> None:
        self._desk.say(event.words, "warning")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Reveal where there is a password; duplicate and delete what is stored."""
        if action == "reveal":
            return self.password_in_focus is not None
        if action in ("duplicate", "delete"):
            return self.state.original is not None
        return True

    def action_reveal(self) -> None:
        """Show or hide the password."""
        if (line := self.password_in_focus) is not None:
            line.password = not line.password

    # Test

    def action_test(self) -> None:
        """Run both legs on what is typed."""
        self.start(self._test)

    async def _test(self) -> None:
        self.gather()
        hindering = [(key, message) for key, message in self.state.problems() if hinders_test(key)]
        if hindering:
            await self._tell(hindering, "This cannot be tested yet")
            return
        from mailtui.tui.screens.trial import TrialScreen

        trial = TrialScreen(self._desk, self.state.edited(), self._take_servers)
        key = await self.app.push_screen(trial, wait_for_dismiss=True)
        self._failed_trial = trial.edited.account if trial.failed else None
        if key is not None:
            self.fields.go_to(self.state.field_for(key) if key not in self.fields.shown else key)
        self.show()

    def _take_servers(self, account: Account) -> None:
        """The trial made a change to the servers: it is as if it had been typed."""
        self.fields.take(self.state, self.state.take_servers(account))
        self.show()

    async def _tell(self, problems: list[Finding], title: str) -> None:
        """List what must be put right, and go to the one that the person chooses; a single one is gone to at once."""
        self._left.update(key for key, _ in problems)
        self.show()
        if len(problems) == 1:
            key, message = problems[0]
            self._desk.say(f"{title}. {FIELDS[key].title} {message}", "error")
            self.fields.go_to(key)
            return
        screen = FormProblemsScreen(f"{title}: {len(problems)} fields", problems)
        chosen = await self.app.push_screen(screen, wait_for_dismiss=True)
        if chosen is not None:
            self.fields.go_to(chosen)

    # Save

    def action_save(self) -> None:
        """Save, unless something is wrong."""
        self.start(self._save)

    async def _save(self) -> None:
        self.gather()
        self._all_told = True
        if problems := self.state.problems():
            await self._tell(problems, "Not saved yet")
            return
        edited = self.state.edited()
        try:
            saved = await self._store(edited)
        except Changed as error:
            await self._settle(error.current)
        except InvalidAccount as error:
            found = [(self.state.field_for(each.field), each.message) for each in error.errors]
            await self._tell(found, "Not saved yet")
        except MailtuiError as error:
            self._not_saved(error, edited.account.name)
        else:
            if self._failed_trial is not None and self._failed_trial == edited.account:
                saved = replace(saved, problems=(*saved.problems, "Its last test failed: it may not work yet."))
            self.finish(saved)

    async def _store(self, edited: Edited) -> Saved:
        services = self._desk.services
        self._saving = True
        self.show()
        try:
            return await self._desk.finish(save_account(services.store, services.secrets(self._desk.ask), edited))
        finally:
            self._saving = False
            self.show()

    def _not_saved(self, error: MailtuiError, name: str) -> None:
        if isinstance(error, UsageError) and name != self._stored_name:
            # Someone added an account of that name since the list was read.
            self.state.taken = frozenset({*self.state.taken, name})
            self.fields.go_to("name")
        self.show()
        self._desk.say(f"Not saved: {error}", "error")

    async def _settle(self, current: Account | None) -> None:
        """Somebody else changed or removed the account: let the person decide whose values shall be."""
        self._settling = True
        try:
            settled = await settle(self.app, self.state, self._stored_name, current)
        finally:
            self._settling = False
        if settled == "leave":
            self._desk.reload()
            self.finish(None)
        elif settled is not None:
            self.fields.take(self.state, (key for key in FIELDS if key not in PASSWORDS))
            self.show()
        if settled == "show":
            self._desk.say("These are their values now; nothing of yours was saved but what you type from here.")
        elif settled == "save":
            await self._save()

    # Leave

    def action_cancel(self) -> None:
        """Leave the form."""
        # The conflict is gone from the screen a moment before it is settled, and the next key may be there by then.
        self.start(self._leave, waits=self._settling)

    def action_duplicate(self) -> None:
        """Leave the form for that of a copy."""
        self.start(partial(self._leave, "duplicate"))

    def action_delete(self) -> None:
        """Leave the form and delete the account."""
        self.start(partial(self._leave, "delete"))

    async def _leave(self, purpose: str = "") -> None:
        self.gather()
        if self.unsaved:
            screen = ConfirmScreen(
                "Leave without saving?",
                self._losses(),
                yes="Discard the changes",
                no="Keep editing",
                danger=True,
            )
            if not await self.app.push_screen(screen, wait_for_dismiss=True):
                return
        name = self._stored_name
        self.finish(None)
        if purpose == "duplicate":
            self._desk.errands.duplicate(name)
        elif purpose == "delete":
            self._desk.errands.remove([name])

    def _losses(self) -> list[str]:
        rows = merge(self.state.before, self.state.before, self.state.values).rows
        lines = [f"{label}: {after}" for label, _, _, after in rows]
        lines += [FIELDS[key].title for key in PASSWORDS if self.state.value(key)]
        return ["These changes are not saved:", *(f"  {line}" for line in lines[:10]), *(["  …"] if lines[10:] else [])]
