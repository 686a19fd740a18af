"""curl as one of the peers: logs in and runs one harmless command per leg, sending no mail."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Peer
from benchmarks.server import Server, User


def missing() -> str:
    """Why curl cannot take part, or nothing."""
    return "" if shutil.which("curl") else "not installed"


def transfers(server: Server, users: Sequence[User], legs: Sequence[str] = ("submissions", "imaps")) -> str:
    """A curl configuration: one transfer per leg and user."""
    urls = {
        "submissions": (f"smtps://{server.host}:{server.ports['submissions']}/", "NOOP"),
        "imaps": (f"imaps://{server.host}:{server.ports['imaps']}/", "EXAMINE INBOX"),
    }
    blocks = []
    for user in users:
        for leg in legs:
            url, request = urls[leg]
            lines = (f'url = "{url}"', f'user = "{user.name}:{user.password}"', f'request = "{request}"')
            blocks.append("\n".join((*lines, f'cacert = "{server.ca}"', "silent", "show-error")))
    return "\nnext\n".join(blocks) + "\n"


def many(server: Server, users: Sequence[User], folder: Path, parallel: int) -> Peer:
    """`curl -Z` over both legs of all users, `parallel` at once."""
    path = folder / f"curl-{server.ports['imaps']}.conf"
    path.write_text(transfers(server, users))
    return Peer(
        f"curl -Z {parallel}",
        ("curl", "--parallel", "--parallel-immediate", "--parallel-max", str(parallel), "--config", str(path)),
        missing=missing(),
        logins=(len(users), len(users)),
    )
