"""What a clinic still needs before its first course can be booked, read from how it is arranged."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.empty_diary import EmptyDiary, Held, Person, Site, Thing
from clinic.care.protocols import Protocol, Step, steps_for
from clinic.care.readiness import Lack, lacks_of
from clinic.planning.local import local_of, zone
from clinic.queries.course_asks import dated_sessions
from clinic.queries.protocol_contents import protocol_of
from clinic.queries.timetables import timetables
from clinic.store.clinics import Clinic, Closure, OpeningHours
from clinic.store.courses import Course
from clinic.store.protocols import Protocol as ProtocolRow
from clinic.store.protocols import ProtocolVersion
from clinic.store.resources import Device, Patient, Practitioner, Qualification, Room

MOST = 60
"""So many approved protocols are looked at."""


@dataclass(frozen=True, slots=True)
class ProtocolStanding:
    """An approved protocol and what keeps a course of it from being booked; nothing: it can be."""

    code: str
    name: str
    lacks: tuple[Lack, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """How far a clinic is: what it has, and what each approved protocol still needs."""

    diary: EmptyDiary
    protocols: tuple[ProtocolStanding, ...]
    drafts: int
    has_patient: bool
    has_course: bool

    @property
    def bookable(self) -> tuple[ProtocolStanding, ...]:
        """The protocols of which a course can be booked."""
        return tuple(each for each in self.protocols if not each.lacks)


def has_course(db: Session, clinic_id: int) -> bool:
    """Whether a course was ever booked at this clinic: then everything was there, and the guide has done its work."""
    return db.scalar(sa.select(Course.id).where(Course.clinic_id == clinic_id).limit(1)) is not None


def readiness_of(db: Session, clinic_id: int, *, now: datetime) -> Readiness:
    """How far a clinic is, in a bounded number of statements; each approved version is read from its row once."""
    site = site_of(db, clinic_id, now=now)
    diary = EmptyDiary(site)
    approved = db.execute(
        sa.select(ProtocolRow.code, ProtocolRow.name, ProtocolVersion.id)
        .join(ProtocolVersion, ProtocolVersion.protocol_id == ProtocolRow.id)
        .where(ProtocolVersion.state == "approved").order_by(ProtocolRow.name, ProtocolRow.code).limit(MOST)).all()
    standings = tuple(
        ProtocolStanding(code, name, lacks_of(diary, protocol, sessions_asked(protocol, site)))
        for code, name, version_id in approved for protocol in [protocol_of(db, version_id)])
    drafts = db.scalar(sa.select(sa.func.count()).select_from(ProtocolVersion).where(ProtocolVersion.state == "draft"))
    return Readiness(
        diary, standings, drafts or 0, db.scalar(sa.select(Patient.id).limit(1)) is not None, has_course(db, clinic_id))


def sessions_asked(protocol: Protocol, site: Site) -> tuple[Step, ...]:
    """The sessions of a usual course that lie within what the clinic books ahead."""
    steps = steps_for(protocol, protocol.sessions.typical)
    return steps[:dated_sessions(steps, site.days)]


def site_of(db: Session, clinic_id: int, *, now: datetime) -> Site:
    """A clinic as it is arranged, in eight statements; NoResultFound where there is none."""
    clinic = db.get_one(Clinic, clinic_id)
    here = local_of(now, zone(clinic.zone))
    opening = db.execute(
        sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes)
        .where(OpeningHours.clinic_id == clinic_id)).all()
    closures = db.execute(
        sa.select(Closure.from_on, Closure.to_on)
        .where(Closure.clinic_id == clinic_id, Closure.to_on >= here.date())).all()
    room, device = Room.__table__, Device.__table__
    rooms = db.execute(
        sa.select(room.c.id, room.c.name, room.c.features).where(room.c.clinic_id == clinic_id, room.c.active)
        .order_by(room.c.id)).all()
    devices = db.execute(
        sa.select(device.c.id, device.c.name, device.c.device_type)
        .where(device.c.clinic_id == clinic_id, device.c.active).order_by(device.c.id)).all()
    return Site(
        clinic_id=clinic_id, today=here.date(), minute=here.hour * 60 + here.minute, days=clinic.booking_horizon_days,
        start_step=clinic.start_step_minutes, opening=tuple(tuple[int, int, int](row) for row in opening),
        closures=tuple(tuple[date, date](row) for row in closures), people=_people(db, here.date()),
        rooms=tuple(Thing(ident, name, frozenset(features)) for ident, name, features in rooms),
        devices=tuple(Thing(ident, name, frozenset({kind})) for ident, name, kind in devices))


def _people(db: Session, today: date) -> tuple[Person, ...]:
    person = Practitioner.__table__
    names = db.execute(sa.select(person.c.id, person.c.name).where(person.c.active).order_by(person.c.id)).all()
    ids = [row.id for row in names]
    held: defaultdict[int, list[Held]] = defaultdict(list)
    rows = db.execute(
        sa.select(Qualification.practitioner_id, Qualification.code, Qualification.valid_from, Qualification.expires_on)
        .where(Qualification.practitioner_id.in_(ids)).order_by(Qualification.id))
    for ident, code, valid_from, expires_on in rows:
        held[ident].append(Held(code, valid_from, expires_on))
    times = timetables(db, ids, from_on=today)
    return tuple(Person(row.id, row.name, tuple(held[row.id]), times[row.id]) for row in names)
