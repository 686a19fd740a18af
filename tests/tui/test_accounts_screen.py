"""The accounts screen: what each key does, told by the board, the store and the checks, not by pictures."""

import pytest
from textual import events
from textual.widgets import Input

from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg
from mailtui.model.errors import StorageError
from mailtui.tui.messages import ChecksProgressed
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.help import HelpScreen
from mailtui.tui.widgets.ladder import LadderPanel
from mailtui.tui.words import Mark
from tests.tui.people import ADA, ALAN, NEW, OFF, PEOPLE, REPORTS, ROBOT, account
from tests.tui.world import MemoryStore, ScriptedChecks, World, world


def marks(running: World, name: str) -> tuple[Mark, Mark]:
    board = running.app.desk.board
    return board.mark(name, Leg.OUTBOUND), board.mark(name, Leg.INBOUND)


async def test_starts_with_the_last_reports_of_the_store() -> None:
    async with world(reports=REPORTS) as running:
        assert marks(running, ADA.name) == (Mark.OK, Mark.OK)
        assert marks(running, ALAN.name) == (Mark.FAILED, Mark.FAILED)
        assert marks(running, ROBOT.name) == (Mark.OK, Mark.ABSENT)
        assert marks(running, NEW.name) == (Mark.UNCHECKED, Mark.UNCHECKED)
        assert "4 good" in running.text()
        assert running.text().splitlines()[2].startswith(" ✓   ✓  2m    Ada"), "short ages at 80 columns"


async def test_all_runs_share_the_connections_that_may_be_open() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        await running.press("t", "down", "t", "T")
        await running.until(lambda: len(checks.slots) == 3)
        assert len(set(map(id, checks.slots))) == 1


async def test_t_runs_both_legs_of_the_selected_account_and_records_the_report() -> None:
    async with world() as running:
        await running.press("t")
        await running.idle()
        assert running.checks.calls == [[ADA.name]]
        assert marks(running, ADA.name) == (Mark.OK, Mark.OK)
        assert marks(running, ALAN.name) == (Mark.UNCHECKED, Mark.UNCHECKED)
        await running.until(lambda: len(running.store.recorded) == 1)
        assert running.store.recorded[0].account == ADA.name
        views = {panel.view.leg: panel.view for panel in running.app.screen.query(LadderPanel)}
        assert [view.mark for view in views.values()] == [Mark.OK, Mark.OK]
        assert all(stage.mark is Mark.OK for view in views.values() for stage in view.stages)


async def test_stages_are_shown_live_as_they_run() -> None:
    checks = ScriptedChecks(steps=2, held=True)
    async with world(checks=checks) as running:
        await running.press("t")
        await running.until(lambda: checks.events > 0 and not running.app.desk.repainter.due)
        for panel in running.app.screen.query(LadderPanel):
            states = [stage.mark for stage in panel.view.stages]
            assert states[:3] == [Mark.OK, Mark.OK, Mark.HALFWAY]
            assert set(states[3:]) == {Mark.UNCHECKED}
        lines = running.text().splitlines()
        assert sum("✓ Connect" in line and line.count("18 ms") == 2 for line in lines) == 1, "both legs advance"


async def test_capital_t_tests_active_accounts_once() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        await running.press("T")
        await running.until(lambda: len(checks.calls) == 1)
        await running.press("T", "t")
        await running.pilot.pause()
        assert len(checks.calls) == 1, "an account is never checked twice at once"
        assert set(checks.calls[0]) == {person.name for person in PEOPLE} - {OFF.name}
        checks.gate.set()
        await running.idle()
        await running.until(lambda: len(running.store.recorded) == len(PEOPLE) - 1)


async def test_escape_cancels_all_checks_and_the_marks_go_back() -> None:
    checks = ScriptedChecks(steps=2, held=True)
    async with world(reports=REPORTS, checks=checks) as running:
        await running.press("T")
        await running.until(lambda: checks.events > 0)
        assert marks(running, ADA.name) == (Mark.BEGUN, Mark.BEGUN)
        await running.press("escape")
        await running.until(lambda: len(checks.cancelled) == len(PEOPLE) - 1)
        assert running.app.desk.board.running == 0
        assert marks(running, ADA.name) == (Mark.OK, Mark.OK)
        assert running.store.recorded == []
        await running.press("t")
        await running.until(lambda: len(checks.calls) == 2)
        assert running.app.desk.board.running == 1, "what was cancelled can be tested again"


async def test_escape_is_offered_only_while_there_is_something_to_cancel() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        assert "escape" not in running.app.screen.active_bindings
        await running.press("t")
        await running.until(lambda: "escape" in running.app.screen.active_bindings)


async def test_filter_narrows_live_and_escape_clears_it() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("slash", *"failing")
        await running.pilot.pause()
        assert len(running.list.names) == 5
        await running.press("space", *"pop")
        await running.pilot.pause()
        assert len(running.list.names) == 0
        assert "escape shows all" in running.text()
        await running.press("escape")
        await running.pilot.pause()
        assert len(running.list.names) == len(PEOPLE)
        assert running.app.focused is running.list
        assert running.app.screen.query_one("#filter", Input).display is False


async def test_what_is_typed_right_after_the_slash_is_the_filter() -> None:
    async with world(reports=REPORTS) as running:
        for character in "/neat/x":
            running.app.post_message(events.Key("slash" if character == "/" else character, character))
        await running.until(lambda: running.app.screen.query_one("#filter", Input).value == "neat/x")
        assert running.checks.calls == []
        assert running.store.account(ADA.name).active
        assert isinstance(running.app.screen, AccountsScreen)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("SMTP.closed", "Closed port"),
        ("radia@", NEW.name),
        ("campaigns 2024", OFF.name),
        ("渡辺", "渡辺 明 – サポート"),
    ],
)
async def test_filter_looks_everywhere(typed: str, found: str) -> None:
    async with world() as running:
        await running.press("slash")
        running.app.screen.query_one("#filter", Input).value = typed
        await running.until(lambda: running.list.names == (found,))


async def test_a_switches_the_account_in_the_store() -> None:
    async with world() as running:
        await running.press("a")
        await running.until(lambda: not running.store.account(ADA.name).active)
        await running.until(lambda: not running.app.desk.board.account(ADA.name).active)
        await running.press("a")
        await running.until(lambda: running.app.desk.board.account(ADA.name).active)


async def test_enter_opens_the_details_with_the_transcript_and_escape_returns() -> None:
    async with world(reports=REPORTS, size=(120, 60)) as running:
        await running.press("enter")
        await running.until(
            lambda: isinstance(running.app.screen, DetailScreen) and "AUTH PLAIN ****" in running.text()
        )
        assert "CN=smtp.example.org" in running.text()
        assert "SIZE 52428800" in running.text()
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_details_show_one_leg_where_there_is_no_room_for_two() -> None:
    async with world(reports=REPORTS) as running:
        await running.press("enter")
        await running.until(lambda: "Outbound SMTP" in running.text() and "Inbound IMAP" not in running.text())
        await running.press("i")
        await running.until(lambda: "Inbound IMAP" in running.text() and "Outbound SMTP" not in running.text())
        await running.press("shift+tab")
        await running.until(lambda: "Outbound SMTP" in running.text())


async def test_a_test_from_the_details_is_followed_there() -> None:
    async with world(size=(120, 40)) as running:
        await running.press("enter", "t")
        await running.idle()
        await running.until(lambda: "proven by the certificate" in running.text())
        await running.press("escape")
        await running.until(lambda: marks(running, ADA.name) == (Mark.OK, Mark.OK) and "Login" in running.text())
        assert running.text().splitlines()[2].startswith(" ✓   ✓  now "), "the list caught up"


async def test_help_lists_the_keys_that_apply() -> None:
    async with world(size=(120, 100)) as running:
        await running.press("question_mark")
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        for words in ("Test every active account", "Make a new account", "not checked", "failed"):
            assert words in running.text()
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_the_palette_has_every_action_with_a_key() -> None:
    async with world() as running:
        titles = {command.title for command in running.app.get_system_commands(running.app.screen)}
        wanted = {"Test (t)", "All (T)", "Filter (/)", "On/off (a)", "New (n)", "Edit (e)", "Help (?, f1)", "Quit (q)"}
        wanted |= {"Sort (s)", "Show (f)", "Group (o)", "Export (x)", "Undo (u)", "Duplicate (c)", "Edit as TOML (E)"}
        wanted |= {
            "Select (space)",
            "Select all (*)",
            "Delete (d, del)",
            "Retrieval (m)",
            "Retrieve (r)",
            "Reload (^r)",
        }
        assert wanted <= titles
        assert any(title.startswith("Theme") for title in titles)


async def test_bindings_have_ids_and_tooltips() -> None:
    async with world(reports=REPORTS) as running:
        for active in running.app.screen.active_bindings.values():
            if active.binding.show and not active.binding.system:
                assert active.binding.id, active.binding
            if active.binding.id:
                assert active.binding.tooltip, active.binding


async def test_quitting_cancels_what_runs_and_keeps_what_is_finished() -> None:
    checks = ScriptedChecks()
    async with world(checks=checks) as running:
        await running.press("t")
        await running.idle()
        checks.gate.clear()
        await running.press("down", "t")
        await running.until(lambda: len(checks.calls) == 2)
        await running.press("q")
        await running.until(lambda: not running.app.is_running)
        assert checks.cancelled == [ALAN.name]
        assert [found.account for found in running.store.recorded] == [ADA.name]
        assert running.app.return_value == 0


async def test_reload_shows_what_another_process_added() -> None:
    async with world() as running:
        running.store.add(account("Zuse", "konrad@z3.example"))
        await running.press("ctrl+r")
        await running.until(lambda: "Zuse" in running.list.names)
        assert running.list.selected == ADA.name


async def test_without_accounts_the_list_says_what_to_do() -> None:
    async with world([]) as running:
        await running.until(lambda: "n makes the first" in running.text())
        await running.press("t", "T", "e", "a", "enter")
        assert running.checks.calls == []


async def test_a_store_that_fails_is_told_and_nothing_breaks() -> None:
    class Broken(MemoryStore):
        def accounts(self) -> list[Account]:
            raise StorageError("the database /x/[/] is damaged")

    async with world(store=Broken()) as running:
        await running.until(lambda: "/x/[/] is damaged" in running.text().replace("▌", "").replace("│", ""))
        assert "The accounts could not be read" in running.text()


async def test_on_a_wide_screen_no_name_is_cut_and_servers_have_their_ports() -> None:
    async with world(reports=REPORTS, size=(120, 40)) as running:
        rows = running.text().splitlines()[2:14]
        assert all(any(person.name in row for row in rows) for person in PEOPLE)
        assert sum("smtp.example.org:465" in row for row in rows) == 8
    async with world(reports=REPORTS, size=(200, 40)) as running:
        lines = running.text().splitlines()
        for title in (
            "Checked",
            "Name",
            "Email address",
            "SMTP server",
            "Retrieval server",
            "Type",
            "Active",
            "Updated",
        ):
            assert title in lines[1]
        assert "2 min ago" in lines[2]
        assert "9 days ago" in lines[2]
        assert "campaigns" in lines[2]


async def test_right_goes_to_the_columns_that_do_not_fit_and_the_names_stay() -> None:
    async with world(reports=REPORTS) as running:
        assert "Updated" not in running.text()
        assert "›" in running.text().splitlines()[1]
        await running.press(*["right"] * 6)
        await running.pilot.pause()
        lines = running.text().splitlines()
        assert "Updated" in lines[1]
        assert "›" not in lines[1]
        assert "Ada Lovelace" in lines[2]
        await running.press(*["left"] * 6)
        await running.pilot.pause()
        assert "Email address" in running.text()


async def test_a_server_that_is_not_verified_is_marked_in_its_row() -> None:
    for size in ((80, 24), (120, 40)):
        async with world(reports=REPORTS, size=size) as running:
            rows = running.text().splitlines()[2:10]
            assert [row.count(" !") for row in rows if "Emmy" in row] == [2]
            assert not any(" !" in row for row in rows if "Emmy" not in row)


async def test_mouse_selects_and_opens() -> None:
    async with world(reports=REPORTS) as running:
        await running.pilot.click("#accounts", offset=(10, 2))
        assert running.list.selected == ALAN.name
        await running.pilot.double_click("#accounts", offset=(10, 2))
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))


async def test_resizing_keeps_the_selected_account_in_sight() -> None:
    async with world(reports=REPORTS, size=(120, 40)) as running:
        await running.press("end")
        for size in ((80, 24), (40, 12), (200, 60)):
            await running.pilot.resize_terminal(*size)
            await running.pilot.pause()
            assert "渡辺" in running.text(), size


@pytest.mark.parametrize("reports", [None, REPORTS])
@pytest.mark.parametrize("people", [(), PEOPLE])
async def test_without_colour_the_shapes_tell(
    reports: dict[str, CheckReport] | None, people: tuple[Account, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with world(people, reports) as running:
        await running.press("down", "enter", "escape", "question_mark", "escape")
        await running.pilot.pause()
        colours = {
            segment.style.color.triplet
            for strip in running.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None and segment.style.color is not None
        }
        assert all(colour is None or len(set(colour)) == 1 for colour in colours), "only greys"
        if people and reports:
            assert " ✗   ✗  2m    Alan" in running.text()


@pytest.mark.parametrize(
    ("system", "no_color", "theme"),
    [("standard", False, "ansi-dark"), ("standard", True, "mailtui-dark"), ("256", False, "mailtui-dark")],
)
async def test_sixteen_colours_are_the_terminals_own(
    system: str, no_color: bool, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rich.console.Console.color_system", property(lambda self: system))
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    async with world(reports=REPORTS) as running:
        assert running.app.theme == theme


async def test_progress_messages_replace_each_other() -> None:
    assert ChecksProgressed().can_replace(ChecksProgressed())
