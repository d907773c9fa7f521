"""The locks that a booking takes: they keep bookings apart, and never stop those who write past them for good."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.locks import is_overlap, lock_appointments, lock_resources
from tests.store.rows import NOW, Ids, add_appointment, hold, open_clinic

HOUR = timedelta(hours=1)


def test_a_raw_insert_beside_a_booking_ends_in_one_row_and_one_refusal(engine: Engine) -> None:
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        mine, theirs = add_appointment(db, ids).id, add_appointment(db, ids).id
        db.commit()
    written = Event()

    with ThreadPoolExecutor(1) as pool:
        with Session(for_writing(engine)) as db:
            lock_resources(db, [ids.room])
            other = pool.submit(_insert_raw, engine, ids, theirs, written)
            # On SQLite the other one cannot even begin; on PostgreSQL its row is there, unseen, before ours is.
            written.wait(0.5 if engine.dialect.name == "postgresql" else 0.05)
            answer = _insert_mine(db, ids, mine)
        answers = sorted([answer, other.result(20)])

    assert answers == ["done", "overlap"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_resources_are_locked_in_the_order_of_their_ids_however_they_are_named(
    engine: Engine, order: tuple[int, ...]
) -> None:
    ids = open_clinic(engine)
    found = [ids.practitioner, ids.room, ids.device]
    said: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: said.append(f"{args[2]} {args[3]}"))

    with Session(for_writing(engine)) as db:
        lock_resources(db, [found[at] for at in order] * 2)

    assert "ORDER BY resource.id" in said[-1]


def test_who_ends_several_appointments_and_who_adds_to_one_of_them_do_not_wait_for_each_other(engine: Engine) -> None:
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        one, two = (add_appointment(db, ids, NOW + hours * HOUR) for hours in (0, 1))
        hold(db, one, ids.room, NOW, NOW + HOUR)
        both = [one.id, two.id]
        db.commit()
    written = Event()

    with ThreadPoolExecutor(1) as pool, Session(for_writing(engine)) as db:
        lock_appointments(db, both)
        _end(db, both[0])
        other = pool.submit(_insert_raw, engine, ids, both[1], written)
        written.wait(0.3)
        _end(db, both[1])
        db.commit()

        assert other.result(20) == "blocks nothing"


def _end(db: Session, appointment_id: int) -> None:
    db.execute(sa.update(Appointment).where(Appointment.id == appointment_id).values(state="cancelled"))


def _insert_mine(db: Session, ids: Ids, appointment_id: int) -> str:
    try:
        db.execute(sa.insert(ResourceBooking), {
            "appointment_id": appointment_id, "resource_id": ids.room, "clinic_id": ids.clinic, "need": 0,
            "starts_at": NOW, "ends_at": NOW + HOUR})
        db.commit()
    except DBAPIError as error:
        if is_overlap(error):
            return "overlap"
        raise
    return "done"


def _insert_raw(engine: Engine, ids: Ids, appointment_id: int, written: Event) -> str:
    with Session(for_writing(engine)) as db:
        try:
            hold(db, db.get_one(Appointment, appointment_id), ids.room, NOW, NOW + HOUR)
            written.set()
            db.commit()
        except DBAPIError as error:
            if is_overlap(error):
                return "overlap"
            if "resource_booking_blocks" in str(error.orig):
                return "blocks nothing"
            raise
    return "done"
