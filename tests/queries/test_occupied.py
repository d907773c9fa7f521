"""The packed diary beside the rows: whoever writes past whatever, both always say the same."""
from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from clinic.planning import Ruler, ruler
from clinic.planning.local import zone
from clinic.queries.diary_facts import Facts, Wanted, facts_of
from clinic.queries.occupied import Occupied, Site, occupied
from clinic.services.workers import tidy_diary
from clinic.store import occupancy
from clinic.store.clinics import Clinic, TravelTime
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing, open_engine
from clinic.store.occupancy import GRANULE, PAGE, Occupancy, OccupancyChange, merge_changes
from tests.booking import booked, cancel, done, standing
from tests.databases import PostgreSQLDatabases
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic

WAY = timedelta(minutes=20)
AROUND = (datetime(2027, 3, 26, tzinfo=UTC), datetime(2027, 10, 29, tzinfo=UTC))
"""Both clock changes of London; a page ends on 3 June 2027, one on 28 October."""


class Hand:
    """Writes rows at random, past every service, and knows the site that is not the clinic."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self.made, self.random = small_clinic(engine), Random(seed)
        with Session(for_writing(engine)) as db:
            other = Clinic(name="Hill", zone="Europe/London", address="2 Hill", phone="+44 1", sender_name="Hill",
                           sender_email="hill@harbour.example")
            db.add(other)
            db.flush()
            db.add(TravelTime(one_clinic_id=self.made.clinic_id, other_clinic_id=other.id, minutes=20))
            db.commit()
            self.other_site = other.id
        self.whom = [*self.made.practitioners[:2], *self.made.rooms[:1], *self.made.devices[:1]]
        self.ends: list[datetime] = []

    def write(self) -> None:
        """One random change, or none where the database refuses it."""
        acts = (self.add, self.add, self.add, self.move, self.hand_on, self.free, self.end, self.merge)
        with Session(for_writing(self.made.engine)) as db:
            try:
                self.random.choice(acts)(db)
                db.commit()
            except DBAPIError:
                db.rollback()

    def add(self, db: Session) -> None:
        begins, ends = self.span()
        lasts = self.random.choice((None, None, self.made.now, self.made.now + timedelta(hours=1)))
        visit = Appointment(
            clinic_id=self.made.clinic_id, patient_id=self.made.patients[0], kind="other", treatment_code="other",
            state="booked" if lasts is None else "proposed", hold_expires_at=lasts, uid=str(uuid4()), zone="UTC",
            local_start=begins.replace(tzinfo=None), fold=0, minutes=30, starts_at=begins, ends_at=ends,
            scheduled_at=self.made.now, created_at=self.made.now)
        db.add(visit)
        db.flush()
        whom = [*self.whom, self.made.patients[0]]
        for need, ident in enumerate(self.random.sample(whom, self.random.randint(1, 3))):
            db.execute(sa.insert(ResourceBooking), {
                "appointment_id": visit.id, "resource_id": ident, "need": need, "starts_at": begins, "ends_at": ends,
                "clinic_id": self.random.choice((self.made.clinic_id, self.made.clinic_id, self.other_site))})

    def move(self, db: Session) -> None:
        begins, ends = self.span()
        self.change(db, starts_at=begins, ends_at=ends)

    def hand_on(self, db: Session) -> None:
        self.change(db, resource_id=self.random.choice(self.whom), clinic_id=self.other_site)

    def change(self, db: Session, **values: Any) -> None:
        db.execute(sa.update(ResourceBooking).where(ResourceBooking.id == self.one(db, ResourceBooking.id))
                   .values(**values))

    def free(self, db: Session) -> None:
        db.execute(sa.delete(ResourceBooking).where(ResourceBooking.id == self.one(db, ResourceBooking.id)))

    def end(self, db: Session) -> None:
        """An appointment ends untreated, or its row goes; the database frees what it held."""
        visit = Appointment.id == self.one(db, Appointment.id)
        if self.random.random() < 0.5:
            db.execute(sa.update(Appointment).where(visit).values(state="cancelled", hold_expires_at=None))
        else:
            db.execute(sa.delete(Appointment).where(visit))

    def merge(self, db: Session) -> None:
        merge_changes(db)

    def span(self) -> tuple[datetime, datetime]:
        """Near a clock change or the end of a page, or where another ends; not always on whole five minutes."""
        first = self.random.choice((*AROUND, datetime(2027, 6, 2, tzinfo=UTC)))
        odd = self.random.choice((0, 0, 2, 3))
        begins = first + timedelta(minutes=15 * self.random.randrange(4 * 24 * 4) + odd)
        if self.ends and self.random.random() < 0.5:
            begins = self.random.choice(self.ends)
        ends = begins + timedelta(minutes=self.random.choice((5, 28, 30, 30, 90, 3000)))
        self.ends.append(ends)
        return begins, ends

    def one(self, db: Session, column: Any) -> int:
        found = db.scalars(sa.select(column)).all()
        return self.random.choice(found) if found else 0


def facts(made: SmallClinic, db: Session, on: Ruler, ignore: Collection[int]) -> Facts:
    return facts_of(db, Wanted(
        clinic_id=made.clinic_id, patient_id=made.patients[0], codes=frozenset(), anyone=True, ignore=tuple(ignore),
        now=made.now, from_at=on.instant(0) + timedelta(days=4)))


def read(hand: Hand, on: Ruler, ignore: Collection[int]) -> dict[int, Occupied]:
    made = hand.made
    site = Site(made.clinic_id, {hand.other_site: WAY}, frozenset(made.practitioners))
    with Session(made.engine) as db:
        return dict(occupied(db, on, hand.whom, site, facts(made, db, on, ignore)))


def by_rows(hand: Hand, on: Ruler, ignore: Collection[int]) -> dict[int, Occupied]:
    """The same, row by row and granule by granule."""
    booked: dict[int, set[int]] = {ident: set() for ident in hand.whom}
    busy: dict[int, set[int]] = {ident: set() for ident in hand.whom}
    made = hand.made
    with made.engine.connect() as connection:
        rows = connection.execute(
            sa.select(ResourceBooking, Appointment.hold_expires_at)
            .join(Appointment, Appointment.id == ResourceBooking.appointment_id)).all()
    for row in rows:
        if row.resource_id not in booked or (row.hold_expires_at and row.hold_expires_at <= made.now):
            continue
        # A way of 20 minutes is whole granules, whichever the ruler counts.
        way = WAY if row.clinic_id != made.clinic_id and row.resource_id in made.practitioners else timedelta()
        for at in granules(on, row.starts_at - way, row.ends_at + way):
            booked[row.resource_id].add(at)
            if row.appointment_id not in ignore:
                busy[row.resource_id].add(at)
    return {ident: Occupied(_bits(booked[ident]), _bits(busy[ident])) for ident in hand.whom}


def granules(on: Ruler, begins: datetime, ends: datetime) -> Iterator[int]:
    size = timedelta(seconds=on.granule)
    at = max((begins - on.origin) // size, 0)
    while at < on.length and on.origin + at * size < ends:
        yield at
        at += 1


def _bits(found: set[int]) -> int:
    return sum(1 << at for at in found)


def rulers() -> list[Ruler]:
    return [ruler(zone("Europe/London"), first_on, days, granule) for first_on, days, granule in (
        (date(2027, 3, 26), 5, 300), (date(2027, 3, 27), 2, 60), (date(2027, 10, 28), 6, 300),
        (date(2027, 3, 20), 240, 300))]


@pytest.mark.parametrize("seed", range(3))
def test_packed_or_not_the_diary_says_what_its_rows_say(
    engine: Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occupancy, "MERGED_AT_ONCE", 7)
    hand = Hand(engine, seed)
    for _ in range(6):
        for _ in range(12):
            hand.write()
        with Session(engine) as db:
            visits = db.scalars(sa.select(Appointment.id)).all()
        ignore = hand.random.sample(visits, min(len(visits), hand.random.choice((0, 1, 3))))

        for on in rulers():
            assert read(hand, on, ignore) == by_rows(hand, on, ignore)
    with hand.made.work() as work:
        tidy_diary(work)
    assert _changes(engine) == 0
    for on in rulers():
        assert read(hand, on, ()) == by_rows(hand, on, ())


def test_a_booking_leaves_nothing_to_merge_and_pages_that_are_right(engine: Engine) -> None:
    made = small_clinic(engine)

    course_id = booked(made, sessions=3)

    held = _held(made)
    assert _changes(engine) == 0
    assert _paged(engine) == held != {}
    done(cancel(made, standing(made, course_id)[1]))
    assert _changes(engine) == 0
    assert _paged(engine) == _held(made) != held


@pytest.mark.postgres
def test_what_somebody_else_is_writing_stays_a_change_until_it_is_there(postgresql: PostgreSQLDatabases) -> None:
    """Two that book for one resource at once (SQLite has one writer): nobody waits for a row, and nothing gets lost."""
    engine = open_engine(postgresql.migrated())
    made = small_clinic(engine)
    hand = Hand.__new__(Hand)
    hand.made, hand.random, hand.whom, hand.other_site = made, Random(1), made.practitioners[:1], made.clinic_id
    with Session(for_writing(engine)) as one, Session(for_writing(engine)) as other:
        _insert(one, made, datetime(2027, 3, 2, 9, tzinfo=UTC))
        _insert(other, made, datetime(2027, 3, 2, 12, tzinfo=UTC))
        merged = merge_changes(one), merge_changes(other)
        other.commit()
        one.commit()

    assert merged == (1, 0)
    assert _changes(engine) == 1
    assert read(hand, rulers()[0], ()) == by_rows(hand, rulers()[0], ())
    with Session(for_writing(engine)) as db:
        merge_changes(db)
        db.commit()
    assert _paged(engine) == _held(made)
    engine.dispose()


def test_a_page_lies_in_its_row_and_everything_is_read_by_its_key(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, sessions=2)
    on = rulers()[0]

    with Session(engine) as db:
        known = facts(made, db, on, ())
        with counted(engine) as said:
            occupied(db, on, made.practitioners, Site(made.clinic_id, {}, frozenset()), known)

    assert PAGE % 8 == 0
    assert PAGE // 8 < 2000
    assert len(said) == 1


def test_a_diary_that_is_emptied_at_once_is_empty(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, sessions=2)

    with Session(for_writing(engine)) as db:
        db.execute(sa.text("TRUNCATE resource_booking" if engine.dialect.name == "postgresql"
                           else "DELETE FROM resource_booking"))
        merge_changes(db)
        db.commit()

    assert _paged(engine) == _held(made) == {}


def _insert(db: Session, made: SmallClinic, begins: datetime) -> None:
    visit = Appointment(
        clinic_id=made.clinic_id, patient_id=made.patients[0], kind="other", treatment_code="other", state="booked",
        uid=str(uuid4()), local_start=begins.replace(tzinfo=None), zone="UTC", fold=0, minutes=30, starts_at=begins,
        ends_at=begins + timedelta(hours=1), scheduled_at=made.now, created_at=made.now)
    db.add(visit)
    db.flush()
    db.add(ResourceBooking(
        appointment_id=visit.id, resource_id=made.practitioners[0], clinic_id=made.clinic_id, need=1,
        starts_at=begins, ends_at=begins + timedelta(hours=1)))
    db.flush()


def _changes(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(OccupancyChange)) or 0


def _paged(engine: Engine) -> dict[tuple[int, int], set[int]]:
    """The granules since 1970 that the pages say are held, by resource and clinic."""
    found: dict[tuple[int, int], set[int]] = {}
    with Session(engine) as db:
        for page in db.scalars(sa.select(Occupancy)):
            bits = int.from_bytes(page.bits, "little")
            held = {page.page * PAGE + at for at in range(bits.bit_length()) if bits >> at & 1}
            if held:
                found.setdefault((page.resource_id, page.clinic_id), set()).update(held)
    return found


def _held(made: SmallClinic) -> dict[tuple[int, int], set[int]]:
    """The same, by the rows."""
    found: dict[tuple[int, int], set[int]] = {}
    with Session(made.engine) as db:
        for row in db.scalars(sa.select(ResourceBooking).where(ResourceBooking.resource_id.not_in(made.patients))):
            begins, ends = int(row.starts_at.timestamp()), int(row.ends_at.timestamp())
            found.setdefault((row.resource_id, row.clinic_id), set()).update(
                at // GRANULE for at in range(begins, ends))
    return found
