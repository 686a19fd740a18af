"""What a field of the account form is, and what it depends on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from mailtui.model.account import SecretScheme

Value = str | bool
Values = Mapping[str, Value]
"""What the form holds by field: text as typed, choices by their value, yes and no as booleans. No passwords."""

Option = tuple[Value, str]


class Section(Enum):
    """A part of the form, with its heading."""

    IDENTITY = "Identity"
    OUTGOING = "Outgoing (SMTP)"
    INCOMING = "Incoming (Message Retrieval)"
    ADVANCED = "Advanced"

    @property
    def short(self) -> str:
        """The heading in one word."""
        return self.value.partition(" ")[0]


class Kind(Enum):
    """How a field is filled in."""

    TEXT = "text"
    NUMBER = "number"
    PASSWORD = "password"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `help` fits two lines of 78 columns; `shown` says whether the other fields call for it."""

    key: str
    section: Section
    label: str
    help: str
    kind: Kind = Kind.TEXT
    options: tuple[Option, ...] = ()
    unit: str = ""
    suggestions: tuple[str, ...] = ()
    shown: Callable[[Values], bool] = lambda values: True

    @property
    def title(self) -> str:
        """The label where the section is not in sight."""
        return f"{self.section.short}: {self.label}" if self.section in _REPEATING else self.label


_REPEATING = frozenset({Section.OUTGOING, Section.INCOMING})

WRITABLE = frozenset({SecretScheme.KEYRING.value, SecretScheme.VAULT.value})
"""Where mailtui can store a password that was typed."""

PASSWORDS = ("submission.password", "retrieval.password")
"""The fields whose text is a secret: they are in no mapping of values."""
