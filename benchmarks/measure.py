"""Run commands in turn and tell what each one cost."""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.server import Server

ROOT = Path(__file__).parent.parent
DEADLINE = 180.0
"""Seconds for one run of one command."""
LOG_DEADLINE = 5.0
"""Seconds for the server's log to tell of the logins that a finished command made."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to do the job.

    `missing` says why it cannot run here. `statuses` are the exit codes of success. `logins` is how many it makes,
    outbound and inbound. `success` counts in its output what must have happened `expected` times. `daemon` is a
    process that works for it and outlives it.
    """

    name: str
    argv: Sequence[str]
    missing: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    statuses: Sequence[int] = (0,)
    logins: tuple[int, int] = (0, 0)
    success: str = ""
    expected: int = 0
    daemon: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What one run cost: seconds of wall clock and of processors (its own and the server's), peak memory in MB."""

    wall: float
    cpu: float
    peak: float
    server_cpu: float = 0.0


class RunFailed(Exception):
    """A command that did not do the whole job; one line says why."""


def bytecode_in(folder: str) -> dict[str, str]:
    """The environment in which Python keeps its compiled modules in `folder`.

    As installed programs do, and whatever the caller's environment says; and the source tree stays clean.
    """
    return {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}


def run(
    peer: Peer,
    server: Server | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    deadline: float = DEADLINE,
    logins: bool = True,
) -> Run:
    """Run a peer once. Raises RunFailed when it fails, hangs, or (with `logins`) logged in too seldom or too often."""
    offset = server.log.stat().st_size if server else 0
    server_before = server.cpu() if server else 0.0
    daemon_before = _daemon_cpu(peer.daemon)
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-run-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        job = {
            "argv": list(peer.argv),
            "environment": {**(environment or {}), **peer.environment},
            "directory": str(ROOT),
            "stdout": str(out),
            "stderr": str(err),
        }
        answer = _launch(job, deadline)
        if answer["status"] not in peer.statuses:
            raise RunFailed(f"exit {answer['status']}: {_last_line(err) or _last_line(out)}")
        if peer.success and (found := len(re.findall(peer.success, out.read_text(errors="replace")))) != peer.expected:
            raise RunFailed(f"{found} successes instead of {peer.expected}: {_last_line(err)}")
    if server and logins:
        _await_logins(server, offset, peer.logins)
    daemon_after = _daemon_cpu(peer.daemon)
    return Run(
        wall=answer["wall"],
        cpu=answer["user"] + answer["system"] + daemon_after[0] - daemon_before[0],
        peak=max(answer["peak_kib"] * 1024 / 1e6, daemon_after[1]),
        server_cpu=server.cpu() - server_before if server else 0.0,
    )


def interleave(peers: Iterable[Peer], rounds: int, server: Server | None = None) -> dict[str, list[Run] | str]:
    """Run the peers in turn, `rounds` times, each round starting with another one.

    Answers the runs of each peer by its name, or the reason why it has none. A warm-up comes first and does not count.
    """
    outcome: dict[str, list[Run] | str] = {peer.name: peer.missing or [] for peer in peers}
    ready = [peer for peer in peers if not peer.missing]
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-bytecode-") as bytecode:
        for turn in range(-1, rounds):
            start = max(0, turn) % max(1, len(ready))
            for peer in ready[start:] + ready[:start]:
                runs = outcome[peer.name]
                if isinstance(runs, str):
                    continue
                try:
                    measured = run(peer, server, bytecode_in(bytecode))
                except RunFailed as failed:
                    outcome[peer.name] = f"failed: {failed}"
                    continue
                if turn >= 0:
                    runs.append(measured)
    return outcome


def median(runs: Sequence[Run], what: str) -> float:
    """The median of one of the fields of `Run`."""
    return statistics.median(float(getattr(one, what)) for one in runs)


def _launch(job: Mapping[str, object], deadline: float) -> dict[str, float]:
    command = [sys.executable, "-I", "-S", str(Path(__file__).parent / "launch.py")]
    launcher = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    with launcher:
        try:
            answer, _ = launcher.communicate(json.dumps(job), deadline)
        except subprocess.TimeoutExpired:
            raise RunFailed(f"not done after {deadline:.0f} s") from None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(launcher.pid, signal.SIGKILL)
    if launcher.returncode != 0:
        raise RunFailed(f"could not be started: {job['argv']}")
    measured: dict[str, float] = json.loads(answer)
    return measured


def _await_logins(server: Server, offset: int, wanted: tuple[int, int]) -> None:
    """Wait until the log tells of the logins. Raises RunFailed when they are fewer, or more: then it proves nothing."""
    deadline = time.monotonic() + LOG_DEADLINE
    while (seen := server.logins(offset)) != wanted:
        if time.monotonic() > deadline or seen[0] > wanted[0] or seen[1] > wanted[1]:
            raise RunFailed(f"logins outbound and inbound: {seen} instead of {wanted}")
        time.sleep(0.02)


def _daemon_cpu(pid: int | None) -> tuple[float, float]:
    """Seconds of processor time and peak memory in MB of a process that works for a peer."""
    if pid is None:
        return 0.0, 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    ticks = sum(int(field) for field in fields[11:13])
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak[1]) * 1024 / 1e6 if peak else 0.0


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").split("\n")
    return next((line.strip()[:160] for line in reversed(lines) if line.strip()), "")
