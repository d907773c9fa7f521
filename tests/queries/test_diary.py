"""The diary as a value: free where the planner finds it free, everybody who comes, and every day as long as it is."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.care.states import AppointmentState
from clinic.care.windows import Fit
from clinic.planning.local import zone
from clinic.queries.diary import Diary, DiaryColumn, diary_of, read_text
from clinic.store.clinics import Closure, TravelTime
from clinic.store.courses import TreatmentSession
from clinic.store.engine import for_writing, open_engine
from clinic.store.resources import Absence, Rota, RotaSpan
from tests.booking import at, booked, cancel, sessions_of, standing
from tests.databases import SQLiteFiles
from tests.other_visits import clinic_with_visits, visit_booked
from tests.queries.statements import counted
from tests.queries.worlds import DAYS, STEP, Oracle, World, build, worlds
from tests.small_clinic import SmallClinic, small_clinic
from tests.web import seed

MONDAY = date(2027, 3, 1)
PEOPLE, ROOMS, DEVICES = ResourceKind


def read(made: SmallClinic, on: date = MONDAY, days: int = 1, by: ResourceKind = PEOPLE, *,
         where: str = "Europe/London") -> Diary:
    """The diary of the small clinic."""
    with Session(made.engine) as db:
        return diary_of(db, made.clinic_id, on, days, by=by, where=zone(where), now=made.now)


def of(diary: Diary, resource_id: int) -> DiaryColumn:
    """The column of somebody or something on the first day that has one."""
    return next(each for each in diary.columns if each.resource.id == resource_id)


def told(column: DiaryColumn, *, where: str = "Europe/London") -> list[tuple[str, str, str]]:
    """What a column is shaded with: what, from and to by the clock."""
    clock = zone(where)
    return [(each.shade.value + (f" {each.words}" if each.words else ""), f"{each.starts_at.astimezone(clock):%H:%M}",
             f"{each.ends_at.astimezone(clock):%H:%M}") for each in column.stretches]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_what_the_diary_calls_free_is_free(sqlite_files: SQLiteFiles, world: World) -> None:
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    built = build(engine, replace(world, expires=(None, None)))
    oracle, where = Oracle(built), ZoneInfo(world.zone)

    columns = [column for by in (PEOPLE, ROOMS)
               for column in read(built.made, world.first_on, DAYS, by, where=world.zone).columns]

    wrong = []
    for column in columns:
        if column.resource.id not in (*built.people, *built.rooms):
            continue
        on = column.day.on
        morning = datetime(on.year, on.month, on.day, 7, tzinfo=where).astimezone(UTC)
        for step in range(13 * 12):
            begins = morning + step * STEP
            free = any(low <= begins < high for low, high in column.free)
            if begins >= built.made.now and free != oracle.is_free(column.resource.id, begins, begins + STEP):
                wrong.append((column.resource.name, begins))
    assert wrong == []
    engine.dispose()
    sqlite_files.remove(url)


def test_a_visit_is_there_with_all_that_it_holds_and_stands_where_its_course_says(engine: Engine) -> None:
    made = small_clinic(engine)
    course = booked(made, sessions=2)
    first, second = standing(made, course)
    with Session(for_writing(engine)) as db:
        db.get_one(TreatmentSession, sessions_of(made, course_id=course)[1].id).ideal_on = date(2027, 1, 1)
        db.commit()

    one, = read(made, first.local_start.date()).visits
    other, = read(made, second.local_start.date(), by=ROOMS).visits

    held = [(each.resource.kind.value, (each.starts_at - one.starts_at).seconds // 60,
             (each.ends_at - one.starts_at).seconds // 60) for each in one.holds]
    assert held == [("practitioner", 60, 90), ("room", 0, 105), ("device", 60, 105)]
    assert [(part.name, len(part.holds)) for part in one.parts] == [
        ("check-in", 1), ("numbing", 1), ("procedure", 3), ("turnover", 2)]
    assert (one.patient, one.treatment, one.number, one.of) == ("Ana Novák", "Microneedling", 1, 2)
    assert (other.number, other.fit) == (2, Fit.LATE)
    assert [[visit.id for visit in each.visits] for each in read(made, first.local_start.date(), by=ROOMS).columns
            if each.visits] == [[one.id]]


def test_what_was_cancelled_or_whose_hold_has_lapsed_holds_nothing_and_is_still_told(engine: Engine) -> None:
    made = small_clinic(engine)
    visits = standing(made, booked(made, sessions=2))
    on = visits[0].local_start.date()
    cancel(made, visits[0])
    with Session(for_writing(engine)) as db:
        lapsed = seed.add_appointment(db, made.patients[1], made.clinic_id, visits[0].starts_at)
        db.execute(sa.text("UPDATE appointment SET state = 'proposed', hold_expires_at = starts_at WHERE id = :id"),
                   {"id": lapsed})
        db.commit()
    made.now = visits[0].starts_at

    found = read(made, on)

    assert {(each.state, each.holds) for each in found.visits} == {
        (AppointmentState.CANCELLED, ()), (AppointmentState.PROPOSED, ())}
    assert [column.visits for column in found.columns] == [()] * 3


def test_hours_breaks_and_absences_are_shaded_and_free_time_lies_between(engine: Engine) -> None:
    made = small_clinic(engine)
    made.now = at(1, 9, 7)
    with Session(for_writing(engine)) as db:
        db.add(Absence(resource_id=made.practitioners[1], starts_at=at(1, 13, 3), ends_at=at(3, 0), reason="Ill"))
        db.add(Closure(clinic_id=made.clinic_id, from_on=date(2027, 3, 2), to_on=date(2027, 3, 2), reason="Holiday"))
        db.commit()

    today, tomorrow = read(made), read(made, date(2027, 3, 2))

    assert told(of(today, made.practitioners[0])) == [("work", "09:00", "18:00"), ("break", "12:45", "13:15")]
    assert told(of(today, made.practitioners[1])) == [
        ("work", "09:00", "18:00"), ("break", "12:30", "13:00"), ("away Ill", "13:03", "00:00")]
    assert of(today, made.practitioners[1]).free == (
        (at(1, 9, 10), at(1, 12, 30)),)
    assert (tomorrow.days[0].closed, [each.free for each in tomorrow.columns]) == ("Holiday", [(), (), ()])


def test_hours_at_another_clinic_go_by_its_own_clock_and_the_way_there_takes_time(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        there = seed.add_clinic(db, "Vigo", "Europe/Madrid")
        rota = Rota(practitioner_id=made.practitioners[0], starts_on=date(2027, 2, 22))
        db.add_all([rota, TravelTime(one_clinic_id=made.clinic_id, other_clinic_id=there, minutes=30)])
        db.flush()
        db.add_all([RotaSpan(rota_id=rota.id, weekday=0, opens=540, closes=780, clinic_id=made.clinic_id),
                    RotaSpan(rota_id=rota.id, weekday=0, opens=900, closes=1080, clinic_id=there)])
        patient = seed.add_patient(db, "Not", "Ours")
        seed.add_appointment(db, patient, there, at(1, 14), resources=(made.practitioners[0],), where="Europe/Madrid")
        db.commit()

    found = read(made)

    assert told(of(found, made.practitioners[0])) == [
        ("work", "09:00", "13:00"), ("travel", "13:30", "14:00"), ("elsewhere Vigo", "14:00", "17:00"),
        ("travel", "14:45", "15:15")]
    assert found.visits == ()


def test_each_day_is_as_long_as_the_clock_makes_it(engine: Engine) -> None:
    made = small_clinic(engine)

    week = read(made, date(2027, 3, 22), 7)
    autumn = read(made, date(2027, 10, 31), 1)

    assert [(day.ends_at - day.starts_at) // timedelta(hours=1) for day in (*week.days, *autumn.days)] == [
        *[24] * 6, 23, 25]
    assert [told(column)[0] for column in week.columns if column.resource.id == made.practitioners[0]
            and column.stretches] == [("work", "09:00", "18:00")] * 5


def test_one_statement_is_enough_however_full_it_is(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    read(made)
    with counted(engine) as empty:
        read(made, days=7)
    for patient, code in enumerate(("peel_superficial", "mn_rejuvenation")):
        booked(made, code, 3, patient_id=made.patients[patient])
    visit_booked(made, patient=2)

    read(made, days=7)
    with counted(engine) as full:
        found = read(made, days=7)

    assert [sum(each.startswith("SELECT") for each in said) for said in (empty, full)] == [1, 1]
    assert len(found.visits) == 3
    assert {visit.treatment: [part.name for part in visit.parts] for visit in found.visits}["Consultation"] != []


def test_another_clinic_s_diary_shows_nothing_of_this_one(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, sessions=1)
    with Session(for_writing(engine)) as db:
        there = seed.add_clinic(db, "Hill")
        db.commit()
        found = diary_of(db, there, MONDAY, 14, by=PEOPLE, where=zone("Europe/London"), now=made.now)

    assert (found.visits, found.columns) == ((), ())


CHANGES = {
    "moved": "UPDATE appointment SET local_start = '2027-03-01 10:00', minutes = 30",
    "arrived": "UPDATE appointment SET state = 'arrived'",
    "confirmed": "UPDATE appointment SET confirmed_at = starts_at",
    "fixed": "UPDATE appointment SET pinned = true",
    "another room": "UPDATE resource_booking SET resource_id = :room WHERE need = 2",
    "a name": "UPDATE patient SET family_name = 'Svoboda'",
    "an alert": "UPDATE patient SET alerts = 'Latex'",
    "a window": "UPDATE treatment_session SET ideal_on = '2027-02-01'",
    "a practitioner": "UPDATE practitioner SET name = 'Dr Nova' WHERE name = 'Dr Chen'",
    "a room closed down": "UPDATE room SET active = false WHERE name = 'Room 2'",
    "a rota": "UPDATE rota_span SET closes = 1000 WHERE weekday = 0 AND clinic_id IS NOT NULL",
    "opening hours": "UPDATE opening_hours SET closes = 1000 WHERE weekday = 0",
    "cancelled": "UPDATE appointment SET state = 'cancelled'",
}


def test_the_version_of_a_diary_changes_with_everything_it_shows_and_with_nothing_else(engine: Engine) -> None:
    made = small_clinic(engine)
    booked(made, sessions=3)

    def version() -> str:
        with Session(made.engine) as db:
            return read_text(db, made.clinic_id, MONDAY, 1, where=zone("Europe/London"), now=made.now).version

    first = version()
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE patient SET email = 'new@example.com'"))
        db.execute(sa.text("UPDATE message SET due_at = useless_after"))
        db.commit()
    assert version() == first
    seen = [first]
    for name, change in CHANGES.items():
        with Session(for_writing(engine)) as db:
            db.execute(sa.text(change), {"room": made.rooms[1]} if ":room" in change else {})
            db.commit()
        seen.append(version())
        assert seen[-1] not in seen[:-1], name
    with Session(for_writing(engine)) as db:
        db.add_all([
            Absence(resource_id=made.practitioners[0], starts_at=at(1, 12), ends_at=at(1, 13), reason="Ill"),
            Closure(clinic_id=made.clinic_id, from_on=MONDAY, to_on=MONDAY, reason="Holiday")])
        db.commit()
    assert version() not in seen
