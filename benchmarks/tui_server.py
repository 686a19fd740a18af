"""Servers that take their time: SMTP and IMAP over TLS on many loopback addresses, so that a run of checks lasts.

Runs by itself: `python -m benchmarks.tui_server FOLDER`; prints its ports as one JSON line, then, for each line of
its input, how many connections are open; ends with its input.
"""

import asyncio
import contextlib
import json
import random
import socket
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT
from benchmarks.server import START_DEADLINE, find

ADDRESSES = tuple(f"127.0.0.{last}" for last in range(11, 31))
"""Twenty hosts: a run opens at most twenty connections to one of them, and 200 in all."""
DELAYS = (0.2, 0.8)
"""Seconds that an answer takes, at least and at most."""

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


@dataclass(frozen=True, slots=True)
class SlowServer:
    """Where it listens, on each of ADDRESSES, and the certificate (PEM) to trust."""

    smtp: int
    imap: int
    ca: Path
    process: subprocess.Popen[str]

    def connections(self) -> int:
        """How many are open now."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def missing() -> str:
    """Why no server can be started here, or nothing."""
    return "" if find("openssl") else "openssl is not installed"


@contextlib.contextmanager
def slow_server(folder: Path) -> Iterator[SlowServer]:
    """Run the servers in a process of their own; gone afterwards."""
    command = [sys.executable, "-m", "benchmarks.tui_server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ports = json.loads(process.stdout.readline())
            yield SlowServer(ports["smtp"], ports["imap"], folder / "server.pem", process)
        finally:
            process.stdin.close()
            process.wait(START_DEADLINE)


def make_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for all the addresses, which vouches for itself."""
    names = ",".join(f"IP:{address}" for address in ADDRESSES)
    command = (
        f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=slow.example"
        f" -keyout server.key -out server.pem -addext subjectAltName={names}"
        " -addext keyUsage=critical,digitalSignature,keyCertSign"
    )
    subprocess.run(
        [find("openssl") or "openssl", *command.split()],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=START_DEADLINE,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context


async def serve_smtp(reader: Reader, writer: Writer) -> None:
    """Accept every login and every sender."""
    await _say(writer, "220 slow.example ESMTP")
    while command := (await reader.readline()).upper():
        if command.startswith(b"EHLO"):
            await _say(writer, "250-slow.example", "250-PIPELINING", "250-SIZE 52428800", "250 AUTH PLAIN LOGIN")
        elif command.startswith(b"AUTH"):
            await _say(writer, "235 2.7.0 welcome")
        elif command.startswith(b"QUIT"):
            await _say(writer, "221 2.0.0 bye")
            return
        else:
            await _say(writer, "250 2.0.0 ok")


async def serve_imap(reader: Reader, writer: Writer) -> None:
    """Accept every login and show a mailbox of seven messages."""
    await _say(writer, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] slow.example ready")
    while words := (await reader.readline()).decode("ascii", "replace").split():
        tag, command = words[0], words[1].upper()
        untagged = {
            "CAPABILITY": ["* CAPABILITY IMAP4rev1 IDLE SASL-IR AUTH=PLAIN"],
            "STATUS": ["* STATUS INBOX (MESSAGES 7)"],
            "EXAMINE": ["* 7 EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 1]", "* FLAGS (\\Seen)"],
            "LOGOUT": ["* BYE"],
        }
        await _say(writer, *untagged.get(command, []), f"{tag} OK {command} completed")
        if command == "LOGOUT":
            return


async def _say(writer: Writer, *lines: str) -> None:
    await asyncio.sleep(random.uniform(*DELAYS))
    writer.write("".join(f"{line}\r\n" for line in lines).encode("ascii"))
    await writer.drain()


async def _listen(
    serve: Callable[[Reader, Writer], Awaitable[None]], context: ssl.SSLContext, connected: set[Writer]
) -> int:
    """Serve on one port of all the addresses; `connected` has the open connections."""

    async def handle(reader: Reader, writer: Writer) -> None:
        connected.add(writer)
        with contextlib.suppress(OSError, EOFError):
            await serve(reader, writer)
        connected.remove(writer)
        writer.close()

    port = 0
    for address in ADDRESSES:
        listening = socket.create_server((address, port), backlog=256)
        port = listening.getsockname()[1]
        await asyncio.start_server(handle, sock=listening, ssl=context)
    return port


async def _main(folder: Path) -> None:
    context = make_certificate(folder)
    loop = asyncio.get_running_loop()
    # Clients that hang up in the middle are what a cancelled run is made of.
    loop.set_exception_handler(lambda loop, what: None)
    connected: set[Writer] = set()
    ports = {
        "smtp": await _listen(serve_smtp, context, connected),
        "imap": await _listen(serve_imap, context, connected),
    }
    print(json.dumps(ports), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(len(connected), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
