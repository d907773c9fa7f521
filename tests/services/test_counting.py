"""After a missed session the next visit takes its place; the patient hears nothing of that, for no time changes."""
from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.visit_ends import visit_ends
from clinic.services.attendance import mark_noshow
from clinic.services.completion import complete_appointment
from clinic.services.reconcile import Owner, reconcile
from clinic.store.accounts import AuditEntry
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from tests.booking import (
    booked,
    cancel,
    done,
    healthy,
    perform,
    row,
    sessions_of,
    standing,
    tell,
    times,
)
from tests.prove.audit import audit
from tests.small_clinic import SmallClinic, small_clinic


def miss(made: SmallClinic, visit: Appointment) -> None:
    made.now = max(made.now, visit.ends_at)
    with made.work() as work:
        done(mark_noshow(work, visit.id, lock_version=visit.lock_version))


def kinds(made: SmallClinic) -> Counter[str]:
    with Session(made.engine) as db:
        return Counter(db.scalars(
            sa.select(MessageItem.kind).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state.in_(("pending", "sent")))))


def placed(made: SmallClinic, course_id: int) -> list[tuple[str, int | None]]:
    """Of each session its state and the visit that stands for it, or was given."""
    with Session(made.engine) as db:
        visits = dict(db.execute(
            sa.select(Appointment.treatment_session_id, Appointment.id)
            .where(Appointment.state.in_(("booked", "arrived", "fulfilled")))).all())
    return [(each.state, visits.get(each.id)) for each in sessions_of(made, course_id=course_id)]


def test_the_visit_after_a_missed_one_is_that_session_and_the_last_is_owed(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    first, second, third, fourth = standing(made, course_id)
    miss(made, first)

    done(perform(made, second))

    assert placed(made, course_id) == [
        ("completed", second.id), ("booked", third.id), ("booked", fourth.id), ("owed", None)]
    last = sessions_of(made, course_id=course_id)[3]
    on = fourth.local_start.date()
    assert (last.earliest_on, last.ideal_on) == (on + timedelta(days=28), on + timedelta(days=30))
    assert row(made, Appointment, first.id).treatment_session_id == first.treatment_session_id
    assert [row(made, Appointment, each.id).starts_at for each in (third, fourth)] == [
        third.starts_at, fourth.starts_at]
    offered = times(made, last.id, on + timedelta(days=28), 7).times
    assert offered and min(each.local_start.date() for each in offered) >= on + timedelta(days=28)
    assert audit(engine) == []


def test_the_patient_hears_nothing_of_it(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4, not_before_on=date(2027, 3, 9))
    first, second, *_ = standing(made, course_id)
    tell(made)
    miss(made, first)
    made.now = second.ends_at
    before = kinds(made)
    assert before["confirmation"] == 1
    assert before["precare"] == 2  # for the visit that was missed, and for the next one all the same

    done(perform(made, second))
    with made.work() as work:
        reconcile(work, Owner("course", course_id))
        work.commit()

    new = kinds(made) - before
    assert set(new) == {"aftercare", "check-in-24h", "check-in-72h", "nudge-14d", "nudge-ideal",
                        "out-of-window"}
    assert kinds(made).keys().isdisjoint({"change", "cancellation"})
    assert audit(engine) == []


def test_what_was_said_beforehand_is_what_happens(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    first, second, third, _ = standing(made, course_id)
    done(perform(made, first))
    miss(made, second)
    made.now = third.ends_at
    with Session(engine) as db:
        said = visit_ends(db, third.id, now=made.now)
    assert said.counts_as == 2

    with made.work() as work:
        done(complete_appointment(work, third.id, lock_version=third.lock_version))

    sessions = sessions_of(made, course_id=course_id)
    assert [each.state for each in sessions[:4]] == ["completed", "completed", "booked", "owed"]
    assert sessions[1].performed_on == third.local_start.date()
    assert len(sessions) == 4 + (said.late.added if said.late else 0)
    with Session(engine) as db:
        facts = db.scalars(sa.select(AuditEntry.facts).where(AuditEntry.action == "sessions-counted")).one()
    assert (facts["session"], facts["becomes"]) == (3, 2)
    assert audit(engine) == []


def test_a_visit_that_is_given_in_its_turn_moves_nothing(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)
    done(cancel(made, third))

    done(perform(made, first))

    assert placed(made, course_id) == [("completed", first.id), ("booked", second.id), ("owed", None)]
    with Session(engine) as db:
        assert visit_ends(db, second.id, now=made.now).counts_as is None
        assert db.scalars(sa.select(AuditEntry.id).where(AuditEntry.action == "sessions-counted")).all() == []


def test_treatments_that_take_turns_keep_their_places(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "combo_mn_peel", 4, answers=healthy(indication="acne_scars"))
    first, second, *_ = standing(made, course_id)
    assert len({each.treatment_code for each in sessions_of(made, course_id=course_id)}) == 2
    miss(made, first)

    done(perform(made, second))

    assert [state for state, _ in placed(made, course_id)][:2] == ["owed", "completed"]
    assert audit(engine) == []
