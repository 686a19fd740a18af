"""Secrets for a long run: read again after a while, and each place asked once until then."""

from dataclasses import dataclass, field

from mailtui.actions.rereading import FRESH, RereadingReader
from mailtui.model.account import SecretRef, SecretScheme

REF = SecretRef(SecretScheme.VAULT)


@dataclass
class OneRun:
    """A reader of one run; it remembers what it read."""

    vault: dict[str, str]
    read_before: dict[str, str] = field(default_factory=dict)

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return self.read_before.setdefault(account_name, self.vault[account_name])


async def test_a_changed_password_is_read_after_a_while() -> None:
    vault, readers, now = {"ada": "old"}, list[OneRun](), 0.0

    def make() -> OneRun:
        readers.append(OneRun(vault))
        return readers[-1]

    reader = RereadingReader(make, lambda: now)
    assert await reader.read(REF, "ada") == "old"
    vault["ada"] = "new"
    now = FRESH - 1
    assert await reader.read(REF, "ada") == "old"
    assert len(readers) == 1
    now = FRESH
    assert await reader.read(REF, "ada") == "new"
    assert len(readers) == 2
