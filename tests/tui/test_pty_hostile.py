"""Hostile text on every screen of the real program: the octets that reach the terminal hold nothing it obeys.

Each wait of `Program` fails at the first octet that the judge in `pty_stream` does not know; `test_pty_stream` proves
that it can fail.
"""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mailtui.model.account import Account
from mailtui.storage.database import Database
from tests.tui.hostile_servers import EVIL_SHOWN, PASSWORD, hostile_servers
from tests.tui.hostile_words import HALF, HOSTILE, LAST_LINE, hostile_database
from tests.tui.people import account
from tests.tui.pty_program import program, squeezed

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
_SHOWN = {words.text: words.shown for words in HOSTILE}
FIRST_HELP = "The address that mail is sent from"
"""Below the form while its first field has the focus."""
_CLIPBOARD = "\x1b[200~\x9b2J\u202e\u200b\u3164\x07[/][@click=app.quit]x[/]\x1b[201~"
"""Pasted, with the brackets that a terminal puts around it. Terminals take ESC out of what is pasted themselves."""
_PASTED = "[/][@click=app.quit]x[/]"


def number_of(person: Account) -> str:
    """The digits in its servers' names, which tell the accounts apart on any screen."""
    return person.submission.endpoint.host[1:3]


def is_opened(person: Account, size: tuple[int, int]) -> bool:
    """Whether to open this account at this size: half of them at each, and at both what was trouble once."""
    number = int(number_of(person))
    return number in (5, 10) or number % 2 == (size == (80, 24))


def is_selected(person: Account, leg: str = "h") -> Callable[[str], object]:
    """Whether the panels below the list speak of `person`."""
    return lambda text: re.search(rf"^╰─+ \[?{leg}{number_of(person)}", text, re.MULTILINE)


def shows_server(person: Account, leg: str) -> Callable[[str], object]:
    """Whether the detail of one leg is shown from its start."""
    return lambda text: re.search(rf"Server +\[?{leg}{number_of(person)}", text)


def in_list(text: str) -> bool:
    """Whether the accounts are in front, drawn wholly, and the focus is in their list."""
    return text.startswith(" mailtui ") and "/ Filter" in text and FIRST_HELP not in text


def in_form(text: str) -> bool:
    """Whether a form is in front, with the focus in its first field."""
    return "f2 Identity" in text.partition("\n")[0] and FIRST_HELP in text and "f1 Help" in text


def shows(*words: str) -> Callable[[str], object]:
    """Whether all of `words` can be read, over the ends of lines too."""
    return lambda text: all(squeezed(one) in squeezed(text) for one in words)


def database_of(folder: Path) -> Path:
    return folder / "data" / "mailtui.db"


@SIZES
async def test_the_list_its_menus_and_message_retrieval(tmp_path: Path, size: tuple[int, int]) -> None:
    people = hostile_database(database_of(tmp_path))
    async with program(tmp_path, *size) as running:
        await running.until(is_selected(people[0]))
        for person in people:
            if person is not people[0]:
                await running.go("down", to=is_selected(person))
            assert _SHOWN[person.name] in running.text
        await running.go("home", to=is_selected(people[0]))
        await running.go("asterisk", to="19 selected")
        await running.go("s", to="Sort by")
        await running.go("2", to="Email address↑")
        await running.go("o", to=lambda text: text.count("1 account") > 2)
        await running.go("f", to="type, 1")
        await running.go("end", to=lambda text: "no type" in text or "渡辺" in text)
        await running.go("enter", to="1 of 19")
        await running.go("slash", to=lambda text: "/ Filter" not in text)
        await running.go("escape", to=" 19 accounts   ◆")
        await running.until(in_list)
        await running.go("escape", "o", "s", to="Sort by")
        await running.go("1", to="Name↑")

        await running.press("slash")
        await running.type(_CLIPBOARD)
        await running.go(to=_PASTED)
        await running.go("enter", to=in_list)
        await running.go("escape", to=" 19 accounts ")
        await running.until(in_list)
        await running.go("home", to=is_selected(people[0]))

        await running.go("m", to="Message Retrieval")
        await running.until(is_selected(people[0], "i"))
        for person in people[1:]:
            await running.go("down", to=is_selected(person, "i"))
        for _ in range(6):
            await running.press("right")
        await running.go("m", to=is_selected(people[-1]))
        assert await running.leave("q") == 0


@SIZES
async def test_the_detail_of_every_account(tmp_path: Path, size: tuple[int, int]) -> None:
    people = hostile_database(database_of(tmp_path))
    async with program(tmp_path, *size) as running:
        await running.until(is_selected(people[0]))
        for person in people:
            if person is not people[0]:
                await running.go("down", to=is_selected(person))
            if not is_opened(person, size):
                continue
            await running.go("enter", to=shows_server(person, "h"))
            await running.until(shows(_SHOWN[person.name][:6]))
            await running.go("slash", to=lambda text: "/ Search" not in text)
            await running.type(LAST_LINE)
            await running.until(f"*  {LAST_LINE}")
            await running.go("enter", to="n Next")
            await running.go("escape", to=lambda text: "n Next" not in text)
            await running.press("home", "pagedown", "pagedown", "pagedown", "end")
            await running.go("i", "home", to=shows_server(person, "i"))
            await running.press("pagedown", "pagedown", "pagedown", "end")
            if number_of(person) in ("05", "10"):
                await running.go("A", to=shows("Accept what changed?", "y Yes"))
                await running.press("pagedown", "pagedown")
                await running.go("escape", to="w Write")
            if number_of(person) in ("05", "11"):
                await running.go("I", to=shows("Log in again with what was refused?", "y Yes"))
                await running.press("pagedown", "pagedown")
                await running.go("escape", to="w Write")
                await running.go("F", to=shows("Not changed: account"))
            await running.go("escape", to=is_selected(person))
        await running.go("enter", to=shows_server(people[-1], "h"))
        await running.go("w", to="Write a report")
        await running.go("escape", to=lambda text: "Write a report" not in text)
        await running.go("question_mark", to="─ Help")
        await running.go("escape", to="w Write")
        await running.go("ctrl+p", to="Search for commands")
        await running.type(_CLIPBOARD)
        await running.until("No matches found")
        await running.go("escape", to="w Write")
        await running.go("escape", to=is_selected(people[-1]))
        assert await running.leave("q") == 0


@SIZES
async def test_the_form_of_every_account(tmp_path: Path, size: tuple[int, int]) -> None:
    people = hostile_database(database_of(tmp_path))
    async with program(tmp_path, *size) as running:
        await running.until(is_selected(people[0]))
        for person in people:
            if person is not people[0]:
                await running.go("down", to=is_selected(person))
            if not is_opened(person, size):
                continue
            await running.go("e", to=in_form)
            await running.until(f"h{number_of(person)}")
            for section in ("f3", "f4", "f5"):
                await running.press(section, "end")
            if number_of(person) in ("05", "10", "13", "18"):
                await running.go("ctrl+s", to="Not saved yet")
                await running.press("end")
                await running.go("escape", to="f8 Delete")
                await running.go("ctrl+t", to="cannot be tested yet")
                await running.go("escape", to="f8 Delete")
            await running.go("f2", to=in_form)
            await running.go("escape", to=is_selected(person))
        await running.go("c", to=in_form)
        await running.go("f3", to=lambda text: FIRST_HELP not in text)
        await running.type(_CLIPBOARD)
        await running.until("left out of the paste")
        await running.go("f1", to="─ Help")
        await running.go("escape", "f7", to="Messages, the newest first")
        await running.go("escape", to="f1 Help")
        await running.go("escape", to=shows("changes are not saved", "y Yes"))
        await running.go("y", to=in_list)
        assert await running.leave("q") == 0


@SIZES
async def test_servers_whose_every_word_is_hostile(tmp_path: Path, size: tuple[int, int]) -> None:
    async with hostile_servers() as people:
        with Database.open(database_of(tmp_path)) as database:
            for person in people:
                database.add(person)
        async with program(tmp_path, *size, environment={PASSWORD: "secret"}) as running:
            await running.until(f"○ {len(people)} unchecked")
            await running.press("T")
            await running.until(lambda text: "testing" not in text and "unchecked" not in text)
            assert "✓ 2 good" in running.text
            assert "✗ 6 failing" in running.text
            for person in people:
                assert person.retrieval is not None
                port = f"localhost:{person.submission.endpoint.port}"
                await running.until(re.compile(rf"^╰─+ {port}", re.MULTILINE).search)
                await running.go("enter", to=re.compile(rf"Server +{port}").search)
                await running.go("i", to=re.compile(rf"Server +localhost:{person.retrieval.endpoint.port}").search)
                await running.press("pagedown", "pagedown", "pagedown", "end", "o", "pagedown", "pagedown", "end")
                await running.go("escape", to=re.compile(rf"^╰─+ {port}", re.MULTILINE).search)
                await running.press("down")
            await running.press("home")
            await running.go("e", to=in_form)
            await running.go("ctrl+t", to="Test of 1 accepted")
            # While a test runs, d does nothing and escape cancels it.
            await running.until("Testing what is typed", gone=True)
            await running.go("d", to=shows(EVIL_SHOWN))
            await running.press("end", "i", "end")
            await running.go("escape", to="Back to the form")
            await running.go("enter", to=in_form)
            await running.go("escape", to=in_list)
            await running.press("down")
            await running.go("e", to=in_form)
            await running.go("ctrl+t", to="Both legs failed")
            await running.until("server said")
            await running.go("enter", to="f2 Identity")
            await running.go("escape", to=in_list)
            assert running.stream.shown(EVIL_SHOWN)
            assert running.stream.shown("\\x1b[2J")
            assert await running.leave("q") == 0


@SIZES
async def test_deleting_exporting_asking_and_conflicts(tmp_path: Path, size: tuple[int, int]) -> None:
    people = hostile_database(database_of(tmp_path))
    asks = next(person for person in people if number_of(person) == "05")
    async with program(tmp_path, *size) as running:
        await running.until(is_selected(people[0]))
        await running.go("slash", to=lambda text: "/ Filter" not in text)
        await running.type("ZXZpbA name:52")
        await running.until(is_selected(asks))
        await running.go("enter", to=in_list)
        await running.go("t", to="A secret is needed")
        assert "\\x1b]52;c;ZXZpbA" in running.text
        await running.go("escape", to=shows("No secret was given"))

        await running.go("d", to="keep the password")
        await running.go("escape", to=lambda text: "keep the password" not in text)
        await running.go("d", to=shows("keep the password", "y Yes"))
        await running.go("y", to=shows("Removed \\x1b]52;c;ZXZpbA==\\x07"))
        await running.go("u", to=shows("\\x1b]52;c;ZXZpbA==\\x07 is back"))

        await running.go("x", to="Export 1 account")
        await running.type(_CLIPBOARD)
        await running.until("left out")
        await running.go("ctrl+u", to=lambda text: _PASTED not in text)
        await running.type("out.toml")
        await running.until("out.toml")
        await running.go("enter", to=shows("Exported 1 account"))
        await running.go("f7", to="Messages, the newest first")
        await running.go("escape", to=is_selected(asks))
        assert await running.leave("q") == 0
    assert "\x1b" not in (tmp_path / "out.toml").read_text()


@SIZES
async def test_a_conflict_with_hostile_values(tmp_path: Path, size: tuple[int, int]) -> None:
    path = database_of(tmp_path)
    with Database.open(path) as database:
        database.add(account("Ada", "ada@analytical.example"))
    async with program(tmp_path, *size) as running:
        await running.until("ada@analytical")
        await running.go("e", to=in_form)
        await running.go("tab", to=lambda text: FIRST_HELP not in text)
        await running.type("x")
        await running.until(re.compile(r"Account name +x$", re.MULTILINE).search)
        with closing(sqlite3.connect(path)) as connection:
            # As JSON has them: half of a character can be stored in no other way.
            evil = "".join(words.text[:60] for words in HOSTILE) + HALF
            changed = "updated = updated + 1, document = json_set(document, '$.notes', ?, '$.type', '[/]')"
            connection.execute(f"UPDATE account SET {changed}", (evil.encode("utf-8", "replace").decode(),))
            connection.commit()
        await running.go("ctrl+s", to="Somebody else changed")
        await running.until(shows("[@click=app.quit]x[/]"))
        await running.press("pagedown", "pagedown")
        await running.go("escape", to="f2 Identity")
        await running.go("escape", to=shows("changes are not saved", "y Yes"))
        await running.go("y", to=in_list)
        assert await running.leave("q") == 0


async def test_files_that_are_hostile_themselves(tmp_path: Path) -> None:
    """Settings with escapes in keys and values, and a database with octets that are no text."""
    path = database_of(tmp_path)
    with Database.open(path) as database:
        database.add(account("Ada", "ada@analytical.example"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE account SET name = CAST(x'9b324a1b5d35323b633b6541ff07' AS TEXT)")
        connection.commit()
    settings = 'theme = "\\u001b]52;c;eA==\\u0007\\u202e[/]"\n[keys]\n"\\u009b2J[/]" = "\\u001b[31m"\n'
    (tmp_path / "config.toml").write_text(settings)
    async with program(tmp_path, 80, 24) as running:
        await running.until("could not be read")
        await running.go("f7", to="Messages, the newest first")
        await running.until(shows("\\x1b]52;c;eA=="))
        assert await running.leave("escape", "q") == 0
