"""Proposed fixes: made without touching what they are not about, refused where they do not fit, told as TOML."""

import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mailtui.actions.fixing import Proposal, apply_fix, fix_toml, store_fixes
from mailtui.interop.accounts_toml import read_accounts, write_accounts
from mailtui.interop.toml_change import changed_toml
from mailtui.model.account import (
    Account,
    AuthMethod,
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
from mailtui.model.check import Leg, LegReport
from mailtui.model.diagnosis import Fix
from mailtui.model.errors import UsageError
from mailtui.model.validation import problems
from mailtui.storage.database import Database

PIN, OTHER = "ab" * 32, "cd" * 32
SMTP = Endpoint("mail.example.org", 587)
POP3 = Endpoint("mail.example.org", 995)
ADA = Account(
    "ada",
    "ada@example.org",
    Submission(SMTP, username="ada-smtp", secret=SecretRef(SecretScheme.VAULT, "ada")),
    Retrieval(
        Protocol.POP3,
        POP3,
        method=AuthMethod.APOP,
        username="ada-in",
        secret=SecretRef(SecretScheme.ENV, "IN"),
        folder="Mail",
    ),
)
STARTTLS = Fix(Leg.OUTBOUND, Protocol.SMTP, replace(SMTP, security=Security.STARTTLS), "use STARTTLS")
AS_IMAP = Fix(Leg.INBOUND, Protocol.IMAP, replace(POP3, port=993), "use IMAP at port 993")


def trusting(pins: str, trust: Trust = Trust.PIN) -> Fix:
    endpoint = replace(SMTP, certificate=CertificatePolicy(trust, pin=pins))
    return Fix(Leg.OUTBOUND, Protocol.SMTP, endpoint, "trust that key", needs_consent=True)


def report(fix: Fix, account: Account = ADA) -> LegReport:
    """What the leg of `fix` reported when it was checked, as far as that counts here."""
    if fix.leg is Leg.OUTBOUND:
        return LegReport(fix.leg, Protocol.SMTP, account.submission.endpoint, (), 1.0)
    assert account.retrieval is not None
    return LegReport(fix.leg, account.retrieval.protocol, account.retrieval.endpoint, (), 1.0)


def test_the_server_changes_and_nothing_else() -> None:
    fixed = apply_fix(ADA, STARTTLS, report(STARTTLS))
    assert fixed.submission.endpoint == STARTTLS.endpoint
    assert replace(fixed, submission=replace(fixed.submission, endpoint=SMTP)) == ADA


def test_another_protocol_drops_a_method_that_it_does_not_know() -> None:
    fixed = apply_fix(ADA, AS_IMAP, report(AS_IMAP))
    assert fixed.retrieval is not None
    assert ADA.retrieval is not None
    assert fixed.retrieval == replace(
        ADA.retrieval, protocol=Protocol.IMAP, endpoint=AS_IMAP.endpoint, method=AuthMethod.AUTOMATIC
    )
    assert fixed.submission == ADA.submission


def test_a_fix_that_is_made_already_changes_nothing() -> None:
    fixed = apply_fix(ADA, STARTTLS, report(STARTTLS))
    assert apply_fix(fixed, STARTTLS, report(STARTTLS, fixed)) == fixed


@pytest.mark.parametrize(
    ("account", "fix", "told"),
    [
        (replace(ADA, retrieval=None), AS_IMAP, "ada has no inbound leg any more"),
        (
            replace(ADA, submission=replace(ADA.submission, endpoint=replace(SMTP, host="new.example.org"))),
            STARTTLS,
            "the outbound server of ada has changed since it was checked",
        ),
        (
            replace(ADA, submission=replace(ADA.submission, endpoint=replace(SMTP, port=465))),
            STARTTLS,
            "the outbound server of ada has changed since it was checked",
        ),
        (ADA, replace(STARTTLS, endpoint=replace(SMTP, host="evil.example.org")), "has changed since"),
        (ADA, replace(STARTTLS, endpoint=replace(SMTP, security=Security.NONE)), "would protect less"),
        (ADA, replace(STARTTLS, endpoint=replace(SMTP, allow_cleartext=True)), "would protect less"),
        (ADA, replace(trusting(PIN), needs_consent=False), "would protect less"),
    ],
)
def test_what_does_not_fit_is_refused(account: Account, fix: Fix, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        apply_fix(account, fix, report(fix))


def test_consent_is_to_one_key_and_no_other() -> None:
    asking = Proposal(ADA, report(trusting(PIN)), trusting(PIN))
    assert not asking.may_be_made(())
    assert not asking.may_be_made({OTHER})
    assert asking.may_be_made({PIN, OTHER})
    both = trusting(f"{PIN} {OTHER}")
    assert not Proposal(ADA, report(both), both).may_be_made({PIN})
    anything = trusting("", Trust.ANYTHING)
    assert not Proposal(ADA, report(anything), anything).may_be_made({PIN})
    more = replace(trusting(PIN), endpoint=replace(trusting(PIN).endpoint, security=Security.NONE))
    assert not Proposal(ADA, report(more), more).may_be_made({PIN})
    assert Proposal(ADA, report(STARTTLS), STARTTLS).may_be_made(())


def test_a_key_that_is_pinned_already_needs_no_second_consent() -> None:
    pinned = replace(ADA, submission=replace(ADA.submission, endpoint=trusting(OTHER).endpoint))
    fix = trusting(f"{OTHER} {PIN}")
    assert Proposal(pinned, report(fix, pinned), fix).new_pins == {PIN}
    assert Proposal(pinned, report(fix, pinned), fix).may_be_made({PIN})


def test_the_toml_is_the_keys_that_change() -> None:
    assert fix_toml(ADA, AS_IMAP, report(AS_IMAP)) == (
        '[[account]]\nname = "ada"\n\n[account.retrieval]\nprotocol = "imap"\nport = 993\nmethod = "automatic"\n'
    )
    # The port is said with the security: a file without one means another port then.
    assert tomllib.loads(fix_toml(ADA, STARTTLS, report(STARTTLS))) == {
        "account": [{"name": "ada", "submission": {"port": 587, "security": "starttls"}}]
    }
    (change,) = tomllib.loads(fix_toml(ADA, trusting(PIN), report(trusting(PIN))))["account"]
    assert change["submission"] == {"certificate": "pin", "pin": PIN}


@pytest.mark.parametrize("fix", [STARTTLS, AS_IMAP, trusting(PIN)])
@pytest.mark.parametrize("name", ["ada", 'a "b" \\ ü', "line'"])
def test_a_file_with_the_toml_merged_in_is_the_fixed_account(fix: Fix, name: str) -> None:
    account = replace(ADA, name=name)
    (change,) = tomllib.loads(fix_toml(account, fix, report(fix, account)))["account"]
    (whole,) = tomllib.loads(write_accounts([account]))["account"]
    for key, value in change.items():
        whole[key] = {**whole[key], **value} if isinstance(value, dict) else value
    import tomlkit

    assert read_accounts(tomlkit.dumps({"account": [whole]}), "merged") == [
        apply_fix(account, fix, report(fix, account))
    ]


def test_no_change_is_no_toml() -> None:
    assert changed_toml(ADA, ADA) == ""
    fixed = apply_fix(ADA, STARTTLS, report(STARTTLS))
    assert fix_toml(fixed, STARTTLS, report(STARTTLS, fixed)) == ""
    assert changed_toml(ADA, replace(ADA, notes="new")) == '[[account]]\nname = "ada"\nnotes = "new"\n'


def test_no_secret_place_is_told() -> None:
    for fix in (STARTTLS, AS_IMAP, trusting(PIN)):
        toml = fix_toml(ADA, fix, report(fix))
        assert "vault" not in toml
        assert "secret" not in toml


def test_each_account_is_stored_on_its_own(tmp_path: Path) -> None:
    with Database.open(tmp_path / "mailtui.db") as database:
        ada, bob = database.add(ADA), database.add(replace(ADA, name="bob"))
        proposals = [Proposal(one, report(fix), fix) for one in (ada, bob) for fix in (STARTTLS, AS_IMAP)]
        database.update("ada", replace(ada, notes="typed meanwhile"), ada.updated)
        fixed = store_fixes(database, proposals)
        assert [account.name for account in fixed.accounts] == ["bob"]
        assert [proposal.account.name for proposal in fixed.made] == ["bob", "bob"]
        assert len(fixed.problems) == 1
        assert "ada" in fixed.problems[0]
        stored = database.account("bob")
        both = apply_fix(apply_fix(bob, STARTTLS, report(STARTTLS)), AS_IMAP, report(AS_IMAP))
        assert stored == replace(both, updated=stored.updated)
        assert database.account("ada").submission == ADA.submission


def test_the_account_is_replaced_only_as_it_was_checked() -> None:
    asked: list[datetime | None] = []

    class Store:
        def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
            asked.append(expected_updated)
            return account

    when = datetime.fromisoformat("2026-01-31T09:30:00+00:00")
    account = replace(ADA, updated=when)
    fixed = store_fixes(Store(), [Proposal(account, report(STARTTLS), STARTTLS)])
    assert asked == [when]
    assert fixed.problems == ()


def test_the_move_to_pop3_leaves_its_one_mailbox() -> None:
    assert ADA.retrieval is not None
    imap = replace(
        ADA,
        retrieval=replace(
            ADA.retrieval, protocol=Protocol.IMAP, method=AuthMethod.PLAIN, mailboxes=("INBOX", "Lists/*"), size_limit=9
        ),
    )
    as_pop3 = Fix(Leg.INBOUND, Protocol.POP3, replace(POP3, port=995), "use POP3 at port 995")
    assert imap.retrieval is not None
    leg = LegReport(Leg.INBOUND, Protocol.IMAP, imap.retrieval.endpoint, (), 1.0)
    fixed = apply_fix(imap, as_pop3, leg)
    assert fixed.retrieval is not None
    assert (fixed.retrieval.mailboxes, fixed.retrieval.size_limit) == (("INBOX",), 9)
    assert problems(fixed) == ()
