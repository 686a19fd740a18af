"""What past checks taught: how servers were when they were good, and which logins they refused."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from typing import Protocol as Interface

from mailtui.model.account import Account, AuthMethod, Endpoint, Login, Protocol, Security
from mailtui.model.check import CheckReport, Leg, LegReport, legs_of
from mailtui.model.watch import Baseline, Learnt, RefusedLogin, baseline_of
from mailtui.protocols.sasl import Credentials

Place = tuple[str, Leg]
"""A leg of an account, by the account's name."""

Write = Callable[[Sequence[CheckReport]], None]

_Server = tuple[Protocol, str, int, Security]
_Login = tuple[str, int, str, AuthMethod]
_Key = tuple[Place, str, int]


class LearntStore(Interface):
    """The part of the database that keeps what was learnt. Calls block: they are made off the loop."""

    def baselines(self) -> Mapping[Place, Baseline]:
        """What is kept of each leg's server."""

    def refused_logins(self) -> Mapping[Place, RefusedLogin]:
        """The refused login that is kept of each leg."""

    def record_many(self, reports: Sequence[CheckReport], learnt: Sequence[Learnt] = ()) -> None:
        """Add reports to the history together with what was learnt."""


class Memory:
    """What past checks taught: what is stored, and what this process learnt.

    What a check learns the next one knows at once. It is stored with the report of that leg, so that a trial of servers
    that are not the account's changes nothing in the database. Lookups cost the same with thousands of accounts. May be
    used from several threads; only `load`, `reload` and what `write` returns block.
    """

    def __init__(self) -> None:
        self._stored: Mapping[Place, Baseline] = {}
        self._old_names: dict[str, str] = {}
        self._baselines: dict[tuple[Place, _Server], Baseline] = {}
        self._refused: dict[_Login, dict[Place, RefusedLogin]] = {}
        self._unsaved: dict[_Key, Learnt] = {}
        # The event loop waits for this one, so it is held for moments only.
        self._changing = threading.Lock()
        # Between a reading and a writing of the database no other thread may come.
        self._storing = threading.Lock()

    @classmethod
    def load(cls, store: LearntStore) -> "Memory":
        """What `store` keeps. Blocks. Raises StorageError."""
        memory = cls()
        memory.reload(store)
        return memory

    def reload(self, store: LearntStore) -> None:
        """Learn what other processes stored; what was learnt here and is not stored yet stays. Blocks.

        Raises StorageError, and then nothing is forgotten.
        """
        with self._storing:
            stored, rows = store.baselines(), store.refused_logins()
            refused: dict[_Login, dict[Place, RefusedLogin]] = {}
            for place in rows:
                if (mark := rows.get(place)) is not None:
                    refused.setdefault(_login_of_mark(mark), {})[place] = mark
            with self._changing:
                self._stored, self._old_names, self._refused = stored, {}, refused
                self._baselines.clear()
                for (place, _, _), learnt in self._unsaved.items():
                    if learnt.baseline is not None:
                        self._baselines[place, _server_of_baseline(learnt.baseline)] = learnt.baseline
                    if learnt.is_login_good and (mark := rows.get(place)) is not None:
                        refused[_login_of_mark(mark)].pop(place, None)
                    if learnt.refused is not None:
                        refused.setdefault(_login_of_mark(learnt.refused), {})[place] = learnt.refused

    def renamed(self, old: str, new: str) -> None:
        """An account has another name: what is known of it stays known."""
        with self._changing:
            self._old_names[new] = self._old_names.pop(old, old)
            for (place, host, port), learnt in list(self._unsaved.items()):
                if place[0] == old:
                    del self._unsaved[place, host, port]
                    self._unsaved[(new, place[1]), host, port] = replace(learnt, account=new)
            _rename_places(self._baselines, lambda key: ((new, key[0][1]), key[1]) if key[0][0] == old else key)
            for marks in self._refused.values():
                _rename_places(marks, lambda place: (new, place[1]) if place[0] == old else place)

    def baseline(self, account: str, leg: Leg, protocol: Protocol, endpoint: Endpoint) -> Baseline | None:
        """What the server of a leg was like; None where no check was good, or it was another server."""
        learnt = self._baselines.get(((account, leg), _server(protocol, endpoint)))
        stored = self._stored.get((self._old_names.get(account, account), leg))
        if stored is None or not stored.counts_for(protocol, endpoint):
            return learnt
        if learnt is None:
            return stored
        return max(stored, learnt, key=lambda baseline: baseline.since)

    def learn(self, account: str, leg: LegReport, at: datetime, before: Baseline | None = None) -> Baseline:
        """Take the server of `leg` as it is: it is what the next checks are compared with.

        `before` is what `baseline` says, where that was asked already.
        """
        before = before or self.baseline(account, leg.leg, leg.protocol, leg.endpoint)
        learnt = baseline_of(leg, at, before)
        with self._changing:
            self._baselines[(account, leg.leg), _server(leg.protocol, leg.endpoint)] = learnt
            self._note((account, leg.leg), leg.endpoint.host, leg.endpoint.port, baseline=learnt)
        return learnt

    def refusals(self, endpoint: Endpoint, credentials: Credentials) -> list[RefusedLogin]:
        """The refused logins, of whatever account, to that server by that name and method, the newest first."""
        marks = self._refused.get(_login_of(endpoint, credentials), {})
        return sorted(marks.values(), key=lambda mark: mark.at, reverse=True)

    def refused(self, account: str, leg: Leg, mark: RefusedLogin) -> None:
        """The server refused the login of a leg."""
        with self._changing:
            self._refused.setdefault(_login_of_mark(mark), {})[account, leg] = mark
            self._note((account, leg), mark.host, mark.port, refused=mark, is_login_good=False)

    def logged_in(
        self, account: str, leg: Leg, endpoint: Endpoint, credentials: Credentials, same: Iterable[RefusedLogin]
    ) -> None:
        """The server took the login of a leg: forget its mark, and `same`, those of the same secret."""
        login, forgotten = _login_of(endpoint, credentials), frozenset(same)
        with self._changing:
            marks = self._refused.get(login, {})
            for place, mark in list(marks.items()):
                if place == (account, leg) or mark in forgotten:
                    del marks[place]
                    self._note(place, mark.host, mark.port, refused=None, is_login_good=True)

    def write(self, store: LearntStore) -> Write:
        """What writes reports to `store`, together with what was learnt of their legs. It blocks."""

        def write(reports: Sequence[CheckReport]) -> None:
            with self._storing:
                with self._changing:
                    taken = self._take(reports)
                try:
                    store.record_many(reports, learnt=list(taken.values()))
                except BaseException:
                    with self._changing:
                        # What was learnt since is the newer.
                        self._unsaved = taken | self._unsaved
                    raise

        return write

    def keep_refusals(self, store: LearntStore, accounts: Iterable[Account]) -> None:
        """Store the refused logins of `accounts`, as `store` has them, that no report came with. Blocks.

        Their checks were interrupted. A refusal that a trial of another server met is none of theirs. Raises
        StorageError.
        """
        own = {
            (account.name, setup.leg, *_login_of(setup.endpoint, setup.login))
            for account in accounts
            for setup in legs_of(account)
            if setup.login is not None
        }
        with self._storing:
            with self._changing:
                left = [
                    replace(one, baseline=None)
                    for one in self._unsaved.values()
                    if one.refused is not None and (one.account, one.leg, *_login_of_mark(one.refused)) in own
                ]
            if left:
                store.record_many((), learnt=left)

    def _note(self, place: Place, host: str, port: int, **known: Any) -> None:
        key = (place, host.lower(), port)
        self._unsaved[key] = replace(self._unsaved.get(key) or Learnt(*place), **known)

    def _take(self, reports: Sequence[CheckReport]) -> dict[_Key, Learnt]:
        """Of what is not stored yet, what belongs to the legs of `reports`; a login that is good again always does."""
        keys: list[_Key] = [
            ((report.account, leg.leg), leg.endpoint.host.lower(), leg.endpoint.port)
            for report in reports
            for leg in report.legs
        ]
        keys += [key for key, learnt in self._unsaved.items() if learnt.is_login_good]
        return {key: self._unsaved.pop(key) for key in dict.fromkeys(keys) if key in self._unsaved}


def _rename_places(found: dict[Any, Any], renamed: Callable[[Any], Any]) -> None:
    moved = {renamed(key): value for key, value in found.items()}
    found.clear()
    found.update(moved)


def _server(protocol: Protocol, endpoint: Endpoint) -> _Server:
    return protocol, endpoint.host.lower(), endpoint.port, endpoint.security


def _server_of_baseline(baseline: Baseline) -> _Server:
    return baseline.protocol, baseline.host.lower(), baseline.port, baseline.security


def _login_of(endpoint: Endpoint, login: Credentials | Login) -> _Login:
    return endpoint.host.lower(), endpoint.port, login.username, login.method


def _login_of_mark(mark: RefusedLogin) -> _Login:
    return mark.host, mark.port, mark.username, mark.method
