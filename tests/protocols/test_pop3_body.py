"""Where a multi-line reply ends, held against a reading line by line, in all sorts of pieces."""

import itertools
import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtui.protocols.pop3_body import BodyReader


def read(pieces: Iterable[bytes], *, is_strict: bool) -> tuple[bytes, bool, bytes]:
    """The octets of the reply, whether it is whole, and what follows it or is not decided yet."""
    reader, octets, rest = BodyReader(is_strict), b"", b""
    for piece in pieces:
        rest += piece
        if not reader.is_whole:
            more, at = reader.read(rest, 0)
            octets, rest = octets + more, rest[at:]
    return octets, reader.is_whole, rest


def by_lines(data: bytes, *, is_strict: bool) -> tuple[bytes, bool, bytes]:
    """The same, as RFC 1939 puts it: line after line."""
    octets, at = b"", 0
    for line in re.finditer(rb"[\0-\xff]*?\r\n" if is_strict else rb"[^\n]*\n", data):
        at = line.end()
        if line[0] in ((b".\r\n",) if is_strict else (b".\r\n", b".\n")):
            return octets, True, data[at:]
        octets += line[0].removeprefix(b".")
    return octets, False, data[at:]


awkward = st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"\r\n.", b"a", b"\r\n.\r\n"]), max_size=24).map(
    b"".join
)


@given(awkward, st.lists(st.integers(0, 60), max_size=8), st.booleans())
@example(b".\r\n+OK", [], True)
@example(b"\n.\r\n", [1], True)
@example(b"\r\n.\n.\r\n", [], True)
def test_it_ends_where_reading_by_lines_ends(data: bytes, cuts: list[int], is_strict: bool) -> None:
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    octets, is_whole, rest = read((data[a:b] for a, b in itertools.pairwise(places)), is_strict=is_strict)
    expected, is_expected_whole, expected_rest = by_lines(data, is_strict=is_strict)
    assert is_whole == is_expected_whole
    if is_whole:
        assert (octets, rest) == (expected, expected_rest)
    else:
        # By lines nothing is told of the last line; here only what could still become an end is held back.
        assert octets.startswith(expected) or expected.startswith(octets)
        assert len(rest) <= 4


@given(awkward, st.booleans())
def test_single_octets_are_as_good_as_all_at_once(data: bytes, is_strict: bool) -> None:
    single = (data[place : place + 1] for place in range(len(data)))
    assert read(single, is_strict=is_strict) == read([data], is_strict=is_strict)


@pytest.mark.parametrize(
    ("data", "is_dubious"),
    [
        (b"a\n.\r\n", True),
        (b"a\n.\n", True),
        (b"a\r\n.\n", True),
        (b".\n", True),
        (b"a\n.b\r\n", False),
        (b"a\r\n..\n", False),
        (b"a\n", False),
        (b"a\r\n.\r\n", False),
    ],
)
def test_what_other_servers_could_mean_as_the_end_is_noted(data: bytes, is_dubious: bool) -> None:
    reader = BodyReader(is_strict=True)
    reader.read(data, 0)
    assert reader.is_dubious is is_dubious
    lenient = BodyReader(is_strict=False)
    lenient.read(data, 0)
    assert not lenient.is_dubious
