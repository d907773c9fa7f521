"""Two records side by side before they are put together, and what was put together lately."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.states import CourseState
from clinic.queries.patient import PatientCard, patient_card
from clinic.store.accounts import Task
from clinic.store.courses import Course
from clinic.store.diary import Appointment
from clinic.store.moving import PatientMerge
from clinic.store.outbox import Message
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import ClinicalNote, Patient

_COUNTED = (("course", Course), ("appointment", Appointment), ("message", Message), ("task", Task),
            ("note", ClinicalNote))
_RUNNING = (CourseState.DRAFT, CourseState.ACTIVE, CourseState.ON_HOLD)
_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MergePreview:
    """Two records, what would change hands, and the protocols of which both have a course that runs."""

    kept: PatientCard
    other: PatientCard
    moves: Mapping[str, int]
    running_twice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndoableMerge:
    """Two records that were put together less than a day ago; `name` is of the one that is no more."""

    id: int
    name: str
    made_at: datetime
    until: datetime


def merge_preview(db: Session, kept_id: int, other_id: int) -> MergePreview | None:
    """What putting two records together would do, in eight statements; none where one of them is not there."""
    kept, other = patient_card(db, kept_id), patient_card(db, other_id)
    if kept is None or other is None or kept.id == other.id:
        return None
    moves = {name: db.scalar(sa.select(sa.func.count()).select_from(kind).where(kind.patient_id == other_id)) or 0
             for name, kind in _COUNTED}
    twice = db.scalars(
        sa.select(Protocol.name).join(ProtocolVersion, ProtocolVersion.protocol_id == Protocol.id)
        .join(Course, Course.protocol_version_id == ProtocolVersion.id)
        .where(Course.patient_id.in_((kept_id, other_id)), Course.state.in_(_RUNNING))
        .group_by(Protocol.name).having(sa.func.count(Course.patient_id.distinct()) == 2).order_by(Protocol.name))
    return MergePreview(kept, other, moves, tuple(twice))


def merged_into(db: Session, patient_id: int) -> int | None:
    """The record that a patient's record was merged into."""
    return db.scalar(sa.select(Patient.__table__.c.merged_into_id).where(Patient.__table__.c.id == patient_id))


def merge_of(db: Session, merge_id: int) -> int | None:
    """The record that was kept in a merge."""
    return db.scalar(sa.select(PatientMerge.kept_id).where(PatientMerge.id == merge_id))


def undoable_merges(db: Session, patient_id: int, *, now: datetime) -> tuple[UndoableMerge, ...]:
    """What was merged into a record within the last day, the newest first; only that can be undone first."""
    person = Patient.__table__.c
    rows = db.execute(
        sa.select(PatientMerge.id, person.given_name + " " + person.family_name, PatientMerge.made_at)
        .join(Patient.__table__, person.id == PatientMerge.merged_id)
        .where(PatientMerge.kept_id == patient_id, PatientMerge.undone_at.is_(None), PatientMerge.made_at >= now - _FOR)
        .order_by(PatientMerge.id.desc()).limit(1)).all()
    return tuple(UndoableMerge(ident, name, made_at, made_at + _FOR) for ident, name, made_at in rows)
