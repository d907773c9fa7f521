"""The audit finds what is wrong: each way in which a diary can contradict itself, brought about by hand."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.store.engine import for_writing, open_engine
from tests.booking import booked, cancel, perform, standing
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic

SABOTAGE = {
    "bookings 1 and": "UPDATE resource_booking SET resource_id = {resource}, starts_at = {starts}, ends_at = {ends}"
                      " WHERE id = (SELECT max(id) FROM resource_booking)",
    "is of an appointment that ended": "UPDATE appointment SET state = 'noshow' WHERE id = 2",
    "session 2 is booked with 0 active": "DELETE FROM appointment WHERE id = 2",
    "session 5 is owed with 1 active": "UPDATE treatment_session SET state = 'owed' WHERE id = 5",
    "course 2 was booked in part": "DELETE FROM appointment WHERE id = 5",
    "course 2 has the sessions [1, 3, 9]": "UPDATE treatment_session SET number = 9 WHERE id = 5",
    "exist without a booking": "DELETE FROM audit WHERE action = 'course-booked' AND subject_id = 2",
    "and needs": "DELETE FROM resource_booking WHERE appointment_id = 2 AND need = 3",
    "holds another patient": "UPDATE resource_booking SET resource_id = (SELECT max(id) FROM patient)"
                             " WHERE appointment_id = 2 AND need = 0",
    "has nobody and nothing that can": "DELETE FROM qualification",
    "says 2027": "UPDATE appointment SET fold = 0, local_start = '2027-03-31 23:00:00.000000' WHERE id = 2",
    "does not last": "UPDATE appointment SET minutes = 5 WHERE id = 2",
    "was moved 1 times": "INSERT INTO audit (at, actor, action, subject_kind, subject_id, facts)"
                         " VALUES (0, 'x', 'appointment-moved', 'appointment', 2, '{{}}')",
    "days after the one before": "UPDATE appointment SET local_start = '2027-03-05 09:00:00.000000' WHERE id = 5",
    "waits for an appointment": "UPDATE appointment SET revision = 9 WHERE id = 2",
    "has 0 aftercare items": "DELETE FROM message_item WHERE kind = 'aftercare'",
    "has 0 messages that wait": "UPDATE message SET state = 'superseded' WHERE id IN"
                                " (SELECT message_id FROM message_item WHERE kind = 'confirmation')",
}


@pytest.fixture
def made(sqlite_url: str) -> Iterator[SmallClinic]:
    """Two courses: one with a session done, one with a session cancelled."""
    engine = open_engine(sqlite_url)
    clinic = small_clinic(engine)
    first = booked(clinic)
    second = booked(clinic, patient_id=clinic.patients[1])
    perform(clinic, standing(clinic, first)[0])
    cancel(clinic, standing(clinic, second)[2])
    yield clinic
    engine.dispose()


def test_a_sound_diary_has_no_fault(made: SmallClinic) -> None:
    assert audit(made.engine, untold_at=made.now) == []


@pytest.mark.parametrize("fault", SABOTAGE)
def test_each_contradiction_is_found(made: SmallClinic, fault: str) -> None:
    spoil(made.engine, SABOTAGE[fault])

    found = audit(made.engine, untold_at=made.now + timedelta(minutes=1))

    assert [each for each in found if fault in each] != []


def spoil(engine: Engine, statement: str) -> None:
    """Writes past every guard: those of the database are taken away first."""
    with for_writing(engine).connect() as connection:
        for (name,) in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        first = connection.execute(sa.text("SELECT resource_id, starts_at, ends_at FROM resource_booking WHERE id = 1"))
        resource, starts, ends = first.one()
        connection.exec_driver_sql(statement.format(resource=resource, starts=starts, ends=ends))
        connection.commit()
