"""Treatments as the set-up shows them: what each holds, and which protocols give it."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import Hold, Part, ResourceKind, patient_minutes, read_parts, visit_minutes
from clinic.store.protocols import Protocol, ProtocolVersion, Treatment

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class TreatmentCard:
    """A treatment; `protocols` are those whose newest version gives it, by code and name."""

    id: int
    code: str
    name: str
    kind: str
    active: bool
    lock_version: int
    parts: tuple[Part, ...]
    protocols: tuple[tuple[str, str], ...] = ()

    @property
    def patient_minutes(self) -> int:
        """How long the patient stays."""
        return patient_minutes(self.parts)

    @property
    def needs(self) -> tuple[Hold, ...]:
        """Whom and what a visit takes, each once, in the order of kinds."""
        held = dict.fromkeys((hold.kind, hold.skills) for part in self.parts for hold in part.holds)
        kinds = list(ResourceKind)
        return tuple(Hold(kind, skills) for kind, skills in sorted(held, key=lambda each: kinds.index(each[0])))

    @property
    def visit_minutes(self) -> int:
        """How long it takes until everything is free again."""
        return visit_minutes(self.parts)


def treatment_cards(db: Session) -> tuple[TreatmentCard, ...]:
    """The treatments by name, those of the clinic's own before the sessions of protocols; in two statements."""
    rows = db.scalars(
        sa.select(Treatment).order_by(Treatment.kind == "session", Treatment.active.desc(), Treatment.name)
        .limit(MOST_SHOWN)).all()
    given = _protocols_by_treatment(db)
    return tuple(_card(row, given) for row in rows)


def treatment_card(db: Session, treatment_id: int) -> TreatmentCard | None:
    """One treatment, if there is one of that id."""
    row = db.get(Treatment, treatment_id)
    return None if row is None else _card(row, _protocols_by_treatment(db) if row.kind == "session" else {})


def _card(row: Treatment, given: Mapping[str, tuple[tuple[str, str], ...]]) -> TreatmentCard:
    return TreatmentCard(row.id, row.code, row.name, row.kind, row.active, row.lock_version, read_parts(row.parts),
                         given.get(row.code, ()))


def _protocols_by_treatment(db: Session) -> dict[str, tuple[tuple[str, str], ...]]:
    newest = sa.select(ProtocolVersion.protocol_id, sa.func.max(ProtocolVersion.number).label("number")).group_by(
        ProtocolVersion.protocol_id).subquery()
    rows = db.execute(
        sa.select(Protocol.code, Protocol.name, ProtocolVersion.document)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .join(newest, sa.and_(newest.c.protocol_id == ProtocolVersion.protocol_id,
                              newest.c.number == ProtocolVersion.number))
        .order_by(Protocol.name)).all()
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for row in rows:
        for treatment in row.document["treatments"]:
            found[treatment["code"]] = (*found.get(treatment["code"], ()), (row.code, row.name))
    return found
