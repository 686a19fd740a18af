"""Keep secrets out of everything that is shown: plain, quoted, in every base64 alignment, and as servers disguise them.

A server may say what it got in another case, folded, or escaped. So a text is also searched as it reads without white
space and case, and with its percent and backslash escapes undone; what is found is masked where it stands.
"""

import contextlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence

MASK = "****"

_SHORT = 4
_READ = 6_000
"""Characters of a text that are searched: three times what is shown of any."""

_PERCENT = re.compile(r"((?:%[0-9A-Fa-f]{2})+)|\+")
_BACKSLASH = re.compile(r"((?:\\x[0-9A-Fa-f]{2}|\\[0-3][0-7]{2})+)|\\u([0-9A-Fa-f]{4})|\\(.)", re.DOTALL)
# What stands before the words of a line: reply code, status, enhanced code (RFC 5321, 3501, 1939, 2034).
_LEAD = re.compile(r"(?:[0-9]{3}[ -]|\* (?:OK|NO|BAD|BYE)? ?|\+ |\+OK ?|-ERR ?)?(?:[245]\.[0-9]{1,3}\.[0-9]{1,3} )?")

Piece = tuple[str, int, int]
"""What a part of a text reads as, and where it starts and ends."""

Span = tuple[int, int]


def _base64_cores(secret: bytes) -> list[str]:
    """The base64 characters that depend on `secret` alone, at each of the three offsets it can have in a message."""
    cores = []
    for offset in range(3):
        encoded = b64encode(bytes(offset) + secret).decode("ascii")
        first = -(-8 * offset // 6)
        last = 8 * (offset + len(secret)) // 6
        core = encoded[first:last]
        # Shorter ones would match ordinary words; they give away no more than two bytes.
        if len(core) >= _SHORT:
            cores.append(core)
    return cores


def _other_encodings(secret: str) -> set[str]:
    """How an echo in ISO 8859-1 or -15 looks once it was read as UTF-8: servers exist that answer so."""
    forms = set()
    for encoding in ("iso-8859-1", "iso-8859-15"):
        with contextlib.suppress(UnicodeEncodeError):
            forms.add(secret.encode(encoding).decode("utf-8", "backslashreplace"))
    return forms


class Masker:
    """Replaces secrets in text. Forms are tried longest first, so that none is left half shown."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._forms: list[str] = []
        self._squeezed: list[str] = []
        self._words: list[re.Pattern[str]] = []
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Mask `secret` from now on, too."""
        if not secret:
            return
        raw = secret.encode("utf-8", "surrogateescape")
        if len(secret) < _SHORT:
            # Within other words it would mask half of what is shown, and be told by what is missing.
            self._words.append(re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)"))
            self._words.append(re.compile(rf"(?<![\w+/]){re.escape(b64encode(raw).decode('ascii'))}(?![\w+/])"))
            return
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        cores = _base64_cores(raw)
        forms = {*self._forms, secret, quoted, *cores, *_other_encodings(secret)}
        self._forms = sorted(forms, key=len, reverse=True)
        twice = (again for core in cores for again in _base64_cores(core.encode("ascii")))
        squeezed = {*self._squeezed, *map(_squeeze, (secret, *cores, *twice, raw.hex()))}
        self._squeezed = sorted((form for form in squeezed if len(form) >= _SHORT), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        # Of the longest form, each character escaped; 1 keeps the slice right where there is none.
        tail = 4 * len(self._squeezed[0]) if self._squeezed else 1
        if len(text) > _READ + tail:
            # What was cut in two at the end is left out again.
            return self(text[: _READ + tail])[:-tail]
        for word in self._words:
            text = word.sub(MASK, text)
        # Where two overlap, hiding one by itself would leave a part of the other.
        spans = [*self._plainly(text), *self._disguised(text)]
        return _masked(text, _merged(spans)) if spans else text

    def each(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts that do not belong together, each masked by itself; at once where there is nothing to mask."""
        whole = "\n".join(texts)
        # A backslash would be read together with the end of its line.
        is_clear = "\\" not in whole and self(whole) == whole
        return texts if is_clear else [self(text) for text in texts]

    def across(self, texts: Sequence[str]) -> list[str]:
        """Lines that belong together, each already masked, without a secret that is divided between them."""
        leads = [match.end() if (match := _LEAD.match(text)) else 0 for text in texts]
        bodies = [text[lead:] for text, lead in zip(texts, leads, strict=True)]
        # An escape may be divided, too. Without any, lines stay words of their own: to fold a long one takes much room.
        between = "" if any("\\" in body or "%" in body for body in bodies) else "\n"
        spans = self._disguised(between.join(bodies))
        if not spans:
            return list(texts)
        masked, begins = [], 0
        for text, lead, body in zip(texts, leads, bodies, strict=True):
            own = ((max(start - begins, 0), min(end - begins, len(body))) for start, end in spans)
            masked.append(_masked(text, [(lead + start, lead + end) for start, end in own if start < end]))
            begins += len(body) + len(between)
        return masked

    def _plainly(self, text: str) -> Iterator[Span]:
        """Where the forms stand in `text` as they are."""
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                yield at, at + len(form)
                at = text.find(form, at + 1)

    def _disguised(self, text: str) -> list[Span]:
        """Where the secrets stand in `text` in one of their disguises, in order, none touching another."""
        spans: list[Span] = []
        if self._is_in(text):
            spans += self._find(_plain(text, 0))
        for sign, escape in (("%", _PERCENT), ("\\", _BACKSLASH)):
            if sign in text and self._is_in(escape.sub(_meaning, text)):
                spans += self._find(_unescaped(text, escape))
        return _merged(spans) if spans else spans

    def _is_in(self, text: str) -> bool:
        squeezed = _squeeze(text)
        # A plain loop: this is asked of every line of every leg.
        for form in self._squeezed:  # noqa: SIM110  # a generator takes twice the time
            if form in squeezed:
                return True
        return False

    def _find(self, pieces: Iterator[Piece]) -> Iterator[Span]:
        squeezed: list[str] = []
        places: list[Span] = []
        for meaning, start, end in pieces:
            for character in _squeeze(meaning):
                squeezed.append(character)
                places.append((start, end))
        searched = "".join(squeezed)
        for form in self._squeezed:
            at = searched.find(form)
            while at >= 0:
                yield places[at][0], places[at + len(form) - 1][1]
                at = searched.find(form, at + 1)


def _squeeze(text: str) -> str:
    if text.isascii():
        return "".join(text.lower().split())
    # Word by word: to fold a text takes twelve octets for each of its characters, and a transcript is long.
    return "".join(map(str.casefold, text.split()))


def _plain(text: str, offset: int) -> Iterator[Piece]:
    return ((character, at, at + 1) for at, character in enumerate(text, offset))


def _unescaped(text: str, escape: re.Pattern[str]) -> Iterator[Piece]:
    """`text` with its escapes undone; octets that follow one another are one piece."""
    at = 0
    for match in escape.finditer(text):
        yield from _plain(text[at : match.start()], at)
        yield _meaning(match), match.start(), match.end()
        at = match.end()
    yield from _plain(text[at:], at)


def _meaning(match: re.Match[str]) -> str:
    octets, *others = match.groups()
    if octets is not None:
        raw = bytes(_octets(octets))
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("iso-8859-1")
    if match[0] == "+":
        # A space, in forms of the web.
        return " "
    code, character = others
    return chr(int(code, 16)) if code is not None else str(character)


def _octets(escapes: str) -> Iterator[int]:
    at = 0
    while at < len(escapes):
        if escapes[at] == "%":
            yield int(escapes[at + 1 : at + 3], 16)
            at += 3
        elif escapes[at + 1] == "x":
            yield int(escapes[at + 2 : at + 4], 16)
            at += 4
        else:
            yield int(escapes[at + 1 : at + 4], 8)
            at += 4


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _masked(text: str, spans: Sequence[Span]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + MASK + text[end:]
    return text
