"""Holds: they keep a time until they expire, and block nothing and nobody from then on."""
from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services.workers import free_holds
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing, open_engine
from clinic.store.locks import lock_course
from tests.booking import (
    asked,
    at,
    book,
    booked,
    cancel,
    choose,
    chosen,
    codes,
    done,
    held_by,
    move,
    offered,
    rebook,
    row,
    sessions_of,
    standing,
    times,
)
from tests.databases import PostgreSQLDatabases
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic

LASTS = timedelta(minutes=10)


def hold(made: SmallClinic, appointment_id: int, until: datetime) -> None:
    """Makes a hold of an appointment, as a patient who has not confirmed it would leave it."""
    with Session(for_writing(made.engine)) as db:
        db.execute(sa.update(Appointment).where(Appointment.id == appointment_id)
                   .values(state="proposed", hold_expires_at=until))
        db.commit()


def test_a_hold_blocks_until_its_time_is_up_and_not_from_then_on(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    hold(made, visit.id, made.now + LASTS)
    request = asked(made, sessions=1, patient_id=made.patients[1])
    choice = choose(1, visit.starts_at, [resource for _, resource in held_by(made, visit.id)[1:]])

    held = book(made, request, [choice])
    made.now = made.now + LASTS
    request = asked(made, sessions=1, patient_id=made.patients[1], not_before_on=visit.local_start.date())
    late = choose(1, visit.starts_at + timedelta(minutes=15), choice.resource_ids)
    done(book(made, request, [late]))

    assert codes(held) == ["busy", "busy", "busy"]
    freed = held_by(made, visit.id)
    with made.work() as work:
        ended = free_holds(work)
    after = row(made, Appointment, visit.id)
    assert (freed, ended) == ([], 1)
    assert (after.state, after.cancellation_reason, after.hold_expires_at) == ("cancelled", "hold-expired", None)
    assert audit(engine) == []


def test_what_a_lapsed_hold_held_is_offered_before_anybody_has_cleared_it(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    request = asked(made, sessions=1, patient_id=made.patients[1])
    hold(made, visit.id, made.now)

    first = chosen(offered(made, request).offers[0])[0]

    assert (first.starts_at, set(first.resource_ids)) == (
        visit.starts_at, {resource for _, resource in held_by(made, visit.id)[1:]})
    done(book(made, request, [first]))


def test_a_session_whose_hold_lapsed_can_be_booked_at_once(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    second = standing(made, course_id)[1]
    hold(made, second.id, made.now + LASTS)
    made.now += LASTS

    offer = times(made, second.treatment_session_id or 0, second.local_start.date()).times[0]
    done(rebook(made, second.treatment_session_id or 0, choose(2, offer.starts_at, offer.resource_ids)))

    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["booked", "booked"]
    assert audit(engine) == []


def test_a_lapsed_hold_does_not_stand_in_the_way_of_the_sessions_beside_it(engine: Engine) -> None:
    made = small_clinic(engine)
    first, second = standing(made, booked(made, sessions=2))
    hold(made, second.id, made.now)
    after_it = second.starts_at + timedelta(days=7)
    needs = [resource for _, resource in held_by(made, first.id)[1:]]

    done(move(made, first, choose(1, after_it, needs)))

    assert row(made, Appointment, second.id).state == "cancelled"
    assert audit(engine) == []


def test_only_holds_whose_time_is_up_expire_and_their_sessions_are_owed(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    hold(made, first.id, made.now)
    hold(made, second.id, made.now + timedelta(seconds=1))

    with made.work() as work:
        freed = [free_holds(work), free_holds(work)]

    assert freed == [1, 0]
    assert [row(made, Appointment, each.id).state for each in (first, second, third)] == [
        "cancelled", "proposed", "booked"]
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["owed", "booked", "booked"]
    assert held_by(made, first.id) == []


@pytest.mark.postgres
def test_a_hold_that_another_desk_is_settling_makes_nobody_wait(postgresql: PostgreSQLDatabases) -> None:
    url = postgresql.migrated()
    engine = open_engine(url)
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    hold(made, standing(made, course_id)[0].id, made.now)

    with Session(for_writing(engine)) as other:
        lock_course(other, course_id)
        with made.work() as work:
            freed = free_holds(work)

    engine.dispose()
    postgresql.remove(url)
    assert freed == 0


def test_a_cancelled_visit_frees_every_thing_that_it_held(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    choice = choose(1, visit.starts_at, [resource for _, resource in held_by(made, visit.id)[1:]])
    done(cancel(made, visit))

    done(book(made, asked(made, sessions=1, patient_id=made.patients[1]), [choice]))

    assert visit.starts_at == at(1, 9)
