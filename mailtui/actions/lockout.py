"""Logins that do not lock anybody out: a refused one is not repeated while nothing has changed.

A mark of a refused login holds 16 bits of its secret, by scrypt (RFC 7914) with a random salt: enough to see that the
secret has changed, and no help to whoever guesses it, for one of 65,536 wrong guesses fits as well.
"""

import asyncio
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field

from mailtui.model.account import Endpoint
from mailtui.model.check import Cause, utc_now
from mailtui.model.watch import RefusedLogin, shown_time
from mailtui.offloop import off_loop
from mailtui.protocols.faults import WireError
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.trace import Trace

# 4 MiB and some 10 ms each.
_COST, _BLOCK = 1 << 12, 8
_BITS = 16

# Hundreds of legs may be refused in one moment: their memory must not add up.
_AT_ONCE = threading.Semaphore(2)


async def marked(endpoint: Endpoint, credentials: Credentials, reply: str) -> RefusedLogin:
    """The mark of a login that was just refused with `reply`."""
    salt = secrets.token_hex(16)
    return RefusedLogin(
        host=endpoint.host.lower(),
        port=endpoint.port,
        username=credentials.username,
        method=credentials.method,
        at=utc_now(),
        salt=salt,
        fingerprint=await off_loop(lambda: _fingerprint(credentials.secret, salt)),
        reply=reply,
    )


async def has_same_secret(mark: RefusedLogin, credentials: Credentials) -> bool:
    """Whether the secret of `credentials` is, as far as can be told, the one that was refused."""
    own = await off_loop(lambda: _fingerprint(credentials.secret, mark.salt))
    return hmac.compare_digest(own, mark.fingerprint)


def _fingerprint(secret: str, salt: str) -> str:
    with _AT_ONCE:
        derived = hashlib.scrypt(
            secret.encode("utf-8", "surrogatepass"), salt=salt.encode(), n=_COST, r=_BLOCK, p=1, dklen=_BITS // 8
        )
    return derived.hex()


def held(mark: RefusedLogin) -> WireError:
    """The error for a login that is not tried again."""
    return WireError(
        Cause.LOGIN_HELD,
        f"no login was tried: the server refused this one on {shown_time(mark.at)}, and nothing has changed since;"
        " correct the password, or insist",
        mark.reply,
    )


class Logins:
    """The logins of one run. Of several legs that share the very same one, one at a time tries it.

    They are told apart by host, port, username, method and secret, so that a wrong password that twenty accounts share
    costs one refused login, not twenty.
    """

    def __init__(self) -> None:
        self._verdicts: dict[tuple[str, int, Credentials], _Verdict] = {}

    def attempt(self, endpoint: Endpoint, credentials: Credentials) -> "Attempt":
        """One leg's attempt to log in."""
        key = (endpoint.host.lower(), endpoint.port, credentials)
        return Attempt(self._verdicts.setdefault(key, _Verdict()))


@dataclass(slots=True)
class _Verdict:
    """What became of one login in this run."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_good: bool = False
    refused: RefusedLogin | None = None


class Attempt:
    """One leg's attempt: `begin` right before the login; then `succeeded` or `was_refused`; `end` in any case."""

    def __init__(self, verdict: _Verdict) -> None:
        self._verdict = verdict
        self._has_turn = False

    async def begin(self, trace: Trace) -> None:
        """Wait until no other leg is trying the same login. Raises WireError if it was refused meanwhile.

        The wait takes nothing from the time that the login itself may take, and ends before the leg's time does.
        """
        if not self._verdict.is_good:
            await self._take_turn(trace)
        if self._verdict.refused is not None:
            raise held(self._verdict.refused)
        if self._verdict.is_good:
            self.end()

    async def _take_turn(self, trace: Trace) -> None:
        trace.watch.begin(trace.leg_timeout)
        try:
            async with asyncio.timeout(trace.watch.remaining() / 2):
                await self._verdict.turn.acquire()
        except TimeoutError:
            raise WireError(
                Cause.SILENT,
                "no login was tried: another check makes the very same one, and the server has not answered it yet",
            ) from None
        self._has_turn = True
        trace.watch.begin(trace.stage_timeout)

    def succeeded(self) -> None:
        """The server took the login."""
        self._verdict.is_good = True
        self.end()

    def was_refused(self, mark: RefusedLogin) -> None:
        """The server refused the login."""
        self._verdict.refused = mark
        self.end()

    def end(self) -> None:
        """Let the next leg try, whether or not there is a verdict."""
        if self._has_turn:
            self._has_turn = False
            self._verdict.turn.release()
