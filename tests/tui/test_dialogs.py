"""The dialogs: what keys and buttons answer, at every size, and text from outside in them."""

import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.screen import ModalScreen
from textual.widgets import Input

from mailtui.tui.exporting import export_flow
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.conflict import ConflictScreen, Row, conflict_lines
from mailtui.tui.screens.dialog import Choice
from mailtui.tui.screens.help import HelpScreen
from mailtui.tui.screens.path import PathScreen, written
from mailtui.tui.screens.problems import ProblemsScreen
from tests.tui.hostile_words import HOSTILE
from tests.tui.people import ADA, ALAN
from tests.tui.test_hostile import require_harmless
from tests.tui.world import World, world

SIZES = [(80, 24), (40, 10), (120, 40)]
ROWS: list[Row] = [
    ("Server address", "smtp.example.org", "smtp.new.example.org", "mail.example.org"),
    ("Port", "465", "465", "587"),
    ("Notes", "", "mine", ""),
]


def words_of(running: World) -> str:
    """What is on the screen, without frames and line breaks."""
    return " ".join(running.text().translate(dict.fromkeys(map(ord, "│┃"), " ")).split())


class Asked:
    """A dialog on the screen, and what it answered."""

    def __init__(self, running: World) -> None:
        self.running = running
        self.answers: list[Any] = []

    def says(self, words: str) -> bool:
        """Whether the words are on the screen, however they are broken into lines."""
        return words in words_of(self.running)

    async def answer(self, *keys: str) -> Any:
        await self.running.press(*keys)
        await self.running.until(lambda: bool(self.answers))
        assert isinstance(self.running.app.screen, AccountsScreen)
        assert len(self.answers) == 1
        return self.answers[0]


@asynccontextmanager
async def asked(screen: ModalScreen[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[Asked]:
    async with world([], size=size) as running:
        dialog = Asked(running)
        running.app.push_screen(screen, dialog.answers.append)
        await running.until(lambda: running.app.screen is screen and screen.focused is not None)
        yield dialog


def confirmation(danger: bool = False, option: str = "") -> ConfirmScreen:
    return ConfirmScreen("Really?", ["All of it goes."], "Do it", "Leave it", danger=danger, option=option)


@pytest.mark.parametrize(
    ("danger", "keys", "answer"),
    [
        (False, ["enter"], True),
        (True, ["enter"], False),
        (True, ["y"], True),
        (False, ["n"], False),
        (False, ["escape"], False),
        (True, ["left", "enter"], True),
        (False, ["right", "space"], False),
        (True, ["tab", "enter"], True),
    ],
)
async def test_a_question_is_answered_by_keys(danger: bool, keys: list[str], answer: bool) -> None:
    async with asked(confirmation(danger)) as dialog:
        assert await dialog.answer(*keys) is answer


@pytest.mark.parametrize(("button", "answer"), [("#yes", True), ("#no", False)])
@pytest.mark.parametrize("size", SIZES)
async def test_a_question_is_answered_by_the_mouse(button: str, answer: bool, size: tuple[int, int]) -> None:
    async with asked(confirmation(True), size) as dialog:
        await dialog.running.pilot.click(button)
        assert await dialog.answer() is answer


async def test_a_yes_that_was_typed_before_the_question_could_be_read_is_none() -> None:
    async with world([]) as running:
        for danger, expected in ((True, 1), (False, 0)):
            dialog = Asked(running)
            screen = confirmation(danger)
            running.app.push_screen(screen, dialog.answers.append)
            for _ in range(3):
                # In the queue before anything of the question is on the screen.
                running.app.post_message(events.Key("y", "y"))
            await running.pilot.pause()
            await running.pilot.pause()
            assert len(dialog.answers) == 1 - expected
            if danger:
                assert running.app.screen is screen
                assert await dialog.answer("y") is True


async def test_keys_pressed_twice_do_not_reach_what_is_below() -> None:
    screen = confirmation()
    async with asked(screen) as dialog:
        screen.action_decide(True)
        screen.action_decide(True)
        assert await dialog.answer() is True
        assert len(dialog.running.app.screen_stack) == 2


async def test_an_option_is_switched_by_its_key_and_by_its_button() -> None:
    screen = confirmation(True, "keep the passwords")
    async with asked(screen) as dialog:
        assert "[ ] keep the passwords (k)" in dialog.running.text()
        await dialog.running.press("k")
        assert "[x] keep the passwords (k)" in dialog.running.text()
        assert screen.chosen
        await dialog.running.pilot.click("#option")
        await dialog.running.until(lambda: not screen.chosen)
        assert "[ ] keep the passwords (k)" in dialog.running.text()
        await dialog.running.press("k")
        assert await dialog.answer("y") is True
        assert screen.chosen


async def test_without_an_option_its_key_does_nothing() -> None:
    screen = confirmation()
    async with asked(screen) as dialog:
        assert "k Option" not in dialog.running.text()
        await dialog.running.press("k")
        assert not screen.chosen


@pytest.mark.parametrize("size", SIZES)
async def test_a_long_text_scrolls_and_the_buttons_stay(size: tuple[int, int]) -> None:
    lines = [f"line {number} of what there is to know" for number in range(60)]
    async with asked(ConfirmScreen("Long", lines, "Do it"), size) as dialog:
        assert "line 0 " in dialog.running.text()
        assert "line 59 " not in dialog.running.text()
        for _ in range(60):
            await dialog.running.press("pagedown")
        assert "line 59 " in dialog.running.text()
        assert "Do it" in dialog.running.text()
        assert "Cancel" in dialog.running.text()
        await dialog.running.press("up")
        assert "line 59 " not in dialog.running.text()


async def test_help_explains_the_dialog() -> None:
    async with asked(confirmation(True)) as dialog:
        await dialog.running.press("f1")
        await dialog.running.until(lambda: isinstance(dialog.running.app.screen, HelpScreen))
        assert "Leave all as it is" in dialog.running.text()
        await dialog.running.press("escape")
        assert await dialog.answer("escape") is False


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_told_stands_above_the_keys_and_covers_no_answer(size: tuple[int, int]) -> None:
    async with asked(confirmation(True, "keep the passwords"), size) as dialog:
        dialog.running.app.notify("something was written", markup=False)
        await dialog.running.until(lambda: "something was written" in dialog.running.text())
        lines = dialog.running.text().splitlines()
        assert "something was written" in lines[-2]
        assert "Yes" in lines[-1]
        assert all(dialog.says(words) for words in ("All of it goes.", "keep the passwords", "Do it", "Leave it"))


@pytest.mark.parametrize(("key", "answer"), [("enter", True), ("e", True), ("escape", False)])
async def test_problems_lead_back_to_the_text(key: str, answer: bool) -> None:
    async with asked(ProblemsScreen(("port: is 0",))) as dialog:
        assert "port: is 0" in dialog.running.text()
        assert await dialog.answer(key) is answer


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["m"], "merge"),
        (["enter"], "merge"),
        (["y"], "mine"),
        (["t"], "theirs"),
        (["escape"], None),
        (["right", "right", "enter"], "theirs"),
    ],
)
async def test_a_conflict_is_decided(keys: list[str], answer: str | None) -> None:
    async with asked(ConflictScreen("Ada was changed meanwhile", ROWS)) as dialog:
        assert await dialog.answer(*keys) == answer


async def test_of_an_account_that_is_gone_nothing_can_be_merged() -> None:
    async with asked(ConflictScreen("Ada was removed meanwhile", ROWS, removed=True)) as dialog:
        text = dialog.running.text()
        assert "Keep both" not in text
        assert "Theirs" not in text
        await dialog.running.press("m")
        assert not dialog.answers
        assert await dialog.answer("enter") == "mine"


@pytest.mark.parametrize("size", SIZES)
async def test_a_conflict_names_fields_and_values_at_every_size(size: tuple[int, int]) -> None:
    async with asked(ConflictScreen("Ada was changed meanwhile", ROWS), size) as dialog:
        seen = dialog.running.text()
        for _ in range(20):
            await dialog.running.press("down")
            seen += dialog.running.text()
        for value in ("▲ Server address", "smtp.new.example.org", "mail.example.org", "Port", "587", "(none)", "mine"):
            assert value in seen
        for choice in ("Keep both", "Save yours", "Take theirs", "Back"):
            assert choice in dialog.running.text()


def plain(lines: list[Any]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def test_only_fields_that_both_changed_are_marked() -> None:
    rows: list[Row] = [*ROWS, ("Type", "a", "b", "b")]
    marked = [line.split()[1] for line in plain(conflict_lines(rows, 110)) if "▲" in line]
    assert marked == ["Server"]


@pytest.mark.parametrize("columns", [20, 40, 61, 62, 80, 110])
def test_the_differences_never_exceed_their_columns(columns: int) -> None:
    from mailtui.model.text import width

    wide = ("表示名の項目", "渡辺 明 – サポート", "x" * 10_000, "\u202e\x1b[31m red")
    for rows in (ROWS, [*ROWS, wide]):
        for line in plain(conflict_lines(rows, columns)):
            assert width(line) <= columns
            assert "\x1b" not in line


def test_the_values_stand_side_by_side_where_no_word_is_broken() -> None:
    assert any(
        "smtp.new.example.org" in line and "mail.example.org" in line for line in plain(conflict_lines(ROWS, 110))
    )
    narrow = plain(conflict_lines(ROWS, 70))
    assert any("smtp.new.example.org" in line and "mail.example.org" not in line for line in narrow)


async def test_small_dialogs_show_hostile_text_as_it_is() -> None:
    makers: list[Callable[[str], ModalScreen[Any]]] = [
        lambda words: ConfirmScreen(words, [words], words, words, option=words),
        lambda words: ConflictScreen(words, [(words, words, "mine", words)]),
        lambda words: PathScreen(words, words, Path.home() / "a", problem=words),
    ]
    async with world([], size=(40, 10)) as running:
        for words, make in zip(HOSTILE, cycle(makers), strict=False):
            screen = make(words.text)
            await running.app.push_screen(screen)
            await running.pilot.pause()
            assert running.app.screen is screen
            require_harmless(running)
            screen.dismiss(None)
            await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_a_path_is_taken_only_where_a_file_can_be(tmp_path: Path) -> None:
    screen = PathScreen("Export", "Where to?", tmp_path / "none" / "a.toml")
    async with asked(screen) as dialog:
        await dialog.running.press("enter")
        await dialog.running.until(lambda: dialog.says("there is no folder"))
        assert not dialog.answers
        screen.query_one(Input).value = str(tmp_path)
        await dialog.running.press("enter")
        await dialog.running.until(lambda: dialog.says("is a folder"))
        screen.query_one(Input).value = str(tmp_path / "a.toml")
        await dialog.running.until(lambda: not dialog.says("is a folder"))
        assert await dialog.answer("enter") == tmp_path / "a.toml"


@pytest.mark.parametrize("size", SIZES)
async def test_a_path_is_asked_for_with_the_mouse(tmp_path: Path, size: tuple[int, int]) -> None:
    screen = PathScreen("Export", "Where to?", tmp_path / "a.toml")
    async with asked(screen, size) as dialog:
        write, cancel = dialog.running.app.screen.query(Choice)
        assert (str(write.label), str(cancel.label)) == ("Write", "Cancel")
        await dialog.running.pilot.click(write)
        assert await dialog.answer() == tmp_path / "a.toml"


async def test_a_place_that_does_not_answer_is_told_and_another_can_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailtui.tui.screens.path._DEADLINE", 0.05)
    hung = threading.Event()

    def named(text: str) -> Path:
        if "far" in text:
            hung.wait(60)
        return Path(text)

    monkeypatch.setattr("mailtui.tui.screens.path.named_file", named)
    screen = PathScreen("Export", "Where to?", tmp_path / "far.toml")
    try:
        async with asked(screen) as dialog:
            await dialog.running.press("enter")
            await dialog.running.until(lambda: dialog.says("this place does not answer; choose another"))
            assert not dialog.answers
            screen.query_one(Input).value = str(tmp_path / "near.toml")
            assert await dialog.answer("enter") == tmp_path / "near.toml"
    finally:
        hung.set()


async def test_no_path_is_an_answer(tmp_path: Path) -> None:
    async with asked(PathScreen("Export", "Where to?", tmp_path / "a.toml")) as dialog:
        assert await dialog.answer("escape") is None


def test_a_path_is_written_as_people_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert written(tmp_path / "home" / "a.toml") == "~/a.toml"
    assert written(tmp_path / "here" / "a.toml") == "a.toml"
    assert written(tmp_path / "a.toml") == str(tmp_path / "a.toml")
    assert written(tmp_path / "x\x1b[31m" / "a.toml") == "a.toml"


class Exporting:
    """An export that runs in a worker, as the desk runs it."""

    def __init__(self, running: World) -> None:
        self.running = running
        self.told: list[str | None] = []

        async def run() -> None:
            self.told.append(await export_flow(running.app, [ADA, ALAN]))

        running.app.run_worker(run())

    async def shows(self, screen: type[ModalScreen[Any]], words: str) -> None:
        app = self.running.app
        await self.running.until(lambda: isinstance(app.screen, screen) and words in words_of(self.running))

    async def ended(self) -> str | None:
        await self.running.until(lambda: bool(self.told))
        return self.told[0]


async def test_an_export_is_written_where_it_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with world([]) as running:
        export = Exporting(running)
        await export.shows(PathScreen, "~/mailtui-accounts.toml")
        assert "without passwords" in running.text()
        await running.press("enter")
        assert await export.ended() == "Exported 2 accounts to ~/mailtui-accounts.toml."
        written_text = (tmp_path / "mailtui-accounts.toml").read_text(encoding="utf-8")
        assert ADA.name in written_text
        assert ALAN.name in written_text


async def test_an_existing_file_is_only_replaced_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    there = tmp_path / "mailtui-accounts.toml"
    there.write_text("mine")
    async with world([]) as running:
        export = Exporting(running)
        await export.shows(PathScreen, "~/mailtui-accounts.toml")
        await running.press("enter")
        await export.shows(ConfirmScreen, "exists already")
        await running.press("enter")
        await export.shows(PathScreen, "~/mailtui-accounts.toml")
        assert there.read_text() == "mine"
        await running.press("enter")
        await export.shows(ConfirmScreen, "exists already")
        await running.press("y")
        assert await export.ended() == "Exported 2 accounts to ~/mailtui-accounts.toml."
        assert ADA.name in there.read_text(encoding="utf-8")


async def test_what_goes_wrong_while_writing_is_told_beside_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    async with world([]) as running:
        export = Exporting(running)
        await export.shows(PathScreen, "~/mailtui-accounts.toml")

        def full(path: Path, content: bytes) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("mailtui.actions.exporting.create_file", full)
        await running.press("enter")
        await export.shows(PathScreen, "No space left on device")
        assert "~/mailtui-accounts.toml" in running.text(), "what was typed is not lost"
        await running.press("escape")
        assert await export.ended() is None
        assert not os.listdir(tmp_path)


@pytest.mark.parametrize("there", [False, True])
async def test_a_file_system_that_hangs_while_writing_is_waited_for_so_long_only(
    there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    hung = threading.Event()

    def hang(path: Path, content: bytes) -> None:
        hung.wait(60)

    if there:
        (tmp_path / "mailtui-accounts.toml").write_text("mine")
    async with world([]) as running:
        export = Exporting(running)
        await export.shows(PathScreen, "~/mailtui-accounts.toml")
        if there:
            await running.press("enter")
            await export.shows(ConfirmScreen, "exists already")
        monkeypatch.setattr(
            "mailtui.actions.exporting.replace_file" if there else "mailtui.actions.exporting.create_file", hang
        )
        monkeypatch.setattr("mailtui.tui.exporting._DEADLINE", 0.05)
        try:
            await running.press("y" if there else "enter")
            await export.shows(PathScreen, "this place has not answered for")
            await running.press("escape")
            assert await export.ended() is None
        finally:
            hung.set()
