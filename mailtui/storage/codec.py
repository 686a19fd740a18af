"""Dataclasses to JSON documents and back, read from their annotations: a new field needs no code here."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_TEXTS = tuple[str, ...]


def to_document(value: Any) -> Any:
    """`value` (dataclass, enum, scalar, time, tuple of str, None) as plain JSON data, every field written out.

    Defaults too: a stored account must not change when a default does.
    """
    if is_dataclass(value):
        return {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, Enum) else value


def from_document(kind: type[T], data: Any) -> T:
    """Build a `kind` from what `to_document` made; a missing field takes its default.

    Raises ValueError, TypeError or KeyError for data that is not of that shape.
    """
    made = _reader(cast(Any, kind))(data)
    assert isinstance(made, kind)
    return made


def shape(kind: Any) -> str:
    """The stored form of `kind` in one line: its fields, their types and so on inwards. Changes when they do."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return "{" + ", ".join(f"{field.name}: {shape(hints[field.name])}" for field in fields(kind)) + "}"
    if get_origin(kind) is UnionType:
        return " | ".join(shape(part) for part in get_args(kind))
    if kind == _TEXTS:
        return "[str]"
    if issubclass(kind, Enum):
        return "/".join(str(member.value) for member in kind)
    return str(kind.__name__)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    if get_origin(kind) is UnionType:
        return _optional(kind)
    if kind == _TEXTS:
        return _texts
    if is_dataclass(kind):
        return _dataclass(kind)
    if issubclass(kind, Enum):
        return lambda data: kind(data)
    if kind is datetime:
        return datetime.fromisoformat
    if kind in (str, int, bool):
        return _scalar(kind)
    raise TypeError(f"{kind} has no stored form")


def _optional(kind: Any) -> Callable[[Any], Any]:
    parts = [part for part in get_args(kind) if part is not NoneType]
    if len(parts) != 1:
        raise TypeError(f"{kind} has no stored form")
    read = _reader(parts[0])
    return lambda data: None if data is None else read(data)


def _texts(data: Any) -> tuple[str, ...]:
    if type(data) is not list or any(type(text) is not str for text in data):
        raise TypeError("something else where a list of str belongs")
    return tuple(data)


def _scalar(kind: type) -> Callable[[Any], Any]:
    def read(data: Any) -> Any:
        if type(data) is not kind:
            raise TypeError(f"{type(data).__name__} where {kind.__name__} belongs")
        return data

    return read


def _dataclass(kind: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(data: Any) -> Any:
        if type(data) is not dict:
            raise TypeError(f"{type(data).__name__} where {kind.__name__} belongs")
        return kind(**{name: readers[name](content) for name, content in data.items()})

    return read
