"""How soon the screens are there and how soon they answer: 5,000 accounts on a terminal, idle and while checks run.

Run `python -m benchmarks.tui [--quick]`.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import tui_server
from benchmarks.report import OURS, Target, machine, table, verdicts
from benchmarks.tui_accounts import FEW, copy_folder, environment, program, write_folder
from benchmarks.tui_keys import DOWN, END, ESCAPE, UP, Keys, Times
from benchmarks.tui_screen import Screen
from benchmarks.tui_server import SlowServer, slow_server
from benchmarks.tui_terminal import Terminal

TABLE = "empty Textual app, DataTable of 50 rows"
START_DEADLINE = 30.0
"""Seconds until a program must have drawn its list."""
FIRST, IDLE, BUSY = 1.5, 0.050, 0.100
"""The targets: first frame as a ratio; the 99th percentile of key to repaint in seconds, idle and while checks run."""

QUIT, CONTROL_Q = b"q", b"\x11"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from spawn to the first frame, and to the first one with rows of the list."""

    frame: float
    rows: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 unless nothing could be measured."""
    parser = argparse.ArgumentParser(prog="benchmarks.tui", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 starts and 1 round of keys instead of 15 and 12")
    parser.add_argument("--runs", type=int, help="how many starts of each count")
    parser.add_argument("--rounds", type=int, help="how many rounds of keys, idle and busy")
    parser.add_argument("--accounts", type=int, default=5_000, help="how many accounts (5,000)")
    options = parser.parse_args(arguments)
    runs = options.runs or (3 if options.quick else 15)
    rounds = options.rounds or (1 if options.quick else 12)
    if reason := tui_server.missing():
        print(f"tui: nothing measured: {reason}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-") as name, slow_server(Path(name)) as server:
        bench = Bench(Path(name), server, options.accounts)
        print(f"The screens, {options.accounts:,} accounts, a terminal of 120x40 ({machine()})")
        targets = [bench.starts(runs), *bench.keys(rounds)]
        bench.test_all(max(3, runs // 3))
    print(verdicts(targets))
    return 0


class Bench:
    """The folders and the server, and what is measured with them; each method prints its table."""

    def __init__(self, folder: Path, server: SlowServer, count: int) -> None:
        self._server = server
        self._count = count
        self._all, self._few = folder / "all", folder / "few"
        self._bytecode = str(folder / "bytecode")
        write_folder(self._all, count, server)
        copy_folder(self._all, self._few, count)

    def starts(self, runs: int) -> Target:
        """Spawn to first frame, ours and the table's in turn; a warm-up of each does not count."""
        found: dict[str, list[Start]] = {OURS: [], TABLE: []}
        for turn in range(-1, runs):
            for name in (OURS, TABLE) if turn % 2 else (TABLE, OURS):
                start = self._start(name)
                if turn >= 0 and start is not None:
                    found[name].append(start)
        rows = [["", "first frame ms (min-max)", "with the list ms (min-max)", "runs"]]
        for name, starts in found.items():
            if starts:
                columns = [one.frame for one in starts], [one.rows for one in starts]
                rows.append([name, *(_spread(column) for column in columns), str(len(starts))])
            else:
                rows.append([f"{name}: did not start"])
        print(f"\nFrom spawn to the first frame, {runs} runs of each in turn\n{table(rows)}")
        promise = f"first frame at most {FIRST:g}x that of an empty Textual app with a DataTable"
        if not found[OURS] or not found[TABLE]:
            return Target(promise, "not compared", None)
        ours, theirs = (statistics.median(one.frame for one in found[name]) for name in (OURS, TABLE))
        return Target(promise, f"{ours / theirs:.2f}x", ours / theirs <= FIRST)

    def _start(self, name: str) -> Start | None:
        argv = program() if name == OURS else (sys.executable, str(Path(__file__).parent / "tui_table.py"))
        # The footer is drawn last of all.
        frame = _has_frame if name == OURS else _has_rows
        with Terminal(argv, environment(self._all, self._bytecode)) as terminal:
            first = terminal.wait(frame, START_DEADLINE)
            rows = first if _has_rows(terminal.screen) else terminal.wait(_has_rows, START_DEADLINE)
            terminal.settle(0.2, 2.0)
            terminal.leave(QUIT if name == OURS else CONTROL_Q, START_DEADLINE)
        return None if first is None or rows is None else Start(first - terminal.began, rows - terminal.began)

    def keys(self, rounds: int) -> list[Target]:
        """Key to repaint by kind of key, idle and while FEW checks run."""
        idle, busy, open_connections = Times(), Times(), list[int]()
        with self._opened(self._all) as terminal:
            Keys(terminal, self._count, idle).walk(rounds)
        with self._opened(self._few) as terminal:
            keys = Keys(terminal, self._count, busy)
            for _ in range(rounds):
                # Those that have ended start again; those that run go on.
                keys.untimed(b"T")
                terminal.settle(1.0, 1.0)
                open_connections.append(self._server.connections())
                keys.walk(1)
        rows = [["key to repaint, ms", "n", "idle median", "p99", "settled p99", "n", "busy median", "p99"]]
        kinds = dict.fromkeys([*idle.answered, *idle.missed, *busy.answered, *busy.missed])
        rows += [[kind, *_cells(idle, kind, settled=True), *_cells(busy, kind)] for kind in kinds]
        rows.append(
            ["all", *_summary(idle.all), _ms(_p99([t for s in idle.settled.values() for t in s])), *_summary(busy.all)]
        )
        print(f"\nEach key until the frame that answers it, {rounds} rounds\n{table(rows)}")
        print(f"busy: {FEW} accounts being checked, {_range(open_connections)} connections open")
        return [
            _percentile_target("idle", idle, IDLE),
            _percentile_target(f"while {FEW} checks run", busy, BUSY),
        ]

    def test_all(self, runs: int) -> None:
        """Start the check of every account and press a key at once, and again; cancel; leave while checks run."""
        found: dict[str, list[float]] = {}

        def note(what: str, seconds: float | None) -> None:
            found.setdefault(what, []).append(float("inf") if seconds is None else seconds)

        for _ in range(runs):
            with self._opened(self._all) as terminal:
                at = terminal.press(b"T" + DOWN)
                note("`T` and `down` at once, until the cursor has moved", _since(at, terminal, _cursor(2)))
                times = Times()
                keys = Keys(terminal, self._count, times)
                for number in range(3, 23):
                    keys.press("down", DOWN, _cursor(number))
                for seconds in times.all:
                    note("`down` while all are tested", seconds)
                keys.press("end", END, _cursor(self._count))
                at = terminal.press(ESCAPE + UP)
                note("`escape` (cancel all) and `up` at once", _since(at, terminal, _cursor(self._count - 1)))
                terminal.press(b"T")
                terminal.settle(1.0, 1.0)
                note("`q` while all are tested, until the program has ended", terminal.leave(QUIT, START_DEADLINE))
        rows = [["test all, ms", "n", "median", "p99"]]
        rows += [[what, *_summary(times)] for what, times in found.items()]
        print(f"\nEvery account tested, {runs} runs\n{table(rows)}\n")

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[Terminal]:
        """The program with its list on the screen and its reports read."""
        with Terminal(program(), environment(folder, self._bytecode)) as terminal:
            if terminal.wait(_has_rows, START_DEADLINE) is None:
                raise RuntimeError("mailtui shows no accounts:\n" + "\n".join(terminal.screen.lines).rstrip())
            terminal.settle(0.5, START_DEADLINE)
            yield terminal
            terminal.leave(QUIT, START_DEADLINE)


def _has_frame(screen: Screen) -> bool:
    return screen.holds("mailtui", "Help")


def _has_rows(screen: Screen) -> bool:
    return len(screen.rows()) > 10


def _cursor(number: int) -> Callable[[Screen], bool]:
    return lambda screen: screen.cursor() == number


def _since(at: float, terminal: Terminal, seen: Callable[[Screen], bool]) -> float | None:
    answered = terminal.wait(seen, START_DEADLINE)
    return None if answered is None else answered - at


def _percentile_target(when: str, times: Times, limit: float) -> Target:
    promise = f"99 of 100 keys under {limit * 1_000:.0f} ms, {when}"
    missed = sum(times.missed.values())
    if not times.all:
        return Target(promise, "not measured", None)
    words = f"{_ms(_p99(times.all))} ms" + (f", {missed} not answered" if missed else "")
    return Target(promise, words, _p99(times.all) < limit and not missed)


def _cells(times: Times, kind: str, *, settled: bool = False) -> list[str]:
    """Number, median, 99th percentile; `settled` adds that of the last output."""
    answered = times.answered.get(kind, [])
    if not answered:
        return ["0", "no answer" if times.missed.get(kind) else "", "", *([""] if settled else [])]
    number = f"{len(answered)} ({times.missed[kind]} missed)" if times.missed.get(kind) else str(len(answered))
    return [number, *_summary(answered)[1:], *([_ms(_p99(times.settled[kind]))] if settled else [])]


def _summary(seconds: Sequence[float]) -> list[str]:
    if not seconds:
        return ["0", "", ""]
    return [str(len(seconds)), _ms(statistics.median(seconds)), _ms(_p99(seconds))]


def _p99(seconds: Sequence[float]) -> float:
    """The nearest rank: of fewer than a hundred, the longest."""
    ranked = sorted(seconds)
    return ranked[-(-99 * len(ranked) // 100) - 1] if ranked else 0.0


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f}"


def _spread(seconds: Sequence[float]) -> str:
    low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
    return f"{middle * 1_000:.0f} ({low * 1_000:.0f}-{high * 1_000:.0f})"


def _range(numbers: Sequence[int]) -> str:
    return f"{min(numbers)} to {max(numbers)}" if numbers else "no"


if __name__ == "__main__":
    sys.exit(main())
