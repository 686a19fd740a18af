"""Plays a scenario to whoever connects, and notes what each connection said in clear and what under TLS."""

import ssl
from dataclasses import dataclass
from typing import Any, cast

from tests.hostile.scenario import Scenario
from tests.protocols.dialogue import hear, secure
from tests.scripted import Peer


@dataclass
class Visit:
    """One connection. `clear_octets` is how much of what it said came before TLS; None when no TLS came."""

    wire: Any
    clear_octets: int | None = None

    @property
    def everything(self) -> bytes:
        return bytes(self.wire.received)

    @property
    def clear(self) -> bytes:
        return self.everything[: self.clear_octets]


class HostileServer:
    """A script. The first connection is the leg's; later ones may look, and say what no leg says."""

    def __init__(self, scenario: Scenario, context: ssl.SSLContext) -> None:
        self._scenario, self._context = scenario, context
        self.visits: list[Visit] = []

    async def __call__(self, peer: Peer) -> None:
        visit = Visit(cast(Any, peer.writer.transport.get_protocol()))
        self.visits.append(visit)
        if self._scenario.later is not None and len(self.visits) > 1:
            await self._scenario.later(peer)
            return
        try:
            await self._play(peer, visit)
        except AssertionError:
            if visit is self.visits[0]:
                raise
            await peer.silence()

    async def _play(self, peer: Peer, visit: Visit) -> None:
        for turn in self._scenario.script:
            tag = "" if turn.hears is None else await hear(self._scenario.protocol, peer, turn.hears)
            if turn.says is None:
                visit.clear_octets = len(visit.everything)
                await secure(peer, self._context)
            else:
                await peer.send(turn.says.replace(b"{tag}", tag.encode()))
        await self._scenario.then(peer)
