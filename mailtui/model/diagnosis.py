"""What is wrong with a leg and what to do, in words for a person, and what of it mailtui can do itself."""

from dataclasses import dataclass

from mailtui.model.account import Endpoint, Protocol
from mailtui.model.check import Leg

UNKNOWN = "unknown"
"""The rule of a failure that no rule knows: the server's words are all there is to say."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A change to one leg of an account that mailtui can make: its protocol and server as they should be.

    One that `needs_consent` trusts a key that nobody vouches for: a person compares the fingerprint first.
    """

    leg: Leg
    protocol: Protocol
    endpoint: Endpoint
    words: str
    """What it does, in a few words: "use port 993 with SSL/TLS"."""
    needs_consent: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a leg failed, or warns. `rule` is stable: scripts read it. All texts are one line, ours, without markup."""

    rule: str
    cause: str
    """What is wrong, in one short sentence; empty where the rule is UNKNOWN."""
    explanation: str
    fix: str
    """What the person changes, in the imperative."""
    url: str = ""
    """The provider's own page about it."""
    change: Fix | None = None
