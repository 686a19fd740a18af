"""The footer shows whole keys, as many as fit, and the help wherever that is."""

from typing import ClassVar

import pytest
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from mailtui.tui.screens.help import HelpScreen
from mailtui.tui.widgets.key_bar import KeyBar
from tests.tui.people import PEOPLE
from tests.tui.world import world


class Many(Screen[None]):
    """More keys than a narrow terminal has columns for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key, "bell", f"Action{key}") if key == "a" else Binding(key, f"nothing('{key}')", f"Action{key}")
        for key in "abcdefgh"
    ]

    def compose(self) -> ComposeResult:
        yield KeyBar()


@pytest.mark.parametrize(
    ("columns", "footer"),
    [
        (
            120,
            "a Actiona b Actionb c Actionc d Actiond e Actione f Actionf g Actiong h Actionh ? Help q Quit ^p palette",
        ),
        (98, "a Actiona b Actionb c Actionc d Actiond e Actione f Actionf g Actiong h Actionh ? Help q Quit"),
        (40, "a Actiona b Actionb ? Help q Quit"),
        (20, "? Help q Quit"),
        (8, "? Help"),
    ],
)
async def test_whole_keys_and_the_help(columns: int, footer: str) -> None:
    async with world(PEOPLE, size=(columns, 10)) as running:
        await running.app.push_screen(Many())

        def shown() -> str:
            return " ".join(running.text().splitlines()[-1].replace("▏", " ").split())

        await running.until(lambda: shown() == footer)


async def test_a_key_that_is_of_use_for_a_moment_takes_the_place_of_the_last() -> None:
    async with world(PEOPLE, size=(58, 10)) as running:
        screen = Many()
        screen._bindings.bind("z", "nothing('z')", "Now", show=False)
        await running.app.push_screen(screen)

        def footer() -> str:
            return running.text().splitlines()[-1].rstrip()

        usual = "a Actiona b Actionb c Actionc d Actiond ? Help q Quit"
        await running.until(lambda: footer() == usual)
        screen.query_one(KeyBar).offer({"nothing('z')"})
        await running.until(lambda: footer() == "a Actiona b Actionb c Actionc z Now ? Help q Quit")
        screen.query_one(KeyBar).offer(())
        await running.until(lambda: footer() == usual)


async def test_a_wider_terminal_shows_more() -> None:
    async with world(PEOPLE, size=(40, 10)) as running:
        await running.app.push_screen(Many())
        await running.until(lambda: running.text().splitlines()[-1].startswith("a Actiona b Actionb ? Help q Quit"))
        await running.pilot.resize_terminal(100, 10)
        await running.until(lambda: "h Actionh ? Help q Quit" in running.text().splitlines()[-1])


async def test_a_click_on_a_key_does_what_the_key_does() -> None:
    async with world(PEOPLE) as running:
        line = running.text().splitlines()[-1]
        await running.pilot.click(offset=(line.index("Help") + 1, 23))
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        await running.press("escape")
        await running.pilot.click(offset=(line.index("T All"), 23))
        await running.until(lambda: len(running.checks.calls) == 1)
