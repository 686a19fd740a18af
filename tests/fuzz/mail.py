"""Targets that read mail, and what servers say of it: nothing comes under another name, or twice, in any chunks."""

import json
from collections.abc import Callable
from typing import Any, cast

from mailtui.model import utf7
from mailtui.model.account import Protocol
from mailtui.model.retrieval_json import retrieval_from_json, retrieval_to_json
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import ImapWire
from mailtui.protocols.imap_fetch import HEADER_LIMIT, Bodies, FetchReader, Headers, Sizes
from mailtui.protocols.imap_names import NAME_LIMIT, matcher, quoted, to_name, to_wire
from mailtui.protocols.imap_untagged import Untagged
from mailtui.protocols.lmtp import LmtpClient
from mailtui.protocols.pop3_body import BodyReader
from mailtui.protocols.pop3_lists import are_numbers, bring_together
from mailtui.protocols.source import Listed, RemoteMailbox
from mailtui.protocols.stuffing import Stuffing
from tests.fuzz.feeding import cut, in_loop
from tests.fuzz.letterbox import Letterbox, Wanted
from tests.protocols.wires import Pipe, make_trace

_WANTED = (Listed(1, "1", 9), Listed(2, "2", 9), Listed(70_000, "70000", None))


def _pieces(data: bytes) -> tuple[list[bytes], bytes]:
    """The rest after the first octet, cut as that octet says, and whole."""
    return cut(data[1:], max(data[0], 1) if data else 1), data[1:]


async def _told(chunks: list[bytes], kind: int) -> tuple[object, ...]:
    """What is made of answers to one UID FETCH for bodies, headers or sizes, or to LIST."""
    trace, pipe = make_trace(Protocol.IMAP), Pipe()
    wire = ImapWire(trace, False)
    wire.tagpre = "T"
    wire.connection_made(pipe)
    wire.data_received(b"* OK ready\r\n")
    wire.reader = untagged = Untagged()
    intake = Wanted(_WANTED)
    headers, sizes = Headers((1, 2, 70_000), _nothing), Sizes(2, 9, _nothing)
    readers: tuple[FetchReader, ...] = (Bodies(_WANTED, intake, _nothing), headers, sizes)
    names: dict[str, tuple[RemoteMailbox, bool]] = {}
    if kind < len(readers):
        untagged.fetching = readers[kind]
    else:
        untagged.list_into(names, matcher(["INBOX", "a*", "%/b%"]))
    command: Any = wire.command("UID", "FETCH", "1:2,70000", "(UID)")
    wire.send_commands(command)
    for chunk in chunks:
        if pipe.is_aborted:
            break
        wire.data_received(chunk)
    try:
        wire.eof_received()
        answer = await wire.answered(command)
        end = f"{answer.result} {answer.lines}"
    except WireError as error:
        end = f"{error.cause} {error.hint} {error.reply}"
    listed = sizes.listed(True)
    _require_honest(headers, listed, names)
    return (intake.came, intake.refusals, headers.found, listed, names, untagged.exists, untagged.has_news, end)


def _nothing() -> None:
    pass


def _require_honest(headers: Headers, listed: list[Listed], names: dict[str, tuple[RemoteMailbox, bool]]) -> None:
    assert all(len(header) <= HEADER_LIMIT and uid in (1, 2, 70_000) for uid, header in headers.found.items())
    assert all(2 <= message.handle < 1 << 32 for message in listed)
    assert all(message.octets is None or 0 <= message.octets < 1 << 63 for message in listed)
    for name, (mailbox, _) in names.items():
        assert name == mailbox.name
        assert len(mailbox.wire.encode("utf-8", "surrogateescape")) <= NAME_LIMIT
        # It is stored and shown, and said again on one line.
        name.encode()
        assert not set("\r\n\0") & set(quoted(mailbox.wire))
        assert (
            name == "INBOX"
            or name[:1] in "aA"
            or name.partition(mailbox.delimiter or "/")[2][:1] in "bB"
            or "/b" in name.lower()
        )


def _answers(kind: int) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        """Any octets as the answer to a command."""
        chunks, whole = _pieces(data)
        assert in_loop(_told(chunks, kind)) == in_loop(_told([whole], kind))

    return run


bodies, headers, sizes, mailboxes = (_answers(kind) for kind in range(4))


def names(data: bytes) -> None:
    """Any text as the name of a mailbox, and as modified UTF-7."""
    text = data.decode("utf-8", "replace")
    written = utf7.encode(text)
    assert utf7.decode(written) == text
    assert written.isascii()
    assert to_name(to_wire(text)) == ("INBOX" if text.upper() == "INBOX" else text)
    wire = data.decode("utf-8", "surrogateescape")
    to_name(wire).encode()
    try:
        read = utf7.decode(text)
    except ValueError:
        return
    assert utf7.decode(utf7.encode(read)) == read


def pop3_body(data: bytes) -> None:
    """Any octets as a message in POP3: the first octet's last bit says whether LF alone ends a line."""
    chunks, whole = _pieces(data)
    is_strict = not (data and data[0] & 1)
    read = _read_body(chunks, is_strict)
    assert read == _read_body([whole], is_strict)
    if is_strict:
        assert read == _read_lines(whole)


def _read_body(chunks: list[bytes], is_strict: bool) -> tuple[bytes, bytes] | None:
    """The message, and what comes after it; None where it has no end."""
    reader, octets, rest = BodyReader(is_strict), b"", b""
    for chunk in chunks:
        rest += chunk
        if not reader.is_whole:
            more, at = reader.read(rest, 0)
            octets, rest = octets + more, rest[at:]
    return (octets, rest) if reader.is_whole else None


def _read_lines(data: bytes) -> tuple[bytes, bytes] | None:
    """The same, as RFC 1939 section 3 has it: line by line."""
    octets = b""
    while (end := data.find(b"\r\n") + 2) > 1:
        line, data = data[:end], data[end:]
        if line == b".\r\n":
            return octets, data
        octets += line.removeprefix(b".")
    return None


def pop3_lists(data: bytes) -> None:
    """Any octets as UIDL and, from the first NUL on, LIST."""
    said, _, sized = data.partition(b"\0")
    try:
        messages = bring_together(said.split(b"\n"), sized.split(b"\n"))
    except WireError:
        return
    numbers = [message.handle for message in messages]
    assert numbers == sorted(set(numbers))
    assert all(number > 0 for number in numbers)
    assert all(message.octets is None or 0 <= message.octets < 10**19 for message in messages)
    assert are_numbers(messages) <= bool(messages)


def lmtp(data: bytes) -> None:
    """Any sender, to the first NUL, and any octets as replies: our lines stay lines, and a yes is the server's."""
    sender, _, replies = data.partition(b"\0")
    client = LmtpClient("127.0.0.1:24", "ada@example.org")
    box = Letterbox(replies)
    taken = in_loop(box.deliver(client, sender.decode("utf-8", "replace")))
    commands, _, letter = box.said.partition(b"DATA\r\n")
    starts = (b"LHLO ", b"MAIL FROM:<", b"RCPT TO:<ada@example.org>", b"QUIT", b"")
    assert all(line.startswith(starts) and b"\n" not in line for line in commands.split(b"\r\n"))
    if taken:
        assert letter.endswith(b"\r\n.\r\n")
        assert b"354" in replies
        assert replies.count(b"2") >= 4


def stuffing(data: bytes) -> None:
    """Any octets as a message to be handed over: it ends once, and comes out as it went in, but for its line ends."""
    chunks, whole = _pieces(data)
    said = []
    for pieces in (chunks, [whole]):
        stuffing = Stuffing()
        said.append(b"".join([*(stuffing.feed(piece) for piece in pieces), stuffing.end()]))
    assert said[0] == said[1]
    read = _read_lines(said[0])
    assert read is not None
    assert read[1] == b""
    lines = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert read[0] in (lines, lines + b"\r\n")


def retrieval(data: bytes) -> None:
    """Any JSON as a stored retrieval; what is read is written and read again."""
    try:
        parsed = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return
    try:
        read = retrieval_from_json(parsed)
    except ValueError:
        return
    written = retrieval_to_json(read)
    assert json.dumps(retrieval_to_json(retrieval_from_json(cast(object, written)))) == json.dumps(written)
