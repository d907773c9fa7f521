"""A consultation first: a course that waits for one, dates that are held for it, confirmed, kept longer or let go."""
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.outcomes import NotTreatedCause
from clinic.planning.local import instant, zone
from clinic.queries.visit_choice import parse_choice
from clinic.services import consultations
from clinic.services.appointments import book_session, cancel_appointment, move_appointment
from clinic.services.attendance import end_untreated
from clinic.services.courses import book_course, stop_course
from clinic.services.holding import free_lapsed
from clinic.services.lapsing import lapse_holds
from clinic.services.reconcile import reconcile_patient
from clinic.services.work import Done, Refused, Stale
from clinic.services.workers import free_holds
from clinic.store.courses import CourseOverride
from clinic.store.diary import Appointment
from tests.booking import (
    asked,
    book,
    chosen,
    codes,
    course_row,
    done,
    held_by,
    offered,
    row,
    sessions_of,
    standing,
    times,
)
from tests.other_visits import clinic_with_visits, hold_course, items, read_mail, take_place, visit_booked
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic

WHY = {"consultation-first": "Seen at the hospital last week."}


def test_a_course_is_not_booked_before_a_consultation_and_is_after_it(engine: Engine) -> None:
    made = clinic_with_visits(engine, "before")
    request = asked(made)

    before = book(made, request, role="receptionist")
    [warned] = offered(made, request).findings
    done(take_place(made, visit_booked(made)))

    assert (codes(before), warned.code) == (["consultation-first"], "consultation-first")
    assert offered(made, request).findings == ()
    assert course_row(made, done(book(made, request, role="receptionist"))).state == "active"


def test_only_a_practitioner_goes_past_a_missing_consultation_and_why_is_kept(engine: Engine) -> None:
    made = clinic_with_visits(engine, "before")

    receptionist = book(made, asked(made), role="receptionist", overrides=WHY)
    course_id = done(book(made, asked(made), role="practitioner", overrides=WHY))

    assert codes(receptionist) == ["practitioner-needed"]
    assert _reasons(made, course_id) == [("consultation-first", WHY["consultation-first"])]


def test_a_consultation_that_was_for_nothing_or_of_somebody_else_does_not_count(engine: Engine) -> None:
    made = clinic_with_visits(engine, "before")
    done(take_place(made, visit_booked(made, patient=1)))
    done(take_place(made, visit_booked(made, "review")))
    visit = visit_booked(made)
    made.now = visit.ends_at
    with made.work() as work:
        done(end_untreated(work, visit.id, cause=NotTreatedCause.OTHER_HEALTH, lock_version=visit.lock_version))

    assert codes(book(made, asked(made, not_before_on=made.now.date()))) == ["consultation-first"]


def test_dates_are_held_until_the_end_of_a_day_and_the_patient_is_told_so(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")

    course_id = done(hold_course(made, until=date(2027, 3, 1)))

    held = standing(made, course_id)
    assert course_row(made, course_id).state == "draft"
    assert [(each.state, each.hold_expires_at) for each in held] == [("proposed", datetime_of(date(2027, 3, 2)))] * 3
    assert all(held_by(made, each.id) for each in held)
    assert items(made, "course", course_id) == [("dates-held", "pending")]
    assert audit(engine) == []


def test_the_day_that_suggests_itself_is_that_of_the_consultation_and_the_plan_begins_after_it(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    visit = visit_booked(made)

    found = offered(made, asked(made))
    course_id = done(hold_course(made))

    assert found.hold is not None
    assert found.hold.suggested == visit.local_start.date() == date(2027, 3, 2)
    assert standing(made, course_id)[0].local_start.date() > visit.local_start.date()
    assert standing(made, course_id)[0].hold_expires_at == datetime_of(date(2027, 3, 3))


@pytest.mark.parametrize("until", [date(2027, 2, 28), date(2027, 3, 8)])
def test_dates_are_never_held_into_the_past_or_past_the_day_before_the_first_session(
    engine: Engine, until: date
) -> None:
    made = clinic_with_visits(engine, "hold")

    assert codes(hold_course(made, until=until)) == ["hold-until"]
    assert codes(_book_today(made)) == ["no-day-to-hold"]


def test_a_consultation_that_took_place_confirms_the_dates_and_then_they_are_told(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    visit, other = visit_booked(made), done(hold_course(made, patient=1))
    course_id = done(hold_course(made))
    read_mail(made)

    done(take_place(made, visit))

    held = standing(made, course_id)
    assert course_row(made, course_id).state == "active"
    assert [(each.state, each.hold_expires_at, each.revision) for each in held] == [("booked", None, 0)] * 3
    assert items(made, "course", course_id)[:2] == [("dates-held", "sent"), ("confirmation", "pending")]
    assert course_row(made, other).state == "draft"
    assert all(each.earliest_on for each in sessions_of(made, course_id=course_id)[1:])
    assert audit(engine) == []


def test_a_hold_that_was_not_told_yet_is_confirmed_without_ever_being_told(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))

    done(_confirm(made, course_id, role="practitioner", overrides=WHY))

    assert items(made, "course", course_id)[0] == ("dates-held", "superseded")
    assert ("confirmation", "pending") in items(made, "course", course_id)


def test_dates_are_confirmed_without_a_consultation_by_a_practitioner_with_a_reason_alone(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))

    silent = _confirm(made, course_id, role="practitioner")
    receptionist = _confirm(made, course_id, role="receptionist", overrides=WHY)
    done(_confirm(made, course_id, role="practitioner", overrides=WHY))

    assert (codes(silent), codes(receptionist)) == (["consultation-first"], ["practitioner-needed"])
    assert _reasons(made, course_id) == [("consultation-first", WHY["consultation-first"])]
    assert codes(_confirm(made, course_id, role="practitioner", overrides=WHY)) == ["not-held"]


def test_when_the_day_has_passed_all_dates_are_free_and_who_heard_of_them_is_told_once(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    heard = done(hold_course(made, patient=0))
    read_mail(made)
    unheard = done(hold_course(made, patient=1))
    until_at = standing(made, heard)[0].hold_expires_at
    assert until_at is not None

    freed = []
    for late in (-timedelta(seconds=1), timedelta(0), timedelta(minutes=1)):
        made.now = until_at + late
        with made.work() as work:
            freed.append(free_holds(work))

    assert freed == [0, 6, 0]
    assert [(course.state, course.ended_reason) for course in (course_row(made, heard), course_row(made, unheard))] == [
        ("revoked", "hold-expired")] * 2
    assert [each.state for each in sessions_of(made, course_id=heard)] == ["not-done"] * 3
    assert standing(made, heard) == []
    assert items(made, "course", heard) == [("dates-held", "sent"), ("dates-released", "pending")]
    assert dict(items(made, "course", unheard))["dates-held"] in ("superseded", "expired")
    assert "dates-released" not in dict(items(made, "course", unheard))
    assert audit(engine) == []


def test_a_booking_takes_lapsed_dates_and_a_confirmation_that_comes_late_finds_them_gone(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))
    first = standing(made, course_id)[0]
    assert first.hold_expires_at is not None
    seen_at, made.now = made.now, first.hold_expires_at
    course = course_row(made, course_id)
    choice = chosen(offered(made, asked(made, sessions=1, patient_id=made.patients[1])).offers[0])

    with made.work() as work:
        free_lapsed(work, [resource for each in standing(made, course_id) for _, resource in held_by(made, each.id)])
        work.commit()
    made.now = seen_at
    late = _confirm(made, course_id, role="practitioner", overrides=WHY, version=course.lock_version)

    assert choice[0].starts_at >= first.hold_expires_at
    assert codes(late) == ["taken"]
    assert course_row(made, course_id).state == "draft"


def test_dates_are_held_longer_and_that_is_told_anew(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    request = asked(made, not_before_on=date(2027, 3, 22))
    course_id = done(book(made, request))
    read_mail(made)

    outcomes = [_hold_until(made, course_id, day) for day in (date(2027, 3, 22), date(2027, 3, 19))]

    assert codes(outcomes[0]) == ["hold-until"]
    assert {each.hold_expires_at for each in standing(made, course_id)} == {datetime_of(date(2027, 3, 20))}
    assert items(made, "course", course_id) == [("dates-held", "sent"), ("dates-held", "pending")]


def test_a_held_date_is_moved_within_its_course_but_not_before_the_consultation(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(book(made, asked(made, not_before_on=date(2027, 3, 22))))
    first, second, _ = standing(made, course_id)
    assert first.treatment_session_id and second.treatment_session_id
    sooner = times(made, first.treatment_session_id, date(2027, 3, 10)).times[0]
    later = times(made, first.treatment_session_id, first.local_start.date()).times[-1]

    with made.work() as work:
        early = move_appointment(work, first.id, parse_choice(sooner.choice), lock_version=first.lock_version)
    with made.work() as work:
        done(move_appointment(work, first.id, parse_choice(later.choice), lock_version=first.lock_version))

    after = row(made, Appointment, first.id)
    assert codes(early) == ["before-consultation"]
    assert (after.state, after.starts_at, after.hold_expires_at) == ("proposed", later.starts_at, first.hold_expires_at)
    assert items(made, "course", course_id) == [("dates-held", "superseded"), ("dates-held", "pending")]
    assert audit(engine) == []


def test_one_held_date_is_given_up_but_the_last_one_only_with_its_course(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made, sessions=2))
    outcomes = []
    for visit in standing(made, course_id):
        with made.work() as work:
            outcomes.append(cancel_appointment(work, visit.id, reason="patient", lock_version=visit.lock_version))
    done(outcomes[0])
    owed = sessions_of(made, course_id=course_id)[0]
    with made.work() as work:
        again = book_session(work, owed.id, parse_choice(times(made, owed.id, date(2027, 3, 2)).times[0].choice))

    assert codes(outcomes[1]) == ["last-held"]
    assert codes(again) == ["held"]


def test_a_held_course_that_is_stopped_lets_its_dates_go_and_says_so(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))
    read_mail(made)

    with made.work() as work:
        done(stop_course(work, course_id, reason="Wish of the patient", lock_version=1))

    assert course_row(made, course_id).state == "revoked"
    assert items(made, "course", course_id) == [("dates-held", "sent"), ("dates-released", "pending")]
    assert standing(made, course_id) == []


def test_two_who_confirm_one_course_do_it_once(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))
    version = course_row(made, course_id).lock_version
    done(_confirm(made, course_id, role="practitioner", overrides=WHY, version=version))

    with pytest.raises(Stale):
        _confirm(made, course_id, role="practitioner", overrides=WHY, version=version)


def test_a_new_address_holds_no_message_of_held_dates_back(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))

    with made.work() as work:
        reconcile_patient(work, made.patients[0])
        work.commit()

    assert items(made, "course", course_id) == [("dates-held", "pending")]


@pytest.mark.parametrize("last", [date(2027, 3, 27), date(2027, 10, 30)])
def test_a_hold_over_a_clock_change_ends_at_local_midnight(engine: Engine, last: date) -> None:
    made = clinic_with_visits(engine, "hold")
    made.now = made.now.replace(month=last.month, day=20)
    request = asked(made, sessions=1, not_before_on=last + timedelta(days=3))
    with made.work() as work:
        course_id = done(book_course(work, request, chosen(offered(made, request).offers[0]), hold_until=last))

    [held] = standing(made, course_id)
    assert held.hold_expires_at == instant(last + timedelta(days=1), 0, zone("Europe/London"))


def datetime_of(day: date) -> datetime:
    """Local midnight at which that day begins."""
    return instant(day, 0, zone("Europe/London"))


def _book_today(made: SmallClinic) -> Done[int] | Refused:
    """A course by hand whose first session is today."""
    choice = chosen(offered(made, asked(made, sessions=1)).offers[0])[0]
    return book(made, asked(made, sessions=1), [type(choice)(1, made.now + timedelta(hours=2), choice.resource_ids)])


def _confirm(
    made: SmallClinic, course_id: int, *, role: str | None = None, overrides: dict[str, str] | None = None,
    version: int | None = None,
) -> Done[int] | Refused:
    with made.work(role) as work:
        return consultations.confirm_dates(
            work, course_id, lock_version=version or course_row(made, course_id).lock_version, overrides=overrides)


def _hold_until(made: SmallClinic, course_id: int, until_on: date) -> Done[int] | Refused:
    with made.work() as work:
        return consultations.hold_until(
            work, course_id, until_on=until_on, lock_version=course_row(made, course_id).lock_version)


def _reasons(made: SmallClinic, course_id: int) -> list[tuple[str, str]]:
    with Session(made.engine) as db:
        rows = db.execute(sa.select(CourseOverride.code, CourseOverride.reason).where(
            CourseOverride.course_id == course_id))
        return [(code, reason) for code, reason in rows]


def test_a_held_course_is_not_stopped_once_its_dates_have_lapsed_and_owes_nothing_after_either(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made))
    made.now = standing(made, course_id)[0].hold_expires_at or made.now
    with made.work() as work:
        late = stop_course(work, course_id, reason="Wish of the patient", lock_version=1)
    with made.work() as work:
        lapse_holds(work)

    assert codes(late) == ["ended"]
    assert (course_row(made, course_id).state, course_row(made, course_id).ended_reason) == ("revoked", "hold-expired")
    assert {each.state for each in sessions_of(made, course_id=course_id)} == {"not-done"}
    assert audit(engine) == []
