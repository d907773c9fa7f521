"""Another room or device for one visit: only what is free and fit, nothing told, and the database has the last word."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.swaps import Swap, swaps
from clinic.queries.visit_choice import parse_choice
from clinic.services.attendance import mark_arrived
from clinic.services.swaps import swap_resource
from clinic.services.visits import book_visit
from clinic.services.work import Done, Refused
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.outbox import Message
from clinic.store.resources import Device, Room
from tests.booking import booked, codes, done, row, standing
from tests.other_visits import add_other_visits, visit_times, wish
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic


def offered(made: SmallClinic, visit: Appointment) -> tuple[Swap, ...]:
    with Session(made.engine) as db:
        return swaps(db, visit.id, now=made.now)


def swap(made: SmallClinic, visit: Appointment, each: Swap, version: int | None = None) -> Done[int] | Refused:
    with made.work() as work:
        return swap_resource(work, visit.id, instead_of=each.instead_of, take=each.take,
                             lock_version=visit.lock_version if version is None else version)


def held(made: SmallClinic, visit: Appointment) -> set[int]:
    with Session(made.engine) as db:
        return set(db.scalars(sa.select(ResourceBooking.resource_id).where(
            ResourceBooking.appointment_id == visit.id)))


def messages(made: SmallClinic) -> list[tuple[int, str]]:
    with Session(made.engine) as db:
        return [(each.id, each.state) for each in db.scalars(sa.select(Message).order_by(Message.id))]


def test_a_room_and_a_device_are_swapped_while_the_patient_is_here_and_nothing_is_sent(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        db.add_all([Device(clinic_id=made.clinic_id, name="Spare pen", device_type="needling-pen"),
                    Device(clinic_id=made.clinic_id, name="Other", device_type="ipl"),
                    Room(clinic_id=made.clinic_id, name="Bare room", features=[])])
        db.commit()
    visit = standing(made, booked(made))[0]
    made.now = visit.starts_at
    with made.work() as work:
        done(mark_arrived(work, visit.id, lock_version=visit.lock_version))
    told, visit = messages(made), row(made, Appointment, visit.id)

    found = {each.name: each for each in offered(made, visit)}
    assert "Spare pen" in found
    assert not {"Other", "Ipl", "Bare room"} & set(found)
    for each in found.values():
        visit = row(made, Appointment, visit.id)
        done(swap(made, visit, each))
        assert each.take in held(made, visit)
        assert each.instead_of not in held(made, visit)

    after = row(made, Appointment, visit.id)
    assert (after.revision, after.starts_at, messages(made)) == (visit.revision, visit.starts_at, told)
    assert audit(engine) == []


def test_what_is_taken_gone_or_unfit_is_refused_and_the_second_of_two_is_told(engine: Engine) -> None:
    made = small_clinic(engine, patients=3)
    visit = standing(made, booked(made))[0]
    room = next(each for each in offered(made, visit) if each.name.startswith("Room"))
    with made.work() as work:
        refused = swap_resource(work, visit.id, instead_of=room.instead_of, take=made.devices[0],
                                lock_version=visit.lock_version)
    assert codes(refused) == ["not-free"]

    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Room.__table__).where(Room.__table__.c.id == room.take).values(active=False))
        db.commit()

    assert offered(made, visit) == () or room not in offered(made, visit)
    assert codes(swap(made, visit, room)) == ["not-free"]
    assert held(made, visit) >= {room.instead_of}


def test_a_visit_of_no_course_takes_another_room_too(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        add_other_visits(db)
        db.commit()
    wanted = wish(made)
    with made.work() as work:
        ident = done(book_visit(work, wanted, parse_choice(visit_times(made, wanted).times[-1].choice)))
    visit = row(made, Appointment, ident)

    for each in offered(made, visit)[:1]:
        done(swap(made, visit, each))
        assert each.take in held(made, visit)
    assert audit(engine) == []
