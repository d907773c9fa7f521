"""A country changes its clocks: visits keep the local time that was promised, everything behind it follows."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.messages.mailbox import MailboxTransport
from clinic.services.delivery import Courier
from clinic.services.zones import Fate, Rederived, follow_zones
from clinic.store.accounts import Task
from clinic.store.clinics import Business
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.engine import for_writing
from tests.booking import booked, choose, done, held_by, move, sessions_of, standing
from tests.engines import lent_engine
from tests.prove.audit import audit
from tests.prove.audit_pages import page_faults
from tests.prove.plain_rows import Tables, changes
from tests.small_clinic import SmallClinic, small_clinic
from tests.zone_rules import rules_of, write_zone

HOUR = timedelta(hours=1)
SUMMER_BEGINS = datetime(2027, 3, 28, 1, tzinfo=UTC)
NO_SUMMER_TIME = "GMT0"
SKIPS_TEN_ON_24_MARCH = "GMT0BST,M3.4.3/10,M10.5.0"
REPEATS_TEN_ON_24_MARCH = "BST-1GMT0,M3.4.3/11,M10.5.0/0"


@pytest.fixture
def made(engine: Engine) -> SmallClinic:
    return small_clinic(engine)


def rules(folder: Path, rule: str) -> Path:
    return write_zone(folder, "Europe/London", rule)


def follow(made: SmallClinic, *, is_trial: bool = False) -> tuple[Rederived, ...]:
    with made.work() as work:
        return follow_zones(work, is_trial=is_trial)


def at_ten(made: SmallClinic, day: int, *, month: int = 3) -> Appointment:
    """A visit at ten by the clock of London on that day, in a course of its own."""
    [visit] = standing(made, booked(made, sessions=1))
    hour = 10 if month == 3 and day < 28 else 9
    done(move(made, visit, choose(sessions_of(made, id=visit.treatment_session_id)[0],
                                  datetime(2027, month, day, hour, tzinfo=UTC),
                                  [ident for _, ident in held_by(made, visit.id) if ident != visit.patient_id])))
    [visit] = (each for each in standing(made, course_of(made, visit)) if each.id == visit.id)
    return visit


def course_of(made: SmallClinic, visit: Appointment) -> int:
    assert visit.treatment_session_id is not None
    course_id = sessions_of(made, id=visit.treatment_session_id)[0].course_id
    assert course_id is not None
    return course_id


def tasks(made: SmallClinic) -> list[str]:
    with Session(made.engine) as db:
        return list(db.scalars(sa.select(Task.text).order_by(Task.id)))


def test_visits_keep_their_local_time_and_everything_behind_it_follows_once(made: SmallClinic, tmp_path: Path) -> None:
    with made.work() as work:
        work.db.get_one(Business, 1).mail_on_since = made.now
        work.commit()
    course_id = booked(made, sessions=3)
    made.now += HOUR
    Courier(made.work, MailboxTransport(), "worker").deliver_due()
    before, rows = standing(made, course_id), Tables(made.engine).read()
    winter = [each for each in before if each.starts_at < SUMMER_BEGINS]

    with rules_of(rules(tmp_path, NO_SUMMER_TIME)):
        tried = follow(made, is_trial=True)
        untouched = changes(rows, Tables(made.engine).read())
        found, again = follow(made), follow(made)
        after, kept = standing(made, course_id), Tables(made.engine).read()
        faults = audit(made.engine) + page_faults(kept)

    assert (tried, untouched, again) == (found, [], ())
    assert len(winter) == 1
    assert [each.appointment_id for each in found] == [each.id for each in before[len(winter):]]
    assert [(each.local_start, each.zone, each.fold, each.revision) for each in after] == [
        (each.local_start, each.zone, each.fold, each.revision) for each in before]
    assert [each.starts_at - was.starts_at for each, was in zip(after, before, strict=True)] == [
        0 * HOUR if was in winter else HOUR for was in before]
    assert faults == []
    assert [(row.kind, row.subject_id) for row in kept["message_item"]] == [
        (row.kind, row.subject_id) for row in rows["message_item"]]
    due = {row.id: row.due_at for row in rows["message"] if row.state == "pending"}
    assert {row.due_at - due[row.id] for row in kept["message"] if row.id in due} == {0 * HOUR, HOUR}
    assert [row.subject_id for row in kept["audit"] if row.action == "appointment-rederived"] == [
        each.appointment_id for each in found]
    assert tasks(made) == []


def test_a_visit_whose_time_is_taken_now_stays_is_said_once_and_follows_when_it_can(
    made: SmallClinic, tmp_path: Path
) -> None:
    visit = at_ten(made, 14, month=4)
    # The practitioner comes in after the numbing, an hour into the visit.
    other_id = of_another_zone(made, visit.starts_at + 2 * HOUR)

    with rules_of(rules(tmp_path, NO_SUMMER_TIME)):
        found, again = follow(made), follow(made)
        told, stood = tasks(made), standing(made, course_of(made, visit))
        with Session(for_writing(made.engine)) as db:
            db.execute(sa.update(Appointment).where(Appointment.id == other_id).values(state="cancelled"))
            db.commit()
        at_last = follow(made)
        faults = page_faults(Tables(made.engine).read())

    assert [each.fate for each in (*found, *again, *at_last)] == [Fate.TAKEN, Fate.TAKEN, Fate.FOLLOWS]
    assert [each.starts_at for each in stood] == [visit.starts_at]
    assert told == ["The clocks of Europe/London follow new rules. This visit is promised for 10:00 on 14 April 2027, "
                    "when Dr Amari has another one: the diary keeps it at 09:00 until one of them is moved."]
    assert [each.starts_at for each in standing(made, course_of(made, visit))] == [visit.starts_at + HOUR]
    assert faults == []


@pytest.mark.parametrize(("rule", "fate", "at", "words"), [
    (SKIPS_TEN_ON_24_MARCH, Fate.SKIPPED, 10, "They now skip 10:00 on 24 March 2027, for which this visit is promised: "
     "it is held from 11:00. Agree on a time with the patient."),
    (REPEATS_TEN_ON_24_MARCH, Fate.REPEATED, 9, "They now read 10:00 twice on 24 March 2027, for which this visit is "
     "promised: it is held the first time. Tell the patient which is meant."),
])
def test_a_time_that_the_clock_now_skips_or_reads_twice_is_held_and_said(
    sqlite_url: str, tmp_path: Path, rule: str, fate: Fate, at: int, words: str
) -> None:
    with lent_engine(sqlite_url) as engine:
        made = small_clinic(engine)
        visit = at_ten(made, 24)
        with Session(for_writing(engine)) as db:
            # What is read twice was once held an hour later.
            if fate is Fate.REPEATED:
                shifted(db, visit.id, HOUR)
            else:
                shifted(db, visit.id, -HOUR)
            db.commit()

        with rules_of(rules(tmp_path, rule)):
            found, again = follow(made), follow(made)

        assert ([each.fate for each in found], again) == ([fate], ())
        assert standing(made, course_of(made, visit))[0].starts_at == datetime(2027, 3, 24, at, tzinfo=UTC)
        assert tasks(made) == [f"The clocks of Europe/London follow new rules. {words}"]


def shifted(db: Session, appointment_id: int, by: timedelta) -> None:
    visit = db.get_one(Appointment, appointment_id)
    visit.starts_at += by
    visit.ends_at += by
    rows = db.scalars(sa.select(ResourceBooking).where(ResourceBooking.appointment_id == appointment_id)).all()
    for row in rows:
        row.starts_at += by
        row.ends_at += by
        db.flush()


def of_another_zone(made: SmallClinic, starts_at: datetime) -> int:
    """Another patient's visit with the same practitioner, by a clock that keeps its rules."""
    with Session(for_writing(made.engine)) as db:
        practitioner = made.practitioners[0]
        other = Appointment(
            clinic_id=made.clinic_id, patient_id=made.patients[2], kind="other", treatment_code="other", state="booked",
            uid="elsewhere", local_start=starts_at.replace(tzinfo=None), zone="Etc/UTC", fold=0, minutes=60,
            starts_at=starts_at, ends_at=starts_at + HOUR, scheduled_at=made.now, created_at=made.now)
        db.add(other)
        db.flush()
        db.add(ResourceBooking(appointment_id=other.id, resource_id=practitioner, clinic_id=made.clinic_id, need=1,
                               starts_at=starts_at, ends_at=starts_at + HOUR))
        db.commit()
        return other.id


def test_a_visit_that_has_begun_is_left_alone(made: SmallClinic, tmp_path: Path) -> None:
    visit = at_ten(made, 14, month=4)
    made.now = visit.starts_at + HOUR

    with rules_of(rules(tmp_path, NO_SUMMER_TIME)):
        assert follow(made) == ()
