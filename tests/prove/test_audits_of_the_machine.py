"""The machine's audits find what is wrong: each kind of contradiction, brought about by hand in one small clinic."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.store.engine import for_writing, open_engine
from clinic.store.resources import Patient
from tests.booking import booked, cancel, perform, standing
from tests.prove.audit_absences import in_absence, put_into_absence, sent_in_absence, visits_met
from tests.prove.audit_letters import letter_faults
from tests.prove.audit_pages import page_faults
from tests.prove.audit_series import come_while_resting, diary_faults, too_close, too_late
from tests.prove.plain_rows import Tables, changes
from tests.small_clinic import SmallClinic, small_clinic

OWNERS = {("course", 1), ("course", 2)}

SABOTAGE = {
    "is held by appointments": "UPDATE resource_booking SET resource_id = (SELECT resource_id FROM resource_booking"
                               " WHERE id = 5), starts_at = (SELECT starts_at FROM resource_booking WHERE id = 5),"
                               " ends_at = (SELECT ends_at FROM resource_booking WHERE id = 5) WHERE id = 9",
    "and needs": "DELETE FROM resource_booking WHERE appointment_id = 2 AND need = 3",
    "its own patient": "UPDATE resource_booking SET resource_id = (SELECT max(id) FROM patient)"
                       " WHERE appointment_id = 2 AND need = 0",
    "has nobody and nothing for": "DELETE FROM qualification",
    "is cancelled and holds": "UPDATE appointment SET state = 'cancelled' WHERE id = 2",
    "says 2027": "UPDATE appointment SET local_start = '2027-03-31 23:00:00.000000' WHERE id = 2",
    "does not last": "UPDATE appointment SET minutes = 5 WHERE id = 2",
    "outside its hours": "DELETE FROM opening_hours",
    "has the sessions": "UPDATE treatment_session SET number = 9 WHERE id = 5",
    "is booked with 0 standing": "UPDATE appointment SET treatment_session_id = 6 WHERE id = 2",
    "is owed with 1 standing": "UPDATE treatment_session SET state = 'owed' WHERE id = 2",
    "is completed with sessions": "UPDATE course SET state = 'completed' WHERE id = 1",
    "is on-hold and expects session 2": "UPDATE course SET state = 'on-hold' WHERE id = 1",
    "keeps the window": "UPDATE treatment_session SET latest_on = '2027-12-31' WHERE id = 3",
    "recalls are of sessions": "INSERT INTO recall (treatment_session_id, ask_on) VALUES (3, '2027-05-01')",
    "('close', 4, 5)": "UPDATE appointment SET local_start = '2027-03-05 09:00:00.000000' WHERE id = 5",
    "('order', 2, 3)": "UPDATE appointment SET local_start = '2027-03-12 09:00:00.000000' WHERE id = 3",
    "('elsewhere'": "UPDATE course SET patient_id = (SELECT patient_id FROM course WHERE id = 1) WHERE id = 2",
    "(1, 2, 3)": "UPDATE appointment SET local_start = '2027-12-30 09:00:00.000000' WHERE id = 3",
    "and it is not there": "DELETE FROM message_item WHERE kind = 'reminder-2d'",
    "and it is superseded": "UPDATE message SET state = 'superseded' WHERE id IN"
                            " (SELECT message_id FROM message_item WHERE kind = 'confirmation')",
    "keeps ('aftercare'": "UPDATE message SET due_at = due_at + 60",
    "does not owe ('reminder-7d'": "UPDATE appointment SET scheduled_at = starts_at - 3600 WHERE id = 2",
    "which is noshow": "UPDATE appointment SET state = 'noshow' WHERE id = 2",
    "is there ['pending', 'pending']": "INSERT INTO message_item SELECT NULL, message_id, kind, owner_kind, owner_id,"
                                       " subject_kind, subject_id, revision, 1, facts, dropped FROM message_item",
    "says nothing": "DELETE FROM message_item WHERE kind = 'aftercare'",
    "and packed at": "UPDATE occupancy SET bits = x'01'",
    "ends in zeros": "UPDATE occupancy SET bits = CAST(bits || x'00' AS BLOB)",
}


@pytest.fixture
def made(sqlite_url: str) -> Iterator[SmallClinic]:
    """Two courses: one with a session done, one with a session cancelled."""
    clinic = small_clinic(open_engine(sqlite_url))
    first = booked(clinic)
    second = booked(clinic, patient_id=clinic.patients[1])
    perform(clinic, standing(clinic, first)[0])
    cancel(clinic, standing(clinic, second)[2])
    yield clinic
    clinic.engine.dispose()


def found(made: SmallClinic) -> list[str]:
    """What all the audits say."""
    tables = Tables(made.engine)
    rows = tables.read()
    gaps = (rows, tables.documents, made.now)
    return [*diary_faults(rows, tables.documents), *come_while_resting(*gaps), *letter_faults(rows, made.now, OWNERS),
            *page_faults(rows), *map(str, too_close(*gaps)), *map(str, too_late(*gaps))]


def test_a_sound_clinic_has_no_fault(made: SmallClinic) -> None:
    assert found(made) == []


@pytest.mark.parametrize("fault", SABOTAGE)
def test_each_contradiction_is_found(made: SmallClinic, fault: str) -> None:
    with for_writing(made.engine).connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for (name,) in connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(SABOTAGE[fault])
        connection.commit()

    faults = found(made)

    assert [each for each in faults if fault in each] != [], faults


def test_what_is_put_into_an_absence_or_sent_all_the_same_is_found(made: SmallClinic) -> None:
    tables, rows = Tables(made.engine), [Tables(made.engine).read()]
    for statement in (
        "INSERT INTO absence (resource_id, starts_at, ends_at, reason)"
        " SELECT resource_id, starts_at, starts_at + 60, 'Ill' FROM resource_booking"
        " WHERE appointment_id = 2 AND need = 1",
        "UPDATE message SET state = 'sent' WHERE id IN (SELECT message_id FROM message_item"
        " WHERE kind = 'reminder-2d' AND subject_id IN (2, 3))",
        "UPDATE resource_booking SET ends_at = ends_at + 300 WHERE appointment_id IN (2, 3) AND need = 1",
    ):
        with for_writing(made.engine).begin() as connection:
            connection.exec_driver_sql(statement)
        rows.append(tables.read())
    _, noted, sent, longer = rows

    assert in_absence(noted) == {2}
    assert visits_met(noted, made.clinic_id, made.now) == {1: 1}
    assert [each for each in letter_faults(noted, made.now, OWNERS) if "is_withheld=True" in each] != []
    assert [[*map(len, (put_into_absence(*step), sent_in_absence(*step)))] for step in pairwise(rows)] == [
        [0, 0], [0, 1], [1, 0]]
    assert put_into_absence(sent, longer) == ["appointment 2 was put into an absence"]


def test_any_change_of_any_row_is_seen(made: SmallClinic) -> None:
    tables = Tables(made.engine)
    before = tables.read()
    with Session(for_writing(made.engine)) as db:
        db.get_one(Patient, made.patients[0]).created_at += timedelta(seconds=1)
        db.commit()

    assert changes(before, before) == []
    assert [each.partition(":")[0] for each in changes(before, tables.read())] == ["patient", "patient"]
