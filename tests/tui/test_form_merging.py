"""Three-way merge: nobody's change is lost, and no password is in it."""

from hypothesis import given, settings

from mailtui.model.account import Account
from mailtui.tui.form.field import PASSWORDS
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.merging import merge
from mailtui.tui.form.state import FormState
from tests.tui.test_form_state import ADA
from tests.unit.test_accounts_toml import accounts

BASE = FormState.of(ADA).values


def test_different_fields_are_both_kept() -> None:
    merged = merge(BASE, {**BASE, "notes": "mine"}, {**BASE, "submission.port": "2525"})
    assert merged.values == {**BASE, "notes": "mine", "submission.port": "2525"}
    assert merged.rows == (("Outgoing: Port", "465", "465", "2525"),)


def test_of_one_field_mine_wins_and_theirs_is_told() -> None:
    merged = merge(BASE, {**BASE, "active": False, "notes": "a"}, {**BASE, "active": False, "notes": "b"})
    assert merged.values["notes"] == "a"
    assert merged.rows == (("Active", "yes", "no", "no"), ("Notes", "(empty)", "a", "b"))


def test_values_are_told_in_the_words_of_the_form() -> None:
    theirs = {**BASE, "submission.security": "starttls", "notes": "a\x1b]0;x\x07b"}
    assert merge(BASE, BASE, theirs).rows == (
        ("Notes", "(empty)", "(empty)", "a\\x1b]0;x\\x07b"),
        ("Outgoing: Encryption", "SSL/TLS", "SSL/TLS", "STARTTLS"),
    )


@settings(deadline=None, max_examples=50)
@given(accounts, accounts, accounts)
def test_every_change_is_in_the_result(before: Account, here: Account, there: Account) -> None:
    base, mine, theirs = (FormState.of(account).values for account in (before, here, there))
    merged = merge(base, mine, theirs)
    for key in base:
        changed_here, changed_there = mine[key] != base[key], theirs[key] != base[key]
        wanted = mine[key] if changed_here else theirs[key] if changed_there else base[key]
        assert merged.values[key] == wanted
    assert len(merged.rows) == sum(theirs[key] != base[key] for key in base)
    assert not {FIELDS[key].title for key in PASSWORDS} & {row[0] for row in merged.rows}
