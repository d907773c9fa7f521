"""The protocol library as pages show it."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.protocols import Protocol as ProtocolContent
from clinic.store.accounts import Account
from clinic.store.courses import Course
from clinic.store.protocols import Protocol, ProtocolVersion


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """A protocol in the list: its approved version where there is one, else its newest draft."""

    code: str
    name: str
    version: int
    state: str
    has_newer_draft: bool
    mode: str
    lifts: bool
    sessions: str
    interval: str
    is_fully_cited: bool


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version of a protocol."""

    id: int
    number: int
    state: str
    created_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    courses: int


@dataclass(frozen=True, slots=True)
class ProtocolPage:
    """One version of a protocol with its content, and all versions that there are, newest first.

    `consultation` is what the clinic asks for before a course of it.
    """

    content: ProtocolContent
    version: VersionLine
    versions: tuple[VersionLine, ...]
    consultation: str


def protocol_rows(db: Session) -> tuple[ProtocolRow, ...]:
    """Every protocol by name; in one statement."""
    rows = db.execute(
        sa.select(Protocol.code, Protocol.name, ProtocolVersion.number, ProtocolVersion.state,
                  ProtocolVersion.document)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .where(ProtocolVersion.state != "retired")
        .order_by(Protocol.name, Protocol.code, ProtocolVersion.number)
    ).all()
    versions: dict[str, list[Any]] = {}
    for row in rows:
        versions.setdefault(row.code, []).append(row)
    return tuple(_row(each) for each in versions.values())


def protocol_page(db: Session, code: str, number: int | None = None) -> ProtocolPage | None:
    """A protocol at that version; none named: at the approved one, else at its newest."""
    used = sa.select(sa.func.count()).select_from(Course).where(
        Course.protocol_version_id == ProtocolVersion.id).correlate(ProtocolVersion).scalar_subquery()
    rows = db.execute(
        sa.select(ProtocolVersion.id, ProtocolVersion.number, ProtocolVersion.state, ProtocolVersion.created_at,
                  Account.name, ProtocolVersion.approved_at, used, Protocol.consultation)
        .join(Protocol, Protocol.id == ProtocolVersion.protocol_id)
        .outerjoin(Account, Account.id == ProtocolVersion.approved_by)
        .where(Protocol.code == code).order_by(ProtocolVersion.number.desc())
    ).all()
    versions = tuple(VersionLine(*row[:-1]) for row in rows)
    shown = next((each for each in versions if each.number == number), None) if number else _current(versions)
    if shown is None:
        return None
    document = db.scalars(sa.select(ProtocolVersion.document).where(ProtocolVersion.id == shown.id)).one()
    return ProtocolPage(ProtocolContent.from_document(document), shown, versions, rows[0].consultation)


def code_of_version(db: Session, version_id: int) -> tuple[str, int] | None:
    """The protocol's code and the number of a version; none where there is no such version."""
    row = db.execute(
        sa.select(Protocol.code, ProtocolVersion.number)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id).where(ProtocolVersion.id == version_id)
    ).one_or_none()
    return (row.code, row.number) if row else None


def _current(versions: tuple[VersionLine, ...]) -> VersionLine | None:
    approved = next((each for each in versions if each.state == "approved"), None)
    return approved or (versions[0] if versions else None)


def _row(versions: list[Any]) -> ProtocolRow:
    shown = next((each for each in versions if each.state == "approved"), versions[-1])
    document = shown.document
    return ProtocolRow(
        shown.code, shown.name, shown.number, shown.state, versions[-1].number > shown.number, document["mode"],
        any(each.get("lifts", False) for each in document["indications"]), _range(document["sessions"], ""),
        "; ".join(dict.fromkeys(_range(turn["interval"], " days") for turn in document["cycle"])),
        not document["sessions"]["evidence"].get("our_default", False))


def _range(figures: dict[str, Any], unit: str) -> str:
    low, usual, high = (figures[name] for name in (
        ("least", "typical", "most") if "least" in figures else ("shortest", "ideal", "longest")))
    return f"{usual}{unit}" if low == high else f"{usual} ({low} to {high}){unit}"
