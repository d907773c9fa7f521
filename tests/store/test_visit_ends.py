"""How a visit ended, as the database keeps it: known codes only, each where it belongs, through the migration too."""
from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.care.outcomes import NoShowCause, NotTreatedCause
from clinic.care.states import AppointmentState
from clinic.store import migrate
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.store.rows import NOW, Ids, add_appointment, open_clinic

DONE = {"state": "completed", "performed_at": NOW, "performed_on": NOW.date()}
PARTLY = {"outcome": "partly-treated", "areas_treated": "cheeks", "areas_left": "chin"}


def refused(engine: Engine, kind: type[Any], ident: int, **values: Any) -> bool:
    """Whether the database refuses that change of a row."""
    try:
        with Session(for_writing(engine)) as db:
            db.execute(sa.update(kind).where(kind.id == ident).values(**values))
            db.rollback()
    except IntegrityError:
        return True
    return False


def visit(engine: Engine) -> int:
    with Session(for_writing(engine)) as db:
        row = add_appointment(db, open_clinic(engine))
        db.commit()
        return row.id


def add_session(db: Session, ids: Ids) -> TreatmentSession:
    protocol = Protocol(code="needling", name="Needling")
    db.add(protocol)
    db.flush()
    version = ProtocolVersion(protocol_id=protocol.id, number=1, document={}, state="draft", created_at=NOW)
    db.add(version)
    db.flush()
    course = Course(patient_id=ids.patient, clinic_id=ids.clinic, protocol_version_id=version.id, state="active",
                    indication="fine_lines", laxity="none", created_at=NOW)
    db.add(course)
    db.flush()
    row = TreatmentSession(course_id=course.id, number=1, treatment_code="needling", state="owed")
    db.add(row)
    db.flush()
    return row


def test_a_cause_belongs_to_the_way_in_which_the_visit_ended(engine: Engine) -> None:
    ident = visit(engine)
    wanted = {("cancelled", cause.value) for cause in NotTreatedCause} | {
        ("noshow", cause.value) for cause in NoShowCause}
    known = [*NotTreatedCause, *NoShowCause, "bored", ""]

    kept = {(state.value, str(cause)) for state in AppointmentState for cause in known
            if state is not AppointmentState.PROPOSED
            and not refused(engine, Appointment, ident, state=state.value, ended_cause=str(cause))}

    assert kept == wanted
    assert not refused(engine, Appointment, ident, state="noshow", ended_cause=None)


@pytest.mark.parametrize(("values", "is_refused"), [
    (DONE, False),
    (DONE | {"outcome": "treated"}, False),
    (DONE | PARTLY, False),
    ({"outcome": "treated"}, True),
    (PARTLY, True),
    (DONE | {"outcome": "wonderful"}, True),
    (DONE | {"outcome": "partly-treated"}, True),
    (DONE | PARTLY | {"areas_left": None}, True),
    (DONE | PARTLY | {"areas_treated": None}, True),
    (DONE | PARTLY | {"outcome": "treated"}, True),
    (DONE | PARTLY | {"outcome": None}, True),
])
def test_an_outcome_belongs_to_a_completed_session_and_areas_to_one_in_part(
    engine: Engine, values: dict[str, Any], is_refused: bool
) -> None:
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        ident = add_session(db, ids).id
        db.commit()

    assert refused(engine, TreatmentSession, ident, **values) is is_refused


def test_sessions_completed_before_are_whole_ones_and_nothing_else_changes(engine: Engine) -> None:
    ids = open_clinic(engine)
    with Session(for_writing(engine)) as db:
        row, appointment = add_session(db, ids), add_appointment(db, ids, state=AppointmentState.NOSHOW)
        db.execute(sa.update(TreatmentSession).values(**DONE, **PARTLY))
        db.execute(sa.update(Appointment).values(ended_cause="ill", pinned=True))
        db.commit()
        idents = (row.id, appointment.id)

    migrate.downgrade(engine, "0002", accept_data_loss=True)
    migrate.upgrade(engine)

    with Session(engine) as db:
        again, visit_again = db.get_one(TreatmentSession, idents[0]), db.get_one(Appointment, idents[1])
        assert (again.outcome, again.areas_treated, again.areas_left) == ("treated", None, None)
        assert (again.state, again.performed_at, again.performed_on) == ("completed", NOW, NOW.date())
        assert (visit_again.state, visit_again.ended_cause, visit_again.pinned) == ("noshow", None, False)
    assert not refused(engine, Appointment, idents[1], ended_cause="forgot")
    assert refused(engine, Appointment, idents[1], ended_cause="bored")
