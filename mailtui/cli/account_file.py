"""Read a file of accounts that a person names."""

from mailtui.cli.terminal import standard_input
from mailtui.interop.toml_reader import read_accounts
from mailtui.model.account import Account
from mailtui.model.errors import AccountFileError, UsageError

FILE_LIMIT = 16 * 1024 * 1024
"""Bytes of a file of accounts: some forty thousand accounts."""


def accounts_from_file(name: str) -> list[Account]:
    """The accounts of the TOML file `name`, `-` being standard input. Raises UsageError and AccountFileError."""
    source = "standard input" if name == "-" else name
    try:
        if name == "-":
            raw = standard_input().read(FILE_LIMIT + 1)
        else:
            with open(name, "rb") as file:
                raw = file.read(FILE_LIMIT + 1)
    except OSError as error:
        raise UsageError(f"{source}: cannot be read: {error.strerror}") from None
    if len(raw) > FILE_LIMIT:
        raise UsageError(f"{source}: is larger than {FILE_LIMIT // 1024 // 1024} MiB; that is no file of accounts")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AccountFileError(f"{source}:{line}: is not UTF-8, which TOML must be") from None
    return read_accounts(text, source)
