"""An IMAP session, walked stage by stage."""

import re
from typing import Any

from mailtui import __version__
from mailtui.model.account import Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols import sasl
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import AUTHENTICATED, NOT_AUTHENTICATED, SELECTED, ImapWire, response_code
from mailtui.protocols.imap_names import quoted
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.session import (
    MAX_ROUNDS,
    Session,
    answer,
    encode,
    starttls_not_offered,
    starttls_refused,
)
from mailtui.protocols.trace import StageBlock, Trace

_EXISTS = re.compile(r"([0-9]{1,10}) EXISTS", re.IGNORECASE)
_STATUS_SIZE = re.compile(r"STATUS [^(]*\((?:[^()]* )?SIZE ([0-9]{1,19})\b", re.IGNORECASE)
# RFC 3501 section 9 counts messages in 32 bits, RFC 8438 octets in 63.
_MOST_MESSAGES = (1 << 32) - 1
_MOST_OCTETS = (1 << 63) - 1

# RFC 5530: these say that the server, not the login, is the trouble.
_PASSING = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"})


class ImapSession(Session):
    """One IMAP session."""

    wire: ImapWire

    def _make_wire(self, trace: Trace, paused: bool) -> ImapWire:
        self.wire = ImapWire(trace, paused)
        # Capabilities that the server gave without being asked, until they are read.
        self._announced: tuple[str, ...] = ()
        return self.wire

    async def _greet(self, trace: Trace) -> None:
        async with trace.stage(Stage.GREETING) as block:
            trace.round_trips += 1
            greeting = _text(await self.wire.greeting())
            block.reply = greeting
            word, _, words = greeting.partition(" ")
            if word.upper() == "BYE":
                raise WireError(Cause.NOT_AVAILABLE, "the server lets nobody in now", greeting)
            if word.upper() == "PREAUTH":
                if trace.endpoint.security is Security.STARTTLS:
                    raise WireError(
                        Cause.PREAUTH_BEFORE_TLS,
                        "the server skips the login before TLS, which STARTTLS then cannot protect",
                        greeting,
                    )
                self.wire.state = AUTHENTICATED
            else:
                self.wire.state = NOT_AUTHENTICATED
            self._announce(words)

    def _announce(self, words: str) -> None:
        code, arguments = response_code(words)
        if code == "CAPABILITY":
            self._announced = tuple(arguments.split())

    async def _read_capabilities(self, trace: Trace) -> None:
        async with trace.stage(Stage.CAPABILITIES) as block:
            command = None
            if not self._announced:
                command = self.wire.command("CAPABILITY")
                self.wire.send_commands(command)
            await self._take_capabilities(trace, block, command)

    async def _take_capabilities(self, trace: Trace, block: StageBlock, command: Any) -> None:
        """Use what was announced, or else the answer to `command`."""
        if command is not None:
            response = await self.wire.answered(command)
            block.reply = words_of(response)
            self._announced = _untagged_capabilities(response.lines)
            if response.result != "OK" or not self._announced:
                raise WireError(Cause.BAD_REPLY, "the server does not list its capabilities", words_of(response))
        trace.capabilities, self._announced = self._announced, ()
        block.detail = " ".join(trace.capabilities)

    async def _request_tls(self, trace: Trace, block: StageBlock) -> None:
        if not offers(trace, "STARTTLS"):
            raise starttls_not_offered()
        command = self.wire.command("STARTTLS")
        self.wire.send_commands(command)
        response = await self.wire.answered(command)
        block.reply = words_of(response)
        if response.result != "OK":
            raise starttls_refused(words_of(response))

    async def _log_in(self, trace: Trace, credentials: Credentials) -> None:
        if self.wire.state != AUTHENTICATED:
            await super()._log_in(trace, credentials)
            return
        async with trace.stage(Stage.AUTH) as block:
            block.detail = "the server let us in without a login (PREAUTH): the password is not proven"

    def _offered_logins(self, trace: Trace) -> tuple[str, ...]:
        offered = [
            item.upper().removeprefix("AUTH=") for item in trace.capabilities if item.upper().startswith("AUTH=")
        ]
        if not offers(trace, "LOGINDISABLED"):
            offered.append(sasl.IMAP_LOGIN)
        elif not offered:
            raise WireError(
                Cause.LOGIN_DISABLED,
                "the server allows no login on this connection (LOGINDISABLED); use SSL/TLS or STARTTLS",
            )
        return tuple(dict.fromkeys(offered))

    async def _authenticate(self, trace: Trace, block: StageBlock, way: str, credentials: Credentials) -> None:
        sasl.require_plain_line(credentials)
        if way == sasl.IMAP_LOGIN:
            response = await self._login_command(credentials)
        else:
            response = await self._sasl(trace, way, credentials)
        block.reply = words_of(response)
        if response.result != "OK":
            raise _refused_login(response, credentials.username)
        self.wire.state = AUTHENTICATED
        self._announced = _untagged_capabilities(response.lines)
        self._announce(_text(response.lines[-1]))

    async def _login_command(self, credentials: Credentials) -> Any:
        if not (credentials.username.isascii() and credentials.secret.isascii()):
            # RFC 3501 section 9: a quoted string holds ASCII only; literals would double the round trips.
            raise WireError(
                Cause.NO_MECHANISM, "only AUTH=PLAIN carries characters beyond ASCII, and it is not offered"
            )
        command = self.wire.command("LOGIN", quoted(credentials.username), quoted(credentials.secret))
        self.wire.send_commands(command, shown=f"{command.tag} LOGIN {quoted(credentials.username)} ****")
        return await self.wire.answered(command)

    async def _sasl(self, trace: Trace, way: str, credentials: Credentials) -> Any:
        exchange = sasl.exchange(way, credentials)
        initial = None if exchange.initial is None else encode(exchange.initial) or b"="
        arguments = [way]
        if initial is not None and offers(trace, "SASL-IR"):
            arguments.append(initial.decode("ascii"))
            initial = None
        command = self.wire.command("AUTHENTICATE", *arguments)
        shown = f"{command.tag} AUTHENTICATE {way}" + (" ****" if len(arguments) > 1 else "")
        self.wire.send_commands(command, shown=shown)
        for _ in range(MAX_ROUNDS):
            challenge = await self.wire.challenge(command)
            if challenge is None:
                response = await self.wire.answered(command)
                if response.result == "OK" and not exchange.is_complete:
                    raise WireError(
                        Cause.BAD_REPLY,
                        "the login is said to have succeeded before it was made",
                        words_of(response),
                    )
                return response
            self.wire.respond(initial or await answer(trace, exchange, challenge))
            initial = None
        raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking")

    async def probe(self, trace: Trace, email: str) -> None:
        """Capabilities again, EXAMINE INBOX, which changes nothing, and LOGOUT, in one group."""
        asked = self._capability_command()
        introduction = self.introduction(trace)
        sizes = offers(trace, "STATUS=SIZE") or "STATUS=SIZE" in (item.upper() for item in self._announced)
        status = self.wire.command("STATUS", "INBOX", "(SIZE)") if sizes else None
        examine, logout = self.wire.command("EXAMINE", "INBOX"), self.wire.command("LOGOUT")
        async with trace.stage(Stage.CAPABILITIES) as block:
            group = (asked, *introduction, status, examine, logout)
            self.wire.send_commands(*(command for command in group if command is not None))
            await self._take_latest_capabilities(trace, block, asked)
        async with trace.stage(Stage.MAILBOX) as block:
            if status is not None:
                trace.octets = _number(_STATUS_SIZE, _MOST_OCTETS, (await self.wire.answered(status)).lines)
            response = await self.wire.answered(examine)
            block.reply = words_of(response)
            if response.result != "OK":
                raise _refused_mailbox(response)
            self.wire.state = SELECTED
            trace.messages = _number(_EXISTS, _MOST_MESSAGES, response.lines)
            if trace.messages is None:
                raise WireError(Cause.BAD_REPLY, "INBOX was opened without a word on what is in it", words_of(response))
            octets = "" if trace.octets is None else f", {trace.octets} octets"
            block.detail = f"INBOX: {trace.messages} messages{octets}"
        async with trace.stage(Stage.QUIT) as block:
            await self._take_farewell(block, logout)

    async def refresh(self, trace: Trace) -> None:
        """CAPABILITIES once more, for a login changes them."""
        asked = self._capability_command()
        async with trace.stage(Stage.CAPABILITIES) as block:
            if asked is not None:
                self.wire.send_commands(asked)
            await self._take_latest_capabilities(trace, block, asked)

    async def log_out(self, trace: Trace) -> None:
        """QUIT."""
        async with trace.stage(Stage.QUIT) as block:
            logout = self.wire.command("LOGOUT")
            self.wire.send_commands(logout)
            await self._take_farewell(block, logout)

    def introduction(self, trace: Trace) -> list[Any]:
        """The command that says who we are (RFC 2971), where it is offered; its answer is of no interest.

        126, 163 and QQ open no mailbox for a client that has not said its name.
        """
        if not (offers(trace, "ID") or "ID" in (item.upper() for item in self._announced)):
            return []
        return [self.wire.command("ID", f'("name" "mailtui" "version" "{__version__}")')]

    def _capability_command(self) -> Any | None:
        """None where the login was answered with them."""
        return None if self._announced else self.wire.command("CAPABILITY")

    async def _take_latest_capabilities(self, trace: Trace, block: StageBlock, asked: Any | None) -> None:
        await self._take_capabilities(trace, block, asked)
        if asked is None:
            block.detail = f"given with the login: {block.detail}"

    async def _take_farewell(self, block: StageBlock, logout: Any) -> None:
        try:
            block.reply = words_of(await self.wire.answered(logout))
        except (WireError, OSError):
            # Nothing is lost when a server hangs up right after its BYE.
            block.detail = "the server closed the connection without a word"


def _text(line: bytes) -> str:
    return bytes(line).decode("utf-8", "backslashreplace")


def words_of(response: Any) -> str:
    """How a command was answered, in the server's words."""
    return f"{response.result} {_text(response.lines[-1])}".strip()


def offers(trace: Trace, name: str) -> bool:
    """Whether the server has said that it knows `name`, upper case."""
    return any(item.upper() == name for item in trace.capabilities)


def _untagged_capabilities(lines: list[bytes]) -> tuple[str, ...]:
    for line in lines[:-1]:
        word, _, rest = _text(line).partition(" ")
        if word.upper() == "CAPABILITY":
            items = tuple(rest.split())
            # Capabilities are atoms (RFC 3501 section 7.2.1): with a literal among them the list is out of step.
            return () if any(item.startswith("{") for item in items) else items
    return ()


def _number(pattern: re.Pattern[str], most: int, lines: list[bytes]) -> int | None:
    for line in lines[:-1]:
        if (found := pattern.match(_text(line))) and int(found[1]) <= most:
            return int(found[1])
    return None


def _refused_login(response: Any, username: str) -> WireError:
    code, _ = response_code(_text(response.lines[-1]))
    if response.result == "BAD":
        return WireError(Cause.BAD_REPLY, "the server does not understand the login", words_of(response))
    if code in _PASSING:
        return WireError(Cause.NOT_AVAILABLE, "the server cannot let anyone log in right now", words_of(response))
    if code == "PRIVACYREQUIRED":
        return WireError(Cause.LOGIN_DISABLED, "the server allows no login without encryption", words_of(response))
    return WireError(Cause.BAD_CREDENTIALS, f"the server refuses the login of {username}", words_of(response))


def _refused_mailbox(response: Any) -> WireError:
    code, _ = response_code(_text(response.lines[-1]))
    cause = Cause.NOT_AVAILABLE if code in _PASSING else Cause.NO_INBOX
    return WireError(cause, "the login is good, but INBOX cannot be opened", words_of(response))
