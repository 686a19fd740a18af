"""Each target by hypothesis: octets of every kind, and its seeds with pieces of them doubled, lost or replaced."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"+ ", b"* ", b"-", b".", b"..\r\n", b"=", b"====", b'"', b"'", b"\\", b"#"),
    *(
        b"[",
        b"]",
        b"(",
        b")",
        b"{",
        b"}",
        b"{3}\r\n",
        b"{0}\r\n",
        b"{65537}\r\n",
        b"{99999999999}\r\n",
        b",",
        b":",
        b"//",
    ),
    *(
        b"250 ",
        b"250-",
        b"334 ",
        b"535 ",
        b"+OK ",
        b"-ERR ",
        b"* BYE ",
        b"* OK ",
        b"T0 OK ",
        b"T1 NO ",
        b"[CAPABILITY ",
    ),
    *(b"AUTH=", b"SASL ", b"AUTH ", b"\xff", b"\x85", b"\x1c", b"\x1b[31m", b"99999999999999999999", b"\x16\x03\x01"),
    *(text.encode() for text in ("\u2028", "\u0663", "\u202e", "ß", "İ", "\u212a")),
    *(b"null", b"true", b"-0", b"1e999", b"NaN", b"[[", b"]]", b'"""', b"inf", b"0001-01-01T00:00:00+23:59"),
)


@st.composite
def mutants(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """One of the seeds, with up to four places deleted, doubled, or filled with something else."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 12)))
        filling = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6), st.just(data[start:end] * 2)))
        data = data[:start] + filling + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_keep_every_promise(name: str) -> None:
    for seed in (*TARGETS[name].seeds, b""):
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_octets_keep_every_promise(name: str, data: st.DataObject) -> None:
    octets = st.one_of(mutants(TARGETS[name].seeds), st.binary(max_size=300), st.text(max_size=200).map(_octets))
    TARGETS[name].run(data.draw(octets))


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


LONG = {
    "smtp": b"220 " + b"x" * 4_091 + b"\r\n" + b"250-" + b"y" * 5_000 + b"\r\n",
    "imap": b"* OK " + b"x" * 65_529 + b"\r\n* LIST {65536}\r\n" + b"y" * 65_536 + b"()\r\n" + b"z" * 70_000 + b"\r\n",
    "pop3": b"+OK\r\n" + b"x" * (1 << 20) + b"\r\n" + b"y" * 5_000 + b"\r\n",
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("choice", [0, 2, 3, 7])
def test_long_lines_and_literals_are_cut_off_at_the_same_octet_in_any_chunks(name: str, choice: int) -> None:
    TARGETS[name].run(bytes([choice]) + LONG[name])
