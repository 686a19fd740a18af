"""The rows of the account form: a label, what fills it in, and below it what there is to say of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Static

from mailtui.model.text import shorten
from mailtui.tui.form.field import Field, Kind, Section
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.notes import Note
from mailtui.tui.form.state import FormState
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.widgets.option_line import OptionLine
from mailtui.tui.widgets.text_line import TextLine
from mailtui.tui.words import Mark, Role

LABEL_COLUMNS = 25
_SCROLLBAR = 1
_PADDING = 1

_GLYPHS = {Role.FAILED: Mark.FAILED.glyph, Role.WARNING: Mark.WARNING.glyph}


def id_of(key: str) -> str:
    """The widget's id for a field."""
    return "field-" + key.replace(".", "-").replace("_", "-")


class FieldRow(Widget):
    """One field. A click on its label goes to it."""

    ALLOW_SELECT = False

    def __init__(self, field: Field, control: TextLine | OptionLine, unit: str) -> None:
        super().__init__(id=f"row-{id_of(field.key)}")
        self.key = field.key
        self.control = control
        self._label = Static(field.label, classes="label", markup=False)
        self._unit = Static(unit, classes="unit", markup=False)
        self._unit.display = bool(unit)
        self._said_unit = unit
        self.note: Static | None = None

    def compose(self) -> ComposeResult:
        """The label, the control and its unit."""
        yield self._label
        yield self.control
        yield self._unit

    def say_unit(self, unit: str) -> None:
        """Change what stands right of the control."""
        if unit != self._said_unit:
            self._said_unit = unit
            self._unit.update(unit)
            self._unit.display = bool(unit)

    def on_click(self) -> None:
        """Go to the field."""
        self.control.focus()


class FormFields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All fields in one scroll, of which those are shown that the present values call for."""

    BINDINGS: ClassVar = []

    class Changed(Message):
        """A person changed fields; the controls say to what."""

        def can_replace(self, message: Message) -> bool:
            """Whoever looks at the controls sees all changes."""
            return isinstance(message, FormFields.Changed)

    class Left(Message):
        """The focus left a field."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Entered(Message):
        """The focus came to a field."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, state: FormState) -> None:
        super().__init__(id="fields")
        self._state = state
        self._rows = {key: self._row(field) for key, field in FIELDS.items()}
        self._notes: dict[str, tuple[Note, ...]] = {}

    def _row(self, field: Field) -> FieldRow:
        value = self._state.value(field.key)
        control: TextLine | OptionLine
        if field.kind is Kind.CHOICE:
            control = OptionLine(self._state.options(field.key), value, id=id_of(field.key))
        else:
            control = TextLine(
                str(value),
                password=field.kind is Kind.PASSWORD,
                suggester=SuggestFromList(field.suggestions, case_sensitive=False) if field.suggestions else None,
                compact=True,
                id=id_of(field.key),
            )
            control.hint(self._state.placeholder(field.key))
        if field.kind is Kind.NUMBER:
            control.add_class("number")
        control.tooltip = field.help
        # The help screen tells what the focused widget is for: here that is the field, not the kind of widget.
        object.__setattr__(control, "HELP", f"{field.label}: {field.help} {control.HELP}")
        return FieldRow(field, control, field.unit)

    def compose(self) -> ComposeResult:
        """The sections with their fields."""
        for section in Section:
            yield Static(section.value, id=f"section-{section.name.lower()}", classes="section", markup=False)
            for key, field in FIELDS.items():
                if field.section is section:
                    row = self._rows[key]
                    row.display = self._state.shown(key)
                    yield row

    @property
    def shown(self) -> list[str]:
        """The fields that are on the form at present."""
        return [key for key, row in self._rows.items() if row.display]

    def control(self, key: str) -> TextLine | OptionLine:
        """What fills in a field."""
        return self._rows[key].control

    def take(self, state: FormState, keys: Iterable[str]) -> None:
        """Show what `state` holds for `keys`."""
        for key in keys:
            control, value = self._rows[key].control, state.value(key)
            with self.prevent(Input.Changed):
                if isinstance(control, OptionLine):
                    control.options = state.options(key)
                    control.value = value
                elif control.value != value:
                    control.value = str(value)

    def show(self, state: FormState, notes: Mapping[str, Sequence[Note]], units: Mapping[str, str]) -> None:
        """Fold and unfold fields, and say `notes` below them; a field with a problem is never folded."""
        for key, row in self._rows.items():
            said = tuple(notes.get(key, ()))
            broken = any(role is Role.FAILED for role, _ in said)
            if row.display != (state.shown(key) or broken):
                row.display = not row.display
            row.set_class(broken, "-broken")
            if isinstance(row.control, TextLine):
                row.control.hint(state.placeholder(key))
            else:
                row.control.options = state.options(key)
            if key in units:
                row.say_unit(units[key])
            if said != self._notes.get(key, ()):
                self._notes[key] = said
                self._say(row, said)
            if row.note is not None and row.note.display != (bool(said) and row.display):
                row.note.display = not row.note.display

    def _say(self, row: FieldRow, notes: tuple[Note, ...]) -> None:
        if row.note is None:
            row.note = Static(classes="note", markup=False)
            self.mount(row.note, after=row)
        row.note.update(Content("\n").join(self._painted(note) for note in notes))

    def _painted(self, note: Note) -> Content:
        role, words = note
        if role is Role.DIM:
            words = shorten(words, self.size.width - LABEL_COLUMNS - 2 * _PADDING - _SCROLLBAR)
        glyph = _GLYPHS.get(role)
        return Content.assemble((f"{glyph} " if glyph else "", STYLES[role]), (words, STYLES[role]))

    def on_resize(self) -> None:
        """Cut the notes to the new width, and keep the field in sight that is being filled in."""
        for key, notes in self._notes.items():
            if notes:
                self._say(self._rows[key], notes)
        focused = self.screen.focused
        if focused is not None and isinstance(row := focused.parent, FieldRow):
            self.call_after_refresh(self._bring_into_sight, row.key)

    def go_to(self, key: str, *, top: bool = False) -> None:
        """Put the focus on a field and bring it into sight; with `top`, its section's heading is the first line."""
        # At once, not by way of the queue: the next key may be on its way already.
        self.screen.set_focus(self._rows[key].control, scroll_visible=False)
        self.call_after_refresh(self._bring_into_sight, key, top=top)

    def _bring_into_sight(self, key: str, *, top: bool = False) -> None:
        row = self._rows[key]
        section = FIELDS[key].section
        heading = self.query_one(f"#section-{section.name.lower()}")
        if top:
            self.scroll_to(y=heading.virtual_region.y, animate=False, immediate=True)
            return
        region = row.virtual_region
        if row.note is not None and row.note.display:
            region = region.union(row.note.virtual_region)
        if key == next((other for other in self.shown if FIELDS[other].section is section), None):
            region = region.union(heading.virtual_region)
        self.scroll_to_region(region, animate=False, immediate=True)

    @on(Input.Changed)
    @on(OptionLine.Chosen)
    def _filled_in(self, event: Message) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell which field is being filled in."""
        if isinstance(row := event.widget.parent, FieldRow):
            self.post_message(self.Entered(row.key))

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Tell which field was left; a revealed password is hidden again."""
        if isinstance(row := event.widget.parent, FieldRow):
            if isinstance(row.control, TextLine) and FIELDS[row.key].kind is Kind.PASSWORD:
                row.control.password = True
            self.post_message(self.Left(row.key))
