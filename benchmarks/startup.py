"""What it costs to start: `mailtui --help` and the way to a check, beside Python itself.

Run `python -m benchmarks.startup [--quick]`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from benchmarks.measure import ROOT, Peer, bytecode_in, interleave, median
from benchmarks.report import Target, machine, table, verdicts

HELP = "mailtui --help"
ARGPARSE = "python -c 'import argparse'"
COSTLIEST = 12
"""How many modules the list of the costliest imports shows."""


def peers() -> list[Peer]:
    """The commands, each by itself."""
    python, mailtui = (sys.executable, "-c"), (sys.executable, "-m", "mailtui")
    return [
        Peer("python -c pass", (*python, "pass")),
        Peer(ARGPARSE, (*python, "import argparse")),
        Peer("import asyncio, ssl", (*python, "import asyncio, ssl")),
        Peer("import aiosmtplib, aioimaplib", (*python, "import aiosmtplib, aioimaplib.aioimaplib")),
        Peer(HELP, (*mailtui, "--help")),
        Peer("mailtui check --help", (*mailtui, "check", "--help")),
        Peer("mailtui check --file, no account", (*mailtui, "check", "--file", "/dev/null"), statuses=(0, 3)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; always 0."""
    parser = argparse.ArgumentParser(prog="benchmarks.startup", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="5 runs of each instead of 30")
    parser.add_argument("--runs", type=int, help="how many runs of each count")
    options = parser.parse_args(arguments)
    rounds = options.runs or (5 if options.quick else 30)
    outcome = interleave(peers(), rounds)
    rows = [["", "wall ms (min-max)", "cpu ms", "peak MB"]]
    for name, runs in outcome.items():
        if isinstance(runs, str):
            rows.append([f"{name}: {runs}"])
            continue
        walls = [one.wall * 1000 for one in runs]
        wall, cpu = median(runs, "wall") * 1000, median(runs, "cpu") * 1000
        rows.append(
            [name, f"{wall:.0f} ({min(walls):.0f}-{max(walls):.0f})", f"{cpu:.0f}", f"{median(runs, 'peak'):.0f}"]
        )
    print(f"Start-up, {rounds} runs of each in turn ({machine()})")
    print(table(rows))
    print()
    ours, base = outcome[HELP], outcome[ARGPARSE]
    if not isinstance(ours, str) and not isinstance(base, str):
        ratio = median(ours, "wall") / median(base, "wall")
        print(verdicts([Target(f"{HELP} under 3x {ARGPARSE}", f"{ratio:.2f}x", ratio < 3)]))
        print()
    print(_costliest_imports())
    return 0


def _costliest_imports() -> str:
    """The modules that `mailtui check --file` spends most on by themselves (`-X importtime`)."""
    command = [sys.executable, "-X", "importtime", "-m", "mailtui", "check", "--file", "/dev/null"]
    words = ""
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-") as bytecode:
        environment = {**os.environ, **bytecode_in(bytecode)}
        for _ in ("warm-up", "measured"):
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
            )
            words = done.stderr
    found = re.findall(r"import time:\s*(\d+) \|\s*(\d+) \|\s*(\S+)", words)
    costliest = sorted(found, key=lambda one: -int(one[0]))[:COSTLIEST]
    rows = [[name, f"{int(alone) / 1000:.1f}", f"{int(total) / 1000:.1f}"] for alone, total, name in costliest]
    return table([["costliest imports of mailtui check --file", "alone ms", "with its own ms"], *rows])


if __name__ == "__main__":
    sys.exit(main())
