"""The product's own protocols: data files beside this module, read once and validated whole."""
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from clinic.care.documents import DocumentFaults, Fault, read_document
from clinic.care.evidence import Source
from clinic.care.parts import DEVICE_TYPES, QUALIFICATIONS, ROOM_FEATURES, ResourceKind
from clinic.care.protocols import Protocol

TRANSLATED = ("de",)
"""The languages, besides English, in which the library's texts for patients are there."""
_ORDER = "catalogue.json"
_SOURCES = "sources.json"
_SKILLS: Mapping[ResourceKind, Mapping[str, str]] = {
    ResourceKind.PRACTITIONER: QUALIFICATIONS,
    ResourceKind.ROOM: ROOM_FEATURES,
    ResourceKind.DEVICE: DEVICE_TYPES,
}


@dataclass(frozen=True, slots=True)
class _Register:
    sources: tuple[Source, ...]


def library_documents() -> tuple[dict[str, Any], ...]:
    """The documents of the library in the order of the catalogue, each with the sources that it cites.

    This module is the one place of the pure rooms that reads anything. What it reads is part of the program, as
    constants are: it never changes while the program runs, and belongs beside the code that gives it meaning.
    """
    register = {source["code"]: source for source in cast(list[dict[str, Any]], _parsed(_SOURCES))}
    names = cast(list[str], _parsed(_ORDER))
    return tuple(_with_sources(cast(dict[str, Any], _parsed(f"{name}.json")), register) for name in names)


def load_catalogue(documents: Sequence[object] | None = None) -> tuple[Protocol, ...]:
    """The protocols of the documents, or of the library; raises DocumentFaults with every fault of all of them."""
    return _library() if documents is None else _read(documents)


@cache
def _library() -> tuple[Protocol, ...]:
    return _read(library_documents())


def _read(given: Sequence[object]) -> tuple[Protocol, ...]:
    faults: list[Fault] = []
    protocols: list[Protocol] = []
    for index, document in enumerate(given):
        try:
            protocols.append(Protocol.from_document(document))
        except DocumentFaults as error:
            faults += [Fault(f"{_name(document, index)}.{fault.place}", fault.text) for fault in error.faults]
    faults += _disagreements(protocols)
    if faults:
        raise DocumentFaults(faults)
    return tuple(protocols)


def source_register() -> tuple[Source, ...]:
    """Every source that the library knows, cited or not."""
    return read_document(_Register, {"sources": _parsed(_SOURCES)}).sources


def library_translation(language: str) -> Mapping[str, Mapping[str, str]]:
    """The library's texts for patients in that language: for each place the English text and how it is said there."""
    if language not in TRANSLATED:
        return {}
    return cast(dict[str, dict[str, str]], _parsed(f"translations/{language}.json"))


def _parsed(name: str) -> object:
    return json.loads(files("clinic.care").joinpath("library", name).read_text(encoding="utf-8"))


def _with_sources(document: dict[str, Any], register: Mapping[str, object]) -> dict[str, Any]:
    """A stored version must explain itself for ever, so it carries its sources; the files keep them in one place."""
    cited = sorted(_cited(document))
    return document | {"sources": [register[code] for code in cited if code in register]}


def _cited(value: object) -> set[str]:
    if isinstance(value, list):
        return {code for each in value for code in _cited(each)}
    if isinstance(value, dict):
        own = value["evidence"].get("sources", ()) if isinstance(value.get("evidence"), dict) else ()
        return set(own) | {code for each in value.values() for code in _cited(each)}
    return set()


def _name(document: object, index: int) -> str:
    code = document.get("code") if isinstance(document, dict) else None
    return code if isinstance(code, str) else f"[{index}]"


def _disagreements(protocols: Sequence[Protocol]) -> list[Fault]:
    """What is wrong between protocols: a code is one protocol's, and a treatment is the same wherever it is given."""
    faults: list[Fault] = []
    codes: set[str] = set()
    seen: dict[str, tuple[object, str]] = {}
    for protocol in protocols:
        if protocol.code in codes:
            faults.append(Fault(f"{protocol.code}.code", "is the code of another protocol"))
        codes.add(protocol.code)
        for treatment in protocol.treatments:
            first, where = seen.setdefault(treatment.code, (treatment, protocol.code))
            if treatment != first:
                faults.append(Fault(f"{protocol.code}.treatments", f"{treatment.code} differs from that of {where}"))
        faults += _unknown_skills(protocol)
    return faults


def _unknown_skills(protocol: Protocol) -> list[Fault]:
    return [
        Fault(f"{protocol.code}.treatments", f"{skill} is not a known skill of a {hold.kind.value}")
        for treatment in protocol.treatments for part in treatment.parts for hold in part.holds
        for skill in hold.skills if skill not in _SKILLS[hold.kind]
    ]
