"""The head of an account's details: who it is, and what there is to know of it beyond its servers."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mailtui.model.account import Account
from mailtui.model.check import CheckReport
from mailtui.model.text import clean, pad, shorten, width
from mailtui.storage.history import verifies
from mailtui.tui.ladder_lines import Line
from mailtui.tui.words import Role, age

_GAP = 2


def verified(account: Account, history: Iterable[CheckReport]) -> Account:
    """`account` as the store will have it once it knows all of `history`: with the time when it was last proven."""
    proofs = [one.started for one in history if verifies(one, account.retrieval is not None)]
    if account.last_verified is not None:
        proofs.append(account.last_verified)
    return replace(account, last_verified=max(proofs, default=None))


def title_line(account: Account, now: datetime, columns: int) -> Line:
    """Name and address, whether it is off, and at the right when it was last proven to work."""
    name, email = clean(account.name), clean(account.email)
    off = "" if account.active else "  off"
    proven = f"verified {age(account.last_verified, now)} " if account.last_verified is not None else ""
    room = columns - 2 - width(off)
    if width(name) + _GAP + width(email) + _GAP + width(proven) > room:
        proven = ""
    if width(name) + _GAP + width(email) > room:
        # Both keep at least a half; what one does not need the other gets.
        half = (room - _GAP) // 2
        share = max(half, room - _GAP - width(email))
        name = shorten(name, share)
        email = shorten(email, room - _GAP - width(name))
    told = f" {name}", f"{' ' * _GAP}{email}", off
    gap = columns - sum(map(width, told)) - width(proven)
    return (
        (told[0], Role.STRONG),
        (told[1], Role.PLAIN),
        (told[2], Role.WARNING),
        (" " * max(gap, 0) + proven, Role.DIM),
    )


def fact_lines(account: Account, now: datetime, columns: int) -> list[Line]:
    """One line of facts, and one of notes where there are any."""
    facts = [clean(account.type)] if account.type else []
    if account.display_name:
        facts.append(f"sends as {clean(account.display_name)}")
    facts += [
        f"{word} {age(moment, now)}"
        for word, moment in (("created", account.created), ("updated", account.updated))
        if moment is not None
    ]
    if account.last_verified is None:
        facts.append("never verified")
    lines: list[Line] = [((pad(" " + " · ".join(facts), columns), Role.DIM),)]
    if account.notes.strip():
        notes = clean(" ".join(account.notes.split()))
        lines.append(((" Notes: ", Role.DIM), (shorten(notes, columns - 9), Role.PLAIN)))
    return lines
