"""The servers with a memory, through the standard library's clients: what the tests rely on is true."""

import asyncio
import imaplib
import poplib
from pathlib import Path

import pytest

from mailtui.model.account import Protocol
from tests.retrieval.letters import letters
from tests.retrieval.office import Faults, Office
from tests.retrieval.serving import serving
from tests.retrieval.world import CONVERSATIONS


def by_pop3(port: int, *, deletes: bool) -> tuple[list[bytes], list[bytes]]:
    session = poplib.POP3("127.0.0.1", port, timeout=20)
    session.user("ada")
    session.pass_("secret")
    names = session.uidl()[1]
    contents = []
    for number in range(1, session.stat()[0] + 1):
        contents.append(b"".join(line + b"\r\n" for line in session.retr(number)[1]))
        assert contents[-1].startswith(b"".join(line + b"\r\n" for line in session.top(number, 0)[1]))
        if deletes:
            session.dele(number)
    session.quit()
    return names, contents


def by_imap(port: int, *, deletes: bool) -> tuple[list[bytes], list[bytes]]:
    session = imaplib.IMAP4("127.0.0.1", port, timeout=20)
    session.login("ada", "secret")
    assert session.select("INBOX", readonly=not deletes)[0] == "OK"
    uids = session.uid("SEARCH", "ALL")[1][0].split()
    contents = []
    if uids:
        answer = session.uid("FETCH", b",".join(uids).decode(), "(FLAGS BODY.PEEK[] RFC822.SIZE)")[1]
        contents = [part[1] for part in answer if isinstance(part, tuple)]
    if deletes:
        session.uid("STORE", b",".join(uids).decode(), "+FLAGS.SILENT", "(\\Deleted)")
        assert session.uid("EXPUNGE", uids[0].decode())[0] == "OK"
    session.logout()
    return uids, contents


VISITS = {Protocol.POP3: by_pop3, Protocol.IMAP: by_imap}


@pytest.mark.parametrize("pieces", [0, 50])
@pytest.mark.parametrize("protocol", VISITS)
async def test_they_remember(protocol: Protocol, pieces: int) -> None:
    office, sent = Office(), letters(6)  # poplib knows no long lines
    office.faults = Faults(pieces=pieces)
    for content in sent:
        office.inbox.add(content)
    async with serving(CONVERSATIONS[protocol], office) as port:

        async def visit(*, deletes: bool = False) -> tuple[list[bytes], list[bytes]]:
            return await asyncio.to_thread(VISITS[protocol], port, deletes=deletes)

        names, contents = await visit()
        # poplib divides lines at bare line feeds, too.
        assert b"".join(contents).split() == b"".join(sent).split()
        assert (await visit(deletes=True))[0] == names
        removed = sent if protocol is Protocol.POP3 else sent[:1]
        assert office.inbox.removed == removed
        assert len((await visit())[0]) == len(sent) - len(removed)
        assert office.logins == 3


@pytest.mark.parametrize("protocol", VISITS)
async def test_a_cut_session_changes_nothing(protocol: Protocol, tmp_path: Path) -> None:
    office = Office()
    for content in letters(9):
        office.inbox.add(content)
    office.faults = Faults(cut=2_000)
    async with serving(CONVERSATIONS[protocol], office) as port:
        with pytest.raises((EOFError, OSError, poplib.error_proto, imaplib.IMAP4.abort)):
            await asyncio.to_thread(VISITS[protocol], port, deletes=True)
    assert office.inbox.removed == []
    assert len(office.inbox.mails) == 9
