"""`mailtui agent` as a process: signals, one instance, a unit for systemd; and the lines of its log."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from mailtui.actions.agent import AgentEvent, Checked, NewMail, Planned, Problem, Retrieved
from mailtui.actions.idling import NotWaiting, Waiting
from mailtui.cli.agent_words import AgentTeller
from mailtui.cli.output import Part, Styled
from mailtui.cli.unit import unit_text
from mailtui.model.account import Account, Endpoint, Security, Submission
from mailtui.model.check import Cause, Failure, Stage
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.retrieval import MailboxResult
from mailtui.storage.database import Database
from tests.cli.conftest import Diagnoses, Shell
from tests.cli.reports import failed, good_report, wrong_password
from tests.cli.retrievals import came, refused
from tests.cli.test_live import ACCOUNT
from tests.cli.test_process import DEADLINE, ROOT

ADA = replace(ACCOUNT, name="ada", email="ada@example.org")


@contextmanager
def started(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """An agent on a data folder of its own, which is killed if it does not end."""
    environment = os.environ | {"MAILTUI_DATA": str(folder / "data"), "MAILTUI_CONFIG": str(folder / "config.toml")}
    environment.pop("JOURNAL_STREAM", None)
    process = subprocess.Popen(
        # As nohup does: a hangup is a wish to read again there, too.
        ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-m", "mailtui", "agent"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=DEADLINE)


def line_of(process: "subprocess.Popen[bytes]") -> str:
    """The next line of the log, without its time."""
    out: BinaryIO | None = process.stdout  # type: ignore[assignment]  # typeshed says IO[bytes]
    assert out is not None
    line = out.readline().decode()
    time, _, words = line.partition("  ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", time), line
    return words.rstrip("\n")


def test_it_works_alone_reads_again_when_asked_and_stops_in_order(tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text("[agent]\ncheck_minutes = 0\n")
    with Database.open(tmp_path / "data" / "mailtui.db") as database:
        nowhere = Submission(Endpoint("127.0.0.1", 1, Security.NONE), authentication=False)
        database.add(Account("ada", "ada@example.org", nowhere))
    with started(tmp_path) as process:
        assert line_of(process) == "accounts   1 active account: 0 retrieved, 0 checked"
        with started(tmp_path) as second:
            _, err = second.communicate(timeout=DEADLINE)
            assert second.returncode == 3
            assert b"another agent runs on" in err
        settings.write_text("[agent]\ncheck_minutes = 60\n")
        process.send_signal(signal.SIGHUP)
        assert line_of(process) == "reading settings and accounts again"
        assert line_of(process) == "accounts   1 active account: 0 retrieved, 1 checked"
        settings.write_text("[agent]\ncheck_minutes = 0\n[retrieval]\nat_once = 'x'\n")
        process.send_signal(signal.SIGHUP)
        while line_of(process) != "reading settings and accounts again":
            # It may have begun to check by then.
            pass
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0
        assert err.decode().splitlines() == [
            f"mailtui: {settings}:4: retrieval.at_once: write a number of retrievals from 1 to 100."
        ]
        assert [line.split("  ")[1] for line in out.decode().splitlines()][-2:] == ["stopping", "stopped"]


def test_ctrl_c_stops_it_too(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        line_of(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == 130


def test_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with started(tmp_path) as process:
            assert line_of(process).startswith("accounts")
            process.kill()


def test_the_unit_names_this_program_and_its_folder(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTUI_DATA")
    for name in ("MAILTUI_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    run = shell("--data", "/srv/my mail/50%", "agent", "--print-unit")
    assert (run.code, run.err) == (0, "")
    command = next(line for line in run.lines if line.startswith("ExecStart="))
    assert command.endswith(' --data "/srv/my mail/50%%" agent')
    assert Path(command.removeprefix("ExecStart=").split()[0]).is_absolute()
    assert "Environment=" not in run.out
    assert not (shell.folder / "data").exists()


def test_the_unit_keeps_the_environment_that_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILTUI_DATA", "/srv/a$b\n\"c'")
    monkeypatch.setenv("MAILTUI_CONFIG", "/etc/mailtui.toml")
    lines = unit_text(None).splitlines()
    assert "Environment=MAILTUI_CONFIG=/etc/mailtui.toml" in lines
    assert 'Environment="MAILTUI_DATA=/srv/a$b\\x0a\\"c\'"' in lines
    assert "NoNewPrivileges=yes" in lines
    assert "WantedBy=default.target" in lines


def test_the_unit_keeps_the_base_directories_where_nothing_else_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILTUI_DATA", raising=False)
    monkeypatch.setenv("MAILTUI_CONFIG", "/etc/mailtui.toml")
    monkeypatch.setenv("XDG_DATA_HOME", "/srv/share")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/srv/etc")
    kept = [line for line in unit_text(None).splitlines() if line.startswith("Environment=")]
    assert kept == ["Environment=XDG_DATA_HOME=/srv/share", "Environment=MAILTUI_CONFIG=/etc/mailtui.toml"]
    monkeypatch.delenv("MAILTUI_CONFIG")
    assert "Environment=XDG_CONFIG_HOME=/srv/etc" in unit_text("/srv/mail").splitlines()


def test_the_unit_starts_the_script_that_was_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "mailtui"
    script.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "agent"])
    assert f"ExecStart={script} agent" in unit_text(None).splitlines()
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py"), "agent"])
    assert f"ExecStart={sys.executable} -m mailtui agent" in unit_text(None).splitlines()


def told(event: AgentEvent) -> list[str]:
    lines: list[str] = []

    def line(*parts: Part) -> None:
        lines.append("".join(part.text if isinstance(part, Styled) else part for part in parts).rstrip())

    AgentTeller(line).tell(event)
    return lines


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (Planned(3, 1, 3), ["accounts   3 active accounts: 1 retrieved, 3 checked"]),
        (NewMail("ada"), ["news       ada  the server may have new mail"]),
        (Waiting("ada", "INBOX"), ["waiting    ada  at INBOX"]),
        (
            NotWaiting("ada", Failure(Cause.CLOSED, Stage.TRANSFER, "the connection was lost"), 31.2),
            ["waiting    ada  FAILED at transfer: the connection was lost; again in 31 s"],
        ),
        (
            NotWaiting("ada", Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "the login is refused", "NO go away"), 31.2),
            [
                "waiting    ada  FAILED at auth: the login is refused; the server said: NO go away;"
                " not tried again until the login changes"
            ],
        ),
        (Problem("the disk is full"), ["problem    the disk is full"]),
        (
            Retrieved(ADA, came(ADA, MailboxResult("INBOX", "/m", stored=1, octets=9, notes=("odd",)))),
            [
                "retrieved  WARNING  ada  1 new, 9 B; in 1.20 s",
                "           ada  INBOX  1 message went to /m",
                "           ada  INBOX  odd",
            ],
        ),
        (Checked(ADA, good_report(ADA)), ["checked    good     ada  outbound good  inbound good"]),
    ],
)
def test_each_event_is_a_line(event: AgentEvent, lines: list[str]) -> None:
    assert told(event) == lines


def test_a_failure_comes_with_what_to_do(diagnoses: Diagnoses) -> None:
    diagnoses[Cause.BAD_CREDENTIALS] = Diagnosis("refused", "The password is wrong.", "", "Type it anew.")
    assert told(Retrieved(ADA, refused(ADA))) == [
        "retrieved  FAILED   ada  at auth; in 30.0 ms: the server refuses the login",
        "           ada  inbound  The password is wrong. Type it anew.",
    ]
    assert (
        told(Checked(ADA, wrong_password(ADA)))[1] == "           ada  outbound  The password is wrong. Type it anew."
    )


def test_that_others_retrieve_the_account_is_no_failure() -> None:
    leg = failed(came(ADA).leg, Stage.RESOLVE, Cause.RETRIEVAL_BUSY, "another mailtui does it")
    assert told(Retrieved(ADA, replace(came(ADA), leg=leg))) == ["skipped    ada  another mailtui does it"]
