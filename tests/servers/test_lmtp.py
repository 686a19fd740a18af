"""LMTP delivery into a real Dovecot."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions.retrieve import retrieve_many
from mailtui.diagnosis import diagnose
from mailtui.model.account import Endpoint, Protocol, Security
from mailtui.model.check import Failure, Leg, LegReport, Stage
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.retrieval import RetrievalReport
from mailtui.protocols.faults import WireError
from mailtui.protocols.lmtp import LmtpClient
from mailtui.storage.database import Database
from tests.servers.accounts import Passwords, account_on, trusting
from tests.servers.dovecot import Dovecot, password_of

LETTERS = [
    b"Subject: dots\r\n\r\n.\r\n..two\r\n.\r\n",
    b"Subject: odd octets\r\n\r\n\xff\xfe 8 bit, \x01 control\r\n",
    b"Subject: no end\r\n\r\nno line end",
    b"Subject: long\r\n\r\n" + b"0123456789abcdef" * 40 + b"\r\n" + b".line\r\n" * 700_000,
]


async def in_pieces(letter: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(letter), 50_001):
        yield letter[at : at + 50_001]


@pytest.mark.parametrize("by_socket", [True, False])
async def test_messages_arrive_as_they_were(dovecot: Dovecot, by_socket: bool) -> None:
    user = dovecot.new_user()
    place = str(dovecot.lmtp_socket) if by_socket else f"localhost:{dovecot.ports['lmtp']}"
    client = LmtpClient(place, f"{user}@example.org")
    for letter in LETTERS:
        await client.deliver("bob@example.org", len(letter), in_pieces(letter))
    await client.close()
    stored = sorted(dovecot.stored(user), key=len)
    assert len(stored) == len(LETTERS)
    for found, letter in zip(stored, sorted(LETTERS, key=len), strict=True):
        # Dovecot keeps LF, and puts headers of its own above.
        assert found.startswith(b"Return-Path: <bob@example.org>\n")
        wanted = letter.replace(b"\r\n", b"\n")
        assert found.endswith(wanted if wanted.endswith(b"\n") else wanted + b"\n")


async def test_what_was_taken_by_lmtp_is_deleted_where_it_came_from(dovecot: Dovecot, tmp_path: Path) -> None:
    here, there = dovecot.new_user(), dovecot.new_user()
    dovecot.deliver(here, *(b"Subject: %d\n\n.%d\n" % (number, number) for number in range(5)))
    port = dovecot.port(Protocol.POP3, Security.IMPLICIT_TLS)
    server = trusting("localhost", port, Security.IMPLICIT_TLS, dovecot.certificates.authority)
    account = account_on(here, server, (Protocol.POP3, server))
    assert account.retrieval is not None
    retrieval = replace(
        account.retrieval,
        leave_on_server=False,
        destination=Destination(DestinationKind.LMTP, str(dovecot.lmtp_socket)),
    )
    reports: list[RetrievalReport] = []
    with Database.open(tmp_path / "mailtui.db") as database:
        account = database.add(replace(account, email=f"{there}@example.org", retrieval=retrieval))
        for _ in range(2):
            await retrieve_many([account], Passwords({here: password_of(here)}), database, on_report=reports.append)
    assert [(report.leg.failure, report.stored, report.deleted) for report in reports] == [(None, 5, 5), (None, 0, 0)]
    assert dovecot.stored(here) == []
    assert sorted(letter.partition(b"Subject: ")[2] for letter in dovecot.stored(there)) == [
        b"%d\n\n.%d\n" % (number, number) for number in range(5)
    ]


async def test_a_recipient_that_is_not_there_is_known_by_the_diagnosis(dovecot: Dovecot) -> None:
    client = LmtpClient(str(dovecot.lmtp_socket), "nobody@example.org")
    with pytest.raises(WireError) as failed:
        await client.deliver("", 5, in_pieces(b"a\r\n"))
    assert failed.value.reply.startswith("550 5.1.1 ")
    failure = Failure(failed.value.cause, Stage.TRANSFER, failed.value.hint, failed.value.reply)
    leg = LegReport(Leg.INBOUND, Protocol.IMAP, Endpoint("mail.example.org", 993), (), 1.0, failure=failure)
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.rule == "delivery-recipient"
