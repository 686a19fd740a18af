"""The keys that are timed, and for each of them what it must bring onto the screen."""

import random
import re
from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.tui_screen import Screen
from benchmarks.tui_terminal import Seen, Terminal
from mailtui.model.account import ACCOUNT_TYPES

UP, DOWN, HOME, END = b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\x1b[F"
PAGE_UP, PAGE_DOWN = b"\x1b[5~", b"\x1b[6~"
ENTER, BACKSPACE, CLEAR = b"\r", b"\x7f", b"\x15"
ESCAPE = b"\x1b[27u"
"""As terminals with the kitty keyboard protocol send it: an escape by itself is waited upon, for more may follow."""

FILTER = "zul"
"""Typed letter by letter; see `tui_accounts.WORDS`."""

_DEADLINE = 5.0
_QUIET = 0.03
"""Seconds without output after which a repaint counts as over."""
_GAP = (0.02, 0.06)
"""Seconds between an answer and the next key, at least and at most: no rhythm of ours is to meet the program's."""


@dataclass(slots=True)
class Times:
    """Seconds from each key to the frame that answers it, by kind of key; `settled` until the last output after it."""

    answered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    settled: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    missed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def all(self) -> list[float]:
        """Those of every kind."""
        return [seconds for kind in self.answered.values() for seconds in kind]


class Keys:
    """Presses keys on the list of accounts and keeps the times. `count` accounts, numbered from 1."""

    def __init__(self, terminal: Terminal, count: int, times: Times) -> None:
        self._terminal = terminal
        self._count = count
        self._times = times
        self._chance = random.Random(7)

    def press(self, kind: str, keys: bytes, seen: Seen) -> bool:
        """Time one key; whether it was answered."""
        at = self._terminal.press(keys)
        answered = self._terminal.wait(seen, _DEADLINE)
        if answered is None:
            self._times.missed[kind] += 1
            return False
        self._times.answered[kind].append(answered - at)
        self._times.settled[kind].append(self._terminal.settle(_QUIET, 0.1) - at)
        self._terminal.settle(1.0, self._chance.uniform(*_GAP))
        return True

    def untimed(self, keys: bytes) -> None:
        """Press a key whose answer has no mark of its own, and give it time."""
        self._terminal.press(keys)
        self._terminal.wait(lambda screen: True, 1.0)
        self._terminal.settle(0.1, 0.5)

    def home(self) -> None:
        """To the first account, wherever the cursor was; whatever is open is closed."""
        for _ in range(3):
            if self._terminal.screen.cursor() == 1:
                return
            self._terminal.press(HOME)
            if self._terminal.wait(_at(1), 1.0) is not None:
                self._terminal.settle(0.1, 0.3)
                return
            self.untimed(ESCAPE)

    def walk(self, rounds: int) -> None:
        """Every kind of key, `rounds` times each, and more of those that are pressed most."""
        for _ in range(rounds):
            for act in (self._move, self._jump, self._filter, self._select, self._sort, self._group, self._open):
                self.home()
                act()

    def _move(self) -> None:
        for number in range(2, 12):
            self.press("down", DOWN, _at(number))
        for number in range(10, 5, -1):
            self.press("up", UP, _at(number))

    def _jump(self) -> None:
        for _ in range(3):
            self.press("page down", PAGE_DOWN, _below(self._terminal.screen.cursor() or 0))
        for _ in range(2):
            self.press("page up", PAGE_UP, _above(self._terminal.screen.cursor() or 0))
        self.press("end", END, _at(self._count))
        self.press("home", HOME, _at(1))

    def _filter(self) -> None:
        self.untimed(b"/")
        for length in range(1, len(FILTER) + 1):
            self.press("filter: a letter", FILTER[length - 1].encode(), _filtered(FILTER[:length]))
        self.press("filter: backspace", BACKSPACE, _filtered(FILTER[:-1]))
        self.press("filter: clear", CLEAR, lambda screen: any(not row.word.startswith("z") for row in screen.rows()))
        self.untimed(ESCAPE)

    def _select(self) -> None:
        for number in (2, 3, 4):
            self.press("select", b" ", _at(number))
        before = _times_said(self._terminal.screen, str(self._count))
        self.press("select all", b"*", lambda screen: _times_said(screen, str(self._count)) > before)
        self.press("select none", b"*", lambda screen: _times_said(screen, str(self._count)) == before)

    def _sort(self) -> None:
        for _ in range(2):
            turned = _turned(self._terminal.screen)
            self.untimed(b"s")
            if not self._terminal.screen.holds("Sort by"):
                self._terminal.wait(lambda screen: screen.holds("Sort by"), 1.0)
            self.press("sort, the other way", ENTER, turned)

    def _group(self) -> None:
        before = _headings(self._terminal.screen)
        self.press("group", b"o", lambda screen: _headings(screen) > before)
        self.press("group, off", b"o", lambda screen: _headings(screen) == before and len(screen.rows()) > 1)

    def _open(self) -> None:
        self.press("open an account", ENTER, lambda screen: len(screen.rows()) < 5 and screen.holds("0001"))
        self.press("back to the list", ESCAPE, _at(1))


def _at(number: int) -> Seen:
    return lambda screen: screen.cursor() == number


def _below(before: int) -> Seen:
    return lambda screen: (screen.cursor() or 0) > before + 5


def _above(before: int) -> Seen:
    return lambda screen: 0 < (screen.cursor() or 0) < before - 5


def _turned(before: Screen) -> Seen:
    """The numbers run the other way from top to bottom."""
    order = _order(before)
    return lambda screen: _order(screen) == -order != 0


def _filtered(wanted: str) -> Seen:
    """The list holds what is wanted and nothing else, and what was typed stands beside it."""
    typed = re.compile(rf"(?<![a-z]){wanted}(?![a-z])")

    def seen(screen: Screen) -> bool:
        rows = screen.rows()
        return (
            bool(rows)
            and all(row.word.startswith(wanted) for row in rows)
            and any(typed.search(line) for line in screen.lines)
        )

    return seen


def _order(screen: Screen) -> int:
    """1 where the numbers rise from top to bottom, -1 where they fall, 0 where they do neither."""
    numbers = [row.number for row in screen.rows()]
    if len(numbers) < 5:
        return 0
    return {numbers == sorted(numbers): 1, numbers == sorted(numbers, reverse=True): -1}.get(True, 0)


def _headings(screen: Screen) -> int:
    """Lines that begin with a type of account, as the heads of groups do."""
    heading = re.compile(rf"\W*({'|'.join(ACCOUNT_TYPES)})\b", re.IGNORECASE)
    return sum(heading.match(line) is not None for line in screen.lines)


def _times_said(screen: Screen, words: str) -> int:
    return sum(line.replace(",", "").count(words) for line in screen.lines)
