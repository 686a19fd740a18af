"""An account whose mailbox is reached in another way: what is here is known by its octets."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Severity
from tests.retrieval.backends import OnDovecot
from tests.retrieval.letters import letter
from tests.retrieval.world import delivered, make_account, make_retrieval, retrieve
from tests.servers.dovecot import Dovecot


async def test_from_pop3_to_imap_and_back(dovecot: Dovecot, tmp_path: Path) -> None:
    backend = OnDovecot(Protocol.POP3, dovecot)
    sent = [letter(number) for number in range(1, 9)]
    await backend.add(*sent[:6])
    account = make_account(replace(make_retrieval(Protocol.POP3, backend.port), username=backend.user))
    assert (await retrieve(tmp_path, account, secret=backend.secret)).stored == 6
    for protocol, new, known in ((Protocol.IMAP, sent[6], 6), (Protocol.POP3, sent[7], 7)):
        await backend.add(new)
        port = dovecot.port(protocol, Security.NONE)
        moved = replace(account, retrieval=replace(make_retrieval(protocol, port), username=backend.user))
        report = await retrieve(tmp_path, moved, secret=backend.secret)
        (inbox,) = report.mailboxes
        assert (inbox.stored, inbox.recognised, report.severity) == (1, known, Severity.WARNING)
        assert f"{known} messages came from the account's server or login of before" in inbox.notes[0]
        again = await retrieve(tmp_path, moved, secret=backend.secret)
        assert (again.stored, again.mailboxes[0].recognised, again.mailboxes[0].notes) == (0, 0, ())
    assert delivered(tmp_path / "mail") == Counter(sent)
