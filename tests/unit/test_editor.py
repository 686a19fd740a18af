"""A text on its way through an editor: private, and never lost."""

import shutil
import stat
import tempfile
from datetime import datetime
from pathlib import Path

import pytest

from mailtui.actions.edit import DraftRefused, draft_of
from mailtui.actions.editor import FILE_LIMIT, Editing, editor_command, run_editor
from mailtui.model.account import Account, Endpoint, SecretRef, SecretScheme, Submission
from mailtui.model.errors import UsageError

ADA = Account("ada", "ada@example.org", Submission(Endpoint("h.example.org", 465), secret=SecretRef(SecretScheme.ASK)))


class Store:
    """Holds one account."""

    stored = ADA

    def account(self, name: str) -> Account:
        return self.stored

    def add(self, account: Account) -> object:
        raise AssertionError

    def accounts(self) -> list[Account]:
        return [self.stored]

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> object:
        self.stored = account
        return account


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def left_behind(tmp_path: Path) -> list[Path]:
    return [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_saved_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store()
    with Editing(store, draft_of(ADA)) as editing:
        path = editing.begin()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        path.write_text(path.read_text().replace("ada@", "countess@"))
        path.with_name(".account.toml.swp").touch()
        saved = editing.finish(0)
    assert saved is not None
    assert saved.email == store.stored.email == "countess@example.org"
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("status", [0, 1])
def test_a_text_left_alone_leaves_nothing_behind(tmp_path: Path, status: int) -> None:
    with Editing(Store(), draft_of(ADA)) as editing:
        editing.begin()
        if status == 0:
            assert editing.finish(0) is None
        else:
            with pytest.raises(UsageError, match=r"ended with status 1; nothing was saved$"):
                editing.finish(1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        (b"half a thought", 1, "ended with status 1; nothing was saved"),
        (b"name = 'J\xf6rg'\n", 0, "line 1 of the text is not UTF-8; nothing was saved"),
        (b"#" * (FILE_LIMIT + 1), 0, "larger than 1 MiB; nothing was saved"),
    ],
)
def test_what_was_typed_and_cannot_be_saved_is_kept_and_its_place_told(
    tmp_path: Path, typed: bytes, status: int, words: str
) -> None:
    with Editing(Store(), draft_of(ADA)) as editing:
        path = editing.begin()
        path.write_bytes(typed)
        with pytest.raises(UsageError) as told:
            editing.finish(status)
    assert str(told.value).endswith(f"{words}; your text is kept in {path}")
    assert path.read_bytes() == typed


def test_a_refused_text_is_kept_until_it_is_saved(tmp_path: Path) -> None:
    for corrected in (False, True):
        with Editing(Store(), draft_of(ADA)) as editing:
            path = editing.begin()
            path.write_text(path.read_text().replace("ada@example.org", "nobody"))
            with pytest.raises(DraftRefused):
                editing.finish(0)
            assert str(path) in editing.kept
            editing.begin()
            assert path.read_text().startswith("#! Not saved yet")
            if corrected:
                path.write_text(path.read_text().replace("nobody", "late@example.org"))
                assert editing.finish(0) is not None
        assert path.exists() is not corrected


def test_a_text_typed_before_an_interruption_is_kept() -> None:
    with pytest.raises(KeyboardInterrupt), Editing(Store(), draft_of(ADA)) as editing:  # noqa: PT012  # the last raises
        path = editing.begin()
        path.write_text("half a thought")
        raise KeyboardInterrupt
    assert path.read_text() == "half a thought"


@pytest.mark.parametrize(
    ("variables", "command"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"VISUAL": "", "EDITOR": "'my editor' -x"}, ["my editor", "-x"]),
    ],
)
def test_the_editor_is_the_persons_own(
    variables: dict[str, str], command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert editor_command() == command


def test_without_a_choice_a_usual_editor_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"nano", "vi"}
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    assert editor_command() == ["vi"]
    there.add("sensible-editor")
    assert editor_command() == ["sensible-editor"]
    there.clear()
    with pytest.raises(UsageError, match="there is no editor; set VISUAL or EDITOR"):
        editor_command()


def test_an_editor_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "'unbalanced")
    with pytest.raises(UsageError, match=r"VISUAL cannot be understood.*quotes"):
        editor_command()


def test_an_editor_runs_or_is_told_not_to(tmp_path: Path) -> None:
    assert run_editor(["sh", "-c", 'echo typed > "$0"; exit 7'], tmp_path / "text") == 7
    assert (tmp_path / "text").read_text() == "typed\n"
    with pytest.raises(UsageError, match="the editor /nonexistent/editor cannot be started: No such file"):
        run_editor(["/nonexistent/editor"], tmp_path)
