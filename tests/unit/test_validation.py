"""What an account may hold: each problem names its field, and all are found at once."""

from dataclasses import replace

import pytest

from mailtui.model.account import (
    METHODS,
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Submission,
    Trust,
    ascii_host,
)
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.errors import InvalidAccount
from mailtui.model.validation import problems, require_valid

KEYRING = SecretRef(SecretScheme.KEYRING)
SUBMISSION = Submission(Endpoint("mail.example.org", 465), secret=KEYRING)
RETRIEVAL = Retrieval(Protocol.IMAP, Endpoint("mail.example.org", 993))
SOUND = Account("ada", "ada@example.org", SUBMISSION, RETRIEVAL)


def fields(account: Account) -> list[str]:
    return [error.field for error in problems(account)]


def with_host(host: str) -> Account:
    return replace(SOUND, submission=replace(SUBMISSION, endpoint=Endpoint(host, 465)))


def with_retrieval(**changes: object) -> Account:
    return replace(SOUND, retrieval=replace(RETRIEVAL, **changes))  # type: ignore[arg-type]  # each test names a field


def test_a_sound_account_has_no_problem() -> None:
    assert require_valid(SOUND) is SOUND


def test_every_problem_is_found_at_once() -> None:
    account = Account(
        " ",
        "ada",
        Submission(Endpoint("", 0, certificate=CertificatePolicy(Trust.PIN, pin="AB"))),
        Retrieval(Protocol.SMTP, Endpoint("a..b", 65_536), interval=0, delete_after=0, leave_on_server=False),
    )
    with pytest.raises(InvalidAccount) as caught:
        require_valid(account)
    assert [error.field for error in caught.value.errors] == [
        "name",
        "name",
        "email",
        "submission.host",
        "submission.port",
        "submission.pin",
        "submission.secret",
        "retrieval.host",
        "retrieval.port",
        "retrieval.protocol",
        "retrieval.secret",
        "retrieval.interval",
        "retrieval.delete_after",
        "retrieval.delete_after",
    ]
    assert len(str(caught.value).splitlines()) == 14


@pytest.mark.parametrize("hostile", ["\r\n", "\n", "\0", "\x1b", "\x7f", "\u202e", "\u200b", "\ud800"])
def test_hostile_characters_are_refused_in_every_text_field(hostile: str) -> None:
    text = f"a{hostile}b"
    submission = Submission(
        Endpoint(f"{text}.example", 465, certificate=CertificatePolicy(Trust.CA_FILE, f"/{text}")),
        username=text,
        secret=SecretRef(SecretScheme.COMMAND, text),
    )
    retrieval = replace(RETRIEVAL, username=text, folder=text, secret=SecretRef(SecretScheme.VAULT, text))
    account = Account(text, f"{text}@example.org", submission, retrieval, type=text, display_name=text, notes=text)
    assert set(fields(account)) >= {
        "name",
        "email",
        "type",
        "display_name",
        "notes",
        "submission.host",
        "submission.ca_file",
        "submission.username",
        "submission.secret",
        "retrieval.username",
        "retrieval.folder",
        "retrieval.secret",
    }
    assert all(hostile not in str(error) for error in problems(account))


@pytest.mark.parametrize("destination", ["lmtp:localhost:24", "command:procmail -d ada"])
def test_a_folder_is_refused_where_the_mail_goes_to_none(destination: str) -> None:
    retrieval = replace(RETRIEVAL, destination=Destination.parse(destination))
    assert problems(replace(SOUND, retrieval=retrieval)) == ()
    assert problems(replace(SOUND, retrieval=replace(RETRIEVAL, folder="Work"))) == ()
    (found,) = problems(replace(SOUND, retrieval=replace(retrieval, folder="Work")))
    assert found.field == "retrieval.folder"
    assert "remove it, or choose maildir" in found.message


@pytest.mark.parametrize("port", [-1, 0, 65_536, 10**9])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    assert fields(replace(SOUND, submission=replace(SUBMISSION, endpoint=Endpoint("x.org", port)))) == [
        "submission.port"
    ]


@pytest.mark.parametrize("port", [1, 465, 65_535])
def test_a_port_in_range_is_taken(port: int) -> None:
    assert problems(replace(SOUND, submission=replace(SUBMISSION, endpoint=Endpoint("x.org", port)))) == ()


@pytest.mark.parametrize(
    "host", ["localhost", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "münchen.example", "例え.jp", "a_b.c."]
)
def test_host_names_and_addresses_are_taken(host: str) -> None:
    assert problems(with_host(host)) == ()


@pytest.mark.parametrize(
    "host", ["a b", "-a.org", "a-.org", "a..org", "a/b", "x" * 64, "straße.example", "a\u200db.example", "."]
)
def test_what_is_no_host_name_is_refused(host: str) -> None:
    assert fields(with_host(host)) == ["submission.host"]


def test_a_name_of_another_script_is_shown_with_its_ascii_form() -> None:
    endpoint = Endpoint("München.example", 465)
    assert endpoint.ascii_host == "xn--mnchen-3ya.example"
    assert endpoint.label == "München.example:465 (xn--mnchen-3ya.example)"
    assert ascii_host("MAIL.example.org.") == "mail.example.org"
    assert Endpoint("2001:db8::1", 993).label == "[2001:db8::1]:993"


@pytest.mark.parametrize(
    "email",
    [
        "",
        " ",
        "ada",
        "@example.org",
        "ada@",
        "ada lovelace@example.org",
        "<ada@x.org>",
        f"{'a' * 65}@x.org",
        "ada@-x.org",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert fields(replace(SOUND, email=email)) == ["email"]


@pytest.mark.parametrize(
    "email", ["ada@example.org", "ada@[192.0.2.1]", "ada@[IPv6:2001:db8::1]", "grüße@bücher.example", "a+b@x.org"]
)
def test_addresses_are_taken(email: str) -> None:
    assert problems(replace(SOUND, email=email)) == ()


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
@pytest.mark.parametrize("method", AuthMethod)
def test_only_the_methods_of_the_protocol_are_taken(protocol: Protocol, method: AuthMethod) -> None:
    expected = [] if method in METHODS[protocol] else ["retrieval.method"]
    assert fields(with_retrieval(protocol=protocol, method=method)) == expected


def test_smtp_knows_no_apop() -> None:
    assert fields(replace(SOUND, submission=replace(SUBMISSION, method=AuthMethod.APOP))) == ["submission.method"]


def test_a_login_needs_a_secret_unless_it_is_off() -> None:
    without = replace(SUBMISSION, secret=None)
    assert fields(replace(SOUND, submission=without, retrieval=None)) == ["submission.secret"]
    assert fields(replace(SOUND, submission=replace(without, authentication=False), retrieval=None)) == []
    assert fields(replace(SOUND, submission=replace(without, authentication=False))) == ["retrieval.secret"]


@pytest.mark.parametrize(("trust", "field"), [(Trust.CA_FILE, "submission.ca_file"), (Trust.PIN, "submission.pin")])
def test_a_policy_needs_what_it_verifies_with(trust: Trust, field: str) -> None:
    endpoint = Endpoint("mail.example.org", 465, certificate=CertificatePolicy(trust))
    assert fields(replace(SOUND, submission=replace(SUBMISSION, endpoint=endpoint))) == [field]


def with_policy(policy: CertificatePolicy) -> list[str]:
    endpoint = Endpoint("mail.example.org", 465, certificate=policy)
    return [str(error) for error in problems(replace(SOUND, submission=replace(SUBMISSION, endpoint=endpoint)))]


def test_several_pins_are_one_text() -> None:
    assert with_policy(CertificatePolicy(Trust.PIN, pin=f"{'ab' * 32} {'cd' * 32}")) == []
    assert with_policy(CertificatePolicy(Trust.PIN, pin=f"{'ab' * 32} {'cd' * 31}")) == [
        "submission.pin: pin 2 has 62 hex digits; a pin is 64 hex digits or sha256//BASE64"
    ]
    assert with_policy(CertificatePolicy(Trust.PIN, pin="AB" * 32)) == [
        "submission.pin: is not as pins are stored: 64 lower-case hex digits each, with one space between them"
    ]


def test_a_pin_that_is_not_in_force_may_be_anything_but_hostile() -> None:
    assert with_policy(CertificatePolicy(pin="for later")) == []
    (error,) = with_policy(CertificatePolicy(pin="\x1b[31m"))
    assert error.startswith("submission.pin: holds a line break, control")


def test_messages_deleted_after_days_must_be_left_first() -> None:
    assert fields(with_retrieval(delete_after=7)) == []
    assert fields(with_retrieval(delete_after=7, leave_on_server=False)) == ["retrieval.delete_after"]


def test_long_text_is_refused_with_its_length() -> None:
    (error,) = problems(replace(SOUND, type="x" * 1_001))
    assert str(error) == "type: is 1001 characters long; the limit is 1000"


def test_a_reference_never_repeats_what_may_be_a_password() -> None:
    with pytest.raises(ValueError, match="never written here") as caught:
        SecretRef.parse("hunter2")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mailboxes": ("INBOX", "Lists/*", "%")}, ""),
        ({"mailboxes": ()}, "mailboxes: names none"),
        ({"mailboxes": ("INBOX", "a", "INBOX")}, "mailboxes: names one twice"),
        ({"mailboxes": ("INBOX", "")}, "mailboxes: is empty"),
        ({"mailboxes": ("a ",)}, "mailboxes: holds a name that starts or ends with a space"),
        ({"mailboxes": ("a\x1b[2J",)}, "mailboxes: holds a line break, control"),
        ({"mailboxes": ("x" * 1_001,)}, "mailboxes: is 1001 characters long"),
        ({"mailboxes": tuple(map(str, range(101)))}, "mailboxes: names 101; give at most 100"),
        ({"protocol": Protocol.POP3, "mailboxes": ("inbox",)}, ""),
        ({"protocol": Protocol.POP3, "mailboxes": ("INBOX", "Lists")}, "mailboxes: names others than INBOX"),
        ({"destination": Destination(DestinationKind.LMTP, "localhost:24")}, ""),
        ({"destination": Destination(DestinationKind.LMTP, "localhost")}, "destination: cannot be used: give a host"),
        ({"destination": Destination(DestinationKind.COMMAND)}, "destination: cannot be used: command needs a value"),
        ({"destination": Destination(DestinationKind.MAILDIR, " ~/Mail")}, "destination: starts or ends with a space"),
        ({"destination": Destination(DestinationKind.MAILDIR, "/a\u202eb")}, "destination: holds a line break"),
        ({"size_limit": 1}, ""),
        ({"size_limit": 0}, "size_limit: is 0; give a whole number of MB from 1"),
    ],
)
def test_what_is_retrieved_and_where_it_goes(changes: dict[str, object], told: str) -> None:
    found = [str(problem) for problem in problems(with_retrieval(**changes))]
    assert len(found) == bool(told)
    assert all(problem.startswith(f"retrieval.{told}") for problem in found)
