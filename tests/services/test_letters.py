from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from clinic.care.owed import messages_owed
from clinic.care.owner_facts import Owner
from clinic.care.translations import translations
from clinic.messages.letters import Letter, VisitState
from clinic.messages.mailbox import MailboxTransport
from clinic.queries.letters import letter_facts
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.services.delivery import Courier
from clinic.services.letters import MessageBody, body_of, letter_of, write
from clinic.store.clinics import Clinic, ClinicText
from clinic.store.diary import Appointment, ResourceBooking
from clinic.store.outbox import MessageItem, WorkerRow
from clinic.store.resources import Practitioner
from tests.services.desk import DATES, NOW, Desk

WEEK = timedelta(days=7)


@pytest.fixture
def desk(engine: Engine) -> Desk:
    return Desk(engine)


def letter(desk: Desk, owner: Owner, kind: str) -> Letter:
    """The letter of that kind that the owner owes now."""
    with desk.work() as work:
        head = owner_head(work.db, owner)
        assert head is not None
        owed = [item for item in messages_owed(owner_facts(work.db, head), now=desk.now) if item.kind == kind]
        return letter_of(letter_facts(work.db, head), owed[:1], now=desk.now)


def body(desk: Desk, message_id: int) -> MessageBody | None:
    with desk.work() as work:
        return body_of(work.db, message_id, now=desk.now)


def deliver(desk: Desk) -> None:
    with desk.work() as work:
        work.db.merge(WorkerRow(id="w", host="test", started_at=desk.now, heartbeat_at=desk.now))
        work.commit()
    Courier(desk.work, MailboxTransport(), "w", base_url="https://clinic.example").deliver_due()


def unfolded(calendar: bytes) -> list[str]:
    return calendar.decode().replace("\r\n ", "").splitlines()


def test_a_confirmation_has_all_dates_the_undated_rest_and_one_calendar_file(desk: Desk) -> None:
    course_id = desk.book_course(undated=1)

    found = letter(desk, Owner("course", course_id), "confirmation")

    [section] = found.sections
    assert (found.first_name, found.language, found.clinic.address) == (
        "Maria", "en", ("Rua do Sol 1", "8500-001 Alvor"))
    assert [(line.starts_at.date(), line.number, line.of) for line in section.visits] == [
        (day, number, 4) for number, day in enumerate(DATES, start=1)]
    assert section.undated == 1
    assert [unfolded(file).count("METHOD:PUBLISH") for file in found.calendars] == [1]
    assert unfolded(found.calendars[0]).count("BEGIN:VEVENT") == 3


def test_a_message_says_the_own_words_of_the_clinic_that_writes_it(desk: Desk) -> None:
    course_id = desk.book_course()
    with desk.work() as work:
        clinic_id = work.db.scalars(sa.select(Clinic.id)).one()
        work.db.add_all([ClinicText(clinic_id=clinic_id, code="directions", text="The blue door."),
                         ClinicText(clinic_id=clinic_id, code="closing", text="Até já!")])
        work.commit()

    with desk.work() as work:
        message_id = work.db.scalars(sa.select(MessageItem.message_id).where(
            MessageItem.kind == "confirmation", MessageItem.owner_id == course_id)).one()
    found = body(desk, message_id)

    assert found is not None
    assert "How to find us:\nThe blue door.\n" in found.text
    assert found.text.index("Just reply") < found.text.index("\n\nAté já!\n\nClínica Alvor\n")
    assert "Warm regards" not in found.text
    assert "The blue door." in found.html


def test_a_single_visit_is_confirmed_with_a_request(desk: Desk) -> None:
    found = letter(desk, Owner("course", desk.book_course(DATES[:1])), "confirmation")

    assert [unfolded(file).count("METHOD:REQUEST") for file in found.calendars] == [1]


def test_a_change_names_the_old_time_and_what_stays_and_moves_the_calendar_entry(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.wait(minutes=3)
    deliver(desk)

    desk.move(desk.appointment_ids(course_id)[1], DATES[1] + WEEK)

    found = letter(desk, Owner("course", course_id), "change")
    [section] = found.sections
    assert [line.state for line in section.visits] == [VisitState.KEPT, VisitState.MOVED, VisitState.KEPT]
    assert section.visits[1].old_starts_at == datetime(2027, 4, 20, 9, tzinfo=UTC)
    [file] = map(unfolded, found.calendars)
    assert {"METHOD:REQUEST", "SEQUENCE:1", "UID:visit-1@alvor.example"} <= set(file)


def test_a_visit_booked_anew_cancels_the_old_entry_and_requests_the_new_one(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.wait(minutes=3)
    deliver(desk)

    desk.cancel(desk.appointment_ids(course_id)[1])
    desk.book(desk.session_ids(course_id)[1], DATES[1] + WEEK)

    found = letter(desk, Owner("course", course_id), "change")
    assert [[line for line in unfolded(file) if line.startswith(("METHOD", "UID"))] for file in found.calendars] == [
        ["METHOD:CANCEL", "UID:visit-1@alvor.example"], ["METHOD:REQUEST", "UID:visit-3@alvor.example"]]


def test_a_cancellation_tells_the_time_that_the_patient_knew(desk: Desk) -> None:
    course_id = desk.book_course()
    desk.wait(minutes=3)
    deliver(desk)
    [_, second, _] = desk.appointment_ids(course_id)
    desk.move(second, DATES[1] + WEEK)

    desk.cancel(second)

    [section] = letter(desk, Owner("course", course_id), "cancellation").sections
    [gone] = [line for line in section.visits if line.state is VisitState.CANCELLED]
    assert gone.starts_at == datetime(2027, 4, 20, 9, tzinfo=UTC)


def test_preparation_lists_each_instruction_from_its_day_and_none_from_the_past(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 20),))

    [section] = letter(desk, Owner("course", course_id), "precare").sections

    days = [line.starts_on for line in section.instructions]
    assert days[0] == date(2027, 3, 1)
    assert days[-1] == date(2027, 3, 20)
    assert len(days) == 9


def test_a_patient_who_reads_german_gets_everything_in_german(desk: Desk) -> None:
    desk.set_patient(language="de")
    course_id = desk.book_course(DATES[:1])

    prepared, confirmed = (letter(desk, Owner("course", course_id), kind) for kind in ("precare", "confirmation"))
    desk.now = datetime(2027, 3, 20, 11, tzinfo=UTC)
    desk.complete(desk.appointment_ids(course_id)[0])
    looked_after = letter(desk, Owner("course", course_id), "aftercare")

    said = [line.text for line in prepared.sections[0].instructions]
    said += [line for phase in looked_after.sections[0].phases for line in (*phase.expect, *phase.do, *phase.avoid)]
    said += [flag.text for flag in looked_after.sections[0].red_flags]
    assert len(said) > 40
    assert set(said) <= set(translations("de").values())
    assert "SUMMARY:Termin: Clínica Alvor" in unfolded(confirmed.calendars[0])


def test_aftercare_that_comes_late_leaves_out_what_is_over(desk: Desk) -> None:
    course_id = desk.book_course(DATES[:1])
    desk.now = datetime(2027, 3, 20, 11, tzinfo=UTC)
    desk.complete(desk.appointment_ids(course_id)[0])
    [at_once] = letter(desk, Owner("course", course_id), "aftercare").sections

    desk.wait(hours=49)
    [late] = letter(desk, Owner("course", course_id), "aftercare").sections
    [check_in] = letter(desk, Owner("course", course_id), "check-in-72h").sections

    assert at_once.treated_at == datetime(2027, 3, 20, 11, tzinfo=UTC)
    assert len(at_once.phases) > len(late.phases) > 0
    assert at_once.red_flags
    assert [phase.from_hours <= 72 < (phase.to_hours or 99999) for phase in check_in.phases] == [True]


def test_the_end_of_a_course_offers_the_upkeep_or_names_its_date(desk: Desk) -> None:
    course_id = desk.book_course((date(2027, 3, 2),))
    desk.now = datetime(2027, 3, 2, 11, tzinfo=UTC)
    desk.complete(desk.appointment_ids(course_id)[0])
    due = (date(2027, 8, 30), date(2027, 10, 1))
    plan_id = desk.finish_course(course_id, ask_on=date(2027, 8, 10), due=due)

    [offered] = letter(desk, Owner("course", course_id), "course-complete").sections
    [recalled] = letter(desk, Owner("maintenance-plan", plan_id), "recall").sections
    with desk.work() as work:
        owed = work.db.scalars(sa.select(MessageItem.subject_id).where(MessageItem.kind == "recall")).one()
    desk.book(owed, date(2027, 9, 1))
    [booked] = letter(desk, Owner("course", course_id), "course-complete").sections

    assert offered.offer == recalled.offer
    assert offered.offer is not None
    assert (offered.offer.from_on, offered.offer.to_on) == due
    assert booked.offer is None
    assert [line.starts_at for line in booked.visits] == [datetime(2027, 9, 1, 9, tzinfo=UTC)]


def test_a_visit_elsewhere_names_its_place_and_zones_are_named_where_there_are_two(desk: Desk) -> None:
    course_id = desk.book_course(DATES[:1])
    [appointment_id] = desk.appointment_ids(course_id)
    with desk.work() as work:
        work.db.add(Clinic(id=2, name="Alvor Açores", zone="Atlantic/Azores", address="Rua 2\nPonta Delgada",
                           phone="1", sender_name="A", sender_email="a@alvor.example"))
        practitioner = Practitioner(name="Ana Costa")
        work.db.add(practitioner)
        work.db.flush()
        row = work.db.get_one(Appointment, appointment_id)
        row.clinic_id = 2
        work.db.add(ResourceBooking(appointment_id=row.id, resource_id=practitioner.id, clinic_id=2, need=1,
                                    starts_at=row.starts_at, ends_at=row.ends_at))
        work.commit()

    found = letter(desk, Owner("course", course_id), "reminder-2d")

    [line] = found.sections[0].visits
    assert (line.place, line.practitioner) == ("Alvor Açores, Rua 2, Ponta Delgada", "Ana Costa")
    assert found.clinic.names_zone is True


def test_the_same_facts_give_the_same_bytes(desk: Desk) -> None:
    course_id = desk.book_course()
    with desk.work() as work:
        head = owner_head(work.db, Owner("course", course_id))
        assert head is not None
        items = messages_owed(owner_facts(work.db, head), now=desk.now)[:1]
        facts = letter_facts(work.db, head)

        assert write(facts, items, identity="a", now=NOW) == write(facts, items, identity="a", now=NOW)


def test_staff_see_what_would_be_sent_and_then_what_was_sent(desk: Desk) -> None:
    desk.book_course((date(2027, 5, 20), date(2027, 6, 20)))
    message_id = desk.message("confirmation").id
    preview = body(desk, message_id)
    desk.wait(minutes=3)
    deliver(desk)

    sent = body(desk, message_id)

    assert preview is not None
    assert sent is not None
    assert (preview.frozen, sent.frozen) == (False, True)
    assert (sent.subject, sent.text.split(), sent.html.split()) == (
        preview.subject, preview.text.split(), preview.html.split())
    assert [len(sent.calendars), len(preview.calendars)] == [1, 1]


def test_what_would_not_be_sent_any_more_has_no_body(desk: Desk) -> None:
    course_id = desk.book_course(DATES[:1])
    message_id = desk.message("confirmation").id
    desk.cancel(desk.appointment_ids(course_id)[0])

    assert body(desk, message_id) is None
    assert body(desk, 999) is None


def test_a_message_that_is_withheld_can_be_seen_too(desk: Desk) -> None:
    desk.set_patient(email=None)
    desk.book_course()

    found = body(desk, desk.message("confirmation").id)

    assert found is not None
    assert "Maria" in found.text
