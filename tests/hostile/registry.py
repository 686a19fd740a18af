"""Every scenario of the battery, in the order of the document."""

from tests.hostile import certificates, faults, floods, imap, logins, looks, openings, pop3, smtp, starttls, words
from tests.hostile.scenario import Scenario

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
}

SCENARIOS = [scenario for chapter in CHAPTERS.values() for scenario in chapter]
