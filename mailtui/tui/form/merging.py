"""Three-way merge of a form: what it began with, what it holds now, and what someone else stored meanwhile."""

from dataclasses import dataclass

from mailtui.model.text import clean
from mailtui.tui.form.field import Field, Value, Values
from mailtui.tui.form.fields import FIELDS

Row = tuple[str, str, str, str]
"""A field's title, and its value before, yours and theirs, in the form's words."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`values` has both sides' changes, yours where both changed the same field; `rows` tell what they changed."""

    values: dict[str, Value]
    rows: tuple[Row, ...]


def merge(base: Values, mine: Values, theirs: Values) -> Merged:
    """Merge two changed forms of `base`. Passwords are in none of them."""
    values = {key: theirs[key] if mine[key] == base[key] else mine[key] for key in mine}
    rows = tuple(
        (field.title, in_words(field, base[key]), in_words(field, mine[key]), in_words(field, theirs[key]))
        for key, field in FIELDS.items()
        if key in base and theirs[key] != base[key]
    )
    return Merged(values, rows)


def in_words(field: Field, value: Value) -> str:
    """A value as the form shows it, safe to show."""
    for option, label in field.options:
        if option == value:
            return label
    return clean(str(value), 200) if value else "(empty)"
