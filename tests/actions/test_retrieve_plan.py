"""Digests of headers, and UIDs that mean what they meant."""

import pytest

from mailtui.actions.retrieval_plan import HEADER_LIMIT, header_digest, is_renamed, next_uid
from mailtui.actions.storing import info_of
from mailtui.model.check import utc_now
from mailtui.protocols.source import Listed, MailboxState
from mailtui.storage.ledger import Entry, Kept, MailboxRow


@pytest.mark.parametrize(
    ("message", "header"),
    [
        (b"A: b\r\n\r\nbody", b"A: b\r\n\r\n"),
        (b"A: b\n\nbody\r\n\r\n", b"A: b\n\n"),
        (b"A: b\n\r\nbody\n\n", b"A: b\n\r\n"),
        (b"A: b\r\n", b"A: b\r\n\r\n"),
        (b"A: b", b"A: b\r\n"),
        (b"\r\nA: b\r\n\r\n", b"\r\n"),
        (b"", b""),
    ],
)
def test_a_header_has_one_digest_however_it_is_asked_for(message: bytes, header: bytes) -> None:
    assert header_digest(message) == header_digest(header)
    assert len(header_digest(message)) == 16


@pytest.mark.parametrize("other", [b"A: c\r\n\r\nbody", b"A: b\r\nC: d\r\n\r\nbody", b"A: b \r\n\r\n", b"\r\nA: b\r\n"])
def test_other_headers_have_others(other: bytes) -> None:
    assert header_digest(other) != header_digest(b"A: b\r\n\r\nbody")


def test_a_header_without_end_has_none() -> None:
    assert header_digest(b"A: " + b"x" * HEADER_LIMIT) == b""


def _kept(uid: str, *, is_gone: bool = False) -> Kept:
    return Kept(1, Entry(uid, 1, b"", b""), utc_now(), is_gone)


@pytest.mark.parametrize(
    ("row", "state", "rows", "renamed"),
    [
        (MailboxRow(1), MailboxState(3, 7, 4), [], False),
        (MailboxRow(1, 7, 4), MailboxState(3, 7, 4), [_kept("3")], False),
        (MailboxRow(1, 7, 4), MailboxState(3, 8, 4), [_kept("3")], True),
        (MailboxRow(1, None, None), MailboxState(3, 8, 4), [_kept("3")], True),
        (MailboxRow(1, 7, 4), MailboxState(3, None, None), [_kept("3")], True),
        (MailboxRow(1, 7, 4), MailboxState(1, 7, 3), [_kept("1")], True),
        (MailboxRow(1, 7, 2), MailboxState(3, 7, 3), [_kept("3")], True),
        (MailboxRow(1, 7, 2), MailboxState(3, 7, 3), [_kept("3", is_gone=True)], False),
        (MailboxRow(1), MailboxState(3), [_kept("some-name")], False),
    ],
)
def test_renamed(row: MailboxRow, state: MailboxState, rows: list[Kept], *, renamed: bool) -> None:
    assert is_renamed(row, state, rows) is renamed


def test_the_next_uid_is_the_first_that_is_not_stored() -> None:
    state = MailboxState(9, 1, 10)
    assert next_uid(state, []) == 10
    assert next_uid(state, [Listed(7, "7"), Listed(4, "4")]) == 4
    assert next_uid(MailboxState(9), [Listed(7, "7")]) is None


@pytest.mark.parametrize(
    ("flags", "info"),
    [((), ""), (("\\Recent", "$Junk"), ""), (("\\seen",), ":2,S"), (("\\Seen", "\\Draft", "\\Seen"), ":2,DS")],
)
def test_flags(flags: tuple[str, ...], info: str) -> None:
    assert info_of(flags) == info
