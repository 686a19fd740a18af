"""The contexts that judge certificates: built once, in threads, and shared."""

import os
import ssl
import threading
from functools import lru_cache

from mailtui.model.account import CertificatePolicy, Trust
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError

# Several threads may ask for the same one at once; one of them builds it.
_building = threading.Lock()


async def build_context(policy: CertificatePolicy) -> ssl.SSLContext:
    """The context for `policy`, shared by the whole process: building one parses the system's store, some 20 ms.

    A CA file that has changed is read again. Raises WireError when it cannot be used.
    """
    # Imported here: the preparation of a check comes before asyncio is loaded.
    from mailtui.offloop import off_loop

    return await off_loop(lambda: shared_context(policy))


def shared_context(policy: CertificatePolicy) -> ssl.SSLContext:
    """What `build_context` awaits, for callers that may block. Raises WireError."""
    with _building:
        return _context(policy)


def _context(policy: CertificatePolicy) -> ssl.SSLContext:
    if policy.trust is not Trust.CA_FILE:
        return _unextended_context(verify=policy.trust is Trust.SYSTEM)
    try:
        return _extended_context(policy.ca_file, os.stat(policy.ca_file).st_mtime_ns)
    except ssl.SSLError as error:
        raise _unusable(policy.ca_file, "it holds no PEM certificate") from error
    except OSError as error:
        raise _unusable(policy.ca_file, error.strerror or "it cannot be read") from error


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
def _extended_context(path: str, modified_ns: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=path)
    return context
