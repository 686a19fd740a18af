"""Postfix (submission with TLS, STARTTLS and without) in the foreground; Dovecot decides its logins."""

import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from mailtui.model.account import Security
from tests.servers.certificates import GOOD
from tests.servers.dovecot import Dovecot
from tests.servers.process import ForegroundServer, ServerError, free_ports, public_folder, require_program, tail

_MAIN = Template((Path(__file__).parent / "postfix-main.cf").read_text())
_MASTER = Template((Path(__file__).parent / "postfix-master.cf").read_text())
_CONNECTED = re.compile(r"smtpd\[\d+\]: connect from ")
_DISCONNECTED = re.compile(r"smtpd\[\d+\]: disconnect from (.*)")
_COUNT = re.compile(r"(\w+)=(\d+)(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class SmtpSession:
    """One closed connection as Postfix counted it: how often each command came, and how often it was accepted."""

    commands: dict[str, int]
    accepted: dict[str, int]


class Postfix:
    """A Postfix of our own on loopback: own settings, queue and log. Needs root to start, as every Postfix does.

    Nothing that is sent goes anywhere: every delivery is discarded.
    """

    def __init__(self, dovecot: Dovecot) -> None:
        self.folder = public_folder("mailtui-postfix-")
        self.log = self.folder / "postfix.log"
        self.ports = dict(zip(("submission", "submissions"), free_ports(2), strict=True))
        self._dovecot = dovecot
        self._settings = self.folder / "etc"
        self._server: ForegroundServer | None = None

    def port(self, security: Security) -> int:
        """The port that offers `security`."""
        return self.ports["submissions" if security is Security.IMPLICIT_TLS else "submission"]

    def start(self) -> None:
        """Start it; raises ServerError when it is not installed, may not run or does not come up."""
        program = require_program("postfix")
        if os.geteuid() != 0:
            raise ServerError("Postfix can only be started by root")
        self._write_settings()
        # Makes the queue's folders; `postfix start` would leave its own session and not be stopped by us.
        check = subprocess.run([program, "-c", str(self._settings), "check"], capture_output=True, text=True)
        if check.returncode != 0:
            raise ServerError(f"postfix check failed:\n{check.stderr}\n{tail(self.log)}")
        self._server = ForegroundServer([str(_daemons() / "master"), "-c", str(self._settings), "-s"], self.log)
        for port in self.ports.values():
            self._server.wait_for_port(port)
        # These connections are in the log before anyone marks a place in it.
        self.sessions(at_least=len(self.ports))

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mark(self) -> int:
        """A place in the log, for `sessions`."""
        return self.log.stat().st_size

    def sessions(self, since: int = 0, at_least: int = 1) -> list[SmtpSession]:
        """Every connection since the mark, once `at_least` so many came and all are closed."""
        assert self._server is not None

        def text() -> str:
            with self.log.open("rb") as log:
                log.seek(since)
                return log.read().decode(errors="replace")

        def all_closed() -> bool:
            seen = text()
            return at_least <= len(_CONNECTED.findall(seen)) == len(_DISCONNECTED.findall(seen))

        self._server.wait_for(all_closed, "Postfix to close every connection")
        return [parse_session(line) for line in _DISCONNECTED.findall(text())]

    def _write_settings(self) -> None:
        self._settings.mkdir()
        owner = pwd.getpwnam("postfix")
        data, queue = self.folder / "data", self.folder / "queue"
        data.mkdir()
        queue.mkdir()
        os.chown(data, owner.pw_uid, owner.pw_gid)
        pair = self._dovecot.certificates.served[GOOD]
        values = {
            "data": data,
            "queue": queue,
            "log": self.log,
            "folder": self.folder,
            "certificate": pair.certificate,
            "key": pair.key,
            "auth_socket": self._dovecot.auth_socket,
            "submission_port": self.ports["submission"],
            "submissions_port": self.ports["submissions"],
        }
        (self._settings / "main.cf").write_text(_MAIN.substitute(values))
        (self._settings / "master.cf").write_text(_MASTER.substitute(values))


def _daemons() -> Path:
    """Where Postfix keeps its daemons."""
    found = subprocess.run([require_program("postconf"), "-dh", "daemon_directory"], capture_output=True, text=True)
    return Path(found.stdout.strip())


def parse_session(line: str) -> SmtpSession:
    """The counts of a "disconnect from" line: `auth=1` is one accepted of one, `auth=0/1` none of one."""
    counts = {name: (int(accepted), int(total or accepted)) for name, accepted, total in _COUNT.findall(line)}
    return SmtpSession(
        {name: total for name, (_, total) in counts.items()},
        {name: accepted for name, (accepted, _) in counts.items()},
    )
