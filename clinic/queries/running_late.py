"""Who works today and who of them runs late: whom that touches, what it clashes with, and whom to tell."""
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState
from clinic.planning.findings import Finding, Weight
from clinic.planning.lateness import Late
from clinic.planning.local import day_of, local_of
from clinic.queries.diary import Diary, DiaryColumn, DiaryResource, DiaryVisit, HeldPart, Shade, diary_of
from clinic.queries.lateness import OPEN
from clinic.store.accounts import Account, AuditEntry
from clinic.store.diary import Appointment, RunningLate
from clinic.store.resources import Patient

TOLD = "late-told"
"""What the audit calls telling a patient when their visit is likely to begin."""
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class ToldLate:
    """That a patient was told of a later time: which, when and by whom."""

    at: datetime
    by: str | None
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class ToCall:
    """A patient whose visit begins later than they know, how to reach them, and what they were told last."""

    visit: DiaryVisit
    given_name: str
    phone: str | None
    language: str
    told: ToldLate | None = None

    @property
    def knows(self) -> bool:
        """Whether they were told of this time, or of one that is later still."""
        return self.told is not None and self.visit.expected is not None and (
            self.told.begins_at >= self.visit.expected.begins_at)


@dataclass(frozen=True, slots=True)
class Clash:
    """What the lateness meets, and whose visit could give way: to another time, or to another one of what `instead` is.
    """

    finding: Finding
    visit: DiaryVisit | None = None
    instead: str = ""

    @property
    def may_move(self) -> bool:
        """Whether that visit can still be put elsewhere: its patient has not come yet."""
        return self.visit is not None and self.visit.state is AppointmentState.BOOKED


@dataclass(frozen=True, slots=True)
class PersonToday:
    """A practitioner who is here today: what comes next, and where they run late, since when and what follows.

    Whoever `is_done` had visits, and all are over.
    """

    resource: DiaryResource
    following: DiaryVisit | None
    is_done: bool
    late: Late | None
    said_by: str | None
    touched: tuple[ToCall, ...]
    clashes: tuple[Clash, ...]

    @property
    def to_tell(self) -> int:
        """How many do not know yet."""
        return sum(not call.knows for call in self.touched)


def people_today(db: Session, clinic_id: int, *, where: ZoneInfo, now: datetime) -> tuple[PersonToday, ...]:
    """Everybody who works or is booked at the clinic today, by name; in five statements, however full it is."""
    on = day_of(now, where)
    diary = diary_of(db, clinic_id, on, 1, by=ResourceKind.PRACTITIONER, where=where, now=now)
    authors = {row.practitioner_id: row.name for row in db.execute(
        sa.select(RunningLate.practitioner_id, Account.name).join(Account, Account.id == RunningLate.by)
        .where(RunningLate.clinic_id == clinic_id, RunningLate.on_date == on))}
    later = [visit for visit in diary.visits if visit.expected]
    reached, told = _reached(db, [visit.patient_id for visit in later]), _told(db, [visit.id for visit in later])
    return tuple(_person(diary, column, authors.get(column.resource.id), reached, told, now)
                 for column in diary.columns if column.is_here or column.resource.id in diary.late)


def _reached(db: Session, patient_ids: Sequence[int]) -> Mapping[int, tuple[str, str | None, str]]:
    each = Patient.__table__.c
    rows = db.execute(sa.select(each.id, each.given_name, each.phone, each.language).where(each.id.in_(patient_ids)))
    return {row.id: (row.given_name, row.phone, row.language) for row in rows}


def _told(db: Session, visit_ids: Sequence[int]) -> Mapping[int, ToldLate]:
    """What was said last to the patients of these visits since they have the time that they have."""
    rows = db.execute(
        sa.select(AuditEntry.subject_id, AuditEntry.at, Account.name, AuditEntry.facts)
        .join(Appointment, Appointment.id == AuditEntry.subject_id)
        .outerjoin(Account, Account.id == AuditEntry.account_id)
        .where(AuditEntry.subject_kind == "appointment", AuditEntry.subject_id.in_(visit_ids),
               AuditEntry.action == TOLD, AuditEntry.at >= Appointment.scheduled_at).order_by(AuditEntry.id))
    return {row.subject_id: ToldLate(row.at, row.name, datetime.fromisoformat(row.facts["begins_at"])) for row in rows}


def _person(
    diary: Diary, column: DiaryColumn, author: str | None, reached: Mapping[int, tuple[str, str | None, str]],
    told: Mapping[int, ToldLate], now: datetime,
) -> PersonToday:
    ident = column.resource.id
    mine = [visit for visit in column.visits if visit.state in OPEN and _spans(visit, ident)]
    is_done = bool(column.visits) and not mine
    following = next((visit for visit in mine if visit.begun_at is None and visit.ends_at > now), None)
    late = diary.late.get(ident)
    if late is None:
        return PersonToday(column.resource, following, is_done, None, None, (), ())
    touched = [visit for visit in mine if visit.expected]
    return PersonToday(
        column.resource, following, is_done, late, author,
        tuple(ToCall(visit, *reached[visit.patient_id], told.get(visit.id)) for visit in touched),
        (*_ends(diary, column, touched), *_meetings(diary, column, touched)))


def _ends(diary: Diary, column: DiaryColumn, touched: Sequence[DiaryVisit]) -> Iterator[Clash]:
    """Work that goes on after the practitioner's hours or the clinic's, or into a break."""
    who, where = column.resource, diary.where
    spans = [(span, visit) for visit in touched for span in _later(visit, who.id)]
    if not spans:
        return
    (_, last), latest = max(spans, key=lambda each: each[0][1])
    hours = max((each.ends_at for each in column.stretches if each.shade is Shade.WORK), default=None)
    closing = max((ends for _, ends in column.day.open), default=None)
    for code, end, words in (("after-closing", closing, "the clinic closes"),
                             ("after-hours", hours, f"{who.name}'s hours end")):
        if end is not None and last > end:
            yield Clash(Finding(code, Weight.WARNS, f"The last visit ends at about {_clock(last, where)}: {words} at "
                                f"{_clock(end, where)}"), latest)
            break
    for each in column.stretches:
        met = next((visit for span, visit in spans if _meet(span, (each.starts_at, each.ends_at))), None)
        if met is not None:
            at = _clock(each.starts_at, where)
            if each.shade is Shade.AWAY:
                yield Clash(Finding("away", Weight.WARNS, f"{who.name} is away from {at}"), met)
            if each.shade is Shade.BREAK:
                yield Clash(Finding("break", Weight.WARNS, f"The break planned for {at} does not fit then"), met)


def _meetings(diary: Diary, column: DiaryColumn, touched: Sequence[DiaryVisit]) -> Iterator[Clash]:
    """Rooms, devices and colleagues that somebody else needs meanwhile, and patients who should be somewhere else."""
    who, where = column.resource, diary.where
    mine = {visit.id for visit in touched}
    for visit in touched:
        for other in diary.visits:
            if other.id == visit.id or other.state not in OPEN or (other.id in mine and other.id < visit.id):
                continue
            held = next((part for part in other.holds for own in visit.holds if own.resource == part.resource != who
                         and _meet(_moved(visit, own), _moved(other, part))), None)
            if held is not None:
                begins, _ = _moved(other, held)
                yield Clash(Finding("needed", Weight.WARNS, (
                    f"{held.resource.name} is needed for {other.patient} at {_clock(begins, where)}, while "
                    f"{visit.patient} is there until about {_clock(max(_until(visit, held.resource)), where)}")),
                    other, "" if held.resource.kind is ResourceKind.PRACTITIONER else held.resource.kind.value)
            elif other.patient_id == visit.patient_id and _meet(_stay(visit), _stay(other)):
                yield Clash(Finding("two-visits", Weight.WARNS, (
                    f"{visit.patient} has another visit at {_clock(other.starts_at, where)}")), other)


def _until(visit: DiaryVisit, resource: DiaryResource) -> list[datetime]:
    return [_moved(visit, each)[1] for each in visit.holds if each.resource == resource]


def _spans(visit: DiaryVisit, resource_id: int) -> list[HeldPart]:
    return [each for each in visit.holds if each.resource.id == resource_id]


def _later(visit: DiaryVisit, resource_id: int) -> list[Span]:
    return [_moved(visit, each) for each in _spans(visit, resource_id)]


def _moved(visit: DiaryVisit, held: HeldPart) -> Span:
    """From when to when the visit is likely to hold it. A patient who is here has their room since they came."""
    if visit.expected is None:
        return held.starts_at, held.ends_at
    delay = visit.expected.delay
    begins = held.starts_at if visit.is_here and held.resource.kind is ResourceKind.ROOM else (
        held.starts_at + delay.begins)
    return begins, held.ends_at + delay.ends


def _stay(visit: DiaryVisit) -> Span:
    if visit.expected is None:
        return visit.starts_at, visit.ends_at
    return visit.starts_at + visit.expected.delay.begins, visit.expected.ends_at


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _clock(at: datetime, where: ZoneInfo) -> str:
    return f"{local_of(at, where):%H:%M}"
