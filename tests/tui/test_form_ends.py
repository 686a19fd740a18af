"""The end of the account form: keys that come together, and what lies over it when a save is done."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from textual import events

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.storage.hidden import Hidden
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.form import FormScreen
from mailtui.tui.screens.help import HelpScreen
from mailtui.tui.screens.trial import TrialScreen
from tests.tui.test_form_screen import ADA, PASSWORD, Form, form
from tests.tui.world import MemorySecrets, ScriptedChecks


class SlowSecrets(MemorySecrets):
    """Places that take a password when they may."""

    def __init__(self) -> None:
        super().__init__({(SecretScheme.VAULT, "Ada"): "old password"})
        self.writing, self.go_on = asyncio.Event(), asyncio.Event()

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        self.writing.set()
        await self.go_on.wait()
        await super().write(ref, account_name, secret)

    async def write_many(self, secrets: Sequence[tuple[SecretRef, Hidden[str]]]) -> dict[SecretRef, str]:
        self.writing.set()
        await self.go_on.wait()
        return await super().write_many(secrets)


@asynccontextmanager
async def saving() -> AsyncIterator[tuple[Form, SlowSecrets]]:
    """A form whose save has begun and does not end yet."""
    secrets = SlowSecrets()
    async with form("Ada", secrets=secrets) as one:
        await one.fill("submission.password", PASSWORD)
        await one.press("ctrl+s")
        await one.until(secrets.writing.is_set)
        yield one, secrets


async def saved(one: Form, secrets: SlowSecrets) -> None:
    """Let the save end."""
    form_on_screen = one.screen
    secrets.go_on.set()
    await one.until(lambda: form_on_screen.ended)
    await one.running.pilot.pause()


def together(one: Form, *keys: str) -> None:
    """Keys that are there before the first of them is handled."""
    for key in keys:
        one.running.app.post_message(events.Key(key, None))


def told(one: Form) -> list[str]:
    return [notice.words for notice in one.running.app.told]


async def test_a_save_that_ends_under_the_help_closes_the_form_and_not_the_help() -> None:
    async with saving() as (one, secrets):
        await one.press("f1")
        await one.until(lambda: one.in_front(HelpScreen))
        await saved(one, secrets)
        assert one.in_front(HelpScreen)
        await one.press("escape")
        await one.gone()
        assert one.in_front(AccountsScreen)
        await one.until(lambda: any("Saved Ada" in words for words in told(one)))
        assert secrets.entries[SecretScheme.VAULT, "Ada"] == PASSWORD


async def test_a_save_that_ends_under_the_question_whether_to_leave_closes_the_form_after_it() -> None:
    async with saving() as (one, secrets):
        assert one.screen.unsaved
        await one.press("ctrl+q")
        await one.until(lambda: one.in_front(ConfirmScreen))
        await saved(one, secrets)
        assert one.in_front(ConfirmScreen)
        assert not one.screen.unsaved, "all is stored by now"
        await one.press("escape")
        await one.gone()
        assert one.in_front(AccountsScreen)
        assert one.running.app.is_running


async def test_what_is_saved_is_unsaved_until_it_is() -> None:
    secrets = SlowSecrets()
    async with form("Ada", secrets=secrets) as one:
        await one.press("f6")
        await one.until(lambda: one.in_front(FormScreen) and one.screen.state.original is None)
        assert not one.screen.unsaved, "a copy as it is has nothing that somebody typed"
        await one.until(lambda: one.focus.startswith("field-"))
        await one.press("ctrl+s")
        await one.until(secrets.writing.is_set)
        assert one.screen.unsaved
        secrets.go_on.set()
        await one.gone()


async def test_while_a_save_runs_no_key_begins_anything_else() -> None:
    async with saving() as (one, secrets):
        await one.press("ctrl+s", "ctrl+t", "f6", "f8", "escape")
        assert one.in_front(FormScreen)
        assert "Saving" in one.text()
        await saved(one, secrets)
        await one.gone()
        assert [words for words in told(one) if "Not saved" in words] == []
        assert one.running.checks.calls == []
        assert [account.name for account in one.store.accounts()] == ["Ada"]


async def test_an_ended_form_begins_nothing() -> None:
    async with saving() as (one, secrets):
        await one.press("f1")
        await one.until(lambda: one.in_front(HelpScreen))
        await saved(one, secrets)
        ended = one.screen
        for action in (ended.action_save, ended.action_test, ended.action_cancel, ended.action_delete):
            action()
        await one.running.pilot.pause()
        assert one.in_front(HelpScreen)
        await one.press("escape")
        await one.gone()
        assert one.running.checks.calls == []


@pytest.mark.parametrize("second", ["ctrl+s", "escape", "ctrl+t"])
async def test_of_a_save_and_a_key_that_comes_with_it_the_save_counts(second: str) -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        together(one, "ctrl+s", second)
        await one.gone()
        await one.running.pilot.pause()
        assert one.in_front(AccountsScreen)
        assert [words for words in told(one) if "Not saved" in words] == []
        assert one.store.account("Ada").notes == "mine"
        assert one.running.checks.calls == []


async def test_two_keys_that_leave_ask_once() -> None:
    async with form("Ada") as one:
        await one.fill("notes", "mine")
        one.screen.action_cancel()
        one.screen.action_cancel()
        await one.until(lambda: one.in_front(ConfirmScreen))
        await one.running.pilot.pause()
        assert sum(isinstance(screen, ConfirmScreen) for screen in one.running.app.screen_stack) == 1


async def test_two_keys_that_test_log_in_once() -> None:
    checks = ScriptedChecks(held=True)
    async with form("Ada", checks=checks) as one:
        together(one, "ctrl+t", "ctrl+t")
        await one.until(lambda: one.in_front(TrialScreen) and bool(checks.calls))
        await one.running.pilot.pause()
        assert checks.calls == [[ADA.name]]
        assert sum(isinstance(screen, TrialScreen) for screen in one.running.app.screen_stack) == 1
