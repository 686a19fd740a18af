"""The details of an account: its history, its search, its report to show, and the keys that lead away."""

import stat
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from textual.widgets import Input

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.actions.memory import Memory
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, TranscriptLine
from mailtui.tui.messages import AccountsChanged
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.path import PathScreen
from mailtui.tui.widgets.leg_column import LegColumn
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.widgets.message_bar import MessageBar
from tests.tui.people import ADA, ALAN, NEW, NOW, PEOPLE, REPORTS, ROBOT, WRONG_PASSWORD, report
from tests.tui.world import MemoryStore, ScriptedChecks, World, world


def history_of(account: Account, count: int = 12) -> list[CheckReport]:
    """Checks two hours apart, newest first; the fourth and the ninth failed, the one before the last offered more."""
    told = []
    for number in range(count):
        failure = WRONG_PASSWORD if number in (3, 8) else None
        found = report(account, failure, ago=timedelta(hours=2 * number, minutes=2))
        assert found.outbound is not None
        if number == 1:
            found = replace(found, outbound=replace(found.outbound, capabilities=("PIPELINING", "VRFY")))
        told.append(found)
    return told


class HistoryStore(MemoryStore):
    """Ada has a history."""

    def __init__(self, ada: Account = ADA) -> None:
        people = [ada if person.name == ADA.name else person for person in PEOPLE]
        super().__init__(people, REPORTS)
        self._history[ADA.name] = history_of(ADA)


@asynccontextmanager
async def details(
    person: Account = ADA,
    *,
    size: tuple[int, int] = (80, 24),
    store: MemoryStore | None = None,
    checks: ScriptedChecks | None = None,
) -> AsyncIterator[World]:
    """The app with an account's details in front."""
    async with world(size=size, store=store or HistoryStore(), checks=checks) as running:
        await running.app.push_screen(DetailScreen(running.app.desk, person.name))
        await running.until(lambda: "transcript" not in pending(running))
        yield running


def pending(running: World) -> str:
    """What is still to come of the details."""
    name = screen(running).account
    lacks = running.app.desk.board.lacks_transcripts(name)
    report_there = running.app.desk.board.report(name) is not None
    return "transcript" if lacks and report_there else ""


def screen(running: World) -> DetailScreen:
    return next(one for one in running.app.screen_stack if isinstance(one, DetailScreen))


def column(running: World, leg: Leg = Leg.OUTBOUND) -> LegColumn:
    return screen(running).query_one(f"#{leg.value}", LegColumn)


def has_points(running: World, count: int) -> bool:
    return len(column(running).strip.points) == count


def is_on_top(running: World, kind: type) -> bool:
    return isinstance(running.app.screen, kind)


def said(running: World) -> str:
    notices = [bar.notice.words for bar in running.app.screen.query(MessageBar) if bar.notice is not None]
    return "\n".join(notices)


async def test_the_history_is_above_the_last_check_and_stays_there() -> None:
    async with details() as running:
        await running.until(lambda: len(column(running).strip.points) == 12)
        lines = running.text().splitlines()
        assert "×" in lines[2]
        assert "median 345 ms, last 345 ms" in lines[2]
        assert "■■■✗■■■■✗■■■  12 checks since 2025-05-31, 83 % good" in lines[3]
        assert lines[4].startswith("│ Server       smtp.example.org:465 SSL/TLS")
        await running.press("end")
        await running.until(lambda: "Password     kept in: keyring" in running.text())
        assert running.text().splitlines()[2:4] == lines[2:4]
        await running.press("i")
        await running.until(lambda: "12 checks since 2025-05-31, 100 % good" in running.text())


async def test_the_change_of_capabilities_is_told() -> None:
    async with details(size=(120, 60)) as running:
        await running.until(lambda: "since 2 h ago: + 8BITMIME" in running.text())
        assert "− VRFY" in running.text()
        assert "the same as 2 h ago" in running.text(), "the other leg's did not change"


async def test_a_new_check_joins_the_history_before_it_is_stored() -> None:
    async with details() as running:
        await running.until(lambda: len(column(running).strip.points) == 12)
        await running.press("t")
        await running.idle()
        await running.until(lambda: len(column(running).strip.points) == 13)
        assert running.checks.calls == [[ADA.name]]
        await running.until(lambda: "Checked      just now" in running.text())


class TickingChecks(ScriptedChecks):
    """Each check begins a minute after the one before."""

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
        memory: Memory,
    ) -> None:
        began = NOW - timedelta(minutes=10 - len(self.calls))

        def tell(found: CheckReport) -> None:
            on_report(replace(found, started=began))

        await super().__call__(
            accounts, secrets, on_event=on_event, on_report=tell, options=options, slots=slots, memory=memory
        )


async def test_several_checks_join_the_history_of_an_account_that_had_none() -> None:
    async with details(NEW, checks=TickingChecks()) as running:
        assert "verified" not in running.text().splitlines()[0]
        for number in range(1, 4):
            await running.press("t")
            await running.idle()
            await running.until(partial(has_points, running, number))
        assert "verified 8 min ago" in running.text().splitlines()[0]


async def test_an_account_that_was_never_checked_has_no_history() -> None:
    async with details(NEW) as running:
        await running.until(lambda: "not yet; press t to test" in running.text())
        assert column(running).strip.size.height == 0
        await running.press("w")
        await running.until(lambda: "was not checked yet" in said(running))


async def test_a_search_walks_through_the_hits_and_ends() -> None:
    async with details() as running:
        await running.press("slash", *"auth plain")
        found = column(running).detail
        await running.until(lambda: "1 of 4" in running.text())
        assert found.hits == 4
        assert found.present_text == "AUTH PLAIN"
        await running.press("enter")
        assert running.app.focused is found
        seen = []
        for key in ("n", "n", "n", "n", "N"):
            await running.press(key)
            seen.append(found.present)
            await running.until(lambda: f"{found.present} of 4" in running.text())
        assert seen == [2, 3, 4, 1, 4], "after the last comes the first"
        assert "C  AUTH PLAIN ****" in running.text(), "it is scrolled to"
        await running.press("escape")
        await running.pilot.pause()
        assert found.hits == 0
        assert is_on_top(running, DetailScreen), "the first escape ends the search only"
        assert "of 4" not in running.text()
        await running.press("escape")
        await running.until(lambda: not is_on_top(running, DetailScreen))


async def test_keys_go_into_the_search_while_it_is_typed() -> None:
    async with details() as running:
        await running.press("slash", *"tednw/")
        await running.until(lambda: running.app.screen.query_one(Input).value == "tednw/")
        assert running.checks.calls == []
        await running.until(lambda: "not found" in running.text())
        await running.press("n", "tab")
        assert running.app.focused is column(running).detail
        await running.press("n", "N")
        assert column(running).detail.present == 0


async def test_a_search_goes_on_in_the_other_leg() -> None:
    async with details(size=(120, 40)) as running:
        await running.press("slash", *"examine", "enter")
        await running.until(lambda: "not found" in running.text())
        await running.press("i")
        await running.until(lambda: "1 of 2" in running.text())
        assert column(running).detail.hits == 0
        assert column(running, Leg.INBOUND).detail.present_text == "EXAMINE"


async def test_a_hit_is_marked_on_the_screen() -> None:
    async with details() as running:
        await running.press("slash", *"resolve", "enter")
        detail = column(running).detail
        row = next(row for row, line in enumerate(detail.lines) if "Resolve" in "".join(text for text, _ in line))
        segments = list(detail.render_line(row - round(detail.scroll_y)))
        marked = [segment.text for segment in segments if segment.style is not None and segment.style.reverse]
        assert marked == ["Resolve"]


async def test_another_width_keeps_the_place_and_the_hits() -> None:
    async with details(size=(80, 24)) as running:
        await running.press("slash", *"235 2.7.0", "enter")
        await running.until(lambda: "1 of 1" in running.text())
        for size in ((50, 24), (130, 24), (80, 24)):
            await running.pilot.resize_terminal(*size)
            await running.until(lambda: "235 2.7.0" in running.text())
            assert column(running).detail.present == 1


async def test_a_long_transcript_is_drawn_only_where_it_is_seen() -> None:
    found = REPORTS[ADA.name]
    assert found.outbound is not None
    lines = tuple(TranscriptLine("S", f"250-line {number} {'x' * 300}", 1.0) for number in range(400))
    store = HistoryStore()
    store._history[ADA.name] = [replace(found, outbound=replace(found.outbound, transcript=lines))]
    async with details(store=store) as running:
        detail = column(running).detail
        await running.until(lambda: detail.virtual_size.height > 2_000)
        await running.press("slash", *"line 399", "enter")
        await running.until(lambda: "250-line 399" in running.text())
        await running.press("home")
        await running.until(lambda: "Server " in running.text())


async def test_the_report_is_written_without_the_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with details() as running:
        await running.press("w")
        await running.until(lambda: is_on_top(running, PathScreen))
        assert "mailtui-report-smtp.example.org.txt" in running.text()
        await running.press("enter")
        target = tmp_path / "mailtui-report-smtp.example.org.txt"
        await running.until(target.exists)
        await running.until(lambda: is_on_top(running, DetailScreen) and "Wrote" in said(running))
        told = target.read_text()
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert ADA.email not in told
        assert "Ada Lovelace" not in told
        assert "C AUTH PLAIN ****" in told
        assert "12 checks since 2025-05-31, 83 % good" in told
        assert "changed since 2025-06-01 09:58 UTC: + 8BITMIME" in told
        target.write_text("mine")
        await running.press("w")
        await running.until(lambda: is_on_top(running, PathScreen))
        await running.press("enter")
        await running.until(lambda: is_on_top(running, ConfirmScreen))
        assert target.read_text() == "mine", "asked before anything is replaced"
        await running.press("escape")
        await running.until(lambda: is_on_top(running, PathScreen))
        await running.press("escape")
        await running.until(lambda: is_on_top(running, DetailScreen))
        assert target.read_text() == "mine"


@pytest.mark.parametrize(
    ("key", "asked"), [("e", ("edit", ADA.name)), ("c", ("duplicate", ADA.name)), ("d", ("remove", [ADA.name]))]
)
async def test_keys_ask_the_desk(key: str, asked: tuple[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    async with details() as running:
        calls: list[tuple[str, object]] = []
        for name in ("edit", "duplicate", "remove"):
            monkeypatch.setattr(running.app.desk.errands, name, lambda what, name=name: calls.append((name, what)))
        await running.press(key)
        assert calls == [asked]


async def test_the_screen_closes_when_its_account_is_removed() -> None:
    async with details() as running:
        running.app.desk.board.remove([ADA.name])
        running.app.desk.changed()
        await running.until(lambda: not is_on_top(running, DetailScreen))


async def test_a_covered_screen_closes_when_it_comes_back() -> None:
    async with details() as running:
        await running.press("w")
        await running.until(lambda: is_on_top(running, PathScreen))
        running.app.desk.board.remove([ADA.name])
        running.app.desk.changed()
        await running.pilot.pause()
        await running.press("escape")
        await running.until(lambda: not is_on_top(running, PathScreen) and not is_on_top(running, DetailScreen))


async def test_a_renamed_account_is_followed() -> None:
    async with details() as running:
        board = running.app.desk.board
        board.put(replace(ADA, name="Countess"), instead_of=ADA.name)
        screen(running).post_message(AccountsChanged("Countess"))
        await running.until(lambda: running.text().startswith(" Countess "))
        assert screen(running).account == "Countess"


async def test_a_send_only_account_has_no_entry_of_retrieval() -> None:
    async with details(ROBOT) as running:
        await running.press("m")
        await running.until(lambda: "only sends mail" in said(running))
        await running.press("i")
        await running.until(lambda: "This account only sends mail." in running.text())


async def test_notes_are_shown_where_there_is_room() -> None:
    store = HistoryStore(replace(ADA, notes="Renew [b]the[/b] contract", last_verified=NOW))
    async with details(size=(120, 40), store=store) as running:
        assert "Notes: Renew [b]the[/b] contract" in running.text()
        assert "verified just now" in running.text().splitlines()[0]


@pytest.mark.parametrize("person", [ADA, ALAN, ROBOT, NEW])
@pytest.mark.parametrize("size", [(20, 6), (40, 12), (80, 24), (120, 40), (200, 60)])
async def test_every_size_shows_something(person: Account, size: tuple[int, int]) -> None:
    async with details(person, size=size) as running:
        assert person.name[:5] in running.text()
        await running.press("slash", "a", "enter", "n", "tab", "end", "home")
        assert isinstance(running.app.focused, LegDetail)


async def test_every_key_says_what_it_does() -> None:
    async with details() as running:
        own = [binding for binding in DetailScreen.BINDINGS + LegDetail.BINDINGS if not isinstance(binding, tuple)]
        assert all(binding.id and binding.tooltip for binding in own)
        assert running.app.focused is not None
        assert running.app.focused.HELP
