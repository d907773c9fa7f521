"""Where the days that are shown have nothing free: the first time that fits, one press away, or why there is none."""
from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from html import unescape

import sqlalchemy as sa
from werkzeug.test import TestResponse

from clinic.app import Kit
from clinic.store.resources import Absence, Qualification
from tests.web.counting import own_statements
from tests.web.desk import Desk, texts
from tests.web.test_booking_panel import FRAGMENT, offers, owing, pairs_of, panel, visit_of
from tests.web.test_other_visits import desk_with_visits, words


def away(desk: Desk, from_on: date, to_on: date, *resource_ids: int) -> None:
    """Those are not there on these dates."""
    with desk.rows() as db:
        for each in resource_ids:
            db.add(Absence(resource_id=each, starts_at=datetime.combine(from_on, time(), UTC),
                           ends_at=datetime.combine(to_on, time(), UTC), reason="holiday"))
        db.commit()


def first_times(answer: TestResponse) -> list[str]:
    """Where the first times that fit lead, in order."""
    return [unescape(each) for each in re.findall(
        r'First time that fits[a-z ]*:</span><a [^>]*href="([^"]+)"', answer.get_data(as_text=True))]


def test_where_a_week_has_nothing_free_one_press_leads_to_the_first_time_that_fits(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    desk.course()
    visit, ours = visit_of(desk, 1, 3).id, desk.clinic.practitioners
    away(desk, date(2027, 5, 3), date(2027, 6, 8), *ours)

    shown = desk.browser.get(f"/appointments/{visit}/move?from=2027-05-17")
    said = texts(shown, "times-nearest")
    line = re.findall(r'<p class="times-nearest".*?</p>', shown.get_data(as_text=True), re.S)[0]
    to_time, to_week = (unescape(each) for each in re.findall(r'<a [^>]*href="([^"]+)"', line))
    chosen, week = desk.browser.get(to_time), desk.browser.get(to_week.partition("#")[0])

    assert said[0] == "First time that fits: Tue 8 Jun 2027, 09:00 with Dr Amari Late Show its week"
    assert texts(shown, "empty-title") == ["No time in these days"]
    assert "Move to Tue 8 Jun 2027, 09:00?" in chosen.get_data(as_text=True)
    assert texts(week, "times-range") == ["Mon 7 Jun 2027 – Sun 13 Jun 2027"]
    own = f"/patients/{desk.patient}/visits/consultation?from=2027-"
    reads = [own_statements(kit, desk.browser, each)[0] for each in (
        f"/appointments/{visit}/move?from=2027-04-26", f"/appointments/{visit}/move?from=2027-05-17",
        f"{own}04-26", f"{own}05-17")]
    # The course was read as far as the clinic books; for a visit by itself the diary is read once more.
    assert reads[1] == reads[0] and reads[2] < reads[3] <= reads[2] + 3
    assert re.findall(r'<a class="time"[^>]*id="begins"><span class="visually-hidden">([^<]+)</span>', week.get_data(
        as_text=True)) == ["Tue 8 Jun 2027, "]


def test_where_the_first_time_is_too_late_the_last_one_before_stands_beside_it(kit: Kit) -> None:
    desk = desk_with_visits(kit)
    desk.course()
    away(desk, date(2027, 5, 3), date(2027, 8, 1), *desk.clinic.practitioners)

    shown = desk.browser.get(f"/appointments/{visit_of(desk, 1, 2).id}/move?from=2027-06-14")

    assert texts(shown, "times-nearest") == [
        "First time that fits: Mon 2 Aug 2027, 09:00 with Dr Amari After its window Show its week",
        "Last one before these days: Mon 12 Apr 2027, 15:45 with Dr Amari Late Show its week"]
    assert "Later sessions of the course have to follow it." in texts(shown, "times-beyond")[0]


def test_where_nothing_near_fits_the_panel_says_the_first_time_that_does_or_why_there_is_none(kit: Kit) -> None:
    desk, second = owing(kit)
    away(desk, date(2027, 3, 15), date(2027, 6, 8), *desk.clinic.practitioners)
    at = f"{second.local_start:%Y-%m-%dT%H:%M}"

    shown = panel(desk, second.local_start)
    session_at, visit_at = first_times(shown)[:2]
    moved, visits = desk.browser.get(session_at), offers(desk.browser.get(visit_at, headers=FRAGMENT))
    course = desk.browser.get(f"/diary/book/course?at={at}&patient={desk.patient}&protocol=mn_rejuvenation")
    of_this = own_statements(kit, desk.browser, f"/diary/book?at={at}&patient={desk.patient}")[0]
    with desk.rows() as db:
        db.execute(sa.delete(Qualification))
        db.commit()
    none = panel(desk, second.local_start)

    assert [each.partition(" for ")[0] for each in texts(shown, "booking-nearest")[:2]] == [
        "First time that fits: Tue 8 Jun 2027, 09:00, Dr Amari"] * 2
    assert moved.headers["Location"].startswith("/courses/1/repair?")  # session 3 has to follow it
    assert "visit:consultation" in visits
    assert "First time that fits: Tue 8 Jun 2027, 09:00, Dr Amari" in texts(course, "booking-nearest")[0]
    assert of_this <= 34 + 3
    said = texts(none, "booking-not")[0]
    assert "Nothing free until Mon 3 Apr 2028. Session 2 (RF microneedling) fits nowhere" in said


def test_where_nothing_near_fits_two_people_they_are_told_the_first_time_that_does_or_why_there_is_none(
    kit: Kit
) -> None:
    desk = desk_with_visits(kit)
    away(desk, date(2027, 3, 15), date(2027, 6, 8), *desk.clinic.practitioners)
    both = f"/diary/book/together?patient={desk.patient}&second={desk.clinic.patients[1]}&what=visit:review" \
           "&what2=visit:review&order=same&at="

    shown = desk.browser.get(f"{both}2027-03-16T10:00", headers=FRAGMENT)
    there = pairs_of(desk.browser.get(first_times(shown)[0], headers=FRAGMENT))[0]
    near, far = (own_statements(kit, desk.browser, f"{both}{day}T10:00")[0] for day in ("2027-03-02", "2027-03-16"))
    away(desk, date(2027, 6, 8), date(2028, 6, 8), desk.clinic.practitioners[1], desk.clinic.practitioners[2])
    alone = desk.browser.get(f"{both}2027-03-16T10:00", headers=FRAGMENT)
    away(desk, date(2027, 6, 8), date(2028, 6, 8), desk.clinic.practitioners[0])
    none = desk.browser.get(f"{both}2027-03-16T10:00", headers=FRAGMENT)

    assert "First time that fits both: Tue 8 Jun 2027, 09:00, Dr Amari" in texts(shown, "booking-nearest")[0]
    assert [there[each].split("@")[1] for each in ("choice", "choice2")] == ["2027-06-08T08:00Z"] * 2
    assert near < far <= near + 6  # the diary is read once more for each visit by itself, and only then
    assert "Whenever both could come, they would need the same people, rooms or devices." in words(alone)
    assert "Nothing fits both until Mon 3 Apr 2028. Ana Novák : This visit fits nowhere between" in " ".join(
        texts(none, "small"))
