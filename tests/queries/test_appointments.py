"""What a page about one appointment, or about the session that is to get one, reads."""
from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.windows import Fit, Window
from clinic.queries.appointments import SessionPage, VisitSubject, appointment_page, clinic_of_session, session_page
from clinic.store.engine import for_writing
from tests.queries.statements import counted
from tests.queries.test_courses import _course
from tests.web import seed


def _session_page(engine: Engine, treatment_session_id: int) -> SessionPage:
    with Session(engine) as db:
        found = session_page(db, treatment_session_id)
    assert found is not None
    return found


def test_a_move_leaves_a_later_date_and_tells_how_it_would_lie_in_its_new_window(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        _, rows = _course(db, sessions=3, booked=2)

    [second, third] = _session_page(engine, rows[0]).knock_on(date(2027, 3, 8))

    assert (second.line.held_on, second.fit) == (date(2027, 3, 29), Fit.TOO_EARLY)
    assert third.window == Window(*(date(2027, 3, 29) + timedelta(days=days) for days in (28, 30, 56)))


def test_the_last_session_moves_nothing_else(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        _, rows = _course(db, sessions=3, booked=2)

    assert _session_page(engine, rows[2]).knock_on(date(2027, 6, 1)) == ()


def test_an_appointment_without_a_session_has_its_treatment_only(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        clinic, patient = seed.add_clinic(db), seed.add_patient(db)
        seed.add_treatment(db, "consultation", "Consultation")
        visit = seed.add_appointment(db, patient, clinic, seed.NOW, treatment="consultation")
        db.commit()

    with Session(engine) as db:
        page = appointment_page(db, visit)

    assert page is not None
    assert isinstance(page.subject, VisitSubject)
    assert (page.subject.what, page.treatment_session) == ("Consultation", None)


def test_what_is_not_there_has_no_page(engine: Engine) -> None:
    with Session(engine) as db:
        assert (appointment_page(db, 7), session_page(db, 7), clinic_of_session(db, 7)) == (None, None, None)


def test_a_page_asks_as_much_among_thirty_sessions_as_alone(engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        _, alone = _course(db, sessions=1, booked=1)
        _, many = _course(db, sessions=30, booked=30)
    counts = []

    for row in (alone[0], many[0]):
        with counted(engine) as told:
            _session_page(engine, row)
        counts.append(len(told))

    assert counts[0] == counts[1]
