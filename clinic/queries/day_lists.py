"""The day on paper: who comes, one list for the clinic, or one for each practitioner or room."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState
from clinic.queries.diary import DiaryVisit, diary_of
from clinic.queries.handover import HandoverLine, unread_notes
from clinic.store.resources import Patient

_STANDS = (AppointmentState.BOOKED, AppointmentState.ARRIVED, AppointmentState.FULFILLED)


class ListedBy(StrEnum):
    """For whom a list is made."""

    CLINIC = "clinic"
    PRACTITIONER = "practitioner"
    ROOM = "room"


@dataclass(frozen=True, slots=True)
class DaySheet:
    """One list: everybody who comes, by their starts. That of the whole clinic has no title."""

    title: str
    visits: tuple[DiaryVisit, ...]


@dataclass(frozen=True, slots=True)
class DayLists:
    """The lists of a day, with each patient's phone number and what is handed over about them."""

    sheets: tuple[DaySheet, ...]
    phones: Mapping[int, str]
    notes: Mapping[int, tuple[HandoverLine, ...]]


def day_lists(
    db: Session, clinic_id: int, on: date, *, by: ListedBy, where: ZoneInfo, now: datetime
) -> DayLists:
    """The lists of a day, in four statements at most, however full it is."""
    kind = ResourceKind.ROOM if by is ListedBy.ROOM else ResourceKind.PRACTITIONER
    diary = diary_of(db, clinic_id, on, 1, by=kind, where=where, now=now)
    standing = [visit for visit in diary.visits if visit.state in _STANDS and visit.local_start.date() == on]
    ids = {visit.patient_id for visit in standing}
    each = Patient.__table__.c
    phones = db.execute(sa.select(each.id, each.phone).where(each.id.in_(ids), each.phone.is_not(None)))
    if by is ListedBy.CLINIC:
        sheets = [DaySheet("", tuple(standing))]
    else:
        kept = {visit.id for visit in standing}
        lists = [DaySheet(column.resource.name, _kept(column.visits, kept)) for column in diary.columns]
        sheets = [each for each in lists if each.visits]
    return DayLists(tuple(sheets), {row.id: row.phone for row in phones}, unread_notes(db, ids))


def _kept(visits: Iterable[DiaryVisit], ids: set[int]) -> tuple[DiaryVisit, ...]:
    return tuple(sorted((visit for visit in visits if visit.id in ids), key=lambda visit: (visit.starts_at, visit.id)))
