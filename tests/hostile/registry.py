"""Every scenario of the battery, in the order of the document."""

from tests.hostile import (
    certificates,
    faults,
    floods,
    imap,
    logins,
    looks,
    openings,
    pop3,
    smtp,
    starttls,
    transfers,
    words,
)
from tests.hostile.scenario import Scenario
from tests.hostile.transfer import Transfer

CHAPTERS: dict[str, list[Scenario]] = {
    "Openings": openings.SCENARIOS,
    "STARTTLS": starttls.SCENARIOS,
    "Certificates and handshakes": certificates.SCENARIOS,
    "Silence, hang-ups and nonsense": faults.SCENARIOS,
    "Floods": floods.SCENARIOS,
    "Traps for a second connection": looks.SCENARIOS,
    "Words": words.SCENARIOS,
    "Logins": logins.SCENARIOS,
    "SMTP": smtp.SCENARIOS,
    "IMAP": imap.SCENARIOS,
    "POP3": pop3.SCENARIOS,
    "Retrievals": [*transfers.SCENARIOS],
}

SCENARIOS = [scenario for chapter in CHAPTERS.values() for scenario in chapter]

CHECKS = [scenario for scenario in SCENARIOS if not isinstance(scenario, Transfer)]
"""Those that a check walks into."""
