"""500 accounts, 1,000 legs over TLS to a local Dovecot, without and with 50 ms of added round trip.

Run `python -m benchmarks.check_many [--quick] [--round-trip MS]`.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import blackbox, curl, link, plugins, server
from benchmarks.measure import ROOT, interleave
from benchmarks.ours import ours
from benchmarks.relay import relay
from benchmarks.report import Outcome, Target, at_most, below, compare, machine, verdicts
from benchmarks.server import Server, running_server

ACCOUNTS = 500
"""How many accounts the targets are meant for."""
PARALLEL = 50
"""How many transfers the other tools hold open at once."""
SLOW_PARALLEL = 200
"""The same on a slow line, where only the exporter is compared: curl takes a minute there."""
OURS_AT_ONCE = ("--limit", "200", "--per-host", "200")
INSIDE = "MAILTUI_BENCH_NAMESPACE"
"""Set in the process that was started inside the namespace."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 unless nothing could be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.check_many", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="60 accounts and 2 runs of each instead of 500 and 5")
    parser.add_argument("--accounts", type=int, help="how many accounts")
    parser.add_argument("--runs", type=int, help="how many runs of each count")
    parser.add_argument(
        "--round-trip", type=float, metavar="MS", help="only this much added round trip (else 0 and 50)"
    )
    options = parser.parse_args(arguments)
    accounts = options.accounts or (60 if options.quick else ACCOUNTS)
    rounds = options.runs or (2 if options.quick else 5)
    if reason := server.missing():
        print(f"check_many: nothing measured: {reason}", file=sys.stderr)
        return 1
    if accounts < ACCOUNTS and INSIDE not in os.environ:
        print(
            f"The targets are meant for {ACCOUNTS} accounts: with {accounts}, starting Python weighs most.\n",
            flush=True,
        )
    delays = [0.0, 50.0] if options.round_trip is None else [options.round_trip]
    statuses = [_local(accounts, rounds) if delay == 0 else _slow(accounts, rounds, delay) for delay in delays]
    return max(statuses)


def _local(accounts: int, rounds: int) -> int:
    """Straight to the server over loopback."""
    legs = 2 * accounts
    with running_server(accounts) as served, _folder() as folder, contextlib.ExitStack() as stack:
        fast = curl.many(served, served.users, folder, PARALLEL)
        prober = stack.enter_context(blackbox.many(served, served.users, folder, PARALLEL))
        processes = plugins.many(served, served.users, folder, PARALLEL)
        own = ours(served, served.users, folder, OURS_AT_ONCE)
        outcome = interleave([own, fast, prober, processes], rounds, served)
    print(f"{accounts} accounts, {legs} legs over TLS, {rounds} runs of each in turn ({machine()})")
    print(compare(outcome, legs, {}))
    print()
    targets = [at_most(outcome, 1, fast.name), at_most(outcome, 1, prober.name), at_most(outcome, 0.5, processes.name)]
    print(verdicts([*targets, *_costs(outcome, legs)]), end="\n\n", flush=True)
    return 0


def _slow(accounts: int, rounds: int, delay: float) -> int:
    """Over a line with `delay` ms of round trip: in a namespace of our own, or else through a relay."""
    command = link.namespace_command()
    if command and INSIDE not in os.environ:
        again = f"--accounts {accounts} --runs {rounds} --round-trip {delay}".split()
        return subprocess.run(
            [*command, sys.executable, "-m", "benchmarks.check_many", *again],
            cwd=ROOT,
            env={**os.environ, INSIDE: "1"},
            check=False,
        ).returncode
    legs = 2 * accounts
    with _slow_server(accounts, delay / 1000) as (served, way), _folder() as folder, contextlib.ExitStack() as stack:
        prober = stack.enter_context(blackbox.many(served, served.users, folder, SLOW_PARALLEL))
        own = ours(served, served.users, folder, OURS_AT_ONCE)
        outcome = interleave([own, prober], rounds, served)
    print(f"The same with {delay:g} ms of added round trip, by {way}")
    print(compare(outcome, legs, {}))
    print()
    print(verdicts([at_most(outcome, 1, prober.name), *_costs(outcome, legs)]), end="\n\n", flush=True)
    return 0


def _costs(outcome: Outcome, legs: int) -> list[Target]:
    return [
        below(outcome, "cpu", 2, "cpu under 2 ms per leg", 1000 / legs),
        below(outcome, "peak", 80, "peak memory under 80 MB"),
    ]


@contextlib.contextmanager
def _slow_server(accounts: int, round_trip: float) -> Iterator[tuple[Server, str]]:
    if INSIDE in os.environ:
        with link.slow_link(round_trip), running_server(accounts, listen=link.NEAR, host=link.FAR) as served:
            yield served, "a slow line in a network namespace"
        return
    with running_server(accounts) as served, relay(served, round_trip) as relayed:
        yield relayed.server, "a relay (its processor time slows every contestant)"


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-") as name:
        yield Path(name)


if __name__ == "__main__":
    sys.exit(main())
