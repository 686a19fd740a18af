"""Make text from outside safe to show: every character is either harmless or visible as an escape."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache

# C0, DEL and C1 steer terminals; U+2028/2029 break lines; the bidi controls reorder what is read
# (Unicode TR 36, section 2.7); lone surrogates cannot be encoded; what has Default_Ignorable_Code_Point
# (Unicode, DerivedCoreProperties) is invisible and hides, as do the controls of hieroglyphs. Variation selectors
# are left alone where they choose how a sign is drawn (U+FE00-FE0F): emoji keyboards type them.
_HOSTILE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Narrow signs that U+FE0F makes wide (Unicode, emoji-variation-sequences).
_MADE_WIDE = (
    "[#*0-9\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf\u23ed-\u23ef\u23f1\u23f2"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622"
    "\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640\u2642\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692"
    "\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3\u26e9\u26f0\u26f1\u26f4"
    "\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2733\u2734\u2744\u2747\u2763"
    "\u2764\u27a1\u2934\u2935\u2b05-\u2b07\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f321\U0001f324-\U0001f32c"
    "\U0001f336\U0001f37d\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f\U0001f3cb-\U0001f3ce"
    "\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5\U0001f3f7\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f"
    "\U0001f570\U0001f573-\U0001f579\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2"
    "\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef"
    "\U0001f5f3\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3]"
)
_EMOJI_STYLE = "\ufe0f"

# What Pythons older than Unicode 16 do not know: vowels and finals of Hangul and skin tones join the sign before
# them; trigrams, hexagrams, counting rods and new emoji are wide, as is all that planes 2 and 3 will hold.
_JOINED = "[\u1161-\u11ff\ud7b0-\ud7c6\ud7cb-\ud7fb\U0001f3fb-\U0001f3ff]"
_WIDE = (
    "[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d356\U0001d360-\U0001d376\U0001f6d8-\U0001f6df"
    "\U0001fa70-\U0001faff\U00020000-\U0002fffd\U00030000-\U0003fffd]"
)

# Of one column each, whatever comes before or after them: measured without a look at each. What is not in here
# takes longer, no more.
_NARROW = "[ -~\xa0-\xac\xae-\u02ff\u0386-\u0482\u2010-\u2027\u2030-\u205e\u2190-\u2319\u2500-\u25fc]*"

_LIMIT = 2_000


@cache
def _hostile() -> re.Pattern[str]:
    # Compiled when first needed: most text is plain, and this takes longer than all else a start imports here.
    return re.compile(_HOSTILE)


@cache
def _narrow() -> re.Pattern[str]:
    return re.compile(_NARROW)


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


@lru_cache(4_096)
def _columns(character: str) -> int:
    # Imported here: most text is ASCII, and a check must start fast.
    import unicodedata

    category = unicodedata.category(character)
    if category in ("Mn", "Me", "Mc") or re.match(_JOINED, character):
        return 0
    if re.match(_WIDE, character):
        return 2
    # Python calls characters that are not assigned (Cn) wide; terminals draw them narrow.
    return 2 if category != "Cn" and unicodedata.east_asian_width(character) in "WF" else 1


def _advances(text: str) -> Iterator[int]:
    """How many columns each character of `text` adds to those before it."""
    before = ""
    for character in text:
        columns = _columns(character)
        if character == _EMOJI_STYLE:
            columns = 1 if before and re.match(_MADE_WIDE, before) else 0
            before = ""
        elif columns:
            before = character
        yield columns


def _is_narrow(text: str) -> bool:
    return text.isascii() or _narrow().fullmatch(text) is not None


def width(text: str) -> int:
    """Terminal columns that `text` takes: wide East Asian characters and emoji two, combining ones none."""
    return len(text) if _is_narrow(text) else sum(_advances(text))


def cut(text: str, columns: int) -> str:
    """The longest start of `text` that fits `columns`, at least one character."""
    if _is_narrow(text):
        return text[: max(columns, 1)]
    used = 0
    for index, advance in enumerate(_advances(text)):
        used += advance
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
