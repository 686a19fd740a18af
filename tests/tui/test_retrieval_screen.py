"""Message Retrieval: how mail arrives, as a list of its own."""

from dataclasses import replace

import pytest

from mailtui.model.account import Account, RetrievalMode
from mailtui.model.check import Leg
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.retrieval import RetrievalScreen
from mailtui.tui.widgets.ladder import LadderPanel
from mailtui.tui.widgets.retrieval_list import RetrievalList
from mailtui.tui.words import Mark
from tests.tui.people import ADA, ALAN, CHARLES, EMMY, NOW, PEOPLE, REPORTS, ROBOT, account
from tests.tui.world import MemoryStore, ScriptedChecks, World, world

PAIRED = tuple(person.name for person in PEOPLE if person.retrieval is not None)


def entries(running: World) -> RetrievalList:
    return running.app.screen.query_one(RetrievalList)


async def go(running: World) -> None:
    await running.press("m")
    await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
    await running.until(lambda: len(running.app.screen.query(RetrievalList)) == 1)
    await running.pilot.pause()


async def test_m_goes_to_the_same_account_and_back_with_the_cursor() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("down", "down", "down")
        assert running.list.selected == CHARLES.name
        await go(running)
        assert entries(running).selected == CHARLES.name
        assert set(entries(running).names) == set(PAIRED)
        await running.press("down", "down", "m")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.list.selected == EMMY.name
        await go(running)
        await running.press("up", "escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.list.selected == "Closed port"


async def test_an_account_that_the_filter_hides_is_shown_to_come_back_to() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("slash", *"ada", "enter")
        await go(running)
        await running.press("down", "m")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.list.selected == ALAN.name
        assert running.list.names == (ADA.name, ALAN.name), "the filter is still there"


async def test_from_an_account_that_only_sends_it_begins_at_the_top() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("down", "down")
        assert running.list.selected == ROBOT.name
        await go(running)
        assert entries(running).selected == PAIRED[0]


async def test_keys_that_change_nothing_do_not_have_the_footer_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(reports=REPORTS) as running:
        await go(running)
        drawn: list[bool] = []
        monkeypatch.setattr(running.app.screen, "refresh_bindings", lambda: drawn.append(True))
        await running.press("down", "down", "up")
        await running.pilot.pause()
        assert entries(running).selected == PAIRED[1]
        assert drawn == []


async def test_the_columns_say_how_mail_arrives() -> None:
    assert CHARLES.retrieval is not None
    entry = replace(CHARLES.retrieval, mode=RetrievalMode.AUTOMATIC, folder="Archive", delete_after=30)
    people: list[Account] = [replace(CHARLES, retrieval=entry), ADA, ROBOT]
    async with world(people, REPORTS, size=(190, 40)) as running:
        await go(running)
        lines = running.text().splitlines()
        header = next(line for line in lines if line.startswith(" In Account"))
        for title in (
            "Protocol",
            "Server",
            "Method",
            "Folder",
            "Leave on server",
            "Last retrieved",
            "New",
            "Last result",
        ):
            assert title in header
        await running.until(lambda: "every 15 min, in " in running.text())
        lines = running.text().splitlines()
        row = next(line for line in lines if CHARLES.name in line)
        for words in (
            "✓",
            "POP3",
            "pop.example.org:995",
            "every 15 min, in ",
            "Archive",
            "30 days",
            "never",
            "42s: good",
        ):
            assert words in row
        row = next(line for line in lines if ADA.name in line)
        assert "manual" in row
        assert "yes" in row
        assert "1 account only sends" in lines[0]
        assert ROBOT.name not in running.text()


async def test_t_tests_and_the_panel_and_the_row_follow() -> None:
    checks = ScriptedChecks(steps=2, held=True)
    async with world(checks=checks) as running:
        await go(running)
        await running.press("t")
        await running.until(lambda: checks.events > 0 and not running.app.desk.repainter.due)
        panel = running.app.screen.query_one(LadderPanel)
        assert panel.view.leg is Leg.INBOUND
        assert [stage.mark for stage in panel.view.stages][:3] == [Mark.OK, Mark.OK, Mark.HALFWAY]
        row = next(line for line in running.text().splitlines() if ADA.name[:10] in line)
        assert row.startswith(" ◔")
        checks.gate.set()
        await running.idle()
        await running.until(lambda: panel.view.mark is Mark.OK)
        assert "✓ 1 good" in running.text().splitlines()[0] or "✓ 1" in running.text().splitlines()[0]
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.text().splitlines()[2].startswith(" ✓   ✓"), "the list below caught up"


async def test_the_selected_entries_are_tested_together() -> None:
    async with world(reports=REPORTS) as running:
        await go(running)
        await running.press("space", "space", "t")
        await running.idle()
        assert running.checks.calls == [list(PAIRED[:2])]


async def test_enter_opens_the_details_and_escape_comes_back() -> None:
    async with world(reports=REPORTS) as running:
        await go(running)
        await running.press("down", "enter")
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))
        await running.until(lambda: running.app.screen.has_class("show-inbound"))
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
        assert entries(running).selected == ALAN.name


async def test_e_edits_how_mail_arrives() -> None:
    async with world(reports=REPORTS) as running:
        asked: list[tuple[str, str]] = []
        running.app.desk.errands.edit = lambda name, section="": asked.append((name, section))  # type: ignore[method-assign]  # a spy
        await go(running)
        await running.press("down", "e")
        assert asked == [(ALAN.name, "incoming")]


async def test_filter_and_sort_work_as_in_the_accounts() -> None:
    async with world(reports=REPORTS) as running:
        await go(running)
        await running.press("slash", *"protocol:pop3", "enter")
        assert entries(running).names == (CHARLES.name,)
        await running.press("escape")
        await running.until(lambda: set(entries(running).names) == set(PAIRED))
        assert isinstance(running.app.screen, RetrievalScreen), "escape gave up the filter first"
        await running.press("s", "3")
        await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
        board = running.app.desk.board
        hosts = [entry.endpoint.host for name in entries(running).names if (entry := board.account(name).retrieval)]
        assert hosts == sorted(hosts)


async def test_escape_cancels_the_checks_before_it_leaves() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        await go(running)
        await running.press("t")
        await running.until(lambda: len(checks.calls) == 1)
        await running.press("escape")
        await running.until(lambda: checks.cancelled == [ADA.name])
        assert isinstance(running.app.screen, RetrievalScreen)


async def test_an_entry_that_stops_receiving_leaves_the_list() -> None:
    store = MemoryStore(PEOPLE, REPORTS)
    async with world(store=store) as running:
        await go(running)
        store.change(replace(ADA, retrieval=None, updated=NOW))
        running.app.desk.reload()
        await running.until(lambda: ADA.name not in entries(running).names)
        assert "2 accounts only send" in running.text().splitlines()[0]
        assert entries(running).selected is not None


async def test_without_entries_it_says_what_to_do() -> None:
    async with world([account("only sends", "x@example.org", inbound=None)]) as running:
        await go(running)
        assert "No account receives mail. Edit one" in running.text()
        await running.press("t", "e", "enter", "space", "asterisk", "slash", "x", "escape")
        assert running.checks.calls == []
        assert isinstance(running.app.screen, RetrievalScreen)
