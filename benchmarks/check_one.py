"""One account, both legs over TLS: `mailtui check` beside the tools that do the same job.

Run `python -m benchmarks.check_one [--quick]`.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import curl, plugins, server
from benchmarks.measure import Peer, RunFailed, interleave, run
from benchmarks.ours import ours
from benchmarks.relay import Relayed, relay
from benchmarks.report import at_most, compare, machine, verdicts
from benchmarks.server import Server, User, running_server

BARE = "bare script"
ROUND_TRIP = 0.04
"""Seconds that a round trip takes while they are counted: long enough to tell one answer from the next."""


def peers(served: Server, user: User, folder: Path) -> list[Peer]:
    """All contestants."""
    return [
        ours(served, [user], folder),
        _bare(served, user),
        _swaks_and_curl(served, user, folder),
        plugins.one(served, user),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 unless nothing could be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.check_one", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 runs of each instead of 20")
    parser.add_argument("--runs", type=int, help="how many runs of each count")
    options = parser.parse_args(arguments)
    rounds = options.runs or (3 if options.quick else 20)
    if reason := server.missing():
        print(f"check_one: nothing measured: {reason}", file=sys.stderr)
        return 1
    with running_server(1) as served, tempfile.TemporaryDirectory(prefix="mailtui-bench-") as name:
        folder, user = Path(name), served.users[0]
        outcome = interleave(peers(served, user, folder), rounds, served)
        with relay(served, ROUND_TRIP) as relayed:
            trips = {peer.name: _count(peer, relayed) for peer in peers(relayed.server, user, folder)}
    print(f"One account, both legs over TLS, {rounds} runs of each in turn ({machine()})")
    print(compare(outcome, 2, {"round trips out / in": trips}))
    print()
    print(verdicts([at_most(outcome, 1.5, BARE)]))
    return 0


def _count(peer: Peer, relayed: Relayed) -> str:
    """The round trips of one run of a peer, outbound / inbound."""
    if peer.missing:
        return ""
    relayed.take_trips()
    try:
        run(peer)
    except RunFailed as failed:
        return str(failed)
    return relayed.take_trips()


def _bare(served: Server, user: User) -> Peer:
    return Peer(
        BARE,
        (sys.executable, str(Path(__file__).parent / "bare.py")),
        environment={
            "BARE_HOST": served.host,
            "BARE_USER": user.name,
            "BARE_PASSWORD": user.password,
            "BARE_CA": str(served.ca),
            "BARE_SMTP_PORT": str(served.ports["submissions"]),
            "BARE_IMAP_PORT": str(served.ports["imaps"]),
        },
        logins=(1, 1),
    )


def _swaks_and_curl(served: Server, user: User, folder: Path) -> Peer:
    """swaks for the outbound leg and curl for the inbound one, at once."""
    name = "swaks + curl"
    if shutil.which("swaks") is None or curl.missing():
        return Peer(name, (), missing="not installed")
    secure = _swaks_knows_tls()
    service = "submissions" if secure else "submission"
    tls = ["--tls-on-connect", "--tls-verify", "--tls-ca-path", str(served.ca)] if secure else []
    settings = folder / f"curl-one-{served.ports['imaps']}.conf"
    settings.write_text(curl.transfers(served, [user], ["imaps"]))
    login = ["--auth", "PLAIN", "--auth-user", user.name, "--auth-password", user.password]
    envelope = ["--helo", "localhost", "--from", user.email, "--to", user.email, "--quit-after", "MAIL"]
    swaks = shlex.join(
        ["swaks", "--server", served.host, "--port", str(served.ports[service]), *tls, *login, *envelope]
    )
    fetch = shlex.join(["curl", "--config", str(settings)])
    return Peer(
        name if secure else f"{name} (swaks without TLS: its Net::SSLeay is not installed)",
        ("sh", "-c", f"{swaks} & outbound=$!; {fetch} && wait $outbound"),
        logins=(1, 1),
    )


def _swaks_knows_tls() -> bool:
    support = subprocess.run(["swaks", "--support"], capture_output=True, text=True, check=False, timeout=30).stdout
    return "=== TLS" in support


if __name__ == "__main__":
    sys.exit(main())
