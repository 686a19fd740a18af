"""What really answers where a leg failed: told by what came, or by one more connection that says no secret."""

from mailtui.protocols.dial import Network
from mailtui.protocols.trace import Trace


async def recognise(trace: Trace, network: Network) -> None:
    """After a leg has failed, note in `trace.found` what its port speaks, and where what it wanted is spoken.

    Only failures that another mode would explain are looked into. Never raises but for cancellation, and takes at most
    half of the time that the leg has left.
    """
