"""Secrets from the environment and from files, systemd credentials included."""

import os
from pathlib import Path

from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.storage.files import NotAFile, NotPrivate, TooLong, read_file
from mailtui.storage.hidden import Hidden

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Where systemd (LoadCredential=, SetCredential=) puts a service's credentials; see systemd.exec(5)."""

SECRET_LIMIT = 64 * 1024
"""Octets in one secret; tokens are long, but not as long as that."""

# Container runtimes mount secrets there, owned by root and readable by all: in a container, all is one service.
_CONTAINER_SECRETS = (Path("/run/secrets"), Path("/var/run/secrets"))


def credentials_folder() -> Path | None:
    """The folder of systemd credentials; None outside such a service."""
    folder = os.environ.get(CREDENTIALS_VARIABLE, "")
    return Path(folder) if folder.startswith("/") else None


def read_environment(name: str) -> Hidden[str]:
    """The value of an environment variable. Raises SecretError."""
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"the environment variable {clean(name)} is not set; set it before mailtui starts")
    if not value:
        raise SecretError(f"the environment variable {clean(name)} is empty; it must hold the secret")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise SecretError(f"the environment variable {clean(name)} is not UTF-8 text") from None
    return Hidden(value)


def read_secret_file(value: str) -> Hidden[str]:
    """The content of a file without one newline at its end. Blocks. Raises SecretError.

    A relative path is looked up among the systemd credentials first, then in the working folder. Other users must
    not be able to read the file, except where the system itself put it for us.
    """
    path = _find(value)
    shown = clean(str(path))
    try:
        content = read_file(path, SECRET_LIMIT, private=not _is_provided(path))
    except FileNotFoundError:
        raise SecretError(f"the secret file {shown} does not exist{_looked_up(value)}") from None
    except NotPrivate as error:
        raise SecretError(
            f"the secret file {shown} can be reached by other users (mode {error.mode:04o}); run: chmod 600 {shown}"
        ) from None
    except NotAFile:
        raise SecretError(f"{shown} is not a regular file; name a file that holds the secret") from None
    except TooLong:
        raise SecretError(
            f"the secret file {shown} is longer than {SECRET_LIMIT >> 10} KiB; name another file"
        ) from None
    except OSError as error:
        raise SecretError(f"the secret file {shown} cannot be read: {error.strerror}") from None
    content = content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content
    if not content:
        raise SecretError(f"the secret file {shown} is empty; it must hold the secret")
    try:
        return Hidden(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise SecretError(f"the secret file {shown} is not UTF-8 text") from None


def _find(value: str) -> Path:
    path = Path(value).expanduser() if value.startswith("~/") else Path(value)
    folder = credentials_folder()
    if folder is not None and not path.is_absolute() and os.path.lexists(folder / path):
        return folder / path
    return path.absolute()


def _looked_up(value: str) -> str:
    folder = credentials_folder()
    if Path(value).is_absolute() or value.startswith("~/"):
        return ""
    if folder is None:
        return f" (and ${CREDENTIALS_VARIABLE} is not set, so there are no systemd credentials)"
    return f", nor is it a systemd credential in {clean(str(folder))}"


def _is_provided(path: Path) -> bool:
    """Whether systemd or a container runtime put the file there: who may read it is then theirs to say."""
    real = Path(os.path.realpath(path))
    folder = credentials_folder()
    if folder is not None and real.is_relative_to(os.path.realpath(folder)):
        return True
    if not any(real.is_relative_to(os.path.realpath(mount)) for mount in _CONTAINER_SECRETS):
        return False
    try:
        return real.stat().st_uid == 0
    except OSError:
        return False
