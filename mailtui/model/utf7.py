"""Modified UTF-7 (RFC 3501 section 5.1.3): names of mailboxes as IMAP and Maildir++ write them."""

import binascii

_AMPERSAND = "&-"


def encode(text: str) -> str:
    """`text` in ASCII, within which `&` begins what is not printable ASCII.

    Lone surrogates pass, so that every text has a form of its own, and `decode` gives it back.
    """
    if text.isascii() and text.isprintable() and "&" not in text:
        return text
    parts: list[str] = []
    hidden = ""
    for character in text:
        if not " " <= character <= "~":
            hidden += character
            continue
        parts += (_shift(hidden), _AMPERSAND if character == "&" else character)
        hidden = ""
    return "".join((*parts, _shift(hidden)))


def decode(text: str) -> str:
    """The inverse. Raises ValueError for what is not modified UTF-7."""
    if "&" not in text:
        return text
    first, *shifted = text.split("&")
    parts = [first]
    for part in shifted:
        hidden, closed, rest = part.partition("-")
        if not closed:
            raise ValueError("a shift of modified UTF-7 has no end")
        parts += (_unshift(hidden) if hidden else "&", rest)
    return "".join(parts)


def _shift(hidden: str) -> str:
    if not hidden:
        return ""
    octets = binascii.b2a_base64(hidden.encode("utf-16-be", "surrogatepass"), newline=False)
    return f"&{octets.decode('ascii').rstrip('=').replace('/', ',')}-"


def _unshift(hidden: str) -> str:
    if not hidden.isascii() or "/" in hidden or "=" in hidden:
        raise ValueError("modified UTF-7 holds a character that it does not know")
    octets = binascii.a2b_base64(hidden.replace(",", "/") + "=" * (-len(hidden) % 4), strict_mode=True)
    return octets.decode("utf-16-be", "surrogatepass")
