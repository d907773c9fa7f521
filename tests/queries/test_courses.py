"""What the page of a course reads."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.states import SessionState
from clinic.care.windows import Fit
from clinic.queries.courses import CoursePage, clinic_of_course, course_page
from clinic.store.courses import CourseOverride, MaintenancePlan, Recall, TreatmentSession
from clinic.store.engine import for_writing
from tests.queries.statements import counted
from tests.web import seed

DOCUMENT = next(each for each in load_catalogue() if each.code == "mn_rejuvenation").to_document()


def _course(db: Session, *, sessions: int = 3, booked: int = 2, where: str = "Europe/London") -> tuple[int, list[int]]:
    """A course with its first sessions booked four weeks apart at nine, with a practitioner and a room."""
    clinic = seed.add_clinic(db, f"Clinic of {sessions}", where)
    patient = seed.add_patient(db)
    holds = (seed.add_practitioner(db), seed.add_room(db, clinic))
    author = seed.add_account(db, f"{sessions}@example.org", {}, name="Ruth Vale")
    version = seed.add_protocol(
        db, {**DOCUMENT, "code": f"mn_{sessions}"}, state="approved", by=author)
    course_id, rows = seed.add_course(db, patient, clinic, version, sessions=sessions)
    for number, row in enumerate(rows[:booked]):
        starts_at = datetime(2027, 3, 1, 9, tzinfo=UTC) + timedelta(days=28 * number)
        seed.add_appointment(db, patient, clinic, starts_at, where=where, treatment_session_id=row, resources=holds)
        seed.add_message(db, patient, clinic, course_id=course_id)
    db.add(CourseOverride(course_id=course_id, code="anticoagulant", value={"finding": "Anticoagulant"},
                          reason="INR 2.1", made_at=seed.NOW, made_by=author))
    db.commit()
    return course_id, rows


def _page(engine: Engine, course_id: int) -> CoursePage:
    with Session(engine) as db:
        found = course_page(db, course_id)
    assert found is not None
    return found


def test_a_course_shows_each_session_with_who_where_and_how_it_fits(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        course_id, _ = _course(db)

    page = _page(engine, course_id)

    assert [(line.number, line.state, line.held_on, line.gap_days) for line in page.treatment_sessions] == [
        (1, SessionState.BOOKED, date(2027, 3, 1), None), (2, SessionState.BOOKED, date(2027, 3, 29), 28),
        (3, SessionState.OWED, None, None)]
    first = page.treatment_sessions[0]
    assert first.appointment is not None
    assert (first.appointment.practitioner, first.appointment.room, first.appointment.device, first.fit) == (
        "Dr Ada Park", "Room 2", None, Fit.IDEAL)


def test_times_are_those_of_the_clinics_own_clock_on_both_sides_of_a_clock_change(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        course_id, _ = _course(db)

    page = _page(engine, course_id)

    starts = [line.appointment.local_start for line in page.treatment_sessions if line.appointment]
    assert [f"{at:%d %b %H:%M %Z}" for at in starts] == ["01 Mar 09:00 GMT", "29 Mar 10:00 BST"]


def test_a_cancelled_appointment_stays_in_sight_and_gives_no_date(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        course_id, rows = _course(db, booked=0)
        page = course_page(db, course_id)
        assert page is not None
        seed.add_appointment(db, page.patient.id, page.clinic_id, seed.NOW, state="cancelled",
                             treatment_session_id=rows[0])
        db.commit()

    line = _page(engine, course_id).treatment_sessions[0]

    assert (line.appointment, line.held_on, [visit.state for visit in line.past]) == (None, None, ["cancelled"])


def test_a_course_shows_why_and_by_whom_a_warning_was_gone_past(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        course_id, _ = _course(db)

    told = _page(engine, course_id).overrides

    assert [(each.what, each.reason, each.made_by) for each in told] == [("Anticoagulant", "INR 2.1", "Ruth Vale")]


def test_maintenance_counts_its_gap_from_the_last_session_and_says_when_the_patient_is_asked(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        course_id, _ = _course(db, sessions=1, booked=1)
        plan = MaintenancePlan(course_id=course_id, state="active", interval_days=180, shortest_days=120,
                               longest_days=360, created_at=seed.NOW)
        db.add(plan)
        db.flush()
        owed = TreatmentSession(maintenance_plan_id=plan.id, number=1, treatment_code="skin-needling", state="owed")
        db.add(owed)
        db.flush()
        db.add(Recall(treatment_session_id=owed.id, ask_on=date(2027, 8, 7)))
        page = course_page(db, course_id)
        assert page is not None
        seed.add_appointment(db, page.patient.id, page.clinic_id, seed.NOW + timedelta(days=180),
                             treatment_session_id=owed.id)
        db.commit()

    upkeep = _page(engine, course_id).maintenance

    assert upkeep is not None
    assert [line.gap_days for line in upkeep.treatment_sessions] == [180]


def test_a_course_that_is_not_there_has_no_page_and_no_clinic(engine: Engine) -> None:
    with Session(engine) as db:
        assert (course_page(db, 5), clinic_of_course(db, 5)) == (None, None)


def test_a_page_asks_as_much_for_thirty_sessions_as_for_one(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        small, _ = _course(db, sessions=1, booked=1)
        large, _ = _course(db, sessions=30, booked=30)
    counts = []

    for course_id in (small, large):
        with counted(engine) as told:
            _page(engine, course_id)
        counts.append(len(told))

    assert counts[0] == counts[1]
