"""The keys that do something about a failed leg: F makes the proposed change, A accepts, I insists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from mailtui.model.account import Account, CertificatePolicy, Trust
from mailtui.model.check import Cause, CheckReport, Failure, Leg, LegReport, Stage
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.server import Change, ChangeKind
from mailtui.model.watch import changes_line
from mailtui.storage.settings import Settings
from mailtui.tui import diagnosing
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.retrieval import RetrievalScreen
from tests.tui.people import ADA, ALAN, NEW, NOW, REPORTS, WRONG_PASSWORD, account, report
from tests.tui.settled import settled_world
from tests.tui.test_detail_screen import said
from tests.tui.test_dialogs import words_of
from tests.tui.troubled import (
    CHANGED,
    CHANGES,
    FINGERPRINT,
    HELD,
    HOME_MADE,
    MENDED,
    MIXED_UP,
    MIXED_UP_REPORT,
    PIN,
    TROUBLED,
    TROUBLED_REPORTS,
)
from tests.tui.world import MemoryStore, ScriptedChecks, World, world

EVERYBODY = (*TROUBLED, ADA, ALAN, NEW)
ALL_REPORTS = {**REPORTS, **TROUBLED_REPORTS}


@asynccontextmanager
async def troubles(
    person: Account, *, size: tuple[int, int] = (80, 24), checks: ScriptedChecks | None = None
) -> AsyncIterator[World]:
    """Everybody in the list, with the cursor on `person`."""
    reports = {one.name: ALL_REPORTS[one.name] for one in EVERYBODY if one.name in ALL_REPORTS}
    store = MemoryStore(EVERYBODY, reports)
    async with world(store=store, checks=checks, size=size) as running:
        while running.list.selected != person.name:
            await running.press("down")
        yield running


def asked(running: World) -> bool:
    return isinstance(running.app.screen, ConfirmScreen)


def question(running: World) -> str:
    """What the question says; a part of it is on the screen."""
    screen = running.app.screen
    assert isinstance(screen, ConfirmScreen)
    assert screen.lines[0][:40] in words_of(running)
    return "\n".join(screen.lines)


def pairs(digits: str) -> str:
    return ":".join(digits[at : at + 2] for at in range(0, 32, 2))


def inbound(running: World, person: Account) -> object:
    stored = running.store.account(person.name)
    assert stored.retrieval is not None
    return stored.retrieval.endpoint


async def test_the_proposed_change_is_made_saved_and_tested_with_one_key() -> None:
    async with troubles(MIXED_UP) as running:
        await running.until(lambda: "F: use port 993 with" in running.text())
        await running.press("F")
        await running.until(lambda: running.checks.calls == [[MIXED_UP.name]])
        assert inbound(running, MIXED_UP) == MENDED
        assert running.app.desk.board.account(MIXED_UP.name) == running.store.account(MIXED_UP.name)
        told = said(running)
        assert "IMAP at port 993 with SSL/TLS (before: port 110 with STARTTLS)" in told
        assert "e changes it back" in told
        await running.idle()
        assert running.list.selected == MIXED_UP.name
        assert running.checks.options[-1].insist is False


async def test_the_details_and_message_retrieval_have_the_same_key() -> None:
    async with troubles(MIXED_UP) as running:
        await running.press("enter")
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))
        await running.press("F")
        await running.until(lambda: running.checks.calls == [[MIXED_UP.name]])
        assert inbound(running, MIXED_UP) == MENDED
        await running.idle()
        running.store.change(MIXED_UP)
        running.app.desk.reload()
        await running.until(lambda: running.app.desk.board.account(MIXED_UP.name).retrieval == MIXED_UP.retrieval)
        running.app.desk.board.complete(replace(MIXED_UP_REPORT, started=NOW))
        await running.press("m")
        await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
        await running.press("F")
        await running.until(lambda: len(running.checks.calls) == 2)
        assert inbound(running, MIXED_UP) == MENDED


async def test_of_a_selection_what_can_be_mended_is() -> None:
    async with troubles(MIXED_UP) as running:
        await running.press("asterisk", "F")
        await running.until(lambda: asked(running))
        assert "Trust this key of imap.orbit.example:993?" in words_of(running)
        await running.press("n")
        await running.until(lambda: running.checks.calls == [[MIXED_UP.name]])
        assert inbound(running, MIXED_UP) == MENDED
        assert inbound(running, HOME_MADE) == (HOME_MADE.retrieval and HOME_MADE.retrieval.endpoint)


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (NEW, "was not tested with these settings yet; press t first"),
        (ADA, "nothing has failed, so there is nothing to fix"),
        (CHANGED, "A: accept what changed"),
        (HELD, "I: log in all the same"),
    ],
)
async def test_where_there_is_no_fix_the_key_says_why(person: Account, words: str) -> None:
    async with troubles(person) as running:
        await running.press("F")
        await running.until(lambda: words in said(running))
        assert running.checks.calls == []
        assert running.store.account(person.name) == person


async def test_a_warning_that_no_setting_mends_says_what_to_do() -> None:
    found = TROUBLED_REPORTS[CHANGED.name]
    assert found.inbound is not None
    families = found.inbound.families
    warned = replace(found, inbound=replace(found.inbound, failure=None, warning="IPv6 is dead", changes=()))
    assert families[0].is_silent
    async with world(store=MemoryStore([CHANGED], {CHANGED.name: warned})) as running:
        await running.press("F")
        await running.until(lambda: "mailtui cannot do this for you" in said(running))


async def test_of_a_selection_those_that_are_tested_are_counted() -> None:
    async with world([ADA, ALAN], checks=ScriptedChecks(held=True)) as running:
        await running.press("t", "asterisk")
        await running.until(lambda: running.app.desk.board.running == 1)
        await running.press("F")
        await running.until(lambda: "Being tested now: 1." in said(running))


async def test_while_an_account_is_tested_its_keys_wait() -> None:
    async with troubles(MIXED_UP, checks=ScriptedChecks(held=True)) as running:
        await running.press("t")
        await running.until(lambda: running.app.desk.board.running == 1)
        for key in "FAI":
            await running.press(key)
            await running.until(lambda key=key: f"is being tested; press {key} when" in said(running))  # type: ignore[misc]  # mypy cannot infer a default
        assert running.store.account(MIXED_UP.name) == MIXED_UP


async def test_an_account_that_was_changed_meanwhile_is_left_alone() -> None:
    async with troubles(MIXED_UP) as running:
        running.store.change(replace(MIXED_UP, notes="theirs"))
        await running.press("F")
        await running.until(lambda: "changed meanwhile" in said(running))
        assert running.store.account(MIXED_UP.name).notes == "theirs"
        assert inbound(running, MIXED_UP) == (MIXED_UP.retrieval and MIXED_UP.retrieval.endpoint)
        assert running.checks.calls == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_key_is_trusted_only_after_a_look_at_its_digits(size: tuple[int, int]) -> None:
    async with troubles(HOME_MADE, size=size) as running:
        await running.press("F")
        await running.until(lambda: asked(running))
        text = words_of(running)
        for digits in (FINGERPRINT, PIN):
            assert pairs(digits) in text
            assert pairs(digits[32:]) in text
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert running.store.account(HOME_MADE.name) == HOME_MADE
        assert running.checks.calls == []

        await running.press("F")
        await running.until(lambda: asked(running))
        await running.press("y")
        await running.until(lambda: running.checks.calls == [[HOME_MADE.name]])
        assert HOME_MADE.retrieval is not None
        pinned = replace(HOME_MADE.retrieval.endpoint, certificate=CertificatePolicy(Trust.PIN, "", PIN))
        assert inbound(running, HOME_MADE) == pinned
        assert f"trusts the key {PIN[:16]}… (before: verify against the system store)" in said(running)


@pytest.mark.parametrize(("person", "key"), [(MIXED_UP, "F Fix"), (CHANGED, "A Accept"), (HELD, "I Insist")])
async def test_the_footer_has_the_key_that_helps_and_the_way_out(person: Account, key: str) -> None:
    async with troubles(person) as running:
        await running.until(lambda: f" {key} ? Help q Quit" in running.text().splitlines()[-1])
        await running.press("enter")
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))
        await running.until(lambda: key in running.text().splitlines()[-1])
        assert "q Quit" in running.text().splitlines()[-1]
        await running.press("escape")
        while running.list.selected != ADA.name:
            await running.press("up" if running.list.selected > ADA.name else "down")  # type: ignore[operator]  # it is selected
        await running.until(lambda: key not in running.text().splitlines()[-1])


def _home_made(name: str, port: int, pin: str = PIN) -> tuple[Account, CheckReport]:
    found = TROUBLED_REPORTS[HOME_MADE.name]
    leg = found.inbound
    assert leg is not None
    assert leg.tls is not None
    assert leg.tls.certificate is not None
    assert HOME_MADE.retrieval is not None
    endpoint = replace(leg.endpoint, port=port)
    tls = replace(leg.tls, certificate=replace(leg.tls.certificate, pin=pin))
    person = replace(HOME_MADE, name=name, retrieval=replace(HOME_MADE.retrieval, endpoint=endpoint))
    return person, replace(found, account=name, inbound=replace(leg, endpoint=endpoint, tls=tls))


async def test_one_key_of_one_host_is_one_question_and_the_others_need_not_be_asked() -> None:
    people = [
        _home_made("a", 993),
        _home_made("b", 1993),
        _home_made("c", 2993, "cd" * 32),
        _home_made("d", 3, "ef" * 32),
    ]
    store = MemoryStore([person for person, _ in people], {found.account: found for _, found in people})
    async with world(store=store) as running:
        await running.press("asterisk", "F")
        await running.until(lambda: asked(running))
        assert "Trust this key of imap.orbit.example:993 and 1 more?" in words_of(running)
        assert "imap.orbit.example:993, imap.orbit.example:1993" in question(running)
        await running.press("y")
        await running.until(lambda: "imap.orbit.example:2993?" in words_of(running))
        assert "leave the other 1 as it is" in words_of(running)
        await running.press("k", "n")
        await running.until(lambda: running.checks.calls == [["a", "b"]])
        for name, pinned in (("a", PIN), ("b", PIN), ("c", ""), ("d", "")):
            retrieval = running.store.account(name).retrieval
            assert retrieval is not None
            assert retrieval.endpoint.certificate.pin == pinned


async def test_what_was_another_key_before_is_told_before_a_key_is_trusted() -> None:
    person, found = _home_made("a", 993)
    assert found.inbound is not None
    changed = replace(found, inbound=replace(found.inbound, changes=CHANGES, changed_since=NOW))
    async with world(store=MemoryStore([person], {"a": changed})) as running:
        await running.press("F")
        await running.until(lambda: asked(running))
        assert f"Not the server as it was: {changes_line(CHANGES, NOW)}" in question(running)


async def test_a_lost_starttls_that_the_account_demands_is_nothing_to_accept() -> None:
    found = TROUBLED_REPORTS[CHANGED.name]
    assert found.inbound is not None
    lost = Change(ChangeKind.STARTTLS_LOST, "STARTTLS is offered no more", True)
    failure = Failure(Cause.STARTTLS_NOT_OFFERED, Stage.STARTTLS, "the server does not offer STARTTLS")
    failed = replace(found, inbound=replace(found.inbound, failure=failure, changes=(lost,)))
    async with world(store=MemoryStore([CHANGED], {CHANGED.name: failed})) as running:
        await running.until(lambda: "imap.helix.example" in running.text())
        assert "A: accept" not in running.text()
        await running.press("A")
        await running.until(lambda: "no change of a server" in said(running))


async def test_a_change_of_a_server_without_a_login_is_accepted_too() -> None:
    found = TROUBLED_REPORTS[CHANGED.name]
    assert found.inbound is not None
    warned = replace(found, inbound=replace(found.inbound, failure=None, warning=changes_line(CHANGES, NOW)))
    async with world(store=MemoryStore([CHANGED], {CHANGED.name: warned})) as running:
        await running.until(lambda: "A Accept" in running.text())
        await running.press("A")
        await running.until(lambda: asked(running))
        assert "because of it" not in question(running)
        await running.press("y")
        await running.until(lambda: running.checks.calls == [[CHANGED.name]])


async def test_a_changed_server_is_accepted_as_it_was_seen() -> None:
    async with troubles(CHANGED) as running:
        (leg,) = (leg for leg in TROUBLED_REPORTS[CHANGED.name].legs if leg.changes)
        await running.press("A")
        await running.until(lambda: asked(running))
        text = question(running)
        assert changes_line(leg.changes, leg.changed_since) in text
        assert pairs(PIN) in text
        await running.press("n")
        await running.until(lambda: not asked(running))
        assert running.checks.calls == []

        await running.press("A")
        await running.until(lambda: asked(running))
        await running.press("y")
        await running.until(lambda: running.checks.calls == [[CHANGED.name]])
        assert running.checks.options[-1].accept_changes is False, "what was seen is accepted, and nothing newer"
        known = running.app.desk.memory.baseline(CHANGED.name, Leg.INBOUND, leg.protocol, leg.endpoint)
        assert known is not None
        assert known.keys[0] == PIN
        assert [(one.account, one.leg) for one in running.store.learnt if one.baseline is not None] == [
            (CHANGED.name, Leg.INBOUND)
        ]


async def test_a_refused_login_is_tried_again_only_when_the_person_insists() -> None:
    async with troubles(HELD) as running:
        await running.press("t")
        await running.idle()
        assert running.checks.options[-1].insist is False
        running.app.desk.board.complete(replace(TROUBLED_REPORTS[HELD.name], started=NOW))
        await running.press("I")
        await running.until(lambda: asked(running))
        text = question(running)
        assert "Another refused login may lock the account" in text
        assert f"{HELD.email} at smtp.example.org:465" in text
        await running.press("escape")
        await running.until(lambda: not asked(running))
        assert len(running.checks.calls) == 1

        await running.press("I")
        await running.until(lambda: asked(running))
        await running.press("y")
        await running.until(lambda: len(running.checks.calls) == 2)
        assert running.checks.options[-1].insist is True
        assert running.checks.memories[-1] is running.app.desk.memory


@pytest.mark.parametrize(("key", "words"), [("A", "no change of a server"), ("I", "no refused login")])
async def test_where_there_is_nothing_to_accept_or_to_insist_on_the_key_says_so(key: str, words: str) -> None:
    async with troubles(ADA) as running:
        await running.press(key)
        await running.until(lambda: words in said(running))
        await running.press("asterisk", "space", "down", "space", key)
        assert running.checks.calls == []


async def test_certificates_are_judged_by_the_days_of_the_settings() -> None:
    async with settled_world(Settings(certificate_days=90)) as running:
        await running.press("t")
        await running.until(lambda: len(running.checks.options) == 1)
        assert running.checks.options[0].certificate_days == 90


async def test_the_list_diagnoses_what_is_on_the_screen_and_that_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_of: list[str] = []

    def diagnose(leg: LegReport, email: str = "") -> Diagnosis:
        asked_of.append(email)
        return Diagnosis("rule", "The password is wrong.", "", "")

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    diagnosing._diagnosis.cache_clear()
    people = [account(f"account {number:03}", f"user{number}@example.org") for number in range(300)]
    reports: dict[str, CheckReport] = {person.name: report(person, WRONG_PASSWORD, WRONG_PASSWORD) for person in people}
    async with world(people, reports) as running:
        await running.until(lambda: "The password is wrong." in running.text())
        await running.press("m")
        await running.until(lambda: running.text().count("The password is wrong.") > 0)
        rows = running.app.size.height
        before = list(asked_of)
        assert 0 < len(set(before)) <= 2 * rows
        for _ in range(5):
            running.app.desk.progressed()
            await running.pilot.pause()
        assert asked_of == before
        assert len(before) <= 2 * len(set(before)), "each leg once"
