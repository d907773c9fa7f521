"""Where the clinic was the cause of a change, its patient reads an apology with the new time."""
from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.services.appointments import cancel_appointment, move_appointment
from clinic.services.repair import repair_course
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Absence, Practitioner
from tests.booking import booked, done, held_by, standing
from tests.services.test_repair import later, repairs, say_all
from tests.small_clinic import SmallClinic, small_clinic


def waiting(made: SmallClinic) -> list[str]:
    with Session(made.engine) as db:
        return list(db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "pending", MessageItem.kind.in_(("change", "clinic-change", "cancellation")))))


def moved(made: SmallClinic, appointment: Appointment, *, days: int, by_clinic: bool) -> None:
    with Session(made.engine) as db:
        version = db.get_one(Appointment, appointment.id).lock_version
    with made.work() as work:
        done(move_appointment(work, appointment.id, later(made, appointment, days), lock_version=version,
                              overrides={"too-late": "told"}, by_clinic=by_clinic))


def test_a_move_that_is_our_doing_is_told_with_an_apology_until_the_patient_moves_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    say_all(made)
    last = standing(made, course_id)[-1]

    moved(made, last, days=7, by_clinic=True)
    ours = waiting(made)
    moved(made, standing(made, course_id)[-1], days=7, by_clinic=False)

    assert (ours, waiting(made)) == (["clinic-change"], ["change"])


def test_a_cancellation_that_is_our_doing_is_kept_as_such(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    say_all(made)
    last = standing(made, course_id)[-1]

    with made.work() as work:
        done(cancel_appointment(work, last.id, reason="away", lock_version=last.lock_version, by_clinic=True))

    with Session(engine) as db:
        assert db.get_one(Appointment, last.id).changed_by_clinic is True
    assert waiting(made) == ["cancellation"]


def test_what_an_absence_moves_is_seen_to_be_our_doing(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    say_all(made)
    second = standing(made, course_id)[1]
    with made.work() as work:
        held = {resource for _, resource in held_by(made, second.id)}
        work.db.add_all(
            Absence(resource_id=each, starts_at=second.starts_at, ends_at=second.ends_at, reason="ill")
            for each in work.db.scalars(sa.select(Practitioner.id)) if each in held)
        work.commit()
    found = repairs(made, course_id)

    with made.work() as work:
        done(repair_course(work, course_id, found.proposals[0].choices, found.proposals[0].undated, token=found.token,
                           by_clinic=found.proposals[0].is_ours))

    assert found.proposals[0].is_ours
    assert waiting(made) == ["clinic-change"]
