"""How a visit ends: treated in part, not treated, or on another day than planned; and what then follows."""
from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.outcomes import NotTreatedCause, PartlyTreated
from clinic.services import attendance
from clinic.services.completion import complete_appointment
from clinic.services.work import Done, Refused
from clinic.store.accounts import Task
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from tests.booking import (
    at,
    booked,
    choose,
    codes,
    counts,
    done,
    held_by,
    perform,
    rebook,
    row,
    sessions_of,
    standing,
    tell,
)
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic

LONDON = ZoneInfo("Europe/London")
CHEEKS = PartlyTreated("cheeks and chin", "forehead")
AFTER = {"aftercare", "check-in-24h", "check-in-72h"}


def send_home(
    made: SmallClinic, visit: Appointment, cause: NotTreatedCause = NotTreatedCause.TAN, details: str = ""
) -> Done[int] | Refused:
    with made.work("practitioner") as work:
        return attendance.end_untreated(
            work, visit.id, cause=cause, details=details, lock_version=visit.lock_version)


def complete(made: SmallClinic, visit: Appointment, performed_at: datetime | None = None,
             partly: PartlyTreated | None = None) -> Done[int] | Refused:
    with made.work("practitioner") as work:
        return complete_appointment(
            work, visit.id, performed_at=performed_at, partly=partly, lock_version=visit.lock_version)


def clock(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), LONDON)


def waiting(made: SmallClinic) -> Counter[str]:
    """The kinds of the messages that wait to be sent."""
    with Session(made.engine) as db:
        return Counter(db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "pending")))


def ends(made: SmallClinic, ident: int) -> tuple[str, str | None, str | None]:
    found = row(made, Appointment, ident)
    return (found.state, found.ended_cause, found.cancellation_reason)


def windows(made: SmallClinic, course_id: int) -> list[tuple[date | None, date | None, date | None]]:
    return [(each.earliest_on, each.ideal_on, each.latest_on) for each in sessions_of(made, course_id=course_id)]


def window(day: date) -> tuple[date, date, date]:
    """Of microneedling, after a session on that date."""
    return (day + timedelta(days=28), day + timedelta(days=30), day + timedelta(days=56))


@pytest.mark.parametrize("cause", [NotTreatedCause.TAN, NotTreatedCause.DEVICE, NotTreatedCause.LEFT])
def test_who_was_here_and_was_not_treated_still_has_the_session_and_hears_nothing(
    engine: Engine, cause: NotTreatedCause
) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2, not_before_on=date(2027, 3, 9))
    visit, second = standing(made, course_id)
    tell(made)
    made.now = visit.starts_at - timedelta(minutes=10)  # early, so that the planned time is still ahead
    with made.work() as work:
        done(attendance.mark_arrived(work, visit.id, lock_version=visit.lock_version))
    before = waiting(made)

    done(send_home(made, row(made, Appointment, visit.id), cause, "  said at the desk "))

    assert ends(made, visit.id) == ("cancelled", cause.value, "said at the desk")
    assert row(made, Appointment, visit.id).revision == visit.revision
    assert held_by(made, visit.id) == []
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["owed", "booked"]
    assert set(waiting(made)) & (AFTER | {"cancellation", "change", "missed"}) == set()
    assert waiting(made) - before == Counter(precare=1)  # in its time, for the next visit
    assert row(made, Appointment, second.id).lock_version == second.lock_version
    assert audit(engine) == []


def test_a_visit_not_treated_is_told_as_a_new_date_once_it_has_one(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    needs = [resource for _, resource in held_by(made, visit.id)[1:]]
    tell(made)
    done(send_home(made, visit))

    done(rebook(made, visit.treatment_session_id or 0, choose(1, at(15, 9), needs)))

    assert waiting(made)["confirmation"] == 1
    assert waiting(made).keys().isdisjoint({"change", "cancellation"})
    assert audit(engine) == []


def test_nobody_is_sent_home_before_the_day_nor_after_the_visit_ended(engine: Engine) -> None:
    made = small_clinic(engine)
    first, second = standing(made, booked(made, sessions=2))

    early = send_home(made, second)
    done(perform(made, first))
    late = send_home(made, row(made, Appointment, first.id))

    assert (codes(early), codes(late)) == (["not-yet"], ["closed"])
    assert row(made, Appointment, second.id).lock_version == second.lock_version


def test_a_session_treated_in_part_is_done_and_asks_a_practitioner_about_the_rest(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    visit = standing(made, course_id)[0]
    made.now = visit.ends_at

    done(complete(made, visit, partly=CHEEKS))

    first = sessions_of(made, course_id=course_id)[0]
    assert (first.state, first.outcome, first.areas_treated, first.areas_left) == (
        "completed", "partly-treated", "cheeks and chin", "forehead")
    assert windows(made, course_id)[1] == window(date(2027, 3, 1))
    assert set(waiting(made)) >= AFTER
    with Session(engine) as db:
        [task] = db.scalars(sa.select(Task))
    assert (task.patient_id, task.due_on, task.created_by) == (
        made.patients[0], date(2027, 3, 8), made.accounts["practitioner"])
    assert "session 1, was treated in part. Treated: cheeks and chin. Left out: forehead." in task.text
    assert audit(engine, untold_at=made.now) == []


def test_a_whole_session_asks_nobody(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)

    done(perform(made, standing(made, course_id)[0]))

    first = sessions_of(made, course_id=course_id)[0]
    assert (first.outcome, first.areas_treated, first.areas_left) == ("treated", None, None)
    assert counts(engine)["task"] == 0


@pytest.mark.parametrize(("zone", "performed_at", "performed_on"), [
    ("Europe/London", datetime(2027, 3, 27, 23, 30, tzinfo=UTC), date(2027, 3, 27)),
    ("Europe/London", datetime(2027, 3, 28, 23, 30, tzinfo=UTC), date(2027, 3, 29)),  # summer time since this day
    ("Europe/London", datetime(2027, 10, 30, 23, 30, tzinfo=UTC), date(2027, 10, 31)),
    ("Europe/London", datetime(2027, 10, 31, 23, 30, tzinfo=UTC), date(2027, 10, 31)),  # and no longer since this one
    ("America/New_York", datetime(2027, 3, 15, 3, 30, tzinfo=UTC), date(2027, 3, 14)),
])
def test_a_session_given_on_another_day_counts_from_the_clinics_date(
    engine: Engine, zone: str, performed_at: datetime, performed_on: date
) -> None:
    made = small_clinic(engine, zone=zone)
    made.now = performed_at - timedelta(days=20)
    course_id = booked(made, sessions=3)
    visit = standing(made, course_id)[0]
    made.now = performed_at + timedelta(hours=30)

    done(complete(made, visit, performed_at))

    first, ended = sessions_of(made, course_id=course_id)[0], row(made, Appointment, visit.id)
    assert (first.performed_at, first.performed_on) == (performed_at, performed_on)
    assert windows(made, course_id)[1] == window(performed_on)
    assert (ended.state, ended.starts_at, ended.local_start, ended.revision) == (
        "fulfilled", visit.starts_at, visit.local_start, 0)
    assert held_by(made, visit.id) == []
    assert {kind: waiting(made)[kind] for kind in AFTER} == {
        "aftercare": 1, "check-in-24h": 0, "check-in-72h": 1}
    with Session(engine) as db:
        due = db.scalars(sa.select(Message.due_at).join(MessageItem).where(MessageItem.kind == "aftercare")).one()
    assert due == performed_at


def test_a_session_given_before_its_day_frees_the_planned_time_and_calls_it_off(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2, not_before_on=date(2027, 3, 9))
    visit = standing(made, course_id)[0]
    needs = [resource for _, resource in held_by(made, visit.id)[1:]]
    tell(made)
    made.now = at(4, 15)

    done(complete(made, visit, at(4, 11)))

    assert row(made, Appointment, visit.id).revision == 1
    assert waiting(made)["cancellation"] == 1
    other = standing(made, booked(made, sessions=1, patient_id=made.patients[1], not_before_on=date(2027, 3, 9)))[0]
    assert (other.starts_at, [resource for _, resource in held_by(made, other.id)[1:]]) == (visit.starts_at, needs)
    tell(made)
    with Session(engine) as db:
        [sent] = db.scalars(sa.select(Message.mime).join(MessageItem).where(MessageItem.kind == "cancellation"))
    parts = message_from_bytes(sent or b"", policy=policy.default).walk()
    calendars = [part.get_content() for part in parts if part.get_content_type() == "text/calendar"]
    assert calendars and all("METHOD:CANCEL" in str(each) for each in calendars)
    assert waiting(made).keys().isdisjoint({"cancellation", "change"})
    assert audit(engine) == []


def test_a_session_given_after_its_day_calls_nothing_off(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    visit = standing(made, course_id)[0]
    tell(made)
    made.now = at(4, 15)

    done(complete(made, visit, at(3, 11)))

    assert row(made, Appointment, visit.id).revision == 0
    assert waiting(made).keys().isdisjoint({"cancellation", "change"})
    assert windows(made, course_id)[1] == window(date(2027, 3, 3))
    assert audit(engine) == []


def test_a_press_on_the_wrong_day_is_no_completion(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made, sessions=2))[1]

    outcome = complete(made, second)

    assert codes(outcome) == ["other-day"]
    assert row(made, Appointment, second.id).lock_version == second.lock_version


@pytest.mark.parametrize(("performed_at", "outcome"), [
    (at(1, 8), "before-previous"), (at(1, 17), "before-previous"), (at(2, 8), None)])
def test_a_session_is_never_given_before_the_one_before_it(
    engine: Engine, performed_at: datetime, outcome: str | None
) -> None:
    """That it was too soon is no reason to refuse what has happened."""
    made = small_clinic(engine)
    first, second = standing(made, booked(made, sessions=2))
    done(perform(made, first))
    made.now = at(2, 12)

    answer = complete(made, second, performed_at)

    assert (codes(answer) if isinstance(answer, Refused) else None) == ([outcome] if outcome else None)


def test_upkeep_is_never_given_before_the_last_session_of_its_course(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, "rfmn_laxity", 1))[0]
    needs = [resource for _, resource in held_by(made, visit.id)[1:]]
    done(perform(made, visit))
    owed = next(each for each in sessions_of(made) if each.maintenance_plan_id)
    assert owed.ideal_on is not None
    nine = clock(owed.ideal_on, 9)
    upkeep = row(made, Appointment, done(rebook(made, owed.id, choose(1, nine, needs))))
    made.now = at(5, 12)

    assert codes(complete(made, upkeep, at(1, 17))) == ["before-previous"]
    done(complete(made, upkeep, at(4, 17)))
