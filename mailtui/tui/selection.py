"""Which rows of a list are selected: by name, so that filters and sorting change nothing. Pure."""

from collections.abc import Collection, Sequence


class Selection:
    """Selected names. Extending goes from an anchor, so that going back takes back."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._anchor: str | None = None
        self._before: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> frozenset[str]:
        """All that are selected, shown or not."""
        return frozenset(self._names)

    def toggle(self, name: str) -> None:
        """Select `name`, or no more."""
        self._anchor = None
        self._names ^= {name}

    def extend(self, shown: Sequence[str], start: str, end: str) -> None:
        """Select from the anchor, which is `start` unless extending goes on, to `end` in the order of `shown`."""
        if self._anchor not in shown:
            self._anchor = None
        if self._anchor is None:
            self._anchor, self._before = start, frozenset(self._names)
        first, last = sorted((shown.index(self._anchor), shown.index(end)))
        self._names = {*self._before, *shown[first : last + 1]}

    def toggle_all(self, shown: Collection[str]) -> None:
        """Select all of `shown`; when they are all selected already, none of them."""
        self._anchor = None
        if self._names.issuperset(shown):
            self._names.difference_update(shown)
        else:
            self._names.update(shown)

    def settle(self) -> None:
        """The cursor went elsewhere: the next extending begins there."""
        self._anchor = None

    def clear(self) -> None:
        """Select nothing."""
        self._anchor = None
        self._names.clear()

    def keep(self, known: Collection[str]) -> None:
        """Forget what is not in `known`."""
        self._names.intersection_update(known)
