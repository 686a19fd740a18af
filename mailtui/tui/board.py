"""What the screens know: accounts, their last reports and the checks that run. The widgets only draw it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mailtui.actions.standing import Standing
from mailtui.model.account import Account, Protocol
from mailtui.model.check import CheckReport, Leg, LegReport
from mailtui.model.events import Event
from mailtui.model.retrieval import RetrievalReport
from mailtui.tui.judging import Judgement, judge
from mailtui.tui.legs import LegProgress, LegView, leg_mark, leg_of, leg_view, progress_of
from mailtui.tui.receiving import retrieved_view, retrieving_view
from mailtui.tui.retrievals import Retrievals
from mailtui.tui.words import Mark

Run = Mapping[str, dict[Leg, LegProgress]]
"""Checks that were started together, by account."""


class Board:
    """Accounts by name with what is known of each; every change gets a serial number, so that a screen
    which was covered or slow can ask for all it missed at once."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._reports: dict[str, CheckReport] = {}
        self._bare: set[str] = set()
        self._running: dict[str, dict[Leg, LegProgress]] = {}
        self._judgements: dict[str, Judgement] = {}
        self._counts: Counter[Standing | Mark] = Counter()
        # Ordered by serial: a name is taken out and put last when it changes again.
        self._changes: dict[str, int] = {}
        self._begun = 0
        self.serial = 0
        self.retrievals = Retrievals(self.note, self._touch)
        self.awaits_reports = False
        """The accounts are known, and what is stored of their checks is still being read."""

    def expect(self, accounts: Iterable[Account]) -> None:
        """Take the stored accounts; their reports are to follow by `load`."""
        self.load(accounts, {})
        self.awaits_reports = True

    def load(
        self,
        accounts: Iterable[Account],
        reports: Mapping[str, CheckReport],
        judgements: Mapping[str, Judgement] | None = None,
        retrievals: Mapping[str, RetrievalReport] | None = None,
    ) -> None:
        """Take the stored accounts and their reports, which have no transcripts. What runs goes on.

        A newer report that is known already, perhaps still on its way to the store, is kept. `judgements` of these
        very objects, made beforehand, are not made again.
        """
        self.awaits_reports = False
        known, bare = self._reports, self._bare
        self._accounts = {account.name: account for account in accounts}
        self._reports = dict(reports)
        self._bare = set(reports)
        for name, report in known.items():
            account = self._accounts.get(name)
            # One that was removed and made again is another account.
            if account is None or (account.created is not None and account.created > report.started):
                continue
            if name not in reports or reports[name].started <= report.started:
                self._reports[name] = report
                if name not in bare:
                    self._bare.discard(name)
        self.retrievals.load(retrievals or {}, self._accounts)
        self._judgements = dict(judgements or {})
        self._counts.clear()
        self._changes.clear()
        for name in self._accounts:
            self.note(name)
            self._count(name)

    def put(self, account: Account, *, instead_of: str | None = None) -> None:
        """Add or replace one account; `instead_of` is the name it had before. A report stays with its name."""
        if instead_of is not None and instead_of != account.name:
            self._accounts.pop(instead_of, None)
            self._uncount(instead_of)
            self._changes.pop(instead_of, None)
            self.retrievals.renamed(instead_of, account.name)
            if (report := self._reports.pop(instead_of, None)) is not None:
                self._reports[account.name] = report
                self._bare.discard(instead_of)
                self._bare.add(account.name)
        known = account.name in self._accounts
        self._accounts[account.name] = account
        if not known:
            self._accounts = dict(sorted(self._accounts.items(), key=lambda item: (item[0].casefold(), item[0])))
        self._touch(account.name)

    def remove(self, names: Iterable[str]) -> None:
        """Forget accounts; checks of them that run have nobody to tell any more."""
        for name in names:
            self._accounts.pop(name, None)
            self._reports.pop(name, None)
            self._bare.discard(name)
            self._running.pop(name, None)
            self._changes.pop(name, None)
            self.retrievals.forget(name)
            self._uncount(name)

    @property
    def names(self) -> list[str]:
        """All accounts, in the order of the list."""
        return list(self._accounts)

    def __contains__(self, name: object) -> bool:
        return name in self._accounts

    def __len__(self) -> int:
        return len(self._accounts)

    def account(self, name: str) -> Account:
        """Raises KeyError."""
        return self._accounts[name]

    def report(self, name: str) -> CheckReport | None:
        """The last report of an account, None if there is none."""
        return self._reports.get(name)

    def awaits_report(self, name: str) -> bool:
        """Whether nothing can be said about an account yet: its last report is still being read."""
        known = name in self._reports or name in self._running or self.retrievals.of(name) is not None
        return self.awaits_reports and not known

    def testable(self, names: Iterable[str]) -> list[Account]:
        """Those of `names` that no check is busy with, and of which no mail is retrieved from a POP3 server."""
        return [
            self._accounts[name]
            for name in names
            if name in self._accounts
            and name not in self._running
            and not (self.retrievals.of(name) is not None and _admits_one(self._accounts[name]))
        ]

    def retrievable(self, names: Iterable[str]) -> list[Account]:
        """Those of `names` that receive mail, and whose mail is not being retrieved; nor checked, if by POP3."""
        found = (self._accounts[name] for name in names if name in self._accounts)
        return [
            one
            for one in found
            if one.retrieval is not None
            and self.retrievals.of(one.name) is None
            and not (one.name in self._running and _admits_one(one))
        ]

    def newest_retrieval(self, name: str) -> RetrievalReport | None:
        """The last retrieval of an account, where no check looks or has looked at the same server since.

        Raises KeyError.
        """
        return self.judged(name).newest if name not in self._running else None

    def last_legs(self, name: str) -> tuple[LegReport, ...]:
        """The newest that is known of each leg of an account, by a check or a retrieval. Raises KeyError."""
        last, newest = self.judged(name).last, self.newest_retrieval(name)
        legs = last.legs if last is not None else ()
        if newest is None:
            return legs
        return (*(leg for leg in legs if leg.leg is not Leg.INBOUND), newest.leg)

    @property
    def running(self) -> int:
        """How many accounts are being checked."""
        return len(self._running)

    @property
    def progress(self) -> tuple[int, int]:
        """How many accounts are done, of how many, since checks began to run."""
        return self._begun - len(self._running), self._begun

    def count(self, standing: Standing) -> int:
        """How many accounts stand so."""
        return self._counts[standing]

    def count_receiving(self, mark: Mark) -> int:
        """How many accounts have that mark on their receiving leg, whatever runs now."""
        return self._counts[mark]

    def standing(self, name: str) -> Standing:
        """How an account stands. Raises KeyError."""
        return self.judged(name).standing

    def judged(self, name: str) -> Judgement:
        """What the last check and the last retrieval of an account say, whatever runs now. Raises KeyError."""
        account, report, retrieved = self._accounts[name], self._reports.get(name), self.retrievals.last(name)
        known = self._judgements.get(name)
        if (
            known is None
            or known.account is not account
            or known.report is not report
            or known.retrieved is not retrieved
        ):
            known = self._judgements[name] = judge(account, report, retrieved)
        return known

    def mark(self, name: str, leg: Leg) -> Mark:
        """The mark of one leg of an account; what is retrieved now does not change it."""
        if name in self._running:
            return leg_mark(self._accounts[name], leg, self._running[name], self._reports.get(name))
        return self.judged(name).mark(leg)

    def view(self, name: str, leg: Leg) -> LegView:
        """The newest that is known of one leg of an account; what is retrieved now does not change it."""
        if leg is Leg.INBOUND and (newest := self.newest_retrieval(name)) is not None:
            return retrieved_view(self._accounts[name], newest)
        return leg_view(self._accounts[name], leg, self._running.get(name, {}), self._reports.get(name))

    def receiving_mark(self, name: str) -> Mark:
        """The mark of an account's entry in Message Retrieval: what is retrieved now, else the receiving leg's."""
        running = self.retrievals.of(name)
        return self.mark(name, Leg.INBOUND) if running is None else running.mark

    def receiving_view(self, name: str) -> LegView:
        """The receiving leg of an account, with the mail that comes over it now."""
        running = self.retrievals.of(name)
        return self.view(name, Leg.INBOUND) if running is None else retrieving_view(self._accounts[name], running)

    def begin(self, accounts: Iterable[Account]) -> Run:
        """Checks of `accounts` are about to run, together."""
        run = {account.name: progress_of(account) for account in accounts}
        self._begun = len(run) + (self._begun if self._running else 0)
        self._running.update(run)
        for name in run:
            self.note(name)
        return run

    def take_event(self, run: Run, event: Event) -> None:
        """Learn what a check of `run` did; the last words of one that was given up are ignored."""
        if self._is_of(run, event.account) and (progress := run[event.account].get(leg_of(event))) is not None:
            progress.take(event)
            self.note(event.account)

    def take_report(self, run: Run, report: CheckReport) -> bool:
        """A check of `run` has ended; whether anyone still wants to know."""
        if not self._is_of(run, report.account):
            return False
        del self._running[report.account]
        if report.account not in self._accounts:
            return False
        self._reports[report.account] = report
        self._bare.discard(report.account)
        self._touch(report.account)
        return True

    def lacks_transcripts(self, name: str) -> bool:
        """Whether the report of `name` was loaded without its transcripts."""
        return name in self._bare

    def complete(self, report: CheckReport) -> None:
        """Take a stored report with its transcripts, unless a newer one has come."""
        known = self._reports.get(report.account)
        if known is None or known.started <= report.started:
            self._reports[report.account] = report
            self._bare.discard(report.account)
            self._touch(report.account)

    def abandon(self, run: Run) -> int:
        """Forget the checks of `run` that never ended; returns how many there were."""
        given_up = [name for name in run if self._is_of(run, name)]
        for name in given_up:
            del self._running[name]
            self.note(name)
        return len(given_up)

    def _is_of(self, run: Run, name: str) -> bool:
        return name in run and self._running.get(name) is run[name]

    def changed_since(self, serial: int) -> Iterator[str]:
        """The names that changed after `serial`, newest first."""
        for name in reversed(self._changes):
            if self._changes[name] <= serial:
                return
            yield name

    def note(self, name: str) -> None:
        """Something about an account has changed."""
        if name not in self._accounts:
            return
        self.serial += 1
        self._changes.pop(name, None)
        self._changes[name] = self.serial

    def _touch(self, name: str) -> None:
        """The account or its report is another one now."""
        if name not in self._accounts:
            return
        self.note(name)
        # What is running is counted by its last report: the sums would flicker otherwise.
        self._uncount(name)
        self._count(name)

    def _count(self, name: str) -> None:
        judged = self.judged(name)
        self._counts[judged.standing] += 1
        self._counts[judged.inbound] += 1

    def _uncount(self, name: str) -> None:
        if (known := self._judgements.pop(name, None)) is not None:
            self._counts[known.standing] -= 1
            self._counts[known.inbound] -= 1


def _admits_one(account: Account) -> bool:
    """Whether the server locks a mailbox for whoever opens it first, as POP3 does (RFC 1939 section 4)."""
    return account.retrieval is not None and account.retrieval.protocol is Protocol.POP3
