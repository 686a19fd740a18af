"""Keys: what a person may write, what is refused and why, and that every screen shows the keys in force."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import ClassVar

import pytest
from textual.binding import Binding, BindingType
from textual.keys import KEY_DISPLAY_ALIASES, format_key
from textual.screen import Screen

from mailtui.storage.settings import Settings
from mailtui.tui import keys
from mailtui.tui.app import MailtuiApp
from mailtui.tui.keys import actions_of_kind, actions_on, catalogue, key_name, key_names, keymap_of, kinds
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.help import HelpScreen
from tests.tui.settled import settled_world
from tests.tui.world import World

DOCUMENT = Path(__file__).parents[2] / "docs" / "keys.md"
_FIRST = ("app", "list", "accounts", "retrieval", "detail", "leg", "remedy", "form")
"""The parts of ids that the document begins with."""

_BEGIN, _END = "<!-- keys: begin -->\n", "<!-- keys: end -->\n"


@asynccontextmanager
async def with_keys(wishes: Mapping[str, str], size: tuple[int, int] = (120, 40)) -> AsyncIterator[World]:
    async with settled_world(Settings(keys=wishes), size=size) as running:
        yield running


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("t", "t"),
        ("T", "T"),
        ("shift+t", "T"),
        ("?", "question_mark"),
        ("/", "slash"),
        ("slash", "slash"),
        ("-", "minus"),
        ("+", "plus"),
        ("*", "asterisk"),
        ("ä", "ä"),
        ("F5", "f5"),
        ("Ctrl+T", "ctrl+t"),
        ("^t", "ctrl+t"),
        ("ctrl+i", "tab"),
        ("shift+ctrl+up", "ctrl+shift+up"),
        ("Esc", "escape"),
        ("pgdn", "pagedown"),
        ("space", "space"),
        (" f2 ", "f2"),
        ("", None),
        ("f99", None),
        ("hyperspace", None),
        ("control+t", None),
        ("ctrl+", None),
    ],
)
def test_a_key_is_known_by_what_people_write(written: str, name: str | None) -> None:
    assert key_name(written) == name


def test_a_list_of_keys_names_what_is_none() -> None:
    assert key_names("f2, ?,f2,nonsense") == (["f2", "question_mark"], ["nonsense"])


def test_every_key_of_ours_is_one_that_may_be_written() -> None:
    for kind in kinds():
        for base in kind.__mro__:
            for binding in vars(base).get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.id:
                    assert key_names(binding.key)[1] == [], (kind, binding.id)


def test_an_id_means_one_thing_and_says_what() -> None:
    known = catalogue()
    assert {"app.help", "app.quit", "app.palette", "app.theme", "app.messages"} <= known.keys()
    for kind in kinds():
        for identity, binding in actions_of_kind(kind).items():
            assert binding.key == known[identity].key, (kind, identity)
            assert binding.tooltip or binding.description, (kind, identity)


class Shares(Screen[None]):
    """One key for two actions, of which one is possible at a time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "one", "One", id="shares.one"),
        Binding("f2", "other", "Other", id="shares.other"),
    ]
    done = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "one"

    def action_other(self) -> None:
        self.done += "other "


async def test_a_key_that_two_actions_share_is_taken_from_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(keys, "kinds", lambda: (MailtuiApp, Shares))
        patch.setattr(keys, "_together", lambda: ())
        async with with_keys({"shares.one": "f5"}) as running:
            screen = Shares()
            await running.app.push_screen(screen)
            await running.press("f2")
            assert screen.done == "other "


def test_no_keys_of_ones_own_load_nothing() -> None:
    assert keymap_of(Settings()).keys == {}


def test_good_keys_are_taken_and_the_others_told() -> None:
    wishes = {
        "app.quit": "f10, ctrl+x",
        "accounts.tset": "x",
        "accounts.test": "nonsense",
        "app.help": "?",
    }
    places = {f"keys.{identity}": f"config.toml:{line}" for line, identity in enumerate(wishes, 2)}
    keymap = keymap_of(Settings(keys=wishes, places=places))
    assert keymap.keys == {"app.quit": "f10,ctrl+x", "app.help": "question_mark"}
    typo, nonsense = keymap.problems
    assert typo.startswith("config.toml:3: accounts.tset: there is no such action; did you mean accounts.test?")
    assert nonsense.startswith("config.toml:4: accounts.test: 'nonsense' is no key")


@pytest.mark.parametrize(
    ("wishes", "refused", "other"),
    [
        ({"accounts.test": "n"}, "accounts.test", "accounts.new"),
        ({"accounts.new": "f4", "accounts.edit": "f4"}, "accounts.edit", "accounts.new"),
        ({"accounts.test": "q"}, "accounts.test", "app.quit"),
        ({"app.quit": "t"}, "app.quit", "accounts.test"),
    ],
)
def test_two_actions_of_one_screen_do_not_get_one_key(wishes: dict[str, str], refused: str, other: str) -> None:
    keymap = keymap_of(Settings(keys=wishes))
    (problem,) = keymap.problems
    assert refused not in keymap.keys
    assert len(keymap.keys) == len(wishes) - 1
    assert f"{refused}: " in problem
    assert f"is the key of {other} already" in problem


def test_two_actions_may_change_places() -> None:
    keymap = keymap_of(Settings(keys={"accounts.new": "t", "accounts.test": "n"}))
    assert keymap.keys == {"accounts.new": "t", "accounts.test": "n"}
    assert keymap.problems == ()


def test_a_wish_that_falls_takes_along_what_stood_on_it() -> None:
    """`new` moves to t only because `test` moves away; when that is refused, `new` must stay where it was."""
    keymap = keymap_of(Settings(keys={"accounts.new": "t", "accounts.test": "q"}))
    assert keymap.keys == {}
    assert len(keymap.problems) == 2


async def test_a_remapped_key_works_and_the_old_one_does_not() -> None:
    async with with_keys({"accounts.test_all": "f5", "app.help": "ctrl+g"}) as running:
        await running.press("T")
        await running.pilot.pause()
        assert running.checks.calls == []
        await running.press("f5")
        await running.until(lambda: len(running.checks.calls) == 1)
        await running.press("question_mark", "f1")
        assert isinstance(running.app.screen, AccountsScreen)
        await running.press("ctrl+g")
        assert isinstance(running.app.screen, HelpScreen)


async def test_footer_help_and_palette_show_the_keys_in_force() -> None:
    async with with_keys({"accounts.test_all": "f3", "app.help": "!", "app.palette": "f12"}, size=(140, 70)) as running:
        await running.until(lambda: "palette" in running.text().splitlines()[-1])
        footer = running.text().splitlines()[-1]
        assert "f3 All" in footer
        assert "! Help" in footer
        assert "f12 palette" in footer
        assert "T All" not in footer
        await running.press("!")
        text = running.text()
        assert any("f3 " in line and "accounts.test_all" in line for line in text.splitlines())
        assert any("! " in line and "app.help" in line for line in text.splitlines())
        await running.press("escape")
        commands = {command.title for command in running.app.get_system_commands(running.app.screen)}
        assert "All (f3)" in commands
        assert "Help (!)" in commands


async def test_what_is_possible_here_is_told_once_and_nearest_first() -> None:
    async with with_keys({}) as running:
        actions = actions_on(running.app.screen, {})
        identities = [action.binding.id for action in actions]
        assert len(identities) == len(set(identities))
        homes = [name for name, _ in groupby(action.node for action in actions)]
        assert homes == [running.list, running.app.screen, running.app]
        offered = [key for action in actions for key in action.keys]
        assert len(offered) == len(set(offered))


async def test_keys_that_are_text_in_a_field_are_not_offered() -> None:
    async with with_keys({}) as running:
        await running.press("slash")
        offered = {action.binding.id: action.keys for action in actions_on(running.app.screen, {})}
        assert offered["app.help"] == ("f1",)
        assert offered["app.quit"] == ()
        assert offered["app.leave"] == ("ctrl+q",)


async def test_a_slip_in_the_settings_keeps_nobody_out() -> None:
    async with with_keys({"accounts.tset": "x"}) as running:
        await running.until(lambda: running.app.notice is not None)
        assert "did you mean accounts.test?" in running.text().replace("\n", " ")
        await running.press("t")
        await running.until(lambda: len(running.checks.calls) == 1)


def _typed(key: str) -> str:
    """The key as one types it, where that is one character."""
    character = format_key(key)
    return character if len(character) == 1 and key not in KEY_DISPLAY_ALIASES else key


def table() -> str:
    """Every action, as docs/keys.md lists them."""
    known = catalogue()
    lines: list[str] = []
    rooms = {identity.partition(".")[0] for identity in known}
    for room in (*(room for room in _FIRST if room in rooms), *sorted(rooms - set(_FIRST))):
        lines += [f"\n### {room}\n", "| id | keys | what it does |", "|---|---|---|"]
        for identity, binding in known.items():
            if identity.partition(".")[0] == room:
                names = " ".join(f"`{_typed(key)}`" for key in binding.key.split(","))
                lines.append(f"| `{identity}` | {names} | {binding.tooltip or binding.description} |")
    return "\n".join(lines).removeprefix("\n") + "\n"


def test_the_document_lists_every_key() -> None:
    """MAILTUI_UPDATE_DOCS=1 writes the list instead; read it before it is kept."""
    text = DOCUMENT.read_text()
    before, rest = text.split(_BEGIN)
    kept, after = rest.split(_END)
    if os.environ.get("MAILTUI_UPDATE_DOCS"):
        DOCUMENT.write_text(before + _BEGIN + "\n" + table() + "\n" + _END + after)
        return
    assert kept.strip() == table().strip(), "run MAILTUI_UPDATE_DOCS=1 pytest tests/tui/test_keys.py"


def test_the_app_has_no_binding_without_an_id_but_copying() -> None:
    unnamed = [binding for binding in MailtuiApp.BINDINGS if isinstance(binding, Binding) and not binding.id]
    assert [binding.key for binding in unnamed] == ["ctrl+c"]
