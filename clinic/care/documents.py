"""Values as JSON documents: every dataclass of the library is read and written by its own fields."""
from __future__ import annotations

import types
import typing
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a document, and where in it."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class DocumentFaults(ValueError):
    """A document says something that cannot be; `faults` names all of it, each by its place."""

    def __init__(self, faults: typing.Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


def read_document(kind: type[_T], document: object) -> _T:
    """The value of `kind` that a parsed JSON document describes; raises DocumentFaults with every fault in it."""
    faults: list[Fault] = []
    value = _read(kind, document, "", faults)
    if faults:
        raise DocumentFaults(faults)
    return typing.cast(_T, value)


def write_document(value: object) -> Any:
    """What JSON can hold of a value; fields that stand at their default are left out."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [write_document(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: (field, getattr(value, field.name)) for field in fields(value)}
        return {name: write_document(each) for name, (field, each) in held.items() if not _at_default(field, each)}
    return value


def _at_default(field: Field[Any], value: object) -> bool:
    return field.default is not MISSING and value == field.default


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, value: object, place: str, faults: list[Fault]) -> object:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(each for each in typing.get_args(kind) if each is not type(None))
        return None if value is None else _read(inner, value, place, faults)
    if origin is tuple:
        return _read_list(typing.get_args(kind)[0], value, place, faults)
    if is_dataclass(kind):
        return _read_object(typing.cast(type, kind), value, place, faults)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _read_choice(kind, value, place, faults)
    return _read_plain(kind, value, place, faults)


def _read_list(kind: Any, value: object, place: str, faults: list[Fault]) -> object:
    if not isinstance(value, list):
        return _fault(faults, place, "must be a list")
    return tuple(_read(kind, each, f"{place}[{index}]", faults) for index, each in enumerate(value))


def _read_choice(kind: type[StrEnum], value: object, place: str, faults: list[Fault]) -> object:
    choices = {each.value: each for each in kind}
    if not isinstance(value, str) or value not in choices:
        return _fault(faults, place, f"must be one of {', '.join(choices)}")
    return choices[value]


def _read_plain(kind: Any, value: object, place: str, faults: list[Fault]) -> object:
    words = {str: "text", int: "a whole number", bool: "true or false"}
    if type(value) is not kind:
        return _fault(faults, place, f"must be {words[kind]}")
    return value


def _read_object(kind: type, value: object, place: str, faults: list[Fault]) -> object:
    if not isinstance(value, dict):
        return _fault(faults, place, "must be an object")
    before = len(faults)
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            _fault(faults, _join(place, str(name)), "is not known here")
    held = {name: _read_field(kind, field, value, place, faults) for name, field in known.items()}
    if len(faults) > before:
        return None
    try:
        return kind(**held)
    except DocumentFaults as error:
        faults.extend(Fault(_join(place, fault.place), fault.text) for fault in error.faults)
    except ValueError as error:
        _fault(faults, place, str(error))
    return None


def _read_field(kind: type, field: Field[Any], value: dict[str, object], place: str, faults: list[Fault]) -> object:
    where = _join(place, field.name)
    if field.name not in value:
        return _fault(faults, where, "is missing") if field.default is MISSING else field.default
    given = value[field.name]
    if isinstance(given, str) and not given.strip() and field.default is MISSING:
        return _fault(faults, where, "must not be blank")
    return _read(_hints(kind)[field.name], given, where, faults)


def _fault(faults: list[Fault], place: str, text: str) -> object:
    """Stands in for the value that could not be read."""
    faults.append(Fault(place, text))
    return None


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place and name and not name.startswith("[") else place + name
