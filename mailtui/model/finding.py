"""What an examination of this machine finds: one thing each, how it stands, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from mailtui.model.check import Severity


class State(StrEnum):
    """How one thing stands. The values are stable: scripts read them."""

    OK = "ok"
    NOTE = "note"
    """Not there, and not needed as things are."""
    WARNING = "warning"
    FAILED = "failed"

    @property
    def severity(self) -> Severity:
        """What it means for an exit code."""
        return {State.WARNING: Severity.WARNING, State.FAILED: Severity.FAILED}.get(self, Severity.OK)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `area` is a short stable name; `words` and `remedy` are one line each, not yet cleaned."""

    area: str
    state: State
    words: str
    remedy: str = ""


def worst(findings: list[Finding]) -> Severity:
    """The severity of the worst of them."""
    return max((finding.state.severity for finding in findings), default=Severity.OK)
