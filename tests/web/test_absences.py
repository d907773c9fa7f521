"""Absences and downtime: noted in local time, shown with whom they meet, taken back."""
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.accounts import Account
from clinic.store.resources import Absence
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post
from tests.web.counting import own_statements
from tests.web.desk import enter, field, open_desk, texts

Rows = Callable[[], Session]
LEAVE = {"from_on": "2027-03-08", "to_on": "2027-03-12", "reason": "Leave"}


@pytest.fixture
def who(rows: Rows, world: World) -> int:
    """A practitioner of the business."""
    with rows() as db:
        found = seed.add_practitioner(db)
        db.commit()
    return found


def kept(rows: Rows) -> list[tuple[datetime, datetime]]:
    with rows() as db:
        return [(row.starts_at, row.ends_at) for row in db.scalars(sa.select(Absence).order_by(Absence.id))]


@pytest.mark.parametrize(("given", "starts_at", "ends_at"), [
    ({}, datetime(2027, 3, 8, tzinfo=UTC), datetime(2027, 3, 13, tzinfo=UTC)),
    ({"to_on": ""}, datetime(2027, 3, 8, tzinfo=UTC), datetime(2027, 3, 9, tzinfo=UTC)),
    ({"from_at": "13:00"}, datetime(2027, 3, 8, 13, tzinfo=UTC), datetime(2027, 3, 13, tzinfo=UTC)),
    ({"to_on": "", "from_at": "13:00", "to_at": "15:30"}, datetime(2027, 3, 8, 13, tzinfo=UTC),
     datetime(2027, 3, 8, 15, 30, tzinfo=UTC)),
    # London's clocks go forward on 28 March and back on 31 October: a whole day has 23 or 25 hours.
    ({"from_on": "2027-03-28", "to_on": ""}, datetime(2027, 3, 28, tzinfo=UTC), datetime(2027, 3, 28, 23, tzinfo=UTC)),
    ({"from_on": "2027-10-31", "to_on": ""}, datetime(2027, 10, 30, 23, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)),
    # There is no 01:30 on the one night, and two on the other: an absence lasts until the second.
    ({"from_on": "2027-03-28", "to_on": "", "from_at": "01:30", "to_at": "03:00"},
     datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC)),
    ({"from_on": "2027-10-31", "to_on": "", "from_at": "01:30", "to_at": "01:30"},
     datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 1, 30, tzinfo=UTC)),
])
def test_days_and_times_are_those_of_the_clinic_also_when_its_clocks_change(
    given: dict[str, str], starts_at: datetime, ends_at: datetime, signed_in: SignedIn, rows: Rows, who: int
) -> None:
    answer = post(signed_in(Role.MANAGER), "/setup/absences", {**LEAVE, "of": str(who), **given})

    assert answer.status_code == 303
    assert kept(rows) == [(starts_at, ends_at)]


@pytest.mark.parametrize(("change", "words"), [
    ({"of": "999"}, "Choose who or what."),
    ({"of": ""}, "Choose who or what."),
    ({"from_on": ""}, "Enter the first day."),
    ({"from_on": "8.3.2027"}, "The first day must be a date, such as 2027-03-01."),
    ({"to_on": "2027-03-07"}, "The end must be after the beginning."),
    ({"to_on": "", "from_at": "13:00", "to_at": "12:00"}, "The end must be after the beginning."),
    ({"to_on": "2031-03-07"}, "An absence lasts at most three years."),
    ({"from_at": "noon"}, "The beginning must be a time, such as 09:30."),
    ({"reason": ""}, "Enter the reason."),
])
def test_bad_input_names_its_field_and_writes_nothing(
    change: dict[str, str], words: str, signed_in: SignedIn, who: int, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, "/setup/absences", {**LEAVE, "of": str(who), **change})

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert checksum(kit.engine) == before


def test_an_absence_says_whom_it_meets_and_is_noted_once_that_was_seen(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    course = desk.course(sessions="3")
    with desk.rows() as db:
        who = db.scalars(sa.text("SELECT DISTINCT resource_id FROM resource_booking"
                                 " JOIN practitioner ON practitioner.id = resource_id")).one()
    form = {"of": str(who), "from_on": "2027-03-01", "to_on": "2027-12-31", "reason": "Leave"}

    shown = post(desk.browser, "/setup/absences", form)
    shorter = post(desk.browser, "/setup/absences", {**form, "to_on": "2027-03-02", "agreed": field(shown, "agreed")})
    saved = post(desk.browser, "/setup/absences", {**form, "agreed": field(shown, "agreed")})

    page = shown.get_data(as_text=True)
    assert shown.status_code == 409
    assert "This absence meets 3 appointments of 1 patient" in page
    assert page.count(f'href="/courses/{course}"') == 3
    assert "Mon 1 Mar 2027, 10:00" in page or "1 Mar 2027" in page
    assert "This absence meets 1 appointment of 1 patient" in shorter.get_data(as_text=True)
    assert saved.status_code == 303

    listed = desk.browser.get(saved.location).get_data(as_text=True)
    to_plan = desk.browser.get("/to-plan").get_data(as_text=True)
    assert listed.count(f"/move?next={saved.location}\"") == listed.count(f"/cancel?next={saved.location}\"") == 3
    assert ("3 visits<" in to_plan, saved.location in to_plan) == (True, True)


def test_visits_in_an_absence_are_for_the_desk_to_move_until_none_is_left(kit: Kit) -> None:
    desk = open_desk(kit)
    desk.course(sessions="3")
    with desk.rows() as db:
        held = db.execute(sa.text("SELECT DISTINCT resource_id FROM resource_booking"
                                  " JOIN practitioner ON practitioner.id = resource_id")).scalar_one()
        away = Absence(resource_id=held, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(days=300), reason="Sick")
        copied = Absence(resource_id=held, starts_at=away.starts_at, ends_at=away.ends_at, reason="Busy", source="x")
        db.add_all([away, copied])
        db.commit()
        visits = f"/absences/{away.id}/visits"

    before, to_plan = own_statements(kit, desk.browser, "/to-plan")
    waiting = re.findall(r"/messages/\d+\">([^<]+)</a>", desk.browser.get(visits).get_data(as_text=True))
    assert waiting[0] == "Confirmation"
    assert waiting.count("Second reminder") == 2
    assert to_plan.count("/visits") == 1
    all_three = desk.browser.get(visits).get_data(as_text=True)
    assert ("Sick" in all_three + to_plan, "They stay booked" in all_three) == (False, True)
    moving = unescape(re.findall(r'href="(/appointments/\d+/move\?next=[^"]+)"', all_three)[-1])
    time = re.findall(r'class="time" href="([^"]+)"', desk.browser.get(moving).get_data(as_text=True))[0]
    review = desk.browser.get(unescape(time))
    assert 'name="by_clinic" value="yes" checked' in review.get_data(as_text=True)
    moved = post(desk.browser, moving.partition("?")[0], {
        "choice": field(review, "choice"), "lock_version": field(review, "lock_version"), "next": visits})
    told = texts(desk.browser.get(moved.location), "flash")
    assert (moved.location, told[0][:17]) == (visits, "Moved. Ana Novák:")
    with desk.rows() as db:
        db.execute(sa.text("UPDATE appointment SET state = 'cancelled' WHERE id > (SELECT min(id) FROM appointment)"))
        db.commit()
    assert "It stays booked, and the patient is told nothing" in desk.browser.get(visits).get_data(as_text=True)
    with desk.rows() as db:
        db.execute(sa.text("UPDATE appointment SET state = 'cancelled'"))
        db.execute(sa.text("DELETE FROM resource_booking"))
        db.commit()
    after, to_plan = own_statements(kit, desk.browser, "/to-plan")

    assert before == after
    assert visits not in to_plan
    assert "No visit stands in it any more" in desk.browser.get(visits).get_data(as_text=True)
    assert enter(kit, "auditor").get(visits).status_code == 403


def test_every_page_with_a_visit_in_an_absence_says_so_and_asks_the_database_no_more(kit: Kit) -> None:
    desk = open_desk(kit)
    course = desk.course(sessions="3", not_before="2027-03-02")
    with desk.rows() as db:
        first, who, name = db.execute(sa.text(
            "SELECT appointment_id, resource_id, name FROM resource_booking JOIN practitioner ON practitioner.id ="
            " resource_id ORDER BY resource_booking.starts_at LIMIT 1")).one()
        room = db.scalars(sa.text("SELECT resource_id FROM resource_booking JOIN room ON room.id = resource_id"
                                  f" WHERE appointment_id = {first}")).first()
        db.execute(sa.update(Account).values(practitioner_id=who))
        db.commit()
    on = "day=2027-03-02"
    pages = [f"/?{on}", f"/day-lists?{on}", f"/day-lists?by=practitioner&{on}", f"/my-day?{on}", f"/diary?{on}",
             f"/patients/{desk.patient}", f"/courses/{course}", f"/appointments/{first}/check-out"]
    told = []
    for source in ("own.ics", None):
        with desk.rows() as db:
            db.add_all(Absence(resource_id=each, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(days=300),
                               reason="Ill", source=source) for each in (who, room))
            db.commit()
        told.append([own_statements(kit, desk.browser, page) for page in pages])

    for page, copied, noted in zip(pages, *told, strict=True):
        assert (copied[0], f"{name} away" in copied[1]) == (noted[0], False), page
        assert f"{name} away" in noted[1], page
        assert ("out of service" in noted[1], "Ill" in noted[1]) == (True, False), page
    unconfirmed = desk.browser.get("/unconfirmed").get_data(as_text=True)
    assert ("In an absence" in unconfirmed, f"/appointments/{first}/confirmed" in unconfirmed) == (True, False)


def test_a_form_that_is_sent_twice_is_done_once(signed_in: SignedIn, rows: Rows, who: int) -> None:
    browser = signed_in(Role.MANAGER)
    form = {**LEAVE, "of": str(who), "form_key": "k" * 20}

    answers = [post(browser, "/setup/absences", form) for _ in range(2)]

    assert [each.status_code for each in answers] == [303, 303]
    assert len(kept(rows)) == 1


def test_what_is_noted_is_listed_and_can_be_taken_back_but_not_what_comes_from_outside(
    signed_in: SignedIn, rows: Rows, who: int
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, "/setup/absences", {**LEAVE, "of": str(who)})
    with rows() as db:
        db.add(Absence(resource_id=who, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(hours=1), reason="Busy",
                       source="own.ics"))
        db.add(Absence(resource_id=who, starts_at=seed.NOW - timedelta(days=9), ends_at=seed.NOW - timedelta(days=8),
                       reason="Long over"))
        db.commit()
        ours, theirs, _ = db.scalars(sa.select(Absence.id).order_by(Absence.id))

    page = browser.get("/setup/absences").get_data(as_text=True)
    refused = post(browser, f"/setup/absences/{theirs}/remove", {}, follow_redirects=True)
    removed = post(browser, f"/setup/absences/{ours}/remove", {"next": f"/setup/people/{who}"})

    assert "Mon 8 Mar 2027 – Fri 12 Mar 2027" in page
    assert "Mon 1 Mar 2027, 09:00 – 10:00" in page
    assert ("from own.ics" in page, "Read only" in page, "Long over" in page) == (True, True, False)
    assert "This time comes from the calendar own.ics." in refused.get_data(as_text=True)
    assert removed.location == f"/setup/people/{who}"
    assert len(kept(rows)) == 2


def test_another_clinics_rooms_are_nobodys_business_here(
    signed_in: SignedIn, rows: Rows, world: World
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        room = seed.add_room(db, world.hill)
        db.add(Absence(resource_id=room, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(hours=1), reason="Paint"))
        db.commit()
        ident = db.scalars(sa.select(Absence.id)).one()

    assert "Paint" not in browser.get("/setup/absences").get_data(as_text=True)
    assert post(browser, f"/setup/absences/{ident}/remove", {}).status_code == 404
    assert post(browser, "/setup/absences", {**LEAVE, "of": str(room)}).status_code == 422


@pytest.mark.parametrize("count", [1, 30, 300])
def test_the_list_asks_the_same_of_the_database_however_long_it_is(
    count: int, signed_in: SignedIn, rows: Rows, who: int, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        db.add_all(
            Absence(resource_id=who, starts_at=seed.NOW + timedelta(hours=2 * number),
                    ends_at=seed.NOW + timedelta(hours=2 * number + 1), reason="Away")
            for number in range(count))
        db.commit()

    number, page = own_statements(kit, browser, "/setup/absences")

    assert number == 2
    assert page.count("Remove this absence?") == min(count, 40)


def test_the_desk_notes_that_somebody_is_sick_and_takes_it_back_but_no_downtime(
    signed_in: SignedIn, rows: Rows, world: World, who: int
) -> None:
    desk = signed_in(Role.RECEPTIONIST)
    with rows() as db:
        room = seed.add_room(db, world.harbour)
        db.add(Absence(resource_id=room, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(hours=1), reason="Paint"))
        db.commit()
        downtime = db.scalars(sa.select(Absence.id)).one()
    away = {"of": str(who), "from_on": "2027-03-01", "reason": "Flu"}

    assert "/setup/absences/new?next=/" in desk.get("/").get_data(as_text=True)
    form = desk.get("/setup/absences/new").get_data(as_text=True)
    noted = [post(desk, "/setup/absences", {**away, "of": str(of)}).status_code for of in (room, who)]
    listed = desk.get("/setup/absences").get_data(as_text=True)
    with rows() as db:
        sick = db.scalars(sa.select(Absence.id).where(Absence.resource_id == who)).one()
    assert f'<option value="{room}"' not in form
    assert noted == [422, 303]
    assert ("Mon 1 Mar 2027" in listed, "Flu" in listed, 'href="/setup"' in listed) == (True, False, False)
    assert [post(desk, f"/setup/absences/{ident}/remove", {}).status_code for ident in (downtime, sick)] == [404, 303]
    assert len(kept(rows)) == 1
    assert signed_in(Role.AUDITOR).get("/setup/absences/new").status_code == 403


def test_the_desk_is_named_no_visit_of_a_clinic_where_it_does_not_work(
    signed_in: SignedIn, rows: Rows, world: World, who: int
) -> None:
    desk = signed_in(Role.RECEPTIONIST)
    with rows() as db:
        for clinic_id, name in ((world.harbour, "Harb"), (world.hill, "Hillary")):
            patient = seed.add_patient(db, name, "Oduya")
            seed.add_appointment(db, patient, clinic_id, seed.NOW + timedelta(days=clinic_id), resources=(who,))
        db.commit()
    away = {"of": str(who), "from_on": "2027-03-01", "to_on": "2027-04-01", "reason": "Flu"}

    shown = post(desk, "/setup/absences", away)
    page = shown.get_data(as_text=True)
    saved = post(desk, "/setup/absences", {**away, "agreed": field(shown, "agreed")})

    assert "This absence meets 2 appointments of 2 patients" in page
    assert ("Harb Oduya" in page, "Hillary" in page, "and 1 more" in page) == (True, False, True)
    assert saved.status_code == 303


def test_a_page_past_the_last_shows_the_last(signed_in: SignedIn, rows: Rows, who: int) -> None:
    browser = signed_in(Role.MANAGER)
    with rows() as db:
        db.add_all(Absence(resource_id=who, starts_at=seed.NOW + timedelta(hours=2 * number),
                           ends_at=seed.NOW + timedelta(hours=2 * number + 1), reason="Away") for number in range(41))
        db.commit()

    page = browser.get("/setup/absences?page=9").get_data(as_text=True)

    assert ("Nobody is away" in page, page.count("Remove this absence?")) == (False, 1)
