"""The program as a process: signals, pipes, terminals, and what it costs to start."""

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailtui.model.text import width

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 60


def accounts(port: int, count: int = 1) -> str:
    return "".join(
        f'[[account]]\nname = "n{number}"\nemail = "a@b.c"\n[account.submission]\nhost = "127.0.0.1"\nport = {port}\n'
        f'security = "none"\nauthentication = false\n'
        for number in range(count)
    )


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """Accepts, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return port_of(server)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILTUI_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(ROOT)


pytestmark = pytest.mark.usefixtures("environment")


def start(*arguments: str, **pipes: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "mailtui", *arguments],
        stdin=pipes.get("stdin", subprocess.DEVNULL),
        stdout=pipes.get("stdout", subprocess.PIPE),
        stderr=pipes.get("stderr", subprocess.PIPE),
        start_new_session=True,
    )


def test_ctrl_c_ends_every_connection_and_says_so(tmp_path: Path) -> None:
    with silent_server() as server:
        file = tmp_path / "accounts.toml"
        file.write_text(accounts(port_of(server), 3))
        with start("check", "--file", str(file)) as process:
            connections = [server.accept()[0] for _ in range(3)]
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=DEADLINE)
            assert process.returncode == 130
            assert err == b"mailtui: 0 of 3 accounts were checked\nmailtui: interrupted\n"
            for connection in connections:
                with connection:
                    connection.settimeout(DEADLINE)
                    assert ended(connection)


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(100) == b""
    except ConnectionResetError:
        return True


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port(), 50))
    reader, writer = os.pipe()
    os.close(reader)
    with start("check", "--file", str(file), stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (141, b"")


def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "wb") as full, start("--help", stdout=full.fileno()) as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3
    assert err.startswith(b"mailtui: the output cannot be written: No space left on device\n")


def test_a_full_disk_is_told_also_in_the_middle_of_a_check(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port()))
    with open("/dev/full", "wb") as full, start("check", "--file", str(file), stdout=full.fileno()) as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (3, b"mailtui: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_crash(redirection: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m mailtui secret set ada {redirection}",
        shell=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 3
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr


def test_an_argument_that_is_no_text() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mailtui", "account", "show", b"\xff"],
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr == b"mailtui: an argument is not text in the encoding of this terminal\n"


def in_terminal(*arguments: str, columns: int = 80, rows: int = 24, term: str = "xterm-256color") -> tuple[int, str]:
    """Run on a terminal of that size; the exit code and everything that was drawn."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    drawn = b""
    with subprocess.Popen(
        [sys.executable, "-m", "mailtui", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": term},
        start_new_session=True,
    ) as process:
        os.close(slave)
        while True:
            try:
                piece = os.read(master, 65_536)
            except OSError:
                break
            if not piece:
                break
            drawn += piece
        process.wait(DEADLINE)
    os.close(master)
    return process.returncode, drawn.decode()


def test_a_terminal_gets_a_drawing_that_is_drawn_over(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port()))
    code, drawn = in_terminal("check", "--file", str(file))
    assert code == 2
    frames = drawn.split("\x1b[J")
    assert len(frames) > 2
    assert all("Outbound  SMTP 127.0.0.1" in frame for frame in frames[:-1])
    assert "\x1b[31m✗" in frames[-2]
    assert "(port-refused)" in frames[-1]


def test_many_accounts_on_a_terminal_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port(), 5))
    code, drawn = in_terminal("check", "--file", str(file))
    assert code == 2
    assert "5/5 checked, 5 failing" in drawn
    assert drawn.endswith("5 accounts: 0 good, 0 with a warning, 5 failed\r\n")


@pytest.mark.parametrize(("columns", "rows", "term"), [(80, 24, "dumb"), (39, 24, "xterm"), (80, 8, "xterm")])
def test_a_terminal_that_cannot_hold_the_drawing_gets_plain_lines(
    tmp_path: Path, columns: int, rows: int, term: str
) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port()))
    code, drawn = in_terminal("check", "--file", str(file), columns=columns, rows=rows, term=term)
    assert code == 2
    assert "\x1b[K" not in drawn
    assert drawn.startswith("n0  outbound  resolve ")


def test_the_list_fits_the_terminal() -> None:
    with start(
        "account", "add", "--name", "a long name of an account", "--email", "somebody@department.example.org",
        "--smtp-host", "smtp.department.example.org", "--imap-host", "imap.department.example.org",
    ) as process:  # fmt: skip
        assert process.wait(DEADLINE) == 0
    code, drawn = in_terminal("account", "list", term="xterm")
    assert code == 0
    plain = drawn.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert [width(line) <= 80 for line in plain.splitlines()] == [True, True]


def test_the_screen_refuses_a_dumb_terminal() -> None:
    code, drawn = in_terminal(term="dumb")
    assert code == 3
    assert drawn.startswith("mailtui: the screen needs a terminal, and TERM is dumb")


def test_check_of_a_file_asks_nobody_although_the_terminal_is_there(tmp_path: Path) -> None:
    """Standard input is no terminal: nobody is there, even if the output is one."""
    file = tmp_path / "accounts.toml"
    file.write_text(accounts(closed_port()).replace("authentication = false", 'secret = "ask"'))
    with start("check", "--file", str(file)) as process:
        out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 2
    assert b"secret-unavailable" in out
    assert err == b""


def test_help_loads_only_what_it_needs() -> None:
    """Start-up is paid by every command, so the work is imported by the command that does it."""
    code = (
        "import sys; from mailtui.__main__ import main; code = main(['--help']);"
        "print(*sorted(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0
    loaded = set(done.stderr.split())
    assert {"argparse", "mailtui.cli.parser"} <= loaded
    ours = {name for name in loaded if name.startswith("mailtui.")}
    assert ours == {
        "mailtui.__main__",
        "mailtui.cli",
        "mailtui.cli.main",
        "mailtui.cli.output",
        "mailtui.cli.parser",
        "mailtui.cli.parser_account",
        "mailtui.cli.parser_retrieval",
        "mailtui.model",
        "mailtui.model.text",
    }
    assert not loaded & {"asyncio", "json", "tempfile", "subprocess", "shtab", "tomllib", "shutil"}


def test_a_check_loads_what_mends_only_where_something_fails() -> None:
    code = "import sys, mailtui.cli.check, mailtui.cli.checking; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=DEADLINE, check=True)
    loaded = set(done.stdout.split())
    assert "mailtui.actions.leg" in loaded
    mending = {"mailtui.actions.fixing", "mailtui.actions.accepting", "mailtui.model.diagnosis", "mailtui.diagnosis"}
    assert not loaded & mending
