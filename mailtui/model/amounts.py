"""How much and how fast, in words: octets, times, and the pace of something that runs."""

from dataclasses import dataclass

_UNITS = ("KB", "MB", "GB", "TB", "PB")


def octets_words(octets: float) -> str:
    """So many octets in at most six columns, in decimal units."""
    if octets < 999.5:
        return f"{octets:.0f} B"
    for unit in _UNITS:
        octets /= 1_000
        if octets < 9.95:
            return f"{octets:.1f} {unit}"
        if octets < 999.5:
            return f"{octets:.0f} {unit}"
    return "999 PB"


def seconds_words(seconds: float) -> str:
    """A time still to wait in at most six columns."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3_600:
        return f"{seconds / 3_600:.0f} h"
    return f"{min(seconds / 86_400, 999):.0f} d"


def counted(number: int, what: str) -> str:
    """`number` with its noun, which forms its plural by an s."""
    return f"{number} {what}{'s' * (number != 1)}"


@dataclass(frozen=True, slots=True)
class Pace:
    """How far something has come within `seconds`. What is not known in all is 0."""

    messages: int
    messages_in_all: int
    octets: int
    octets_in_all: int
    seconds: float

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1: of the octets where they are known, else of the messages."""
        done, in_all = (
            (self.octets, self.octets_in_all) if self.octets_in_all else (self.messages, self.messages_in_all)
        )
        return min(done / in_all, 1.0) if in_all else 0.0

    @property
    def octets_per_second(self) -> float:
        """0 until that can be told."""
        return self.octets / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """What is still to wait, if it goes on like this; None until that can be told."""
        share = self.share
        return self.seconds * (1 - share) / share if share > 0 and self.seconds >= 1 else None
