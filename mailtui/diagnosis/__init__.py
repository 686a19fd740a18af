"""From what a leg reported to what is wrong and what to do."""

from mailtui.model.check import LegReport
from mailtui.model.diagnosis import UNKNOWN, Diagnosis


def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
    """What is wrong with `leg` of the account with the address `email`; None where nothing is.

    Pure, and quick enough for every row of a list.
    """
    if leg.failure is None:
        return None
    return Diagnosis(UNKNOWN, "", "", "")
