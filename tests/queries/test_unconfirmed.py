"""Whom the desk calls: who has not said that they come, and who has."""
from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.planning.local import zone
from clinic.queries.unconfirmed import UnconfirmedPage, unconfirmed
from clinic.services.confirming import note_confirmed
from clinic.services.work import Done, Refused
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from tests.booking import at, row
from tests.small_clinic import SmallClinic, small_clinic
from tests.web.seed import add_appointment


def read(made: SmallClinic) -> UnconfirmedPage:
    with Session(made.engine) as db:
        return unconfirmed(db, made.clinic_id, where=zone("Europe/London"), now=made.now)


def test_who_has_not_confirmed_is_called_and_leaves_the_list_with_one_press(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        soon, then, later, past = (
            add_appointment(db, made.patients[0], made.clinic_id, when, resources=(made.practitioners[0],))
            for when in (at(1, 14), at(4, 23), at(5, 9), at(1, 8)))
        add_appointment(db, made.patients[1], made.clinic_id, at(1, 15), state="cancelled")
        db.commit()
    before = read(made)

    outcomes = []
    for visit, version in ((soon, 1), (soon, 2), (past, 1)):
        with made.work("receptionist") as work:
            outcomes.append(note_confirmed(work, visit, lock_version=version))
        made.now += timedelta(minutes=1)

    assert [each.id for each in before.rows] == [soon, then]
    assert (before.total, before.rows[0].patient) == (2, "Ana Novák")
    assert [type(each) for each in outcomes] == [Done, Done, Refused]
    assert [each.id for each in read(made).rows] == [then]
    assert row(made, Appointment, soon).confirmed_at == at(1, 9)
    assert row(made, Appointment, later).confirmed_at is None
