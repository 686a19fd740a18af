"""Text from outside is shown as it is: nothing in it is obeyed, and nothing in it breaks a screen."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.screen import Screen

from mailtui.actions.fixing import Proposal
from mailtui.model.account import CertificatePolicy, Trust
from mailtui.model.check import LegReport
from mailtui.model.diagnosis import Diagnosis, Fix
from mailtui.tui import diagnosing
from mailtui.tui.fixing import consent_question
from mailtui.tui.insisting import accept_question, insist_question
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.ask import AskScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.conflict import ConflictScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.menu import MenuScreen
from mailtui.tui.screens.path import PathScreen
from mailtui.tui.screens.problems import ProblemsScreen
from mailtui.tui.screens.retrieval import RetrievalScreen
from tests.tui.hostile_words import HALF, HOSTILE, hostile_account, hostile_report
from tests.tui.people import REPORTS, account, report
from tests.tui.pty_stream import why_hostile
from tests.tui.world import World, world

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
WORDS = [*(words.text for words in HOSTILE), HALF]

# Alone where that is what once broke a widget; the others in one breath, since opening a screen takes long.
FEW = ["[/]", "[@click=app.quit]x[/]", " ".join(words[:60] for words in WORDS), "x" * 10_000]


def _hostile_proposal(words: str) -> Proposal:
    person = hostile_account(0, words)
    leg = hostile_report(person, words).legs[0]
    policy = CertificatePolicy(Trust.PIN, "", f"{words} other")
    fix = Fix(leg.leg, leg.protocol, replace(leg.endpoint, certificate=policy), words, needs_consent=True)
    return Proposal(person, leg, fix)


_DIALOGS: dict[str, Callable[[str], Screen[Any]]] = {
    "ask": lambda words: AskScreen(f"Password of {words}"),
    "confirm": lambda words: ConfirmScreen(words, [words, words], words, words, danger=True, option=words),
    "conflict": lambda words: ConflictScreen(words, [(words, words, f"{words} mine", f"{words} theirs")]),
    "menu": lambda words: MenuScreen(words, [(words, words, words), ("other", "other", words)], words),
    "path": lambda words: PathScreen(words, words, Path(words.replace("\0", ""))),
    "problems": lambda words: ProblemsScreen((words, words)),
    "consent": lambda words: consent_question([_hostile_proposal(words)], others=2),
    "accept": lambda words: accept_question({words: list(hostile_report(hostile_account(0, words), words).legs)}),
    "insist": lambda words: insist_question(
        [hostile_account(0, words)], {words: list(hostile_report(hostile_account(0, words), words).legs)}
    ),
}

ALIGNED = [
    "plain",
    "渡辺 明 – サポート",
    "Ａｄａ",
    "e\u0301u\u0308\u0323n",
    "👨\u200d👩\u200d👧\u200d👦 family",
    "👍🏽 thumb",
    "🇩🇪🇫🇷 flags",
    "☎\ufe0f 1\ufe0f\u20e3 ❤\ufe0f",
    "☎\ufe0e text",
    "हिन्दी नाम",
    "ภาษาไทย กำ",
    "한국어",
    "\u1112\u1161\u11ab\u1100\u116e\u11a8",
    "🩵 new emoji",
    "䷀ hexagram",
    "a\u0301\u0302\u0303\u0304\u0305\u0306\u0307",
    "渡" * 40,
    "\u0301 begins with a mark",
]


def require_harmless(running: World) -> str:
    """The text on the screen: no link, no character that a terminal obeys, and every row as wide as the screen."""
    strips = running.app.screen._compositor.render_strips()
    assert not any(segment.style and "@click" in segment.style.meta for strip in strips for segment in strip)
    assert [sum(cell_len(segment.text) for segment in strip) for strip in strips] == [running.app.size.width] * len(
        strips
    )
    text = "\n".join(strip.text for strip in strips)
    assert [why for character in text if character != "\n" and (why := why_hostile(character))] == []
    return text


@SIZES
async def test_accounts_and_detail_show_hostile_text(size: tuple[int, int]) -> None:
    people = [hostile_account(number, words) for number, words in enumerate(WORDS)]
    reports = {person.name: hostile_report(person, person.name) for person in people}
    async with world(people, reports, size=size) as running:
        for number, words in enumerate(running.list.names):
            assert running.list.selected == words
            text = require_harmless(running)
            assert not words.startswith(("[", ":")) or words in text, "what is harmless is shown as it is"
            running.app.desk.say(words, "error")
            if number % 4 == 0:
                await running.press("enter")
                await running.until(lambda: isinstance(running.app.screen, DetailScreen))
                require_harmless(running)
                await running.press("i", "end")
                require_harmless(running)
                await running.press("escape")
                await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
            await running.press("down")
        await running.press("slash", *"x[/]")
        await running.until(lambda: len(running.list.names) == 1)
        require_harmless(running)


@SIZES
async def test_diagnoses_show_hostile_text(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
        words = email.removesuffix("@example.org")
        policy = CertificatePolicy(Trust.PIN, "", words)
        fix = Fix(leg.leg, leg.protocol, replace(leg.endpoint, certificate=policy), words, needs_consent=True)
        return Diagnosis(words, words, words, words, words, fix)

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    diagnosing._diagnosis.cache_clear()
    people = [hostile_account(number, words) for number, words in enumerate(FEW)]
    reports = {person.name: hostile_report(person, person.name) for person in people}
    async with world(people, reports, size=size) as running:
        for _ in FEW:
            require_harmless(running)
            await running.press("m")
            await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
            require_harmless(running)
            await running.press("m")
            await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
            await running.press("down")


def _is_covered(running: World, below: Screen[Any]) -> bool:
    return running.app.screen is not below


@SIZES
@pytest.mark.parametrize("kind", _DIALOGS)
async def test_dialogs_show_hostile_text(kind: str, size: tuple[int, int]) -> None:
    async with world(size=size) as running:
        for words in FEW:
            below = running.app.screen
            running.app.push_screen(_DIALOGS[kind](words))
            await running.until(partial(_is_covered, running, below))
            text = require_harmless(running)
            assert not words.startswith("[") or words[:20] in text, "what is harmless is shown as it is"
            running.app.desk.say(words, "warning")
            await running.pilot.pause()
            require_harmless(running)
            await running.press("escape")
            await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


@SIZES
async def test_rows_and_columns_are_aligned_whatever_the_script(size: tuple[int, int]) -> None:
    """Each column begins at the same cell in every row, as the terminal counts cells."""
    people = [account(name, "mark@analytical.example", type=name) for name in ALIGNED]
    reports = {person.name: report(person, warning=person.name) for person in people}
    starts = set()
    async with world(people, reports or REPORTS, size=size) as running:
        for _ in ALIGNED:
            for line in require_harmless(running).splitlines():
                if "mark@" in line:
                    starts.add(cell_len(line.partition("mark@")[0]))
            await running.press("down")
        assert len(starts) == 1
