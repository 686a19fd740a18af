"""What this machine offers the wire: names looked up, address families, certificate authorities."""

import os
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RESOLVER_FILE = Path("/etc/resolv.conf")
"""Where the C library reads which name servers to ask (resolv.conf(5))."""

_FILE_LIMIT = 64 << 10
_TEST_ADDRESSES = {
    socket.AF_INET: ("192.0.2.1", 9),
    socket.AF_INET6: ("2001:db8::1", 9),
}
"""Documentation addresses (RFC 5737, RFC 3849): a route to them is a default route, and nothing is sent."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificate authorities that Python trusts here: how many, the days they hold for, where they come from."""

    count: int
    """Those of the file; the ones of a folder are read when they are needed, and not counted."""
    lifetimes: tuple[tuple[datetime, datetime], ...]
    file: str
    """The file in use, empty where there is none."""
    folder: str
    named_by: str
    """The environment variable that names another file or folder than the system's, or empty."""
    missing: str
    """What that variable names and is not there, or empty."""


class StoreUnreadable(Exception):
    """The store of authorities cannot be read; `str()` says why."""


def authorities() -> Authorities:
    """The authorities of a default context. Blocks. Raises StoreUnreadable."""
    paths = ssl.get_default_verify_paths()
    named_by = next((name for name in (paths.openssl_cafile_env, paths.openssl_capath_env) if os.environ.get(name)), "")
    named = os.environ.get(named_by, "") if named_by else ""
    try:
        context = ssl.create_default_context()
    except (ssl.SSLError, OSError) as error:
        raise StoreUnreadable(str(error)) from error
    lifetimes = []
    for certificate in context.get_ca_certs():
        begins, ends = certificate.get("notBefore"), certificate.get("notAfter")
        if isinstance(begins, str) and isinstance(ends, str):
            lifetimes.append((_moment(begins), _moment(ends)))
    return Authorities(
        count=len(lifetimes),
        lifetimes=tuple(lifetimes),
        file=paths.cafile or "",
        folder=paths.capath or "",
        named_by=named_by,
        missing=named if named and not os.path.exists(named) else "",
    )


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def name_servers() -> list[str]:
    """The name servers that are asked, as written in RESOLVER_FILE. Raises OSError where that cannot be read."""
    with RESOLVER_FILE.open("rb") as file:
        lines = file.read(_FILE_LIMIT).decode("utf-8", "replace").splitlines()
    words = (line.split() for line in lines)
    return [parts[1] for parts in words if len(parts) > 1 and parts[0] == "nameserver"]


class NotFound(Exception):
    """The name servers answered: there is no such name."""


class NoAnswer(Exception):
    """No name server gave an answer; `str()` is what the C library says."""


def look_up(host: str) -> int:
    """How many addresses `host` has. Blocks. Raises NotFound, NoAnswer."""
    try:
        return len({found[4][0] for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except socket.gaierror as error:
        missing = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
        raise (NotFound if error.errno in missing else NoAnswer)(error.strerror or str(error)) from error
    except (OSError, UnicodeError) as error:
        raise NoAnswer(str(error)) from error


def routed_families() -> list[str]:
    """The address families that this machine has a route for, IPv4 or IPv6, found without sending anything."""
    found = []
    for family, label in ((socket.AF_INET, "IPv4"), (socket.AF_INET6, "IPv6")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect(_TEST_ADDRESSES[family])
        except OSError:
            continue
        found.append(label)
    return found
