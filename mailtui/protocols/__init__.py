"""The wire: one file per protocol, every session opened stage by stage and closed."""

from typing import TYPE_CHECKING

from mailtui.model.account import Protocol

if TYPE_CHECKING:
    from mailtui.protocols.session import Session
    from mailtui.protocols.source import Source
    from mailtui.protocols.trace import Trace


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


def source_of(session: "Session", trace: "Trace") -> "Source":
    """The mail behind an open `session` of IMAP or POP3."""
    if trace.protocol is Protocol.IMAP:
        from mailtui.protocols.imap_session import ImapSession
        from mailtui.protocols.imap_source import ImapSource

        assert isinstance(session, ImapSession)
        return ImapSource(session, trace)
    from mailtui.protocols.pop3_session import Pop3Session
    from mailtui.protocols.pop3_source import Pop3Source

    assert isinstance(session, Pop3Session)
    return Pop3Source(session, trace)
