"""What to say of a name that is not there."""

from collections.abc import Sequence

from mailtui.model.text import clean


def no_such_account(name: str, known: Sequence[str], *, place: str = "", otherwise: str = "") -> str:
    """One line: no account is called `name` in `place`; the `known` names that look like it, or else `otherwise`."""
    # Most runs know every name, and never need it.
    from difflib import get_close_matches

    similar = get_close_matches(name, known, 3, 0.5) or [n for n in known if n.casefold() == name.casefold()]
    meant = f"did you mean {' or '.join(repr(clean(other)) for other in similar)}?" if similar else otherwise
    where = f" in {clean(place)}" if place else ""
    return f"there is no account named {clean(name)!r}{where}" + (f"; {meant}" if meant else "")
