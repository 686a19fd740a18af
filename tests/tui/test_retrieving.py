"""Mail is fetched from the screens: started, watched, cancelled, by itself, and looked at without being fetched."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.actions.standing import Standing
from mailtui.model.account import Account, RetrievalMode, SecretRef, SecretScheme
from mailtui.model.check import Cause, Failure, Leg, Stage, TranscriptLine
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalProgress, Verdict
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.detail import DetailScreen
from mailtui.tui.screens.dry_run import DryRunScreen
from mailtui.tui.screens.retrieval import RetrievalScreen
from mailtui.tui.widgets.ladder import LadderPanel
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.widgets.retrieval_list import RetrievalList
from mailtui.tui.words import Mark
from tests.tui.people import ADA, ALAN, CHARLES, EMMY, NOW, PEOPLE, REPORTS, ROBOT
from tests.tui.retrieved import NoIdling, ScriptedRetrievals, retrieval_report
from tests.tui.world import MemoryStore, ScriptedChecks, World, world

PAIRED = [person.name for person in PEOPLE if person.retrieval is not None]
BROUGHT = retrieval_report(ADA, MailboxResult("INBOX", "~/Mail/ada", stored=3, octets=45_000, kept=9, on_server=12))
REFUSED = retrieval_report(
    ADA, failure=Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "the login is refused", "NO [AUTHENTICATIONFAILED] go away")
)


def automatic(account: Account, interval: int = 15) -> Account:
    assert account.retrieval is not None
    return replace(account, retrieval=replace(account.retrieval, mode=RetrievalMode.AUTOMATIC, interval=interval))


async def go(running: World) -> None:
    await running.press("m")
    await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
    await running.until(lambda: len(running.app.screen.query(RetrievalList)) == 1)
    await running.pilot.pause()


def row(running: World, account: Account) -> str:
    start = account.name[:10]
    return next(line for line in running.text().splitlines()[2:] if start in line)


async def until_row(running: World, account: Account, *words: str) -> None:
    await running.until(lambda: all(word in row(running, account) for word in words))


def told(running: World) -> str:
    return " ".join(running.text().replace("│", " ").split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_r_retrieves_and_the_row_says_how_far_it_is_and_what_came(size: tuple[int, int]) -> None:
    progress = [
        RetrievalProgress(ADA.name, "INBOX", 0, 400, 0, 4_000_000),
        RetrievalProgress(ADA.name, "INBOX", 100, 400, 1_000_000, 4_000_000),
    ]
    brought = retrieval_report(ADA, MailboxResult("INBOX", stored=400, octets=4_000_000, on_server=400))
    played = ScriptedRetrievals({ADA.name: brought}, held=True, progress={ADA.name: progress})
    async with world(reports=REPORTS, retrievals=played, size=size) as running:
        await go(running)
        assert "never" in row(running, ADA) or " – " in row(running, ADA)
        await running.press("r")
        await until_row(running, ADA, "25%, 100 of 400", " 100 ")
        assert row(running, ADA).startswith(" ◔")
        assert "retrieving 0 of 1, escape cancels" in running.text() or "0 of 1" in running.text().splitlines()[0]
        panel = running.app.screen.query_one(LadderPanel)
        transfer = next(stage for stage in panel.view.stages if stage.stage is Stage.TRANSFER)
        assert transfer.mark is Mark.HALFWAY
        assert transfer.detail == "━━╌╌╌╌╌╌╌╌ 25%, 100 of 400, 500 KB/s, 6 s left"
        played.gate.set()
        await running.idle()
        await until_row(running, ADA, "400 new, 4.0 MB"[: 15 if size[0] > 80 else 9], " 400 ")
        assert row(running, ADA).startswith(" ✓")
        assert panel.view.stages[-2].mark is Mark.OK
        assert played.calls == [[ADA.name]]


async def test_selected_accounts_and_all_active_ones_are_retrieved_together_once() -> None:
    people = [replace(one, active=one is not EMMY) for one in PEOPLE]
    played = ScriptedRetrievals(held=True)
    async with world(people, REPORTS, retrievals=played) as running:
        await go(running)
        await running.press("space", "space", "r")
        await running.until(lambda: len(played.calls) == 1)
        assert played.calls == [PAIRED[:2]]
        await running.press("R")
        await running.until(lambda: len(played.calls) == 2)
        active = [one.name for one in people if one.active and one.retrieval is not None]
        assert played.calls[1] == [name for name in active if name not in PAIRED[:2]]
        assert played.slots[0] is played.slots[1], "both runs share the places"
        await running.press("R")
        await running.until(lambda: "already being retrieved" in told(running))
        played.gate.set()
        await running.idle()
        assert len(played.calls) == 2


async def test_escape_cancels_retrievals_then_checks_and_then_leaves() -> None:
    played, checks = ScriptedRetrievals(held=True), ScriptedChecks(held=True)
    async with world(reports=REPORTS, retrievals=played, checks=checks) as running:
        await go(running)
        await running.press("t", "R")
        await running.until(lambda: len(played.waiting) > 2)
        await running.press("escape")
        await running.until(lambda: not running.app.desk.board.retrievals.running)
        assert checks.cancelled == []
        assert "Cancelled the retrieval of" in told(running)
        await running.press("escape")
        await running.until(lambda: checks.cancelled == [ADA.name])
        assert isinstance(running.app.screen, RetrievalScreen)
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_x_stops_one_of_several_and_shows_that_it_finishes_what_it_stores() -> None:
    played = ScriptedRetrievals(held=True)
    played.finishing.clear()
    async with world(reports=REPORTS, retrievals=played) as running:
        await go(running)
        await running.press("R")
        await running.until(lambda: len(played.waiting) == len(played.calls[0]))
        others = running.app.desk.board.retrievals.running - 1
        await running.until(lambda: "x Stop" in running.text())
        await running.press("x")
        await until_row(running, ADA, "stopping …")
        await running.press("D")
        await running.until(lambda: "D can look once that has ended" in told(running))
        assert isinstance(running.app.screen, RetrievalScreen), "what retrieves it is this very program"
        await running.press("r")
        await running.until(lambda: "already being retrieved" in told(running))
        played.finishing.set()
        await running.until(lambda: running.app.desk.board.retrievals.of(ADA.name) is None)
        assert running.app.desk.board.retrievals.running == others, "the others go on"
        assert played.cancelled == [ADA.name]
        await running.press("x")
        await running.until(lambda: "nothing is being retrieved" in told(running))
        played.gate.set()
        await running.idle()
        assert played.cancelled == [ADA.name]
        await running.until(lambda: "x Stop" not in running.text())


async def test_leaving_waits_for_what_is_being_stored() -> None:
    played = ScriptedRetrievals(held=True)
    played.finishing.clear()
    async with world(reports=REPORTS, retrievals=played) as running:
        await running.press("r")
        await running.until(lambda: played.waiting == [ADA.name])
        asyncio.get_running_loop().call_later(0.2, played.finishing.set)
        await running.press("q")
        await running.until(lambda: not running.app.is_running)
        assert played.cancelled == [ADA.name]


async def test_a_pop3_mailbox_is_not_tested_while_it_is_retrieved_nor_the_reverse() -> None:
    played, checks = ScriptedRetrievals(held=True), ScriptedChecks(held=True)
    async with world([CHARLES, ADA], REPORTS, retrievals=played, checks=checks) as running:
        await go(running)
        await running.press("asterisk", "r")
        await running.until(lambda: len(played.waiting) == 2)
        await running.press("t")
        await running.until(lambda: checks.calls == [[ADA.name]])
        await running.press("escape")
        await running.until(lambda: not running.app.desk.board.retrievals.running)
        await running.press("t")
        await running.until(lambda: checks.calls == [[ADA.name], [CHARLES.name]])
        await running.press("r")
        await running.until(lambda: len(played.calls) == 2)
        assert played.calls[1] == [ADA.name]


async def test_a_failed_retrieval_has_the_diagnosis_and_its_keys() -> None:
    played = ScriptedRetrievals({ADA.name: REFUSED})
    async with world([ADA], REPORTS, retrievals=played, size=(120, 40)) as running:
        await go(running)
        await running.press("r")
        await running.idle()
        await until_row(running, ADA, " ✗", "now: ")
        panel = running.app.screen.query_one(LadderPanel)
        assert panel.view.diagnosis is not None
        assert panel.view.diagnosis.cause
        assert "go away" in told(running)
        assert running.app.desk.board.last_legs(ADA.name)[-1].failure == REFUSED.leg.failure
        await running.press("I")
        await running.until(lambda: "The server refused this login" in told(running))
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, RetrievalScreen))
        await running.press("t")
        await running.idle()
        assert panel.view.mark is Mark.OK, "the newer check counts"
        assert row(running, ADA).startswith(" ✓")


async def test_a_mailbox_that_could_not_be_finished_and_notes_are_told() -> None:
    problem = MailboxResult("Lists", problem="Lists cannot be opened: NO such \x1b[2Jmailbox")
    note = MailboxResult("INBOX", stored=1, octets=10, notes=("2 messages stay marked as deleted",))
    reports = {ADA.name: retrieval_report(ADA, note, problem), ALAN.name: retrieval_report(ALAN, note)}
    async with world([ADA, ALAN], {}, retrievals=ScriptedRetrievals(reports), size=(160, 24)) as running:
        await go(running)
        await running.press("R")
        await running.idle()
        await until_row(running, ADA, " ✗", "1 new, 10 B; Lists: Lists cannot")
        await until_row(running, ALAN, " ▲", "1 new, 10 B; 2 messages stay")
        assert "\x1b" not in running.text()


async def test_what_another_process_retrieves_is_said_and_does_not_count_as_failed() -> None:
    busy = retrieval_report(
        ADA, failure=Failure(Cause.RETRIEVAL_BUSY, Stage.RESOLVE, "another mailtui is retrieving it")
    )
    kept = {ADA.name: retrieval_report(ADA, MailboxResult("INBOX", stored=7, octets=70, on_server=7))}
    played = ScriptedRetrievals({ADA.name: busy}, kept=kept)
    async with world([ADA], REPORTS, retrievals=played) as running:
        await go(running)
        await running.press("r")
        await running.until(lambda: "another mailtui is retrieving it" in told(running))
        await running.idle()
        assert running.app.desk.board.retrievals.last(ADA.name) == played.last()[ADA.name]
        await until_row(running, ADA, " 7 ")


async def test_a_defect_is_told_and_ends_only_its_run() -> None:
    class Broken(ScriptedRetrievals):
        async def __call__(self, *args: object, **more: object) -> None:
            raise ZeroDivisionError

    async with world(reports=REPORTS, retrievals=Broken()) as running:
        await go(running)
        await running.press("r")
        await running.until(lambda: "defect of mailtui (ZeroDivisionError)" in told(running))
        await running.idle()
        assert running.app.desk.board.retrievals.running == 0


async def test_what_is_stored_is_there_at_the_start_and_after_another_process_wrote() -> None:
    played, store = ScriptedRetrievals(kept={ADA.name: BROUGHT}), MemoryStore([ADA, ROBOT], {})
    async with world(retrievals=played, store=store, size=(170, 24)) as running:
        await go(running)
        await until_row(running, ADA, "2 min ago", " 3 ", "2m: 3 new, 45 KB")
        played.kept[ADA.name] = replace(BROUGHT, started=NOW - timedelta(seconds=8), mailboxes=())
        await running.press("ctrl+r")
        await until_row(running, ADA, "5 s ago", "5s: nothing new")


async def test_a_changed_server_has_no_last_result() -> None:
    assert ADA.retrieval is not None
    moved = replace(ADA, retrieval=replace(ADA.retrieval, endpoint=replace(ADA.retrieval.endpoint, host="new.example")))
    async with world([moved], {}, retrievals=ScriptedRetrievals(kept={ADA.name: BROUGHT}), size=(170, 24)) as running:
        await go(running)
        await until_row(running, ADA, "2 min ago", "not checked")


async def test_a_renamed_account_keeps_its_last_retrieval() -> None:
    played = ScriptedRetrievals(kept={ADA.name: BROUGHT})
    async with world([ADA], {}, retrievals=played) as running:
        desk = running.app.desk
        desk.put(replace(ADA, name="Countess"), instead_of=ADA.name)
        assert desk.board.retrievals.last("Countess") == replace(played.last()[ADA.name], account="Countess")
        desk.drop(["Countess"])
        assert desk.board.retrievals.last("Countess") is None


async def test_an_account_that_is_renamed_while_it_is_retrieved() -> None:
    played = ScriptedRetrievals({ADA.name: BROUGHT}, held=True)
    async with world([ADA, ALAN], {}, retrievals=played) as running:
        desk = running.app.desk
        retrievals = desk.board.retrievals
        desk.retriever.retrieve([ADA.name, ALAN.name])
        await running.until(lambda: len(played.waiting) == 2)
        desk.put(replace(ADA, name="Countess"), instead_of=ADA.name)
        assert retrievals.of(ADA.name) is None
        assert retrievals.of("Countess") is not None
        assert desk.retriever.retrieve(["Countess"]) == 0, "its mail is coming already"
        desk.put(replace(ALAN, name="Enigma"), instead_of=ALAN.name)
        assert desk.retriever.cancel(["Enigma"]) == ["Enigma"]
        await running.until(lambda: played.cancelled == [ALAN.name])
        played.gate.set()
        await running.idle()
        last = retrievals.last("Countess")
        assert last is not None
        assert (last.account, last.stored) == ("Countess", BROUGHT.stored)
        assert retrievals.last(ADA.name) is None
        assert retrievals.last("Enigma") is None


async def test_the_accounts_show_that_a_retrieval_failed_and_that_one_went_well_again() -> None:
    played = ScriptedRetrievals(kept={ADA.name: replace(REFUSED, started=NOW)})
    async with world([ADA], REPORTS, retrievals=played) as running:
        desk = running.app.desk
        assert desk.board.standing(ADA.name) is Standing.FAILING
        assert "✗ 1 failing" in running.text().splitlines()[0]
        assert row(running, ADA).startswith(" ✓   ✗")
        assert "[AUTHENTICATIONFAILED] go away" in told(running)
        played.clock += timedelta(minutes=1)
        await running.press("r")
        await running.until(lambda: desk.board.standing(ADA.name) is Standing.GOOD)
        await running.idle()
        assert "✓ 1 good" in running.text().splitlines()[0]
        assert row(running, ADA).startswith(" ✓   ✓")


async def test_a_removed_account_is_retrieved_no_more() -> None:
    played = ScriptedRetrievals(held=True)
    async with world([ADA, ALAN], {}, retrievals=played) as running:
        await running.press("r")
        await running.until(lambda: played.waiting == [ADA.name])
        running.app.desk.drop([ADA.name])
        await running.until(lambda: played.cancelled == [ADA.name])
        assert running.app.desk.board.retrievals.running == 0


async def test_automatic_accounts_are_retrieved_when_due_and_say_when_that_is() -> None:
    played, idling = ScriptedRetrievals({ADA.name: BROUGHT}, kept={ADA.name: BROUGHT}), NoIdling()
    asking = replace(automatic(EMMY), submission=replace(EMMY.submission, secret=SecretRef(SecretScheme.ASK)))
    off = replace(automatic(CHARLES), active=False)
    people = [automatic(ADA), ALAN, asking, off]
    async with world(people, {}, retrievals=played, idling=idling, size=(170, 24)) as running:
        desk = running.app.desk
        await running.until(lambda: desk.automatic.next_at(ADA.name) is not None)
        await go(running)
        # 15 minutes and half of a tenth later, of which 2 are over.
        await until_row(running, ADA, "every 15 min, in 14 min")
        assert "manual" in row(running, ALAN)
        assert ADA.name in idling.followed
        assert EMMY.name not in idling.followed, "nobody wants to be asked for a password every few minutes"
        assert desk.automatic.next_at(CHARLES.name) is None
        assert played.calls == []
        played.clock += timedelta(minutes=14)
        desk.automatic.follow()
        await running.until(lambda: played.calls == [[ADA.name]])
        await running.idle()
        await until_row(running, ADA, "now: 3 new", "in 16 min")


async def test_what_another_process_retrieves_is_looked_at_again_soon() -> None:
    busy = retrieval_report(
        ADA, failure=Failure(Cause.RETRIEVAL_BUSY, Stage.RESOLVE, "another mailtui is retrieving it")
    )
    played = ScriptedRetrievals({ADA.name: busy})
    async with world([automatic(ADA)], {}, retrievals=played) as running:
        desk = running.app.desk
        await running.until(lambda: desk.automatic.next_at(ADA.name) is not None)
        played.clock += timedelta(seconds=11)
        desk.automatic.follow()
        await running.until(lambda: played.calls == [[ADA.name]])
        await running.until(lambda: desk.automatic.next_at(ADA.name) == played.clock + timedelta(minutes=1))


async def test_automatic_retrieval_begins_when_an_account_becomes_automatic() -> None:
    played = ScriptedRetrievals()
    async with world([ADA], {}, retrievals=played) as running:
        desk = running.app.desk
        desk.replace(automatic(ADA))
        await running.until(lambda: desk.automatic.next_at(ADA.name) is not None)
        played.clock += timedelta(seconds=11)
        desk.automatic.follow()
        await running.until(lambda: played.calls == [[ADA.name]])


async def test_escape_in_the_accounts_leaves_what_began_by_itself_alone() -> None:
    played = ScriptedRetrievals(held=True)
    async with world([automatic(ADA)], {}, retrievals=played) as running:
        desk = running.app.desk
        await running.until(lambda: desk.automatic.next_at(ADA.name) is not None)
        played.clock += timedelta(seconds=11)
        desk.automatic.follow()
        await running.until(lambda: played.waiting == [ADA.name])
        await running.until(lambda: "retrieving 0 of 1 " in running.text())
        await running.press("escape")
        assert desk.board.retrievals.of(ADA.name) is not None
        await go(running)
        await running.press("escape")
        await running.until(lambda: played.cancelled == [ADA.name])


async def test_a_dry_run_lists_what_would_be_fetched_and_deleted() -> None:
    candidates = (
        Candidate("INBOX", "7", Verdict.FETCH, 12_300, "Grace <grace@example.org>", "Compilers", "Sun, 1 Jun 2025"),
        Candidate("INBOX", "2", Verdict.DELETE, 900, "Old <old@example.org>", "[/red] of last year"),
        Candidate("INBOX", "5", Verdict.TOO_LARGE, 70_000_000, "Big <big@example.org>", ""),
    )
    found = MailboxResult("INBOX", "~/Mail/ada", stored=1, octets=12_300, kept=9, deleted=1, on_server=11)
    played = ScriptedRetrievals(
        {ADA.name: retrieval_report(ADA, found, candidates=candidates, is_stable=True)}, held=True
    )
    async with world(reports=REPORTS, retrievals=played, size=(100, 30)) as running:
        await go(running)
        await running.press("D")
        await running.until(lambda: isinstance(running.app.screen, DryRunScreen) and "looking for new" in told(running))
        assert "Nothing is fetched or deleted" in told(running)
        assert running.app.desk.board.retrievals.running == 0
        played.gate.set()
        await running.until(lambda: "Messages" in running.text())
        text = told(running)
        assert "A retrieval now would fetch 1 message, 12 KB, and delete 1 message on the server." in text
        assert "The server named its messages alike in two logins" in text
        assert "INBOX 1 to fetch, 12 KB, 9 here before, 1 to delete there, 11 on the server; in ~/Mail/ada" in text
        assert "fetch 12 KB Grace <grace@example.org> · Compilers · Sun, 1 Jun 2025" in text
        assert "delete 900 B Old <old@example.org> · [/red] of last year" in text
        assert "too large 70 MB Big <big@example.org> · (no subject)" in text
        assert played.options[0].dry_run
        assert running.app.desk.board.retrievals.last(ADA.name) is None
        await running.press("D")
        await running.until(lambda: len(played.calls) == 2 and "Messages" in running.text())
        await running.press("r")
        await running.until(lambda: len(played.calls) == 3)
        assert isinstance(running.app.screen, RetrievalScreen)
        assert not played.options[2].dry_run
        await running.idle()


async def test_a_dry_run_that_fails_or_is_left() -> None:
    played = ScriptedRetrievals({ADA.name: REFUSED}, held=True)
    async with world(reports=REPORTS, retrievals=played, size=(100, 30)) as running:
        await go(running)
        await running.press("D")
        await running.until(lambda: len(played.waiting) == 1)
        await running.press("escape")
        await running.until(lambda: played.cancelled == [ADA.name])
        assert isinstance(running.app.screen, RetrievalScreen)
        played.gate.set()
        await running.press("D")
        await running.until(lambda: "go away" in told(running))
        assert "This cannot be told: the retrieval would fail." in told(running)
        assert "What to do" in running.text()


@pytest.mark.parametrize("failed", [False, True])
async def test_the_details_tell_of_the_last_retrieval(failed: bool) -> None:
    left = (Candidate("INBOX", "5", Verdict.REFUSED, 70, "Big <big@example.org>", "hello", reply="NO [LIMIT] not now"),)
    found = MailboxResult("INBOX", "~/Mail/ada", stored=3, octets=45_000, on_server=12, notes=("a note",))
    kept = REFUSED if failed else retrieval_report(ADA, found, candidates=left)
    kept = replace(kept, leg=replace(kept.leg, transcript=(TranscriptLine("S", "* 12 EXISTS of the retrieval", 4.0),)))
    played = ScriptedRetrievals(kept={ADA.name: replace(kept, started=NOW - timedelta(seconds=5))})
    async with world([ADA], REPORTS, retrievals=played, size=(160, 24)) as running:
        await running.press("enter")
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))
        detail = next(one for one in running.app.screen.query(LegDetail) if one.leg is Leg.INBOUND)
        await running.until(lambda: "of the retrieval" in "".join(text for line in detail.lines for text, _ in line))
        lines = ["".join(text for text, _ in line) for line in detail.lines]
        text = " ".join(" ".join(lines).split())
        assert "* 12 EXISTS of the retrieval" in text, "the newest that was said over this leg"
        if failed:
            assert "✗ Login failed" in text, "newer than the check, it is what the leg is shown by"
            assert "go away" in text
            assert "Transfer skipped" in text
        else:
            assert "Brought 3 new messages, 45 KB" in text
            assert "INBOX 3 new, 45 KB, 12 on the server; in ~/Mail/ada ▲ a note" in text
            assert "refused 70 B Big <big@example.org> · hello · server said: NO [LIMIT] not now" in text
            assert "Login failed" not in text
