"""Make text from outside safe to show: every character is either harmless or visible as an escape."""

import re
from functools import cache

# C0, DEL and C1 steer terminals; U+2028/2029 break lines; the bidi controls reorder what is read
# (Unicode TR 36, section 2.7); zero-width and tag characters hide; lone surrogates cannot be encoded.
_HOSTILE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)

_LIMIT = 2_000


@cache
def _hostile() -> re.Pattern[str]:
    # Compiled when first needed: most text is plain, and this takes longer than all else a start imports here.
    return re.compile(_HOSTILE)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clean(text: str, limit: int = _LIMIT) -> str:
    """Return `text` on one line with control, bidi and invisible characters shown as escapes.

    Idempotent. Text longer than `limit` characters is cut and says so: a server chooses its length.
    """
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text
    shown = _hostile().sub(_escape, text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def clean_bytes(raw: bytes, limit: int = _LIMIT) -> str:
    """`clean` for bytes of unknown encoding: UTF-8 where it is, escapes where it is not."""
    return clean(raw[: 4 * limit].decode("utf-8", "backslashreplace"), limit)


def has_hostile(text: str) -> bool:
    """Whether `text` holds a character that `clean` would escape."""
    return not (text.isascii() and text.isprintable()) and _hostile().search(text) is not None


def width(text: str) -> int:
    """Terminal columns that `text` takes: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    # Imported here: most text is ASCII, and a check must start fast.
    import unicodedata

    columns = 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Mn", "Me") or unicodedata.combining(character):
            continue
        # Python calls characters that are not assigned (Cn) wide; terminals draw them narrow.
        columns += 2 if category != "Cn" and unicodedata.east_asian_width(character) in "WF" else 1
    return columns


def cut(text: str, columns: int) -> str:
    """The longest start of `text` that fits `columns`, at least one character."""
    if text.isascii():
        return text[: max(columns, 1)]
    used = 0
    for index, character in enumerate(text):
        used += width(character)
        if used > columns:
            return text[: max(index, 1)]
    return text


def shorten(text: str, columns: int) -> str:
    """`text` in at most `columns` columns, with an ellipsis where it was cut."""
    if width(text) <= columns:
        return text
    if columns < 1:
        return ""
    start = cut(text, columns - 1)
    return start.rstrip() + "…" if width(start) < columns else "…"


def pad(text: str, columns: int) -> str:
    """`text` shortened or filled with spaces to exactly `columns`."""
    short = shorten(text, columns)
    return short + " " * (columns - width(short))
