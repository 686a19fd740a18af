"""Text that is up to no good, and a database full of it, as a foreign program or a damaged disk would leave it."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from mailtui.model.account import (
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    RetrievalMode,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.check import Cause, CheckReport, Failure, LegReport, Stage, Status, TranscriptLine, utc_now
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Offered, Service
from mailtui.storage.account_rows import COLUMNS
from mailtui.storage.codec import to_document
from mailtui.storage.database import Database
from tests.tui.people import NOW, account, report


@dataclass(frozen=True)
class Words:
    """Hostile text, and how its start must look on a screen."""

    text: str
    shown: str


HOSTILE = (
    Words("[/]", "[/]"),
    Words("[@click=app.quit]x[/]", "[@click=app"),
    Words("[bold red]loud", "[bold red]l"),
    Words(":smile: $error {x} %s \\[b]", ":smile: $er"),
    Words("\x1b[31mred\x1b[0m", "\\x1b[31mred"),
    Words("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;"),
    Words("\x1b]0;owned\x1b\\", "\\x1b]0;own"),
    Words("\x1b]8;;http://evil.example\x1b\\here\x1b]8;;\x1b\\", "\\x1b]8;;ht"),
    Words("\x1bP$qm\x1b\\\x1b_x\x1b\\", "\\x1bP$qm"),
    Words("\x1bc\x1b(0\x1b#8\x0e", "\\x1bc\\x1b("),
    Words("\x9b2J\x9d52;c;eA==\x9c\x90", "\\x9b2J\\x9d"),
    Words("\x07\x08\x08\x7f\x00 bell", "\\x07\\x08"),
    Words("two\r\n\x0b\x0c\x85\u2028\u2029lines", "two\\x0d\\x0a"),
    Words("\u202etfel\u2066x\u2069\u200f\u061c", "\\u202etfel"),
    Words("a\u200bb\ufeffc\u2060\u00ad\u034f\u180e\U000e0041", "a\\u200bb"),
    Words("👨\u200d👩\u200d👧 ☎\ufe0f 1\ufe0f\u20e3 👍🏽 🇩🇪", "👨\\u200d👩"),
    Words("渡辺 明 e\u0301\u0323\ufe0f ก\u0e33 हिन्दी 각", "渡辺 明"),
    Words("\u0301\u0e33" * 20 + "Ａ" * 60, "Ａ"),
    Words("x" * 10_000, "xxxxxxxxxx"),
)
"""Each differs from the others, so that all can be names at once."""

HALF = "\ud83d half of an emoji \udfff"
"""Not storable as a name, but JSON carries it into every other field."""


LAST_LINE = "last of the dialogue"
"""How the last line of each transcript begins."""


def hostile_account(number: int, words: str, *, half: bool = False) -> Account:
    """An account all of whose texts are `words`, but for the start of its servers' names, h00, h01 and so on."""
    text = f"{words}{HALF}" if half else words
    policy = CertificatePolicy(*((Trust.CA_FILE, text, "") if number % 2 else (Trust.PIN, "", text)))
    return Account(
        words,
        f"{text}@example.org",
        Submission(
            Endpoint(f"h{number:02}{text}", 465, Security.IMPLICIT_TLS, policy),
            username=text,
            secret=SecretRef(list(SecretScheme)[number % len(SecretScheme)], text),
        ),
        Retrieval(
            Protocol.POP3 if number % 3 == 0 else Protocol.IMAP,
            Endpoint(f"i{number:02}{text}", 993, Security.IMPLICIT_TLS, policy),
            AuthMethod.AUTOMATIC,
            text,
            SecretRef(SecretScheme.VAULT, text),
            RetrievalMode.AUTOMATIC,
            folder=text,
        ),
        type=text,
        display_name=text,
        notes=f"{text}\n{text}",
    )


def hostile_report(person: Account, words: str) -> CheckReport:
    """A failed check of both legs whose every text is `words`: one refused login, one held back."""
    refused = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, words, words)
    found = report(person, refused, replace(refused, cause=Cause.KEY_CHANGED), warning=words)
    return replace(
        found,
        outbound=found.outbound and _hostile_leg(found.outbound, words),
        inbound=found.inbound and _hostile_leg(found.inbound, words),
    )


def _hostile_leg(leg: LegReport, words: str) -> LegReport:
    assert leg.tls is not None
    assert leg.tls.certificate is not None
    certificate = replace(
        leg.tls.certificate, subject=words, names=(words, words), issuer=words, fingerprint=words, pin=words
    )
    return replace(
        leg,
        tls=replace(leg.tls, certificate=certificate, chain=(certificate, certificate), cipher=words, version=words),
        address=words,
        mechanism=words,
        capabilities=(words, f"{words} {words}"),
        transcript=(
            *(replace(line, text=words) for line in leg.transcript),
            TranscriptLine("*", f"{LAST_LINE} {words[:9]}", 0.0),
        ),
        stages=tuple(replace(stage, detail=words, reply=words) for stage in leg.stages),
        offered=Offered(True, (words,), (words,)),
        addresses=(words,),
        families=(FamilyFacts(words, words, None, words), FamilyFacts(words, words, 1.0)),
        found=(
            Found(leg.endpoint.port, Service.OTHER, Security.NONE, words),
            Found(40_000, Service(leg.protocol.value), Security.IMPLICIT_TLS, words),
        ),
        changes=(Change(ChangeKind.KEY, words, True), Change(ChangeKind.ISSUER, words)),
        changed_since=NOW,
    )


def hostile_warning(person: Account, words: str) -> CheckReport:
    """A check that went well with a warning: the other things that a report can say."""
    found = hostile_report(person, words)

    def good(leg: LegReport | None) -> LegReport | None:
        if leg is None:
            return None
        stages = tuple(replace(stage, status=Status.OK) for stage in leg.stages)
        return replace(leg, failure=None, stages=stages, warning=words, capabilities=(f"{words} before",))

    return replace(found, outbound=good(found.outbound), inbound=good(found.inbound))


def foreign_database(path: Path, accounts: Sequence[Account]) -> None:
    """A database that holds `accounts` as they are, whatever mailtui itself would refuse to store."""
    with Database.open(path) as database:
        for number, _ in enumerate(accounts):
            database.add(account(f"placeholder {number}", "someone@example.org"))
    with closing(sqlite3.connect(path)) as connection:
        for number, foreign in enumerate(accounts):
            document = {name: value for name, value in to_document(foreign).items() if name not in COLUMNS}
            connection.execute(
                "UPDATE account SET name = ?, active = ?, document = ? WHERE name = ?",
                (foreign.name, foreign.active, json.dumps(document), f"placeholder {number}"),
            )
        connection.commit()


def hostile_database(path: Path) -> list[Account]:
    """A database of accounts that are hostile through and through, each with a history; returns them in their order.

    Every other one has failed, the others were good with a warning before they failed, or the other way round.
    """
    people = [hostile_account(number, words.text, half=number == 5) for number, words in enumerate(HOSTILE)]
    foreign_database(path, people)
    now = utc_now()
    reports = []
    for number, person in enumerate(people):
        failed = hostile_report(person, person.name + HALF)
        good = hostile_warning(person, person.name)
        older, newer = (good, failed) if number % 2 else (failed, good)
        reports.append(replace(older, started=now - timedelta(hours=3)))
        reports.append(replace(newer, started=now - timedelta(minutes=2)))
    with Database.open(path) as database:
        database.record_many(reports)
        return database.accounts()
