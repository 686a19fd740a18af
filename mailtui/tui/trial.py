"""A check of what is typed in a form: its state while it runs, what to say of it, and the field that it speaks of."""

from mailtui.actions.fixing import Proposal
from mailtui.model.account import Account, SecretRef, SecretScheme, Trust
from mailtui.model.check import Cause, CheckReport, Failure, Leg, LegReport, Severity, Stage
from mailtui.model.events import Event
from mailtui.model.text import clean
from mailtui.tui.diagnosing import fixes_of
from mailtui.tui.legs import LegProgress, LegView, leg_of, leg_view, progress_of, setup_of
from mailtui.tui.words import STAGE_NAMES, Mark, Role

_DOING = {Leg.OUTBOUND: "Sending", Leg.INBOUND: "Receiving"}
_SIDES = {Leg.OUTBOUND: "submission", Leg.INBOUND: "retrieval"}

_PARTS = {
    Cause.NAME_NOT_FOUND: "host",
    Cause.DNS_FAILED: "host",
    Cause.PORT_REFUSED: "port",
    Cause.HOST_UNREACHABLE: "host",
    Cause.TLS_FAILED: "security",
    Cause.NOT_TLS: "security",
    Cause.CERTIFICATE_EXPIRED: "certificate",
    Cause.CERTIFICATE_NOT_YET_VALID: "certificate",
    Cause.CERTIFICATE_WRONG_NAME: "host",
    Cause.CERTIFICATE_SELF_SIGNED: "certificate",
    Cause.CERTIFICATE_UNKNOWN_ISSUER: "certificate",
    Cause.CERTIFICATE_NOT_PINNED: "pin",
    Cause.CERTIFICATE_INVALID: "certificate",
    Cause.FOREIGN_BANNER: "port",
    Cause.BAD_REPLY: "host",
    Cause.TOO_LARGE: "host",
    Cause.CLOSED: "security",
    Cause.NOT_AVAILABLE: "host",
    Cause.NO_MECHANISM: "method",
    Cause.LOGIN_DISABLED: "security",
    Cause.AUTH_NOT_OFFERED: "method",
    Cause.STARTTLS_NOT_OFFERED: "security",
    Cause.STARTTLS_REFUSED: "security",
    Cause.STARTTLS_INJECTED: "security",
    Cause.NOT_PLAIN: "security",
    Cause.STARTTLS_LOST: "security",
    Cause.MECHANISM_LOST: "method",
    Cause.KEY_CHANGED: "certificate",
    Cause.CLEARTEXT_REFUSED: "security",
    Cause.PREAUTH_BEFORE_TLS: "security",
    Cause.NO_INBOX: "username",
}
"""The field of its leg that a failure makes one look at first."""

_NOT_OF_A_CHECK = frozenset({Cause.INTERNAL, Cause.NOT_STORED, Cause.NOT_DELIVERED, Cause.RETRIEVAL_BUSY})
"""What no field mends, or only a retrieval meets."""

_SECRET_FIELDS = {
    SecretScheme.KEYRING: "password",
    SecretScheme.VAULT: "password",
    SecretScheme.COMMAND: "command",
    SecretScheme.ENV: "env",
    SecretScheme.FILE: "file",
    SecretScheme.ASK: "secret",
}


def field_of(account: Account, leg: Leg, failure: Failure, *, other_is_good: bool = False) -> str | None:
    """The key of the form's field that `failure` speaks of; None where no field can mend it.

    `other_is_good` says that the account's other leg passed: a password that both share is good then.
    """
    cause, side = failure.cause, _SIDES[leg]
    if cause in _NOT_OF_A_CHECK:
        return None
    if cause in (Cause.BAD_CREDENTIALS, Cause.LOGIN_HELD, Cause.SECRET_UNAVAILABLE):
        return _password_field(account, leg, other_is_good=other_is_good)
    if cause is Cause.SENDER_REFUSED:
        return "email" if account.submission.authentication else "submission.authentication"
    if cause is Cause.AUTH_NOT_OFFERED and leg is Leg.OUTBOUND:
        return "submission.authentication"
    if cause is Cause.SILENT:
        # A wrong port is silent to a connection, one of the other kind of encryption to the first words.
        early = failure.stage in (Stage.RESOLVE, Stage.CONNECT)
        return f"{side}.{'port' if early else 'security' if failure.stage in (Stage.TLS, Stage.GREETING) else 'host'}"
    part = _PARTS[cause]
    setup = setup_of(account, leg)
    if part == "certificate" and setup is not None and setup.endpoint.certificate.trust is Trust.CA_FILE:
        part = "ca_file"
    return f"{side}.{part}"


def _password_field(account: Account, leg: Leg, *, other_is_good: bool) -> str:
    ref: SecretRef | None = account.submission.secret
    side = "submission"
    if leg is Leg.INBOUND and account.retrieval is not None:
        if account.retrieval.secret is not None:
            ref, side = account.retrieval.secret, "retrieval"
        elif other_is_good:
            return "retrieval.own_password"
    return f"{side}.{_SECRET_FIELDS[ref.scheme] if ref is not None else 'secret'}"


class Trial:
    """One check of `account`, which need not be stored anywhere."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.report: CheckReport | None = None
        self.error = ""
        """Why the check could not be made."""
        self.running = True
        self._progress: dict[Leg, LegProgress] = progress_of(account)

    def take_event(self, event: Event) -> None:
        """Learn what the check did."""
        if (progress := self._progress.get(leg_of(event))) is not None:
            progress.take(event)

    def end(self) -> None:
        """Nothing more will come."""
        self.running = False
        if self.report is None and not self.error:
            self.error = "The test ended without a result."

    def view(self, leg: Leg) -> LegView:
        """All that is known of one leg."""
        return leg_view(self.account, leg, self._progress if self.running else {}, self.report)

    @property
    def failed(self) -> tuple[LegReport, ...]:
        """The legs that failed, outbound first."""
        return tuple(leg for leg in self.report.legs if leg.failure is not None) if self.report is not None else ()

    @property
    def legs(self) -> tuple[LegReport, ...]:
        """The legs as they were walked; none before the end."""
        return () if self.running or self.report is None else self.report.legs

    @property
    def proposals(self) -> list[Proposal]:
        """What mailtui can change so that failed legs work."""
        return [Proposal(self.account, *found) for found in fixes_of(self.legs, self.account.email)]

    @property
    def field(self) -> str | None:
        """The key of the field to go back to; None where there is none."""
        for leg in self.failed:
            assert leg.failure is not None
            field = field_of(self.account, leg.leg, leg.failure, other_is_good=len(self.failed) == 1)
            if field is not None:
                return field
        return None

    def verdict(self) -> tuple[Mark, Role, str]:
        """The whole test in one sentence, with its mark."""
        if self.running:
            return Mark.HALFWAY, Role.BUSY, "Testing what is typed; nothing is stored."
        if self.report is None:
            return Mark.FAILED, Role.FAILED, clean(self.error)
        if self.failed:
            return Mark.FAILED, Role.FAILED, self._what_failed(self.report)
        good_legs = "Both legs are good" if self.report.inbound is not None else "Sending is good"
        if self.report.severity is Severity.WARNING:
            return Mark.WARNING, Role.WARNING, f"{good_legs}, with a warning. ctrl+s in the form saves."
        return Mark.OK, Role.OK, f"{good_legs}. ctrl+s in the form saves."

    def _what_failed(self, report: CheckReport) -> str:
        stages = [STAGE_NAMES[leg.failure.stage] for leg in self.failed if leg.failure is not None]
        if len(stages) == 2 and len(set(stages)) == 1:
            return f"Both legs failed at {stages[0]}."
        told = [f"{_DOING[leg.leg]} failed at {stage}." for leg, stage in zip(self.failed, stages, strict=True)]
        told += [f"{_DOING[leg.leg]} is good." for leg in report.legs if leg.failure is None]
        return " ".join(told)
