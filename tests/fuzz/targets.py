"""What is fuzzed, for hypothesis and `make fuzz` alike: each target fails only when a promise is broken.

Every target is deterministic: the same octets do the same again.
"""

import contextlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from mailtui.actions.filtering import Card, Filter
from mailtui.diagnosis import diagnose
from mailtui.interop.accounts_toml import read_accounts, write_accounts
from mailtui.model.account import METHODS, Account, Endpoint, Protocol, Retrieval, Security, Submission
from mailtui.model.check import Cause, Failure, Leg, LegReport, Stage
from mailtui.model.errors import AccountFileError
from mailtui.model.pins import canonical_pins
from mailtui.model.report_json import report_from_json, report_to_json
from mailtui.model.text import clean, has_hostile
from mailtui.protocols.certificate_facts import _issuer, certificate_facts, public_key_info
from mailtui.protocols.lines import foreign_banner, is_tls, service_of
from mailtui.protocols.look import first_line
from mailtui.protocols.masking import MASK, Masker
from mailtui.storage.settings import load_settings
from tests.fuzz import mail, mail_seeds, seeds
from tests.fuzz.feeding import POP3_STARTS, Heard, cut, feed_imap, feed_pop3, feed_smtp, in_loop
from tests.fuzz.talking import SECRET, talk
from tests.protocols.legs import secret_forms


@dataclass(frozen=True)
class Target:
    """`run` raises AssertionError, or what should not escape, for octets that break a promise."""

    run: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _same_in_chunks(data: bytes, feed: Callable[[list[bytes]], Heard]) -> None:
    """The first octet says how the rest is cut; what is heard does not depend on it."""
    seed, rest = data[:1], data[1:]
    whole = feed([rest])
    assert feed(cut(rest, max(seed[0], 1) if seed else 1)) == whole
    assert [line for line in whole.lines if has_hostile(line)] == []


def smtp(data: bytes) -> None:
    """Any octets as replies."""
    _same_in_chunks(data, lambda chunks: cast(Heard, in_loop(feed_smtp(chunks))))


def imap(data: bytes) -> None:
    """Any octets as replies, to a group of commands or to a login: the first octet's last bit."""
    asks = bool(data[:1] and data[0] & 1)
    _same_in_chunks(data, lambda chunks: cast(Heard, in_loop(feed_imap(chunks, asks=asks))))


def pop3(data: bytes) -> None:
    """Any octets in each of the conversation's states: the first octet's last two bits."""
    start = data[0] % len(POP3_STARTS) if data else 0
    _same_in_chunks(data, lambda chunks: feed_pop3(chunks, start))


def _session(protocol: Protocol) -> Callable[[bytes], None]:
    methods = METHODS[protocol]

    def run(data: bytes) -> None:
        """A whole session: the first octet chooses security and method, NULs part the server's turns."""
        choice = data[0] if data else 0
        security = Security.STARTTLS if choice & 1 else Security.NONE
        report: LegReport = in_loop(
            talk(protocol, security, methods[(choice >> 1) % len(methods)], data[1:].split(b"\0"))
        )
        assert report.failure is None or report.failure.cause is not Cause.INTERNAL, report.failure
        written = json.dumps(_with_report(report))
        assert [form for form in secret_forms(SECRET) if form in written] == []
        texts = [line.text for line in report.transcript]
        texts += [text for stage in report.stages for text in (stage.detail, stage.reply)]
        texts += [*report.capabilities, report.mechanism, report.warning]
        if report.offered is not None:
            texts += [*report.offered.mechanisms, *report.offered.capabilities]
        assert [text for text in texts if has_hostile(text)] == []
        assert report_to_json(report_from_json(_with_report(report))) == _with_report(report)
        _diagnosed(report)

    return run


def _with_report(leg: LegReport) -> dict[str, object]:
    report = report_from_json(json.loads(seeds.REPORT))
    outbound = leg if leg.leg is Leg.OUTBOUND else None
    return report_to_json(replace(report, outbound=outbound, inbound=None if outbound else leg))


def certificate(data: bytes) -> None:
    """Any octets as the certificate of a server, and of its issuer."""
    peer = SimpleNamespace(getpeercert=lambda binary_form=False: data if binary_form else {})
    for facts in (certificate_facts(peer), _issuer(data)):  # type: ignore[arg-type]  # what is asked of ssl, no more
        if facts is not None:
            assert [text for text in (facts.subject, facts.issuer, *facts.names) if has_hostile(text)] == []
            assert len(facts.pin) == len(facts.fingerprint) == 64
    with contextlib.suppress(ValueError):
        assert public_key_info(data) in data


def accounts(data: bytes) -> None:
    """Any text as a TOML file of accounts; what is read is written and read again."""
    try:
        found = read_accounts(_text(data), "f.toml")
    except AccountFileError as error:
        lines = str(error).split("\n")
        assert [line for line in lines if has_hostile(line) or not line.startswith("f.toml:")] == []
        return
    assert read_accounts(write_accounts(found), "f.toml") == found


@cache
def _settings_file() -> Path:
    return Path(tempfile.mkdtemp(prefix="mailtui-fuzz-")) / "config.toml"


def settings(data: bytes) -> None:
    """Any octets as the settings file: it keeps nobody out."""
    path = _settings_file()
    path.write_bytes(data)
    read = load_settings(path)
    assert [problem for problem in read.problems if has_hostile(problem)] == []


def report(data: bytes) -> None:
    """Any JSON as a stored report; what is read is written and read again."""
    try:
        parsed = json.loads(_text(data))
    except (ValueError, RecursionError):
        return
    try:
        read = report_from_json(parsed)
    except ValueError:
        return
    written = report_to_json(read)
    # A number that is none is equal to nothing, not even itself; text is.
    assert json.dumps(report_to_json(report_from_json(written))) == json.dumps(written)


_ADA = Account(
    "ada",
    "ada@example.org",
    Submission(Endpoint("smtp.example.org", 465)),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
    type="sales",
    notes="two\nlines",
)


def filters(data: bytes) -> None:
    """Any text as a filter: it means something, and its own text means the same."""
    wanted = Filter.parse(_text(data))
    again = Filter.parse(str(wanted))
    assert [replace(term, source="") for term in again.terms] == [replace(term, source="") for term in wanted.terms]
    assert wanted.matches(Card.of(_ADA), "good") in (True, False)
    assert not has_hostile(wanted.problem)


def pins(data: bytes) -> None:
    """Any text as pins."""
    try:
        read = canonical_pins(_text(data))
    except ValueError:
        return
    assert canonical_pins(read) == read
    assert all(len(pin) == 64 and set(pin) <= set("0123456789abcdef") for pin in read.split())


def diagnosis(data: bytes) -> None:
    """Any words of a server in each kind of failure: the first octets choose its cause, stage, protocol and host."""
    choice = [*data[:4], 0, 0, 0, 0]
    causes, stages, protocols = list(Cause), list(Stage), list(Protocol)
    hosts = ("mail.example.org", "smtp.gmail.com", "outlook.office365.com", "smtp.mail.yahoo.com", "127.0.0.1")
    protocol = protocols[choice[2] % len(protocols)]
    reply, _, hint = _text(data[4:]).partition("\0")
    _diagnosed(
        LegReport(
            Leg.OUTBOUND if protocol is Protocol.SMTP else Leg.INBOUND,
            protocol,
            Endpoint(hosts[choice[3] % len(hosts)], 465),
            (),
            1.0,
            Failure(causes[choice[0] % len(causes)], stages[choice[1] % len(stages)], clean(hint), clean(reply)),
        )
    )


def _diagnosed(leg: LegReport) -> None:
    found = diagnose(leg, "ada@example.org")
    assert (found is None) <= (leg.failure is None)
    if found is not None:
        texts = (found.rule, found.cause, found.explanation, found.fix, found.url)
        assert [text for text in texts if has_hostile(text) or "\n" in text] == []
        assert found == diagnose(leg, "ada@example.org")


def greeting(data: bytes) -> None:
    """Any octets as what a port says first."""
    line = first_line(data)
    assert not has_hostile(clean(line))
    assert not (is_tls(data) and service_of(data))
    error = foreign_banner("SMTP", data)
    assert not has_hostile(error.hint)
    assert len(error.heard) <= 1_000


def masking(data: bytes) -> None:
    """Any secret, to the first NUL, in any text: it is not in what is left of it."""
    secret, _, rest = _text(data).partition("\0")
    masker = Masker((secret,))
    before, _, after = rest.partition("\0")
    for text in (rest, before + secret + after, before + secret.upper() + after):
        masked = masker(text)
        if len(secret) >= 4 and MASK not in secret and secret not in MASK:
            assert secret not in masked.replace(MASK, "\n"), (secret, text)
        assert len(masker.across([before, secret, after])) == 3


TARGETS = {
    "smtp": Target(smtp, seeds.SMTP),
    "imap": Target(imap, seeds.IMAP),
    "pop3": Target(pop3, seeds.POP3),
    "smtp-session": Target(_session(Protocol.SMTP), seeds.SMTP_SESSION),
    "imap-session": Target(_session(Protocol.IMAP), seeds.IMAP_SESSION),
    "pop3-session": Target(_session(Protocol.POP3), seeds.POP3_SESSION),
    "greeting": Target(greeting, seeds.GREETINGS),
    "certificate": Target(certificate, seeds.certificates()),
    "accounts": Target(accounts, seeds.ACCOUNTS),
    "settings": Target(settings, seeds.SETTINGS),
    "report": Target(report, (seeds.REPORT,)),
    "filters": Target(filters, seeds.FILTERS),
    "pins": Target(pins, seeds.PINS),
    "diagnosis": Target(diagnosis, seeds.DIAGNOSIS),
    "masking": Target(masking, seeds.MASKING),
    "imap-bodies": Target(mail.bodies, mail_seeds.BODIES),
    "imap-headers": Target(mail.headers, mail_seeds.HEADERS),
    "imap-sizes": Target(mail.sizes, mail_seeds.SIZES),
    "imap-mailboxes": Target(mail.mailboxes, mail_seeds.MAILBOXES),
    "names": Target(mail.names, mail_seeds.NAMES),
    "pop3-body": Target(mail.pop3_body, mail_seeds.POP3_BODIES),
    "pop3-lists": Target(mail.pop3_lists, mail_seeds.POP3_LISTS),
    "lmtp": Target(mail.lmtp, mail_seeds.LMTP),
    "stuffing": Target(mail.stuffing, mail_seeds.STUFFING),
    "retrieval": Target(mail.retrieval, (mail_seeds.RETRIEVAL,)),
}
