"""Clinics, closures and holidays on screen: what a change would meet is shown before it is saved."""
from __future__ import annotations

import io
import re
from datetime import date
from html import unescape

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.accounts import AccountRole
from clinic.store.clinics import Business, Clinic, Closure, OpeningHours, TravelTime
from clinic.store.diary import Appointment
from tests.queries.statements import counted
from tests.web.conftest import FixedClock, post, token
from tests.web.desk import Desk, enter, open_desk

AGREED = re.compile(r'name="agreed" value="([0-9a-f]+)"')
HILL = {
    "name": "Hill Clinic", "zone": "Europe/Lisbon", "address": "2 Hill", "phone": "+351 1", "sender_name": "Harbour",
    "sender_email": "hill@harbour.example", "booking_horizon_days": "400", "quiet_from": "20:00", "quiet_to": "08:00",
    "start_step_minutes": "15", "hours-0-0-from": "09:00", "hours-0-0-to": "13:00", "hours-0-1-from": "14:00",
    "hours-0-1-to": "00:00", "hours-4-0-from": "22:00", "hours-4-0-to": "02:00"}


@pytest.fixture
def manager(kit: Kit, clock: FixedClock) -> Desk:
    """The small clinic, with its manager."""
    return open_desk(kit, "manager")


def text_of(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def as_it_is(desk: Desk, **changed: str) -> dict[str, str]:
    """What the form of the small clinic sends when nothing was changed but this."""
    told = {
        "name": "Harbour Street", "zone": "Europe/London", "address": "1 Harbour Street", "phone": "+44 20 7946 0000",
        "sender_name": "Harbour Skin", "sender_email": "desk@harbour.example", "booking_horizon_days": "400",
        "quiet_from": "20:00", "quiet_to": "08:00", "start_step_minutes": "15", "lock_version": "1"}
    for day in range(5):
        told |= {f"hours-{day}-0-from": "09:00", f"hours-{day}-0-to": "18:00"}
    return told | changed


def hours(desk: Desk, clinic_id: int) -> list[tuple[int, int, int]]:
    with desk.rows() as db:
        rows = db.execute(sa.select(OpeningHours.weekday, OpeningHours.opens, OpeningHours.closes).where(
            OpeningHours.clinic_id == clinic_id).order_by(OpeningHours.weekday, OpeningHours.opens))
        return [tuple[int, int, int](row) for row in rows]


def visits(desk: Desk) -> list[Appointment]:
    with desk.rows() as db:
        return list(db.scalars(sa.select(Appointment).order_by(Appointment.starts_at)))


def test_a_clinic_is_opened_with_its_hours_and_its_maker_works_there_at_once(manager: Desk) -> None:
    answer = post(manager.browser, "/setup/clinics", HILL)

    assert (answer.status_code, answer.location) == (303, "/setup/clinics")
    with manager.rows() as db:
        there = db.scalars(sa.select(Clinic).where(Clinic.name == "Hill Clinic")).one()
        roles = db.scalars(sa.select(AccountRole.role).where(AccountRole.clinic_id == there.id)).all()
    assert (roles, hours(manager, there.id)) == (["manager"], [(0, 540, 780), (0, 840, 1440), (4, 1320, 1560)])
    page = text_of(manager.browser.get("/setup/clinics"))
    assert "Mon 09:00 – 13:00; Mon 14:00 – 24:00; Fri 22:00 – 02:00" in page
    post(manager.browser, "/switch-clinic", {"clinic_id": there.id})
    assert "Hill Clinic" in text_of(manager.browser.get("/setup"))


def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(manager: Desk) -> None:
    answer = post(manager.browser, "/setup/clinics", {
        **HILL, "zone": "Atlantis", "hours-0-1-from": "12:00", "hours-2-0-from": "09:00", "booking_horizon_days": "0",
        "address": "2 Hill\r\nAlvor"})
    page = text_of(answer)

    assert answer.status_code == 422
    for words in ("a whole number from 1 to 3660", "Wednesday: say both, from when and until when."):
        assert words in page
    for typed in ("2 Hill\r\nAlvor</textarea>", 'value="22:00"', 'value="Atlantis" selected'):
        assert typed in page
    again = text_of(post(manager.browser, "/setup/clinics", {**HILL, "zone": "Atlantis", "hours-0-1-from": "12:00"}))
    assert "There is no time zone Atlantis" in again
    assert "Monday: hours begin before those before them are over." in again
    with manager.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Clinic)) == 1


def test_a_change_that_meets_nobody_is_saved_at_once(manager: Desk) -> None:
    clinic = manager.clinic.clinic_id
    page = text_of(manager.browser.get(f"/setup/clinics/{clinic}/edit"))
    assert 'value="Europe/London" selected' in page

    answer = post(manager.browser, f"/setup/clinics/{clinic}/edit", as_it_is(manager, **{"hours-4-0-to": "12:00"}))

    assert answer.status_code == 303
    assert hours(manager, clinic)[-1] == (4, 540, 720)


def test_other_hours_show_whom_they_meet_before_they_are_saved(manager: Desk) -> None:
    clinic = manager.clinic.clinic_id
    manager.course()
    met = visits(manager)[0]
    minute = met.local_start.hour * 60 + met.local_start.minute
    shut = {f"hours-{day}-0-from": f"{minute // 60 + 1:02}:00" for day in range(5)}
    address = f"/setup/clinics/{clinic}/edit"

    answer = post(manager.browser, address, as_it_is(manager, **shut))
    page = text_of(answer)

    assert (answer.status_code, hours(manager, clinic)[0]) == (409, (0, 540, 1080))
    assert re.search(r"Closing at other times meets \d appointments? of 1 patient", page)
    assert f"/courses/{1}" in page
    agreed = AGREED.search(page)
    assert agreed is not None
    assert post(manager.browser, address, as_it_is(manager, **shut, agreed="x")).status_code == 409
    assert post(manager.browser, address, as_it_is(manager, **shut, agreed=agreed[1])).status_code == 303
    assert hours(manager, clinic)[0][1] == (minute // 60 + 1) * 60


def test_the_zone_of_a_clinic_with_bookings_stays(manager: Desk) -> None:
    manager.course()

    answer = post(manager.browser, f"/setup/clinics/{manager.clinic.clinic_id}/edit",
                  as_it_is(manager, zone="Europe/Lisbon"))

    assert answer.status_code == 422
    assert "patients were told those times" in text_of(answer)


def test_the_second_of_two_people_sees_what_the_first_one_made_of_it(manager: Desk) -> None:
    address = f"/setup/clinics/{manager.clinic.clinic_id}/edit"
    post(manager.browser, address, as_it_is(manager, phone="+44 1"))

    answer = post(manager.browser, address, as_it_is(manager, phone="+44 2"))

    assert answer.status_code == 409
    assert "+44 1" in text_of(answer)
    assert "+44 2" in text_of(answer)


def test_the_business_is_named(manager: Desk) -> None:
    assert post(manager.browser, "/setup/clinics/business", {"business": "Skin & Sea"}).status_code == 303
    assert post(manager.browser, "/setup/clinics/business", {"business": " "}).status_code == 422

    with manager.rows() as db:
        assert db.scalar(sa.select(Business.name)) == "Skin & Sea"


def test_the_ways_between_clinics_are_kept(manager: Desk) -> None:
    post(manager.browser, "/setup/clinics", HILL)
    with manager.rows() as db:
        there = db.scalars(sa.select(Clinic.id).where(Clinic.name == "Hill Clinic")).one()
    address = f"/setup/clinics/{manager.clinic.clinic_id}/travel"

    assert post(manager.browser, address, {f"way-{there}": "40"}).status_code == 303
    assert post(manager.browser, address, {f"way-{there}": "soon"}).status_code == 422

    with manager.rows() as db:
        assert db.scalar(sa.select(TravelTime.minutes)) == 40
    assert 'value="40"' in text_of(manager.browser.get(f"/setup/clinics/{there}/travel"))


def test_a_closure_shows_whom_it_meets_and_is_added_after_that(manager: Desk) -> None:
    manager.course()
    met = visits(manager)[0]
    told = {"from_on": met.local_start.date().isoformat(), "to_on": "", "reason": "Flood"}
    address = f"/setup/clinics/{manager.clinic.clinic_id}/closures"

    answer = post(manager.browser, address, told)
    page = text_of(answer)

    assert answer.status_code == 409
    assert "This closure meets 1 appointment of 1 patient" in page
    assert 'value="Flood"' in page
    agreed = AGREED.search(page)
    assert agreed is not None
    assert post(manager.browser, address, {**told, "agreed": agreed[1]}).status_code == 303
    assert "Flood" in text_of(manager.browser.get(address))
    assert [row.state for row in visits(manager)] == ["booked"] * 3


@pytest.mark.parametrize("told, words", [
    ({"from_on": "2027-02-28", "reason": "x"}, "cannot be before 1 March 2027"),
    ({"from_on": "2027-03-05", "to_on": "2027-03-04", "reason": "x"}, "must not be before the first"),
    ({"from_on": "2027-03-05", "reason": ""}, "Enter the reason"),
    ({"from_on": "soon", "reason": "x"}, "must be a date"),
])
def test_a_closure_that_cannot_be_is_refused_at_its_field(manager: Desk, told: dict[str, str], words: str) -> None:
    answer = post(manager.browser, f"/setup/clinics/{manager.clinic.clinic_id}/closures", {"to_on": "", **told})

    assert (answer.status_code, words in text_of(answer)) == (422, True)


def test_a_closure_is_taken_back(manager: Desk) -> None:
    address = f"/setup/clinics/{manager.clinic.clinic_id}/closures"
    post(manager.browser, address, {"from_on": "2027-03-06", "to_on": "2027-03-07", "reason": "Paint"})
    with manager.rows() as db:
        ident = db.scalars(sa.select(Closure.id)).one()

    assert post(manager.browser, f"{address}/{ident}/remove").status_code == 303
    assert post(manager.browser, f"{address}/{ident}/remove").status_code == 404
    assert "Paint" not in text_of(manager.browser.get(address))


def sent(desk: Desk, data: bytes, name: str = "holidays.csv") -> TestResponse:
    return desk.browser.post(
        f"/setup/clinics/{desk.clinic.clinic_id}/holidays", content_type="multipart/form-data",
        data={"csrf_token": token(desk.browser), "file": (io.BytesIO(data), name)})


def test_holidays_are_shown_with_whom_they_meet_before_they_are_added(manager: Desk) -> None:
    manager.course()
    on = visits(manager)[0].local_start.date()
    clinic = manager.clinic.clinic_id
    post(manager.browser, f"/setup/clinics/{clinic}/closures", {
        "from_on": "2027-12-25", "to_on": "2027-12-25", "reason": "Christmas"})

    answer = sent(manager, f"date;name\n2027-12-25;Christmas Day\n{on};Founders’ Day\n2027-01-01;New Year\n".encode())
    page = text_of(answer)

    assert answer.status_code == 200
    assert "Closing on all of these meets 1 appointment of 1 patient" in page
    assert "Left out, as the clinic is closed on them already: 1." in page
    assert "Left out, as they are over: 1." in page
    found = re.findall(r'name="days" value="([^"]+)"', page)
    assert found == [f"{on}/{on}/Founders’ Day"]
    with manager.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Closure)) == 1
    assert post(manager.browser, f"/setup/clinics/{clinic}/holidays/add", {"days": found}).status_code == 303
    with manager.rows() as db:
        assert db.scalars(sa.select(Closure.from_on).order_by(Closure.from_on)).all() == [on, date(2027, 12, 25)]


def test_a_holiday_file_that_cannot_be_read_is_refused_with_its_line(manager: Desk) -> None:
    answer = sent(manager, b"date,name\n2027-12-25,Christmas\n25/12/2028,Christmas\n")

    assert answer.status_code == 422
    assert "Line 3: “25/12/2028” is no date" in text_of(answer)
    assert sent(manager, b"", "").status_code == 422


def test_forged_ticks_add_nothing_that_is_no_closure(manager: Desk) -> None:
    clinic = manager.clinic.clinic_id

    post(manager.browser, f"/setup/clinics/{clinic}/holidays/add", {"days": ["x", "2027-12-25", "2027-12-25/x/y"]})
    post(manager.browser, f"/setup/clinics/{clinic}/holidays/add", {"days": ["2027-12-25/2027-12-24/y"]})

    with manager.rows() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(Closure)) == 0


def test_another_clinic_is_not_there(manager: Desk, kit: Kit) -> None:
    with manager.rows() as db:
        other = Clinic(name="Other", zone="Europe/London", address="1", phone="1", sender_name="x",
                       sender_email="x@y.example")
        db.add(other)
        db.commit()
        ident = other.id

    for page in ("edit", "closures", "holidays", "travel"):
        assert manager.browser.get(f"/setup/clinics/{ident}/{page}").status_code == 404
    assert enter(kit, "receptionist").get("/setup/clinics").status_code == 403


def test_the_pages_ask_no_more_however_much_there_is(manager: Desk, kit: Kit) -> None:
    pages = ("/setup", "/setup/clinics", f"/setup/clinics/{manager.clinic.clinic_id}/closures")
    asked = []
    for further in (0, 1, 29, 270):
        with manager.rows() as db:
            db.add_all(Closure(clinic_id=manager.clinic.clinic_id, from_on=date(2028, 1, 1), to_on=date(2028, 1, 1),
                               reason="x") for _ in range(further))
            db.commit()
        counts = []
        for page in pages:
            manager.browser.get(page)
            with counted(kit.engine) as told:
                assert manager.browser.get(page).status_code == 200
            counts.append(len(told))
        asked.append(counts)

    assert asked[0] == asked[1] == asked[2] == asked[3]
    assert max(asked[0]) <= 25


def test_a_clinic_says_what_patients_may_do_with_their_dates_and_whom_they_call_at_night(manager: Desk) -> None:
    address = f"/setup/clinics/{manager.clinic.clinic_id}/edit"

    answer = post(manager.browser, address, as_it_is(
        manager, patients_move="at-once", patients_cancel="never", out_of_hours_phone="+44 20 7946 0911",
        emergency_phone="999", notice_hours="0"))
    page = text_of(manager.browser.get(address))

    with manager.rows() as db:
        row = db.get_one(Clinic, manager.clinic.clinic_id)
    assert answer.status_code == 303
    assert (row.patients_move, row.patients_cancel, row.notice_hours) == ("at-once", "never", 0)
    assert (row.out_of_hours_phone, row.emergency_phone) == ("+44 20 7946 0911", "999")
    assert [words in page for words in (
        "At once, while there is notice", "+44 20 7946 0911", 'value="999"', 'value="0"')] == [True] * 4


def test_no_hours_of_notice_are_asked_for_and_never_guessed(manager: Desk) -> None:
    address = f"/setup/clinics/{manager.clinic.clinic_id}/edit"

    answer = post(manager.browser, address, as_it_is(manager, notice_hours=" "))

    field = re.search(r'<input[^>]*name="notice_hours"[^>]*>', text_of(answer))
    assert (answer.status_code, "Enter the hours of notice." in text_of(answer)) == (422, True)
    assert field is not None and 'value="24"' not in field[0]
    with manager.rows() as db:
        assert db.get_one(Clinic, manager.clinic.clinic_id).notice_hours == 24
