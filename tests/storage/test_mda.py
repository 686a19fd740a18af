"""Messages handed to commands: real ones, good and bad."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtui.offloop import off_loop
from mailtui.storage.mda import HandoverFailed, hand_over
from tests.storage.test_command import gone, pid_in

LETTER = [b"Subject: one\r\n\r\n", b"", b".\r\n\0\xff\r\n"]


async def test_the_command_gets_every_octet_as_it_is(tmp_path: Path) -> None:
    await hand_over(f"cat > '{tmp_path}/letter'", iter(LETTER), {})
    assert (tmp_path / "letter").read_bytes() == b"".join(LETTER)


async def test_a_long_message_is_fed_while_the_command_reads_slowly(tmp_path: Path) -> None:
    long = (bytes([number]) * 70_000 for number in range(100))
    await hand_over(f"sleep 0.1; wc -c > '{tmp_path}/count'; echo noise; head -c 100000 /dev/zero >&2", long, {})
    assert (tmp_path / "count").read_text().strip() == "7000000"


async def test_the_environment_tells_whose_mail_it_is(tmp_path: Path) -> None:
    command = f"printf %s \"$RECIPIENT $HOME\" > '{tmp_path}/told'"
    await hand_over(command, iter(LETTER), {"RECIPIENT": "ada@example.org", "HOME": "/h"})
    assert (tmp_path / "told").read_text() == "ada@example.org /h"


async def test_a_command_that_does_not_read_all_may_still_take_the_message() -> None:
    await hand_over("exit 0", (b"x" * 65_536 for _ in range(20)), {})


async def test_what_a_command_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    await hand_over(f"cat > /dev/null; sleep 60 & echo $! > '{tmp_path}/pid'", iter(LETTER), {})
    # It may be an agent, and is left alone: to end it is no error.
    await hand_over(f"kill {pid_in(tmp_path / 'pid')}", iter(()), {})


@pytest.mark.parametrize(
    ("command", "hint", "words", "is_about_message"),
    [
        ("cat > /dev/null; echo one >&2; echo ' two\033[2J' >&2; exit 1", "exit code 1", "two\\x1b[2J", True),
        ("exit 75", "the delivery command (exit …) failed with exit code 75", "", True),
        ("exit 65", "exit code 65", "", True),
        ("/nowhere/procmail -d ada", "the delivery command (procmail …) failed with exit code 127", "", False),
        ("kill -9 $$", "was ended by signal 9", "", True),
        ("exec 2>&-; cat > /dev/null; exit 3", "exit code 3", "", True),
        ("printf '%0300d' 7 >&2; exit 2", "exit code 2", "0" * 199 + "…", True),
        ("/etc", "exit code 126", "", False),
    ],
)
async def test_a_refusal_is_told(command: str, hint: str, words: str, is_about_message: bool) -> None:
    with pytest.raises(HandoverFailed) as failed:
        await hand_over(command, iter(LETTER), {})
    assert hint in failed.value.hint
    assert words in failed.value.words
    assert failed.value.is_about_message is is_about_message


async def test_a_command_that_cannot_be_run() -> None:
    with pytest.raises(HandoverFailed, match="cannot be run: "):
        await hand_over("true", iter(LETTER), {"SENDER": "a\0b"})


async def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    command = f"cat > /dev/null; sleep 60 & echo $! > '{tmp_path}/pid'; wait"
    with pytest.raises(HandoverFailed, match=r"did not end within 0\.3 seconds and was ended"):
        await hand_over(command, iter(LETTER), {}, deadline=0.3)
    assert gone(pid_in(tmp_path / "pid"))


async def test_a_command_that_reads_nothing_is_ended() -> None:
    with pytest.raises(HandoverFailed, match="did not end within"):
        await hand_over("sleep 60", (b"x" * 65_536 for _ in range(20)), {}, deadline=0.2)


async def test_cancelling_ends_the_command(tmp_path: Path) -> None:
    task = asyncio.ensure_future(hand_over(f"echo $$ > '{tmp_path}/pid'; sleep 60", iter(LETTER), {}))
    pid = await off_loop(lambda: pid_in(tmp_path / "pid"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pid)


async def test_half_a_message_is_never_taken_for_a_whole_one(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half a mess"
        raise OSError(5, "Input/output error")

    command = f"cat > '{tmp_path}/tmp' && mv '{tmp_path}/tmp' '{tmp_path}/letter'"
    with pytest.raises(HandoverFailed, match="could not be given the message: Input/output error"):
        await hand_over(command, broken(), {})
    assert not (tmp_path / "letter").exists()
