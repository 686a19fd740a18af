"""One demo world for the whole folder, and the context that trusts its authority."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailtui.demo.world import DemoWorld
from mailtui.model.account import Account


@dataclass(frozen=True)
class Visitor:
    """What a client of the world needs to know."""

    world: DemoWorld
    trust: ssl.SSLContext

    def account(self, name_start: str) -> Account:
        (found,) = (account for account in self.world.accounts if account.name.startswith(name_start))
        return found

    def password(self, account: Account) -> str:
        return self.world.passwords[account.name]


@pytest.fixture(scope="session")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    folder: Path = tmp_path_factory.mktemp("demo-world")
    with DemoWorld(folder) as world:
        trust = ssl.create_default_context(cafile=str(folder / "certificates" / "ca.pem"))
        # The checks that Python 3.13 turns on.
        trust.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        yield Visitor(world, trust)
