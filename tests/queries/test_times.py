"""Other times for one session: exactly those that are free, that can be booked, and that keep the rest as it is."""
from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.queries.times import Beyond, offer_times
from clinic.queries.visit_choice import parse_choice
from clinic.store.courses import TreatmentSession
from clinic.store.engine import for_writing, open_engine
from clinic.store.resources import Absence, Device
from tests.booking import (
    asked,
    at,
    book,
    booked,
    cancel,
    choose,
    chosen,
    codes,
    done,
    held_by,
    move,
    offered,
    perform,
    rebook,
    sessions_of,
    standing,
    times,
)
from tests.databases import SQLiteFiles
from tests.prove.audit import audit
from tests.queries.worlds import DAYS, Built, Oracle, World, build, worlds
from tests.small_clinic import SmallClinic, small_clinic

# A superficial peel: the practitioner from minute 15 to 45, the room from 0 to 55, the patient from 0 to 45.
TREATED, ROOMED, HERE = (15, 45), (0, 55), (0, 45)


def possible(built: Built, on: date) -> dict[datetime, set[tuple[int, int]]]:
    """Every start of a date on the grid, with the pairs of practitioner and room that are free for a peel."""
    oracle, where = Oracle(built), ZoneInfo(built.world.zone)
    midnight = datetime(on.year, on.month, on.day, tzinfo=where).astimezone(UTC)
    found: dict[datetime, set[tuple[int, int]]] = {}
    for quarter in range(4 * 6, 4 * 21):
        start = midnight + timedelta(minutes=15 * quarter)
        if start < built.made.now or not free(oracle, built.made.patients[0], start, HERE):
            continue
        pairs = {
            (person, room) for person, room in product(built.people, built.rooms)
            if free(oracle, person, start, TREATED) and free(oracle, room, start, ROOMED)}
        if pairs:
            found[start] = pairs
    return found


def free(oracle: Oracle, resource_id: int, start: datetime, span: tuple[int, int]) -> bool:
    return oracle.is_free(resource_id, start + timedelta(minutes=span[0]), start + timedelta(minutes=span[1]))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), day=st.integers(0, DAYS - 1))
def test_the_times_of_a_day_are_exactly_those_that_are_free_by_other_means(
    sqlite_files: SQLiteFiles, world: World, day: int
) -> None:
    url = sqlite_files.migrated()
    engine = open_engine(url, durable=False)
    built = build(engine, world)
    made, on = built.made, world.first_on + timedelta(days=day)
    course = offered(made, asked(made, "peel_superficial", 1, not_before_on=world.first_on)).offers
    assume(course)
    course_id = done(book(made, asked(made, "peel_superficial", 1, not_before_on=world.first_on),
                          chosen(course[0])))
    owed = standing(made, course_id)[0]
    done(cancel(made, owed))

    page = times(made, owed.treatment_session_id or 0, on)

    expected = possible(built, on)
    assert [time.starts_at for time in page.times] == sorted(expected)
    assert all(time.resource_ids in expected[time.starts_at] for time in page.times)
    if page.times:
        time = page.times[day * 7 % len(page.times)]
        done(rebook(made, owed.treatment_session_id or 0, choose(1, time.starts_at, time.resource_ids)))
    engine.dispose()
    sqlite_files.remove(url)


def test_every_time_that_is_offered_for_a_move_can_be_had(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    booked(made, sessions=3, patient_id=made.patients[1])
    second = standing(made, course_id)[1]

    page = times(made, second.treatment_session_id or 0, second.local_start.date() - timedelta(days=2), days=5)

    assert len(page.times) > 20
    for time in page.times[::7]:
        done(move(made, standing(made, course_id)[1], time))
        assert standing(made, course_id)[1].starts_at == time.starts_at
    assert audit(engine, untold_at=made.now) == []


def test_its_own_time_is_offered_and_the_others_stay_where_they_are(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=3)
    first, second, third = standing(made, course_id)

    page = times(made, second.treatment_session_id or 0, date(2027, 3, 1), days=42)
    alone = sorted({time.local_start.date() for time in page.times if not time.moves_others})
    with_others = {time.local_start.date() for time in page.times if time.moves_others}

    assert second.starts_at in {time.starts_at for time in page.times}
    assert alone[0] >= first.local_start.date() + timedelta(days=28)
    assert alone[-1] <= third.local_start.date() - timedelta(days=28)
    assert min(with_others) > alone[-1]


def test_a_time_that_the_others_must_follow_is_offered_only_while_they_can(engine: Engine) -> None:
    made = small_clinic(engine)
    first, second, third = standing(made, booked(made, sessions=3))
    made.now = first.ends_at
    done(perform(made, first))
    ident, week = second.treatment_session_id or 0, third.local_start.date() - timedelta(days=7)

    free = times(made, ident, week, days=5)
    with made.work() as work:
        for device in work.db.scalars(sa.select(Device).where(Device.device_type == "needling-pen")):
            work.db.add(Absence(
                resource_id=device.id, starts_at=third.ends_at, ends_at=third.ends_at + timedelta(days=400),
                reason="repair"))
        work.commit()
    none_later = times(made, ident, week, days=5)

    assert free.times
    assert all(time.moves_others for time in free.times)
    assert none_later.times == ()


def test_a_session_that_nobody_completed_yet_does_not_stop_the_next_one_from_moving(engine: Engine) -> None:
    """The first visit was weeks ago and is still only booked: it counts as it stands."""
    made = small_clinic(engine)
    first, second = standing(made, booked(made, sessions=2))
    for waited in (1, 20, 40):
        made.now = first.starts_at + timedelta(days=waited)

        page = times(made, second.treatment_session_id or 0, max(made.now.date(), date(2027, 3, 29)), days=10)

        assert page.times
        assert page.times[0].gap_days == (page.times[0].local_start.date() - first.local_start.date()).days


def test_a_late_session_is_offered_as_late_though_its_window_is_over(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    done(perform(made, first))
    done(cancel(made, second))
    made.now = at(10, 9, month=8)

    page = times(made, second.treatment_session_id or 0)

    assert page.times[0].fit is not None
    assert (page.from_on, page.times[0].fit.value) == (date(2027, 8, 10), "too-late")
    outcome = rebook(made, second.treatment_session_id or 0, parse_choice(page.times[0].choice))
    assert codes(outcome) == ["too-late"]


def test_only_the_times_of_one_practitioner_are_shown_where_one_is_chosen(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    second = standing(made, course_id)[1]
    with Session(engine) as db:
        page = offer_times(db, second.treatment_session_id or 0, now=made.now, from_on=date(2027, 4, 5), days=1,
                           practitioner_id=made.practitioners[2])

    assert {time.practitioner for time in page.times} == {"Dr Chen"}
    done(move(made, second, page.times[0]))
    assert held_by(made, second.id)[1][1] == made.practitioners[2]


def test_without_a_day_the_times_begin_with_the_window_or_today(engine: Engine) -> None:
    made = small_clinic(engine)
    course_id = booked(made, sessions=2)
    first, second = standing(made, course_id)
    owed = sessions_of(made, course_id=course_id)[1]

    second_page = times(made, second.treatment_session_id or 0)
    first_page = times(made, first.treatment_session_id or 0)

    assert second_page.from_on == owed.earliest_on
    assert (first_page.from_on, first_page.window) == (date(2027, 3, 1), None)


@pytest.mark.parametrize("from_on", [date(2027, 4, 28), date(2027, 4, 29), date(2027, 4, 30), date.max])
def test_no_time_past_the_horizon_is_offered_for_none_could_be_had(engine: Engine, from_on: date) -> None:
    made = small_clinic(engine, horizon=60)
    course_id = booked(made, sessions=1)
    first = standing(made, course_id)[0]

    page = times(made, first.treatment_session_id or 0, from_on, days=7)

    assert max(time.local_start.date() for time in page.times) == page.to_on == date(2027, 4, 29)
    done(move(made, first, page.times[-1]))


def test_upkeep_that_is_due_past_the_horizon_says_until_when_is_booked(engine: Engine) -> None:
    made = small_clinic(engine, horizon=60)
    done(perform(made, standing(made, booked(made, "rfmn_laxity", 1))[0]))
    with Session(engine) as db:
        owed = db.scalars(sa.select(TreatmentSession.id).where(TreatmentSession.state == "owed")).one()

    page = times(made, owed)

    assert (page.times, page.reason) == ((), "Harbour Street books until 29 April 2027")


def test_beyond_days_without_a_time_lies_what_the_next_days_with_one_would_show(engine: Engine) -> None:
    made = small_clinic(engine)
    second = standing(made, booked(made, sessions=2))[1]
    last_on = times(made, second.treatment_session_id or 0).window.latest_on  # type: ignore[union-attr]
    ident, away_to = second.treatment_session_id or 0, last_on + timedelta(days=60)
    _away(made, at(8, 0, month=4), datetime(away_to.year, away_to.month, away_to.day, 10, 30, tzinfo=UTC))
    every = [each for after in range(0, 399, 42) for each in times(
        made, ident, made.now.date() + timedelta(days=after), days=42).times if each.starts_at != second.starts_at]

    for from_on in (last_on, away_to - timedelta(days=50), away_to - timedelta(days=1)):
        beyond = _looked_on(made, ident, from_on)
        assert beyond.first == next(each for each in every if each.local_start.date() >= from_on)
        assert (beyond.first.fit, beyond.why) == ("too-late", "")
        assert beyond.before == next(each for each in reversed(every) if each.local_start.date() < from_on)
    done(move(made, second, beyond.before))


def test_its_own_time_is_no_other_one_and_without_any_the_reason_is_told(engine: Engine) -> None:
    made = small_clinic(engine)
    first = standing(made, booked(made, sessions=1))[0]
    ident, on = first.treatment_session_id or 0, first.local_start.date()
    _away(made, made.now - timedelta(days=1), first.starts_at)
    _away(made, first.ends_at + timedelta(minutes=5), made.now + timedelta(days=900))

    told = _looked_on(made, ident, on)
    _away(made, made.now - timedelta(days=1), made.now + timedelta(days=900))
    none = _looked_on(made, ident, on)

    assert (told.first, told.before, told.why) == (None, None, "The time that it has is the only one.")
    assert (none.first, none.before, none.until_on) == (None, None, date(2028, 4, 3))
    assert none.why == (
        "Session 1 (Microneedling) fits nowhere between 1 March 2027 and 3 April 2028: Dr Amari, Nurse Bell and "
        "Dr Chen are all booked, closed or away at every time.")


def _looked_on(made: SmallClinic, treatment_session_id: int, from_on: date) -> Beyond:
    with Session(made.engine) as db:
        page = offer_times(db, treatment_session_id, now=made.now, from_on=from_on, days=1, look_on=True)
    assert page.beyond is not None
    return page.beyond


def _away(made: SmallClinic, starts_at: datetime, ends_at: datetime) -> None:
    """Every practitioner."""
    with made.work() as work:
        for each in made.practitioners:
            work.db.add(Absence(resource_id=each, starts_at=starts_at, ends_at=ends_at, reason="away"))
        work.commit()


@pytest.mark.parametrize("zone, sunday, starts", [
    ("Europe/London", date(2027, 3, 28), ["00:30", "00:45", "02:00", "02:15"]),
    ("Europe/London", date(2027, 10, 31), ["00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "01:00", "01:15"]),
    ("America/New_York", date(2027, 3, 14), ["00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "03:00", "03:15"]),
    ("America/New_York", date(2027, 11, 7), ["00:30", "00:45", "01:00", "01:15", "01:30", "01:45", "01:00", "01:15"]),
])
def test_on_the_night_of_a_clock_change_each_time_is_offered_once_as_the_clock_reads(
    engine: Engine, zone: str, sunday: date, starts: list[str]
) -> None:
    made = small_clinic(engine, zone=zone)
    made.now = datetime(sunday.year, sunday.month, sunday.day, 12, tzinfo=UTC) - timedelta(days=6)
    course_id = booked(made, "peel_superficial", 1, not_before_on=made.now.date())
    with Session(for_writing(engine)) as db:
        db.execute(sa.text("UPDATE opening_hours SET weekday = 6, opens = 15, closes = 1440 WHERE weekday = 4"))
        db.execute(sa.text("UPDATE rota_span SET weekday = 6, opens = 15, closes = 1440 WHERE weekday = 4"
                           " AND clinic_id IS NOT NULL"))
        db.commit()
    visit = standing(made, course_id)[0]

    page = times(made, visit.treatment_session_id or 0, sunday)

    assert [f"{time.local_start:%H:%M}" for time in page.times][1:1 + len(starts)] == starts
    assert len({time.starts_at for time in page.times}) == len(page.times)
    for time in page.times[len(starts)::11]:
        done(move(made, standing(made, course_id)[0], time))
        moved = standing(made, course_id)[0]
        assert (moved.local_start, moved.fold) == (time.local_start.replace(tzinfo=None, fold=0), time.local_start.fold)
    assert audit(engine, untold_at=made.now) == []
