"""Testing what is typed: both legs side by side, nothing stored, and the way back to the field that matters."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.actions.memory import Memory
from mailtui.actions.saving import Edited
from mailtui.model.account import Account, CertificatePolicy, Endpoint, SecretRef, SecretScheme, Trust
from mailtui.model.check import Cause, CheckReport, Failure, Leg, Severity, Stage
from mailtui.model.errors import StorageError
from mailtui.storage.hidden import Hidden
from mailtui.tui.diagnosing import short_cause
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.ask import AskScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.help import HelpScreen
from mailtui.tui.screens.trial import TrialPanel, TrialScreen
from mailtui.tui.trial import Trial, field_of
from tests.tui.hostile_words import HOSTILE, hostile_report
from tests.tui.people import ADA, AKIRA, ALAN, GRACE, REPORTS, ROBOT, WRONG_PASSWORD, report
from tests.tui.test_detail_screen import said
from tests.tui.test_dialogs import words_of
from tests.tui.test_hostile import require_harmless
from tests.tui.troubled import (
    CHANGED,
    CHANGED_REPORT,
    HELD,
    HELD_REPORT,
    HOME_MADE,
    HOME_MADE_REPORT,
    MENDED,
    MIXED_UP,
    MIXED_UP_REPORT,
    PIN,
)
from tests.tui.world import MemorySecrets, ScriptedChecks, World, world


class Trying:
    """A trial on the screen, and what it answered."""

    def __init__(self, running: World) -> None:
        self.running = running
        self.answers: list[str | None] = []

    @property
    def screen(self) -> TrialScreen:
        return next(screen for screen in self.running.app.screen_stack if isinstance(screen, TrialScreen))

    @property
    def trial(self) -> Trial:
        return self.screen.trial

    async def ended(self) -> None:
        """Wait for the test's end, and until it is drawn."""
        words = self.trial.verdict
        await self.running.until(lambda: not self.trial.running and words()[2][:20] in self.running.text())

    async def press(self, *keys: str) -> None:
        await self.running.press(*keys)

    async def answered(self) -> str | None:
        await self.running.until(lambda: bool(self.answers))
        assert isinstance(self.running.app.screen, AccountsScreen)
        assert len(self.answers) == 1
        return self.answers[0]


def cause_of(found: CheckReport) -> str:
    """What the diagnosis says of the first leg that failed."""
    leg = next(leg for leg in found.legs if leg.failure is not None)
    return short_cause(leg, "")


def words_of_column(text: str) -> str:
    """What stands in the left one of two columns, without frames and line breaks."""
    return " ".join(" ".join(line.split("│")[2] for line in text.splitlines() if line.count("│") > 3).split())


@asynccontextmanager
async def trying(
    edited: Account | Edited,
    *,
    size: tuple[int, int] = (80, 24),
    checks: ScriptedChecks | None = None,
    secrets: MemorySecrets | None = None,
) -> AsyncIterator[Trying]:
    edited = edited if isinstance(edited, Edited) else Edited(edited)
    async with world([], size=size, checks=checks, secrets=secrets) as running:
        tried = Trying(running)
        running.app.push_screen(TrialScreen(running.app.desk, edited), tried.answers.append)
        await running.until(lambda: isinstance(running.app.screen, TrialScreen | AskScreen))
        yield tried
        assert running.store.batches == [], "a trial is no check of an account: the history must not learn of it"
        assert len(running.app.desk.board) == 0
        assert running.app.desk.board.running == 0


async def test_both_good_legs_stand_side_by_side() -> None:
    async with trying(ADA) as tried:
        await tried.ended()
        text = tried.running.text()
        line = next(line for line in text.splitlines() if "Outbound" in line)
        assert "Inbound" in line
        assert "Both legs are good. ctrl+s in the form saves." in text
        assert tried.running.checks.calls == [[ADA.name]]
        await tried.press("enter")
        assert await tried.answered() is None


async def test_a_send_only_account_has_one_leg_to_be_good() -> None:
    async with trying(ROBOT) as tried:
        await tried.ended()
        assert "Sending is good. ctrl+s" in tried.running.text()
        assert "This account only sends mail." in tried.running.text()


async def test_a_warning_is_told_beside_good_legs() -> None:
    async with trying(AKIRA) as tried:
        await tried.ended()
        assert "Both legs are good, with a warning." in tried.running.text()
        assert "the certificate ends in 9 days" in words_of(tried.running)


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_a_failure_leads_back_to_its_field(key: str) -> None:
    async with trying(ALAN) as tried:
        await tried.ended()
        text = tried.running.text()
        assert "Both legs failed at Login. enter goes to Outgoing: Password." in words_of(tried.running)
        assert cause_of(report(ALAN, WRONG_PASSWORD)) in words_of_column(text)
        assert "see https://example.org/help)" in text, "the server's words are there to their end"
        await tried.press(key)
        assert await tried.answered() == "submission.password"


async def test_one_failing_leg_is_named_and_the_other_is_said_to_be_good() -> None:
    async with trying(GRACE) as tried:
        await tried.ended()
        assert "Receiving failed at TLS. Sending is good." in tried.running.text()
        assert tried.running.app.focused is tried.screen.query_one("#inbound-panel")
        await tried.press("escape")
        assert await tried.answered() == "retrieval.certificate"


async def test_cancelling_drops_the_check_and_closes() -> None:
    checks = ScriptedChecks(held=True, steps=3)
    async with trying(ADA, checks=checks) as tried:
        await tried.running.until(lambda: "◑ Greeting" in tried.running.text())
        await tried.press("enter", "t", "d")
        assert tried.trial.running
        assert len(checks.calls) == 1, "these keys wait for the end"
        await tried.press("escape")
        assert await tried.answered() is None
        assert checks.cancelled == [ADA.name]


async def test_two_quick_keys_close_one_screen_only() -> None:
    async with trying(ADA) as tried:
        await tried.ended()
        tried.screen.action_back()
        assert len(tried.running.app.screen_stack) == 1 + 1, "the default screen and the accounts"
        await tried.press("escape")
        assert await tried.answered() is None


async def test_a_trial_that_was_to_close_does_not_close_what_lies_over_it() -> None:
    checks = ScriptedChecks(held=True, steps=3)
    async with trying(ADA, checks=checks) as tried:
        await tried.running.until(lambda: checks.events > 0)
        trial = tried.screen
        tried.running.app.action_help()
        await tried.running.until(lambda: isinstance(tried.running.app.screen, HelpScreen))
        trial.action_cancel()
        await tried.running.until(lambda: checks.cancelled == [ADA.name])
        await tried.running.pilot.pause()
        assert isinstance(tried.running.app.screen, HelpScreen)
        assert not tried.answers
        await tried.press("escape")
        assert await tried.answered() is None


class Clinging(ScriptedChecks):
    """Checks that do not let go when they are cancelled, before they may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()
        self.clings = asyncio.Event()

    async def __call__(self, accounts: Iterable[Account], secrets: SecretReader, **more: Any) -> None:
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.clings.set()
            await self.may_end.wait()
            raise


async def test_closing_waits_so_long_only_for_a_check_that_does_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailtui.tui.screens.trial._PATIENCE", 0.3)
    checks = Clinging()
    async with trying(ADA, checks=checks) as tried:
        await tried.running.until(lambda: tried.trial.running)
        await tried.press("escape")
        try:
            await tried.running.until(checks.clings.is_set)
            assert await tried.answered() is None
        finally:
            checks.may_end.set()


async def test_leaving_the_program_drops_the_check() -> None:
    checks = ScriptedChecks(held=True, steps=3)
    async with trying(ADA, checks=checks) as tried:
        await tried.running.until(lambda: checks.events > 0)
    assert checks.cancelled == [ADA.name]


async def test_t_tests_again() -> None:
    async with trying(ALAN) as tried:
        await tried.ended()
        before = tried.trial
        await tried.press("t")
        await tried.running.until(lambda: tried.trial is not before)
        await tried.ended()
        assert tried.running.checks.calls == [[ALAN.name], [ALAN.name]]


async def test_details_show_the_dialogue_and_escape_goes_back_one_step() -> None:
    async with trying(ALAN, size=(120, 40)) as tried:
        await tried.ended()
        assert "EHLO workstation" not in tried.running.text()
        await tried.press("d", "end")
        await tried.running.until(lambda: "Transcript" in tried.running.text())
        await tried.press("escape")
        await tried.running.until(lambda: "Transcript" not in tried.running.text())
        assert not tried.answers
        assert isinstance(tried.running.app.focused, TrialPanel)
        await tried.press("escape")
        assert await tried.answered() == "submission.password"


async def test_where_one_leg_has_room_tab_shows_the_other() -> None:
    async with trying(GRACE, size=(40, 10)) as tried:
        await tried.ended()
        await tried.running.until(lambda: "Inbound IMAP" in tried.running.text())
        assert cause_of(REPORTS[GRACE.name]) in words_of(tried.running), "the failing leg is shown, its failure in full"
        await tried.press("tab")
        await tried.running.until(lambda: "Outbound SMTP" in tried.running.text())
        await tried.press("i")
        await tried.running.until(lambda: "Inbound IMAP" in tried.running.text())


async def test_events_repaint_at_most_thirty_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Leg] = []
    show = TrialPanel.show

    def counted(self: TrialPanel, *args: object) -> None:
        shown.append(self.view.leg)
        show(self, *args)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(TrialPanel, "show", counted)
    async with trying(ADA) as tried:
        await tried.ended()
        assert tried.running.checks.events > 30
        # At the start, at the end, and whenever a timer came between.
        assert shown.count(Leg.OUTBOUND) <= 4


async def test_a_typed_password_is_what_is_tested() -> None:
    checks = ScriptedChecks(asks=True)
    edited = Edited(ADA, submission_password=Hidden("typed-secret"))
    async with trying(edited, checks=checks) as tried:
        await tried.ended()
        assert checks.secrets == ["typed-secret"]
        assert "typed-secret" not in tried.running.text()


async def test_a_password_that_is_asked_for_is_asked_over_the_trial() -> None:
    checks = ScriptedChecks(asks=True)
    person = replace(ADA, submission=replace(ADA.submission, secret=SecretRef(SecretScheme.ASK)))
    async with trying(person, checks=checks) as tried:
        await tried.running.until(lambda: isinstance(tried.running.app.screen, AskScreen))
        await tried.press(*"pw", "enter")
        await tried.ended()
        assert checks.secrets == ["pw"]


class Broken(ScriptedChecks):
    """Checks that cannot be made."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self.error = error

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
        memory: Memory,
    ) -> None:
        self.calls.append([account.name for account in accounts])
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StorageError("the vault is [/] gone"), "The test could not be made: the vault is [/] gone"),
        (RuntimeError("a secret"), "The test stopped by a defect of mailtui (RuntimeError); please report it."),
        (None, "The test ended without a result."),
    ],
)
async def test_a_check_that_cannot_be_made_says_so(error: Exception | None, words: str) -> None:
    async with trying(ADA, checks=Broken(error)) as tried:
        await tried.ended()
        text = words_of(tried.running)
        assert words in text
        assert "a secret" not in text
        await tried.press("escape")
        assert await tried.answered() is None


async def test_hostile_words_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world([]) as running:
        for words, shown in ((words.text, words.shown) for words in HOSTILE):
            person = replace(ADA, name=words)
            monkeypatch.setitem(REPORTS, words, hostile_report(person, words))
            tried = Trying(running)
            await running.app.push_screen(TrialScreen(running.app.desk, Edited(person)), tried.answers.append)
            await tried.ended()
            require_harmless(running)
            assert shown in words_of(running)
            await running.press("d")
            require_harmless(running)
            await running.press("enter")
            assert await tried.answered() == "submission.password"


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("leg", list(Leg))
@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.GREETING, Stage.AUTH])
def test_every_failure_leads_to_a_field_of_the_form(cause: Cause, leg: Leg, stage: Stage) -> None:
    field = field_of(ADA, leg, Failure(cause, stage, "words"))
    if cause in (Cause.INTERNAL, Cause.NOT_STORED, Cause.NOT_DELIVERED, Cause.RETRIEVAL_BUSY):
        assert field is None, "no check meets the last three"
    else:
        assert field in FIELDS


def with_secrets(outgoing: SecretRef, incoming: SecretRef | None = None) -> Account:
    assert ADA.retrieval is not None
    submission, retrieval = replace(ADA.submission, secret=outgoing), replace(ADA.retrieval, secret=incoming)
    return replace(ADA, submission=submission, retrieval=retrieval)


def test_a_refused_password_leads_to_where_it_comes_from() -> None:
    vault, command = SecretRef(SecretScheme.VAULT), SecretRef(SecretScheme.COMMAND, "pass show mail")
    for account, leg, good, field in (
        (with_secrets(vault), Leg.OUTBOUND, False, "submission.password"),
        (with_secrets(command), Leg.OUTBOUND, False, "submission.command"),
        (with_secrets(vault), Leg.INBOUND, False, "submission.password"),
        (with_secrets(vault), Leg.INBOUND, True, "retrieval.own_password"),
        (with_secrets(vault, command), Leg.INBOUND, True, "retrieval.command"),
        (with_secrets(command, vault), Leg.INBOUND, False, "retrieval.password"),
    ):
        assert field_of(account, leg, WRONG_PASSWORD, other_is_good=good) == field


def test_an_issuer_that_is_not_trusted_leads_to_the_file_where_one_is_used() -> None:
    failure = Failure(Cause.CERTIFICATE_UNKNOWN_ISSUER, Stage.TLS, "words")
    assert field_of(ADA, Leg.INBOUND, failure) == "retrieval.certificate"
    policy = CertificatePolicy(Trust.CA_FILE, "/etc/ca.pem")
    assert ADA.retrieval is not None
    endpoint = replace(ADA.retrieval.endpoint, certificate=policy)
    person = replace(ADA, retrieval=replace(ADA.retrieval, endpoint=endpoint))
    assert field_of(person, Leg.INBOUND, failure) == "retrieval.ca_file"


def test_an_unmendable_leg_gives_way_to_the_other() -> None:
    trial = Trial(ADA)
    trial.report = report(ADA, Failure(Cause.INTERNAL, Stage.CONNECT, "ours"), WRONG_PASSWORD)
    trial.end()
    assert trial.report.severity is Severity.FAILED
    assert trial.field == "submission.password"


class Remedied(ScriptedChecks):
    """The account fails until its servers are those of `good`."""

    def __init__(self, found: CheckReport, good: Account) -> None:
        super().__init__()
        self.found = found
        self.good = good

    def _played(self, account: Account) -> CheckReport:
        return report(account) if account == self.good else self.found


def with_inbound(person: Account, endpoint: Endpoint) -> Account:
    assert person.retrieval is not None
    return replace(person, retrieval=replace(person.retrieval, endpoint=endpoint))


@pytest.mark.parametrize("key", ["f", "F"])
async def test_a_fix_is_made_and_tested_with_one_key(key: str) -> None:
    good = with_inbound(MIXED_UP, MENDED)
    async with trying(MIXED_UP, checks=Remedied(MIXED_UP_REPORT, good)) as tried:
        await tried.ended()
        assert "F: use port 993 with" in tried.running.text()
        before = tried.trial
        await tried.press(key)
        await tried.running.until(lambda: tried.trial is not before)
        await tried.ended()
        assert "Both legs are good. ctrl+s in the form saves." in tried.running.text()
        assert tried.screen.edited.account == good
        assert not tried.screen.failed
        await tried.press(key)
        assert tried.trial.account == good
        await tried.press("enter")
        assert await tried.answered() is None


async def test_a_key_is_trusted_in_a_trial_only_after_a_look_at_its_digits() -> None:
    pinned = replace(HOME_MADE.retrieval.endpoint, certificate=CertificatePolicy(Trust.PIN, "", PIN))  # type: ignore[union-attr]  # it receives
    good = with_inbound(HOME_MADE, pinned)
    async with trying(HOME_MADE, checks=Remedied(HOME_MADE_REPORT, good)) as tried:
        await tried.ended()
        await tried.press("F")
        await tried.running.until(lambda: isinstance(tried.running.app.screen, ConfirmScreen))
        await tried.press("escape")
        await tried.running.until(lambda: isinstance(tried.running.app.screen, TrialScreen))
        assert tried.screen.edited.account == HOME_MADE
        await tried.press("F")
        await tried.running.until(lambda: isinstance(tried.running.app.screen, ConfirmScreen))
        await tried.press("y")
        await tried.running.until(lambda: tried.screen.edited.account == good)
        await tried.ended()
        assert not tried.screen.failed


async def test_a_refused_login_is_insisted_on_after_a_question() -> None:
    async with trying(HELD, checks=Remedied(HELD_REPORT, ADA)) as tried:
        await tried.ended()
        await tried.press("t")
        await tried.ended()
        await tried.press("I")
        await tried.running.until(lambda: isinstance(tried.running.app.screen, ConfirmScreen))
        await tried.press("y")
        await tried.running.until(lambda: len(tried.running.checks.options) == 3)
        await tried.ended()
        assert [options.insist for options in tried.running.checks.options] == [False, False, True]


async def test_a_changed_server_is_accepted_in_a_trial() -> None:
    async with trying(CHANGED, checks=Remedied(CHANGED_REPORT, ADA)) as tried:
        await tried.ended()
        await tried.press("A")
        await tried.running.until(lambda: isinstance(tried.running.app.screen, ConfirmScreen))
        await tried.press("y")
        await tried.running.until(lambda: len(tried.running.checks.calls) == 2)
        await tried.ended()
        memory = tried.running.app.desk.memory
        assert tried.running.checks.memories == [memory, memory]
        assert CHANGED.retrieval is not None
        known = memory.baseline(CHANGED.name, Leg.INBOUND, CHANGED.retrieval.protocol, CHANGED.retrieval.endpoint)
        assert known is not None
        assert known.keys == (PIN,)


async def test_keys_that_do_nothing_here_are_not_in_the_footer_and_say_why() -> None:
    async with trying(ADA) as tried:
        await tried.ended()
        footer = tried.running.text().splitlines()[-1]
        assert not any(words in footer for words in ("F Fix", "A Accept", "I Insist"))
        for key, words in (("F", "nothing has failed"), ("A", "has to be accepted"), ("I", "no login was refused")):
            await tried.press(key)
            await tried.running.until(lambda words=words: words in said(tried.running))  # type: ignore[misc]  # mypy cannot infer a default
        assert len(tried.running.checks.calls) == 1


async def test_a_key_of_a_trial_that_cannot_mend_what_failed_says_what_can() -> None:
    async with trying(ALAN, checks=Remedied(report(ALAN, WRONG_PASSWORD), ADA)) as tried:
        await tried.ended()
        await tried.press("F")
        await tried.running.until(lambda: "nothing for F to change: mailtui cannot do this" in said(tried.running))
