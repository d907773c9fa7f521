"""A course departs from its protocol: another interval, from a session on."""
from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.course_changes import SHORTER, Heard, IntervalChange
from clinic.care.protocols import Interval
from clinic.care.windows import Window
from clinic.queries.appointments import session_page
from clinic.queries.series import course_series
from clinic.services.course_changes import change_interval
from clinic.services.work import Done, Stale
from tests.booking import (
    booked,
    codes,
    counts,
    done,
    healthy,
    move,
    sessions_of,
    standing,
    times,
)
from tests.prove.audit import audit
from tests.services.changing import SIX_WEEKS, TWO_WEEKS, change, kept, note, spans
from tests.small_clinic import small_clinic


def test_a_changed_interval_rules_windows_and_times_from_its_session_on(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    second_on = standing(made, course_id)[1].local_start.date()

    done(change(made, course_id, SIX_WEEKS))

    assert spans(made, course_id)[1][0] == standing(made, course_id)[0].local_start.date() + timedelta(days=28)
    assert spans(made, course_id)[2] == tuple(second_on + timedelta(days=days) for days in (42, 45, 60))
    with Session(engine) as db:
        series = course_series(db, course_id, now=made.now)
        assert [place.interval for place in series.places][2:] == [SIX_WEEKS.interval] * 2
    [(code, value, reason)] = kept(made, course_id)
    assert (code, reason) == ("interval", "Heals fast")
    assert {name: value[name] for name in ("from_number", "shortest", "ideal", "longest")} == {
        "from_number": 3, "shortest": 42, "ideal": 45, "longest": 60}
    assert audit(engine, untold_at=made.now) == []


def test_appointments_that_a_changed_interval_leaves_outside_are_named_and_stay(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = [each.starts_at for each in standing(made, course_id)]

    outcome = change(made, course_id, SIX_WEEKS)

    assert isinstance(outcome, Done) and [each.code for each in outcome.findings] == ["outside"]
    assert "Session 3" in outcome.findings[0].text
    assert [each.starts_at for each in standing(made, course_id)] == before


def test_booking_follows_the_changed_interval_both_ways(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    sooner = first.local_start.date() + timedelta(days=14)
    assert times(made, second.treatment_session_id or 0, sooner, days=5).times == ()

    done(change(made, course_id, TWO_WEEKS, overrides={SHORTER: "Superficial passes only"}))

    offer = times(made, second.treatment_session_id or 0, sooner).times[0]
    assert offer.gap_days == 14
    done(move(made, second, offer))
    assert ("shorter-than-protocol", "Superficial passes only") in [
        (code, reason) for code, _, reason in kept(made, course_id)]


def test_the_page_of_an_appointment_follows_the_changed_interval_and_the_first_day(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    second = sessions_of(made, course_id=course_id)[1]
    done(change(made, course_id, SIX_WEEKS))
    done(note(made, course_id, Heard("facial_surgery_recent", date(2027, 3, 1))))
    on, floor = date(2027, 4, 5), date(2028, 2, 29)

    with Session(engine) as db:
        page = session_page(db, second.id)
    assert page is not None
    [third] = page.knock_on(on)

    assert page.intervals == (None, Interval(28, 30, 56), SIX_WEEKS.interval)
    assert third.window == Window(floor, floor, floor)


def test_the_newest_change_of_a_session_decides(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=4)
    done(change(made, course_id, SIX_WEEKS))

    done(change(made, course_id, IntervalChange(4, Interval(30, 30, 30))))

    with Session(engine) as db:
        places = course_series(db, course_id, now=made.now).places
        assert [each.interval for each in places] == [
            None, Interval(28, 30, 56), SIX_WEEKS.interval, Interval(30, 30, 30)]


def test_a_change_that_may_not_be_leaves_everything_as_it_is(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    before = counts(engine)
    tried: list[tuple[IntervalChange, str, str, dict[str, str], str]] = [
        (SIX_WEEKS, "receptionist", "Because", {}, "practitioner-needed"),
        (SIX_WEEKS, "manager", "Because", {}, "practitioner-needed"),
        (SIX_WEEKS, "practitioner", "  ", {}, "reason"),
        (IntervalChange(1, Interval(30, 30, 30)), "practitioner", "Because", {}, "from-number"),
        (IntervalChange(9, Interval(30, 30, 30)), "practitioner", "Because", {}, "from-number"),
        (IntervalChange(2, Interval(30, 30, 4000)), "practitioner", "Because", {}, "too-long"),
        (TWO_WEEKS, "practitioner", "Because", {}, SHORTER),
        (TWO_WEEKS, "practitioner", "Because", {SHORTER: " "}, SHORTER),
    ]

    for what, role, reason, overrides, refused in tried:
        outcome = change(made, course_id, what, role=role, reason=reason, overrides=overrides)
        assert (codes(outcome), counts(engine)) == ([refused], before)


def test_an_interval_below_what_two_treatments_need_between_them_is_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, "combo_mn_peel", 3, answers=healthy(indication="texture"))

    outcome = change(made, course_id, TWO_WEEKS, overrides={SHORTER: "Heals fast"})

    assert "spacing" in codes(outcome)


def test_whoever_changes_what_has_moved_on_is_told_so(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made)
    done(change(made, course_id, SIX_WEEKS))

    with pytest.raises(Stale), made.work("practitioner") as work:
        change_interval(work, course_id, SIX_WEEKS, reason="Again", lock_version=1)
