"""An SMTP server that accepts everything and keeps nothing: what the submission service relays to.

`python -m benchmarks.sink` prints its port on loopback and serves until its standard input closes.
"""

import asyncio
import sys

MAX_LINE = 4096


class Sink(asyncio.Protocol):
    """One connection; a line ends the connection when it is longer than `MAX_LINE`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.in_data = False
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        *lines, self.buffer = (self.buffer + data).split(b"\r\n")
        if len(self.buffer) > MAX_LINE:
            self.transport.abort()
            return
        for line in lines:
            self.transport.write(self.answer(line))
            if line.upper() == b"QUIT" and not self.in_data:
                self.transport.close()

    def answer(self, line: bytes) -> bytes:
        """The reply to one line: empty inside a message."""
        if self.in_data:
            self.in_data = line != b"."
            return b"" if self.in_data else b"250 2.0.0 gone\r\n"
        verb = line.upper().split(b" ")[0]
        if verb == b"EHLO":
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
        if verb == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        return b"221 2.0.0 bye\r\n" if verb == b"QUIT" else b"250 2.0.0 ok\r\n"


async def main() -> None:
    """Serve on a free port of loopback until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    closed = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), closed.set)
    await closed.wait()


if __name__ == "__main__":
    asyncio.run(main())
