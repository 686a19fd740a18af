"""What the screens ask of the desk: other processes noticed, accounts removed and brought back, one form at a time."""

import asyncio
import threading
import time
from dataclasses import replace
from unittest import mock

import pytest
from textual import events

from mailtui.model.account import Account, AuthMethod, Endpoint, SecretScheme
from mailtui.model.check import CheckReport, Leg
from mailtui.model.watch import RefusedLogin, baseline_of
from mailtui.protocols.sasl import Credentials
from mailtui.tui.app import MailtuiApp
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.form import FormScreen
from tests.tui.people import NOW, PEOPLE, REPORTS, account
from tests.tui.retrieved import ScriptedRetrievals
from tests.tui.world import DEADLINE, MemorySecrets, MemoryStore, ScriptedChecks, World, scripted, world

FIRST = PEOPLE[0].name


def _told(running: World) -> str:
    return "\n".join(notice.words for notice in running.app.told)


async def _remove(running: World, *names: str) -> None:
    running.app.desk.errands.remove(names)
    await running.until(lambda: isinstance(running.app.screen, ConfirmScreen))
    await running.press("y")
    await running.until(lambda: isinstance(running.app.screen, AccountsScreen) and running.app.desk.errands.can_undo)


async def test_what_another_process_wrote_shows_by_itself() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        watching = asyncio.create_task(running.app.desk.watch(0.01))
        await running.pilot.pause(0.05)
        store.change(replace(PEOPLE[0], email="changed@example.org"))
        await running.until(lambda: running.app.desk.board.account(FIRST).email == "changed@example.org")
        store.drop(FIRST)
        await running.until(lambda: FIRST not in running.list.names)
        watching.cancel()


async def test_what_nobody_wrote_is_not_read_again() -> None:
    class Counting(MemoryStore):
        reads = 0

        def accounts(self) -> list[Account]:
            self.reads += 1
            return super().accounts()

    store = Counting(PEOPLE)
    async with world(store=store) as running:
        watching = asyncio.create_task(running.app.desk.watch(0.001))
        await running.pilot.pause(0.1)
        assert store.reads == 1
        watching.cancel()


async def test_removed_account_comes_back_with_report_and_secret() -> None:
    secrets = MemorySecrets({(SecretScheme.KEYRING, FIRST): "pw"})
    async with world(PEOPLE, REPORTS, secrets=secrets) as running:
        before = running.app.desk.board.account(FIRST)
        await _remove(running, FIRST)
        assert FIRST not in running.list.names
        assert secrets.entries == {}
        assert "Press u" in _told(running)
        await running.press("u")
        await running.until(lambda: FIRST in running.list.names)
        assert running.list.selected == FIRST
        assert running.app.desk.board.account(FIRST) == before
        assert running.app.desk.board.report(FIRST) == REPORTS[FIRST]
        assert secrets.entries == {(SecretScheme.KEYRING, FIRST): "pw"}
        assert not running.app.desk.errands.can_undo


async def test_undo_that_is_refused_can_be_tried_again() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        await _remove(running, FIRST)
        store.add(account(FIRST, "other@example.org"))
        running.app.desk.errands.undo()
        await running.until(lambda: "already" in _told(running))
        assert running.app.desk.errands.can_undo
        store.drop(FIRST)
        running.app.desk.errands.undo()
        await running.until(lambda: FIRST in running.list.names)
        assert store.account(FIRST).email == PEOPLE[0].email


async def test_undo_without_removal_says_so() -> None:
    async with world() as running:
        running.app.desk.errands.undo()
        await running.until(lambda: "nothing to undo" in _told(running))


async def test_many_are_removed_and_brought_back_at_once() -> None:
    people = [account(f"person {number:02}", f"p{number}@example.org") for number in range(40)]
    async with world(people) as running:
        await _remove(running, *(person.name for person in people[:30]))
        assert len(running.list.names) == 10
        running.app.desk.errands.undo()
        await running.until(lambda: len(running.list.names) == 40)


async def test_key_pressed_twice_opens_one_form() -> None:
    async with world() as running:
        running.app.desk.errands.edit(FIRST)
        running.app.desk.errands.edit(FIRST)
        await running.until(lambda: isinstance(running.app.screen, FormScreen))
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_account_that_is_gone_cannot_be_opened() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        store.drop(FIRST)
        running.app.desk.errands.edit(FIRST)
        await running.until(lambda: "no account named" in _told(running))
        assert isinstance(running.app.screen, AccountsScreen)
        running.app.desk.errands.edit(PEOPLE[1].name)
        await running.until(lambda: isinstance(running.app.screen, FormScreen))


async def test_switching_many_says_how_many() -> None:
    async with world() as running:
        names = [person.name for person in PEOPLE[:3]]
        running.app.desk.set_active(names, False)
        await running.until(lambda: "3 accounts are off" in _told(running))
        assert [running.app.desk.board.account(name).active for name in names] == [False] * 3


async def test_switched_twice_is_where_it_was() -> None:
    async with world() as running:
        desk = running.app.desk
        desk.set_active([FIRST], False)
        assert not desk.board.account(FIRST).active, "the next key press is about what this one has done"
        desk.set_active([FIRST], True)
        await running.until(lambda: not desk._writing and not desk._switching.locked())
        assert running.store.account(FIRST).active
        assert desk.board.account(FIRST).active


async def test_what_was_read_before_does_not_undo_what_was_written_since() -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Slow(MemoryStore):
        held = False

        def accounts(self) -> list[Account]:
            found = super().accounts()
            if self.held:
                self.held = False
                reading.set()
                go_on.wait(20)
            return found

    store = Slow(PEOPLE)
    async with world(store=store) as running:
        store.held = True
        running.app.desk.reload()
        await running.until(reading.is_set)
        store.remove(FIRST)
        running.app.desk.drop([FIRST])
        go_on.set()
        await running.until(lambda: not [w for w in running.app.workers if w.group == "load" and not w.is_finished])
        assert FIRST not in running.list.names


async def test_leaving_waits_for_what_must_not_stop_half_way() -> None:
    steps: list[str] = []

    async def work() -> None:
        steps.append("begun")
        await asyncio.sleep(0.05)
        steps.append("done")

    async with world() as running:
        waiting = asyncio.create_task(running.app.desk.finish(work()))
        await running.until(lambda: "begun" in steps)
        waiting.cancel()
        await running.app._leave(0)
        assert steps == ["begun", "done"]


async def test_leaving_keeps_the_refused_logins_of_checks_that_were_cancelled() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        endpoint, login = PEOPLE[0].submission.endpoint, PEOPLE[0].submission_login
        assert login is not None
        met = RefusedLogin(endpoint.host, endpoint.port, login.username, login.method, NOW, "ab" * 16, "1f2e")
        running.app.desk.memory.refused(FIRST, Leg.OUTBOUND, met)
        # Met by a trial of a server that is not the account's.
        running.app.desk.memory.refused(FIRST, Leg.INBOUND, replace(met, host="elsewhere.example"))
        await running.app._leave(0)
    assert [(learnt.account, learnt.leg, learnt.refused) for learnt in store.learnt] == [(FIRST, Leg.OUTBOUND, met)]


async def test_others_that_write_all_the_time_do_not_keep_this_one_reading() -> None:
    pauses: list[float] = []

    class Busy(MemoryStore):
        def data_version(self) -> int:
            self._version += 1
            return self._version

        def accounts(self) -> list[Account]:
            time.sleep(0.05)
            return super().accounts()

    async with world(store=Busy(PEOPLE)) as running:
        real = asyncio.sleep

        async def noted(seconds: float) -> None:
            pauses.append(seconds)
            await real(0)

        with mock.patch("mailtui.tui.desk.asyncio.sleep", noted):
            watching = asyncio.create_task(running.app.desk.watch(0.01))
            # The reading takes 0.05 s or more; the app's own watch, every 2 s, is none of ours.
            await running.until(lambda: any(0.5 <= pause < 2 for pause in pauses))
            watching.cancel()


@pytest.mark.parametrize("key", ["n", "c"])
async def test_what_is_typed_at_once_goes_into_the_form(key: str) -> None:
    async with world(secrets=MemorySecrets()) as running:
        before = [person.active for person in running.store.accounts()]
        typed = "after this"
        for character in (key, *typed):
            # As a terminal gives a burst: all before the first has done its work.
            running.app.post_message(events.Key("space" if character == " " else character, character))
        await running.until(lambda: isinstance(running.app.screen, FormScreen))
        await running.until(lambda: typed in str(getattr(running.app.focused, "value", "")))
        assert [person.active for person in running.store.accounts()] == before
        assert len(running.app.screen_stack) == len({type(screen) for screen in running.app.screen_stack})


async def test_what_is_typed_for_a_form_that_does_not_come_does_nothing() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        store.drop(FIRST)
        for key in ("e", "a", "d"):
            running.app.post_message(events.Key(key, key))
        await running.until(lambda: "no account named" in _told(running))
        await running.pilot.pause()
        assert isinstance(running.app.screen, AccountsScreen)
        assert running.app.desk.board.account(FIRST).active
        await running.press("n")
        await running.until(lambda: isinstance(running.app.screen, FormScreen))


ENDPOINT = Endpoint("smtp.example.org", 465)
CREDENTIALS = Credentials("ada", "secret", AuthMethod.AUTOMATIC)
REFUSED = RefusedLogin("smtp.example.org", 465, "ada", AuthMethod.AUTOMATIC, NOW, "00" * 16, "abcd", "535 no")


async def test_what_past_checks_taught_is_known_before_an_account_can_be_tested() -> None:
    class Slow(MemoryStore):
        """Its reports take long; nobody waits for them to test."""

        def __init__(self) -> None:
            super().__init__(PEOPLE)
            self.reading = threading.Event()

        def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
            self.reading.wait(DEADLINE)
            return super().latest(transcripts=transcripts)

    store = Slow()
    store.refused[FIRST, Leg.OUTBOUND] = REFUSED
    app = MailtuiApp(scripted(store, MemorySecrets().of, ScriptedChecks(), ScriptedRetrievals()))
    async with app.run_test(notifications=True) as pilot:
        try:
            async with asyncio.timeout(DEADLINE):
                while not app.desk.board.testable([FIRST]):
                    await pilot.pause(0.01)
            assert [mark.reply for mark in app.desk.memory.refusals(ENDPOINT, CREDENTIALS)] == [REFUSED.reply]
            assert app.desk.board.awaits_reports
        finally:
            store.reading.set()


async def test_what_another_process_learnt_is_learnt_by_checks_that_run() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        await running.press("t")
        await running.until(lambda: len(checks.memories) == 1)
        running.store.refused[FIRST, Leg.OUTBOUND] = REFUSED
        running.app.desk.reload()
        await running.until(lambda: bool(checks.memories[0].refusals(ENDPOINT, CREDENTIALS)))
        checks.gate.set()


async def test_what_a_check_learnt_is_stored_with_its_report() -> None:
    async with world() as running:
        desk = running.app.desk
        leg = REPORTS[FIRST].legs[0]
        desk.memory.learn(FIRST, leg, NOW)
        await running.press("t")
        await running.until(lambda: bool(running.store.learnt))
        (learnt,) = running.store.learnt
        assert (learnt.account, learnt.leg) == (FIRST, Leg.OUTBOUND)
        assert learnt.baseline is not None
        assert learnt.baseline.host == leg.endpoint.host


async def test_what_is_known_of_an_account_goes_with_its_new_name() -> None:
    store = MemoryStore(PEOPLE)
    leg = REPORTS[FIRST].legs[0]
    store.known[FIRST, Leg.OUTBOUND] = baseline_of(leg, NOW)
    async with world(store=store) as running:
        desk = running.app.desk
        desk.put(replace(desk.board.account(FIRST), name="Renamed"), instead_of=FIRST)
        assert desk.memory.baseline("Renamed", Leg.OUTBOUND, leg.protocol, leg.endpoint) is not None
