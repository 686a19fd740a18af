"""Bytes into lines and replies: it makes no difference in what pieces they come, and nothing is without limit."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import Protocol
from mailtui.model.check import Cause
from mailtui.model.text import clean, clean_bytes, has_hostile
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import ImapWire
from mailtui.protocols.lines import LineBuffer, foreign_banner, foreign_protocol
from mailtui.protocols.smtp import SmtpWire
from tests.protocols.wires import Pipe, make_trace

LIMIT = 10

cuts = st.lists(st.integers(0, 400), max_size=15)


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces."""
    ends = [0, *sorted(place for place in places if place <= len(data)), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def lines_of(pieces: Iterable[bytes]) -> tuple[list[bytes], Cause | None, int]:
    """The lines, what ended them, and how much of a line is left."""
    buffer, found = LineBuffer(LIMIT), []
    try:
        for piece in pieces:
            for line in buffer.feed(piece):
                found.append(line)  # noqa: PERF402  # what came before an error must be kept
    except WireError as error:
        return found, error.cause, 0
    return found, None, len(buffer)


class TestLineBuffer:
    @given(
        st.lists(st.sampled_from([b"abc", b"\r\n", b"\n", b"\r", b"\0", b"x" * 9, b"y" * 11, b""])).map(b"".join), cuts
    )
    def test_pieces_do_not_matter(self, data: bytes, places: list[int]) -> None:
        assert lines_of(cut(data, places)) == lines_of([data])
        assert lines_of(cut(data, range(len(data)))) == lines_of([data])

    @given(st.lists(st.binary(max_size=LIMIT - 1).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))))
    def test_lines_come_back(self, lines: list[bytes]) -> None:
        assert lines_of([b"".join(line + b"\r\n" for line in lines)]) == (lines, None, 0)
        assert lines_of([b"".join(line + b"\n" for line in lines)]) == (lines, None, 0)

    @pytest.mark.parametrize("data", [b"x" * 11, b"x" * 11 + b"\n", b"fine\r\n" + b"x" * 11 + b"\nnever\n"])
    def test_a_line_over_the_limit_is_an_error_after_those_before_it(self, data: bytes) -> None:
        lines, cause, _ = lines_of([data])
        assert lines == ([b"fine"] if data.startswith(b"fine") else [])
        assert cause is Cause.TOO_LARGE


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2", "SSH"),
        (b"HTTP/1.1 400 Bad Request", "web"),
        (b"<!doctype html>", "web"),
        (b"<html>", "web"),
        (b"* OK ready", "IMAP"),
        (b"* preauth", "IMAP"),
        (b"+OK ready", "POP3"),
        (b"220 mail.test", "SMTP"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"", ""),
        (b"hello", ""),
    ],
)
def test_foreign_servers_are_known_by_their_first_line(line: bytes, words: str) -> None:
    found = foreign_protocol(line)
    assert words in found
    assert bool(found) == bool(words)
    error = foreign_banner("IMAP", line)
    assert error.cause is Cause.FOREIGN_BANNER
    assert error.hint.startswith("this is no IMAP server")


def on_a_loop(work: Callable[[], Any]) -> Any:
    """Run `work`, which makes wires, on a loop."""

    async def run() -> Any:
        return work()

    return asyncio.run(run())


SMTP_TOKENS = [b"250 ", b"250-", b"220 ", b"334 x", b"\r\n", b"\n", b"ok", b"2", b"25", b" ", b"-", b"\xff", b"250"]


def smtp_replies(pieces: Sequence[bytes]) -> tuple[list[tuple[int, str]], Cause | None]:
    """The replies that ten commands get out of `pieces`, and the fault that ended them."""

    def work() -> tuple[list[tuple[int, str]], Cause | None]:
        wire, pipe = SmtpWire(make_trace(Protocol.SMTP), paused=False), Pipe()
        wire.connection_made(pipe)
        wire._expected = 10
        for piece in pieces:
            if not pipe.is_aborted:
                wire.data_received(piece)
        fault = wire._arrivals.fault
        assert fault is None or isinstance(fault, WireError)
        return [(reply.code, reply.message) for reply in wire._replies], None if fault is None else fault.cause

    found: tuple[list[tuple[int, str]], Cause | None] = on_a_loop(work)
    return found


@given(st.lists(st.sampled_from(SMTP_TOKENS), max_size=25).map(b"".join), cuts)
def test_smtp_replies_do_not_depend_on_pieces(data: bytes, places: list[int]) -> None:
    assert smtp_replies(cut(data, places)) == smtp_replies([data])


@given(
    st.lists(
        st.tuples(st.integers(200, 599), st.lists(st.sampled_from(["a", "b c", "", "x-y"]), min_size=1)), max_size=9
    )
)
def test_smtp_replies_come_back(replies: list[tuple[int, list[str]]]) -> None:
    lines = [
        f"{code}{' ' if place == len(texts) - 1 else '-'}{text}\r\n"
        for code, texts in replies
        for place, text in enumerate(texts)
    ]
    assert smtp_replies(["".join(lines).encode()]) == ([(code, "\n".join(texts)) for code, texts in replies], None)


IMAP_TOKENS = [
    b"* ",
    b"TAG0 ",
    b"TAG1 ",
    b"OK ",
    b"NO x",
    b"+ ",
    b"{3}",
    b"{0}",
    b"abc",
    b"\r\n",
    b"\n",
    b"}",
    b"BYE",
    b"\xff",
]


def imap_replies(pieces: Sequence[bytes]) -> tuple[list[tuple[str, list[bytes]]], Cause | None]:
    """What two commands get out of `pieces`, and the fault that ended it."""

    def work() -> tuple[list[tuple[str, list[bytes]]], Cause | None]:
        wire, pipe = ImapWire(make_trace(Protocol.IMAP), paused=False), Pipe()
        wire.connection_made(pipe)
        wire.tagpre = "TAG"
        wire.data_received(b"* OK ready\r\n")
        commands = [wire.command("AUTHENTICATE", "X"), wire.command("NOOP")]
        wire.send_commands(*commands)
        for piece in pieces:
            if not pipe.is_aborted:
                wire.data_received(piece)
        fault = wire._arrivals.fault
        assert fault is None or isinstance(fault, WireError)
        answers = [(command.response.result, command.response.lines) for command in commands]
        return answers, None if fault is None else fault.cause

    found: tuple[list[tuple[str, list[bytes]]], Cause | None] = on_a_loop(work)
    return found


@given(st.lists(st.sampled_from(IMAP_TOKENS), max_size=25).map(b"".join), cuts)
def test_imap_replies_do_not_depend_on_pieces(data: bytes, places: list[int]) -> None:
    assert imap_replies(cut(data, places)) == imap_replies([data])


@given(st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=3), max_size=6))
def test_imap_literals_come_back(units: list[list[bytes]]) -> None:
    data, expected = b"", []
    for literals in units:
        data += b"* 1 X"
        expected.append(b"1 X {%d}" % len(literals[0]))
        for place, literal in enumerate(literals):
            after = b" {%d}" % len(literals[place + 1]) if place + 1 < len(literals) else b" end"
            data += (b" {%d}" % len(literal) if place == 0 else b"") + b"\r\n" + literal + after
            expected += [literal, after]
        data += b"\r\n"
    answers, fault = imap_replies([data + b"TAG0 OK done\r\n"])
    assert fault is None
    assert answers[0] == ("OK", [*expected, b"done"])


@pytest.mark.parametrize("replies", [smtp_replies, imap_replies])
@given(data=st.lists(st.binary(max_size=100), max_size=5))
def test_arbitrary_bytes_raise_nothing(replies: Callable[[Sequence[bytes]], object], data: list[bytes]) -> None:
    """Each function itself asserts that the wire keeps nothing but a WireError."""
    replies(data)


class TestClean:
    @given(st.text())
    def test_twice_is_once(self, text: str) -> None:
        assert clean(clean(text)) == clean(text)

    @given(st.text(st.characters()))
    def test_nothing_hostile_is_left(self, text: str) -> None:
        cleaned = clean(text)
        assert not has_hostile(cleaned)
        assert cleaned.isascii() is False or cleaned.isprintable()
        cleaned.encode()

    @given(st.text(), st.integers(1, 50))
    def test_it_is_never_longer_than_its_limit(self, text: str, limit: int) -> None:
        assert len(clean(text, limit)) <= limit

    @given(st.binary(), st.integers(1, 50))
    def test_bytes_of_any_kind(self, raw: bytes, limit: int) -> None:
        cleaned = clean_bytes(raw, limit)
        assert not has_hostile(cleaned)
        assert len(cleaned) <= limit

    @given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
    def test_plain_text_stays_as_it_is(self, text: str) -> None:
        assert clean(text) == text
