"""What can be done about legs that fail in a trial: the same keys as in the lists, but nothing is stored."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from mailtui.actions.fixing import apply_fix
from mailtui.actions.saving import Edited
from mailtui.model.account import Account
from mailtui.model.errors import MailtuiError
from mailtui.tui.desk import Desk
from mailtui.tui.diagnosing import is_alarming, is_held
from mailtui.tui.fixing import agreed_to
from mailtui.tui.insisting import accept_question, insist_question, learn
from mailtui.tui.trial import Trial

REMEDIES = frozenset({"fix", "accept", "insist"})
"""The actions that `remedies` knows."""


class RemediedTrial(ModalScreen[str | None]):
    """A trial of `edited`, with the keys that do something about its last report."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "F,f",
            "fix",
            "Fix",
            key_display="F",
            id="trial.fix",
            tooltip="Put the change that the diagnosis proposes into the form, and test again",
        ),
        Binding(
            "A",
            "accept",
            "Accept",
            show=False,
            id="trial.accept",
            tooltip="Accept what a server changed, after showing it, and test again",
        ),
        Binding(
            "I",
            "insist",
            "Insist",
            show=False,
            id="trial.insist",
            tooltip="Log in again although the login was refused; asks first",
        ),
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
        """What there is for one of REMEDIES to do something about; nothing while a test runs."""
        if action == "fix":
            return self.trial.proposals
        wanted = is_alarming if action == "accept" else is_held
        return [leg for leg in self.trial.legs if wanted(leg)]

    def action_fix(self) -> None:
        """Make the change that the diagnosis proposes, and test again."""
        self._ask_for(self._fix)

    def action_accept(self) -> None:
        """Ask, and take the servers as they are now."""
        self._ask_for(self._accept)

    def action_insist(self) -> None:
        """Ask, and log in although that was refused."""
        self._ask_for(self._insist)

    def _ask_for(self, work: Callable[[], Awaitable[None]]) -> None:
        # Of two quick keys the second opens no second question.
        if self._asking:
            return
        self._asking = True

        async def alone() -> None:
            try:
                await work()
            finally:
                self._asking = False

        self.run_worker(alone(), group="remedy")

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
        found = {self.edited.account.name: [leg for leg in self.trial.legs if is_alarming(leg)]}
        question = accept_question(found)
        if await self.app.push_screen_wait(question):
            learn(self._desk, found)
            self.begin()

    async def _insist(self) -> None:
        account = self.edited.account
        question = insist_question([account], {account.name: [leg for leg in self.trial.legs if is_held(leg)]})
        if await self.app.push_screen_wait(question):
            self.begin(insist=True)
