"""A throw-away Dovecot 2.3 on its own ports, with its own certificate authority and users; as root or not."""

import contextlib
import getpass
import grp
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

SERVICES = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")
LMTP = Path("/usr/lib/dovecot/lmtp")
"""Where the package of Dovecot's LMTP server puts it."""
START_DEADLINE = 30.0
"""Seconds for the server to listen, and again to stop."""
_LMTP = Template(
    """
protocols = $$protocols lmtp
service lmtp {
  inet_listener lmtp {
    port = $lmtp
  }
}
"""
)
LOGIN = re.compile(rb"^.{15} (imap|submission)-login: Info: Login: ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class User:
    """One mailbox."""

    name: str
    password: str

    @property
    def email(self) -> str:
        return f"{self.name}@localhost"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where clients connect (`host`, `ports` by service name), and what it has done so far."""

    host: str
    ports: Mapping[str, int]
    users: tuple[User, ...]
    folder: Path
    pid: int

    @property
    def ca(self) -> Path:
        """The authority's certificate (PEM)."""
        return self.folder / "ca.pem"

    @property
    def log(self) -> Path:
        return self.folder / "dovecot.log"

    def logins(self, offset: int) -> tuple[int, int]:
        """Logins for submission and for IMAP, as logged after `offset` bytes."""
        with self.log.open("rb") as log:
            log.seek(offset)
            services = LOGIN.findall(log.read())
        return services.count(b"submission"), services.count(b"imap")

    def cpu(self) -> float:
        """Seconds of processor time that the server's processes have used, those that have ended included."""
        ended = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[13:15]
        total = sum(int(ticks) for ticks in ended) / os.sysconf("SC_CLK_TCK")
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in [str(self.pid), *children]:
            # Nanoseconds; the ticks of `stat` are too coarse for one check.
            with contextlib.suppress(OSError):
                total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        return total


def missing() -> str:
    """Why no server can be started here, or nothing."""
    for program in ("dovecot", "openssl"):
        if find(program) is None:
            return f"{program} is not installed"
    return ""


def find(program: str) -> str | None:
    """The path of a program, the administrator's folders included."""
    return shutil.which(program, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin:/usr/local/sbin")


@contextlib.contextmanager
def running_server(count: int, *, listen: str = "127.0.0.1", host: str = "localhost") -> Iterator[Server]:
    """Serve `count` users on free ports of `listen`, which clients will call `host`; gone afterwards.

    Raises RuntimeError, with the end of the server's log, when it does not come up.
    """
    users = tuple(User(f"u{number:04}", f"pw-u{number:04}") for number in range(1, count + 1))
    with tempfile.TemporaryDirectory(prefix="mailtui-bench-") as name, _sink() as sink_port:
        folder = Path(name)
        folder.chmod(0o755)
        services = (*SERVICES, "lmtp") if LMTP.exists() else SERVICES
        ports = dict(zip(services, _free_ports(listen, len(services)), strict=True))
        _write_certificates(folder, listen, host)
        _write_settings(folder, users, listen, ports, sink_port)
        command = [find("dovecot") or "dovecot", "-F", "-c", str(folder / "dovecot.conf")]
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _wait_until_up(process, listen, ports, folder)
            yield Server(host, ports, users, folder, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(START_DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    """The port of a relay that swallows mail."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(START_DEADLINE)


def _free_ports(listen: str, count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((listen, 0))) for _ in range(count)]
        return [int(one.getsockname()[1]) for one in sockets]


def _write_certificates(folder: Path, listen: str, host: str) -> None:
    """An authority (ca.pem) and a server certificate for the names that clients may use (tls.pem, tls.key)."""
    names = {"localhost", host} - {listen}
    addresses = {"127.0.0.1", listen} | {name for name in names if name[0].isdigit()}
    alternatives = [f"DNS:{name}" for name in sorted(names - addresses)] + [f"IP:{one}" for one in sorted(addresses)]
    (folder / "extensions").write_text(
        f"subjectAltName={','.join(alternatives)}\nbasicConstraints=CA:FALSE\n"
        "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n"
        "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    authority = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
    for command in (
        f"req -x509 {key} -days 3650 -subj /CN=benchmark -keyout ca.key -out ca.pem {authority}",
        f"req {key} -subj /CN=localhost -keyout tls.key -out tls.csr",
        "x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -extfile extensions -out tls.pem",
    ):
        subprocess.run(
            ["openssl", *command.split()], cwd=folder, check=True, capture_output=True, timeout=START_DEADLINE
        )


def _write_settings(
    folder: Path, users: tuple[User, ...], listen: str, ports: Mapping[str, int], sink_port: int
) -> None:
    for name in ("run", "state", "mail"):
        (folder / name).mkdir()
    if os.geteuid() == 0:
        # The login processes refuse to run as root, and so do the mailboxes.
        shutil.chown(folder / "mail", "mail", "mail")
        identity = {"internal": "dovecot", "login": "dovenull", "mail": "mail"}
        groups = {"internal": "dovecot", "mail": "mail"}
    else:
        identity = dict.fromkeys(("internal", "login", "mail"), getpass.getuser())
        groups = dict.fromkeys(("internal", "mail"), grp.getgrgid(os.getegid()).gr_name)
    template = Template((Path(__file__).parent / "dovecot.conf").read_text())
    settings = template.substitute(
        {f"{role}_user": user for role, user in identity.items()},
        **{f"{role}_group": group for role, group in groups.items()},
        **ports,
        folder=folder,
        listen=listen,
        sink_port=sink_port,
        cores=max(2, os.cpu_count() or 2),
    )
    if "lmtp" in ports:
        settings += _LMTP.substitute(lmtp=ports["lmtp"])
    (folder / "dovecot.conf").write_text(settings)
    (folder / "passwd").write_text("".join(f"{user.name}:{{PLAIN}}{user.password}::::::\n" for user in users))


def _wait_until_up(process: subprocess.Popen[bytes], listen: str, ports: Mapping[str, int], folder: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE
    for port in ports.values():
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                log = folder / "dovecot.log"
                words = (folder / "output").read_text() + (log.read_text() if log.exists() else "")
                raise RuntimeError(f"dovecot did not start:\n{words[-2000:]}")
            with contextlib.suppress(OSError), socket.create_connection((listen, port), timeout=1):
                break
            time.sleep(0.05)
