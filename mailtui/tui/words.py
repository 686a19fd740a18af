"""How the screens say things: stage names, marks, times and ages. Pure text, no widgets."""

from datetime import datetime
from enum import Enum

from mailtui.model.check import Leg, Stage
from mailtui.model.text import cut, width

STAGE_NAMES = {
    Stage.RESOLVE: "Resolve",
    Stage.CONNECT: "Connect",
    Stage.TLS: "TLS",
    Stage.GREETING: "Greeting",
    Stage.CAPABILITIES: "Capabilities",
    Stage.STARTTLS: "STARTTLS",
    Stage.AUTH: "Login",
    Stage.MAILBOX: "Mailbox",
    Stage.ENVELOPE: "Envelope",
    Stage.TRANSFER: "Transfer",
    Stage.QUIT: "Quit",
}
STAGE_COLUMNS = max(len(name) for name in STAGE_NAMES.values())
LEG_NAMES = {Leg.OUTBOUND: "Outbound", Leg.INBOUND: "Inbound"}


class Role(Enum):
    """What a piece of text is for; each widget knows its colour. The shape of a mark says the same without colour."""

    PLAIN = "plain"
    STRONG = "strong"
    DIM = "dim"
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    BUSY = "busy"


class Mark(Enum):
    """The state of a leg or of a stage."""

    ABSENT = ("–", Role.DIM, "none")
    UNCHECKED = ("○", Role.DIM, "not checked")
    QUEUED = ("◌", Role.BUSY, "waiting its turn")
    BEGUN = ("◔", Role.BUSY, "running")
    HALFWAY = ("◑", Role.BUSY, "running")
    NEARLY = ("◕", Role.BUSY, "running")
    OK = ("✓", Role.OK, "good")
    WARNING = ("▲", Role.WARNING, "good, with a warning")
    FAILED = ("✗", Role.FAILED, "failed")
    SKIPPED = ("·", Role.DIM, "skipped")

    def __init__(self, glyph: str, role: Role, meaning: str) -> None:
        self.glyph = glyph
        self.role = role
        self.meaning = meaning

    @classmethod
    def of_progress(cls, done: int, planned: int) -> "Mark":
        """The filling circle of a leg that has `done` of its `planned` stages behind it."""
        if done * 3 < planned:
            return cls.BEGUN
        return cls.HALFWAY if done * 3 < planned * 2 else cls.NEARLY


def duration(ms: float) -> str:
    """`ms` in at most seven columns."""
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.1f} s"


def age(then: datetime | None, now: datetime) -> str:
    """How long ago, in at most eleven columns; a date when that says more."""
    if then is None:
        return "never"
    seconds = int((now - then).total_seconds())
    if seconds < 5:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3_600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3_600} h ago"
    if seconds < 14 * 86_400:
        days = seconds // 86_400
        return f"{days} day{'s' if days > 1 else ''} ago"
    return f"{then:%Y-%m-%d}"


def days_left(days: int) -> str:
    """A certificate's remaining life in words."""
    if days < 0:
        return f"ended {-days} day{'s' if days < -1 else ''} ago"
    return "ends today" if days == 0 else f"{days} day{'s' if days != 1 else ''} left"


def wrap(text: str, columns: int) -> list[str]:
    """Break `text` at spaces into lines of at most `columns` terminal columns; longer words are cut."""
    columns = max(columns, 2)
    lines: list[str] = []
    line, used = "", 0
    for word in text.split():
        taken = width(word)
        if line and used + 1 + taken > columns:
            lines.append(line)
            line, used = "", 0
        while taken > columns:
            if line:
                lines.append(line)
                line, used = "", 0
            head = cut(word, columns)
            lines.append(head)
            word = word[len(head) :]
            # Not measured anew: a word may be thousands of characters long.
            taken -= width(head)
        line, used = (f"{line} {word}", used + 1 + taken) if line else (word, taken)
    if line:
        lines.append(line)
    return lines
