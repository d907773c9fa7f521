from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from clinic.care.states import HOLDS_TIME, AppointmentState
from clinic.planning.local import instant
from clinic.store.accounts import Account, AuditEntry
from clinic.store.clinics import ClinicText
from clinic.store.courses import HandoverNote
from clinic.store.diary import Appointment, ResourceBooking, RunningLate
from clinic.store.engine import for_writing
from clinic.store.guards import OVERLAP
from clinic.store.outbox import Message, MessageAttempt, MessageItem
from clinic.store.protocols import Protocol, ProtocolVersion
from tests.store.rows import NOW, Ids, add_appointment, hold, open_clinic

HOUR = timedelta(hours=1)
HELD = ["practitioner", "room", "device", "patient"]
INSERT = sa.text(
    "INSERT INTO resource_booking (appointment_id, resource_id, clinic_id, need, starts_at, ends_at)"
    " VALUES (:appointment_id, :resource_id, :clinic_id, 7, :starts_at, :ends_at)"
)


@pytest.fixture
def ids(engine: Engine) -> Ids:
    return open_clinic(engine)


@pytest.fixture
def db(engine: Engine) -> Iterator[Session]:
    with Session(for_writing(engine)) as opened:
        yield opened


def raw(db: Session, at: datetime) -> object:
    """An instant as the database itself keeps it."""
    return int(at.timestamp()) if db.get_bind().dialect.name == "sqlite" else at


def insert_raw(db: Session, appointment: Appointment, resource_id: int, starts_at: object, ends_at: object) -> None:
    db.execute(INSERT, {"appointment_id": appointment.id, "resource_id": resource_id,
                        "clinic_id": appointment.clinic_id, "starts_at": starts_at, "ends_at": ends_at})


@pytest.mark.parametrize("held", HELD)
def test_an_overlap_is_refused(db: Session, ids: Ids, held: str) -> None:
    hold(db, add_appointment(db, ids), getattr(ids, held), NOW, NOW + HOUR)
    later = add_appointment(db, ids)

    with pytest.raises(IntegrityError, match=OVERLAP):
        hold(db, later, getattr(ids, held), NOW + HOUR / 2, NOW + 2 * HOUR)


@pytest.mark.parametrize("held", HELD)
def test_an_overlap_by_a_raw_insert_is_refused(db: Session, ids: Ids, held: str) -> None:
    hold(db, add_appointment(db, ids), getattr(ids, held), NOW, NOW + HOUR)
    later = add_appointment(db, ids)

    with pytest.raises(IntegrityError, match=OVERLAP):
        insert_raw(db, later, getattr(ids, held), raw(db, NOW - HOUR), raw(db, NOW + timedelta(seconds=1)))


@pytest.mark.parametrize("text", ["2027-03-01 09:30", "2027-03-01T09:30:00+00:00", "2027-03-01 10:30+01:00"])
def test_a_raw_insert_of_times_written_as_text_is_refused(db: Session, ids: Ids, text: str) -> None:
    hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
    later = add_appointment(db, ids)

    with pytest.raises(IntegrityError, match=f"{OVERLAP}|resource_booking_instants"):
        insert_raw(db, later, ids.room, text, "2027-03-01 23:00+00:00")


def test_a_raw_update_to_times_written_as_text_is_refused(db: Session, ids: Ids) -> None:
    hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
    later = hold(db, add_appointment(db, ids), ids.room, NOW + HOUR, NOW + 2 * HOUR)

    with pytest.raises(IntegrityError, match=f"{OVERLAP}|resource_booking_instants"):
        db.execute(sa.text("UPDATE resource_booking SET starts_at = '2027-03-01 09:30+00:00' WHERE id = :id"),
                   {"id": later.id})


@pytest.mark.parametrize("held", HELD)
def test_a_move_into_an_overlap_is_refused(db: Session, ids: Ids, held: str) -> None:
    hold(db, add_appointment(db, ids), getattr(ids, held), NOW, NOW + HOUR)
    later = hold(db, add_appointment(db, ids), getattr(ids, held), NOW + HOUR, NOW + 2 * HOUR)

    later.starts_at = NOW + HOUR / 2

    with pytest.raises(IntegrityError, match=OVERLAP):
        db.flush()


def test_a_change_of_the_resource_into_an_overlap_is_refused(db: Session, ids: Ids) -> None:
    hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
    other = hold(db, add_appointment(db, ids), ids.device, NOW, NOW + HOUR)

    other.resource_id = ids.room

    with pytest.raises(IntegrityError, match=OVERLAP):
        db.flush()


def test_a_span_may_move_within_itself(db: Session, ids: Ids) -> None:
    row = hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)

    row.starts_at, row.ends_at = NOW + HOUR / 2, NOW + 2 * HOUR
    db.commit()

    assert db.scalars(sa.select(ResourceBooking.starts_at)).all() == [NOW + HOUR / 2]


@pytest.mark.parametrize("held", HELD)
def test_spans_that_touch_are_allowed(db: Session, ids: Ids, held: str) -> None:
    for start in (NOW, NOW - HOUR, NOW + HOUR):
        hold(db, add_appointment(db, ids), getattr(ids, held), start, start + HOUR)

    db.commit()

    assert db.scalar(sa.select(sa.func.count()).select_from(ResourceBooking)) == 3


@pytest.mark.parametrize(("day", "minutes"), [
    (date(2027, 3, 28), (90, 180)),  # 01:30, then 03:00: half an hour apart, as 02:00 to 03:00 is skipped
    (date(2027, 10, 31), (120, 180)),
])
def test_spans_around_a_clock_change_are_compared_as_instants(
    db: Session, ids: Ids, day: date, minutes: tuple[int, int],
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, second = (instant(day, minute, zone) for minute in minutes)
    hold(db, add_appointment(db, ids), ids.room, first, second)

    hold(db, add_appointment(db, ids), ids.room, second, second + HOUR)

    with pytest.raises(IntegrityError, match=OVERLAP):
        hold(db, add_appointment(db, ids), ids.room, second - timedelta(seconds=1), second)


def test_both_passes_of_a_repeated_hour_can_be_held(db: Session, ids: Ids) -> None:
    zone = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2027, 10, 31, 2, 0, fold=fold, tzinfo=zone).astimezone(UTC) for fold in (0, 1))

    for start in (first, second):
        hold(db, add_appointment(db, ids), ids.room, start, start + HOUR)

    assert second - first == HOUR


spans = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda span: (span[0], span[0] + span[1]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(spans, min_size=2, max_size=12))
def test_a_resource_takes_exactly_the_spans_that_overlap_none_before(
    db: Session, ids: Ids, wanted: list[tuple[int, int]],
) -> None:
    expected: list[tuple[int, int]] = []
    for start, end in wanted:
        if all(end <= other_start or other_end <= start for other_start, other_end in expected):
            expected.append((start, end))

    taken = [span for span in wanted if is_taken(db, ids, *span)]
    db.rollback()

    assert taken == expected


def is_taken(db: Session, ids: Ids, start: int, end: int) -> bool:
    """Whether the room can be held from one quarter of an hour to another."""
    quarter = timedelta(minutes=15)
    appointment = add_appointment(db, ids)
    try:
        with db.begin_nested():
            hold(db, appointment, ids.room, NOW + start * quarter, NOW + end * quarter)
    except IntegrityError as refused:
        assert OVERLAP in str(refused)
        return False
    return True


@pytest.mark.parametrize("state", [AppointmentState.CANCELLED, AppointmentState.NOSHOW])
def test_an_appointment_that_ends_untreated_frees_what_it_held(
    db: Session, ids: Ids, state: AppointmentState,
) -> None:
    appointment = add_appointment(db, ids)
    hold(db, appointment, ids.room, NOW, NOW + HOUR)
    db.commit()

    db.execute(sa.update(Appointment).where(Appointment.id == appointment.id).values(state=state))
    rebooked = hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
    db.commit()

    assert db.scalars(sa.select(ResourceBooking.appointment_id)).all() == [rebooked.appointment_id]


def test_a_treated_appointment_keeps_what_it_held(db: Session, ids: Ids) -> None:
    appointment = add_appointment(db, ids)
    hold(db, appointment, ids.room, NOW, NOW + HOUR)

    appointment.state = AppointmentState.FULFILLED
    db.commit()

    assert db.scalars(sa.select(ResourceBooking.appointment_id)).all() == [appointment.id]


@pytest.mark.parametrize("state", sorted(set(AppointmentState) - HOLDS_TIME))
def test_an_appointment_that_blocks_nothing_can_hold_nothing(
    db: Session, ids: Ids, state: AppointmentState,
) -> None:
    over = add_appointment(db, ids, state=state)

    with pytest.raises(IntegrityError, match="resource_booking_blocks"):
        hold(db, over, ids.room, NOW, NOW + HOUR)


def test_what_is_held_cannot_be_handed_to_a_cancelled_appointment(db: Session, ids: Ids) -> None:
    held = hold(db, add_appointment(db, ids), ids.room, NOW, NOW + HOUR)
    cancelled = add_appointment(db, ids, state=AppointmentState.CANCELLED)

    held.appointment_id = cancelled.id

    with pytest.raises(IntegrityError, match="resource_booking_blocks"):
        db.flush()


def test_a_cancellation_under_way_leaves_nothing_held(engine: Engine, ids: Ids) -> None:
    with Session(for_writing(engine)) as db:
        appointment_id = add_appointment(db, ids).id
        db.commit()

    def hold_room() -> str:
        with Session(for_writing(engine)) as other:
            try:
                hold(other, other.get_one(Appointment, appointment_id), ids.room, NOW, NOW + HOUR)
            except IntegrityError as refused:
                return str(refused)
            other.commit()
            return "held"

    with ThreadPoolExecutor(1) as pool, Session(for_writing(engine)) as db:
        db.get_one(Appointment, appointment_id).state = AppointmentState.CANCELLED
        db.flush()
        holding = pool.submit(hold_room)
        with pytest.raises(TimeoutError):
            holding.result(0.3)
        db.commit()
        answer = holding.result(20)

    assert "resource_booking_blocks" in answer


def add_audit_entry(db: Session, ids: Ids) -> str:
    db.add(AuditEntry(at=NOW, actor="desk", action="course.booked", subject_kind="course", subject_id=1))
    db.commit()
    return "audit"


def add_message_attempt(db: Session, ids: Ids) -> str:
    message = add_message(db, ids)
    db.add(MessageAttempt(message_id=message.id, number=1, at=NOW, worker_id="w", phase="claimed"))
    db.commit()
    return "message_attempt"


def add_message(db: Session, ids: Ids) -> Message:
    message = Message(patient_id=ids.patient, clinic_id=ids.clinic, state="pending", due_at=NOW,
                      useless_after=NOW + HOUR, created_at=NOW)
    db.add(message)
    db.flush()
    return message


@pytest.mark.parametrize("add", [add_audit_entry, add_message_attempt])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "UPDATE {} SET id = id + 100", "DELETE FROM {}"])
def test_records_can_only_be_added(
    db: Session, ids: Ids, add: Callable[[Session, Ids], str], statement: str,
) -> None:
    table = add(db, ids)

    with pytest.raises(IntegrityError, match=f"{table}_append_only"):
        db.execute(sa.text(statement.format(table)))


def test_records_cannot_be_replaced_or_emptied(db: Session, ids: Ids) -> None:
    add_audit_entry(db, ids)
    statement = {
        "sqlite": "INSERT OR REPLACE INTO audit SELECT * FROM audit",
        "postgresql": "TRUNCATE audit",
    }[db.get_bind().dialect.name]

    with pytest.raises(IntegrityError, match="audit_append_only"):
        db.execute(sa.text(statement))


def add_protocol_version(db: Session) -> ProtocolVersion:
    account = Account(email="ada@harbour.example", name="Ada Lind", password_hash="-", created_at=NOW)
    protocol = Protocol(code="hifu", name="HIFU")
    db.add_all([account, protocol])
    db.flush()
    version = ProtocolVersion(protocol_id=protocol.id, number=1, document={"sessions": 3}, created_at=NOW,
                              state="approved", approved_by=account.id, approved_at=NOW)
    db.add(version)
    db.commit()
    return version


@pytest.mark.parametrize("change", [{"document": {"sessions": 4}}, {"number": 2}, {"protocol_id": 2}])
def test_a_protocol_version_never_changes_what_it_says(db: Session, change: dict[str, object]) -> None:
    version = add_protocol_version(db)
    db.add(Protocol(id=2, code="laser", name="Laser"))

    for name, value in change.items():
        setattr(version, name, value)

    with pytest.raises(IntegrityError, match="protocol_version_immutable"):
        db.flush()


@pytest.mark.parametrize("change", [{"text": "Another rule."}, {"version": 2}, {"code": "closing"}])
def test_a_version_of_a_clinics_text_never_changes_what_it_says(
    db: Session, ids: Ids, change: dict[str, object]
) -> None:
    row = ClinicText(clinic_id=ids.clinic, code="cancellation", text="Tell us two days before.")
    db.add(row)
    db.commit()

    for name, value in change.items():
        setattr(row, name, value)

    with pytest.raises(IntegrityError, match="clinic_text_immutable"):
        db.flush()


@pytest.mark.parametrize(("change", "refusal"), [
    ("INSERT INTO running_late (clinic_id, practitioner_id, on_date, minutes, at)"
     " SELECT clinic_id, practitioner_id, on_date, 5, at FROM running_late", "(?i)unique"),
    ("UPDATE running_late SET minutes = 0", "minutes"),
    ("UPDATE handover_note SET text = 'Another one'", "handover_note_immutable"),
    ("UPDATE handover_note SET read_at = written_at", "ck_handover_note_read"),
    ("UPDATE appointment SET begun_at = starts_at", "ck_appointment_begun"),
])
def test_what_the_desk_notes_of_a_day_makes_sense(db: Session, ids: Ids, change: str, refusal: str) -> None:
    add_appointment(db, ids)
    db.add_all([
        RunningLate(clinic_id=ids.clinic, practitioner_id=ids.practitioner, on_date=NOW.date(), minutes=20, at=NOW),
        HandoverNote(patient_id=ids.patient, text="Ask about the left cheek", written_at=NOW)])
    db.commit()

    with pytest.raises(IntegrityError, match=refusal):
        db.execute(sa.text(change))


def test_a_protocol_version_can_be_retired(db: Session) -> None:
    version = add_protocol_version(db)

    version.state = "retired"
    db.commit()

    assert (version.state, version.document) == ("retired", {"sessions": 3})


@pytest.mark.parametrize("change", [
    {"mime": b"other"}, {"mime_sha256": "other"}, {"message_id": "<other@harbour.example>"}, {"mime": None},
])
def test_the_bytes_of_a_message_are_frozen_once_written(db: Session, ids: Ids, change: dict[str, object]) -> None:
    message = add_message(db, ids)
    message.mime, message.mime_sha256, message.message_id = b"Subject: x", "abc", "<1@harbour.example>"
    db.commit()

    for name, value in change.items():
        setattr(message, name, value)

    with pytest.raises(IntegrityError, match="message_bytes_frozen"):
        db.flush()


def test_a_frozen_message_still_moves_through_its_states(db: Session, ids: Ids) -> None:
    message = add_message(db, ids)
    message.mime, message.mime_sha256 = b"Subject: x", "abc"
    db.commit()

    message.state, message.settled_at = "sent", NOW
    db.commit()

    assert (message.state, message.mime) == ("sent", b"Subject: x")


def test_the_same_thing_is_never_said_twice_however_it_is_written_down(db: Session, ids: Ids) -> None:
    said = {"kind": "confirmation", "owner_kind": "course", "owner_id": 1, "subject_kind": "course", "subject_id": 1,
            "revision": 0, "facts": {}}
    first, second, again = (add_message(db, ids).id for _ in range(3))
    db.add_all([MessageItem(message_id=first, generation=0, **said),
                MessageItem(message_id=second, generation=1, **said)])
    db.flush()

    with pytest.raises(IntegrityError):
        db.execute(sa.insert(MessageItem).values(message_id=again, generation=1, **said))
