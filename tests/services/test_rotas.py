"""Rotas: given, changed and taken back; single dates with other hours; days that two practitioners swap."""
from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from clinic.care.rotas import DaySpan, RotaWeeks, WeekSpan
from clinic.queries.timetables import timetables
from clinic.services import rotas
from clinic.services.work import Done, NotFound, Refused, Stale
from clinic.store.resources import Rota
from tests.booking import codes, done
from tests.services.practices import peel_offers, second_clinic
from tests.small_clinic import SmallClinic, small_clinic

MONDAY = date(2027, 3, 1)
NEXT = date(2027, 3, 8)


def weekly(made: SmallClinic, days: tuple[int, ...] = (0, 1, 2, 3, 4), opens: int = 540, closes: int = 720,
           starts_on: date = MONDAY) -> RotaWeeks:
    """The same hours on some weekdays."""
    return RotaWeeks(starts_on, tuple(WeekSpan(0, day, DaySpan(opens, closes, made.clinic_id)) for day in days))


def given(made: SmallClinic, rota: RotaWeeks, who: int | None = None, **more: int) -> Done[int] | Refused:
    with made.work() as unit:
        return rotas.set_rota(unit, who or made.practitioners[0], rota, **more)


def test_a_rota_holds_until_another_begins(engine: Engine) -> None:
    made = small_clinic(engine)
    for person in made.practitioners:
        done(given(made, weekly(made, (3,)), person))

    assert {on for on, _, _ in peel_offers(made)} == {date(2027, 3, 4)}


def test_a_rota_of_two_weeks_and_a_break_are_kept_as_they_are_said(engine: Engine) -> None:
    made = small_clinic(engine)
    spans = tuple(WeekSpan(1, day, span) for day in (0, 1)
                  for span in (DaySpan(540, 1020, made.clinic_id), DaySpan(720, 840, None, 30)))

    rota_id = done(given(made, RotaWeeks(date(2027, 4, 5), spans, 2, date(2027, 6, 30))))

    with engine.connect() as connection:
        rows = connection.execute(sa.text(
            "SELECT week, weekday, opens, closes, clinic_id, break_minutes FROM rota_span WHERE rota_id = :ident"
            " ORDER BY opens, weekday"), {"ident": rota_id}).all()
    assert [tuple(each) for each in rows] == [
        (1, 0, 540, 1020, made.clinic_id, None), (1, 1, 540, 1020, made.clinic_id, None),
        (1, 0, 720, 840, None, 30), (1, 1, 720, 840, None, 30)]


def test_a_second_rota_from_the_same_monday_is_refused_and_the_first_can_be_changed(engine: Engine) -> None:
    made = small_clinic(engine)
    rota_id = done(given(made, weekly(made)))

    again = given(made, weekly(made, closes=800))
    changed = done(given(made, weekly(made, closes=800), rota_id=rota_id))

    assert codes(again) == ["same-start"]
    with Session(engine) as db:
        rota = timetables(db, [made.practitioners[0]])[made.practitioners[0]].rotas
        assert db.get(Rota, rota_id) is None or changed == rota_id
    assert [(each.starts_on, {span.span.closes for span in each.spans}) for each in rota] == [
        (date(2026, 1, 5), {840, 1080}), (MONDAY, {800})]


def test_a_rota_that_is_taken_back_lets_the_one_before_hold(engine: Engine) -> None:
    made = small_clinic(engine)
    who = made.practitioners[0]
    rota_id = done(given(made, weekly(made, (4,))))

    with made.work() as unit:
        done(rotas.remove_rota(unit, who, rota_id, lock_version=2))

    with Session(engine) as db:
        assert len(timetables(db, [who])[who].spans_on(MONDAY)) == 2
    with pytest.raises(NotFound), made.work() as unit:
        rotas.remove_rota(unit, who, rota_id, lock_version=3)


def test_an_unknown_clinic_and_an_old_version_are_refused(engine: Engine) -> None:
    made = small_clinic(engine)
    odd = RotaWeeks(MONDAY, (WeekSpan(0, 0, DaySpan(540, 600, 99)),))

    assert codes(given(made, odd)) == ["unknown-clinic"]
    done(given(made, weekly(made)))
    with pytest.raises(Stale):
        given(made, weekly(made, starts_on=NEXT), lock_version=1)


def test_a_date_has_hours_of_its_own_until_they_are_taken_back(engine: Engine) -> None:
    made = small_clinic(engine)
    who, span = made.practitioners[0], DaySpan(600, 660, made.clinic_id)

    with made.work() as unit:
        done(rotas.set_day(unit, who, MONDAY, [span], reason="Fair"))
    with Session(engine) as db:
        own = timetables(db, [who])[who].spans_on(MONDAY)
    with made.work() as unit:
        odd = rotas.set_day(unit, who, MONDAY, [span, DaySpan(650, 700, made.clinic_id)], reason="")
    with made.work() as unit:
        done(rotas.remove_day(unit, who, MONDAY))

    assert own == (span,)
    assert codes(odd) == ["overlap"]
    with Session(engine) as db:
        assert len(timetables(db, [who])[who].spans_on(MONDAY)) == 2
    with pytest.raises(NotFound), made.work() as unit:
        rotas.remove_day(unit, who, MONDAY)


def test_a_day_off_is_not_offered_and_an_extra_day_is(engine: Engine) -> None:
    made = small_clinic(engine)
    for who in made.practitioners:
        done(given(made, weekly(made, (4,)), who))
    with made.work() as unit:
        done(rotas.set_day(unit, made.practitioners[1], date(2027, 3, 3), [DaySpan(600, 720, made.clinic_id)],
                           reason="Extra"))
    for who in made.practitioners:
        with made.work() as unit:
            done(rotas.set_day(unit, who, date(2027, 3, 5), [], reason="Fair"))

    assert peel_offers(made)[0][:2] == (date(2027, 3, 3), "Nurse Bell")
    assert date(2027, 3, 5) not in {on for on, _, _ in peel_offers(made)}


def test_two_practitioners_exchange_their_days(engine: Engine) -> None:
    made = small_clinic(engine)
    one, other = made.practitioners[:2]
    done(given(made, weekly(made, (0,), 540, 720), one))
    done(given(made, weekly(made, (2,), 780, 900), other))

    with made.work() as unit:
        done(rotas.swap(unit, one, other, on_date=NEXT, in_return_on=date(2027, 3, 10), reason="Wedding"))

    with Session(engine) as db:
        known = timetables(db, [one, other])
    assert (known[one].spans_on(NEXT), known[other].spans_on(date(2027, 3, 10))) == ((), ())
    assert known[other].spans_on(NEXT) == (DaySpan(540, 720, made.clinic_id),)
    assert known[one].spans_on(date(2027, 3, 10)) == (DaySpan(780, 900, made.clinic_id),)


def test_two_who_work_on_the_same_day_exchange_their_hours(engine: Engine) -> None:
    made = small_clinic(engine)
    there = second_clinic(engine)
    one, other = made.practitioners[:2]
    done(given(made, weekly(made, (0,), 540, 720), one))
    done(given(made, RotaWeeks(MONDAY, (WeekSpan(0, 0, DaySpan(600, 900, there)),)), other))

    with made.work() as unit:
        done(rotas.swap(unit, one, other, on_date=NEXT, in_return_on=NEXT, reason=""))

    with Session(engine) as db:
        known = timetables(db, [one, other])
    assert known[one].spans_on(NEXT) == (DaySpan(600, 900, there),)
    assert known[other].spans_on(NEXT) == (DaySpan(540, 720, made.clinic_id),)


@pytest.mark.parametrize(("on", "back", "taker", "code", "field"), [
    (date(2027, 3, 9), None, 1, "no-hours", "on_date"),
    (NEXT, date(2027, 3, 11), 1, "no-hours", "in_return_on"),
    (NEXT, None, 2, "overlap", "on_date"),
    (NEXT, None, 0, "same-person", "taker"),
])
def test_a_swap_that_cannot_be_is_refused_and_changes_nothing(
    on: date, back: date | None, taker: int, code: str, field: str, engine: Engine
) -> None:
    made = small_clinic(engine)
    done(given(made, weekly(made, (0,)), made.practitioners[0]))
    done(given(made, weekly(made, (2,)), made.practitioners[1]))
    done(given(made, weekly(made, (0,)), made.practitioners[2]))

    with made.work() as unit:
        outcome = rotas.swap(unit, made.practitioners[0], made.practitioners[taker], on_date=on, in_return_on=back,
                             reason="")

    assert isinstance(outcome, Refused)
    assert [(each.code, each.field) for each in outcome.findings] == [(code, field)]
    with Session(engine) as db:
        assert [each.days for each in timetables(db, made.practitioners).values()] == [{}, {}, {}]
