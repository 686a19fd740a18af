"""What destinations that take one message at a time have in common: a local server by LMTP, a command."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import BinaryIO

from mailtui.model.check import Cause
from mailtui.offloop import off_loop
from mailtui.protocols.faults import WireError

PIECE = 64 * 1024
"""Octets of one piece of a long message."""


class Rejected(WireError):
    """The destination does not take this message, for now or for ever; it may take others. `reply` is its word."""

    def __init__(self, hint: str, reply: str = "") -> None:
        super().__init__(Cause.NOT_DELIVERED, hint, reply)


@dataclass(slots=True)
class Letter:
    """A whole message, exactly as the server has it (CRLF). A long one begins in `file`, and ends with `chunks`.

    `sender` is the address of its Return-Path, empty where it has none: the reverse-path for the next hop.
    """

    octets: int
    sender: str = ""
    chunks: list[bytes] = field(default_factory=list)
    file: BinaryIO | None = None

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its octets in order, from the first on whenever this is called. Raises OSError."""
        if self.file is not None:
            file = self.file
            await off_loop(lambda: file.seek(0))
            while piece := await off_loop(lambda: file.read(PIECE)):
                yield piece
        for chunk in self.chunks:
            yield chunk


class Delivery(ABC):
    """A destination for the time of one retrieval. `deliver` is called for one message after another, then `close`."""

    @abstractmethod
    async def deliver(self, letter: Letter) -> None:
        """Hand one message over; when it returns, the destination has taken it for good.

        Raises Rejected where this message is refused or put off, which may be its own fault, and WireError
        (NOT_DELIVERED) where nothing more can be delivered now: the server is away, the command is not there, the user
        is over quota. Every wait has a deadline.
        Nothing else is raised but cancellation.
        """

    async def close(self) -> None:
        """Let go of it (QUIT, no more). Raises nothing; safe to call at any time."""
        return
