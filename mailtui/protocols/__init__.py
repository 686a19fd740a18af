"""The wire: one file per protocol, every session opened stage by stage and closed."""

from typing import TYPE_CHECKING

from mailtui.model.account import Protocol

if TYPE_CHECKING:
    from mailtui.protocols.session import Session


def session_class(protocol: Protocol) -> "type[Session]":
    """The session that speaks `protocol`; imported only now, so that a POP3 check never loads an IMAP library."""
    if protocol is Protocol.SMTP:
        from mailtui.protocols.smtp import SmtpSession

        return SmtpSession
    if protocol is Protocol.IMAP:
        from mailtui.protocols.imap_session import ImapSession

        return ImapSession
    from mailtui.protocols.pop3_session import Pop3Session

    return Pop3Session
