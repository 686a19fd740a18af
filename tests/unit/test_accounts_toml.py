"""The TOML form of accounts: what is written is read back, and every mistake is told with its line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtui.interop.accounts_toml import account_table, read_accounts, write_accounts
from mailtui.interop.toml_keys import TABLES
from mailtui.interop.toml_lines import Lines
from mailtui.model.account import (
    DEFAULT_PORTS,
    METHODS,
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
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.errors import AccountFileError
from mailtui.model.text import has_hostile
from mailtui.model.validation import problems

ROOT = Path(__file__).resolve().parents[2]

texts = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30).filter(lambda t: not has_hostile(t))
names = texts.map(str.strip).filter(bool)
hosts = st.sampled_from(["mail.example.org", "192.0.2.1", "2001:db8::1", "münchen.example", "localhost"])
ports = st.integers(1, 65_535)
secrets = st.one_of(
    st.sampled_from([SecretRef(scheme) for scheme in (SecretScheme.KEYRING, SecretScheme.VAULT, SecretScheme.ASK)]),
    names.map(lambda value: SecretRef(SecretScheme.COMMAND, value)),
    names.map(lambda value: SecretRef(SecretScheme.VAULT, value)),
)
policies = st.one_of(
    st.sampled_from([CertificatePolicy(), CertificatePolicy(Trust.ANYTHING)]),
    # A policy that is not in force keeps its file and its pin.
    st.builds(
        CertificatePolicy,
        st.sampled_from(Trust),
        st.just("/etc/ca.pem"),
        st.text("0123456789abcdef", min_size=64, max_size=64),
    ),
)
endpoints = st.builds(Endpoint, hosts, ports, st.sampled_from(Security), policies, st.booleans())
destinations = st.one_of(
    st.just(Destination()),
    names.map(lambda name: Destination(DestinationKind.MAILDIR, f"~/{name}")),
    st.sampled_from(["localhost:24", "[::1]:24", "/run/dovecot/lmtp"]).map(
        lambda place: Destination(DestinationKind.LMTP, place)
    ),
    names.map(lambda command: Destination(DestinationKind.COMMAND, command)),
)


@st.composite
def retrievals(draw: st.DrawFn) -> Retrieval:
    protocol = draw(st.sampled_from([Protocol.IMAP, Protocol.POP3]))
    destination = draw(destinations)
    leave = draw(st.booleans())
    return Retrieval(
        protocol=protocol,
        endpoint=draw(endpoints),
        method=draw(st.sampled_from(METHODS[protocol])),
        username=draw(texts),
        secret=draw(st.none() | secrets),
        mode=draw(st.sampled_from(RetrievalMode)),
        interval=draw(st.integers(1, 10_080)),
        folder=draw(names) if destination.kind is DestinationKind.MAILDIR else "INBOX",
        leave_on_server=leave,
        delete_after=draw(st.none() | st.integers(1, 36_500)) if leave else None,
        mailboxes=("INBOX",)
        if protocol is Protocol.POP3
        else tuple(draw(st.lists(names, min_size=1, max_size=3, unique=True))),
        destination=destination,
        size_limit=draw(st.none() | st.integers(1, 1_000_000)),
    )


accounts = st.builds(
    Account,
    name=names.filter(lambda name: not name.startswith("-")),
    email=st.sampled_from(["ada@example.org", "grüße@bücher.example", '"odd\\"one"@example.org']),
    submission=st.builds(
        Submission,
        endpoint=endpoints,
        authentication=st.booleans(),
        method=st.sampled_from(METHODS[Protocol.SMTP]),
        username=texts,
        secret=secrets,
    ),
    retrieval=st.none() | retrievals(),
    type=texts,
    display_name=texts,
    active=st.booleans(),
    notes=texts,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(accounts, max_size=3, unique_by=lambda account: account.name), st.booleans())
def test_what_is_written_is_read_back(written: list[Account], commented: bool) -> None:
    assert [problems(account) for account in written] == [()] * len(written)
    assert read_accounts(write_accounts(written, commented=commented), "accounts.toml") == written


@settings(deadline=None, max_examples=50)
@given(st.lists(accounts, min_size=1, max_size=3), st.booleans())
def test_the_line_of_every_key_is_found(written: list[Account], commented: bool) -> None:
    text = write_accounts(written, commented=commented)
    lines = Lines(text)
    text_lines = text.split("\n")
    for index in range(len(written)):
        assert text_lines[lines.of(("account", index)) - 1] == "[[account]]"
        assert text_lines[lines.of(("account", index, "name")) - 1].startswith("name = ")
        assert text_lines[lines.of(("account", index, "submission", "host")) - 1].startswith("host = ")
        assert text_lines[lines.of(("account", index, "submission")) - 1].startswith("[account.submission]")


def test_lines_are_found_in_every_way_of_writing() -> None:
    text = '''# a remark with [[account]] in it
title = """
[[account]] = no
"quotes\\""""""
literal = \'\'\'
name = 1\'\'\'
list = [ 1, # ]
  { a = "}", "b.c" = 2 },
]
account = [
  { name = "ada", submission.host = "x" },
]
[ other . "part" ]
key = 1979-05-27T07:32:00Z
'''
    lines = Lines(text)
    assert lines.of(("literal",)) == 5
    assert lines.of(("list", 1, "b.c")) == 8
    assert lines.of(("account", 0, "submission", "host")) == 11
    assert lines.of(("other", "part", "key")) == 14
    assert lines.of(("other", "part", "missing")) == 13
    assert lines.of(("nowhere",)) == 1


SUBMISSION = '[account.submission]\nhost = "mail.example.org"\nsecret = "keyring"\n'


def account_with(more: str = "", submission: str = "", retrieval: str | None = None) -> str:
    text = f'[[account]]\nname = "ada"\nemail = "ada@example.org"\n{more}\n{SUBMISSION}{submission}\n'
    return text if retrieval is None else f'{text}[account.retrieval]\nhost = "mail.example.org"\n{retrieval}\n'


def told(text: str) -> list[str]:
    with pytest.raises(AccountFileError) as caught:
        read_accounts(text, "f.toml")
    return str(caught.value).splitlines()


def test_every_problem_at_once_each_with_its_line() -> None:
    text = """\
acount = 1
[[account]]
name = "ada"
emial = "ada@example.org"
active = "yes"

[account.submission]
host = "a b"
"port" = "465"
security = "ssl"
certificate = "pinn"

[account.retrieval]
protocol = "smtp"
secret = "hunter2"
port = 70000
leave_on_server = 1

[[account]]
name = "ada"
email = \"\"\"
ada\"\"\"
submission = 3
"""
    assert told(text) == [
        'f.toml:1: "acount" is not a key of the file; did you mean "account"?',
        'f.toml:4: account ada: emial: is not a key of [account]; did you mean "email"?',
        "f.toml:5: account ada: active: is text in quotes; give true or false",
        "f.toml:7: account ada: submission.secret: is missing: say where the password is kept, for example "
        '"keyring", or turn authentication off',
        "f.toml:8: account ada: submission.host: cannot be used: not a host name: only letters, digits and inner "
        "hyphens, in parts divided by dots",
        "f.toml:9: account ada: submission.port: is text in quotes; give a whole number",
        'f.toml:10: account ada: submission.security: is "ssl"; choose one of tls, starttls, none',
        'f.toml:11: account ada: submission.certificate: is "pinn"; choose one of system, ca-file, pin, '
        'accept-anything (did you mean "pin"?)',
        "f.toml:13: account ada: retrieval.host: is empty; give the server's name, for example mail.example.org",
        'f.toml:14: account ada: retrieval.protocol: is "smtp"; choose one of imap, pop3',
        "f.toml:15: account ada: retrieval.secret: a secret is never written here, only where it is kept: keyring, "
        "vault, command:..., env:NAME, file:PATH or ask",
        "f.toml:16: account ada: retrieval.port: is 70000; a port is a whole number from 1 to 65535",
        "f.toml:17: account ada: retrieval.leave_on_server: is a whole number; give true or false",
        "f.toml:20: account ada: name: is used twice, first on line 3; rename one",
        "f.toml:21: account ada: email: is not an address; write it as name@domain, without spaces or brackets",
        "f.toml:23: account ada: submission: is a whole number; write [account.submission] and its keys below it",
    ]


@pytest.mark.parametrize("key", ["password", "Passwd", "smtp_password", "pass", "token", "api-key", "credentials"])
def test_a_password_is_refused_and_never_repeated(key: str) -> None:
    (line,) = told(
        f'[[account]]\nname = "ada"\nemail = "ada@example.org"\n[account.submission]\nhost = "x"\n{key} = "hunter2"'
    )
    assert line.startswith(f"f.toml:6: account ada: submission.{key}: a password is never kept in this file")
    assert "hunter2" not in line


def test_a_secret_in_the_place_of_its_reference_is_never_repeated() -> None:
    text = account_with().replace('"keyring"', '"hunter2"')
    (line,) = told(text)
    assert line.startswith("f.toml:7: account ada: submission.secret: ")
    assert "hunter2" not in line


def test_the_traceback_of_a_refusal_holds_nothing_of_the_file() -> None:
    with pytest.raises(AccountFileError) as caught:
        read_accounts('password = "hunter2"\nx = ', "f.toml")
    assert str(caught.value) == "f.toml:2: not TOML: Invalid value"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[account]\nname = 1", "f.toml:1: each account is its own table: write [[account]], with two brackets"),
        ("a = [[[[" * 5_000, "f.toml:1: "),
        ('[[account]]\nname = "a', "f.toml:2: not TOML: "),
        (account_with("port = 465"), "f.toml:4: account ada: port: is not a key of [account]; it belongs under "),
        ('[[account]]\nname = "ada"\nemail = "a@b.c"', "f.toml:1: account ada: submission: is missing; add "),
        (
            account_with(submission='ca_file = "ca.pem"'),
            "f.toml:8: account ada: submission.ca_file: is a relative path, and a check may run from anywhere; give ",
        ),
        (
            account_with(submission='ca_file = "/ca.pem"\npin = "00"'),
            "f.toml:5: account ada: submission.certificate: is missing, with both ca_file and pin: write ",
        ),
        (account_with("notes = 2020-01-01"), "f.toml:4: account ada: notes: is a date or time; give text in quotes"),
        (account_with('"a\\u001b[31m" = 1'), "f.toml:4: account ada: a\\x1b[31m: is not a key of [account]"),
        ('[[account]]\nemail = "a@b.c"\n' + SUBMISSION, "f.toml:1: account #1: name: is empty; it needs a value"),
    ],
)
def test_one_mistake_is_one_line(text: str, line: str) -> None:
    (only,) = told(text)
    assert only.startswith(line)


def test_deep_nesting_is_refused_not_a_crash() -> None:
    (line,) = told("a = " + "[" * 100_000 + "]" * 100_000)
    assert line == "f.toml:1: is nested too deeply to be a file of accounts"


@pytest.mark.parametrize(("protocol", "security"), DEFAULT_PORTS)
def test_the_port_follows_from_protocol_and_security(protocol: Protocol, security: Security) -> None:
    if protocol is Protocol.SMTP:
        (account,) = read_accounts(account_with(submission=f'security = "{security.value}"'), "f")
        assert account.submission.endpoint.port == DEFAULT_PORTS[protocol, security]
    else:
        keys = f'protocol = "{protocol.value}"\nsecurity = "{security.value}"'
        (account,) = read_accounts(account_with(retrieval=keys), "f")
        assert account.retrieval is not None
        assert account.retrieval.endpoint.port == DEFAULT_PORTS[protocol, security]


def test_what_is_left_out_has_its_default() -> None:
    (account,) = read_accounts(account_with(retrieval=""), "f")
    assert account == Account(
        "ada",
        "ada@example.org",
        Submission(Endpoint("mail.example.org", 465), secret=SecretRef(SecretScheme.KEYRING)),
        Retrieval(Protocol.IMAP, Endpoint("mail.example.org", 993)),
    )


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ('ca_file = "/ca.pem"', CertificatePolicy(Trust.CA_FILE, "/ca.pem")),
        (f'pin = "{":".join(["AB"] * 32)}"', CertificatePolicy(Trust.PIN, pin="ab" * 32)),
        (f'pin = """\n{"AB" * 32},\n{"cd" * 32}\n"""', CertificatePolicy(Trust.PIN, pin=f"{'ab' * 32} {'cd' * 32}")),
        ('certificate = "accept-anything"', CertificatePolicy(Trust.ANYTHING)),
        ('certificate = "system"\nca_file = "/ca.pem"', CertificatePolicy(Trust.SYSTEM, "/ca.pem")),
    ],
)
def test_a_file_or_a_pin_alone_says_the_policy(keys: str, policy: CertificatePolicy) -> None:
    (account,) = read_accounts(account_with(submission=keys), "f")
    assert account.submission.endpoint.certificate == policy


def test_a_bad_pin_is_told_by_its_position() -> None:
    assert told(account_with(submission=f'pin = "{"ab" * 32} {"c" * 63}"')) == [
        "f.toml:8: account ada: submission.pin: pin 2 has 63 hex digits; a pin is 64 hex digits or sha256//BASE64"
    ]


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    text = "\ufeff" + account_with(submission="prot = 1").replace("\n", "\r\n")
    assert told(text) == [
        'f.toml:8: account ada: submission.prot: is not a key of [account.submission]; did you mean "port"?'
    ]


def test_an_empty_file_holds_no_account() -> None:
    assert read_accounts("", "f") == []
    assert write_accounts([]) == ""


def test_the_document_names_every_key_in_its_section() -> None:
    sections = (ROOT / "docs" / "toml.md").read_text().split("\n## ")
    shared = next(section for section in sections if section.startswith("Certificates"))
    for table, keys in TABLES.items():
        heading = "`[[account]]`" if table == "account" else f"`[account.{table}]`"
        section = next(section for section in sections if section.startswith(heading))
        missing = [key.name for key in keys if f"| `{key.name}` |" not in section and f"| `{key.name}` |" not in shared]
        assert missing == []


def test_the_keys_are_those_that_are_written() -> None:
    (account,) = read_accounts(account_with(retrieval=""), "f")
    table = account_table(account)
    for name, keys in TABLES.items():
        written = table if name == "account" else table[name]
        assert isinstance(written, dict)
        assert set(written) - {"submission", "retrieval"} == {key.name for key in keys}


@pytest.mark.parametrize("field", ["port", "interval", "delete_after"])
@pytest.mark.parametrize("number", ["0x" + "f" * 5_000, "-1_000_000_000", "9" * 30])
def test_a_number_beyond_all_bounds_is_one_problem_of_its_field(field: str, number: str) -> None:
    text = (
        '[[account]]\nname = "ada"\nemail = "a@b.example"\n[account.submission]\nhost = "h.example"\n'
        f'secret = "ask"\n[account.retrieval]\nhost = "h.example"\n{field} = {number}\n'
    )
    with pytest.raises(AccountFileError) as told:
        read_accounts(text, "f.toml")
    assert str(told.value) == (
        f"f.toml:9: account ada: retrieval.{field}: is a number far beyond what it can be; give a smaller one"
    )


def test_a_number_of_thousands_of_digits_is_told_with_its_line() -> None:
    with pytest.raises(AccountFileError, match=r"^f\.toml:3: holds a number of thousands of digits"):
        read_accounts(f"[[account]]\nname = 1\nport = {'9' * 5_000}\n", "f.toml")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ('mailboxes = "INBOX"', "mailboxes: is text in quotes; give an array of texts: ['INBOX']"),
        ('mailboxes = ["INBOX", 3]', "mailboxes: holds a whole number; give texts in quotes only"),
        ("mailboxes = []", "mailboxes: names none; give at least one, for example INBOX"),
        (
            'destination = "Mail"',
            "destination: cannot be used: give maildir:~/Mail, lmtp:localhost:24 or lmtp:/run/dove",
        ),
        ("destination = true", "destination: is true or false; give text in quotes"),
        ('size_limit = "50"', "size_limit: is text in quotes; give a whole number"),
    ],
)
def test_where_mail_comes_from_and_goes_to_is_told_with_its_line(key: str, words: str) -> None:
    (problem,) = told(account_with(retrieval=key))
    assert problem.startswith(f"f.toml:11: account ada: retrieval.{words}")


def test_a_protocol_that_is_none_is_the_only_problem_of_its_mailboxes() -> None:
    (problem,) = told(account_with(retrieval='protocol = "pop"\nmailboxes = ["Lists"]'))
    assert "retrieval.protocol" in problem
