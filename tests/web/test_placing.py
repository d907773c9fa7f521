"""A visit picked up in the diary: its places on the days that are walked through, the review, and where that leads."""
from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.courses import TreatmentSession
from clinic.store.diary import Appointment
from tests.web.conftest import post
from tests.web.counting import own_statements
from tests.web.desk import Desk, enter, field, open_desk, texts

DAY = "/diary?show=day&by=practitioner&day=2027-04-05"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def desk(kit: Kit) -> Desk:
    """A course of three: 1 March, 5 April, 10 May, each at nine."""
    found = open_desk(kit)
    found.course()
    return found


def second(desk: Desk) -> Appointment:
    with desk.rows() as db:
        return db.scalars(
            sa.select(Appointment).join(TreatmentSession, TreatmentSession.id == Appointment.treatment_session_id)
            .where(TreatmentSession.number == 2)).one()


def places(answer: TestResponse) -> dict[str, str]:
    """Each place of the page by all that it says, and where it leads."""
    found = re.findall(r'<a id="place-[^"]*" href="([^"]*)" data-place[^>]*>(.*?)</a>', answer.get_data(as_text=True))
    return {re.sub(r"<[^>]+>", "", words): unescape(href) for href, words in found}


def told(answer: TestResponse) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(answer.get_data(as_text=True))).split())


def test_a_visit_is_picked_up_browsed_with_and_put_down_page_by_page(desk: Desk) -> None:
    ident = second(desk).id
    html = desk.browser.get(DAY).get_data(as_text=True)
    [handle] = re.findall(r'class="pick-up" href="([^"]+)" aria-label="([^"]+)"', html)
    picked = desk.browser.get(unescape(handle[0]))
    onward = re.search(r'href="([^"]+)" data-shortcut="ArrowRight"', picked.get_data(as_text=True))
    assert onward is not None
    tuesday = desk.browser.get(unescape(onward[1]))
    review = desk.browser.get(places(tuesday)["Tuesday 6 Apr 2027, 10:15, Nurse Bell, ideal"])
    done = post(desk.browser, f"/appointments/{ident}/move", {
        name: field(review, name) for name in ("choice", "lock_version", "form_key", "back")})

    assert handle == (f"/diary?day=2027-04-05&amp;moving={ident}", "Pick up Ana Novák, 09:00")
    assert "Ana Novák · RF microneedling, 2 of 3 Now Mon 5 Apr, 09:00 – 11:00 · Dr Amari" in told(picked)
    assert "Monday 5 Apr 2027, 09:15, Dr Amari, ideal" in places(picked)
    assert "Monday 5 Apr 2027, 09:00, Dr Amari, ideal" not in places(picked)
    assert "data-free" not in picked.get_data(as_text=True)
    assert texts(review, "compare")[0].startswith(
        "Now and New, side by side Now New Day Mon 5 Apr 2027 Tue 6 Apr 2027 Time 09:00 – 11:00 10:15 – 12:15 "
        "Practitioner Dr Amari Nurse Bell")
    assert (done.status_code, done.location) == (303, f"/diary?day=2027-04-06&moved={ident}")
    assert f"{second(desk).local_start:%d %b %H:%M}" == "06 Apr 10:15"


def test_a_place_that_others_follow_leads_to_the_ways_of_following_and_back_to_the_diary(desk: Desk) -> None:
    ident = second(desk).id
    found = places(desk.browser.get(f"/diary?show=day&by=practitioner&day=2027-04-19&moving={ident}"))
    href = found["Monday 19 Apr 2027, 09:00, Dr Amari, late, later sessions follow"]

    ways = desk.browser.get(href, follow_redirects=True)

    assert "What follows the new time" in told(ways)
    assert field(ways, "next") == "/diary?day=2027-04-19&repaired=1"


def test_a_time_that_does_not_fit_is_told_with_what_clashes_and_the_nearest_times(desk: Desk) -> None:
    ident = second(desk).id
    amari = desk.clinic.practitioners[0]

    answer = desk.browser.get(f"/appointments/{ident}/move?at=2027-04-05T10:15Z&with={amari}&back=diary")
    nonsense = [desk.browser.get(f"/appointments/{ident}/move?{asked}") for asked in (
        f"at=soon&with={amari}", "at=2027-04-05T10:15Z", "at=2027-04-05T10:15Z&with=x")]

    assert answer.status_code == 409
    assert texts(answer, "findings-title") == ["It does not fit there. These are the nearest times that do."]
    assert texts(answer, "finding-text")[0].startswith("Dr Amari does not work all of 12:30 to 13:15")
    assert [each.status_code for each in nonsense] == [404, 404, 404]


def test_who_may_not_book_picks_nothing_up_and_what_makes_no_sense_is_not_in_hand(kit: Kit, desk: Desk) -> None:
    ident = second(desk).id

    auditor = enter(kit, "auditor").get(f"{DAY}&moving={ident}").get_data(as_text=True)
    other = [desk.browser.get(f"{DAY}&moving={asked}").get_data(as_text=True) for asked in ("x", "0", "99")]

    assert ("in-hand" in auditor, "pick-up" in auditor) == (False, False)
    assert [("in-hand" in each, "pick-up" in each) for each in other] == [(False, True)] * 3


def test_a_week_at_a_glance_and_other_kinds_of_columns_say_where_there_are_places(desk: Desk) -> None:
    ident = second(desk).id

    glance = desk.browser.get(f"/diary?show=week&of=&day=2027-04-05&moving={ident}")
    rooms = desk.browser.get(f"/diary?show=list&by=room&day=2027-04-05&moving={ident}")

    assert texts(glance, "glance-fits")[:2] == ["23 places · ideal", "24 places · ideal"]
    assert "Monday 5 Apr 2027, 09:00, Room 2, ideal" in places(rooms)


def test_the_page_takes_as_many_statements_with_many_places_as_with_none(kit: Kit, desk: Desk) -> None:
    ident = second(desk).id
    manager = enter(kit, "manager")

    none, _ = own_statements(kit, manager, f"/diary?show=day&day=2027-04-10&moving={ident}")
    week = f"show=week&of={desk.clinic.practitioners[0]}"
    many, _ = own_statements(kit, manager, f"/diary?{week}&day=2027-04-05&moving={ident}")

    assert none == many
