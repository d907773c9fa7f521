"""A visit that was missed: why, what the patient is asked, and the sessions that it adds where the protocol says so."""
from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.outcomes import NoShowCause
from clinic.services import appointments, attendance
from clinic.services.work import Done, Refused
from clinic.store.accounts import AuditEntry
from clinic.store.courses import CourseOverride
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from clinic.store.protocols import ProtocolVersion
from tests.booking import (
    at,
    booked,
    cancel,
    choose,
    counts,
    course_row,
    done,
    failing_at,
    healthy,
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
NOTHING = {"aftercare", "cancellation", "change", "check-in-24h", "check-in-72h"}


def hair(made: SmallClinic, sessions: int = 3, **changes: Any) -> int:
    """A course whose protocol adds a session for one that was missed and passes its window of 21 to 42 days."""
    return booked(made, "lhr_face", sessions, answers=healthy(indication="unwanted_hair_face"), **changes)


def miss(
    made: SmallClinic, visit: Appointment, cause: NoShowCause = NoShowCause.FORGOT
) -> Done[int] | Refused:
    with made.work("receptionist") as work:
        return attendance.mark_noshow(work, visit.id, cause=cause, lock_version=visit.lock_version)


def clock(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), LONDON)


def waiting(made: SmallClinic) -> Counter[str]:
    """The kinds of the messages that wait to be sent."""
    with Session(made.engine) as db:
        return Counter(db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "pending")))


@pytest.mark.parametrize(("cause", "told"), [
    (NoShowCause.FORGOT, 1), (NoShowCause.ILL, 1), (NoShowCause.PREVENTED, 1), (NoShowCause.BY_CLINIC, 0)])
def test_a_missed_visit_keeps_its_cause_and_asks_the_patient_to_call(
    engine: Engine, cause: NoShowCause, told: int
) -> None:
    made = small_clinic(engine)
    made.now = at(5, 8)  # a Friday
    course_id = booked(made, sessions=1)
    visit = standing(made, course_id)[0]
    tell(made)
    made.now = visit.ends_at

    done(miss(made, visit, cause))

    ended = row(made, Appointment, visit.id)
    assert (ended.state, ended.ended_cause, ended.cancellation_reason) == ("noshow", cause.value, None)
    assert held_by(made, visit.id) == []
    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["owed"]
    assert waiting(made)["missed"] == told
    assert waiting(made).keys().isdisjoint(NOTHING)
    with Session(engine) as db:
        due = db.scalars(sa.select(Message.due_at).join(MessageItem).where(MessageItem.kind == "missed")).all()
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "appointment-noshow")).one()
    assert due == [at(8, 9)] * told  # the Monday after
    assert facts == {"cause": cause.value}
    assert counts(engine)["course_override"] == 0
    assert audit(engine) == []


def test_what_is_sent_for_a_missed_visit_says_when_and_whom_to_call_and_nothing_of_the_treatment(
    engine: Engine
) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made, sessions=1))[0]
    tell(made)
    made.now = visit.ends_at
    done(miss(made, visit))
    made.now = at(2, 8, 30)
    tell(made)

    with Session(engine) as db:
        mime = db.scalars(sa.select(Message.mime).join(MessageItem).where(
            MessageItem.kind == "missed", Message.state == "sent")).one() or b""
    assert b"Subject: We missed you on Monday 1 March" in mime
    assert b"+44 20 7946 0000" in mime
    assert b"needling" not in mime.lower()


def test_a_visit_marked_as_missed_by_mistake_is_booked_again_and_nothing_is_sent(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=1)
    visit = standing(made, course_id)[0]
    needs = [resource for _, resource in held_by(made, visit.id)[1:]]
    made.now = visit.starts_at + timedelta(minutes=5)
    done(miss(made, visit))

    new_id = done(rebook(made, visit.treatment_session_id or 0, choose(1, at(1, 16), needs)))
    done(perform(made, row(made, Appointment, new_id)))

    assert waiting(made)["missed"] == 0
    assert course_row(made, course_id).state == "completed"
    assert audit(engine) == []


def noshows_of(made: SmallClinic, course_id: int) -> list[dict[str, Any]]:
    with Session(made.engine) as db:
        return [each.value | {"reason": each.reason, "by": each.made_by} for each in db.scalars(
            sa.select(CourseOverride).where(CourseOverride.course_id == course_id))]


@pytest.mark.parametrize(("days_left", "cause", "added"), [
    (1, NoShowCause.FORGOT, 0), (0, NoShowCause.FORGOT, 1), (-3, NoShowCause.ILL, 1), (0, NoShowCause.PREVENTED, 1),
    (0, NoShowCause.BY_CLINIC, 0), (-3, NoShowCause.BY_CLINIC, 0)])
def test_a_missed_session_that_passes_its_window_adds_one_where_the_protocol_says_so(
    engine: Engine, days_left: int, cause: NoShowCause, added: int
) -> None:
    made = small_clinic(engine)
    course_id = hair(made)
    first, second, _ = standing(made, course_id)
    done(perform(made, first))
    latest_on = sessions_of(made, course_id=course_id)[1].latest_on
    assert latest_on == date(2027, 3, 1) + timedelta(days=42)
    made.now = clock(latest_on - timedelta(days=days_left), 17)

    done(miss(made, second, cause))

    found = sessions_of(made, course_id=course_id)
    assert [each.number for each in found] == list(range(1, 4 + added))
    assert [(each.state, each.treatment_code) for each in found[3:]] == [("owed", "hair-removal-face")] * added
    assert all(each.latest_on is not None for each in found[1:])
    kept = noshows_of(made, course_id)
    assert [(each["added"], each["cause"], each["rule"], each["by"]) for each in kept] == [
        (1, cause.value, "extend", made.accounts["receptionist"])] * added
    assert [each["reason"] for each in kept] == [
        "The session passes its last day, 12 April 2027: one more session at the end."] * added
    assert audit(engine) == []


def test_a_missed_session_that_is_given_too_late_after_all_adds_its_one_then(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = hair(made, 2)
    first, second = standing(made, course_id)
    needs = [resource for _, resource in held_by(made, second.id)[1:]]
    done(perform(made, first))
    made.now = second.ends_at
    done(miss(made, second, NoShowCause.ILL))
    assert noshows_of(made, course_id) == []
    late = choose(2, at(3, 9, month=5), needs)
    with made.work("receptionist") as work:
        new_id = done(appointments.book_session(
            work, second.treatment_session_id or 0, late, overrides={"too-late": "On holiday"}))

    done(perform(made, row(made, Appointment, new_id)))

    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["completed", "completed", "owed"]
    assert course_row(made, course_id).state == "active"
    [kept] = [each for each in noshows_of(made, course_id) if "rule" in each]
    assert (kept["appointment"], kept["cause"], kept["added"]) == (second.id, "ill", 1)
    assert audit(engine) == []


def test_a_session_that_was_missed_and_is_given_in_time_adds_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = hair(made, 2)
    first, second = standing(made, course_id)
    needs = [resource for _, resource in held_by(made, second.id)[1:]]
    done(perform(made, first))
    made.now = second.ends_at
    done(miss(made, second))

    new_id = done(rebook(made, second.treatment_session_id or 0, choose(2, at(12, 9, month=4), needs)))
    done(perform(made, row(made, Appointment, new_id)))

    assert course_row(made, course_id).state == "completed"
    assert noshows_of(made, course_id) == []


def test_a_session_is_counted_as_missed_once_however_often_nobody_comes(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = hair(made, 2)
    first, second = standing(made, course_id)
    needs = [resource for _, resource in held_by(made, second.id)[1:]]
    done(perform(made, first))
    made.now = at(19, 17, month=4)
    done(miss(made, second))
    for day in (20, 21):
        with made.work("receptionist") as work:
            again = done(appointments.book_session(
                work, second.treatment_session_id or 0, choose(2, at(day, 9, month=4), needs),
                overrides={"too-late": "As soon as we can"}))
        made.now = at(day, 12, month=4)
        if day == 20:
            done(miss(made, row(made, Appointment, again)))
    done(perform(made, row(made, Appointment, again)))

    assert [each.state for each in sessions_of(made, course_id=course_id)] == ["completed", "completed", "owed"]
    assert audit(engine) == []


def with_rule(made: SmallClinic, rule: str) -> None:
    """Another version of hair removal, with that rule for every cause."""
    with made.work() as work:
        old = work.db.get_one(ProtocolVersion, made.versions["lhr_face"])
        document = json.loads(json.dumps(old.document))
        document["missed"] |= {"forgot": rule, "ill": rule, "prevented": rule}
        version = ProtocolVersion(
            protocol_id=old.protocol_id, number=2, document=document, state="approved", created_at=made.now,
            approved_by=old.approved_by, approved_at=made.now)
        old.state = "retired"
        work.db.flush()
        work.db.add(version)
        work.db.flush()
        work.commit()
        made.versions["lhr_face"] = version.id


@pytest.mark.parametrize(("rule", "total"), [("keep", 4), ("extend", 5), ("restart", 6)])
def test_the_rule_of_the_courses_own_version_decides(engine: Engine, rule: str, total: int) -> None:
    made = small_clinic(engine)
    with_rule(made, rule)
    course_id = hair(made, 4)
    visits = standing(made, course_id)
    for visit in visits[:2]:
        done(perform(made, visit))
    made.now = visits[2].ends_at + timedelta(days=40)

    done(miss(made, visits[2]))

    assert [each.number for each in sessions_of(made, course_id=course_id)] == list(range(1, total + 1))
    assert audit(engine) == []


def test_a_first_session_and_upkeep_have_no_window_that_a_no_show_could_pass(engine: Engine) -> None:
    made = small_clinic(engine)
    with_rule(made, "extend")
    course_id = hair(made, 1)
    first = standing(made, course_id)[0]
    needs = [resource for _, resource in held_by(made, first.id)[1:]]
    made.now = first.ends_at + timedelta(days=300)
    done(miss(made, first))
    assert len(sessions_of(made, course_id=course_id)) == 1

    again = made.now.date() + timedelta(days=7 - made.now.weekday())
    nine = clock(again, 9)
    done(perform(made, row(made, Appointment, done(
        rebook(made, first.treatment_session_id or 0, choose(1, nine, needs))))))
    owed = next(each for each in sessions_of(made) if each.maintenance_plan_id)
    assert owed.ideal_on is not None and owed.maintenance_plan_id is not None
    upkeep_at = clock(owed.ideal_on, 9)
    while upkeep_at.weekday() > 4:
        upkeep_at += timedelta(days=1)
    upkeep = row(made, Appointment, done(rebook(made, owed.id, choose(1, upkeep_at, needs))))
    made.now = upkeep.ends_at + timedelta(days=400)
    done(miss(made, upkeep))

    assert len(sessions_of(made, maintenance_plan_id=owed.maintenance_plan_id)) == 1


def test_a_missed_visit_is_noted_whole_or_not_at_all(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = hair(made, 2)
    first, second = standing(made, course_id)
    done(perform(made, first))
    made.now = at(19, 17, month=4)
    before, number = counts(engine), 0

    while counts(engine) == before:
        number += 1
        with failing_at(engine, number):
            try:
                done(miss(made, second))
            except ConnectionError:
                continue

    assert number > 15
    assert len(sessions_of(made, course_id=course_id)) == 3
    assert counts(engine)["course_override"] == before["course_override"] + 1
    assert audit(engine) == []


def test_a_cancelled_session_that_passes_its_window_is_no_missed_one(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = hair(made, 2)
    first, second = standing(made, course_id)
    needs = [resource for _, resource in held_by(made, second.id)[1:]]
    done(perform(made, first))
    made.now = second.starts_at
    done(cancel(made, second))
    with made.work("receptionist") as work:
        again = done(appointments.book_session(
            work, second.treatment_session_id or 0, choose(2, at(3, 9, month=5), needs),
            overrides={"too-late": "On holiday"}))

    done(perform(made, row(made, Appointment, again)))

    assert course_row(made, course_id).state == "completed"



def test_who_was_to_treat_is_still_known_when_nothing_is_held_any_more(engine: Engine) -> None:
    made = small_clinic(engine)
    visit = standing(made, booked(made))[0]
    who = visit.practitioner_id
    made.now = visit.starts_at + timedelta(hours=1)

    done(miss(made, visit))

    assert who in made.practitioners
    assert (row(made, Appointment, visit.id).practitioner_id, held_by(made, visit.id)) == (who, [])
