"""Pins as people paste them, and as they are stored."""

from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import CertificatePolicy, Trust
from mailtui.model.pins import PIN_LIMIT, canonical_pins, pins_as_typed

digests = st.binary(min_size=32, max_size=32)
Writer = Callable[[bytes], str]
WRITTEN: tuple[Writer, ...] = (
    bytes.hex,
    lambda digest: digest.hex().upper(),
    lambda digest: digest.hex(":"),
    lambda digest: digest.hex(" ", -16),
    lambda digest: digest.hex(" "),
    lambda digest: f"sha256//{b64encode(digest).decode()}",
    lambda digest: f'pin-sha256="{b64encode(digest).decode()}"',
    lambda digest: f"Pin-SHA256={b64encode(digest).decode()}",
)


@given(
    st.lists(st.tuples(digests, st.sampled_from(WRITTEN)), max_size=PIN_LIMIT),
    st.sampled_from([" ", "\n", ",", ", ", "; ", ";", "\r\n", " ,\n"]),
)
def test_every_way_of_writing_them_is_read(pins: list[tuple[bytes, Writer]], separator: str) -> None:
    text = separator.join(write(digest) for digest, write in pins)
    expected = list(dict.fromkeys(digest.hex() for digest, _ in pins))
    assert canonical_pins(text).split(" ") == (expected or [""])
    assert canonical_pins(canonical_pins(text)) == canonical_pins(text)
    assert CertificatePolicy(Trust.PIN, pin=canonical_pins(text)).pins == tuple(expected)


GOOD = "ab" * 32


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("abc", "pin 1 has 3 hex digits"),
        (f"{GOOD} {'c' * 63}", "pin 2 has 63 hex digits"),
        (f"{GOOD}, {'c' * 63}, {GOOD}", "pin 2 has 63 hex digits"),
        (f"{'c' * 63} {GOOD}", "pin 1 has"),
        (f"{GOOD}{GOOD}", "pin 1 has 128 hex digits"),
        (f"{GOOD} {GOOD} hello", "pin 3 is no SHA-256"),
        (f"abc hello {GOOD}", "pin 1 has 3 hex digits"),
        ("sha1//AAAA", "pin 1 is no SHA-256"),
        ("sha256//AAAA", "pin 1 has 3 octets in base64; a SHA-256 has 32"),
        ("sha256//A*==", "pin 1 is not base64 after sha256//"),
        (f'{GOOD} pin-sha256="é"', "pin 2 is not base64 after pin-sha256="),
        ("٣" * 64, "pin 1 is no SHA-256"),
        (":", "pin 1 is no SHA-256"),
        (" ".join(f"{number:064x}" for number in range(PIN_LIMIT + 1)), f"holds {PIN_LIMIT + 1} pins; the limit is"),
    ],
)
def test_a_bad_one_is_named_by_its_position_and_not_repeated(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"^pin|^holds") as caught:
        canonical_pins(text)
    assert str(caught.value).startswith(words)
    assert "hello" not in str(caught.value)
    assert pins_as_typed(text) == text


def test_a_pin_given_twice_is_one() -> None:
    assert canonical_pins(f"{GOOD} {GOOD.upper()}") == GOOD
