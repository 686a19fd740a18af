"""Who lives in the demo: each account, the servers its legs meet, and what a check of it must show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailtui.model.account import (
    Account,
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
from mailtui.model.check import Cause, Leg, Stage

HOST = "localhost"
MAILBOX_REFUSAL = "Permission denied on mailbox INBOX"


@dataclass(frozen=True, slots=True)
class Way:
    """One leg: the port it meets (a name in the world's table of ports), how, and the failure to be shown there."""

    port: str
    protocol: Protocol
    security: Security
    cause: Cause | None = None
    stage: Stage | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One account of the demo. With `wrong_password` the stored password is not the server's."""

    name: str
    email: str
    type: str
    display_name: str
    notes: str
    outbound: Way
    inbound: Way | None
    wrong_password: bool = False
    refused: str = ""

    @property
    def ways(self) -> dict[Leg, Way]:
        """The legs that this account has."""
        legs = {Leg.OUTBOUND: self.outbound}
        if self.inbound is not None:
            legs[Leg.INBOUND] = self.inbound
        return legs


_SMTPS = Way("smtps", Protocol.SMTP, Security.IMPLICIT_TLS)
_SMTP = Way("smtp", Protocol.SMTP, Security.STARTTLS)
_IMAPS = Way("imaps", Protocol.IMAP, Security.IMPLICIT_TLS)
_IMAP = Way("imap", Protocol.IMAP, Security.STARTTLS)
_POP3S = Way("pop3s", Protocol.POP3, Security.IMPLICIT_TLS)
_POP3 = Way("pop3", Protocol.POP3, Security.STARTTLS)

PEOPLE = (
    Person(
        "Ada Lovelace – newsletter",
        "ada@analytical.example",
        "campaigns",
        "Ada Lovelace",
        "Healthy: SMTP and IMAP over SSL/TLS. Make its retrieval automatic: its server tells of new mail at once.",
        _SMTPS,
        _IMAPS,
    ),
    Person(
        "Charles Babbage – orders",
        "orders@analytical.example",
        "customer service",
        "Charles Babbage, orders",
        "Healthy: SMTP and POP3 over SSL/TLS.",
        _SMTPS,
        _POP3S,
    ),
    Person(
        "渡辺 明 – サポート",
        "akira@watanabe.example",
        "customer service",
        "渡辺 明",
        "Healthy: SMTP and IMAP, both with STARTTLS.",
        _SMTP,
        _IMAP,
    ),
    Person(
        "Mary Shelley – archive",
        "mary@prometheus.example",
        "",
        "Mary Shelley",
        "Healthy: SMTP and POP3, both with STARTTLS.",
        _SMTP,
        _POP3,
    ),
    Person(
        "Backup robot – reports",
        "backup@machines.example",
        "system",
        "Backup robot",
        "Healthy: sends only, receives nothing.",
        _SMTPS,
        None,
    ),
    Person(
        "Alan Turing – wrong password",
        "alan@bletchley.example",
        "system",
        "Alan Turing",
        "Broken: the stored password is not the one that the servers know.",
        Way("smtps", Protocol.SMTP, Security.IMPLICIT_TLS, Cause.BAD_CREDENTIALS, Stage.AUTH),
        Way("imaps", Protocol.IMAP, Security.IMPLICIT_TLS, Cause.BAD_CREDENTIALS, Stage.AUTH),
        wrong_password=True,
    ),
    Person(
        "Grace Hopper – expired certificate",
        "grace@cobol.example",
        "customer service",
        "Grace Hopper",
        "Broken: the IMAP server's certificate ended yesterday. Submission is healthy.",
        _SMTPS,
        Way("imaps-expired", Protocol.IMAP, Security.IMPLICIT_TLS, Cause.CERTIFICATE_EXPIRED, Stage.TLS),
    ),
    Person(
        "Emmy Noether – self-signed",
        "emmy@invariant.example",
        "campaigns",
        "Emmy Noether",
        "Broken: the submission server signed its own certificate. Retrieval is healthy.",
        Way("smtps-self-signed", Protocol.SMTP, Security.IMPLICIT_TLS, Cause.CERTIFICATE_SELF_SIGNED, Stage.TLS),
        _POP3S,
    ),
    Person(
        "Katherine Johnson – wrong name",
        "katherine@orbit.example",
        "customer service",
        "Katherine Johnson",
        "Broken: the POP3 server's certificate names another host. Submission is healthy.",
        _SMTPS,
        Way("pop3s-wrong-name", Protocol.POP3, Security.IMPLICIT_TLS, Cause.CERTIFICATE_WRONG_NAME, Stage.TLS),
    ),
    Person(
        "Hedy Lamarr – TLS on STARTTLS port",
        "hedy@hopping.example",
        "campaigns",
        "Hedy Lamarr",
        "Broken: set to SSL/TLS on a port where STARTTLS is spoken. Retrieval is healthy.",
        Way("smtp", Protocol.SMTP, Security.IMPLICIT_TLS, Cause.NOT_TLS, Stage.TLS),
        _IMAPS,
    ),
    Person(
        "Blaise Pascal – closed port",
        "blaise@wager.example",
        "system",
        "Blaise Pascal",
        "Broken: nothing listens on the submission port. Retrieval is healthy.",
        Way("closed", Protocol.SMTP, Security.IMPLICIT_TLS, Cause.PORT_REFUSED, Stage.CONNECT),
        _POP3S,
    ),
    Person(
        "Rosalind Franklin – silent server",
        "rosalind@helix.example",
        "customer service",
        "Rosalind Franklin",
        "Broken: the IMAP server accepts the connection and never says a word. Submission is healthy.",
        _SMTP,
        Way("silent", Protocol.IMAP, Security.STARTTLS, Cause.SILENT, Stage.GREETING),
    ),
    Person(
        "Edsger Dijkstra – SSH on the port",
        "edsger@shortest.example",
        "system",
        "Edsger Dijkstra",
        "Broken: an SSH server answers on the IMAP port. Submission is healthy.",
        _SMTPS,
        Way("ssh", Protocol.IMAP, Security.STARTTLS, Cause.FOREIGN_BANNER, Stage.GREETING),
    ),
    Person(
        "Sofia Kovalevskaya – mailbox refuses",
        "sofia@rotation.example",
        "customer service",
        "Софья Ковалевская",
        "Broken: login succeeds, but the server will not open INBOX. Submission is healthy.",
        _SMTPS,
        Way("imaps", Protocol.IMAP, Security.IMPLICIT_TLS, Cause.NO_INBOX, Stage.MAILBOX),
        refused=MAILBOX_REFUSAL,
    ),
)
"""Everybody, healthy ones first."""


def make_account(person: Person, ports: Mapping[str, int], ca_file: Path) -> Account:
    """The account of `person`, once the servers have their ports; its secret is in the vault under its own name."""
    policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(ca_file))

    def endpoint(way: Way) -> Endpoint:
        return Endpoint(HOST, ports[way.port], way.security, policy)

    retrieval = None
    if person.inbound is not None:
        retrieval = Retrieval(person.inbound.protocol, endpoint(person.inbound), mode=RetrievalMode.MANUAL)
    return Account(
        name=person.name,
        email=person.email,
        submission=Submission(endpoint(person.outbound), secret=SecretRef(SecretScheme.VAULT)),
        retrieval=retrieval,
        type=person.type,
        display_name=person.display_name,
        notes=person.notes,
    )
