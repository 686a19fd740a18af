"""Names of mailboxes, as servers write them."""

import pytest

from mailtui.protocols.imap_names import listed_mailbox, quoted, to_name, to_wire
from mailtui.protocols.source import RemoteMailbox


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", "INBOX"),
        ("inbox", "INBOX"),
        ("Inbox/Entwürfe", "Inbox/Entw&APw-rfe"),
        ("R&D", "R&-D"),
        ("台北", "&U,BTFw-"),
        ("Lists/%", "Lists/%"),
    ],
)
def test_names_go_out_in_modified_utf_7(name: str, wire: str) -> None:
    assert to_wire(name) == wire
    assert to_wire(to_name(wire)) == wire


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("iNbOx", "INBOX"),
        ("Entwürfe", "Entwürfe"),
        ("caf\udce9", "caf\\xe9"),
        # These are no modified UTF-7, or stand for no text that can be stored.
        ("a&b", "a&b"),
        ("&AAAA-", "&AAAA-"),
        ("&2AA-", "&2AA-"),
        ("&AAA-", "\0"),
    ],
)
def test_names_come_in_whatever_they_are(wire: str, name: str) -> None:
    assert to_name(wire) == name
    to_name(wire).encode()


@pytest.mark.parametrize(
    ("parts", "mailbox", "can_open"),
    [
        ([rb'* LIST (\HasNoChildren) "." INBOX'], RemoteMailbox("INBOX", "INBOX", "."), True),
        ([rb'* list () "/" "a \"b\" \\c"'], RemoteMailbox(r'a "b" \c', r'a "b" \c', "/"), True),
        ([rb'* LIST () "\\" "a\\b"'], RemoteMailbox("a\\b", "a\\b", "\\"), True),
        ([rb"* LIST () NIL Plain"], RemoteMailbox("Plain", "Plain", ""), True),
        ([rb'* LIST (\Noselect \HasChildren) "/" Up'], RemoteMailbox("Up", "Up", "/"), False),
        ([rb'* LIST (\nonexistent) "/" Gone'], RemoteMailbox("Gone", "Gone", "/"), False),
        ([b'* LIST () "/" {4}', b'a"b)', b""], RemoteMailbox('a"b)', 'a"b)', "/"), True),
        ([b'* LIST () "/" Entw&APw-rfe'], RemoteMailbox("Entwürfe", "Entw&APw-rfe", "/"), True),
        ([b'* LIST () "/" "caf\xe9"'], RemoteMailbox("caf\\xe9", "caf\udce9", "/"), True),
        # RFC 5258 adds fields at the end.
        ([b'* LIST () "/" Box (CHILDINFO ("SUBSCRIBED"))'], RemoteMailbox("Box", "Box", "/"), True),
    ],
)
def test_what_is_listed(parts: list[bytes], mailbox: RemoteMailbox, can_open: bool) -> None:
    assert listed_mailbox(parts) == (mailbox, can_open)


@pytest.mark.parametrize(
    "parts",
    [
        [b"* 3 EXISTS"],
        [b"* LIST"],
        [b"* LIST () NIL"],
        [b'* LIST () "/" ""'],
        [b'* LIST () "/" {4}', b"a\r\nb", b""],
        [b'* LIST () "/" {3}', b"a\0b", b""],
        [b'* LIST () "/" {3}'],
    ],
)
def test_what_is_no_mailbox(parts: list[bytes]) -> None:
    assert listed_mailbox(parts) is None


def test_quotes_cannot_be_left() -> None:
    assert quoted('a" b\\') == '"a\\" b\\\\"'
