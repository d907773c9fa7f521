"""An edition on its way: to whom, in which pieces, before what, and what stops it."""
from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.newsletter import Audience
from clinic.queries.audience import count_audience
from clinic.services.editions import approve_edition, send_test, stop_edition, withdraw_edition
from clinic.services.mail import let_go
from clinic.services.publishing import publish
from clinic.services.subscribing import stop
from clinic.services.work import Actor, Done, Refused, UnitOfWork
from clinic.store.clinics import Business
from clinic.store.engine import open_engine
from clinic.store.newsletter import Edition, Subscriber
from clinic.store.outbox import Message, MessageItem
from tests.databases import SQLiteFiles
from tests.services.desk import NOW
from tests.services.newsroom import ENGLISH, GERMAN, Newsroom, secret_in
from tests.services.test_delivery import LOST, Scripted
from tests.services.test_export import exported
from tests.services.test_restore import restored

ROOT = Path(__file__).parents[2]


@pytest.fixture
def room(engine: Engine) -> Newsroom:
    return Newsroom(engine)


def piece(room: Newsroom, batch: int = 200) -> int:
    with room.work() as work:
        return publish(work, batch=batch)


def test_readers_are_chosen_by_language_and_interest(room: Newsroom) -> None:
    room.readers(2, first=0)
    room.readers(3, first=10, interests=("tips",))
    room.readers(5, first=20, interests=("events", "news"))
    room.readers(7, first=30, language="de", interests=("tips",))

    def counted(languages: set[str], interests: set[str]) -> dict[str, int]:
        with room.work() as work:
            return dict(count_audience(
                work.db, Audience(frozenset(languages), frozenset(interests)), consented_by=room.now))

    assert counted({"en", "de"}, set()) == {"en": 10, "de": 7}
    assert counted({"en", "de"}, {"tips"}) == {"en": 5, "de": 7}
    assert counted({"en"}, {"events", "tips"}) == {"en": 10}
    assert counted({"de"}, {"offers"}) == {}


def test_whoever_chooses_readers_knows_nothing_but_readers() -> None:
    """No table of patients, courses or protocols is within reach of the code that chooses them."""
    for file in ("clinic/queries/audience.py", "clinic/care/newsletter.py"):
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        ours = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}

        assert {each for each in ours if each.startswith("clinic.")} <= {
            "clinic.care.newsletter", "clinic.planning.findings", "clinic.store.newsletter"}
    assert set(Audience.__slots__) == {"languages", "interests"}
    assert {key.column.table.name for key in Edition.__table__.foreign_keys} == {"clinic", "account"}


def test_each_reader_is_written_to_once_in_their_language_however_often_the_tick_comes(room: Newsroom) -> None:
    room.readers(3)
    room.readers(2, first=10, language="de")
    room.approved(5)
    transport = Scripted()

    for _ in range(6):
        piece(room, batch=2)
        room.deliver(transport)

    assert room.states("edition") == {"sent": 5}
    subjects = sorted("de" if b"Content-Language: de" in mime else "en" for mime in transport.taken)
    assert subjects == ["de", "de", "en", "en", "en"]
    assert len(set(transport.taken)) == 5


def test_it_comes_in_pieces_so_that_few_wait(room: Newsroom) -> None:
    room.readers(7)
    room.approved(7)

    assert [piece(room, batch=3), piece(room, batch=3)] == [3, 0]
    room.deliver(Scripted())
    assert piece(room, batch=3) == 3
    room.deliver(Scripted())
    assert (piece(room, batch=3), piece(room, batch=3)) == (1, 0)


def test_everything_else_that_is_due_goes_first(room: Newsroom) -> None:
    room.readers(3)
    room.approved(3)
    piece(room)
    room.book_course()
    room.wait(minutes=10)
    transport = Scripted()

    room.deliver(transport, most=1)

    assert room.states("confirmation") == {"sent": 1}


def test_a_stop_midway_takes_back_what_waits_and_writes_to_nobody_else(room: Newsroom) -> None:
    room.readers(9)
    edition_id = room.approved(9)
    piece(room, batch=4)
    room.deliver(Scripted(), most=1)

    with room.at_work() as work:
        assert stop_edition(work, edition_id) == Done(3)

    assert (piece(room), piece(room)) == (0, 0)
    assert room.states("edition") == {"sent": 1, "superseded": 3}


def test_who_consented_after_the_approval_gets_the_next_one(room: Newsroom) -> None:
    room.readers(2)
    room.approved(2)
    room.wait(minutes=1)
    with room.work() as work:
        work.db.add(Subscriber(email="new@home.example", state="subscribed", asked_at=room.now, consented_at=room.now,
                               consent_source="page", consent_wording="1"))
        work.commit()

    assert piece(room) == 2


def test_the_count_that_was_seen_is_the_count_that_is_agreed_to(room: Newsroom) -> None:
    room.readers(2)
    edition_id = room.edition()
    room.readers(1, first=5)

    with room.at_work() as work:
        outcome = approve_edition(work, edition_id, send_at=room.now, count=2, lock_version=1)

    assert isinstance(outcome, Refused)
    assert outcome.findings[0].code == "edition-count"


def test_nothing_goes_to_nobody_into_the_quiet_hours_or_too_far_ahead(room: Newsroom) -> None:
    edition_id = room.edition()

    def refused(send_at: object, count: int) -> str:
        with room.at_work() as work:
            outcome = approve_edition(work, edition_id, send_at=send_at, count=count, lock_version=1)
        assert isinstance(outcome, Refused)
        return outcome.findings[0].code

    assert refused(room.now, 0) == "edition-nobody"
    room.readers(1)
    assert refused(NOW.replace(hour=23), 1) == "edition-quiet"
    assert refused(room.now + timedelta(days=91), 1) == "edition-far"


def test_readers_get_no_more_than_they_agreed_to(room: Newsroom) -> None:
    room.readers(1)
    room.approved(1)
    room.wait(days=3)
    room.approved(1)
    third = room.edition()

    def outcome(days: int) -> Done[int] | Refused:
        with room.at_work() as work:
            return approve_edition(work, third, send_at=room.now + timedelta(days=days), count=1, lock_version=1)

    refused = outcome(5)
    assert isinstance(refused, Refused)
    assert (refused.findings[0].code, refused.findings[0].field) == ("edition-often", "on")
    assert outcome(28) == Done(1)


def test_quiet_hours_hold_it_back_until_the_morning(room: Newsroom) -> None:
    room.readers(4)
    room.approved(4)
    piece(room, batch=2)
    room.now = NOW.replace(hour=23)

    assert room.deliver(Scripted()) == 2
    assert room.states("edition") == {"pending": 2}
    assert piece(room, batch=9) == 0
    room.now = NOW.replace(day=2, hour=8)
    piece(room, batch=9)
    room.deliver(Scripted())
    assert room.states("edition") == {"sent": 4}


def test_it_goes_out_when_it_was_meant_to_and_a_week_later_not_any_more(room: Newsroom) -> None:
    room.readers(2)
    for days in (1, 2):
        edition_id = room.edition(ENGLISH)
        with room.at_work() as work:
            assert isinstance(approve_edition(work, edition_id, send_at=room.now + timedelta(days=days), count=2,
                                              lock_version=1), Done)

    assert piece(room) == 0
    room.wait(days=1)
    assert piece(room) == 2
    room.wait(days=9)
    assert piece(room) == 0
    with room.work() as work:
        assert None not in work.db.scalars(sa.select(Edition.queued_at)).all()


def test_taking_back_is_for_what_nobody_has_got(room: Newsroom) -> None:
    room.readers(2)
    edition_id = room.approved(2)
    with room.at_work() as work:
        assert isinstance(withdraw_edition(work, edition_id), Done)
    assert piece(room) == 0
    with room.at_work() as work:
        assert isinstance(approve_edition(work, edition_id, send_at=room.now, count=2, lock_version=3), Done)
    piece(room, batch=1)

    with room.at_work() as work:
        assert isinstance(withdraw_edition(work, edition_id), Refused)


def test_an_answer_that_was_lost_is_never_followed_by_a_second_copy(room: Newsroom) -> None:
    room.readers(1)
    room.approved(1)
    piece(room)
    transport = Scripted(LOST)

    room.deliver(transport)
    room.wait(hours=1)
    room.deliver(transport)

    assert room.states("edition") == {"uncertain": 1}
    assert len(transport.taken) == 1


def test_the_database_itself_refuses_to_write_to_a_reader_twice(room: Newsroom) -> None:
    [reader_id] = room.readers(1)
    room.approved(1)
    piece(room)
    with room.work() as work, pytest.raises(sa.exc.IntegrityError):
        message_id = work.db.scalars(sa.select(Message.id)).one()
        work.db.add(MessageItem(message_id=message_id, kind="edition", owner_kind="subscriber", owner_id=reader_id,
                                subject_kind="edition", subject_id=1, revision=reader_id))
        work.db.flush()


def test_a_test_goes_to_ones_own_address_and_counts_as_nothing(room: Newsroom) -> None:
    room.readers(3)
    edition_id = room.edition(GERMAN)
    transport = Scripted()

    with room.at_work() as work:
        assert isinstance(send_test(work, edition_id, "de"), Done)
    room.deliver(transport)

    [mail] = transport.taken
    assert b"To: manager@alvor.example\r\n" in mail
    assert b"List-Unsubscribe" not in mail
    assert room.states("edition") == {}


def test_what_was_on_its_way_when_the_data_were_brought_back_is_stopped_with_the_release(room: Newsroom) -> None:
    room.readers(4)
    edition_id = room.approved(4)
    piece(room, batch=2)
    with room.work() as work:
        work.db.get_one(Business, 1).held_since = room.now
        work.commit()
    assert piece(room, batch=9) == 0

    with room.work() as work:
        let_go(work)

    with room.work() as work:
        assert work.db.get_one(Edition, edition_id).state == "stopped"
    assert room.states("edition") == {"superseded": 2}


def test_the_link_that_stops_it_works_after_the_clinic_has_moved_house(
    room: Newsroom, sqlite_files: SQLiteFiles, tmp_path: Path
) -> None:
    room.readers(1)
    room.approved(1)
    transport = Scripted()
    piece(room)
    room.deliver(transport)
    exported(room.engine, tmp_path / "left")

    url = sqlite_files.migrated()
    new_house = open_engine(url)
    assert isinstance(restored(new_house, tmp_path / "left"), Done)
    with UnitOfWork(new_house, lambda: NOW, Actor("reader")) as work:
        stopped = stop(work, secret_in(transport.taken[0]))
    with Session(new_house) as db:
        states = list(db.scalars(sa.select(Subscriber.state)))
    new_house.dispose()
    sqlite_files.remove(url)

    assert (stopped, states) == (True, ["stopped"])
