"""What can be done about legs that fail in a trial: the same keys as in the lists, but nothing is stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import BindingType
from textual.screen import ModalScreen

from mailtui.actions.accepting import learn_legs, waits_for_acceptance
from mailtui.actions.fixing import apply_fix
from mailtui.actions.saving import Edited
from mailtui.model.account import Account
from mailtui.model.errors import MailtuiError
from mailtui.tui.desk import Desk
from mailtui.tui.diagnosing import is_held
from mailtui.tui.fixing import agreed_to, why_no_fix
from mailtui.tui.insisting import accept_question, insist_question
from mailtui.tui.screens.remedy_keys import ACCEPT, FIX, INSIST
from mailtui.tui.trial import Trial

_NOTHING_TO = {
    "accept": "no change of a server has to be accepted",
    "insist": "no login was refused",
}


class RemediedTrial(ModalScreen[str | None]):
    """A trial of `edited`, with the keys that do something about its last report."""

    BINDINGS: ClassVar[list[BindingType]] = [
        replace(
            FIX,
            key="F,f",
            key_display="F",
            id="trial.fix",
            tooltip="Put the change that the diagnosis proposes into the form, and test again",
        ),
        replace(ACCEPT, id="trial.accept"),
        replace(INSIST, id="trial.insist"),
    ]

    def __init__(self, desk: Desk, edited: Edited, on_change: Callable[[Account], None]) -> None:
        super().__init__()
        self._desk = desk
        self._on_change = on_change
        self._asking = False
        self.edited = edited
        """What is tested: what was typed, with the fixes that were made here."""
        self.trial = Trial(edited.account)
        """The last test, or the one that runs."""

    def begin(self, *, insist: bool = False) -> None:
        """Test `edited`; with `insist`, also by a login that was refused before."""
        raise NotImplementedError

    def remedies(self, action: str) -> Sequence[object]:
        """What there is for fix, accept or insist to do something about; nothing while a test runs."""
        if action == "fix":
            return self.trial.proposals
        wanted = waits_for_acceptance if action == "accept" else is_held
        return [leg for leg in self.trial.legs if wanted(leg)]

    @property
    def at_hand(self) -> set[str]:
        """The actions that the footer offers: those that the words on what failed name."""
        remedies = [self.trial.view(leg.leg).remedy for leg in self.trial.legs]
        return {remedy.action for remedy in remedies if remedy is not None}

    def action_fix(self) -> None:
        """Make the change that the diagnosis proposes, and test again."""
        self._ask_for("fix", self._fix)

    def action_accept(self) -> None:
        """Ask, and take the servers as they are now."""
        self._ask_for("accept", self._accept)

    def action_insist(self) -> None:
        """Ask, and log in although that was refused."""
        self._ask_for("insist", self._insist)

    def _ask_for(self, action: str, work: Callable[[], Awaitable[None]]) -> None:
        # Of two quick keys the second opens no second question.
        if self._asking:
            return
        if not self.remedies(action):
            self._desk.say(self._why_not(action), "warning")
            return
        self._asking = True

        async def alone() -> None:
            try:
                await work()
            finally:
                self._asking = False

        self.run_worker(alone(), group="remedy")

    def _why_not(self, action: str) -> str:
        if self.trial.running:
            return "The test still runs; press the key when it has ended."
        wrong = self.trial.failed or [leg for leg in self.trial.legs if leg.warning]
        if action == "fix" and wrong:
            return f"There is nothing for F to change: {why_no_fix(wrong[0], self.edited.account.email)}"
        return f"There is nothing to do: {_NOTHING_TO.get(action, 'nothing has failed')}."

    async def _fix(self) -> None:
        account = self.edited.account
        try:
            for proposal in await agreed_to(self.app, self.trial.proposals):
                account = apply_fix(account, proposal.fix, proposal.leg)
        except MailtuiError as error:
            self._desk.say(str(error), "error")
            return
        if account != self.edited.account:
            self.edited = replace(self.edited, account=account)
            self._on_change(account)
            self.begin()

    async def _accept(self) -> None:
        name = self.edited.account.name
        changed = [leg for leg in self.trial.legs if waits_for_acceptance(leg)]
        if await self.app.push_screen_wait(accept_question({name: changed})):
            # Nothing is stored of a trial, this neither.
            learn_legs(self._desk.memory, [(name, leg) for leg in changed])
            self.begin()

    async def _insist(self) -> None:
        account = self.edited.account
        question = insist_question([account], {account.name: [leg for leg in self.trial.legs if is_held(leg)]})
        if await self.app.push_screen_wait(question):
            self.begin(insist=True)
