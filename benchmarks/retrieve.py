"""10,000 messages, about 300 MB, out of a local Dovecot into a fresh Maildir: first run, and again with nothing new.

Run `python -m benchmarks.retrieve [--quick] [--messages N] [--runs N] [--round-trip MS] [--protocol imap|pop3]`.
POP3 is compared with mpop and fetchmail, IMAP with mbsync and getmail, without and with 30 ms of added round trip. Each
first run begins with nothing; what arrived is counted, and its octets are added up, before a time counts.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import link, server
from benchmarks.fetchers import FETCHERS, Fetcher
from benchmarks.letters import Filled, fill
from benchmarks.measure import ROOT, Run, RunFailed, bytecode_in, median, run
from benchmarks.report import OURS, Outcome, Target, at_most, below, machine, table, verdicts
from benchmarks.server import Server, find, running_server
from mailtui.model.account import Protocol

MESSAGES = 10_000
DEADLINE = 900.0
"""Seconds for one run: a tool that waits for the line at each message needs them."""
ROUND_TRIP = 30.0
INSIDE = "MAILTUI_BENCH_NAMESPACE"
# A line of strace's summary: share of time, seconds, microseconds a call, calls, errors if any, name.
_CALLS = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s.*\b(?:fsync|fdatasync|syncfs)$", re.MULTILINE)
_TIMES = {Protocol.POP3: ("mpop", 0.7), Protocol.IMAP: ("mbsync", 0.6)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 unless nothing could be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrieve", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="500 messages and 1 run of each")
    parser.add_argument("--messages", type=int, help=f"how many messages (default {MESSAGES})")
    parser.add_argument("--runs", type=int, help="how many runs of each count (default 3)")
    parser.add_argument("--round-trip", type=float, metavar="MS", help="only this much added round trip")
    parser.add_argument("--protocol", choices=("imap", "pop3"), help="only this one")
    parser.add_argument("--only", action="append", metavar="NAME", help="only these programs; repeatable")
    options = parser.parse_args(arguments)
    messages = options.messages or (500 if options.quick else MESSAGES)
    rounds = options.runs or (1 if options.quick else 3)
    if reason := server.missing():
        print(f"retrieve: nothing measured: {reason}", file=sys.stderr)
        return 1
    protocols = [Protocol(options.protocol)] if options.protocol else list(FETCHERS)
    delays = [0.0, ROUND_TRIP] if options.round_trip is None else [options.round_trip]
    command = link.namespace_command()
    for delay in delays:
        if delay and command and INSIDE not in os.environ:
            again = ["--messages", str(messages), "--runs", str(rounds), "--round-trip", str(delay)]
            again += ["--protocol", options.protocol] if options.protocol else []
            again += [word for name in options.only or () for word in ("--only", name)]
            inside = [*command, sys.executable, "-m", "benchmarks.retrieve", *again]
            subprocess.run(inside, cwd=ROOT, env={**os.environ, INSIDE: "1"}, check=False)
        elif delay and not command:
            print(f"With {delay:g} ms nothing is measured: no network namespace can be made here", flush=True)
        else:
            _measure(messages, rounds, delay, protocols, options.only)
    return 0


def _measure(messages: int, rounds: int, delay: float, protocols: Sequence[Protocol], only: list[str] | None) -> None:
    with (
        _serving(delay / 1000) as served,
        tempfile.TemporaryDirectory(prefix="mailtui-bench-") as name,
        tempfile.TemporaryDirectory(prefix="mailtui-bench-bytecode-") as bytecode,
    ):
        # A fetcher that is not root has to come to its folder.
        Path(name).chmod(0o755)
        owner = "mail" if os.geteuid() == 0 else None
        filled = fill(served.folder / "mail" / served.users[0].name, messages, owner)
        for protocol in protocols:
            fetchers = [kind(served, protocol, Path(name)) for kind in FETCHERS[protocol]]
            fetchers = [one for one in fetchers if not only or one.name in only or one.name == OURS]
            first, again = _interleave(fetchers, rounds, filled, bytecode_in(bytecode))
            words = f"{protocol.label}, {filled.messages} messages, {filled.octets / 1e6:.0f} MB, over TLS"
            print(f"{words}, {delay:g} ms of added round trip, {rounds} runs of each in turn ({machine()})")
            print(_table(first, again, {} if delay else _syncs(fetchers, bytecode_in(bytecode), first)), end="\n\n")
            print(verdicts(_targets(protocol, first, again, delay)), end="\n\n", flush=True)


@contextlib.contextmanager
def _serving(round_trip: float) -> Iterator[Server]:
    if not round_trip:
        with running_server(2) as served:
            yield served
        return
    with link.slow_link(round_trip), running_server(2, listen=link.NEAR, host=link.FAR) as served:
        yield served


def _interleave(
    fetchers: Sequence[Fetcher], rounds: int, filled: Filled, environment: Mapping[str, str]
) -> tuple[Outcome, Outcome]:
    """First runs and runs with nothing new of each in turn; a warm-up comes first and does not count."""
    first: dict[str, list[Run] | str] = {one.name: one.missing or [] for one in fetchers}
    again: dict[str, list[Run] | str] = {one.name: one.missing or [] for one in fetchers}
    for turn in range(-1 if rounds > 1 else 0, rounds):
        for fetcher in fetchers:
            firsts, agains = first[fetcher.name], again[fetcher.name]
            if isinstance(firsts, str) or isinstance(agains, str):
                continue
            try:
                measured = _once(fetcher, filled, environment)
            except RunFailed as failed:
                first[fetcher.name] = again[fetcher.name] = f"failed: {failed}"
                continue
            if turn >= 0:
                firsts.append(measured[0])
                agains.append(measured[1])
    return first, again


def _once(fetcher: Fetcher, filled: Filled, environment: Mapping[str, str]) -> tuple[Run, Run]:
    fetcher.reset()
    # What the run before has left in the kernel's hands is none of this one's business.
    os.sync()
    first = run(fetcher.peer(), fetcher.server, environment, deadline=DEADLINE, logins=False)
    count, octets = fetcher.arrived()
    if count != filled.messages or octets < filled.octets:
        raise RunFailed(f"{count} messages of {octets} octets arrived instead of {filled.messages}")
    again = run(fetcher.peer(), fetcher.server, environment, deadline=DEADLINE, logins=False)
    if fetcher.arrived()[0] != count:
        raise RunFailed(f"{fetcher.arrived()[0] - count} messages came twice")
    return first, again


def _syncs(fetchers: Sequence[Fetcher], environment: Mapping[str, str], outcome: Outcome) -> dict[str, str]:
    """How often each asks the kernel to sync in a first run, counted in a run of its own."""
    if find("strace") is None:
        return {}
    counts = {}
    for fetcher in fetchers:
        if isinstance(outcome[fetcher.name], str):
            continue
        fetcher.reset()
        peer, log = fetcher.peer(), fetcher.folder.with_suffix(".strace")
        watch = ("strace", "-f", "-qq", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync,syncfs", "-o", str(log))
        with contextlib.suppress(RunFailed):
            run(replace(peer, argv=(*watch, *peer.argv)), None, environment, deadline=DEADLINE)
            counts[fetcher.name] = str(sum(map(int, _CALLS.findall(log.read_text()))))
    return counts


def _table(first: Outcome, again: Outcome, syncs: Mapping[str, str]) -> str:
    heads = "wall s (min-max)", "mailtui is", "cpu s", "server cpu s", "peak MB", "fsyncs", "again ms", "mailtui is"
    rows = [["", *heads]]
    absent = []
    for name, runs in first.items():
        reruns = again[name]
        if isinstance(runs, str) or isinstance(reruns, str):
            absent.append(f"{name}: {runs}")
            continue
        walls = [one.wall for one in runs]
        rows.append(
            [
                name,
                f"{median(runs, 'wall'):.2f} ({min(walls):.2f}-{max(walls):.2f})",
                _ratio(first, name),
                f"{median(runs, 'cpu'):.2f}",
                f"{median(runs, 'server_cpu'):.2f}",
                f"{median(runs, 'peak'):.0f}",
                syncs.get(name, ""),
                f"{median(reruns, 'wall') * 1000:.0f}",
                _ratio(again, name),
            ]
        )
    return "\n".join([table(rows), *absent])


def _ratio(outcome: Outcome, name: str) -> str:
    ours, theirs = outcome[OURS], outcome[name]
    if name == OURS or isinstance(ours, str) or isinstance(theirs, str):
        return ""
    return f"{median(ours, 'wall') / median(theirs, 'wall'):.2f}x"


def _targets(protocol: Protocol, first: Outcome, again: Outcome, delay: float) -> list[Target]:
    rival, times = _TIMES[protocol]
    rivals = [name for name in first if name != OURS]
    speed = [at_most(first, 0.5, name) for name in rivals] if delay else [at_most(first, times, rival)]
    return [*speed, below(first, "peak", 80, "peak memory under 80 MB"), *_rerun(again)]


def _rerun(again: Outcome) -> list[Target]:
    """With nothing new we take no longer than mbsync and our own start."""
    ours, theirs = again.get(OURS, ""), again.get("mbsync", "")
    if isinstance(ours, str) or isinstance(theirs, str):
        return []
    start = subprocess.run(
        [sys.executable, "-m", "timeit", "-n1", "-r5", "-s", "import subprocess", f"subprocess.run({_START!r})"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    value, unit = re.findall(r"best of 5: ([\d.]+) (\w+)", start)[0]
    seconds = float(value) * {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}[unit]
    limit, measured = median(theirs, "wall") + seconds, median(ours, "wall")
    promise = f"nothing new: at most mbsync's time and our start ({limit * 1000:.0f} ms)"
    return [Target(promise, f"{measured * 1000:.0f} ms", measured <= limit)]


_START = [sys.executable, "-c", "import mailtui.actions.retrieve, mailtui.protocols.imap_source"]


if __name__ == "__main__":
    sys.exit(main())
