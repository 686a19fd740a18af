"""The demo's guest: a mailbox that no account has yet, so that a person can try to set one up."""

from collections.abc import Mapping

ADDRESS = "guest@demo.example"
PASSWORD = "welcome"  # it opens a mailbox that lives in memory on loopback, and is told to everybody
CORRESPONDENT = "ada@analytical.example"
"""A healthy account that a visitor may send mail to; its IMAP server tells of it at once."""

PORTS = {
    "smtps": 8465,
    "smtp": 8587,
    "smtp-open": 8025,
    "imaps": 8993,
    "imap": 8143,
    "pop3s": 8995,
    "pop3": 8110,
}
"""The port that each healthy server has where it is free, easy to remember and to type."""


def invitation(ports: Mapping[str, int]) -> str:
    """How to meet the servers with an account of one's own in lines of less than 80 columns, and how to mail one.

    The message bar shows the first three, the last of them with the key that shows all.
    """
    return (
        f"Try it: n makes an account. {ADDRESS}, password {PASSWORD}, localhost;\n"
        f"SSL/TLS: SMTP {ports['smtps']}, IMAP {ports['imaps']}, POP3 {ports['pop3s']}. "
        f"STARTTLS: {ports['smtp']}, {ports['imap']}, {ports['pop3']}.\n"
        f"Without a login: SMTP {ports['smtp-open']}, encryption None. Mail for Ada:\n"
        f"echo hi | curl smtp://localhost:{ports['smtp-open']} -T - \\\n"
        f"  --mail-rcpt {CORRESPONDENT}"
    )
