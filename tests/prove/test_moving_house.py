"""The demo's clinic moves to another database and back, and goes on there as if nothing had happened."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.demo.build import build
from clinic.demo.large import build_large
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.times import offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.services.appointments import move_appointment
from clinic.services.delivery import Courier
from clinic.services.mail import let_go, switch_mail_on
from clinic.services.work import Actor, Done, UnitOfWork
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from clinic.store.engine import open_engine
from clinic.store.outbox import Message
from tests.databases import DatabasesOf, SQLiteFiles
from tests.prove.audit import audit
from tests.prove.audit_pages import page_faults
from tests.prove.plain_rows import Tables
from tests.services.test_export import exported
from tests.services.test_restore import restored
from tests.small_clinic import MONDAY

pytestmark = pytest.mark.prove


@dataclass(frozen=True)
class Left:
    """The clinic that moves: its database, and its export."""

    engine: Engine
    folder: Path
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def left(sqlite_files: SQLiteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    """The demo with its seventeen weeks of history, exported."""
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    build(engine, now=MONDAY)
    folder = tmp_path_factory.mktemp("left") / "out"
    yield Left(engine, folder, exported(engine, folder))
    engine.dispose()
    sqlite_files.remove(url)


@pytest.fixture
def house(engine: Engine, left: Left) -> Engine:
    """The database that it has moved to."""
    assert isinstance(restored(engine, left.folder), Done)
    return engine


def work(engine: Engine, later: timedelta = timedelta()) -> UnitOfWork:
    return UnitOfWork(engine, lambda: MONDAY + later, Actor("test"))


def test_the_new_house_exports_the_same_bytes(house: Engine, left: Left, tmp_path: Path) -> None:
    assert exported(house, tmp_path / "again") == left.files


@pytest.mark.postgres
def test_from_one_database_to_the_other_and_back(left: Left, databases_of: DatabasesOf, tmp_path: Path) -> None:
    _there_and_back(left.folder, left.files, databases_of, tmp_path)


@pytest.mark.postgres
def test_the_large_demo_moves_there_and_back(
    sqlite_files: SQLiteFiles, databases_of: DatabasesOf, tmp_path: Path
) -> None:
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    build_large(engine, now=MONDAY)
    files = exported(engine, tmp_path / "left")
    engine.dispose()
    sqlite_files.remove(url)

    _there_and_back(tmp_path / "left", files, databases_of, tmp_path)

    assert files["patient.csv"].count(b"\n") > 400
    assert files["appointment.csv"].count(b"\n") > 300


def _there_and_back(folder: Path, files: dict[str, bytes], databases_of: DatabasesOf, where: Path) -> None:
    for kind in ("postgresql", "sqlite"):
        databases = databases_of(kind)
        url = databases.migrated()
        engine = open_engine(url)
        assert isinstance(restored(engine, folder), Done)
        folder = where / kind
        assert exported(engine, folder) == files
        assert page_faults(Tables(engine).read()) == []
        engine.dispose()
        databases.remove(url)


def test_the_diary_is_as_sound_as_it_was_and_packed_again(house: Engine, left: Left) -> None:
    assert audit(house) == audit(left.engine)
    assert page_faults(Tables(house).read()) == []
    was, now = (sorted(tuple(page.__dict__.values()) for page in Tables(engine).read()["occupancy"] if page.bits)
                for engine in (left.engine, house))
    assert now == was


def test_every_course_is_offered_the_times_that_it_was(house: Engine, left: Left) -> None:
    pages = []
    for engine in (left.engine, house):
        with Session(engine) as db:
            ids = db.scalars(
                sa.select(TreatmentSession.id).where(TreatmentSession.state.in_(("owed", "booked")))
                .order_by(TreatmentSession.id).limit(12)).all()
            pages.append([offer_times(db, ident, now=MONDAY, days=7) for ident in ids])
    assert len(pages[0]) == 12
    assert pages[1] == pages[0]


def test_a_visit_can_be_moved_in_the_new_house(house: Engine) -> None:
    with Session(house) as db:
        row = db.scalars(
            sa.select(Appointment).where(Appointment.state == "booked", Appointment.starts_at > MONDAY)
            .order_by(Appointment.starts_at).offset(3).limit(1)).one()
        assert row.treatment_session_id is not None
        page = offer_times(db, row.treatment_session_id, now=MONDAY, days=21)
    before = audit(house)
    choice = [time.choice for time in page.times if not time.moves_others][-1]

    with work(house) as unit:
        outcome = move_appointment(unit, row.id, parse_choice(choice), lock_version=row.lock_version)

    assert isinstance(outcome, Done), outcome
    assert audit(house) == before


def test_messages_flow_once_they_are_let_go_and_each_leaves_once(house: Engine, left: Left) -> None:
    def sent(engine: Engine) -> set[int]:
        with Session(engine) as db:
            return set(db.scalars(sa.select(Message.id).where(Message.state == "sent")))

    before = sent(house)
    later = timedelta(days=2)
    courier = Courier(lambda: work(house, later), MailboxTransport(), "worker")
    with work(house) as unit:
        switch_mail_on(unit)

    assert courier.deliver_due(1000).done == 0
    with work(house, later) as unit:
        done = let_go(unit)
    delivered = courier.deliver_due(1000).done

    assert done is not None
    assert 0 < delivered <= done.released
    stayed = Courier(lambda: work(left.engine, later), MailboxTransport(), "worker")
    stayed.deliver_due(1000)
    assert before < sent(house)
    assert sent(house) == sent(left.engine)
