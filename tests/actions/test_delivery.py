"""The destinations that take one message at a time, by what they have in common."""

import asyncio
import re
from pathlib import Path

import pytest

from mailtui.actions.delivery import Delivery, Letter, Rejected
from mailtui.actions.delivery_command import CommandDelivery
from mailtui.actions.delivery_lmtp import LmtpDelivery
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from tests.scripted import Peer, ScriptedServer, Step


def long_letter(folder: Path, sender: str = "") -> tuple[Letter, bytes]:
    """A letter of which the first octets are in a file, and its octets."""
    path = folder / "spilled"
    path.write_bytes(b"Subject: long\r\n\r\n" + b"line\r\n" * 50_000)
    rest = [b"..\r\n", b"end\r\n"]
    content = path.read_bytes() + b"".join(rest)
    return Letter(len(content), sender, rest, path.open("rb")), content


async def test_a_command_gets_the_whole_letter_and_who_sent_it(tmp_path: Path) -> None:
    letter, content = long_letter(tmp_path, "bob@example.org")
    command = f"cat > '{tmp_path}/got'; echo \"$MAILTUI_ACCOUNT,$RECIPIENT,$SENDER\" >> '{tmp_path}/who'"
    delivery = CommandDelivery(command, account_name="Ada's mail", recipient="ada@example.org")
    await delivery.deliver(letter)
    assert (tmp_path / "got").read_bytes() == content
    await delivery.deliver(Letter(2, "--help@example.org", [b"\r\n"]))
    await delivery.close()
    assert (tmp_path / "who").read_text().splitlines() == [
        "Ada's mail,ada@example.org,bob@example.org",
        "Ada's mail,ada@example.org,",
    ]
    assert letter.file is not None
    letter.file.close()


async def test_lmtp_gets_the_whole_letter_twice_if_it_is_asked_to(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.send(b"220 x\r\n")
        await peer.expect("LHLO")
        await peer.send(b"250 x\r\n")
        for _ in range(2):
            for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
                await peer.line()
                await peer.send(answer)
            lines = []
            while (line := await peer.reader.readuntil(b"\r\n")) != b".\r\n":
                lines.append(line.removeprefix(b"."))
            got.append(b"".join(lines))
            await peer.send(b"250 kept\r\n")
        await peer.expect("QUIT")

    letter, content = long_letter(tmp_path)
    async with ScriptedServer(script) as server:
        delivery: Delivery = LmtpDelivery(f"{server.host}:{server.port}", "ada@example.org")
        await delivery.deliver(letter)
        await delivery.deliver(letter)
        await delivery.close()
    assert got == [content, content]
    assert letter.file is not None
    letter.file.close()


@pytest.mark.parametrize("code", [1, 65, 75])
async def test_a_command_may_refuse_one_message(code: int) -> None:
    command = f"cat > /dev/null; echo spam >&2; exit {code}"
    with pytest.raises(Rejected) as rejected:
        await CommandDelivery(command, account_name="ada", recipient="a@b.example").deliver(Letter(2, "", [b"\r\n"]))
    assert (rejected.value.cause, rejected.value.reply) == (Cause.NOT_DELIVERED, "spam")


@pytest.mark.parametrize("verdict", [b"554 5.6.0 spam", b"451 4.7.1 later"])
async def test_a_server_may_refuse_one_message(verdict: bytes) -> None:
    async def script(peer: Peer) -> None:
        for answer in (b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            await peer.send(answer)
            await peer.line()
        await peer.reader.readuntil(b".\r\n")
        await peer.send(verdict + b"\r\n")
        await peer.silence()

    async with ScriptedServer(script) as server:
        lmtp = LmtpDelivery(f"{server.host}:{server.port}", "ada@example.org")
        with pytest.raises(Rejected) as rejected:
            await lmtp.deliver(Letter(2, "", [b"\r\n"]))
        assert rejected.value.reply == verdict.decode()
        close = asyncio.ensure_future(lmtp.close())
        await asyncio.sleep(0)
        close.cancel()


@pytest.mark.parametrize(
    ("delivery", "hint"),
    [
        (CommandDelivery("/nowhere/mda", account_name="ada", recipient="a@b.example"), "failed with exit code 127"),
        (LmtpDelivery("/nowhere/lmtp", "a@b.example"), "lmtp /nowhere/lmtp cannot be reached: No such file"),
    ],
)
async def test_what_would_meet_any_message_is_not(delivery: Delivery, hint: str) -> None:
    with pytest.raises(WireError, match=re.escape(hint)) as failed:
        await delivery.deliver(Letter(2, "", [b"\r\n"]))
    assert not isinstance(failed.value, Rejected)
    assert failed.value.cause is Cause.NOT_DELIVERED
    await delivery.close()


async def test_a_letter_that_cannot_be_read_back_is_told(tmp_path: Path) -> None:
    takes: list[Step] = [
        b"220 x\r\n",
        "LHLO",
        b"250 x\r\n",
        "MAIL",
        b"250 ok\r\n",
        "RCPT",
        b"250 ok\r\n",
        "DATA",
        b"354 go\r\n",
    ]
    with (tmp_path / "w").open("wb") as unreadable:
        letter = Letter(2, "", [], unreadable)
        async with ScriptedServer(takes) as server:
            delivery = LmtpDelivery(f"{server.host}:{server.port}", "ada@example.org")
            with pytest.raises(WireError, match="could not be read back on this machine"):
                await delivery.deliver(letter)
