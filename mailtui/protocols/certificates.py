"""The contexts that judge certificates: built once, in threads, and shared."""

import os
import ssl
import stat
import threading
from functools import lru_cache

from mailtui.model.account import CertificatePolicy, Trust
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError

# Several threads may ask for the same one at once: one of them builds it. A lock each, for a file may be slow to come.
_building: dict[CertificatePolicy, threading.Lock] = {}

_CA_FILE_LIMIT = 16 << 20


async def build_context(policy: CertificatePolicy) -> ssl.SSLContext:
    """The context for `policy`, shared by the whole process: building one parses the system's store, some 20 ms.

    A CA file that has changed is read again. Raises WireError when it cannot be used.
    """
    # Imported here: the preparation of a check comes before asyncio is loaded.
    from mailtui.offloop import off_loop

    return await off_loop(lambda: shared_context(policy))


def shared_context(policy: CertificatePolicy) -> ssl.SSLContext:
    """What `build_context` awaits, for callers that may block. Raises WireError."""
    with _building.setdefault(policy, threading.Lock()):
        return _context(policy)


def _context(policy: CertificatePolicy) -> ssl.SSLContext:
    if policy.trust is not Trust.CA_FILE:
        return _unextended_context(verify=policy.trust is Trust.SYSTEM)
    try:
        return _extended_context(_read(policy.ca_file))
    except (ssl.SSLError, ValueError) as error:
        raise _unusable(policy.ca_file, "it holds no PEM certificate") from error
    except OSError as error:
        raise _unusable(policy.ca_file, error.strerror or "it cannot be read") from error


def _read(path: str) -> str:
    # A pipe or a device would never end: only a file is opened, and nothing waits for one.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unusable(path, "it is not a file")
        encoded = file.read(_CA_FILE_LIMIT + 1)
    if len(encoded) > _CA_FILE_LIMIT:
        raise _unusable(path, f"it is larger than {_CA_FILE_LIMIT >> 20} MiB")
    # PEM is ASCII; what people write between the certificates need not be.
    return encoded.decode("ascii", "ignore")


def _unusable(path: str, why: str) -> WireError:
    return WireError(Cause.CERTIFICATE_INVALID, f"ca_file {path} cannot be used: {why}")


@lru_cache(maxsize=2)
def _unextended_context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        # A pinned key is compared after the handshake; "accept anything" is the account's own choice, shown in red.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=64)
def _extended_context(certificates: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cadata=certificates)
    return context
