"""The diary's page: a day by practitioner, room or device, as its account likes to see it."""
from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from clinic.app import Kit
from clinic.store.clinics import Closure
from clinic.store.diary import Appointment
from clinic.store.resources import Absence, Patient, Room
from tests.queries.statements import counted
from tests.web import seed
from tests.web.conftest import FixedClock
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, open_desk, texts

LATEX = "Latex allergy"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A course of three is booked, the first session today at nine; its patient has an alert."""
    found = open_desk(kit)
    with found.rows() as db:
        db.execute(sa.update(Patient).where(Patient.id == found.patient).values(alerts=LATEX))
        db.commit()
    found.course()
    return found


def page(desk: Desk, address: str = "/diary") -> str:
    """The page, as text."""
    answer = desk.browser.get(address)
    assert answer.status_code == 200
    return unescape(answer.get_data(as_text=True))


def names(html: str) -> list[str]:
    """The heads of the columns."""
    return re.findall(r'class="diary-name" dir="auto">([^<]+)<', html)


def blocks(html: str) -> list[str]:
    """The visits of the grid, as their words."""
    found = re.findall(r'<a class="block .*?</a>', html, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_a_visit_says_who_comes_when_for_what_and_where_it_stands(desk: Desk) -> None:
    html = page(desk)

    assert names(html) == ["Dr Amari", "Dr Chen", "Nurse Bell"]
    assert blocks(html) == [
        f"Numbing Ana Novák 09:00 to 11:00 RF microneedling 1 of 3 Room 1 · Rf-Needling Booked. Alert: {LATEX}"]
    assert 'aria-label="Monday 1 Mar 2027" tabindex="0"' in html


def test_the_columns_can_be_rooms_or_devices_and_that_is_remembered_for_the_account_alone(
    kit: Kit, desk: Desk
) -> None:
    assert names(page(desk, "/diary?by=room")) == ["Room 1", "Room 2"]
    remembered = names(page(desk))
    other = enter(kit, "practitioner").get("/diary").get_data(as_text=True)

    assert remembered == ["Room 1", "Room 2"]
    assert names(other) == ["Dr Amari", "Dr Chen", "Nurse Bell"]
    assert len(names(page(desk, "/diary?by=device"))) == 5


@pytest.mark.parametrize("address", [
    "by=x&colour=x&names=x&show=x&of=x&without=x.y&only=z", "day=2027-02-30", "day=9999-12-31", "without=" + "9" * 400])
def test_what_makes_no_sense_in_an_address_says_nothing(desk: Desk, address: str) -> None:
    assert names(page(desk, f"/diary?{address}")) == ["Dr Amari", "Dr Chen", "Nurse Bell"]


def test_a_spoilt_memory_is_forgotten(desk: Desk) -> None:
    page(desk, "/diary?by=room")
    name = next(key for _, _, key in desk.browser._cookies if key.startswith("diary-"))
    desk.browser.set_cookie(name, "~~<script>~", path="/diary")

    assert names(page(desk)) == ["Dr Amari", "Dr Chen", "Nurse Bell"]


def test_columns_can_be_left_out_and_what_is_left_out_is_told(desk: Desk) -> None:
    amari, bell, _ = desk.clinic.practitioners

    html = page(desk, f"/diary?only=0&only={bell}")
    room = page(desk, "/diary?by=room")
    again = page(desk, "/diary?by=practitioner")
    everybody = page(desk, "/diary?without=")

    assert names(html) == names(again) == ["Nurse Bell"]
    assert "2 left out by the filter, with 1 visit." in re.sub(r"\s+", " ", html)
    assert names(room) == ["Room 1", "Room 2"]
    assert names(everybody) == ["Dr Amari", "Dr Chen", "Nurse Bell"]
    assert amari != bell


def test_visits_can_be_set_back_by_their_state_or_treatment_and_keep_their_place(desk: Desk) -> None:
    html = page(desk, "/diary?only-state=0&only-state=arrived")
    again, listed = page(desk), page(desk, "/diary?show=list")
    number = re.search(r'name="only-treatment" value="(\d{3,})"', again)
    assert number
    by_treatment = page(desk, f"/diary?show=day&back_states=&back_treatments={number[1]}")
    everything = page(desk, "/diary?back_states=&back_treatments=")

    for each in (html, again, by_treatment):
        assert len(blocks(each)) == 1
        assert "block-back" in each
        assert "By the filter, 1 visit stands back." in each
    assert "By the filter, 1 visit is left out." in listed
    assert "Novák</a>" not in listed
    assert "block-back" not in everything


def test_with_names_hidden_the_page_holds_nobody_s_name_and_no_alert(desk: Desk) -> None:
    html = page(desk, "/diary?names=hidden")

    assert ("Novák" in html, LATEX in html, "Has an alert" in html) == (False, False, True)
    assert blocks(html)[0].startswith("Numbing Booked 09:00 to 11:00 RF microneedling")
    assert "Novák" not in page(desk)
    assert "Novák" in page(desk, "/diary?names=shown")


def test_free_time_leads_to_a_booking_that_knows_when_and_with_whom(kit: Kit, desk: Desk) -> None:
    bell = desk.clinic.practitioners[1]
    html = page(desk, "/diary?day=2027-03-02")

    link = re.search(rf'href="(/diary/book\?at=2027-03-02T09:00&with={bell})" id="[^"]+" data-free', html)
    assert link is not None
    found = page(desk, link[1] + "&q=ana")
    fitting = page(desk, re.search(r'href="(/diary/book\?[^"]+&patient=\d+)"', found)[1])  # type: ignore[index]
    second = page(desk, re.search(r'href="(/diary/book/course[^"]*)"', fitting)[1])  # type: ignore[index]
    third = page(desk, re.search(r'href="(/diary/book/course[^"]*protocol=mn_rejuvenation[^"]*)"', second)[1])  # type: ignore[index]
    form = page(desk, re.search(r'href="(/courses/new\?[^"]*protocol=mn_rejuvenation[^"]*)"', third)[1])  # type: ignore[index]

    assert re.search(r'name="not_before"[^>]*value="2027-03-02"', form)
    assert f'value="{bell}" selected' in form
    assert "data-free" not in unescape(enter(kit, "auditor").get("/diary").get_data(as_text=True))


def test_today_is_one_key_away_and_weeks_are_turned_keeping_the_weekday(desk: Desk) -> None:
    html = page(desk, "/diary?day=2027-03-10")

    for key, day in (("t", None), ("ArrowLeft", "2027-03-09"), ("ArrowRight", "2027-03-11"), ("-", "2027-03-03"),
                     ("+", "2027-03-17"), (",", "2027-02-10"), (".", "2027-04-07")):
        assert f'href="/diary{f"?day={day}" if day else ""}" data-shortcut="{key}"' in html


def test_a_visit_to_come_says_that_who_treats_is_away_but_not_for_what_an_outside_calendar_copied(desk: Desk) -> None:
    told = []
    for source in ("own.ics", None):
        with desk.rows() as db:
            db.add(Absence(resource_id=desk.clinic.practitioners[0], starts_at=seed.NOW - timedelta(hours=1),
                           ends_at=seed.NOW + timedelta(hours=2), reason="Flu", source=source))
            db.commit()
        told.append((page(desk), page(desk, "/diary?by=room&show=day"), page(desk, "/diary?by=practitioner&show=list")))
        page(desk, "/diary?show=day")

    assert [[each.count("Dr Amari away") for each in pages] for pages in told] == [[0, 0, 0], [1, 1, 1]]
    assert told[1][0].index("band-work") < told[1][0].index("band-away")
    assert "09:00 to 11:00 · away RF microneedling" in blocks(told[1][0])[0]
    with desk.rows() as db:
        db.execute(sa.update(Appointment).values(state="cancelled"))
        db.commit()
    assert "Dr Amari away" not in page(desk)


def test_who_is_away_is_said_without_the_reason_and_what_is_broken_with_it(desk: Desk) -> None:
    with desk.rows() as db:
        for ident, reason in ((desk.clinic.practitioners[1], "Burnout"), (desk.clinic.rooms[1], "Leak")):
            db.add(Absence(resource_id=ident, starts_at=seed.NOW, ends_at=seed.NOW + timedelta(hours=2), reason=reason))
        db.add(Closure(clinic_id=desk.clinic.clinic_id, from_on=seed.NOW.date() + timedelta(days=1),
                       to_on=seed.NOW.date() + timedelta(days=1), reason="Stocktaking"))
        db.add(Room(clinic_id=desk.clinic.clinic_id, name="Attic", active=False))
        db.commit()

    people, rooms = page(desk), page(desk, "/diary?by=room")
    closed = page(desk, "/diary?by=practitioner&day=2027-03-02")

    assert ("Away" in people, "Burnout" in people) == (True, False)
    assert ("Out of service: Leak" in rooms, "Attic" in rooms) == (True, False)
    assert "Stocktaking" in closed


def test_what_holds_no_column_is_told_below(desk: Desk) -> None:
    with desk.rows() as db:
        visit = db.scalars(sa.select(Appointment).order_by(Appointment.starts_at)).first()
        assert visit is not None
        visit.state, visit.ended_cause = "cancelled", "tan"
        db.commit()

    html = page(desk)

    assert blocks(html) == []
    assert "1 visit in no column" in html
    assert "Not treated" in html


def test_a_week_is_shown_at_a_glance_or_day_by_day_for_one(desk: Desk) -> None:
    amari = desk.clinic.practitioners[0]

    html = page(desk, "/diary?show=week&day=2027-03-03")
    one = page(desk, f"/diary?of={amari}&day=2027-03-03")
    rooms = page(desk, "/diary?by=room&of=&day=2027-03-03")

    assert "<h1 dir=\"auto\">Week of Mon 1 Mar 2027</h1>" in html
    assert html.count('class="glance-day') == 3 * 5
    assert re.search(r'href="/diary\?show=day#column-\d+".*?1 visit · 7 h 45 min free', html, re.S)
    assert re.findall(r'class="diary-name[^>]*><a href="([^"]+)">([^<]+)<', one) == [
        ("/diary?show=day", "Mon 1 Mar"), ("/diary?day=2027-03-02&show=day", "Tue 2 Mar"),
        ("/diary?day=2027-03-03&show=day", "Wed 3 Mar"), ("/diary?day=2027-03-04&show=day", "Thu 4 Mar"),
        ("/diary?day=2027-03-05&show=day", "Fri 5 Mar")]
    assert len(blocks(one)) == 1
    assert 'data-shortcut="ArrowRight"' in one
    assert 'href="/diary?day=2027-03-10" data-shortcut="ArrowRight"' in one
    assert rooms.count('class="glance-day') == 2 * 5


def test_the_list_holds_the_same_visits_and_hours_as_the_grid(desk: Desk) -> None:
    grid = page(desk, "/diary")
    html = re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>", "", page(desk, "/diary?show=list"), flags=re.S))

    assert re.findall(r'<a href="(/courses/\d+)" dir="auto">([^<]+)<', html) == [
        (re.search(r'href="(/courses/\d+)" data-visit', grid)[1], "Ana Novák")]  # type: ignore[index]
    for words in ("09:00 – 11:00", "1 of 3", "09:00 check in, 09:15 numbing, 10:15 procedure, 11:00 turnover", LATEX,
                  "Room 1 · Rf-Needling", "Booked", "Break 12:45 – 13:15", "09:00 – 18:00"):
        assert words in html
    assert "Novák" not in page(desk, "/diary?names=hidden")


def test_the_page_takes_as_many_statements_on_a_full_day_as_on_an_empty_one(kit: Kit, desk: Desk) -> None:
    manager = enter(kit, "manager")

    few, _ = own_statements(kit, manager, "/diary?day=2027-03-03")
    many, html = own_statements(kit, manager, "/diary?day=2027-03-01")
    week, _ = own_statements(kit, manager, "/diary?show=week")

    assert (few, many, week, len(blocks(html))) == (1, 1, 1, 1)


def test_the_day_of_a_clock_change_has_the_hours_of_its_clock(desk: Desk) -> None:
    with desk.rows() as db:
        for hours in (0, 1, 2, 3):
            seed.add_appointment(db, desk.patient, desk.clinic.clinic_id, seed.NOW.replace(month=10, day=31, hour=0)
                                 + timedelta(minutes=50 * hours), minutes=45, resources=(desk.clinic.practitioners[0],))
        db.commit()

    answer = desk.browser.get("/diary?day=2027-10-31")

    assert texts(answer, "hour")[:3] == ["01:00", "01:00 again", "02:00"]
    assert [re.search(r"\d\d:\d\d", one)[0] for one in blocks(unescape(answer.get_data(as_text=True)))] == [  # type: ignore[index]
        "01:00", "01:50", "01:40", "02:30"]


def test_a_page_that_asks_again_gets_nothing_until_something_has_changed(
    kit: Kit, desk: Desk, clock: FixedClock
) -> None:
    html = page(desk)
    version, source = (re.search(rf'data-{name}="([^"]+)"', html)[1] for name in ("version", "source"))  # type: ignore[index]
    again = {"X-Fragment": "1", "If-None-Match": f'"{version}"'}

    with counted(kit.engine) as said:
        same = desk.browser.get(source, headers=again)
    asked = len([each for each in said if each.startswith("SELECT")])
    rooms = desk.browser.get(source.replace("by=practitioner", "by=room"), headers=again)
    clock.move(timedelta(minutes=4))
    meanwhile = desk.browser.get(source, headers=again)
    clock.move(timedelta(minutes=2))
    later = desk.browser.get(source, headers=again)
    with desk.rows() as db:
        db.execute(sa.update(Patient).where(Patient.id == desk.patient).values(family_name="Svoboda"))
        db.commit()
    changed = desk.browser.get(source, headers=again)

    assert [each.status_code for each in (same, rooms, meanwhile, later, changed)] == [304, 200, 304, 200, 200]
    assert (same.data, asked) == (b"", 2)
    assert "Svoboda" in changed.get_data(as_text=True)
    assert names(page(desk)) == ["Dr Amari", "Dr Chen", "Nurse Bell"]
    assert desk.browser.get(source, headers={"If-None-Match": f'"{version}"'}).status_code == 200
