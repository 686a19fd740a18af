"""Mail on an IMAP server (RFC 3501, RFC 9051)."""

import asyncio
import re
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import AUTHENTICATED, SELECTED, response_code
from mailtui.protocols.imap_fetch import Bodies, FetchReader, Flow, Headers, Sizes, sets
from mailtui.protocols.imap_names import WILDCARDS, matcher, quoted, to_name, to_wire
from mailtui.protocols.imap_session import ImapSession, offers, words_of
from mailtui.protocols.imap_untagged import Untagged
from mailtui.protocols.source import Intake, Listed, MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace

# Messages asked for by one command, and octets of the set that names them: RFC 7162 section 4 advises lines of at
# most 8192 octets, older servers were built for 1000 (RFC 2683 section 3.2.1.5).
_GROUP = 1_000
_SET_OCTETS = 900
# While one is answered the next is with the server already.
_IN_FLIGHT = 2
# Responses that are no news while the server is waited for: mail that other programs delete or mark.
_MOST_WHILE_IDLE = 1_000_000
# STATUS commands in one group: their answers wait for nothing but the line.
_STATUSES = 250

_STATUS_ITEMS = re.compile(r"\(([A-Z0-9 ]*)\)\s*$", re.IGNORECASE)

# These end more than one message: what is asked for next would be refused as well (RFC 5530, RFC 9208, and what large
# providers say where an account takes too much).
_ENDING = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "THROTTLED"})


class ImapSource(Source):
    """See `Source`. Beside it, `idle` waits for new mail."""

    def __init__(self, session: ImapSession, trace: Trace) -> None:
        self._session = session
        self._trace = trace
        self._wire = session.wire
        self._untagged = self._wire.reader = Untagged()
        self._states: dict[str, MailboxState | None] = {}
        self._first: list[Any] = []
        self._doubled: frozenset[int] = frozenset()
        self._are_uids_late = False

    async def prepare(self, trace: Trace) -> None:
        introduction = self._session.introduction(trace)
        await self._session.refresh(trace)
        self._first = introduction or self._session.introduction(trace)
        self.can_idle = offers(trace, "IDLE")

    async def mailboxes(self, patterns: Sequence[str]) -> list[RemoteMailbox]:
        plain = dict.fromkeys(to_name(to_wire(name)) for name in patterns if WILDCARDS.isdisjoint(name))
        names: dict[str, tuple[RemoteMailbox, bool]] = {}
        self._untagged.list_into(names, matcher(patterns))
        lists = [self._wire.command("LIST", '""', quoted(to_wire(pattern))) for pattern in dict.fromkeys(patterns)]
        statuses = [(to_wire(name), self._status_command(to_wire(name))) for name in plain]
        self._send(*lists, *(command for _, command in statuses))
        for command in lists:
            response = await self._wire.answered(command)
            if response.result != "OK" and not all(map(WILDCARDS.isdisjoint, patterns)):
                raise WireError(Cause.BAD_REPLY, "the server does not list its mailboxes", words_of(response))
            self._trace.watch.progress()
        self._untagged.mailboxes = None
        await self._keep_states(statuses)
        delimiter = next((mailbox.delimiter for mailbox, _ in names.values() if mailbox.delimiter), "")
        # What was asked for by its name may be there unlisted.
        found = {name: RemoteMailbox(name, to_wire(name), delimiter) for name in plain}
        found.update((name, names[name][0]) for name in plain if name in names)
        others = [mailbox for mailbox, can_open in names.values() if can_open and mailbox.name not in found]
        for group in (others[start : start + _STATUSES] for start in range(0, len(others), _STATUSES)):
            statuses = [(mailbox.wire, self._status_command(mailbox.wire)) for mailbox in group]
            self._send(*(command for _, command in statuses))
            await self._keep_states(statuses)
        return [*found.values(), *others]

    async def _keep_states(self, statuses: Iterable[tuple[str, Any]]) -> None:
        for wire, command in statuses:
            self._states[wire] = await self._status_answer(command)

    async def status(self, mailbox: RemoteMailbox) -> MailboxState | None:
        if mailbox.wire not in self._states:
            command = self._status_command(mailbox.wire)
            self._send(command)
            return await self._status_answer(command)
        return self._states.pop(mailbox.wire)

    async def select(self, mailbox: RemoteMailbox, *, writable: bool) -> MailboxState:
        arguments = [quoted(mailbox.wire)]
        if self._offers("CONDSTORE", "QRESYNC"):
            arguments.append("(CONDSTORE)")
        command = self._wire.command("SELECT" if writable else "EXAMINE", *arguments)
        self._doubled = frozenset()
        self._untagged.opening()
        self._send(command)
        response = await self._wire.answered(command)
        if response.result != "OK":
            self._wire.state = AUTHENTICATED
            code, _ = response_code(_text(response.lines[-1]))
            cause = Cause.NOT_AVAILABLE if code in _ENDING else Cause.NO_INBOX
            raise WireError(cause, f"the mailbox {mailbox.name} cannot be opened", words_of(response))
        exists = self._untagged.exists
        if exists is None:
            words = words_of(response)
            raise WireError(Cause.BAD_REPLY, f"{mailbox.name} was opened without a word on what is in it", words)
        self._wire.state = SELECTED
        # What is there already is no news, though the mailbox that was open before may have had fewer.
        self._untagged.has_news = False
        codes = dict(response_code(_text(line).partition(" ")[2]) for line in response.lines[:-1])
        # RFC 3501 section 6.3.1 and RFC 4315 section 2: without these a UID is of no use in another session.
        self.has_uids = _number(codes.get("UIDVALIDITY")) is not None and "UIDNOTSTICKY" not in codes
        return _state(exists, codes)

    async def listing(self, since: int = 0) -> list[Listed]:
        if not self._untagged.exists:
            return []
        sizes = Sizes(since, self._untagged.exists, self._trace.watch.progress)
        (answer,) = await self._ask(sizes, ("FETCH", f"{max(since, 1)}:*", "(UID RFC822.SIZE)"))
        if answer.result != "OK":
            raise WireError(Cause.NOT_AVAILABLE, "the server does not list its messages", words_of(answer))
        listed = sizes.listed(self.has_uids)
        self._doubled = frozenset(
            message.handle for before, message in pairwise(listed) if before.handle == message.handle
        )
        return listed

    async def fetch(self, wanted: Sequence[Listed], intake: Intake) -> None:
        flow = Flow(self._wire.transport, intake, self._trace.watch)
        bodies = Bodies(wanted, intake, flow.came)
        bodies.are_uids_late = self._are_uids_late
        groups = deque(sets([message.handle for message in wanted], most=_GROUP, octets=_SET_OCTETS))
        sent: deque[tuple[Any, list[int], bool]] = deque()
        self._untagged.fetching = bodies
        try:
            while groups or sent:
                while groups and len(sent) < (1 if bodies.are_uids_late else _IN_FLIGHT):
                    uid_set, uids = groups.popleft()
                    if bodies.are_uids_late and len(uids) > 1:
                        groups.extendleft((str(uid), [uid]) for uid in reversed(uids))
                        continue
                    bodies.only = uids[0] if bodies.are_uids_late else 0
                    command = self._wire.command("UID", "FETCH", uid_set, "(UID FLAGS BODY.PEEK[])")
                    sent.append((command, uids, bodies.are_uids_late))
                    self._send(command)
                command, uids, is_alone = sent.popleft()
                response = await self._wire.answered(command)
                # Refusals are answers, too, and there may be thousands of them.
                flow.came()
                groups.extend(self._after(response, bodies, uids, is_alone))
        finally:
            self._untagged.fetching = None
            bodies.close()
            self._are_uids_late = bodies.are_uids_late
            flow.end()

    def _after(self, response: Any, bodies: Bodies, uids: list[int], is_alone: bool) -> list[tuple[str, list[int]]]:
        """What to ask for again once a group was answered: what did not come with others may come by itself."""
        missing = bodies.missing(uids)
        if not missing:
            return []
        words = _text(response.lines[-1])
        if response.result != "OK" and response_code(words)[0] in _ENDING:
            raise WireError(Cause.NOT_AVAILABLE, "the server gives no more mail now", words_of(response))
        if bodies.are_uids_late and not is_alone:
            return [(str(uid), [uid]) for uid in missing]
        if len(uids) == 1 or response.result == "OK":
            if response.result == "BAD":
                raise WireError(Cause.BAD_REPLY, "the server does not know how to fetch", words_of(response))
            for uid in missing:
                bodies.refuse(uid, "it is not there any more" if response.result == "OK" else words_of(response))
            return []
        return list(sets(missing, most=(len(uids) + 1) // 2, octets=_SET_OCTETS))

    async def headers(self, wanted: Sequence[Listed]) -> dict[int, bytes]:
        uids = [message.handle for message in wanted]
        headers = Headers(uids, self._trace.watch.progress)
        groups = sets(uids, most=_GROUP, octets=_SET_OCTETS)
        # One that is refused leaves its messages out, which is an answer.
        await self._ask(headers, *(("FETCH", uid_set, "(UID BODY.PEEK[HEADER])") for uid_set, _ in groups))
        return headers.found

    async def delete(self, messages: Sequence[Listed]) -> str:
        handles = {message.handle for message in messages}
        alike = len(handles & self._doubled)
        groups = [uid_set for uid_set, _ in sets([*(handles - self._doubled)], most=_GROUP, octets=_SET_OCTETS)]
        marked = await self._ask(None, *(("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)") for uids in groups))
        can_expunge = self._offers("UIDPLUS", "IMAP4REV2")
        # Only once that is answered: Dovecot handles both at once, and then finds nothing marked to expunge.
        expunged = await self._ask(None, *(("EXPUNGE", uids) for uids in groups if can_expunge))
        refused = next((answer for answer in (*marked, *expunged) if answer.result != "OK"), None)
        if refused is not None:
            words = self._trace.shown(words_of(refused))
            return f"the server does not delete all that it should: {words}"
        if alike:
            return f"{alike} messages stay on the server, which gives others the same UID"
        if groups and not can_expunge:
            return f"{len(handles)} messages are marked as deleted, and stay: the server cannot expunge single ones"
        return ""

    async def idle(self, seconds: float) -> bool:
        """Wait in the open mailbox until the server tells of new mail, or at most so long; whether it did.

        What it told of since `select`, or the last call, counts. Within a stage, as all of these; its time stands
        still meanwhile. One that is cancelled leaves the connection fit only to be closed.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        timer = loop.call_at(end, self._wire.wake)
        try:
            if not self._untagged.has_news and seconds > 0:
                command = await self._wire.start_idling()
                self._trace.watch.hold()
                most = self._untagged.heard + _MOST_WHILE_IDLE
                await self._wire.until(
                    lambda: (
                        self._untagged.has_news
                        or loop.time() >= end
                        or command._event.is_set()
                        or self._untagged.heard > most
                    )
                )
                self._trace.watch.progress()
                if self._untagged.heard > most:
                    raise WireError(Cause.TOO_LARGE, "the server tells without end, and of no new mail (IDLE)")
                if not command._event.is_set():
                    self._wire.stop_idling()
                response = await self._wire.answered(command)
                if response.result != "OK":
                    raise WireError(Cause.NOT_AVAILABLE, "the server does not wait (IDLE)", words_of(response))
        finally:
            timer.cancel()
        has_news, self._untagged.has_news = self._untagged.has_news, False
        return has_news

    async def finish(self, trace: Trace) -> None:
        await self._session.log_out(trace)

    def _offers(self, *names: str) -> bool:
        return any(offers(self._trace, name) for name in names)

    def _send(self, *commands: Any) -> None:
        self._wire.send_commands(*self._first, *commands)
        self._first = []

    async def _ask(self, responses: FetchReader | None, *asked: tuple[str, ...]) -> list[Any]:
        """The answers to UID commands, some of which are in flight at once."""
        commands = [self._wire.command("UID", *words) for words in asked]
        answers: list[Any] = []
        self._untagged.fetching = responses
        try:
            self._send_some(commands[:_IN_FLIGHT])
            for number, command in enumerate(commands, _IN_FLIGHT):
                answers.append(await self._wire.answered(command))
                self._trace.watch.progress()
                self._send_some(commands[number : number + 1])
        finally:
            self._untagged.fetching = None
        return answers

    def _send_some(self, commands: list[Any]) -> None:
        if commands:
            self._send(*commands)

    def _status_command(self, wire: str) -> Any:
        items = "MESSAGES UIDVALIDITY UIDNEXT"
        if self._offers("CONDSTORE", "QRESYNC"):
            items += " HIGHESTMODSEQ"
        return self._wire.command("STATUS", quoted(wire), f"({items})")

    async def _status_answer(self, command: Any) -> MailboxState | None:
        response = await self._wire.answered(command)
        self._trace.watch.progress()
        if response.result != "OK":
            return None
        for line in response.lines[:-1]:
            if found := _STATUS_ITEMS.search(_text(line)):
                words = found[1].upper().split()
                items = dict(zip(words[::2], words[1::2], strict=False))
                if (messages := _number(items.get("MESSAGES"), least=0)) is not None:
                    return _state(messages, items)
        return None


def _text(line: bytes) -> str:
    return bytes(line).decode("utf-8", "backslashreplace")


def _state(messages: int, said: dict[str, str]) -> MailboxState:
    names = ("UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ")
    return MailboxState(messages, *(_number(said.get(name)) for name in names))


def _number(digits: str | None, least: int = 1) -> int | None:
    """A number of RFC 3501 or RFC 7162; None for none, and for a 0 that only says so."""
    if not digits or not digits.isdecimal() or not digits.isascii() or len(digits) > 19:
        return None
    number = int(digits)
    return number if least <= number < 1 << 63 else None
