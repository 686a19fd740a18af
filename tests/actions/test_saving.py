"""Saving what a form holds: nobody's change is lost, and every password ends where the account reads it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from mailtui.actions.entries import entry_of, secret_of
from mailtui.actions.saving import Changed, Edited, Saved, save_account, trial_reader
from mailtui.model.account import Account, SecretRef, SecretScheme, Submission
from mailtui.model.check import Leg
from mailtui.model.errors import InvalidAccount, StorageError, UsageError
from mailtui.storage.hidden import Hidden
from tests.actions.places import KEYRING, VAULT, Accounts, Secrets, account, keyring, lines_are_clean, vault

T = TypeVar("T")
ENV = SecretRef(SecretScheme.ENV, "ADA")
ASK = SecretRef(SecretScheme.ASK)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def save(
    store: Accounts,
    secrets: Secrets,
    changed: Account,
    original: str | None = None,
    *,
    source: str | None = None,
    typed: str | None = None,
    inbound: str | None = None,
) -> Saved:
    """Save `changed` in the place of the account named `original`, or as new, from `source` perhaps."""
    edited = Edited(
        changed,
        None if original is None else store.account(original),
        None if source is None else store.account(source),
        hidden(typed),
        hidden(inbound),
    )
    return run(save_account(store, secrets, edited))


def hidden(text: str | None) -> Hidden[str] | None:
    return None if text is None else Hidden(text)


def without_login(one: Account) -> Account:
    return replace(one, submission=Submission(one.submission.endpoint, authentication=False))


def test_a_new_account_and_its_password_are_stored() -> None:
    store, secrets = Accounts(), Secrets()
    saved = save(store, secrets, account("ada"), typed="one")
    assert saved == Saved(store.account("ada"))
    assert secrets.kept == {vault("ada"): "one"}


def test_an_account_without_a_password_is_stored_all_the_same() -> None:
    store, secrets = Accounts(), Secrets()
    assert save(store, secrets, account("ada")).problems == ()
    assert (secrets.kept, secrets.reads) == ({}, [])


def test_each_leg_has_its_own_password() -> None:
    store, secrets = Accounts(), Secrets()
    save(store, secrets, account("ada", VAULT, keyring("in")), typed="out", inbound="in")
    assert secrets.kept == {vault("ada"): "out", keyring("in"): "in"}


def test_two_passwords_are_never_put_into_one_entry() -> None:
    store, secrets = Accounts(), Secrets()
    saved = save(store, secrets, account("ada", VAULT, VAULT), typed="out", inbound="in")
    assert saved.account.retrieval is not None
    assert saved.account.retrieval.secret == vault("ada inbound")
    assert secrets.kept == {vault("ada"): "out", vault("ada inbound"): "in"}
    # The incoming one alone is typed: the outgoing one stays.
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "out"))
    save(store, secrets, account("ada"), "ada", inbound="in")
    assert secrets.kept == {vault("ada"): "out", vault("ada inbound"): "in"}


def test_the_same_password_twice_is_one_entry() -> None:
    store, secrets = Accounts(), Secrets()
    assert save(store, secrets, account("ada", VAULT, VAULT), typed="one", inbound="one").account.retrieval is not None
    assert secrets.kept == {vault("ada"): "one"}


def test_a_password_alone_can_change() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "old"))
    save(store, secrets, store.account("ada"), "ada", typed="new")
    assert secrets.kept == {vault("ada"): "new"}


def test_an_invalid_account_stores_nothing() -> None:
    store, secrets = Accounts(), Secrets()
    with pytest.raises(InvalidAccount, match="email"):
        save(store, secrets, replace(account("ada"), email=""), typed="one")
    assert (store.accounts(), secrets.kept) == ([], {})


def test_a_taken_name_stores_nothing() -> None:
    store, secrets = Accounts(account("ada"), account("bob")), Secrets((vault("ada"), "one"))
    with pytest.raises(UsageError, match="'ada' already"):
        save(store, secrets, account("ada"), typed="two")
    with pytest.raises(UsageError, match="'ada' already") as taken:
        save(store, secrets, account("ada"), "bob", typed="two")
    assert not isinstance(taken.value, Changed)
    assert secrets.kept == {vault("ada"): "one"}


def test_a_change_meanwhile_is_noticed_and_nothing_is_written() -> None:
    store, secrets = Accounts(account("ada")), Secrets()
    seen = store.account("ada")
    theirs = store.update("ada", replace(seen, notes="theirs"), seen.updated)
    mine = Edited(replace(seen, notes="mine"), seen, seen, Hidden("typed"))
    with pytest.raises(Changed) as changed:
        run(save_account(store, secrets, mine))
    assert changed.value.current == theirs
    store.remove("ada")
    with pytest.raises(Changed) as changed:
        run(save_account(store, secrets, mine))
    assert changed.value.current is None
    assert secrets.kept == {}


def test_a_renamed_account_keeps_its_password_where_it_is() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "one"))
    saved = save(store, secrets, account("lovelace"), "ada", source="ada")
    assert saved.account.submission.secret == vault("ada")
    assert saved.problems == ()
    assert (secrets.kept, secrets.written, secrets.deleted) == ({vault("ada"): "one"}, [], [])


def test_a_password_moves_with_its_place() -> None:
    store, secrets = Accounts(account("ada", KEYRING)), Secrets((keyring("ada"), "one"))
    assert save(store, secrets, account("ada"), "ada", source="ada").problems == ()
    assert secrets.kept == {vault("ada"): "one"}
    # Also renamed, and to another entry at the same time.
    assert save(store, secrets, account("lovelace", keyring("mine")), "ada", source="ada").problems == ()
    assert secrets.kept == {keyring("mine"): "one"}


def test_a_password_is_copied_from_where_mailtui_only_reads() -> None:
    store, secrets = Accounts(account("ada", ENV)), Secrets()
    secrets.elsewhere[ENV] = "one"
    save(store, secrets, account("ada"), "ada", source="ada")
    assert secrets.kept == {vault("ada"): "one"}


def test_what_another_account_uses_is_never_removed_nor_overwritten() -> None:
    store = Accounts(account("ada"), account("bob", vault("ada")), account("eve", KEYRING))
    secrets = Secrets((vault("ada"), "one"), (keyring("eve"), "hers"))
    save(store, secrets, account("ada", KEYRING), "ada", source="ada")
    assert secrets.kept == {vault("ada"): "one", keyring("ada"): "one", keyring("eve"): "hers"}
    # Put to what another account reads: that is what is meant, and the old one is left and told.
    saved = save(store, secrets, account("ada", keyring("eve")), "ada", source="ada")
    assert secrets.kept == {vault("ada"): "one", keyring("ada"): "one", keyring("eve"): "hers"}
    assert ["keyring, entry ada was left there" in line for line in saved.problems] == [True]
    assert "mailtui secret remove ada --from keyring:ada" in saved.problems[0]


def test_an_entry_that_the_person_names_is_taken_as_it_is() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "one"), (vault("team"), "theirs"))
    saved = save(store, secrets, account("ada", vault("team")), "ada", source="ada")
    assert secrets.kept == {vault("ada"): "one", vault("team"): "theirs"}
    assert len(saved.problems) == 1


def test_a_new_account_takes_no_entry_of_another() -> None:
    """The name is free, but an account that was renamed still keeps its password under it."""
    store, secrets = Accounts(account("lovelace", vault("ada"))), Secrets((vault("ada"), "hers"))
    saved = save(store, secrets, account("ada"), typed="mine")
    assert saved.account.submission.secret == vault("ada 2")
    assert secrets.kept == {vault("ada"): "hers", vault("ada 2"): "mine"}


def test_a_duplicate_gets_a_copy() -> None:
    store = Accounts(account("ada", VAULT, vault("ada inbound")))
    secrets = Secrets((vault("ada"), "out"), (vault("ada inbound"), "in"))
    saved = save(store, secrets, account("bob", VAULT, KEYRING), source="ada")
    assert saved.problems == ()
    assert secrets.kept == {
        vault("ada"): "out",
        vault("ada inbound"): "in",
        vault("bob"): "out",
        keyring("bob"): "in",
    }
    assert secrets.deleted == []


def test_a_typed_password_wins_over_the_copy() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "old"))
    save(store, secrets, account("bob"), source="ada", typed="new")
    assert secrets.kept == {vault("ada"): "old", vault("bob"): "new"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (account("ada", VAULT, KEYRING), account("ada", retrieval=None)),
        (account("ada", VAULT, KEYRING), account("ada")),
        (account("ada", KEYRING, VAULT), without_login(account("ada", own=VAULT))),
    ],
    ids=["receives no more", "shares the outgoing one", "logs in no more"],
)
def test_a_password_that_nobody_reads_any_more_is_removed(before: Account, after: Account) -> None:
    store, secrets = Accounts(before), Secrets((vault("ada"), "one"), (keyring("ada"), "two"))
    assert save(store, secrets, after, "ada", source="ada").problems == ()
    assert secrets.kept == {vault("ada"): "one"}
    store = Accounts(before, account("bob", keyring("ada")))
    secrets = Secrets((vault("ada"), "one"), (keyring("ada"), "two"))
    assert save(store, secrets, after, "ada", source="ada").problems == ()
    assert secrets.kept == {vault("ada"): "one", keyring("ada"): "two"}


def test_a_password_is_left_when_the_new_one_is_elsewhere() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "one"))
    saved = save(store, secrets, account("ada", ENV), "ada", source="ada")
    assert secrets.kept == {vault("ada"): "one"}
    assert saved.problems == (
        "the password in the vault, entry ada was left there, unused now; "
        "to remove it: mailtui secret remove ada --from vault:ada",
    )


def test_a_password_typed_where_mailtui_cannot_write_is_told() -> None:
    store, secrets = Accounts(), Secrets()
    saved = save(store, secrets, account("ada", ENV), typed="hush")
    assert len(saved.problems) == 1
    assert "hush" not in "".join(saved.problems)
    assert "env:ADA, where mailtui cannot write" in saved.problems[0]


@pytest.mark.parametrize("typed", [None, "new"])
def test_trouble_with_secrets_is_told_after_the_account_is_stored(typed: str | None) -> None:
    store, secrets = Accounts(account("ada", KEYRING)), Secrets((keyring("ada"), "hush"))
    secrets.broken = {SecretScheme.VAULT}
    saved = save(store, secrets, replace(account("ada"), notes="new"), "ada", source="ada", typed=typed)
    assert store.account("ada").notes == "new"
    assert secrets.kept == {keyring("ada"): "hush"}
    assert lines_are_clean(saved.problems)
    assert "no outbound password was put into the vault, entry ada: the vault is \\x1b[31mlocked" in saved.problems[0]
    assert "mailtui secret set ada" in saved.problems[0]
    assert "left there" in saved.problems[-1]
    assert "hush" not in "".join(saved.problems)


def test_a_password_that_cannot_be_read_is_not_removed() -> None:
    store, secrets = Accounts(account("ada", KEYRING)), Secrets((keyring("ada"), "one"))
    secrets.broken = {SecretScheme.KEYRING}
    saved = save(store, secrets, account("ada"), "ada", source="ada")
    assert secrets.kept == {keyring("ada"): "one"}
    assert ["locked" in saved.problems[0], "left there" in saved.problems[1]] == [True, True]


@pytest.mark.parametrize(("before", "told"), [(KEYRING, "none was stored before"), (ASK, "asked for so far")])
def test_where_there_was_no_password_none_is_moved(before: SecretRef, told: str) -> None:
    store, secrets = Accounts(account("ada", before)), Secrets()
    saved = save(store, secrets, account("ada"), "ada", source="ada")
    assert len(saved.problems) == 1
    assert told in saved.problems[0]
    assert secrets.kept == {}


def test_a_database_that_fails_afterwards_is_told() -> None:
    store, secrets = Accounts(), Secrets()

    class Failing(Accounts):
        def add(self, one: Account) -> Account:
            stored = super().add(one)
            self.failure = StorageError("the database is gone")
            return stored

    store = Failing()
    saved = save(store, secrets, account("ada"), typed="one")
    assert saved.account.name == "ada"
    assert len(saved.problems) == 1
    assert "the database is gone; to set one: mailtui secret set ada" in saved.problems[0]


def test_passwords_change_places_without_a_loss() -> None:
    """What is carried is read before anything is written over it."""
    store = Accounts(account("ada", vault("a"), vault("b")))
    secrets = Secrets((vault("a"), "out"), (vault("b"), "in"))
    save(store, secrets, account("ada", vault("b"), vault("c")), "ada", source="ada", typed="new")
    assert secrets.kept == {vault("b"): "new", vault("c"): "in"}


def test_two_legs_that_had_two_passwords_keep_them() -> None:
    """The outgoing password moves to the vault, where the account's own name is the incoming one's entry."""
    store, secrets = Accounts(account("ada", KEYRING, VAULT)), Secrets((keyring("ada"), "out"), (vault("ada"), "in"))
    saved = save(store, secrets, account("ada", VAULT, VAULT), "ada", source="ada")
    assert saved.problems == ()
    assert secrets.kept == {vault("ada outbound"): "out", vault("ada"): "in"}
    # The same for a duplicate, whose form names no entries.
    save(store, secrets, account("bob", VAULT, VAULT), source="ada")
    assert (secrets.kept[vault("bob")], secrets.kept[vault("bob inbound")]) == ("out", "in")


async def _trial(edited: Edited, secrets: Secrets) -> tuple[str | None, str | None]:
    """What a check of the form's account would log in with, leg by leg."""
    reader = trial_reader(edited, secrets)
    logins = (edited.account.submission_login, edited.account.retrieval_login)
    found = [
        await reader.read(login.secret, edited.account.name) if login and login.secret else None for login in logins
    ]
    return found[0], found[1]


@pytest.mark.parametrize(
    ("changed", "typed", "inbound", "expected"),
    [
        (account("ada"), None, None, ("stored", "stored")),
        (account("lovelace"), None, None, ("stored", "stored")),
        (account("ada", KEYRING), None, None, ("stored", "stored")),
        (account("ada", vault("team")), None, None, ("team's", "team's")),
        (account("ada", vault("nothing there")), None, None, ("stored", "stored")),
        (account("ada", ENV), None, None, ("variable", "variable")),
        (account("ada"), "typed", None, ("typed", "typed")),
        (account("ada", VAULT, VAULT), "typed", None, ("typed", "typed")),
        (account("ada", VAULT, VAULT), "typed", "own", ("typed", "own")),
        (account("ada", VAULT, SecretRef(SecretScheme.VAULT)), None, "own", ("stored", "own")),
        (account("ada", VAULT, KEYRING), "typed", None, ("typed", "stored")),
        (without_login(account("ada", own=VAULT)), "not shown", "own", (None, "own")),
    ],
)
def test_a_trial_reads_what_the_saved_account_would(
    changed: Account, typed: str | None, inbound: str | None, expected: tuple[str | None, str | None]
) -> None:
    # Values of their own, as a form makes them.
    if changed.retrieval is not None and changed.retrieval.secret is not None:
        own = SecretRef(changed.retrieval.secret.scheme, changed.retrieval.secret.value)
        changed = replace(changed, retrieval=replace(changed.retrieval, secret=own))
    store = Accounts(account("ada"))
    secrets = Secrets((vault("ada"), "stored"), (vault("team"), "team's"))
    secrets.elsewhere[ENV] = "variable"
    original = store.account("ada")
    edited = Edited(changed, original, original, hidden(typed), hidden(inbound))
    assert run(_trial(edited, secrets)) == expected
    assert (secrets.written, secrets.deleted) == ([], [])


def test_a_trial_of_a_new_account_says_what_is_missing() -> None:
    with pytest.raises(Exception, match="no entry 'ada'"):
        run(_trial(Edited(account("ada")), Secrets()))


def test_no_repr_shows_what_was_typed() -> None:
    edited = Edited(account("ada"), submission_password=Hidden("hush"), retrieval_password=Hidden("hush"))
    assert "hush" not in repr(edited)
    assert "hush" not in repr(vars(trial_reader(edited, Secrets())))


REFS = [VAULT, KEYRING, vault("team"), vault("ada"), keyring("bob"), vault("bob inbound"), ENV]
PASSWORDS = st.one_of(st.none(), st.sampled_from(["typed one", "typed two"]))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Accounts, Secrets]:
    """Three accounts over few entries, so that many are shared, some of which hold a password."""
    store, secrets = Accounts(), Secrets()
    for name in ("ada", "bob", "eve"):
        own = draw(st.one_of(st.none(), st.sampled_from(REFS)))
        store.add(account(name, draw(st.sampled_from(REFS)), own))
    names = ["ada", "bob", "eve", "team", "bob inbound"]
    for entry in draw(st.sets(st.sampled_from([make(name) for name in names for make in (vault, keyring)]))):
        secrets.kept[entry] = f"the password of {entry}"
    secrets.elsewhere[ENV] = "variable"
    return store, secrets


def seen(store: Accounts, secrets: Secrets, name: str) -> list[str | None]:
    """What an account's legs read."""

    async def read() -> list[str | None]:
        one = store.account(name)
        found: list[str | None] = []
        for login in (one.submission_login, one.retrieval_login):
            assert login is not None
            assert login.secret is not None
            try:
                found.append(await secrets.read(login.secret, name))
            except UsageError:
                raise
            except Exception:  # noqa: BLE001  # no password there
                found.append(None)
        return found

    return run(read())


@settings(max_examples=300, deadline=None)
@given(
    worlds(), st.sampled_from(REFS), st.one_of(st.none(), st.sampled_from(REFS)), PASSWORDS, PASSWORDS, st.booleans()
)
def test_no_save_costs_a_password(
    world: tuple[Accounts, Secrets],
    secret: SecretRef,
    own: SecretRef | None,
    typed: str | None,
    inbound: str | None,
    renamed: bool,
) -> None:
    store, secrets = world
    others = {name: seen(store, secrets, name) for name in ("bob", "eve")}
    before, mine = dict(secrets.kept), seen(store, secrets, "ada")
    saved = save(
        store, secrets, account("lovelace" if renamed else "ada", secret, own), "ada", source="ada", typed=typed,
        inbound=inbound,
    )  # fmt: skip
    now = seen(store, secrets, saved.account.name)
    note(f"{store.accounts()} {before} {saved} {secrets.kept}")
    assert lines_are_clean(saved.problems)
    stored = saved.account
    assert stored.retrieval_login is not None
    for leg, (wanted, ref) in enumerate(((typed, stored.submission.secret), (inbound, stored.retrieval_login.secret))):
        if wanted is not None and ref is not None and ref.scheme in (SecretScheme.VAULT, SecretScheme.KEYRING):
            assert now[leg] == wanted
    for name, read in others.items():
        # Another account reads something else only where a password was typed into an entry that it shares by name.
        if seen(store, secrets, name) != read:
            assert typed or inbound
    if typed is None and inbound is None:
        assert {name: seen(store, secrets, name) for name in others} == others
        lost = {before[entry] for entry in before if entry not in secrets.kept} - set(secrets.kept.values())
        # Nothing is lost but the incoming password of an account that says that it has none of its own any more.
        assert lost <= ({mine[1]} if own is None else set())
        ends = [entry_of(secret_of(stored, leg), stored.name) for leg in Leg]
        for end, ref, read_before, reads_now in zip(ends, (secret, own), mine, now, strict=True):
            # What a leg reads stays, unless the person named an entry for it or for the leg that it shares one with.
            if read_before is not None and ref in (VAULT, KEYRING) and ends.count(end) == 1:
                assert reads_now == read_before


def sends_without(own: SecretRef) -> Account:
    return without_login(account("ada", own=own))


@pytest.mark.parametrize("own", [VAULT, vault("mine")])
def test_an_outgoing_leg_that_is_shared_now_takes_over_the_incoming_password(own: SecretRef) -> None:
    store, secrets = Accounts(sends_without(own)), Secrets((vault(own.value or "ada"), "in"))
    original = store.account("ada")
    edited = Edited(account("ada", KEYRING), original, original)
    assert run(_trial(edited, secrets)) == ("in", "in")
    assert save(store, secrets, edited.account, "ada", source="ada").problems == ()
    assert secrets.kept == {keyring("ada"): "in"}
    assert seen(store, secrets, "ada") == ["in", "in"]


def test_an_outgoing_leg_takes_no_incoming_password_that_it_does_not_share() -> None:
    store, secrets = Accounts(sends_without(VAULT)), Secrets((vault("ada"), "in"))
    for after in (account("ada", KEYRING, VAULT), account("ada", KEYRING, retrieval=None)):
        save(store, secrets, after, "ada", source="ada")
        assert keyring("ada") not in secrets.kept


def test_an_entry_of_another_account_that_is_not_there_is_told() -> None:
    store = Accounts(account("ada"), account("bob", vault("team")))
    secrets = Secrets((vault("ada"), "mine"))
    saved = save(store, secrets, account("ada", vault("team")), "ada", source="ada")
    assert lines_are_clean(saved.problems)
    assert "into the vault, entry team: bob reads it too, and it is not there;" in saved.problems[0]
    assert "left there, unused now" in saved.problems[1]
    assert secrets.kept == {vault("ada"): "mine"}
    # Nobody can know while the vault is locked.
    store = Accounts(account("ada", KEYRING), account("bob", vault("team")))
    secrets = Secrets((keyring("ada"), "mine"))
    secrets.broken = {SecretScheme.VAULT}
    saved = save(store, secrets, account("ada", vault("team")), "ada", source="ada")
    assert ["left there, unused now" in line for line in saved.problems] == [True]


def test_a_new_account_does_not_take_over_a_password_left_under_its_name() -> None:
    store, secrets = Accounts(), Secrets((vault("ada"), "of the former"), (vault("ada 2"), "of another"))
    saved = save(store, secrets, account("ada", VAULT, SecretRef(SecretScheme.VAULT)))
    assert (saved.account.submission.secret, saved.account.retrieval and saved.account.retrieval.secret) == (
        vault("ada 3"),
        vault("ada 3"),
    )
    assert seen(store, secrets, "ada") == [None, None]
    assert len(saved.problems) == 1
    assert lines_are_clean(saved.problems)
    assert "to use the one that is there, choose vault:ada" in saved.problems[0]
    assert len(secrets.kept) == 2


def test_a_password_left_under_its_name_is_taken_if_it_is_named_and_replaced_if_one_is_typed() -> None:
    for changed, typed in (
        (account("ada", vault("ada")), None),
        (account("ada"), "new"),
        (account("ada", KEYRING), None),
    ):
        store, secrets = Accounts(), Secrets((vault("ada"), "of the former"))
        saved = save(store, secrets, changed, typed=typed)
        assert saved == Saved(store.account("ada"))
        assert saved.account.submission.secret == changed.submission.secret
        assert secrets.kept == {vault("ada"): typed or "of the former"}


def test_a_trial_knows_an_entry_by_whatever_name() -> None:
    """`vault` and `vault:ada` are one entry of the account ada."""
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "stored"))
    original = store.account("ada")
    for out, own in ((VAULT, vault("ada")), (vault("ada"), VAULT), (vault("ada"), vault("ada"))):
        edited = Edited(account("ada", out, own), original, original, None, None)
        assert run(_trial(edited, secrets)) == ("stored", "stored")
    # A renamed account's own entry is the one that it keeps, not one of the new name.
    secrets.kept[vault("lovelace")] = "of another"
    edited = Edited(account("lovelace", vault("ada")), original, original)
    assert run(_trial(edited, secrets)) == ("stored", "stored")
    saved = Edited(account("ada", VAULT, vault("ada")), None, None, Hidden("typed"), None)
    assert run(_trial(saved, Secrets())) == ("typed", "typed")


@settings(max_examples=200, deadline=None)
@given(
    worlds(), st.sampled_from(REFS), st.one_of(st.none(), st.sampled_from(REFS)), st.sampled_from(REFS), st.booleans()
)
def test_an_account_that_begins_to_log_in_to_send_loses_no_password(
    world: tuple[Accounts, Secrets], secret: SecretRef, own: SecretRef | None, before: SecretRef, renamed: bool
) -> None:
    store, secrets = world
    store.update("ada", without_login(account("ada", own=before)), store.account("ada").updated)
    kept, others = dict(secrets.kept), {name: seen(store, secrets, name) for name in ("bob", "eve")}
    saved = save(store, secrets, account("lovelace" if renamed else "ada", secret, own), "ada", source="ada")
    note(f"{store.accounts()} {kept} {saved} {secrets.kept}")
    assert {kept[entry] for entry in kept if entry not in secrets.kept} <= set(secrets.kept.values())
    assert {name: seen(store, secrets, name) for name in others} == others
