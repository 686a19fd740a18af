"""The masker against every way that a secret can stand in a text."""

import re
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailtui.protocols.masking import MASK, Masker

secrets = st.text(st.characters(codec="utf-8"), min_size=4, max_size=40).filter(
    lambda secret: MASK not in secret and secret not in MASK
)
others = st.text(max_size=20)


@given(secrets, others, others)
def test_the_secret_itself(secret: str, before: str, after: str) -> None:
    assert secret not in Masker((secret,))(before + secret + after).replace(MASK, "")


@given(secrets, st.binary(max_size=10), st.binary(max_size=10))
def test_in_base64_at_every_alignment(secret: str, before: bytes, after: bytes) -> None:
    encoded = b64encode(before + secret.encode() + after).decode()
    masked = Masker((secret,))(encoded)
    # The characters that hold bits of the secret and of nothing else.
    first, last = -(-8 * len(before) // 6), 8 * (len(before) + len(secret.encode())) // 6
    core = encoded[first:last]
    assume(len(core) >= 4)
    assert core not in masked
    assert MASK in masked


@given(secrets, others, others)
def test_as_a_quoted_string(secret: str, before: str, after: str) -> None:
    quoted = '"' + secret.replace("\\", "\\\\").replace('"', '\\"') + '"'
    masked = Masker((secret,))(before + quoted + after)
    assert quoted not in masked
    assert MASK in masked


@given(secrets, st.text(max_size=40))
def test_a_text_without_the_secret_stays_as_it_is(secret: str, text: str) -> None:
    masker = Masker((secret,))
    masked = masker(text)
    assert MASK in masked or masked == text


@given(st.lists(secrets, min_size=2, max_size=4), others)
def test_of_several_secrets_none_is_left(several: list[str], between: str) -> None:
    masker = Masker(())
    for secret in several:
        masker.hide(secret)
    masked = masker(between.join(several))
    assert [secret for secret in several if secret in masked.replace(MASK, "")] == []


def test_one_secret_within_another_leaves_no_half() -> None:
    assert Masker(("pass", "password"))("my password, my pass") == f"my {MASK}, my {MASK}"


def test_no_secret_masks_nothing() -> None:
    assert Masker(("",))("as it is") == "as it is"


def test_short_secrets_do_not_eat_ordinary_words_in_base64() -> None:
    """Two bytes in base64 are two or three characters: they would be found everywhere."""
    assert Masker(("ab",))("YWJj and words") == "YWJj and words"


def test_an_echo_in_another_encoding() -> None:
    secret = "pässwörd"
    echoed = secret.encode("iso-8859-1").decode("utf-8", "backslashreplace")
    assert echoed != secret
    assert Masker((secret,))(f"no such password: {echoed}") == f"no such password: {MASK}"


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    """In the middle of words it would be told by the letters that are missing."""
    assert Masker(("x",))("the password x of example.org") == f"the password {MASK} of example.org"
    assert Masker(("abc",))("abc? (abc) abcd") == f"{MASK}? ({MASK}) abcd"


SECRET = "correct Horse/battery+9"
ENCODED = b64encode(SECRET.encode()).decode()


@pytest.mark.parametrize(
    "echo",
    [
        SECRET.upper(),
        " ".join(SECRET),
        "correct Horse/\n  battery+9",
        ENCODED[:12] + "\n" + ENCODED[12:],
        ENCODED.swapcase(),
        b64encode(ENCODED.encode()).decode(),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        "".join(f"%{octet:02X}" for octet in SECRET.encode()),
        "".join(f"\\x{octet:02x}" for octet in SECRET.encode()),
        "".join(f"\\{octet:03o}" for octet in SECRET.encode()),
        "".join(f"\\u{ord(character):04x}" for character in SECRET),
        SECRET.encode().hex(" "),
    ],
)
def test_in_a_disguise(echo: str) -> None:
    masked = Masker((SECRET,))(f"535 <{echo}> is wrong")
    assert re.fullmatch(r"535 <.?.?\*\*\*\*.{0,4}> is wrong", masked), masked


def test_divided_between_lines_it_is_masked_in_each_of_them_and_nothing_else_is() -> None:
    masker = Masker((SECRET,))
    lines = ["250-first", "535-5.7.8 no correct Hor", "535-5.7.8 se/batt", "535 5.7.8 ery+9: wrong", "221 bye"]
    assert masker.across(lines) == [
        "250-first",
        "535-5.7.8 no ****",
        "535-5.7.8 ****",
        "535 5.7.8 ****: wrong",
        "221 bye",
    ]
    assert masker.across(["535-correct", "535 battery"]) == ["535-correct", "535 battery"]
    assert masker.across([]) == []


HEXADECIMAL = "".join(f"\\x{octet:02x}" for octet in SECRET.encode())
pieces = st.sampled_from([SECRET, SECRET[:7], SECRET[7:], HEXADECIMAL, "\\", "\n", "%", " ", "X"])


@given(st.lists(st.lists(pieces, max_size=4).map("".join), max_size=4), st.sampled_from([SECRET, "X"]))
@example([HEXADECIMAL + "\\", "X"], SECRET + "\\")
def test_texts_at_once_are_masked_as_they_are_one_by_one(texts: list[str], secret: str) -> None:
    masker = Masker((secret,))
    assert list(masker.each(texts)) == [masker(text) for text in texts]


def test_a_short_secret_in_base64_is_masked_where_it_stands_alone() -> None:
    encoded = b64encode(b"abc").decode()
    assert Masker(("abc",))(f"334 {encoded} {encoded}d") == f"334 {MASK} {encoded}d"


@given(st.integers(0, 200), st.integers(1, 400))
def test_of_a_text_that_is_too_long_no_half_of_a_secret_is_left(shift: int, times: int) -> None:
    for form in (SECRET, SECRET.upper(), "".join(f"\\x{octet:02x}" for octet in SECRET.encode())):
        masked = Masker((SECRET,))("x" * shift + (form + "-" * 20) * times)
        assert set(masked) <= set("x-*")
