"""The three sessions, each held to the contract."""

import pytest

from mailtui.model.account import Protocol
from tests.protocols.contract import SessionContract, Speaker
from tests.protocols.honest import HonestImap, HonestPop3, HonestSmtp


class TestSmtp(SessionContract):
    @pytest.fixture
    def speaker(self) -> Speaker:
        return Speaker(
            Protocol.SMTP,
            HonestSmtp,
            grouped_round_trips=6,
            single_round_trips=8,
            groups=(("EHLO",), ("MAIL FROM:<ada@example.org>", "RSET", "QUIT")),
            single=(("EHLO",), ("MAIL FROM:<ada@example.org>",), ("RSET",), ("QUIT",)),
            login="C AUTH PLAIN ****",
            farewell="QUIT",
        )


class TestImap(SessionContract):
    @pytest.fixture
    def speaker(self) -> Speaker:
        # RFC 3501 section 5.5 lets a client send commands in groups without asking.
        group = ("CAPABILITY", "STATUS INBOX (SIZE)", "EXAMINE INBOX", "LOGOUT")
        return Speaker(
            Protocol.IMAP,
            HonestImap,
            grouped_round_trips=5,
            single_round_trips=5,
            groups=(group,),
            single=(group,),
            login="AUTHENTICATE PLAIN ****",
            farewell=" LOGOUT",
        )


class TestPop3(SessionContract):
    @pytest.fixture
    def speaker(self) -> Speaker:
        return Speaker(
            Protocol.POP3,
            HonestPop3,
            grouped_round_trips=5,
            single_round_trips=7,
            groups=(("CAPA", "STAT", "QUIT"),),
            single=(("CAPA",), ("STAT",), ("QUIT",)),
            login="C AUTH PLAIN ****",
            farewell="QUIT",
        )
