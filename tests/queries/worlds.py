"""Random diaries of a clinic with a second site, and what is free in them, found minute by minute by other means."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.store.clinics import Clinic, Closure, OpeningHours, TravelTime
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.resources import Absence, Practitioner, Qualification, Room, Rota, RotaDay, RotaSpan
from tests.small_clinic import SmallClinic, small_clinic

DAYS = 12
"""So many days of the diary are filled at random."""
STEP = timedelta(minutes=5)
FIRST_DAYS = {
    "Europe/London": (date(2027, 3, 1), date(2027, 3, 22), date(2027, 10, 25)),
    "America/New_York": (date(2027, 3, 8), date(2027, 11, 1)),
}


@dataclass(frozen=True, slots=True)
class Week:
    """A practitioner's hours of one week of a rota: from and to by weekday, at which of the two sites, and a break."""

    spans: tuple[tuple[int, int, int, int], ...]
    """Weekday, from, to (minutes), site (0: the clinic, 1: the other one)."""
    rest: tuple[int, int, int] | None
    """From, to, length in minutes of a break that may lie anywhere in between."""


@dataclass(frozen=True, slots=True)
class OwnDay:
    """A date of a practitioner that has hours of its own: from, to, site; and a break."""

    who: int
    day: int
    spans: tuple[tuple[int, int, int], ...]
    rest: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that is held: whose, at which site, from when on the ruler of the diary's days, for how long."""

    who: int
    site: int
    day: int
    minute: int
    minutes: int
    state: str = "booked"


@dataclass(frozen=True, slots=True)
class World:
    """Everything that decides what is free."""

    zone: str
    first_on: date
    weeks: tuple[tuple[Week, ...], ...]
    expires: tuple[int | None, ...]
    travel: int
    away: tuple[tuple[int, int, int, int], ...]
    """Who (people, then rooms), day, from, minutes."""
    closed: tuple[int, ...]
    taken: tuple[Taken, ...]
    own_days: tuple[OwnDay, ...] = ()


@st.composite
def weeks(draw: st.DrawFn) -> Week:
    """A week with some days at either site."""
    spans = tuple(
        (weekday, draw(st.sampled_from((480, 540, 615))), draw(st.sampled_from((840, 1020, 1095))),
         draw(st.sampled_from((0, 0, 0, 1))))
        for weekday in sorted(draw(st.sets(st.integers(0, 5), min_size=2))))
    rest = draw(st.none() | st.sampled_from(((720, 840, 30), (690, 810, 45), (720, 780, 60))))
    return Week(spans, rest)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A diary of two practitioners, two rooms and two patients near a clock change or not."""
    where = draw(st.sampled_from(sorted(FIRST_DAYS)))
    taken = st.builds(
        Taken, st.integers(0, 4), st.sampled_from((0, 0, 1)), st.integers(0, DAYS - 1),
        st.integers(0, 40).map(lambda each: 480 + 15 * each), st.sampled_from((30, 60, 105, 200)),
        st.sampled_from(("booked", "booked", "held", "lapsed")))
    return World(
        zone=where, first_on=draw(st.sampled_from(FIRST_DAYS[where])),
        weeks=tuple(tuple(draw(st.lists(weeks(), min_size=1, max_size=2))) for _ in range(2)),
        expires=(draw(st.none() | st.integers(0, DAYS)), None), travel=draw(st.sampled_from((0, 20, 45, 90))),
        away=tuple(draw(st.lists(st.tuples(
            st.integers(0, 3), st.integers(0, DAYS - 1), st.integers(8, 16).map(lambda each: each * 60 + 7),
            st.sampled_from((50, 300, 1500))), max_size=3))),
        closed=tuple(draw(st.sets(st.integers(0, DAYS - 1), max_size=2))),
        taken=tuple(draw(st.lists(taken, max_size=12))),
        own_days=tuple(draw(st.lists(own_days(), max_size=4, unique_by=lambda own: (own.who, own.day)))),
    )


def own_days() -> st.SearchStrategy[OwnDay]:
    """A day off, a half day or two at either site, or a long day with a break."""
    spans = st.sampled_from(((), ((480, 720, 0),), ((540, 700, 1), (760, 1080, 0)), ((495, 1110, 0),)))
    rest = st.none() | st.sampled_from(((720, 840, 30), (600, 690, 20), (780, 825, 45)))
    return st.builds(OwnDay, st.integers(0, 1), st.integers(0, DAYS - 1), spans, rest)


@dataclass
class Built:
    """A world in a database: the ids of what it is made of, and what came to be held in it."""

    world: World
    made: SmallClinic
    other_site: int
    people: list[int] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)


def build(engine: Engine, world: World) -> Built:
    """Writes a world into an empty, migrated database; whatever would overlap in it is left out."""
    made = small_clinic(engine, zone=world.zone, patients=2)
    made.now = _at(world, 0, 450)
    with Session(for_writing(engine)) as db:
        db.execute(sa.delete(RotaSpan))
        db.execute(sa.delete(Rota))
        db.get_one(Practitioner, made.practitioners[2]).active = False
        db.execute(sa.delete(OpeningHours))
        db.add_all(OpeningHours(clinic_id=made.clinic_id, weekday=day, opens=510, closes=1110) for day in range(6))
        other = Clinic(name="Hill", zone=world.zone, address="2 Hill", phone="+44 1", sender_name="Hill",
                       sender_email="hill@harbour.example")
        db.add(other)
        db.flush()
        built = Built(world, made, other.id, made.practitioners[:2], made.rooms)
        db.add(Room(clinic_id=other.id, name="Room far away", features=["numbing-chair"]))
        db.add(TravelTime(one_clinic_id=made.clinic_id, other_clinic_id=other.id, minutes=world.travel))
        db.add_all(_rows(built))
        db.flush()
        for rota, person in zip(_rotas(built), built.people, strict=True):
            db.add(rota)
            db.flush()
            db.add_all(_spans(built, rota, person))
        db.add_all(_own_days(built))
        for index, expires in enumerate(world.expires):
            if expires is not None:
                db.execute(sa.update(Qualification).where(Qualification.practitioner_id == built.people[index])
                           .values(expires_on=world.first_on + timedelta(days=expires)))
        db.flush()
        for each in world.taken:
            _take(db, built, each)
        db.commit()
    return built


class Oracle:
    """What is free in a world as its database now is: asked for one span at a time, and counted in minutes."""

    def __init__(self, built: Built) -> None:
        self.built, self.world, self.made = built, built.world, built.made
        self.where = ZoneInfo(built.world.zone)
        with built.made.engine.connect() as connection:
            rows = connection.execute(
                sa.select(ResourceBooking.resource_id, ResourceBooking.clinic_id, ResourceBooking.starts_at,
                          ResourceBooking.ends_at)
                .join(Appointment, Appointment.id == ResourceBooking.appointment_id)
                .where(sa.or_(Appointment.hold_expires_at.is_(None), Appointment.hold_expires_at > built.made.now)))
            self.held = [tuple[int, int, datetime, datetime](row) for row in rows]

    def is_free(self, resource_id: int, begins: datetime, ends: datetime) -> bool:
        """Whether that practitioner, room or patient can be held for that span at the clinic."""
        if resource_id in self.made.patients:
            return not any(self._meets(resource_id, begins, ends, timedelta()))
        if resource_id in self.built.people and not self._works(resource_id, begins, ends):
            return False
        return (
            self._is_open(begins, ends) and not self._is_away(resource_id, begins, ends)
            and not any(self._meets(resource_id, begins, ends, timedelta(minutes=self.world.travel)))
        )

    def _meets(self, resource_id: int, begins: datetime, ends: datetime, travel: timedelta) -> Iterator[bool]:
        for held, clinic_id, starts_at, ends_at in self.held:
            way = travel if clinic_id != self.made.clinic_id else timedelta()
            if held == resource_id and begins < ends_at + way and starts_at - way < ends:
                yield True

    def _is_open(self, begins: datetime, ends: datetime) -> bool:
        return all(
            wall.weekday() < 6 and 510 <= wall.hour * 60 + wall.minute < 1110
            and (wall.date() - self.world.first_on).days not in self.world.closed
            for wall in self._walls(begins, ends))

    def _is_away(self, resource_id: int, begins: datetime, ends: datetime) -> bool:
        whom = [*self.built.people, *self.built.rooms]
        return any(
            whom[who] == resource_id and begins < start + timedelta(minutes=minutes) and start < ends
            for who, day, minute, minutes in self.world.away
            for start in [_at(self.world, day, minute)])

    def _works(self, person: int, begins: datetime, ends: datetime) -> bool:
        index = self.built.people.index(person)
        expires = self.world.expires[index]
        for wall in self._walls(begins, ends):
            day = (wall.date() - self.world.first_on).days
            week = self._week(index, day)
            minute = wall.hour * 60 + wall.minute
            if expires is not None and day > expires:
                return False
            if not any(weekday == wall.weekday() and opens <= minute < closes and site == 0
                       for weekday, opens, closes, site in week.spans):
                return False
        return not self._rests(person, begins, ends)

    def _rests(self, person: int, begins: datetime, ends: datetime) -> bool:
        """Whether the break of that day lies in the span: nearest to the middle of its own, where nothing is held."""
        day = (begins.astimezone(self.where).date() - self.world.first_on).days
        rest = self._week(self.built.people.index(person), day).rest
        if rest is None:
            return False
        opens, closes, length = rest
        free = [
            start for start in range(opens, closes - length + 1, 5)
            if not self._is_taken(person, _at(self.world, day, start), _at(self.world, day, start + length))]
        if not free:
            return False
        start = min(free, key=lambda each: (abs(2 * (each - opens) - (closes - opens - length)), each))
        return begins < _at(self.world, day, start + length) and _at(self.world, day, start) < ends

    def _is_taken(self, person: int, begins: datetime, ends: datetime) -> bool:
        # Absences are counted outward to whole five minutes, as the planner does: the break keeps clear of them.
        travel = timedelta(minutes=self.world.travel)
        return any(self._meets(person, begins, ends, travel)) or self._is_away(person, begins, ends)

    def _week(self, index: int, day: int) -> Week:
        for own in self.world.own_days:
            if (own.who, own.day) == (index, day):
                weekday = (self.world.first_on + timedelta(days=day)).weekday()
                return Week(tuple((weekday, *span) for span in own.spans), own.rest)
        rota = self.world.weeks[index]
        return rota[day // 7 % len(rota)]

    def _walls(self, begins: datetime, ends: datetime) -> Iterator[datetime]:
        while begins < ends:
            yield begins.astimezone(self.where)
            begins += STEP


def _at(world: World, day: int, minute: int) -> datetime:
    on = world.first_on + timedelta(days=day + minute // 1440)
    wall = datetime.combine(on, time(minute % 1440 // 60, minute % 60), ZoneInfo(world.zone))
    return wall.astimezone(UTC)


def _rows(built: Built) -> list[Absence | Closure]:
    whom: Sequence[int] = [*built.people, *built.rooms]
    found: list[Absence | Closure] = [
        Absence(resource_id=whom[who], starts_at=_at(built.world, day, minute),
                ends_at=_at(built.world, day, minute) + timedelta(minutes=minutes), reason="away")
        for who, day, minute, minutes in built.world.away]
    found += [
        Closure(clinic_id=built.made.clinic_id, from_on=on, to_on=on, reason="holiday")
        for on in (built.world.first_on + timedelta(days=day) for day in built.world.closed)]
    return found


def _rotas(built: Built) -> list[Rota]:
    return [
        Rota(practitioner_id=person, starts_on=built.world.first_on, weeks=len(rota))
        for person, rota in zip(built.people, built.world.weeks, strict=True)]


def _own_days(built: Built) -> list[RotaDay]:
    sites = (built.made.clinic_id, built.other_site)
    return [
        RotaDay(practitioner_id=built.people[own.who], on_date=built.world.first_on + timedelta(days=own.day),
                spans=[*([opens, closes, sites[site], None] for opens, closes, site in own.spans),
                       *([[own.rest[0], own.rest[1], None, own.rest[2]]] if own.rest else [])])
        for own in built.world.own_days]


def _spans(built: Built, rota: Rota, person: int) -> list[RotaSpan]:
    sites = (built.made.clinic_id, built.other_site)
    found = []
    for week, content in enumerate(built.world.weeks[built.people.index(person)]):
        found += [RotaSpan(rota_id=rota.id, week=week, weekday=day, opens=opens, closes=closes, clinic_id=sites[site])
                  for day, opens, closes, site in content.spans]
        if content.rest is not None:
            opens, closes, length = content.rest
            found += [RotaSpan(rota_id=rota.id, week=week, weekday=day, opens=opens, closes=closes,
                               break_minutes=length) for day in range(7)]
    return found


def _take(db: Session, built: Built, each: Taken) -> None:
    """Holds one thing; nothing where it is held already, or where a room of here would be held there."""
    whom = [*built.people, *built.rooms, built.made.patients[0]][each.who]
    begins = _at(built.world, each.day, each.minute)
    ends = begins + timedelta(minutes=each.minutes)
    clash = sa.select(ResourceBooking.id).where(
        ResourceBooking.resource_id == whom, ResourceBooking.starts_at < ends, ResourceBooking.ends_at > begins)
    if db.scalar(clash) is not None or (each.site == 1 and each.who >= 2):
        return
    lasts = {"booked": None, "held": built.made.now + timedelta(hours=1), "lapsed": built.made.now}[each.state]
    site = (built.made.clinic_id, built.other_site)[each.site]
    local = begins.astimezone(ZoneInfo(built.world.zone))
    row = Appointment(
        clinic_id=site, patient_id=built.made.patients[1], kind="other", treatment_code="other",
        state="booked" if lasts is None else "proposed", hold_expires_at=lasts, uid=f"{uuid4()}@world",
        local_start=local.replace(tzinfo=None, fold=0), fold=local.fold, zone=built.world.zone, minutes=each.minutes,
        starts_at=begins, ends_at=ends, scheduled_at=built.made.now, created_at=built.made.now)
    db.add(row)
    db.flush()
    db.add(ResourceBooking(appointment_id=row.id, resource_id=whom, clinic_id=site, need=1, starts_at=begins,
                           ends_at=ends))
    db.flush()
