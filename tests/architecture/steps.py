"""How many steps a backtracking matcher takes: a small one over the standard library's own parse of a pattern.

Times prove nothing on a busy machine; steps do, and they are the same everywhere. It tries what `sre` tries, in the
same order and without its short cuts, so it never takes fewer.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

_parser: Any = re._parser  # type: ignore[attr-defined]  # private, and the only parser of the real dialect

Then = Callable[[int], int | None]
"""What follows at a position; the position where all has matched, or None."""


class TooMany(Exception):
    """The matcher has taken more steps than it may."""


class Counter:
    """Counts the steps of one pattern on one text."""

    def __init__(self, pattern: str, flags: int, text: str, limit: int = 400_000) -> None:
        self._tree = _parser.parse(pattern, flags)
        self._flags = self._tree.state.flags
        self._text, self._limit, self.steps = text, limit, 0

    def everywhere(self) -> int:
        """The steps of `finditer`: one match after the other, each tried at every position."""
        at = 0
        while at <= len(self._text):
            end = self._match(list(self._tree), at, lambda end: end)
            at = at + 1 if end is None or end == at else end
        return self.steps

    def at_the_start(self) -> int:
        """The steps of `match`."""
        self._match(list(self._tree), 0, lambda end: end)
        return self.steps

    def _match(self, nodes: list[Any], at: int, then: Then) -> int | None:
        self.steps += 1
        if self.steps > self._limit:
            raise TooMany
        if not nodes:
            return then(at)
        (kind, value), rest = nodes[0], nodes[1:]

        def go_on(end: int) -> int | None:
            return self._match(rest, end, then)

        match str(kind):
            case "LITERAL" | "NOT_LITERAL" | "IN" | "ANY":
                fits = at < len(self._text) and holds(kind, value, self._text[at], self._flags)
                return go_on(at + 1) if fits else None
            case "BRANCH":
                for branch in value[1]:
                    if (end := self._match(list(branch), at, go_on)) is not None:
                        return end
                return None
            case "SUBPATTERN":
                return self._match(list(value[3]), at, go_on)
            case "ATOMIC_GROUP":
                end = self._match(list(value), at, lambda end: end)
                return None if end is None else go_on(end)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, body = value
                if str(kind) == "POSSESSIVE_REPEAT":
                    end = self._repeat(list(body), low, high, at, lambda end: end, True)
                    return None if end is None else go_on(end)
                return self._repeat(list(body), low, high, at, go_on, str(kind) == "MAX_REPEAT")
            case "ASSERT" | "ASSERT_NOT":
                direction, body = value
                begin = at if direction > 0 else at - body.getwidth()[0]
                found = None if begin < 0 else self._match(list(body), begin, lambda end: end)
                return go_on(at) if (found is not None) is (str(kind) == "ASSERT") else None
            case "AT":
                return go_on(at) if self._is_at(str(value), at) else None
        raise NotImplementedError(f"{kind}: teach this matcher, or write the pattern without it")

    def _repeat(self, body: list[Any], low: int, high: int, at: int, then: Then, greedy: bool) -> int | None:
        def once_more() -> int | None:
            if high <= 0:
                return None

            def again(end: int) -> int | None:
                # What matches nothing would match it for ever.
                return None if end == at and low <= 0 else self._repeat(body, low - 1, high - 1, end, then, greedy)

            return self._match(body, at, again)

        if low > 0:
            return once_more()
        if greedy:
            end = once_more()
            return then(at) if end is None else end
        end = then(at)
        return once_more() if end is None else end

    def _is_at(self, where: str, at: int) -> bool:
        text = self._text
        if where.startswith("AT_BEGINNING"):
            multiline = self._flags & re.MULTILINE and where == "AT_BEGINNING"
            return at == 0 or bool(multiline and text[at - 1] == "\n")
        if where.startswith("AT_END"):
            return at == len(text) or (where == "AT_END" and at == len(text) - 1 and text[at] == "\n")
        words = [0 <= near < len(text) and (text[near].isalnum() or text[near] == "_") for near in (at - 1, at)]
        return (words[0] is not words[1]) is (where == "AT_BOUNDARY")


_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


def holds(kind: Any, value: Any, character: str, flags: int) -> bool:
    """Whether one item of a parsed pattern takes `character`."""
    cases = {character, character.lower(), character.upper()} if flags & re.IGNORECASE else {character}
    match str(kind):
        case "ANY":
            return character != "\n" or bool(flags & re.DOTALL)
        case "LITERAL":
            return chr(value) in cases
        case "NOT_LITERAL":
            return chr(value) not in cases
        case "RANGE":
            return any(value[0] <= ord(case[0]) <= value[1] for case in cases)
        case "CATEGORY":
            fits = re.fullmatch(_CATEGORIES[str(value).rpartition("_")[2]], character) is not None
            return fits is ("NOT" not in str(value))
        case "IN":
            items = [item for item in value if str(item[0]) != "NEGATE"]
            return any(holds(item[0], item[1], character, flags) for item in items) is (len(items) == len(value))
    raise NotImplementedError(str(kind))


def leaves(nodes: Any) -> Iterator[tuple[Any, Any]]:
    """Every item of a parsed pattern that takes one character."""
    for kind, value in nodes:
        if str(kind) in ("LITERAL", "NOT_LITERAL", "IN", "ANY"):
            yield kind, value
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, _parser.SubPattern):
                yield from leaves(part)
            elif isinstance(part, list):
                for branch in part:
                    if isinstance(branch, _parser.SubPattern):
                        yield from leaves(branch)


_POOL = "aZ_1 \t\"'\\([{<#%:.-=/+,*\n\x7f\u00e9"


def telling_characters(pattern: str, flags: int, limit: int = 6) -> list[str]:
    """Characters that the items of a pattern take, one or two for each kind of item, the most common first."""
    tree = _parser.parse(pattern, flags)
    found: dict[str, int] = {}
    for kind, value in leaves(tree):
        takes = [chr(value)] if str(kind) == "LITERAL" else []
        takes += [one for one in _POOL if holds(kind, value, one, tree.state.flags)][:2]
        for one in takes:
            found[one] = found.get(one, 0) + 1
    return sorted(found, key=lambda one: -found[one])[:limit]


def openings(pattern: str, flags: int) -> list[str]:
    """A text that leads to each repetition without end, and none."""
    tree = _parser.parse(pattern, flags)
    found = [""]

    def sample(nodes: Any) -> str:
        text = ""
        for kind, value in nodes:
            match str(kind):
                case "LITERAL":
                    text += chr(value)
                case "NOT_LITERAL" | "IN" | "ANY":
                    text += next((one for one in _POOL if holds(kind, value, one, tree.state.flags)), "")
                case "BRANCH":
                    text += sample(value[1][0])
                case "SUBPATTERN":
                    text += sample(value[3])
                case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                    if value[1] > 64:
                        found.append(text)
                    text += sample(value[2]) * min(max(value[0], 1), 3)
        return text

    sample(tree)
    return list(dict.fromkeys(found))[:6]
