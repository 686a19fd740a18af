"""Plain tables and verdicts."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measure import Run, median

OURS = "mailtui"
Outcome = Mapping[str, list[Run] | str]


@dataclass(frozen=True, slots=True)
class Target:
    """A promise: `measured` in words, and whether it is kept; None when there is nothing to compare with."""

    promise: str
    measured: str
    kept: bool | None


def machine() -> str:
    """What this ran on, in one line."""
    load = os.getloadavg()[0]
    return f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, load {load:.1f}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in rows if len(row) > column) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=False)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def compare(outcome: Outcome, legs: int, extra: Mapping[str, Mapping[str, str]]) -> str:
    """One row per peer. `extra` adds columns: head -> peer's name -> text. `legs` divides the processor times."""
    ours = outcome.get(OURS)
    heads = ["", "wall ms (min-max)", "mailtui is", "cpu ms/leg", "server ms/leg", "peak MB", *extra]
    rows, absent = [heads], []
    for name, runs in outcome.items():
        if isinstance(runs, str):
            absent.append(f"{name}: {runs}")
            continue
        walls = [one.wall * 1000 for one in runs]
        wall = median(runs, "wall")
        times = f"{median(ours, 'wall') / wall:.2f}x" if isinstance(ours, list) and name != OURS else ""
        rows.append(
            [
                name,
                f"{wall * 1000:.0f} ({min(walls):.0f}-{max(walls):.0f})",
                times,
                f"{median(runs, 'cpu') * 1000 / legs:.2f}",
                f"{median(runs, 'server_cpu') * 1000 / legs:.2f}",
                f"{median(runs, 'peak'):.0f}",
                *(column.get(name, "") for column in extra.values()),
            ]
        )
    return "\n".join([table(rows), *absent])


def at_most(outcome: Outcome, times: float, peer: str) -> Target:
    """Our median wall time is at most `times` that of `peer`."""
    promise = f"wall at most {times:g}x {peer}"
    ours, theirs = outcome.get(OURS, ""), outcome.get(peer, "")
    if isinstance(ours, str) or isinstance(theirs, str):
        return Target(promise, "not compared", None)
    ratio = median(ours, "wall") / median(theirs, "wall")
    return Target(promise, f"{ratio:.2f}x", ratio <= times)


def below(outcome: Outcome, what: str, limit: float, promise: str, scale: float = 1.0) -> Target:
    """Our median of one field of `Run`, times `scale`, is under `limit`."""
    ours = outcome.get(OURS, "")
    if isinstance(ours, str):
        return Target(promise, "not measured", None)
    value = median(ours, what) * scale
    return Target(promise, f"{value:.2f}", value < limit)


def verdicts(targets: Sequence[Target]) -> str:
    """The promises, each with its measurement."""
    words = {True: "kept", False: "MISSED", None: "-"}
    return table([["target", "measured", ""], *([one.promise, one.measured, words[one.kept]] for one in targets)])
