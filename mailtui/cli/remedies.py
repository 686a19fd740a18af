"""What is wrong with a leg and what to do, put into words: for the verdicts, for a list of many, and for JSON."""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING

from mailtui.cli.output import BAD, BOLD, WARN, Part, Styled
from mailtui.model.account import Account
from mailtui.model.check import Cause, CheckReport, LegReport, Severity
from mailtui.model.errors import UsageError
from mailtui.model.report_json import report_to_json
from mailtui.model.text import clean
from mailtui.model.watch import untold_changes

# What tells of a failure and mends it is imported where it is used: a check that goes well does without.
if TYPE_CHECKING:
    from mailtui.actions.fixing import Proposal
    from mailtui.model.diagnosis import Diagnosis, Fix
    from mailtui.model.retrieval import RetrievalReport


class Offer(Enum):
    """Which command may be named as the one that does it."""

    NOTHING = "nothing"
    """The accounts are in no place that a command could reach."""
    STORED = "stored"
    FILE = "file"


def diagnosis_of(leg: LegReport, email: str) -> "Diagnosis | None":
    """What is wrong with a leg of the account with the address `email`; None where nothing is."""
    if leg.severity is Severity.OK:
        return None
    from mailtui.diagnosis import diagnose

    return diagnose(leg, email)


class Remedies:
    """Says what to do about the legs of `accounts`. Which fixes are made anyway, `will_make` tells: none is offered.

    `repeat` is the command that a person gave, and may give again.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        offer: Offer = Offer.NOTHING,
        will_make: "Callable[[Proposal], bool]" = lambda proposal: False,
        *,
        repeat: str = "check",
    ) -> None:
        self._accounts = {account.name: account for account in accounts}
        self._offer = offer
        self._will_make = will_make
        self._repeat = repeat

    def now(self, accounts: Iterable[Account]) -> None:
        """Take note of how `accounts` are now, after fixes were made; no more are."""
        self._accounts |= {account.name: account for account in accounts}
        self._will_make = lambda proposal: False

    def lines(self, account: str, leg: LegReport) -> Iterator[list[Part]]:
        """What stands below the verdict of a leg: cause, fix, page, what mailtui can do itself, and what changed."""
        head = f"{account}  {leg.leg.value:<8}  "
        diagnosis = self._diagnosis(account, leg)
        if diagnosis is not None:
            for words in _told(diagnosis):
                yield [head, *words]
        for words in self._offers(account, leg, diagnosis):
            yield [head, *words]
        if changed := untold_changes(leg):
            yield [head, Styled(changed, BAD if leg.has_alarming_change else WARN)]

    def brief(self, account: str, leg: LegReport) -> str:
        """What to do about a failed leg among many, in one line, or what the server said; empty for any other leg."""
        diagnosis = self._diagnosis(account, leg) if leg.failure is not None else None
        if diagnosis is None or leg.failure is None:
            return ""
        if not diagnosis.cause:
            return f"cause unknown; the server said: {leg.failure.reply}" if leg.failure.reply else "cause unknown"
        proposal = self._to_offer(account, leg, diagnosis)
        can = ""
        if self._offer is Offer.STORED and proposal is not None and not proposal.fix.needs_consent:
            can = f" mailtui can do it (--fix): {proposal.fix.words}."
        page = f"  {diagnosis.url}" if diagnosis.url else ""
        return f"{_sentence(diagnosis.cause)} {diagnosis.fix}{can}{page}"

    def proposals(self, report: CheckReport) -> "list[Proposal]":
        """The fixes that are proposed for the legs of a report."""
        account = self._accounts[report.account]
        diagnosed = ((leg, self._diagnosis(report.account, leg)) for leg in report.legs)
        return [_proposal(account, leg, found.change) for leg, found in diagnosed if found and found.change]

    def report_json(self, report: CheckReport, *, transcript: bool = True) -> dict[str, object]:
        """A report as docs/json.md has it, each leg with its diagnosis."""
        document = report_to_json(report, transcript=transcript)
        account = self._accounts[report.account]
        for leg in report.legs:
            data = document[leg.leg.value]
            if isinstance(data, dict):
                data["diagnosis"] = diagnosis_json(account, leg)
        return document

    def retrieval_json(self, report: "RetrievalReport", *, transcript: bool = True) -> dict[str, object]:
        """A retrieval as docs/json.md has it, its leg with its diagnosis."""
        from mailtui.model.retrieval_json import retrieval_to_json

        document = retrieval_to_json(report, transcript=transcript)
        data = document["leg"]
        assert isinstance(data, dict)
        data["diagnosis"] = diagnosis_json(self._accounts[report.account], report.leg)
        return document

    def _diagnosis(self, account: str, leg: LegReport) -> "Diagnosis | None":
        return diagnosis_of(leg, self._accounts[account].email)

    def _to_offer(self, account: str, leg: LegReport, diagnosis: "Diagnosis | None") -> "Proposal | None":
        """The fix that a person may ask for; None where there is none, or it is made anyway."""
        if diagnosis is None or diagnosis.change is None:
            return None
        proposal = _proposal(self._accounts[account], leg, diagnosis.change)
        return None if self._will_make(proposal) else proposal

    def _offers(self, account: str, leg: LegReport, diagnosis: "Diagnosis | None") -> Iterator[list[Part]]:
        if self._offer is Offer.NOTHING or leg.severity is Severity.OK:
            return
        from shlex import quote

        from mailtui.actions.accepting import waits_for_acceptance

        command = "mailtui check --file FILE" if self._offer is Offer.FILE else f"mailtui check {quote(account)}"
        proposal = self._to_offer(account, leg, diagnosis)
        if proposal is not None:
            words, needs_consent = Styled(proposal.fix.words, BOLD), proposal.fix.needs_consent
            pins = sorted(proposal.new_pins)
            if self._offer is Offer.FILE or (needs_consent and not pins):
                yield ["mailtui can show the change: ", words, f": {command} --suggest"]
            elif not needs_consent:
                yield ["mailtui can do it: ", words, f": {command} --fix"]
            else:
                yield ["mailtui can, once the server's keeper has confirmed it, ", words]
                yield [f"then: {command} {' '.join(f'--trust-key {pin}' for pin in pins)}"]
        if leg.failure is not None and leg.failure.cause is Cause.LOGIN_HELD:
            again = command if self._offer is Offer.FILE else f"mailtui {self._repeat} {quote(account)}"
            yield [f"to log in nevertheless: {again} --insist"]
        elif waits_for_acceptance(leg) and self._offer is Offer.STORED:
            yield [f"once you know that the change is meant: {command} --accept-changes"]


def _told(diagnosis: "Diagnosis") -> Iterator[list[Part]]:
    if not diagnosis.cause:
        yield ["cause unknown"]
        return
    yield ["cause: ", " ".join(text for text in (_sentence(diagnosis.cause), diagnosis.explanation) if text)]
    if diagnosis.fix:
        yield ["fix: ", Styled(diagnosis.fix, BOLD)]
    if diagnosis.url:
        yield [f"see: {diagnosis.url}"]


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def diagnosis_json(account: Account, leg: LegReport) -> dict[str, object] | None:
    """The diagnosis of a leg as data; its change is null where the account is not what was checked any more."""
    found = diagnosis_of(leg, account.email)
    if found is None:
        return None
    return {
        "rule": found.rule,
        "cause": clean(found.cause),
        "explanation": clean(found.explanation),
        "fix": clean(found.fix),
        "url": clean(found.url),
        "change": found.change and change_json(_proposal(account, leg, found.change)),
    }


def _proposal(account: Account, leg: LegReport, fix: "Fix") -> "Proposal":
    from mailtui.actions.fixing import Proposal

    return Proposal(account, leg, fix)


def change_json(proposal: "Proposal") -> dict[str, object] | None:
    """A fix as data; None where it does not fit the account any more."""
    from mailtui.actions.fixing import fix_toml

    fix = proposal.fix
    try:
        toml = fix_toml(proposal.account, fix, proposal.leg)
    except UsageError:
        return None
    return {
        "protocol": fix.protocol.value,
        "host": fix.endpoint.host,
        "port": fix.endpoint.port,
        "security": fix.endpoint.security.value,
        "trust": fix.endpoint.certificate.trust.value,
        "pin": fix.endpoint.certificate.pin,
        "words": clean(fix.words),
        "needs_consent": fix.needs_consent,
        "toml": toml,
    }


def suggestion_lines(proposal: "Proposal") -> Iterator[str]:
    """A fix as TOML for a person's own file, a comment above it: parseable as a whole."""
    from mailtui.actions.fixing import fix_toml

    account, leg, fix = proposal.account, proposal.leg, proposal.fix
    yield f"# {clean(account.name)}, {leg.leg.value}: {clean(fix.words)}"
    if proposal.new_pins:
        yield "# only if the server's keeper confirms that this is its key"
    elif fix.needs_consent:
        yield "# this protects less than now"
    yield from fix_toml(account, fix, leg).splitlines()
