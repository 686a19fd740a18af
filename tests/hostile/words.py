"""What servers say to people: terminal controls, other alphabets, and the password itself."""

from base64 import b64encode
from collections.abc import Iterator

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import Scenario, Verdict
from tests.protocols.dialogue import Turn, dialogue
from tests.protocols.honest import PLAIN_MESSAGE
from tests.protocols.legs import SECRET

_REFUSALS = {Protocol.SMTP: b"535 5.7.8 ", Protocol.IMAP: b"{tag} NO ", Protocol.POP3: b"-ERR "}
_SHOWN = {Protocol.SMTP: "535 5.7.8 ", Protocol.IMAP: "NO ", Protocol.POP3: "-ERR "}

HOSTILE = {
    "esc": (b"\x1b[2J\x1b]0;title\x07wrong", "\\x1b[2J\\x1b]0;title\\x07wrong"),
    "c1": ("\x9b2Jwrong\x9d0;title\x9c".encode(), "\\x9b2Jwrong\\x9d0;title\\x9c"),
    "c1-octets": (b"\x9b2Jwrong", "\\x9b2Jwrong"),
    "bidi": ("\u202egnorw\u2066\u200b".encode(), "\\u202egnorw\\u2066\\u200b"),
    "tags": ("wrong\U000e0041".encode(), "wrong\\U000e0041"),
    "not-utf8": (b"\xff\xfe wrong \xc3", "\\xff\\xfe wrong \\xc3"),
    "nul": (b"wrong\x00right", "wrong\\x00right"),
    "carriage-return": (b"wrong\rright", "wrong\\x0dright"),
}


def _refused(protocol: Protocol, said: bytes) -> list[Turn]:
    """Up to a login that is refused in the words `said`."""
    greeting, capabilities, login = dialogue(protocol, Security.NONE)[:3]
    return [greeting, capabilities, Turn(Stage.AUTH, login.hears, _REFUSALS[protocol] + said + b"\r\n")]


def _hostile(protocol: Protocol) -> Iterator[Scenario]:
    for name, (said, shown) in HOSTILE.items():
        if name == "carriage-return" and protocol is Protocol.SMTP:
            # Replies of several lines are joined by what divides words.
            shown = "wrong right"
        yield Scenario(
            protocol,
            f"refusal-with-{name}",
            _refused(protocol, said),
            (Stage.AUTH, Cause.BAD_CREDENTIALS),
            does=f"refuses the login with `{shown}`",
            reply=_SHOWN[protocol] + shown,
        )


ECHOES = {
    "plain": SECRET,
    "upper-case": SECRET.upper(),
    "quoted": SECRET.replace("\\", "\\\\").replace('"', '\\"'),
    "base64": b64encode(SECRET.encode()).decode(),
    "message": PLAIN_MESSAGE,
    "twice": SECRET * 2,
}


def _echoes(protocol: Protocol) -> Iterator[Scenario]:
    for name, words in ECHOES.items():
        turns = _refused(protocol, f"you said {words}".encode())
        refused = Stage.AUTH, Cause.BAD_CREDENTIALS
        does = "repeats the password in its refusal, plain, quoted or in base64"
        yield Scenario(protocol, f"echo-{name}", turns, refused, does=does, group="echo-in-refusal")
    for number, (at, said, verdict) in enumerate(_echoes_elsewhere(protocol), 1):
        turns = dialogue(protocol, Security.NONE)
        changed = [*turns[:at], Turn(turns[at].stage, turns[at].hears, said.encode()), *turns[at + 1 :]]
        if verdict is not None:
            changed = changed[: at + 1]
        name = f"echo-elsewhere-{number}"
        does = "knows the password already, and says it in its greeting, its offers, its answers"
        yield Scenario(protocol, name, changed, verdict, does=does, group="echo-elsewhere")


def _echoes_elsewhere(protocol: Protocol) -> Iterator[tuple[int, str, Verdict]]:
    both = f"{SECRET} {PLAIN_MESSAGE}"
    no_mechanism = Stage.AUTH, Cause.NO_MECHANISM
    match protocol:
        case Protocol.SMTP:
            yield 0, f"220 {both} ready\r\n", None
            yield 1, f"250-{both}\r\n250-X {both}\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n", None
            yield 1, f"250-mail.test\r\n250 AUTH {SECRET}\r\n", no_mechanism
            yield 2, f"235 {both}\r\n", None
            yield 4, f"550 {both}\r\n", (Stage.ENVELOPE, Cause.SENDER_REFUSED)
            yield 6, f"221 {both}\r\n", None
        case Protocol.IMAP:
            yield 0, f"* OK {both} ready\r\n", None
            yield 1, f"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN STATUS=SIZE X-{SECRET}\r\n{{tag}} OK {both}\r\n", None
            yield 1, f"* CAPABILITY LOGINDISABLED AUTH={SECRET}\r\n{{tag}} OK {both}\r\n", no_mechanism
            yield 2, f"* OK {both}\r\n{{tag}} OK {both}\r\n", None
            yield 5, f"{{tag}} NO {both}\r\n", (Stage.MAILBOX, Cause.NO_INBOX)
            yield 6, f"* BYE {both}\r\n{{tag}} OK {both}\r\n", None
        case Protocol.POP3:
            yield 0, f"+OK {both} ready\r\n", None
            yield 1, f"+OK {both}\r\nSASL PLAIN\r\nPIPELINING\r\nX {both}\r\n.\r\n", None
            yield 1, f"+OK\r\nSASL {SECRET}\r\n.\r\n", no_mechanism
            yield 2, f"+OK {both}\r\n", None
            yield 4, f"-ERR {both}\r\n", (Stage.MAILBOX, Cause.NO_INBOX)
            yield 5, f"+OK {both}\r\n", None


SCENARIOS = [scenario for kind in (_hostile, _echoes) for protocol in Protocol for scenario in kind(protocol)]
