"""Rotas and dates with hours of their own: what the planner lays on its ruler is what a plain reading of them says."""
from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.rotas import DaySpan, RotaWeeks, Timetable, WeekSpan
from clinic.planning import ruler
from clinic.planning.local import instant, zone
from clinic.queries.appointments import practitioners_of
from clinic.queries.breaks import Weeks, WorkHours, one_day, without_breaks
from clinic.store.engine import for_writing
from clinic.store.resources import Practitioner, RotaDay
from tests.small_clinic import small_clinic

HERE, THERE = 1, 2
STEP = timedelta(minutes=5)
STARTS = (date(2027, 3, 22), date(2027, 10, 25), date(2027, 6, 7))
"""Two weeks around each clock change of London, and two without one."""

_TIMES = st.integers(0, 23 * 4 + 3).map(lambda quarter: quarter * 15)


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[DaySpan, ...]:
    """Hours of a day, some of them past midnight, at either clinic, with a fixed break or none."""
    opens = draw(_TIMES)
    long = draw(st.sampled_from((60, 240, 480, 720)))
    span = DaySpan(opens, opens + long, draw(st.sampled_from((HERE, HERE, THERE))))
    rest = DaySpan(opens + 15, opens + 45, None, 30)
    return (span, rest) if draw(st.booleans()) and opens + 15 < 1440 else (span,)


@st.composite
def timetables(draw: st.DrawFn) -> tuple[date, Timetable]:
    """One or two rotas, and some dates with hours of their own, days off among them."""
    first_on = draw(st.sampled_from(STARTS))
    rotas = []
    for begins in draw(st.sampled_from(((-14,), (-14, 7), (-7, 0, 7)))):
        weeks = draw(st.integers(1, 3))
        spans = tuple(
            WeekSpan(week, weekday, span) for week in range(weeks)
            for weekday in sorted(draw(st.sets(st.integers(0, 6), max_size=4))) for span in draw(day_spans()))
        ends = draw(st.none() | st.integers(5, 30))
        rotas.append(RotaWeeks(first_on + timedelta(days=begins), spans, weeks,
                               None if ends is None else first_on + timedelta(days=begins + ends)))
    days = {first_on + timedelta(days=each): draw(st.just(()) | day_spans())
            for each in draw(st.sets(st.integers(-3, 15), max_size=5))}
    return first_on, Timetable(tuple(rotas), days)


def laid(known: Timetable) -> tuple[list[Weeks], list[Weeks]]:
    """The timetable as the reader of the diary hands it on: the spans of one clinic, and the breaks."""
    rotas = [
        Weeks(rota.starts_on, rota.ends_on, rota.weeks, tuple(
            WorkHours(each.week, each.weekday, each.span.opens, each.span.closes, each.span.break_minutes)
            for each in rota.spans if each.span.clinic_id in (HERE, None)))
        for rota in known.rotas]
    days = [one_day(on, [(span.opens, span.closes, span.break_minutes) for span in spans
                         if span.clinic_id in (HERE, None)]) for on, spans in known.days.items()]
    return rotas, days


@given(made=timetables())
def test_the_planner_and_a_plain_reading_of_a_timetable_agree_on_every_five_minutes(
    made: tuple[date, Timetable]
) -> None:
    first_on, known = made
    where = zone("Europe/London")
    line = ruler(where, first_on, 14)
    rotas, days = laid(known)

    bits = without_breaks(line, rotas, 0, days)

    wrong = []
    at = instant(first_on, 0, where)
    while at < instant(first_on, 14 * 1440, where):
        if bool(bits >> line.down(at) & 1) != known.is_at_work(at, at + STEP, clinic_id=HERE, where=where):
            wrong.append(at)
        at += STEP
    assert wrong == []


@pytest.mark.parametrize(("sunday", "hours"), [(date(2027, 3, 28), 7), (date(2027, 10, 31), 9)])
def test_a_date_of_its_own_on_a_clock_change_has_the_hours_that_the_clock_shows(sunday: date, hours: int) -> None:
    where = zone("Europe/London")
    line = ruler(where, sunday - timedelta(days=6), 14)

    bits = without_breaks(line, [], 0, [one_day(sunday, [(0, 480, None)])])

    assert bits.bit_count() * line.granule == hours * 3600
    assert bits >> line.down(instant(sunday, 0, where)) & 1


def test_who_comes_on_a_single_date_alone_counts_as_working_there(engine: Engine) -> None:
    made = small_clinic(engine)
    with Session(for_writing(engine)) as db:
        locum = Practitioner(name="Dr Locum")
        db.add(locum)
        db.flush()
        db.add(RotaDay(practitioner_id=locum.id, on_date=date(2027, 3, 3), reason="",
                       spans=[[720, 780, None, 30], [540, 900, made.clinic_id, None]]))
        db.commit()

        here, there = practitioners_of(db, made.clinic_id), practitioners_of(db, made.clinic_id + 1)

    assert [name for _, name in here] == ["Dr Amari", "Dr Chen", "Dr Locum", "Nurse Bell"]
    assert there == ()


@pytest.mark.parametrize(("day", "spans", "starts", "ends", "works"), [
    (date(2027, 3, 1), [(540, 720)], "09:00", "12:00", True),
    (date(2027, 3, 1), [(540, 720)], "09:00", "12:05", False),
    (date(2027, 3, 1), [(540, 600), (600, 720)], "09:30", "11:00", True),
    (date(2027, 3, 1), [], "09:30", "11:00", False),
])
def test_at_work_means_all_of_the_time(
    day: date, spans: Sequence[tuple[int, int]], starts: str, ends: str, works: bool
) -> None:
    known = Timetable((), {day: tuple(DaySpan(opens, closes, HERE) for opens, closes in spans)})
    begins, until = (datetime.fromisoformat(f"{day}T{each}").replace(tzinfo=UTC) for each in (starts, ends))

    assert known.is_at_work(begins, until, clinic_id=HERE, where=zone("Europe/London")) is works
    assert not known.is_at_work(begins, until, clinic_id=THERE, where=zone("Europe/London"))
