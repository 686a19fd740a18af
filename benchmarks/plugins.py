"""check_smtp and check_imap of monitoring-plugins as peers: one process per leg."""

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Peer
from benchmarks.server import Server, User

FOLDERS = "/usr/lib/nagios/plugins:/usr/lib/monitoring-plugins:/usr/lib64/nagios/plugins:/usr/local/libexec/nagios"


def missing() -> str:
    """Why the plugins cannot take part, or nothing."""
    return "" if all(_path(name) for name in ("check_smtp", "check_imap")) else "not installed"


def commands(server: Server, user: User) -> tuple[list[str], list[str]]:
    """The commands of the two legs: check_smtp knows only STARTTLS; check_imap logs in by what it is told to send."""
    smtp = f"-H {server.host} -p {server.ports['submission']} -t 60 -S -A LOGIN -U {user.name} -P {user.password}"
    imap = f"-H {server.host} -p {server.ports['imaps']} -t 60 -S -E"
    dialogue = ["-s", f"1 LOGIN {user.name} {user.password}\\r\\n2 EXAMINE INBOX\\r\\n", "-e", "2 OK"]
    return (
        [_path("check_smtp") or "check_smtp", *smtp.split(), "-f", user.email],
        [_path("check_imap") or "check_imap", *imap.split(), *dialogue],
    )


def one(server: Server, user: User) -> Peer:
    """Both plugins at once for one account."""
    smtp, imap = (shlex.join(command) for command in commands(server, user))
    return Peer(
        "check_smtp + check_imap",
        ("sh", "-c", f"{smtp} & outbound=$!; {imap} && wait $outbound"),
        missing=missing(),
        logins=(1, 1),
    )


def many(server: Server, users: Sequence[User], folder: Path, parallel: int) -> Peer:
    """`xargs` over each plugin for all users, `parallel` processes in all; xargs fails when one of them fails.

    One xargs per plugin, so that it starts the plugins themselves: a wrapper around each would make it slower.
    """
    lists = []
    for leg, plugin in enumerate(("check_smtp", "check_imap")):
        path = folder / f"{plugin}-{server.ports['imaps']}.txt"
        path.write_text("".join(f"{shlex.join(commands(server, user)[leg][1:])}\n" for user in users))
        lists.append(shlex.join(["xargs", "-a", str(path), "-L1", f"-P{parallel // 2}", _path(plugin) or plugin]))
    return Peer(
        f"xargs -P{parallel} plugins",
        ("sh", "-c", f"{lists[0]} & outbound=$!; {lists[1]} && wait $outbound"),
        missing=missing() or ("" if shutil.which("xargs") else "xargs is not installed"),
        logins=(len(users), len(users)),
    )


def _path(name: str) -> str | None:
    return shutil.which(name, path=FOLDERS)
