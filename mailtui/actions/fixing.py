"""Apply what a diagnosis proposes: to an account, to the database, or as the TOML that a person would change."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol as Interface
from typing import TypeVar

from mailtui.model.account import (
    METHODS,
    Account,
    AuthMethod,
    Endpoint,
    Protocol,
    Retrieval,
    Security,
    Submission,
    Trust,
)
from mailtui.model.check import Leg, LegReport, legs_of
from mailtui.model.diagnosis import Fix
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.text import clean

Side = TypeVar("Side", Submission, Retrieval)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fix, and what it was made for: the account as it was checked, and the report of the leg."""

    account: Account
    leg: LegReport
    fix: Fix

    @property
    def new_pins(self) -> frozenset[str]:
        """The keys that it would trust and that were not trusted before."""
        return frozenset(self.fix.endpoint.certificate.pins) - frozenset(self.leg.endpoint.certificate.pins)

    def may_be_made(self, trusted: Collection[str]) -> bool:
        """Whether it needs no consent, or has it: all that it does is to trust keys of `trusted`."""
        if not self.fix.needs_consent:
            return True
        policy = self.fix.endpoint.certificate
        only_trusts = (self.fix.protocol, self.fix.endpoint) == (
            self.leg.protocol,
            replace(self.leg.endpoint, certificate=policy),
        )
        return only_trusts and policy.trust is Trust.PIN and bool(self.new_pins) and self.new_pins <= frozenset(trusted)


def apply_fix(account: Account, fix: Fix, leg: LegReport) -> Account:
    """`account` with `fix` made; usernames, passwords' places and all else stay.

    Raises UsageError when it does not fit the account any more: `leg` is the report that it was made for. One that
    nobody consented to never goes to another host, nor to less protection than there was.
    """
    setup = next((setup for setup in legs_of(account) if setup.leg is fix.leg), None)
    name = clean(account.name)
    if setup is None:
        raise UsageError(f"{name} has no {fix.leg.value} leg any more; check it again")
    if (leg.protocol, leg.endpoint) != (setup.protocol, setup.endpoint) or fix.endpoint.host != setup.endpoint.host:
        raise UsageError(f"the {fix.leg.value} server of {name} has changed since it was checked; check it again")
    if not fix.needs_consent and _is_weaker(fix.endpoint, setup.endpoint):
        raise UsageError(f"the change of the {fix.leg.value} server of {name} would protect less; make it by hand")
    if fix.leg is Leg.OUTBOUND:
        return replace(account, submission=_changed(account.submission, fix, Protocol.SMTP))
    assert account.retrieval is not None  # or it would have no such leg
    retrieval = replace(account.retrieval, protocol=fix.protocol)
    if fix.protocol is Protocol.POP3:
        # It has no other.
        retrieval = replace(retrieval, mailboxes=("INBOX",))
    return replace(account, retrieval=_changed(retrieval, fix, fix.protocol))


def _changed(side: Side, fix: Fix, protocol: Protocol) -> Side:
    method = side.method if side.method in METHODS[protocol] else AuthMethod.AUTOMATIC
    return replace(side, endpoint=fix.endpoint, method=method)


def _is_weaker(proposed: Endpoint, present: Endpoint) -> bool:
    return (
        (proposed.security is Security.NONE and present.security is not Security.NONE)
        or proposed.certificate != present.certificate
        or (proposed.allow_cleartext and not present.allow_cleartext)
    )


def fix_toml(account: Account, fix: Fix, leg: LegReport) -> str:
    """The lines of the account's TOML form that `fix` changes, under its name. Raises what `apply_fix` raises."""
    from mailtui.interop.toml_change import changed_toml

    return changed_toml(account, apply_fix(account, fix, leg))


class FixingStore(Interface):
    """The part of the database that fixing needs. Its call blocks; it raises MailtuiError."""

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        """Put `account` in the place of the one named `old_name`, if that has not changed since."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was stored: the accounts as they are now, and the fixes made; `problems` tell of those that were not."""

    accounts: tuple[Account, ...]
    made: tuple[Proposal, ...]
    problems: tuple[str, ...]


def store_fixes(store: FixingStore, proposals: Sequence[Proposal]) -> Fixed:
    """Make `proposals` and store the accounts, each on its own: what one meets holds up no other. Blocks."""
    accounts: list[Account] = []
    made: list[Proposal] = []
    problems: list[str] = []
    by_name: dict[str, list[Proposal]] = {}
    for proposal in proposals:
        by_name.setdefault(proposal.account.name, []).append(proposal)
    for name, own in by_name.items():
        try:
            before = own[0].account
            accounts.append(store.update(name, _with_all(before, own), before.updated))
        except MailtuiError as error:
            problems.append(str(error))
        else:
            made += own
    return Fixed(tuple(accounts), tuple(made), tuple(problems))


def _with_all(account: Account, proposals: Iterable[Proposal]) -> Account:
    for proposal in proposals:
        account = apply_fix(account, proposal.fix, proposal.leg)
    return account
