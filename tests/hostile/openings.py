"""Before anything is agreed: other services, TLS where none is expected, and logins that nobody has made."""

from collections.abc import Iterator, Sequence

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import CLEAR, STARTTLS, TLS, Scenario
from tests.protocols.dialogue import Turn, dialogue

BANNERS = {
    "http": b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
    "html": b"<!DOCTYPE html>\r\n<html>\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n",
    "ftp": b"220 (vsFTPd 3.0.3)\r\n",
    "smtp": b"220 mail.test ESMTP\r\n",
    "imap": b"* OK IMAP4rev1 ready\r\n",
    "pop3": b"+OK POP3 ready\r\n",
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46\n",
    "binary": b"\x00\xff\xfe\x1b[2J\x9b\r\n",
    "empty": b"\r\n",
}
_REFUSED = b"530 Please login with USER and PASS.\r\n"


def _banners(protocol: Protocol) -> Iterator[Scenario]:
    for service, banner in BANNERS.items():
        if service == protocol:
            continue
        turns = [Turn(Stage.GREETING, None, banner)]
        verdict = Stage.GREETING, Cause.FOREIGN_BANNER
        if protocol is Protocol.SMTP and service == "ftp":
            # Its greeting might be SMTP's; what gives it away is what it makes of EHLO.
            turns.append(Turn(Stage.CAPABILITIES, "EHLO", _REFUSED))
            verdict = Stage.CAPABILITIES, Cause.FOREIGN_BANNER
        # To a client that begins with TLS, an alert is an answer in TLS, and two octets are less than any.
        over_tls = Stage.TLS, {"tls-alert": Cause.TLS_FAILED, "empty": Cause.SILENT}.get(service, Cause.NOT_TLS)
        does = f"greets like another service ({service})"
        group = f"banner-{service}"
        yield Scenario(protocol, f"{group}-none", turns, verdict, CLEAR, does, group=group)
        yield Scenario(protocol, f"{group}-starttls", turns, verdict, STARTTLS, does, group=group)
        yield Scenario(protocol, f"{group}-tls", turns[:1], over_tls, TLS, does, shakes_hands=False, group=group)


_REFUSALS = {
    Protocol.SMTP: {"421": b"421 4.3.2 too busy\r\n", "554": b"554-No SMTP service here\r\n554 5.7.1 not for you\r\n"},
    Protocol.IMAP: {"bye": b"* BYE too many connections\r\n"},
    Protocol.POP3: {"err": b"-ERR [SYS/TEMP] come back later\r\n"},
}


def _refusals(protocol: Protocol) -> Iterator[Scenario]:
    for name, line in _REFUSALS[protocol].items():
        turns = [Turn(Stage.GREETING, None, line)]
        verdict = Stage.GREETING, Cause.NOT_AVAILABLE
        for way in (CLEAR, STARTTLS, TLS):
            yield Scenario(protocol, f"greeted-{name}-{way.security}", turns, verdict, way, group=f"greeted-{name}")


def _tls_at_once(protocol: Protocol) -> Iterator[Scenario]:
    turns = dialogue(protocol, Security.IMPLICIT_TLS)[:2]
    does = "waits for a TLS handshake where the account expects a greeting"
    for way in (CLEAR, STARTTLS):
        name = f"tls-at-once-{way.security}"
        verdict = Stage.GREETING, Cause.NOT_PLAIN
        yield Scenario(protocol, name, turns, verdict, way, does, group="tls-at-once")


_SUCCESS = {Protocol.SMTP: b"235 2.7.0 in\r\n", Protocol.IMAP: b"a1 OK in\r\n", Protocol.POP3: b"+OK in\r\n"}


def _unasked_success(protocol: Protocol) -> Iterator[Scenario]:
    for way in (CLEAR, STARTTLS, TLS):
        greeting, capabilities = dialogue(protocol, Security.NONE)[:2]
        places: Sequence[tuple[str, list[Turn], Turn, Stage]] = (
            ("greeting", [], greeting, Stage.CAPABILITIES),
            ("capabilities", [greeting], capabilities, Stage.STARTTLS if way is STARTTLS else Stage.AUTH),
        )
        for place, before, last, stage in places:
            if place == "capabilities" and way is STARTTLS:
                last = dialogue(protocol, Security.STARTTLS)[1]
            assert last.says is not None
            said = Turn(last.stage, last.hears, last.says + _SUCCESS[protocol])
            group = f"unasked-success-after-{place}"
            does = f"says `{_SUCCESS[protocol].decode().strip()}` behind its {place}, unasked"
            turns = [*before, said]
            yield Scenario(protocol, f"{group}-{way.security}", turns, (stage, Cause.BAD_REPLY), way, does, group=group)


SCENARIOS = [
    scenario
    for kind in (_refusals, _banners, _tls_at_once, _unasked_success)
    for protocol in Protocol
    for scenario in kind(protocol)
]
