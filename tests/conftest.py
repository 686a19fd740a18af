"""Fixtures that every folder of tests may use."""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.process import find_program


def servers_required() -> bool:
    """Whether a missing server fails the tests rather than skipping them."""
    return any(os.environ.get(name, "") not in ("", "0", "false") for name in ("CI", "MAILTUI_REQUIRE_SERVERS"))


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where the servers are required."""
    if servers_required():
        pytest.fail(f"{reason}, and CI or MAILTUI_REQUIRE_SERVERS asks for it")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """A running Dovecot."""
    if find_program("dovecot") is None:
        unavailable("Dovecot is not installed")
    server = Dovecot()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    """A running Postfix that asks the `dovecot` fixture about logins."""
    if find_program("postfix") is None:
        unavailable("Postfix is not installed")
    if os.geteuid() != 0:
        unavailable("Postfix can only be started by root")
    server = Postfix(dovecot)
    try:
        server.start()
        yield server
    finally:
        server.stop()
