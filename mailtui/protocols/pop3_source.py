"""Mail on a POP3 server."""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from mailtui.model.check import Cause
from mailtui.protocols.pop3 import Body, Event, Status
from mailtui.protocols.pop3_lists import are_numbers, bring_together
from mailtui.protocols.pop3_session import Pop3Session, is_passing, offers, refused
from mailtui.protocols.source import Intake, Listed, MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace

# Commands on their way at once, and octets that their replies have by the server's own word: enough to keep a fast
# line busy over 30 ms, and little to have sent in vain where a connection breaks.
_WINDOW = 256
_WINDOW_OCTETS = 8 << 20
_SIZE_UNKNOWN = 32 << 10

_HEADER_LIMIT = 256 << 10
_HEADER_END = re.compile(rb"(?:^|\n)\r?\n")

# As many messages as anyone has in a maildrop, in lines of 80 octets: a number, a name (RFC 1939 section 7), CRLF.
_MOST_MESSAGES = 1_000_000
_LIST_LINE = 80
# By how many a list may be longer than the count that was told.
_MISCOUNT = 10_000

Reader = Callable[[Listed, Status], Awaitable[None]]
"""Reads the reply to a command about a message, from its status on."""


class Pop3Source(Source):
    """See `Source`. A maildrop does not change within a session: STAT, UIDL and LIST are asked once."""

    def __init__(self, session: Pop3Session, trace: Trace) -> None:
        self._session = session
        self._wire = session.wire
        self._trace = trace
        self._is_asked = False
        self._state: MailboxState | None = None
        self._messages: list[Listed] | None = None
        self._deletions = 0

    async def prepare(self, trace: Trace) -> None:
        group = ("STAT", "UIDL", "LIST") if offers(trace, "PIPELINING") else ()
        await self._session.ask_capabilities(trace, *group)
        self._is_asked = bool(group)

    async def mailboxes(self, patterns: Sequence[str]) -> list[RemoteMailbox]:
        return [RemoteMailbox("INBOX", "INBOX")]

    async def status(self, mailbox: RemoteMailbox) -> MailboxState | None:
        return await self._stat()

    async def select(self, mailbox: RemoteMailbox, *, writable: bool) -> MailboxState:
        return await self._stat()

    async def _stat(self) -> MailboxState:
        if self._state is None:
            if not self._is_asked:
                self._wire.send("STAT")
            await self._session.read_stat(self._trace)
            self._state = MailboxState(self._trace.messages or 0)
        return self._state

    async def listing(self, since: int = 0) -> list[Listed]:
        if self._messages is None:
            state = await self._stat()
            if not self._is_asked and offers(self._trace, "PIPELINING"):
                self._wire.send("UIDL", "LIST")
                self._is_asked = True
            named, names = await self._lines("UIDL")
            sized, sizes = await self._lines("LIST")
            if not named.ok and not sized.ok and state.messages:
                raise refused(sized, Cause.BAD_REPLY, "the server has mail, and will not list it")
            messages = bring_together(names, sizes)
            is_named = any(message.uid for message in messages) and not are_numbers(messages)
            self.has_uids = is_named or not messages
            self._messages = messages if self.has_uids else [Listed(one.handle, "", one.octets) for one in messages]
        return list(self._messages)

    async def _lines(self, command: str) -> tuple[Status, list[bytes]]:
        if not self._is_asked:
            self._wire.send(command)
        status = await self._wire.status()
        if is_passing(status):
            # Not an answer to the question whether the server can do it.
            raise refused(status, Cause.NOT_AVAILABLE, "the server cannot list the mail right now")
        progress = self._trace.watch.progress
        progress()
        most = min((await self._stat()).messages + _MISCOUNT, _MOST_MESSAGES)
        return status, await self._wire.lines(most, _LIST_LINE * most, progress) if status.ok else []

    async def fetch(self, wanted: Sequence[Listed], intake: Intake) -> None:
        room = asyncio.Event()
        intake.on_room = room.set
        came = octets = 0

        async def has_room() -> None:
            while intake.is_full:
                room.clear()
                await room.wait()

        async def read(message: Listed, status: Status) -> None:
            nonlocal came, octets
            if not status.ok:
                self._require_lasting(status)
                self._show(f"RETR {message.handle}", status)
                intake.refused(message, status.line)
                return
            intake.begin(message)
            before = octets
            while isinstance(event := await self._take(), Body):
                octets += len(event.data)
                message.require_end(octets - before)
                intake.feed(event.data)
                await has_room()
            intake.complete()
            came += 1
            await has_room()

        try:
            await self._ask("RETR {}", wanted, read)
        finally:
            if self._wire.conversation.is_in_doubt:
                self._trace.remark("the last one has a dot alone on its line after a bare LF, where it goes on or ends")
            self._trace.remark(f"RETR: {came} of {len(wanted)} messages, {octets} octets")

    async def headers(self, wanted: Sequence[Listed]) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        refusals: list[Listed] = []

        async def read(message: Listed, status: Status) -> None:
            if not status.ok:
                self._require_lasting(status)
                refusals.append(message)
                return
            header = _Header()
            came = 0
            while isinstance(event := await self._take(), Body):
                came += len(event.data)
                message.require_end(came)
                header.feed(event.data)
            if len(header.octets) <= _HEADER_LIMIT:
                found[message.handle] = bytes(header.octets)

        await self._ask("TOP {} 0", wanted, read, _SIZE_UNKNOWN)
        if refusals:
            # TOP is optional (RFC 1939 section 7).
            await self._ask("RETR {}", tuple(refusals), read)
        self._trace.remark(f"TOP: {len(found)} of {len(wanted)} headers")
        return found

    async def delete(self, messages: Sequence[Listed]) -> str:
        refusals: list[Status] = []

        async def read(message: Listed, status: Status) -> None:
            if status.ok:
                self._deletions += 1
            else:
                self._require_lasting(status)
                self._show(f"DELE {message.handle}", status)
                refusals.append(status)

        await self._ask("DELE {}", messages, read, 0)
        self._trace.remark(f"DELE: {len(messages) - len(refusals)} of {len(messages)} messages")
        if not refusals:
            return ""
        words = self._trace.shown(refusals[0].line)
        return f"the server will not delete {len(refusals)} of {len(messages)} messages: {words}"

    async def finish(self, trace: Trace) -> None:
        await self._session.leave(trace, deletions=self._deletions)

    async def _ask(self, command: str, wanted: Sequence[Listed], read: Reader, octets: int | None = None) -> None:
        """Send `command` about each message, and read the replies, which have so many octets (None: the message's).

        As many are on their way as the server takes. The first goes alone: only then is it plain where a reply ends
        that a server without dot-stuffing sends, and the message that stopped the last session is the first of this.
        """
        waiting, asked = deque(wanted), deque[tuple[Listed, int]]()
        most, on_their_way = 1, 0
        while waiting or asked:
            group: list[str] = []
            if len(asked) <= most // 2 and on_their_way <= _WINDOW_OCTETS // 2:
                while waiting and len(asked) < most and on_their_way <= _WINDOW_OCTETS:
                    message = waiting.popleft()
                    size = octets if octets is not None else message.octets or _SIZE_UNKNOWN
                    asked.append((message, size))
                    on_their_way += size
                    group.append(command.format(message.handle))
            if group:
                self._wire.send_silently(group)
            message, size = asked[0]
            status = await self._take()
            assert isinstance(status, Status)
            await read(message, status)
            asked.popleft()
            on_their_way -= size
            most = _WINDOW if offers(self._trace, "PIPELINING") else 1

    async def _take(self) -> Event:
        event = await self._wire.take()
        self._trace.watch.progress()
        return event

    def _require_lasting(self, refusal: Status) -> None:
        if is_passing(refusal):
            raise refused(refusal, Cause.NOT_AVAILABLE, "the server gives out no more mail now")

    def _show(self, command: str, status: Status) -> None:
        self._trace.sent(command.encode())
        self._trace.received(status.line.encode())


class _Header:
    """The octets of a message up to and with its first empty line, or somewhat more than are kept."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self._is_whole = False

    def feed(self, data: bytes) -> None:
        if self._is_whole or len(self.octets) > _HEADER_LIMIT:
            return
        start = max(0, len(self.octets) - 2)
        self.octets += data
        if (end := _HEADER_END.search(self.octets, start)) is not None:
            del self.octets[end.end() :]
            self._is_whole = True
