"""What is wrong with a leg and what to do, worked out once for each report and only for what is looked at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailtui.actions.accepting import waits_for_acceptance
from mailtui.model.account import Trust
from mailtui.model.check import Cause, LegReport
from mailtui.model.diagnosis import Diagnosis, Fix
from mailtui.model.text import clean

_KEPT = 1_024
"""Diagnoses that are kept: more than the rows of any screen."""


@dataclass(frozen=True, slots=True, eq=False)
class _Same:
    """A report that is equal to itself alone: comparing whole reports would cost more than diagnosing them."""

    leg: LegReport

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.leg is self.leg

    def __hash__(self) -> int:
        return id(self.leg)


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a key does about a leg: the action of the screens, the key, and what it does, cleaned."""

    action: str
    key: str
    words: str


def prepare() -> None:
    """Load the rules. Blocks: without it the first diagnosis does."""
    from mailtui.diagnosis.rules import remedies

    remedies()


def diagnosis_of(leg: LegReport | None, email: str) -> Diagnosis | None:
    """The diagnosis of `leg`, of the account with the address `email`; None where there is nothing to say."""
    if leg is None or (leg.failure is None and not leg.warning):
        return None
    return _diagnosis(_Same(leg), email)


@lru_cache(_KEPT)
def _diagnosis(same: _Same, email: str) -> Diagnosis | None:
    # Loaded with the first use, so that the list is on the screen sooner.
    from mailtui.diagnosis import diagnose

    return diagnose(same.leg, email)


def short_cause(leg: LegReport, email: str) -> str:
    """Why `leg` failed, in one short cleaned sentence: our own hint where no rule knows it; the warning where it did
    not fail; else empty."""
    if leg.failure is None:
        return clean(leg.warning)
    diagnosis = diagnosis_of(leg, email)
    return clean((diagnosis and diagnosis.cause) or leg.failure.hint)


def fixes_of(legs: Iterable[LegReport], email: str) -> Iterator[tuple[LegReport, Fix]]:
    """The failed ones of `legs` that mailtui can mend itself, with what it would change."""
    for leg in legs:
        diagnosis = diagnosis_of(leg, email) if leg.failure is not None else None
        if diagnosis is not None and diagnosis.change is not None:
            yield leg, diagnosis.change


def is_held(leg: LegReport) -> bool:
    """Whether the login was refused, so that it is not tried again by itself."""
    return leg.failure is not None and leg.failure.cause in (Cause.BAD_CREDENTIALS, Cause.LOGIN_HELD)


def fix_words(fix: Fix) -> str:
    """What `fix` does, cleaned, without the digits of a key: whoever is asked to trust one sees them then."""
    if fix.endpoint.certificate.trust is Trust.PIN and fix.needs_consent:
        return "trust this server's key, once you have compared it"
    return clean(fix.words)


def remedy_of(leg: LegReport, diagnosis: Diagnosis | None) -> Remedy | None:
    """The key that does something about what is wrong with a leg; None where none does."""
    if leg.failure is not None and diagnosis is not None and diagnosis.change is not None:
        return Remedy("fix", "F", f"{fix_words(diagnosis.change)}, and test again")
    if waits_for_acceptance(leg):
        return Remedy("accept", "A", "accept what changed, if it is meant, and test again")
    if leg.failure is not None and leg.failure.cause is Cause.LOGIN_HELD:
        return Remedy("insist", "I", "log in all the same, if the password is right")
    return None
