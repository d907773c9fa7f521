"""Somebody runs late: what each page reads of it, whom it touches and what it meets."""
from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.parts import ResourceKind
from clinic.planning.local import day_of, zone
from clinic.queries.diary import diary_of, read_text
from clinic.queries.lateness import lateness_of
from clinic.queries.running_late import PersonToday, people_today
from clinic.services.running_late import note_told, say_late, say_on_time
from clinic.services.work import NotFound, Refused
from clinic.store.accounts import AuditEntry
from clinic.store.diary import Appointment, ResourceBooking, RunningLate
from clinic.store.engine import for_writing
from clinic.store.outbox import Message
from tests.booking import at
from tests.queries.statements import counted
from tests.small_clinic import SmallClinic, small_clinic
from tests.web.seed import add_appointment


def busy(engine: Engine, *visits: tuple[datetime, int, int, Any], where: str = "Europe/London") -> SmallClinic:
    """The small clinic with these visits of 45 minutes: when, the patient's place, the practitioner's, and a room."""
    made = small_clinic(engine, zone=where)
    with Session(for_writing(engine)) as db:
        for starts_at, patient, person, room in visits:
            add_appointment(db, made.patients[patient], made.clinic_id, starts_at, where=where,
                            resources=(made.practitioners[person], made.rooms[room]))
        db.commit()
    return made


def late(made: SmallClinic, minutes: int, person: int = 0) -> None:
    with made.work("receptionist") as work:
        say_late(work, made.practitioners[person], clinic_id=made.clinic_id, minutes=minutes)


def read(made: SmallClinic, where: str = "Europe/London") -> tuple[PersonToday, ...]:
    with Session(made.engine) as db:
        return people_today(db, made.clinic_id, where=zone(where), now=made.now)


def expected(made: SmallClinic, where: str = "Europe/London") -> list[str]:
    """When the visits of today are likely to begin, by the clock: as the diary and the day's list say alike."""
    on = day_of(made.now, zone(where))
    with Session(made.engine) as db:
        diary = diary_of(db, made.clinic_id, on, 1, by=ResourceKind.ROOM, where=zone(where), now=made.now)
        listed = lateness_of(db, made.clinic_id, on, where=zone(where)).expected
    assert {visit.id: visit.expected for visit in diary.visits if visit.expected} == listed
    return [f"{visit.expected.begins_at.astimezone(zone(where)):%H:%M}" for visit in diary.visits if visit.expected]


def test_one_press_sets_everybody_back_and_another_one_takes_it_back(engine: Engine) -> None:
    made = busy(engine, (at(1, 10), 0, 0, 0), (at(1, 10, 45), 1, 0, 0), (at(1, 12), 2, 0, 0), (at(2, 10), 0, 0, 0))
    with Session(made.engine) as db:
        before = db.execute(sa.select(Appointment.starts_at, Appointment.revision)).all()
        first = read_text(db, made.clinic_id, made.now.date(), 1, where=zone("Europe/London"), now=made.now).version

    late(made, 45)
    late(made, 20)

    with Session(made.engine) as db:
        said = db.execute(sa.select(RunningLate.minutes, RunningLate.at, RunningLate.by)).all()
        second = read_text(db, made.clinic_id, made.now.date(), 1, where=zone("Europe/London"), now=made.now).version
        assert db.execute(sa.select(Appointment.starts_at, Appointment.revision)).all() == before
        assert db.scalars(sa.select(Message.id)).all() == []
    assert said == [(20, made.now, made.accounts["receptionist"])]
    assert expected(made) == ["10:20", "11:05"]
    person = read(made)[0]
    assert [(call.given_name, call.language) for call in person.touched] == [("Ana", "en"), ("Ben", "en")]
    assert (person.said_by, person.clashes) == ("Receptionist", ())
    made.now += timedelta(minutes=5)
    with made.work("receptionist") as work:
        say_on_time(work, made.practitioners[0], clinic_id=made.clinic_id)
    assert (expected(made), first != second) == ([], True)
    with Session(made.engine) as db:
        assert list(db.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id))) == [
            "running-late", "running-late", "on-time-again"]


def test_who_was_told_is_ticked_until_the_delay_grows_and_what_is_over_is_not(engine: Engine) -> None:
    made = busy(engine, (at(1, 10), 0, 0, 0), (at(1, 10, 45), 1, 0, 0))
    late(made, 20)
    first, second = read(made)[0].touched
    assert first.visit.expected is not None
    with made.work("receptionist") as work:
        note_told(work, first.visit.id, begins_at=first.visit.expected.begins_at)
    ticked = read(made)[0]
    late(made, 10)
    sooner = read(made)[0]
    late(made, 30)
    grown = read(made)[0]
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Appointment).where(Appointment.id == second.visit.id).values(state="cancelled"))
        db.commit()
    with made.work("receptionist") as work:
        refused = note_told(work, second.visit.id, begins_at=made.now)

    assert [(each.knows, each.told and each.told.by) for each in ticked.touched] == [
        (True, "Receptionist"), (False, None)]
    assert (ticked.to_tell, sooner.to_tell, grown.to_tell) == (1, 1, 2)
    assert grown.touched[0].told is not None and isinstance(refused, Refused)


def test_who_was_told_of_the_time_before_a_move_is_not_ticked_for_the_time_after_it(engine: Engine) -> None:
    made = busy(engine, (at(1, 15), 0, 0, 0))
    late(made, 30)
    [told] = read(made)[0].touched
    with made.work("receptionist") as work:
        note_told(work, told.visit.id, begins_at=at(1, 15, 30))
    [before] = read(made)[0].touched

    made.now += timedelta(minutes=5)
    with Session(for_writing(engine)) as db:
        visit = db.get_one(Appointment, told.visit.id)
        visit.starts_at, visit.ends_at = at(1, 11), at(1, 11, 45)
        visit.local_start, visit.scheduled_at, visit.revision = datetime(2027, 3, 1, 11), made.now, 1  # noqa: DTZ001
        db.execute(sa.update(ResourceBooking).where(ResourceBooking.appointment_id == visit.id).values(
            starts_at=at(1, 11), ends_at=at(1, 11, 45)))
        db.commit()
    [after] = read(made)[0].touched

    assert (before.knows, after.knows, after.told) == (True, False, None)


def test_who_has_seen_the_last_patient_of_the_day_is_not_called_late_any_more(engine: Engine) -> None:
    made = busy(engine, (at(1, 10), 0, 0, 0), (at(1, 10, 45), 1, 0, 0))
    late(made, 20)
    where, found = zone("Europe/London"), []

    for visit_id in (None, *(each.visit.id for each in read(made)[0].touched)):
        with Session(for_writing(engine)) as db:
            db.execute(sa.update(Appointment).where(Appointment.id == visit_id).values(state="fulfilled"))
            db.commit()
            listed = lateness_of(db, made.clinic_id, day_of(made.now, where), where=where)
        found.append((len(listed.people), read(made)[0].is_done))

    assert found == [(1, False), (1, False), (0, True)]


def test_what_the_lateness_meets_is_named(engine: Engine) -> None:
    made = busy(engine, (at(1, 10), 0, 0, 0), (at(1, 10, 45), 1, 1, 0), (at(1, 12), 2, 0, 1), (at(1, 17, 10), 0, 0, 1))
    found = []
    with counted(engine) as quiet:
        read(made)
    for minutes, now in ((50, at(1, 9)), (110, at(1, 9)), (50, at(1, 16, 50))):
        made.now = now
        late(made, minutes)
        with counted(engine) as said:
            found.append([(clash.finding.text, clash.visit and clash.visit.patient, clash.instead, clash.may_move)
                          for clash in read(made)[0].clashes])
        assert len(said) == len(quiet) <= 5

    assert found == [
        [("Room 1 is needed for Ben Okafor at 10:45, while Ana Novák is there until about 11:35", "Ben Okafor", "room",
          True)],
        [("The break planned for 12:45 does not fit then", "张 伟", "", True)],
        [("The last visit ends at about 18:45: the clinic closes at 18:00", "Ana Novák", "", True)],
    ]


@pytest.mark.parametrize(("day", "first", "second"), [
    # 28 March 2027: London's clock goes from 01:00 to 02:00. 31 October: from 02:00 back to 01:00.
    ("2027-03-28T00:50", "02:10", "02:55"), ("2027-10-31T00:50", "01:10", "01:55")])
def test_expected_times_are_right_on_the_days_when_the_clock_changes(
    engine: Engine, day: str, first: str, second: str
) -> None:
    begins = datetime.fromisoformat(f"{day}+00:00")
    made = busy(engine, (begins, 0, 0, 0), (begins + timedelta(minutes=45), 1, 0, 0))
    made.now = begins - timedelta(minutes=30)

    late(made, 20)

    assert expected(made) == [first, second]


def test_nobody_unknown_runs_late(engine: Engine) -> None:
    made = small_clinic(engine)

    with pytest.raises(NotFound), made.work("receptionist") as work:
        say_late(work, made.patients[0], clinic_id=made.clinic_id, minutes=5)
