"""Keyring backends in memory: a good one, and those that are met in the wild."""

import threading

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Good(KeyringBackend):
    """Keeps what it is given; shared by all its instances, like the one keyring of a desktop."""

    priority = 5
    kept: dict[tuple[str, str], str]

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


def good() -> type[Good]:
    """A good backend with a store of its own."""

    class Fresh(Good):
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012  # shared by its instances on purpose

    return Fresh


class Locked(KeyringBackend):
    """Locked, and nobody is there to unlock it. Counts how often it was asked."""

    priority = 5
    calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        Locked.calls += 1
        raise KeyringLocked("Failed to unlock the collection!\x1b[31m")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("Failed to unlock the collection!")


class Dropping(KeyringBackend):
    """Takes everything, keeps nothing."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        return None


class Telling(KeyringBackend):
    """Fails, and repeats the secret in its words."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("the bus is gone")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError(f"cannot send {password!r} over the bus")


class Hanging(KeyringBackend):
    """Answers only when told to. Counts how often it was asked."""

    priority = 5
    calls = 0
    asked = threading.Event()
    go = threading.Event()

    def get_password(self, service: str, username: str) -> str | None:
        Hanging.calls += 1
        Hanging.asked.set()
        Hanging.go.wait(60)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        Hanging.go.wait(60)


class Absent(KeyringBackend):
    """Not usable on this machine."""

    def get_password(self, service: str, username: str) -> str | None:
        raise AssertionError("an unusable backend was used")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise AssertionError("an unusable backend was used")


class PlaintextKeyring(Good):
    """By its name a backend that stores in clear."""

    kept: dict[tuple[str, str], str] = {}  # noqa: RUF012  # shared by its instances on purpose
