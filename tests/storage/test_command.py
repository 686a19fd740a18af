"""Secrets from commands: real ones, good and bad."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailtui.model.errors import SecretError
from mailtui.storage.command import OUTPUT_LIMIT, describe, read_command

PATIENCE = 30.0


def gone(pid: int) -> bool:
    """Whether a process ends within a generous time; a zombie counts as ended."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            # The second where it ends while it is being read.
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


def pid_in(path: Path) -> int:
    """The process id that a command has written to `path`."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    raise AssertionError("the command did not start")


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        ("printf 'pw'", "pw"),
        ("echo pw", "pw"),
        ("printf 'pw\\r\\nuser: ada\\n'", "pw"),
        ("printf ' p w \\nrest'", " p w "),
        ("printf 'cHc=\\n' | base64 -d", "pw"),
        ("echo noise >&2; echo pw", "pw"),
        ("printf 'p\\303\\244ss\\n'", "päss"),
        ("echo pw; head -c 300000 /dev/zero", "pw"),
    ],
)
async def test_the_first_line_is_the_secret(command: str, secret: str) -> None:
    assert (await read_command(command)).value == secret


async def test_a_failure_tells_the_last_words_but_never_the_output() -> None:
    with pytest.raises(SecretError) as told:
        await read_command("echo hunter2; echo first >&2; printf 'no \\033[31msuch entry\\n\\n' >&2; exit 3")
    message = str(told.value)
    assert message == "the password command (echo …) failed with exit code 3: no \\x1b[31msuch entry"


@pytest.mark.parametrize(
    ("errors", "words"),
    [("echo cannot use hunter2 >&2", "cannot use ***"), ("echo hunter2 >&2", "exit code 1: ***"), ("set -x", "")],
)
async def test_a_secret_in_the_error_output_is_masked(errors: str, words: str) -> None:
    with pytest.raises(SecretError) as told:
        await read_command(f"{errors}; echo hunter2; exit 1")
    assert "hunter2" not in str(told.value)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("true", "printed nothing"),
        ("echo; echo pw", "printed nothing on its first line"),
        ("printf '\\377\\n'", "not UTF-8"),
        ("no-such-program-here", "exit code 127.*not found"),
        ("kill -TERM $$", "ended by signal 15"),
        (f"head -c {OUTPUT_LIMIT + 1} /dev/zero", "more than 1 MiB"),
    ],
)
async def test_what_is_no_password_command_is_told(command: str, words: str) -> None:
    with pytest.raises(SecretError, match=words):
        await read_command(command)


async def test_a_flood_on_the_error_output_stays_small_and_the_last_line_counts() -> None:
    with pytest.raises(SecretError, match=r"exit code 1: the end$"):
        await read_command("head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo the end >&2; exit 1")


async def test_at_the_deadline_the_command_dies_with_all_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"
    with pytest.raises(SecretError, match=r"did not finish within 0\.5 seconds"):
        await read_command(f"sleep 600 & echo $! > {child}; wait", 0.5)
    assert await asyncio.to_thread(lambda: gone(pid_in(child)))


async def test_a_cancelled_wait_kills_the_command_at_once(tmp_path: Path) -> None:
    child = tmp_path / "child"
    reading = asyncio.create_task(read_command(f"sleep 600 & echo $! > {child}; wait"))
    pid = await asyncio.to_thread(pid_in, child)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.to_thread(gone, pid)


async def test_an_agent_that_stays_behind_is_neither_waited_for_nor_killed(tmp_path: Path) -> None:
    child = tmp_path / "child"
    # It holds both pipes open, as a daemon does that forgets to close them.
    assert (await read_command(f"sleep 600 & echo $! > {child}; echo pw", PATIENCE)).value == "pw"
    pid = await asyncio.to_thread(pid_in, child)
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)


async def test_the_loop_goes_on_while_a_command_runs(tmp_path: Path) -> None:
    go = tmp_path / "go"
    reading = asyncio.create_task(read_command(f"until [ -e {go} ]; do sleep 0.01; done; echo pw"))
    for _ in range(20):
        await asyncio.sleep(0.005)
    assert not reading.done()
    go.touch()
    assert (await asyncio.wait_for(reading, PATIENCE)).value == "pw"


async def test_a_command_has_no_input_and_no_terminal() -> None:
    assert (await read_command("cat; echo end")).value == "end"
    with pytest.raises(SecretError, match="exit code"):
        await read_command("read answer < /dev/tty && echo $answer")


def test_gpg_tty_names_our_terminal() -> None:
    controller, terminal = pty.openpty()
    name = os.ttyname(terminal)
    code = (
        "import asyncio\n"
        "from mailtui.storage.command import read_command\n"
        "print(asyncio.run(read_command('echo tty=$GPG_TTY')).value)\n"
    )

    def run(environment: dict[str, str], standard_input: int) -> str:
        return subprocess.run(
            [sys.executable, "-c", code],
            stdin=standard_input,
            capture_output=True,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
            timeout=60,
            check=True,
        ).stdout.strip()

    bare = {name: value for name, value in os.environ.items() if name != "GPG_TTY"}
    try:
        assert run(bare, terminal) == f"tty={name}"
        assert run({**bare, "GPG_TTY": "/dev/chosen"}, terminal) == "tty=/dev/chosen"
        assert run(bare, subprocess.DEVNULL) == "tty="
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_command_is_described_by_its_program_alone() -> None:
    assert describe("/usr/bin/pass show mail/ada") == "the password command (pass …)"
    for telling in ("PASSWORD=hunter2 show", "'hunter2'", "hunter2|cat", ""):
        assert describe(telling) == "the password command"
