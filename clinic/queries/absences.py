"""Absences of practitioners and downtime of rooms and devices that are not over yet."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.message_kinds import SCHEDULE, MessageKind
from clinic.care.owed_before import REMINDERS
from clinic.care.owed_items import IN_ABSENCE
from clinic.care.states import MessageState
from clinic.queries.effects import TO_COME
from clinic.queries.folding import by_name
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Absence, Device, Practitioner, Resource, Room

SHOWN = 100
PAGE = 40
STANDING = 20
_OF_ALL_DATES = (MessageKind.CONFIRMATION, MessageKind.DATES_HELD)
_NAME = sa.func.coalesce(Practitioner.__table__.c.name, Room.__table__.c.name, Device.__table__.c.name)


@dataclass(frozen=True, slots=True)
class AbsenceLine:
    """When somebody is away or something out of service; `source` names the outside calendar that it comes from."""

    id: int
    resource_id: int
    kind: str
    name: str
    clinic_id: int | None
    starts_at: datetime
    ends_at: datetime
    reason: str
    source: str | None


@dataclass(frozen=True, slots=True)
class AbsencePage:
    """A page of the list."""

    rows: tuple[AbsenceLine, ...]
    total: int
    number: int

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self.number * PAGE < self.total


@dataclass(frozen=True, slots=True)
class StandingAbsence:
    """An absence that visits still stand in, and how many."""

    id: int
    name: str
    starts_at: datetime
    ends_at: datetime
    visits: int


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """A message that waits because of an absence, and when it was to go."""

    id: int
    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Absentee:
    """A practitioner, a room or a device that an absence can be noted for."""

    id: int
    kind: str
    name: str
    clinic_id: int | None


def absences_of(db: Session, resource_ids: Collection[int], *, since: datetime) -> tuple[AbsenceLine, ...]:
    """The absences of these resources that end after an instant, the next first, a hundred at most."""
    rows = db.execute(_lines(since).where(Absence.resource_id.in_(resource_ids)).limit(SHOWN))
    return tuple(AbsenceLine(*row) for row in rows)


def absence_page(db: Session, *, clinic_id: int, since: datetime, number: int = 1) -> AbsencePage:
    """A page of all absences that concern a clinic: of practitioners, and of its rooms and devices; two statements."""
    wanted = _lines(since).where(sa.or_(
        Resource.__table__.c.kind == "practitioner", Room.__table__.c.clinic_id == clinic_id,
        Device.__table__.c.clinic_id == clinic_id))
    total = db.scalar(sa.select(sa.func.count()).select_from(wanted.order_by(None).subquery())) or 0
    number = max(1, min(number, -(-total // PAGE)))
    rows = db.execute(wanted.limit(PAGE).offset((number - 1) * PAGE))
    return AbsencePage(tuple(AbsenceLine(*row) for row in rows), total, number)


def standing_absences(db: Session, *, clinic_id: int, now: datetime) -> tuple[StandingAbsence, ...]:
    """Those noted here that visits to come at a clinic still stand in, the next first, twenty at most; one statement.

    Not those of outside calendars: they are many, and often hold the very visits that were copied to them.
    """
    found = (
        sa.select(Absence.id, sa.func.count(Appointment.id.distinct()).label("visits"))
        .join(ResourceBooking, sa.and_(
            # A sum, or SQLite would begin with all that the clinic ever booked.
            ResourceBooking.resource_id == Absence.resource_id + 0, ResourceBooking.ends_at > Absence.starts_at,
            ResourceBooking.starts_at < Absence.ends_at, ResourceBooking.ends_at > now))
        .join(Appointment, Appointment.id == ResourceBooking.appointment_id)
        .where(Absence.source.is_(None), Absence.ends_at > now, ResourceBooking.clinic_id == clinic_id,
               Appointment.state.in_(TO_COME))
        .group_by(Absence.id).subquery())
    told = _all().join(found, found.c.id == Absence.id).with_only_columns(
        Absence.id, _NAME, Absence.starts_at, Absence.ends_at, found.c.visits)
    rows = db.execute(told.order_by(Absence.starts_at, Absence.id).limit(STANDING))
    return tuple(StandingAbsence(*row) for row in rows)


def messages_waiting(
    db: Session, appointment_ids: Collection[int], *, now: datetime
) -> Mapping[int, tuple[WaitingMessage, ...]]:
    """For each of these appointments the messages that do not go while it stands in an absence, the first due first; in
    one statement.

    Those too whose turn it is in a minute: they are withheld as soon as anybody looks at them.
    """
    part, visit = TreatmentSession.__table__.c, Appointment.__table__.c
    owner_kind = sa.case((part.course_id.is_not(None), "course"),
                         (part.maintenance_plan_id.is_not(None), "maintenance-plan"), else_="appointment")
    withheld = sa.and_(Message.state == MessageState.WITHHELD, Message.reason == IN_ABSENCE)
    about_it = sa.and_(MessageItem.kind.in_((*REMINDERS, MessageKind.PRECARE)), MessageItem.subject_id == visit.id)
    of_all = sa.or_(MessageItem.kind.in_(_OF_ALL_DATES), sa.and_(withheld, MessageItem.kind.in_(SCHEDULE)))
    rows = db.execute(
        sa.select(visit.id.label("appointment_id"), Message.id, MessageItem.kind, Message.due_at)
        .outerjoin(TreatmentSession.__table__, part.id == visit.treatment_session_id)
        .join(MessageItem, sa.and_(
            MessageItem.owner_kind == owner_kind,
            MessageItem.owner_id == sa.func.coalesce(part.course_id, part.maintenance_plan_id, visit.id)))
        .join(Message, Message.id == MessageItem.message_id)
        .where(visit.id.in_(appointment_ids), sa.or_(about_it, of_all),
               MessageItem.dropped.is_(None), Message.decision.is_(None), Message.useless_after > now,
               sa.or_(withheld, Message.state.in_((MessageState.PENDING, MessageState.HELD))))
        .order_by(Message.due_at, Message.id))
    found: defaultdict[int, tuple[WaitingMessage, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.appointment_id] += (WaitingMessage(row.id, row.kind, row.due_at),)
    return found


def absence(db: Session, absence_id: int) -> AbsenceLine | None:
    """One absence, over or not."""
    row = db.execute(_all().where(Absence.id == absence_id)).one_or_none()
    return AbsenceLine(*row) if row else None


def absentees(db: Session, *, clinic_id: int) -> tuple[Absentee, ...]:
    """Whom and what an absence can be noted for at a clinic: everybody in use, its rooms and devices in use."""
    person, room, device = Practitioner.__table__, Room.__table__, Device.__table__
    rows = db.execute(sa.union_all(
        sa.select(person.c.id, sa.literal("practitioner"), person.c.name.label("name"), sa.null())
        .where(person.c.active),
        *(sa.select(each.c.id, sa.literal(kind), each.c.name, each.c.clinic_id)
          .where(each.c.active, each.c.clinic_id == clinic_id)
          for each, kind in ((room, "room"), (device, "device")))))
    return tuple(sorted((Absentee(*row) for row in rows), key=lambda each: (by_name(each.name), each.id)))


def _lines(since: datetime) -> sa.Select[Any]:
    return _all().where(Absence.ends_at > since).order_by(Absence.starts_at, Absence.id)


def _all() -> sa.Select[Any]:
    whose, person, room, device = Resource.__table__, Practitioner.__table__, Room.__table__, Device.__table__
    return (
        sa.select(Absence.id, Absence.resource_id, whose.c.kind, _NAME,
                  sa.func.coalesce(room.c.clinic_id, device.c.clinic_id),
                  Absence.starts_at, Absence.ends_at, Absence.reason, Absence.source)
        .join(whose, whose.c.id == Absence.resource_id)
        .outerjoin(person, person.c.id == Absence.resource_id)
        .outerjoin(room, room.c.id == Absence.resource_id)
        .outerjoin(device, device.c.id == Absence.resource_id))
