"""The large demo: moved in through the importer, whatever hour it is started, and fit to be worked with."""
from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.catalogue import load_catalogue
from clinic.care.parts import needs_of, visit_minutes
from clinic.care.protocols import steps_for
from clinic.demo import large_people as people
from clinic.demo.large import build_large
from clinic.demo.large_files import Files
from clinic.queries.times import offer_times
from clinic.services.reconcile import sweep
from clinic.services.work import Actor, UnitOfWork
from clinic.store.clinics import Business
from clinic.store.courses import Course, TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import open_engine
from clinic.store.outbox import MessageItem
from clinic.store.resources import Patient, Practitioner
from tests.prove.audit import audit
from tests.prove.audit_letters import letter_faults
from tests.prove.audit_pages import page_faults
from tests.prove.audit_series import diary_faults
from tests.prove.plain_rows import Tables
from tests.services.moving import row_counts

AFTERNOON = datetime(2027, 3, 1, 14, 20, tzinfo=UTC)
PROMISED = 60
"""Seconds of a processor from the command to the first page, on a machine like ours, whatever else that does."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    from clinic.store.migrate import upgrade

    opened = open_engine(f"sqlite:///{tmp_path_factory.mktemp('large') / 'clinic.db'}", durable=False)
    began = time.process_time()
    upgrade(opened)
    build_large(opened, now=AFTERNOON)
    assert time.process_time() - began < PROMISED
    yield opened
    opened.dispose()


def test_it_is_as_large_as_it_says(engine: Engine) -> None:
    counts = row_counts(engine)

    assert counts["patient"] == 400 + len(people.DOUBLES)
    assert (counts["practitioner"], counts["clinic"]) == (20, 3)
    assert counts["appointment"] > 500
    with Session(engine) as db:
        first, last = db.execute(sa.select(
            sa.func.min(TreatmentSession.performed_on), sa.func.max(Appointment.local_start))
            .select_from(TreatmentSession).outerjoin(
                Appointment, Appointment.treatment_session_id == TreatmentSession.id)).one()
    assert first < (AFTERNOON - timedelta(days=330)).date()
    assert last.date() > (AFTERNOON + timedelta(days=300)).date()


def test_the_past_of_today_was_lived_and_the_rest_is_to_come(engine: Engine) -> None:
    with Session(engine) as db:
        states = {state: (low, high) for state, low, high in db.execute(
            sa.select(Appointment.state, sa.func.min(Appointment.starts_at), sa.func.max(Appointment.ends_at))
            .where(Appointment.kind == "session").group_by(Appointment.state))}

    assert states["fulfilled"][1] <= AFTERNOON
    assert states["booked"][0] > AFTERNOON


def test_nothing_leaves_until_someone_releases_it(engine: Engine) -> None:
    with Session(engine) as db:
        assert db.get_one(Business, 1).held_since is not None


def test_a_session_that_is_owed_can_be_given_a_time(engine: Engine) -> None:
    with Session(engine) as db:
        owed = db.scalars(
            sa.select(TreatmentSession.id).join(Course, Course.id == TreatmentSession.course_id)
            .where(TreatmentSession.state == "owed", Course.state == "active",
                   TreatmentSession.earliest_on.is_not(None))
            .order_by(TreatmentSession.ideal_on)).first()
        assert owed is not None
        assert offer_times(db, owed, now=AFTERNOON, days=28).times


def test_the_worker_owes_all_its_messages_in_a_minute(engine: Engine) -> None:
    began, after = time.process_time(), None
    while True:
        with UnitOfWork(engine, lambda: AFTERNOON, Actor("worker")) as work:
            after = sweep(work, after=after)
        if after is None:
            break

    assert time.process_time() - began < 60
    with Session(engine) as db:
        kinds = set(db.scalars(sa.select(MessageItem.kind)))
    assert {"reminder-7d", "precare", "recall"} <= kinds
    assert "confirmation" not in kinds


def test_independent_audits_find_no_fault_in_what_moved_in(engine: Engine) -> None:
    tables = Tables(engine)
    rows = tables.read()

    assert audit(engine) == []
    assert diary_faults(rows, tables.documents) == []
    assert page_faults(rows) == []
    assert letter_faults(rows, AFTERNOON, set()) == []


def test_everybody_has_a_name_of_their_own_but_for_the_doubles(engine: Engine) -> None:
    with Session(engine) as db:
        names = db.execute(sa.select(Patient.given_name, Patient.family_name, Patient.birth_on)).all()
        workers = db.scalars(sa.select(Practitioner.name)).all()

    assert len(names) - len(set(names)) == len(people.DOUBLES)
    assert len(set(workers)) == 20


@pytest.mark.parametrize("hour", [0, 7, 23])
def test_it_comes_to_life_at_any_hour_and_on_the_days_of_both_clock_changes(hour: int, sqlite_url: str) -> None:
    day = {0: (2027, 3, 28), 7: (2027, 10, 31), 23: (2026, 12, 31)}[hour]
    opened = open_engine(sqlite_url, durable=False)

    build_large(opened, now=datetime(*day, hour, 30, tzinfo=UTC))

    assert row_counts(opened)["patient"] == 400 + len(people.DOUBLES)
    opened.dispose()


def test_what_its_files_know_of_protocols_is_what_they_say() -> None:
    contents = {content.code: content for content in load_catalogue()}

    for course in people.COURSES:
        content = contents[course.protocol]
        step = steps_for(content, 2)[1]
        needs = needs_of(step.parts)
        device = [need for need in needs if need.kind.value == "device"]
        [treats] = [need for need in needs if need.kind.value == "practitioner"]
        assert course.indication in {each.code for each in content.indications}
        assert content.sessions.least <= course.sessions <= content.sessions.most
        assert step.interval is not None
        assert (course.ideal, course.upkeep, course.minutes) == (
            step.interval.ideal, content.maintenance.interval.ideal, visit_minutes(step.parts))
        assert (course.begins, course.treats, (course.qualification,)) == (treats.offset, treats.minutes, treats.skills)
        assert [(course.device, course.device_minutes)] == (
            [(need.skills[0], need.minutes) for need in device] or [("", 0)])


def test_the_same_day_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        files = Files(AFTERNOON.date())
        files.places()
        files.patients()
        files.write(tmp_path / name, of=files.rows)

    written = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}
    assert re.search(rb"\r\n'\+|,'\+351", written["patients.csv"])
