"""Pins of public keys as people write them: one parser for files, flags and forms."""

from base64 import b64decode
from collections.abc import Iterator
from string import hexdigits

PIN_LIMIT = 10
"""Pins of one server: the key in use, its successor and a farm's; more is a list of something else."""

_DIGITS = 64
_FORMS = "64 hex digits or sha256//BASE64"
_BASE64_PREFIXES = ("sha256//", "pin-sha256=")


def canonical_pins(text: str) -> str:
    """The pins in `text` as they are stored: lower-case hex SHA-256 digests, one space between them, none twice.

    Read are hex digits in any case, with or without colons, and base64 as curl (`sha256//...=`) and RFC 7469
    (`pin-sha256="..."`) write it; pins are divided by spaces, line breaks, commas or semicolons. A run of hex digits
    that a space or line break divides counts as one pin once it has 64 of them. Raises ValueError, which names the
    first bad pin by its position, never by its text.
    """
    pins = tuple(dict.fromkeys(_pins(text)))
    if len(pins) > PIN_LIMIT:
        raise ValueError(f"holds {len(pins)} pins; the limit is {PIN_LIMIT}")
    return " ".join(pins)


def pins_as_typed(text: str) -> str:
    """`canonical_pins`, or `text` as it is where that cannot be read: the validation of the account then says why."""
    try:
        return canonical_pins(text)
    except ValueError:
        return text


def _pins(text: str) -> Iterator[str]:
    position, held = 1, ""
    for piece in (*text.replace(",", " , ").replace(";", " , ").split(), ","):
        digits = piece.replace(":", "")
        if held and not _is_hex(digits):
            raise _wrong_length(position, held)
        if piece == ",":
            continue
        if not _is_hex(digits):
            yield _from_base64(piece, position)
            position += 1
            continue
        held += digits.lower()
        if len(held) > _DIGITS:
            raise _wrong_length(position, digits)
        if len(held) == _DIGITS:
            yield held
            position, held = position + 1, ""


def _is_hex(text: str) -> bool:
    return bool(text) and all(character in hexdigits for character in text)


def _wrong_length(position: int, digits: str) -> ValueError:
    return ValueError(f"pin {position} has {len(digits)} hex digits; a pin is {_FORMS}")


def _from_base64(piece: str, position: int) -> str:
    prefix = next((prefix for prefix in _BASE64_PREFIXES if piece.lower().startswith(prefix)), None)
    if prefix is None:
        raise ValueError(f"pin {position} is no SHA-256: write {_FORMS}")
    try:
        digest = b64decode(piece[len(prefix) :].strip("\"'"), validate=True)
    except ValueError:
        raise ValueError(f"pin {position} is not base64 after {prefix}") from None
    if len(digest) != _DIGITS // 2:
        raise ValueError(f"pin {position} has {len(digest)} octets in base64; a SHA-256 has {_DIGITS // 2}")
    return digest.hex()
