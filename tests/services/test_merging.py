"""Two records of one person: put together, found nowhere twice, and taken apart again."""
from __future__ import annotations

import random
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.doubles import alike, doubles, person_of
from clinic.queries.patient import patient_card
from clinic.queries.patients import find_patients
from clinic.services.merging import MOVED, merge_patients, undo_merge
from clinic.services.patients import PatientDetails, add_patient, edit_patient
from clinic.services.reconcile import Owner, reconcile
from clinic.services.work import Done, NotFound, Refused, Stale
from clinic.store.accounts import AuditEntry, Task
from clinic.store.base import Row
from clinic.store.courses import Course, HandoverNote
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from clinic.store.moving import PatientMerge
from clinic.store.newsletter import Subscriber
from clinic.store.outbox import Message
from clinic.store.resources import ClinicalNote, Patient, Resource
from tests.databases import is_full
from tests.queries.statements import counted
from tests.small_clinic import MONDAY, SmallClinic, small_clinic
from tests.web.seed import add_appointment, add_course, add_message, add_task

ANNA = PatientDetails("Anna", "Nováková", date(1984, 3, 12), "anna@example.org", alerts="Latex allergy")
AGAIN = PatientDetails("Ana", "Novakova", date(1984, 3, 12), phone="+420 601 123 456", channel="phone",
                       wants_service_messages=False, alerts="Faints")


@pytest.fixture
def made(engine: Engine) -> SmallClinic:
    """A clinic whose last two patients are the two records of Anna; the second has a whole history."""
    made = small_clinic(engine)
    for details in (ANNA, AGAIN):
        with made.work() as work:
            outcome = add_patient(work, details, is_another=True)
        assert isinstance(outcome, Done)
        made.patients.append(outcome.value)
    with Session(for_writing(engine)) as db:
        other = made.patients[-1]
        course, sessions = add_course(db, other, made.clinic_id, made.versions["mn_rejuvenation"])
        add_appointment(db, other, made.clinic_id, MONDAY + timedelta(days=1), treatment_session_id=sessions[0],
                        resources=(made.practitioners[0],))
        add_appointment(db, other, made.clinic_id, MONDAY + timedelta(days=2))
        add_message(db, other, made.clinic_id, state="sent", course_id=course, settled_at=MONDAY)
        add_task(db, other, made.clinic_id)
        db.add_all([ClinicalNote(patient_id=other, written_at=MONDAY, text="Fine"),
                    HandoverNote(patient_id=other, text="Ask how it went", written_at=MONDAY)])
        db.add(Subscriber(email="anna@example.org", patient_id=other, state="asked", asked_at=MONDAY,
                          consent_source="desk", consent_wording="1: yes"))
        db.flush()
        db.commit()
    with made.work() as work:
        reconcile(work, Owner("course", course))
        work.commit()
    return made


def merged(made: SmallClinic, **choices: str) -> Done[int] | Refused:
    """The second record put into the first."""
    kept, other = made.patients[-2:]
    with made.work("receptionist") as work:
        return merge_patients(work, kept, other, choices=choices, kept_version=1, other_version=1)


def undone(made: SmallClinic, merge: Done[int] | Refused) -> Done[int] | Refused:
    """Taken apart again."""
    assert isinstance(merge, Done), merge
    with made.work("receptionist") as work:
        return undo_merge(work, merge.value)


def whose(engine: Engine) -> dict[str, list[int]]:
    """The patient of each row that belongs to one."""
    with Session(engine) as db:
        found = {name: list(db.scalars(sa.select(kind.patient_id).order_by(kind.id))) for name, kind in MOVED.items()}
        found["held"] = list(db.scalars(
            sa.select(ResourceBooking.resource_id).where(ResourceBooking.need == 0).order_by(ResourceBooking.id)))
    return found


def card(engine: Engine, patient_id: int) -> Patient:
    """The row of a patient."""
    with Session(engine) as db:
        return db.get_one(Patient, patient_id)


def test_everything_of_the_other_record_changes_hands(made: SmallClinic, engine: Engine) -> None:
    kept, other = made.patients[-2:]
    before = whose(engine)

    outcome = merged(made)

    after = whose(engine)
    assert isinstance(outcome, Done)
    assert {name for name, ids in before.items() if other in ids} == {*MOVED, "held"}
    assert {name: [kept if each == other else each for each in ids] for name, ids in before.items()} == {
        name: ids[:len(before[name])] for name, ids in after.items()}
    assert all(other not in ids for ids in after.values())
    with Session(engine) as db:
        entry = db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "patients-merged")).one()
    assert (entry.subject_id, entry.facts) == (kept, {"merged_id": other})


def test_every_reference_to_a_patient_is_known_here() -> None:
    known = {
        *(f"{kind.__tablename__}.patient_id" for kind in MOVED.values()),
        "resource_booking.resource_id", "patient.merged_into_id", "patient_merge.kept_id", "patient_merge.merged_id",
        # The links of both records end, for nobody knows who holds them.
        "link.patient_id",
        # The patient's own row, and what only practitioners, rooms and devices have.
        "patient.id", "practitioner.id", "room.id", "device.id", "absence.resource_id", "occupancy.resource_id",
        "occupancy_change.resource_id",
    }

    found = {
        f"{table.name}.{column.name}" for table in Row.metadata.tables.values() for column in table.columns
        for key in column.foreign_keys if key.column.table.name in ("patient", "resource")}

    assert found == known


def test_the_values_that_stay_are_those_that_are_known_and_the_smaller_consent(
    made: SmallClinic, engine: Engine
) -> None:
    merged(made)

    row = card(engine, made.patients[-2])
    assert (row.given_name, row.family_name, row.email, row.phone, row.channel, row.wants_service_messages) == (
        "Anna", "Nováková", "anna@example.org", "+420 601 123 456", "email", False)
    assert row.alerts == "Latex allergy\nFaints"
    assert "420601123456" in row.search_text


def test_the_desk_chooses_whose_value_stays(made: SmallClinic, engine: Engine) -> None:
    merged(made, given_name="other", alerts="kept", wants_service_messages="kept", channel="other", email="other")

    row = card(engine, made.patients[-2])
    assert (row.given_name, row.alerts, row.wants_service_messages, row.channel, row.email) == (
        "Ana", "Latex allergy", True, "phone", None)


def test_a_choice_that_leaves_no_way_to_reach_them_is_refused(made: SmallClinic, engine: Engine) -> None:
    before = whose(engine)

    outcome = merged(made, email="other")

    assert isinstance(outcome, Refused)
    assert [finding.field for finding in outcome.findings] == ["email"]
    assert whose(engine) == before


def test_a_merged_record_is_found_nowhere(made: SmallClinic, engine: Engine) -> None:
    kept, other = made.patients[-2:]
    with Session(engine) as db:
        both = find_patients(db, "novakova", now=MONDAY).total

    merged(made)

    with Session(engine) as db:
        assert both == 2
        for search in ("novakova", "1984-03-12", "601123456", ""):
            assert other not in {row.id for row in find_patients(db, search, now=MONDAY).rows}
        assert patient_card(db, other) is None
        assert doubles(db).total == 0
        assert [each.record.id for each in alike(db, person_of("Anna", "Novakova", None, None, None))] == [kept]
    with made.work() as work, pytest.raises(NotFound):
        edit_patient(work, other, AGAIN, lock_version=2)


def test_undoing_gives_everything_back(made: SmallClinic, engine: Engine) -> None:
    kept, other = made.patients[-2:]
    before, old = whose(engine), card(engine, kept)
    merge = merged(made)
    made.now += timedelta(hours=23)

    outcome = undone(made, merge)

    row = card(engine, kept)
    after = whose(engine)
    assert outcome == Done(other)
    assert {name: ids[:len(before[name])] for name, ids in after.items()} == before
    assert (row.given_name, row.email, row.phone, row.alerts, row.wants_service_messages, row.search_text) == (
        old.given_name, old.email, old.phone, old.alerts, old.wants_service_messages, old.search_text)
    with Session(engine) as db:
        assert find_patients(db, "novakova", now=MONDAY).total == 2
    assert undone(made, merge) == Done(other)


def test_an_alert_that_was_noted_since_warns_on_both_records_after_undoing(made: SmallClinic, engine: Engine) -> None:
    kept, other = made.patients[-2:]
    merge = merged(made)
    row = card(engine, kept)
    with made.work() as work:
        edit_patient(work, kept, replace(ANNA, phone=row.phone, alerts=f"{row.alerts}\nPenicillin"),
                     lock_version=row.lock_version)

    undone(made, merge)

    assert card(engine, kept).alerts == "Latex allergy\nFaints\nPenicillin"
    assert card(engine, other).alerts == "Faints\nPenicillin"


def test_two_courses_that_were_never_planned_beside_each_other_are_somebody_s_task(
    made: SmallClinic, engine: Engine
) -> None:
    kept = made.patients[-2]
    with Session(for_writing(engine)) as db:
        add_course(db, kept, made.clinic_id, made.versions["ipl_photorejuvenation"])
        db.commit()

    merged(made)

    with Session(engine) as db:
        task = db.scalars(sa.select(Task).order_by(Task.id.desc())).first()
    assert task is not None
    assert (task.patient_id, task.due_on, task.done_at) == (kept, MONDAY.date(), None)
    assert "far enough apart" in task.text


def test_what_came_since_stays_and_what_grew_on_a_course_goes_with_it(made: SmallClinic, engine: Engine) -> None:
    kept, other = made.patients[-2:]
    merge = merged(made)
    with Session(for_writing(engine)) as db:
        course = db.scalars(sa.select(Course).where(Course.patient_id == kept)).one()
        sessions = [each[0] for each in db.execute(sa.text(
            f"SELECT id FROM treatment_session WHERE course_id = {course.id} ORDER BY number"))]
        grown = add_appointment(db, kept, made.clinic_id, MONDAY + timedelta(days=30), treatment_session_id=sessions[1])
        own = add_appointment(db, kept, made.clinic_id, MONDAY + timedelta(days=31))
        told = add_message(db, kept, made.clinic_id, state="sent", kind="change", course_id=course.id,
                           settled_at=MONDAY)
        task = add_task(db, kept, made.clinic_id, "Since")
        db.commit()
    with made.work() as work:
        edit_patient(work, kept, PatientDetails("Anna", "Svobodová", date(1984, 3, 12), "anna@example.org"),
                     lock_version=2)

    undone(made, merge)

    with Session(engine) as db:
        assert [db.get_one(Appointment, ident).patient_id for ident in (grown, own)] == [other, kept]
        assert (db.get_one(Message, told).patient_id, db.get_one(Task, task).patient_id) == (other, kept)
        assert set(db.scalars(sa.select(ResourceBooking.resource_id).where(
            ResourceBooking.appointment_id == grown, ResourceBooking.need == 0))) == {other}
        row = db.get_one(Patient, kept)
    assert (row.family_name, row.phone, row.alerts) == ("Svobodová", None, "")


def test_after_a_day_nothing_is_undone(made: SmallClinic, engine: Engine) -> None:
    merge = merged(made)
    before = whose(engine)
    made.now += timedelta(hours=24, seconds=1)

    outcome = undone(made, merge)

    assert isinstance(outcome, Refused)
    assert "for a day" in outcome.findings[0].text
    assert whose(engine) == before


def test_two_appointments_at_one_time_are_two_people(made: SmallClinic, engine: Engine) -> None:
    with Session(for_writing(engine)) as db:
        add_appointment(db, made.patients[-2], made.clinic_id, MONDAY + timedelta(days=1, minutes=30))
        db.commit()

    outcome = merged(made)

    assert isinstance(outcome, Refused)
    assert outcome.findings[0].text.startswith("Both records have an appointment on 2 March 2027 at 09:00")


def test_who_was_merged_before_follows_and_comes_back(made: SmallClinic, engine: Engine) -> None:
    third, kept, other = made.patients[0], *made.patients[-2:]
    first = merged(made)
    with made.work() as work:
        second = merge_patients(work, third, kept, choices={}, kept_version=1, other_version=2)
    assert isinstance(second, Done), second
    chained = card(engine, other).merged_into_id

    too_early = undone(made, first)
    undone(made, second)
    back = card(engine, other).merged_into_id
    outcome = undone(made, first)

    assert isinstance(too_early, Refused)
    assert "Undo that first" in " ".join(too_early.findings[0].text.split())
    assert (chained, back, outcome) == (third, kept, Done(other))


def test_a_second_click_answers_the_same_and_changes_nothing(made: SmallClinic, engine: Engine) -> None:
    first = merged(made)
    before = whose(engine)

    assert merged(made) == first
    assert whose(engine) == before
    with Session(engine) as db:
        assert len(db.scalars(sa.select(PatientMerge)).all()) == 1


def test_whoever_is_merged_already_is_not_merged_again(made: SmallClinic) -> None:
    kept, other = made.patients[-2:]
    merged(made)

    with made.work() as work:
        backwards = merge_patients(work, other, kept, choices={}, kept_version=2, other_version=2)
    with made.work() as work:
        itself = merge_patients(work, kept, kept, choices={}, kept_version=2, other_version=2)

    assert [isinstance(each, Refused) for each in (backwards, itself)] == [True, True]


@pytest.mark.parametrize("versions", [(2, 1), (1, 2)])
def test_a_record_that_somebody_changed_meanwhile_is_shown_again(versions: tuple[int, int], made: SmallClinic) -> None:
    kept, other = made.patients[-2:]

    with made.work() as work, pytest.raises(Stale):
        merge_patients(work, kept, other, choices={}, kept_version=versions[0], other_version=versions[1])


def test_waiting_messages_follow_the_wish_that_stays(made: SmallClinic, engine: Engine) -> None:
    merged(made)

    with Session(engine) as db:
        states = set(db.scalars(sa.select(Message.state).where(Message.patient_id == made.patients[-2])))
    assert "pending" not in states


@pytest.mark.parametrize("count", [3, 300])
def test_looking_for_doubles_takes_one_statement(count: int, engine: Engine) -> None:
    made = small_clinic(engine, patients=count)
    del made

    with Session(engine) as db, counted(engine) as told:
        doubles(db)
        alike(db, person_of("Pat1", "Ient1", date(1984, 3, 12), "a@example.org", "123456"))

    assert len([each for each in told if each.startswith("SELECT")]) == 2


def test_many_patients_are_looked_through_in_a_moment(engine: Engine) -> None:
    """50,000 in the counts of a release: less than three seconds at work there."""
    many = 50_000 if is_full() else 10_000
    chance = random.Random(1)
    parts = ["ma", "rí", "jo", "han", "na", "li", "sa", "ben", "to", "ko", "wil", "chen", "ada", "šu", "per", "gu"]
    names = [["".join(chance.choices(parts, k=size)).title() for size in (2, 4)] for _ in range(many - 30)]
    names += names[:30]
    with engine.begin() as connection:
        connection.execute(sa.insert(Resource.__table__), [
            {"id": ident, "kind": "patient"} for ident in range(1, many + 1)])
        connection.execute(sa.insert(Patient.__table__), [
            {"id": ident, "given_name": names[ident - 1][0], "family_name": names[ident - 1][1],
             "search_text": f" {one} ", "birth_on": date(1950, 1, 1) + timedelta(days=one * 7 % 20_000),
             "email": f"p{one}@example.org", "phone": f"+44 7700 {one:06}", "created_at": MONDAY}
            for ident in range(1, many + 1) for one in [ident if ident <= many - 30 else ident - many + 30]])
    spent = []
    for _ in range(3):
        begun = time.process_time()
        with Session(engine) as db:
            page = doubles(db)
        spent.append(time.process_time() - begun)

    assert (len(page.rows), 30 <= page.total < 200, page.has_next) == (25, True, True)
    assert {(row.one.id, row.other.id) for row in page.rows} <= {(one, one + many - 30) for one in range(1, 31)}
    assert min(spent) < 3 * many / 50_000 + 0.2, spent
