"""`make fuzz`: the targets under Atheris (libFuzzer), which keeps inputs that reach new code and mutates those.

`python -m tests.fuzz.guided [--seconds N] [TARGET ...]`. The seconds are for all targets together. What was learnt is
kept in .fuzz/corpus and begins the next run; what breaks a promise is written to .fuzz/crashes, and the exit code is 1.
One crash again: `python -m tests.fuzz.guided --replay TARGET FILE`.
"""

import argparse
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(".fuzz")
_LONGEST = 4_096
"""Octets of an input; longer ones are the business of the hostile battery."""

_GRACE = 60
"""Seconds after its time that a target may take to start and to end."""

_SECONDS_FOR_ONE = 20
_MEGABYTES = 2_048
_COVERAGE = re.compile(r"^#[0-9]+\t([A-Z]+) +cov: ([0-9]+)", re.MULTILINE)
_EXECUTED = re.compile(r"^stat::number_of_executed_units: ([0-9]+)", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What came of one target: executions, code reached by the seeds and in the end, and new crash files."""

    target: str
    executed: int
    seeded: int
    reached: int
    crashes: tuple[Path, ...]
    said: str
    ended: bool


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description="Fuzz what reads outside text.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (default: 60)")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="run one input, without fuzzing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.replay:
        from tests.fuzz.targets import TARGETS

        TARGETS[chosen.replay[0]].run(Path(chosen.replay[1]).read_bytes())
        return 0
    if chosen.one:
        _fuzz(chosen.one, chosen.seconds)
    return _run_all(chosen.targets, chosen.seconds)


def _run_all(names: Sequence[str], seconds: int) -> int:
    from tests.fuzz.targets import TARGETS

    if unknown := set(names) - set(TARGETS):
        print(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    chosen = names or list(TARGETS)
    for name in chosen:
        _write_seeds(name, TARGETS[name].seeds)
    at_once = min(os.cpu_count() or 1, len(chosen))
    each = max(1, seconds * at_once // len(chosen))
    with ThreadPoolExecutor(at_once) as pool:
        outcomes = list(pool.map(lambda name: _run_one(name, each), chosen))
    print(f"{'target':14} {'executions':>10} {'seeds reach':>11} {'reached':>8}  result")
    for outcome in outcomes:
        result = f"{len(outcome.crashes)} crashes" if outcome.crashes else "good" if outcome.ended else "DID NOT END"
        print(f"{outcome.target:14} {outcome.executed:>10} {outcome.seeded:>11} {outcome.reached:>8}  {result}")
    bad = [outcome for outcome in outcomes if outcome.crashes or not outcome.ended]
    for outcome in bad:
        print(f"\n{outcome.target}: {', '.join(map(str, outcome.crashes)) or 'no crash file'}\n{outcome.said[-3_000:]}")
    return 1 if bad else 0


def _write_seeds(name: str, seeds: Sequence[bytes]) -> None:
    for folder in ("corpus", "crashes"):
        (FOLDER / folder / name).mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (FOLDER / "corpus" / name / f"seed-{number}").write_bytes(seed)


def _run_one(name: str, seconds: int) -> Outcome:
    crashes = FOLDER / "crashes" / name
    before = set(crashes.iterdir())
    command = [sys.executable, "-m", "tests.fuzz.guided", "--one", name, "--seconds", str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=seconds + _GRACE)
        said, code = done.stderr.decode("utf-8", "replace") + done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as expired:
        said, code = (expired.stderr or b"").decode("utf-8", "replace"), 1
    coverage = _COVERAGE.findall(said)
    executed = _EXECUTED.search(said)
    return Outcome(
        target=name,
        executed=int(executed[1]) if executed else 0,
        seeded=next((int(count) for state, count in coverage if state == "INITED"), 0),
        reached=int(coverage[-1][1]) if coverage else 0,
        crashes=tuple(sorted(set(crashes.iterdir()) - before)),
        said=said,
        ended=code == 0,
    )


def _fuzz(name: str, seconds: int) -> None:
    """Fuzz one target in this process; it ends by leaving the program."""
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        raise SystemExit("Atheris is not installed: run `make fuzz`, or pip install 'mailtui[fuzz]'") from None
    with atheris.instrument_imports(include=["mailtui"]):
        from tests.fuzz.targets import TARGETS
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST}",
        f"-timeout={_SECONDS_FOR_ONE}",
        f"-rss_limit_mb={_MEGABYTES}",
        f"-artifact_prefix={FOLDER / 'crashes' / name}{os.sep}",
        "-print_final_stats=1",
        str(FOLDER / "corpus" / name),
    ]
    atheris.Setup([sys.argv[0], *options], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
