"""The report that is shown to others: everything of the fault is in it, and nothing of the person."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailtui.actions import share
from mailtui.actions.share import share_report
from mailtui.diagnosis import diagnose
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
from mailtui.model.destination import Destination
from mailtui.model.diagnosis import UNKNOWN, Diagnosis, Fix
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Offered, Service
from mailtui.model.text import clean

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)

ADA = Account(
    "Work: Analytical Engines",
    "ada.lovelace@countess.example",
    Submission(
        Endpoint("smtp.example.org", 587, Security.STARTTLS, CertificatePolicy(Trust.CA_FILE, "/home/augusta/ca.pem")),
        username="augusta.king",
        secret=SecretRef(SecretScheme.COMMAND, "pass show countess/mail"),
    ),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993), username="lovelace-in"),
    type="the Byrons",
    display_name="Ada, Countess of Lovelace",
    notes="Ask Charles first.\nHe knows the pass phrase.",
)

PLACEHOLDERS = (
    "<address> <username> <display-name> <account-name> <notes> <local-part> <domain> <this-host> <ip-address> "
    "<user> <ca-file> <where the password is kept> <base64 of"
)


def leg(*lines: str, failure: Failure | None = None, sender: str = "S") -> LegReport:
    """An outbound leg whose transcript is `lines`."""
    ends = NOW + timedelta(days=61)
    certificate = CertificateFacts(
        "CN=smtp.example.org", ("smtp.example.org",), "CN=R11", ends - timedelta(days=90), ends, "3b" * 32, "9f" * 32
    )
    return LegReport(
        Leg.OUTBOUND,
        Protocol.SMTP,
        ADA.submission.endpoint,
        (
            StageResult(Stage.RESOLVE, Status.OK, 3.0, "192.0.2.25, 2001:db8::25"),
            StageResult(
                Stage.AUTH, Status.FAILED if failure else Status.OK, 212.0, "PLAIN", failure.reply if failure else ""
            ),
            StageResult(Stage.QUIT, Status.SKIPPED),
        ),
        317.0,
        failure,
        TlsFacts(
            "TLSv1.3", "TLS_AES_256_GCM_SHA384", certificate, True, (replace(certificate, subject="CN=The Root"),)
        ),
        address="192.0.2.25",
        capabilities=("PIPELINING", "AUTH PLAIN"),
        round_trips=7,
        transcript=tuple(TranscriptLine(sender, clean(line), 10.0) for line in lines),
    )


def check(*lines: str, failure: Failure | None = None, sender: str = "S", hours: float = 0) -> CheckReport:
    return CheckReport(ADA.name, NOW - timedelta(hours=hours), 400.0, leg(*lines, failure=failure, sender=sender), None)


def said(*lines: str, account: Account = ADA, sender: str = "S") -> list[str]:
    """What the report's transcript makes of `lines`, without the times."""
    told = share_report(account, check(*lines, sender=sender)).splitlines()
    begin = next(at for at, line in enumerate(told) if line.startswith("  Transcript"))
    return [line[14:] for line in told[begin + 1 : begin + 1 + len(lines)]]


def test_everything_that_helps_is_in_it() -> None:
    failure = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "the server refuses the login", "535 5.7.8 no such user")
    told = share_report(ADA, check("220 ready", "535 5.7.8 no such user", failure=failure), [check(hours=2)])
    for words in (
        "mailtui   ",
        "Python   ",
        "OpenSSL",
        "smtp.example.org:587 STARTTLS",
        "imap.example.org:993 SSL/TLS",
        "verify against an extra CA file",
        "password from: command",
        "FAILED at auth: bad-credentials (auth)",
        "535 5.7.8 no such user",
        "resolve      ok           3.0 ms  192.0.2.25, 2001:db8::25",
        "quit         skipped",
        "TLSv1.3 TLS_AES_256_GCM_SHA384, verified",
        "issued by: CN=The Root",
        "2025-08-01, 61 days left",
        "AUTH PLAIN",
        "changed since 2025-06-01 10:00 UTC: nothing",
        "     10 S 220 ready",
        "2 checks since 2025-06-01, 50 % good",
    ):
        assert words in told, words
    assert "(not kept)" in share_report(ADA, check())


def test_what_was_learnt_of_the_server_and_the_diagnosis_are_in_it() -> None:
    failure = Failure(
        Cause.BAD_CREDENTIALS,
        Stage.AUTH,
        "the server refuses the login",
        "535 5.7.8 Username and Password not accepted",
    )
    learnt = replace(
        leg("220 ready", failure=failure),
        offered=Offered(False, ("PLAIN", "LOGIN"), ("PIPELINING",)),
        addresses=("192.0.2.25", "2001:db8::25"),
        families=(
            FamilyFacts("IPv4", "192.0.2.25", 12.34),
            FamilyFacts("IPv6", "2001:db8::25", None, "timed out for Lovelace-In", True),
            FamilyFacts("IPv6", "2001:db8::26", None, "refused"),
        ),
        found=(Found(993, Service.IMAP, Security.IMPLICIT_TLS, "* OK ada.lovelace@countess.example"),),
        changes=(
            Change(ChangeKind.STARTTLS_LOST, "STARTTLS is gone for augusta.king", True),
            Change(ChangeKind.ADDRESSES, "addresses: 198.51.100.7 before, 192.0.2.25 now"),
        ),
        changed_since=NOW - timedelta(days=3),
    )
    told = share_report(ADA, CheckReport(ADA.name, NOW, 400.0, learnt, None))
    diagnosis = diagnose(learnt, ADA.email)
    assert diagnosis is not None
    for words in (
        f"  Diagnosis    {diagnosis.rule}: {diagnosis.cause}",
        f"  What to do   {diagnosis.fix}",
        "  Changed since 2025-05-29 12:00 UTC (! holds the login back)",
        "    ! starttls-lost: STARTTLS is gone for <username>",
        "      addresses: addresses: 198.51.100.7 before, 192.0.2.25 now",
        "    IPv4  192.0.2.25  connected in 12.3 ms",
        "    IPv6  2001:db8::25  silent: timed out for <username>",
        "    IPv6  2001:db8::26  failed: refused",
        "    port 993: imap, SSL/TLS  * OK <address>",
        "  Offered      no STARTTLS, logins: PLAIN LOGIN",
    ):
        assert words in told, words


def test_an_unknown_failure_is_called_so_and_names_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Diagnosis(
        "a-rule", "Ada, Countess of Lovelace may not", "because", "log in as augusta.king", "https://help.example/535",
        Fix(Leg.OUTBOUND, Protocol.SMTP, ADA.submission.endpoint, "trust this key", needs_consent=True),
    )  # fmt: skip
    monkeypatch.setattr(share, "diagnose", lambda leg, email: known)
    told = share_report(ADA, check("220 ready"))
    for words in (
        "  Diagnosis    a-rule: <display-name> may not\n               because\n",
        "  What to do   log in as <username>",
        "  See          https://help.example/535",
        "  mailtui can  trust this key, once a person has agreed",
    ):
        assert words in told, words
    monkeypatch.setattr(share, "diagnose", lambda leg, email: Diagnosis(UNKNOWN, "", "", ""))
    assert "  Diagnosis    unknown\n" in share_report(ADA, check("220 ready"))


def test_nothing_of_the_person_is_in_it() -> None:
    told = share_report(
        ADA,
        check(
            "550 ada.lovelace@countess.example: relaying denied for AUGUSTA.KING and Lovelace-In",
            "550 Ada, Countess of  Lovelace is unknown, so is work: analytical engines",
            "451 cannot run pass show countess/mail, nor read /home/augusta/ca.pem or /home/augusta/.cache/x",
            "550 ada.lovelace. is no user of countess.example",
        ),
    ).casefold()
    for word in ("ada", "lovelace", "countess", "augusta", "analytical engines", "byron", "charles", "pass show"):
        assert word not in told, word
    assert "<address>: relaying denied for <username> and <username>" in told


def test_host_names_stay_even_where_a_name_is_a_part_of_them() -> None:
    person = replace(ADA, name="example", submission=replace(ADA.submission, username="smtp"))
    assert said("220 smtp.example.org: hello smtp, your example", account=person) == [
        "220 smtp.example.org: hello <username>, your <account-name>"
    ]
    own = replace(ADA, email="ada@example.org")
    assert said("550 ada@example.org: example.org refuses", account=own) == ["550 <address>: example.org refuses"]


def test_short_names_are_words_of_their_own() -> None:
    person = replace(ADA, name="M", submission=replace(ADA.submission, username="ab"))
    assert said("ab, above M or mail", account=person) == ["<username>, above <account-name> or mail"]


def test_the_own_computer_and_its_address_are_left_out_and_the_servers_stay() -> None:
    assert said("EHLO desk.countess-home.example", "AUTH PLAIN ****", sender="C")[0] == "EHLO <this-host>"
    assert said(
        "250 hello p5b0a1f.dip.example [203.0.113.7] and 2001:db8:1::9, this is 192.0.2.25 at 12:30:45, 127.0.0.1",
        "250 at your service, [203.0.113.7]; 2001:db8::25 4.7.1",
    ) == [
        "250 hello <this-host> [<ip-address>] and <ip-address>, this is 192.0.2.25 at 12:30:45, 127.0.0.1",
        "250 at your service, [<ip-address>]; 2001:db8::25 4.7.1",
    ]


def test_base64_of_others_stays_readable() -> None:
    lines = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "250-CHUNKING", "A1 OK capabilities"]
    assert said(*lines) == lines


@pytest.mark.parametrize("message", ["\0ab\0", "user=ab\1auth=Bearer ", "ab"])
def test_a_short_name_is_found_in_the_base64_of_a_login(message: str) -> None:
    person = replace(ADA, submission=replace(ADA.submission, username="ab"))
    encoded = b64encode(message.encode()).decode()
    assert said(f"AUTH PLAIN {encoded}****", account=person) == ["AUTH PLAIN <base64 of <username>>****"]


def test_a_line_that_was_cut_does_not_end_in_half_a_name() -> None:
    line = "x" * (1_999 - len("augusta.k")) + "augusta.king is unknown"
    assert said(line)[0].endswith("xx<username>…")


def test_each_line_is_one_line_and_shows_hostile_text_as_escapes() -> None:
    told = share_report(replace(ADA, name="a\nb"), check("220 \x1b[31mred\r\n  Account\u202e"))
    assert r"220 \x1b[31mred\x0d\x0a  Account\u202e" in told
    assert all(character == "\n" or character.isprintable() for character in told)


values = st.text(st.characters(codec="utf-8"), min_size=4, max_size=30).filter(lambda value: len(value.strip()) >= 4)
others = st.text(max_size=10)
BASELINE = (share_report(ADA, check("x")) + PLACEHOLDERS).casefold()


def person_of(value: str, place: str) -> Account:
    match place:
        case "address":
            return replace(ADA, email=f"{value}@countess.example")
        case "username":
            return replace(ADA, submission=replace(ADA.submission, username=value))
        case "display name":
            return replace(ADA, display_name=value)
        case "notes":
            return replace(ADA, notes=value)
    return replace(ADA, name=value)


places = st.sampled_from(["address", "username", "display name", "name", "notes"])


def shown_of(person: Account, value: str, place: str) -> str:
    return person.email if place == "address" else value


@given(values, places, others, others)
def test_no_value_is_left_in_any_case(value: str, place: str, before: str, after: str) -> None:
    assume(value.strip().casefold() not in BASELINE)
    person = person_of(value, place)
    shown = shown_of(person, value, place)
    told = share_report(person, check(before + shown + after, shown.upper(), shown.lower()))
    for form in (shown, shown.upper(), shown.lower()):
        assert (
            clean(form.strip()) not in told.replace(before, "") if before.strip() else clean(form.strip()) not in told
        )


@given(values, places, st.integers(0, 5), st.binary(max_size=9), st.sampled_from(["", "AUTH PLAIN ", "+ ", "ab", "x="]))
def test_no_value_is_left_in_base64_at_any_offset(value: str, place: str, offset: int, tail: bytes, lead: str) -> None:
    person = person_of(value, place)
    raw = shown_of(person, value, place).encode()
    assume(len(raw.strip()) >= 6)
    encoded = b64encode(bytes(offset) + raw + tail).decode()
    core = encoded[-(-8 * offset // 6) : 8 * (offset + len(raw)) // 6]
    assume(core.casefold() not in BASELINE)
    for form in (raw, raw.upper(), raw.lower()):
        line = lead + b64encode(bytes(offset) + form + tail).decode() + "=tail"
        told = share_report(person, check(line))
        first, last = -(-8 * offset // 6), 8 * (offset + len(form)) // 6
        assert b64encode(bytes(offset) + form + tail).decode()[first:last] not in told


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("MAIL FROM:<ada.byron@piccadilly.example>", "MAIL FROM:<<address>>"),
        ("MAIL FROM:<ada.byron@piccadilly.example> SMTPUTF8", "MAIL FROM:<<address>> SMTPUTF8"),
        ("A002 LOGIN ada.byron@piccadilly.example ****", "A002 LOGIN <username> ****"),
        ('A002 LOGIN "ada.byron@piccadilly.example" ****', 'A002 LOGIN "<username>" ****'),
        ("USER ada.byron@piccadilly.example", "USER <username>"),
        ("APOP ada.byron@piccadilly.example ****", "APOP <username> ****"),
        (f"AUTH LOGIN {b64encode(b'ada.byron@piccadilly.example').decode()}", "AUTH LOGIN <base64 of <username>>"),
        (
            f"A3 AUTHENTICATE PLAIN {b64encode(b'%cada.byron@piccadilly.example%c' % (0, 0)).decode()}",
            "A3 AUTHENTICATE PLAIN <base64 of <username>>",
        ),
        (b64encode(b"ada.byron@piccadilly.example").decode(), "<base64 of <username>>"),
    ],
)
def test_who_the_account_was_when_it_was_checked_is_left_out_too(line: str, hidden: str) -> None:
    """It may have been edited since."""
    told = share_report(
        ADA,
        CheckReport(
            ADA.name,
            NOW,
            400.0,
            replace(
                leg(),
                transcript=(
                    TranscriptLine("C", clean(line), 1.0),
                    TranscriptLine("S", "250 ada.byron@piccadilly.example, ada.byron, piccadilly.example", 2.0),
                    TranscriptLine("S", b64encode(b"for ada.byron@piccadilly.example").decode(), 3.0),
                ),
            ),
            None,
        ),
    )
    assert f" C {hidden}\n" in told
    for part in ("byron", "piccadilly", b64encode(b"for ada.byron").decode()[:12]):
        assert part.lower() not in told.lower()


def test_what_the_server_says_and_what_is_no_name_stays() -> None:
    lines = ["AUTH LOGIN", "AUTH PLAIN ****", "MAIL FROM:<>", "AUTH SCRAM-SHA-256 ****", "QUIT", "****", "RSET"]
    assert said(*lines, sender="C") == lines
    assert said("USER mallory") == ["USER mallory"]


def test_only_older_checks_are_its_history() -> None:
    """One that was recorded between two readings is none of them."""
    later, earlier = check(hours=-1), check(hours=1)
    told = share_report(ADA, check(), [later, check(), earlier])
    assert told.count(" UTC  outbound") == 2
    assert f"{later.started:%H:%M:%S} UTC  " not in told


def test_where_mail_goes_is_told_without_a_path_or_a_command() -> None:
    assert ADA.retrieval is not None
    for text, kind in (
        ("command:/home/zoltan/bin/sort --for zoltan", "command"),
        ("maildir:/home/zoltan/Mail", "maildir"),
    ):
        retrieval = replace(
            ADA.retrieval, destination=Destination.parse(text), mailboxes=("INBOX", "Zoltan"), size_limit=25
        )
        report = share_report(replace(ADA, retrieval=retrieval), check("OK"))
        assert f"               delivered to: {kind}, mailboxes named: 2, size limit: 25 MB" in report.splitlines()
        assert "zoltan" not in report.lower()
