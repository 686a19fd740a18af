"""What fetches mail: this program and its peers, each set up to put one mailbox into a Maildir of its own, over TLS.

All leave the mail on the server, remember what they have, and sync each message to the disk before they do.
"""

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

from benchmarks.measure import Peer
from benchmarks.report import OURS
from benchmarks.server import LMTP, Server, find
from mailtui.interop.accounts_toml import write_accounts
from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Submission,
    Trust,
)
from mailtui.model.destination import Destination

_COMMAND_DEADLINE = 60.0


class Fetcher(ABC):
    """One program; `folder` is its own, for settings, state and mail, and a new one for each first run.

    Nothing is removed in between: files made right after others were removed cost ext4 many times as much.
    """

    name: str
    program: str

    def __init__(self, server: Server, protocol: Protocol, folder: Path) -> None:
        self.server = server
        self.protocol = protocol
        self._folders = folder / f"{self.program}-{protocol.value}"
        self._number = 0
        self.folder = self._folders
        self.user = server.users[0]
        self.port = server.ports[f"{protocol.value}s"]

    @property
    def missing(self) -> str:
        """Why it cannot run here, or nothing."""
        return "" if find(self.program) else f"{self.program} is not installed"

    @property
    def maildir(self) -> Path:
        """Where its mail goes."""
        return self.folder / "mail"

    def reset(self) -> None:
        """Begin anew, with nothing fetched."""
        self.begin()
        for name in ("cur", "new", "tmp"):
            (self.maildir / name).mkdir(parents=True)
        self.set_up()

    def begin(self) -> None:
        """Make the next folder."""
        self._number += 1
        self.folder = self._folders / str(self._number)
        self.folder.mkdir(parents=True)

    @abstractmethod
    def set_up(self) -> None:
        """Write the settings."""

    @abstractmethod
    def peer(self) -> Peer:
        """How to run it."""

    def _write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def arrived(self) -> tuple[int, int]:
        """Messages that are there, and their octets."""
        files = [path for name in ("cur", "new") for path in (self.maildir / name).glob("*")]
        return len(files), sum(path.stat().st_size for path in files)


class Ours(Fetcher):
    """`mailtui retrieve`."""

    name, program = OURS, "mailtui"

    @property
    def missing(self) -> str:
        """It is installed where the benchmarks run."""
        return ""

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return (str(Path(sys.executable).with_name("mailtui")), "--data", str(self.folder / "data"), *arguments)

    def set_up(self) -> None:
        """An account in a database of its own."""
        policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(self.server.ca))
        outbound = Endpoint(self.server.host, self.server.ports["submissions"], certificate=policy)
        account = Account(
            name="bench",
            email=self.user.email,
            submission=Submission(
                outbound, username=self.user.name, secret=SecretRef(SecretScheme.ENV, "BENCH_PASSWORD")
            ),
            retrieval=Retrieval(
                self.protocol,
                Endpoint(self.server.host, self.port, certificate=policy),
                destination=Destination.parse(f"maildir:{self.maildir}"),
            ),
        )
        accounts = self._write("accounts.toml", write_accounts([account]))
        subprocess.run(
            self._command("account", "apply", str(accounts)),
            check=True,
            capture_output=True,
            timeout=_COMMAND_DEADLINE,
        )

    def peer(self) -> Peer:
        """One account, fetched."""
        return Peer(self.name, self._command("retrieve", "bench"), environment={"BENCH_PASSWORD": self.user.password})


class Mpop(Fetcher):
    """mpop, POP3, pipelined."""

    name, program = "mpop", "mpop"

    def set_up(self) -> None:
        """Its configuration file."""
        self._write(
            "config",
            f"account bench\nhost {self.server.host}\nport {self.port}\nuser {self.user.name}\n"
            f"password {self.user.password}\nauth user\ntls on\ntls_starttls off\ntls_trust_file {self.server.ca}\n"
            f"keep on\nuidls_file {self.folder}/uidls\ndelivery maildir {self.maildir}\n",
        )

    def peer(self) -> Peer:
        """Quietly: its progress bar costs time."""
        return Peer(self.name, (self.program, "-q", "-C", str(self.folder / "config"), "bench"))


class Fetchmail(Fetcher):
    """fetchmail, POP3; it delivers by LMTP to the same Dovecot, for it has no Maildir of its own."""

    name, program = "fetchmail + LMTP", "fetchmail"

    @property
    def missing(self) -> str:
        """Both are needed."""
        return super().missing or ("" if LMTP.exists() else "Dovecot's LMTP server is not installed")

    @property
    def maildir(self) -> Path:
        """That of the second user."""
        return self.server.folder / "mail" / self.server.users[1].name

    def reset(self) -> None:
        """Dovecot makes the Maildir, as its own user."""
        if self.maildir.exists():
            self.maildir.rename(self.maildir.with_name(f"{self.maildir.name}-{self._number}"))
        self.begin()
        self.set_up()

    def set_up(self) -> None:
        """Its configuration file."""
        server = self.server
        self._write(
            "config",
            f"set idfile {self.folder}/ids\nset pidfile {self.folder}/pid\n"
            f"poll {server.host} proto pop3 service {self.port} uidl timeout 120\n"
            f"  user {self.user.name} password {self.user.password} is {server.users[1].name} here\n"
            f"  ssl sslcertck sslcertfile {server.ca} keep smtphost {server.host}/{server.ports.get('lmtp', 0)} lmtp\n",
        )

    def peer(self) -> Peer:
        """It exits with 1 when there is nothing new."""
        return Peer(self.name, (self.program, "-s", "-f", str(self.folder / "config")), statuses=(0, 1))


class Mbsync(Fetcher):
    """mbsync, IMAP, pipelined."""

    name, program = "mbsync", "mbsync"

    def set_up(self) -> None:
        """Its configuration file."""
        (self.folder / "other").mkdir()
        # It compares names only, never an address: where the server has just that, its very certificate is trusted.
        trusted = self.server.ca if self.server.host == "localhost" else self.server.folder / "tls.pem"
        self._write(
            "config",
            f"IMAPAccount bench\nHost {self.server.host}\nPort {self.port}\nUser {self.user.name}\n"
            f"Pass {self.user.password}\nSSLType IMAPS\nCertificateFile {trusted}\n\n"
            f"IMAPStore far\nAccount bench\n\nMaildirStore near\nInbox {self.maildir}\nPath {self.folder}/other/\n\n"
            f"Channel bench\nFar :far:\nNear :near:\nPatterns INBOX\nSync Pull\nSyncState {self.folder}/state-\n",
        )

    def peer(self) -> Peer:
        """Quietly."""
        return Peer(self.name, (self.program, "-q", "-c", str(self.folder / "config"), "bench"))


class Getmail(Fetcher):
    """getmail 6, IMAP or POP3, one message at a time."""

    name, program = "getmail", "getmail"

    def set_up(self) -> None:
        """Its configuration file."""
        user = ""
        if os.geteuid() == 0:
            # It delivers nothing as root.
            user = "user = mail\n"
            for path in (self.maildir, *self.maildir.iterdir()):
                shutil.chown(path, "mail", "mail")
        mailboxes = 'mailboxes = ("INBOX",)\n' if self.protocol is Protocol.IMAP else ""
        self._write(
            "rc",
            f"[retriever]\ntype = Simple{self.protocol.label}SSLRetriever\nserver = {self.server.host}\n"
            f"port = {self.port}\nusername = {self.user.name}\npassword = {self.user.password}\n"
            f"ca_certs = {self.server.ca}\n{mailboxes}\n[destination]\ntype = Maildir\npath = {self.maildir}/\n{user}\n"
            "[options]\nread_all = false\ndelete = false\nverbose = 0\n",
        )

    def peer(self) -> Peer:
        """Quietly."""
        return Peer(self.name, (self.program, "-q", f"--getmaildir={self.folder}", "--rcfile=rc"))


FETCHERS: dict[Protocol, tuple[type[Fetcher], ...]] = {
    Protocol.POP3: (Ours, Mpop, Fetchmail),
    Protocol.IMAP: (Ours, Mbsync, Getmail),
}
"""Who is compared, by what they speak."""
