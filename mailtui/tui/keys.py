"""The keys: what can be done where, on which keys, and how a person's own keys take the place of ours."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Any

from textual.actions import parse
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import REPLACED_KEYS, Keys, key_to_character
from textual.screen import ModalScreen, Screen

from mailtui.model.text import clean
from mailtui.storage.settings import Settings

_ALIASES = {
    "esc": "escape",
    "del": "delete",
    "ins": "insert",
    "return": "enter",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "ctrl+i": "tab",
    "ctrl+m": "enter",
    "ctrl+left_square_bracket": "escape",
}
"""Other names of keys, and keys that a terminal cannot tell from others."""

_MODIFIERS = ("ctrl", "alt", "shift", "super", "hyper", "meta")
_NAMES = {" ": "space", "-": "minus", "+": "plus", "/": "slash", "\\": "backslash", "@": "at", "_": "underscore"}
_KNOWN = frozenset((*(known.value for known in Keys), *REPLACED_KEYS))
_PACKAGES = ("mailtui.tui.screens", "mailtui.tui.widgets")


def key_name(written: str) -> str | None:
    """The name by which Textual knows the key that a person wrote, None if there is no such key."""
    written = written.strip()
    if written.startswith("^") and len(written) > 1:
        written = f"ctrl+{written[1:]}"
    *modifiers, key = written.split("+") if len(written) > 1 else [written]
    modifiers = [modifier.strip().lower() for modifier in modifiers]
    key = key.strip() if key.strip() else key
    if len(key) > 1 or modifiers:
        key = key.lower()
    key = _ALIASES.get(key, key)
    if len(key) == 1 and not key.isalnum():
        key = _named(key)
    if not key or any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    if key not in _KNOWN and key_to_character(key) is None:
        return None
    if modifiers == ["shift"] and len(key) == 1:
        # What a terminal sends for shift and a letter is the capital letter.
        return key.upper()
    name = "+".join([*(modifier for modifier in _MODIFIERS if modifier in modifiers), key])
    return _ALIASES.get(name, name)


def _named(character: str) -> str:
    import unicodedata

    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(character, name)


def key_names(written: str) -> tuple[list[str], list[str]]:
    """The keys of a list with commas, and those words of it that are none."""
    names: list[str] = []
    unknown: list[str] = []
    for word in written.split(","):
        name = key_name(word)
        if name is None:
            unknown.append(word.strip())
        elif name not in names:
            names.append(name)
    return names, unknown


@cache
def actions_of_kind(kind: type[DOMNode]) -> dict[str, Binding]:
    """The bindings with an id that nodes of this class have, by id; `key` lists all of their keys."""
    found: dict[str, Binding] = {}
    for base in kind.__mro__:
        for binding in vars(base).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                keys, _ = key_names(binding.key)
                found.setdefault(binding.id, replace(binding, key=",".join(keys)))
    return found


@cache
def kinds() -> tuple[type[DOMNode], ...]:
    """Every class of ours that has keys. Loads all screens: for those who want to know, not for every start."""
    from mailtui.tui.app import MailtuiApp

    modules = [
        importlib.import_module(found.name)
        for package in _PACKAGES
        for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
    ]
    classes: list[type[DOMNode]] = [MailtuiApp]
    classes += [
        value
        for module in modules
        for value in list(vars(module).values())
        if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.__name__
    ]
    return tuple(kind for kind in classes if actions_of_kind(kind))


def catalogue() -> dict[str, Binding]:
    """Every action that has an id, by it."""
    found: dict[str, Binding] = {}
    for kind in kinds():
        for identity, binding in actions_of_kind(kind).items():
            found.setdefault(identity, binding)
    return found


@dataclass(frozen=True, slots=True)
class Keymap:
    """The wishes that can be met, as Textual takes them, and a line for each that cannot."""

    keys: Mapping[str, str]
    problems: tuple[str, ...] = ()


def keymap_of(settings: Settings) -> Keymap:
    """The keys of `settings`, without those that do not exist, and without two actions on one key."""
    if not settings.keys:
        return Keymap({})
    known = catalogue()
    problems: list[str] = []
    wishes: dict[str, str] = {}
    for identity, written in settings.keys.items():
        where = f"{settings.place(f'keys.{identity}')}: {clean(identity, 60)}"
        names, unknown = key_names(written)
        if identity not in known:
            problems.append(f"{where}: there is no such action{_like(identity, known)} docs/keys.md lists them all.")
        elif unknown:
            problems.append(f'{where}: {clean(unknown[0], 40)!r} is no key; write keys as "f2", "ctrl+t" or "?".')
        else:
            wishes[identity] = ",".join(names)
    while (clash := _first_clash(known, wishes)) is not None:
        refused, other, key = clash
        del wishes[refused]
        problems.append(
            f"{settings.place(f'keys.{refused}')}: {refused}: {key} is the key of {other} already; "
            "give one of them another."
        )
    return Keymap(_with_siblings(wishes), tuple(problems))


def _with_siblings(wishes: dict[str, str]) -> dict[str, str]:
    """The wishes, and the usual keys of what shares a key with them: Textual would take that key away from all."""
    complete = dict(wishes)
    for kind in kinds():
        actions = actions_of_kind(kind)
        for identity in wishes.keys() & actions.keys():
            mine = set(actions[identity].key.split(","))
            for other, binding in actions.items():
                if mine & set(binding.key.split(",")):
                    complete.setdefault(other, binding.key)
    return complete


def _like(identity: str, known: Mapping[str, Binding]) -> str:
    close = difflib.get_close_matches(identity, known, 1)
    return f"; did you mean {close[0]}?" if close else ";"


def _first_clash(known: Mapping[str, Binding], wishes: Mapping[str, str]) -> tuple[str, str, str] | None:
    """A wish that cannot be met, the action that has its key, and the key; the last written gives way."""
    order = list(wishes)
    for one, other in _together():
        mine, theirs = known[one].key, known[other].key
        shared = set(wishes.get(one, mine).split(",")) & set(wishes.get(other, theirs).split(","))
        # Some keys mean one thing in a widget and another in the screen around it.
        shared -= set(mine.split(",")) & set(theirs.split(","))
        if shared and (one in wishes or other in wishes):
            refused, stays = sorted((one, other), key=lambda name: order.index(name) if name in wishes else -1)[::-1]
            return refused, stays, min(shared)
    return None


@cache
def _together() -> tuple[tuple[str, str], ...]:
    """The pairs of actions whose keys are in force at the same time: of one class, or of a screen and what is in it."""
    from mailtui.tui.app import MailtuiApp

    pairs: dict[tuple[str, str], None] = {}
    for screen in kinds():
        if not issubclass(screen, Screen):
            continue
        module = vars(importlib.import_module(screen.__module__))
        inside = [kind for kind in kinds() if module.get(kind.__name__) is kind and not issubclass(kind, Screen)]
        around = [screen] if issubclass(screen, ModalScreen) else [screen, MailtuiApp]
        for widget in (None, *inside):
            chain = [kind for kind in (widget, *around) if kind is not None]
            for pair in combinations(dict.fromkeys(name for kind in chain for name in actions_of_kind(kind)), 2):
                pairs.setdefault(pair)
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done now on a node: by its `keys`, the best first, or by running `call`."""

    binding: Binding
    node: DOMNode
    keys: tuple[str, ...]
    ready: bool
    """False when it is offered, but cannot be done now."""

    @property
    def name(self) -> str:
        """A word or two."""
        return self.binding.description

    @property
    def what(self) -> str:
        """What it does, in a sentence without its stop."""
        return self.binding.tooltip or self.binding.description


def actions_on(screen: Screen[Any], keymap: Mapping[str, str]) -> list[Action]:
    """What can be done on `screen` as it is: by the focused widget first, then by the screen, then by the app."""
    focused = screen.focused
    found: list[Action] = []
    seen: set[str] = set()
    taken: set[str] = set()
    for node, below in _chain(screen):
        for identity, binding in actions_of_kind(type(node)).items():
            if identity in seen or not binding.description or (below and not binding.priority):
                continue
            if (possible := _possible(binding, node)) is False:
                continue
            seen.add(identity)
            keys = [
                key
                for key in keymap.get(identity, binding.key).split(",")
                if binding.priority or not (key in taken or _typed(focused, node, key))
            ]
            taken.update(keys)
            found.append(Action(binding, node, tuple(keys), bool(possible)))
    return found


def _chain(screen: Screen[Any]) -> Iterator[tuple[DOMNode, bool]]:
    """The nodes whose keys are in force, the nearest first, and whether a dialog lies between: only the keys that go
    before all others work then."""
    nodes: Sequence[DOMNode] = (
        screen.focused.ancestors_with_self if screen.focused is not None else (screen, screen.app)
    )
    below = False
    for node in nodes:
        yield node, below
        below = below or node.is_modal


def _typed(focused: DOMNode | None, node: DOMNode, key: str) -> bool:
    """Whether the focused widget takes the key as text."""
    return focused is not None and node is not focused and focused.check_consume_key(key, key_to_character(key))


def _possible(binding: Binding, node: DOMNode) -> bool | None:
    namespace, name, parameters = parse(binding.action)
    target: DOMNode = {"app": node.app, "screen": node.screen}.get(namespace, node)
    return target.check_action(name, parameters)


def shown(keys: Iterable[str], binding: Binding, app: Any) -> list[str]:
    """The keys as the footer writes them."""
    return [app.get_key_display(binding.with_key(key)) for key in keys]
