"""Keep secrets out of everything that is shown: plain, quoted and in every base64 alignment."""

import contextlib
import re
from base64 import b64encode

MASK = "****"

_SHORT = 4


def _base64_cores(secret: bytes) -> list[str]:
    """The base64 characters that depend on `secret` alone, at each of the three offsets it can have in a message."""
    cores = []
    for offset in range(3):
        encoded = b64encode(bytes(offset) + secret).decode("ascii")
        first = -(-8 * offset // 6)
        last = 8 * (offset + len(secret)) // 6
        core = encoded[first:last]
        # Shorter ones would match ordinary words; they give away no more than two bytes.
        if len(core) >= 4:
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
        self._words: list[re.Pattern[str]] = []
        for secret in secrets:
            self.hide(secret)

    def hide(self, secret: str) -> None:
        """Mask `secret` from now on, too."""
        if not secret:
            return
        if len(secret) < _SHORT:
            # Within other words it would mask half of what is shown, and be told by what is missing.
            self._words.append(re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)"))
            return
        raw = secret.encode("utf-8", "surrogateescape")
        quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
        forms = {*self._forms, secret, quoted, *_base64_cores(raw), *_other_encodings(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for word in self._words:
            text = word.sub(MASK, text)
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text
