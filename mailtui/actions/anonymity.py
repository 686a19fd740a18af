"""Take a person out of a text: what names them becomes a placeholder, plain or in base64; what names servers stays."""

import binascii
import contextlib
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import quote

from mailtui.model.account import Account, Trust, ascii_host
from mailtui.model.check import CheckReport, Stage, legs_of
from mailtui.model.server import ChangeKind
from mailtui.model.text import clean

_SHORT = 4
"""Characters below which a value is looked for only where it stands alone: it is a part of too many words."""

_LONGEST = 2_000
"""Characters of a value that count; nothing longer is ever shown in one piece."""

_ENCODED = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}|[A-Za-z0-9+/]{2,3}={1,2}")
_GREETED = re.compile(r"^(?:EHLO|HELO) +(\S+)", re.IGNORECASE)
_MAIL_FROM = re.compile(r"^MAIL FROM: *<([^<>]+)>", re.IGNORECASE)
_LOGS_IN = re.compile(r'^(?!AUTH )(?:\S+ +)?(?:LOGIN|USER|APOP) +(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))', re.IGNORECASE)
_AUTHENTICATES = re.compile(r"^(?:\S+ +)?(?:AUTH|AUTHENTICATE) +\S+ +([A-Za-z0-9+/]{2,}={0,2})$", re.IGNORECASE)
_RESPONDS = re.compile(r"^([A-Za-z0-9+/]{4,}={0,2})$")
_HOME = re.compile(r"(?<![\w.])(/(?:home|Users|var/home)/)[^/\s'\"]+")
_IP_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IP_V6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4})(?![\w:])")
_HIDDEN_IP = "<ip-address>"
_NAMED_IP = re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)+(?=\.?\s*[\[(]{1,2}" + re.escape(_HIDDEN_IP) + ")")
_ENCODED_PLACEHOLDER = "<base64 of {}>"


@dataclass(frozen=True, slots=True)
class _Identity:
    """A value that tells who somebody is; `alone` ones are replaced only where they are a word of their own."""

    value: str
    placeholder: str
    alone: bool = False


class Anonymizer:
    """Replaces in any text of a report what names its account's owner. The result is one clean line."""

    def __init__(self, account: Account, reports: Iterable[CheckReport]) -> None:
        reports = list(reports)
        self._hosts = {host.casefold() for host in _hosts(account, reports)}
        self._addresses = set(_server_addresses(reports)) | set(_addresses(" ".join(self._hosts)))
        forms: dict[str, _Identity] = {}
        for identity in (
            *_identities(account),
            *self._domain(account.email),
            *self._said(reports),
            *self._greeted(reports),
        ):
            for form in _forms(identity.value):
                forms.setdefault(form, identity)
        longest_first = sorted(forms, key=len, reverse=True)
        self._found = [forms[form] for form in longest_first]
        self._alone = [self._stands_alone(form, forms[form]) for form in longest_first]
        parts = [_pattern(form, alone) for form, alone in zip(longest_first, self._alone, strict=True)]
        # What matches nothing stands for no parts at all.
        self._plain = re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)
        self._starts = [(form, forms[form].placeholder) for form in longest_first if len(form) > _SHORT]

    def _stands_alone(self, form: str, identity: _Identity) -> bool:
        """A part of a host's name cannot be taken out of it: host names stay."""
        return identity.alone or len(form) < _SHORT or any(form.casefold() in host for host in self._hosts)

    def _said(self, reports: Iterable[CheckReport]) -> Iterator[_Identity]:
        """The address and the usernames that the account had when it was checked: they may be others by now."""
        for line in _lines_of_client(reports):
            if sender := _MAIL_FROM.match(line):
                yield _Identity(sender[1], "<address>")
                yield _Identity(sender[1].rpartition("@")[0], "<local-part>", alone=True)
                yield from self._domain(sender[1])
            for name in _usernames(line):
                yield _Identity(name, "<username>")
                local, at, _ = name.rpartition("@")
                if at:
                    yield _Identity(local, "<local-part>", alone=True)
                    yield from self._domain(name)

    def _domain(self, address: str) -> Iterator[_Identity]:
        """The address's domain, unless the servers' names tell it anyway."""
        domain = address.rpartition("@")[2].casefold()
        if domain and not any(host == domain or host.endswith(f".{domain}") for host in self._hosts):
            yield _Identity(domain, "<domain>")

    def _greeted(self, reports: Iterable[CheckReport]) -> Iterator[_Identity]:
        """The name of this computer, which the session tells to the server."""
        for line in _lines_of_client(reports):
            greeted = _GREETED.match(line)
            if greeted and not greeted[1].startswith("[") and greeted[1].casefold() not in self._hosts:
                yield _Identity(greeted[1], "<this-host>", alone=True)

    def __call__(self, text: str, limit: int = _LONGEST) -> str:
        """`text` without what names a person, cleaned, in one line of about `limit` characters at most."""
        told = clean(text, limit)
        told = self._without_start(told)
        told = self._plain.sub(self._placeholder, told)
        told = _ENCODED.sub(self._decoded, told)
        told = _HOME.sub(r"\1<user>", told)
        told = _IP_V6.sub(self._address, _IP_V4.sub(self._address, told))
        return _NAMED_IP.sub(self._named, told)

    def _placeholder(self, match: re.Match[str]) -> str:
        return self._found[(match.lastindex or 1) - 1].placeholder

    def _without_start(self, told: str) -> str:
        """Where a text was cut, a value may have been cut with it."""
        if not told.endswith("…"):
            return told
        body = told[:-1].casefold()
        for form, placeholder in self._starts:
            start = form.casefold()
            for size in range(len(start) - 1, _SHORT - 1, -1):
                if body.endswith(start[:size]):
                    return f"{told[: len(told) - 1 - size]}{placeholder}…"
        return told

    def _decoded(self, match: re.Match[str]) -> str:
        run = match[0].rstrip("=")
        for skipped in range(min(4, len(run))):
            octets = _decode(run[skipped:])
            for encoding in ("utf-8", "iso-8859-1"):
                placeholder = self._within(octets.decode(encoding, "replace"), is_whole=skipped == 0)
                if placeholder:
                    return _ENCODED_PLACEHOLDER.format(placeholder)
        return match[0]

    def _within(self, decoded: str, *, is_whole: bool) -> str:
        """What of a person is in decoded text. Short words count only in what is text: they are in any octets."""
        is_text = is_whole and all(character.isprintable() or character in "\0\1" for character in decoded)
        for match in self._plain.finditer(decoded):
            index = (match.lastindex or 1) - 1
            if is_text or not self._alone[index] or len(match[0]) > 2 * _SHORT:
                return self._found[index].placeholder
        return ""

    def _address(self, match: re.Match[str]) -> str:
        with contextlib.suppress(ValueError):
            address = ip_address(match[0])
            known = address in self._addresses or address.is_loopback or address.is_unspecified
            return match[0] if known else _HIDDEN_IP
        return match[0]

    def _named(self, match: re.Match[str]) -> str:
        return match[0] if match[0].casefold() in self._hosts else "<this-host>"


def _identities(account: Account) -> Iterator[_Identity]:
    yield _Identity(account.email, "<address>")
    for setup in legs_of(account):
        if setup.login is not None:
            yield _Identity(setup.login.username, "<username>")
            if setup.login.secret is not None:
                yield _Identity(setup.login.secret.value, "<where the password is kept>")
        if setup.endpoint.certificate.trust is Trust.CA_FILE:
            yield _Identity(setup.endpoint.certificate.ca_file, "<ca-file>")
    yield _Identity(account.submission.username, "<username>")
    if account.retrieval is not None:
        yield _Identity(account.retrieval.username, "<username>")
    yield _Identity(account.display_name, "<display-name>")
    yield _Identity(account.name, "<account-name>")
    yield _Identity(account.notes, "<notes>")
    for line in account.notes.splitlines():
        yield _Identity(line, "<notes>", alone=True)
    yield _Identity(account.email.rpartition("@")[0], "<local-part>", alone=True)


def _lines_of_client(reports: Iterable[CheckReport]) -> Iterator[str]:
    for report in reports:
        for leg in report.legs:
            yield from (line.text for line in leg.transcript if line.sender == "C")


def _usernames(line: str) -> Iterator[str]:
    """The names that a command of the client logs in with."""
    if found := _LOGS_IN.match(line):
        yield re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2]
    elif found := _AUTHENTICATES.match(line) or _RESPONDS.match(line):
        with contextlib.suppress(ValueError, binascii.Error):
            text = b64decode(found[1], validate=True).decode("utf-8")
            if all(character.isprintable() or character in "\0\1" for character in text):
                yield from (part.removeprefix("user=") for part in re.split("[\0\1]", text) if part)


def _hosts(account: Account, reports: Iterable[CheckReport]) -> Iterator[str]:
    endpoints = [setup.endpoint for setup in legs_of(account)]
    endpoints += [leg.endpoint for report in reports for leg in report.legs]
    for endpoint in endpoints:
        yield endpoint.host
        with contextlib.suppress(ValueError):
            yield endpoint.ascii_host


def _server_addresses(reports: Iterable[CheckReport]) -> Iterator[object]:
    for report in reports:
        for leg in report.legs:
            yield from _addresses(" ".join([leg.address, *leg.addresses, *(family.address for family in leg.families)]))
            yield from _addresses(" ".join(one.words for one in leg.changes if one.kind is ChangeKind.ADDRESSES))
            for stage in leg.stages:
                if stage.stage in (Stage.RESOLVE, Stage.CONNECT):
                    yield from _addresses(stage.detail)


def _addresses(text: str) -> Iterator[object]:
    for pattern in (_IP_V4, _IP_V6):
        for match in pattern.finditer(text):
            with contextlib.suppress(ValueError):
                yield ip_address(match[0])


def _forms(value: str) -> set[str]:
    """How `value` can stand in a report: as typed, in other cases, quoted, escaped, in another encoding."""
    value = value.strip()[:_LONGEST]
    if not value:
        return set()
    typed = {value, *(unicodedata.normalize(form, value) for form in ("NFC", "NFD", "NFKC"))}
    local, at, domain = value.rpartition("@")
    if at:
        with contextlib.suppress(ValueError):
            typed.add(f"{local}@{ascii_host(domain)}")
    cased = {form for one in typed for form in (one, one.lower(), one.upper(), one.casefold(), one.title())}
    forms = set(cased)
    for form in cased:
        forms.add(form.replace("\\", "\\\\").replace('"', '\\"'))
        forms.add(repr(form)[1:-1])
        forms.add(quote(form, safe="", errors="replace"))
        for encoding in ("iso-8859-1", "iso-8859-15"):
            with contextlib.suppress(UnicodeEncodeError):
                forms.add(form.encode(encoding).decode("utf-8", "backslashreplace"))
    # Each also as it was cleaned for the report, white space in one line.
    cleaned = {clean(form, 2 * _LONGEST) for form in forms}
    return {form for form in forms | cleaned if form}


def _pattern(form: str, alone: bool) -> str:
    """A group that matches `form`; spaces match any white space."""
    escaped = r"\s+".join(re.escape(word) for word in form.split()) or re.escape(form)
    return rf"((?<![\w.@-]){escaped}(?![\w@-]|\.\w))" if alone else f"({escaped})"


def _decode(run: str) -> bytes:
    """As many whole octets as the characters of `run` give."""
    usable = run[: len(run) - (len(run) % 4 == 1)]
    return b64decode(usable + "=" * (-len(usable) % 4))
