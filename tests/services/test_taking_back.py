"""Taking back what was booked by a slip, while a message about it is just going out."""
from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.owner_facts import Owner
from clinic.services import mail
from clinic.services.taking_back import take_back, take_back_course
from clinic.services.work import Done, Refused, UnitOfWork
from clinic.store.claims import claim_next, lock_owner
from clinic.store.courses import Course
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message
from tests.booking import booked
from tests.small_clinic import small_clinic

Taken = Done[tuple[int, ...]] | Done[int] | Refused


def of_visits(work: UnitOfWork, course: Course, visits: dict[int, int]) -> Taken:
    return take_back(work, visits)


def of_course(work: UnitOfWork, course: Course, visits: dict[int, int]) -> Taken:
    return take_back_course(work, course.id, lock_version=course.lock_version)


@pytest.mark.parametrize("act", [of_visits, of_course])
def test_what_begins_to_be_told_while_it_is_taken_back_stays_booked(
    engine: Engine, act: Callable[[UnitOfWork, Course, dict[int, int]], Taken]
) -> None:
    made = small_clinic(engine)
    with made.work() as work:
        mail.switch_mail_on(work)
    course_id = booked(made)
    with Session(engine) as db:
        course = db.get_one(Course, course_id)
        first = db.scalars(sa.select(Appointment).order_by(Appointment.id).limit(1)).one()
        visits = {first.id: first.lock_version}

    def taking() -> Taken:
        with made.work("receptionist") as work:
            return act(work, course, visits)

    with ThreadPoolExecutor(1) as pool, Session(for_writing(engine)) as worker:
        # As the worker does that is about to send: the owner is locked, and the message is written as it goes out.
        lock_owner(worker, Owner("course", course_id))
        outcome = pool.submit(taking)
        time.sleep(0.5)
        soon = made.now + timedelta(hours=1)
        claimed = claim_next(worker, soon, worker_id="w", lease_token="t", lease_until=soon + timedelta(hours=1))
        assert claimed is not None
        worker.execute(sa.update(Message).where(Message.id == claimed[0]).values(
            mime=b"Subject: Your dates", mime_sha256="0" * 64))
        worker.commit()
        found = outcome.result(timeout=30)

    assert isinstance(found, Refused) and found.findings[0].code == "told"
    with Session(engine) as db:
        assert set(db.scalars(sa.select(Appointment.state))) == {"booked"}
