"""What the rules ask of a leg: read once out of its report, each fact when a rule first wants it."""

from functools import cached_property

from mailtui.diagnosis.providers import provider_note
from mailtui.model.account import Protocol, ascii_host
from mailtui.model.check import LegReport

_TEXT_LIMIT = 4_000
"""Characters of a server's words that are searched. A report's are shorter; what is longer was not cut by us."""

_CODE_TOKENS = 6
"""An enhanced code stands right behind the reply code; relays quote one a few words later."""


_NAME = "@"
"""Stands where an address or a server's own name stood: what a mailbox or machine is called says nothing of a fault."""


class Facts:
    """One failed or warning leg. All text is lower-case and without names; it is searched and never shown."""

    def __init__(self, leg: LegReport, email: str) -> None:
        self.leg = leg
        self.protocol = leg.protocol
        self.endpoint = leg.endpoint
        self._email = email
        # A report without a failure has no stage, and no words: only the rules for warnings ask about it.
        failure = leg.failure
        self.stage = failure.stage if failure is not None else None
        self.reply = self._words(failure.reply) if failure is not None else ""
        self.hint = self._words(failure.hint) if failure is not None else ""

    def _words(self, text: str) -> str:
        return _without_names(_plain(text), self.endpoint.host.lower())

    @cached_property
    def reply_code(self) -> int:
        """The three digits of an SMTP reply (RFC 5321 section 4.2); 0 without."""
        word = self.reply[:4]
        is_code = (
            self.protocol is Protocol.SMTP and word[:3].isascii() and word[:3].isdigit() and word[3:] in ("", " ", "-")
        )
        return int(word[:3]) if is_code and len(word) >= 3 else 0

    @cached_property
    def enhanced_codes(self) -> frozenset[str]:
        """The enhanced status code (RFC 3463) as it is, and as `x.7.8`, whatever its class; empty without."""
        if self.protocol is not Protocol.SMTP:
            return frozenset()
        text = self.reply[4:] if self.reply_code else self.reply
        for word in text.split(maxsplit=_CODE_TOKENS)[:_CODE_TOKENS]:
            parts = word.strip("#()[]:;,").split(".")
            if len(parts) == 3 and parts[0] in ("2", "4", "5") and all(_is_detail(part) for part in parts[1:]):
                code = ".".join(parts)
                return frozenset((code, f"x{code[1:]}"))
        return frozenset()

    @cached_property
    def response_code(self) -> str:
        """The code in brackets, of IMAP (RFC 5530) or POP3 (RFC 2449, RFC 3206), lower-case; empty without."""
        if self.protocol is Protocol.SMTP:
            return ""
        before, bracket, rest = self.reply.partition("[")
        # It follows the status, and nothing else does.
        if not bracket or len(before.split()) > 2:
            return ""
        return rest.partition("]")[0].partition(" ")[0]

    @cached_property
    def host(self) -> str:
        """The server's name in ASCII; empty where it has none."""
        try:
            return ascii_host(self.endpoint.host)
        except ValueError:
            return ""

    @cached_property
    def provider(self) -> str:
        """Whose server it is, by its name; empty where that is not known."""
        note = provider_note(self.host)
        return note.provider if note is not None else ""

    @cached_property
    def provider_url(self) -> str:
        """That provider's page on how mail programs log in."""
        note = provider_note(self.host)
        return note.url if note is not None else ""

    @cached_property
    def mailbox_provider(self) -> str:
        """Whose the account's address is; empty where that is not known."""
        note = provider_note(self._email)
        return note.provider if note is not None else ""

    @cached_property
    def issuer(self) -> str:
        """Who signed the server's certificate, and those above it, as they say themselves."""
        tls = self.leg.tls
        if tls is None or tls.certificate is None:
            return ""
        return self._words(" ".join((tls.certificate.issuer, *(issuer.issuer for issuer in tls.chain))))

    @cached_property
    def family(self) -> str:
        """The one address family that the server has, ipv4 or ipv6; empty for both, and where nobody looked."""
        families = {"ipv6" if ":" in address else "ipv4" for address in self.leg.addresses}
        return families.pop() if len(families) == 1 else ""

    @cached_property
    def found(self) -> tuple[str, str]:
        """Which service answers at the account's own port, and how it is protected; empty where nobody looked."""
        for found in self.leg.found:
            if found.port == self.endpoint.port:
                return found.service.value, found.security.value
        return "", ""

    @cached_property
    def warnings(self) -> frozenset[str]:
        """What a leg that works warns of."""
        if self.leg.failure is not None or not self.leg.warning:
            return frozenset()
        warnings = {f"{family.family.lower()}-dead" for family in self.leg.families if family.is_silent}
        parts = self.leg.warning.split("; ")
        if any(part.startswith(("the certificate ends ", "the certificate ended ", "the issuer's ")) for part in parts):
            warnings.add("certificate-ends")
        if self.leg.changes:
            warnings.add("server-changed")
        return frozenset(warnings)


def is_below(name: str, suffix: str) -> bool:
    """Whether `name` is `suffix` or a name below it."""
    return name == suffix or name.endswith(f".{suffix}")


def _plain(text: str) -> str:
    return " ".join(text[:_TEXT_LIMIT].lower().split())


def _without_names(text: str, host: str) -> str:
    """`text` without addresses, without `host`, and without the name that an SMTP server gives itself."""
    if "." in host:
        text = text.replace(host, "")
    code, rest = (text[:4], text[4:]) if text[:3].isdigit() else ("", text)
    words = rest.split()
    if code and words and _is_domain(words[0]):
        words[0] = _NAME
    return code + " ".join(_NAME if "@" in word else word for word in words)


def _is_domain(word: str) -> bool:
    labels = word.split(".")
    return len(labels) > 1 and all(label.replace("-", "").isalnum() for label in labels) and not labels[-1].isdigit()


def _is_detail(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3
