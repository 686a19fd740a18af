"""Prometheus' blackbox_exporter as a peer: its TCP prober, one module per leg and user, driven over HTTP by curl."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import curl
from benchmarks.measure import Peer
from benchmarks.server import Server, User

START_DEADLINE = 30.0
"""Seconds for the exporter to listen."""


def missing() -> str:
    """Why the exporter cannot take part, or nothing."""
    if curl.missing():
        return "its driver, curl, is not installed"
    return "" if _program() else "not installed"


@contextlib.contextmanager
def many(server: Server, users: Sequence[User], folder: Path, parallel: int) -> Iterator[Peer]:
    """A running exporter, and as the peer `curl -Z` that asks it for every leg of all users, `parallel` at once."""
    name = f"blackbox_exporter {parallel}"
    if missing():
        yield Peer(name, (), missing=missing())
        return
    settings = folder / f"blackbox-{server.ports['imaps']}.yml"
    # JSON is YAML.
    settings.write_text(json.dumps({"modules": _modules(server, users)}))
    port = _free_port()
    command = [
        _program() or "",
        f"--config.file={settings}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    ]
    with (folder / "blackbox.log").open("wb") as log:
        exporter = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_up(exporter, port)
        transfers = folder / f"blackbox-{server.ports['imaps']}.conf"
        urls = [
            f'url = "http://127.0.0.1:{port}/probe?target={server.host}:{server.ports[service]}&module={leg}-{user.name}"'
            for user in users
            for leg, service in (("smtp", "submissions"), ("imap", "imaps"))
        ]
        transfers.write_text("\n".join(urls) + "\n")
        yield Peer(
            name,
            ("curl", "-sS", "--parallel", "--parallel-max", str(parallel), "--config", str(transfers)),
            logins=(len(users), len(users)),
            success="probe_success 1",
            expected=2 * len(users),
            daemon=exporter.pid,
        )
    finally:
        exporter.terminate()
        try:
            exporter.wait(START_DEADLINE)
        except subprocess.TimeoutExpired:
            exporter.kill()
            exporter.wait()


def _modules(server: Server, users: Sequence[User]) -> dict[str, object]:
    modules: dict[str, object] = {}
    for user in users:
        token = base64.b64encode(f"\0{user.name}\0{user.password}".encode()).decode()
        imap = [
            ("^\\* OK", f"1 LOGIN {user.name} {user.password}"),
            ("^1 OK", "2 EXAMINE INBOX"),
            ("^2 OK", "3 LOGOUT"),
            ("^3 OK", ""),
        ]
        smtp = [
            ("^220 ", "EHLO localhost"),
            ("^250 ", f"AUTH PLAIN {token}"),
            ("^235 ", f"MAIL FROM:<{user.email}>"),
            ("^250 ", "RSET"),
            ("^250 ", "QUIT"),
            ("^221 ", ""),
        ]
        modules[f"imap-{user.name}"] = _module(server, imap)
        modules[f"smtp-{user.name}"] = _module(server, smtp)
    return modules


def _module(server: Server, dialogue: Sequence[tuple[str, str]]) -> dict[str, object]:
    steps: list[dict[str, str]] = []
    for expect, send in dialogue:
        steps.append({"expect": expect})
        if send:
            # The exporter ends each line with LF alone.
            steps.append({"send": f"{send}\r"})
    tcp = {
        "preferred_ip_protocol": "ip4",
        "tls": True,
        "tls_config": {"ca_file": str(server.ca)},
        "query_response": steps,
    }
    return {"prober": "tcp", "timeout": "60s", "tcp": tcp}


def _program() -> str | None:
    return shutil.which("prometheus-blackbox-exporter") or shutil.which("blackbox_exporter")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_up(exporter: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while True:
        if exporter.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("blackbox_exporter did not start")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
