"""What patients read of visits that belong to no course, of dates held for them, and of what was moved in."""
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.owed import OwedItem, messages_owed
from clinic.care.owner_facts import Owner
from clinic.messages.letters import Letter, VisitState
from clinic.messages.rendering import render
from clinic.planning.local import resolve, zone
from clinic.queries.letters import letter_facts
from clinic.queries.owner_facts import owner_facts, owner_head
from clinic.queries.visit_choice import parse_choice
from clinic.services.appointments import cancel_appointment, move_appointment
from clinic.services.letters import letter_of
from clinic.services.reconcile import reconcile
from clinic.services.workers import free_holds
from clinic.store.diary import Appointment
from clinic.store.engine import for_writing
from clinic.store.outbox import Message, MessageItem
from tests.booking import booked, done, row, standing, times
from tests.other_visits import clinic_with_visits, hold_course, items, read_mail, visit_booked, visit_times, wish
from tests.small_clinic import SmallClinic

WEEK = timedelta(days=7)


def owed(made: SmallClinic, owner: Owner) -> list[OwedItem]:
    """What the owner owes now."""
    with Session(made.engine) as db:
        head = owner_head(db, owner)
        assert head is not None
        return list(messages_owed(owner_facts(db, head), now=made.now))


def letter(made: SmallClinic, owner: Owner, kind: str) -> Letter:
    """The message of that kind, as it would be written now."""
    [item] = [each for each in owed(made, owner) if each.kind == kind]
    with Session(made.engine) as db:
        head = owner_head(db, owner)
        assert head is not None
        return letter_of(letter_facts(db, head), [item], now=made.now)


def lines(file: bytes) -> set[str]:
    """A calendar file's lines, unfolded."""
    return set(file.decode().replace("\r\n ", "").splitlines())


def moved_in(made: SmallClinic, appointment_id: int, told: datetime | None = None) -> None:
    """Makes an appointment one that was brought from elsewhere, where its patient was told of it."""
    with Session(for_writing(made.engine)) as db:
        visit = db.get_one(Appointment, appointment_id)
        visit.told_start = told or visit.local_start
        db.execute(sa.delete(MessageItem))
        db.execute(sa.delete(Message))
        db.commit()


def kinds(made: SmallClinic, owner: Owner) -> list[str]:
    """The kinds of what is owed about dates."""
    return [item.kind.value for item in owed(made, owner) if not item.kind.value.startswith(("reminder", "precare"))]


def test_a_visit_is_confirmed_moved_and_cancelled_under_one_calendar_entry(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)
    owner = Owner("appointment", visit.id)
    confirmation = letter(made, owner, "confirmation")
    read_mail(made)
    offer = visit_times(made, wish(made), date(2027, 3, 15)).times[0]
    with made.work() as work:
        done(move_appointment(work, visit.id, parse_choice(offer.choice), lock_version=visit.lock_version))
    change = letter(made, owner, "change")
    read_mail(made)
    version = row(made, Appointment, visit.id).lock_version
    with made.work() as work:
        done(cancel_appointment(work, visit.id, reason="patient", lock_version=version))
    cancellation = letter(made, owner, "cancellation")

    assert {"METHOD:REQUEST", f"UID:{visit.uid}", "SEQUENCE:0"} <= lines(confirmation.calendars[0])
    assert {"METHOD:REQUEST", f"UID:{visit.uid}", "SEQUENCE:1"} <= lines(change.calendars[0])
    assert {"METHOD:CANCEL", f"UID:{visit.uid}", "SEQUENCE:2"} <= lines(cancellation.calendars[0])
    assert change.sections[0].visits[0].old_starts_at == visit.starts_at
    assert cancellation.sections[0].visits[0].state is VisitState.CANCELLED
    assert [each.sections[0].visits[0].number for each in (confirmation, change, cancellation)] == [None, None, None]


def test_nothing_that_a_visit_sends_names_what_it_is_for_in_its_subject(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    for code in ("consultation", "patch-test", "review"):
        visit = visit_booked(made, code)

        said = render(letter(made, Owner("appointment", visit.id), "confirmation"))

        assert said.subject.startswith("Your appointment on ")
        assert not any(word in (said.subject + said.text).casefold() for word in ("consultation", "patch", "session"))


def test_held_dates_are_told_with_their_last_day_and_without_any_calendar_entry(engine: Engine) -> None:
    made = clinic_with_visits(engine, "hold")
    course_id = done(hold_course(made, until=date(2027, 3, 5)))
    held = letter(made, Owner("course", course_id), "dates-held")
    read_mail(made)
    made.now = standing(made, course_id)[0].hold_expires_at or made.now
    with made.work() as work:
        free_holds(work)
    released = letter(made, Owner("course", course_id), "dates-released")

    [section] = held.sections
    assert (section.held_until, len(section.visits), held.calendars) == (date(2027, 3, 5), 3, ())
    assert "until the end of Friday 5 March 2027" in render(held).text
    assert [visit.state for visit in released.sections[0].visits] == [VisitState.CANCELLED] * 3
    assert released.calendars == ()
    assert render(released).subject == "We no longer hold your dates"


@pytest.mark.parametrize("of_course", [True, False])
def test_who_was_told_elsewhere_is_not_told_again_until_something_changes(engine: Engine, of_course: bool) -> None:
    made = clinic_with_visits(engine)
    if of_course:
        course_id = booked(made, sessions=1, not_before_on=date(2027, 3, 10))
        [visit], owner = standing(made, course_id), Owner("course", course_id)
        assert visit.treatment_session_id is not None
        offers = times(made, visit.treatment_session_id, visit.local_start.date() + WEEK)
    else:
        visit = visit_booked(made)
        owner, offers = Owner("appointment", visit.id), visit_times(made, wish(made), visit.local_start.date() + WEEK)
    moved_in(made, visit.id)
    with made.work() as work:
        reconcile(work, owner)
        work.commit()

    told_before = kinds(made, owner)
    with made.work() as work:
        done(move_appointment(work, visit.id, parse_choice(offers.times[0].choice), lock_version=visit.lock_version))
    change = letter(made, owner, "change")
    version = row(made, Appointment, visit.id).lock_version
    with made.work() as work:
        done(cancel_appointment(work, visit.id, reason="patient", lock_version=version))

    assert told_before == []
    assert change.sections[0].visits[0].old_starts_at == visit.starts_at
    assert {"METHOD:REQUEST", "SEQUENCE:1"} <= lines(change.calendars[0])
    assert "cancellation" in kinds(made, owner)


def test_what_a_patient_read_here_counts_more_than_what_they_were_told_elsewhere(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)
    moved_in(made, visit.id, visit.local_start - WEEK)
    owner = Owner("appointment", visit.id)
    with made.work() as work:
        reconcile(work, owner)
        work.commit()
    before = kinds(made, owner)

    read_mail(made)

    assert before == ["change"]
    assert (kinds(made, owner), items(made, "appointment", visit.id)) == ([], [("change", "sent")])


def test_the_second_pass_of_a_repeated_hour_is_told_as_it_was_known(engine: Engine) -> None:
    made = clinic_with_visits(engine)
    visit = visit_booked(made)
    wall, where = datetime(2027, 10, 31, 1, 30), zone("Europe/London")  # noqa: DTZ001 - a wall clock's time
    starts_at = resolve(wall, where, last=True)
    with Session(for_writing(engine)) as db:
        db.execute(sa.update(Appointment).where(Appointment.id == visit.id).values(
            local_start=wall, fold=1, told_start=wall, starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30)))
        db.commit()

    assert kinds(made, Owner("appointment", visit.id)) == []
