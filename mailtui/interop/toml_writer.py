"""Write accounts in their TOML form: bare for files and programs, or with every key explained for an editor."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailtui.interop.toml_keys import ACCOUNT_KEYS, RETRIEVAL_KEYS, SUBMISSION_KEYS, Key
from mailtui.model.account import Account, Endpoint

if TYPE_CHECKING:
    from tomlkit.items import Table

Value = str | int | bool | None


def account_table(account: Account) -> dict[str, object]:
    """Every key of the TOML form with its value, sub-tables included; None where it has none."""
    submission, retrieval = account.submission, account.retrieval
    table: dict[str, object] = {
        "name": account.name,
        "type": account.type,
        "email": account.email,
        "display_name": account.display_name,
        "active": account.active,
        "notes": account.notes,
        "submission": {
            **_endpoint(submission.endpoint),
            "authentication": submission.authentication,
            "method": submission.method.value,
            "username": submission.username,
            "secret": None if submission.secret is None else str(submission.secret),
        },
        "retrieval": None,
    }
    if retrieval is not None:
        table["retrieval"] = {
            "protocol": retrieval.protocol.value,
            **_endpoint(retrieval.endpoint),
            "method": retrieval.method.value,
            "username": retrieval.username,
            "secret": None if retrieval.secret is None else str(retrieval.secret),
            "mode": retrieval.mode.value,
            "interval": retrieval.interval,
            "mailboxes": list(retrieval.mailboxes),
            "destination": str(retrieval.destination),
            "folder": retrieval.folder,
            "leave_on_server": retrieval.leave_on_server,
            "delete_after": retrieval.delete_after,
            "size_limit": retrieval.size_limit,
        }
    return table


def write_accounts(accounts: Iterable[Account], *, commented: bool = False) -> str:
    """The TOML text of `accounts`; `commented` writes every key with its explanation, unused ones as comments.

    Reading it back gives the same accounts, without the times that the database keeps.
    """
    # Its import costs more than all else that a command does.
    import tomlkit

    document = tomlkit.document()
    tables = tomlkit.aot()
    for account in accounts:
        values = account_table(account)
        table = _table(values, ACCOUNT_KEYS, commented)
        for name, keys in (("submission", SUBMISSION_KEYS), ("retrieval", RETRIEVAL_KEYS)):
            section = values[name]
            if isinstance(section, dict):
                table.add(tomlkit.nl())
                table.add(name, _table(section, keys, commented))
            elif commented:
                table.add(tomlkit.nl())
                table.add(tomlkit.comment(f"[account.{name}]  # without it the account only sends"))
                for key in keys:
                    table.add(tomlkit.comment(_unused(key)))
        tables.append(table)
    document.add("account", tables)
    return document.as_string().strip("\n") + "\n" if tables else ""


def _table(values: dict[str, object], keys: tuple[Key, ...], commented: bool) -> "Table":
    import tomlkit

    table = tomlkit.table()
    for key in keys:
        value = values[key.name]
        used = value is not None and (key.essential or value != key.default or _gives_meaning(key.name, values))
        if used:
            item = tomlkit.item(value)
            if commented:
                item.comment(key.comment)
            table.add(key.name, item)
        elif commented:
            table.add(tomlkit.comment(_unused(key)))
    return table


def _unused(key: Key) -> str:
    import tomlkit

    shown = key.example if key.default is None else key.default
    return f"{key.name} = {tomlkit.item(shown).as_string()}  # {key.comment}"


def _gives_meaning(key: str, values: dict[str, object]) -> bool:
    """Whether leaving out a default would change what the reader infers from other keys."""
    return key == "certificate" and bool(values["ca_file"] or values["pin"])


def _endpoint(endpoint: Endpoint) -> dict[str, Value]:
    policy = endpoint.certificate
    return {
        "host": endpoint.host,
        "port": endpoint.port,
        "security": endpoint.security.value,
        "certificate": policy.trust.value,
        "ca_file": policy.ca_file,
        "pin": policy.pin,
        "allow_cleartext": endpoint.allow_cleartext,
    }
