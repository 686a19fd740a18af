"""Accounts as people hold them in their hands: one documented TOML form (docs/toml.md), read and written."""

from mailtui.interop.toml_reader import read_accounts
from mailtui.interop.toml_writer import account_table, write_accounts

__all__ = ["account_table", "read_accounts", "write_accounts"]
