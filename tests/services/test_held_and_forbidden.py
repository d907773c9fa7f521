"""Dates that are held, and something heard in the meantime that forbids them: nothing confirms them then."""
from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard
from clinic.queries.protocol_contents import protocol_of
from clinic.services.consultations import confirm_dates
from clinic.services.contraindications import note_contraindication
from clinic.services.work import Done, Refused
from clinic.services.workers import free_holds
from tests.booking import codes, course_row, done, standing
from tests.other_visits import clinic_with_visits, hold_course, take_place, visit_booked
from tests.small_clinic import SmallClinic


@pytest.fixture
def made(engine: Engine) -> SmallClinic:
    """A clinic that holds dates until a consultation."""
    return clinic_with_visits(engine, "hold")


def note(made: SmallClinic, course_id: int, what: Heard) -> Done[int] | Refused:
    """The desk notes what it heard."""
    with made.work("receptionist") as work:
        return note_contraindication(work, course_id, what, lock_version=course_row(made, course_id).lock_version)


def confirmed(made: SmallClinic, course_id: int) -> Done[int] | Refused:
    """The desk confirms the dates, for a reason."""
    with made.work("practitioner") as work:
        return confirm_dates(work, course_id, lock_version=course_row(made, course_id).lock_version,
                             overrides={"consultation-first": "Seen at the hospital."})


def forbidding(made: SmallClinic, kind: str) -> str:
    """A contraindication of that kind in the protocol of the course."""
    with Session(made.engine) as db:
        known = protocol_of(db, made.versions["mn_rejuvenation"]).contraindications
    return next(each.code for each in known if each.kind.value == kind and not each.defer_days)


def test_what_forbids_treatment_is_noted_while_dates_are_held_and_keeps_them_from_being_confirmed(
    made: SmallClinic
) -> None:
    visit = visit_booked(made)
    course_id = done(hold_course(made))
    code = forbidding(made, "absolute")

    noted = note(made, course_id, Heard(code))
    by_hand = confirmed(made, course_id)
    done(take_place(made, visit))

    assert isinstance(noted, Done)
    assert len(codes(by_hand)) == 1
    assert course_row(made, course_id).state == "draft"
    assert {each.state for each in standing(made, course_id)} == {"proposed"}


def test_once_it_is_called_over_the_dates_are_confirmed(made: SmallClinic) -> None:
    course_id = done(hold_course(made))
    code = forbidding(made, "absolute")
    done(note(made, course_id, Heard(code)))

    with made.work("practitioner") as work:
        done(note_contraindication(work, course_id, Heard(code, over="A mistake: it was her sister."),
                                   lock_version=course_row(made, course_id).lock_version))
    done(confirmed(made, course_id))

    assert course_row(made, course_id).state == "active"


def test_dates_before_the_first_day_that_is_allowed_are_not_confirmed(made: SmallClinic) -> None:
    course_id = done(hold_course(made))
    with Session(made.engine) as db:
        known = protocol_of(db, made.versions["mn_rejuvenation"]).contraindications
    waits = next(each for each in known if each.defer_days)
    first_on = standing(made, course_id)[0].local_start.date()
    assert first_on < made.now.date() + timedelta(days=waits.defer_days or 0)

    noted = note(made, course_id, Heard(waits.code, made.now.date()))

    assert "too-early" in [finding.code for finding in noted.findings]
    assert "too-early" in codes(confirmed(made, course_id))


def test_what_is_noted_does_not_keep_the_dates_held_for_longer(made: SmallClinic) -> None:
    course_id = done(hold_course(made))
    done(note(made, course_id, Heard(forbidding(made, "absolute"))))
    made.now += timedelta(days=30)

    with made.work() as work:
        free_holds(work)

    assert course_row(made, course_id).state == "revoked"
    assert standing(made, course_id) == []
