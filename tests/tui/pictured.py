"""Who is in the pictures: the people of the demo, at one moment, with what their checks would say."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from mailtui.actions.check import Listener, SecretReader
from mailtui.demo.accounts import PEOPLE as DEMO
from mailtui.demo.accounts import Person, Way
from mailtui.model.account import (
    DEFAULT_PORTS,
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    RetrievalMode,
    SecretRef,
    SecretScheme,
    Security,
    Trust,
)
from mailtui.model.check import Cause, CheckReport, Failure, LegReport, Stage
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalProgress, RetrievalReport, Verdict
from mailtui.model.server import Change, ChangeKind, Found, Service
from tests.tui.people import NOW, account, report
from tests.tui.retrieved import ScriptedRetrievals, retrieval_report
from tests.tui.troubled import FINGERPRINT, PIN
from tests.tui.world import MemoryStore, ScriptedChecks

_SERVERS = {Protocol.SMTP: "smtp", Protocol.IMAP: "imap", Protocol.POP3: "pop"}
_SHOWN = {Stage.CONNECT: "192.0.2.25 (IPv4)", Stage.AUTH: "PLAIN as the user's address"}
# In the words of the program and of the demo's servers.
_WORDS = {
    Cause.BAD_CREDENTIALS: ("the server refuses the login of {email}", "535 5.7.8 Authentication credentials invalid"),
    Cause.CERTIFICATE_EXPIRED: ("the certificate of {server} has expired on 2025-05-29", ""),
    Cause.CERTIFICATE_SELF_SIGNED: ("the certificate of {server} is self-signed", ""),
    Cause.CERTIFICATE_WRONG_NAME: ("the certificate of {server} is for another name: mail.elsewhere.example", ""),
    Cause.NOT_TLS: ("the server does not speak TLS on this port; the account says SSL/TLS", "220 {host} ESMTP"),
    Cause.PORT_REFUSED: ("nothing listens on {server}, or a firewall refuses it", ""),
    Cause.SILENT: ("{server} did not answer within 10 s", ""),
    Cause.FOREIGN_BANNER: ("this is no IMAP server: this is an SSH server", "SSH-2.0-OpenSSH_9.2p1"),
    Cause.NO_INBOX: (
        "the login is good, but INBOX cannot be opened",
        "NO [NOPERM] Permission denied on mailbox INBOX",
    ),
}


def _endpoint(person: Person, way: Way) -> Endpoint:
    domain = person.email.partition("@")[2]
    spoken = Security.STARTTLS if way.cause is Cause.NOT_TLS else way.security
    return Endpoint(f"{_SERVERS[way.protocol]}.{domain}", DEFAULT_PORTS[way.protocol, spoken], way.security)


def _account(person: Person) -> Account:
    made = account(person.name, person.email, type=person.type)
    retrieval = None
    if person.inbound is not None and made.retrieval is not None:
        retrieval = replace(
            made.retrieval, protocol=person.inbound.protocol, endpoint=_endpoint(person, person.inbound)
        )
    return replace(
        made,
        submission=replace(made.submission, endpoint=_endpoint(person, person.outbound)),
        retrieval=retrieval,
        display_name=person.display_name,
        notes=person.notes,
    )


def _failure(person: Person, way: Way | None) -> Failure | None:
    if way is None or way.cause is None or way.stage is None:
        return None
    endpoint = _endpoint(person, way)
    hint, reply = (
        words.format(server=f"{endpoint.host}:{endpoint.port}", host=endpoint.host, email=person.email)
        for words in _WORDS[way.cause]
    )
    if way.cause is Cause.BAD_CREDENTIALS and way.protocol is Protocol.IMAP:
        reply = "NO [AUTHENTICATIONFAILED] Invalid authentication credentials."
    return Failure(way.cause, way.stage, hint, reply)


def _check(person: Person) -> CheckReport:
    account, outbound = _account(person), _failure(person, person.outbound)
    found = report(account, outbound, _failure(person, person.inbound))
    if outbound is None or found.outbound is None:
        return found
    leg, answers = found.outbound, account.submission.endpoint.port
    if outbound.cause is Cause.NOT_TLS:
        leg = replace(leg, found=(Found(answers, Service.SMTP, Security.STARTTLS, outbound.reply),))
    elif outbound.cause is Cause.CERTIFICATE_SELF_SIGNED:
        leg = _with_own_key(leg)
    return replace(found, outbound=leg)


def _with_own_key(leg: LegReport) -> LegReport:
    assert leg.tls is not None
    assert leg.tls.certificate is not None
    certificate = replace(
        leg.tls.certificate,
        issuer=leg.tls.certificate.subject,
        not_after=NOW + timedelta(days=3_000),
        fingerprint=FINGERPRINT,
        pin=PIN,
    )
    return replace(leg, tls=replace(leg.tls, certificate=certificate, verified=False))


def _changed_key(account: Account) -> CheckReport:
    """A server whose key is another one since the day before yesterday."""
    server = account.retrieval.endpoint.label if account.retrieval is not None else ""
    change = Change(ChangeKind.KEY, f"the key is {PIN[:16]}… instead of 9f9f9f9f9f9f9f9f…", True)
    since = NOW - timedelta(days=2)
    held = Failure(
        Cause.KEY_CHANGED,
        Stage.AUTH,
        f"no password was sent to {server}: {change.words}",
        "",
    )
    found = report(account, None, held)
    assert found.inbound is not None
    leg = replace(_with_own_key(found.inbound), changes=(change,), changed_since=since)
    return replace(found, inbound=leg)


def _people() -> dict[str, Account]:
    people = {person.name: _account(person) for person in DEMO}
    mary = people[MARY]
    anything = CertificatePolicy(Trust.ANYTHING)
    people[MARY] = replace(
        mary,
        submission=replace(mary.submission, endpoint=replace(mary.submission.endpoint, certificate=anything)),
        last_verified=NOW - timedelta(minutes=2),
    )
    new = account(NEW, "radia@bridges.example", "smtp.bridges.example", "imap.bridges.example", type="system")
    people[new.name] = replace(new, submission=replace(new.submission, secret=SecretRef(SecretScheme.VAULT)))
    people[CHANGED] = account(CHANGED, "ida@compiler.example", "smtp.compiler.example", "imap.compiler.example")
    for name, interval in ((ADA, 15), (AKIRA, 60)):
        receives = people[name].retrieval
        assert receives is not None
        automatic = replace(receives, mode=RetrievalMode.AUTOMATIC, interval=interval)
        people[name] = replace(people[name], retrieval=automatic)
    off = account("Winter campaign 2024", "winter@analytical.example", active=False, type="campaigns")
    people[off.name] = off
    return people


def _reports() -> dict[str, CheckReport]:
    reports = {person.name: _check(person) for person in DEMO}
    reports[MARY] = report(PEOPLE[MARY])
    reports[ADA] = report(PEOPLE[ADA], ago=timedelta(seconds=42))
    reports[AKIRA] = report(PEOPLE[AKIRA], warning="the certificate ends in 9 days, on 2025-06-10")
    reports[CHANGED] = _changed_key(PEOPLE[CHANGED])
    reports["Winter campaign 2024"] = report(PEOPLE["Winter campaign 2024"], ago=timedelta(days=40))
    return reports


ADA, MARY, AKIRA, NEW, CHANGED = (
    "Ada Lovelace – newsletter",
    "Mary Shelley – archive",
    "渡辺 明 – サポート",
    "Radia Perlman – new",
    "Ida Rhodes – new key",
)
PEOPLE = _people()
REPORTS = _reports()
_MS = (290, 310, 280, 640, 300, 305, 295, 1200, 330, 300, 285, 290, 410, 300, 320, 295, 300, 310)
"""How long the earlier checks took, in milliseconds."""


def _earlier(found: CheckReport) -> list[CheckReport]:
    """Good checks of the same account before `found`, oldest first, one an hour."""
    good = report(PEOPLE[found.account])

    def taking(leg: LegReport | None, ms: float) -> LegReport | None:
        return None if leg is None else replace(leg, ms=ms)

    return [
        replace(
            good,
            started=found.started - timedelta(hours=len(_MS) - number),
            outbound=taking(good.outbound, ms),
            inbound=taking(good.inbound, ms * 0.7),
        )
        for number, ms in enumerate(_MS)
    ]


def pictured_store(*, checked: bool = True) -> MemoryStore:
    """Everybody, with the history of their checks unless not `checked`."""
    store = MemoryStore(PEOPLE.values())
    if checked:
        for found in REPORTS.values():
            store.record_many([*_earlier(found), found])
    return store


_FOLDER = "~/.local/share/mailtui/mail"


def _kept() -> dict[str, RetrievalReport]:
    """The last retrievals of some."""
    stored = {
        ADA: MailboxResult("INBOX", f"{_FOLDER}/Ada", stored=3, octets=45_200, kept=1281, on_server=1284),
        AKIRA: MailboxResult("INBOX", f"{_FOLDER}/渡辺", kept=88, on_server=88),
        MARY: MailboxResult("INBOX", f"{_FOLDER}/Mary", stored=412, octets=18_300_000, deleted=409, on_server=3),
    }
    ago = {ADA: timedelta(seconds=20), AKIRA: timedelta(seconds=95), MARY: timedelta(days=2)}
    kept = {name: retrieval_report(PEOPLE[name], found, ago=ago[name]) for name, found in stored.items()}
    left = Candidate(
        "INBOX", "5120", Verdict.TOO_LARGE, 52_400_000, "Percy <percy@shelley.example>", "All the photographs"
    )
    kept[MARY] = replace(kept[MARY], candidates=(left,))
    return kept


def _dry_run() -> RetrievalReport:
    """What a retrieval of Ada's mail would do."""
    found = MailboxResult("INBOX", f"{_FOLDER}/Ada", stored=3, octets=1_342_000, kept=1281, deleted=2, on_server=1286)
    fetch, delete, large = Verdict.FETCH, Verdict.DELETE, Verdict.TOO_LARGE
    candidates = (
        Candidate("INBOX", "9001", fetch, 12_300, "Charles Babbage <charles@engine.example>", "Cards", "Sun 11:40"),
        Candidate("INBOX", "9002", fetch, 1_320_000, "Mary Somerville <mary@stars.example>", "", "Sun 11:52"),
        Candidate("INBOX", "9003", fetch, 9_700, "Sophia <sophia@logic.example>", "論理について", "Sun 11:58"),
        Candidate("INBOX", "312", delete, 4_100, "The Times <news@times.example>", "Of 2 May", "Fri 06:00"),
        Candidate("INBOX", "313", delete, 4_300, "The Times <news@times.example>", "Of 3 May", "Sat 06:00"),
        Candidate("INBOX", "8812", large, 61_000_000, "Lord Byron <byron@don.example>", "Venice", "Wed 23:12"),
    )
    return retrieval_report(PEOPLE[ADA], found, candidates=candidates, is_stable=True)


def _progress() -> dict[str, list[RetrievalProgress]]:
    def at(name: str, messages: int, in_all: int) -> RetrievalProgress:
        return RetrievalProgress(name, "INBOX", messages, in_all, messages * 31_000, in_all * 31_000)

    return {ADA: [at(ADA, 0, 5_000), at(ADA, 1_284, 5_000)], MARY: [at(MARY, 0, 412), at(MARY, 390, 412)]}


def pictured_retrievals(*, held: bool, dry_run: bool, retrieved: bool) -> ScriptedRetrievals:
    """Everybody's mail, some of it `retrieved` before; `dry_run` is what is played for Ada."""
    played = {
        name: retrieval_report(PEOPLE[name], failure=found.inbound.failure)
        for name, found in REPORTS.items()
        if found.inbound is not None and found.inbound.failure is not None
    }
    if dry_run:
        played[ADA] = _dry_run()
    return ScriptedRetrievals(
        played, held=held, progress=_progress() if held else {}, kept=_kept() if retrieved else {}
    )


class PicturedChecks(ScriptedChecks):
    """Plays what the checks of these people say."""

    async def _check(
        self, account: Account, secrets: SecretReader, on_event: Listener, on_report: Callable[[CheckReport], None]
    ) -> None:
        played = REPORTS.get(account.name) or report(account)
        for leg in played.legs:
            self._play(account.name, leg, on_event, range(self.steps))
        await self.gate.wait()
        for leg in played.legs:
            self._play(account.name, leg, on_event, range(self.steps, len(leg.stages)))
        on_report(replace(played, started=NOW))
