"""The account form without a screen: what follows what, what is wrong, and that nothing gets lost."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtui.actions.own_entries import copy_of, with_own_entries
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
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.validation import problems
from mailtui.tui.form.checking import hinders_test
from mailtui.tui.form.field import PASSWORDS, Kind, Section, Value
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.state import FormState
from mailtui.tui.form.values import mailboxes_of, mailboxes_text
from mailtui.tui.words import wrap
from tests.unit.test_accounts_toml import accounts

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VAULT = SecretRef(SecretScheme.VAULT)
ADA = Account(
    "Ada",
    "ada@example.org",
    Submission(Endpoint("smtp.example.org", 465), secret=VAULT),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
    created=NOW,
    updated=NOW,
)
SEND_ONLY = replace(ADA, retrieval=None)
OPEN_RELAY = replace(SEND_ONLY, submission=Submission(Endpoint("relay.example.org", 465), authentication=False))


def filled_in() -> FormState:
    """A new account that has all it needs."""
    state = FormState.new(SecretScheme.VAULT)
    for key, value in {
        "email": "ada@example.org",
        "submission.host": "smtp.example.org",
        "submission.password": "correct horse",
        "retrieval.host": "imap.example.org",
    }.items():
        state.set(key, value)
    return state


@settings(deadline=None, max_examples=200)
@given(accounts, st.booleans())
def test_what_is_not_touched_comes_back_as_it_was(account: Account, verified: bool) -> None:
    stored = replace(account, created=NOW, updated=NOW, last_verified=NOW if verified else None)
    state = FormState.of(stored)
    edited = state.edited()
    assert edited.account == stored
    assert edited.original is edited.source is stored
    assert (edited.submission_password, edited.retrieval_password) == (None, None)
    assert not state.changed()
    assert state.problems() == []


@settings(deadline=None, max_examples=100)
@given(accounts, accounts)
def test_filling_in_what_another_account_has_makes_that_account(account: Account, other: Account) -> None:
    state = FormState.of(account)
    wanted = FormState.of(other)
    for _ in range(2):
        # Twice: a field may follow one that comes after it.
        for key, value in wanted.values.items():
            state.set(key, value)
    assert state.values == wanted.values


@settings(deadline=None, max_examples=100)
@given(accounts)
def test_a_duplicate_is_like_its_source_with_a_name_and_entries_of_its_own(account: Account) -> None:
    state = FormState.duplicate_of(replace(account, created=NOW, updated=NOW), [account.name])
    edited = state.edited()
    copy = edited.account
    assert copy.name != account.name
    assert (copy.created, copy.updated, copy.last_verified) == (None, None, None)
    assert edited.original is None
    assert edited.source is not None
    assert edited.source.name == account.name
    mine, theirs = copy.submission, account.submission
    assert (copy.email, copy.notes, mine.endpoint) == (account.email, account.notes, theirs.endpoint)
    assert theirs.secret is not None
    own = theirs.secret.scheme in (SecretScheme.KEYRING, SecretScheme.VAULT)
    assert mine.secret == (SecretRef(theirs.secret.scheme) if own else theirs.secret)
    assert not state.changed()


def test_two_passwords_of_a_copy_do_not_share_an_entry() -> None:
    assert ADA.retrieval is not None
    own = replace(ADA, retrieval=replace(ADA.retrieval, secret=SecretRef(SecretScheme.VAULT, "Ada inbound")))
    copy = with_own_entries(FormState.duplicate_of(own, [], [own]).edited(), [own])
    assert copy.retrieval is not None
    assert copy.submission.secret == VAULT
    assert copy.retrieval.secret == SecretRef(SecretScheme.VAULT, "Ada copy inbound")


def test_two_passwords_of_a_new_account_do_not_share_an_entry() -> None:
    state = filled_in()
    state.set("retrieval.own_password", True)
    state.set("retrieval.password", "battery staple")
    saved = with_own_entries(state.edited(), [])
    assert saved.retrieval is not None
    assert (saved.submission.secret, saved.retrieval.secret) == (
        VAULT,
        SecretRef(SecretScheme.VAULT, "ada@example.org inbound"),
    )


def test_a_password_that_two_accounts_share_is_shared_with_the_copy() -> None:
    shared = SecretRef(SecretScheme.VAULT, "family")
    ada = replace(ADA, submission=replace(ADA.submission, secret=shared))
    bob = replace(ada, name="Bob")
    for others in ([ada, bob], [bob]):
        edited = FormState.duplicate_of(ada, ["Ada", "Bob"], others).edited()
        assert edited.account.submission.secret == shared
        assert edited.account == copy_of(ada, "Ada copy", others)
    alone = FormState.duplicate_of(ada, ["Ada"], [ada]).edited()
    assert alone.account.submission.secret == VAULT


def test_copies_are_numbered_and_never_too_long() -> None:
    assert FormState.duplicate_of(ADA, ["Ada", "Ada copy", "Ada copy 2"]).edited().account.name == "Ada copy 3"
    long = replace(ADA, name="x" * 100)
    assert problems(FormState.duplicate_of(long, [long.name]).edited().account) == ()


def test_a_new_account_needs_little() -> None:
    state = filled_in()
    assert state.problems() == []
    assert state.warnings() == []
    edited = state.edited()
    assert edited.account == Account(
        "ada@example.org",
        "ada@example.org",
        Submission(Endpoint("smtp.example.org", 465), secret=VAULT),
        Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
    )
    assert edited.submission_password is not None
    assert edited.submission_password.value == "correct horse"


def test_an_empty_form_has_nothing_to_lose_and_says_what_is_missing() -> None:
    state = FormState.new()
    assert not state.changed()
    assert [key for key, _ in state.problems()] == ["email", "name", "submission.host", "retrieval.host"]


def test_the_port_follows_the_encryption_until_it_is_typed() -> None:
    state = FormState.new()
    assert state.set("submission.security", "starttls") == {"submission.port"}
    assert state.value("submission.port") == "587"
    state.set("submission.port", "2525")
    assert state.set("submission.security", "tls") == set()
    assert state.value("submission.port") == "2525"
    state.set("submission.port", "")
    assert state.edited().account.submission.endpoint.port == 465
    assert state.set("submission.security", "starttls") == {"submission.port"}
    assert state.value("submission.port") == "587"


def test_typing_the_usual_port_makes_it_follow_again() -> None:
    state = FormState.new()
    state.set("retrieval.port", "1")
    state.set("retrieval.port", "993")
    assert state.set("retrieval.protocol", "pop3") == {"retrieval.port"}
    assert state.value("retrieval.port") == "995"
    state.set("retrieval.security", "none")
    assert state.value("retrieval.port") == "110"


def test_apop_is_only_for_pop3() -> None:
    state = FormState.new()
    assert "apop" not in [value for value, _ in state.options("retrieval.method")]
    state.set("retrieval.protocol", "pop3")
    assert "apop" in [value for value, _ in state.options("retrieval.method")]
    assert "apop" not in [value for value, _ in state.options("submission.method")]
    state.set("retrieval.method", "apop")
    assert "retrieval.method" in state.set("retrieval.protocol", "imap")
    assert state.value("retrieval.method") == AuthMethod.AUTOMATIC.value


def test_the_name_follows_the_email_until_it_is_typed() -> None:
    state = FormState.new()
    assert state.set("email", "ada@example.org") == {"name"}
    assert state.value("name") == "ada@example.org"
    state.set("name", "Ada")
    assert state.set("email", "ada@example.com") == set()
    state.set("name", "")
    assert state.set("email", "ada@example.net") == {"name"}


def test_the_name_of_a_stored_account_does_not_follow() -> None:
    named_by_email = replace(ADA, name=ADA.email)
    assert FormState.of(named_by_email).set("email", "new@example.org") == set()


def test_an_empty_username_is_the_email_and_one_that_equals_it_follows() -> None:
    state = filled_in()
    assert state.placeholder("submission.username") == "ada@example.org (the email address)"
    assert state.placeholder("retrieval.username") == "ada@example.org (the email address)"
    state.set("submission.username", "ada")
    assert state.placeholder("retrieval.username") == "ada (as outgoing)"
    state.set("submission.username", "ada@example.org")
    assert "submission.username" in state.set("email", "lovelace@example.org")
    assert state.edited().account.submission.username == "lovelace@example.org"


def test_without_receiving_what_was_typed_is_kept_until_the_save() -> None:
    state = filled_in()
    state.set("receive", False)
    assert state.edited().account.retrieval is None
    assert not state.shown("retrieval.host")
    assert state.problems() == []
    state.set("receive", True)
    assert state.edited().account.retrieval == Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993))


def test_without_a_login_nothing_is_asked_about_a_password() -> None:
    state = filled_in()
    state.set("receive", False)
    state.set("submission.authentication", False)
    for key in ("submission.username", "submission.password", "submission.secret", "submission.method"):
        assert not state.shown(key), key
    edited = state.edited()
    assert (edited.account.submission.secret, edited.submission_password) == (None, None)
    assert state.problems() == []


def test_without_an_outgoing_login_the_incoming_one_has_its_own_password() -> None:
    state = filled_in()
    assert state.set("submission.authentication", False) == {"retrieval.own_password"}
    assert state.shown("retrieval.password")
    assert state.problems() == []
    assert state.set("submission.authentication", True) == {"retrieval.own_password"}
    state.set("submission.authentication", False)
    state.set("retrieval.own_password", False)
    assert [key for key, _ in state.problems()] == ["retrieval.own_password"]


def test_a_stored_reference_outlives_switching_the_login_off() -> None:
    state = FormState.of(ADA)
    assert state.set("submission.authentication", False) == set()
    assert state.edited().account.submission.secret == VAULT
    assert state.problems() == []


@pytest.mark.parametrize(
    ("scheme", "key", "ref"),
    [
        ("command", "submission.command", "command:pass show mail/ada"),
        ("env", "submission.env", "env:MAIL_PASSWORD"),
        ("file", "submission.file", "file:/run/credentials/mail"),
    ],
)
def test_a_password_that_is_kept_elsewhere(scheme: str, key: str, ref: str) -> None:
    state = filled_in()
    state.set("submission.secret", scheme)
    assert state.shown(key)
    assert not state.shown("submission.password")
    assert [found for found, _ in state.problems()] == [key]
    state.set(key, ref.partition(":")[2])
    edited = state.edited()
    assert str(edited.account.submission.secret) == ref
    assert edited.submission_password is None, "what cannot be stored there is not handed on"
    state.set("submission.secret", "vault")
    assert state.edited().submission_password is not None


def test_asking_needs_nothing_more() -> None:
    state = filled_in()
    state.set("submission.secret", "ask")
    assert state.problems() == []
    assert state.edited().account.submission.secret == SecretRef(SecretScheme.ASK)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"email": "nobody"}, "email", "not an address"),
        ({"name": "-x"}, "name", "hyphen"),
        ({"name": "Bob"}, "name", "another account"),
        ({"name": "Bob "}, "name", "another account"),
        ({"display_name": "a\x1b[31mb"}, "display_name", "control"),
        ({"submission.host": ""}, "submission.host", "is empty"),
        ({"submission.host": "a b"}, "submission.host", "cannot be used"),
        ({"submission.port": "smtps"}, "submission.port", "digits"),
        ({"submission.port": "70000"}, "submission.port", "65535"),
        ({"submission.port": "9" * 30}, "submission.port", "digits"),
        ({"retrieval.mode": "automatic", "retrieval.interval": ""}, "retrieval.interval", "is empty"),
        ({"retrieval.mode": "automatic", "retrieval.interval": "0"}, "retrieval.interval", "minutes"),
        ({"retrieval.delete_after": "soon"}, "retrieval.delete_after", "digits"),
        ({"retrieval.delete_after": "0"}, "retrieval.delete_after", "days"),
        ({"retrieval.folder": " "}, "retrieval.folder", "is empty"),
        ({"retrieval.mailboxes": "INBOX, INBOX"}, "retrieval.mailboxes", "twice"),
        ({"retrieval.maildir": "Mail"}, "retrieval.maildir", "whole path"),
        ({"retrieval.destination": "command"}, "retrieval.mda", "is empty"),
        ({"retrieval.size_limit": "all"}, "retrieval.size_limit", "digits"),
        ({"retrieval.size_limit": "0"}, "retrieval.size_limit", "MB"),
        ({"submission.certificate": "pin", "submission.pin": "abc"}, "submission.pin", "64"),
        ({"submission.certificate": "ca-file"}, "submission.ca_file", "missing"),
        ({"submission.certificate": "ca-file", "submission.ca_file": "ca.pem"}, "submission.ca_file", "relative"),
        ({"submission.entry": "a\u202eb"}, "submission.entry", "text-direction"),
    ],
)
def test_each_problem_names_its_field(changes: dict[str, Value], key: str, words: str) -> None:
    state = filled_in()
    state.taken = {"Bob"}
    for changed, value in changes.items():
        state.set(changed, value)
    found = state.problems()
    assert [name for name, _ in found] == [key]
    assert words in found[0][1]


def test_a_number_that_is_folded_away_hinders_nobody() -> None:
    state = filled_in()
    state.set("retrieval.interval", "often")
    assert state.problems() == []
    retrieval = state.edited().account.retrieval
    assert retrieval is not None
    assert retrieval.interval == 15


def test_problems_come_in_the_order_of_the_form_and_say_which_hinder_a_test() -> None:
    state = FormState.new()
    state.set("name", "-")
    state.set("retrieval.folder", "")
    keys = [key for key, _ in state.problems()]
    assert keys == ["email", "name", "submission.host", "retrieval.host", "retrieval.folder"]
    assert [key for key in keys if hinders_test(key)] == ["email", "submission.host", "retrieval.host"]


def test_spaces_around_what_is_typed_are_dropped_but_not_those_that_were_stored() -> None:
    state = filled_in()
    state.set("submission.host", " smtp.example.net ")
    state.set("submission.password", " spaces count ")
    edited = state.edited()
    assert edited.account.submission.endpoint.host == "smtp.example.net"
    assert edited.submission_password is not None
    assert edited.submission_password.value == " spaces count "
    padded = replace(ADA, display_name=" Ada ")
    assert FormState.of(padded).edited().account == padded


def test_a_pin_may_be_written_as_other_programs_do() -> None:
    state = filled_in()
    state.set("submission.certificate", "pin")
    state.set("submission.pin", ":".join(["AB"] * 32))
    assert state.edited().account.submission.endpoint.certificate == CertificatePolicy(Trust.PIN, pin="ab" * 32)
    # As the facts of a certificate show it, and its successor as curl writes it.
    state.set("submission.pin", f"{'AB' * 16} {'ab' * 16}, sha256//{b64encode(bytes(32)).decode()}")
    assert state.edited().account.submission.endpoint.certificate.pins == ("ab" * 32, "00" * 32)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"submission.port": "25"}, "submission.port", "465 or 587"),
        ({"submission.port": "587"}, "submission.port", "STARTTLS"),
        ({"retrieval.security": "starttls", "retrieval.port": "993"}, "retrieval.port", "SSL/TLS"),
        ({"submission.security": "none"}, "submission.security", "nothing is encrypted; the password is not sent"),
        ({"submission.certificate": "accept-anything"}, "submission.certificate", "believed"),
        ({"retrieval.allow_cleartext": True}, "retrieval.allow_cleartext", "read the password"),
        ({"submission.password": ""}, "submission.password", "none typed yet"),
        ({"retrieval.own_password": True}, "retrieval.password", "none typed yet"),
    ],
)
def test_what_is_seldom_meant_is_said_and_can_be_saved(changes: dict[str, Value], key: str, words: str) -> None:
    state = filled_in()
    for changed, value in changes.items():
        state.set(changed, value)
    assert state.problems() == []
    assert words in dict(state.warnings())[key]


def test_this_machine_needs_no_encryption() -> None:
    state = filled_in()
    state.set("submission.host", "localhost")
    state.set("submission.security", "none")
    assert state.warnings() == []


def test_a_stored_password_needs_no_typing() -> None:
    assert FormState.of(ADA).warnings() == []
    assert FormState.of(ADA).placeholder("submission.password") == "unchanged"
    assert FormState.duplicate_of(ADA, []).warnings() == []
    switched = FormState.of(OPEN_RELAY)
    switched.set("submission.authentication", True)
    assert [key for key, _ in switched.warnings()] == ["submission.password"]


def test_typing_a_password_is_a_change_that_nothing_shows() -> None:
    state = FormState.of(ADA)
    state.set("submission.password", "correct horse")
    assert state.changed()
    assert "correct horse" not in repr(state) + repr(state.edited()) + repr(state.values) + repr(state.before)
    assert not set(PASSWORDS) & set(state.values)


def test_a_field_that_was_changed_back_is_no_change() -> None:
    state = FormState.of(ADA)
    state.set("notes", "x")
    assert state.changed()
    state.set("notes", "")
    assert not state.changed()


@pytest.mark.parametrize(
    ("name", "prepare", "key"),
    [
        ("submission.host", lambda state: None, "submission.host"),
        ("submission.secret", lambda state: None, "submission.password"),
        ("retrieval.secret", lambda state: None, "submission.password"),
        ("retrieval.secret", lambda state: state.set("retrieval.own_password", True), "retrieval.password"),
        ("submission.password", lambda state: state.set("submission.secret", "env"), "submission.env"),
        ("submission.secret", lambda state: state.set("submission.secret", "ask"), "submission.secret"),
        ("submission.username", lambda state: state.set("submission.authentication", False), "submission.host"),
        ("retrieval.host", lambda state: state.set("receive", False), "receive"),
        ("nonsense", lambda state: None, "email"),
    ],
)
def test_every_name_leads_to_a_field_that_is_shown(name: str, prepare: Callable[[FormState], object], key: str) -> None:
    state = filled_in()
    prepare(state)
    assert state.field_for(name) == key
    assert state.shown(key)


def test_every_value_has_a_field_and_every_field_a_value() -> None:
    assert set(FormState.of(ADA).values) | set(PASSWORDS) == set(FIELDS)


def test_every_field_has_help_that_fits_and_every_choice_a_choice() -> None:
    for field in FIELDS.values():
        assert field.help.endswith("."), field.key
        assert len(wrap(field.help, 78)) <= 2, field.key
        assert len(field.label) < 25, field.key
        assert (field.kind is Kind.CHOICE) == (len(field.options) >= 2), field.key


def test_the_first_field_of_each_section() -> None:
    state = FormState.of(SEND_ONLY)
    first = [state.first_of(section) for section in Section]
    assert first == ["email", "submission.host", "receive", "submission.method"]


def test_the_interval_counts_only_in_automatic_mode() -> None:
    state = filled_in()
    assert not state.shown("retrieval.interval")
    state.set("retrieval.mode", RetrievalMode.AUTOMATIC.value)
    assert state.shown("retrieval.interval")


def test_days_go_when_nothing_stays_on_the_server() -> None:
    assert ADA.retrieval is not None
    state = FormState.of(replace(ADA, retrieval=replace(ADA.retrieval, delete_after=30)))
    state.set("retrieval.leave_on_server", False)
    retrieval = state.edited().account.retrieval
    assert retrieval is not None
    assert retrieval.delete_after is None
    assert state.problems() == []


def test_going_on_from_what_someone_else_stored() -> None:
    state = FormState.of(ADA)
    state.set("notes", "mine")
    state.set("submission.password", "correct horse")
    current = replace(ADA, display_name="Theirs", updated=datetime(2026, 3, 2, tzinfo=UTC))
    state.adopt(current, {**state.values, "display_name": "Theirs"})
    edited = state.edited()
    assert edited.original is current
    assert edited.account == replace(current, notes="mine")
    assert edited.submission_password is not None


def test_starttls_account_of_a_pop3_server() -> None:
    state = filled_in()
    state.set("retrieval.protocol", "pop3")
    state.set("retrieval.security", "starttls")
    retrieval = state.edited().account.retrieval
    assert retrieval == Retrieval(Protocol.POP3, Endpoint("imap.example.org", 110, Security.STARTTLS))


def test_servers_that_a_fix_made_are_taken_and_all_else_stays_as_typed() -> None:
    state = FormState.of(ADA)
    state.set("notes", " typed with spaces ")
    state.set("retrieval.interval", "no number")
    account = state.edited().account
    assert account.retrieval is not None
    mended = Endpoint("imap.example.org", 143, Security.STARTTLS, CertificatePolicy(Trust.PIN, "", "ab" * 32))
    before = state.values
    changed = state.take_servers(replace(account, retrieval=replace(account.retrieval, endpoint=mended)))
    assert set(changed) == {"retrieval.port", "retrieval.security", "retrieval.certificate", "retrieval.pin"}
    assert {key for key, value in state.values.items() if value != before[key]} == set(changed)
    taken = state.edited().account.retrieval
    assert taken is not None
    assert taken.endpoint == mended
    assert FormState.of(SEND_ONLY).take_servers(SEND_ONLY) == []


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        (Destination(), "retrieval.maildir"),
        (Destination(DestinationKind.MAILDIR, "~/Mail"), "retrieval.maildir"),
        (Destination(DestinationKind.LMTP, "localhost:24"), "retrieval.lmtp"),
        (Destination(DestinationKind.COMMAND, "procmail -d ada"), "retrieval.mda"),
    ],
)
def test_a_destination_has_one_field_and_comes_back_as_it_was(destination: Destination, shown: str) -> None:
    assert ADA.retrieval is not None
    retrieval = replace(ADA.retrieval, destination=destination, mailboxes=("INBOX", 'a, "b"'), size_limit=7)
    state = FormState.of(replace(ADA, retrieval=retrieval))
    fields = ("retrieval.maildir", "retrieval.lmtp", "retrieval.mda")
    assert [key for key in fields if state.shown(key)] == [shown]
    assert state.shown("retrieval.folder") is (shown == "retrieval.maildir")
    assert state.value(shown) == destination.value
    assert state.edited().account.retrieval == retrieval
    state.set("receive", False)
    assert not any(map(state.shown, fields))


@pytest.mark.parametrize("folder", ["", "Work"])
def test_a_destination_is_chosen_and_then_filled_in(folder: str) -> None:
    state = filled_in()
    state.set("retrieval.folder", folder)
    state.set("retrieval.destination", "lmtp")
    (found,) = state.problems()
    assert found[0] == "retrieval.lmtp"
    assert found[1].startswith("is empty; give the server's host and port")
    state.set("retrieval.lmtp", "localhost")
    (found,) = state.problems()
    assert found[0] == "retrieval.lmtp"
    assert not hinders_test(found[0])
    state.set("retrieval.lmtp", " localhost:24 ")
    assert state.problems() == []
    retrieval = state.edited().account.retrieval
    assert retrieval is not None
    assert (str(retrieval.destination), retrieval.folder) == ("lmtp:localhost:24", "INBOX")


def test_pop3_has_no_other_mailbox() -> None:
    state = filled_in()
    state.set("retrieval.mailboxes", "INBOX, Lists/*")
    state.set("retrieval.protocol", "pop3")
    assert not state.shown("retrieval.mailboxes")
    retrieval = state.edited().account.retrieval
    assert retrieval is not None
    assert retrieval.mailboxes == ("INBOX",)
    assert state.problems() == []
    state.set("retrieval.protocol", "imap")
    retrieval = state.edited().account.retrieval
    assert retrieval is not None
    assert retrieval.mailboxes == ("INBOX", "Lists/*")


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])).filter(bool), min_size=1))
def test_names_of_mailboxes_come_back_out_of_their_line(names: list[str]) -> None:
    assert mailboxes_of(mailboxes_text(names)) == tuple(names)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ("INBOX",)),
        (" , ", ("INBOX",)),
        ("a , b,c", ("a", "b", "c")),
        ('"a, b" , c', ("a, b", "c")),
        ("a b", ("a b",)),
    ],
)
def test_names_of_mailboxes_are_read_as_a_person_types_them(text: str, names: tuple[str, ...]) -> None:
    assert mailboxes_of(text) == names


def test_a_line_of_mailboxes_that_is_far_too_long_is_one_problem() -> None:
    state = filled_in()
    state.set("retrieval.mailboxes", "x" * 200_000)
    assert [key for key, _ in state.problems()] == ["retrieval.mailboxes"]
