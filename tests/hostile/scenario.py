"""One scenario: what a hostile server does to a client on its way in, and what the client must say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailtui.model.account import AuthMethod, CertificatePolicy, Protocol, Security
from mailtui.model.check import Cause, Stage
from mailtui.model.text import clean
from tests.protocols.dialogue import Turn
from tests.protocols.legs import Login, Way
from tests.scripted import Action, silence

TLS = Way(Security.IMPLICIT_TLS)
STARTTLS = Way(Security.STARTTLS)
CLEAR = Way(Security.NONE)

Verdict = tuple[Stage, Cause] | None


@dataclass(frozen=True)
class Scenario:
    """The server follows `turns`, then does what `then` says; as a rule it waits in silence, so that a verdict other
    than SILENT has needed no deadline.

    Under implicit TLS the handshake comes before the turns. A way without a policy of its own
    trusts the authority of the tests.
    """

    protocol: Protocol
    name: str
    turns: Sequence[Turn]
    verdict: Verdict
    way: Way = TLS
    does: str = ""
    """What the server does, in a few words; empty where its last line says it all."""
    then: Action = silence
    later: Action | None = None
    """What the server does to whoever comes after the leg, where that is something else."""
    reply: str | None = None
    """What the report must show as the server's words, where that matters."""
    shakes_hands: bool = True
    """False for a server that, under implicit TLS, does something else at once."""
    certificate: str = "good"
    """Which of the authority's contexts the server shows."""
    unbelieved: str = ""
    """A word that was said in clear: the report may not hold it for the server's, nor act on it."""
    messages: int = 3
    """What the report of a good leg says is in the mailbox."""
    step: int | None = None
    """At which step of the plan it fails, where its stage is there more than once."""
    group: str = ""
    """Scenarios of one group are one row of the document."""

    @property
    def id(self) -> str:
        return f"{self.protocol}-{self.name}"

    @property
    def row(self) -> tuple[Protocol, str]:
        return self.protocol, self.group or self.name

    @property
    def script(self) -> list[Turn]:
        """The turns, with the handshake that an account with implicit TLS begins with."""
        if self.way.security is Security.IMPLICIT_TLS and self.shakes_hands:
            return [Turn(Stage.TLS, None, None), *self.turns]
        return list(self.turns)

    @property
    def hears_login(self) -> bool:
        return any(turn.stage is Stage.AUTH for turn in self.turns)

    @property
    def what(self) -> str:
        """`does`, or the last thing that the server says and what it answers by it."""
        if self.does:
            return self.does
        last = self.turns[-1]
        said = clean((last.says or b"").strip().replace(b"\r\n", b" / ").decode("utf-8", "backslashreplace"), 72)
        answers = f"answers {last.hears.strip()}" if last.hears else "answers the client"
        return f"{'greets' if last.hears is None else answers}: `{said}`"


def trusting(way: Way, policy: CertificatePolicy) -> Way:
    """`way` with `policy`, unless it has one of its own."""
    return replace(way, certificate=policy) if way.certificate == CertificatePolicy() else way


def asking(method: AuthMethod, way: Way = TLS) -> Way:
    """`way` for an account that chooses its login method."""
    return replace(way, login=Login(method=method))
