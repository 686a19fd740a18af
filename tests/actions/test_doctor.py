"""What an examination of a machine finds, each trouble made on purpose."""

import errno
import os
import socket
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailtui.actions import doctor_network, doctor_trust
from mailtui.actions.doctor import database_findings, examine, folder_findings, secret_findings, session_bus_findings
from mailtui.actions.doctor_network import ANY_NAME, dns_findings, network_findings
from mailtui.actions.doctor_trust import clock_finding, store_finding, trust_findings
from mailtui.model.account import Endpoint, Protocol, SecretScheme
from mailtui.model.check import CertificateFacts, CheckReport, Leg, LegReport, Severity, TlsFacts
from mailtui.model.finding import Finding, State, worst
from mailtui.protocols import surroundings
from mailtui.protocols.surroundings import Authorities, NoAnswer, NotFound
from mailtui.storage.database import Database
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore, SourceState
from tests.actions.kit import account as make_account

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return DataPaths(folder)


def only(findings: Sequence[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    found = only(folder_findings(DataPaths(tmp_path / "none")))
    assert (found.state, found.remedy) == (State.NOTE, "")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may write wherever it likes; what others may not, the system tells.
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    found = only(folder_findings(DataPaths(tmp_path / "deep" / "none")))
    assert found.state is State.FAILED
    assert f"{tmp_path} cannot be written to" in found.words
    assert found.remedy.startswith(f"correct the mode of {tmp_path}, or set MAILTUI_DATA")


def test_a_good_folder_is_left_as_it_was(paths: DataPaths) -> None:
    assert only(folder_findings(paths)).state is State.OK
    assert list(paths.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "state"), [(0o777, State.FAILED), (0o770, State.FAILED), (0o755, State.WARNING), (0o500, None)]
)
def test_the_mode_of_the_folder(paths: DataPaths, mode: int, state: State | None) -> None:
    paths.folder.chmod(mode)
    found = only(folder_findings(paths))
    if state is None:
        # Root writes wherever it likes.
        assert found.state is (State.OK if os.geteuid() == 0 else State.FAILED)
        return
    assert found.state is state
    assert f"{mode:04o}" in found.words
    assert found.remedy == f"run: chmod 700 {paths.folder}"


@pytest.mark.parametrize("late", [False, True], ids=["when writing", "when syncing"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(paths: DataPaths, monkeypatch: pytest.MonkeyPatch, code: int, late: bool) -> None:
    class Full:
        def __init__(self, file: object) -> None: ...
        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None: ...
        def write(self, _: bytes) -> None:
            if not late:
                raise OSError(code, os.strerror(code))

    def fsync(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("mailtui.storage.inspection.open", lambda descriptor, *_, **__: Full(descriptor), raising=False)
    monkeypatch.setattr(os, "fsync", fsync)
    found = only(folder_findings(paths))
    assert found.state is State.FAILED
    assert "is full" in found.words
    assert "make room" in found.remedy
    assert list(paths.folder.iterdir()) == []


def test_files_that_others_can_reach_are_named(paths: DataPaths) -> None:
    with Database.open(paths.database):
        paths.database.chmod(0o644)
        found = folder_findings(paths)
    told = [finding for finding in found if finding.state is State.WARNING]
    assert [finding.remedy for finding in told] == [f"run: chmod 600 {paths.database}"]


def test_a_database_is_not_made_by_looking(paths: DataPaths) -> None:
    assert only(database_findings(paths.database)).state is State.NOTE
    assert list(paths.folder.iterdir()) == []


def test_a_whole_database(paths: DataPaths) -> None:
    with Database.open(paths.database) as database:
        database.add(make_account("ada", Endpoint("mail.example.org", 465)))
    found = only(database_findings(paths.database))
    assert found.state is State.OK
    assert "1 accounts, 0 reports, whole" in found.words


def test_a_damaged_database(paths: DataPaths) -> None:
    with Database.open(paths.database) as database:
        for number in range(200):
            database.add(make_account(f"ada{number}", Endpoint("mail.example.org", 465)))
    content = bytearray(paths.database.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 + 100 : page * 4096 + 1_000] = bytes(900)
    paths.database.write_bytes(content)
    found = only(database_findings(paths.database))
    assert found.state is State.FAILED
    assert "damaged" in found.words


def test_a_database_of_another_program(paths: DataPaths) -> None:
    connection = sqlite3.connect(paths.database)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    found = only(database_findings(paths.database))
    assert found.state is State.FAILED
    assert "another program" in found.words
    assert found.remedy.startswith("move it away")


def test_a_newer_database(paths: DataPaths) -> None:
    with Database.open(paths.database):
        pass
    connection = sqlite3.connect(paths.database)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    found = only(database_findings(paths.database))
    assert (found.state, "upgrade mailtui" in found.remedy) == (State.FAILED, True)


def test_an_empty_file_where_the_database_was(paths: DataPaths) -> None:
    paths.database.touch()
    found = only(database_findings(paths.database))
    assert (found.state, "empty or cut short" in found.words) == (State.FAILED, True)


KEYRING_GONE = SourceState(SecretScheme.KEYRING, False, "no desktop keyring", "use the vault")
VAULT = SourceState(SecretScheme.VAULT, True, "vault.json")


def test_a_source_that_nobody_needs_is_only_a_note() -> None:
    found = secret_findings([KEYRING_GONE, VAULT], [], True)
    assert [finding.state for finding in found] == [State.NOTE, State.OK]


def test_a_source_that_accounts_need_fails() -> None:
    needy = make_account("ada", Endpoint("mail.example.org", 465))
    found = secret_findings([SourceState(SecretScheme.ENV, False, "gone", "do this")], [needy], True)
    assert (found[0].state, found[0].words, found[0].remedy) == (State.FAILED, "gone (1 login uses it)", "do this")


def test_without_keyring_and_folder_there_is_no_place_for_a_secret() -> None:
    found = secret_findings([KEYRING_GONE, VAULT], [], False)
    assert [finding.state for finding in found] == [State.NOTE, State.NOTE, State.WARNING]
    assert "no place is left" in found[-1].words


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="session buses are Linux's")
def test_the_session_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    none = only(session_bus_findings())
    assert (none.state, "vault" in none.remedy) == (State.NOTE, True)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/bus,guid=00")
    assert only(session_bus_findings()).state is State.WARNING
    (tmp_path / "bus").touch()
    assert only(session_bus_findings()).state is State.OK


def answering(monkeypatch: pytest.MonkeyPatch, known: set[str], silent: set[str], servers: list[str]) -> None:
    def look_up(name: str) -> int:
        if name in silent:
            raise NoAnswer("Temporary failure in name resolution")
        if name not in known:
            raise NotFound("Name or service not known")
        return 1

    monkeypatch.setattr(doctor_network, "look_up", look_up)
    monkeypatch.setattr(doctor_network, "name_servers", lambda: servers)


ACCOUNTS = [make_account("ada", Endpoint("smtp.example.org", 465), Endpoint("imap.example.org", 993))]
HOSTS = {"smtp.example.org", "imap.example.org"}


async def test_dns_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {*HOSTS, ANY_NAME}, set(), ["192.0.2.53"])
    found = only(await dns_findings(ACCOUNTS))
    assert (found.state, "2 of 2" in found.words, "192.0.2.53" in found.words) == (State.OK, True, True)


async def test_no_dns_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, set(), {*HOSTS, ANY_NAME}, ["192.0.2.53"])
    found = only(await dns_findings(ACCOUNTS))
    assert found.state is State.FAILED
    assert "Temporary failure" in found.words
    assert "192.0.2.53" in found.words
    assert "ip route" in found.remedy


async def test_no_name_server_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, set(), {ANY_NAME}, [])
    found = only(await dns_findings([]))
    assert found.state is State.FAILED
    assert "names no server" in found.words
    assert "nameserver" in found.remedy


async def test_a_name_that_is_not_there_is_not_taken_for_broken_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"imap.example.org", ANY_NAME}, set(), ["192.0.2.53"])
    missing, good = await dns_findings(ACCOUNTS)
    assert (missing.state, good.state) == (State.WARNING, State.OK)
    assert "smtp.example.org" in missing.words
    assert "imap" not in missing.words


async def test_one_name_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, {"imap.example.org", ANY_NAME}, {"smtp.example.org"}, ["192.0.2.53"])
    silent, good = await dns_findings(ACCOUNTS)
    assert (silent.state, good.state) == (State.WARNING, State.OK)
    assert "no answer for smtp.example.org" in silent.words


async def test_servers_that_know_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, set(), set(), ["192.0.2.53"])
    assert only(await dns_findings(ACCOUNTS)).state is State.FAILED
    assert only(await dns_findings([])).state is State.WARNING


def test_the_c_librarys_answers_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(code: int) -> None:
        def getaddrinfo(*_: object, **__: object) -> None:
            raise socket.gaierror(code, "words")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    failing(socket.EAI_NONAME)
    with pytest.raises(NotFound):
        surroundings.look_up("mail.example.org")
    for code in (socket.EAI_AGAIN, socket.EAI_FAIL):
        failing(code)
        with pytest.raises(NoAnswer, match="words"):
            surroundings.look_up("mail.example.org")


def test_the_resolver_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "resolv.conf"
    monkeypatch.setattr(surroundings, "RESOLVER_FILE", file)
    with pytest.raises(FileNotFoundError):
        surroundings.name_servers()
    file.write_text(
        "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\nnameserver\n"
    )
    assert surroundings.name_servers() == ["192.0.2.1", "2001:db8::1"]


def test_a_machine_without_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_network, "routed_families", list)
    assert network_findings()[0].state is State.WARNING
    monkeypatch.setattr(doctor_network, "routed_families", lambda: ["IPv4"])
    assert (network_findings()[0].state, "none for IPv6" in network_findings()[0].words) == (State.OK, True)


def test_too_few_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    found = network_findings()[-1]
    assert (found.state, "ulimit -n" in found.remedy) == (State.WARNING, True)


def store(
    count: int = 1, *, folder: str = "", file: str = "/etc/ca.pem", named_by: str = "", missing: str = ""
) -> Authorities:
    return Authorities(count, ((NOW, NOW),) * count, file, folder, named_by, missing)


def test_the_store_of_authorities() -> None:
    assert store_finding(store(140)).state is State.OK
    assert store_finding(store(0, folder="/etc/ssl/certs")).state is State.OK
    empty = store_finding(store(0))
    assert (empty.state, "ca-certificates" in empty.remedy) == (State.FAILED, True)
    missing = store_finding(store(0, named_by="SSL_CERT_FILE", missing="/nowhere"))
    assert (missing.state, missing.remedy) == (State.FAILED, "correct SSL_CERT_FILE, or unset it")
    assert "as SSL_CERT_FILE says" in store_finding(store(3, named_by="SSL_CERT_FILE")).words


def test_an_unreadable_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    found = trust_findings([], NOW)[0]
    assert found.state is State.FAILED
    assert "gone.pem" in found.words


def authorities_of(*years: tuple[int, int]) -> list[tuple[datetime, datetime]]:
    return [(datetime(begin, 1, 1, tzinfo=UTC), datetime(end, 1, 1, tzinfo=UTC)) for begin, end in years]


def report(started: datetime, *begins: datetime) -> list[CheckReport]:
    reports = []
    for number, begin in enumerate(begins or (started - timedelta(days=9),)):
        facts = CertificateFacts("CN=s", (), "CN=i", begin, begin + timedelta(days=90), f"{number:064x}", "aa" * 32)
        tls = TlsFacts("TLSv1.3", "c", facts, True)
        leg = LegReport(Leg.OUTBOUND, Protocol.SMTP, Endpoint(f"h{number}", 465), (), 1.0, tls=tls)
        reports.append(CheckReport(f"a{number}", started, 1.0, leg, None))
    return reports


def test_a_clock_that_is_right() -> None:
    found = clock_finding(authorities_of((2010, 2040), (2015, 2035)), report(NOW - timedelta(days=1)), NOW)
    assert found.state is State.OK
    assert "a server's certificate agrees" in found.words


def test_a_clock_that_is_years_behind() -> None:
    found = clock_finding(authorities_of((2010, 2040), (2015, 2035)), [], datetime(2000, 1, 1, tzinfo=UTC))
    assert (found.state, "it is behind" in found.words, "timedatectl" in found.remedy) == (State.FAILED, True, True)


def test_a_clock_that_is_years_ahead() -> None:
    found = clock_finding(authorities_of((2010, 2040), (2015, 2035)), [], datetime(2060, 1, 1, tzinfo=UTC))
    assert (found.state, "it is ahead" in found.words) == (State.FAILED, True)


def test_a_clock_behind_the_last_check() -> None:
    found = clock_finding([], report(NOW + timedelta(hours=2)), NOW)
    assert (found.state, "a check was made at 2026-03-01 14:00" in found.words) == (State.WARNING, True)


def test_a_clock_behind_servers_certificates() -> None:
    begins = [NOW + timedelta(days=3), NOW + timedelta(days=5)]
    found = clock_finding([], report(NOW - timedelta(hours=1), *begins), NOW)
    assert (found.state, "2 servers' certificates begin only by 2026-03-06" in found.words) == (State.FAILED, True)


async def test_what_cannot_be_examined_hides_nothing(
    paths: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {ANY_NAME}, set(), [])

    async def where() -> list[SourceState]:
        raise RuntimeError("a defect")

    found = await examine(paths, tmp_path / "config.toml", where)
    broken = [finding for finding in found if finding.area == "secrets"]
    assert "a defect" in only(broken).words
    assert {"folder", "database", "settings", "dns", "network", "trust", "clock"} <= {one.area for one in found}


async def test_the_accounts_and_their_reports_are_taken_into_account(
    paths: DataPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, {ANY_NAME}, set(), ["192.0.2.53"])
    monkeypatch.setattr(doctor_trust, "authorities", lambda: store(140))
    account = make_account("ada", Endpoint("smtp.example.org", 465))
    with Database.open(paths.database) as database:
        database.add(account)
        database.record(CheckReport("ada", datetime.now(UTC) + timedelta(hours=3), 1.0, None, None))
    found = await examine(paths, tmp_path / "config.toml", SecretStore(paths).where)
    by_area = {finding.area: finding for finding in found}
    assert "a check was made at" in by_area["clock"].words
    assert any("smtp.example.org" in finding.words for finding in found if finding.area == "dns")
    assert "(1 login uses it)" in by_area["secrets/env"].words
    assert worst(found) is Severity.WARNING
