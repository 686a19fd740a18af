"""What differs between two states of an account, as the lines of its TOML form that a person would change."""

from collections.abc import Iterator

from mailtui.interop.toml_keys import TABLES
from mailtui.interop.toml_writer import account_table
from mailtui.model.account import Account

_INFERRED = frozenset({"protocol", "security"})
"""A file that gives no port means the usual one of these: where they change, the port has to be said."""


def changed_toml(before: Account, after: Account) -> str:
    """The keys of `after` that are not as in `before`, under the account's name; empty where nothing differs."""
    # Its import costs more than all else that a command does.
    import tomlkit

    old, new = account_table(before), account_table(after)
    account = tomlkit.table()
    account.add("name", before.name)
    for name, values in _changes(old, new):
        if name == "account":
            account.update(values)
            continue
        section = tomlkit.table()
        section.update(values)
        account.add(tomlkit.nl())
        account.add(name, section)
    if old == new:
        return ""
    document = tomlkit.document()
    accounts = tomlkit.aot()
    accounts.append(account)
    document.add("account", accounts)
    return document.as_string().strip("\n") + "\n"


def _changes(old: dict[str, object], new: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    for name, keys in TABLES.items():
        before = old if name == "account" else old[name]
        after = new if name == "account" else new[name]
        if not isinstance(after, dict):
            continue
        known = before if isinstance(before, dict) else {}
        differing = {key.name for key in keys if after[key.name] != known.get(key.name)}
        if differing & _INFERRED:
            differing.add("port")
        values = {key.name: after[key.name] for key in keys if key.name in differing and after[key.name] is not None}
        if values:
            yield name, values
