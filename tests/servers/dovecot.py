"""Dovecot (IMAP, POP3, submission, LMTP) in the foreground, as root or not, with a log that counts logins."""

import grp
import itertools
import os
import poplib
import pwd
import re
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from string import Template

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from mailtui.model.account import Protocol, Security
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.process import ForegroundServer, free_ports, public_folder, require_program

USERS = 2_000
SERVICES = {Protocol.IMAP: "imap", Protocol.POP3: "pop3", Protocol.SMTP: "submission"}
"""What Dovecot calls each protocol in its log."""

_SETTINGS = Template((Path(__file__).parent / "dovecot.conf").read_text())
# Tabs divide the fields of the auth protocol (https://doc.dovecot.org/2.3/developer_manual/design/auth_protocol/).
_BEGUN = re.compile(r"auth: Debug: client in: AUTH\t(?P<id>\d+)\t(?P<mechanism>[^\t]+)\tservice=(?P<service>\w+)")
_ENDED = re.compile(r"auth: Debug: client passdb out: (?P<verdict>OK|FAIL)\t(?P<id>\d+)(?:\tuser=(?P<user>[^\t]*))?")
_SESSION = re.compile(r"\tsession=(\S+)")
_WHOSE = re.compile(r"auth: Debug: auth\((?P<user>[^,]*),[^,]*,<(?P<session>[^>]+)>\)")


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """One login attempt as Dovecot saw it; `ok` is None while it has no end, `user` is empty until it is known."""

    service: str
    mechanism: str
    user: str
    ok: bool | None


class Dovecot:
    """A Dovecot of our own on loopback. `start` returns when every port answers; `stop` leaves nothing behind.

    Users are u0001, u0002 and so on: `new_user` hands each out once, so that no two tests share a mailbox.
    """

    def __init__(self) -> None:
        self.folder = public_folder("mailtui-dovecot-")
        self.certificates: Certificates = make_certificates(self.folder / "tls")
        self.log = self.folder / "dovecot.log"
        self.auth_socket = self.folder / "run" / "auth-client"
        self.lmtp_socket = self.folder / "run" / "lmtp"
        names = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions", "lmtp", "relay")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._mail = self.folder / "mail"
        self._owner = pwd.getpwnam("mail") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._users = itertools.count(1)
        self._barriers = itertools.count(1)
        self._deliveries = itertools.count(1)
        self._lock = threading.Lock()
        self._relay = Controller(Sink(), hostname="127.0.0.1", port=self.ports["relay"])
        self._server: ForegroundServer | None = None

    def port(self, protocol: Protocol, security: Security) -> int:
        """The port that offers `protocol` with `security`."""
        name = SERVICES[protocol]
        return self.ports[f"{name}s" if security is Security.IMPLICIT_TLS else name]

    def start(self) -> None:
        """Start it; raises ServerError when it is not installed or does not come up."""
        program = require_program("dovecot")
        self._mail.mkdir()
        os.chown(self._mail, self._owner.pw_uid, self._owner.pw_gid)
        passwords = self.folder / "passwords"
        names = [f"u{number:04d}" for number in range(1, USERS + 1)]
        names += [f"barrier{number:04d}" for number in range(1, USERS + 1)]
        passwords.write_text("".join(f"{name}:{{PLAIN}}{password_of(name)}::::::\n" for name in names))
        configuration = self.folder / "dovecot.conf"
        configuration.write_text(self._configuration(passwords))
        self._relay.start()
        self._server = ForegroundServer([program, "-F", "-c", str(configuration)], self.log)
        for name, port in self.ports.items():
            if name != "relay":
                self._server.wait_for_port(port)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self._server is not None:
            self._server.stop()
            self._relay.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_user(self) -> str:
        """A user that no other test has; the password is `password_of(user)`."""
        return f"u{next(self._users):04d}"

    def deliver(self, user: str, *messages: bytes) -> None:
        """Put messages with LF line ends into the user's Maildir."""
        maildir = self._mail / user
        for folder in (maildir, maildir / "cur", maildir / "new", maildir / "tmp"):
            folder.mkdir(exist_ok=True)
            os.chown(folder, self._owner.pw_uid, self._owner.pw_gid)
        for message in messages:
            # Never a name that was there before: reading moves messages to cur.
            path = maildir / "new" / f"{next(self._deliveries)}.test"
            path.write_bytes(message)
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def stored(self, user: str) -> list[bytes]:
        """The messages in the user's INBOX, as their files are."""
        maildir = self._mail / user
        return [path.read_bytes() for folder in ("new", "cur") for path in sorted((maildir / folder).glob("*"))]

    def mark(self) -> int:
        """A place in the log, for `login_attempts`."""
        self._flush()
        return self.log.stat().st_size

    def login_attempts(self, since: int = 0, user: str | None = None) -> list[LoginAttempt]:
        """Every login attempt that has come in since the mark, also those that failed or never ended."""
        self._flush()
        with self.log.open("rb") as log:
            log.seek(since)
            attempts = parse_attempts(log.read().decode(errors="replace"))
        wanted = [attempt for attempt in attempts if not attempt.user.startswith("barrier")]
        return wanted if user is None else [attempt for attempt in wanted if attempt.user == user]

    def _flush(self) -> None:
        # One process decides all logins and writes its log in order: once a login of ours
        # is in the log, so is every login that came before it.
        assert self._server is not None
        with self._lock:
            user = f"barrier{next(self._barriers):04d}"
        session = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=60)
        session.user(user)
        session.pass_(password_of(user))
        session.quit()
        self._server.wait_for(lambda: f"\tuser={user}" in self.log.read_text(errors="replace"), f"{user} in the log")

    def _configuration(self, passwords: Path) -> str:
        me, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
        # Root starts Dovecot's own users; anyone else can only be who they are.
        internal, login, internal_group = ("dovecot", "dovenull", "dovecot") if os.geteuid() == 0 else (me, me, group)
        served = self.certificates.served
        default, *others = served
        return _SETTINGS.substitute(
            {f"{name}_port": port for name, port in self.ports.items()},
            folder=self.folder,
            listen=", ".join(served),
            internal_user=internal,
            internal_group=internal_group,
            login_user=login,
            mail_uid=self._owner.pw_uid,
            mail_gid=self._owner.pw_gid,
            passwords=passwords,
            certificate=served[default].certificate,
            key=served[default].key,
            other_certificates="".join(
                f"local {address} {{\n  ssl_cert = <{served[address].certificate}\n"
                f"  ssl_key = <{served[address].key}\n}}\n"
                for address in others
            ),
        )


def password_of(user: str) -> str:
    """The right password of a test user."""
    return f"right-{user}"


def parse_attempts(log: str) -> list[LoginAttempt]:
    """The login attempts in Dovecot's debugging log of authentication, in the order in which they came in."""
    begun: list[tuple[str, str]] = []
    ends: dict[int, tuple[str, bool]] = {}
    open_ids: dict[str, list[int]] = {}
    session_users: dict[str, str] = {}
    sessions: dict[int, str] = {}
    for line in log.splitlines():
        if start := _BEGUN.search(line):
            index = len(begun)
            begun.append((start["service"], start["mechanism"]))
            open_ids.setdefault(start["id"], []).append(index)
            if session := _SESSION.search(line):
                sessions[index] = session[1]
        elif whose := _WHOSE.search(line):
            session_users[whose["session"]] = whose["user"]
        elif end := _ENDED.search(line):
            user = end["user"] or ""
            if candidates := open_ids.get(end["id"]):
                # Each login process counts its own ids: of several with this one, the session tells whose it is.
                index = next((i for i in candidates if session_users.get(sessions.get(i, "")) == user), candidates[0])
                candidates.remove(index)
                ends[index] = (user, end["verdict"] == "OK")
    return [
        LoginAttempt(service, mechanism, *ends.get(index, ("", None)))
        for index, (service, mechanism) in enumerate(begun)
    ]
