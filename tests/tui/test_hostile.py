"""Text from outside is shown as it is: nothing in it is obeyed, and nothing in it breaks a screen."""

from dataclasses import replace

import pytest

from mailtui.model.account import Account
from mailtui.model.check import Cause, CheckReport, Failure, Leg, Stage
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.detail import DetailScreen
from tests.tui.people import account, report
from tests.tui.world import World, world

HOSTILE = [
    "[/]",
    "[@click=app.quit]x[/]",
    "[bold red]loud",
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b2J",
    "\u202etfel",
    "a\u200bb",
    ":smile: $error",
    "x" * 10_000,
    "\ud800",
]


def hostile_report(person: Account, words: str) -> CheckReport:
    """A failed check whose every text is `words`."""
    failure = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, f"refused {words}", f"535 {words}")
    found = report(person, failure, failure, warning=words)
    assert found.outbound is not None
    assert found.outbound.tls is not None
    assert found.outbound.tls.certificate is not None
    certificate = replace(found.outbound.tls.certificate, subject=words, names=(words,), issuer=words)
    leg = replace(
        found.outbound,
        tls=replace(found.outbound.tls, certificate=certificate, cipher=words),
        capabilities=(words,),
        transcript=tuple(replace(line, text=words) for line in found.outbound.transcript),
        stages=tuple(replace(stage, detail=words, reply=words) for stage in found.outbound.stages),
    )
    return replace(found, outbound=leg, inbound=replace(leg, leg=Leg.INBOUND))


def require_harmless(running: World) -> str:
    """The text on the screen, which holds no link and no character that a terminal obeys."""
    strips = running.app.screen._compositor.render_strips()
    assert not any(segment.style and "@click" in segment.style.meta for strip in strips for segment in strip)
    text = running.text()
    assert not any(ord(character) < 32 and character != "\n" for character in text)
    assert not set(text) & {"\x1b", "\x9b", "\u202e", "\u200b", "\ud800"}
    return text


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_screen_shows_hostile_text(size: tuple[int, int]) -> None:
    people = [account(words, f"{words}@example.org", smtp=words, inbound=words, type=words) for words in HOSTILE]
    reports = {person.name: hostile_report(person, person.name) for person in people}
    async with world(people, reports, size=size) as running:
        for words in HOSTILE:
            assert running.list.selected == words
            text = require_harmless(running)
            assert not words.startswith(("[", ":")) or words in text, "what is harmless is shown as it is"
            running.app.desk.say(words, "error")
            await running.press("enter")
            await running.until(lambda: isinstance(running.app.screen, DetailScreen))
            require_harmless(running)
            await running.press("i", "end")
            require_harmless(running)
            await running.press("escape", "down")
            await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        await running.press("slash", *"x[/]")
        await running.until(lambda: len(running.list.names) == 1)
        require_harmless(running)
