"""A small world at one moment: accounts, and what a check of each would say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.check import (
    Cause,
    CertificateFacts,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Stage,
    StageResult,
    Status,
    TlsFacts,
    TranscriptLine,
)
from mailtui.tui.legs import setup_of

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
_KEYRING = SecretRef(SecretScheme.KEYRING)
_MS = {
    Stage.RESOLVE: 3.1,
    Stage.CONNECT: 18.0,
    Stage.TLS: 41.0,
    Stage.GREETING: 12.4,
    Stage.CAPABILITIES: 9.7,
    Stage.STARTTLS: 11.0,
    Stage.AUTH: 212.0,
    Stage.MAILBOX: 22.0,
    Stage.ENVELOPE: 31.0,
    Stage.QUIT: 8.2,
}
_DETAIL = {
    Stage.RESOLVE: "192.0.2.25, 2001:db8::25",
    Stage.CONNECT: "192.0.2.25 (IPv4)",
    Stage.TLS: "TLSv1.3 TLS_AES_256_GCM_SHA384; certificate of mail.example.org, 61 days left",
    Stage.GREETING: "mail.example.org",
    Stage.CAPABILITIES: "8 capabilities",
    Stage.STARTTLS: "ready",
    Stage.AUTH: "PLAIN as the user's address",
    Stage.MAILBOX: "INBOX has 1284 messages, 3 unseen",
    Stage.ENVELOPE: "sender accepted, nothing sent",
    Stage.QUIT: "closed",
}


def account(
    name: str,
    email: str,
    smtp: str = "smtp.example.org",
    inbound: str | None = "imap.example.org",
    *,
    protocol: Protocol = Protocol.IMAP,
    security: Security = Security.IMPLICIT_TLS,
    trust: Trust = Trust.SYSTEM,
    active: bool = True,
    type: str = "",
) -> Account:
    """An account that was last changed nine days before NOW."""
    policy = CertificatePolicy(trust)
    starttls = security is Security.STARTTLS
    ports = {Protocol.IMAP: 143 if starttls else 993, Protocol.POP3: 110 if starttls else 995}
    retrieval = None
    if inbound is not None:
        retrieval = Retrieval(protocol, Endpoint(inbound, ports[protocol], security, policy))
    submission = Submission(Endpoint(smtp, 587 if starttls else 465, security, policy), secret=_KEYRING)
    changed = NOW - timedelta(days=9)
    return Account(name, email, submission, retrieval, type=type, active=active, created=changed, updated=changed)


def leg_report(
    account: Account, leg: Leg, failure: Failure | None = None, *, warning: str = "", shown: str = ""
) -> LegReport:
    """What a check of `leg` finds: all good, or good until the failure's stage, with `shown` as its detail."""
    setup = setup_of(account, leg)
    assert setup is not None
    protocol, endpoint = setup.protocol, setup.endpoint
    stages: list[StageResult] = []
    status = Status.OK
    for stage in setup.plan:
        if status is Status.FAILED:
            status = Status.SKIPPED
        if failure is not None and status is Status.OK and stage is failure.stage:
            status = Status.FAILED
            stages.append(StageResult(stage, status, _MS[stage], shown, failure.reply))
        elif status is Status.OK:
            stages.append(StageResult(stage, status, _MS[stage], _DETAIL[stage]))
        else:
            stages.append(StageResult(stage, status))
    passed_tls = any(stage.stage is Stage.TLS and stage.status is Status.OK for stage in stages)
    wrong_certificate = failure is not None and failure.stage is Stage.TLS
    return LegReport(
        leg,
        protocol,
        endpoint,
        tuple(stages),
        sum(stage.ms for stage in stages),
        failure,
        tls=_tls(endpoint, expired=wrong_certificate) if passed_tls or wrong_certificate else None,
        address="192.0.2.25",
        mechanism="PLAIN" if failure is None else "",
        capabilities=_CAPABILITIES[protocol],
        messages=1284 if leg is Leg.INBOUND and failure is None else None,
        round_trips=7,
        transcript=_dialogue(protocol, endpoint.host),
        warning=warning,
    )


_CAPABILITIES = {
    Protocol.SMTP: (
        "8BITMIME",
        "AUTH PLAIN LOGIN SCRAM-SHA-256",
        "CHUNKING",
        "PIPELINING",
        "SIZE 52428800",
        "SMTPUTF8",
    ),
    Protocol.IMAP: ("IMAP4rev1", "AUTH=PLAIN", "IDLE", "LITERAL+", "MOVE", "SASL-IR", "UIDPLUS"),
    Protocol.POP3: ("PIPELINING", "SASL PLAIN", "STLS", "TOP", "UIDL", "USER"),
}


def _tls(endpoint: Endpoint, *, expired: bool) -> TlsFacts:
    ends = NOW - timedelta(days=3) if expired else NOW + timedelta(days=61, hours=1)
    certificate = CertificateFacts(
        f"CN={endpoint.host}",
        (endpoint.host, "mail.example.org"),
        "CN=R11, O=Let's Encrypt, C=US",
        ends - timedelta(days=90),
        ends,
        "3b" * 32,
        "9f" * 32,
    )
    verified = endpoint.certificate.trust is not Trust.ANYTHING and not expired
    return TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", certificate, verified)


def _dialogue(protocol: Protocol, host: str) -> tuple[TranscriptLine, ...]:
    if protocol is Protocol.SMTP:
        lines = [
            ("*", "connected to 192.0.2.25, TLSv1.3"),
            ("S", f"220 {host} ESMTP ready"),
            ("C", "EHLO workstation.example.net"),
            ("S", f"250-{host} greets workstation.example.net"),
            ("S", "250-AUTH PLAIN LOGIN SCRAM-SHA-256"),
            ("S", "250 SIZE 52428800"),
            ("C", "AUTH PLAIN ****"),
            ("S", "235 2.7.0 Authentication successful"),
            ("C", "QUIT"),
            ("S", "221 2.0.0 Bye"),
        ]
    else:
        lines = [
            ("*", "connected to 192.0.2.25, TLSv1.3"),
            ("S", "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN] ready."),
            ("C", "A1 AUTHENTICATE PLAIN ****"),
            ("S", "A1 OK Logged in"),
            ("C", "A2 EXAMINE INBOX"),
            ("S", "* 1284 EXISTS"),
            ("S", "A2 OK [READ-ONLY] Examine completed."),
            ("C", "A3 LOGOUT"),
            ("S", "A3 OK Logout completed."),
        ]
    return tuple(TranscriptLine(sender, text, 20.0 + 14 * at) for at, (sender, text) in enumerate(lines))


def report(
    account: Account,
    outbound: Failure | None = None,
    inbound: Failure | None = None,
    *,
    ago: timedelta = timedelta(minutes=2),
    warning: str = "",
) -> CheckReport:
    """A whole check of `account`."""
    out = leg_report(account, Leg.OUTBOUND, outbound, warning=warning)
    into = None if account.retrieval is None else leg_report(account, Leg.INBOUND, inbound)
    return CheckReport(account.name, NOW - ago, 340.0, out, into)


WRONG_PASSWORD = Failure(
    Cause.BAD_CREDENTIALS,
    Stage.AUTH,
    "the server refuses the login of alan@bletchley.example",
    "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6 (reason unavailable, see https://example.org/help)",
)
WRONG_PASSWORD_IMAP = replace(WRONG_PASSWORD, reply="NO [AUTHENTICATIONFAILED] Authentication failed.")
EXPIRED = Failure(
    Cause.CERTIFICATE_EXPIRED, Stage.TLS, "the certificate of imap.expired.example:993 has expired on 2025-05-29"
)
REFUSED = Failure(
    Cause.PORT_REFUSED, Stage.CONNECT, "nothing listens on smtp.closed.example:465, or a firewall refuses it"
)
SILENT = Failure(Cause.SILENT, Stage.GREETING, "silent.example.org:465 did not answer within 10 s")
SSH = Failure(
    Cause.FOREIGN_BANNER,
    Stage.GREETING,
    "this is no IMAP server: this is an SSH server",
    "SSH-2.0-OpenSSH_9.2",
)

ADA = account("Ada Lovelace – newsletter", "ada@analytical.example", type="campaigns")
CHARLES = account(
    "Charles Babbage – orders", "orders@analytical.example", protocol=Protocol.POP3, inbound="pop.example.org"
)
AKIRA = account("渡辺 明 – サポート", "akira@watanabe.example", security=Security.STARTTLS)
ROBOT = account("Backup robot", "backup@machines.example", inbound=None, type="system")
ALAN = account("Alan Turing – wrong password", "alan@bletchley.example", security=Security.STARTTLS)
GRACE = account("Grace Hopper – certificate", "grace@cobol.example", inbound="imap.expired.example")
EMMY = account("Emmy Noether – accepts all", "emmy@invariant.example", trust=Trust.ANYTHING)
CLOSED = account("Closed port", "closed@example.org", smtp="smtp.closed.example")
SSHD = account("SSH on the mail port", "ssh@example.org", inbound="ssh.example.org")
QUIET = account("Silent server", "silent@example.org", smtp="silent.example.org")
NEW = account("Radia Perlman – new", "radia@bridges.example")
OFF = account("Winter campaign 2024", "winter@analytical.example", active=False, type="campaigns")

PEOPLE = (ADA, ALAN, ROBOT, CHARLES, CLOSED, EMMY, GRACE, NEW, QUIET, SSHD, OFF, AKIRA)
REPORTS = {
    found.account: found
    for found in (
        report(ADA),
        report(CHARLES, ago=timedelta(seconds=42)),
        report(AKIRA, warning="the certificate ends in 9 days, on 2025-06-10; renew it"),
        report(ROBOT, ago=timedelta(hours=3)),
        report(ALAN, WRONG_PASSWORD, WRONG_PASSWORD_IMAP),
        report(GRACE, None, EXPIRED),
        report(EMMY),
        report(CLOSED, REFUSED),
        report(SSHD, None, SSH),
        report(QUIET, SILENT),
        report(OFF, ago=timedelta(days=40)),
    )
}
