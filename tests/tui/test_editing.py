"""Editing an account as text: drafts, and the way through an editor and back."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailtui.actions.edit import DraftRefused, differences, draft_of, new_draft, save_draft, without_remarks
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.problems import ProblemsScreen
from tests.tui.people import ADA, ALAN, NOW
from tests.tui.world import MemoryStore, World, world


def test_a_draft_left_alone_changes_nothing() -> None:
    store = MemoryStore([ADA])
    for draft in (draft_of(ADA), new_draft()):
        assert save_draft(store, draft, draft.text) is None
    assert store.accounts() == [ADA]


def test_changed_values_are_stored() -> None:
    store = MemoryStore([ADA])
    draft = draft_of(ADA)
    saved = save_draft(store, draft, draft.text.replace("ada@analytical.example", "ada@new.example"))
    assert saved is not None
    assert store.account(ADA.name).email == "ada@new.example"
    assert tuple(differences(ADA, saved)) == ("email: ada@analytical.example -> ada@new.example",)


def test_a_new_account_comes_from_the_example() -> None:
    store = MemoryStore()
    draft = new_draft()
    saved = save_draft(store, draft, draft.text.replace('"example"', '"mine"'))
    assert saved is not None
    assert [account.name for account in store.accounts()] == ["mine"]


def test_every_problem_is_written_above_the_text_with_the_lines_of_that_text() -> None:
    draft = draft_of(ADA)
    broken = draft.text.replace("ada@analytical.example", "nobody").replace("465", "70000")
    with pytest.raises(DraftRefused) as refused:
        save_draft(MemoryStore([ADA]), draft, broken)
    problems, again = refused.value.problems, refused.value.draft
    assert any("email" in problem for problem in problems)
    assert any("submission.port" in problem for problem in problems)
    lines = again.text.splitlines()
    for problem in problems:
        assert f"#! {problem}" in lines
    numbered = next(problem for problem in problems if "submission.port" in problem)
    number = int(numbered.split(":")[1])
    assert "70000" in lines[number - 1], "the number is that of the text to be edited again"
    assert without_remarks(again.text) == broken, "nothing typed is lost"


def test_a_refused_text_left_alone_is_refused_again() -> None:
    draft = draft_of(ADA)
    store = MemoryStore([ADA])
    with pytest.raises(DraftRefused) as first:
        save_draft(store, draft, draft.text.replace("ada@analytical.example", "nobody"))
    with pytest.raises(DraftRefused) as second:
        save_draft(store, first.value.draft, first.value.draft.text)
    assert second.value.draft.text == first.value.draft.text


def test_a_change_made_meanwhile_is_shown_and_then_replaced_knowingly() -> None:
    draft = draft_of(ADA)
    store = MemoryStore([replace(ADA, notes="theirs", updated=NOW + timedelta(minutes=1))])
    mine = draft.text.replace("ada@analytical.example", "ada@mine.example")
    with pytest.raises(DraftRefused) as refused:
        save_draft(store, draft, mine)
    assert any("notes: (none) -> theirs" in problem for problem in refused.value.problems)
    assert store.account(ADA.name).notes == "theirs", "nobody's change is lost silently"
    saved = save_draft(store, refused.value.draft, refused.value.draft.text)
    assert saved is not None
    assert saved.email == "ada@mine.example"


def test_an_account_removed_meanwhile_can_be_added_again() -> None:
    draft = draft_of(ADA)
    store = MemoryStore()
    with pytest.raises(DraftRefused, match="removed meanwhile") as refused:
        save_draft(store, draft, draft.text.replace("ada@analytical.example", "ada@mine.example"))
    assert save_draft(store, refused.value.draft, refused.value.draft.text) is not None
    assert [account.email for account in store.accounts()] == ["ada@mine.example"]


def test_one_text_is_one_account() -> None:
    draft = draft_of(ADA)
    with pytest.raises(DraftRefused, match="one \\[\\[account\\]\\]"):
        save_draft(MemoryStore([ADA]), draft, draft.text + draft_of(ALAN).text)
    with pytest.raises(DraftRefused, match="holds none"):
        save_draft(MemoryStore([ADA]), draft, "# nothing\n")


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


class Editor:
    """Plays edits one after the other and remembers what it saw."""

    def __init__(self, *edits: Callable[[str], str]) -> None:
        self.edits = list(edits)
        self.seen: list[str] = []
        self.modes: list[int] = []
        self.path = Path()
        self.status = 0

    def __call__(self, path: Path) -> int:
        self.path = path
        self.modes.append(path.stat().st_mode & 0o777)
        text = path.read_text(encoding="utf-8")
        self.seen.append(text)
        path.write_text(self.edits.pop(0)(text), encoding="utf-8")
        return self.status


async def back_at_the_list(running: World, words: str) -> None:
    def told() -> bool:
        return any(words in notice.words for notice in running.app.told)

    await running.until(lambda: isinstance(running.app.screen, AccountsScreen) and told())


async def test_shift_e_edits_the_selected_account_in_a_private_file() -> None:
    editor = Editor(lambda text: text.replace(ADA.name, "Ada, renamed"))
    async with world(edit_file=editor) as running:
        await running.press("E")
        await back_at_the_list(running, "Saved Ada, renamed")
        assert editor.modes == [0o600]
        await running.until(lambda: not editor.path.parent.exists())
        assert running.list.selected == "Ada, renamed"
        assert ADA.name not in running.list.names


async def test_shift_n_writes_a_new_account_and_selects_it() -> None:
    editor = Editor(lambda text: text.replace('"example"', '"Zuse"'))
    async with world(edit_file=editor) as running:
        await running.press("N")
        await back_at_the_list(running, "Saved Zuse")
        assert running.list.selected == "Zuse"
        assert running.store.account("Zuse").email == "name@example.org"


async def test_problems_lead_back_to_the_text() -> None:
    editor = Editor(
        lambda text: text.replace("ada@analytical.example", "nobody"),
        lambda text: text.replace('"nobody"', '"ada@late.example"'),
    )
    async with world(edit_file=editor) as running:
        await running.press("E")
        await running.until(lambda: isinstance(running.app.screen, ProblemsScreen))
        await running.press("enter")
        await back_at_the_list(running, "Saved")
        assert "#! " in editor.seen[1]
        assert running.store.account(ADA.name).email == "ada@late.example"


async def test_a_text_given_up_is_kept_and_its_place_told() -> None:
    editor = Editor(lambda text: text.replace("ada@analytical.example", "nobody"))
    async with world(edit_file=editor) as running:
        await running.press("E")
        await running.until(lambda: isinstance(running.app.screen, ProblemsScreen))
        await running.press("escape")
        await back_at_the_list(running, str(editor.path))
        assert "nobody" in editor.path.read_text(encoding="utf-8")


async def test_an_editor_that_fails_saves_nothing_and_keeps_the_text() -> None:
    editor = Editor(lambda text: text.replace("ada@analytical.example", "x@example.org"))
    editor.status = 1
    async with world(edit_file=editor) as running:
        await running.press("E")
        await back_at_the_list(running, "status 1")
        assert running.store.account(ADA.name).email == ADA.email
        assert "x@example.org" in editor.path.read_text(encoding="utf-8")
