"""Examine this machine: what mailtui needs of it, what is missing, and what to do about each."""

import os
import stat
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from mailtui.actions.doctor_network import dns_findings, network_findings
from mailtui.actions.doctor_trust import trust_findings
from mailtui.model.account import Account, SecretScheme
from mailtui.model.check import CheckReport, legs_of, utc_now
from mailtui.model.errors import MailtuiError
from mailtui.model.finding import Finding, State
from mailtui.offloop import off_loop
from mailtui.storage.inspection import DatabaseFacts, FolderFacts, database_facts, folder_facts, readable_by_others
from mailtui.storage.paths import DATA_VARIABLE, DataPaths
from mailtui.storage.secrets import SourceState
from mailtui.storage.settings import load_settings

_BUS_VARIABLE = "DBUS_SESSION_BUS_ADDRESS"
_STORING = frozenset({SecretScheme.KEYRING, SecretScheme.VAULT})

LITTLE_SPACE = 16 << 20
"""Octets: with less room left on the disk, a history that grows will soon be refused."""


async def examine(
    paths: DataPaths, settings: Path, where: Callable[[], Awaitable[Sequence[SourceState]]]
) -> list[Finding]:
    """All that can be found without a terminal. `where` tells the sources of secrets.

    Raises nothing: whatever cannot be examined is a finding.
    """
    folder = await _guarded("folder", lambda: off_loop(lambda: folder_findings(paths)))
    database = await _guarded("database", lambda: off_loop(lambda: database_findings(paths.database)))
    accounts, reports = await off_loop(lambda: _known(paths.database))
    is_folder_good = not any(finding.state is State.FAILED for finding in folder)
    found = [
        *folder,
        *database,
        *await _guarded("settings", lambda: off_loop(lambda: settings_findings(settings))),
        *session_bus_findings(),
        *await _guarded("secrets", lambda: _secret_findings(where, accounts, is_folder_good)),
        *await _guarded("dns", lambda: dns_findings(accounts)),
        *await _guarded("network", lambda: off_loop(network_findings)),
    ]
    return found + await _guarded("trust", lambda: off_loop(lambda: trust_findings(reports, utc_now())))


async def _guarded(area: str, look: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        return await look()
    except Exception as error:  # noqa: BLE001  # one thing that cannot be examined must not hide the others
        words = f"cannot be examined: {type(error).__name__}: {error}"
        return [Finding(area, State.WARNING, words, "please report it, with what is special about this machine")]


def _known(database: Path) -> tuple[list[Account], list[CheckReport]]:
    """The accounts and their last reports, where the database is there and up to date; else none."""
    from mailtui.storage.database import Database

    try:
        facts = database_facts(database)
        if facts is None or facts.version != facts.known_version or facts.damage:
            return [], []
        with Database.open(database) as opened:
            return opened.accounts(), list(opened.latest(transcripts=False).values())
    except MailtuiError:
        # The findings on the database say why.
        return [], []


def folder_findings(paths: DataPaths) -> list[Finding]:
    """The data folder: who can write to it, and whether there is room."""
    folder = paths.folder
    try:
        facts = folder_facts(folder)
    except OSError as error:
        remedy = f"correct its permissions, or set {DATA_VARIABLE} to another folder"
        return [Finding("folder", State.FAILED, f"{folder} cannot be examined: {error.strerror}", remedy)]
    if facts is None:
        return [_judge_missing_folder(folder)]
    findings = [_judge_folder(folder, facts)]
    for path, mode in readable_by_others(paths):
        words = f"{path} can be reached by other users: its mode is {mode:04o}"
        findings.append(Finding("folder", State.WARNING, words, f"run: chmod 600 {path}"))
    return findings


def _judge_missing_folder(folder: Path) -> Finding:
    above = next(parent for parent in folder.absolute().parents if os.path.lexists(parent))
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding("folder", State.NOTE, f"{folder} is made, with mode 0700, when it is first needed")
    words = f"{folder} is not there and cannot be made: {above} cannot be written to"
    return Finding(
        "folder", State.FAILED, words, f"correct the mode of {above}, or set {DATA_VARIABLE} to another folder"
    )


def _judge_folder(folder: Path, facts: FolderFacts) -> Finding:
    mode = f"its mode is {facts.mode:04o}"
    if facts.mode & (stat.S_IWGRP | stat.S_IWOTH):
        words = f"other users can write to {folder}: {mode}; mailtui refuses to work in it"
        return Finding("folder", State.FAILED, words, f"run: chmod 700 {folder}")
    if facts.is_full:
        words = f"the disk of {folder} is full: nothing can be stored"
        return Finding("folder", State.FAILED, words, f"make room on it, or set {DATA_VARIABLE} to a folder elsewhere")
    if facts.obstacle:
        remedy = f"correct its owner, its mode or its mount, or set {DATA_VARIABLE} to another folder"
        return Finding("folder", State.FAILED, f"{folder} cannot be written to: {facts.obstacle}; {mode}", remedy)
    if facts.free < LITTLE_SPACE:
        words = f"the disk of {folder} has {facts.free >> 20} MiB left"
        return Finding("folder", State.WARNING, words, "make room before the history is refused")
    if not facts.is_own:
        words = f"{folder} belongs to another user; {mode}"
        return Finding("folder", State.WARNING, words, f"if that is not on purpose: chown -R $(id -un) {folder}")
    if facts.mode & (stat.S_IRWXG | stat.S_IRWXO):
        words = f"other users can look into {folder}: {mode}"
        return Finding("folder", State.WARNING, words, f"run: chmod 700 {folder}")
    return Finding("folder", State.OK, f"{folder}, {mode}, {facts.free >> 20} MiB free")


def database_findings(path: Path) -> list[Finding]:
    """The database: whether it can be read, and whether it is whole."""
    try:
        facts = database_facts(path)
    except MailtuiError as error:
        # Errors of the database end with what to do.
        words, _, remedy = str(error).rpartition("; ")
        return [Finding("database", State.FAILED, words or remedy, remedy if words else "")]
    if facts is None:
        return [Finding("database", State.NOTE, f"{path} is made when the first account is stored")]
    return [_judge_database(path, facts)]


def _judge_database(path: Path, facts: DatabaseFacts) -> Finding:
    if facts.damage:
        remedy = f"put a backup in its place, or save what can be read: sqlite3 {path} .recover"
        return Finding("database", State.FAILED, f"{path} is damaged: {facts.damage}", remedy)
    words = f"{path}, {facts.size >> 10} KiB, {facts.accounts} accounts, {facts.reports} reports, whole"
    if facts.version < facts.known_version:
        words += "; of an older version: the next command brings it up to date"
    return Finding("database", State.OK, words)


def settings_findings(path: Path) -> list[Finding]:
    """The settings file: whatever in it cannot be used."""
    problems = load_settings(path).problems
    if problems:
        return [
            Finding("settings", State.WARNING, problem, "correct it; until then the usual setting holds")
            for problem in problems
        ]
    words = f"{path} is read" if path.exists() else f"{path} is not there: all settings are the usual ones"
    return [Finding("settings", State.OK, words)]


def session_bus_findings() -> list[Finding]:
    """Whether there is a D-Bus session bus, through which desktop keyrings of Linux are reached."""
    if sys.platform != "linux":
        return []
    address = os.environ.get(_BUS_VARIABLE, "")
    if not address:
        words = f"no session bus ({_BUS_VARIABLE} is not set), so no desktop keyring can be reached"
        return [
            Finding("dbus", State.NOTE, words, "the vault needs none; or log in to the desktop that has the keyring")
        ]
    kind, _, place = address.partition(",")[0].partition("=")
    if kind == "unix:path" and not os.path.exists(place):
        words = f"{_BUS_VARIABLE} names {place}, which is not there"
        return [Finding("dbus", State.WARNING, words, f"unset {_BUS_VARIABLE}, or start the desktop's session again")]
    return [Finding("dbus", State.OK, f"session bus at {address}")]


async def _secret_findings(
    where: Callable[[], Awaitable[Sequence[SourceState]]], accounts: Iterable[Account], is_folder_good: bool
) -> list[Finding]:
    return secret_findings(await where(), list(accounts), is_folder_good)


def secret_findings(sources: Sequence[SourceState], accounts: Sequence[Account], is_folder_good: bool) -> list[Finding]:
    """Which sources of secrets work, and why the others do not; one that accounts need and that does not, fails."""
    needed = _needed(accounts)
    findings = []
    can_store = False
    for source in sources:
        scheme = source.scheme
        usable, words, remedy = source.usable, source.detail, source.remedy
        if scheme is SecretScheme.VAULT and usable and not is_folder_good:
            usable, words = False, "it is kept in the data folder, which cannot be used"
            remedy = "mend the folder, see above"
        users = needed.get(scheme, 0)
        use = f" ({users} {'login uses' if users == 1 else 'logins use'} it)" if users else ""
        if usable:
            can_store = can_store or scheme in _STORING
            findings.append(Finding(f"secrets/{scheme.value}", State.OK, words + use))
        else:
            state = State.FAILED if users and scheme is not SecretScheme.ASK else State.NOTE
            findings.append(Finding(f"secrets/{scheme.value}", state, words + use, remedy))
    if not can_store:
        remedy = "mend the keyring or the vault, or name a command:, env: or file: in the accounts"
        findings.append(Finding("secrets", State.WARNING, "no place is left where a new secret could be put", remedy))
    return findings


def _needed(accounts: Iterable[Account]) -> dict[SecretScheme, int]:
    counts: dict[SecretScheme, int] = {}
    for account in accounts:
        for setup in legs_of(account):
            if setup.login is not None and setup.login.secret is not None:
                counts[setup.login.secret.scheme] = counts.get(setup.login.secret.scheme, 0) + 1
    return counts
