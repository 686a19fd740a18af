"""What mailtui says stands in lines of its own above the footer, on whichever screen is in front."""

import pytest
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from mailtui.tui.widgets.message_bar import LINES, MessageBar, bar_of
from tests.tui.people import PEOPLE
from tests.tui.world import World, world


class WithBar(Screen[None]):
    """A screen as ours are."""

    def compose(self) -> ComposeResult:
        body = Static("body\n" * 60)
        body.styles.height = "1fr"
        yield body
        yield MessageBar()
        yield Footer(compact=True)


class Dialog(ModalScreen[None]):
    """A dialog without a bar."""

    def compose(self) -> ComposeResult:
        yield Vertical(Static("a question"), classes="dialog")
        yield Footer()


def bar(running: World) -> MessageBar:
    found = bar_of(running.app.screen)
    assert found is not None
    return found


async def told(running: World, words: str, severity: SeverityLevel = "information") -> None:
    before = len(running.app.told)
    running.app.notify(words, severity=severity, markup=False)
    await running.until(lambda: len(running.app.told) > before and running.app.notice is running.app.told[-1])


def rows_of(running: World, words: str) -> list[int]:
    return [row for row, line in enumerate(running.text().splitlines()) if words in line]


@pytest.mark.parametrize(("severity", "glyph"), [("information", "›"), ("warning", "▲"), ("error", "✗")])
async def test_a_message_takes_its_own_line_above_the_footer(severity: SeverityLevel, glyph: str) -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        body = running.app.screen.query_one(Static)
        assert bar(running).display is False
        assert body.size.height == 23
        await told(running, "It is so.", severity)
        assert body.size.height == 22, "the body gives a line, none of it is covered"
        assert rows_of(running, f"{glyph} It is so.") == [22]


async def test_a_long_message_wraps_and_is_cut_at_its_limit() -> None:
    async with world(PEOPLE, size=(40, 10)) as running:
        await running.app.push_screen(WithBar())
        await told(running, "word " * 12)
        assert bar(running).size.height == 2
        await told(running, "word " * 400)
        assert bar(running).size.height == LINES
        assert running.text().splitlines()[8].endswith("… f7 shows all")
        await told(running, "one\ntwo")
        assert rows_of(running, "one") == [7]
        assert rows_of(running, "two") == [8]


async def test_the_next_message_takes_its_place_and_time_takes_the_last() -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        await told(running, "first", "error")
        await told(running, "second")
        assert "first" not in running.text()
        running.app.notify("third", timeout=0.01)
        await running.until(lambda: len(running.app.told) == 3 and running.app.notice is None)
        assert bar(running).display is False
        assert running.app.screen.query_one(Static).size.height == 23
        assert [notice.words for notice in running.app.told] == ["first", "second", "third"]


async def test_a_message_of_a_screen_that_closes_is_seen_on_the_one_below() -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        below = bar(running)
        await running.app.push_screen(WithBar())
        running.app.notify("Saved it.")
        running.app.pop_screen()
        await running.until(lambda: below.notice is not None)
        assert rows_of(running, "Saved it.") == [22]


async def test_a_dialog_gets_a_bar_of_its_own() -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        below = bar(running)
        await running.app.push_screen(Dialog())
        await told(running, "Not like this.")
        assert len(rows_of(running, "Not like this.")) == 1
        assert bar(running).display
        assert below.notice is None
        (row,) = rows_of(running, "Not like this.")
        (question,) = rows_of(running, "a question")
        assert row > question
        running.app.pop_screen()
        await running.until(lambda: below.notice is not None)


async def test_what_is_said_is_literal() -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        await told(running, "[bold red]x[/] [@click=app.quit]y[/] [/] \x1b]52;c;ZXZpbA==\x07 \u202e")
        text = running.text()
        assert "[bold red]x[/] [@click=app.quit]y[/] [/]" in text
        assert not set(text) & {"\x1b", "\x07", "\u202e"}


async def test_what_textual_says_goes_there_without_its_markup() -> None:
    async with world(PEOPLE) as running:
        await running.app.push_screen(WithBar())
        running.app.notify("Press [b]q[/b] to leave", title="Well?")
        await running.until(lambda: running.app.notice is not None)
        assert running.app.notice is not None
        assert running.app.notice.words == "Well?\nPress q to leave"
        running.app.notify("[/] is no markup")
        await running.until(lambda: bool(rows_of(running, "[/] is no markup")))
