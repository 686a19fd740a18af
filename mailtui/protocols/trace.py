"""The trace of one leg: from one place, each stage gets a deadline, a time, events and a masked transcript."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

from mailtui.model.account import Endpoint, Protocol, Security
from mailtui.model.check import Cause, Failure, Leg, LegReport, Stage, StageResult, Status, TlsFacts, TranscriptLine
from mailtui.model.events import Event, StageFinished, StageStarted
from mailtui.model.server import FamilyFacts, Found, Offered
from mailtui.model.text import clean
from mailtui.protocols.deadlines import Watch
from mailtui.protocols.faults import StageFailed, WireError, translate
from mailtui.protocols.masking import Masker

if TYPE_CHECKING:
    from mailtui.protocols.dial import Attempt
    from mailtui.protocols.resolve import Address

# A transcript is for people: what is longer than this is cut in the middle of a hostile flood, not of a dialogue.
_TRANSCRIPT_LINES = 400
_REPLY_LIMIT = 1_000


class Trace:
    """What one leg does and learns, from the first look-up to the last word. Never outlives its leg.

    `stage_timeout` and `leg_timeout` are in seconds, the latter infinite for a retrieval. `on_event` is called on the
    loop, once per start and end.
    """

    def __init__(
        self,
        *,
        account: str,
        leg: Leg,
        protocol: Protocol,
        endpoint: Endpoint,
        plan: tuple[Stage, ...],
        on_event: Callable[[Event], None] | None,
        stage_timeout: float,
        leg_timeout: float,
        keep_transcript: bool = True,
    ) -> None:
        self.account = account
        self.leg = leg
        self.protocol = protocol
        self.endpoint = endpoint
        self.plan = plan
        self.stage_timeout = stage_timeout
        self.leg_timeout = leg_timeout
        self.masker = Masker(())
        self.tls: TlsFacts | None = None
        self.address = ""
        self.mechanism = ""
        self.capabilities: tuple[str, ...] = ()
        self.messages: int | None = None
        self.octets: int | None = None
        self.round_trips = 0
        self.offered: Offered | None = None
        self.addresses: tuple[str, ...] = ()
        self.families: tuple[FamilyFacts, ...] = ()
        self.found: tuple[Found, ...] = ()
        self.heard = b""
        """As it came, what was said instead of what was expected; empty where nothing was."""
        self.on_connected: Callable[[list[Address], tuple[Attempt, ...]], None] | None = None
        """Told within CONNECT, once it stands: all addresses, and the attempts on them if there are several."""
        self.on_stage: Callable[[Stage, Status | None], None] | None = None
        """Told of each stage as it begins, with None, and as it ends."""
        self.failure: Failure | None = None
        self._on_event = on_event
        self._keep_transcript = keep_transcript
        self._transcript: list[TranscriptLine] = []
        self._results: list[StageResult] = []
        self._began = time.perf_counter()
        self.watch = Watch(leg_timeout)
        """What ends stages that take too long."""

    def stage(self, stage: Stage) -> "StageBlock":
        """`async with trace.stage(Stage.AUTH) as block:` runs one stage; raises StageFailed, from what went wrong."""
        return StageBlock(self, stage)

    @property
    def is_yet_in_clear(self) -> bool:
        """Whether STARTTLS is to come: until then nothing that is said is surely the server's word."""
        return self.endpoint.security is Security.STARTTLS and self.tls is None

    def sent(self, line: bytes) -> None:
        """Note a line of ours, as it may be shown: whoever sends a secret says here what stands for it."""
        if self._keep_transcript:
            self._note("C", self._line(line))

    def received(self, line: bytes) -> None:
        """Note a line of the server's."""
        if self._keep_transcript and len(self._transcript) <= _TRANSCRIPT_LINES:
            self._note("S", self._line(line))

    def remark(self, text: str) -> None:
        """Note something that is no line of the dialogue."""
        if self._keep_transcript:
            self._note("*", clean(text))

    def shown(self, text: str) -> str:
        """`text` from outside, masked and cleaned, as one line fit for a report."""
        return clean(self.masker(text), _REPLY_LIMIT) if text else text

    def shown_each(self, texts: Sequence[str]) -> tuple[str, ...]:
        """`shown` of each of `texts`, in less time."""
        return tuple(clean(text, _REPLY_LIMIT) for text in self.masker.each(texts))

    def finish(self, result: StageResult, failure: Failure | None) -> None:
        """Record how a stage ended and tell the listener."""
        step = len(self._results)
        self._results.append(result)
        self.failure = failure
        if self.on_stage is not None:
            self.on_stage(result.stage, result.status)
        if self._on_event is not None:
            self._on_event(StageFinished(self.account, self.leg, step, result, failure, time.perf_counter()))

    def start(self, stage: Stage) -> None:
        """Tell the listener that a stage begins."""
        if self.on_stage is not None:
            self.on_stage(stage, None)
        if self._on_event is not None:
            self._on_event(StageStarted(self.account, self.leg, len(self._results), stage, time.perf_counter()))

    def fail_before(self, stage: Stage, failure: Failure) -> None:
        """End the leg before any network was touched: all stages up to `stage` are skipped, and it fails."""
        for skipped in self.plan[: self.plan.index(stage)]:
            self._results.append(StageResult(skipped, Status.SKIPPED))
        self.finish(StageResult(stage, Status.FAILED), failure)

    def stop(self) -> None:
        """The leg is over: let go of everything that would wait for its deadlines."""
        self.watch.stop()

    def report(self, warning: str = "") -> LegReport:
        """What is known now; stages of the plan that were not reached are SKIPPED."""
        rest = (StageResult(stage, Status.SKIPPED) for stage in self.plan[len(self._results) :])
        return LegReport(
            leg=self.leg,
            protocol=self.protocol,
            endpoint=self.endpoint,
            stages=(*self._results, *rest),
            ms=round((time.perf_counter() - self._began) * 1_000, 3),
            failure=self.failure,
            tls=self.tls,
            address=self.address,
            mechanism=self.mechanism,
            capabilities=self.shown_each(self.capabilities),
            messages=self.messages,
            octets=self.octets,
            round_trips=self.round_trips,
            transcript=self._dialogue(),
            warning="" if self.failure else warning,
            offered=self.offered,
            addresses=self.addresses,
            families=self.families,
            found=self.found,
        )

    def quiet(self, endpoint: Endpoint) -> "Trace":
        """A trace nobody sees, for a second look at the server, in half of the time that the running stage has left."""
        patience = min(self.watch.remaining() / 2, self.stage_timeout)
        return Trace(
            account=self.account,
            leg=self.leg,
            protocol=self.protocol,
            endpoint=endpoint,
            plan=self.plan,
            on_event=None,
            stage_timeout=patience,
            leg_timeout=patience,
            keep_transcript=False,
        )

    def _dialogue(self) -> tuple[TranscriptLine, ...]:
        """The transcript, also without a secret that the server divided between its lines."""
        said = [line.text for line in self._transcript if line.sender == "S"]
        masked = self.masker.across(said)
        if masked == said:
            return tuple(self._transcript)
        rest = iter(masked)
        return tuple(replace(line, text=next(rest)) if line.sender == "S" else line for line in self._transcript)

    def _line(self, line: bytes) -> str:
        # Masked before it is cut: a secret at the cut would be left half shown.
        return clean(self.masker(line.decode("utf-8", "backslashreplace")))

    def _note(self, sender: str, text: str) -> None:
        if len(self._transcript) < _TRANSCRIPT_LINES:
            self._transcript.append(TranscriptLine(sender, text, round((time.perf_counter() - self._began) * 1_000, 3)))
        elif len(self._transcript) == _TRANSCRIPT_LINES:
            self._transcript.append(TranscriptLine("*", "the dialogue goes on; the rest is not kept", 0.0))


class StageBlock:
    """One stage while it runs: set `detail` and `reply` on it. See `Trace.stage`."""

    __slots__ = ("_began", "_trace", "detail", "reply", "stage")

    def __init__(self, trace: Trace, stage: Stage) -> None:
        self._trace = trace
        self.stage = stage
        self.detail = ""
        self.reply = ""

    async def __aenter__(self) -> "StageBlock":
        self._trace.start(self.stage)
        self._began = time.perf_counter()
        self._trace.watch.begin(self._trace.stage_timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        trace = self._trace
        if trace.watch.end(error):
            error = trace.watch.verdict or WireError(Cause.SILENT, self._silence(), heard=trace.heard)
        ms = round((time.perf_counter() - self._began) * 1_000, 3)
        if error is None:
            detail, reply = trace.shown(self.detail), trace.shown(self.reply)
            trace.finish(StageResult(self.stage, Status.OK, ms, detail, reply), None)
            return
        if not isinstance(error, Exception):
            # Cancelled from outside: nobody waits for a verdict.
            return
        if isinstance(error, WireError):
            cause, hint, reply = error.cause, error.hint, error.reply
            trace.heard = error.heard
            # The hints on a foreign banner and on a handshake that is none say it already.
            if reply and trace.is_yet_in_clear and cause not in (Cause.FOREIGN_BANNER, Cause.NOT_TLS):
                hint += "; its words came in clear, and may be anyone's"
        else:
            (cause, hint), reply = translate(error, self.stage, trace.endpoint.label), ""
        failure = Failure(cause, self.stage, trace.shown(hint), trace.shown(reply))
        trace.remark(failure.hint)
        trace.finish(StageResult(self.stage, Status.FAILED, ms, trace.shown(self.detail), failure.reply), failure)
        raise StageFailed(failure) from error

    def _silence(self) -> str:
        where = self._trace.endpoint.label
        if self._trace.watch.is_leg_end:
            return f"{where} used up the {self._trace.leg_timeout:g} s that a leg may take"
        return f"{where} did not answer within {self._trace.stage_timeout:g} s"
