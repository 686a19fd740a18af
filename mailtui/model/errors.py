"""The errors that cross rooms: a short, closed tree, each told in words that say what to do."""

from dataclasses import dataclass


class MailtuiError(Exception):
    """Anything mailtui reports to a person; `str()` is one clean line or one line per problem."""


class UsageError(MailtuiError):
    """The request itself cannot be carried out: an unknown account, contradictory options, no terminal."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that cannot be accepted: its dotted name, what is wrong and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class InvalidAccount(MailtuiError):
    """An account whose fields cannot be accepted; `errors` lists every one of them."""

    def __init__(self, name: str, errors: tuple[FieldError, ...]) -> None:
        self.name = name
        self.errors = errors
        super().__init__("\n".join(f"account {name!r}: {error}" for error in errors))


class AccountFileError(MailtuiError):
    """A TOML file of accounts that cannot be read; each line names file, line and field."""


class SecretError(MailtuiError):
    """A secret cannot be read or written; says which source, why and what to do. Never holds the secret."""


class StorageError(MailtuiError):
    """The data folder or its database cannot be used; names the path and what to do."""
