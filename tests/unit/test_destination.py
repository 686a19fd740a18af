"""Destinations as they are written."""

import pytest

from mailtui.model.destination import Destination, DestinationKind


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("maildir", DestinationKind.MAILDIR, ""),
        ("maildir:", DestinationKind.MAILDIR, ""),
        (" Maildir : ~/Mail ", DestinationKind.MAILDIR, "~/Mail"),
        ("maildir:/srv/mail/ada: all", DestinationKind.MAILDIR, "/srv/mail/ada: all"),
        ("lmtp:localhost:24", DestinationKind.LMTP, "localhost:24"),
        ("lmtp:[::1]:65535", DestinationKind.LMTP, "[::1]:65535"),
        ("lmtp:/run/dovecot/lmtp", DestinationKind.LMTP, "/run/dovecot/lmtp"),
        ("command:procmail -d 'a: b'", DestinationKind.COMMAND, "procmail -d 'a: b'"),
    ],
)
def test_a_destination_is_read_and_written_back(text: str, kind: DestinationKind, value: str) -> None:
    destination = Destination.parse(text)
    assert destination == Destination(kind, value)
    assert Destination.parse(str(destination)) == destination


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "or maildir alone"),
        ("/home/ada/Mail", "or maildir alone"),
        ("maildir:Mail", "a whole path"),
        ("maildir:~ada/Mail", "a whole path"),
        ("maildir:/a\0b", "control character"),
        ("lmtp", "lmtp needs a value"),
        ("lmtp:localhost", "a host and a port"),
        ("lmtp::24", "a host and a port"),
        ("lmtp:localhost:0", "a host and a port"),
        ("lmtp:localhost:65536", "a host and a port"),
        ("lmtp:localhost:²", "a host and a port"),
        (f"lmtp:localhost:{'9' * 5_000}", "a host and a port"),
        ("command:", "command needs a value"),
    ],
)
def test_what_is_no_destination_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Destination.parse(text)
