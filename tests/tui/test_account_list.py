"""Sorting, grouping, showing and selecting in the accounts list, by the keys and the mouse."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from mailtui.model.check import Failure, Leg
from mailtui.model.text import clean
from mailtui.tui.ordering import Group
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.menu import MenuScreen
from mailtui.tui.widgets.filter_input import FilterInput
from mailtui.tui.words import Mark
from tests.tui.people import (
    ADA,
    ALAN,
    CLOSED,
    GRACE,
    NEW,
    NOW,
    OFF,
    PEOPLE,
    QUIET,
    REPORTS,
    ROBOT,
    SSHD,
    account,
    report,
)
from tests.tui.retrieved import ScriptedRetrievals
from tests.tui.world import MemoryStore, ScriptedChecks, World, world

FAILING = {ALAN.name, CLOSED.name, GRACE.name, QUIET.name, SSHD.name}


def summary(running: World) -> str:
    return running.text().splitlines()[0]


def screen(running: World) -> AccountsScreen:
    found = running.app.screen
    assert isinstance(found, AccountsScreen)
    return found


def a_failure() -> Failure:
    found = REPORTS[CLOSED.name].outbound
    assert found is not None
    assert found.failure is not None
    return found.failure


async def choose(running: World, key: str, label: str) -> None:
    """Open a menu with `key`, and go to the line with `label`."""
    await running.press(key)
    await running.until(lambda: isinstance(running.app.screen, MenuScreen))
    menu = running.app.screen
    assert isinstance(menu, MenuScreen)
    at = next(index for index, option in enumerate(menu._options) if option[1] == label)
    await running.press("home", *["down"] * at, "enter")
    await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_the_menu_sorts_and_the_same_column_again_turns_around() -> None:
    async with world(reports=REPORTS) as running:
        assert "Name↑" in running.text()
        await choose(running, "s", "Email address")
        emails = [running.app.desk.board.account(name).email for name in running.list.names]
        assert emails == sorted(person.email for person in PEOPLE)
        assert "Email address↑" in running.text() or "Email↑" in running.text()
        assert "Name↑" not in running.text()
        await choose(running, "s", "Email address")
        assert [running.app.desk.board.account(name).email for name in running.list.names] == emails[::-1]


async def test_the_last_checked_come_first_and_those_never_checked_last_either_way() -> None:
    async with world(reports=REPORTS) as running:
        await choose(running, "s", "Checked")
        assert running.list.names[0] == "Charles Babbage – orders"
        assert running.list.names[-2:] == (OFF.name, NEW.name)
        await choose(running, "s", "Checked")
        assert running.list.names[0] == OFF.name
        assert running.list.names[-1] == NEW.name


async def test_sorting_by_status_has_the_failing_first_and_the_cursor_stays_on_its_account() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("end")
        selected = running.list.selected
        await choose(running, "s", "Status")
        assert set(running.list.names[:5]) == FAILING
        assert running.list.names[-1] == OFF.name
        assert running.list.selected == selected
        assert "In↑" in running.text()


async def test_a_digit_chooses_in_a_menu_and_escape_changes_nothing() -> None:
    async with world(reports=REPORTS) as running:
        before = running.list.names
        await running.press("s", "escape")
        assert running.list.names == before
        await running.press("s", "2")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.list.names[:3] == (ADA.name, "渡辺 明 – サポート", ALAN.name), "ada@, akira@, alan@"


async def test_a_click_on_a_title_sorts() -> None:
    async with world(reports=REPORTS) as running:
        header = running.text().splitlines()[1]
        for title, first in (
            ("Email", ADA.name),
            ("In", ALAN.name),
            ("Name", ADA.name),
            ("Name", "渡辺 明 – サポート"),
        ):
            await running.pilot.click("#accounts", offset=(header.index(title), 0))
            await running.pilot.pause()
            assert running.list.names[0] == first, title


async def test_groups_have_counts_and_the_cursor_steps_over_their_headings() -> None:
    async with world(reports=REPORTS, size=(80, 50)) as running:
        await running.press("o")
        await running.until(lambda: "campaigns  2 accounts" in running.text())
        lines = running.text().splitlines()
        assert " system  1 account" in lines
        assert any(line.startswith(" no type  9 accounts   ✗ 5 failing") for line in lines)
        assert isinstance(running.list._rows[0], Group)
        seen = [running.list.selected]
        for _ in PEOPLE[1:]:
            await running.press("down")
            seen.append(running.list.selected)
        assert seen == [ADA.name, OFF.name, ROBOT.name, *running.list.names[3:]]
        await running.press("down")
        assert running.list.selected == running.list.names[-1]
        await running.press("home", "up")
        assert running.list.selected == ADA.name
        await running.press("o")
        await running.until(lambda: "campaigns  2 accounts" not in running.text())


async def test_the_counts_of_groups_follow_the_checks() -> None:
    async with world(size=(80, 50)) as running:
        await running.press("o", "T")
        await running.idle()
        await running.until(lambda: "✗ 5 failing" in "".join(running.text().splitlines()[1:]))


async def test_the_heading_of_the_first_group_comes_into_sight_again() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("o", "end")
        await running.pilot.pause()
        assert "campaigns" not in running.text()
        await running.press("home")
        await running.until(lambda: running.text().splitlines()[2].startswith(" campaigns"))


async def test_show_becomes_a_filter_and_escape_takes_it_back() -> None:
    async with world(reports=REPORTS) as running:
        await choose(running, "f", "failing")
        assert set(running.list.names) == FAILING
        assert screen(running).field.value == "status:failing"
        assert "5 of 12 accounts" in summary(running)
        assert running.app.focused is running.list
        await choose(running, "f", "campaigns")
        assert set(running.list.names) == {ADA.name, OFF.name}
        await choose(running, "f", "no type")
        assert len(running.list.names) == 9
        await running.press("escape")
        await running.until(lambda: len(running.list.names) == len(PEOPLE))
        await choose(running, "f", "off")
        assert running.list.names == (OFF.name,)
        await choose(running, "f", "all")
        assert len(running.list.names) == len(PEOPLE)
        assert not screen(running).field.display


async def test_show_keeps_what_was_typed() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("slash", *"imap.example", "enter")
        await choose(running, "f", "failing")
        assert screen(running).field.value == "imap.example status:failing"
        assert set(running.list.names) == {ALAN.name, CLOSED.name, QUIET.name}


async def test_a_wrong_value_in_a_filter_is_told() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("slash", *"active:maybe")
        await running.until(lambda: "active: is one of yes, no. escape shows all." in running.text())


async def test_down_and_enter_go_from_the_filter_to_the_list() -> None:
    for key in ("down", "enter"):
        async with world(reports=REPORTS) as running:
            await running.press("slash", *"status:fail", key)
            assert running.app.focused is running.list
            assert len(running.list.names) == 5
            assert running.app.screen.query_one(FilterInput).display


async def test_an_account_that_turns_good_stays_under_the_cursor_until_the_list_is_filtered_again() -> None:
    old = {**REPORTS, ADA.name: report(ADA, a_failure())}
    async with world(reports=old) as running:
        await choose(running, "f", "failing")
        assert running.list.selected == ADA.name
        await running.press("t")
        await running.idle()
        await running.until(lambda: running.app.desk.board.mark(ADA.name, Leg.OUTBOUND) is Mark.OK)
        assert running.list.selected == ADA.name
        assert set(running.list.names) == {ADA.name, *FAILING}
        await choose(running, "f", "failing")
        await running.press("down", "t")
        await running.idle()
        await running.until(lambda: set(running.list.names) == FAILING)


async def test_what_fails_in_a_run_joins_the_filtered_list() -> None:
    async with world() as running:
        await choose(running, "f", "failing")
        assert running.list.names == ()
        await running.press("T")
        await running.idle()
        await running.until(lambda: set(running.list.names) == FAILING)


async def test_space_selects_and_goes_down_and_the_mark_has_a_column_only_then() -> None:
    async with world(reports=REPORTS) as running:
        assert running.text().splitlines()[2].startswith(" ✓")
        await running.press("space", "space")
        await running.until(lambda: "◆ 2" in summary(running))
        lines = running.text().splitlines()
        assert [line[0] for line in lines[2:6]] == ["◆", "◆", " ", " "]
        assert running.list.selected == running.list.names[2]
        await running.press("escape")
        await running.until(lambda: "◆" not in running.text())


async def test_shift_extends_and_takes_back() -> None:
    async with world(reports=REPORTS) as running:
        names = running.list.names
        await running.press("down", "shift+down", "shift+down", "shift+down")
        assert running.list.selection.names == set(names[1:5])
        await running.press("shift+up", "shift+up")
        assert running.list.selection.names == set(names[1:3])
        await running.press("end", "shift+up")
        assert running.list.selection.names == {*names[1:3], *names[-2:]}


async def test_the_star_selects_all_that_are_shown_and_again_none() -> None:
    async with world(reports=REPORTS, size=(120, 40)) as running:
        await running.press("slash", *"status:failing", "enter", "asterisk")
        assert running.list.selection.names == FAILING
        await running.press("asterisk")
        assert running.list.selection.names == frozenset()


async def test_the_selection_survives_filter_and_sort_and_tells_what_is_hidden() -> None:
    async with world(reports=REPORTS, size=(120, 40)) as running:
        await running.press("space", "space")
        await running.press("slash", *"status:failing", "enter")
        await running.until(lambda: "◆ 2 selected (1 hidden)" in summary(running))
        await choose(running, "s", "Email address")
        assert running.list.selection.names == {ADA.name, ALAN.name}
        await running.press("t")
        await running.idle()
        assert running.checks.calls == [[ADA.name, ALAN.name]]
        await running.until(lambda: "Testing 2 selected accounts, 1 of them hidden by the filter." in running.text())


async def test_the_selected_accounts_are_tested_switched_and_deleted_together() -> None:
    asked: list[list[str]] = []
    async with world(reports=REPORTS) as running:
        await running.press("space", "down", "space", "t")
        await running.idle()
        assert running.checks.calls == [[ADA.name, ROBOT.name]]
        board = running.app.desk.board
        await running.press("a")
        await running.until(lambda: not board.account(ADA.name).active and not board.account(ROBOT.name).active)
        assert board.account(ALAN.name).active
        await running.press("a")
        await running.until(lambda: board.account(ADA.name).active and board.account(ROBOT.name).active)
        running.app.desk.errands.remove = asked.append  # type: ignore[method-assign,assignment]  # a spy
        running.app.desk.errands.export = asked.append  # type: ignore[method-assign,assignment]  # a spy
        await running.press("d", "x", "escape", "delete")
        assert asked == [[ADA.name, ROBOT.name], [ADA.name, ROBOT.name], [running.list.selected]]


async def test_one_that_is_off_among_the_selected_makes_all_active() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("asterisk", "a")
        await running.until(lambda: all(running.store.account(person.name).active for person in PEOPLE))
        await running.press("a")
        await running.until(lambda: not any(running.store.account(person.name).active for person in PEOPLE))


async def test_escape_gives_up_the_nearest_thing_first() -> None:
    checks = ScriptedChecks(held=True)
    async with world(reports=REPORTS, checks=checks, size=(120, 40)) as running:
        await running.press("slash", *"imap", "enter", "space", "t")
        await running.until(lambda: len(checks.calls) == 1)
        await running.press("slash", "escape")
        assert screen(running).field.value == ""
        assert running.app.desk.board.running == 1
        await running.press("slash", *"imap", "enter", "escape")
        await running.until(lambda: running.app.desk.board.running == 0)
        assert len(running.list.selection) == 1
        await running.press("escape")
        assert len(running.list.selection) == 0
        assert screen(running).field.value == "imap"
        await running.press("escape")
        await running.until(lambda: len(running.list.names) == len(PEOPLE))
        assert "escape" not in running.app.screen.active_bindings


async def test_the_summary_tells_how_far_the_checks_are() -> None:
    checks = ScriptedChecks(held=True)
    async with world(reports=REPORTS, checks=checks, size=(160, 40)) as running:
        await running.press("T")
        await running.until(lambda: "testing 0 of 11, escape cancels" in summary(running))
        checks.gate.set()
        await running.idle()
        await running.until(lambda: "testing" not in summary(running))


async def test_keys_ask_the_desk_for_the_account_under_the_cursor() -> None:
    async with world(reports=REPORTS) as running:
        asked: list[tuple[str, object]] = []

        def spy(what: str) -> Callable[..., None]:
            return lambda *arguments: asked.append((what, arguments))

        for what in ("new", "edit", "edit_text", "duplicate", "undo"):
            setattr(running.app.desk.errands, what, spy(what))
        await running.press("down", "n", "e", "E", "c", "u")
        assert asked == [
            ("new", ()),
            ("edit", (ALAN.name,)),
            ("edit_text", (ALAN.name,)),
            ("duplicate", (ALAN.name,)),
            ("undo", ()),
        ]


async def test_r_retrieves_and_says_where_that_is_seen() -> None:
    async with world(reports=REPORTS, retrievals=ScriptedRetrievals(held=True)) as running:
        await running.press("r")
        await running.until(lambda: f"Retrieving {ADA.name}; m shows how far it is." in running.text())
        assert running.retrievals.calls == [[ADA.name]]
        await running.until(lambda: "retrieving 0 of 1, escape cancels" in running.text().splitlines()[0])
        await running.press("space", "space", "space", "r")
        await running.until(lambda: len(running.retrievals.calls) == 2)
        assert running.retrievals.calls[1] == [ALAN.name], "one is retrieved already, one only sends"
        assert "Retrieving 3 selected accounts. 2 of them only send, or are" in " ".join(running.text().split())
        await running.press("escape")
        await running.until(lambda: sorted(running.retrievals.cancelled) == [ADA.name, ALAN.name])
        assert len(running.list.selection) == 3, "escape gave up what runs first"


async def test_retrieving_an_account_that_only_sends_is_told() -> None:
    async with world([ROBOT], REPORTS) as running:
        await running.press("r")
        await running.until(lambda: "only sends mail" in running.text())
        assert running.retrievals.calls == []


async def test_an_account_that_another_process_removed_leaves_the_selection() -> None:
    store = MemoryStore(PEOPLE, REPORTS)
    async with world(store=store) as running:
        await running.press("space", "space")
        store.drop(ALAN.name)
        await running.press("ctrl+r")
        await running.until(lambda: ALAN.name not in running.list.names)
        assert running.list.selection.names == {ADA.name}


async def test_a_row_of_an_account_that_is_gone_is_drawn_blank() -> None:
    async with world(reports=REPORTS) as running:
        running.app.desk.board.remove([ADA.name])
        running.list.refresh()
        running.list.refresh_names([ADA.name, ALAN.name], NOW)
        await running.pilot.pause()
        assert running.text().splitlines()[2].strip() in ("", "▅", "▆", "▇", "█")
        running.app.desk.changed()
        await running.until(lambda: len(running.list.names) == len(PEOPLE) - 1)


async def test_only_what_looks_different_is_drawn_again() -> None:
    async with world(reports=REPORTS) as running:
        await running.pilot.pause()
        before = running.list.repaints
        running.list.refresh_names([person.name for person in PEOPLE], NOW)
        running.list.refresh_ages(NOW)
        assert running.list.repaints == before
        running.list.refresh_ages(NOW + timedelta(hours=1))
        assert running.list.repaints == before + 1


async def test_control_and_click_selects() -> None:
    async with world(reports=REPORTS) as running:
        await running.pilot.click("#accounts", offset=(10, 2), control=True)
        assert running.list.selection.names == {ALAN.name}
        assert isinstance(running.app.screen, AccountsScreen)


async def test_wide_characters_are_never_cut_in_half() -> None:
    people = [account("渡" * number + "x" * 30, f"{'辺' * number}@example.org") for number in range(1, 12)]
    for columns in (57, 80, 93):
        async with world(people, size=(columns, 40)) as running:
            for keys in ((), ("right",), ("space",)):
                await running.press(*keys)
                await running.pilot.pause()
                strips = [running.list.render_line(y) for y in range(12)]
                assert {strip.cell_length for strip in strips} == {running.list.scrollable_content_region.width}


async def test_the_footer_of_a_small_screen_has_room_for_its_keys() -> None:
    async with world(reports=REPORTS) as running:
        footer = running.text().splitlines()[-1]
        for words in ("n New", "e Edit", "t Test", "T All", "/ Filter", "a On/off", "d Delete", "m Retrieval"):
            assert words in footer
        assert footer.endswith("? Help q Quit")


async def test_a_menu_shows_hostile_types_literally() -> None:
    words = "[/]\x1b[31m[@click=app.quit]x[/]"
    async with world([account("a", "a@example.org", type=words), account("b", "b@example.org")]) as running:
        await choose(running, "f", clean(words))
        assert running.list.names == ("a",)
        assert "\x1b" not in running.text()
        assert screen(running).field.value == 'type:"[/]\\x1b[31m[@click=app.quit]x[/]"'


@pytest.mark.parametrize("size", [(40, 12), (20, 8), (200, 60)])
async def test_any_size_is_safe(size: tuple[int, int]) -> None:
    async with world(reports=REPORTS) as running:
        await running.press("o", "asterisk", "end")
        await running.pilot.resize_terminal(*size)
        await running.press("home", "down", "right", "space", "shift+down", "end", "s")
        await running.until(lambda: isinstance(running.app.screen, MenuScreen))
        await running.press("escape", "f", "escape", "m", "escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
