"""The guide on the front page of the set-up: what is done, what is missing and why, and the one thing to do next."""
from __future__ import annotations

import re
from html import unescape

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from clinic.app import Kit
from clinic.store.clinics import OpeningHours
from clinic.store.protocols import Protocol, ProtocolVersion
from clinic.store.resources import Device, Practitioner, Qualification, Room, RotaSpan
from tests.web.conftest import FixedClock, post
from tests.web.desk import Desk, enter, open_desk

NEXT = re.compile(r'<li class="guide-step guide-next".*?</li>', re.DOTALL)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What the guide says is the same on either kind of database: what it finds out has tests on both."""
    return sqlite_url


@pytest.fixture
def desk(kit: Kit, clock: FixedClock) -> Desk:
    """The small clinic, with its manager: everything is there but a course."""
    return open_desk(kit, "manager")


def guide(browser: FlaskClient) -> str:
    """The words of the step that comes next, with the addresses of its buttons."""
    page = unescape(browser.get("/setup").get_data(as_text=True))
    found = NEXT.search(page)
    return re.sub(r"\s+", " ", re.sub(r"<(?!a )[^>]+>", " ", found[0])) if found else ""


def without(desk: Desk, *statements: sa.Executable) -> None:
    with desk.rows() as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_a_clinic_that_has_everything_books_its_first_course_next(desk: Desk) -> None:
    told = guide(desk.browser)

    assert "No course is booked here yet." in told
    assert "/courses/new" in told


def test_the_guide_is_gone_once_a_course_is_booked(desk: Desk) -> None:
    assert "The set-up is not finished" in desk.browser.get("/").get_data(as_text=True)

    desk.course()

    assert guide(desk.browser) == ""
    assert "The set-up is not finished" not in desk.browser.get("/").get_data(as_text=True)


def test_reception_is_told_nothing_of_the_set_up(desk: Desk, kit: Kit) -> None:
    assert "The set-up is not finished" not in enter(kit, "receptionist").get("/").get_data(as_text=True)


@pytest.mark.parametrize("statement, words, address", [
    (sa.delete(OpeningHours), "The clinic is open on no day.", "/setup/clinics/1/edit"),
    (sa.update(Practitioner.__table__).values(active=False), "Nobody treats here yet.", "/setup/people/new"),
    (sa.delete(Qualification), "Say what Dr Amari may treat.", "/setup/people/1/edit"),
    (sa.delete(RotaSpan), "Dr Amari needs a rota.", "/setup/people/1/rota/new"),
    (sa.update(Room.__table__).values(active=False), "There is no room to treat in.", "/setup/rooms/new"),
])
def test_what_is_missing_is_what_comes_next_with_the_page_where_it_is_done(
    desk: Desk, statement: sa.Executable, words: str, address: str
) -> None:
    without(desk, statement)

    told = guide(desk.browser)

    assert words in told
    assert f'href="{address}"' in told


def test_the_day_says_what_comes_next_until_a_course_is_booked(desk: Desk) -> None:
    without(desk, sa.delete(RotaSpan))

    today = unescape(desk.browser.get("/").get_data(as_text=True))

    assert re.search(r"The set-up is not finished: \d of 7 done", today)
    assert "Next: Practitioners. Nobody works here on any day. Dr Amari needs a rota." in today
    assert 'href="/setup/people/1/rota/new"' in today


@pytest.mark.parametrize("statement, by, words, address", [
    (sa.delete(RotaSpan), "practitioner", "Nobody has working hours here", "/setup/people"),
    (sa.update(Room.__table__).values(active=False), "room", "No rooms yet", "/setup/rooms/new"),
    (sa.update(Device.__table__).values(active=False), "device", "No devices yet", "/setup/devices/new"),
])
def test_a_diary_without_a_column_leads_to_what_makes_one(
    desk: Desk, kit: Kit, statement: sa.Executable, by: str, words: str, address: str
) -> None:
    without(desk, statement)

    day, week, of_the_desk = (browser.get(f"/diary?show={show}&by={by}&of=").get_data(as_text=True)
                              for browser, show in ((desk.browser, "day"), (desk.browser, "week"),
                                                    (enter(kit, "receptionist"), "day")))

    assert [words in page for page in (day, week, of_the_desk)] == [True] * 3
    assert [f'href="{address}"' in page for page in (day, week, of_the_desk)] == [True, True, False]
    assert "A manager adds them in the set-up." in of_the_desk


def test_whoever_treats_without_a_rota_is_told_so_on_their_day(desk: Desk, kit: Kit) -> None:
    without(desk, sa.delete(RotaSpan), sa.text("UPDATE account SET practitioner_id = 1"))

    days = [enter(kit, role).get("/my-day").get_data(as_text=True) for role in ("practitioner", "manager")]

    assert ["You have no working hours here" in day for day in days] == [True, True]
    assert ['href="/setup/people/1/rota/new"' in day for day in days] == [False, True]
    assert "A manager enters it." in days[0]


def test_protocols_that_lack_something_are_listed_while_others_can_be_booked(desk: Desk) -> None:
    device = Device.__table__
    without(desk, sa.update(device).where(device.c.device_type == "rf-needling").values(active=False))

    page = unescape(desk.browser.get("/setup").get_data(as_text=True))

    assert "No course is booked here yet." in guide(desk.browser)
    assert "There is no device of the type “RF microneedling device”." in page
    assert re.search(r"\d+ approved protocols can be booked\. These lack something:", page)


def test_drafts_wait_for_who_may_approve_them(desk: Desk, kit: Kit) -> None:
    without(desk, sa.text("UPDATE protocol_version SET state = 'draft'"))
    told = {role: guide(enter(kit, role)) for role in ("manager", "administrator")}

    assert all("Somebody with the role of a practitioner has to approve" in each for each in told.values())
    assert 'href="/protocols"' in told["manager"]
    assert 'href="/setup/accounts/new"' in told["administrator"]


def test_an_administrator_is_offered_nothing_that_is_not_theirs(desk: Desk, kit: Kit) -> None:
    browser = enter(kit, "administrator")
    told = guide(browser)

    assert "for reception, a practitioner or a manager to do" in told
    assert "href" not in told
    page = browser.get("/setup").get_data(as_text=True)
    for address in set(re.findall(r'href="(/setup[^"#]*)"', page)):
        assert browser.get(address).status_code == 200, address
    places = re.search(r'<nav class="places".*?</nav>', page, re.DOTALL)
    assert places and re.findall(r'href="(/[^"]*)"', places.group()) == ["/setup", "/protocols"]
    assert "Find a patient" not in page


def only(desk: Desk, *codes: str) -> None:
    """Leaves no protocol approved but these."""
    chosen = sa.select(Protocol.id).where(Protocol.code.in_(codes))
    without(desk, sa.update(ProtocolVersion).where(ProtocolVersion.protocol_id.not_in(chosen)).values(state="draft"))


def test_the_protocol_that_lacks_least_leads_and_asks_for_nothing_that_others_need(desk: Desk) -> None:
    only(desk, "rfmn_laxity", "peel_superficial")
    without(
        desk, sa.update(Device.__table__).values(active=False), sa.update(Room.__table__).values(features=[]),
        sa.delete(Qualification).where(Qualification.code == "peel-superficial"))

    page = unescape(desk.browser.get("/setup").get_data(as_text=True))
    steps = page[page.index('id="guide"'):page.index('id="lacks"')]

    assert "Nobody is qualified for Superficial peels." in guide(desk.browser)
    assert "RF microneedling device" not in steps
    assert "RF microneedling device" in page


def test_the_form_of_a_device_begins_with_the_type_that_is_missing(desk: Desk) -> None:
    only(desk, "rfmn_laxity")
    without(desk, sa.update(Device.__table__).values(active=False))

    address = re.search(r'href="(/setup/devices/new[^"]*)"', guide(desk.browser))

    assert address
    form = desk.browser.get(address[1]).get_data(as_text=True)
    assert re.findall(r'<option value="([^"]+)" selected', form) == ["rf-needling"]
    assert "selected" not in desk.browser.get("/setup/devices/new?type=nonsense").get_data(as_text=True)


def test_what_was_saved_leads_on_until_the_first_course_is_booked(desk: Desk) -> None:
    def told(name: str) -> str:
        post(desk.browser, "/setup/devices", {"name": name, "device_type": "needling-pen"})
        page = unescape(desk.browser.get("/setup/devices").get_data(as_text=True))
        assert "The device was added." in page
        return page

    first = told("Reserve")
    desk.course()

    assert re.search(r"Next: First course\..*/courses/new", first, re.DOTALL)
    assert "flash-onward" not in told("Another reserve")
    assert "flash-onward" not in desk.browser.get("/setup/devices").get_data(as_text=True)


def test_the_form_of_a_room_ticks_what_the_guide_found_missing_and_says_so(desk: Desk) -> None:
    without(desk, sa.update(Room.__table__).values(features=[]))

    page = desk.browser.get(f"/setup/rooms/{desk.clinic.rooms[0]}?offers=numbing-chair&offers=nonsense")
    told = page.get_data(as_text=True)

    assert "Ticked for you: Numbing chair" in told
    assert re.findall(r'name="features" value="([^"]+)" checked', told) == ["numbing-chair"]
