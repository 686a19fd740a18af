"""What every session keeps to, whatever it speaks. A subclass gives the `speaker` fixture and nothing else."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage, plan
from mailtui.model.events import Event, StageFinished, StageStarted
from mailtui.protocols.dial import Network
from tests.protocols.conftest import Authority
from tests.protocols.honest import PLAIN_MESSAGE, Honest, Manners
from tests.protocols.legs import SECRET, USERNAME, Walked, Way, face, nothing_left, walk
from tests.scripted import ScriptedServer

# Connecting, and STARTTLS with its handshake and the capabilities after it, cost every protocol the same.
HANDSHAKES = {Security.NONE: 0, Security.IMPLICIT_TLS: 1, Security.STARTTLS: 3}

every_security = pytest.mark.parametrize("security", Security)


@dataclass(frozen=True)
class Speaker:
    """One protocol: a server that follows it, and how many round trips a check in clear takes."""

    protocol: Protocol
    server: type[Honest]
    grouped_round_trips: int
    single_round_trips: int
    groups: tuple[tuple[str, ...], ...]
    """What comes after the login where groups are taken: the first words of each line, segment by segment."""
    single: tuple[tuple[str, ...], ...]
    """The same where they are not."""
    login: str
    """How the login shows in the transcript."""
    farewell: str


class SessionContract:
    """See `Speaker`."""

    async def _face(self, authority: Authority, speaker: Speaker, manners: Manners) -> tuple[Walked, Honest]:
        server = speaker.server(manners)
        walked = await face(speaker.protocol, server, Way(manners.security, certificate=authority.policy))
        return walked, server

    def _manners(
        self, authority: Authority, security: Security, *, grouped: bool = True, lets_in: bool = True
    ) -> Manners:
        return Manners(security, authority.good, grouped, lets_in)

    @every_security
    async def test_the_whole_plan_is_walked(self, authority: Authority, speaker: Speaker, security: Security) -> None:
        walked, server = await self._face(authority, speaker, self._manners(authority, security))
        report = walked.report
        assert walked.verdict is None
        assert walked.connections == 1
        assert report.address == "127.0.0.1"
        details = {result.stage: result.detail for result in report.stages}
        assert details[Stage.CONNECT] == "127.0.0.1 (IPv4)"
        assert details[Stage.AUTH] == f"PLAIN as {USERNAME}"
        assert all(result.ms >= 0 for result in report.stages)
        if security is Security.NONE:
            assert report.tls is None
        else:
            assert report.tls is not None
            assert report.tls.version == "TLSv1.3"
            assert report.tls.verified
            assert details[Stage.TLS].startswith(f"TLSv1.3 {report.tls.cipher}; certificate of ")
        if speaker.protocol is not Protocol.SMTP:
            assert (report.messages, report.octets) == (3, 900)
        assert server.last_line.endswith(speaker.farewell)
        assert server.saw_end

    @every_security
    async def test_capabilities_are_read_again_after_tls_and_after_login(
        self, authority: Authority, speaker: Speaker, security: Security
    ) -> None:
        walked, _ = await self._face(authority, speaker, self._manners(authority, security))
        read = [result.detail for result in walked.report.stages if result.stage is Stage.CAPABILITIES]
        expected = ["X-CLEAR"] if security is not Security.IMPLICIT_TLS else []
        expected += ["X-PROTECTED"] if security is not Security.NONE else []
        expected += ["X-LOGGED-IN"]
        assert len(read) == len(expected)
        assert all(offer in detail for offer, detail in zip(expected, read, strict=True))
        assert "X-LOGGED-IN" in walked.report.capabilities

    @pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "single"])
    @every_security
    async def test_round_trips(self, authority: Authority, speaker: Speaker, security: Security, grouped: bool) -> None:
        walked, server = await self._face(authority, speaker, self._manners(authority, security, grouped=grouped))
        expected = speaker.grouped_round_trips if grouped else speaker.single_round_trips
        assert walked.report.round_trips == expected + HANDSHAKES[security]
        # The server's own count: what was asked, each in one segment, beside the connection, the greeting and TLS.
        unasked = 2 + (security is not Security.NONE)
        assert len(server.groups) == walked.report.round_trips - unasked

    @pytest.mark.parametrize("grouped", [True, False], ids=["grouped", "single"])
    @every_security
    async def test_groups_come_in_one_segment_where_they_are_taken_and_one_by_one_elsewhere(
        self, authority: Authority, speaker: Speaker, security: Security, grouped: bool
    ) -> None:
        _, server = await self._face(authority, speaker, self._manners(authority, security, grouped=grouped))
        expected = speaker.groups if grouped else speaker.single
        came = server.groups[-len(expected) :]
        if speaker.protocol is Protocol.IMAP:
            came = [[line.partition(" ")[2] for line in group] for group in came]
        shapes = [len(group) for group in came]
        assert shapes == [len(group) for group in expected]
        for group, wanted in zip(came, expected, strict=True):
            assert all(line.startswith(start) for line, start in zip(group, wanted, strict=True)), group
        assert all(len(group) == 1 for group in server.groups[: -len(expected)])

    @pytest.mark.parametrize("lets_in", [True, False], ids=["right", "wrong"])
    @every_security
    async def test_there_is_one_login_attempt(
        self, authority: Authority, speaker: Speaker, security: Security, lets_in: bool
    ) -> None:
        walked, server = await self._face(authority, speaker, self._manners(authority, security, lets_in=lets_in))
        assert server.login_attempts == 1
        assert walked.connections == 1
        assert walked.report.mechanism == "PLAIN"
        assert walked.verdict == (None if lets_in else (Stage.AUTH, Cause.BAD_CREDENTIALS))
        if not lets_in:
            assert walked.report.failure is not None
            assert "wrong name or password" in walked.report.failure.reply
            assert server.saw_end

    async def test_nothing_of_the_login_goes_before_tls(self, authority: Authority, speaker: Speaker) -> None:
        walked, server = await self._face(authority, speaker, self._manners(authority, Security.STARTTLS))
        assert walked.verdict is None
        assert server.clear
        secrets = (SECRET.encode(), b64encode(SECRET.encode()), PLAIN_MESSAGE.encode(), USERNAME.encode(), b"AUTH")
        assert [secret for secret in secrets if secret in server.clear] == []
        assert server.login_attempts == 1

    @every_security
    async def test_the_transcript_shows_both_sides_and_no_secret(
        self, authority: Authority, speaker: Speaker, security: Security
    ) -> None:
        walked, server = await self._face(authority, speaker, self._manners(authority, security))
        assert speaker.login in walked.dialogue
        assert PLAIN_MESSAGE not in walked.dialogue
        ours = [line.text for line in walked.report.transcript if line.sender == "C"]
        assert len(ours) == sum(len(group) for group in server.groups)
        said = [line.text for line in walked.report.transcript if line.sender == "S"]
        assert said[0] == server.greeting.decode().rstrip()
        assert [line.at_ms for line in walked.report.transcript] == sorted(
            line.at_ms for line in walked.report.transcript
        )

    @pytest.mark.parametrize(
        ("security", "step"),
        [(security, step) for security in Security for step in range(len(plan(Protocol.SMTP, security, True)))],
    )
    async def test_cancelled_at_any_stage_it_leaves_nothing(
        self, authority: Authority, speaker: Speaker, security: Security, step: int
    ) -> None:
        way = Way(security, certificate=authority.policy)
        network = Network()
        await network.contexts.get(way.certificate)
        seen: list[Event] = []
        with nothing_left():
            async with ScriptedServer(speaker.server(self._manners(authority, security))) as server:

                def cancel_at_step(event: Event) -> None:
                    seen.append(event)
                    if isinstance(event, StageStarted) and event.step == step:
                        asyncio.get_running_loop().call_soon(task.cancel)

                task = asyncio.ensure_future(
                    walk(speaker.protocol, server.port, way, on_event=cancel_at_step, network=network)
                )
                with pytest.raises(asyncio.CancelledError):
                    await task
                await server.all_closed()
                assert server.connections <= 1
        assert step in [event.step for event in seen if isinstance(event, StageStarted)]
        # Whoever cancels asks for no verdict.
        assert [event for event in seen if isinstance(event, StageFinished) and event.failure] == []
