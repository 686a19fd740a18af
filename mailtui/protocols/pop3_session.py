"""A POP3 session: the conversation of `pop3` over a connection, walked stage by stage."""

import hashlib

from mailtui.model.account import AuthMethod, Security
from mailtui.model.amounts import counted
from mailtui.model.check import Cause, Stage
from mailtui.protocols import sasl
from mailtui.protocols.faults import WireError
from mailtui.protocols.pop3 import Challenge, Status
from mailtui.protocols.pop3_wire import Pop3Wire
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.session import (
    MAX_ROUNDS,
    Session,
    answer,
    first_message,
    starttls_not_offered,
    starttls_refused,
)
from mailtui.protocols.trace import StageBlock, Trace

# Capabilities are few, and each is a line of at most 512 octets (RFC 2449 section 3); more is an attack.
_CAPABILITY_LINES = 200
_CAPABILITY_OCTETS = 512 * _CAPABILITY_LINES
# RFC 2449 section 4: a command line is 255 octets, its CRLF among them.
_COMMAND_LIMIT = 253

# A drop of more octets, or messages, is beyond what is counted anywhere (RFC 8438: 63 bits).
_MOST = (1 << 63) - 1

# RFC 3206 and RFC 2449 section 8.1: these say that the server, not the login, is the trouble, and that it will pass.
_PASSING = frozenset({"SYS/TEMP", "IN-USE", "LOGIN-DELAY"})


class Pop3Session(Session):
    """One POP3 session."""

    wire: Pop3Wire

    def _make_wire(self, trace: Trace, paused: bool) -> Pop3Wire:
        self.wire = Pop3Wire(trace, paused)
        return self.wire

    async def _greet(self, trace: Trace) -> None:
        async with trace.stage(Stage.GREETING) as block:
            trace.round_trips += 1
            greeting = await self.wire.status()
            block.reply = greeting.line
            if not greeting.ok:
                raise WireError(Cause.NOT_AVAILABLE, "the server lets nobody in now", greeting.line)
            block.detail = "APOP possible" if self.wire.conversation.timestamp else ""

    async def _read_capabilities(self, trace: Trace) -> None:
        await self.ask_capabilities(trace)

    async def ask_capabilities(self, trace: Trace, *group: str) -> None:
        """CAPABILITIES; the commands of `group` go with CAPA, and their replies are still to be read."""
        async with trace.stage(Stage.CAPABILITIES) as block:
            self.wire.send("CAPA", *group)
            status = await self.wire.status()
            block.reply = status.line
            # CAPA is optional (RFC 2449): a server that refuses it speaks plain RFC 1939.
            lines = await self.wire.lines(_CAPABILITY_LINES, _CAPABILITY_OCTETS) if status.ok else []
            capabilities = (line.decode("utf-8", "backslashreplace").strip() for line in lines)
            trace.capabilities = tuple(capability for capability in capabilities if capability)
            block.detail = ", ".join(trace.capabilities) or "none: the server knows no CAPA"

    async def _request_tls(self, trace: Trace, block: StageBlock) -> None:
        if trace.capabilities and not offers(trace, "STLS"):
            raise starttls_not_offered()
        self.wire.send("STLS")
        status = await self.wire.status()
        block.reply = status.line
        if not status.ok:
            raise starttls_refused(status.line)

    def _offered_logins(self, trace: Trace) -> tuple[str, ...]:
        offered = []
        for line in trace.capabilities:
            keyword, *mechanisms = line.upper().split()
            if keyword == "SASL":
                offered += mechanisms
        is_in_clear = trace.endpoint.security is Security.NONE
        if is_in_clear and not offered and offers(trace, "STLS") and not offers(trace, "USER"):
            # RFC 2595 section 2.2: a server that wants TLS first leaves USER out.
            raise WireError(Cause.LOGIN_DISABLED, "the server allows no login before STARTTLS, which it offers")
        # Without CAPA, or without USER in it, the RFC 1939 commands are still the ones that may work.
        if offers(trace, "USER") or not offered:
            offered.append(sasl.USER_PASS)
        if self.wire.conversation.timestamp and self._is_timestamp_good(trace):
            offered.append(sasl.APOP)
        return tuple(dict.fromkeys(offered))

    def _is_timestamp_good(self, trace: Trace) -> bool:
        """Behind STLS the timestamp has come in clear, from whoever it was: only who asks for APOP gets it so."""
        is_from_clear = trace.endpoint.security is Security.STARTTLS
        return not is_from_clear or (self.credentials is not None and self.credentials.method is AuthMethod.APOP)

    async def _authenticate(self, trace: Trace, block: StageBlock, way: str, credentials: Credentials) -> None:
        sasl.require_plain_line(credentials)
        if way == sasl.USER_PASS:
            status = await self._user_pass(credentials)
        elif way == sasl.APOP:
            digest = hashlib.md5(
                (self.wire.conversation.timestamp + credentials.secret).encode(), usedforsecurity=False
            ).hexdigest()
            trace.masker.hide(digest)
            self.wire.send(f"APOP {credentials.username} {digest}", shown=f"APOP {credentials.username} ****")
            status = await self.wire.status()
        else:
            status = await self._sasl(trace, way, credentials)
        block.reply = status.line
        if not status.ok:
            raise _refused_login(status, credentials.username)

    async def _user_pass(self, credentials: Credentials) -> Status:
        self.wire.send(f"USER {credentials.username}")
        status = await self.wire.status()
        if status.ok:
            self.wire.send(f"PASS {credentials.secret}", shown="PASS ****")
            status = await self.wire.status()
        return status

    async def _sasl(self, trace: Trace, way: str, credentials: Credentials) -> Status:
        exchange = sasl.exchange(way, credentials)
        command, initial = first_message(exchange, f"AUTH {way}", _COMMAND_LIMIT)
        is_secret = exchange.initial is not None and initial is None
        self.wire.send(command, shown=f"AUTH {way} ****" if is_secret else "")
        for _ in range(MAX_ROUNDS):
            event = await self.wire.next_event()
            if isinstance(event, Status):
                if event.ok and not exchange.is_complete:
                    raise WireError(
                        Cause.BAD_REPLY, "the login is said to have succeeded before it was made", event.line
                    )
                return event
            if not isinstance(event, Challenge):
                raise WireError(Cause.BAD_REPLY, "the server sends lines in the middle of a login")
            self.wire.respond(initial or await answer(trace, exchange, event.data))
            initial = None
        raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking")

    async def probe(self, trace: Trace, email: str) -> None:
        """CAPA again, STAT and QUIT, in one group where the server takes groups (RFC 2449 section 6.6)."""
        is_grouped = offers(trace, "PIPELINING")
        await self.ask_capabilities(trace, *(("STAT", "QUIT") if is_grouped else ()))
        async with trace.stage(Stage.MAILBOX) as block:
            if not is_grouped:
                self.wire.send("STAT")
            block.reply = await self.read_stat(trace)
            block.detail = f"{trace.messages} messages, {trace.octets} octets"
        await self.leave(trace, is_said=is_grouped)

    async def read_stat(self, trace: Trace) -> str:
        """Read the reply to STAT into the trace. Raises WireError where the mailbox cannot be opened."""
        status = await self.wire.status()
        if not status.ok:
            raise refused(status, Cause.NO_INBOX, "the login is good, but the mailbox cannot be opened")
        count, _, size = status.text.partition(" ")
        size = size.partition(" ")[0]
        if not (count.isascii() and count.isdigit() and size.isascii() and size.isdigit()):
            raise WireError(Cause.BAD_REPLY, "the server's STAT makes no sense", status.line)
        if max(len(count), len(size)) > 19 or max(int(count), int(size)) > _MOST:
            raise WireError(Cause.BAD_REPLY, "the server's STAT is beyond all measure", status.line)
        trace.messages, trace.octets = int(count), int(size)
        return status.line

    async def leave(self, trace: Trace, *, deletions: int = 0, is_said: bool = False) -> None:
        """QUIT, unless it `is_said` already; by it the server deletes the messages that it was told to."""
        async with trace.stage(Stage.QUIT) as block:
            try:
                if not is_said:
                    self.wire.send("QUIT")
                status = await self.wire.verdict("QUIT")
            except (WireError, OSError) as error:
                if deletions:
                    raise WireError(Cause.CLOSED, f"{_undeleted(deletions)}: the connection was lost") from error
                # Nothing was marked for deletion, so nothing is lost when a server hangs up at once.
                block.detail = "the server closed the connection without a word"
                return
            block.reply = status.line
            if deletions and not status.ok:
                raise WireError(Cause.NOT_AVAILABLE, f"{_undeleted(deletions)}: it refuses to", status.line)


def _undeleted(deletions: int) -> str:
    return f"the server has not confirmed that it has deleted {counted(deletions, 'message')}"


def offers(trace: Trace, keyword: str) -> bool:
    """Whether the server announced `keyword` in its CAPA."""
    return any(line.upper().split(" ", 1)[0] == keyword for line in trace.capabilities)


def _refused_login(status: Status, username: str) -> WireError:
    if status.code == "SYS/PERM":
        return WireError(Cause.NOT_AVAILABLE, f"the server does not serve {username}", status.line)
    if is_passing(status):
        return WireError(Cause.NOT_AVAILABLE, "the server cannot let anyone log in right now", status.line)
    return WireError(Cause.BAD_CREDENTIALS, f"the server refuses the login of {username}", status.line)


def refused(status: Status, cause: Cause, hint: str) -> WireError:
    """The error for a command that was refused: `cause`, unless the server says that it will pass."""
    return WireError(Cause.NOT_AVAILABLE if is_passing(status) else cause, hint, status.line)


def is_passing(status: Status) -> bool:
    """Whether a refusal is the server's own trouble, and not that of what it was asked for."""
    return not status.ok and status.code in _PASSING
