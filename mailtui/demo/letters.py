"""The mail that waits in the demo's mailboxes."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

_WRITTEN = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)

_LETTERS = (
    (
        "Luigi Menabrea <luigi@torino.example>",
        "Your notes on the engine",
        "Your notes are three times as long as my paper. May I print note G first?\n",
    ),
    (
        "Monitoring <monitor@machines.example>",
        "[OK] nightly backup finished",
        "412 files, 1.3 GB, 0 errors.\n.A line that starts with a dot must arrive with its dot.\n",
    ),
    (
        "Søren Müller <soren@københavn.example>",
        "Grüße aus København – ありがとう",
        "This letter is written in UTF-8: naïve, Ελλάδα, 渡辺, 🙂.\n",
    ),
)


def letters(recipient: str) -> list[bytes]:
    """A few messages to `recipient`, oldest first, as they would arrive: RFC 5322 with CRLF line ends."""
    return [
        _letter(recipient, sender, subject, body, _WRITTEN + timedelta(hours=7 * number))
        for number, (sender, subject, body) in enumerate(_LETTERS)
    ]


def _letter(recipient: str, sender: str, subject: str, body: str, written: datetime) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = written
    message["Message-ID"] = f"<{written:%Y%m%d%H%M}.{recipient}>"
    message.set_content(body)
    return message.as_bytes()
