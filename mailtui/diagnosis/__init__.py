"""From what a leg reported to what is wrong and what to do: the rules of remedies.toml, and no word of a server."""

from mailtui.model.check import LegReport
from mailtui.model.diagnosis import Diagnosis


def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
    """What is wrong with `leg` of the account with the address `email`; None where nothing is.

    A failure that no rule knows is UNKNOWN, without a cause. Pure; a tenth of a millisecond, and once for each process
    the time to read the rules.
    """
    if leg.failure is None and not leg.warning:
        return None
    # Imported here: most legs are well, and a check must start fast.
    from mailtui.diagnosis.matching import diagnosis_of

    return diagnosis_of(leg, email)
