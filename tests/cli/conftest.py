"""The command line run in process, on a data folder of its own, with checks that touch no network."""

import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailtui.__main__ import main
from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.actions.memory import Memory
from mailtui.model.account import Account
from mailtui.model.check import Cause, CheckReport, Leg, LegReport, current
from mailtui.model.diagnosis import UNKNOWN, Diagnosis
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.storage.database import Database
from tests.cli.reports import good_report


@dataclass(frozen=True, slots=True)
class Run:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Shell:
    """Runs commands in this process."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._capture = capture
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Run:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        self._capture.readouterr()
        code = main(arguments)
        said = self._capture.readouterr()
        return Run(code, said.out, said.err)

    def database(self) -> Database:
        return Database.open(self.folder / "data" / "mailtui.db")

    def add(self, name: str, *more: str) -> None:
        """Add an account that sends and receives, unless `more` says otherwise."""
        receive = () if "--smtp-no-login" in more else ("--imap-host", "mail.example.org")
        run = self(
            "account", "add", "--name", name, "--email", "ada@example.org", "--smtp-host", "mail.example.org",
            *receive, *more,
        )  # fmt: skip
        assert (run.code, run.err) == (0, "")


@pytest.fixture(autouse=True)
def _no_own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person who runs the tests has chosen must not show, in processes of their own either."""
    monkeypatch.setenv("MAILTUI_CONFIG", str(tmp_path / "config.toml"))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """The command line, on a data folder of its own and with nothing of the user's."""
    monkeypatch.setenv("MAILTUI_DATA", str(tmp_path / "data"))
    for name in ("VISUAL", "EDITOR", "DBUS_SESSION_BUS_ADDRESS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Shell(tmp_path, capsys, monkeypatch)


@dataclass
class FakeChecks:
    """Stands in for the real check: gives prepared reports and remembers how it was called.

    A report counts for the servers that it is about: an account that has others by now is well.
    """

    reports: dict[str, CheckReport] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)
    memory: Memory | None = None
    options: CheckOptions = field(default_factory=CheckOptions)
    slots: Slots | None = None
    before: Callable[[], None] = lambda: None

    async def check_many(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener | None = None,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
        memory: Memory | None = None,
    ) -> None:
        self.options, self.slots, self.memory = options, slots, memory
        for account in accounts:
            self.before()
            self.checked.append(account.name)
            report = self.reports.get(account.name)
            if report is None or current(report, account) != report:
                report = good_report(account)
            report = only(report, options.legs)
            if on_event is not None:
                tell(report, on_event)
            on_report(report)


def only(report: CheckReport, legs: Iterable[Leg]) -> CheckReport:
    """The report as a check of `legs` gives it."""
    wanted = set(legs)
    return CheckReport(
        report.account,
        report.started,
        report.ms,
        report.outbound if Leg.OUTBOUND in wanted else None,
        report.inbound if Leg.INBOUND in wanted else None,
    )


def tell(report: CheckReport, on_event: Listener) -> None:
    """The events of a report, as a check gives them."""
    for leg in report.legs:
        for step, result in enumerate(leg.stages):
            on_event(StageStarted(report.account, leg.leg, step, result.stage, 0.0))
            on_event(StageFinished(report.account, leg.leg, step, result, None, 0.0))
        on_event(LegFinished(report.account, leg))


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> FakeChecks:
    """Replaces the check of `mailtui check`."""
    fake = FakeChecks()
    monkeypatch.setattr("mailtui.cli.checking.check_many", fake.check_many)
    return fake


Diagnoses = dict[Cause, Diagnosis]


@pytest.fixture
def diagnoses(monkeypatch: pytest.MonkeyPatch) -> Diagnoses:
    """What the diagnosis of each cause is in this test; any other is unknown. A warning has none."""
    known: Diagnoses = {}

    def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
        assert email == "ada@example.org"
        if leg.failure is None:
            return None
        return known.get(leg.failure.cause, Diagnosis(UNKNOWN, "", "", ""))

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    return known


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Sequence[str]], Path]:
    """Makes an editor of sed expressions, one set for each time that it is opened; returns its log of what it saw."""

    def make(rounds: Sequence[str]) -> Path:
        log = tmp_path / "seen"
        log.mkdir()
        script = tmp_path / "editor"
        cases = "\n".join(f'{number}) sed -i {expression} "$1" ;;' for number, expression in enumerate(rounds))
        script.write_text(
            f'#!/bin/sh\nn=$(ls {log} | wc -l)\ncp "$1" {log}/$n\n'
            f'stat -c "%a" "$1" "$(dirname "$1")" > {tmp_path}/modes\n'
            f'echo "$1" > {tmp_path}/path\ncase $n in\n{cases}\nesac\n'
        )
        script.chmod(0o700)
        monkeypatch.setenv("EDITOR", str(script))
        return log

    return make


@pytest.fixture(autouse=True)
def quiet_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the same terminal everywhere."""
    monkeypatch.setitem(os.environ, "TERM", "xterm-256color")
    monkeypatch.setitem(os.environ, "COLUMNS", "100")
