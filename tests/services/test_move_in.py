"""A folder that moves in: what stands in the database then, told from the rows, on both databases."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.courses import course_page
from clinic.queries.series import course_series
from clinic.services import appointments
from clinic.services.reconcile import sweep
from clinic.services.work import Done
from clinic.store.accounts import AuditEntry
from clinic.store.clinics import Business
from clinic.store.courses import Course, CourseOverride, MaintenancePlan, Recall, TreatmentSession
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.moving import Imported
from clinic.store.occupancy import OccupancyChange
from clinic.store.outbox import Message, MessageItem
from clinic.store.resources import Absence, Certificate, Patient, Practitioner, Qualification, Room, RotaSpan
from tests.services.moving import Mover
from tests.small_clinic import MONDAY


@pytest.fixture
def mover(engine: Engine, tmp_path: Path) -> Mover:
    return Mover(engine, tmp_path / "folder")


def row_id(db: Session, kind: str, reference: str) -> int:
    return db.scalars(sa.select(Imported.row_id).where(
        Imported.kind == kind, Imported.reference == reference)).one()


def row_of(db: Session, mapped: type[Any], kind: str, reference: str) -> Any:
    return db.get_one(mapped, row_id(db, kind, reference))


def test_the_example_moves_in_without_a_word(mover: Mover) -> None:
    report = mover.move()

    assert list(report.lines) == [
        "clinics.csv: 2 new", "practitioners.csv: 3 new", "rota.csv: 4 new", "rooms.csv: 3 new", "devices.csv: 2 new",
        "absences.csv: 2 new", "patients.csv: 4 new", "courses.csv: 4 new", "appointments.csv: 6 new",
        "Moved in. No message leaves until a person releases them on the Messages page."]


def test_people_and_places_are_what_the_files_say(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        ana = row_of(db, Patient, "patient", "K1")
        faint = row_of(db, Patient, "patient", "K3")
        bell = row_id(db, "practitioner", "P1")
        old = row_of(db, Practitioner, "practitioner", "P3")
        ipl = db.scalars(sa.select(Qualification).where(
            Qualification.practitioner_id == bell, Qualification.code == "ipl")).one()
        papers = db.scalars(sa.select(Certificate).where(Certificate.practitioner_id == bell).order_by(
            Certificate.kind)).all()
        spans = db.scalars(sa.select(RotaSpan).where(RotaSpan.id >= row_id(db, "rota-span", "S1"))).all()
        leave = row_of(db, Absence, "absence", "A1")
        room = row_of(db, Room, "room", "R1")

    assert (ana.given_name, ana.family_name, ana.birth_on, ana.phone, ana.alerts, ana.channel) == (
        "Ana", "Novák", date(1984, 5, 17), "+44 7700 900123", "Latex allergy", "email")
    assert " novak ana " in ana.search_text
    assert faint.alerts == "faints; treat\nlying down"
    assert not old.active
    assert (ipl.valid_from, ipl.expires_on) == (date(2025, 1, 1), date(2027, 12, 31))
    assert [(each.kind, each.title, each.expires_on) for each in papers] == [
        ("insurance", "Policy 4711", date(2027, 4, 30)), ("registration", "GMC 123456", date(2028, 1, 31))]
    assert [(each.week, each.weekday, each.break_minutes) for each in spans] == [
        *((0, day, None) for day in range(4)), *((0, day, 30) for day in range(4)),
        *((0, day, None) for day in range(5)), *((1, day, None) for day in range(3))]
    # Leave of whole days, over the night to summer time: both ends are midnights of London.
    assert (leave.starts_at, leave.ends_at) == (
        datetime(2027, 4, 4, 23, tzinfo=UTC), datetime(2027, 4, 9, 23, tzinfo=UTC))
    assert room.features == ["laser-safe", "numbing-chair"]


def test_a_half_done_course_goes_on_where_it_stood(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        course = row_of(db, Course, "course", "T1")
        rows = db.scalars(sa.select(TreatmentSession).where(
            TreatmentSession.course_id == course.id).order_by(TreatmentSession.number)).all()
        series = course_series(db, course.id, now=MONDAY)
        windows = series.windows()
        page = course_page(db, course.id)

    assert course.state == "active"
    assert [(row.number, row.state, row.performed_on, row.outcome) for row in rows] == [
        (1, "completed", date(2027, 1, 11), "treated"), (2, "completed", date(2027, 2, 8), "treated"),
        (3, "booked", None, None), (4, "booked", None, None)]
    assert [(row.earliest_on, row.ideal_on, row.latest_on) for row in rows[2:]] == [
        (window.earliest_on, window.ideal_on, window.latest_on) for window in windows[2:] if window]
    assert page is not None


def test_a_course_that_is_done_has_its_upkeep_as_if_it_had_been_done_here(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        course = row_of(db, Course, "course", "T3")
        plan = db.scalars(sa.select(MaintenancePlan).where(MaintenancePlan.course_id == course.id)).one()
        rows = db.scalars(sa.select(TreatmentSession).where(
            TreatmentSession.maintenance_plan_id == plan.id).order_by(TreatmentSession.number)).all()
        ask_on = db.scalars(sa.select(Recall.ask_on).where(Recall.treatment_session_id == rows[1].id)).one()

    assert (course.state, course.ended_on, plan.state) == ("completed", date(2026, 10, 13), "active")
    assert [(row.state, row.performed_on, row.ideal_on) for row in rows] == [
        ("completed", date(2027, 1, 11), date(2026, 10, 13) + timedelta(plan.interval_days)),
        ("booked", None, date(2027, 1, 11) + timedelta(plan.interval_days))]
    assert ask_on == max(date(2027, 1, 12), date(2027, 1, 11) + timedelta(plan.interval_days - 21))


def test_a_course_keeps_the_interval_that_the_other_system_gave_it(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        course_id = row_id(db, "course", "T2")
        value = db.scalars(sa.select(CourseOverride.value).where(CourseOverride.course_id == course_id)).one()
        third = db.scalars(sa.select(TreatmentSession).where(
            TreatmentSession.course_id == course_id, TreatmentSession.number == 3)).one()

    assert {key: value[key] for key in ("from_number", "shortest", "ideal", "longest")} == {
        "from_number": 2, "shortest": 10, "ideal": 14, "longest": 28}
    assert third.ideal_on == date(2027, 3, 15)


def test_an_appointment_holds_what_its_treatment_needs_and_is_packed(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        visit = row_of(db, Appointment, "appointment", "V1")
        named = (("practitioner", "P1"), ("room", "R1"), ("device", "D1"))
        bell, room, pen = (row_id(db, kind, reference) for kind, reference in named)
        held = set(db.execute(
            sa.select(ResourceBooking.need, ResourceBooking.resource_id)
            .where(ResourceBooking.appointment_id == visit.id)))
        left = db.scalar(sa.select(sa.func.count()).select_from(OccupancyChange))

    assert (visit.state, visit.kind, visit.zone, visit.local_start.isoformat()) == (
        "booked", "session", "Europe/London", "2027-03-22T10:00:00")
    assert visit.told_start == visit.local_start
    assert visit.starts_at == datetime(2027, 3, 22, 10, tzinfo=UTC)
    assert {resource_id for _, resource_id in held} == {visit.patient_id, bell, room, pen}
    assert left == 0


def test_the_same_folder_again_adds_nothing(mover: Mover) -> None:
    mover.move()
    before = mover.counts()

    again = mover.move()

    assert mover.counts() == before
    assert [(count.new, count.changed) for count in again.counts] == [(0, 0)] * 9
    assert list(again.lines)[-1] == "Nothing was new."


def test_a_row_that_was_changed_since_is_left_alone_and_said(mover: Mover) -> None:
    mover.move()
    mover.change("patients.csv", "Latex allergy", "Latex and wool")
    mover.change("appointments.csv", "V6,K3,C1,2027-03-10 09:30", "V6,K3,C1,2027-03-10 10:30")

    again = mover.move()

    assert [warning.words for warning in again.warnings] == [
        "patients.csv, line 2, column Nummer: 'K1' has been changed since it was moved in, and is left as it is here: "
        "change it here",
        "appointments.csv, line 7, column id: 'V6' has been changed since it was moved in, and is left as it is here: "
        "change it here"]
    with Session(mover.engine) as db:
        assert row_of(db, Patient, "patient", "K1").alerts == "Latex allergy"


def test_a_later_folder_names_what_an_earlier_one_brought(mover: Mover) -> None:
    mover.move()
    for path in mover.folder.iterdir():
        path.unlink()
    mover.write("appointments.csv", "id;patient;clinic;start;course;number;practitioner;room;device\n"
                "W1;K2;C2;29.03.2027 15:00;T2;4;P2;R3;\nW2;K3;C1;15/03/2027 11:00;T4;1;P1;R1;D1\n")

    report = mover.move()

    assert list(report.lines)[0] == "appointments.csv: 2 new"
    with Session(mover.engine) as db:
        rows = db.scalars(sa.select(TreatmentSession).where(
            TreatmentSession.course_id == row_id(db, "course", "T2")).order_by(TreatmentSession.number)).all()
        series = course_series(db, row_id(db, "course", "T2"), now=MONDAY)
    assert [row.state for row in rows] == ["completed", "booked", "booked", "booked", "owed"]
    assert rows[4].ideal_on == date(2027, 4, 12) == [window for window in series.windows() if window][-1].ideal_on


def test_a_dry_run_says_what_would_come_in_and_changes_nothing(mover: Mover) -> None:
    before = mover.counts()

    report = mover.move(dry_run=True)

    assert list(report.lines)[-1] == "Nothing was moved in: this was a dry run. The folder is ready."
    assert sum(count.new for count in report.counts) == 30
    assert mover.counts() == before


def test_messages_are_held_and_none_is_written_by_the_move_itself(mover: Mover) -> None:
    mover.move()

    with Session(mover.engine) as db:
        assert db.get_one(Business, 1).held_since == MONDAY
        assert db.scalars(sa.select(Message)).all() == []
        entry = db.scalars(sa.select(AuditEntry).where(AuditEntry.action == "moved-in")).one()
    assert (entry.action, entry.facts["counts"]["appointments.csv"]) == ("moved-in", 6)


def test_the_sweep_owes_reminders_of_moved_in_dates_and_no_confirmation(mover: Mover) -> None:
    mover.move()
    after = None
    while True:
        with mover.made.work() as work:
            after = sweep(work, after=after)
        if after is None:
            break

    with Session(mover.engine) as db:
        kinds = set(db.scalars(sa.select(MessageItem.kind)))
    assert "confirmation" not in kinds
    assert {"reminder-7d", "reminder-2d", "precare"} <= kinds


def test_a_moved_in_appointment_is_cancelled_like_any_other(mover: Mover) -> None:
    mover.move()
    with Session(mover.engine) as db:
        visit = row_of(db, Appointment, "appointment", "V2")

    with mover.made.work() as work:
        outcome = appointments.cancel_appointment(
            work, visit.id, reason="asked", lock_version=visit.lock_version)

    assert isinstance(outcome, Done)
    with Session(mover.engine) as db:
        assert db.scalars(sa.select(MessageItem.kind).where(MessageItem.kind == "cancellation")).all()


def test_dates_too_close_are_kept_and_warned_of(mover: Mover) -> None:
    mover.change("appointments.csv", "V2,K1,C1,2027-05-04", "V2,K1,C1,2027-03-25")

    report = mover.move()

    assert report.was_kept
    assert [warning.words for warning in report.warnings] == [
        "appointments.csv, line 3, column start: session 4 on 25 March 2027 comes 3 days after session 3; at least 28 "
        "are asked for. The date is kept: look at it with a practitioner"]


def test_the_hour_that_comes_twice_is_its_first_pass_unless_the_file_says_otherwise(mover: Mover) -> None:
    mover.append("appointments.csv", "W1,K3,C1,2027-10-31 01:10,other,,,P1,R1,,20,",
                 "W2,K1,C1,2027-10-31 01:10,other,,,P1,R1,,20,1")

    report = mover.move()

    assert report.was_kept
    with Session(mover.engine) as db:
        starts = [row_of(db, Appointment, "appointment", each).starts_at for each in ("W1", "W2")]
    assert starts == [datetime(2027, 10, 31, 0, 10, tzinfo=UTC), datetime(2027, 10, 31, 1, 10, tzinfo=UTC)]


def test_the_last_reading_before_the_skipped_hour_and_the_first_after_it_stand(mover: Mover) -> None:
    mover.append("appointments.csv", "W1,K3,C1,2027-03-28 00:30,other,,,P1,R1,,30,",
                 "W2,K1,C1,2027-03-28 02:00,other,,,P1,R1,,30,")

    report = mover.move()

    assert report.was_kept
    with Session(mover.engine) as db:
        starts = [row_of(db, Appointment, "appointment", each).starts_at for each in ("W1", "W2")]
    assert starts == [datetime(2027, 3, 28, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 0, tzinfo=UTC)]


def test_what_the_diary_holds_already_is_said_before_the_database_refuses(mover: Mover) -> None:
    mover.move()
    (mover.folder / "appointments.csv").write_text(
        "id,patient,clinic,start,kind,practitioner,room,minutes\nW1,K4,C1,2027-03-22 10:40,other,P1,R2,30\n")

    report = mover.move()

    assert [fault.words for fault in report.faults] == [
        "appointments.csv, line 2, column start: Dr Anna Bell is booked in the diary already at that time, "
        f"{report.faults[0].text.split('at that time, ')[1]}"]


def test_a_draft_protocol_is_named_as_what_it_is(mover: Mover) -> None:
    with mover.made.work() as work:
        work.db.execute(sa.text(
            "UPDATE protocol_version SET state = 'retired' WHERE protocol_id IN "
            "(SELECT id FROM protocol WHERE code = 'mn_acne_scar')"))
        work.db.commit()

    report = mover.move()

    assert [fault.words for fault in report.faults if fault.file == "courses.csv"] == [
        "courses.csv, line 2, column protocol: 'mn_acne_scar' is not approved yet: a practitioner approves it on the "
        "page Protocols first"]


def test_a_clinic_that_was_opened_before_is_taken_as_the_same(mover: Mover) -> None:
    mover.change("clinics.csv", "C1,Quay Street", "C1,Harbour Street")
    mover.change("practitioners.csv", "P1,Dr Anna Bell", "P1,Dr Amari")

    report = mover.move()

    assert [(count.new, count.linked) for count in report.counts[:2]] == [(1, 1), (2, 1)]
    with Session(mover.engine) as db:
        assert row_id(db, "clinic", "C1") == mover.made.clinic_id
        assert row_id(db, "practitioner", "P1") == mover.made.practitioners[0]


def test_progress_rises_to_its_end(mover: Mover) -> None:
    told: list[tuple[int, int, str]] = []

    mover.move(progress=lambda done, total, what: told.append((done, total, what)))

    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert len({total for _, total, _ in told}) == 1
    assert told[-1] == (told[-1][1], told[-1][1], "Done")
