"""What the agent does, in lines for its log."""

from collections.abc import Callable

from mailtui.actions.agent import AgentEvent, Checked, NewMail, Planned, Retrieved
from mailtui.actions.idling import NotWaiting, Waiting
from mailtui.cli.output import BAD, Part, Styled
from mailtui.cli.remedies import Offer, Remedies
from mailtui.cli.retrieval_words import mailbox_lines, result_line
from mailtui.cli.words import account_line
from mailtui.model.account import Account
from mailtui.model.amounts import counted, seconds_words
from mailtui.model.check import Cause, LegReport

_HEAD = "{:<9}  "


class AgentTeller:
    """Writes each event by `line`."""

    def __init__(self, line: Callable[..., None]) -> None:
        self._line = line

    def tell(self, event: AgentEvent) -> None:
        """Write what happened."""
        if isinstance(event, Planned):
            active = counted(event.active, "active account")
            self._say("accounts", f"{active}: {event.retrieved} retrieved, {event.checked} checked")
        elif isinstance(event, Waiting):
            self._say("waiting", f"{event.account}  at {event.mailbox}")
        elif isinstance(event, NotWaiting):
            self._not_waiting(event)
        elif isinstance(event, NewMail):
            self._say("news", f"{event.account}  the server may have new mail")
        elif isinstance(event, Retrieved):
            self._retrieved(event)
        elif isinstance(event, Checked):
            self._say("checked", *account_line(event.report))
            for leg in event.report.legs:
                self._remedy(event.account, leg)
        else:
            self._say("problem", Styled(event.words, BAD))

    def _not_waiting(self, event: NotWaiting) -> None:
        failure = event.failure
        said = f"; the server said: {failure.reply}" if failure.reply else ""
        if failure.cause in (Cause.BAD_CREDENTIALS, Cause.LOGIN_HELD):
            then = "not tried again until the login changes"
        else:
            then = f"again in {seconds_words(event.seconds)}"
        told = f" at {failure.stage.value}: {failure.hint}{said}; {then}"
        self._say("waiting", f"{event.account}  ", Styled("FAILED", BAD), told)

    def _retrieved(self, event: Retrieved) -> None:
        leg = event.report.leg
        if leg.failure is not None and leg.failure.cause is Cause.RETRIEVAL_BUSY:
            # The open screens, or a person at the shell, were first: nothing is wrong.
            self._say("skipped", f"{event.account.name}  {leg.failure.hint}")
            return
        self._say("retrieved", *result_line(event.report), *_why(leg))
        for line in mailbox_lines(event.report):
            self._say("", *line)
        self._remedy(event.account, leg)

    def _say(self, what: str, *parts: Part) -> None:
        self._line(_HEAD.format(what), *parts)

    def _remedy(self, account: Account, leg: LegReport) -> None:
        if told := Remedies([account], Offer.STORED).brief(account.name, leg):
            self._say("", f"{account.name}  {leg.leg.value}  {told}")


def _why(leg: LegReport) -> tuple[str, ...]:
    return () if leg.failure is None else (f": {leg.failure.hint}",)
