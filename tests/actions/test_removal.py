"""Accounts removed with what is theirs alone, and brought back as they were."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from mailtui.actions.removal import RemovalPlan, Undo, plan_removal, remove_accounts, undo_removal
from mailtui.actions.saving import Changed
from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.check import Severity
from mailtui.model.errors import SecretError, StorageError, UsageError
from mailtui.storage.database import Database
from mailtui.storage.desktop import Desktop
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from tests.actions.places import KEYRING, VAULT, Accounts, Secrets, account, keyring, lines_are_clean, vault
from tests.storage.rings import good
from tests.storage.samples import report

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def entries(found: tuple[Any, ...]) -> list[tuple[SecretRef, tuple[str, ...]]]:
    return [(entry.ref, entry.used_by) for entry in found]


def test_a_plan_tells_what_goes_and_what_stays() -> None:
    store = Accounts(
        account("ada", VAULT, KEYRING),
        account("bob", vault("team")),
        account("eve", vault("team"), keyring("ada")),
        account("fay", SecretRef(SecretScheme.ENV, "FAY")),
        account("gus", vault("fay"), retrieval=None),
    )
    plan = plan_removal(store, ["ada", "bob", "fay", "ada"])
    assert [one.name for one in plan.accounts] == ["ada", "bob", "fay"]
    assert plan.reports == 9
    assert entries(plan.removed) == [(vault("ada"), ())]
    assert entries(plan.kept) == [(keyring("ada"), ("eve",)), (vault("team"), ("eve",))]
    assert entries(plan_removal(store, ["bob", "eve"]).removed) == [(vault("team"), ()), ]  # fmt: skip


def test_a_plan_for_an_unknown_account_names_similar_ones() -> None:
    with pytest.raises(UsageError, match="did you mean 'ada'"):
        plan_removal(Accounts(account("ada")), ["adda"])


def test_secrets_go_unless_they_are_to_be_kept() -> None:
    for keep in (False, True):
        store, secrets = Accounts(account("ada"), account("bob")), Secrets((vault("ada"), "a"), (vault("bob"), "b"))
        undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada"]), keep_secrets=keep))
        assert [one.name for one in store.accounts()] == ["bob"]
        assert secrets.kept == ({vault("ada"): "a"} if keep else {}) | {vault("bob"): "b"}
        assert (len(undo.secrets), undo.problems) == (0 if keep else 1, ())
        if keep:
            assert secrets.reads == []


def test_a_secret_that_is_not_there_is_no_problem() -> None:
    store, secrets = Accounts(account("ada", VAULT, KEYRING)), Secrets((vault("ada"), "a"))
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada"])))
    assert undo.problems == ()
    assert secrets.kept == {}
    run(undo_removal(store, secrets, undo))
    assert secrets.kept == {vault("ada"): "a"}


def test_a_secret_that_cannot_be_read_stays_and_is_told() -> None:
    store = Accounts(account("ada", KEYRING), account("bob", KEYRING, VAULT))
    secrets = Secrets((keyring("ada"), "hush"), (keyring("bob"), "hush"), (vault("bob"), "hush"))
    secrets.broken = {SecretScheme.KEYRING}
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada", "bob"])))
    assert store.accounts() == []
    assert secrets.kept == {keyring("ada"): "hush", keyring("bob"): "hush"}
    assert undo.problems == (
        "a password may be left in the desktop keyring, entry ada and 1 more: the keyring is \\x1b[31mlocked; "
        "to remove it: mailtui secret remove ada --from keyring:ada, and so on",
    )


def test_the_secrets_of_many_accounts_are_one_request() -> None:
    """The vault is written as a whole, and a keyring that refuses once would refuse again."""
    asked: list[list[SecretRef]] = []

    class Counted(Secrets):
        async def delete_many(self, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
            asked.append(list(entries))
            return await super().delete_many(entries)

    store = Accounts(account("ada", KEYRING), account("bob", KEYRING, VAULT))
    secrets = Counted((keyring("ada"), "a"), (keyring("bob"), "b"), (vault("bob"), "v"))
    secrets.undeletable = {SecretScheme.KEYRING}
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada", "bob"])))
    assert asked == [[keyring("ada"), keyring("bob"), vault("bob")]]
    assert [ref for ref, _ in undo.secrets] == [vault("bob")]
    assert len(undo.problems) == 1
    assert lines_are_clean(undo.problems)
    assert "keyring, entry ada and 1 more: " in undo.problems[0]


def test_an_undo_keeps_the_secrets_that_are_refused_and_tries_them_again() -> None:
    store = Accounts(account("ada", VAULT, KEYRING), account("bob"))
    secrets = Secrets((vault("ada"), "a"), (keyring("ada"), "k"), (vault("bob"), "b"))
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada", "bob"])))
    secrets.broken = {SecretScheme.VAULT}
    back = run(undo_removal(store, secrets, undo))
    assert [one.name for one in back.accounts] == ["ada", "bob"]
    assert secrets.kept == {keyring("ada"): "k"}
    assert len(back.problems) == 1
    assert "vault, entry ada and 1 more could not be brought back: the vault is" in back.problems[0]
    assert back.left is not None
    assert [ref for ref, _ in back.left.secrets] == [vault("ada"), vault("bob")]
    again = run(undo_removal(store, secrets, back.left))
    assert (again.accounts, again.left) == ((), back.left)
    secrets.broken = set()
    store.update("bob", account("bob", KEYRING), store.account("bob").updated)
    last = run(undo_removal(store, secrets, back.left))
    assert (last.accounts, last.left) == ((), None)
    assert secrets.kept == {keyring("ada"): "k", vault("ada"): "a"}
    assert last.problems == ("the password of the vault, entry bob was not brought back: no account reads it any more",)
    assert [one.name for one in store.accounts()] == ["ada", "bob"]


def test_an_undo_keeps_all_secrets_when_the_database_fails() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "a"))
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada"])))
    store.failure = StorageError("the disk is gone")
    back = run(undo_removal(store, secrets, undo))
    assert (secrets.kept, len(back.problems)) == ({}, 1)
    store.failure = None
    assert back.left is not None
    assert run(undo_removal(store, secrets, back.left)).problems == ()
    assert secrets.kept == {vault("ada"): "a"}


def test_an_account_that_was_changed_meanwhile_stays_until_the_person_was_asked_again() -> None:
    store, secrets = Accounts(account("ada"), account("bob")), Secrets((vault("ada"), "a"), (vault("bob"), "b"))
    plan = plan_removal(store, ["bob", "ada"])
    current = store.update("ada", account("ada", notes="new"), store.account("ada").updated)
    with pytest.raises(Changed, match="ada was changed meanwhile") as changed:
        run(remove_accounts(store, secrets, plan))
    assert changed.value.current == current
    assert [one.name for one in store.accounts()] == ["bob", "ada"]
    assert secrets.kept == {vault("ada"): "a", vault("bob"): "b"}
    plan = plan_removal(store, ["bob", "ada"])
    store.remove("ada")
    with pytest.raises(Changed, match="ada was removed meanwhile"):
        run(remove_accounts(store, secrets, plan))
    assert [one.name for one in store.accounts()] == ["bob"]


def test_a_secret_whose_last_other_reader_went_meanwhile_is_told() -> None:
    store, secrets = (
        Accounts(account("ada", vault("team")), account("bob", vault("team"))),
        Secrets((vault("team"), "t")),
    )
    plan = plan_removal(store, ["ada"])
    store.remove("bob")
    undo = run(remove_accounts(store, secrets, plan))
    assert secrets.kept == {vault("team"): "t"}
    assert undo.problems == (
        "a password may be left in the vault, entry team: no account reads it any more; "
        "to remove it: mailtui secret remove team --from vault:team",
    )


def test_an_entry_that_another_account_took_meanwhile_stays() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "a"))
    plan = plan_removal(store, ["ada"])
    store.add(account("bob", vault("ada")))
    undo = run(remove_accounts(store, secrets, plan))
    assert secrets.kept == {vault("ada"): "a"}
    assert (undo.secrets, undo.problems) == ((), ())


def test_no_secret_goes_where_the_accounts_stay() -> None:
    store, secrets = Accounts(account("ada")), Secrets((vault("ada"), "a"))
    plan = plan_removal(store, ["ada"])

    class Refusing(Accounts):
        def remove(self, *names: str, expected: object = None) -> Any:
            raise StorageError("the disk is full")

    with pytest.raises(StorageError):
        run(remove_accounts(Refusing(account("ada")), secrets, plan))
    assert secrets.kept == {vault("ada"): "a"}


def test_an_undo_never_overwrites_a_secret() -> None:
    store, secrets = Accounts(account("ada", VAULT, KEYRING)), Secrets((vault("ada"), "a"), (keyring("ada"), "b"))
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada"])))
    secrets.kept = {vault("ada"): "new", keyring("ada"): "b"}
    back = run(undo_removal(store, secrets, undo))
    assert [one.name for one in back.accounts] == ["ada"]
    assert secrets.kept == {vault("ada"): "new", keyring("ada"): "b"}
    assert back.problems == ("another password was put into the vault, entry ada meanwhile; it was left there",)


def test_an_undo_tells_of_secrets_that_do_not_come_back() -> None:
    store, secrets = Accounts(account("ada", VAULT, KEYRING)), Secrets((vault("ada"), "hush"), (keyring("ada"), "b"))
    undo = run(remove_accounts(store, secrets, plan_removal(store, ["ada"])))
    secrets.broken = {SecretScheme.VAULT}
    back = run(undo_removal(store, secrets, undo))
    assert [one.name for one in back.accounts] == ["ada"]
    assert secrets.kept == {keyring("ada"): "b"}
    assert len(back.problems) == 1
    assert lines_are_clean(back.problems)
    assert "hush" not in back.problems[0] + repr(undo) + repr(back)


@pytest.fixture
def paths(tmp_path: Any) -> DataPaths:
    return DataPaths(tmp_path / "data")


@pytest.fixture
def database(paths: DataPaths) -> Iterator[Database]:
    with Database.open(paths.database) as opened:
        yield opened


def rows(database: Database) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """All that the database holds, as stored, ids aside."""
    accounts = database._rows(
        "SELECT name, active, created, updated, last_verified, document FROM account ORDER BY name"
    )
    reports = database._rows(
        "SELECT name, started, severity, report, transcripts FROM report JOIN account ON account.id = report.account "
        "ORDER BY name, started DESC, report.id DESC"
    )
    return [tuple(row) for row in accounts], [tuple(row) for row in reports]


def test_everything_comes_back_from_a_real_database_vault_and_keyring(paths: DataPaths, database: Database) -> None:
    ring = good()
    secrets = SecretStore(paths, desktop=Desktop(lambda: (ring,)))
    for one in (account("ada", VAULT, KEYRING), account("bob", vault("shared")), account("eve", vault("shared"))):
        database.add(one)
    database.record_many(
        report(name, severity, timedelta(minutes=age))
        for name in ("ada", "bob", "eve")
        for age, severity in enumerate(Severity)
    )
    database.set_active(["bob"], False)

    async def fill() -> None:
        await secrets.write(VAULT, "ada", "ada's out")
        await secrets.write(KEYRING, "ada", "ada's in")
        await secrets.write(vault("shared"), "bob", "shared")

    run(fill())
    before, history = rows(database), database.history("ada")
    plan = plan_removal(database, ["ada", "bob"])
    assert plan.reports == 6

    async def remove() -> Undo:
        return await remove_accounts(database, secrets, plan)

    undo = run(remove())
    assert undo.problems == ()
    assert [one.name for one in database.accounts()] == ["eve"]
    for ref, name in ((VAULT, "ada"), (KEYRING, "ada")):
        with pytest.raises(SecretError, match="no entry"):
            run(secrets.reader().read(ref, name))
    assert run(secrets.reader().read(vault("shared"), "eve")) == "shared"

    back = run(undo_removal(database, secrets, undo))
    assert (back.problems, back.left) == ((), None)
    assert rows(database) == before
    assert [one.name for one in back.accounts] == ["ada", "bob"]
    assert list(back.accounts) == [one for one in database.accounts() if one.name != "eve"]
    assert database.history("ada") == history
    assert all(leg.transcript for one in history for leg in one.legs)
    assert run(secrets.reader().read(VAULT, "ada")) == "ada's out"
    assert run(secrets.reader().read(KEYRING, "ada")) == "ada's in"


def test_a_name_that_was_taken_meanwhile_stops_the_undo_whole(paths: DataPaths, database: Database) -> None:
    secrets = Secrets((vault("ada"), "a"))
    for name in ("ada", "bob"):
        database.add(account(name))
    plan: RemovalPlan = plan_removal(database, ["ada", "bob"])
    undo = run(remove_accounts(database, secrets, plan))
    database.add(account("bob"))
    with pytest.raises(UsageError, match=r"'bob' exists again.*rename or remove"):
        run(undo_removal(database, secrets, undo))
    assert [one.name for one in database.accounts()] == ["bob"]
    assert secrets.kept == {}
    database.update("bob", account("rob"))
    run(undo_removal(database, secrets, undo))
    assert [one.name for one in database.accounts()] == ["ada", "bob", "rob"]
    assert secrets.kept == {vault("ada"): "a"}
