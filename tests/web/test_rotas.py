"""The rota's grid, single dates, and days that are swapped."""
from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from clinic.access import Role
from clinic.app import Kit
from clinic.store.resources import Practitioner, Rota, RotaDay, RotaSpan
from tests.web import seed
from tests.web.checksums import checksum
from tests.web.conftest import SignedIn, World, post
from tests.web.desk import Desk, field, open_desk

Rows = Callable[[], Session]
HEAD = {"starts_on": "2027-03-01", "ends_on": "", "weeks": "1", "grid_weeks": "1", "lock_version": "1"}


def row(name: str, what: object, opens: str, closes: str, minutes: str = "") -> dict[str, str]:
    """The fields of one row."""
    return {f"{name}-what": str(what), f"{name}-from": opens, f"{name}-to": closes, f"{name}-minutes": minutes}


def names(page: str) -> list[str]:
    """The rows that a page shows."""
    return re.findall(r'name="(w\d-d\d-r\d+)-from"', page)


@pytest.fixture
def who(rows: Rows, world: World) -> int:
    """A practitioner without any hours."""
    with rows() as db:
        found = seed.add_practitioner(db)
        db.commit()
    return found


def spans(rows: Rows) -> list[tuple[object, ...]]:
    with rows() as db:
        found = db.execute(sa.select(RotaSpan.week, RotaSpan.weekday, RotaSpan.opens, RotaSpan.closes,
                                     RotaSpan.clinic_id, RotaSpan.break_minutes)
                           .order_by(RotaSpan.week, RotaSpan.weekday, RotaSpan.opens)).all()
    return [tuple(each) for each in found]


def busy_one(desk: Desk) -> int:
    """The practitioner of a booked course."""
    desk.course(sessions="3")
    with desk.rows() as db:
        return int(db.scalars(sa.text(
            "SELECT DISTINCT resource_id FROM resource_booking"
            " JOIN practitioner ON practitioner.id = resource_id")).one())


def test_a_new_rota_begins_with_a_usual_week_and_is_kept_as_typed(
    signed_in: SignedIn, rows: Rows, world: World, who: int
) -> None:
    browser = signed_in(Role.MANAGER)

    page = browser.get(f"/setup/people/{who}/rota/new").get_data(as_text=True)
    answer = post(browser, f"/setup/people/{who}/rota/new", {
        **HEAD, **row("w0-d0-r0", world.harbour, "09:00", "12:00"), **row("w0-d0-r1", world.hill, "13:00", "18:00"),
        **row("w0-d0-r2", "break", "10:00", "11:00", "15"), **row("w0-d4-r0", world.harbour, "22:00", "06:00"),
        **row("w0-d5-r0", world.harbour, "", "")})

    assert names(page) == [f"w0-d{day}-r0" for day in range(5)]
    assert (answer.status_code, answer.location) == (303, f"/setup/people/{who}")
    assert spans(rows) == [
        (0, 0, 540, 720, world.harbour, None), (0, 0, 600, 660, None, 15), (0, 0, 780, 1080, world.hill, None),
        (0, 4, 1320, 1800, world.harbour, None)]


@pytest.mark.parametrize(("deed", "weeks", "shown"), [
    ("add:0:3", "1", ["w0-d0-r0", "w0-d1-r0", "w0-d3-r0"]),
    ("rest:0:0", "1", ["w0-d0-r0", "w0-d0-r1", "w0-d1-r0"]),
    ("drop:0:1:0", "1", ["w0-d0-r0"]),
    ("copy-day:0", "1", [f"w0-d{day}-r0" for day in range(5)]),
    ("weeks", "2", ["w0-d0-r0", "w0-d1-r0", "w1-d0-r0", "w1-d1-r0"]),
    ("nonsense:9:9", "1", ["w0-d0-r0", "w0-d1-r0"]),
    ("add:7:0", "1", ["w0-d0-r0", "w0-d1-r0"]),
    ("drop:0:0:99", "1", ["w0-d0-r0", "w0-d1-r0"]),
])
def test_a_button_of_the_grid_changes_only_the_grid_and_loses_nothing(
    deed: str, weeks: str, shown: list[str], signed_in: SignedIn, world: World, who: int, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    page = post(browser, f"/setup/people/{who}/rota/new", {
        **HEAD, "weeks": weeks, "do": deed, **row("w0-d0-r0", world.hill, "07:15", "odd"),
        **row("w0-d1-r0", world.harbour, "10:00", "11:00")}).get_data(as_text=True)

    assert names(page) == shown
    assert 'value="07:15"' in page
    assert 'value="odd"' in page
    assert 'value="2027-03-01"' in page
    assert checksum(kit.engine) == before


def test_a_week_is_copied_to_all_weeks(signed_in: SignedIn, world: World, who: int) -> None:
    page = post(signed_in(Role.MANAGER), f"/setup/people/{who}/rota/new", {
        **HEAD, "weeks": "3", "grid_weeks": "3", "do": "copy-week:1",
        **row("w1-d2-r0", world.hill, "07:15", "08:00")}).get_data(as_text=True)

    assert names(page) == ["w0-d2-r0", "w1-d2-r0", "w2-d2-r0"]


def test_a_changed_number_of_weeks_is_shown_before_it_is_saved(
    signed_in: SignedIn, world: World, who: int, rows: Rows
) -> None:
    page = post(signed_in(Role.MANAGER), f"/setup/people/{who}/rota/new", {
        **HEAD, "weeks": "2", **row("w0-d2-r0", world.hill, "07:15", "08:00")}).get_data(as_text=True)

    assert names(page) == ["w0-d2-r0", "w1-d2-r0"]
    assert spans(rows) == []


@pytest.mark.parametrize(("change", "words", "place"), [
    ({"starts_on": "2027-03-03"}, "A rota starts on a Monday.", "starts_on"),
    ({"starts_on": ""}, "Enter the first Monday.", "starts_on"),
    ({"ends_on": "2027-02-01"}, "The last day lies before the first one.", "ends_on"),
    (row("w0-d0-r1", "1", "10:00", "11:00"), "Monday: 09:00 – 12:00 and 10:00 – 11:00 overlap.", "w0-d0"),
    (row("w0-d0-r1", "break", "11:00", "13:00", "30"), "Monday: the break 11:00 – 13:00 lies outside", "w0-d0"),
    (row("w0-d0-r1", "1", "10:00", ""), "Enter the end.", "w0-d0-r1-to"),
    (row("w0-d0-r1", "1", "18:00", "09:00"), "past midnight at most 12 hours", "w0-d0-r1-to"),
    (row("w0-d0-r1", "99", "13:00", "14:00"), "Choose where, or a break.", "w0-d0-r1-what"),
    (row("w0-d0-r0", "1", "", ""), "Enter hours of work for at least one day.", "w0-d0"),
])
def test_what_is_wrong_is_said_at_its_place_and_nothing_typed_is_lost(
    change: dict[str, str], words: str, place: str, signed_in: SignedIn, world: World, who: int, kit: Kit
) -> None:
    browser = signed_in(Role.MANAGER)
    before = checksum(kit.engine)

    answer = post(browser, f"/setup/people/{who}/rota/new", {
        **HEAD, **row("w0-d0-r0", world.harbour, "09:00", "12:00"), **change})

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert f'href="#{place}"' in page
    assert f'id="{place}"' in page
    assert checksum(kit.engine) == before


def test_a_rota_shows_whose_appointments_would_lie_outside_before_it_is_saved(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    who = busy_one(desk)
    form = {**HEAD, "starts_on": "2027-04-05", **row("w0-d1-r0", desk.clinic.clinic_id, "09:00", "18:00")}
    url = f"/setup/people/{who}/rota/new"

    shown = post(desk.browser, url, form)
    again = post(desk.browser, url, {**form, "agreed": "guessed"})
    saved = post(desk.browser, url, {**form, "agreed": field(shown, "agreed")})

    assert (shown.status_code, again.status_code, saved.status_code) == (409, 409, 303)
    assert "This rota meets 2 appointments of 1 patient" in shown.get_data(as_text=True)
    assert "Save the rota all the same" in shown.get_data(as_text=True)


def test_a_rota_is_changed_in_place_and_taken_back(
    signed_in: SignedIn, rows: Rows, world: World, who: int
) -> None:
    browser = signed_in(Role.MANAGER)
    hours = row("w0-d2-r0", world.harbour, "09:00", "12:00")
    post(browser, f"/setup/people/{who}/rota/new", {**HEAD, **hours})
    with rows() as db:
        first = db.scalars(sa.select(Rota.id)).one()

    edited = post(browser, f"/setup/people/{who}/rota/{first}", {
        **HEAD, "lock_version": "2", **row("w0-d3-r0", world.harbour, "09:00", "12:00")})
    with rows() as db:
        second = db.scalars(sa.select(Rota.id)).one()
    stale = post(browser, f"/setup/people/{who}/rota/{second}/remove", {"lock_version": "2"})
    removed = post(browser, f"/setup/people/{who}/rota/{second}/remove", {"lock_version": "3"})

    assert (edited.status_code, stale.status_code, removed.status_code) == (303, 409, 303)
    assert "You changed this in another window at " in stale.get_data(as_text=True)
    assert spans(rows) == []
    assert browser.get(f"/setup/people/{who}/rota/{second}").status_code == 404


def test_one_date_has_other_hours_then_those_of_the_rota_again(
    signed_in: SignedIn, rows: Rows, world: World, who: int
) -> None:
    browser = signed_in(Role.MANAGER)
    post(browser, f"/setup/people/{who}/rota/new", {**HEAD, **row("w0-d2-r0", world.harbour, "09:00", "12:00")})

    asked = browser.get(f"/setup/people/{who}/day").get_data(as_text=True)
    shown = browser.get(f"/setup/people/{who}/day?on=2027-03-10").get_data(as_text=True)
    added = post(browser, f"/setup/people/{who}/day/2027-03-10", {
        "grid_weeks": "1", "lock_version": "2", "do": "add:0:0", "reason": "Fair"}).get_data(as_text=True)
    saved = post(browser, f"/setup/people/{who}/day/2027-03-10", {
        "grid_weeks": "1", "lock_version": "2", "reason": "Fair", **row("w0-d0-r0", world.hill, "13:00", "15:00")})
    listed = browser.get(f"/setup/people/{who}").get_data(as_text=True)
    with rows() as db:
        kept = db.execute(sa.select(RotaDay.on_date, RotaDay.spans, RotaDay.reason)).one()
    post(browser, f"/setup/people/{who}/day/2027-03-10/remove", {})

    assert "Which date?" in asked
    assert names(shown) == ["w0-d0-r0"]
    assert (names(added), 'value="Fair"' in added) == (["w0-d0-r0"], True)
    assert saved.status_code == 303
    assert tuple(kept) == (date(2027, 3, 10), [[780, 900, world.hill, None]], "Fair")
    assert "13:00 – 15:00 Hill Clinic" in listed
    with rows() as db:
        assert db.scalars(sa.select(RotaDay.id)).all() == []


@pytest.mark.parametrize("given", ["soon", "2027-02-30", "9999-12-31", ""])
def test_a_date_that_is_none_is_asked_for_again(given: str, signed_in: SignedIn, who: int) -> None:
    page = signed_in(Role.MANAGER).get(f"/setup/people/{who}/day?on={given}").get_data(as_text=True)

    assert "Which date?" in page


def test_a_day_off_shows_whom_it_meets_first(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    who = busy_one(desk)
    form = {"grid_weeks": "1", "lock_version": "1", "reason": "Fair"}

    shown = post(desk.browser, f"/setup/people/{who}/day/2027-03-01", form)
    saved = post(desk.browser, f"/setup/people/{who}/day/2027-03-01", {**form, "agreed": field(shown, "agreed")})

    assert shown.status_code == 409
    assert "This meets 1 appointment of 1 patient" in shown.get_data(as_text=True)
    assert saved.status_code == 303


def test_going_back_to_the_rota_shows_whom_it_meets_first(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    who = busy_one(desk)
    with desk.rows() as db:
        db.add(RotaDay(practitioner_id=who, on_date=date(2027, 3, 1), reason="Extra",
                       spans=[[540, 1080, desk.clinic.clinic_id, None]]))
        db.execute(sa.delete(RotaSpan).where(RotaSpan.weekday == 0))
        db.commit()
    url = f"/setup/people/{who}/day/2027-03-01/remove"

    shown = post(desk.browser, url, {})
    gone = post(desk.browser, url, {"agreed": field(shown, "agreed")})

    assert (shown.status_code, gone.status_code) == (409, 303)
    assert "Going back to the rota meets 1 appointment of 1 patient" in shown.get_data(as_text=True)
    with desk.rows() as db:
        assert db.scalars(sa.select(RotaDay.id)).all() == []


def test_two_swap_a_day_once_they_were_told_whom_it_meets(kit: Kit) -> None:
    desk = open_desk(kit, "manager")
    who = busy_one(desk)
    other = next(each for each in desk.clinic.practitioners if each != who)
    with desk.rows() as db:
        db.execute(sa.delete(RotaSpan).where(RotaSpan.weekday == 0, RotaSpan.rota_id.in_(
            sa.select(Rota.id).where(Rota.practitioner_id == other))))
        db.commit()
    url, form = f"/setup/people/{who}/swap", {"taker": str(other), "on_date": "2027-03-01", "in_return_on": ""}

    taken = post(desk.browser, url, {**form, "on_date": "2027-03-02"})
    shown = post(desk.browser, url, form)
    saved = post(desk.browser, url, {**form, "agreed": field(shown, "agreed")})

    assert taken.status_code == 422
    assert "overlap" in taken.get_data(as_text=True)
    assert "This swap meets 1 appointment of 1 patient" in shown.get_data(as_text=True)
    assert (shown.status_code, saved.status_code) == (409, 303)
    with desk.rows() as db:
        kept: dict[int, list[object]] = dict(db.execute(sa.select(RotaDay.practitioner_id, RotaDay.spans)).all())
        names_of = {ident: db.get_one(Practitioner, ident).name for ident in kept}
    assert (set(names_of), kept[who], len(kept[other])) == ({who, other}, [], 2)
