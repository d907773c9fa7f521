"""A desk at which courses are changed, rest and go on: what tests of that ask for again and again."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.care.course_changes import Heard, IntervalChange
from clinic.care.protocols import Interval
from clinic.services.contraindications import note_contraindication
from clinic.services.course_changes import change_interval
from clinic.services.resting import hold_course, resume_course
from clinic.services.work import Done, Refused
from clinic.store.accounts import Task
from clinic.store.courses import CourseOverride, MaintenancePlan, Screening
from clinic.store.diary import Appointment
from clinic.store.outbox import Message, MessageItem
from tests.booking import (
    course_row,
    done,
    perform,
    sessions_of,
    standing,
)
from tests.small_clinic import SmallClinic

TWO_WEEKS = IntervalChange(2, Interval(14, 21, 35))
SIX_WEEKS = IntervalChange(3, Interval(42, 45, 60))
HERPES = Heard("active_herpes")
TAN = Heard("sunburn_or_recent_tan", date(2027, 3, 1))
METAL = Heard("metal_allergy")
ANTICOAGULANT = Heard("anticoagulant")


def version(made: SmallClinic, course_id: int) -> int:
    return course_row(made, course_id).lock_version


def change(
    made: SmallClinic, course_id: int, what: IntervalChange, *, role: str = "practitioner", reason: str = "Heals fast",
    overrides: Mapping[str, str] | None = None,
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return change_interval(work, course_id, what, reason=reason, lock_version=lock_version, overrides=overrides)


def note(
    made: SmallClinic, course_id: int, what: Heard, *, role: str = "receptionist", reason: str = "",
    confirmed: bool = False,
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return note_contraindication(
            work, course_id, what, lock_version=lock_version, reason=reason, confirmed=confirmed)


def hold(made: SmallClinic, course_id: int, reason: str = "Goes abroad") -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work("receptionist") as work:
        return hold_course(work, course_id, reason=reason, lock_version=lock_version)


def resume(
    made: SmallClinic, course_id: int, *, role: str = "receptionist", asked_again: bool = True, **words: Any
) -> Done[int] | Refused:
    lock_version = version(made, course_id)
    with made.work(role) as work:
        return resume_course(work, course_id, asked_again=asked_again, lock_version=lock_version, **words)


def spans(made: SmallClinic, course_id: int) -> list[tuple[date | None, date | None, date | None]]:
    return [(each.earliest_on, each.ideal_on, each.latest_on) for each in sessions_of(made, course_id=course_id)]


def kept(made: SmallClinic, course_id: int) -> list[tuple[str, dict[str, Any], str]]:
    with Session(made.engine) as db:
        rows = db.scalars(sa.select(CourseOverride).where(CourseOverride.course_id == course_id)
                          .order_by(CourseOverride.id))
        return [(each.code, each.value, each.reason) for each in rows]


def newest(made: SmallClinic, course_id: int) -> Screening:
    with Session(made.engine, expire_on_commit=False) as db:
        return db.scalars(sa.select(Screening).where(Screening.course_id == course_id)
                          .order_by(Screening.id.desc()).limit(1)).one()


def living(made: SmallClinic) -> list[tuple[str, int]]:
    """The kinds of message that wait, each with the number of its messages."""
    with Session(made.engine) as db:
        rows = db.execute(
            sa.select(MessageItem.kind, sa.func.count()).join(Message, Message.id == MessageItem.message_id)
            .where(Message.state == "pending").group_by(MessageItem.kind).order_by(MessageItem.kind))
        return [(row.kind, row[1]) for row in rows]


def tasks(made: SmallClinic) -> list[Task]:
    with Session(made.engine, expire_on_commit=False) as db:
        return list(db.scalars(sa.select(Task).order_by(Task.id)))


def finish(made: SmallClinic, course_id: int) -> int:
    """Performs the whole course; the plan of its upkeep."""
    for each in standing(made, course_id):
        done(perform(made, each))
    with Session(made.engine) as db:
        return db.scalars(sa.select(MaintenancePlan.id).where(MaintenancePlan.course_id == course_id)).one()


def tell(made: SmallClinic) -> None:
    """The patient has had the confirmation."""
    with made.work() as work:
        for message in work.db.scalars(sa.select(Message).order_by(Message.id)):
            item = work.db.scalars(sa.select(MessageItem).where(MessageItem.message_id == message.id)).one()
            if item.kind != "confirmation":
                continue
            visits = work.db.scalars(sa.select(Appointment)).all()
            item.facts = {"visits": [
                {"appointment": each.id, "treatment_session": each.treatment_session_id, "clinic": each.clinic_id,
                 "revision": each.revision, "local_start": each.local_start.isoformat(), "fold": each.fold,
                 "zone": each.zone, "cancelled": False} for each in visits]}
            message.state, message.settled_at = "sent", made.now
            message.mime, message.mime_sha256 = b"told", "-"
        work.commit()
